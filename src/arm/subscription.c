/* The one subscription, its tenant and its locations. */
#include "arm/subscription.h"

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

struct texts {
    char subscription[UUID_TEXT_MAX], tenant[UUID_TEXT_MAX];
};

static void texts_of(struct arm_call *c, struct texts *t)
{
    const struct snapshot_identity *identity = admission_of(c->req)->snapshot->identity;

    uuid_format(&identity->subscription, t->subscription);
    uuid_format(&identity->tenant, t->tenant);
}

static struct json *subscription_json(struct arm_call *c)
{
    struct json *out = json_new_object(), *policies = json_new_object();
    struct texts t;

    texts_of(c, &t);
    json_set_str(out, "id", arena_printf(c->arena, "/subscriptions/%s", t.subscription));
    json_set_text(out, "authorizationSource", "RoleBased");
    json_set(out, "managedByTenants", json_new_array());
    json_set_text(out, "subscriptionId", t.subscription);
    json_set_text(out, "tenantId", t.tenant);
    json_set_text(out, "displayName", "Kidoban");
    json_set_text(out, "state", "Enabled");
    json_set_text(policies, "spendingLimit", "Off");
    json_set(out, "subscriptionPolicies", policies);
    return out;
}

static struct json *tenant_json(struct arm_call *c)
{
    struct json *out = json_new_object();
    struct texts t;

    texts_of(c, &t);
    json_set_str(out, "id", arena_printf(c->arena, "/tenants/%s", t.tenant));
    json_set_text(out, "tenantId", t.tenant);
    json_set_text(out, "displayName", "Kidoban");
    json_set_str(out, "defaultDomain", c->services->suffix);
    return out;
}

static struct json *location_json(struct arm_call *c, const struct location *l)
{
    struct json *out = json_new_object(), *metadata = json_new_object();
    struct texts t;

    texts_of(c, &t);
    json_set_str(out, "id",
                 arena_printf(c->arena, "/subscriptions/%s/locations/%s", t.subscription, l->name));
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

enum http_verdict arm_subscription_get(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;

    if (!arm_call_begin(&c, req))
        return HTTP_ANSWERED;
    arm_set_answer(&c, subscription_json(&c));
    arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

enum http_verdict arm_subscription_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct json *list;

    if (!arm_call_begin(&c, req))
        return HTTP_ANSWERED;
    list = json_new_array();
    json_append(list, subscription_json(&c));
    answer_value(&c, list);
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
