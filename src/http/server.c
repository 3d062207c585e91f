#include "http/exchange.h"
#include <assert.h>
#include <stdlib.h>

enum {
    HOMES_MAX = 1024,
    /* Free blocks that a loop keeps: enough for its busy connections, little when all are idle. */
    KEPT_SMALL = 32,
    KEPT_LARGE = 4,
    RESPONSE_HEAD_MAX = 256 * 1024,
};

static void *alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        abort();
    return p;
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
    return value > 0 ? value : otherwise;
}

enum rc http_server_new(const struct http_server_config *config, struct http_server **ret,
                        struct err *e)
{
    if (!config->service.request || !config->service.finished || !config->lanes.read ||
        !config->lanes.disk)
        return err_set(e, RC_INVALID, "a service, a read lane and a disk lane are needed");
    struct http_server *s = alloc(sizeof(*s));

    s->config = *config;
    s->homes = alloc(HOMES_MAX * sizeof(struct http_home *));
    s->config.call_body_budget = config->call_body_budget ? config->call_body_budget : 64u << 20;
    s->config.limits.head_ms = or_default(config->limits.head_ms, 10 * 1000);
    s->config.limits.keep_alive_ms = or_default(config->limits.keep_alive_ms, 120 * 1000);
    s->config.limits.body_idle_ms = or_default(config->limits.body_idle_ms, 60 * 1000);
    s->config.limits.slow_window_ms = or_default(config->limits.slow_window_ms, 60 * 1000);
    s->config.limits.slow_bytes_per_s = or_default(config->limits.slow_bytes_per_s, 1024);
    s->config.limits.gentle_close_ms = or_default(config->limits.gentle_close_ms, 2 * 1000);
    s->config.limits.surplus_ms = or_default(config->limits.surplus_ms, 2 * 1000);
    *ret = s;
    return RC_OK;
}

static void blocks_free(struct http_block *b)
{
    while (b) {
        struct http_block *next = b->next;

        free(b);
        b = next;
    }
}

static void home_free(struct http_home *h)
{
    assert(h->n_conns == 0 && h->n_given == 0);
    blocks_free(h->small);
    blocks_free(h->large);
    buf_done(&h->head);
    free(h);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < HOMES_MAX; i++)
        if (s->homes[i])
            home_free(s->homes[i]);
    free(s->homes);
    free(s);
}

struct http_home *http_home_of(struct http_server *s, struct loop *l)
{
    unsigned i = loop_index(l);

    assert(i < HOMES_MAX && loop_is_current(l));
    if (!s->homes[i]) {
        struct http_home *h = alloc(sizeof(*h));

        h->server = s;
        h->loop = l;
        h->head = BUF_INIT(RESPONSE_HEAD_MAX);
        s->homes[i] = h;
    }
    return s->homes[i];
}

void http_server_accepted(void *server, struct net_stream *stream)
{
    h1_accepted(http_home_of(server, net_stream_loop(stream)), stream, false);
}

void http_server_surplus(void *server, struct net_stream *stream)
{
    h1_accepted(http_home_of(server, net_stream_loop(stream)), stream, true);
}

/* --- blocks --- */

struct http_block *http_block_take(struct http_home *h, size_t cap)
{
    bool large = cap == HTTP_BLOCK_LARGE;
    struct http_block **list = large ? &h->large : &h->small, *b = *list;

    if (b) {
        *list = b->next;
        *(large ? &h->n_large : &h->n_small) -= 1;
    } else {
        b = malloc(sizeof(*b) + cap);
        if (!b)
            abort();
        b->cap = cap;
    }
    b->next = NULL;
    b->start = b->end = 0;
    return b;
}

void http_block_give(struct http_home *h, struct http_block *b)
{
    if (!b)
        return;
    bool large = b->cap == HTTP_BLOCK_LARGE;
    unsigned *n = large ? &h->n_large : &h->n_small;

    if (*n >= (large ? KEPT_LARGE : KEPT_SMALL)) {
        free(b);
        return;
    }
    b->next = large ? h->large : h->small;
    *(large ? &h->large : &h->small) = b;
    *n += 1;
}

struct str http_date(struct http_home *h)
{
    int64_t now = clock_wall_us(), s = now / CLOCK_US_PER_S;

    if (s != h->date_s) {
        (void)clock_format_http(now, h->date);
        h->date_s = s;
    }
    return str_from(h->date);
}

/* --- connections and requests of a loop --- */

void http_conn_init(struct http_conn *c, const struct http_protocol *p, struct http_home *h)
{
    c->protocol = p;
    c->home = h;
    c->prev = NULL;
    c->next = h->conns;
    if (c->next)
        c->next->prev = c;
    h->conns = c;
    h->n_conns++;
}

void http_conn_done(struct http_conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        c->home->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->home->n_conns--;
}

void http_server_each(struct http_server *s, struct loop *l,
                      void (*fn)(void *ctx, struct http_request *req), void *ctx)
{
    struct http_home *h = http_home_of(s, l);

    for (struct http_exchange *x = h->given, *next; x; x = next) {
        next = x->next; /* fn ends its own request and none besides */
        fn(ctx, &x->req);
    }
}

static void each_conn(struct http_home *h, bool reset)
{
    for (struct http_conn *c = h->conns, *next; c; c = next) {
        next = c->next;
        if (reset)
            c->protocol->reset(c);
        else
            c->protocol->drain(c);
    }
}

size_t http_server_drain(struct http_server *s, struct loop *l)
{
    struct http_home *h = http_home_of(s, l);

    h->draining = true;
    net_streams_refuse(l);
    each_conn(h, false);
    size_t detached = 0;

    for (const struct http_exchange *x = h->given; x; x = x->next)
        detached += !x->conn;
    return h->n_conns + detached;
}

void http_server_close_all(struct http_server *s, struct loop *l)
{
    struct http_home *h = http_home_of(s, l);

    h->draining = true;
    each_conn(h, true);
}
