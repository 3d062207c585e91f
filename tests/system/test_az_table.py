"""What the stock az says to each command, one line for each: its exit code, and what it prints.

The lines are typed in their order, against one server, by one administrator on the public internet. In every run the newest
az, forked; with --long also an old one, and both as people start them."""

import json
import shlex

import pytest

from lab import Dockerd, Kidoban
from lab.az import FOR_AZ, NEWEST, OLD, Az

SET = object()  # printed, and not null
GROUP, REGISTRY, VNET = "table", "tableregistry", "tablevnet"
CR, NET = "Microsoft.ContainerRegistry", "Microsoft.Network"
REGISTRY_KEYS = """adminUserEnabled anonymousPullEnabled creationDate dataEndpointEnabled dataEndpointHostNames encryption id
    location loginServer name networkRuleBypassOptions networkRuleSet policies privateEndpointConnections provisioningState
    publicNetworkAccess resourceGroup sku systemData tags type zoneRedundancy""".split()
VNET_KEYS = """addressSpace enableDdosProtection etag id location name provisioningState resourceGroup resourceGuid subnets
    type virtualNetworkPeerings""".split()
SUBNET_KEYS = """addressPrefix delegations etag id name privateEndpointNetworkPolicies privateLinkServiceNetworkPolicies
    provisioningState resourceGroup type""".split()


class Row:
    """A command; what it must print: {path: value}, and keys that must be there; or a part of its first error. Where the old
    az prints other names, `old` stands for them and `fields` for the newest's."""

    def __init__(self, command, fields=None, keys=(), code=0, error=None, typed="", whole=..., old=None):
        self.command, self.fields, self.keys, self.old = command, fields or {}, keys, old
        self.code, self.error, self.typed, self.whole = code, error, typed, whole


def ok(command, fields=None, keys=(), **how):
    return Row(command, fields, keys, **how)


def no(command, error, code=1):
    return Row(command, code=code, error=error)


def absent(command):
    """Something of Azure that this server does not have, and says so."""
    return no(command, "(NotSupported) This server does not offer ")


IDENTITY = [
    ok("account show", {"tenantId": "{T}", "id": "{S}", "state": "Enabled", "isDefault": True,
                        "user.type": "servicePrincipal", "user.name": "{C}"}),
    ok("account list", {"0.id": "{S}", "0.homeTenantId": "{T}", "0.cloudName": "Kidoban"}),
    ok("account list --refresh", {"0.id": "{S}", "0.state": "Enabled"}),
    ok("account set --subscription {S}", whole=None),
    no("account set --subscription nosuch", "The subscription of 'nosuch' doesn't exist in cloud 'Kidoban'."),
    ok("account get-access-token", {"accessToken": SET, "tokenType": "Bearer", "subscription": "{S}", "tenant": "{T}",
                                    "expiresOn": SET}),
    ok("account get-access-token --resource https://containerregistry.azure.net", {"accessToken": SET}),
    ok("account list-locations", {"0.name": "local", "0.displayName": "Local", "0.metadata.regionType": "Physical",
                                  "0.id": "/subscriptions/{S}/locations/local"}),
]

PROVIDERS = [
    ok(f"provider register --namespace {CR}", whole=None),
    ok(f"provider register -n {CR} --wait", whole=None),
    ok(f"provider show -n {CR}", {"namespace": CR, "registrationState": "Registered", "id": f"/subscriptions/{{S}}/providers/{CR}",
                                  "resourceTypes.0.resourceType": SET, "resourceTypes.0.apiVersions.0": SET}),
    ok(f"provider show -n {CR.lower()} --query namespace -o tsv", whole=CR),
    ok(f"provider list --query \"[?namespace=='{NET}'].registrationState\" -o tsv", whole="Registered"),
    ok(f"provider unregister -n {NET}", whole=None),
    ok(f"provider register -n {NET}", whole=None),
    no("provider show -n Microsoft.Nosuch", "(InvalidResourceNamespace) The resource namespace 'Microsoft.Nosuch' is invalid.", 3),
]

