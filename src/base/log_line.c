#include "base/log_line.h"

#include "base/encode.h"

#include "base/clock.h"
#include "base/utf8.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};

enum rc log_level_parse(struct str s, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
        if (str_is(s, level_names[i])) {
            *ret = (enum log_level)i;
            return RC_OK;
        }
    return RC_INVALID;
}

static struct str cut(struct str s)
{
    return utf8_cut(s, LOG_VALUE_MAX);
}

static void add_number(const struct log_field *f, struct buf *out)
{
    if (f->kind == LOG_U64)
        buf_add_u64(out, f->u);
    else if (f->kind == LOG_I64)
        buf_add_i64(out, f->i);
    else
        buf_add(out, f->b ? STR("true") : STR("false"));
}

/* Names of events and fields are our own words: nothing to escape. */
static void add_quoted(struct buf *out, const char *before, const char *name, const char *after)
{
    buf_add(out, str_from(before));
    buf_add(out, str_from(name));
    buf_add(out, str_from(after));
}

static void json_head(const struct log_event *ev, struct buf *out)
{
    char ts[CLOCK_TEXT_MAX];

    buf_clear(out);
    buf_add(out, STR("{\"ts\":\""));
    buf_add(out, clock_format_z(ev->wall_us, ts));
    add_quoted(out, "\",\"level\":\"", level_names[ev->level], "\",\"event\":\"");
    buf_add(out, str_from(ev->name));
    buf_addc(out, '"');
}

void log_line_json(const struct log_event *ev, struct buf *out)
{
    json_head(ev, out);
    for (size_t i = 0; i < ev->n; i++) {
        const struct log_field *f = &ev->fields[i];

        add_quoted(out, ",\"", f->name, "\":");
        if (f->kind != LOG_STR)
            add_number(f, out);
        else
            buf_add_json(out, cut(f->s));
        if (f->kind == LOG_STR && f->s.len > LOG_VALUE_MAX)
            buf_addf(out, ",\"%s_cut\":true", f->name);
    }
    buf_add(out, STR("}\n"));
    if (out->failed) {
        json_head(ev, out);
        buf_add(out, STR(",\"too_long\":true}\n"));
    }
}

static bool needs_quotes(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return true;
    }
    return s.len == 0;
}

static void text_head(const struct log_event *ev, struct buf *out)
{
    static const char *const words[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    char ts[CLOCK_TEXT_MAX];
    struct str time = clock_format_z(ev->wall_us, ts);

    buf_clear(out);
    buf_add(out, str_take(str_skip(time, 11), 12)); /* hours to milliseconds */
    buf_addf(out, " %s %s", words[ev->level], ev->name);
}

void log_line_text(const struct log_event *ev, struct buf *out)
{
    text_head(ev, out);
    for (size_t i = 0; i < ev->n; i++) {
        const struct log_field *f = &ev->fields[i];

        buf_addf(out, " %s=", f->name);
        if (f->kind != LOG_STR)
            add_number(f, out);
        else if (needs_quotes(f->s))
            buf_add_json(out, cut(f->s));
        else
            buf_add(out, cut(f->s));
    }
    buf_addc(out, '\n');
    if (out->failed) {
        text_head(ev, out);
        buf_add(out, STR(" (too long)\n"));
    }
}
