/* Security groups, public addresses and interfaces: what they have, who uses whom, and who may go.
 */
#include "fixture.h"

#define LOCAL "{\"location\":\"local\"}"
#define NETWORK                                                                                    \
    "{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":[\"10.0.0.0/"   \
    "16\",\"2001:db8::/48\"]},\"subnets\":[{\"name\":\"N\",\"properties\":{\"addressPrefixes\":["  \
    "\"10.0.0.0/28\",\"2001:db8::/64\"]}},{\"name\":\"M\",\"properties\":{\"addressPrefix\":"      \
    "\"10.0.1.0/24\"}}]}}"
#define CONFIGURATION(name, more)                                                                  \
    "{\"name\":\"" name "\",\"properties\":{\"subnet\":{\"id\":\"" VNET "/subnets/N\"}" more "}}"
#define INTERFACE(configurations)                                                                  \
    "{\"location\":\"local\",\"properties\":{\"ipConfigurations\":[" configurations "]}}"
#define NICS       G "/providers/Microsoft.Network/networkInterfaces/"
#define RULES      NSG "/securityRules/"
#define STATIC(ip) ",\"privateIPAllocationMethod\":\"Static\",\"privateIPAddress\":\"" ip "\""
#define RULE(priority, direction)                                                                  \
    "{\"properties\":{\"protocol\":\"tcp\",\"access\":\"Allow\",\"direction\":\"" direction        \
    "\",\"priority\":" priority                                                                    \
    ",\"sourcePortRange\":\"*\",\"destinationPortRange\":\"443\",\"sourceAddressPrefix\":\"*\","   \
    "\"destinationAddressPrefix\":\"10.0.0.0/8\"}}"

static struct control *network(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(control(c, "PUT", VNET, NETWORK), 201);
    return c;
}

static void refused(struct control *c, const char *method, const char *path, const char *body,
                    const char *code)
{
    assert_int_equal(control(c, method, path, body), 400);
    assert_str(answer_text(c, "error.code"), code);
    assert_true(answer_text(c, "error.message").len > 0);
    assert_int_equal(json_type(json_path(c->answer, "error.details")), JSON_ARRAY);
}

static const struct json *configuration(struct control *c, size_t i)
{
    return json_get(json_at(json_path(c->answer, "properties.ipConfigurations"), i), "properties");
}

static struct str address(struct control *c, size_t i)
{
    return json_str(json_get(configuration(c, i), "privateIPAddress"));
}

/* --- security groups --- */
static void a_security_group_has_its_default_rules_and_those_that_are_put(void **state)
{
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    assert_int_equal(json_len(json_path(c->answer, "properties.securityRules")), 0);
    assert_int_equal(json_len(json_path(c->answer, "properties.defaultSecurityRules")), 6);
    assert_int_equal(control(c, "PUT", RULES "web", RULE("100", "inbound")), 201);
    assert_str(answer_text(c, "type"), "Microsoft.Network/networkSecurityGroups/securityRules");
    assert_str(answer_text(c, "properties.protocol"), "Tcp");
    assert_str(answer_text(c, "properties.direction"), "Inbound");
    assert_int_equal(json_type(json_path(c->answer, "properties.sourcePortRanges")), JSON_ARRAY);
    assert_int_equal(control(c, "PUT", RULES "WEB", RULE("200", "Inbound")), 200);
    assert_str(answer_text(c, "id"), NSG "/securityRules/web");
    assert_int_equal(control(c, "GET", RULES "web", NULL), 200);
    assert_int_equal(json_int(json_path(c->answer, "properties.priority"), 0), 200);
    assert_int_equal(control(c, "GET", NSG "/securityRules", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 1);
    assert_int_equal(control(c, "PUT", NSG, LOCAL), 200); /* none sent: they stay */
    assert_int_equal(json_len(json_path(c->answer, "properties.securityRules")), 1);
    assert_int_equal(control(c, "GET", NSG "/defaultSecurityRules/denyallinbound", NULL), 200);
    assert_int_equal(json_int(json_path(c->answer, "properties.priority"), 0), 65500);
    assert_int_equal(control(c, "DELETE", RULES "web", NULL), 202);
    assert_int_equal(control(c, "DELETE", RULES "web", NULL), 204);
    assert_int_equal(control(c, "GET", RULES "web", NULL), 404);
    assert_int_equal(
        control(c, "PUT", G "/providers/Microsoft.Network/networkSecurityGroups/X/securityRules/a",
                RULE("100", "Inbound")),
        404);
    assert_str(answer_text(c, "error.code"), "ParentResourceNotFound");
}

static void bad_rules_are_refused_and_leave_the_group_as_it_was(void **state)
{
    static const struct {
        const char *body, *code;
    } bad[] = {
        {"{}", "SecurityRuleInvalidParameter"},
        {"{\"properties\":{\"protocol\":\"Tcp\",\"access\":\"Allow\",\"direction\":\"Inbound\","
         "\"priority\":100}}",
         "SecurityRuleInvalidParameter"},
        {"{\"properties\":{\"protocol\":\"Tcp\",\"access\":\"Allow\",\"direction\":\"Inbound\","
         "\"priority\":100,\"sourcePortRange\":\"90-80\",\"destinationPortRange\":\"*\","
         "\"sourceAddressPrefix\":\"*\",\"destinationAddressPrefix\":\"*\"}}",
         "SecurityRuleInvalidPortRange"},
        {"{\"properties\":{\"protocol\":\"Tcp\",\"access\":\"Allow\",\"direction\":\"Inbound\","
         "\"priority\":100,\"sourcePortRange\":\"*\",\"destinationPortRange\":\"65536\","
         "\"sourceAddressPrefix\":\"*\",\"destinationAddressPrefix\":\"*\"}}",
         "SecurityRuleInvalidPortRange"},
        {"{\"properties\":{\"protocol\":\"Tcp\",\"access\":\"Allow\",\"direction\":\"Inbound\","
         "\"priority\":100,\"sourcePortRange\":\"*\",\"destinationPortRange\":\"1\","
         "\"sourceAddressPrefix\":\"10.0.0.1/8\",\"destinationAddressPrefix\":\"*\"}}",
         "SecurityRuleInvalidAddressPrefix"},
    };
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refused(c, "PUT", RULES "a", bad[i].body, bad[i].code);
    refused(c, "PUT", RULES "a", RULE("99", "Inbound"), "SecurityRuleInvalidPriority");
    refused(c, "PUT", RULES "a", RULE("4097", "Inbound"), "SecurityRuleInvalidPriority");
    refused(c, "PUT", RULES "a", RULE("100", "Sideways"), "InvalidRequestFormat");
    refused(c, "PUT", RULES "a", "{\"tags\":{\"a\":\"b\"}}", "InvalidRequestFormat");
    assert_int_equal(control(c, "PUT", RULES "a", RULE("100", "Inbound")), 201);
    assert_int_equal(control(c, "PUT", RULES "b", RULE("100", "Outbound")), 201);
    refused(c, "PUT", RULES "c", RULE("100", "Inbound"), "SecurityRuleConflict");
    assert_int_equal(control(c, "GET", NSG, NULL), 200);
    assert_int_equal(json_len(json_path(c->answer, "properties.securityRules")), 2);
}

/* --- public addresses --- */
/* What is stored is read again by everything that comes later, the group's deletion first of all.
 */
static void a_security_group_does_not_grow_past_what_can_be_read_again(void **state)
{
    CLEANUP(buf_done) struct buf rule = BUF_INIT(1 << 20);
    struct control *c = network(state);
    unsigned status = 201;

    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    for (int i = 0; status == 201 && i < 40; i++) {
        char path[512];

        snprintf(path, sizeof(path), RULES "r%d", i);
        buf_done(&rule);
        rule = BUF_INIT(1 << 20);
        buf_addf(&rule,
                 "{\"properties\":{\"protocol\":\"*\",\"access\":\"Allow\",\"direction\":"
                 "\"Inbound\",\"priority\":%d,\"sourcePortRange\":\"*\","
                 "\"sourceAddressPrefix\":\"*\",\"destinationAddressPrefix\":\"*\","
                 "\"destinationPortRanges\":[\"1\"",
                 200 + i);
        for (int k = 1; k < 4000; k++)
            buf_add(&rule, STR(",\"1\""));
        buf_add(&rule, STR("]}}"));
        buf_addc(&rule, '\0');
        status = control(c, "PUT", path, rule.ptr);
    }
    assert_int_equal(status, 413);
    assert_int_equal(control(c, "GET", NSG, NULL), 200);
    assert_int_equal(control(c, "DELETE", NSG, NULL), 202);
    assert_int_equal(control(c, "GET", NSG, NULL), 404);
}

static void a_public_address_has_azures_defaults_and_only_a_static_one_is_allocated(void **state)
{
    struct control *c = network(state);
    struct ip_addr a;
    struct cidr nobodys;
    char first[IP_TEXT_MAX];

    assert_int_equal(control(c, "PUT", PUBLIC_IP, LOCAL), 201);
    assert_str(answer_text(c, "sku.name"), "Basic");
    assert_str(answer_text(c, "sku.tier"), "Regional");
    assert_str(answer_text(c, "properties.publicIPAllocationMethod"), "Dynamic");
    assert_str(answer_text(c, "properties.publicIPAddressVersion"), "IPv4");
    assert_int_equal(json_int(json_path(c->answer, "properties.idleTimeoutInMinutes"), 0), 4);
    assert_null(json_path(c->answer, "properties.ipAddress"));
    assert_int_equal(control(c, "PUT", PUBLIC_IP,
                             "{\"location\":\"local\",\"properties\":{"
                             "\"publicIPAllocationMethod\":\"static\"}}"),
                     200);
    assert_int_equal(str_copy(answer_text(c, "properties.ipAddress"), first, sizeof(first)), RC_OK);
    assert_int_equal(ip_parse(str_from(first), &a, NULL), RC_OK);
    assert_int_equal(cidr_parse(STR("198.18.0.0/15"), &nobodys, NULL), RC_OK);
    assert_true(cidr_contains(&nobodys, &a));
    refused(c, "PUT", PUBLIC_IP,
            "{\"location\":\"local\",\"properties\":{\"publicIPAllocationMethod\":\"Static\","
            "\"publicIPAddressVersion\":\"IPv6\"}}",
            "PublicIPAddressVersionCannotBeChanged");
    assert_int_equal(control(c, "PATCH", PUBLIC_IP, "{\"tags\":{\"x\":\"y\"}}"), 200);
    assert_str(answer_text(c, "properties.ipAddress"), first);
}

static void what_a_public_address_cannot_be_is_refused(void **state)
{
    struct control *c = network(state);

    refused(c, "PUT", PUBLIC_IP,
            "{\"location\":\"local\",\"sku\":{\"name\":\"Basic\",\"tier\":\"Global\"}}",
            "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress");
    refused(c, "PUT", PUBLIC_IP,
            "{\"location\":\"local\",\"sku\":{\"name\":\"Standard\"},\"properties\":{"
            "\"publicIPAllocationMethod\":\"Dynamic\"}}",
            "PublicIpWithStandardSkuMustHaveStaticAllocation");
    refused(c, "PUT", PUBLIC_IP,
            "{\"location\":\"local\",\"properties\":{\"idleTimeoutInMinutes\":31}}",
            "InvalidIdleTimeout");
    refused(c, "PUT", PUBLIC_IP,
            "{\"location\":\"local\",\"properties\":{\"dnsSettings\":{\"domainNameLabel\":"
            "\"No\"}}}",
            "InvalidDomainNameLabel");
    assert_int_equal(control(c, "PUT", G "/providers/Microsoft.Network/publicIPAddresses/first",
                             "{\"location\":\"local\",\"properties\":{\"dnsSettings\":{"
                             "\"domainNameLabel\":\"front\"}}}"),
                     201);
    assert_str(answer_text(c, "properties.dnsSettings.fqdn"), "front.local.cloudapp.azurecr.test");
    refused(c, "PUT", PUBLIC_IP,
            "{\"location\":\"local\",\"properties\":{\"dnsSettings\":{\"domainNameLabel\":"
            "\"front\"}}}",
            "DnsRecordInUse");
    assert_int_equal(control(c, "PUT", PUBLIC_IP,
                             "{\"location\":\"local\",\"properties\":{"
                             "\"publicIPAllocationMethod\":\"Static\","
                             "\"ipAddress\":\"192.0.2.1\"}}"),
                     400);
    assert_str(answer_text(c, "error.code"), "NotSupported");
    assert_int_equal(control(c, "PUT", PUBLIC_IP,
                             "{\"location\":\"local\",\"extendedLocation\":{"
                             "\"type\":\"EdgeZone\",\"name\":\"x\"}}"),
                     400);
    assert_str(answer_text(c, "error.code"), "NotSupported");
    assert_int_equal(control(c, "GET", PUBLIC_IP, NULL), 404);
}

static void a_standard_public_address_does_not_become_a_basic_one(void **state)
{
    struct control *c = network(state);
    char sent[512];

    assert_int_equal(control(c, "PUT", PUBLIC_IP,
                             "{\"location\":\"local\",\"properties\":{"
                             "\"publicIPAllocationMethod\":\"Static\"}}"),
                     201);
    snprintf(sent, sizeof(sent),
             "{\"location\":\"local\",\"sku\":{\"name\":\"Standard\"},\"properties\":{"
             "\"publicIPAllocationMethod\":\"Static\",\"ipAddress\":\"%s\"}}",
             answer_text(c, "properties.ipAddress").ptr);
    assert_int_equal(control(c, "PUT", PUBLIC_IP, sent), 200);
    assert_str(answer_text(c, "sku.name"), "Standard");
    refused(c, "PUT", PUBLIC_IP, "{\"location\":\"local\",\"sku\":{\"name\":\"Basic\"}}",
            "SkuCannotBeChangedOnUpdate");
    assert_int_equal(control(c, "GET", PUBLIC_IP, NULL), 200);
    assert_str(answer_text(c, "sku.name"), "Standard");
}

/* --- interfaces --- */
static void an_interface_takes_the_next_free_address_and_keeps_it(void **state)
{
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NICS "a", INTERFACE(CONFIGURATION("one", ""))), 201);
    assert_str(address(c, 0), "10.0.0.4");
    assert_true(json_bool(json_get(configuration(c, 0), "primary"), false));
    assert_int_equal(control(c, "PUT", NICS "b", INTERFACE(CONFIGURATION("one", ""))), 201);
    assert_str(address(c, 0), "10.0.0.5");
    assert_int_equal(
        control(c, "PUT", NICS "a",
                INTERFACE(CONFIGURATION("two", ",\"primary\":true") "," CONFIGURATION("one", ""))),
        200);
    assert_str(address(c, 0), "10.0.0.6"); /* the primary one first */
    assert_str(address(c, 1), "10.0.0.4");
    assert_int_equal(control(c, "DELETE", NICS "b", NULL), 202);
    assert_int_equal(control(c, "PUT", NICS "d",
                             INTERFACE(CONFIGURATION("one", "") "," CONFIGURATION(
                                 "six", ",\"privateIPAddressVersion\":"
                                        "\"IPv6\""))),
                     201);
    assert_str(address(c, 0), "10.0.0.5");
    assert_str(address(c, 1), "2001:db8::4");
    assert_int_equal(control(c, "GET", VNET "/subnets/N", NULL), 200);
    assert_int_equal(json_len(json_path(c->answer, "properties.ipConfigurations")), 4);
}

