"""Roles and the directory as the stock az manages them."""

import re
import urllib.parse

import pytest

from lab.az import EACH_AZ, FOR_AZ, Az
from lab.network import REGISTRY_ADDRESS

pytestmark = EACH_AZ
SERVE_OPTIONS = FOR_AZ
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def host(lab):
    return lab.public_host()


@pytest.fixture(scope="module")
def az(host, kidoban, variant):
    """The administrator's."""
    made = Az(host, "administrator", program=variant).register(kidoban)
    made.login(kidoban)
    return made


@pytest.fixture(scope="module")
def registry(kidoban, host):
    r = kidoban.registry("azroles")
    host.name_is(REGISTRY_ADDRESS, r.login_server)
    return r


@pytest.fixture
def principal(request, az):
    return az("ad", "sp", "create-for-rbac", "-n", re.sub(r"\W", "-", request.node.name))


@pytest.fixture
def their_az(request, host, kidoban, variant):
    """Somebody else's, who has not signed in."""
    return Az(host, re.sub(r"\W", "_", request.node.name), program=variant).register(kidoban)


def group_of(registry):
    return registry.id.split("/providers/")[0]


def sign_in(az, kidoban, principal):
    az.login(kidoban, principal["appId"], principal["password"])
    return az


# --- role assignments ---

def test_a_role_is_given_shown_and_taken_away(az, registry, principal):
    app, scope = principal["appId"], registry.id
    made = az("role", "assignment", "create", "--assignee", app, "--role", "AcrPull", "--scope", scope)
    assert made["scope"] == scope and made["principalType"] == "ServicePrincipal"
    again = az("role", "assignment", "create", "--assignee", app, "--role", "AcrPull", "--scope", scope)
    assert again["id"] == made["id"], "once more is no error, and no second one"

    mine = ("role", "assignment", "list", "--assignee", app)
    (shown,) = az(*mine, "--scope", scope)
    assert (shown["principalName"], shown["roleDefinitionName"]) == (app, "AcrPull")
    assert az(*mine) == [], "the subscription itself"
    assert [a["id"] for a in az(*mine, "--all")] == [made["id"]]
    assert [a["id"] for a in az(*mine, "--scope", scope, "--role", "AcrPull", "--include-inherited")] == [made["id"]]
    assert az(*mine, "-g", registry.group) == []

    delete = ("role", "assignment", "delete", "--assignee", app, "--scope", scope)
    az(*delete, "--role", "AcrPull")
    r = az.run(*delete)
    assert r.code == 1 and r.error == ["No matched assignments were found to delete"]
    assert az(*mine, "--all") == []


def test_a_role_is_given_without_asking_the_directory(az, registry, principal):
    oid = az("ad", "sp", "show", "--id", principal["appId"])["id"]
    scope = group_of(registry)
    made = az("role", "assignment", "create", "--assignee-object-id", oid, "--assignee-principal-type",
              "ServicePrincipal", "--role", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "--scope", scope)
    assert made["principalId"] == oid
    (shown,) = az("role", "assignment", "list", "-g", registry.group, "--assignee", oid)
    assert shown["roleDefinitionName"] == "Reader"
    az("role", "assignment", "delete", "--ids", made["id"])
    assert az("role", "assignment", "list", "-g", registry.group, "--assignee", oid) == []


def test_what_is_inherited_is_listed_where_that_is_asked(az, registry, principal):
    scope = group_of(registry)
    az("role", "assignment", "create", "--assignee", principal["appId"], "--role", "Reader", "--scope", scope)
    below = ("role", "assignment", "list", "--scope", registry.id, "--assignee", principal["appId"])
    assert az(*below) == []
    assert [a["scope"] for a in az(*below, "--include-inherited")] == [scope]


@pytest.mark.parametrize("args, said", [
    (("--assignee", "00000000-0000-0000-0000-000000000009", "--role", "Reader"),
     "Cannot find user or service principal"),
    (("--assignee", "nobody@example.org", "--role", "Reader"), "Cannot find user or service principal"),
    (("--assignee-object-id", "00000000-0000-0000-0000-000000000009", "--assignee-principal-type", "User",
      "--role", "Reader"), "does not exist in the directory"),
    (("--assignee", "{app}", "--role", "Rader"), "Role 'Rader' doesn't exist."),
    (("--assignee", "{app}", "--role", "00000000-0000-0000-0000-000000000009"), "The specified role definition with ID"),
])
def test_a_role_that_cannot_be_given_is_refused_in_one_sentence(az, registry, kidoban, args, said):
    args = [a.format(app=kidoban.admin["clientId"]) for a in args]
    r = az.run("role", "assignment", "create", *args, "--scope", registry.id)
    assert r.code in (1, 3) and "Traceback" not in r.err, r.err
    assert said in r.error[0], r.err


