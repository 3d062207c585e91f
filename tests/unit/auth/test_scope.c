#include "test.h"

#include "auth/auth.h"

static struct auth_scopes parsed(const char *text)
{
    struct auth_scopes s = {0};

    assert_int_equal(auth_scopes_parse(str_from(text), &s, NULL), RC_OK);
    return s;
}

static void a_scope_names_a_repository_and_actions(void **state)
{
    struct auth_scopes s = parsed("repository:team/app:pull,push");

    (void)state;
    assert_int_equal(s.n, 1);
    assert_true(auth_scopes_allow(&s, STR("team/app"), AUTH_PULL | AUTH_PUSH));
    assert_false(auth_scopes_allow(&s, STR("team/app"), AUTH_PULL | AUTH_DELETE));
    assert_false(auth_scopes_allow(&s, STR("team"), AUTH_PULL));
    assert_false(auth_scopes_allow_catalog(&s));
}

static void a_name_may_hold_colons(void **state)
{
    struct auth_scopes s = parsed("repository:localhost:5443/app:pull");

    (void)state;
    assert_true(auth_scopes_allow(&s, STR("localhost:5443/app"), AUTH_PULL));
}

static void the_catalog_is_a_scope_of_its_own(void **state)
{
    struct auth_scopes s = parsed("registry:catalog:*");

    (void)state;
    assert_true(auth_scopes_allow_catalog(&s));
    assert_false(auth_scopes_allow(&s, STR("catalog"), AUTH_PULL));
}

static void a_star_means_every_action_of_a_repository(void **state)
{
    struct auth_scopes s = parsed("repository:a:*");

    (void)state;
    assert_true(auth_scopes_allow(&s, STR("a"),
                                  AUTH_PULL | AUTH_PUSH | AUTH_DELETE | AUTH_METADATA_READ |
                                      AUTH_METADATA_WRITE));
    assert_false(auth_scopes_allow(&s, STR("a"), AUTH_CATALOG));
}

static void what_is_unknown_grants_nothing_and_is_no_error(void **state)
{
    struct auth_scopes s = parsed("registry:None:* repository:a:fly plugin:b:pull");

    (void)state;
    assert_int_equal(s.n, 3);
    for (size_t i = 0; i < s.n; i++)
        assert_int_equal(s.list[i].actions, 0);
    assert_false(auth_scopes_allow(&s, STR("b"), AUTH_PULL));
}

static void the_same_repository_twice_is_one_scope_with_both_actions(void **state)
{
    struct auth_scopes s = parsed("repository:a:pull repository:a:push");

    (void)state;
    assert_int_equal(s.n, 1);
    assert_true(auth_scopes_allow(&s, STR("a"), AUTH_PULL | AUTH_PUSH));
}

static void malformed_scopes_are_refused_and_change_nothing(void **state)
{
    static const char *const bad[] = {"repository", "repository:a",         "repository::pull",
                                      ":a:pull",    "repository:a\"b:pull", "repository:a\x01:pull",
                                      "a:b:c bad"};
    struct auth_scopes s = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(auth_scopes_parse(str_from(bad[i]), &s, NULL), RC_INVALID);
        assert_int_equal(s.n, 0);
    }
}

static void more_scopes_than_a_token_holds_are_refused(void **state)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    struct auth_scopes s = {0};

    (void)state;
    for (int i = 0; i <= AUTH_SCOPES_MAX; i++)
        buf_addf(&text, "repository:r%d:pull ", i);
    assert_int_equal(auth_scopes_parse(buf_str(&text), &s, NULL), RC_INVALID);
    assert_int_equal(s.n, 0);
}

static void no_action_is_never_allowed(void **state)
{
    struct auth_scopes s = parsed("repository:a:*");

    (void)state;
    assert_false(auth_scopes_allow(&s, STR("a"), 0));
}

static void scopes_are_limited_to_what_their_principal_may(void **state)
{
    struct auth_scopes got = parsed("repository:a:pull,push,metadata_read registry:catalog:*");

    (void)state;
    auth_scopes_limit(&got, AUTH_PULL);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.list[0].actions, AUTH_PULL);
    assert_int_equal(got.list[1].actions, 0);
    auth_scopes_limit(&got, 0);
    assert_false(auth_scopes_allow(&got, STR("a"), AUTH_PULL));
}

static void basic_credentials_reach_every_repository(void **state)
{
    struct auth_scopes all;

    (void)state;
    auth_scopes_everything(AUTH_EVERYTHING, &all);
    assert_true(auth_scopes_allow(&all, STR("any/thing"), AUTH_PULL | AUTH_PUSH | AUTH_DELETE));
    assert_true(auth_scopes_allow_catalog(&all));
    auth_scopes_limit(&all, AUTH_PULL);
    assert_true(auth_scopes_allow(&all, STR("any/thing"), AUTH_PULL));
    assert_false(auth_scopes_allow(&all, STR("any/thing"), AUTH_PUSH));
    assert_false(auth_scopes_allow_catalog(&all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scope_names_a_repository_and_actions),
        cmocka_unit_test(a_name_may_hold_colons),
        cmocka_unit_test(the_catalog_is_a_scope_of_its_own),
        cmocka_unit_test(a_star_means_every_action_of_a_repository),
        cmocka_unit_test(what_is_unknown_grants_nothing_and_is_no_error),
        cmocka_unit_test(the_same_repository_twice_is_one_scope_with_both_actions),
        cmocka_unit_test(malformed_scopes_are_refused_and_change_nothing),
        cmocka_unit_test(more_scopes_than_a_token_holds_are_refused),
        cmocka_unit_test(no_action_is_never_allowed),
        cmocka_unit_test(scopes_are_limited_to_what_their_principal_may),
        cmocka_unit_test(basic_credentials_reach_every_repository),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