static void a_subnet_that_is_full_says_so(void **state)
{
    struct control *c = network(state);
    char path[256];

    for (int i = 4; i < 15; i++) { /* a /28 without its first four and its last */
        assert_true(snprintf(path, sizeof(path), NICS "i%d", i) > 0);
        assert_int_equal(control(c, "PUT", path, INTERFACE(CONFIGURATION("one", ""))), 201);
    }
    refused(c, "PUT", NICS "more", INTERFACE(CONFIGURATION("one", "")), "SubnetIsFull");
}

static void addresses_that_an_interface_cannot_have_are_refused(void **state)
{
    struct control *c = network(state);

    assert_int_equal(
        control(c, "PUT", NICS "a", INTERFACE(CONFIGURATION("one", STATIC("10.0.0.9")))), 201);
    refused(c, "PUT", NICS "b", INTERFACE(CONFIGURATION("one", STATIC("10.0.0.9"))),
            "PrivateIPAddressIsAllocated");
    refused(c, "PUT", NICS "b", INTERFACE(CONFIGURATION("one", STATIC("10.0.0.3"))),
            "PrivateIPAddressInReservedRange");
    refused(c, "PUT", NICS "b", INTERFACE(CONFIGURATION("one", STATIC("10.0.0.15"))),
            "PrivateIPAddressInReservedRange");
    refused(c, "PUT", NICS "b", INTERFACE(CONFIGURATION("one", STATIC("10.0.1.4"))),
            "PrivateIPAddressNotInSubnet");
    refused(c, "PUT", NICS "b", INTERFACE(CONFIGURATION("one", STATIC("2001:db8::9"))),
            "PrivateIPAddressInvalid");
    refused(c, "PUT", NICS "b",
            "{\"location\":\"local\",\"properties\":{\"ipConfigurations\":[{"
            "\"name\":\"one\",\"properties\":{\"subnet\":{\"id\":\"" VNET "/subnets/no\"}}}]}}",
            "InvalidResourceReference");
    refused(c, "PUT", NICS "b", INTERFACE(""), "NetworkInterfaceMustHaveIpConfigurations");
    refused(c, "PUT", NICS "b",
            INTERFACE(CONFIGURATION("one", ",\"primary\":true") "," CONFIGURATION(
                "two", ",\"primary\":true")),
            "NetworkInterfaceHasMultiplePrimaryIpConfigurations");
    assert_int_equal(control(c, "GET", NICS "b", NULL), 404);
    assert_int_equal(control(c, "GET", VNET, NULL), 200);
}

