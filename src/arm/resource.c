/* PUT, GET, PATCH and DELETE of every resource type that is stored as a resource of its own.
 */
#include "arm/resource.h"

#include "arm/operation.h"
#include "arm/provider.h"
#include "base/clock.h"

/* --- answers --- */
void arm_answer_json(struct arm_call *c, unsigned status, const struct json *j)
{
    struct str text = json_write_arena(j, c->arena);

    if (!text.ptr) {
        arm_error(c->req, 413, NULL, "The answer is too large.");
        return;
    }
    http_answer(c->req, status, "application/json; charset=utf-8", text);
}

struct render_job {
    struct arm_call *call;
    const struct json *body;
};

struct arm_view arm_view_of(struct arm_call *c, const struct snapshot *s)
{
    return (struct arm_view){c->services, s, admission_of(c->req)->admit, c->arena};
}

static enum rc render_newest(const struct snapshot *s, void *arg, struct err *e)
{
    struct render_job *job = arg;
    struct arm_view view = arm_view_of(job->call, s);

    (void)e;
    arm_set_answer(job->call, job->call->type->render(&view, &job->call->stored, job->body));
    return RC_OK;
}

void arm_answer_stored(struct arm_call *c, unsigned status)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct render_job job = {.call = c};
    struct err e = {0};
    enum rc rc = arm_body_parse(&c->stored, &body, &e);

    job.body = body;
    if (rc == RC_OK)
        rc = snapshot_with_newest(c->services->hub, render_newest, &job, &e);
    if (arm_failed(c, rc, &e))
        return;
    http_add_field(c->req, "ETag", c->stored.etag);
    arm_operation_fields(c);
    arm_answer_json(c, status, c->answer);
}

/* What a write is answered with, unless its style says otherwise. */
static unsigned status_of(const struct arm_call *c, unsigned otherwise)
{
    return c->operation.is && c->operation.style.status ? c->operation.style.status : otherwise;
}

static enum rc operation_begin(struct arm_write *w, enum arm_verb verb,
                               const struct meta_resource *r, const struct json *before,
                               struct json *after, struct err *e)
{
    const struct arm_type *type = w->call->type;
    struct arm_style style = {0};

    if (type->style)
        style = type->style(w->call, verb, before, after);
    return arm_operation_begin(w, &style, r, after, e);
}

/* --- GET --- */
static enum rc get_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    return arm_resource_get(c, tx, &c->stored, NULL, e);
}

enum http_verdict arm_get(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, get_read, &e), &e))
        arm_answer_stored(&c, 200);
    return HTTP_ANSWERED;
}

/* --- PUT --- */
static enum rc resource_new(struct arm_write *w, struct str id, struct meta_resource *r,
                            struct err *e)
{
    struct arm_call *c = w->call;
    enum rc rc = c->type->check_name ? c->type->check_name(c->name, e) : RC_OK;

    if (rc == RC_OK && c->type->scope == ARM_SCOPE_GROUP)
        rc = arm_provider_required(w, c->type, e);

    if (rc != RC_OK)
        return rc;
    c->created = true;
    *r = (struct meta_resource){
        .id = id,
        .type = str_from(c->type->name),
        .uuid = uuid_random(),
        .etag = STR(""),
        .created_us = clock_wall_us(),
    };
    return RC_OK;
}

static enum rc put_store(struct arm_write *w, struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL, *before = NULL;
    struct arm_call *c = w->call;
    enum rc rc = RC_OK;

    if (c->created)
        body = json_new_object();
    else
        rc = arm_body_parse(r, &body, e);
    before = c->created ? NULL : json_clone(body);
    w->id = r->id;
    w->before = r->body;
    if (rc == RC_OK)
        rc = c->type->put(w, c->sent, body, e);
    if (rc == RC_OK)
        rc = operation_begin(w, c->created ? ARM_CREATE : ARM_REPLACE, r, before, body, e);
    if (rc == RC_OK)
        rc = arm_store(w, r, body, e);
    if (rc == RC_OK && c->created && c->type->created)
        rc = c->type->created(w, r, e);
    return rc;
}

