#include "test.h"

#include "oci/private.h"

static struct http_request request(void)
{
    return (struct http_request){.arena = ARENA_INIT(64 * 1024), .response = {.file = -1}};
}

static struct str response_field(const struct http_request *req, const char *name)
{
    for (size_t i = 0; i < req->response.fields.n; i++)
        if (str_is_nocase(req->response.fields.list[i].name, name))
            return req->response.fields.list[i].value;
    return STR_NONE;
}

static void an_error_is_a_list_with_code_message_and_detail(void **state)
{
    struct http_request req = request();

    (void)state;
    oci_error(&req, 404, "BLOB_UNKNOWN", "no \"such\" blob");
    assert_int_equal(req.response.status, 404);
    assert_str(req.response.body,
               "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"no \\\"such\\\" blob\","
               "\"detail\":null}]}\n");
    assert_str(response_field(&req, "Content-Type"), "application/json");
    assert_str(response_field(&req, "Docker-Distribution-Api-Version"), "registry/2.0");
    arena_done(&req.arena);
}

static void without_a_code_the_status_names_one(void **state)
{
    struct http_request req = request();

    (void)state;
    oci_error(&req, 401, NULL, "who?");
    assert_str(req.response.body,
               "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who?\",\"detail\":null}]}\n");
    arena_done(&req.arena);
}

static void a_busy_server_says_when_to_come_back(void **state)
{
    struct http_request req = request();
    struct err e = {0};

    (void)state;
    err_set(&e, RC_UNAVAILABLE, "the lane is full");
    oci_fail(&req, &e);
    assert_int_equal(req.response.status, 503);
    assert_str(response_field(&req, "Retry-After"), "1");
    arena_done(&req.arena);
}

static void what_is_our_fault_is_not_told_in_words(void **state)
{
    struct http_request req = request();
    struct err e = {0};

    (void)state;
    err_set(&e, RC_INTERNAL, "open /var/secret/place: no");
    oci_fail(&req, &e);
    assert_int_equal(req.response.status, 500);
    assert_null(memmem(req.response.body.ptr, req.response.body.len, "secret", 6));
    arena_done(&req.arena);
}

static void statuses_are_those_that_clients_know(void **state)
{
    (void)state;
    assert_int_equal(oci_status(RC_INVALID, "DIGEST_INVALID"), 400);
    assert_int_equal(oci_status(RC_CORRUPT, "DIGEST_INVALID"), 400);
    assert_int_equal(oci_status(RC_UNSUPPORTED, "DIGEST_INVALID"), 400);
    assert_int_equal(oci_status(RC_NOT_FOUND, "MANIFEST_UNKNOWN"), 404);
    assert_int_equal(oci_status(RC_NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"), 400);
    assert_int_equal(oci_status(RC_RANGE, "BLOB_UPLOAD_INVALID"), 416);
    assert_int_equal(oci_status(RC_QUOTA, "TOOMANYREQUESTS"), 429);
    assert_int_equal(oci_status(RC_QUOTA, NULL), 507);
    assert_int_equal(oci_status(RC_DENIED, NULL), 403);
    assert_int_equal(oci_status(RC_CONFLICT, NULL), 409);
    assert_int_equal(oci_status(RC_INTERNAL, "BLOB_UNKNOWN"), 500);
    assert_int_equal(oci_status(RC_CORRUPT, NULL), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_a_list_with_code_message_and_detail),
        cmocka_unit_test(without_a_code_the_status_names_one),
        cmocka_unit_test(a_busy_server_says_when_to_come_back),
        cmocka_unit_test(what_is_our_fault_is_not_told_in_words),
        cmocka_unit_test(statuses_are_those_that_clients_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
