/* What Microsoft Graph's clients ask of a directory, as far as there is one here: users, service
 * principals (an application is the same thing), no groups. */
#include "sts/directory.h"

enum { IDS_MAX = 1000 }; /* as Graph has it */

/* Graph answers these without a body. */
static enum http_verdict without_body(struct http_request *req, enum http_verdict v)
{
    if (v == HTTP_ANSWERED && req->response.status == 200)
        http_answer(req, 204, NULL, STR(""));
    return v;
}

enum http_verdict sts_graph_app_patch(struct http_request *req)
{
    return without_body(req, sts_app_patch(req));
}

enum http_verdict sts_graph_remove_password(struct http_request *req)
{
    return without_body(req, sts_app_remove_password(req));
}

enum http_verdict sts_graph_user_patch(struct http_request *req)
{
    return without_body(req, sts_user_patch(req));
}

enum http_verdict sts_graph_user_password_patch(struct http_request *req)
{
    return without_body(req, sts_user_password_patch(req));
}

/* --- reading --- */

static enum rc me_find(struct http_request *req, const struct snapshot_principal **ret,
                       struct err *e)
{
    const struct admission *a = admission_of(req);
    const struct snapshot_principal *p =
        snapshot_principal_by_object(a->snapshot, &a->principal.object_id);

    if (!p || p->kind != META_USER)
        return err_code(e, RC_INVALID, "BadRequest",
                        "/me request is only valid with delegated authentication flow.");
    *ret = p;
    return RC_OK;
}

enum http_verdict sts_graph_me(struct http_request *req)
{
    CLEANUP(json_freep) struct json *j = json_new_object();
    const struct snapshot_principal *p;
    struct err e = {0};

    if (me_find(req, &p, &e) != RC_OK)
        return directory_fail(req, &e);
    directory_render(p, j);
    return directory_answer_json(req, 200, j);
}

enum http_verdict sts_graph_owned(struct http_request *req)
{
    const struct snapshot_principal *p;
    struct err e = {0};

    if (me_find(req, &p, &e) == RC_OK)
        err_set(&e, RC_UNSUPPORTED, "This server does not keep who owns what in its directory.");
    return directory_fail(req, &e);
}

static void add_by_id(const struct snapshot *s, struct str id, struct json *list)
{
    const struct snapshot_principal *p = NULL;
    struct json *one;
    struct uuid u;

    if (uuid_parse(id, &u, NULL) == RC_OK)
        p = snapshot_principal_by_object(s, &u);
    if (!p)
        return;
    one = json_new_object();
    json_set_text(one, "@odata.type",
                  p->kind == META_USER ? "#microsoft.graph.user"
                                       : "#microsoft.graph.servicePrincipal");
    directory_render(p, one);
    json_append(list, one);
}

enum http_verdict sts_graph_by_ids(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    CLEANUP(json_freep) struct json *j = json_new_object();
    struct json *list = json_new_array();
    const struct json *ids;
    struct err e = {0};

    json_set(j, "value", list);
    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    ids = json_get_nocase(c.sent, "ids");
    if (json_type(ids) != JSON_ARRAY || json_len(ids) > IDS_MAX) {
        err_set(&e, RC_INVALID, "ids is a list of at most %d object ids.", IDS_MAX);
        return directory_fail(req, &e);
    }
    for (size_t i = 0; i < json_len(ids); i++)
        add_by_id(admission_of(req)->snapshot, json_str(json_at(ids, i)), list);
    return directory_answer_json(req, 200, j);
}

enum http_verdict sts_graph_groups(struct http_request *req)
{
    CLEANUP(json_freep) struct json *j = json_new_object();

    json_set(j, "value", json_new_array());
    return directory_answer_json(req, 200, j);
}

/* --- making --- */

enum http_verdict sts_graph_application_post(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    struct err e = {0};

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    enum rc rc = directory_new_app(&c, &e);

    if (rc == RC_OK)
        rc = directory_write(&c, &e);
    return rc == RC_OK ? directory_answer(&c, 201, NULL) : directory_fail(req, &e);
}

/* It came into being with its application. */
enum http_verdict sts_graph_service_principal_post(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    const struct snapshot_principal *p = NULL;
    struct err e = {0};
    struct uuid app;

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    if (uuid_parse(json_str(json_get_nocase(c.sent, "appId")), &app, NULL) == RC_OK)
        p = snapshot_principal_by_app(admission_of(req)->snapshot, &app);
    if (!p) {
        err_code(&e, RC_INVALID, "Request_BadRequest", "There is no application with this appId.");
        return directory_fail(req, &e);
    }
    c.principal.object_id = p->object_id;
    return directory_answer(&c, 201, NULL);
}

enum http_verdict sts_graph_not_offered(struct http_request *req)
{
    struct err e = {0};

    err_set(&e, RC_UNSUPPORTED, "This server does not offer '%.*s' of the directory (%.*s).",
            STR_ARG(str_take(http_param(req, "rest"), 200)), STR_ARG(req->method_text));
    return directory_fail(req, &e);
}