static void an_address_is_asked_for_before_it_is_taken(void **state)
{
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NICS "a", INTERFACE(CONFIGURATION("one", ""))), 201);
    assert_int_equal(control(c, "GET", VNET "/CheckIPAddressAvailability?ipAddress=10.0.0.5", NULL),
                     200);
    assert_true(json_bool(json_get(c->answer, "available"), false));
    assert_null(json_get(c->answer, "availableIPAddresses"));
    assert_int_equal(control(c, "GET", VNET "/CheckIPAddressAvailability?ipAddress=10.0.0.4", NULL),
                     200);
    assert_false(json_bool(json_get(c->answer, "available"), true));
    assert_false(json_bool(json_get(c->answer, "isPlatformReserved"), true));
    assert_str(json_str(json_at(json_get(c->answer, "availableIPAddresses"), 0)), "10.0.0.5");
    assert_int_equal(control(c, "GET", VNET "/CheckIPAddressAvailability?ipAddress=10.0.0.0", NULL),
                     200);
    assert_true(json_bool(json_get(c->answer, "isPlatformReserved"), false));
    assert_int_equal(json_len(json_get(c->answer, "availableIPAddresses")), 5);
    refused(c, "GET", VNET "/CheckIPAddressAvailability?ipAddress=10.9.0.0", NULL,
            "PrivateIPAddressNotInAnySubnet");
    refused(c, "GET", VNET "/CheckIPAddressAvailability?ipAddress=x", NULL,
            "InvalidIPAddressFormat");
}

