#include "test.h"

#include "base/log.h"
#include "base/log_line.h"
#include "base/log_ring.h"
#include "base/metric.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ThreadSanitizer cannot follow a thread that a child of fork() starts. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
enum { CHILD_STARTS_THREADS = 0 };
#else
enum { CHILD_STARTS_THREADS = 1 };
#endif

static int temporary_file(void)
{
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* Everything in the file, terminated; the caller frees. */
static char *content(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);

    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
        n++;
    return n;
}

static void a_json_line_has_time_level_event_and_fields(void **state)
{
    const struct log_field fields[] = {F_TEXT("id", "a\"b\n"), F_U64("n", UINT64_MAX),
                                       F_I64("i", -3), F_BOOL("ok", true)};
    struct log_event ev = {0, LOG_WARN, "upload.expired", fields, ARRAY_LEN(fields)};
    CLEANUP(buf_done) struct buf line = BUF_INIT(LOG_LINE_MAX);

    (void)state;
    log_line_json(&ev, &line);
    assert_string_equal(buf_cstr(&line),
                        "{\"ts\":\"1970-01-01T00:00:00.0000000Z\",\"level\":\"warn\",\"event\":"
                        "\"upload.expired\",\"id\":\"a\\\"b\\n\",\"n\":18446744073709551615,"
                        "\"i\":-3,\"ok\":true}\n");
    log_line_text(&ev, &line);
    assert_string_equal(buf_cstr(&line), "00:00:00.000 WARN  upload.expired id=\"a\\\"b\\n\" "
                                         "n=18446744073709551615 i=-3 ok=true\n");
}

static void long_values_are_cut_and_longer_lines_keep_their_head(void **state)
{
    static char big[LOG_LINE_MAX];
    struct log_field fields[16];
    struct log_event ev = {0, LOG_INFO, "x", fields, 1};
    CLEANUP(buf_done) struct buf line = BUF_INIT(LOG_LINE_MAX);

    (void)state;
    memset(big, 'y', sizeof(big));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        fields[i] = F_STR("v", ((struct str){big, sizeof(big)}));
    log_line_json(&ev, &line);
    assert_true(line.len < LOG_VALUE_MAX + 200);
    assert_non_null(strstr(buf_cstr(&line), "\"v_cut\":true}\n"));
    ev.n = ARRAY_LEN(fields);
    log_line_json(&ev, &line);
    assert_non_null(strstr(buf_cstr(&line), "\"event\":\"x\",\"too_long\":true}\n"));
    log_line_text(&ev, &line);
    assert_non_null(strstr(buf_cstr(&line), "x (too long)\n"));
}

static void a_ring_hands_over_every_byte_and_refuses_what_does_not_fit(void **state)
{
    struct log_ring *r = log_ring_new();
    static char chunk[1000];
    struct str pieces[2];

    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        memset(chunk, (int)(round & 127), sizeof(chunk));
        assert_true(log_ring_put(r, (struct str){chunk, sizeof(chunk)}));
        assert_int_equal(log_ring_peek(r, pieces), sizeof(chunk));
        for (int i = 0; i < 2; i++)
            for (size_t j = 0; j < pieces[i].len; j++)
                assert_int_equal(pieces[i].ptr[j], round & 127);
        log_ring_take(r, sizeof(chunk));
    }
    for (int i = 0; i < LOG_RING_SIZE / 1000; i++)
        assert_true(log_ring_put(r, (struct str){chunk, sizeof(chunk)}));
    assert_false(log_ring_put(r, (struct str){chunk, sizeof(chunk)}));
    log_ring_free(r);
}

enum { THREADS = 4, LINES = 2000 };

static void *write_lines(void *arg)
{
    for (unsigned i = 0; i < LINES; i++)
        log_info("line", F_U64("thread", *(unsigned *)arg), F_U64("i", i));
    return NULL;
}

static void lines_of_ended_threads_arrive_whole_and_in_order(void **state)
{
    int fd = temporary_file();
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    uint64_t dropped = log_dropped();

    (void)state;
    assert_int_equal(log_start(fd, NULL), RC_OK);
    assert_int_equal(log_start(fd, NULL), RC_CONFLICT);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_stop();
    char *text = content(fd);

    assert_int_equal(log_dropped(), dropped);
    assert_int_equal(count(text, "\"event\":\"line\""), THREADS * LINES);
    unsigned next[THREADS] = {0};

    for (char *p = strstr(text, "\"thread\":"); p; p = strstr(p + 1, "\"thread\":")) {
        unsigned long thread = strtoul(p + 9, &p, 10), i = strtoul(p + 5, NULL, 10);

        assert_true(thread < THREADS);
        assert_int_equal(i, next[thread]++);
    }
    free(text);
    close(fd);
}

