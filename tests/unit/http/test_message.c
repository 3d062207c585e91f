#include "test.h"

#include "http/message.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct http_request make(void)
{
    struct http_request req = {.arena = ARENA_INIT(HTTP_ARENA_MAX), .method = HTTP_GET};

    req.response.file = -1;
    return req;
}

static void done(struct http_request *req)
{
    http_answer_clear(req);
    arena_done(&req->arena);
}

static void came(struct http_request *req, const char *name, const char *value)
{
    assert_true(http_fields_add(&req->arena, &req->fields, str_from(name), str_from(value)));
}

/* Of the response; STR_NONE when it has none. */
static struct str answered(const struct http_request *req, const char *name)
{
    for (size_t i = 0; i < req->response.fields.n; i++)
        if (str_is_nocase(req->response.fields.list[i].name, name))
            return req->response.fields.list[i].value;
    return STR_NONE;
}

static void fields_are_found_in_any_case_and_joined(void **state)
{
    CLEANUP(done) struct http_request req = make();

    (void)state;
    came(&req, "Accept", "a");
    came(&req, "X", "");
    came(&req, "ACCEPT", "b, c");
    assert_str(http_field(&req, "accept"), "a, b, c");
    assert_str(http_field(&req, "x"), "");
    assert_null(http_field(&req, "accep").ptr);
}

static void more_fields_than_there_was_room_for_are_kept(void **state)
{
    CLEANUP(done) struct http_request req = make();

    (void)state;
    for (int i = 0; i < 40; i++)
        http_add_fieldf(&req, "X", "%d", i);
    assert_int_equal(req.response.fields.n, 40);
    assert_str(req.response.fields.list[39].value, "39");
    assert_str(req.response.fields.list[0].value, "0");
}

static void a_later_answer_replaces_an_earlier_one(void **state)
{
    CLEANUP(done) struct http_request req = make();
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    http_add_field(&req, "X", STR("kept"));
    http_answer_file(&req, "a/b", fd, 10);
    http_answer(&req, 404, "text/plain", STR("none"));
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed */
    assert_int_equal(req.response.status, 404);
    assert_int_equal(req.response.file, -1);
    assert_int_equal(req.response.length, 4);
    assert_str(answered(&req, "Content-Type"), "text/plain");
    assert_str(answered(&req, "X"), "kept");
    http_answer(&req, 202, NULL, STR(""));
    assert_null(answered(&req, "Content-Type").ptr);
    http_answer_clear(&req);
    assert_int_equal(req.response.status, 0);
    assert_int_equal(req.response.fields.n, 0);
}

static void a_file_of_a_head_request_ignores_the_range(void **state)
{
    CLEANUP(done) struct http_request req = make();

    (void)state;
    req.method = HTTP_HEAD;
    came(&req, "Range", "bytes=1-2");
    http_answer_file(&req, NULL, open("/dev/null", O_RDONLY | O_CLOEXEC), 10);
    assert_int_equal(req.response.status, 200);
    assert_int_equal(req.response.length, 10);
}

static void a_part_says_which_it_is(void **state)
{
    CLEANUP(done) struct http_request req = make();

    (void)state;
    came(&req, "Range", "bytes=4-");
    http_answer_file(&req, NULL, open("/dev/null", O_RDONLY | O_CLOEXEC), 10);
    assert_int_equal(req.response.status, 206);
    assert_int_equal(req.response.file_offset, 4);
    assert_int_equal(req.response.length, 6);
    assert_str(answered(&req, "Content-Range"), "bytes 4-9/10");
}

static void a_weak_validator_never_matches_a_range(void **state)
{
    CLEANUP(done) struct http_request req = make();

    (void)state;
    came(&req, "Range", "bytes=4-");
    came(&req, "If-Range", "W/\"x\"");
    http_add_field(&req, "ETag", STR("W/\"x\""));
    http_answer_file(&req, NULL, open("/dev/null", O_RDONLY | O_CLOEXEC), 10);
    assert_int_equal(req.response.status, 200);
}

/* In a child, where the assertion may end the process. */
static void ends_by_assertion(const char *name, struct str value)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct http_request req = make();

        (void)close(STDERR_FILENO); /* the words of the assertion are of no use here */
        (void)signal(SIGABRT, SIG_DFL);
        http_add_field(&req, name, value);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_value_that_would_split_the_response_is_a_bug(void **state)
{
    (void)state;
    ends_by_assertion("X", STR("a\r\nX: y"));
    ends_by_assertion("X", STR("a\nb"));
    ends_by_assertion("X", STR("a\0b"));
    ends_by_assertion("X: y\r\nZ", STR("a"));
    ends_by_assertion("content-length", STR("5"));
    ends_by_assertion("Transfer-Encoding", STR("chunked"));
}

static void methods_are_known_by_their_exact_names(void **state)
{
    (void)state;
    assert_int_equal(http_method_of(STR("PATCH")), HTTP_PATCH);
    assert_int_equal(http_method_of(STR("get")), HTTP_OTHER);
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(299), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_in_any_case_and_joined),
        cmocka_unit_test(more_fields_than_there_was_room_for_are_kept),
        cmocka_unit_test(a_later_answer_replaces_an_earlier_one),
        cmocka_unit_test(a_file_of_a_head_request_ignores_the_range),
        cmocka_unit_test(a_part_says_which_it_is),
        cmocka_unit_test(a_weak_validator_never_matches_a_range),
        cmocka_unit_test(a_value_that_would_split_the_response_is_a_bug),
        cmocka_unit_test(methods_are_known_by_their_exact_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
