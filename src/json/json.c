#include "json/json.h"

#include "base/encode.h"
#include "json/jansson_names.h"
#include <assert.h>
#include <stdlib.h>

/* struct json is jansson's json_t by another name: no second tree. */
static json_t *in(const struct json *j)
{
    return (json_t *)(uintptr_t)j;
}

static struct json *out(json_t *j)
{
    return (struct json *)j;
}

static struct json *made(json_t *j)
{
    if (!j)
        abort();
    return out(j);
}

static bool is(const struct json *j, enum json_type type)
{
    return json_type(j) == type;
}

/* --- reading --- */

enum { BYTES_DEFAULT = 4 << 20, DEPTH_DEFAULT = 64, VALUES_DEFAULT = 100000 };

struct shape {
    unsigned deepest; /* nesting of brackets outside strings */
    size_t values;    /* brackets that open, and commas */
};

/* jansson goes 2048 deep by recursion and allocates for each value; looking first keeps stack and
 * memory bounded by our limits. Of malformed text the parser will speak. */
static struct shape shape_of(struct str text)
{
    struct shape s = {0};
    unsigned depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{'))
            s.deepest = ++depth > s.deepest ? depth : s.deepest;
        else if (!in_string && depth > 0 && (c == ']' || c == '}'))
            depth--;
        s.values += !in_string && (c == '[' || c == '{' || c == ',');
    }
    return s;
}

enum rc json_parse(struct str text, const struct json_limits *limits, struct json **ret,
                   struct err *e)
{
    size_t bytes = limits && limits->bytes > 0 ? limits->bytes : BYTES_DEFAULT;
    unsigned depth = limits && limits->depth > 0 ? limits->depth : DEPTH_DEFAULT;
    size_t values = limits && limits->values > 0 ? limits->values : VALUES_DEFAULT;
    json_error_t error;

    if (text.len > bytes)
        return err_set(e, RC_TOO_LARGE, "JSON text is longer than %zu bytes", bytes);
    struct shape shape = shape_of(text);

    if (shape.deepest > depth)
        return err_set(e, RC_INVALID, "JSON text is nested more than %u deep", depth);
    if (shape.values > values)
        return err_set(e, RC_INVALID, "JSON text has more than %zu values", values);
    json_t *j = json_loadb(text.ptr ? text.ptr : "", text.len,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    if (!j)
        return err_set(e, RC_INVALID, "JSON text, line %d, column %d: %s", error.line, error.column,
                       error.text);
    *ret = out(j);
    return RC_OK;
}

void json_free(struct json *j)
{
    json_decref(in(j));
}

enum json_type json_type(const struct json *j)
{
    static const enum json_type types[] = {
        [JANSSON_OBJECT] = JSON_OBJECT,   [JANSSON_ARRAY] = JSON_ARRAY,
        [JANSSON_STRING] = JSON_STRING,   [JANSSON_REAL] = JSON_REAL,
        [JANSSON_INTEGER] = JSON_INTEGER, [JANSSON_TRUE] = JSON_BOOL,
        [JANSSON_FALSE] = JSON_BOOL,      [JANSSON_NULL] = JSON_NULL,
    };

    return j ? types[in(j)->type] : JSON_ABSENT;
}

bool json_given(const struct json *j)
{
    return j && !is(j, JSON_NULL);
}

struct json *json_get(const struct json *object, const char *member)
{
    return is(object, JSON_OBJECT) ? out(json_object_get(in(object), member)) : NULL;
}

struct json *json_get_nocase(const struct json *object, const char *member)
{
    struct json *exact = json_get(object, member), *value;
    struct str name;

    if (exact)
        return exact;
    for (size_t i = 0; json_member(object, &i, &name, &value);)
        if (str_is_nocase(name, member))
            return value;
    return NULL;
}

struct json *json_path(const struct json *object, const char *dotted)
{
    struct str rest = str_from(dotted);
    const struct json *j = object;

