/* Judging again where a write commits: the configuration may have changed since the request was let
 * in, and a change whose reply has left must hold for every later commit. */
#include "admit/private.h"
#include <assert.h>

struct guard {
    struct snapshot_hub *hub;
    struct evidence evidence;        /* a copy: the connection may end before the handler does */
    const struct snapshot *snapshot; /* pinned as long as the request is */
    const struct snapshot_registry *registry;
    struct principal principal;
    unsigned actions; /* that the route needs */
};

static enum rc judge_newest(const struct snapshot *s, void *arg, struct err *e)
{
    const struct guard *g = arg;
    struct admission now = {.snapshot = g->snapshot, .registry = g->registry};
    char text[DENIAL_TEXT_MAX];

    if (!admit_decide(&now, s, &g->evidence))
        return err_code(e, RC_NOT_FOUND, "NAME_UNKNOWN", "the registry was deleted");
    if (!now.decision.allow) {
        admit_denial_text(&now.origin, text);
        return err_code(e, RC_DENIED, "DENIED", "%s", text);
    }
    const struct snapshot_registry *r = snapshot_by_uuid(s, &now.registry->uuid);

    if (!admit_principal_stands(s, r, &g->principal))
        return err_code(e, RC_UNAUTHENTICATED, "UNAUTHORIZED",
                        "the credential was renewed or disabled");
    if ((admit_registry_actions(s, r, &g->principal) & g->actions) != g->actions)
        return err_code(e, RC_UNAUTHENTICATED, "UNAUTHORIZED",
                        "the role that allowed this was taken away");
    return RC_OK;
}

static enum rc judge(void *ctx, struct err *e)
{
    struct guard *g = ctx;

    return snapshot_with_newest(g->hub, judge_newest, g, e);
}

static enum rc judge_nothing(void *ctx, struct err *e)
{
    (void)ctx;
    return err_set(e, RC_UNAVAILABLE, "no memory to judge the write");
}

struct registry_guard admit_guard(struct http_request *req)
{
    const struct admission *a = admission_of(req);
    struct guard *g = ARENA_NEW(&req->arena, struct guard);

    assert(a->registry);
    if (!g)
        return (struct registry_guard){.judge = judge_nothing};
    *g = (struct guard){.hub = a->admit->config.hub,
                        .evidence = *req->evidence,
                        .snapshot = a->snapshot,
                        .registry = a->registry,
                        .principal = a->principal,
                        .actions = admit_needed_actions(req)};
    return (struct registry_guard){.judge = judge, .ctx = g};
}
