/* Resource providers: which namespaces and types there are, and which of them a subscription has
 * registered (its stored body: registeredProviders). Registering takes no time here. */
#include "arm/provider.h"

#include "arm/subscription.h"

/* --- what there is --- */
/* Any version is taken: these are what clients choose from. */
/* clang-format off */
#define NETWORK_VERSIONS \
    "2024-05-01 2024-03-01 2024-01-01 2023-11-01 2023-09-01 2023-06-01 2023-05-01 " \
    "2023-04-01 2023-02-01 2022-11-01 2022-09-01 2022-07-01 2022-05-01 2022-01-01 " \
    "2021-12-01 2021-08-01 2021-06-01 2021-05-01 2021-04-01 2021-03-01 2021-02-01 " \
    "2021-01-01 2020-11-01 2020-08-01 2020-07-01 2020-06-01 2020-05-01 2020-04-01 " \
    "2020-03-01 2020-01-01 2019-12-01 2019-11-01 2019-09-01 2019-08-01 2019-07-01 " \
    "2019-06-01 2019-04-01 2019-02-01 2018-12-01 2018-11-01 2018-10-01 2018-08-01 " \
    "2018-07-01 2018-06-01 2018-05-01 2018-04-01 2018-03-01 2018-02-01 2018-01-01 " \
    "2017-11-01 2017-10-01 2017-09-01 2017-08-01 2017-06-01 2017-04-01 2017-03-01 " \
    "2016-12-01 2016-11-01 2016-10-01 2016-09-01"
#define REGISTRY_VERSIONS \
    "2023-11-01-preview 2023-08-01-preview 2023-07-01 2023-06-01-preview " \
    "2023-01-01-preview 2022-12-01 2022-02-01-preview 2021-12-01-preview 2021-09-01 " \
    "2021-08-01-preview 2021-06-01-preview 2020-11-01-preview 2019-12-01-preview " \
    "2019-05-01 2017-10-01 2017-03-01"
#define RESOURCE_VERSIONS \
    "2024-11-01 2024-07-01 2024-03-01 2023-07-01 2022-12-01 2022-09-01 2022-01-01 " \
    "2021-04-01 2021-01-01 2020-10-01 2020-06-01 2019-11-01 2019-10-01 2018-05-01 " \
    "2016-06-01"
#define ROLE_VERSIONS \
    "2022-05-01-preview 2022-04-01 2020-10-01-preview 2020-08-01-preview " \
    "2020-04-01-preview 2018-07-01 2018-01-01-preview 2015-07-01"
#define MOVES "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, "
#define TAGS  "SupportsTags, SupportsLocation"
/* clang-format on */

struct provider_type {
    const char *name, *versions, *otherwise; /* otherwise: defaultApiVersion, or NULL */
    const char *capabilities;
    bool everywhere; /* in every location; else in none */
    bool profiles;   /* part of az's API profiles */
    bool zones;      /* can be in zones, which every location has here */
};
static const struct provider_type registry_types[] = {
    {"registries", REGISTRY_VERSIONS, NULL, MOVES "SystemAssignedResourceIdentity, " TAGS, true,
     false, false},
    {"checkNameAvailability", REGISTRY_VERSIONS, NULL, "None", true, false, false},
    {"operations", REGISTRY_VERSIONS, NULL, "None", true, false, false},
    {"locations", REGISTRY_VERSIONS, NULL, "None", true, false, false},
    {0},
};
static const struct provider_type network_types[] = {
    {"virtualNetworks", NETWORK_VERSIONS, "2020-03-01", MOVES TAGS, true, true, false},
    {"virtualNetworks/subnets", NETWORK_VERSIONS, "2020-03-01", "None", true, false, false},
    {"publicIPAddresses", NETWORK_VERSIONS, "2020-03-01", MOVES TAGS, true, true, true},
    {"applicationSecurityGroups", NETWORK_VERSIONS, "2020-03-01", MOVES TAGS, true, true, false},
    {"networkInterfaces", NETWORK_VERSIONS, "2020-03-01", MOVES TAGS, true, true, false},
    {"networkSecurityGroups", NETWORK_VERSIONS, "2020-03-01", MOVES TAGS, true, true, false},
    {"locations", NETWORK_VERSIONS, NULL, "None", false, true, false},
    {"operations", NETWORK_VERSIONS, NULL, "None", true, false, false},
    {0},
};
static const struct provider_type resource_types[] = {
    {"tenants", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"locations", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"providers", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"subscriptions", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"subscriptions/locations", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"subscriptions/providers", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"subscriptions/resources", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"subscriptions/resourceGroups", RESOURCE_VERSIONS, NULL, "SupportsTags, SupportsLocation",
     true},
    {"subscriptions/resourceGroups/resources", RESOURCE_VERSIONS, NULL, "None", false, false,
     false},
    {"subscriptions/tagNames", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"subscriptions/operationresults", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"resourceGroups", RESOURCE_VERSIONS, NULL, "SupportsTags, SupportsLocation", true, false,
     false},
    {"resources", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {"tags", RESOURCE_VERSIONS, NULL, "None", false, false, false},
    {0},
};
static const struct provider_type role_types[] = {
    {"roleAssignments", ROLE_VERSIONS, NULL, "SupportsExtension", false, false, false},
    {"roleDefinitions", ROLE_VERSIONS, NULL, "SupportsExtension", false, false, false},
    {0},
};
static const struct provider_type no_types[] = {{0}};

static const struct provider {
    const char *name;
    const struct provider_type *types;
    bool always;  /* needs no registration */
    bool offered; /* false: known, and not here */
} providers[] = {
    {"Microsoft.Authorization", role_types, true, true},
    {"Microsoft.Compute", no_types, false, false},
    {"Microsoft.ContainerRegistry", registry_types, false, true},
    {"Microsoft.Network", network_types, false, true},
    {"Microsoft.Resources", resource_types, true, true},
};

static const struct provider *provider_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        if (str_is_nocase(name, providers[i].name))
            return &providers[i];
    return NULL;
}

