"""Roles in both planes, with real tokens and real clients: what they open, and that what they opened ends with them."""

import json

import pytest

from lab.clients import Clients
from lab.docker import Dockerd
from lab.http import Control
from lab.images import hello_image, write_archive

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"


class Principal:
    """A service principal, and what it may."""

    def __init__(self, kidoban, name):
        self.kidoban = kidoban
        made = kidoban("ad", "sp", "create-for-rbac", "--name", name)
        self.id, self.secret = made["appId"], made["password"]

    def gets(self, role, where):
        return self.kidoban("role", "assignment", "create", "--assignee", self.id, "--role", role, "--scope", where)

    def loses(self, role, where):
        self.kidoban("role", "assignment", "delete", "--assignee", self.id, "--role", role, "--scope", where, "--yes")

    def control(self):
        return Control(self.kidoban.space, {**self.kidoban.admin, "clientId": self.id, "clientSecret": self.secret})

    def registry(self, place, *scopes):
        """An open connection to the registry, with a token."""
        c = place.kidoban.connect(place.a, place.registry.login_server)
        c.sign_in(self.id, self.secret, *scopes)
        return c


@pytest.fixture
def principal(request, kidoban):
    return Principal(kidoban, request.node.name[:60])


@pytest.fixture(scope="module")
def image(lab):
    return hello_image(lab, "roles")


@pytest.fixture(scope="module")
def filled(place, image):
    """The registry with an image in it."""
    c = place.registry.connect(place.a, "repository:app:pull,push")
    assert c.push("app", "v1", image).status == 201
    c.close()
    return place


@pytest.fixture(scope="module")
def client(place):
    return Clients(place.a)


def refusal(answer, code="AuthorizationFailed", status=403):
    assert answer.status == status, answer
    assert answer.json["error"]["code"] == code
    return answer.json["error"]["message"]


# --- data plane ---

def test_who_may_pull_pulls_with_podman_and_does_not_push(filled, client, principal, lab, image):
    server = filled.registry.login_server
    principal.gets("AcrPull", filled.registry.id)
    client("podman", "login", "--username", principal.id, "--password-stdin", server, stdin=principal.secret).ok()
    client("podman", "pull", f"{server}/app:v1").ok()
    archive = write_archive(lab.path("images", "roles.tar"), "v1", image)
    refused = client("skopeo", "copy", f"oci-archive:{archive}", f"docker://{server}/other:v1")
    assert refused.code != 0 and "authentication required" in refused.text, refused.text
    principal.gets("AcrPush", filled.registry.id)
    client("skopeo", "copy", f"oci-archive:{archive}", f"docker://{server}/other:v1").ok()
    for role in ("AcrPull", "AcrPush"):
        principal.loses(role, filled.registry.id)
    client("podman", "rmi", "--force", f"{server}/app:v1").ok()
    refused = client("podman", "pull", f"{server}/app:v1")
    assert refused.code != 0 and "authentication required" in refused.text, refused.text


def test_who_may_pull_pulls_with_docker_and_does_not_push(filled, principal):
    docker = Dockerd(filled.a).wait()
    server = filled.registry.login_server
    principal.gets("AcrPull", filled.registry.id)
    assert "Login Succeeded" in docker.login(server, principal.id, principal.secret).ok().out
    docker("pull", f"{server}/app:v1").ok()
    docker("tag", f"{server}/app:v1", f"{server}/pushed:v1").ok()
    refused = docker("push", f"{server}/pushed:v1")
    assert refused.code != 0 and "authentication required" in refused.text, refused.text


def test_the_next_request_is_refused_once_the_role_is_gone(kidoban, filled, principal, image):
    principal.gets("AcrPush", filled.registry.id)
    c = principal.registry(filled, "repository:gone:pull,push", "repository:app:pull")
    assert c.manifest("app", "v1").status == 200
    upload = c.start_upload("gone")
    principal.loses("AcrPush", filled.registry.id)
    assert c.manifest("app", "v1").status == 401
    (digest, data), *_ = image.blobs.items()
    assert c.finish_upload(upload, digest, data).status == 401
    assert principal.registry(filled).get("/v2/").status == 200, "known, and that is all"
    principal.gets("AcrPush", filled.registry.id)
    with_the_token = kidoban.connect(filled.a, filled.registry.login_server)
    with_the_token.token = c.token
    assert with_the_token.manifest("app", "v1").status == 200, "the token has not ended, what it stood for had"


