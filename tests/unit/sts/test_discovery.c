/* What clients read before they sign in. */
#include "fixture.h"

static void each_form_of_discovery_names_its_own_endpoints(void **state)
{
    struct sts *f = *state;

    assert_int_equal(ask(f, "GET", "/adfs/.well-known/openid-configuration", NULL), 200);
    assert_str(said(f, "token_endpoint"), CONTROL_URL "/adfs/oauth2/token");
    assert_str(said(f, "device_authorization_endpoint"), CONTROL_URL "/adfs/oauth2/devicecode");
    assert_int_equal(ask(f, "GET", "/organizations/v2.0/.well-known/openid-configuration", NULL),
                     200);
    assert_str(said(f, "token_endpoint"), CONTROL_URL "/" TENANT "/oauth2/v2.0/token");
    assert_int_equal(ask(f, "GET", "/" TENANT "/v2.0/.well-known/openid-configuration", NULL), 200);
    assert_str(said(f, "device_authorization_endpoint"),
               CONTROL_URL "/" TENANT "/oauth2/v2.0/devicecode");
    assert_int_equal(ask(f, "GET", "/" ADMIN_APP "/v2.0/.well-known/openid-configuration", NULL),
                     400);
    assert_int_equal(ask(f, "GET", "/common/discovery/instance?api-version=1.1", NULL), 200);
    assert_str(said(f, "tenant_discovery_endpoint"),
               CONTROL_URL "/" TENANT "/v2.0/.well-known/openid-configuration");
}

static void the_realm_says_nothing_of_who_there_is(void **state)
{
    CLEANUP(buf_done) struct buf first = BUF_INIT(4096);
    struct sts *f = *state;

    make_ann(f);
    assert_int_equal(ask(f, "GET", "/common/userrealm/ann@example.org?api-version=1.0", NULL), 200);
    assert_str(said(f, "account_type"), "Managed");
    assert_str(said(f, "domain_name"), "example.org");
    buf_add(&first, f->req.response.body);
    assert_int_equal(ask(f, "GET", "/common/userrealm/bob%40example.org", NULL), 200);
    assert_true(str_eq(buf_str(&first), f->req.response.body));
}

static void the_metadata_has_the_form_of_its_version(void **state)
{
    CLEANUP(json_freep) struct json *list = NULL;
    struct sts *f = *state;

    assert_int_equal(ask(f, "GET", "/metadata/endpoints?api-version=2015-01-01", NULL), 200);
    assert_str(said(f, "graphEndpoint"), CONTROL_URL "/");
    assert_str(said(f, "authentication.loginEndpoint"), CONTROL_URL "/adfs");
    assert_null(json_get(f->answer, "suffixes"));

    assert_int_equal(ask(f, "GET", "/metadata/endpoints?api-version=2019-05-01", NULL), 200);
    assert_int_equal(json_parse(f->req.response.body, NULL, &list, NULL), RC_OK);
    assert_int_equal(json_len(list), 1);
    assert_str(json_str(json_path(json_at(list, 0), "suffixes.acrLoginServer")), "registry.test");

    assert_int_equal(ask(f, "GET", "/metadata/endpoints?api-version=2022-09-01", NULL), 200);
    assert_str(said(f, "name"), "Kidoban");
    assert_str(said(f, "authentication.tenant"), TENANT);
    assert_str(said(f, "microsoftGraphResourceId"), CONTROL_URL "/");
    assert_null(json_get(f->answer, "vmImageAliasDoc")); /* a document that nobody serves */
    assert_int_equal(ask(f, "GET", "/metadata/endpoints", NULL), 200);
    assert_str(said(f, "name"), "Kidoban");
    assert_int_equal(ask(f, "GET", "/metadata/endpoints?api-version=1&api-version=2", NULL), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STS_TEST(each_form_of_discovery_names_its_own_endpoints),
        STS_TEST(the_realm_says_nothing_of_who_there_is),
        STS_TEST(the_metadata_has_the_form_of_its_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
