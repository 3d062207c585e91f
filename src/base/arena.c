#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BLOCK = 4096, ARENA_BLOCK_MAX = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t cap, used;
    _Alignas(ARENA_ALIGN) char bytes[];
};

void arena_done(struct arena *a)
{
    if (!a)
        return;
    while (a->head) {
        struct arena_block *b = a->head;

        a->head = b->next;
        free(b);
    }
    a->used = 0;
}

static struct arena_block *block_new(size_t cap)
{
    struct arena_block *b = calloc(1, sizeof(*b) + cap);

    if (!b)
        abort();
    b->cap = cap;
    return b;
}

/* Blocks double, so that a large request costs few of them. What is large by itself gets a block of
 * its own behind the head, whose rest stays in use. */
static struct arena_block *arena_block_for(struct arena *a, size_t size)
{
    struct arena_block *head = a->head;
    size_t cap = head && head->cap < ARENA_BLOCK_MAX / 2 ? head->cap * 2 : ARENA_BLOCK_MAX;

    if (head && size <= head->cap - head->used)
        return head;
    if (!head)
        cap = ARENA_BLOCK;
    cap -= sizeof(struct arena_block);
    struct arena_block *b = block_new(size > cap ? size : cap);

    if (head && size > cap) {
        b->next = head->next;
        head->next = b;
    } else {
        b->next = head;
        a->head = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > a->max - a->used)
        return NULL;
    size_t rounded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);

    if (rounded == 0)
        rounded = ARENA_ALIGN;
    if (rounded < size || rounded > a->max - a->used)
        return NULL;
    struct arena_block *b = arena_block_for(a, rounded);
    void *p = b->bytes + b->used;

    b->used += rounded;
    a->used += rounded;
    return p;
}

struct str arena_copy(struct arena *a, struct str s)
{
    char *p = s.len < SIZE_MAX ? arena_alloc(a, s.len + 1) : NULL;

    if (!p)
        return STR_NONE;
    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    return (struct str){p, s.len};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;

    if (!p)
        return STR_NONE;
    va_start(ap, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (struct str){p, (size_t)n};
}
