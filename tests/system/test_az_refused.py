"""What someone at the stock az reads when the gate or the control plane says no: one clear error, and nothing has changed."""

import base64
import datetime
import json
import re
import threading

import pytest

from lab import Dockerd, Kidoban, until
from lab.az import FOR_AZ, Az

GROUP, REGISTRY = "lab", "refusing"
API = "api-version=2023-07-01"
ENDPOINT = "Microsoft.ContainerRegistry"


class Site:
    """A registry whose rules let one subnet in, another virtual network with the same addresses, the public internet; a host
    with docker and az in each, and the administrator at every az."""

    def __init__(self, lab):
        k = self.kidoban = Kidoban(lab, options=FOR_AZ).start()
        k.group(GROUP)
        self.registry = k.registry(REGISTRY, GROUP)
        self.networks = {n: lab.network(n) for n in ("in", "out")}
        self.vnets = {n: k.network(f"vnet-{n}", group=GROUP) for n in ("in", "out")}
        for n in ("in", "out"):
            k.attach(f"at-{n}", self.networks[n], self.vnets[n], "--services", "data,control")
        hosts = {**{n: self.networks[n].host("10.0.0.4") for n in ("in", "out")}, "public": lab.public_host()}
        self.registry.known_by(*hosts.values())
        self.docker = {n: Dockerd(h).wait() for n, h in hosts.items()}
        self.az = {n: self.person(h, self.docker[n]) for n, h in hosts.items()}
        self.admin = self.az["public"]
        self.subnet = self.vnets["in"]["subnets"][0]["id"]
        self.admin("acr", "update", "-n", REGISTRY, "--default-action", "Deny")
        self.admin("acr", "network-rule", "add", "-n", REGISTRY, "--subnet", self.subnet)
        self.admin("acr", "create", "-n", "refusingbasic", "-g", GROUP, "--sku", "Basic")
        self.admin("group", "create", "-n", "elsewhere", "-l", "local")
        self.admin("network", "vnet", "subnet", "create", "-g", GROUP, "--vnet-name", "vnet-in", "-n", "bare",
                   "--address-prefixes", "10.0.9.0/24")

    def person(self, host, docker, name="azure", forks=True):
        az = Az(host, name, forks=forks, env={"DOCKER_HOST": f"unix://{docker.socket}", "DOCKER_CONFIG": docker.config})
        az.register(self.kidoban)
        az.login(self.kidoban)
        return az

    def state(self):
        """Both registries as they are."""
        return [self.admin("acr", "show", "-n", n) for n in (REGISTRY, "refusingbasic")]

    def url(self):
        return f"{self.registry.id}?{API}"


@pytest.fixture(scope="module")
def site(lab):
    made = Site(lab)
    yield made
    made.kidoban.stop()


# --- the gate ---

@pytest.mark.parametrize("who", ["out", "public"])
def test_az_acr_login_from_a_denied_host_speaks_of_the_firewall_and_not_of_signing_in(site, who):
    for command in (["acr", "login", "-n", REGISTRY], ["acr", "login", "-n", REGISTRY, "--expose-token"],
                    ["acr", "repository", "list", "-n", REGISTRY]):
        r = site.az[who].run(*command)
        assert r.code == 1
        (error,) = r.error
        assert error.startswith(f"Looks like you don't have access to registry '{site.registry.login_server}'. To see configured "
                                f"firewall rules, run 'az acr show --query networkRuleSet --name {REGISTRY}'.")
        assert "az login" not in r.text and "--username" not in r.text


@pytest.mark.parametrize("who", ["out", "public"])
def test_az_acr_check_health_from_a_denied_host_finds_the_firewall(site, who):
    r = site.az[who].run("acr", "check-health", "-n", REGISTRY, "--ignore-errors", typed="n\n")
    (error,) = [line for line in r.error if "CONNECTIVITY" in line]
    assert error.endswith(" An error occurred: CONNECTIVITY_FORBIDDEN_ERROR")
    assert (f"Looks like you don't have access to registry '{site.registry.login_server}'. To see configured firewall rules, "
            f"run 'az acr show --query networkRuleSet --name {REGISTRY}'.") in r.err
    assert "az login" not in r.text


