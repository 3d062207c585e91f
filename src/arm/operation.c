#include "arm/operation.h"

#include "arm/id.h"
#include "base/clock.h"
#include "base/encode.h"
#include "meta/operation.h"

enum {
    JOB_TEXT_MAX = 1024,
    GUID_LEN = UUID_TEXT_MAX - 1,
    PATIENCE_US = 50 * 1000,
    YOUNG_US = 1000 * 1000
};

#define STATE     "provisioningState" /* of a stored body; absent: Succeeded */
#define OPERATION "operation"         /* of a stored body: the one that will end the state */

const char *arm_state(const struct json *body)
{
    struct str state = json_str(json_get(body, STATE));

    return state.ptr ? state.ptr : "Succeeded";
}

/* --- beginning --- */
static const char *kind_of(const struct arm_style *style, const struct json *body)
{
    if (!body)
        return ARM_OPERATION_DELETED;
    return style->state && strcmp(style->state, "Deleting") == 0 ? ARM_OPERATION_DELETE
                                                                 : ARM_OPERATION_SETTLE;
}

static enum rc location_of(struct arm_write *w, const struct meta_resource *r,
                           const struct json *body, struct str *ret, struct err *e)
{
    CLEANUP(json_freep) struct json *stored = NULL;
    enum rc rc = body ? RC_OK : arm_body_parse(r, &stored, e);

    if (rc == RC_OK)
        *ret = arena_copy(w->arena, json_str(json_get(body ? body : stored, "location")));
    return rc;
}

enum rc arm_operation_begin(struct arm_write *w, const struct arm_style *style,
                            const struct meta_resource *r, struct json *body, struct err *e)
{
    struct arm_call *c = w->call;
    struct uuid id = uuid_random();
    char text[UUID_TEXT_MAX];
    struct meta_operation o = {
        .id = id,
        .kind = str_from(kind_of(style, body)),
        .target = r->id,
        .resource = r->uuid,
        .object_id = w->actor.object_id,
        .principal = w->actor.principal,
        .address = w->actor.address,
    };
    enum rc rc = RC_OK;

    if (style->pace == ARM_AT_ONCE)
        return RC_OK;
    rc = location_of(w, r, body, &c->operation.location, e);
    if (rc == RC_OK)
        rc = meta_operation_add(w->tx, &o, e);
    if (rc != RC_OK)
        return rc;
    if (body && style->state) {
        json_set_text(body, STATE, style->state);
        json_set_str(body, OPERATION, uuid_format(&id, text));
    }
    c->operation.is = true;
    c->operation.id = id;
    c->operation.style = *style;
    c->operation.type = c->type;
    c->operation.target = r->id;
    return RC_OK;
}

bool arm_operation_owns(const struct meta_operation *o, const struct json *body)
{
    char text[UUID_TEXT_MAX];

    return str_eq_nocase(json_str(json_get(body, OPERATION)), uuid_format(&o->id, text));
}

void arm_operation_settle(struct json *body)
{
    json_remove(body, STATE);
    json_remove(body, OPERATION);
}

/* --- where the client asks --- */
static struct str provider_of(const struct arm_type *type)
{
    struct str name = str_from(type->name);

    return str_split(&name, '/');
}

static struct str group_token(struct arm_call *c, const char *guid)
{
    CLEANUP(buf_done) struct buf job = BUF_INIT(JOB_TEXT_MAX), token = BUF_INIT(2 * JOB_TEXT_MAX);

    buf_addf(&job, "{\"jobId\":\"RESOURCEGROUPDELETIONJOB-%s\",\"jobLocation\":\"%.*s\"}", guid,
             STR_ARG(c->operation.location));
    base64url_encode(&token, buf_str(&job));
    return arena_copy(c->arena, buf_str(&token));
}

/* .../operations/GUID, or below the resource. */
static struct str status_path(struct arm_call *c, const char *guid)
{
    const struct arm_type *type = c->operation.type;

