/* Microsoft.Network/virtualNetworks. */
#include "arm/vnet.h"

enum { VNET_PREFIXES_MAX = 64, VNET_SUBNETS_MAX = 3000, VNET_NAME_MAX = 64 };

enum rc network_name_check(struct str name, size_t max, struct err *e)
{
    bool good = name.len > 0 && name.len <= max;

    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        good = good && (word || (i > 0 && c == '_') ||
                        (i > 0 && i + 1 < name.len && (c == '.' || c == '-')));
    }
    if (good)
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidResourceName",
                    "Resource name %.*s is invalid. The name can be up to %zu characters long. It "
                    "must begin with a word character, "
                    "and it must end with a word character or with '_'. The name may contain word "
                    "characters or '.', '-', '_'.",
                    STR_ARG(str_take(name, 200)), max);
}

static enum rc vnet_check_name(struct str name, struct err *e)
{
    return network_name_check(name, VNET_NAME_MAX, e);
}

enum rc network_prefix_parse(struct str text, struct cidr *ret, struct err *e)
{
    struct err why = {0};

    if (text.ptr && memchr(text.ptr, '/', text.len) && cidr_parse(text, ret, &why) == RC_OK)
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidCIDRNotation",
                    "The address prefix '%.*s' has an invalid CIDR notation. %s",
                    STR_ARG(str_take(text, 100)), why.text);
}

static bool means_nothing(const struct json *j)
{
    switch (json_type(j)) {
    case JSON_ABSENT:
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return !json_bool(j, true);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_len(j) == 0;
    default:
        return false;
    }
}

enum rc network_members_refuse(const struct json *sent, const char *const *members, struct err *e)
{
    for (; *members; members++)
        if (!means_nothing(json_get_nocase(sent, *members)))
            return err_set(e, RC_UNSUPPORTED, "This server does not offer the property '%s'.",
                           *members);
    return RC_OK;
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

struct space { /* a network's prefixes, and those of its subnets so far */
    struct cidr outer[VNET_PREFIXES_MAX];
    size_t n_outer;
    struct cidr *inner;
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
    for (size_t i = 0; i < s->n_inner; i++)
        if (cidr_overlaps(&s->inner[i], &c))
            return err_code(e, RC_INVALID, "NetcfgSubnetRangesOverlap",
                            "Subnet '%.*s' is not valid because its IP address range overlaps with "
                            "that of an existing subnet in "
                            "virtual network '%.*s'.",
                            STR_ARG(subnet), STR_ARG(vnet));
    s->inner[s->n_inner++] = c;
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

enum rc vnet_space_check(struct str vnet, const struct json *properties, struct err *e)
{
    const struct json *outer = json_path(properties, "addressSpace.addressPrefixes"),
                      *subnets = json_get(properties, "subnets");
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(SIZE_MAX);
    struct space s = {.inner = arena_alloc(&arena, (json_len(subnets) + 1) * SUBNET_PREFIXES_MAX *
                                                       sizeof(struct cidr))};
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
    return rc;
}

/* --- writing --- */
/* Subnets that are sent replace those that are there; none sent: they stay. */
static enum rc subnets_set(const struct json *sent, struct json *properties, struct err *e)
{
    CLEANUP(json_freep) struct json *before = json_clone(json_get(properties, "subnets"));
    const struct json *list = json_get_nocase(sent, "subnets");
    struct json *made = NULL, *after;
    enum rc rc = RC_OK;