def test_az_acr_check_health_from_the_allowed_host_is_content_with_the_registry(site):
    r = site.az["in"].run("acr", "check-health", "-n", REGISTRY, "--ignore-errors", typed="n\n")
    for what in ("DNS lookup to", "Challenge endpoint", "Fetch refresh token for", "Fetch access token for"):
        assert re.search(f"{what} .*{re.escape(site.registry.login_server)}.*: OK|{what} .* : OK", r.err), r.err
    assert "CONNECTIVITY" not in r.err


def test_where_only_the_docker_daemon_is_denied_dockers_own_words_are_shown(site):
    az = site.az["in"]
    own = dict(az.env)
    az.env["DOCKER_HOST"] = f"unix://{site.docker['out'].socket}"
    try:
        r = az.run("acr", "login", "-n", REGISTRY)
    finally:
        az.env = own
    assert r.code == 1
    assert (f"Error response from daemon: login attempt to https://{site.registry.login_server}/v2/ failed with status: "
            "403 Forbidden") in r.text
    assert r.error[-1] == "Login failed."


@pytest.mark.parametrize("who,ip,origin", [("out", "10.0.0.4", "subnet"), ("public", "198.51.100.7", "public")])
def test_a_denied_az_is_in_the_log_and_in_the_metrics_with_origin_and_reason(site, who, ip, origin):
    counter = f'kidoban_gate_denied_by_registry_total{{registry="{REGISTRY}",origin="{origin}",reason="default-action"}}'
    before = site.kidoban.metrics().get(counter, 0)
    assert site.az[who].run("acr", "login", "-n", REGISTRY).code == 1
    assert site.kidoban.metrics()[counter] > before
    last = site.registry("denials")[-1]
    assert (last["ip"], last["origin"], last["reason"]) == (ip, origin, "default-action")

    def logged():
        return [x for x in site.kidoban.process.events() if x.get("decision") == "Deny" and (x.get("ip"), x.get("origin")) == (ip, origin)
                and x.get("reason") == "default-action" and x.get("registry") == REGISTRY]

    until(logged, "the denial in the log")


# --- the control plane ---

RULE = ("acr", "network-rule", "add", "-n", REGISTRY)
INVALID = "(NetworkRuleValidationError) Could not validate network rule - "
CARELESS = [
    ((*RULE, "-g", "elsewhere", "--ip-address", "1.2.3.4"), 3, f"(ResourceNotFound) The Resource '{ENDPOINT}/registries/"),
    ((*RULE, "-g", "nosuch", "--ip-address", "1.2.3.4"), 3, "(ResourceGroupNotFound) Resource group 'nosuch' could not be"),
    (("acr", "create", "-n", REGISTRY, "-g", "elsewhere", "--sku", "Premium"), 1, "(AlreadyInUse) The registry"),
    (("acr", "create", "-n", "refusingnew", "-g", "nosuch", "--sku", "Premium"), 2, "(ResourceGroupNotFound)"),
    (("acr", "network-rule", "add", "-n", "refusingbasic", "--ip-address", "1.2.3.4"), 1,
     "Network rules are only supported for managed registries in Premium SKU."),
    (("acr", "create", "-n", "refusingnew", "-g", GROUP, "--sku", "Basic", "--public-network-enabled", "false"), 1,
     "(FeatureNotSupportedInSku) "),
    (("acr", "update", "-n", REGISTRY, "--sku", "Basic"), 1, "(SkuDowngradeNotAllowed) The registry cannot change from the SKU "
     "Premium to Basic while it has the default action Deny, 1 virtual network rule. Remove that first."),
    ((*RULE, "--subnet", "bare", "--vnet-name", "vnet-in"), 1, INVALID + "Subnets bare of virtual network "),
    ((*RULE, "--subnet", "nosuch", "--vnet-name", "vnet-in"), 1, INVALID + "Subnets nosuch of virtual network "),
    ((*RULE, "--subnet", "default", "--vnet-name", "nosuch"), 1, INVALID + "Subnets default of virtual network "),
    ((*RULE, "--ip-address", "300.1.2.3"), 1, INVALID + "'300.1.2.3' is not an IP address."),
    ((*RULE, "--ip-address", "23.45.1.1/24"), 1, INVALID + "'23.45.1.1/24' has host bits set."),
    ((*RULE, "--ip-address", "1.2.3.4/33"), 1, INVALID),
    ((*RULE, "--ip-address", "2001:db8::1/64"), 1, INVALID + "'2001:db8::1/64' has host bits set."),
    ((*RULE, "--ip-address", "fe80::1%eth0"), 1, INVALID + "an address with a zone id is not accepted."),
    ((*RULE, "--ip-address", "2001:db8::/129"), 1, INVALID),
]


