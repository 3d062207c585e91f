#include "test.h"

#include "http/route.h"

static enum http_verdict never(struct http_request *req)
{
    (void)req;
    return HTTP_DECLINED;
}

static const struct http_route list[] = {
    {HTTP_GET, "/v2/", "", ROUTE_HOT, never, NULL},
    {HTTP_GET, "/v2/{name+}/manifests/{reference}", "pull", ROUTE_HOT, never, never},
    {HTTP_PUT, "/v2/{name+}/manifests/{reference}", "push", ROUTE_CALL, never, NULL},
    {HTTP_POST, "/v2/{name+}/blobs/uploads/", "push", ROUTE_CALL, never, NULL},
    {HTTP_PATCH, "/v2/{name+}/blobs/uploads/{id}", "push", ROUTE_STREAM, never, NULL},
    {HTTP_DELETE, "/v2/{name+}/blobs/{digest}", "delete", ROUTE_CALL, never, NULL},
    {HTTP_GET, "/acr/v1/{name}/_tags", "pull", ROUTE_CALL, never, NULL},
};
static const struct http_routes exact = {list, ARRAY_LEN(list), false};
static const struct http_route arm_list[] = {
    {HTTP_PUT, "/subscriptions/{s}/resourceGroups/{g}", "", ROUTE_CALL, never, NULL},
    {HTTP_GET, "/{scope+}/providers/Microsoft.Authorization/roleAssignments", "", ROUTE_CALL, never,
     NULL},
};
static const struct http_routes folded = {arm_list, ARRAY_LEN(arm_list), true};

static const char *const methods[] = {"GET",   "HEAD",   "POST",    "PUT",
                                      "PATCH", "DELETE", "OPTIONS", "CONNECT"};

static struct http_request make(const char *method, const char *target)
{
    struct http_request req = {.arena = ARENA_INIT(HTTP_ARENA_MAX),
                               .method_text = str_from(method),
                               .target = str_from(target),
                               .version = 11};

    req.method = HTTP_OTHER;
    for (unsigned i = 0; i < ARRAY_LEN(methods); i++)
        if (str_is(req.method_text, methods[i]))
            req.method = (enum http_method)i;
    return req;
}

static void done(struct http_request *req)
{
    arena_done(&req->arena);
}

static enum rc target(const char *method, const char *text)
{
    CLEANUP(done) struct http_request req = make(method, text);

    return http_target_parse(&req, NULL);
}

/* "" when no route matches; else its pattern. */
static const char *found(const struct http_routes *routes, struct http_request *req)
{
    struct str allow;

    assert_int_equal(http_target_parse(req, NULL), RC_OK);
    return http_route_find(routes, req, &allow) == RC_OK ? req->route->pattern : "";
}

static void targets_are_split_at_the_question_mark(void **state)
{
    CLEANUP(done) struct http_request req = make("GET", "/a/b?c=%20d&e");
    CLEANUP(done) struct http_request absolute = make("GET", "http://h:1?x=1");
    struct str value;

    (void)state;
    assert_int_equal(http_target_parse(&req, NULL), RC_OK);
    assert_true(str_is(req.path, "/a/b"));
    assert_true(str_is(req.query, "c=%20d&e"));
    assert_int_equal(http_query(&req, "c", &value, NULL), RC_OK);
    assert_true(str_is(value, " d"));
    assert_int_equal(http_query(&req, "z", &value, NULL), RC_NOT_FOUND);
    assert_int_equal(http_target_parse(&absolute, NULL), RC_OK);
    assert_true(str_is(absolute.path, "/"));
    assert_true(str_is(absolute.query, "x=1"));
}

static void a_target_without_query_has_no_parameters(void **state)
{
    CLEANUP(done) struct http_request req = make("GET", "/a");
    struct str value;

    (void)state;
    assert_int_equal(http_target_parse(&req, NULL), RC_OK);
    assert_int_equal(http_query(&req, "c", &value, NULL), RC_NOT_FOUND);
}

static void malformed_targets_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",          "a",           "*",      "//h/../x",    "/.",       "/..",
        "/a/../b",   "/a/%2e%2E/b", "/%2E",   "/a%2f..%2fb", "/a#b",     "/a b",
        "/a%",       "/a%2",        "/a%zz",  "/a%00",       "/a%0a",    "/a%7f",
        "/\xc3\xa9", "/a\\b",       "/a?%g0", "/a?b#c",      "ftp://h/", "h:80",
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(target("GET", wrong[i]), RC_INVALID);
    assert_int_equal(target("GET", "/...?../.."), RC_OK);
    assert_int_equal(target("G@T", "/"), RC_INVALID);
}

static void each_form_has_its_method(void **state)
{
    (void)state;
    assert_int_equal(target("OPTIONS", "*"), RC_OK);
    assert_int_equal(target("CONNECT", "h:80"), RC_OK);
    assert_int_equal(target("CONNECT", "/"), RC_INVALID);
    assert_int_equal(target("BREW", "/"), RC_OK);
}

static void long_targets_and_other_versions_are_told_apart(void **state)
{
    static char text[HTTP_TARGET_MAX + 2] = "/";
    CLEANUP(done) struct http_request req = make("GET", "/");

    (void)state;
    memset(text + 1, 'a', HTTP_TARGET_MAX);
    assert_int_equal(target("GET", text), RC_TOO_LARGE);
    text[HTTP_TARGET_MAX] = '\0';
    assert_int_equal(target("GET", text), RC_OK);
    req.version = 0;
    assert_int_equal(http_target_parse(&req, NULL), RC_UNSUPPORTED);
}

