/* A stream: a chain of filters, the poll of its socket, and who is told of its events. */
#include "base/metric.h"
#include "net/filter.h"
#include "sys/fd.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    READ_BUDGET = 64 * 1024
}; /* for each turn, so that one sender does not keep the others waiting */

enum stream_state {
    STREAM_OPENING,
    STREAM_OPEN,
    STREAM_BROKEN /* no chain any more */,
    STREAM_DEAD
};

struct net_stream {
    struct loop *loop;
    struct net_filter *top;
    struct loop_poll *poll;
    int fd; /* the bottom's: for what concerns the socket and no filter */
    enum stream_state state;
    unsigned wanted;
    unsigned holds; /* who still has a pointer: tasks under way and callers up the stack */
    size_t budget;
    bool surplus;
    bool again_queued, end_queued, finishing, finished;
    bool flushing; /* somebody waits until the socket has all that was collected */
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
    struct loop_task again, end;
    struct stream_opening *opening;  /* NULL once open */
    struct loop_timer *grace;        /* NULL unless it will be cut when that is over */
    struct net_stream *next, **link; /* among those of an attachment */
    struct evidence evidence;
};

struct stream_opening {
    struct net_opening how;
    struct loop_timer *timer;
    struct net_stream *stream;
    struct stream_opening *next, **link; /* among those of the loop */
};

static void stream_events(void *ctx, unsigned events);

/* --- life ------------------------------------------------------------------------------------ */

static void stream_hold(struct net_stream *s)
{
    s->holds++;
}

static void stream_release(struct net_stream *s)
{
    if (--s->holds == 0 && s->state == STREAM_DEAD)
        free(s);
}

static void stream_enlist(struct net_stream *s)
{
    struct net_local *local = net_local_of(s->loop);

    if (uuid_is_nil(&s->evidence.attachment) && s->evidence.ifindex == 0)
        return;
    s->next = local->placed;
    if (s->next)
        s->next->link = &s->next;
    s->link = &local->placed;
    local->placed = s;
}

static void stream_delist(struct net_stream *s)
{
    if (!s->link)
        return;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    s->link = NULL;
}

/* Closes the socket too. */
static void stream_break(struct net_stream *s)
{
    loop_timer_free(s->grace);
    s->grace = NULL;
    loop_poll_free(s->poll);
    s->poll = NULL;
    while (s->top) {
        struct net_filter *f = s->top;

        s->top = f->below;
        f->ops->free(f);
    }
    s->fd = -1;
    s->state = STREAM_BROKEN;
    stream_delist(s);
}

static void opening_begin(struct net_stream *s, const struct net_opening *how)
{
    struct net_local *local = net_local_of(s->loop);
    struct stream_opening *o = calloc(1, sizeof(*o));

    if (!o)
        abort();
    o->how = *how;
    o->stream = s;
    o->next = local->openings;
    if (o->next)
        o->next->link = &o->next;
    o->link = &local->openings;
    local->openings = o;
    s->opening = o;
}

static void opening_end(struct net_stream *s)
{
    struct stream_opening *o = s->opening;

    s->opening = NULL;
    *o->link = o->next;
    if (o->next)
        o->next->link = o->link;
    loop_timer_free(o->timer);
    o->how.over(o->how.over_ctx);
    free(o);
}

static void stream_die(struct net_stream *s)
{
    stream_hold(s);
    if (s->opening)
        opening_end(s);
    stream_break(s);
    s->state = STREAM_DEAD;
    metric_add(s->surplus ? METRIC_CONNECTIONS_SURPLUS : METRIC_CONNECTIONS_OPEN, -1);
    stream_release(s);
}

static void stream_linger_off(struct net_stream *s)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    if (s->fd >= 0)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

/* --- events ---------------------------------------------------------------------------------- */

static void stream_again(struct loop_task *task);

static void stream_queue_again(struct net_stream *s)
{
    if (s->again_queued)
        return;
    s->again_queued = true;
    stream_hold(s);
    s->again.run = stream_again;
    loop_defer(s->loop, &s->again);
}

/* Who waits for a flush is not told of room before it is done. */
static unsigned stream_can(struct net_stream *s, unsigned can)
{
    if (!s->flushing)
        return can;
    if (s->top->ops->flush(s->top) == NET_IO_AGAIN)
        return can & ~(unsigned)LOOP_WRITE;
    s->flushing = false;
    return can | LOOP_WRITE;
}

/* After anything that may have changed what is wanted or what can be had. */
static void stream_arm(struct net_stream *s)
{
    if (s->state == STREAM_DEAD)
        return;
    if (s->state == STREAM_BROKEN) {
        if (s->wanted)
            stream_queue_again(s);
        return;
    }
    unsigned wanted = s->state == STREAM_OPENING ? (unsigned)LOOP_READ : s->wanted;

    loop_poll_want(s->poll, s->top->ops->needs(s->top, wanted));
    if (s->flushing)
        wanted &= ~(unsigned)LOOP_WRITE;
    if (s->state == STREAM_OPEN && s->top->ops->pending(s->top, wanted))
        stream_queue_again(s);
}

