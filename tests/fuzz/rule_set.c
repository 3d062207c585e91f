/* Property: stored properties are refused, or become a gate that answers every origin, and a rule
 * that it names holds it. */
#include "gate/gate.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_origin(const struct gate *g, const struct gate_rule_set *set,
                       const struct origin *o)
{
    struct gate_decision d = gate_decide(g, o);

    if (d.reason == GATE_IP_RULE) {
        assert(d.rule >= 0 && (size_t)d.rule < set->n_ip_rules);
        assert(cidr_contains(&set->ip_rules[d.rule].cidr, &o->ip));
        assert(str_eq(gate_rule_text(g, &d), set->ip_rules[d.rule].text));
    } else if (d.reason == GATE_VIRTUAL_NETWORK_RULE) {
        assert(uuid_eq(&set->subnet_rules[d.rule].subnet, &o->subnet));
        assert(str_eq(gate_rule_text(g, &d), set->subnet_rules[d.rule].id));
    } else {
        assert(d.rule == -1 && !gate_rule_text(g, &d).ptr);
    }
}

static void try_set(const struct gate_rule_set *set)
{
    CLEANUP(gate_freep) struct gate *g = NULL;
    struct origin o = {.kind = ORIGIN_PUBLIC, .ip = {.family = 4}};

    if (gate_compile(set, &g, NULL) != RC_OK)
        return;
    try_origin(g, set, &o);
    for (size_t i = 0; i < set->n_ip_rules; i++) {
        o.ip = set->ip_rules[i].cidr.addr;
        try_origin(g, set, &o);
        assert(!set->public_access || gate_decide(g, &o).allow);
    }
    o.kind = ORIGIN_SUBNET;
    for (size_t i = 0; i < set->n_subnet_rules; i++) {
        o.subnet = set->subnet_rules[i].subnet;
        try_origin(g, set, &o);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) struct json *j = NULL;
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 22);
    struct gate_rule_set set;

    if (json_parse((struct str){(const char *)data, size}, NULL, &j, NULL) != RC_OK)
        return 0;
    if (gate_rule_set_read(j, &a, &set, NULL) == RC_OK)
        try_set(&set);
    return 0;
}
