#include "loop/lane.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/metric.h"
#include "sys/thread.h"

#include <assert.h>
#include <stdlib.h>

enum { LANE_EXPIRY_MS = 10000, LANE_BATCH_MAX = 256 };

/* The jobs of one key, which stands in the lane's queue of keys as long as it has any. */
struct lane_key {
    struct uuid key;
    struct lane_job *head, **tail;
    unsigned count;
    struct lane_key *next;
};

struct lane {
    struct lane_limits limits;
    struct lane_batch batch; /* run NULL: one job at a time */
    const char *name;
    pthread_t *threads;
    unsigned n_threads;
    pthread_t usher; /* turns away what waits too long, also while every other thread is stuck */
    bool has_usher;

    pthread_mutex_t lock;   /* guards everything below */
    pthread_cond_t work;    /* there is something to run, or the end */
    pthread_cond_t waiting; /* for the usher: something began to wait, or the end */
    struct map keys;        /* uuid → struct lane_key */
    struct lane_key *turn, **last;
    unsigned queued, running;
    bool ending;
    bool usher_idle; /* it sleeps without a limit: whoever comes first wakes it */
};

static struct str lane_key_bytes(const struct uuid *key)
{
    return (struct str){(const char *)key->bytes, sizeof(key->bytes)};
}

static void *lane_alloc(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (!p)
        abort();
    return p;
}

/* --- the queue; the lock is held --- */

static void lane_append_key(struct lane *l, struct lane_key *k)
{
    k->next = NULL;
    *l->last = k;
    l->last = &k->next;
}

static void lane_push(struct lane *l, struct lane_key *k, struct lane_job *j)
{
    if (l->usher_idle)
        pthread_cond_signal(&l->waiting);
    l->usher_idle = false;
    if (!k) {
        k = lane_alloc(1, sizeof(*k));
        k->key = j->key;
        k->tail = &k->head;
        map_put(&l->keys, lane_key_bytes(&k->key), k);
        lane_append_key(l, k);
    }
    j->next = NULL;
    *k->tail = j;
    k->tail = &j->next;
    k->count++;
    l->queued++;
}

static struct lane_key *lane_take_key(struct lane *l)
{
    struct lane_key *k = l->turn;

    if (k)
        l->turn = k->next;
    if (!l->turn)
        l->last = &l->turn;
    return k;
}

/* To the end of the queue, or away when it has no jobs left. */
static void lane_return_key(struct lane *l, struct lane_key *k)
{
    if (k->count > 0) {
        lane_append_key(l, k);
        return;
    }
    map_del(&l->keys, lane_key_bytes(&k->key));
    free(k);
}

static struct lane_job *lane_take_job(struct lane *l, struct lane_key *k)
{
    struct lane_job *j = k->head;

    k->head = j->next;
    if (!k->head)
        k->tail = &k->head;
    k->count--;
    l->queued--;
    return j;
}

/* The oldest job of the key whose turn it is. NULL: nothing waits. */
static struct lane_job *lane_pop(struct lane *l)
{
    struct lane_key *k = lane_take_key(l);

    if (!k)
        return NULL;
    struct lane_job *j = lane_take_job(l, k);

    lane_return_key(l, k);
    return j;
}

/* --- ends of jobs --- */

static void lane_job_home(struct loop_task *t)
{
    struct lane_job *j = CONTAINER_OF(t, struct lane_job, task);

    j->done(j, j->rc);
}

static void lane_finish(struct lane_job *j, enum rc rc)
{
    j->rc = rc;
    if (!j->done)
        return;
    if (!j->home) {
        j->done(j, rc);
        return;
    }
    j->task.run = lane_job_home;
    loop_post(j->home, &j->task);
}

static int64_t lane_expiry_us(const struct lane *l, const struct lane_job *j)
{
    return j->queued_us + (int64_t)l->limits.expiry_ms * 1000;
}

static bool lane_expired(const struct lane *l, const struct lane_job *j, int64_t now_us)
{
    return now_us > lane_expiry_us(l, j);
}

/* --- threads --- */

