/* Microsoft.Network/networkSecurityGroups and their rules: kept and shown, as clients expect; this
 * server filters no packets by them. */
#include "arm/network.h"
#include "arm/operation.h"

enum { RANGES_MAX = 4000, PRIORITY_MIN = 100, PRIORITY_MAX = 4096 };

#define GROUPS "Microsoft.Network/networkSecurityGroups"

/* --- default rules --- */
struct default_rule {
    const char *name, *description, *source, *destination, *access, *direction;
    int priority;
};
static const struct default_rule default_rules[] = {
    {"AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork",
     "VirtualNetwork", "Allow", "Inbound", 65000},
    {"AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer",
     "AzureLoadBalancer", "*", "Allow", "Inbound", 65001},
    {"DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", "Inbound", 65500},
    {"AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET",
     "VirtualNetwork", "VirtualNetwork", "Allow", "Outbound", 65000},
    {"AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet",
     "Allow", "Outbound", 65001},
    {"DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", "Outbound", 65500},
};

static struct json *default_rule_stored(const struct default_rule *d)
{
    struct json *rule = json_new_object(), *p = json_new_object();

    json_set_text(rule, "name", d->name);
    json_set_text(p, "description", d->description);
    json_set_text(p, "protocol", "*");
    json_set_text(p, "sourcePortRange", "*");
    json_set_text(p, "destinationPortRange", "*");
    json_set_text(p, "sourceAddressPrefix", d->source);
    json_set_text(p, "destinationAddressPrefix", d->destination);
    json_set_text(p, "access", d->access);
    json_set(p, "priority", json_new_int(d->priority));
    json_set_text(p, "direction", d->direction);
    json_set(rule, "properties", p);
    return rule;
}

/* --- rules: rendering --- */
/* Always there, empty: an az table of rules asks for each. */
static const char *const lists[] = {"sourcePortRanges",
                                    "destinationPortRanges",
                                    "sourceAddressPrefixes",
                                    "destinationAddressPrefixes",
                                    "sourceApplicationSecurityGroups",
                                    "destinationApplicationSecurityGroups"};

static struct json *rule_properties(const char *state, const struct json *stored)
{
    struct json *out = json_new_object(), *value;
    struct str name;

    json_set_text(out, "provisioningState", state);
    for (size_t i = 0; json_member(stored, &i, &name, &value);)
        json_set(out, name.ptr, json_clone(value));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (!json_get(out, lists[i]))
            json_set(out, lists[i], json_new_array());
    return out;
}

static struct json *render_as(const struct meta_resource *group, const char *type,
                              const char *state, const struct json *rule)
{
    struct json *out = arm_child_head(group, type, json_str(json_get(rule, "name")));

    json_set(out, "properties", rule_properties(state, json_get(rule, "properties")));
    return out;
}

static struct json *rule_render(const struct meta_resource *group, const char *state,
                                const struct json *rule)
{
    return render_as(group, GROUPS "/securityRules", state, rule);
}

static struct json *default_rules_render(const struct meta_resource *group, const char *state)
{
    struct json *out = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(default_rules); i++) {
        CLEANUP(json_freep) struct json *rule = default_rule_stored(&default_rules[i]);

        json_append(out, render_as(group, GROUPS "/defaultSecurityRules", state, rule));
    }
    return out;
}

/* --- rules: from what a client sent --- */
#define SOURCE_GROUPS      "sourceApplicationSecurityGroups"
#define DESTINATION_GROUPS "destinationApplicationSecurityGroups"
static const char *const groups[] = {SOURCE_GROUPS, DESTINATION_GROUPS};

static enum rc rule_error(struct str rule, const char *member, const char *why, struct err *e)
{
    return err_code(e, RC_INVALID, "SecurityRuleInvalidParameter",
                    "Security rule '%.*s' has an invalid value of %s: %s.",
                    STR_ARG(str_take(rule, 100)), member, why);
}

/* "*", a port, or two with a dash. */
static bool port_range_good(struct str s)
{
    struct str first = str_split(&s, '-');
    uint64_t from = 0, to = 0;

    if (str_is(first, "*"))
        return !s.ptr;
    if (str_to_u64(first, &from) != RC_OK || from > 65535)
        return false;
    return !s.ptr || (str_to_u64(s, &to) == RC_OK && to <= 65535 && to >= from);
}

