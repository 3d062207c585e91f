/* What the claims of all our tokens share: times, uuids, texts. */
#include "auth/private.h"

#include "base/clock.h"
#include <inttypes.h>

enum { CLOCK_SKEW_S = 60 }; /* between the servers of one installation */

static enum rc refuse(struct err *e, const char *why)
{
    return err_set(e, RC_UNAUTHENTICATED, "token: %s", why);
}

static enum rc check_times(const struct json *claims, int64_t now_us, struct err *e)
{
    int64_t now = now_us / CLOCK_US_PER_S;
    int64_t issued = json_int(json_get(claims, "iat"), INT64_MAX);
    int64_t expires = json_int(json_get(claims, "exp"), 0);

    if (expires <= now)
        return err_code(e, RC_UNAUTHENTICATED, AUTH_EXPIRED, "token: expired");
    if (expires > INT64_MAX / CLOCK_US_PER_S || issued > now + CLOCK_SKEW_S || issued < 0)
        return refuse(e, "issued in the future");
    return RC_OK;
}

enum rc auth_claims_parse(struct str claims, int64_t now_us, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *j = NULL;

    if (json_parse(claims, &(struct json_limits){.bytes = 16 * 1024, .depth = 8}, &j, NULL) !=
            RC_OK ||
        json_type(j) != JSON_OBJECT)
        return refuse(e, "claims are not a JSON object");
    enum rc rc = check_times(j, now_us, e);

    if (rc != RC_OK)
        return rc;
    *ret = j;
    j = NULL;
    return RC_OK;
}

enum rc auth_claim_uuid(const struct json *claims, const char *name, struct uuid *ret,
                        struct err *e)
{
    if (uuid_parse(json_str(json_get(claims, name)), ret, NULL) != RC_OK)
        return err_set(e, RC_UNAUTHENTICATED, "token: claim %s is not a uuid", name);
    return RC_OK;
}

enum rc auth_claim_text(const struct json *claims, const char *name, struct arena *a,
                        struct str *ret, struct err *e)
{
    const struct json *j = json_get(claims, name);

    if (json_type(j) != JSON_STRING)
        return err_set(e, RC_UNAUTHENTICATED, "token: claim %s is not a text", name);
    struct str copy = arena_copy(a, json_str(j));

    if (!copy.ptr)
        return err_set(e, RC_TOO_LARGE, "token: claims are too large");
    *ret = copy;
    return RC_OK;
}

int64_t auth_claim_time(const struct json *claims, const char *name)
{
    return json_int(json_get(claims, name), 0) * CLOCK_US_PER_S;
}

void auth_claims_add_times(struct buf *b, int64_t issued_us, int64_t expires_us)
{
    buf_addf(b, ",\"iat\":%" PRId64 ",\"nbf\":%" PRId64 ",\"exp\":%" PRId64,
             issued_us / CLOCK_US_PER_S, issued_us / CLOCK_US_PER_S, expires_us / CLOCK_US_PER_S);
}

void auth_claims_add_uuid(struct buf *b, const char *name, const struct uuid *u)
{
    char text[UUID_TEXT_MAX];

    uuid_format(u, text);
    buf_addf(b, ",\"%s\":\"%s\"", name, text);
}
