/* What clients of the control plane see, type by type. */
#include "fixture.h"

#define LOCAL "{\"location\":\"local\"}"
#define PREMIUM                                                                                    \
    "{\"location\":\"local\",\"sku\":{\"name\":\"Premium\"},\"properties\":{\"adminUserEnabled\":" \
    "true}}"
#define NETWORK                                                                                    \
    "{\"location\":\"local\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":[\"10.0.0.0/"   \
    "16\"]},\"subnets\":[{"                                                                        \
    "\"name\":\"N\",\"properties\":{\"addressPrefix\":\"10.0.0.0/"                                 \
    "24\",\"serviceEndpoints\":[{\"service\":"                                                     \
    "\"microsoft.containerregistry\"}]}}]}}"
#define RULE_N "{\"virtualNetworkSubnetResourceId\":\"" VNET "/subnets/N\",\"action\":\"Allow\"}"
#define DENY   "{\"properties\":{\"networkRuleSet\":{\"defaultAction\":\"Deny\"}}}"
#define ATTACH "/providers/Kidoban.Network/attachments/"
#define IN_BLUE                                                                                    \
    "{\"properties\":{\"kind\":\"netns\",\"netns\":{\"name\":\"blue\"},\"virtualNetwork\":{"       \
    "\"id\":\"" VNET "\"}}}"

static struct control *lab(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    return c;
}

static struct control *lab_with_registry(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "PUT", REGISTRY, PREMIUM), 201);
    return c;
}

static struct control *lab_with_network(void **state)
{
    struct control *c = lab_with_registry(state);

    assert_int_equal(control(c, "PUT", VNET, NETWORK), 201);
    return c;
}

static void assert_error(struct control *c, const char *code)
{
    assert_str(answer_text(c, "error.code"), code);
    assert_true(answer_text(c, "error.message").len > 0);
}

/* --- groups --- */
static void a_group_is_made_found_in_any_case_and_goes_with_what_is_in_it(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(control(c, "PUT", S "/resourcegroups/LAB", LOCAL), 200);
    assert_str(answer_text(c, "id"), G);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_int_equal(control(c, "HEAD", G, NULL), 204);
    assert_int_equal(control(c, "GET", S "/resourceGroups", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 1);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(control(c, "HEAD", G, NULL), 404);
    assert_int_equal(c->req.response.body.len, 0);
    assert_int_equal(control(c, "GET", S "/providers/Microsoft.ContainerRegistry/registries", NULL),
                     200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 0);
    assert_int_equal(control(c, "GET", S "/providers/Microsoft.Network/virtualNetworks", NULL),
                     200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 0);
}

static void what_is_missing_is_said_in_arms_words(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "GET", S "/resourceGroups/x", NULL), 404);
    assert_str(answer_text(c, "error.message"), "Resource group 'x' could not be found.");
    assert_int_equal(
        control(c, "GET",
                S "/resourceGroups/x/providers/Microsoft.ContainerRegistry/registries/abcde", NULL),
        404);
    assert_error(c, "ResourceGroupNotFound");
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 404);
    assert_error(c, "ResourceNotFound");
    assert_str(answer_text(c, "error.message"),
               "The Resource 'Microsoft.ContainerRegistry/registries/myRegistry' under resource "
               "group 'lab' was not found. For more "
               "details please go to https://aka.ms/ARMResourceNotFoundFix");
    assert_int_equal(control(c, "GET", VNET "/subnets/N", NULL), 404);
    assert_error(c, "ResourceNotFound");
    assert_int_equal(control(c, "DELETE", REGISTRY, NULL), 204);
    assert_int_equal(control(c, "GET",
                             "/subscriptions/6f1a0d9e-0000-4000-8000-00000000ffff/resourceGroups",
                             NULL),
                     404);
    assert_error(c, "SubscriptionNotFound");
    assert_int_equal(control(c, "GET", G "/providers/Microsoft.Storage/storageAccounts/x", NULL),
                     400);
    assert_error(c, "NoRegisteredProviderFound");
    assert_int_equal(control(c, "GET", REGISTRY "/webhooks", NULL), 400);
    assert_error(c, "NotSupported");
    assert_int_equal(control(c, "PUT", G, "{\"location\":"), 400);
    assert_error(c, "InvalidRequestContent");
    assert_int_equal(control(c, "PUT", G, NULL), 400);
    assert_int_equal(control(c, "PUT", G, "{}"), 400);
    assert_error(c, "LocationRequired");
}

