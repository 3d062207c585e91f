/* kidoban role: who has which role where. Shaped like `az role`. */
#include "cli/role.h"

#include "base/uuid.h"

#define ASSIGNMENTS "/providers/Microsoft.Authorization/roleAssignments"
#define DEFINITIONS "/providers/Microsoft.Authorization/roleDefinitions"

/* --- what was typed --- */

/* --scope, or the group, or the subscription. Without the slash that "/" ends in. */
static enum rc scope_of(struct cli_session *s, struct str *ret, struct err *e)
{
    const char *scope = cli_value(s->args, CLI_SCOPE), *group = cli_value(s->args, CLI_GROUP);

    if (scope && group)
        return err_set(e, RC_INVALID, "say one of --scope and --resource-group");
    if (scope && scope[0] != '/')
        return err_set(e, RC_INVALID, "argument --scope: %s is no resource id, and not /", scope);
    if (group)
        *ret = cli_group_path(s, group);
    else if (scope)
        *ret = strcmp(scope, "/") == 0 ? STR("") : str_from(scope);
    else
        *ret = arena_printf(&s->arena, "/subscriptions/%.*s", STR_ARG(s->subscription));
    return RC_OK;
}

static struct str filtered(struct cli_session *s, struct str path, struct str filter)
{
    return arena_printf(&s->arena, "%.*s?%%24filter=%.*s", STR_ARG(path),
                        STR_ARG(cli_escape(s, filter)));
}

enum rc cli_role_find(struct cli_session *s, struct str scope, const char *role, struct str *ret,
                      struct err *e)
{
    CLEANUP(json_freep) struct json *list = NULL;
    struct str name, path;
    struct uuid u;
    enum rc rc;

    if (role[0] == '/') {
        *ret = str_from(role);
        return RC_OK;
    }
    path = arena_printf(&s->arena, "%.*s" DEFINITIONS, STR_ARG(scope));
    if (uuid_parse(str_from(role), &u, NULL) == RC_OK) {
        *ret = arena_printf(&s->arena, "%.*s/%s", STR_ARG(path), role);
        return RC_OK;
    }
    name = arena_printf(&s->arena, "roleName eq '%s'", role);
    rc = cli_list(s, filtered(s, path, name), &list, e);
    if (rc != RC_OK)
        return rc;
    if (json_len(list) == 0)
        return err_set(e, RC_NOT_FOUND,
                       "Role '%s' doesn't exist. `kidoban role definition list` lists the roles.",
                       role);
    *ret = arena_copy(&s->arena, json_str(json_get(json_at(list, 0), "id")));
    return RC_OK;
}

static enum rc directory_get(struct cli_session *s, const char *list, const char *id,
                             struct json **ret, struct err *e)
{
    return cli_request(
        s, "GET",
        arena_printf(&s->arena, "/v1.0/%s/%.*s", list, STR_ARG(cli_escape(s, str_from(id)))), NULL,
        ret, e);
}

/* --assignee: a user's name, an application id or an object id. */
static enum rc assignee_of(struct cli_session *s, struct str *ret, struct err *e)
{
    CLEANUP(json_freep) struct json *found = NULL;
    const char *typed = cli_value(s->args, CLI_ASSIGNEE);
    enum rc rc = RC_NOT_FOUND;

    if (!strchr(typed, '@'))
        rc = directory_get(s, "servicePrincipals", typed, &found, e);
    if (rc == RC_NOT_FOUND)
        rc = directory_get(s, "users", typed, &found, e);
    if (rc == RC_NOT_FOUND)
        return err_set(e, rc,
                       "Cannot find user or service principal '%s'. `kidoban ad user list` and "
                       "`kidoban ad sp list` list them.",
                       typed);
    if (rc == RC_OK)
        *ret = arena_copy(&s->arena, json_str(json_get(found, "id")));
    return rc;
}

/* --- create --- */

