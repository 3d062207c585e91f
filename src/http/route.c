#include "http/route.h"
#include "base/encode.h"
#include <assert.h>

enum { ROUTE_SEGMENTS_MAX = 160 };

struct route_path {
    struct str segments[ROUTE_SEGMENTS_MAX];
    size_t n;
    bool fold;
};
struct route_match {
    const struct http_route *route;
    size_t first[HTTP_PARAMS_MAX], count[HTTP_PARAMS_MAX]; /* segments of each parameter */
    struct str names[HTTP_PARAMS_MAX];
    size_t n;
};

static bool path_split(struct str text, bool fold, struct route_path *p)
{
    struct str rest = text;

    p->n = 0;
    p->fold = fold;
    (void)str_split(&rest, '/'); /* what stands before the first slash: nothing */
    while (rest.ptr) {
        struct str segment = str_split(&rest, '/');

        if (fold && segment.len == 0)
            continue;
        if (p->n == ROUTE_SEGMENTS_MAX)
            return false;
        p->segments[p->n++] = segment;
    }
    return true;
}

static size_t pattern_segments(const char *pattern)
{
    size_t n = 0;

    for (; *pattern; pattern++)
        n += *pattern == '/';
    return n;
}

static bool literal_matches(const struct route_path *p, size_t at, struct str literal)
{
    if (at >= p->n)
        return false;
    return p->fold ? str_eq_nocase(p->segments[at], literal) : str_eq(p->segments[at], literal);
}

/* `braced` is "{name}" or "{name+}"; `rest` the pattern behind it. Returns how many segments it
 * takes, 0: no match. */
static size_t take_param(const struct route_path *p, size_t at, struct str braced, const char *rest,
                         struct route_match *m)
{
    struct str name = str_take(str_skip(braced, 1), braced.len - 2);
    size_t tail = pattern_segments(rest), count = 1;

    if (name.ptr[name.len - 1] == '+') {
        name.len--;
        count = p->n > at + tail ? p->n - at - tail : 0;
    }
    if (count == 0 || at + count > p->n)
        return 0;
    for (size_t i = at; i < at + count; i++)
        if (p->segments[i].len == 0)
            return 0;
    assert(m->n < HTTP_PARAMS_MAX);
    m->names[m->n] = name;
    m->first[m->n] = at;
    m->count[m->n++] = count;
    return count;
}

/* One walk: a pattern has at most one "{x+}", whose length follows from the number of segments
 * behind it. */
static bool pattern_matches(const char *pattern, const struct route_path *p, struct route_match *m)
{
    size_t at = 0;

    m->n = 0;
    while (*pattern == '/') {
        const char *end = strchrnul(pattern + 1, '/');
        struct str segment = {pattern + 1, (size_t)(end - pattern) - 1};

        if (segment.len > 2 && segment.ptr[0] == '{') {
            size_t count = take_param(p, at, segment, end, m);

            if (count == 0)
                return false;
            at += count;
        } else if (!(p->fold && segment.len == 0)) {
            if (!literal_matches(p, at++, segment))
                return false;
        }
        pattern = end;
    }
    return at == p->n;
}

static enum rc param_value(struct http_request *req, const struct route_path *p, size_t first,
                           size_t count, struct str *ret)
{
    const struct str *last = &p->segments[first + count - 1];
    struct str raw = {p->segments[first].ptr,
                      (size_t)(last->ptr + last->len - p->segments[first].ptr)};

    if (p->fold && count > 1) { /* slashes that were collapsed stand between them */
        char *joined = arena_alloc(&req->arena, raw.len), *to = joined;

        if (!joined)
            return RC_TOO_LARGE;
        for (size_t i = first; i < first + count; i++) {
            to = mempcpy(to, p->segments[i].ptr, p->segments[i].len);
            if (i + 1 < first + count)
                *to++ = '/';
        }
        raw = (struct str){joined, (size_t)(to - joined)};
    }
    if (!memchr(raw.ptr, '%', raw.len)) {
        *ret = raw;
        return RC_OK;
    }
    return percent_decode(&req->arena, raw, false, ret, NULL);
}

static enum rc accept_match(struct http_request *req, const struct route_path *p,
                            const struct route_match *m)
{
    struct http_param params[HTTP_PARAMS_MAX];

    for (size_t i = 0; i < m->n; i++) {
        params[i].name = m->names[i];
        enum rc rc = param_value(req, p, m->first[i], m->count[i], &params[i].value);

        if (rc != RC_OK)
            return rc;
    }
    req->route = m->route;
    req->n_params = m->n;
    for (size_t i = 0; i < m->n; i++)
        req->params[i] = params[i];
    return RC_OK;
}

static bool method_serves(enum http_method route, enum http_method method)
{
    return route == method || (route == HTTP_GET && method == HTTP_HEAD);
}

static struct str allow_text(struct arena *a, unsigned methods)
{
    static const char *const names[] = {"GET",   "HEAD",   "POST",    "PUT",
                                        "PATCH", "DELETE", "OPTIONS", "CONNECT"};
    struct str text = STR("");

    if (methods & 1u << HTTP_GET)
        methods |= 1u << HTTP_HEAD;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (methods & 1u << i)
            text = arena_printf(a, "%.*s%s%s", STR_ARG(text), text.len > 0 ? ", " : "", names[i]);
    return text;
}

enum rc http_route_find(const struct http_routes *routes, struct http_request *req,
                        struct str *ret_allow)
{
    struct route_path p;
    struct route_match m;
    unsigned methods = 0;

    if (req->path.len == 0 || req->path.ptr[0] != '/' ||
        !path_split(req->path, routes->fold_case, &p))
        return RC_NOT_FOUND;
    for (size_t i = 0; i < routes->n; i++) {
        if (!pattern_matches(routes->list[i].pattern, &p, &m))
            continue;
        m.route = &routes->list[i];
        if (method_serves(m.route->method, req->method))
            return accept_match(req, &p, &m);
        methods |= 1u << m.route->method;
    }
    if (methods == 0)
        return RC_NOT_FOUND;
    *ret_allow = allow_text(&req->arena, methods);
    return RC_UNSUPPORTED;
}

struct str http_param(const struct http_request *req, const char *name)
{
    for (size_t i = 0; i < req->n_params; i++)
        if (str_is(req->params[i].name, name))
            return req->params[i].value;
    assert(!"the route has no such parameter");
    return STR_NONE;
}