/* --- who uses whom --- */
#define WITH_ALL                                                                                   \
    "{\"location\":\"local\",\"properties\":{\"networkSecurityGroup\":{\"id\":\"" NSG              \
    "\"},\"ipConfigurations\":[" CONFIGURATION(                                                    \
        "one", ",\"publicIPAddress\":{\"id\":\"" S                                                 \
               "/resourcegroups/LAB/providers/microsoft.network/publicipaddresses/p\"}") "]}}"

static void what_is_used_shows_its_users_and_stays(void **state)
{
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    assert_int_equal(control(c, "PUT", PUBLIC_IP, LOCAL), 201);
    assert_int_equal(control(c, "PUT", NIC, WITH_ALL), 201);
    /* clients compare the two ids as texts */
    assert_str(json_str(json_path(configuration(c, 0), "publicIPAddress.id")), PUBLIC_IP);
    assert_int_equal(control(c, "GET", PUBLIC_IP, NULL), 200);
    assert_str(answer_text(c, "properties.ipConfiguration.id"), NIC "/ipConfigurations/one");
    assert_int_equal(control(c, "GET", NSG, NULL), 200);
    assert_str(
        json_str(json_get(json_at(json_path(c->answer, "properties.networkInterfaces"), 0), "id")),
        NIC);
    refused(c, "DELETE", PUBLIC_IP, NULL, "PublicIPAddressCannotBeDeleted");
    assert_non_null(
        strstr(answer_text(c, "error.message").ptr, "still allocated to resource " NIC));
    refused(c, "DELETE", NSG, NULL, "InUseNetworkSecurityGroupCannotBeDeleted");
    refused(c, "DELETE", VNET "/subnets/N", NULL, "InUseSubnetCannotBeDeleted");
    refused(c, "DELETE", VNET, NULL, "InUseSubnetCannotBeDeleted");
    refused(c, "PUT", NICS "other", WITH_ALL, "PublicIPAddressInUse");
    assert_int_equal(control(c, "DELETE", VNET "/subnets/M", NULL), 202);
    assert_int_equal(control(c, "DELETE", NIC, NULL), 202);
    assert_int_equal(control(c, "DELETE", PUBLIC_IP, NULL), 202);
    assert_int_equal(control(c, "DELETE", NSG, NULL), 202);
    assert_int_equal(control(c, "DELETE", VNET, NULL), 202);
}

