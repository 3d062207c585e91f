"""One area of the control plane through Azure's Python SDK: create, read, update, list, delete.

Run by the Python that has the SDK, with the server's admin.json and the name of an area. Says what it did as JSON.
"""

import base64
import json
import sys
import uuid

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
GROUP, PLACE = "sdk", {"location": "local"}


class Server:
    """The clients of one server, signed in as its administrator."""

    def __init__(self, admin):
        self.admin, self.url = admin, admin["controlUrl"].rstrip("/")
        self.credential = ClientSecretCredential(admin["tenantId"], admin["clientId"], admin["clientSecret"],
                                                 authority=self.url, disable_instance_discovery=True)

    def object_id(self):
        """Who it is signed in as, from the token."""
        payload = self.credential.get_token(self.url + "/.default").token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=="))["oid"]

    def client(self, kind):
        return kind(self.credential, self.admin["subscriptionId"], base_url=self.url,
                    credential_scopes=[self.url + "/.default"])


def gone(read, *args):
    """Reading what was deleted says so."""
    try:
        read(*args)
    except ResourceNotFoundError as e:
        return e.error.code
    raise AssertionError(f"{args} is still there")


def refused(call, *args):
    """The code with which a wrong request is refused."""
    try:
        call(*args)
    except HttpResponseError as e:
        return e.error.code
    raise AssertionError(f"{args} was accepted")


def names(listed):
    return sorted(x.name for x in listed)


def resources(server):
    c = server.client(ResourceManagementClient)
    made = c.resource_groups.create_or_update("sdk-group", {**PLACE, "tags": {"a": "1"}})
    changed = c.resource_groups.update("sdk-group", {"tags": {"b": "2"}})
    listed = names(c.resource_groups.list())
    providers = {p.namespace: p.registration_state for p in c.providers.list()}
    found = [r.type for r in c.resources.list(filter="resourceType eq 'Microsoft.ContainerRegistry/registries'")]
    c.resource_groups.begin_delete("sdk-group").result()
    return {"made": made.name, "state": made.properties.provisioning_state, "tags": changed.tags, "listed": listed,
            "providers": providers, "found": found, "exists": c.resource_groups.check_existence("sdk-group"),
            "gone": gone(c.resource_groups.get, "sdk-group")}


def registries(server):
    c = server.client(ContainerRegistryManagementClient).registries
    made = c.begin_create(GROUP, "sdkregistry", {**PLACE, "sku": {"name": "Premium"}}).result()
    rules = {"networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7", "action": "Allow"}]}}
    changed = c.begin_update(GROUP, "sdkregistry", {"tags": {"team": "sdk"},
                                                    "properties": {"adminUserEnabled": True, **rules}}).result()
    first = c.list_credentials(GROUP, "sdkregistry")
    second = c.regenerate_credential(GROUP, "sdkregistry", {"name": "password"})
    usages = [u.name for u in c.list_usages(GROUP, "sdkregistry").value]
    wrong = refused(lambda: c.begin_update(GROUP, "sdkregistry", {"sku": {"name": "Basic"}}).result())
    taken = c.check_name_availability({"name": "sdkregistry", "type": "Microsoft.ContainerRegistry/registries"})
    listed, inside = names(c.list()), names(c.list_by_resource_group(GROUP))
    c.begin_delete(GROUP, "sdkregistry").result()
    return {"made": made.name, "state": made.provisioning_state, "sku": made.sku.name, "tags": changed.tags,
            "rules": [r.ip_address_or_range for r in changed.network_rule_set.ip_rules],
            "default": changed.network_rule_set.default_action, "user": first.username,
            "renewed": [a.value != b.value for a, b in zip(first.passwords, second.passwords)], "usages": usages,
            "wrong": wrong, "taken": taken.reason, "listed": listed, "inside": inside,
            "gone": gone(c.get, GROUP, "sdkregistry")}


def networks(server):
    c = server.client(NetworkManagementClient)
    made = c.virtual_networks.begin_create_or_update(
        GROUP, "sdknet", {**PLACE, "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}).result()
    subnet = c.subnets.begin_create_or_update(GROUP, "sdknet", "one", {"properties": {
        "addressPrefix": "10.1.0.0/24", "serviceEndpoints": [{"service": "Microsoft.ContainerRegistry"}]}}).result()
    group = c.network_security_groups.begin_create_or_update(GROUP, "sdknsg", PLACE).result()
    public = c.public_ip_addresses.begin_create_or_update(
        GROUP, "sdkip", {**PLACE, "sku": {"name": "Standard"},
                         "properties": {"publicIPAllocationMethod": "Static"}}).result()
    card = c.network_interfaces.begin_create_or_update(GROUP, "sdknic", {**PLACE, "properties": {
        "networkSecurityGroup": {"id": group.id},
        "ipConfigurations": [{"name": "ipconfig1", "properties": {
            "subnet": {"id": subnet.id}, "publicIPAddress": {"id": public.id}}}]}}).result()
    in_use = refused(lambda: c.subnets.begin_delete(GROUP, "sdknet", "one").result())
    tagged = c.virtual_networks.update_tags(GROUP, "sdknet", {"tags": {"team": "sdk"}})
    listed = names(c.virtual_networks.list(GROUP))
    services = [s.name for s in c.available_endpoint_services.list("local")]
    for operations, name in ((c.network_interfaces, "sdknic"), (c.public_ip_addresses, "sdkip"),
                             (c.network_security_groups, "sdknsg")):
        operations.begin_delete(GROUP, name).result()
    c.subnets.begin_delete(GROUP, "sdknet", "one").result()
    c.virtual_networks.begin_delete(GROUP, "sdknet").result()
    return {"made": made.name, "state": made.provisioning_state, "tags": tagged.tags, "listed": listed,
            "endpoint": [e.service for e in subnet.service_endpoints], "address": bool(public.ip_address),
            "rules": len(group.default_security_rules), "private": card.ip_configurations[0].private_ip_address,
            "in use": in_use, "services": services, "gone": gone(c.virtual_networks.get, GROUP, "sdknet")}


def roles(server):
    c = server.client(AuthorizationManagementClient)
    scope = f"/subscriptions/{server.admin['subscriptionId']}/resourceGroups/{GROUP}"
    definition = next(d for d in c.role_definitions.list(scope) if d.name == READER)
    name = str(uuid.uuid4())
    body = {"roleDefinitionId": definition.id, "principalId": server.object_id(),
            "principalType": "ServicePrincipal"}
    made = c.role_assignments.create(scope, name, {"properties": body})
    again = refused(c.role_assignments.create, scope, str(uuid.uuid4()), {"properties": body})
    listed = [a.name for a in c.role_assignments.list_for_scope(scope, filter="atScope()")]
    c.role_assignments.delete(scope, name)
    return {"role": definition.role_name, "made": made.principal_id == server.object_id(), "again": again,
            "listed": name in listed, "gone": gone(c.role_assignments.get, scope, name)}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        server = Server(json.load(f))
    area = {f.__name__: f for f in (resources, registries, networks, roles)}[sys.argv[2]]
    print(json.dumps(area(server)))


main()
