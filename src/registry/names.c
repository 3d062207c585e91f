/* Names of repositories, tags, references (OCI distribution specification, "Definitions"). */
#include "registry/store.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Of a run of separators: ".", "_", "__" or any number of "-". */
static size_t separator_length(struct str s)
{
    size_t n = 0;

    if (s.ptr[0] == '.')
        return 1;
    if (s.ptr[0] == '_')
        return s.len > 1 && s.ptr[1] == '_' ? 2 : 1;
    while (n < s.len && s.ptr[n] == '-')
        n++;
    return n;
}

/* Letters and digits, separators only between them. */
static bool component_valid(struct str s)
{
    if (s.len == 0 || !is_plain(s.ptr[0]))
        return false;
    while (s.len > 0) {
        if (is_plain(s.ptr[0])) {
            s = str_skip(s, 1);
            continue;
        }
        size_t n = separator_length(s);

        if (n == 0 || n >= s.len || !is_plain(s.ptr[n]))
            return false;
        s = str_skip(s, n);
    }
    return true;
}

enum rc registry_name_check(struct str name, struct err *e)
{
    struct str rest = name;
    bool valid = name.len > 0 && name.len <= REGISTRY_NAME_MAX;

    while (valid && rest.ptr)
        valid = component_valid(str_split(&rest, '/'));
    if (valid)
        return RC_OK;
    return err_code(e, RC_INVALID, "NAME_INVALID",
                    "a repository's name is lower-case letters and digits, with single '.', '_' "
                    "or '-' between them, in parts separated by '/', at most %d characters",
                    REGISTRY_NAME_MAX);
}

static bool tag_char(char c, bool first)
{
    char l = ascii_lower(c);

    return is_plain(l) || c == '_' || (!first && (c == '.' || c == '-'));
}

enum rc registry_tag_check(struct str tag, struct err *e)
{
    bool valid = tag.len > 0 && tag.len <= REGISTRY_TAG_MAX;

    for (size_t i = 0; valid && i < tag.len; i++)
        valid = tag_char(tag.ptr[i], i == 0);
    if (valid)
        return RC_OK;
    return err_code(e, RC_INVALID, "TAG_INVALID",
                    "a tag is letters, digits, '_', '.' and '-', not beginning with '.' or '-', at "
                    "most %d characters",
                    REGISTRY_TAG_MAX);
}

enum rc reference_parse(struct str s, struct reference *ret, struct err *e)
{
    struct reference r = {.tag = s};

    if (str_find(s, ':') == s.len) {
        enum rc rc = registry_tag_check(s, e);

        if (rc == RC_OK)
            *ret = r;
        return rc;
    }
    r.tag = STR_NONE;
    if (digest_parse(s, &r.digest, NULL) != RC_OK)
        return err_code(e, RC_INVALID, "DIGEST_INVALID", "not a sha256 or sha512 digest");
    *ret = r;
    return RC_OK;
}
