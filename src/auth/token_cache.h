/* Registry access tokens whose signature was verified lately: a client sends the same token with every request. Only what
 * cannot change is remembered (signature, claims); times are checked every time, the credential's generation by the caller.
 * A key that was replaced has another id: nothing that the old one signed is found. Any thread; memory is bounded. */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include "auth/auth.h"

struct auth_token_cache;
struct auth_token_cache *auth_token_cache_new(void);
void auth_token_cache_free(struct auth_token_cache *c);
/* As auth_token_verify. */
NODISCARD enum rc auth_token_cache_verify(struct auth_token_cache *c, struct jws_key *key,
                                          const struct auth_token_wanted *wanted, struct str token, struct arena *a,
                                          struct auth_token *ret, struct err *e);

#endif