#define ASG G "/providers/Microsoft.Network/applicationSecurityGroups/A"
static void an_application_security_group_is_joined_and_stays_meanwhile(void **state)
{
    struct control *c = network(state);
    static const char joined[] = INTERFACE(CONFIGURATION(
        "one", ",\"applicationSecurityGroups\":[{\"id\":\"" ASG "\"},{\"id\":\"" ASG "\"}]"));

    refused(c, "PUT", NIC, joined, "InvalidResourceReference");
    assert_int_equal(control(c, "PUT", ASG, LOCAL), 201);
    assert_int_equal(control(c, "PUT", NIC, joined), 201);
    assert_int_equal(json_len(json_get(configuration(c, 0), "applicationSecurityGroups")), 1);
    refused(c, "DELETE", ASG, NULL, "InUseApplicationSecurityGroupCannotBeDeleted");
    assert_int_equal(control(c, "PUT", NIC, INTERFACE(CONFIGURATION("one", ""))), 200);
    assert_null(json_get(configuration(c, 0), "applicationSecurityGroups"));
    assert_int_equal(control(c, "DELETE", ASG, NULL), 202);
}

static void a_rule_names_application_security_groups_instead_of_addresses(void **state)
{
    struct control *c = network(state);
    static const char named[] =
        "{\"properties\":{\"protocol\":\"*\",\"access\":\"Deny\",\"direction\":\"Inbound\","
        "\"priority\":100,\"sourcePortRange\":\"*\",\"destinationPortRange\":\"*\","
        "\"sourceApplicationSecurityGroups\":[{\"id\":\"" ASG "\"}],"
        "\"destinationAddressPrefix\":\"*\"}}";

    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    refused(c, "PUT", RULES "a", named, "InvalidResourceReference");
    assert_int_equal(control(c, "PUT", ASG, LOCAL), 201);
    assert_int_equal(control(c, "PUT", RULES "a", named), 201);
    assert_int_equal(json_len(json_path(c->answer, "properties.sourceApplicationSecurityGroups")),
                     1);
    refused(c, "DELETE", ASG, NULL, "InUseApplicationSecurityGroupCannotBeDeleted");
    assert_int_equal(control(c, "PUT", RULES "a", RULE("100", "Inbound")), 200);
    assert_int_equal(json_len(json_path(c->answer, "properties.sourceApplicationSecurityGroups")),
                     0);
    assert_int_equal(control(c, "PUT", RULES "a", named), 200);
    assert_int_equal(control(c, "DELETE", NSG, NULL), 202);
    assert_int_equal(control(c, "DELETE", ASG, NULL), 202);
}

