/* Which audience a token request asks for. Clients of the v2 form send `scope=<resource>/.default`
 * and more words beside it; clients of the v1 form send `resource=<resource>`. */
#include "sts/private.h"

#define DEFAULT_SUFFIX "/.default"

/* The one word of `scope` that ends in /.default; `openid` and the like mean nothing for a service
 * principal. */
static enum rc resource_of_scope(struct str scope, struct str *ret, struct err *e)
{
    struct str found = STR_NONE;

    while (scope.len > 0) {
        struct str word = str_split(&scope, ' ');

        if (!str_ends(word, STR(DEFAULT_SUFFIX)))
            continue;
        if (found.ptr)
            return err_code(e, RC_INVALID, "invalid_scope", "scope names more than one resource");
        found = str_take(word, word.len - strlen(DEFAULT_SUFFIX));
    }
    if (!found.ptr)
        return err_code(e, RC_INVALID, "invalid_scope", "scope has to be <resource>/.default");
    *ret = found;
    return RC_OK;
}

/* `known` in the spelling of ours, with the slash that was asked for. */
static struct str match(struct arena *a, struct str asked, struct str known)
{
    if (str_eq_nocase(asked, known))
        return known;
    if (asked.len == known.len + 1 && asked.ptr[known.len] == '/' &&
        str_eq_nocase(str_take(asked, known.len), known))
        return arena_printf(a, "%.*s/", STR_ARG(known));
    return STR_NONE;
}

enum rc sts_audience(struct arena *a, const struct sts_asked *asked, struct str control_url,
                     struct str *ret, struct err *e)
{
    struct str resource = asked->resource, audience;
    enum rc rc = asked->scope.ptr ? resource_of_scope(asked->scope, &resource, e) : RC_OK;

    if (rc != RC_OK)
        return rc;
    if (!resource.ptr)
        return err_code(e, RC_INVALID, "invalid_scope", "scope is missing");
    audience = match(a, resource, control_url);
    if (!audience.ptr)
        audience = match(a, resource, STR(AUTH_REGISTRIES_AUDIENCE));
    if (!audience.ptr)
        return err_code(e, RC_INVALID, asked->scope.ptr ? "invalid_scope" : "invalid_resource",
                        "no tokens are issued for the resource %.*s; try %.*s",
                        (int)(resource.len < 200 ? resource.len : 200), resource.ptr,
                        STR_ARG(control_url));
    *ret = audience;
    return RC_OK;
}

bool sts_asks_for(const struct sts_asked *asked, const char *word)
{
    struct str rest = asked->scope;

    if (!rest.ptr) /* the v1 form gives what there is */
        return true;
    while (rest.len > 0)
        if (str_is(str_split(&rest, ' '), word))
            return true;
    return false;
}
