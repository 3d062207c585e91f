/* PROXY protocol v2: the header comes first and is taken off; then bytes pass through. Never a byte
 * more is read than the header has, so that what is above finds its own untouched. */
#include "base/log.h"
#include "base/metric.h"
#include "net/filter.h"
#include "net/proxy_header.h"

#include <stdlib.h>

enum proxy_state {
    PROXY_HEADER,  /* not all of it is here */
    PROXY_CHECK,   /* are the next bytes a second header? */
    PROXY_GIVE,    /* they were not: those that were held back go up first */
    PROXY_THROUGH, /* nothing of our own any more */
    PROXY_FAILED,
};

struct proxy {
    struct net_filter filter;
    enum proxy_state state;
    size_t n, given;
    char *bytes; /* the header; then what is held back of the bytes after it; NULL: neither */
};

static struct proxy *proxy_of(const struct net_filter *f)
{
    return CONTAINER_OF(f, struct proxy, filter);
}

static enum net_io proxy_fail(struct proxy *p, const char *why)
{
    char via[IP_TEXT_MAX];
    const struct evidence *ev = net_stream_evidence(p->filter.stream);

    log_warn("proxy.protocol_error",
             F_STR("peer", ip_format(ev->via.family ? &ev->via : &ev->peer, via)),
             F_TEXT("reason", why));
    metric_add(METRIC_PROXY_ERRORS, 1);
    p->state = PROXY_FAILED;
    return NET_IO_ERROR;
}

/* --- the header --- */

static void evidence_set(struct evidence *ev, const struct proxy_header *h)
{
    if (h->local)
        return;
    ev->via = ev->peer;
    ev->via_port = ev->peer_port;
    ev->peer = h->source;
    ev->peer_port = h->source_port;
    ev->local = h->destination;
    ev->local_port = h->destination_port;
    ev->n_tlvs = h->n_tlvs;
    memcpy(ev->tlvs, h->tlvs, sizeof(ev->tlvs));
}

static enum net_io header_done(struct proxy *p)
{
    struct proxy_header h;
    struct err e = {0};

    if (proxy_header_parse((struct str){p->bytes, p->n}, &h, &e) != RC_OK)
        return proxy_fail(p, e.text);
    evidence_set(net_stream_own_evidence(p->filter.stream), &h);
    free(p->bytes);
    p->bytes = NULL;
    p->n = 0;
    p->state = PROXY_CHECK;
    return NET_IO_OK;
}

/* The fixed part, then exactly the rest. */
static enum net_io proxy_open(struct net_filter *f)
{
    struct proxy *p = proxy_of(f);
    size_t length = PROXY_FIXED;
    struct err e = {0};

    if (p->state != PROXY_HEADER)
        return p->state == PROXY_FAILED ? NET_IO_ERROR : NET_IO_OK;
    for (;;) {
        enum rc rc = proxy_header_length((struct str){p->bytes, p->n}, &length, &e);
        size_t n = 0;

        if (rc == RC_INVALID)
            return proxy_fail(p, e.text);
        if (rc == RC_OK && p->n == length)
            return header_done(p);
        enum net_io io = f->below->ops->read(f->below, p->bytes + p->n, length - p->n, &n);

        if (io == NET_IO_AGAIN)
            return io;
        if (io != NET_IO_OK)
            return proxy_fail(p, "the connection ended within its PROXY header");
        p->n += n;
    }
}

/* --- the bytes after it --- */

/* Holds bytes back for as long as they could be the beginning of a second header. */
static enum net_io check_read(struct proxy *p)
{
    struct net_filter *below = p->filter.below;
    size_t n = 0;

