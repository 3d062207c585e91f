/* Hashing, MACs, random bytes, sealing, signed tokens, certificates. The only user of OpenSSL's libcrypto and of cjose
 * (TLS itself is in net/).
 * Threads: keys are immutable after loading and may be shared; a hash state belongs to one thread at a time. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/ip.h"

/* --- digests -------------------------------------------------------------------------------------------------- */
enum { HASH_STATE_MAX = 256 };
struct hash_state { /* plain data: may be copied with = (sha_state.c) */
    enum digest_algorithm algorithm;
    union {
        uint64_t align;
        uint8_t bytes[232];
    } u;
};
void hash_init(struct hash_state *h, enum digest_algorithm algorithm);
void hash_update(struct hash_state *h, const void *bytes, size_t n);
void hash_final(const struct hash_state *h, struct digest *ret); /* does not disturb h */
/* Stored form: algorithm, version, h, length, tail; explicitly little-endian. */
size_t hash_export(const struct hash_state *h, uint8_t out[HASH_STATE_MAX]);
NODISCARD enum rc hash_import(struct str stored, struct hash_state *ret, struct err *e); /* RC_INVALID */
void hash_bytes(enum digest_algorithm algorithm, struct str bytes, struct digest *ret);

/* --- secrets -------------------------------------------------------------------------------------------------- */
enum { CRYPTO_KEY_SIZE = 32 };
struct crypto_key {
    uint8_t bytes[CRYPTO_KEY_SIZE];
};
void crypto_random(void *out, size_t n); /* aborts when the system has none */
bool crypto_equal(struct str a, struct str b); /* constant time for equal lengths */
void crypto_wipe(void *p, size_t n);
/* A new secret of 256 bits as 43 characters of base64url. */
enum { CRYPTO_SECRET_TEXT_MAX = 44 };
struct str crypto_secret(char out[CRYPTO_SECRET_TEXT_MAX]);
/* How generated secrets are kept: SHA-256 of their text. */
struct digest crypto_secret_hash(struct str secret);
/* AES-256-GCM: version, nonce, ciphertext, tag. `bound` is authenticated with it (say, the row's key) and not stored. */
NODISCARD enum rc crypto_seal(const struct crypto_key *k, struct str bound, struct str plain, struct buf *out, struct err *e);
NODISCARD enum rc crypto_unseal(const struct crypto_key *k, struct str bound, struct str sealed, struct buf *out,
                                struct err *e); /* RC_CORRUPT */

/* --- signed tokens (JWS compact serialisation, RFC 7515; cjose) ------------------------------------------------- */
enum jws_algorithm { JWS_HS256, JWS_ES256 };
struct jws_key; /* with its key id */
NODISCARD enum rc jws_key_hmac(const struct crypto_key *k, struct jws_key **ret, struct err *e);
NODISCARD enum rc jws_key_generate_es256(struct jws_key **ret, struct err *e);      /* key id: RFC 7638 thumbprint */
NODISCARD enum rc jws_key_from_jwk(struct str jwk, struct jws_key **ret, struct err *e); /* with the private part */
NODISCARD enum rc jws_key_to_jwk(const struct jws_key *k, bool with_private, struct buf *out, struct err *e);
const char *jws_key_id(const struct jws_key *k);
void jws_key_free(struct jws_key *k);
CLEANUP_POINTER(struct jws_key, jws_key_free)
/* Signs `claims` (JSON text) under header {"alg":...,"typ":typ,"kid":...}. */
NODISCARD enum rc jws_sign(const struct jws_key *k, enum jws_algorithm alg, const char *typ, struct str claims,
                           struct buf *out, struct err *e);
/* Verifies a token against the key whose id it names among `keys`. The header's `alg` must be `alg` and its `typ` must be
 * `typ`; `crit`, unknown keys, tokens over 8 KiB are refused. Appends the claims (JSON text) to `ret_claims`.
 * RC_UNAUTHENTICATED whatever is wrong. Times and audience are the caller's to check. */
NODISCARD enum rc jws_verify(struct jws_key *const *keys, size_t n, enum jws_algorithm alg, const char *typ,
                             struct str token, struct buf *ret_claims, struct err *e);

/* --- certificates (X.509, RFC 5280), PEM texts; keys are ECDSA P-256 ------------------------------------------- */
struct cert_names {
    const char *const *dns; /* NULL-terminated; permitted subtrees for an authority, SAN entries for a leaf */
    const struct ip_addr *ips;
    size_t n_ips;
};
/* A certificate authority constrained (critical, RFC 5280 4.2.1.10) to `names`: a DNS name permits itself and what is below
 * it; addresses permit exactly themselves, except 127.0.0.1, which permits 127.0.0.0/8. */
NODISCARD enum rc cert_authority_new(const char *common_name, const struct cert_names *names, int days, struct buf *ret_cert,
                                     struct buf *ret_key, struct err *e);
NODISCARD enum rc cert_leaf_new(struct str authority_cert, struct str authority_key, const char *common_name,
                                const struct cert_names *names, int days, struct buf *ret_cert, struct buf *ret_key,
                                struct err *e);
NODISCARD enum rc cert_not_after(struct str cert, int64_t *ret_wall_us, struct err *e);
NODISCARD enum rc cert_has_dns(struct str cert, const char *name, bool *ret, struct err *e); /* exact SAN text */

#endif
