/* Every route of the control plane. The access string is ARM's action; its beginning names the
 * resource type. */
#include "arm/group.h"
#include "arm/operation.h"
#include "arm/provider.h"
#include "arm/registry.h"
#include "arm/resources.h"
#include "arm/role.h"
#include "arm/subscription.h"
#include "arm/tags.h"
#include "arm/vnet.h"

#define SUBSCRIPTION "/subscriptions/{subscription}"
#define GROUPS       SUBSCRIPTION "/resourceGroups"
#define GROUP        GROUPS "/{name}"
#define INSIDE       GROUPS "/{group}/providers/"
#define REGISTRIES   "Microsoft.ContainerRegistry/registries"
#define REGISTRY     INSIDE REGISTRIES "/{name}"
#define VNETS        "Microsoft.Network/virtualNetworks"
#define VNET         INSIDE VNETS "/{name}"
#define SUBNET       VNET "/subnets/{child}"
#define NSGS         "Microsoft.Network/networkSecurityGroups"
#define NSG          INSIDE NSGS "/{name}"
#define LOCATION     SUBSCRIPTION "/providers/Microsoft.Network/locations/{location}"
#define ATTACHMENTS  "/providers/Kidoban.Network/attachments"
#define ATTACHMENT   ATTACHMENTS "/{name}"

#define A_SUBSCRIPTIONS "Microsoft.Resources/subscriptions"
#define A_SUBSCRIPTION  A_SUBSCRIPTIONS "/read"
#define TAG_NAMES       SUBSCRIPTION "/tagNames"
#define A_TAG_NAMES     A_SUBSCRIPTIONS "/tagNames"
#define A_TAGS          "Microsoft.Resources/tags"
#define A_PROVIDERS     A_SUBSCRIPTIONS "/providers"
#define A_GROUP         "Microsoft.Resources/subscriptions/resourceGroups"
#define A_ATTACHMENT    "Kidoban.Network/attachments"

#define NETWORK_TYPE(type)                                                                         \
    {HTTP_GET, SUBSCRIPTION "/providers/" type, type "/read", ROUTE_CALL, arm_list, NULL},         \
        {HTTP_GET, INSIDE type, type "/read", ROUTE_CALL, arm_list, NULL},                         \
        {HTTP_GET, INSIDE type "/{name}", type "/read", ROUTE_CALL, arm_get, NULL},                \
        {HTTP_PUT, INSIDE type "/{name}", type "/write", ROUTE_CALL, arm_put, NULL},               \
        {HTTP_PATCH, INSIDE type "/{name}", type "/write", ROUTE_CALL, arm_patch, NULL},           \
    {                                                                                              \
        HTTP_DELETE, INSIDE type "/{name}", type "/delete", ROUTE_CALL, arm_remove, NULL           \
    }

/* clang-format off */
#define TAGS(at) \
    {HTTP_GET, at A_TAGS "/default", A_TAGS "/read", ROUTE_CALL, arm_tags_get, NULL}, \
    TAGS_CHANGE(HTTP_PUT, at, "/write"), TAGS_CHANGE(HTTP_PATCH, at, "/write"), \
    TAGS_CHANGE(HTTP_DELETE, at, "/delete")
#define TAGS_CHANGE(method, at, action) \
    {method, at A_TAGS "/default", A_TAGS action, ROUTE_CALL, arm_tags_change, NULL}
#define ROLES(at) \
    {HTTP_GET, at P_ROLES, ROLE_ASSIGNMENTS "/read", ROUTE_CALL, arm_role_assignment_list, NULL}, \
    {HTTP_GET, at P_ROLES "/{name}", ROLE_ASSIGNMENTS "/read", ROUTE_CALL, arm_role_assignment_get, NULL}, \
    {HTTP_PUT, at P_ROLES "/{name}", ROLE_ASSIGNMENTS "/write", ROUTE_CALL, arm_role_assignment_put, NULL}, \
    {HTTP_DELETE, at P_ROLES "/{name}", ROLE_ASSIGNMENTS "/delete", ROUTE_CALL, arm_role_assignment_delete, NULL}, \
    {HTTP_GET, at P_DEFINITIONS, ROLE_DEFINITIONS "/read", ROUTE_CALL, arm_role_definition_list, NULL}, \
    {HTTP_GET, at P_DEFINITIONS "/{name}", ROLE_DEFINITIONS "/read", ROUTE_CALL, arm_role_definition_get, NULL}
