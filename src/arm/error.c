#include "arm/error.h"

#include "admit/admit.h"
#include "arm/arm.h"
#include "base/log.h"

static const struct admit_status statuses[] = {
    {400, "BadRequest"},
    {401, "AuthenticationFailed"},
    {403, "AuthorizationFailed"},
    {404, "NotFound"},
    {405, "MethodNotAllowed"},
    {408, "RequestTimeout"},
    {413, "RequestContentTooLarge"},
    {414, "RequestUriTooLong"},
    {429, "TooManyRequests"},
    {431, "RequestHeaderFieldsTooLarge"},
    {500, "InternalServerError"},
    {503, "ServerBusy"},
    {505, "HttpVersionNotSupported"},
};

static const char *code_of(unsigned status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].code;
    return status < 500 ? "BadRequest" : "InternalServerError";
}

static void error_answer(struct http_request *req, unsigned status, const char *code,
                         const char *message, struct str more)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * ERR_TEXT_MAX);

    buf_add(&b, STR("{\"error\":{\"code\":"));
    buf_add_json(&b, str_from(code ? code : code_of(status)));
    buf_add(&b, STR(",\"message\":"));
    buf_add_json(&b, str_from(message));
    buf_add(&b, more);
    buf_add(&b, STR("}}"));
    if (status == 429 || status == 503)
        http_add_field(req, "Retry-After", STR("1"));
    http_answer(req, status, "application/json; charset=utf-8",
                arena_copy(&req->arena, buf_str(&b)));
}

void arm_error(struct http_request *req, unsigned status, const char *code, const char *message)
{
    error_answer(req, status, code, message, STR(""));
}

void arm_error_details(struct http_request *req, const struct err *e)
{
    const struct admit_status *s = admit_status_of(e->rc);

    error_answer(req, s->status, e->code ? e->code : s->code, e->text, STR(",\"details\":[]"));
}

void arm_error_rc(struct http_request *req, const struct err *e)
{
    const struct admit_status *s = admit_status_of(e->rc);
    const char *text = e->text;

    if (s->status == 500) {
        log_error("arm.failed", F_STR("method", req->method_text), F_STR("path", req->path),
                  F_TEXT("error", e->text), F_I64("errno", e->sys));
        text = "The server encountered an internal error. Please retry the request.";
    }
    arm_error(req, s->status, e->code ? e->code : s->code, text);
}
