/* The helper's parts. With root, namespaces and devices of the test's own. */
#include "private_run.h"
#include "test.h"

#include "app/helper_table.h"
#include "app/helper_watch.h"
#include "app/main_sockets.h"
#include "sys/fd.h"
#include "sys/sock.h"
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

static struct helper_message request(enum helper_kind kind, const char *name)
{
    struct helper_message m = {
        .version = HELPER_VERSION,
        .type = HELPER_OPEN,
        .key = {{1}},
        .kind = (uint8_t)kind,
        .service = HELPER_DATA,
        .family = 4,
    };

    assert_int_equal(str_copy(str_from(name), m.name, sizeof(m.name)), RC_OK);
    return m;
}

/* --- what the helper believes --- */

static void a_request_that_keeps_every_rule_is_taken(void **state)
{
    struct helper_message m = request(HELPER_NETNS, "blue-1_x.y");

    (void)state;
    assert_int_equal(helper_request_check(&m, NULL), RC_OK);
    m = request(HELPER_DEVICE, "vlan-123456.100");
    m.service = HELPER_CONTROL;
    m.family = 6;
    assert_int_equal(helper_request_check(&m, NULL), RC_OK);
    m = (struct helper_message){.version = HELPER_VERSION, .type = HELPER_HELLO};
    assert_int_equal(helper_request_check(&m, NULL), RC_OK);
    m.type = HELPER_PING;
    assert_int_equal(helper_request_check(&m, NULL), RC_OK);
    m = (struct helper_message){.version = HELPER_VERSION, .type = HELPER_CLOSE, .key = {{1}}};
    assert_int_equal(helper_request_check(&m, NULL), RC_OK);
}

static void a_name_that_could_lead_elsewhere_is_refused(void **state)
{
    static const char *const bad[] = {"..", ".", "a/b", "/etc", "a b", "a\n", "\x7f", "\xc3\xa9"};
    struct helper_message m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        m = request(HELPER_NETNS, bad[i]);
        assert_int_equal(helper_request_check(&m, &e), RC_INVALID);
    }
    m = request(HELPER_DEVICE, "0123456789abcdef"); /* IFNAMSIZ counts the end */
    assert_int_equal(helper_request_check(&m, &e), RC_INVALID);
    m = request(HELPER_NETNS, "blue");
    m.name[6] = 'x'; /* behind the end */
    assert_int_equal(helper_request_check(&m, &e), RC_INVALID);
    memset(m.name, 'a', sizeof(m.name)); /* no end */
    assert_int_equal(helper_request_check(&m, &e), RC_INVALID);
    memset(m.name, 0, sizeof(m.name));
    assert_int_equal(helper_request_check(&m, &e), RC_INVALID);
}

static void ports_identities_and_unknown_numbers_of_the_server_are_refused(void **state)
{
    const struct helper_message good = request(HELPER_NETNS, "blue");
    struct helper_message bad[12];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        bad[i] = good;
    bad[0].port = 22;
    bad[1].ns_ino = 1;
    bad[2].ifindex = 1;
    bad[3].error = 1;
    bad[4].state = HELPER_LISTENING;
    bad[5].kind = 3;
    bad[6].service = HELPER_METRICS;
    bad[7].family = 5;
    bad[8].version = 2;
    bad[9].type = HELPER_MAIN;
    bad[10].key = (struct uuid){{0}};
    bad[11].index = 1;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(helper_request_check(&bad[i], NULL), RC_INVALID);
}

/* --- main sockets --- */

static struct serve_options options_on(uint16_t port)
{
    struct serve_options o = {.n_listen = 1};

    o.listen[0] = (struct listen_option){.addr = {4, {127, 0, 0, 1}}, .port = port};
    o.control = (struct listen_option){.addr = {4, {127, 0, 0, 1}}};
    o.metrics = (struct listen_option){.addr = {4, {127, 0, 0, 1}}, .plain = true};
    return o;
}

