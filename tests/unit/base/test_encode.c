#include "test.h"

#include "base/encode.h"

static void hexadecimal_goes_both_ways(void **state)
{
    uint8_t bytes[3] = {1, 2, 3};
    char out[7];

    (void)state;
    assert_int_equal(hex_decode(STR("0aFf80"), bytes, 3), RC_OK);
    hex_encode(bytes, 3, out);
    assert_string_equal(out, "0aff80");
    assert_int_equal(hex_decode(STR("0aFf8"), bytes, 3), RC_INVALID);
    assert_int_equal(hex_decode(STR("0aFf8x"), bytes, 3), RC_INVALID);
    assert_int_equal(hex_decode(STR("0aFf8000"), bytes, 3), RC_INVALID);
    assert_int_equal(bytes[0], 0x0a);
}

static void base64_knows_the_vectors_of_rfc_4648(void **state)
{
    static const char *const cases[][3] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79", "__79"},
        {"\xfb\xff", "+/8=", "-_8"},
    };
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&b);
        base64_encode(&b, str_from(cases[i][0]));
        assert_string_equal(buf_cstr(&b), cases[i][1]);
        buf_clear(&b);
        assert_int_equal(base64_decode(str_from(cases[i][1]), &b, NULL), RC_OK);
        assert_string_equal(buf_cstr(&b), cases[i][0]);
        buf_clear(&b);
        base64url_encode(&b, str_from(cases[i][0]));
        assert_string_equal(buf_cstr(&b), cases[i][2]);
        buf_clear(&b);
        assert_int_equal(base64url_decode(str_from(cases[i][2]), &b, NULL), RC_OK);
        assert_string_equal(buf_cstr(&b), cases[i][0]);
    }
}

static void base64_refuses_every_other_spelling(void **state)
{
    static const char *const plain[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm9v\n", "Zm 9", "Zg==Zg==", "__79"};
    static const char *const url[] = {"Zg==", "Z", "Zh", "Zm9", "//79", "Zm9vY"};
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);

    (void)state;
    buf_add(&b, STR("kept"));
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_int_equal(base64_decode(str_from(plain[i]), &b, NULL), RC_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(url); i++)
        assert_int_equal(base64url_decode(str_from(url[i]), &b, NULL), RC_INVALID);
    assert_int_equal(base64_decode(STR("Zm9\0"), &b, NULL), RC_INVALID);
    assert_str(buf_str(&b), "kept");
}

static void base64_that_would_pass_the_maximum_is_refused_whole(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(5);

    (void)state;
    assert_int_equal(base64_decode(STR("Zm9vYmFy"), &b, NULL), RC_TOO_LARGE);
    assert_int_equal(b.len, 0);
}

static void percent_escapes_are_decoded_once(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(200);
    struct str s = STR("before");

    (void)state;
    assert_int_equal(percent_decode(&a, STR("a%2Fb%2fc+d%2541"), false, &s, NULL), RC_OK);
    assert_str(s, "a/b/c+d%41");
    assert_int_equal(percent_decode(&a, STR("a+b%2B"), true, &s, NULL), RC_OK);
    assert_str(s, "a b+");
    assert_int_equal(percent_decode(&a, STR("%"), false, &s, NULL), RC_INVALID);
    assert_int_equal(percent_decode(&a, STR("%1"), false, &s, NULL), RC_INVALID);
    assert_int_equal(percent_decode(&a, STR("%1g"), false, &s, NULL), RC_INVALID);
    assert_int_equal(percent_decode(&a, STR("a%00"), false, &s, NULL), RC_INVALID);
    assert_int_equal(percent_decode(&a, STR("a\0"), false, &s, NULL), RC_INVALID);
    assert_str(s, "a b+");
}

static void percent_decoding_stays_within_the_arena(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(16);
    struct str s = STR_NONE;

    (void)state;
    assert_int_equal(percent_decode(&a, STR("0123456789abcdef"), false, &s, NULL), RC_TOO_LARGE);
    assert_null(s.ptr);
}

