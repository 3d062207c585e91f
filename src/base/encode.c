#include "base/encode.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void hex_encode(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

enum rc hex_decode(struct str s, uint8_t *out, size_t n)
{
    if (s.len / 2 != n || s.len % 2 != 0)
        return RC_INVALID;
    for (size_t i = 0; i < s.len; i++)
        if (hex_digit(s.ptr[i]) < 0)
            return RC_INVALID;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(hex_digit(s.ptr[2 * i]) << 4 | hex_digit(s.ptr[2 * i + 1]));
    return RC_OK;
}

/* --- base64 --- */

static const char alphabet_plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode_with(const char *alphabet, bool pad, struct str s, struct buf *out)
{
    for (; s.len > 0; s = str_skip(s, 3)) {
        size_t n = s.len < 3 ? s.len : 3;
        uint32_t bits = 0;
        char text[4] = {'=', '=', '=', '='};

        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < n ? (uint8_t)s.ptr[i] : 0u);
        for (size_t i = 0; i <= n; i++)
            text[i] = alphabet[bits >> (18 - 6 * i) & 63];
        buf_add(out, (struct str){text, pad ? 4 : n + 1});
    }
}

void base64_encode(struct buf *out, struct str bytes)
{
    encode_with(alphabet_plain, true, bytes, out);
}

void base64url_encode(struct buf *out, struct str bytes)
{
    encode_with(alphabet_url, false, bytes, out);
}

static int sextet(const char *alphabet, char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == alphabet[62])
        return 62;
    return c == alphabet[63] ? 63 : -1;
}

/* Two to four characters, without padding, as one to three bytes. */
static enum rc decode_quantum(const char *alphabet, struct str s, char bytes[3])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < s.len; i++) {
        int v = sextet(alphabet, s.ptr[i]);

        if (v < 0)
            return RC_INVALID;
        bits |= (uint32_t)v << (18 - 6 * i);
    }
    if (s.len < 2 || (s.len == 2 && (bits & 0xffff) != 0) || (s.len == 3 && (bits & 0xff) != 0))
        return RC_INVALID; /* bits that no byte holds: another spelling of the same bytes */
    bytes[0] = (char)(bits >> 16);
    bytes[1] = (char)(bits >> 8);
    bytes[2] = (char)bits;
    return RC_OK;
}

static enum rc decode_with(const char *alphabet, struct str s, struct buf *out, struct err *e)
{
    size_t before = out->len;

    if (out->failed || !buf_reserve(out, s.len / 4 * 3 + (s.len % 4 > 1 ? s.len % 4 - 1 : 0)))
        return buf_status(out, e);
    for (; s.len > 0; s = str_skip(s, 4)) {
        struct str part = str_take(s, 4);
        char bytes[3];

        if (decode_quantum(alphabet, part, bytes) != RC_OK) {
            out->len = before;
            return err_set(e, RC_INVALID, "not well-formed base64");
        }
        buf_add(out, (struct str){bytes, part.len - 1});
    }
    return RC_OK;
}

enum rc base64_decode(struct str s, struct buf *out, struct err *e)
{
    if (s.len % 4 != 0)
        return err_set(e, RC_INVALID, "not well-formed base64");
    for (int i = 0; i < 2 && s.len > 0 && s.ptr[s.len - 1] == '='; i++)
        s.len--;
    return decode_with(alphabet_plain, s, out, e);
}

enum rc base64url_decode(struct str s, struct buf *out, struct err *e)
{
    return decode_with(alphabet_url, s, out, e);
}

/* --- percent and forms --- */

/* Decodes one character of s at *i and moves on; -1 for a bad escape. */
static int percent_step(struct str s, size_t *i, bool plus)
{
    char c = s.ptr[*i];

    if (c == '%') {
        if (s.len - *i < 3)
            return -1;
        int high = hex_digit(s.ptr[*i + 1]), low = hex_digit(s.ptr[*i + 2]);

        *i += 3;
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }
    *i += 1;
    return plus && c == '+' ? ' ' : (int)(unsigned char)c;
}

enum rc percent_decode(struct arena *a, struct str s, bool plus, struct str *ret, struct err *e)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; n++)
        if (percent_step(s, &i, plus) <= 0)
            return err_set(e, RC_INVALID, "a malformed %% escape or a NUL");
    char *out = arena_alloc(a, n + 1);

    if (!out)
        return err_set(e, RC_TOO_LARGE, "the text is too long");
    for (size_t i = 0, at = 0; i < s.len; at++)
        out[at] = (char)percent_step(s, &i, plus);
    *ret = (struct str){out, n};
    return RC_OK;
}

static bool unreserved(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

void percent_encode(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (unreserved(s.ptr[i]))
            buf_addc(out, s.ptr[i]);
        else
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)s.ptr[i]);
    }
}

/* Compares without decoding into memory. RC_INVALID: the name is malformed. */
static enum rc form_name_is(struct str name, struct str key, bool *ret)
{
    bool same = true;
    size_t n = 0;

    for (size_t i = 0; i < name.len; n++) {
        int c = percent_step(name, &i, true);

        if (c <= 0)
            return RC_INVALID;
        same = same && n < key.len && (unsigned char)key.ptr[n] == (unsigned)c;
    }
    *ret = same && n == key.len;
    return RC_OK;
}

enum rc form_get(struct arena *a, struct str form, const char *key, struct str *ret, struct err *e)
{
    struct str found = STR_NONE, rest = form;
    bool seen = false;

    while (rest.ptr) {
        struct str value = str_split(&rest, '&');
        struct str name = str_split(&value, '=');
        bool same;

        if (form_name_is(name, str_from(key), &same) != RC_OK)
            return err_set(e, RC_INVALID, "a malformed name in the form");
        if (same && seen)
            return err_set(e, RC_INVALID, "%s is given twice", key);
        if (same) {
            seen = true;
            found = value;
        }
    }
    if (!seen)
        return err_set(e, RC_NOT_FOUND, "%s is missing", key);
    enum rc rc = percent_decode(a, found, true, ret, e);

    return rc == RC_OK ? RC_OK : err_prefix(e, rc, "%s", key);
}

enum rc form_text(struct arena *a, struct str form, const char *key, struct str *ret, struct err *e)
{
    enum rc rc = form_get(a, form, key, ret, e);

    if (rc != RC_NOT_FOUND)
        return rc;
    *ret = STR_NONE;
    return RC_OK;
}