static void names_take_several_segments(void **state)
{
    CLEANUP(done) struct http_request req = make("GET", "/v2/a/manifests/b/manifests/v1");

    (void)state;
    assert_string_equal(found(&exact, &req), list[1].pattern);
    assert_true(str_is(http_param(&req, "name"), "a/manifests/b"));
    assert_true(str_is(http_param(&req, "reference"), "v1"));
}

static void neighbours_are_told_apart(void **state)
{
    CLEANUP(done) struct http_request patch = make("PATCH", "/v2/a/b/blobs/uploads/u1");
    CLEANUP(done) struct http_request post = make("POST", "/v2/a/b/blobs/uploads/");
    CLEANUP(done) struct http_request root = make("GET", "/v2/");
    CLEANUP(done) struct http_request bare = make("GET", "/v2");

    (void)state;
    assert_string_equal(found(&exact, &patch), list[4].pattern);
    assert_true(str_is(http_param(&patch, "id"), "u1"));
    assert_string_equal(found(&exact, &post), list[3].pattern);
    assert_true(str_is(http_param(&post, "name"), "a/b"));
    assert_string_equal(found(&exact, &root), list[0].pattern);
    assert_string_equal(found(&exact, &bare), "");
}

static void parameters_are_never_empty(void **state)
{
    static const char *const wrong[] = {"/v2//manifests/v1",     "/v2/manifests/v1",
                                        "/v2/a//b/manifests/v1", "/v2/a/manifests/",
                                        "/V2/a/manifests/b",     "//v2/a/manifests/b"};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        CLEANUP(done) struct http_request req = make("GET", wrong[i]);

        assert_string_equal(found(&exact, &req), "");
    }
}

static void an_encoded_slash_is_no_segment(void **state)
{
    CLEANUP(done) struct http_request one = make("GET", "/acr/v1/a%2Fb/_tags");
    CLEANUP(done) struct http_request hidden = make("GET", "/v2/a%2Fmanifests%2Fv1");
    CLEANUP(done) struct http_request colon = make("GET", "/v2/a/manifests/sha256%3Aab");

    (void)state;
    assert_string_equal(found(&exact, &one), list[6].pattern);
    assert_true(str_is(http_param(&one, "name"), "a/b"));
    assert_string_equal(found(&exact, &hidden), "");
    assert_string_equal(found(&exact, &colon), list[1].pattern);
    assert_true(str_is(http_param(&colon, "reference"), "sha256:ab"));
}

static void head_is_served_by_get(void **state)
{
    CLEANUP(done) struct http_request req = make("HEAD", "/v2/a/manifests/v1");

    (void)state;
    assert_string_equal(found(&exact, &req), list[1].pattern);
}

static void another_method_is_told_what_is_allowed(void **state)
{
    CLEANUP(done) struct http_request req = make("BREW", "/v2/a/manifests/v1");
    struct str allow;

    (void)state;
    assert_int_equal(http_target_parse(&req, NULL), RC_OK);
    assert_int_equal(http_route_find(&exact, &req, &allow), RC_UNSUPPORTED);
    assert_true(str_is(allow, "GET, HEAD, PUT"));
    assert_null(req.route);
}

static void folded_routes_ignore_case_and_repeated_slashes(void **state)
{
    CLEANUP(done) struct http_request put = make("PUT", "//SUBSCRIPTIONS/Ab/resourcegroups//Rg/");
    CLEANUP(done)
    struct http_request get =
        make("GET", "/subscriptions//S1//x%20y/providers/microsoft.authorization/roleassignments");

    (void)state;
    assert_string_equal(found(&folded, &put), arm_list[0].pattern);
    assert_true(str_is(http_param(&put, "s"), "Ab"));
    assert_true(str_is(http_param(&put, "g"), "Rg"));
    assert_string_equal(found(&folded, &get), arm_list[1].pattern);
    assert_true(str_is(http_param(&get, "scope"), "subscriptions/S1/x y"));
}

static void a_path_of_too_many_segments_is_not_found(void **state)
{
    static char text[1024] = "/v2";
    CLEANUP(done) struct http_request req = make("GET", text);

    (void)state;
    for (int i = 0; i < 170; i++)
        memcpy(text + 3 + i * 2, "/a", 3);
    memcpy(text + 3 + 340, "/manifests/v1", 14);
    req.target = str_from(text);
    assert_string_equal(found(&exact, &req), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_split_at_the_question_mark),
        cmocka_unit_test(a_target_without_query_has_no_parameters),
        cmocka_unit_test(malformed_targets_are_refused),
        cmocka_unit_test(each_form_has_its_method),
        cmocka_unit_test(long_targets_and_other_versions_are_told_apart),
        cmocka_unit_test(names_take_several_segments),
        cmocka_unit_test(neighbours_are_told_apart),
        cmocka_unit_test(parameters_are_never_empty),
        cmocka_unit_test(an_encoded_slash_is_no_segment),
        cmocka_unit_test(head_is_served_by_get),
        cmocka_unit_test(another_method_is_told_what_is_allowed),
        cmocka_unit_test(folded_routes_ignore_case_and_repeated_slashes),
        cmocka_unit_test(a_path_of_too_many_segments_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
