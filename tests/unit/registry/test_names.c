/* Names of repositories, tags and references. */
#include "test.h"

#include "registry/store.h"

static struct str repeat(char c, size_t n)
{
    static char text[512];

    memset(text, c, sizeof(text));
    return (struct str){text, n};
}

static void names_of_repositories(void **state)
{
    static const char *const good[] = {"a",   "0",     "library/ubuntu", "a.b",   "a_b",     "a__b",
                                       "a-b", "a---b", "a/b/c/d",        "1.2.3", "x86-64/z"};
    static const char *const bad[] = {"",    "/",        "a/",   "/a",    "a//b", "A",
                                      "a.",  ".a",       "a..b", "a___b", "a._b", "a-",
                                      "-a",  "a/-b",     "a/..", "../a",  "a b",  "a:b",
                                      "a@b", "\xc3\xa9", "a\n",  "a%2fb", "_a",   "a_"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(registry_name_check(str_from(good[i]), NULL), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};

        assert_int_equal(registry_name_check(str_from(bad[i]), &e), RC_INVALID);
        assert_string_equal(e.code, "NAME_INVALID");
    }
    assert_int_equal(registry_name_check(STR("a\0b"), NULL), RC_INVALID);
    assert_int_equal(registry_name_check(repeat('a', REGISTRY_NAME_MAX), NULL), RC_OK);
    assert_int_equal(registry_name_check(repeat('a', REGISTRY_NAME_MAX + 1), NULL), RC_INVALID);
}

static void tags(void **state)
{
    static const char *const good[] = {"latest", "v1.2-rc_3", "_x", "A", "0", "a.", "a-"};
    static const char *const bad[] = {"", ".a", "-a", "a b", "a/b", "a:b", "a+b", "\xc3\xa9"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(registry_tag_check(str_from(good[i]), NULL), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(registry_tag_check(str_from(bad[i]), NULL), RC_INVALID);
    assert_int_equal(registry_tag_check(repeat('a', REGISTRY_TAG_MAX), NULL), RC_OK);
    assert_int_equal(registry_tag_check(repeat('a', REGISTRY_TAG_MAX + 1), NULL), RC_INVALID);
}

static void a_reference_is_a_tag_or_a_digest(void **state)
{
    static const char digest[] =
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct reference r;
    struct err e = {0};

    (void)state;
    assert_int_equal(reference_parse(STR("v1"), &r, NULL), RC_OK);
    assert_str(r.tag, "v1");
    assert_int_equal(reference_parse(str_from(digest), &r, NULL), RC_OK);
    assert_null(r.tag.ptr);
    assert_int_equal(r.digest.algorithm, DIGEST_SHA256);
    assert_int_equal(reference_parse(STR("sha256:12"), &r, &e), RC_INVALID);
    assert_string_equal(e.code, "DIGEST_INVALID");
    assert_int_equal(reference_parse(STR("blake3:12"), &r, NULL), RC_INVALID);
    assert_int_equal(reference_parse(STR(".x"), &r, &e), RC_INVALID);
    assert_string_equal(e.code, "TAG_INVALID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_repositories),
        cmocka_unit_test(tags),
        cmocka_unit_test(a_reference_is_a_tag_or_a_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
