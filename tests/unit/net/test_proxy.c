/* A listener that speaks PROXY protocol: whom it hears, what it believes, when it closes. */
#include "net_wire.h"
#include "test.h"

#include "base/metric.h"
#include "net/filter.h"
#include "sys/sock.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOCAL_HEADER "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

struct gate {
    struct wire wire;
    struct net_stream *stream;
    struct str first; /* what the client sends */
    bool pieces, silent, bad;
    ssize_t got;
    char held[64];
    size_t n_held, want;
};

static void gate_reads(void *ctx, unsigned events)
{
    struct gate *g = ctx;
    size_t n = 0;
    enum net_io io;

    (void)events;
    while ((io = net_stream_read(g->stream, g->held + g->n_held, sizeof(g->held) - g->n_held,
                                 &n)) == NET_IO_OK)
        g->n_held += n;
    g->bad = io == NET_IO_ERROR;
    if (io == NET_IO_AGAIN && g->n_held < g->want)
        return;
    net_stream_close(g->stream);
    g->stream = NULL;
}

static void gate_accepts(void *ctx, struct net_stream *s)
{
    struct gate *g = ctx;

    g->stream = s;
    net_stream_handler(s, gate_reads, g);
    net_stream_want(s, LOOP_READ);
}

/* Sends, and reads until the server closes. */
static void client_sends(void *arg)
{
    struct gate *g = arg;
    struct wire_client c;
    char bytes[64];

    wire_connect(&c, g->wire.port, false);
    if (g->pieces) {
        int on = 1;

        setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        for (size_t i = 0; i < g->first.len; i++) {
            if (send(c.fd, g->first.ptr + i, 1, MSG_NOSIGNAL) != 1)
                break;   /* it was closed before the end */
            usleep(500); /* so that most arrive alone; nothing depends on it */
        }
    } else if (g->first.len > 0) {
        wire_send(&c, g->first.ptr, g->first.len);
    }
    g->got = wire_receive(&c, bytes, sizeof(bytes));
    wire_disconnect(&c);
}

static void run(struct gate *g, struct str first)
{
    g->first = first;
    wire_run(&g->wire, client_sends, g);
}

static struct gate *gate_new(size_t want)
{
    struct gate *g = calloc(1, sizeof(*g));

    assert_non_null(g);
    wire_open(&g->wire, false, gate_accepts, g, wire_proxied);
    g->want = want;
    return g;
}

static void gate_free(struct gate *g)
{
    net_stream_close(g->stream);
    wire_close(&g->wire);
    free(g);
}

static struct evidence seen;

static void gate_notes(void *ctx, struct net_stream *s)
{
    seen = *net_stream_evidence(s);
    net_stream_close(s);
    (void)ctx;
}

static struct gate *gate_noting(void)
{
    struct gate *g = calloc(1, sizeof(*g));

    assert_non_null(g);
    seen = (struct evidence){0};
    wire_open(&g->wire, false, gate_notes, g, wire_proxied);
    return g;
}

static void address_is(const struct ip_addr *a, const char *text)
{
    char out[IP_TEXT_MAX];

    assert_str(ip_format(a, out), text);
}

static void the_header_becomes_evidence_and_the_proxy_stays_known(void **state)
{
    struct gate *g = gate_noting();

    (void)state;
    run(g, wire_proxy_header);
    assert_int_equal(seen.arrival, NET_PROXY);
    address_is(&seen.peer, "192.0.2.7");
    address_is(&seen.local, "192.0.2.1");
    address_is(&seen.via, "127.0.0.1");
    assert_int_equal(seen.peer_port, 4711);
    assert_int_equal(seen.local_port, 443);
    assert_true(seen.via_port > 0);
    assert_int_equal(seen.n_tlvs, 1);
    assert_int_equal(seen.tlvs[0].type, TLV_AWS);
    assert_string_equal(seen.tlvs[0].text, "vpce-07");
    gate_free(g);
}

static void local_is_the_proxy_with_its_own_address(void **state)
{
    struct gate *g = gate_noting();

    (void)state;
    run(g, STR(LOCAL_HEADER));
    assert_int_equal(seen.arrival, NET_PROXY);
    address_is(&seen.peer, "127.0.0.1");
    assert_int_equal(seen.via.family, 0);
    assert_int_equal(seen.n_tlvs, 0);
    gate_free(g);
}

static void what_follows_the_header_arrives_whole(void **state)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\n", "\r\n\r\nGET /", "\r\n\r\n\0\r\nQUI"};
    static const size_t lengths[] = {16, 9, 11};

    (void)state;
    for (int pieces = 0; pieces < 2; pieces++)
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            CLEANUP(buf_done) struct buf all = BUF_INIT(256);
            struct gate *g = gate_new(lengths[i] + 1);

            g->pieces = pieces == 1;
            buf_add(&all, wire_proxy_header);
            buf_add(&all, (struct str){texts[i], lengths[i]});
            buf_addc(&all, '!'); /* so that the last one is no beginning of a signature */
            run(g, buf_str(&all));
            assert_false(g->bad);
            assert_int_equal(g->n_held, lengths[i] + 1);
            assert_memory_equal(g->held, texts[i], lengths[i]);
            gate_free(g);
        }
}

