/* Microsoft.Network/virtualNetworks/subnets: parts of their network's body, with their network's
 * etag. A PUT replaces the subnet as a whole: no serviceEndpoints means none. */
#include "arm/vnet.h"

enum { SUBNET_NAME_MAX = 80 };

struct json *subnet_find(const struct json *list, struct str name)
{
    for (size_t i = 0; i < json_len(list); i++)
        if (str_eq_nocase(json_str(json_get(json_at(list, i), "name")), name))
            return json_at(list, i);
    return NULL;
}

/* --- from what a client sent --- */
static enum rc prefixes_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *one = json_get_nocase(sent, "addressPrefix"),
                      *list = json_get_nocase(sent, "addressPrefixes");
    struct cidr c;
    enum rc rc = RC_OK;

    if (json_len(list) > 0 && json_type(list) == JSON_ARRAY &&
        json_len(list) <= SUBNET_PREFIXES_MAX) {
        for (size_t i = 0; rc == RC_OK && i < json_len(list); i++)
            rc = network_prefix_parse(json_str(json_at(list, i)), &c, e);
        json_set(properties, "addressPrefixes", json_clone(list));
        return rc;
    }
    if (!json_str(one).ptr)
        return err_code(
            e, RC_INVALID, "InvalidRequestFormat",
            "A subnet needs properties.addressPrefix, or addressPrefixes with at most %d.",
            SUBNET_PREFIXES_MAX);
    rc = network_prefix_parse(json_str(one), &c, e);
    json_set(properties, "addressPrefix", json_clone(one));
    return rc;
}

/* Service endpoints that ARM knows; only the registry's means something here. */
static const char *const services[] = {
    "Microsoft.ContainerRegistry",
    "Microsoft.Storage",
    "Microsoft.Storage.Global",
    "Microsoft.Sql",
    "Microsoft.AzureActiveDirectory",
    "Microsoft.AzureCosmosDB",
    "Microsoft.Web",
    "Microsoft.KeyVault",
    "Microsoft.EventHub",
    "Microsoft.ServiceBus",
    "Microsoft.CognitiveServices",
};

static const char *service_known(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (str_is_nocase(name, services[i]))
            return services[i];
    return NULL;
}

static bool service_listed(const struct json *list, const char *service)
{
    for (size_t i = 0; i < json_len(list); i++)
        if (str_is(json_str(json_get(json_at(list, i), "service")), service))
            return true;
    return false;
}

static enum rc endpoints_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *list = json_get_nocase(sent, "serviceEndpoints");
    struct json *stored;

    if (json_given(list) && json_type(list) != JSON_ARRAY)
        return err_set(e, RC_INVALID, "serviceEndpoints is not a list.");
    if (json_len(list) == 0)
        return RC_OK;
    stored = json_new_array();
    json_set(properties, "serviceEndpoints", stored);
    for (size_t i = 0; i < json_len(list); i++) {
        struct str name = json_str(json_get_nocase(json_at(list, i), "service"));
        const char *service = service_known(name);
        struct json *one;

        if (!service)
            return err_code(e, RC_INVALID, "SubnetHasInvalidServiceEndpoint",
                            "The service endpoint '%.*s' is not known.",
                            STR_ARG(str_take(name, 100)));
        if (service_listed(stored, service))
            continue;
        one = json_new_object();
        json_set_text(one, "service", service);
        json_append(stored, one);
    }
    return RC_OK;
}

static enum rc policy_set(const struct json *sent, struct json *properties, const char *member,
                          const char *otherwise, struct err *e)
{
    struct str value = json_str(json_get_nocase(sent, member));

    if (!value.ptr)
        value = str_from(otherwise);
    if (str_is_nocase(value, "Enabled"))
        json_set_text(properties, member, "Enabled");
    else if (str_is_nocase(value, "Disabled"))
        json_set_text(properties, member, "Disabled");
    else
        return err_set(e, RC_INVALID, "The value of %s is neither Enabled nor Disabled.", member);
    return RC_OK;
}

static enum rc properties_make(const struct json *sent, struct json *properties, struct err *e)
{
    static const char *const refused[] = {
        "networkSecurityGroup",    "routeTable", "natGateway", "delegations",
        "serviceEndpointPolicies", NULL};
    const struct json *outbound = json_get_nocase(sent, "defaultOutboundAccess");
    enum rc rc = network_members_refuse(sent, refused, e);

