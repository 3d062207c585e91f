#include "test.h"

#include "sts/private.h"

#define CONTROL "https://arm.azurecr.localhost:8443"

static enum rc audience(struct arena *a, const char *scope, const char *resource, struct str *ret,
                        struct err *e)
{
    struct sts_asked asked = {str_from(scope), str_from(resource)};

    return sts_audience(a, &asked, STR(CONTROL), ret, e);
}

static void the_audience_is_the_resource_that_was_asked_for(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct str got;

    (void)state;
    assert_int_equal(audience(&a, CONTROL "/.default", NULL, &got, NULL), RC_OK);
    assert_str(got, CONTROL);
    assert_int_equal(audience(&a, "https://containerregistry.azure.net/.default", NULL, &got, NULL),
                     RC_OK);
    assert_str(got, "https://containerregistry.azure.net");
}

static void a_final_slash_of_the_resource_is_kept(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct str got;

    (void)state;
    assert_int_equal(audience(&a, CONTROL "//.default", NULL, &got, NULL), RC_OK);
    assert_str(got, CONTROL "/");
}

static void other_words_of_the_scope_are_ignored(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct str got;

    (void)state;
    assert_int_equal(audience(&a, "openid " CONTROL "/.default offline_access", NULL, &got, NULL),
                     RC_OK);
    assert_str(got, CONTROL);
}

static void the_older_form_names_a_resource(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct str got;

    (void)state;
    assert_int_equal(audience(&a, NULL, CONTROL "/", &got, NULL), RC_OK);
    assert_str(got, CONTROL "/");
}

static void a_name_in_another_case_becomes_ours(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct str got;

    (void)state;
    assert_int_equal(audience(&a, "https://ARM.azurecr.localhost:8443/.default", NULL, &got, NULL),
                     RC_OK);
    assert_str(got, CONTROL);
}

static void other_resources_get_no_token(void **state)
{
    static const char *const bad[] = {"https://elsewhere.example/.default",
                                      CONTROL,
                                      CONTROL "///.default",
                                      CONTROL ".evil/.default",
                                      "openid",
                                      "/.default",
                                      CONTROL
                                      "/.default https://containerregistry.azure.net/.default"};
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct str got;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};

        assert_int_equal(audience(&a, bad[i], NULL, &got, &e), RC_INVALID);
        assert_string_equal(e.code, "invalid_scope");
    }
}

static void a_wrong_resource_parameter_has_its_own_code(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct err e = {0};
    struct str got;

    (void)state;
    assert_int_equal(audience(&a, NULL, "https://elsewhere.example", &got, &e), RC_INVALID);
    assert_string_equal(e.code, "invalid_resource");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_audience_is_the_resource_that_was_asked_for),
        cmocka_unit_test(a_final_slash_of_the_resource_is_kept),
        cmocka_unit_test(other_words_of_the_scope_are_ignored),
        cmocka_unit_test(the_older_form_names_a_resource),
        cmocka_unit_test(a_name_in_another_case_becomes_ours),
        cmocka_unit_test(other_resources_get_no_token),
        cmocka_unit_test(a_wrong_resource_parameter_has_its_own_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
