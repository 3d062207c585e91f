#include "test.h"

#include "oci/private.h"

static void a_chunk_names_its_first_and_last_byte(void **state)
{
    uint64_t first, last;

    (void)state;
    assert_int_equal(oci_content_range_parse(STR("0-0"), &first, &last, NULL), RC_OK);
    assert_int_equal(first, 0);
    assert_int_equal(last, 0);
    assert_int_equal(oci_content_range_parse(STR("1024-2047"), &first, &last, NULL), RC_OK);
    assert_int_equal(first, 1024);
    assert_int_equal(last, 2047);
}

static void a_malformed_chunk_range_is_refused_and_changes_nothing(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "0-",
                                      "-5",
                                      "5-4",
                                      "0-1-2",
                                      " 0-1",
                                      "0 -1",
                                      "a-b",
                                      "bytes 0-1/2",
                                      "0-18446744073709551615"};
    uint64_t first = 7, last = 8;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(oci_content_range_parse(str_from(bad[i]), &first, &last, NULL),
                         RC_INVALID);
    assert_int_equal(first, 7);
    assert_int_equal(last, 8);
}

static void scopes_may_be_repeated_and_encoded(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(16 * 1024);
    struct auth_scopes s;

    (void)state;
    assert_int_equal(oci_form_scopes(&a,
                                     STR("service=x&scope=repository%3Aa%2Fb%3Apull&account=y"
                                         "&scope=repository:c:push+registry:catalog:*"),
                                     &s, NULL),
                     RC_OK);
    assert_int_equal(s.n, 3);
    assert_true(auth_scopes_allow(&s, STR("a/b"), AUTH_PULL));
    assert_true(auth_scopes_allow(&s, STR("c"), AUTH_PUSH));
    assert_true(auth_scopes_allow_catalog(&s));
}

static void no_scope_is_no_error(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(16 * 1024);
    struct auth_scopes s;

    (void)state;
    assert_int_equal(oci_form_scopes(&a, STR_NONE, &s, NULL), RC_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(oci_form_scopes(&a, STR("scope="), &s, NULL), RC_OK);
    assert_int_equal(s.n, 0);
}

static void a_malformed_scope_or_escape_is_refused(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(16 * 1024);
    struct auth_scopes s;

    (void)state;
    assert_int_equal(oci_form_scopes(&a, STR("scope=nothing"), &s, NULL), RC_INVALID);
    assert_int_equal(oci_form_scopes(&a, STR("scope=%zz"), &s, NULL), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunk_names_its_first_and_last_byte),
        cmocka_unit_test(a_malformed_chunk_range_is_refused_and_changes_nothing),
        cmocka_unit_test(scopes_may_be_repeated_and_encoded),
        cmocka_unit_test(no_scope_is_no_error),
        cmocka_unit_test(a_malformed_scope_or_escape_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
