/* Microsoft.Network/virtualNetworks/subnets: parts of their network's body, with their network's
 * etag. A PUT replaces the subnet as a whole: no serviceEndpoints means none. */
#include "arm/vnet.h"

#include "arm/role.h"

enum { SUBNET_NAME_MAX = 80 };

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
        const char *service = network_service_known(name);
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

/* --- delegations --- */
struct delegation {
    const char *service;
    const char *actions[3];
};
#define SUBNET_ACTION(name) "Microsoft.Network/virtualNetworks/subnets/" name "action"
static const struct delegation managed_instances = {"Microsoft.Sql/managedInstances",
                                                    {SUBNET_ACTION("join/"),
                                                     SUBNET_ACTION("prepareNetworkPolicies/"),
                                                     SUBNET_ACTION("unprepareNetworkPolicies/")}};
static const struct delegation web_farms = {"Microsoft.Web/serverFarms", {SUBNET_ACTION("")}};
static const struct delegation others = {NULL, {SUBNET_ACTION("join/")}};

static const struct delegation *delegation_of(struct str service)
{
    if (str_is_nocase(service, managed_instances.service))
        return &managed_instances;
    return str_is_nocase(service, web_farms.service) ? &web_farms : &others;
}

/* Kept and shown: no service comes into a subnet here. */
static enum rc delegations_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *list = json_get_nocase(sent, "delegations");
    struct json *stored;

    if (json_given(list) && json_type(list) != JSON_ARRAY)
        return err_set(e, RC_INVALID, "delegations is not a list.");
    if (json_len(list) > 1)
        return err_code(e, RC_INVALID, "MultipleDelegationsNotAllowed",
                        "A subnet can have one delegation.");
    if (json_len(list) == 0)
        return RC_OK;
    stored = json_new_object();
    json_set(properties, "delegations", json_new_array());
    json_append(json_get(properties, "delegations"), stored);
    for (int i = 0; i < 2; i++) {
        const char *member = i ? "serviceName" : "name";
        const struct json *one = json_at(list, 0);
        struct str text =
            json_str(json_get_nocase(i ? json_get_nocase(one, "properties") : one, member));

        if (text.len == 0 || text.len > NETWORK_NAME_MAX || (i && !memchr(text.ptr, '/', text.len)))
            return err_code(e, RC_INVALID, "SubnetDelegationInvalid",
                            "A delegation needs a name, and as properties.serviceName a resource "
                            "type.");
        json_set_str(stored, member, text);
    }
    return RC_OK;
}

static struct json *delegation_render(const struct meta_resource *vnet, const struct json *subnet,
                                      const struct json *stored)
{
    const struct delegation *d = delegation_of(json_str(json_get(stored, "serviceName")));
    struct json *p = json_new_object(), *actions = json_new_array(), *out;
    CLEANUP(buf_done) struct buf id = BUF_INIT(4096);
    struct meta_resource parent = *vnet;

    buf_addf(&id, "%.*s/subnets/%.*s", STR_ARG(vnet->id),
             STR_ARG(json_str(json_get(subnet, "name"))));
    parent.id = buf_str(&id);
    out = arm_child_head(&parent, "Microsoft.Network/virtualNetworks/subnets/delegations",
                         json_str(json_get(stored, "name")));
    json_set_text(p, "provisioningState", "Succeeded");
    json_set(p, "serviceName", json_clone(json_get(stored, "serviceName")));
    for (size_t i = 0; i < ARRAY_LEN(d->actions) && d->actions[i]; i++)
        json_append(actions, json_new_text(d->actions[i]));
    json_set(p, "actions", actions);
    json_set(out, "properties", p);
    return out;
}

/* --- making --- */
/* The id is looked up where the network is stored (subnets_uses). */
static void group_set(const struct json *sent, struct json *properties)
{
    struct str id = json_str(json_get_nocase(json_get_nocase(sent, "networkSecurityGroup"), "id"));
    struct json *group;

    if (!id.ptr)
        return;
    group = json_new_object();
    json_set_str(group, "id", id);
    json_set(properties, "networkSecurityGroup", group);
}

