/* Subscriptions, their tenant and their locations. */
#include "arm/subscription.h"

#include "arm/role.h"

struct location {
    const char *name, *display;
};
/* `local` is where this server is; the others are names that scripts bring with them. */
static const struct location locations[] = {
    {"local", "Local"},
    {"westus", "West US"},
    {"westus2", "West US 2"},
    {"westus3", "West US 3"},
    {"westcentralus", "West Central US"},
    {"centralus", "Central US"},
    {"northcentralus", "North Central US"},
    {"southcentralus", "South Central US"},
    {"eastus", "East US"},
    {"eastus2", "East US 2"},
    {"northeurope", "North Europe"},
    {"westeurope", "West Europe"},
    {"uksouth", "UK South"},
    {"ukwest", "UK West"},
    {"francecentral", "France Central"},
    {"germanywestcentral", "Germany West Central"},
    {"switzerlandnorth", "Switzerland North"},
    {"swedencentral", "Sweden Central"},
    {"japaneast", "Japan East"},
    {"japanwest", "Japan West"},
    {"southeastasia", "Southeast Asia"},
    {"eastasia", "East Asia"},
    {"australiaeast", "Australia East"},
    {"centralindia", "Central India"},
    {"brazilsouth", "Brazil South"},
    {"canadacentral", "Canada Central"},
};

const char *arm_location_display(size_t i)
{
    return i < ARRAY_LEN(locations) ? locations[i].display : NULL;
}

/* --- the resource type --- */
enum { DISPLAY_NAME_MAX = 64 };
#define FIRST_NAME "Kidoban"

static enum rc name_set(const struct json *sent, struct json *body, struct err *e)
{
    struct str name = json_str(json_get_nocase(sent, "displayName"));

    if (!name.ptr && json_get(body, "displayName"))
        return RC_OK;
    if (str_trim(name).len == 0 || name.len > DISPLAY_NAME_MAX)
        return err_code(e, RC_INVALID, "InvalidSubscriptionName",
                        "displayName must have 1 to %d characters.", DISPLAY_NAME_MAX);
    json_set_str(body, "displayName", name);
    return RC_OK;
}

/* As clients know it: who may only write a subscription neither ends nor revives it. */
static enum rc state_may_change(struct arm_write *w, bool enable, struct err *e)
{
    return arm_linked_check(
        w, enable ? "Microsoft.Subscription/enable/action" : "Microsoft.Subscription/cancel/action",
        w->id, e);
}

static enum rc state_set(struct arm_write *w, const struct json *sent, struct json *body,
                         struct err *e)
{
    const struct json *given = json_get_nocase(sent, "state");
    struct str state = json_str(given);

    if (!json_given(given)) {
        if (!json_get(body, "state"))
            json_set_text(body, "state", "Enabled");
        return RC_OK;
    }
    if (!str_is_nocase(state, "Enabled") && !str_is_nocase(state, "Disabled"))
        return err_code(e, RC_INVALID, "InvalidSubscriptionState", "state is Enabled or Disabled.");
    bool enable = str_is_nocase(state, "Enabled");
    struct str now = json_str(json_get(body, "state"));
    enum rc rc = now.ptr && !str_eq_nocase(state, now) ? state_may_change(w, enable, e) : RC_OK;

    if (rc == RC_OK)
        json_set_text(body, "state", enable ? "Enabled" : "Disabled");
    return rc;
}

static enum rc subscription_put(struct arm_write *w, const struct json *sent, struct json *body,
                                struct err *e)
{
    enum rc rc = name_set(sent, body, e);

    if (rc == RC_OK)
        rc = state_set(w, sent, body, e);
    if (rc == RC_OK && !json_get(body, "registeredProviders"))
        json_set(body, "registeredProviders", json_new_array());
    return rc;
}

static enum rc not_empty(const struct meta_resource *r, void *arg, struct err *e)
{
    (void)arg;
    return err_code(e, RC_CONFLICT, "SubscriptionNotEmpty",
                    "The subscription still holds '%.*s'. Delete its resource groups first.",
                    STR_ARG(r->id));
}

static enum rc subscription_deletable(struct arm_write *w, const struct meta_resource *r,
                                      const struct json *body, struct err *e)
{
    (void)r, (void)body;
    return state_may_change(w, false, e);
}

static enum rc subscription_deleted(struct arm_write *w, const struct meta_resource *r,
                                    struct err *e)
{
    const struct uuid *first = &admission_of(w->call->req)->snapshot->identity->subscription;
    struct str prefix = arena_printf(w->arena, "%.*s/", STR_ARG(r->id));
    char text[UUID_TEXT_MAX];

    if (str_eq_nocase(arm_name_of(r->id), uuid_format(first, text)))
        return err_code(e, RC_CONFLICT, "SubscriptionInUse",
                        "The first subscription of a server cannot be deleted.");
    return meta_resource_each(w->tx, prefix, STR_NONE, not_empty, NULL, e);
}

static void subscription_touch(struct snapshot_change *change, const struct meta_resource *r)
{
    (void)r;
    snapshot_touch_identity(change);
}

static struct str tenant_text(const struct arm_view *v)
{
    char text[UUID_TEXT_MAX];

    return arena_copy(v->arena, uuid_format(&v->snapshot->identity->tenant, text));
}

