/* Microsoft.ContainerRegistry/registries. */
#include "arm/registry.h"
#include "arm/provider.h"
#include "arm/role.h"

#define REGISTRY_PROVIDER "Microsoft.ContainerRegistry"
enum { REGISTRY_NAME_MIN = 5, REGISTRY_NAME_LONGEST = 50 };

static enum rc registry_check_name(struct str name, struct err *e)
{
    bool good = name.len >= REGISTRY_NAME_MIN && name.len <= REGISTRY_NAME_LONGEST;

    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);

        good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
    }
    if (good)
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidResourceName",
                    "Registry names may contain only alpha numeric characters and must be between "
                    "5 and 50 characters: '%.*s'.",
                    STR_ARG(str_take(name, 100)));
}

static enum rc name_taken(const struct snapshot *s, void *arg, struct err *e)
{
    const struct str *name = arg;

    if (!snapshot_by_name(s, *name))
        return RC_OK;
    return err_code(e, RC_EXISTS, "AlreadyInUse", "The registry %.*s is already in use.",
                    STR_ARG(*name));
}

/* Names are one name space for the whole server: they are host names. The newest snapshot is what
 * has been committed. */
enum rc registry_name_available(struct arm_call *c, struct str name, struct err *e)
{
    enum rc rc = registry_check_name(name, e);

    return rc == RC_OK ? snapshot_with_newest(c->services->hub, name_taken, &name, e) : rc;
}

/* --- subnets --- */
static bool has_endpoint(const struct json *subnet)
{
    const struct json *list = json_path(subnet, "properties.serviceEndpoints");

    for (size_t i = 0; i < json_len(list); i++)
        if (str_is_nocase(json_str(json_get(json_at(list, i), "service")), ORIGIN_SERVICE_ENDPOINT))
            return true;
    return false;
}

/* By whom, and from which subscription: whether it is there comes after that. */
static enum rc subnet_may_be_named(struct arm_write *w, const struct arm_id *subnet, struct err *e)
{
    struct str subscription =
        arena_printf(w->arena, "/subscriptions/%.*s", STR_ARG(subnet->subscription));
    bool there = false;
    enum rc rc = arm_linked_check(
        w, "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
        arm_id_format(subnet, w->arena), e);

    if (rc == RC_OK)
        rc = arm_provider_registered(w->tx, w->arena, subscription, STR(REGISTRY_PROVIDER), &there,
                                     e);
    if (rc != RC_OK || there)
        return rc;
    return err_code(e, RC_CONFLICT, "MissingSubscriptionRegistration",
                    "The subscription '%.*s' of the subnet is not registered to use namespace "
                    "'" REGISTRY_PROVIDER "'. See https://aka.ms/rps-not-found for how to register "
                    "subscriptions.",
                    STR_ARG(subnet->subscription));
}

enum rc registry_subnet_find(void *ctx, const struct arm_id *subnet, struct registry_subnet *ret,
                             struct err *e)
{
    struct arm_write *w = ctx;
    CLEANUP(json_freep) struct json *body = NULL;
    struct arm_id vnet = arm_id_parent(subnet);
    struct meta_resource r = {0};
    enum rc rc = subnet_may_be_named(w, subnet, e);

    if (rc == RC_OK)
        rc = meta_resource_get(w->tx, w->arena, arm_id_format(&vnet, w->arena), &r, e);
    if (rc == RC_OK)
        rc = arm_body_parse(&r, &body, e);
    if (rc != RC_OK)
        return rc;
    const struct json *list = json_path(body, "properties.subnets");

    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *one = json_at(list, i);

        if (!str_eq_nocase(json_str(json_get(one, "name")), subnet->parts[1].name))
            continue;
        ret->has_endpoint = has_endpoint(one);
        return uuid_parse(json_str(json_get(one, "uuid")), &ret->uuid, e);
    }
    return err_set(e, RC_NOT_FOUND, "no such subnet");
}

/* --- writing --- */
static enum rc registry_merge(struct arm_write *w, const struct json *sent, bool fresh,
                              struct json *body, struct err *e)
{
    const struct registry_subnets subnets = {registry_subnet_find, w};
    struct str who = str_from(admission_of(w->call->req)->principal.name);

    if (!json_get(body, "createdBy"))
        json_set_str(body, "createdBy", who);
    json_set_str(body, "lastModifiedBy", who);
    return registry_body_merge(sent, fresh, &subnets, w->arena, body, e);
}

