/* One step over UTF-8 text, shared by the files of this folder. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* Length of the well-formed sequence (RFC 3629) that s begins with, or 0. s is not empty. */
size_t utf8_step(struct str s);

#endif
