/* Microsoft.Network/publicIPAddresses: kept and shown, as clients expect. Nothing listens on them,
 * so a static one gets an address that no client can have: from 198.18.0.0/15 (RFC 2544) or
 * 2001:db8::/32 (RFC 3849). */
#include "arm/network.h"
#include "arm/operation.h"

enum { TRIES = 64, IDLE_MIN = 4, IDLE_MAX = 30, LABEL_MAX = 63, IP_TAGS_MAX = 50 };

/* --- addresses --- */
struct address_search {
    struct str address;
    bool found;
};

static enum rc address_seen(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct address_search *search = arg;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK && str_eq(json_str(json_path(body, "properties.ipAddress")), search->address))
        search->found = true;
    return rc;
}

static struct ip_addr address_random(bool v6)
{
    struct uuid u = uuid_random();
    struct ip_addr a = {.family = v6 ? 6 : 4};

    memcpy(a.bytes, u.bytes, v6 ? 16 : 4);
    if (v6) {
        memcpy(a.bytes, "\x20\x01\x0d\xb8", 4);
    } else {
        a.bytes[0] = 198;
        a.bytes[1] = (uint8_t)(18 | (a.bytes[1] & 1));
    }
    return a;
}

static enum rc address_allocate(struct arm_write *w, bool v6, struct json *properties,
                                struct err *e)
{
    for (int i = 0; i < TRIES; i++) {
        struct ip_addr a = address_random(v6);
        char text[IP_TEXT_MAX];
        struct address_search search = {.address = ip_format(&a, text)};
        enum rc rc = meta_resource_each(w->tx, STR("/subscriptions/"), str_from(arm_public_ip.name),
                                        address_seen, &search, e);

        if (rc != RC_OK)
            return rc;
        if (search.found)
            continue;
        json_set_str(properties, "ipAddress", search.address);
        return RC_OK;
    }
    return err_code(e, RC_QUOTA, "PublicIPCountLimitReached",
                    "No further public IP address is free.");
}

/* Which address it is, a client can only repeat. */
static enum rc address_check(const struct json *given, const struct json *properties, struct err *e)
{
    struct str asked = json_str(json_get_nocase(given, "ipAddress"));

    if (asked.len == 0 || str_eq(asked, json_str(json_get(properties, "ipAddress"))))
        return RC_OK;
    return err_set(e, RC_UNSUPPORTED,
                   "This server does not offer the choice of a public IP address: leave out "
                   "ipAddress, and it allocates one.");
}

/* --- from what a client sent --- */
static enum rc sku_check(const struct json *before, const struct json *sku, struct str id,
                         struct err *e)
{
    if (!str_is(json_str(json_get(before, "name")), "Standard") ||
        str_is(json_str(json_get(sku, "name")), "Standard"))
        return RC_OK;
    return err_code(e, RC_INVALID, "SkuCannotBeChangedOnUpdate",
                    "Sku property is set at creation time and cannot be changed from Standard to "
                    "Basic on resource update for resource %.*s.",
                    STR_ARG(id));
}

static enum rc sku_set(const struct json *sent, struct str id, struct json *body, struct err *e)
{
    CLEANUP(json_freep) struct json *before = json_clone(json_get(body, "sku"));
    const struct json *given = json_get_nocase(sent, "sku");
    struct json *sku;
    enum rc rc;

    if (before && !json_given(given))
        return RC_OK;
    sku = json_new_object();
    json_set(body, "sku", sku);
    rc = network_choice_set(given, "name", "Basic|Standard", "Basic", sku, e);
    if (rc == RC_OK)
        rc = network_choice_set(given, "tier", "Regional|Global", "Regional", sku, e);
    if (rc == RC_OK)
        rc = sku_check(before, sku, id, e);
    if (rc == RC_OK && str_is(json_str(json_get(sku, "tier")), "Global") &&
        str_is(json_str(json_get(sku, "name")), "Basic"))
        return err_code(e, RC_INVALID, "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress",
                        "Global publicIP addresses are only supported for standard SKU public IP "
                        "addresses. Public IP address %.*s is not standard SKU.",
                        STR_ARG(id));
    return rc;
}

