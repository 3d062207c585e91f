/* The worker: what is left to do after the answer. Everything it knows is in the database; it may
 * be killed anywhere. */
#include "arm/operation.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "meta/operation.h"
#include "sys/thread.h"
#include <stdatomic.h>

enum {
    STEP_MAX = 256,
    WAITING_MAX = 2 /* of the threads that answer */,
    EXPIRE_S = 3600,
    RETRY_S = 1,
    INSIDE_MEMORY = 64 * 1024 * 1024
};
#define KEPT_US (24 * 3600 * (int64_t)CLOCK_US_PER_S)

/* --- one operation --- */
struct work {
    const struct arm_services *services;
    struct meta_operation operation;
    struct arena arena;
    atomic_bool *stopping; /* may be NULL */
    struct str target;     /* of the transaction under way: what is inside the operation's */
    bool more;
};

typedef enum rc work_fn(struct work *k, struct arm_write *w, struct err *e);
struct work_change {
    struct work *work;
    work_fn *fn;
    struct arena arena; /* of one run */
};

static enum rc work_run(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                        struct err *e)
{
    struct work_change *job = arg;
    const struct meta_operation *o = &job->work->operation;

    arena_done(&job->arena);
    struct arm_call call = {.arena = &job->arena, .services = job->work->services};
    struct arm_write w = {.call = &call,
                          .actor = {o->principal, o->address, o->object_id},
                          .tx = tx,
                          .change = change,
                          .arena = &job->arena};

    return job->fn(job->work, &w, e);
}

static enum rc work_do(struct work *k, work_fn *fn, struct err *e)
{
    struct work_change job = {k, fn, ARENA_INIT(HTTP_ARENA_MAX)};
    enum rc rc = snapshot_change(k->services->hub, work_run, &job, e);

    arena_done(&job.arena);
    return rc;
}

/* The operation's resource, unless another has its id by now. */
static enum rc resource_of(struct work *k, struct arm_write *w, struct meta_resource *ret,
                           struct err *e)
{
    return meta_resource_by_uuid(w->tx, w->arena, &k->operation.resource, ret, e);
}

/* --- settle --- */
/* What was only announced ("Creating") comes into force. Nothing else changes: the etag stays. */
static enum rc settle_write(struct work *k, struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct meta_resource r = {0};
    const struct arm_type *type;
    bool created;
    enum rc rc = resource_of(k, w, &r, e);

    if (rc == RC_OK)
        rc = arm_body_parse(&r, &body, e);
    if (rc != RC_OK || !arm_operation_owns(&k->operation, body))
        return rc;
    created = strcmp(arm_state(body), "Creating") == 0;
    type = arm_type_find(r.type);
    arm_operation_settle(body);
    r.body = json_write_arena(body, w->arena);
    if (!r.body.ptr)
        return err_set(e, RC_TOO_LARGE, "the resource is too large");
    rc = meta_resource_rebody(w->tx, r.id, r.body, e);
    if (rc == RC_OK && created && type && type->touch)
        type->touch(w->change, &r);
    return rc;
}

static enum rc ended_write(struct work *k, struct arm_write *w, struct err *e)
{
    return meta_operation_end(w->tx, &k->operation.id, META_OPERATION_SUCCEEDED, STR_NONE, STR_NONE,
                              e);
}

/* In force on every loop first; then the operation says so. */
static enum rc settle(struct work *k, struct err *e)
{
    enum rc rc = work_do(k, settle_write, e);

    if (rc == RC_NOT_FOUND)
        return err_code(e, RC_CANCELED, "OperationCanceled",
                        "The resource was deleted before the operation was completed.");
    return rc == RC_OK ? work_do(k, ended_write, e) : rc;
}

/* --- delete: one resource at a time, each for good --- */
struct inside {
    struct arena *arena;
    struct inside_item {
        struct inside_item *next;
        struct str id;
    } * list;
};

/* What is inside of others has longer ids, so that it comes before them: the list is reversed. */
static enum rc inside_add(const struct meta_resource *r, void *arg, struct err *e)
{
    struct inside *inside = arg;
    struct inside_item *item = ARENA_NEW(inside->arena, struct inside_item);
    struct str id = arena_copy(inside->arena, r->id);

    if (!item || !id.ptr)
        return err_set(e, RC_RANGE, "as many as there is room for");
    *item = (struct inside_item){inside->list, id};
    inside->list = item;
    return RC_OK;
}

struct inside_job {
    struct work *work;
    struct inside inside;
};

