#include "base/metric.h"
#include "http/exchange.h"
#include <assert.h>

static struct http_exchange *exchange_of(struct http_request *req)
{
    return CONTAINER_OF(req, struct http_exchange, req);
}

static void respond_unavailable(struct http_request *req, const char *text)
{
    http_exchange_error(exchange_of(req), 503, text);
    http_respond(req);
}

/* --- running a call on its lane --- */

static void call_run(struct lane_job *job)
{
    struct http_exchange *x = CONTAINER_OF(job, struct http_exchange, job);
    http_handler_fn *fn = x->call;

    x->verdict = fn(&x->req);
    assert(x->verdict == HTTP_DECLINED || x->req.response.status > 0);
}

static void call_submit(struct http_request *req, struct lane *lane, const struct uuid *key);

/* Those who come from one place wait for each other, not for everybody. */
static struct uuid place_key(const struct evidence *ev)
{
    size_t address = ev->peer.family == 6 ? 8 : 16; /* one IPv6 client has a whole /64 */
    uint64_t hash = str_hash((struct str){(const char *)ev->peer.bytes, address});
    struct uuid key = ev->attachment;

    for (size_t i = 0; i < sizeof(hash); i++)
        key.bytes[i] ^= (uint8_t)(hash >> (8 * i));
    return key;
}

static void call_password(struct http_request *req)
{
    struct http_exchange *x = exchange_of(req);
    struct uuid key = place_key(req->evidence);

    assert(req->route->call && x->call != req->route->call);
    x->call = req->route->call;
    call_submit(req, x->home->server->config.lanes.password, &key);
}

static void call_done(struct lane_job *job, enum rc rc)
{
    struct http_exchange *x = CONTAINER_OF(job, struct http_exchange, job);

    if (rc != RC_OK)
        respond_unavailable(&x->req, "the server is busy");
    else if (x->verdict == HTTP_DECLINED)
        call_password(&x->req);
    else
        http_respond(&x->req);
}

static void call_submit(struct http_request *req, struct lane *lane, const struct uuid *key)
{
    struct http_exchange *x = exchange_of(req);

    x->job = (struct lane_job){
        .key = *key,
        .run = call_run,
        .done = call_done,
        .home = req->loop,
    };
    req->body = buf_str(&x->collected);
    if (!x->conn) { /* nobody waits for it any more */
        http_respond(req);
        return;
    }
    if (lane_submit(lane, &x->job, NULL) != RC_OK)
        respond_unavailable(req, "the server is busy");
}

static void call_read(struct http_request *req)
{
    call_submit(req, exchange_of(req)->home->server->config.lanes.read, &req->lane_key);
}

/* --- collecting its body --- */

static uint64_t body_max(const struct http_request *req)
{
    return req->body_max > 0 ? req->body_max : HTTP_CALL_BODY_MAX;
}

static void respond_too_large(struct http_request *req)
{
    http_exchange_error(exchange_of(req), 413, "the body is too large");
    http_respond(req);
}

static enum http_flow collect_data(struct http_request *req, struct str bytes)
{
    struct http_exchange *x = exchange_of(req);
    size_t need = x->collected.len + bytes.len;

    if (need > body_max(req))
        respond_too_large(req);
    else if (!http_body_reserve(x, need))
        respond_unavailable(req, "too many request bodies at once");
    else
        buf_add(&x->collected, bytes);
    return HTTP_FLOW_ON;
}

static void collect_end(struct http_request *req)
{
    req->sink = NULL;
    call_read(req);
}

static void collect_abort(struct http_request *req, enum rc reason)
{
    (void)reason;
    http_respond(req);
}

static const struct http_sink collector = {collect_data, collect_end, collect_abort};

void http_call_start(struct http_request *req, http_handler_fn *fn)
{
    struct http_exchange *x = exchange_of(req);

    x->call = fn;
    x->collected = BUF_INIT(HTTP_CALL_BODY_MAX);
    if (!req->has_body)
        call_read(req);
    else if (req->content_length > 0 && (uint64_t)req->content_length > body_max(req))
        respond_too_large(req);
    else if (req->content_length > 0 && !http_body_reserve(x, (uint64_t)req->content_length))
        respond_unavailable(req, "too many request bodies at once");
    else
        http_body_take(req, &collector);
}

/* --- kinds of routes --- */

void http_dispatch(struct http_request *req)
{
    const struct http_route *route = req->route;

    assert(route && loop_is_current(req->loop));
    if (http_client_gone(req)) {
        http_respond(req);
        return;
    }
    if (route->kind == ROUTE_CALL) {
        http_call_start(req, route->start);
        return;
    }
    if (route->start(req) == HTTP_ANSWERED)
        http_respond(req);
    else if (route->kind == ROUTE_HOT)
        http_call_start(req, route->call);
}
