#include "base/mem.h"
#include "meta/migrations.h"
#include "meta/tx.h"
#include <assert.h>
#include <pthread.h>

enum { READERS = 4, BATCH_MAX = 64, ATTEMPTS = 3 };
static const struct lane_limits write_limits = {1, 4096, 256}, read_limits = {4, 4096, 256};

struct meta {
    struct db_conn *writer; /* the write lane's only thread */
    struct lane *write, *read;

    pthread_mutex_t lock; /* guards the readers that are idle */
    pthread_cond_t idle;
    struct db_conn *readers[READERS];
    unsigned n_idle;
};

/* --- opening --- */

static void run_batch(void *ctx, struct lane_job **jobs, size_t n);

static enum rc open_connections(struct meta *m, const char *url, struct err *e)
{
    enum rc rc = db_open(url, &m->writer, e);

    if (rc == RC_OK)
        rc = db_migrate(m->writer, meta_migrations, meta_migrations_count, e);
    while (rc == RC_OK && m->n_idle < READERS) {
        rc = db_open(url, &m->readers[m->n_idle], e);
        m->n_idle += rc == RC_OK;
    }
    return rc;
}

enum rc meta_open(const char *url, struct meta **ret, struct err *e)
{
    /* Every connection to it would have a database of its own. */
    if (strcmp(url, "sqlite::memory:") == 0)
        return err_set(e, RC_UNSUPPORTED, "a database in memory cannot be shared by connections");
    struct meta *m = MEM_NEW(struct meta);
    const struct lane_batch batch = {m, run_batch, BATCH_MAX};

    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->idle, NULL);
    enum rc rc = open_connections(m, url, e);

    if (rc == RC_OK)
        rc = lane_new("meta-write", &write_limits, &batch, &m->write, e);
    if (rc == RC_OK)
        rc = lane_new("meta-read", &read_limits, NULL, &m->read, e);
    if (rc != RC_OK) {
        meta_close(m);
        return rc;
    }
    *ret = m;
    return RC_OK;
}

void meta_close(struct meta *m)
{
    if (!m)
        return;
    if (m->read)
        lane_free(m->read); /* first: its jobs may be waiting for the write lane */
    if (m->write)
        lane_free(m->write);
    while (m->n_idle > 0)
        db_close(m->readers[--m->n_idle]);
    db_close(m->writer);
    pthread_cond_destroy(&m->idle);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

struct lane *meta_lane_write(struct meta *m)
{
    return m->write;
}

struct lane *meta_lane_read(struct meta *m)
{
    return m->read;
}

/* --- reading --- */

static struct db_conn *take_reader(struct meta *m)
{
    pthread_mutex_lock(&m->lock);
    while (m->n_idle == 0)
        pthread_cond_wait(&m->idle, &m->lock);
    struct db_conn *c = m->readers[--m->n_idle];

    pthread_mutex_unlock(&m->lock);
    return c;
}

static void give_reader_back(struct meta *m, struct db_conn *c)
{
    pthread_mutex_lock(&m->lock);
    m->readers[m->n_idle++] = c;
    pthread_cond_signal(&m->idle);
    pthread_mutex_unlock(&m->lock);
}

enum rc meta_read(struct meta *m, meta_fn *fn, void *arg, struct err *e)
{
    struct meta_tx tx = {.conn = take_reader(m)};
    enum rc rc = db_begin_read(tx.conn, e);

    if (rc == RC_OK) {
        rc = fn(&tx, arg, e);
        db_rollback(tx.conn); /* there is nothing to commit */
    }
    give_reader_back(m, tx.conn);
    return rc;
}

/* --- the write lane --- */

static enum rc call(struct meta *m, struct meta_job *j)
{
    struct meta_tx tx = {.conn = m->writer, .writable = true};

    return j->fn(&tx, j->arg, &j->err);
}

/* In a transaction: fn's changes as a whole, or none of them. */
static enum rc call_in_savepoint(struct meta *m, struct meta_job *j)
{
    enum rc rc = db_savepoint(m->writer, &j->err);

    if (rc != RC_OK)
        return rc;
    rc = call(m, j);
    if (rc == RC_OK)
        rc = db_release(m->writer, &j->err);
    if (rc != RC_OK)
        db_rollback_to(m->writer);
    return rc;
}

static enum rc try_together(struct meta *m, struct lane_job **jobs, size_t n)
{
    enum rc rc = db_begin(m->writer, NULL);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        struct meta_job *j = CONTAINER_OF(jobs[i], struct meta_job, lane);

        j->rc = call_in_savepoint(m, j);
    }
    rc = db_commit(m->writer, NULL);
    if (rc != RC_OK)
        db_rollback(m->writer);
    return rc;
}

