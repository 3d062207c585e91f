/* Secrets: random bytes, generated secrets, keys, sealing. */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "base/buf.h"
#include "base/digest.h"

enum { CRYPTO_KEY_SIZE = 32 };
struct crypto_key {
    uint8_t bytes[CRYPTO_KEY_SIZE];
};

void crypto_random(void *out, size_t n);       /* aborts when the system has none */
bool crypto_equal(struct str a, struct str b); /* constant time for equal lengths */
void crypto_wipe(void *p, size_t n);
/* A new secret of 256 bits as 43 characters of base64url; the first is a letter or a digit. */
enum { CRYPTO_SECRET_TEXT_MAX = 44 };
struct str crypto_secret(char out[CRYPTO_SECRET_TEXT_MAX]);
/* How generated secrets are kept: SHA-256 of their text. */
struct digest crypto_secret_hash(struct str secret);
/* AES-256-GCM: version, nonce, ciphertext, tag. `bound` is authenticated with it (say, the row's
 * key) and not stored. Both append to `out`. */
NODISCARD enum rc crypto_seal(const struct crypto_key *k, struct str bound, struct str plain,
                              struct buf *out, struct err *e);
/* RC_CORRUPT: another key, another `bound`, or changed bytes. */
NODISCARD enum rc crypto_unseal(const struct crypto_key *k, struct str bound, struct str sealed,
                                struct buf *out, struct err *e);

#endif
