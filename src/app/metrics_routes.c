#include "app/metrics_routes.h"
#include "admit/admit.h"
#include "arm/arm.h"
#include "base/metric.h"

enum { METRICS_MAX = 8 * 1024 * 1024 };
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_TYPE    "text/plain; charset=utf-8"

/* As a label's value. */
static void add_quoted(struct buf *out, struct str text)
{
    buf_addc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_addc(out, '\\');
        buf_addc(out, text.ptr[i] == '\n' ? ' ' : text.ptr[i]);
    }
    buf_addc(out, '"');
}

static void add_attachment(const struct arm_services *s, const struct origin_attachment *at,
                           struct buf *out)
{
    char reason[256] = "";
    enum arm_attachment_state state =
        s->attachment_state(s->attachment_ctx, &at->uuid, reason, sizeof(reason));

    buf_add(out, STR("kidoban_attachment_state{attachment="));
    add_quoted(out, at->name);
    buf_addf(out, ",kind=\"%s\",state=\"%s\",reason=", origin_attachment_kind_name(at->kind),
             arm_attachment_state_name(state));
    add_quoted(out, str_from(reason));
    buf_add(out, STR("} 1\n"));
}

/* Of every kind, whether it has a listener of its own or is heard of on others. */
static void add_attachments(const struct http_request *req, struct buf *out)
{
    const struct arm_services *s = admit_services(req);
    const struct origin_attachment *list = NULL;
    size_t n = origin_attachments(admission_of(req)->snapshot->origins, &list);

    buf_add(out, STR("# HELP kidoban_attachment_state The state that an attachment is in, and why\n"
                     "# TYPE kidoban_attachment_state gauge\n"));
    for (size_t i = 0; i < n; i++)
        add_attachment(s, &list[i], out);
}

static enum http_verdict get_metrics(struct http_request *req)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(METRICS_MAX);

    metric_render(&out);
    admit_render_metrics(admission_of(req)->admit, &out);
    add_attachments(req, &out);
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
