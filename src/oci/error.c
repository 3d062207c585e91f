/* The error form of the OCI distribution specification, and the table from codes to statuses. */
#include "oci/private.h"

#include "base/log.h"

static const struct {
    enum rc rc;
    unsigned status;
} by_rc[] = {
    {RC_INVALID, 400}, {RC_UNAUTHENTICATED, 401}, {RC_DENIED, 403},       {RC_NOT_FOUND, 404},
    {RC_EXISTS, 409},  {RC_CONFLICT, 409},        {RC_PRECONDITION, 412}, {RC_TOO_LARGE, 413},
    {RC_RANGE, 416},   {RC_QUOTA, 507},           {RC_UNSUPPORTED, 405},  {RC_UNAVAILABLE, 503},
    {RC_TIMEOUT, 408}, {RC_CANCELED, 503},
};

/* Codes whose status clients know, whatever the canonical code is. */
static const struct {
    const char *code;
    unsigned status;
} by_code[] = {
    {"DIGEST_INVALID", 400},      {"MANIFEST_BLOB_UNKNOWN", 400}, {"NAME_INVALID", 400},
    {"MANIFEST_INVALID", 400},    {"TAG_INVALID", 400},           {"SIZE_INVALID", 400},
    {"BLOB_UNKNOWN", 404},        {"MANIFEST_UNKNOWN", 404},      {"NAME_UNKNOWN", 404},
    {"BLOB_UPLOAD_UNKNOWN", 404}, {"TOOMANYREQUESTS", 429},
};

static const struct {
    unsigned status;
    const char *code;
} default_codes[] = {
    {400, "REQUEST_INVALID"}, {401, "UNAUTHORIZED"},  {403, "DENIED"},
    {404, "NOT_FOUND"},       {405, "UNSUPPORTED"},   {408, "TIMEOUT"},
    {409, "CONFLICT"},        {412, "PRECONDITION"},  {413, "SIZE_INVALID"},
    {414, "REQUEST_INVALID"}, {416, "RANGE_INVALID"}, {429, "TOOMANYREQUESTS"},
    {431, "REQUEST_INVALID"}, {501, "UNSUPPORTED"},   {503, "UNAVAILABLE"},
    {505, "UNSUPPORTED"},     {507, "DENIED"},
};

unsigned oci_status(enum rc rc, const char *code)
{
    for (size_t i = 0; code && i < ARRAY_LEN(by_code); i++)
        if (strcmp(code, by_code[i].code) == 0 && rc != RC_INTERNAL && rc != RC_UNAVAILABLE)
            return by_code[i].status;
    for (size_t i = 0; i < ARRAY_LEN(by_rc); i++)
        if (by_rc[i].rc == rc)
            return by_rc[i].status;
    return 500;
}

static const char *default_code(unsigned status)
{
    for (size_t i = 0; i < ARRAY_LEN(default_codes); i++)
        if (default_codes[i].status == status)
            return default_codes[i].code;
    return "UNKNOWN";
}

static void add_fields(struct http_request *req, unsigned status)
{
    if (!http_answer_field(req, "Docker-Distribution-Api-Version").ptr)
        http_add_field(req, "Docker-Distribution-Api-Version", STR("registry/2.0"));
    if (status == 503 && !http_answer_field(req, "Retry-After").ptr)
        http_add_field(req, "Retry-After", STR("1"));
    if (status == 429 && !http_answer_field(req, "Retry-After").ptr)
        http_add_field(req, "Retry-After", STR("6")); /* one try comes back every 6 s */
}

void oci_error(struct http_request *req, unsigned status, const char *code, const char *message)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);

    buf_add(&b, STR("{\"errors\":[{\"code\":"));
    buf_add_json(&b, str_from(code ? code : default_code(status)));
    buf_add(&b, STR(",\"message\":"));
    buf_add_json(&b, str_from(message));
    buf_add(&b, STR(",\"detail\":null}]}\n"));
    add_fields(req, status);
    struct str body =
        buf_status(&b, NULL) == RC_OK ? arena_copy(&req->arena, buf_str(&b)) : STR_NONE;

    http_answer(req, status, "application/json", body);
}

enum http_verdict oci_fail(struct http_request *req, const struct err *e)
{
    unsigned status = oci_status(e->rc, e->code);

    if (status == 500) {
        log_error("oci.failed", F_TEXT("error", e->text), F_TEXT("rc", rc_name(e->rc)),
                  F_STR("path", req->path));
        oci_error(req, status, NULL, "internal error");
        return HTTP_ANSWERED;
    }
    oci_error(req, status, e->code, e->text);
    return HTTP_ANSWERED;
}

enum http_verdict oci_refuse(struct http_request *req, enum rc rc, const char *code,
                             const char *text)
{
    oci_error(req, oci_status(rc, code), code, text);
    return HTTP_ANSWERED;
}
