/* Property: what is a header at all is one whichever part of it came first; what is parsed has
 * addresses unless it is LOCAL, and only values that end; a header with a byte more is none. */
#include "fuzz.h"

#include "net/proxy_header.h"
#include <assert.h>
#include <stdlib.h>

static void prefixes_agree(struct str bytes, size_t length)
{
    for (size_t n = 0; n < PROXY_FIXED; n++) {
        size_t none = 7;

        assert(proxy_header_length(str_take(bytes, n), &none, NULL) == RC_UNAVAILABLE);
        assert(none == 7);
    }
    assert(length >= PROXY_FIXED && length <= PROXY_HEADER_MAX);
}

static void values_end(const struct proxy_header *h)
{
    assert(h->n_tlvs <= EVIDENCE_TLVS);
    for (size_t i = 0; i < h->n_tlvs; i++) {
        assert(memchr(h->tlvs[i].text, '\0', sizeof(h->tlvs[i].text)));
        for (size_t j = 0; j < i; j++)
            assert(h->tlvs[i].type != h->tlvs[j].type || h->tlvs[i].subtype != h->tlvs[j].subtype);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct proxy_header h = {.n_tlvs = 77};
    size_t length = 0;
    enum rc known = proxy_header_length(bytes, &length, NULL);

    if (known == RC_OK)
        prefixes_agree(bytes, length);
    if (proxy_header_parse(bytes, &h, NULL) != RC_OK) {
        assert(h.n_tlvs == 77);
        return 0;
    }
    assert(known == RC_OK && length == size);
    assert(h.local ? h.source.family == 0 && h.n_tlvs == 0
                   : h.source.family != 0 && h.destination.family != 0);
    values_end(&h);
    return 0;
}
