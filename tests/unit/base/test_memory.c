/* buf, arena, map. */
#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include <stdio.h>

static void a_buffer_grows_to_its_maximum_and_then_stays_failed(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);
    struct err e;

    (void)state;
    for (int i = 0; i < 100; i++)
        buf_addc(&b, 'x');
    assert_int_equal(buf_status(&b, &e), RC_OK);
    buf_addc(&b, 'y');
    assert_int_equal(buf_status(&b, &e), RC_TOO_LARGE);
    buf_drop(&b, 50);
    buf_addc(&b, 'y');
    assert_int_equal(b.len, 50);
    buf_clear(&b);
    assert_int_equal(buf_status(&b, &e), RC_OK);
    buf_addf(&b, "%099d", 1);
    assert_int_equal(strlen(buf_cstr(&b)), 99);
    buf_addf(&b, "%s", "12");
    assert_int_equal(b.len, 99); /* all or nothing */
}

static void an_empty_buffer_is_an_empty_string(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(0);

    (void)state;
    assert_string_equal(buf_cstr(&b), "");
    buf_add(&b, STR_NONE);
    assert_false(b.failed);
    buf_addc(&b, 'x');
    assert_true(b.failed);
}

static void reserved_room_can_be_written_and_counted(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    char *p = buf_reserve(&b, 1000);

    (void)state;
    assert_non_null(p);
    memset(p, 'a', 1000);
    b.len += 1000;
    assert_null(buf_reserve(&b, 1));
    buf_clear(&b);
    buf_add(&b, STR("hello"));
    buf_drop(&b, 2);
    assert_str(buf_str(&b), "llo");
}

static void json_text_is_escaped_and_mended(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);

    (void)state;
    buf_add_json(&b, STR("a\"\\\b\f\n\r\t\x01\x7f/\xc3\xa9"));
    assert_str(buf_str(&b), "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f/\xc3\xa9\"");
    buf_clear(&b);
    buf_add_json(&b, STR("x\xff\xc3\xed\xa0\x80z\0"));
    assert_str(buf_str(&b), "\"x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"
                            "\\u0000\"");
}

static void numbers_are_added_as_decimals(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(200);

    (void)state;
    buf_add_u64(&b, 0);
    buf_addc(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    buf_addc(&b, ' ');
    buf_add_i64(&b, INT64_MIN);
    buf_addc(&b, ' ');
    buf_add_i64(&b, INT64_MAX);
    assert_str(buf_str(&b), "0 18446744073709551615 -9223372036854775808 9223372036854775807");
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    char *p[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        size_t n = 1 + i * 17;

        p[i] = arena_alloc(&a, n);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        for (size_t j = 0; j < n; j++)
            assert_int_equal(p[i][j], 0);
        memset(p[i], (int)i, n);
    }
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        for (size_t j = 0; j < 1 + i * 17; j++)
            assert_int_equal((unsigned char)p[i][j], i);
}

static void an_arena_stops_at_its_maximum_and_can_be_used_again(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(10000);

    (void)state;
    assert_null(arena_alloc(&a, 10001));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 8));
    assert_non_null(arena_alloc(&a, 9984));
    assert_null(arena_alloc(&a, 17));
    assert_null(arena_copy(&a, STR("longer than the sixteen that are left")).ptr);
    assert_null(arena_printf(&a, "%040d", 1).ptr);
    arena_done(&a);
    assert_str(arena_printf(&a, "%d-%s", 4, "x"), "4-x");
    struct str s = arena_copy(&a, STR_NONE);

    assert_string_equal(s.ptr, "");
}

static void a_map_finds_what_was_put_and_only_that(void **state)
{
    CLEANUP(map_done) struct map m = MAP_INIT;
    char key[16];
    int values[1000];

    (void)state;
    assert_null(map_get(&m, STR("k0")));
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_null(map_put(&m, str_from(key), &values[i]));
    }
    assert_ptr_equal(map_put(&m, STR("k5"), &values[6]), &values[5]);
    assert_ptr_equal(map_put(&m, STR("k5"), &values[5]), &values[6]);
    for (int i = 0; i < 1000; i += 3) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_ptr_equal(map_del(&m, str_from(key)), &values[i]);
        assert_null(map_del(&m, str_from(key)));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_ptr_equal(map_get(&m, str_from(key)), i % 3 == 0 ? NULL : &values[i]);
    }
    assert_int_equal(m.count, 666);
}

static void iterating_a_map_visits_each_entry_once(void **state)
{
    CLEANUP(map_done) struct map m = MAP_INIT;
    unsigned seen[256] = {0};
    size_t i = 0;
    struct str key;
    void *value;

    (void)state;
    for (unsigned c = 0; c < 256; c++)
        map_put(&m, (struct str){(char[]){(char)c}, 1}, &seen[c]);
    while (map_next(&m, &i, &key, &value)) {
        assert_ptr_equal(value, &seen[(unsigned char)key.ptr[0]]);
        ++*(unsigned *)value;
    }
    for (unsigned c = 0; c < 256; c++)
        assert_int_equal(seen[c], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_to_its_maximum_and_then_stays_failed),
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(reserved_room_can_be_written_and_counted),
        cmocka_unit_test(json_text_is_escaped_and_mended),
        cmocka_unit_test(numbers_are_added_as_decimals),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(an_arena_stops_at_its_maximum_and_can_be_used_again),
        cmocka_unit_test(a_map_finds_what_was_put_and_only_that),
        cmocka_unit_test(iterating_a_map_visits_each_entry_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
