/* The token endpoint: who gets which tokens, and how refresh tokens live. */
#include "fixture.h"

#include "base/clock.h"
#include "sts/private.h"

#define HOUR_US ((int64_t)3600 * CLOCK_US_PER_S)
#define DAY_US  (24 * HOUR_US)

/* --- passwords --- */

/* The claims of a JWT whose signature is somebody else's business. */
static struct json *claims_of(const char *token)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    struct str rest = str_from(token);
    struct json *j = NULL;

    (void)str_split(&rest, '.');
    assert_int_equal(base64url_decode(str_split(&rest, '.'), &text, NULL), RC_OK);
    assert_int_equal(json_parse(buf_str(&text), NULL, &j, NULL), RC_OK);
    return j;
}

static void a_user_signs_in_and_gets_what_its_client_asks_for(void **state)
{
    CLEANUP(json_freep) struct json *id = NULL;
    struct auth_identity_token t;
    struct sts *f = *state;

    make_ann(f);
    assert_int_equal(ask(f, "GET", USERS "/ann@example.org", NULL), 200);
    const char *object = keep(f, "id");

    assert_int_equal(ann_signs_in(f, "&client_info=1" USER_SCOPE), 200);
    assert_true(f->hashed);
    assert_int_equal(json_int(json_get(f->answer, "expires_in"), 0), STS_TOKEN_LIFE_S - 1);
    assert_true(said(f, "refresh_token").len > 40);
    assert_true(said(f, "client_info").len > 0);
    read_token(f, keep(f, "access_token"), &t);
    assert_str(t.audience, CONTROL_URL);
    id = claims_of(keep(f, "id_token"));
    assert_str(json_str(json_get(id, "aud")), CLIENT);
    assert_str(json_str(json_get(id, "upn")), "ann@example.org");
    assert_str(json_str(json_get(id, "tid")), TENANT);
    assert_string_equal(json_str(json_get(id, "oid")).ptr, object);
    assert_str(json_str(json_get(id, "name")), "Ann");
}

static void an_id_token_is_no_access_token(void **state)
{
    struct auth_identity_token t;
    struct sts *f = *state;

    make_ann(f);
    assert_int_equal(ann_signs_in(f, USER_SCOPE), 200);
    assert_int_equal(try_token(f, keep(f, "id_token"), &t), RC_UNAUTHENTICATED);
}

static void what_is_not_asked_for_is_not_given(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    assert_int_equal(ann_signs_in(f, SCOPE), 200);
    assert_null(json_get(f->answer, "refresh_token"));
    assert_null(json_get(f->answer, "id_token"));
    assert_null(json_get(f->answer, "client_info"));
    assert_int_equal(ann_signs_in(f, "&resource=https%3A%2F%2Flocalhost%3A8443%2F"), 200);
    assert_non_null(json_get(f->answer, "refresh_token")); /* the v1 form has no scopes */
    assert_str(said(f, "resource"), CONTROL_URL "/");
    assert_true(said(f, "expires_on").len > 0);
}

static void a_wrong_password_an_unknown_and_a_disabled_user_are_answered_alike(void **state)
{
    static const char *const wrong[] = {"username=ann%40example.org&password=wrong+horse",
                                        "username=bob%40example.org&password=correct+horse"};
    CLEANUP(buf_done) struct buf first = BUF_INIT(4096);
    struct sts *f = *state;
    char body[512];

    make_ann(f);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        snprintf(body, sizeof(body), FORM "grant_type=password&%s" USER_SCOPE, wrong[i]);
        assert_int_equal(ask(f, "POST", TOKEN, body), 400);
        expect_error(f, "invalid_grant");
        assert_true(f->hashed); /* and takes as long */
        if (i == 0)
            buf_add(&first, f->req.response.body);
        assert_true(str_eq(buf_str(&first), f->req.response.body));
    }
    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"accountEnabled\":false}"), 200);
    assert_int_equal(ann_signs_in(f, USER_SCOPE), 400);
    assert_true(str_eq(buf_str(&first), f->req.response.body));
}

