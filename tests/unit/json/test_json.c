#include "test.h"

#include "json/json.h"
#include <stdlib.h>

static struct json *parse(const char *text)
{
    struct json *j = NULL;

    assert_int_equal(json_parse(str_from(text), NULL, &j, NULL), RC_OK);
    return j;
}

static void assert_text(const struct json *j, const char *expected)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(10000);

    json_write(j, &b);
    assert_string_equal(buf_cstr(&b), expected);
}

static void what_is_read_is_written_in_the_same_order(void **state)
{
    static const char *const texts[] = {
        "{\"z\":1,\"a\":[true,false,null,-3,1.5],\"m\":{\"\xc3\xa9\":\"\\u0001/\"}}",
        "\"scalar\"",
        "[]",
        "9223372036854775807",
        "null",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(json_freep) struct json *j = parse(texts[i]);

        assert_text(j, texts[i]);
    }
}

static void malformed_text_is_refused_and_located(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[1,]",
                                      "{\"a\":1,\"a\":2}",
                                      "[1] 2",
                                      "\"\\u0000\"",
                                      "\"\xff\"",
                                      "\"\\ud800\"",
                                      "{\"a\"}",
                                      "nul",
                                      "01",
                                      "1e999",
                                      "\"a\nb\"",
                                      "'a'",
                                      "99999999999999999999",
                                      "{\"\\u0000\":1}",
                                      "/**/1",
                                      "\xef\xbb\xbf{}"};
    struct json *j = NULL;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(json_parse(str_from(bad[i]), NULL, &j, NULL), RC_INVALID);
    assert_int_equal(json_parse(STR("\"a\0b\""), NULL, &j, NULL), RC_INVALID);
    assert_int_equal(json_parse(STR_NONE, NULL, &j, NULL), RC_INVALID);
    assert_int_equal(json_parse(STR("{\n \"a\" 1}"), NULL, &j, &e), RC_INVALID);
    assert_non_null(strstr(e.text, "line 2, column 6"));
    assert_null(j);
}

static void limits_of_length_and_depth_hold_exactly(void **state)
{
    struct json_limits limits = {.bytes = 8, .depth = 3};
    struct json *j = NULL;

    (void)state;
    assert_int_equal(json_parse(STR("[[[1]]]"), &limits, &j, NULL), RC_OK);
    json_free(j);
    j = NULL;
    assert_int_equal(json_parse(STR("[[[[]]]]"), &limits, &j, NULL), RC_INVALID);
    assert_int_equal(json_parse(STR("[1,2,3,4]"), &limits, &j, NULL), RC_TOO_LARGE);
    limits.bytes = 100;
    assert_int_equal(json_parse(STR("[\"[[[[\\\"[[[[\",[[]],[[]]]"), &limits, &j, NULL), RC_OK);
    json_free(j);
}

static void the_limit_of_values_holds_exactly(void **state)
{
    struct json_limits limits = {.values = 4};
    struct json *j = NULL;

    (void)state;
    assert_int_equal(json_parse(STR("[{\"a\":1,\"b\":\",,,[[{\"},2]"), &limits, &j, NULL), RC_OK);
    json_free(j);
    j = NULL;
    assert_int_equal(json_parse(STR("[{\"a\":1,\"b\":2},2,3]"), &limits, &j, NULL), RC_INVALID);
    assert_null(j);
}

static void a_hundred_thousand_brackets_do_not_use_up_the_stack(void **state)
{
    enum { N = 100000 };
    char *text = malloc(N);
    struct json_limits limits = {.depth = 1u << 30};
    struct json *j = NULL;

    (void)state;
    assert_non_null(text);
    memset(text, '[', N);
    assert_int_equal(json_parse((struct str){text, N}, NULL, &j, NULL), RC_INVALID);
    assert_int_equal(json_parse((struct str){text, N}, &limits, &j, NULL), RC_INVALID);
    free(text);
}

static void reading_absent_things_gives_absent_things(void **state)
{
    CLEANUP(json_freep) struct json *j = parse("{\"a\":{\"b\":[1,\"x\",true]},\"n\":null}");

    (void)state;
    assert_int_equal(json_int(json_at(json_path(j, "a.b"), 0), -1), 1);
    assert_str(json_str(json_at(json_path(j, "a.b"), 1)), "x");
    assert_true(json_bool(json_at(json_path(j, "a.b"), 2), false));
    assert_null(json_at(json_path(j, "a.b"), 3));
    assert_null(json_path(j, "a.b.c"));
    assert_null(json_path(j, "a.x.c"));
    assert_null(json_get(json_get(j, "n"), "x"));
    assert_int_equal(json_type(json_get(j, "n")), JSON_NULL);
    assert_int_equal(json_type(json_get(j, "x")), JSON_ABSENT);
    assert_int_equal(json_type(NULL), JSON_ABSENT);
    assert_null(json_str(json_get(j, "a")).ptr);
    assert_int_equal(json_int(NULL, 5), 5);
    assert_false(json_bool(json_get(j, "n"), false));
    assert_int_equal(json_len(j), 2);
    assert_int_equal(json_len(json_path(j, "a.b")), 3);
    assert_int_equal(json_len(NULL), 0);
}

