"""How long a sign-in lasts: what users and service principals of `kidoban ad` keep with az when passwords, secrets and roles
change, and over restarts."""

import contextlib
import os
import re
import time
import urllib.parse

import pytest

from lab.az import EACH_AZ, FOR_AZ, Az
from lab.http import Connection
from lab.images import small_image
from lab.network import REGISTRY_ADDRESS
from lab.server import BINARY

PASSWORD = "correct horse battery"
CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
NO_USER = "00000000-0000-0000-0000-000000000000"  # with a registry's refresh token as the password
pytestmark = EACH_AZ
SERVE_OPTIONS = FOR_AZ
LOGGED_OUT = ("AuthenticationFailed", "no service principal has", "the refresh token is not known")


@pytest.fixture
def az(request, lab, kidoban, variant):
    """An az that knows the server and nobody there."""
    host = lab.internet.hosts[0] if lab.internet.hosts else lab.public_host()
    return Az(host, re.sub(r"\W", "_", request.node.name), program=variant).register(kidoban)


@pytest.fixture
def user(request, kidoban):
    """A user of this test's own."""
    name = re.sub(r"\W", "-", request.node.name) + "@example.org"
    made = kidoban("ad", "user", "create", "--user-principal-name", name, "--password", PASSWORD)
    assert made["userPrincipalName"] == name and "password" not in made
    return made


def scope(kidoban, group="lab"):
    return f"/subscriptions/{kidoban.admin['subscriptionId']}/resourceGroups/{group}"


def give_role(kidoban, principal, role, where, kind="User"):
    """By ARM, as the administrator."""
    c, name = kidoban.control(), principal["id"]
    a = c.request("GET", f"{where}/providers/Microsoft.Authorization/roleDefinitions"
                         f"?api-version=2022-04-01&$filter={urllib.parse.quote(f'roleName eq {role!r}')}")
    (definition,) = a.json["value"]
    a = c.request("PUT", f"{where}/providers/Microsoft.Authorization/roleAssignments/{name}", {"properties": {
        "roleDefinitionId": definition["id"], "principalId": name, "principalType": kind}})
    assert a.status == 201, a


def take_role(kidoban, principal, where):
    """What give_role() gave."""
    a = kidoban.control().request("DELETE", f"{where}/providers/Microsoft.Authorization/roleAssignments/{principal['id']}")
    assert a.status == 200, a


def login(az, user, password=PASSWORD):
    return az.run("login", "-u", user["userPrincipalName"], "-p", password, "--allow-no-subscriptions")


def signed_out(result):
    return result.code != 0 and any(word in result.err for word in LOGGED_OUT)


