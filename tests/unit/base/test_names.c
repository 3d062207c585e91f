/* digest, uuid, clock. */
#include "test.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/uuid.h"
#include <time.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void digests_are_read_and_written_back(void **state)
{
    static const char *const texts[] = {"sha256:" HEX64, "sha512:" HEX64 HEX64};
    char out[DIGEST_TEXT_MAX];
    struct digest d;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(digest_parse(str_from(texts[i]), &d, NULL), RC_OK);
        assert_true(digest_is_set(&d));
        assert_str(digest_format(&d, out), texts[i]);
        assert_string_equal(out, texts[i]);
    }
    assert_int_equal(d.bytes[1], 0x23);
}

static void malformed_digests_are_refused_and_change_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        "sha256",
        "sha256:",
        "sha256:" HEX64 "0",
        "sha256:012",
        "sha512:" HEX64,
        "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        "sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "SHA256:" HEX64,
        " sha256:" HEX64,
        "+x:abc",
        "md5:..",
        "md5:",
    };
    struct digest d = {.algorithm = 9};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(digest_parse(str_from(bad[i]), &d, NULL), RC_INVALID);
    assert_int_equal(digest_parse(STR("sha256:\0"), &d, NULL), RC_INVALID);
    assert_int_equal(digest_parse(STR_NONE, &d, NULL), RC_INVALID);
    assert_int_equal(digest_parse(STR("blake3:abcDEF"), &d, NULL), RC_UNSUPPORTED);
    assert_int_equal(digest_parse(STR("multihash+base58:QmR"), &d, NULL), RC_UNSUPPORTED);
    assert_int_equal(d.algorithm, 9);
}

static void digests_are_equal_by_algorithm_and_bytes(void **state)
{
    struct digest a, b;

    (void)state;
    assert_int_equal(digest_parse(STR("sha256:" HEX64), &a, NULL), RC_OK);
    b = a;
    assert_true(digest_eq(&a, &b));
    b.bytes[31] ^= 1;
    assert_false(digest_eq(&a, &b));
    b = a;
    b.algorithm = DIGEST_SHA512;
    assert_false(digest_eq(&a, &b));
    assert_int_equal(digest_algorithm_from(STR("sha512")), DIGEST_SHA512);
    assert_int_equal(digest_algorithm_from(STR("none")), DIGEST_NONE);
    assert_int_equal(digest_size((enum digest_algorithm)7), 0);
}

static void uuids_are_random_version_four_and_read_back(void **state)
{
    struct uuid a = uuid_random(), b = uuid_random(), c;
    char out[UUID_TEXT_MAX];

    (void)state;
    assert_false(uuid_eq(&a, &b));
    struct str s = uuid_format(&a, out);

    assert_int_equal(s.len, 36);
    assert_int_equal(out[14], '4');
    assert_non_null(strchr("89ab", out[19]));
    assert_int_equal(uuid_parse(s, &c, NULL), RC_OK);
    assert_true(uuid_eq(&a, &c));
    assert_int_equal(uuid_parse(STR("0123ABCD-0000-4000-8000-0123456789AB"), &c, NULL), RC_OK);
    assert_str(uuid_format(&c, out), "0123abcd-0000-4000-8000-0123456789ab");
    assert_false(uuid_is_nil(&c));
    assert_true(uuid_is_nil(&(struct uuid){{0}}));
}

static void malformed_uuids_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "0123abcd-0000-4000-8000-0123456789a", "0123abcd00000-4000-8000-0123456789ab",
        "0123abcd-0000-4000-8000-0123456789ag", "{123abcd-0000-4000-8000-0123456789a}"};
    struct uuid u = {{1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(uuid_parse(str_from(bad[i]), &u, NULL), RC_INVALID);
    assert_int_equal(u.bytes[0], 1);
}

static void times_are_written_as_their_protocols_want(void **state)
{
    char out[CLOCK_TEXT_MAX];
    int64_t us = 1795464672123456;

    (void)state;
    assert_str(clock_format_z(us, out), "2026-11-23T20:11:12.1234560Z");
    assert_str(clock_format_offset(us, out), "2026-11-23T20:11:12.1234560+00:00");
    assert_str(clock_format_http(us, out), "Mon, 23 Nov 2026 20:11:12 GMT");
    assert_str(clock_format_http(0, out), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_str(clock_format_z(-1, out), "1969-12-31T23:59:59.9999990Z");
    assert_true(clock_format_offset(INT64_MAX, out).len < CLOCK_TEXT_MAX);
    assert_true(clock_format_offset(INT64_MIN, out).len < CLOCK_TEXT_MAX);
}

static void the_calendar_agrees_with_the_system_library(void **state)
{
    (void)state;
    for (int64_t day = -200000; day < 200000; day += 37) {
        time_t t = day * 86400 + day % 80000;
        char expected[CLOCK_TEXT_MAX], out[CLOCK_TEXT_MAX];
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_str(clock_format_http((int64_t)t * CLOCK_US_PER_S, out), expected);
    }
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    int64_t before = clock_mono_us();

    (void)state;
    assert_true(clock_mono_us() >= before);
    assert_true(clock_wall_us() > 1700000000LL * CLOCK_US_PER_S);
}

static void times_are_read_in_the_form_of_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-23T20:11:12.123456Z", 1795464672123456},
        {"2026-11-23t20:11:12.1234567+00:00", 1795464672123456},
        {"2028-02-29T00:00:00.5Z", 1835395200500000},
        {"2027-02-29T00:00:00Z", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-11-23T24:00:00Z", -1},
        {"2026-11-23T20:11:12", -1},
        {"2026-11-23T20:11:12.Z", -1},
        {"2026-11-23T20:11:12+01:00", -1},
        {"2026-11-23", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;

        if ((clock_parse(str_from(cases[i].text), &us, NULL) == RC_OK) != (cases[i].us >= 0) ||
            us != cases[i].us)
            fail_msg("%s: %lld", cases[i].text, (long long)us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_the_form_of_rfc_3339),
        cmocka_unit_test(digests_are_read_and_written_back),
        cmocka_unit_test(malformed_digests_are_refused_and_change_nothing),
        cmocka_unit_test(digests_are_equal_by_algorithm_and_bytes),
        cmocka_unit_test(uuids_are_random_version_four_and_read_back),
        cmocka_unit_test(malformed_uuids_are_refused),
        cmocka_unit_test(times_are_written_as_their_protocols_want),
        cmocka_unit_test(the_calendar_agrees_with_the_system_library),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
