#include "arm/registry_rules.h"

#include "base/ip.h"

#define ENDPOINT "Microsoft.ContainerRegistry"

struct json *registry_rules_empty(void)
{
    struct json *set = json_new_object();

    json_set_text(set, "defaultAction", "Allow");
    json_set(set, "virtualNetworkRules", json_new_array());
    json_set(set, "ipRules", json_new_array());
    return set;
}

bool registry_rules_trivial(const struct json *set)
{
    return !set || (str_is(json_str(json_get(set, "defaultAction")), "Allow") &&
                    json_len(json_get(set, "virtualNetworkRules")) == 0 &&
                    json_len(json_get(set, "ipRules")) == 0);
}

static enum rc invalid(struct err *e, const char *what, struct str which)
{
    return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                    "Could not validate network rule - %s '%.*s'.", what,
                    STR_ARG(str_take(which, 300)));
}

static enum rc quota(struct err *e, const char *what, int limit)
{
    return err_code(e, RC_QUOTA, "QuotaExceeded",
                    "The requested feature %s exceeds allowed quota %d for the SKU Premium.", what,
                    limit);
}

static enum rc action_check(const struct json *rule, struct err *e)
{
    const struct json *action = json_get_nocase(rule, "action");

    if (json_type(rule) != JSON_OBJECT)
        return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                        "Could not validate network rule - it is not an object.");
    if (!json_given(action) || str_is_nocase(json_str(action), "Allow"))
        return RC_OK;
    return invalid(e, "The only action of a rule is Allow, not", json_str(action));
}

/* --- IP rules --- */
static enum rc ip_rule_read(const struct json *rule, struct cidr *ret, struct err *e)
{
    struct str value = json_str(json_get_nocase(rule, "value"));
    struct err why = {0};
    enum rc rc = action_check(rule, e);

    if (rc != RC_OK)
        return rc;
    if (!value.ptr)
        return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                        "Could not validate network rule - an IP rule has no value.");
    if (cidr_parse(value, ret, &why) != RC_OK)
        return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                        "Could not validate network rule - %s.", why.text);
    return cidr_is_multicast(ret) ? invalid(e, "IP rules take unicast addresses, not", value)
                                  : RC_OK;
}

/* The index of the rule for the same addresses, however they are written; -1. */
static int ip_rule_index(const struct json *list, const struct cidr *c)
{
    for (size_t i = 0; i < json_len(list); i++) {
        struct cidr other;

        if (cidr_parse(json_str(json_get(json_at(list, i), "value")), &other, NULL) == RC_OK &&
            other.prefix == c->prefix && ip_eq(&other.addr, &c->addr))
            return (int)i;
    }
    return -1;
}

static enum rc ip_rule_add(struct json *list, const struct json *rule, struct err *e)
{
    struct json *stored;
    struct cidr c;
    enum rc rc = ip_rule_read(rule, &c, e);

    if (rc != RC_OK || ip_rule_index(list, &c) >= 0)
        return rc;
    if (json_len(list) >= REGISTRY_IP_RULES_MAX)
        return quota(e, "IP rule", REGISTRY_IP_RULES_MAX);
    stored = json_new_object();
    json_set_text(stored, "action", "Allow");
    json_set_str(stored, "value", json_str(json_get_nocase(rule, "value")));
    json_append(list, stored);
    return RC_OK;
}

/* --- virtual network rules --- */
static enum rc subnet_id_parse(struct str text, struct arm_id *ret, struct err *e)
{
    enum rc rc = arm_id_parse(text, ret, e);

    if (rc != RC_OK)
        return rc;
    if (ret->group.len > 0 && arm_id_is(ret, "Microsoft.Network/virtualNetworks/subnets"))
        return RC_OK;
    return invalid(e, "This is not the id of a subnet:", text);
}

/* A rule's subnet under either of its two names. */
static enum rc subnet_rule_read(const struct json *rule, struct str *ret_text, struct arm_id *ret,
                                struct err *e)
{
    struct arm_id second;
    struct str id = json_str(json_get_nocase(rule, "id"));
    struct str other = json_str(json_get_nocase(rule, "virtualNetworkSubnetResourceId"));
    enum rc rc = action_check(rule, e);

