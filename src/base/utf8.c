#include "base/utf8.h"

#include "base/encode.h"

/* The second byte's range depends on the first (no overlong forms, no surrogates, nothing past
 * U+10FFFF); all later bytes are 80..BF. */
static size_t lead(uint8_t c, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if (c >= 0xe0 && c <= 0xef) {
        if (c == 0xe0)
            *low = 0xa0;
        if (c == 0xed)
            *high = 0x9f;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (c == 0xf0)
            *low = 0x90;
        if (c == 0xf4)
            *high = 0x8f;
        return 4;
    }
    return c < 0x80 ? 1 : 0;
}

size_t utf8_step(struct str s)
{
    uint8_t low, high;
    size_t n = lead((uint8_t)s.ptr[0], &low, &high);

    if (n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        uint8_t c = (uint8_t)s.ptr[i];

        if (c < low || c > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

bool utf8_valid(struct str s)
{
    while (s.len > 0) {
        size_t n = utf8_step(s);

        if (n == 0)
            return false;
        s = str_skip(s, n);
    }
    return true;
}

struct str utf8_cut(struct str s, size_t max)
{
    size_t n = max;

    if (s.len <= max)
        return s;
    while (n > 0 && max - n < 3 && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
        n--;
    return str_take(s, n);
}

size_t utf8_count(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((uint8_t)s.ptr[i] & 0xc0) != 0x80; /* all but what continues a sequence */
    return n;
}
