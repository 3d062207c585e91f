#include "net_wire.h"
#include "test.h"

#include "base/metric.h"
#include "net/filter.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct gate {
    struct wire wire;
    struct net_stream *streams[8];
    unsigned n;
    char alpn[16], name[32];
    bool connected;
    int max_version;
    const unsigned char *offer; /* ALPN, as on the wire */
    unsigned offer_len;
};

static void on_accept(void *ctx, struct net_stream *s)
{
    struct gate *g = ctx;

    assert_int_equal(str_copy(net_stream_alpn(s), g->alpn, sizeof(g->alpn)), RC_OK);
    g->streams[g->n++] = s;
    net_stream_want(s, LOOP_READ);
}

static int set_up(void **state)
{
    struct gate *g = calloc(1, sizeof(*g));

    assert_non_null(g);
    wire_open(&g->wire, true, on_accept, g, NULL);
    *state = g;
    return 0;
}

static int tear_down(void **state)
{
    struct gate *g = *state;

    for (unsigned i = 0; i < g->n; i++)
        net_stream_close(g->streams[i]);
    wire_close(&g->wire);
    free(g);
    return 0;
}

static void subject_name(SSL *ssl, char *out, int cap)
{
    X509 *x = SSL_get1_peer_certificate(ssl);

    assert_non_null(x);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out, cap);
    X509_free(x);
}

