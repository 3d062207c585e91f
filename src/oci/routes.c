/* The data plane, one line for each endpoint. */
#include "oci/private.h"

#define NAME  "/v2/{name+}"
#define AZURE "/acr/v1/{path+}"

static const struct http_route routes[] = {
    {HTTP_GET, "/v2/", "signed-in", ROUTE_HOT, oci_base_get, oci_base_get},
    {HTTP_GET, "/v2", "signed-in", ROUTE_HOT, oci_base_get, oci_base_get},
    {HTTP_GET, "/v2/_catalog", "catalog", ROUTE_CALL, oci_catalog_get},

    {HTTP_GET, NAME "/manifests/{reference}", "pull", ROUTE_HOT, oci_manifest_get_hot,
     oci_manifest_get},
    {HTTP_PUT, NAME "/manifests/{reference}", "push", ROUTE_CALL, oci_manifest_put},
    {HTTP_DELETE, NAME "/manifests/{reference}", "delete", ROUTE_CALL, oci_manifest_delete},
    {HTTP_GET, NAME "/tags/list", "list", ROUTE_CALL, oci_tags_get},
    {HTTP_GET, NAME "/referrers/{digest}", "pull", ROUTE_CALL, oci_referrers_get},

    {HTTP_POST, NAME "/blobs/uploads/", "push", ROUTE_STREAM, oci_upload_post},
    {HTTP_POST, NAME "/blobs/uploads", "push", ROUTE_STREAM, oci_upload_post},
    {HTTP_GET, NAME "/blobs/uploads/{id}", "push", ROUTE_CALL, oci_upload_get},
    {HTTP_PATCH, NAME "/blobs/uploads/{id}", "push", ROUTE_STREAM, oci_upload_patch},
    {HTTP_PUT, NAME "/blobs/uploads/{id}", "push", ROUTE_STREAM, oci_upload_put},
    {HTTP_DELETE, NAME "/blobs/uploads/{id}", "push", ROUTE_STREAM, oci_upload_delete},
    {HTTP_GET, NAME "/blobs/{digest}", "pull", ROUTE_CALL, oci_blob_get},
    {HTTP_DELETE, NAME "/blobs/{digest}", "delete", ROUTE_CALL, oci_blob_delete},

    /* What az asks about repositories, tags and manifests. */
    {HTTP_GET, AZURE, "signed-in", ROUTE_HOT, oci_azure_refuse, oci_azure_refuse},
    {HTTP_PATCH, AZURE, "signed-in", ROUTE_CALL, oci_azure_refuse},
    {HTTP_DELETE, AZURE, "signed-in", ROUTE_CALL, oci_azure_refuse},

    {HTTP_GET, "/oauth2/token", "public", ROUTE_HOT, oci_token_get, oci_token_get},
    {HTTP_POST, "/oauth2/token", "public", ROUTE_CALL, oci_token_post},
    {HTTP_POST, "/oauth2/exchange", "public", ROUTE_CALL, oci_exchange_post},
};

const struct http_routes oci_routes = {routes, ARRAY_LEN(routes), false};