static unsigned wrong_password(struct sts *f)
{
    return ask(f, "POST", TOKEN,
               FORM "grant_type=password&username=X%40y.z&password=wrong+horse" USER_SCOPE);
}

static void after_ten_failures_a_user_waits_and_nothing_is_hashed(void **state)
{
    struct sts *f = *state;

    assert_true(shuts_out(f, "x@y.z", wrong_password));
    assert_false(f->hashed);
}

static unsigned wrong_secret(struct sts *f)
{
    return ask(f, "POST", TOKEN,
               "grant_type=client_credentials&client_id=" PLAIN_APP "&client_secret=x" SCOPE);
}

static void after_ten_failures_a_service_principal_waits_too(void **state)
{
    assert_true(shuts_out(*state, PLAIN_APP, wrong_secret));
}

static void a_service_principal_gets_an_access_token_and_nothing_else(void **state)
{
    struct auth_identity_token t;
    struct uuid app = uuid_of(PLAIN_APP);
    struct sts *f = *state;

    assert_int_equal(ask(f, "POST", TOKEN,
                         "grant_type=client_credentials&client_id=" PLAIN_APP
                         "&client_secret=secret&client_info=1" USER_SCOPE),
                     200);
    read_token(f, keep(f, "access_token"), &t);
    assert_true(uuid_eq(&t.app_id, &app));
    assert_null(json_get(f->answer, "refresh_token"));
    assert_null(json_get(f->answer, "id_token"));
    assert_null(json_get(f->answer, "client_info"));
    assert_int_equal(ask(f, "POST", TOKEN,
                         "grant_type=client_credentials&client_id=" PLAIN_APP
                         "&client_secret=secre" USER_SCOPE),
                     401);
    expect_error(f, "invalid_client");
}

/* Whose turn did not come may come again: it is no fault of the server's. */
static void who_was_not_heard_is_told_to_try_again(void **state)
{
    static const struct {
        enum rc rc;
        unsigned status;
        const char *error;
    } cases[] = {
        {RC_UNAVAILABLE, 503, "temporarily_unavailable"},
        {RC_TIMEOUT, 503, "temporarily_unavailable"},
        {RC_CANCELED, 503, "temporarily_unavailable"},
        {RC_QUOTA, 429, "temporarily_unavailable"},
        {RC_TOO_LARGE, 400, "invalid_request"},
        {RC_NOT_FOUND, 500, "server_error"},
        {RC_INTERNAL, 500, "server_error"},
    };
    struct sts *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) struct json *said = NULL;
        struct err e = {0};

        err_set(&e, cases[i].rc, "why");
        ask(f, "GET", "/metadata/endpoints", NULL);
        http_answer_clear(&f->req);
        assert_int_equal(sts_fail(&f->req, &e), HTTP_ANSWERED);
        assert_int_equal(f->req.response.status, cases[i].status);
        assert_int_equal(json_parse(f->req.response.body, NULL, &said, NULL), RC_OK);
        assert_str(json_str(json_get(said, "error")), cases[i].error);
        assert_int_equal(http_answer_field(&f->req, "Retry-After").ptr != NULL,
                         cases[i].status == 503 || cases[i].status == 429);
    }
}

static void what_cannot_be_asked_is_told_in_oauths_words(void **state)
{
    static const struct {
        const char *form, *error;
    } cases[] = {
        {"", "invalid_request"},
        {"grant_type=password", "invalid_request"},
        {"grant_type=implicit" SCOPE, "unsupported_grant_type"},
        {"grant_type=password&client_id=me&username=a&password=b" SCOPE, "unauthorized_client"},
        {FORM "grant_type=password&username=a&password=b", "invalid_scope"},
        {FORM "grant_type=password&username=a&password=b&scope=https%3A%2F%2Fx%2F.default",
         "invalid_scope"},
        {FORM "grant_type=password&username=a" SCOPE, "invalid_request"},
        {FORM "grant_type=refresh_token" SCOPE, "invalid_request"},
        {FORM "grant_type=refresh_token&refresh_token=x" SCOPE, "invalid_grant"},
        {FORM "grant_type=device_code", "invalid_scope"},
        {FORM "grant_type=device_code&device_code=x", "invalid_grant"},
        {FORM "grant_type=password&grant_type=password" SCOPE, "invalid_request"},
    };
    struct sts *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (ask(f, "POST", TOKEN, cases[i].form) != 400)
            fail_msg("%s: %u", cases[i].form, f->req.response.status);
        if (!str_is(said(f, "error"), cases[i].error))
            fail_msg("%s: %s", cases[i].form, f->req.response.body.ptr);
    }
    assert_int_equal(ask(f, "POST", "/" ADMIN_APP "/oauth2/v2.0/token", cases[1].form), 400);
    expect_error(f, "invalid_tenant");
}

