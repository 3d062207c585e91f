/* Microsoft.Network/networkInterfaces: kept and shown, as clients expect; each of its IP
 * configurations has an address in a subnet. No machine is behind them. */
#include "arm/network.h"

enum { CONFIGURATIONS_MAX = 256 };

#define SUBNET_TYPE    "Microsoft.Network/virtualNetworks/subnets"
#define PUBLIC_IP_TYPE "Microsoft.Network/publicIPAddresses"
#define NSG_TYPE       "Microsoft.Network/networkSecurityGroups"

struct nic_put { /* one PUT */
    struct arm_write *w;
    const struct json *before; /* the stored properties as they were */
    struct json *made;         /* the new list of configurations */
    /* Of the newest one; its users are those that are stored, and what this PUT has put there. */
    struct network_target subnet;
};

/* --- what an interface uses --- */
static struct str user_of(struct arm_write *w, struct str nic, struct str configuration)
{
    return arena_printf(w->arena, "%.*s/ipConfigurations/%.*s", STR_ARG(nic),
                        STR_ARG(configuration));
}

static enum rc configuration_uses(struct arm_write *w, const struct json *configuration,
                                  struct str nic, bool sent, struct network_use **list,
                                  struct err *e)
{
    const struct json *p = json_get(configuration, "properties");
    struct str user = user_of(w, nic, json_str(json_get(configuration, "name")));
    struct str public_ip = json_str(json_path(p, "publicIPAddress.id"));
    struct network_use subnet = {.target = json_str(json_path(p, "subnet.id")),
                                 .user = user,
                                 .address = json_str(json_get(p, "privateIPAddress"))};
    struct json *groups = json_get(p, "applicationSecurityGroups");
    enum rc rc = network_use_add(w, list, subnet, e);

    if (rc == RC_OK)
        rc = network_asgs_uses(w, groups, user, sent, list, e);
    if (rc == RC_OK && public_ip.ptr)
        rc = network_use_add(w, list, (struct network_use){.target = public_ip, .user = user}, e);
    return rc;
}

/* Texts are borrowed from `properties`; `sent`: some are still to be looked up. */
static enum rc uses_of(struct arm_write *w, const struct json *properties, struct str nic,
                       bool sent, struct network_use **list, struct err *e)
{
    const struct json *configurations = json_get(properties, "ipConfigurations");
    struct str group = json_str(json_path(properties, "networkSecurityGroup.id"));
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_len(configurations); i++)
        rc = configuration_uses(w, json_at(configurations, i), nic, sent, list, e);
    if (rc == RC_OK && group.ptr)
        rc = network_use_add(w, list, (struct network_use){.target = group, .user = nic}, e);
    return rc;
}

/* --- addresses --- */
static bool is_of(struct str user, struct str nic)
{
    return user.len > nic.len && user.ptr[nic.len] == '/' &&
           str_eq_nocase(str_take(user, nic.len), nic);
}

/* Has another configuration of the new list this address in this subnet? */
static bool taken_here(const struct nic_put *put, struct str subnet, const struct ip_addr *a)
{
    for (size_t i = 0; i < json_len(put->made); i++) {
        const struct json *p = json_get(json_at(put->made, i), "properties");
        struct ip_addr other;

        if (str_eq_nocase(json_str(json_path(p, "subnet.id")), subnet) &&
            ip_parse(json_str(json_get(p, "privateIPAddress")), &other, NULL) == RC_OK &&
            ip_eq(&other, a))
            return true;
    }
    return false;
}

static enum rc address_fits(const struct nic_put *put, const struct network_target *subnet,
                            const struct ip_addr *a, struct err *e)
{
    struct str user = STR_NONE;
    enum network_address_state state = network_address_state(subnet->holder, a, &user);
    char text[IP_TEXT_MAX];

    ip_format(a, text);
    if (state == NETWORK_ADDRESS_OUTSIDE)
        return err_code(e, RC_INVALID, "PrivateIPAddressNotInSubnet",
                        "Private static IP address %s does not belong to the range of subnet "
                        "%.*s.",
                        text, STR_ARG(subnet->id));
    if (state == NETWORK_ADDRESS_RESERVED)
        return err_code(e, RC_INVALID, "PrivateIPAddressInReservedRange",
                        "Private static IP address %s falls within reserved IP range of subnet "
                        "%.*s.",
                        text, STR_ARG(subnet->id));
    if ((state == NETWORK_ADDRESS_USED && !is_of(user, put->w->id)) ||
        taken_here(put, subnet->id, a))
        return err_code(e, RC_INVALID, "PrivateIPAddressIsAllocated",
                        "IP configuration of %.*s is using the private IP address %s which is "
                        "already allocated to resource %.*s.",
                        STR_ARG(put->w->id), text, STR_ARG(user.ptr ? user : put->w->id));
    return RC_OK;
}

