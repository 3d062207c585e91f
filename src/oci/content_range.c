#include "oci/private.h"

enum rc oci_content_range_parse(struct str s, uint64_t *ret_first, uint64_t *ret_last,
                                struct err *e)
{
    struct str rest = s, first = str_split(&rest, '-');
    uint64_t a, b;

    if (str_to_u64(first, &a) != RC_OK || str_to_u64(rest, &b) != RC_OK || b < a || b == UINT64_MAX)
        return err_code(e, RC_INVALID, "BLOB_UPLOAD_INVALID",
                        "Content-Range of a chunk is <first>-<last>");
    *ret_first = a;
    *ret_last = b;
    return RC_OK;
}
