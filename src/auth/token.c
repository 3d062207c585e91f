/* Registry tokens: JWT (RFC 7519) under HS256. Each kind has a `typ` of its own, so that none can
 * stand for another; the audience is the registry's uuid, which no later registry of that name has.
 */
#include "auth/private.h"

#include "base/clock.h"
#include <inttypes.h>

#define ISSUER "Kidoban Registry"
enum { CLAIMS_MAX = JWS_TOKEN_MAX * 7 / 10 }; /* base64url, header and signature come to it */

static const char *const kind_names[] = {
    [PRINCIPAL_ANONYMOUS] = "anonymous",
    [PRINCIPAL_REGISTRY_ADMIN] = "registry-admin",
    [PRINCIPAL_IDENTITY] = "identity",
};

static const char *token_type(enum auth_token_kind kind)
{
    return kind == AUTH_TOKEN_REFRESH ? "kidoban-refresh+jwt" : "kidoban-access+jwt";
}

/* --- minting --- */

static void add_principal(struct buf *b, const struct principal *p)
{
    buf_addf(b, ",\"kind\":\"%s\",\"sub\":", kind_names[p->kind]);
    buf_add_json(b, str_from(p->name));
    buf_addf(b, ",\"generation\":%" PRId64, p->generation);
    if (p->kind == PRINCIPAL_REGISTRY_ADMIN)
        buf_addf(b, ",\"slot\":%u", p->slot);
    if (p->kind == PRINCIPAL_IDENTITY) {
        auth_claims_add_uuid(b, "oid", &p->object_id);
        auth_claims_add_uuid(b, "appid", &p->app_id);
    }
}

static void add_actions(struct buf *b, unsigned actions)
{
    const char *name, *comma = "";
    unsigned action;

    if (actions & AUTH_CATALOG) {
        buf_add(b, STR("\"*\""));
        return;
    }
    for (size_t i = 0; (name = auth_action_name(i, &action)); i++)
        if (actions & action) {
            buf_addf(b, "%s\"%s\"", comma, name);
            comma = ",";
        }
}

static void add_scopes(struct buf *b, const struct auth_scopes *scopes)
{
    buf_add(b, STR(",\"access\":["));
    for (size_t i = 0; i < scopes->n; i++) {
        const struct auth_scope *s = &scopes->list[i];

        buf_add(b, i ? STR(",{\"type\":") : STR("{\"type\":"));
        buf_add_json(b, s->type);
        buf_add(b, STR(",\"name\":"));
        buf_add_json(b, s->name);
        buf_add(b, STR(",\"actions\":["));
        add_actions(b, s->actions);
        buf_add(b, STR("]}"));
    }
    buf_addc(b, ']');
}

enum rc auth_token_mint(const struct jws_key *key, const struct auth_token *t, struct buf *out,
                        struct err *e)
{
    CLEANUP(buf_done) struct buf claims = BUF_INIT(CLAIMS_MAX);
    struct uuid id = uuid_random();

    buf_add(&claims, STR("{\"iss\":\"" ISSUER "\""));
    auth_claims_add_uuid(&claims, "aud", &t->registry);
    auth_claims_add_uuid(&claims, "jti", &id);
    auth_claims_add_times(&claims, t->issued_us, t->expires_us);
    add_principal(&claims, &t->principal);
    if (t->kind == AUTH_TOKEN_ACCESS)
        add_scopes(&claims, &t->scopes);
    buf_addc(&claims, '}');
    enum rc rc = buf_status(&claims, NULL);

    if (rc != RC_OK)
        return err_set(e, RC_INVALID, "too many scopes, or too long ones, for one token");
    return jws_sign(key, JWS_HS256, token_type(t->kind), buf_str(&claims), out, e);
}

/* --- verifying --- */

static enum rc read_kind(const struct json *claims, enum principal_kind *ret, struct err *e)
{
    struct str kind = json_str(json_get(claims, "kind"));

    for (size_t i = 0; i < ARRAY_LEN(kind_names); i++)
        if (str_is(kind, kind_names[i])) {
            *ret = (enum principal_kind)i;
            return RC_OK;
        }
    return err_set(e, RC_UNAUTHENTICATED, "token: unknown kind of principal");
}

static enum rc read_principal(const struct json *claims, struct principal *ret, struct err *e)
{
    struct principal p = {.generation = json_int(json_get(claims, "generation"), -1)};
    int64_t slot = json_int(json_get(claims, "slot"), 0);
    enum rc rc = read_kind(claims, &p.kind, e);

    if (rc != RC_OK)
        return rc;
    if (slot < 0 || slot > 1 ||
        str_copy(json_str(json_get(claims, "sub")), p.name, sizeof(p.name)) != RC_OK)
        return err_set(e, RC_UNAUTHENTICATED, "token: malformed principal");
    p.slot = (unsigned)slot;
    if (p.kind == PRINCIPAL_IDENTITY) {
        rc = auth_claim_uuid(claims, "oid", &p.object_id, e);
        if (rc == RC_OK)
            rc = auth_claim_uuid(claims, "appid", &p.app_id, e);
    }
    if (rc == RC_OK)
        *ret = p;
    return rc;
}

static enum rc read_scope(const struct json *item, struct arena *a, struct auth_scopes *scopes,
                          struct err *e)
{
    struct auth_scope s = {0};
    const struct json *actions = json_get(item, "actions");
    enum rc rc = auth_claim_text(item, "type", a, &s.type, e);

    if (rc == RC_OK)
        rc = auth_claim_text(item, "name", a, &s.name, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < json_len(actions); i++)
        s.actions |= auth_actions_parse(s.type, s.name, json_str(json_at(actions, i)));
    return auth_scopes_add(scopes, &s, e);
}

static enum rc read_scopes(const struct json *claims, struct arena *a, struct auth_scopes *ret,
                           struct err *e)
{
    const struct json *access = json_get(claims, "access");
    struct auth_scopes scopes = {0};

    for (size_t i = 0; i < json_len(access); i++) {
        enum rc rc = read_scope(json_at(access, i), a, &scopes, e);

        if (rc != RC_OK)
            return rc;
    }
    *ret = scopes;
    return RC_OK;
}

static enum rc read_claims(const struct json *claims, const struct uuid *registry, struct arena *a,
                           struct auth_token *t, struct err *e)
{
    enum rc rc = auth_claim_uuid(claims, "aud", &t->registry, e);

    if (rc == RC_OK && !uuid_eq(&t->registry, registry))
        rc = err_set(e, RC_UNAUTHENTICATED, "token: for another registry");
    if (rc == RC_OK)
        rc = read_principal(claims, &t->principal, e);
    if (rc == RC_OK && t->kind == AUTH_TOKEN_ACCESS)
        rc = read_scopes(claims, a, &t->scopes, e);
    t->issued_us = auth_claim_time(claims, "iat");
    t->expires_us = auth_claim_time(claims, "exp");
    return rc;
}

enum rc auth_token_verify(struct jws_key *key, const struct auth_token_wanted *wanted,
                          struct str token, struct arena *a, struct auth_token *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(16 * 1024);
    CLEANUP(json_freep) struct json *claims = NULL;
    struct auth_token t = {.kind = wanted->kind};
    enum rc rc = jws_verify(&key, 1, JWS_HS256, token_type(t.kind), token, &text, e);

    if (rc == RC_OK)
        rc = auth_claims_parse(buf_str(&text), wanted->now_us, &claims, e);
    if (rc == RC_OK)
        rc = read_claims(claims, &wanted->registry, a, &t, e);
    if (rc == RC_OK)
        *ret = t;
    return rc;
}
