#include "gate/ranges.h"
#include "base/mem.h"
#include <assert.h>

struct block {
    ranges_key low, high;
    int32_t place;
};

struct nest { /* the blocks that hold the present point, innermost last */
    ranges_key high;
    int32_t first; /* lowest index of it and what holds it */
};

static ranges_key key_of(const struct ip_addr *a)
{
    size_t n = a->family == 4 ? 4 : 16;
    ranges_key k = 0;

    for (size_t i = 0; i < n; i++)
        k = k << 8 | a->bytes[i];
    return k;
}

static struct block block_of(const struct cidr *c, int32_t place)
{
    unsigned host_bits = (c->addr.family == 4 ? 32U : 128U) - c->prefix;
    ranges_key rest = host_bits == 128 ? ~(ranges_key)0 : ((ranges_key)1 << host_bits) - 1;
    ranges_key low = key_of(&c->addr);

    return (struct block){.low = low, .high = low | rest, .place = place};
}

/* By start; of those with one start the outer first, so that what holds a block comes before it. */
static int block_order(const void *left, const void *right)
{
    const struct block *a = left, *b = right;

    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    if (a->high != b->high)
        return a->high > b->high ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* From `start` on, `place` answers. */
static void segment_add(struct ranges_space *s, ranges_key start, int32_t place)
{
    if (s->n > 0 && s->starts[s->n - 1] == start)
        s->n--;
    if (s->n > 0 && s->places[s->n - 1] == place)
        return;
    s->starts[s->n] = start;
    s->places[s->n++] = place;
}

/* Leaves the blocks that end before `until` (all, when `last`); each hands over to what held it. */
static size_t nest_leave(struct ranges_space *s, const struct nest *nest, size_t depth,
                         ranges_key until, bool last, ranges_key top)
{
    while (depth > 0 && (last || nest[depth - 1].high < until)) {
        depth--;
        if (nest[depth].high != top)
            segment_add(s, nest[depth].high + 1, depth > 0 ? nest[depth - 1].first : -1);
    }
    return depth;
}

static void space_build(struct ranges_space *s, struct block *blocks, size_t n, ranges_key top)
{
    struct nest *nest = MEM_ARRAY(struct nest, n);
    size_t depth = 0;

    qsort(blocks, n, sizeof(*blocks), block_order);
    s->starts = MEM_ARRAY(ranges_key, 2 * n + 1);
    s->places = MEM_ARRAY(int32_t, 2 * n + 1);
    segment_add(s, 0, -1);
    for (size_t i = 0; i < n; i++) {
        depth = nest_leave(s, nest, depth, blocks[i].low, false, top);
        int32_t outer = depth > 0 ? nest[depth - 1].first : INT32_MAX;
        int32_t first = blocks[i].place < outer ? blocks[i].place : outer;

        nest[depth++] = (struct nest){.high = blocks[i].high, .first = first};
        segment_add(s, blocks[i].low, first);
    }
    nest_leave(s, nest, depth, 0, true, top);
    free(nest);
    s->starts = mem_grow(s->starts, s->n, sizeof(*s->starts)); /* give back what merged */
    s->places = mem_grow(s->places, s->n, sizeof(*s->places));
}

static void space_init(struct ranges_space *s, const struct cidr *first, size_t n, size_t stride,
                       uint8_t family)
{
    struct block *blocks = MEM_ARRAY(struct block, n);
    size_t used = 0;

    *s = (struct ranges_space){0};
    for (size_t i = 0; i < n; i++) {
        const struct cidr *c =
            (const struct cidr *)(const void *)((const char *)first + i * stride);

        if (c->addr.family == family)
            blocks[used++] = block_of(c, (int32_t)i);
    }
    if (used > 0)
        space_build(s, blocks, used, family == 4 ? UINT32_MAX : ~(ranges_key)0);
    free(blocks);
}

void ranges_init(struct ranges *r, const struct cidr *first, size_t n, size_t stride)
{
    assert(n <= INT32_MAX);
    space_init(&r->v4, first, n, stride, 4);
    space_init(&r->v6, first, n, stride, 6);
}

static void space_done(struct ranges_space *s)
{
    free(s->starts);
    free(s->places);
    *s = (struct ranges_space){0};
}

void ranges_done(struct ranges *r)
{
    space_done(&r->v4);
    space_done(&r->v6);
}

static int space_find(const struct ranges_space *s, ranges_key key)
{
    size_t low = 0, n = s->n;

    if (n == 0)
        return -1;
    while (n > 1) { /* the answer is in [low, low + n) */
        size_t half = n / 2;

        low = s->starts[low + half] <= key ? low + half : low;
        n -= half;
    }
    return s->places[low];
}

int ranges_find(const struct ranges *r, const struct ip_addr *a)
{
    if (a->family == 4)
        return space_find(&r->v4, key_of(a));
    return a->family == 6 ? space_find(&r->v6, key_of(a)) : -1;
}
