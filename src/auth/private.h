/* Between auth's own files. */
#ifndef AUTH_PRIVATE_H
#define AUTH_PRIVATE_H

#include "auth/auth.h"
#include "json/json.h"

/* The i-th action of repositories, or NULL past the last. */
const char *auth_action_name(size_t i, unsigned *ret_action);
unsigned auth_actions_parse(struct str type, struct str name, struct str actions);
NODISCARD enum rc auth_scopes_add(struct auth_scopes *scopes, const struct auth_scope *s, struct err *e);

/* Claims of tokens (RFC 7519): what both kinds of token share. */
NODISCARD enum rc auth_claims_parse(struct str claims, int64_t now_us, struct json **ret,
                                    struct err *e); /* RC_UNAUTHENTICATED: malformed, expired, not yet */
NODISCARD enum rc auth_claim_uuid(const struct json *claims, const char *name, struct uuid *ret, struct err *e);
NODISCARD enum rc auth_claim_text(const struct json *claims, const char *name, struct arena *a, struct str *ret,
                                  struct err *e);
int64_t auth_claim_time(const struct json *claims, const char *name); /* microseconds */
void auth_claims_add_times(struct buf *b, int64_t issued_us, int64_t expires_us);
void auth_claims_add_uuid(struct buf *b, const char *name, const struct uuid *u);

#endif
