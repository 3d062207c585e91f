#include "base/clock.h"
#include "base/metric.h"
#include "http_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define POST(path) "POST " path " HTTP/1.1\r\nHost: h\r\n"

/* --- requests in a row --- */

static void a_connection_serves_one_request_after_the_other(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    for (int i = 0; i < 3; i++) {
        ANSWER a;

        client_send(&c, STR(GET("/hot")));
        client_answer(&c, &a, false);
        assert_int_equal(a.status, 200);
        assert_str(buf_str(&a.body), "hello");
        assert_str(answer_field(&a, "X-Hot"), "yes");
        assert_str(answer_field(&a, "Server"), "kidoban");
        assert_str(answer_field(&a, "Content-Type"), "text/plain");
        assert_int_equal(answer_field(&a, "Date").len, 29);
        assert_null(answer_field(&a, "Connection").ptr);
    }
}

static void a_byte_is_counted_once(void **state)
{
    const struct str request = STR("GET /hot HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    int64_t in = metric_value(METRIC_BYTES_IN), out = metric_value(METRIC_BYTES_OUT);
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, request);
    take_answer(&c, 200, "hello");
    assert_true(client_at_end(&c)); /* by then the server has counted */
    in = metric_value(METRIC_BYTES_IN) - in;
    out = metric_value(METRIC_BYTES_OUT) - out;
    assert_int_equal(in, request.len);
    assert_in_range(out, 100, 250); /* a head is some 150 bytes long */
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    client_send(
        &c, STR(GET("/hot") POST("/echo") "Content-Length: 3\r\n\r\nabc" GET("/cold") POST(
                "/echo") "Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" GET("/nowhere")));
    take_answer(&c, 200, "hello");
    take_answer(&c, 200, "abc");
    take_answer(&c, 200, "");
    take_answer(&c, 200, "de");
    take_answer(&c, 404, "none");
}

static void a_call_that_declines_runs_on_the_password_lane_with_its_body(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR(POST("/slow-echo") "Content-Length: 3\r\n\r\nabc" GET("/hot")));
    take_answer(&c, 200, "abc");
    take_answer(&c, 200, "hello");
}

static void a_thousand_pipelined_requests_get_a_thousand_answers(void **state)
{
    CLEANUP(buf_done) struct buf many = BUF_INIT(1 << 20);
    CLIENT c;

    for (int i = 0; i < 1000; i++)
        buf_add(&many, STR(GET("/hot")));
    client_open(&c, *state);
    client_send(&c, buf_str(&many));
    for (int i = 0; i < 1000; i++)
        take_answer(&c, 200, "hello");
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct str s = STR(POST("/echo") "Content-Length: 5\r\n\r\nslow!");
    CLIENT c;

    client_open(&c, *state);
    for (size_t i = 0; i < s.len; i++)
        client_send(&c, (struct str){s.ptr + i, 1});
    take_answer(&c, 200, "slow!");
}

static void a_large_head_is_taken(void **state)
{
    char pad[30000];
    CLIENT c;

    memset(pad, 'p', sizeof(pad));
    client_open(&c, *state);
    client_send(&c, STR("GET /hot HTTP/1.1\r\nHost: h\r\nX-Pad: "));
    client_send(&c, (struct str){pad, sizeof(pad)});
    client_send(&c, STR("\r\n\r\n" GET("/hot")));
    take_answer(&c, 200, "hello");
    take_answer(&c, 200, "hello");
}

