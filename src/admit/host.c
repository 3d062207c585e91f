/* Host: which registry, and under which names this server answers. */
#include "admit/private.h"

const struct snapshot_registry *admit_host_registry(const struct snapshot *s, struct str host)
{
    struct ip_addr ip;
    const struct snapshot_registry *r = snapshot_by_host(s, host);

    if (r)
        return r;
    if (str_is_nocase(host, "localhost") || ip_parse(host, &ip, NULL) == RC_OK)
        return s->default_registry;
    return NULL;
}

static bool is_arm_name(struct str suffix, struct str host)
{
    static const struct str arm = {"arm.", 4};

    return host.len == arm.len + suffix.len && str_starts_nocase(host, arm) &&
           str_eq_nocase(str_skip(host, arm.len), suffix);
}

bool admit_host_is_ours(const struct admit *a, const struct http_request *req)
{
    struct ip_addr ip;
    struct str host = req->host, name = a->config.control_name;

    if (ip_parse(host, &ip, NULL) == RC_OK)
        return ip_eq(&ip, &req->evidence->local) || (name.len > 0 && str_eq_nocase(host, name));
    return str_is_nocase(host, "localhost") || is_arm_name(a->config.suffix, host) ||
           (name.len > 0 && str_eq_nocase(host, name));
}

void admit_answer_unknown_host(struct http_request *req)
{
    http_answer(req, 404, "application/json",
                STR("{\"errors\":[{\"code\":\"NOT_FOUND\",\"message\":\"no server of that name\","
                    "\"detail\":null}]}\n"));
}

struct str admit_base_url(struct http_request *req)
{
    return arena_printf(&req->arena, "%s://%.*s", req->evidence->tls ? "https" : "http",
                        STR_ARG(req->authority));
}

struct str admit_control_url(struct http_request *req)
{
    return admit_base_url(req);
}

struct str admit_login_server_of(struct admit *a, struct arena *arena, struct str login_host)
{
    if (a->config.login_port == 443)
        return arena_copy(arena, login_host);
    return arena_printf(arena, "%.*s:%u", STR_ARG(login_host), a->config.login_port);
}

struct str admit_login_server(struct http_request *req)
{
    const struct admission *a = admission_of(req);

    return admit_login_server_of(a->admit, &req->arena, a->registry->login_host);
}
