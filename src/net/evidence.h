/* Evidence: what a connection shows of where it comes from. Set when it is accepted; never changes.
 * Its meaning (the origin) is made from it by origin/, under the snapshot of the moment. */
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

struct evidence {
    enum net_class class;
    enum net_arrival arrival;
    struct uuid attachment; /* of netns and device listeners; nil otherwise */
    struct ip_addr peer, local;
    uint16_t peer_port, local_port;
    unsigned ifindex; /* interface it arrived by (IP_PKTINFO); 0 unknown */
    char interface[16]; /* its name (SIOCGIFNAME on the accepted socket, which asks the socket's own namespace); "" unknown */
    uint32_t mark;    /* SO_MARK; 0 none */
    bool tls;
};

#endif
