/* Where a page of a list ended, as clients send it back: what is accepted is a path, and has one
 * text. */
#include "arm/resource.h"
#include "base/encode.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    CLEANUP(buf_done) struct buf again = BUF_INIT(1 << 16);
    struct str token = {(const char *)data, size}, id;

    if (arm_skip_token_parse(token, &a, &id, NULL) != RC_OK)
        return 0;
    base64url_encode(&again, id);
    if (id.len == 0 || id.ptr[0] != '/' || !str_eq(buf_str(&again), token))
        abort();
    return 0;
}