#define P_ROLES       "/providers/" ROLE_ASSIGNMENTS
#define P_DEFINITIONS "/providers/" ROLE_DEFINITIONS
/* clang-format on */

static const struct http_route list[] = {
    {HTTP_GET, "/subscriptions", A_SUBSCRIPTION, ROUTE_CALL, arm_subscription_list, NULL},
    {HTTP_GET, SUBSCRIPTION, A_SUBSCRIPTIONS "/read", ROUTE_CALL, arm_get, NULL},
    {HTTP_PUT, SUBSCRIPTION, A_SUBSCRIPTIONS "/write", ROUTE_CALL, arm_put, NULL},
    {HTTP_PATCH, SUBSCRIPTION, A_SUBSCRIPTIONS "/write", ROUTE_CALL, arm_patch, NULL},
    {HTTP_DELETE, SUBSCRIPTION, A_SUBSCRIPTIONS "/delete", ROUTE_CALL, arm_remove, NULL},
    {HTTP_GET, SUBSCRIPTION "/locations", A_SUBSCRIPTIONS "/locations/read", ROUTE_CALL,
     arm_location_list, NULL},
    {HTTP_GET, SUBSCRIPTION "/resources", A_SUBSCRIPTIONS "/resources/read", ROUTE_CALL,
     arm_resources_find, NULL},
    {HTTP_GET, GROUPS "/{group}/resources", A_GROUP "/resources/read", ROUTE_CALL,
     arm_resources_find, NULL},
    {HTTP_GET, "/tenants", A_SUBSCRIPTION, ROUTE_CALL, arm_tenant_list, NULL},

    {HTTP_GET, GROUPS, A_GROUP "/read", ROUTE_CALL, arm_list, NULL},
    {HTTP_GET, GROUP, A_GROUP "/read", ROUTE_CALL, arm_group_read, NULL},
    {HTTP_PUT, GROUP, A_GROUP "/write", ROUTE_CALL, arm_put, NULL},
    {HTTP_PATCH, GROUP, A_GROUP "/write", ROUTE_CALL, arm_patch, NULL},
    {HTTP_DELETE, GROUP, A_GROUP "/delete", ROUTE_CALL, arm_remove, NULL},

    {HTTP_GET, SUBSCRIPTION "/providers/" REGISTRIES, REGISTRIES "/read", ROUTE_CALL, arm_list,
     NULL},
    {HTTP_POST, SUBSCRIPTION "/providers/Microsoft.ContainerRegistry/checkNameAvailability",
     REGISTRIES "/read", ROUTE_CALL, arm_registry_check_name, NULL},
    {HTTP_GET, INSIDE REGISTRIES, REGISTRIES "/read", ROUTE_CALL, arm_list, NULL},
    {HTTP_GET, REGISTRY, REGISTRIES "/read", ROUTE_CALL, arm_get, NULL},
    {HTTP_PUT, REGISTRY, REGISTRIES "/write", ROUTE_CALL, arm_put, NULL},
    {HTTP_PATCH, REGISTRY, REGISTRIES "/write", ROUTE_CALL, arm_patch, NULL},
    {HTTP_DELETE, REGISTRY, REGISTRIES "/delete", ROUTE_CALL, arm_remove, NULL},
    {HTTP_POST, REGISTRY "/listCredentials", REGISTRIES "/listCredentials/action", ROUTE_CALL,
     arm_registry_list_credentials, NULL},
    {HTTP_POST, REGISTRY "/regenerateCredential", REGISTRIES "/regenerateCredential/action",
     ROUTE_CALL, arm_registry_regenerate_credential, NULL},
    {HTTP_GET, REGISTRY "/listUsages", REGISTRIES "/listUsages/read", ROUTE_CALL,
     arm_registry_list_usages, NULL},
    {HTTP_GET, REGISTRY "/replications", REGISTRIES "/replications/read", ROUTE_CALL,
     arm_registry_replications, NULL},
    {HTTP_GET, REGISTRY "/denials", REGISTRIES "/read", ROUTE_CALL, arm_registry_denials, NULL},
    {HTTP_POST, REGISTRY "/checkNetworkAccess", REGISTRIES "/read", ROUTE_CALL,
     arm_registry_check_network_access, NULL},
    {HTTP_POST, REGISTRY "/addNetworkRule", REGISTRIES "/write", ROUTE_CALL, arm_registry_add_rule,
     NULL},
    {HTTP_POST, REGISTRY "/removeNetworkRule", REGISTRIES "/write", ROUTE_CALL,
     arm_registry_remove_rule, NULL},

    {HTTP_GET, SUBSCRIPTION "/providers/" VNETS, VNETS "/read", ROUTE_CALL, arm_list, NULL},
    {HTTP_GET, INSIDE VNETS, VNETS "/read", ROUTE_CALL, arm_list, NULL},
    {HTTP_GET, VNET, VNETS "/read", ROUTE_CALL, arm_get, NULL},
    {HTTP_PUT, VNET, VNETS "/write", ROUTE_CALL, arm_put, NULL},
    {HTTP_PATCH, VNET, VNETS "/write", ROUTE_CALL, arm_patch, NULL},
    {HTTP_DELETE, VNET, VNETS "/delete", ROUTE_CALL, arm_remove, NULL},
    {HTTP_GET, VNET "/subnets", VNETS "/subnets/read", ROUTE_CALL, arm_subnet_list, NULL},
    {HTTP_GET, SUBNET, VNETS "/subnets/read", ROUTE_CALL, arm_subnet_get, NULL},
    {HTTP_PUT, SUBNET, VNETS "/subnets/write", ROUTE_CALL, arm_subnet_put, NULL},
    {HTTP_DELETE, SUBNET, VNETS "/subnets/delete", ROUTE_CALL, arm_subnet_delete, NULL},

    {HTTP_GET, VNET "/checkIPAddressAvailability", VNETS "/checkIpAddressAvailability/read",
     ROUTE_CALL, arm_vnet_check_address, NULL},
    {HTTP_GET, LOCATION "/virtualNetworkAvailableEndpointServices",
     "Microsoft.Network/locations/virtualNetworkAvailableEndpointServices/read", ROUTE_CALL,
     arm_endpoint_services, NULL},
    {HTTP_GET, LOCATION "/usages", "Microsoft.Network/locations/usages/read", ROUTE_CALL,
     arm_network_usages, NULL},

    NETWORK_TYPE(NSGS),
    {HTTP_GET, NSG "/securityRules", NSGS "/securityRules/read", ROUTE_CALL, arm_security_rule_list,
     NULL},
    {HTTP_GET, NSG "/securityRules/{child}", NSGS "/securityRules/read", ROUTE_CALL,
     arm_security_rule_get, NULL},
    {HTTP_PUT, NSG "/securityRules/{child}", NSGS "/securityRules/write", ROUTE_CALL,
     arm_security_rule_put, NULL},
    {HTTP_DELETE, NSG "/securityRules/{child}", NSGS "/securityRules/delete", ROUTE_CALL,
     arm_security_rule_delete, NULL},
    {HTTP_GET, NSG "/defaultSecurityRules", NSGS "/defaultSecurityRules/read", ROUTE_CALL,
     arm_default_rule_list, NULL},
    {HTTP_GET, NSG "/defaultSecurityRules/{child}", NSGS "/defaultSecurityRules/read", ROUTE_CALL,
     arm_default_rule_get, NULL},
    NETWORK_TYPE("Microsoft.Network/applicationSecurityGroups"),
    NETWORK_TYPE("Microsoft.Network/publicIPAddresses"),
    NETWORK_TYPE("Microsoft.Network/networkInterfaces"),

    {HTTP_GET, ATTACHMENTS, A_ATTACHMENT "/read", ROUTE_CALL, arm_list, NULL},
    {HTTP_GET, ATTACHMENT, A_ATTACHMENT "/read", ROUTE_CALL, arm_get, NULL},
    {HTTP_PUT, ATTACHMENT, A_ATTACHMENT "/write", ROUTE_CALL, arm_put, NULL},
    {HTTP_PATCH, ATTACHMENT, A_ATTACHMENT "/write", ROUTE_CALL, arm_patch, NULL},
    {HTTP_DELETE, ATTACHMENT, A_ATTACHMENT "/delete", ROUTE_CALL, arm_remove, NULL},

    TAGS(SUBSCRIPTION "/providers/"),
    TAGS(INSIDE),
    TAGS(INSIDE "{rest+}/providers/"),

    {HTTP_GET, TAG_NAMES, A_TAG_NAMES "/read", ROUTE_CALL, arm_tag_name_list, NULL},
    {HTTP_PUT, TAG_NAMES "/{name}", A_TAG_NAMES "/write", ROUTE_CALL, arm_tag_name_put, NULL},
    {HTTP_DELETE, TAG_NAMES "/{name}", A_TAG_NAMES "/delete", ROUTE_CALL, arm_tag_name_delete,
     NULL},
    {HTTP_PUT, TAG_NAMES "/{name}/tagValues/{child}", A_TAG_NAMES "/tagValues/write", ROUTE_CALL,
     arm_tag_name_put, NULL},
    {HTTP_DELETE, TAG_NAMES "/{name}/tagValues/{child}", A_TAG_NAMES "/tagValues/delete",
     ROUTE_CALL, arm_tag_name_delete, NULL},

    {HTTP_GET, "/providers", A_PROVIDERS "/read", ROUTE_CALL, arm_provider_list, NULL},
    {HTTP_GET, SUBSCRIPTION "/providers", A_PROVIDERS "/read", ROUTE_CALL, arm_provider_list, NULL},
    {HTTP_GET, "/providers/{provider}", A_PROVIDERS "/read", ROUTE_CALL, arm_provider_show, NULL},
    {HTTP_GET, SUBSCRIPTION "/providers/{provider}", A_PROVIDERS "/read", ROUTE_CALL,
     arm_provider_show, NULL},
    {HTTP_POST, SUBSCRIPTION "/providers/{provider}/register", A_PROVIDERS "/register/action",
     ROUTE_CALL, arm_provider_register, NULL},
    {HTTP_POST, SUBSCRIPTION "/providers/{provider}/unregister", A_PROVIDERS "/unregister/action",
     ROUTE_CALL, arm_provider_unregister, NULL},
    {HTTP_GET, SUBSCRIPTION "/operationresults/{operation}", "signed-in", ROUTE_CALL,
     arm_operation_result, NULL},
    {HTTP_GET, SUBSCRIPTION "/providers/{provider}/locations/{location}/operations/{operation}",
     "signed-in", ROUTE_CALL, arm_operation_status, NULL},
    {HTTP_GET,
     SUBSCRIPTION "/providers/{provider}/locations/{location}/operationResults/{operation}",
     "signed-in", ROUTE_CALL, arm_operation_result, NULL},
    {HTTP_GET, INSIDE "{rest+}/operationStatuses/{operation}", "signed-in", ROUTE_CALL,
     arm_operation_status, NULL},

    ROLES("/{scope+}"),
    ROLES(""),

/* Last: whatever else is asked of a provider. */
#define UNKNOWN(method)                                                                            \
    {method, SUBSCRIPTION "/providers/{rest+}", A_SUBSCRIPTION, ROUTE_CALL, arm_unknown, NULL},    \
        {method, INSIDE "{rest+}", A_SUBSCRIPTION, ROUTE_CALL, arm_unknown, NULL},                 \
        {method, GROUPS "/{group}/{rest+}", A_SUBSCRIPTION, ROUTE_CALL, arm_not_offered, NULL},    \
    {                                                                                              \
        method, "/providers/{rest+}", A_SUBSCRIPTION, ROUTE_CALL, arm_unknown, NULL                \
    }
    UNKNOWN(HTTP_GET),
    UNKNOWN(HTTP_PUT),
    UNKNOWN(HTTP_POST),
    UNKNOWN(HTTP_PATCH),
    UNKNOWN(HTTP_DELETE),
};

const struct http_routes arm_routes = {list, ARRAY_LEN(list), true};
