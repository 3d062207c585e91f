"""The service-endpoint article, typed into the stock az: every command of it, in its order, with its names.

The virtual machine is a network namespace with docker and az; what the article does to make it is a virtual network here.
A second host, on the public internet, has docker too and no rule."""

import types

import pytest

from lab import Dockerd, Kidoban
from lab.az import FOR_AZ, NEWEST, OLD, Az

GROUP = "myResourceGroup"
ENDPOINT = "Microsoft.ContainerRegistry"
SUBNET_OPTIONS = ("--name", "myDockerVMSubnet", "--vnet-name", "myDockerVMVNET", "--resource-group", GROUP)
OLD_AZ = {"marks": pytest.mark.long}


@pytest.fixture(scope="module", params=[
    pytest.param(("azurecr.test", NEWEST), id="newest"),
    pytest.param(("azurecr.io", NEWEST), id="newest-azurecr.io"),
    pytest.param(("azurecr.test", OLD), id="old", **OLD_AZ),
    pytest.param(("azurecr.io", OLD), id="old-azurecr.io", **OLD_AZ)])
def variant(request):
    """The names' suffix, and the az."""
    return request.param


@pytest.fixture(scope="module")
def article(lab, variant):
    """Everything that the article does, done; what each step printed, by a name."""
    suffix, program = variant
    kidoban = Kidoban(lab, suffix=suffix, options=FOR_AZ).start()
    article = Article(lab, kidoban, program)
    article.prerequisites()
    article.virtual_machine()
    article.service_endpoint()
    article.rules()
    article.verify()
    article.restore()
    article.clean_up()
    yield article
    kidoban.stop()


class Article:
    def __init__(self, lab, kidoban, program):
        self.lab, self.kidoban, self.said = lab, kidoban, types.SimpleNamespace()
        self.server = f"mycontainerregistry.{kidoban.suffix}"
        self.image = f"{self.server}/hello-world:v1"
        self.other = self.docker_host(lab.public_host())
        self.az = self.person(self.other, program)
        self.program = program

    def docker_host(self, host):
        """A machine that knows the server's names and has docker."""
        host.name_is("203.0.113.10", self.server, f"arm.{self.kidoban.suffix}")
        host.trusts(self.kidoban.ca, self.server)
        return Dockerd(host).wait()

    def person(self, docker, program):
        """Someone at that machine who is signed in to az."""
        az = Az(docker.host, program=program, env={"DOCKER_HOST": f"unix://{docker.socket}",
                                                   "DOCKER_CONFIG": docker.config})
        az.register(self.kidoban)
        az.login(self.kidoban)
        return az

    def prerequisites(self):
        az = self.az
        az("account", "set", "--subscription", self.kidoban.admin["subscriptionId"])
        az("provider", "register", "--namespace", ENDPOINT)
        self.said.group = az("group", "create", "--name", GROUP, "--location", "westus")
        self.said.registry = az("acr", "create", "--name", "mycontainerregistry", "--resource-group", GROUP,
                                "--sku", "Premium")
        self.said.login_before = az.run("acr", "login", "--name", "mycontainerregistry")
        self.other.make_image(self.image)
        self.other("push", self.image).ok()
        self.other("logout", self.server).ok()

    def virtual_machine(self):
        """What `az vm create` would have left: a virtual network, and a machine in it."""
        vnet = self.az("network", "vnet", "create", "--resource-group", GROUP, "--name", "myDockerVMVNET",
                       "--address-prefix", "10.0.0.0/16", "--subnet-name", "myDockerVMSubnet",
                       "--subnet-prefix", "10.0.0.0/24")["newVNet"]
        network = self.lab.network("vm")
        self.kidoban.attach("myDockerVM", network, vnet, "--services", "data,control")
        self.vm = self.docker_host(network.host("10.0.0.4"))
        self.vm_az = self.person(self.vm, self.program)

    def service_endpoint(self):
        network = ("network", "vnet")
        self.said.networks = self.az(*network, "list", "--resource-group", GROUP,
                                     "--query", "[].{Name: name, Subnet: subnets[0].name}")
        self.said.endpoint = self.az(*network, "subnet", "update", *SUBNET_OPTIONS, "--service-endpoints", ENDPOINT)
        self.said.subnet = self.az.run(*network, "subnet", "show", *SUBNET_OPTIONS,
                                       "--query", "id", "--output", "tsv").ok().out

    def rules(self):
        self.said.deny = self.az("acr", "update", "--name", "myContainerRegistry", "--default-action", "Deny")
        self.said.add = self.az("acr", "network-rule", "add", "--name", "mycontainerregistry",
                                "--subnet", self.said.subnet.strip())

    def verify(self):
        self.said.vm_login = self.vm_az.run("acr", "login", "--name", "mycontainerregistry")
        self.said.vm_pull = self.vm("pull", self.image)
        self.said.other_az_login = self.az.run("acr", "login", "--name", "mycontainerregistry")
        self.said.other_login = self.other.login(self.server, "anybody", "anything")

    def restore(self):
        name = ("--name", "mycontainerregistry")
        self.said.list = self.az("acr", "network-rule", "list", *name)
        self.said.remove = self.az("acr", "network-rule", "remove", *name, "--subnet", self.said.subnet.strip())
        self.said.list_after = self.az("acr", "network-rule", "list", *name)
        self.said.allow = self.az("acr", "update", "--name", "myContainerRegistry", "--default-action", "Allow")
        self.said.login_after = self.az.run("acr", "login", *name)

    def clean_up(self):
        self.kidoban("network", "attachment", "delete", "--name", "myDockerVM")
        self.said.delete = self.az.run("group", "delete", "--name", GROUP, typed="y\n")
        self.said.exists = self.az("group", "exists", "--name", GROUP)


