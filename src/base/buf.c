#include "base/buf.h"

#include "base/utf8.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 64 };

void buf_done(struct buf *b)
{
    if (!b)
        return;
    free(b->ptr);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

enum rc buf_status(const struct buf *b, struct err *e)
{
    if (b->failed)
        return err_set(e, RC_TOO_LARGE, "more than %zu bytes", b->max);
    return RC_OK;
}

/* Memory is always one byte longer than cap says, for the NUL of buf_cstr. */
static void buf_grow(struct buf *b, size_t need)
{
    size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;

    while (cap < need)
        cap = cap > SIZE_MAX / 4 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max;
    char *p = realloc(b->ptr, cap + 1);

    if (!p)
        abort();
    b->ptr = p;
    b->cap = cap;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed || n > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    if (!b->ptr || b->len + n > b->cap)
        buf_grow(b, b->len + n);
    return b->ptr + b->len;
}

void buf_add(struct buf *b, struct str s)
{
    char *p = buf_reserve(b, s.len);

    if (!p || s.len == 0)
        return;
    memcpy(p, s.ptr, s.len);
    b->len += s.len;
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, (struct str){&c, 1});
}

void buf_add_u64(struct buf *b, uint64_t n)
{
    char digits[20], *p = digits + sizeof(digits);

    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    buf_add(b, (struct str){p, (size_t)(digits + sizeof(digits) - p)});
}

void buf_add_i64(struct buf *b, int64_t n)
{
    if (n >= 0) {
        buf_add_u64(b, (uint64_t)n);
        return;
    }
    buf_addc(b, '-');
    buf_add_u64(b, -(uint64_t)n);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    char *p = buf_reserve(b, (size_t)n);

    if (!p)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

static void add_json_escape(struct buf *b, char c)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (size_t i = 0; i + 1 < sizeof(named); i += 2)
        if (named[i] == c) {
            buf_addc(b, '\\');
            buf_addc(b, named[i + 1]);
            return;
        }
    buf_addf(b, "\\u%04x", (unsigned)(unsigned char)c);
}

static bool json_plain(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 0x20 && u < 0x7f && u != '"' && u != '\\';
}

void buf_add_json(struct buf *b, struct str s)
{
    buf_addc(b, '"');
    while (s.len > 0) {
        size_t n = 0;

        while (n < s.len && json_plain(s.ptr[n]))
            n++;
        if (n > 0) {
            buf_add(b, str_take(s, n));
        } else if ((unsigned char)s.ptr[0] < 0x80) {
            add_json_escape(b, s.ptr[0]);
            n = 1;
        } else {
            n = utf8_step(s);
            buf_add(b, n > 0 ? str_take(s, n) : STR("\xef\xbf\xbd"));
            n = n > 0 ? n : 1;
        }
        s = str_skip(s, n);
    }
    buf_addc(b, '"');
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n == 0)
        return;
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}

const char *buf_cstr(struct buf *b)
{
    if (!b->ptr)
        buf_grow(b, 0);
    b->ptr[b->len] = '\0';
    return b->ptr;
}
