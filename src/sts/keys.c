/* The keys that sign identity tokens. A new one signs at once; what an old one signed is good until
 * it expires, so that nobody has to sign in again. And what else grows old here. */
#include "sts/directory.h"

#include "base/clock.h"
#include "base/log.h"

#define HOUR_US ((int64_t)3600 * CLOCK_US_PER_S)
#define KEPT_US                                                                                    \
    (2 * (int64_t)STS_TOKEN_LIFE_S * CLOCK_US_PER_S) /* a token's life, and clocks that differ */
#define ROTATE_US      (90 * 24 * HOUR_US)
#define DEVICE_KEPT_US HOUR_US /* an expired code is told apart from an unknown one for so long */

struct rotation {
    struct snapshot_hub *hub;
    struct http_request *req; /* NULL: on schedule */
    int64_t now_us, newest_us;
    uint64_t forgotten;
    bool rotate;
};

static enum rc note_newest(const struct meta_identity_key *k, void *arg, struct err *e)
{
    struct rotation *r = arg;

    (void)e;
    if (k->created_us > r->newest_us)
        r->newest_us = k->created_us;
    return RC_OK;
}

static enum rc rotate_fn(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                         struct err *e)
{
    struct rotation *r = arg;
    enum rc rc = r->req ? directory_judge(r->req, e) : RC_OK;

    if (rc == RC_OK)
        rc = meta_identity_key_forget(tx, r->now_us - KEPT_US, &r->forgotten, e);
    if (rc == RC_OK && r->rotate)
        rc = snapshot_identity_key_new(tx, snapshot_seal(r->hub), r->now_us, e);
    if (rc == RC_OK && r->req)
        rc = directory_audit(tx, r->req, STR("/providers/Kidoban.Identity/keys"), STR(""), e);
    if (r->rotate || r->forgotten > 0)
        snapshot_touch_identity(change);
    return rc;
}

/* --- on demand --- */

enum http_verdict sts_signing_keys_get(struct http_request *req)
{
    const struct snapshot_identity *i = admission_of(req)->snapshot->identity;
    CLEANUP(buf_done) struct buf b = BUF_INIT(16 * 1024);

    buf_add(&b, STR("{\"value\":["));
    for (size_t k = 0; k < i->n_identity_keys; k++)
        buf_addf(&b, "%s{\"keyId\":\"%s\",\"signs\":%s}", k ? "," : "",
                 jws_key_id(i->identity_keys[k]), k ? "false" : "true");
    buf_add(&b, STR("]}"));
    return sts_answer_json(req, &b);
}

enum http_verdict sts_signing_keys_rotate(struct http_request *req)
{
    struct rotation r = {
        .hub = admit_hub(req), .req = req, .now_us = clock_wall_us(), .rotate = true};
    struct err e = {0};

    if (snapshot_change(r.hub, rotate_fn, &r, &e) != RC_OK)
        return directory_fail(req, &e);
    http_answer(req, 204, NULL, STR(""));
    return HTTP_ANSWERED;
}

/* --- in time --- */

static enum rc expire_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct rotation *r = arg;
    enum rc rc = meta_refresh_expire(tx, r->now_us - STS_REFRESH_LIFE_US, e);

    return rc == RC_OK ? meta_device_expire(tx, r->now_us - DEVICE_KEPT_US, e) : rc;
}

static enum rc look(struct meta_tx *tx, void *arg, struct err *e)
{
    return meta_identity_key_each(tx, note_newest, arg, e);
}

enum rc sts_maintain(struct snapshot_hub *hub, int64_t now_us, struct err *e)
{
    const struct uuid nobody = {{0}};
    struct rotation r = {.hub = hub, .now_us = now_us};
    enum rc rc = meta_write(snapshot_meta(hub), &nobody, expire_fn, &r, e);

    if (rc == RC_OK)
        rc = meta_read(snapshot_meta(hub), look, &r, e);
    r.rotate = r.newest_us + ROTATE_US < now_us;
    if (rc == RC_OK)
        rc = snapshot_change(hub, rotate_fn, &r, e);
    if (rc == RC_OK && (r.rotate || r.forgotten > 0))
        log_info("identity.keys", F_BOOL("new", r.rotate), F_U64("forgotten", r.forgotten));
    return rc;
}
