/* The chain of filters that a stream is made of: tcp at the bottom, TLS (or a proxy's header) above it. Private to net/.
 * A filter talks to the one below it and never to the socket; only the stream knows of polls and of who listens. */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "net/local.h"

struct net_filter {
    const struct net_filter_ops *ops;
    struct net_filter *below; /* NULL at the bottom */
    struct net_stream *stream;
};

/* Optional entries may be NULL. A filter that has answered NET_IO_ERROR once keeps answering it. */
struct net_filter_ops {
    const char *name;
    /* Optional. Until it answers NET_IO_OK nothing else is called but needs, event and free. */
    enum net_io (*open)(struct net_filter *f);
    enum net_io (*read)(struct net_filter *f, char *bytes, size_t cap, size_t *ret_n);
    enum net_io (*write)(struct net_filter *f, const struct iovec *iov, int n, size_t *ret_n);
    enum net_io (*sendfile)(struct net_filter *f, int fd, uint64_t offset, size_t len, size_t *ret_n); /* optional */
    enum net_io (*flush)(struct net_filter *f);  /* optional: nothing is ever collected */
    size_t (*unflushed)(const struct net_filter *f); /* bytes that are collected; with flush */
    enum net_io (*finish)(struct net_filter *f); /* the end of output; NET_IO_AGAIN until the kernel has it */
    /* Which events of the socket must come before what is wanted above can be had. */
    unsigned (*needs)(const struct net_filter *f, unsigned wanted);
    /* Which of the wanted can be had at once, without any event of the socket. */
    unsigned (*pending)(const struct net_filter *f, unsigned wanted);
    /* Events of the socket: does what they allow; returns what can be had above now. */
    unsigned (*event)(struct net_filter *f, unsigned events);
    struct str (*alpn)(const struct net_filter *f); /* optional */
    void (*free)(struct net_filter *f);             /* itself, not the one below */
};

/* tcp.c: takes the descriptor over. */
struct net_filter *net_tcp_new(struct net_stream *s, int fd);
/* proxy.c: a header of PROXY protocol v2 comes before all else, and becomes evidence. */
struct net_filter *net_proxy_filter_new(struct net_stream *s, struct net_filter *below);
/* tls.c: the server's side. */
struct net_filter *net_tls_filter_new(struct net_stream *s, struct net_filter *below, struct net_tls *tls);

/* stream.c, for filters: bytes were collected; flush at the end of this turn. */
void net_stream_collected(struct net_stream *s);

/* stream.c, for the filter whose header says more of where the connection comes from; while it opens. */
struct evidence *net_stream_own_evidence(struct net_stream *s);

/* stream.c, for listeners: makes the chain and opens it, on loop l. Tells `accepted`, or frees all when opening fails. */
struct net_opening {
    struct net_tls *tls; /* NULL: plain */
    void (*accepted)(void *ctx, struct net_stream *s);
    void *ctx;
    void (*over)(void *ctx); /* opening ended, whichever way */
    void *over_ctx;
    unsigned timeout_ms;
    bool surplus; /* it is over the limit, and counted apart */
};
void net_stream_open(struct loop *l, int fd, const struct evidence *ev, const struct net_opening *opening);

#endif
