/* Who uses what among the resources of Microsoft.Network. */
#include "arm/network.h"
#include "arm/role.h"
#include "base/mem.h"

#define SUBNETS "Microsoft.Network/virtualNetworks/subnets"

/* --- what an id names --- */
void network_target_done(struct network_target *t)
{
    json_free(t->body);
    t->body = NULL;
}

static enum rc target_find(struct arm_write *w, const struct arm_id *id, bool subnet,
                           struct network_target *t, struct err *e)
{
    struct arm_id parent = arm_id_parent(id);
    struct str whole = arm_id_format(subnet ? &parent : id, w->arena);
    struct str name = subnet ? id->parts[id->n - 1].name : STR_NONE;
    enum rc rc = meta_resource_get(w->tx, w->arena, whole, &t->r, e);

    if (rc == RC_OK)
        rc = arm_body_parse(&t->r, &t->body, e);
    if (rc != RC_OK)
        return rc;
    t->holder = subnet ? arm_child_find(json_path(t->body, "properties.subnets"), name) : t->body;
    if (!t->holder)
        return err_set(e, RC_NOT_FOUND, "no such subnet");
    t->id = subnet ? arena_printf(w->arena, "%.*s/subnets/%.*s", STR_ARG(t->r.id),
                                  STR_ARG(json_str(json_get(t->holder, "name"))))
                   : t->r.id;
    return t->id.ptr ? RC_OK : err_set(e, RC_TOO_LARGE, "The request is too large.");
}

static enum rc target_open(struct arm_write *w, struct str text, const char *type,
                           struct network_target *ret, struct err *e)
{
    struct network_target t = {0};
    struct arm_id id;
    bool subnet;
    enum rc rc;

    if (arm_id_parse(text, &id, NULL) != RC_OK || id.group.len == 0 ||
        (type && !arm_id_is(&id, type)))
        return err_set(e, RC_NOT_FOUND, "no such resource");
    subnet = arm_id_is(&id, SUBNETS);
    rc = target_find(w, &id, subnet, &t, e);
    if (rc == RC_OK)
        *ret = t;
    else
        network_target_done(&t);
    return rc;
}

enum rc network_target_open(struct arm_write *w, struct str id, const char *type, struct str source,
                            struct network_target *ret, struct err *e)
{
    struct str action = arena_printf(w->arena, "%s/join/action", type);
    enum rc rc = arm_linked_check(w, action.ptr, id, e);

    if (rc == RC_OK)
        rc = target_open(w, id, type, ret, e);
    if (rc != RC_NOT_FOUND)
        return rc;
    return err_code(e, RC_INVALID, "InvalidResourceReference",
                    "Resource %.*s referenced by resource %.*s was not found. Please make sure "
                    "that the referenced resource exists, and that both resources are in the same "
                    "region.",
                    STR_ARG(str_take(id, 300)), STR_ARG(str_take(source, 300)));
}

/* --- lists of users --- */
const struct json *network_users(const struct json *holder)
{
    return json_get(holder, "usedBy");
}

struct json *network_users_render(const struct json *holder, const char *type)
{
    const struct json *users = network_users(holder);
    struct json *out = json_new_array();

    for (size_t i = 0; i < json_len(users); i++) {
        struct str id = json_str(json_get(json_at(users, i), "id"));
        struct json *one;
        struct arm_id parsed;

        if (type && (arm_id_parse(id, &parsed, NULL) != RC_OK || !arm_id_is(&parsed, type)))
            continue;
        one = json_new_object();
        json_set_str(one, "id", id);
        json_append(out, one);
    }
    if (json_len(out) > 0)
        return out;
    json_free(out);
    return NULL;
}

void network_user_add(struct json *holder, const struct network_use *use)
{
    struct json *one = json_new_object();

    if (!json_get(holder, "usedBy"))
        json_set(holder, "usedBy", json_new_array());
    json_set_str(one, "id", use->user);
    if (use->address.ptr)
        json_set_str(one, "address", use->address);
    json_append(json_get(holder, "usedBy"), one);
}

/* --- looking up what was sent --- */
static int by_target(const void *left, const void *right)
{
    struct network_use *const *a = left, *const *b = right;

    return str_cmp_nocase((*a)->target, (*b)->target);
}

/* All of these name the same. */
static enum rc same_bind(struct arm_write *w, struct network_use *const *same, size_t n,
                         const char *type, struct err *e)
{
    struct network_target t = {0};
    enum rc rc = network_target_open(w, same[0]->target, type, same[0]->user, &t, e);

    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        json_set_str(same[i]->named, "id", t.id);
        same[i]->target = t.id;
    }
    network_target_done(&t);
    return rc;
}

enum rc network_uses_bind(struct arm_write *w, struct network_use *list, const char *type,
                          struct err *e)
{
    size_t n = 0, end;
    enum rc rc = RC_OK;

    for (struct network_use *u = list; u; u = u->next)
        n += u->named != NULL;
    struct network_use **all = MEM_ARRAY(struct network_use *, n);

    n = 0;
    for (struct network_use *u = list; u; u = u->next)
        if (u->named)
            all[n++] = u;
    qsort(all, n, sizeof(struct network_use *), by_target);
    for (size_t i = 0; rc == RC_OK && i < n; i = end) {
        for (end = i + 1; end < n && by_target(&all[i], &all[end]) == 0;)
            end++;
        rc = same_bind(w, &all[i], end - i, type, e);
    }
    free(all);
    return rc;
}

