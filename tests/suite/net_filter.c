/* Every chain of filters behaves as the same stream of bytes. */
#include "net_wire.h"
#include "test.h"

#include "base/metric.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The server's side of one connection, and what happened to it. */
struct peer {
    struct wire wire;
    bool tls, proxied;
    struct net_stream *stream;
    void (*begin)(struct peer *p);
    void (*ready)(void *ctx, unsigned events);
    char held[100 * 1024]; /* to be echoed */
    size_t n_held, max_held, read, sent, total, step;
    atomic_size_t full; /* how often nothing more fitted */
    bool ended, failed;
    ssize_t client_got;
    char client_bytes[4096];
};

static void peer_accepted(void *ctx, struct net_stream *s)
{
    struct peer *p = ctx;

    p->stream = s;
    net_stream_handler(s, p->ready, p);
    if (p->begin)
        p->begin(p);
    else
        net_stream_want(s, LOOP_READ);
}

static struct peer *peer_new(void **state, void (*ready)(void *ctx, unsigned events))
{
    struct peer *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->tls = strstr(*state, "tls") != NULL;
    p->proxied = strstr(*state, "proxy") != NULL;
    p->ready = ready;
    wire_open(&p->wire, p->tls, peer_accepted, p, p->proxied ? wire_proxied : NULL);
    return p;
}

static void peer_connect(const struct peer *p, struct wire_client *c)
{
    wire_connect_after(c, p->wire.port, p->proxied ? wire_proxy_header : STR_NONE, p->tls);
}

static void peer_free(struct peer *p)
{
    net_stream_close(p->stream);
    wire_close(&p->wire);
    free(p);
}

static void peer_end(struct peer *p, enum net_io io)
{
    p->ended = io == NET_IO_END;
    p->failed = io == NET_IO_ERROR;
    net_stream_want(p->stream, 0);
}

/* --- echo --- */

static void echo_read(struct peer *p)
{
    while (p->n_held < sizeof(p->held) && !p->ended && !p->failed) {
        size_t cap = sizeof(p->held) - p->n_held, n = 0;

        cap = p->step > 0 && p->step < cap ? p->step : cap;
        enum net_io io = net_stream_read(p->stream, p->held + p->n_held, cap, &n);

        if (io == NET_IO_AGAIN)
            return;
        if (io != NET_IO_OK) {
            peer_end(p, io);
            return;
        }
        p->n_held += n;
        p->read += n;
        if (p->step > 0)
            return;
    }
}

static void echo_write(struct peer *p)
{
    while (p->n_held > 0 && !p->failed) {
        size_t half = p->n_held / 2, n = 0;
        struct iovec iov[] = {{p->held, half}, {NULL, 0}, {p->held + half, p->n_held - half}};
        enum net_io io = net_stream_write(p->stream, iov, 3, &n);

        if (io == NET_IO_AGAIN)
            p->full++;
        if (io == NET_IO_ERROR)
            peer_end(p, io);
        if (io != NET_IO_OK)
            return;
        p->sent += n;
        p->n_held -= n;
        memmove(p->held, p->held + n, p->n_held);
    }
}

static void echo_ready(void *ctx, unsigned events)
{
    struct peer *p = ctx;

    (void)events;
    echo_read(p);
    echo_write(p);
    if (p->failed)
        return;
    net_stream_want(p->stream, (p->n_held < sizeof(p->held) && !p->ended ? LOOP_READ : 0u) |
                                   (p->n_held > 0 ? LOOP_WRITE : 0u));
    if (p->ended && p->n_held == 0)
        net_stream_finish(p->stream);
}

static void client_says_hello(void *arg)
{
    struct peer *p = arg;
    struct wire_client c;

    peer_connect(p, &c);
    wire_send(&c, "hello", 5);
    p->client_got = wire_receive(&c, p->client_bytes, 5);
    wire_disconnect(&c);
}

static void what_is_sent_arrives_and_is_answered(void **state)
{
    struct peer *p = peer_new(state, echo_ready);

    wire_run(&p->wire, client_says_hello, p);
    assert_int_equal(p->client_got, 5);
    assert_memory_equal(p->client_bytes, "hello", 5);
    assert_int_equal(net_stream_evidence(p->stream)->tls, p->tls);
    peer_free(p);
}

struct bulk {
    struct peer *peer;
    struct wire_client client;
    size_t total;
};

static uint8_t bulk_byte(size_t i)
{
    return (uint8_t)(i * 31 + i / 251);
}

static void *bulk_send(void *arg)
{
    struct bulk *b = arg;
    uint8_t bytes[10007];

    for (size_t at = 0; at < b->total;) {
        size_t n = sizeof(bytes) < b->total - at ? sizeof(bytes) : b->total - at;

        for (size_t i = 0; i < n; i++)
            bytes[i] = bulk_byte(at + i);
        /* Plain: the other direction is read by another thread. TLS: SSL objects are one thread's.
         */
        wire_send(&b->client, bytes, n);
        at += n;
    }
    return NULL;
}

