#include "arm/child.h"

#include "arm/operation.h"

struct json *arm_child_find(const struct json *list, struct str name)
{
    for (size_t i = 0; i < json_len(list); i++)
        if (str_eq_nocase(json_str(json_get(json_at(list, i), "name")), name))
            return json_at(list, i);
    return NULL;
}

static struct json *children_of(const struct arm_child *type, const struct json *body)
{
    return json_get(json_get(body, "properties"), type->list);
}

struct json *arm_child_head(const struct meta_resource *parent, const char *type, struct str name)
{
    CLEANUP(buf_done) struct buf id = BUF_INIT(4096);
    struct json *out = json_new_object();

    buf_addf(&id, "%.*s/%s/%.*s", STR_ARG(parent->id), strrchr(type, '/') + 1, STR_ARG(name));
    json_set_str(out, "name", name);
    json_set_str(out, "id", buf_str(&id));
    json_set_str(out, "etag", parent->etag);
    json_set_text(out, "type", type);
    return out;
}

struct json *arm_children_render(const struct arm_child *type, const struct meta_resource *parent,
                                 const struct json *body)
{
    struct json *out = json_new_array();
    const struct json *list = children_of(type, body);

    for (size_t i = 0; i < json_len(list); i++)
        json_append(out, type->render(parent, arm_state(body), json_at(list, i)));
    return out;
}

static enum rc child_make(const struct arm_child *type, struct str name, const struct json *sent,
                          const struct json *before, struct json **ret, struct err *e)
{
    if (json_len(json_get_nocase(sent, "tags")) > 0)
        return err_code(e, RC_INVALID, "InvalidRequestFormat",
                        "The %s have no tags: tag the resource that they are in.", type->list);
    return type->make(name, sent, before, ret, e);
}

static enum rc children_make(const struct arm_child *type, const struct json *sent,
                             const struct json *before, struct json *after, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_len(sent); i++) {
        struct str name = json_str(json_get_nocase(json_at(sent, i), "name"));
        struct json *made = NULL;

        if (arm_child_find(after, name))
            return err_set(e, RC_INVALID, "There are two %s named '%.*s'.", type->list,
                           STR_ARG(str_take(name, 100)));
        rc = child_make(type, name, json_at(sent, i), arm_child_find(before, name), &made, e);
        if (rc == RC_OK)
            json_append(after, made);
    }
    return rc;
}

enum rc arm_children_set(const struct arm_child *type, const struct json *sent,
                         struct json *properties, struct err *e)
{
    CLEANUP(json_freep) struct json *before = json_clone(json_get(properties, type->list));
    const struct json *list = json_get_nocase(sent, type->list);

    if (!json_given(list)) {
        if (!before)
            json_set(properties, type->list, json_new_array());
        return RC_OK;
    }
    if (json_type(list) != JSON_ARRAY || json_len(list) > type->max)
        return err_set(e, RC_INVALID, "properties.%s must be a list of at most %zu.", type->list,
                       type->max);
    json_set(properties, type->list, json_new_array());
    return children_make(type, list, before, json_get(properties, type->list), e);
}

/* --- reading --- */
static enum rc child_missing(struct arm_call *c, const struct arm_child *type,
                             const struct meta_resource *parent, struct err *e)
{
    return err_code(e, RC_NOT_FOUND, "NotFound", "Resource %.*s/%s/%.*s not found.",
                    STR_ARG(parent->id), strrchr(type->type, '/') + 1, STR_ARG(c->child));
}

struct child_call {
    struct arm_call call; /* first */
    const struct arm_child *type;
    bool list;
};