static void stream_tell(struct net_stream *s, unsigned events)
{
    s->budget = READ_BUDGET;
    if (s->ready && events)
        s->ready(s->ctx, events);
}

static void stream_again(struct loop_task *task)
{
    struct net_stream *s = CONTAINER_OF(task, struct net_stream, again);

    s->again_queued = false;
    if (s->state == STREAM_BROKEN)
        stream_tell(s, LOOP_READ | LOOP_WRITE);
    else if (s->state == STREAM_OPEN)
        stream_tell(s, stream_can(s, s->top->ops->pending(s->top, s->wanted)) & s->wanted);
    if (s->state != STREAM_BROKEN) /* one word about that is enough, until more is wanted */
        stream_arm(s);
    stream_release(s);
}

static void stream_finish_step(struct net_stream *s)
{
    if (!s->finished)
        s->finished = s->top->ops->finish(s->top) != NET_IO_AGAIN;
}

/* TLS begins when the header that comes before it has been read. */
static enum net_io chain_open(struct net_stream *s)
{
    for (;;) {
        enum net_io io = s->top->ops->open ? s->top->ops->open(s->top) : NET_IO_OK;
        struct net_tls *tls = s->opening->how.tls;

        if (io != NET_IO_OK || !tls)
            return io;
        s->opening->how.tls = NULL;
        s->top = net_tls_filter_new(s, s->top, tls);
    }
}

static void stream_open_step(struct net_stream *s)
{
    enum net_io io = chain_open(s);

    if (io == NET_IO_AGAIN)
        return;
    if (io != NET_IO_OK) {
        stream_die(s);
        return;
    }
    void (*accepted)(void *ctx, struct net_stream *stream) = s->opening->how.accepted;
    void *ctx = s->opening->how.ctx;

    s->state = STREAM_OPEN;
    s->budget = READ_BUDGET;
    opening_end(s);
    accepted(ctx, s);
}

static void stream_events(void *ctx, unsigned events)
{
    struct net_stream *s = ctx;

    stream_hold(s);
    unsigned can = s->top->ops->event(s->top, events);

    if (s->state == STREAM_OPENING) {
        stream_open_step(s);
    } else {
        if (s->finishing)
            stream_finish_step(s);
        if (events & LOOP_ERROR)
            stream_tell(s, s->wanted ? LOOP_READ | LOOP_WRITE : 0u);
        else
            stream_tell(s, stream_can(s, can) & s->wanted);
    }
    stream_arm(s);
    stream_release(s);
}

static void stream_turn_ends(struct loop_task *task)
{
    struct net_stream *s = CONTAINER_OF(task, struct net_stream, end);

    s->end_queued = false;
    if ((s->state == STREAM_OPEN || s->state == STREAM_OPENING) && s->top->ops->flush)
        (void)s->top->ops->flush(s->top);
    stream_arm(s);
    stream_release(s);
}

void net_stream_collected(struct net_stream *s)
{
    if (s->end_queued)
        return;
    s->end_queued = true;
    stream_hold(s);
    s->end.run = stream_turn_ends;
    loop_turn_end(s->loop, &s->end);
}

/* --- opening --------------------------------------------------------------------------------- */

static void stream_open_late(void *ctx)
{
    struct net_stream *s = ctx;

    if (s->evidence.tls && !s->opening->how.tls) /* it had begun */
        metric_add(METRIC_TLS_HANDSHAKE_FAILURES, 1);
    stream_die(s);
}

static struct net_stream *stream_new(struct loop *l, int fd, const struct evidence *ev)
{
    struct net_stream *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->loop = l;
    s->fd = fd;
    s->evidence = *ev;
    s->top = net_tcp_new(s, fd);
    stream_enlist(s);
    return s;
}

void net_stream_open(struct loop *l, int fd, const struct evidence *ev,
                     const struct net_opening *how)
{
    if (net_local_of(l)->refusing) {
        fd_close(fd);
        how->over(how->over_ctx);
        return;
    }
    struct net_stream *s = stream_new(l, fd, ev);

    s->surplus = how->surplus;
    metric_add(s->surplus ? METRIC_CONNECTIONS_SURPLUS : METRIC_CONNECTIONS_OPEN, 1);
    opening_begin(s, how);
    if (ev->arrival == NET_PROXY) {
        s->top = net_proxy_filter_new(s, s->top);
    } else if (how->tls) {
        s->top = net_tls_filter_new(s, s->top, how->tls);
        s->opening->how.tls = NULL;
    }
    if (loop_poll_new(l, fd, stream_events, s, &s->poll, NULL) != RC_OK) {
        stream_die(s);
        return;
    }
    stream_hold(s);
    if (s->top->ops->open) {
        s->opening->timer = loop_timer_new(l, stream_open_late, s);
        loop_timer_start(s->opening->timer, how->timeout_ms);
    } else {
        stream_open_step(s);
    }
    stream_arm(s);
    stream_release(s);
}