/* --- registries --- */
static void a_registry_has_no_replications_and_is_its_own_data_endpoint(void **state)
{
    struct control *c = lab_with_registry(state);

    assert_int_equal(control(c, "GET", REGISTRY "/replications", NULL), 200);
    assert_str(c->req.response.body, "{\"value\":[]}");
    assert_int_equal(control(c, "PUT", REGISTRY "/replications/westus", LOCAL), 400);
    assert_error(c, "NotSupported");
    assert_int_equal(
        control(c, "PATCH", REGISTRY, "{\"properties\":{\"dataEndpointEnabled\":true}}"), 200);
    assert_str(json_str(json_at(json_path(c->answer, "properties.dataEndpointHostNames"), 0)),
               "myregistry.azurecr.test");
}

static void a_registry_answers_in_azures_shape(void **state)
{
    struct control *c = lab_with_registry(state);

    assert_str(answer_text(c, "properties.provisioningState"), "Creating");
    control_operations(c);
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 200);
    assert_true(
        str_starts(c->req.response.body,
                   STR("{\"sku\":{\"name\":\"Premium\",\"tier\":\"Premium\"},\"type\":"
                       "\"Microsoft.ContainerRegistry/registries\",\"id\":\"" REGISTRY "\"")));
    assert_str(answer_text(c, "properties.loginServer"), "myregistry.azurecr.test:5443");
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_str(answer_text(c, "systemData.createdBy"), "administrator");
    assert_str(answer_text(c, "properties.policies.exportPolicy.status"), "enabled");
    assert_int_equal(json_type(json_get(c->answer, "tags")), JSON_OBJECT);
    assert_int_equal(control(c, "PUT", REGISTRY, PREMIUM), 201);
    assert_int_equal(control(c, "GET", G "/providers/Microsoft.ContainerRegistry/registries", NULL),
                     200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 1);
    assert_int_equal(
        control(c, "PATCH", REGISTRY, "{\"tags\":{\"a\":\"b\"},\"sku\":{\"name\":\"Basic\"}}"),
        200);
    assert_str(answer_text(c, "tags.a"), "b");
    assert_null(json_path(c->answer, "properties.networkRuleSet"));
    assert_int_equal(control(c, "DELETE", REGISTRY, NULL), 200);
    assert_int_equal(control(c, "DELETE", REGISTRY, NULL), 204);
}

static void a_registrys_name_is_one_host_name(void **state)
{
    struct control *c = lab_with_registry(state);
    const char *check = S "/providers/Microsoft.ContainerRegistry/checkNameAvailability";

    assert_int_equal(control(c, "PUT", S "/resourceGroups/other", LOCAL), 201);
    assert_int_equal(
        control(c, "PUT",
                S
                "/resourceGroups/other/providers/Microsoft.ContainerRegistry/registries/MYREGISTRY",
                PREMIUM),
        409);
    assert_error(c, "AlreadyInUse");
    assert_int_equal(
        control(c, "PUT", G "/providers/Microsoft.ContainerRegistry/registries/a-b-c-d", PREMIUM),
        400);
    assert_int_equal(
        control(c, "PUT", G "/providers/Microsoft.ContainerRegistry/registries/arm", PREMIUM), 400);
    assert_int_equal(
        control(c, "POST", check,
                "{\"name\":\"Myregistry\",\"type\":\"Microsoft.ContainerRegistry/registries\"}"),
        200);
    assert_str(answer_text(c, "reason"), "AlreadyExists");
    assert_str(answer_text(c, "message"), "The registry Myregistry is already in use.");
    assert_int_equal(
        control(c, "POST", check,
                "{\"name\":\"another\",\"type\":\"Microsoft.ContainerRegistry/registries\"}"),
        200);
    assert_str(c->req.response.body, "{\"nameAvailable\":true}");
    assert_int_equal(
        control(c, "POST", check,
                "{\"name\":\"Another\",\"type\":\"Microsoft.ContainerRegistry/registries\","
                "\"autoGeneratedDomainNameLabelScope\":\"Unsecure\"}"),
        200);
    assert_str(answer_text(c, "availableLoginServerName"), "another.azurecr.test:5443");
    assert_int_equal(
        control(c, "POST", check,
                "{\"name\":\"another\",\"type\":\"Microsoft.ContainerRegistry/registries\","
                "\"autoGeneratedDomainNameLabelScope\":\"NoReuse\"}"),
        400);
    assert_error(c, "NotSupported");
}

