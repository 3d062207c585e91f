#include "admit/private.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include <assert.h>

enum { PUBLIC_BODY_MAX = 64 * 1024 };

struct admission *admission_of(const struct http_request *req)
{
    assert(req->admission);
    return req->admission;
}

struct registry_store *admit_store(const struct http_request *req)
{
    return admission_of(req)->admit->config.store;
}

struct snapshot_hub *admit_hub(const struct http_request *req)
{
    return admission_of(req)->admit->config.hub;
}

struct str admit_suffix(const struct http_request *req)
{
    return admission_of(req)->admit->config.suffix;
}

const struct lanes *admit_lanes(const struct http_request *req)
{
    return &admission_of(req)->admit->config.lanes;
}

void *admit_services(const struct http_request *req)
{
    return admission_of(req)->admit->config.services;
}

const struct admit_api *admit_api_of(const struct admit *a, const struct http_request *req)
{
    switch (req->evidence->class) {
    case NET_DATA:
        return &a->config.data;
    case NET_CONTROL:
        return &a->config.control;
    case NET_METRICS:
        break;
    }
    return &a->config.metrics;
}

void admit_refuse(struct http_request *req, unsigned status, const char *code, const char *message,
                  const char *outcome)
{
    struct admission *a = req->admission;

    a->outcome = outcome;
    admit_api_of(a->admit, req)->error(req, status, code, message);
}

/* --- the steps, each false when it has answered --- */

static bool pass_host(struct http_request *req)
{
    struct admission *a = req->admission;
    struct denial unknown = {.attachment = req->evidence->attachment,
                             .address = req->evidence->peer};

    if (req->evidence->class == NET_DATA)
        a->registry = admit_host_registry(a->snapshot, req->host);
    if (a->registry || (req->evidence->class != NET_DATA && admit_host_is_ours(a->admit, req)))
        return true;
    a->outcome = "no-such-host";
    a->log_in_full = denial_log_add(a->admit->denials, &unknown, loop_now_us(req->loop));
    admit_answer_unknown_host(req);
    return false;
}

static bool pass_gate(struct http_request *req)
{
    struct admission *a = req->admission;

    if (req->evidence->class != NET_DATA)
        return true;
    admit_decide(a, a->snapshot, req->evidence);
    admit_note_decision(req, &a->origin, &a->decision);
    if (a->decision.allow)
        return true;
    a->outcome = "deny";
    admit_answer_denial(req);
    return false;
}

static unsigned target_status(enum rc rc)
{
    return rc == RC_TOO_LARGE ? 414 : rc == RC_UNSUPPORTED ? 505 : 400;
}

static bool pass_route(struct http_request *req)
{
    const struct admission *a = req->admission;
    struct err e = {0};
    struct str allow = STR_NONE;
    enum rc rc = http_target_parse(req, &e);

    if (rc != RC_OK) {
        admit_refuse(req, target_status(rc), NULL, e.text, "bad-request");
        return false;
    }
    rc = http_route_find(&admit_api_of(a->admit, req)->routes, req, &allow);
    if (rc == RC_OK)
        return true;
    if (rc == RC_UNSUPPORTED) {
        http_add_field(req, "Allow", allow);
        admit_refuse(req, 405, NULL, "the method is not offered here", "no-such-method");
    } else if (rc == RC_NOT_FOUND)
        admit_refuse(req, 404, NULL, "nothing is served under this path", "no-such-path");
    else
        admit_refuse(req, 400, NULL, "the path is malformed", "bad-request");
    return false;
}

static bool pass_authorization(struct http_request *req)
{
    switch (req->evidence->class) {
    case NET_DATA:
        return admit_authorize_data(req);
    case NET_CONTROL:
        return admit_authorize_control(req);
    case NET_METRICS:
        break;
    }
    assert(str_is(str_from(req->route->access), "public"));
    return true;
}

/* Whose work it is, and how much of it: of those who have shown nothing yet, a form's worth. */
static void set_limits(struct http_request *req)
{
    const struct admission *a = req->admission;

    req->lane_key = a->registry ? a->registry->uuid : a->snapshot->identity->subscription;
    if (str_is(str_from(req->route->access), "public"))
        req->body_max = PUBLIC_BODY_MAX;
}

static void on_request(void *ctx, struct http_request *req)
{
    struct admit *admit = ctx;
    struct admission *a = ARENA_NEW(&req->arena, struct admission);

    assert(a); /* the arena is fresh but for the head, which is far smaller than its maximum */
    a->admit = admit;
    a->outcome = "allow";
    a->snapshot = snapshot_pin(admit->config.hub, req->loop);
    req->admission = a;
    admit_forward(req);
    if (!pass_host(req) || !pass_gate(req) || !pass_route(req) || !pass_authorization(req)) {
        http_respond(req);
        return;
    }
    set_limits(req);
    http_dispatch(req);
}

/* --- afterwards --- */

/* Past its ration a refusal has no line of its own; everything else has. */
static bool is_logged(const struct admission *a)
{
    bool refused = (a->decided && !a->decision.allow) || strcmp(a->outcome, "no-such-host") == 0;

    return log_enabled(LOG_INFO) && (!refused || a->log_in_full);
}

/* Does the newest snapshot still let the request in? Once it does not, later ones are not asked: it
 * is being ended. */