static void bulk_receive(struct bulk *b, size_t at, size_t total)
{
    uint8_t bytes[4099];

    while (at < total) {
        size_t n = sizeof(bytes) < total - at ? sizeof(bytes) : total - at;

        assert_int_equal(wire_receive(&b->client, bytes, n), n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], bulk_byte(at + i));
        at += n;
    }
}

static void client_sends_pieces_and_reads_them_back(void *arg)
{
    struct peer *p = arg;
    struct bulk b = {.peer = p, .total = p->total};

    peer_connect(p, &b.client);
    bulk_send(&b);
    bulk_receive(&b, 0, b.total);
    wire_finish(&b.client);
    p->client_got = wire_receive(&b.client, p->client_bytes, 1); /* 0: a clean end */
    wire_disconnect(&b.client);
}

static void many_bytes_come_back_in_order_and_both_sides_end_cleanly(void **state)
{
    struct peer *p = peer_new(state, echo_ready);

    p->total = 300000; /* more than one turn takes; less than the buffers between the two hold */
    wire_run(&p->wire, client_sends_pieces_and_reads_them_back, p);
    assert_int_equal(p->read, p->total);
    assert_int_equal(p->sent, p->total);
    assert_true(p->ended && !p->failed);
    assert_int_equal(p->client_got, 0);
    peer_free(p);
}

static void bytes_that_wait_above_the_socket_are_announced_again(void **state)
{
    struct peer *p = peer_new(state, echo_ready);

    p->total = 20000;
    p->step = 7; /* in one event; the rest has long left the socket */
    wire_run(&p->wire, client_sends_pieces_and_reads_them_back, p);
    assert_int_equal(p->read, p->total);
    peer_free(p);
}

/* --- a server that only sends --- */

static void flood_ready(void *ctx, unsigned events)
{
    struct peer *p = ctx;
    uint8_t bytes[40000];

    (void)events;
    while (p->sent < p->total) {
        size_t n = sizeof(bytes) < p->total - p->sent ? sizeof(bytes) : p->total - p->sent;

        for (size_t i = 0; i < n; i++)
            bytes[i] = bulk_byte(p->sent + i);
        struct iovec iov = {bytes, n};
        enum net_io io = net_stream_write(p->stream, &iov, 1, &n);

        if (io == NET_IO_AGAIN) {
            p->full++;
            return;
        }
        if (io != NET_IO_OK) {
            peer_end(p, io);
            return;
        }
        p->sent += n;
    }
    net_stream_want(p->stream, 0);
    net_stream_finish(p->stream);
}

static void flood_begin(struct peer *p)
{
    net_stream_want(p->stream, LOOP_WRITE);
}

static void client_reads_a_flood(void *arg)
{
    struct peer *p = arg;
    struct bulk b = {.peer = p};

    peer_connect(p, &b.client);
    bulk_receive(&b, 0, p->total);
    p->client_got = wire_receive(&b.client, p->client_bytes, 1);
    wire_disconnect(&b.client);
}

static void a_writer_waits_for_its_reader_and_goes_on(void **state)
{
    struct peer *p = peer_new(state, flood_ready);

    p->begin = flood_begin;
    p->total = 20 << 20;
    wire_run(&p->wire, client_reads_a_flood, p);
    assert_int_equal(p->sent, p->total);
    assert_true(p->full > 0);
    assert_int_equal(p->client_got, 0);
    peer_free(p);
}

static void client_reads_nothing_until_told(void *arg)
{
    struct peer *p = arg;
    struct wire_client c;
    char bytes[65536];

    peer_connect(p, &c);
    while (atomic_load(&p->full) == 0)
        usleep(1000);
    p->client_got = 0;
    for (;;) {
        ssize_t got = wire_receive(&c, bytes, sizeof(bytes));

        if (got != (ssize_t)sizeof(bytes)) {
            p->failed = got < 0;
            break;
        }
        p->client_got += got;
    }
    wire_disconnect(&c);
}

static void reset_when_full(void *ctx, unsigned events)
{
    struct peer *p = ctx;

    flood_ready(ctx, events);
    if (p->full == 0)
        return;
    net_stream_reset(p->stream); /* in its own callback */
    p->stream = NULL;
}

static void a_reset_drops_what_was_collected(void **state)
{
    struct peer *p = peer_new(state, reset_when_full);

    p->begin = flood_begin;
    p->total = 64 << 20;
    wire_run(&p->wire, client_reads_nothing_until_told, p);
    assert_true(p->failed);
    assert_true(p->client_got < (ssize_t)p->sent);
    peer_free(p);
}

/* --- ends --- */

static void client_hangs_up(void *arg)
{
    struct peer *p = arg;
    struct wire_client c;
    struct linger hard = {.l_onoff = 1};

    peer_connect(p, &c);
    wire_send(&c, "x", 1);
    assert_int_equal(wire_receive(&c, p->client_bytes, 1), 1);
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    wire_disconnect(&c);
}

static void hung_up_ready(void *ctx, unsigned events)
{
    struct peer *p = ctx;

    echo_ready(ctx, events);
    if (p->failed || p->ended)
        loop_stop(p->wire.loop);
}

static void *hang_up_thread(void *arg)
{
    client_hangs_up(arg);
    return NULL;
}