def test_the_prerequisites_are_made(article):
    said = article.said
    assert (said.group["name"], said.group["properties"]["provisioningState"]) == (GROUP, "Succeeded")
    assert (said.registry["loginServer"], said.registry["sku"]["name"]) == (article.server, "Premium")
    assert said.registry["networkRuleSet"]["defaultAction"] == "Allow"
    assert said.login_before.code == 0, said.login_before.text
    assert "Login Succeeded" in said.login_before.text


def test_the_list_of_networks_is_the_one_in_the_article(article):
    assert article.said.networks == [{"Name": "myDockerVMVNET", "Subnet": "myDockerVMSubnet"}]


def test_the_subnet_has_the_service_endpoint(article):
    endpoint = article.said.endpoint["serviceEndpoints"]
    assert [(e["service"], e["provisioningState"]) for e in endpoint] == [(ENDPOINT, "Succeeded")]


def test_the_subnets_id_is_one_bare_line(article):
    subscription = article.kidoban.admin["subscriptionId"]
    assert article.said.subnet == (
        f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/Microsoft.Network"
        "/virtualNetworks/myDockerVMVNET/subnets/myDockerVMSubnet\n")


def test_the_registry_denies_by_default_and_one_subnet_is_let_in(article):
    assert article.said.deny["networkRuleSet"]["defaultAction"] == "Deny"
    for rules in (article.said.add["networkRuleSet"], article.said.list):
        assert rules["ipRules"] == []
        (rule,) = rules["virtualNetworkRules"]
        ids = {v for k, v in rule.items() if k.lower().endswith("id") and v}
        assert ids == {article.said.subnet.strip()} and rule["action"] == "Allow"


def test_the_virtual_machine_signs_in_with_az_and_pulls(article):
    login, pull = article.said.vm_login, article.said.vm_pull
    assert login.code == 0 and "Login Succeeded" in login.text, login.text
    assert pull.code == 0 and f"Downloaded newer image for {article.image}" in pull.out, pull.text


def test_docker_login_from_another_host_prints_the_articles_line(article):
    r = article.said.other_login
    assert r.code == 1
    assert r.err.strip().splitlines()[-1] == (
        f"Error response from daemon: login attempt to https://{article.server}/v2/ failed with status: 403 Forbidden")


def test_az_acr_login_from_another_host_speaks_of_the_firewall(article):
    r = article.said.other_az_login
    assert r.code == 1
    assert f"Looks like you don't have access to registry '{article.server}'." in r.err
    assert "To see configured firewall rules" in r.err and "az login" not in r.err


def test_the_rules_are_empty_at_the_end_and_everybody_may_come_again(article):
    said = article.said
    assert said.list_after == {"ipRules": [], "virtualNetworkRules": []}
    assert said.allow["networkRuleSet"]["defaultAction"] == "Allow"
    assert said.login_after.code == 0, said.login_after.text


def test_the_group_goes_with_all_that_is_in_it_once_that_is_confirmed(article):
    assert article.said.delete.code == 0, article.said.delete.text
    assert article.said.exists is False
