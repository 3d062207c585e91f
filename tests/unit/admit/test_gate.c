/* What a client meets before it is asked who it is. */
#include "server.h"
#include <errno.h>
#include <sys/socket.h>

#define ALLOW_BLUE                                                                                 \
    "{\"defaultAction\":\"Deny\",\"virtualNetworkRules\":[{\"id\":\"/n\",\"uuid\":\"" BLUE_SUBNET  \
    "\"}]}"
#define ALLOW_RED                                                                                  \
    "{\"defaultAction\":\"Deny\",\"virtualNetworkRules\":[{\"id\":\"/n\",\"uuid\":\"" RED_SUBNET   \
    "\"}]}"
#define DENY        "{\"defaultAction\":\"Deny\"}"
#define ALLOW       "{\"defaultAction\":\"Allow\"}"
#define REPORT_ONLY "{\"defaultAction\":\"Deny\",\"enforcement\":\"ReportOnly\"}"

static const char denial_main[] =
    "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"client with IP '127.0.0.1' is not allowed "
    "access. Ask the registry's administrator for a network rule to grant access.\",\"detail\":"
    "{\"origin\":\"public\",\"ip\":\"127.0.0.1\",\"reason\":\"default-action\"}}]}\n";

static void expect_status(struct admit_server *s, enum door door, const char *line, unsigned status)
{
    struct answer a = ask(s, door, line, HOST_ONE, "");

    if (a.status != status)
        fail_msg("%s at door %d: %u, not %u", line, (int)door, a.status, status);
    answer_done(&a);
}

static void a_host_that_is_nobodys_gets_one_fixed_answer(void **state)
{
    static const char *const lines[] = {"GET /v2/", "PUT /v2/a/manifests/b", "GET /../%zz",
                                        "BREW /"};
    struct admit_server *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct answer a = ask(s, DOOR_MAIN, lines[i], "none.registry.test", "");

        assert_int_equal(a.status, 404);
        assert_str(buf_str(&a.body),
                   "{\"errors\":[{\"code\":\"NOT_FOUND\",\"message\":\"no server of "
                   "that name\",\"detail\":null}]}\n");
        assert_str(answer_field(&a, "Content-Type"), "application/json");
        answer_done(&a);
    }
}

static void a_refused_client_gets_the_gates_answer_whatever_it_sends(void **state)
{
    static const char *const lines[] = {
        "GET /v2/",
        "GET /nothing",
        "POST /v2/a/blobs/uploads/",
        "DELETE /v2/",
        "GET /a/../b",
        "GET /%zz",
        "BREW /v2/",
        "OPTIONS *",
        "CONNECT a:443",
        "GET /oauth2/token?service=x",
        "PUT /v2/a/manifests/b",
    };
    struct admit_server *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct answer a = ask(s, DOOR_MAIN, lines[i], HOST_ONE, "");

        if (a.status != 403)
            fail_msg("%s: %u", lines[i], a.status);
        assert_str(buf_str(&a.body), denial_main);
        assert_str(answer_field(&a, "Content-Type"), "application/json");
        assert_null(answer_field(&a, "WWW-Authenticate").ptr);
        answer_done(&a);
    }
}

static void a_refused_head_gets_status_and_length(void **state)
{
    struct admit_server *s = *state;
    struct client c;

    client_open(&c, &s->ports[DOOR_MAIN]);
    struct answer a = ask_on(&c, "HEAD /v2/", HOST_ONE, "");
    uint64_t length = 0;

    assert_int_equal(a.status, 403);
    assert_int_equal(str_to_u64(answer_field(&a, "Content-Length"), &length), RC_OK);
    assert_int_equal(length, strlen(denial_main));
    answer_done(&a);
    a = ask_on(&c, "GET /v2/", HOST_ONE, ""); /* nothing was left in between */
    assert_int_equal(a.status, 403);
    answer_done(&a);
    client_close(&c);
}

