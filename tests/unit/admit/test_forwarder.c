/* Forwarded headers over the wire: loopback and 192.0.2.0/24 are trusted forwarders. */
#include "server.h"

#define ALLOW_CLIENT                                                                               \
    "{\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"203.0.113.9\",\"action\":\"Allow\"}]}"
#define FORWARDER_TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, server_setup_forwarder, server_teardown)
#define FOR "X-Forwarded-For: "

static bool body_has(struct admit_server *s, enum door door, const char *fields, const char *text)
{
    struct answer a = ask(s, door, "GET /nothing", HOST_ONE, fields);
    bool has = strstr(buf_cstr(&a.body), text) != NULL;

    assert_int_equal(a.status, 403);
    answer_done(&a);
    return has;
}

static void expect(struct admit_server *s, enum door door, const char *fields, unsigned status)
{
    struct answer a = ask(s, door, "GET /nothing", HOST_ONE, fields);

    if (a.status != status)
        fail_msg("%s: %u, not %u", fields, a.status, status);
    answer_done(&a);
}

static void a_trusted_forwarder_speaks_for_its_client(void **state)
{
    struct admit_server *s = *state;

    server_rules(s, ALLOW_CLIENT);
    expect(s, DOOR_MAIN, FOR "203.0.113.9\r\n", 404);
    expect(s, DOOR_MAIN, FOR "203.0.113.9, 192.0.2.8\r\n", 404);
    expect(s, DOOR_MAIN, FOR "203.0.113.9\r\n" FOR "192.0.2.8\r\n", 404);
    assert_true(body_has(s, DOOR_MAIN, FOR "203.0.113.10\r\n",
                         "client with IP '203.0.113.10' is not allowed access."));
    assert_true(body_has(s, DOOR_MAIN, FOR "203.0.113.9, 198.51.100.2\r\n",
                         "client with IP '198.51.100.2' is not allowed access."));
}

static void each_request_of_a_connection_has_its_own_client(void **state)
{
    struct admit_server *s = *state;
    struct client c;
    static const struct {
        const char *fields;
        unsigned status;
    } asked[] = {{FOR "203.0.113.9\r\n", 404},
                 {FOR "203.0.113.10\r\n", 403},
                 {"", 403},
                 {FOR "203.0.113.9\r\n", 404}};

    server_rules(s, ALLOW_CLIENT);
    client_open(&c, &s->ports[DOOR_MAIN]);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct answer a = ask_on(&c, "GET /nothing", HOST_ONE, asked[i].fields);

        assert_int_equal(a.status, asked[i].status);
        answer_done(&a);
    }
    client_close(&c);
}

static void what_cannot_be_read_is_unidentified_and_no_rule_matches_it(void **state)
{
    struct admit_server *s = *state;

    server_rules(s, "{\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"0.0.0.0/0\","
                    "\"action\":\"Allow\"}]}");
    expect(s, DOOR_MAIN, "", 404);
    assert_true(body_has(s, DOOR_MAIN, FOR "unknown\r\n", "\"origin\":\"unidentified\""));
    assert_true(body_has(s, DOOR_MAIN, FOR "\r\n", "client with IP '127.0.0.1' is not"));
    expect(s, DOOR_MAIN, "Forwarded: for=unknown\r\n", 404);
    server_rules(s, "{\"defaultAction\":\"Allow\"}");
    expect(s, DOOR_MAIN, FOR "unknown\r\n", 404);
}

static void a_listener_of_a_network_believes_no_header(void **state)
{
    struct admit_server *s = *state;

    server_rules(s, ALLOW_CLIENT);
    assert_true(body_has(s, DOOR_BLUE, FOR "203.0.113.9\r\n", "client with IP '127.0.0.1'"));
}

static void expect_realm(struct admit_server *s, const char *fields, const char *start)
{
    struct answer a = ask(s, DOOR_MAIN, "GET /v2/", HOST_ONE, fields);

    assert_int_equal(a.status, 401);
    if (!str_starts(answer_field(&a, "WWW-Authenticate"), str_from(start)))
        fail_msg("%s: %.*s", fields, STR_ARG(answer_field(&a, "WWW-Authenticate")));
    answer_done(&a);
}

static void the_scheme_by_which_the_client_came_is_the_forwarders(void **state)
{
    struct admit_server *s = *state;

    server_rules(s, "{\"defaultAction\":\"Allow\"}");
    expect_realm(s, "", "Bearer realm=\"http://one.registry.test:5443/");
    expect_realm(s, "X-Forwarded-Proto: https\r\n",
                 "Bearer realm=\"https://one.registry.test:5443/");
    expect_realm(s, "X-Forwarded-Proto: http\r\n", "Bearer realm=\"http://");
    expect_realm(s, "X-Forwarded-Proto: https, http\r\n", "Bearer realm=\"http://");
    expect_realm(s, "X-Forwarded-Proto: x\"\r\n", "Bearer realm=\"http://");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARDER_TEST(a_trusted_forwarder_speaks_for_its_client),
        FORWARDER_TEST(each_request_of_a_connection_has_its_own_client),
        FORWARDER_TEST(what_cannot_be_read_is_unidentified_and_no_rule_matches_it),
        FORWARDER_TEST(the_scheme_by_which_the_client_came_is_the_forwarders),
        FORWARDER_TEST(a_listener_of_a_network_believes_no_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
