/* What the files of virtual networks and their subnets share. A subnet is part of its network's stored body
 * (properties.subnets[]: name, uuid, properties, usedBy). */
#ifndef ARM_VNET_H
#define ARM_VNET_H

#include "arm/network.h"

enum { SUBNET_PREFIXES_MAX = 16, VNET_SUBNETS_MAX = 3000 };
extern const struct arm_child subnet_type; /* subnet.c */
/* Every subnet inside the network's address space, none overlapping another. */
NODISCARD enum rc vnet_space_check(struct str vnet, const struct json *properties, struct err *e);
/* Nobody may be using a subnet that goes: `after` is what is left, NULL: nothing. */
NODISCARD enum rc subnets_unused(const struct json *before, const struct json *after, struct err *e);
/* The security groups that the subnets in `subnets` use; `sent`: network_uses_bind has to look them up. */
NODISCARD enum rc subnets_uses(struct arm_write *w, struct str vnet, const struct json *subnets, bool sent,
                               struct network_use **list, struct err *e);
/* The name of a service that has service endpoints, in ARM's spelling; NULL. */
const char *network_service_known(struct str name);

enum http_verdict arm_subnet_get(struct http_request *req);
enum http_verdict arm_subnet_list(struct http_request *req);
enum http_verdict arm_subnet_put(struct http_request *req);
enum http_verdict arm_subnet_delete(struct http_request *req);

#endif
