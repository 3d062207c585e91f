/* A registry's network rules as clients send them → as they are stored: {defaultAction, virtualNetworkRules:[{action, id, uuid}],
 * ipRules:[{action, value}]}. Pure but for the look-up of subnets, which the caller gives. */
#ifndef ARM_REGISTRY_RULES_H
#define ARM_REGISTRY_RULES_H

#include "arm/id.h"
#include "base/uuid.h"
#include "json/json.h"

enum { REGISTRY_IP_RULES_MAX = 200, REGISTRY_SUBNET_RULES_MAX = 100 };

struct registry_subnet {
    struct uuid uuid;
    bool has_endpoint; /* Microsoft.ContainerRegistry */
};
struct registry_subnets { /* RC_NOT_FOUND: no such subnet */
    enum rc (*find)(void *ctx, const struct arm_id *subnet, struct registry_subnet *ret, struct err *e);
    void *ctx;
};

/* Merges `sent` (a networkRuleSet, or NULL: nothing was sent) into `stored`, the same member of the stored properties (NULL:
 * none yet). Members that are absent stay; arrays that are present replace. A subnet that is in the set already keeps its
 * uuid and is not validated again. *ret is owned by the caller; NULL when there is neither. */
NODISCARD enum rc registry_rules_merge(const struct json *sent, const struct json *stored, const struct registry_subnets *subnets,
                                       struct arena *a, struct json **ret, struct err *e);
/* One rule ({"value"} or {"id"} or {"virtualNetworkSubnetResourceId"}) more or less in `set`. No change is no error. */
NODISCARD enum rc registry_rules_add(struct json *set, const struct json *rule, const struct registry_subnets *subnets,
                                     struct arena *a, struct err *e);
NODISCARD enum rc registry_rules_remove(struct json *set, const struct json *rule, struct err *e);
struct json *registry_rules_empty(void); /* default action Allow */
/* Does the set keep anybody out, or hold a rule? */
bool registry_rules_trivial(const struct json *set);

#endif