static void credentials_do_not_open_the_gate(void **state)
{
    struct admit_server *s = *state;
    struct answer a = ask(s, DOOR_MAIN, "GET /v2/", HOST_ONE, "Authorization: Bearer x\r\n");

    assert_int_equal(a.status, 403);
    answer_done(&a);
}

static void a_header_that_names_another_address_changes_nothing(void **state)
{
    struct admit_server *s = *state;

    server_rules(s, "{\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"203.0.113.1\"}]}");
    struct answer a = ask(s, DOOR_MAIN, "GET /v2/", HOST_ONE,
                          "X-Forwarded-For: 203.0.113.1\r\nForwarded: for=203.0.113.1\r\n");

    assert_int_equal(a.status, 403);
    answer_done(&a);
}

static void one_address_in_two_networks_is_told_apart(void **state)
{
    struct admit_server *s = *state;

    server_rules(s, ALLOW_BLUE);
    expect_status(s, DOOR_BLUE, "GET /v2/", 401);
    expect_status(s, DOOR_RED, "GET /v2/", 403);
    expect_status(s, DOOR_MAIN, "GET /v2/", 403);
    server_rules(s, ALLOW_RED);
    expect_status(s, DOOR_BLUE, "GET /v2/", 403);
    expect_status(s, DOOR_RED, "GET /v2/", 401);
    expect_status(s, DOOR_MAIN, "GET /v2/", 403);
}

static void the_next_request_on_an_open_connection_obeys_a_change(void **state)
{
    static const struct {
        const char *rules;
        unsigned status;
    } steps[] = {{ALLOW_BLUE, 401}, {DENY, 403}, {ALLOW_BLUE, 401}, {ALLOW_RED, 403}, {ALLOW, 401}};
    struct admit_server *s = *state;
    struct client c;

    client_open(&c, &s->ports[DOOR_BLUE]);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        server_rules(s, steps[i].rules);
        struct answer a = ask_on(&c, "GET /v2/", HOST_ONE, "");

        assert_int_equal(a.status, steps[i].status);
        answer_done(&a);
    }
    client_close(&c);
}

static void a_network_that_goes_closes_the_gate_on_open_connections(void **state)
{
    struct admit_server *s = *state;
    struct client c;

    server_rules(s, ALLOW_BLUE);
    client_open(&c, &s->ports[DOOR_BLUE]);
    struct answer a = ask_on(&c, "GET /v2/", HOST_ONE, "");

    assert_int_equal(a.status, 401);
    answer_done(&a);
    put(&s->i, ATTACHMENT_TYPE, "blue", "00000000-0000-4000-8000-0000000000b1", NULL);
    a = ask_on(&c, "GET /v2/", HOST_ONE, "");
    assert_int_equal(a.status, 403);
    assert_non_null(memmem(a.body.ptr, a.body.len, "\"unidentified\"", 14));
    answer_done(&a);
    client_close(&c);
}

static void report_only_refuses_nobody(void **state)
{
    CLEANUP(buf_done) struct buf metrics = BUF_INIT(65536);
    struct admit_server *s = *state;

    server_rules(s, REPORT_ONLY);
    expect_status(s, DOOR_MAIN, "GET /v2/", 401);
    admit_render_metrics(s->admit, &metrics);
    assert_non_null(strstr(buf_cstr(&metrics),
                           "kidoban_gate_reported_by_registry_total{registry=\"one\","
                           "origin=\"public\",reason=\"default-action\"} 1\n"));
}

static void refusals_are_counted_by_registry_and_reason(void **state)
{
    CLEANUP(buf_done) struct buf metrics = BUF_INIT(65536);
    struct admit_server *s = *state;

    for (int i = 0; i < 30; i++)
        expect_status(s, DOOR_MAIN, "GET /v2/", 403);
    admit_render_metrics(s->admit, &metrics);
    assert_non_null(strstr(buf_cstr(&metrics),
                           "kidoban_gate_denied_by_registry_total{registry=\"one\",origin="
                           "\"public\",reason=\"default-action\"} 30\n"));
}

