/* $filter: what was read is inside the text, or shorter than it; a term that compares, written
 * again from its parts, reads the same. */
#include "http/filter.h"
#include "base/buf.h"
#include "fuzz.h"

#include <stdlib.h>

static void write_value(struct buf *b, struct str value)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < value.len; i++) {
        buf_addc(b, value.ptr[i]);
        if (value.ptr[i] == '\'')
            buf_addc(b, '\'');
    }
    buf_addc(b, '\'');
}

static void check_again(const struct http_filter_term *t, struct arena *a)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 20);
    struct http_filter again;

    buf_add(&b, t->name);
    buf_add(&b, STR(" eq "));
    write_value(&b, t->value);
    if (http_filter_parse(buf_str(&b), a, &again, NULL) != RC_OK || again.n != 1 ||
        !str_eq(again.terms[0].name, t->name) || !str_eq(again.terms[0].value, t->value))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct http_filter f = {.n = 0};
    enum rc rc = http_filter_parse((struct str){(const char *)data, size}, &a, &f, NULL);

    if (rc != RC_OK && f.n != 0)
        abort();
    for (size_t i = 0; i < f.n; i++) {
        if (f.terms[i].name.len == 0 || f.terms[i].name.len + f.terms[i].value.len > size)
            abort();
        if (f.terms[i].kind == HTTP_FILTER_EQ)
            check_again(&f.terms[i], &a);
    }
    return 0;
}