static bool still_allowed(struct http_request *req, const struct snapshot *s, const char *outcome)
{
    struct admission *a = req->admission;
    struct admission now = {.snapshot = a->snapshot, .registry = a->registry};

    if (a->closed.is)
        return false;
    if (!a->decided || !a->decision.allow || s == a->snapshot)
        return true;
    bool there = admit_decide(&now, s, req->evidence);

    if (there && now.decision.allow)
        return true;
    a->closed.is = true;
    a->closed.gone = !there;
    a->closed.origin = now.origin;
    a->closed.decision = now.decision;
    a->closed.outcome = there ? outcome : "no-such-host";
    if (there)
        admit_note_decision(req, &now.origin, &now.decision);
    else
        a->log_in_full = true;
    return false;
}

/* The handler has ended, or never ran elsewhere: what the loop found out meanwhile becomes what is
 * known. */
static void close_admission(struct admission *a)
{
    if (!a->closed.is)
        return;
    a->outcome = a->closed.outcome;
    if (a->closed.gone)
        return;
    a->origin = a->closed.origin;
    a->decision = a->closed.decision;
}

static void answer_closed(struct http_request *req)
{
    struct admission *a = req->admission;

    close_admission(a);
    http_answer_clear(req);
    if (a->closed.gone)
        admit_answer_unknown_host(req);
    else
        admit_answer_denial(req);
}

/* A handler has worked meanwhile: its answer is not for those who may not come in any more. */
static void on_answering(void *ctx, struct http_request *req)
{
    struct admit *admit = ctx;

    if (!still_allowed(req, snapshot_current(admit->config.hub, req->loop), "deny"))
        answer_closed(req);
}

static void judge_one(void *ctx, struct http_request *req)
{
    const struct snapshot *const *s = ctx;

    if (req->admission && !still_allowed(req, *s, "cut"))
        (void)http_cut(req);
}

void admit_judge_again(struct http_server *http, struct loop *l, const struct snapshot *s)
{
    http_server_each(http, l, judge_one, &s);
}

static void on_finished(void *ctx, struct http_request *req)
{
    struct admit *admit = ctx;
    struct admission *a = req->admission;

    close_admission(a);
    if (is_logged(a))
        admit_log(req);
    denial_log_tick(admit->denials, loop_now_us(req->loop));
    snapshot_unpin(admit->config.hub, req->loop, a->snapshot);
    req->admission = NULL;
}

static void on_error(void *ctx, struct http_request *req, unsigned status, const char *text)
{
    const struct admit *admit = ctx;
    const struct admission *a = req->admission;

    if (a && a->closed.is)
        answer_closed(req);
    else
        admit_api_of(admit, req)->error(req, status, NULL, text);
}

struct http_service admit_service(struct admit *a)
{
    return (struct http_service){
        .ctx = a,
        .request = on_request,
        .finished = on_finished,
        .answering = on_answering,
        .error = on_error,
    };
}

/* --- failed sign-ins --- */

struct auth_limiter_key admit_limiter_key(struct http_request *req, struct str account)
{
    const struct admission *a = admission_of(req);
    bool nobody = a->decided && a->origin.kind == ORIGIN_UNIDENTIFIED;

    return (struct auth_limiter_key){.attachment = a->decided ? a->origin.attachment
                                                              : req->evidence->attachment,
                                     .address = nobody ? a->origin.ip : req->evidence->peer,
                                     .account = account};
}

bool admit_sign_in_allowed(struct http_request *req, struct str account)
{
    struct auth_limiter_key key = admit_limiter_key(req, account);

    return auth_limiter_allows(admission_of(req)->admit->config.limiter, &key, clock_mono_us());
}

void admit_sign_in_failed(struct http_request *req, struct str account)
{
    struct auth_limiter_key key = admit_limiter_key(req, account);

    auth_limiter_failed(admission_of(req)->admit->config.limiter, &key, clock_mono_us());
}

/* --- the object --- */

static enum rc config_check(const struct admit_config *c, struct err *e)
{
    const struct http_routes *r = &c->metrics.routes;

    if (!c->hub || !c->limiter || !c->data.error || !c->control.error || !c->metrics.error)
        return err_set(e, RC_INTERNAL, "admission lacks a part");
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->list[i].access, "public") != 0)
            return err_set(e, RC_INTERNAL, "metrics route %s is not public", r->list[i].pattern);
    return RC_OK;
}

enum rc admit_new(const struct admit_config *config, struct admit **ret, struct err *e)
{
    enum rc rc = config_check(config, e);

    if (rc != RC_OK)
        return rc;
    struct admit *a = MEM_NEW(struct admit);
    char *at = a->texts = MEM_ARRAY(char, config->suffix.len + config->control_name.len);

    a->config = *config;
    a->config.suffix = str_put(&at, config->suffix);
    a->config.control_name = str_put(&at, config->control_name);
    a->denials = denial_log_new();
    a->tokens = auth_token_cache_new();
    *ret = a;
    return RC_OK;
}

void admit_free(struct admit *a)
{
    if (!a)
        return;
    denial_log_free(a->denials);
    auth_token_cache_free(a->tokens);
    free(a->texts);
    free(a);
}

void admit_render_metrics(struct admit *a, struct buf *out)
{
    denial_log_tick(a->denials, clock_mono_us());
    denial_log_render(a->denials, out);
}

void admit_render_denials(const struct http_request *req, struct str registry, uint64_t after,
                          struct buf *out)
{
    const struct admission *a = admission_of(req);

    char since[CLOCK_TEXT_MAX];

    buf_addf(out, "{\"since\":\"%.*s\",\"value\":",
             STR_ARG(clock_format_z(denial_log_began(a->admit->denials), since)));
    denial_log_recent(a->admit->denials, registry, after, a->snapshot->origins, out);
    buf_addc(out, '}');
}
