/* Lists: filtered, rendered and cut into pages. */
#include "arm/id.h"
#include "arm/resource.h"
#include "base/encode.h"
#include "http/filter.h"

enum { PAGE_BYTES = 1024 * 1024, LIST_BYTES_MAX = 8 * 1024 * 1024, TOP_MAX = 1000 };

struct list_job {
    struct arm_call *call;
    const struct arm_list *list;
    struct http_filter filter;
    struct buf *out;
    struct str after; /* id of the last one of the page before */
    struct str last;
    uint64_t top, n; /* 0: as many as fit */
    bool more;
};

/* --- $filter --- */
static bool wants(const struct http_filter *f, const char *name, struct str has)
{
    struct str value = http_filter_value(f, name);

    return !value.ptr || str_eq_nocase(value, has);
}

/* A tag's name has no case, its value has. */
static bool tag_wanted(const struct http_filter *f, const struct json *tags)
{
    struct str name = http_filter_value(f, "tagName"), value = http_filter_value(f, "tagValue"),
               key;
    struct json *has;

    if (!name.ptr && !value.ptr)
        return true;
    for (size_t i = 0; json_member(tags, &i, &key, &has);)
        if ((!name.ptr || str_eq_nocase(key, name)) && (!value.ptr || str_eq(json_str(has), value)))
            return true;
    return false;
}

static bool wanted(const struct http_filter *f, const struct meta_resource *r,
                   const struct json *body)
{
    struct arm_id id;

    if (f->n == 0)
        return true;
    if (arm_id_parse(r->id, &id, NULL) != RC_OK)
        return false;
    return wants(f, "name", arm_name_of(r->id)) && wants(f, "resourceType", r->type) &&
           wants(f, "resourceGroup", id.group) &&
           wants(f, "location", json_str(json_get(body, "location"))) &&
           tag_wanted(f, json_get(body, "tags"));
}

static enum rc filter_read(struct list_job *job, struct err *e)
{
    static const char *const offered[] = {
        "name", "resourceType", "resourceGroup", "location", "tagName", "tagValue", NULL};
    static const char *const none[] = {NULL};
    enum rc rc = http_filter_read(job->call->req, &job->filter, e);

    return rc == RC_OK ? http_filter_known(&job->filter, job->list->filtered ? offered : none, e)
                       : rc;
}

/* --- roles --- */
static bool visible(const struct arm_call *c, const struct meta_resource *r)
{
    const struct admission *a = admission_of(c->req);
    const struct arm_type *type = arm_type_find(r->type);
    CLEANUP(buf_done) struct buf action = BUF_INIT(256);

    if (type == &arm_subscription)
        return admit_sees(a->snapshot, &a->principal, r->id);
    if (!type)
        return false;
    buf_addf(&action, "%s/read", arm_type_actions(type));
    return admit_may(a->snapshot, &a->principal, buf_str(&action), r->id);
}

/* --- one after the other --- */
static bool page_full(const struct list_job *job)
{
    return job->out->len > PAGE_BYTES || (job->top > 0 && job->n == job->top);
}

static enum rc list_show(struct list_job *job, const struct meta_resource *r,
                         const struct json *body, struct err *e)
{
    struct arm_view view = arm_view_of(job->call, admission_of(job->call->req)->snapshot);
    CLEANUP(json_freep) struct json *shown = job->list->render(&view, r, body);

    if (!shown)
        return RC_OK;
    if (page_full(job)) { /* this one is the next page's first */
        job->more = true;
        return err_set(e, RC_RANGE, "the page is full");
    }
    if (job->n++ > 0)
        buf_addc(job->out, ',');
    json_write(shown, job->out);
    job->last = arena_copy(job->call->arena, r->id);
    return job->last.ptr ? RC_OK : err_set(e, RC_TOO_LARGE, "The list is too long.");
}

