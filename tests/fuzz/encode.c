/* base64, percent escapes, forms, UTF-8: one spelling decodes to bytes that encode to it again. */
#include "fuzz.h"

#include "base/encode.h"
#include <stdlib.h>

enum { LARGE = 1 << 22 };

static void try_base64(struct str text)
{
    CLEANUP(buf_done) struct buf bytes = BUF_INIT(LARGE), again = BUF_INIT(LARGE);

    if (base64_decode(text, &bytes, NULL) == RC_OK) {
        base64_encode(&again, buf_str(&bytes));
        if (!str_eq(text, buf_str(&again)))
            abort();
    }
    buf_clear(&bytes);
    buf_clear(&again);
    if (base64url_decode(text, &bytes, NULL) == RC_OK) {
        base64url_encode(&again, buf_str(&bytes));
        if (!str_eq(text, buf_str(&again)))
            abort();
    }
}

static void try_percent(struct str text)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(LARGE);
    CLEANUP(buf_done) struct buf encoded = BUF_INIT(LARGE);
    struct str plain, again;

    if (percent_decode(&a, text, true, &plain, NULL) != RC_OK)
        return;
    percent_encode(&encoded, plain);
    if (percent_decode(&a, buf_str(&encoded), true, &again, NULL) != RC_OK || !str_eq(plain, again))
        abort();
}

static void try_form(struct str text)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(LARGE);
    struct str value;

    if (form_get(&a, text, "scope", &value, NULL) == RC_OK && value.len > text.len)
        abort();
}

/* Text in JSON is UTF-8, whatever it was before. */
static void try_utf8(struct str text)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(LARGE);

    buf_add_json(&out, text);
    if (out.failed || !utf8_valid(buf_str(&out)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};

    try_base64(text);
    try_percent(text);
    try_form(text);
    try_utf8(text);
    return 0;
}
