#include "test.h"

#include "base/str.h"

static void comparing_looks_at_bytes_and_length(void **state)
{
    (void)state;
    assert_true(str_eq(STR("abc"), STR("abc")));
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_is(STR("x"), "x"));
    assert_true(str_eq_nocase(STR("Content-Length"), STR("content-LENGTH")));
    assert_false(str_eq_nocase(STR("["), STR("{"))); /* differ by the case bit, but no letters */
    assert_true(str_is_nocase(STR("GET"), "get"));
}

static void order_is_by_bytes_and_a_prefix_comes_first(void **state)
{
    (void)state;
    assert_int_equal(str_cmp(STR("a"), STR("b")), -1);
    assert_int_equal(str_cmp(STR("\xff"), STR("a")), 1);
    assert_int_equal(str_cmp(STR("ab"), STR("abc")), -1);
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
    assert_int_equal(str_cmp_nocase(STR("/A/b"), STR("/a/B")), 0);
    assert_int_equal(str_cmp_nocase(STR("Ab"), STR("abc")), -1);
    assert_int_equal(str_cmp_nocase(STR("\xff"), STR("Z")), 1);
    assert_int_equal(str_cmp_nocase(STR("_"), STR("A")), -1); /* as if it were an "a" */
}

static void starts_and_ends(void **state)
{
    (void)state;
    assert_true(str_starts(STR("sha256:x"), STR("sha256:")));
    assert_false(str_starts(STR("sha"), STR("sha256:")));
    assert_true(str_starts_nocase(STR("BEARER x"), STR("bearer ")));
    assert_true(str_ends(STR("a.example"), STR(".example")));
    assert_false(str_ends(STR("e"), STR(".example")));
    assert_true(str_ends(STR("e"), STR("")));
}

static void finding_gives_the_length_when_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a:b:c"), ':'), 1);
    assert_int_equal(str_find_last(STR("a:b:c"), ':'), 3);
    assert_int_equal(str_find(STR("abc"), ':'), 3);
    assert_int_equal(str_find_last(STR_NONE, ':'), 0);
}

static void skipping_and_taking_stop_at_the_end(void **state)
{
    (void)state;
    assert_str(str_skip(STR("abc"), 1), "bc");
    assert_int_equal(str_skip(STR("abc"), 9).len, 0);
    assert_str(str_take(STR("abc"), 2), "ab");
    assert_str(str_take(STR("abc"), 9), "abc");
    assert_int_equal(str_skip(STR_NONE, 1).len, 0);
}

static void trimming_takes_blanks_and_tabs_only(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t a b\t ")), "a b");
    assert_str(str_trim(STR("\na\n")), "\na\n");
    assert_int_equal(str_trim(STR("  ")).len, 0);
}

static void splitting_visits_every_part_even_an_empty_last_one(void **state)
{
    struct str s = STR("a,,b,");

    (void)state;
    assert_str(str_split(&s, ','), "a");
    assert_str(str_split(&s, ','), "");
    assert_str(str_split(&s, ','), "b");
    assert_non_null(s.ptr);
    assert_str(str_split(&s, ','), "");
    assert_null(s.ptr);
}

static void numbers_are_digits_only_and_fit(void **state)
{
    uint64_t n = 7;

    (void)state;
    assert_int_equal(str_to_u64(STR("18446744073709551615"), &n), RC_OK);
    assert_true(n == UINT64_MAX);
    n = 7;
    assert_int_equal(str_to_u64(STR("18446744073709551616"), &n), RC_INVALID);
    assert_int_equal(str_to_u64(STR(""), &n), RC_INVALID);
    assert_int_equal(str_to_u64(STR("+1"), &n), RC_INVALID);
    assert_int_equal(str_to_u64(STR("-1"), &n), RC_INVALID);
    assert_int_equal(str_to_u64(STR(" 1"), &n), RC_INVALID);
    assert_int_equal(str_to_u64(STR("1a"), &n), RC_INVALID);
    assert_int_equal(n, 7);
    assert_int_equal(str_to_u64(STR("007"), &n), RC_OK);
}

static void copying_terminates_and_refuses_what_does_not_fit(void **state)
{
    char out[4] = "zzz";

    (void)state;
    assert_int_equal(str_copy(STR("abcd"), out, sizeof(out)), RC_TOO_LARGE);
    assert_int_equal(str_copy(STR("a\0b"), out, sizeof(out)), RC_INVALID);
    assert_string_equal(out, "zzz");
    assert_int_equal(str_copy(STR("abc"), out, sizeof(out)), RC_OK);
    assert_string_equal(out, "abc");
    assert_int_equal(str_copy(STR_NONE, out, sizeof(out)), RC_OK);
    assert_string_equal(out, "");
}

static void the_hash_depends_on_every_byte_and_on_the_length(void **state)
{
    char a[40] = {0}, b[40] = {0};

    (void)state;
    for (size_t n = 0; n < sizeof(a); n++) {
        assert_true(str_hash((struct str){a, n}) == str_hash((struct str){b, n}));
        if (n > 0)
            assert_true(str_hash((struct str){a, n}) != str_hash((struct str){a, n - 1}));
        for (size_t i = 0; i < n; i++) {
            b[i] = 1;
            assert_true(str_hash((struct str){a, n}) != str_hash((struct str){b, n}));
            b[i] = 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_looks_at_bytes_and_length),
        cmocka_unit_test(order_is_by_bytes_and_a_prefix_comes_first),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(finding_gives_the_length_when_there_is_none),
        cmocka_unit_test(skipping_and_taking_stop_at_the_end),
        cmocka_unit_test(trimming_takes_blanks_and_tabs_only),
        cmocka_unit_test(splitting_visits_every_part_even_an_empty_last_one),
        cmocka_unit_test(numbers_are_digits_only_and_fit),
        cmocka_unit_test(copying_terminates_and_refuses_what_does_not_fit),
        cmocka_unit_test(the_hash_depends_on_every_byte_and_on_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
