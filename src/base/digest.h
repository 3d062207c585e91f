/* Content digests as OCI image-spec "Digests" writes them: `sha256:<64 hex>` or `sha512:<128 hex>`,
 * lower case. Naming only: hashing is in crypto/. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/str.h"

enum digest_algorithm { DIGEST_NONE, DIGEST_SHA256, DIGEST_SHA512 };
enum { DIGEST_BYTES_MAX = 64, DIGEST_TEXT_MAX = 7 + 128 + 1 };

struct digest {
    uint8_t algorithm; /* enum digest_algorithm */
    uint8_t bytes[DIGEST_BYTES_MAX];
};

/* RC_INVALID; RC_UNSUPPORTED for a well-formed digest of another algorithm. */
NODISCARD enum rc digest_parse(struct str s, struct digest *ret, struct err *e);
/* Terminated text; returns it as borrowed from `out`. */
struct str digest_format(const struct digest *d, char out[DIGEST_TEXT_MAX]);
size_t digest_size(enum digest_algorithm a); /* 32, 64, or 0 */
const char *digest_algorithm_name(enum digest_algorithm a);
enum digest_algorithm digest_algorithm_from(struct str name); /* DIGEST_NONE when unknown */
bool digest_eq(const struct digest *a, const struct digest *b);
bool digest_is_set(const struct digest *d);

#endif
