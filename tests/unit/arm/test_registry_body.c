#include "arm/registry.h"
#include "test.h"

#include <stdio.h>

#define VNET                                                                                       \
    "/subscriptions/6f1a0d9e-0000-4000-8000-000000000001/resourceGroups/G/providers/"              \
    "Microsoft.Network/virtualNetworks/V"
#define SUBNET VNET "/subnets/"

/* Subnets called "with..." have the service endpoint, "without..." don't, others are not there. */
static const struct uuid bound = {{1, 2, 3}};
static enum rc find(void *ctx, const struct arm_id *subnet, struct registry_subnet *ret,
                    struct err *e)
{
    struct str name = subnet->parts[1].name;

    (void)ctx;
    if (!str_starts_nocase(name, STR("with")))
        return err_set(e, RC_NOT_FOUND, "no such subnet");
    *ret = (struct registry_subnet){bound, !str_starts_nocase(name, STR("without"))};
    return RC_OK;
}
static const struct registry_subnets subnets = {find, NULL};

struct place {
    struct arena arena;
    struct json *body;
    struct err e;
};

static int set_up(void **state)
{
    struct place *p = test_calloc(1, sizeof(*p));

    p->arena = ARENA_INIT(1 << 20);
    p->body = json_new_object();
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    json_free(p->body);
    arena_done(&p->arena);
    test_free(p);
    return 0;
}

/* As the server does: a copy is changed, and kept only if all is well. */
static enum rc merge(struct place *p, bool fresh, const char *text)
{
    CLEANUP(json_freep) struct json *sent = NULL;
    struct json *body = json_clone(p->body);
    enum rc rc;

    assert_int_equal(json_parse(str_from(text), NULL, &sent, NULL), RC_OK);
    rc = registry_body_merge(sent, fresh, &subnets, &p->arena, body, &p->e);
    if (rc != RC_OK) {
        json_free(body);
        return rc;
    }
    json_free(p->body);
    p->body = body;
    return rc;
}

static void put(struct place *p, const char *text)
{
    assert_int_equal(merge(p, true, text), RC_OK);
}

static void patch(struct place *p, const char *text)
{
    assert_int_equal(merge(p, false, text), RC_OK);
}

static void assert_member(struct place *p, const char *path, const char *json)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(65536);

    json_write(json_path(p->body, path), &b);
    assert_string_equal(buf_cstr(&b), json);
}

#define PREMIUM "{\"sku\":{\"name\":\"premium\"}"
#define RULES   "properties.networkRuleSet."

static void a_new_premium_registry_allows_everybody(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM "}");
    assert_member(p, "sku", "{\"name\":\"Premium\",\"tier\":\"Premium\"}");
    assert_member(p, "properties.networkRuleSet",
                  "{\"defaultAction\":\"Allow\",\"virtualNetworkRules\":[],\"ipRules\":[]}");
    assert_member(p, "properties.adminUserEnabled", "false");
}

static void basic_and_standard_have_no_rule_set(void **state)
{
    struct place *p = *state;

    put(p, "{\"sku\":{\"name\":\"Basic\"},\"properties\":{\"networkRuleSet\":{\"defaultAction\":"
           "\"Allow\"}}}");
    assert_null(json_path(p->body, "properties.networkRuleSet"));
    assert_int_equal(
        merge(p, false, "{\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"Deny\"}}}"),
        RC_INVALID);
    assert_non_null(strstr(
        p->e.text, "Network rules are only supported for managed registries in Premium SKU."));
    assert_int_equal(merge(p, false, "{\"properties\":{\"publicNetworkAccess\":\"Disabled\"}}"),
                     RC_INVALID);
}

static void absent_arrays_stay_and_empty_ones_empty(void **state)
{
    struct place *p = *state;

    put(p,
        PREMIUM ",\"properties\":{\"networkRuleSet\":{\"ipRules\":[{\"value\":\"16.17.18.0/24\"}],"
                "\"virtualNetworkRules\":[{\"id\":\"" SUBNET "with\"}]}}}");
    patch(p, "{\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"deny\"}}}");
    assert_member(p, RULES "defaultAction", "\"Deny\"");
    assert_member(p, RULES "ipRules", "[{\"action\":\"Allow\",\"value\":\"16.17.18.0/24\"}]");
    assert_int_equal(json_len(json_path(p->body, RULES "virtualNetworkRules")), 1);
    patch(p, "{\"properties\":{\"networkRuleSet\":{\"ipRules\":[]}}}");
    assert_member(p, RULES "ipRules", "[]");
    assert_int_equal(json_len(json_path(p->body, RULES "virtualNetworkRules")), 1);
}

