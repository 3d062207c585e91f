#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/output.h"
#include <cmocka.h>

static const char registry[] =
    "{\"id\":\"/subscriptions/S/resourceGroups/G/providers/P/registries/r\",\"name\":\"r\","
    "\"type\":\"P/registries\",\"properties\":{\"loginServer\":\"r.test\",\"networkRuleSet\":{"
    "\"ipRules\":[{\"action\":\"Allow\",\"value\":\"192.0.2.1\"}]}}}";

static struct json *flat(const char *text)
{
    CLEANUP(json_freep) struct json *j = NULL;

    assert_int_equal(json_parse(str_from(text), NULL, &j, NULL), RC_OK);
    return cli_flatten(j);
}

static void assert_rendered(const char *text, const char *format, const char *expected)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
    CLEANUP(json_freep) struct json *j = flat(text);

    assert_int_equal(cli_render(j, format, &out, NULL), RC_OK);
    assert_string_equal(buf_cstr(&out), expected);
}

static void properties_stand_beside_the_other_members(void **state)
{
    CLEANUP(json_freep) struct json *j = flat(registry);
    const struct json *rule = json_at(json_path(j, "networkRuleSet.ipRules"), 0);

    (void)state;
    assert_null(json_get(j, "properties"));
    assert_true(str_is(json_str(json_get(j, "loginServer")), "r.test"));
    assert_true(str_is(json_str(json_get(j, "resourceGroup")), "G"));
    assert_true(str_is(json_str(json_get(rule, "ipAddressOrRange")), "192.0.2.1"));
}

static void json_is_printed_with_two_blanks_and_a_final_newline(void **state)
{
    (void)state;
    assert_rendered("{\"a\":[1]}", "json", "{\n  \"a\": [\n    1\n  ]\n}\n");
}

static void a_table_has_a_row_for_each_object_and_a_column_for_each_word(void **state)
{
    (void)state;
    assert_rendered("[{\"name\":\"one\",\"id\":\"/x\",\"on\":true,\"deep\":{}},"
                    "{\"name\":\"another\",\"on\":false}]",
                    "table",
                    "Name     On\n"
                    "-------  -----\n"
                    "one      True\n"
                    "another  False\n");
    assert_rendered("[]", "table", "");
}

static void tsv_has_a_line_for_each_object(void **state)
{
    (void)state;
    assert_rendered("[{\"a\":\"x\",\"b\":null,\"c\":[1,2]},{\"a\":\"y\",\"b\":3,\"c\":[]}]", "tsv",
                    "x\tNone\t2\ny\t3\t0\n");
    assert_rendered("\"word\"", "tsv", "word\n");
}

static void another_format_is_refused(void **state)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(65536);

    (void)state;
    assert_int_equal(cli_render(NULL, "xml", &out, NULL), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_stand_beside_the_other_members),
        cmocka_unit_test(json_is_printed_with_two_blanks_and_a_final_newline),
        cmocka_unit_test(a_table_has_a_row_for_each_object_and_a_column_for_each_word),
        cmocka_unit_test(tsv_has_a_line_for_each_object),
        cmocka_unit_test(another_format_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
