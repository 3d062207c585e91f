/* Who has which role where: the stored role assignments, by principal. */
#include "base/log.h"
#include "base/mem.h"
#include "snapshot/private.h"

static enum rc assignment_read(const struct meta_resource *r, struct arena *a,
                               struct snapshot_assignment *ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = json_parse(r->body, NULL, &body, e);
    const struct json *properties = json_get(body, "properties");
    struct snapshot_assignment s = {0};

    if (rc == RC_OK)
        rc = uuid_parse(json_str(json_get(properties, "principalId")), &s.principal, e);
    if (rc != RC_OK)
        return rc;
    s.role = auth_role_by_id(json_str(json_get(properties, "roleDefinitionId")));
    if (!s.role)
        return err_set(e, RC_UNSUPPORTED, "its role is not known");
    s.registry_actions = auth_role_registry_actions(s.role);
    s.scope = arena_copy(a, json_str(json_get(properties, "scope")));
    if (s.scope.len == 0)
        return err_set(e, RC_INVALID, "it has no scope");
    *ret = s;
    return RC_OK;
}

/* One that this version does not understand gives nothing, and the others are in force. A change
 * that made one would have been refused. */
static enum rc assignment_add(const struct meta_resource *r, void *arg, struct err *e)
{
    struct snapshot_roles *roles = arg;
    struct snapshot_assignment one;
    struct err why = {0};

    (void)e;
    if (assignment_read(r, &roles->arena, &one, &why) != RC_OK) {
        log_error("snapshot.role_left_out", F_STR("id", r->id), F_TEXT("reason", why.text));
        return RC_OK;
    }
    if ((roles->n & (roles->n - 1)) == 0) /* full at each power of two */
        roles->list = mem_grow(roles->list, roles->n > 0 ? 2 * roles->n : 1, sizeof(one));
    roles->list[roles->n++] = one;
    return RC_OK;
}

/* --- the order: by principal, then by the length of the scope, then by its text without case ---
 */

static struct str without_slash(struct str scope)
{
    return str_ends(scope, STR("/")) ? str_take(scope, scope.len - 1) : scope;
}

static int scope_order(struct str a, struct str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    for (size_t i = 0; i < a.len; i++) {
        int order = (unsigned char)ascii_lower(a.ptr[i]) - (unsigned char)ascii_lower(b.ptr[i]);

        if (order != 0)
            return order;
    }
    return 0;
}

static int principal_order(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int assignment_order(const void *left, const void *right)
{
    const struct snapshot_assignment *a = left, *b = right;
    int order = principal_order(&a->principal, &b->principal);

    return order != 0 ? order : scope_order(without_slash(a->scope), without_slash(b->scope));
}

enum rc roles_load(struct meta_tx *tx, struct snapshot_roles **ret, struct err *e)
{
    struct snapshot_roles *roles = MEM_NEW(struct snapshot_roles);

    roles->arena = ARENA_INIT(SIZE_MAX / 2);
    enum rc rc =
        meta_resource_each(tx, STR(""), STR(SNAPSHOT_TYPE_ASSIGNMENT), assignment_add, roles, e);

    if (rc != RC_OK) {
        roles_free(roles);
        return rc;
    }
    if (roles->n > 0)
        qsort(roles->list, roles->n, sizeof(*roles->list), assignment_order);
    *ret = roles;
    return RC_OK;
}

void roles_free(struct snapshot_roles *r)
{
    if (!r)
        return;
    free(r->list);
    arena_done(&r->arena);
    free(r);
}

/* --- reading --- */

/* How many of the list come before the principal's own, or, with `after`, end with them. */
static size_t place_of(const struct snapshot_roles *r, const struct uuid *principal, bool after)
{
    size_t low = 0, high = r->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (principal_order(&r->list[middle].principal, principal) < (after ? 1 : 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct snapshot_assignment *snapshot_assignments(const struct snapshot *s,
                                                       const struct uuid *principal, size_t *ret_n)
{
    const struct snapshot_roles *r = s->roles;
    size_t begin = place_of(r, principal, false);

    *ret_n = place_of(r, principal, true) - begin;
    return *ret_n > 0 ? r->list + begin : NULL; /* there may be no list at all */
}

struct own { /* of one principal */
    const struct snapshot_assignment *list;
    size_t n;
};

/* The first that is not before `scope`, which has no slash at its end. */
static size_t first_on(const struct own *own, struct str scope)
{
    size_t low = 0, high = own->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (scope_order(without_slash(own->list[middle].scope), scope) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool snapshot_assignment_any(const struct snapshot *s, const struct uuid *principal, struct str id,
                             bool (*is)(const struct snapshot_assignment *a, void *arg), void *arg)
{
    struct own own;

    own.list = snapshot_assignments(s, principal, &own.n);
    for (size_t end = 0; own.n > 0 && end <= id.len; end++) {
        struct str scope = str_take(id, end);

        if (end < id.len && id.ptr[end] != '/')
            continue;
        for (size_t i = first_on(&own, scope);
             i < own.n && scope_order(without_slash(own.list[i].scope), scope) == 0; i++)
            if (is(&own.list[i], arg))
                return true;
    }
    return false;
}
