/* Role assignments and definitions, as clients of the control plane see them, and what they open
 * there. */
#include "fixture.h"

#define OTHER       "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000aa"
#define LOCAL       "{\"location\":\"local\"}"
#define ROLES       "/providers/Microsoft.Authorization/roleAssignments"
#define DEFINITIONS "/providers/Microsoft.Authorization/roleDefinitions"
#define NAME        "/0a000000-0000-4000-8000-000000000001"
#define NAME_2      "/0a000000-0000-4000-8000-000000000002"
#define READER      "acdd72a7-3385-48ef-bd42-f606fba81ae7"
#define CONTRIBUTOR "b24988ac-6180-42a0-ab88-20f7382dd24c"
#define OWNER       "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#define NETWORK     "4d97b98b-1d4f-4787-a291-c67834d212e7"
#define PULL        "7f951dda-4ed3-4680-a7ca-43fe172d538d"
#define GIVES(role, principal)                                                                     \
    "{\"properties\":{\"roleDefinitionId\":\"" S DEFINITIONS "/" role                              \
    "\",\"principalId\":\"" principal "\",\"principalType\":\"ServicePrincipal\"}}"

static void assert_error(struct control *c, const char *code)
{
    assert_str(answer_text(c, "error.code"), code);
    assert_true(answer_text(c, "error.message").len > 0);
}

static size_t listed(struct control *c, const char *target)
{
    assert_int_equal(control(c, "GET", target, NULL), 200);
    return json_len(json_get(c->answer, "value"));
}

static unsigned as_stranger(struct control *c, const char *method, const char *target,
                            const char *body)
{
    c->stranger = true;
    unsigned status = control(c, method, target, body);

    c->stranger = false;
    return status;
}