static void percent_encoding_leaves_unreserved_characters(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);

    (void)state;
    percent_encode(&b, STR("aZ09-._~/ +\xff"));
    assert_str(buf_str(&b), "aZ09-._~%2F%20%2B%FF");
}

static void a_form_gives_the_decoded_value_of_a_name(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1000);
    struct str form = STR("a=1&grant%5Ftype=refresh+token&empty=&bare&b=%zz&twice=1&twice=2");
    struct str s = STR_NONE;

    (void)state;
    assert_int_equal(form_get(&a, form, "grant_type", &s, NULL), RC_OK);
    assert_str(s, "refresh token");
    assert_int_equal(form_get(&a, form, "empty", &s, NULL), RC_OK);
    assert_str(s, "");
    assert_int_equal(form_get(&a, form, "bare", &s, NULL), RC_OK);
    assert_str(s, "");
    assert_int_equal(form_get(&a, form, "none", &s, NULL), RC_NOT_FOUND);
    assert_int_equal(form_get(&a, form, "twice", &s, NULL), RC_INVALID);
    assert_int_equal(form_get(&a, form, "b", &s, NULL), RC_INVALID);
    assert_int_equal(form_get(&a, STR("a=1&%61=2"), "a", &s, NULL), RC_INVALID);
    assert_int_equal(form_get(&a, STR("a=1&%=2"), "a", &s, NULL), RC_INVALID);
    assert_int_equal(form_get(&a, STR_NONE, "a", &s, NULL), RC_NOT_FOUND);
    assert_str(s, "");
}

static void a_text_that_a_form_may_leave_out_is_none(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(16 * 1024);
    struct str s;

    (void)state;
    assert_int_equal(form_text(&a, STR("a=1&b=2"), "c", &s, NULL), RC_OK);
    assert_null(s.ptr);
    assert_int_equal(form_text(&a, STR("a=1&b=2"), "b", &s, NULL), RC_OK);
    assert_str(s, "2");
    assert_int_equal(form_text(&a, STR("a=1&a=2"), "a", &s, NULL), RC_INVALID);
}

static void utf8_is_checked_to_the_letter(void **state)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xef\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "a\xffz"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(utf8_valid(str_from(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_valid(str_from(bad[i])));
    assert_int_equal(utf8_count(STR("")), 0);
    assert_int_equal(utf8_count(STR("a\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80z")), 5);
}

static void text_is_cut_where_a_character_ends(void **state)
{
    static const struct {
        const char *text;
        size_t max, left;
    } cases[] = {
        {"abc", 3, 3},
        {"abc", 2, 2},
        {"abc", 0, 0},
        {"a\xc3\xa9", 2, 1},
        {"a\xc3\xa9", 3, 3},
        {"\xe6\x97\xa5\xe6\x9c\xac", 5, 3},
        {"\xe6\x97\xa5\xe6\x9c\xac", 4, 3},
        {"\xf0\x9f\x98\x80z", 3, 0},
        {"\x80\x80\x80\x80\x80\x80", 5, 2}, /* not UTF-8: some of it */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_cut(str_from(cases[i].text), cases[i].max).len, cases[i].left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_goes_both_ways),
        cmocka_unit_test(base64_knows_the_vectors_of_rfc_4648),
        cmocka_unit_test(base64_refuses_every_other_spelling),
        cmocka_unit_test(base64_that_would_pass_the_maximum_is_refused_whole),
        cmocka_unit_test(percent_escapes_are_decoded_once),
        cmocka_unit_test(percent_decoding_stays_within_the_arena),
        cmocka_unit_test(percent_encoding_leaves_unreserved_characters),
        cmocka_unit_test(a_form_gives_the_decoded_value_of_a_name),
        cmocka_unit_test(a_text_that_a_form_may_leave_out_is_none),
        cmocka_unit_test(utf8_is_checked_to_the_letter),
        cmocka_unit_test(text_is_cut_where_a_character_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