static void the_admin_users_passwords_can_be_shown_and_renewed_one_by_one(void **state)
{
    struct control *c = lab_with_registry(state);
    char first[64], second[64];

    assert_int_equal(control(c, "POST", REGISTRY "/listCredentials", NULL), 200);
    assert_str(answer_text(c, "username"), "myRegistry");
    assert_int_equal(
        str_copy(json_str(json_get(json_at(json_get(c->answer, "passwords"), 0), "value")), first,
                 sizeof(first)),
        RC_OK);
    assert_int_equal(
        str_copy(json_str(json_get(json_at(json_get(c->answer, "passwords"), 1), "value")), second,
                 sizeof(second)),
        RC_OK);
    assert_string_not_equal(first, second);
    assert_int_equal(
        control(c, "POST", REGISTRY "/regenerateCredential", "{\"name\":\"password2\"}"), 200);
    assert_str(json_str(json_get(json_at(json_get(c->answer, "passwords"), 0), "value")), first);
    assert_false(
        str_is(json_str(json_get(json_at(json_get(c->answer, "passwords"), 1), "value")), second));
    assert_int_equal(
        control(c, "POST", REGISTRY "/regenerateCredential", "{\"name\":\"password3\"}"), 400);
    assert_int_equal(control(c, "PATCH", REGISTRY, "{\"properties\":{\"adminUserEnabled\":false}}"),
                     200);
    assert_int_equal(control(c, "POST", REGISTRY "/listCredentials", NULL), 400);
}

static enum rc generations(const struct snapshot *s, void *arg, struct err *e)
{
    const struct snapshot_registry *r = snapshot_by_name(s, STR("myregistry"));
    int64_t *out = arg;

    (void)e;
    out[0] = r->admin_generation[0];
    out[1] = r->admin_generation[1];
    return RC_OK;
}

static void renewing_a_password_moves_its_generation_in_the_snapshot(void **state)
{
    struct control *c = lab_with_registry(state);
    int64_t before[2], after[2];

    assert_int_equal(snapshot_with_newest(c->hub, generations, before, NULL), RC_OK);
    assert_int_equal(
        control(c, "POST", REGISTRY "/regenerateCredential", "{\"name\":\"password\"}"), 200);
    assert_int_equal(snapshot_with_newest(c->hub, generations, after, NULL), RC_OK);
    assert_true(after[0] > before[0]);
    assert_int_equal(after[1], before[1]);
}

static void usages_count_rules_against_their_limits(void **state)
{
    struct control *c = lab_with_registry(state);
    const struct json *row;

    assert_int_equal(control(c, "POST", REGISTRY "/addNetworkRule", "{\"value\":\"1.2.3.4\"}"),
                     200);
    assert_int_equal(control(c, "GET", REGISTRY "/listUsages", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 8);
    row = json_at(json_get(c->answer, "value"), 3);
    assert_str(json_str(json_get(row, "name")), "IPRules");
    assert_int_equal(json_int(json_get(row, "limit"), 0), 200);
    assert_int_equal(json_int(json_get(row, "currentValue"), 0), 1);
}

/* --- rules --- */
static struct json *subnet_rules(struct control *c)
{
    return json_path(c->answer, "properties.networkRuleSet.virtualNetworkRules");
}

static void rules_are_shown_with_both_keys_and_without_their_uuid(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(control(c, "POST", REGISTRY "/addNetworkRule", RULE_N), 200);
    assert_int_equal(control(c, "POST", REGISTRY "/addNetworkRule", RULE_N), 200);
    assert_int_equal(json_len(subnet_rules(c)), 1);
    assert_str(json_str(json_get(json_at(subnet_rules(c), 0), "id")), VNET "/subnets/N");
    assert_str(json_str(json_get(json_at(subnet_rules(c), 0), "virtualNetworkSubnetResourceId")),
               VNET "/subnets/N");
    assert_null(json_get(json_at(subnet_rules(c), 0), "uuid"));
    assert_null(json_get(json_at(subnet_rules(c), 0), "state"));
    assert_int_equal(
        control(c, "POST", REGISTRY "/removeNetworkRule", "{\"id\":\"" VNET "/subnets/n\"}"), 200);
    assert_int_equal(json_len(subnet_rules(c)), 0);
}

static void a_subnet_made_again_does_not_regain_access(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(control(c, "POST", REGISTRY "/addNetworkRule", RULE_N), 200);
    assert_int_equal(control(c, "PATCH", REGISTRY, DENY), 200);
    assert_int_equal(control(c, "DELETE", VNET "/subnets/N", NULL), 202);
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 200);
    assert_str(json_str(json_get(json_at(subnet_rules(c), 0), "state")), "NetworkSourceDeleted");
    assert_int_equal(control(c, "PUT", VNET, NETWORK), 200);
    assert_int_equal(control(c, "POST", REGISTRY "/checkNetworkAccess",
                             "{\"origin\":{\"subnetId\":\"" VNET "/subnets/N\"}}"),
                     200);
    assert_str(answer_text(c, "decision"), "Deny");
    /* The whole set sent back changes nothing; removing and adding binds anew. */
    assert_int_equal(control(c, "PATCH", REGISTRY,
                             "{\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[" RULE_N
                             "]}}}"),
                     200);
    assert_str(json_str(json_get(json_at(subnet_rules(c), 0), "state")), "NetworkSourceDeleted");
    assert_int_equal(control(c, "POST", REGISTRY "/removeNetworkRule", RULE_N), 200);
    assert_int_equal(control(c, "POST", REGISTRY "/addNetworkRule", RULE_N), 200);
    assert_int_equal(control(c, "POST", REGISTRY "/checkNetworkAccess",
                             "{\"origin\":{\"subnetId\":\"" VNET "/subnets/N\"}}"),
                     200);
    assert_str(answer_text(c, "decision"), "Allow");
    assert_str(answer_text(c, "reason"), "virtual-network-rule");
    assert_str(answer_text(c, "rule"), VNET "/subnets/N");
}