static enum rc timeout_set(const struct json *sent, struct json *properties, struct err *e)
{
    int64_t minutes = json_int(json_get_nocase(sent, "idleTimeoutInMinutes"), IDLE_MIN);

    if (minutes < IDLE_MIN || minutes > IDLE_MAX)
        return err_code(e, RC_INVALID, "InvalidIdleTimeout",
                        "idleTimeoutInMinutes has to be from %d to %d.", IDLE_MIN, IDLE_MAX);
    json_set(properties, "idleTimeoutInMinutes", json_new_int(minutes));
    return RC_OK;
}

static bool label_good(struct str s)
{
    bool good = s.len > 0 && s.len <= LABEL_MAX && s.ptr[0] >= 'a' && s.ptr[0] <= 'z';

    for (size_t i = 0; i < s.len; i++)
        good = good && ((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
                        (s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] == '-' && i + 1 < s.len));
    return good;
}

struct label_search {
    struct str label, location, own; /* own: the id of who asks */
    bool found;
};

static enum rc label_seen(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct label_search *search = arg;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK && !str_eq_nocase(r->id, search->own) &&
        str_eq(json_str(json_path(body, "properties.dnsSettings.domainNameLabel")),
               search->label) &&
        str_eq(json_str(json_get(body, "location")), search->location))
        search->found = true;
    return rc;
}

static enum rc label_check(struct arm_write *w, struct str label, struct str location,
                           struct err *e)
{
    struct label_search search = {.label = label, .location = location, .own = w->id};
    enum rc rc;

    if (!label_good(label))
        return err_code(e, RC_INVALID, "InvalidDomainNameLabel",
                        "The domain name label %.*s is invalid. It must conform to the following "
                        "regular expression: ^[a-z][a-z0-9-]{1,61}[a-z0-9]$.",
                        STR_ARG(str_take(label, 100)));
    rc = meta_resource_each(w->tx, STR("/subscriptions/"), str_from(arm_public_ip.name), label_seen,
                            &search, e);
    if (rc == RC_OK && search.found)
        return err_code(e, RC_INVALID, "DnsRecordInUse",
                        "DNS record %.*s.%.*s is already used by another public IP.",
                        STR_ARG(label), STR_ARG(location));
    return rc;
}

/* Names are kept, as the addresses are; no zone is behind them. */
static enum rc dns_set(struct arm_write *w, const struct json *sent, const struct json *body,
                       struct json *properties, struct err *e)
{
    const struct json *given = json_get_nocase(sent, "dnsSettings");
    struct str label = json_str(json_get_nocase(given, "domainNameLabel"));
    struct str reverse = json_str(json_get_nocase(given, "reverseFqdn"));
    struct json *out;
    enum rc rc = RC_OK;

    json_remove(properties, "dnsSettings");
    if (label.ptr)
        rc = label_check(w, label, json_str(json_get(body, "location")), e);
    if (rc != RC_OK || (!label.ptr && !reverse.ptr))
        return rc;
    out = json_new_object();
    if (label.ptr)
        json_set_str(out, "domainNameLabel", label);
    if (reverse.ptr)
        json_set_str(out, "reverseFqdn", reverse);
    json_set(properties, "dnsSettings", out);
    return RC_OK;
}

/* What Azure is told about the use of an address: kept. */
static enum rc tags_set(const struct json *sent, struct json *properties, struct err *e)
{
    const struct json *given = json_get_nocase(sent, "ipTags");
    struct json *out = json_new_array();

    json_set(properties, "ipTags", out);
    if (json_given(given) && (json_type(given) != JSON_ARRAY || json_len(given) > IP_TAGS_MAX))
        return err_set(e, RC_INVALID, "ipTags is not a list of at most %d.", IP_TAGS_MAX);
    for (size_t i = 0; i < json_len(given); i++) {
        struct str type = json_str(json_get_nocase(json_at(given, i), "ipTagType")),
                   tag = json_str(json_get_nocase(json_at(given, i), "tag"));
        struct json *one;

        if (!type.ptr || !tag.ptr)
            return err_set(e, RC_INVALID, "An element of ipTags has no ipTagType or no tag.");
        one = json_new_object();
        json_set_str(one, "ipTagType", type);
        json_set_str(one, "tag", tag);
        json_append(out, one);
    }
    return RC_OK;
}

