/* A chunked body is decoded the same whatever pieces it comes in, and never grows. */
#include "fuzz.h"

#include "base/buf.h"
#include "http/h1_parse.h"
#include <stdlib.h>

static enum h1_result decode(const char *bytes, size_t size, size_t step, struct buf *out,
                             size_t *ret_used)
{
    struct h1_chunks c;
    enum h1_result r = H1_MORE;
    size_t at = 0;

    h1_chunks_init(&c);
    while (r == H1_MORE && at < size) {
        size_t used, n = size - at < step ? size - at : step;
        struct str data;

        r = h1_chunks_feed(&c, bytes + at, n, &used, &data);
        if (used > n || (used == 0 && r == H1_MORE))
            abort();
        if (data.len > 0 && (data.ptr < bytes + at || data.ptr + data.len > bytes + at + used))
            abort();
        buf_add(out, data);
        at += used;
    }
    *ret_used = at;
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_done) struct buf a = BUF_INIT(1 << 22), b = BUF_INIT(1 << 22);
    const char *bytes = (const char *)data;
    size_t used_a, used_b, step = size > 0 ? 1 + data[size - 1] % 11 : 1;
    enum h1_result ra = decode(bytes, size, size, &a, &used_a);
    enum h1_result rb = decode(bytes, size, step, &b, &used_b);

    if (ra != rb || used_a != used_b || !str_eq(buf_str(&a), buf_str(&b)) || a.len > size)
        abort();
    return 0;
}
