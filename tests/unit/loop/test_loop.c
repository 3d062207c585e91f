#include "test.h"

#include "base/clock.h"
#include "loop/loop.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <unistd.h>

/* What a callback did, in order, as letters. */
struct trace {
    struct loop *loop;
    char text[64];
    size_t len;
};

struct step {
    struct loop_task task;
    struct trace *trace;
    char letter;
    bool last;
    struct step *then;
};

static int set_up(void **state)
{
    struct trace *t = calloc(1, sizeof(*t));

    *state = t;
    return t ? loop_new(3, &t->loop, NULL) != RC_OK : -1;
}

static int tear_down(void **state)
{
    struct trace *t = *state;

    loop_free(t->loop);
    free(t);
    return 0;
}

static void trace_add(struct trace *t, char letter)
{
    assert_true(t->len < sizeof(t->text) - 1);
    t->text[t->len++] = letter;
}

static void step_run(struct loop_task *task)
{
    struct step *s = CONTAINER_OF(task, struct step, task);

    trace_add(s->trace, s->letter);
    if (s->then)
        loop_defer(s->trace->loop, &s->then->task);
    if (s->last)
        loop_stop(s->trace->loop);
}

static struct step step_make(struct trace *t, char letter)
{
    return (struct step){.task.run = step_run, .trace = t, .letter = letter};
}

static void posted_tasks_run_in_order_and_wake_the_loop(void **state)
{
    struct trace *t = *state;
    struct step a = step_make(t, 'a'), b = step_make(t, 'b'), c = step_make(t, 'c');

    c.last = true;
    loop_post(t->loop, &a.task);
    loop_post(t->loop, &b.task);
    loop_post(t->loop, &c.task);
    loop_run(t->loop);
    assert_string_equal(t->text, "abc");
    assert_int_equal(loop_index(t->loop), 3);
    assert_true(loop_is_current(t->loop));
}

static void a_deferred_task_runs_in_the_next_turn_without_waiting(void **state)
{
    struct trace *t = *state;
    struct step a = step_make(t, 'a'), b = step_make(t, 'b'), end = step_make(t, 'e');

    a.then = &b;
    b.last = true;
    loop_post(t->loop, &a.task);
    loop_turn_end(t->loop, &end.task);
    loop_run(t->loop);
    assert_string_equal(t->text, "eab"); /* the turn that had nothing to do ends first */
}

static void work_for_the_end_of_a_turn_runs_before_the_loop_waits(void **state)
{
    struct trace *t = *state;
    struct step a = step_make(t, 'a'), b = step_make(t, 'b');

    a.then = &b;
    b.last = true;
    loop_turn_end(t->loop, &a.task);
    loop_run(t->loop); /* would hang if the deferred task were forgotten in the wait */
    assert_string_equal(t->text, "ab");
}

enum { POSTS = 20000, POSTERS = 4 };
struct poster {
    struct loop *loop;
    struct counted {
        struct loop_task task;
        struct poster *from;
        unsigned number;
    } * tasks;
    unsigned next, *left;
};

static void counted_run(struct loop_task *task)
{
    struct counted *c = CONTAINER_OF(task, struct counted, task);

    assert_int_equal(c->number, c->from->next);
    c->from->next++;
    if (--*c->from->left == 0)
        loop_stop(c->from->loop);
}

static void *poster_thread(void *arg)
{
    struct poster *p = arg;

    for (unsigned i = 0; i < POSTS; i++) {
        p->tasks[i] = (struct counted){.task.run = counted_run, .from = p, .number = i};
        loop_post(p->loop, &p->tasks[i].task);
    }
    return NULL;
}

static void many_threads_post_and_nothing_is_lost_or_reordered(void **state)
{
    struct trace *t = *state;
    struct poster posters[POSTERS] = {0};
    pthread_t threads[POSTERS];
    unsigned left = POSTS * POSTERS;

    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.loop = t->loop, .left = &left};
        posters[i].tasks = calloc(POSTS, sizeof(*posters[i].tasks));
        assert_non_null(posters[i].tasks);
        assert_int_equal(pthread_create(&threads[i], NULL, poster_thread, &posters[i]), 0);
    }
    loop_run(t->loop);
    for (unsigned i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(posters[i].next, POSTS);
        free(posters[i].tasks);
    }
}

struct watched {
    struct trace *trace;
    struct loop_poll *poll;
    int fd;
    unsigned events, calls;
};

static void watched_stop(void *ctx, unsigned events)
{
    struct watched *w = ctx;

    w->events |= events;
    w->calls++;
    loop_poll_free(w->poll); /* in its own callback */
    close(w->fd);
    loop_stop(w->trace->loop);
}

static void a_descriptor_is_watched_only_for_what_is_wanted(void **state)
{
    struct trace *t = *state;
    struct watched w = {.trace = t, .fd = eventfd(1, EFD_NONBLOCK)};
    struct step end = step_make(t, 'e');

    assert_int_equal(loop_poll_new(t->loop, w.fd, watched_stop, &w, &w.poll, NULL), RC_OK);
    end.last = true;
    loop_poll_want(w.poll, LOOP_READ);
    loop_poll_want(w.poll, 0); /* readable all the time, and nobody wants to know */
    loop_defer(t->loop, &end.task);
    loop_run(t->loop);
    assert_int_equal(w.calls, 0);
    loop_poll_want(w.poll, LOOP_READ);
    loop_run(t->loop);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.events, LOOP_READ);
}

