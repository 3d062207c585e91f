/* Transactions: batches, savepoints, configuration changes. */
#include "fixture.h"

#include "meta/account.h"
#include "meta/tx.h"
#include <pthread.h>

static const struct uuid someone = {{1}};

struct setting {
    const char *name, *value;
    enum rc end; /* what the function returns after its change */
    unsigned runs;
    struct arena *arena;
    struct str found;
};

static enum rc write_setting(struct meta_tx *tx, void *arg, struct err *e)
{
    struct setting *s = arg;
    enum rc rc = meta_setting_put(tx, s->name, str_from(s->value), e);

    s->runs++;
    return rc == RC_OK && s->end != RC_OK ? err_set(e, s->end, "as %s wished", s->name) : rc;
}

static enum rc read_setting(struct meta_tx *tx, void *arg, struct err *e)
{
    struct setting *s = arg;

    return meta_setting_get(tx, s->arena, s->name, &s->found, e);
}

static enum rc look(struct meta_fixture *f, const char *name, struct str *ret)
{
    struct setting s = {.name = name, .arena = &f->arena};
    enum rc rc = meta_read(f->meta, read_setting, &s, NULL);

    *ret = s.found;
    return rc;
}

static void what_was_written_is_read_by_every_connection(void **state)
{
    struct meta_fixture *f = *state;
    struct setting s = {.name = "a", .value = "1"};
    struct str found;

    assert_int_equal(meta_write(f->meta, &someone, write_setting, &s, NULL), RC_OK);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(look(f, "a", &found), RC_OK);
        assert_str(found, "1");
    }
}

static void a_function_that_fails_changes_nothing_and_says_why(void **state)
{
    struct meta_fixture *f = *state;
    struct setting s = {.name = "a", .value = "1", .end = RC_DENIED};
    struct err e = {0};
    struct str found;

    assert_int_equal(meta_write(f->meta, &someone, write_setting, &s, &e), RC_DENIED);
    assert_string_equal(e.text, "as a wished");
    assert_int_equal(look(f, "a", &found), RC_NOT_FOUND);
}

static void what_was_written_is_there_after_opening_again(void **state)
{
    struct meta_fixture *f = *state;
    struct setting s = {.name = "a", .value = "kept"};
    struct str found;

    assert_int_equal(meta_write(f->meta, &someone, write_setting, &s, NULL), RC_OK);
    meta_close(f->meta);
    f->meta = NULL;
    assert_int_equal(meta_open(f->url, &f->meta, NULL), RC_OK);
    assert_int_equal(look(f, "a", &found), RC_OK);
    assert_str(found, "kept");
}

/* --- batches: the lane is held until all jobs wait, so that they share one commit --- */

struct held {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool running, go;
    unsigned done;
};

static enum rc hold(struct meta_tx *tx, void *arg, struct err *e)
{
    struct held *h = arg;

    (void)tx;
    (void)e;
    pthread_mutex_lock(&h->lock);
    h->running = true;
    pthread_cond_broadcast(&h->changed);
    while (!h->go)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
    return RC_OK;
}

struct batch_job {
    struct meta_job job;
    struct setting setting;
    struct held *held;
};

static void job_done(struct lane_job *lane, enum rc rc)
{
    struct batch_job *b = CONTAINER_OF(lane, struct batch_job, job.lane);

    assert_int_equal(rc, RC_OK);
    pthread_mutex_lock(&b->held->lock);
    b->held->done++;
    pthread_cond_broadcast(&b->held->changed);
    pthread_mutex_unlock(&b->held->lock);
}

enum { JOBS = 5 };

static void submit_together(struct meta_fixture *f, struct held *h, struct batch_job *jobs)
{
    struct batch_job first = {.held = h, .job = {.fn = hold, .arg = h, .lane.done = job_done}};

    *h = (struct held){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    assert_int_equal(meta_write_submit(f->meta, &first.job, NULL), RC_OK);
    pthread_mutex_lock(&h->lock);
    while (!h->running)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i].held = h;
        jobs[i].job.lane.done = job_done;
        jobs[i].job.arg = &jobs[i].setting;
        if (!jobs[i].job.fn)
            jobs[i].job.fn = write_setting;
        assert_int_equal(meta_write_submit(f->meta, &jobs[i].job, NULL), RC_OK);
    }
    pthread_mutex_lock(&h->lock);
    h->go = true;
    pthread_cond_broadcast(&h->changed);
    while (h->done < JOBS + 1)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static void in_a_batch_the_good_ones_are_committed_and_the_bad_one_is_not(void **state)
{
    struct meta_fixture *f = *state;
    struct batch_job jobs[JOBS] = {{.setting = {.name = "a", .value = "1"}},
                                   {.setting = {.name = "b", .value = "1"}},
                                   {.setting = {.name = "c", .value = "1", .end = RC_CONFLICT}},
                                   {.setting = {.name = "d", .value = "1"}},
                                   {.setting = {.name = "e", .value = "1"}}};
    struct held h;
    struct str found;

    submit_together(f, &h, jobs);
    for (unsigned i = 0; i < JOBS; i++) {
        enum rc want = jobs[i].setting.end;

        assert_int_equal(jobs[i].job.rc, want);
        assert_int_equal(jobs[i].setting.runs, 1);
        assert_int_equal(look(f, jobs[i].setting.name, &found),
                         want == RC_OK ? RC_OK : RC_NOT_FOUND);
    }
    assert_string_equal(jobs[2].job.err.text, "as c wished");
}

