/* `/metadata/endpoints`: where a client finds everything else. Three shapes by api-version: the
 * endpoints alone (before 2018), a list of clouds (before 2022), this cloud. */
#include "sts/private.h"

#include "base/encode.h"
#include "json/json.h"

static struct str control_and(struct http_request *req, const char *path)
{
    return arena_printf(&req->arena, "%.*s%s", STR_ARG(admit_control_url(req)), path);
}

static struct json *authentication(struct http_request *req, bool whole)
{
    struct json *j = json_new_object(), *audiences = json_new_array();
    char tenant[UUID_TEXT_MAX];

    json_append(audiences, json_new_str(control_and(req, "/")));
    json_set_str(j, "loginEndpoint", control_and(req, "/adfs"));
    if (whole) {
        json_append(audiences, json_new_str(control_and(req, "")));
        uuid_format(&admission_of(req)->snapshot->identity->tenant, tenant);
        json_set_text(j, "tenant", tenant);
        json_set_text(j, "identityProvider", "ADFS");
    }
    json_set(j, "audiences", audiences);
    return j;
}

static struct json *endpoints_alone(struct http_request *req)
{
    struct json *j = json_new_object();

    json_set_str(j, "galleryEndpoint", control_and(req, "/gallery"));
    json_set_str(j, "graphEndpoint", control_and(req, "/"));
    json_set_str(j, "portalEndpoint", control_and(req, ""));
    json_set(j, "authentication", authentication(req, false));
    return j;
}

/* The registries' names end in the first; clients want the others too, and get names that are
 * nobody's. */
static struct json *suffixes(struct http_request *req)
{
    static const struct {
        const char *member, *prefix;
    } names[] = {
        {"acrLoginServer", ""},
        {"storage", "core."},
        {"keyVaultDns", "vault."},
        {"sqlServerHostname", "database."},
        {"azureDataLakeStoreFileSystem", "datalakestore."},
        {"azureDataLakeAnalyticsCatalogAndJob", "datalakeanalytics."},
    };
    struct str suffix = admit_suffix(req);
    struct json *j = json_new_object();

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        json_set_str(j, names[i].member,
                     arena_printf(&req->arena, "%s%.*s", names[i].prefix, STR_ARG(suffix)));
    return j;
}

static struct json *cloud(struct http_request *req)
{
    static const struct {
        const char *member, *path;
    } urls[] = {
        {"portal", ""},          {"resourceManager", "/"},
        {"gallery", "/gallery"}, {"media", ""},
        {"batch", ""},           {"graphAudience", "/"},
        {"graph", "/"},          {"microsoftGraphResourceId", "/"},
        {"sqlManagement", ""},   {"activeDirectoryDataLake", ""},
    };
    struct json *j = json_new_object();

    json_set_text(j, "name", "Kidoban");
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        json_set_str(j, urls[i].member, control_and(req, urls[i].path));
    json_set(j, "authentication", authentication(req, true));
    json_set(j, "suffixes", suffixes(req));
    return j;
}

/* Dates compare as text. */
static struct json *in_form_of(struct http_request *req, struct str version)
{
    if (version.ptr && str_cmp(version, STR("2018")) < 0)
        return endpoints_alone(req);
    if (!version.ptr || str_cmp(version, STR("2022")) >= 0)
        return cloud(req);
    struct json *list = json_new_array();

    json_append(list, cloud(req));
    return list;
}

enum http_verdict sts_metadata_get(struct http_request *req)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(16 * 1024);
    CLEANUP(json_freep) struct json *j = NULL;
    struct str version = STR_NONE;
    struct err e = {0};

    if (form_text(&req->arena, req->query, "api-version", &version, &e) != RC_OK)
        return sts_fail(req, &e);
    j = in_form_of(req, version);
    json_write(j, &b);
    return sts_answer_json(req, &b);
}
