/* Listeners: accept, find out where the connection comes from, hand it to its loop. */
#include "base/log.h"
#include "base/metric.h"
#include "net/filter.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ACCEPTS_EACH_TURN = 64,
    HANDSHAKE_MS = 10 * 1000,
    SURPLUS_HANDSHAKE_MS = 3 * 1000,
    SURPLUS_MAX = 256,
    NOTSENT_BYTES = 128 * 1024, /* so that a reader who is cut off gets little more */
    PAUSE_MS = 100,             /* when the kernel has no memory or descriptor for a connection */
};

/* What connections on their way need; outlives the listener as long as there are any. */
struct net_door {
    atomic_uint refs;
    struct net_listener_config config;
};

struct net_listener {
    struct net_door *door;
    struct loop *home;
    struct loop_poll *poll;
    struct loop_timer *pause;
    int fd;
    int spare; /* given up for a moment to take and close a connection when descriptors run out */
    size_t turn;
    atomic_bool stopped;
    struct loop *loops[]; /* door->config.loops, copied */
};

/* One connection on its way to another loop. */
struct handover {
    struct loop_task task;
    struct net_door *door;
    struct loop *to;
    int fd;
    bool surplus;
    struct evidence evidence;
};

static void door_unref(struct net_door *d)
{
    if (atomic_fetch_sub(&d->refs, 1) == 1)
        free(d);
}

static void door_over(void *door)
{
    door_unref(door);
}

/* --- one connection --- */

static void prepare_socket(int fd)
{
    int on = 1, lowat = NOTSENT_BYTES;

    /* Neither is known to sockets that are not TCP, as tests use; nothing depends on success. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
}

static enum rc gather_evidence(const struct net_listener_config *c, int fd,
                               const struct sockaddr_storage *peer, struct evidence *ret,
                               struct err *e)
{
    struct evidence ev = {.class = c->class, .arrival = c->arrival, .attachment = c->attachment};

    ev.peer = ip_from_sockaddr((const struct sockaddr *)peer, &ev.peer_port);
    memcpy(ev.place, c->place, sizeof(ev.place));
    ev.tls = c->tls != NULL;
    enum rc rc = sock_local(fd, &ev.local, &ev.local_port, e);

    if (rc != RC_OK)
        return rc;
    ev.ifindex = sock_arrival_ifindex(fd);
    sock_interface_name(fd, ev.ifindex, ev.interface);
    ev.mark = sock_mark(fd);
    *ret = ev;
    return RC_OK;
}

static void open_here(struct net_door *d, struct loop *l, int fd, const struct evidence *ev,
                      bool surplus)
{
    const struct net_opening opening = {
        .tls = d->config.tls,
        .accepted = surplus ? d->config.surplus : d->config.accepted,
        .ctx = d->config.ctx,
        .over = door_over,
        .over_ctx = d,
        .timeout_ms = surplus ? SURPLUS_HANDSHAKE_MS : HANDSHAKE_MS,
        .surplus = surplus,
    };

    net_stream_open(l, fd, ev, &opening); /* takes the reference over */
}

static void handover_arrives(struct loop_task *t)
{
    struct handover *h = CONTAINER_OF(t, struct handover, task);

    open_here(h->door, h->to, h->fd, &h->evidence, h->surplus);
    free(h);
}

static void hand_over(struct net_listener *l, int fd, const struct evidence *ev, bool surplus)
{
    struct loop *to = l->loops[l->turn++ % l->door->config.n_loops];

    atomic_fetch_add(&l->door->refs, 1);
    if (to == l->home) {
        open_here(l->door, to, fd, ev, surplus);
        return;
    }
    struct handover *h = malloc(sizeof(*h));

    if (!h)
        abort();
    *h = (struct handover){{handover_arrives, NULL}, l->door, to, fd, surplus, *ev};
    loop_post(to, &h->task);
}

static bool may_connect(const struct net_listener_config *c, const struct sockaddr_storage *peer)
{
    uint16_t port;
    struct ip_addr from = ip_from_sockaddr((const struct sockaddr *)peer, &port);

    for (size_t i = 0; c->arrival == NET_PROXY && i < c->n_trusted; i++)
        if (cidr_contains(&c->trusted[i], &from))
            return true;
    return c->arrival != NET_PROXY;
}

/* Clients of the data plane never take the last ones: the operator who is to shut them out needs a
 * connection for that. */
static unsigned most_open(const struct net_listener_config *c)
{
    return c->class == NET_DATA ? c->max_connections - c->max_connections / 16 : c->max_connections;
}

static bool is_surplus(const struct net_listener_config *c)
{
    unsigned max = most_open(c);

    return max > 0 && metric_value(METRIC_CONNECTIONS_OPEN) >= (int64_t)max;
}

