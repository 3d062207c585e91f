#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/args.h"
#include <cmocka.h>

static enum rc parse(struct cli_args *a, struct err *e, const char **argv)
{
    int n = 0;

    while (argv[n])
        n++;
    return cli_args_parse(n, (char **)(uintptr_t)argv, a, e);
}
#define PARSE(a, ...) parse((a), &(struct err){0}, (const char *[]){__VA_ARGS__, NULL})

static void words_and_options_come_in_any_order(void **state)
{
    struct cli_args a;

    (void)state;
    assert_int_equal(PARSE(&a, "acr", "-g", "G", "network-rule", "--name=r", "add"), RC_OK);
    assert_int_equal(a.n_words, 3);
    assert_string_equal(a.word[2], "add");
    assert_string_equal(cli_value(&a, CLI_GROUP), "G");
    assert_string_equal(cli_value(&a, CLI_NAME), "r");
    assert_null(cli_value(&a, CLI_SKU));
}

static void several_values_end_where_the_next_option_begins(void **state)
{
    struct cli_args a;

    (void)state;
    assert_int_equal(
        PARSE(&a, "--address-prefix", "10.0.0.0/8", "fd00::/8", "-n", "V", "--proxy", "1.2.3.4"),
        RC_OK);
    assert_int_equal(a.option[CLI_ADDRESS_PREFIXES].n, 2);
    assert_string_equal(cli_value(&a, CLI_NAME), "V");
}

static void a_password_may_begin_with_a_dash(void **state)
{
    struct cli_args a;

    (void)state;
    assert_int_equal(PARSE(&a, "-p", "-secret"), RC_OK);
    assert_string_equal(cli_value(&a, CLI_PASSWORD), "-secret");
}

static void the_name_of_an_option_is_nobodys_value(void **state)
{
    struct cli_args a;

    (void)state;
    assert_int_equal(PARSE(&a, "--name", "--yes"), RC_INVALID);
    assert_int_equal(PARSE(&a, "-p", "--data=x"), RC_INVALID);
    assert_int_equal(PARSE(&a, "-p", "--no-option"), RC_OK);
    assert_int_equal(PARSE(&a, "--password=--yes"), RC_OK);
    assert_string_equal(cli_value(&a, CLI_PASSWORD), "--yes");
}

static void a_switch_alone_means_true(void **state)
{
    struct cli_args a;
    bool value = false;

    (void)state;
    assert_int_equal(PARSE(&a, "--admin-enabled", "--anonymous-pull-enabled", "False"), RC_OK);
    assert_int_equal(cli_switch(&a, CLI_ADMIN_ENABLED, &value, NULL), RC_OK);
    assert_true(value);
    assert_int_equal(cli_switch(&a, CLI_ANONYMOUS_PULL, &value, NULL), RC_OK);
    assert_false(value);
    assert_int_equal(PARSE(&a, "--admin-enabled", "perhaps"), RC_OK);
    assert_int_equal(cli_switch(&a, CLI_ADMIN_ENABLED, &value, NULL), RC_INVALID);
}

static void what_is_not_an_option_is_refused(void **state)
{
    struct cli_args a;

    (void)state;
    assert_int_equal(PARSE(&a, "--nome", "r"), RC_INVALID);
    assert_int_equal(PARSE(&a, "-q"), RC_INVALID);
    assert_int_equal(PARSE(&a, "--name"), RC_INVALID);
    assert_int_equal(PARSE(&a, "--yes=true"), RC_INVALID);
    assert_int_equal(PARSE(&a, "a", "b", "c", "d", "e", "f", "g"), RC_INVALID);
}

static void a_command_names_what_it_takes_and_what_it_needs(void **state)
{
    struct cli_args a;
    struct err e = {0};

    (void)state;
    assert_int_equal(PARSE(&a, "-n", "r", "-o", "table"), RC_OK);
    assert_int_equal(cli_args_check(&a, "name! resource-group", NULL), RC_OK);
    assert_int_equal(cli_args_check(&a, "resource-group", &e), RC_INVALID);
    assert_string_equal(e.text, "unrecognized arguments: --name");
    assert_int_equal(cli_args_check(&a, "name resource-group!", &e), RC_INVALID);
    assert_string_equal(e.text, "the following arguments are required: --resource-group");
}

static void a_command_describes_the_options_that_it_takes(void **state)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(16384);

    (void)state;
    cli_args_describe("name! location", &out);
    assert_non_null(strstr(buf_cstr(&out), "  --name -n NAME "));
    assert_non_null(strstr(buf_cstr(&out), "(required)\n  --location -l LOCATION "));
    assert_non_null(strstr(buf_cstr(&out), "\n\n  --output -o FORMAT "));
    assert_null(strstr(buf_cstr(&out), "--sku"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_options_come_in_any_order),
        cmocka_unit_test(several_values_end_where_the_next_option_begins),
        cmocka_unit_test(a_password_may_begin_with_a_dash),
        cmocka_unit_test(the_name_of_an_option_is_nobodys_value),
        cmocka_unit_test(a_switch_alone_means_true),
        cmocka_unit_test(what_is_not_an_option_is_refused),
        cmocka_unit_test(a_command_names_what_it_takes_and_what_it_needs),
        cmocka_unit_test(a_command_describes_the_options_that_it_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