/* A group, a registry, a network with a subnet that has the endpoint; nobody has a role. */
static struct control *furnished(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(
        control(c, "PUT", REGISTRY, "{\"location\":\"local\",\"sku\":{\"name\":\"Premium\"}}"),
        201);
    assert_int_equal(
        control(
            c, "PUT", VNET,
            "{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":["
            "\"10.1.0.0/16\"]},\"subnets\":[{\"name\":\"a\",\"properties\":{\"addressPrefix\":"
            "\"10.1.0.0/24\",\"serviceEndpoints\":[{\"service\":\"Microsoft.ContainerRegistry\"}"
            "]}}]}}"),
        201);
    control_operations(c);
    return c;
}

static void give(struct control *c, const char *target, const char *body)
{
    unsigned status = control(c, "PUT", target, body);

    if (status != 201)
        fail_msg("%s: %u %.*s", target, status, STR_ARG(answer_text(c, "error.message")));
}

static void one_is_made_shown_listed_and_deleted(void **state)
{
    struct control *c = furnished(state);

    assert_int_equal(control(c, "PUT", REGISTRY ROLES NAME, GIVES(PULL, STRANGER)), 201);
    assert_str(answer_text(c, "id"), REGISTRY ROLES NAME);
    assert_str(answer_text(c, "type"), "Microsoft.Authorization/roleAssignments");
    assert_str(answer_text(c, "properties.scope"), REGISTRY);
    assert_str(answer_text(c, "properties.principalId"), STRANGER);
    assert_str(answer_text(c, "properties.principalType"), "ServicePrincipal");
    assert_str(answer_text(c, "properties.roleDefinitionId"), S DEFINITIONS "/" PULL);
    assert_int_equal(json_type(json_path(c->answer, "properties.createdBy")), JSON_NULL);
    assert_int_equal(control(c, "GET", REGISTRY ROLES NAME, NULL), 200);
    assert_str(answer_text(c, "properties.createdBy"), ADMINISTRATOR);
    assert_int_equal(listed(c, REGISTRY ROLES), 1);
    assert_int_equal(control(c, "DELETE", REGISTRY ROLES NAME, NULL), 200);
    assert_str(answer_text(c, "id"), REGISTRY ROLES NAME);
    assert_int_equal(control(c, "DELETE", REGISTRY ROLES NAME, NULL), 204);
    assert_int_equal(control(c, "GET", REGISTRY ROLES NAME, NULL), 404);
    assert_error(c, "RoleAssignmentNotFound");
    assert_int_equal(listed(c, REGISTRY ROLES), 0);
}

static void lists_show_what_is_above_and_inside_or_only_what_holds(void **state)
{
    struct control *c = furnished(state);

    give(c, ROLES NAME, GIVES(READER, STRANGER));
    give(c, S ROLES NAME, GIVES(PULL, STRANGER));
    give(c, G ROLES NAME, GIVES(NETWORK, ADMINISTRATOR));
    give(c, VNET "/subnets/a" ROLES NAME, GIVES(READER, STRANGER));
    assert_int_equal(listed(c, S ROLES), 4);
    assert_int_equal(listed(c, S ROLES "?$filter=atScope()"), 2);
    assert_int_equal(listed(c, G ROLES "?$filter=atScope()"), 3);
    assert_int_equal(listed(c, VNET "/subnets/a" ROLES "?$filter=atScope()"), 4);
    assert_int_equal(listed(c, REGISTRY ROLES), 3);
    assert_int_equal(listed(c, S ROLES "?$filter=principalId%20eq%20'" STRANGER "'"), 3);
    assert_int_equal(
        listed(c, G ROLES "?$filter=atScope()%20and%20assignedTo('" ADMINISTRATOR "')"), 1);
    assert_int_equal(listed(c, ROLES), 4);
    /* the definition's id has the subscription that was asked in, so that clients find its name */
    assert_str(json_str(json_path(json_at(json_get(c->answer, "value"), 0), "properties.scope")),
               "/");
    assert_int_equal(control(c, "GET", S ROLES "?$filter=color%20eq%20'x'", NULL), 400);
    assert_error(c, "NotSupported");
}

static void what_cannot_be_is_refused_and_leaves_nothing(void **state)
{
    static const struct {
        const char *target, *body;
        unsigned status;
        const char *code;
    } cases[] = {
        {G ROLES "/x", GIVES(READER, STRANGER), 400, "InvalidRoleAssignmentId"},
        {G ROLES NAME, GIVES("00000000-0000-0000-0000-000000000009", STRANGER), 404,
         "RoleDefinitionDoesNotExist"},
        {G ROLES NAME, GIVES(READER, "09000000-0000-0000-0000-000000000000"), 400,
         "PrincipalNotFound"},
        {G ROLES NAME, GIVES(READER, "x"), 400, "InvalidPrincipalId"},
        {G ROLES NAME,
         "{\"properties\":{\"roleDefinitionId\":\"" READER "\",\"principalId\":\"" STRANGER
         "\",\"principalType\":\"User\"}}",
         400, "UnmatchedPrincipalType"},
        {G ROLES NAME,
         "{\"properties\":{\"roleDefinitionId\":\"" READER "\",\"principalId\":\"" STRANGER
         "\",\"condition\":\"@x\"}}",
         400, "NotSupported"},
        {G ROLES NAME, "{}", 400, "InvalidRoleDefinitionId"},
        {S "/resourceGroups/none" ROLES NAME, GIVES(READER, STRANGER), 404,
         "ResourceGroupNotFound"},
        {OTHER ROLES NAME, GIVES(READER, STRANGER), 404, "SubscriptionNotFound"},
        {REGISTRY "2" ROLES NAME, GIVES(READER, STRANGER), 404, "ResourceNotFound"},
        {VNET "/subnets/b" ROLES NAME, GIVES(READER, STRANGER), 404, "ResourceNotFound"},
    };
    struct control *c = furnished(state);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned status = control(c, "PUT", cases[i].target, cases[i].body);

        if (status != cases[i].status || !str_is(answer_text(c, "error.code"), cases[i].code))
            fail_msg("%zu: %u %.*s", i, status, STR_ARG(answer_text(c, "error.code")));
    }
    assert_int_equal(listed(c, S ROLES), 0);
}

