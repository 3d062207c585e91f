/* What every resource type does, whatever it is. A new type is one more row. */
#include "arm/fixture.h"

#include <stdio.h>

struct subject {
    const char *type, *path, *list, *body, *bad_name;
    unsigned replaced, deleted,
        deleted_again; /* the statuses of a second PUT, of a DELETE and of a second one */
};
#define PREFIXES        "\"addressSpace\":{\"addressPrefixes\":[\"10.0.0.0/16\"]}"
#define SUBNET_OF_OTHER G "/providers/Microsoft.Network/virtualNetworks/other/subnets/s"
static const struct subject subjects[] = {
    {"Microsoft.Resources/resourceGroups", S "/resourceGroups/subject", S "/resourceGroups",
     "{\"location\":\"local\",\"tags\":{\"a\":\"b\"}}", S "/resourceGroups/what%3F", 200, 202, 404},
    {"Microsoft.ContainerRegistry/registries", REGISTRY,
     G "/providers/Microsoft.ContainerRegistry/registries",
     "{\"location\":\"local\",\"tags\":{\"a\":\"b\"},\"sku\":{\"name\":\"Premium\"},\"properties\":"
     "{\"networkRuleSet\":{"
     "\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"192.0.2.0/"
     "24\"}]},\"publicNetworkAccess\":\"Disabled\","
     "\"adminUserEnabled\":true,\"anonymousPullEnabled\":true}}",
     G "/providers/Microsoft.ContainerRegistry/registries/no-good", 201, 200, 204},
    {"Microsoft.Network/virtualNetworks", VNET, G "/providers/Microsoft.Network/virtualNetworks",
     "{\"location\":\"local\",\"tags\":{\"a\":\"b\"},\"properties\":{" PREFIXES
     ",\"dhcpOptions\":{\"dnsServers\":[\"10.0.0.1\"]},"
     "\"subnets\":[{\"name\":\"N\",\"properties\":{\"addressPrefixes\":[\"10.0.0.0/"
     "24\"],\"serviceEndpoints\":[{\"service\":"
     "\"Microsoft.ContainerRegistry\"}]}}]}}",
     G "/providers/Microsoft.Network/virtualNetworks/-no", 200, 202, 204},
    {"Microsoft.Network/networkSecurityGroups", NSG,
     G "/providers/Microsoft.Network/networkSecurityGroups",
     "{\"location\":\"local\",\"tags\":{\"a\":\"b\"},\"properties\":{\"securityRules\":[{\"name\":"
     "\"r\",\"properties\":{\"description\":\"d\",\"protocol\":\"Tcp\",\"access\":\"Deny\","
     "\"direction\":"
     "\"Outbound\",\"priority\":100,\"sourcePortRange\":\"*\",\"destinationPortRanges\":[\"80-90\","
     "\"443\"],"
     "\"sourceAddressPrefix\":\"VirtualNetwork\",\"destinationAddressPrefixes\":[\"10.0.0.0/8\","
     "\"2001:db8::/32\"]}}]}}",
     G "/providers/Microsoft.Network/networkSecurityGroups/-no", 200, 202, 204},
    {"Microsoft.Network/applicationSecurityGroups",
     G "/providers/Microsoft.Network/applicationSecurityGroups/A",
     G "/providers/Microsoft.Network/applicationSecurityGroups",
     "{\"location\":\"local\",\"tags\":{\"a\":\"b\"}}",
     G "/providers/Microsoft.Network/applicationSecurityGroups/-no", 200, 202, 204},
    {"Microsoft.Network/publicIPAddresses", PUBLIC_IP,
     G "/providers/Microsoft.Network/publicIPAddresses",
     "{\"location\":\"local\",\"tags\":{\"a\":\"b\"},\"sku\":{\"name\":\"Standard\"},\"zones\":["
     "\"1\"],"
     "\"properties\":{\"publicIPAllocationMethod\":\"Static\",\"idleTimeoutInMinutes\":7,"
     "\"publicIPAddressVersion\":\"IPv6\",\"dnsSettings\":{\"domainNameLabel\":\"front\","
     "\"reverseFqdn\":\"x.example\"},\"ipTags\":[{\"ipTagType\":\"FirstPartyUsage\",\"tag\":\"/"
     "Sql\"}],\"ddosSettings\":{\"protectionMode\":\"Disabled\"}}}",
     G "/providers/Microsoft.Network/publicIPAddresses/-no", 200, 202, 204},
    {"Microsoft.Network/networkInterfaces", NIC, G "/providers/Microsoft.Network/networkInterfaces",
     "{\"location\":\"local\",\"tags\":{\"a\":\"b\"},\"properties\":{\"enableIPForwarding\":true,"
     "\"dnsSettings\":{\"dnsServers\":[\"10.0.0.1\"]},\"ipConfigurations\":[{\"name\":\"one\","
     "\"properties\":{"
     "\"subnet\":{\"id\":\"" SUBNET_OF_OTHER
     "\"}}},{\"name\":\"two\",\"properties\":{\"primary\":true,"
     "\"privateIPAllocationMethod\":\"Static\",\"privateIPAddress\":\"10.0.0.9\",\"subnet\":{"
     "\"id\":"
     "\"" SUBNET_OF_OTHER "\"}}}]}}",
     G "/providers/Microsoft.Network/networkInterfaces/-no", 200, 202, 204},
    {"Kidoban.Network/attachments", "/providers/Kidoban.Network/attachments/a",
     "/providers/Kidoban.Network/attachments",
     "{\"properties\":{\"kind\":\"netns\",\"netns\":{\"name\":\"blue\"},\"virtualNetwork\":{\"id\":"
     "\"" G "/providers/Microsoft.Network/virtualNetworks/"
     "other\"},\"services\":[\"data\",\"control\"],\"trustedService\":true,"
     "\"outboundPublicIPAddress\":\"198.51.100.1\"}}",
     "/providers/Kidoban.Network/attachments/-no", 200, 200, 204},
};