static enum rc ddos_set(const struct json *sent, struct json *properties, struct err *e)
{
    static const char *const refused[] = {"ddosProtectionPlan", "protectionPlan", NULL};
    const struct json *given = json_get_nocase(sent, "ddosSettings");
    struct json *out = json_new_object();
    enum rc rc = network_members_refuse(given, refused, e);

    json_set(properties, "ddosSettings", out);
    return rc == RC_OK
               ? network_choice_set(given, "protectionMode", "VirtualNetworkInherited|Disabled",
                                    "VirtualNetworkInherited", out, e)
               : rc;
}

static enum rc zones_set(const struct json *sent, struct json *body, struct err *e)
{
    const struct json *zones = json_get_nocase(sent, "zones");

    if (json_given(zones) && json_type(zones) != JSON_ARRAY)
        return err_set(e, RC_INVALID, "The zones are not a list.");
    for (size_t i = 0; i < json_len(zones); i++)
        if (json_str(json_at(zones, i)).len == 0 || json_len(zones) > 3)
            return err_set(e, RC_INVALID, "The zones are not names of at most three zones.");
    json_set(body, "zones", json_len(zones) > 0 ? json_clone(zones) : NULL);
    return RC_OK;
}

static enum rc allocation_set(const struct json *given, struct str id, const struct json *sku,
                              struct json *properties, struct err *e)
{
    bool standard = str_is(json_str(json_get(sku, "name")), "Standard");
    enum rc rc = network_choice_set(given, "publicIPAllocationMethod", "Static|Dynamic",
                                    standard ? "Static" : "Dynamic", properties, e);

    if (rc == RC_OK && standard &&
        str_is(json_str(json_get(properties, "publicIPAllocationMethod")), "Dynamic"))
        return err_code(e, RC_INVALID, "PublicIpWithStandardSkuMustHaveStaticAllocation",
                        "Standard sku publicIp %.*s must have AllocationMethod set to Static.",
                        STR_ARG(id));
    return rc;
}

static enum rc version_set(const struct json *given, struct json *properties, struct err *e)
{
    CLEANUP(json_freep) struct json *made = json_new_object();
    struct str stored = json_str(json_get(properties, "publicIPAddressVersion"));
    enum rc rc = network_choice_set(given, "publicIPAddressVersion", "IPv4|IPv6", "IPv4", made, e);
    struct str asked = json_str(json_get(made, "publicIPAddressVersion"));

    if (stored.ptr && !json_given(json_get_nocase(given, "publicIPAddressVersion")))
        return RC_OK;
    if (rc == RC_OK && stored.ptr && !str_eq(stored, asked))
        rc = err_code(e, RC_INVALID, "PublicIPAddressVersionCannotBeChanged",
                      "The publicIPAddressVersion %.*s of an existing public IP address cannot be "
                      "changed.",
                      STR_ARG(stored));
    if (rc == RC_OK)
        json_set_str(properties, "publicIPAddressVersion", asked);
    return rc;
}

static enum rc properties_set(struct arm_write *w, const struct json *given, struct json *body,
                              struct json *properties, struct err *e)
{
    static const char *const refused[] = {"publicIPPrefix", "natGateway", "linkedPublicIPAddress",
                                          "servicePublicIPAddress", NULL};
    bool dynamic, v6;
    enum rc rc = network_members_refuse(given, refused, e);

    if (rc == RC_OK)
        rc = address_check(given, properties, e);
    if (rc == RC_OK)
        rc = version_set(given, properties, e);
    if (rc == RC_OK)
        rc = allocation_set(given, w->id, json_get(body, "sku"), properties, e);
    if (rc == RC_OK)
        rc = timeout_set(given, properties, e);
    if (rc == RC_OK)
        rc = dns_set(w, given, body, properties, e);
    if (rc == RC_OK)
        rc = tags_set(given, properties, e);
    if (rc == RC_OK)
        rc = ddos_set(given, properties, e);
    if (rc != RC_OK)
        return rc;
    dynamic = str_is(json_str(json_get(properties, "publicIPAllocationMethod")), "Dynamic");
    v6 = str_is(json_str(json_get(properties, "publicIPAddressVersion")), "IPv6");
    if (dynamic)
        json_remove(properties, "ipAddress");
    return dynamic || json_get(properties, "ipAddress") ? RC_OK
                                                        : address_allocate(w, v6, properties, e);
}

