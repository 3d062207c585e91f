/* What streams of one loop share: blocks for collected bytes, and who came by what. Private to net/. */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include "net/net.h"

enum { NET_BLOCK_SIZE = 64 * 1024 };

struct net_block {
    struct net_block *next;
    char bytes[NET_BLOCK_SIZE];
};

struct net_local {
    struct net_block *spare; /* last in, first out: the warmest is used again */
    unsigned n_spare;
    struct net_stream *placed; /* streams that came by an attachment or a known interface */
    struct stream_opening *openings; /* streams whose chain is not open yet */
    bool refusing;                   /* no stream opens any more */
};

struct net_local *net_local_of(struct loop *l);
struct net_block *net_block_get(struct net_local *local);
void net_block_put(struct net_local *local, struct net_block *b); /* accepts NULL */

#endif
