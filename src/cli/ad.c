/* kidoban ad: users, service principals, the keys that sign their tokens. Shaped like `az ad`. */
#include "base/uuid.h"
#include "cli/role.h"
#include <stdio.h>

enum { LINE_MAX_LENGTH = 1024, DAYS_OF_A_YEAR = 365 };

#define DIRECTORY "/providers/Kidoban.Identity"
#define USERS     DIRECTORY "/users"
#define APPS      DIRECTORY "/servicePrincipals"

static struct str one(struct cli_session *s, const char *collection)
{
    return cli_child(s, str_from(DIRECTORY), collection, cli_value(s->args, CLI_ID));
}

static void set_given(struct cli_session *s, struct json *body, enum cli_option o,
                      const char *member)
{
    if (cli_given(s->args, o))
        json_set_text(body, member, cli_value(s->args, o));
}

static enum rc set_enabled(struct cli_session *s, struct json *body, struct err *e)
{
    bool enabled = true;
    enum rc rc = RC_OK;

    if (!cli_given(s->args, CLI_ACCOUNT_ENABLED))
        return RC_OK;
    rc = cli_switch(s->args, CLI_ACCOUNT_ENABLED, &enabled, e);
    if (rc == RC_OK)
        json_set(body, "accountEnabled", json_new_bool(enabled));
    return rc;
}

/* "-": the first line of standard input, so that it stands in no list of processes. */
static enum rc set_password(struct cli_session *s, struct json *body, struct err *e)
{
    const char *given = cli_value(s->args, CLI_PASSWORD);
    char line[LINE_MAX_LENGTH];

    if (!given)
        return RC_OK;
    if (strcmp(given, "-") != 0) {
        json_set_text(body, "password", given);
        return RC_OK;
    }
    if (!fgets(line, sizeof(line), stdin))
        return err_set(e, RC_INVALID,
                       "argument --password: - reads it from standard input, which "
                       "is empty");
    struct str typed = str_from(line);

    json_set_str(body, "password", str_take(typed, str_find(typed, '\n')));
    return RC_OK;
}

/* --- users --- */

static enum rc user_create(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    enum rc rc = set_password(s, body, e);

    set_given(s, body, CLI_UPN, "userPrincipalName");
    set_given(s, body, CLI_DISPLAY_NAME, "displayName");
    return rc == RC_OK ? cli_request(s, "POST", STR(USERS), body, ret, e) : rc;
}

static enum rc user_list(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_list(s, STR(USERS), ret, e);
}

static enum rc user_show(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "GET", one(s, "users"), NULL, ret, e);
}

static enum rc user_update(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    enum rc rc = set_enabled(s, body, e);

    set_given(s, body, CLI_DISPLAY_NAME, "displayName");
    if (rc == RC_OK)
        rc = set_password(s, body, e);
    return rc == RC_OK ? cli_request(s, "PATCH", one(s, "users"), body, ret, e) : rc;
}

static enum rc user_delete(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "DELETE", one(s, "users"), NULL, ret, e);
}

/* --- service principals --- */

static enum rc set_life(struct cli_session *s, struct json *body, struct err *e)
{
    const char *given = cli_value(s->args, CLI_YEARS);
    uint64_t years;

    if (!given)
        return RC_OK;
    if (str_to_u64(str_from(given), &years) != RC_OK || years < 1 || years > 100)
        return err_set(e, RC_INVALID, "argument --years: %s is no number from 1 to 100", given);
    json_set(body, "lifetimeDays", json_new_int((int64_t)years * DAYS_OF_A_YEAR));
    return RC_OK;
}

/* As az shows a service principal whose secret is new. */
static struct json *with_secret(struct cli_session *s, const struct json *answer, bool name)
{
    struct json *out = json_new_object();

    json_set(out, "appId", json_clone(json_get(answer, "appId")));
    if (name)
        json_set(out, "displayName", json_clone(json_get(answer, "displayName")));
    json_set(out, "password", json_clone(json_get(answer, "secretText")));
    json_set(out, "tenant", json_clone(json_get(s->admin, "tenantId")));
    return out;
}

static enum rc assign(struct cli_session *s, const char *scope, struct str principal, struct err *e)
{
    CLEANUP(json_freep) struct json *made = NULL;

    return cli_role_assign(s, strcmp(scope, "/") == 0 ? STR("") : str_from(scope),
                           cli_value(s->args, CLI_ROLE), principal, &made, e);
}

static enum rc assign_all(struct cli_session *s, struct str principal, struct err *e)
{
    const struct cli_values *scopes = &s->args->option[CLI_SCOPES];
    enum rc rc = RC_OK;

