/* The server's side of TLS, over a pair of buffers of our own: OpenSSL never sees the socket.
 * Received bytes wait in one block, which only a connection with bytes in it holds; records to send
 * are collected in a few blocks and handed down by one writev. (OpenSSL over its own socket would
 * make a system call for each record.) */
#include "base/log.h"
#include "base/metric.h"
#include "net/filter.h"
#include "net/tls_context.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>

enum {
    OUT_BLOCKS = 4,
    RECORD_BYTES = 16 * 1024,         /* most that one record carries */
    RECORD_ROOM = RECORD_BYTES + 1024 /* with its frame, and a key update before it */
};

struct tls {
    struct net_filter filter;
    struct net_local *local;
    struct tls_context *context;
    SSL *ssl;
    struct net_block *in; /* NULL: nothing waits */
    struct net_block *out[OUT_BLOCKS];
    unsigned in_start, in_end, out_start /* in the first */, out_end /* in the last */, n_out;
    size_t retry;      /* length that SSL_write must see again, after it wanted to read first */
    bool dry;          /* SSL_read has eaten all there was: what it holds is part of a record */
    bool in_ended;     /* the peer sends no more */
    bool below_failed; /* the socket */
    bool failed;
    bool blocked; /* the kernel takes no more until it says so */
    bool closing; /* close_notify is written */
    bool finished;
};

static struct tls *tls_of(const struct net_filter *f)
{
    return CONTAINER_OF(f, struct tls, filter);
}

/* --- what OpenSSL reads --- */

static enum net_io in_fill(struct tls *t)
{
    size_t n = 0;

    t->in = net_block_get(t->local);
    enum net_io io = t->filter.below->ops->read(t->filter.below, t->in->bytes, NET_BLOCK_SIZE, &n);

    if (io == NET_IO_OK) {
        t->in_start = 0;
        t->in_end = (unsigned)n;
        t->dry = false;
        return io;
    }
    net_block_put(t->local, t->in);
    t->in = NULL;
    t->in_ended |= io == NET_IO_END;
    t->below_failed |= io == NET_IO_ERROR;
    return io;
}

static int bio_read(BIO *b, char *bytes, int cap)
{
    struct tls *t = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    if (cap <= 0)
        return 0;
    if (!t->in) {
        enum net_io io = t->in_ended ? NET_IO_END : in_fill(t);

        if (io == NET_IO_AGAIN)
            BIO_set_retry_read(b);
        if (io != NET_IO_OK)
            return io == NET_IO_END ? 0 : -1;
    }
    unsigned n = t->in_end - t->in_start;

    n = n < (unsigned)cap ? n : (unsigned)cap;
    memcpy(bytes, t->in->bytes + t->in_start, n);
    t->in_start += n;
    if (t->in_start == t->in_end) {
        net_block_put(t->local, t->in);
        t->in = NULL;
    }
    return (int)n;
}

/* --- what OpenSSL writes --- */

static size_t out_room(const struct tls *t)
{
    size_t last = t->n_out > 0 ? NET_BLOCK_SIZE - t->out_end : 0;

    return (size_t)(OUT_BLOCKS - t->n_out) * NET_BLOCK_SIZE + last;
}

static size_t out_add(struct tls *t, const char *bytes, size_t len)
{
    size_t taken = 0;

    while (taken < len && out_room(t) > 0) {
        if (t->n_out == 0 || t->out_end == NET_BLOCK_SIZE) {
            t->out[t->n_out++] = net_block_get(t->local);
            t->out_end = 0;
        }
        size_t n = NET_BLOCK_SIZE - t->out_end;

        n = n < len - taken ? n : len - taken;
        memcpy(t->out[t->n_out - 1]->bytes + t->out_end, bytes + taken, n);
        t->out_end += (unsigned)n;
        taken += n;
    }
    return taken;
}

static unsigned out_block_end(const struct tls *t, unsigned i)
{
    return i + 1 == t->n_out ? t->out_end : (unsigned)NET_BLOCK_SIZE;
}