static enum rc try_one(struct meta *m, struct meta_job *j)
{
    enum rc rc = db_begin(m->writer, &j->err);

    if (rc != RC_OK)
        return rc;
    rc = call(m, j);
    if (rc == RC_OK)
        rc = db_commit(m->writer, &j->err);
    if (rc != RC_OK)
        db_rollback(m->writer);
    return rc;
}

/* In a transaction of its own, again when the database asks for that. */
static void run_one(struct meta *m, struct meta_job *j)
{
    j->rc = RC_UNAVAILABLE;
    for (unsigned i = 0; j->rc == RC_UNAVAILABLE && i < ATTEMPTS; i++)
        j->rc = try_one(m, j);
}

static void run_together(struct meta *m, struct lane_job **jobs, size_t n)
{
    if (n > 1 && try_together(m, jobs, n) == RC_OK)
        return;
    /* One of them may have spoilt it for the others. */
    for (size_t i = 0; i < n; i++)
        run_one(m, CONTAINER_OF(jobs[i], struct meta_job, lane));
}

/* A mark on the jobs that may share a transaction; run_batch never calls it. */
NORETURN static void run_shared(struct lane_job *j)
{
    (void)j;
    abort();
}

/* Jobs that share a commit, in their order; whatever else stands on the lane runs between two
 * commits. */
static void run_batch(void *ctx, struct lane_job **jobs, size_t n)
{
    size_t begin = 0;

    for (size_t i = 0; i < n; i++)
        if (jobs[i]->run != run_shared) {
            run_together(ctx, jobs + begin, i - begin);
            jobs[i]->run(jobs[i]);
            begin = i + 1;
        }
    run_together(ctx, jobs + begin, n - begin);
}

enum rc meta_write_submit(struct meta *m, struct meta_job *j, struct err *e)
{
    j->rc = RC_INTERNAL;
    j->err = (struct err){0};
    j->lane.run = run_shared;
    return lane_submit(m->write, &j->lane, e);
}

/* --- writing from a work thread --- */

struct waiting {
    struct meta_job job;
    struct meta *meta;
    void (*commit)(void *arg); /* of meta_write_alone, or NULL */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;
    enum rc lane_rc;
};

static void run_alone(struct lane_job *lane)
{
    struct waiting *w = CONTAINER_OF(lane, struct waiting, job.lane);

    run_one(w->meta, &w->job);
    if (w->job.rc == RC_OK && w->commit)
        w->commit(w->job.arg);
}

static void wake(struct lane_job *lane, enum rc rc)
{
    struct waiting *w = CONTAINER_OF(lane, struct waiting, job.lane);

    pthread_mutex_lock(&w->lock);
    w->lane_rc = rc;
    w->ended = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static enum rc wait_for(struct waiting *w, struct err *e)
{
    pthread_mutex_lock(&w->lock);
    while (!w->ended)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    if (w->lane_rc != RC_OK)
        return err_set(e, w->lane_rc, "the database is too busy");
    if (w->job.rc != RC_OK && e)
        *e = w->job.err;
    return w->job.rc;
}

static enum rc write_and_wait(struct meta *m, struct waiting *w, struct err *e)
{
    w->meta = m;
    w->job.lane.done = wake;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    enum rc rc = lane_submit(m->write, &w->job.lane, e);

    if (rc == RC_OK)
        rc = wait_for(w, e);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    return rc;
}

enum rc meta_write(struct meta *m, const struct uuid *key, meta_fn *fn, void *arg, struct err *e)
{
    struct waiting w = {.job = {.lane = {.key = *key, .run = run_shared}, .fn = fn, .arg = arg}};

    return write_and_wait(m, &w, e);
}

enum rc meta_write_alone(struct meta *m, meta_fn *fn, void (*commit)(void *arg), void *arg,
                         struct err *e)
{
    struct waiting w = {.job = {.lane = {.run = run_alone}, .fn = fn, .arg = arg},
                        .commit = commit};

    return write_and_wait(m, &w, e);
}