/* "*", a CIDR, or a service tag. */
static bool prefix_good(struct str s)
{
    struct cidr c;

    if (s.len == 0 || s.len > 256)
        return false;
    return cidr_parse(s, &c, NULL) == RC_OK || !memchr(s.ptr, '/', s.len);
}

static bool text_good(struct str s, bool ports)
{
    return s.ptr && (ports ? port_range_good(s) : prefix_good(s));
}

static enum rc range_bad(struct str rule, struct str value, bool ports, struct err *e)
{
    if (ports)
        return err_code(e, RC_INVALID, "SecurityRuleInvalidPortRange",
                        "Security rule %.*s has invalid Port range. Value provided: %.*s. Value "
                        "should be an integer OR integer range with '-' delimiter. Valid range "
                        "0-65535.",
                        STR_ARG(str_take(rule, 100)), STR_ARG(str_take(value, 100)));
    return err_code(e, RC_INVALID, "SecurityRuleInvalidAddressPrefix",
                    "Security rule %.*s has invalid Address prefix. Value provided: %.*s",
                    STR_ARG(str_take(rule, 100)), STR_ARG(str_take(value, 100)));
}

/* One text, or a list of them, or groups: one of them has to be there. */
static enum rc range_set(struct str rule, const struct json *sent, const char *const member[3],
                         struct json *out, struct err *e)
{
    bool ports = strstr(member[0], "Port") != NULL;
    const struct json *one = json_get_nocase(sent, member[0]),
                      *list = json_get_nocase(sent, member[1]);

    if (json_given(one) && !text_good(json_str(one), ports))
        return range_bad(rule, json_str(one), ports, e);
    if (json_given(list) && (json_type(list) != JSON_ARRAY || json_len(list) > RANGES_MAX))
        return rule_error(rule, member[1], "it is not a list, or too long", e);
    for (size_t i = 0; i < json_len(list); i++)
        if (!text_good(json_str(json_at(list, i)), ports))
            return range_bad(rule, json_str(json_at(list, i)), ports, e);
    if (!json_given(one) && json_len(list) == 0 && !(member[2] && json_get(out, member[2])))
        return rule_error(rule, member[0], "it is missing", e);
    if (json_given(one))
        json_set(out, member[0], json_clone(one));
    if (json_len(list) > 0)
        json_set(out, member[1], json_clone(list));
    return RC_OK;
}

static enum rc choice_needed(struct str rule, const struct json *sent, const char *member,
                             const char *values, struct json *out, struct err *e)
{
    if (!json_given(json_get_nocase(sent, member)))
        return rule_error(rule, member, "it is missing", e);
    return network_choice_set(sent, member, values, NULL, out, e);
}

static enum rc priority_set(struct str rule, const struct json *sent, struct json *out,
                            struct err *e)
{
    int64_t priority = json_int(json_get_nocase(sent, "priority"), 0);

    if (priority < PRIORITY_MIN || priority > PRIORITY_MAX)
        return err_code(e, RC_INVALID, "SecurityRuleInvalidPriority",
                        "Security rule %.*s has invalid Priority. Value provided: %lld Allowed "
                        "range %d-%d.",
                        STR_ARG(str_take(rule, 100)), (long long)priority, PRIORITY_MIN,
                        PRIORITY_MAX);
    json_set(out, "priority", json_new_int(priority));
    return RC_OK;
}

static enum rc ranges_set(struct str rule, const struct json *sent, struct json *out, struct err *e)
{
    static const char *const members[4][3] = {
        {"sourcePortRange", "sourcePortRanges"},
        {"destinationPortRange", "destinationPortRanges"},
        {"sourceAddressPrefix", "sourceAddressPrefixes", SOURCE_GROUPS},
        {"destinationAddressPrefix", "destinationAddressPrefixes", DESTINATION_GROUPS},
    };
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(groups); i++)
        rc = network_asgs_set(sent, groups[i], out, e);
    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(members); i++)
        rc = range_set(rule, sent, members[i], out, e);
    return rc;
}

static enum rc rule_properties_make(struct str rule, const struct json *sent, struct json *out,
                                    struct err *e)
{
    struct str description = json_str(json_get_nocase(sent, "description"));
    enum rc rc = RC_OK;

