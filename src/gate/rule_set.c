/* A registry's stored properties → plain rules. Whatever cannot be understood is refused: a rule
 * set that is not known exactly must not open anything. */
#include "gate/gate.h"

/* A member with two spellings; absent means `otherwise`. */
static enum rc choice_read(const struct json *object, const char *member, const char *yes,
                           const char *no, bool *value, struct err *e)
{
    const struct json *j = json_get(object, member);

    if (!json_given(j))
        return RC_OK;
    if (str_is_nocase(json_str(j), yes))
        *value = true;
    else if (str_is_nocase(json_str(j), no))
        *value = false;
    else
        return err_set(e, RC_INVALID, "%s is neither %s nor %s", member, yes, no);
    return RC_OK;
}

/* A list member; absent and null mean an empty one. */
static enum rc list_read(const struct json *object, const char *member, const struct json **ret,
                         struct err *e)
{
    const struct json *j = json_get(object, member);
    enum json_type type = json_type(j);

    if (type != JSON_ABSENT && type != JSON_NULL && type != JSON_ARRAY)
        return err_set(e, RC_INVALID, "%s is not a list", member);
    *ret = type == JSON_ARRAY ? j : NULL;
    return RC_OK;
}

static enum rc no_room(struct err *e)
{
    return err_set(e, RC_TOO_LARGE, "too many network rules");
}

static enum rc uuid_member(const struct json *object, struct uuid *ret, struct err *e)
{
    const struct json *j = json_get(object, "uuid");

    if (!json_given(j)) {
        *ret = (struct uuid){{0}};
        return RC_OK;
    }
    return uuid_parse(json_str(j), ret, e);
}

static enum rc action_check(const struct json *rule, struct err *e)
{
    const struct json *action = json_get(rule, "action");

    if (json_type(rule) != JSON_OBJECT)
        return err_set(e, RC_INVALID, "a network rule is not an object");
    if (!json_given(action) || str_is_nocase(json_str(action), "Allow"))
        return RC_OK;
    return err_set(e, RC_INVALID, "the action of a network rule is not Allow");
}

static enum rc ip_rule_read(const struct json *j, struct gate_ip_rule *ret, struct err *e)
{
    enum rc rc = action_check(j, e);
    struct gate_ip_rule rule = {.text = json_str(json_get(j, "value"))};

    if (rc != RC_OK)
        return rc;
    if (!rule.text.ptr)
        return err_set(e, RC_INVALID, "an IP rule has no value");
    rc = cidr_parse(rule.text, &rule.cidr, e);
    if (rc != RC_OK)
        return rc;
    if (cidr_is_multicast(&rule.cidr))
        return err_set(e, RC_INVALID, "%.*s is not a unicast address", STR_ARG(rule.text));
    *ret = rule;
    return RC_OK;
}

static enum rc ip_rules_read(const struct json *set, struct arena *a, struct gate_rule_set *r,
                             struct err *e)
{
    const struct json *list = NULL;
    enum rc rc = list_read(set, "ipRules", &list, e);

    if (rc != RC_OK)
        return rc;
    r->n_ip_rules = json_len(list);
    r->ip_rules = arena_alloc(a, r->n_ip_rules * sizeof(*r->ip_rules) + 1);
    if (!r->ip_rules)
        return no_room(e);
    for (size_t i = 0; rc == RC_OK && i < r->n_ip_rules; i++)
        rc = ip_rule_read(json_at(list, i), &r->ip_rules[i], e);
    return rc;
}

static enum rc subnet_rule_read(const struct json *j, struct gate_subnet_rule *ret, struct err *e)
{
    enum rc rc = action_check(j, e);
    struct gate_subnet_rule rule = {.id = json_str(json_get(j, "id"))};

    if (rc != RC_OK)
        return rc;
    if (!rule.id.ptr)
        return err_set(e, RC_INVALID, "a virtual network rule has no id");
    rc = uuid_member(j, &rule.subnet, e);
    if (rc == RC_OK)
        *ret = rule;
    return rc;
}

