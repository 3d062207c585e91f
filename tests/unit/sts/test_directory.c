/* Users, service principals and signing keys, made and changed over the control plane. */
#include "fixture.h"

#include "base/clock.h"
#include "sts/directory.h"

#define KEYS "/providers/Kidoban.Identity/keys"

static unsigned app_signs_in(struct sts *f, const char *app, const char *secret)
{
    char body[512];

    snprintf(body, sizeof(body),
             "grant_type=client_credentials&client_id=%s&client_secret=%s" SCOPE, app, secret);
    return ask(f, "POST", TOKEN, body);
}

static const char *app_token(struct sts *f, const char *app, const char *secret)
{
    assert_int_equal(app_signs_in(f, app, secret), 200);
    return keep(f, "access_token");
}

/* --- users --- */

static void a_user_is_shown_without_its_password(void **state)
{
    struct sts *f = *state;

    assert_int_equal(ask(f, "POST", USERS,
                         "{\"userPrincipalName\":\"ann@example.org\",\"displayName\":\"Ann\","
                         "\"password\":\"correct horse\"}"),
                     201);
    assert_true(f->hashed);
    assert_str(said(f, "userPrincipalName"), "ann@example.org");
    assert_int_equal(ask(f, "GET", USERS "/ANN@example.org", NULL), 200);
    assert_str(said(f, "displayName"), "Ann");
    assert_null(strstr(f->req.response.body.ptr, "scrypt"));
    assert_int_equal(ann_signs_in(f, USER_SCOPE), 200);
    assert_int_equal(ask(f, "GET", USERS, NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "value")), 1);
    assert_int_equal(ask(f, "GET", USERS "/" PLAIN_OBJECT, NULL), 404); /* an application */
}

static void a_user_that_cannot_be_is_refused_and_nothing_changes(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
    } cases[] = {
        {"{\"userPrincipalName\":\"ann@example.org\",\"password\":\"correct horse\"}", 409},
        {"{\"userPrincipalName\":\"bob\",\"password\":\"correct horse\"}", 400},
        {"{\"userPrincipalName\":\"@b\",\"password\":\"correct horse\"}", 400},
        {"{\"userPrincipalName\":\"a@b@c\",\"password\":\"correct horse\"}", 400},
        {"{\"userPrincipalName\":\"a b@c\",\"password\":\"correct horse\"}", 400},
        {"{\"userPrincipalName\":\"bob@b\"}", 400},
        {"{\"userPrincipalName\":\"bob@b\",\"password\":\"short\"}", 400},
        {"{\"userPrincipalName\":\"bob@b\",\"password\":7}", 400},
        {"{\"userPrincipalName\":\"bob@b\",\"displayName\":\" \",\"password\":\"correct horse\"}",
         400},
        {"[]", 400},
        {"{", 400},
    };
    struct sts *f = *state;

    make_ann(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (ask(f, "POST", USERS, cases[i].body) != cases[i].status)
            fail_msg("%s: %u", cases[i].body, f->req.response.status);
    assert_int_equal(ask(f, "PATCH", USERS "/bob@b", "{}"), 404);
    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"accountEnabled\":\"no\"}"), 400);
    assert_int_equal(ask(f, "GET", USERS, NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "value")), 1);
}

/* --- service principals --- */

struct app {
    const char *id, *secret;
};

static struct app make_app(struct sts *f)
{
    assert_int_equal(ask(f, "POST", APPS, "{\"displayName\":\"ci\",\"lifetimeDays\":365}"), 201);
    return (struct app){keep(f, "appId"), keep(f, "secretText")};
}

static unsigned on_app(struct sts *f, const char *method, const struct app *a, const char *verb,
                       const char *body)
{
    char target[256];

    snprintf(target, sizeof(target), APPS "/%s%s", a->id, verb);
    return ask(f, method, target, body);
}

static enum rc credential_stands(const struct snapshot *s, void *arg, struct err *e)
{
    const struct auth_identity_token *t = arg;

    (void)e;
    return snapshot_credential_stands(snapshot_principal_by_object(s, &t->object_id), t->generation,
                                      clock_wall_us())
               ? RC_OK
               : RC_DENIED;
}

/* Is what vouched for this token still in force? */
static bool stands(struct sts *f, const char *token)
{
    struct auth_identity_token t;

    read_token(f, token, &t);
    return snapshot_with_newest(f->i.hub, credential_stands, &t, NULL) == RC_OK;
}