/* The address that the configuration of this name had in this subnet stays its own. */
static bool address_kept(const struct nic_put *put, struct str name,
                         const struct network_target *subnet, unsigned family, struct ip_addr *ret)
{
    const struct json *old = arm_child_find(json_get(put->before, "ipConfigurations"), name);
    const struct json *p = json_get(old, "properties");

    return str_eq_nocase(json_str(json_path(p, "subnet.id")), subnet->id) &&
           ip_parse(json_str(json_get(p, "privateIPAddress")), ret, NULL) == RC_OK &&
           ret->family == family && address_fits(put, subnet, ret, NULL) == RC_OK;
}

static enum rc address_choose(const struct nic_put *put, struct str name,
                              const struct network_target *subnet, unsigned family,
                              struct ip_addr *ret, struct err *e)
{
    struct ip_addr a = {0};

    if (address_kept(put, name, subnet, family, ret))
        return RC_OK;
    while (network_address_next(subnet->holder, family, &a) == RC_OK) {
        if (taken_here(put, subnet->id, &a))
            continue;
        *ret = a;
        return RC_OK;
    }
    return err_code(e, RC_INVALID, "SubnetIsFull",
                    "Subnet %.*s does not have enough capacity for 1 IP addresses.",
                    STR_ARG(subnet->id));
}

static enum rc address_set(const struct nic_put *put, struct str name, const struct json *sent,
                           const struct network_target *subnet, struct json *out, struct err *e)
{
    bool is_static = str_is(json_str(json_get(out, "privateIPAllocationMethod")), "Static");
    bool v6 = str_is(json_str(json_get(out, "privateIPAddressVersion")), "IPv6");
    struct str typed = json_str(json_get_nocase(sent, "privateIPAddress"));
    char text[IP_TEXT_MAX];
    struct ip_addr a = {0};
    enum rc rc;

    if (is_static) {
        if (ip_parse(typed, &a, NULL) != RC_OK || a.family != (v6 ? 6 : 4))
            return err_code(e, RC_INVALID, "PrivateIPAddressInvalid",
                            "The static IP configuration '%.*s' needs a privateIPAddress of its "
                            "version.",
                            STR_ARG(str_take(name, 100)));
        rc = address_fits(put, subnet, &a, e);
    } else {
        rc = address_choose(put, name, subnet, v6 ? 6 : 4, &a, e);
    }
    if (rc == RC_OK)
        json_set_str(out, "privateIPAddress", ip_format(&a, text));
    return rc;
}

/* --- one configuration --- */
static void reference_set(struct json *out, const char *member, struct str id)
{
    struct json *reference = json_new_object();

    json_set_str(reference, "id", id);
    json_set(out, member, reference);
}

static enum rc public_ip_set(const struct nic_put *put, struct str name, const struct json *sent,
                             struct json *out, struct err *e)
{
    struct network_target t = {0};
    struct str id = json_str(json_get_nocase(json_get_nocase(sent, "publicIPAddress"), "id"));
    struct str user;
    enum rc rc;

    if (!id.ptr)
        return RC_OK;
    rc = network_target_open(put->w, id, PUBLIC_IP_TYPE, put->w->id, &t, e);
    if (rc != RC_OK)
        return rc;
    user = json_str(json_get(json_at(network_users(t.body), 0), "id"));
    if (user.ptr && !is_of(user, put->w->id))
        rc = err_code(e, RC_INVALID, "PublicIPAddressInUse",
                      "Resource %.*s/ipConfigurations/%.*s is referencing public IP address %.*s "
                      "that is already allocated to resource %.*s.",
                      STR_ARG(put->w->id), STR_ARG(name), STR_ARG(t.id), STR_ARG(user));
    else
        reference_set(out, "publicIPAddress", t.id);
    network_target_done(&t);
    return rc;
}

/* Configurations that follow each other are mostly in one subnet. */
static enum rc subnet_open(struct nic_put *put, struct str id, struct err *e)
{
    struct network_target t = {0};
    enum rc rc;

