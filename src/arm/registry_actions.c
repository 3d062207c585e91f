/* Actions of registries that change nothing: is a name free, how much is used, who would be let in.
 */
#include "arm/registry.h"
#include "meta/content.h"

/* --- checkNameAvailability --- */
enum http_verdict arm_registry_check_name(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};
    enum rc rc;
    struct str name;

    if (!arm_call_begin(&c, req) || !arm_body_given(&c))
        return HTTP_ANSWERED;
    name = json_str(json_get_nocase(c.sent, "name"));
    if (!str_is_nocase(json_str(json_get_nocase(c.sent, "type")), arm_registry.name)) {
        arm_error(req, 400, "InvalidRequestContent",
                  "The type must be Microsoft.ContainerRegistry/registries.");
        return HTTP_ANSWERED;
    }
    rc = registry_name_available(&c, name, &e);
    arm_set_answer(&c, json_new_object());
    json_set(c.answer, "nameAvailable", json_new_bool(rc == RC_OK));
    if (rc != RC_OK) {
        json_set_text(c.answer, "reason", rc == RC_EXISTS ? "AlreadyExists" : "Invalid");
        json_set_text(c.answer, "message", e.text);
    }
    arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- listUsages --- */
struct usage_row {
    const char *name, *unit;
    int64_t basic, standard, premium; /* 0: not shown for that SKU */
};
static const struct usage_row usage_rows[] = {
    {"Size", "Bytes", 10737418240, 107374182400, 536870912000},
    {"Webhooks", "Count", 2, 10, 500},
    {"Geo-replications", "Count", 0, 0, -1},
    {"IPRules", "Count", 0, 0, REGISTRY_IP_RULES_MAX},
    {"VNetRules", "Count", 0, 0, REGISTRY_SUBNET_RULES_MAX},
    {"PrivateEndpointConnections", "Count", 0, 0, 200},
    {"ScopeMaps", "Count", 100, 500, 50000},
    {"Tokens", "Count", 100, 500, 50000},
};

static int64_t usage_of(const struct usage_row *row, const struct json *body, uint64_t size)
{
    if (str_is(str_from(row->name), "Size"))
        return (int64_t)size;
    if (str_is(str_from(row->name), "IPRules"))
        return (int64_t)json_len(json_path(body, "properties.networkRuleSet.ipRules"));
    if (str_is(str_from(row->name), "VNetRules"))
        return (int64_t)json_len(json_path(body, "properties.networkRuleSet.virtualNetworkRules"));
    return 0;
}

static struct json *usages_json(const struct json *body, uint64_t size)
{
    struct json *out = json_new_object(), *list = json_new_array();
    struct str sku = json_str(json_path(body, "sku.name"));

    for (size_t i = 0; i < ARRAY_LEN(usage_rows); i++) {
        const struct usage_row *row = &usage_rows[i];
        int64_t limit = str_is(sku, "Premium")    ? row->premium
                        : str_is(sku, "Standard") ? row->standard
                                                  : row->basic;
        struct json *one;

        if (limit == 0)
            continue;
        one = json_new_object();
        json_set_text(one, "name", row->name);
        json_set(one, "limit", json_new_int(limit));
        json_set(one, "currentValue", json_new_int(usage_of(row, body, size)));
        json_set_text(one, "unit", row->unit);
        json_append(list, one);
    }
    json_set(out, "value", list);
    return out;
}

static enum rc usages_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct meta_resource r = {0};
    uint64_t size = 0;
    enum rc rc = arm_resource_get(c, tx, &r, &body, e);

    if (rc == RC_OK)
        rc = meta_registry_size(tx, &r.uuid, &size, e);
    if (rc == RC_OK)
        arm_set_answer(c, usages_json(body, size));
    return rc;
}

enum http_verdict arm_registry_list_usages(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, usages_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- denials --- */
enum { DENIALS_MAX = 1024 * 1024 };

static enum rc denials_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(buf_done) struct buf list = BUF_INIT(DENIALS_MAX);
    CLEANUP(json_freep) struct json *body = NULL;
    struct meta_resource r = {0};
    struct json *value = NULL;
    struct str after;
    uint64_t serial = 0;
    enum rc rc = http_query(c->req, "after", &after, NULL);

    if (rc == RC_OK && str_to_u64(after, &serial) != RC_OK)
        return err_set(e, RC_INVALID, "after must be the serial number of a denial.");
    rc = arm_resource_get(c, tx, &r, &body, e);
    if (rc != RC_OK)
        return rc;
    admit_render_denials(c->req, c->name, serial, &list);
    rc = json_parse(buf_str(&list), NULL, &value, e);
    if (rc != RC_OK)
        return rc;
    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", value);
    return RC_OK;
}