static void out_drop_first(struct tls *t)
{
    net_block_put(t->local, t->out[0]);
    t->n_out--;
    for (unsigned i = 0; i < t->n_out; i++)
        t->out[i] = t->out[i + 1];
    t->out_start = 0;
}

static void out_consume(struct tls *t, size_t n)
{
    while (n > 0) {
        unsigned end = out_block_end(t, 0);
        size_t here = end - t->out_start;

        if (n < here) {
            t->out_start += (unsigned)n;
            return;
        }
        n -= here;
        out_drop_first(t);
    }
}

static void out_drop_all(struct tls *t)
{
    while (t->n_out > 0)
        out_drop_first(t);
}

static enum net_io tls_fail(struct tls *t)
{
    t->failed = true;
    out_drop_all(t);
    return NET_IO_ERROR;
}

static enum net_io tls_flush(struct net_filter *f)
{
    struct tls *t = tls_of(f);
    struct iovec iov[OUT_BLOCKS];
    size_t total = 0, n = 0;

    if (t->below_failed)
        return tls_fail(t);
    if (t->n_out == 0)
        return NET_IO_OK;
    if (t->blocked)
        return NET_IO_AGAIN;
    for (unsigned i = 0; i < t->n_out; i++) {
        unsigned start = i == 0 ? t->out_start : 0;

        iov[i] = (struct iovec){t->out[i]->bytes + start, out_block_end(t, i) - start};
        total += iov[i].iov_len;
    }
    enum net_io io = f->below->ops->write(f->below, iov, (int)t->n_out, &n);

    if (io == NET_IO_ERROR || io == NET_IO_END) {
        t->below_failed = true;
        return tls_fail(t);
    }
    out_consume(t, io == NET_IO_OK ? n : 0);
    t->blocked = n < total;
    return t->blocked ? NET_IO_AGAIN : NET_IO_OK;
}

static int bio_write(BIO *b, const char *bytes, int len)
{
    struct tls *t = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    if (len <= 0)
        return 0;
    if (t->below_failed)
        return -1;
    if (out_room(t) == 0)
        (void)tls_flush(&t->filter);
    size_t n = out_add(t, bytes, (size_t)len);

    if (n == 0) {
        BIO_set_retry_write(b);
        return -1;
    }
    net_stream_collected(t->filter.stream);
    return (int)n;
}

/* Flushing is the end of a turn's business, not OpenSSL's. */
static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

/* BIO_get_new_index has some hundred to give, and each reload would take one. This one is below
 * those, above OpenSSL's own; nobody looks for it in a chain. */
enum { BIO_KIND = BIO_TYPE_SOURCE_SINK | 127 };

BIO_METHOD *tls_bio_method_new(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_KIND, "collected");

    if (m && BIO_meth_set_read(m, bio_read) == 1 && BIO_meth_set_write(m, bio_write) == 1 &&
        BIO_meth_set_ctrl(m, bio_ctrl) == 1 && BIO_meth_set_create(m, bio_create) == 1)
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* --- results of OpenSSL's calls --- */

static void log_failure(const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    log_debug("tls.failed", F_TEXT("during", what),
              F_TEXT("reason", reason ? reason : "connection lost"));
}

static enum net_io tls_result(struct tls *t, int ret, const char *what)
{
    switch (SSL_get_error(t->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        t->dry = true;
        return NET_IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        return NET_IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return NET_IO_END;
    default:
        break;
    }
    if (t->in_ended && !t->below_failed && SSL_is_init_finished(t->ssl)) {
        metric_add(METRIC_TLS_BARE_ENDS, 1);
        return NET_IO_END;
    }
    log_failure(what);
    (void)tls_flush(&t->filter); /* the alert tells the peer why */
    return tls_fail(t);
}

/* --- the filter --- */

static enum net_io tls_open(struct net_filter *f)
{
    struct tls *t = tls_of(f);

    ERR_clear_error();
    int ret = SSL_accept(t->ssl);

