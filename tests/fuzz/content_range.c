/* A chunk's Content-Range: what is accepted is a range, and reads the same when it is written
 * again. */
#include "oci/private.h"

#include <inttypes.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_done) struct buf again = BUF_INIT(64);
    uint64_t first, last, first2, last2;

    if (oci_content_range_parse((struct str){(const char *)data, size}, &first, &last, NULL) !=
        RC_OK)
        return 0;
    buf_addf(&again, "%" PRIu64 "-%" PRIu64, first, last);
    if (last < first || last - first + 1 == 0 ||
        oci_content_range_parse(buf_str(&again), &first2, &last2, NULL) != RC_OK ||
        first != first2 || last != last2)
        abort();
    return 0;
}