/* What the gate refused of late, on this node: {"value":[...]}, `?after=N` only what is newer. */
enum http_verdict arm_registry_denials(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, denials_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- checkNetworkAccess --- */
struct access_check {
    struct arm_call *call;
    struct meta_resource registry;
    struct gate *proposed; /* NULL: nothing was proposed */
};

static enum rc origin_of_ip(struct str text, struct origin *ret, struct err *e)
{
    struct ip_addr ip;
    enum rc rc = ip_parse(text, &ip, e);

    if (rc == RC_OK)
        *ret = (struct origin){.kind = ORIGIN_PUBLIC, .ip = ip};
    return rc;
}

static enum rc origin_asked(const struct snapshot *s, const struct json *origin, struct origin *ret,
                            struct err *e)
{
    struct str ip = json_str(json_get_nocase(origin, "ipAddress"));
    struct str subnet = json_str(json_get_nocase(origin, "subnetId"));
    struct str endpoint = json_str(json_get_nocase(origin, "privateEndpointId"));
    enum rc rc;

    if ((ip.ptr != NULL) + (subnet.ptr != NULL) + (endpoint.ptr != NULL) != 1)
        return err_set(
            e, RC_INVALID,
            "origin must have exactly one of ipAddress, subnetId and privateEndpointId.");
    if (ip.ptr)
        return origin_of_ip(ip, ret, e);
    if (endpoint.ptr)
        return err_set(e, RC_NOT_FOUND, "The private endpoint '%.*s' was not found.",
                       STR_ARG(str_take(endpoint, 300)));
    rc = origin_of_subnet(s->origins, subnet, ret, e);
    return rc == RC_NOT_FOUND
               ? err_set(e, rc, "The subnet '%.*s' was not found.", STR_ARG(str_take(subnet, 300)))
               : rc;
}

static void decision_into(const struct gate *g, const struct origin *o, struct json *out)
{
    struct gate_decision d = gate_decide(g, o);
    struct str rule = gate_rule_text(g, &d);

    json_set_text(out, "decision", d.allow ? "Allow" : "Deny");
    json_set_text(out, "reason", gate_reason_name(d.reason));
    json_set(out, "rule", rule.ptr ? json_new_str(rule) : json_new_null());
    if (d.report_only)
        json_set(out, "reportOnly", json_new_bool(true));
}

static enum rc access_decide(const struct snapshot *s, void *arg, struct err *e)
{
    struct access_check *check = arg;
    struct arm_call *c = check->call;
    const struct snapshot_registry *registry = snapshot_by_uuid(s, &check->registry.uuid);
    struct origin origin;
    enum rc rc;

    if (!registry)
        return arm_not_found(c, e);
    rc = origin_asked(s, json_get_nocase(c->sent, "origin"), &origin, e);
    if (rc != RC_OK)
        return rc;
    arm_set_answer(c, json_new_object());
    decision_into(registry->gate, &origin, c->answer);
    json_set(c->answer, "generation", json_new_int((int64_t)s->generation));
    if (check->proposed) {
        struct json *proposed = json_new_object();

        decision_into(check->proposed, &origin, proposed);
        json_set(c->answer, "proposed", proposed);
    }
    return RC_OK;
}

/* Only what the network's settings are; the rest of a proposal means nothing here. */
static struct json *proposal_body(const struct json *proposed)
{
    static const char *const members[] = {"networkRuleSet", "publicNetworkAccess",
                                          "networkRuleBypassOptions"};
    struct json *out = json_new_object(), *properties = json_new_object();

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_get_nocase(proposed, members[i]))
            json_set(properties, members[i], json_clone(json_get_nocase(proposed, members[i])));
    json_set(out, "properties", properties);
    return out;
}

/* The registry as a PATCH with this proposal would leave it, compiled. */
static enum rc proposal_compile(struct access_check *check, struct meta_tx *tx, struct json *body,
                                struct err *e)
{
    struct arm_call *c = check->call;
    CLEANUP(json_freep) struct json *sent = proposal_body(json_get_nocase(c->sent, "proposed"));
    struct registry_subnets_tx look = {tx, c->arena};
    const struct registry_subnets subnets = {registry_subnet_find, &look};
    struct gate_rule_set rules;
    enum rc rc = registry_body_merge(sent, false, &subnets, c->arena, body, e);

    if (rc == RC_OK)
        rc = gate_rule_set_read(json_get(body, "properties"), c->arena, &rules, e);
    return rc == RC_OK ? gate_compile(&rules, &check->proposed, e) : rc;
}

static enum rc access_read(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct access_check *check = arg;
    enum rc rc = arm_resource_get(check->call, tx, &check->registry, &body, e);

    if (rc == RC_OK && json_type(json_get_nocase(check->call->sent, "proposed")) == JSON_OBJECT)
        rc = proposal_compile(check, tx, body, e);
    return rc;
}

enum http_verdict arm_registry_check_network_access(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct access_check check = {.call = &c};
    struct err e = {0};
    enum rc rc;

    if (!arm_call_begin(&c, req) || !arm_body_given(&c))
        return HTTP_ANSWERED;
    rc = meta_read(c.services->meta, access_read, &check, &e);
    if (rc == RC_OK)
        rc = snapshot_with_newest(c.services->hub, access_decide, &check, &e);
    if (!arm_failed(&c, rc, &e))
        arm_answer_json(&c, 200, c.answer);
    gate_free(check.proposed);
    return HTTP_ANSWERED;
}
