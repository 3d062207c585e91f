/* What stands in a path where a repository, a tag or a digest is expected. Whatever is accepted can
 * stand in a URL, in a log and in a file's name as it is. */
#include "fuzz.h"

#include "registry/store.h"
#include <stdlib.h>

static bool only(struct str s, const char *allowed)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\0' || !strchr(allowed, s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool holds(struct str s, const char *part)
{
    return memmem(s.ptr, s.len, part, strlen(part)) != NULL;
}

static void check_name(struct str s)
{
    if (!s.ptr || !only(s, "abcdefghijklmnopqrstuvwxyz0123456789._-/") || s.len > REGISTRY_NAME_MAX)
        abort();
    if (strchr("._-/", s.ptr[0]) || strchr("._-/", s.ptr[s.len - 1]))
        abort();
    if (holds(s, "..") || holds(s, "//") || holds(s, "___") || holds(s, "/.") || holds(s, "./"))
        abort();
}

static void check_reference(struct str s, const struct reference *r)
{
    char text[DIGEST_TEXT_MAX];

    if (!r->tag.ptr) {
        if (!str_eq(s, digest_format(&r->digest, text)))
            abort();
        return;
    }
    if (!str_eq(s, r->tag) || s.len > REGISTRY_TAG_MAX || s.ptr[0] == '.' || s.ptr[0] == '-' ||
        !only(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = {(const char *)data, size};
    struct reference r;

    if (registry_name_check(s, NULL) == RC_OK)
        check_name(s);
    if (reference_parse(s, &r, NULL) == RC_OK)
        check_reference(s, &r);
    return 0;
}
