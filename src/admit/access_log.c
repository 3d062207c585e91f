/* One line for each request, with where it came from and what the gate said. Never its query or
 * fields: they can hold tokens. */
#include "admit/private.h"
#include "base/clock.h"
#include "base/log.h"

enum { PATH_MAX_LOGGED = 512 };

static const char *class_name(enum net_class class)
{
    return class == NET_DATA ? "data" : class == NET_CONTROL ? "control" : "metrics";
}

static struct str path_of(const struct http_request *req)
{
    struct str target = str_take(req->target, str_find(req->target, '?'));

    return str_take(target, PATH_MAX_LOGGED);
}

/* What the gate knew; only data listeners have it. */
static size_t gate_fields(const struct admission *a, struct log_field *f)
{
    const struct snapshot *s = a->snapshot;
    struct str attachment = origin_attachment_name(s->origins, &a->origin.attachment);
    struct str subnet = a->origin.kind == ORIGIN_SUBNET
                            ? origin_subnet_id(s->origins, &a->origin.subnet)
                            : STR_NONE;
    size_t n = 0;

    f[n++] = F_STR("registry", a->registry->name);
    f[n++] = F_TEXT("origin", origin_kind_name(a->origin.kind));
    if (attachment.ptr)
        f[n++] = F_STR("attachment", attachment);
    if (subnet.ptr)
        f[n++] = F_STR("subnet", subnet);
    f[n++] = F_TEXT("decision", a->decision.allow ? "Allow" : "Deny");
    f[n++] = F_TEXT("reason", gate_reason_name(a->decision.reason));
    if (a->decision.report_only)
        f[n++] = F_BOOL("report_only", true);
    return n;
}

void admit_log(const struct http_request *req)
{
    const struct admission *a = req->admission;
    struct log_field f[24];
    char peer[IP_TEXT_MAX], via[IP_TEXT_MAX], ip[IP_TEXT_MAX];
    size_t n = 0;

    f[n++] = F_TEXT("class", class_name(req->evidence->class));
    f[n++] = F_STR("peer", ip_format(&req->evidence->peer, peer));
    if (req->evidence->via.family)
        f[n++] = F_STR("via", ip_format(&req->evidence->via, via));
    f[n++] = F_STR("method", str_take(req->method_text, 32));
    f[n++] = F_STR("host", req->host);
    f[n++] = F_STR("path", path_of(req));
    f[n++] = F_U64("status", req->response.status);
    f[n++] = F_TEXT("outcome", a->outcome);
    if (a->decided) {
        f[n++] = F_STR("ip", ip_format(&a->origin.ip, ip));
        n += gate_fields(a, f + n);
    }
    if (a->principal.name[0])
        f[n++] = F_TEXT("principal", a->principal.name);
    f[n++] = F_U64("generation", a->snapshot->generation);
    f[n++] = F_U64("bytes_in", req->bytes_in);
    f[n++] = F_U64("bytes_out", req->bytes_out);
    f[n++] = F_I64("us", clock_mono_us() - req->started_us);
    log_write(LOG_INFO, "request", f, n);
}
