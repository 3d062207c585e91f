/* Listeners of the server, alone and with a helper whose part the test plays. */
#include "../origin/world.h"

#include "app/helper_queue.h"
#include "app/listeners.h"
#include "app/main_sockets.h"
#include "base/clock.h"
#include "base/metric.h"
#include "sys/fd.h"
#include "sys/sock.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLUE_NETWORK  "\"virtualNetwork\":{\"id\":\"" NETWORK_ID("blue") "\"}"
#define ONE           UUID_TEXT("b1")
#define OLD           UUID_TEXT("b9")
#define HELPER_LOST   "the privileged helper has ended, or hangs: restart the server"
#define HELPER_SILENT "the privileged helper does not answer: restart the server"
#define NOT_ANSWERED                                                                               \
    "the privileged helper has not answered yet: if that stays so, restart the server"

struct yard {
    struct serve_options options;
    struct loop *loops[2];
    struct listeners *listeners;
    int helper, ours; /* the ends of the test and of the server */
    unsigned pulse_ms;
};

static void accepted(void *ctx, struct net_stream *s)
{
    (void)ctx;
    net_stream_close(s);
}

static int set_up(void **state)
{
    struct yard *y = calloc(1, sizeof(*y));
    struct listen_option any = {.addr = {4, {127, 0, 0, 1}}, .plain = true};

    assert_non_null(y);
    y->options =
        (struct serve_options){.listen = {any}, .n_listen = 1, .control = any, .metrics = any};
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(loop_new(i, &y->loops[i], NULL), RC_OK);
    y->helper = y->ours = -1;
    y->pulse_ms = 3600 * 1000;
    *state = y;
    return 0;
}

static int tear_down(void **state)
{
    struct yard *y = *state;

    listeners_free(y->listeners);
    fd_close(y->helper);
    fd_close(y->ours);
    for (unsigned i = 0; i < 2; i++)
        loop_free(y->loops[i]);
    free(y);
    return 0;
}

static enum rc yard_open(struct yard *y, int helper_fd, struct err *e)
{
    const struct listeners_config c = {
        .options = &y->options,
        .helper_fd = helper_fd,
        .pulse_ms = y->pulse_ms,
        .loops = y->loops,
        .n_loops = 2,
        .accepted = accepted,
    };

    return listeners_new(&c, &y->listeners, e);
}

static struct origin_table *one_attachment(const char *place)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    struct str body = arena_printf(
        &a,
        "{\"kind\":\"netns\",\"services\":[\"data\"],\"netns\":{\"name\":\"%s\"}," BLUE_NETWORK "}",
        place);

    assert_int_equal(world_attachment(b, "one", ONE, body.ptr), RC_OK);
    return origin_table_build(b);
}

static enum listener_state state_of(struct yard *y, const char *uuid, const char *reason)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
    enum listener_state state = LISTENER_LISTENING;
    struct uuid u = world_uuid(uuid);

    assert_int_equal(listeners_state(y->listeners, &u, &state, &text), RC_OK);
    assert_string_equal(buf_cstr(&text), reason);
    return state;
}

/* --- alone --- */

static void a_server_without_a_helper_opens_its_own_and_says_where(void **state)
{
    struct yard *y = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    struct str all, line;

    assert_int_equal(yard_open(y, -1, NULL), RC_OK);
    listeners_describe(y->listeners, &text);
    all = buf_str(&text);
    line = str_split(&all, '\n');
    assert_true(str_starts(line, STR("listening on 127.0.0.1:")));
    assert_true(str_ends(line, STR(" (data, plain)")));
    assert_false(str_starts(line, STR("listening on 127.0.0.1:0 ")));
    line = str_split(&all, '\n');
    assert_true(str_ends(line, STR(" (control, plain)")));
    line = str_split(&all, '\n');
    assert_true(str_ends(line, STR(" (metrics, plain)")));
    assert_int_equal(all.len, 0);
}

