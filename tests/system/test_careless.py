"""What a careless user asks for: each refusal is one clear error of ARM and changes nothing; what is meant well succeeds."""

import pytest

PREMIUM = {"location": "local", "sku": {"name": "Premium"}, "properties": {"adminUserEnabled": False}}
PARTS = ("defaultAction", "virtualNetworkRules", "ipRules")


@pytest.fixture(scope="module")
def network(control, group):
    """A network with 101 subnets that have the endpoint, and one that has not."""
    vid = f"{group}/providers/Microsoft.Network/virtualNetworks/careless"
    endpoint = [{"service": "Microsoft.ContainerRegistry"}]
    subnets = [{"name": f"s{i}", "properties": {"addressPrefix": f"10.7.{i}.0/24", "serviceEndpoints": endpoint}}
               for i in range(101)]
    subnets.append({"name": "bare", "properties": {"addressPrefix": "10.7.200.0/24"}})
    body = {"location": "local", "properties": {"addressSpace": {"addressPrefixes": ["10.7.0.0/16"]}, "subnets": subnets}}
    assert control.request("PUT", vid, body).status == 201
    return vid


class Registry:
    """One registry, and what its rules are before and after."""

    def __init__(self, control, rid):
        self.control, self.id = control, rid

    def shown(self):
        a = self.control.request("GET", self.id)
        assert a.status == 200, a
        return a

    def rules(self):
        return {k: self.shown().json["properties"]["networkRuleSet"][k] for k in PARTS}

    def patch(self, **rules):
        return self.control.request("PATCH", self.id, {"properties": {"networkRuleSet": rules}})

    def refuses(self, status, code, words, ask):
        """`ask` gets one error of ARM whose message has `words`; the registry stays as it is, its etag too."""
        before = self.shown()
        a = ask()
        assert a.status == status, a
        error = a.json["error"]
        assert error["code"] == code and words in error["message"], error
        after = self.shown()
        assert after.json == before.json and after.headers["ETag"] == before.headers["ETag"]


@pytest.fixture
def registry(control, group, network, request):
    """A registry that denies, with a rule of each kind."""
    r = Registry(control, f"{group}/providers/Microsoft.ContainerRegistry/registries/{request.node.name[:40].replace('_', '')}")
    assert control.request("PUT", r.id, PREMIUM).status == 201
    a = r.patch(defaultAction="Deny", ipRules=[{"value": "192.0.2.0/24"}],
                virtualNetworkRules=[{"virtualNetworkSubnetResourceId": f"{network}/subnets/s0", "action": "Allow"}])
    assert a.status == 200, a
    return r


def missing(control, method, path, body, code, words):
    a = control.request(method, path, body)
    assert a.status == 404 and a.json["error"]["code"] == code and words in a.json["error"]["message"], a


def test_a_wrong_group_is_named(control, group):
    nowhere = group.replace("/lab", "/nowhere")
    rid = f"{nowhere}/providers/Microsoft.ContainerRegistry/registries/lostreg"
    vid = f"{nowhere}/providers/Microsoft.Network/virtualNetworks/lost"
    for method, path, body in (("PUT", rid, PREMIUM), ("GET", rid, None), ("PATCH", rid, {}), ("GET", vid, None)):
        missing(control, method, path, body, "ResourceGroupNotFound", "Resource group 'nowhere' could not be found.")
    lost = rid.replace("/nowhere/", "/lab/")
    missing(control, "GET", lost, None, "ResourceNotFound",
            "The Resource 'Microsoft.ContainerRegistry/registries/lostreg' under resource group 'lab' was not found.")
    missing(control, "PATCH", lost, {}, "ResourceNotFound", "lostreg")


def test_a_basic_registry_takes_no_rules(control, group):
    r = Registry(control, f"{group}/providers/Microsoft.ContainerRegistry/registries/basicreg")
    assert control.request("PUT", r.id, {**PREMIUM, "sku": {"name": "Basic"}}).status == 201
    assert "networkRuleSet" not in r.shown().json["properties"]
    words = "Network rules are only supported for managed registries in Premium SKU."
    for rules in ({"defaultAction": "Deny"}, {"ipRules": [{"value": "192.0.2.1"}]}):
        r.refuses(400, "FeatureNotSupportedInSku", words, lambda rules=rules: r.patch(**rules))
    r.refuses(400, "FeatureNotSupportedInSku", words,
              lambda: control.request("POST", f"{r.id}/addNetworkRule", {"value": "192.0.2.1"}))


def test_the_101st_subnet_is_one_too_many(registry, network):
    subnets = [{"id": f"{network}/subnets/s{i}"} for i in range(101)]
    registry.refuses(400, "QuotaExceeded", "The requested feature virtual network rule exceeds allowed quota 100 for the SKU Premium.",
                     lambda: registry.patch(virtualNetworkRules=subnets))
    assert registry.patch(virtualNetworkRules=subnets[:100]).status == 200
    registry.refuses(400, "QuotaExceeded", "exceeds allowed quota 100",
                     lambda: registry.control.request("POST", f"{registry.id}/addNetworkRule", subnets[100]))


def test_the_201st_address_is_one_too_many(registry):
    addresses = [{"value": f"198.51.100.{i}"} for i in range(100)] + [{"value": f"203.0.113.{i}"} for i in range(101)]
    registry.refuses(400, "QuotaExceeded", "The requested feature IP rule exceeds allowed quota 200 for the SKU Premium.",
                     lambda: registry.patch(ipRules=addresses))
    assert registry.patch(ipRules=addresses[:200]).status == 200
    registry.refuses(400, "QuotaExceeded", "exceeds allowed quota 200", lambda: registry.patch(ipRules=addresses))