    if (type->operation_prefix)
        return arena_printf(c->arena, "%.*s/operationStatuses/%s%s", STR_ARG(c->operation.target),
                            type->operation_prefix, guid);
    return arena_printf(c->arena, "%.*s/providers/%.*s/locations/%.*s/operations/%s",
                        STR_ARG(c->subscription_id), STR_ARG(provider_of(type)),
                        STR_ARG(c->operation.location), guid);
}

static struct str result_path(struct arm_call *c, const char *guid)
{
    const struct arm_type *type = c->operation.type;
    struct str token;

    if (type->scope == ARM_SCOPE_SUBSCRIPTION) {
        token = group_token(c, guid);
        return arena_printf(c->arena, "%.*s/operationresults/%.*s", STR_ARG(c->subscription_id),
                            STR_ARG(token));
    }
    return arena_printf(c->arena, "%.*s/providers/%.*s/locations/%.*s/operationResults/%s%s",
                        STR_ARG(c->subscription_id), STR_ARG(provider_of(type)),
                        STR_ARG(c->operation.location),
                        type->operation_prefix ? type->operation_prefix : "", guid);
}

static void field_url(struct arm_call *c, const char *name, struct str path)
{
    CLEANUP(buf_done) struct buf url = BUF_INIT(8192);
    struct str version;

    buf_add(&url, admit_base_url(c->req));
    buf_add(&url, path);
    if (http_query(c->req, "api-version", &version, NULL) == RC_OK) {
        buf_add(&url, STR("?api-version="));
        percent_encode(&url, version);
    }
    if (!url.failed)
        http_add_field(c->req, name, buf_str(&url));
}

void arm_operation_fields(struct arm_call *c)
{
    enum arm_pace pace = c->operation.style.pace;
    char guid[UUID_TEXT_MAX];

    if (!c->operation.is)
        return;
    uuid_format(&c->operation.id, guid);
    if (pace != ARM_LOCATION)
        field_url(c, "Azure-AsyncOperation", status_path(c, guid));
    if (pace != ARM_ASYNC)
        field_url(c, "Location", result_path(c, guid));
    if (!c->operation.type->operation_prefix && pace != ARM_LOCATION)
        http_add_field(c->req, "azure-asyncnotification", STR("Enabled"));
    http_add_field(c->req, "Retry-After", STR("1"));
}

/* --- polls --- */
static enum rc guid_at_end(struct str text, struct uuid *ret, struct err *e)
{
    if (text.len < GUID_LEN)
        return err_set(e, RC_INVALID, "That is no operation's id.");
    return uuid_parse(str_skip(text, text.len - GUID_LEN), ret, e);
}

static enum rc job_parse(struct str token, struct uuid *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(JOB_TEXT_MAX);
    CLEANUP(json_freep) struct json *job = NULL;
    enum rc rc = base64url_decode(token, &text, e);

    if (rc == RC_OK)
        rc = json_parse(buf_str(&text), NULL, &job, e);
    return rc == RC_OK ? guid_at_end(json_str(json_get(job, "jobId")), ret, e) : rc;
}

enum rc arm_operation_id_parse(struct str text, struct uuid *ret, struct err *e)
{
    if (guid_at_end(text, ret, NULL) == RC_OK || job_parse(text, ret, NULL) == RC_OK)
        return RC_OK;
    return err_set(e, RC_INVALID, "That is no operation's id.");
}

static enum rc no_such_operation(struct str asked, struct err *e)
{
    return err_code(e, RC_NOT_FOUND, "OperationNotFound", "The operation '%.*s' was not found.",
                    STR_ARG(str_take(asked, 200)));
}

struct poll {
    struct arm_call call;
    struct str asked;
    struct meta_operation operation;
    struct meta_resource target;
    bool has_target;
};

/* What a write that was polled has made. */
static enum rc target_read(struct poll *p, struct meta_tx *tx, struct err *e)
{
    enum rc rc = meta_resource_by_uuid(tx, p->call.arena, &p->operation.resource, &p->target, e);

    p->has_target = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Another subscription's operation, or another principal's, is not there. */
static enum rc poll_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct poll *p = CONTAINER_OF(c, struct poll, call);
    const struct principal *who = &admission_of(c->req)->principal;
    struct uuid id;

