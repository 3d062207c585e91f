/* What the types of Microsoft.Network share: names, prefixes, and who uses what. A network interface uses subnets, public IP
 * addresses and a security group, a subnet uses a security group; what is used lists its users in its stored body, so that it
 * can show them and refuse to go while it has any. */
#ifndef ARM_NETWORK_H
#define ARM_NETWORK_H

#include "arm/child.h"
#include "arm/id.h"
#include "base/ip.h"

enum { NETWORK_NAME_MAX = 80, NETWORK_RULES_MAX = 1000 /* of one security group */ };
NODISCARD enum rc network_name_check(struct str name, size_t max, struct err *e);
NODISCARD enum rc network_name_plain(struct str name, struct err *e); /* arm_type.check_name: at most NETWORK_NAME_MAX */
/* An address prefix, as typed; host bits are refused. */
NODISCARD enum rc network_prefix_parse(struct str text, struct cidr *ret, struct err *e);
/* Members that mean something in ARM and nothing here: refused unless they are absent, null, empty or false. */
NODISCARD enum rc network_members_refuse(const struct json *sent, const char *const *members, struct err *e);
/* One of a few values ("A|B"), stored in the spelling of the list; not given: `otherwise`, or nothing where that is NULL. */
NODISCARD enum rc network_choice_set(const struct json *sent, const char *member, const char *values, const char *otherwise,
                                     struct json *out, struct err *e);
NODISCARD enum rc network_bool_set(const struct json *sent, const char *member, struct json *out, struct err *e); /* else false */
/* name, id, etag, location and tags of a resource; the caller adds the rest. */
struct json *network_head(const struct meta_resource *r, const struct json *body);
/* Location, tags and an object `properties`, of which the sent ones are *ret_sent. */
NODISCARD enum rc network_put_begin(const struct json *sent, struct json *body, const struct json **ret_sent,
                                    struct json **ret_properties, struct err *e);

/* arm_type.style: PUT and DELETE are operations. */
struct arm_style network_style(const struct arm_call *c, enum arm_verb verb, const struct json *before, const struct json *after);

/* --- network_use.c --- */
struct network_target { /* a resource, or a subnet inside of one */
    struct meta_resource r;
    struct json *body;   /* r's, owned */
    struct json *holder; /* in body: what the id names */
    struct str id;       /* as it is stored */
};
/* `source` uses what `id` names: LinkedAuthorizationFailed where the caller may not join it, InvalidResourceReference where it is not there or not of that type. */
NODISCARD enum rc network_target_open(struct arm_write *w, struct str id, const char *type, struct str source,
                                      struct network_target *ret, struct err *e);
void network_target_done(struct network_target *t);

struct network_use {
    struct network_use *next;
    struct str target, user;
    struct str address; /* that the user has in a subnet; STR_NONE */
    struct json *named; /* {"id"}, the target as it was sent; NULL: it is in the stored spelling */
};
void network_user_add(struct json *holder, const struct network_use *use); /* at the end of network_users */
/* In the write's arena. */
NODISCARD enum rc network_use_add(struct arm_write *w, struct network_use **list, struct network_use use, struct err *e);
/* Looks up what was sent, each target once: it has to be there (network_target_open), and its id gets the stored spelling. */
NODISCARD enum rc network_uses_bind(struct arm_write *w, struct network_use *list, const char *type, struct err *e);
/* What is in `before` and no more in `after` goes from the targets' lists; what is new comes into them. Each target is written
 * once. */
NODISCARD enum rc network_uses_change(struct arm_write *w, const struct network_use *before, const struct network_use *after,
                                      struct err *e);
/* A list of application security groups, as [{"id"}]: stored as it was sent, each once; network_uses_bind looks them up. */
NODISCARD enum rc network_asgs_set(const struct json *sent, const char *member, struct json *out, struct err *e);
NODISCARD enum rc network_asgs_uses(struct arm_write *w, const struct json *groups, struct str user, bool sent,
                                    struct network_use **list, struct err *e);
const struct json *network_users(const struct json *holder); /* [{"id", "address"?}]; NULL: none */
/* The users of a type ("networkInterfaces/"; NULL: all) as [{"id"}]; NULL when there are none. */
struct json *network_users_render(const struct json *holder, const char *type);

/* --- network_address.c --- */
/* May an interface have this address in this subnet (of a network's stored body)? */
enum network_address_state { NETWORK_ADDRESS_FREE, NETWORK_ADDRESS_USED, NETWORK_ADDRESS_RESERVED, NETWORK_ADDRESS_OUTSIDE };
enum network_address_state network_address_state(const struct json *subnet, const struct ip_addr *a, struct str *ret_user);
/* The next free one after *a (unset: the first) of that family. RC_NOT_FOUND: there is none. */
NODISCARD enum rc network_address_next(const struct json *subnet, unsigned family, struct ip_addr *a);

extern const struct arm_child nsg_rule_type; /* nsg.c */

enum http_verdict arm_vnet_check_address(struct http_request *req);
enum http_verdict arm_endpoint_services(struct http_request *req);
enum http_verdict arm_network_usages(struct http_request *req);
enum http_verdict arm_security_rule_get(struct http_request *req);
enum http_verdict arm_security_rule_list(struct http_request *req);
enum http_verdict arm_security_rule_put(struct http_request *req);
enum http_verdict arm_security_rule_delete(struct http_request *req);
enum http_verdict arm_default_rule_get(struct http_request *req);
enum http_verdict arm_default_rule_list(struct http_request *req);

#endif