static void the_connection_closes_when_the_client_says_so(void **state)
{
    CLIENT c;
    ANSWER a;

    client_open(&c, *state);
    client_send(&c, STR("GET /hot HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    client_answer(&c, &a, false);
    assert_str(answer_field(&a, "Connection"), "close");
    assert_true(client_at_end(&c));
}

static void http_1_0_closes_unless_it_asks(void **state)
{
    CLIENT c;
    ANSWER a;

    client_open(&c, *state);
    client_send(&c, STR("GET /hot HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"));
    client_answer(&c, &a, false);
    assert_str(answer_field(&a, "Connection"), "keep-alive");
    client_send(&c, STR("GET /hot HTTP/1.0\r\nHost: h\r\n\r\n"));
    take_answer(&c, 200, "hello");
    assert_true(client_at_end(&c));
}

static void head_has_the_length_and_no_body(void **state)
{
    CLIENT c;
    ANSWER a;
    ANSWER file;

    client_open(&c, *state);
    client_send(
        &c, STR("HEAD /hot HTTP/1.1\r\nHost: h\r\n\r\nHEAD /file HTTP/1.1\r\nHost: h\r\n\r\n" GET(
                "/hot")));
    client_answer(&c, &a, true);
    assert_str(answer_field(&a, "Content-Length"), "5");
    client_answer(&c, &file, true);
    assert_str(answer_field(&file, "Content-Length"), "25165824");
    take_answer(&c, 200, "hello");
}

/* --- refusals --- */

static void a_malformed_head_is_refused_and_ends_the_connection(void **state)
{
    CLIENT c;
    ANSWER a;
    struct fix *f = *state;

    client_open(&c, f);
    client_send(&c, STR("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" GET("/hot")));
    client_answer(&c, &a, false);
    assert_int_equal(a.status, 400);
    assert_str(answer_field(&a, "Content-Type"), "text/x-error");
    assert_str(answer_field(&a, "Connection"), "close");
    assert_true(client_at_end(&c));
    assert_int_equal(atomic_load(&f->given), 0);
}

static void a_head_that_is_too_large_is_refused(void **state)
{
    char pad[40000];
    CLIENT c;

    memset(pad, 'p', sizeof(pad));
    client_open(&c, *state);
    client_send(&c, STR("GET /hot HTTP/1.1\r\nHost: h\r\nX-Pad: "));
    client_send(&c, (struct str){pad, sizeof(pad)});
    take_answer(&c, 431, NULL);
    assert_true(client_at_end(&c));
}

static void a_head_that_takes_too_long_is_refused(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR("GET /hot HTTP/1.1\r\nHo"));
    take_answer(&c, 408, NULL);
    assert_true(client_at_end(&c));
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
    unsigned status = 0;

    /* None: it was idle for too long already before it asked, as on a machine that is busy. */
    for (int i = 0; i < 30 && status == 0; i++) {
        CLIENT c;
        ANSWER a;

        client_open(&c, *state);
        (void)client_try_send(&c, STR(GET("/hot")));
        client_answer(&c, &a, false);
        status = a.status;
        assert_true(status == 0 || client_at_end(&c));
    }
    assert_int_equal(status, 200);
}

/* The client sends on, however large its body, and still reads the whole answer. */
static void a_refusal_in_the_middle_of_a_body_is_never_lost(void **state)
{
    char *body = calloc(1, 1 << 20);
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR(POST("/refuse") "Content-Length: 67108864\r\n\r\n"));
    for (int i = 0; i < 6; i++)
        if (!client_try_send(&c, (struct str){body, 1 << 18}))
            break;
    take_answer(&c, 403, "{\"errors\":[]}");
    assert_true(client_at_end(&c));
    free(body);
}

static void a_small_body_that_nobody_wants_is_dropped(void **state)
{
    static char body[60000];
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR(POST("/refuse") "Content-Length: 60000\r\n\r\n"));
    client_send(&c, (struct str){body, sizeof(body)});
    take_answer(&c, 403, NULL);
    client_send(&c,
                STR(POST("/refuse") "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n" GET(
                    "/hot")));
    take_answer(&c, 403, NULL);
    take_answer(&c, 200, "hello");
}

/* --- bodies of calls --- */

static void a_call_gets_its_body_whole(void **state)
{
    static char body[HTTP_CALL_BODY_MAX];
    CLIENT c;
    ANSWER a;

    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = fix_byte(i);
    client_open(&c, *state);
    client_send(&c, STR(POST("/echo") "Content-Length: 4194304\r\n\r\n"));
    client_send(&c, (struct str){body, sizeof(body)});
    client_answer(&c, &a, false);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.len, sizeof(body));
    assert_memory_equal(a.body.ptr, body, sizeof(body));
}

