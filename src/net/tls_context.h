/* What TLS connections share; each connection holds on to the one it began with. Private to net/. */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include "net/net.h"
#include <openssl/ssl.h>
#include <stdatomic.h>

enum { TLS_ALPN_MAX = 64 };

struct tls_context {
    atomic_uint refs;
    SSL_CTX *ctx;
    BIO_METHOD *bio; /* made by tls.c */
    unsigned char alpn[TLS_ALPN_MAX]; /* as on the wire: each with its length before it */
    unsigned alpn_len;
};

struct tls_context *tls_context_current(struct net_tls *t); /* one more reference; any thread */
void tls_context_unref(struct tls_context *c);

/* tls.c: how OpenSSL reads and writes bytes. */
NODISCARD BIO_METHOD *tls_bio_method_new(void);

#endif