static void a_network_put_does_not_take_a_used_subnet_away(void **state)
{
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NIC, INTERFACE(CONFIGURATION("one", ""))), 201);
    refused(c, "PUT", VNET,
            "{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":["
            "\"10.0.0.0/16\"]},\"subnets\":[]}}",
            "InUseSubnetCannotBeDeleted");
    refused(c, "PUT", VNET "/subnets/N", "{\"properties\":{\"addressPrefix\":\"10.0.2.0/24\"}}",
            "InUsePrefixCannotBeDeleted");
    assert_int_equal(control(c, "PUT", VNET, NETWORK), 200);
    assert_int_equal(control(c, "PUT", VNET "/subnets/N",
                             "{\"properties\":{\"addressPrefix\":\"10.0.0.0/24\"}}"),
                     200);
    assert_int_equal(json_len(json_path(c->answer, "properties.ipConfigurations")), 1);
}

static void a_subnet_with_a_security_group_is_listed_by_it_until_it_goes(void **state)
{
    struct control *c = network(state);
    static const char with[] = "{\"properties\":{\"addressPrefix\":\"10.0.1.0/24\","
                               "\"networkSecurityGroup\":{\"id\":\"" NSG "\"}}}";
    static const char without[] = "{\"properties\":{\"addressPrefix\":\"10.0.1.0/24\"}}";

    refused(c, "PUT", VNET "/subnets/M", with, "InvalidResourceReference");
    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    assert_int_equal(control(c, "PUT", VNET "/subnets/M", with), 200);
    assert_str(answer_text(c, "properties.networkSecurityGroup.id"), NSG);
    refused(c, "DELETE", NSG, NULL, "InUseNetworkSecurityGroupCannotBeDeleted");
    assert_int_equal(control(c, "PUT", VNET "/subnets/M", without), 200);
    assert_int_equal(control(c, "GET", NSG, NULL), 200);
    assert_null(json_path(c->answer, "properties.subnets"));
    assert_int_equal(control(c, "PUT", VNET "/subnets/M", with), 200);
    assert_int_equal(control(c, "DELETE", VNET, NULL), 202);
    assert_int_equal(control(c, "DELETE", NSG, NULL), 202);
}

/* Subnets with as many prefixes as they can have, and behind them one with this prefix. */
static unsigned put_crowded(struct control *c, const char *prefix)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(4 << 20);

    buf_add(&body,
            STR("{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":["
                "\"10.0.0.0/8\",\"2001:db8::/32\"]},\"subnets\":["));
    for (int i = 0; i < 2999; i++) {
        buf_addf(&body,
                 "{\"name\":\"s%d\",\"properties\":{\"addressPrefixes\":[\"2001:db8:%x::/64\"", i,
                 i);
        for (int k = 0; k < 15; k++)
            buf_addf(&body, ",\"10.%d.%d.%d/32\"", k, i / 250, i % 250);
        buf_add(&body, STR("]}},"));
    }
    buf_addf(&body, "{\"name\":\"wide\",\"properties\":{\"addressPrefix\":\"%s\"}}]}}", prefix);
    buf_addc(&body, '\0');
    return control(c, "PUT", VNET, body.ptr);
}

static void a_subnet_that_overlaps_is_found_among_many(void **state)
{
    static const char *const taken[] = {"10.7.4.0/24", "10.14.11.240/32", "2001:db8:5::/48",
                                        "10.0.0.0/8"};
    struct control *c = network(state);

    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        assert_int_equal(put_crowded(c, taken[i]), 400);
        assert_str(answer_text(c, "error.code"), "NetcfgSubnetRangesOverlap");
        assert_non_null(strstr(answer_text(c, "error.message").ptr, "Subnet 'wide'"));
    }
    assert_int_equal(put_crowded(c, "10.0.100.0/24"), 200);
}

