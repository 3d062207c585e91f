/* The Authorization field: Basic (RFC 7617) and Bearer (RFC 6750). */
#include "auth/auth.h"

#include "base/encode.h"

/* Leaves in *s what stands after the scheme; false when the scheme is another. */
static bool take_scheme(struct str *s, const char *scheme)
{
    struct str rest = str_trim(*s);
    struct str name = str_split(&rest, ' ');

    if (!str_is_nocase(name, scheme))
        return false;
    *s = str_trim(rest);
    return true;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return true;
    return false;
}

static enum rc split_pair(struct str pair, struct arena *a, struct str *ret_user,
                          struct str *ret_password, struct err *e)
{
    size_t colon = str_find(pair, ':');

    if (colon == pair.len || has_control(pair))
        return err_set(e, RC_INVALID, "Basic credentials are not user:password");
    struct str copy = arena_copy(a, pair);

    if (!copy.ptr)
        return err_set(e, RC_TOO_LARGE, "Basic credentials are too long");
    *ret_user = str_take(copy, colon);
    *ret_password = str_skip(copy, colon + 1);
    return RC_OK;
}

enum rc auth_basic_parse(struct str authorization, struct arena *a, struct str *ret_user,
                         struct str *ret_password, struct err *e)
{
    CLEANUP(buf_done) struct buf pair = BUF_INIT(32 * 1024);

    if (!take_scheme(&authorization, "Basic"))
        return err_set(e, RC_NOT_FOUND, "no Basic credentials");
    enum rc rc = base64_decode(authorization, &pair, e);

    if (rc == RC_OK)
        rc = split_pair(buf_str(&pair), a, ret_user, ret_password, e);
    crypto_wipe(pair.ptr, pair.len);
    return rc;
}

/* RFC 6750 2.1: b64token. A table: every request's token is looked through. */
static const bool token_chars[256] = {
    ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['-'] = true, ['.'] = true,
    ['_'] = true,         ['~'] = true,         ['+'] = true,         ['/'] = true,
};

static bool is_token(struct str s)
{
    size_t n = s.len;

    while (n > 0 && s.ptr[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++)
        if (!token_chars[(unsigned char)s.ptr[i]])
            return false;
    return n > 0;
}

enum rc auth_bearer_parse(struct str authorization, struct str *ret_token, struct err *e)
{
    if (!take_scheme(&authorization, "Bearer"))
        return err_set(e, RC_NOT_FOUND, "no Bearer token");
    if (!is_token(authorization))
        return err_set(e, RC_INVALID, "malformed Bearer token");
    *ret_token = authorization;
    return RC_OK;
}
