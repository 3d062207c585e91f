/* IP addresses and CIDR blocks. IPv4-mapped IPv6 (::ffff:0:0/96, nothing else) is always held as
 * IPv4. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/str.h"

struct sockaddr;
enum { IP_TEXT_MAX = 46, CIDR_TEXT_MAX = 50 };

struct ip_addr {
    uint8_t family;    /* 4, 6, or 0 when unset */
    uint8_t bytes[16]; /* network order; the first 4 for IPv4, the rest zero */
};
struct cidr {
    struct ip_addr addr; /* host bits are zero */
    uint8_t prefix;      /* 0..32 or 0..128 */
};

/* Strict: dotted quad without leading zeros, or RFC 4291 text; no zone id, no brackets. */
NODISCARD enum rc ip_parse(struct str s, struct ip_addr *ret, struct err *e);
/* Address or address/prefix. RC_INVALID: host bits set, prefix out of range, zone id; the text says
 * which. */
NODISCARD enum rc cidr_parse(struct str s, struct cidr *ret, struct err *e);
NODISCARD enum rc cidr_parse_masked(struct str s, struct cidr *ret,
                                    struct err *e);                    /* host bits become 0 */
struct str ip_format(const struct ip_addr *a, char out[IP_TEXT_MAX]);  /* RFC 5952 for IPv6 */
struct str cidr_format(const struct cidr *c, char out[CIDR_TEXT_MAX]); /* always with /prefix */
bool ip_eq(const struct ip_addr *a, const struct ip_addr *b);
int ip_cmp(const struct ip_addr *a, const struct ip_addr *b);
bool ip_is_loopback(const struct ip_addr *a);
bool cidr_contains(const struct cidr *c, const struct ip_addr *a); /* families must agree */
bool cidr_covers(const struct cidr *outer, const struct cidr *inner);
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
bool cidr_is_multicast(const struct cidr *c); /* all of it */
/* From AF_INET or AF_INET6, else an unset address and port 0. */
struct ip_addr ip_from_sockaddr(const struct sockaddr *sa, uint16_t *ret_port);

#endif
