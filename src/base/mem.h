/* Small allocations that cannot fail: exhaustion aborts. Sizes that come from outside are checked against a limit first. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/macro.h"
#include <stdlib.h>
#include <string.h>

static inline void *mem_new(size_t n, size_t size)
{
    void *p = calloc(n > 0 ? n : 1, size); /* zeroed; never NULL, also for none */

    if (!p)
        abort();
    return p;
}

static inline void *mem_grow(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n > 0 ? n : 1, size);

    if (!p)
        abort();
    return p;
}

#define MEM_NEW(type)      ((type *)mem_new(1, sizeof(type)))
#define MEM_ARRAY(type, n) ((type *)mem_new((n), sizeof(type)))

#endif
