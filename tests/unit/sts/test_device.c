/* Device codes, and the page on which a user lets a device in. */
#include "fixture.h"

#include "base/clock.h"
#include "sts/private.h"

#define START  "/adfs/oauth2/devicecode"
#define COOKIE "__Host-kidoban-device="

struct codes {
    const char *device, *user;
};

static struct codes start(struct sts *f)
{
    assert_int_equal(ask(f, "POST", START, FORM "x=y" USER_SCOPE), 200);
    return (struct codes){keep(f, "device_code"), keep(f, "user_code")};
}

static unsigned poll(struct sts *f, const struct codes *c)
{
    char body[512];

    snprintf(body, sizeof(body),
             FORM "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Adevice_code"
                  "&device_code=%s",
             c->device);
    return ask(f, "POST", TOKEN, body);
}

/* The value that the page's form carries, and its cookie. */
static void open_page(struct sts *f, char csrf[64])
{
    static const char before[] = "name=\"csrf\" value=\"";

    assert_int_equal(ask(f, "GET", STS_DEVICE_PAGE, NULL), 200);
    const char *at = strstr(f->req.response.body.ptr, before);

    assert_non_null(at);
    snprintf(csrf, 64, "%.43s", at + strlen(before));
    struct str cookie = http_answer_field(&f->req, "Set-Cookie");

    assert_true(str_starts(cookie, STR(COOKIE)));
    assert_true(str_starts(str_skip(cookie, strlen(COOKIE)), str_from(csrf)));
}

static unsigned post_page(struct sts *f, const char *cookie, const char *form)
{
    char field[128];

    snprintf(field, sizeof(field), "a=b; " COOKIE "%s", cookie);
    sts_field(f, "Cookie", field);
    return ask(f, "POST", STS_DEVICE_PAGE, form);
}

static unsigned decide(struct sts *f, const char *user_code, const char *action)
{
    char csrf[64], form[512];

    open_page(f, csrf);
    snprintf(form, sizeof(form),
             "csrf=%s&user_code=%s&username=ann%%40example.org&password=correct+horse&action=%s",
             csrf, user_code, action);
    return post_page(f, csrf, form);
}

static enum rc age_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(65536);
    const char *device = arg;
    struct digest hash = crypto_secret_hash(str_from(device));
    struct meta_device d;

    assert_int_equal(meta_device_get(tx, &a, &hash, &d, e), RC_OK);
    assert_int_equal(meta_device_delete(tx, &hash, e), RC_OK);
    d.expires_us = clock_wall_us() - 1;
    return meta_device_add(tx, &d, e);
}

struct polling {
    const char *device;
    int64_t at_us;
};

static enum rc polled_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct polling *p = arg;
    struct digest hash = crypto_secret_hash(str_from(p->device));

    return meta_device_polled(tx, &hash, p->at_us, e);
}

static void a_device_gets_its_tokens_once_when_its_user_has_let_it_in(void **state)
{
    struct auth_identity_token t;
    struct sts *f = *state;

    make_ann(f);
    struct codes c = start(f);

    assert_str(said(f, "verification_uri"), CONTROL_URL STS_DEVICE_PAGE);
    assert_int_equal(json_int(json_get(f->answer, "interval"), 0), 5);
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "authorization_pending");
    assert_int_equal(decide(f, c.user, "allow"), 200);
    assert_true(f->hashed);
    assert_int_equal(poll(f, &c), 200); /* however soon */
    read_token(f, keep(f, "access_token"), &t);
    assert_str(t.audience, CONTROL_URL);
    assert_non_null(json_get(f->answer, "refresh_token"));
    assert_non_null(json_get(f->answer, "id_token"));
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "invalid_grant");
}

static void who_asks_too_often_is_told_to_slow_down(void **state)
{
    struct sts *f = *state;
    struct codes c = start(f);
    struct polling p = {c.device, clock_wall_us() + (int64_t)3600 * CLOCK_US_PER_S};

    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "authorization_pending");
    in_write(f, polled_fn, &p); /* just now, however slow this test is */
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "slow_down");
    p.at_us = 0;
    in_write(f, polled_fn, &p);
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "authorization_pending");
}

static void a_device_that_is_refused_hears_it_once(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    struct codes c = start(f);

    assert_int_equal(decide(f, c.user, "refuse"), 200);
    assert_int_equal(decide(f, c.user, "allow"), 404);
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "access_denied");
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "invalid_grant");
}

static void an_expired_code_lets_nobody_in(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    struct codes c = start(f);

    in_write(f, age_fn, (void *)(uintptr_t)c.device);
    assert_int_equal(decide(f, c.user, "allow"), 404);
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "expired_token");
}

static void a_password_that_was_changed_meanwhile_lets_nobody_in(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    struct codes c = start(f);

    assert_int_equal(decide(f, c.user, "allow"), 200);
    assert_int_equal(ask(f, "PATCH", USERS "/ann@example.org", "{\"password\":\"another horse\"}"),
                     200);
    assert_int_equal(poll(f, &c), 400);
    expect_error(f, "access_denied");
}

static void a_code_is_its_own_clients(void **state)
{
    struct sts *f = *state;
    struct codes c = start(f);
    char body[512];

    snprintf(body, sizeof(body), "client_id=" ADMIN_APP "&grant_type=device_code&device_code=%s",
             c.device);
    assert_int_equal(ask(f, "POST", TOKEN, body), 400);
    expect_error(f, "invalid_grant");
}

static unsigned start_another(struct sts *f)
{
    return ask(f, "POST", START, FORM "x=y" USER_SCOPE);
}