    if (put->subnet.id.ptr && str_eq_nocase(put->subnet.id, id))
        return RC_OK;
    rc = network_target_open(put->w, id, SUBNET_TYPE, put->w->id, &t, e);
    if (rc != RC_OK)
        return rc;
    network_target_done(&put->subnet);
    put->subnet = t;
    return RC_OK;
}

static enum rc subnet_set(struct nic_put *put, struct str name, const struct json *sent,
                          struct json *out, struct err *e)
{
    struct str id = json_str(json_get_nocase(json_get_nocase(sent, "subnet"), "id"));
    enum rc rc;

    if (!id.ptr)
        return err_code(e, RC_INVALID, "SubnetIsRequired",
                        "Subnet reference is required for ipConfiguration %.*s of network "
                        "interface %.*s.",
                        STR_ARG(str_take(name, 100)), STR_ARG(put->w->id));
    rc = subnet_open(put, id, e);
    if (rc == RC_OK)
        rc = address_set(put, name, sent, &put->subnet, out, e);
    if (rc != RC_OK)
        return rc;
    reference_set(out, "subnet", put->subnet.id);
    network_user_add(put->subnet.holder,
                     &(struct network_use){.user = user_of(put->w, put->w->id, name),
                                           .address = json_str(json_get(out, "privateIPAddress"))});
    return RC_OK;
}

static enum rc configuration_properties(struct nic_put *put, struct str name,
                                        const struct json *sent, struct json *out, struct err *e)
{
    static const char *const refused[] = {"loadBalancerBackendAddressPools",
                                          "loadBalancerInboundNatRules",
                                          "applicationGatewayBackendAddressPools",
                                          "virtualNetworkTaps",
                                          "gatewayLoadBalancer",
                                          NULL};
    enum rc rc = network_members_refuse(sent, refused, e);

    if (rc == RC_OK)
        rc = network_choice_set(sent, "privateIPAllocationMethod", "Dynamic|Static", "Dynamic", out,
                                e);
    if (rc == RC_OK)
        rc = network_choice_set(sent, "privateIPAddressVersion", "IPv4|IPv6", "IPv4", out, e);
    if (rc == RC_OK)
        rc = subnet_set(put, name, sent, out, e);
    if (rc == RC_OK)
        rc = public_ip_set(put, name, sent, out, e);
    if (rc == RC_OK)
        rc = network_asgs_set(sent, "applicationSecurityGroups", out, e);
    return rc == RC_OK ? network_bool_set(sent, "primary", out, e) : rc;
}

static enum rc configuration_make(struct nic_put *put, const struct json *sent, struct err *e)
{
    CLEANUP(json_freep) struct json *one = json_new_object();
    struct str name = json_str(json_get_nocase(sent, "name"));
    struct json *properties = json_new_object();
    enum rc rc = network_name_plain(name, e);

    json_set_str(one, "name", name);
    json_set(one, "properties", properties);
    if (rc == RC_OK && arm_child_find(put->made, name))
        return err_set(e, RC_INVALID, "There are two IP configurations named '%.*s'.",
                       STR_ARG(str_take(name, 100)));
    if (rc == RC_OK)
        rc =
            configuration_properties(put, name, json_get_nocase(sent, "properties"), properties, e);
    if (rc != RC_OK)
        return rc;
    json_append(put->made, one);
    one = NULL;
    return RC_OK;
}

/* The primary one is listed first; where none says so, the first one is it. */
static enum rc primary_set(struct json *properties, struct err *e)
{
    CLEANUP(json_freep) struct json *all = json_clone(json_get(properties, "ipConfigurations"));
    struct json *sorted = json_new_array();
    size_t primaries = 0, first = 0;

    json_set(properties, "ipConfigurations", sorted);
    for (size_t i = 0; i < json_len(all); i++) {
        if (!json_bool(json_path(json_at(all, i), "properties.primary"), false))
            continue;
        first = primaries++ == 0 ? i : first;
    }
    if (primaries > 1)
        return err_code(e, RC_INVALID, "NetworkInterfaceHasMultiplePrimaryIpConfigurations",
                        "A network interface must have exactly one primary IP configuration.");
    json_set(json_get(json_at(all, first), "properties"), "primary", json_new_bool(true));
    json_append(sorted, json_clone(json_at(all, first)));
    for (size_t i = 0; i < json_len(all); i++)
        if (i != first)
            json_append(sorted, json_clone(json_at(all, i)));
    return RC_OK;
}

