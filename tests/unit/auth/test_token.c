#include "test.h"

#include "auth/auth.h"
#include "base/clock.h"

#define NOW  ((int64_t)1795000000 * CLOCK_US_PER_S)
#define HOUR ((int64_t)3600 * CLOCK_US_PER_S)

struct fixture {
    struct jws_key *key, *other;
    struct uuid registry;
    struct arena arena;
};

static int set_up(void **state)
{
    static struct fixture f;
    struct crypto_key a = {{1, 2, 3}}, b = {{9, 9}};

    f = (struct fixture){.arena = ARENA_INIT(1 << 20), .registry = uuid_random()};
    assert_int_equal(jws_key_hmac(&a, &f.key, NULL), RC_OK);
    assert_int_equal(jws_key_hmac(&b, &f.other, NULL), RC_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    jws_key_free(f->key);
    jws_key_free(f->other);
    arena_done(&f->arena);
    return 0;
}

static struct auth_token sample(const struct fixture *f)
{
    struct auth_token t = {.kind = AUTH_TOKEN_ACCESS,
                           .registry = f->registry,
                           .principal = {.kind = PRINCIPAL_REGISTRY_ADMIN,
                                         .generation = 7,
                                         .slot = 1,
                                         .name = "my \"registry\""},
                           .issued_us = NOW,
                           .expires_us = NOW + HOUR};

    assert_int_equal(
        auth_scopes_parse(
            STR("repository:a/b:pull,metadata_read registry:catalog:* registry:None:*"), &t.scopes,
            NULL),
        RC_OK);
    return t;
}

static enum rc verify(struct fixture *f, enum auth_token_kind kind, struct str token, int64_t now,
                      struct auth_token *ret)
{
    struct auth_token_wanted wanted = {kind, f->registry, now};

    return auth_token_verify(f->key, &wanted, token, &f->arena, ret, NULL);
}

static void an_access_token_carries_who_and_what(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_token t = sample(f), got;

    assert_int_equal(auth_token_mint(f->key, &t, &text, NULL), RC_OK);
    assert_int_equal(verify(f, AUTH_TOKEN_ACCESS, buf_str(&text), NOW, &got), RC_OK);
    assert_int_equal(got.principal.kind, PRINCIPAL_REGISTRY_ADMIN);
    assert_string_equal(got.principal.name, "my \"registry\"");
    assert_int_equal(got.principal.generation, 7);
    assert_int_equal(got.principal.slot, 1);
    assert_int_equal(got.expires_us, NOW + HOUR);
    assert_int_equal(got.scopes.n, 3);
    assert_true(auth_scopes_allow(&got.scopes, STR("a/b"), AUTH_PULL | AUTH_METADATA_READ));
    assert_false(auth_scopes_allow(&got.scopes, STR("a/b"), AUTH_PUSH));
    assert_true(auth_scopes_allow_catalog(&got.scopes));
}

static void a_refresh_token_says_which_identity(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_token t = sample(f), got;

    t.kind = AUTH_TOKEN_REFRESH;
    t.principal = (struct principal){.kind = PRINCIPAL_IDENTITY,
                                     .object_id = uuid_random(),
                                     .app_id = uuid_random(),
                                     .generation = 3,
                                     .administrator = true,
                                     .name = "ci"};
    assert_int_equal(auth_token_mint(f->key, &t, &text, NULL), RC_OK);
    assert_int_equal(verify(f, AUTH_TOKEN_REFRESH, buf_str(&text), NOW, &got), RC_OK);
    assert_true(uuid_eq(&got.principal.object_id, &t.principal.object_id));
    assert_true(uuid_eq(&got.principal.app_id, &t.principal.app_id));
    assert_false(got.principal.administrator);
    assert_int_equal(got.scopes.n, 0);
}

static void neither_kind_stands_for_the_other(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf access = BUF_INIT(8192);
    CLEANUP(buf_done) struct buf refresh = BUF_INIT(8192);
    struct auth_token t = sample(f), got;

    assert_int_equal(auth_token_mint(f->key, &t, &access, NULL), RC_OK);
    t.kind = AUTH_TOKEN_REFRESH;
    assert_int_equal(auth_token_mint(f->key, &t, &refresh, NULL), RC_OK);
    assert_int_equal(verify(f, AUTH_TOKEN_REFRESH, buf_str(&access), NOW, &got),
                     RC_UNAUTHENTICATED);
    assert_int_equal(verify(f, AUTH_TOKEN_ACCESS, buf_str(&refresh), NOW, &got),
                     RC_UNAUTHENTICATED);
}

static void a_token_of_another_registry_is_refused(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_token t = sample(f), got;

    t.registry = uuid_random();
    assert_int_equal(auth_token_mint(f->key, &t, &text, NULL), RC_OK);
    assert_int_equal(verify(f, AUTH_TOKEN_ACCESS, buf_str(&text), NOW, &got), RC_UNAUTHENTICATED);
}

static void a_token_under_another_key_is_refused(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_token t = sample(f), got;

    assert_int_equal(auth_token_mint(f->other, &t, &text, NULL), RC_OK);
    assert_int_equal(verify(f, AUTH_TOKEN_ACCESS, buf_str(&text), NOW, &got), RC_UNAUTHENTICATED);
}

static void a_changed_token_is_refused(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_token t = sample(f), got;

    assert_int_equal(auth_token_mint(f->key, &t, &text, NULL), RC_OK);
    text.ptr[text.len / 2] = text.ptr[text.len / 2] == 'A' ? 'B' : 'A';
    assert_int_equal(verify(f, AUTH_TOKEN_ACCESS, buf_str(&text), NOW, &got), RC_UNAUTHENTICATED);
}

static void a_token_ends_at_its_time_and_does_not_begin_before_it(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_token t = sample(f), got;

    assert_int_equal(auth_token_mint(f->key, &t, &text, NULL), RC_OK);
    assert_int_equal(
        verify(f, AUTH_TOKEN_ACCESS, buf_str(&text), NOW + HOUR - CLOCK_US_PER_S, &got), RC_OK);
    assert_int_equal(verify(f, AUTH_TOKEN_ACCESS, buf_str(&text), NOW + HOUR, &got),
                     RC_UNAUTHENTICATED);
    assert_int_equal(verify(f, AUTH_TOKEN_ACCESS, buf_str(&text), NOW - HOUR, &got),
                     RC_UNAUTHENTICATED);
}

static void an_identity_token_comes_back_as_it_was_minted(void **state)
{
    struct fixture *f = *state;
    CLEANUP(jws_key_freep) struct jws_key *key = NULL;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_identity_token t = {.tenant = uuid_random(),
                                    .object_id = uuid_random(),
                                    .app_id = uuid_random(),
                                    .issuer = STR("https://arm.x/adfs"),
                                    .audience = STR("https://arm.x"),
                                    .generation = 4,
                                    .issued_us = NOW,
                                    .expires_us = NOW + HOUR};
    struct auth_identity_token got;

    assert_int_equal(jws_key_generate_es256(&key, NULL), RC_OK);
    assert_int_equal(auth_identity_mint(key, &t, &text, NULL), RC_OK);
    assert_int_equal(auth_identity_verify(&key, 1, buf_str(&text), NOW, &f->arena, &got, NULL),
                     RC_OK);
    assert_true(uuid_eq(&got.tenant, &t.tenant));
    assert_true(uuid_eq(&got.app_id, &t.app_id));
    assert_true(uuid_eq(&got.object_id, &t.object_id));
    assert_true(str_eq(got.issuer, t.issuer));
    assert_true(str_eq(got.audience, t.audience));
    assert_int_equal(got.generation, 4);
    assert_int_equal(
        auth_identity_verify(&key, 1, buf_str(&text), NOW + HOUR, &f->arena, &got, NULL),
        RC_UNAUTHENTICATED);
}

static void a_registry_token_is_no_identity_token(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    struct auth_token t = sample(f);
    struct auth_identity_token got;

    assert_int_equal(auth_token_mint(f->key, &t, &text, NULL), RC_OK);
    assert_int_equal(auth_identity_verify(&f->key, 1, buf_str(&text), NOW, &f->arena, &got, NULL),
                     RC_UNAUTHENTICATED);
}

static void audiences_are_told_apart(void **state)
{
    struct auth_identity_token t = {.issuer = STR("https://arm.x:8443/adfs")};
    static const struct {
        const char *audience;
        bool control, registries;
    } cases[] = {
        {"https://arm.x:8443", true, false},
        {"https://arm.x:8443/", true, false},
        {"https://arm.x:8443//", false, false},
        {"https://arm.x", false, false},
        {"https://containerregistry.azure.net", false, true},
        {"https://containerregistry.azure.net/", false, true},
        {"https://containerregistry.azure.net.evil", false, false},
        {"/", false, false},
        {"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        t.audience = str_from(cases[i].audience);
        assert_int_equal(auth_identity_for_control(&t), cases[i].control);
        assert_int_equal(auth_identity_for_registries(&t), cases[i].registries);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_access_token_carries_who_and_what),
        CASE(a_refresh_token_says_which_identity),
        CASE(neither_kind_stands_for_the_other),
        CASE(a_token_of_another_registry_is_refused),
        CASE(a_token_under_another_key_is_refused),
        CASE(a_changed_token_is_refused),
        CASE(a_token_ends_at_its_time_and_does_not_begin_before_it),
        CASE(an_identity_token_comes_back_as_it_was_minted),
        CASE(a_registry_token_is_no_identity_token),
        CASE(audiences_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
