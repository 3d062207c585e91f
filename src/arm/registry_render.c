/* A registry as clients see it. */
#include "arm/operation.h"
#include "arm/registry.h"
#include "base/clock.h"

static struct json *render_subnet_rule(const struct arm_view *v, const struct json *rule)
{
    struct json *out = json_new_object();
    struct uuid bound;

    json_set_text(out, "action", "Allow");
    json_set_str(out, "id", json_str(json_get(rule, "id")));
    json_set_str(out, "virtualNetworkSubnetResourceId", json_str(json_get(rule, "id")));
    if (uuid_parse(json_str(json_get(rule, "uuid")), &bound, NULL) != RC_OK ||
        !origin_subnet_id(v->snapshot->origins, &bound).ptr)
        json_set_text(out, "state", "NetworkSourceDeleted");
    return out;
}

static struct json *render_rules(const struct arm_view *v, const struct json *set)
{
    struct json *out = json_new_object(), *subnets = json_new_array();
    const struct json *rules = json_get(set, "virtualNetworkRules");

    for (size_t i = 0; i < json_len(rules); i++)
        json_append(subnets, render_subnet_rule(v, json_at(rules, i)));
    json_set_str(out, "defaultAction", json_str(json_get(set, "defaultAction")));
    json_set(out, "virtualNetworkRules", subnets);
    json_set(out, "ipRules", json_clone(json_get(set, "ipRules")));
    if (str_is(json_str(json_get(set, "enforcement")), "ReportOnly"))
        json_set_text(out, "enforcement", "ReportOnly");
    return out;
}

enum { DAYS = 7 };

static void policy_days(const struct registry_days *d, const struct json *stored,
                        const char *updated, struct json *out)
{
    const struct json *was = json_get(json_get(stored, "policies"), d->policy);
    struct json *policies = json_get(out, "policies"), *days = json_new_object();

    json_set(days, d->member, json_new_int(json_int(json_get(was, d->member), DAYS)));
    json_set_text(days, "lastUpdatedTime", updated);
    json_set_str(days, "status", json_str(json_get(json_get(policies, d->policy), "status")));
    json_set(policies, d->policy, days);
}

/* Every setting, stored or with its only value. */
static void render_settings(const struct json *stored, const char *created, struct json *out)
{
    struct json *trust;

    for (size_t i = 0; i < registry_settings_count; i++) {
        const struct json *j = registry_path_get(stored, registry_settings[i].path);

        registry_path_set(out, registry_settings[i].path,
                          j ? json_clone(j) : registry_setting_default(&registry_settings[i]));
    }
    trust = json_new_object();
    json_set_text(trust, "type", "Notary");
    json_set_text(trust, "status", "disabled");
    json_set(json_get(out, "policies"), "trustPolicy", trust);
    for (size_t i = 0; i < registry_days_count; i++)
        policy_days(&registry_days[i], stored, created, out);
}

struct json *registry_render_system_data(const struct meta_resource *r, const struct json *body)
{
    struct json *out = json_new_object();
    char time[CLOCK_TEXT_MAX];

    json_set_str(out, "createdBy", json_str(json_get(body, "createdBy")));
    json_set_text(out, "createdByType", "Application");
    json_set_str(out, "createdAt", clock_format_offset(r->created_us, time));
    json_set_str(out, "lastModifiedBy", json_str(json_get(body, "lastModifiedBy")));
    json_set_text(out, "lastModifiedByType", "Application");
    json_set_str(out, "lastModifiedAt", clock_format_offset(r->changed_us, time));
    return out;
}

struct str registry_login_server(struct admit *admit, struct arena *a, struct str host)
{
    struct str lower = arena_copy(a, host);

    for (size_t i = 0; i < lower.len; i++)
        ((char *)lower.ptr)[i] = ascii_lower(lower.ptr[i]);
    return admit_login_server_of(admit, a, lower);
}

/* As the snapshot has it; one that it doesn't know yet will be <name>.<suffix>. */
static struct str login_server(const struct arm_view *v, const struct meta_resource *r)
{
    const struct snapshot_registry *known = snapshot_by_uuid(v->snapshot, &r->uuid);
    struct str host = known ? known->login_host
                            : arena_printf(v->arena, "%.*s.%.*s", STR_ARG(arm_name_of(r->id)),
                                           STR_ARG(v->services->suffix));

    return registry_login_server(v->admit, v->arena, host);
}

/* Blobs come from the login server itself, never from elsewhere. */
static struct json *data_hosts(const struct json *properties)
{
    struct json *out = json_new_array();
    struct str server = json_str(json_get(properties, "loginServer"));

    if (json_bool(json_get(properties, "dataEndpointEnabled"), false))
        json_append(out, json_new_str(str_split(&server, ':')));
    return out;
}

static struct json *render_properties(const struct arm_view *v, const struct meta_resource *r,
                                      const struct json *body)
{
    const struct json *stored = json_get(body, "properties");
    struct json *out = json_new_object();
    char time[CLOCK_TEXT_MAX], created[CLOCK_TEXT_MAX];

    json_set_str(out, "loginServer", login_server(v, r));
    json_set_str(out, "creationDate", clock_format_z(r->created_us, time));
    json_set_text(out, "provisioningState", arm_state(body));
    json_set(out, "adminUserEnabled", json_new_bool(false));
    if (json_get(stored, "networkRuleSet"))
        json_set(out, "networkRuleSet", render_rules(v, json_get(stored, "networkRuleSet")));
    clock_format_offset(r->created_us, created);
    render_settings(stored, created, out);
    json_set(out, "dataEndpointHostNames", data_hosts(out));
    json_set(out, "privateEndpointConnections", json_new_array());
    return out;
}

struct json *registry_render(const struct arm_view *v, const struct meta_resource *r,
                             const struct json *body)
{
    struct json *out = json_new_object();

    json_set(out, "sku", json_clone(json_get(body, "sku")));
    json_set_str(out, "type", r->type);
    json_set_str(out, "id", r->id);
    json_set_str(out, "name", arm_name_of(r->id));
    json_set_str(out, "location", json_str(json_get(body, "location")));
    json_set(out, "tags", json_clone(json_get(body, "tags")));
    json_set(out, "systemData", registry_render_system_data(r, body));
    json_set(out, "properties", render_properties(v, r, body));
    return out;
}
