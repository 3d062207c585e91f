#include "test.h"

#include "admit/private.h"
#include "base/clock.h"

struct fixture {
    struct admit admit;
    struct admission admission;
    struct evidence evidence;
    struct http_request req;
    struct snapshot snapshot;
    struct snapshot_identity identity;
    struct snapshot_principal app;
    struct snapshot_secret secrets[2];
    const struct snapshot_principal *by_app[1];
    struct snapshot_registry registry;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){
        .app = {.object_id = uuid_random(),
                .app_id = uuid_random(),
                .name = STR("ci"),
                .generation = 5,
                .enabled = true,
                .administrator = true},
        .registry = {.uuid = uuid_random(),
                     .name = STR("MyRegistry"),
                     .admin_user = true,
                     .admin_password = {crypto_secret_hash(STR("first")),
                                        crypto_secret_hash(STR("second"))},
                     .admin_generation = {11, 12}},
        .req = {.arena = ARENA_INIT(1 << 20), .response = {.file = -1}},
    };
    f.secrets[0].id = uuid_random();
    f.secrets[1].id = uuid_random();
    f.secrets[0].hash = crypto_secret_hash(STR("app secret"));
    f.secrets[1].hash = crypto_secret_hash(STR("another secret"));
    f.app.secrets = f.secrets;
    f.app.n_secrets = 2;
    f.by_app[0] = &f.app;
    f.identity = (struct snapshot_identity){
        .principals = &f.app, .n_principals = 1, .by_app = f.by_app, .n_apps = 1};
    assert_int_equal(jws_key_hmac(&(struct crypto_key){{7}}, &f.identity.token_key, NULL), RC_OK);
    f.snapshot.identity = &f.identity;
    f.admit.config.limiter = auth_limiter_new();
    assert_int_equal(ip_parse(STR("192.0.2.7"), &f.evidence.peer, NULL), RC_OK);
    f.admission =
        (struct admission){.admit = &f.admit, .snapshot = &f.snapshot, .registry = &f.registry};
    f.req.admission = &f.admission;
    f.req.evidence = &f.evidence;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    arena_done(&f->req.arena);
    jws_key_free(f->identity.token_key);
    auth_limiter_free(f->admit.config.limiter);
    return 0;
}

static enum rc sign_in(struct fixture *f, const char *user, const char *password,
                       struct principal *ret)
{
    return admit_sign_in(&f->req, str_from(user), str_from(password), ret, NULL);
}

static const char *app_id(const struct fixture *f, char text[UUID_TEXT_MAX])
{
    uuid_format(&f->app.app_id, text);
    return text;
}

static struct str refresh_token(struct fixture *f, const struct principal *p)
{
    struct auth_token t = {.kind = AUTH_TOKEN_REFRESH,
                           .registry = f->registry.uuid,
                           .principal = *p,
                           .issued_us = clock_wall_us(),
                           .expires_us = clock_wall_us() + 60 * (int64_t)CLOCK_US_PER_S};
    CLEANUP(buf_done) struct buf b = BUF_INIT(8192);

    assert_int_equal(auth_token_mint(f->identity.token_key, &t, &b, NULL), RC_OK);
    return arena_copy(&f->req.arena, buf_str(&b));
}

static void the_admin_user_signs_in_with_either_password(void **state)
{
    struct fixture *f = *state;
    struct principal p;

    assert_int_equal(sign_in(f, "myregistry", "first", &p), RC_OK);
    assert_int_equal(p.kind, PRINCIPAL_REGISTRY_ADMIN);
    assert_int_equal(p.slot, 0);
    assert_int_equal(p.generation, 11);
    assert_int_equal(sign_in(f, "MYREGISTRY", "second", &p), RC_OK);
    assert_int_equal(p.slot, 1);
    assert_int_equal(p.generation, 12);
    assert_string_equal(p.name, "MyRegistry");
}

static void a_wrong_password_or_name_is_refused(void **state)
{
    struct fixture *f = *state;
    struct principal p;

    assert_int_equal(sign_in(f, "myregistry", "third", &p), RC_UNAUTHENTICATED);
    assert_int_equal(sign_in(f, "myregistry", "", &p), RC_UNAUTHENTICATED);
    assert_int_equal(sign_in(f, "other", "first", &p), RC_UNAUTHENTICATED);
    assert_int_equal(sign_in(f, "", "", &p), RC_UNAUTHENTICATED);
}

static void an_admin_user_that_is_off_has_no_password(void **state)
{
    struct fixture *f = *state;
    struct principal p;

    f->registry.admin_user = false;
    assert_int_equal(sign_in(f, "myregistry", "first", &p), RC_UNAUTHENTICATED);
    f->registry.admin_user = true;
    f->registry.admin_password[0] = f->registry.admin_password[1] = (struct digest){0};
    assert_int_equal(sign_in(f, "myregistry", "", &p), RC_UNAUTHENTICATED);
}

