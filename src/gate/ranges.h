/* CIDR blocks compiled for one question: which is the first block, as listed, that holds this address?
 * Blocks nest or are disjoint, never half overlap, so the address space falls into segments that each have one answer;
 * a search by halves over their starts finds it. IPv4 and IPv6 are separate spaces. */
#ifndef GATE_RANGES_H
#define GATE_RANGES_H

#include "base/ip.h"

__extension__ typedef unsigned __int128 ranges_key; /* an address as a number */

struct ranges_space {
    ranges_key *starts; /* ascending; the first is 0 when there is any */
    int32_t *places;    /* of the block that answers for the segment that begins there; -1 none */
    size_t n;
};
struct ranges {
    struct ranges_space v4, v6;
};

/* The i-th block of the list lies at (const char *)first + i * stride. */
void ranges_init(struct ranges *r, const struct cidr *first, size_t n, size_t stride);
void ranges_done(struct ranges *r);
int ranges_find(const struct ranges *r, const struct ip_addr *a); /* its place in the list; -1 none */

#endif