static void the_same_role_twice_is_refused_and_a_name_keeps_its_meaning(void **state)
{
    struct control *c = furnished(state);

    give(c, G ROLES NAME, GIVES(READER, STRANGER));
    assert_int_equal(control(c, "PUT", G ROLES NAME_2, GIVES(READER, STRANGER)), 409);
    assert_error(c, "RoleAssignmentExists");
    assert_str(answer_text(c, "error.message"), "The role assignment already exists.");
    assert_int_equal(control(c, "PUT", G ROLES NAME, GIVES(PULL, STRANGER)), 400);
    assert_error(c, "RoleAssignmentUpdateNotPermitted");
    assert_int_equal(control(c, "PUT", G ROLES NAME, GIVES(READER, STRANGER)), 200);
    give(c, G ROLES NAME_2, GIVES(PULL, STRANGER));
    give(c, REGISTRY ROLES NAME_2, GIVES(READER, STRANGER));
}

static void a_role_is_in_force_at_its_answer_and_until_the_answer_that_takes_it_away(void **state)
{
    struct control *c = furnished(state);

    assert_int_equal(as_stranger(c, "GET", G, NULL), 403);
    give(c, G ROLES NAME, GIVES(READER, STRANGER));
    assert_int_equal(as_stranger(c, "GET", G, NULL), 200);
    assert_int_equal(as_stranger(c, "PUT", G, LOCAL), 403);
    assert_error(c, "AuthorizationFailed");
    assert_int_equal(control(c, "DELETE", G ROLES NAME, NULL), 200);
    assert_int_equal(as_stranger(c, "GET", G, NULL), 403);
}

static enum rc role_take(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                         struct err *e)
{
    (void)arg;
    snapshot_touch_roles(change);
    return meta_resource_delete(tx, STR(G ROLES NAME), e);
}

static void role_taken(struct control *c)
{
    assert_int_equal(snapshot_change(c->hub, role_take, NULL, NULL), RC_OK);
}

static void a_write_whose_role_was_taken_away_meanwhile_does_not_commit(void **state)
{
    struct control *c = furnished(state);

    give(c, G ROLES NAME, GIVES(CONTRIBUTOR, STRANGER));
    c->meanwhile = role_taken;
    assert_int_equal(as_stranger(c, "PATCH", G, "{\"tags\":{\"a\":\"b\"}}"), 403);
    assert_error(c, "AuthorizationFailed");
    assert_int_equal(control(c, "GET", G, NULL), 200);
    assert_null(json_path(c->answer, "tags.a"));
}

static void only_an_owner_gives_roles(void **state)
{
    struct control *c = furnished(state);

    give(c, G ROLES NAME, GIVES(CONTRIBUTOR, STRANGER));
    assert_int_equal(as_stranger(c, "PUT", G, LOCAL), 200);
    assert_int_equal(as_stranger(c, "PUT", G ROLES NAME_2, GIVES(OWNER, STRANGER)), 403);
    assert_int_equal(as_stranger(c, "DELETE", G ROLES NAME, NULL), 403);
    give(c, G ROLES NAME_2, GIVES(OWNER, STRANGER));
    give(c, REGISTRY ROLES NAME, GIVES(READER, ADMINISTRATOR));
    assert_int_equal(as_stranger(c, "DELETE", REGISTRY ROLES NAME, NULL), 200);
    assert_int_equal(as_stranger(c, "PUT", S ROLES NAME, GIVES(OWNER, STRANGER)), 403);
}

static void only_an_owner_disables_and_enables_a_subscription(void **state)
{
    struct control *c = furnished(state);

    give(c, S ROLES NAME, GIVES(CONTRIBUTOR, STRANGER));
    assert_int_equal(as_stranger(c, "PATCH", S, "{\"displayName\":\"b\",\"state\":\"Enabled\"}"),
                     200);
    assert_int_equal(as_stranger(c, "PATCH", S, "{\"state\":\"Disabled\"}"), 403);
    assert_error(c, "LinkedAuthorizationFailed");
    assert_int_equal(control(c, "PATCH", S, "{\"state\":\"Disabled\"}"), 200);
    assert_int_equal(as_stranger(c, "PATCH", S, "{\"state\":\"Enabled\"}"), 403);
    assert_int_equal(control(c, "PATCH", S, "{\"state\":\"Enabled\"}"), 200);
    give(c, S ROLES NAME_2, GIVES(OWNER, STRANGER));
    assert_int_equal(as_stranger(c, "PATCH", S, "{\"state\":\"Disabled\"}"), 200);
}

