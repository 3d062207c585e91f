/* Device codes (RFC 8628): a client without a browser gets two codes, shows one to its user and
 * asks with the other until the user has decided on the page. */
#include "sts/private.h"

#include "base/clock.h"
#include "meta/session.h"

enum { LIFE_S = 900, INTERVAL_S = 5, AT_ONCE = 10000, ROW_MEMORY = 16 * 1024, SCOPE_MAX = 2048 };
/* A client that keeps to the interval may be early by what the network takes. */
#define PACE_US ((int64_t)(INTERVAL_S - 1) * CLOCK_US_PER_S)

/* Nothing that reads like a word, or like a digit. */
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
enum { LETTERS = sizeof(letters) - 1, FAIR = 256 - 256 % LETTERS };

static void user_code_make(char out[STS_USER_CODE + 1])
{
    for (size_t i = 0; i < STS_USER_CODE;) {
        uint8_t byte;

        crypto_random(&byte, 1);
        if (byte < FAIR)
            out[i++] = letters[byte % LETTERS];
    }
    out[STS_USER_CODE] = '\0';
}

enum rc sts_user_code_parse(struct str typed, char out[STS_USER_CODE + 1], struct err *e)
{
    char code[STS_USER_CODE + 1] = "";
    size_t n = 0;

    for (size_t i = 0; i < typed.len; i++) {
        char c = ascii_lower(typed.ptr[i]);

        if (c == '-' || c == ' ')
            continue;
        c = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : '\0');
        if (n == STS_USER_CODE || c == '\0' || !strchr(letters, c))
            return err_set(e, RC_INVALID, "this is not a code");
        code[n++] = c;
    }
    if (n != STS_USER_CODE)
        return err_set(e, RC_INVALID, "this is not a code");
    memcpy(out, code, sizeof(code));
    return RC_OK;
}

/* --- its start --- */

/* Expired ones are kept for a while, but not where they would keep others out. */
static enum rc make_room(struct meta_tx *tx, uint64_t *ret_n, struct err *e)
{
    enum rc rc = meta_device_count(tx, ret_n, e);

    if (rc != RC_OK || *ret_n < AT_ONCE)
        return rc;
    rc = meta_device_expire(tx, clock_wall_us(), e);
    return rc == RC_OK ? meta_device_count(tx, ret_n, e) : rc;
}

static enum rc add(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct meta_device *d = arg;
    uint64_t n = 0;
    enum rc rc = make_room(tx, &n, e);

    if (rc == RC_OK && n >= AT_ONCE)
        return err_set(e, RC_UNAVAILABLE, "too many devices wait for their users; try again later");
    return rc == RC_OK ? meta_device_add(tx, d, e) : rc;
}

/* A user code that is in use already: another one is drawn. */
static enum rc store(struct http_request *req, struct meta_device *d, char code[STS_USER_CODE + 1],
                     struct err *e)
{
    struct uuid key = admission_of(req)->snapshot->identity->tenant;
    enum rc rc = RC_EXISTS;

    for (int tries = 0; rc == RC_EXISTS && tries < 4; tries++) {
        user_code_make(code);
        d->user_code = str_from(code);
        rc = meta_write(snapshot_meta(admit_hub(req)), &key, add, d, e);
    }
    return rc;
}

/* What will be asked for when the user has agreed; the v1 form's resource becomes a scope. */
static enum rc scope_of(struct http_request *req, const struct sts_request *r, struct str *ret,
                        struct err *e)
{
    struct str audience, scope = r->asked.scope;
    enum rc rc = sts_audience(&req->arena, &r->asked, admit_control_url(req), &audience, e);

    if (rc == RC_OK && !scope.ptr)
        scope = arena_printf(&req->arena, "%.*s/.default openid offline_access",
                             STR_ARG(r->asked.resource));
    if (rc == RC_OK && (!scope.ptr || scope.len > SCOPE_MAX))
        return err_code(e, RC_INVALID, "invalid_scope", "scope is too long");
    if (rc == RC_OK)
        *ret = scope;
    return rc;
}

/* Codes are rationed like failures: each is a row until it expires. */
static enum rc ration(struct http_request *req, struct err *e)
{
    static const struct str account = {"device codes", sizeof("device codes") - 1};

    if (!admit_sign_in_allowed(req, account))
        return err_set(e, RC_QUOTA, "too many device codes for this address; try again later");
    admit_sign_in_failed(req, account);
    return RC_OK;
}

static enum http_verdict answer_codes(struct http_request *req, const char *code, struct str device)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);
    struct str control = admit_control_url(req);
    struct str page = arena_printf(&req->arena, "%.*s" STS_DEVICE_PAGE, STR_ARG(control));

    buf_addf(&b, "{\"user_code\":\"%.4s-%s\",\"device_code\":\"%.*s\",", code, code + 4,
             STR_ARG(device));
    buf_addf(&b, "\"verification_uri\":\"%.*s\",\"verification_url\":\"%.*s\",", STR_ARG(page),
             STR_ARG(page));
    buf_addf(&b, "\"expires_in\":%d,\"interval\":%d,", LIFE_S, INTERVAL_S);
    buf_addf(&b,
             "\"message\":\"To sign in, use a web browser to open the page %.*s and enter the code "
             "%.4s-%s to authenticate.\"}",
             STR_ARG(page), code, code + 4);
    sts_no_store(req);
    return sts_answer_json(req, &b);
}