static void a_service_principal_signs_in_with_its_application_id(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];
    struct principal p;

    assert_int_equal(sign_in(f, app_id(f, id), "app secret", &p), RC_OK);
    assert_int_equal(p.kind, PRINCIPAL_IDENTITY);
    assert_true(p.administrator);
    assert_true(uuid_eq(&p.object_id, &f->app.object_id));
    assert_int_equal(sign_in(f, app_id(f, id), "first", &p), RC_UNAUTHENTICATED);
}

static int64_t first(const struct fixture *f)
{
    return snapshot_credential(&f->app, &f->secrets[0]);
}

static void each_secret_counts_until_it_expires(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];
    struct principal p;

    assert_int_equal(sign_in(f, app_id(f, id), "another secret", &p), RC_OK);
    f->secrets[1].expires_us = clock_wall_us() - 1;
    assert_int_equal(sign_in(f, app_id(f, id), "another secret", &p), RC_UNAUTHENTICATED);
    f->secrets[1].expires_us = clock_wall_us() + (int64_t)3600 * CLOCK_US_PER_S;
    assert_int_equal(sign_in(f, app_id(f, id), "another secret", &p), RC_OK);
}

static void a_disabled_principal_neither_signs_in_nor_stands(void **state)
{
    struct fixture *f = *state;
    struct principal identity = {
        .kind = PRINCIPAL_IDENTITY, .object_id = f->app.object_id, .generation = first(f)};
    char id[UUID_TEXT_MAX];
    struct principal p;

    assert_true(admit_principal_stands(&f->snapshot, &f->registry, &identity));
    f->app.enabled = false;
    assert_false(admit_principal_stands(&f->snapshot, &f->registry, &identity));
    assert_int_equal(sign_in(f, app_id(f, id), "app secret", &p), RC_UNAUTHENTICATED);
}

static void a_refresh_token_is_a_password_of_the_token_user(void **state)
{
    struct fixture *f = *state;
    struct principal p = {.kind = PRINCIPAL_IDENTITY,
                          .object_id = f->app.object_id,
                          .app_id = f->app.app_id,
                          .generation = first(f)};
    struct str token = refresh_token(f, &p);

    assert_int_equal(sign_in(f, ADMIT_TOKEN_USER, token.ptr, &p), RC_OK);
    assert_true(p.administrator); /* as the newest snapshot says, not as the token does */
    assert_int_equal(sign_in(f, ADMIT_TOKEN_USER, "first", &p), RC_UNAUTHENTICATED);
}

/* What a token says of its principal is cut; what is left is text all the same. */
static void a_service_principal_with_a_long_name_has_tokens_that_are_taken(void **state)
{
    struct fixture *f = *state;
    char name[256], id[UUID_TEXT_MAX];
    struct principal p, again;

    for (size_t i = 0; i < sizeof(name) - 3; i += 3)
        memcpy(name + i, "\xe6\x97\xa5", 3); /* characters of three bytes */
    f->app.name = (struct str){name, sizeof(name) - sizeof(name) % 3};
    assert_int_equal(sign_in(f, app_id(f, id), "app secret", &p), RC_OK);
    assert_int_equal(strlen(p.name), 93);
    assert_int_equal(admit_refresh_token(&f->req, refresh_token(f, &p), &again, NULL), RC_OK);
    assert_string_equal(again.name, p.name);
}

static void a_renewed_credential_ends_its_tokens(void **state)
{
    struct fixture *f = *state;
    struct principal identity = {
        .kind = PRINCIPAL_IDENTITY, .object_id = f->app.object_id, .generation = first(f)};
    struct principal admin = {.kind = PRINCIPAL_REGISTRY_ADMIN, .slot = 1, .generation = 12}, p;
    struct str one = refresh_token(f, &identity), two = refresh_token(f, &admin);

    assert_int_equal(admit_refresh_token(&f->req, one, &p, NULL), RC_OK);
    assert_int_equal(admit_refresh_token(&f->req, two, &p, NULL), RC_OK);
    f->app.generation = 6;
    f->registry.admin_generation[1] = 13;
    assert_int_equal(admit_refresh_token(&f->req, one, &p, NULL), RC_UNAUTHENTICATED);
    assert_int_equal(admit_refresh_token(&f->req, two, &p, NULL), RC_UNAUTHENTICATED);
}

static void a_secret_that_goes_ends_its_own_tokens_only(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];
    struct principal one, two;

    assert_int_equal(sign_in(f, app_id(f, id), "app secret", &one), RC_OK);
    assert_int_equal(sign_in(f, app_id(f, id), "another secret", &two), RC_OK);
    f->app.n_secrets = 1;
    assert_true(admit_principal_stands(&f->snapshot, &f->registry, &one));
    assert_false(admit_principal_stands(&f->snapshot, &f->registry, &two));
}

