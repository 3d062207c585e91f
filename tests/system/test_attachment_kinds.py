"""Networks known by a device, by a firewall's mark, or by their addresses: who gets in, with real docker and podman."""

import contextlib

import pytest

from lab import Dockerd, run, until
from lab.churn import Client, Load, report, until_lost
from lab.clients import Clients
from lab.gateway import PLAIN_PORT, Gateway
from lab.http import Connection
from lab.network import REGISTRY_ADDRESS, REGISTRY_ADDRESS6, ip

MARKS = """table bridge marks {
  chain from_machines {
    type filter hook prerouting priority 0; policy accept;
    iifname { %s, %s } meta mark set 0x104
    iifname "%s" meta mark set 0x105
  }
}
"""


def by_device(lab):
    g = Gateway(lab, "dev")
    g.attach("a", g.vnet, "device", "--device", "brA")
    g.attach("b", g.vnet_b, "device", "--device", "brB")
    return g


def by_mark(lab):
    """Both bridges have the same addresses here too: the mark that tells them apart also picks the way back."""
    g = Gateway(lab, "mark")
    g.attach("a", g.vnet, "mark", "--mark", "0x104/0xfff")
    g.attach("b", g.vnet_b, "mark", "--mark", "0x105/0xfff")
    assert g.state("a") == (
        "Failed", "the sysctl net.ipv4.tcp_fwmark_accept of the server's network is not 1")
    g.sysctl("net.ipv4.tcp_fwmark_accept=1")
    nft = MARKS % (g.allowed.port, g.other.port, g.elsewhere.port)
    run(["nsenter", f"--net=/run/netns/{g.ns}", "nft", "-f", "-"], stdin=nft).ok()
    for family, prefixes in (("-4", ("10.0.0.0/24",)), ("-6", ("fd00::/64",))):
        for mark, bridge in (("0x104", "brA"), ("0x105", "brB")):
            ip(family, "rule", "add", "fwmark", mark, "lookup", mark, ns=g.ns)
            for p in prefixes:
                ip(family, "route", "add", p, "dev", bridge, "table", mark, ns=g.ns)
    return g


def by_range(lab):
    """Addresses alone: the other network has its own."""
    g = Gateway(lab, "range", elsewhere=("10.9.0", "fd09::"))
    g.attach("a", g.vnet, "range", "--range", "10.0.0.0/16", "--range", "fd00::/48")
    g.attach("b", g.vnet_b, "range", "--range", "10.9.0.0/16", "--range", "fd09::/48")
    return g


@pytest.fixture(scope="module", params=[by_device, by_mark, by_range], ids=["device", "mark", "range"])
def gateway(request, lab):
    """A gateway whose networks a and b are known by one kind of evidence."""
    g = request.param(lab)
    for name in "ab":
        until(lambda n=name: g.state(n) == ("Listening", ""), f"attachment {name} listens")
    yield g
    g.kidoban.stop()


@pytest.fixture(scope="module")
def daemons(gateway):
    """A docker daemon in each host, and an image that was pushed while everybody was let in."""
    started = {h: Dockerd(h) for h in gateway.hosts}
    for d in started.values():
        d.wait()
    gateway.rules(default="Allow")
    d = started[gateway.allowed]
    for r in (gateway.registry, gateway.registry6):
        d.login(r.login_server, r.user, r.password).ok()
        d.make_image(image(r))
        d("push", image(r)).ok()
        d.forget(image(r))
    return started


@pytest.fixture(autouse=True)
def only_apps_is_allowed(request):
    if "gateway" in request.fixturenames:
        g = request.getfixturevalue("gateway")
        g.rules(subnets=[g.subnet])


def image(registry):
    return f"{registry.login_server}/hello-world:v1"


def ask(gateway, host, address=REGISTRY_ADDRESS, port=443):
    """The status of a first request from a host, and why it was refused."""
    c = Connection(host, gateway.kidoban.ca, gateway.registry.login_server, port, address)
    with contextlib.closing(c):
        return told(c.get("/v2/"))


def told(answer):
    if answer.status != 403:
        return answer.status, None, None
    error = answer.json["errors"][0]
    assert error["message"].startswith(f"client with IP '{error['detail']['ip']}' is not allowed access.")
    return 403, error["detail"]["origin"], error["detail"]["ip"]


@pytest.mark.parametrize("registry,six", [(REGISTRY_ADDRESS, False), (REGISTRY_ADDRESS6, True)], ids=["ipv4", "ipv6"])
def test_only_the_allowed_subnet_gets_past_the_gate(gateway, registry, six):
    g = gateway
    assert ask(g, g.allowed, registry) == (401, None, None)
    for host, origin in ((g.other, "subnet"), (g.elsewhere, "subnet"), (g.public, "public")):
        assert ask(g, host, registry) == (403, origin, host.address6 if six else host.address)


