/* A million random (registry, origin) pairs: the compiled gate and a second, naive reading of the
 * table agree. */
#include "test.h"

#include "gate/gate.h"
#include <stdlib.h>

enum { PAIRS = 1000000, ORIGINS = 40, IP_MAX = 200, SUBNET_MAX = 100, ENDPOINT_MAX = 4 };

struct case_set {
    struct gate_rule_set set;
    struct gate_ip_rule ip[IP_MAX];
    struct gate_subnet_rule subnets[SUBNET_MAX];
    struct uuid endpoints[ENDPOINT_MAX];
};

static uint64_t random_state;

static uint64_t random_next(void) /* splitmix64 */
{
    uint64_t z = (random_state += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
    return (unsigned)(random_next() % n);
}

/* --- the naive reading --- */

static bool bit_of(const struct ip_addr *a, unsigned i)
{
    return a->bytes[i / 8] >> (7 - i % 8) & 1;
}

static bool holds(const struct cidr *c, const struct ip_addr *a)
{
    if (c->addr.family != a->family)
        return false;
    for (unsigned i = 0; i < c->prefix; i++)
        if (bit_of(&c->addr, i) != bit_of(a, i))
            return false;
    return true;
}

static int first_ip_rule(const struct gate_rule_set *s, const struct ip_addr *a)
{
    for (size_t i = 0; i < s->n_ip_rules; i++)
        if (holds(&s->ip_rules[i].cidr, a))
            return (int)i;
    return -1;
}

static int first_subnet_rule(const struct gate_rule_set *s, const struct uuid *subnet)
{
    for (size_t i = 0; i < s->n_subnet_rules; i++)
        if (memcmp(&s->subnet_rules[i].subnet, subnet, 16) == 0 && !uuid_is_nil(subnet))
            return (int)i;
    return -1;
}

static bool approved(const struct gate_rule_set *s, const struct uuid *endpoint)
{
    for (size_t i = 0; i < s->n_approved_endpoints; i++)
        if (uuid_eq(&s->approved_endpoints[i], endpoint) && !uuid_is_nil(endpoint))
            return true;
    return false;
}

static struct gate_decision naive(const struct gate_rule_set *s, const struct origin *o)
{
    struct gate_decision allow = {.allow = true, .rule = -1}, deny = {.rule = -1};
    int ip = first_ip_rule(s, &o->ip), subnet = first_subnet_rule(s, &o->subnet);

    if (o->kind == ORIGIN_PRIVATE_ENDPOINT && approved(s, &o->private_endpoint))
        return allow.reason = GATE_PRIVATE_ENDPOINT, allow; /* row 1 */
    if (o->kind == ORIGIN_PRIVATE_ENDPOINT)
        return deny.reason = GATE_PRIVATE_ENDPOINT_NOT_APPROVED, deny; /* row 2 */
    if (s->bypass_trusted_services && s->n_subnet_rules == 0 && o->trusted_service)
        return allow.reason = GATE_TRUSTED_SERVICE, allow; /* row 3 */
    if (!s->public_access)
        return deny.reason = GATE_PUBLIC_NETWORK_ACCESS_DISABLED, deny; /* row 4 */
    allow.rule = o->kind == ORIGIN_SUBNET ? subnet : o->kind == ORIGIN_PUBLIC ? ip : -1;
    if (o->kind == ORIGIN_SUBNET && subnet >= 0)
        return allow.reason = GATE_VIRTUAL_NETWORK_RULE, allow; /* row 5 */
    if (o->kind == ORIGIN_PUBLIC && ip >= 0)
        return allow.reason = GATE_IP_RULE, allow; /* row 6 */
    allow.reason = deny.reason = GATE_DEFAULT_ACTION;
    allow.report_only = !s->default_allow;
    return s->default_allow || s->report_only ? allow : deny; /* rows 7 and 8 */
}

/* --- random cases, in a small world so that things meet --- */

static struct uuid random_uuid(unsigned kinds)
{
    struct uuid u = {{0}};
    unsigned n = below(kinds); /* 0: nil */

    u.bytes[15] = (uint8_t)n;
    u.bytes[3] = (uint8_t)(n * 7);
    return u;
}

/* The bits after `keep` become all `bit`s. */
static void fill_after(struct ip_addr *a, unsigned keep, bool bit)
{
    for (unsigned i = keep; i < (a->family == 4 ? 32U : 128U); i++) {
        uint8_t m = (uint8_t)(1U << (7 - i % 8));

        a->bytes[i / 8] = (uint8_t)(bit ? a->bytes[i / 8] | m : a->bytes[i / 8] & ~m);
    }
}

/* One step up or down, over the end and round. */
static void step(struct ip_addr *a, bool up)
{
    for (int i = (a->family == 4 ? 4 : 16) - 1; i >= 0; i--) {
        a->bytes[i] = (uint8_t)(a->bytes[i] + (up ? 1 : 255));
        if (a->bytes[i] != (up ? 0 : 255))
            return;
    }
}

static struct ip_addr random_ip(void)
{
    struct ip_addr a = {.family = below(3) ? 4 : 6};
    unsigned n = a.family == 4 ? 4 : 16;
    unsigned shape = below(8);

    for (unsigned i = 0; i < n; i++)
        a.bytes[i] = shape == 0 ? 0 : shape == 1 ? 255 : shape == 2 ? (uint8_t)random_next() : 0;
    if (shape > 2) { /* a small neighbourhood */
        a.bytes[0] = a.family == 4 ? 10 : 0x20;
        a.bytes[n - 2] = (uint8_t)below(4);
        a.bytes[n - 1] = (uint8_t)below(256);
    }
    return a;
}

static struct cidr random_cidr(const struct gate_ip_rule *before, size_t n)
{
    struct cidr c = {.addr = random_ip()};
    unsigned width = c.addr.family == 4 ? 32 : 128;

    c.prefix = (uint8_t)(below(20) == 0 ? 0 : below(4) == 0 ? width : width - below(14));
    if (n > 0 && below(3) == 0) { /* the neighbour of one that is there, inside or around it */
        c = before[below((unsigned)n)].cidr;
        width = c.addr.family == 4 ? 32 : 128;
        fill_after(&c.addr, c.prefix, true);
        step(&c.addr, true);
        c.prefix = (uint8_t)(below(2) ? c.prefix : below(width + 1));
    }
    fill_after(&c.addr, c.prefix, false);
    return c;
}

static void random_set(struct case_set *c)
{
    *c = (struct case_set){.set = {.default_allow = below(3) == 0,
                                   .public_access = below(5) != 0,
                                   .bypass_trusted_services = below(2) == 0,
                                   .report_only = below(6) == 0}};
    bool many = below(50) == 0;

    c->set.ip_rules = c->ip;
    c->set.n_ip_rules = below(many ? IP_MAX + 1 : 9);
    for (size_t i = 0; i < c->set.n_ip_rules; i++)
        c->ip[i].cidr = random_cidr(c->ip, i);
    c->set.subnet_rules = c->subnets;
    c->set.n_subnet_rules = below(many ? SUBNET_MAX + 1 : 5);
    for (size_t i = 0; i < c->set.n_subnet_rules; i++)
        c->subnets[i].subnet = random_uuid(many ? 120 : 8);
    c->set.approved_endpoints = c->endpoints;
    c->set.n_approved_endpoints = below(ENDPOINT_MAX + 1);
    for (size_t i = 0; i < c->set.n_approved_endpoints; i++)
        c->endpoints[i] = random_uuid(6);
}

static struct origin random_origin(const struct case_set *c)
{
    struct origin o = {.kind = (enum origin_kind)below(4),
                       .ip = random_ip(),
                       .subnet = random_uuid(c->set.n_subnet_rules > 5 ? 120 : 8),
                       .private_endpoint = random_uuid(6),
                       .trusted_service = below(3) == 0};

    if (c->set.n_ip_rules > 0 && below(2)) { /* at the edge of a rule */
        const struct cidr *edge = &c->ip[below((unsigned)c->set.n_ip_rules)].cidr;
        bool last = below(2);

        o.ip = edge->addr;
        fill_after(&o.ip, edge->prefix, last);
        if (below(2))
            step(&o.ip, last);
    }
    return o;
}

static void fail_pair(const struct gate_decision *got, const struct gate_decision *want)
{
    fail_msg("gate: allow %d %s rule %d; table: allow %d %s rule %d", got->allow,
             gate_reason_name(got->reason), got->rule, want->allow, gate_reason_name(want->reason),
             want->rule);
}

static void the_compiled_gate_and_a_naive_reading_of_the_table_agree(void **state)
{
    static struct case_set c;
    unsigned seen[GATE_REASON_COUNT] = {0};

    (void)state;
    random_state = 20261123;
    for (unsigned n = 0; n < PAIRS; n += ORIGINS) {
        struct gate *g = NULL;

        random_set(&c);
        assert_int_equal(gate_compile(&c.set, &g, NULL), RC_OK);
        for (unsigned i = 0; i < ORIGINS; i++) {
            struct origin o = random_origin(&c);
            struct gate_decision got = gate_decide(g, &o), want = naive(&c.set, &o);

            if (got.allow != want.allow || got.reason != want.reason || got.rule != want.rule ||
                got.report_only != want.report_only)
                fail_pair(&got, &want);
            seen[got.reason]++;
        }
        gate_free(g);
    }
    for (unsigned r = 0; r < GATE_REASON_COUNT; r++)
        assert_true(seen[r] > PAIRS / 200); /* no row went untried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_compiled_gate_and_a_naive_reading_of_the_table_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