/* --- refresh tokens --- */

static unsigned refresh(struct sts *f, const char *token)
{
    char body[1024];

    snprintf(body, sizeof(body), FORM "grant_type=refresh_token&refresh_token=%s" USER_SCOPE,
             token);
    return ask(f, "POST", TOKEN, body);
}

static const char *sign_in(struct sts *f)
{
    assert_int_equal(ann_signs_in(f, USER_SCOPE), 200);
    return keep(f, "refresh_token");
}

static void a_refresh_token_goes_on_for_its_own_client(void **state)
{
    struct sts *f = *state;
    char body[1024];

    make_ann(f);
    const char *token = sign_in(f);

    assert_int_equal(refresh(f, token), 200);
    assert_string_equal(keep(f, "refresh_token"), token);
    assert_non_null(json_get(f->answer, "id_token"));
    snprintf(body, sizeof(body),
             FORM "grant_type=refresh_token&refresh_token=%s&scope=https%%3A%%2F%%2F"
                  "containerregistry.azure.net%%2F.default",
             token);
    assert_int_equal(ask(f, "POST", TOKEN, body), 200);
    snprintf(body, sizeof(body),
             "client_id=" ADMIN_APP "&grant_type=refresh_token&refresh_token=%s" SCOPE, token);
    assert_int_equal(ask(f, "POST", TOKEN, body), 400);
    expect_error(f, "invalid_grant");
    assert_int_equal(refresh(f, token), 200); /* nobody else's try ends it */
}

static void a_refresh_token_ends_with_its_password(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    const char *token = sign_in(f);

    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"displayName\":\"Ann B.\"}"),
                     200);
    assert_false(f->hashed);
    assert_int_equal(refresh(f, token), 200);
    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"password\":\"correct horse\"}"),
                     200);
    assert_true(f->hashed);
    assert_int_equal(refresh(f, token), 400);
    expect_error(f, "invalid_grant");
}

static void a_refresh_token_ends_with_its_user(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    const char *token = sign_in(f);

    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"accountEnabled\":false}"), 200);
    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"accountEnabled\":true}"), 200);
    assert_int_equal(refresh(f, token), 400);
    token = sign_in(f);
    assert_int_equal(ask(f, "DELETE", USERS "/ann@example.org", NULL), 204);
    assert_int_equal(refresh(f, token), 400);
}

struct aging {
    const char *token;
    int64_t by_us, since_replaced_us;
};

static enum rc age_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(65536);
    struct digest hash;
    const struct aging *x = arg;
    struct meta_refresh r;

    hash = crypto_secret_hash(str_from(x->token));
    assert_int_equal(meta_refresh_get(tx, &a, &hash, &r, e), RC_OK);
    if (x->since_replaced_us > 0)
        return meta_refresh_used(tx, &hash, r.used_us, clock_wall_us() - x->since_replaced_us, e);
    assert_int_equal(meta_refresh_end_family(tx, &r.family, e), RC_OK);
    r.issued_us -= x->by_us;
    r.used_us -= x->by_us;
    return meta_refresh_add(tx, &r, e);
}

static void age(struct sts *f, const char *token, int64_t by_us)
{
    struct aging x = {token, by_us, 0};

    in_write(f, age_fn, &x);
}

