#include "http/h1.h"
#include "base/metric.h"
#include "http/host.h"
#include "http/message.h"
#include <assert.h>
#include <stdlib.h>

static int64_t now_us(const struct h1_conn *c)
{
    return loop_now_us(c->base.home->loop);
}

/* --- patience --- */

/* Starting a timer costs more than a comparison: one that fires too early looks again. */
void h1_set_deadline(struct h1_conn *c, int64_t at_us)
{
    c->deadline_us = at_us;
    if (at_us == H1_NEVER || (c->armed_us != 0 && c->armed_us <= at_us))
        return;
    int64_t wait = at_us - now_us(c);

    c->armed_us = at_us;
    loop_timer_start(c->timer, wait > 0 ? (uint64_t)(wait + 999) / 1000 : 0);
}

static int64_t after_ms(const struct h1_conn *c, unsigned ms)
{
    return now_us(c) + (int64_t)ms * 1000;
}

static void set_moving_deadline(struct h1_conn *c)
{
    int64_t idle = c->moved_us + (int64_t)h1_server(c)->config.limits.body_idle_ms * 1000;
    int64_t slow = c->window_us + (int64_t)h1_server(c)->config.limits.slow_window_ms * 1000;

    h1_set_deadline(c, idle < slow ? idle : slow);
}

void h1_wait(struct h1_conn *c)
{
    if (c->window_us == 0) {
        c->moved_us = c->window_us = now_us(c);
        c->window_bytes = 0;
    }
    set_moving_deadline(c);
}

void h1_wait_over(struct h1_conn *c)
{
    c->window_us = 0;
    h1_set_deadline(c, H1_NEVER);
}

void h1_moved(struct h1_conn *c, size_t n)
{
    c->moved_us = now_us(c);
    c->window_bytes += n;
}

enum net_io h1_flush(struct h1_conn *c)
{
    enum net_io io = net_stream_flush(c->stream);

    if (io == NET_IO_AGAIN) {
        c->can_write = false;
        c->unflushed = net_stream_unflushed(c->stream);
    }
    return io;
}

/* Nobody is told of what the kernel takes bit by bit during a flush. */
static void note_flushed(struct h1_conn *c)
{
    size_t left = net_stream_unflushed(c->stream);

    if (left < c->unflushed)
        h1_moved(c, c->unflushed - left);
    c->unflushed = left;
}

/* True: the client is too slow. Else another deadline is set. */
static bool too_slow(struct h1_conn *c)
{
    int64_t now = now_us(c), window = (int64_t)h1_server(c)->config.limits.slow_window_ms;
    uint64_t least = (uint64_t)window * h1_server(c)->config.limits.slow_bytes_per_s / 1000;

    note_flushed(c);
    if (now - c->moved_us >= (int64_t)h1_server(c)->config.limits.body_idle_ms * 1000)
        return true;
    if (now - c->window_us >= window * 1000) {
        if (c->window_bytes < least)
            return true;
        c->window_us = now;
        c->window_bytes = 0;
    }
    set_moving_deadline(c);
    return false;
}

/* --- requests --- */

static void h1_exchange_free(struct http_exchange *x)
{
    struct h1_exchange *hx = (struct h1_exchange *)x;

    file_send_done(&hx->file, x->home);
    free(hx);
}

static void exchange_new(struct h1_conn *c)
{
    struct h1_exchange *hx = malloc(sizeof(*hx));

    if (!hx)
        abort();
    http_exchange_init(&hx->x, &c->base, net_stream_evidence(c->stream));
    hx->x.free = h1_exchange_free;
    h1_head_init(&hx->head);
    hx->persistent = hx->expects = hx->head_only = hx->chunked_out = hx->keep = hx->source_over =
        false;
    hx->n_out = 0;
    hx->file = (struct file_send){.fd = -1};
    c->x = hx;
}

static struct str span_text(struct str head, struct h1_span s)
{
    return (struct str){head.ptr + s.off, s.len};
}

static void set_authority(struct http_request *req, struct str text)
{
    struct http_host host = {.name = STR("")};
    char *lower = arena_alloc(&req->arena, text.len + 1);

    assert(lower);
    for (size_t i = 0; i < text.len; i++)
        lower[i] = ascii_lower(text.ptr[i]);
    req->authority = (struct str){lower, text.len};
    enum rc rc = http_host_parse(req->authority, &host);

    assert(rc == RC_OK); /* the parser of heads has checked it */
    (void)rc;
    req->host = host.name;
}

