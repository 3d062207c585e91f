#include "http/chars.h"
#include "http/h1_parse.h"
#include "http/host.h"
#include <assert.h>

static enum h1_result bad(struct h1_head *h, unsigned status, const char *why)
{
    h->status = status;
    h->why = why;
    return H1_BAD;
}

static struct h1_span span_of(const char *head, struct str s)
{
    return (struct h1_span){(uint16_t)(s.ptr - head), (uint16_t)s.len};
}

static struct str span_text(const char *head, struct h1_span s)
{
    return (struct str){head + s.off, s.len};
}

void h1_head_init(struct h1_head *h)
{
    /* The spans are written before they are read: not worth clearing for each request. */
    h->taken = h->looked = 0;
    h->blank = h->requested = false;
    h->method = h->target = h->host = h->authority = (struct h1_span){0, 0};
    h->version = 0;
    h->n_fields = 0;
    h->has_host = h->has_length = h->has_coding = h->chunked = false;
    h->content_length = -1;
    h->says_close = h->says_keep_alive = h->expects_continue = false;
    h->status = 0;
    h->why = NULL;
}

/* --- request line --- */

static bool version_parse(struct str s, int *ret)
{
    if (s.len != 8 || memcmp(s.ptr, "HTTP/", 5) != 0 || s.ptr[6] != '.')
        return false;
    if (s.ptr[5] < '0' || s.ptr[5] > '9' || s.ptr[7] < '0' || s.ptr[7] > '9')
        return false;
    if (s.ptr[5] != '1')
        *ret = 0;
    else
        *ret = s.ptr[7] == '0' ? 10
                               : 11; /* RFC 9112 2.3: a higher minor version is read as one's own */
    return true;
}

/* The first blank ends the method and the last one begins the version; a blank between them is the
 * target's fault. */
static enum h1_result request_line(struct h1_head *h, const char *head, struct str line)
{
    size_t first = str_find(line, ' '), last = str_find_last(line, ' ');

    if (line.len == 0 && !h->blank) {
        h->blank = true; /* RFC 9112 2.2: one empty line before the request */
        return H1_MORE;
    }
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '\t')
            return bad(h, 400, "a tab in the request line");
    if (first == 0 || last == line.len || first == last)
        return bad(h, 400, "malformed request line");
    if (!version_parse(str_skip(line, last + 1), &h->version))
        return bad(h, 400, "malformed protocol version");
    h->method = span_of(head, str_take(line, first));
    h->target = span_of(head, str_skip(str_take(line, last), first + 1));
    h->requested = true;
    return H1_MORE;
}

/* --- fields --- */

static enum h1_result take_host(struct h1_head *h, const char *head, struct str value)
{
    if (h->has_host)
        return bad(h, 400, "more than one Host");
    h->has_host = true;
    h->host = span_of(head, value);
    return H1_MORE;
}

static enum h1_result take_length(struct h1_head *h, struct str value)
{
    uint64_t n = 0;

    if (h->has_length)
        return bad(h, 400, "more than one Content-Length");
    if (str_to_u64(value, &n) != RC_OK || n > INT64_MAX)
        return bad(h, 400, "malformed Content-Length");
    h->has_length = true;
    h->content_length = (int64_t)n;
    return H1_MORE;
}

static enum h1_result take_coding(struct h1_head *h, struct str value)
{
    if (h->has_coding)
        return bad(h, 400, "more than one Transfer-Encoding");
    if (!str_is_nocase(value, "chunked"))
        return bad(h, 400, "a Transfer-Encoding other than chunked");
    h->has_coding = h->chunked = true;
    return H1_MORE;
}

static void take_connection(struct h1_head *h, struct str value)
{
    while (value.ptr) {
        struct str token = str_trim(str_split(&value, ','));

        if (str_is_nocase(token, "close"))
            h->says_close = true;
        else if (str_is_nocase(token, "keep-alive"))
            h->says_keep_alive = true;
    }
}

