#include "http/h1.h"
#include "http/message.h"
#include <assert.h>
#include <stdio.h>

/* --- the head --- */

static void add_line(struct buf *b, const char *name, struct str value)
{
    buf_add(b, str_from(name));
    buf_add(b, STR(": "));
    buf_add(b, value);
    buf_add(b, STR("\r\n"));
}

static void add_number_line(struct buf *b, const char *name, uint64_t n)
{
    char digits[24];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    add_line(b, name, (struct str){digits + at, sizeof(digits) - at});
}

static void add_status_line(struct buf *b, unsigned status)
{
    char line[] = "HTTP/1.1 000 ";

    line[9] = (char)('0' + status / 100 % 10);
    line[10] = (char)('0' + status / 10 % 10);
    line[11] = (char)('0' + status % 10);
    buf_add(b, (struct str){line, sizeof(line) - 1});
    buf_add(b, str_from(http_reason(status)));
    buf_add(b, STR("\r\n"));
}

static void add_framing(struct buf *b, const struct h1_exchange *hx)
{
    const struct http_response *r = &hx->x.req.response;

    if (hx->chunked_out)
        add_line(b, "Transfer-Encoding", STR("chunked"));
    else if (!http_status_bodyless(r->status) && r->length != HTTP_LENGTH_UNKNOWN)
        add_number_line(b, "Content-Length", r->length);
    if (!hx->keep)
        add_line(b, "Connection", STR("close"));
    else if (hx->x.req.version == 10)
        add_line(b, "Connection", STR("keep-alive"));
}

static struct str make_head(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;
    const struct http_response *r = &hx->x.req.response;
    struct buf *b = &c->base.home->head;

    buf_clear(b);
    add_status_line(b, r->status);
    add_line(b, "Date", http_date(c->base.home));
    if (h1_server(c)->config.server_field)
        add_line(b, "Server", str_from(h1_server(c)->config.server_field));
    for (size_t i = 0; i < r->fields.n; i++) {
        buf_add(b, r->fields.list[i].name);
        buf_add(b, STR(": "));
        buf_add(b, r->fields.list[i].value);
        buf_add(b, STR("\r\n"));
    }
    add_framing(b, hx);
    buf_add(b, STR("\r\n"));
    return buf_str(b);
}

/* --- output --- */

void h1_queue(struct h1_exchange *x, struct str s)
{
    assert(x->n_out < H1_OUT_MAX);
    if (s.len > 0)
        x->out[x->n_out++] = s;
}

static void written(struct h1_conn *c, size_t n)
{
    h1_moved(c, n);
    c->turn_out += n;
}

static void drop_written(struct h1_exchange *x, size_t n)
{
    unsigned i = 0;

    while (i < x->n_out && n >= x->out[i].len)
        n -= x->out[i++].len;
    for (unsigned j = i; j < x->n_out; j++)
        x->out[j - i] = x->out[j];
    x->n_out -= i;
    if (x->n_out > 0)
        x->out[0] = str_skip(x->out[0], n);
}

bool h1_write_out(struct h1_conn *c)
{
    while (c->x->n_out > 0) {
        struct iovec iov[H1_OUT_MAX];
        size_t n = 0;

        for (unsigned i = 0; i < c->x->n_out; i++)
            iov[i] = (struct iovec){(void *)c->x->out[i].ptr, c->x->out[i].len};
        switch (net_stream_write(c->stream, iov, (int)c->x->n_out, &n)) {
        case NET_IO_OK:
            break;
        case NET_IO_AGAIN:
            c->can_write = false;
            return false;
        case NET_IO_END:
        case NET_IO_ERROR:
            h1_gone(c);
            return false;
        }
        written(c, n);
        drop_written(c->x, n);
    }
    return true;
}