/* The head moves into the arena, so that the buffer is free for what follows. */
static void set_request(struct h1_exchange *hx, const char *bytes)
{
    const struct h1_head *h = &hx->head;
    struct http_request *req = &hx->x.req;
    struct str head = arena_copy(&req->arena, (struct str){bytes, h->taken});

    assert(head.ptr);
    req->method_text = span_text(head, h->method);
    req->method = http_method_of(req->method_text);
    req->target = span_text(head, h->target);
    req->path = req->query = STR("");
    req->version = h->version;
    req->fields.cap = h->n_fields;
    req->fields.list = arena_alloc(&req->arena, (h->n_fields + 1) * sizeof(struct http_field));
    assert(req->fields.list);
    for (unsigned i = 0; i < h->n_fields; i++)
        req->fields.list[req->fields.n++] =
            (struct http_field){span_text(head, h->names[i]), span_text(head, h->values[i])};
    set_authority(req, span_text(head, h->authority));
    req->has_body = h->chunked || h->content_length > 0;
    req->content_length = h->chunked ? -1 : h->content_length;
}

static void begin(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;

    set_request(hx, c->in->bytes + c->in->start);
    h1_consume(c, hx->head.taken);
    hx->persistent = h1_head_persistent(&hx->head);
    hx->expects = hx->head.expects_continue && hx->head.version == 11 && hx->x.req.has_body;
    c->chunked = hx->head.chunked;
    c->body_left = hx->x.req.has_body && !c->chunked ? (uint64_t)hx->head.content_length : 0;
    c->body_over = hx->x.body_over = !hx->x.req.has_body;
    h1_chunks_init(&c->chunks);
    c->paused_us = 0;
    c->state = H1_HELD;
    h1_wait_over(c);
    metric_add(METRIC_REQUESTS, 1);
    http_exchange_give(&hx->x);
}

static void turn_away(struct h1_conn *c, unsigned status, const char *why)
{
    if (!c->x)
        exchange_new(c);
    c->x->persistent = false;
    c->body_over = true;
    http_exchange_error(&c->x->x, status, why);
    c->x->x.answered = true;
    h1_send_start(c);
}

static void refuse(struct h1_conn *c, unsigned status, const char *why)
{
    metric_add(METRIC_REQUESTS_MALFORMED, 1);
    turn_away(c, status, why);
}

static void turn_away_surplus(struct h1_conn *c)
{
    turn_away(c, 503, "too many connections are open: try again later");
}

/* --- input --- */

void h1_consume(struct h1_conn *c, size_t n)
{
    c->in->start += n;
    if (c->in->start == c->in->end)
        c->in->start = c->in->end = 0;
}

/* Room for at least one more byte, in a block of `room` bytes at most. */
static bool make_room(struct h1_conn *c, size_t room)
{
    struct http_home *h = c->base.home;

    if (!c->in)
        c->in = http_block_take(h, room);
    if (c->in->end < c->in->cap)
        return true;
    if (c->in->start > 0) {
        memmove(c->in->bytes, c->in->bytes + c->in->start, h1_input(c));
        c->in->end -= c->in->start;
        c->in->start = 0;
        return true;
    }
    if (c->in->cap >= room)
        return false;
    struct http_block *larger = http_block_take(h, room);

    memcpy(larger->bytes, c->in->bytes, c->in->end);
    larger->end = c->in->end;
    http_block_give(h, c->in);
    c->in = larger;
    return true;
}

/* NET_IO_AGAIN also when the block is full or the turn is over: the poll will tell of what is left.
 */
enum net_io h1_fill(struct h1_conn *c, size_t room)
{
    size_t n = 0;

    if (c->ended)
        return NET_IO_END;
    if (!c->can_read || c->turn_in > H1_TURN_MAX || !make_room(c, room))
        return NET_IO_AGAIN;
    size_t cap = c->in->cap - c->in->end;
    enum net_io io = net_stream_read(c->stream, c->in->bytes + c->in->end, cap, &n);