static void a_service_principal_signs_in_with_each_of_its_secrets(void **state)
{
    struct sts *f = *state;
    struct app a = make_app(f);
    const char *token = app_token(f, a.id, a.secret);

    assert_int_equal(on_app(f, "POST", &a, "/addPassword", "{\"displayName\":\"second\"}"), 200);
    const char *second = keep(f, "secretText"), *key = keep(f, "keyId");
    char body[128];
    const char *of_second = app_token(f, a.id, second);

    assert_true(stands(f, token) && stands(f, of_second));
    assert_int_equal(on_app(f, "GET", &a, "", NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "passwordCredentials")), 2);
    assert_null(strstr(f->req.response.body.ptr, second));
    snprintf(body, sizeof(body), "{\"keyId\":\"%s\"}", key);
    assert_int_equal(on_app(f, "POST", &a, "/removePassword", body), 200);
    assert_int_equal(on_app(f, "POST", &a, "/removePassword", body), 404);
    assert_int_equal(app_signs_in(f, a.id, second), 401);
    assert_int_equal(app_signs_in(f, a.id, a.secret), 200);
    assert_true(stands(f, token));
    assert_false(stands(f, of_second));
}

static void nobody_takes_away_the_secret_that_they_signed_in_with(void **state)
{
    struct sts *f = *state;
    char body[128];

    assert_int_equal(ask(f, "GET", APPS "/" ADMIN_APP, NULL), 200);
    const struct json *own = json_at(json_get(f->answer, "passwordCredentials"), 0);

    snprintf(body, sizeof(body), "{\"keyId\":\"%s\"}", json_str(json_get(own, "keyId")).ptr);
    assert_int_equal(ask(f, "POST", APPS "/" ADMIN_APP "/removePassword", body), 409);
    assert_str(said(f, "error.code"), "CredentialInUse");
    assert_int_equal(ask(f, "GET", APPS "/" ADMIN_APP, NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "passwordCredentials")), 1);

    assert_int_equal(ask(f, "POST", APPS "/" ADMIN_APP "/addPassword", "{}"), 200);
    snprintf(body, sizeof(body), "{\"keyId\":\"%s\"}", keep(f, "keyId"));
    assert_int_equal(ask(f, "POST", APPS "/" ADMIN_APP "/removePassword", body), 200);
}

static void what_the_directory_does_not_have_is_said_and_not_made_up(void **state)
{
    static const char *const others[][2] = {
        {"GET", "/v1.0/me/ownedObjects/x"},
        {"GET", "/v1.0/servicePrincipals/" PLAIN_OBJECT "/owners"},
        {"POST", "/v1.0/groups"},
        {"PUT", "/v1.0/users"},
    };
    struct sts *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(ask(f, others[i][0], others[i][1], "{}"), 400);
        assert_str(said(f, "error.code"), "NotSupported");
    }
    assert_int_equal(ask(f, "POST", "/v1.0/applications",
                         "{\"displayName\":\"c\",\"keyCredentials\":[{\"key\":\"AA==\"}]}"),
                     400);
    assert_str(said(f, "error.code"), "NotSupported");
    assert_int_equal(ask(f, "GET", "/v1.0/me/ownedObjects", NULL), 400);
    assert_str(said(f, "error.code"), "BadRequest");
}

static void a_secret_that_is_replaced_ends_the_others(void **state)
{
    struct sts *f = *state;
    struct app a = make_app(f);
    const char *token = app_token(f, a.id, a.secret);

    assert_int_equal(on_app(f, "POST", &a, "/addPassword", "{\"replace\":true}"), 200);
    const char *next = keep(f, "secretText");

    assert_false(stands(f, token));
    assert_int_equal(app_signs_in(f, a.id, a.secret), 401);
    assert_int_equal(app_signs_in(f, a.id, next), 200);
    assert_int_equal(on_app(f, "POST", &a, "/addPassword", "{\"lifetimeDays\":0}"), 400);
    assert_int_equal(on_app(f, "GET", &a, "", NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "passwordCredentials")), 1);
}

