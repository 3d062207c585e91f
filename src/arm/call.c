#include "arm/call.h"

#include "arm/id.h"
#include "arm/operation.h"
#include "arm/role.h"
#include "base/clock.h"
#include "base/encode.h"

enum { SEGMENT_MAX = 260 }; /* no type has longer names */

/* A name from the path that could stand for more than one segment is nobody's. */
static bool segment_plain(struct str s)
{
    return s.len > 0 && s.len <= SEGMENT_MAX && !memchr(s.ptr, '/', s.len) && utf8_valid(s);
}

static enum rc param_read(struct arm_call *c, const char *name, struct str *ret, struct err *e)
{
    for (size_t i = 0; i < c->req->n_params; i++) {
        if (!str_is(c->req->params[i].name, name))
            continue;
        if (!segment_plain(c->req->params[i].value))
            return err_code(e, RC_INVALID, "InvalidResourceName",
                            "The %s in the request's path is not valid.", name);
        *ret = c->req->params[i].value;
    }
    return RC_OK;
}

static enum rc subscription_may(struct arm_call *c, const struct uuid *id, struct str text,
                                struct err *e)
{
    const struct snapshot_subscription *s =
        snapshot_subscription(admission_of(c->req)->snapshot, id);
    bool reads = c->req->method == HTTP_GET || c->req->method == HTTP_HEAD;

    /* It may be new, or be enabled again. */
    if (!reads && strcmp(c->req->route->pattern, "/subscriptions/{subscription}") == 0)
        return RC_OK;
    if (!s)
        return err_code(e, RC_NOT_FOUND, "SubscriptionNotFound",
                        "The subscription '%.*s' could not be found.", STR_ARG(text));
    if (s->enabled || reads)
        return RC_OK;
    return err_code(e, RC_CONFLICT, "ReadOnlyDisabledSubscription",
                    "The subscription '%.*s' is disabled and therefore marked as read only. You "
                    "cannot perform any write actions on this subscription until it is re-enabled.",
                    STR_ARG(text));
}

static enum rc subscription_check(struct arm_call *c, struct err *e)
{
    struct str text = STR_NONE;
    char id[UUID_TEXT_MAX];
    struct uuid u;
    enum rc rc = param_read(c, "subscription", &text, e);

    if (rc != RC_OK || !text.ptr)
        return rc;
    if (uuid_parse(text, &u, NULL) != RC_OK)
        return err_code(e, RC_NOT_FOUND, "InvalidSubscriptionId",
                        "The provided subscription identifier '%.*s' is malformed or invalid.",
                        STR_ARG(text));
    c->subscription_id = arena_printf(c->arena, "/subscriptions/%s", uuid_format(&u, id).ptr);
    return subscription_may(c, &u, text, e);
}

/* An absent body is not an empty object: c->sent stays NULL. */
static enum rc body_read(struct arm_call *c, struct err *e)
{
    enum rc rc;

    if (str_trim(c->req->body).len == 0)
        return RC_OK;
    rc = json_parse(c->req->body, NULL, &c->sent, e);
    if (rc == RC_OK && json_type(c->sent) != JSON_OBJECT)
        rc = err_set(e, RC_INVALID, "it is not an object");
    if (rc == RC_INVALID)
        return err_prefix(e, rc, "The request content was invalid and could not be deserialized");
    return rc;
}

bool arm_call_begin(struct arm_call *c, struct http_request *req)
{
    struct err e = {0};
    enum rc rc;

    *c = (struct arm_call){.req = req, .arena = &req->arena, .services = admit_services(req)};
    c->type = arm_type_of_access(req->route->access);
    rc = subscription_check(c, &e);
    if (rc == RC_OK)
        rc = param_read(c, "group", &c->group, &e);
    if (rc == RC_OK)
        rc = param_read(c, "name", &c->name, &e);
    if (rc == RC_OK)
        rc = param_read(c, "child", &c->child, &e);
    if (rc == RC_OK)
        rc = body_read(c, &e);
    if (rc == RC_OK)
        return true;
    arm_error_rc(req, &e);
    arm_call_done(c);
    return false;
}

void arm_call_done(struct arm_call *c)
{
    json_free(c->sent);
    json_free(c->answer);
    c->sent = c->answer = NULL;
}

void arm_set_answer(struct arm_call *c, struct json *answer)
{
    json_free(c->answer);
    c->answer = answer;
}

bool arm_failed(struct arm_call *c, enum rc rc, const struct err *e)
{
    if (rc == RC_OK)
        return false;
    if (rc == RC_INVALID && c->type && strncmp(c->type->name, "Microsoft.Network/", 18) == 0)
        arm_error_details(c->req, e);
    else
        arm_error_rc(c->req, e);
    return true;
}

