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

static int principal_order(const void *left, const void *right)
{
    const struct snapshot_assignment *a = left, *b = right;

    return memcmp(a->principal.bytes, b->principal.bytes, sizeof(a->principal.bytes));
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
        qsort(roles->list, roles->n, sizeof(*roles->list), principal_order);
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

const struct snapshot_assignment *snapshot_assignments(const struct snapshot *s,
                                                       const struct uuid *principal, size_t *ret_n)
{
    const struct snapshot_roles *r = s->roles;
    size_t low = 0, high = r->n, end;

    while (low < high) { /* the first that is not before */
        size_t middle = low + (high - low) / 2;

        if (memcmp(r->list[middle].principal.bytes, principal->bytes, sizeof(principal->bytes)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < r->n && uuid_eq(&r->list[end].principal, principal);)
        end++;
    *ret_n = end - low;
    return end > low ? r->list + low : NULL; /* there may be no list at all */
}
