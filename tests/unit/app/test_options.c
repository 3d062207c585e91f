#include "app/options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static enum rc parse(const char *const *words, struct serve_options *o, struct err *e)
{
    char *argv[16];
    int argc = 0;

    argv[argc++] = (char *)"serve";
    for (; *words && argc < 15; words++)
        argv[argc++] = (char *)*words;
    argv[argc] = NULL;
    return serve_options_parse(argc, argv, o, e);
}

#define PARSE(o, e, ...) parse((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}, o, e)

static void without_options_the_defaults_of_the_manual_hold(void **state)
{
    struct serve_options o;
    char ip[IP_TEXT_MAX];

    (void)state;
    assert_int_equal(PARSE(&o, NULL), RC_OK);
    assert_string_equal(o.data, "./data");
    assert_int_equal(o.n_listen, 1);
    assert_string_equal(ip_format(&o.listen[0].addr, ip).ptr, "0.0.0.0");
    assert_int_equal(o.listen[0].port, 5443);
    assert_false(o.listen[0].plain);
    assert_int_equal(o.control.port, 8443);
    assert_true(o.metrics.plain);
    assert_int_equal(serve_login_port(&o), 5443);
    assert_string_equal(o.suffix, "azurecr.localhost");
}

static void each_listen_is_kept_with_its_flags(void **state)
{
    struct serve_options o;
    char ip[IP_TEXT_MAX];

    (void)state;
    assert_int_equal(PARSE(&o, NULL, "--listen", "127.0.0.1:80,plain", "--listen", "[::]:443"),
                     RC_OK);
    assert_int_equal(o.n_listen, 2);
    assert_true(o.listen[0].plain);
    assert_string_equal(ip_format(&o.listen[1].addr, ip).ptr, "::");
    assert_int_equal(o.listen[1].port, 443);
    assert_int_equal(serve_login_port(&o), 80);
}

static void an_option_wins_over_its_environment_variable(void **state)
{
    struct serve_options o;

    (void)state;
    setenv("KIDOBAN_LISTEN", "127.0.0.1:1 127.0.0.1:2,plain", 1);
    setenv("KIDOBAN_SUFFIX", "registry.example", 1);
    assert_int_equal(PARSE(&o, NULL), RC_OK);
    assert_int_equal(o.n_listen, 2);
    assert_string_equal(o.suffix, "registry.example");
    assert_int_equal(PARSE(&o, NULL, "--listen", "127.0.0.1:3", "--suffix", "other.example"),
                     RC_OK);
    assert_int_equal(o.n_listen, 1);
    assert_int_equal(o.listen[0].port, 3);
    assert_string_equal(o.suffix, "other.example");
    unsetenv("KIDOBAN_LISTEN");
    unsetenv("KIDOBAN_SUFFIX");
}

static void an_empty_variable_says_nothing(void **state)
{
    struct serve_options o;

    (void)state;
    setenv("KIDOBAN_LISTEN", " ", 1);
    assert_int_equal(PARSE(&o, NULL), RC_OK);
    assert_int_equal(o.n_listen, 1);
    assert_int_equal(o.listen[0].port, 5443);
    unsetenv("KIDOBAN_LISTEN");
}

static void proxies_and_forwarders_are_kept_apart(void **state)
{
    struct ip_addr first = {4, {10, 0, 0, 1}};
    struct serve_options o;

    (void)state;
    setenv("KIDOBAN_TRUSTED_PROXY", "10.9.0.0/16  10.8.0.1", 1);
    assert_int_equal(
        PARSE(&o, NULL, "--listen", "0.0.0.0:1,plain,proxy", "--trusted-forwarder", "fd00::/8"),
        RC_OK);
    assert_true(o.listen[0].proxy && o.listen[0].plain);
    assert_int_equal(o.proxies.n, 2);
    assert_int_equal(o.forwarders.n, 1);
    assert_int_equal(o.forwarders.list[0].prefix, 8);
    assert_int_equal(PARSE(&o, NULL, "--listen", "0.0.0.0:1,proxy", "--trusted-proxy", "10.0.0.1",
                           "--trusted-proxy", "10.0.0.2"),
                     RC_OK);
    assert_int_equal(o.proxies.n, 2); /* and none of the variable's */
    assert_true(ip_eq(&o.proxies.list[0].addr, &first));
    unsetenv("KIDOBAN_TRUSTED_PROXY");
}

static void what_is_wrong_is_named(void **state)
{
    static const char *const wrong[][2] = {
        {"--listen", "5443"},
        {"--listen", "0.0.0.0:70000"},
        {"--listen", "::1:5443"},
        {"--listen", "0.0.0.0:1,tls"},
        {"--listen", "0.0.0.0:1,proxy"}, /* of nobody */
        {"--control", "127.0.0.1:1,proxy"},
        {"--trusted-proxy", "10.0.0.1/24"},
        {"--trusted-forwarder", "lb.example"},
        {"--listen", "0.0.0.0:1,"},
        {"--control", "127.0.0.1:1,plain"},
        {"--suffix", "Upper.example"},
        {"--suffix", "a..b"},
        {"--suffix", "-a"},
        {"--tls-cert", "only-one"},
        {"--denial-detail", "some"},
        {"--log-level", "loud"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct serve_options o = {.data = "untouched"};
        struct err e = {0};

        assert_int_not_equal(PARSE(&o, &e, wrong[i][0], wrong[i][1]), RC_OK);
        assert_true(strlen(e.text) > 0);
        assert_string_equal(o.data, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_the_defaults_of_the_manual_hold),
        cmocka_unit_test(each_listen_is_kept_with_its_flags),
        cmocka_unit_test(an_option_wins_over_its_environment_variable),
        cmocka_unit_test(an_empty_variable_says_nothing),
        cmocka_unit_test(proxies_and_forwarders_are_kept_apart),
        cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