static enum rc properties_make(const struct json *sent, struct json *properties, struct err *e)
{
    static const char *const refused[] = {"routeTable",
                                          "natGateway",
                                          "serviceEndpointPolicies",
                                          "ipAllocations",
                                          "applicationGatewayIPConfigurations",
                                          NULL};
    const struct json *outbound = json_get_nocase(sent, "defaultOutboundAccess");
    enum rc rc = network_members_refuse(sent, refused, e);

    if (rc == RC_OK)
        rc = prefixes_set(sent, properties, e);
    group_set(sent, properties);
    if (rc == RC_OK)
        rc = endpoints_set(sent, properties, e);
    if (rc == RC_OK)
        rc = delegations_set(sent, properties, e);
    if (rc == RC_OK)
        rc = network_choice_set(sent, "privateEndpointNetworkPolicies",
                                "Disabled|Enabled|NetworkSecurityGroupEnabled|RouteTableEnabled",
                                "Disabled", properties, e);
    if (rc == RC_OK)
        rc = network_choice_set(sent, "privateLinkServiceNetworkPolicies", "Disabled|Enabled",
                                "Enabled", properties, e);
    if (rc == RC_OK)
        rc = network_choice_set(sent, "sharingScope", "Tenant|DelegatedServices", NULL, properties,
                                e);
    if (rc == RC_OK && json_type(outbound) == JSON_BOOL)
        json_set(properties, "defaultOutboundAccess", json_clone(outbound));
    return rc;
}

static enum rc subnet_make(struct str name, const struct json *sent, const struct json *before,
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
    json_set(made, "usedBy", json_clone(network_users(before)));
    *ret = made;
    made = NULL;
    return RC_OK;
}

/* --- rendering --- */
static struct json *render_endpoints(const char *state, const struct json *stored)
{
    struct json *out = json_new_array();

    for (size_t i = 0; i < json_len(stored); i++) {
        struct json *one = json_new_object(), *locations = json_new_array();

        json_append(locations, json_new_text("*"));
        json_set_text(one, "provisioningState", state);
        json_set(one, "service", json_clone(json_get(json_at(stored, i), "service")));
        json_set(one, "locations", locations);
        json_append(out, one);
    }
    return out;
}

static struct json *render_properties(const struct meta_resource *vnet, const char *state,
                                      const struct json *subnet)
{
    const struct json *stored = json_get(subnet, "properties");
    struct json *out = json_new_object(), *delegations = json_new_array(), *value;
    struct json *users = network_users_render(subnet, NULL);
    struct str name;

    json_set_text(out, "provisioningState", state);
    for (size_t i = 0; json_member(stored, &i, &name, &value);)
        json_set(out, name.ptr,
                 str_is(name, "serviceEndpoints") ? render_endpoints(state, value)
                                                  : json_clone(value));
    json_set(out, "ipamPoolPrefixAllocations", json_new_array());
    if (json_get(stored, "delegations"))
        json_append(delegations,
                    delegation_render(vnet, subnet, json_at(json_get(stored, "delegations"), 0)));
    json_set(out, "delegations", delegations);
    if (users)
        json_set(out, "ipConfigurations", users);
    return out;
}

static struct json *subnet_render(const struct meta_resource *vnet, const char *state,
                                  const struct json *subnet)
{
    struct json *out = arm_child_head(vnet, "Microsoft.Network/virtualNetworks/subnets",
                                      json_str(json_get(subnet, "name")));

    json_set(out, "properties", render_properties(vnet, state, subnet));
    return out;
}

/* --- as parts of their network --- */
enum rc subnets_unused(const struct json *before, const struct json *after, struct err *e)
{
    for (size_t i = 0; i < json_len(before); i++) {
        const struct json *subnet = json_at(before, i);
        struct str name = json_str(json_get(subnet, "name"));
        struct str user = json_str(json_get(json_at(network_users(subnet), 0), "id"));

        if (user.ptr && !arm_child_find(after, name))
            return err_code(e, RC_INVALID, "InUseSubnetCannotBeDeleted",
                            "Subnet %.*s is in use by %.*s and cannot be deleted. In order to "
                            "delete the subnet, delete all the resources within the subnet. See "
                            "aka.ms/deletesubnet.",
                            STR_ARG(name), STR_ARG(user));
    }
    return RC_OK;
}