static void a_subnet_without_the_service_endpoint_gives_no_rule(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(control(c, "PUT", VNET "/subnets/N",
                             "{\"properties\":{\"addressPrefix\":\"10.0.0.0/24\"}}"),
                     200);
    assert_null(json_path(c->answer, "properties.serviceEndpoints"));
    assert_int_equal(control(c, "POST", REGISTRY "/addNetworkRule", RULE_N), 400);
    assert_error(c, "NetworkRuleValidationError");
    assert_int_equal(control(c, "PATCH", REGISTRY,
                             "{\"properties\":{\"networkRuleSet\":{\"virtualNetworkRules\":[" RULE_N
                             "]}}}"),
                     400);
}

static void access_is_explained_and_a_proposal_judged(void **state)
{
    struct control *c = lab_with_registry(state);

    assert_int_equal(control(c, "POST", REGISTRY "/checkNetworkAccess",
                             "{\"origin\":{\"ipAddress\":\"192.0.2.9\"},\"proposed\":{"
                             "\"networkRuleSet\":{\"defaultAction\":\"Deny\","
                             "\"ipRules\":[{\"value\":\"198.51.100.0/24\"}]}}}"),
                     200);
    assert_str(answer_text(c, "decision"), "Allow");
    assert_str(answer_text(c, "reason"), "default-action");
    assert_int_equal(json_type(json_get(c->answer, "rule")), JSON_NULL);
    assert_str(answer_text(c, "origin"), "public");
    assert_str(answer_text(c, "proposed.decision"), "Deny");
    for (size_t i = 0; i < 3; i++) {
        static const char *const nothing[] = {
            "{\"origin\":{\"ipAddress\":\"192.0.2.9\"},\"proposed\":{}}",
            "{\"origin\":{\"ipAddress\":\"192.0.2.9\"},\"proposed\":[]}",
            "{\"origin\":{\"ipAddress\":\"192.0.2.9\"},\"proposed\":{\"defaultAction\":\"Deny\"}}"};

        assert_int_equal(control(c, "POST", REGISTRY "/checkNetworkAccess", nothing[i]), 400);
    }
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 200);
    assert_str(answer_text(c, "properties.networkRuleSet.defaultAction"), "Allow");
    assert_int_equal(control(c, "POST", REGISTRY "/checkNetworkAccess", "{\"origin\":{}}"), 400);
    assert_int_equal(control(c, "POST", REGISTRY "/checkNetworkAccess",
                             "{\"origin\":{\"privateEndpointId\":\"/x\"}}"),
                     404);
}

static void if_match_guards_a_write(void **state)
{
    struct control *c = lab_with_registry(state);
    char etag[64];

    assert_int_equal(control(c, "GET", REGISTRY, NULL), 200);
    for (size_t i = 0; i < c->req.response.fields.n; i++)
        if (str_is_nocase(c->req.response.fields.list[i].name, "ETag"))
            assert_int_equal(str_copy(c->req.response.fields.list[i].value, etag, sizeof(etag)),
                             RC_OK);
    control_field(c, "If-Match", str_from(etag));
    assert_int_equal(control(c, "PATCH", REGISTRY, DENY), 200);
    control_field(c, "If-Match", str_from(etag));
    assert_int_equal(control(c, "PATCH", REGISTRY, DENY), 412);
    assert_error(c, "PreconditionFailed");
    control_field(c, "If-None-Match", STR("*"));
    assert_int_equal(control(c, "PUT", REGISTRY, PREMIUM), 412);
}

