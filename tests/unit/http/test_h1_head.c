#include "test.h"

#include <stdio.h>

#include "http/chars.h"
#include "http/h1_parse.h"

static struct h1_head head;

static enum h1_result feed(struct str s)
{
    h1_head_init(&head);
    return h1_head_feed(&head, s.ptr, s.len);
}

static struct str text_of(const char *bytes, struct h1_span s)
{
    return (struct str){bytes + s.off, s.len};
}

/* Each is a whole head but for the empty line at its end. */
#define REFUSED(expected, lines)                                                                   \
    do {                                                                                           \
        assert_int_equal(feed(STR(lines "\r\n\r\n")), H1_BAD);                                     \
        assert_int_equal(head.status, expected);                                                   \
        assert_non_null(head.why);                                                                 \
    } while (0)
#define TAKEN(lines) assert_int_equal(feed(STR(lines "\r\n\r\n")), H1_DONE)
#define GET          "GET / HTTP/1.1\r\nHost: h\r\n"

static void an_ordinary_head_is_taken_apart(void **state)
{
    struct str s = STR("POST /v2/a?b=c HTTP/1.1\r\nHost: Reg.example:5443\r\nContent-Length: 12\r\n"
                       "X-Empty:\r\nAccept: \t a, b \t\r\n\r\nbody");

    (void)state;
    assert_int_equal(feed(s), H1_DONE);
    assert_int_equal(head.taken, s.len - 4);
    assert_true(str_is(text_of(s.ptr, head.method), "POST"));
    assert_true(str_is(text_of(s.ptr, head.target), "/v2/a?b=c"));
    assert_true(str_is(text_of(s.ptr, head.authority), "Reg.example:5443"));
    assert_int_equal(head.version, 11);
    assert_int_equal(head.content_length, 12);
    assert_int_equal(head.n_fields, 4);
    assert_true(str_is(text_of(s.ptr, head.names[2]), "X-Empty"));
    assert_int_equal(head.values[2].len, 0);
    assert_true(str_is(text_of(s.ptr, head.values[3]), "a, b"));
    assert_true(h1_head_persistent(&head));
}

static void a_head_may_come_in_any_pieces(void **state)
{
    struct str s = STR("\r\nPUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n");

    (void)state;
    h1_head_init(&head);
    for (size_t n = 0; n < s.len - 3; n++)
        assert_int_equal(h1_head_feed(&head, s.ptr, n), n < s.len - 3 ? H1_MORE : H1_DONE);
    assert_int_equal(h1_head_feed(&head, s.ptr, s.len - 3), H1_DONE);
    assert_int_equal(head.taken, s.len - 3);
    assert_true(head.chunked);
}

static void lines_end_in_cr_lf_and_nothing_else(void **state)
{
    (void)state;
    REFUSED(400, "GET / HTTP/1.1\nHost: h");
    REFUSED(400, "GET / HTTP/1.1\r\nHost: h\nX: y");
    REFUSED(400, GET "X: a\rContent-Length: 5");
    REFUSED(400, GET "X: a\r\r");
    assert_int_equal(feed(STR("\n\n")), H1_BAD);
    assert_int_equal(feed(STR("GET / HTTP/1.1\r\nHost: h\r\n\n")), H1_BAD);
}

static void one_empty_line_may_come_first(void **state)
{
    (void)state;
    TAKEN("\r\nGET / HTTP/1.1\r\nHost: h");
    REFUSED(400, "\r\n\r\nGET / HTTP/1.1\r\nHost: h");
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    REFUSED(400, GET "X: a\0b");
    REFUSED(400, GET "X: a\x01");
    REFUSED(400, GET "X: a\x7f");
    REFUSED(400, "GET /\0 HTTP/1.1\r\nHost: h");
    REFUSED(400, "GET\t/ HTTP/1.1\r\nHost: h");
    TAKEN(GET "X: caf\xc3\xa9");
}

static void field_names_are_tokens_with_the_colon_at_their_end(void **state)
{
    (void)state;
    REFUSED(400, GET "X : a");
    REFUSED(400, GET "Transfer-Encoding : chunked");
    REFUSED(400, GET ": a");
    REFUSED(400, GET "no colon");
    REFUSED(400, GET "X(y): a");
    REFUSED(400, GET " X: a");
    TAKEN(GET "x!#$%&'*+-.^_`|~9: a");
}

static void folded_fields_are_refused(void **state)
{
    (void)state;
    REFUSED(400, GET "X: a\r\n b");
    REFUSED(400, GET "X: a\r\n\tb");
    REFUSED(400, "GET / HTTP/1.1\r\n Host: h");
}