/* --- what a subscription has registered --- */
static bool listed(const struct json *body, const char *name, size_t *ret_at)
{
    const struct json *list = json_get(body, "registeredProviders");

    for (size_t i = 0; i < json_len(list); i++)
        if (str_is_nocase(json_str(json_at(list, i)), name)) {
            *ret_at = i;
            return true;
        }
    return false;
}

static bool registered(const struct provider *p, const struct json *body)
{
    size_t at;

    return p->always || (p->offered && listed(body, p->name, &at));
}

static enum rc subscription_read(struct meta_tx *tx, struct arena *a, struct str id,
                                 struct meta_resource *ret, struct json **ret_body, struct err *e)
{
    struct meta_resource r = {0};
    enum rc rc = meta_resource_get(tx, a, id, &r, e);

    if (rc == RC_NOT_FOUND)
        return err_code(e, rc, "SubscriptionNotFound",
                        "The subscription '%.*s' could not be found.", STR_ARG(arm_name_of(id)));
    if (rc == RC_OK)
        rc = arm_body_parse(&r, ret_body, e);
    if (rc == RC_OK)
        *ret = r;
    return rc;
}

enum rc arm_provider_registered(struct meta_tx *tx, struct arena *a, struct str subscription_id,
                                struct str provider, bool *ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    const struct provider *p = provider_find(provider);
    struct meta_resource r = {0};
    enum rc rc = subscription_read(tx, a, subscription_id, &r, &body, e);

    if (rc == RC_OK)
        *ret = p && registered(p, body);
    return rc;
}

enum rc arm_provider_required(struct arm_write *w, const struct arm_type *type, struct err *e)
{
    struct str name = str_from(type->name), provider = str_split(&name, '/');
    bool there = false;
    enum rc rc;

    if (!provider_find(provider)) /* our own: not a subscription's business */
        return RC_OK;
    rc = arm_provider_registered(w->tx, w->arena, w->call->subscription_id, provider, &there, e);
    if (rc != RC_OK || there)
        return rc;
    return err_code(e, RC_CONFLICT, "MissingSubscriptionRegistration",
                    "The subscription is not registered to use namespace '%.*s'. See "
                    "https://aka.ms/rps-not-found for how to register subscriptions.",
                    STR_ARG(provider));
}

/* --- rendering --- */
static struct json *words(const char *text)
{
    struct json *list = json_new_array();
    struct str rest = str_from(text);

    while (rest.len > 0)
        json_append(list, json_new_str(str_split(&rest, ' ')));
    return list;
}

/* Which version az's profiles use. */
static struct json *profiles_json(void)
{
    static const char *const profiles[][2] = {{"2017-03-09-profile", "2015-06-15"},
                                              {"2018-03-01-hybrid", "2017-10-01"},
                                              {"2019-03-01-hybrid", "2017-10-01"}};
    struct json *list = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct json *one = json_new_object();

        json_set_text(one, "profileVersion", profiles[i][0]);
        json_set_text(one, "apiVersion", profiles[i][1]);
        json_append(list, one);
    }
    return list;
}

static struct json *zones_json(void)
{
    struct json *list = json_new_array();

    for (size_t i = 0; arm_location_display(i); i++) {
        struct json *one = json_new_object();

        json_set_text(one, "location", arm_location_display(i));
        json_set(one, "zones", words("1 2 3"));
        json_append(list, one);
    }
    return list;
}

static struct json *type_json(const struct provider_type *t)
{
    struct json *out = json_new_object(), *locations = json_new_array();

    json_set_text(out, "resourceType", t->name);
    for (size_t i = 0; t->everywhere && arm_location_display(i); i++)
        json_append(locations, json_new_text(arm_location_display(i)));
    json_set(out, "locations", locations);
    json_set(out, "apiVersions", words(t->versions));
    if (t->otherwise)
        json_set_text(out, "defaultApiVersion", t->otherwise);
    if (t->profiles)
        json_set(out, "apiProfiles", profiles_json());
    if (t->zones)
        json_set(out, "zoneMappings", zones_json());
    json_set_text(out, "capabilities", t->capabilities);
    return out;
}

