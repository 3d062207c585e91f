/* Signed tokens: JWS compact serialisation (RFC 7515), keys as JWK (RFC 7517). The only user of
 * cjose. Threads: keys are immutable and may be shared. */
#ifndef CRYPTO_JWS_H
#define CRYPTO_JWS_H

#include "base/buf.h"
#include "crypto/seal.h"

enum { JWS_TOKEN_MAX = 8192 };
enum jws_algorithm { JWS_HS256, JWS_ES256 };
struct jws_key; /* with its key id: the RFC 7638 thumbprint, unless a JWK names another */

NODISCARD enum rc jws_key_hmac(const struct crypto_key *k, struct jws_key **ret, struct err *e);
NODISCARD enum rc jws_key_generate_es256(struct jws_key **ret, struct err *e);
/* EC P-256 with its private part, from which the public one is derived; RC_INVALID for anything
 * else. */
NODISCARD enum rc jws_key_from_jwk(struct str jwk, struct jws_key **ret, struct err *e);
/* RC_UNSUPPORTED for a symmetric key without its private part. */
NODISCARD enum rc jws_key_to_jwk(const struct jws_key *k, bool with_private, struct buf *out,
                                 struct err *e);
const char *jws_key_id(const struct jws_key *k);
void jws_key_free(struct jws_key *k);
CLEANUP_POINTER(struct jws_key, jws_key_free)

/* Signs `claims` (JSON text) under header {"alg":...,"typ":typ,"kid":...}; appends the token. */
NODISCARD enum rc jws_sign(const struct jws_key *k, enum jws_algorithm alg, const char *typ,
                           struct str claims, struct buf *out, struct err *e);
/* Verifies a token against the key whose id it names among `keys`. The header's `alg` must be
 * `alg` and its `typ` must be `typ`; `crit`, unknown keys, tokens over JWS_TOKEN_MAX are refused.
 * Appends the claims (JSON text) to `ret_claims`. RC_UNAUTHENTICATED whatever is wrong. Times and
 * audience are the caller's to check. */
NODISCARD enum rc jws_verify(struct jws_key *const *keys, size_t n, enum jws_algorithm alg,
                             const char *typ, struct str token, struct buf *ret_claims,
                             struct err *e);

#endif