static void nothing_opens_by_omission(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM ",\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":[{"
                   "\"value\":\"1.2.3.4\"}]},"
                   "\"publicNetworkAccess\":\"Disabled\",\"networkRuleBypassOptions\":\"None\","
                   "\"adminUserEnabled\":true}}");
    put(p, PREMIUM ",\"properties\":{\"networkRuleSet\":null}}");
    assert_member(p, RULES "defaultAction", "\"Deny\"");
    assert_member(p, RULES "ipRules", "[{\"action\":\"Allow\",\"value\":\"1.2.3.4\"}]");
    assert_member(p, "properties.publicNetworkAccess", "\"Disabled\"");
    assert_member(p, "properties.networkRuleBypassOptions", "\"None\"");
    assert_member(p, "properties.adminUserEnabled", "false"); /* this one a PUT resets: it closes */
}

static void a_downgrade_names_what_is_in_the_way(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM ",\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":[{"
                   "\"value\":\"1.2.3.4\"}]}}}");
    assert_int_equal(merge(p, false, "{\"sku\":{\"name\":\"Basic\"}}"), RC_CONFLICT);
    assert_non_null(
        strstr(p->e.text,
               "from the SKU Premium to Basic while it has the default action Deny, 1 IP rule"));
    patch(p, "{\"sku\":{\"name\":\"Basic\"},\"properties\":{\"networkRuleSet\":{\"defaultAction\":"
             "\"Allow\",\"ipRules\":[]}}}");
    assert_null(json_path(p->body, "properties.networkRuleSet"));
}

static void a_rule_is_bound_to_its_subnets_uuid(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM ",\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[{"
                   "\"virtualNetworkSubnetResourceId\":\"" SUBNET
                   "with\",\"action\":\"Allow\",\"state\":\"x\"}]}}}");
    assert_member(p, RULES "virtualNetworkRules",
                  "[{\"action\":\"Allow\",\"id\":\"" SUBNET
                  "with\",\"uuid\":\"01020300-0000-0000-0000-000000000000\"}]");
}

static void a_rule_that_is_there_keeps_its_uuid_and_is_not_validated_again(void **state)
{
    struct place *p = *state;
    static const char stored[] =
        "{\"sku\":{\"name\":\"Premium\"},\"properties\":{\"networkRuleSet\":{\"defaultAction\":"
        "\"Deny\","
        "\"virtualNetworkRules\":[{\"action\":\"Allow\",\"id\":\"" SUBNET
        "gone\",\"uuid\":\"ffffffff-0000-0000-0000-000000000000\"}],\"ipRules\":[]}}}";

    json_free(p->body);
    assert_int_equal(json_parse(STR(stored), NULL, &p->body, NULL), RC_OK);
    patch(p, "{\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[{\"id\":\"" SUBNET
             "GONE\"},{\"id\":\"" SUBNET "with\"}]}}}");
    assert_int_equal(json_len(json_path(p->body, RULES "virtualNetworkRules")), 2);
    assert_str(
        json_str(json_get(json_at(json_path(p->body, RULES "virtualNetworkRules"), 0), "uuid")),
        "ffffffff-0000-0000-0000-000000000000");
}

static void both_keys_of_a_rule_must_agree(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM ",\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[{\"id\":\"" SUBNET
                   "with\",\"virtualNetworkSubnetResourceId\":\"" SUBNET "WITH\"}]}}}");
    assert_int_equal(
        merge(p, false,
              "{\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[{\"id\":\"" SUBNET
              "with\",\"virtualNetworkSubnetResourceId\":\"" SUBNET "with2\"}]}}}"),
        RC_INVALID);
}

static void a_subnet_needs_the_service_endpoint(void **state)
{
    struct place *p = *state;

    assert_int_equal(
        merge(p, true,
              PREMIUM
              ",\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[{\"id\":\"" SUBNET
              "without\"}]}}}"),
        RC_INVALID);
    assert_string_equal(p->e.code, "NetworkRuleValidationError");
    assert_string_equal(
        p->e.text,
        "Could not validate network rule - Subnets without of virtual network " VNET
        " do not have ServiceEndpoints for Microsoft.ContainerRegistry resources configured. Add "
        "Microsoft.ContainerRegistry to subnet's ServiceEndpoints collection before trying to ACL "
        "Microsoft.ContainerRegistry resources to these subnets.");
    assert_int_equal(
        merge(p, true,
              PREMIUM
              ",\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[{\"id\":\"" SUBNET
              "none\"}]}}}"),
        RC_INVALID);
}

