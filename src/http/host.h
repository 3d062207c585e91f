/* Host and authority: which server a request is for. */
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include "base/str.h"

enum { HTTP_HOST_MAX = 255 };

struct http_host {
    struct str name; /* a part of the text: no port, no brackets, no trailing dot */
    bool ipv6;       /* it stood in brackets */
};

/* Strict: labels of letters, digits, '-' and '_'; or [IPv6]; one trailing dot and a port may follow. Empty text is a
 * host that nobody has. RC_INVALID. */
NODISCARD enum rc http_host_parse(struct str text, struct http_host *ret);
/* True for an absolute-form target ("scheme://authority/..."): its parts. */
bool http_target_absolute(struct str target, struct str *ret_scheme, struct str *ret_authority, struct str *ret_rest);

#endif