static enum rc child_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    const struct child_call *cc = CONTAINER_OF(c, struct child_call, call);
    CLEANUP(json_freep) struct json *body = NULL;
    const struct json *list, *one;
    enum rc rc = arm_resource_get(c, tx, &c->stored, &body, e);

    if (rc != RC_OK)
        return rc;
    list = children_of(cc->type, body);
    if (cc->list) {
        arm_set_answer(c, json_new_object());
        json_set(c->answer, "value", arm_children_render(cc->type, &c->stored, body));
        return RC_OK;
    }
    one = arm_child_find(list, c->child);
    if (!one)
        return child_missing(c, cc->type, &c->stored, e);
    arm_set_answer(c, cc->type->render(&c->stored, arm_state(body), one));
    return RC_OK;
}

static enum http_verdict child_answer(struct http_request *req, const struct arm_child *type,
                                      bool list)
{
    struct child_call cc = {.type = type, .list = list};
    struct err e = {0};

    if (arm_call_begin(&cc.call, req) &&
        !arm_failed(&cc.call, arm_read(&cc.call, child_read, &e), &e)) {
        http_add_field(req, "ETag", cc.call.stored.etag);
        arm_answer_json(&cc.call, 200, cc.call.answer);
    }
    arm_call_done(&cc.call);
    return HTTP_ANSWERED;
}

enum http_verdict arm_child_get(struct http_request *req, const struct arm_child *type)
{
    return child_answer(req, type, false);
}

enum http_verdict arm_child_list(struct http_request *req, const struct arm_child *type)
{
    return child_answer(req, type, true);
}

/* --- writing --- */
struct child_write {
    struct arm_write *write;
    const struct arm_child *type;
    struct meta_resource parent;
    struct json *body, *before; /* the parent's */
};

static void child_write_done(struct child_write *cw)
{
    json_free(cw->body);
    json_free(cw->before);
}

static enum rc parent_get(struct child_write *cw, struct err *e)
{
    struct arm_call *c = cw->write->call;
    enum rc rc = arm_resource_get(c, cw->write->tx, &cw->parent, &cw->body, e);

    if (rc != RC_OK)
        return rc;
    cw->before = json_clone(cw->body);
    cw->write->before = cw->parent.body;
    return RC_OK;
}

/* The parent is in transition meanwhile, as its own writes put it. */
static enum rc parent_store(struct child_write *cw, enum arm_verb verb, struct err *e)
{
    const struct arm_type *type = cw->write->call->type;
    struct arm_style style = {0};
    enum rc rc = cw->type->changed(cw->write, cw->parent.id, cw->before, cw->body, e);

    if (type->style)
        style = type->style(cw->write->call, verb, cw->before, cw->body);
    if (rc == RC_OK)
        rc = arm_operation_begin(cw->write, &style, &cw->parent,
                                 verb == ARM_DELETE ? NULL : cw->body, e);
    return rc == RC_OK ? arm_store(cw->write, &cw->parent, cw->body, e) : rc;
}

/* Puts `made` where the one of its name was, or at the end. */
static void child_place(struct json *list, struct json *made)
{
    CLEANUP(json_freep) struct json *before = json_clone(list);
    struct str name = json_str(json_get(made, "name"));
    bool placed = false;

    while (json_len(list) > 0)
        json_remove_at(list, json_len(list) - 1);
    for (size_t i = 0; i < json_len(before); i++) {
        bool here = str_eq_nocase(json_str(json_get(json_at(before, i), "name")), name);

        json_append(list, json_clone(here ? made : json_at(before, i)));
        placed = placed || here;
    }
    if (!placed)
        json_append(list, json_clone(made));
}

static enum rc no_parent(struct child_write *cw, struct err *e)
{
    struct arm_call *c = cw->write->call;
    struct str id = STR_NONE;
    enum rc rc = arm_id_of_call(c, cw->write->tx, &id, e);

    if (rc != RC_OK)
        return rc;
    return err_code(e, RC_NOT_FOUND, "ParentResourceNotFound",
                    "Failed to perform 'write' on resource(s) of type '%s', because the parent "
                    "resource '%.*s' could not be found.",
                    strchr(cw->type->type, '/') + 1, STR_ARG(id));
}