static void request_lines_have_three_parts(void **state)
{
    (void)state;
    REFUSED(400, "GET /\r\nHost: h");
    REFUSED(400, "GET\r\nHost: h");
    REFUSED(400, " GET / HTTP/1.1\r\nHost: h");
    REFUSED(400, "GET / HTTP/1.1 \r\nHost: h");
    REFUSED(400, "GET / http/1.1\r\nHost: h");
    REFUSED(400, "GET / HTTP/11\r\nHost: h");
    REFUSED(400, "GET / HTTP/1.10\r\nHost: h");
    REFUSED(400, "GET / HTTP/1.x\r\nHost: h");
}

static void what_is_wrong_with_a_target_or_method_waits_for_the_gate(void **state)
{
    struct str s = STR("G@T /a b%zz/../ HTTP/1.1\r\nHost: h\r\n\r\n");

    (void)state;
    assert_int_equal(feed(s), H1_DONE);
    assert_true(str_is(text_of(s.ptr, head.target), "/a b%zz/../"));
    TAKEN("CONNECT x HTTP/1.1\r\nHost: h");
    TAKEN("GET  HTTP/1.1\r\nHost: h");
    TAKEN("BREW * HTTP/1.1\r\nHost: h");
}

static void other_versions_wait_for_the_gate_too_and_end_the_connection(void **state)
{
    (void)state;
    TAKEN("GET / HTTP/2.0\r\nHost: h");
    assert_int_equal(head.version, 0);
    assert_false(h1_head_persistent(&head));
    TAKEN("GET / HTTP/1.7\r\nHost: h");
    assert_int_equal(head.version, 11);
    REFUSED(400, "PRI * HTTP/2.0");
}