static void without_a_helper_attachments_fail_and_say_what_to_do(void **state)
{
    struct yard *y = *state;
    struct origin_table *t = one_attachment("blue");
    struct uuid nobody = world_uuid(OLD);

    assert_int_equal(yard_open(y, -1, NULL), RC_OK);
    listeners_attachments(y->listeners, t);
    assert_int_equal(state_of(y, ONE, "needs the privileged helper: start as root"),
                     LISTENER_FAILED);
    assert_int_equal(listeners_state(y->listeners, &nobody, NULL, NULL), RC_NOT_FOUND);
    origin_table_unref(t);
}

/* --- with a helper --- */

static void helper_say(struct yard *y, const struct helper_message *m, int fd)
{
    assert_int_equal(fd_send(y->helper, m, sizeof(*m), fd, NULL), RC_OK);
    fd_close(fd);
}

static bool helper_hear(struct yard *y, struct helper_message *m)
{
    int fd = -1;
    enum rc rc = fd_recv(y->helper, m, sizeof(*m), &fd, NULL);

    assert_int_equal(fd, -1);
    assert_true(rc == RC_OK || rc == RC_UNAVAILABLE);
    if (rc == RC_OK)
        assert_int_equal(helper_request_check(m, NULL), RC_OK);
    return rc == RC_OK;
}

static int some_listener(void)
{
    const struct sock_listen at = {.addr = {4, {127, 0, 0, 1}}};
    int fd = -1;

    assert_int_equal(sock_listen(&at, &fd, NULL), RC_OK);
    return fd;
}

static struct helper_message told(const char *uuid, const char *place, enum helper_state s)
{
    struct helper_message m = {
        .version = HELPER_VERSION,
        .type = HELPER_STATE,
        .key = world_uuid(uuid),
        .kind = HELPER_NETNS,
        .service = HELPER_DATA,
        .family = 4,
        .state = (uint8_t)s,
        .port = 5443,
    };

    assert_int_equal(str_copy(str_from(place), m.name, sizeof(m.name)), RC_OK);
    return m;
}

