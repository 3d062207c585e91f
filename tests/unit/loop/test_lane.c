#include "test.h"

#include "loop/lane.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

/* A lane whose thread stands still until the test lets it go, so that what waits is known. */
struct yard {
    struct lane *lane;
    sem_t busy, go;
    pthread_mutex_t lock;
    char order[64];
    size_t len;
    unsigned refused, batches, largest;
};

struct work {
    struct lane_job job;
    struct yard *yard;
    char letter;
    bool ended, holds;
    enum rc rc;
    pthread_t on;
};

static void work_run(struct lane_job *j)
{
    struct work *w = CONTAINER_OF(j, struct work, job);

    if (w->holds) {
        sem_post(&w->yard->busy);
        sem_wait(&w->yard->go);
        return;
    }
    pthread_mutex_lock(&w->yard->lock);
    w->yard->order[w->yard->len++] = w->letter;
    pthread_mutex_unlock(&w->yard->lock);
}

static void work_done(struct lane_job *j, enum rc rc)
{
    struct work *w = CONTAINER_OF(j, struct work, job);

    pthread_mutex_lock(&w->yard->lock);
    w->ended = true;
    w->rc = rc;
    w->on = pthread_self();
    w->yard->refused += rc != RC_OK;
    pthread_mutex_unlock(&w->yard->lock);
}

static struct work work_make(struct yard *y, char letter, uint8_t key)
{
    return (struct work){
        .job = {.key = {{key}}, .run = work_run, .done = work_done}, .yard = y, .letter = letter};
}

static void yard_open(struct yard *y, const struct lane_limits *limits,
                      const struct lane_batch *batch)
{
    struct lane_limits patient = *limits;

    if (patient.expiry_ms == 0)
        patient.expiry_ms = 600 * 1000; /* however slow this machine is */
    *y = (struct yard){.lock = PTHREAD_MUTEX_INITIALIZER};
    sem_init(&y->busy, 0, 0);
    sem_init(&y->go, 0, 0);
    assert_int_equal(lane_new("test", &patient, batch, &y->lane, NULL), RC_OK);
}

static bool has_ended(struct work *w)
{
    pthread_mutex_lock(&w->yard->lock);
    bool ended = w->ended;

    pthread_mutex_unlock(&w->yard->lock);
    return ended;
}

/* In a lane of little patience a thread that comes late finds it too old: then once more. */
static void yard_hold(struct yard *y, struct work *w)
{
    do {
        *w = work_make(y, '-', 255);
        w->holds = true;
        assert_int_equal(lane_submit(y->lane, &w->job, NULL), RC_OK);
        while (sem_trywait(&y->busy) != 0 && !has_ended(w))
            sched_yield();
    } while (has_ended(w));
}

static enum rc nothing(void *arg, struct err *e)
{
    (void)arg;
    (void)e;
    return RC_OK;
}

/* Lets the thread go and waits until everything queued before has ended. */
static void yard_flush(struct yard *y, uint8_t last_key)
{
    struct uuid key = {{last_key}};

    sem_post(&y->go);
    assert_int_equal(lane_call(y->lane, &key, nothing, NULL, NULL), RC_OK);
}

static void yard_close(struct yard *y)
{
    lane_free(y->lane);
    sem_destroy(&y->busy);
    sem_destroy(&y->go);
}

static void keys_take_turns_and_each_keeps_its_order(void **state)
{
    struct yard y;
    struct work hold, w[6];
    static const char letters[] = "abcxyp";
    static const uint8_t keys[] = {1, 1, 1, 2, 2, 3};

    (void)state;
    yard_open(&y, &(struct lane_limits){1, 100, 100}, NULL);
    yard_hold(&y, &hold);
    for (size_t i = 0; i < 6; i++) {
        w[i] = work_make(&y, letters[i], keys[i]);
        assert_int_equal(lane_submit(y.lane, &w[i].job, NULL), RC_OK);
    }
    assert_int_equal(lane_depth(y.lane), 7);
    yard_flush(&y, 1);
    assert_string_equal(y.order, "axpbyc");
    yard_close(&y);
    assert_int_equal(y.refused, 0);
}

static void a_full_queue_or_share_refuses_at_once(void **state)
{
    struct yard y;
    struct work hold, w[4];
    struct err e = {0};

    (void)state;
    yard_open(&y, &(struct lane_limits){1, 3, 2}, NULL);
    yard_hold(&y, &hold);
    for (size_t i = 0; i < 4; i++)
        w[i] = work_make(&y, 'a', i < 3 ? 1 : 2);
    assert_int_equal(lane_submit(y.lane, &w[0].job, &e), RC_OK);
    assert_int_equal(lane_submit(y.lane, &w[1].job, &e), RC_OK);
    assert_int_equal(lane_submit(y.lane, &w[2].job, &e), RC_UNAVAILABLE);
    assert_int_equal(lane_submit(y.lane, &w[3].job, &e), RC_OK);
    w[2].job.key = (struct uuid){{3}};
    assert_int_equal(lane_submit(y.lane, &w[2].job, &e), RC_UNAVAILABLE);
    assert_false(w[2].ended);
    sem_post(&y.go);
    yard_close(&y);
}

static void wait_for_end(struct work *w)
{
    while (!has_ended(w))
        sched_yield();
}