static void there_is_exactly_one_host(void **state)
{
    (void)state;
    REFUSED(400, "GET / HTTP/1.1\r\nX: y");
    REFUSED(400, GET "Host: h");
    REFUSED(400, GET "hOST: other");
    REFUSED(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b");
    TAKEN("GET / HTTP/1.0");
    assert_int_equal(head.authority.len, 0);
}

static void a_malformed_host_is_refused(void **state)
{
    (void)state;
    REFUSED(400, "GET / HTTP/1.1\r\nHost: a b");
    REFUSED(400, "GET / HTTP/1.1\r\nHost: a,b");
    REFUSED(400, "GET / HTTP/1.1\r\nHost: a@b");
    REFUSED(400, "GET / HTTP/1.1\r\nHost: a/b");
    REFUSED(400, "GET / HTTP/1.1\r\nHost: a:99999");
    REFUSED(400, "GET / HTTP/1.1\r\nHost: [::1");
    TAKEN("GET / HTTP/1.1\r\nHost: [::1]:80");
    TAKEN("GET / HTTP/1.1\r\nHost:");
}

static void an_absolute_target_replaces_the_host(void **state)
{
    struct str s = STR("GET HTTP://Other.example:80/x HTTP/1.1\r\nHost: h\r\n\r\n");

    (void)state;
    assert_int_equal(feed(s), H1_DONE);
    assert_true(str_is(text_of(s.ptr, head.authority), "Other.example:80"));
    REFUSED(400, "GET http://other/x HTTP/1.1\r\nX: y");
    REFUSED(400, "GET http://other/x HTTP/1.1\r\nHost: a b");
    REFUSED(400, "GET http://user@other/x HTTP/1.1\r\nHost: h");
    REFUSED(400, "GET http:///x HTTP/1.1\r\nHost: h");
    REFUSED(400, "GET http://a b/x HTTP/1.1\r\nHost: h");
    TAKEN("GET http://only-here/ HTTP/1.0");
}

static void there_is_one_content_length_in_digits(void **state)
{
    (void)state;
    REFUSED(400, GET "Content-Length: 5\r\nContent-Length: 5");
    REFUSED(400, GET "Content-Length: 5\r\nContent-Length: 6");
    REFUSED(400, GET "Content-Length: 5, 5");
    REFUSED(400, GET "Content-Length: +5");
    REFUSED(400, GET "Content-Length: -1");
    REFUSED(400, GET "Content-Length: 0x5");
    REFUSED(400, GET "Content-Length: 5 5");
    REFUSED(400, GET "Content-Length:");
    REFUSED(400, GET "Content-Length: 9223372036854775808");
    REFUSED(400, GET "Content-Length: 18446744073709551617");
    TAKEN(GET "Content-Length: 9223372036854775807");
}

static void the_only_coding_is_chunked_alone(void **state)
{
    (void)state;
    REFUSED(400, GET "Transfer-Encoding: gzip, chunked");
    REFUSED(400, GET "Transfer-Encoding: chunked, chunked");
    REFUSED(400, GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked");
    REFUSED(400, GET "Transfer-Encoding: xchunked");
    REFUSED(400, GET "Transfer-Encoding: identity");
    REFUSED(400, GET "Transfer-Encoding:\x0b"
                     "chunked");
    REFUSED(400, GET "Transfer-Encoding: \"chunked\"");
    REFUSED(400, GET "Transfer-Encoding: chunked\r\nContent-Length: 5");
    REFUSED(400, GET "Content-Length: 5\r\nTransfer-Encoding: chunked");
    REFUSED(400, "GET / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked");
    TAKEN(GET "transfer-encoding: Chunked");
}

static void persistence_follows_version_and_connection(void **state)
{
    (void)state;
    TAKEN(GET "Connection: foo, Close");
    assert_false(h1_head_persistent(&head));
    TAKEN("GET / HTTP/1.0\r\nHost: h");
    assert_false(h1_head_persistent(&head));
    TAKEN("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive");
    assert_true(h1_head_persistent(&head));
    TAKEN(GET "Connection: keep-alive\r\nConnection: close");
    assert_false(h1_head_persistent(&head));
}

static void expecting_100_is_noted(void **state)
{
    (void)state;
    TAKEN(GET "Expect: 100-Continue");
    assert_true(head.expects_continue);
    TAKEN(GET "Expect: something");
    assert_false(head.expects_continue);
}

static void a_hundred_fields_are_enough(void **state)
{
    char text[8192] = "GET / HTTP/1.1\r\nHost: h\r\n";
    size_t n = strlen(text);

    (void)state;
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "x%d: y\r\n", i);
    snprintf(text + n, sizeof(text) - n, "\r\n");
    assert_int_equal(feed(str_from(text)), H1_DONE);
    snprintf(text + n, sizeof(text) - n, "one: more\r\n\r\n");
    assert_int_equal(feed(str_from(text)), H1_BAD);
    assert_int_equal(head.status, 431);
}

static void a_head_of_32_kib_is_enough(void **state)
{
    static char text[HTTP_HEAD_MAX + 16];
    const char *start = GET "X: ";

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, start, strlen(start));
    memcpy(text + HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
    assert_int_equal(feed((struct str){text, HTTP_HEAD_MAX}), H1_DONE);
    memset(text + HTTP_HEAD_MAX - 4, 'a', 4);
    assert_int_equal(feed((struct str){text, HTTP_HEAD_MAX}), H1_MORE);
    assert_int_equal(feed((struct str){text, HTTP_HEAD_MAX + 1}), H1_BAD);
    assert_int_equal(head.status, 431);
    memcpy(text + HTTP_HEAD_MAX - 3, "\r\n\r\n", 4);
    assert_int_equal(feed((struct str){text, HTTP_HEAD_MAX + 1}), H1_BAD);
    assert_int_equal(head.status, 431);
}

static void the_table_of_characters_says_what_the_grammar_says(void **state)
{
    static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool word = i != 0 && strchr(alnum, i), visible = i > 32 && i < 127;

        assert_int_equal(char_is(c, CHAR_TOKEN), word || (i != 0 && strchr("!#$%&'*+-.^_`|~", i)));
        assert_int_equal(char_is(c, CHAR_FIELD), visible || i == ' ' || i == '\t' || i >= 128);
        assert_int_equal(char_is(c, CHAR_PATH),
                         word || (i != 0 && strchr("-._~!$&'()*+,;=:@/", i)));
        assert_int_equal(char_is(c, CHAR_QUERY), visible && i != '%' && i != '#');
        assert_int_equal(char_is(c, CHAR_HOST), word || i == '-' || i == '_');
        assert_int_equal(char_is(c, CHAR_HEX), i != 0 && strchr("0123456789abcdefABCDEF", i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_head_is_taken_apart),
        cmocka_unit_test(a_head_may_come_in_any_pieces),
        cmocka_unit_test(lines_end_in_cr_lf_and_nothing_else),
        cmocka_unit_test(one_empty_line_may_come_first),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(field_names_are_tokens_with_the_colon_at_their_end),
        cmocka_unit_test(folded_fields_are_refused),
        cmocka_unit_test(request_lines_have_three_parts),
        cmocka_unit_test(what_is_wrong_with_a_target_or_method_waits_for_the_gate),
        cmocka_unit_test(other_versions_wait_for_the_gate_too_and_end_the_connection),
        cmocka_unit_test(there_is_exactly_one_host),
        cmocka_unit_test(a_malformed_host_is_refused),
        cmocka_unit_test(an_absolute_target_replaces_the_host),
        cmocka_unit_test(there_is_one_content_length_in_digits),
        cmocka_unit_test(the_only_coding_is_chunked_alone),
        cmocka_unit_test(persistence_follows_version_and_connection),
        cmocka_unit_test(expecting_100_is_noted),
        cmocka_unit_test(a_hundred_fields_are_enough),
        cmocka_unit_test(a_head_of_32_kib_is_enough),
        cmocka_unit_test(the_table_of_characters_says_what_the_grammar_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
