#include "http/host.h"
#include "base/ip.h"
#include "http/chars.h"

static bool port_valid(struct str port)
{
    uint64_t n = 0;

    if (port.len == 0)
        return true;
    return port.len <= 5 && str_to_u64(port, &n) == RC_OK && n <= 65535;
}

/* What stands behind the host: nothing, or a colon and a port. */
static bool tail_valid(struct str tail)
{
    return tail.len == 0 || (tail.ptr[0] == ':' && port_valid(str_skip(tail, 1)));
}

static bool labels_valid(struct str name)
{
    bool empty = true; /* the label so far */

    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '.' && empty)
            return false;
        if (name.ptr[i] != '.' && !char_is(name.ptr[i], CHAR_HOST))
            return false;
        empty = name.ptr[i] == '.';
    }
    return !empty;
}

static enum rc host_parse_ipv6(struct str text, struct http_host *ret)
{
    size_t end = str_find(text, ']');
    struct str inside = str_skip(str_take(text, end), 1);
    struct ip_addr a;

    if (end == text.len || str_find(inside, ':') == inside.len ||
        ip_parse(inside, &a, NULL) != RC_OK)
        return RC_INVALID;
    if (!tail_valid(str_skip(text, end + 1)))
        return RC_INVALID;
    *ret = (struct http_host){.name = inside, .ipv6 = true};
    return RC_OK;
}

enum rc http_host_parse(struct str text, struct http_host *ret)
{
    struct str name = str_take(text, str_find(text, ':'));

    if (text.len > HTTP_HOST_MAX)
        return RC_INVALID;
    if (text.len == 0) {
        *ret = (struct http_host){.name = text};
        return RC_OK;
    }
    if (text.ptr[0] == '[')
        return host_parse_ipv6(text, ret);
    if (!tail_valid(str_skip(text, name.len)))
        return RC_INVALID;
    if (name.len > 1 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (!labels_valid(name))
        return RC_INVALID;
    *ret = (struct http_host){.name = name};
    return RC_OK;
}

static size_t scheme_length(struct str target)
{
    size_t n = 0;

    while (n < target.len && ((target.ptr[n] | 0x20) >= 'a' && (target.ptr[n] | 0x20) <= 'z'))
        n++;
    if (n == 0)
        return 0;
    while (n < target.len && char_is(target.ptr[n], CHAR_TOKEN) && target.ptr[n] != '%')
        n++;
    return n;
}

bool http_target_absolute(struct str target, struct str *ret_scheme, struct str *ret_authority,
                          struct str *ret_rest)
{
    size_t n = scheme_length(target);
    struct str rest = str_skip(target, n);

    if (n == 0 || !str_starts(rest, STR("://")))
        return false;
    rest = str_skip(rest, 3);
    size_t end = 0;

    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    *ret_scheme = str_take(target, n);
    *ret_authority = str_take(rest, end);
    *ret_rest = str_skip(rest, end);
    return true;
}
