/* Each row of the decision table, and what stands next to it. */
#include "test.h"

#include "gate/gate.h"

enum { IP_RULES_MAX = 8, SUBNET_RULES_MAX = 4 };

static const struct uuid subnet_a = {{1}}, subnet_b = {{2}}, endpoint_a = {{3}}, endpoint_b = {{4}};

struct registry { /* a rule set under construction; starts as the strictest */
    struct gate_rule_set set;
    struct gate_ip_rule ip[IP_RULES_MAX];
    struct gate_subnet_rule subnets[SUBNET_RULES_MAX];
    struct uuid endpoints[1];
};

static void registry_init(struct registry *r)
{
    *r = (struct registry){.set = {.public_access = true}};
    r->set.ip_rules = r->ip;
    r->set.subnet_rules = r->subnets;
    r->set.approved_endpoints = r->endpoints;
}

static void add_ip(struct registry *r, const char *cidr)
{
    struct gate_ip_rule *rule = &r->ip[r->set.n_ip_rules++];

    rule->text = str_from(cidr);
    assert_int_equal(cidr_parse(rule->text, &rule->cidr, NULL), RC_OK);
}

static void add_subnet(struct registry *r, const struct uuid *subnet, const char *id)
{
    r->subnets[r->set.n_subnet_rules++] = (struct gate_subnet_rule){*subnet, str_from(id)};
}

static void approve(struct registry *r, const struct uuid *endpoint)
{
    r->endpoints[0] = *endpoint;
    r->set.n_approved_endpoints = 1;
}

static struct origin at(enum origin_kind kind, const char *ip)
{
    struct origin o = {.kind = kind};

    assert_int_equal(ip_parse(str_from(ip), &o.ip, NULL), RC_OK);
    return o;
}

static struct origin in_subnet(const struct uuid *subnet)
{
    struct origin o = at(ORIGIN_SUBNET, "10.0.0.4");

    o.subnet = *subnet;
    return o;
}

static struct origin by_endpoint(const struct uuid *endpoint)
{
    struct origin o = at(ORIGIN_PRIVATE_ENDPOINT, "10.0.0.4");

    o.private_endpoint = *endpoint;
    return o;
}

static void expect(const struct registry *r, struct origin o, bool allow, enum gate_reason reason,
                   const char *rule)
{
    struct gate *g = NULL;

    assert_int_equal(gate_compile(&r->set, &g, NULL), RC_OK);
    struct gate_decision d = gate_decide(g, &o);

    assert_int_equal(d.allow, allow);
    assert_string_equal(gate_reason_name(d.reason), gate_reason_name(reason));
    assert_true(str_eq(gate_rule_text(g, &d), str_from(rule)));
    assert_int_equal(d.rule >= 0, rule != NULL);
    gate_free(g);
}

static void an_approved_private_endpoint_comes_in_before_anything_else(void **state)
{
    struct registry r;

    (void)state;
    registry_init(&r);
    r.set.public_access = false;
    approve(&r, &endpoint_a);
    expect(&r, by_endpoint(&endpoint_a), true, GATE_PRIVATE_ENDPOINT, NULL);
}

static void another_private_endpoint_stays_out_whatever_else_would_open(void **state)
{
    struct registry r;
    struct origin o = by_endpoint(&endpoint_b);

    (void)state;
    registry_init(&r);
    r.set.default_allow = r.set.report_only = r.set.bypass_trusted_services = true;
    o.trusted_service = true;
    add_ip(&r, "0.0.0.0/0");
    approve(&r, &endpoint_a);
    expect(&r, o, false, GATE_PRIVATE_ENDPOINT_NOT_APPROVED, NULL);
    o.private_endpoint = (struct uuid){{0}};
    expect(&r, o, false, GATE_PRIVATE_ENDPOINT_NOT_APPROVED, NULL);
}

