/* Classes of characters in the grammars of RFC 9110, 9112 and 3986. */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include "base/macro.h"

enum {
    CHAR_TOKEN = 1, /* tchar: methods and field names */
    CHAR_FIELD = 2, /* field values: visible, obs-text, blank, tab */
    CHAR_PATH = 4,  /* pchar without '%', and '/' */
    CHAR_QUERY = 8, /* visible ASCII without '%' and '#' */
    CHAR_HOST = 16, /* a label's characters */
    CHAR_HEX = 32,
};
extern const uint8_t http_chars[256];

static inline bool char_is(char c, uint8_t class)
{
    return (http_chars[(unsigned char)c] & class) != 0;
}

#endif
