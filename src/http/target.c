#include "base/encode.h"
#include "http/chars.h"
#include "http/host.h"
#include "http/route.h"

static bool escape_valid(struct str s, size_t at)
{
    return s.len - at >= 3 && char_is(s.ptr[at + 1], CHAR_HEX) && char_is(s.ptr[at + 2], CHAR_HEX);
}

static enum rc check_chars(struct str s, uint8_t class, bool *ret_escaped, struct err *e)
{
    bool escaped = false;

    for (size_t i = 0; i < s.len; i++) {
        if (char_is(s.ptr[i], class))
            continue;
        if (s.ptr[i] != '%')
            return err_set(e, RC_INVALID, "a character that a target cannot have");
        if (!escape_valid(s, i))
            return err_set(e, RC_INVALID, "malformed percent-encoding");
        escaped = true;
    }
    *ret_escaped = escaped;
    return RC_OK;
}

/* Decoded text must not climb either, wherever its slashes come from. */
static enum rc check_dots(struct str path, struct err *e)
{
    while (path.ptr) {
        struct str segment = str_split(&path, '/');

        if (str_is(segment, ".") || str_is(segment, ".."))
            return err_set(e, RC_INVALID, "a \".\" or \"..\" segment");
    }
    return RC_OK;
}

static enum rc check_decoded(struct http_request *req, struct str path, struct err *e)
{
    struct str text;
    enum rc rc = percent_decode(&req->arena, path, false, &text, e);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return err_set(e, RC_INVALID, "a control character in the target");
    return check_dots(text, e);
}

static enum rc split_path(struct http_request *req, struct str s, struct err *e)
{
    struct str query = s, path = str_split(&query, '?');
    bool escaped, query_escaped;
    enum rc rc = check_chars(path, CHAR_PATH, &escaped, e);

    if (rc == RC_OK)
        rc = check_chars(query, CHAR_QUERY, &query_escaped, e);
    if (rc == RC_OK)
        rc = escaped ? check_decoded(req, path, e) : check_dots(path, e);
    if (rc != RC_OK)
        return rc;
    req->path = path.len > 0 ? path : STR("/");
    req->query = query;
    return RC_OK;
}

static enum rc parse_absolute(struct http_request *req, struct str scheme, struct str rest,
                              struct err *e)
{
    if (!str_is_nocase(scheme, "http") && !str_is_nocase(scheme, "https"))
        return err_set(e, RC_INVALID, "a scheme other than http and https");
    return split_path(req, rest, e);
}

static enum rc parse_connect(struct http_request *req, struct err *e)
{
    struct http_host host;

    if (req->target.len == 0 || http_host_parse(req->target, &host) != RC_OK)
        return err_set(e, RC_INVALID, "CONNECT takes an authority");
    req->path = req->query = STR("");
    return RC_OK;
}

static bool method_valid(struct str method)
{
    for (size_t i = 0; i < method.len; i++)
        if (!char_is(method.ptr[i], CHAR_TOKEN))
            return false;
    return method.len > 0;
}

enum rc http_target_parse(struct http_request *req, struct err *e)
{
    struct str scheme, authority, rest;

    if (req->version == 0)
        return err_set(e, RC_UNSUPPORTED, "this version of HTTP is not spoken here");
    if (!method_valid(req->method_text))
        return err_set(e, RC_INVALID, "malformed method");
    if (req->target.len > HTTP_TARGET_MAX)
        return err_set(e, RC_TOO_LARGE, "the target is too long");
    if (req->method == HTTP_CONNECT)
        return parse_connect(req, e);
    if (req->target.len > 0 && req->target.ptr[0] == '/')
        return split_path(req, req->target, e);
    if (http_target_absolute(req->target, &scheme, &authority, &rest))
        return parse_absolute(req, scheme, rest, e);
    if (req->method == HTTP_OPTIONS && str_is(req->target, "*")) {
        req->path = req->target;
        req->query = STR("");
        return RC_OK;
    }
    return err_set(e, RC_INVALID, "malformed target");
}

enum rc http_query(struct http_request *req, const char *key, struct str *ret, struct err *e)
{
    return form_get(&req->arena, req->query, key, ret, e);
}
