#include "gate/gate.h"
#include "base/mem.h"
#include "gate/ranges.h"
#include "gate/uuid_index.h"

enum { RULES_MAX = 1 << 20 };

struct gate {
    bool default_allow, public_access, bypass_trusted_services, report_only;
    size_t n_ip_rules, n_subnet_rules;
    struct ranges ip;
    struct uuid_index subnets, endpoints;
    size_t *text_ends; /* of every rule's text in `texts`: IP rules, then subnet rules */
    char *texts;
};

const char *origin_kind_name(enum origin_kind k)
{
    switch (k) {
    case ORIGIN_PUBLIC:
        return "public";
    case ORIGIN_SUBNET:
        return "subnet";
    case ORIGIN_PRIVATE_ENDPOINT:
        return "private-endpoint";
    case ORIGIN_UNIDENTIFIED:
        break;
    }
    return "unidentified";
}

const char *gate_reason_name(enum gate_reason r)
{
    static const char *const names[GATE_REASON_COUNT] = {
        [GATE_PRIVATE_ENDPOINT] = "private-endpoint",
        [GATE_PRIVATE_ENDPOINT_NOT_APPROVED] = "private-endpoint-not-approved",
        [GATE_TRUSTED_SERVICE] = "trusted-service",
        [GATE_PUBLIC_NETWORK_ACCESS_DISABLED] = "public-network-access-disabled",
        [GATE_VIRTUAL_NETWORK_RULE] = "virtual-network-rule",
        [GATE_IP_RULE] = "ip-rule",
        [GATE_DEFAULT_ACTION] = "default-action",
    };

    return (unsigned)r < GATE_REASON_COUNT ? names[r] : "unknown";
}

/* --- compiling --- */

static enum rc rules_check(const struct gate_rule_set *rules, struct err *e)
{
    if (rules->n_ip_rules > RULES_MAX || rules->n_subnet_rules > RULES_MAX ||
        rules->n_approved_endpoints > RULES_MAX)
        return err_set(e, RC_INVALID, "more than %d network rules", RULES_MAX);
    for (size_t i = 0; i < rules->n_ip_rules; i++) {
        const struct cidr *c = &rules->ip_rules[i].cidr;
        unsigned longest = c->addr.family == 4 ? 32 : 128;

        if ((c->addr.family != 4 && c->addr.family != 6) || c->prefix > longest)
            return err_set(e, RC_INVALID, "IP rule %zu has no address", i);
    }
    return RC_OK;
}

static struct str rule_text_of(const struct gate_rule_set *rules, size_t i)
{
    return i < rules->n_ip_rules ? rules->ip_rules[i].text
                                 : rules->subnet_rules[i - rules->n_ip_rules].id;
}

static void texts_copy(struct gate *g, const struct gate_rule_set *rules)
{
    size_t n = rules->n_ip_rules + rules->n_subnet_rules, total = 0;

    g->text_ends = MEM_ARRAY(size_t, n);
    for (size_t i = 0; i < n; i++)
        g->text_ends[i] = total += rule_text_of(rules, i).len;
    g->texts = MEM_ARRAY(char, total);
    for (size_t i = 0; i < n; i++) {
        struct str s = rule_text_of(rules, i);

        if (s.len > 0)
            memcpy(g->texts + g->text_ends[i] - s.len, s.ptr, s.len);
    }
}

enum rc gate_compile(const struct gate_rule_set *rules, struct gate **ret, struct err *e)
{
    enum rc rc = rules_check(rules, e);

    if (rc != RC_OK)
        return rc;
    struct gate *g = MEM_NEW(struct gate);

    g->default_allow = rules->default_allow;
    g->public_access = rules->public_access;
    g->bypass_trusted_services = rules->bypass_trusted_services;
    g->report_only = rules->report_only;
    g->n_ip_rules = rules->n_ip_rules;
    g->n_subnet_rules = rules->n_subnet_rules;
    if (rules->n_ip_rules > 0)
        ranges_init(&g->ip, &rules->ip_rules[0].cidr, rules->n_ip_rules, sizeof(*rules->ip_rules));
    if (rules->n_subnet_rules > 0)
        uuid_index_init(&g->subnets, &rules->subnet_rules[0].subnet, rules->n_subnet_rules,
                        sizeof(*rules->subnet_rules));
    uuid_index_init(&g->endpoints, rules->approved_endpoints, rules->n_approved_endpoints,
                    sizeof(*rules->approved_endpoints));
    texts_copy(g, rules);
    *ret = g;
    return RC_OK;
}

void gate_free(struct gate *g)
{
    if (!g)
        return;
    ranges_done(&g->ip);
    uuid_index_done(&g->subnets);
    uuid_index_done(&g->endpoints);
    free(g->text_ends);
    free(g->texts);
    free(g);
}

/* --- deciding --- */

static struct gate_decision decided(bool allow, enum gate_reason reason, int rule)
{
    return (struct gate_decision){.allow = allow, .reason = reason, .rule = rule};
}

/* The last row. Report-only is a mode of the rule set: it opens this row and none of those above
 * it. */
static struct gate_decision decide_default(const struct gate *g)
{
    struct gate_decision d = decided(g->default_allow, GATE_DEFAULT_ACTION, -1);

    if (!d.allow && g->report_only)
        d.allow = d.report_only = true;
    return d;
}

struct gate_decision gate_decide(const struct gate *g, const struct origin *o)
{
    int rule = -1;

    if (o->kind == ORIGIN_PRIVATE_ENDPOINT) {
        bool approved = uuid_index_find(&g->endpoints, &o->private_endpoint) >= 0;

        return decided(approved,
                       approved ? GATE_PRIVATE_ENDPOINT : GATE_PRIVATE_ENDPOINT_NOT_APPROVED, -1);
    }
    if (g->bypass_trusted_services && g->n_subnet_rules == 0 && o->trusted_service)
        return decided(true, GATE_TRUSTED_SERVICE, -1);
    if (!g->public_access)
        return decided(false, GATE_PUBLIC_NETWORK_ACCESS_DISABLED, -1);
    if (o->kind == ORIGIN_SUBNET && (rule = uuid_index_find(&g->subnets, &o->subnet)) >= 0)
        return decided(true, GATE_VIRTUAL_NETWORK_RULE, rule);
    if (o->kind == ORIGIN_PUBLIC && (rule = ranges_find(&g->ip, &o->ip)) >= 0)
        return decided(true, GATE_IP_RULE, rule);
    return decide_default(g);
}

struct str gate_rule_text(const struct gate *g, const struct gate_decision *d)
{
    bool ip = d->reason == GATE_IP_RULE;
    size_t count = ip ? g->n_ip_rules : g->n_subnet_rules;

    if ((!ip && d->reason != GATE_VIRTUAL_NETWORK_RULE) || d->rule < 0 || (size_t)d->rule >= count)
        return STR_NONE;
    size_t i = (size_t)d->rule + (ip ? 0 : g->n_ip_rules);
    size_t start = i > 0 ? g->text_ends[i - 1] : 0;

    return (struct str){g->texts + start, g->text_ends[i] - start};
}

bool gate_default_allows(const struct gate *g)
{
    return g->default_allow;
}
