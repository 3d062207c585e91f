#include "arm/network.h"
#include "arm/operation.h"

/* --- names, prefixes, members --- */
enum rc network_name_check(struct str name, size_t max, struct err *e)
{
    bool good = name.len > 0 && name.len <= max;

    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        good = good && (word || (i > 0 && c == '_') ||
                        (i > 0 && i + 1 < name.len && (c == '.' || c == '-')));
    }
    if (good)
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidResourceName",
                    "Resource name %.*s is invalid. The name can be up to %zu characters long. It "
                    "must begin with a word character, "
                    "and it must end with a word character or with '_'. The name may contain word "
                    "characters or '.', '-', '_'.",
                    STR_ARG(str_take(name, 200)), max);
}

enum rc network_name_plain(struct str name, struct err *e)
{
    return network_name_check(name, NETWORK_NAME_MAX, e);
}

enum rc network_prefix_parse(struct str text, struct cidr *ret, struct err *e)
{
    bool slash = text.ptr && memchr(text.ptr, '/', text.len);
    char fixed[CIDR_TEXT_MAX];
    struct cidr c;

    if (slash && cidr_parse(text, ret, NULL) == RC_OK)
        return RC_OK;
    if (slash && cidr_parse_masked(text, &c, NULL) == RC_OK)
        return err_code(e, RC_INVALID, "InvalidCIDRNotation",
                        "The address prefix %.*s has an invalid CIDR notation. For the given "
                        "prefix length, the address prefix should be %.*s.",
                        STR_ARG(text), STR_ARG(cidr_format(&c, fixed)));
    return err_code(e, RC_INVALID, "InvalidAddressPrefixFormat",
                    "The address prefix '%.*s' is not formatted correctly. It should follow CIDR "
                    "notation, for example 10.0.0.0/24.",
                    STR_ARG(str_take(text, 100)));
}

static bool means_nothing(const struct json *j)
{
    switch (json_type(j)) {
    case JSON_ABSENT:
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return !json_bool(j, true);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_len(j) == 0;
    default:
        return false;
    }
}

enum rc network_members_refuse(const struct json *sent, const char *const *members, struct err *e)
{
    for (; *members; members++)
        if (!means_nothing(json_get_nocase(sent, *members)))
            return err_set(e, RC_UNSUPPORTED, "This server does not offer the property '%s'.",
                           *members);
    return RC_OK;
}

enum rc network_choice_set(const struct json *sent, const char *member, const char *values,
                           const char *otherwise, struct json *out, struct err *e)
{
    const struct json *j = json_get_nocase(sent, member);
    struct str rest = str_from(values);

    if (!json_given(j)) {
        if (otherwise)
            json_set_text(out, member, otherwise);
        return RC_OK;
    }
    while (rest.ptr) {
        struct str one = str_split(&rest, '|');

        if (str_eq_nocase(one, json_str(j))) {
            json_set_str(out, member, one);
            return RC_OK;
        }
    }
    return err_code(e, RC_INVALID, "InvalidRequestFormat",
                    "The value '%.*s' of the property '%s' is not valid. Valid values: %s.",
                    STR_ARG(str_take(json_str(j), 100)), member, values);
}

enum rc network_bool_set(const struct json *sent, const char *member, struct json *out,
                         struct err *e)
{
    const struct json *j = json_get_nocase(sent, member);

    if (json_given(j) && json_type(j) != JSON_BOOL)
        return err_code(e, RC_INVALID, "InvalidRequestFormat",
                        "The value of the property '%s' is neither true nor false.", member);
    json_set(out, member, json_new_bool(json_bool(j, false)));
    return RC_OK;
}

/* --- whole resources --- */
struct json *network_head(const struct meta_resource *r, const struct json *body)
{
    struct json *out = json_new_object();

    json_set_str(out, "name", arm_name_of(r->id));
    json_set_str(out, "id", r->id);
    json_set_str(out, "etag", r->etag);
    json_set_str(out, "type", r->type);
    json_set_str(out, "location", json_str(json_get(body, "location")));
    if (json_get(body, "tags"))
        json_set(out, "tags", json_clone(json_get(body, "tags")));
    return out;
}

enum rc network_put_begin(const struct json *sent, struct json *body, const struct json **ret_sent,
                          struct json **ret_properties, struct err *e)
{
    static const char *const refused[] = {"extendedLocation", NULL};
    const struct json *given = json_get_nocase(sent, "properties");
    enum rc rc = network_members_refuse(sent, refused, e);

    if (rc == RC_OK)
        rc = arm_location_set(sent, body, e);
    if (rc == RC_OK)
        rc = arm_tags_set(sent, body, false, e);
    if (rc == RC_OK && json_given(given) && json_type(given) != JSON_OBJECT)
        rc = err_set(e, RC_INVALID, "The properties are not an object.");
    if (rc != RC_OK)
        return rc;
    if (!json_get(body, "properties"))
        json_set(body, "properties", json_new_object());
    *ret_sent = given;
    *ret_properties = json_get(body, "properties");
    return RC_OK;
}

/* --- long operations --- */
/* What a write that changes nothing leaves alone does not go through "Updating". */
static bool same_but_state(const struct json *before, const struct json *after)
{
    CLEANUP(json_freep) struct json *a = json_clone(before), *b = json_clone(after);

    arm_operation_settle(a);
    arm_operation_settle(b);
    return json_same(a, b);
}

struct arm_style network_style(const struct arm_call *c, enum arm_verb verb,
                               const struct json *before, const struct json *after)
{
    (void)c;
    switch (verb) {
    case ARM_CREATE:
        return (struct arm_style){ARM_ASYNC, 201, "Updating"};
    case ARM_REPLACE:
        return (struct arm_style){ARM_ASYNC, 200,
                                  same_but_state(before, after) ? NULL : "Updating"};
    case ARM_DELETE:
        return (struct arm_style){ARM_ASYNC_LOCATION, 202, NULL};
    case ARM_UPDATE:
    default:
        return (struct arm_style){0};
    }
}