static int set_up(void **state)
{
    int rc = control_setup(state);

    assert_int_equal(control(*state, "PUT", G, "{\"location\":\"local\"}"), 201);
    assert_int_equal(control(*state, "PUT", G "/providers/Microsoft.Network/virtualNetworks/other",
                             "{\"location\":\"local\",\"properties\":{" PREFIXES
                             ",\"subnets\":[{\"name\":\"s\",\"properties\":{\"addressPrefix\":"
                             "\"10.0.0.0/24\"}}]}}"),
                     201);
    return rc;
}

/* Runs fn for every type, each in a place of its own. */
static void for_each(void (*fn)(struct control *c, const struct subject *s))
{
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
        void *state = NULL;

        print_message("  %s\n", subjects[i].type);
        assert_int_equal(set_up(&state), 0);
        fn(state, &subjects[i]);
        control_teardown(&state);
    }
}

/* What was answered, without what every write changes. */
static struct json *lasting(struct control *c)
{
    struct json *j = json_clone(c->answer);
    static const char *const lists[] = {"subnets", "securityRules", "defaultSecurityRules",
                                        "ipConfigurations"};

    json_remove(j, "etag");
    json_remove(j, "systemData");
    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        struct json *list = json_get(json_get(j, "properties"), lists[k]);

        for (size_t i = 0; i < json_len(list); i++)
            json_remove(json_at(list, i), "etag");
    }
    return j;
}

static void live(struct control *c, const struct subject *s)
{
    char odd[512];
    size_t before;

    assert_int_equal(control(c, "GET", s->list, NULL), 200);
    before = json_len(json_get(c->answer, "value"));
    assert_int_equal(control(c, "GET", s->path, NULL), 404);
    assert_int_equal(control(c, "PUT", s->path, s->body), 201);
    control_operations(c);
    assert_str(answer_text(c, "type"), s->type);
    assert_str(answer_text(c, "id"), s->path);
    assert_int_equal(control(c, "PUT", s->path, s->body), s->replaced);
    assert_int_equal(str_copy(str_from(s->path), odd, sizeof(odd)), RC_OK);
    for (char *at = odd; *at; at++)
        *at = ascii_lower(*at);
    assert_int_equal(control(c, "GET", odd, NULL), 200);
    assert_str(answer_text(c, "id"), s->path);
    assert_int_equal(control(c, "GET", s->list, NULL), 200);
    assert_int_equal(json_len(json_get(c->answer, "value")), before + 1);
    assert_int_equal(control(c, "DELETE", s->path, NULL), s->deleted);
    control_operations(c);
    assert_int_equal(control(c, "DELETE", s->path, NULL), s->deleted_again);
    assert_int_equal(control(c, "GET", s->path, NULL), 404);
}

static void one_is_made_replaced_found_listed_and_deleted(void **state)
{
    (void)state;
    for_each(live);
}

static void return_it(struct control *c, const struct subject *s)
{
    CLEANUP(json_freep) struct json *first = NULL, *again = NULL;
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);

    assert_int_equal(control(c, "PUT", s->path, s->body), 201);
    control_operations(c);
    assert_int_equal(control(c, "GET", s->path, NULL), 200);
    first = lasting(c);
    json_write(c->answer, &text);
    assert_int_equal(control(c, "PUT", s->path, buf_cstr(&text)), s->replaced);
    control_operations(c);
    assert_int_equal(control(c, "GET", s->path, NULL), 200);
    again = lasting(c);
    assert_true(json_same(first, again));
}