static void only_an_owner_deletes_a_subscription(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", OTHER, "{\"displayName\":\"other\"}"), 201);
    give(c, OTHER ROLES NAME, GIVES(CONTRIBUTOR, STRANGER));
    assert_int_equal(as_stranger(c, "DELETE", OTHER, NULL), 403);
    assert_error(c, "LinkedAuthorizationFailed");
    assert_non_null(strstr(answer_text(c, "error.message").ptr, "on scope '" OTHER "'"));
    give(c, OTHER ROLES NAME_2, GIVES(OWNER, STRANGER));
    assert_int_equal(as_stranger(c, "DELETE", OTHER, NULL), 200);
    assert_int_equal(control(c, "GET", OTHER, NULL), 404);
}

static void lists_leave_out_what_the_caller_may_not_see(void **state)
{
    struct control *c = furnished(state);

    assert_int_equal(control(c, "PUT", OTHER, "{\"displayName\":\"other\"}"), 201);
    assert_int_equal(control(c, "PUT", S "/resourceGroups/hidden", LOCAL), 201);
    assert_int_equal(as_stranger(c, "GET", "/subscriptions", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 0);
    give(c, REGISTRY ROLES NAME, GIVES(READER, STRANGER));
    c->stranger = true;
    assert_int_equal(listed(c, "/subscriptions"), 1);
    assert_int_equal(listed(c,
                            S "/resources?$filter=resourceType%20eq%20'Microsoft.ContainerRegistry/"
                              "registries'"),
                     1);
    assert_int_equal(listed(c, S "/providers/Microsoft.ContainerRegistry/registries"), 1);
    assert_int_equal(listed(c, G "/providers/Microsoft.ContainerRegistry/registries"), 1);
    assert_int_equal(control(c, "GET", S "/resourceGroups", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 0);
    assert_int_equal(listed(c, S ROLES), 1);
    c->stranger = false;
    give(c, G ROLES NAME, GIVES(NETWORK, STRANGER));
    c->stranger = true;
    assert_int_equal(listed(c, S "/resourceGroups"), 1);
    assert_int_equal(listed(c, S ROLES), 2);
    assert_int_equal(listed(c, "/subscriptions"), 1);
    c->stranger = false;
    assert_int_equal(listed(c, "/subscriptions"), 2);
}

/* --- what goes takes its roles with it --- */

static void roles_go_with_what_they_are_on(void **state)
{
    struct control *c = furnished(state);

    give(c, REGISTRY ROLES NAME, GIVES(OWNER, STRANGER));
    give(c, VNET "/subnets/a" ROLES NAME, GIVES(NETWORK, STRANGER));
    give(c, S ROLES NAME, GIVES(PULL, STRANGER));
    assert_int_equal(listed(c, S ROLES), 3);
    assert_true(control(c, "DELETE", REGISTRY, NULL) < 300);
    control_operations(c);
    assert_int_equal(listed(c, S ROLES), 2);
    assert_true(control(c, "DELETE", VNET "/subnets/a", NULL) < 300);
    control_operations(c);
    assert_int_equal(listed(c, S ROLES), 1);
    give(c, G ROLES NAME, GIVES(OWNER, STRANGER));
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(listed(c, S ROLES), 1);
    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(as_stranger(c, "GET", G, NULL), 403); /* another one of that name */
}

static void a_network_that_leaves_a_subnet_out_takes_its_roles_with_it(void **state)
{
    struct control *c = furnished(state);

    give(c, VNET "/subnets/a" ROLES NAME, GIVES(NETWORK, STRANGER));
    assert_int_equal(
        control(c, "PUT", VNET,
                "{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":["
                "\"10.1.0.0/16\"]},\"subnets\":[]}}"),
        200);
    control_operations(c);
    assert_int_equal(listed(c, S ROLES), 0);
}

static void a_subscription_goes_with_the_roles_on_it(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", OTHER, "{\"displayName\":\"other\"}"), 201);
    give(c, OTHER ROLES NAME, GIVES(READER, STRANGER));
    assert_int_equal(control(c, "DELETE", OTHER, NULL), 200);
    assert_int_equal(listed(c, ROLES), 0);
}

/* --- what a write names --- */
#define WOULD(origin, subnet)                                                                      \
    "{\"origin\":{" origin "},\"proposed\":{\"networkRuleSet\":{\"virtualNetworkRules\":[{"        \
    "\"id\":\"" VNET "/subnets/" subnet "\"}]}}}"

static void asking_about_a_subnet_tells_nobody_more_than_its_role_does(void **state)
{
    static const char *const asked[] = {WOULD("\"ipAddress\":\"192.0.2.9\"", "a"),
                                        WOULD("\"ipAddress\":\"192.0.2.9\"", "none"),
                                        "{\"origin\":{\"subnetId\":\"" VNET "/subnets/a\"}}",
                                        "{\"origin\":{\"subnetId\":\"" VNET "/subnets/none\"}}"};
    struct control *c = furnished(state);

    give(c, REGISTRY ROLES NAME, GIVES(CONTRIBUTOR, STRANGER));
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        assert_int_equal(as_stranger(c, "POST", REGISTRY "/checkNetworkAccess", asked[i]), 403);
        assert_error(c, "LinkedAuthorizationFailed");
    }
    give(c, VNET ROLES NAME, GIVES(NETWORK, STRANGER));
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/checkNetworkAccess", asked[0]), 200);
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/checkNetworkAccess", asked[1]), 400);
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/checkNetworkAccess", asked[2]), 200);
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/checkNetworkAccess", asked[3]), 404);
}

#define RULE "{\"id\":\"" VNET "/subnets/a\"}"

static void naming_a_subnet_in_a_rule_needs_a_role_on_it(void **state)
{
    struct control *c = furnished(state);

    give(c, REGISTRY ROLES NAME, GIVES(CONTRIBUTOR, STRANGER));
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/addNetworkRule", RULE), 403);
    assert_error(c, "LinkedAuthorizationFailed");
    assert_non_null(strstr(answer_text(c, "error.message").ptr,
                           "on scope '" REGISTRY "'; however, it does not have permission to "
                           "perform action(s) 'Microsoft.Network/virtualNetworks/subnets/"
                           "joinViaServiceEndpoint/action' on the linked scope(s) '" VNET
                           "/subnets/a'"));
    assert_int_equal(
        as_stranger(c, "PATCH", REGISTRY,
                    "{\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[" RULE "]}}}"),
        403);
    assert_error(c, "LinkedAuthorizationFailed");
    /* nor does it learn what is there */
    assert_int_equal(
        as_stranger(c, "POST", REGISTRY "/addNetworkRule", "{\"id\":\"" VNET "/subnets/none\"}"),
        403);
    assert_error(c, "LinkedAuthorizationFailed");
    give(c, VNET "/subnets/a" ROLES NAME, GIVES(NETWORK, STRANGER));
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/addNetworkRule", RULE), 200);
    /* what is in the set stays, whoever sends it back */
    assert_int_equal(control(c, "DELETE", VNET "/subnets/a" ROLES NAME, NULL), 200);
    assert_int_equal(
        as_stranger(c, "PATCH", REGISTRY,
                    "{\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[" RULE "]}}}"),
        200);
    assert_int_equal(
        json_len(json_path(c->answer, "properties.networkRuleSet.virtualNetworkRules")), 1);
}

#define FAR_VNET OTHER "/resourceGroups/far/providers/Microsoft.Network/virtualNetworks/V"

static void
a_rule_may_name_another_subscriptions_subnet_where_the_provider_is_registered(void **state)
{
    struct control *c = furnished(state);
    static const char rule[] = "{\"id\":\"" FAR_VNET "/subnets/a\"}";

    assert_int_equal(control(c, "PUT", OTHER, "{\"displayName\":\"other\"}"), 201);
    assert_int_equal(control(c, "POST", OTHER "/providers/Microsoft.Network/register", NULL), 200);
    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/far", LOCAL), 201);
    assert_int_equal(
        control(
            c, "PUT", FAR_VNET,
            "{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":["
            "\"10.1.0.0/16\"]},\"subnets\":[{\"name\":\"a\",\"properties\":{\"addressPrefix\":"
            "\"10.1.0.0/24\",\"serviceEndpoints\":[{\"service\":\"Microsoft.ContainerRegistry\"}"
            "]}}]}}"),
        201);
    give(c, REGISTRY ROLES NAME, GIVES(CONTRIBUTOR, STRANGER));
    give(c, OTHER ROLES NAME, GIVES(NETWORK, STRANGER));
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/addNetworkRule", rule), 409);
    assert_error(c, "MissingSubscriptionRegistration");
    assert_int_equal(
        control(c, "POST", OTHER "/providers/Microsoft.ContainerRegistry/register", NULL), 200);
    assert_int_equal(as_stranger(c, "POST", REGISTRY "/addNetworkRule", rule), 200);
}

static void joining_a_subnet_or_a_security_group_needs_a_role_on_it(void **state)
{
    struct control *c = furnished(state);
    static const char nic[] =
        S "/resourceGroups/own/providers/Microsoft.Network/networkInterfaces/I";
    static const char body[] =
        "{\"location\":\"local\",\"properties\":{\"ipConfigurations\":[{\"name\":\"c\","
        "\"properties\":{\"subnet\":{\"id\":\"" VNET "/subnets/a\"}}}]}}";

    assert_int_equal(control(c, "PUT", S "/resourceGroups/own", LOCAL), 201);
    give(c, S "/resourceGroups/own" ROLES NAME, GIVES(NETWORK, STRANGER));
    assert_int_equal(as_stranger(c, "PUT", nic, body), 403);
    assert_error(c, "LinkedAuthorizationFailed");
    give(c, VNET ROLES NAME, GIVES(NETWORK, STRANGER));
    assert_int_equal(as_stranger(c, "PUT", nic, body), 201);
}

/* --- definitions --- */

static void the_built_in_roles_are_listed_found_by_name_and_shown(void **state)
{
    struct control *c = furnished(state);
    struct json *one;

    assert_int_equal(listed(c, S DEFINITIONS), 7);
    assert_int_equal(listed(c, DEFINITIONS), 7);
    assert_int_equal(listed(c, G DEFINITIONS "?$filter=roleName%20eq%20'acrpull'"), 1);
    one = json_at(json_get(c->answer, "value"), 0);
    assert_str(json_str(json_get(one, "id")), S DEFINITIONS "/" PULL);
    assert_str(json_str(json_path(one, "properties.roleName")), "AcrPull");
    assert_str(json_str(json_path(one, "properties.type")), "BuiltInRole");
    assert_int_equal(listed(c, S DEFINITIONS "?$filter=type%20eq%20'CustomRole'"), 0);
    assert_int_equal(control(c, "GET", S DEFINITIONS "/" READER, NULL), 200);
    assert_str(answer_text(c, "name"), READER);
    assert_int_equal(control(c, "GET", S DEFINITIONS NAME, NULL), 404);
    assert_error(c, "RoleDefinitionDoesNotExist");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(one_is_made_shown_listed_and_deleted),
        CONTROL_TEST(lists_show_what_is_above_and_inside_or_only_what_holds),
        CONTROL_TEST(what_cannot_be_is_refused_and_leaves_nothing),
        CONTROL_TEST(the_same_role_twice_is_refused_and_a_name_keeps_its_meaning),
        CONTROL_TEST(a_role_is_in_force_at_its_answer_and_until_the_answer_that_takes_it_away),
        CONTROL_TEST(a_write_whose_role_was_taken_away_meanwhile_does_not_commit),
        CONTROL_TEST(only_an_owner_gives_roles),
        CONTROL_TEST(only_an_owner_disables_and_enables_a_subscription),
        CONTROL_TEST(only_an_owner_deletes_a_subscription),
        CONTROL_TEST(asking_about_a_subnet_tells_nobody_more_than_its_role_does),
        CONTROL_TEST(lists_leave_out_what_the_caller_may_not_see),
        CONTROL_TEST(roles_go_with_what_they_are_on),
        CONTROL_TEST(a_network_that_leaves_a_subnet_out_takes_its_roles_with_it),
        CONTROL_TEST(a_subscription_goes_with_the_roles_on_it),
        CONTROL_TEST(naming_a_subnet_in_a_rule_needs_a_role_on_it),
        CONTROL_TEST(a_rule_may_name_another_subscriptions_subnet_where_the_provider_is_registered),
        CONTROL_TEST(joining_a_subnet_or_a_security_group_needs_a_role_on_it),
        CONTROL_TEST(the_built_in_roles_are_listed_found_by_name_and_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