static void the_subnet_is_named_only_where_the_operator_wants_it(void **state)
{
    struct admit_server *s = *state;
    struct answer a = ask(s, DOOR_BLUE, "GET /v2/", HOST_ONE, "");

    assert_int_equal(a.status, 403);
    assert_non_null(memmem(a.body.ptr, a.body.len, "\"origin\":\"subnet\"", 17));
    assert_null(memmem(a.body.ptr, a.body.len, "virtualNetworks", 15));
    answer_done(&a);
}

static void full_detail_names_the_subnet(void **state)
{
    struct admit_server *s = *state;
    struct answer a = ask(s, DOOR_BLUE, "GET /v2/", HOST_ONE, "");

    assert_non_null(
        strstr(buf_cstr(&a.body), "\"subnet\":\"" GROUP_ID NETWORK_TYPE "/blue/subnets/n\"}}]}"));
    answer_done(&a);
}

static void addresses_and_localhost_are_the_default_registry(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.1:5443", "localhost:5443",
                                        "192.0.2.9", "[::1]:5443"};
    struct admit_server *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct answer a = ask(s, DOOR_MAIN, "GET /v2/", hosts[i], "");

        assert_int_equal(a.status, 401); /* registry two is open */
        assert_non_null(memmem(a.head.ptr, a.head.len, "service=\"two.registry.test:5443\"", 32));
        answer_done(&a);
    }
}

static void paths_and_methods_are_looked_at_behind_the_gate(void **state)
{
    struct admit_server *s = *state;

    server_rules(s, ALLOW);
    expect_status(s, DOOR_MAIN, "GET /nothing", 404);
    expect_status(s, DOOR_MAIN, "GET /healthz", 404); /* another class's route */
    expect_status(s, DOOR_MAIN, "GET /subscriptions", 404);
    expect_status(s, DOOR_MAIN, "GET /a/../b", 400);
    struct answer a = ask(s, DOOR_MAIN, "DELETE /v2/", HOST_ONE, "");

    assert_int_equal(a.status, 405);
    assert_str(answer_field(&a, "Allow"), "GET, HEAD");
    answer_done(&a);
}

/* --- what is under way --- */

#define ADMIN_BASIC                                                                                \
    "Authorization: Basic MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMGQxOnNlY3JldA==\r\n"

static enum rc read_pushed(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct str value;

    (void)arg;
    return meta_setting_get(tx, &a, "pushed", &value, e);
}

static void a_push_let_in_before_a_change_does_not_commit_after_it(void **state)
{
    struct admit_server *s = *state;
    struct client c;

    server_rules(s, ALLOW_BLUE);
    push_begin(s, &c, DOOR_BLUE, ADMIN_BASIC);
    server_rules(s, DENY);
    struct answer a = push_end(s, &c);

    assert_int_equal(a.status, 403);
    assert_non_null(
        memmem(a.body.ptr, a.body.len, "client with IP '127.0.0.1' is not allowed access.", 49));
    assert_int_equal(meta_read(s->i.meta, read_pushed, NULL, NULL), RC_NOT_FOUND);
    answer_done(&a);
}

static void a_push_that_is_still_allowed_commits(void **state)
{
    struct admit_server *s = *state;
    struct client c;

    server_rules(s, ALLOW_BLUE);
    push_begin(s, &c, DOOR_BLUE, ADMIN_BASIC);
    server_rules(s, ALLOW);
    struct answer a = push_end(s, &c);

    assert_int_equal(a.status, 201);
    assert_int_equal(meta_read(s->i.meta, read_pushed, NULL, NULL), RC_OK);
    answer_done(&a);
}

