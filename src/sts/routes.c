/* The identity endpoints in the forms that clients know: under /adfs, where the tenant is not part
 * of the path, and under the tenant's id, with and without a version. */
#include "sts/private.h"

#define CONFIGURATION "/.well-known/openid-configuration"
#define TOKEN         ROUTE_CALL, sts_token_post, sts_token_password_post

static const struct http_route routes[] = {
    {HTTP_GET, "/adfs" CONFIGURATION, "public", ROUTE_CALL, sts_discovery_get, NULL},
    {HTTP_GET, "/adfs/discovery/keys", "public", ROUTE_CALL, sts_keys_get, NULL},
    {HTTP_POST, "/adfs/oauth2/token", "public", TOKEN},
    {HTTP_POST, "/adfs/oauth2/devicecode", "public", ROUTE_CALL, sts_device_code_post, NULL},

    {HTTP_GET, "/common/discovery/instance", "public", ROUTE_CALL, sts_instance_get, NULL},
    {HTTP_GET, "/{tenant}/userrealm/{user}", "public", ROUTE_CALL, sts_realm_get, NULL},
    {HTTP_GET, "/{tenant}/v2.0" CONFIGURATION, "public", ROUTE_CALL, sts_tenant_discovery_get,
     NULL},
    {HTTP_GET, "/{tenant}" CONFIGURATION, "public", ROUTE_CALL, sts_tenant_discovery_get, NULL},
    {HTTP_GET, "/{tenant}/discovery/v2.0/keys", "public", ROUTE_CALL, sts_keys_get, NULL},
    {HTTP_GET, "/{tenant}/discovery/keys", "public", ROUTE_CALL, sts_keys_get, NULL},
    {HTTP_POST, "/{tenant}/oauth2/v2.0/token", "public", TOKEN},
    {HTTP_POST, "/{tenant}/oauth2/token", "public", TOKEN},
    {HTTP_POST, "/{tenant}/oauth2/v2.0/devicecode", "public", ROUTE_CALL, sts_device_code_post,
     NULL},
    {HTTP_POST, "/{tenant}/oauth2/devicecode", "public", ROUTE_CALL, sts_device_code_post, NULL},

    {HTTP_GET, STS_DEVICE_PAGE, "public", ROUTE_CALL, sts_device_page_get, NULL},
    {HTTP_POST, STS_DEVICE_PAGE, "public", ROUTE_CALL, sts_device_page_post,
     sts_device_page_password_post},

    {HTTP_GET, "/metadata/endpoints", "public", ROUTE_CALL, sts_metadata_get, NULL},
};

const struct http_routes sts_routes = {routes, ARRAY_LEN(routes), true};