/* --- the face -------------------------------------------------------------------------------- */

const struct evidence *net_stream_evidence(const struct net_stream *s)
{
    return &s->evidence;
}

struct evidence *net_stream_own_evidence(struct net_stream *s)
{
    return &s->evidence;
}

struct loop *net_stream_loop(const struct net_stream *s)
{
    return s->loop;
}

struct str net_stream_alpn(const struct net_stream *s)
{
    return s->state == STREAM_OPEN && s->top->ops->alpn ? s->top->ops->alpn(s->top) : STR_NONE;
}

void net_stream_handler(struct net_stream *s, void (*ready)(void *ctx, unsigned events), void *ctx)
{
    s->ready = ready;
    s->ctx = ctx;
}

void net_stream_want(struct net_stream *s, unsigned events)
{
    assert(s->state != STREAM_DEAD);
    s->wanted = events;
    stream_arm(s);
}

enum net_io net_stream_read(struct net_stream *s, char *bytes, size_t cap, size_t *ret_n)
{
    if (s->state != STREAM_OPEN)
        return NET_IO_ERROR;
    if (s->budget == 0)
        return NET_IO_AGAIN;
    enum net_io io = s->top->ops->read(s->top, bytes, cap < s->budget ? cap : s->budget, ret_n);

    if (io == NET_IO_OK) {
        s->budget -= *ret_n;
        metric_add(METRIC_BYTES_IN, (int64_t)*ret_n);
    }
    return io;
}

enum net_io net_stream_write(struct net_stream *s, const struct iovec *iov, int n, size_t *ret_n)
{
    if (s->state != STREAM_OPEN || s->finishing)
        return NET_IO_ERROR;
    enum net_io io = s->top->ops->write(s->top, iov, n, ret_n);

    if (io == NET_IO_OK)
        metric_add(METRIC_BYTES_OUT, (int64_t)*ret_n);
    return io;
}

bool net_stream_can_sendfile(const struct net_stream *s)
{
    return s->state == STREAM_OPEN && s->top->ops->sendfile;
}

enum net_io net_stream_sendfile(struct net_stream *s, int fd, uint64_t offset, size_t len,
                                size_t *ret_n)
{
    if (!net_stream_can_sendfile(s) || s->finishing)
        return NET_IO_ERROR;
    enum net_io io = s->top->ops->sendfile(s->top, fd, offset, len, ret_n);

    if (io == NET_IO_OK)
        metric_add(METRIC_BYTES_OUT, (int64_t)*ret_n);
    return io;
}

enum net_io net_stream_flush(struct net_stream *s)
{
    if (s->state != STREAM_OPEN)
        return NET_IO_ERROR;
    enum net_io io = s->top->ops->flush ? s->top->ops->flush(s->top) : NET_IO_OK;

    s->flushing = io == NET_IO_AGAIN;
    stream_arm(s);
    return io;
}

size_t net_stream_unflushed(const struct net_stream *s)
{
    return s->state == STREAM_OPEN && s->top->ops->unflushed ? s->top->ops->unflushed(s->top) : 0;
}

void net_stream_finish(struct net_stream *s)
{
    if (s->state != STREAM_OPEN || s->finishing)
        return;
    s->finishing = true;
    stream_finish_step(s);
    stream_arm(s);
}

void net_stream_close(struct net_stream *s)
{
    if (!s)
        return;
    if (s->state == STREAM_OPEN && s->top->ops->flush) /* the kernel ends a plain one by itself */
        stream_finish_step(s);
    stream_die(s);
}

void net_stream_reset(struct net_stream *s)
{
    if (!s)
        return;
    stream_linger_off(s);
    stream_die(s);
}

static void stream_cut(struct net_stream *s)
{
    stream_linger_off(s);
    if (s->state == STREAM_OPENING) {
        stream_die(s);
        return;
    }
    stream_break(s);
    stream_queue_again(s);
}

void net_streams_cut(struct loop *l, bool (*gone)(const struct evidence *ev, const void *arg),
                     const void *arg)
{
    struct net_stream *next;

    for (struct net_stream *s = net_local_of(l)->placed; s; s = next) {
        next = s->next;
        if (gone(&s->evidence, arg))
            stream_cut(s);
    }
}

static void stream_grace_over(void *ctx)
{
    stream_cut(ctx);
}

void net_streams_end(struct loop *l, const struct uuid *attachment, unsigned ms)
{
    for (struct net_stream *s = net_local_of(l)->placed; s; s = s->next) {
        if (s->grace || !uuid_eq(&s->evidence.attachment, attachment))
            continue;
        s->grace = loop_timer_new(l, stream_grace_over, s);
        loop_timer_start(s->grace, ms);
    }
}

void net_streams_refuse(struct loop *l)
{
    struct net_local *local = net_local_of(l);

    local->refusing = true;
    while (local->openings)
        stream_die(local->openings->stream);
}
