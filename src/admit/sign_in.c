/* Names and passwords: who is it? Used for Basic credentials and by the token endpoints, so that
 * there is one answer and one count of failures. Reads only the request's pinned snapshot. */
#include "admit/admit.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/metric.h"
#include "crypto/password.h"

static enum rc refuse(struct err *e)
{
    return err_set(e, RC_UNAUTHENTICATED, "invalid username or password");
}

static bool same_secret(const struct digest *stored, const struct digest *given)
{
    return digest_is_set(stored) &&
           crypto_equal((struct str){(const char *)stored->bytes, DIGEST_BYTES_MAX},
                        (struct str){(const char *)given->bytes, DIGEST_BYTES_MAX});
}

static void set_name(struct principal *p, struct str name)
{
    if (str_copy(utf8_cut(name, sizeof(p->name) - 1), p->name, sizeof(p->name)) != RC_OK)
        p->name[0] = '\0';
}

/* --- the registry's admin user --- */

static bool is_admin(const struct snapshot_registry *r, struct str user)
{
    return r && r->admin_user && str_eq_nocase(user, r->name);
}

/* Both passwords are compared whichever matches. */
static enum rc admin_sign_in(const struct snapshot_registry *r, const struct digest *given,
                             struct principal *ret, struct err *e)
{
    int slot = -1;

    for (int i = 0; i < 2; i++)
        if (same_secret(&r->admin_password[i], given))
            slot = i;
    if (slot < 0)
        return refuse(e);
    *ret = (struct principal){.kind = PRINCIPAL_REGISTRY_ADMIN,
                              .slot = (unsigned)slot,
                              .generation = r->admin_generation[slot]};
    set_name(ret, r->name);
    return RC_OK;
}

/* --- identities --- */

static void admit_identity(const struct snapshot_principal *p, int64_t credential,
                           struct principal *ret)
{
    *ret = (struct principal){.kind = PRINCIPAL_IDENTITY,
                              .object_id = p->object_id,
                              .app_id = p->app_id,
                              .generation = credential,
                              .administrator = p->administrator};
    set_name(ret, p->kind == META_USER ? p->upn : p->name);
}

static bool audience_taken(const struct snapshot_registry *r, const struct auth_identity_token *t)
{
    if (r && auth_identity_for_registries(t))
        return true;
    return (!r || r->arm_audience) && auth_identity_for_control(t);
}

enum rc admit_identity_token(struct http_request *req, struct str token, struct principal *ret,
                             struct err *e)
{
    const struct admission *a = admission_of(req);
    const struct snapshot_identity *i = a->snapshot->identity;
    int64_t now_us = clock_wall_us();
    struct auth_identity_token t;
    enum rc rc = auth_identity_verify(i->identity_keys, i->n_identity_keys, token, now_us,
                                      &req->arena, &t, e);

    if (rc != RC_OK)
        return rc;
    if (!audience_taken(a->registry, &t) || !uuid_eq(&t.tenant, &i->tenant))
        return err_set(e, RC_UNAUTHENTICATED,
                       "token: it is for another audience, or of another tenant");
    const struct snapshot_principal *known =
        snapshot_principal_by_object(a->snapshot, &t.object_id);

    if (!snapshot_credential_stands(known, t.generation, now_us))
        return err_code(e, RC_UNAUTHENTICATED, ADMIT_REVOKED,
                        "token: its credential was renewed or disabled");
    admit_identity(known, t.generation, ret);
    return RC_OK;
}

/* All are compared, whichever matches. */
static const struct snapshot_secret *find_secret(const struct snapshot_principal *p,
                                                 const struct digest *given)
{
    const struct snapshot_secret *found = NULL;
    int64_t now = clock_wall_us();

    for (size_t i = 0; i < p->n_secrets; i++) {
        const struct snapshot_secret *s = &p->secrets[i];

        if (same_secret(&s->hash, given) && snapshot_secret_holds(s, now))
            found = s;
    }
    return found;
}

static enum rc app_sign_in(const struct snapshot *s, struct str app_id, const struct digest *given,
                           struct principal *ret, struct err *e)
{
    struct uuid u;
    const struct snapshot_principal *p = NULL;
    const struct snapshot_secret *secret;

