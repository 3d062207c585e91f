/* What users and service principals have in common: reading, finding, writing, showing. */
#include "sts/directory.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/filter.h"

enum { NAME_MAX_LENGTH = 256, SECRETS_MAX = 50 };

/* --- errors, as ARM says them --- */

enum http_verdict directory_fail(struct http_request *req, const struct err *e)
{
    const struct admit_status *s = admit_status_of(e->rc);
    bool ours = s->status == 500;

    if (ours)
        log_error("identity.failed", F_TEXT("error", e->text), F_TEXT("rc", rc_name(e->rc)));
    admit_refuse(req, s->status, e->code ? e->code : s->code,
                 ours ? "The server encountered an internal error." : e->text, "allow");
    return HTTP_ANSWERED;
}

/* --- reading --- */

bool directory_begin(struct directory_call *c, struct http_request *req)
{
    struct err e = {0};
    enum rc rc = RC_OK;

    *c = (struct directory_call){.req = req};
    if (req->body.len == 0)
        c->sent = json_new_object();
    else
        rc = json_parse(req->body, NULL, &c->sent, &e);
    if (rc == RC_OK && json_type(c->sent) != JSON_OBJECT)
        rc = err_set(&e, RC_INVALID, "The body has to be a JSON object.");
    if (rc == RC_OK)
        return true;
    directory_done(c);
    directory_fail(req, &e);
    return false;
}

void directory_done(struct directory_call *c)
{
    json_free(c->sent);
    crypto_wipe(c->password, sizeof(c->password));
    c->sent = NULL;
}

static const struct snapshot_principal *named(const struct snapshot *s, struct str id)
{
    const struct snapshot_principal *p = NULL;
    struct uuid u;

    if (uuid_parse(id, &u, NULL) != RC_OK)
        return snapshot_principal_by_upn(s, id);
    p = snapshot_principal_by_object(s, &u);
    return p ? p : snapshot_principal_by_app(s, &u);
}

static void copy(const struct snapshot_principal *from, struct meta_principal *to)
{
    *to = (struct meta_principal){
        .kind = from->kind,
        .object_id = from->object_id,
        .app_id = from->app_id,
        .name = from->name,
        .upn = from->upn,
        .password = from->password,
        .generation = from->generation,
        .created_us = from->created_us,
        .enabled = from->enabled,
        .administrator = from->administrator,
    };
}

enum rc directory_find(struct directory_call *c, enum meta_principal_kind kind, struct err *e)
{
    struct str id = http_param(c->req, "id");
    const struct snapshot_principal *p = named(admission_of(c->req)->snapshot, id);

    if (!p || p->kind != kind)
        return err_set(e, RC_NOT_FOUND, "There is no %s '%.*s'.",
                       kind == META_USER ? "user" : "service principal",
                       (int)(id.len < 200 ? id.len : 200), id.ptr);
    copy(p, &c->principal);
    return RC_OK;
}

enum rc directory_take_common(struct directory_call *c, struct err *e)
{
    const struct json *name = json_get_nocase(c->sent, "displayName");
    const struct json *enabled = json_get_nocase(c->sent, "accountEnabled");

    if (json_len(json_get_nocase(c->sent, "keyCredentials")) > 0)
        return err_set(e, RC_UNSUPPORTED,
                       "This server does not offer signing in with a certificate: use a secret.");
    if (json_given(name)) {
        c->principal.name = json_str(name);
        c->set.name = true;
        if (str_trim(c->principal.name).len == 0 || c->principal.name.len > NAME_MAX_LENGTH)
            return err_set(e, RC_INVALID, "displayName has 1 to %d characters.", NAME_MAX_LENGTH);
    }
    if (!json_given(enabled))
        return RC_OK;
    if (json_type(enabled) != JSON_BOOL)
        return err_set(e, RC_INVALID, "accountEnabled is true or false.");
    bool now = json_bool(enabled, true);

    if (!now && c->principal.administrator)
        return err_code(e, RC_CONFLICT, "AdministratorNeeded",
                        "The administrator cannot be disabled.");
    c->principal.enabled = now;
    c->set.enabled = true;
    return RC_OK;
}