static enum rc put_write(struct arm_write *w, struct err *e)
{
    struct arm_call *c = w->call;
    struct meta_resource r = {0};
    struct str id = STR_NONE;
    enum rc rc = arm_id_of_call(c, w->tx, &id, e);

    if (rc != RC_OK)
        return rc;
    rc = meta_resource_get(w->tx, w->arena, id, &r, e);
    if (rc == RC_NOT_FOUND)
        rc = resource_new(w, id, &r, e);
    if (rc == RC_OK)
        rc = arm_precondition(c, r.etag, e);
    return rc == RC_OK ? put_store(w, &r, e) : rc;
}

bool arm_body_given(struct arm_call *c)
{
    if (c->sent)
        return true;
    arm_error(c->req, 400, "InvalidRequestContent", "The request has no body.");
    return false;
}

enum http_verdict arm_put(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && arm_body_given(&c) &&
        !arm_failed(&c, arm_change(&c, put_write, &e), &e))
        arm_answer_stored(&c, status_of(&c, c.created ? 201 : 200));
    return HTTP_ANSWERED;
}

/* --- PATCH --- */
static enum rc patch_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL, *before = NULL;
    struct arm_call *c = w->call;
    struct meta_resource r;
    enum rc rc = arm_resource_get(c, w->tx, &r, &body, e);

    if (rc == RC_OK)
        rc = arm_precondition(c, r.etag, e);
    if (rc != RC_OK)
        return rc;
    before = json_clone(body);
    w->id = r.id;
    w->before = r.body;
    rc = c->type->patch(w, c->sent, body, e);
    if (rc == RC_OK)
        rc = operation_begin(w, ARM_UPDATE, &r, before, body, e);
    return rc == RC_OK ? arm_store(w, &r, body, e) : rc;
}

enum http_verdict arm_patch(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && arm_body_given(&c) &&
        !arm_failed(&c, arm_change(&c, patch_write, &e), &e))
        arm_answer_stored(&c, status_of(&c, 200));
    return HTTP_ANSWERED;
}

/* --- DELETE --- */
static enum rc delete_now(struct arm_write *w, const struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK)
        rc = arm_delete(w, w->call->type, r, e);
    return rc == RC_OK ? operation_begin(w, ARM_DELETE, r, body, NULL, e) : rc;
}

/* It stays until the operation has ended, and shows that it goes. */
static enum rc delete_later(struct arm_write *w, struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = arm_body_parse(r, &body, e);

    w->before = r->body;
    if (rc == RC_OK)
        rc = operation_begin(w, ARM_DELETE, r, NULL, body, e);
    return rc == RC_OK ? arm_store(w, r, body, e) : rc;
}

static enum rc delete_write(struct arm_write *w, struct err *e)
{
    struct arm_call *c = w->call;
    struct meta_resource r = {0};
    struct str id = STR_NONE;
    enum rc rc = arm_id_of_call(c, w->tx, &id, e);

    if (rc != RC_OK)
        return rc;
    rc = meta_resource_get(w->tx, w->arena, id, &r, e);
    if (rc == RC_NOT_FOUND) {
        c->missing = true;
        return c->type->scope == ARM_SCOPE_SUBSCRIPTION ? arm_not_found(c, e)
                                                        : arm_precondition(c, STR(""), e);
    }
    if (rc == RC_OK)
        rc = arm_precondition(c, r.etag, e);
    if (rc != RC_OK)
        return rc;
    w->id = r.id;
    return c->type->deleted_by_operation ? delete_later(w, &r, e) : delete_now(w, &r, e);
}

enum http_verdict arm_remove(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || arm_failed(&c, arm_change(&c, delete_write, &e), &e))
        return HTTP_ANSWERED;
    arm_operation_fields(&c);
    http_answer(req, c.missing ? 204 : status_of(&c, 200), NULL, STR(""));
    return HTTP_ANSWERED;
}