GROUPS = [
    ok(f"group create -n {GROUP} -l 'West US' --tags a=b",
       {"id": f"/subscriptions/{{S}}/resourceGroups/{GROUP}", "name": GROUP, "location": "westus", "tags": {"a": "b"},
        "type": "Microsoft.Resources/resourceGroups", "properties.provisioningState": "Succeeded"}),
    ok(f"group create -n {GROUP} -l westus --tags a=b", {"name": GROUP}),
    ok(f"group show -n {GROUP.upper()}", {"name": GROUP, "tags": {"a": "b"}}),
    ok("group list", {"0.name": GROUP}),
    ok(f"group exists -n {GROUP}", whole=True),
    ok("group exists -n nosuch", whole=False),
    no("group show -n nosuch", "(ResourceGroupNotFound) Resource group 'nosuch' could not be found.", 3),
    no("group delete -n nosuch --yes", "(ResourceGroupNotFound) Resource group 'nosuch' could not be found.", 3),
    no(f"group create -n {GROUP} -l eastus", "(InvalidResourceGroupLocation) Invalid resource group location 'eastus'. "
       "The Resource group already exists in location 'westus'."),
    ok(f"group update -n {GROUP} --set tags.c=d", {"tags": {"a": "b", "c": "d"}}),
    ok("group wait --deleted -n nosuch --interval 1 --timeout 5", whole=None),
]

