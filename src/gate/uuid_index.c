#include "gate/uuid_index.h"
#include "base/mem.h"
#include <assert.h>

/* The uuids are ours (random, or made by a test), never a client's: no key is needed against
 * crafted collisions. */
static size_t slot_of(const struct uuid_index *x, const struct uuid *u)
{
    uint64_t halves[2];

    memcpy(halves, u->bytes, sizeof(halves));
    uint64_t h = (halves[0] ^ (halves[1] * 0x9E3779B97F4A7C15U)) * 0xD6E8FEB86659FD93U;

    return (size_t)(h ^ h >> 32) & x->mask;
}

static struct uuid_index_slot *slot_for(const struct uuid_index *x, const struct uuid *u)
{
    size_t i = slot_of(x, u);

    while (x->slots[i].place >= 0 && !uuid_eq(&x->slots[i].uuid, u))
        i = (i + 1) & x->mask;
    return &x->slots[i];
}

void uuid_index_init(struct uuid_index *x, const struct uuid *first, size_t n, size_t stride)
{
    size_t slots = 2;

    assert(n < INT32_MAX / 4);
    *x = (struct uuid_index){0};
    if (n == 0)
        return;
    while (slots < 2 * n)
        slots *= 2;
    x->slots = MEM_ARRAY(struct uuid_index_slot, slots);
    x->mask = slots - 1;
    for (size_t i = 0; i < slots; i++)
        x->slots[i].place = -1;
    for (size_t i = 0; i < n; i++) {
        const struct uuid *u = (const struct uuid *)((const char *)first + i * stride);
        struct uuid_index_slot *slot = uuid_is_nil(u) ? NULL : slot_for(x, u);

        if (slot && slot->place < 0)
            *slot = (struct uuid_index_slot){.uuid = *u, .place = (int32_t)i};
    }
}

void uuid_index_done(struct uuid_index *x)
{
    free(x->slots);
    *x = (struct uuid_index){0};
}

int uuid_index_find(const struct uuid_index *x, const struct uuid *u)
{
    return x->slots ? slot_for(x, u)->place : -1;
}
