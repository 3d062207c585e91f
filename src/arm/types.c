/* The list of resource types, and what they share. */
#include "arm/call.h"
#include "base/encode.h"

static const struct arm_type *const types[] = {
    &arm_group,     &arm_registry, &arm_vnet,       &arm_nsg,          &arm_asg,
    &arm_public_ip, &arm_nic,      &arm_attachment, &arm_subscription, &arm_role_assignment};

const struct arm_type *arm_type_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is_nocase(name, types[i]->name))
            return types[i];
    return NULL;
}

const char *arm_type_actions(const struct arm_type *type)
{
    return type->actions ? type->actions : type->name;
}

const struct arm_type *arm_type_of_access(const char *access)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const char *actions = arm_type_actions(types[i]);
        size_t n = strlen(actions);

        if (strncmp(access, actions, n) == 0 && access[n] == '/')
            return types[i];
    }
    return NULL;
}

struct str arm_name_of(struct str id)
{
    size_t slash = str_find_last(id, '/');

    return slash < id.len ? str_skip(id, slash + 1) : id;
}

/* "West US" is westus. */
static bool location_normal(struct str s, char out[64])
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.ptr[i]);

        if (c == ' ')
            continue;
        if (n >= 63 || !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return n > 0;
}

enum rc arm_location_set(const struct json *sent, struct json *body, struct err *e)
{
    struct str given = json_str(json_get_nocase(sent, "location"));
    struct str stored = json_str(json_get(body, "location"));
    char normal[64];

    if (!given.ptr || given.len == 0)
        return err_code(e, RC_INVALID, "LocationRequired",
                        "The location property is required for this definition.");
    if (!location_normal(given, normal))
        return err_code(e, RC_INVALID, "LocationNotAvailableForResourceType",
                        "The provided location '%.*s' is not valid.",
                        STR_ARG(str_take(given, 100)));
    if (stored.ptr && !str_is(stored, normal))
        return err_code(e, RC_CONFLICT, "InvalidResourceLocation",
                        "The resource already exists in location '%.*s'. A resource with the same "
                        "name cannot be "
                        "created in location '%s'. Please select a new resource name.",
                        STR_ARG(stored), normal);
    json_set_text(body, "location", normal);
    return RC_OK;
}

/* A number or a truth value is taken as its text, as ARM does. */
static struct json *tag_text(const struct json *value)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(64);

    if (json_type(value) == JSON_STRING)
        return json_clone(value);
    json_write(value, &text);
    return json_new_str(buf_str(&text));
}

static enum rc tags_check(const struct json *tags, struct err *e)
{
    struct str name;
    struct json *value;

    if (json_type(tags) != JSON_OBJECT)
        return err_set(e, RC_INVALID, "The tags are not an object.");
    if (json_len(tags) > 50)
        return err_code(e, RC_INVALID, "InvalidTags",
                        "The resource has %zu tags. At most 50 are allowed.", json_len(tags));
    for (size_t i = 0; json_member(tags, &i, &name, &value);) {
        if (json_type(value) < JSON_BOOL || json_type(value) > JSON_STRING)
            return err_code(e, RC_INVALID, "InvalidTagValueContent",
                            "The value of the tag '%.*s' is not a text.",
                            STR_ARG(str_take(name, 200)));
        if (name.len == 0 || utf8_count(name) > 512 || utf8_count(json_str(value)) > 256)
            return err_code(e, RC_INVALID, "InvalidTagName",
                            "Tag names have 1 to 512 characters, values at most 256: '%.*s'.",
                            STR_ARG(str_take(name, 200)));
    }
    return RC_OK;
}

enum rc arm_tags_set(const struct json *sent, struct json *body, bool always, struct err *e)
{
    const struct json *tags = json_get_nocase(sent, "tags");
    struct json *made, *value;
    struct str name;
    enum rc rc;

    if (!json_given(tags)) {
        json_set(body, "tags", always ? json_new_object() : NULL);
        return RC_OK;
    }
    rc = tags_check(tags, e);
    if (rc != RC_OK)
        return rc;
    made = json_new_object();
    for (size_t i = 0; json_member(tags, &i, &name, &value);)
        json_set(made, name.ptr, tag_text(value));
    json_set(body, "tags", made);
    return RC_OK;
}

/* A PATCH that can change tags only. */
enum rc arm_tags_patch(struct arm_write *w, const struct json *sent, struct json *body,
                       struct err *e)
{
    (void)w;
    return json_get_nocase(sent, "tags") ? arm_tags_set(sent, body, false, e) : RC_OK;
}