    if (!json_given(list)) {
        if (!before)
            json_set(properties, "subnets", json_new_array());
        return RC_OK;
    }
    if (json_type(list) != JSON_ARRAY || json_len(list) > VNET_SUBNETS_MAX)
        return err_set(e, RC_INVALID, "properties.subnets must be a list of at most %d subnets.",
                       VNET_SUBNETS_MAX);
    after = json_new_array();
    json_set(properties, "subnets", after);
    for (size_t i = 0; rc == RC_OK && i < json_len(list); i++) {
        struct str name = json_str(json_get_nocase(json_at(list, i), "name"));

        if (subnet_find(after, name))
            return err_set(e, RC_INVALID, "There are two subnets named '%.*s'.",
                           STR_ARG(str_take(name, 100)));
        rc = subnet_make(name, json_at(list, i), subnet_find(before, name), &made, e);
        if (rc == RC_OK)
            json_append(after, made);
    }
    return rc;
}

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

static enum rc vnet_put(struct arm_write *w, const struct json *sent, struct json *body,
                        struct err *e)
{
    static const char *const refused[] = {"virtualNetworkPeerings",
                                          "enableDdosProtection",
                                          "ddosProtectionPlan",
                                          "enableVmProtection",
                                          "encryption",
                                          "bgpCommunities",
                                          NULL};
    const struct json *given = json_get_nocase(sent, "properties");
    struct json *properties;
    enum rc rc = arm_location_set(sent, body, e);

    if (!json_get(body, "properties"))
        json_set(body, "properties", json_new_object());
    properties = json_get(body, "properties");
    if (rc == RC_OK)
        rc = arm_tags_set(sent, body, false, e);
    if (rc == RC_OK)
        rc = network_members_refuse(given, refused, e);
    if (rc == RC_OK)
        rc = address_space_set(given, properties, e);
    if (rc == RC_OK)
        rc = dns_set(given, properties, e);
    if (rc == RC_OK)
        rc = subnets_set(given, properties, e);
    return rc == RC_OK ? vnet_space_check(w->call->name, properties, e) : rc;
}

static void vnet_touch(struct snapshot_change *change, const struct meta_resource *r)
{
    (void)r;
    snapshot_touch_networks(change);
}

/* --- rendering --- */
static struct json *vnet_properties(const struct meta_resource *r, const struct json *stored)
{
    struct json *out = json_new_object(), *subnets = json_new_array();
    const struct json *list = json_get(stored, "subnets");
    char guid[UUID_TEXT_MAX];

    json_set_text(out, "provisioningState", "Succeeded");
    json_set_str(out, "resourceGuid", uuid_format(&r->uuid, guid));
    json_set(out, "addressSpace", json_clone(json_get(stored, "addressSpace")));
    json_set(json_get(out, "addressSpace"), "ipamPoolPrefixAllocations", json_new_array());
    if (json_get(stored, "dhcpOptions"))
        json_set(out, "dhcpOptions", json_clone(json_get(stored, "dhcpOptions")));
    json_set_text(out, "privateEndpointVNetPolicies", "Disabled");
    for (size_t i = 0; i < json_len(list); i++)
        json_append(subnets, subnet_render(r, json_at(list, i)));
    json_set(out, "subnets", subnets);
    json_set(out, "virtualNetworkPeerings", json_new_array());
    json_set(out, "enableDdosProtection", json_new_bool(false));
    return out;
}

static struct json *vnet_render(const struct arm_view *v, const struct meta_resource *r,
                                const struct json *body)
{
    struct json *out = json_new_object();

    (void)v;
    json_set_str(out, "name", arm_name_of(r->id));
    json_set_str(out, "id", r->id);
    json_set_str(out, "etag", r->etag);
    json_set_str(out, "type", r->type);
    json_set_str(out, "location", json_str(json_get(body, "location")));
    if (json_get(body, "tags"))
        json_set(out, "tags", json_clone(json_get(body, "tags")));
    json_set(out, "properties", vnet_properties(r, json_get(body, "properties")));
    return out;
}

const struct arm_type arm_vnet = {
    .name = "Microsoft.Network/virtualNetworks",
    .scope = ARM_SCOPE_GROUP,
    .check_name = vnet_check_name,
    .put = vnet_put,
    .patch = arm_tags_patch,
    .touch = vnet_touch,
    .render = vnet_render,
};