    if (description.ptr)
        json_set_str(out, "description", description);
    if (rc == RC_OK)
        rc = choice_needed(rule, sent, "protocol", "*|Tcp|Udp|Icmp|Esp|Ah", out, e);
    if (rc == RC_OK)
        rc = ranges_set(rule, sent, out, e);
    if (rc == RC_OK)
        rc = choice_needed(rule, sent, "access", "Allow|Deny", out, e);
    if (rc == RC_OK)
        rc = priority_set(rule, sent, out, e);
    return rc == RC_OK ? choice_needed(rule, sent, "direction", "Inbound|Outbound", out, e) : rc;
}

static enum rc rule_make(struct str name, const struct json *sent, const struct json *before,
                         struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *made = json_new_object();
    struct json *properties = json_new_object();
    enum rc rc = network_name_plain(name, e);

    json_set_str(made, "name", before ? json_str(json_get(before, "name")) : name);
    json_set(made, "properties", properties);
    if (rc == RC_OK)
        rc = rule_properties_make(name, json_get_nocase(sent, "properties"), properties, e);
    if (rc != RC_OK)
        return rc;
    *ret = made;
    made = NULL;
    return RC_OK;
}

static enum rc rules_clash(const struct json *a, const struct json *b, struct err *e)
{
    return err_code(e, RC_INVALID, "SecurityRuleConflict",
                    "Security rule %.*s conflicts with rule %.*s. Rules cannot have the same "
                    "Priority and Direction. Priority: %lld, Direction: %.*s",
                    STR_ARG(json_str(json_get(a, "name"))), STR_ARG(json_str(json_get(b, "name"))),
                    (long long)json_int(json_path(a, "properties.priority"), 0),
                    STR_ARG(json_str(json_path(a, "properties.direction"))));
}

static enum rc rules_differ(const struct json *body, struct err *e)
{
    const struct json *seen[2][8192] = {{NULL}};
    const struct json *rules = json_path(body, "properties.securityRules");

    for (size_t i = 0; i < json_len(rules); i++) {
        const struct json *rule = json_at(rules, i);
        bool out = str_is(json_str(json_path(rule, "properties.direction")), "Outbound");
        const struct json **at =
            &seen[out][json_int(json_path(rule, "properties.priority"), 0) & 8191];

        if (*at)
            return rules_clash(rule, *at, e);
        *at = rule;
    }
    return RC_OK;
}

static enum rc rules_uses(struct arm_write *w, struct str nsg, const struct json *body, bool sent,
                          struct network_use **list, struct err *e)
{
    const struct json *rules = json_path(body, "properties.securityRules");
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_len(rules); i++) {
        const struct json *rule = json_at(rules, i);
        struct str user = arena_printf(w->arena, "%.*s/securityRules/%.*s", STR_ARG(nsg),
                                       STR_ARG(json_str(json_get(rule, "name"))));

        for (size_t k = 0; rc == RC_OK && k < ARRAY_LEN(groups); k++)
            rc = network_asgs_uses(w, json_get(json_get(rule, "properties"), groups[k]), user, sent,
                                   list, e);
    }
    return rc;
}

static enum rc rules_changed(struct arm_write *w, struct str nsg, const struct json *before,
                             struct json *body, struct err *e)
{
    struct network_use *old = NULL, *new = NULL;
    enum rc rc = rules_differ(body, e);

    if (rc == RC_OK)
        rc = rules_uses(w, nsg, before, false, &old, e);
    if (rc == RC_OK)
        rc = rules_uses(w, nsg, body, true, &new, e);
    if (rc == RC_OK)
        rc = network_uses_bind(w, new, arm_asg.name, e);
    return rc == RC_OK ? network_uses_change(w, old, new, e) : rc;
}

const struct arm_child nsg_rule_type = {GROUPS "/securityRules",
                                        "securityRules",
                                        NETWORK_RULES_MAX,
                                        rule_make,
                                        rule_render,
                                        rules_changed};

enum http_verdict arm_security_rule_get(struct http_request *req)
{
    return arm_child_get(req, &nsg_rule_type);
}

enum http_verdict arm_security_rule_list(struct http_request *req)
{
    return arm_child_list(req, &nsg_rule_type);
}