/* One handshake, as the test wants it; then the client goes. */
static void client_shakes_hands(void *arg)
{
    struct gate *g = arg;
    struct wire_client c;

    wire_connect(&c, g->wire.port, false);
    c.ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(c.ctx, 0);
    SSL_CTX_set_min_proto_version(c.ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(c.ctx, g->max_version);
    c.ssl = SSL_new(c.ctx);
    SSL_set_fd(c.ssl, c.fd);
    SSL_set_alpn_protos(c.ssl, g->offer, g->offer_len);
    g->connected = SSL_connect(c.ssl) == 1;
    if (g->connected) {
        subject_name(c.ssl, g->name, sizeof(g->name));
        wire_finish(&c);
    }
    wire_disconnect(&c);
}

static void the_servers_order_chooses_the_protocol(void **state)
{
    struct gate *g = *state;

    g->offer = (const unsigned char *)"\x08http/1.1\x02h2";
    g->offer_len = 12;
    wire_run(&g->wire, client_shakes_hands, g);
    assert_true(g->connected);
    assert_string_equal(g->alpn, "h2");
}

static void a_client_without_a_common_protocol_is_refused(void **state)
{
    struct gate *g = *state;

    g->offer = (const unsigned char *)"\x03irc";
    g->offer_len = 4;
    wire_run(&g->wire, client_shakes_hands, g);
    assert_false(g->connected);
    assert_int_equal(g->n, 0);
}

static void a_client_that_names_no_protocol_is_welcome(void **state)
{
    struct gate *g = *state;

    wire_run(&g->wire, client_shakes_hands, g);
    assert_true(g->connected);
    assert_string_equal(g->alpn, "");
}

static void versions_before_1_2_are_refused(void **state)
{
    struct gate *g = *state;
    int64_t failures = metric_value(METRIC_TLS_HANDSHAKE_FAILURES);

    g->max_version = TLS1_1_VERSION;
    wire_run(&g->wire, client_shakes_hands, g);
    assert_false(g->connected);
    assert_int_equal(metric_value(METRIC_TLS_HANDSHAKE_FAILURES), failures + 1);
    g->max_version = TLS1_2_VERSION;
    wire_run(&g->wire, client_shakes_hands, g);
    assert_true(g->connected);
}

static void a_reloaded_certificate_serves_the_handshakes_after_it(void **state)
{
    struct gate *g = *state;
    CLEANUP(buf_done) struct buf cert = BUF_INIT(1 << 16), key = BUF_INIT(1 << 16);

    wire_certificate("second", &cert, &key);
    wire_run(&g->wire, client_shakes_hands, g);
    assert_string_equal(g->name, "first");
    assert_int_equal(net_tls_reload(g->wire.tls, buf_str(&cert), buf_str(&key), NULL), RC_OK);
    wire_run(&g->wire, client_shakes_hands, g);
    assert_string_equal(g->name, "second");
}

static void a_certificate_that_cannot_serve_is_refused_and_the_old_one_stays(void **state)
{
    struct gate *g = *state;
    CLEANUP(buf_done) struct buf cert = BUF_INIT(1 << 16), key = BUF_INIT(1 << 16);
    CLEANUP(buf_done) struct buf other = BUF_INIT(1 << 16), other_key = BUF_INIT(1 << 16);
    struct err e;

    wire_certificate("second", &cert, &key);
    wire_certificate("third", &other, &other_key);
    assert_int_equal(net_tls_reload(g->wire.tls, buf_str(&cert), buf_str(&other_key), &e),
                     RC_INVALID);
    assert_non_null(strstr(e.text, "key"));
    assert_int_equal(net_tls_reload(g->wire.tls, STR("nonsense"), buf_str(&key), &e), RC_INVALID);
    assert_int_equal(net_tls_reload(g->wire.tls, buf_str(&cert), STR_NONE, &e), RC_INVALID);
    assert_int_equal(
        net_tls_reload(g->wire.tls, str_take(buf_str(&cert), cert.len - 40), buf_str(&key), &e),
        RC_INVALID);
    wire_run(&g->wire, client_shakes_hands, g);
    assert_string_equal(g->name, "first");
}

static void client_talks_in_the_clear(void *arg)
{
    struct gate *g = arg;
    struct wire_client c;
    char bytes[64];

    wire_connect(&c, g->wire.port, false);
    wire_send(&c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
    while (recv(c.fd, bytes, sizeof(bytes), 0) > 0) /* an alert, then the end */
        ;
    wire_disconnect(&c);
}

static void plain_text_is_refused(void **state)
{
    struct gate *g = *state;

    wire_run(&g->wire, client_talks_in_the_clear, g);
    assert_int_equal(g->n, 0);
}

static void opening_over(void *ctx)
{
    struct gate *g = ctx;

    g->connected = true;
    loop_stop(g->wire.loop);
}

/* A client that has connected and says nothing; its end. */
static int silent_client(struct gate *g, unsigned timeout_ms)
{
    struct evidence ev = {0};
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    net_stream_open(g->wire.loop, pair[0], &ev,
                    &(struct net_opening){.tls = g->wire.tls,
                                          .accepted = on_accept,
                                          .ctx = g,
                                          .over = opening_over,
                                          .over_ctx = g,
                                          .timeout_ms = timeout_ms});
    return pair[1];
}

static void assert_closed(int fd)
{
    char byte;

    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);
}

static void a_handshake_that_does_not_come_ends(void **state)
{
    struct gate *g = *state;
    int client = silent_client(g, 10);

    loop_run(g->wire.loop);
    assert_true(g->connected);
    assert_int_equal(g->n, 0);
    assert_closed(client);
}

/* The loop could not be freed with it. */
static void
a_loop_that_refuses_streams_closes_those_that_are_opening_and_those_that_come(void **state)
{
    struct gate *g = *state;
    int first = silent_client(g, 60 * 1000), second = silent_client(g, 60 * 1000);

    net_streams_refuse(g->wire.loop);
    assert_true(g->connected); /* told that they are over */
    assert_closed(first);
    assert_closed(second);
    g->connected = false;
    int late = silent_client(g, 60 * 1000);

    assert_true(g->connected);
    assert_closed(late);
    assert_int_equal(g->n, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_servers_order_chooses_the_protocol),
        T(a_client_without_a_common_protocol_is_refused),
        T(a_client_that_names_no_protocol_is_welcome),
        T(versions_before_1_2_are_refused),
        T(a_reloaded_certificate_serves_the_handshakes_after_it),
        T(a_certificate_that_cannot_serve_is_refused_and_the_old_one_stays),
        T(plain_text_is_refused),
        T(a_handshake_that_does_not_come_ends),
        T(a_loop_that_refuses_streams_closes_those_that_are_opening_and_those_that_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
