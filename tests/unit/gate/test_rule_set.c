/* A registry's stored properties become rules, or nothing does. */
#include "test.h"

#include "gate/gate.h"
#include <stdio.h>

struct reading {
    struct json *json;
    struct arena arena;
    struct gate_rule_set set;
    enum rc rc;
};

static void read_set(struct reading *r, const char *text)
{
    *r = (struct reading){.arena = ARENA_INIT(1 << 20), .set = {.n_ip_rules = 77}};
    assert_int_equal(json_parse(str_from(text), NULL, &r->json, NULL), RC_OK);
    r->rc = gate_rule_set_read(r->json, &r->arena, &r->set, NULL);
}

static void done(struct reading *r)
{
    json_free(r->json);
    arena_done(&r->arena);
}

static void expect_refused(const char *text)
{
    struct reading r;

    read_set(&r, text);
    if (r.rc != RC_INVALID)
        fail_msg("taken: %s", text);
    assert_int_equal(r.set.n_ip_rules, 77); /* untouched on failure */
    done(&r);
}

static void a_registry_without_a_rule_set_is_open(void **state)
{
    struct reading r;

    (void)state;
    read_set(&r, "{\"loginServer\":\"a.example\"}");
    assert_int_equal(r.rc, RC_OK);
    assert_true(r.set.default_allow);
    assert_true(r.set.public_access);
    assert_true(r.set.bypass_trusted_services);
    assert_false(r.set.report_only);
    assert_int_equal(r.set.n_ip_rules + r.set.n_subnet_rules + r.set.n_approved_endpoints, 0);
    done(&r);
}

static void every_member_is_read(void **state)
{
    static const char text[] =
        "{\"publicNetworkAccess\":\"Disabled\",\"networkRuleBypassOptions\":\"None\","
        "\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"enforcement\":\"ReportOnly\","
        "\"ipRules\":[{\"action\":\"Allow\",\"value\":\"192.0.2.0/"
        "24\"},{\"value\":\"2001:db8::1\"}],"
        "\"virtualNetworkRules\":[{\"action\":\"Allow\",\"id\":\"/S\","
        "\"uuid\":\"01020304-0506-4708-890a-0b0c0d0e0f10\"},{\"id\":\"/T\"}]},"
        "\"privateEndpointConnections\":[{\"properties\":{\"privateEndpoint\":{\"id\":\"/p\","
        "\"uuid\":\"11020304-0506-4708-890a-0b0c0d0e0f10\"},"
        "\"privateLinkServiceConnectionState\":{\"status\":\"Approved\"}}},"
        "{\"properties\":{\"privateEndpoint\":{\"uuid\":\"21020304-0506-4708-890a-0b0c0d0e0f10\"},"
        "\"privateLinkServiceConnectionState\":{\"status\":\"Pending\"}}}]}";
    struct reading r;

    (void)state;
    read_set(&r, text);
    assert_int_equal(r.rc, RC_OK);
    assert_false(r.set.default_allow || r.set.public_access || r.set.bypass_trusted_services);
    assert_true(r.set.report_only);
    assert_int_equal(r.set.n_ip_rules, 2);
    assert_true(str_is(r.set.ip_rules[0].text, "192.0.2.0/24"));
    assert_int_equal(r.set.ip_rules[0].cidr.prefix, 24);
    assert_int_equal(r.set.ip_rules[1].cidr.prefix, 128);
    assert_int_equal(r.set.n_subnet_rules, 2);
    assert_true(str_is(r.set.subnet_rules[0].id, "/S"));
    assert_int_equal(r.set.subnet_rules[0].subnet.bytes[15], 0x10);
    assert_true(uuid_is_nil(&r.set.subnet_rules[1].subnet));
    assert_int_equal(r.set.n_approved_endpoints, 1);
    assert_int_equal(r.set.approved_endpoints[0].bytes[0], 0x11);
    done(&r);
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    expect_refused("[]");
    expect_refused("{\"publicNetworkAccess\":\"Perhaps\"}");
    expect_refused("{\"publicNetworkAccess\":true}");
    expect_refused("{\"networkRuleBypassOptions\":\"All\"}");
    expect_refused("{\"networkRuleSet\":[]}");
    expect_refused("{\"networkRuleSet\":{}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":null}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"allowed\"}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"enforcement\":\"Off\"}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":{}}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":[\"192.0.2.1\"]}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":[{}]}}");
    expect_refused(
        "{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"virtualNetworkRules\":[{}]}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"virtualNetworkRules\":"
                   "[{\"id\":\"/S\",\"uuid\":\"x\"}]}}");
    expect_refused("{\"privateEndpointConnections\":[{}]}");
}

static void expect_ip_refused(const char *value)
{
    char text[256];

    snprintf(text, sizeof(text),
             "{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"%s\"}]}}",
             value);
    expect_refused(text);
}

static void an_ip_rule_must_be_a_unicast_address_or_block(void **state)
{
    (void)state;
    expect_ip_refused("192.0.2.1/24");
    expect_ip_refused("192.0.2.0/33");
    expect_ip_refused("fe80::1%eth0");
    expect_ip_refused("224.0.0.1");
    expect_ip_refused("232.0.0.0/8");
    expect_ip_refused("ff02::1");
    expect_ip_refused("");
}

static void only_allow_is_an_action(void **state)
{
    (void)state;
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":"
                   "[{\"action\":\"Deny\",\"value\":\"192.0.2.1\"}]}}");
    expect_refused("{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"virtualNetworkRules\":"
                   "[{\"action\":\"Deny\",\"id\":\"/S\"}]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registry_without_a_rule_set_is_open),
        cmocka_unit_test(every_member_is_read),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(an_ip_rule_must_be_a_unicast_address_or_block),
        cmocka_unit_test(only_allow_is_an_action),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