static enum rc child_put(struct child_write *cw, struct err *e)
{
    CLEANUP(json_freep) struct json *made = NULL;
    struct arm_call *c = cw->write->call;
    struct json *list, *before;
    enum rc rc = parent_get(cw, e);

    if (rc == RC_NOT_FOUND)
        return no_parent(cw, e);
    if (rc != RC_OK)
        return rc;
    list = children_of(cw->type, cw->body);
    before = arm_child_find(list, c->child);
    rc = arm_precondition(c, before ? cw->parent.etag : STR(""), e);
    if (rc == RC_OK && !before && json_len(list) >= cw->type->max)
        return err_set(e, RC_INVALID, "properties.%s must be a list of at most %zu.",
                       cw->type->list, cw->type->max);
    if (rc == RC_OK)
        rc = child_make(cw->type, c->child, c->sent, before, &made, e);
    if (rc != RC_OK)
        return rc;
    c->created = !before;
    child_place(list, made);
    rc = parent_store(cw, before ? ARM_REPLACE : ARM_CREATE, e);
    if (rc == RC_OK)
        arm_set_answer(
            c, cw->type->render(&cw->parent, arm_state(cw->body), arm_child_find(list, c->child)));
    return rc;
}

static enum rc child_delete(struct child_write *cw, struct err *e)
{
    struct arm_call *c = cw->write->call;
    struct json *list;
    size_t at = 0;
    enum rc rc = parent_get(cw, e);

    if (rc != RC_OK)
        return rc;
    list = children_of(cw->type, cw->body);
    while (at < json_len(list) &&
           !str_eq_nocase(json_str(json_get(json_at(list, at), "name")), c->child))
        at++;
    c->missing = at == json_len(list);
    rc = arm_precondition(c, c->missing ? STR("") : cw->parent.etag, e);
    if (rc != RC_OK || c->missing)
        return rc;
    json_remove_at(list, at);
    return parent_store(cw, ARM_DELETE, e);
}

static enum rc put_write(struct arm_write *w, struct err *e)
{
    struct child_write cw = {.write = w,
                             .type = CONTAINER_OF(w->call, struct child_call, call)->type};
    enum rc rc = child_put(&cw, e);

    child_write_done(&cw);
    return rc;
}

static enum rc delete_write(struct arm_write *w, struct err *e)
{
    struct child_write cw = {.write = w,
                             .type = CONTAINER_OF(w->call, struct child_call, call)->type};
    enum rc rc = child_delete(&cw, e);

    child_write_done(&cw);
    return rc;
}

static unsigned status_of(const struct arm_call *c, unsigned otherwise)
{
    return c->operation.is && c->operation.style.status ? c->operation.style.status : otherwise;
}

enum http_verdict arm_child_put(struct http_request *req, const struct arm_child *type)
{
    struct child_call cc = {.type = type};
    struct arm_call *c = &cc.call;
    struct err e = {0};

    if (arm_call_begin(c, req) && arm_body_given(c) &&
        !arm_failed(c, arm_change(c, put_write, &e), &e)) {
        http_add_field(req, "ETag", c->stored.etag);
        arm_operation_fields(c);
        arm_answer_json(c, status_of(c, c->created ? 201 : 200), c->answer);
    }
    arm_call_done(c);
    return HTTP_ANSWERED;
}

enum http_verdict arm_child_delete(struct http_request *req, const struct arm_child *type)
{
    struct child_call cc = {.type = type};
    struct arm_call *c = &cc.call;
    struct err e = {0};

    if (arm_call_begin(c, req) && !arm_failed(c, arm_change(c, delete_write, &e), &e)) {
        arm_operation_fields(c);
        http_answer(req, c->missing ? 204 : status_of(c, 200), NULL, STR(""));
    }
    arm_call_done(c);
    return HTTP_ANSWERED;
}