enum rc cli_role_assign(struct cli_session *s, struct str scope, const char *role,
                        struct str principal, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct json *properties = json_new_object();
    struct uuid name = uuid_random();
    char text[UUID_TEXT_MAX];
    struct str id;

    json_set(body, "properties", properties);
    enum rc rc = cli_role_find(s, scope, role, &id, e);

    if (rc != RC_OK)
        return rc;
    json_set_str(properties, "roleDefinitionId", id);
    json_set_str(properties, "principalId", principal);
    if (cli_given(s->args, CLI_DESCRIPTION))
        json_set_text(properties, "description", cli_value(s->args, CLI_DESCRIPTION));
    return cli_request(s, "PUT",
                       arena_printf(&s->arena, "%.*s" ASSIGNMENTS "/%s", STR_ARG(scope),
                                    uuid_format(&name, text).ptr),
                       body, ret, e);
}

static enum rc create(struct cli_session *s, struct json **ret, struct err *e)
{
    struct str scope, principal;
    enum rc rc = scope_of(s, &scope, e);

    if (rc == RC_OK && !cli_given(s->args, CLI_SCOPE) && !cli_given(s->args, CLI_GROUP))
        return err_set(e, RC_INVALID, "say where: --scope ID or --resource-group GROUP");
    if (rc == RC_OK)
        rc = assignee_of(s, &principal, e);
    return rc == RC_OK ? cli_role_assign(s, scope, cli_value(s->args, CLI_ROLE), principal, ret, e)
                       : rc;
}

/* --- what there is --- */

struct search {
    struct str scope, principal, role; /* STR_NONE: any */
    bool inherited;                    /* also what was assigned above */
    bool all;                          /* and what was assigned inside */
};

static enum rc search_read(struct cli_session *s, struct search *ret, struct err *e)
{
    struct search q = {.inherited = cli_given(s->args, CLI_INCLUDE_INHERITED),
                       .all = cli_given(s->args, CLI_ALL)};
    enum rc rc = scope_of(s, &q.scope, e);

    if (rc == RC_OK && q.all && (cli_given(s->args, CLI_SCOPE) || cli_given(s->args, CLI_GROUP)))
        return err_set(e, RC_INVALID, "--all is about the whole subscription");
    if (rc == RC_OK && cli_given(s->args, CLI_ASSIGNEE))
        rc = assignee_of(s, &q.principal, e);
    if (rc == RC_OK && cli_given(s->args, CLI_ROLE))
        rc = cli_role_find(s, q.scope, cli_value(s->args, CLI_ROLE), &q.role, e);
    if (rc == RC_OK)
        *ret = q;
    return rc;
}

static bool wanted(const struct search *q, const struct json *one)
{
    const struct json *p = json_get(one, "properties");
    struct str at = q->scope.len > 0 ? q->scope : STR("/");

    if (q->principal.ptr && !str_eq_nocase(json_str(json_get(p, "principalId")), q->principal))
        return false;
    if (q->role.ptr && !str_eq_nocase(json_str(json_get(p, "roleDefinitionId")), q->role))
        return false;
    return q->all || q->inherited || str_eq_nocase(json_str(json_get(p, "scope")), at);
}

static enum rc search(struct cli_session *s, const struct search *q, struct json **ret,
                      struct err *e)
{
    CLEANUP(json_freep) struct json *list = NULL;
    struct str path = arena_printf(&s->arena, "%.*s" ASSIGNMENTS, STR_ARG(q->scope));
    enum rc rc = cli_list(s, q->all ? path : filtered(s, path, STR("atScope()")), &list, e);

    if (rc != RC_OK)
        return rc;
    *ret = json_new_array();
    for (size_t i = 0; i < json_len(list); i++)
        if (wanted(q, json_at(list, i)))
            json_append(*ret, json_clone(json_at(list, i)));
    return RC_OK;
}

/* The member of the one of `list` whose `key` is `id`. */
static struct str looked_up(const struct json *list, const char *key, struct str id,
                            const char *member)
{
    for (size_t i = 0; i < json_len(list); i++)
        if (str_eq_nocase(json_str(json_get(json_at(list, i), key)), id))
            return json_str(json_path(json_at(list, i), member));
    return STR_NONE;
}

static enum rc principals_get(struct cli_session *s, const struct json *found, struct json **ret,
                              struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct json *ids = json_new_array();

    json_set(body, "ids", ids);
    for (size_t i = 0; i < json_len(found); i++)
        json_append(ids, json_clone(json_path(json_at(found, i), "properties.principalId")));
    return cli_request(s, "POST", STR("/v1.0/directoryObjects/getByIds"), body, ret, e);
}