    if (ret == 1) {
        metric_add(METRIC_TLS_HANDSHAKES, 1);
        t->dry = false;
        return NET_IO_OK;
    }
    enum net_io io = tls_result(t, ret, "handshake");

    if (io == NET_IO_AGAIN)
        return tls_flush(f) == NET_IO_ERROR ? NET_IO_ERROR : NET_IO_AGAIN;
    metric_add(METRIC_TLS_HANDSHAKE_FAILURES, 1);
    return NET_IO_ERROR;
}

static enum net_io tls_read(struct net_filter *f, char *bytes, size_t cap, size_t *ret_n)
{
    struct tls *t = tls_of(f);
    size_t done = 0, n = 0;

    if (t->failed)
        return NET_IO_ERROR;
    ERR_clear_error();
    while (done < cap) {
        if (SSL_read_ex(t->ssl, bytes + done, cap - done, &n) != 1) {
            if (done > 0) /* its answer is the same the next time */
                break;
            return tls_result(t, 0, "read");
        }
        done += n;
    }
    *ret_n = done;
    return NET_IO_OK;
}

/* The next piece for one record: in place where it fills one or is all there is, else gathered. */
struct tls_gather {
    const struct iovec *iov;
    int n;
    size_t at; /* in iov[0] */
    char bytes[RECORD_BYTES];
};

static void gather_skip(struct tls_gather *g, size_t len)
{
    while (g->n > 0 && len >= g->iov[0].iov_len - g->at) {
        len -= g->iov[0].iov_len - g->at;
        g->iov++;
        g->n--;
        g->at = 0;
    }
    g->at += len;
}

static struct str gather_next(struct tls_gather *g, size_t max)
{
    size_t len = 0;

    gather_skip(g, 0); /* empty pieces */
    if (g->n == 0)
        return STR_NONE;
    if (g->n == 1 || g->iov[0].iov_len - g->at >= max)
        return str_take((struct str){(char *)g->iov[0].iov_base + g->at, g->iov[0].iov_len - g->at},
                        max);
    for (int i = 0; i < g->n && len < max; i++) {
        size_t at = i == 0 ? g->at : 0, here = g->iov[i].iov_len - at;

        here = here < max - len ? here : max - len;
        if (here > 0)
            memcpy(g->bytes + len, (char *)g->iov[i].iov_base + at, here);
        len += here;
    }
    return (struct str){g->bytes, len};
}

static size_t tls_unflushed(const struct net_filter *f)
{
    const struct tls *t = tls_of(f);

    return t->n_out > 0 ? (t->n_out - 1) * (size_t)NET_BLOCK_SIZE + t->out_end - t->out_start : 0;
}

static bool out_ready(struct tls *t)
{
    if (out_room(t) >= RECORD_ROOM)
        return true;
    return tls_flush(&t->filter) != NET_IO_ERROR && out_room(t) >= RECORD_ROOM;
}

static enum net_io tls_write_record(struct tls *t, struct tls_gather *g, size_t *done)
{
    struct str piece = gather_next(g, t->retry > 0 ? t->retry : RECORD_BYTES);
    size_t n = 0;

    if (t->retry > 0 && piece.len < t->retry)
        return NET_IO_AGAIN;
    if (SSL_write_ex(t->ssl, piece.ptr, piece.len, &n) != 1) {
        enum net_io io = tls_result(t, 0, "write");

        t->retry = io == NET_IO_AGAIN ? piece.len : 0;
        return io == NET_IO_END ? tls_fail(t) : io;
    }
    t->retry = 0;
    gather_skip(g, n);
    *done += n;
    return NET_IO_OK;
}

static enum net_io tls_write(struct net_filter *f, const struct iovec *iov, int n, size_t *ret_n)
{
    struct tls *t = tls_of(f);
    struct tls_gather g; /* not zeroed: 16 KiB */
    enum net_io io = NET_IO_OK;
    size_t done = 0;