static enum rc inside_read(struct meta_tx *tx, void *arg, struct err *e)
{
    struct inside_job *job = arg;
    struct arena *arena = &job->work->arena;
    struct str prefix = arena_printf(arena, "%.*s/", STR_ARG(job->work->operation.target));

    job->inside = (struct inside){.arena = arena};
    return meta_resource_each(tx, prefix, STR_NONE, inside_add, &job->inside, e);
}

/* What is used by another goes after it. */
static enum rc delete_allowed(struct arm_write *w, const struct arm_type *type,
                              const struct meta_resource *r, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = type->deletable ? arm_body_parse(r, &body, e) : RC_OK;

    return rc == RC_OK && type->deletable ? type->deletable(w, r, body, e) : rc;
}

static enum rc delete_one(struct work *k, struct arm_write *w, struct err *e)
{
    struct meta_resource r = {0};
    const struct arm_type *type;
    enum rc rc = meta_resource_get(w->tx, w->arena, k->target, &r, e);

    if (rc == RC_NOT_FOUND) /* it went with what it was inside of */
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    type = arm_type_find(r.type);
    if (!type)
        return err_set(e, RC_INTERNAL, "no such resource type: %.*s", STR_ARG(r.type));
    w->call->type = type;
    rc = delete_allowed(w, type, &r, e);
    return rc == RC_OK ? arm_delete(w, type, &r, e) : rc;
}

static enum rc not_empty(const struct meta_resource *r, void *arg, struct err *e)
{
    (void)r;
    (void)arg;
    return err_set(e, RC_EXISTS, "there is something in it");
}

/* What the operation deletes itself, once nothing is inside any more; with it the operation has
 * succeeded. */
static enum rc delete_target(struct work *k, struct arm_write *w, struct err *e)
{
    struct meta_resource r = {0};
    struct str prefix = arena_printf(w->arena, "%.*s/", STR_ARG(k->operation.target));
    enum rc rc = resource_of(k, w, &r, e);

    if (rc == RC_NOT_FOUND)
        return ended_write(k, w, e);
    if (rc == RC_OK)
        rc = meta_resource_each(w->tx, prefix, STR_NONE, not_empty, NULL, e);
    if (rc == RC_OK) {
        k->target = r.id;
        rc = delete_one(k, w, e);
    }
    return rc == RC_OK ? ended_write(k, w, e) : rc;
}

/* The machine's doing (a full disk): it is tried again. What is to be done cannot be refused so. */
static bool passes(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_TIMEOUT || rc == RC_QUOTA;
}

static bool stopping(const struct work *k)
{
    return k->stopping && atomic_load(k->stopping);
}

/* Everything that can be deleted now; RC_OK: something was. The first refusal is in e. */
static enum rc delete_inside(struct work *k, const struct inside *inside, struct err *e)
{
    enum rc first = RC_OK;
    size_t deleted = 0;

    for (struct inside_item *i = inside->list; i && !stopping(k); i = i->next) {
        struct err why = {0};

        k->target = i->id;
        enum rc rc = work_do(k, delete_one, &why);

        if (passes(rc))
            return err_set(e, rc, "%s", why.text);
        deleted += rc == RC_OK;
        if (rc != RC_OK && first == RC_OK) {
            first = rc;
            if (e)
                *e = why;
        }
    }
    return deleted > 0 || stopping(k) ? RC_OK : first;
}

/* Is the resource that is to go still there, and not another one of its id? */
static enum rc target_there(struct meta_tx *tx, void *arg, struct err *e)
{
    struct work *k = arg;
    struct meta_resource r = {0};

    return meta_resource_by_uuid(tx, &k->arena, &k->operation.resource, &r, e);
}

static enum rc delete_all(struct work *k, struct err *e)
{
    struct inside_job job = {.work = k};
    enum rc rc = meta_read(k->services->meta, target_there, k, e);

    if (rc == RC_NOT_FOUND)
        return work_do(k, ended_write, e);
    if (rc == RC_OK)
        rc = meta_read(k->services->meta, inside_read, &job, e);
    if (rc == RC_OK || rc == RC_RANGE)
        rc = delete_inside(k, &job.inside, e);
    if (rc != RC_OK)
        return rc;
    rc = stopping(k) ? RC_EXISTS : work_do(k, delete_target, e);
    k->more = rc == RC_EXISTS;
    return k->more ? RC_OK : rc;
}

/* --- the end --- */
struct failure {
    struct str code, message;
    enum meta_operation_state state;
};

/* A damaged body has no state to end; trying again would not mend it. */
static enum rc unmark(struct work *k, struct arm_write *w, struct err *e)
{
    enum rc rc = settle_write(k, w, e);