    if (io != NET_IO_OK) {
        c->can_read = false;
        c->ended = io == NET_IO_END;
        return io;
    }
    c->in->end += n;
    c->turn_in += n;
    if (n < cap && net_stream_can_sendfile(c->stream))
        c->can_read = false; /* a plain socket gives all that it has */
    return NET_IO_OK;
}

static void drop_empty_block(struct h1_conn *c)
{
    if (c->in && h1_input(c) == 0) {
        http_block_give(c->base.home, c->in);
        c->in = NULL;
    }
}

/* --- steps --- */

static bool parse_head(struct h1_conn *c)
{
    if (!c->x)
        exchange_new(c);
    switch (h1_head_feed(&c->x->head, c->in->bytes + c->in->start, h1_input(c))) {
    case H1_DONE:
        if (c->surplus) {
            set_request(c->x, c->in->bytes + c->in->start); /* a HEAD is answered as one */
            turn_away_surplus(c);
        } else {
            begin(c);
        }
        return true;
    case H1_BAD:
        refuse(c, c->x->head.status, c->x->head.why);
        return true;
    case H1_MORE:
        break;
    }
    if (c->state == H1_IDLE) {
        c->state = H1_READING;
        h1_set_deadline(c, after_ms(c, h1_server(c)->config.limits.head_ms));
    }
    return false;
}

static bool step_head(struct h1_conn *c)
{
    if (h1_input(c) > (c->x ? c->x->head.looked : 0) && parse_head(c))
        return true;
    if (c->state == H1_IDLE && c->base.home->draining) {
        h1_end(c);
        return true;
    }
    switch (h1_fill(c, c->state == H1_READING ? HTTP_BLOCK_LARGE : HTTP_BLOCK_SMALL)) {
    case NET_IO_OK:
        return true;
    case NET_IO_AGAIN:
        return false;
    case NET_IO_END:
        if (c->state == H1_IDLE) {
            h1_end(c);
            return true;
        }
        break;
    case NET_IO_ERROR:
        break;
    }
    h1_gone(c);
    return false;
}

static bool step_flush(struct h1_conn *c)
{
    switch (h1_flush(c)) {
    case NET_IO_AGAIN:
        h1_wait(c);
        return false;
    case NET_IO_OK:
        break;
    case NET_IO_END:
    case NET_IO_ERROR:
        h1_gone(c);
        return false;
    }
    net_stream_finish(c->stream);
    c->state = H1_LINGERING;
    c->dropped = 0;
    h1_set_deadline(c, after_ms(c, h1_server(c)->config.limits.gentle_close_ms));
    return true;
}

/* Closing a socket with unread input makes a reset of it, and that can reach the client before our
 * answer does. */
static bool step_linger(struct h1_conn *c)
{
    if (c->ended) {
        net_stream_close(c->stream);
        c->stream = NULL;
        c->dead = true;
        return false;
    }
    if (c->dropped > H1_LINGER_MAX)
        return false;
    if (c->in)
        h1_consume(c, h1_input(c));
    switch (h1_fill(c, HTTP_BLOCK_SMALL)) {
    case NET_IO_AGAIN:
        return false;
    case NET_IO_ERROR:
        h1_gone(c);
        return false;
    case NET_IO_OK:
    case NET_IO_END:
        break;
    }
    c->dropped += h1_input(c);
    return true;
}

static bool step(struct h1_conn *c)
{
    switch (c->state) {
    case H1_IDLE:
    case H1_READING:
        return step_head(c);
    case H1_HELD:
        return h1_step_body(c);
    case H1_SENDING:
        return h1_step_send(c);
    case H1_DRAINING:
        return h1_step_drain(c);
    case H1_FLUSHING:
        return step_flush(c);
    case H1_LINGERING:
        return step_linger(c);
    }
    return false;
}

static unsigned wanted_events(const struct h1_conn *c)
{
    unsigned read = c->ended ? 0 : LOOP_READ;

    switch (c->state) {
    case H1_IDLE:
    case H1_READING:
    case H1_DRAINING:
        return read;
    case H1_HELD:
        return (h1_body_wants_input(c) ? read : 0) | (c->x->n_out > 0 ? LOOP_WRITE : 0u);
    case H1_SENDING:
        return c->can_write ? 0 : LOOP_WRITE;
    case H1_FLUSHING:
        return LOOP_WRITE;
    case H1_LINGERING:
        return c->dropped > H1_LINGER_MAX ? 0 : read;
    }
    return 0;
}

