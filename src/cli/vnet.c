/* kidoban network vnet, network vnet subnet. */
#include "cli/command.h"

static const char *group_of(struct cli_session *s)
{
    return cli_value(s->args, CLI_GROUP);
}

/* --- virtual networks --- */

static struct str vnet_path(struct cli_session *s, enum cli_option name)
{
    return cli_path(s, group_of(s), VNETS, cli_value(s->args, name));
}

static struct json *prefixes(const struct cli_args *a, enum cli_option o, const char *otherwise)
{
    struct json *list = cli_strings(a, o);

    if (json_len(list) == 0)
        json_append(list, json_new_text(otherwise));
    return list;
}

/* One prefix is a text, several are a list: as ARM has it. */
static void set_prefixes(struct json *properties, struct json *list)
{
    if (json_len(list) == 1) {
        json_set_str(properties, "addressPrefix", json_str(json_at(list, 0)));
        json_free(list);
    } else {
        json_set(properties, "addressPrefixes", list);
    }
}

static struct json *first_subnet(const struct cli_args *a)
{
    struct json *subnet = json_new_object(), *properties = json_new_object();

    json_set_text(subnet, "name", cli_value(a, CLI_SUBNET_NAME));
    set_prefixes(properties, prefixes(a, CLI_SUBNET_PREFIXES, "10.0.0.0/24"));
    json_set(subnet, "properties", properties);
    return subnet;
}

static enum rc vnet_create(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object(), *answer = NULL;
    struct json *properties = json_new_object(), *space = json_new_object();
    struct json *subnets = json_new_array();
    enum rc rc;

    json_set_text(body, "location", cli_location(s->args));
    json_set(body, "properties", properties);
    json_set(properties, "addressSpace", space);
    json_set(space, "addressPrefixes", prefixes(s->args, CLI_ADDRESS_PREFIXES, "10.0.0.0/16"));
    json_set(properties, "subnets", subnets);
    if (cli_given(s->args, CLI_SUBNET_NAME))
        json_append(subnets, first_subnet(s->args));
    if (cli_given(s->args, CLI_TAGS))
        json_set(body, "tags", cli_tags(s->args));
    rc = cli_request(s, "PUT", vnet_path(s, CLI_NAME), body, &answer, e);
    if (rc != RC_OK)
        return rc;
    *ret = json_new_object();
    json_set(*ret, "newVNet", answer);
    answer = NULL;
    return RC_OK;
}

static enum rc vnet_show(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "GET", vnet_path(s, CLI_NAME), NULL, ret, e);
}

static enum rc vnet_delete(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "DELETE", vnet_path(s, CLI_NAME), NULL, ret, e);
}

static enum rc vnet_list(struct cli_session *s, struct json **ret, struct err *e)
{
    struct str base =
        group_of(s) ? cli_group_path(s, group_of(s))
                    : arena_printf(&s->arena, "/subscriptions/%.*s", STR_ARG(s->subscription));

    return cli_list(s, arena_printf(&s->arena, "%.*s/providers/" VNETS, STR_ARG(base)), ret, e);
}

/* --- subnets --- */

static struct str subnet_path(struct cli_session *s)
{
    return cli_child(s, vnet_path(s, CLI_VNET_NAME), "subnets", cli_value(s->args, CLI_NAME));
}

static struct json *endpoints(const struct cli_args *a)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < a->option[CLI_SERVICE_ENDPOINTS].n; i++) {
        struct json *endpoint = json_new_object();

        json_set_text(endpoint, "service", a->option[CLI_SERVICE_ENDPOINTS].value[i]);
        json_append(list, endpoint);
    }
    return list;
}

static enum rc subnet_create(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct json *properties = json_new_object();

    json_set_text(body, "name", cli_value(s->args, CLI_NAME));
    json_set(body, "properties", properties);
    set_prefixes(properties, cli_strings(s->args, CLI_ADDRESS_PREFIXES));
    if (cli_given(s->args, CLI_SERVICE_ENDPOINTS))
        json_set(properties, "serviceEndpoints", endpoints(s->args));
    return cli_request(s, "PUT", subnet_path(s), body, ret, e);
}

/* --remove serviceEndpoints: that member of the properties, as az's generic update has it. */
static void remove_members(const struct cli_args *a, struct json *properties)
{
    for (size_t i = 0; i < a->option[CLI_REMOVE].n; i++) {
        struct str name = str_from(a->option[CLI_REMOVE].value[i]);

        if (str_starts(name, STR("properties.")))
            name = str_skip(name, STR("properties.").len);
        json_remove(properties, name.ptr);
    }
}

/* A subnet is replaced whole: what is not changed is sent back as it was read. */
static enum rc subnet_update(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *subnet = NULL;
    struct json *properties;
    enum rc rc = cli_request(s, "GET", subnet_path(s), NULL, &subnet, e);

    if (rc != RC_OK)
        return rc;
    properties = json_get(subnet, "properties");
    if (!properties)
        return err_set(e, RC_INTERNAL, "the subnet has no properties");
    if (cli_given(s->args, CLI_ADDRESS_PREFIXES)) {
        json_remove(properties, "addressPrefix");
        json_remove(properties, "addressPrefixes");
        set_prefixes(properties, cli_strings(s->args, CLI_ADDRESS_PREFIXES));
    }
    if (cli_given(s->args, CLI_SERVICE_ENDPOINTS))
        json_set(properties, "serviceEndpoints", endpoints(s->args));
    remove_members(s->args, properties);
    return cli_request(s, "PUT", subnet_path(s), subnet, ret, e);
}

static enum rc subnet_show(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "GET", subnet_path(s), NULL, ret, e);
}

static enum rc subnet_delete(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "DELETE", subnet_path(s), NULL, ret, e);
}

static enum rc subnet_list(struct cli_session *s, struct json **ret, struct err *e)
{
    struct str vnet = vnet_path(s, CLI_VNET_NAME);

    return cli_list(s, arena_printf(&s->arena, "%.*s/subnets", STR_ARG(vnet)), ret, e);
}

const struct cli_command cli_vnet_commands[] = {
    {"network vnet create",
     "name! resource-group! location tags address-prefixes subnet-name subnet-prefixes",
     "describe a virtual network", vnet_create},
    {"network vnet show", "name! resource-group!", "show a virtual network", vnet_show},
    {"network vnet list", "resource-group", "list virtual networks", vnet_list},
    {"network vnet delete", "name! resource-group! yes", "delete a virtual network", vnet_delete},
    {"network vnet subnet create",
     "name! vnet-name! resource-group! address-prefixes! service-endpoints", "describe a subnet",
     subnet_create},
    {"network vnet subnet update",
     "name! vnet-name! resource-group! address-prefixes service-endpoints remove",
     "change a subnet", subnet_update},
    {"network vnet subnet show", "name! vnet-name! resource-group!", "show a subnet", subnet_show},
    {"network vnet subnet list", "vnet-name! resource-group!", "list subnets", subnet_list},
    {"network vnet subnet delete", "name! vnet-name! resource-group! yes", "delete a subnet",
     subnet_delete},
    {0},
};