enum http_verdict arm_security_rule_put(struct http_request *req)
{
    return arm_child_put(req, &nsg_rule_type);
}

enum http_verdict arm_security_rule_delete(struct http_request *req)
{
    return arm_child_delete(req, &nsg_rule_type);
}

/* --- default rules, read --- */
static enum rc default_rules_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct json *all;
    enum rc rc = arm_resource_get(c, tx, &c->stored, NULL, e);

    if (rc != RC_OK)
        return rc;
    all = default_rules_render(&c->stored, "Succeeded");
    if (!c->child.ptr) {
        arm_set_answer(c, json_new_object());
        json_set(c->answer, "value", all);
        return RC_OK;
    }
    arm_set_answer(c, json_clone(arm_child_find(all, c->child)));
    json_free(all);
    if (c->answer)
        return RC_OK;
    return err_code(e, RC_NOT_FOUND, "NotFound",
                    "Resource %.*s/defaultSecurityRules/%.*s not found.", STR_ARG(c->stored.id),
                    STR_ARG(c->child));
}

enum http_verdict arm_default_rule_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, default_rules_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

enum http_verdict arm_default_rule_get(struct http_request *req)
{
    return arm_default_rule_list(req);
}

/* --- the group --- */
static enum rc nsg_put(struct arm_write *w, const struct json *sent, struct json *body,
                       struct err *e)
{
    CLEANUP(json_freep) struct json *before = json_clone(body);
    const struct json *given = NULL;
    struct json *properties = NULL;
    enum rc rc = network_put_begin(sent, body, &given, &properties, e);

    if (rc == RC_OK)
        rc = arm_children_set(&nsg_rule_type, given, properties, e);
    return rc == RC_OK ? rules_changed(w, w->id, before, body, e) : rc;
}

static enum rc nsg_deleted(struct arm_write *w, const struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct network_use *uses = NULL;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK)
        rc = rules_uses(w, r->id, body, false, &uses, e);
    return rc == RC_OK ? network_uses_change(w, uses, NULL, e) : rc;
}

static enum rc nsg_deletable(struct arm_write *w, const struct meta_resource *r,
                             const struct json *body, struct err *e)
{
    CLEANUP(buf_done) struct buf ids = BUF_INIT(400);
    const struct json *users = network_users(body);

    (void)w;
    for (size_t i = 0; i < json_len(users); i++) {
        buf_add(&ids, i > 0 ? STR(", ") : STR(""));
        buf_add(&ids, json_str(json_get(json_at(users, i), "id")));
    }
    if (json_len(users) == 0)
        return RC_OK;
    return err_code(e, RC_INVALID, "InUseNetworkSecurityGroupCannotBeDeleted",
                    "Network security group %.*s cannot be deleted because it is in use by the "
                    "following resources: %.*s. In order to delete the Network security group, "
                    "remove the association with the resource(s). To learn how to do this, see "
                    "aka.ms/deletensg.",
                    STR_ARG(r->id), STR_ARG(buf_str(&ids)));
}

static struct json *nsg_render(const struct arm_view *v, const struct meta_resource *r,
                               const struct json *body)
{
    struct json *out = network_head(r, body), *p = json_new_object();
    struct json *subnets = network_users_render(body, "Microsoft.Network/virtualNetworks/subnets");
    struct json *interfaces = network_users_render(body, "Microsoft.Network/networkInterfaces");
    char guid[UUID_TEXT_MAX];

    (void)v;
    json_set_text(p, "provisioningState", arm_state(body));
    json_set_str(p, "resourceGuid", uuid_format(&r->uuid, guid));
    json_set(p, "securityRules", arm_children_render(&nsg_rule_type, r, body));
    json_set(p, "defaultSecurityRules", default_rules_render(r, arm_state(body)));
    if (interfaces)
        json_set(p, "networkInterfaces", interfaces);
    if (subnets)
        json_set(p, "subnets", subnets);
    json_set(out, "properties", p);
    return out;
}

const struct arm_type arm_nsg = {
    .name = GROUPS,
    .scope = ARM_SCOPE_GROUP,
    .check_name = network_name_plain,
    .put = nsg_put,
    .patch = arm_tags_patch,
    .deletable = nsg_deletable,
    .deleted = nsg_deleted,
    .style = network_style,
    .render = nsg_render,
};