    if (arm_operation_id_parse(p->asked, &id, NULL) != RC_OK)
        return no_such_operation(p->asked, e);
    enum rc rc = meta_operation_get(tx, c->arena, &id, &p->operation, e);

    if (rc == RC_NOT_FOUND ||
        (rc == RC_OK &&
         (!str_starts_nocase(p->operation.target, c->subscription_id) ||
          (!who->administrator && !uuid_eq(&who->object_id, &p->operation.object_id)))))
        return no_such_operation(p->asked, e);
    return rc == RC_OK ? target_read(p, tx, e) : rc;
}

/* Most operations end within a moment, and who reads "InProgress" comes again after a second: one
 * that has just begun is given that moment. */
static enum rc poll_patiently(struct poll *p, struct err *e)
{
    struct arm_operations *worker = p->call.services->operations;
    int64_t until = clock_mono_us() + PATIENCE_US;
    uint64_t steps;
    enum rc rc;

    do {
        steps = arm_operations_steps(worker);
        rc = arm_read(&p->call, poll_read, e);
    } while (rc == RC_OK && p->operation.state == META_OPERATION_RUNNING &&
             clock_wall_us() - p->operation.created_us < YOUNG_US &&
             arm_operations_await(worker, steps, until));
    return rc;
}

static bool poll_begin(struct poll *p, struct http_request *req)
{
    struct err e = {0};

    *p = (struct poll){0};
    if (!arm_call_begin(&p->call, req))
        return false;
    p->asked = http_param(req, "operation");
    return !arm_failed(&p->call, poll_patiently(p, &e), &e);
}

static struct json *status_json(const struct meta_operation *o)
{
    static const char *const names[] = {
        [META_OPERATION_RUNNING] = "InProgress",
        [META_OPERATION_SUCCEEDED] = "Succeeded",
        [META_OPERATION_FAILED] = "Failed",
        [META_OPERATION_CANCELED] = "Canceled",
    };
    struct json *out = json_new_object(), *error;

    json_set_text(out, "status", names[o->state]);
    if (o->code.len > 0) {
        error = json_new_object();
        json_set_str(error, "code", o->code);
        json_set_str(error, "message", o->message);
        json_set(out, "error", error);
    }
    return out;
}

/* Again to the same place. */
static void come_again(struct poll *p, const char *field)
{
    field_url(&p->call, field, p->call.req->path);
    http_add_field(p->call.req, "Retry-After", STR("1"));
}

enum http_verdict arm_operation_status(struct http_request *req)
{
    struct poll p;

    if (poll_begin(&p, req)) {
        if (p.operation.state == META_OPERATION_RUNNING || p.asked.len > GUID_LEN)
            come_again(&p, "Azure-AsyncOperation");
        arm_set_answer(&p.call, status_json(&p.operation));
        arm_answer_json(&p.call, 200, p.call.answer);
    }
    arm_call_done(&p.call);
    return HTTP_ANSWERED;
}

/* As the write would have answered, had it been at once. */
static void answer_result(struct poll *p)
{
    struct arm_call *c = &p->call;
    const struct meta_operation *o = &p->operation;
    struct str code;

    if (o->state == META_OPERATION_FAILED || o->state == META_OPERATION_CANCELED) {
        code = arena_copy(c->arena, o->code);
        arm_error(c->req, 409, code.ptr, arena_copy(c->arena, o->message).ptr);
    } else if (p->has_target && str_is(o->kind, ARM_OPERATION_SETTLE)) {
        c->type = arm_type_find(p->target.type);
        c->stored = p->target;
        arm_answer_stored(c, 200);
    } else {
        http_answer(c->req, str_is(o->kind, ARM_OPERATION_DELETE) ? 200 : 204, NULL, STR(""));
    }
}

enum http_verdict arm_operation_result(struct http_request *req)
{
    struct poll p;

    if (poll_begin(&p, req)) {
        if (p.operation.state == META_OPERATION_RUNNING) {
            come_again(&p, "Location");
            http_answer(req, 202, NULL, STR(""));
        } else {
            answer_result(&p);
        }
    }
    arm_call_done(&p.call);
    return HTTP_ANSWERED;
}
