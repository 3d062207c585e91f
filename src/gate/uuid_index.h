/* Uuids compiled for one question: at which place in the list does this one stand first? Nil uuids are in no index. */
#ifndef GATE_UUID_INDEX_H
#define GATE_UUID_INDEX_H

#include "base/uuid.h"

struct uuid_index_slot {
    struct uuid uuid;
    int32_t place; /* -1: free */
};
struct uuid_index {
    struct uuid_index_slot *slots;
    size_t mask; /* slots are a power of two; NULL when nothing is in it */
};

/* The i-th uuid of the list lies at (const char *)first + i * stride. */
void uuid_index_init(struct uuid_index *x, const struct uuid *first, size_t n, size_t stride);
void uuid_index_done(struct uuid_index *x);
int uuid_index_find(const struct uuid_index *x, const struct uuid *u); /* -1 none */

#endif
