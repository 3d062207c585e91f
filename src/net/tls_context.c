#include "net/tls_context.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>

struct net_tls {
    pthread_mutex_t
        lock; /* guards current: handshakes of every loop take it, reloading replaces it */
    struct tls_context *current;
    const char *const *alpn;
};

static const char tls12_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

static enum rc tls_error(struct err *e, enum rc rc, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return err_set(e, rc, "%s: %s", what, reason ? reason : "malformed");
}

/* Without this, OpenSSL would ask the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static BIO *pem_bio(struct str pem)
{
    return pem.len > 0 && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
}

static bool use_leaf(SSL_CTX *ctx, BIO *in)
{
    X509 *leaf = PEM_read_bio_X509_AUX(in, NULL, no_passphrase, NULL);
    bool ok = leaf && SSL_CTX_use_certificate(ctx, leaf) == 1;

    X509_free(leaf);
    return ok;
}

static bool use_chain(SSL_CTX *ctx, BIO *in)
{
    for (;;) {
        X509 *above = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);

        if (!above)
            break;
        if (SSL_CTX_add0_chain_cert(ctx, above) != 1) {
            X509_free(above);
            return false;
        }
    }
    unsigned long last = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;

    if (at_end)
        ERR_clear_error();
    return at_end;
}

static enum rc use_certificates(SSL_CTX *ctx, struct str pem, struct err *e)
{
    BIO *in = pem_bio(pem);
    bool ok = in && use_leaf(ctx, in) && use_chain(ctx, in);

    BIO_free(in);
    return ok ? RC_OK : tls_error(e, RC_INVALID, "the TLS certificate");
}

static enum rc use_key(SSL_CTX *ctx, struct str pem, struct err *e)
{
    BIO *in = pem_bio(pem);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;

    EVP_PKEY_free(key);
    BIO_free(in);
    if (!ok)
        return tls_error(e, RC_INVALID, "the TLS key");
    if (SSL_CTX_check_private_key(ctx) != 1)
        return tls_error(e, RC_INVALID, "the TLS key does not belong to the certificate");
    return RC_OK;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    const struct tls_context *c = arg;

    (void)ssl;
    if (SSL_select_next_proto((unsigned char **)out, out_len, c->alpn, c->alpn_len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

static enum rc set_alpn(struct tls_context *c, const char *const *names, struct err *e)
{
    for (; names && *names; names++) {
        size_t len = strlen(*names);

        if (len == 0 || len > 255 || c->alpn_len + 1 + len > sizeof(c->alpn))
            return err_set(e, RC_TOO_LARGE, "too many application protocols");
        c->alpn[c->alpn_len++] = (unsigned char)len;
        memcpy(c->alpn + c->alpn_len, *names, len);
        c->alpn_len += (unsigned)len;
    }
    if (c->alpn_len > 0)
        SSL_CTX_set_alpn_select_cb(c->ctx, choose_alpn, c);
    return RC_OK;
}

/* Renegotiation and compression stay off; tickets need no memory here, so no session is kept. */
static enum rc set_policy(SSL_CTX *ctx, struct err *e)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(ctx, 0);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(ctx, 1) != 1 || SSL_CTX_set_cipher_list(ctx, tls12_ciphers) != 1)
        return tls_error(e, RC_INTERNAL, "TLS settings");
    return RC_OK;
}

static enum rc context_fill(struct tls_context *c, struct str chain, struct str key,
                            const char *const *alpn, struct err *e)
{
    ERR_clear_error();
    c->ctx = SSL_CTX_new(TLS_server_method());
    c->bio = tls_bio_method_new();
    if (!c->ctx || !c->bio)
        return tls_error(e, RC_INTERNAL, "TLS context");
    enum rc rc = set_policy(c->ctx, e);

    if (rc == RC_OK)
        rc = use_certificates(c->ctx, chain, e);
    if (rc == RC_OK)
        rc = use_key(c->ctx, key, e);
    if (rc == RC_OK)
        rc = set_alpn(c, alpn, e);
    return rc;
}

static enum rc context_new(struct str chain, struct str key, const char *const *alpn,
                           struct tls_context **ret, struct err *e)
{
    struct tls_context *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    atomic_init(&c->refs, 1);
    enum rc rc = context_fill(c, chain, key, alpn, e);

    if (rc == RC_OK)
        *ret = c;
    else
        tls_context_unref(c);
    return rc;
}

struct tls_context *tls_context_current(struct net_tls *t)
{
    pthread_mutex_lock(&t->lock);
    struct tls_context *c = t->current;

    atomic_fetch_add(&c->refs, 1);
    pthread_mutex_unlock(&t->lock);
    return c;
}

void tls_context_unref(struct tls_context *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    SSL_CTX_free(c->ctx);
    BIO_meth_free(c->bio);
    free(c);
}

enum rc net_tls_new(struct str cert_chain, struct str key, const char *const *alpn,
                    struct net_tls **ret, struct err *e)
{
    struct tls_context *c = NULL;
    enum rc rc = context_new(cert_chain, key, alpn, &c, e);

    if (rc != RC_OK)
        return rc;
    struct net_tls *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    pthread_mutex_init(&t->lock, NULL);
    t->current = c;
    t->alpn = alpn;
    *ret = t;
    return RC_OK;
}

enum rc net_tls_reload(struct net_tls *t, struct str cert_chain, struct str key, struct err *e)
{
    struct tls_context *c = NULL;
    enum rc rc = context_new(cert_chain, key, t->alpn, &c, e);

    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(&t->lock);
    struct tls_context *old = t->current;

    t->current = c;
    pthread_mutex_unlock(&t->lock);
    tls_context_unref(old);
    return RC_OK;
}

void net_tls_free(struct net_tls *t)
{
    if (!t)
        return;
    tls_context_unref(t->current);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
