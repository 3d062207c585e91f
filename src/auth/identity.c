/* Identity access tokens: JWT under ES256, `typ` at+jwt (RFC 9068), as the identity endpoint issues
 * them for the control plane and for the registries' token exchange. */
#include "auth/private.h"

#include <inttypes.h>

static void add_text(struct buf *b, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_addf(b, ",\"%s\":", name);
    buf_add_json(b, value);
}

enum rc auth_identity_mint(const struct jws_key *key, const struct auth_identity_token *t,
                           struct buf *out, struct err *e)
{
    CLEANUP(buf_done) struct buf claims = BUF_INIT(4096);
    struct uuid id = uuid_random();

    buf_add(&claims, STR("{\"iss\":"));
    buf_add_json(&claims, t->issuer);
    buf_add(&claims, STR(",\"aud\":"));
    buf_add_json(&claims, t->audience);
    auth_claims_add_times(&claims, t->issued_us, t->expires_us);
    auth_claims_add_uuid(&claims, "jti", &id);
    auth_claims_add_uuid(&claims, "tid", &t->tenant);
    auth_claims_add_uuid(&claims, "oid", &t->object_id);
    auth_claims_add_uuid(&claims, "sub", &t->object_id);
    auth_claims_add_uuid(&claims, "appid", &t->app_id);
    auth_claims_add_uuid(&claims, "client_id", &t->app_id);
    add_text(&claims, "upn", t->upn);
    add_text(&claims, "name", t->name);
    buf_addf(&claims, ",\"generation\":%" PRId64 ",\"ver\":\"1.0\"}", t->generation);
    enum rc rc = buf_status(&claims, e);

    return rc == RC_OK ? jws_sign(key, JWS_ES256, "at+jwt", buf_str(&claims), out, e) : rc;
}

enum rc auth_id_token_mint(const struct jws_key *key, const struct auth_id_token *t,
                           struct buf *out, struct err *e)
{
    CLEANUP(buf_done) struct buf claims = BUF_INIT(8192);

    buf_add(&claims, STR("{\"iss\":"));
    buf_add_json(&claims, t->issuer);
    buf_add(&claims, STR(",\"aud\":"));
    buf_add_json(&claims, t->client);
    auth_claims_add_times(&claims, t->issued_us, t->expires_us);
    auth_claims_add_uuid(&claims, "tid", &t->tenant);
    auth_claims_add_uuid(&claims, "oid", &t->object_id);
    auth_claims_add_uuid(&claims, "sub", &t->object_id);
    add_text(&claims, "upn", t->upn);
    add_text(&claims, "preferred_username", t->upn);
    add_text(&claims, "name", t->name);
    buf_add(&claims, STR(",\"ver\":\"1.0\"}"));
    enum rc rc = buf_status(&claims, e);

    return rc == RC_OK ? jws_sign(key, JWS_ES256, "JWT", buf_str(&claims), out, e) : rc;
}

static enum rc read_claims(const struct json *claims, struct arena *a,
                           struct auth_identity_token *t, struct err *e)
{
    enum rc rc = auth_claim_uuid(claims, "tid", &t->tenant, e);

    if (rc == RC_OK)
        rc = auth_claim_uuid(claims, "oid", &t->object_id, e);
    if (rc == RC_OK)
        rc = auth_claim_uuid(claims, "appid", &t->app_id, e);
    if (rc == RC_OK)
        rc = auth_claim_text(claims, "iss", a, &t->issuer, e);
    if (rc == RC_OK)
        rc = auth_claim_text(claims, "aud", a, &t->audience, e);
    t->generation = json_int(json_get(claims, "generation"), -1);
    t->issued_us = auth_claim_time(claims, "iat");
    t->expires_us = auth_claim_time(claims, "exp");
    return rc;
}

enum rc auth_identity_verify(struct jws_key *const *keys, size_t n_keys, struct str token,
                             int64_t now_us, struct arena *a, struct auth_identity_token *ret,
                             struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(16 * 1024);
    CLEANUP(json_freep) struct json *claims = NULL;
    struct auth_identity_token t = {0};
    enum rc rc = jws_verify(keys, n_keys, JWS_ES256, "at+jwt", token, &text, e);

    if (rc == RC_OK)
        rc = auth_claims_parse(buf_str(&text), now_us, &claims, e);
    if (rc == RC_OK)
        rc = read_claims(claims, a, &t, e);
    if (rc == RC_OK)
        *ret = t;
    return rc;
}

static struct str without_slash(struct str url)
{
    return str_ends(url, STR("/")) ? str_take(url, url.len - 1) : url;
}

bool auth_identity_for_registries(const struct auth_identity_token *t)
{
    return str_is(without_slash(t->audience), AUTH_REGISTRIES_AUDIENCE);
}

bool auth_identity_for_control(const struct auth_identity_token *t)
{
    struct str root = without_slash(t->audience);

    return root.len > 0 && str_starts(t->issuer, root) &&
           str_is(str_skip(t->issuer, root.len), "/adfs");
}
