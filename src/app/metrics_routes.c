#include "app/metrics_routes.h"
#include "admit/admit.h"
#include "base/metric.h"

enum { METRICS_MAX = 8 * 1024 * 1024 };
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_TYPE    "text/plain; charset=utf-8"

static enum http_verdict get_metrics(struct http_request *req)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(METRICS_MAX);

    metric_render(&out);
    admit_render_metrics(admission_of(req)->admit, &out);
    struct str body = arena_copy(&req->arena, buf_str(&out));

    if (out.failed || !body.ptr)
        metrics_error(req, 500, NULL, "metrics are larger than this server gives at once");
    else
        http_answer(req, 200, METRICS_TYPE, body);
    return HTTP_ANSWERED;
}

/* Alive: a loop turns. */
static enum http_verdict get_health(struct http_request *req)
{
    http_answer(req, 200, TEXT_TYPE, STR("ok\n"));
    return HTTP_ANSWERED;
}

/* Ready: there is a snapshot to judge by. */
static enum http_verdict get_ready(struct http_request *req)
{
    struct str body = arena_printf(&req->arena, "ready, generation %llu\n",
                                   (unsigned long long)admission_of(req)->snapshot->generation);

    http_answer(req, 200, TEXT_TYPE, body);
    return HTTP_ANSWERED;
}

void metrics_error(struct http_request *req, unsigned status, const char *code, const char *message)
{
    (void)code;
    http_answer(req, status, TEXT_TYPE, arena_printf(&req->arena, "%s\n", message));
}

static const struct http_route routes[] = {
    {HTTP_GET, "/metrics", "public", ROUTE_HOT, get_metrics, NULL},
    {HTTP_GET, "/healthz", "public", ROUTE_HOT, get_health, NULL},
    {HTTP_GET, "/readyz", "public", ROUTE_HOT, get_ready, NULL},
};
const struct http_routes metrics_routes = {routes, ARRAY_LEN(routes), false};
