/* Microsoft.Network/virtualNetworks. */
#include "arm/vnet.h"
#include "arm/operation.h"
#include <stdlib.h>

enum { VNET_PREFIXES_MAX = 64, VNET_NAME_MAX = 64, FLOW_MIN = 4, FLOW_MAX = 30 };

static enum rc vnet_check_name(struct str name, struct err *e)
{
    return network_name_check(name, VNET_NAME_MAX, e);
}

/* --- address space --- */
static enum rc address_space_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *list =
        json_get_nocase(json_get_nocase(sent, "addressSpace"), "addressPrefixes");
    struct json *space = json_new_object(), *prefixes = json_new_array();
    enum rc rc = RC_OK;

    json_set(space, "addressPrefixes", prefixes);
    json_set(properties, "addressSpace", space);
    if (json_type(list) != JSON_ARRAY || json_len(list) == 0 || json_len(list) > VNET_PREFIXES_MAX)
        return err_code(e, RC_INVALID, "InvalidAddressPrefix",
                        "addressSpace.addressPrefixes must have 1 to %d address prefixes.",
                        VNET_PREFIXES_MAX);
    for (size_t i = 0; rc == RC_OK && i < json_len(list); i++) {
        struct cidr c;

        rc = network_prefix_parse(json_str(json_at(list, i)), &c, e);
        if (rc == RC_OK)
            json_append(prefixes, json_clone(json_at(list, i)));
    }
    return rc;
}

struct part { /* a prefix of a subnet */
    struct cidr cidr;
    struct str subnet;
    size_t at; /* in the order of the subnets */
};
struct space { /* a network's prefixes, and those of its subnets so far */
    struct cidr outer[VNET_PREFIXES_MAX];
    size_t n_outer;
    struct part *inner;
    size_t n_inner;
};

static enum rc space_add(struct space *s, struct str vnet, struct str subnet, struct str prefix,
                         struct err *e)
{
    struct cidr c;
    bool inside = false;
    enum rc rc = network_prefix_parse(prefix, &c, e);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < s->n_outer; i++)
        inside = inside || cidr_covers(&s->outer[i], &c);
    if (!inside)
        return err_code(e, RC_INVALID, "NetcfgSubnetRangeOutsideVnet",
                        "Subnet '%.*s' is not valid because its IP address range is outside the IP "
                        "address range of virtual "
                        "network '%.*s'.",
                        STR_ARG(subnet), STR_ARG(vnet));
    s->inner[s->n_inner] = (struct part){c, subnet, s->n_inner};
    s->n_inner++;
    return RC_OK;
}

static enum rc space_add_subnet(struct space *s, struct str vnet, const struct json *subnet,
                                struct err *e)
{
    const struct json *list = json_path(subnet, "properties.addressPrefixes");
    const struct json *one = json_path(subnet, "properties.addressPrefix");
    struct str name = json_str(json_get(subnet, "name"));
    enum rc rc = RC_OK;

    if (one)
        return space_add(s, vnet, name, json_str(one), e);
    for (size_t i = 0; rc == RC_OK && i < json_len(list); i++)
        rc = space_add(s, vnet, name, json_str(json_at(list, i)), e);
    return rc;
}

/* What holds others comes right before the first of them. */
static int part_order(const void *left, const void *right)
{
    const struct part *a = left, *b = right;
    int order = ip_cmp(&a->cidr.addr, &b->cidr.addr);

    return order != 0 ? order
                      : (a->cidr.prefix > b->cidr.prefix) - (a->cidr.prefix < b->cidr.prefix);
}

static enum rc space_overlaps(struct space *s, struct str vnet, struct err *e)
{
    qsort(s->inner, s->n_inner, sizeof(*s->inner), part_order);
    for (size_t i = 1; i < s->n_inner; i++) {
        const struct part *a = &s->inner[i - 1], *b = &s->inner[i];

        if (cidr_overlaps(&a->cidr, &b->cidr))
            return err_code(e, RC_INVALID, "NetcfgSubnetRangesOverlap",
                            "Subnet '%.*s' is not valid because its IP address range overlaps with "
                            "that of an existing subnet in "
                            "virtual network '%.*s'.",
                            STR_ARG(a->at > b->at ? a->subnet : b->subnet), STR_ARG(vnet));
    }
    return RC_OK;
}

enum rc vnet_space_check(struct str vnet, const struct json *properties, struct err *e)
{
    const struct json *outer = json_path(properties, "addressSpace.addressPrefixes"),
                      *subnets = json_get(properties, "subnets");
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(SIZE_MAX);
    struct space s = {.inner = arena_alloc(&arena, (json_len(subnets) + 1) * SUBNET_PREFIXES_MAX *
                                                       sizeof(struct part))};
    enum rc rc = RC_OK;