/* The head was made in a place that the next response will use. */
static void keep_head(struct h1_conn *c)
{
    const struct buf *b = &c->base.home->head;
    struct h1_exchange *hx = c->x;

    if (hx->n_out == 0 || hx->out[0].ptr < b->ptr || hx->out[0].ptr >= b->ptr + b->len)
        return;
    hx->out[0] = arena_copy(&hx->x.req.arena, hx->out[0]);
    assert(hx->out[0].ptr);
}

/* --- what the connection does afterwards --- */

static bool rest_can_be_drained(const struct h1_conn *c)
{
    if (c->body_over)
        return true;
    if (c->x->expects) /* the client may or may not send it now */
        return false;
    return c->chunked || c->body_left <= H1_DRAIN_MAX;
}

static bool decide_keep(const struct h1_conn *c)
{
    const struct h1_exchange *hx = c->x;
    const struct http_response *r = &hx->x.req.response;

    if (!hx->persistent || r->close || c->base.home->draining || !rest_can_be_drained(c))
        return false;
    return r->length != HTTP_LENGTH_UNKNOWN || hx->chunked_out || hx->head_only;
}

/* Over only when the kernel has it all: until then it can be cut, and what was collected is
 * dropped. */
static bool sent(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;
    enum net_io io = h1_flush(c);

    if (io == NET_IO_AGAIN)
        return true; /* the next step waits for it */
    if (io != NET_IO_OK) {
        h1_gone(c);
        return false;
    }
    c->x = NULL;
    c->dropped = 0;
    h1_wait_over(c);
    if (!hx->keep)
        h1_end(c);
    else if (c->body_over)
        h1_go_idle(c);
    else
        c->state = H1_DRAINING;
    http_exchange_finish(&hx->x);
    return true;
}

void h1_send_start(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;
    struct http_request *req = &hx->x.req;
    struct http_response *r = &req->response;

    hx->n_out = 0;
    hx->head_only = req->method == HTTP_HEAD || http_status_bodyless(r->status);
    if (r->file < 0 && !r->source && !hx->head_only)
        r->length = r->body.len;
    hx->chunked_out = r->source && r->length == HTTP_LENGTH_UNKNOWN && req->version != 10 &&
                      !http_status_bodyless(r->status);
    hx->keep = decide_keep(c);
    h1_queue(hx, make_head(c));
    if (!hx->head_only && r->file < 0 && !r->source) {
        h1_queue(hx, r->body);
        req->bytes_out += r->body.len;
    }
    if (!hx->head_only && r->file >= 0)
        file_send_init(&hx->file, r->file, r->file_offset, r->length);
    if (buf_status(&c->base.home->head, NULL) != RC_OK)
        hx->n_out = 0, hx->keep = false; /* fields past all measure: nothing can be said */
    c->state = H1_SENDING;
    h1_wait_over(c);
    c->can_write = true;
    bool all = h1_write_out(c);

    if (!all && !c->dead)
        keep_head(c);
}

/* --- bodies that are not in memory --- */

static void send_chunk(struct h1_exchange *hx, struct str data)
{
    int n = snprintf(hx->chunk_line, sizeof(hx->chunk_line), "%zx\r\n", data.len);

    h1_queue(hx, (struct str){hx->chunk_line, (size_t)n});
    h1_queue(hx, data);
    h1_queue(hx, STR("\r\n"));
}

/* A source that gives more or less than it said cannot be sent: the client must notice. */
static bool source_fits(struct http_request *req, size_t n, bool over)
{
    uint64_t length = req->response.length;

    req->bytes_out += n;
    return length == HTTP_LENGTH_UNKNOWN ||
           (over ? req->bytes_out == length : req->bytes_out <= length);
}

static bool step_source(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;
    struct http_request *req = &hx->x.req;
    struct str data = STR_NONE;

    if (hx->source_over)
        return sent(c);
    if (hx->x.pulling)
        return false;
    switch (req->response.source->next(req, &data)) {
    case HTTP_PULL_BYTES:
        if (!source_fits(req, data.len, false))
            break;
        if (data.len > 0 && hx->chunked_out)
            send_chunk(hx, data);
        else
            h1_queue(hx, data);
        return true;
    case HTTP_PULL_LATER:
        hx->x.pulling = true;
        h1_wait_over(c);
        return false;
    case HTTP_PULL_END:
        if (!source_fits(req, 0, true))
            break;
        hx->source_over = true;
        if (hx->chunked_out)
            h1_queue(hx, STR("0\r\n\r\n"));
        return true;
    case HTTP_PULL_FAILED:
        break;
    }
    req->response.source = NULL; /* it knows */
    h1_gone(c);
    return false;
}