def test_an_address_rule_is_for_public_clients_alone(gateway):
    g = gateway
    g.rules(addresses=["0.0.0.0/0", "::/0"])
    for address in (REGISTRY_ADDRESS, REGISTRY_ADDRESS6):
        assert ask(g, g.public, address)[0] == 401
        for host in (g.allowed, g.other, g.elsewhere):
            assert ask(g, host, address)[:2] == (403, "subnet")


@pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
def test_docker_signs_in_pulls_and_runs_where_it_may_and_reads_why_where_not(gateway, daemons, six):
    g, r = gateway, gateway.registry6 if six else gateway.registry
    assert "Login Succeeded" in daemons[g.allowed].login(r.login_server, r.user, r.password).ok().text
    daemons[g.allowed]("pull", image(r)).ok()
    assert "Hello from the lab" in daemons[g.allowed]("run", "--rm", "--network", "host", image(r)).ok().out
    daemons[g.allowed].forget(image(r))
    for host in (g.other, g.elsewhere, g.public):
        login = daemons[host].login(r.login_server, r.user, r.password)
        assert (login.code, login.err.strip().splitlines()[-1]) == (1, (
            f"Error response from daemon: login attempt to https://{r.login_server}/v2/ failed with status: 403 "
            "Forbidden"))
        address = host.address6 if six else host.address
        assert f"denied: client with IP '{address}' is not allowed access." in daemons[host]("pull", image(r)).text


def test_podman_sees_the_same(gateway, daemons):
    g, r = gateway, gateway.registry
    allowed, elsewhere = Clients(g.allowed), Clients(g.elsewhere)
    allowed("podman", "login", "-u", r.user, "--password-stdin", r.login_server, stdin=r.password).ok()
    allowed("podman", "pull", image(r)).ok()
    assert "403 (Forbidden)" in elsewhere("podman", "pull", image(r)).text


def test_what_is_claimed_already_cannot_be_claimed_again(gateway):
    k, own = gateway.kidoban, gateway.kidoban("network", "attachment", "show", "--name", "a")
    more = {"device": ["--device", "brA"], "mark": ["--mark", "0x1104/0xffff"],
            "range": ["--range", "10.0.3.0/24"]}[own["kind"]]
    r = k.command("network", "attachment", "create", "--name", "c", "--kind", own["kind"], "--vnet",
                  gateway.vnet_b["id"], *more)
    assert r.code != 0 and "attachment a" in r.text, r.text
    assert [a["name"] for a in k("network", "attachment", "list")] == ["a", "b"]


# Things that come and go.

