/* The token endpoint: each kind of grant finds out who it is; the tokens are issue.c's. */
#include "sts/private.h"

typedef enum rc grant_fn(struct http_request *req, struct sts_request *r, struct sts_grant *ret,
                         struct err *e);

static enum rc by_secret(struct http_request *req, struct sts_request *r, struct sts_grant *ret,
                         struct err *e)
{
    struct principal p;

    if (!r->secret.ptr)
        return err_set(e, RC_UNAUTHENTICATED, "client_id and client_secret are needed");
    enum rc rc = admit_sign_in_app(req, r->client, r->secret, &p, e);

    if (rc == RC_UNAUTHENTICATED)
        return err_set(e, rc,
                       "no service principal has this client_id and client_secret, or the secret "
                       "has expired");
    if (rc != RC_OK)
        return rc;
    ret->who = snapshot_principal_by_object(admission_of(req)->snapshot, &p.object_id);
    ret->credential = p.generation;
    return RC_OK;
}

/* On the password lane. */
static enum rc by_password(struct http_request *req, struct sts_request *r, struct sts_grant *ret,
                           struct err *e)
{
    enum rc rc = admit_sign_in_user(req, r->username, r->password, &ret->who, e);

    if (rc == RC_UNAUTHENTICATED)
        return err_code(e, RC_INVALID, "invalid_grant",
                        "no user has this name and password, or it is disabled");
    return rc;
}

static enum rc by_refresh_token(struct http_request *req, struct sts_request *r,
                                struct sts_grant *ret, struct err *e)
{
    struct uuid client;
    enum rc rc = sts_client_check(r, &client, e);

    if (rc == RC_OK && !r->refresh_token.ptr)
        return err_set(e, RC_INVALID, "refresh_token is missing");
    return rc == RC_OK ? sts_refresh_use(req, r->refresh_token, r->client, &ret->who,
                                         &ret->refresh_token, e)
                       : rc;
}

static enum rc by_device_code(struct http_request *req, struct sts_request *r,
                              struct sts_grant *ret, struct err *e)
{
    struct str scope;
    struct uuid client;
    enum rc rc = sts_client_check(r, &client, e);

    if (rc == RC_OK && !r->device_code.ptr)
        return err_set(e, RC_INVALID, "device_code is missing");
    if (rc == RC_OK)
        rc = sts_device_poll(req, r, &ret->who, &scope, e);
    if (rc == RC_OK && !r->asked.scope.ptr && !r->asked.resource.ptr)
        r->asked.scope = scope;
    return rc;
}

static const struct grant {
    const char *name;
    grant_fn *fn;
} grants[] = {
    {"client_credentials", by_secret},
    {"password", by_password},
    {"refresh_token", by_refresh_token},
    {"urn:ietf:params:oauth:grant-type:device_code", by_device_code},
    {"device_code", by_device_code}, /* its name before RFC 8628 */
};

static enum rc find_grant(const struct sts_request *r, const struct grant **ret, struct err *e)
{
    if (!r->grant.ptr)
        return err_set(e, RC_INVALID, "grant_type is missing");
    for (size_t i = 0; i < ARRAY_LEN(grants); i++)
        if (str_is(r->grant, grants[i].name)) {
            *ret = &grants[i];
            return RC_OK;
        }
    return err_code(e, RC_INVALID, "unsupported_grant_type",
                    "there are client_credentials, password, refresh_token and device_code");
}

static enum rc read_request(struct http_request *req, struct sts_request *r,
                            const struct grant **grant, struct err *e)
{
    enum rc rc = sts_tenant_check(req, e);

    if (rc == RC_OK)
        rc = sts_request_read(req, r, e);
    return rc == RC_OK ? find_grant(r, grant, e) : rc;
}

/* Nothing is granted, and no refresh token or device code spent, for an audience that is refused.
 */
static enum rc check_audience(struct http_request *req, const struct sts_request *r, struct err *e)
{
    struct str audience;

    if (r->device_code.ptr && !r->asked.scope.ptr && !r->asked.resource.ptr)
        return RC_OK;
    return sts_audience(&req->arena, &r->asked, admit_control_url(req), &audience, e);
}

/* A user's sign-in begins a family of refresh tokens, if the client wants one. */
static enum rc start_refresh(struct http_request *req, const struct sts_request *r,
                             struct sts_grant *g, struct err *e)
{
    if (g->who->kind != META_USER || g->refresh_token.ptr ||
        !sts_asks_for(&r->asked, "offline_access"))
        return RC_OK;
    return sts_refresh_start(req, g->who, r->client, &g->refresh_token, e);
}

static enum http_verdict grant_tokens(struct http_request *req, struct sts_request *r, grant_fn *fn)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(64 * 1024);
    struct sts_grant g = {0};
    struct err e = {0};
    enum rc rc = check_audience(req, r, &e);

    if (rc == RC_OK)
        rc = fn(req, r, &g, &e);
    if (rc == RC_OK)
        rc = start_refresh(req, r, &g, &e);
    if (rc == RC_OK)
        rc = sts_issue(req, r, &g, &out, &e);
    if (rc != RC_OK)
        return sts_fail(req, &e);
    snapshot_wait(admit_hub(req), admission_of(req)->snapshot);
    sts_no_store(req);
    return sts_answer_json(req, &out);
}

/* What needs no hashing is not made to wait for it. */
static enum rc check_password_request(struct http_request *req, const struct sts_request *r,
                                      struct err *e)
{
    struct uuid client;
    enum rc rc = sts_client_check(r, &client, e);

    if (rc == RC_OK)
        rc = check_audience(req, r, e);
    if (rc == RC_OK && (!r->username.ptr || !r->password.ptr))
        rc = err_set(e, RC_INVALID, "username and password are needed");
    if (rc == RC_OK && !admit_sign_in_allowed(req, r->username))
        rc = err_set(e, RC_QUOTA,
                     "too many failed sign-ins for this user from this address; "
                     "try again later");
    return rc;
}

enum http_verdict sts_token_post(struct http_request *req)
{
    const struct grant *grant = NULL;
    struct sts_request r = {0};
    struct err e = {0};
    enum rc rc = read_request(req, &r, &grant, &e);

    if (rc != RC_OK)
        return sts_fail(req, &e);
    if (grant->fn != by_password)
        return grant_tokens(req, &r, grant->fn);
    rc = check_password_request(req, &r, &e);
    return rc == RC_OK ? HTTP_DECLINED : sts_fail(req, &e);
}

enum http_verdict sts_token_password_post(struct http_request *req)
{
    struct sts_request r = {0};
    struct err e = {0};

    if (sts_request_read(req, &r, &e) != RC_OK)
        return sts_fail(req, &e);
    return grant_tokens(req, &r, by_password);
}
