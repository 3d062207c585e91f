/* kidoban acr network-rule, acr check-network-access. */
#include "cli/command.h"
#include "cli/output.h"
#include "sys/file.h"
#include <stdio.h>
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

static struct json *decision_row(const char *which, const struct json *origin,
                                 const struct json *decision)
{
    static const char *const members[] = {"decision", "reason", "rule"};
    struct json *row = json_new_object();

    json_set_text(row, "rules", which);
    json_set(row, "origin", json_clone(origin));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        json_set(row, members[i], json_clone(json_get(decision, members[i])));
    json_set(row, "reportOnly", json_new_bool(json_bool(json_get(decision, "reportOnly"), false)));
    return row;
}

/* As rows: what is decided, and below it what would be. */
static struct json *decision_rows(const struct json *answer)
{
    const struct json *origin = json_get(answer, "origin"),
                      *proposed = json_get(answer, "proposed");
    struct json *rows = json_new_array();

    json_append(rows, decision_row("in force", origin, answer));
    if (proposed)
        json_append(rows, decision_row("proposed", origin, proposed));
    return rows;
}

static enum rc check(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    CLEANUP(json_freep) struct json *answer = NULL;
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
    rc = cli_request(s, "POST", arena_printf(&s->arena, "%.*s/checkNetworkAccess", STR_ARG(path)),
                     body, &answer, e);
    if (rc != RC_OK)
        return rc;
    *ret = cli_prints_rows(s->args) ? decision_rows(answer) : json_clone(answer);
    return RC_OK;
}

/* --- denials --- */

enum { FOLLOW_US = 500 * 1000 };

/* A line for each: JSON, or its values with tabs between them, whichever of table and tsv was asked
 * for: a table cannot know how wide what comes will be. */
static enum rc print_line(const struct cli_args *a, const struct json *denial, struct err *e)
{
    CLEANUP(buf_done) struct buf line = BUF_INIT(64 * 1024);
    enum rc rc = RC_OK;

    if (cli_prints_rows(a))
        rc = cli_render(denial, "tsv", &line, e);
    else
        json_write(denial, &line);
    if (!cli_prints_rows(a))
        buf_addc(&line, '\n');
    return rc == RC_OK ? file_write_all(STDOUT_FILENO, line.ptr, line.len, e) : rc;
}

static enum rc print_new(const struct cli_args *a, const struct json *list, int64_t *serial,
                         struct err *e)
{
    for (size_t i = 0; i < json_len(list); i++) {
        enum rc rc = print_line(a, json_at(list, i), e);

        if (rc != RC_OK)
            return rc;
        *serial = json_int(json_get(json_at(list, i), "serial"), *serial);
    }
    return RC_OK;
}

struct followed {
    char since[64]; /* of which run of the server `serial` is */
    int64_t serial;
};

/* What is newer. A server that was started anew counts anew: then all that it has. */
static enum rc follow_once(struct cli_session *s, struct str path, struct followed *f,
                           struct err *e)
{
    CLEANUP(json_freep) struct json *page = NULL;
    CLEANUP(buf_done) struct buf next = BUF_INIT(4096);
    struct str since;
    enum rc rc;

    buf_addf(&next, "%.*s?after=%lld", STR_ARG(path), (long long)f->serial);
    rc = cli_request(s, "GET", buf_str(&next), NULL, &page, e);
    if (rc != RC_OK)
        return rc;
    since = json_str(json_get(page, "since"));
    if (f->serial > 0 && !str_is(since, f->since)) {
        f->serial = 0;
        return follow_once(s, path, f, e);
    }
    rc = str_copy(since, f->since, sizeof(f->since));
    return rc == RC_OK
               ? print_new(s->args, json_get(page, "value"), &f->serial, e)
               : err_set(e, RC_INTERNAL, "the control plane does not say since when it counts");
}

/* Asks again and again, until it is interrupted; a server that was there may go and come again. */
static enum rc follow(struct cli_session *s, struct str path, struct err *e)
{
    struct followed f = {.serial = 0};
    bool told = false;

    for (;;) {
        enum rc rc = follow_once(s, path, &f, e);

        if (rc != RC_OK && (rc != RC_UNAVAILABLE || f.since[0] == '\0'))
            return rc;
        if (rc != RC_OK && !told)
            fprintf(stderr, "WARNING: %s. Asking again until it answers.\n", e->text);
        told = rc != RC_OK;
        *e = (struct err){0};
        usleep(FOLLOW_US);
    }
}

/* In a table ids would be as long as the rest together: "blue/subnets/apps". */
static void shorten_subnets(struct json *list)
{
    for (size_t i = 0; i < json_len(list); i++) {
        struct json *denial = json_at(list, i);
        struct str id = json_str(json_get(denial, "subnet"));

        while (id.ptr && !str_is_nocase(str_split(&id, '/'), "virtualNetworks"))
            continue;
        if (id.ptr)
            json_set(denial, "subnet", json_new_str(id));
    }
}

static enum rc denials(struct cli_session *s, struct json **ret, struct err *e)
{
    struct str path;
    enum rc rc = cli_registry_path(s, &path, e);

    if (rc != RC_OK)
        return rc;
    path = arena_printf(&s->arena, "%.*s/denials", STR_ARG(path));
    if (cli_given(s->args, CLI_FOLLOW))
        return follow(s, path, e);
    rc = cli_list(s, path, ret, e);
    if (rc == RC_OK && cli_given(s->args, CLI_OUTPUT) &&
        !strcmp(cli_value(s->args, CLI_OUTPUT), "table"))
        shorten_subnets(*ret);
    return rc;
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
