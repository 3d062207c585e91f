/* Who may do what, once the gate has let the client in. */
#include "base/clock.h"
#include "server.h"
#include "tokens.h"

#define ADMIN_BASIC                                                                                \
    "Authorization: Basic MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMGQxOnNlY3JldA==\r\n"
#define OPEN_ADMIN "{\"adminUserEnabled\":true,\"networkRuleSet\":{\"defaultAction\":\"Allow\"}}"
#define OPEN_ANONYMOUS                                                                             \
    "{\"anonymousPullEnabled\":true,\"networkRuleSet\":{\"defaultAction\":\"Allow\"}}"
#define REALM "Bearer realm=\"http://" HOST_ONE "/oauth2/token\",service=\"one.registry.test:5443\""

static void reconfigure(struct admit_server *s, const char *properties)
{
    put(&s->i, REGISTRY_TYPE, "one", ONE, properties);
}

static void expect(struct admit_server *s, const char *line, const char *fields, unsigned status)
{
    struct answer a = ask(s, DOOR_MAIN, line, HOST_ONE, fields);

    if (a.status != status)
        fail_msg("%s with %s: %u, not %u", line, fields, a.status, status);
    answer_done(&a);
}

static void expect_challenge(struct admit_server *s, const char *line, const char *fields,
                             const char *challenge)
{
    struct answer a = ask(s, DOOR_MAIN, line, HOST_ONE, fields);

    assert_int_equal(a.status, 401);
    assert_str(answer_field(&a, "WWW-Authenticate"), challenge);
    answer_done(&a);
}

static void who_does_not_say_is_challenged_for_what_is_needed(void **state)
{
    struct admit_server *s = *state;

    reconfigure(s, OPEN);
    expect_challenge(s, "GET /v2/", "", REALM);
    expect_challenge(s, "GET /v2/_catalog", "", REALM ",scope=\"registry:catalog:*\"");
    expect_challenge(s, "GET /v2/a/b/manifests/c", "", REALM ",scope=\"repository:a/b:pull\"");
    expect_challenge(s, "PUT /v2/a/b/manifests/c", "", REALM ",scope=\"repository:a/b:pull,push\"");
    expect_challenge(s, "POST /v2/a/b/blobs/uploads/?mount=sha256:1&from=c%2Fd", "",
                     REALM ",scope=\"repository:a/b:pull,push repository:c/d:pull\"");
    expect_challenge(s, "POST /v2/a/b/blobs/uploads/?mount=sha256:1", "",
                     REALM ",scope=\"repository:a/b:pull,push\"");
    expect_challenge(s, "POST /v2/a/b/blobs/uploads/?mount=sha256:1&from=%22,x=%22", "",
                     REALM ",scope=\"repository:a/b:pull,push\"");
    expect_challenge(s, "GET /v2/", "Authorization: Digest x\r\n", REALM);
    expect_challenge(s, "GET /v2/%22,x=%22/manifests/c", "", REALM);
    expect(s, "GET /oauth2/token", "", 200);
}

static enum rc put_passwords(struct meta_tx *tx, struct snapshot_change *c, void *arg,
                             struct err *e)
{
    struct meta_registry_secret secret = {.registry = uuid_of(ONE),
                                          .slot = 1,
                                          .sealed = STR("x"),
                                          .hash = crypto_secret_hash(STR("word")),
                                          .generation = *(int64_t *)arg};

    snapshot_touch_registry(c, &secret.registry);
    return meta_registry_secret_put(tx, &secret, e);
}

static void the_admin_user_pulls_and_pushes_by_password(void **state)
{
    static const char good[] = "Authorization: Basic T05FOndvcmQ=\r\n",
                      bad[] = "Authorization: Basic b25lOndvcmQy\r\n";
    struct admit_server *s = *state;
    int64_t generation = 1;

    reconfigure(s, OPEN_ADMIN);
    assert_int_equal(snapshot_change(s->i.hub, put_passwords, &generation, NULL), RC_OK);
    expect(s, "GET /v2/", good, 200);
    expect(s, "GET /v2/_catalog", good, 200);
    expect(s, "PUT /v2/a/manifests/b", good, 201);
    expect(s, "GET /v2/", bad, 401);
    reconfigure(s, OPEN);
    expect(s, "GET /v2/", good, 401); /* the admin user is off */
}

static void too_many_wrong_passwords_are_answered_429(void **state)
{
    static const char bad[] = "Authorization: Basic b25lOndvcmQy\r\n";
    struct admit_server *s = *state;

    reconfigure(s, OPEN_ADMIN);
    for (int i = 0; i < 10; i++)
        expect(s, "GET /v2/", bad, 401);
    expect(s, "GET /v2/", bad, 429);
    expect(s, "GET /v2/", ADMIN_BASIC, 200); /* another account */
}