@pytest.mark.parametrize("command,code,error", CARELESS, ids=[" ".join(c[0]) for c in CARELESS])
def test_a_careless_command_prints_one_error_and_changes_nothing(site, command, code, error):
    before = site.state()
    r = site.admin.run(*command)
    assert r.code == code, r.text
    (said,) = r.error
    assert said.startswith(error) and "Traceback" not in r.err
    assert site.state() == before


def patch_rules(site, **rules):
    a = site.kidoban.control().request("PATCH", site.registry.id, {"properties": {"networkRuleSet": rules}})
    assert a.status == 200, a


@pytest.fixture
def restored(site):
    """The rules as they were, afterwards."""
    yield
    patch_rules(site, defaultAction="Deny", ipRules=[], virtualNetworkRules=[{"id": site.subnet, "action": "Allow"}])


def test_the_201st_ip_rule_is_refused_and_the_200_stay(site, restored):
    patch_rules(site, ipRules=[{"value": f"192.0.2.{i}"} for i in range(200)])
    r = site.admin.run(*RULE, "--ip-address", "198.51.100.1")
    assert r.code == 1 and len(r.error) == 1
    assert "exceeds allowed quota 200 for the SKU Premium." in r.error[0]
    assert len(site.admin("acr", "network-rule", "list", "-n", REGISTRY)["ipRules"]) == 200


def test_the_101st_subnet_rule_is_refused_and_the_100_stay(site, restored):
    base = f"{site.subnet.split('/providers/')[0]}/providers/Microsoft.Network/virtualNetworks/vnet-many"
    subnets = [{"name": f"s{i}", "properties": {"addressPrefix": f"10.1.{i}.0/24", "serviceEndpoints": [{"service": ENDPOINT}]}}
               for i in range(101)]
    control = site.kidoban.control()
    a = control.request("PUT", base, {"location": "local", "properties": {
        "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": subnets}})
    assert a.status in (200, 201), a
    until(lambda: control.request("GET", base).json["properties"]["provisioningState"] == "Succeeded", "the network")
    patch_rules(site, virtualNetworkRules=[{"id": f"{base}/subnets/s{i}"} for i in range(100)])
    r = site.admin.run(*RULE, "--subnet", "s100", "--vnet-name", "vnet-many")
    assert r.code == 1 and len(r.error) == 1
    assert "exceeds allowed quota 100 for the SKU Premium." in r.error[0]
    assert len(site.admin("acr", "network-rule", "list", "-n", REGISTRY)["virtualNetworkRules"]) == 100


def write_with(site, az, token):
    """A write with a token that az has not got for itself."""
    return az.run("rest", "--method", "patch", "--url", site.url(), "--skip-authorization-header", "--headers",
                  f"Authorization=Bearer {token}", "Content-Type=application/json", "--body", '{"tags": {"f": "1"}}')


def test_a_forged_token_is_refused_and_changes_nothing(site):
    head, body, signature = site.admin("account", "get-access-token")["accessToken"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["exp"] += 3600
    longer = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    before = site.state()
    for token in (f"{head}.{longer}.{signature}", "forged"):
        r = write_with(site, site.admin, token)
        assert r.code == 1 and '"code":"AuthenticationFailed"' in r.error[0]
    assert site.state() == before


def brief(site, client, life):
    """An az with a secret of this client that is over in so many seconds, and the token that it has got with it; None if that
    took longer."""
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=life)
    secret = site.admin("ad", "sp", "credential", "reset", "--id", client, "--append", "--end-date",
                        end.strftime("%Y-%m-%dT%H:%M:%SZ"))["password"]
    az = Az(site.docker["public"].host, f"brief{life}")
    az.register(site.kidoban)
    if az.run("login", "--service-principal", "-u", client, "-p", secret, "--tenant", site.kidoban.admin["tenantId"]).code:
        return None
    token = az.run("account", "get-access-token")
    if token.code or az.run("acr", "update", "-n", REGISTRY, "--tags", f"life={life}").code:
        return None
    return az, token.json["accessToken"]