/* A few at a time, so that they take nothing from those that were there before. */
static bool can_be_told(const struct net_listener_config *c)
{
    unsigned most = c->max_connections / 16;

    return c->surplus && metric_value(METRIC_CONNECTIONS_SURPLUS) <
                             (int64_t)(most < SURPLUS_MAX ? most : (unsigned)SURPLUS_MAX);
}

static void take(struct net_listener *l, int fd, const struct sockaddr_storage *peer)
{
    struct evidence ev;
    struct err e = {0};
    bool surplus = is_surplus(&l->door->config);

    if (!may_connect(&l->door->config, peer)) {
        metric_add(METRIC_PROXY_PEERS_REFUSED, 1);
        fd_close(fd);
        return;
    }
    if (surplus)
        metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    if (surplus && !can_be_told(&l->door->config)) {
        fd_close(fd);
        return;
    }
    if (gather_evidence(&l->door->config, fd, peer, &ev, &e) != RC_OK) {
        log_debug("listener.peer_gone", F_TEXT("reason", e.text));
        fd_close(fd);
        return;
    }
    prepare_socket(fd);
    if (!surplus)
        metric_add(METRIC_CONNECTIONS_ACCEPTED, 1);
    hand_over(l, fd, &ev, surplus);
}

/* --- accepting --- */

static int spare_descriptor(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: the connection would stay in the queue and wake us for ever, so it is taken
 * by the spare one's place and closed. Without even that, accepting pauses. */
static void accept_exhausted(struct net_listener *l)
{
    int fd = -1;

    if (l->spare >= 0) {
        fd_close(l->spare);
        fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            metric_add(METRIC_CONNECTIONS_REFUSED, 1);
            fd_close(fd);
        }
        l->spare = spare_descriptor();
    }
    if (fd >= 0 && l->spare >= 0)
        return;
    loop_poll_want(l->poll, 0);
    loop_timer_start(l->pause, PAUSE_MS);
}

static void pause_over(void *ctx)
{
    struct net_listener *l = ctx;

    if (l->spare < 0)
        l->spare = spare_descriptor();
    loop_poll_want(l->poll, LOOP_READ);
}

static bool accept_one(struct net_listener *l)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof(peer);
    int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        take(l, fd, &peer);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
        log_warn("listener.exhausted", F_I64("errno", errno));
        accept_exhausted(l);
        return false;
    case EBADF:
    case EINVAL:
    case ENOTSOCK: /* not a listener: it would never get better */
        log_error("listener.broken", F_I64("errno", errno));
        loop_poll_want(l->poll, 0);
        return false;
    default: /* the connection's own trouble (ECONNABORTED, EPERM, network errors of accept(2)) */
        return true;
    }
}

static void listener_ready(void *ctx, unsigned events)
{
    struct net_listener *l = ctx;

    (void)events;
    if (atomic_load(&l->stopped)) {
        loop_poll_want(l->poll, 0);
        return;
    }
    for (int i = 0; i < ACCEPTS_EACH_TURN; i++)
        if (!accept_one(l))
            break;
}

/* --- life --- */

static struct net_listener *listener_alloc(struct loop *home, int fd,
                                           const struct net_listener_config *config)
{
    struct net_listener *l = calloc(1, sizeof(*l) + config->n_loops * sizeof(l->loops[0]));
    struct net_door *d = calloc(1, sizeof(*d));

    if (!l || !d)
        abort();
    atomic_init(&d->refs, 1);
    d->config = *config;
    d->config.loops = NULL;
    for (size_t i = 0; i < config->n_loops; i++)
        l->loops[i] = config->loops[i];
    l->door = d;
    l->home = home;
    l->fd = fd;
    l->spare = spare_descriptor();
    return l;
}

enum rc net_listener_new(struct loop *home, int fd, const struct net_listener_config *config,
                         struct net_listener **ret, struct err *e)
{
    struct net_listener *l = listener_alloc(home, fd, config);
    enum rc rc = loop_poll_new(home, fd, listener_ready, l, &l->poll, e);

    if (rc != RC_OK) {
        l->fd = -1; /* still the caller's */
        net_listener_free(l);
        return rc;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* sendfile(2) knows no MSG_NOSIGNAL */
    l->pause = loop_timer_new(home, pause_over, l);
    loop_poll_want(l->poll, LOOP_READ);
    *ret = l;
    return RC_OK;
}

void net_listener_stop(struct net_listener *l)
{
    atomic_store(&l->stopped, true);
}

void net_listener_free(struct net_listener *l)
{
    if (!l)
        return;
    loop_poll_free(l->poll);
    loop_timer_free(l->pause);
    fd_close(l->fd);
    fd_close(l->spare);
    door_unref(l->door);
    free(l);
}
