/* The gate, asked for one request, and the one answer to those it refuses. */
#include "admit/private.h"
#include "base/metric.h"
#include <stdio.h>

enum { DENIAL_BODY_MAX = 8 * 1024 };

bool admit_decide(struct admission *a, const struct snapshot *s, const struct evidence *ev)
{
    const struct snapshot_registry *r =
        s == a->snapshot ? a->registry : snapshot_by_uuid(s, &a->registry->uuid);

    if (!r)
        return false;
    origin_resolve(s->origins, ev, &a->origin);
    a->decision = gate_decide(r->gate, &a->origin);
    a->decided = true;
    return true;
}

void admit_note_decision(struct http_request *req, const struct origin *o,
                         const struct gate_decision *d)
{
    struct admission *a = req->admission;
    struct denial denial = {.registry = a->registry->name,
                            .origin = o->kind,
                            .reason = d->reason,
                            .reported = d->report_only,
                            .attachment = o->attachment,
                            .subnet = o->subnet,
                            .address = o->ip};

    metric_add(d->allow ? METRIC_GATE_ALLOWED : METRIC_GATE_DENIED, 1);
    if (!d->allow || d->report_only)
        a->log_in_full = denial_log_add(a->admit->denials, &denial, loop_now_us(req->loop));
}

void admit_denial_text(const struct origin *o, char out[DENIAL_TEXT_MAX])
{
    char ip[IP_TEXT_MAX];
    struct str text = ip_format(&o->ip, ip);

    snprintf(out, DENIAL_TEXT_MAX,
             "client with IP '%.*s' is not allowed access. Ask the registry's administrator for a "
             "network rule to grant access.",
             STR_ARG(text));
}

static void detail_write(const struct admission *a, struct buf *b)
{
    char ip[IP_TEXT_MAX];
    struct str subnet = a->admit->config.denial_detail_full && a->origin.kind == ORIGIN_SUBNET
                            ? origin_subnet_id(a->snapshot->origins, &a->origin.subnet)
                            : STR_NONE;

    ip_format(&a->origin.ip, ip);
    buf_addf(b, "{\"origin\":\"%s\",\"ip\":\"%s\",\"reason\":\"%s\"",
             origin_kind_name(a->origin.kind), ip, gate_reason_name(a->decision.reason));
    if (subnet.ptr) {
        buf_add(b, STR(",\"subnet\":"));
        buf_add_json(b, subnet);
    }
    buf_addc(b, '}');
}

void admit_answer_denial(struct http_request *req)
{
    const struct admission *a = req->admission;
    CLEANUP(buf_done) struct buf b = BUF_INIT(DENIAL_BODY_MAX);
    char text[DENIAL_TEXT_MAX];

    admit_denial_text(&a->origin, text);
    buf_addf(&b, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"%s\",\"detail\":", text);
    detail_write(a, &b);
    buf_add(&b, STR("}]}\n"));
    http_answer_clear(req);
    http_answer(req, 403, "application/json", arena_copy(&req->arena, buf_str(&b)));
}
