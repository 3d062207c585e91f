/* Sockets, namespaces. With root, in a mount namespace of their own. */
#include "private_run.h"
#include "test.h"

#include "sys/fd.h"
#include "sys/netns.h"
#include "sys/sock.h"
#include "sys/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>

static struct ip_addr ip(const char *text)
{
    struct ip_addr a = {0};

    assert_int_equal(ip_parse(str_from(text), &a, NULL), RC_OK);
    return a;
}

/* Connects to the listener over loopback; returns the accepted end. */
static int connect_and_accept(int listener, int *ret_client)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
    int client = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(client, (struct sockaddr *)&sa, len), 0);
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    assert_true(accepted >= 0);
    *ret_client = client;
    return accepted;
}

static void a_connection_shows_addresses_and_interface(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct sock_listen l = {.addr = ip(addresses[i]), .flags = SOCK_PKTINFO};
        struct ip_addr local, peer, client_local;
        uint16_t port, peer_port, client_port;
        unsigned lo = 0;
        char name[16];
        int fd = -1, client;

        assert_int_equal(sock_listen(&l, &fd, NULL), RC_OK);
        assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        int accepted = connect_and_accept(fd, &client);

        assert_int_equal(sock_local(accepted, &local, &port, NULL), RC_OK);
        assert_int_equal(sock_peer(accepted, &peer, &peer_port, NULL), RC_OK);
        assert_int_equal(sock_local(client, &client_local, &client_port, NULL), RC_OK);
        assert_true(ip_eq(&local, &l.addr));
        assert_true(ip_eq(&peer, &l.addr));
        assert_int_equal(peer_port, client_port);
        assert_int_equal(ifindex_of("lo", &lo, NULL), RC_OK);
        assert_int_equal(sock_arrival_ifindex(accepted), lo);
        sock_interface_name(accepted, lo, name);
        assert_string_equal(name, "lo");
        sock_interface_name(accepted, 0, name);
        assert_string_equal(name, "");
        assert_int_equal(sock_mark(accepted), 0);
        fd_close(accepted);
        fd_close(client);
        fd_close(fd);
    }
}

static void without_the_flag_the_interface_is_unknown(void **state)
{
    struct sock_listen l = {.addr = ip("127.0.0.1")};
    int fd = -1, client;

    (void)state;
    assert_int_equal(sock_listen(&l, &fd, NULL), RC_OK);
    int accepted = connect_and_accept(fd, &client);

    assert_int_equal(sock_arrival_ifindex(accepted), 0);
    assert_int_equal(sock_arrival_ifindex(-1), 0);
    assert_int_equal(sock_mark(-1), 0);
    fd_close(accepted);
    fd_close(client);
    fd_close(fd);
}

static void an_address_in_use_is_refused_unless_it_is_shared(void **state)
{
    struct sock_listen l = {.addr = ip("127.0.0.1"), .flags = SOCK_REUSEPORT};
    struct ip_addr local;
    int first = -1, second = -1, third = -1;
    struct err e;

    (void)state;
    assert_int_equal(sock_listen(&l, &first, NULL), RC_OK);
    assert_int_equal(sock_local(first, &local, &l.port, NULL), RC_OK);
    assert_int_equal(sock_listen(&l, &second, NULL), RC_OK);
    l.flags = 0;
    assert_int_equal(sock_listen(&l, &third, &e), RC_EXISTS);
    assert_int_equal(third, -1);
    assert_int_equal(e.sys, EADDRINUSE);
    assert_non_null(strstr(e.text, "127.0.0.1"));
    fd_close(first);
    fd_close(second);
}

static void a_socket_can_be_bound_to_a_device_and_not_listen_yet(void **state)
{
    struct sock_listen l = {.addr = ip("0.0.0.0"), .device = "lo", .flags = SOCK_NO_LISTEN};
    int fd = -1, listening = 1;
    socklen_t len = sizeof(listening);
    char device[16] = "";
    socklen_t device_len = sizeof(device);

    (void)state;
    assert_int_equal(sock_listen(&l, &fd, NULL), RC_OK);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &device_len), 0);
    assert_string_equal(device, "lo");
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len), 0);
    assert_int_equal(listening, 0);
    fd_close(fd);
    l.device = "kdb-none";
    assert_int_equal(sock_listen(&l, &fd, NULL), RC_NOT_FOUND);
    l = (struct sock_listen){0};
    assert_int_equal(sock_listen(&l, &fd, NULL), RC_INVALID);
}