class Identity:
    """The token endpoint, over one connection from the public internet."""

    def __init__(self, kidoban, space):
        self.base = f"https://arm.{kidoban.suffix}:8443"
        self.connection = Connection(space, kidoban.ca, f"arm.{kidoban.suffix}", 8443, REGISTRY_ADDRESS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def post(self, path, **form):
        form = {"client_id": CLIENT, "scope": f"{self.base}/.default openid offline_access", **form}
        return self.connection.request("POST", path, urllib.parse.urlencode(form),
                                       {"Content-Type": "application/x-www-form-urlencoded"})

    def token(self, **form):
        return self.post("/adfs/oauth2/token", **form)


# --- users ---

def test_a_user_does_what_its_role_lets_it_until_its_password_changes(az, kidoban, user):
    give_role(kidoban, user, "Reader", scope(kidoban))
    assert login(az, user).code == 0
    assert [g["name"] for g in az("group", "list")] == ["lab"]
    refused = az.run("group", "create", "-n", "another", "-l", "westus")
    assert refused.code == 1 and "AuthorizationFailed" in refused.err

    kidoban("ad", "user", "update", "--id", user["id"], "--password", PASSWORD + "!")
    assert signed_out(az.run("group", "list"))
    assert login(az, user, PASSWORD + "!").code == 0
    assert [g["name"] for g in az("group", "list")] == ["lab"]


def test_a_user_who_is_disabled_or_deleted_is_out_at_once(az, kidoban, user):
    give_role(kidoban, user, "Reader", scope(kidoban))
    assert login(az, user).code == 0
    shown = kidoban("ad", "user", "update", "--id", user["userPrincipalName"], "--account-enabled", "false")
    assert shown["accountEnabled"] is False
    assert signed_out(az.run("group", "list"))
    kidoban("ad", "user", "update", "--id", user["id"], "--account-enabled", "true")
    assert signed_out(az.run("group", "list"))  # what it had is over
    assert login(az, user).code == 0
    kidoban("ad", "user", "delete", "--id", user["id"], "--yes")
    assert signed_out(az.run("group", "list"))
    assert kidoban.command("ad", "user", "show", "--id", user["id"]).code == 3


def test_a_user_gets_into_the_registries_that_its_role_names(az, kidoban, user):
    registry = kidoban.registry("userreg")
    give_role(kidoban, user, "AcrPull", registry.id)
    az.space.name_is(REGISTRY_ADDRESS, registry.login_server)
    assert login(az, user).code == 0
    token = az("acr", "login", "-n", "userreg", "--expose-token")
    assert token["accessToken"] and token["loginServer"] == registry.login_server


def test_who_loses_a_role_is_out_of_both_planes_at_the_next_request(az, kidoban, user):
    registry, image = kidoban.registry("lostrole"), small_image("app")
    shown = f"{registry.id}?api-version=2023-07-01"
    give_role(kidoban, user, "Contributor", registry.id)
    assert login(az, user).code == 0
    az.space.name_is(REGISTRY_ADDRESS, registry.login_server)
    with contextlib.closing(Connection(az.space, kidoban.ca, f"arm.{kidoban.suffix}", 8443)) as control, \
            contextlib.closing(registry.connect(az.space)) as data, contextlib.closing(registry.connect(az.space)) as later:
        control.token = az("account", "get-access-token")["accessToken"]
        assert control.get(shown).status == 200
        refresh = az("acr", "login", "-n", "lostrole", "--expose-token")["accessToken"]
        data.sign_in(NO_USER, refresh, "repository:app:pull,push")
        assert data.push("app", "v1", image).status == 201 and data.manifest("app", "v1").status == 200
        upload = data.start_upload("app")

        take_role(kidoban, user, registry.id)
        (digest, blob), *_ = small_image("another").blobs.items()
        for refused in (control.get(shown), control.request("PATCH", shown, b'{"tags": {"a": "b"}}',
                                                            {"Content-Type": "application/json"})):
            assert refused.status == 403 and refused.json["error"]["code"] == "AuthorizationFailed", refused
        assert data.manifest("app", "v1").status == 401
        assert data.finish_upload(upload, digest, blob).status == 401
        assert data.put_manifest("app", "v2", image.manifest).status == 401
        later.sign_in(NO_USER, refresh, "repository:app:pull,push")  # known, and that is all
        assert later.manifest("app", "v1").status == 401
        again = az.run("acr", "show", "-n", "lostrole", "-g", "lab")
        assert again.code == 1 and "AuthorizationFailed" in again.err, again.text

        give_role(kidoban, user, "AcrPull", registry.id)  # the tokens were good all the time: what they opened was not
        assert data.manifest("app", "v1").status == 200
        assert data.put_manifest("app", "v2", image.manifest).status == 401
        assert control.get(shown).status == 403


def test_logging_out_leaves_nothing(az, kidoban, user):
    give_role(kidoban, user, "Reader", scope(kidoban))
    assert login(az, user).code == 0
    az("logout")
    assert az.run("account", "show").error == ["Please run 'az login' to setup account."]


# --- service principals ---

def test_a_service_principal_is_made_with_its_role_or_not_at_all(az, kidoban):
    before = [p["id"] for p in kidoban("ad", "sp", "list")]
    for refused in (("--role", "No Such Role", "--scopes", scope(kidoban)), ("--role", "Reader"),
                    ("--role", "Reader", "--scopes", "/subscriptions/00000000-0000-0000-0000-000000000000")):
        assert kidoban.command("ad", "sp", "create-for-rbac", "--name", "nobody", *refused).code != 0
    assert [p["id"] for p in kidoban("ad", "sp", "list")] == before
    made = kidoban("ad", "sp", "create-for-rbac", "--name", "reader", "--role", "Reader", "--scopes", scope(kidoban))
    assert sorted(made) == ["appId", "displayName", "password", "tenant"]
    az.login(kidoban, made["appId"], made["password"])
    assert [g["name"] for g in az("group", "list")] == ["lab"]


def test_secrets_come_and_go_one_by_one(az, kidoban):
    made = kidoban("ad", "sp", "create-for-rbac", "--name", "ci", "--role", "Reader", "--scopes", scope(kidoban))
    credential = ("ad", "sp", "credential")
    second = kidoban(*credential, "reset", "--id", made["appId"], "--append", "--display-name", "second", "--years", "2")
    for secret in (made["password"], second["password"]):
        az.login(kidoban, made["appId"], secret)
        az("account", "clear")
    first, other = kidoban(*credential, "list", "--id", made["appId"])
    assert (first["endDateTime"], other["displayName"]) == (None, "second") and other["endDateTime"]
    another = Az(az.space, "another", program=az.program).register(kidoban)
    another.login(kidoban, made["appId"], made["password"])
    az.login(kidoban, made["appId"], second["password"])
    kidoban(*credential, "delete", "--id", made["appId"], "--key-id", other["keyId"], "--yes")
    assert signed_out(az.run("group", "list"))
    assert [g["name"] for g in another("group", "list")] == ["lab"]  # by the secret that is left
    az("account", "clear")
    with pytest.raises(AssertionError):
        az.login(kidoban, made["appId"], second["password"])
    az.login(kidoban, made["appId"], made["password"])
    assert [g["name"] for g in az("group", "list")] == ["lab"]


def test_a_new_secret_works_at_once(az, kidoban):
    """az keeps tokens by the client's name; it has to be told that the one it has is over."""
    made = kidoban("ad", "sp", "create-for-rbac", "--name", "bot", "--role", "Reader", "--scopes", scope(kidoban))
    az.login(kidoban, made["appId"], made["password"])
    renewed = kidoban("ad", "sp", "credential", "reset", "--id", made["appId"])
    assert signed_out(az.run("group", "list"))
    az.login(kidoban, made["appId"], renewed["password"])
    assert [g["name"] for g in az("group", "list")] == ["lab"]


# --- what lasts ---

def test_sign_ins_and_codes_outlive_a_restart_and_a_new_key(az, kidoban, user):
    give_role(kidoban, user, "Reader", scope(kidoban))
    assert login(az, user).code == 0
    with Identity(kidoban, az.space) as identity:
        tokens = identity.token(grant_type="password", username=user["userPrincipalName"], password=PASSWORD).json
        device = identity.post("/adfs/oauth2/devicecode").json
    kidoban("ad", "key", "rotate")
    kidoban.stop()
    kidoban.start()
    assert [g["name"] for g in az("group", "list")] == ["lab"]  # with the token that it had
    assert az("account", "get-access-token", "--resource", "https://containerregistry.azure.net")["accessToken"]
    with Identity(kidoban, az.space) as identity:
        again = identity.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        assert again.status == 200, again
        waiting = identity.token(grant_type="urn:ietf:params:oauth:grant-type:device_code",
                                 device_code=device["device_code"])
        assert (waiting.status, waiting.json["error"]) == (400, "authorization_pending")
        keys = identity.connection.get("/adfs/discovery/keys").json["keys"]
    assert len(keys) >= 2 and all("d" not in k for k in keys)


def test_wrong_passwords_shut_out_one_user_from_one_address(az, kidoban, user):
    with Identity(kidoban, az.space) as identity:
        form = {"grant_type": "password", "username": user["userPrincipalName"]}
        end = time.monotonic() + 300
        statuses = []
        while 429 not in statuses and time.monotonic() < end:
            statuses.append(identity.token(**form, password="wrong horse battery").status)
        assert statuses[0] == 400 and statuses[-1] == 429, statuses
    elsewhere = next((h for h in az.space.network.hosts if h is not az.space), None)
    elsewhere = elsewhere or az.space.network.host("198.51.100.9")
    with Identity(kidoban, elsewhere) as identity:
        assert identity.token(**form, password=PASSWORD).status == 200


# --- az-setup ---

def test_az_setup_does_what_it_prints(az, kidoban, lab):
    fresh = Az(az.space, "fresh", program=az.program)
    argv = [BINARY, "az-setup", "--run", "--data", kidoban.data]
    path = f"{os.path.dirname(az.program)}:{fresh.env['PATH']}"
    r = az.space.run(argv, env={**fresh.env, "PATH": path}, timeout=300)
    assert r.code == 0, r.text
    assert r.out == 'export REQUESTS_CA_BUNDLE="${AZURE_CONFIG_DIR:-$HOME/.azure}/kidoban-ca.pem"\n'
    fresh.env["REQUESTS_CA_BUNDLE"] = os.path.join(fresh.folder, "kidoban-ca.pem")
    assert [g["name"] for g in fresh("group", "list")] == ["lab"]
    assert fresh("cloud", "show")["name"] == "Kidoban"

    without = az.space.run(argv, env={**fresh.env, "PATH": "/usr/bin:/bin"})
    assert without.code == 1 and "az is not installed" in without.err
