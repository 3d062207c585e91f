/* X-Forwarded-For, as text: whose address it gives. Pure. */
#ifndef ADMIT_FORWARDED_H
#define ADMIT_FORWARDED_H

#include "base/ip.h"

struct forwarded_trust {
    const struct cidr *list;
    size_t n;
};
bool forwarded_trusts(const struct forwarded_trust *t, const struct ip_addr *a);
/* From right to left, the first address that is no trusted forwarder's; the leftmost when all are. What stands left of it was
 * sent by that client and is not looked at. Addresses may have ports: "192.0.2.7:4711", "[2001:db8::7]:4711"; port 0 without.
 * RC_INVALID for anything else, an empty entry too. */
NODISCARD enum rc forwarded_client(struct str value, const struct forwarded_trust *t, struct ip_addr *ret,
                                   uint16_t *ret_port, struct err *e);

#endif