static void bad_addresses_are_refused(void **state)
{
    struct place *p = *state;
    static const char *const bad[] = {
        "1.2.3.4/24", "fe80::1%eth0", "1.2.3", "1.2.3.4/33", "224.0.0.1", "", "example"};
    char text[256];

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof(text),
                 PREMIUM ",\"properties\":{\"networkRuleSet\":{\"ipRules\":[{\"value\":\"%s\"}]}}}",
                 bad[i]);
        assert_int_equal(merge(p, true, text), RC_INVALID);
        assert_string_equal(p->e.code, "NetworkRuleValidationError");
    }
}

static void duplicates_are_folded_and_the_first_spelling_stays(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM ",\"properties\":{\"networkRuleSet\":{\"ipRules\":[{\"value\":\"1.2.3.4\"},{"
                   "\"value\":\"1.2.3.4/32\"},"
                   "{\"value\":\"2001:db8::\"},{\"value\":\"2001:DB8:0::0/"
                   "128\"}],\"virtualNetworkRules\":[{\"id\":\"" SUBNET "with\"},{\"id\":\"/" SUBNET
                   "WITH\"}]}}}");
    assert_member(p, RULES "ipRules",
                  "[{\"action\":\"Allow\",\"value\":\"1.2.3.4\"},{\"action\":\"Allow\",\"value\":"
                  "\"2001:db8::\"}]");
    assert_int_equal(json_len(json_path(p->body, RULES "virtualNetworkRules")), 1);
}

