/* Resource groups. Deleting one is an operation that deletes what is in it, one by one, and then
 * the group. */
#include "arm/group.h"
#include "arm/operation.h"
#include "arm/subscription.h"

enum { GROUP_NAME_MAX = 90 };

static enum rc group_check_name(struct str name, struct err *e)
{
    bool good = name.len <= GROUP_NAME_MAX && name.len > 0 && name.ptr[name.len - 1] != '.';

    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);

        good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-_.()", c));
    }
    if (good)
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidResourceGroup",
                    "The provided resource group name '%.*s' is not valid. The name has 1 to 90 "
                    "characters, each a letter, "
                    "digit, '-', '.', '(', ')' or '_', and does not end with '.'.",
                    STR_ARG(str_take(name, 200)));
}

static enum rc group_place(const struct json *sent, struct json *body, struct err *e)
{
    struct str stored = json_str(json_get(body, "location"));
    enum rc rc = arm_location_set(sent, body, e);

    if (rc != RC_CONFLICT)
        return rc;
    return err_code(e, rc, "InvalidResourceGroupLocation",
                    "Invalid resource group location '%.*s'. The Resource group already exists in "
                    "location '%.*s'.",
                    STR_ARG(str_take(json_str(json_get_nocase(sent, "location")), 100)),
                    STR_ARG(stored));
}

static enum rc group_put(struct arm_write *w, const struct json *sent, struct json *body,
                         struct err *e)
{
    struct str managed_by = json_str(json_get_nocase(sent, "managedBy"));
    enum rc rc = arm_subscription_exists(w, e);

    if (rc == RC_OK)
        rc = arm_group_stays(w->call->name, body, e);
    if (rc == RC_OK)
        rc = group_place(sent, body, e);
    if (rc == RC_OK)
        rc = arm_tags_set(sent, body, false, e);
    if (rc == RC_OK && managed_by.ptr)
        json_set_str(body, "managedBy", managed_by);
    return rc;
}

static enum rc group_patch(struct arm_write *w, const struct json *sent, struct json *body,
                           struct err *e)
{
    enum rc rc = arm_group_stays(w->call->name, body, e);

    return rc == RC_OK ? arm_tags_patch(w, sent, body, e) : rc;
}

static struct json *group_render(const struct arm_view *v, const struct meta_resource *r,
                                 const struct json *body)
{
    struct json *out = json_new_object(), *properties = json_new_object();

    (void)v;
    json_set_str(out, "id", r->id);
    json_set_str(out, "name", arm_name_of(r->id));
    json_set_str(out, "type", r->type);
    json_set_str(out, "location", json_str(json_get(body, "location")));
    if (json_get(body, "managedBy"))
        json_set(out, "managedBy", json_clone(json_get(body, "managedBy")));
    if (json_get(body, "tags"))
        json_set(out, "tags", json_clone(json_get(body, "tags")));
    json_set_text(properties, "provisioningState", arm_state(body));
    json_set(out, "properties", properties);
    return out;
}

/* --- long operations --- */
static struct arm_style group_style(const struct arm_call *c, enum arm_verb verb,
                                    const struct json *before, const struct json *after)
{
    (void)c;
    (void)before;
    (void)after;
    if (verb == ARM_DELETE)
        return (struct arm_style){ARM_LOCATION, 202, "Deleting"};
    return (struct arm_style){0};
}

const struct arm_type arm_group = {
    .name = "Microsoft.Resources/resourceGroups",
    .actions = "Microsoft.Resources/subscriptions/resourceGroups",
    .scope = ARM_SCOPE_SUBSCRIPTION,
    .check_name = group_check_name,
    .put = group_put,
    .patch = group_patch,
    .style = group_style,
    .deleted_by_operation = true,
    .render = group_render,
};

/* HEAD: is it there? 204 or 404, without a body. */
enum http_verdict arm_group_read(struct http_request *req)
{
    enum http_verdict v = arm_get(req);

    if (req->method == HTTP_HEAD)
        http_answer(req, req->response.status == 200 ? 204 : req->response.status, NULL, STR(""));
    return v;
}