static void each_address_gets_as_many_sockets_as_there_are_loops_on_one_port(void **state)
{
    struct serve_options o = options_on(0);
    struct main_sockets m = {0};
    struct ip_addr local;
    uint16_t port = 0;

    (void)state;
    assert_int_equal(main_sockets_open(&o, 3, &m, NULL), RC_OK);
    assert_int_equal(m.n, 9);
    for (size_t i = 0; i < m.n; i++) {
        assert_int_equal(m.list[i].class, i / 3);
        assert_int_equal(m.list[i].port, m.list[i / 3 * 3].port);
        assert_int_equal(sock_local(m.list[i].fd, &local, &port, NULL), RC_OK);
        assert_int_equal(port, m.list[i].port);
    }
    main_sockets_close(&m);
}

static void a_second_server_is_refused_instead_of_sharing_the_port(void **state)
{
    struct serve_options o = options_on(0);
    struct main_sockets first = {0}, second = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(main_sockets_open(&o, 2, &first, NULL), RC_OK);
    o = options_on(first.list[0].port);
    assert_int_equal(main_sockets_open(&o, 2, &second, &e), RC_EXISTS);
    assert_non_null(strstr(e.text, "127.0.0.1"));
    assert_int_equal(second.n, 0);
    main_sockets_close(&first);
}

/* --- namespaces and devices --- */

static void netns_add(const char *name)
{
    char path[128];
    pthread_t thread;
    void *failed = NULL;

    snprintf(path, sizeof(path), "/run/netns/%s", name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fclose(f);
    assert_int_equal(pthread_create(&thread, NULL, make_netns, path), 0);
    pthread_join(thread, &failed);
    assert_null(failed);
}

static void netns_del(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "/run/netns/%s", name);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
    assert_int_equal(unlink(path), 0);
}

static void a_listener_waits_for_its_namespace_and_follows_it(void **state)
{
    struct helper_table t = {.ports = {5443, 8443}};
    struct helper_message m = request(HELPER_NETNS, "blue");

    (void)state;
    need_private_run(CLONE_NEWNET);
    assert_int_equal(helper_table_open(&t, &m, NULL), RC_OK);
    struct helper_entry *n = helper_table_next_untold(&t);

    assert_int_equal(n->state.state, HELPER_WAITING);
    assert_int_equal(n->fd, -1);
    n->told = true;

    netns_add("blue");
    assert_false(helper_table_check(&t));
    assert_ptr_equal(helper_table_next_untold(&t), n);
    assert_int_equal(n->state.state, HELPER_LISTENING);
    assert_int_equal(n->state.port, 5443);
    assert_true(n->fd >= 0 && n->state.ns_ino != 0);
    n->told = true;

    helper_table_check(&t);
    assert_null(helper_table_next_untold(&t)); /* nothing changed, nothing to say */

    netns_del("blue");
    helper_table_check(&t);
    assert_int_equal(n->state.state, HELPER_WAITING);
    assert_true(n->fd == -1 && !n->told && n->state.ns_ino == 0);

    netns_add("blue");
    helper_table_check(&t);
    assert_int_equal(n->state.state, HELPER_LISTENING);
    n->told = true;
    netns_del("blue");
    netns_add("blue"); /* between two looks: the same name is another namespace */
    helper_table_check(&t);
    assert_false(n->told);
    assert_int_equal(n->state.state, HELPER_LISTENING);
    netns_del("blue");
    helper_table_done(&t);
    assert_int_equal(t.n, 0);
}

static void a_port_that_is_taken_in_the_namespace_fails_and_is_tried_again(void **state)
{
    struct helper_table t = {.ports = {5443, 8443}};
    struct helper_message m = request(HELPER_NETNS, "red");

    (void)state;
    need_private_run(CLONE_NEWNET);
    netns_add("red");
    assert_int_equal(helper_table_open(&t, &m, NULL), RC_OK);
    m.key.bytes[0] = 2; /* another attachment, the same place */
    assert_int_equal(helper_table_open(&t, &m, NULL), RC_OK);
    assert_int_equal(t.first->state.state, HELPER_FAILED);
    assert_int_equal(t.first->state.error, EADDRINUSE);
    assert_true(helper_table_check(&t));
    helper_table_close(&t, &(struct uuid){{1}});
    assert_int_equal(t.n, 1);
    assert_false(helper_table_check(&t));
    assert_int_equal(t.first->state.state, HELPER_LISTENING);
    helper_table_done(&t);
    netns_del("red");
}

