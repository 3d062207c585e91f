/* A host that is accepted is a part of its text, and is accepted again by itself. */
#include "fuzz.h"

#include "http/host.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct http_host h, again;

    if (http_host_parse(text, &h) != RC_OK)
        return 0;
    if (h.name.len > size || memchr(h.name.ptr, '@', h.name.len) ||
        memchr(h.name.ptr, '/', h.name.len))
        abort();
    if (h.name.len > 0 && h.name.ptr[h.name.len - 1] == '.')
        abort();
    if (!h.ipv6 && (http_host_parse(h.name, &again) != RC_OK || !str_eq(h.name, again.name)))
        abort();
    return 0;
}
