#include "base/log_ring.h"

#include "base/log_line.h"
#include <stdlib.h>
#include <sys/mman.h>

struct log_ring *log_ring_new(void)
{
    struct log_ring *r = aligned_alloc(_Alignof(struct log_ring), sizeof(*r));

    if (!r)
        abort();
    memset(r, 0, sizeof(*r));
    r->line = BUF_INIT(LOG_LINE_MAX);
    r->bytes =
        mmap(NULL, LOG_RING_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r->bytes == MAP_FAILED)
        abort();
    return r;
}

void log_ring_free(struct log_ring *r)
{
    if (!r)
        return;
    buf_done(&r->line);
    munmap(r->bytes, LOG_RING_SIZE);
    free(r);
}

bool log_ring_put(struct log_ring *r, struct str s)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    size_t at = head % LOG_RING_SIZE;
    size_t first = LOG_RING_SIZE - at < s.len ? LOG_RING_SIZE - at : s.len;

    if (s.len > LOG_RING_SIZE - (head - tail))
        return false;
    memcpy(r->bytes + at, s.ptr, first);
    memcpy(r->bytes, s.ptr + first, s.len - first);
    atomic_store_explicit(&r->head, head + s.len, memory_order_release);
    return true;
}

size_t log_ring_used(struct log_ring *r)
{
    return (size_t)(atomic_load_explicit(&r->head, memory_order_acquire) -
                    atomic_load_explicit(&r->tail, memory_order_acquire));
}

size_t log_ring_peek(struct log_ring *r, struct str pieces[2])
{
    size_t n = log_ring_used(r);
    size_t at = atomic_load_explicit(&r->tail, memory_order_relaxed) % LOG_RING_SIZE;
    size_t first = LOG_RING_SIZE - at < n ? LOG_RING_SIZE - at : n;

    pieces[0] = (struct str){r->bytes + at, first};
    pieces[1] = (struct str){r->bytes, n - first};
    return n;
}

void log_ring_take(struct log_ring *r, size_t n)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}
