/* The gate: (registry's rules, origin) → allow or deny, with a reason. Pure: no I/O, no lock, no allocation to decide.
 * DESIGN "The decision": first row that matches. Compiled once per change, immutable afterwards, shared by all threads. */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "base/ip.h"
#include "base/uuid.h"
#include "json/json.h"

enum origin_kind { ORIGIN_UNIDENTIFIED, ORIGIN_PUBLIC, ORIGIN_SUBNET, ORIGIN_PRIVATE_ENDPOINT };
struct origin { /* what evidence means under one snapshot */
    enum origin_kind kind;
    struct ip_addr ip;            /* what the client is told; for public also what IP rules see */
    struct uuid subnet;           /* ORIGIN_SUBNET */
    struct uuid private_endpoint; /* ORIGIN_PRIVATE_ENDPOINT */
    struct uuid attachment;       /* nil when none was involved */
    bool trusted_service;         /* its attachment is marked so */
};
const char *origin_kind_name(enum origin_kind k); /* "public", "subnet", "private-endpoint", "unidentified" */

enum gate_reason {
    GATE_PRIVATE_ENDPOINT,
    GATE_PRIVATE_ENDPOINT_NOT_APPROVED,
    GATE_TRUSTED_SERVICE,
    GATE_PUBLIC_NETWORK_ACCESS_DISABLED,
    GATE_VIRTUAL_NETWORK_RULE,
    GATE_IP_RULE,
    GATE_DEFAULT_ACTION,
    GATE_REASON_COUNT,
};
const char *gate_reason_name(enum gate_reason r); /* "virtual-network-rule" ... */

/* --- rule sets: plain data, as compiled from --- */
struct gate_ip_rule {
    struct cidr cidr;
    struct str text; /* as typed */
};
struct gate_subnet_rule {
    struct uuid subnet; /* bound uuid; nil matches nothing (its subnet is gone) */
    struct str id;      /* as typed */
};
struct gate_rule_set {
    bool default_allow, public_access, bypass_trusted_services, report_only;
    struct gate_ip_rule *ip_rules;
    size_t n_ip_rules;
    struct gate_subnet_rule *subnet_rules;
    size_t n_subnet_rules;
    struct uuid *approved_endpoints; /* private endpoints with an Approved connection */
    size_t n_approved_endpoints;
};
/* From a registry's stored `properties`: networkRuleSet {defaultAction, enforcement, ipRules[].value, virtualNetworkRules[].id
 * and the private member `uuid` (absent: nil)}; publicNetworkAccess; networkRuleBypassOptions; privateEndpointConnections[]
 * .properties {privateEndpoint.uuid, privateLinkServiceConnectionState.status}. Absent networkRuleSet: allow; one without
 * defaultAction and anything else malformed is RC_INVALID: the gate fails closed. Texts are borrowed from `properties`, arrays
 * are the arena's. */
NODISCARD enum rc gate_rule_set_read(const struct json *properties, struct arena *a, struct gate_rule_set *ret,
                                     struct err *e);

/* --- compiled --- */
struct gate;
struct gate_decision {
    bool allow;
    bool report_only; /* allow is true only because the rule set is in report-only mode; the last row only, for a rule set
                         has no say in those above it */
    enum gate_reason reason;
    int rule; /* index into ip_rules or subnet_rules as given; -1 none */
};
NODISCARD enum rc gate_compile(const struct gate_rule_set *rules, struct gate **ret, struct err *e);
void gate_free(struct gate *g);
CLEANUP_POINTER(struct gate, gate_free)
struct gate_decision gate_decide(const struct gate *g, const struct origin *o); /* <= 100 ns with 100 + 200 rules */
struct str gate_rule_text(const struct gate *g, const struct gate_decision *d); /* the rule as typed; STR_NONE */
bool gate_default_allows(const struct gate *g);

#endif
