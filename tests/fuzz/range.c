/* A part lies inside what is there and is not empty. */
#include "fuzz.h"

#include "http/range.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t length = 0, o = 0, l = 0;

    if (size < sizeof(length))
        return 0;
    memcpy(&length, data, sizeof(length));
    struct str text = {(const char *)data + sizeof(length), size - sizeof(length)};

    if (http_range_parse(text, length, &o, &l) != HTTP_RANGE_PART)
        return 0;
    if (l == 0 || o >= length || l > length - o)
        abort();
    return 0;
}
