/* What the identity endpoints read of forms, cookies and queries: after the first byte, which says
 * what it is. */
#include "fuzz.h"

#include "admit/private.h"
#include "sts/private.h"
#include "json/json.h"
#include <stdlib.h>

struct fuzzed {
    struct admit admit;
    struct snapshot_identity identity;
    struct snapshot snapshot;
    struct evidence evidence;
    struct admission admission;
    struct http_request req;
};

static void prepare(struct fuzzed *f)
{
    *f = (struct fuzzed){.evidence = {.class = NET_CONTROL, .tls = true}};
    f->admit.config.suffix = STR("azurecr.test");
    f->snapshot.identity = &f->identity;
    f->admission = (struct admission){.admit = &f->admit, .snapshot = &f->snapshot};
    f->req = (struct http_request){.arena = ARENA_INIT(HTTP_ARENA_MAX),
                                   .authority = STR("arm.azurecr.test"),
                                   .evidence = &f->evidence,
                                   .admission = &f->admission,
                                   .response = {.file = -1}};
}

/* A form, behind a line that is the Authorization field. */
static void try_form(struct http_request *req, struct str text)
{
    struct http_field field = {STR("Authorization"), str_split(&text, '\n')};
    struct sts_request r = {0};
    struct uuid client;

    req->fields = (struct http_fields){&field, field.value.len > 0, 1};
    req->body = text;
    if (sts_request_read(req, &r, NULL) != RC_OK)
        return;
    if ((r.grant.ptr && memchr(r.grant.ptr, '\0', r.grant.len)) ||
        (r.username.ptr && memchr(r.username.ptr, '\0', r.username.len)))
        abort(); /* no text of a form hides what follows a NUL */
    if (sts_client_check(&r, &client, NULL) == RC_OK && r.client.len != UUID_TEXT_MAX - 1)
        abort();
    if (!r.asked.scope.ptr && !sts_asks_for(&r.asked, "openid"))
        abort();
}

static void try_user_code(struct str text)
{
    char code[STS_USER_CODE + 1], again[STS_USER_CODE + 1];

    if (sts_user_code_parse(text, code, NULL) != RC_OK)
        return;
    if (strlen(code) != STS_USER_CODE ||
        sts_user_code_parse(str_from(code), again, NULL) != RC_OK || strcmp(code, again) != 0)
        abort();
}

static void try_cookie(struct str text)
{
    struct str value = sts_cookie(text, "name");

    if (value.ptr && (memchr(value.ptr, ';', value.len) || value.len > text.len))
        abort();
}

static void try_metadata(struct http_request *req, struct str text)
{
    CLEANUP(json_freep) struct json *j = NULL;

    req->query = text;
    if (sts_metadata_get(req) != HTTP_ANSWERED)
        abort();
    if (req->response.status != 200 && req->response.status != 400)
        abort();
    if (json_parse(req->response.body, NULL, &j, NULL) != RC_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzzed f;
    struct str text = {(const char *)data + 1, size - 1};

    if (size < 1)
        return 0;
    prepare(&f);
    switch (data[0]) {
    case 'f':
        try_form(&f.req, text);
        break;
    case 'u':
        try_user_code(text);
        break;
    case 'c':
        try_cookie(text);
        break;
    case 'm':
        try_metadata(&f.req, text);
        break;
    default:
        break;
    }
    arena_done(&f.req.arena);
    return 0;
}