/* --- ids --- */
enum rc arm_group_stays(struct str name, const struct json *body, struct err *e)
{
    if (strcmp(arm_state(body), "Deleting") != 0)
        return RC_OK;
    return err_code(e, RC_CONFLICT, "ResourceGroupBeingDeleted",
                    "The resource group '%.*s' is in deprovisioning state and cannot perform this "
                    "operation.",
                    STR_ARG(name));
}

/* Nothing is put into a group that goes. */
static enum rc group_takes(const struct arm_call *c, const struct meta_resource *group,
                           struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    bool puts = c->req->method == HTTP_PUT || c->req->method == HTTP_PATCH;
    enum rc rc = puts ? arm_body_parse(group, &body, e) : RC_OK;

    return rc == RC_OK && puts ? arm_group_stays(c->group, body, e) : rc;
}

enum rc arm_group_get(struct arm_call *c, struct meta_tx *tx, struct meta_resource *ret,
                      struct err *e)
{
    struct str id = arena_printf(c->arena, "%.*s/resourceGroups/%.*s", STR_ARG(c->subscription_id),
                                 STR_ARG(c->group));
    struct meta_resource group = {0};
    enum rc rc = meta_resource_get(tx, c->arena, id, &group, e);

    if (rc == RC_NOT_FOUND)
        return err_code(e, RC_NOT_FOUND, "ResourceGroupNotFound",
                        "Resource group '%.*s' could not be found.", STR_ARG(c->group));
    if (rc == RC_OK)
        rc = group_takes(c, &group, e);
    if (rc == RC_OK)
        *ret = group;
    return rc;
}

enum rc arm_id_of_call(struct arm_call *c, struct meta_tx *tx, struct str *ret, struct err *e)
{
    struct meta_resource group = {0};
    enum rc rc;

    if (c->type->scope == ARM_SCOPE_SERVER) {
        *ret = arena_printf(c->arena, "/providers/%s/%.*s", c->type->name, STR_ARG(c->name));
    } else if (c->type->scope == ARM_SCOPE_TENANT) {
        *ret = c->subscription_id;
    } else if (c->type->scope == ARM_SCOPE_SUBSCRIPTION) {
        *ret = arena_printf(c->arena, "%.*s/resourceGroups/%.*s", STR_ARG(c->subscription_id),
                            STR_ARG(c->name));
    } else if (!c->group.ptr) { /* a list over all groups */
        *ret = arena_printf(c->arena, "%.*s/", STR_ARG(c->subscription_id));
    } else {
        rc = arm_group_get(c, tx, &group, e);
        if (rc != RC_OK)
            return rc;
        *ret = arena_printf(c->arena, "%.*s/providers/%s/%.*s", STR_ARG(group.id), c->type->name,
                            STR_ARG(c->name));
    }
    return ret->ptr ? RC_OK : err_set(e, RC_TOO_LARGE, "The request is too large.");
}

enum rc arm_not_found(struct arm_call *c, struct err *e)
{
    if (c->type->scope == ARM_SCOPE_SUBSCRIPTION)
        return err_code(e, RC_NOT_FOUND, "ResourceGroupNotFound",
                        "Resource group '%.*s' could not be found.", STR_ARG(c->name));
    if (c->type->scope == ARM_SCOPE_TENANT)
        return err_code(e, RC_NOT_FOUND, "SubscriptionNotFound",
                        "The subscription '%.*s' could not be found.",
                        STR_ARG(arm_name_of(c->subscription_id)));
    if (c->type->scope == ARM_SCOPE_SERVER)
        return err_code(e, RC_NOT_FOUND, "ResourceNotFound",
                        "The Resource '%s/%.*s' was not found.", c->type->name, STR_ARG(c->name));
    return err_code(e, RC_NOT_FOUND, "ResourceNotFound",
                    "The Resource '%s/%.*s' under resource group '%.*s' was not found. For more "
                    "details please go to "
                    "https://aka.ms/ARMResourceNotFoundFix",
                    c->type->name, STR_ARG(c->name), STR_ARG(c->group));
}

/* --- reading --- */
enum rc arm_body_parse(const struct meta_resource *r, struct json **ret, struct err *e)
{
    enum rc rc = json_parse(r->body, NULL, ret, e);

    if (rc == RC_OK)
        return rc;
    return err_set(e, RC_CORRUPT, "the stored body of %.*s is damaged", STR_ARG(r->id));
}

enum rc arm_resource_get(struct arm_call *c, struct meta_tx *tx, struct meta_resource *ret,
                         struct json **ret_body, struct err *e)
{
    struct meta_resource r = {0};
    struct str id = STR_NONE;
    enum rc rc = arm_id_of_call(c, tx, &id, e);

    if (rc == RC_OK)
        rc = meta_resource_get(tx, c->arena, id, &r, e);
    if (rc == RC_NOT_FOUND && id.ptr)
        return arm_not_found(c, e);
    if (rc == RC_OK && ret_body)
        rc = arm_body_parse(&r, ret_body, e);
    if (rc == RC_OK)
        *ret = r;
    return rc;
}

