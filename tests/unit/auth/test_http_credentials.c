#include "test.h"

#include "auth/auth.h"

struct pair {
    struct str user, password;
};

static enum rc basic(const char *field, struct arena *a, struct pair *ret)
{
    return auth_basic_parse(str_from(field), a, &ret->user, &ret->password, NULL);
}

static void basic_credentials_are_cut_at_the_first_colon(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct pair p;

    (void)state;
    assert_int_equal(basic("basic  dXNlcjpwOmE6c3M=", &a, &p), RC_OK);
    assert_true(str_is(p.user, "user"));
    assert_true(str_is(p.password, "p:a:ss"));
}

static void an_empty_user_and_password_are_allowed(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct pair p;

    (void)state;
    assert_int_equal(basic("Basic Og==", &a, &p), RC_OK);
    assert_int_equal(p.user.len, 0);
    assert_int_equal(p.password.len, 0);
}

static void another_scheme_or_none_is_not_found(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct pair p;
    struct str token;

    (void)state;
    assert_int_equal(basic("Bearer abc", &a, &p), RC_NOT_FOUND);
    assert_int_equal(basic("", &a, &p), RC_NOT_FOUND);
    assert_int_equal(auth_bearer_parse(STR("Basic Og=="), &token, NULL), RC_NOT_FOUND);
    assert_int_equal(auth_bearer_parse(STR_NONE, &token, NULL), RC_NOT_FOUND);
}

static void malformed_basic_credentials_are_invalid(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct pair p;

    (void)state;
    assert_int_equal(basic("Basic !!!", &a, &p), RC_INVALID);
    assert_int_equal(basic("Basic dXNlcg==", &a, &p), RC_INVALID); /* no colon */
    assert_int_equal(basic("Basic dQA6cA==", &a, &p), RC_INVALID); /* a NUL in the name */
    assert_int_equal(basic("Basic", &a, &p), RC_INVALID);
}

static void a_bearer_token_is_taken_as_it_stands(void **state)
{
    struct str token;

    (void)state;
    assert_int_equal(auth_bearer_parse(STR("BEARER aZ0-._~+/=="), &token, NULL), RC_OK);
    assert_true(str_is(token, "aZ0-._~+/=="));
}

static void a_malformed_bearer_token_is_invalid(void **state)
{
    struct str token;

    (void)state;
    assert_int_equal(auth_bearer_parse(STR("Bearer a b"), &token, NULL), RC_INVALID);
    assert_int_equal(auth_bearer_parse(STR("Bearer =a"), &token, NULL), RC_INVALID);
    assert_int_equal(auth_bearer_parse(STR("Bearer "), &token, NULL), RC_INVALID);
    assert_int_equal(auth_bearer_parse(STR("Bearer \"x\""), &token, NULL), RC_INVALID);
}

static void a_bearer_token_has_the_characters_of_the_grammar_and_no_others(void **state)
{
    static const char all[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";

    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = "Bearer a?b";
        struct str token;
        bool one = memchr(all, c, sizeof(all) - 1) != NULL;

        text[8] = (char)c;
        assert_int_equal(auth_bearer_parse((struct str){text, 10}, &token, NULL),
                         one ? RC_OK : RC_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basic_credentials_are_cut_at_the_first_colon),
        cmocka_unit_test(an_empty_user_and_password_are_allowed),
        cmocka_unit_test(another_scheme_or_none_is_not_found),
        cmocka_unit_test(malformed_basic_credentials_are_invalid),
        cmocka_unit_test(a_bearer_token_is_taken_as_it_stands),
        cmocka_unit_test(a_malformed_bearer_token_is_invalid),
        cmocka_unit_test(a_bearer_token_has_the_characters_of_the_grammar_and_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