static void a_body_past_4_mib_is_too_large(void **state)
{
    static char body[1 << 20];
    CLIENT announced;
    CLIENT chunked;

    client_open(&announced, *state);
    client_send(&announced, STR(POST("/echo") "Content-Length: 4194305\r\n\r\n"));
    take_answer(&announced, 413, NULL);
    client_open(&chunked, *state);
    client_send(&chunked, STR(POST("/echo") "Transfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 5; i++) {
        client_send(&chunked, STR("100000\r\n"));
        client_send(&chunked, (struct str){body, sizeof(body)});
        client_send(&chunked, STR("\r\n"));
    }
    take_answer(&chunked, 413, NULL);
    assert_true(client_at_end(&chunked));
}

static void bodies_past_the_budget_come_again_later(void **state)
{
    CLIENT one;
    CLIENT two;
    ANSWER a;

    client_open(&one, *state);
    client_send(&one, STR(POST("/echo") "Content-Length: 4000000\r\n\r\nx"));
    client_open(&two, *state);
    client_send(&two, STR(POST("/echo") "Content-Length: 4000000\r\n\r\nx"));
    client_answer(&two, &a, false); /* or the first is the one; they race */
    if (a.status == 408)
        return;
    assert_int_equal(a.status, 503);
    assert_str(answer_field(&a, "Retry-After"), "1");
}

static void a_small_body_has_room_whoever_holds_the_budget(void **state)
{
    CLIENT holder;
    CLIENT small;
    ANSWER a;

    client_open(&holder, *state);
    client_send(&holder, STR(POST("/echo") "Content-Length: 4000000\r\n\r\nx"));
    client_open(&small, *state);
    client_send(&small, STR(POST("/echo") "Content-Length: 5\r\n\r\nhello"));
    client_answer(&small, &a, false);
    assert_int_equal(a.status, 200);
}

static void a_body_that_stalls_is_given_up(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR(POST("/echo") "Content-Length: 10\r\n\r\nabc"));
    take_answer(&c, 408, NULL);
    assert_true(client_at_end(&c));
}

static void a_body_that_trickles_is_given_up(void **state)
{
    struct timespec pause = {0, 100 * 1000 * 1000};
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR(POST("/echo") "Content-Length: 1000\r\n\r\n"));
    for (int i = 0; i < 40 && client_try_send(&c, STR("x")); i++)
        nanosleep(&pause, NULL);
    take_answer(&c, 408, NULL);
}

