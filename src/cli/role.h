/* What other commands do with roles. A scope is a resource id, or "" for the server. */
#ifndef CLI_ROLE_H
#define CLI_ROLE_H

#include "cli/command.h"

/* The id of a role definition: of a name, a GUID, or an id. RC_NOT_FOUND. */
NODISCARD enum rc cli_role_find(struct cli_session *s, struct str scope, const char *role, struct str *ret, struct err *e);
NODISCARD enum rc cli_role_assign(struct cli_session *s, struct str scope, const char *role, struct str principal,
                                  struct json **ret, struct err *e);

#endif
