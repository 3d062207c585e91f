/* Resource groups. Deleting one deletes what is in it, in the same transaction. */
#include "arm/group.h"
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

static enum rc group_put(struct arm_write *w, const struct json *sent, struct json *body,
                         struct err *e)
{
    struct str stored = json_str(json_get(body, "location"));
    struct str managed_by = json_str(json_get_nocase(sent, "managedBy"));
    enum rc rc = arm_subscription_exists(w, e);

    if (rc == RC_OK)
        rc = arm_location_set(sent, body, e);
    if (rc == RC_CONFLICT)
        return err_code(e, rc, "InvalidResourceGroupLocation",
                        "Invalid resource group location. The Resource group '%.*s' already exists "
                        "in location '%.*s'.",
                        STR_ARG(w->call->name), STR_ARG(stored));
    if (rc == RC_OK)
        rc = arm_tags_set(sent, body, false, e);
    if (rc == RC_OK && managed_by.ptr)
        json_set_str(body, "managedBy", managed_by);
    return rc;
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
    json_set_text(properties, "provisioningState", "Succeeded");
    json_set(out, "properties", properties);
    return out;
}

/* --- what is inside --- */
struct inside {
    struct arena *arena;
    struct inside_item {
        struct inside_item *next;
        struct str id;
    } * list;
};

/* Ids only: a group can hold more than a request's memory. */
static enum rc inside_add(const struct meta_resource *r, void *arg, struct err *e)
{
    struct inside *inside = arg;
    struct inside_item *item = ARENA_NEW(inside->arena, struct inside_item);

    if (!item)
        return err_set(e, RC_TOO_LARGE, "The resource group holds too much to be deleted at once.");
    *item = (struct inside_item){inside->list, arena_copy(inside->arena, r->id)};
    if (!item->id.ptr)
        return err_set(e, RC_TOO_LARGE, "The resource group holds too much to be deleted at once.");
    inside->list = item;
    return RC_OK;
}

static enum rc inside_delete(struct arm_write *w, struct str id, struct err *e)
{
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(HTTP_ARENA_MAX);
    struct arm_write own = *w;
    struct meta_resource r = {0};
    const struct arm_type *type;
    enum rc rc = meta_resource_get(w->tx, &arena, id, &r, e);

    if (rc != RC_OK)
        return rc;
    own.arena = &arena;
    type = arm_type_find(r.type);
    return type ? arm_delete(&own, type, &r, e)
                : err_set(e, RC_INTERNAL, "no such resource type: %.*s", STR_ARG(r.type));
}

static enum rc group_deleted(struct arm_write *w, const struct meta_resource *group, struct err *e)
{
    struct inside inside = {.arena = w->arena};
    struct str prefix = arena_printf(w->arena, "%.*s/", STR_ARG(group->id));
    enum rc rc = meta_resource_each(w->tx, prefix, STR_NONE, inside_add, &inside, e);

    for (struct inside_item *i = inside.list; rc == RC_OK && i; i = i->next)
        rc = inside_delete(w, i->id, e);
    return rc;
}

const struct arm_type arm_group = {
    .name = "Microsoft.Resources/resourceGroups",
    .actions = "Microsoft.Resources/subscriptions/resourceGroups",
    .scope = ARM_SCOPE_SUBSCRIPTION,
    .check_name = group_check_name,
    .put = group_put,
    .patch = arm_tags_patch,
    .deleted = group_deleted,
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