enum http_verdict sts_device_code_post(struct http_request *req)
{
    char device[CRYPTO_SECRET_TEXT_MAX], code[STS_USER_CODE + 1];
    struct str secret = crypto_secret(device);
    struct meta_device d = {
        .hash = crypto_secret_hash(secret),
        .expires_us = clock_wall_us() + (int64_t)LIFE_S * CLOCK_US_PER_S,
    };
    struct sts_request r = {0};
    struct uuid client;
    struct err e = {0};
    enum rc rc = sts_tenant_check(req, &e);

    if (rc == RC_OK)
        rc = sts_request_read(req, &r, &e);
    if (rc == RC_OK)
        rc = sts_client_check(&r, &client, &e);
    if (rc == RC_OK)
        rc = scope_of(req, &r, &d.scope, &e);
    if (rc == RC_OK)
        rc = ration(req, &e);
    d.client = r.client;
    if (rc == RC_OK)
        rc = store(req, &d, code, &e);
    return rc == RC_OK ? answer_codes(req, code, secret) : sts_fail(req, &e);
}

/* --- the user's word --- */

struct decision {
    struct str user_code;
    struct meta_device decided;
    int64_t now_us;
};

static enum rc decide(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct decision *d = arg;

    return meta_device_decide(tx, d->user_code, &d->decided, d->now_us, e);
}

enum rc sts_device_decide(struct http_request *req, const char *user_code,
                          const struct snapshot_principal *who, struct err *e)
{
    struct uuid key = admission_of(req)->snapshot->identity->tenant;
    struct decision d = {.user_code = str_from(user_code), .now_us = clock_wall_us()};

    d.decided.state = who ? META_DEVICE_GRANTED : META_DEVICE_REFUSED;
    if (who) {
        d.decided.principal = who->object_id;
        d.decided.generation = who->generation;
    }
    return meta_write(snapshot_meta(admit_hub(req)), &key, decide, &d, e);
}

/* --- the client's question --- */

struct poll {
    struct http_request *req;
    struct digest hash;
    struct meta_device found; /* texts in the request's arena */
    int64_t now_us;
};

static enum rc find(struct meta_tx *tx, void *arg, struct err *e)
{
    struct poll *p = arg;

    return meta_device_get(tx, &p->req->arena, &p->hash, &p->found, e);
}

static enum rc note_poll(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct poll *p = arg;

    return meta_device_polled(tx, &p->hash, p->now_us, e);
}

static enum rc spend(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct poll *p = arg;

    return meta_device_delete(tx, &p->hash, e);
}

static enum rc unknown(struct err *e)
{
    return err_code(e, RC_INVALID, "invalid_grant",
                    "the device code is not known here, or was used already");
}

/* Those who ask too often cost no write. */
static enum rc still_waiting(struct poll *p, const struct uuid *key, struct err *e)
{
    if (p->now_us - p->found.polled_us < PACE_US)
        return err_code(e, RC_INVALID, "slow_down", "asked again before %d seconds", INTERVAL_S);
    enum rc rc = meta_write(snapshot_meta(admit_hub(p->req)), key, note_poll, p, e);

    return rc == RC_OK || rc == RC_NOT_FOUND
               ? err_code(e, RC_INVALID, "authorization_pending", "the user has not decided yet")
               : rc;
}

/* An answer is given once. */
static enum rc take_answer(struct poll *p, const struct uuid *key,
                           const struct snapshot_principal **ret, struct err *e)
{
    const struct meta_device *d = &p->found;
    enum rc rc = meta_write(snapshot_meta(admit_hub(p->req)), key, spend, p, e);

    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? unknown(e) : rc;
    if (d->state == META_DEVICE_REFUSED)
        return err_code(e, RC_INVALID, "access_denied", "the user refused");
    const struct snapshot_principal *who =
        snapshot_principal_by_object(admission_of(p->req)->snapshot, &d->principal);

    if (!who || !who->enabled || who->generation != d->generation)
        return err_code(e, RC_INVALID, "access_denied", "the user's password was changed since");
    *ret = who;
    return RC_OK;
}

enum rc sts_device_poll(struct http_request *req, const struct sts_request *r,
                        const struct snapshot_principal **ret, struct str *ret_scope, struct err *e)
{
    struct uuid key = admission_of(req)->snapshot->identity->tenant;
    struct poll p = {
        .req = req, .hash = crypto_secret_hash(r->device_code), .now_us = clock_wall_us()};
    enum rc rc = meta_read(snapshot_meta(admit_hub(req)), find, &p, e);

    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq_nocase(p.found.client, r->client)))
        return unknown(e);
    if (rc != RC_OK)
        return rc;
    if (p.found.expires_us < p.now_us)
        return err_code(e, RC_INVALID, "expired_token", "the code has expired: begin again");
    if (p.found.state == META_DEVICE_WAITING)
        return still_waiting(&p, &key, e);
    rc = take_answer(&p, &key, ret, e);
    if (rc == RC_OK)
        *ret_scope = p.found.scope;
    return rc;
}
