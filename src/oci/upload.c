/* Uploads (OCI distribution, "Push"): POST begins or mounts, PATCH appends, PUT finishes, GET tells
 * how far it is, DELETE gives it up. */
#include "oci/upload.h"

#include "base/encode.h"
#include <inttypes.h>

/* --- steps --- */

static void run_step(struct lane_job *job)
{
    struct upload *up = CONTAINER_OF(job, struct upload, job);

    up->rc = up->step(up, &up->err);
}

static void step_done(struct lane_job *job, enum rc rc)
{
    struct upload *up = CONTAINER_OF(job, struct upload, job);

    up->busy = false;
    if (rc != RC_OK)
        up->rc = err_set(&up->err, rc, "too much to do: try again later");
    up->next(up, up->rc);
}

enum rc upload_submit(struct upload *up, enum rc (*step)(struct upload *, struct err *),
                      void (*next)(struct upload *, enum rc))
{
    enum rc rc;

    up->job = (struct lane_job){
        .key = up->req->lane_key, .run = run_step, .done = step_done, .home = up->req->loop};
    up->step = step;
    up->next = next;
    up->busy = true;
    up->in_use = false;
    rc = lane_submit(admit_lanes(up->req)->disk, &up->job, &up->err);
    if (rc != RC_OK)
        up->busy = false;
    return rc;
}

/* --- endings --- */

static enum rc close_step(struct upload *up, struct err *e)
{
    (void)e;
    if (up->untold)
        registry_upload_drop(up->open);
    else
        registry_upload_close(up->open);
    up->open = NULL;
    return RC_OK;
}

static void closed(struct upload *up, enum rc rc)
{
    (void)rc;
    if (up->open) /* the lane is full: cutting a file back is short, losing the upload is worse */
        registry_upload_close(up->open);
    http_respond(up->req);
}

void upload_give_back(struct upload *up)
{
    if (!up->open || upload_submit(up, close_step, closed) != RC_OK)
        closed(up, RC_OK);
}

void upload_fail(struct upload *up)
{
    up->failed = true;
    oci_fail(up->req, &up->err);
    upload_give_back(up);
}

/* --- answers --- */

static void add_progress(struct http_request *req, struct str repository, struct str id,
                         uint64_t offset)
{
    oci_add_location(req, repository, "blobs/uploads", id);
    http_add_fieldf(req, "Range", "0-%" PRIu64, offset > 0 ? offset - 1 : 0);
    http_add_field(req, "Docker-Upload-UUID", id);
}

static void answer_progress(struct upload *up, unsigned status)
{
    add_progress(up->req, up->where.repository, str_from(up->id_text), up->offset);
    http_answer(up->req, status, NULL, STR(""));
}

static void answer_created(struct upload *up)
{
    char text[DIGEST_TEXT_MAX];

    oci_add_location(up->req, up->where.repository, "blobs", digest_format(&up->digest, text));
    oci_add_digest(up->req, &up->digest);
    http_answer(up->req, 201, NULL, STR(""));
}

/* --- the last step --- */

static enum rc append_left(struct upload *up, struct err *e)
{
    if (up->filled == 0)
        return RC_OK;
    return registry_upload_append(up->open, (struct str){up->fill, up->filled}, e);
}

static enum rc save_step(struct upload *up, struct err *e)
{
    enum rc rc = append_left(up, e);

    if (rc == RC_OK)
        rc = registry_upload_save(up->open, e);
    if (rc == RC_OK)
        up->offset = registry_upload_offset(up->open);
    registry_upload_close(up->open);
    up->open = NULL;
    return rc;
}

static enum rc finish_step(struct upload *up, struct err *e)
{
    struct registry_upload *open = up->open;
    enum rc rc = append_left(up, e);

    if (rc != RC_OK)
        return rc;
    up->open = NULL;
    return registry_upload_finish(open, &up->where, &up->digest, e);
}

static void last_done(struct upload *up, enum rc rc)
{
    if (rc != RC_OK) {
        upload_fail(up);
        return;
    }
    if (up->plan == UPLOAD_FINISH)
        answer_created(up);
    else
        answer_progress(up, 202);
    http_respond(up->req);
}

void upload_last(struct upload *up)
{
    if (up->has_range && up->received != up->range_last - up->range_first + 1) {
        err_code(&up->err, RC_INVALID, "SIZE_INVALID",
                 "the body is not as long as Content-Range says");
        upload_fail(up);
        return;
    }
    if (upload_submit(up, up->plan == UPLOAD_FINISH ? finish_step : save_step, last_done) != RC_OK)
        upload_fail(up);
}

/* --- the first step --- */

static bool has_body(const struct http_request *req)
{
    return req->has_body && req->content_length != 0;
}

