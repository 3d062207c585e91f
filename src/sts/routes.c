/* The identity endpoints in the forms that clients know: under /adfs, where the tenant is not part
 * of the path, and under the tenant's id, with and without a version. */
#include "sts/directory.h"

#define CONFIGURATION "/.well-known/openid-configuration"
#define DIRECTORY     "/providers/Kidoban.Identity"
#define USERS         DIRECTORY "/users"
#define APPS          DIRECTORY "/servicePrincipals"
#define A_USER        "Kidoban.Identity/users"
#define A_APP         "Kidoban.Identity/servicePrincipals"
#define A_KEY         "Kidoban.Identity/keys"
#define GRAPH         "/v1.0"
#define G_USERS       GRAPH "/users"
#define G_APPS        GRAPH "/applications"
#define G_PRINCIPALS  GRAPH "/servicePrincipals"
#define TOKEN         ROUTE_CALL, sts_token_post, sts_token_password_post

/* An application and its service principal are one thing here. */
/* clang-format off */
#define GRAPH_APP(at) \
    {HTTP_GET, at, "signed-in", ROUTE_CALL, sts_apps_get, NULL}, \
    {HTTP_GET, at "/{id}", "signed-in", ROUTE_CALL, sts_app_get, NULL}, \
    {HTTP_PATCH, at "/{id}", A_APP "/write", ROUTE_CALL, sts_graph_app_patch, NULL}, \
    {HTTP_DELETE, at "/{id}", A_APP "/delete", ROUTE_CALL, sts_app_delete, NULL}, \
    {HTTP_POST, at "/{id}/addPassword", A_APP "/write", ROUTE_CALL, sts_app_add_password, NULL}, \
    {HTTP_POST, at "/{id}/removePassword", A_APP "/write", ROUTE_CALL, sts_graph_remove_password, NULL}
#define GRAPH_NOT_OFFERED(method) {method, GRAPH "/{rest+}", "signed-in", ROUTE_CALL, sts_graph_not_offered, NULL}
/* clang-format on */

static const struct http_route routes[] = {
    {HTTP_GET, "/adfs" CONFIGURATION, "public", ROUTE_CALL, sts_discovery_get, NULL},
    {HTTP_GET, "/adfs/discovery/keys", "public", ROUTE_CALL, sts_keys_get, NULL},
    {HTTP_POST, "/adfs/oauth2/token", "public", TOKEN},
    {HTTP_POST, "/adfs/oauth2/devicecode", "public", ROUTE_CALL, sts_device_code_post, NULL},

    {HTTP_GET, "/adfs/oauth2/authorize", "public", ROUTE_CALL, sts_authorize_get, NULL},
    {HTTP_GET, "/{tenant}/oauth2/v2.0/authorize", "public", ROUTE_CALL, sts_authorize_get, NULL},

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

    {HTTP_GET, USERS, A_USER "/read", ROUTE_CALL, sts_users_get, NULL},
    {HTTP_POST, USERS, A_USER "/write", ROUTE_CALL, sts_users_post, sts_users_password_post},
    {HTTP_GET, USERS "/{id}", A_USER "/read", ROUTE_CALL, sts_user_get, NULL},
    {HTTP_PATCH, USERS "/{id}", A_USER "/write", ROUTE_CALL, sts_user_patch,
     sts_user_password_patch},
    {HTTP_DELETE, USERS "/{id}", A_USER "/delete", ROUTE_CALL, sts_user_delete, NULL},
    {HTTP_GET, APPS, A_APP "/read", ROUTE_CALL, sts_apps_get, NULL},
    {HTTP_POST, APPS, A_APP "/write", ROUTE_CALL, sts_apps_post, NULL},
    {HTTP_GET, APPS "/{id}", A_APP "/read", ROUTE_CALL, sts_app_get, NULL},
    {HTTP_PATCH, APPS "/{id}", A_APP "/write", ROUTE_CALL, sts_app_patch, NULL},
    {HTTP_DELETE, APPS "/{id}", A_APP "/delete", ROUTE_CALL, sts_app_delete, NULL},
    {HTTP_POST, APPS "/{id}/addPassword", A_APP "/write", ROUTE_CALL, sts_app_add_password, NULL},
    {HTTP_POST, APPS "/{id}/removePassword", A_APP "/write", ROUTE_CALL, sts_app_remove_password,
     NULL},
    {HTTP_GET, GRAPH "/me", "signed-in", ROUTE_CALL, sts_graph_me, NULL},
    {HTTP_GET, GRAPH "/me/ownedObjects", "signed-in", ROUTE_CALL, sts_graph_owned, NULL},
    {HTTP_POST, GRAPH "/directoryObjects/getByIds", "signed-in", ROUTE_CALL, sts_graph_by_ids,
     NULL},
    {HTTP_GET, GRAPH "/groups", "signed-in", ROUTE_CALL, sts_graph_groups, NULL},
    {HTTP_GET, G_USERS, "signed-in", ROUTE_CALL, sts_users_get, NULL},
    {HTTP_POST, G_USERS, A_USER "/write", ROUTE_CALL, sts_users_post, sts_users_password_post},
    {HTTP_GET, G_USERS "/{id}", "signed-in", ROUTE_CALL, sts_user_get, NULL},
    {HTTP_PATCH, G_USERS "/{id}", A_USER "/write", ROUTE_CALL, sts_graph_user_patch,
     sts_graph_user_password_patch},
    {HTTP_DELETE, G_USERS "/{id}", A_USER "/delete", ROUTE_CALL, sts_user_delete, NULL},
    {HTTP_POST, G_APPS, A_APP "/write", ROUTE_CALL, sts_graph_application_post, NULL},
    {HTTP_POST, G_PRINCIPALS, A_APP "/write", ROUTE_CALL, sts_graph_service_principal_post, NULL},
    GRAPH_APP(G_APPS),
    GRAPH_APP(G_PRINCIPALS),
    GRAPH_NOT_OFFERED(HTTP_GET),
    GRAPH_NOT_OFFERED(HTTP_POST),
    GRAPH_NOT_OFFERED(HTTP_PUT),
    GRAPH_NOT_OFFERED(HTTP_PATCH),
    GRAPH_NOT_OFFERED(HTTP_DELETE),

    {HTTP_GET, DIRECTORY "/keys", A_KEY "/read", ROUTE_CALL, sts_signing_keys_get, NULL},
    {HTTP_POST, DIRECTORY "/keys/rotate", A_KEY "/rotate/action", ROUTE_CALL,
     sts_signing_keys_rotate, NULL},
};

const struct http_routes sts_routes = {routes, ARRAY_LEN(routes), true};