static void codes_are_rationed(void **state)
{
    struct sts *f = *state;

    assert_true(shuts_out(f, "device codes", start_another));
    assert_int_equal(ask(f, "POST", START, FORM "x=y"), 400);
    expect_error(f, "invalid_scope");
}

/* --- the page --- */

/* As many codes as wait at once, of which `expired` have expired. */
static enum rc fill_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const int *expired = arg;
    int64_t now_us = clock_wall_us(), hour_us = (int64_t)3600 * CLOCK_US_PER_S;
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < 10000; i++) {
        char text[16];
        struct meta_device d = {.client = STR(CLIENT), .scope = STR("openid")};

        snprintf(text, sizeof(text), "%08d", i);
        d.user_code = str_from(text);
        d.hash = crypto_secret_hash(d.user_code);
        d.expires_us = i < *expired ? now_us - 1 : now_us + hour_us;
        rc = meta_device_add(tx, &d, e);
    }
    return rc;
}

static void codes_that_have_expired_keep_nobody_out(void **state)
{
    struct sts *f = *state;
    int expired = 1;

    in_write(f, fill_fn, &expired);
    assert_int_equal(start_another(f), 200);
    assert_int_equal(start_another(f), 503);
    expect_error(f, "temporarily_unavailable");
}

static void only_its_own_form_is_taken(void **state)
{
    struct sts *f = *state;
    char csrf[64], other[64], form[512];

    open_page(f, other);
    open_page(f, csrf);
    snprintf(form, sizeof(form),
             "csrf=%s&user_code=BCDFGHJK&username=a%%40b&password=correct+horse&action=allow",
             csrf);
    assert_int_equal(ask(f, "POST", STS_DEVICE_PAGE, form), 403);
    assert_int_equal(post_page(f, other, form), 403);
    sts_field(f, "Origin", "https://elsewhere.example");
    assert_int_equal(post_page(f, csrf, form), 403);
    sts_field(f, "Origin", CONTROL_URL);
    assert_int_equal(post_page(f, csrf, form), 401); /* and there is no such user */
    assert_int_equal(post_page(f, "", "csrf=&user_code=x&username=a&password=b&action=allow"), 403);
    assert_int_equal(post_page(f, csrf, "csrf=x&user_code=x"), 400);
}

static void the_page_runs_nothing_and_stands_in_no_frame(void **state)
{
    struct sts *f = *state;
    char csrf[64];

    open_page(f, csrf);
    assert_true(str_starts(http_answer_field(&f->req, "Content-Security-Policy"),
                           STR("default-src 'none'")));
    assert_str(http_answer_field(&f->req, "X-Frame-Options"), "DENY");
    assert_str(http_answer_field(&f->req, "Cache-Control"), "no-store");
}

static void a_client_that_opens_a_browser_is_told_what_to_do_instead(void **state)
{
    struct sts *f = *state;

    assert_int_equal(
        ask(f, "GET", "/adfs/oauth2/authorize?client_id=" CLIENT "&redirect_uri=http://x", NULL),
        400);
    assert_non_null(strstr(f->req.response.body.ptr, "--use-device-code"));
}

static unsigned try_code(struct sts *f)
{
    return decide(f, "BCDF-GHJK", "allow");
}

static void trying_codes_shuts_the_user_out(void **state)
{
    struct sts *f = *state;

    make_ann(f);
    assert_int_equal(try_code(f), 404);
    assert_true(shuts_out(f, "ann@example.org", try_code));
    assert_false(f->hashed);
}

static void codes_are_read_as_people_type_them(void **state)
{
    static const char *const right[] = {"BCDFGHJK", "bcdf-ghjk", " BCDF GHJK ", "b-c-d-f-g-h-j-k"};
    static const char *const wrong[] = {"", "BCDFGHJ", "BCDFGHJKL", "ABCDFGHJ", "BCDF0GHJ"};
    char code[STS_USER_CODE + 1] = "";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        assert_int_equal(sts_user_code_parse(str_from(right[i]), code, NULL), RC_OK);
        assert_string_equal(code, "BCDFGHJK");
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(sts_user_code_parse(str_from(wrong[i]), code, NULL), RC_INVALID);
    assert_int_equal(sts_user_code_parse((struct str){"BCDF\0GHJ", 8}, code, NULL), RC_INVALID);
}

static void a_cookie_is_found_among_others(void **state)
{
    (void)state;
    assert_str(sts_cookie(STR("a=1; b=2;c=3"), "b"), "2");
    assert_str(sts_cookie(STR("a=1; b=2;c=3"), "c"), "3");
    assert_str(sts_cookie(STR("b=x=y"), "b"), "x=y");
    assert_null(sts_cookie(STR("bb=1; ab=2; b"), "x").ptr);
    assert_null(sts_cookie(STR_NONE, "b").ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STS_TEST(a_device_gets_its_tokens_once_when_its_user_has_let_it_in),
        STS_TEST(who_asks_too_often_is_told_to_slow_down),
        STS_TEST(a_device_that_is_refused_hears_it_once),
        STS_TEST(an_expired_code_lets_nobody_in),
        STS_TEST(a_password_that_was_changed_meanwhile_lets_nobody_in),
        STS_TEST(a_code_is_its_own_clients),
        STS_TEST(codes_are_rationed),
        STS_TEST(codes_that_have_expired_keep_nobody_out),
        STS_TEST(only_its_own_form_is_taken),
        STS_TEST(the_page_runs_nothing_and_stands_in_no_frame),
        STS_TEST(a_client_that_opens_a_browser_is_told_what_to_do_instead),
        STS_TEST(trying_codes_shuts_the_user_out),
        cmocka_unit_test(codes_are_read_as_people_type_them),
        cmocka_unit_test(a_cookie_is_found_among_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