    if (t->failed || t->closing)
        return NET_IO_ERROR;
    g.iov = iov;
    g.n = n;
    g.at = 0;
    gather_skip(&g, 0);
    ERR_clear_error();
    while (g.n > 0 && io == NET_IO_OK)
        io = out_ready(t) ? tls_write_record(t, &g, &done) : NET_IO_AGAIN;
    if (t->failed)
        return NET_IO_ERROR;
    if (done == 0 && io != NET_IO_OK)
        return io;
    *ret_n = done;
    return NET_IO_OK;
}

static enum net_io tls_finish(struct net_filter *f)
{
    struct tls *t = tls_of(f);

    if (t->failed)
        return NET_IO_ERROR;
    if (!t->closing) {
        t->closing = true;
        ERR_clear_error();
        if (SSL_shutdown(t->ssl) < 0)
            ERR_clear_error();
    }
    enum net_io io = tls_flush(f);

    if (io != NET_IO_OK || t->finished)
        return io;
    t->finished = true;
    return f->below->ops->finish(f->below);
}

static unsigned tls_pending(const struct net_filter *f, unsigned wanted)
{
    const struct tls *t = tls_of(f);
    unsigned can = 0;

    if (t->failed)
        return wanted;
    if (!t->dry && (t->in || t->in_ended || SSL_has_pending(t->ssl)))
        can |= LOOP_READ;
    if (out_room(t) >= RECORD_ROOM && t->retry == 0)
        can |= LOOP_WRITE;
    return can & wanted;
}

static unsigned tls_needs(const struct net_filter *f, unsigned wanted)
{
    const struct tls *t = tls_of(f);
    unsigned needs = 0;

    if (t->failed)
        return 0;
    if (wanted & LOOP_READ)
        needs |= LOOP_READ;
    if (t->blocked)
        needs |= LOOP_WRITE;
    if ((wanted & LOOP_WRITE) &&
        t->retry > 0) /* SSL_write waits for what the peer must say first */
        needs |= LOOP_READ;
    return f->below->ops->needs(f->below, needs);
}

static unsigned tls_event(struct net_filter *f, unsigned events)
{
    struct tls *t = tls_of(f);
    unsigned can = 0;

    events = f->below->ops->event(f->below, events);
    if (events & LOOP_WRITE) {
        t->blocked = false;
        (void)tls_flush(f);
    }
    if (events & LOOP_READ) {
        t->dry = false;
        can |= LOOP_READ | (t->retry > 0 ? LOOP_WRITE : 0u);
    }
    if (t->failed)
        return LOOP_READ | LOOP_WRITE;
    return can | tls_pending(f, LOOP_READ | LOOP_WRITE);
}

static struct str tls_alpn(const struct net_filter *f)
{
    const unsigned char *name = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(tls_of(f)->ssl, &name, &len);
    return name ? (struct str){(const char *)name, len} : STR_NONE;
}

static void tls_free(struct net_filter *f)
{
    struct tls *t = tls_of(f);

    SSL_free(t->ssl);
    net_block_put(t->local, t->in);
    out_drop_all(t);
    tls_context_unref(t->context);
    free(t);
}

static const struct net_filter_ops tls_ops = {
    .name = "tls",
    .open = tls_open,
    .read = tls_read,
    .write = tls_write,
    .flush = tls_flush,
    .unflushed = tls_unflushed,
    .finish = tls_finish,
    .needs = tls_needs,
    .pending = tls_pending,
    .event = tls_event,
    .alpn = tls_alpn,
    .free = tls_free,
};

struct net_filter *net_tls_filter_new(struct net_stream *s, struct net_filter *below,
                                      struct net_tls *tls)
{
    struct tls *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    t->filter = (struct net_filter){.ops = &tls_ops, .below = below, .stream = s};
    t->local = net_local_of(net_stream_loop(s));
    t->context = tls_context_current(tls);
    t->ssl = SSL_new(t->context->ctx);
    BIO *bio = t->ssl ? BIO_new(t->context->bio) : NULL;

    if (!bio) /* memory */
        abort();
    BIO_set_data(bio, t);
    SSL_set_bio(t->ssl, bio, bio);
    return &t->filter;
}