static void conn_free(struct h1_conn *c)
{
    http_block_give(c->base.home, c->in);
    loop_timer_free(c->timer);
    http_conn_done(&c->base);
    free(c);
}

void h1_run(struct h1_conn *c)
{
    if (c->running)
        return;
    c->running = true;
    c->turn_in = c->turn_out = 0;
    while (!c->dead && step(c))
        continue;
    c->running = false;
    if (c->dead) {
        conn_free(c);
        return;
    }
    drop_empty_block(c);
    net_stream_want(c->stream, wanted_events(c));
}

/* --- ends --- */

void h1_go_idle(struct h1_conn *c)
{
    c->state = H1_IDLE;
    h1_set_deadline(c, after_ms(c, h1_server(c)->config.limits.keep_alive_ms));
}

void h1_end(struct h1_conn *c)
{
    c->state = H1_FLUSHING;
    h1_wait_over(c);
}

void h1_gone(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;

    assert(!c->dead);
    c->dead = true;
    c->x = NULL;
    net_stream_reset(c->stream);
    c->stream = NULL;
    if (hx)
        http_exchange_client_gone(&hx->x);
}

static void on_ready(void *ctx, unsigned events)
{
    struct h1_conn *c = ctx;

    if (events & LOOP_READ)
        c->can_read = true;
    if (events & LOOP_WRITE)
        c->can_write = true;
    h1_run(c);
}

static void expired(struct h1_conn *c)
{
    switch (c->state) {
    case H1_IDLE:
        h1_end(c);
        break;
    case H1_READING:
        if (c->surplus)
            turn_away_surplus(c);
        else
            refuse(c, 408, "the head took too long");
        break;
    case H1_HELD:
        if (too_slow(c)) {
            c->x->persistent = false;
            c->body_over = true;
            h1_wait_over(c);
            http_exchange_abort_body(&c->x->x, RC_TIMEOUT, 408, "the body took too long");
        }
        break;
    case H1_SENDING:
        if (c->retry)
            c->retry = false;
        else if (too_slow(c))
            h1_gone(c);
        break;
    case H1_DRAINING:
    case H1_FLUSHING:
        if (too_slow(c))
            h1_gone(c);
        break;
    case H1_LINGERING:
        c->ended = true;
        break;
    }
}

static void on_timer(void *ctx)
{
    struct h1_conn *c = ctx;

    c->armed_us = 0;
    if (c->deadline_us > now_us(c)) {
        h1_set_deadline(c, c->deadline_us);
        return;
    }
    assert(!c->running);
    c->running = true; /* h1_run below does the work */
    expired(c);
    c->running = false;
    h1_run(c);
}

/* --- the protocol's table --- */

static void h1_respond(struct http_exchange *x)
{
    struct h1_conn *c = (struct h1_conn *)x->conn;

    h1_send_start(c);
    h1_run(c);
}

static void h1_go_on(struct http_exchange *x)
{
    h1_run((struct h1_conn *)x->conn);
}

static void h1_drain(struct http_conn *base)
{
    struct h1_conn *c = (struct h1_conn *)base;

    if (c->state == H1_IDLE && !c->running)
        h1_run(c); /* the step of an idle connection looks at `draining` */
}

static void h1_reset(struct http_conn *base)
{
    struct h1_conn *c = (struct h1_conn *)base;

    if (!c->dead)
        h1_gone(c);
    if (!c->running)
        conn_free(c);
}

static const struct http_protocol h1 = {"http/1.1", h1_respond, h1_go_on, h1_drain, h1_reset};

void h1_accepted(struct http_home *h, struct net_stream *s, bool surplus)
{
    struct h1_conn *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    http_conn_init(&c->base, &h1, h);
    c->stream = s;
    c->can_write = true;
    c->timer = loop_timer_new(h->loop, on_timer, c);
    net_stream_handler(s, on_ready, c);
    h1_go_idle(c);
    c->surplus = surplus;
    if (surplus) { /* others want its place */
        c->state = H1_READING;
        h1_set_deadline(c, after_ms(c, h1_server(c)->config.limits.surplus_ms));
    }
    net_stream_want(s, LOOP_READ);
}
