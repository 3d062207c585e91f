/* Memory that is freed all at once. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena {
    struct arena_block *head;
    size_t used, max; /* bytes handed out, and the most that may be */
};

#define ARENA_INIT(maximum) ((struct arena){.max = (maximum)})

void arena_done(struct arena *a); /* leaves an empty, usable arena */
/* Zeroed, aligned for any object. NULL past the maximum: check wherever the size comes from
 * outside. */
void *arena_alloc(struct arena *a, size_t size);
struct str arena_copy(struct arena *a, struct str s); /* terminated; ptr NULL past the maximum */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3); /* the same */
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
