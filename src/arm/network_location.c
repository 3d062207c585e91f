/* What Microsoft.Network says about a location: the services that have endpoints, and how much of
 * what is used. */
#include "arm/network.h"
#include "arm/vnet.h"

enum { NO_LIMIT = 1000000 };

/* --- service endpoints --- */
/* Those that ARM knows; only the registry's means something here. */
static const char *const services[] = {
    "Microsoft.Storage",
    "Microsoft.Storage.Global",
    "Microsoft.Sql",
    "Microsoft.AzureActiveDirectory",
    "Microsoft.AzureCosmosDB",
    "Microsoft.Web",
    "Microsoft.KeyVault",
    "Microsoft.EventHub",
    "Microsoft.ServiceBus",
    "Microsoft.ContainerRegistry",
    "Microsoft.CognitiveServices",
};

const char *network_service_known(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (str_is_nocase(name, services[i]))
            return services[i];
    return NULL;
}

static struct json *service_json(struct arm_call *c, const char *service)
{
    struct json *one = json_new_object();
    struct str subscription = http_param(c->req, "subscription");

    json_set_text(one, "name", service);
    json_set_str(one, "id",
                 arena_printf(c->arena,
                              "/subscriptions/%.*s/providers/Microsoft.Network/"
                              "virtualNetworkEndpointServices/%s",
                              STR_ARG(subscription), service));
    json_set_text(one, "type", "Microsoft.Network/virtualNetworkEndpointServices");
    return one;
}

enum http_verdict arm_endpoint_services(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct json *list;

    if (!arm_call_begin(&c, req))
        return HTTP_ANSWERED;
    list = json_new_array();
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        json_append(list, service_json(&c, services[i]));
    arm_set_answer(&c, json_new_object());
    json_set(c.answer, "value", list);
    arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- usages --- */
struct usage {
    const char *name, *words;
    const char *type; /* NULL: how many there may be in one other resource, which is not counted */
    int64_t limit;
};
static const struct usage usages[] = {
    {"VirtualNetworks", "Virtual Networks", "Microsoft.Network/virtualNetworks", NO_LIMIT},
    {"PublicIPAddresses", "Public IP Addresses", "Microsoft.Network/publicIPAddresses", NO_LIMIT},
    {"NetworkSecurityGroups", "Network Security Groups", "Microsoft.Network/networkSecurityGroups",
     NO_LIMIT},
    {"NetworkInterfaces", "Network Interfaces", "Microsoft.Network/networkInterfaces", NO_LIMIT},
    {"ApplicationSecurityGroups", "Application Security Groups.",
     "Microsoft.Network/applicationSecurityGroups", NO_LIMIT},
    {"SubnetsPerVirtualNetwork", "Subnets per Virtual Network", NULL, VNET_SUBNETS_MAX},
    {"PrefixesPerSubnet", "Prefixes per Subnet", NULL, SUBNET_PREFIXES_MAX},
    {"SecurityRulesPerNetworkSecurityGroup", "Security rules per Network Security Group", NULL,
     NETWORK_RULES_MAX},
};

struct usage_count {
    struct str location;
    int64_t n;
};

static enum rc usage_add(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct usage_count *count = arg;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK && str_eq_nocase(json_str(json_get(body, "location")), count->location))
        count->n++;
    return rc;
}

static struct json *usage_json(struct arm_call *c, const struct usage *u, int64_t n)
{
    struct json *one = json_new_object(), *name = json_new_object();

    json_set_str(one, "id",
                 arena_printf(c->arena,
                              "/subscriptions/%.*s/providers/Microsoft.Network/locations/%.*s/"
                              "usages/%s",
                              STR_ARG(http_param(c->req, "subscription")),
                              STR_ARG(http_param(c->req, "location")), u->name));
    json_set_text(name, "value", u->name);
    json_set_text(name, "localizedValue", u->words);
    json_set(one, "name", name);
    json_set(one, "currentValue", json_new_int(n));
    json_set(one, "limit", json_new_int(u->limit));
    json_set_text(one, "unit", "Count");
    json_set(one, "isAdjustable", json_new_bool(false));
    return one;
}

static enum rc usages_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct str prefix =
        arena_printf(c->arena, "/subscriptions/%.*s/", STR_ARG(http_param(c->req, "subscription")));
    struct json *list = json_new_array();
    enum rc rc = RC_OK;

    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", list);
    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(usages); i++) {
        struct usage_count count = {.location = http_param(c->req, "location")};

        if (usages[i].type)
            rc = meta_resource_each(tx, prefix, str_from(usages[i].type), usage_add, &count, e);
        json_append(list, usage_json(c, &usages[i], count.n));
    }
    return rc;
}

enum http_verdict arm_network_usages(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, usages_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}