    if (rc != RC_OK)
        return rc;
    *ret_text = id.ptr ? id : other;
    if (!ret_text->ptr)
        return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                        "Could not validate network rule - a virtual network rule has no "
                        "virtualNetworkSubnetResourceId.");
    rc = subnet_id_parse(*ret_text, ret, e);
    if (rc == RC_OK && id.ptr && other.ptr &&
        (arm_id_parse(other, &second, NULL) != RC_OK || !arm_id_same(ret, &second)))
        rc = invalid(e, "id and virtualNetworkSubnetResourceId of a rule disagree:", id);
    return rc;
}

static int subnet_rule_index(const struct json *list, const struct arm_id *id)
{
    struct arm_id other;

    for (size_t i = 0; i < json_len(list); i++)
        if (arm_id_parse(json_str(json_get(json_at(list, i), "id")), &other, NULL) == RC_OK &&
            arm_id_same(id, &other))
            return (int)i;
    return -1;
}

static enum rc subnet_bind(const struct arm_id *id, const struct registry_subnets *subnets,
                           struct arena *a, struct uuid *ret, struct err *e)
{
    struct registry_subnet found;
    struct arm_id vnet_id = arm_id_parent(id);
    struct str vnet = arm_id_format(&vnet_id, a), name = id->parts[1].name;
    enum rc rc = subnets->find(subnets->ctx, id, &found, e);

    if (rc == RC_NOT_FOUND)
        return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                        "Could not validate network rule - Subnets %.*s of virtual network %.*s "
                        "could not be found.",
                        STR_ARG(name), STR_ARG(vnet));
    if (rc == RC_OK && !found.has_endpoint)
        return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                        "Could not validate network rule - Subnets %.*s of virtual network %.*s do "
                        "not have ServiceEndpoints "
                        "for " ENDPOINT " resources configured. Add " ENDPOINT
                        " to subnet's ServiceEndpoints collection "
                        "before trying to ACL " ENDPOINT " resources to these subnets.",
                        STR_ARG(name), STR_ARG(vnet));
    if (rc == RC_OK)
        *ret = found.uuid;
    return rc;
}

/* Adds to `list`; what `before` knows already keeps its uuid, dead or alive. */
static enum rc subnet_rule_add(struct json *list, const struct json *before,
                               const struct json *rule, const struct registry_subnets *subnets,
                               struct arena *a, struct err *e)
{
    char text[UUID_TEXT_MAX];
    struct json *stored;
    struct arm_id id;
    struct uuid uuid;
    struct str typed;
    int known;
    enum rc rc = subnet_rule_read(rule, &typed, &id, e);

    if (rc != RC_OK || subnet_rule_index(list, &id) >= 0)
        return rc;
    if (json_len(list) >= REGISTRY_SUBNET_RULES_MAX)
        return quota(e, "virtual network rule", REGISTRY_SUBNET_RULES_MAX);
    known = subnet_rule_index(before, &id);
    if (known >= 0) {
        json_append(list, json_clone(json_at(before, (size_t)known)));
        return RC_OK;
    }
    rc = subnet_bind(&id, subnets, a, &uuid, e);
    if (rc != RC_OK)
        return rc;
    stored = json_new_object();
    json_set_text(stored, "action", "Allow");
    json_set_str(stored, "id", typed);
    json_set_str(stored, "uuid", uuid_format(&uuid, text));
    json_append(list, stored);
    return RC_OK;
}

/* --- merging --- */
/* A member with two spellings, stored in the one that is listed. */
static enum rc choice_merge(const struct json *sent, struct json *set, const char *member,
                            const char *const values[2], struct err *e)
{
    const struct json *j = json_get_nocase(sent, member);

    if (!json_given(j))
        return RC_OK;
    for (int i = 0; i < 2; i++) {
        if (str_is_nocase(json_str(j), values[i])) {
            json_set_text(set, member, values[i]);
            return RC_OK;
        }
    }
    return err_set(e, RC_INVALID, "The value of networkRuleSet.%s is neither %s nor %s.", member,
                   values[0], values[1]);
}

/* Longer than any list whose duplicates are worth folding: refused before they are compared. */
enum { LIST_MAX = 10 * REGISTRY_IP_RULES_MAX };

static enum rc list_given(const struct json *sent, const char *member, const struct json **ret,
                          struct err *e)
{
    const struct json *j = json_get_nocase(sent, member);

    *ret = json_given(j) ? j : NULL;
    if (json_given(j) && json_type(j) != JSON_ARRAY)
        return err_set(e, RC_INVALID, "networkRuleSet.%s is not a list.", member);
    if (json_len(j) > LIST_MAX)
        return err_code(e, RC_QUOTA, "QuotaExceeded",
                        "networkRuleSet.%s has more than %d elements.", member, LIST_MAX);
    return RC_OK;
}