/* --- writing --- */

static enum rc judge_newest(const struct snapshot *s, void *arg, struct err *e)
{
    return admit_control_stands(arg, s, e);
}

/* A hashed password waited its turn: who asks may have lost meanwhile what let the request in. */
enum rc directory_judge(struct http_request *req, struct err *e)
{
    return snapshot_with_newest(admit_hub(req), judge_newest, req, e);
}

enum rc directory_audit(struct meta_tx *tx, struct http_request *req, struct str target,
                        struct str after, struct err *e)
{
    char address[IP_TEXT_MAX];
    const struct meta_audit entry = {
        .at_us = clock_wall_us(),
        .principal = str_from(admission_of(req)->principal.name),
        .address = ip_format(&req->evidence->peer, address),
        .operation = str_from(req->route->access),
        .target = target,
        .before = STR(""),
        .after = after,
    };

    return meta_audit_add(tx, &entry, e);
}

static enum rc audit(struct meta_tx *tx, const struct directory_call *c, struct err *e)
{
    const struct meta_principal *p = &c->principal;
    CLEANUP(buf_done) struct buf target = BUF_INIT(512);
    char id[UUID_TEXT_MAX];

    uuid_format(&p->object_id, id);
    buf_addf(&target, "/providers/Kidoban.Identity/%s/%s",
             p->kind == META_USER ? "users" : "servicePrincipals", id);
    return directory_audit(tx, c->req, buf_str(&target), p->kind == META_USER ? p->upn : p->name,
                           e);
}

static enum rc count_secret(const struct meta_secret *s, void *arg, struct err *e)
{
    size_t *n = arg;

    (void)s;
    (void)e;
    ++*n;
    return RC_OK;
}

static enum rc add_secret(struct meta_tx *tx, const struct meta_secret *s, struct err *e)
{
    size_t n = 0;
    enum rc rc = meta_secret_each(tx, &s->principal, count_secret, &n, e);

    if (rc == RC_OK && n >= SECRETS_MAX)
        return err_code(e, RC_CONFLICT, "TooManyCredentials",
                        "A service principal has at most %d secrets.", SECRETS_MAX);
    return rc == RC_OK ? meta_secret_add(tx, s, e) : rc;
}

static enum rc write_secrets(struct meta_tx *tx, const struct directory_call *c, struct err *e)
{
    const struct uuid *id = &c->principal.object_id;
    enum rc rc = RC_OK;

    if (c->replace)
        rc = meta_secret_delete(tx, id, NULL, e);
    if (rc == RC_OK && !uuid_is_nil(&c->remove))
        rc = meta_secret_delete(tx, id, &c->remove, e);
    if (rc == RC_OK && digest_is_set(&c->secret.hash))
        rc = add_secret(tx, &c->secret, e);
    return rc;
}

/* What others changed since the request came stays: only what was sent is set. True: what its
 * credentials vouched for is over. (A secret that goes takes with it what it vouched for.) */
static bool apply(const struct directory_call *c, struct meta_principal *p)
{
    bool ended = c->set.password || (c->set.enabled && p->enabled && !c->principal.enabled);

    if (c->set.name)
        p->name = c->principal.name;
    if (c->set.enabled)
        p->enabled = c->principal.enabled;
    if (c->set.password)
        p->password = c->principal.password;
    p->generation += ended ? 1 : 0;
    return ended;
}

static enum rc next_principal(struct meta_tx *tx, const struct directory_call *c, struct arena *a,
                              struct meta_principal *ret, bool *ret_ended, struct err *e)
{
    struct meta_principal p = c->principal;

    if (!c->is_new) {
        enum rc rc = meta_principal_get(tx, a, &c->principal.object_id, &p, e);

        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? err_set(e, rc, "It was deleted meanwhile.") : rc;
        *ret_ended = apply(c, &p);
    }
    *ret = p;
    return RC_OK;
}

