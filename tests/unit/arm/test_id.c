#include "arm/id.h"
#include "test.h"

#define S   "/subscriptions/6f1a0d9e-0000-4000-8000-000000000001"
#define NET S "/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/V"

static struct arm_id id_of(const char *text)
{
    struct arm_id id;

    assert_int_equal(arm_id_parse(str_from(text), &id, NULL), RC_OK);
    return id;
}

static void an_id_names_its_subscription_group_provider_and_parts(void **state)
{
    struct arm_id id = id_of(NET "/subnets/N");

    (void)state;
    assert_str(id.group, "G");
    assert_str(id.provider, "Microsoft.Network");
    assert_int_equal(id.n, 2);
    assert_str(id.parts[1].name, "N");
    assert_true(arm_id_is(&id, "microsoft.network/VIRTUALNETWORKS/subnets"));
    assert_false(arm_id_is(&id, "Microsoft.Network/virtualNetworks"));
    assert_false(arm_id_is(&id, "Microsoft.Network/virtualNetworks/subnets/x"));
}

static void case_and_repeated_slashes_do_not_matter(void **state)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct arm_id x = id_of(NET),
                  y = id_of("//subscriptions/6F1A0D9E-0000-4000-8000-000000000001/resourcegroups/g"
                            "/Providers/microsoft.network//virtualnetworks/v/");

    (void)state;
    assert_true(arm_id_same(&x, &y));
    assert_str(arm_id_format(&x, &a), NET);
}

static void ids_at_server_scope_have_no_subscription(void **state)
{
    struct arm_id id = id_of("/providers/Kidoban.Network/attachments/a");

    (void)state;
    assert_int_equal(id.subscription.len, 0);
    assert_true(arm_id_is(&id, "Kidoban.Network/attachments"));
}

static void the_parent_of_a_subnet_is_its_network(void **state)
{
    struct arm_id subnet = id_of(NET "/subnets/N"), parent = arm_id_parent(&subnet),
                  net = id_of(NET);

    (void)state;
    assert_true(arm_id_same(&parent, &net));
}

static void what_is_no_id_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "subscriptions/x",
                                      "/subscriptions",
                                      "/subscriptions/x/resourceGroups",
                                      "/groups/x",
                                      NET "/subnets",
                                      "/providers/X",
                                      "/subscriptions/../resourceGroups/g",
                                      NET "/subnets/a%2fb",
                                      NET "/subnets/a?b",
                                      NET "/a/b/c/d/e/f/g/h"};
    struct arm_id id = {.n = 7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(arm_id_parse(str_from(bad[i]), &id, NULL), RC_INVALID);
    assert_int_equal(id.n, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_names_its_subscription_group_provider_and_parts),
        cmocka_unit_test(case_and_repeated_slashes_do_not_matter),
        cmocka_unit_test(ids_at_server_scope_have_no_subscription),
        cmocka_unit_test(the_parent_of_a_subnet_is_its_network),
        cmocka_unit_test(what_is_no_id_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