static enum rc ask_again(struct meta_tx *tx, void *arg, struct err *e)
{
    struct setting *s = arg;
    enum rc rc = meta_setting_put(tx, s->name, STR("1"), e);

    s->runs++;
    return rc == RC_OK ? err_set(e, RC_UNAVAILABLE, "again, please") : rc;
}

static void a_function_is_run_again_a_few_times_when_the_database_asks_for_it(void **state)
{
    struct meta_fixture *f = *state;
    struct setting s = {.name = "again"};
    struct str found;

    assert_int_equal(meta_write(f->meta, &someone, ask_again, &s, NULL), RC_UNAVAILABLE);
    assert_int_equal(s.runs, 3);
    assert_int_equal(look(f, "again", &found), RC_NOT_FOUND);
}

/* What SQLite does by itself when the disk is full: the transaction of all ends. */
static enum rc spoil(struct meta_tx *tx, void *arg, struct err *e)
{
    static const struct db_statement rollback = {DB_STATEMENTS_MAX, "rollback", "ROLLBACK"};
    struct setting *s = arg;

    s->runs++;
    assert_int_equal(db_exec(tx->conn, &rollback, NULL, 0, NULL, NULL), RC_OK);
    return err_set(e, RC_QUOTA, "the disk is full");
}

static void one_that_ends_the_transaction_of_all_harms_only_itself(void **state)
{
    struct meta_fixture *f = *state;
    struct batch_job jobs[JOBS] = {{.setting = {.name = "a", .value = "1"}},
                                   {.setting = {.name = "b", .value = "1"}},
                                   {.setting = {.name = "c"}, .job.fn = spoil},
                                   {.setting = {.name = "d", .value = "1"}},
                                   {.setting = {.name = "e", .value = "1"}}};
    struct held h;
    struct str found;

    submit_together(f, &h, jobs);
    for (unsigned i = 0; i < JOBS; i++) {
        assert_int_equal(jobs[i].job.rc, i == 2 ? RC_QUOTA : RC_OK);
        assert_int_equal(look(f, jobs[i].setting.name, &found), i == 2 ? RC_NOT_FOUND : RC_OK);
    }
    assert_string_equal(jobs[2].job.err.text, "the disk is full");
}

/* --- configuration changes --- */

struct change {
    struct setting setting;
    struct meta_fixture *f;
    bool seen_committed;
    unsigned committed;
};

static enum rc change_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    struct change *c = arg;

    return write_setting(tx, &c->setting, e);
}

static void publish(void *arg)
{
    struct change *c = arg;
    struct str found;

    c->committed++;
    c->seen_committed = look(c->f, c->setting.name, &found) == RC_OK;
}

static void a_change_is_published_after_its_commit(void **state)
{
    struct change c = {.setting = {.name = "rules", .value = "2"}, .f = *state};

    assert_int_equal(meta_write_alone(c.f->meta, change_fn, publish, &c, NULL), RC_OK);
    assert_int_equal(c.committed, 1);
    assert_true(c.seen_committed);
}

static void a_change_that_fails_is_not_published(void **state)
{
    struct change c = {.setting = {.name = "rules", .value = "2", .end = RC_INVALID}, .f = *state};
    struct err e = {0};
    struct str found;

    assert_int_equal(meta_write_alone(c.f->meta, change_fn, publish, &c, &e), RC_INVALID);
    assert_string_equal(e.text, "as rules wished");
    assert_int_equal(c.committed, 0);
    assert_int_equal(look(c.f, "rules", &found), RC_NOT_FOUND);
}

static void a_database_in_memory_is_refused(void **state)
{
    struct meta *m = NULL;

    (void)state;
    assert_int_equal(meta_open("sqlite::memory:", &m, NULL), RC_UNSUPPORTED);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        META_TEST(what_was_written_is_read_by_every_connection),
        META_TEST(a_function_that_fails_changes_nothing_and_says_why),
        META_TEST(what_was_written_is_there_after_opening_again),
        META_TEST(in_a_batch_the_good_ones_are_committed_and_the_bad_one_is_not),
        META_TEST(a_function_is_run_again_a_few_times_when_the_database_asks_for_it),
        META_TEST(one_that_ends_the_transaction_of_all_harms_only_itself),
        META_TEST(a_change_is_published_after_its_commit),
        META_TEST(a_change_that_fails_is_not_published),
        cmocka_unit_test(a_database_in_memory_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
