/* What roles open, in both planes, and that what they opened ends with them. */
#include "base/clock.h"
#include "tokens.h"

#define PLAIN_BASIC                                                                                \
    "Authorization: Basic MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMGQzOnNlY3JldA==\r\n"
#define ASSIGNMENT "Microsoft.Authorization/roleAssignments"
#define REGISTRIES GROUP "/providers/" REGISTRY_TYPE
#define REGISTRY   REGISTRIES "/one"

struct giving {
    const char *role, *scope; /* role NULL: it is taken away */
};

static enum rc give(struct meta_tx *tx, struct snapshot_change *c, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    const struct giving *g = arg;
    struct meta_resource r = {
        .id = arena_printf(&a, "%s/providers/" ASSIGNMENT "/x", g->scope),
        .type = STR(ASSIGNMENT),
    };

    snapshot_touch_roles(c);
    if (!g->role)
        return meta_resource_delete(tx, r.id, e);
    r.body = arena_printf(&a,
                          "{\"properties\":{\"principalId\":\"" PLAIN_OBJECT
                          "\",\"roleDefinitionId\":\"%s\",\"scope\":\"%s\"}}",
                          auth_role_by_name(str_from(g->role))->id, g->scope);
    return meta_resource_put(tx, &a, &r, e);
}

/* To the principal that is no administrator; role NULL: takes away. */
static void role(struct admit_server *s, const char *name, const char *scope)
{
    struct giving g = {name, scope};
    struct err e = {0};

    must(snapshot_change(s->i.hub, give, &g, &e), &e);
}

static void expect(struct admit_server *s, const char *line, const char *fields, unsigned status)
{
    struct answer a = ask(s, DOOR_MAIN, line, HOST_ONE, fields);

    if (a.status != status)
        fail_msg("%s: %u, not %u", line, a.status, status);
    answer_done(&a);
}

static void open_registry(struct admit_server *s)
{
    put(&s->i, REGISTRY_TYPE, "one", ONE, OPEN);
}

/* --- data plane --- */

static void a_role_opens_a_registry_as_far_as_it_goes(void **state)
{
    static const struct {
        const char *role;
        unsigned pull, push, catalog;
    } cases[] = {
        {"AcrPull", 200, 401, 200},
        {"Reader", 200, 401, 200},
        {"AcrPush", 200, 201, 200},
        {"Contributor", 200, 201, 200},
        {"Owner", 200, 201, 200},
        {"AcrDelete", 401, 401, 401},
        {"Network Contributor", 401, 401, 401},
    };
    struct admit_server *s = *state;

    open_registry(s);
    expect(s, "GET /v2/a/manifests/b", PLAIN_BASIC, 401);
    expect(s, "GET /v2/", PLAIN_BASIC, 200); /* known, and that is all */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        role(s, cases[i].role, REGISTRY);
        expect(s, "GET /v2/a/manifests/b", PLAIN_BASIC, cases[i].pull);
        expect(s, "PUT /v2/a/manifests/b", PLAIN_BASIC, cases[i].push);
        expect(s, "GET /v2/_catalog", PLAIN_BASIC, cases[i].catalog);
        role(s, NULL, REGISTRY);
    }
    expect(s, "GET /v2/a/manifests/b", PLAIN_BASIC, 401);
}

static void a_role_holds_for_what_is_inside_of_its_scope_and_nothing_beside(void **state)
{
    static const char *const holds[] = {"", "/subscriptions/s", GROUP, REGISTRY,
                                        "/SUBSCRIPTIONS/S/resourcegroups/G"};
    static const char *const beside[] = {"/subscriptions/s2", GROUP "2", REGISTRIES "/two",
                                         REGISTRIES "/on", REGISTRY "/tokens/t"};
    struct admit_server *s = *state;

    open_registry(s);
    for (size_t i = 0; i < ARRAY_LEN(holds); i++) {
        struct giving root = {"AcrPull", holds[i][0] ? holds[i] : "/"};

        role(s, root.role, root.scope);
        expect(s, "GET /v2/a/manifests/b", PLAIN_BASIC, 200);
        role(s, NULL, root.scope);
    }
    for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
        role(s, "AcrPull", beside[i]);
        expect(s, "GET /v2/a/manifests/b", PLAIN_BASIC, 401);
    }
}

static struct minting plain_token(const char *scope)
{
    struct minting m = registry_token(ONE, scope);

    m.token.principal.object_id = uuid_of(PLAIN_OBJECT);
    m.token.principal.app_id = uuid_of(PLAIN_APP);
    return m;
}

static void a_token_that_was_issued_ends_with_the_role_behind_it(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = plain_token("repository:a:pull,push");
    const char *token = bearer(s, &a, &m);

    open_registry(s);
    role(s, "AcrPush", REGISTRY);
    expect(s, "PUT /v2/a/manifests/b", token, 201);
    role(s, "AcrPull", REGISTRY); /* the same assignment, smaller */
    expect(s, "PUT /v2/a/manifests/b", token, 401);
    expect(s, "GET /v2/a/manifests/b", token, 200);
    role(s, NULL, REGISTRY);
    expect(s, "GET /v2/a/manifests/b", token, 401);
    role(s, "Owner", REGISTRY); /* a token never gives more than it was issued for */
    expect(s, "GET /v2/_catalog", token, 401);
}