static void a_refresh_token_that_nobody_used_for_90_days_is_gone(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    const char *token = sign_in(f);

    age(f, token, 91 * DAY_US);
    assert_int_equal(refresh(f, token), 400);
    expect_error(f, "invalid_grant");
}

static void a_refresh_token_is_replaced_after_a_day_and_goes_on_for_an_hour(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    const char *old = sign_in(f);

    age(f, old, 25 * HOUR_US);
    assert_int_equal(refresh(f, old), 200);
    const char *next = keep(f, "refresh_token");

    assert_string_not_equal(next, old);
    assert_int_equal(refresh(f, next), 200);
    assert_string_equal(keep(f, "refresh_token"), next);
    assert_int_equal(refresh(f, old), 200); /* another process of the same client */
    assert_int_equal(refresh(f, next), 200);
}

static void a_replaced_refresh_token_that_comes_late_ends_its_family(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    const char *other = sign_in(f), *old = sign_in(f);
    struct aging late = {old, 0, HOUR_US + CLOCK_US_PER_S};

    age(f, old, 25 * HOUR_US);
    assert_int_equal(refresh(f, old), 200);
    const char *next = keep(f, "refresh_token");

    in_write(f, age_fn, &late);
    assert_int_equal(refresh(f, old), 400);
    assert_int_equal(refresh(f, next), 400);
    assert_int_equal(refresh(f, other), 200); /* of another sign-in */
}

static enum rc add_many(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct snapshot_principal *who = arg;

    for (int i = 0; i < 100; i++) {
        const struct uuid family = uuid_random();
        struct meta_refresh r = {
            .family = family,
            .principal = who->object_id,
            .generation = who->generation,
            .client = STR(CLIENT),
            .issued_us = clock_wall_us(),
            .used_us = clock_wall_us() + CLOCK_US_PER_S,
        };

        r.hash = crypto_secret_hash((struct str){(const char *)family.bytes, 16});
        assert_int_equal(meta_refresh_add(tx, &r, e), RC_OK);
    }
    return RC_OK;
}

static enum rc find_ann(const struct snapshot *s, void *arg, struct err *e)
{
    (void)e;
    *(struct snapshot_principal *)arg = *snapshot_principal_by_upn(s, STR("ann@example.org"));
    return RC_OK;
}

static void the_sign_in_that_was_used_least_makes_room_for_the_hundred_and_first(void **state)
{
    struct snapshot_principal ann;
    struct sts *f = *state;

    make_ann(f);
    assert_int_equal(snapshot_with_newest(f->i.hub, find_ann, &ann, NULL), RC_OK);
    const char *old = sign_in(f);

    in_write(f, add_many, &ann);
    assert_int_equal(refresh(f, old), 200);
    (void)sign_in(f);
    assert_int_equal(refresh(f, old), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STS_TEST(a_user_signs_in_and_gets_what_its_client_asks_for),
        STS_TEST(an_id_token_is_no_access_token),
        STS_TEST(what_is_not_asked_for_is_not_given),
        STS_TEST(a_wrong_password_an_unknown_and_a_disabled_user_are_answered_alike),
        STS_TEST(after_ten_failures_a_user_waits_and_nothing_is_hashed),
        STS_TEST(after_ten_failures_a_service_principal_waits_too),
        STS_TEST(a_service_principal_gets_an_access_token_and_nothing_else),
        STS_TEST(who_was_not_heard_is_told_to_try_again),
        STS_TEST(what_cannot_be_asked_is_told_in_oauths_words),
        STS_TEST(a_refresh_token_goes_on_for_its_own_client),
        STS_TEST(a_refresh_token_ends_with_its_password),
        STS_TEST(a_refresh_token_ends_with_its_user),
        STS_TEST(a_refresh_token_that_nobody_used_for_90_days_is_gone),
        STS_TEST(a_refresh_token_is_replaced_after_a_day_and_goes_on_for_an_hour),
        STS_TEST(a_replaced_refresh_token_that_comes_late_ends_its_family),
        STS_TEST(the_sign_in_that_was_used_least_makes_room_for_the_hundred_and_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
