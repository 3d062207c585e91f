#include "sts/private.h"

static const struct http_route routes[] = {
    {HTTP_GET, "/adfs/.well-known/openid-configuration", "public", ROUTE_HOT, sts_discovery_get,
     sts_discovery_get},
    {HTTP_GET, "/adfs/{tenant}/v2.0/.well-known/openid-configuration", "public", ROUTE_HOT,
     sts_discovery_get, sts_discovery_get},
    {HTTP_GET, "/adfs/discovery/keys", "public", ROUTE_CALL, sts_keys_get},
    {HTTP_POST, "/adfs/oauth2/token", "public", ROUTE_CALL, sts_token_post},
};

const struct http_routes sts_routes = {routes, ARRAY_LEN(routes), true};