static void a_second_header_closes_the_connection(void **state)
{
    CLEANUP(buf_done) struct buf twice = BUF_INIT(256);
    int64_t errors = metric_value(METRIC_PROXY_ERRORS);

    (void)state;
    buf_add(&twice, wire_proxy_header);
    buf_add(&twice, wire_proxy_header);
    for (int pieces = 0; pieces < 2; pieces++) {
        struct gate *g = gate_new(1);

        g->pieces = pieces == 1;
        run(g, buf_str(&twice));
        assert_true(g->bad);
        assert_int_equal(g->n_held, 0); /* not a byte of it went up */
        assert_true(g->got <= 0);
        gate_free(g);
    }
    assert_int_equal(metric_value(METRIC_PROXY_ERRORS), errors + 2);
}

static void anything_but_a_header_is_closed_without_an_answer(void **state)
{
    static const struct str first[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n", 41},
        {"\x16\x03\x01", 3},
        {"\r\n\r\n\0\r\nQUIT\n\x22", 13},
        {"\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\0", 16},
    };
    int64_t errors = metric_value(METRIC_PROXY_ERRORS);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        struct gate *g = gate_new(1);

        run(g, first[i]);
        assert_true(g->got <= 0);
        assert_null(g->stream);
        gate_free(g);
    }
    assert_int_equal(metric_value(METRIC_PROXY_ERRORS), errors + (int64_t)ARRAY_LEN(first));
}

static void nobody(struct wire *w, struct net_listener_config *c)
{
    static const struct cidr elsewhere = {{4, {192, 0, 2, 0}}, 24};

    wire_proxied(w, c);
    c->trusted = &elsewhere;
}

static void a_peer_that_is_not_trusted_is_closed_whatever_it_sends(void **state)
{
    struct gate *g = gate_noting();
    int64_t refused = metric_value(METRIC_PROXY_PEERS_REFUSED);

    (void)state;
    wire_close(&g->wire);
    wire_open(&g->wire, false, gate_notes, g, nobody);
    run(g, STR(""));
    assert_true(g->got <= 0);
    assert_int_equal(seen.peer.family, 0);
    assert_int_equal(metric_value(METRIC_PROXY_PEERS_REFUSED), refused + 1);
    gate_free(g);
}

static void opening_over(void *ctx)
{
    struct gate *g = ctx;

    loop_stop(g->wire.loop);
}

/* Half of a header keeps nobody waiting for longer than a handshake may take, and TLS has not
 * begun. */
static void a_header_that_does_not_come_in_time_closes_the_connection(void **state)
{
    int64_t errors = metric_value(METRIC_PROXY_ERRORS),
            handshakes = metric_value(METRIC_TLS_HANDSHAKE_FAILURES);
    struct evidence ev = {.arrival = NET_PROXY, .tls = true};
    struct gate *g = gate_noting();
    char byte;

    (void)state;
    wire_close(&g->wire);
    wire_open(&g->wire, true, gate_notes, g, wire_proxied);
    for (size_t sent = 0; sent < wire_proxy_header.len; sent += 9) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        assert_int_equal(write(pair[1], wire_proxy_header.ptr, sent), sent);
        net_stream_open(g->wire.loop, pair[0], &ev,
                        &(struct net_opening){.tls = g->wire.tls,
                                              .accepted = gate_notes,
                                              .ctx = g,
                                              .over = opening_over,
                                              .over_ctx = g,
                                              .timeout_ms = 20});
        loop_run(g->wire.loop);
        assert_int_equal(read(pair[1], &byte, 1), 0);
        close(pair[1]);
        errors++;
    }
    assert_int_equal(metric_value(METRIC_PROXY_ERRORS), errors);
    assert_int_equal(metric_value(METRIC_TLS_HANDSHAKE_FAILURES), handshakes);
    assert_int_equal(seen.peer.family, 0);
    gate_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_becomes_evidence_and_the_proxy_stays_known),
        cmocka_unit_test(local_is_the_proxy_with_its_own_address),
        cmocka_unit_test(what_follows_the_header_arrives_whole),
        cmocka_unit_test(a_second_header_closes_the_connection),
        cmocka_unit_test(anything_but_a_header_is_closed_without_an_answer),
        cmocka_unit_test(a_header_that_does_not_come_in_time_closes_the_connection),
        cmocka_unit_test(a_peer_that_is_not_trusted_is_closed_whatever_it_sends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
