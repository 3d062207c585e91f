/* Where roles are assigned, and what becomes of them when that goes. */
#include "arm/child.h"
#include "arm/role.h"

/* --- what is there --- */
static enum rc missing(const struct arm_id *id, struct err *e)
{
    struct str type;

    if (id->n == 0 && id->group.len > 0)
        return err_code(e, RC_NOT_FOUND, "ResourceGroupNotFound",
                        "Resource group '%.*s' could not be found.", STR_ARG(id->group));
    if (id->n == 0)
        return err_code(e, RC_NOT_FOUND, "SubscriptionNotFound",
                        "The subscription '%.*s' could not be found.", STR_ARG(id->subscription));
    type = id->parts[id->n - 1].type;
    return err_code(e, RC_NOT_FOUND, "ResourceNotFound",
                    "The Resource '%.*s/%.*s/%.*s' under resource group '%.*s' was not found. For "
                    "more details please go to https://aka.ms/ARMResourceNotFoundFix",
                    STR_ARG(id->provider), STR_ARG(type), STR_ARG(id->parts[id->n - 1].name),
                    STR_ARG(id->group));
}

/* Subnets are parts of their network. */
static enum rc subnet_find(struct arm_call *c, struct meta_tx *tx, const struct arm_id *id,
                           struct str *ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct arm_id network = arm_id_parent(id);
    struct meta_resource r = {0};
    const struct json *subnet;
    enum rc rc = meta_resource_get(tx, c->arena, arm_id_format(&network, c->arena), &r, e);

    if (rc == RC_NOT_FOUND)
        return missing(&network, e);
    if (rc == RC_OK)
        rc = arm_body_parse(&r, &body, e);
    if (rc != RC_OK)
        return rc;
    subnet = arm_child_find(json_path(body, "properties.subnets"), id->parts[1].name);
    if (!subnet)
        return missing(id, e);
    *ret = arena_printf(c->arena, "%.*s/subnets/%.*s", STR_ARG(r.id),
                        STR_ARG(json_str(json_get(subnet, "name"))));
    return RC_OK;
}

static enum rc stored_find(struct arm_call *c, struct meta_tx *tx, const struct arm_id *id,
                           struct str *ret, struct err *e)
{
    struct meta_resource r = {0};
    enum rc rc = meta_resource_get(tx, c->arena, arm_id_format(id, c->arena), &r, e);

    if (rc == RC_NOT_FOUND)
        return missing(id, e);
    if (rc == RC_OK)
        *ret = r.id;
    return rc;
}

/* Nothing is written in a disabled subscription. */
static enum rc subscription_check(struct arm_call *c, const struct arm_id *id, struct err *e)
{
    const struct snapshot_subscription *s = NULL;
    struct uuid u;

    if (uuid_parse(id->subscription, &u, NULL) == RC_OK)
        s = snapshot_subscription(admission_of(c->req)->snapshot, &u);
    if (!s)
        return missing(&(struct arm_id){.subscription = id->subscription}, e);
    if (s->enabled || c->req->method == HTTP_GET || c->req->method == HTTP_HEAD)
        return RC_OK;
    return err_code(e, RC_CONFLICT, "ReadOnlyDisabledSubscription",
                    "The subscription '%.*s' is disabled and therefore marked as read only. You "
                    "cannot perform any write actions on this subscription until it is re-enabled.",
                    STR_ARG(id->subscription));
}

/* The path's "{scope+}", with its slash; "" where the route has none. */
static struct str scope_text(struct arm_call *c)
{
    for (size_t i = 0; i < c->req->n_params; i++)
        if (str_is(c->req->params[i].name, "scope"))
            return arena_printf(c->arena, "/%.*s", STR_ARG(c->req->params[i].value));
    return STR("");
}

enum rc role_scope_find(struct arm_call *c, struct meta_tx *tx, struct str *ret, struct err *e)
{
    struct str text = scope_text(c);
    struct arm_id id;
    enum rc rc;

