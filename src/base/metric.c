#include "base/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A thread's cells are written by that thread alone, so an addition needs no locked instruction. */
struct metric_cells {
    _Atomic int64_t value[METRIC_COUNT];
    struct metric_cells *next;
};

static struct {
    pthread_mutex_t lock;
    struct metric_cells *threads; /* guarded by lock */
    struct metric_cells ended;    /* what threads that ended had added; guarded by lock */
    pthread_key_t key;            /* runs metric_thread_end */
} metrics = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_once_t metrics_once = PTHREAD_ONCE_INIT;
static _Thread_local struct metric_cells *metric_mine;

static void cell_add(_Atomic int64_t *cell, int64_t n)
{
    int64_t before = atomic_load_explicit(cell, memory_order_relaxed);

    atomic_store_explicit(cell, before + n, memory_order_relaxed);
}

static void metric_thread_end(void *arg)
{
    struct metric_cells *mine = arg, **link;

    pthread_mutex_lock(&metrics.lock);
    for (link = &metrics.threads; *link != mine; link = &(*link)->next)
        ;
    *link = mine->next;
    for (int i = 0; i < METRIC_COUNT; i++)
        cell_add(&metrics.ended.value[i], atomic_load(&mine->value[i]));
    pthread_mutex_unlock(&metrics.lock);
    metric_mine = NULL;
    free(mine);
}

static void lock_all(void)
{
    pthread_mutex_lock(&metrics.lock);
}

static void unlock_all(void)
{
    pthread_mutex_unlock(&metrics.lock);
}

static void metrics_init(void)
{
    /* A child of fork() must not inherit the lock from a thread that it does not have. */
    if (pthread_key_create(&metrics.key, metric_thread_end) != 0 ||
        pthread_atfork(lock_all, unlock_all, unlock_all) != 0)
        abort();
}

static struct metric_cells *metric_thread_begin(void)
{
    size_t size = (sizeof(struct metric_cells) + 63) & ~(size_t)63; /* no cache line is shared */
    struct metric_cells *mine = aligned_alloc(64, size);

    if (!mine)
        abort();
    memset(mine, 0, size);
    pthread_once(&metrics_once, metrics_init);
    if (pthread_setspecific(metrics.key, mine) != 0)
        abort();
    pthread_mutex_lock(&metrics.lock);
    mine->next = metrics.threads;
    metrics.threads = mine;
    pthread_mutex_unlock(&metrics.lock);
    metric_mine = mine;
    return mine;
}

void metric_add(enum metric m, int64_t n)
{
    struct metric_cells *mine = metric_mine ? metric_mine : metric_thread_begin();

    cell_add(&mine->value[m], n);
}

int64_t metric_value(enum metric m)
{
    pthread_once(&metrics_once, metrics_init);
    pthread_mutex_lock(&metrics.lock);
    int64_t sum = atomic_load(&metrics.ended.value[m]);

    for (struct metric_cells *c = metrics.threads; c; c = c->next)
        sum += atomic_load_explicit(&c->value[m], memory_order_relaxed);
    pthread_mutex_unlock(&metrics.lock);
    return sum;
}

static const struct {
    const char *type, *name, *help;
} texts[] = {
#define METRIC_COUNTER(id, name, help) [METRIC_##id] = {"counter", name, help},
#define METRIC_GAUGE(id, name, help)   [METRIC_##id] = {"gauge", name, help},
#include "base/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

void metric_render(struct buf *out)
{
    for (size_t m = 0; m < ARRAY_LEN(texts); m++)
        buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", texts[m].name, texts[m].help,
                 texts[m].name, texts[m].type, texts[m].name,
                 (long long)metric_value((enum metric)m));
}
