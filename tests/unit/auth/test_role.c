#include "test.h"

#include "auth/auth.h"
#include "auth/role.h"
#include <stdlib.h>

static bool allows(const char *role, const char *action)
{
    const struct auth_role *r = auth_role_by_name(str_from(role));

    assert_non_null(r);
    return auth_role_allows(r, str_from(action));
}

static unsigned gives(const char *role)
{
    return auth_role_registry_actions(auth_role_by_name(str_from(role)));
}

static void roles_have_the_ids_that_clients_know(void **state)
{
    static const struct {
        const char *name, *id;
    } known[] = {
        {"Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"},
        {"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"},
        {"Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"},
        {"Network Contributor", "4d97b98b-1d4f-4787-a291-c67834d212e7"},
        {"AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d"},
        {"AcrPush", "8311e382-0749-4cb8-b61a-304f252e45ec"},
        {"AcrDelete", "c2f4ef07-c644-48eb-af81-4b1b4947fb11"},
    };

    (void)state;
    assert_int_equal(auth_roles_count, ARRAY_LEN(known));
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const struct auth_role *r = auth_role_by_name(str_from(known[i].name));

        assert_non_null(r);
        assert_string_equal(r->id, known[i].id);
        assert_ptr_equal(auth_role_by_id(str_from(known[i].id)), r);
    }
    assert_ptr_equal(auth_role_by_id(STR("ACDD72A7-3385-48EF-BD42-F606FBA81AE7")),
                     auth_role_by_name(STR("reader")));
    assert_null(auth_role_by_name(STR("Read")));
    assert_null(auth_role_by_id(STR("")));
}

static void a_contributor_does_everything_but_give_roles(void **state)
{
    (void)state;
    assert_true(allows("Contributor", "Microsoft.ContainerRegistry/registries/write"));
    assert_true(allows("Contributor", "Microsoft.Authorization/roleAssignments/read"));
    assert_false(allows("Contributor", "Microsoft.Authorization/roleAssignments/write"));
    assert_false(allows("Contributor", "microsoft.authorization/roleassignments/DELETE"));
    assert_true(allows("Owner", "Microsoft.Authorization/roleAssignments/write"));
}

static void a_reader_reads_and_sees_no_password(void **state)
{
    (void)state;
    assert_true(allows("Reader", "Microsoft.Network/virtualNetworks/subnets/read"));
    assert_false(allows("Reader", "Microsoft.Network/virtualNetworks/subnets/write"));
    assert_false(allows("Reader", "Microsoft.ContainerRegistry/registries/listCredentials/action"));
}

static void a_network_contributor_has_networks_only(void **state)
{
    (void)state;
    assert_true(allows("Network Contributor",
                       "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"));
    assert_true(
        allows("Network Contributor", "Microsoft.Resources/subscriptions/resourceGroups/read"));
    assert_false(allows("Network Contributor", "Microsoft.ContainerRegistry/registries/write"));
    assert_false(allows("Network Contributor", "Microsoft.ContainerRegistry/registries/read"));
    assert_false(allows("Network Contributor", "Microsoft.NetworkX/y/read"));
}

static void a_role_gives_what_it_says_on_a_registry(void **state)
{
    const unsigned pull = AUTH_PULL | AUTH_METADATA_READ | AUTH_CATALOG,
                   push = AUTH_PUSH | AUTH_METADATA_WRITE;

    (void)state;
    assert_int_equal(gives("AcrPull"), pull);
    assert_int_equal(gives("AcrPush"), pull | push);
    assert_int_equal(gives("AcrDelete"), AUTH_DELETE);
    assert_int_equal(gives("Reader"), pull);
    assert_int_equal(gives("Contributor"), pull | push | AUTH_DELETE);
    assert_int_equal(gives("Owner"), pull | push | AUTH_DELETE);
    assert_int_equal(gives("Network Contributor"), 0);
}

/* --- patterns, against a naive reading --- */

static bool naive(struct str p, struct str a)
{
    if (p.len == 0)
        return a.len == 0;
    if (p.ptr[0] == '*')
        return naive(str_skip(p, 1), a) || (a.len > 0 && naive(p, str_skip(a, 1)));
    return a.len > 0 && ascii_lower(p.ptr[0]) == ascii_lower(a.ptr[0]) &&
           naive(str_skip(p, 1), str_skip(a, 1));
}

static uint64_t random_state = 7;

static unsigned below(unsigned n) /* splitmix64 */
{
    uint64_t z = (random_state += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return (unsigned)((z ^ (z >> 31)) % n);
}

static struct str random_text(char *out, unsigned max, const char *letters)
{
    unsigned n = below(max + 1);

    for (unsigned i = 0; i < n; i++)
        out[i] = letters[below((unsigned)strlen(letters))];
    return (struct str){out, n};
}

static void patterns_mean_what_a_naive_reading_says(void **state)
{
    char p[16], a[16];
    unsigned matched = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct str pattern = random_text(p, 8, "aAb/**"), action = random_text(a, 10, "abA/");
        bool want = naive(pattern, action);

        if (auth_action_matches(pattern, action) != want)
            fail_msg("%.*s ~ %.*s", STR_ARG(pattern), STR_ARG(action));
        matched += want;
    }
    assert_true(matched > 1000);
}