static void a_full_ring_drops_counts_and_never_blocks(void **state)
{
    int ends[2];
    uint64_t before = log_dropped();
    static char big[4000];

    (void)state;
    memset(big, 'z', sizeof(big));
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(log_start(ends[1], NULL), RC_OK);
    for (int i = 0; i < 1000; i++) /* 4 MB into a pipe that nobody reads */
        log_info("big", F_STR("v", ((struct str){big, sizeof(big)})));
    assert_true(log_dropped() > before);
    close(ends[0]); /* EPIPE: the rest is lost, and stopping does not wait for it */
    signal(SIGPIPE, SIG_IGN);
    log_stop();
    close(ends[1]);
}

static void the_level_filters(void **state)
{
    int fd = temporary_file();
    enum log_level level = LOG_ERROR;

    (void)state;
    assert_int_equal(log_level_parse(STR("warn"), &level), RC_OK);
    assert_int_equal(level, LOG_WARN);
    assert_int_equal(log_level_parse(STR("WARN"), &level), RC_INVALID);
    log_set_level(level);
    assert_int_equal(log_start(fd, NULL), RC_OK);
    log_info("not.seen", F_BOOL("x", true));
    log_error("seen", F_BOOL("x", true));
    log_stop();
    log_set_level(LOG_INFO);
    char *text = content(fd);

    assert_null(strstr(text, "not.seen"));
    assert_non_null(strstr(text, "\"level\":\"error\",\"event\":\"seen\""));
    free(text);
    close(fd);
}

static void a_forked_child_writes_to_standard_error_and_nothing_twice(void **state)
{
    int fd = temporary_file(), errors = temporary_file(), status;

    (void)state;
    assert_int_equal(log_start(fd, NULL), RC_OK);
    log_info("parent", F_BOOL("x", true));
    pid_t child = fork();

    if (child == 0) {
        dup2(errors, STDERR_FILENO);
        log_info("child", F_BOOL("x", true));
        if (CHILD_STARTS_THREADS && log_start(fd, NULL) != RC_OK)
            _exit(1);
        log_info("restarted", F_BOOL("x", true));
        log_stop();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    log_stop();
    char *mine = content(fd), *its = content(errors);

    assert_int_equal(count(mine, "\"event\":\"parent\""), 1);
    assert_int_equal(count(mine, "\"event\":\"restarted\""), CHILD_STARTS_THREADS);
    assert_int_equal(count(its, "\"event\":\"child\""), 1);
    assert_null(strstr(its, "parent"));
    free(mine);
    free(its);
    close(fd);
    close(errors);
}

static void *count_requests(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        metric_add(METRIC_REQUESTS, 1);
    metric_add(METRIC_CONNECTIONS_OPEN, -2);
    return NULL;
}

static void metrics_are_summed_over_living_and_ended_threads(void **state)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(1 << 16);
    pthread_t threads[THREADS];

    (void)state;
    metric_add(METRIC_CONNECTIONS_OPEN, 10);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_requests, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metric_value(METRIC_REQUESTS), 4000);
    assert_int_equal(metric_value(METRIC_CONNECTIONS_OPEN), 2);
    metric_render(&out);
    assert_non_null(strstr(buf_cstr(&out), "# HELP kidoban_requests_total Requests whose head was "
                                           "read\n# TYPE kidoban_requests_total counter\n"
                                           "kidoban_requests_total 4000\n"));
    assert_non_null(strstr(buf_cstr(&out), "# TYPE kidoban_connections_open gauge\n"
                                           "kidoban_connections_open 2\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_line_has_time_level_event_and_fields),
        cmocka_unit_test(long_values_are_cut_and_longer_lines_keep_their_head),
        cmocka_unit_test(a_ring_hands_over_every_byte_and_refuses_what_does_not_fit),
        cmocka_unit_test(lines_of_ended_threads_arrive_whole_and_in_order),
        cmocka_unit_test(a_full_ring_drops_counts_and_never_blocks),
        cmocka_unit_test(the_level_filters),
        cmocka_unit_test(a_forked_child_writes_to_standard_error_and_nothing_twice),
        cmocka_unit_test(metrics_are_summed_over_living_and_ended_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
