/* Microsoft.Authorization/roleDefinitions: the built-in roles, the same at every scope. */
#include "arm/role.h"
#include "http/filter.h"

/* Built-in roles are older than any server. */
#define MADE "2015-02-02T21:55:09.8806423Z"

static struct json *texts(const char *const *list)
{
    struct json *out = json_new_array();

    for (; *list; list++)
        json_append(out, json_new_text(*list));
    return out;
}

static struct json *permissions_show(const struct auth_role *role)
{
    struct json *list = json_new_array(), *one = json_new_object();

    json_set(one, "actions", texts(role->actions));
    json_set(one, "notActions", texts(role->not_actions));
    json_set(one, "dataActions", json_new_array());
    json_set(one, "notDataActions", json_new_array());
    json_append(list, one);
    return list;
}

static struct json *definition_show(struct arena *a, const struct auth_role *role, struct str scope)
{
    static const char *const everywhere[] = {"/", NULL};
    struct json *out = json_new_object(), *p = json_new_object();

    json_set_text(p, "roleName", role->name);
    json_set_text(p, "type", "BuiltInRole");
    json_set_text(p, "description", role->description);
    json_set(p, "assignableScopes", texts(everywhere));
    json_set(p, "permissions", permissions_show(role));
    json_set_text(p, "createdOn", MADE);
    json_set_text(p, "updatedOn", MADE);
    json_set(p, "createdBy", json_new_null());
    json_set(p, "updatedBy", json_new_null());
    json_set(out, "properties", p);
    json_set_str(out, "id", role_definition_id(a, scope, str_from(role->id)));
    json_set_text(out, "type", ROLE_DEFINITIONS);
    json_set_text(out, "name", role->id);
    return out;
}

/* roleName eq 'X', type eq 'BuiltInRole'; atScopeAndBelow() is all that there is. */
static enum rc filter_read(struct arm_call *c, struct http_filter *ret, struct err *e)
{
    static const char *const offered[] = {"roleName", "type", "atScopeAndBelow", NULL};
    enum rc rc = http_filter_read(c->req, ret, e);

    return rc == RC_OK ? http_filter_known(ret, offered, e) : rc;
}

static bool listed(const struct auth_role *role, const struct http_filter *f)
{
    struct str name = http_filter_value(f, "roleName"), type = http_filter_value(f, "type");

    return (!name.ptr || str_is_nocase(name, role->name)) &&
           (!type.ptr || str_is_nocase(type, "BuiltInRole"));
}

static enum rc list_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct http_filter f = {.n = 0};
    struct str scope = STR("");
    struct json *list = json_new_array();
    enum rc rc;

    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", list);
    rc = filter_read(c, &f, e);
    if (rc == RC_OK)
        rc = role_scope_find(c, tx, &scope, e);
    for (size_t i = 0; rc == RC_OK && i < auth_roles_count; i++)
        if (listed(&auth_roles[i], &f))
            json_append(list, definition_show(c->arena, &auth_roles[i], scope));
    return rc;
}

static enum rc get_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    const struct auth_role *role = auth_role_by_id(c->name);
    struct str scope = STR("");
    enum rc rc = role_scope_find(c, tx, &scope, e);

    if (rc != RC_OK)
        return rc;
    if (!role)
        return err_code(e, RC_NOT_FOUND, "RoleDefinitionDoesNotExist",
                        "The specified role definition with ID '%.*s' does not exist.",
                        STR_ARG(str_take(c->name, 100)));
    arm_set_answer(c, definition_show(c->arena, role, scope));
    return RC_OK;
}

static enum http_verdict answer(struct http_request *req, arm_read_fn *fn)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, fn, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

enum http_verdict arm_role_definition_list(struct http_request *req)
{
    return answer(req, list_read);
}

enum http_verdict arm_role_definition_get(struct http_request *req)
{
    return answer(req, get_read);
}