def test_a_token_that_has_expired_is_refused_and_changes_nothing(site):
    k = site.kidoban
    made = k("ad", "sp", "create-for-rbac", "--name", "brief", "--role", "Owner", "--scopes",
             f"/subscriptions/{k.admin['subscriptionId']}")
    az, token = next(filter(None, (brief(site, made["appId"], life) for life in (10, 40, 160))))
    before = site.state()
    assert before[0]["tags"].keys() == {"life"}, "the token was good"
    c = k.control().connect()
    until(lambda: c.get("/subscriptions", token=token).status == 401, "the end of the token", timeout=300, every=0.5)
    c.close()
    r = write_with(site, az, token)
    assert r.code == 1 and "Traceback" not in r.err
    (error,) = r.error
    assert error == ('Unauthorized({"error":{"code":"ExpiredAuthenticationToken","message":"The access token has expired. '
                     'Sign in again for a new one."}})')
    for command in (("acr", "update", "-n", REGISTRY, "--tags", "late=1"), (*RULE, "--ip-address", "192.0.2.1")):
        r = az.run(*command)
        assert r.code == 1 and "Traceback" not in r.err
        assert r.error == ["no service principal has this client_id and client_secret, or the secret has expired"]
    assert site.state() == before


# --- what only looks careless ---

def test_an_ipv6_rule_is_taken(site, restored):
    rules = site.admin(*RULE, "--ip-address", "2001:db8:5::/48")["networkRuleSet"]["ipRules"]
    assert rules == [{"action": "Allow", "ipAddressOrRange": "2001:db8:5::/48"}]


def test_a_name_in_mixed_case_is_the_same_registry(site, restored):
    site.admin("acr", "network-rule", "add", "-n", "ReFusing", "--ip-address", "192.0.2.7")
    (rule,) = site.admin("acr", "network-rule", "list", "-n", "REFUSING")["ipRules"]
    assert rule["ipAddressOrRange"] == "192.0.2.7"


def test_a_rule_that_is_added_twice_is_there_once(site, restored):
    for _ in range(2):
        site.admin(*RULE, "--ip-address", "192.0.2.0/24")
        site.admin(*RULE, "--subnet", site.subnet)
    rules = site.admin("acr", "network-rule", "list", "-n", REGISTRY)
    assert (len(rules["ipRules"]), len(rules["virtualNetworkRules"])) == (1, 1)


def test_creating_a_registry_that_denies_again_leaves_it_denying_with_its_rules(site):
    before = site.state()[0]["networkRuleSet"]
    again = site.admin("acr", "create", "-n", REGISTRY, "-g", GROUP, "--sku", "Premium", "--admin-enabled", "true")
    assert again["networkRuleSet"] == before and before["defaultAction"] == "Deny" and before["virtualNetworkRules"]


# --- two administrators ---

def test_of_two_administrators_who_write_what_both_have_read_one_is_told(site, restored):
    both = [site.person(site.docker["public"].host, site.docker["public"], name, forks=False) for name in ("one", "two")]
    seen = [re.search(r"'ETag': '(.*?)'\n", p.run("rest", "--method", "get", "--url", site.url(), "--debug").ok().err).group(1)
            for p in both]
    assert seen[0] == seen[1]
    answers, start = {}, threading.Barrier(2)

    def write(i):
        body = {"properties": {"networkRuleSet": {"ipRules": [{"action": "Allow", "value": f"192.0.2.{i}"}]}}}
        start.wait(300)
        answers[i] = both[i].run("rest", "--method", "patch", "--url", site.url(), "--body", json.dumps(body),
                                 "--headers", f"If-Match={seen[i]}", "Content-Type=application/json")

    threads = [threading.Thread(target=write, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    (won,) = [i for i, r in answers.items() if r.code == 0]
    told = answers[1 - won]
    assert told.code == 1
    assert told.error[0].startswith('Precondition Failed({"error":{"code":"PreconditionFailed","message":"')
    (rule,) = site.admin("acr", "network-rule", "list", "-n", REGISTRY)["ipRules"]
    assert rule["ipAddressOrRange"] == f"192.0.2.{won}"