    if (!p->bytes && !(p->bytes = malloc(PROXY_SIGNATURE)))
        abort();
    while (p->n < PROXY_SIGNATURE && memcmp(p->bytes, proxy_signature, p->n) == 0) {
        enum net_io io = below->ops->read(below, p->bytes + p->n, PROXY_SIGNATURE - p->n, &n);

        if (io == NET_IO_AGAIN || io == NET_IO_ERROR || (io == NET_IO_END && p->n == 0))
            return io;
        if (io == NET_IO_END) /* below says so again */
            break;
        p->n += n;
    }
    if (p->n == PROXY_SIGNATURE && memcmp(p->bytes, proxy_signature, p->n) == 0)
        return proxy_fail(p, "a second PROXY header");
    p->state = PROXY_GIVE;
    return NET_IO_OK;
}

static enum net_io give(struct proxy *p, char *bytes, size_t cap, size_t *ret_n)
{
    size_t n = p->n - p->given < cap ? p->n - p->given : cap;

    memcpy(bytes, p->bytes + p->given, n);
    p->given += n;
    if (p->given == p->n) {
        free(p->bytes);
        p->bytes = NULL;
        p->state = PROXY_THROUGH;
    }
    *ret_n = n;
    return NET_IO_OK;
}

static enum net_io proxy_read(struct net_filter *f, char *bytes, size_t cap, size_t *ret_n)
{
    struct proxy *p = proxy_of(f);
    enum net_io io = p->state == PROXY_CHECK ? check_read(p) : NET_IO_OK;

    if (io != NET_IO_OK)
        return io;
    if (p->state == PROXY_GIVE)
        return give(p, bytes, cap, ret_n);
    return p->state == PROXY_THROUGH ? f->below->ops->read(f->below, bytes, cap, ret_n)
                                     : NET_IO_ERROR;
}

/* --- what only passes through --- */

static enum net_io proxy_write(struct net_filter *f, const struct iovec *iov, int n, size_t *ret_n)
{
    return proxy_of(f)->state == PROXY_FAILED ? NET_IO_ERROR
                                              : f->below->ops->write(f->below, iov, n, ret_n);
}

static enum net_io proxy_sendfile(struct net_filter *f, int fd, uint64_t offset, size_t len,
                                  size_t *ret_n)
{
    return proxy_of(f)->state == PROXY_FAILED
               ? NET_IO_ERROR
               : f->below->ops->sendfile(f->below, fd, offset, len, ret_n);
}

static enum net_io proxy_finish(struct net_filter *f)
{
    return f->below->ops->finish(f->below);
}

static unsigned proxy_needs(const struct net_filter *f, unsigned wanted)
{
    return f->below->ops->needs(f->below, wanted);
}

static unsigned proxy_pending(const struct net_filter *f, unsigned wanted)
{
    enum proxy_state state = proxy_of(f)->state;
    unsigned own = state == PROXY_GIVE || state == PROXY_FAILED ? (unsigned)LOOP_READ : 0u;

    return (own & wanted) | f->below->ops->pending(f->below, wanted);
}

static unsigned proxy_event(struct net_filter *f, unsigned events)
{
    return f->below->ops->event(f->below, events) | proxy_pending(f, LOOP_READ | LOOP_WRITE);
}

static void proxy_free(struct net_filter *f)
{
    struct proxy *p = proxy_of(f);

    if (p->state == PROXY_HEADER) /* it did not come in time */
        metric_add(METRIC_PROXY_ERRORS, 1);
    free(p->bytes);
    free(p);
}

static const struct net_filter_ops proxy_ops = {
    .name = "proxy",
    .open = proxy_open,
    .read = proxy_read,
    .write = proxy_write,
    .sendfile = proxy_sendfile,
    .finish = proxy_finish,
    .needs = proxy_needs,
    .pending = proxy_pending,
    .event = proxy_event,
    .free = proxy_free,
};

struct net_filter *net_proxy_filter_new(struct net_stream *s, struct net_filter *below)
{
    struct proxy *p = calloc(1, sizeof(*p));
    char *header = malloc(PROXY_HEADER_MAX);

    if (!p || !header)
        abort();
    p->filter = (struct net_filter){.ops = &proxy_ops, .below = below, .stream = s};
    p->bytes = header;
    return &p->filter;
}
