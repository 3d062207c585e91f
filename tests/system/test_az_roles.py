"""Roles as someone without all of them meets them: the stock az, and docker with what az got for it."""

import pytest

from lab import Dockerd, Kidoban
from lab.az import FOR_AZ, Az

GROUP, REGISTRY = "lab", "rolesregistry"
ENDPOINT = "Microsoft.ContainerRegistry"


class Site:
    """A registry with an image, a virtual network, an administrator, and a docker and az for whoever comes."""

    def __init__(self, lab):
        k = self.kidoban = Kidoban(lab, options=FOR_AZ).start()
        k.group(GROUP)
        self.registry = k.registry(REGISTRY, GROUP)
        self.vnet = k.network("vnet", group=GROUP)
        self.subnet = self.vnet["subnets"][0]["id"]
        self.host = lab.public_host()
        self.registry.known_by(self.host)
        self.docker = Dockerd(self.host).wait()
        self.image = f"{self.registry.login_server}/hello-world:v1"
        self.docker.login(self.registry.login_server, self.registry.user, self.registry.password).ok()
        self.docker.make_image(self.image)
        self.docker("push", self.image).ok()
        self.docker("logout", self.registry.login_server).ok()
        self.serial = 0

    def account(self):
        """An az whose service principal has no role yet; its client id is `client`."""
        self.serial += 1
        made = self.kidoban("ad", "sp", "create-for-rbac", "--name", f"robot{self.serial}")
        az = Az(self.host, f"robot{self.serial}", env={"DOCKER_HOST": f"unix://{self.docker.socket}",
                                                       "DOCKER_CONFIG": f"{self.host.dir}/home/.docker{self.serial}"})
        az.register(self.kidoban)
        az.client, az.secret = made["appId"], made["password"]
        return az

    def person(self, *roles):
        """An az that is signed in with these (role, scope)."""
        az = self.account()
        for role, scope in roles:
            self.give(az, role, scope)
        az.login(self.kidoban, az.client, az.secret)
        return az

    def give(self, az, role, scope, verb="create"):
        return self.kidoban("role", "assignment", verb, "--assignee", az.client, "--role", role, "--scope", scope)

    def docker_as(self, az, *args):
        """docker with what this az has signed it in to."""
        return self.host.run(["docker", *args], env=az.env)


@pytest.fixture(scope="module")
def site(lab):
    made = Site(lab)
    yield made
    made.kidoban.stop()


def subscription(site):
    return f"/subscriptions/{site.kidoban.admin['subscriptionId']}"


def refused(result, code="AuthorizationFailed"):
    assert result.code == 1, result.text
    assert len(result.error) == 1 and result.error[0].startswith(f"({code}) "), result.err
    return result.error[0]


def test_who_has_no_role_finds_no_subscription(site):
    az = site.account()
    r = az.run("login", "--service-principal", "-u", az.client, "-p", az.secret, "--tenant", site.kidoban.admin["tenantId"])
    assert r.code == 1 and r.error == [f"No subscriptions found for {az.client}."]


def test_a_reader_reads_and_changes_nothing(site):
    az = site.person(("Reader", f"{subscription(site)}/resourceGroups/{GROUP}"))
    before = az("acr", "show", "-n", REGISTRY)
    assert before["loginServer"] == site.registry.login_server
    text = refused(az.run("acr", "update", "-n", REGISTRY, "--default-action", "Deny"))
    assert az.client in text and "'Microsoft.ContainerRegistry/registries/write'" in text
    refused(az.run("acr", "network-rule", "add", "-n", REGISTRY, "--ip-address", "192.0.2.1"))
    refused(az.run("acr", "delete", "-n", REGISTRY, "-g", GROUP, "--yes"))
    refused(az.run("acr", "create", "-n", "readersregistry", "-g", GROUP, "--sku", "Basic"))
    refused(az.run("group", "create", "-n", "readersgroup", "-l", "local"))
    refused(az.run("role", "assignment", "create", "--assignee-object-id", site.kidoban("ad", "sp", "show", "--id", az.client)["id"],
                   "--assignee-principal-type", "ServicePrincipal", "--role", "Owner", "--scope", subscription(site)))
    assert az("acr", "show", "-n", REGISTRY) == before


def test_acr_pull_signs_docker_in_to_pull_and_not_to_push(site):
    az = site.person(("AcrPull", site.registry.id))
    login = az.run("acr", "login", "-n", REGISTRY).ok()
    assert "Login Succeeded" in login.text
    site.docker_as(az, "pull", site.image).ok()
    assert az("acr", "repository", "show-tags", "-n", REGISTRY, "--repository", "hello-world") == ["v1"]
    r = site.docker_as(az, "push", site.image)
    assert r.code == 1 and ("denied" in r.text or "unauthorized" in r.text), r.text


def test_acr_push_pushes_until_the_role_is_taken_away(site):
    az = site.person(("AcrPush", site.registry.id))
    az.run("acr", "login", "-n", REGISTRY).ok()
    site.docker_as(az, "push", site.image).ok()
    site.give(az, "AcrPush", site.registry.id, "delete")
    r = site.docker_as(az, "push", site.image)
    assert r.code == 1 and ("denied" in r.text or "unauthorized" in r.text), r.text


def test_naming_a_subnet_needs_the_right_to_join_it(site):
    az = site.person(("Contributor", site.registry.id))
    command = ("acr", "network-rule", "add", "-n", REGISTRY, "--subnet", site.subnet)
    text = refused(az.run(*command), "LinkedAuthorizationFailed")
    assert "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action" in text
    assert az("acr", "network-rule", "list", "-n", REGISTRY)["virtualNetworkRules"] == []
    site.give(az, "Network Contributor", site.subnet)
    (rule,) = az(*command)["networkRuleSet"]["virtualNetworkRules"]
    assert rule["action"] == "Allow"
    az("acr", "network-rule", "remove", "-n", REGISTRY, "--subnet", site.subnet)


def test_a_subnet_of_another_subscription_is_named_once_that_has_registered_the_provider(site):
    k = site.kidoban
    other = k("account", "create", "--name", "Networks")
    admin = Az(site.host, "networks")
    admin.register(k)
    admin.login(k)
    admin("account", "set", "--subscription", "Networks")
    admin("provider", "register", "--namespace", "Microsoft.Network")
    admin("group", "create", "-n", "networks", "-l", "local")
    admin("network", "vnet", "create", "-g", "networks", "-n", "far", "--subnet-name", "default")
    subnet = admin("network", "vnet", "subnet", "update", "-g", "networks", "--vnet-name", "far", "-n", "default",
                   "--service-endpoints", ENDPOINT)["id"]
    assert other["id"].rsplit("/", 1)[-1] in subnet
    first = ("--subscription", k.admin["subscriptionId"])
    add = ("acr", "network-rule", "add", "-n", REGISTRY, "--subnet", subnet, *first)
    r = admin.run(*add)
    assert r.code == 1 and len(r.error) == 1 and "Microsoft.ContainerRegistry" in r.error[0], r.err
    admin("provider", "register", "--namespace", "Microsoft.ContainerRegistry")
    (rule,) = admin(*add)["networkRuleSet"]["virtualNetworkRules"]
    assert rule["virtualNetworkResourceId"] == subnet
    admin("acr", "network-rule", "remove", "-n", REGISTRY, "--subnet", subnet, *first)
