#include "test.h"

#include "base/buf.h"
#include "http/h1_parse.h"

/* Decodes `s` in pieces of `step` bytes; *ret_used is where it ended. */
static enum h1_result decode(struct str s, size_t step, struct buf *out, size_t *ret_used)
{
    struct h1_chunks c;
    enum h1_result r = H1_MORE;
    size_t at = 0;

    h1_chunks_init(&c);
    buf_clear(out);
    while (r == H1_MORE && at < s.len) {
        size_t used, n = s.len - at < step ? s.len - at : step;
        struct str data;

        r = h1_chunks_feed(&c, s.ptr + at, n, &used, &data);
        buf_add(out, data);
        at += used;
    }
    *ret_used = at;
    return r;
}

static void expect(struct str s, enum h1_result result, const char *body)
{
    for (size_t step = 1; step <= s.len; step++) {
        CLEANUP(buf_done) struct buf out = BUF_INIT(100000);
        size_t used;

        assert_int_equal(decode(s, step, &out, &used), result);
        if (body)
            assert_true(str_is(buf_str(&out), body));
    }
}

static void chunks_become_the_body(void **state)
{
    (void)state;
    expect(STR("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"), H1_DONE, "abc0123456789");
    expect(STR("0\r\n\r\n"), H1_DONE, "");
    expect(STR("0003\r\nabc\r\n000\r\n\r\n"), H1_DONE, "abc");
    expect(STR("3\r\nab"), H1_MORE, "ab");
}

static void what_follows_the_body_is_left_alone(void **state)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(100);
    size_t used;

    (void)state;
    assert_int_equal(decode(STR("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1"), 100, &out, &used), H1_DONE);
    assert_int_equal(used, 11);
}

static void extensions_and_trailers_are_dropped(void **state)
{
    (void)state;
    expect(STR("3;name=\"a b\";x\r\nabc\r\n0;y\r\nX-Sum: 1\r\nY: 2\r\n\r\n"), H1_DONE, "abc");
}

static void malformed_sizes_are_refused(void **state)
{
    (void)state;
    expect(STR("\r\n"), H1_BAD, "");
    expect(STR("g\r\n"), H1_BAD, "");
    expect(STR("-1\r\n"), H1_BAD, "");
    expect(STR("+1\r\n"), H1_BAD, "");
    expect(STR("0x1\r\n"), H1_BAD, "");
    expect(STR(" 1\r\n"), H1_BAD, "");
    expect(STR("1 \r\na"), H1_BAD, "");
    expect(STR("1 ;x\r\na"), H1_BAD, "");
    expect(STR("1000000000000000\r\n"), H1_BAD, "");
    expect(STR(";x\r\n"), H1_BAD, "");
}

static void lines_of_chunks_end_in_cr_lf(void **state)
{
    (void)state;
    expect(STR("1\na\r\n0\r\n\r\n"), H1_BAD, "");
    expect(STR("1\r\na\n0\r\n\r\n"), H1_BAD, "a");
    expect(STR("1\r\nab\r\n0\r\n\r\n"), H1_BAD, "a");
    expect(STR("1\rxa\r\n"), H1_BAD, "");
    expect(STR("1;x\ny\r\na"), H1_BAD, "");
    expect(STR("0\r\n\n"), H1_BAD, "");
    expect(STR("0\r\nX: y\n\r\n"), H1_BAD, "");
    expect(STR("0\r\n X: y\r\n\r\n"), H1_BAD, "");
    expect(STR("0\r\n: y\r\n\r\n"), H1_BAD, "");
    expect(STR("0\r\n\rx"), H1_BAD, "");
}

static void extensions_and_trailers_have_limits(void **state)
{
    char text[H1_TRAILERS_MAX + 64];
    CLEANUP(buf_done) struct buf out = BUF_INIT(100);
    size_t used;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "1;", 2);
    assert_int_equal(decode((struct str){text, 2 + H1_EXTENSION_MAX}, 999, &out, &used), H1_MORE);
    assert_int_equal(decode((struct str){text, 3 + H1_EXTENSION_MAX}, 999, &out, &used), H1_BAD);
    memcpy(text, "0\r\n", 3);
    assert_int_equal(decode((struct str){text, 3 + H1_TRAILERS_MAX}, 9999, &out, &used), H1_MORE);
    assert_int_equal(decode((struct str){text, 4 + H1_TRAILERS_MAX}, 9999, &out, &used), H1_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_become_the_body),
        cmocka_unit_test(what_follows_the_body_is_left_alone),
        cmocka_unit_test(extensions_and_trailers_are_dropped),
        cmocka_unit_test(malformed_sizes_are_refused),
        cmocka_unit_test(lines_of_chunks_end_in_cr_lf),
        cmocka_unit_test(extensions_and_trailers_have_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