static enum rc configurations_set(struct nic_put *put, const struct json *sent,
                                  struct json *properties, struct err *e)
{
    const struct json *list = json_get_nocase(sent, "ipConfigurations");
    enum rc rc = RC_OK;

    if (json_type(list) != JSON_ARRAY || json_len(list) == 0 || json_len(list) > CONFIGURATIONS_MAX)
        return err_code(e, RC_INVALID, "NetworkInterfaceMustHaveIpConfigurations",
                        "A network interface needs 1 to %d ipConfigurations.", CONFIGURATIONS_MAX);
    put->made = json_new_array();
    json_set(properties, "ipConfigurations", put->made);
    for (size_t i = 0; rc == RC_OK && i < json_len(list); i++)
        rc = configuration_make(put, json_at(list, i), e);
    return rc == RC_OK ? primary_set(properties, e) : rc;
}

/* --- the interface --- */
static enum rc group_set(struct arm_write *w, const struct json *sent, struct json *properties,
                         struct err *e)
{
    struct network_target t = {0};
    struct str id = json_str(json_get_nocase(json_get_nocase(sent, "networkSecurityGroup"), "id"));
    enum rc rc;

    json_remove(properties, "networkSecurityGroup");
    if (!id.ptr)
        return RC_OK;
    rc = network_target_open(w, id, NSG_TYPE, w->id, &t, e);
    if (rc == RC_OK)
        reference_set(properties, "networkSecurityGroup", t.id);
    network_target_done(&t);
    return rc;
}

static enum rc dns_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *given = json_get_nocase(sent, "dnsSettings"),
                      *servers = json_get_nocase(given, "dnsServers");
    struct str label = json_str(json_get_nocase(given, "internalDnsNameLabel"));
    struct json *out = json_new_object();

    json_set(properties, "dnsSettings", out);
    for (size_t i = 0; i < json_len(servers); i++) {
        struct ip_addr ip;

        if (ip_parse(json_str(json_at(servers, i)), &ip, NULL) != RC_OK)
            return err_code(e, RC_INVALID, "InvalidDnsServer",
                            "dnsSettings.dnsServers has something that is no IP address.");
    }
    json_set(out, "dnsServers",
             json_type(servers) == JSON_ARRAY ? json_clone(servers) : json_new_array());
    if (label.ptr)
        json_set_str(out, "internalDnsNameLabel", label);
    return RC_OK;
}

static enum rc switches_set(const struct json *sent, struct json *properties, struct err *e)
{
    static const char *const flags[] = {"enableIPForwarding", "disableTcpStateTracking"};
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(flags); i++)
        rc = network_bool_set(sent, flags[i], properties, e);
    json_remove(properties, "enableAcceleratedNetworking");
    if (rc == RC_OK && json_given(json_get_nocase(sent, "enableAcceleratedNetworking")))
        rc = network_bool_set(sent, "enableAcceleratedNetworking", properties, e);
    if (rc == RC_OK)
        rc = network_choice_set(sent, "nicType", "Standard", "Standard", properties, e);
    if (rc == RC_OK)
        rc = network_choice_set(sent, "auxiliaryMode",
                                "None|MaxConnections|Floating|AcceleratedConnections", "None",
                                properties, e);
    if (rc == RC_OK)
        rc = network_choice_set(sent, "auxiliarySku", "None|A1|A2|A4|A8", "None", properties, e);
    return rc;
}

static enum rc properties_set(struct nic_put *put, const struct json *given,
                              struct json *properties, struct err *e)
{
    static const char *const refused[] = {"privateLinkService", "workloadType", NULL};
    enum rc rc = network_members_refuse(given, refused, e);

    if (rc == RC_OK)
        rc = configurations_set(put, given, properties, e);
    if (rc == RC_OK)
        rc = group_set(put->w, given, properties, e);
    if (rc == RC_OK)
        rc = dns_set(given, properties, e);
    return rc == RC_OK ? switches_set(given, properties, e) : rc;
}

static enum rc nic_put(struct arm_write *w, const struct json *sent, struct json *body,
                       struct err *e)
{
    CLEANUP(json_freep) struct json *before = json_clone(json_get(body, "properties"));
    struct nic_put put = {.w = w, .before = before};
    struct network_use *old = NULL, *new = NULL;
    const struct json *given = NULL;
    struct json *properties = NULL;
    enum rc rc = network_put_begin(sent, body, &given, &properties, e);