    for (; rc == RC_OK && s.n_outer < json_len(outer) && s.n_outer < VNET_PREFIXES_MAX; s.n_outer++)
        rc = network_prefix_parse(json_str(json_at(outer, s.n_outer)), &s.outer[s.n_outer], e);
    for (size_t i = 0; rc == RC_OK && i < s.n_outer; i++)
        for (size_t k = 0; k < i; k++)
            if (cidr_overlaps(&s.outer[i], &s.outer[k]))
                return err_code(e, RC_INVALID, "VnetAddressSpacesOverlap",
                                "Address prefixes of virtual network '%.*s' overlap.",
                                STR_ARG(vnet));
    for (size_t i = 0; rc == RC_OK && i < json_len(subnets); i++)
        rc = space_add_subnet(&s, vnet, json_at(subnets, i), e);
    return rc == RC_OK ? space_overlaps(&s, vnet, e) : rc;
}

/* --- writing --- */
static enum rc dns_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *servers =
        json_get_nocase(json_get_nocase(sent, "dhcpOptions"), "dnsServers");
    struct json *options;

    json_remove(properties, "dhcpOptions");
    if (json_type(servers) != JSON_ARRAY)
        return RC_OK;
    for (size_t i = 0; i < json_len(servers); i++) {
        struct ip_addr ip;

        if (ip_parse(json_str(json_at(servers, i)), &ip, NULL) != RC_OK)
            return err_code(e, RC_INVALID, "InvalidDnsServer",
                            "dhcpOptions.dnsServers has something that is no IP address.");
    }
    options = json_new_object();
    json_set(options, "dnsServers", json_clone(servers));
    json_set(properties, "dhcpOptions", options);
    return RC_OK;
}

static struct json *community_kept(const struct json *community)
{
    struct json *out = json_new_object();

    json_set(out, "virtualNetworkCommunity", json_clone(community));
    return out;
}

/* Labels that mean nothing here are kept and shown as they were sent. */
static enum rc labels_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *bgp = json_get_nocase(sent, "bgpCommunities"),
                      *community = json_get_nocase(bgp, "virtualNetworkCommunity");
    const struct json *vm = json_get_nocase(sent, "enableVmProtection");
    enum rc rc = network_choice_set(sent, "privateEndpointVNetPolicies", "Disabled|Basic",
                                    "Disabled", properties, e);

    json_remove(properties, "bgpCommunities");
    json_remove(properties, "enableVmProtection");
    if (json_given(bgp) && !json_str(community).ptr)
        return err_set(e, RC_INVALID, "bgpCommunities has no virtualNetworkCommunity.");
    if (json_given(bgp))
        json_set(properties, "bgpCommunities", community_kept(community));
    if (rc == RC_OK && json_given(vm))
        rc = network_bool_set(sent, "enableVmProtection", properties, e);
    return rc;
}

/* What would be encrypted is a network's own traffic, which does not pass here. */
static enum rc encryption_set(const struct json *sent, struct str vnet, struct json *properties,
                              struct err *e)
{
    const struct json *given = json_get_nocase(sent, "encryption");
    struct json *out;

    json_remove(properties, "encryption");
    if (!json_given(given))
        return RC_OK;
    if (json_type(json_get_nocase(given, "enabled")) != JSON_BOOL ||
        (json_bool(json_get_nocase(given, "enabled"), false) &&
         !json_given(json_get_nocase(given, "enforcement"))))
        return err_code(e, RC_INVALID, "MustSpecifyBothEncryptionIntentAndEnforcementPolicy",
                        "Cannot encrypt VirtualNetwork %.*s unless both encryption intent (Enabled "
                        "true or false) and enforcement policy (AllowUnencrypted or "
                        "DropUnencrypted) are specified.",
                        STR_ARG(vnet));
    out = json_new_object();
    json_set(properties, "encryption", out);
    json_set(out, "enabled", json_clone(json_get_nocase(given, "enabled")));
    return network_choice_set(given, "enforcement", "AllowUnencrypted|DropUnencrypted",
                              "AllowUnencrypted", out, e);
}