static enum rc list_add(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct list_job *job = arg;
    enum rc rc;

    if (job->after.ptr && str_cmp_nocase(r->id, job->after) <= 0)
        return RC_OK;
    if (!visible(job->call, r))
        return RC_OK;
    rc = arm_body_parse(r, &body, e);
    if (rc != RC_OK || !wanted(&job->filter, r, body))
        return rc;
    return list_show(job, r, body, e);
}

/* --- pages --- */
enum rc arm_skip_token_parse(struct str token, struct arena *a, struct str *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf id = BUF_INIT(2 * ARM_ID_MAX);
    struct str copy = STR_NONE;

    if (base64url_decode(token, &id, NULL) == RC_OK && id.len > 0 && id.ptr[0] == '/' &&
        utf8_valid(buf_str(&id)))
        copy = arena_copy(a, buf_str(&id));
    if (!copy.ptr)
        return err_code(e, RC_INVALID, "InvalidSkipToken", "The $skiptoken is not valid.");
    *ret = copy;
    return RC_OK;
}

static enum rc page_read(struct list_job *job, struct err *e)
{
    struct http_request *req = job->call->req;
    struct str token, top;
    enum rc rc = http_query(req, "$skiptoken", &token, e);

    if (rc == RC_OK)
        rc = arm_skip_token_parse(token, job->call->arena, &job->after, e);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    rc = http_query(req, "$top", &top, e);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc == RC_OK && (str_to_u64(top, &job->top) != RC_OK || job->top == 0 || job->top > TOP_MAX))
        return err_code(e, RC_INVALID, "InvalidTopInQueryString",
                        "The $top of a list is a number from 1 to %d.", TOP_MAX);
    return rc;
}

/* What was asked, without the place where it went on. */
static void add_query(struct buf *url, struct str query)
{
    while (query.len > 0) {
        struct str one = str_split(&query, '&'), rest = one, name = str_split(&rest, '=');

        if (one.len == 0 || str_is_nocase(name, "$skiptoken") ||
            str_is_nocase(name, "%24skiptoken"))
            continue;
        buf_add(url, one);
        buf_addc(url, '&');
    }
}

static void next_link(struct list_job *job)
{
    CLEANUP(buf_done) struct buf url = BUF_INIT(64 * 1024);
    struct http_request *req = job->call->req;

    buf_add(&url, admit_base_url(req));
    buf_add(&url, req->path);
    buf_addc(&url, '?');
    add_query(&url, req->query);
    buf_add(&url, STR("$skiptoken="));
    base64url_encode(&url, job->last);
    buf_add(job->out, STR(",\"nextLink\":"));
    buf_add_json(job->out, buf_str(&url));
}

void arm_answer_list(struct arm_call *c, struct meta_tx *tx, const struct arm_list *list)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(LIST_BYTES_MAX);
    struct list_job job = {.call = c, .list = list, .out = &out};
    struct err e = {0};
    enum rc rc = filter_read(&job, &e);

    if (rc == RC_OK)
        rc = page_read(&job, &e);
    buf_add(&out, STR("{\"value\":["));
    if (rc == RC_OK)
        rc = meta_resource_each_from(tx, list->prefix, job.after, list->type, list_add, &job, &e);
    if (arm_failed(c, job.more ? RC_OK : rc, &e))
        return;
    buf_addc(&out, ']');
    if (job.more)
        next_link(&job);
    buf_addc(&out, '}');
    if (!arm_failed(c, buf_status(&out, &e), &e))
        http_answer(c->req, 200, "application/json; charset=utf-8",
                    arena_copy(c->arena, buf_str(&out)));
}

/* --- those of a type --- */
static enum rc list_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct arm_list list = {.type = str_from(c->type->name),
                            .render = c->type->render,
                            .filtered = c->type->scope == ARM_SCOPE_SUBSCRIPTION};
    enum rc rc = arm_id_of_call(c, tx, &list.prefix, e);

    if (rc == RC_OK)
        arm_answer_list(c, tx, &list);
    return rc;
}

enum http_verdict arm_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req))
        (void)arm_failed(&c, arm_read(&c, list_read, &e), &e);
    return HTTP_ANSWERED;
}
