/* Text forms of bytes: hex, base64 (RFC 4648), percent (RFC 3986),
 * application/x-www-form-urlencoded, UTF-8. */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/arena.h"
#include "base/buf.h"

/* 2n characters and a NUL, lower case. */
void hex_encode(const uint8_t *bytes, size_t n, char *out);
NODISCARD enum rc hex_decode(struct str s, uint8_t *out, size_t n); /* exactly 2n digits */
void base64_encode(struct buf *out, struct str bytes);
void base64url_encode(struct buf *out, struct str bytes); /* no padding */
/* Strict: alphabet, padding and trailing bits are checked. `out` is appended to. */
NODISCARD enum rc base64_decode(struct str s, struct buf *out, struct err *e);
NODISCARD enum rc base64url_decode(struct str s, struct buf *out, struct err *e);
/* %XX to bytes, in the arena; RC_INVALID for a bad escape or a NUL. `plus`: '+' means a blank
 * (forms). */
NODISCARD enum rc percent_decode(struct arena *a, struct str s, bool plus, struct str *ret,
                                 struct err *e);
void percent_encode(struct buf *out, struct str s); /* all but unreserved characters */
/* Finds `key` in `a=b&c=d` and decodes its value. RC_NOT_FOUND; RC_INVALID when it stands there
 * twice or is malformed. */
NODISCARD enum rc form_get(struct arena *a, struct str form, const char *key, struct str *ret,
                           struct err *e);
/* The same for what may be absent: STR_NONE then. */
NODISCARD enum rc form_text(struct arena *a, struct str form, const char *key, struct str *ret,
                            struct err *e);
bool utf8_valid(struct str s);
/* At most `max` bytes of it; ends where a character does. */
struct str utf8_cut(struct str s, size_t max);
size_t utf8_count(struct str s); /* characters of a valid text */

#endif
