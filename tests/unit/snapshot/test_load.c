/* The first snapshot has what is stored. */
#include "snapshot/installation.h"

#define ONE "00000000-0000-4000-8000-000000000001"
#define TWO "00000000-0000-4000-8000-000000000002"

static const struct snapshot *first(struct installation *i)
{
    installation_hub(i);
    return snapshot_current(i->hub, i->loops[0]);
}

static void a_registry_is_found_by_each_of_its_names(void **state)
{
    struct installation i;
    struct uuid one = uuid_of(ONE);

    (void)state;
    installation_new(&i, 1);
    store(&i, REGISTRY_TYPE, "MyRegistry", ONE, "{\"loginServer\":\"My.Example\"}");
    store(&i, REGISTRY_TYPE, "second", TWO, "{}");
    const struct snapshot *s = first(&i);
    const struct snapshot_registry *r = snapshot_by_host(s, STR("my.example"));

    assert_non_null(r);
    assert_str(r->name, "MyRegistry");
    assert_str(r->login_host, "my.example");
    assert_true(uuid_eq(&r->uuid, &one));
    assert_ptr_equal(snapshot_by_host(s, STR("MY.example")), r);
    assert_ptr_equal(snapshot_by_name(s, STR("myregistry")), r);
    assert_ptr_equal(snapshot_by_uuid(s, &one), r);
    assert_null(snapshot_by_host(s, STR("my.example.")));
    assert_null(snapshot_by_name(s, STR("none")));
    assert_str(snapshot_by_name(s, STR("second"))->login_host, "second.registry.test");
    installation_free(&i);
}

static void settings_of_a_registry_are_read(void **state)
{
    struct installation i;
    struct origin o = {.kind = ORIGIN_PUBLIC, .ip = {.family = 4, .bytes = {192, 0, 2, 1}}};

    (void)state;
    installation_new(&i, 1);
    store(&i, REGISTRY_TYPE, "one", ONE, CLOSED);
    store(&i, REGISTRY_TYPE, "two", TWO,
          "{\"adminUserEnabled\":true,\"anonymousPullEnabled\":true,"
          "\"policies\":{\"azureADAuthenticationAsArmPolicy\":{\"status\":\"disabled\"}}}");
    const struct snapshot *s = first(&i);
    const struct snapshot_registry *one = snapshot_by_name(s, STR("one")),
                                   *two = snapshot_by_name(s, STR("two"));

    assert_false(one->admin_user || one->anonymous_pull);
    assert_true(one->arm_audience);
    assert_true(two->admin_user && two->anonymous_pull);
    assert_false(two->arm_audience);
    assert_false(gate_decide(one->gate, &o).allow);
    assert_true(gate_decide(two->gate, &o).allow);
    installation_free(&i);
}

static enum rc put_secret(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct meta_registry_secret s = {.registry = uuid_of(arg),
                                           .slot = 1,
                                           .sealed = STR("x"),
                                           .hash = crypto_secret_hash(STR("word")),
                                           .generation = 5};

    return meta_registry_secret_put(tx, &s, e);
}

static void admin_passwords_belong_to_their_registry(void **state)
{
    struct installation i;
    struct digest want = crypto_secret_hash(STR("word"));
    struct uuid key = {{1}};

    (void)state;
    installation_new(&i, 1);
    store(&i, REGISTRY_TYPE, "one", ONE, OPEN);
    store(&i, REGISTRY_TYPE, "two", TWO, OPEN);
    assert_int_equal(meta_write(i.meta, &key, put_secret, (void *)(uintptr_t)TWO, NULL), RC_OK);
    const struct snapshot *s = first(&i);

    assert_true(digest_eq(&snapshot_by_name(s, STR("two"))->admin_password[1], &want));
    assert_int_equal(snapshot_by_name(s, STR("two"))->admin_generation[1], 5);
    assert_false(digest_is_set(&snapshot_by_name(s, STR("two"))->admin_password[0]));
    assert_false(digest_is_set(&snapshot_by_name(s, STR("one"))->admin_password[1]));
    installation_free(&i);
}

