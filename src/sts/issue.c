/* Tokens for somebody who is known by now: the access token, and what clients of users want beside
 * it. */
#include "sts/private.h"

#include "base/clock.h"
#include "base/encode.h"
#include <inttypes.h>

struct issue {
    struct http_request *req;
    const struct sts_request *asked;
    const struct snapshot_principal *who;
    const struct jws_key *key;
    struct uuid client;
    int64_t credential;
    struct str audience, issuer;
    int64_t issued_us, expires_us;
};

/* A token does not outlive the secret that it was given for. */
static int64_t issue_end(const struct issue *i)
{
    int64_t end = i->issued_us + (int64_t)STS_TOKEN_LIFE_S * CLOCK_US_PER_S;

    for (size_t n = 0; n < i->who->n_secrets; n++) {
        const struct snapshot_secret *s = &i->who->secrets[n];

        if (snapshot_credential(i->who, s) == i->credential && s->expires_us != 0 &&
            s->expires_us < end)
            end = s->expires_us;
    }
    return end;
}

static enum rc issue_begin(struct issue *i, struct err *e)
{
    const struct snapshot_identity *identity = admission_of(i->req)->snapshot->identity;
    struct str control = admit_control_url(i->req);
    enum rc rc = sts_audience(&i->req->arena, &i->asked->asked, control, &i->audience, e);

    if (rc == RC_OK && i->who->kind == META_USER)
        rc = sts_client_check(i->asked, &i->client, e);
    if (rc != RC_OK)
        return rc;
    if (i->who->kind == META_SERVICE_PRINCIPAL)
        i->client = i->who->app_id;
    i->key = identity->identity_keys[0];
    i->issuer = arena_printf(&i->req->arena, "%.*s/adfs", STR_ARG(control));
    i->issued_us = clock_wall_us();
    i->expires_us = issue_end(i);
    return RC_OK;
}

static enum rc add_access_token(const struct issue *i, struct buf *out, struct err *e)
{
    const struct auth_identity_token t = {
        .tenant = admission_of(i->req)->snapshot->identity->tenant,
        .object_id = i->who->object_id,
        .app_id = i->client,
        .issuer = i->issuer,
        .audience = i->audience,
        .upn = i->who->upn,
        .name = i->who->kind == META_USER ? i->who->name : STR_NONE,
        .generation = i->credential ? i->credential : snapshot_credential(i->who, NULL),
        .issued_us = i->issued_us,
        .expires_us = i->expires_us,
    };

    buf_add(out, STR(",\"access_token\":\""));
    enum rc rc = auth_identity_mint(i->key, &t, out, e);

    buf_addc(out, '"');
    return rc;
}

static enum rc add_id_token(const struct issue *i, struct buf *out, struct err *e)
{
    const struct auth_id_token t = {
        .tenant = admission_of(i->req)->snapshot->identity->tenant,
        .object_id = i->who->object_id,
        .issuer = i->issuer,
        .client = i->asked->client,
        .upn = i->who->upn,
        .name = i->who->name,
        .issued_us = i->issued_us,
        .expires_us = i->expires_us,
    };

    if (i->who->kind != META_USER || !sts_asks_for(&i->asked->asked, "openid"))
        return RC_OK;
    buf_add(out, STR(",\"id_token\":\""));
    enum rc rc = auth_id_token_mint(i->key, &t, out, e);

    buf_addc(out, '"');
    return rc;
}

/* By which clients tell accounts apart. */
static void add_client_info(const struct issue *i, struct buf *out)
{
    CLEANUP(buf_done) struct buf info = BUF_INIT(256);
    char uid[UUID_TEXT_MAX], utid[UUID_TEXT_MAX];

    if (i->who->kind != META_USER || !str_is(i->asked->client_info, "1"))
        return;
    uuid_format(&i->who->object_id, uid);
    uuid_format(&admission_of(i->req)->snapshot->identity->tenant, utid);
    buf_addf(&info, "{\"uid\":\"%s\",\"utid\":\"%s\"}", uid, utid);
    buf_add(out, STR(",\"client_info\":\""));
    base64url_encode(out, buf_str(&info));
    buf_addc(out, '"');
}

static void add_text(struct buf *out, const char *member, struct str value)
{
    if (!value.ptr)
        return;
    buf_addf(out, ",\"%s\":", member);
    buf_add_json(out, value);
}

/* Clients of the v1 form read when a token ends, as text. */
static void add_times(const struct issue *i, struct buf *out)
{
    int64_t left = (i->expires_us - i->issued_us) / CLOCK_US_PER_S - 1;
    int seconds = left > 0 ? (int)left : 0;

    if (i->asked->asked.scope.ptr) {
        buf_addf(out, ",\"expires_in\":%d,\"ext_expires_in\":%d", seconds, seconds);
        return;
    }
    buf_addf(out,
             ",\"expires_in\":\"%d\",\"ext_expires_in\":\"%d\",\"expires_on\":\"%" PRId64
             "\",\"not_before\":\"%" PRId64 "\"",
             seconds, seconds, i->expires_us / CLOCK_US_PER_S, i->issued_us / CLOCK_US_PER_S);
    add_text(out, "resource", i->asked->asked.resource);
}

enum rc sts_issue(struct http_request *req, const struct sts_request *r, const struct sts_grant *g,
                  struct buf *out, struct err *e)
{
    struct issue i = {.req = req, .asked = r, .who = g->who, .credential = g->credential};
    enum rc rc = issue_begin(&i, e);

    if (rc != RC_OK)
        return rc;
    buf_add(out, STR("{\"token_type\":\"Bearer\""));
    add_times(&i, out);
    rc = add_access_token(&i, out, e);
    if (rc == RC_OK)
        rc = add_id_token(&i, out, e);
    if (r->asked.scope.ptr && g->who->kind == META_USER)
        add_text(out, "scope", r->asked.scope);
    add_text(out, "refresh_token", g->refresh_token);
    add_client_info(&i, out);
    buf_addc(out, '}');
    return rc == RC_OK ? buf_status(out, e) : rc;
}
