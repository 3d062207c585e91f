/* What ends before it is over: downloads and uploads that are cut, a server that drains; and what
 * does not, on a machine that stood still. */
#include "http_test.h"

static void cut_one(void *ctx, struct http_request *req)
{
    *(enum http_cut *)ctx = http_cut(req);
}

static void cut_all(struct fix *f, void *arg)
{
    http_server_each(f->server, f->loop, cut_one, arg);
}

static void a_download_is_cut_with_a_reset(void **state)
{
    struct fix *f = *state;
    enum http_cut cut = HTTP_CUT_LATER;
    CLIENT c;
    ANSWER a;

    client_open(&c, f);
    client_send(&c, STR(GET("/file")));
    while (cut == HTTP_CUT_LATER) /* until it is being sent */
        fix_on_loop(f, cut_all, &cut);
    assert_int_equal(cut, HTTP_CUT_RESET);
    fix_settled(f);
    client_answer(&c, &a, false);
    assert_true(a.body.len < FIX_FILE_SIZE && c.ended);
}

static void an_upload_is_cut_with_an_answer(void **state)
{
    struct fix *f = *state;
    enum http_cut cut = HTTP_CUT_LATER;
    CLIENT c;

    client_open(&c, f);
    client_send(&c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc"));
    fix_uploaded(f, 3);
    fix_on_loop(f, cut_all, &cut);
    assert_int_equal(cut, HTTP_CUT_REFUSED);
    take_answer(&c, 403, NULL);
    assert_true(client_at_end(&c));
    assert_int_equal(atomic_load(&f->abort_reason), RC_DENIED);
}

static void an_upload_that_is_cut_before_its_body_is_wanted_is_not_waited_for(void **state)
{
    struct fix *f = *state;
    enum http_cut cut = HTTP_CUT_RESET;
    CLIENT c;

    fix_hold(f, true);
    client_open(&c, f);
    client_send(&c, STR("PUT /late HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc"));
    fix_wait_for(&f->entered, 1);
    fix_on_loop(f, cut_all, &cut);
    assert_int_equal(cut, HTTP_CUT_LATER);
    fix_hold(f, false);
    take_answer(&c, 403, NULL);
    assert_true(client_at_end(&c));
    assert_int_equal(atomic_load(&f->abort_reason), RC_DENIED);
    assert_int_equal(atomic_load(&f->uploaded), 0);
}

static void a_handler_at_work_is_asked_before_its_answer_leaves(void **state)
{
    struct fix *f = *state;
    enum http_cut cut = HTTP_CUT_RESET;
    CLIENT c;

    fix_hold(f, true);
    client_open(&c, f);
    client_send(&c, STR(GET("/wait")));
    fix_wait_for(&f->entered, 1);
    fix_on_loop(f, cut_all, &cut);
    assert_int_equal(cut, HTTP_CUT_LATER);
    assert_int_equal(atomic_load(&f->answering), 0);
    fix_hold(f, false);
    take_answer(&c, 200, "waited");
    assert_int_equal(atomic_load(&f->answering), 1);
}

static void count_left(struct fix *f, void *arg)
{
    *(size_t *)arg = http_server_drain(f->server, f->loop);
}

static void draining_ends_what_is_idle_and_finishes_what_is_not(void **state)
{
    struct fix *f = *state;
    size_t left = 0;
    CLIENT idle;
    CLIENT busy;
    ANSWER a;

    client_open(&idle, f);
    client_send(&idle, STR(GET("/hot")));
    take_answer(&idle, 200, "hello");
    fix_hold(f, true);
    client_open(&busy, f);
    client_send(&busy, STR(GET("/wait")));
    fix_wait_for(&f->entered, 1);
    fix_on_loop(f, count_left, &left);
    assert_true(left >= 1);
    assert_true(client_at_end(&idle));
    fix_hold(f, false);
    client_answer(&busy, &a, false);
    assert_str(buf_str(&a.body), "waited");
    assert_str(answer_field(&a, "Connection"), "close");
    assert_true(client_at_end(&busy));
}

struct stall {
    struct fix *fix;
    struct client client;
    struct loop_timer *timer;
    struct loop_task task;
    atomic_bool over;
};

static void end_the_head(struct loop_task *task)
{
    struct stall *s = CONTAINER_OF(task, struct stall, task);

    client_send(&s->client, STR("st: h\r\n\r\n"));
    atomic_store(&s->over, true);
}

/* In the turn after this one, when the time for the head is over. */
static void end_it_later(struct loop_task *task)
{
    struct stall *s = CONTAINER_OF(task, struct stall, task);

    s->task.run = end_the_head;
    loop_defer(s->fix->loop, task);
}

static void stand_still(void *ctx)
{
    struct timespec pause = {1, 300 * 1000 * 1000};
    struct stall *s = ctx;

    nanosleep(&pause, NULL);
    loop_timer_free(s->timer);
    s->task.run = end_it_later;
    loop_defer(s->fix->loop, &s->task);
}

/* On the server's own loop, so that the client stands still with it. */
static void begin_a_head(struct fix *f, void *arg)
{
    struct stall *s = arg;

    client_send(&s->client, STR("GET /hot HTTP/1.1\r\nHo"));
    s->timer = loop_timer_new(f->loop, stand_still, s);
    loop_timer_start(s->timer, 50); /* the server reads it */
}

/* As on a machine that was suspended. */
static void a_client_that_stood_still_with_the_server_is_heard(void **state)
{
    struct timespec nap = {0, 1000 * 1000};
    struct stall s = {.fix = *state};

    client_open(&s.client, *state);
    fix_on_loop(*state, begin_a_head, &s);
    while (!atomic_load(&s.over))
        nanosleep(&nap, NULL);
    take_answer(&s.client, 200, "hello");
    client_close(&s.client);
}

int main(void)
{
    static struct fix_limits hasty_head = {.head_ms = 600};
    const struct CMUnitTest tests[] = {
        BOTH(a_download_is_cut_with_a_reset),
        BOTH(an_upload_is_cut_with_an_answer),
        BOTH(an_upload_that_is_cut_before_its_body_is_wanted_is_not_waited_for),
        BOTH(a_handler_at_work_is_asked_before_its_answer_leaves),
        BOTH(draining_ends_what_is_idle_and_finishes_what_is_not),
        BOTH_WITH(a_client_that_stood_still_with_the_server_is_heard, &hasty_head),
    };

    return cmocka_run_group_tests_name("http cuts", tests, NULL, NULL);
}