static enum h1_result take_known(struct h1_head *h, const char *head, struct str name,
                                 struct str value)
{
    switch (name.len) {
    case 4:
        return str_is_nocase(name, "host") ? take_host(h, head, value) : H1_MORE;
    case 6:
        if (str_is_nocase(name, "expect") && str_is_nocase(value, "100-continue"))
            h->expects_continue = true;
        return H1_MORE;
    case 10:
        if (str_is_nocase(name, "connection"))
            take_connection(h, value);
        return H1_MORE;
    case 14:
        return str_is_nocase(name, "content-length") ? take_length(h, value) : H1_MORE;
    case 17:
        return str_is_nocase(name, "transfer-encoding") ? take_coding(h, value) : H1_MORE;
    default:
        return H1_MORE;
    }
}

static enum h1_result field_line(struct h1_head *h, const char *head, struct str line)
{
    size_t colon = 0;

    while (colon < line.len && char_is(line.ptr[colon], CHAR_TOKEN))
        colon++;
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return bad(h, 400, "a folded field");
    if (colon == 0 || colon == line.len || line.ptr[colon] != ':')
        return bad(h, 400, "malformed field");
    if (h->n_fields == HTTP_FIELDS_MAX)
        return bad(h, 431, "too many fields");
    struct str name = str_take(line, colon), value = str_trim(str_skip(line, colon + 1));

    h->names[h->n_fields] = span_of(head, name);
    h->values[h->n_fields] = span_of(head, value);
    h->n_fields++;
    return take_known(h, head, name, value);
}

/* --- the whole --- */

static enum h1_result check_host(struct h1_head *h, const char *head)
{
    struct str scheme, authority, rest;
    struct http_host host;

    h->authority = h->host;
    if (!h->has_host && h->version != 10)
        return bad(h, 400, "no Host");
    if (h->has_host && http_host_parse(span_text(head, h->host), &host) != RC_OK)
        return bad(h, 400, "malformed Host");
    if (!http_target_absolute(span_text(head, h->target), &scheme, &authority, &rest))
        return H1_DONE;
    if (authority.len == 0 || http_host_parse(authority, &host) != RC_OK)
        return bad(h, 400, "malformed authority");
    h->authority = span_of(head, authority);
    return H1_DONE;
}

static enum h1_result head_end(struct h1_head *h, const char *head)
{
    if (h->chunked && h->has_length)
        return bad(h, 400, "both Content-Length and Transfer-Encoding");
    if (h->chunked && h->version == 10)
        return bad(h, 400, "Transfer-Encoding in HTTP/1.0");
    return check_host(h, head);
}

static enum h1_result take_line(struct h1_head *h, const char *head, struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!char_is(line.ptr[i], CHAR_FIELD))
            return bad(h, 400, "a control character in the head");
    if (!h->requested)
        return request_line(h, head, line);
    if (line.len == 0)
        return head_end(h, head);
    return field_line(h, head, line);
}

enum h1_result h1_head_feed(struct h1_head *h, const char *bytes, size_t n)
{
    enum h1_result r = H1_MORE;

    while (r == H1_MORE) {
        const char *end = h->looked < n ? memchr(bytes + h->looked, '\n', n - h->looked) : NULL;
        size_t size = end ? (size_t)(end - bytes) + 1 : n;

        h->looked = size;
        if (size > HTTP_HEAD_MAX)
            return bad(h, 431, "the head is too large");
        if (!end)
            return H1_MORE;
        if (size < h->taken + 2 || end[-1] != '\r')
            return bad(h, 400, "a line that does not end in CR LF");
        struct str line = {bytes + h->taken, size - 2 - h->taken};

        h->taken = size;
        r = take_line(h, bytes, line);
    }
    return r;
}

bool h1_head_persistent(const struct h1_head *h)
{
    if (h->says_close || h->version == 0)
        return false;
    return h->version == 11 || h->says_keep_alive;
}
