/* Evidence: what a connection shows of where it comes from. Set when it is accepted and, on a listener that speaks PROXY
 * protocol, when its header has come; never changes after. Its meaning (the origin) is made from it by origin/, under the
 * snapshot of the moment. What a trusted forwarder says of one request is in a copy of it (admit/). */
#ifndef NET_EVIDENCE_H
#define NET_EVIDENCE_H

#include "base/ip.h"
#include "base/uuid.h"

enum net_class { NET_DATA, NET_CONTROL, NET_METRICS }; /* routes belong to a class */
enum net_arrival {
    NET_MAIN,   /* a listener of the server's own network */
    NET_PROXY,  /* a main listener that speaks PROXY protocol v2 */
    NET_NETNS,  /* a listener inside an attachment's network namespace */
    NET_DEVICE, /* a listener bound to an attachment's interface */
};

enum { EVIDENCE_PLACE_MAX = 64 }; /* with its end */

/* A value of a PROXY header that can tell a network, as text: an ASCII id without its subtype byte, a number in decimal. */
enum evidence_tlv_type {
    TLV_NAMESPACE = 0x30, /* the standard's: the name of a network namespace */
    TLV_GOOGLE = 0xE0,    /* PSC connection id */
    TLV_ALIBABA = 0xE1,   /* id of a VPC, an endpoint or an endpoint service */
    TLV_AWS = 0xEA,       /* VPC endpoint id */
    TLV_AZURE = 0xEE,     /* Private Link's LINKID */
};
enum { EVIDENCE_TLVS = 4, EVIDENCE_TLV_TEXT = 64 };
struct evidence_tlv {
    uint8_t type, subtype;        /* subtype 0: that type has none */
    char text[EVIDENCE_TLV_TEXT]; /* "": one that no attachment can name */
};

struct evidence {
    enum net_class class;
    enum net_arrival arrival;
    struct uuid attachment; /* of netns and device listeners; nil otherwise */
    char place[EVIDENCE_PLACE_MAX]; /* the namespace's or device's name when it was accepted there; "" otherwise: an
                                     * attachment can move, and its connections of before do not move with it */
    struct ip_addr peer, local; /* the connection's own or, once it spoke for somebody, what the proxy said */
    uint16_t peer_port, local_port;
    struct ip_addr via; /* the proxy or forwarder, when `peer` is what it said; unset otherwise */
    uint16_t via_port;
    bool unreadable; /* the forwarder said something that is no address: nobody that is known */
    unsigned ifindex; /* interface it arrived by (IP_PKTINFO); 0 unknown */
    char interface[16]; /* its name (SIOCGIFNAME on the accepted socket, which asks the socket's own namespace); "" unknown */
    uint32_t mark;    /* SO_MARK; 0 none */
    bool tls;
    uint8_t n_tlvs;
    struct evidence_tlv tlvs[EVIDENCE_TLVS];
};

#endif