struct read_job {
    struct arm_call *call;
    arm_read_fn *fn;
};

static enum rc read_run(struct meta_tx *tx, void *arg, struct err *e)
{
    struct read_job *job = arg;

    return job->fn(job->call, tx, e);
}

enum rc arm_read(struct arm_call *c, arm_read_fn *fn, struct err *e)
{
    struct read_job job = {c, fn};

    return meta_read(c->services->meta, read_run, &job, e);
}

/* --- writing --- */
static bool etag_listed(struct str list, struct str etag)
{
    while (list.ptr) {
        struct str one = str_trim(str_split(&list, ','));

        if (str_eq(one, etag) || (str_is(one, "*") && etag.len > 0))
            return true;
    }
    return false;
}

enum rc arm_precondition(struct arm_call *c, struct str etag, struct err *e)
{
    struct str match = http_field(c->req, "If-Match"), none = http_field(c->req, "If-None-Match");

    if (match.ptr && !etag_listed(match, etag))
        return err_set(e, RC_PRECONDITION, "The condition If-Match did not hold: the resource %s.",
                       etag.len > 0 ? "has been modified (etag mismatch)" : "does not exist");
    if (none.ptr && etag_listed(none, etag))
        return err_set(e, RC_PRECONDITION,
                       "The condition If-None-Match did not hold: the resource exists already.");
    return RC_OK;
}

enum rc arm_audit(struct arm_write *w, const char *operation, struct str target, struct str before,
                  struct str after, struct err *e)
{
    struct meta_audit entry = {
        .at_us = clock_wall_us(),
        .principal = w->actor.principal,
        .address = w->actor.address,
        .operation = str_from(operation),
        .target = target,
        .before = before.ptr ? before : STR(""),
        .after = after.ptr ? after : STR(""),
    };

    return meta_audit_add(w->tx, &entry, e);
}

enum rc arm_store(struct arm_write *w, struct meta_resource *r, const struct json *body,
                  struct err *e)
{
    enum rc rc;

    r->body = json_write_stored(body, w->arena);
    if (!r->body.ptr)
        return err_set(e, RC_TOO_LARGE, "The resource is too large.");
    rc = meta_resource_put(w->tx, w->arena, r, e);
    if (rc == RC_OK)
        rc = arm_audit(w, w->call->req->route->access, r->id, w->before, r->body, e);
    if (rc != RC_OK)
        return rc;
    if (w->call->type->touch)
        w->call->type->touch(w->change, r);
    w->call->stored = *r;
    return RC_OK;
}

static enum rc deletable(struct arm_write *w, const struct arm_type *type,
                         const struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = type->deletable ? arm_body_parse(r, &body, e) : RC_OK;

    return rc == RC_OK && type->deletable ? type->deletable(w, r, body, e) : rc;
}

enum rc arm_delete(struct arm_write *w, const struct arm_type *type, const struct meta_resource *r,
                   struct err *e)
{
    struct str operation = arena_printf(w->arena, "%s/delete", arm_type_actions(type));
    enum rc rc = deletable(w, type, r, e);

    if (rc == RC_OK)
        rc = meta_resource_delete(w->tx, r->id, e);
    if (rc == RC_OK)
        rc = arm_audit(w, operation.ptr, r->id, r->body, STR(""), e);
    if (rc == RC_OK && type->touch)
        type->touch(w->change, r);
    if (rc == RC_OK && type != &arm_role_assignment)
        rc = arm_roles_forget(w, r->id, e);
    if (rc == RC_OK && type->deleted)
        rc = type->deleted(w, r, e);
    return rc;
}

struct change_job {
    struct arm_call *call;
    arm_write_fn *fn;
};

/* A change whose answer has left holds for every later commit: roles too. */
static enum rc judge_newest(const struct snapshot *s, void *arg, struct err *e)
{
    const struct arm_call *c = arg;

    return admit_control_stands(c->req, s, e);
}

static enum rc change_run(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                          struct err *e)
{
    struct change_job *job = arg;
    struct arm_call *c = job->call;
    const struct principal *principal = &admission_of(c->req)->principal;
    char address[IP_TEXT_MAX];
    struct arm_write w = {
        .call = c,
        .actor = {str_from(principal->name), ip_format(&c->req->evidence->peer, address),
                  principal->object_id},
        .tx = tx,
        .change = change,
        .arena = c->arena,
    };

    enum rc rc = snapshot_with_newest(c->services->hub, judge_newest, c, e);

    c->created = c->missing = c->operation.is = false;
    return rc == RC_OK ? job->fn(&w, e) : rc;
}

enum rc arm_change(struct arm_call *c, arm_write_fn *fn, struct err *e)
{
    struct change_job job = {c, fn};

    enum rc rc = snapshot_change(c->services->hub, change_run, &job, e);

    if (rc == RC_OK && c->operation.is)
        arm_operations_wake(c->services->operations);
    return rc;
}
