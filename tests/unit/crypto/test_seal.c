#include "test.h"

#include "base/encode.h"
#include "crypto/seal.h"
#include <stdlib.h>

static const struct crypto_key key = {{1, 2, 3}};

static void what_was_sealed_opens_with_key_and_context(void **state)
{
    static const char *const plains[] = {"", "x", "a password that can be shown again"};
    static const char *const bounds[] = {"", "registry/slot/1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plains); i++)
        for (size_t j = 0; j < ARRAY_LEN(bounds); j++) {
            CLEANUP(buf_done) struct buf sealed = BUF_INIT(1000), opened = BUF_INIT(1000);
            struct str plain = str_from(plains[i]), bound = str_from(bounds[j]);

            assert_int_equal(crypto_seal(&key, bound, plain, &sealed, NULL), RC_OK);
            assert_int_equal(sealed.len, plain.len + 29);
            assert_int_equal(crypto_unseal(&key, bound, buf_str(&sealed), &opened, NULL), RC_OK);
            assert_string_equal(buf_cstr(&opened), plains[i]);
        }
}

static void the_same_text_never_seals_to_the_same_bytes(void **state)
{
    CLEANUP(buf_done) struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);

    (void)state;
    assert_int_equal(crypto_seal(&key, STR("k"), STR("text"), &a, NULL), RC_OK);
    assert_int_equal(crypto_seal(&key, STR("k"), STR("text"), &b, NULL), RC_OK);
    assert_false(str_eq(buf_str(&a), buf_str(&b)));
}

static void nothing_else_opens(void **state)
{
    static const struct crypto_key other = {{1, 2, 4}};
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(1000), opened = BUF_INIT(1000);
    struct str bound = STR("row 1");

    (void)state;
    buf_add(&opened, STR("kept"));
    assert_int_equal(crypto_seal(&key, bound, STR("secret"), &sealed, NULL), RC_OK);
    struct str s = buf_str(&sealed);

    assert_int_equal(crypto_unseal(&other, bound, s, &opened, NULL), RC_CORRUPT);
    assert_int_equal(crypto_unseal(&key, STR("row 2"), s, &opened, NULL), RC_CORRUPT);
    for (size_t i = 0; i < s.len; i++) {
        sealed.ptr[i] ^= 1;
        assert_int_equal(crypto_unseal(&key, bound, s, &opened, NULL), RC_CORRUPT);
        sealed.ptr[i] ^= 1;
        assert_int_equal(crypto_unseal(&key, bound, str_take(s, i), &opened, NULL), RC_CORRUPT);
    }
    assert_str(buf_str(&opened), "kept");
    assert_int_equal(crypto_unseal(&key, bound, STR_NONE, &opened, NULL), RC_CORRUPT);
}

static void secrets_are_long_random_and_kept_as_hashes(void **state)
{
    char a[CRYPTO_SECRET_TEXT_MAX], b[CRYPTO_SECRET_TEXT_MAX];
    CLEANUP(buf_done) struct buf bytes = BUF_INIT(100);
    struct str s = crypto_secret(a), t = crypto_secret(b);

    (void)state;
    assert_int_equal(s.len, 43);
    assert_int_equal(base64url_decode(s, &bytes, NULL), RC_OK);
    assert_int_equal(bytes.len, 32);
    assert_false(crypto_equal(s, t));
    assert_true(crypto_equal(s, str_from(a)));
    assert_false(crypto_equal(s, str_take(s, 42)));
    struct digest d = crypto_secret_hash(s), e = crypto_secret_hash(t);

    assert_int_equal(d.algorithm, DIGEST_SHA256);
    assert_false(digest_eq(&d, &e));
}

static void wiping_leaves_zeros(void **state)
{
    char bytes[5000], zeros[sizeof(bytes)] = {0};

    (void)state;
    memset(bytes, 0, sizeof(bytes));
    crypto_random(bytes, sizeof(bytes));
    assert_memory_not_equal(bytes + 4096, zeros, sizeof(bytes) - 4096);
    crypto_wipe(bytes, sizeof(bytes));
    assert_memory_equal(bytes, zeros, sizeof(bytes));
}

static void no_secret_begins_like_an_option(void **state)
{
    char text[CRYPTO_SECRET_TEXT_MAX];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct str s = crypto_secret(text);

        assert_int_equal(s.len, CRYPTO_SECRET_TEXT_MAX - 1);
        assert_true(s.ptr[0] != '-' && s.ptr[0] != '_');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_secret_begins_like_an_option),
        cmocka_unit_test(what_was_sealed_opens_with_key_and_context),
        cmocka_unit_test(the_same_text_never_seals_to_the_same_bytes),
        cmocka_unit_test(nothing_else_opens),
        cmocka_unit_test(secrets_are_long_random_and_kept_as_hashes),
        cmocka_unit_test(wiping_leaves_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