/* Interfaces in one subnet, with as many configurations as they can have. */
static void addresses_are_found_where_many_are_taken(void **state)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    struct control *c = network(state);

    buf_add(&body, STR("{\"location\":\"local\",\"properties\":{\"ipConfigurations\":["));
    for (int i = 0; i < 256; i++)
        buf_addf(&body,
                 "%s{\"name\":\"c%d\",\"properties\":{\"subnet\":{\"id\":\"" VNET "/subnets/M\"}}}",
                 i > 0 ? "," : "", i);
    buf_add(&body, STR("]}}"));
    buf_addc(&body, '\0');
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.64.0/18\"}}"),
                     200);
    for (int i = 0; i < 8; i++) {
        char path[256];

        assert_true(snprintf(path, sizeof(path), NICS "i%d", i) > 0);
        assert_int_equal(control(c, "PUT", path, body.ptr), 201);
    }
    assert_str(address(c, 255), "10.0.72.3");
    assert_int_equal(control(c, "DELETE", NICS "i3", NULL), 202);
    assert_int_equal(control(c, "PUT", NICS "again", body.ptr), 201);
    assert_str(address(c, 0), "10.0.67.4");
}

/* A network of /28s, all with one security group, or without. */
static unsigned put_many_subnets(struct control *c, int n, bool grouped)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(4 << 20);

    buf_add(&body,
            STR("{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":["
                "\"10.0.0.0/8\"]},\"subnets\":["));
    for (int i = 0; i < n; i++)
        buf_addf(&body,
                 "%s{\"name\":\"s%d\",\"properties\":{\"addressPrefix\":\"10.%d.%d.%d/28\"%s}}",
                 i > 0 ? "," : "", i, 1 + i / 4096, i / 16 % 256, i % 16 * 16,
                 grouped ? ",\"networkSecurityGroup\":{\"id\":\"" NSG "\"}" : "");
    buf_add(&body, STR("]}}"));
    buf_addc(&body, '\0');
    return control(c, "PUT", VNET, body.ptr);
}

static void as_many_subnets_as_a_network_can_have_use_one_security_group(void **state)
{
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    assert_int_equal(put_many_subnets(c, 3000, true), 200);
    assert_int_equal(control(c, "GET", NSG, NULL), 200);
    assert_int_equal(json_len(json_path(c->answer, "properties.subnets")), 3000);
    assert_int_equal(put_many_subnets(c, 1, true), 200);
    assert_int_equal(control(c, "GET", NSG, NULL), 200);
    assert_int_equal(json_len(json_path(c->answer, "properties.subnets")), 1);
    assert_str(json_str(json_get(json_at(json_path(c->answer, "properties.subnets"), 0), "id")),
               VNET "/subnets/s0");
    assert_int_equal(put_many_subnets(c, 2, false), 200);
    assert_int_equal(control(c, "DELETE", NSG, NULL), 202);
}

static void a_group_goes_with_all_that_use_each_other(void **state)
{
    struct control *c = network(state);

    assert_int_equal(control(c, "PUT", NSG, LOCAL), 201);
    assert_int_equal(control(c, "PUT", PUBLIC_IP, LOCAL), 201);
    assert_int_equal(control(c, "PUT", NIC, WITH_ALL), 201);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(control(c, "GET", G, NULL), 404);
}

static void a_group_whose_network_is_used_from_elsewhere_stays(void **state)
{
    struct control *c = network(state);
    static const char elsewhere[] =
        S "/resourceGroups/other/providers/Microsoft.Network/networkInterfaces/I";

    assert_int_equal(control(c, "PUT", S "/resourceGroups/other", LOCAL), 201);
    assert_int_equal(control(c, "PUT", elsewhere, INTERFACE(CONFIGURATION("one", ""))), 201);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(control(c, "GET", G, NULL), 200);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_int_equal(control(c, "GET", VNET, NULL), 200);
    assert_int_equal(control(c, "DELETE", elsewhere, NULL), 202);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(control(c, "GET", G, NULL), 404);
}

/* --- operations --- */
static struct str field(const struct control *c, const char *name)
{
    for (size_t i = 0; i < c->req.response.fields.n; i++)
        if (str_is_nocase(c->req.response.fields.list[i].name, name))
            return c->req.response.fields.list[i].value;
    return STR_NONE;
}

