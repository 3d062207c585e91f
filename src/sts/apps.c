/* Service principals and their secrets, which are made here and shown once. */
#include "sts/directory.h"

#include "base/clock.h"

enum { SECRET_NAME_MAX = 120, DAYS_MAX = 36500 };
#define DAY_US ((int64_t)86400 * CLOCK_US_PER_S)

/* --- secrets --- */

/* Graph's form says what a secret shall be inside of this. */
static const struct json *graph_credential(const struct directory_call *c)
{
    return json_get_nocase(c->sent, "passwordCredential");
}

static struct str secret_name(const struct directory_call *c)
{
    const struct json *form = graph_credential(c);

    return json_str(json_get_nocase(form ? form : c->sent, "displayName"));
}

static enum rc secret_end(const struct json *end, int64_t now_us, int64_t *ret_us, struct err *e)
{
    int64_t us = 0;
    enum rc rc = clock_parse(json_str(end), &us, e);

    if (rc == RC_OK && us <= now_us)
        return err_set(e, RC_INVALID, "A secret's endDateTime has to be in the future.");
    if (rc == RC_OK)
        *ret_us = us;
    return rc;
}

static enum rc secret_life(const struct directory_call *c, int64_t now_us, int64_t *ret_us,
                           struct err *e)
{
    const struct json *days = json_get_nocase(c->sent, "lifetimeDays");
    const struct json *end = json_get_nocase(graph_credential(c), "endDateTime");

    if (json_given(end))
        return secret_end(end, now_us, ret_us, e);
    if (!json_given(days))
        return RC_OK;
    if (json_type(days) != JSON_INTEGER || json_int(days, 0) < 1 || json_int(days, 0) > DAYS_MAX)
        return err_set(e, RC_INVALID, "lifetimeDays is a number from 1 to %d.", DAYS_MAX);
    *ret_us = now_us + json_int(days, 0) * DAY_US;
    return RC_OK;
}

static enum rc new_secret(struct directory_call *c, struct str name,
                          char out[CRYPTO_SECRET_TEXT_MAX], struct err *e)
{
    struct meta_secret s = {
        .id = uuid_random(),
        .principal = c->principal.object_id,
        .name = name.ptr ? name : STR(""),
        .created_us = clock_wall_us(),
    };
    enum rc rc = secret_life(c, s.created_us, &s.expires_us, e);

    if (rc != RC_OK)
        return rc;
    if (s.name.len > SECRET_NAME_MAX)
        return err_set(e, RC_INVALID, "A secret's displayName has at most %d characters.",
                       SECRET_NAME_MAX);
    s.hash = crypto_secret_hash(crypto_secret(out));
    c->secret = s;
    return RC_OK;
}

static enum http_verdict answer_secret(struct directory_call *c, unsigned status,
                                       char secret[CRYPTO_SECRET_TEXT_MAX])
{
    struct json *j = json_new_object();
    char key[UUID_TEXT_MAX];

    json_set_text(j, "secretText", secret);
    json_set_str(j, "keyId", uuid_format(&c->secret.id, key));
    crypto_wipe(secret, CRYPTO_SECRET_TEXT_MAX);
    return directory_answer(c, status, j);
}

enum http_verdict sts_app_add_password(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    char secret[CRYPTO_SECRET_TEXT_MAX];
    struct err e = {0};

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    enum rc rc = directory_find(&c, META_SERVICE_PRINCIPAL, &e);

    c.replace = json_bool(json_get_nocase(c.sent, "replace"), false);
    if (rc == RC_OK)
        rc = new_secret(&c, secret_name(&c), secret, &e);
    if (rc == RC_OK)
        rc = directory_write(&c, &e);
    return rc == RC_OK ? answer_secret(&c, 200, secret) : directory_fail(req, &e);
}

/* Who took away what lets the request in could not make another: with the last secret the
 * administrator itself would be out. */
static enum rc not_own(const struct directory_call *c, struct err *e)
{
    const struct admission *a = admission_of(c->req);
    const struct snapshot_principal *p =
        snapshot_principal_by_object(a->snapshot, &c->principal.object_id);

    if (!p || !uuid_eq(&p->object_id, &a->principal.object_id))
        return RC_OK;
    for (size_t i = 0; i < p->n_secrets; i++)
        if (uuid_eq(&p->secrets[i].id, &c->remove) &&
            snapshot_credential(p, &p->secrets[i]) == a->principal.generation)
            return err_code(e, RC_CONFLICT, "CredentialInUse",
                            "You signed in with this secret. Add another one (az ad sp credential "
                            "reset --append), sign in with that, and then remove this one.");
    return RC_OK;
}

enum http_verdict sts_app_remove_password(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    struct err e = {0};

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    enum rc rc = directory_find(&c, META_SERVICE_PRINCIPAL, &e);

    if (rc == RC_OK &&
        uuid_parse(json_str(json_get_nocase(c.sent, "keyId")), &c.remove, NULL) != RC_OK)
        rc = err_set(&e, RC_INVALID, "keyId says which secret goes.");
    if (rc == RC_OK)
        rc = not_own(&c, &e);
    if (rc == RC_OK)
        rc = directory_write(&c, &e);
    if (rc == RC_NOT_FOUND)
        err_set(&e, rc, "There is no such secret, or no such service principal.");
    return rc == RC_OK ? directory_answer(&c, 200, NULL) : directory_fail(req, &e);
}

/* --- service principals --- */

enum rc directory_new_app(struct directory_call *c, struct err *e)
{
    c->principal = (struct meta_principal){
        .kind = META_SERVICE_PRINCIPAL,
        .object_id = uuid_random(),
        .app_id = uuid_random(),
        .created_us = clock_wall_us(),
        .generation = 1,
        .enabled = true,
    };
    c->is_new = true;
    enum rc rc = directory_take_common(c, e);

    if (rc == RC_OK && c->principal.name.len == 0)
        return err_set(e, RC_INVALID, "A service principal needs a displayName.");
    return rc;
}

enum http_verdict sts_apps_post(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    char secret[CRYPTO_SECRET_TEXT_MAX];
    struct err e = {0};

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    enum rc rc = directory_new_app(&c, &e);

    if (rc == RC_OK)
        rc = new_secret(&c, json_str(json_get_nocase(c.sent, "secretName")), secret, &e);
    if (rc == RC_OK)
        rc = directory_write(&c, &e);
    return rc == RC_OK ? answer_secret(&c, 201, secret) : directory_fail(req, &e);
}

enum http_verdict sts_app_patch(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    struct err e = {0};

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    enum rc rc = directory_find(&c, META_SERVICE_PRINCIPAL, &e);

    if (rc == RC_OK)
        rc = directory_take_common(&c, &e);
    if (rc == RC_OK)
        rc = directory_write(&c, &e);
    return rc == RC_OK ? directory_answer(&c, 200, NULL) : directory_fail(req, &e);
}

enum http_verdict sts_apps_get(struct http_request *req)
{
    return directory_list(req, META_SERVICE_PRINCIPAL);
}

enum http_verdict sts_app_get(struct http_request *req)
{
    return directory_show(req, META_SERVICE_PRINCIPAL);
}

enum http_verdict sts_app_delete(struct http_request *req)
{
    return directory_remove(req, META_SERVICE_PRINCIPAL);
}
