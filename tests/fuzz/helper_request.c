/* What the privileged helper believes of a message: never a name that leads out of its folder, a
 * port or an identity. */
#include "app/helper_protocol.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct helper_message m;
    struct err e = {0};

    if (size < sizeof(m))
        return 0;
    memcpy(&m, data, sizeof(m));
    if (helper_request_check(&m, &e) != RC_OK) {
        must(e.rc == RC_INVALID && e.text[0]);
        return 0;
    }
    must(m.version == HELPER_VERSION && m.type >= HELPER_HELLO && m.type <= HELPER_PING);
    must(m.port == 0 && m.ns_dev == 0 && m.ns_ino == 0 && m.ifindex == 0 && m.state == 0);
    must(m.name[sizeof(m.name) - 1] == '\0' && !strchr(m.name, '/') && strcmp(m.name, "..") != 0);
    must(m.type == HELPER_OPEN ? m.name[0] && m.service <= HELPER_CONTROL : !m.name[0]);
    return 0;
}
