/* Whether what an attachment is known by can come at all. */
#include "need.h"
#include "test.h"

#include "app/heard.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

static enum listener_state state_of(const struct serve_options *o, enum origin_attachment_kind kind,
                                    const char *reason_begins)
{
    CLEANUP(buf_done) struct buf why = BUF_INIT(512);
    enum listener_state state = LISTENER_WAITING;

    assert_int_equal(heard_state(o, kind, &state, &why), RC_OK);
    assert_true(str_starts(buf_str(&why), str_from(reason_begins)));
    assert_int_equal(why.len == 0, reason_begins[0] == '\0');
    return state;
}

static void ranges_need_nothing(void **state)
{
    (void)state;
    assert_int_equal(state_of(&(struct serve_options){0}, ATTACH_RANGE, ""), LISTENER_LISTENING);
}

static void proxies_need_a_listener_that_they_can_speak_to(void **state)
{
    struct serve_options o = {.n_listen = 2};

    (void)state;
    assert_int_equal(state_of(&o, ATTACH_PROXY, "no listener speaks"), LISTENER_FAILED);
    o.listen[1].proxy = true;
    assert_int_equal(state_of(&o, ATTACH_PROXY, ""), LISTENER_LISTENING);
}

static void marks_need_a_kernel_that_hands_them_on(void **state)
{
    const struct serve_options o = {0};
    int fd;

    (void)state;
    need(unshare(CLONE_NEWNET) == 0, "a network namespace of its own");
    assert_int_equal(state_of(&o, ATTACH_MARK, "the sysctl net.ipv4.tcp_fwmark_accept"),
                     LISTENER_FAILED);
    fd = open("/proc/sys/net/ipv4/tcp_fwmark_accept", O_WRONLY | O_CLOEXEC);
    need(fd >= 0, "a kernel that hands marks on");
    assert_int_equal(write(fd, "1", 1), 1);
    close(fd);
    assert_int_equal(state_of(&o, ATTACH_MARK, ""), LISTENER_LISTENING);
}

static void places_are_told_by_their_listeners(void **state)
{
    const struct serve_options o = {0};
    enum listener_state s;

    (void)state;
    assert_int_equal(heard_state(&o, ATTACH_NETNS, &s, NULL), RC_NOT_FOUND);
    assert_int_equal(heard_state(&o, ATTACH_DEVICE, &s, NULL), RC_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_need_nothing),
        cmocka_unit_test(proxies_need_a_listener_that_they_can_speak_to),
        cmocka_unit_test(marks_need_a_kernel_that_hands_them_on),
        cmocka_unit_test(places_are_told_by_their_listeners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