    if (text.len == 0) {
        *ret = text;
        return RC_OK;
    }
    rc = arm_id_parse(text, &id, e);
    if (rc == RC_OK && id.subscription.len == 0)
        return missing(&id, e);
    if (rc == RC_OK)
        rc = subscription_check(c, &id, e);
    if (rc != RC_OK)
        return rc;
    if (arm_id_is(&id, "Microsoft.Network/virtualNetworks/subnets"))
        return subnet_find(c, tx, &id, ret, e);
    return stored_find(c, tx, &id, ret, e);
}

struct str role_definition_id(struct arena *a, struct str scope, struct str guid)
{
    struct str rest = scope, subscription = STR("");

    (void)str_split(&rest, '/');
    if (str_is_nocase(str_split(&rest, '/'), "subscriptions")) {
        struct str name = str_split(&rest, '/');

        subscription = arena_printf(a, "/subscriptions/%.*s", STR_ARG(name));
    }
    return arena_printf(a, "%.*s/providers/" ROLE_DEFINITIONS "/%.*s", STR_ARG(subscription),
                        STR_ARG(guid));
}

/* --- what goes with it --- */
struct forgetting {
    struct arena *arena;
    struct forgotten {
        struct forgotten *next;
        struct str id;
    } * list;
};

static enum rc forget_add(const struct meta_resource *r, void *arg, struct err *e)
{
    struct forgetting *f = arg;
    struct forgotten *one = ARENA_NEW(f->arena, struct forgotten);
    struct str id = arena_copy(f->arena, r->id);

    if (!one || !id.ptr)
        return err_set(e, RC_TOO_LARGE, "Too many roles are assigned on what is deleted.");
    *one = (struct forgotten){f->list, id};
    f->list = one;
    return RC_OK;
}

static enum rc forget_one(struct arm_write *w, struct str id, struct err *e)
{
    struct meta_resource r = {0};
    enum rc rc = meta_resource_get(w->tx, w->arena, id, &r, e);

    return rc == RC_OK ? arm_delete(w, &arm_role_assignment, &r, e) : rc;
}

enum rc arm_roles_forget(struct arm_write *w, struct str id, struct err *e)
{
    struct forgetting f = {.arena = w->arena};
    struct str prefix = arena_printf(w->arena, "%.*s/", STR_ARG(id));
    enum rc rc = meta_resource_each(w->tx, prefix, STR(ROLE_ASSIGNMENTS), forget_add, &f, e);

    for (const struct forgotten *one = f.list; rc == RC_OK && one; one = one->next)
        rc = forget_one(w, one->id, e);
    return rc;
}

/* --- what a write names --- */
struct linked {
    struct arm_write *write;
    const char *action;
    struct str id;
};

static enum rc linked_judge(const struct snapshot *s, void *arg, struct err *e)
{
    const struct linked *l = arg;
    struct arm_call *c = l->write->call;
    const struct principal *p = &admission_of(c->req)->principal;
    char id[UUID_TEXT_MAX];

    if (admit_may(s, p, str_from(l->action), l->id))
        return RC_OK;
    return err_code(
        e, RC_DENIED, "LinkedAuthorizationFailed",
        "The client '%.*s' with object id '%s' has permission to perform action '%s' on scope "
        "'%.*s'; however, it does not have permission to perform action(s) '%s' on the linked "
        "scope(s) '%.*s' (respectively) or the linked scope(s) are invalid.",
        STR_ARG(admit_client_name(c->req)), uuid_format(&p->object_id, id).ptr,
        c->req->route->access, STR_ARG(l->write->id), l->action, STR_ARG(l->id));
}

enum rc arm_linked_check(struct arm_write *w, const char *action, struct str id, struct err *e)
{
    struct linked l = {w, action, id};

    return snapshot_with_newest(w->call->services->hub, linked_judge, &l, e);
}