/* Names, as az shows them: a user's to sign in with, an application's id. */
static void names_set(struct json *one, const struct json *roles, const struct json *principals)
{
    const struct json *p = json_get(one, "properties");
    struct str id = json_str(json_get(p, "principalId"));
    struct str name = looked_up(principals, "id", id, "userPrincipalName");

    if (!name.ptr)
        name = looked_up(principals, "id", id, "appId");
    json_set_str(one, "principalName", name.ptr ? name : STR(""));
    json_set_str(
        one, "roleDefinitionName",
        looked_up(roles, "id", json_str(json_get(p, "roleDefinitionId")), "properties.roleName"));
}

static enum rc list(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *found = NULL, *roles = NULL, *principals = NULL;
    struct search q;
    enum rc rc = search_read(s, &q, e);

    if (rc == RC_OK)
        rc = search(s, &q, &found, e);
    if (rc == RC_OK)
        rc = cli_list(s, arena_printf(&s->arena, "%.*s" DEFINITIONS, STR_ARG(q.scope)), &roles, e);
    if (rc == RC_OK)
        rc = principals_get(s, found, &principals, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < json_len(found); i++)
        names_set(json_at(found, i), roles, json_get(principals, "value"));
    *ret = found;
    found = NULL;
    return RC_OK;
}

/* --- delete --- */

static enum rc delete_id(struct cli_session *s, struct str id, struct err *e)
{
    CLEANUP(json_freep) struct json *gone = NULL;

    return cli_request(s, "DELETE", arena_copy(&s->arena, id), NULL, &gone, e);
}

static enum rc delete_found(struct cli_session *s, struct err *e)
{
    CLEANUP(json_freep) struct json *found = NULL;
    struct search q;
    enum rc rc = search_read(s, &q, e);

    if (rc == RC_OK)
        rc = search(s, &q, &found, e);
    if (rc == RC_OK && json_len(found) == 0)
        return err_set(e, RC_INVALID, "No matched assignments were found to delete");
    for (size_t i = 0; rc == RC_OK && i < json_len(found); i++)
        rc = delete_id(s, json_str(json_get(json_at(found, i), "id")), e);
    return rc;
}

static enum rc delete (struct cli_session *s, struct json **ret, struct err *e) {
    const struct cli_values *ids = &s->args->option[CLI_IDS]; enum rc rc = RC_OK;

    (void)ret;
    if (ids->n == 0 && !cli_given(s->args, CLI_ASSIGNEE) && !cli_given(s->args, CLI_ROLE) &&
        !cli_given(s->args, CLI_SCOPE) &&
        !cli_given(s->args, CLI_GROUP)) return err_set(e, RC_INVALID,
                                                       "say which: --ids, --assignee, --role, "
                                                       "--scope or --resource-group");
    if (ids->n == 0) return delete_found(s, e);
    for (size_t i = 0; rc == RC_OK && i < ids->n; i++)
        rc = delete_id(s, str_from(ids->value[i]), e);
    return rc;
}

/* --- definitions --- */

static enum rc definitions(struct cli_session *s, struct json **ret, struct err *e)
{
    const char *name = cli_value(s->args, CLI_NAME);
    struct str scope, path;
    enum rc rc = scope_of(s, &scope, e);

    if (rc != RC_OK)
        return rc;
    path = arena_printf(&s->arena, "%.*s" DEFINITIONS, STR_ARG(scope));
    if (name)
        path = filtered(s, path, arena_printf(&s->arena, "roleName eq '%s'", name));
    return cli_list(s, path, ret, e);
}

const struct cli_command cli_role_commands[] = {
    {"role assignment create", "assignee! role! scope resource-group description",
     "give someone a role", create},
    {"role assignment list", "assignee role scope resource-group all include-inherited",
     "list who has which role", list},
    {"role assignment delete", "ids assignee role scope resource-group include-inherited yes",
     "take roles away", delete},
    {"role definition list", "name scope resource-group", "list the roles that there are",
     definitions},
    {0},
};
