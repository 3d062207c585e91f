#include "base/map.h"

#include <stdlib.h>

/* Open addressing, linear probing, at most three quarters full; removal shifts back, so that there
 * are no tombstones. */
struct map_entry {
    uint64_t hash;
    char *key; /* NULL: free slot */
    size_t key_len;
    void *value;
};

enum { MAP_FIRST = 8 };

void map_done(struct map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    *m = MAP_INIT;
}

/* The slot that holds `key`, or the free one where it belongs. The map has a free slot. */
static size_t map_slot(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);

    for (;; i = (i + 1) & (m->cap - 1)) {
        const struct map_entry *s = &m->slots[i];

        if (!s->key)
            return i;
        if (s->hash == hash && str_eq((struct str){s->key, s->key_len}, key))
            return i;
    }
}

void *map_get(const struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    const struct map_entry *s = &m->slots[map_slot(m, key, str_hash(key))];

    return s->key ? s->value : NULL;
}

static void map_grow(struct map *m)
{
    struct map old = *m;

    m->cap = old.cap > 0 ? old.cap * 2 : MAP_FIRST;
    m->slots = calloc(m->cap, sizeof(*m->slots));
    if (!m->slots)
        abort();
    for (size_t i = 0; i < old.cap; i++) {
        const struct map_entry *s = &old.slots[i];

        if (s->key)
            m->slots[map_slot(m, (struct str){s->key, s->key_len}, s->hash)] = *s;
    }
    free(old.slots);
}

static char *key_copy(struct str key)
{
    char *p = malloc(key.len + 1);

    if (!p)
        abort();
    if (key.len > 0)
        memcpy(p, key.ptr, key.len);
    p[key.len] = '\0';
    return p;
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = str_hash(key);

    if ((m->count + 1) * 4 > m->cap * 3)
        map_grow(m);
    struct map_entry *s = &m->slots[map_slot(m, key, hash)];

    if (s->key) {
        void *old = s->value;

        s->value = value;
        return old;
    }
    *s = (struct map_entry){hash, key_copy(key), key.len, value};
    m->count++;
    return NULL;
}

/* Fills the hole at `hole` with later entries of its run that may stand there. */
static void map_close_hole(struct map *m, size_t hole)
{
    size_t mask = m->cap - 1;

    for (size_t i = (hole + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_entry){0};
}

void *map_del(struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    size_t i = map_slot(m, key, str_hash(key));
    struct map_entry *s = &m->slots[i];

    if (!s->key)
        return NULL;
    void *value = s->value;

    free(s->key);
    map_close_hole(m, i);
    m->count--;
    return value;
}

bool map_next(const struct map *m, size_t *i, struct str *ret_key, void **ret_value)
{
    for (; *i < m->cap; (*i)++) {
        const struct map_entry *s = &m->slots[*i];

        if (!s->key)
            continue;
        if (ret_key)
            *ret_key = (struct str){s->key, s->key_len};
        if (ret_value)
            *ret_value = s->value;
        (*i)++;
        return true;
    }
    return false;
}
