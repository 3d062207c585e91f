"""Ways in which the stock az finds the server and signs in to it."""

import json
import os
import re
import urllib.parse

import pytest

from lab.az import EACH_AZ, FOR_AZ, OLD, Az
from lab.http import Connection
from lab.network import REGISTRY_ADDRESS
from lab.server import BINARY

pytestmark = EACH_AZ
SERVE_OPTIONS = FOR_AZ
USER = "reader@azurecr.test"
PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def kidoban(kidoban):
    kidoban("ad", "user", "create", "--user-principal-name", USER, "--password", PASSWORD, "--display-name", "A reader")
    return kidoban


@pytest.fixture
def az(request, lab, kidoban, variant):
    """An az that knows nobody yet, on a public host that knows the server's name and authority."""
    host = lab.internet.hosts[0] if lab.internet.hosts else lab.public_host()
    made = Az(host, re.sub(r"\W", "_", request.node.name), program=variant)
    made.trusts(kidoban)
    return made


@pytest.fixture
def registered(az, kidoban):
    return az.register(kidoban)


def url(kidoban):
    return f"https://arm.{kidoban.suffix}:8443"


def groups(az):
    return [g["name"] for g in az("group", "list")]


# --- finding it ---

def test_what_az_setup_prints_can_be_evaluated_by_a_shell_twice(az, kidoban):
    copy = os.path.join(az.folder, "admin.json")
    with open(copy, "w", encoding="utf-8") as f:
        json.dump(kidoban.admin, f)
    setup = az.space.run([BINARY, "az-setup", "--credentials", copy]).ok()
    shell = 'PATH=$0:$PATH; eval "$(cat)" && az group list --query "[].name" -o tsv'
    env = {k: v for k, v in az.env.items() if k not in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")}
    for _ in range(2):
        r = az.space.run(["sh", "-c", shell, os.path.dirname(az.program)], env=env, stdin=setup.out)
        assert r.code == 0, r.text
        assert r.out == "lab\n"


def test_the_short_form_finds_everything_through_the_metadata(az, kidoban):
    az("cloud", "register", "-n", "Short", "--endpoint-resource-manager", url(kidoban) + "/",
       "--suffix-acr-login-server-endpoint", "." + kidoban.suffix)
    az("cloud", "set", "-n", "Short")
    endpoints = az("cloud", "show")["endpoints"]
    assert endpoints["activeDirectory"] == url(kidoban) + "/adfs"
    assert endpoints["activeDirectoryResourceId"].rstrip("/") == url(kidoban)
    az.login(kidoban)
    assert groups(az) == ["lab"]


def test_one_variable_is_enough(az, kidoban):
    az.forks = False  # az reads it when it is imported
    az.env["ARM_CLOUD_METADATA_URL"] = url(kidoban) + "/metadata/endpoints?api-version=2019-05-01"
    (name,) = [c["name"] for c in az("cloud", "list")]
    az("cloud", "set", "-n", name)
    az.login(kidoban)
    assert groups(az) == ["lab"]


# --- signing in ---

def test_a_wrong_secret_is_refused_in_one_sentence(registered, kidoban):
    a = kidoban.admin
    r = registered.run("login", "--service-principal", "-u", a["clientId"], "-p", "wrong", "--tenant", a["tenantId"])
    assert r.code == 1 and len(r.error) == 1 and "Traceback" not in r.err
    assert registered.run("group", "list").error == ["Please run 'az login' to setup account."]


def test_a_user_signs_in_by_password_and_sees_what_a_role_shows(registered, kidoban):
    refused = registered.run("login", "-u", USER, "-p", "wrong", "--allow-no-subscriptions")
    assert refused.code == 1 and len(refused.error) == 1 and "Traceback" not in refused.err
    nothing = registered.run("login", "-u", USER, "-p", PASSWORD)
    assert nothing.code == 1 and nothing.error == [f"No subscriptions found for {USER}."]
    (account,) = registered("login", "-u", USER, "-p", PASSWORD, "--allow-no-subscriptions")
    assert account["user"] == {"name": USER, "type": "user"}
    assert account["tenantId"] == kidoban.admin["tenantId"]
    # Another time, with the refresh token, for another audience.
    assert registered("account", "get-access-token", "--tenant", account["tenantId"])["accessToken"]
    kidoban("role", "assignment", "create", "--assignee", USER, "--role", "Reader", "-g", "lab")
    (account,) = registered("login", "-u", USER, "-p", PASSWORD)
    assert account["id"] == kidoban.admin["subscriptionId"]
    assert groups(registered) == ["lab"]
    assert registered("ad", "signed-in-user", "show")["userPrincipalName"] == USER
    kidoban("role", "assignment", "delete", "--assignee", USER, "--role", "Reader", "-g", "lab")


def test_a_device_is_let_in_on_the_page_that_az_names(registered, kidoban):
    space = registered.space
    waiting = space.start("device-" + os.path.basename(registered.folder), [
        registered.program, "login", "--use-device-code", "--allow-no-subscriptions", "-o", "json"], env=registered.env)
    code = waiting.wait_for(lambda: re.search(r"([A-Z0-9]{4}-[A-Z0-9]{4})", waiting.output()), "the code").group(1)
    page = urllib.parse.urlsplit(re.search(r"https://\S+[\w/]", waiting.output()).group(0))

    browser = Connection(space, kidoban.ca, page.hostname, page.port, REGISTRY_ADDRESS)
    form = browser.get(page.path)
    csrf = re.search(r'name="csrf" value="(.*?)"', form.body.decode()).group(1)
    fields = {"csrf": csrf, "user_code": code, "username": USER, "password": PASSWORD, "action": "allow"}
    a = browser.request("POST", page.path, body=urllib.parse.urlencode(fields), headers={
        "Content-Type": "application/x-www-form-urlencoded", "Cookie": form.headers["Set-Cookie"].split(";")[0],
        "Origin": f"https://{page.netloc}"})
    browser.close()
    assert a.status == 200, a
    assert waiting.wait(300) == 0, waiting.output()
    (account,) = registered("account", "list", "--all")
    assert account["user"]["name"] == USER


def test_a_secret_that_is_replaced_ends_no_session_but_lets_nobody_in_again(registered, kidoban):
    made = kidoban("ad", "sp", "create-for-rbac", "--name", "robot-" + os.path.basename(registered.space.lab.dir))
    client = made.get("appId") or made["clientId"]
    secret = made.get("password") or made["clientSecret"]
    tenant = kidoban.admin["tenantId"]
    login = ("login", "--service-principal", "-u", client, "--tenant", tenant, "--allow-no-subscriptions")
    registered(*login, "-p", secret)
    kidoban("ad", "sp", "credential", "reset", "--id", client)
    registered("logout")
    assert registered.run(*login, "-p", secret).code == 1


@pytest.fixture
def second(kidoban):
    made = kidoban("account", "create", "--name", "Second")
    yield made
    kidoban("account", "delete", "--subscription", "Second", "--yes")


def test_another_subscription_is_shown_and_chosen(registered, kidoban, second):
    registered.login(kidoban)
    assert sorted(a["name"] for a in registered("account", "list")) == ["Kidoban", "Second"]
    registered("account", "set", "--subscription", "Second")
    assert registered("account", "show")["id"] == second["id"].rsplit("/", 1)[-1]
    assert groups(registered) == []


def test_new_signing_keys_sign_nobody_out(registered, kidoban):
    registered.login(kidoban)
    kidoban("ad", "key", "rotate")
    assert groups(registered) == ["lab"]
    registered("account", "clear")
    registered.login(kidoban)
    assert groups(registered) == ["lab"]


def test_instance_discovery_can_be_switched_off_instead_of_adfs(registered, kidoban):
    if registered.program == OLD:
        pytest.skip("the old az has no such switch")
    cloud = json.dumps({"endpoints": {"activeDirectory": url(kidoban)}})
    registered("cloud", "update", "-n", "Kidoban", "--cloud-config", cloud)
    registered("config", "set", "core.instance_discovery=false")
    registered.login(kidoban)
    assert groups(registered) == ["lab"]
