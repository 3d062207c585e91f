/* Passwords that people choose: scrypt (RFC 7914), with a salt of its own each. Slow on purpose: on the password lane only.
 * Not its business: generated secrets (crypto_secret_hash), how often somebody may try. */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "base/str.h"

enum { PASSWORD_RECORD_MAX = 128, PASSWORD_MIN = 8, PASSWORD_MAX = 256 };

/* RC_INVALID: too short, too long. The record is text: "scrypt$N$r$p$salt$hash". */
NODISCARD enum rc password_hash(struct str password, char out[PASSWORD_RECORD_MAX], struct err *e);
/* RC_UNAUTHENTICATED: another password, or `record` is "" (nobody's; it takes as long). RC_CORRUPT: not a record. */
NODISCARD enum rc password_verify(struct str password, struct str record, struct err *e);

#endif
