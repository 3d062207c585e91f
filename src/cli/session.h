/* One conversation with the control plane, as the administrator whose credentials are in admin.json.
 * Every request gets a token first, once. TLS trusts the authority that admin.json carries, or the machine's. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "base/arena.h"
#include "cli/args.h"
#include "httpc/httpc.h"
#include "json/json.h"

struct cli_session {
    const struct cli_args *args;
    struct arena arena;
    struct httpc *http;
    struct json *admin; /* admin.json */
    struct str control, ca, token;
    struct str subscription; /* that of --subscription, or the chosen one, or the first */
};

/* RC_NOT_FOUND: no admin.json where it was looked for. */
NODISCARD enum rc cli_session_open(const struct cli_args *args, struct cli_session *ret,
                                   struct err *e);
void cli_session_done(struct cli_session *s);

/* A resource's path; every one begins with the subscription. */
struct str cli_group_path(struct cli_session *s, const char *group);
/* provider: "Microsoft.Network/virtualNetworks". */
struct str cli_path(struct cli_session *s, const char *group, const char *provider,
                    const char *name);
struct str cli_child(struct cli_session *s, struct str parent, const char *type, const char *name);

/* One request. `body` may be NULL; *ret is owned by the caller, NULL where the answer had no body.
 * A refusal (status 400 and above) is an error with the server's own code and message. A write that goes on after its answer
 * is waited for, unless --no-wait is given. */
NODISCARD enum rc cli_request(struct cli_session *s, const char *method, struct str path,
                              const struct json *body, struct json **ret, struct err *e);
/* A token of the identity endpoint for another audience than the control plane. */
NODISCARD enum rc cli_token(struct cli_session *s, const char *resource, struct str *ret,
                            struct err *e);

/* Any other request: GET, or POST of a form (NULL: GET). The whole answer, whatever its status. */
NODISCARD enum rc cli_fetch(struct cli_session *s, const char *url, const char *form,
                            unsigned *ret_status, struct buf *ret_body, struct err *e);
struct str cli_escape(struct cli_session *s, struct str value); /* for forms and paths */

#endif
