#include "test.h"

#include "base/err.h"
#include <errno.h>

static void setting_an_error_returns_its_code_and_fills_it(void **state)
{
    struct err e = {.sys = 7};

    (void)state;
    assert_int_equal(err_set(&e, RC_QUOTA, "%d of %d", 3, 2), RC_QUOTA);
    assert_int_equal(e.rc, RC_QUOTA);
    assert_int_equal(e.sys, 0);
    assert_null(e.code);
    assert_string_equal(e.text, "3 of 2");
    err_code(&e, RC_INVALID, "NAME_INVALID", "bad");
    assert_string_equal(e.code, "NAME_INVALID");
}

static void every_function_accepts_no_error_object(void **state)
{
    (void)state;
    errno = EEXIST;
    assert_int_equal(err_set(NULL, RC_RANGE, "x"), RC_RANGE);
    assert_int_equal(err_code(NULL, RC_RANGE, "X", "x"), RC_RANGE);
    assert_int_equal(err_sys(NULL, "x"), RC_EXISTS);
    assert_int_equal(err_prefix(NULL, RC_RANGE, "x"), RC_RANGE);
}

static void a_system_error_becomes_its_code_with_words(void **state)
{
    static const struct {
        int sys;
        enum rc rc;
    } cases[] = {{ENOENT, RC_NOT_FOUND},  {EACCES, RC_DENIED},      {EPERM, RC_DENIED},
                 {EEXIST, RC_EXISTS},     {ENOSPC, RC_UNAVAILABLE}, {EDQUOT, RC_QUOTA},
                 {ETIMEDOUT, RC_TIMEOUT}, {EIO, RC_INTERNAL},       {EBADF, RC_INTERNAL}};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        errno = cases[i].sys;
        assert_int_equal(err_sys(&e, "open"), cases[i].rc);
        assert_int_equal(e.sys, cases[i].sys);
    }
    errno = ENOENT;
    err_sys(&e, "open %s", "a.txt");
    assert_string_equal(e.text, "open a.txt: No such file or directory");
}

static void a_prefix_stands_before_the_first_words(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, RC_CORRUPT, "tag does not match");
    assert_int_equal(err_prefix(&e, RC_INTERNAL, "row %d", 4), RC_CORRUPT);
    assert_string_equal(e.text, "row 4: tag does not match");
}

static void a_long_prefix_is_cut_and_terminated(void **state)
{
    struct err e;
    char words[2 * ERR_TEXT_MAX];

    (void)state;
    memset(words, 'x', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    for (int len = ERR_TEXT_MAX - 8; len < ERR_TEXT_MAX + 8; len++) {
        err_set(&e, RC_INVALID, "%s", words);
        err_prefix(&e, RC_INVALID, "%.*s", len, words);
        assert_int_equal(strnlen(e.text, sizeof(e.text)) < sizeof(e.text), 1);
    }
}

static void advice_stands_on_a_line_of_its_own_as_far_as_there_is_room(void **state)
{
    struct err e;
    char words[ERR_TEXT_MAX];

    (void)state;
    err_set(&e, RC_DENIED, "open x");
    assert_int_equal(err_advise(&e, RC_INVALID, "use %s", "sudo"), RC_INVALID);
    assert_string_equal(e.text, "open x\nuse sudo");
    assert_int_equal(e.rc, RC_DENIED);
    memset(words, 'x', sizeof(words));
    for (int len = ERR_TEXT_MAX - 8; len < ERR_TEXT_MAX; len++) {
        err_set(&e, RC_INVALID, "%.*s", len, words);
        err_advise(&e, RC_INVALID, "use sudo");
        assert_true(strnlen(e.text, sizeof(e.text)) < sizeof(e.text));
    }
    assert_int_equal(err_advise(NULL, RC_RANGE, "x"), RC_RANGE);
}

static void every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (enum rc a = RC_OK; a <= RC_INTERNAL; a++)
        for (enum rc b = RC_OK; b < a; b++)
            assert_string_not_equal(rc_name(a), rc_name(b));
    assert_string_equal(rc_name(RC_NOT_FOUND), "not-found");
    assert_string_equal(rc_name((enum rc)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_returns_its_code_and_fills_it),
        cmocka_unit_test(every_function_accepts_no_error_object),
        cmocka_unit_test(a_system_error_becomes_its_code_with_words),
        cmocka_unit_test(a_prefix_stands_before_the_first_words),
        cmocka_unit_test(a_long_prefix_is_cut_and_terminated),
        cmocka_unit_test(advice_stands_on_a_line_of_its_own_as_far_as_there_is_room),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