    while (rest.ptr && j) {
        struct str name = str_split(&rest, '.');

        j = is(j, JSON_OBJECT) ? out(json_object_getn(in(j), name.ptr, name.len)) : NULL;
    }
    return out(in(j));
}

size_t json_len(const struct json *array_or_object)
{
    if (is(array_or_object, JSON_ARRAY))
        return json_array_size(in(array_or_object));
    return is(array_or_object, JSON_OBJECT) ? json_object_size(in(array_or_object)) : 0;
}

struct json *json_at(const struct json *array, size_t i)
{
    return is(array, JSON_ARRAY) ? out(json_array_get(in(array), i)) : NULL;
}

struct str json_str(const struct json *string)
{
    if (!is(string, JSON_STRING))
        return STR_NONE;
    return (struct str){json_string_value(in(string)), json_string_length(in(string))};
}

bool json_bool(const struct json *j, bool otherwise)
{
    return is(j, JSON_BOOL) ? in(j)->type == JANSSON_TRUE : otherwise;
}

int64_t json_int(const struct json *j, int64_t otherwise)
{
    return is(j, JSON_INTEGER) ? json_integer_value(in(j)) : otherwise;
}

/* *i is jansson's iterator, which is a pointer into the object. */
bool json_member(const struct json *object, size_t *i, struct str *ret_name,
                 struct json **ret_value)
{
    if (!is(object, JSON_OBJECT))
        return false;
    void *iter = *i == 0 ? json_object_iter(in(object))
                         : json_object_iter_next(in(object), (void *)(uintptr_t)*i);

    if (!iter)
        return false;
    *i = (uintptr_t)iter;
    *ret_name = (struct str){json_object_iter_key(iter), json_object_iter_key_len(iter)};
    *ret_value = out(json_object_iter_value(iter));
    return true;
}

bool json_same(const struct json *a, const struct json *b)
{
    return (!a && !b) || (a && b && json_equal(in(a), in(b)));
}

/* --- building --- */

struct json *json_new_object(void)
{
    return made(json_object());
}

struct json *json_new_array(void)
{
    return made(json_array());
}

struct json *json_new_null(void)
{
    return made(json_null());
}

struct json *json_new_bool(bool b)
{
    return made(json_boolean(b));
}

struct json *json_new_int(int64_t i)
{
    return made(json_integer(i));
}

/* What buf_add_json makes of the text, read back: U+FFFD for what is not UTF-8. */
static json_t *mended(struct str s)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);

    buf_add_json(&b, s);
    return json_loadb(b.ptr, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

struct json *json_new_str(struct str s)
{
    if (!utf8_valid(s))
        return made(mended(s));
    return made(json_stringn_nocheck(s.ptr ? s.ptr : "", s.len));
}

struct json *json_new_text(const char *terminated)
{
    return json_new_str(str_from(terminated));
}

struct json *json_clone(const struct json *j)
{
    return j ? made(json_deep_copy(in(j))) : NULL;
}

void json_set(struct json *object, const char *member, struct json *child)
{
    assert(is(object, JSON_OBJECT) && child != object);
    if (!child) {
        json_remove(object, member);
        return;
    }
    CLEANUP(json_freep) struct json *name = json_new_text(member); /* well-formed */

    if (json_object_set_new_nocheck(in(object), json_string_value(in(name)), in(child)) != 0)
        abort();
}

void json_set_str(struct json *object, const char *member, struct str s)
{
    json_set(object, member, json_new_str(s));
}

void json_set_text(struct json *object, const char *member, const char *terminated)
{
    json_set(object, member, json_new_text(terminated));
}

void json_remove(struct json *object, const char *member)
{
    assert(is(object, JSON_OBJECT));
    (void)json_object_del(in(object), member);
}

void json_append(struct json *array, struct json *child)
{
    assert(is(array, JSON_ARRAY) && child && child != array);
    if (json_array_append_new(in(array), in(child)) != 0)
        abort();
}

void json_remove_at(struct json *array, size_t i)
{
    assert(is(array, JSON_ARRAY) && i < json_len(array));
    (void)json_array_remove(in(array), i);
}

/* --- writing --- */

static int write_piece(const char *bytes, size_t n, void *arg)
{
    struct buf *b = arg;

    buf_add(b, (struct str){bytes, n});
    return b->failed ? -1 : 0;
}

static void write_with(const struct json *j, size_t flags, struct buf *b)
{
    assert(j);
    int failed = json_dump_callback(in(j), write_piece, b, flags | JSON_ENCODE_ANY);

    assert(failed == 0 || b->failed);
}

void json_write(const struct json *j, struct buf *b)
{
    write_with(j, JSON_COMPACT, b);
}

void json_write_pretty(const struct json *j, struct buf *b)
{
    write_with(j, JSON_INDENT(2), b);
}

struct str json_write_arena(const struct json *j, struct arena *a)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(a->max - a->used);

    json_write(j, &b);
    return b.failed ? STR_NONE : arena_copy(a, buf_str(&b));
}

struct str json_write_stored(const struct json *j, struct arena *a)
{
    struct str text = json_write_arena(j, a);
    struct shape shape = shape_of(text);

    if (text.len > BYTES_DEFAULT || shape.deepest > DEPTH_DEFAULT || shape.values > VALUES_DEFAULT)
        return STR_NONE;
    return text;
}