static enum rc flow_timeout_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *minutes = json_get_nocase(sent, "flowTimeoutInMinutes");

    json_remove(properties, "flowTimeoutInMinutes");
    if (!json_given(minutes))
        return RC_OK;
    if (json_int(minutes, 0) < FLOW_MIN || json_int(minutes, 0) > FLOW_MAX)
        return err_code(e, RC_INVALID, "InvalidFlowTimeout",
                        "flowTimeoutInMinutes has to be from %d to %d.", FLOW_MIN, FLOW_MAX);
    json_set(properties, "flowTimeoutInMinutes", json_clone(minutes));
    return RC_OK;
}

static enum rc properties_set(const struct json *given, struct str vnet, struct json *properties,
                              struct err *e)
{
    static const char *const refused[] = {"virtualNetworkPeerings", "enableDdosProtection",
                                          "ddosProtectionPlan", "ipAllocations", NULL};
    enum rc rc = network_members_refuse(given, refused, e);

    if (rc == RC_OK)
        rc = address_space_set(given, properties, e);
    if (rc == RC_OK)
        rc = dns_set(given, properties, e);
    if (rc == RC_OK)
        rc = labels_set(given, properties, e);
    if (rc == RC_OK)
        rc = encryption_set(given, vnet, properties, e);
    if (rc == RC_OK)
        rc = flow_timeout_set(given, properties, e);
    return rc == RC_OK ? arm_children_set(&subnet_type, given, properties, e) : rc;
}

static enum rc vnet_put(struct arm_write *w, const struct json *sent, struct json *body,
                        struct err *e)
{
    CLEANUP(json_freep) struct json *before = json_clone(body);
    const struct json *given = NULL;
    struct json *properties = NULL;
    enum rc rc = network_put_begin(sent, body, &given, &properties, e);

    if (rc == RC_OK)
        rc = properties_set(given, w->id, properties, e);
    return rc == RC_OK ? subnet_type.changed(w, w->id, before, body, e) : rc;
}

static enum rc vnet_deletable(struct arm_write *w, const struct meta_resource *r,
                              const struct json *body, struct err *e)
{
    (void)w, (void)r;
    return subnets_unused(json_path(body, "properties.subnets"), NULL, e);
}

static enum rc vnet_deleted(struct arm_write *w, const struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct network_use *uses = NULL;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK)
        rc = subnets_uses(w, r->id, json_path(body, "properties.subnets"), false, &uses, e);
    return rc == RC_OK ? network_uses_change(w, uses, NULL, e) : rc;
}

static void vnet_touch(struct snapshot_change *change, const struct meta_resource *r)
{
    (void)r;
    snapshot_touch_networks(change);
}

/* --- rendering --- */
static struct json *dhcp_render(const struct json *stored)
{
    struct json *out = json_clone(json_get(stored, "dhcpOptions"));

    if (!out)
        json_set(out = json_new_object(), "dnsServers", json_new_array());
    return out;
}

static struct json *vnet_properties(const struct meta_resource *r, const struct json *body)
{
    const struct json *stored = json_get(body, "properties");
    static const char *const members[] = {"privateEndpointVNetPolicies", "flowTimeoutInMinutes",
                                          "encryption", "bgpCommunities", "enableVmProtection"};
    struct json *out = json_new_object();
    char guid[UUID_TEXT_MAX];

    json_set_text(out, "provisioningState", arm_state(body));
    json_set_str(out, "resourceGuid", uuid_format(&r->uuid, guid));
    json_set(out, "addressSpace", json_clone(json_get(stored, "addressSpace")));
    json_set(json_get(out, "addressSpace"), "ipamPoolPrefixAllocations", json_new_array());
    json_set(out, "dhcpOptions", dhcp_render(stored));
    json_set_text(out, "privateEndpointVNetPolicies", "Disabled");
    json_set(out, "enableVmProtection", json_new_bool(false));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_get(stored, members[i]))
            json_set(out, members[i], json_clone(json_get(stored, members[i])));
    json_set(out, "subnets", arm_children_render(&subnet_type, r, body));
    json_set(out, "virtualNetworkPeerings", json_new_array());
    json_set(out, "enableDdosProtection", json_new_bool(false));
    return out;
}

static struct json *vnet_render(const struct arm_view *v, const struct meta_resource *r,
                                const struct json *body)
{
    struct json *out = network_head(r, body);

    (void)v;
    json_set(out, "properties", vnet_properties(r, body));
    return out;
}

const struct arm_type arm_vnet = {
    .name = "Microsoft.Network/virtualNetworks",
    .scope = ARM_SCOPE_GROUP,
    .check_name = vnet_check_name,
    .put = vnet_put,
    .patch = arm_tags_patch,
    .deletable = vnet_deletable,
    .deleted = vnet_deleted,
    .touch = vnet_touch,
    .style = network_style,
    .render = vnet_render,
};