/* --- networks --- */
static void a_network_shows_its_subnets_with_its_etag(void **state)
{
    struct control *c = lab_with_network(state);
    const struct json *subnet = json_at(json_path(c->answer, "properties.subnets"), 0);

    assert_str(json_str(json_get(subnet, "id")), VNET "/subnets/N");
    assert_true(str_eq(json_str(json_get(subnet, "etag")), answer_text(c, "etag")));
    assert_str(
        json_str(json_get(json_at(json_path(subnet, "properties.serviceEndpoints"), 0), "service")),
        "Microsoft.ContainerRegistry");
    assert_null(json_get(subnet, "uuid"));
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.1.0/24\"}}"),
                     201);
    assert_int_equal(control(c, "GET", VNET "/subnets", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 2);
    assert_int_equal(control(c, "GET", VNET "/subnets/m", NULL), 200);
    assert_str(answer_text(c, "type"), "Microsoft.Network/virtualNetworks/subnets");
    assert_int_equal(control(c, "GET", VNET "/subnets/O", NULL), 404);
    assert_error(c, "NotFound");
    assert_int_equal(control(c, "DELETE", VNET "/subnets/O", NULL), 204);
    assert_int_equal(control(c, "PUT", VNET "x/subnets/O", "{\"properties\":{}}"), 404);
    assert_error(c, "ParentResourceNotFound");
}

static void address_spaces_are_checked(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.0.128/25\"}}"),
                     400);
    assert_error(c, "NetcfgSubnetRangesOverlap");
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.1.0.0/24\"}}"),
                     400);
    assert_error(c, "NetcfgSubnetRangeOutsideVnet");
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.1.1/24\"}}"),
                     400);
    assert_error(c, "InvalidCIDRNotation");
    assert_non_null(strstr(answer_text(c, "error.message").ptr, "should be 10.0.1.0/24."));
    assert_int_equal(
        control(c, "PUT", VNET "/subnets/M", "{\"properties\":{\"addressPrefix\":\"10.0.1.0\"}}"),
        400);
    assert_error(c, "InvalidAddressPrefixFormat");
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"tags\":{\"a\":\"b\"},\"properties\":{\"addressPrefix\":"
                             "\"10.0.1.0/24\"}}"),
                     400);
    assert_error(c, "InvalidRequestFormat");
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.1.0/"
                             "24\",\"serviceEndpoints\":[{\"service\":\"\"}]}}"),
                     400);
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.1.0/"
                             "24\",\"routeTable\":{\"id\":\"/x\"}}}"),
                     400);
    assert_error(c, "NotSupported");
    assert_int_equal(control(c, "PUT", VNET "/subnets/M",
                             "{\"properties\":{\"addressPrefix\":\"10.0.1.0/"
                             "24\",\"networkSecurityGroup\":{\"id\":\"/x\"}}}"),
                     400);
    assert_error(c, "InvalidResourceReference");
    assert_int_equal(control(c, "PUT", G "/providers/Microsoft.Network/virtualNetworks/W",
                             "{\"location\":\"local\",\"properties\":{\"addressSpace\":{"
                             "\"addressPrefixes\":[\"10.0.0.0/8\",\"10.1.0.0/16\"]}}}"),
                     400);
}

static void a_network_put_without_subnets_keeps_them_and_an_empty_list_drops_them(void **state)
{
    struct control *c = lab_with_network(state);
    static const char without[] = "{\"location\":\"local\",\"properties\":{\"addressSpace\":{"
                                  "\"addressPrefixes\":[\"10.0.0.0/16\"]}}}";
    static const char none[] = "{\"location\":\"local\",\"properties\":{\"addressSpace\":{"
                               "\"addressPrefixes\":[\"10.0.0.0/16\"]},\"subnets\":[]}}";

    assert_int_equal(control(c, "PUT", VNET, without), 200);
    assert_int_equal(json_len(json_path(c->answer, "properties.subnets")), 1);
    assert_int_equal(control(c, "PUT", VNET, none), 200);
    assert_int_equal(json_len(json_path(c->answer, "properties.subnets")), 0);
}