static void anonymous_pull_lets_pull_and_nothing_else(void **state)
{
    struct admit_server *s = *state;

    reconfigure(s, OPEN_ANONYMOUS);
    expect(s, "GET /v2/a/manifests/b", "", 200);
    expect(s, "PUT /v2/a/manifests/b", "", 401);
    expect(s, "GET /v2/_catalog", "", 401);
    expect_challenge(s, "GET /v2/", "", REALM); /* clients learn here where tokens are */
    reconfigure(s, OPEN);
    expect(s, "GET /v2/a/manifests/b", "", 401);
}

/* --- tokens --- */

static void a_token_may_what_its_scopes_say_at_its_own_registry(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = registry_token(ONE, "repository:a/b:pull");
    const char *pull = bearer(s, &a, &m);

    reconfigure(s, OPEN);
    expect(s, "GET /v2/", pull, 200);
    expect(s, "GET /v2/a/b/manifests/c", pull, 200);
    expect(s, "GET /v2/a/manifests/c", pull, 401);
    expect(s, "GET /v2/_catalog", pull, 401);
    expect_challenge(s, "PUT /v2/a/b/manifests/c", pull,
                     REALM ",scope=\"repository:a/b:pull,push\"");
    m = registry_token(TWO, "repository:a/b:pull");
    expect(s, "GET /v2/a/b/manifests/c", bearer(s, &a, &m), 401);
    m = registry_token(ONE, "repository:a/b:pull");
    m.token.kind = AUTH_TOKEN_REFRESH;
    expect(s, "GET /v2/a/b/manifests/c", bearer(s, &a, &m), 401);
}

static void tags_are_listed_for_who_may_pull_or_read_metadata(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = registry_token(ONE, "repository:a/b:metadata_read");
    const char *reads = bearer(s, &a, &m);

    reconfigure(s, OPEN);
    expect(s, "GET /v2/a/b/tags/list", reads, 200);
    expect(s, "GET /v2/a/b/manifests/c", reads, 401);
    expect(s, "GET /v2/a/tags/list", reads, 401);
    m = registry_token(ONE, "repository:a/b:pull");
    expect(s, "GET /v2/a/b/tags/list", bearer(s, &a, &m), 200);
    m = registry_token(ONE, "repository:a/b:push,delete,metadata_write");
    expect(s, "GET /v2/a/b/tags/list", bearer(s, &a, &m), 401);
    expect_challenge(s, "GET /v2/a/b/tags/list", "", REALM ",scope=\"repository:a/b:pull\"");
}

static enum rc put_generation(struct meta_tx *tx, struct snapshot_change *c, void *arg,
                              struct err *e)
{
    const struct meta_principal p = {.object_id = uuid_of(ADMIN_OBJECT),
                                     .app_id = uuid_of(ADMIN_APP),
                                     .name = STR("admin"),
                                     .generation = *(int64_t *)arg,
                                     .enabled = true,
                                     .administrator = true};

    snapshot_touch_identity(c);
    return meta_principal_put(tx, &p, e);
}

static void a_renewed_credential_ends_its_tokens_at_once(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = registry_token(ONE, "repository:a:pull");
    const char *token = bearer(s, &a, &m);
    int64_t generation = 2;
    struct client c;

    reconfigure(s, OPEN);
    client_open(&c, &s->ports[DOOR_MAIN]);
    struct answer answer = ask_on(&c, "GET /v2/a/manifests/b", HOST_ONE, token);

    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    assert_int_equal(snapshot_change(s->i.hub, put_generation, &generation, NULL), RC_OK);
    answer = ask_on(&c, "GET /v2/a/manifests/b", HOST_ONE, token);
    assert_int_equal(answer.status, 401);
    answer_done(&answer);
    client_close(&c);
}

static void a_push_whose_credential_was_renewed_meanwhile_does_not_commit(void **state)
{
    struct admit_server *s = *state;
    int64_t generation = 2;
    struct client c;

    reconfigure(s, OPEN);
    push_begin(s, &c, DOOR_MAIN, ADMIN_BASIC);
    assert_int_equal(snapshot_change(s->i.hub, put_generation, &generation, NULL), RC_OK);
    push_is_refused(s, &c, "the credential was renewed or disabled");
}

/* --- the control plane --- */

static void expect_control(struct admit_server *s, const char *line, const char *host,
                           const char *fields, unsigned status)
{
    struct answer a = ask(s, DOOR_CONTROL, line, host, fields);

    if (a.status != status)
        fail_msg("%s at %s: %u, not %u", line, host, a.status, status);
    answer_done(&a);
}