static enum rc public_ip_put(struct arm_write *w, const struct json *sent, struct json *body,
                             struct err *e)
{
    const struct json *given = NULL;
    struct json *properties = NULL;
    enum rc rc = network_put_begin(sent, body, &given, &properties, e);

    if (rc == RC_OK)
        rc = sku_set(sent, w->id, body, e);
    if (rc == RC_OK)
        rc = zones_set(sent, body, e);
    return rc == RC_OK ? properties_set(w, given, body, properties, e) : rc;
}

static enum rc public_ip_deletable(struct arm_write *w, const struct meta_resource *r,
                                   const struct json *body, struct err *e)
{
    const struct json *users = network_users(body);

    (void)w;
    if (json_len(users) == 0)
        return RC_OK;
    return err_code(e, RC_INVALID, "PublicIPAddressCannotBeDeleted",
                    "Public IP address %.*s can not be deleted since it is still allocated to "
                    "resource %.*s. In order to delete the public IP, disassociate/detach the "
                    "Public IP address from the resource.  To learn how to do this, see "
                    "aka.ms/deletepublicip.",
                    STR_ARG(r->id), STR_ARG(json_str(json_get(json_at(users, 0), "id"))));
}

/* --- rendering --- */
static void dns_render(const struct arm_view *v, const struct json *body, struct json *out)
{
    const struct json *stored = json_path(body, "properties.dnsSettings");
    struct str label = json_str(json_get(stored, "domainNameLabel"));
    struct json *dns;

    if (!stored)
        return;
    dns = json_clone(stored);
    if (label.ptr)
        json_set_str(dns, "fqdn",
                     arena_printf(v->arena, "%.*s.%.*s.cloudapp.%.*s", STR_ARG(label),
                                  STR_ARG(json_str(json_get(body, "location"))),
                                  STR_ARG(v->services->suffix)));
    json_set(out, "dnsSettings", dns);
}

static struct json *properties_render(const struct arm_view *v, const struct meta_resource *r,
                                      const struct json *body)
{
    static const char *const members[] = {"ipAddress",
                                          "publicIPAddressVersion",
                                          "publicIPAllocationMethod",
                                          "idleTimeoutInMinutes",
                                          "ipTags",
                                          "ddosSettings"};
    const struct json *user = json_at(network_users(body), 0);
    struct json *out = json_new_object();
    char guid[UUID_TEXT_MAX];

    json_set_text(out, "provisioningState", arm_state(body));
    json_set_str(out, "resourceGuid", uuid_format(&r->uuid, guid));
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct json *j = json_get(json_get(body, "properties"), members[i]);

        if (j)
            json_set(out, members[i], json_clone(j));
    }
    dns_render(v, body, out);
    if (user) {
        struct json *configuration = json_new_object();

        json_set_str(configuration, "id", json_str(json_get(user, "id")));
        json_set(out, "ipConfiguration", configuration);
    }
    return out;
}

static struct json *public_ip_render(const struct arm_view *v, const struct meta_resource *r,
                                     const struct json *body)
{
    struct json *out = network_head(r, body);

    if (json_get(body, "zones"))
        json_set(out, "zones", json_clone(json_get(body, "zones")));
    json_set(out, "properties", properties_render(v, r, body));
    json_set(out, "sku", json_clone(json_get(body, "sku")));
    return out;
}

const struct arm_type arm_public_ip = {
    .name = "Microsoft.Network/publicIPAddresses",
    .scope = ARM_SCOPE_GROUP,
    .check_name = network_name_plain,
    .put = public_ip_put,
    .patch = arm_tags_patch,
    .deletable = public_ip_deletable,
    .style = network_style,
    .render = public_ip_render,
};
