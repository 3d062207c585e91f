#include "net_wire.h"
#include "test.h"

#include "base/metric.h"
#include "sys/sock.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STREAMS_MAX = 256 };

struct house {
    struct wire wire;
    struct loop *other;
    struct net_stream *streams[STREAMS_MAX];
    unsigned n, stop_at, told;
    atomic_uint here, there;
    uint16_t client_port;
    ssize_t got;
};

static void house_greets(void *ctx, struct net_stream *s)
{
    struct house *h = ctx;

    h->streams[h->n++] = s;
    net_stream_want(s, LOOP_READ);
    if (h->n == h->stop_at)
        loop_stop(h->wire.loop);
}

static void house_open(struct house *h, bool tls,
                       void (*change)(struct wire *w, struct net_listener_config *c))
{
    *h = (struct house){0};
    wire_open(&h->wire, tls, house_greets, h, change);
}

/* Another listener in the place of the first. */
static void house_listen(struct house *h, unsigned flags, const struct net_listener_config *c)
{
    struct sock_listen at = {.addr = {4, {127, 0, 0, 1}}, .flags = flags};
    struct ip_addr local;
    int fd = -1;

    net_listener_free(h->wire.listener);
    assert_int_equal(sock_listen(&at, &fd, NULL), RC_OK);
    assert_int_equal(sock_local(fd, &local, &h->wire.port, NULL), RC_OK);
    assert_int_equal(net_listener_new(h->wire.loop, fd, c, &h->wire.listener, NULL), RC_OK);
}

static void house_close(struct house *h)
{
    for (unsigned i = 0; i < h->n; i++)
        net_stream_close(h->streams[i]);
    wire_close(&h->wire);
}

static void client_comes_and_goes(void *arg)
{
    struct house *h = arg;
    struct wire_client c;
    struct sockaddr_in own;
    socklen_t len = sizeof(own);
    char byte;

    wire_connect(&c, h->wire.port, false);
    getsockname(c.fd, (struct sockaddr *)&own, &len);
    h->client_port = ntohs(own.sin_port);
    wire_finish(&c);
    h->got = h->wire.listener ? recv(c.fd, &byte, 1, MSG_DONTWAIT) : 0;
    wire_disconnect(&c);
}

static void as_attachment(struct wire *w, struct net_listener_config *c)
{
    (void)w;
    c->class = NET_CONTROL;
    c->arrival = NET_DEVICE;
    c->attachment = (struct uuid){{7}};
    memcpy(c->place, "br7", 4);
}

static void evidence_is_what_the_listener_and_the_socket_say(void **state)
{
    struct house h;

    (void)state;
    house_open(&h, false, as_attachment);
    h.stop_at = 1;
    wire_run(&h.wire, client_comes_and_goes, &h);
    while (h.n == 0)
        loop_run(h.wire.loop);
    const struct evidence *ev = net_stream_evidence(h.streams[0]);
    struct ip_addr loopback = {4, {127, 0, 0, 1}};

    assert_int_equal(ev->class, NET_CONTROL);
    assert_int_equal(ev->arrival, NET_DEVICE);
    assert_int_equal(ev->attachment.bytes[0], 7);
    assert_string_equal(ev->place, "br7");
    assert_true(ip_eq(&ev->peer, &loopback) && ip_eq(&ev->local, &loopback));
    assert_int_equal(ev->peer_port, h.client_port);
    assert_int_equal(ev->local_port, h.wire.port);
    assert_int_equal(ev->mark, 0);
    assert_false(ev->tls);
    house_close(&h);
}

static void the_interface_of_arrival_is_known(void **state)
{
    struct house h;
    struct net_listener_config c = {.n_loops = 1, .accepted = house_greets, .ctx = &h};
    unsigned lo = 0;

    (void)state;
    house_open(&h, false, NULL);
    assert_int_equal(ifindex_of("lo", &lo, NULL), RC_OK);
    c.loops = &h.wire.loop;
    house_listen(&h, SOCK_PKTINFO, &c);
    h.stop_at = 1;
    wire_run(&h.wire, client_comes_and_goes, &h);
    while (h.n == 0)
        loop_run(h.wire.loop);
    assert_int_equal(net_stream_evidence(h.streams[0])->ifindex, lo);
    house_close(&h);
}

static void at_most_two(struct wire *w, struct net_listener_config *c)
{
    (void)w;
    c->max_connections = 2;
}

static void three_clients(void *arg)
{
    struct house *h = arg;
    struct wire_client c[3];
    char byte;

    for (int i = 0; i < 3; i++)
        wire_connect(&c[i], h->wire.port, false);
    h->got = recv(c[2].fd, &byte, 1, 0);
    for (int i = 0; i < 3; i++)
        wire_disconnect(&c[i]);
}

static void connections_over_the_limit_are_closed_and_counted(void **state)
{
    struct house h;
    int64_t refused = metric_value(METRIC_CONNECTIONS_REFUSED);

    (void)state;
    assert_int_equal(metric_value(METRIC_CONNECTIONS_OPEN), 0);
    house_open(&h, false, at_most_two);
    wire_run(&h.wire, three_clients, &h);
    assert_int_equal(h.n, 2);
    assert_int_equal(h.got, 0);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_REFUSED), refused + 1);
    house_close(&h);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_OPEN), 0);
}

static void tells_surplus(void *ctx, struct net_stream *s)
{
    struct house *h = ctx;

    h->told++;
    h->streams[h->n++] = s; /* and keeps it */
    net_stream_want(s, LOOP_READ);
}