static void refuse_range(struct upload *up)
{
    err_code(&up->err, RC_RANGE, "BLOB_UPLOAD_INVALID",
             "the chunk does not begin where the upload stands, at %" PRIu64, up->offset);
    add_progress(up->req, up->where.repository, str_from(up->id_text), up->offset);
    upload_fail(up);
}

static void opened(struct upload *up, enum rc rc)
{
    if (up->in_use && upload_wait(up))
        return;
    if (rc != RC_OK)
        upload_fail(up);
    else if (up->has_range && up->range_first != up->offset)
        refuse_range(up);
    else if (http_client_gone(up->req))
        upload_give_back(up);
    else if (has_body(up->req))
        upload_take_body(up);
    else
        upload_last(up);
}

/* Remembers what the loop wants to know of an upload that is open now. */
static enum rc note_open(struct upload *up, struct err *e)
{
    up->offset = registry_upload_offset(up->open);
    if (str_copy(registry_upload_id(up->open), up->id_text, sizeof(up->id_text)) == RC_OK)
        return RC_OK;
    return err_set(e, RC_INTERNAL, "an upload's id is too long");
}

static enum rc open_step(struct upload *up, struct err *e)
{
    enum rc rc = registry_upload_open(admit_store(up->req), &up->where, http_param(up->req, "id"),
                                      &up->open, e);

    up->in_use = rc == RC_CONFLICT;
    return rc == RC_OK ? note_open(up, e) : rc;
}

/* --- POST: mount, begin --- */

static enum rc mount_from(struct upload *up, struct str from, struct err *e)
{
    enum rc rc = registry_blob_mount(admit_store(up->req), &up->where, &up->digest, from, e);

    if (rc == RC_OK)
        up->mounted = true;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Without `from`, only where this client may read: the repositories of its token. */
static enum rc mount_from_any(struct upload *up, const struct auth_scopes *scopes, struct err *e)
{
    enum rc rc = RC_OK;

    if (scopes->everywhere & AUTH_PULL)
        return mount_from(up, STR_NONE, e);
    for (size_t i = 0; rc == RC_OK && !up->mounted && i < scopes->n; i++) {
        struct str name = scopes->list[i].name;

        if (auth_scopes_allow(scopes, name, AUTH_PULL) && registry_name_check(name, NULL) == RC_OK)
            rc = mount_from(up, name, e);
    }
    return rc;
}

static enum rc mount_blob(struct upload *up, struct err *e)
{
    const struct auth_scopes *scopes = &admission_of(up->req)->scopes;

    if (!up->from.ptr)
        return mount_from_any(up, scopes, e);
    if (!auth_scopes_allow(scopes, up->from, AUTH_PULL) ||
        registry_name_check(up->from, NULL) != RC_OK)
        return RC_OK;
    return mount_from(up, up->from, e);
}

static enum rc begin_step(struct upload *up, struct err *e)
{
    enum rc rc = up->mount ? mount_blob(up, e) : RC_OK;

    if (rc != RC_OK || up->mounted)
        return rc;
    rc = registry_upload_start(admit_store(up->req), &up->where, up->algorithm, &up->open, e);
    if (rc != RC_OK)
        return rc;
    rc = note_open(up, e);
    up->untold = up->plan == UPLOAD_FINISH;
    if (rc != RC_OK || up->untold)
        return rc;
    registry_upload_close(up->open);
    up->open = NULL;
    return RC_OK;
}

static void begun(struct upload *up, enum rc rc)
{
    if (rc != RC_OK) {
        upload_fail(up);
        return;
    }
    if (up->plan == UPLOAD_FINISH && !up->mounted) {
        opened(up, rc);
        return;
    }
    if (up->mounted)
        answer_created(up);
    else
        answer_progress(up, 202);
    http_respond(up->req);
}

/* --- what the request asks for --- */

static enum rc query_text(struct upload *up, const char *key, struct str *ret, struct err *e)
{
    return form_text(&up->req->arena, up->req->query, key, ret, e);
}

/* *ret_given: there was one. */
static enum rc query_digest(struct upload *up, const char *key, bool *ret_given, struct err *e)
{
    struct str text;
    enum rc rc = query_text(up, key, &text, e);

    if (rc == RC_OK && text.ptr)
        rc = oci_digest(text, &up->digest, e);
    if (rc == RC_OK)
        *ret_given = text.ptr != NULL;
    return rc;
}

static enum rc read_algorithm(struct upload *up, struct err *e)
{
    struct str name;
    enum rc rc = query_text(up, "digest-algorithm", &name, e);

