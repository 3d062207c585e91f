/* What requests and responses share on the inside: lists of fields, reasons. */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "http/http.h"

enum http_method http_method_of(struct str text);
const char *http_reason(unsigned status); /* "" when it has no name of its own */
/* In the arena; false past its maximum. */
NODISCARD bool http_fields_add(struct arena *a, struct http_fields *f, struct str name, struct str value);
void http_fields_remove(struct http_fields *f, const char *name);
/* A response with this status has no body and no Content-Length. */
bool http_status_bodyless(unsigned status);

#endif
