/* A ring of bytes from one thread to one other. */
#ifndef BASE_LOG_RING_H
#define BASE_LOG_RING_H

#include "base/buf.h"
#include <stdatomic.h>

enum { LOG_RING_SIZE = 1 << 20 };

struct log_ring {
    struct log_ring *next; /* in log.c's list */
    char *bytes;           /* LOG_RING_SIZE; pages are taken as they are first written */
    struct buf line;       /* the writing thread's scratch line */
    atomic_bool busy;      /* the writing thread is between looking and publishing */
    atomic_bool ended;     /* the writing thread is gone */
    _Alignas(64) _Atomic uint64_t head; /* bytes ever written; by the writing thread */
    _Alignas(64) _Atomic uint64_t tail; /* bytes ever read; by the reading thread */
};

struct log_ring *log_ring_new(void);
void log_ring_free(struct log_ring *r);
/* All of s or nothing: false when there is no room. */
bool log_ring_put(struct log_ring *r, struct str s);
/* What can be read, in two pieces; returns how many bytes that is. */
size_t log_ring_peek(struct log_ring *r, struct str pieces[2]);
void log_ring_take(struct log_ring *r, size_t n);
size_t log_ring_used(struct log_ring *r);

#endif
