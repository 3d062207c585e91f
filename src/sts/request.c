/* What a token request says (RFC 6749 and 8628; the v1 form has `resource` where the v2 form has
 * `scope`). */
#include "sts/private.h"

#include "base/encode.h"

/* RFC 6749 2.3.1: in the Authorization field both are form-encoded first. */
static enum rc read_basic(struct http_request *req, struct sts_request *r, struct err *e)
{
    struct str user, password;
    enum rc rc =
        auth_basic_parse(http_field(req, "Authorization"), &req->arena, &user, &password, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc == RC_OK && (r->client.ptr || r->secret.ptr) && !str_eq(r->client, user))
        return err_set(e, RC_INVALID, "two different clients in one request");
    if (rc == RC_OK)
        rc = percent_decode(&req->arena, user, true, &r->client, e);
    if (rc == RC_OK)
        rc = percent_decode(&req->arena, password, true, &r->secret, e);
    return rc;
}

enum rc sts_request_read(struct http_request *req, struct sts_request *ret, struct err *e)
{
    struct sts_request r = {0};
    const struct {
        const char *key;
        struct str *to;
    } fields[] = {
        {"grant_type", &r.grant},        {"client_id", &r.client},
        {"client_secret", &r.secret},    {"username", &r.username},
        {"password", &r.password},       {"refresh_token", &r.refresh_token},
        {"device_code", &r.device_code}, {"client_info", &r.client_info},
        {"scope", &r.asked.scope},       {"resource", &r.asked.resource},
    };
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(fields); i++)
        rc = form_text(&req->arena, req->body, fields[i].key, fields[i].to, e);
    if (rc == RC_OK && !r.device_code.ptr) /* as some clients name it */
        rc = form_text(&req->arena, req->body, "code", &r.device_code, e);
    if (rc == RC_OK)
        rc = read_basic(req, &r, e);
    if (rc == RC_OK)
        *ret = r;
    return rc;
}

enum rc sts_client_check(const struct sts_request *r, struct uuid *ret, struct err *e)
{
    if (!r->client.ptr)
        return err_set(e, RC_INVALID, "client_id is missing");
    if (uuid_parse(r->client, ret, NULL) != RC_OK)
        return err_code(e, RC_INVALID, "unauthorized_client", "client_id has to be a uuid");
    return RC_OK;
}

enum rc sts_tenant_check(struct http_request *req, struct err *e)
{
    struct uuid u;

    for (size_t i = 0; i < req->n_params; i++) {
        struct str tenant = req->params[i].value;

        if (!str_is(req->params[i].name, "tenant") || str_is_nocase(tenant, "organizations") ||
            str_is_nocase(tenant, "common"))
            continue;
        if (uuid_parse(tenant, &u, NULL) != RC_OK ||
            !uuid_eq(&u, &admission_of(req)->snapshot->identity->tenant))
            return err_code(e, RC_INVALID, "invalid_tenant", "there is no such tenant here");
    }
    return RC_OK;
}