/* The server takes no state for an answer: a place that cannot be looked at must have one, too. */
static void a_name_that_is_a_symbolic_link_fails_and_says_why(void **state)
{
    struct helper_table t = {.ports = {5443, 8443}};
    struct helper_message m = request(HELPER_NETNS, "linked");

    (void)state;
    need_private_run(CLONE_NEWNET);
    assert_int_equal(symlink("/proc/self/ns/net", "/run/netns/linked"), 0);
    assert_int_equal(helper_table_open(&t, &m, NULL), RC_OK);
    assert_int_equal(t.first->state.state, HELPER_FAILED);
    assert_int_equal(t.first->state.error, ELOOP);
    assert_true(helper_table_check(&t));
    assert_int_equal(unlink("/run/netns/linked"), 0);
    assert_false(helper_table_check(&t));
    assert_int_equal(t.first->state.state, HELPER_WAITING);
    helper_table_done(&t);
}

static void device_flags(const char *name, int flags)
{
    struct ifreq r = {.ifr_flags = (short)flags};
    CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(str_copy(str_from(name), r.ifr_name, sizeof(r.ifr_name)), RC_OK);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
}

static void a_listener_on_a_device_stands_beside_the_main_one(void **state)
{
    struct serve_options o = options_on(0);
    struct main_sockets mains = {0};
    struct helper_message m = request(HELPER_DEVICE, "lo");

    (void)state;
    need_private_run(CLONE_NEWNET);
    device_flags("lo", IFF_UP);
    o.listen[0].addr = (struct ip_addr){.family = 4};
    assert_int_equal(main_sockets_open(&o, 1, &mains, NULL), RC_OK);
    struct helper_table t = {.ports = {mains.list[0].port, 8443}};

    assert_int_equal(helper_table_open(&t, &m, NULL), RC_OK);
    assert_int_equal(t.first->state.state, HELPER_LISTENING);
    assert_int_equal(t.first->state.ifindex, if_nametoindex("lo"));
    helper_table_done(&t);
    main_sockets_close(&mains);
}

static bool changed_within(struct helper_watch *w, int ms)
{
    struct pollfd fds[HELPER_WATCH_FDS];

    helper_watch_fill(w, fds);
    poll(fds, HELPER_WATCH_FDS, ms);
    return helper_watch_changed(w, fds);
}

static void namespaces_and_devices_that_come_and_go_are_noticed(void **state)
{
    struct helper_watch w;

    (void)state;
    need_private_run(CLONE_NEWNET);
    device_flags("lo", 0);
    assert_int_equal(helper_watch_open(&w, NULL), RC_OK);
    assert_false(changed_within(&w, 0));
    netns_add("green");
    assert_true(changed_within(&w, 30 * 1000));
    assert_false(changed_within(&w, 0));
    netns_del("green");
    assert_true(changed_within(&w, 30 * 1000));
    assert_false(changed_within(&w, 0));
    device_flags("lo", IFF_UP);
    assert_true(changed_within(&w, 30 * 1000));
    helper_watch_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_keeps_every_rule_is_taken),
        cmocka_unit_test(a_name_that_could_lead_elsewhere_is_refused),
        cmocka_unit_test(ports_identities_and_unknown_numbers_of_the_server_are_refused),
        cmocka_unit_test(each_address_gets_as_many_sockets_as_there_are_loops_on_one_port),
        cmocka_unit_test(a_second_server_is_refused_instead_of_sharing_the_port),
        cmocka_unit_test(a_listener_waits_for_its_namespace_and_follows_it),
        cmocka_unit_test(a_port_that_is_taken_in_the_namespace_fails_and_is_tried_again),
        cmocka_unit_test(a_name_that_is_a_symbolic_link_fails_and_says_why),
        cmocka_unit_test(a_listener_on_a_device_stands_beside_the_main_one),
        cmocka_unit_test(namespaces_and_devices_that_come_and_go_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