static void the_end_of_a_secret_is_the_end_of_its_tokens(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];
    struct principal one, two, again;

    assert_int_equal(sign_in(f, app_id(f, id), "app secret", &one), RC_OK);
    assert_int_equal(sign_in(f, app_id(f, id), "another secret", &two), RC_OK);
    struct str token = refresh_token(f, &two);

    f->secrets[1].expires_us = clock_wall_us() + (int64_t)3600 * CLOCK_US_PER_S;
    assert_true(admit_principal_stands(&f->snapshot, &f->registry, &two));
    assert_int_equal(admit_refresh_token(&f->req, token, &again, NULL), RC_OK);
    f->secrets[1].expires_us = clock_wall_us() - 1;
    assert_false(admit_principal_stands(&f->snapshot, &f->registry, &two));
    assert_int_equal(admit_refresh_token(&f->req, token, &again, NULL), RC_UNAUTHENTICATED);
    assert_true(admit_principal_stands(&f->snapshot, &f->registry, &one));
}

static void renewing_one_admin_password_leaves_the_other(void **state)
{
    struct fixture *f = *state;
    struct principal first = {.kind = PRINCIPAL_REGISTRY_ADMIN, .slot = 0, .generation = 11};

    assert_true(admit_principal_stands(&f->snapshot, &f->registry, &first));
    f->registry.admin_generation[1] = 20;
    assert_true(admit_principal_stands(&f->snapshot, &f->registry, &first));
    f->registry.admin_generation[0] = 12;
    assert_false(admit_principal_stands(&f->snapshot, &f->registry, &first));
    f->registry.admin_generation[0] = 11;
    f->registry.admin_user = false;
    assert_false(admit_principal_stands(&f->snapshot, &f->registry, &first));
}

static void a_principal_that_is_gone_stands_for_nothing(void **state)
{
    struct fixture *f = *state;
    struct principal gone = {
        .kind = PRINCIPAL_IDENTITY, .object_id = uuid_random(), .generation = 5};
    struct principal nobody = {.kind = PRINCIPAL_ANONYMOUS};

    assert_false(admit_principal_stands(&f->snapshot, &f->registry, &gone));
    assert_false(admit_principal_stands(&f->snapshot, &f->registry, &nobody));
    f->registry.anonymous_pull = true;
    assert_true(admit_principal_stands(&f->snapshot, &f->registry, &nobody));
}

static void after_ten_failures_even_the_right_password_waits(void **state)
{
    struct fixture *f = *state;
    struct principal p;

    for (int i = 0; i < 10; i++)
        assert_int_equal(sign_in(f, "myregistry", "wrong", &p), RC_UNAUTHENTICATED);
    assert_int_equal(sign_in(f, "myregistry", "first", &p), RC_QUOTA);
    assert_int_equal(sign_in(f, "MyRegistry", "first", &p), RC_QUOTA);
    char id[UUID_TEXT_MAX];

    assert_int_equal(sign_in(f, app_id(f, id), "app secret", &p), RC_OK);
}

/* Two networks that a mark or a proxy tells apart may have the same addresses; and whom the gate
 * does not know is counted by the address that he has, not by the one that he says. */
static void failures_count_where_the_gate_saw_their_client(void **state)
{
    struct fixture *f = *state;
    struct principal p;

    f->admission.decided = true;
    f->admission.origin =
        (struct origin){.kind = ORIGIN_SUBNET, .attachment = {{1}}, .ip = f->evidence.peer};
    for (int i = 0; i < 10; i++)
        assert_int_equal(sign_in(f, "myregistry", "wrong", &p), RC_UNAUTHENTICATED);
    assert_int_equal(sign_in(f, "myregistry", "first", &p), RC_QUOTA);
    f->admission.origin.attachment = (struct uuid){{2}};
    assert_int_equal(sign_in(f, "myregistry", "first", &p), RC_OK);

    f->admission.origin.kind = ORIGIN_UNIDENTIFIED;
    for (uint8_t i = 0; i < 10; i++) {
        f->evidence.peer.bytes[3] = i; /* claimed */
        assert_int_equal(sign_in(f, "myregistry", "wrong", &p), RC_UNAUTHENTICATED);
    }
    f->evidence.peer.bytes[3] = 99;
    assert_int_equal(sign_in(f, "myregistry", "first", &p), RC_QUOTA);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_admin_user_signs_in_with_either_password),
        CASE(a_wrong_password_or_name_is_refused),
        CASE(an_admin_user_that_is_off_has_no_password),
        CASE(a_service_principal_signs_in_with_its_application_id),
        CASE(each_secret_counts_until_it_expires),
        CASE(a_disabled_principal_neither_signs_in_nor_stands),
        CASE(a_refresh_token_is_a_password_of_the_token_user),
        CASE(a_service_principal_with_a_long_name_has_tokens_that_are_taken),
        CASE(a_renewed_credential_ends_its_tokens),
        CASE(a_secret_that_goes_ends_its_own_tokens_only),
        CASE(the_end_of_a_secret_is_the_end_of_its_tokens),
        CASE(renewing_one_admin_password_leaves_the_other),
        CASE(a_principal_that_is_gone_stands_for_nothing),
        CASE(after_ten_failures_even_the_right_password_waits),
        CASE(failures_count_where_the_gate_saw_their_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