    return rc == RC_NOT_FOUND || rc == RC_CORRUPT ? RC_OK : rc;
}

/* Why it failed is in the operation's own texts by now. */
static enum rc failed_write(struct work *k, struct arm_write *w, struct err *e)
{
    const struct meta_operation *o = &k->operation;
    enum rc rc = unmark(k, w, e);

    return rc == RC_OK ? meta_operation_end(w->tx, &o->id, o->state, o->code, o->message, e) : rc;
}

/* False: nor could that be stored. */
static bool fail(struct work *k, enum rc rc, const struct err *why)
{
    struct meta_operation *o = &k->operation;
    struct err e = {0};
    /* Only what has a protocol's code was worded for clients. */
    bool ours = !why->code || rc == RC_INTERNAL || rc == RC_CORRUPT || rc == RC_DENIED;

    log_warn("operation.failed", F_STR("kind", o->kind), F_STR("target", o->target),
             F_TEXT("error", why->text));
    o->state = rc == RC_CANCELED ? META_OPERATION_CANCELED : META_OPERATION_FAILED;
    o->code = ours ? STR("InternalServerError") : str_from(why->code);
    o->message = ours ? STR("The server encountered an internal error. Please retry the request.")
                      : str_from(why->text);
    rc = work_do(k, failed_write, &e);
    if (rc == RC_OK || rc == RC_NOT_FOUND) /* not by us: then it has ended */
        return true;
    log_error("operation.not_ended", F_STR("target", o->target), F_TEXT("error", e.text));
    return false;
}

static enum rc work_by_kind(struct work *k, struct err *e)
{
    if (str_is(k->operation.kind, ARM_OPERATION_SETTLE))
        return settle(k, e);
    if (str_is(k->operation.kind, ARM_OPERATION_DELETED))
        return work_do(k, ended_write, e);
    if (str_is(k->operation.kind, ARM_OPERATION_DELETE))
        return delete_all(k, e);
    return err_set(e, RC_INTERNAL, "an operation of an unknown kind");
}

struct one {
    const struct uuid *id;
    struct work *work;
};

static enum rc operation_read(struct meta_tx *tx, void *arg, struct err *e)
{
    struct one *one = arg;

    return meta_operation_get(tx, &one->work->arena, one->id, &one->work->operation, e);
}

enum outcome { OUTCOME_ENDED, OUTCOME_MORE, OUTCOME_LATER };

static enum outcome operation_step(const struct arm_services *services, const struct uuid *id,
                                   atomic_bool *stop)
{
    struct work k = {.services = services, .arena = ARENA_INIT(INSIDE_MEMORY), .stopping = stop};
    struct one one = {id, &k};
    struct err e = {0};
    enum rc rc = meta_read(services->meta, operation_read, &one, &e);

    if (rc == RC_OK && k.operation.state == META_OPERATION_RUNNING)
        rc = work_by_kind(&k, &e);
    bool later = passes(rc);

    /* Not by us: then it has ended. */
    if (rc != RC_OK && rc != RC_NOT_FOUND && !later)
        later = !fail(&k, rc, &e);
    arena_done(&k.arena);
    return later ? OUTCOME_LATER : k.more ? OUTCOME_MORE : OUTCOME_ENDED;
}

/* --- all of them --- */
static void stepped(struct arm_operations *o);

struct batch {
    struct uuid ids[STEP_MAX];
    size_t n;
};

static enum rc batch_add(const struct meta_operation *o, void *arg, struct err *e)
{
    struct batch *b = arg;

    (void)e;
    if (b->n < STEP_MAX)
        b->ids[b->n++] = o->id;
    return RC_OK;
}

static enum rc batch_read(struct meta_tx *tx, void *arg, struct err *e)
{
    struct batch *b = arg;

    b->n = 0;
    return meta_operation_running(tx, STEP_MAX, batch_add, b, e);
}

static enum outcome step_all(const struct arm_services *services, atomic_bool *stop)
{
    enum outcome outcome = OUTCOME_ENDED;
    struct batch batch = {.n = 0};
    struct err e = {0};

    if (meta_read(services->meta, batch_read, &batch, &e) != RC_OK) {
        log_error("operation.not_read", F_TEXT("error", e.text));
        return OUTCOME_LATER;
    }
    for (size_t i = 0; i < batch.n && !(stop && atomic_load(stop)); i++) {
        enum outcome one = operation_step(services, &batch.ids[i], stop);

        stepped(services->operations);
        outcome = one == OUTCOME_MORE || outcome == OUTCOME_ENDED ? one : outcome;
    }
    return batch.n == STEP_MAX && outcome == OUTCOME_ENDED ? OUTCOME_MORE : outcome;
}