static enum rc ip_rules_merge(const struct json *sent, struct json *set, struct err *e)
{
    const struct json *given = NULL;
    enum rc rc = list_given(sent, "ipRules", &given, e);

    if (rc != RC_OK || !given)
        return rc;
    json_set(set, "ipRules", json_new_array());
    for (size_t i = 0; rc == RC_OK && i < json_len(given); i++)
        rc = ip_rule_add(json_get(set, "ipRules"), json_at(given, i), e);
    return rc;
}

static enum rc subnet_rules_merge(const struct json *sent, struct json *set,
                                  const struct registry_subnets *subnets, struct arena *a,
                                  struct err *e)
{
    CLEANUP(json_freep) struct json *before = json_clone(json_get(set, "virtualNetworkRules"));
    const struct json *given = NULL;
    enum rc rc = list_given(sent, "virtualNetworkRules", &given, e);

    if (rc != RC_OK || !given)
        return rc;
    json_set(set, "virtualNetworkRules", json_new_array());
    for (size_t i = 0; rc == RC_OK && i < json_len(given); i++)
        rc = subnet_rule_add(json_get(set, "virtualNetworkRules"), before, json_at(given, i),
                             subnets, a, e);
    return rc;
}

enum rc registry_rules_merge(const struct json *sent, const struct json *stored,
                             const struct registry_subnets *subnets, struct arena *a,
                             struct json **ret, struct err *e)
{
    static const char *const actions[2] = {"Allow", "Deny"}, *const modes[2] = {"Enforced",
                                                                                "ReportOnly"};
    CLEANUP(json_freep) struct json *set = stored ? json_clone(stored) : NULL;
    enum rc rc;

    if (json_given(sent) && json_type(sent) != JSON_OBJECT)
        return err_set(e, RC_INVALID, "networkRuleSet is not an object.");
    if (json_given(sent)) {
        if (!set)
            set = registry_rules_empty();
        rc = choice_merge(sent, set, "defaultAction", actions, e);
        if (rc == RC_OK)
            rc = choice_merge(sent, set, "enforcement", modes, e);
        if (rc == RC_OK)
            rc = ip_rules_merge(sent, set, e);
        if (rc == RC_OK)
            rc = subnet_rules_merge(sent, set, subnets, a, e);
        if (rc != RC_OK)
            return rc;
    }
    *ret = set;
    set = NULL;
    return RC_OK;
}

/* --- one rule --- */
static bool is_ip_rule(const struct json *rule)
{
    return json_given(json_get_nocase(rule, "value"));
}

static enum rc kind_check(const struct json *rule, struct err *e)
{
    bool subnet = json_given(json_get_nocase(rule, "id")) ||
                  json_given(json_get_nocase(rule, "virtualNetworkSubnetResourceId"));

    if (subnet != is_ip_rule(rule))
        return RC_OK;
    return err_code(e, RC_INVALID, "NetworkRuleValidationError",
                    "Could not validate network rule - send one rule: either value, or "
                    "virtualNetworkSubnetResourceId.");
}

enum rc registry_rules_add(struct json *set, const struct json *rule,
                           const struct registry_subnets *subnets, struct arena *a, struct err *e)
{
    enum rc rc = kind_check(rule, e);

    if (rc != RC_OK)
        return rc;
    if (is_ip_rule(rule))
        return ip_rule_add(json_get(set, "ipRules"), rule, e);
    return subnet_rule_add(json_get(set, "virtualNetworkRules"), NULL, rule, subnets, a, e);
}

enum rc registry_rules_remove(struct json *set, const struct json *rule, struct err *e)
{
    bool ip = is_ip_rule(rule);
    struct json *list = json_get(set, ip ? "ipRules" : "virtualNetworkRules");
    struct arm_id id;
    struct cidr c;
    struct str typed;
    int at = -1;
    enum rc rc = kind_check(rule, e);

    if (rc == RC_OK)
        rc = ip ? ip_rule_read(rule, &c, e) : subnet_rule_read(rule, &typed, &id, e);
    if (rc != RC_OK)
        return rc;
    at = ip ? ip_rule_index(list, &c) : subnet_rule_index(list, &id);
    if (at >= 0)
        json_remove_at(list, (size_t)at);
    return RC_OK;
}
