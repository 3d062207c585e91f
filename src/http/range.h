/* Range fields (RFC 9110 14): one range of bytes. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "base/str.h"

enum http_range { HTTP_RANGE_ALL, HTTP_RANGE_PART, HTTP_RANGE_NONE };
/* PART sets its outputs (*ret_length > 0, inside size). ALL: there is nothing that we would honour (other units, several
 * ranges, malformed), send the whole. NONE: outside what is there, or ends before it
 * begins (which may be ignored too; other servers refuse it, and clients expect that): 416. */
enum http_range http_range_parse(struct str value, uint64_t size, uint64_t *ret_offset, uint64_t *ret_length);

#endif