TIMES = [pytest.param(10, id="10"), pytest.param(100, id="100", marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def yard(lab):
    """A gateway of its own, whose devices and namespaces the tests take away."""
    g = Gateway(lab, "yard", elsewhere=("10.9.0", "fd09::"))  # main listeners answer by the routes alone
    g.attach("a", g.vnet, "device", "--device", "brA")
    until(lambda: g.state("a") == ("Listening", ""), "the device's listener")
    g.rules(addresses=["0.0.0.0/0", "::/0"])  # whoever is taken for public gets past the gate
    yield g
    g.kidoban.stop()


def remake(g, name="brA"):
    """The bridge goes, and another one of its name and addresses comes, with the same machines on it."""
    ip("link", "del", name, ns=g.ns)
    g.bridge(name, "10.0.0.1/24", "10.0.1.1/24", "fd00::1/64", "fd00:0:0:1::1/64")
    for h in (g.allowed, g.other):
        ip("link", "set", h.port, "master", name, ns=g.ns)


def client(g, port=443, address=REGISTRY_ADDRESS):
    return Client(g.kidoban, g.registry, g.allowed, address, port)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("port", [443, PLAIN_PORT], ids=["its own listener", "a main listener"])
def test_a_bridge_made_again_is_known_at_once_and_nothing_of_the_old_one_is_believed(yard, times, port):
    g, took, lost = yard, [], []
    c = client(g, port)
    c.until_known()
    with Load(client(g), client(g, PLAIN_PORT), client(g, 443, REGISTRY_ADDRESS6)) as load:
        for _ in range(times):
            old = c.connect()
            remake(g)
            took.append(c.until_known())
            lost.append(until_lost(old))
            load.meets_the_next()
            until(lambda: g.state("a") == ("Listening", ""), "the new device's listener")
    load.assert_nobody_seemed_public()
    report("a bridge made again", took, lost)


def test_a_bridge_that_is_away_leaves_its_attachment_waiting_and_others_in_peace(yard):
    g = yard
    old = client(g, PLAIN_PORT).connect()
    ip("link", "set", "brA", "name", "brX", ns=g.ns)
    until(lambda: g.state("a") == ("Waiting", "there is no device brA now"), "the attachment waits")
    until_lost(old)
    assert ask(g, g.public)[0] == 401
    ip("link", "set", "brX", "name", "brA", ns=g.ns)
    until(lambda: g.state("a") == ("Listening", ""), "the attachment listens again")
    client(g, PLAIN_PORT).until_known()


def test_a_namespace_that_is_away_leaves_its_attachment_waiting(yard):
    g = yard
    inner = Inner(yard.ns + "-n")
    vnet = g.network("vnet-n", ("apps", "10.7.0.0/24"))
    g.attach("n", vnet, "netns", "--netns", inner.ns)
    g.lab.namespaces.append(inner.ns)
    c = Client(g.kidoban, g.registry, inner, "10.7.0.1")
    for _ in range(5):
        until(lambda: g.state("n") == ("Waiting", f"there is no network namespace {inner.ns} now"), "it waits")
        inner.make()
        c.until_known()
        old = c.connect()
        ip("netns", "del", inner.ns)
        until_lost(old)
    g.kidoban("network", "attachment", "delete", "--name", "n", "--yes")


class Inner:
    """A namespace that is a machine of its own network."""

    def __init__(self, ns):
        self.ns = ns

    def make(self):
        ip("netns", "add", self.ns)
        ip("link", "set", "lo", "up", ns=self.ns)
        ip("addr", "add", "10.7.0.1/24", "dev", "lo", ns=self.ns)


def test_a_vxlan_device_is_a_network_too(yard):
    g = yard
    ip("link", "add", "vx7", "type", "vxlan", "id", "7", "dstport", "4789", "local", "198.51.100.1", "remote",
       g.public.address, ns=g.ns)
    g.configure("vx7", "10.0.0.1/24")
    ip("link", "add", "vx7", "type", "vxlan", "id", "7", "dstport", "4789", "local", g.public.address, "remote",
       "198.51.100.1", ns=g.public.ns)
    ip("addr", "add", "10.0.0.4/24", "dev", "vx7", ns=g.public.ns)
    ip("link", "set", "vx7", "up", ns=g.public.ns)
    ip("route", "add", "203.0.113.10/32", "via", "10.0.0.1", "dev", "vx7", "src", "10.0.0.4", ns=g.public.ns)
    vnet = g.network("vnet-x", ("apps", "10.0.0.0/24"))
    g.attach("x", vnet, "device", "--device", "vx7")
    until(lambda: g.state("x") == ("Listening", ""), "the device's listener")
    g.rules(subnets=[vnet["id"] + "/subnets/apps"])
    assert ask(g, g.public) == (401, None, None)
    assert ask(g, g.allowed) == (403, "subnet", "10.0.0.4")
    g.rules(addresses=["0.0.0.0/0", "::/0"])


def test_an_interface_names_the_subnet_and_an_address_the_private_endpoint(yard):
    g = yard
    endpoint = g.vnet["id"].replace("virtualNetworks/vnet-a", "privateEndpoints/pe")
    ip("addr", "add", "203.0.113.77/32", "dev", "lo", ns=g.ns)
    try:
        g.attach("a", g.vnet, "device", "--device", "brA", "--interface-subnet", f"brA={g.subnet}",
                 "--private-endpoint", f"203.0.113.77={endpoint}", "--services", "data,control", "--trusted-service")
        until(lambda: g.state("a") == ("Listening", ""), "the device's listeners")
        shown = g.kidoban("network", "attachment", "show", "--name", "a")
        assert (shown["services"], shown["trustedService"]) == (["data", "control"], True)
        g.rules(default="Allow")
        assert ask(g, g.allowed) == (401, None, None)
        assert ask(g, g.allowed, "203.0.113.77") == (403, "private-endpoint", "10.0.0.4")
        assert ask(g, g.allowed, "203.0.113.77", PLAIN_PORT) == (403, "private-endpoint", "10.0.0.4")
        assert ask(g, g.public, "203.0.113.77") == (401, None, None)  # only who comes by the attachment
        g.rules(subnets=[g.subnet])
        assert ask(g, g.other) == (401, None, None)  # the interface says apps, whatever the address
        until(lambda: control_answers(g), "the control plane answers in the network")
    finally:
        g.attach("a", g.vnet, "device", "--device", "brA")
        g.rules(addresses=["0.0.0.0/0", "::/0"])


def control_answers(g):
    r = g.allowed.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: arm.azurecr.test",
                       "https://10.0.0.1:8443/subscriptions?api-version=2022-12-01"])
    return r.out == "401"
