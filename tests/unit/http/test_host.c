#include "test.h"

#include "http/host.h"

static void is(const char *text, const char *name)
{
    struct http_host h;

    assert_int_equal(http_host_parse(str_from(text), &h), RC_OK);
    assert_true(str_is(h.name, name));
    assert_int_equal(h.ipv6, text[0] == '[');
}

static void is_not(const char *text)
{
    struct http_host h = {.name = STR("before")};

    assert_int_equal(http_host_parse(str_from(text), &h), RC_INVALID);
    assert_true(str_is(h.name, "before"));
}

static void port_brackets_and_one_trailing_dot_are_not_the_name(void **state)
{
    (void)state;
    is("reg.azurecr.localhost", "reg.azurecr.localhost");
    is("Reg.Example:5443", "Reg.Example");
    is("reg.example.", "reg.example");
    is("reg.example.:443", "reg.example");
    is("10.0.0.1:80", "10.0.0.1");
    is("[::1]:65535", "::1");
    is("[2001:db8::1]", "2001:db8::1");
    is("host:", "host");
    is("", "");
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    is_not("a..b");
    is_not("a..");
    is_not(".a");
    is_not(".");
    is_not("a b");
    is_not("a%2eb");
    is_not("user@a");
    is_not("a:1:2");
    is_not("a:-1");
    is_not("a:65536");
    is_not("a:0000080");
    is_not("::1");
    is_not("[::1%25eth0]");
    is_not("[::1");
    is_not("[1.2.3.4]");
    is_not("[::1]x");
    is_not("[]");
    is_not(":80");
}

static void a_name_of_255_characters_is_enough(void **state)
{
    char text[HTTP_HOST_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[HTTP_HOST_MAX] = '\0';
    is(text, text);
    text[HTTP_HOST_MAX] = 'a';
    text[HTTP_HOST_MAX + 1] = '\0';
    is_not(text);
}

static void absolute_targets_fall_into_their_parts(void **state)
{
    struct str scheme, authority, rest;

    (void)state;
    assert_true(http_target_absolute(STR("https://a:1/b?c"), &scheme, &authority, &rest));
    assert_true(str_is(scheme, "https") && str_is(authority, "a:1") && str_is(rest, "/b?c"));
    assert_true(http_target_absolute(STR("x+y://a?c"), &scheme, &authority, &rest));
    assert_true(str_is(authority, "a") && str_is(rest, "?c"));
    assert_false(http_target_absolute(STR("/http://a"), &scheme, &authority, &rest));
    assert_false(http_target_absolute(STR("host:80"), &scheme, &authority, &rest));
    assert_false(http_target_absolute(STR("://a"), &scheme, &authority, &rest));
    assert_false(http_target_absolute(STR(""), &scheme, &authority, &rest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_brackets_and_one_trailing_dot_are_not_the_name),
        cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(a_name_of_255_characters_is_enough),
        cmocka_unit_test(absolute_targets_fall_into_their_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
