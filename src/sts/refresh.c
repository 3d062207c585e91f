/* Refresh tokens. One lives for 90 days from its last use and is replaced once a day of age; the
 * old one goes on for an hour, because several processes of one client share what is stored. An old
 * one that comes later was copied: its whole family ends (RFC 9700 4.14). */
#include "sts/private.h"

#include "base/clock.h"
#include "meta/session.h"

enum { FAMILY_MEMORY = 16 * 1024, KEPT_PER_USER = 100 };
#define HOUR_US        ((int64_t)3600 * CLOCK_US_PER_S)
#define REPLACE_AGE_US (24 * HOUR_US)
#define GRACE_US       HOUR_US

static enum rc gone(struct err *e, const char *why)
{
    return err_code(e, RC_INVALID, "invalid_grant", "the refresh token %s: sign in again", why);
}

/* --- a sign-in --- */

static enum rc add(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct meta_refresh *r = arg;
    enum rc rc = meta_refresh_add(tx, r, e);

    return rc == RC_OK ? meta_refresh_trim(tx, &r->principal, KEPT_PER_USER, e) : rc;
}

static struct str new_token(struct arena *a, struct digest *ret_hash)
{
    char text[CRYPTO_SECRET_TEXT_MAX];
    struct str token = arena_copy(a, crypto_secret(text));

    *ret_hash = crypto_secret_hash(token);
    crypto_wipe(text, sizeof(text));
    return token;
}

enum rc sts_refresh_start(struct http_request *req, const struct snapshot_principal *who,
                          struct str client, struct str *ret, struct err *e)
{
    struct meta_refresh r = {
        .family = uuid_random(),
        .principal = who->object_id,
        .generation = who->generation,
        .client = client,
        .issued_us = clock_wall_us(),
    };
    struct str token = new_token(&req->arena, &r.hash);

    if (!token.ptr)
        return err_set(e, RC_TOO_LARGE, "the request is too large");
    r.used_us = r.issued_us;
    enum rc rc = meta_write(snapshot_meta(admit_hub(req)), &who->object_id, add, &r, e);

    if (rc == RC_OK)
        *ret = token;
    return rc;
}

/* --- its use --- */

struct use {
    const struct snapshot *snapshot;
    struct digest hash;
    struct str client;
    struct digest next; /* of the successor, where there has to be one */
    int64_t now_us;
    /* what came of it; set anew by each run */
    const struct snapshot_principal *who;
    const char *refused; /* why not */
    bool replaced;
};

static const char *why_not(struct use *u, const struct meta_refresh *r)
{
    u->who = snapshot_principal_by_object(u->snapshot, &r->principal);
    if (!u->who || !u->who->enabled || u->who->generation != r->generation)
        return "has ended with the password that it came from";
    if (r->used_us + STS_REFRESH_LIFE_US < u->now_us)
        return "was not used for 90 days";
    if (r->replaced_us > 0 && r->replaced_us + GRACE_US < u->now_us)
        return "was replaced by another one";
    return NULL;
}

static enum rc replace(struct meta_tx *tx, struct use *u, const struct meta_refresh *r,
                       struct err *e)
{
    struct meta_refresh next = *r;

    next.hash = u->next;
    next.issued_us = next.used_us = u->now_us;
    next.replaced_us = 0;
    u->replaced = true;
    enum rc rc =
        meta_refresh_used(tx, &r->hash, u->now_us, r->replaced_us ? r->replaced_us : u->now_us, e);

    return rc == RC_OK ? add(tx, &next, e) : rc;
}

static enum rc find(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(FAMILY_MEMORY);
    struct use *u = arg;
    struct meta_refresh r;
    enum rc rc = meta_refresh_get(tx, &a, &u->hash, &r, e);

    if (rc != RC_OK)
        return rc;
    return str_eq_nocase(r.client, u->client) ? RC_OK
                                              : err_set(e, RC_NOT_FOUND, "another client's");
}

static enum rc use(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(FAMILY_MEMORY);
    struct use *u = arg;
    struct meta_refresh r;
    enum rc rc = meta_refresh_get(tx, &a, &u->hash, &r, e);

    if (rc != RC_OK)
        return rc;
    u->replaced = false;
    u->refused = why_not(u, &r);
    if (u->refused)
        return meta_refresh_end_family(tx, &r.family, e);
    if (r.replaced_us > 0 || r.issued_us + REPLACE_AGE_US < u->now_us)
        return replace(tx, u, &r, e);
    return meta_refresh_used(tx, &r.hash, u->now_us, 0, e);
}

/* What nobody was given costs no write. */
static enum rc run(struct http_request *req, struct use *u, struct err *e)
{
    struct meta *m = snapshot_meta(admit_hub(req));
    struct uuid key = admission_of(req)->snapshot->identity->tenant;
    enum rc rc = meta_read(m, find, u, e);

    if (rc == RC_OK)
        rc = meta_write(m, &key, use, u, e);
    if (rc == RC_NOT_FOUND)
        return gone(e, "is not known here");
    return rc == RC_OK && u->refused ? gone(e, u->refused) : rc;
}

enum rc sts_refresh_use(struct http_request *req, struct str token, struct str client,
                        const struct snapshot_principal **ret, struct str *ret_next, struct err *e)
{
    struct use u = {
        .snapshot = admission_of(req)->snapshot,
        .hash = crypto_secret_hash(token),
        .client = client,
        .now_us = clock_wall_us(),
    };
    struct str next = new_token(&req->arena, &u.next);
    enum rc rc = next.ptr ? run(req, &u, e) : err_set(e, RC_TOO_LARGE, "the request is too large");

    if (rc != RC_OK)
        return rc;
    *ret = u.who;
    *ret_next = u.replaced ? next : token;
    return RC_OK;
}