def test_a_subnet_needs_the_endpoint_and_has_to_be_there(registry, network):
    def sends(subnet):
        return lambda: registry.patch(virtualNetworkRules=[{"id": subnet}])

    registry.refuses(400, "NetworkRuleValidationError",
                     f"Subnets bare of virtual network {network} do not have ServiceEndpoints for Microsoft.ContainerRegistry",
                     sends(f"{network}/subnets/bare"))
    registry.refuses(400, "NetworkRuleValidationError", "could not be found", sends(f"{network}/subnets/unknown"))
    registry.refuses(400, "NetworkRuleValidationError", "could not be found",
                     sends(f"{network}/subnets/s0".replace("careless", "unknown")))
    registry.refuses(400, "NetworkRuleValidationError", "This is not the id of a subnet", sends(network))
    registry.refuses(400, "NetworkRuleValidationError", "disagree", lambda: registry.patch(virtualNetworkRules=[
        {"id": f"{network}/subnets/s0", "virtualNetworkSubnetResourceId": f"{network}/subnets/s1"}]))


@pytest.mark.parametrize("value", ["192.0.2.1/24", "2001:db8::1/64", "fe80::1%eth0", "fe80::%1/64", "192.0.2.0/33",
                                   "2001:db8::/129", "192.0.2", "192.0.2.256", "192.0.02.1", "example.com", "", "*", "224.0.0.0/4"])
def test_a_bad_address_is_refused(bad, value):
    bad.refuses(400, "NetworkRuleValidationError", "Could not validate network rule",
                lambda: bad.patch(ipRules=[{"value": "192.0.2.0/24"}, {"value": value, "action": "Allow"}]))


@pytest.fixture(scope="module")
def bad(control, group):
    """One registry for all bad addresses."""
    r = Registry(control, f"{group}/providers/Microsoft.ContainerRegistry/registries/badaddresses")
    assert control.request("PUT", r.id, PREMIUM).status == 201
    return r


def test_a_downgrade_with_rules_names_them(registry):
    for sku in ("Basic", "Standard"):
        registry.refuses(409, "SkuDowngradeNotAllowed", "the default action Deny, 1 virtual network rule, 1 IP rule",
                         lambda sku=sku: registry.control.request("PATCH", registry.id, {"sku": {"name": sku}}))
    registry.refuses(409, "SkuDowngradeNotAllowed", "Remove that first.",
                     lambda: registry.control.request("PUT", registry.id, {**PREMIUM, "sku": {"name": "Basic"}}))


@pytest.mark.parametrize("what", [{"policies": {"retentionPolicy": {"status": "enabled"}}},
                                  {"policies": {"softDeletePolicy": {"status": "enabled"}}},
                                  {"policies": {"quarantinePolicy": {"status": "enabled"}}},
                                  {"policies": {"trustPolicy": {"status": "enabled"}}},
                                  {"publicNetworkAccess": "SecuredByPerimeter"}, {"zoneRedundancy": "Enabled"},
                                  {"encryption": {"status": "enabled"}}, {"roleAssignmentMode": "AbacRepositoryPermissions"},
                                  {"regionalEndpoints": "Enabled"}])
def test_what_is_not_offered_is_not_accepted(bad, what):
    bad.refuses(400, "NotSupported", "does not offer", lambda: bad.control.request("PATCH", bad.id, {"properties": what}))


@pytest.mark.parametrize("child", ["scopeMaps/m", "tokens/t", "webhooks/w", "replications/westus", "privateEndpointConnections/c",
                                   "cacheRules/c", "connectedRegistries/c", "credentialSets/c", "taskRuns/t", "tasks/t"])
def test_what_is_not_there_below_a_registry_says_so(bad, child):
    bad.refuses(400, "NotSupported", child.split("/", 1)[0],
                lambda: bad.control.request("PUT", f"{bad.id}/{child}", {"location": "local", "properties": {}}))


# --- what is meant well -------------------------------------------------------------------------------------------------


def test_an_ipv6_rule_is_a_rule(registry):
    shown = registry.patch(ipRules=[{"value": "2001:db8::/32"}, {"value": "2001:DB8:1::7"}]).json
    assert shown["properties"]["networkRuleSet"]["ipRules"] == [{"action": "Allow", "value": "2001:db8::/32"},
                                                                {"action": "Allow", "value": "2001:DB8:1::7"}]


def test_the_name_of_a_registry_is_read_in_any_case(registry):
    odd = registry.id[:registry.id.rindex("/") + 1] + registry.id[registry.id.rindex("/") + 1:].upper()
    a = registry.control.request("PATCH", odd, {"tags": {"found": "yes"}})
    assert a.status == 200 and a.json["id"] == registry.id and a.json["tags"] == {"found": "yes"}


def test_a_rule_twice_is_one_rule(registry, network):
    rules = registry.rules()
    subnet = {"id": f"{network}/subnets/s0"}
    other = {"virtualNetworkSubnetResourceId": f"{network}/subnets/S0".replace("resourceGroups", "resourcegroups")}
    address = {"value": "192.0.2.0/24"}
    assert registry.patch(ipRules=[address, address], virtualNetworkRules=[subnet, other]).status == 200
    assert registry.rules() == rules
    for rule in (subnet, other, address):
        assert registry.control.request("POST", f"{registry.id}/addNetworkRule", rule).status == 200
    assert registry.rules() == rules


def test_creating_it_again_opens_nothing(registry):
    rules = registry.rules()
    assert rules["defaultAction"] == "Deny" and rules["ipRules"] and rules["virtualNetworkRules"]
    a = registry.control.request("PUT", registry.id, {**PREMIUM, "properties": {"adminUserEnabled": False,
                                                                               "anonymousPullEnabled": False}})
    assert a.status == 201 and a.json["properties"]["provisioningState"] == "Updating"
    assert registry.rules() == rules
