/* Microsoft.Resources/tags: the tags of a subscription, a group or a resource, as a thing of their
 * own. And tag names. */
#include "arm/tags.h"

#define TAGS_OF "/providers/Microsoft.Resources/tags/default"

/* --- at which scope --- */
static struct str scope_id(struct arm_call *c)
{
    for (size_t i = 0; i < c->req->n_params; i++)
        if (str_is(c->req->params[i].name, "rest"))
            return arena_printf(c->arena, "%.*s/resourceGroups/%.*s/providers/%.*s",
                                STR_ARG(c->subscription_id), STR_ARG(c->group),
                                STR_ARG(c->req->params[i].value));
    if (c->group.ptr)
        return arena_printf(c->arena, "%.*s/resourceGroups/%.*s", STR_ARG(c->subscription_id),
                            STR_ARG(c->group));
    return c->subscription_id;
}

static enum rc scope_missing(struct arm_call *c, struct str id, struct err *e)
{
    if (c->group.ptr && !str_ends(id, c->group))
        return err_code(e, RC_NOT_FOUND, "ResourceNotFound", "The Resource '%.*s' was not found.",
                        STR_ARG(str_take(id, 500)));
    return err_code(e, RC_NOT_FOUND, "ResourceGroupNotFound",
                    "Resource group '%.*s' could not be found.", STR_ARG(c->group));
}

static enum rc scope_get(struct arm_call *c, struct meta_tx *tx, struct meta_resource *ret,
                         struct json **ret_body, struct err *e)
{
    struct str id = scope_id(c);
    struct meta_resource r = {0}, group = {0};
    enum rc rc = c->group.ptr ? arm_group_get(c, tx, &group, e) : RC_OK;

    if (rc == RC_OK && !id.ptr)
        rc = err_set(e, RC_TOO_LARGE, "The request is too large.");
    if (rc == RC_OK) {
        rc = meta_resource_get(tx, c->arena, id, &r, e);
        if (rc == RC_NOT_FOUND)
            return scope_missing(c, id, e);
    }
    if (rc == RC_OK)
        rc = arm_body_parse(&r, ret_body, e);
    if (rc == RC_OK)
        *ret = r;
    return rc;
}

static struct json *tags_json(struct arm_call *c, const struct meta_resource *r,
                              const struct json *body)
{
    struct json *out = json_new_object(), *properties = json_new_object();
    struct json *tags = json_clone(json_get(body, "tags"));

    json_set_str(out, "id", arena_printf(c->arena, "%.*s" TAGS_OF, STR_ARG(r->id)));
    json_set_text(out, "name", "default");
    json_set_text(out, "type", "Microsoft.Resources/tags");
    json_set(properties, "tags", tags ? tags : json_new_object());
    json_set(out, "properties", properties);
    return out;
}

static enum rc get_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct meta_resource r = {0};
    enum rc rc = scope_get(c, tx, &r, &body, e);

    if (rc == RC_OK)
        arm_set_answer(c, tags_json(c, &r, body));
    return rc;
}

enum http_verdict arm_tags_get(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, get_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- changing them --- */
/* The member of that name in any case: its own spelling. */
static const char *spelling(const struct json *tags, struct str name)
{
    struct str key;
    struct json *value;

    for (size_t i = 0; json_member(tags, &i, &key, &value);)
        if (str_eq_nocase(key, name))
            return key.ptr;
    return NULL;
}

enum {
    ENOUGH = 50
}; /* more are refused (arm_tags_set): looking for their names would only take time */

static void merge(struct json *tags, const struct json *given)
{
    struct str name;
    struct json *value;

    for (size_t i = 0; json_len(tags) <= ENOUGH && json_member(given, &i, &name, &value);) {
        const char *known = spelling(tags, name);

        json_set(tags, known ? known : name.ptr, json_clone(value));
    }
}

/* Those of that name and, where one is given, that value. */
static void take_away(struct json *tags, const struct json *given)
{
    struct str name;
    struct json *value;

    for (size_t i = 0; json_member(given, &i, &name, &value);) {
        const char *known = spelling(tags, name);
        struct str wanted = json_str(value);

        if (known && (wanted.len == 0 || str_eq(json_str(json_get(tags, known)), wanted)))
            json_remove(tags, known);
    }
}

/* What `body` has becomes what PATCH's operation makes of it, or what PUT gives. */
static enum rc tags_make(struct arm_call *c, struct json *tags, const struct json *given,
                         struct json **ret, struct err *e)
{
    struct str operation = json_str(json_get_nocase(c->sent, "operation"));

    if (c->req->method == HTTP_PUT || str_is_nocase(operation, "Replace")) {
        *ret = json_clone(given);
        return RC_OK;
    }
    if (str_is_nocase(operation, "Merge"))
        merge(tags, given);
    else if (str_is_nocase(operation, "Delete"))
        take_away(tags, given);
    else
        return err_set(e, RC_INVALID, "The operation is Merge, Replace or Delete.");
    *ret = json_clone(tags);
    return RC_OK;
}

static enum rc store(struct arm_write *w, struct meta_resource *r, struct json *body,
                     struct json *tags, struct err *e)
{
    CLEANUP(json_freep) struct json *sent = json_new_object();
    bool network = str_starts_nocase(r->type, STR("Microsoft.Network/"));
    enum rc rc;

    json_set(sent, "tags", tags);
    rc = arm_tags_set(sent, body, false, e);
    if (rc != RC_OK)
        return rc;
    if (network && json_len(json_get(body, "tags")) == 0)
        json_remove(body, "tags");
    w->before = r->body;
    w->call->type = arm_type_find(r->type);
    rc = w->call->type ? arm_store(w, r, body, e)
                       : err_set(e, RC_INTERNAL, "no such resource type: %.*s", STR_ARG(r->type));
    if (rc == RC_OK)
        arm_set_answer(w->call, tags_json(w->call, r, body));
    return rc;
}

static enum rc tags_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL, *before = NULL;
    struct arm_call *c = w->call;
    const struct json *given = json_get_nocase(json_get_nocase(c->sent, "properties"), "tags");
    struct json *tags = NULL;
    struct meta_resource r = {0};
    enum rc rc = scope_get(c, w->tx, &r, &body, e);

    if (rc == RC_OK && c->req->method != HTTP_DELETE && json_type(given) != JSON_OBJECT)
        rc = err_set(e, RC_INVALID, "properties.tags must be an object.");
    if (rc != RC_OK)
        return rc;
    before = json_clone(json_get(body, "tags"));
    if (!before)
        before = json_new_object();
    if (c->req->method == HTTP_DELETE)
        tags = json_new_object();
    else
        rc = tags_make(c, before, given, &tags, e);
    return rc == RC_OK ? store(w, &r, body, tags, e) : rc;
}

enum http_verdict arm_tags_change(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || (req->method != HTTP_DELETE && !arm_body_given(&c)) ||
        arm_failed(&c, arm_change(&c, tags_write, &e), &e))
        return HTTP_ANSWERED;
    if (req->method == HTTP_DELETE)
        http_answer(req, 200, NULL, STR(""));
    else
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}