static void members_are_found_in_any_case_the_exact_one_first(void **state)
{
    CLEANUP(json_freep) struct json *j = parse("{\"Name\":1,\"name\":2,\"SKU\":3}");

    (void)state;
    assert_int_equal(json_int(json_get_nocase(j, "name"), 0), 2);
    assert_int_equal(json_int(json_get_nocase(j, "Name"), 0), 1);
    assert_int_equal(json_int(json_get_nocase(j, "sku"), 0), 3);
    assert_null(json_get_nocase(j, "none"));
    assert_null(json_get(j, "sku"));
}

static void iteration_visits_members_in_order(void **state)
{
    CLEANUP(json_freep) struct json *j = parse("{\"c\":0,\"a\":1,\"b\":2}");
    static const char *const names[] = {"c", "a", "b"};
    struct str name;
    struct json *value;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; json_member(j, &i, &name, &value); n++) {
        assert_str(name, names[n]);
        assert_int_equal(json_int(value, -1), n);
    }
    assert_int_equal(n, 3);
    for (size_t i = 0; json_member(NULL, &i, &name, &value);)
        fail();
}

static void a_tree_can_be_built_changed_and_copied(void **state)
{
    CLEANUP(json_freep) struct json *j = json_new_object();
    struct json *list = json_new_array();

    (void)state;
    json_set_text(j, "name", "old");
    json_set(j, "list", list);
    json_set(j, "none", json_new_null());
    json_set_str(j, "name", STR("new"));
    json_append(list, json_new_int(-5));
    json_append(list, json_new_bool(true));
    json_append(list, json_new_text("x"));
    json_remove_at(list, 1);
    CLEANUP(json_freep) struct json *copy = json_clone(j);

    assert_true(json_same(j, copy));
    json_set(j, "none", NULL);
    json_remove(j, "never there");
    assert_text(j, "{\"name\":\"new\",\"list\":[-5,\"x\"]}");
    assert_text(copy, "{\"name\":\"new\",\"list\":[-5,\"x\"],\"none\":null}");
    assert_false(json_same(j, copy));
    assert_false(json_same(j, NULL));
    assert_true(json_same(NULL, NULL));
}

static void sameness_is_by_value_and_members_in_any_order(void **state)
{
    CLEANUP(json_freep) struct json *a = parse("{\"a\":1,\"b\":[1,2]}");
    CLEANUP(json_freep) struct json *b = parse("{\"b\":[1,2],\"a\":1}");
    CLEANUP(json_freep) struct json *c = parse("{\"b\":[2,1],\"a\":1}");

    (void)state;
    assert_true(json_same(a, b));
    assert_false(json_same(a, c));
}

static void text_that_is_not_utf8_is_mended_in_values_and_names(void **state)
{
    CLEANUP(json_freep) struct json *j = json_new_object();

    (void)state;
    json_set_str(j, "v\xff", STR("a\xc3z"));
    json_set_str(j, "nul", STR("a\0b"));
    assert_text(j, "{\"v\xef\xbf\xbd\":\"a\xef\xbf\xbdz\",\"nul\":\"a\\u0000b\"}");
}

static void writing_stays_within_the_maximum(void **state)
{
    CLEANUP(json_freep) struct json *j = parse("{\"a\":[1,{}],\"b\":{\"c\":[]}}");
    CLEANUP(arena_done) struct arena small = ARENA_INIT(8), large = ARENA_INIT(1000);
    CLEANUP(buf_done) struct buf b = BUF_INIT(10), pretty = BUF_INIT(1000);

    (void)state;
    json_write(j, &b);
    assert_int_equal(buf_status(&b, NULL), RC_TOO_LARGE);
    assert_null(json_write_arena(j, &small).ptr);
    assert_str(json_write_arena(j, &large), "{\"a\":[1,{}],\"b\":{\"c\":[]}}");
    json_write_pretty(j, &pretty);
    assert_string_equal(buf_cstr(&pretty), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n"
                                           "    \"c\": []\n  }\n}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_in_the_same_order),
        cmocka_unit_test(malformed_text_is_refused_and_located),
        cmocka_unit_test(limits_of_length_and_depth_hold_exactly),
        cmocka_unit_test(the_limit_of_values_holds_exactly),
        cmocka_unit_test(a_hundred_thousand_brackets_do_not_use_up_the_stack),
        cmocka_unit_test(reading_absent_things_gives_absent_things),
        cmocka_unit_test(members_are_found_in_any_case_the_exact_one_first),
        cmocka_unit_test(iteration_visits_members_in_order),
        cmocka_unit_test(a_tree_can_be_built_changed_and_copied),
        cmocka_unit_test(sameness_is_by_value_and_members_in_any_order),
        cmocka_unit_test(text_that_is_not_utf8_is_mended_in_values_and_names),
        cmocka_unit_test(writing_stays_within_the_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
