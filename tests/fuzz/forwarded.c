/* Property: whoever is found stands in the list, is not a trusted forwarder unless all are, and
 * nothing that is put in front of the list changes who it is. */
#include "fuzz.h"

#include "admit/forwarded.h"
#include <assert.h>
#include <stdlib.h>

enum { LONGEST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cidr trusted[] = {{{4, {10, 0, 0, 0}}, 8}, {{6, {0xfd}}, 8}};
    const struct forwarded_trust trust = {trusted, ARRAY_LEN(trusted)};
    static const char front[] = "198.51.100.1, ";
    char longer[LONGEST + sizeof(front)];
    struct ip_addr a = {0}, b = {0};
    uint16_t port = 7, again = 7;

    if (size > LONGEST)
        return 0;
    if (forwarded_client((struct str){(const char *)data, size}, &trust, &a, &port, NULL) !=
        RC_OK) {
        assert(a.family == 0 && port == 7);
        return 0;
    }
    assert(a.family == 4 || a.family == 6);
    memcpy(longer, front, sizeof(front) - 1);
    memcpy(longer + sizeof(front) - 1, data, size);
    enum rc rc =
        forwarded_client((struct str){longer, sizeof(front) - 1 + size}, &trust, &b, &again, NULL);

    assert(rc == RC_OK);
    if (!forwarded_trusts(&trust, &a))
        assert(ip_eq(&a, &b) && port == again);
    return 0;
}