def test_a_role_on_the_group_or_the_subscription_holds_for_its_registries(filled, principal):
    group = filled.registry.id.split("/providers/")[0]
    subscription = group.split("/resourceGroups/")[0]
    for scope in (group, subscription):
        assert principal.registry(filled, "repository:app:pull").manifest("app", "v1").status == 401
        principal.gets("AcrPull", scope)
        assert principal.registry(filled, "repository:app:pull").manifest("app", "v1").status == 200
        principal.loses("AcrPull", scope)


def test_a_registry_of_the_same_name_does_not_know_the_roles_of_the_one_before(kidoban, place, principal):
    first = kidoban.registry("again")
    principal.gets("AcrPull", first.id)
    kidoban("acr", "delete", "-n", "again", "-g", "lab", "--yes")
    second = kidoban.registry("again").known_by(place.a)
    c = kidoban.connect(place.a, second.login_server)
    c.sign_in(principal.id, principal.secret, "repository:app:pull")
    assert c.manifest("app", "v1").status == 401


# --- control plane ---

def test_a_reader_sees_and_writes_nothing(filled, principal):
    group = filled.registry.id.split("/providers/")[0]
    c = principal.control()
    refusal(c.request("GET", filled.registry.id))
    assert c.request("GET", "/subscriptions").json["value"] == []
    principal.gets("Reader", group)
    assert c.request("GET", filled.registry.id).status == 200
    assert len(c.request("GET", "/subscriptions").json["value"]) == 1
    before = filled.kidoban("acr", "show", "-n", filled.registry.name)
    message = refusal(c.request("PATCH", filled.registry.id, {"tags": {"a": "b"}}))
    assert f"'{principal.id}'" in message and filled.registry.id in message
    assert "'Microsoft.ContainerRegistry/registries/write'" in message
    refusal(c.request("POST", f"{filled.registry.id}/listCredentials"))
    refusal(c.request("DELETE", filled.registry.id))
    assert filled.kidoban("acr", "show", "-n", filled.registry.name) == before


def test_a_network_contributor_writes_networks_and_no_registries(filled, principal):
    group = filled.registry.id.split("/providers/")[0]
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/theirs"
    principal.gets("Network Contributor", group)
    c = principal.control()
    made = c.request("PUT", vnet, {"location": "local", "properties": {"addressSpace": {
        "addressPrefixes": ["10.9.0.0/16"]}}})
    assert made.status == 201, made
    refusal(c.request("PATCH", filled.registry.id, {"tags": {"a": "b"}}))
    refusal(c.request("POST", f"{filled.registry.id}/addNetworkRule", {"value": "192.0.2.1"}))