static enum rc registry_put(struct arm_write *w, const struct json *sent, struct json *body,
                            struct err *e)
{
    enum rc rc = w->call->created ? registry_name_available(w->call, w->call->name, e) : RC_OK;

    if (rc == RC_OK)
        rc = arm_location_set(sent, body, e);
    if (rc == RC_OK)
        rc = arm_tags_set(sent, body, true, e);
    return rc == RC_OK ? registry_merge(w, sent, true, body, e) : rc;
}

static enum rc registry_patch(struct arm_write *w, const struct json *sent, struct json *body,
                              struct err *e)
{
    enum rc rc = json_get_nocase(sent, "tags") ? arm_tags_set(sent, body, true, e) : RC_OK;

    return rc == RC_OK ? registry_merge(w, sent, false, body, e) : rc;
}

static void registry_touch(struct snapshot_change *change, const struct meta_resource *r)
{
    snapshot_touch_registry(change, &r->uuid);
}

static enum rc registry_deleted(struct arm_write *w, const struct meta_resource *r, struct err *e)
{
    return meta_registry_secret_delete(w->tx, &r->uuid, e);
}

/* Settings whose change takes Azure a while; the others are answered at once. */
static bool patched_slowly(const struct json *sent)
{
    const struct json *properties = json_get_nocase(sent, "properties");

    return json_given(json_get_nocase(properties, "anonymousPullEnabled")) ||
           json_given(json_get_nocase(properties, "encryption")) ||
           json_given(json_get_nocase(sent, "identity"));
}

static struct arm_style registry_style(const struct arm_call *c, enum arm_verb verb,
                                       const struct json *before, const struct json *after)
{
    (void)before;
    (void)after;
    if (verb == ARM_CREATE)
        return (struct arm_style){ARM_ASYNC, 201, "Creating"};
    if (verb == ARM_REPLACE || (verb == ARM_UPDATE && patched_slowly(c->sent)))
        return (struct arm_style){ARM_ASYNC, 201, "Updating"};
    return (struct arm_style){0};
}

const struct arm_type arm_registry = {
    .name = "Microsoft.ContainerRegistry/registries",
    .scope = ARM_SCOPE_GROUP,
    .check_name = registry_check_name,
    .put = registry_put,
    .patch = registry_patch,
    .created = registry_secrets_new,
    .deleted = registry_deleted,
    .touch = registry_touch,
    .style = registry_style,
    .operation_prefix = "registries-",
    .render = registry_render,
};

/* --- one rule more or less --- */
static enum rc rule_write(struct arm_write *w, bool add, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    const struct registry_subnets subnets = {registry_subnet_find, w};
    struct arm_call *c = w->call;
    struct json *set;
    struct meta_resource r;
    enum rc rc = arm_resource_get(c, w->tx, &r, &body, e);

    if (rc == RC_OK)
        rc = arm_precondition(c, r.etag, e);
    if (rc != RC_OK)
        return rc;
    w->id = r.id;
    set = json_path(body, "properties.networkRuleSet");
    if (!set)
        return err_code(e, RC_INVALID, "FeatureNotSupportedInSku",
                        "Network rules are only supported for managed registries in Premium SKU.");
    rc = add ? registry_rules_add(set, c->sent, &subnets, w->arena, e)
             : registry_rules_remove(set, c->sent, e);
    if (rc != RC_OK)
        return rc;
    w->before = r.body;
    json_set_str(body, "lastModifiedBy", str_from(admission_of(c->req)->principal.name));
    return arm_store(w, &r, body, e);
}

static enum rc rule_add_write(struct arm_write *w, struct err *e)
{
    return rule_write(w, true, e);
}

static enum rc rule_remove_write(struct arm_write *w, struct err *e)
{
    return rule_write(w, false, e);
}

static enum http_verdict rule_change(struct http_request *req, arm_write_fn *fn)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || !arm_body_given(&c))
        return HTTP_ANSWERED;
    if (!arm_failed(&c, arm_change(&c, fn, &e), &e))
        arm_answer_stored(&c, 200);
    return HTTP_ANSWERED;
}

enum http_verdict arm_registry_add_rule(struct http_request *req)
{
    return rule_change(req, rule_add_write);
}

enum http_verdict arm_registry_remove_rule(struct http_request *req)
{
    return rule_change(req, rule_remove_write);
}