/* A helper that has one main listener and one of an attachment from before. */
static void yard_with_helper(struct yard *y)
{
    const struct helper_message main_one = {
        .version = HELPER_VERSION, .type = HELPER_MAIN, .service = HELPER_DATA, .port = 5443};
    const struct helper_message ready = {.version = HELPER_VERSION, .type = HELPER_READY};
    const struct helper_message old = told(OLD, "old", HELPER_LISTENING);
    struct helper_message hello;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    y->ours = pair[0];
    y->helper = pair[1];
    assert_int_equal(fd_nonblocking(y->helper, NULL), RC_OK);
    helper_say(y, &main_one, some_listener());
    helper_say(y, &old, some_listener());
    helper_say(y, &ready, -1);
    assert_int_equal(yard_open(y, pair[0], NULL), RC_OK);
    assert_true(helper_hear(y, &hello));
    assert_int_equal(hello.type, HELPER_HELLO);
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

/* Lets the main loop hear what was said; a timer of 1 ms runs after what is readable already. */
static void yard_turn(struct yard *y)
{
    struct loop_timer *t = loop_timer_new(y->loops[0], stop, y->loops[0]);

    for (int i = 0; i < 3; i++) {
        loop_timer_start(t, 1);
        loop_run(y->loops[0]);
    }
    loop_timer_free(t);
}

static void listeners_of_an_earlier_server_are_kept_or_given_back(void **state)
{
    struct yard *y = *state;
    struct origin_table *t = one_attachment("blue");
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    struct helper_message m;

    yard_with_helper(y);
    listeners_describe(y->listeners, &text);
    assert_string_equal(buf_cstr(&text), "listening on 127.0.0.1:5443 (data, plain)\n");
    assert_int_equal(state_of(y, OLD, ""), LISTENER_LISTENING);
    listeners_attachments(y->listeners, t);
    for (int family = 4; family <= 6; family += 2) {
        assert_true(helper_hear(y, &m));
        assert_int_equal(m.type, HELPER_OPEN);
        assert_int_equal(m.family, family);
        assert_string_equal(m.name, "blue");
    }
    assert_true(helper_hear(y, &m));
    assert_int_equal(m.type, HELPER_CLOSE);
    assert_memory_equal(m.key.bytes, world_uuid(OLD).bytes, 16);
    assert_false(helper_hear(y, &m));
    listeners_attachments(y->listeners, t); /* the same again */
    assert_false(helper_hear(y, &m));
    origin_table_unref(t);
}

static void an_attachment_is_as_well_as_the_worst_of_its_listeners(void **state)
{
    struct yard *y = *state;
    struct origin_table *t = one_attachment("blue");
    struct helper_message m = told(ONE, "blue", HELPER_LISTENING);

    yard_with_helper(y);
    listeners_attachments(y->listeners, t);
    assert_int_equal(state_of(y, ONE, NOT_ANSWERED), LISTENER_WAITING);
    helper_say(y, &m, some_listener());
    m.family = 6;
    m.state = HELPER_FAILED;
    m.error = EADDRINUSE;
    helper_say(y, &m, -1);
    yard_turn(y);
    assert_int_equal(state_of(y, ONE, "cannot listen in blue: Address already in use"),
                     LISTENER_FAILED);
    m.error = EAFNOSUPPORT; /* no IPv6 there is no failure */
    helper_say(y, &m, -1);
    yard_turn(y);
    assert_int_equal(state_of(y, ONE, ""), LISTENER_LISTENING);
    m = told(ONE, "blue", HELPER_WAITING);
    helper_say(y, &m, -1);
    yard_turn(y);
    assert_int_equal(state_of(y, ONE, "there is no network namespace blue now"), LISTENER_WAITING);
    origin_table_unref(t);
}

static void an_attachment_that_moves_is_closed_before_it_is_opened(void **state)
{
    struct yard *y = *state;
    struct origin_table *blue = one_attachment("blue"), *red = one_attachment("red");
    struct helper_message m, late = told(ONE, "blue", HELPER_LISTENING);

    yard_with_helper(y);
    listeners_attachments(y->listeners, blue);
    while (helper_hear(y, &m))
        ;
    listeners_attachments(y->listeners, red);
    assert_true(helper_hear(y, &m));
    assert_int_equal(m.type, HELPER_CLOSE);
    assert_true(helper_hear(y, &m));
    assert_int_equal(m.type, HELPER_OPEN);
    assert_string_equal(m.name, "red");
    helper_say(y, &late, some_listener()); /* sent before it heard of the move */
    yard_turn(y);
    assert_int_equal(state_of(y, ONE, NOT_ANSWERED), LISTENER_WAITING);
    late = told(ONE, "red", HELPER_WAITING);
    helper_say(y, &late, -1);
    yard_turn(y);
    assert_int_equal(state_of(y, ONE, "there is no network namespace red now"), LISTENER_WAITING);
    origin_table_unref(blue);
    origin_table_unref(red);
}

/* As long as the helper reads nothing, nobody waits for it: what its socket does not take comes
 * when there is room, in order. */
static void what_a_busy_helper_cannot_take_yet_comes_later(void **state)
{
    enum { MOVES = 2000 };
    struct yard *y = *state;
    struct origin_table *places[] = {one_attachment("blue"), one_attachment("red")};
    struct helper_message m;
    unsigned heard = 0;

    yard_with_helper(y);
    for (int i = 0; i < MOVES; i++)
        listeners_attachments(y->listeners, places[i % 2]);
    for (int quiet = 0; quiet < 3; quiet++) {
        for (; helper_hear(y, &m); heard++, quiet = 0) {
            /* open, open; then close, open, open each time; the close of the one from before */
            unsigned at = heard < 2 ? heard + 1 : heard == 2 ? 0 : heard % 3;
            const char *name = (heard < 3 ? 0 : heard / 3 % 2) ? "red" : "blue";

            assert_int_equal(m.type, at == 0 ? HELPER_CLOSE : HELPER_OPEN);
            assert_string_equal(m.name, at == 0 ? "" : name);
            assert_int_equal(m.family, at == 0 ? 0 : at == 1 ? 4 : 6);
        }
        yard_turn(y);
    }
    assert_int_equal(heard, 3 * MOVES);
    for (size_t i = 0; i < 2; i++)
        origin_table_unref(places[i]);
}

static void a_helper_that_takes_nothing_at_all_is_given_up(void **state)
{
    struct yard *y = *state;
    struct origin_table *places[] = {one_attachment("blue"), one_attachment("red")};

    yard_with_helper(y);
    for (unsigned i = 0; i < HELPER_QUEUE_MAX; i++)
        listeners_attachments(y->listeners, places[i % 2]);
    assert_int_equal(state_of(y, ONE, HELPER_LOST), LISTENER_FAILED);
    for (size_t i = 0; i < 2; i++)
        origin_table_unref(places[i]);
}

/* Turns, with an answer each time or without, until the attachment's reason is this one. */
static bool comes_to_say(struct yard *y, bool answers, const char *reason)
{
    const struct helper_message pong = {.version = HELPER_VERSION, .type = HELPER_PONG};
    int64_t end = clock_mono_us() + 60 * CLOCK_US_PER_S;
    struct uuid one = world_uuid(ONE);

    while (clock_mono_us() < end) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
        enum listener_state state = LISTENER_FAILED;

        if (answers)
            helper_say(y, &pong, -1);
        yard_turn(y);
        assert_int_equal(listeners_state(y->listeners, &one, &state, &text), RC_OK);
        assert_int_equal(state, LISTENER_LISTENING);
        if (strcmp(buf_cstr(&text), reason) == 0)
            return true;
    }
    return false;
}