static enum rc write_fn(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                        struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(64 * 1024);
    struct directory_call *c = arg;
    struct meta_principal next;
    bool ended = false;
    enum rc rc = directory_judge(c->req, e);

    if (rc == RC_OK)
        rc = next_principal(tx, c, &a, &next, &ended, e);
    if (rc == RC_OK)
        rc = meta_principal_put(tx, &next, e);
    if (rc == RC_OK)
        rc = write_secrets(tx, c, e);
    if (rc == RC_OK && ended)
        rc = meta_refresh_end_principal(tx, &next.object_id, e);
    snapshot_touch_identity(change);
    return rc == RC_OK ? audit(tx, c, e) : rc;
}

enum rc directory_write(struct directory_call *c, struct err *e)
{
    enum rc rc = snapshot_change(admit_hub(c->req), write_fn, c, e);

    if (rc == RC_EXISTS)
        return err_set(e, rc, "There is already a user '%.*s'.", STR_ARG(c->principal.upn));
    return rc;
}

static enum rc delete_fn(struct meta_tx *tx, struct snapshot_change *change, void *arg,
                         struct err *e)
{
    struct directory_call *c = arg;
    enum rc rc = directory_judge(c->req, e);

    if (rc == RC_OK)
        rc = meta_principal_delete(tx, &c->principal.object_id, e);
    if (rc == RC_OK)
        rc = meta_refresh_end_principal(tx, &c->principal.object_id, e);
    snapshot_touch_identity(change);
    return rc == RC_OK ? audit(tx, c, e) : rc;
}

enum rc directory_delete(struct directory_call *c, struct err *e)
{
    if (c->principal.administrator)
        return err_code(e, RC_CONFLICT, "AdministratorNeeded",
                        "The administrator cannot be deleted.");
    return snapshot_change(admit_hub(c->req), delete_fn, c, e);
}

/* --- showing --- */

static void set_uuid(struct json *j, const char *member, const struct uuid *u)
{
    char text[UUID_TEXT_MAX];

    json_set_str(j, member, uuid_format(u, text));
}

static void set_time(struct json *j, const char *member, int64_t us)
{
    char text[CLOCK_TEXT_MAX];

    json_set(j, member, us > 0 ? json_new_str(clock_format_z(us, text)) : json_new_null());
}

static struct json *secrets_shown(const struct snapshot_principal *p)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < p->n_secrets; i++) {
        struct json *one = json_new_object();

        json_set_str(one, "displayName", p->secrets[i].name);
        set_time(one, "endDateTime", p->secrets[i].expires_us);
        set_uuid(one, "keyId", &p->secrets[i].id);
        set_time(one, "startDateTime", p->secrets[i].created_us);
        json_append(list, one);
    }
    return list;
}

void directory_render(const struct snapshot_principal *p, struct json *j)
{
    set_uuid(j, "id", &p->object_id);
    json_set_str(j, "displayName", p->name);
    json_set(j, "accountEnabled", json_new_bool(p->enabled));
    set_time(j, "createdDateTime", p->created_us);
    if (p->kind == META_USER) {
        json_set_str(j, "userPrincipalName", p->upn);
        return;
    }
    struct json *names = json_new_array();
    char app[UUID_TEXT_MAX];

    json_append(names, json_new_str(uuid_format(&p->app_id, app)));
    set_uuid(j, "appId", &p->app_id);
    json_set(j, "servicePrincipalNames", names);
    json_set_text(j, "servicePrincipalType", "Application");
    json_set_str(j, "appDisplayName", p->name);
    json_set(j, "passwordCredentials", secrets_shown(p));
    json_set(j, "keyCredentials", json_new_array());
    json_set(j, "requiredResourceAccess", json_new_array());
    json_set(j, "administrator", json_new_bool(p->administrator));
}

enum http_verdict directory_answer_json(struct http_request *req, unsigned status,
                                        const struct json *j)
{
    struct str body = json_write_arena(j, &req->arena);

    sts_no_store(req);
    http_answer(req, body.ptr ? status : 503, "application/json; charset=utf-8", body);
    return HTTP_ANSWERED;
}

struct showing {
    const struct uuid *object_id;
    struct json *to;
};