static void cold_run(struct lane_job *job)
{
    file_send_read(CONTAINER_OF(job, struct file_send, job));
}

static void cold_done(struct lane_job *job, enum rc rc)
{
    struct h1_exchange *hx = CONTAINER_OF(job, struct h1_exchange, file.job);

    hx->x.busy = false;
    if (rc != RC_OK)
        hx->file.failed = true;
    if (!hx->x.conn)
        http_exchange_finish(&hx->x);
    else
        hx->x.conn->protocol->go_on(&hx->x);
}

enum { LANE_RETRY_US = 20 * 1000 };

static bool read_cold(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;

    hx->file.job = (struct lane_job){
        .key = hx->x.req.lane_key,
        .run = cold_run,
        .done = cold_done,
        .home = c->base.home->loop,
    };
    h1_wait_over(c);
    if (lane_submit(h1_server(c)->config.lanes.disk, &hx->file.job, NULL) == RC_OK) {
        hx->x.busy = true;
        return false;
    }
    c->retry = true;
    h1_set_deadline(c, loop_now_us(c->base.home->loop) + LANE_RETRY_US);
    return false;
}

static bool after_write(struct h1_conn *c, enum net_io io, size_t n)
{
    switch (io) {
    case NET_IO_OK:
        c->x->x.req.bytes_out += n;
        written(c, n);
        return true;
    case NET_IO_AGAIN:
        c->can_write = false;
        return true;
    case NET_IO_END:
    case NET_IO_ERROR:
        break;
    }
    h1_gone(c);
    return false;
}

static bool send_window(struct h1_conn *c)
{
    struct http_block *w = c->x->file.window;
    struct iovec iov = {w->bytes + w->start, w->end - w->start};
    size_t n = 0;
    enum net_io io = net_stream_write(c->stream, &iov, 1, &n);

    w->start += n;
    return after_write(c, io, n);
}

static bool send_directly(struct h1_conn *c, size_t length)
{
    struct file_send *f = &c->x->file;
    size_t n = 0;
    enum net_io io = net_stream_sendfile(c->stream, f->fd, f->offset, length, &n);

    file_send_sent(f, n);
    return after_write(c, io, n);
}

static bool step_file(struct h1_conn *c)
{
    struct file_send *f = &c->x->file;
    size_t length = 0;

    if (c->x->x.busy || c->retry)
        return false;
    if (f->left == 0 && (!f->window || f->window->start == f->window->end))
        return sent(c);
    if (!f->failed)
        switch (file_send_next(f, c->base.home, net_stream_can_sendfile(c->stream), &length)) {
        case FILE_WINDOW:
            return send_window(c);
        case FILE_SENDFILE:
            return send_directly(c, length);
        case FILE_COLD:
            return read_cold(c);
        case FILE_FAILED:
            break;
        }
    h1_gone(c);
    return false;
}

bool h1_step_send(struct h1_conn *c)
{
    struct h1_exchange *hx = c->x;

    if (!c->can_write) {
        h1_wait(c);
        return false;
    }
    if (hx->n_out > 0) /* what is blocked, or gone, is told by the next step */
        return h1_write_out(c) || !c->dead;
    if (c->turn_out > H1_TURN_MAX) {
        c->can_write = false; /* it can: the poll says so in the next turn, after the others */
        return true;
    }
    if (!hx->head_only && hx->x.req.response.source)
        return step_source(c);
    if (!hx->head_only && hx->x.req.response.file >= 0)
        return step_file(c);
    return sent(c);
}
