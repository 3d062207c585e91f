/* kidoban provider: the namespaces that a subscription uses. */
#include "cli/command.h"

static struct str path_of(struct cli_session *s, const char *rest)
{
    const char *name = cli_value(s->args, CLI_NAMESPACE);

    return arena_printf(&s->arena, "/subscriptions/%.*s/providers%s%s%s", STR_ARG(s->subscription),
                        name ? "/" : "", name ? cli_escape(s, str_from(name)).ptr : "", rest);
}

static enum rc list(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_list(s, path_of(s, ""), ret, e);
}

static enum rc show(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "GET", path_of(s, ""), NULL, ret, e);
}

static enum rc register_one(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "POST", path_of(s, "/register"), NULL, ret, e);
}

static enum rc unregister_one(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "POST", path_of(s, "/unregister"), NULL, ret, e);
}

const struct cli_command cli_provider_commands[] = {
    {"provider list", "", "list resource providers", list},
    {"provider show", "namespace!", "show a resource provider", show},
    {"provider register", "namespace!", "let a subscription use a provider", register_one},
    {"provider unregister", "namespace!", "let it use it no more", unregister_one},
    {0},
};
