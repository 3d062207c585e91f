/* Who uses what among the resources of Microsoft.Network. */
#include "arm/network.h"
#include "arm/role.h"

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

static void user_remove(struct json *holder, struct str user)
{
    struct json *users = json_get(holder, "usedBy");

    for (size_t i = json_len(users); i > 0; i--)
        if (str_eq_nocase(json_str(json_get(json_at(users, i - 1), "id")), user))
            json_remove_at(users, i - 1);
    if (json_len(users) == 0)
        json_remove(holder, "usedBy");
}

static void user_add(struct json *holder, const struct network_use *use)
{
    struct json *one = json_new_object();

    if (!json_get(holder, "usedBy"))
        json_set(holder, "usedBy", json_new_array());
    json_set_str(one, "id", use->user);
    if (use->address.ptr)
        json_set_str(one, "address", use->address);
    json_append(json_get(holder, "usedBy"), one);
}

/* A target that is gone has no list: nothing to do. */
static enum rc use_change(struct arm_write *w, const struct network_use *use, bool add,
                          struct err *e)
{
    struct network_target t = {0};
    enum rc rc = target_open(w, use->target, NULL, &t, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    user_remove(t.holder, use->user);
    if (add)
        user_add(t.holder, use);
    t.r.body = json_write_stored(t.body, w->arena);
    rc = t.r.body.ptr ? meta_resource_put(w->tx, w->arena, &t.r, e)
                      : err_set(e, RC_TOO_LARGE, "The resource is too large.");
    network_target_done(&t);
    return rc;
}

static bool use_listed(const struct network_use *list, const struct network_use *use)
{
    for (; list; list = list->next)
        if (str_eq_nocase(list->target, use->target) && str_eq_nocase(list->user, use->user) &&
            str_eq(list->address, use->address))
            return true;
    return false;
}

enum rc network_uses_change(struct arm_write *w, const struct network_use *before,
                            const struct network_use *after, struct err *e)
{
    enum rc rc = RC_OK;

    for (const struct network_use *u = before; rc == RC_OK && u; u = u->next)
        if (!use_listed(after, u))
            rc = use_change(w, u, false, e);
    for (const struct network_use *u = after; rc == RC_OK && u; u = u->next)
        if (!use_listed(before, u))
            rc = use_change(w, u, true, e);
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
    if (json_len(list) == 0)
        json_remove(out, member);
    return RC_OK;
}

static enum rc asg_bind(struct arm_write *w, struct json *group, struct str user, struct err *e)
{
    struct network_target t = {0};
    enum rc rc = network_target_open(w, json_str(json_get(group, "id")), arm_asg.name, user, &t, e);

    if (rc == RC_OK)
        json_set_str(group, "id", t.id);
    network_target_done(&t);
    return rc;
}

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

enum rc network_asgs_uses(struct arm_write *w, struct json *groups, struct str user, bool bind,
                          struct network_use **list, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && bind && i < json_len(groups); i++)
        rc = asg_bind(w, json_at(groups, i), user, e);
    if (rc == RC_OK && bind)
        asgs_fold(groups);
    for (size_t i = 0; rc == RC_OK && i < json_len(groups); i++) {
        struct str id = json_str(json_get(json_at(groups, i), "id"));

        rc = network_use_add(w, list, (struct network_use){.target = id, .user = user}, e);
    }
    return rc;
}
