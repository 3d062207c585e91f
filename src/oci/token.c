/* The token endpoints: credentials for access tokens, identity tokens for refresh tokens (wire
 * contract 8.2). They stand behind the gate like everything else. */
#include "oci/private.h"

#include "base/clock.h"
#include "base/encode.h"

#define MINUTE_US       ((int64_t)60 * CLOCK_US_PER_S)
#define ACCESS_LIFE_US  (75 * MINUTE_US)
#define REFRESH_LIFE_US (180 * MINUTE_US)

/* --- answers --- */

static enum http_verdict unauthorized(struct http_request *req)
{
    struct str server = admit_login_server(req);

    http_add_fieldf(req, "WWW-Authenticate", "Basic realm=\"%.*s\"", STR_ARG(server));
    oci_error(req, 401, NULL,
              "authentication required, visit https://aka.ms/acr/authorization for more "
              "information.");
    return HTTP_ANSWERED;
}

static enum http_verdict fail(struct http_request *req, const struct err *e)
{
    return e->rc == RC_UNAUTHENTICATED ? unauthorized(req) : oci_fail(req, e);
}

static enum rc mint(struct http_request *req, const struct principal *p, struct auth_token *t,
                    int64_t life_us, struct str *ret, struct err *e)
{
    const struct admission *a = admission_of(req);
    CLEANUP(buf_done) struct buf b = BUF_INIT(16 * 1024);

    t->registry = a->registry->uuid;
    t->principal = *p;
    t->issued_us = clock_wall_us();
    t->expires_us = t->issued_us + life_us;
    enum rc rc = auth_token_mint(a->snapshot->identity->token_key, t, &b, e);

    if (rc != RC_OK)
        return rc;
    struct str copy = arena_copy(&req->arena, buf_str(&b));

    if (!copy.ptr)
        return err_set(e, RC_UNAVAILABLE, "no memory for the token");
    *ret = copy;
    return RC_OK;
}

static enum rc mint_access(struct http_request *req, const struct principal *p,
                           const struct auth_scopes *asked, struct str *ret, struct err *e)
{
    const struct admission *a = admission_of(req);
    struct auth_token t = {.kind = AUTH_TOKEN_ACCESS};

    t.scopes = *asked;
    auth_scopes_limit(&t.scopes, admit_registry_actions(a->snapshot, a->registry, p));
    return mint(req, p, &t, ACCESS_LIFE_US, ret, e);
}

static enum http_verdict answer(struct http_request *req, struct str body)
{
    http_add_field(req, "Cache-Control", STR("no-store"));
    http_answer(req, 200, "application/json", body);
    return HTTP_ANSWERED;
}

/* `refresh` may be empty. Tokens need no escaping: base64url and dots. */
static enum http_verdict answer_access(struct http_request *req, struct str access,
                                       struct str refresh)
{
    if (refresh.len == 0)
        return answer(req,
                      arena_printf(&req->arena, "{\"access_token\":\"%.*s\",\"expires_in\":%d}",
                                   STR_ARG(access), (int)(ACCESS_LIFE_US / CLOCK_US_PER_S)));
    return answer(
        req,
        arena_printf(&req->arena,
                     "{\"access_token\":\"%.*s\",\"refresh_token\":\"%.*s\",\"expires_in\":%d}",
                     STR_ARG(access), STR_ARG(refresh), (int)(ACCESS_LIFE_US / CLOCK_US_PER_S)));
}

/* --- GET /oauth2/token --- */

/* Basic credentials, or none: then whoever may pull anonymously. */
static enum rc sign_in_basic(struct http_request *req, struct principal *ret,
                             struct str *ret_refresh, struct err *e)
{
    struct str user, password;
    enum rc rc =
        auth_basic_parse(http_field(req, "Authorization"), &req->arena, &user, &password, e);

    if (rc == RC_NOT_FOUND) {
        if (!admission_of(req)->registry->anonymous_pull)
            return err_set(e, RC_UNAUTHENTICATED, "no credentials");
        *ret = (struct principal){.kind = PRINCIPAL_ANONYMOUS, .name = "anonymous"};
        return RC_OK;
    }
    if (rc != RC_OK)
        return err_set(e, RC_UNAUTHENTICATED, "malformed credentials");
    rc = admit_sign_in(req, user, password, ret, e);
    if (rc == RC_OK && str_is(user, ADMIT_TOKEN_USER))
        *ret_refresh = password;
    return rc;
}

/* Who asks for an offline token gets the refresh token that it came with, and no other: a client
 * that came with a password keeps that, which does not end after three hours. */
