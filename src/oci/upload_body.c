/* The bytes of an upload: from the connection into one of two buffers, from there to the disk lane,
 * one job at a time. When both are full the connection is not read; nothing else grows. */
#include "oci/upload.h"

enum {
    BUFFER_SIZE = 256 * 1024,
    WRITE_AT_LEAST = 64 * 1024, /* less waits for more: a job has its price */
};

static enum rc write_buffer(struct upload *up, struct err *e)
{
    return registry_upload_append(up->open, (struct str){up->writing, up->n_writing}, e);
}

static void take(struct upload *up)
{
    size_t n = up->cap - up->filled;

    if (n > up->rest.len)
        n = up->rest.len;
    if (n > 0)
        memcpy(up->fill + up->filled, up->rest.ptr, n);
    up->filled += n;
    up->rest = str_skip(up->rest, n);
}

static void swap(struct upload *up)
{
    char *empty = up->writing;

    up->writing = up->fill;
    up->n_writing = up->filled;
    up->fill = empty;
    up->filled = 0;
}

static void written(struct upload *up, enum rc rc);

/* False: the upload has failed and is gone. */
static bool pump(struct upload *up)
{
    take(up);
    if (up->busy || (up->filled < WRITE_AT_LEAST && up->filled < up->cap))
        return true;
    swap(up);
    take(up);
    if (upload_submit(up, write_buffer, written) == RC_OK)
        return true;
    upload_fail(up);
    return false;
}

static void written(struct upload *up, enum rc rc)
{
    if (up->aborted) {
        upload_give_back(up);
        return;
    }
    if (rc != RC_OK) {
        upload_fail(up);
        return;
    }
    if (!pump(up))
        return;
    if (up->paused && up->rest.len == 0) {
        up->paused = false;
        http_body_resume(up->req); /* up may be gone */
        return;
    }
    if (up->ended && !up->busy)
        upload_last(up);
}

static enum http_flow on_data(struct http_request *req, struct str bytes)
{
    struct upload *up = req->state;

    if (up->failed) /* the answer waits until the upload has been given back */
        return HTTP_FLOW_PAUSE;
    up->received += bytes.len;
    up->rest = bytes;
    if (!pump(up))
        return HTTP_FLOW_PAUSE;
    up->paused = up->rest.len > 0;
    return up->paused ? HTTP_FLOW_PAUSE : HTTP_FLOW_ON;
}

static void on_end(struct http_request *req)
{
    struct upload *up = req->state;

    up->ended = true;
    if (!up->busy && !up->failed)
        upload_last(up);
}

static void on_abort(struct http_request *req, enum rc reason)
{
    struct upload *up = req->state;

    (void)reason;
    up->aborted = true;
    if (!up->busy)
        upload_give_back(up);
}

static const struct http_sink sink = {on_data, on_end, on_abort};

static size_t buffer_size(const struct http_request *req)
{
    if (req->content_length >= 0 && req->content_length < BUFFER_SIZE)
        return req->content_length > 0 ? (size_t)req->content_length : 1;
    return BUFFER_SIZE;
}

void upload_take_body(struct upload *up)
{
    struct http_request *req = up->req;

    up->cap = buffer_size(req);
    up->fill = arena_alloc(&req->arena, up->cap);
    up->writing = arena_alloc(&req->arena, up->cap);
    if (!up->fill || !up->writing) {
        err_set(&up->err, RC_UNAVAILABLE, "no memory for the upload");
        upload_fail(up);
        return;
    }
    http_body_take(req, &sink);
}