static void the_control_plane_answers_under_its_own_names_only(void **state)
{
    static const char *const ours[] = {"arm.registry.test", "ARM.registry.test:8443", "localhost",
                                       "127.0.0.1:8443", "control.test"};
    static const char *const others[] = {"one.registry.test", "registry.test", "127.0.0.2",
                                         "evil.example", "arm.registry.testx"};
    struct admit_server *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        expect_control(s, "GET /discovery", ours[i], "", 200);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        expect_control(s, "GET /discovery", others[i], "", 404);
    struct answer a = ask(s, DOOR_METRICS, "GET /healthz", "evil.example", "");

    assert_int_equal(a.status, 404);
    answer_done(&a);
    a = ask(s, DOOR_METRICS, "GET /healthz", "localhost", "");
    assert_int_equal(a.status, 200);
    answer_done(&a);
}

static void the_control_plane_wants_a_token_of_its_own(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = identity_token(ADMIN_OBJECT, "http://localhost:8443/");

    expect_control(s, "GET /subscriptions", "localhost", "", 401);
    expect_control(s, "GET /subscriptions", "localhost", ADMIN_BASIC, 401);
    expect_control(s, "GET /subscriptions", "localhost", bearer(s, &a, &m), 200);
    m = identity_token(ADMIN_OBJECT, "http://localhost:8443");
    expect_control(s, "GET /subscriptions", "localhost", bearer(s, &a, &m), 200);
    m = identity_token(PLAIN_OBJECT, "http://localhost:8443");
    expect_control(s, "GET /subscriptions", "localhost", bearer(s, &a, &m), 200); /* none of them */
    expect_control(s, "PUT " GROUP, "localhost", bearer(s, &a, &m), 403);
    m = identity_token(ADMIN_OBJECT, "https://containerregistry.azure.net");
    expect_control(s, "GET /subscriptions", "localhost", bearer(s, &a, &m), 401);
    m = identity_token(ADMIN_OBJECT, "http://localhost:8443");
    m.identity.tenant = uuid_of(ONE);
    expect_control(s, "GET /subscriptions", "localhost", bearer(s, &a, &m), 401);
    m = identity_token(ADMIN_OBJECT, "http://localhost:8443");
    m.identity.generation = CREDENTIAL(9);
    expect_control(s, "GET /subscriptions", "localhost", bearer(s, &a, &m), 401);
    m = registry_token(ONE, "repository:a:pull");
    expect_control(s, "GET /subscriptions", "localhost", bearer(s, &a, &m), 401);
}

static bool asks_for_a_newer_token(struct admit_server *s, const char *fields)
{
    static const struct str words = {"error=\"insufficient_claims\", claims=\"", 37};
    struct answer answer = ask(s, DOOR_CONTROL, "GET /subscriptions", "localhost", fields);
    struct str field = answer_field(&answer, "WWW-Authenticate");
    bool newer = memmem(field.ptr, field.len, words.ptr, words.len) != NULL;

    assert_int_equal(answer.status, 401);
    assert_true(newer ? str_starts(field, STR("Bearer ")) : str_is(field, "Bearer"));
    answer_done(&answer);
    return newer;
}

static void who_lost_a_credential_is_asked_for_a_newer_token_and_nobody_else(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = identity_token(ADMIN_OBJECT, "http://localhost:8443");

    assert_false(asks_for_a_newer_token(s, ""));
    assert_false(asks_for_a_newer_token(s, "Authorization: Bearer x\r\n"));
    m.identity.generation = CREDENTIAL(9);
    assert_true(asks_for_a_newer_token(s, bearer(s, &a, &m)));
    m = identity_token(ADMIN_OBJECT, "https://containerregistry.azure.net");
    m.identity.generation = CREDENTIAL(9);
    assert_false(asks_for_a_newer_token(s, bearer(s, &a, &m)));
}

static void an_identity_token_opens_no_registry(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = identity_token(ADMIN_OBJECT, "https://containerregistry.azure.net");

    reconfigure(s, OPEN);
    expect(s, "GET /v2/a/manifests/b", bearer(s, &a, &m), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(who_does_not_say_is_challenged_for_what_is_needed),
        SERVER_TEST(the_admin_user_pulls_and_pushes_by_password),
        SERVER_TEST(too_many_wrong_passwords_are_answered_429),
        SERVER_TEST(anonymous_pull_lets_pull_and_nothing_else),
        SERVER_TEST(a_token_may_what_its_scopes_say_at_its_own_registry),
        SERVER_TEST(tags_are_listed_for_who_may_pull_or_read_metadata),
        SERVER_TEST(a_renewed_credential_ends_its_tokens_at_once),
        SERVER_TEST(a_push_whose_credential_was_renewed_meanwhile_does_not_commit),
        SERVER_TEST(the_control_plane_answers_under_its_own_names_only),
        SERVER_TEST(the_control_plane_wants_a_token_of_its_own),
        SERVER_TEST(who_lost_a_credential_is_asked_for_a_newer_token_and_nobody_else),
        SERVER_TEST(an_identity_token_opens_no_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
