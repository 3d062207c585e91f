/* Digests: what is accepted is exactly what is written back. */
#include "fuzz.h"

#include "base/digest.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    char out[DIGEST_TEXT_MAX];
    struct digest d = {.algorithm = 77};
    enum rc rc = digest_parse(text, &d, NULL);

    if (rc == RC_OK && !str_eq(digest_format(&d, out), text))
        abort();
    if (rc != RC_OK && ((rc != RC_INVALID && rc != RC_UNSUPPORTED) || d.algorithm != 77))
        abort();
    return 0;
}