enum rc subnets_uses(struct arm_write *w, struct str vnet, const struct json *subnets, bool sent,
                     struct network_use **list, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_len(subnets); i++) {
        struct json *group = json_path(json_at(subnets, i), "properties.networkSecurityGroup");
        struct network_use use = {.target = json_str(json_get(group, "id")),
                                  .named = sent ? group : NULL};

        if (!group)
            continue;
        use.user = arena_printf(w->arena, "%.*s/subnets/%.*s", STR_ARG(vnet),
                                STR_ARG(json_str(json_get(json_at(subnets, i), "name"))));
        rc = network_use_add(w, list, use, e);
    }
    return rc;
}

/* An address that an interface has stays inside its subnet. */
static enum rc users_fit(const struct json *subnets, struct err *e)
{
    for (size_t i = 0; i < json_len(subnets); i++) {
        const struct json *users = network_users(json_at(subnets, i));

        for (size_t k = 0; k < json_len(users); k++) {
            struct str user, text = json_str(json_get(json_at(users, k), "address"));
            struct ip_addr a;

            if (ip_parse(text, &a, NULL) == RC_OK &&
                network_address_state(json_at(subnets, i), &a, &user) != NETWORK_ADDRESS_USED)
                return err_code(e, RC_INVALID, "InUsePrefixCannotBeDeleted",
                                "IpPrefix on Subnet %.*s has active allocations and cannot be "
                                "deleted: %.*s.",
                                STR_ARG(json_str(json_get(json_at(subnets, i), "name"))),
                                STR_ARG(text));
        }
    }
    return RC_OK;
}

/* Roles on a subnet go with it. */
static enum rc roles_forget(struct arm_write *w, struct str vnet, const struct json *old,
                            const struct json *new, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_len(old); i++) {
        struct str name = json_str(json_get(json_at(old, i), "name"));

        if (!arm_child_find(new, name))
            rc = arm_roles_forget(
                w, arena_printf(w->arena, "%.*s/subnets/%.*s", STR_ARG(vnet), STR_ARG(name)), e);
    }
    return rc;
}

static enum rc subnets_changed(struct arm_write *w, struct str vnet, const struct json *before,
                               struct json *body, struct err *e)
{
    struct json *old = json_path(before, "properties.subnets"),
                *new = json_path(body, "properties.subnets");
    struct network_use *used = NULL, *uses = NULL;
    enum rc rc = subnets_unused(old, new, e);

    if (rc == RC_OK)
        rc = vnet_space_check(arm_name_of(vnet), json_get(body, "properties"), e);
    if (rc == RC_OK)
        rc = users_fit(new, e);
    if (rc == RC_OK)
        rc = roles_forget(w, vnet, old, new, e);
    if (rc == RC_OK)
        rc = subnets_uses(w, vnet, old, false, &used, e);
    if (rc == RC_OK)
        rc = subnets_uses(w, vnet, new, true, &uses, e);
    if (rc == RC_OK)
        rc = network_uses_bind(w, uses, arm_nsg.name, e);
    return rc == RC_OK ? network_uses_change(w, used, uses, e) : rc;
}

const struct arm_child subnet_type = {"Microsoft.Network/virtualNetworks/subnets",
                                      "subnets",
                                      VNET_SUBNETS_MAX,
                                      subnet_make,
                                      subnet_render,
                                      subnets_changed};

/* --- routes --- */
enum http_verdict arm_subnet_get(struct http_request *req)
{
    return arm_child_get(req, &subnet_type);
}

enum http_verdict arm_subnet_list(struct http_request *req)
{
    return arm_child_list(req, &subnet_type);
}

enum http_verdict arm_subnet_put(struct http_request *req)
{
    return arm_child_put(req, &subnet_type);
}

enum http_verdict arm_subnet_delete(struct http_request *req)
{
    return arm_child_delete(req, &subnet_type);
}