static enum rc subnet_rules_read(const struct json *set, struct arena *a, struct gate_rule_set *r,
                                 struct err *e)
{
    const struct json *list = NULL;
    enum rc rc = list_read(set, "virtualNetworkRules", &list, e);

    if (rc != RC_OK)
        return rc;
    r->n_subnet_rules = json_len(list);
    r->subnet_rules = arena_alloc(a, r->n_subnet_rules * sizeof(*r->subnet_rules) + 1);
    if (!r->subnet_rules)
        return no_room(e);
    for (size_t i = 0; rc == RC_OK && i < r->n_subnet_rules; i++)
        rc = subnet_rule_read(json_at(list, i), &r->subnet_rules[i], e);
    return rc;
}

static enum rc set_read(const struct json *set, struct arena *a, struct gate_rule_set *r,
                        struct err *e)
{
    enum rc rc;

    if (!json_given(set)) {
        r->default_allow = true;
        return RC_OK;
    }
    if (json_type(set) != JSON_OBJECT)
        return err_set(e, RC_INVALID, "networkRuleSet is not an object");
    if (!json_str(json_get(set, "defaultAction")).ptr)
        return err_set(e, RC_INVALID, "networkRuleSet has no defaultAction");
    rc = choice_read(set, "defaultAction", "Allow", "Deny", &r->default_allow, e);
    if (rc == RC_OK)
        rc = choice_read(set, "enforcement", "ReportOnly", "Enforced", &r->report_only, e);
    if (rc == RC_OK)
        rc = ip_rules_read(set, a, r, e);
    return rc == RC_OK ? subnet_rules_read(set, a, r, e) : rc;
}

/* One private endpoint connection: its endpoint's uuid when it is Approved, else nil. */
static enum rc connection_read(const struct json *j, struct uuid *ret, struct err *e)
{
    struct str status =
        json_str(json_path(j, "properties.privateLinkServiceConnectionState.status"));

    if (!status.ptr)
        return err_set(e, RC_INVALID, "a private endpoint connection has no status");
    if (str_is_nocase(status, "Approved"))
        return uuid_member(json_path(j, "properties.privateEndpoint"), ret, e);
    *ret = (struct uuid){{0}};
    return RC_OK;
}

static enum rc endpoints_read(const struct json *properties, struct arena *a,
                              struct gate_rule_set *r, struct err *e)
{
    const struct json *list = NULL;
    enum rc rc = list_read(properties, "privateEndpointConnections", &list, e);
    size_t n = json_len(list);

    if (rc != RC_OK)
        return rc;
    r->approved_endpoints = arena_alloc(a, n * sizeof(*r->approved_endpoints) + 1);
    if (!r->approved_endpoints)
        return no_room(e);
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        struct uuid endpoint;

        rc = connection_read(json_at(list, i), &endpoint, e);
        if (rc == RC_OK && !uuid_is_nil(&endpoint))
            r->approved_endpoints[r->n_approved_endpoints++] = endpoint;
    }
    return rc;
}

enum rc gate_rule_set_read(const struct json *properties, struct arena *a,
                           struct gate_rule_set *ret, struct err *e)
{
    struct gate_rule_set r = {.public_access = true, .bypass_trusted_services = true};
    enum rc rc;

    if (json_type(properties) != JSON_OBJECT)
        return err_set(e, RC_INVALID, "a registry's properties are not an object");
    rc = choice_read(properties, "publicNetworkAccess", "Enabled", "Disabled", &r.public_access, e);
    if (rc == RC_OK)
        rc = choice_read(properties, "networkRuleBypassOptions", "AzureServices", "None",
                         &r.bypass_trusted_services, e);
    if (rc == RC_OK)
        rc = set_read(json_get(properties, "networkRuleSet"), a, &r, e);
    if (rc == RC_OK)
        rc = endpoints_read(properties, a, &r, e);
    if (rc == RC_OK)
        *ret = r;
    return rc;
}
