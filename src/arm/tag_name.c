/* Tag names of a subscription: those that it has predefined (its stored body: tagNames, a list of
 * values for each name) and those that its resources bear. */
#include "arm/tags.h"

/* --- which there are --- */
struct names {
    struct arm_call *call;
    struct json *found; /* {name: {value: count}}; a predefined one counts 0 */
};

static const char *known_as(const struct json *object, struct str name)
{
    struct str key;
    struct json *value;

    for (size_t i = 0; json_member(object, &i, &key, &value);)
        if (str_eq_nocase(key, name))
            return key.ptr;
    return NULL;
}

static struct json *name_take(struct json *found, struct str name)
{
    const char *known = known_as(found, name);
    struct json *values;

    if (known)
        return json_get(found, known);
    values = json_new_object();
    json_set(found, name.ptr, values);
    return values;
}

static void value_count(struct json *values, struct str value, int64_t more)
{
    json_set(values, value.ptr, json_new_int(json_int(json_get(values, value.ptr), 0) + more));
}

static enum rc used_add(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct names *n = arg;
    struct str name;
    struct json *value;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; json_member(json_get(body, "tags"), &i, &name, &value);)
        value_count(name_take(n->found, name), json_str(value), 1);
    return RC_OK;
}

static void predefined_add(struct names *n, const struct json *subscription)
{
    struct str name;
    struct json *list;

    for (size_t i = 0; json_member(json_get(subscription, "tagNames"), &i, &name, &list);) {
        struct json *values = name_take(n->found, name);

        for (size_t k = 0; k < json_len(list); k++)
            value_count(values, json_str(json_at(list, k)), 0);
    }
}

/* --- rendering --- */
static struct json *count_json(int64_t n)
{
    struct json *out = json_new_object();

    json_set_text(out, "type", "Total");
    json_set(out, "value", json_new_int(n));
    return out;
}

static struct json *value_json(struct str id, struct str value, int64_t n, struct arena *a)
{
    struct json *out = json_new_object();

    json_set_str(out, "id", arena_printf(a, "%.*s/tagValues/%.*s", STR_ARG(id), STR_ARG(value)));
    json_set_str(out, "tagValue", value);
    json_set(out, "count", count_json(n));
    return out;
}

static struct str name_id(struct arm_call *c, struct str name)
{
    return arena_printf(c->arena, "%.*s/tagNames/%.*s", STR_ARG(c->subscription_id), STR_ARG(name));
}

static struct json *name_json(struct arm_call *c, struct str name, const struct json *values)
{
    struct json *out = json_new_object(), *list = json_new_array(), *count;
    struct str id = name_id(c, name), value;
    int64_t total = 0;

    for (size_t i = 0; json_member(values, &i, &value, &count);) {
        json_append(list, value_json(id, value, json_int(count, 0), c->arena));
        total += json_int(count, 0);
    }
    json_set_str(out, "id", id);
    json_set_str(out, "tagName", name);
    json_set(out, "count", count_json(total));
    json_set(out, "values", list);
    return out;
}

static enum rc list_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL, *found = json_new_object();
    struct names n = {c, found};
    struct str prefix = arena_printf(c->arena, "%.*s/", STR_ARG(c->subscription_id)), name;
    struct meta_resource r = {0};
    struct json *list, *values;
    enum rc rc = arm_resource_get(c, tx, &r, &body, e);

    if (rc == RC_OK)
        rc = meta_resource_each(tx, prefix, STR_NONE, used_add, &n, e);
    if (rc != RC_OK)
        return rc;
    predefined_add(&n, body);
    list = json_new_array();
    for (size_t i = 0; json_member(found, &i, &name, &values);)
        json_append(list, name_json(c, name, values));
    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", list);
    return RC_OK;
}

enum http_verdict arm_tag_name_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req))
        return HTTP_ANSWERED;
    c.type = &arm_subscription;
    if (!arm_failed(&c, arm_read(&c, list_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- predefining --- */
static size_t value_at(const struct json *list, struct str value)
{
    size_t i = 0;

    while (i < json_len(list) && !str_eq(json_str(json_at(list, i)), value))
        i++;
    return i;
}

static struct json *predefined_make(struct json *body, struct str name, bool *ret_new)
{
    struct json *all = json_get(body, "tagNames");
    const char *known = known_as(all, name);

    *ret_new = !known;
    if (!all) {
        all = json_new_object();
        json_set(body, "tagNames", all);
    }
    if (!known)
        json_set(all, name.ptr, json_new_array());
    return json_get(all, known ? known : name.ptr);
}

static enum rc length_check(struct str name, struct str value, struct err *e)
{
    if (name.len <= 512 && value.len <= 256)
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidTagName",
                    "Tag names have at most 512 characters, values at most 256.");
}

static enum rc put_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL, *counts = json_new_object();
    struct arm_call *c = w->call;
    struct str name = arena_copy(c->arena, c->name); /* terminated */
    struct meta_resource r = {0};
    struct json *list;
    enum rc rc = length_check(name, c->child, e);

    if (rc == RC_OK)
        rc = arm_resource_get(c, w->tx, &r, &body, e);
    if (rc != RC_OK)
        return rc;
    w->before = r.body;
    list = predefined_make(body, name, &c->created);
    if (c->child.ptr) {
        c->created = value_at(list, c->child) == json_len(list);
        if (c->created)
            json_append(list, json_new_str(c->child));
    }
    for (size_t i = 0; i < json_len(list); i++)
        value_count(counts, json_str(json_at(list, i)), 0);
    arm_set_answer(c, c->child.ptr ? value_json(name_id(c, c->name), c->child, 0, c->arena)
                                   : name_json(c, c->name, counts));
    return arm_store(w, &r, body, e);
}

/* One that is still used can be taken away all the same: resources keep their tags. */
static enum rc delete_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct arm_call *c = w->call;
    struct meta_resource r = {0};
    enum rc rc = arm_resource_get(c, w->tx, &r, &body, e);
    struct json *all = json_get(body, "tagNames");
    const char *known = known_as(all, c->name);
    struct json *list = known ? json_get(all, known) : NULL;

    if (rc != RC_OK)
        return rc;
    c->missing = !known || (c->child.ptr && value_at(list, c->child) == json_len(list));
    if (c->missing)
        return RC_OK;
    w->before = r.body;
    if (c->child.ptr)
        json_remove_at(list, value_at(list, c->child));
    else
        json_remove(all, known);
    return arm_store(w, &r, body, e);
}

static bool change(struct arm_call *c, struct http_request *req, arm_write_fn *fn)
{
    struct err e = {0};

    if (!arm_call_begin(c, req))
        return false;
    c->type = &arm_subscription;
    return !arm_failed(c, arm_change(c, fn, &e), &e);
}

enum http_verdict arm_tag_name_put(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;

    if (change(&c, req, put_write))
        arm_answer_json(&c, c.created ? 201 : 200, c.answer);
    return HTTP_ANSWERED;
}

enum http_verdict arm_tag_name_delete(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;

    if (change(&c, req, delete_write))
        http_answer(req, c.missing ? 204 : 200, NULL, STR(""));
    return HTTP_ANSWERED;
}
