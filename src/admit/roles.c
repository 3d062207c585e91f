/* What a principal may, by its roles under a snapshot. */
#include "admit/private.h"

static bool is_administrator(const struct snapshot *s, const struct uuid *object_id)
{
    const struct snapshot_principal *known = snapshot_principal_by_object(s, object_id);

    return known && known->administrator;
}

/* The server's own things (attachments, who there is) are written by its administrator, whatever
 * roles others have. */
static bool is_servers_own(struct str action)
{
    return str_starts(action, STR("Kidoban.")) && !str_ends(action, STR("/read"));
}

static bool gives(const struct snapshot_assignment *a, void *arg)
{
    const struct str *action = arg;

    return auth_role_allows(a->role, *action);
}

bool admit_may(const struct snapshot *s, const struct principal *p, struct str action,
               struct str scope)
{
    if (p->kind != PRINCIPAL_IDENTITY)
        return false;
    if (is_administrator(s, &p->object_id))
        return true;
    return !is_servers_own(action) &&
           snapshot_assignment_any(s, &p->object_id, scope, gives, &action);
}

bool admit_may_inside(const struct snapshot *s, const struct principal *p, struct str action,
                      struct str scope)
{
    size_t n;
    const struct snapshot_assignment *list = snapshot_assignments(s, &p->object_id, &n);

    for (size_t i = 0; i < n; i++)
        if (auth_scope_covers(scope, list[i].scope) && auth_role_allows(list[i].role, action))
            return true;
    return false;
}

bool admit_sees(const struct snapshot *s, const struct principal *p, struct str scope)
{
    size_t n;
    const struct snapshot_assignment *list = snapshot_assignments(s, &p->object_id, &n);

    if (is_administrator(s, &p->object_id))
        return true;
    for (size_t i = 0; i < n; i++)
        if (auth_scope_covers(list[i].scope, scope) || auth_scope_covers(scope, list[i].scope))
            return true;
    return false;
}

static bool add_actions(const struct snapshot_assignment *a, void *arg)
{
    unsigned *actions = arg;

    *actions |= a->registry_actions;
    return false; /* the others too */
}

static unsigned identity_actions(const struct snapshot *s, struct str id, const struct principal *p)
{
    unsigned actions = 0;

    if (is_administrator(s, &p->object_id))
        return AUTH_EVERYTHING;
    (void)snapshot_assignment_any(s, &p->object_id, id, add_actions, &actions);
    return actions;
}

unsigned admit_registry_actions(const struct snapshot *s, const struct snapshot_registry *r,
                                const struct principal *p)
{
    unsigned anonymous = r->anonymous_pull ? AUTH_PULL : 0;

    switch (p->kind) {
    case PRINCIPAL_REGISTRY_ADMIN:
        return AUTH_EVERYTHING;
    case PRINCIPAL_IDENTITY:
        return anonymous | identity_actions(s, r->id, p);
    case PRINCIPAL_ANONYMOUS:
        break;
    }
    return anonymous;
}

/* --- what a request is about --- */

/* The path as it was matched: with the route's words and its parameters, single slashes. A
 * parameter that could stand for more than one segment where one is meant ends it: its handler
 * refuses it. */
static bool path_add(const struct http_request *req, struct str segment, struct buf *out)
{
    struct str value = segment;

    if (segment.len > 2 && segment.ptr[0] == '{') {
        bool many = segment.ptr[segment.len - 2] == '+';
        struct str name = str_take(str_skip(segment, 1), segment.len - (many ? 3 : 2));

        value = STR_NONE;
        for (size_t i = 0; i < req->n_params; i++)
            if (str_eq(req->params[i].name, name))
                value = req->params[i].value;
        if (!many && memchr(value.ptr, '/', value.len))
            return false;
    }
    buf_addc(out, '/');
    buf_add(out, value);
    return true;
}

struct auth_path admit_path(struct http_request *req)
{
    CLEANUP(buf_done) struct buf path = BUF_INIT(2 * HTTP_TARGET_MAX);
    struct str rest = str_from(req->route->pattern);
    bool more = true;

    (void)str_split(&rest, '/');
    while (more && rest.ptr)
        more = path_add(req, str_split(&rest, '/'), &path);
    struct str text = arena_copy(&req->arena, buf_str(&path));

    return text.ptr ? auth_path_read(text) : (struct auth_path){STR("/"), false};
}

struct str admit_client_name(struct http_request *req)
{
    const struct principal *p = &admission_of(req)->principal;
    char id[UUID_TEXT_MAX];

    if (uuid_is_nil(&p->app_id))
        return str_from(p->name);
    return arena_copy(&req->arena, uuid_format(&p->app_id, id));
}