static void a_client_that_resets_is_an_error(void **state)
{
    struct peer *p = peer_new(state, hung_up_ready);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, hang_up_thread, p), 0);
    loop_run(p->wire.loop);
    pthread_join(thread, NULL);
    assert_true(p->failed);
    peer_free(p);
}

/* --- attachments --- */

static const struct uuid attachment = {{1, 2, 3}};

struct cutter {
    struct loop_task task;
    struct peer *peer;
};

static bool of_nobody(const struct evidence *ev, const void *arg)
{
    (void)arg;
    return uuid_eq(&ev->attachment, &(struct uuid){{9}});
}

static bool of_the_attachment(const struct evidence *ev, const void *arg)
{
    return uuid_eq(&ev->attachment, arg);
}

static bool of_the_interface(const struct evidence *ev, const void *arg)
{
    return uuid_is_nil(&ev->attachment) && strcmp(ev->interface, arg) == 0;
}

static void cut_run(struct loop_task *t)
{
    struct cutter *c = CONTAINER_OF(t, struct cutter, task);

    net_streams_cut(c->peer->wire.loop, of_nobody, NULL);
    assert_false(c->peer->failed);
    net_streams_cut(c->peer->wire.loop, of_the_attachment, &attachment);
}

static void cut_interface_run(struct loop_task *t)
{
    struct cutter *c = CONTAINER_OF(t, struct cutter, task);

    net_streams_cut(c->peer->wire.loop, of_the_interface, "lo1");
    assert_false(c->peer->failed);
    net_streams_cut(c->peer->wire.loop, of_the_interface, "lo");
}

static void end_run(struct loop_task *t)
{
    struct cutter *c = CONTAINER_OF(t, struct cutter, task);

    net_streams_end(c->peer->wire.loop, &attachment, 20);
    assert_false(c->peer->failed); /* not at once */
}

static void client_is_cut_by(struct peer *p, void (*run)(struct loop_task *t))
{
    struct cutter cut = {.task.run = run, .peer = p};
    struct wire_client c;

    peer_connect(p, &c);
    wire_send(&c, "x", 1);
    assert_int_equal(wire_receive(&c, p->client_bytes, 1), 1);
    loop_post(p->wire.loop, &cut.task);
    p->client_got = wire_receive(&c, p->client_bytes, 1);
    wire_disconnect(&c);
}

static void client_is_cut(void *arg)
{
    client_is_cut_by(arg, cut_run);
}

static void client_is_cut_later(void *arg)
{
    client_is_cut_by(arg, end_run);
}

static void client_is_cut_with_its_interface(void *arg)
{
    client_is_cut_by(arg, cut_interface_run);
}

static void by_attachment(struct wire *w, struct net_listener_config *c)
{
    (void)w;
    c->arrival = NET_NETNS;
    c->attachment = attachment;
}

static void attached_client_is_cut(void **state, void (*client)(void *arg))
{
    struct peer *p = peer_new(state, hung_up_ready);

    wire_close(&p->wire);
    p->proxied = false; /* no attachment's listener speaks that */
    wire_open(&p->wire, p->tls, peer_accepted, p, by_attachment);
    wire_run(&p->wire, client, p);
    while (!p->failed) /* the client may have seen it first */
        loop_run(p->wire.loop);
    assert_int_equal(p->client_got, -1);
    peer_free(p);
}

static void an_attachment_that_went_cuts_its_streams_and_tells_their_owners(void **state)
{
    attached_client_is_cut(state, client_is_cut);
}

static void an_attachment_that_is_no_more_leaves_its_streams_a_little_time(void **state)
{
    attached_client_is_cut(state, client_is_cut_later);
}

static void an_interface_that_went_cuts_the_streams_that_came_through_it(void **state)
{
    struct peer *p = peer_new(state, hung_up_ready);

    wire_run(&p->wire, client_is_cut_with_its_interface, p);
    while (!p->failed)
        loop_run(p->wire.loop);
    assert_int_equal(p->client_got, -1);
    peer_free(p);
}

int main(void)
{
    static char tcp[] = "tcp", tls[] = "tls", proxy[] = "proxy", proxy_tls[] = "proxy and tls";
#define IN(name, chain)                                                                            \
    {                                                                                              \
#name " (" #chain ")", name, NULL, NULL, chain                                             \
    }
#define T(name) IN(name, tcp), IN(name, tls), IN(name, proxy), IN(name, proxy_tls)
    const struct CMUnitTest tests[] = {
        T(what_is_sent_arrives_and_is_answered),
        T(many_bytes_come_back_in_order_and_both_sides_end_cleanly),
        T(bytes_that_wait_above_the_socket_are_announced_again),
        T(a_writer_waits_for_its_reader_and_goes_on),
        T(a_reset_drops_what_was_collected),
        T(a_client_that_resets_is_an_error),
        T(an_attachment_that_went_cuts_its_streams_and_tells_their_owners),
        T(an_attachment_that_is_no_more_leaves_its_streams_a_little_time),
        T(an_interface_that_went_cuts_the_streams_that_came_through_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
