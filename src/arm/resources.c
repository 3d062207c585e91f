/* GET /subscriptions/{S}/resources: how clients find a resource's id by its name. And what is not
 * there at all. */
#include "arm/resources.h"
#include "arm/registry.h"

static struct json *generic_render(const struct arm_view *v, const struct meta_resource *r,
                                   const struct json *body)
{
    struct json *out = json_new_object();

    (void)v;
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

/* `resourceType eq 'X'`: X. */
static enum rc filter_read(struct arm_call *c, struct str *ret, struct err *e)
{
    struct str filter, word;
    enum rc rc = http_query(c->req, "$filter", &filter, e);

    if (rc == RC_OK) {
        filter = str_trim(filter);
        word = str_split(&filter, ' ');
        filter = str_trim(filter);
        if (str_is_nocase(word, "resourceType") && str_is_nocase(str_split(&filter, ' '), "eq")) {
            filter = str_trim(filter);
            if (filter.len > 2 && filter.ptr[0] == '\'' &&
                str_find(str_skip(filter, 1), '\'') == filter.len - 2) {
                *ret = str_take(str_skip(filter, 1), filter.len - 2);
                return RC_OK;
            }
        }
    }
    return err_code(e, RC_UNSUPPORTED, "NotSupported",
                    "This list needs a filter of the form $filter=resourceType eq "
                    "'Namespace/type'; no other form is offered.");
}

static enum rc find_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct str type = STR_NONE;
    enum rc rc = filter_read(c, &type, e);

    if (rc != RC_OK)
        return rc;
    arm_answer_list(c, tx, arena_printf(c->arena, "%.*s/", STR_ARG(c->subscription_id)), type,
                    generic_render);
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
static const char *const providers[] = {"Microsoft.ContainerRegistry", "Microsoft.Network",
                                        "Microsoft.Resources", "Kidoban.Network"};

enum http_verdict arm_unknown(struct http_request *req)
{
    struct str rest = http_param(req, "rest"), whole = rest, provider = str_split(&rest, '/');
    struct str text;

    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        if (!str_is_nocase(provider, providers[i]))
            continue;
        text = arena_printf(&req->arena, "This server does not offer '%.*s' (%.*s).",
                            STR_ARG(str_take(whole, 300)), STR_ARG(req->method_text));
        arm_error(req, 400, "NotSupported", text.ptr);
        return HTTP_ANSWERED;
    }
    text = arena_printf(
        &req->arena,
        "No registered resource provider found for the namespace '%.*s'. This server has "
        "Microsoft.ContainerRegistry, Microsoft.Network, Microsoft.Resources and Kidoban.Network.",
        STR_ARG(str_take(provider, 100)));
    arm_error(req, 400, "NoRegisteredProviderFound", text.ptr);
    return HTTP_ANSWERED;
}
