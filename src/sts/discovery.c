/* What clients read before they ask for a token (OpenID Connect Discovery 1.0; RFC 7517 for the
 * keys). */
#include "sts/private.h"

static enum http_verdict answer_json(struct http_request *req, const struct buf *b)
{
    struct str body = buf_status(b, NULL) == RC_OK ? arena_copy(&req->arena, buf_str(b)) : STR_NONE;

    http_answer(req, body.ptr ? 200 : 503, "application/json", body);
    return HTTP_ANSWERED;
}

static void add_url(struct buf *b, const char *member, struct str root, const char *path)
{
    buf_addf(b, "\"%s\":\"%.*s%s\",", member, STR_ARG(root), path);
}

static enum http_verdict answer_discovery(struct http_request *req, struct str root,
                                          const char *version)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);
    struct str control = admit_control_url(req); /* host name and port: nothing to escape */
    struct str endpoints = arena_printf(&req->arena, "%.*s/oauth2%s", STR_ARG(root), version);

    buf_addc(&b, '{');
    add_url(&b, "issuer", control, "/adfs");
    add_url(&b, "authorization_endpoint", endpoints, "/authorize");
    add_url(&b, "token_endpoint", endpoints, "/token");
    add_url(&b, "jwks_uri", control, "/adfs/discovery/keys");
    buf_add(&b, STR("\"grant_types_supported\":[\"client_credentials\"],"
                    "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\","
                    "\"client_secret_basic\"],"
                    "\"response_types_supported\":[\"code\"],"
                    "\"subject_types_supported\":[\"public\"],"
                    "\"id_token_signing_alg_values_supported\":[\"ES256\"]}"));
    return answer_json(req, &b);
}

enum http_verdict sts_discovery_get(struct http_request *req)
{
    struct str control = admit_control_url(req);

    return answer_discovery(req, arena_printf(&req->arena, "%.*s/adfs", STR_ARG(control)), "");
}

enum http_verdict sts_tenant_discovery_get(struct http_request *req)
{
    struct str control = admit_control_url(req);
    char tenant[UUID_TEXT_MAX];
    struct err e = {0};

    if (sts_tenant_check(req, &e) != RC_OK)
        return sts_fail(req, &e);
    uuid_format(&admission_of(req)->snapshot->identity->tenant, tenant);
    return answer_discovery(req, arena_printf(&req->arena, "%.*s/%s", STR_ARG(control), tenant),
                            "/v2.0");
}

enum http_verdict sts_keys_get(struct http_request *req)
{
    const struct snapshot_identity *i = admission_of(req)->snapshot->identity;
    CLEANUP(buf_done) struct buf b = BUF_INIT(16 * 1024);
    struct err e = {0};

    buf_add(&b, STR("{\"keys\":["));
    for (size_t k = 0; k < i->n_identity_keys; k++) {
        if (k)
            buf_addc(&b, ',');
        if (jws_key_to_jwk(i->identity_keys[k], false, &b, &e) != RC_OK) {
            http_answer(req, 500, NULL, STR(""));
            return HTTP_ANSWERED;
        }
    }
    buf_add(&b, STR("]}"));
    return answer_json(req, &b);
}