/* --- attachments --- */
static void an_attachment_belongs_to_the_server_and_says_its_state(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(control(c, "PUT", ATTACH "a", IN_BLUE), 201);
    assert_str(answer_text(c, "id"), ATTACH "a");
    assert_str(answer_text(c, "properties.state"), "Waiting");
    assert_str(json_str(json_at(json_path(c->answer, "properties.services"), 0)), "data");
    assert_int_equal(control(c, "GET", "/providers/kidoban.network/Attachments", NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 1);
    assert_int_equal(control(c, "PUT", ATTACH "b", IN_BLUE), 409);
    assert_int_equal(control(c, "GET", ATTACH "b", NULL), 404);
    assert_int_equal(control(c, "DELETE", ATTACH "A", NULL), 200);
    assert_int_equal(control(c, "PUT", ATTACH "b", IN_BLUE), 201);
}

static void a_bad_attachment_is_refused_whole(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(
        control(c, "PUT", ATTACH "a",
                "{\"properties\":{\"kind\":\"range\",\"range\":{\"addressPrefixes\":[]},"
                "\"virtualNetwork\":{\"id\":\"" VNET "\"}}}"),
        400);
    assert_error(c, "InvalidRequestContent");
    assert_int_equal(control(c, "PUT", ATTACH "a",
                             "{\"properties\":{\"kind\":\"netns\",\"netns\":{\"name\":\"../x\"},"
                             "\"virtualNetwork\":{\"id\":\"" VNET "\"}}}"),
                     400);
    assert_int_equal(control(c, "PUT", ATTACH "a",
                             "{\"properties\":{\"kind\":\"netns\",\"netns\":{\"name\":\"x\"},"
                             "\"virtualNetwork\":{\"id\":\"" VNET "x\"}}}"),
                     400);
    assert_error(c, "InvalidResourceReference");
    assert_int_equal(control(c, "PUT", ATTACH "a", "{}"), 400);
    assert_int_equal(control(c, "GET", ATTACH "a", NULL), 404);
}

#define KIND(own)   "{\"properties\":{" own ",\"virtualNetwork\":{\"id\":\"" VNET "\"}}}"
#define ENDPOINT_ID G "/providers/Microsoft.Network/privateEndpoints/pe"

static void each_kind_is_stored_with_what_it_says(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(
        control(c, "PUT", ATTACH "d",
                KIND("\"Kind\":\"device\",\"Device\":{\"Name\":\"br0\"},\"privateEndpoints\":[{"
                     "\"localAddress\":\"10.0.0.9\",\"privateEndpoint\":{\"id\":\"" ENDPOINT_ID
                     "\"}}]")),
        201);
    assert_str(answer_text(c, "properties.device.name"), "br0");
    assert_str(json_str(json_path(json_at(json_path(c->answer, "properties.privateEndpoints"), 0),
                                  "privateEndpoint.id")),
               ENDPOINT_ID);
    assert_int_equal(
        control(c, "PUT", ATTACH "m", KIND("\"kind\":\"mark\",\"mark\":{\"value\":260}")), 201);
    assert_int_equal(json_int(json_path(c->answer, "properties.mark.mask"), 0), UINT32_MAX);
    assert_int_equal(control(c, "PUT", ATTACH "r",
                             KIND("\"kind\":\"range\",\"range\":{\"addressPrefixes\":[\"10.0.0.0/"
                                  "8\",\"fd00::/8\"]}")),
                     201);
    assert_int_equal(json_len(json_path(c->answer, "properties.range.addressPrefixes")), 2);
    assert_int_equal(
        control(c, "PUT", ATTACH "d", KIND("\"kind\":\"device\",\"device\":{\"name\":\"br1\"}")),
        200);
}

#define PROXY(peer, value)                                                                         \
    "\"kind\":\"proxy\",\"proxy\":{\"peers\":[\"" peer                                             \
    "\"],\"tlv\":{\"type\":234,\"value\":\"" value "\"}}"

static void a_proxys_value_is_stored_with_its_subnet_or_private_endpoint(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(
        control(c, "PUT", ATTACH "p",
                KIND(PROXY("192.0.2.1", "vpce-1") ",\"subnet\":{\"id\":\"" VNET "/subnets/N\"}")),
        201);
    assert_int_equal(json_int(json_path(c->answer, "properties.proxy.tlv.type"), 0), 234);
    assert_str(answer_text(c, "properties.proxy.tlv.value"), "vpce-1");
    assert_str(answer_text(c, "properties.subnet.id"), VNET "/subnets/N");
    assert_int_equal(control(c, "PUT", ATTACH "q",
                             KIND(PROXY("192.0.2.1", "vpce-2") ",\"privateEndpoints\":[{"
                                                               "\"privateEndpoint\":{\"id\":"
                                                               "\"" ENDPOINT_ID "\"}}]")),
                     201);
    assert_str(json_str(json_path(json_at(json_path(c->answer, "properties.privateEndpoints"), 0),
                                  "privateEndpoint.id")),
               ENDPOINT_ID);
    assert_int_equal(control(c, "PUT", ATTACH "r", KIND(PROXY("192.0.2.0/24", "vpce-1"))), 409);
    assert_int_equal(control(c, "PUT", ATTACH "r", KIND(PROXY("192.0.2.2", "vpce-1"))), 201);
    assert_int_equal(control(c, "PUT", ATTACH "s",
                             KIND(PROXY("192.0.2.1", "vpce-3") ",\"subnet\":{\"id\":\"" VNET
                                                               "/subnets/none\"}")),
                     400);
    assert_error(c, "InvalidResourceReference");
}

static void overlapping_evidence_is_a_conflict(void **state)
{
    struct control *c = lab_with_network(state);
    static const char *const pairs[][2] = {
        {KIND("\"kind\":\"device\",\"device\":{\"name\":\"br0\"}"),
         KIND("\"kind\":\"device\",\"device\":{\"name\":\"br0\"}")},
        {KIND("\"kind\":\"mark\",\"mark\":{\"value\":1,\"mask\":255}"),
         KIND("\"kind\":\"mark\",\"mark\":{\"value\":257,\"mask\":65535}")},
        {KIND("\"kind\":\"range\",\"range\":{\"addressPrefixes\":[\"10.0.0.0/8\"]}"),
         KIND("\"kind\":\"range\",\"range\":{\"addressPrefixes\":[\"fd00::/8\",\"10.1.0.0/16\"]}")},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_int_equal(control(c, "PUT", ATTACH "one", pairs[i][0]), i == 0 ? 201 : 200);
        assert_int_equal(control(c, "PUT", ATTACH "two", pairs[i][1]), 409);
        assert_int_equal(control(c, "GET", ATTACH "two", NULL), 404);
        assert_int_equal(control(c, "PUT", ATTACH "one", pairs[i][0]), 200); /* not with itself */
    }
}

static void what_another_kind_has_is_refused(void **state)
{
    struct control *c = lab_with_network(state);
    static const char *const bodies[] = {
        KIND("\"kind\":\"device\""),
        KIND("\"kind\":\"device\",\"device\":{\"name\":\"br0\"},\"mark\":{\"value\":1}"),
        KIND("\"kind\":\"device\",\"device\":{\"name\":\"br0\"},\"subnet\":{\"id\":\"/x\"}"),
        KIND("\"kind\":\"device\",\"device\":{\"name\":\"br0\"},\"privateEndpoints\":[{"
             "\"localAddress\":\"10.0.0.9\",\"privateEndpoint\":{\"id\":\"" VNET "\"}}]"),
        KIND("\"kind\":\"device\",\"device\":{\"name\":\"br0\"},\"privateEndpoints\":[{"
             "\"privateEndpoint\":{\"id\":\"" ENDPOINT_ID "\"}}]"),
        KIND("\"kind\":\"mark\",\"mark\":{\"value\":0}"),
        KIND("\"kind\":\"mark\",\"mark\":{\"value\":1},\"services\":[\"data\",\"control\"]"),
        KIND("\"kind\":\"range\",\"range\":{\"addressPrefixes\":[\"10.0.0.1/8\"]}"),
        KIND("\"kind\":\"magic\""),
        KIND("\"kind\":\"proxy\""),
        KIND("\"kind\":\"proxy\",\"proxy\":{\"peers\":[\"192.0.2.1\"]}"),
        KIND(PROXY("192.0.2.1/24", "vpce-1")),
        KIND(PROXY("192.0.2.1", "")),
        KIND(PROXY("192.0.2.1", "vpce-1") ",\"mark\":{\"value\":1}"),
    };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        assert_int_equal(control(c, "PUT", ATTACH "a", bodies[i]), 400);
    assert_int_equal(control(c, "GET", ATTACH "a", NULL), 404);
}

/* --- the rest --- */
static void a_resource_is_found_by_its_type(void **state)
{
    struct control *c = lab_with_network(state);

    assert_int_equal(control(c, "GET",
                             S "/resources?$filter=resourceType%20eq%20%27Microsoft."
                               "ContainerRegistry%2Fregistries%27&api-version=1",
                             NULL),
                     200);
    assert_int_equal(json_len(json_get(c->answer, "value")), 1);
    assert_str(json_str(json_get(json_at(json_get(c->answer, "value"), 0), "name")), "myRegistry");
    assert_int_equal(control(c, "GET", S "/resources?$filter=owner%20eq%20%27x%27", NULL), 400);
    assert_error(c, "NotSupported");
}

static void long_lists_come_in_pages(void **state)
{
    struct control *c = lab(state);
    CLEANUP(buf_done) struct buf body = BUF_INIT(200000);
    char path[256], next[512];
    size_t seen;

    buf_add(&body, STR("{\"location\":\"local\",\"properties\":{\"addressSpace\":{"
                       "\"addressPrefixes\":[\"10.0.0.0/8\"]},\"subnets\":["));
    for (int i = 0; i < 200; i++)
        buf_addf(&body,
                 "%s{\"name\":\"subnet%d\",\"properties\":{\"addressPrefix\":\"10.0.%d.0/24\"}}",
                 i ? "," : "", i, i);
    buf_add(&body, STR("]}}"));
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), G "/providers/Microsoft.Network/virtualNetworks/v%d", i);
        assert_int_equal(control(c, "PUT", path, buf_cstr(&body)), 201);
    }
    assert_int_equal(
        control(c, "GET", S "/providers/Microsoft.Network/virtualNetworks?api-version=1", NULL),
        200);
    seen = json_len(json_get(c->answer, "value"));
    assert_true(seen > 5 && seen < 20);
    while (answer_text(c, "nextLink").ptr) {
        assert_true(
            str_starts(answer_text(c, "nextLink"), STR("https://localhost:8443" S "/providers/")));
        assert_int_equal(
            str_copy(str_skip(answer_text(c, "nextLink"), strlen("https://localhost:8443")), next,
                     sizeof(next)),
            RC_OK);
        assert_int_equal(control(c, "GET", next, NULL), 200);
        seen += json_len(json_get(c->answer, "value"));
    }
    assert_int_equal(seen, 20);
}

