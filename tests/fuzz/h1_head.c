/* A head is read the same whatever pieces it comes in, and all that it names lies inside it. */
#include "fuzz.h"

#include "http/h1_parse.h"
#include "http/host.h"
#include <stdlib.h>

static void check_span(struct h1_span s, size_t n)
{
    if ((size_t)s.off + s.len > n)
        abort();
}

static void check_done(const struct h1_head *h, const char *bytes, size_t n)
{
    struct http_host host;

    if (h->taken > n || h->taken > HTTP_HEAD_MAX || h->n_fields > HTTP_FIELDS_MAX)
        abort();
    if (h->chunked && (h->has_length || h->version == 10))
        abort();
    if (http_host_parse((struct str){bytes + h->authority.off, h->authority.len}, &host) != RC_OK)
        abort();
    check_span(h->method, h->taken);
    check_span(h->target, h->taken);
    check_span(h->authority, h->taken);
    for (unsigned i = 0; i < h->n_fields; i++) {
        check_span(h->names[i], h->taken);
        check_span(h->values[i], h->taken);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct h1_head whole, pieces;
    const char *bytes = (const char *)data;
    size_t step = size > 0 ? 1 + data[size - 1] % 7 : 1, n = 0;
    enum h1_result a, b = H1_MORE;

    h1_head_init(&whole);
    a = h1_head_feed(&whole, bytes, size);
    h1_head_init(&pieces);
    while (b == H1_MORE && n < size) {
        n = size - n < step ? size : n + step;
        b = h1_head_feed(&pieces, bytes, n);
    }
    if (a != b || whole.status != pieces.status || whole.n_fields != pieces.n_fields)
        abort();
    if (a == H1_DONE && whole.taken != pieces.taken)
        abort();
    if (a == H1_DONE)
        check_done(&whole, bytes, size);
    return 0;
}
