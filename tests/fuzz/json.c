/* JSON: what is accepted can be written, read again as the same value, and written the same. */
#include "fuzz.h"

#include "json/json.h"
#include <stdlib.h>

enum { LARGE = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_limits limits = {.depth = 16};
    CLEANUP(json_freep) struct json *j = NULL, *again = NULL;
    CLEANUP(buf_done) struct buf first = BUF_INIT(LARGE), second = BUF_INIT(LARGE);

    if (json_parse((struct str){(const char *)data, size}, &limits, &j, NULL) != RC_OK)
        return 0;
    json_write(j, &first);
    if (first.failed || json_parse(buf_str(&first), &limits, &again, NULL) != RC_OK)
        abort();
    json_write(again, &second);
    if (!str_eq(buf_str(&first), buf_str(&second)) || !json_same(j, again))
        abort();
    return 0;
}
