/* kidoban acr network-rule, acr check-network-access. */
#include "cli/command.h"
#include "sys/file.h"
#include <unistd.h>

static enum rc one_of_two(const struct cli_args *a, struct err *e)
{
    if (cli_given(a, CLI_SUBNET) == cli_given(a, CLI_IP_ADDRESS))
        return err_set(e, RC_INVALID, "say one of --subnet and --ip-address");
    return RC_OK;
}

/* What the control plane's set shows, as `az acr network-rule list` prints it. */
static struct json *listed(const struct json *registry)
{
    const struct json *set = json_path(registry, "properties.networkRuleSet");
    const struct json *subnets = json_get(set, "virtualNetworkRules");
    const struct json *ips = json_get(set, "ipRules");
    struct json *out = json_new_object(), *rules = json_new_array();

    json_set(out, "ipRules", ips ? json_clone(ips) : json_new_array());
    for (size_t i = 0; i < json_len(subnets); i++) {
        struct json *rule = json_clone(json_at(subnets, i));

        json_set_str(rule, "virtualNetworkResourceId", json_str(json_get(rule, "id")));
        json_remove(rule, "id");
        json_append(rules, rule);
    }
    json_set(out, "virtualNetworkRules", rules);
    return out;
}

static enum rc premium(const struct json *registry, struct err *e)
{
    if (str_is_nocase(json_str(json_path(registry, "sku.name")), "Premium"))
        return RC_OK;
    return err_set(e, RC_INVALID,
                   "Network rules are only supported for managed registries in Premium SKU.");
}

static enum rc list(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *registry = NULL;
    struct str path;
    enum rc rc = cli_registry_path(s, &path, e);

    if (rc == RC_OK)
        rc = cli_request(s, "GET", path, NULL, &registry, e);
    if (rc == RC_OK)
        rc = premium(registry, e);
    if (rc == RC_OK)
        *ret = listed(registry);
    return rc;
}

/* One rule, sent to an action that changes it alone: other writers are not disturbed. */
static enum rc change(struct cli_session *s, const char *action, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *rule = json_new_object();
    struct str path, id = STR_NONE;
    enum rc rc = one_of_two(s->args, e);

    if (rc == RC_OK)
        rc = cli_registry_path(s, &path, e);
    if (rc == RC_OK && cli_given(s->args, CLI_SUBNET))
        rc = cli_subnet_id(s, path, &id, e);
    if (rc != RC_OK)
        return rc;
    json_set_text(rule, "action", "Allow");
    if (id.ptr)
        json_set_str(rule, "virtualNetworkSubnetResourceId", id);
    else
        json_set_text(rule, "value", cli_value(s->args, CLI_IP_ADDRESS));
    return cli_request(s, "POST", arena_printf(&s->arena, "%.*s/%s", STR_ARG(path), action), rule,
                       ret, e);
}

static enum rc add(struct cli_session *s, struct json **ret, struct err *e)
{
    return change(s, "addNetworkRule", ret, e);
}

static enum rc remove_rule(struct cli_session *s, struct json **ret, struct err *e)
{
    return change(s, "removeNetworkRule", ret, e);
}

static enum rc origin_of(struct cli_session *s, struct str registry, struct json *origin,
                         struct err *e)
{
    const struct cli_args *a = s->args;
    struct str id;
    enum rc rc;

    if (cli_given(a, CLI_SUBNET) + cli_given(a, CLI_IP_ADDRESS) +
            cli_given(a, CLI_PRIVATE_ENDPOINT) !=
        1)
        return err_set(e, RC_INVALID, "say one of --ip-address, --subnet and --private-endpoint");
    if (cli_given(a, CLI_IP_ADDRESS))
        json_set_text(origin, "ipAddress", cli_value(a, CLI_IP_ADDRESS));
    if (cli_given(a, CLI_PRIVATE_ENDPOINT))
        json_set_str(origin, "privateEndpointId", str_from(cli_value(a, CLI_PRIVATE_ENDPOINT)));
    if (!cli_given(a, CLI_SUBNET))
        return RC_OK;
    rc = cli_subnet_id(s, registry, &id, e);
    if (rc == RC_OK)
        json_set_str(origin, "subnetId", id);
    return rc;
}

static enum rc check(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct json *origin = json_new_object(), *proposed = NULL;
    struct str path;
    enum rc rc = cli_registry_path(s, &path, e);

    json_set(body, "origin", origin);
    if (rc == RC_OK)
        rc = origin_of(s, path, origin, e);
    if (rc == RC_OK && cli_given(s->args, CLI_PROPOSED)) {
        rc = json_parse(str_from(cli_value(s->args, CLI_PROPOSED)), NULL, &proposed, e);
        if (rc != RC_OK)
            return err_prefix(e, rc, "argument --proposed");
        json_set(body, "proposed", proposed);
    }
    if (rc != RC_OK)
        return rc;
    return cli_request(s, "POST", arena_printf(&s->arena, "%.*s/checkNetworkAccess", STR_ARG(path)),
                       body, ret, e);
}

/* --- denials --- */

enum { FOLLOW_US = 500 * 1000 };

/* One line for each: what scripts read, and people too. */
static enum rc print_new(const struct json *list, int64_t *serial, struct err *e)
{
    for (size_t i = 0; i < json_len(list); i++) {
        CLEANUP(buf_done) struct buf line = BUF_INIT(4096);
        enum rc rc;

        json_write(json_at(list, i), &line);
        buf_addc(&line, '\n');
        rc = file_write_all(STDOUT_FILENO, line.ptr, line.len, e);
        if (rc != RC_OK)
            return rc;
        *serial = json_int(json_get(json_at(list, i), "serial"), *serial);
    }
    return RC_OK;
}

/* Asks for what is newer, again and again, until it is interrupted. */
static enum rc follow(struct cli_session *s, struct str path, struct err *e)
{
    int64_t serial = 0;

    for (;;) {
        CLEANUP(json_freep) struct json *page = NULL;
        CLEANUP(buf_done) struct buf next = BUF_INIT(4096);
        enum rc rc;

        buf_addf(&next, "%.*s?after=%lld", STR_ARG(path), (long long)serial);
        rc = cli_request(s, "GET", buf_str(&next), NULL, &page, e);
        if (rc == RC_OK)
            rc = print_new(json_get(page, "value"), &serial, e);
        if (rc != RC_OK)
            return rc;
        usleep(FOLLOW_US);
    }
}

static enum rc denials(struct cli_session *s, struct json **ret, struct err *e)
{
    struct str path;
    enum rc rc = cli_registry_path(s, &path, e);

    if (rc != RC_OK)
        return rc;
    path = arena_printf(&s->arena, "%.*s/denials", STR_ARG(path));
    return cli_given(s->args, CLI_FOLLOW) ? follow(s, path, e) : cli_list(s, path, ret, e);
}

const struct cli_command cli_rule_commands[] = {
    {"acr network-rule add", "name! resource-group subnet vnet-name ip-address",
     "let a subnet or an address in", add},
    {"acr network-rule list", "name! resource-group", "list the rules", list},
    {"acr network-rule remove", "name! resource-group subnet vnet-name ip-address",
     "take a rule away", remove_rule},
    {"acr check-network-access",
     "name! resource-group subnet vnet-name ip-address private-endpoint proposed",
     "what the gate would decide, and why", check},
    {"acr denials", "name! resource-group follow", "what the gate refused of late", denials},
    {0},
};
