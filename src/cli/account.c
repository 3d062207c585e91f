/* kidoban account: subscriptions. Which one is the default is the user's own business; all else is
 * the server's. */
#include "base/uuid.h"
#include "cli/choice.h"
#include "cli/command.h"

static struct str path_of(struct cli_session *s, struct str id)
{
    return arena_printf(&s->arena, "/subscriptions/%.*s", STR_ARG(id));
}

/* As az shows a subscription. */
static struct json *shown(struct cli_session *s, const struct json *one)
{
    struct json *out = json_new_object(), *user = json_new_object();
    struct str id = json_str(json_get(one, "subscriptionId"));

    json_set_text(out, "cloudName", "Kidoban");
    json_set(out, "homeTenantId", json_clone(json_get(one, "tenantId")));
    json_set_str(out, "id", id);
    json_set(out, "isDefault", json_new_bool(str_eq_nocase(id, s->subscription)));
    json_set(out, "managedByTenants", json_new_array());
    json_set(out, "name", json_clone(json_get(one, "displayName")));
    json_set(out, "state", json_clone(json_get(one, "state")));
    json_set(out, "tenantId", json_clone(json_get(one, "tenantId")));
    json_set_str(user, "name", json_str(json_get(s->admin, "clientId")));
    json_set_text(user, "type", "servicePrincipal");
    json_set(out, "user", user);
    return out;
}

static enum rc list(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *all = NULL;
    enum rc rc = cli_list(s, STR("/subscriptions"), &all, e);

    if (rc != RC_OK)
        return rc;
    *ret = json_new_array();
    for (size_t i = 0; i < json_len(all); i++)
        json_append(*ret, shown(s, json_at(all, i)));
    return RC_OK;
}

static enum rc request(struct cli_session *s, const char *method, struct str id,
                       const struct json *body, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *answer = NULL;
    enum rc rc = cli_request(s, method, path_of(s, id), body, &answer, e);

    if (rc == RC_OK && answer)
        *ret = shown(s, answer);
    return rc;
}

static enum rc show(struct cli_session *s, struct json **ret, struct err *e)
{
    return request(s, "GET", s->subscription, NULL, ret, e);
}

/* --subscription has said which one. */
static enum rc set(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *there = NULL;
    enum rc rc = request(s, "GET", s->subscription, NULL, &there, e);

    (void)ret;
    return rc == RC_OK ? cli_choice_write(s, s->subscription, e) : rc;
}

static enum rc create(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct uuid id = uuid_random();
    char text[UUID_TEXT_MAX];

    json_set_text(body, "displayName", cli_value(s->args, CLI_NAME));
    return request(s, "PUT", uuid_format(&id, text), body, ret, e);
}

static enum rc change(struct cli_session *s, const char *member, const char *value,
                      struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();

    json_set_text(body, member, value);
    return request(s, "PATCH", s->subscription, body, ret, e);
}

static enum rc rename_one(struct cli_session *s, struct json **ret, struct err *e)
{
    return change(s, "displayName", cli_value(s->args, CLI_NAME), ret, e);
}

static enum rc enable(struct cli_session *s, struct json **ret, struct err *e)
{
    return change(s, "state", "Enabled", ret, e);
}

static enum rc disable(struct cli_session *s, struct json **ret, struct err *e)
{
    return change(s, "state", "Disabled", ret, e);
}

static enum rc delete_one(struct cli_session *s, struct json **ret, struct err *e)
{
    return request(s, "DELETE", s->subscription, NULL, ret, e);
}

static enum rc locations(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_list(
        s, arena_printf(&s->arena, "/subscriptions/%.*s/locations", STR_ARG(s->subscription)), ret,
        e);
}

const struct cli_command cli_account_commands[] = {
    {"account list", "", "list subscriptions", list},
    {"account show", "", "show the subscription that commands work in", show},
    {"account set", "subscription!", "work in this subscription from now on", set},
    {"account create", "name!", "make a subscription", create},
    {"account rename", "name! subscription!", "give a subscription another name", rename_one},
    {"account enable", "subscription!", "let a subscription be written again", enable},
    {"account disable", "subscription!", "let a subscription only be read", disable},
    {"account delete", "subscription! yes", "delete an empty subscription", delete_one, true},
    {"account list-locations", "", "list the names of locations", locations},
    {0},
};
