/* kidoban group: resource groups. */
#include "cli/command.h"

static struct str path_of(struct cli_session *s)
{
    return cli_group_path(s, cli_value(s->args, CLI_NAME));
}

static enum rc create(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();

    json_set_text(body, "location", cli_location(s->args));
    if (cli_given(s->args, CLI_TAGS))
        json_set(body, "tags", cli_tags(s->args));
    return cli_request(s, "PUT", path_of(s), body, ret, e);
}

static enum rc show(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "GET", path_of(s), NULL, ret, e);
}

static enum rc list(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_list(
        s, arena_printf(&s->arena, "/subscriptions/%.*s/resourceGroups", STR_ARG(s->subscription)),
        ret, e);
}

static enum rc delete_group(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "DELETE", path_of(s), NULL, ret, e);
}

const struct cli_command cli_group_commands[] = {
    {"group create", "name! location tags", "make a resource group", create},
    {"group show", "name!", "show a resource group", show},
    {"group list", "", "list resource groups", list},
    {"group delete", "name! yes no-wait", "delete a resource group and all that is in it",
     delete_group, true},
    {0},
};
