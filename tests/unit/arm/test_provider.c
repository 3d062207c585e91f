/* Which namespaces a subscription may use. */
#include "fixture.h"

#define LOCAL  "{\"location\":\"westus\"}"
#define BASIC  "{\"location\":\"westus\",\"sku\":{\"name\":\"Basic\"}}"
#define OTHER  "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000aa"
#define PREFIX OTHER "/providers/Microsoft.ContainerRegistry"
#define INSIDE OTHER "/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/fresh"

static struct control *second(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", OTHER, "{\"displayName\":\"second\"}"), 201);
    assert_int_equal(control(c, "PUT", OTHER "/resourceGroups/lab", LOCAL), 201);
    return c;
}

static void the_first_subscription_may_use_everything(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "GET", S "/providers", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 5);
    assert_int_equal(control(c, "GET", S "/providers/microsoft.network", NULL), 200);
    assert_str(answer_text(c, "namespace"), "Microsoft.Network");
    assert_str(answer_text(c, "registrationState"), "Registered");
    assert_true(json_len(json_get(c->answer, "resourceTypes")) > 4);
    assert_int_equal(control(c, "GET", S "/providers/Microsoft.Resources", NULL), 200);
    assert_str(answer_text(c, "registrationPolicy"), "RegistrationFree");
    assert_int_equal(control(c, "GET", S "/providers/No.Such", NULL), 404);
    assert_str(answer_text(c, "error.message"), "The resource namespace 'No.Such' is invalid.");
}

static void a_new_subscription_registers_before_it_uses(void **state)
{
    struct control *c = second(state);

    assert_int_equal(control(c, "PUT", INSIDE, BASIC), 409);
    assert_str(answer_text(c, "error.code"), "MissingSubscriptionRegistration");
    assert_str(answer_text(c, "error.message"),
               "The subscription is not registered to use namespace 'Microsoft.ContainerRegistry'. "
               "See https://aka.ms/rps-not-found for how to register subscriptions.");
    assert_int_equal(control(c, "GET", PREFIX, NULL), 200);
    assert_str(answer_text(c, "registrationState"), "NotRegistered");
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(control(c, "POST", PREFIX "/register", NULL), 200);
        assert_str(answer_text(c, "registrationState"), "Registered");
    }
    assert_int_equal(control(c, "PUT", INSIDE, BASIC), 201);
    assert_int_equal(control(c, "POST", PREFIX "/unregister", NULL), 409);
    assert_int_equal(control(c, "DELETE", INSIDE, NULL), 200);
    assert_int_equal(control(c, "POST", PREFIX "/unregister", NULL), 200);
    assert_str(answer_text(c, "registrationState"), "NotRegistered");
    assert_int_equal(control(c, "PUT", INSIDE, BASIC), 409);
}

static void what_is_not_offered_cannot_be_registered(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "POST", S "/providers/Microsoft.Compute/register", NULL), 400);
    assert_str(answer_text(c, "error.code"), "NotSupported");
    assert_int_equal(control(c, "GET", S "/providers/Microsoft.Compute", NULL), 200);
    assert_str(answer_text(c, "registrationState"), "NotRegistered");
    assert_int_equal(control(c, "POST", S "/providers/No.Such/register", NULL), 404);
    assert_int_equal(control(c, "POST",
                             "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000ff"
                             "/providers/Microsoft.Network/register",
                             NULL),
                     404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(the_first_subscription_may_use_everything),
        CONTROL_TEST(a_new_subscription_registers_before_it_uses),
        CONTROL_TEST(what_is_not_offered_cannot_be_registered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
