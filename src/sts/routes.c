/* The identity endpoints in both forms that clients know: under /adfs, where the tenant is not part
 * of the path, and under the tenant's id. */
#include "sts/private.h"

#define CONFIGURATION "/.well-known/openid-configuration"

static const struct http_route routes[] = {
    {HTTP_GET, "/adfs" CONFIGURATION, "public", ROUTE_CALL, sts_discovery_get},
    {HTTP_GET, "/adfs/discovery/keys", "public", ROUTE_CALL, sts_keys_get},
    {HTTP_POST, "/adfs/oauth2/token", "public", ROUTE_CALL, sts_token_post},

    {HTTP_GET, "/{tenant}/v2.0" CONFIGURATION, "public", ROUTE_CALL, sts_tenant_discovery_get},
    {HTTP_GET, "/{tenant}/discovery/v2.0/keys", "public", ROUTE_CALL, sts_keys_get},
    {HTTP_POST, "/{tenant}/oauth2/v2.0/token", "public", ROUTE_CALL, sts_tenant_token_post},
    {HTTP_POST, "/{tenant}/oauth2/token", "public", ROUTE_CALL, sts_tenant_token_post},
};

const struct http_routes sts_routes = {routes, ARRAY_LEN(routes), true};