static void the_end_of_a_secret_is_a_time_that_is_still_to_come(void **state)
{
    struct sts *f = *state;
    struct app a = make_app(f);
    static const struct {
        const char *end;
        unsigned status;
    } cases[] = {
        {"\"1970-01-01T00:00:00Z\"", 400},
        {"\"2020-02-30T00:00:00Z\"", 400},
        {"\"2020-02-20T00:00:00Z\"", 400},
        {"\"\"", 400},
        {"4102444800", 400},
        {"null", 200},
        {"\"2100-01-01T00:00:00Z\"", 200},
    };
    char body[128];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        snprintf(body, sizeof(body), "{\"passwordCredential\":{\"endDateTime\":%s}}", cases[i].end);
        if (on_app(f, "POST", &a, "/addPassword", body) != cases[i].status)
            fail_msg("%s: %u", cases[i].end, f->req.response.status);
    }
    assert_int_equal(on_app(f, "GET", &a, "", NULL), 200);
    const struct json *list = json_get(f->answer, "passwordCredentials");

    assert_int_equal(json_len(list), 3);
    assert_int_equal(json_type(json_get(json_at(list, 1), "endDateTime")), JSON_NULL);
    assert_true(str_starts(json_str(json_get(json_at(list, 2), "endDateTime")), STR("2100-01-01")));
}

/* A secret of `a` that is good for so long. */
static const char *add_secret(struct sts *f, const struct app *a, int64_t life_us)
{
    char body[128], end[CLOCK_TEXT_MAX];

    snprintf(body, sizeof(body), "{\"passwordCredential\":{\"endDateTime\":\"%s\"}}",
             clock_format_z(clock_wall_us() + life_us, end).ptr);
    assert_int_equal(on_app(f, "POST", a, "/addPassword", body), 200);
    return keep(f, "secretText");
}

static void a_token_ends_with_the_secret_that_it_was_given_for(void **state)
{
    enum { LIFE_S = STS_TOKEN_LIFE_S / 2 };
    struct sts *f = *state;
    struct app a = make_app(f);
    const char *brief = add_secret(f, &a, (int64_t)LIFE_S * CLOCK_US_PER_S);
    struct auth_identity_token t;

    assert_int_equal(app_signs_in(f, a.id, brief), 200);
    assert_in_range(json_int(json_get(f->answer, "expires_in"), 0), 1, LIFE_S - 1);
    read_token(f, keep(f, "access_token"), &t);
    assert_true(t.expires_us - t.issued_us <= (int64_t)LIFE_S * CLOCK_US_PER_S);
    assert_int_equal(app_signs_in(f, a.id, a.secret), 200);
    assert_int_equal(json_int(json_get(f->answer, "expires_in"), 0), STS_TOKEN_LIFE_S - 1);
}

static void a_service_principal_has_fifty_secrets_at_most(void **state)
{
    struct sts *f = *state;
    struct app a = make_app(f);

    for (int i = 1; i < 50; i++)
        assert_int_equal(on_app(f, "POST", &a, "/addPassword", "{}"), 200);
    assert_int_equal(on_app(f, "POST", &a, "/addPassword", "{}"), 409);
    assert_int_equal(on_app(f, "POST", &a, "/addPassword", "{\"replace\":true}"), 200);
}

static enum rc secret_more(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                           struct err *e)
{
    const struct meta_secret s = {.id = uuid_random(),
                                  .principal = uuid_of(PLAIN_OBJECT),
                                  .name = STR("another"),
                                  .hash = crypto_secret_hash(STR("x"))};

    (void)arg;
    snapshot_touch_identity(change);
    return meta_secret_add(tx, &s, e);
}

static void another_secret(struct sts *f)
{
    assert_int_equal(snapshot_change(f->i.hub, secret_more, NULL, NULL), RC_OK);
}

static void a_secret_that_was_added_meanwhile_counts(void **state)
{
    struct sts *f = *state;

    for (int i = 1; i < 49; i++)
        another_secret(f);
    f->meanwhile = another_secret;
    assert_int_equal(ask(f, "POST", APPS "/" PLAIN_APP "/addPassword", "{}"), 409);
    assert_str(said(f, "error.code"), "TooManyCredentials");
}

static void a_disabled_or_deleted_service_principal_does_not_sign_in(void **state)
{
    struct sts *f = *state;
    struct app a = make_app(f);
    const char *token = app_token(f, a.id, a.secret);

    assert_int_equal(on_app(f, "PATCH", &a, "", "{\"accountEnabled\":false}"), 200);
    assert_false(stands(f, token));
    assert_int_equal(app_signs_in(f, a.id, a.secret), 401);
    assert_int_equal(on_app(f, "PATCH", &a, "", "{\"accountEnabled\":true}"), 200);
    assert_false(stands(f, token)); /* what was over stays over */
    assert_int_equal(app_signs_in(f, a.id, a.secret), 200);
    assert_int_equal(on_app(f, "DELETE", &a, "", NULL), 204);
    assert_int_equal(app_signs_in(f, a.id, a.secret), 401);
    assert_int_equal(on_app(f, "DELETE", &a, "", NULL), 404);
}

