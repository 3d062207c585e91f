/* Hashing of content. A state can be stored and taken up again.
 * Threads: a state belongs to one thread at a time. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/digest.h"

enum { HASH_STATE_MAX = 256 };
struct hash_state { /* plain data: may be copied with = */
    enum digest_algorithm algorithm;
    union {
        uint64_t align;
        uint8_t bytes[232];
    } u;
};

void hash_init(struct hash_state *h, enum digest_algorithm algorithm);
void hash_update(struct hash_state *h, const void *bytes, size_t n);
void hash_final(const struct hash_state *h, struct digest *ret); /* does not disturb h */
/* Stored form: algorithm, version, h, bit counts, tail; explicitly little-endian. Returns its
 * length. It stands for the bytes so far and holds the last of them: keep it where they are. */
size_t hash_export(const struct hash_state *h, uint8_t out[HASH_STATE_MAX]);
NODISCARD enum rc hash_import(struct str stored, struct hash_state *ret, struct err *e);
void hash_bytes(enum digest_algorithm algorithm, struct str bytes, struct digest *ret);

#endif
