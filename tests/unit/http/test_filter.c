#include "test.h"

#include "http/filter.h"

static struct http_filter parsed(const char *text, struct arena *a)
{
    struct http_filter f = {.n = 99};
    struct err e = {0};

    if (http_filter_parse(str_from(text), a, &f, &e) != RC_OK)
        fail_msg("%s: %s", text, e.text);
    return f;
}

static void a_property_is_compared_with_a_value(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct http_filter f =
        parsed("resourceType eq 'Microsoft.Network/virtualNetworks' AND name eq 'v1'", &a);

    (void)state;
    assert_int_equal(f.n, 2);
    assert_true(str_is(http_filter_value(&f, "resourcetype"), "Microsoft.Network/virtualNetworks"));
    assert_true(str_is(http_filter_value(&f, "name"), "v1"));
    assert_null(http_filter_value(&f, "location").ptr);
}

static void a_doubled_quote_stands_for_one(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct http_filter f = parsed("displayName eq 'it''s'", &a);

    (void)state;
    assert_true(str_is(http_filter_value(&f, "displayName"), "it's"));
}

static void a_call_has_a_property_a_value_both_or_none(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct http_filter f = parsed("atScope() and assignedTo('x') and startswith(displayName, 'ab') "
                                  "and substringof('c', name)",
                                  &a);

    (void)state;
    assert_int_equal(f.n, 4);
    assert_int_equal(f.terms[0].kind, HTTP_FILTER_CALL);
    assert_null(f.terms[0].value.ptr);
    assert_true(str_is(f.terms[1].value, "x"));
    assert_true(str_is(f.terms[2].property, "displayName"));
    assert_true(str_is(f.terms[2].value, "ab"));
    assert_true(str_is(f.terms[3].property, "name"));
    assert_null(http_filter_value(&f, "assignedTo").ptr); /* it compares nothing */
    assert_non_null(http_filter_find(&f, "ASSIGNEDTO"));
}

static void any_of_a_list_is_asked_for(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct http_filter f = parsed("servicePrincipalNames/any(c:c eq 'app')", &a);

    (void)state;
    assert_int_equal(f.n, 1);
    assert_int_equal(f.terms[0].kind, HTTP_FILTER_ANY);
    assert_true(str_is(f.terms[0].name, "servicePrincipalNames"));
    assert_true(str_is(f.terms[0].value, "app"));
}

static void nothing_filters_nothing(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);

    (void)state;
    assert_int_equal(parsed("", &a).n, 0);
    assert_int_equal(parsed("  ", &a).n, 0);
}

static void what_is_not_offered_is_refused_and_changes_nothing(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
    } cases[] = {
        {"name", RC_INVALID},
        {"name eq", RC_INVALID},
        {"name eq 'x", RC_INVALID},
        {"name eq 'x'' and", RC_INVALID},
        {"name eq 'x' name eq 'y'", RC_INVALID},
        {"name eq 'x' and", RC_INVALID},
        {"eq 'x'", RC_INVALID},
        {"f('a','b')", RC_INVALID},
        {"f(a,b)", RC_INVALID},
        {"f('a'", RC_INVALID},
        {"l/any(c:d eq 'x')", RC_INVALID},
        {"name ne 'x'", RC_UNSUPPORTED},
        {"name eq 'x' or name eq 'y'", RC_UNSUPPORTED},
        {"a eq b and a eq b and a eq b and a eq b and a eq b and a eq b and a eq b and a eq b and "
         "a eq b",
         RC_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
        struct http_filter f = {.n = 99};

        if (http_filter_parse(str_from(cases[i].text), &a, &f, NULL) != cases[i].rc)
            fail_msg("%s", cases[i].text);
        assert_int_equal(f.n, 99);
    }
}

static void a_term_that_nobody_reads_is_named(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    static const char *const known[] = {"principalId", "atScope", NULL};
    struct http_filter f = parsed("atScope() and principalid eq 'x'", &a);
    struct err e = {0};

    (void)state;
    assert_int_equal(http_filter_known(&f, known, &e), RC_OK);
    f = parsed("atScope() and color eq 'x'", &a);
    assert_int_equal(http_filter_known(&f, known, &e), RC_UNSUPPORTED);
    assert_non_null(strstr(e.text, "'color'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_property_is_compared_with_a_value),
        cmocka_unit_test(a_doubled_quote_stands_for_one),
        cmocka_unit_test(a_call_has_a_property_a_value_both_or_none),
        cmocka_unit_test(any_of_a_list_is_asked_for),
        cmocka_unit_test(nothing_filters_nothing),
        cmocka_unit_test(what_is_not_offered_is_refused_and_changes_nothing),
        cmocka_unit_test(a_term_that_nobody_reads_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