static enum rc secrets_take(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                            struct err *e)
{
    const struct uuid administrator = uuid_of(ADMIN_OBJECT);

    (void)arg;
    snapshot_touch_identity(change);
    return meta_secret_delete(tx, &administrator, NULL, e);
}

static void secrets_taken(struct sts *f)
{
    assert_int_equal(snapshot_change(f->i.hub, secrets_take, NULL, NULL), RC_OK);
}

static void a_write_whose_credential_went_meanwhile_does_not_commit(void **state)
{
    static const struct {
        const char *method, *target, *body;
    } cases[] = {
        {"POST", USERS, "{\"userPrincipalName\":\"bob@b\",\"password\":\"correct horse\"}"},
        {"POST", APPS, "{\"displayName\":\"ci\"}"},
        {"POST", APPS "/" PLAIN_APP "/addPassword", "{}"},
        {"DELETE", USERS "/ann@example.org", NULL},
        {"POST", KEYS "/rotate", NULL},
    };
    struct sts *f = *state;

    make_ann(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f->meanwhile = secrets_taken;
        if (ask(f, cases[i].method, cases[i].target, cases[i].body) != 401)
            fail_msg("%s %s: %u", cases[i].method, cases[i].target, f->req.response.status);
    }
    assert_int_equal(ask(f, "GET", USERS, NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "value")), 1);
    assert_int_equal(ask(f, "GET", APPS, NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "value")), 2);
    assert_int_equal(ask(f, "GET", KEYS, NULL), 200);
    assert_int_equal(json_len(json_get(f->answer, "value")), 1);
}

static void the_administrator_stays(void **state)
{
    struct sts *f = *state;

    assert_int_equal(ask(f, "DELETE", APPS "/" ADMIN_APP, NULL), 409);
    assert_int_equal(ask(f, "PATCH", APPS "/" ADMIN_OBJECT, "{\"accountEnabled\":false}"), 409);
    assert_int_equal(app_signs_in(f, ADMIN_APP, "secret"), 200);
}

static enum rc note_entry(const struct meta_audit *entry, void *arg, struct err *e)
{
    (void)e;
    buf_addf(arg, "%.*s %.*s %.*s\n", STR_ARG(entry->principal), STR_ARG(entry->operation),
             STR_ARG(entry->after));
    return RC_OK;
}

static enum rc read_audit(struct meta_tx *tx, void *arg, struct err *e)
{
    return meta_audit_each(tx, 0, 100, note_entry, arg, e);
}

static void every_change_is_in_the_audit_trail(void **state)
{
    CLEANUP(buf_done) struct buf seen = BUF_INIT(4096);
    struct sts *f = *state;

    make_ann(f);
    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"displayName\":\"A\"}"), 200);
    assert_int_equal(ask(f, "DELETE", USERS "/ann@example.org", NULL), 204);
    assert_int_equal(ask(f, "POST", KEYS "/rotate", NULL), 204);
    in_write(f, read_audit, &seen);
    assert_str(buf_str(&seen), "administrator Kidoban.Identity/users/write ann@example.org\n"
                               "administrator Kidoban.Identity/users/delete ann@example.org\n"
                               "administrator Kidoban.Identity/keys/rotate/action \n");
}

/* --- signing keys --- */

static size_t published_keys(struct sts *f)
{
    assert_int_equal(ask(f, "GET", "/adfs/discovery/keys", NULL), 200);
    return json_len(json_get(f->answer, "keys"));
}

static void a_new_key_signs_and_nobody_has_to_sign_in_again(void **state)
{
    struct auth_identity_token t;
    struct sts *f = *state;
    const char *before = app_token(f, PLAIN_APP, "secret");

    assert_int_equal(published_keys(f), 1);
    assert_int_equal(ask(f, "POST", KEYS "/rotate", NULL), 204);
    assert_int_equal(published_keys(f), 2);
    read_token(f, before, &t);
    const char *after = app_token(f, PLAIN_APP, "secret");

    read_token(f, after, &t);
    assert_memory_not_equal(before, after, 60); /* another key id in the header */
    assert_int_equal(ask(f, "GET", KEYS, NULL), 200);
    assert_true(json_bool(json_path(json_at(json_get(f->answer, "value"), 0), "signs"), false));
    assert_false(json_bool(json_path(json_at(json_get(f->answer, "value"), 1), "signs"), true));
}