static enum rc audit_count(const struct meta_audit *entry, void *arg, struct err *e)
{
    unsigned *n = arg;

    (void)e;
    assert_str(entry->principal, "administrator");
    assert_str(entry->address, "192.0.2.7");
    assert_int_equal(str_find(entry->after, '\0'), entry->after.len);
    n[0]++;
    if (str_is(entry->operation, "Microsoft.ContainerRegistry/registries/write") &&
        entry->before.len > 0)
        n[1]++;
    if (str_is(entry->operation, "Microsoft.ContainerRegistry/registries/delete")) {
        assert_str(entry->target, REGISTRY);
        assert_true(entry->before.len > 0 && entry->after.len == 0);
        n[2]++;
    }
    return RC_OK;
}

static enum rc audit_read(struct meta_tx *tx, void *arg, struct err *e)
{
    return meta_audit_each(tx, 0, 1000, audit_count, arg, e);
}

static void every_write_that_succeeds_leaves_one_audit_entry(void **state)
{
    struct control *c = lab_with_network(state);
    unsigned n[3] = {0};

    assert_int_equal(control(c, "PATCH", REGISTRY, DENY), 200);
    assert_int_equal(control(c, "PATCH", REGISTRY, "{\"sku\":{\"name\":\"Basic\"}}"), 409);
    assert_error(c, "SkuDowngradeNotAllowed");
    assert_int_equal(
        control(c, "POST", REGISTRY "/regenerateCredential", "{\"name\":\"password\"}"), 200);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(meta_read(c->meta, audit_read, n, NULL), RC_OK);
    /* made three, changed one, renewed, asked to delete the group, deleted three */
    assert_int_equal(n[0], 3 + 1 + 1 + 1 + 3);
    assert_int_equal(n[1], 1);
    assert_int_equal(n[2], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(a_group_is_made_found_in_any_case_and_goes_with_what_is_in_it),
        CONTROL_TEST(what_is_missing_is_said_in_arms_words),
        CONTROL_TEST(a_registry_answers_in_azures_shape),
        CONTROL_TEST(a_registry_has_no_replications_and_is_its_own_data_endpoint),
        CONTROL_TEST(a_registrys_name_is_one_host_name),
        CONTROL_TEST(the_admin_users_passwords_can_be_shown_and_renewed_one_by_one),
        CONTROL_TEST(renewing_a_password_moves_its_generation_in_the_snapshot),
        CONTROL_TEST(usages_count_rules_against_their_limits),
        CONTROL_TEST(rules_are_shown_with_both_keys_and_without_their_uuid),
        CONTROL_TEST(a_subnet_made_again_does_not_regain_access),
        CONTROL_TEST(a_subnet_without_the_service_endpoint_gives_no_rule),
        CONTROL_TEST(access_is_explained_and_a_proposal_judged),
        CONTROL_TEST(if_match_guards_a_write),
        CONTROL_TEST(a_network_shows_its_subnets_with_its_etag),
        CONTROL_TEST(address_spaces_are_checked),
        CONTROL_TEST(a_network_put_without_subnets_keeps_them_and_an_empty_list_drops_them),
        CONTROL_TEST(an_attachment_belongs_to_the_server_and_says_its_state),
        CONTROL_TEST(a_bad_attachment_is_refused_whole),
        CONTROL_TEST(each_kind_is_stored_with_what_it_says),
        CONTROL_TEST(a_proxys_value_is_stored_with_its_subnet_or_private_endpoint),
        CONTROL_TEST(overlapping_evidence_is_a_conflict),
        CONTROL_TEST(what_another_kind_has_is_refused),
        CONTROL_TEST(a_resource_is_found_by_its_type),
        CONTROL_TEST(long_lists_come_in_pages),
        CONTROL_TEST(every_write_that_succeeds_leaves_one_audit_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
