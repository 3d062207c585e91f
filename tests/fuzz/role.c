/* Actions and scope ids from outside: "pattern NL text". A pattern matches itself and, with a star
 * behind it, everything that it begins; the scope of a path is its beginning, up to a whole
 * segment, and covers it. */
#include "auth/role.h"
#include "fuzz.h"

#include <stdlib.h>

static void check_pattern(struct str pattern, struct str text)
{
    char longer[256];

    if (!auth_action_matches(pattern, pattern) || !auth_action_matches(STR("*"), text))
        abort();
    if (pattern.len >= sizeof(longer) || memchr(pattern.ptr, '*', pattern.len))
        return;
    memcpy(longer, pattern.ptr, pattern.len);
    longer[pattern.len] = '*';
    if (auth_action_matches((struct str){longer, pattern.len + 1}, text) !=
        (text.len >= pattern.len && str_eq_nocase(pattern, str_take(text, pattern.len))))
        abort();
    if (auth_action_matches(pattern, text) != str_eq_nocase(pattern, text))
        abort();
}

static void check_path(struct str path)
{
    struct auth_path p = auth_path_read(path);

    if (str_is(p.scope, "/"))
        return;
    if (p.scope.ptr != path.ptr || p.scope.len > path.len)
        abort();
    if (p.scope.len < path.len && path.ptr[p.scope.len] != '/')
        abort();
    if (p.scope.ptr[p.scope.len - 1] != '/' && !auth_scope_covers(p.scope, path))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size}, pattern = str_split(&text, '\n');

    if (!text.ptr)
        text = STR("");
    check_pattern(pattern, text);
    check_path(text);
    if (auth_scope_covers(pattern, text) && pattern.len > text.len + 1)
        abort();
    return 0;
}
