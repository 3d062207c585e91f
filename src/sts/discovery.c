/* What clients read before they ask for a token (OpenID Connect Discovery 1.0; RFC 8628 4; RFC 7517
 * for the keys). */
#include "sts/private.h"

static void add_url(struct buf *b, const char *member, struct str root, const char *path)
{
    buf_addf(b, "\"%s\":\"%.*s%s\",", member, STR_ARG(root), path);
}

/* `root` is host name, port and what may follow: nothing to escape. */
static enum http_verdict answer_discovery(struct http_request *req, struct str root,
                                          const char *version)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);
    struct str control = admit_control_url(req);
    struct str endpoints = arena_printf(&req->arena, "%.*s/oauth2%s", STR_ARG(root), version);

    buf_addc(&b, '{');
    add_url(&b, "issuer", control, "/adfs");
    add_url(&b, "authorization_endpoint", endpoints, "/authorize");
    add_url(&b, "token_endpoint", endpoints, "/token");
    add_url(&b, "device_authorization_endpoint", endpoints, "/devicecode");
    add_url(&b, "jwks_uri", control, "/adfs/discovery/keys");
    buf_add(&b,
            STR("\"grant_types_supported\":[\"client_credentials\",\"password\",\"refresh_token\","
                "\"urn:ietf:params:oauth:grant-type:device_code\"],"
                "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\","
                "\"client_secret_basic\"],"
                "\"scopes_supported\":[\"openid\",\"profile\",\"offline_access\"],"
                "\"response_types_supported\":[],"
                "\"subject_types_supported\":[\"public\"],"
                "\"id_token_signing_alg_values_supported\":[\"ES256\"]}"));
    return sts_answer_json(req, &b);
}

enum http_verdict sts_discovery_get(struct http_request *req)
{
    struct str control = admit_control_url(req);

    return answer_discovery(req, arena_printf(&req->arena, "%.*s/adfs", STR_ARG(control)), "");
}

static struct str tenant_root(struct http_request *req)
{
    struct str control = admit_control_url(req);
    char tenant[UUID_TEXT_MAX];

    uuid_format(&admission_of(req)->snapshot->identity->tenant, tenant);
    return arena_printf(&req->arena, "%.*s/%s", STR_ARG(control), tenant);
}

enum http_verdict sts_tenant_discovery_get(struct http_request *req)
{
    struct err e = {0};

    if (sts_tenant_check(req, &e) != RC_OK)
        return sts_fail(req, &e);
    return answer_discovery(req, tenant_root(req), "/v2.0");
}

/* Clients that do not know this authority ask whether it is one, and by which names it goes. */
enum http_verdict sts_instance_get(struct http_request *req)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);
    struct str host = admit_control_url(req);

    host = str_skip(host, str_find(host, ':') + strlen("://"));
    buf_addf(&b,
             "{\"tenant_discovery_endpoint\":\"%.*s/v2.0/.well-known/openid-configuration\","
             "\"api-version\":\"1.1\",\"metadata\":[{\"preferred_network\":\"%.*s\","
             "\"preferred_cache\":\"%.*s\",\"aliases\":[\"%.*s\"]}]}",
             STR_ARG(tenant_root(req)), STR_ARG(host), STR_ARG(host), STR_ARG(host));
    return sts_answer_json(req, &b);
}

/* How a user of this name signs in. The same for every name: it says nothing of who there is. */
enum http_verdict sts_realm_get(struct http_request *req)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);
    struct str user = http_param(req, "user");

    buf_add(&b, STR("{\"ver\":\"1.0\",\"account_type\":\"Managed\",\"domain_name\":"));
    buf_add_json(&b, str_skip(user, str_find_last(user, '@') + 1));
    buf_add(&b, STR(",\"cloud_instance_name\":\"kidoban\",\"cloud_audience_urn\":"
                    "\"urn:federation:kidoban\"}"));
    return sts_answer_json(req, &b);
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
        if (jws_key_to_jwk(i->identity_keys[k], false, &b, &e) != RC_OK)
            return sts_fail(req, &e);
    }
    buf_add(&b, STR("]}"));
    return sts_answer_json(req, &b);
}