static void a_helper_that_hangs_is_told_of_until_it_answers_again(void **state)
{
    struct yard *y = *state;
    struct origin_table *t = one_attachment("blue");
    struct helper_message m = told(ONE, "blue", HELPER_LISTENING);

    y->pulse_ms = 20;
    yard_with_helper(y);
    listeners_attachments(y->listeners, t);
    helper_say(y, &m, some_listener());
    m.family = 6;
    helper_say(y, &m, some_listener());
    assert_int_equal(metric_value(METRIC_HELPER_SILENT), 0);
    yard_turn(y);
    assert_true(comes_to_say(y, false, HELPER_SILENT));
    assert_int_equal(metric_value(METRIC_HELPER_SILENT), 1);
    while (helper_hear(y, &m) && m.type != HELPER_PING)
        ;
    assert_int_equal(m.type, HELPER_PING);
    assert_true(comes_to_say(y, true, ""));
    origin_table_unref(t);
}

static void a_helper_that_ends_leaves_the_listeners_that_there_are(void **state)
{
    struct yard *y = *state;
    struct origin_table *t = one_attachment("blue");
    struct helper_message m = told(ONE, "blue", HELPER_LISTENING);

    yard_with_helper(y);
    listeners_attachments(y->listeners, t);
    helper_say(y, &m, some_listener());
    m.family = 6;
    helper_say(y, &m, some_listener());
    yard_turn(y);
    fd_close(y->helper);
    y->helper = -1;
    yard_turn(y);
    assert_int_equal(state_of(y, ONE, ""), LISTENER_LISTENING);
    origin_table_unref(t);
}

static void what_waits_for_a_helper_that_has_ended_fails(void **state)
{
    struct yard *y = *state;
    struct origin_table *t = one_attachment("blue");

    yard_with_helper(y);
    listeners_attachments(y->listeners, t);
    fd_close(y->helper);
    y->helper = -1;
    yard_turn(y);
    assert_int_equal(state_of(y, ONE, HELPER_LOST), LISTENER_FAILED);
    origin_table_unref(t);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_server_without_a_helper_opens_its_own_and_says_where),
        T(without_a_helper_attachments_fail_and_say_what_to_do),
        T(listeners_of_an_earlier_server_are_kept_or_given_back),
        T(an_attachment_is_as_well_as_the_worst_of_its_listeners),
        T(an_attachment_that_moves_is_closed_before_it_is_opened),
        T(what_a_busy_helper_cannot_take_yet_comes_later),
        T(a_helper_that_takes_nothing_at_all_is_given_up),
        T(what_waits_for_a_helper_that_has_ended_fails),
        T(a_helper_that_hangs_is_told_of_until_it_answers_again),
        T(a_helper_that_ends_leaves_the_listeners_that_there_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
