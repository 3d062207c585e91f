/* Who asks of a registry, and may they: by what the route says that it needs. */
#include "admit/private.h"
#include "base/clock.h"

#define UNAUTHORIZED_TEXT                                                                          \
    "authentication required, visit https://aka.ms/acr/authorization for more information."

/* --- what a route of the data plane needs --- */

struct need {
    bool nothing, signed_in, catalog;
    unsigned actions; /* on {name} */
    unsigned instead; /* or these, which are as good; clients are told of the first */
};

static struct need need_of(const char *access)
{
    struct str rest = str_from(access);
    struct need n = {.nothing = str_is(rest, "public"),
                     .signed_in = str_is(rest, "signed-in"),
                     .catalog = str_is(rest, "catalog")};

    if (n.nothing || n.signed_in || n.catalog)
        return n;
    if (str_is(rest, "list"))
        return (struct need){.actions = AUTH_PULL, .instead = AUTH_METADATA_READ};
    while (rest.len > 0) {
        struct str one = str_split(&rest, ',');

        n.actions |= str_is(one, "pull")     ? AUTH_PULL
                     : str_is(one, "push")   ? AUTH_PUSH
                     : str_is(one, "delete") ? AUTH_DELETE
                                             : 0U;
    }
    return n; /* a word that nobody knows leaves no action, which nobody is granted */
}

unsigned admit_needed_actions(const struct http_request *req)
{
    return need_of(req->route->access).actions;
}

/* What a client should ask a token for. A push reads too: it looks for blobs before it sends them.
 */
static struct str scope_text(struct http_request *req, const struct need *n)
{
    const char *actions = n->actions & AUTH_PUSH     ? "pull,push"
                          : n->actions & AUTH_DELETE ? "delete"
                                                     : "pull";

    if (n->catalog)
        return STR("registry:catalog:*");
    if (n->actions == 0)
        return STR_NONE;
    return arena_printf(&req->arena, "repository:%.*s:%s", STR_ARG(http_param(req, "name")),
                        actions);
}

/* From where a push would take a blob rather than send it: reading there is worth a scope as well.
 * STR_NONE: from nowhere. */
static struct str source_scope(struct http_request *req, const struct need *n)
{
    struct str mount, from;

    if (req->method != HTTP_POST || !(n->actions & AUTH_PUSH) ||
        http_query(req, "mount", &mount, NULL) != RC_OK ||
        http_query(req, "from", &from, NULL) != RC_OK)
        return STR_NONE;
    return arena_printf(&req->arena, "repository:%.*s:pull", STR_ARG(from));
}

/* Only names that a repository can have go into a quoted field; a wrong one gets its own answer
 * once signed in. */
static bool scope_is_plain(struct str scope)
{
    for (size_t i = 0; i < scope.len; i++)
        if (scope.ptr[i] <= ' ' || scope.ptr[i] == '"' || scope.ptr[i] == '\\' ||
            (unsigned char)scope.ptr[i] >= 0x7F)
            return false;
    return scope.len > 0;
}

void admit_challenge(struct http_request *req, const char *message)
{
    struct str base = admit_base_url(req), service = admit_login_server(req), scope = STR_NONE;
    struct str source = STR_NONE;

    if (req->route) {
        struct need n = need_of(req->route->access);

        scope = n.nothing ? STR_NONE : scope_text(req, &n);
        source = source_scope(req, &n);
    }
    if (!scope_is_plain(source))
        source = STR("");
    if (scope_is_plain(scope))
        http_add_fieldf(req, "WWW-Authenticate",
                        "Bearer realm=\"%.*s/oauth2/token\",service=\"%.*s\",scope=\"%.*s%s%.*s\"",
                        STR_ARG(base), STR_ARG(service), STR_ARG(scope), source.len > 0 ? " " : "",
                        STR_ARG(source));
    else
        http_add_fieldf(req, "WWW-Authenticate",
                        "Bearer realm=\"%.*s/oauth2/token\",service=\"%.*s\"", STR_ARG(base),
                        STR_ARG(service));
    admit_refuse(req, 401, "UNAUTHORIZED", message, "unauthorized");
}

/* --- credentials of the data plane --- */

static enum rc by_token(struct http_request *req, struct str token, struct err *e)
{
    struct admission *a = req->admission;
    struct auth_token_wanted wanted = {AUTH_TOKEN_ACCESS, a->registry->uuid, clock_wall_us()};
    struct auth_token t;
    enum rc rc = auth_token_cache_verify(a->admit->tokens, a->snapshot->identity->token_key,
                                         &wanted, token, &req->arena, &t, e);

    if (rc != RC_OK)
        return rc;
    if (!admit_principal_stands(a->snapshot, a->registry, &t.principal))
        return err_set(e, RC_UNAUTHENTICATED, "token: its credential was renewed or disabled");
    a->principal = t.principal;
    a->scopes = t.scopes;
    auth_scopes_limit(&a->scopes, admit_registry_actions(a->snapshot, a->registry, &a->principal));
    a->authenticated = true;
    return RC_OK;
}

static void scopes_everything(struct admission *a)
{
    auth_scopes_everything(admit_registry_actions(a->snapshot, a->registry, &a->principal),
                           &a->scopes);
}

static enum rc by_password(struct http_request *req, struct str authorization, struct err *e)
{
    struct admission *a = req->admission;
    struct str user, password;
    enum rc rc = auth_basic_parse(authorization, &req->arena, &user, &password, e);

    if (rc == RC_OK)
        rc = admit_sign_in(req, user, password, &a->principal, e);
    if (rc != RC_OK)
        return rc == RC_QUOTA ? rc : RC_UNAUTHENTICATED;
    scopes_everything(a);
    a->authenticated = true;
    return RC_OK;
}

static enum rc sign_in(struct http_request *req, struct err *e)
{
    struct admission *a = req->admission;
    struct str authorization = http_field(req, "Authorization"), token;

    if (!authorization.ptr) {
        a->principal = (struct principal){.kind = PRINCIPAL_ANONYMOUS, .name = "anonymous"};
        scopes_everything(a);
        return RC_OK;
    }
    if (auth_bearer_parse(authorization, &token, NULL) == RC_OK)
        return by_token(req, token, e);
    return by_password(req, authorization, e);
}

static bool may(const struct http_request *req, const struct need *n)
{
    const struct admission *a = req->admission;

    if (n->signed_in)
        return a->authenticated;
    if (n->catalog)
        return auth_scopes_allow_catalog(&a->scopes);
    if (n->actions == 0)
        return false;
    struct str name = http_param(req, "name");

    return auth_scopes_allow(&a->scopes, name, n->actions) ||
           auth_scopes_allow(&a->scopes, name, n->instead);
}

bool admit_authorize_data(struct http_request *req)
{
    struct need n = need_of(req->route->access);
    struct err e = {0};

    if (n.nothing)
        return true;
    enum rc rc = sign_in(req, &e);

    if (rc == RC_QUOTA) {
        admit_refuse(req, 429, "TOOMANYREQUESTS", e.text, "limited");
        return false;
    }
    if (rc == RC_OK && may(req, &n))
        return true;
    /* A token with too few scopes is answered like none: the client asks for one with more. */
    admit_challenge(req, UNAUTHORIZED_TEXT);
    return false;
}
