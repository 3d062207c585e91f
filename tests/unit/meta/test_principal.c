/* Users, service principals, their secrets, the keys that sign tokens. */
#include "fixture.h"

#include "base/buf.h"
#include "meta/principal.h"

static void in_write(void **state, meta_fn *fn)
{
    struct meta_fixture *f = *state;

    assert_int_equal(meta_write(f->meta, &(struct uuid){{1}}, fn, f, NULL), RC_OK);
}

static struct meta_principal user(uint8_t id, const char *upn)
{
    return (struct meta_principal){.kind = META_USER,
                                   .object_id = {{id}},
                                   .name = STR("Somebody"),
                                   .upn = str_from(upn),
                                   .password = STR("scrypt:..."),
                                   .generation = 3,
                                   .created_us = 4,
                                   .enabled = true};
}

static enum rc users(struct meta_tx *tx, void *arg, struct err *e)
{
    struct meta_principal one = user(1, "One@Example.com"), two = user(2, "two@example.com"), got;
    struct meta_fixture *f = arg;

    (void)e;
    assert_int_equal(meta_principal_put(tx, &one, NULL), RC_OK);
    assert_int_equal(meta_principal_put(tx, &two, NULL), RC_OK); /* neither has an app id */
    assert_int_equal(meta_principal_get(tx, &f->arena, &one.object_id, &got, NULL), RC_OK);
    assert_int_equal(got.kind, META_USER);
    assert_str(got.upn, "One@Example.com");
    assert_str(got.name, "Somebody");
    assert_str(got.password, "scrypt:...");
    assert_int_equal(got.generation, 3);
    assert_int_equal(got.created_us, 4);
    assert_true(uuid_is_nil(&got.app_id));
    two.upn = STR("ONE@example.COM");
    assert_int_equal(meta_principal_put(tx, &two, NULL), RC_EXISTS);
    assert_int_equal(meta_principal_delete(tx, &one.object_id, NULL), RC_OK);
    assert_int_equal(meta_principal_put(tx, &two, NULL), RC_OK);
    assert_int_equal(meta_principal_get(tx, &f->arena, &one.object_id, &got, NULL), RC_NOT_FOUND);
    assert_int_equal(meta_principal_delete(tx, &one.object_id, NULL), RC_NOT_FOUND);
    return RC_OK;
}

static void a_user_is_known_by_one_name_in_any_case(void **state)
{
    in_write(state, users);
}

static enum rc note_secret(const struct meta_secret *s, void *arg, struct err *e)
{
    struct buf *seen = arg;

    (void)e;
    buf_add(seen, s->name);
    buf_addc(seen, ',');
    return RC_OK;
}

static void add_secret(struct meta_tx *tx, uint8_t principal, uint8_t id, const char *name)
{
    const struct meta_secret s = {.id = {{id}},
                                  .principal = {{principal}},
                                  .name = str_from(name),
                                  .hash = {DIGEST_SHA256, {id}},
                                  .created_us = id};

    assert_int_equal(meta_secret_add(tx, &s, NULL), RC_OK);
}

static void expect_secrets(struct meta_tx *tx, const struct uuid *principal, const char *names)
{
    CLEANUP(buf_done) struct buf seen = BUF_INIT(100);

    assert_int_equal(meta_secret_each(tx, principal, note_secret, &seen, NULL), RC_OK);
    assert_str(buf_str(&seen), names);
}

static enum rc secrets(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct meta_principal app = {.object_id = {{1}}, .app_id = {{11}}};

    (void)arg;
    (void)e;
    assert_int_equal(meta_principal_put(tx, &app, NULL), RC_OK);
    add_secret(tx, 1, 6, "second");
    add_secret(tx, 1, 5, "first");
    add_secret(tx, 2, 7, "other");
    expect_secrets(tx, &(struct uuid){{1}}, "first,second,");
    expect_secrets(tx, NULL, "first,second,other,");
    assert_int_equal(meta_secret_delete(tx, &(struct uuid){{1}}, &(struct uuid){{7}}, NULL),
                     RC_NOT_FOUND);
    assert_int_equal(meta_secret_delete(tx, &(struct uuid){{1}}, &(struct uuid){{6}}, NULL), RC_OK);
    expect_secrets(tx, &(struct uuid){{1}}, "first,");
    assert_int_equal(meta_principal_delete(tx, &app.object_id, NULL), RC_OK);
    expect_secrets(tx, NULL, "other,");
    return RC_OK;
}

static void a_principals_secrets_go_one_by_one_and_with_it(void **state)
{
    in_write(state, secrets);
}

static enum rc note_key(const struct meta_identity_key *k, void *arg, struct err *e)
{
    (void)e;
    buf_add(arg, k->sealed);
    buf_addf(arg, "%d,", (int)k->retired_us);
    return RC_OK;
}

static enum rc keys(struct meta_tx *tx, void *arg, struct err *e)
{
    static const char *const names[] = {"a", "b", "c"};
    CLEANUP(buf_done) struct buf seen = BUF_INIT(100);
    uint64_t n = 0;

    (void)arg;
    (void)e;
    for (uint8_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct meta_identity_key k = {
            .id = {{i}}, .sealed = str_from(names[i]), .created_us = 10 * (i + 1)};

        assert_int_equal(meta_identity_key_add(tx, &k, NULL), RC_OK);
    }
    assert_int_equal(meta_identity_key_each(tx, note_key, &seen, NULL), RC_OK);
    assert_str(buf_str(&seen), "c0,b30,a20,");
    assert_int_equal(meta_identity_key_forget(tx, 30, &n, NULL), RC_OK);
    assert_int_equal(n, 1);
    buf_clear(&seen);
    assert_int_equal(meta_identity_key_each(tx, note_key, &seen, NULL), RC_OK);
    assert_str(buf_str(&seen), "c0,b30,");
    return RC_OK;
}

static void the_newest_key_signs_and_old_ones_are_forgotten(void **state)
{
    in_write(state, keys);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, meta_setup, meta_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_user_is_known_by_one_name_in_any_case),
        CASE(a_principals_secrets_go_one_by_one_and_with_it),
        CASE(the_newest_key_signs_and_old_ones_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
