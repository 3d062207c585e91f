#include "http/chars.h"
#include "http/h1_parse.h"
#include <assert.h>

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_LINE, /* the first character of a trailer line, or of the empty line that ends the body */
    CHUNK_TRAILER, /* within a trailer line */
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_END,
    CHUNK_BAD,
};

void h1_chunks_init(struct h1_chunks *c)
{
    *c = (struct h1_chunks){.state = CHUNK_SIZE};
}

static void fail(struct h1_chunks *c, const char *why)
{
    c->state = CHUNK_BAD;
    c->why = why;
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static void on_size(struct h1_chunks *c, char ch)
{
    if (char_is(ch, CHAR_HEX)) {
        if (++c->digits > 15)
            fail(c, "a chunk size that is too long");
        else
            c->left = c->left << 4 | hex_value(ch);
    } else if (c->digits == 0) {
        fail(c, "malformed chunk size");
    } else if (ch == ';') {
        c->state = CHUNK_EXTENSION;
    } else if (ch == '\r') {
        c->state = CHUNK_SIZE_LF;
    } else {
        fail(c, "malformed chunk size");
    }
}

static void on_extension(struct h1_chunks *c, char ch)
{
    if (ch == '\r')
        c->state = CHUNK_SIZE_LF;
    else if (!char_is(ch, CHAR_FIELD))
        fail(c, "a control character in a chunk extension");
    else if (++c->extension > H1_EXTENSION_MAX)
        fail(c, "a chunk extension that is too long");
}

static void on_lf(struct h1_chunks *c, char ch, enum chunk_state next)
{
    if (ch == '\n')
        c->state = (int)next;
    else
        fail(c, "a line that does not end in CR LF");
}

static void on_trailer(struct h1_chunks *c, char ch, bool first)
{
    if (ch == '\r')
        c->state = first ? CHUNK_LAST_LF : CHUNK_TRAILER_LF;
    else if (first ? !char_is(ch, CHAR_TOKEN) : !char_is(ch, CHAR_FIELD))
        fail(c, "malformed trailer");
    else if (++c->trailers > H1_TRAILERS_MAX)
        fail(c, "too many trailers");
    else
        c->state = CHUNK_TRAILER;
}

static void on_char(struct h1_chunks *c, char ch)
{
    switch ((enum chunk_state)c->state) {
    case CHUNK_SIZE:
        return on_size(c, ch);
    case CHUNK_EXTENSION:
        return on_extension(c, ch);
    case CHUNK_SIZE_LF:
        return on_lf(c, ch, c->left > 0 ? CHUNK_DATA : CHUNK_LINE);
    case CHUNK_DATA_CR:
        if (ch != '\r')
            return fail(c, "a chunk longer than its size");
        c->state = CHUNK_DATA_LF;
        return;
    case CHUNK_DATA_LF:
        c->digits = c->extension = 0;
        return on_lf(c, ch, CHUNK_SIZE);
    case CHUNK_LINE:
    case CHUNK_TRAILER:
        return on_trailer(c, ch, c->state == CHUNK_LINE);
    case CHUNK_TRAILER_LF:
        return on_lf(c, ch, CHUNK_LINE);
    case CHUNK_LAST_LF:
        return on_lf(c, ch, CHUNK_END);
    case CHUNK_DATA:
    case CHUNK_END:
    case CHUNK_BAD:
        break;
    }
    assert(!"data and ends are not read by character");
}

enum h1_result h1_chunks_feed(struct h1_chunks *c, const char *bytes, size_t n, size_t *ret_used,
                              struct str *ret_data)
{
    size_t i = 0;

    *ret_data = STR_NONE;
    while (i < n && c->state != CHUNK_END && c->state != CHUNK_BAD) {
        if (c->state == CHUNK_DATA) {
            size_t take = n - i < c->left ? n - i : (size_t)c->left;

            *ret_data = (struct str){bytes + i, take};
            i += take;
            c->left -= take;
            if (c->left == 0)
                c->state = CHUNK_DATA_CR;
            break;
        }
        on_char(c, bytes[i++]);
    }
    *ret_used = i;
    if (c->state == CHUNK_BAD)
        return H1_BAD;
    return c->state == CHUNK_END ? H1_DONE : H1_MORE;
}