bool arm_operations_step(const struct arm_services *services)
{
    return step_all(services, NULL) == OUTCOME_MORE;
}

/* --- the thread --- */
struct arm_operations {
    const struct arm_services *services;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* woken, steps, waiting */
    pthread_cond_t wake, step;
    bool woken;
    uint64_t steps;
    unsigned waiting; /* in arm_operations_await */
    atomic_bool stopping, ended;
    int64_t expired_us; /* when it last looked for old ones; monotonic */
};

static enum rc expire_write(struct meta_tx *tx, void *arg, struct err *e)
{
    (void)arg;
    return meta_operation_expire(tx, clock_wall_us() - KEPT_US, e);
}

static void expire_sometimes(struct arm_operations *o)
{
    const struct uuid key = {{0}};
    int64_t now = clock_mono_us();
    struct err e = {0};

    if (o->expired_us != 0 && now - o->expired_us < EXPIRE_S * (int64_t)CLOCK_US_PER_S)
        return;
    o->expired_us = now;
    if (meta_write(o->services->meta, &key, expire_write, NULL, &e) != RC_OK)
        log_error("operation.expiry_failed", F_TEXT("error", e.text));
}

/* Until it is woken, or for so many seconds. */
static void sleep_until_woken(struct arm_operations *o, int seconds)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&o->lock);
    while (!o->woken && pthread_cond_timedwait(&o->wake, &o->lock, &until) == 0)
        continue;
    o->woken = false;
    pthread_mutex_unlock(&o->lock);
}

static void *work(void *arg)
{
    struct arm_operations *o = arg;

    while (!atomic_load(&o->stopping)) {
        enum outcome outcome = step_all(o->services, &o->stopping);

        expire_sometimes(o);
        if (outcome != OUTCOME_MORE)
            sleep_until_woken(o, outcome == OUTCOME_LATER ? RETRY_S : EXPIRE_S);
    }
    atomic_store(&o->ended, true);
    return NULL;
}

struct arm_operations *arm_operations_new(const struct arm_services *services)
{
    struct arm_operations *o = MEM_NEW(struct arm_operations);
    pthread_condattr_t attr;

    o->services = services;
    atomic_init(&o->ended, true);
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &attr);
    pthread_cond_init(&o->step, &attr);
    pthread_condattr_destroy(&attr);
    return o;
}

enum rc arm_operations_start(struct arm_operations *o, struct err *e)
{
    atomic_store(&o->ended, false);
    enum rc rc = thread_start(&o->thread, "operations", work, o, e);

    o->started = rc == RC_OK;
    if (!o->started)
        atomic_store(&o->ended, true);
    return rc;
}

void arm_operations_wake(struct arm_operations *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->woken = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

static void stepped(struct arm_operations *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->steps++;
    pthread_cond_broadcast(&o->step);
    pthread_mutex_unlock(&o->lock);
}

uint64_t arm_operations_steps(struct arm_operations *o)
{
    uint64_t steps;

    if (!o)
        return 0;
    pthread_mutex_lock(&o->lock);
    steps = o->steps;
    pthread_mutex_unlock(&o->lock);
    return steps;
}

bool arm_operations_await(struct arm_operations *o, uint64_t steps, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / CLOCK_US_PER_S,
                             .tv_nsec = until_us % CLOCK_US_PER_S * 1000};
    bool more;

    if (arm_operations_ended(o) || atomic_load(&o->stopping))
        return false;
    pthread_mutex_lock(&o->lock);
    if (o->waiting < WAITING_MAX) {
        o->waiting++;
        while (o->steps == steps && pthread_cond_timedwait(&o->step, &o->lock, &until) == 0)
            continue;
        o->waiting--;
    }
    more = o->steps != steps;
    pthread_mutex_unlock(&o->lock);
    return more;
}

void arm_operations_stop(struct arm_operations *o)
{
    if (!o)
        return;
    atomic_store(&o->stopping, true);
    arm_operations_wake(o);
    stepped(o);
}

bool arm_operations_ended(const struct arm_operations *o)
{
    return !o || atomic_load(&o->ended);
}

void arm_operations_free(struct arm_operations *o)
{
    if (!o)
        return;
    arm_operations_stop(o);
    if (o->started)
        pthread_join(o->thread, NULL);
    pthread_cond_destroy(&o->wake);
    pthread_cond_destroy(&o->step);
    pthread_mutex_destroy(&o->lock);
    free(o);
}
