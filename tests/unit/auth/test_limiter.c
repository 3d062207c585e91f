#include "test.h"

#include "auth/auth.h"
#include <stdio.h>

#define SECOND ((int64_t)1000000)
#define START  (1000 * SECOND)

static struct auth_limiter_key key(const char *address, const char *account)
{
    struct auth_limiter_key k = {.account = str_from(account)};

    assert_int_equal(ip_parse(str_from(address), &k.address, NULL), RC_OK);
    return k;
}

static int set_up(void **state)
{
    *state = auth_limiter_new();
    return 0;
}

static int tear_down(void **state)
{
    auth_limiter_free(*state);
    return 0;
}

static void fail_times(struct auth_limiter *l, const struct auth_limiter_key *k, int times,
                       int64_t now)
{
    for (int i = 0; i < times; i++)
        auth_limiter_failed(l, k, now);
}

static void ten_failures_are_forgiven_and_no_more(void **state)
{
    struct auth_limiter_key k = key("10.0.0.1", "ci");

    fail_times(*state, &k, 9, START);
    assert_true(auth_limiter_allows(*state, &k, START));
    fail_times(*state, &k, 1, START);
    assert_false(auth_limiter_allows(*state, &k, START));
}

static void one_try_comes_back_every_six_seconds(void **state)
{
    struct auth_limiter_key k = key("10.0.0.1", "ci");

    fail_times(*state, &k, 10, START);
    assert_false(auth_limiter_allows(*state, &k, START + 6 * SECOND - 1));
    assert_true(auth_limiter_allows(*state, &k, START + 6 * SECOND));
    fail_times(*state, &k, 1, START + 6 * SECOND);
    assert_false(auth_limiter_allows(*state, &k, START + 6 * SECOND));
    assert_true(auth_limiter_allows(*state, &k, START + 12 * SECOND));
}

static void failures_past_the_limit_do_not_lengthen_it(void **state)
{
    struct auth_limiter_key k = key("10.0.0.1", "ci");

    fail_times(*state, &k, 1000, START);
    assert_true(auth_limiter_allows(*state, &k, START + 6 * SECOND));
}

static void other_accounts_addresses_and_networks_are_not_touched(void **state)
{
    struct auth_limiter_key k = key("10.0.0.1", "ci"), other;

    fail_times(*state, &k, 10, START);
    other = key("10.0.0.1", "dev");
    assert_true(auth_limiter_allows(*state, &other, START));
    other = key("10.0.0.2", "ci");
    assert_true(auth_limiter_allows(*state, &other, START));
    other = key("10.0.0.1", "ci");
    other.attachment = uuid_random();
    assert_true(auth_limiter_allows(*state, &other, START));
}

static void an_ipv6_client_is_its_whole_64(void **state)
{
    struct auth_limiter_key k = key("2001:db8:1:2::1", "ci"), other;

    fail_times(*state, &k, 10, START);
    other = key("2001:db8:1:2:ffff::9", "ci");
    assert_false(auth_limiter_allows(*state, &other, START));
    other = key("2001:db8:1:3::1", "ci");
    assert_true(auth_limiter_allows(*state, &other, START));
}

static void an_account_is_the_same_in_any_case(void **state)
{
    struct auth_limiter_key k = key("10.0.0.1", "MyRegistry"), other;

    fail_times(*state, &k, 10, START);
    other = key("10.0.0.1", "myregistry");
    assert_false(auth_limiter_allows(*state, &other, START));
}

static void a_flood_of_new_accounts_does_not_free_who_is_shut_out(void **state)
{
    struct auth_limiter_key k = key("10.0.0.1", "victim");

    fail_times(*state, &k, 10, START);
    for (int i = 0; i < 300000; i++) {
        char account[32];

        snprintf(account, sizeof(account), "account-%d", i);
        struct auth_limiter_key one = key("10.0.0.1", account);

        auth_limiter_failed(*state, &one, START);
    }
    assert_false(auth_limiter_allows(*state, &k, START));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(ten_failures_are_forgiven_and_no_more),
        CASE(one_try_comes_back_every_six_seconds),
        CASE(failures_past_the_limit_do_not_lengthen_it),
        CASE(other_accounts_addresses_and_networks_are_not_touched),
        CASE(an_ipv6_client_is_its_whole_64),
        CASE(an_account_is_the_same_in_any_case),
        CASE(a_flood_of_new_accounts_does_not_free_who_is_shut_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