static void an_error_wakes_whoever_wants_anything(void **state)
{
    struct trace *t = *state;
    int pair[2];

    assert_int_equal(pipe(pair), 0);
    struct watched w = {.trace = t, .fd = pair[1]};

    assert_int_equal(loop_poll_new(t->loop, w.fd, watched_stop, &w, &w.poll, NULL), RC_OK);
    loop_poll_want(w.poll, LOOP_WRITE);
    close(pair[0]); /* no reader any more: EPOLLERR */
    loop_run(t->loop);
    assert_int_equal(w.events, LOOP_READ | LOOP_WRITE | LOOP_ERROR);
}

struct alarm {
    struct trace *trace;
    struct loop_timer *timer;
    char letter;
    bool last;
};

static void alarm_fired(void *ctx)
{
    struct alarm *a = ctx;

    trace_add(a->trace, a->letter);
    loop_timer_free(a->timer);
    if (a->last)
        loop_stop(a->trace->loop);
}

static void timers_fire_once_in_the_order_of_their_times(void **state)
{
    struct trace *t = *state;
    struct alarm a = {.trace = t, .letter = 'a', .last = true}, b = {.trace = t, .letter = 'b'},
                 c = {.trace = t, .letter = 'c'};
    int64_t before = clock_mono_us();

    a.timer = loop_timer_new(t->loop, alarm_fired, &a);
    b.timer = loop_timer_new(t->loop, alarm_fired, &b);
    c.timer = loop_timer_new(t->loop, alarm_fired, &c);
    loop_timer_start(a.timer, 1);
    loop_timer_start(b.timer, 2);
    loop_timer_start(a.timer, 20); /* restarted */
    loop_timer_start(c.timer, 1);
    loop_timer_stop(c.timer);
    loop_run(t->loop);
    assert_string_equal(t->text, "ba");
    assert_true(clock_mono_us() - before >= 19000);
    loop_timer_free(c.timer);
}

struct stall {
    struct loop_task task;
    struct alarm *first, *second;
    struct watched *watched;
};

static void something_comes(struct loop_task *task)
{
    struct stall *s = CONTAINER_OF(task, struct stall, task);

    assert_int_equal(eventfd_write(s->watched->fd, 1), 0);
}

/* For longer than a loop may be late; who stood still as well is heard a turn later. */
static void stand_still(struct loop_task *task)
{
    struct stall *s = CONTAINER_OF(task, struct stall, task);
    struct timespec pause = {0, 700 * 1000 * 1000};

    loop_timer_start(s->second->timer, 60);
    loop_timer_start(s->first->timer, 50);
    nanosleep(&pause, NULL);
    s->task.run = something_comes;
    loop_defer(s->watched->trace->loop, &s->task);
}

static void watched_notes(void *ctx, unsigned events)
{
    struct watched *w = ctx;

    w->events |= events;
    trace_add(w->trace, 'x');
    loop_poll_free(w->poll);
    close(w->fd);
}

static void who_stood_still_with_the_loop_is_heard_before_timers_fire(void **state)
{
    struct trace *t = *state;
    struct alarm a = {.trace = t, .letter = 'a', .last = true}, b = {.trace = t, .letter = 'b'};
    struct watched w = {.trace = t, .fd = eventfd(0, EFD_NONBLOCK)};
    struct stall s = {.task.run = stand_still, .first = &b, .second = &a, .watched = &w};

    assert_int_equal(loop_poll_new(t->loop, w.fd, watched_notes, &w, &w.poll, NULL), RC_OK);
    loop_poll_want(w.poll, LOOP_READ);
    a.timer = loop_timer_new(t->loop, alarm_fired, &a);
    b.timer = loop_timer_new(t->loop, alarm_fired, &b);
    loop_defer(t->loop, &s.task);
    loop_run(t->loop);
    assert_string_equal(t->text, "xba");
}

static void signal_caught(void *ctx, int signum)
{
    struct trace *t = ctx;

    assert_int_equal(signum, SIGUSR1);
    trace_add(t, 's');
    loop_stop(t->loop);
}

static void signals_arrive_on_the_loop(void **state)
{
    struct trace *t = *state;
    struct loop_signal *s = NULL;

    assert_int_equal(loop_signal_new(t->loop, SIGUSR1, signal_caught, t, &s, NULL), RC_OK);
    raise(SIGUSR1);
    loop_run(t->loop);
    assert_string_equal(t->text, "s");
    loop_signal_free(s);
}

static void tasks_left_over_run_when_the_loop_is_freed(void **state)
{
    struct trace *t = *state;
    struct step a = step_make(t, 'a'), b = step_make(t, 'b');

    a.then = &b;
    loop_post(t->loop, &a.task);
    loop_free(t->loop);
    t->loop = NULL;
    assert_string_equal(t->text, "ab");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(posted_tasks_run_in_order_and_wake_the_loop),
        T(a_deferred_task_runs_in_the_next_turn_without_waiting),
        T(work_for_the_end_of_a_turn_runs_before_the_loop_waits),
        T(many_threads_post_and_nothing_is_lost_or_reordered),
        T(a_descriptor_is_watched_only_for_what_is_wanted),
        T(an_error_wakes_whoever_wants_anything),
        T(timers_fire_once_in_the_order_of_their_times),
        T(who_stood_still_with_the_loop_is_heard_before_timers_fire),
        T(signals_arrive_on_the_loop),
        T(tasks_left_over_run_when_the_loop_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
