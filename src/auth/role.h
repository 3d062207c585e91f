/* Roles: what the built-in ones allow, in ARM's action names, and how far an assignment reaches. Pure.
 * Not its business: who has which (the snapshot), what is asked of a request (admit/). Everything compares without case. */
#ifndef AUTH_ROLE_H
#define AUTH_ROLE_H

#include "base/str.h"

struct auth_role {
    const char *id, *name, *description; /* id: a GUID's text */
    const char *const *actions, *const *not_actions; /* end with NULL; none of these roles has dataActions */
};
extern const struct auth_role auth_roles[];
extern const size_t auth_roles_count;
const struct auth_role *auth_role_by_id(struct str guid);   /* NULL */
const struct auth_role *auth_role_by_name(struct str name); /* NULL */

/* Is `action` one of those that `pattern` means? '*' stands for any characters, also '/' and none. */
bool auth_action_matches(struct str pattern, struct str action);
/* One of its actions, and none of its notActions. */
bool auth_role_allows(const struct auth_role *r, struct str action);
/* What it gives on a registry's data plane: enum auth_action. */
unsigned auth_role_registry_actions(const struct auth_role *r);

/* Does what is assigned at `scope` ("/" or a resource id) hold for `id`: the same one, or inside of it? */
bool auth_scope_covers(struct str scope, struct str id);
/* The resource id that the path of a control-plane request is about, a part of `path` ("/": the server): what stands behind
 * it is an action or the name of a list. `path` has single slashes. */
struct auth_path {
    struct str scope;
    bool list; /* of what is in a subscription or a group: those who may see some of it are answered with that */
};
struct auth_path auth_path_read(struct str path);
/* Reading what whoever has any role in a subscription has to see: the subscription itself, its locations and providers; and
 * the list of its resources, which leaves out what the caller may not see. */
bool auth_action_is_common(struct str action);

#endif