    if (cli_given(s->args, CLI_ROLE) != (scopes->n > 0))
        return err_set(e, RC_INVALID, "--role and --scopes belong together");
    for (size_t i = 0; rc == RC_OK && i < scopes->n; i++)
        rc = assign(s, scopes->value[i], principal, e);
    return rc;
}

/* One that did not get its role is not left behind: nobody would have seen its secret. */
static enum rc with_roles(struct cli_session *s, const struct json *made, struct err *e)
{
    CLEANUP(json_freep) struct json *nothing = NULL;
    struct str id = arena_copy(&s->arena, json_str(json_get(made, "id")));
    enum rc rc = assign_all(s, id, e);

    if (rc == RC_OK)
        return rc;
    struct err ignored = {0};

    if (cli_request(s, "DELETE", cli_child(s, str_from(DIRECTORY), "servicePrincipals", id.ptr),
                    NULL, &nothing, &ignored) != RC_OK)
        return err_advise(e, rc, "The service principal %s is left without a role: delete it.",
                          id.ptr);
    return rc;
}

static enum rc sp_create(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object(), *made = NULL;
    enum rc rc = set_life(s, body, e);

    set_given(s, body, CLI_NAME, "displayName");
    if (rc == RC_OK)
        rc = cli_request(s, "POST", STR(APPS), body, &made, e);
    if (rc == RC_OK)
        rc = with_roles(s, made, e);
    if (rc == RC_OK)
        *ret = with_secret(s, made, true);
    return rc;
}

static enum rc sp_list(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_list(s, STR(APPS), ret, e);
}

static enum rc sp_show(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "GET", one(s, "servicePrincipals"), NULL, ret, e);
}

static enum rc sp_update(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    enum rc rc = set_enabled(s, body, e);

    set_given(s, body, CLI_DISPLAY_NAME, "displayName");
    return rc == RC_OK ? cli_request(s, "PATCH", one(s, "servicePrincipals"), body, ret, e) : rc;
}

static enum rc sp_delete(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "DELETE", one(s, "servicePrincipals"), NULL, ret, e);
}

/* --- their secrets --- */

static enum rc secret_list(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *app = NULL;
    enum rc rc = sp_show(s, &app, e);

    if (rc == RC_OK)
        *ret = json_clone(json_get(app, "passwordCredentials"));
    return rc;
}

static struct str action(struct cli_session *s, const char *verb)
{
    return arena_printf(&s->arena, "%.*s/%s", STR_ARG(one(s, "servicePrincipals")), verb);
}

static enum rc secret_reset(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object(), *answer = NULL;
    enum rc rc = set_life(s, body, e);

    set_given(s, body, CLI_DISPLAY_NAME, "displayName");
    json_set(body, "replace", json_new_bool(!cli_given(s->args, CLI_APPEND)));
    if (rc == RC_OK)
        rc = cli_request(s, "POST", action(s, "addPassword"), body, &answer, e);
    if (rc == RC_OK)
        *ret = with_secret(s, answer, false);
    return rc;
}

static enum rc secret_delete(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object(), *answer = NULL;

    (void)ret;
    set_given(s, body, CLI_KEY_ID, "keyId");
    return cli_request(s, "POST", action(s, "removePassword"), body, &answer, e);
}

/* --- signing keys --- */

static enum rc key_list(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_list(s, STR(DIRECTORY "/keys"), ret, e);
}

static enum rc key_rotate(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "POST", STR(DIRECTORY "/keys/rotate"), NULL, ret, e);
}

const struct cli_command cli_ad_commands[] = {
    {"ad user create", "user-principal-name! password! display-name", "make a user", user_create},
    {"ad user list", "", "list users", user_list},
    {"ad user show", "id!", "show a user", user_show},
    {"ad user update", "id! display-name password account-enabled",
     "change a user; another password ends its sign-ins", user_update},
    {"ad user delete", "id! yes", "delete a user", user_delete},
    {"ad sp create-for-rbac", "name! role scopes years",
     "make a service principal, and show its secret once", sp_create},
    {"ad sp list", "", "list service principals", sp_list},
    {"ad sp show", "id!", "show a service principal", sp_show},
    {"ad sp update", "id! display-name account-enabled", "change a service principal", sp_update},
    {"ad sp delete", "id! yes", "delete a service principal", sp_delete},
    {"ad sp credential list", "id!", "list the secrets of a service principal", secret_list},
    {"ad sp credential reset", "id! append display-name years",
     "make a secret, and show it once; without --append the others go", secret_reset},
    {"ad sp credential delete", "id! key-id! yes", "delete a secret", secret_delete},
    {"ad key list", "", "list the keys that sign tokens, or did", key_list},
    {"ad key rotate", "", "sign with a new key; nobody has to sign in again", key_rotate},
    {0},
};