/* The kernel chooses the port; of IPv4, another program of this machine may just have it. */
static enum rc listen_on_both(void)
{
    struct sock_listen l = {.addr = ip("::")};
    struct ip_addr local;
    int six = -1, four = -1;

    assert_int_equal(sock_listen(&l, &six, NULL), RC_OK);
    assert_int_equal(sock_local(six, &local, &l.port, NULL), RC_OK);
    l.addr = ip("0.0.0.0");
    enum rc rc = sock_listen(&l, &four, NULL);

    fd_close(six);
    fd_close(four);
    return rc;
}

static void ipv6_listeners_do_not_take_ipv4(void **state)
{
    enum rc rc = RC_EXISTS;

    (void)state;
    for (int i = 0; i < 20 && rc == RC_EXISTS; i++)
        rc = listen_on_both();
    assert_int_equal(rc, RC_OK);
}

static void interfaces_have_names_and_numbers(void **state)
{
    unsigned lo = 0, none = 77;
    char name[16] = "";

    (void)state;
    assert_int_equal(ifindex_of("lo", &lo, NULL), RC_OK);
    assert_int_equal(ifname_of(lo, name, NULL), RC_OK);
    assert_string_equal(name, "lo");
    assert_int_equal(ifindex_of("kdb-none", &none, NULL), RC_NOT_FOUND);
    assert_int_equal(none, 77);
    assert_int_equal(ifname_of(1u << 30, name, NULL), RC_NOT_FOUND);
}

struct visit {
    struct netns_id id;
    enum rc answer;
};

static enum rc visit_netns(void *arg, struct err *e)
{
    struct visit *v = arg;
    enum rc rc = netns_current(&v->id, e);

    return rc == RC_OK ? v->answer : rc;
}

static void a_namespace_is_opened_visited_and_left(void **state)
{
    char path[] = "/run/netns/blue";
    struct netns_id blue = {0}, before = {0}, after = {0};
    struct visit v = {.answer = RC_QUOTA};
    void *failed;
    pthread_t thread;
    int fd = -1;

    (void)state;
    need_private_run(0);
    fd_close(open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0));
    assert_int_equal(netns_open("blue", &fd, &blue, NULL), RC_NOT_FOUND); /* half made */
    assert_int_equal(thread_start(&thread, "netns", make_netns, path, NULL), RC_OK);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(netns_open("blue", &fd, &blue, NULL), RC_OK);
    assert_int_equal(netns_current(&before, NULL), RC_OK);
    assert_int_equal(netns_run(fd, visit_netns, &v, NULL), RC_QUOTA);
    assert_int_equal(netns_current(&after, NULL), RC_OK);
    assert_true(v.id.ino == blue.ino && v.id.dev == blue.dev);
    assert_true(after.ino == before.ino && before.ino != blue.ino);
    fd_close(fd);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = {
        "",    ".",    "..",
        "a/b", "../x", "0123456789012345678901234567890123456789012345678901234567890123"};
    struct netns_id id;
    int fd = -1;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(netns_open(bad[i], &fd, &id, NULL), RC_INVALID);
    assert_int_equal(netns_open("kidoban-never-there", &fd, &id, NULL), RC_NOT_FOUND);
    assert_int_equal(fd, -1);
    int not_netns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

    assert_int_not_equal(netns_run(not_netns, visit_netns, NULL, NULL), RC_OK);
    fd_close(not_netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_shows_addresses_and_interface),
        cmocka_unit_test(without_the_flag_the_interface_is_unknown),
        cmocka_unit_test(an_address_in_use_is_refused_unless_it_is_shared),
        cmocka_unit_test(a_socket_can_be_bound_to_a_device_and_not_listen_yet),
        cmocka_unit_test(ipv6_listeners_do_not_take_ipv4),
        cmocka_unit_test(interfaces_have_names_and_numbers),
        cmocka_unit_test(a_namespace_is_opened_visited_and_left),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
