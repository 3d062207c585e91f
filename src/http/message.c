#include "http/message.h"
#include "http/chars.h"
#include "http/range.h"
#include "sys/fd.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum http_method http_method_of(struct str text)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",       [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH",     [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS", [HTTP_CONNECT] = "CONNECT",
    };

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(text, names[i]))
            return (enum http_method)i;
    return HTTP_OTHER;
}

const char *http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "";
}

bool http_status_bodyless(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

bool http_fields_add(struct arena *a, struct http_fields *f, struct str name, struct str value)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 16;
        struct http_field *list = arena_alloc(a, cap * sizeof(*list));

        if (!list)
            return false;
        if (f->n > 0)
            memcpy(list, f->list, f->n * sizeof(*list));
        f->list = list;
        f->cap = cap;
    }
    f->list[f->n++] = (struct http_field){name, value};
    return true;
}

void http_fields_remove(struct http_fields *f, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++)
        if (!str_is_nocase(f->list[i].name, name))
            f->list[kept++] = f->list[i];
    f->n = kept;
}

static struct str fields_find(const struct http_fields *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_is_nocase(f->list[i].name, name))
            return f->list[i].value;
    return STR_NONE;
}

struct str http_field(const struct http_request *req, const char *name)
{
    struct str text = STR_NONE;

    for (size_t i = 0; i < req->fields.n; i++) {
        const struct http_field *f = &req->fields.list[i];

        if (!str_is_nocase(f->name, name))
            continue;
        if (!text.ptr)
            text = f->value;
        else /* the head is at most 32 KiB, the arena far more: what is joined always fits */
            text = arena_printf((struct arena *)&req->arena, "%.*s, %.*s", STR_ARG(text),
                                STR_ARG(f->value));
    }
    return text;
}

/* --- answering --- */

struct str http_answer_field(const struct http_request *req, const char *name)
{
    return fields_find(&req->response.fields, name);
}

static bool field_safe(struct str value)
{
    return !memchr(value.ptr, '\r', value.len) && !memchr(value.ptr, '\n', value.len) &&
           !memchr(value.ptr, '\0', value.len);
}

/* http itself says where a message ends. */
static bool is_framing(const char *name)
{
    struct str s = str_from(name);

    return str_is_nocase(s, "Content-Length") || str_is_nocase(s, "Transfer-Encoding") ||
           str_is_nocase(s, "Connection");
}

void http_add_field(struct http_request *req, const char *name, struct str value)
{
    assert(!is_framing(name));
    /* A value made of outside text was checked where it came in; one that could split a response is
     * our bug. */
    assert(value.len == 0 || field_safe(value));
    for (const char *c = name; *c; c++)
        assert(char_is(*c, CHAR_TOKEN));
    struct str name_copy = arena_copy(&req->arena, str_from(name)),
               copy = arena_copy(&req->arena, value);
    bool added = name_copy.ptr && copy.ptr &&
                 http_fields_add(&req->arena, &req->response.fields, name_copy, copy);

    assert(added);
    (void)added;
}

void http_add_fieldf(struct http_request *req, const char *name, const char *fmt, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);

    va_end(args);
    assert(n >= 0);
    http_add_field(req, name, (struct str){text, (size_t)n});
    free(text);
}

static void answer_with(struct http_request *req, unsigned status, const char *content_type)
{
    struct http_response *r = &req->response;

    fd_close(r->file);
    r->file = -1;
    r->status = status;
    r->body = STR("");
    r->source = NULL;
    r->file_offset = r->length = 0;
    http_fields_remove(&r->fields, "Content-Type");
    if (content_type)
        http_add_field(req, "Content-Type", str_from(content_type));
}

void http_answer(struct http_request *req, unsigned status, const char *content_type,
                 struct str body)
{
    answer_with(req, status, content_type);
    req->response.body = body;
    req->response.length = body.len;
}

void http_answer_source(struct http_request *req, unsigned status, const char *content_type,
                        const struct http_source *source, uint64_t length)
{
    answer_with(req, status, content_type);
    req->response.source = source;
    req->response.length = length;
}

void http_answer_clear(struct http_request *req)
{
    answer_with(req, 0, NULL);
    req->response.fields.n = 0;
    req->response.close = false;
}

/* RFC 9110 13.1.5: a strong comparison with the representation's ETag; a date never matches. */
static bool range_applies(const struct http_request *req)
{
    struct str condition = http_field(req, "If-Range"), etag = http_answer_field(req, "ETag");

    return !condition.ptr || (etag.len > 0 && etag.ptr[0] == '"' && str_eq(condition, etag));
}

void http_answer_file(struct http_request *req, const char *content_type, int fd, uint64_t size)
{
    struct http_response *r = &req->response;
    struct str range = req->method == HTTP_GET ? http_field(req, "Range") : STR_NONE;
    uint64_t offset = 0, length = size;
    enum http_range part = range.ptr && range_applies(req)
                               ? http_range_parse(range, size, &offset, &length)
                               : HTTP_RANGE_ALL;

    http_fields_remove(&r->fields, "Accept-Ranges");
    http_fields_remove(&r->fields, "Content-Range");
    if (part == HTTP_RANGE_NONE) {
        http_answer(req, 416, NULL, STR(""));
        http_add_fieldf(req, "Content-Range", "bytes */%llu", (unsigned long long)size);
        fd_close(fd);
        return;
    }
    answer_with(req, part == HTTP_RANGE_PART ? 206 : 200, content_type);
    http_add_field(req, "Accept-Ranges", STR("bytes"));
    if (part == HTTP_RANGE_PART)
        http_add_fieldf(req, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)offset,
                        (unsigned long long)(offset + length - 1), (unsigned long long)size);
    r->file = fd;
    r->file_offset = offset;
    r->length = length;
}
