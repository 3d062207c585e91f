/* What several commands share: finding a registry by its name, lists, tags. */
#include "cli/command.h"

enum rc cli_list(struct cli_session *s, struct str path, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *all = json_new_array();
    enum rc rc = RC_OK;

    while (rc == RC_OK && path.len > 0) {
        CLEANUP(json_freep) struct json *page = NULL;
        struct str next;

        rc = cli_request(s, "GET", path, NULL, &page, e);
        if (rc != RC_OK)
            return rc;
        for (size_t i = 0; i < json_len(json_get(page, "value")); i++)
            json_append(all, json_clone(json_at(json_get(page, "value"), i)));
        next = json_str(json_get(page, "nextLink"));
        if (next.len > 0 && !str_starts(next, s->control))
            return err_set(e, RC_INTERNAL, "the next page is at another server");
        path = arena_copy(&s->arena, str_skip(next, s->control.len));
    }
    *ret = all;
    all = NULL;
    return RC_OK;
}

static enum rc registry_by_name(struct cli_session *s, const char *name, struct str *ret,
                                struct err *e)
{
    CLEANUP(json_freep) struct json *all = NULL;
    struct str path = arena_printf(&s->arena, "/subscriptions/%.*s/providers/" REGISTRIES,
                                   STR_ARG(s->subscription));
    enum rc rc = cli_list(s, path, &all, e);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < json_len(all); i++)
        if (str_is_nocase(json_str(json_get(json_at(all, i), "name")), name)) {
            *ret = arena_copy(&s->arena, json_str(json_get(json_at(all, i), "id")));
            return RC_OK;
        }
    return err_set(e, RC_NOT_FOUND,
                   "The resource with name '%s' and type '" REGISTRIES
                   "' could not be found in subscription '%.*s'.",
                   name, STR_ARG(s->subscription));
}

enum rc cli_registry_path(struct cli_session *s, struct str *ret, struct err *e)
{
    const char *name = cli_value(s->args, CLI_NAME), *group = cli_value(s->args, CLI_GROUP);

    if (!group)
        return registry_by_name(s, name, ret, e);
    *ret = cli_path(s, group, REGISTRIES, name);
    return RC_OK;
}

enum rc cli_subnet_id(struct cli_session *s, struct str registry, struct str *ret, struct err *e)
{
    const char *subnet = cli_value(s->args, CLI_SUBNET);
    const char *vnet = cli_value(s->args, CLI_VNET_NAME);
    struct str group = registry;

    if (subnet[0] == '/') {
        *ret = str_from(subnet);
        return RC_OK;
    }
    if (!vnet)
        return err_set(e, RC_INVALID, "--subnet takes an id, or a name together with --vnet-name");
    /* The network is in the registry's own group, as with az. */
    for (size_t i = 0; i + STR(REGISTRIES).len < registry.len; i++)
        if (str_starts_nocase(str_skip(registry, i), STR("/providers/")))
            group = str_take(registry, i);
    *ret = arena_printf(&s->arena, "%.*s/providers/" VNETS "/%s/subnets/%s", STR_ARG(group), vnet,
                        subnet);
    return RC_OK;
}

struct json *cli_tags(const struct cli_args *a)
{
    struct json *tags = json_new_object();

    for (size_t i = 0; i < a->option[CLI_TAGS].n; i++) {
        struct str value = str_from(a->option[CLI_TAGS].value[i]), name = str_split(&value, '=');
        char text[512];

        if (str_copy(name, text, sizeof(text)) == RC_OK)
            json_set_str(tags, text, value.ptr ? value : STR(""));
    }
    return tags;
}

struct json *cli_strings(const struct cli_args *a, enum cli_option o)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < a->option[o].n; i++)
        json_append(list, json_new_text(a->option[o].value[i]));
    return list;
}

const char *cli_location(const struct cli_args *a)
{
    const char *location = cli_value(a, CLI_LOCATION);

    return location ? location : "local";
}

bool cli_prints_rows(const struct cli_args *a)
{
    struct str format = str_from(cli_given(a, CLI_OUTPUT) ? cli_value(a, CLI_OUTPUT) : "json");

    return str_is(format, "table") || str_is(format, "tsv");
}