    if (uuid_parse(app_id, &u, NULL) == RC_OK)
        p = snapshot_principal_by_app(s, &u);
    secret = p ? find_secret(p, given) : NULL;
    if (!secret || !p->enabled)
        return refuse(e);
    admit_identity(p, snapshot_credential(p, secret), ret);
    return RC_OK;
}

/* --- does it still stand? --- */

bool admit_principal_stands(const struct snapshot *s, const struct snapshot_registry *r,
                            const struct principal *p)
{
    const struct snapshot_principal *known;

    switch (p->kind) {
    case PRINCIPAL_ANONYMOUS:
        return r && r->anonymous_pull;
    case PRINCIPAL_REGISTRY_ADMIN:
        return r && r->admin_user && p->slot < 2 && r->admin_generation[p->slot] == p->generation;
    case PRINCIPAL_IDENTITY:
        known = snapshot_principal_by_object(s, &p->object_id);
        return snapshot_credential_stands(known, p->generation, clock_wall_us());
    }
    return false;
}

static enum rc read_refresh_token(struct http_request *req, struct str token, struct principal *ret,
                                  struct err *e)
{
    const struct admission *a = admission_of(req);
    struct auth_token_wanted wanted = {AUTH_TOKEN_REFRESH, a->registry->uuid, clock_wall_us()};
    struct auth_token t;
    enum rc rc =
        auth_token_verify(a->snapshot->identity->token_key, &wanted, token, &req->arena, &t, e);

    if (rc != RC_OK)
        return rc;
    if (!admit_principal_stands(a->snapshot, a->registry, &t.principal))
        return err_set(e, RC_UNAUTHENTICATED, "token: its credential was renewed or disabled");
    *ret = t.principal;
    if (ret->kind == PRINCIPAL_IDENTITY)
        admit_identity(snapshot_principal_by_object(a->snapshot, &t.principal.object_id),
                       t.principal.generation, ret);
    return RC_OK;
}

/* --- with the count of failures --- */

static enum rc allowed(struct http_request *req, struct str account, struct err *e)
{
    if (admit_sign_in_allowed(req, account))
        return RC_OK;
    return err_code(e, RC_QUOTA, "TOOMANYREQUESTS",
                    "too many failed sign-ins for this account from this address; try again later");
}

static enum rc counted(struct http_request *req, struct str account, enum rc rc)
{
    if (rc == RC_UNAUTHENTICATED) {
        metric_add(METRIC_SIGN_IN_FAILURES, 1);
        admit_sign_in_failed(req, account);
    }
    return rc;
}

/* Not limited: nobody guesses a signature, and behind one address many may come with an old token.
 */
enum rc admit_refresh_token(struct http_request *req, struct str token, struct principal *ret,
                            struct err *e)
{
    enum rc rc = read_refresh_token(req, token, ret, e);

    if (rc == RC_UNAUTHENTICATED)
        metric_add(METRIC_SIGN_IN_FAILURES, 1);
    return rc;
}

enum rc admit_sign_in_app(struct http_request *req, struct str app_id, struct str secret,
                          struct principal *ret, struct err *e)
{
    struct digest given = crypto_secret_hash(secret);
    enum rc rc = allowed(req, app_id, e);

    if (rc != RC_OK)
        return rc;
    return counted(req, app_id, app_sign_in(admission_of(req)->snapshot, app_id, &given, ret, e));
}

enum rc admit_sign_in_user(struct http_request *req, struct str upn, struct str password,
                           const struct snapshot_principal **ret, struct err *e)
{
    const struct snapshot_principal *p =
        snapshot_principal_by_upn(admission_of(req)->snapshot, upn);
    struct str record = p && p->enabled ? p->password : STR("");
    enum rc rc = allowed(req, upn, e);

    if (rc == RC_OK)
        rc = counted(req, upn, password_verify(password, record, e));
    if (rc == RC_OK)
        *ret = p;
    return rc;
}

enum rc admit_sign_in(struct http_request *req, struct str user, struct str password,
                      struct principal *ret, struct err *e)
{
    const struct snapshot_registry *r = admission_of(req)->registry;
    struct digest given = crypto_secret_hash(password);
    enum rc rc;

    if (str_is(user, ADMIT_TOKEN_USER))
        return admit_refresh_token(req, password, ret, e);
    if (!is_admin(r, user))
        return admit_sign_in_app(req, user, password, ret, e);
    rc = allowed(req, user, e);
    return rc == RC_OK ? counted(req, user, admin_sign_in(r, &given, ret, e)) : rc;
}
