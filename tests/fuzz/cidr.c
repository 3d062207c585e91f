/* Addresses and blocks: the canonical text of what is accepted means the same. */
#include "fuzz.h"

#include "base/ip.h"
#include <stdlib.h>

static void try_ip(struct str text)
{
    struct ip_addr a, again;
    char out[IP_TEXT_MAX];

    if (ip_parse(text, &a, NULL) != RC_OK)
        return;
    if (ip_parse(ip_format(&a, out), &again, NULL) != RC_OK || !ip_eq(&a, &again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct cidr c, again;
    char out[CIDR_TEXT_MAX];

    try_ip(text);
    if (cidr_parse(text, &c, NULL) != RC_OK)
        return 0;
    if (cidr_parse(cidr_format(&c, out), &again, NULL) != RC_OK || again.prefix != c.prefix ||
        !ip_eq(&c.addr, &again.addr))
        abort();
    if (!cidr_contains(&c, &c.addr) || !cidr_covers(&c, &c) ||
        (c.addr.family != 4 && c.addr.family != 6))
        abort();
    return 0;
}