    if (rc == RC_OK)
        rc = properties_set(&put, given, properties, e);
    network_target_done(&put.subnet);
    if (rc == RC_OK)
        rc = uses_of(w, before, w->id, false, &old, e);
    if (rc == RC_OK)
        rc = uses_of(w, properties, w->id, true, &new, e);
    if (rc == RC_OK)
        rc = network_uses_bind(w, new, arm_asg.name, e);
    return rc == RC_OK ? network_uses_change(w, old, new, e) : rc;
}

static enum rc nic_deleted(struct arm_write *w, const struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct network_use *old = NULL;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK)
        rc = uses_of(w, json_get(body, "properties"), r->id, false, &old, e);
    return rc == RC_OK ? network_uses_change(w, old, NULL, e) : rc;
}

/* --- rendering --- */
static struct json *configuration_render(const struct meta_resource *nic, const struct json *one)
{
    static const char *const members[] = {
        "privateIPAddress", "privateIPAllocationMethod", "publicIPAddress",          "subnet",
        "primary",          "privateIPAddressVersion",   "applicationSecurityGroups"};
    struct json *out = arm_child_head(nic, "Microsoft.Network/networkInterfaces/ipConfigurations",
                                      json_str(json_get(one, "name")));
    struct json *p = json_new_object();

    json_set_text(p, "provisioningState", "Succeeded");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct json *j = json_get(json_get(one, "properties"), members[i]);

        if (j)
            json_set(p, members[i], json_clone(j));
    }
    json_set(out, "properties", p);
    return out;
}

static struct json *dns_render(const struct arm_view *v, const struct json *stored,
                               const char *guid)
{
    struct json *out = json_clone(stored);

    json_set(out, "appliedDnsServers", json_new_array());
    json_set_str(out, "internalDomainNameSuffix",
                 arena_printf(v->arena, "%s.internal.%.*s", guid, STR_ARG(v->services->suffix)));
    return out;
}

static struct json *properties_render(const struct arm_view *v, const struct meta_resource *r,
                                      const struct json *stored)
{
    static const char *const members[] = {"enableAcceleratedNetworking",
                                          "enableIPForwarding",
                                          "disableTcpStateTracking",
                                          "networkSecurityGroup",
                                          "nicType",
                                          "auxiliaryMode",
                                          "auxiliarySku"};
    struct json *out = json_new_object(), *list = json_new_array();
    const struct json *configurations = json_get(stored, "ipConfigurations");
    char guid[UUID_TEXT_MAX];

    json_set_text(out, "provisioningState", "Succeeded");
    json_set_str(out, "resourceGuid", uuid_format(&r->uuid, guid));
    for (size_t i = 0; i < json_len(configurations); i++)
        json_append(list, configuration_render(r, json_at(configurations, i)));
    json_set(out, "ipConfigurations", list);
    json_set(out, "dnsSettings", dns_render(v, json_get(stored, "dnsSettings"), guid));
    json_set(out, "vnetEncryptionSupported", json_new_bool(false));
    json_set(out, "enableAcceleratedNetworking", json_new_bool(false));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_get(stored, members[i]))
            json_set(out, members[i], json_clone(json_get(stored, members[i])));
    json_set(out, "hostedWorkloads", json_new_array());
    json_set(out, "tapConfigurations", json_new_array());
    json_set(out, "allowPort25Out", json_new_bool(true));
    return out;
}

static struct json *nic_render(const struct arm_view *v, const struct meta_resource *r,
                               const struct json *body)
{
    struct json *out = network_head(r, body);

    json_set(out, "properties", properties_render(v, r, json_get(body, "properties")));
    json_set_text(out, "kind", "Regular");
    return out;
}

/* As Azure's, only its DELETE is an operation. */
static struct arm_style nic_style(const struct arm_call *c, enum arm_verb verb,
                                  const struct json *before, const struct json *after)
{
    return verb == ARM_DELETE ? network_style(c, verb, before, after) : (struct arm_style){0};
}

const struct arm_type arm_nic = {
    .name = "Microsoft.Network/networkInterfaces",
    .scope = ARM_SCOPE_GROUP,
    .check_name = network_name_plain,
    .put = nic_put,
    .patch = arm_tags_patch,
    .deleted = nic_deleted,
    .style = nic_style,
    .render = nic_render,
};
