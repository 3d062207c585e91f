#include "net_wire.h"

#include "sys/sock.h"
#include "test.h"
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const wire_alpn[] = {"h2", "http/1.1", NULL};

static void bio_to_buf(BIO *b, struct buf *out)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(b, &bytes);

    assert_true(n > 0);
    buf_add(out, (struct str){bytes, (size_t)n});
    BIO_free(b);
}

void wire_certificate(const char *name, struct buf *ret_cert, struct buf *ret_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *cert = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem());

    assert_true(key && x && cert && pem);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(cert, x), 1);
    assert_int_equal(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL), 1);
    bio_to_buf(cert, ret_cert);
    bio_to_buf(pem, ret_key);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void wire_tls(struct wire *w)
{
    CLEANUP(buf_done) struct buf cert = BUF_INIT(1 << 16), key = BUF_INIT(1 << 16);

    wire_certificate("first", &cert, &key);
    assert_int_equal(net_tls_new(buf_str(&cert), buf_str(&key), wire_alpn, &w->tls, NULL), RC_OK);
}

void wire_open(struct wire *w, bool tls, void (*accepted)(void *ctx, struct net_stream *s),
               void *ctx, void (*change)(struct wire *w, struct net_listener_config *c))
{
    struct sock_listen at = {.addr = {4, {127, 0, 0, 1}}, .flags = SOCK_PKTINFO};
    struct ip_addr local;
    int fd = -1;

    *w = (struct wire){0};
    assert_int_equal(loop_new(0, &w->loop, NULL), RC_OK);
    if (tls)
        wire_tls(w);
    struct net_listener_config c = {
        .tls = w->tls, .loops = &w->loop, .n_loops = 1, .accepted = accepted, .ctx = ctx};

    if (change)
        change(w, &c);
    assert_int_equal(sock_listen(&at, &fd, NULL), RC_OK);
    assert_int_equal(sock_local(fd, &local, &w->port, NULL), RC_OK);
    assert_int_equal(net_listener_new(w->loop, fd, &c, &w->listener, NULL), RC_OK);
}

void wire_close(struct wire *w)
{
    net_listener_free(w->listener);
    net_tls_free(w->tls);
    loop_free(w->loop);
}

#define PROXY_TEXT                                                                                 \
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x17\xc0\0\x02\x07\xc0\0\x02\x01\x12\x67\x01\xbb"               \
    "\xea\0\x08\x01vpce-07"
const struct str wire_proxy_header = {PROXY_TEXT, sizeof(PROXY_TEXT) - 1};

void wire_proxied(struct wire *w, struct net_listener_config *c)
{
    static const struct cidr loopback = {{4, {127, 0, 0, 0}}, 8};

    (void)w;
    c->arrival = NET_PROXY;
    c->trusted = &loopback;
    c->n_trusted = 1;
}

void wire_connect(struct wire_client *c, uint16_t port, bool tls)
{
    wire_connect_after(c, port, STR_NONE, tls);
}

void wire_connect_after(struct wire_client *c, uint16_t port, struct str first, bool tls)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *c = (struct wire_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
    wire_send(c, first.ptr, first.len);
    if (!tls)
        return;
    c->ctx = SSL_CTX_new(TLS_client_method());
    c->ssl = SSL_new(c->ctx);
    SSL_set_fd(c->ssl, c->fd);
    assert_int_equal(SSL_connect(c->ssl), 1);
}

void wire_send(struct wire_client *c, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n > 0) {
        ssize_t sent = c->ssl ? SSL_write(c->ssl, at, (int)n) : send(c->fd, at, n, MSG_NOSIGNAL);

        assert_true(sent > 0);
        at += sent;
        n -= (size_t)sent;
    }
}

static ssize_t receive_some(struct wire_client *c, char *bytes, size_t n)
{
    if (!c->ssl)
        return recv(c->fd, bytes, n, 0);
    int got = SSL_read(c->ssl, bytes, (int)n);

    if (got > 0)
        return got;
    return SSL_get_error(c->ssl, got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t wire_receive(struct wire_client *c, void *bytes, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = receive_some(c, (char *)bytes + done, n - done);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

void wire_finish(struct wire_client *c)
{
    if (c->ssl)
        SSL_shutdown(c->ssl);
    shutdown(c->fd, SHUT_WR);
}

void wire_disconnect(struct wire_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
    *c = (struct wire_client){.fd = -1};
}

struct runner {
    struct wire *wire;
    void (*client)(void *arg);
    void *arg;
};

static void *runner_thread(void *arg)
{
    struct runner *r = arg;

    r->client(r->arg);
    loop_stop(r->wire->loop);
    return NULL;
}

void wire_run(struct wire *w, void (*client)(void *arg), void *arg)
{
    struct runner r = {w, client, arg};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, runner_thread, &r), 0);
    loop_run(w->loop);
    pthread_join(thread, NULL);
}
