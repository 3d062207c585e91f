/* For tests of streams: a listener on loopback with its loop, and a client of our own on another thread. */
#ifndef SUITE_NET_WIRE_H
#define SUITE_NET_WIRE_H

#include "base/buf.h"
#include "net/net.h"
#include <openssl/ssl.h>
#include <pthread.h>

/* A self-signed certificate for `name`, with its key. */
void wire_certificate(const char *name, struct buf *ret_cert, struct buf *ret_key);

struct wire {
    struct loop *loop;
    struct net_tls *tls; /* NULL: plain */
    struct net_listener *listener;
    uint16_t port;
};
extern const char *const wire_alpn[]; /* h2, http/1.1 */
/* `change` may alter the configuration; NULL: none. */
void wire_open(struct wire *w, bool tls, void (*accepted)(void *ctx, struct net_stream *s), void *ctx,
               void (*change)(struct wire *w, struct net_listener_config *c));
void wire_close(struct wire *w);

/* The client's side, blocking. */
struct wire_client {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
};
void wire_connect(struct wire_client *c, uint16_t port, bool tls);
void wire_connect_after(struct wire_client *c, uint16_t port, struct str first, bool tls); /* `first` comes before TLS */
void wire_send(struct wire_client *c, const void *bytes, size_t n);
/* How many bytes came: fewer than n at a clean end (TLS: close_notify). -1: reset or an unclean end. */
ssize_t wire_receive(struct wire_client *c, void *bytes, size_t n);
void wire_finish(struct wire_client *c); /* says that no more will be sent */
void wire_disconnect(struct wire_client *c);

/* "192.0.2.7:4711 speaks to 192.0.2.1:443", with an AWS endpoint id, in PROXY protocol v2. */
extern const struct str wire_proxy_header;
void wire_proxied(struct wire *w, struct net_listener_config *c); /* for wire_open: loopback is the trusted proxy */

/* Runs the loop while `client` runs on a thread of its own; the loop stops when that is over. */
void wire_run(struct wire *w, void (*client)(void *arg), void *arg);

#endif