static void what_is_shown_can_be_sent_back_and_changes_nothing(void **state)
{
    (void)state;
    for_each(return_it);
}

static struct str etag_of(const struct control *c)
{
    for (size_t i = 0; i < c->req.response.fields.n; i++)
        if (str_is_nocase(c->req.response.fields.list[i].name, "ETag"))
            return c->req.response.fields.list[i].value;
    return STR_NONE;
}

static void guard(struct control *c, const struct subject *s)
{
    char etag[64];

    control_field(c, "If-Match", STR("*"));
    assert_int_equal(control(c, "PUT", s->path, s->body), 412);
    control_field(c, "If-None-Match", STR("*"));
    assert_int_equal(control(c, "PUT", s->path, s->body), 201);
    control_operations(c);
    assert_int_equal(control(c, "GET", s->path, NULL), 200);
    assert_int_equal(str_copy(etag_of(c), etag, sizeof(etag)), RC_OK);
    control_field(c, "If-None-Match", STR("*"));
    assert_int_equal(control(c, "PUT", s->path, s->body), 412);
    control_field(c, "If-Match", str_from(etag));
    assert_int_equal(control(c, "PUT", s->path, s->body), s->replaced);
    assert_false(str_eq(etag_of(c), str_from(etag)));
    control_field(c, "If-Match", str_from(etag));
    assert_int_equal(control(c, "DELETE", s->path, NULL), 412);
    assert_int_equal(control(c, "GET", s->path, NULL), 200);
}

static void conditions_are_kept_and_every_write_has_a_new_etag(void **state)
{
    (void)state;
    for_each(guard);
}

static void refuse(struct control *c, const struct subject *s)
{
    static const char *const bodies[] = {"{", "[]", "null", "{\"location\":7}",
                                         "{\"properties\":[]}"};

    assert_int_equal(control(c, "PUT", s->bad_name, s->body), 400);
    assert_int_equal(control(c, "PUT", s->path, NULL), 400);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_int_equal(control(c, "PUT", s->path, bodies[i]), 400);
        assert_true(answer_text(c, "error.code").len > 0 &&
                    answer_text(c, "error.message").len > 0);
    }
    assert_int_equal(control(c, "GET", s->path, NULL), 404);
}

static void bad_names_and_bodies_are_refused_and_leave_nothing(void **state)
{
    (void)state;
    for_each(refuse);
}

static enum rc audit_count(const struct meta_audit *entry, void *arg, struct err *e)
{
    unsigned *n = arg;

    (void)e;
    assert_true(entry->principal.len > 0 && entry->address.len > 0 && entry->target.len > 0);
    n[0]++;
    n[1] += entry->before.len > 0;
    n[2] += entry->after.len > 0;
    return RC_OK;
}

static enum rc audit_read(struct meta_tx *tx, void *arg, struct err *e)
{
    return meta_audit_each(tx, 0, 1000, audit_count, arg, e);
}

static void audit(struct control *c, const struct subject *s)
{
    unsigned n[3] = {0}, m[3] = {0};

    assert_int_equal(meta_read(c->meta, audit_read, n, NULL), RC_OK);
    assert_int_equal(control(c, "PUT", s->path, s->body), 201);
    control_operations(c);
    assert_int_equal(control(c, "PUT", s->path, s->body), s->replaced);
    assert_int_equal(control(c, "PUT", s->path, "{}"), 400);
    assert_int_equal(control(c, "DELETE", s->path, NULL), s->deleted);
    control_operations(c);
    assert_int_equal(meta_read(c->meta, audit_read, m, NULL), RC_OK);
    /* A group is written once more: it shows that it goes. */
    unsigned more = s->deleted_again == 404;

    assert_int_equal(m[0] - n[0], 3 + more); /* the refused one left none */
    assert_int_equal(m[1] - n[1], 2 + more); /* replaced, deleted */
    assert_int_equal(m[2] - n[2], 2 + more); /* made, replaced */
}

static void each_write_leaves_an_audit_entry_with_before_and_after(void **state)
{
    (void)state;
    for_each(audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_made_replaced_found_listed_and_deleted),
        cmocka_unit_test(what_is_shown_can_be_sent_back_and_changes_nothing),
        cmocka_unit_test(conditions_are_kept_and_every_write_has_a_new_etag),
        cmocka_unit_test(bad_names_and_bodies_are_refused_and_leave_nothing),
        cmocka_unit_test(each_write_leaves_an_audit_entry_with_before_and_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
