#include "http/exchange.h"
#include "sys/fd.h"
#include <assert.h>
#include <stdlib.h>

static struct http_exchange *exchange_of(const struct http_request *req)
{
    return (struct http_exchange *)CONTAINER_OF(req, struct http_exchange, req);
}

void http_exchange_init(struct http_exchange *x, struct http_conn *c, const struct evidence *ev)
{
    *x = (struct http_exchange){.home = c->home, .conn = c, .evidence = *ev};
    x->req.arena = ARENA_INIT(HTTP_ARENA_MAX);
    x->req.evidence = &x->evidence; /* a copy: a handler may outlive the stream */
    x->req.loop = c->home->loop;
    x->req.content_length = -1;
    x->req.response.file = -1;
    x->req.started_us = loop_now_us(c->home->loop);
}

void http_exchange_give(struct http_exchange *x)
{
    struct http_home *h = x->home;

    x->given = true;
    x->next = h->given;
    if (x->next)
        x->next->prev = x;
    h->given = x;
    h->n_given++;
    x->busy = true; /* so that it is still there to be asked below */
    h->server->config.service.request(h->server->config.service.ctx, &x->req);
    x->busy = false;
    x->late = !x->answered;
    if (x->answered && !x->conn)
        http_exchange_finish(x);
}

static void exchange_unlink(struct http_exchange *x)
{
    struct http_home *h = x->home;

    if (x->prev)
        x->prev->next = x->next;
    else
        h->given = x->next;
    if (x->next)
        x->next->prev = x->prev;
    h->n_given--;
}

void http_exchange_finish(struct http_exchange *x)
{
    const struct http_service *service = &x->home->server->config.service;

    x->conn = NULL;
    if (x->busy || x->pulling || (x->given && !x->answered))
        return; /* whoever uses it comes back here */
    if (x->given) {
        service->finished(service->ctx, &x->req);
        exchange_unlink(x);
    }
    fd_close(x->req.response.file);
    http_block_give(x->home, x->lent);
    buf_done(&x->collected);
    http_body_release(x);
    arena_done(&x->req.arena);
    x->free(x);
}

void http_exchange_error(struct http_exchange *x, unsigned status, const char *text)
{
    const struct http_service *service = &x->home->server->config.service;

    http_answer_clear(&x->req);
    if (service->error)
        service->error(service->ctx, &x->req, status, text);
    if (x->req.response.status == 0)
        http_answer(&x->req, status, "text/plain", str_from(text));
    if (status == 503 && !http_answer_field(&x->req, "Retry-After").ptr)
        http_add_field(&x->req, "Retry-After", STR("1"));
}

void http_exchange_abort_body(struct http_exchange *x, enum rc reason, unsigned status,
                              const char *text)
{
    const struct http_sink *sink = x->req.sink;

    x->body_over = true;
    x->failure = status;
    x->failure_text = text;
    x->req.sink = NULL;
    if (sink)
        sink->abort(&x->req, reason);
}

void http_exchange_client_gone(struct http_exchange *x)
{
    const struct http_source *source = x->req.response.source;

    x->conn = NULL;
    if (x->answered) {
        if (source)
            source->abort(&x->req);
        http_exchange_finish(x);
    } else if (!x->given) {
        http_exchange_finish(x);
    } else if (!x->body_over) {
        http_exchange_abort_body(x, RC_CANCELED, 0, NULL);
    }
}

/* --- what handlers call --- */

static void complete_answer(struct http_exchange *x)
{
    const struct http_service *service = &x->home->server->config.service;

    if (x->failure > 0 && x->req.response.status == 0)
        http_exchange_error(x, x->failure, x->failure_text);
    if (x->late && service->answering)
        service->answering(service->ctx, &x->req);
    if (x->req.response.status == 0)
        http_exchange_error(x, 500, "the request was not answered");
}

static const char cut_text[] = "access was withdrawn";

void http_respond(struct http_request *req)
{
    struct http_exchange *x = exchange_of(req);

    assert(loop_is_current(req->loop));
    assert(x->given && !x->answered);
    req->sink = NULL;
    if (x->conn)
        complete_answer(x);
    x->answered = true;
    if (x->conn)
        x->conn->protocol->respond(x);
    else
        http_exchange_finish(x);
}

void http_body_take(struct http_request *req, const struct http_sink *sink)
{
    struct http_exchange *x = exchange_of(req);

    assert(loop_is_current(req->loop));
    assert(x->given && !x->answered && !req->sink);
    if (!x->conn) {
        sink->abort(req, RC_CANCELED);
        return;
    }
    req->sink = sink;
    if (x->cut)
        http_exchange_abort_body(x, RC_DENIED, 403, cut_text);
    else
        x->conn->protocol->go_on(x);
}

void http_body_resume(struct http_request *req)
{
    struct http_exchange *x = exchange_of(req);

    assert(loop_is_current(req->loop));
    assert(x->paused);
    x->paused = false;
    http_block_give(x->home, x->lent);
    x->lent = NULL;
    if (x->conn && !x->answered)
        x->conn->protocol->go_on(x);
}

void http_source_ready(struct http_request *req)
{
    struct http_exchange *x = exchange_of(req);

    assert(loop_is_current(req->loop));
    assert(x->pulling);
    x->pulling = false;
    if (x->conn)
        x->conn->protocol->go_on(x);
    else
        http_exchange_finish(x);
}

bool http_client_gone(const struct http_request *req)
{
    return !exchange_of(req)->conn;
}

enum http_cut http_cut(struct http_request *req)
{
    struct http_exchange *x = exchange_of(req);

    assert(loop_is_current(req->loop));
    if (!x->conn)
        return HTTP_CUT_LATER;
    if (x->answered) {
        x->conn->protocol->reset(x->conn);
        return HTTP_CUT_RESET;
    }
    x->cut = true;
    if (!req->sink || x->body_over)
        return HTTP_CUT_LATER;
    http_exchange_abort_body(x, RC_DENIED, 403, cut_text);
    return HTTP_CUT_REFUSED;
}