static void the_server_says_100_when_the_body_is_wanted(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR(POST("/echo") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    assert_true(client_take(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
    client_send(&c, STR("ok"));
    take_answer(&c, 200, "ok");
    client_send(&c, STR(GET("/hot")));
    take_answer(&c, 200, "hello");
}

static void a_refused_request_is_never_told_to_continue(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR(POST("/refuse") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    take_answer(&c, 403, NULL);
    assert_true(client_at_end(&c));
}

static void nothing(struct fix *f, void *arg)
{
    (void)f;
    (void)arg;
}

static void a_full_lane_says_come_again(void **state)
{
    enum { CLIENTS = 12 };
    struct fix *f = *state;
    struct client c[CLIENTS];
    int busy = 0;

    fix_hold(f, true);
    for (int i = 0; i < CLIENTS; i++) {
        client_open(&c[i], f);
        client_send(&c[i], STR(GET("/wait")));
    }
    fix_wait_for(&f->given, CLIENTS);
    fix_on_loop(f, nothing, NULL); /* the last one has found the lane full before there is room */
    fix_hold(f, false);
    for (int i = 0; i < CLIENTS; i++) {
        ANSWER a;

        client_answer(&c[i], &a, false);
        if (a.status == 503) {
            busy++;
            assert_str(answer_field(&a, "Retry-After"), "1");
        } else {
            assert_int_equal(a.status, 200);
        }
        client_close(&c[i]);
    }
    assert_true(busy >= CLIENTS - 6);
}

enum { LIMIT = 32, DATA_LIMIT = LIMIT - LIMIT / 16 }; /* two are told at a time */

/* As if so many clients were there. */
static void seem_open(struct fix *f, int n)
{
    fix_limit(f, LIMIT);
    metric_add(METRIC_CONNECTIONS_OPEN, n);
}

static void one_of_too_many_reads_503_and_when_to_come_again(void **state)
{
    struct fix *f = *state;
    CLIENT one, two, after;
    ANSWER a, b;

    seem_open(f, DATA_LIMIT);
    client_open(&one, f);
    client_send(&one, STR(GET("/hot") GET("/hot")));
    client_answer(&one, &a, false);
    assert_int_equal(a.status, 503);
    assert_str(answer_field(&a, "Retry-After"), "1");
    assert_str(answer_field(&a, "Connection"), "close");
    assert_true(client_at_end(&one));
    client_open(&two, f);
    client_send(&two, STR("HEAD /hot HTTP/1.1\r\nHost: h\r\n\r\n"));
    client_answer(&two, &b, true);
    assert_int_equal(b.status, 503);
    assert_true(client_at_end(&two));
    seem_open(f, -DATA_LIMIT);
    client_open(&after, f);
    client_send(&after, STR(GET("/hot")));
    take_answer(&after, 200, NULL);
}

static void one_of_too_many_that_says_nothing_is_told_soon(void **state)
{
    struct fix *f = *state;
    CLIENT one, two;

    seem_open(f, DATA_LIMIT);
    client_open(&one, f);
    client_open(&two, f);
    take_answer(&one, 503, NULL);
    take_answer(&two, 503, NULL);
    assert_true(client_at_end(&one) && client_at_end(&two));
    seem_open(f, -DATA_LIMIT);
}

static void a_call_outlives_its_client(void **state)
{
    struct fix *f = *state;
    struct client c;

    fix_hold(f, true);
    client_open(&c, f);
    client_send(&c, STR(GET("/wait")));
    fix_wait_for(&f->entered, 1);
    client_abandon(&c);
    client_open(&c, f);
    client_send(&c, STR(GET("/hot")));
    take_answer(&c, 200, "hello");
    client_close(&c);
    fix_wait_for(&f->finished, 1); /* that one; the call still waits */
    fix_hold(f, false);
    fix_settled(f);
}

/* --- uploads --- */

static unsigned long long sum_of(struct str s)
{
    unsigned long long sum = 0;

    for (size_t i = 0; i < s.len; i++)
        sum += (unsigned char)s.ptr[i];
    return sum;
}

static void an_upload_arrives_piece_by_piece(void **state)
{
    enum { SIZE = 20 * 1024 * 1024 };
    struct fix *f = *state;
    char *body = malloc(SIZE);
    CLIENT c;

    for (size_t i = 0; i < SIZE; i++)
        body[i] = fix_byte(i * 7);
    client_open(&c, f);
    client_send(&c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 20971520\r\n\r\n"));
    client_send(&c, (struct str){body, SIZE});
    client_send(&c, STR(GET("/hot")));
    take_answer(&c, 201, "");
    take_answer(&c, 200, "hello");
    assert_true(atomic_load(&f->uploaded) == SIZE);
    assert_true(atomic_load(&f->sum) == sum_of((struct str){body, SIZE}));
    free(body);
}

static void a_chunked_upload_arrives_whole(void **state)
{
    struct fix *f = *state;
    unsigned long long sum = 0, size = 0;
    static char piece[5000];
    char line[32];
    CLIENT c;

    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = fix_byte(i);
    client_open(&c, f);
    client_send(&c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (size_t n = 1; n <= sizeof(piece); n += 37) {
        snprintf(line, sizeof(line), "%zx;x=y\r\n", n);
        client_send(&c, str_from(line));
        client_send(&c, (struct str){piece, n});
        client_send(&c, STR("\r\n"));
        sum += sum_of((struct str){piece, n});
        size += n;
    }
    client_send(&c, STR("0\r\nX-Trailer: yes\r\n\r\n" GET("/hot")));
    take_answer(&c, 201, "");
    take_answer(&c, 200, "hello");
    assert_true(atomic_load(&f->uploaded) == size);
    assert_true(atomic_load(&f->sum) == sum);
}

static void an_empty_upload_ends_at_once(void **state)
{
    CLIENT c;

    client_open(&c, *state);
    client_send(&c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
    take_answer(&c, 201, "");
    client_send(
        &c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    take_answer(&c, 201, "");
}

static void a_malformed_upload_is_refused(void **state)
{
    struct fix *f = *state;
    CLIENT c;

    client_open(&c, f);
    client_send(&c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                        "chunked\r\n\r\n3\r\nabcdef\r\n"));
    take_answer(&c, 400, NULL);
    assert_true(client_at_end(&c));
    fix_settled(f);
    assert_int_equal(atomic_load(&f->aborted), 1);
    assert_int_equal(atomic_load(&f->abort_reason), RC_INVALID);
}

static void an_upload_ends_with_its_client(void **state)
{
    struct fix *f = *state;
    struct client c;

    client_open(&c, f);
    client_send(&c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc"));
    fix_uploaded(f, 3);
    client_abandon(&c);
    fix_wait_for(&f->aborted, 1);
    fix_settled(f);
    assert_int_equal(atomic_load(&f->abort_reason), RC_CANCELED);
}

static void an_upload_that_stalls_is_given_up(void **state)
{
    struct fix *f = *state;
    CLIENT c;

    client_open(&c, f);
    client_send(&c, STR("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc"));
    take_answer(&c, 408, NULL);
    assert_int_equal(atomic_load(&f->abort_reason), RC_TIMEOUT);
}

/* --- downloads --- */

static void check_file(struct str body, uint64_t offset, size_t size)
{
    assert_int_equal(body.len, size);
    for (size_t i = 0; i < size; i++)
        if (body.ptr[i] != fix_byte(offset + i))
            fail_msg("byte %zu differs", i);
}

static void a_file_comes_whole(void **state)
{
    CLIENT c;
    ANSWER a;

    client_open(&c, *state);
    client_send(&c, STR(GET("/file") GET("/hot")));
    client_answer(&c, &a, false);
    assert_int_equal(a.status, 200);
    assert_str(answer_field(&a, "Accept-Ranges"), "bytes");
    check_file(buf_str(&a.body), 0, FIX_FILE_SIZE);
    take_answer(&c, 200, "hello");
}

static void a_cold_file_comes_whole(void **state)
{
    struct fix *f = *state;
    CLIENT c;
    ANSWER a;

    fix_make_cold(f);
    client_open(&c, f);
    client_send(&c, STR(GET("/file")));
    client_answer(&c, &a, false);
    check_file(buf_str(&a.body), 0, FIX_FILE_SIZE);
}

static void a_part_of_a_file_can_be_had(void **state)
{
    CLIENT c;
    ANSWER a;
    ANSWER tail;

    client_open(&c, *state);
    client_send(&c, STR("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=1000001-3000000\r\n\r\n"));
    client_answer(&c, &a, false);
    assert_int_equal(a.status, 206);
    assert_str(answer_field(&a, "Content-Range"), "bytes 1000001-3000000/25165824");
    check_file(buf_str(&a.body), 1000001, 2000000);
    client_send(
        &c, STR("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=-5\r\nIf-Range: \"tag\"\r\n\r\n"));
    client_answer(&c, &tail, false);
    assert_int_equal(tail.status, 206);
    check_file(buf_str(&tail.body), FIX_FILE_SIZE - 5, 5);
}

static void a_range_outside_is_416_and_a_stale_one_is_the_whole(void **state)
{
    CLIENT c;
    ANSWER a;
    ANSWER whole;

    client_open(&c, *state);
    client_send(&c, STR("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=25165824-\r\n\r\n"));
    client_answer(&c, &a, false);
    assert_int_equal(a.status, 416);
    assert_str(answer_field(&a, "Content-Range"), "bytes */25165824");
    client_send(
        &c, STR("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nIf-Range: \"old\"\r\n\r\n"));
    client_answer(&c, &whole, false);
    assert_int_equal(whole.status, 200);
    assert_int_equal(whole.body.len, FIX_FILE_SIZE);
}

static void a_file_that_is_too_short_breaks_the_connection(void **state)
{
    CLIENT c;
    ANSWER a;

    client_open(&c, *state);
    client_send(&c, STR(GET("/short")));
    client_answer(&c, &a, false);
    assert_true(a.body.len <= FIX_FILE_SIZE);
    assert_true(c.ended);
}

static void a_reader_that_stalls_is_given_up(void **state)
{
    struct fix *f = *state;
    CLIENT c;

    client_open(&c, f);
    client_send(&c, STR(GET("/file")));
    fix_wait_for(&f->finished, 1);
    fix_settled(f);
}

static void a_source_is_sent_in_chunks(void **state)
{
    CLIENT c;
    ANSWER a;

    client_open(&c, *state);
    client_send(&c, STR(GET("/chunks") GET("/hot")));
    client_answer(&c, &a, false);
    assert_str(answer_field(&a, "Transfer-Encoding"), "chunked");
    assert_str(buf_str(&a.body), "piece 0;piece 1;piece 2;piece 3;piece 4;piece 5;");
    take_answer(&c, 200, "hello");
}

static void a_source_ends_with_the_connection_in_http_1_0(void **state)
{
    CLIENT c;
    ANSWER a;

    client_open(&c, *state);
    client_send(&c, STR("GET /chunks HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"));
    client_answer(&c, &a, false);
    assert_null(answer_field(&a, "Transfer-Encoding").ptr);
    assert_str(buf_str(&a.body), "piece 0;piece 1;piece 2;piece 3;piece 4;piece 5;");
    assert_true(c.ended && !c.reset);
}

int main(void)
{
    static struct fix_limits hasty_head = {.head_ms = 600}, hasty_idle = {.keep_alive_ms = 1200},
                             hasty_body = {.body_idle_ms = 800},
                             hasty_window = {.slow_window_ms = 1000};
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_serves_one_request_after_the_other),
        BOTH(a_byte_is_counted_once),
        BOTH(pipelined_requests_are_answered_in_order),
        BOTH(a_call_that_declines_runs_on_the_password_lane_with_its_body),
        BOTH(a_thousand_pipelined_requests_get_a_thousand_answers),
        BOTH(a_request_may_come_byte_by_byte),
        BOTH(a_large_head_is_taken),
        BOTH(the_connection_closes_when_the_client_says_so),
        BOTH(http_1_0_closes_unless_it_asks),
        BOTH(head_has_the_length_and_no_body),
        BOTH(a_malformed_head_is_refused_and_ends_the_connection),
        BOTH(a_head_that_is_too_large_is_refused),
        BOTH_WITH(a_head_that_takes_too_long_is_refused, &hasty_head),
        BOTH_WITH(an_idle_connection_is_closed_without_a_word, &hasty_idle),
        BOTH(a_refusal_in_the_middle_of_a_body_is_never_lost),
        BOTH(a_small_body_that_nobody_wants_is_dropped),
        BOTH(a_call_gets_its_body_whole),
        BOTH(a_body_past_4_mib_is_too_large),
        BOTH_WITH(bodies_past_the_budget_come_again_later, &hasty_body),
        BOTH(a_small_body_has_room_whoever_holds_the_budget),
        BOTH_WITH(a_body_that_stalls_is_given_up, &hasty_body),
        BOTH_WITH(a_body_that_trickles_is_given_up, &hasty_window),
        BOTH(the_server_says_100_when_the_body_is_wanted),
        BOTH(a_refused_request_is_never_told_to_continue),
        BOTH(a_full_lane_says_come_again),
        BOTH(one_of_too_many_reads_503_and_when_to_come_again),
        BOTH(one_of_too_many_that_says_nothing_is_told_soon),
        BOTH(a_call_outlives_its_client),
        BOTH(an_upload_arrives_piece_by_piece),
        BOTH(a_chunked_upload_arrives_whole),
        BOTH(an_empty_upload_ends_at_once),
        BOTH(a_malformed_upload_is_refused),
        BOTH(an_upload_ends_with_its_client),
        BOTH_WITH(an_upload_that_stalls_is_given_up, &hasty_body),
        BOTH(a_file_comes_whole),
        BOTH(a_cold_file_comes_whole),
        BOTH(a_part_of_a_file_can_be_had),
        BOTH(a_range_outside_is_416_and_a_stale_one_is_the_whole),
        BOTH(a_file_that_is_too_short_breaks_the_connection),
        BOTH_WITH(a_reader_that_stalls_is_given_up, &hasty_body),
        BOTH(a_source_is_sent_in_chunks),
        BOTH(a_source_ends_with_the_connection_in_http_1_0),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