    if (rc == RC_OK)
        rc = prefixes_set(sent, properties, e);
    if (rc == RC_OK)
        rc = endpoints_set(sent, properties, e);
    if (rc == RC_OK)
        rc = policy_set(sent, properties, "privateEndpointNetworkPolicies", "Disabled", e);
    if (rc == RC_OK)
        rc = policy_set(sent, properties, "privateLinkServiceNetworkPolicies", "Enabled", e);
    if (rc == RC_OK && json_type(outbound) == JSON_BOOL)
        json_set(properties, "defaultOutboundAccess", json_clone(outbound));
    return rc;
}

enum rc subnet_make(struct str name, const struct json *sent, const struct json *before,
                    struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *made = json_new_object();
    struct json *properties = json_new_object();
    struct uuid fresh = uuid_random();
    char text[UUID_TEXT_MAX];
    enum rc rc = network_name_check(name, SUBNET_NAME_MAX, e);

    json_set(made, "properties", properties);
    if (rc == RC_OK)
        rc = properties_make(json_get_nocase(sent, "properties"), properties, e);
    if (rc != RC_OK)
        return rc;
    json_set_str(made, "name", before ? json_str(json_get(before, "name")) : name);
    json_set_str(made, "uuid",
                 before ? json_str(json_get(before, "uuid")) : uuid_format(&fresh, text));
    *ret = made;
    made = NULL;
    return RC_OK;
}

/* --- rendering --- */
static struct json *render_endpoints(const struct json *stored)
{
    struct json *out = json_new_array();

    for (size_t i = 0; i < json_len(stored); i++) {
        struct json *one = json_new_object(), *locations = json_new_array();

        json_append(locations, json_new_text("*"));
        json_set_text(one, "provisioningState", "Succeeded");
        json_set(one, "service", json_clone(json_get(json_at(stored, i), "service")));
        json_set(one, "locations", locations);
        json_append(out, one);
    }
    return out;
}

static struct json *render_properties(const struct json *stored)
{
    struct json *out = json_new_object(), *value;
    struct str name;
    char member[64];

    json_set_text(out, "provisioningState", "Succeeded");
    for (size_t i = 0; json_member(stored, &i, &name, &value);) {
        if (str_copy(name, member, sizeof(member)) != RC_OK)
            continue;
        json_set(out, member,
                 str_is(name, "serviceEndpoints") ? render_endpoints(value) : json_clone(value));
    }
    json_set(out, "ipamPoolPrefixAllocations", json_new_array());
    json_set(out, "delegations", json_new_array());
    return out;
}

struct json *subnet_render(const struct meta_resource *vnet, const struct json *subnet)
{
    CLEANUP(buf_done) struct buf id = BUF_INIT(4096);
    struct json *out = json_new_object();
    struct str name = json_str(json_get(subnet, "name"));

    buf_addf(&id, "%.*s/subnets/%.*s", STR_ARG(vnet->id), STR_ARG(name));
    json_set_str(out, "name", name);
    json_set_str(out, "id", buf_str(&id));
    json_set_str(out, "etag", vnet->etag);
    json_set(out, "properties", render_properties(json_get(subnet, "properties")));
    json_set_text(out, "type", "Microsoft.Network/virtualNetworks/subnets");
    return out;
}

/* --- reading --- */
static enum rc subnet_missing(struct arm_call *c, const struct meta_resource *vnet, struct err *e)
{
    return err_code(e, RC_NOT_FOUND, "NotFound", "Resource %.*s/subnets/%.*s not found.",
                    STR_ARG(vnet->id), STR_ARG(c->child));
}

static enum rc get_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct json *subnet;
    enum rc rc = arm_resource_get(c, tx, &c->stored, &body, e);

    if (rc != RC_OK)
        return rc;
    subnet = subnet_find(json_path(body, "properties.subnets"), c->child);
    if (!subnet)
        return subnet_missing(c, &c->stored, e);
    arm_set_answer(c, subnet_render(&c->stored, subnet));
    return RC_OK;
}

static enum rc list_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    const struct json *subnets;
    struct json *list;
    enum rc rc = arm_resource_get(c, tx, &c->stored, &body, e);

    if (rc != RC_OK)
        return rc;
    subnets = json_path(body, "properties.subnets");
    list = json_new_array();
    for (size_t i = 0; i < json_len(subnets); i++)
        json_append(list, subnet_render(&c->stored, json_at(subnets, i)));
    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", list);
    return RC_OK;
}

