#include "test.h"

#include "base/ip.h"
#include <netinet/in.h>

static struct ip_addr ip(const char *text)
{
    struct ip_addr a = {0};

    assert_int_equal(ip_parse(str_from(text), &a, NULL), RC_OK);
    return a;
}

static struct cidr cidr(const char *text)
{
    struct cidr c = {0};

    assert_int_equal(cidr_parse(str_from(text), &c, NULL), RC_OK);
    return c;
}

static void addresses_are_written_in_their_canonical_form(void **state)
{
    static const char *const cases[][2] = {
        {"10.1.0.4", "10.1.0.4"},
        {"0.0.0.0", "0.0.0.0"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"::ffff:10.1.0.4", "10.1.0.4"},
        {"::ffff:a01:4", "10.1.0.4"},
        {"::10.1.0.4", "::a01:4"},
        {"64:ff9b::10.1.0.4", "64:ff9b::a01:4"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    char out[IP_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ip_addr a = ip(cases[i][0]);

        assert_str(ip_format(&a, out), cases[i][1]);
    }
}

static void what_is_not_an_address_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "01.2.3.4",
                                      "1.2.3.256",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "0x1.2.3.4",
                                      "fe80::1%eth0",
                                      "[::1]",
                                      ":::",
                                      "1::2::3",
                                      "12345::",
                                      "::g",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "::ffff:1.2.3.04",
                                      "1.2.3.4/32"};
    struct ip_addr a = {.family = 9};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ip_parse(str_from(bad[i]), &a, NULL), RC_INVALID);
    assert_int_equal(ip_parse(STR("1.2.3.4\0"), &a, NULL), RC_INVALID);
    assert_int_equal(ip_parse(STR_NONE, &a, NULL), RC_INVALID);
    assert_int_equal(a.family, 9);
}

static void blocks_are_read_and_written(void **state)
{
    static const char *const cases[][2] = {
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"10.1.2.3", "10.1.2.3/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::/0", "::/0"},
        {"2001:db8::1", "2001:db8::1/128"},
        {"2001:db8::/33", "2001:db8::/33"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"::ffff:0:0/96", "0.0.0.0/0"},
        {"::ffff:10.1.2.3", "10.1.2.3/32"},
    };
    char out[CIDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cidr c = cidr(cases[i][0]);

        assert_str(cidr_format(&c, out), cases[i][1]);
    }
}

static void a_block_with_host_bits_can_be_read_as_the_block_that_was_meant(void **state)
{
    static const char *const cases[][2] = {
        {"10.1.2.3/8", "10.0.0.0/8"},
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"::ffff:10.1.0.1/104", "10.0.0.0/8"},
        {"2001:db8::1/64", "2001:db8::/64"},
    };
    struct cidr c = {.prefix = 77};
    char out[CIDR_TEXT_MAX];

    (void)state;
    assert_int_equal(cidr_parse_masked(STR("::ffff:0:0/90"), &c, NULL), RC_INVALID);
    assert_int_equal(cidr_parse_masked(STR("10.0.0.0/33"), &c, NULL), RC_INVALID);
    assert_int_equal(c.prefix, 77);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(cidr_parse_masked(str_from(cases[i][0]), &c, NULL), RC_OK);
        assert_str(cidr_format(&c, out), cases[i][1]);
    }
}

static void a_refused_block_says_why(void **state)
{
    static const char *const cases[][2] = {
        {"10.0.0.1/8", "host bits"},
        {"2001:db8::1/64", "host bits"},
        {"::ffff:10.0.0.1/104", "host bits"},
        {"::ffff:0:0/90", "host bits"},
        {"10.0.0.0/33", "more than 32"},
        {"::/129", "more than 128"},
        {"10.0.0.0/", "not a number"},
        {"10.0.0.0/08", "not a number"},
        {"10.0.0.0/-1", "not a number"},
        {"10.0.0.0/8/8", "not a number"},
        {"fe80::1%1/64", "zone id"},
        {"10.0.0/8", "not an IP address"},
        {"10.0.0.0/9999999999999999999999", "not a number"},
    };
    struct cidr c = {.prefix = 77};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(cidr_parse(str_from(cases[i][0]), &c, &e), RC_INVALID);
        assert_non_null(strstr(e.text, cases[i][1]));
    }
    assert_int_equal(c.prefix, 77);
}

static void containment_is_by_prefix_and_family(void **state)
{
    struct cidr c = cidr("10.1.128.0/17"), all4 = cidr("0.0.0.0/0"), all6 = cidr("::/0");
    struct ip_addr in = ip("10.1.255.9"), out = ip("10.1.127.255"), six = ip("::1");

    (void)state;
    assert_true(cidr_contains(&c, &in));
    assert_false(cidr_contains(&c, &out));
    assert_true(cidr_contains(&all4, &out));
    assert_false(cidr_contains(&all4, &six));
    assert_false(cidr_contains(&all6, &in));
    assert_true(cidr_contains(&all6, &six));
    assert_false(cidr_contains(&(struct cidr){0}, &(struct ip_addr){0}));
}

static void covering_and_overlapping(void **state)
{
    struct cidr wide = cidr("10.0.0.0/8"), narrow = cidr("10.2.0.0/16"), other = cidr("11.0.0.0/8");

    (void)state;
    assert_true(cidr_covers(&wide, &narrow));
    assert_true(cidr_covers(&wide, &wide));
    assert_false(cidr_covers(&narrow, &wide));
    assert_true(cidr_overlaps(&narrow, &wide));
    assert_true(cidr_overlaps(&wide, &narrow));
    assert_false(cidr_overlaps(&other, &wide));
}

static void loopback_is_127_slash_8_and_1(void **state)
{
    static const char *const yes[] = {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"};
    static const char *const no[] = {"128.0.0.1", "::", "::2", "10.0.0.1"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct ip_addr a = ip(yes[i]), b = ip(no[i]);

        assert_true(ip_is_loopback(&a));
        assert_false(ip_is_loopback(&b));
    }
}

static void socket_addresses_give_address_and_port(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(8443)};
    struct ip_addr a, four = ip("10.1.0.4");
    uint16_t port = 0;

    (void)state;
    memcpy(&v4.sin_addr, four.bytes, 4);
    a = ip_from_sockaddr((struct sockaddr *)&v4, &port);
    assert_true(ip_eq(&a, &four));
    assert_int_equal(port, 443);
    v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(v6.sin6_addr.s6_addr + 12, four.bytes, 4);
    a = ip_from_sockaddr((struct sockaddr *)&v6, &port);
    assert_true(ip_eq(&a, &four));
    assert_int_equal(port, 8443);
    a = ip_from_sockaddr(&(struct sockaddr){.sa_family = AF_UNIX}, &port);
    assert_int_equal(a.family, 0);
    assert_int_equal(port, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_written_in_their_canonical_form),
        cmocka_unit_test(what_is_not_an_address_is_refused),
        cmocka_unit_test(blocks_are_read_and_written),
        cmocka_unit_test(a_block_with_host_bits_can_be_read_as_the_block_that_was_meant),
        cmocka_unit_test(a_refused_block_says_why),
        cmocka_unit_test(containment_is_by_prefix_and_family),
        cmocka_unit_test(covering_and_overlapping),
        cmocka_unit_test(loopback_is_127_slash_8_and_1),
        cmocka_unit_test(socket_addresses_give_address_and_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
