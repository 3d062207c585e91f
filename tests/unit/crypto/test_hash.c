#include "test.h"

#include "crypto/hash.h"
#include <stdlib.h>

static void assert_hash(enum digest_algorithm a, const char *text, const char *expected)
{
    char out[DIGEST_TEXT_MAX];
    struct digest d;

    hash_bytes(a, str_from(text), &d);
    assert_str(digest_format(&d, out), expected);
}

static void hashes_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_hash(DIGEST_SHA256, "",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash(DIGEST_SHA256, "abc",
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(
        DIGEST_SHA512, "abc",
        "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274f"
        "c1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

/* At every cut, of both algorithms: stop, store, take up again, and the digest is the same. */
static void a_stored_state_can_be_taken_up_at_any_length(void **state)
{
    static const enum digest_algorithm both[] = {DIGEST_SHA256, DIGEST_SHA512};
    uint8_t bytes[400], stored[HASH_STATE_MAX];
    struct digest whole, resumed;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t a = 0; a < 2; a++)
        for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
            struct hash_state h, again;

            hash_bytes(both[a], (struct str){(char *)bytes, sizeof(bytes)}, &whole);
            hash_init(&h, both[a]);
            hash_update(&h, bytes, cut);
            size_t n = hash_export(&h, stored);

            assert_true(n <= sizeof(stored));
            assert_int_equal(hash_import((struct str){(char *)stored, n}, &again, NULL), RC_OK);
            hash_update(&again, bytes + cut, sizeof(bytes) - cut);
            hash_final(&again, &resumed);
            assert_true(digest_eq(&whole, &resumed));
        }
}

static void a_look_at_the_digest_does_not_disturb_the_state(void **state)
{
    struct hash_state h, copy;
    struct digest early, end, expected;

    (void)state;
    hash_init(&h, DIGEST_SHA256);
    hash_update(&h, "ab", 2);
    hash_final(&h, &early);
    copy = h;
    hash_update(&copy, "c", 1);
    hash_final(&copy, &end);
    hash_bytes(DIGEST_SHA256, STR("abc"), &expected);
    assert_true(digest_eq(&end, &expected));
    hash_bytes(DIGEST_SHA256, STR("ab"), &expected);
    assert_true(digest_eq(&early, &expected));
}

static void the_stored_form_is_the_same_on_every_machine(void **state)
{
    static const uint8_t expected[] = {1,    1,    0x67, 0xe6, 0x09, 0x6a, 0x85, 0xae, 0x67, 0xbb,
                                       0x72, 0xf3, 0x6e, 0x3c, 0x3a, 0xf5, 0x4f, 0xa5, 0x7f, 0x52,
                                       0x0e, 0x51, 0x8c, 0x68, 0x05, 0x9b, 0xab, 0xd9, 0x83, 0x1f,
                                       0x19, 0xcd, 0xe0, 0x5b, 24,   0,    0,    0,    0,    0,
                                       0,    0,    3,    'a',  'b',  'c'};
    uint8_t stored[HASH_STATE_MAX];
    struct hash_state h;

    (void)state;
    hash_init(&h, DIGEST_SHA256);
    hash_update(&h, "abc", 3);
    assert_int_equal(hash_export(&h, stored), sizeof(expected));
    assert_memory_equal(stored, expected, sizeof(expected));
}

static void a_state_that_does_not_fit_together_is_refused(void **state)
{
    uint8_t stored[HASH_STATE_MAX];
    struct hash_state h, kept = {.algorithm = DIGEST_SHA512};

    (void)state;
    hash_init(&h, DIGEST_SHA256);
    hash_update(&h, "abc", 3);
    size_t n = hash_export(&h, stored);
    struct str s = {(char *)stored, n};

    for (size_t i = 0; i < n; i++)
        assert_int_equal(hash_import(str_take(s, i), &kept, NULL), RC_INVALID);
    static const struct {
        size_t at;
        uint8_t to;
    } changes[] = {{0, 0}, {0, 2}, {0, 3}, {1, 2}, {34, 32}, {34, 25}, {42, 2}, {42, 64}};

    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        uint8_t before = stored[changes[i].at];

        stored[changes[i].at] = changes[i].to;
        assert_int_equal(hash_import(s, &kept, NULL), RC_INVALID);
        stored[changes[i].at] = before;
    }
    assert_int_equal(kept.algorithm, DIGEST_SHA512);
    assert_int_equal(hash_import(s, &kept, NULL), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_standard),
        cmocka_unit_test(a_stored_state_can_be_taken_up_at_any_length),
        cmocka_unit_test(a_look_at_the_digest_does_not_disturb_the_state),
        cmocka_unit_test(the_stored_form_is_the_same_on_every_machine),
        cmocka_unit_test(a_state_that_does_not_fit_together_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
