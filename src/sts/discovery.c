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
    buf_addf(b, "\"%s\":\"%.*s/adfs%s\",", member, STR_ARG(root), path);
}

enum http_verdict sts_discovery_get(struct http_request *req)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);
    struct str root = admit_control_url(req); /* a host name and a port: nothing to escape */

    buf_addc(&b, '{');
    add_url(&b, "issuer", root, "");
    add_url(&b, "authorization_endpoint", root, "/oauth2/authorize");
    add_url(&b, "token_endpoint", root, "/oauth2/token");
    add_url(&b, "jwks_uri", root, "/discovery/keys");
    buf_add(&b, STR("\"grant_types_supported\":[\"client_credentials\"],"
                    "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\","
                    "\"client_secret_basic\"],"
                    "\"response_types_supported\":[\"code\"],"
                    "\"subject_types_supported\":[\"public\"],"
                    "\"id_token_signing_alg_values_supported\":[\"ES256\"]}"));
    return answer_json(req, &b);
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
