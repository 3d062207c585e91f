#include "test.h"

#include "http/range.h"

static void part(const char *text, uint64_t size, uint64_t offset, uint64_t length)
{
    uint64_t o, l;

    assert_int_equal(http_range_parse(str_from(text), size, &o, &l), HTTP_RANGE_PART);
    assert_int_equal(o, offset);
    assert_int_equal(l, length);
}

static void no_part(const char *text, uint64_t size, enum http_range expected)
{
    uint64_t o = 77, l = 77;

    assert_int_equal(http_range_parse(str_from(text), size, &o, &l), expected);
    assert_true(o == 77 && l == 77);
}

static void one_range_is_honoured(void **state)
{
    (void)state;
    part("bytes=0-0", 10, 0, 1);
    part("bytes=2-5", 10, 2, 4);
    part("Bytes=5-", 10, 5, 5);
    part("bytes=5-99", 10, 5, 5);
    part("bytes=-3", 10, 7, 3);
    part("bytes=-30", 10, 0, 10);
    part("bytes=9-18446744073709551615", 10, 9, 1);
}

static void a_range_behind_the_end_cannot_be_satisfied(void **state)
{
    (void)state;
    no_part("bytes=10-", 10, HTTP_RANGE_NONE);
    no_part("bytes=10-12", 10, HTTP_RANGE_NONE);
    no_part("bytes=-0", 10, HTTP_RANGE_NONE);
    no_part("bytes=0-", 0, HTTP_RANGE_NONE);
    no_part("bytes=5-2", 10, HTTP_RANGE_NONE);
    no_part("bytes=-1", 0, HTTP_RANGE_NONE);
}

static void anything_else_means_the_whole(void **state)
{
    (void)state;
    no_part("items=0-1", 10, HTTP_RANGE_ALL);
    no_part("bytes=0-1,3-4", 10, HTTP_RANGE_ALL);
    no_part("bytes=a-b", 10, HTTP_RANGE_ALL);
    no_part("bytes=--1", 10, HTTP_RANGE_ALL);
    no_part("bytes=-", 10, HTTP_RANGE_ALL);
    no_part("bytes=1", 10, HTTP_RANGE_ALL);
    no_part("bytes=99999999999999999999-", 10, HTTP_RANGE_ALL);
    no_part("", 10, HTTP_RANGE_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_honoured),
        cmocka_unit_test(a_range_behind_the_end_cannot_be_satisfied),
        cmocka_unit_test(anything_else_means_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