static enum rc offline(struct http_request *req, struct str *refresh, struct err *e)
{
    struct str text;
    enum rc rc = form_text(&req->arena, req->query, "offline_token", &text, e);

    if (rc == RC_OK && !str_is(text, "true"))
        *refresh = STR_NONE;
    return rc;
}

enum http_verdict oci_token_get(struct http_request *req)
{
    struct err e = {0};
    struct principal p;
    struct auth_scopes asked;
    struct str access, refresh = STR_NONE;
    enum rc rc = oci_form_scopes(&req->arena, req->query, &asked, &e);

    if (rc == RC_OK)
        rc = sign_in_basic(req, &p, &refresh, &e);
    if (rc == RC_OK)
        rc = offline(req, &refresh, &e);
    if (rc == RC_OK)
        rc = mint_access(req, &p, &asked, &access, &e);
    return rc == RC_OK ? answer_access(req, access, refresh) : fail(req, &e);
}

/* --- POST /oauth2/token --- */

static enum rc body_text(struct http_request *req, const char *key, struct str *ret, struct err *e)
{
    return form_text(&req->arena, req->body, key, ret, e);
}

static enum rc sign_in_password(struct http_request *req, struct principal *ret, struct err *e)
{
    struct str user, password;
    enum rc rc = body_text(req, "username", &user, e);

    if (rc == RC_OK)
        rc = body_text(req, "password", &password, e);
    return rc == RC_OK ? admit_sign_in(req, user, password, ret, e) : rc;
}

static enum rc sign_in_refresh(struct http_request *req, struct principal *ret, struct err *e)
{
    struct str token;
    enum rc rc = body_text(req, "refresh_token", &token, e);

    return rc == RC_OK ? admit_refresh_token(req, token, ret, e) : rc;
}

static enum rc sign_in_form(struct http_request *req, struct principal *ret, struct err *e)
{
    struct str grant;
    enum rc rc = body_text(req, "grant_type", &grant, e);

    if (rc != RC_OK)
        return rc;
    if (str_is(grant, "refresh_token"))
        return sign_in_refresh(req, ret, e);
    if (str_is(grant, "password"))
        return sign_in_password(req, ret, e);
    return err_set(e, RC_INVALID, "grant_type is one of password, refresh_token");
}

enum http_verdict oci_token_post(struct http_request *req)
{
    struct err e = {0};
    struct principal p;
    struct auth_scopes asked;
    struct str access;
    enum rc rc = oci_form_scopes(&req->arena, req->body, &asked, &e);

    if (rc == RC_OK)
        rc = sign_in_form(req, &p, &e);
    if (rc == RC_OK)
        rc = mint_access(req, &p, &asked, &access, &e);
    return rc == RC_OK ? answer_access(req, access, STR_NONE) : fail(req, &e);
}

/* --- POST /oauth2/exchange --- */

/* Which tenant a client believes to be at is its own word: it may say none, and not another. */
static enum rc check_tenant(struct http_request *req, struct str asked, struct err *e)
{
    struct uuid tenant;

    if (asked.len == 0 || (uuid_parse(asked, &tenant, NULL) == RC_OK &&
                           uuid_eq(&tenant, &admission_of(req)->snapshot->identity->tenant)))
        return RC_OK;
    return err_set(e, RC_UNAUTHENTICATED, "token: another tenant's");
}

static enum rc read_exchange(struct http_request *req, struct str *ret_token,
                             struct str *ret_tenant, struct err *e)
{
    struct str grant;
    enum rc rc = body_text(req, "grant_type", &grant, e);

    if (rc == RC_OK && !str_is(grant, "access_token"))
        rc = err_set(e, RC_INVALID, "grant_type is access_token");
    if (rc == RC_OK)
        rc = body_text(req, "access_token", ret_token, e);
    return rc == RC_OK ? body_text(req, "tenant", ret_tenant, e) : rc;
}

enum http_verdict oci_exchange_post(struct http_request *req)
{
    struct err e = {0};
    struct principal p;
    struct auth_token t = {.kind = AUTH_TOKEN_REFRESH};
    struct str token, tenant, refresh;
    enum rc rc = read_exchange(req, &token, &tenant, &e);

    if (rc == RC_OK)
        rc = check_tenant(req, tenant, &e);
    if (rc == RC_OK)
        rc = admit_identity_token(req, token, &p, &e);
    if (rc == RC_OK)
        rc = mint(req, &p, &t, REFRESH_LIFE_US, &refresh, &e);
    if (rc != RC_OK)
        return fail(req, &e);
    return answer(req, arena_printf(&req->arena, "{\"refresh_token\":\"%.*s\"}", STR_ARG(refresh)));
}
