/* kidoban acr login: a refresh token of the registry, given to docker as a password. */
#include "cli/command.h"
#include "cli/program.h"

#define TOKEN_USER     "00000000-0000-0000-0000-000000000000"
#define TOKEN_RESOURCE "https://containerregistry.azure.net"

enum { ANSWER_MAX = 256 * 1024 };

struct login {
    const char *server, *user, *password;
};

static enum rc find_server(struct cli_session *s, struct login *l, struct err *e)
{
    CLEANUP(json_freep) struct json *registry = NULL;
    struct str path;
    enum rc rc = cli_registry_path(s, &path, e);

    if (rc == RC_OK)
        rc = cli_request(s, "GET", path, NULL, &registry, e);
    if (rc != RC_OK)
        return rc;
    l->server = arena_copy(&s->arena, json_str(json_path(registry, "properties.loginServer"))).ptr;
    return RC_OK;
}

/* Is the registry there, and does its gate let this machine in? */
static enum rc knock(struct cli_session *s, const struct login *l, struct err *e)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(ANSWER_MAX);
    struct str url = arena_printf(&s->arena, "https://%s/v2/", l->server);
    unsigned status = 0;
    enum rc rc = cli_fetch(s, url.ptr, NULL, &status, &body, e);

    if (rc != RC_OK && httpc_trouble(s->http) == HTTPC_NAME)
        return err_advise(e, rc,
                          "This machine has to know the registry's name, by DNS or by a line in "
                          "/etc/hosts.");
    if (rc != RC_OK)
        return rc;
    if (status == 403)
        return err_set(e, RC_DENIED,
                       "Looks like you don't have access to registry '%s'. To see configured "
                       "firewall rules, run 'kidoban acr network-rule list --name %s'.",
                       l->server, cli_value(s->args, CLI_NAME));
    if (status != 401 && status != 200)
        return err_set(e, RC_UNAVAILABLE, "Registry '%s' did not issue a challenge (status %u).",
                       l->server, status);
    return RC_OK;
}

static enum rc exchange(struct cli_session *s, struct login *l, struct err *e)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(ANSWER_MAX);
    CLEANUP(json_freep) struct json *answer = NULL;
    struct str token, url, form;
    unsigned status = 0;
    enum rc rc = cli_token(s, TOKEN_RESOURCE, &token, e);

    if (rc != RC_OK)
        return rc;
    url = arena_printf(&s->arena, "https://%s/oauth2/exchange", l->server);
    form = arena_printf(&s->arena, "grant_type=access_token&service=%s&tenant=%s&access_token=%s",
                        cli_escape(s, str_from(l->server)).ptr,
                        cli_escape(s, json_str(json_get(s->admin, "tenantId"))).ptr,
                        cli_escape(s, token).ptr);
    rc = cli_fetch(s, url.ptr, form.ptr, &status, &body, e);
    if (rc != RC_OK)
        return rc;
    if (status != 200 || json_parse(buf_str(&body), NULL, &answer, NULL) != RC_OK)
        return err_set(e, RC_UNAUTHENTICATED, "%s gives no token: status %u", l->server, status);
    l->user = TOKEN_USER;
    l->password = arena_copy(&s->arena, json_str(json_get(answer, "refresh_token"))).ptr;
    return RC_OK;
}

/* RC_NOT_FOUND: there is no such program. */
static enum rc run_program(const struct login *l, const char *program, struct err *e)
{
    const char *argv[] = {program,   "login", "--username", l->user, "--password-stdin",
                          l->server, NULL};
    enum rc rc = cli_program_run(argv, str_from(l->password), false, e);

    return rc == RC_DENIED ? err_set(e, rc, "Login failed.") : rc;
}

static enum rc run_login(const struct login *l, struct err *e)
{
    enum rc rc = run_program(l, "docker", e);

    if (rc == RC_NOT_FOUND)
        rc = run_program(l, "podman", e);
    return rc == RC_NOT_FOUND
               ? err_set(e, RC_UNAVAILABLE,
                         "there is neither docker nor podman; --expose-token prints the token")
               : rc;
}

static struct json *shown(const struct login *l)
{
    struct json *token = json_new_object();

    json_set_text(token, "accessToken", l->password);
    json_set_text(token, "loginServer", l->server);
    json_set_text(token, "username", l->user);
    return token;
}

enum rc cli_acr_login(struct cli_session *s, struct json **ret, struct err *e)
{
    struct login l = {.user = cli_value(s->args, CLI_USERNAME),
                      .password = cli_value(s->args, CLI_PASSWORD)};
    enum rc rc = RC_OK;

    if ((l.user == NULL) != (l.password == NULL))
        return err_set(e, RC_INVALID, "--username and --password go together");
    rc = find_server(s, &l, e);
    if (rc == RC_OK)
        rc = knock(s, &l, e);
    if (rc == RC_OK && !l.user)
        rc = exchange(s, &l, e);
    if (rc != RC_OK)
        return rc;
    if (!cli_given(s->args, CLI_EXPOSE_TOKEN))
        return run_login(&l, e);
    *ret = shown(&l);
    return RC_OK;
}