static struct json *subscription_render(const struct arm_view *v, const struct meta_resource *r,
                                        const struct json *body)
{
    struct json *out = json_new_object(), *policies = json_new_object();

    json_set_str(out, "id", r->id);
    json_set_text(out, "authorizationSource", "RoleBased");
    json_set(out, "managedByTenants", json_new_array());
    json_set_str(out, "subscriptionId", arm_name_of(r->id));
    json_set_str(out, "tenantId", tenant_text(v));
    json_set(out, "displayName", json_clone(json_get(body, "displayName")));
    json_set(out, "state", json_clone(json_get(body, "state")));
    json_set_text(policies, "locationPlacementId", "Internal_2014-09-01");
    json_set_text(policies, "quotaId", "Internal_2014-09-01");
    json_set_text(policies, "spendingLimit", "Off");
    json_set(out, "subscriptionPolicies", policies);
    return out;
}

const struct arm_type arm_subscription = {
    .name = "Microsoft.Resources/subscriptions",
    .scope = ARM_SCOPE_TENANT,
    .put = subscription_put,
    .patch = subscription_put,
    .deletable = subscription_deletable,
    .deleted = subscription_deleted,
    .touch = subscription_touch,
    .render = subscription_render,
};

/* --- the first one --- */
static enum rc first_make(struct meta_tx *tx, struct arena *a, struct str id,
                          const char *const *providers, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct json *registered = json_new_array();
    struct meta_resource r = {.id = id, .type = str_from(arm_subscription.name)};

    for (; *providers; providers++)
        json_append(registered, json_new_text(*providers));
    json_set_text(body, "displayName", FIRST_NAME);
    json_set_text(body, "state", "Enabled");
    json_set(body, "registeredProviders", registered);
    r.body = json_write_arena(body, a);
    return meta_resource_put(tx, a, &r, e);
}

enum rc arm_subscription_install(struct meta_tx *tx, struct arena *a, struct str guid,
                                 struct err *e)
{
    static const char *const providers[] = {"Microsoft.ContainerRegistry", "Microsoft.Network",
                                            NULL};
    struct str id = arena_printf(a, "/subscriptions/%.*s", STR_ARG(guid));
    struct meta_resource r = {0};
    enum rc rc = meta_resource_get(tx, a, id, &r, e);

    return rc == RC_NOT_FOUND ? first_make(tx, a, id, providers, e) : rc;
}

enum rc arm_subscription_exists(struct arm_write *w, struct err *e)
{
    struct str id = w->call->subscription_id;
    struct meta_resource r = {0};
    enum rc rc = meta_resource_get(w->tx, w->arena, id, &r, e);

    if (rc == RC_NOT_FOUND)
        return err_code(e, rc, "SubscriptionNotFound",
                        "The subscription '%.*s' could not be found.", STR_ARG(arm_name_of(id)));
    return rc;
}

/* --- tenants and locations --- */
static struct json *tenant_json(struct arm_call *c)
{
    struct json *out = json_new_object();
    char tenant[UUID_TEXT_MAX];

    uuid_format(&admission_of(c->req)->snapshot->identity->tenant, tenant);
    json_set_str(out, "id", arena_printf(c->arena, "/tenants/%s", tenant));
    json_set_text(out, "tenantId", tenant);
    json_set_text(out, "countryCode", "");
    json_set_text(out, "displayName", FIRST_NAME);
    json_set(out, "domains", json_new_array());
    json_append(json_get(out, "domains"), json_new_str(c->services->suffix));
    json_set_text(out, "tenantCategory", "Home");
    json_set_str(out, "defaultDomain", c->services->suffix);
    json_set_text(out, "tenantType", "AAD");
    return out;
}

static struct json *location_json(struct arm_call *c, const struct location *l)
{
    struct json *out = json_new_object(), *metadata = json_new_object();

    json_set_str(out, "id",
                 arena_printf(c->arena, "%.*s/locations/%s", STR_ARG(c->subscription_id), l->name));
    json_set_text(out, "name", l->name);
    json_set_text(out, "type", "Region");
    json_set_text(out, "displayName", l->display);
    json_set_text(out, "regionalDisplayName", l->display);
    json_set_text(metadata, "regionType", "Physical");
    json_set(out, "metadata", metadata);
    return out;
}

static void answer_value(struct arm_call *c, struct json *list)
{
    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", list);
    arm_answer_json(c, 200, c->answer);
}

static enum rc subscriptions_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    const struct arm_list list = {.prefix = STR("/subscriptions/"),
                                  .type = str_from(arm_subscription.name),
                                  .render = subscription_render};

    (void)e;
    arm_answer_list(c, tx, &list);
    return RC_OK;
}

enum http_verdict arm_subscription_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req))
        (void)arm_failed(&c, arm_read(&c, subscriptions_read, &e), &e);
    return HTTP_ANSWERED;
}

enum http_verdict arm_tenant_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct json *list;

    if (!arm_call_begin(&c, req))
        return HTTP_ANSWERED;
    list = json_new_array();
    json_append(list, tenant_json(&c));
    answer_value(&c, list);
    return HTTP_ANSWERED;
}

enum http_verdict arm_location_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct json *list;

    if (!arm_call_begin(&c, req))
        return HTTP_ANSWERED;
    list = json_new_array();
    for (size_t i = 0; i < ARRAY_LEN(locations); i++)
        json_append(list, location_json(&c, &locations[i]));
    answer_value(&c, list);
    return HTTP_ANSWERED;
}
