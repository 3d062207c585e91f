/* Answers of the identity endpoints; errors in OAuth's form (RFC 6749 5.2). */
#include "sts/private.h"

#include "base/log.h"

static unsigned status_of(const struct err *e)
{
    switch (e->rc) {
    case RC_INVALID:
    case RC_TOO_LARGE:
        return 400;
    case RC_UNAUTHENTICATED:
        return 401;
    case RC_QUOTA:
        return 429;
    default: /* OAuth has no word for the others, and nothing here leads to them */
        return admit_status_of(e->rc)->status == 503 ? 503 : 500;
    }
}

static const char *code_of(unsigned status, const char *code)
{
    switch (status) {
    case 400:
        return code ? code : "invalid_request";
    case 401:
        return "invalid_client";
    case 429:
    case 503:
        return "temporarily_unavailable";
    default:
        return "server_error";
    }
}

void sts_no_store(struct http_request *req)
{
    http_add_field(req, "Cache-Control", STR("no-store"));
    http_add_field(req, "Pragma", STR("no-cache"));
}

enum http_verdict sts_fail(struct http_request *req, const struct err *e)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    unsigned status = status_of(e);

    if (status == 500)
        log_error("identity.failed", F_TEXT("error", e->text), F_TEXT("rc", rc_name(e->rc)));
    buf_addf(&b, "{\"error\":\"%s\",\"error_description\":", code_of(status, e->code));
    buf_add_json(&b, str_from(status == 500 ? "internal error" : e->text));
    buf_addc(&b, '}');
    sts_no_store(req);
    if (status == 401)
        http_add_field(req, "WWW-Authenticate", STR("Basic realm=\"identity\""));
    if (status == 429 || status == 503)
        http_add_field(req, "Retry-After", status == 429 ? STR("6") : STR("1"));
    http_answer(req, status, "application/json", arena_copy(&req->arena, buf_str(&b)));
    return HTTP_ANSWERED;
}

enum http_verdict sts_answer_json(struct http_request *req, const struct buf *b)
{
    struct str body = buf_status(b, NULL) == RC_OK ? arena_copy(&req->arena, buf_str(b)) : STR_NONE;

    http_answer(req, body.ptr ? 200 : 503, "application/json", body);
    return HTTP_ANSWERED;
}
