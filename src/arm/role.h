/* Role definitions and role assignments, at any scope: "/", a subscription, a group, a resource, a subnet. */
#ifndef ARM_ROLE_H
#define ARM_ROLE_H

#include "arm/call.h"
#include "arm/id.h"

#define ROLE_ASSIGNMENTS "Microsoft.Authorization/roleAssignments"
#define ROLE_DEFINITIONS "Microsoft.Authorization/roleDefinitions"

/* --- role_scope.c --- */
/* What the path names before "/providers/Microsoft.Authorization", as it is stored; "" is the server ("/"). Errors as ARM
 * has them for what is not there. */
NODISCARD enum rc role_scope_find(struct arm_call *c, struct meta_tx *tx, struct str *ret, struct err *e);
/* With that scope's subscription, where it has one. In the arena. */
struct str role_definition_id(struct arena *a, struct str scope, struct str guid);
/* What was assigned on `id` and on what is inside of it goes: another one of that name must not inherit it. */
NODISCARD enum rc arm_roles_forget(struct arm_write *w, struct str id, struct err *e);
/* The write names `id`: may its principal do `action` there? LinkedAuthorizationFailed, whether it exists or not. */
NODISCARD enum rc arm_linked_check(struct arm_write *w, const char *action, struct str id, struct err *e);

enum http_verdict arm_role_assignment_put(struct http_request *req);
enum http_verdict arm_role_assignment_get(struct http_request *req);
enum http_verdict arm_role_assignment_delete(struct http_request *req);
enum http_verdict arm_role_assignment_list(struct http_request *req);
enum http_verdict arm_role_definition_get(struct http_request *req);
enum http_verdict arm_role_definition_list(struct http_request *req);

#endif
