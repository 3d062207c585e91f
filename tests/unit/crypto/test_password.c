#include "test.h"

#include "crypto/password.h"

/* hashlib.scrypt(b"pleaseletmein", salt=bytes(16), n=1024, r=8, p=16, dklen=32), by Python */
#define VECTOR "tYdImG7ZmpIrvAkvhFQLfrAVRj7DFQYFJ95cZ3PDEhA"

static void a_password_is_known_again_and_no_other(void **state)
{
    char record[PASSWORD_RECORD_MAX], again[PASSWORD_RECORD_MAX];

    (void)state;
    assert_int_equal(password_hash(STR("correct horse"), record, NULL), RC_OK);
    assert_int_equal(password_verify(STR("correct horse"), str_from(record), NULL), RC_OK);
    assert_int_equal(password_verify(STR("correct hors"), str_from(record), NULL),
                     RC_UNAUTHENTICATED);
    assert_int_equal(password_verify(STR(""), str_from(record), NULL), RC_UNAUTHENTICATED);
    assert_int_equal(password_hash(STR("correct horse"), again, NULL), RC_OK);
    assert_string_not_equal(record, again); /* a salt of its own */
}

static void another_implementations_hash_is_reached(void **state)
{
    static const char record[] = "scrypt$1024$8$16$AAAAAAAAAAAAAAAAAAAAAA$" VECTOR;

    (void)state;
    assert_int_equal(password_verify(STR("pleaseletmein"), STR(record), NULL), RC_OK);
}

static void nobodys_password_is_never_right(void **state)
{
    (void)state;
    assert_int_equal(password_verify(STR(""), STR(""), NULL), RC_UNAUTHENTICATED);
    assert_int_equal(password_verify(STR("anything"), STR_NONE, NULL), RC_UNAUTHENTICATED);
}

static void lengths_have_limits(void **state)
{
    static char longest[PASSWORD_MAX + 1];
    char record[PASSWORD_RECORD_MAX] = "untouched";

    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(password_hash(STR("1234567"), record, NULL), RC_INVALID);
    assert_int_equal(password_hash((struct str){longest, PASSWORD_MAX + 1}, record, NULL),
                     RC_INVALID);
    assert_string_equal(record, "untouched");
    assert_int_equal(password_hash((struct str){longest, PASSWORD_MAX}, record, NULL), RC_OK);
    assert_int_equal(
        password_verify((struct str){longest, PASSWORD_MAX + 1}, str_from(record), NULL),
        RC_UNAUTHENTICATED);
}

static void what_is_not_a_record_is_corrupt(void **state)
{
    static const char *const wrong[] = {
        "x",
        "scrypt$1024$8$16$AAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$0$8$16$AAAAAAAAAAAAAAAAAAAAAA$" VECTOR,
        "scrypt$99999999999$8$16$AAAAAAAAAAAAAAAAAAAAAA$" VECTOR,
        "scrypt$1024$8$16$AAAA$" VECTOR,
        "scrypt$1024$8$16$AAAAAAAAAAAAAAAAAAAAAA$" VECTOR "A",
        "bcrypt$1024$8$16$AAAAAAAAAAAAAAAAAAAAAA$" VECTOR,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(password_verify(STR("pleaseletmein"), str_from(wrong[i]), NULL),
                         RC_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_known_again_and_no_other),
        cmocka_unit_test(another_implementations_hash_is_reached),
        cmocka_unit_test(nobodys_password_is_never_right),
        cmocka_unit_test(lengths_have_limits),
        cmocka_unit_test(what_is_not_a_record_is_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
