#include "cli/output.h"

/* --- flattening --- */

/* "/subscriptions/S/resourceGroups/G/...": G, or STR_NONE. */
static struct str group_of(struct str id)
{
    while (id.ptr && id.len > 0) {
        struct str part = str_split(&id, '/');

        if (str_is_nocase(part, "resourceGroups"))
            return str_split(&id, '/');
    }
    return STR_NONE;
}

static void flatten_members(const struct json *from, struct json *to)
{
    struct json *value;
    struct str name;

    for (size_t i = 0; json_member(from, &i, &name, &value);) {
        if (str_is(name, "properties") && json_type(value) == JSON_OBJECT)
            flatten_members(value, to);
        else
            json_set(to, name.ptr, cli_flatten(value));
    }
}

static struct json *flatten_object(const struct json *j)
{
    struct json *flat = json_new_object();
    struct str group = group_of(json_str(json_get(j, "id")));
    bool is_ip_rule = json_get(j, "value") && json_get(j, "action") && json_len(j) == 2;

    flatten_members(j, flat);
    if (group.len > 0 && json_get(j, "type"))
        json_set_str(flat, "resourceGroup", group);
    if (is_ip_rule) {
        json_set(flat, "ipAddressOrRange", json_clone(json_get(j, "value")));
        json_remove(flat, "value");
    }
    return flat;
}

struct json *cli_flatten(const struct json *j)
{
    struct json *flat;

    if (json_type(j) == JSON_OBJECT)
        return flatten_object(j);
    if (json_type(j) != JSON_ARRAY)
        return json_clone(j);
    flat = json_new_array();
    for (size_t i = 0; i < json_len(j); i++)
        json_append(flat, cli_flatten(json_at(j, i)));
    return flat;
}

/* --- tables and tab-separated values --- */

static bool is_scalar(const struct json *j)
{
    return json_type(j) != JSON_OBJECT && json_type(j) != JSON_ARRAY;
}

/* A value as one word: texts without their quotes, None for null in tsv as az has it. */
static void add_scalar(const struct json *j, struct buf *out)
{
    if (json_type(j) == JSON_STRING)
        buf_add(out, json_str(j));
    else if (json_type(j) == JSON_BOOL)
        buf_add(out, json_bool(j, false) ? STR("True") : STR("False"));
    else if (json_type(j) == JSON_INTEGER)
        json_write(j, out);
    else if (json_type(j) == JSON_NULL)
        buf_add(out, STR("None"));
}

static void add_tsv_row(const struct json *row, struct buf *out)
{
    struct json *value;
    struct str name;
    bool first = true;

    if (is_scalar(row))
        add_scalar(row, out);
    for (size_t i = 0; !is_scalar(row) && json_member(row, &i, &name, &value);) {
        if (!first)
            buf_addc(out, '\t');
        first = false;
        if (is_scalar(value))
            add_scalar(value, out);
        else
            buf_addf(out, "%zu", json_len(value));
    }
    buf_addc(out, '\n');
}

static void add_tsv(const struct json *j, struct buf *out)
{
    if (json_type(j) != JSON_ARRAY) {
        add_tsv_row(j, out);
        return;
    }
    for (size_t i = 0; i < json_len(j); i++)
        add_tsv_row(json_at(j, i), out);
}

enum { COLUMNS_MAX = 12 };

struct table {
    const struct json *rows; /* an array of objects */
    struct str name[COLUMNS_MAX];
    size_t width[COLUMNS_MAX], n;
};

static size_t scalar_width(const struct json *j)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(1 << 16);

    add_scalar(j, &text);
    return text.len;
}

/* Ids are as long as the rest together, and etags tell a reader nothing. */
static bool is_column(struct str name, const struct json *value)
{
    return is_scalar(value) && !str_is(name, "id") && !str_is(name, "etag");
}

static void table_columns(struct table *t)
{
    struct json *value;
    struct str name;

    for (size_t i = 0; t->n < COLUMNS_MAX && json_member(json_at(t->rows, 0), &i, &name, &value);)
        if (is_column(name, value))
            t->name[t->n++] = name;
    for (size_t c = 0; c < t->n; c++) {
        t->width[c] = t->name[c].len;
        for (size_t r = 0; r < json_len(t->rows); r++) {
            size_t width = scalar_width(json_get(json_at(t->rows, r), t->name[c].ptr));

            if (width > t->width[c])
                t->width[c] = width;
        }
    }
}

static void pad(struct buf *out, char c, size_t n)
{
    while (n-- > 0)
        buf_addc(out, c);
}

static void add_table_row(const struct table *t, const struct json *row, struct buf *out)
{
    for (size_t c = 0; c < t->n; c++) {
        size_t before = out->len;

        add_scalar(json_get(row, t->name[c].ptr), out);
        if (c + 1 < t->n)
            pad(out, ' ', t->width[c] + 2 - (out->len - before));
    }
    buf_addc(out, '\n');
}

static void add_table_head(const struct table *t, struct buf *out)
{
    for (size_t c = 0; c < t->n; c++) {
        buf_addc(out, (char)(t->name[c].ptr[0] & ~0x20)); /* az: Name, LoginServer */
        buf_add(out, str_skip(t->name[c], 1));
        if (c + 1 < t->n)
            pad(out, ' ', t->width[c] + 2 - t->name[c].len);
    }
    buf_addc(out, '\n');
    for (size_t c = 0; c < t->n; c++) {
        pad(out, '-', t->width[c]);
        if (c + 1 < t->n)
            pad(out, ' ', 2);
    }
    buf_addc(out, '\n');
}

static void add_table(const struct json *j, struct buf *out)
{
    CLEANUP(json_freep) struct json *rows = json_new_array();
    struct table t = {.rows = rows};

    if (json_type(j) == JSON_OBJECT)
        json_append(rows, json_clone(j));
    else
        t.rows = j;
    if (json_len(t.rows) == 0)
        return;
    table_columns(&t);
    add_table_head(&t, out);
    for (size_t r = 0; r < json_len(t.rows); r++)
        add_table_row(&t, json_at(t.rows, r), out);
}

enum rc cli_format_check(const char *format, struct err *e)
{
    static const char *const formats[] = {"json", "jsonc", "table", "tsv", "none"};

    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(format, formats[i]) == 0)
            return RC_OK;
    return err_set(e, RC_INVALID, "argument --output: %s is not json, table, tsv or none", format);
}

enum rc cli_render(const struct json *j, const char *format, struct buf *out, struct err *e)
{
    struct str name = str_from(format);
    enum rc rc = cli_format_check(format, e);

    if (rc != RC_OK)
        return rc;
    if (str_is(name, "json") || str_is(name, "jsonc")) {
        json_write_pretty(j, out);
        buf_addc(out, '\n');
    } else if (str_is(name, "table")) {
        add_table(j, out);
    } else if (str_is(name, "tsv")) {
        add_tsv(j, out);
    }
    return buf_status(out, e);
}
