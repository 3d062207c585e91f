/* What the files of virtual networks and their subnets share. A subnet is part of its network's stored body
 * (properties.subnets[]: name, uuid, properties). */
#ifndef ARM_VNET_H
#define ARM_VNET_H

#include "arm/resource.h"

/* subnet.c */
enum { SUBNET_PREFIXES_MAX = 16 };
/* The subnet of that name in a list of subnets; NULL. */
struct json *subnet_find(const struct json *list, struct str name);
/* From what a client sent (replaced as a whole); `before` is the subnet of that name as it was, or NULL: it keeps its uuid. */
NODISCARD enum rc subnet_make(struct str name, const struct json *sent, const struct json *before, struct json **ret, struct err *e);
struct json *subnet_render(const struct meta_resource *vnet, const struct json *subnet);
/* Every subnet inside the network's address space, none overlapping another. */
NODISCARD enum rc vnet_space_check(struct str vnet, const struct json *properties, struct err *e);
/* A name of Microsoft.Network: letters, digits, '_', '.', '-'. */
NODISCARD enum rc network_name_check(struct str name, size_t max, struct err *e);
/* An address prefix, as typed; host bits are refused. */
NODISCARD enum rc network_prefix_parse(struct str text, struct cidr *ret, struct err *e);
/* Members that mean something in ARM and nothing here: refused unless they are absent, null, empty or false. */
NODISCARD enum rc network_members_refuse(const struct json *sent, const char *const *members, struct err *e);

enum http_verdict arm_subnet_get(struct http_request *req);
enum http_verdict arm_subnet_list(struct http_request *req);
enum http_verdict arm_subnet_put(struct http_request *req);
enum http_verdict arm_subnet_delete(struct http_request *req);

#endif