static void the_installation_knows_itself_and_its_people(void **state)
{
    struct installation i;
    struct uuid app = uuid_of(ADMIN_APP), object = uuid_of(PLAIN_OBJECT), tenant = uuid_of(TENANT),
                nobody = uuid_of(ONE);

    (void)state;
    installation_new(&i, 1);
    const struct snapshot *s = first(&i);

    assert_true(uuid_eq(&s->identity->tenant, &tenant));
    assert_int_equal(s->identity->n_identity_keys, 1);
    assert_non_null(s->identity->token_key);
    assert_true(snapshot_principal_by_app(s, &app)->administrator);
    assert_str(snapshot_principal_by_app(s, &app)->name, "admin");
    assert_false(snapshot_principal_by_object(s, &object)->administrator);
    assert_null(snapshot_principal_by_app(s, &object));
    assert_null(snapshot_principal_by_object(s, &nobody));
    installation_free(&i);
}

static enum rc put_users(struct meta_tx *tx, void *arg, struct err *e)
{
    static const char *const upns[] = {"b@x.test", "A@x.test", "ab@x.test"};

    (void)arg;
    for (uint8_t i = 0; i < ARRAY_LEN(upns); i++) {
        const struct meta_principal p = {.kind = META_USER,
                                         .object_id = {{(uint8_t)(i + 1)}},
                                         .upn = str_from(upns[i]),
                                         .enabled = true};

        assert_int_equal(meta_principal_put(tx, &p, e), RC_OK);
    }
    return RC_OK;
}

static void a_user_is_found_by_its_name_and_an_app_has_its_own_secrets(void **state)
{
    struct installation i;
    struct uuid app = uuid_of(PLAIN_APP), nil = {{0}};
    struct digest secret = crypto_secret_hash(STR("secret"));

    (void)state;
    installation_new(&i, 1);
    assert_int_equal(meta_write(i.meta, &nil, put_users, NULL, NULL), RC_OK);
    const struct snapshot *s = first(&i);
    const struct snapshot_principal *p = snapshot_principal_by_upn(s, STR("a@X.test"));

    assert_non_null(p);
    assert_str(p->upn, "A@x.test");
    assert_int_equal(p->object_id.bytes[0], 2);
    assert_int_equal(p->n_secrets, 0);
    assert_null(snapshot_principal_by_upn(s, STR("a@x.tes")));
    assert_null(snapshot_principal_by_upn(s, STR("")));
    assert_null(snapshot_principal_by_app(s, &nil));
    p = snapshot_principal_by_app(s, &app);
    assert_int_equal(p->n_secrets, 1);
    assert_true(digest_eq(&p->secrets[0].hash, &secret));
    installation_free(&i);
}

static void the_default_registry_is_found_when_it_is_there(void **state)
{
    struct installation i;

    (void)state;
    installation_new(&i, 1);
    i.default_registry = STR("One");
    store(&i, REGISTRY_TYPE, "one", ONE, OPEN);
    const struct snapshot *s = first(&i);

    assert_ptr_equal(s->default_registry, snapshot_by_name(s, STR("one")));
    installation_free(&i);
}

static void a_registry_that_is_not_understood_is_left_out(void **state)
{
    struct installation i;

    (void)state;
    installation_new(&i, 1);
    store(&i, REGISTRY_TYPE, "bad", ONE, "{\"networkRuleSet\":{\"defaultAction\":\"Perhaps\"}}");
    store(&i, REGISTRY_TYPE, "good", TWO, OPEN);
    const struct snapshot *s = first(&i);

    assert_null(snapshot_by_name(s, STR("bad")));
    assert_non_null(snapshot_by_name(s, STR("good")));
    installation_free(&i);
}

static void another_seal_opens_nothing(void **state)
{
    struct installation i;
    struct err e = {0};

    (void)state;
    installation_new(&i, 0);
    i.seal.bytes[0] ^= 1;
    assert_int_equal(installation_try_hub(&i, &e), RC_CORRUPT);
    assert_null(i.hub);
    installation_free(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registry_is_found_by_each_of_its_names),
        cmocka_unit_test(settings_of_a_registry_are_read),
        cmocka_unit_test(admin_passwords_belong_to_their_registry),
        cmocka_unit_test(the_installation_knows_itself_and_its_people),
        cmocka_unit_test(a_user_is_found_by_its_name_and_an_app_has_its_own_secrets),
        cmocka_unit_test(the_default_registry_is_found_when_it_is_there),
        cmocka_unit_test(a_registry_that_is_not_understood_is_left_out),
        cmocka_unit_test(another_seal_opens_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
