/* Hash map from bytes to a pointer. Keys are copied; values are the caller's. Not thread-safe. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_entry;
struct map {
    struct map_entry *slots;
    size_t count, cap;
};

#define MAP_INIT ((struct map){0})

void map_done(struct map *m); /* frees keys and table, not the values */
void *map_get(const struct map *m, struct str key);
void *map_put(struct map *m, struct str key, void *value); /* returns the value replaced, or NULL */
void *map_del(struct map *m, struct str key);              /* returns the value removed, or NULL */
/* Iteration in no order: `size_t i = 0; while (map_next(m, &i, &key, &value)) ...`; do not change m
 * meanwhile. Either pointer may be NULL. */
bool map_next(const struct map *m, size_t *i, struct str *ret_key, void **ret_value);

#endif