static enum rc key_of_1970(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                           struct err *e)
{
    const struct sts *f = arg;

    snapshot_touch_identity(change);
    return snapshot_identity_key_new(tx, snapshot_seal(f->i.hub), CLOCK_US_PER_S, e);
}

static void the_key_that_was_made_last_signs_when_the_clock_was_set_back(void **state)
{
    struct sts *f = *state;
    const char *before;

    assert_int_equal(ask(f, "POST", KEYS "/rotate", NULL), 204);
    before = app_token(f, PLAIN_APP, "secret");
    assert_int_equal(snapshot_change(f->i.hub, key_of_1970, f, NULL), RC_OK);
    assert_memory_not_equal(before, app_token(f, PLAIN_APP, "secret"), 60);
}

static void keys_are_replaced_after_90_days_and_forgotten_when_their_tokens_are_over(void **state)
{
    const int64_t hour = (int64_t)3600 * CLOCK_US_PER_S;
    struct auth_identity_token t;
    int64_t now = clock_wall_us();
    struct sts *f = *state;
    const char *token = app_token(f, PLAIN_APP, "secret");

    assert_int_equal(sts_maintain(f->i.hub, now, NULL), RC_OK); /* the test's first one is old */
    assert_int_equal(published_keys(f), 2);
    read_token(f, token, &t);
    assert_int_equal(sts_maintain(f->i.hub, now + hour, NULL), RC_OK);
    assert_int_equal(published_keys(f), 2);
    assert_int_equal(sts_maintain(f->i.hub, now + 3 * hour, NULL), RC_OK);
    assert_int_equal(published_keys(f), 1);
    assert_int_equal(try_token(f, token, &t), RC_UNAUTHENTICATED);
    assert_int_equal(sts_maintain(f->i.hub, now + 89 * 24 * hour, NULL), RC_OK);
    assert_int_equal(published_keys(f), 1);
    assert_int_equal(sts_maintain(f->i.hub, now + 91 * 24 * hour, NULL), RC_OK);
    assert_int_equal(published_keys(f), 2);
}

/* A request whose turn did not come is no fault of the server's. */
static void an_error_is_answered_as_everywhere_in_the_control_plane(void **state)
{
    static const struct {
        enum rc rc;
        unsigned status;
    } cases[] = {{RC_TIMEOUT, 503},   {RC_CANCELED, 503}, {RC_UNAVAILABLE, 503},
                 {RC_NOT_FOUND, 404}, {RC_CORRUPT, 500},  {RC_INTERNAL, 500}};
    struct sts *f = *state;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ask(f, "GET", USERS, NULL);
        err_set(&e, cases[i].rc, "why");
        assert_int_equal(directory_fail(&f->req, &e), HTTP_ANSWERED);
        assert_int_equal(f->req.response.status, cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STS_TEST(an_error_is_answered_as_everywhere_in_the_control_plane),
        STS_TEST(a_user_is_shown_without_its_password),
        STS_TEST(a_user_that_cannot_be_is_refused_and_nothing_changes),
        STS_TEST(a_service_principal_signs_in_with_each_of_its_secrets),
        STS_TEST(nobody_takes_away_the_secret_that_they_signed_in_with),
        STS_TEST(what_the_directory_does_not_have_is_said_and_not_made_up),
        STS_TEST(a_secret_that_is_replaced_ends_the_others),
        STS_TEST(the_end_of_a_secret_is_a_time_that_is_still_to_come),
        STS_TEST(a_token_ends_with_the_secret_that_it_was_given_for),
        STS_TEST(a_service_principal_has_fifty_secrets_at_most),
        STS_TEST(a_secret_that_was_added_meanwhile_counts),
        STS_TEST(a_disabled_or_deleted_service_principal_does_not_sign_in),
        STS_TEST(a_write_whose_credential_went_meanwhile_does_not_commit),
        STS_TEST(the_administrator_stays),
        STS_TEST(every_change_is_in_the_audit_trail),
        STS_TEST(a_new_key_signs_and_nobody_has_to_sign_in_again),
        STS_TEST(the_key_that_was_made_last_signs_when_the_clock_was_set_back),
        STS_TEST(keys_are_replaced_after_90_days_and_forgotten_when_their_tokens_are_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