static void a_trusted_service_passes_disabled_public_access(void **state)
{
    struct registry r;
    struct origin o = at(ORIGIN_UNIDENTIFIED, "10.9.9.9");

    (void)state;
    registry_init(&r);
    r.set.public_access = false;
    r.set.bypass_trusted_services = o.trusted_service = true;
    expect(&r, o, true, GATE_TRUSTED_SERVICE, NULL);
    r.set.bypass_trusted_services = false;
    expect(&r, o, false, GATE_PUBLIC_NETWORK_ACCESS_DISABLED, NULL);
    r.set.bypass_trusted_services = true;
    o.trusted_service = false;
    expect(&r, o, false, GATE_PUBLIC_NETWORK_ACCESS_DISABLED, NULL);
}

static void virtual_network_rules_end_the_bypass_even_when_their_subnet_is_gone(void **state)
{
    struct registry r;
    struct origin o = at(ORIGIN_PUBLIC, "192.0.2.1");

    (void)state;
    registry_init(&r);
    r.set.bypass_trusted_services = o.trusted_service = true;
    add_subnet(&r, &(struct uuid){{0}}, "/gone");
    expect(&r, o, false, GATE_DEFAULT_ACTION, NULL);
}

static void disabled_public_access_shuts_subnets_and_addresses_out(void **state)
{
    struct registry r;

    (void)state;
    registry_init(&r);
    r.set.public_access = false;
    r.set.default_allow = r.set.report_only = true;
    add_ip(&r, "192.0.2.0/24");
    add_subnet(&r, &subnet_a, "/a");
    expect(&r, in_subnet(&subnet_a), false, GATE_PUBLIC_NETWORK_ACCESS_DISABLED, NULL);
    expect(&r, at(ORIGIN_PUBLIC, "192.0.2.1"), false, GATE_PUBLIC_NETWORK_ACCESS_DISABLED, NULL);
}

static void a_subnet_comes_in_by_its_own_rule_only(void **state)
{
    struct registry r;

    (void)state;
    registry_init(&r);
    add_ip(&r, "10.0.0.0/8"); /* an IP rule does not see a subnet's address */
    add_subnet(&r, &subnet_b, "/b");
    expect(&r, in_subnet(&subnet_b), true, GATE_VIRTUAL_NETWORK_RULE, "/b");
    expect(&r, in_subnet(&subnet_a), false, GATE_DEFAULT_ACTION, NULL);
}

static void a_rule_whose_subnet_is_gone_matches_nothing(void **state)
{
    struct registry r;
    struct uuid nil = {{0}};

    (void)state;
    registry_init(&r);
    add_subnet(&r, &nil, "/gone");
    expect(&r, in_subnet(&nil), false, GATE_DEFAULT_ACTION, NULL);
}

static void the_first_of_several_rules_is_the_one_that_is_named(void **state)
{
    struct registry r;

    (void)state;
    registry_init(&r);
    add_ip(&r, "192.0.2.128/25");
    add_ip(&r, "192.0.2.0/24");
    add_ip(&r, "192.0.2.7");
    add_subnet(&r, &subnet_a, "/first");
    add_subnet(&r, &subnet_a, "/second");
    expect(&r, at(ORIGIN_PUBLIC, "192.0.2.7"), true, GATE_IP_RULE, "192.0.2.0/24");
    expect(&r, at(ORIGIN_PUBLIC, "192.0.2.200"), true, GATE_IP_RULE, "192.0.2.128/25");
    expect(&r, in_subnet(&subnet_a), true, GATE_VIRTUAL_NETWORK_RULE, "/first");
}

static void ip_rules_end_exactly_at_their_last_address(void **state)
{
    struct registry r;

    (void)state;
    registry_init(&r);
    add_ip(&r, "192.0.2.16/28");
    add_ip(&r, "255.255.255.255");
    add_ip(&r, "2001:db8::/127");
    expect(&r, at(ORIGIN_PUBLIC, "192.0.2.15"), false, GATE_DEFAULT_ACTION, NULL);
    expect(&r, at(ORIGIN_PUBLIC, "192.0.2.16"), true, GATE_IP_RULE, "192.0.2.16/28");
    expect(&r, at(ORIGIN_PUBLIC, "192.0.2.31"), true, GATE_IP_RULE, "192.0.2.16/28");
    expect(&r, at(ORIGIN_PUBLIC, "192.0.2.32"), false, GATE_DEFAULT_ACTION, NULL);
    expect(&r, at(ORIGIN_PUBLIC, "255.255.255.255"), true, GATE_IP_RULE, "255.255.255.255");
    expect(&r, at(ORIGIN_PUBLIC, "255.255.255.254"), false, GATE_DEFAULT_ACTION, NULL);
    expect(&r, at(ORIGIN_PUBLIC, "2001:db8::1"), true, GATE_IP_RULE, "2001:db8::/127");
    expect(&r, at(ORIGIN_PUBLIC, "2001:db8::2"), false, GATE_DEFAULT_ACTION, NULL);
    expect(&r, at(ORIGIN_PUBLIC, "::"), false, GATE_DEFAULT_ACTION, NULL);
}

