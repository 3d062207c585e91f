#include "app/drain.h"
#include "base/clock.h"
#include "base/log.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { TICK_MS = 20 };

struct drain_loop {
    struct loop_task begin;
    struct drain *drain;
    struct loop *loop;
    struct loop_timer *timer;
    atomic_size_t left;
    bool closed;
};
struct drain {
    struct http_server *http;
    bool begun;
    bool (*busy)(void *ctx);
    void *busy_ctx;
    atomic_int_least64_t deadline_us;
    size_t n;
    struct drain_loop loops[];
};

/* Loops stop together: a configuration change that one of them serves waits for the others. */
static void stop_when_empty(struct drain *d)
{
    size_t left = 0;

    for (size_t i = 0; i < d->n; i++)
        left += atomic_load(&d->loops[i].left);
    if (left > 0 || (d->busy && d->busy(d->busy_ctx)))
        return;
    for (size_t i = 0; i < d->n; i++)
        loop_stop(d->loops[i].loop);
}

static void tick(void *ctx)
{
    struct drain_loop *l = ctx;
    struct drain *d = l->drain;
    size_t left = http_server_drain(d->http, l->loop);

    if (left > 0 && !l->closed && clock_mono_us() > atomic_load(&d->deadline_us)) {
        log_warn("drain.time_limit", F_U64("left", left));
        http_server_close_all(d->http, l->loop);
        l->closed = true;
    }
    atomic_store(&l->left, left);
    if (l == &d->loops[0])
        stop_when_empty(d);
    loop_timer_start(l->timer, TICK_MS);
}

static void begin(struct loop_task *t)
{
    tick(CONTAINER_OF(t, struct drain_loop, begin));
}

struct drain *drain_new(struct http_server *http, struct loop *const *loops, size_t n_loops)
{
    struct drain *d = calloc(1, sizeof(*d) + n_loops * sizeof(d->loops[0]));

    if (!d)
        abort();
    d->http = http;
    d->n = n_loops;
    for (size_t i = 0; i < n_loops; i++) {
        struct drain_loop *l = &d->loops[i];

        l->drain = d;
        l->loop = loops[i];
        l->begin.run = begin;
        l->timer = loop_timer_new(loops[i], tick, l);
        atomic_store(&l->left, SIZE_MAX / (2 * n_loops)); /* unknown until its first tick */
    }
    return d;
}

void drain_wait_for(struct drain *d, bool (*busy)(void *ctx), void *ctx)
{
    d->busy = busy;
    d->busy_ctx = ctx;
}

void drain_begin(struct drain *d)
{
    if (d->begun)
        return;
    d->begun = true;
    atomic_store(&d->deadline_us, clock_mono_us() + (int64_t)DRAIN_SECONDS * CLOCK_US_PER_S);
    for (size_t i = 0; i < d->n; i++)
        loop_post(d->loops[i].loop, &d->loops[i].begin);
}

void drain_free(struct drain *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        loop_timer_free(d->loops[i].timer);
    free(d);
}
