#include "http/range.h"

static enum http_range suffix_range(struct str digits, uint64_t size, uint64_t *ret_offset,
                                    uint64_t *ret_length)
{
    uint64_t n;

    if (str_to_u64(digits, &n) != RC_OK)
        return HTTP_RANGE_ALL;
    if (n == 0 || size == 0)
        return HTTP_RANGE_NONE;
    if (n > size)
        n = size;
    *ret_offset = size - n;
    *ret_length = n;
    return HTTP_RANGE_PART;
}

enum http_range http_range_parse(struct str value, uint64_t size, uint64_t *ret_offset,
                                 uint64_t *ret_length)
{
    uint64_t first, last = UINT64_MAX;

    if (!str_starts_nocase(value, STR("bytes=")))
        return HTTP_RANGE_ALL;
    value = str_trim(str_skip(value, 6));
    size_t dash = str_find(value, '-');

    if (dash == value.len)
        return HTTP_RANGE_ALL;
    struct str to = str_skip(value, dash + 1);

    if (dash == 0)
        return suffix_range(to, size, ret_offset, ret_length);
    if (str_to_u64(str_take(value, dash), &first) != RC_OK)
        return HTTP_RANGE_ALL;
    if (to.len > 0 && str_to_u64(to, &last) != RC_OK)
        return HTTP_RANGE_ALL;
    if (first >= size || last < first)
        return HTTP_RANGE_NONE;
    *ret_offset = first;
    *ret_length = (last < size - 1 ? last : size - 1) - first + 1;
    return HTTP_RANGE_PART;
}
