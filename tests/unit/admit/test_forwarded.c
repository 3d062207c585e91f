#include "test.h"

#include "admit/forwarded.h"

static const struct cidr trusted[] = {
    {{4, {10, 0, 0, 0}}, 24},
    {{4, {192, 168, 0, 1}}, 32},
    {{6, {0xfd}}, 8},
};
static const struct forwarded_trust trust = {trusted, ARRAY_LEN(trusted)};

static void client_is(const char *value, const char *address, uint16_t port)
{
    struct ip_addr found = {0};
    uint16_t found_port = 0;
    char out[IP_TEXT_MAX];

    assert_int_equal(forwarded_client(str_from(value), &trust, &found, &found_port, NULL), RC_OK);
    assert_str(ip_format(&found, out), address);
    assert_int_equal(found_port, port);
}

static void the_rightmost_hop_that_is_not_trusted_is_the_client(void **state)
{
    (void)state;
    client_is("203.0.113.9", "203.0.113.9", 0);
    client_is("203.0.113.9, 10.0.0.7", "203.0.113.9", 0);
    client_is("203.0.113.9,10.0.0.7 ,\t192.168.0.1", "203.0.113.9", 0);
    client_is("2001:db8::1, fd00::1", "2001:db8::1", 0);
}

static void what_the_client_itself_wrote_is_not_looked_at(void **state)
{
    (void)state;
    client_is("10.1.0.4, 203.0.113.9", "203.0.113.9", 0);
    client_is("garbage, 203.0.113.9, 10.0.0.7", "203.0.113.9", 0);
    client_is("127.0.0.1,,203.0.113.9", "203.0.113.9", 0);
    client_is("198.51.100.1, 10.0.1.7, 10.0.0.7", "10.0.1.7", 0); /* next to a trusted network */
}

static void the_leftmost_is_the_client_when_all_are_trusted(void **state)
{
    (void)state;
    client_is("10.0.0.9, 10.0.0.7", "10.0.0.9", 0);
}

static void ports_and_brackets_are_understood(void **state)
{
    (void)state;
    client_is("203.0.113.9:4711", "203.0.113.9", 4711);
    client_is("[2001:db8::7]:4711", "2001:db8::7", 4711);
    client_is("[2001:db8::7]", "2001:db8::7", 0);
    client_is("203.0.113.9:1, 10.0.0.7:2", "203.0.113.9", 1);
    client_is("::ffff:203.0.113.9", "203.0.113.9", 0);
}

static void anything_else_is_nobody(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        ",",
        "203.0.113.9,",
        "203.0.113.9, ,10.0.0.7",
        "unknown",
        "_hidden",
        "unknown, 10.0.0.7",
        "203.0.113.9:",
        "203.0.113.9:65536",
        "203.0.113.9:+1",
        "203.0.113.9:000001",
        "203.0.113.9/32",
        "203.0.113.09",
        "203.0.113",
        "[203.0.113.9]",
        "[2001:db8::7",
        "[2001:db8::7]x",
        "[2001:db8::7]:",
        "[]",
        "2001:db8::7]",
        "fe80::1%eth0",
        "\"203.0.113.9\"",
        "for=203.0.113.9",
        "203.0.113.9 10.0.0.7",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct ip_addr found = {.family = 9};
        uint16_t port = 7;

        if (forwarded_client(str_from(bad[i]), &trust, &found, &port, NULL) != RC_INVALID)
            fail_msg("'%s' is somebody", bad[i]);
        assert_int_equal(found.family, 9);
        assert_int_equal(port, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rightmost_hop_that_is_not_trusted_is_the_client),
        cmocka_unit_test(what_the_client_itself_wrote_is_not_looked_at),
        cmocka_unit_test(the_leftmost_is_the_client_when_all_are_trusted),
        cmocka_unit_test(ports_and_brackets_are_understood),
        cmocka_unit_test(anything_else_is_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
