/* The token endpoint (RFC 6749): service principals by their secret. */
#include "sts/private.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"

enum { TOKEN_LIFE_S = 3600 };

/* --- errors (RFC 6749 5.2) --- */

static unsigned status_of(const struct err *e)
{
    switch (e->rc) {
    case RC_INVALID:
        return 400;
    case RC_UNAUTHENTICATED:
        return 401;
    case RC_QUOTA:
        return 429;
    case RC_UNAVAILABLE:
        return 503;
    default:
        return 500;
    }
}

static const char *code_of(unsigned status, const char *code)
{
    switch (status) {
    case 400:
        return code ? code : "invalid_request";
    case 401:
        return "invalid_client";
    case 429:
    case 503:
        return "temporarily_unavailable";
    default:
        return "server_error";
    }
}

static void no_store(struct http_request *req)
{
    http_add_field(req, "Cache-Control", STR("no-store"));
    http_add_field(req, "Pragma", STR("no-cache"));
}

enum http_verdict sts_fail(struct http_request *req, const struct err *e)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    unsigned status = status_of(e);

    if (status == 500)
        log_error("identity.failed", F_TEXT("error", e->text), F_TEXT("rc", rc_name(e->rc)));
    buf_addf(&b, "{\"error\":\"%s\",\"error_description\":", code_of(status, e->code));
    buf_add_json(&b, str_from(status == 500 ? "internal error" : e->text));
    buf_addc(&b, '}');
    no_store(req);
    if (status == 401)
        http_add_field(req, "WWW-Authenticate", STR("Basic realm=\"identity\""));
    if (status == 429 || status == 503)
        http_add_field(req, "Retry-After", status == 429 ? STR("6") : STR("1"));
    http_answer(req, status, "application/json", arena_copy(&req->arena, buf_str(&b)));
    return HTTP_ANSWERED;
}

/* --- reading --- */

struct token_request {
    struct str grant, client, secret;
    struct sts_asked asked;
};

static enum rc form_text(struct http_request *req, const char *key, struct str *ret, struct err *e)
{
    enum rc rc = form_get(&req->arena, req->body, key, ret, e);

    if (rc == RC_NOT_FOUND)
        *ret = STR_NONE;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* RFC 6749 2.3.1: in the Authorization field both are form-encoded first. */
static enum rc read_basic(struct http_request *req, struct token_request *t, struct err *e)
{
    struct str user, password;
    enum rc rc =
        auth_basic_parse(http_field(req, "Authorization"), &req->arena, &user, &password, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc == RC_OK && (t->client.ptr || t->secret.ptr) && !str_eq(t->client, user))
        return err_set(e, RC_INVALID, "two different clients in one request");
    if (rc == RC_OK)
        rc = percent_decode(&req->arena, user, true, &t->client, e);
    if (rc == RC_OK)
        rc = percent_decode(&req->arena, password, true, &t->secret, e);
    return rc;
}

static enum rc read_form(struct http_request *req, struct token_request *t, struct err *e)
{
    enum rc rc = form_text(req, "grant_type", &t->grant, e);

    if (rc == RC_OK)
        rc = form_text(req, "client_id", &t->client, e);
    if (rc == RC_OK)
        rc = form_text(req, "client_secret", &t->secret, e);
    if (rc == RC_OK)
        rc = form_text(req, "scope", &t->asked.scope, e);
    if (rc == RC_OK)
        rc = form_text(req, "resource", &t->asked.resource, e);
    return rc;
}

static enum rc read_request(struct http_request *req, struct token_request *t, struct err *e)
{
    enum rc rc = read_form(req, t, e);

    if (rc != RC_OK)
        return rc;
    if (!t->grant.ptr)
        return err_set(e, RC_INVALID, "grant_type is missing");
    if (!str_is(t->grant, "client_credentials"))
        return err_code(e, RC_INVALID, "unsupported_grant_type",
                        "only service principals sign in here: grant_type=client_credentials");
    rc = read_basic(req, t, e);
    if (rc == RC_OK && !t->secret.ptr)
        rc = err_set(e, RC_UNAUTHENTICATED, "client_id and client_secret are needed");
    return rc;
}

/* --- issuing --- */

static enum rc issue(struct http_request *req, const struct principal *p, struct str audience,
                     struct buf *out, struct err *e)
{
    const struct snapshot_identity *i = admission_of(req)->snapshot->identity;
    struct str root = admit_control_url(req);
    struct auth_identity_token t = {
        .tenant = i->tenant,
        .object_id = p->object_id,
        .app_id = p->app_id,
        .issuer = arena_printf(&req->arena, "%.*s/adfs", STR_ARG(root)),
        .audience = audience,
        .generation = p->generation,
        .issued_us = clock_wall_us(),
    };

    t.expires_us = t.issued_us + (int64_t)TOKEN_LIFE_S * CLOCK_US_PER_S;
    if (i->n_identity_keys == 0)
        return err_set(e, RC_INTERNAL, "no key signs identity tokens");
    return auth_identity_mint(i->identity_keys[0], &t, out, e);
}

static enum rc sign_in(struct http_request *req, const struct token_request *t,
                       struct principal *ret, struct err *e)
{
    enum rc rc = admit_sign_in_app(req, t->client, t->secret, ret, e);

    if (rc == RC_UNAUTHENTICATED)
        return err_set(e, rc, "no service principal has this client_id and client_secret");
    return rc;
}

enum http_verdict sts_token_post(struct http_request *req)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(16 * 1024);
    struct token_request t = {0};
    struct principal p;
    struct str audience;
    struct err e = {0};
    enum rc rc = read_request(req, &t, &e);

    if (rc == RC_OK)
        rc = sts_audience(&req->arena, &t.asked, admit_control_url(req), &audience, &e);
    if (rc == RC_OK)
        rc = sign_in(req, &t, &p, &e);
    if (rc == RC_OK)
        rc = issue(req, &p, audience, &token, &e);
    if (rc != RC_OK)
        return sts_fail(req, &e);
    no_store(req);
    http_answer(req, 200, "application/json",
                arena_printf(&req->arena,
                             "{\"token_type\":\"Bearer\",\"expires_in\":%d,\"ext_expires_in\":%d,"
                             "\"access_token\":\"%.*s\"}",
                             TOKEN_LIFE_S - 1, TOKEN_LIFE_S - 1, (int)token.len, token.ptr));
    return HTTP_ANSWERED;
}

/* --- with the tenant in the path --- */

enum rc sts_tenant_check(struct http_request *req, struct err *e)
{
    struct str tenant = http_param(req, "tenant");
    struct uuid u;

    if (str_is_nocase(tenant, "organizations") || str_is_nocase(tenant, "common"))
        return RC_OK;
    if (uuid_parse(tenant, &u, NULL) == RC_OK &&
        uuid_eq(&u, &admission_of(req)->snapshot->identity->tenant))
        return RC_OK;
    return err_code(e, RC_INVALID, "invalid_tenant", "there is no such tenant here");
}

enum http_verdict sts_tenant_token_post(struct http_request *req)
{
    struct err e = {0};

    return sts_tenant_check(req, &e) == RC_OK ? sts_token_post(req) : sts_fail(req, &e);
}