static void a_push_to_a_registry_that_was_made_anew_does_not_commit(void **state)
{
    struct admit_server *s = *state;
    struct client c;

    server_rules(s, ALLOW);
    push_begin(s, &c, DOOR_MAIN, ADMIN_BASIC);
    put(&s->i, REGISTRY_TYPE, "one", ONE, NULL);
    put(&s->i, REGISTRY_TYPE, "one", "00000000-0000-4000-8000-000000000009", OPEN);
    struct answer a = push_end(s, &c);

    assert_int_equal(a.status, 404);
    assert_int_equal(meta_read(s->i.meta, read_pushed, NULL, NULL), RC_NOT_FOUND);
    answer_done(&a);
}

/* True when the connection ended by a reset. */
static bool reads_until_cut(struct client *c)
{
    char bytes[65536];
    ssize_t n;

    while ((n = recv(c->fd, bytes, sizeof(bytes), 0)) > 0)
        continue;
    return n < 0 && errno == ECONNRESET;
}

static void a_download_whose_origin_lost_access_is_cut(void **state)
{
    struct admit_server *s = *state;
    struct client c;

    server_rules(s, ALLOW_BLUE);
    client_open(&c, &s->ports[DOOR_BLUE]);
    client_send(&c, STR("GET /v2/a/blobs/b HTTP/1.1\r\nHost: " HOST_ONE "\r\n" ADMIN_BASIC "\r\n"));
    assert_true(client_take(&c, "HTTP/1.1 200 OK\r\n"));
    server_rules(s, ALLOW_RED);
    assert_true(reads_until_cut(&c));
    client_close(&c);
}

static void an_upload_whose_origin_lost_access_is_told_why(void **state)
{
    struct admit_server *s = *state;
    struct client c;
    struct answer a;

    server_rules(s, ALLOW_BLUE);
    client_open(&c, &s->ports[DOOR_BLUE]);
    client_send(&c, STR("PATCH /v2/a/blobs/uploads/b HTTP/1.1\r\nHost: " HOST_ONE "\r\n" ADMIN_BASIC
                        "Content-Length: 200000000\r\n\r\nten bytes."));
    fix_wait_for(&s->entered, 10);
    server_rules(s, ALLOW_RED);
    client_answer(&c, &a, false);
    assert_int_equal(a.status, 403);
    assert_non_null(
        memmem(a.body.ptr, a.body.len, "client with IP '127.0.0.1' is not allowed access.", 49));
    assert_true(client_at_end(&c));
    answer_done(&a);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_host_that_is_nobodys_gets_one_fixed_answer),
        SERVER_TEST(a_refused_client_gets_the_gates_answer_whatever_it_sends),
        SERVER_TEST(a_refused_head_gets_status_and_length),
        SERVER_TEST(credentials_do_not_open_the_gate),
        SERVER_TEST(a_header_that_names_another_address_changes_nothing),
        SERVER_TEST(one_address_in_two_networks_is_told_apart),
        SERVER_TEST(the_next_request_on_an_open_connection_obeys_a_change),
        SERVER_TEST(a_network_that_goes_closes_the_gate_on_open_connections),
        SERVER_TEST(report_only_refuses_nobody),
        SERVER_TEST(refusals_are_counted_by_registry_and_reason),
        SERVER_TEST(the_subnet_is_named_only_where_the_operator_wants_it),
        cmocka_unit_test_setup_teardown(full_detail_names_the_subnet, server_setup_full_detail,
                                        server_teardown),
        SERVER_TEST(addresses_and_localhost_are_the_default_registry),
        SERVER_TEST(paths_and_methods_are_looked_at_behind_the_gate),
        SERVER_TEST(a_push_let_in_before_a_change_does_not_commit_after_it),
        SERVER_TEST(a_push_that_is_still_allowed_commits),
        SERVER_TEST(a_push_to_a_registry_that_was_made_anew_does_not_commit),
        SERVER_TEST(a_download_whose_origin_lost_access_is_cut),
        SERVER_TEST(an_upload_whose_origin_lost_access_is_told_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
