/* kidoban acr: registries and their credentials. */
#include "cli/command.h"

/* The members that create and update have in common. */
struct change {
    struct json *body, *properties; /* properties is owned by body */
};

static struct change change_new(void)
{
    struct change c = {.body = json_new_object(), .properties = json_new_object()};

    json_set(c.body, "properties", c.properties);
    return c;
}

static enum rc set_switch(struct cli_session *s, enum cli_option o, struct json *to,
                          const char *member, struct err *e)
{
    bool value = false;
    enum rc rc;

    if (!cli_given(s->args, o))
        return RC_OK;
    rc = cli_switch(s->args, o, &value, e);
    if (rc == RC_OK)
        json_set(to, member, json_new_bool(value));
    return rc;
}

/* A switch that the wire says with one of two words. */
static enum rc set_word(struct cli_session *s, enum cli_option o, const char *const words[2],
                        struct json *to, const char *member, struct err *e)
{
    bool value = false;
    enum rc rc;

    if (!cli_given(s->args, o))
        return RC_OK;
    rc = cli_switch(s->args, o, &value, e);
    if (rc == RC_OK)
        json_set_text(to, member, words[value]);
    return rc;
}

static void set_rules(struct cli_session *s, struct json *properties)
{
    const char *action = cli_value(s->args, CLI_DEFAULT_ACTION);
    const char *enforcement = cli_value(s->args, CLI_ENFORCEMENT);
    const struct json *access = json_get(properties, "publicNetworkAccess");
    struct json *rules;

    /* az couples these two: without public access the default action is Deny as well. */
    if (!action && str_is(json_str(access), "Disabled"))
        action = "Deny";
    if (!action && !enforcement)
        return;
    rules = json_new_object();
    if (action)
        json_set_text(rules, "defaultAction", action);
    if (enforcement)
        json_set_text(rules, "enforcement", enforcement);
    json_set(properties, "networkRuleSet", rules);
}

static enum rc set_all(struct cli_session *s, struct change *c, struct err *e)
{
    static const char *const access[] = {"Disabled", "Enabled"};
    static const char *const bypass[] = {"None", "AzureServices"};
    struct json *p = c->properties;
    enum rc rc = set_switch(s, CLI_ADMIN_ENABLED, p, "adminUserEnabled", e);

    if (rc == RC_OK)
        rc = set_switch(s, CLI_ANONYMOUS_PULL, p, "anonymousPullEnabled", e);
    if (rc == RC_OK)
        rc = set_word(s, CLI_PUBLIC_NETWORK, access, p, "publicNetworkAccess", e);
    if (rc == RC_OK)
        rc = set_word(s, CLI_TRUSTED_SERVICES, bypass, p, "networkRuleBypassOptions", e);
    if (rc != RC_OK)
        return rc;
    set_rules(s, p);
    if (cli_given(s->args, CLI_TAGS))
        json_set(c->body, "tags", cli_tags(s->args));
    if (cli_given(s->args, CLI_SKU)) {
        struct json *sku = json_new_object();

        json_set_text(sku, "name", cli_value(s->args, CLI_SKU));
        json_set(c->body, "sku", sku);
    }
    return RC_OK;
}

/* The group's location, unless another is asked for. */
static enum rc set_location(struct cli_session *s, struct json *body, struct err *e)
{
    CLEANUP(json_freep) struct json *group = NULL;
    enum rc rc;

    if (cli_given(s->args, CLI_LOCATION)) {
        json_set_text(body, "location", cli_location(s->args));
        return RC_OK;
    }
    rc = cli_request(s, "GET", cli_group_path(s, cli_value(s->args, CLI_GROUP)), NULL, &group, e);
    if (rc == RC_OK)
        json_set_str(body, "location", json_str(json_get(group, "location")));
    return rc;
}

static enum rc create(struct cli_session *s, struct json **ret, struct err *e)
{
    struct change c = change_new();
    CLEANUP(json_freep) struct json *body = c.body;
    enum rc rc = set_all(s, &c, e);

    if (rc == RC_OK)
        rc = set_location(s, body, e);
    if (rc != RC_OK)
        return rc;
    return cli_request(
        s, "PUT",
        cli_path(s, cli_value(s->args, CLI_GROUP), REGISTRIES, cli_value(s->args, CLI_NAME)), body,
        ret, e);
}

/* A request on the registry itself, or on one of its actions. */
static enum rc on_registry(struct cli_session *s, const char *method, const char *action,
                           const struct json *body, struct json **ret, struct err *e)
{
    struct str path;
    enum rc rc = cli_registry_path(s, &path, e);

    if (rc != RC_OK)
        return rc;
    return cli_request(s, method, arena_printf(&s->arena, "%.*s%s", STR_ARG(path), action), body,
                       ret, e);
}

static enum rc update(struct cli_session *s, struct json **ret, struct err *e)
{
    struct change c = change_new();
    CLEANUP(json_freep) struct json *body = c.body;
    enum rc rc = set_all(s, &c, e);

    return rc == RC_OK ? on_registry(s, "PATCH", "", body, ret, e) : rc;
}

static enum rc show(struct cli_session *s, struct json **ret, struct err *e)
{
    return on_registry(s, "GET", "", NULL, ret, e);
}

static enum rc list(struct cli_session *s, struct json **ret, struct err *e)
{
    const char *group = cli_value(s->args, CLI_GROUP);
    struct str base =
        group ? cli_group_path(s, group)
              : arena_printf(&s->arena, "/subscriptions/%.*s", STR_ARG(s->subscription));

    return cli_list(s, arena_printf(&s->arena, "%.*s/providers/" REGISTRIES, STR_ARG(base)), ret,
                    e);
}

static enum rc delete_registry(struct cli_session *s, struct json **ret, struct err *e)
{
    return on_registry(s, "DELETE", "", NULL, ret, e);
}

static enum rc credential_show(struct cli_session *s, struct json **ret, struct err *e)
{
    return on_registry(s, "POST", "/listCredentials", NULL, ret, e);
}

static enum rc credential_renew(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();

    json_set_text(body, "name", cli_value(s->args, CLI_PASSWORD_NAME));
    return on_registry(s, "POST", "/regenerateCredential", body, ret, e);
}

const struct cli_command cli_registry_commands[] = {
    {"acr create",
     "name! resource-group! sku! location tags admin-enabled anonymous-pull-enabled "
     "default-action public-network-enabled allow-trusted-services enforcement",
     "make a registry", create},
    {"acr show", "name! resource-group", "show a registry", show},
    {"acr list", "resource-group", "list registries", list},
    {"acr update",
     "name! resource-group sku tags admin-enabled anonymous-pull-enabled default-action "
     "public-network-enabled allow-trusted-services enforcement",
     "change a registry", update},
    {"acr delete", "name! resource-group yes", "delete a registry with all its images",
     delete_registry, true},
    {"acr credential show", "name! resource-group", "show the admin user and its passwords",
     credential_show},
    {"acr credential renew", "name! resource-group password-name!",
     "make a new password or password2", credential_renew},
    {"acr login", "name! resource-group username password expose-token",
     "sign docker in to a registry", cli_acr_login},
    {0},
};