/* `body` of the subscription; NULL: of no subscription. */
static struct json *provider_json(struct arm_call *c, const struct provider *p,
                                  const struct json *body)
{
    struct json *out = json_new_object(), *types = json_new_array();

    json_set_str(out, "id",
                 arena_printf(c->arena, "%.*s/providers/%s",
                              STR_ARG(c->subscription_id.ptr ? c->subscription_id : STR("")),
                              p->name));
    json_set_text(out, "namespace", p->name);
    json_set(out, "authorizations", json_new_array());
    for (const struct provider_type *t = p->types; t->name; t++)
        json_append(types, type_json(t));
    json_set(out, "resourceTypes", types);
    if (body) {
        json_set_text(out, "registrationState",
                      registered(p, body) ? "Registered" : "NotRegistered");
        json_set_text(out, "registrationPolicy",
                      p->always ? "RegistrationFree" : "RegistrationRequired");
    }
    return out;
}

/* --- reading --- */
static enum rc provider_asked(struct arm_call *c, const struct provider **ret, struct err *e)
{
    struct str name = http_param(c->req, "provider");
    const struct provider *p = provider_find(name);

    if (!p)
        return err_code(e, RC_NOT_FOUND, "InvalidResourceNamespace",
                        "The resource namespace '%.*s' is invalid.", STR_ARG(str_take(name, 200)));
    *ret = p;
    return RC_OK;
}

static enum rc show_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    const struct provider *p = NULL;
    struct meta_resource r = {0};
    enum rc rc = provider_asked(c, &p, e);

    if (rc == RC_OK && c->subscription_id.ptr)
        rc = subscription_read(tx, c->arena, c->subscription_id, &r, &body, e);
    if (rc == RC_OK)
        arm_set_answer(c, provider_json(c, p, body));
    return rc;
}

static enum rc list_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct meta_resource r = {0};
    struct json *list;
    enum rc rc = RC_OK;

    if (c->subscription_id.ptr)
        rc = subscription_read(tx, c->arena, c->subscription_id, &r, &body, e);
    if (rc != RC_OK)
        return rc;
    list = json_new_array();
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        json_append(list, provider_json(c, &providers[i], body));
    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", list);
    return RC_OK;
}

static enum http_verdict answer_read(struct http_request *req, arm_read_fn *fn)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, fn, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

enum http_verdict arm_provider_show(struct http_request *req)
{
    return answer_read(req, show_read);
}

enum http_verdict arm_provider_list(struct http_request *req)
{
    return answer_read(req, list_read);
}

/* --- registering --- */
static enum rc register_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct arm_call *c = w->call;
    const struct provider *p = NULL;
    struct meta_resource r = {0};
    enum rc rc = provider_asked(c, &p, e);

    if (rc == RC_OK && !p->offered)
        return err_set(e, RC_UNSUPPORTED, "This server does not offer the namespace '%s'.",
                       p->name);
    if (rc == RC_OK)
        rc = subscription_read(w->tx, w->arena, c->subscription_id, &r, &body, e);
    if (rc == RC_OK && !registered(p, body)) {
        w->before = r.body;
        json_append(json_get(body, "registeredProviders"), json_new_text(p->name));
        rc = arm_store(w, &r, body, e);
    }
    if (rc == RC_OK)
        arm_set_answer(c, provider_json(c, p, body));
    return rc;
}

static enum rc in_use(const struct meta_resource *r, void *arg, struct err *e)
{
    const char *provider = arg;
    struct str type = r->type;

    if (!str_is_nocase(str_split(&type, '/'), provider))
        return RC_OK;
    return err_code(e, RC_CONFLICT, "CannotUnregisterProvider",
                    "The subscription cannot be unregistered from the namespace '%s' while it has "
                    "resources of it, such as '%.*s'.",
                    provider, STR_ARG(r->id));
}

static enum rc unregister_write(struct arm_write *w, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct arm_call *c = w->call;
    struct str inside = arena_printf(w->arena, "%.*s/", STR_ARG(c->subscription_id));
    const struct provider *p = NULL;
    struct meta_resource r = {0};
    size_t at;
    enum rc rc = provider_asked(c, &p, e);

    if (rc == RC_OK)
        rc = subscription_read(w->tx, w->arena, c->subscription_id, &r, &body, e);
    if (rc == RC_OK && listed(body, p->name, &at)) {
        w->before = r.body;
        json_remove_at(json_get(body, "registeredProviders"), at);
        rc = meta_resource_each(w->tx, inside, STR_NONE, in_use, (void *)(uintptr_t)p->name, e);
        if (rc == RC_OK)
            rc = arm_store(w, &r, body, e);
    }
    if (rc == RC_OK)
        arm_set_answer(c, provider_json(c, p, body));
    return rc;
}

static enum http_verdict answer_write(struct http_request *req, arm_write_fn *fn)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req))
        return HTTP_ANSWERED;
    c.type = &arm_subscription;
    if (!arm_failed(&c, arm_change(&c, fn, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

enum http_verdict arm_provider_register(struct http_request *req)
{
    return answer_write(req, register_write);
}

enum http_verdict arm_provider_unregister(struct http_request *req)
{
    return answer_write(req, unregister_write);
}