/* --- scopes --- */

static void a_scope_holds_for_itself_and_what_is_inside(void **state)
{
    (void)state;
    assert_true(auth_scope_covers(STR("/"), STR("/")));
    assert_true(auth_scope_covers(STR("/"), STR("/subscriptions/s")));
    assert_true(auth_scope_covers(STR("/subscriptions/S"), STR("/subscriptions/s")));
    assert_true(
        auth_scope_covers(STR("/subscriptions/s"), STR("/subscriptions/s/resourceGroups/g")));
    assert_false(auth_scope_covers(STR("/subscriptions/s"), STR("/subscriptions/s2")));
    assert_false(
        auth_scope_covers(STR("/subscriptions/s/resourceGroups/g"), STR("/subscriptions/s")));
    assert_false(auth_scope_covers(STR("/subscriptions/s"), STR("/")));
    assert_false(auth_scope_covers(STR(""), STR("/")));
}

/* Ends are looked at first; they are not all. */
static void what_ends_alike_elsewhere_is_not_covered(void **state)
{
    const struct str g = STR("/subscriptions/s/resourceGroups/g/providers/N/t/name");

    (void)state;
    assert_true(auth_scope_covers(STR("/SUBSCRIPTIONS/S/resourcegroups/G/providers/n/T/NAME"), g));
    assert_true(auth_scope_covers(STR("/subscriptions/s/resourceGroups/g/"), g));
    assert_false(auth_scope_covers(STR("/subscriptions/x/resourceGroups/g/providers/N/t/name"), g));
    assert_false(auth_scope_covers(STR("/subscriptions/s/resourceGroups/g/providers/N/t/nbme"), g));
    assert_false(auth_scope_covers(STR("/subscriptions/s/resourceGroups/g/providers/N/t/nam"), g));
    assert_false(auth_scope_covers(STR("/subscriptions/x/resourceGroups/g"), g));
    assert_false(auth_scope_covers(STR("/ubscriptions/s/resourceGroups/g/providers/N/t/name"), g));
    assert_true(auth_scope_covers(STR("/a"), STR("/A/b")));
    assert_false(auth_scope_covers(STR("/a"), STR("/b/a")));
}

#define S "/subscriptions/s"
#define G S "/resourceGroups/g"
#define R G "/providers/Microsoft.ContainerRegistry/registries/r"

static void a_path_is_about_a_resource(void **state)
{
    static const struct {
        const char *path, *scope;
        bool list;
    } cases[] = {
        {"/", "/", false},
        {"/subscriptions", "/", false},
        {"/tenants", "/", false},
        {S, S, false},
        {S "/resourceGroups", S, true},
        {S "/resources", S, true},
        {G, G, false},
        {G "/resources", G, true},
        {G "/providers/N/t", G, true},
        {S "/providers/N/t", S, true},
        {S "/providers/N", S, false},
        {S "/providers", S, false},
        {R, R, false},
        {R "/listCredentials", R, false},
        {R "/tokens/t", R "/tokens/t", false},
        {R "/providers/Microsoft.Authorization/roleAssignments", R, false},
        {G "/providers/Microsoft.Authorization/roleAssignments", G, true},
        {R "/providers/Microsoft.Authorization/roleAssignments/a",
         R "/providers/Microsoft.Authorization/roleAssignments/a", false},
        {"/providers/Kidoban.Network/attachments", "/", false},
        {"/providers/Kidoban.Network/attachments/a", "/providers/Kidoban.Network/attachments/a",
         false},
        {"/v1.0/users/u", "/", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct auth_path p = auth_path_read(str_from(cases[i].path));

        if (!str_is(p.scope, cases[i].scope) || p.list != cases[i].list)
            fail_msg("%s: %.*s %d", cases[i].path, STR_ARG(p.scope), p.list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_have_the_ids_that_clients_know),
        cmocka_unit_test(a_contributor_does_everything_but_give_roles),
        cmocka_unit_test(a_reader_reads_and_sees_no_password),
        cmocka_unit_test(a_network_contributor_has_networks_only),
        cmocka_unit_test(a_role_gives_what_it_says_on_a_registry),
        cmocka_unit_test(patterns_mean_what_a_naive_reading_says),
        cmocka_unit_test(a_scope_holds_for_itself_and_what_is_inside),
        cmocka_unit_test(what_ends_alike_elsewhere_is_not_covered),
        cmocka_unit_test(a_path_is_about_a_resource),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