    if (rc != RC_OK)
        return rc;
    up->algorithm = up->plan == UPLOAD_FINISH ? up->digest.algorithm : DIGEST_SHA256;
    if (!name.ptr)
        return RC_OK;
    up->algorithm = digest_algorithm_from(name);
    if (up->algorithm == DIGEST_NONE)
        return err_code(e, RC_INVALID, "DIGEST_INVALID", "unknown digest-algorithm");
    return RC_OK;
}

static enum rc read_post(struct upload *up, struct err *e)
{
    bool digest = false;
    enum rc rc = query_digest(up, "digest", &digest, e);

    if (rc == RC_OK)
        up->plan = digest ? UPLOAD_FINISH : UPLOAD_BEGIN;
    if (rc == RC_OK)
        rc = read_algorithm(up, e);
    if (rc == RC_OK && !digest)
        rc = query_digest(up, "mount", &up->mount, e);
    if (rc == RC_OK)
        rc = query_text(up, "from", &up->from, e);
    return rc;
}

static enum rc read_range(struct upload *up, struct err *e)
{
    struct str field = http_field(up->req, "Content-Range");
    int64_t length = up->req->content_length;

    if (!field.ptr)
        return RC_OK;
    enum rc rc = oci_content_range_parse(field, &up->range_first, &up->range_last, e);

    if (rc != RC_OK)
        return rc;
    up->has_range = true;
    if (length >= 0 && (uint64_t)length != up->range_last - up->range_first + 1)
        return err_code(e, RC_INVALID, "SIZE_INVALID", "Content-Range and Content-Length disagree");
    return RC_OK;
}

static enum rc read_put(struct upload *up, struct err *e)
{
    bool digest = false;
    enum rc rc = query_digest(up, "digest", &digest, e);

    if (rc == RC_OK && !digest)
        rc = err_code(e, RC_INVALID, "DIGEST_INVALID", "a digest is needed to finish an upload");
    return rc == RC_OK ? read_range(up, e) : rc;
}

/* --- DELETE --- */

static enum rc cancel_step(struct upload *up, struct err *e)
{
    struct registry_upload *open = NULL;
    enum rc rc =
        registry_upload_open(admit_store(up->req), &up->where, http_param(up->req, "id"), &open, e);

    up->in_use = rc == RC_CONFLICT;
    return rc == RC_OK ? registry_upload_cancel(open, e) : rc;
}

static void canceled(struct upload *up, enum rc rc)
{
    if (up->in_use && upload_wait(up))
        return;
    if (rc != RC_OK) {
        upload_fail(up);
        return;
    }
    http_answer(up->req, 204, NULL, STR(""));
    http_respond(up->req);
}

static enum rc read_nothing(struct upload *up, struct err *e)
{
    (void)up;
    (void)e;
    return RC_OK;
}

/* --- beginning --- */

static enum http_verdict start(struct http_request *req, enum upload_plan plan,
                               enum rc (*read)(struct upload *, struct err *),
                               enum rc (*step)(struct upload *, struct err *),
                               void (*next)(struct upload *, enum rc))
{
    struct upload *up = ARENA_NEW(&req->arena, struct upload);

    if (!up)
        return oci_refuse(req, RC_UNAVAILABLE, NULL, "no memory for the upload");
    up->req = req;
    up->plan = plan;
    req->state = up;
    enum rc rc = oci_where(req, true, &up->where, &up->err);

    if (rc == RC_OK)
        rc = read(up, &up->err);
    if (rc == RC_OK)
        rc = upload_submit(up, step, next);
    return rc == RC_OK ? HTTP_DECLINED : oci_fail(req, &up->err);
}

enum http_verdict oci_upload_post(struct http_request *req)
{
    return start(req, UPLOAD_BEGIN, read_post, begin_step, begun);
}

enum http_verdict oci_upload_patch(struct http_request *req)
{
    return start(req, UPLOAD_APPEND, read_range, open_step, opened);
}

enum http_verdict oci_upload_put(struct http_request *req)
{
    return start(req, UPLOAD_FINISH, read_put, open_step, opened);
}

enum http_verdict oci_upload_delete(struct http_request *req)
{
    return start(req, UPLOAD_CANCEL, read_nothing, cancel_step, canceled);
}

/* --- GET: a whole request on a work thread --- */

enum http_verdict oci_upload_get(struct http_request *req)
{
    struct err e = {0};
    struct registry_where where;
    struct str id = http_param(req, "id");
    uint64_t saved = 0;
    enum rc rc = oci_where(req, true, &where, &e);

    if (rc == RC_OK)
        rc = registry_upload_stat(admit_store(req), &where, id, &saved, &e);
    if (rc != RC_OK)
        return oci_fail(req, &e);
    add_progress(req, where.repository, id, saved);
    http_answer(req, 204, NULL, STR(""));
    return HTTP_ANSWERED;
}