def test_the_roles_that_there_are_are_listed_by_name_or_all(az):
    assert sorted(r["roleName"] for r in az("role", "definition", "list")) == [
        "AcrDelete", "AcrPull", "AcrPush", "Contributor", "Network Contributor", "Owner", "Reader"]
    (one,) = az("role", "definition", "list", "--name", "AcrPush")
    assert one["name"] == "8311e382-0749-4cb8-b61a-304f252e45ec"
    assert one["permissions"][0]["actions"] == ["Microsoft.ContainerRegistry/registries/pull/read",
                                                "Microsoft.ContainerRegistry/registries/push/write"]
    (same,) = az("role", "definition", "list", "--name", one["name"])
    assert same["id"] == one["id"]


# --- what they open ---

def test_who_may_pull_gets_a_registry_token_and_sees_no_more(az, their_az, kidoban, registry, principal):
    az("role", "assignment", "create", "--assignee", principal["appId"], "--role", "AcrPull", "--scope", registry.id)
    sign_in(their_az, kidoban, principal)
    got = their_az("acr", "login", "-n", registry.name, "--expose-token")
    assert got["loginServer"] == registry.login_server
    assert "(AuthorizationFailed)" in their_az.run("acr", "list").error[0]
    r = their_az.run("acr", "show", "-n", registry.name, "-g", registry.group)
    assert r.code == 1 and r.error[0].startswith("(AuthorizationFailed) The client '" + principal["appId"])


# --- the directory ---

def test_a_service_principal_is_made_with_roles_found_and_deleted(az, their_az, kidoban, registry):
    made = az("ad", "sp", "create-for-rbac", "-n", "with-role", "--role", "Reader", "--scopes", group_of(registry))
    assert sorted(made) == ["appId", "displayName", "password", "tenant"]
    sign_in(their_az, kidoban, made)
    assert [g["name"] for g in their_az("group", "list")] == ["lab"]
    (found,) = az("ad", "sp", "list", "--display-name", "with-role")
    assert found["appId"] == made["appId"] and found["servicePrincipalNames"] == [made["appId"]]
    assert az("ad", "sp", "show", "--id", made["appId"])["id"] == found["id"]
    assert made["appId"] in [s["appId"] for s in az("ad", "sp", "list", "--all")]
    again = az("ad", "sp", "create-for-rbac", "-n", "with-role")
    assert again["appId"] == made["appId"] and again["password"] != made["password"], "another secret of the same one"
    az("ad", "sp", "delete", "--id", made["appId"])
    assert az("ad", "sp", "list", "--display-name", "with-role") == []
    assert az.run("ad", "sp", "show", "--id", made["appId"]).code == 3


def test_a_secret_is_renewed_and_the_one_before_ends(az, their_az, kidoban, principal):
    fresh = az("ad", "sp", "credential", "reset", "--id", principal["appId"])
    assert fresh["appId"] == principal["appId"]
    login = ("login", "--service-principal", "-u", principal["appId"], "--tenant", fresh["tenant"],
             "--allow-no-subscriptions", "-p")
    assert their_az.run(*login, principal["password"]).code == 1
    assert their_az.run(*login, fresh["password"]).code == 0
    (only,) = az("ad", "sp", "credential", "list", "--id", principal["appId"])
    az("ad", "sp", "credential", "delete", "--id", principal["appId"], "--key-id", only["keyId"])
    assert az("ad", "sp", "credential", "list", "--id", principal["appId"]) == []


def test_a_user_is_made_shown_changed_and_deleted(az, their_az, kidoban, registry):
    name = "ann@example.org"
    made = az("ad", "user", "create", "--user-principal-name", name, "--display-name", "Ann", "--password", PASSWORD)
    assert made["userPrincipalName"] == name
    assert az("ad", "user", "show", "--id", name)["id"] == made["id"]
    assert [u["displayName"] for u in az("ad", "user", "list", "--upn", name)] == ["Ann"]
    az("ad", "user", "update", "--id", name, "--display-name", "Anna")
    assert az("ad", "user", "show", "--id", made["id"])["displayName"] == "Anna"
    az("role", "assignment", "create", "--assignee", name, "--role", "Reader", "--scope", group_of(registry))
    their_az("login", "-u", name, "-p", PASSWORD)
    assert their_az("ad", "signed-in-user", "show")["userPrincipalName"] == name
    (shown,) = their_az("role", "assignment", "list", "-g", "lab", "--assignee", name)
    assert (shown["principalName"], shown["principalType"]) == (name, "User")
    refused = their_az.run("ad", "user", "delete", "--id", name)
    assert refused.code == 1 and "does not have authorization" in refused.err
    az("ad", "user", "delete", "--id", name)
    assert az.run("ad", "user", "show", "--id", name).code == 3


def test_the_administrator_is_no_user(az):
    r = az.run("ad", "signed-in-user", "show")
    assert r.code == 1 and "/me request is only valid with delegated authentication flow." in r.error[0]


def test_a_filter_that_is_not_offered_is_refused_by_name(az, kidoban):
    subscription = kidoban.admin["subscriptionId"]
    query = urllib.parse.quote("createdOn eq '2026'")
    r = az.run("rest", "--method", "get", "--url",
               f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleAssignments"
               f"?api-version=2022-04-01&$filter={query}")
    assert r.code == 1 and "createdOn" in r.err and "NotSupported" in r.err
