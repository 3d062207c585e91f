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

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t work;
    struct map keys; /* uuid → struct lane_key */
    struct lane_key *turn, **last;
    unsigned queued, running;
    bool ending;
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

/* --- the queue; the lock is held ----------------------------------------------------------- */

static void lane_append_key(struct lane *l, struct lane_key *k)
{
    k->next = NULL;
    *l->last = k;
    l->last = &k->next;
}

static void lane_push(struct lane *l, struct lane_key *k, struct lane_job *j)
{
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

/* The oldest job of the key whose turn it is; the key goes to the end. NULL: nothing waits. */
static struct lane_job *lane_pop(struct lane *l)
{
    struct lane_key *k = l->turn;

    if (!k)
        return NULL;
    struct lane_job *j = k->head;

    k->head = j->next;
    if (!k->head)
        k->tail = &k->head;
    l->turn = k->next;
    if (!l->turn)
        l->last = &l->turn;
    if (--k->count > 0) {
        lane_append_key(l, k);
    } else {
        map_del(&l->keys, lane_key_bytes(&k->key));
        free(k);
    }
    l->queued--;
    return j;
}

/* --- ends of jobs --------------------------------------------------------------------------- */

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

static bool lane_expired(const struct lane *l, const struct lane_job *j, int64_t now_us)
{
    return now_us - j->queued_us > (int64_t)l->limits.expiry_ms * 1000;
}

/* --- threads ---------------------------------------------------------------------------------- */

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

static enum rc lane_start(struct lane *l, struct err *e)
{
    for (; l->n_threads < l->limits.threads; l->n_threads++) {
        enum rc rc = thread_start(&l->threads[l->n_threads], l->name, lane_thread, l, e);

        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* --- the face ----------------------------------------------------------------------------------
 */

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
    map_done(&l->keys);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->work);
    free(l->threads);
    free(l);
}