/* --- changing who uses what --- */
struct change {
    const struct network_use *use;
    bool before, after; /* in which of the lists it is */
};

static int by_user(const void *left, const void *right)
{
    const struct change *a = left, *b = right;

    return str_cmp_nocase(a->use->user, b->use->user);
}

static int by_all(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    int order = str_cmp_nocase(a->use->target, b->use->target);

    if (order == 0)
        order = by_user(left, right);
    return order != 0 ? order : str_cmp(a->use->address, b->use->address);
}

/* Whoever is in `changes`, which are in the order of users, goes; whoever is in it after comes. */
static void users_change(struct json *holder, const struct change *changes, size_t n)
{
    struct json *users = json_get(holder, "usedBy");

    for (size_t i = json_len(users); i > 0; i--) {
        struct network_use use = {.user = json_str(json_get(json_at(users, i - 1), "id"))};
        const struct change key = {.use = &use};

        if (bsearch(&key, changes, n, sizeof(*changes), by_user))
            json_remove_at(users, i - 1);
    }
    for (size_t i = 0; i < n; i++)
        if (changes[i].after)
            network_user_add(holder, changes[i].use);
    if (json_len(json_get(holder, "usedBy")) == 0)
        json_remove(holder, "usedBy");
}

/* A target that is gone has no list: nothing to do. */
static enum rc target_change(struct arm_write *w, const struct change *changes, size_t n,
                             struct err *e)
{
    struct network_target t = {0};
    enum rc rc = target_open(w, changes->use->target, NULL, &t, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    users_change(t.holder, changes, n);
    t.r.body = json_write_stored(t.body, w->arena);
    rc = t.r.body.ptr ? meta_resource_put(w->tx, w->arena, &t.r, e)
                      : err_set(e, RC_TOO_LARGE, "The resource is too large.");
    network_target_done(&t);
    return rc;
}

static size_t changes_add(struct change *all, size_t n, const struct network_use *list, bool after)
{
    for (; list; list = list->next)
        all[n++] = (struct change){list, !after, after};
    return n;
}

/* Sorted; what is the same in both lists is no change. */
static size_t changes_fold(struct change *all, size_t n)
{
    size_t kept = 0, end;

    qsort(all, n, sizeof(*all), by_all);
    for (size_t i = 0; i < n; i = end) {
        struct change one = all[i];

        for (end = i + 1; end < n && by_all(&one, &all[end]) == 0; end++) {
            one.before = one.before || all[end].before;
            one.after = one.after || all[end].after;
        }
        if (one.before != one.after)
            all[kept++] = one;
    }
    return kept;
}

static size_t uses_count(const struct network_use *list)
{
    size_t n = 0;

    for (; list; list = list->next)
        n++;
    return n;
}

enum rc network_uses_change(struct arm_write *w, const struct network_use *before,
                            const struct network_use *after, struct err *e)
{
    struct change *all = MEM_ARRAY(struct change, uses_count(before) + uses_count(after));
    size_t n = changes_add(all, changes_add(all, 0, before, false), after, true), end;
    enum rc rc = RC_OK;

    n = changes_fold(all, n);
    for (size_t i = 0; rc == RC_OK && i < n; i = end) {
        for (end = i + 1; end < n && str_eq_nocase(all[end].use->target, all[i].use->target);)
            end++;
        rc = target_change(w, &all[i], end - i, e);
    }
    free(all);
    return rc;
}

enum rc network_use_add(struct arm_write *w, struct network_use **list, struct network_use use,
                        struct err *e)
{
    struct network_use *added = ARENA_NEW(w->arena, struct network_use);

    if (!added)
        return err_set(e, RC_TOO_LARGE, "The request is too large.");
    *added = use;
    added->next = *list;
    *list = added;
    return RC_OK;
}

/* --- application security groups --- */
enum { ASGS_MAX = 20 };

/* The same group twice is once. */
static void asgs_fold(struct json *groups)
{
    for (size_t i = json_len(groups); i > 1; i--)
        for (size_t k = 0; k + 1 < i; k++)
            if (str_eq_nocase(json_str(json_get(json_at(groups, i - 1), "id")),
                              json_str(json_get(json_at(groups, k), "id")))) {
                json_remove_at(groups, i - 1);
                break;
            }
}

enum rc network_asgs_set(const struct json *sent, const char *member, struct json *out,
                         struct err *e)
{
    const struct json *given = json_get_nocase(sent, member);
    struct json *list = json_new_array();

    json_set(out, member, list);
    if (json_given(given) && (json_type(given) != JSON_ARRAY || json_len(given) > ASGS_MAX))
        return err_code(e, RC_INVALID, "InvalidRequestFormat",
                        "%s is not a list of at most %d groups.", member, ASGS_MAX);
    for (size_t i = 0; i < json_len(given); i++) {
        struct str id = json_str(json_get_nocase(json_at(given, i), "id"));
        struct json *one = json_new_object();

        json_append(list, one);
        json_set_str(one, "id", id.ptr ? id : STR(""));
    }
    asgs_fold(list);
    if (json_len(list) == 0)
        json_remove(out, member);
    return RC_OK;
}

enum rc network_asgs_uses(struct arm_write *w, const struct json *groups, struct str user,
                          bool sent, struct network_use **list, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_len(groups); i++) {
        struct json *group = json_at(groups, i);
        struct network_use use = {
            .target = json_str(json_get(group, "id")), .user = user, .named = sent ? group : NULL};

        rc = network_use_add(w, list, use, e);
    }
    return rc;
}
