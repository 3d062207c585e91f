/* The header of PROXY protocol version 2, as bytes: what it says. Pure; no connection, no trust. Private to net/. */
#ifndef NET_PROXY_HEADER_H
#define NET_PROXY_HEADER_H

#include "net/evidence.h"

enum { PROXY_SIGNATURE = 12, PROXY_FIXED = 16, PROXY_HEADER_MAX = 4096 };
extern const char proxy_signature[PROXY_SIGNATURE];

struct proxy_header {
    bool local; /* the proxy speaks for itself: nothing else is set */
    struct ip_addr source, destination;
    uint16_t source_port, destination_port;
    uint8_t n_tlvs;
    struct evidence_tlv tlvs[EVIDENCE_TLVS];
};

/* What can be said of a header's first bytes, however few. RC_OK: *ret_length is that of the whole header; RC_UNAVAILABLE:
 * more are needed; RC_INVALID: it is none, whatever follows. */
NODISCARD enum rc proxy_header_length(struct str first, size_t *ret_length, struct err *e);
/* A whole header, as long as proxy_header_length said. Strict: a stream over IPv4 or IPv6, TLVs that fill the rest exactly,
 * a checksum that is right if there is one, none of the types that tell a network twice or of the wrong length. */
NODISCARD enum rc proxy_header_parse(struct str bytes, struct proxy_header *ret, struct err *e);

#endif
