#include "http/h1.h"
#include <assert.h>

/* Decodes what is in the buffer, in place: the data that came in several chunks becomes one piece
 * at the buffer's start. Returns how it ended; *ret_used bytes of the input were read. */
static enum h1_result decode(struct h1_conn *c, struct str *ret_data, size_t *ret_used)
{
    char *to = c->in->bytes + c->in->start, *first = to;
    const char *from = to;
    size_t left = h1_input(c);
    enum h1_result r = H1_MORE;

    if (!c->chunked) {
        size_t n = left < c->body_left ? left : (size_t)c->body_left;

        c->body_left -= n;
        *ret_data = (struct str){first, n};
        *ret_used = n;
        return c->body_left == 0 ? H1_DONE : H1_MORE;
    }
    while (r == H1_MORE && left > 0) {
        size_t used;
        struct str data;

        r = h1_chunks_feed(&c->chunks, from, left, &used, &data);
        if (data.len > 0 && data.ptr != to)
            memmove(to, data.ptr, data.len);
        to += data.len;
        from += used;
        left -= used;
    }
    *ret_data = (struct str){first, (size_t)(to - first)};
    *ret_used = h1_input(c) - left;
    return r;
}

/* --- handing it to the sink --- */

static bool still_held(const struct h1_conn *c)
{
    return !c->dead && c->state == H1_HELD && c->x->x.req.sink;
}

static bool malformed(struct h1_conn *c)
{
    c->x->persistent = false;
    c->body_over = true;
    h1_wait_over(c);
    http_exchange_abort_body(&c->x->x, RC_INVALID, 400, c->chunks.why);
    return true;
}

/* The sink keeps the block; what follows the data in it moves to another one. */
static void lend(struct h1_conn *c, size_t used)
{
    struct http_exchange *x = &c->x->x;
    struct http_block *in = c->in;

    c->in = NULL;
    x->lent = in;
    x->paused = true;
    c->paused_us = loop_now_us(c->base.home->loop);
    h1_set_deadline(c, H1_NEVER);
    in->start += used;
    size_t rest = in->end - in->start;

    if (rest > 0) {
        c->in = http_block_take(c->base.home,
                                rest > HTTP_BLOCK_SMALL ? HTTP_BLOCK_LARGE : HTTP_BLOCK_SMALL);
        memcpy(c->in->bytes, in->bytes + in->start, rest);
        c->in->end = rest;
    }
}

static bool deliver(struct h1_conn *c)
{
    struct http_request *req = &c->x->x.req;
    struct str data;
    size_t used;
    enum h1_result r = decode(c, &data, &used);
    enum http_flow flow = HTTP_FLOW_ON;

    c->body_over = r != H1_MORE;
    req->bytes_in += data.len;
    if (data.len > 0) {
        h1_moved(c, data.len);
        flow = req->sink->data(req, data);
        if (!still_held(c)) {
            if (!c->dead)
                h1_consume(c, used);
            return true;
        }
    }
    if (flow == HTTP_FLOW_PAUSE)
        lend(c, used);
    else
        h1_consume(c, used);
    return r == H1_BAD ? malformed(c) : true;
}

static bool give_end(struct h1_conn *c)
{
    struct http_exchange *x = &c->x->x;
    const struct http_sink *sink = x->req.sink;

    x->body_over = true;
    x->req.sink = NULL;
    h1_wait_over(c);
    sink->end(&x->req);
    return true;
}

/* Time in which the sink was busy is not the client's. */
static void end_of_pause(struct h1_conn *c)
{
    if (c->paused_us == 0)
        return;
    int64_t pause = loop_now_us(c->base.home->loop) - c->paused_us;

    c->paused_us = 0;
    c->moved_us += pause;
    c->window_us += c->window_us > 0 ? pause : 0;
}

static void send_continue(struct h1_conn *c)
{
    if (h1_input(c) == 0)
        h1_queue(c->x, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    c->x->expects = false;
}

static size_t body_room(const struct h1_conn *c)
{
    return c->chunked || c->body_left > HTTP_BLOCK_SMALL ? HTTP_BLOCK_LARGE : HTTP_BLOCK_SMALL;
}

/* No more input for now: hands on what there is. */
static bool deliver_or_wait(struct h1_conn *c)
{
    if (c->x->x.paused)
        return false;
    if (h1_input(c) > 0)
        return deliver(c);
    h1_wait(c);
    return false;
}

/* Somebody takes the body. Reads as much as there is, or as the block holds, before the sink gets
 * it. */
static bool step_taking(struct h1_conn *c)
{
    struct http_exchange *x = &c->x->x;

    if (c->x->expects)
        send_continue(c);
    if (c->x->n_out > 0 && !h1_write_out(c))
        return false;
    if (!x->paused)
        end_of_pause(c);
    if (c->body_over)
        return x->paused ? false : give_end(c);
    switch (h1_fill(c, body_room(c))) {
    case NET_IO_OK:
        return true;
    case NET_IO_AGAIN:
        return deliver_or_wait(c);
    case NET_IO_END:
        if (h1_input(c) > 0)
            return deliver_or_wait(c);
        break;
    case NET_IO_ERROR:
        break;
    }
    h1_gone(c);
    return false;
}

/* Nobody takes it, now or ever: a little is read, so that a client that goes away is noticed. */
static bool step_waiting(struct h1_conn *c)
{
    if (h1_fill(c, HTTP_BLOCK_SMALL) == NET_IO_ERROR)
        h1_gone(c);
    return false;
}

bool h1_step_body(struct h1_conn *c)
{
    if (c->x->x.req.sink)
        return step_taking(c);
    return step_waiting(c);
}

bool h1_body_wants_input(const struct h1_conn *c)
{
    bool taking = c->x->x.req.sink && !c->body_over;

    if (!c->in)
        return true;
    return h1_input(c) < (taking ? body_room(c) : c->in->cap);
}

/* --- after the answer --- */

bool h1_step_drain(struct h1_conn *c)
{
    struct str data;
    size_t used;

    while (!c->body_over && h1_input(c) > 0) {
        enum h1_result r = decode(c, &data, &used);

        h1_consume(c, used);
        h1_moved(c, data.len);
        c->dropped += used;
        c->body_over = r == H1_DONE;
        if (r == H1_BAD || c->dropped > H1_DRAIN_MAX) {
            h1_end(c);
            return true;
        }
    }
    if (c->body_over) {
        h1_go_idle(c);
        return true;
    }
    switch (h1_fill(c, HTTP_BLOCK_SMALL)) {
    case NET_IO_OK:
        return true;
    case NET_IO_AGAIN:
        h1_wait(c);
        return false;
    case NET_IO_END:
        h1_end(c);
        return true;
    case NET_IO_ERROR:
        break;
    }
    h1_gone(c);
    return false;
}