static void a_push_whose_role_was_taken_away_meanwhile_does_not_commit(void **state)
{
    struct admit_server *s = *state;
    struct client c;

    open_registry(s);
    role(s, "AcrPush", REGISTRY);
    push_begin(s, &c, DOOR_MAIN, PLAIN_BASIC);
    role(s, "AcrPull", REGISTRY);
    push_is_refused(s, &c, "the role that allowed this was taken away");
}

/* --- control plane --- */

static void expect_control(struct admit_server *s, const char *line, unsigned status)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct minting m = identity_token(PLAIN_OBJECT, "http://localhost:8443");
    struct answer got = ask(s, DOOR_CONTROL, line, "localhost", bearer(s, &a, &m));

    if (got.status != status)
        fail_msg("%s: %u, not %u", line, got.status, status);
    answer_done(&got);
}

static void an_action_is_allowed_over_the_resource_that_the_path_is_about(void **state)
{
    struct admit_server *s = *state;

    expect_control(s, "GET " GROUP, 403);
    role(s, "Contributor", GROUP);
    expect_control(s, "GET " GROUP, 200);
    expect_control(s, "PUT " GROUP, 200);
    expect_control(s, "PUT /subscriptions//s/resourcegroups/G", 200);
    expect_control(s, "PUT /subscriptions/s/resourceGroups/other", 403);
    expect_control(s, "POST " REGISTRY "/listCredentials", 200);
    role(s, "Reader", GROUP);
    expect_control(s, "GET " GROUP, 200);
    expect_control(s, "PUT " GROUP, 403);
    expect_control(s, "POST " REGISTRY "/listCredentials", 403);
}

static void a_segment_that_hides_a_slash_is_judged_by_what_stands_before_it(void **state)
{
    struct admit_server *s = *state;

    role(s, "Owner", GROUP);
    expect_control(s, "PUT /subscriptions/s/resourceGroups/g%2Fx", 403);
    expect_control(s, "PUT /subscriptions/s%2FresourceGroups%2Fg/resourceGroups/x", 403);
    expect_control(s, "PUT /subscriptions/s/resourceGroups/%67", 200);
}

static void who_has_any_role_in_a_subscription_sees_it(void **state)
{
    struct admit_server *s = *state;

    expect_control(s, "GET /subscriptions", 200); /* a list of none */
    expect_control(s, "GET /subscriptions/s", 403);
    role(s, "AcrPull", REGISTRY);
    expect_control(s, "GET /subscriptions/s", 200);
    expect_control(s, "GET /subscriptions/t", 403);
    expect_control(s, "GET " REGISTRIES, 403); /* it gives nothing to see there */
}

static void who_may_see_some_of_a_group_gets_its_lists_and_of_a_resource_none(void **state)
{
    struct admit_server *s = *state;

    role(s, "Reader", REGISTRY);
    expect_control(s, "GET " REGISTRIES, 200);
    expect_control(s, "GET /subscriptions/s/resourceGroups/h/providers/" REGISTRY_TYPE, 403);
    role(s, NULL, REGISTRY);
    role(s, "Reader", REGISTRY "/tokens/t");
    expect_control(s, "GET " REGISTRY "/parts", 403);
}

static void the_servers_own_things_are_written_by_its_administrator_alone(void **state)
{
    struct admit_server *s = *state;

    role(s, "Owner", "/");
    expect_control(s, "PUT " GROUP, 200);
    expect_control(s, "PUT /providers/Kidoban.Network/attachments/a", 403);
}

static void a_refusal_names_the_client_the_action_and_the_scope(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct admit_server *s = *state;
    struct minting m = identity_token(PLAIN_OBJECT, "http://localhost:8443");
    struct answer got = ask(s, DOOR_CONTROL, "PUT " GROUP, "localhost", bearer(s, &a, &m));

    assert_int_equal(got.status, 403);
    assert_str(buf_str(&got.body),
               "AuthorizationFailed: The client '" PLAIN_APP "' with object id '" PLAIN_OBJECT
               "' does not have authorization to perform action "
               "'Microsoft.Resources/subscriptions/resourceGroups/write' over scope '" GROUP
               "' or the scope is invalid. If access was recently granted, please refresh your "
               "credentials.");
    answer_done(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_role_opens_a_registry_as_far_as_it_goes),
        SERVER_TEST(a_role_holds_for_what_is_inside_of_its_scope_and_nothing_beside),
        SERVER_TEST(a_token_that_was_issued_ends_with_the_role_behind_it),
        SERVER_TEST(a_push_whose_role_was_taken_away_meanwhile_does_not_commit),
        SERVER_TEST(an_action_is_allowed_over_the_resource_that_the_path_is_about),
        SERVER_TEST(a_segment_that_hides_a_slash_is_judged_by_what_stands_before_it),
        SERVER_TEST(who_has_any_role_in_a_subscription_sees_it),
        SERVER_TEST(who_may_see_some_of_a_group_gets_its_lists_and_of_a_resource_none),
        SERVER_TEST(the_servers_own_things_are_written_by_its_administrator_alone),
        SERVER_TEST(a_refusal_names_the_client_the_action_and_the_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