static void every_address_of_one_family_is_not_an_address_of_the_other(void **state)
{
    struct registry r;

    (void)state;
    registry_init(&r);
    add_ip(&r, "0.0.0.0/0");
    expect(&r, at(ORIGIN_PUBLIC, "255.255.255.255"), true, GATE_IP_RULE, "0.0.0.0/0");
    expect(&r, at(ORIGIN_PUBLIC, "::ffff:1.2.3.4"), true, GATE_IP_RULE, "0.0.0.0/0");
    expect(&r, at(ORIGIN_PUBLIC, "2001:db8::1"), false, GATE_DEFAULT_ACTION, NULL);
    add_ip(&r, "::/0");
    expect(&r, at(ORIGIN_PUBLIC, "2001:db8::1"), true, GATE_IP_RULE, "::/0");
}

static void an_unidentified_origin_meets_only_the_default_action(void **state)
{
    struct registry r;

    (void)state;
    registry_init(&r);
    add_ip(&r, "0.0.0.0/0");
    add_subnet(&r, &subnet_a, "/a");
    expect(&r, at(ORIGIN_UNIDENTIFIED, "10.0.0.4"), false, GATE_DEFAULT_ACTION, NULL);
    r.set.default_allow = true;
    expect(&r, at(ORIGIN_UNIDENTIFIED, "10.0.0.4"), true, GATE_DEFAULT_ACTION, NULL);
}

static void report_only_lets_pass_and_says_why(void **state)
{
    struct registry r;
    struct gate *g = NULL;
    struct origin o = at(ORIGIN_PUBLIC, "192.0.2.1");

    (void)state;
    registry_init(&r);
    r.set.report_only = true;
    assert_int_equal(gate_compile(&r.set, &g, NULL), RC_OK);
    struct gate_decision d = gate_decide(g, &o);

    assert_true(d.allow);
    assert_true(d.report_only);
    assert_int_equal(d.reason, GATE_DEFAULT_ACTION);
    gate_free(g);
}

static void a_rule_without_an_address_is_refused(void **state)
{
    struct registry r;
    struct gate *g = NULL;

    (void)state;
    registry_init(&r);
    r.set.n_ip_rules = 1;
    assert_int_equal(gate_compile(&r.set, &g, NULL), RC_INVALID);
    assert_null(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_approved_private_endpoint_comes_in_before_anything_else),
        cmocka_unit_test(another_private_endpoint_stays_out_whatever_else_would_open),
        cmocka_unit_test(a_trusted_service_passes_disabled_public_access),
        cmocka_unit_test(virtual_network_rules_end_the_bypass_even_when_their_subnet_is_gone),
        cmocka_unit_test(disabled_public_access_shuts_subnets_and_addresses_out),
        cmocka_unit_test(a_subnet_comes_in_by_its_own_rule_only),
        cmocka_unit_test(a_rule_whose_subnet_is_gone_matches_nothing),
        cmocka_unit_test(the_first_of_several_rules_is_the_one_that_is_named),
        cmocka_unit_test(ip_rules_end_exactly_at_their_last_address),
        cmocka_unit_test(every_address_of_one_family_is_not_an_address_of_the_other),
        cmocka_unit_test(an_unidentified_origin_meets_only_the_default_action),
        cmocka_unit_test(report_only_lets_pass_and_says_why),
        cmocka_unit_test(a_rule_without_an_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
