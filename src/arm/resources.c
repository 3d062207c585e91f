/* Resources of every type in one list: how clients find an id by its name. And what is not there at
 * all. */
#include "arm/resources.h"

#include "arm/operation.h"
#include "arm/registry.h"
#include "base/clock.h"

/* What is where: not groups, nor what is only part of something else. */
static bool tracked(const struct meta_resource *r, const struct json *body)
{
    return json_get(body, "location") && !str_is_nocase(r->type, arm_group.name);
}

static void set_time(struct json *out, const char *member, int64_t us)
{
    char text[CLOCK_TEXT_MAX];

    json_set_str(out, member, clock_format_z(us, text));
}

static struct json *plain_render(const struct arm_view *v, const struct meta_resource *r,
                                 const struct json *body)
{
    struct json *out;

    (void)v;
    if (!tracked(r, body))
        return NULL;
    out = json_new_object();
    json_set_str(out, "id", r->id);
    json_set_str(out, "name", arm_name_of(r->id));
    json_set_str(out, "type", r->type);
    if (json_get(body, "sku"))
        json_set(out, "sku", json_clone(json_get(body, "sku")));
    json_set_str(out, "location", json_str(json_get(body, "location")));
    if (json_get(body, "tags"))
        json_set(out, "tags", json_clone(json_get(body, "tags")));
    if (json_get(body, "createdBy"))
        json_set(out, "systemData", registry_render_system_data(r, body));
    return out;
}

/* With all that $expand can ask for. */
static struct json *expanded_render(const struct arm_view *v, const struct meta_resource *r,
                                    const struct json *body)
{
    struct json *out = plain_render(v, r, body);

    if (!out)
        return NULL;
    set_time(out, "createdTime", r->created_us);
    set_time(out, "changedTime", r->changed_us);
    json_set_text(out, "provisioningState", arm_state(body));
    return out;
}

static enum rc find_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct arm_list list = {.render = plain_render, .filtered = true};
    struct meta_resource group = {0};
    struct str expand;
    enum rc rc = c->group.ptr ? arm_group_get(c, tx, &group, e) : RC_OK;

    if (rc != RC_OK)
        return rc;
    list.prefix =
        arena_printf(c->arena, "%.*s/", STR_ARG(c->group.ptr ? group.id : c->subscription_id));
    if (http_query(c->req, "$expand", &expand, NULL) == RC_OK && expand.len > 0)
        list.render = expanded_render;
    arm_answer_list(c, tx, &list);
    return RC_OK;
}

enum http_verdict arm_resources_find(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req))
        (void)arm_failed(&c, arm_read(&c, find_read, &e), &e);
    return HTTP_ANSWERED;
}

/* --- not there --- */
static const char *const providers[] = {"Microsoft.Authorization",     "Microsoft.Compute",
                                        "Microsoft.ContainerRegistry", "Microsoft.Network",
                                        "Microsoft.Resources",         "Kidoban.Network"};

static void not_offered(struct http_request *req, struct str what)
{
    struct str text = arena_printf(&req->arena, "This server does not offer '%.*s' (%.*s).",
                                   STR_ARG(str_take(what, 300)), STR_ARG(req->method_text));

    arm_error(req, 400, "NotSupported", text.ptr);
}

enum http_verdict arm_not_offered(struct http_request *req)
{
    not_offered(req, http_param(req, "rest"));
    return HTTP_ANSWERED;
}

enum http_verdict arm_unknown(struct http_request *req)
{
    struct str rest = http_param(req, "rest"), whole = rest, provider = str_split(&rest, '/');
    struct str text;

    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        if (str_is_nocase(provider, providers[i])) {
            not_offered(req, whole);
            return HTTP_ANSWERED;
        }
    text = arena_printf(
        &req->arena,
        "No registered resource provider found for the namespace '%.*s'. This server has "
        "Microsoft.Authorization, Microsoft.ContainerRegistry, Microsoft.Network, "
        "Microsoft.Resources and Kidoban.Network.",
        STR_ARG(str_take(provider, 100)));
    arm_error(req, 400, "NoRegisteredProviderFound", text.ptr);
    return HTTP_ANSWERED;
}