/* Sorts what it takes into jobs to run and jobs that have waited too long. Called with the lock. */
static void lane_take(struct lane *l, struct lane_job **run, size_t *ret_n, struct lane_job **stale)
{
    unsigned max = l->batch.run ? l->batch.max : 1;
    int64_t now = clock_mono_us();
    size_t n = 0;

    while (n < max) {
        struct lane_job *j = lane_pop(l);

        if (!j)
            break;
        if (lane_expired(l, j, now)) {
            j->next = *stale;
            *stale = j;
        } else {
            run[n++] = j;
        }
    }
    l->running += (unsigned)n;
    *ret_n = n;
}

static void lane_refuse_all(struct lane_job *j)
{
    while (j) {
        struct lane_job *next = j->next;

        metric_add(METRIC_LANE_REFUSED, 1);
        lane_finish(j, RC_UNAVAILABLE);
        j = next;
    }
}

static void lane_run(struct lane *l, struct lane_job **jobs, size_t n)
{
    if (n == 0)
        return;
    if (l->batch.run)
        l->batch.run(l->batch.ctx, jobs, n);
    else
        jobs[0]->run(jobs[0]);
    pthread_mutex_lock(&l->lock);
    l->running -= (unsigned)n;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < n; i++)
        lane_finish(jobs[i], RC_OK);
}

static void *lane_thread(void *arg)
{
    struct lane *l = arg;
    struct lane_job *jobs[LANE_BATCH_MAX];

    for (;;) {
        struct lane_job *stale = NULL;
        size_t n = 0;

        pthread_mutex_lock(&l->lock);
        while (!l->turn && !l->ending)
            pthread_cond_wait(&l->work, &l->lock);
        bool over = l->ending;

        if (!over)
            lane_take(l, jobs, &n, &stale);
        pthread_mutex_unlock(&l->lock);
        if (over)
            return NULL;
        lane_refuse_all(stale);
        lane_run(l, jobs, n);
    }
}

/* Takes out all that has waited too long; every key keeps its turn. Called with the lock. Returns
 * when the next one will have, or 0 when nothing waits. */
static int64_t lane_sweep(struct lane *l, struct lane_job **stale)
{
    int64_t now = clock_mono_us(), next = 0;
    struct lane_key *k, *end = NULL;

    while ((k = l->turn) && k != end) {
        (void)lane_take_key(l);
        while (k->head && lane_expired(l, k->head, now)) {
            struct lane_job *j = lane_take_job(l, k);

            j->next = *stale;
            *stale = j;
        }
        if (k->head && (next == 0 || lane_expiry_us(l, k->head) < next))
            next = lane_expiry_us(l, k->head);
        if (k->head && !end)
            end = k;
        lane_return_key(l, k);
    }
    return next;
}

static void lane_wait_until(struct lane *l, int64_t us)
{
    struct timespec at = {.tv_sec = us / CLOCK_US_PER_S, .tv_nsec = us % CLOCK_US_PER_S * 1000};

    if (us == 0)
        pthread_cond_wait(&l->waiting, &l->lock);
    else
        pthread_cond_timedwait(&l->waiting, &l->lock, &at);
}

/* What comes while it sleeps cannot be too old before it wakes, so that only a lane that was long
 * empty wakes it. */