static void at_most_sixteen(struct wire *w, struct net_listener_config *c)
{
    (void)w;
    c->max_connections = 16; /* of which clients of the data plane get 15 */
    c->surplus = tells_surplus;
}

static void seventeen_clients(void *arg)
{
    struct house *h = arg;
    struct wire_client c[17];
    char byte;

    for (int i = 0; i < 17; i++)
        wire_connect(&c[i], h->wire.port, false);
    h->got = recv(c[16].fd, &byte, 1, 0);
    for (int i = 0; i < 17; i++)
        wire_disconnect(&c[i]);
}

static void a_sixteenth_as_many_are_told_and_counted_apart(void **state)
{
    struct house h;
    int64_t refused = metric_value(METRIC_CONNECTIONS_REFUSED);

    (void)state;
    house_open(&h, false, at_most_sixteen);
    wire_run(&h.wire, seventeen_clients, &h);
    assert_int_equal(h.n, 16);
    assert_int_equal(h.told, 1);
    assert_int_equal(h.got, 0);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_OPEN), 15);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_SURPLUS), 1);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_REFUSED), refused + 2);
    house_close(&h);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_OPEN), 0);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_SURPLUS), 0);
}

/* --- several loops --- */

static void count_by_loop(void *ctx, struct net_stream *s)
{
    struct house *h = ctx;
    struct loop *l = net_stream_loop(s);

    assert_true(loop_is_current(l));
    atomic_fetch_add(l == h->other ? &h->there : &h->here, 1);
    net_stream_close(s); /* inside accepted */
    if (atomic_load(&h->here) + atomic_load(&h->there) == h->stop_at) {
        loop_stop(h->wire.loop);
        loop_stop(h->other);
    }
}

static void *run_other(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void many_clients(void *arg)
{
    struct house *h = arg;
    char byte;

    for (unsigned i = 0; i < h->stop_at; i++) {
        struct wire_client c;

        wire_connect(&c, h->wire.port, false);
        assert_int_equal(recv(c.fd, &byte, 1, 0), 0);
        wire_disconnect(&c);
    }
}

static void connections_go_to_the_loops_in_turn(void **state)
{
    static struct house h;
    struct net_listener_config c = {.n_loops = 2, .accepted = count_by_loop, .ctx = &h};
    pthread_t thread;

    (void)state;
    house_open(&h, false, NULL);
    assert_int_equal(loop_new(1, &h.other, NULL), RC_OK);
    c.loops = (struct loop *[]){h.wire.loop, h.other};
    house_listen(&h, 0, &c);
    h.stop_at = 10;
    assert_int_equal(pthread_create(&thread, NULL, run_other, h.other), 0);
    wire_run(&h.wire, many_clients, &h);
    pthread_join(thread, NULL);
    assert_int_equal(h.here, 5);
    assert_int_equal(h.there, 5);
    loop_free(h.other);
    house_close(&h);
}

/* --- memory --- */

static size_t private_kib(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    unsigned long kib = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "Private_Dirty: %lu kB", &kib) == 1)
            break;
    fclose(f);
    return kib;
}

/* Clients live in a process of their own, so that only the server's memory is counted. */
static pid_t idle_clients(uint16_t port, bool tls, unsigned n)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    struct wire_client *clients = calloc(n, sizeof(*clients));

    for (unsigned i = 0; i < n; i++) {
        wire_connect(&clients[i], port, tls);
        wire_send(&clients[i], "x", 1);
    }
    pause();
    _exit(0);
}

static void read_it_all(void *ctx, unsigned events)
{
    char bytes[4096];
    size_t n;

    (void)events;
    while (net_stream_read(ctx, bytes, sizeof(bytes), &n) == NET_IO_OK)
        ;
}

static void idle_greets(void *ctx, struct net_stream *s)
{
    net_stream_handler(s, read_it_all, s);
    house_greets(ctx, s);
}

static size_t bytes_per_connection(bool tls)
{
    static struct house h;
    enum { WARM = 16, N = 200 };

    house_open(&h, tls, NULL);
    house_listen(&h, 0,
                 &(struct net_listener_config){.tls = h.wire.tls,
                                               .loops = &h.wire.loop,
                                               .n_loops = 1,
                                               .accepted = idle_greets,
                                               .ctx = &h});
    h.stop_at = WARM;
    pid_t warm = idle_clients(h.wire.port, tls, WARM);

    loop_run(h.wire.loop);
    size_t before = private_kib();

    h.stop_at = WARM + N;
    pid_t idle = idle_clients(h.wire.port, tls, N);

    loop_run(h.wire.loop);
    size_t after = private_kib();

    kill(warm, SIGKILL);
    kill(idle, SIGKILL);
    waitpid(warm, NULL, 0);
    waitpid(idle, NULL, 0);
    house_close(&h);
    return after > before ? (after - before) * 1024 / N : 0;
}

__attribute__((unused)) static void an_idle_connection_costs_little_memory(void **state)
{
    (void)state;
    size_t plain = bytes_per_connection(false), tls = bytes_per_connection(true);

    print_message("idle: plain %zu bytes, TLS %zu bytes\n", plain, tls);
    assert_true(plain <= 4 * 1024);
    assert_true(tls <= 32 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_is_what_the_listener_and_the_socket_say),
        cmocka_unit_test(the_interface_of_arrival_is_known),
        cmocka_unit_test(connections_over_the_limit_are_closed_and_counted),
        cmocka_unit_test(a_sixteenth_as_many_are_told_and_counted_apart),
        cmocka_unit_test(connections_go_to_the_loops_in_turn),
#ifndef KIDOBAN_SANITIZED /* whose memory dwarfs ours */
        cmocka_unit_test(an_idle_connection_costs_little_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