static enum http_verdict subnet_read(struct http_request *req, arm_read_fn *fn)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || arm_failed(&c, arm_read(&c, fn, &e), &e))
        return HTTP_ANSWERED;
    http_add_field(req, "ETag", c.stored.etag);
    arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

enum http_verdict arm_subnet_get(struct http_request *req)
{
    return subnet_read(req, get_read);
}

enum http_verdict arm_subnet_list(struct http_request *req)
{
    return subnet_read(req, list_read);
}

/* --- writing --- */
static enum rc parent_get(struct arm_write *w, struct meta_resource *ret, struct json **ret_body,
                          struct err *e)
{
    struct arm_call *c = w->call;
    enum rc rc = arm_resource_get(c, w->tx, ret, ret_body, e);

    if (rc == RC_NOT_FOUND && e && e->code && strcmp(e->code, "ResourceNotFound") == 0)
        return err_code(e, RC_NOT_FOUND, "ParentResourceNotFound",
                        "Failed to perform 'write' on resource(s) of type "
                        "'virtualNetworks/subnets', because the parent resource "
                        "'%s/%.*s' could not be found.",
                        c->type->name, STR_ARG(c->name));
    return rc;
}

/* Puts `made` where the subnet of its name was, or at the end. */
static void subnet_place(struct json *subnets, struct json *made)
{
    CLEANUP(json_freep) struct json *before = json_clone(subnets);
    struct str name = json_str(json_get(made, "name"));
    bool placed = false;

    while (json_len(subnets) > 0)
        json_remove_at(subnets, 0);
    for (size_t i = 0; i < json_len(before); i++) {
        bool here = str_eq_nocase(json_str(json_get(json_at(before, i), "name")), name);

        json_append(subnets, json_clone(here ? made : json_at(before, i)));
        placed = placed || here;
    }
    if (!placed)
        json_append(subnets, json_clone(made));
}

static enum rc put_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL, *made = NULL;
    struct arm_call *c = w->call;
    struct meta_resource vnet = {0};
    struct json *subnets, *before;
    enum rc rc = parent_get(w, &vnet, &body, e);

    if (rc != RC_OK)
        return rc;
    subnets = json_path(body, "properties.subnets");
    before = subnet_find(subnets, c->child);
    rc = arm_precondition(c, before ? vnet.etag : STR(""), e);
    if (rc == RC_OK)
        rc = subnet_make(c->child, c->sent, before, &made, e);
    if (rc != RC_OK)
        return rc;
    c->created = !before;
    w->before = vnet.body;
    subnet_place(subnets, made);
    rc = vnet_space_check(c->name, json_get(body, "properties"), e);
    if (rc == RC_OK)
        rc = arm_store(w, &vnet, body, e);
    if (rc != RC_OK)
        return rc;
    arm_set_answer(c, subnet_render(&vnet, made));
    return RC_OK;
}

enum http_verdict arm_subnet_put(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || !arm_body_given(&c) ||
        arm_failed(&c, arm_change(&c, put_write, &e), &e))
        return HTTP_ANSWERED;
    http_add_field(req, "ETag", c.stored.etag);
    arm_answer_json(&c, c.created ? 201 : 200, c.answer);
    return HTTP_ANSWERED;
}

static enum rc delete_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct arm_call *c = w->call;
    struct meta_resource vnet = {0};
    struct json *subnets;
    size_t at = 0;
    enum rc rc = arm_resource_get(c, w->tx, &vnet, &body, e);

    if (rc != RC_OK)
        return rc;
    subnets = json_path(body, "properties.subnets");
    while (at < json_len(subnets) &&
           !str_eq_nocase(json_str(json_get(json_at(subnets, at), "name")), c->child))
        at++;
    c->missing = at == json_len(subnets);
    rc = arm_precondition(c, c->missing ? STR("") : vnet.etag, e);
    if (rc != RC_OK || c->missing)
        return rc;
    json_remove_at(subnets, at);
    w->before = vnet.body;
    return arm_store(w, &vnet, body, e);
}

enum http_verdict arm_subnet_delete(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_change(&c, delete_write, &e), &e))
        http_answer(req, c.missing ? 204 : 200, NULL, STR(""));
    return HTTP_ANSWERED;
}