static void *lane_usher(void *arg)
{
    struct lane *l = arg;
    bool calm = false;

    pthread_mutex_lock(&l->lock);
    while (!l->ending) {
        struct lane_job *stale = NULL;
        int64_t next = lane_sweep(l, &stale);

        if (!stale) {
            l->usher_idle = calm && next == 0;
            calm = next == 0;
            next = next ? next : clock_mono_us() + (int64_t)l->limits.expiry_ms * 1000;
            lane_wait_until(l, l->usher_idle ? 0 : next + 1);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        lane_refuse_all(stale);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static enum rc lane_start(struct lane *l, struct err *e)
{
    enum rc usher = thread_start(&l->usher, l->name, lane_usher, l, e);

    if (usher != RC_OK)
        return usher;
    l->has_usher = true;
    for (; l->n_threads < l->limits.threads; l->n_threads++) {
        enum rc rc = thread_start(&l->threads[l->n_threads], l->name, lane_thread, l, e);

        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* --- the face --- */

static void lane_init_monotonic(pthread_cond_t *c)
{
    pthread_condattr_t a;

    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(c, &a);
    pthread_condattr_destroy(&a);
}

enum rc lane_new(const char *name, const struct lane_limits *limits, const struct lane_batch *batch,
                 struct lane **ret, struct err *e)
{
    struct lane *l = lane_alloc(1, sizeof(*l));

    assert(limits->threads > 0 && (!batch || (batch->max > 0 && batch->max <= LANE_BATCH_MAX)));
    l->limits = *limits;
    if (l->limits.expiry_ms == 0)
        l->limits.expiry_ms = LANE_EXPIRY_MS;
    if (batch)
        l->batch = *batch;
    l->name = name;
    l->last = &l->turn;
    l->threads = lane_alloc(limits->threads, sizeof(*l->threads));
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    lane_init_monotonic(&l->waiting);
    enum rc rc = lane_start(l, e);

    if (rc != RC_OK) {
        lane_free(l);
        return rc;
    }
    *ret = l;
    return RC_OK;
}

enum rc lane_submit(struct lane *l, struct lane_job *j, struct err *e)
{
    enum rc rc = RC_OK;

    j->queued_us = clock_mono_us();
    pthread_mutex_lock(&l->lock);
    struct lane_key *k = map_get(&l->keys, lane_key_bytes(&j->key));

    if (l->ending || l->queued >= l->limits.queue || (k && k->count >= l->limits.per_key))
        rc = RC_UNAVAILABLE;
    else
        lane_push(l, k, j);
    pthread_mutex_unlock(&l->lock);
    if (rc != RC_OK) {
        metric_add(METRIC_LANE_REFUSED, 1);
        return err_set(e, rc, "too much %s work is waiting", l->name);
    }
    pthread_cond_signal(&l->work);
    return RC_OK;
}

struct lane_call_job {
    struct lane_job job;
    enum rc (*fn)(void *arg, struct err *e);
    void *arg;
    struct err *e;
    enum rc rc;
    bool over;
    pthread_mutex_t lock;
    pthread_cond_t ended;
};

static void lane_call_run(struct lane_job *j)
{
    struct lane_call_job *c = CONTAINER_OF(j, struct lane_call_job, job);

    c->rc = c->fn(c->arg, c->e);
}

static void lane_call_done(struct lane_job *j, enum rc rc)
{
    struct lane_call_job *c = CONTAINER_OF(j, struct lane_call_job, job);

    if (rc != RC_OK)
        c->rc = err_set(c->e, rc, "the work waited too long for its turn");
    pthread_mutex_lock(&c->lock);
    c->over = true;
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->lock);
}

enum rc lane_call(struct lane *l, const struct uuid *key, enum rc (*fn)(void *arg, struct err *e),
                  void *arg, struct err *e)
{
    struct lane_call_job c = {
        .job = {.key = *key, .run = lane_call_run, .done = lane_call_done},
        .fn = fn,
        .arg = arg,
        .e = e,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .ended = PTHREAD_COND_INITIALIZER,
    };
    enum rc rc = lane_submit(l, &c.job, e);

    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(&c.lock);
    while (!c.over)
        pthread_cond_wait(&c.ended, &c.lock);
    pthread_mutex_unlock(&c.lock);
    pthread_mutex_destroy(&c.lock);
    pthread_cond_destroy(&c.ended);
    return c.rc;
}

size_t lane_depth(const struct lane *l)
{
    struct lane *open = (struct lane *)l; /* only its lock is touched */

    pthread_mutex_lock(&open->lock);
    size_t depth = (size_t)l->queued + l->running;

    pthread_mutex_unlock(&open->lock);
    return depth;
}

/* Everything that waits, in the order of turns. */
static struct lane_job *lane_empty(struct lane *l)
{
    struct lane_job *all = NULL, **tail = &all, *j;

    pthread_mutex_lock(&l->lock);
    l->ending = true;
    while ((j = lane_pop(l))) {
        j->next = NULL;
        *tail = j;
        tail = &j->next;
    }
    pthread_cond_broadcast(&l->work);
    pthread_cond_signal(&l->waiting);
    pthread_mutex_unlock(&l->lock);
    return all;
}

void lane_free(struct lane *l)
{
    if (!l)
        return;
    lane_refuse_all(lane_empty(l));
    for (unsigned i = 0; i < l->n_threads; i++)
        pthread_join(l->threads[i], NULL);
    if (l->has_usher)
        pthread_join(l->usher, NULL);
    map_done(&l->keys);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->waiting);
    free(l->threads);
    free(l);
}