static void what_waited_too_long_is_refused_even_while_every_thread_is_stuck(void **state)
{
    struct yard y;
    struct work hold, old[3];

    (void)state;
    yard_open(&y, &(struct lane_limits){.threads = 1, .queue = 9, .per_key = 9, .expiry_ms = 20},
              NULL);
    yard_hold(&y, &hold);
    for (uint8_t i = 0; i < 3; i++) {
        old[i] = work_make(&y, 'a', i / 2);
        assert_int_equal(lane_submit(y.lane, &old[i].job, NULL), RC_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        wait_for_end(&old[i]);
        assert_int_equal(old[i].rc, RC_UNAVAILABLE);
    }
    assert_false(hold.ended);
    assert_int_equal(lane_depth(y.lane), 1);
    sem_post(&y.go);
    wait_for_end(&hold);
    assert_int_equal(hold.rc, RC_OK);
    assert_int_equal(y.len, 0);
    yard_close(&y);
}

static void batch_run(void *ctx, struct lane_job **jobs, size_t n)
{
    struct yard *y = ctx;

    y->batches++;
    y->largest = n > y->largest ? (unsigned)n : y->largest;
    for (size_t i = 0; i < n; i++)
        jobs[i]->run(jobs[i]);
}

static void jobs_that_wait_run_together_where_that_is_cheaper(void **state)
{
    struct yard y;
    struct work hold, w[5];

    (void)state;
    yard_open(&y, &(struct lane_limits){1, 100, 100},
              &(struct lane_batch){.ctx = &y, .run = batch_run, .max = 4});
    yard_hold(&y, &hold);
    for (size_t i = 0; i < 5; i++) {
        w[i] = work_make(&y, (char)('a' + i), 1);
        assert_int_equal(lane_submit(y.lane, &w[i].job, NULL), RC_OK);
    }
    yard_flush(&y, 1);
    assert_string_equal(y.order, "abcde");
    assert_int_equal(y.largest, 4);
    yard_close(&y);
    assert_true(y.batches <= 4); /* the one held, four, and two at most for the rest */
}

static void homing_done(struct lane_job *j, enum rc rc)
{
    struct work *w = CONTAINER_OF(j, struct work, job);

    work_done(j, rc);
    loop_stop(w->job.home);
}

static void done_runs_on_the_loop_that_asked(void **state)
{
    struct yard y;
    struct work w;
    struct loop *loop = NULL;

    (void)state;
    assert_int_equal(loop_new(0, &loop, NULL), RC_OK);
    yard_open(&y, &(struct lane_limits){2, 10, 10}, NULL);
    w = work_make(&y, 'a', 1);
    w.job.home = loop;
    w.job.done = homing_done;
    assert_int_equal(lane_submit(y.lane, &w.job, NULL), RC_OK);
    loop_run(loop);
    assert_true(w.ended && w.rc == RC_OK);
    assert_true(pthread_equal(w.on, pthread_self()));
    yard_close(&y);
    loop_free(loop);
}

static enum rc fails(void *arg, struct err *e)
{
    *(pthread_t *)arg = pthread_self();
    return err_set(e, RC_CONFLICT, "no");
}

static void a_call_brings_back_what_the_function_said(void **state)
{
    struct yard y;
    struct err e = {0};
    pthread_t on = pthread_self();

    (void)state;
    yard_open(&y, &(struct lane_limits){1, 1, 1}, NULL);
    assert_int_equal(lane_call(y.lane, &(struct uuid){{1}}, fails, &on, &e), RC_CONFLICT);
    assert_string_equal(e.text, "no");
    assert_false(pthread_equal(on, pthread_self()));
    yard_close(&y);
}

static void *release_later(void *arg)
{
    struct yard *y = arg;

    while (lane_depth(y->lane) > 1) /* until lane_free has refused what waits */
        sched_yield();
    sem_post(&y->go);
    return NULL;
}

static void ending_a_lane_finishes_what_runs_and_refuses_what_waits(void **state)
{
    struct yard y;
    struct work hold, w;
    pthread_t releaser;

    (void)state;
    yard_open(&y, &(struct lane_limits){1, 10, 10}, NULL);
    yard_hold(&y, &hold);
    w = work_make(&y, 'a', 1);
    assert_int_equal(lane_submit(y.lane, &w.job, NULL), RC_OK);
    assert_int_equal(pthread_create(&releaser, NULL, release_later, &y), 0);
    yard_close(&y);
    pthread_join(releaser, NULL);
    assert_true(hold.ended && hold.rc == RC_OK);
    assert_true(w.ended && w.rc == RC_UNAVAILABLE);
    assert_int_equal(y.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_take_turns_and_each_keeps_its_order),
        cmocka_unit_test(a_full_queue_or_share_refuses_at_once),
        cmocka_unit_test(what_waited_too_long_is_refused_even_while_every_thread_is_stuck),
        cmocka_unit_test(jobs_that_wait_run_together_where_that_is_cheaper),
        cmocka_unit_test(done_runs_on_the_loop_that_asked),
        cmocka_unit_test(a_call_brings_back_what_the_function_said),
        cmocka_unit_test(ending_a_lane_finishes_what_runs_and_refuses_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
