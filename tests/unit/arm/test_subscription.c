/* Several subscriptions, as clients of the control plane see them. */
#include "fixture.h"

#define LOCAL  "{\"location\":\"local\"}"
#define OTHER  "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000aa"
#define SECOND "{\"displayName\":\"second\"}"

static void assert_error(struct control *c, const char *code)
{
    assert_str(answer_text(c, "error.code"), code);
    assert_true(answer_text(c, "error.message").len > 0);
}

static struct control *two(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", OTHER, SECOND), 201);
    return c;
}

static void the_first_start_makes_a_subscription(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "GET", "/subscriptions", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 1);
    assert_int_equal(control(c, "GET", S, NULL), 200);
    assert_str(answer_text(c, "id"), S);
    assert_str(answer_text(c, "subscriptionId"), SUBSCRIPTION);
    assert_str(answer_text(c, "state"), "Enabled");
    assert_str(answer_text(c, "tenantId"), "6f1a0d9e-0000-4000-8000-000000000002");
}

static void a_group_is_in_its_own_subscription_only(void **state)
{
    struct control *c = two(state);

    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/lab", LOCAL), 201);
    assert_str(answer_text(c, "id"), OTHER "/resourceGroups/lab");
    assert_int_equal(control(c, "GET", G, NULL), 404);
    assert_error(c, "ResourceGroupNotFound");
    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(control(c, "GET", OTHER "/resourcegroups", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 1);
    assert_str(json_str(json_get(json_at(json_get(c->answer, "value"), 0), "id")),
               OTHER "/resourceGroups/lab");
}

static void a_subscription_that_is_not_there_is_named(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "GET", OTHER, NULL), 404);
    assert_str(answer_text(c, "error.message"),
               "The subscription '6f1a0d9e-0000-4000-8000-0000000000aa' could not be found.");
    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/lab", LOCAL), 404);
    assert_error(c, "SubscriptionNotFound");
    assert_int_equal(control(c, "PATCH", OTHER, SECOND), 404);
    assert_error(c, "SubscriptionNotFound");
    assert_int_equal(control(c, "GET", "/subscriptions/mine/resourceGroups", NULL), 404);
    assert_error(c, "InvalidSubscriptionId");
}

static void a_subscription_is_renamed_and_disabled(void **state)
{
    struct control *c = two(state);

    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/lab", LOCAL), 201);
    assert_int_equal(control(c, "PATCH", OTHER, "{\"displayName\":\"b\",\"state\":\"Disabled\"}"),
                     200);
    assert_str(answer_text(c, "displayName"), "b");
    assert_int_equal(control(c, "GET", OTHER "/resourceGroups/lab", NULL), 200);
    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/lab", LOCAL), 409);
    assert_error(c, "ReadOnlyDisabledSubscription");
    assert_int_equal(control(c, "PATCH", OTHER, "{\"state\":\"Enabled\"}"), 200);
    assert_str(answer_text(c, "displayName"), "b");
    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/lab", LOCAL), 200);
    assert_int_equal(control(c, "PATCH", OTHER, "{\"state\":\"Asleep\"}"), 400);
    assert_int_equal(control(c, "PATCH", OTHER, "{\"displayName\":\" \"}"), 400);
}

static void only_an_empty_second_subscription_is_deleted(void **state)
{
    struct control *c = two(state);

    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/lab", LOCAL), 201);
    assert_int_equal(control(c, "DELETE", OTHER, NULL), 409);
    assert_error(c, "SubscriptionNotEmpty");
    assert_int_equal(control(c, "DELETE", S, NULL), 409);
    assert_error(c, "SubscriptionInUse");
    assert_int_equal(control(c, "GET", OTHER, NULL), 200);
    assert_int_equal(
        control(c, "PUT", "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000ab", SECOND), 201);
    assert_int_equal(
        control(c, "DELETE", "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000ab", NULL), 200);
    assert_int_equal(control(c, "GET", "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000ab", NULL),
                     404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(the_first_start_makes_a_subscription),
        CONTROL_TEST(a_group_is_in_its_own_subscription_only),
        CONTROL_TEST(a_subscription_that_is_not_there_is_named),
        CONTROL_TEST(a_subscription_is_renamed_and_disabled),
        CONTROL_TEST(only_an_empty_second_subscription_is_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