static void quotas_have_azures_words(void **state)
{
    struct place *p = *state;
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 20);

    buf_add(&b, STR(PREMIUM ",\"properties\":{\"networkRuleSet\":{\"ipRules\":["));
    for (int i = 0; i <= 200; i++)
        buf_addf(&b, "%s{\"value\":\"10.0.0.%d\"}", i ? "," : "", i);
    buf_add(&b, STR("]}}}"));
    assert_int_equal(merge(p, true, buf_cstr(&b)), RC_QUOTA);
    assert_string_equal(
        p->e.text, "The requested feature IP rule exceeds allowed quota 200 for the SKU Premium.");
    buf_clear(&b);
    buf_add(&b, STR(PREMIUM ",\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":["));
    for (int i = 0; i <= 100; i++)
        buf_addf(&b, "%s{\"id\":\"" SUBNET "with%d\"}", i ? "," : "", i);
    buf_add(&b, STR("]}}}"));
    assert_int_equal(merge(p, true, buf_cstr(&b)), RC_QUOTA);
    assert_string_equal(p->e.text, "The requested feature virtual network rule exceeds allowed "
                                   "quota 100 for the SKU Premium.");
}

static void what_is_not_offered_says_so(void **state)
{
    struct place *p = *state;

    assert_int_equal(merge(p, true, PREMIUM ",\"properties\":{\"zoneRedundancy\":\"Enabled\"}}"),
                     RC_UNSUPPORTED);
    assert_int_equal(
        merge(p, true, PREMIUM ",\"properties\":{\"encryption\":{\"status\":\"enabled\"}}}"),
        RC_UNSUPPORTED);
    assert_int_equal(merge(p, true, PREMIUM ",\"identity\":{\"type\":\"SystemAssigned\"}}"),
                     RC_UNSUPPORTED);
    assert_int_equal(
        merge(p, true, PREMIUM ",\"properties\":{\"publicNetworkAccess\":\"Sometimes\"}}"),
        RC_INVALID);
    assert_int_equal(merge(p, true, PREMIUM ",\"properties\":{\"adminUserEnabled\":\"true\"}}"),
                     RC_INVALID);
    assert_int_equal(merge(p, true, "{}"), RC_INVALID);
}

static enum rc one_rule(struct place *p, bool add, const char *text)
{
    CLEANUP(json_freep) struct json *rule = NULL;
    struct json *set = json_path(p->body, "properties.networkRuleSet");

    assert_int_equal(json_parse(str_from(text), NULL, &rule, NULL), RC_OK);
    return add ? registry_rules_add(set, rule, &subnets, &p->arena, &p->e)
               : registry_rules_remove(set, rule, &p->e);
}

static void one_rule_is_added_once_and_removed_however_it_is_written(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM "}");
    assert_int_equal(one_rule(p, true, "{\"value\":\"1.2.3.4\"}"), RC_OK);
    assert_int_equal(one_rule(p, true, "{\"value\":\"1.2.3.4/32\",\"action\":\"Allow\"}"), RC_OK);
    assert_int_equal(one_rule(p, true, "{\"virtualNetworkSubnetResourceId\":\"" SUBNET "with\"}"),
                     RC_OK);
    assert_int_equal(json_len(json_path(p->body, RULES "ipRules")), 1);
    assert_int_equal(json_len(json_path(p->body, RULES "virtualNetworkRules")), 1);
    assert_int_equal(one_rule(p, false, "{\"id\":\"/" SUBNET "WITH\"}"), RC_OK);
    assert_int_equal(one_rule(p, false, "{\"value\":\"1.2.3.4/32\"}"), RC_OK);
    assert_int_equal(one_rule(p, false, "{\"value\":\"1.2.3.4/32\"}"), RC_OK);
    assert_member(p, RULES "ipRules", "[]");
    assert_member(p, RULES "virtualNetworkRules", "[]");
    assert_int_equal(one_rule(p, true, "{\"value\":\"1.2.3.4\",\"id\":\"" SUBNET "with\"}"),
                     RC_INVALID);
    assert_int_equal(one_rule(p, true, "{\"value\":\"1.2.3.4\",\"action\":\"Deny\"}"), RC_INVALID);
    assert_int_equal(one_rule(p, true, "{}"), RC_INVALID);
}

static void what_needs_a_greater_sku_or_another_setting_is_refused(void **state)
{
    struct place *p = *state;

    put(p, "{\"sku\":{\"name\":\"Basic\"}}");
    assert_int_equal(merge(p, false, "{\"properties\":{\"anonymousPullEnabled\":true}}"),
                     RC_INVALID);
    assert_string_equal(p->e.code, "FeatureNotSupportedInSku");
    patch(p, "{\"sku\":{\"name\":\"Standard\"},\"properties\":{\"anonymousPullEnabled\":true}}");
    assert_int_equal(merge(p, false, "{\"sku\":{\"name\":\"Basic\"}}"), RC_INVALID);
    assert_int_equal(merge(p, false, "{\"properties\":{\"dataEndpointEnabled\":true}}"),
                     RC_INVALID);
    patch(p, "{\"sku\":{\"name\":\"Premium\"},\"properties\":{\"dataEndpointEnabled\":true}}");
    assert_int_equal(
        merge(p, false,
              "{\"properties\":{\"policies\":{\"exportPolicy\":{\"status\":\"disabled\"}}}}"),
        RC_INVALID);
    patch(p,
          "{\"properties\":{\"publicNetworkAccess\":\"Disabled\",\"policies\":{\"exportPolicy\":{"
          "\"status\":\"disabled\"}}}}");
    assert_int_equal(merge(p, false, "{\"properties\":{\"publicNetworkAccess\":\"Enabled\"}}"),
                     RC_INVALID);
    patch(p, "{\"properties\":{\"publicNetworkAccess\":\"Enabled\",\"policies\":{\"exportPolicy\":{"
             "\"status\":\"enabled\"}}}}");
}

static void days_of_disabled_policies_are_kept(void **state)
{
    struct place *p = *state;

    put(p, PREMIUM ",\"properties\":{\"policies\":{\"retentionPolicy\":{\"days\":30,\"status\":"
                   "\"disabled\"},\"softDeletePolicy\":{\"retentionDays\":20}}}}");
    patch(p, "{\"properties\":{\"adminUserEnabled\":true}}");
    assert_member(p, "properties.policies.retentionPolicy.days", "30");
    assert_member(p, "properties.policies.softDeletePolicy.retentionDays", "20");
    assert_int_equal(
        merge(p, false, "{\"properties\":{\"policies\":{\"retentionPolicy\":{\"days\":366}}}}"),
        RC_INVALID);
    assert_int_equal(
        merge(p, false,
              "{\"properties\":{\"policies\":{\"softDeletePolicy\":{\"retentionDays\":\"1\"}}}}"),
        RC_INVALID);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_premium_registry_allows_everybody),
        T(basic_and_standard_have_no_rule_set),
        T(absent_arrays_stay_and_empty_ones_empty),
        T(nothing_opens_by_omission),
        T(a_downgrade_names_what_is_in_the_way),
        T(a_rule_is_bound_to_its_subnets_uuid),
        T(a_rule_that_is_there_keeps_its_uuid_and_is_not_validated_again),
        T(both_keys_of_a_rule_must_agree),
        T(a_subnet_needs_the_service_endpoint),
        T(bad_addresses_are_refused),
        T(duplicates_are_folded_and_the_first_spelling_stays),
        T(quotas_have_azures_words),
        T(what_is_not_offered_says_so),
        T(what_needs_a_greater_sku_or_another_setting_is_refused),
        T(days_of_disabled_policies_are_kept),
        T(one_rule_is_added_once_and_removed_however_it_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