static enum rc show_newest(const struct snapshot *s, void *arg, struct err *e)
{
    struct showing *x = arg;
    const struct snapshot_principal *p = snapshot_principal_by_object(s, x->object_id);

    if (!p)
        return err_set(e, RC_NOT_FOUND, "It was deleted meanwhile.");
    directory_render(p, x->to);
    return RC_OK;
}

enum http_verdict directory_answer(struct directory_call *c, unsigned status, struct json *extra)
{
    CLEANUP(json_freep) struct json *j = extra ? extra : json_new_object();
    struct showing x = {&c->principal.object_id, j};
    struct err e = {0};

    if (snapshot_with_newest(admit_hub(c->req), show_newest, &x, &e) != RC_OK)
        return directory_fail(c->req, &e);
    return directory_answer_json(c->req, status, j);
}

/* --- lists --- */

static bool is_uuid(struct str text, const struct uuid *u)
{
    char own[UUID_TEXT_MAX];

    return str_eq_nocase(text, uuid_format(u, own));
}

static bool begins_nocase(struct str s, struct str with)
{
    return s.len >= with.len && str_eq_nocase(str_take(s, with.len), with);
}

static bool term_holds(const struct http_filter_term *t, const struct snapshot_principal *p)
{
    if (t->kind == HTTP_FILTER_CALL)
        return str_is_nocase(t->property, "displayName") && begins_nocase(p->name, t->value);
    if (str_is_nocase(t->name, "id"))
        return is_uuid(t->value, &p->object_id);
    if (str_is_nocase(t->name, "displayName"))
        return str_eq_nocase(t->value, p->name);
    if (str_is_nocase(t->name, "userPrincipalName"))
        return p->kind == META_USER && str_eq_nocase(t->value, p->upn);
    if (str_is_nocase(t->name, "identifierUris")) /* nothing has one */
        return false;
    return p->kind == META_SERVICE_PRINCIPAL && is_uuid(t->value, &p->app_id);
}

static bool listed(const struct http_filter *f, const struct snapshot_principal *p)
{
    for (size_t i = 0; i < f->n; i++)
        if (!term_holds(&f->terms[i], p))
            return false;
    return true;
}

static enum rc filter_read(struct http_request *req, struct http_filter *ret, struct err *e)
{
    static const char *const offered[] = {"id",
                                          "appId",
                                          "displayName",
                                          "startswith",
                                          "userPrincipalName",
                                          "servicePrincipalNames",
                                          "identifierUris",
                                          NULL};
    enum rc rc = http_filter_read(req, ret, e);

    return rc == RC_OK ? http_filter_known(ret, offered, e) : rc;
}

enum http_verdict directory_list(struct http_request *req, enum meta_principal_kind kind)
{
    const struct snapshot_identity *i = admission_of(req)->snapshot->identity;
    CLEANUP(json_freep) struct json *j = json_new_object();
    struct json *list = json_new_array();
    struct http_filter filter = {.n = 0};
    struct err e = {0};

    json_set(j, "value", list);
    if (filter_read(req, &filter, &e) != RC_OK)
        return directory_fail(req, &e);
    for (size_t k = 0; k < i->n_principals; k++) {
        if (i->principals[k].kind != kind || !listed(&filter, &i->principals[k]))
            continue;
        struct json *one = json_new_object();

        directory_render(&i->principals[k], one);
        json_append(list, one);
    }
    return directory_answer_json(req, 200, j);
}

enum http_verdict directory_show(struct http_request *req, enum meta_principal_kind kind)
{
    struct directory_call c = {.req = req};
    struct err e = {0};

    return directory_find(&c, kind, &e) == RC_OK ? directory_answer(&c, 200, NULL)
                                                 : directory_fail(req, &e);
}

enum http_verdict directory_remove(struct http_request *req, enum meta_principal_kind kind)
{
    struct directory_call c = {.req = req};
    struct err e = {0};
    enum rc rc = directory_find(&c, kind, &e);

    if (rc == RC_OK)
        rc = directory_delete(&c, &e);
    if (rc != RC_OK)
        return directory_fail(req, &e);
    http_answer(req, 204, NULL, STR(""));
    return HTTP_ANSWERED;
}