def test_who_gives_roles_needs_one_for_that(filled, principal):
    group = filled.registry.id.split("/providers/")[0]
    own = principal.gets("Contributor", group)
    c = principal.control()
    roles, _, _ = own["roleDefinitionId"].rpartition("/")
    more = {"roleDefinitionId": f"{roles}/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "principalId": own["principalId"]}
    another = own["id"].rpartition("/")[0] + "/0a000000-0000-4000-8000-000000000001"
    refusal(c.request("PUT", another, {"properties": more}))
    refusal(c.request("DELETE", own["id"]))
    assert c.request("GET", own["id"]).status == 200


def test_another_subscriptions_subnet_gets_in_once_role_and_provider_are_there(lab, filled, principal):
    kidoban, registry = filled.kidoban, filled.registry
    other = kidoban("account", "create", "--name", "networks")["id"]
    far = ("-s", other)
    admin = kidoban.control()
    assert admin.request("POST", f"/subscriptions/{other}/providers/Microsoft.Network/register").status == 200
    kidoban("group", "create", "-n", "far", "-l", "local", *far)
    kidoban("network", "vnet", "create", "-g", "far", "-n", "v", "--address-prefixes", "10.0.0.0/16", *far)
    subnet = kidoban("network", "vnet", "subnet", "create", "-g", "far", "--vnet-name", "v", "-n", "s",
                     "--address-prefixes", "10.0.0.0/24", "--service-endpoints", "Microsoft.ContainerRegistry", *far)
    network = lab.network("far")
    kidoban.attach("far", network, kidoban("network", "vnet", "show", "-g", "far", "-n", "v", *far))
    host = network.host("10.0.0.4")
    registry.known_by(host)
    filled.rules(subnets="a")
    principal.gets("Contributor", registry.id)
    c, rule = principal.control(), {"id": subnet["id"]}

    message = refusal(c.request("POST", f"{registry.id}/addNetworkRule", rule), "LinkedAuthorizationFailed")
    assert f"'{SUBNETS}/joinViaServiceEndpoint/action' on the linked scope(s) '{subnet['id']}'" in message
    principal.gets("Network Contributor", subnet["id"])
    message = refusal(c.request("POST", f"{registry.id}/addNetworkRule", rule), "MissingSubscriptionRegistration", 409)
    assert other in message and "Microsoft.ContainerRegistry" in message
    assert kidoban.connect(host, registry.login_server).get("/v2/").status == 403
    register = f"/subscriptions/{other}/providers/Microsoft.ContainerRegistry/register"
    assert admin.request("POST", register).status == 200
    assert c.request("POST", f"{registry.id}/addNetworkRule", rule).status == 200
    assert kidoban.connect(host, registry.login_server).get("/v2/").status == 401
    filled.rules("Allow")


# --- the command line ---

def test_the_command_line_lists_who_has_which_role_and_where(kidoban, principal):
    group = kidoban("group", "create", "-n", "listed", "-l", "local")["id"]
    made = principal.gets("Reader", group)
    assert made["scope"] == group and made["principalType"] == "ServicePrincipal"
    (one,) = kidoban("role", "assignment", "list", "--scope", group)
    assert (one["principalName"], one["roleDefinitionName"]) == (principal.id, "Reader")
    assert kidoban("role", "assignment", "list", "-g", "listed", "--role", "Owner") == []
    assert kidoban("role", "assignment", "list", "--assignee", principal.id) == []
    assert [a["id"] for a in kidoban("role", "assignment", "list", "--assignee", principal.id, "--all")] == [made["id"]]
    below = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    kidoban("network", "vnet", "create", "-g", "listed", "-n", "v", "--address-prefixes", "10.8.0.0/16")
    assert kidoban("role", "assignment", "list", "--scope", below) == []
    assert len(kidoban("role", "assignment", "list", "--scope", below, "--include-inherited",
                       "--assignee", principal.id)) == 1
    create = ("role", "assignment", "create", "-g", "listed", "--assignee")
    again = kidoban.command(*create, principal.id, "--role", "Reader")
    assert again.code == 1 and "RoleAssignmentExists" in again.text
    kidoban("role", "assignment", "delete", "--ids", made["id"], "--yes")
    nothing = kidoban.command("role", "assignment", "delete", "--assignee", principal.id, "-g", "listed")
    assert nothing.code == 1 and "No matched assignments were found to delete" in nothing.text
    unknown = kidoban.command(*create, "nobody@example.org", "--role", "Reader")
    assert unknown.code == 3 and "kidoban ad user list" in unknown.text
    no_role = kidoban.command(*create, principal.id, "--role", "Rader")
    assert no_role.code == 3 and "kidoban role definition list" in no_role.text


def test_the_command_line_lists_the_roles_that_there_are(kidoban):
    names = sorted(r["roleName"] for r in kidoban("role", "definition", "list"))
    assert names == ["AcrDelete", "AcrPull", "AcrPush", "Contributor", "Network Contributor", "Owner", "Reader"]
    (one,) = kidoban("role", "definition", "list", "--name", "AcrPull")
    assert one["permissions"][0]["actions"] == ["Microsoft.ContainerRegistry/registries/pull/read"]
    assert json.dumps(one).count("7f951dda-4ed3-4680-a7ca-43fe172d538d") == 2


# --- over a restart ---

def test_roles_are_there_after_a_kill(filled, principal):
    principal.gets("AcrPull", filled.registry.id)
    filled.kidoban.kill_server()
    filled.kidoban.process.wait_for(lambda: filled.kidoban.command("group", "list").code == 0, "it answers again")
    assert principal.registry(filled, "repository:app:pull").manifest("app", "v1").status == 200