static void writes_are_operations_in_azures_styles(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(control(c, "PUT", VNET, NETWORK), 201);
    assert_str(answer_text(c, "properties.provisioningState"), "Updating");
    assert_non_null(strstr(field(c, "Azure-AsyncOperation").ptr, "/locations/local/operations/"));
    assert_null(field(c, "Location").ptr);
    control_operations(c);
    assert_int_equal(control(c, "PUT", VNET, NETWORK), 200); /* nothing changes */
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_non_null(field(c, "Azure-AsyncOperation").ptr);
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.2.0/24\","
                             "\"serviceEndpoints\":[{\"service\":\"Microsoft.Sql\"}]}}"),
                     200);
    assert_str(answer_text(c, "properties.provisioningState"), "Updating");
    assert_str(json_str(json_get(json_at(json_path(c->answer, "properties.serviceEndpoints"), 0),
                                 "provisioningState")),
               "Updating");
    control_operations(c);
    assert_int_equal(control(c, "GET", VNET "/subnets/M", NULL), 200);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_int_equal(control(c, "PUT", NIC, INTERFACE(CONFIGURATION("one", ""))), 201);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_null(field(c, "Azure-AsyncOperation").ptr);
    assert_int_equal(control(c, "DELETE", NIC, NULL), 202);
    assert_non_null(field(c, "Azure-AsyncOperation").ptr);
    assert_non_null(field(c, "Location").ptr);
    assert_int_equal(control(c, "DELETE", VNET "/subnets/M", NULL), 202);
    assert_non_null(strstr(field(c, "Location").ptr, "/operationResults/"));
}

/* --- labels --- */
static void a_delegation_is_shown_with_its_actions(void **state)
{
    struct control *c = network(state);
    const struct json *shown;

    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.1.0/24\",\"delegations\":["
                             "{\"name\":\"0\",\"properties\":{\"serviceName\":\"Microsoft.Web/"
                             "serverFarms\"}}]}}"),
                     200);
    shown = json_at(json_path(c->answer, "properties.delegations"), 0);
    assert_str(json_str(json_get(shown, "id")), VNET "/subnets/M/delegations/0");
    assert_str(json_str(json_at(json_path(shown, "properties.actions"), 0)),
               "Microsoft.Network/virtualNetworks/subnets/action");
    refused(c, "PUT", VNET "/subnets/M",
            "{\"properties\":{\"addressPrefix\":\"10.0.1.0/24\",\"delegations\":[{}]}}",
            "SubnetDelegationInvalid");
}

static void a_location_says_which_services_have_endpoints_and_what_is_used(void **state)
{
    struct control *c = network(state);
    bool found = false;

    assert_int_equal(
        control(
            c, "GET",
            S
            "/providers/Microsoft.Network/locations/local/virtualNetworkAvailableEndpointServices",
            NULL),
        200);
    for (size_t i = 0; i < json_len(json_get(c->answer, "value")); i++)
        found =
            found || str_is(json_str(json_get(json_at(json_get(c->answer, "value"), i), "name")),
                            "Microsoft.ContainerRegistry");
    assert_true(found);
    assert_int_equal(
        control(c, "GET", S "/providers/Microsoft.Network/locations/local/usages", NULL), 200);
    assert_int_equal(
        json_int(json_get(json_at(json_get(c->answer, "value"), 0), "currentValue"), 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(a_security_group_has_its_default_rules_and_those_that_are_put),
        CONTROL_TEST(a_security_group_does_not_grow_past_what_can_be_read_again),
        CONTROL_TEST(bad_rules_are_refused_and_leave_the_group_as_it_was),
        CONTROL_TEST(a_public_address_has_azures_defaults_and_only_a_static_one_is_allocated),
        CONTROL_TEST(what_a_public_address_cannot_be_is_refused),
        CONTROL_TEST(a_standard_public_address_does_not_become_a_basic_one),
        CONTROL_TEST(an_interface_takes_the_next_free_address_and_keeps_it),
        CONTROL_TEST(a_subnet_that_is_full_says_so),
        CONTROL_TEST(addresses_that_an_interface_cannot_have_are_refused),
        CONTROL_TEST(an_address_is_asked_for_before_it_is_taken),
        CONTROL_TEST(what_is_used_shows_its_users_and_stays),
        CONTROL_TEST(an_application_security_group_is_joined_and_stays_meanwhile),
        CONTROL_TEST(a_rule_names_application_security_groups_instead_of_addresses),
        CONTROL_TEST(a_network_put_does_not_take_a_used_subnet_away),
        CONTROL_TEST(a_subnet_with_a_security_group_is_listed_by_it_until_it_goes),
        CONTROL_TEST(a_subnet_that_overlaps_is_found_among_many),
        CONTROL_TEST(addresses_are_found_where_many_are_taken),
        CONTROL_TEST(as_many_subnets_as_a_network_can_have_use_one_security_group),
        CONTROL_TEST(a_group_goes_with_all_that_use_each_other),
        CONTROL_TEST(a_group_whose_network_is_used_from_elsewhere_stays),
        CONTROL_TEST(writes_are_operations_in_azures_styles),
        CONTROL_TEST(a_delegation_is_shown_with_its_actions),
        CONTROL_TEST(a_location_says_which_services_have_endpoints_and_what_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
