#include "http/filter.h"

struct reading {
    struct str rest;
    struct arena *arena;
};

static enum rc malformed(const struct reading *r, struct err *e)
{
    return err_code(e, RC_INVALID, "InvalidFilterInQueryString",
                    "The $filter is malformed before '%.*s'.", STR_ARG(str_take(r->rest, 100)));
}

static void skip_blanks(struct reading *r)
{
    while (r->rest.len > 0 && r->rest.ptr[0] == ' ')
        r->rest = str_skip(r->rest, 1);
}

static bool take(struct reading *r, char c)
{
    skip_blanks(r);
    if (r->rest.len == 0 || r->rest.ptr[0] != c)
        return false;
    r->rest = str_skip(r->rest, 1);
    return true;
}

static bool word_char(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("_-./@+", c));
}

/* A property's name, a function's, or a value without quotes; STR_NONE where there is none. */
static struct str take_word(struct reading *r)
{
    size_t n = 0;
    struct str word;

    skip_blanks(r);
    while (n < r->rest.len && word_char(r->rest.ptr[n]))
        n++;
    if (n == 0)
        return STR_NONE;
    word = str_take(r->rest, n);
    r->rest = str_skip(r->rest, n);
    return word;
}

/* A doubled quote stands for one. */
static struct str unescape(struct str s, struct arena *a)
{
    char *out, *to;

    if (!memchr(s.ptr, '\'', s.len))
        return s;
    out = to = arena_alloc(a, s.len);
    if (!out)
        return STR_NONE;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'')
            i++;
        *to++ = s.ptr[i];
    }
    return (struct str){out, (size_t)(to - out)};
}

/* 'text', or a word. */
static enum rc take_value(struct reading *r, struct str *ret, struct err *e)
{
    size_t n = 0;

    if (!take(r, '\'')) {
        *ret = take_word(r);
        return ret->ptr ? RC_OK : malformed(r, e);
    }
    while (n < r->rest.len &&
           (r->rest.ptr[n] != '\'' || (n + 1 < r->rest.len && r->rest.ptr[n + 1] == '\'')))
        n += r->rest.ptr[n] == '\'' ? 2 : 1;
    if (n >= r->rest.len)
        return malformed(r, e);
    *ret = unescape(str_take(r->rest, n), r->arena);
    r->rest = str_skip(r->rest, n + 1);
    return ret->ptr ? RC_OK : err_set(e, RC_TOO_LARGE, "The $filter is too long.");
}

/* " eq 'value'" */
static enum rc take_comparison(struct reading *r, struct str *ret, struct err *e)
{
    struct str word = take_word(r);

    if (str_is_nocase(word, "eq"))
        return take_value(r, ret, e);
    if (!word.ptr)
        return malformed(r, e);
    return err_code(e, RC_UNSUPPORTED, "NotSupported",
                    "The operator '%.*s' of $filter is not offered here; 'eq' is.",
                    STR_ARG(str_take(word, 50)));
}

/* "x:x eq 'value')" */
static enum rc take_any(struct reading *r, struct http_filter_term *t, struct err *e)
{
    struct str bound = take_word(r);
    enum rc rc;

    if (!bound.ptr || !take(r, ':') || !str_eq(take_word(r), bound))
        return malformed(r, e);
    t->kind = HTTP_FILTER_ANY;
    t->name.len -= strlen("/any");
    rc = take_comparison(r, &t->value, e);
    return rc == RC_OK && !take(r, ')') ? malformed(r, e) : rc;
}

/* One of at most two, which are a property and a value. */
static enum rc take_argument(struct reading *r, struct http_filter_term *t, struct err *e)
{
    skip_blanks(r);
    if (r->rest.len > 0 && r->rest.ptr[0] == '\'' && !t->value.ptr)
        return take_value(r, &t->value, e);
    if (t->property.ptr)
        return malformed(r, e);
    t->property = take_word(r);
    return t->property.ptr ? RC_OK : malformed(r, e);
}

static enum rc take_call(struct reading *r, struct http_filter_term *t, struct err *e)
{
    enum rc rc;

    t->kind = HTTP_FILTER_CALL;
    if (take(r, ')'))
        return RC_OK;
    rc = take_argument(r, t, e);
    if (rc == RC_OK && take(r, ','))
        rc = take_argument(r, t, e);
    return rc == RC_OK && !take(r, ')') ? malformed(r, e) : rc;
}

static enum rc take_term(struct reading *r, struct http_filter_term *t, struct err *e)
{
    t->name = take_word(r);
    if (!t->name.ptr)
        return malformed(r, e);
    if (!take(r, '('))
        return take_comparison(r, &t->value, e);
    if (t->name.len > strlen("/any") && str_ends(t->name, STR("/any")))
        return take_any(r, t, e);
    return take_call(r, t, e);
}

static enum rc take_and(struct reading *r, struct err *e)
{
    struct reading before = *r;
    struct str word = take_word(r);

    if (str_is_nocase(word, "and"))
        return RC_OK;
    if (str_is_nocase(word, "or"))
        return err_code(e, RC_UNSUPPORTED, "NotSupported",
                        "'or' in a $filter is not offered here; 'and' is.");
    return malformed(&before, e);
}

enum rc http_filter_parse(struct str text, struct arena *a, struct http_filter *ret, struct err *e)
{
    struct reading r = {text, a};
    struct http_filter f = {.n = 0};
    enum rc rc = RC_OK;

    skip_blanks(&r);
    while (rc == RC_OK && r.rest.len > 0) {
        if (f.n > 0)
            rc = take_and(&r, e);
        if (rc == RC_OK && f.n == HTTP_FILTER_TERMS)
            return err_code(e, RC_INVALID, "InvalidFilterInQueryString",
                            "The $filter has more than %d terms.", HTTP_FILTER_TERMS);
        if (rc == RC_OK)
            rc = take_term(&r, &f.terms[f.n++], e);
        skip_blanks(&r);
    }
    if (rc == RC_OK)
        *ret = f;
    return rc;
}

enum rc http_filter_read(struct http_request *req, struct http_filter *ret, struct err *e)
{
    struct str text = STR("");
    enum rc rc = http_query(req, "$filter", &text, e);

    return rc == RC_OK || rc == RC_NOT_FOUND ? http_filter_parse(text, &req->arena, ret, e) : rc;
}

enum rc http_filter_known(const struct http_filter *f, const char *const *names, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        const char *const *name = names;

        while (*name && !str_is_nocase(f->terms[i].name, *name))
            name++;
        if (!*name)
            return err_code(e, RC_UNSUPPORTED, "NotSupported",
                            "This list cannot be filtered by '%.*s'.",
                            STR_ARG(str_take(f->terms[i].name, 100)));
    }
    return RC_OK;
}

const struct http_filter_term *http_filter_find(const struct http_filter *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_is_nocase(f->terms[i].name, name))
            return &f->terms[i];
    return NULL;
}

struct str http_filter_value(const struct http_filter *f, const char *name)
{
    const struct http_filter_term *t = http_filter_find(f, name);

    return t && t->kind == HTTP_FILTER_EQ ? t->value : STR_NONE;
}
