#include "test.h"

#include "auth/token_cache.h"
#include "base/clock.h"

#define NOW  ((int64_t)1795000000 * CLOCK_US_PER_S)
#define HOUR ((int64_t)3600 * CLOCK_US_PER_S)

struct fixture {
    struct jws_key *key, *other;
    struct auth_token_cache *cache;
    struct uuid registry;
    struct arena arena;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.arena = ARENA_INIT(16 << 20), .registry = uuid_random()};
    f.cache = auth_token_cache_new();
    assert_int_equal(jws_key_hmac(&(struct crypto_key){{1}}, &f.key, NULL), RC_OK);
    assert_int_equal(jws_key_hmac(&(struct crypto_key){{2}}, &f.other, NULL), RC_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    auth_token_cache_free(f->cache);
    jws_key_free(f->key);
    jws_key_free(f->other);
    arena_done(&f->arena);
    return 0;
}

static struct str mint(struct fixture *f, const char *scope)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8192);
    struct auth_token t = {
        .kind = AUTH_TOKEN_ACCESS,
        .registry = f->registry,
        .principal = {.kind = PRINCIPAL_REGISTRY_ADMIN, .generation = 3, .name = "admin"},
        .issued_us = NOW,
        .expires_us = NOW + HOUR};

    assert_int_equal(auth_scopes_parse(str_from(scope), &t.scopes, NULL), RC_OK);
    assert_int_equal(auth_token_mint(f->key, &t, &b, NULL), RC_OK);
    return arena_copy(&f->arena, buf_str(&b));
}

static enum rc verify(struct fixture *f, struct str token, int64_t now, struct auth_token *ret)
{
    struct auth_token_wanted wanted = {AUTH_TOKEN_ACCESS, f->registry, now};

    return auth_token_cache_verify(f->cache, f->key, &wanted, token, &f->arena, ret, NULL);
}

static void a_token_says_the_same_the_second_time(void **state)
{
    struct fixture *f = *state;
    struct str token = mint(f, "repository:a/b:pull registry:catalog:*");
    struct auth_token got;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(verify(f, token, NOW, &got), RC_OK);
        assert_int_equal(got.principal.generation, 3);
        assert_string_equal(got.principal.name, "admin");
        assert_int_equal(got.scopes.n, 2);
        assert_true(auth_scopes_allow(&got.scopes, STR("a/b"), AUTH_PULL));
        assert_false(auth_scopes_allow(&got.scopes, STR("a/b"), AUTH_PUSH));
        assert_true(auth_scopes_allow_catalog(&got.scopes));
    }
}

static void a_remembered_token_ends_at_its_time(void **state)
{
    struct fixture *f = *state;
    struct str token = mint(f, "repository:a:pull");
    struct auth_token got;

    assert_int_equal(verify(f, token, NOW, &got), RC_OK);
    assert_int_equal(verify(f, token, NOW + HOUR, &got), RC_UNAUTHENTICATED);
}

static void a_remembered_token_is_nothing_to_another_registry_or_kind(void **state)
{
    struct fixture *f = *state;
    struct str token = mint(f, "repository:a:pull");
    struct auth_token_wanted refresh = {AUTH_TOKEN_REFRESH, f->registry, NOW};
    struct auth_token_wanted other = {AUTH_TOKEN_ACCESS, uuid_random(), NOW};
    struct auth_token got;

    assert_int_equal(verify(f, token, NOW, &got), RC_OK);
    assert_int_equal(
        auth_token_cache_verify(f->cache, f->key, &refresh, token, &f->arena, &got, NULL),
        RC_UNAUTHENTICATED);
    assert_int_equal(
        auth_token_cache_verify(f->cache, f->key, &other, token, &f->arena, &got, NULL),
        RC_UNAUTHENTICATED);
}

static void a_replaced_key_ends_what_it_signed(void **state)
{
    struct fixture *f = *state;
    struct str token = mint(f, "repository:a:pull");
    struct auth_token_wanted wanted = {AUTH_TOKEN_ACCESS, f->registry, NOW};
    struct auth_token got;

    assert_int_equal(verify(f, token, NOW, &got), RC_OK);
    assert_int_equal(
        auth_token_cache_verify(f->cache, f->other, &wanted, token, &f->arena, &got, NULL),
        RC_UNAUTHENTICATED);
}

static void what_did_not_verify_is_not_remembered(void **state)
{
    struct fixture *f = *state;
    struct str token = mint(f, "repository:a:pull"), forged = arena_copy(&f->arena, token);
    struct auth_token got;
    char *last = (char *)forged.ptr + forged.len - 2;

    *last = *last == 'A' ? 'B' : 'A';
    assert_int_equal(verify(f, token, NOW, &got), RC_OK);
    assert_int_equal(verify(f, forged, NOW, &got), RC_UNAUTHENTICATED);
    assert_int_equal(verify(f, forged, NOW, &got), RC_UNAUTHENTICATED);
    assert_int_equal(verify(f, str_take(token, token.len - 1), NOW, &got), RC_UNAUTHENTICATED);
}

static void many_tokens_push_each_other_out_and_all_verify(void **state)
{
    struct fixture *f = *state;
    struct str first = mint(f, "repository:first:pull");
    struct auth_token got;

    for (int i = 0; i < 3000; i++) {
        CLEANUP(buf_done) struct buf scope = BUF_INIT(64);

        buf_addf(&scope, "repository:r%d:pull", i);
        assert_int_equal(verify(f, mint(f, buf_cstr(&scope)), NOW, &got), RC_OK);
        assert_int_equal(verify(f, first, NOW, &got), RC_OK);
        assert_true(auth_scopes_allow(&got.scopes, STR("first"), AUTH_PULL));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_says_the_same_the_second_time),
        CASE(a_remembered_token_ends_at_its_time),
        CASE(a_remembered_token_is_nothing_to_another_registry_or_kind),
        CASE(a_replaced_key_ends_what_it_signed),
        CASE(what_did_not_verify_is_not_remembered),
        CASE(many_tokens_push_each_other_out_and_all_verify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