REGISTRIES = [
    no(f"acr create -n tableRegistry -g {GROUP} --sku Premium", " name must use only lowercase."),
    no(f"acr create -n {REGISTRY} -g nosuch --sku Premium",
       "(ResourceGroupNotFound) Resource group 'nosuch' could not be found.", 2),
    ok(f"acr check-name -n {REGISTRY}", {"nameAvailable": True, "reason": None}),
    ok(f"acr create -n {REGISTRY} -g {GROUP} --sku Premium",
       {"name": REGISTRY, "location": "westus", "sku": {"name": "Premium", "tier": "Premium"}, "type": f"{CR}/registries",
        "loginServer": f"{REGISTRY}.azurecr.test", "provisioningState": "Succeeded", "adminUserEnabled": False,
        "networkRuleSet": {"defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
        "publicNetworkAccess": "Enabled", "networkRuleBypassOptions": "AzureServices", "zoneRedundancy": "Disabled",
        "encryption.status": "disabled", "policies.retentionPolicy.days": 7, "privateEndpointConnections": [],
        "id": f"/subscriptions/{{S}}/resourceGroups/{GROUP}/providers/{CR}/registries/{REGISTRY}",
        "creationDate": SET, "systemData.createdAt": SET}, REGISTRY_KEYS),
    ok(f"acr check-name -n {REGISTRY}", {"nameAvailable": False, "reason": "AlreadyExists",
                                         "message": f"The registry {REGISTRY} is already in use."}),
    ok(f"acr show -n {REGISTRY}", {"name": REGISTRY}, REGISTRY_KEYS),
    ok(f"acr show -n {REGISTRY.upper()}", {"name": REGISTRY, "loginServer": f"{REGISTRY}.azurecr.test"}),
    ok(f"acr show -n {REGISTRY} -g {GROUP}", {"resourceGroup": GROUP}),
    no("acr show -n nosuchone", "The resource with name 'nosuchone' and type "),
    no(f"acr show -n nosuchone -g {GROUP}", f"(ResourceNotFound) The Resource '{CR}/registries/nosuchone'", 3),
    ok("acr list", {"0.name": REGISTRY}),
    ok(f"acr list -g {GROUP}", {"0.name": REGISTRY}),
    ok(f"acr update -n {REGISTRY} --tags t=1", {"tags": {"t": "1"}}),
    ok(f"acr update -n {REGISTRY} --set tags.t=1", {"tags": {"t": "1"}}),  # a number, from the newest
    ok(f"acr update -n {REGISTRY} --admin-enabled true", {"adminUserEnabled": True, "tags": {"t": "1"}}),
    ok(f"acr update -n {REGISTRY} --anonymous-pull-enabled true", {"anonymousPullEnabled": True}),
    ok(f"acr update -n {REGISTRY} --anonymous-pull-enabled false", {"anonymousPullEnabled": False}),
    ok(f"acr update -n {REGISTRY} --allow-trusted-services false", {"networkRuleBypassOptions": "None"}),
    ok(f"acr update -n {REGISTRY} --allow-trusted-services true", {"networkRuleBypassOptions": "AzureServices"}),
    ok(f"acr update -n {REGISTRY} --public-network-enabled false",
       {"publicNetworkAccess": "Disabled", "networkRuleSet.defaultAction": "Deny"}),
    ok(f"acr update -n {REGISTRY} --public-network-enabled true",
       {"publicNetworkAccess": "Enabled", "networkRuleSet.defaultAction": "Deny"}),
    ok(f"acr update -n {REGISTRY} --default-action Allow", {"networkRuleSet.defaultAction": "Allow"}),
    ok(f"acr update -n {REGISTRY} --data-endpoint-enabled true", {"dataEndpointEnabled": True}),
    ok(f"acr show-endpoints -n {REGISTRY}", {"loginServer": f"{REGISTRY}.azurecr.test", "dataEndpoints.0.endpoint": SET}),
    ok(f"acr update -n {REGISTRY} --data-endpoint-enabled false", {"dataEndpointEnabled": False, "dataEndpointHostNames": []}),
    ok(f"acr credential show -n {REGISTRY}", {"username": REGISTRY, "passwords.0.name": "password",
                                              "passwords.0.value": SET, "passwords.1.name": "password2"}),
    ok(f"acr credential renew -n {REGISTRY} --password-name password2", {"username": REGISTRY, "passwords.1.value": SET}),
    ok(f"acr show-usage -n {REGISTRY}", {"value.0.name": "Size", "value.0.limit": 536870912000, "value.0.unit": "Bytes"}),
    ok(f"acr config authentication-as-arm show -r {REGISTRY}", {"status": "enabled"}),
    ok(f"acr config authentication-as-arm update -r {REGISTRY} --status disabled", {"status": "disabled"}),
    ok(f"acr config authentication-as-arm update -r {REGISTRY} --status enabled", {"status": "enabled"}),
    ok(f"acr config retention show -r {REGISTRY}", {"status": "disabled", "days": 7}),
    absent(f"acr config retention update -r {REGISTRY} --status enabled --days 3 --type UntaggedManifests"),
    absent(f"acr config soft-delete update -r {REGISTRY} --status enabled --days 3 --yes"),
    ok(f"acr config soft-delete show -r {REGISTRY}", {"status": "disabled", "retentionDays": 7}),
    ok(f"acr config content-trust show -r {REGISTRY}", {"status": "disabled", "type": "Notary"}),
    ok(f"acr encryption show -n {REGISTRY}", {"status": "disabled", "keyVaultProperties": None}),
    absent(f"acr create -n tablezones -g {GROUP} --sku Premium --zone-redundancy Enabled"),
    absent(f"acr private-link-resource list -n {REGISTRY}"),
    absent(f"acr private-endpoint-connection list -r {REGISTRY}"),
    absent(f"acr task list -r {REGISTRY}"),
    absent(f"acr agentpool list -r {REGISTRY}"),
    absent(f"acr connected-registry list -r {REGISTRY}"),
    absent(f"acr import -n {REGISTRY} --source source.example/x:v1"),
    absent(f"acr token list -r {REGISTRY}"),
    absent(f"acr token create -n t1 -r {REGISTRY} --repository x content/read"),
    absent(f"acr scope-map list -r {REGISTRY}"),
    absent(f"acr webhook list -r {REGISTRY}"),
    ok(f"acr replication list -r {REGISTRY}", whole=[]),
    absent(f"acr replication create -r {REGISTRY} -l eastus"),
    ok(f"acr create -n tablebasic -g {GROUP} --sku Basic", {"sku.name": "Basic", "networkRuleSet": None}),
    no("acr network-rule list -n tablebasic", "Network rules are only supported for managed registries in Premium SKU."),
    no("acr credential show -n tablebasic", "Run 'az acr update -n tablebasic --admin-enabled true' to enable admin first."),
    ok("acr update -n tablebasic --sku Premium", {"sku.name": "Premium", "networkRuleSet.defaultAction": "Allow"}),
    ok("acr update -n tablebasic --sku Standard", {"sku.tier": "Standard"}),
    ok("acr delete -n tablebasic --yes", whole=None),
    no("acr delete -n tablebasic --yes", "The resource with name 'tablebasic' and type "),
]

RESOURCE = f"/subscriptions/{{S}}/resourceGroups/{GROUP}/providers/{CR}/registries/{REGISTRY}"
SCOPE = f"/subscriptions/{{S}}/resourceGroups/{GROUP}"

RESOURCES = [
    ok(f"resource list -g {GROUP}", {"0.name": REGISTRY, "0.id": RESOURCE, "0.type": f"{CR}/registries", "0.location": "westus",
                                     "0.provisioningState": "Succeeded", "0.createdTime": SET, "0.sku.name": "Premium"}),
    ok("resource list --resource-type Microsoft.ContainerRegistry/registries", {"0.name": REGISTRY}),
    ok(f"resource show --ids {RESOURCE}", {"name": REGISTRY, "properties.loginServer": f"{REGISTRY}.azurecr.test"}),
    ok(f"resource show -g {GROUP} -n {REGISTRY} --resource-type {CR}/registries", {"id": RESOURCE}),
    no(f"resource show -g {GROUP} -n nosuch --resource-type {CR}/registries", "(ResourceNotFound) ", 3),
    ok(f"resource tag --tags x=y --ids {RESOURCE}", {"tags": {"x": "y"}}),
    ok(f"resource list --tag x=y", {"0.name": REGISTRY}),
    ok(f"resource update --ids {RESOURCE} --set tags.n=7", {"tags": {"x": "y", "n": "7"}}),
    ok(f"resource update --set properties.adminUserEnabled=true --ids {RESOURCE}", {"properties.adminUserEnabled": True}),
    ok(f"resource create -g {GROUP} -n generic --resource-type {NET}/virtualNetworks -l westus "
       """-p '{"addressSpace": {"addressPrefixes": ["10.8.0.0/16"]}}'""",
       {"name": "generic", "properties.addressSpace.addressPrefixes": ["10.8.0.0/16"]}),
    ok(f"resource delete -g {GROUP} -n generic --resource-type {NET}/virtualNetworks"),
    ok(f"tag list --resource-id {SCOPE}", {"name": "default", "properties.tags": {"a": "b", "c": "d"},
                                           "type": "Microsoft.Resources/tags"}),
    ok(f"tag create --resource-id {SCOPE} --tags x=y", {"properties.tags": {"x": "y"}}),
    ok(f"tag update --resource-id {SCOPE} --operation Merge --tags z=1", {"properties.tags": {"x": "y", "z": "1"}}),
    ok(f"tag update --resource-id {SCOPE} --operation Delete --tags x=y", {"properties.tags": {"z": "1"}}),
    ok(f"tag update --resource-id {RESOURCE} --operation Replace --tags q=r", {"properties.tags": {"q": "r"}}),
    ok(f"tag delete --resource-id {SCOPE} --yes", whole=None),
    absent(f"lock list -g {GROUP}"),
]

ROLES = [
    ok("role definition list --name AcrPull",
       {"0.roleName": "AcrPull", "0.roleType": "BuiltInRole", "0.name": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "0.permissions.0.actions": [f"{CR}/registries/pull/read"], "0.assignableScopes": ["/"]}),
    ok("role definition list --name nosuch", whole=[]),
    ok("role definition list --query \"[].roleName\"", {"0": "Owner"}),
    ok("role assignment list --all", whole=[]),
    ok(f"role assignment create --assignee {{C}} --role AcrPull --scope {SCOPE}",
       {"principalType": "ServicePrincipal", "scope": SCOPE, "type": "Microsoft.Authorization/roleAssignments",
        "principalId": "{O}", "roleDefinitionId": SET}),
    ok(f"role assignment create --assignee {{C}} --role AcrPull --scope {SCOPE}", {"scope": SCOPE}),
    ok(f"role assignment create --assignee-object-id {{O}} --assignee-principal-type ServicePrincipal --role Reader "
       f"--scope {RESOURCE}", {"scope": RESOURCE, "principalId": "{O}"}),
    ok(f"role assignment list --scope {SCOPE}", {"0.roleDefinitionName": "AcrPull", "0.principalName": "{C}", "0.scope": SCOPE}),
    ok(f"role assignment list -g {GROUP}", {"0.roleDefinitionName": "AcrPull"}),
    ok("role assignment list --assignee {C} --all", {"0.principalId": "{O}", "1.principalId": "{O}"}),
    ok(f"role assignment delete --assignee {{C}} --role AcrPull --scope {SCOPE}"),
    ok(f"role assignment delete --assignee {{C}} --scope {RESOURCE}"),
    no(f"role assignment delete --assignee {{C}} --role AcrPull --scope {SCOPE}", "No matched assignments were found to delete"),
    no(f"role assignment create --assignee {{C}} --role nosuch --scope {SCOPE}", "Role 'nosuch' doesn't exist."),
    no("role assignment create --assignee-object-id 00000000-0000-0000-0000-00000000beef --assignee-principal-type "
       f"ServicePrincipal --role Reader --scope {SCOPE}", "Principal 0000000000000000000000000000beef does not exist in the directory {T}."),
    ok("ad sp show --id {C}", {"appId": "{C}", "id": "{O}", "servicePrincipalNames.0": "{C}"}),
    ok("ad sp list --all", {"0.appId": SET}),
    no("ad signed-in-user show", "/me request is only valid with delegated authentication flow."),
    no("ad sp list --show-mine", "/me request is only valid with delegated authentication flow."),
    no("ad sp credential reset --id {C}", "You signed in with this secret. Add another one"),
    ok("ad sp credential list --id {C}", {"0.keyId": SET}),
    no("ad sp create-for-rbac -n withcert --create-cert", "This server does not offer signing in with a certificate"),
    no("ad sp owner list --id {C}", "This server does not offer 'servicePrincipals/"),
    ok("ad app permission list --id {C}", whole=[]),
    ok("network list-usages -l westus --query \"[?name.value=='SubnetsPerVirtualNetwork'].limit\" -o tsv", whole=3000),
]

NETWORKS = [
    ok(f"network vnet create -g {GROUP} -n {VNET} --address-prefix 10.0.0.0/16 --subnet-name s1 --subnet-prefix 10.0.0.0/24",
       {"newVNet.addressSpace.addressPrefixes": ["10.0.0.0/16"], "newVNet.subnets.0.addressPrefix": "10.0.0.0/24",
        "newVNet.provisioningState": "Succeeded", "newVNet.location": "westus"}),
    ok(f"network vnet show -g {GROUP} -n {VNET}",
       {"name": VNET, "type": f"{NET}/virtualNetworks", "subnets.0.name": "s1", "virtualNetworkPeerings": [],
        "enableDdosProtection": False, "resourceGuid": SET}, VNET_KEYS),
    ok("network vnet list", {"0.name": VNET}),
    ok(f"network vnet list -g {GROUP}", {"0.name": VNET}),
    no(f"network vnet show -g {GROUP} -n nosuch", f"(ResourceNotFound) The Resource '{NET}/virtualNetworks/nosuch' under "
       f"resource group '{GROUP}' was not found.", 3),
    ok(f"network vnet update -g {GROUP} -n {VNET} --set tags.a=b", {"tags": {"a": "b"}, "subnets.0.name": "s1"}),
    ok(f"network vnet subnet create -g {GROUP} --vnet-name {VNET} -n s2 --address-prefixes 10.0.1.0/24 "
       f"--service-endpoints {CR}",
       {"addressPrefix": "10.0.1.0/24", "serviceEndpoints.0.service": CR, "serviceEndpoints.0.locations": ["*"],
        "serviceEndpoints.0.provisioningState": "Succeeded", "type": f"{NET}/virtualNetworks/subnets",
        "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"}, SUBNET_KEYS),
    no(f"network vnet subnet create -g {GROUP} --vnet-name {VNET} -n s3 --address-prefixes 10.0.1.0/25",
       "(NetcfgSubnetRangesOverlap) Subnet 's3' is not valid because its IP address range overlaps"),
    no(f"network vnet subnet create -g {GROUP} --vnet-name {VNET} -n s3 --address-prefixes 10.9.1.0/24",
       "(NetcfgSubnetRangeOutsideVnet) Subnet 's3' is not valid because its IP address range is outside"),
    no(f"network vnet subnet create -g {GROUP} --vnet-name {VNET} -n s3 --address-prefixes 10.0.9.1/24",
       "(InvalidCIDRNotation) The address prefix 10.0.9.1/24 has an invalid CIDR notation. For the given prefix length, the "
       "address prefix should be 10.0.9.0/24."),
    no(f"network vnet subnet create -g {GROUP} --vnet-name {VNET} -n s3 --address-prefixes 10.0.9.0",
       "(InvalidAddressPrefixFormat) The address prefix '10.0.9.0' is not formatted correctly. It should follow CIDR notation"),
    absent(f"network vnet create -g {GROUP} -n {VNET}edge --edge-zone x"),
    ok(f"network vnet subnet update -g {GROUP} --vnet-name {VNET} -n s1 --service-endpoints {CR}",
       {"serviceEndpoints.0.service": CR}),
    ok(f"network vnet subnet update -g {GROUP} --vnet-name {VNET} -n s1 --disable-private-endpoint-network-policies false",
       {"privateEndpointNetworkPolicies": "Enabled", "serviceEndpoints.0.service": CR}),
    ok(f"network vnet subnet update -g {GROUP} --vnet-name {VNET} -n s1 --remove serviceEndpoints",
       {"name": "s1", "serviceEndpoints": None}),
    ok(f"network vnet subnet show -g {GROUP} --vnet-name {VNET} -n S2", {"name": "s2"}, SUBNET_KEYS),
    ok(f"network vnet subnet list -g {GROUP} --vnet-name {VNET}", {"0.name": "s1", "1.name": "s2"}),
    no(f"network vnet subnet show -g {GROUP} --vnet-name {VNET} -n nosuch", "(NotFound) Resource ", 3),
    no(f"network vnet subnet show -g {GROUP} --vnet-name nosuch -n s1",
       f"(ResourceNotFound) The Resource '{NET}/virtualNetworks/nosuch'", 3),
    ok(f"network vnet check-ip-address -g {GROUP} -n {VNET} --ip-address 10.0.0.10", {"available": True}),
    ok(f"network vnet check-ip-address -g {GROUP} -n {VNET} --ip-address 10.0.0.1",
       {"available": False, "availableIPAddresses.0": "10.0.0.4"}),
    ok(f"network vnet list-endpoint-services -l westus --query \"[?name=='{CR}'].type\" -o tsv",
       whole=f"{NET}/virtualNetworkEndpointServices"),
    absent("network private-endpoint list"),
    absent("network private-dns zone list"),
    absent("network application-gateway list"),
    absent("vm list"),
    no("aks list", "(NoRegisteredProviderFound) "),
]

INTERFACES = [
    ok(f"network nsg create -g {GROUP} -n nsg1",
       {"NewNSG.name": "nsg1", "NewNSG.securityRules": [], "NewNSG.defaultSecurityRules.0.priority": 65000,
        "NewNSG.defaultSecurityRules.5.name": "DenyAllOutBound", "NewNSG.provisioningState": "Succeeded"}),
    ok(f"network nsg rule list -g {GROUP} --nsg-name nsg1", whole=[]),
    ok(f"network nsg rule create -g {GROUP} --nsg-name nsg1 -n r1 --priority 1001 --destination-port-ranges 443 --access Allow "
       "--protocol Tcp",
       {"name": "r1", "priority": 1001, "destinationPortRange": "443", "access": "Allow", "protocol": "Tcp",
        "direction": "Inbound", "sourceAddressPrefix": "*", "provisioningState": "Succeeded"}),
    no(f"network nsg rule create -g {GROUP} --nsg-name nsg1 -n r2 --priority 1003 --destination-port-ranges 99999",
       "(SecurityRuleInvalidPortRange) Security rule r2 has invalid Port range. Value provided: 99999."),
    no(f"network nsg rule create -g {GROUP} --nsg-name nsg1 -n r2 --priority 1003 --source-address-prefixes 10.0.0.1/24",
       "(SecurityRuleInvalidAddressPrefix) Security rule r2 has invalid Address prefix. Value provided: 10.0.0.1/24"),
    ok(f"network nsg rule update -g {GROUP} --nsg-name nsg1 -n r1 --priority 1002", {"priority": 1002, "access": "Allow"}),
    ok(f"network nsg rule show -g {GROUP} --nsg-name nsg1 -n R1", {"name": "r1", "priority": 1002}),
    ok(f"network nsg rule list -g {GROUP} --nsg-name nsg1", {"0.name": "r1", "0.type": SET}),
    ok(f"network nsg rule list -g {GROUP} --nsg-name nsg1 -o table"),
    ok(f"network nsg show -g {GROUP} -n nsg1", {"securityRules.0.name": "r1", "type": f"{NET}/networkSecurityGroups"}),
    ok("network nsg list", {"0.name": "nsg1"}),
    ok(f"network vnet subnet update -g {GROUP} --vnet-name {VNET} -n s1 --network-security-group nsg1",
       {"networkSecurityGroup.id": f"/subscriptions/{{S}}/resourceGroups/{GROUP}/providers/{NET}/networkSecurityGroups/nsg1"}),
    no(f"network nsg delete -g {GROUP} -n nsg1", "(InUseNetworkSecurityGroupCannotBeDeleted) Network security group "),
    ok(f"network public-ip create -g {GROUP} -n p1 --sku Standard",
       {"publicIp.name": "p1", "publicIp.sku": {"name": "Standard", "tier": "Regional"}, "publicIp.ipAddress": SET,
        "publicIp.idleTimeoutInMinutes": 4, "publicIp.provisioningState": "Succeeded"}),
    ok(f"network public-ip show -g {GROUP} -n p1", {"name": "p1", "ipAddress": SET, "resourceGuid": SET, "ipTags": []}),
    ok(f"network public-ip list -g {GROUP}", {"0.name": "p1"}),
    ok(f"network public-ip update -g {GROUP} -n p1 --set tags.a=b", {"tags": {"a": "b"}}),
    no(f"network public-ip update -g {GROUP} -n p1 --sku Basic", "(SkuCannotBeChangedOnUpdate) Sku property is set at creation "),
    ok(f"network nic create -g {GROUP} -n nic1 --vnet-name {VNET} --subnet s1 --public-ip-address p1",
       {"NewNIC.name": "nic1", "NewNIC.provisioningState": "Succeeded", "NewNIC.ipConfigurations.0.name": "ipconfig1",
        "NewNIC.ipConfigurations.0.privateIPAddress": "10.0.0.4"},
       old={"NewNIC.ipConfigurations.0.privateIpAddress": "10.0.0.4"}),
    ok(f"network nic show -g {GROUP} -n nic1", {"name": "nic1", "type": f"{NET}/networkInterfaces",
                                                "ipConfigurations.0.primary": True, "ipConfigurations.0.subnet.id": SET}),
    ok(f"network nic list -g {GROUP}", {"0.name": "nic1"}),
    no(f"network vnet subnet delete -g {GROUP} --vnet-name {VNET} -n s1", "(InUseSubnetCannotBeDeleted) Subnet s1 is in use by "),
    no(f"network vnet delete -g {GROUP} -n {VNET}", "(InUseSubnetCannotBeDeleted) Subnet s1 is in use by "),
    no(f"network public-ip delete -g {GROUP} -n p1", "(PublicIPAddressCannotBeDeleted) Public IP address "),
    ok(f"network nic delete -g {GROUP} -n nic1", whole=None),
    ok(f"network public-ip delete -g {GROUP} -n p1", whole=None),
    ok(f"network vnet subnet update -g {GROUP} --vnet-name {VNET} -n s1 --remove networkSecurityGroup",
       {"name": "s1", "networkSecurityGroup": None}),
    ok(f"network nsg delete -g {GROUP} -n nsg1", whole=None),
]

RULES = [
    ok(f"acr network-rule list -n {REGISTRY}", whole={"ipRules": [], "virtualNetworkRules": []}),
    ok(f"acr network-rule add -n {REGISTRY} --subnet s2 --vnet-name {VNET}",
       {"networkRuleSet.virtualNetworkRules.0.action": "Allow", "networkRuleSet.defaultAction": "Allow"}),
    ok(f"acr network-rule add -n {REGISTRY} --ip-address 23.45.1.0/24",
       {"networkRuleSet.ipRules": [{"action": "Allow", "ipAddressOrRange": "23.45.1.0/24"}]}),
    ok(f"acr network-rule add -n {REGISTRY} --ip-address 23.45.1.0/24",
       {"networkRuleSet.ipRules": [{"action": "Allow", "ipAddressOrRange": "23.45.1.0/24"}]}),
    ok(f"acr network-rule add -n {REGISTRY} --ip-address 2001:db8:9::/48",
       {"networkRuleSet.ipRules.1": {"action": "Allow", "ipAddressOrRange": "2001:db8:9::/48"}}),
    ok(f"acr network-rule list -n {REGISTRY}",
       {"ipRules.0.ipAddressOrRange": "23.45.1.0/24", "virtualNetworkRules.0.virtualNetworkResourceId":
        f"/subscriptions/{{S}}/resourceGroups/{GROUP}/providers/{NET}/virtualNetworks/{VNET}/subnets/s2"}),
    ok(f"acr update -n {REGISTRY} --default-action Deny",
       {"networkRuleSet.defaultAction": "Deny", "networkRuleSet.ipRules.1.ipAddressOrRange": "2001:db8:9::/48"}),
    ok(f"acr network-rule remove -n {REGISTRY} --ip-address 23.45.1.0/24",
       {"networkRuleSet.ipRules": [{"action": "Allow", "ipAddressOrRange": "2001:db8:9::/48"}]}),
    ok(f"acr network-rule remove -n {REGISTRY} --ip-address 9.9.9.9", {"networkRuleSet.virtualNetworkRules.0.action": "Allow"}),
    ok(f"acr network-rule remove -n {REGISTRY} --subnet /SUBSCRIPTIONS/{{S}}/resourcegroups/{GROUP.upper()}/providers/{NET}"
       f"/virtualnetworks/{VNET.upper()}/subnets/S2", {"networkRuleSet.virtualNetworkRules": []}),
    ok(f"acr network-rule remove -n {REGISTRY} --ip-address 2001:db8:9::/48", {"networkRuleSet.ipRules": []}),
    ok(f"acr update -n {REGISTRY} --default-action Allow", {"networkRuleSet.defaultAction": "Allow"}),
    ok(f"network vnet subnet delete -g {GROUP} --vnet-name {VNET} -n s2", whole=None),
    ok(f"network vnet delete -g {GROUP} -n {VNET}", whole=None),
]

DATA_PLANE = [
    ok(f"acr login -n {REGISTRY}", whole="Login Succeeded"),
    ok(f"acr login -n {REGISTRY.upper()}", whole="Login Succeeded"),
    ok(f"acr login -n {REGISTRY} --expose-token", {"loginServer": f"{REGISTRY}.azurecr.test", "accessToken": SET}),
    no(f"acr login -n {REGISTRY} -u {REGISTRY} -p wrong", "Login failed."),
    ok(f"acr repository list -n {REGISTRY}", whole=[]),
    no(f"acr repository show -n {REGISTRY} --repository x", "Error: this registry keeps no attributes of "),
    no(f"acr repository show-tags -n {REGISTRY} --repository x", "Error: no repository x."),
    no(f"acr repository untag -n {REGISTRY} --image x:v1", "Error: this registry keeps no attributes of "),
    no(f"acr repository delete -n {REGISTRY} --repository x --yes", "Error: this registry keeps no attributes of "),
    no(f"acr manifest show -r {REGISTRY} -n x:v1", "Error: ", 3),
    Row(f"acr check-health -n {REGISTRY} --ignore-errors", typed="n\n"),
]

END = [
    ok(f"acr delete -n {REGISTRY} --yes", whole=None),
    ok(f"group delete -n {GROUP} --yes", whole=None),
    ok(f"group exists -n {GROUP}", whole=False),
    ok("logout", whole=None),
    no("group list", "Please run 'az login' to setup account."),
]

TABLE = IDENTITY + PROVIDERS + GROUPS + REGISTRIES + RESOURCES + ROLES + NETWORKS + INTERFACES + RULES + DATA_PLANE + END
LONG = {"marks": pytest.mark.long}


@pytest.fixture(scope="module", params=[
    pytest.param((NEWEST, True), id="newest"),
    pytest.param((NEWEST, False), id="newest-processes", **LONG),
    pytest.param((OLD, True), id="old", **LONG),
    pytest.param((OLD, False), id="old-processes", **LONG)])
def variant(request):
    """The az, and whether it is forked."""
    return request.param


@pytest.fixture(scope="module")
def administrator(lab, variant):
    """Someone on the public internet with az and docker, signed in."""
    program, forks = variant
    k = Kidoban(lab, options=FOR_AZ).start()
    host, server = lab.public_host(), f"{REGISTRY}.{k.suffix}"
    host.name_is("203.0.113.10", server)
    host.trusts(k.ca, server)
    docker = Dockerd(host).wait()
    az = Az(host, program=program, forks=forks, env={"DOCKER_HOST": f"unix://{docker.socket}",
                                                     "DOCKER_CONFIG": docker.config})
    az.register(k)
    az.login(k)
    me = k("ad", "sp", "show", "--id", k.admin["clientId"])
    az.words = {"{O}": me["id"], "{S}": k.admin["subscriptionId"], "{T}": k.admin["tenantId"], "{C}": k.admin["clientId"]}
    yield az
    k.stop()


def fill(value, words):
    """The placeholders of a text; another value as it is."""
    if isinstance(value, str):
        for k, v in words.items():
            value = value.replace(k, v)
    return value


def at(found, path):
    """What stands under a.0.b in what was printed; None where nothing does."""
    for step in path.split("."):
        if found is None:
            return None
        found = found[int(step)] if isinstance(found, list) else found.get(step)
    return found


def told(result):
    """What was printed: JSON, or the text itself."""
    try:
        return result.json
    except json.JSONDecodeError:
        return result.out.strip()


@pytest.mark.parametrize("row", [pytest.param(r, id=f"{n:03} {r.command}") for n, r in enumerate(TABLE)])
def test_az(administrator, row):
    words = administrator.words
    result = administrator.run(*shlex.split(fill(row.command, words)), typed=row.typed)
    assert result.code == row.code, result.text
    if row.error is not None:
        assert result.error and fill(row.error, words) in result.error[0], result.err
        assert "Traceback" not in result.err
    printed = told(result)
    if row.whole is not ...:
        assert printed == row.whole
    fields = row.old if row.old and administrator.program == OLD else row.fields
    for path, wanted in fields.items():
        value = at(printed, path)
        assert value is not None if wanted is SET else value == fill(wanted, words), path
    assert not row.keys or not set(row.keys) - set(printed), set(row.keys) - set(printed)
