/* A time that was read is written and read again the same. */
#include "base/clock.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t us = 7, again = 0;
    char text[CLOCK_TEXT_MAX];

    if (clock_parse((struct str){(const char *)data, size}, &us, NULL) != RC_OK) {
        if (us != 7)
            abort();
        return 0;
    }
    if (clock_parse(clock_format_z(us, text), &again, NULL) != RC_OK || again != us)
        abort();
    return 0;
}
