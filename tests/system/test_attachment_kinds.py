"""What attachments are about comes, goes and changes: devices, namespaces, addresses."""

import contextlib
import socket

import pytest

from lab import run, until
from lab.churn import Client, Load, report, until_lost
from lab.gateway import PLAIN_PORT, Gateway
from lab.http import Connection
from lab.network import REGISTRY_ADDRESS, REGISTRY_ADDRESS6, inside, ip


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


def test_metrics_tell_the_state_of_each_attachment_and_why(yard):
    """Whether or not anybody has asked the control plane for it."""
    g, space = yard, yard.ns + "-none"
    vnet = g.network("vnet-m", ("apps", "10.8.0.0/24"))
    more = {"netns": ["--netns", space], "mark": ["--mark", "0x7"], "range": ["--range", "10.8.0.0/24"],
            "proxy": ["--proxy", "10.8.0.1", "--tlv", "0xEA=vpce-1"]}
    for kind, options in more.items():
        g.attach("m-" + kind, vnet, kind, *options)
    want = {("a", "device", "Listening", ""),
            ("m-netns", "netns", "Waiting", f"there is no network namespace {space} now"),
            ("m-mark", "mark", "Failed", "the sysctl net.ipv4.tcp_fwmark_accept of the server's network is not 1"),
            ("m-range", "range", "Listening", ""),
            ("m-proxy", "proxy", "Failed", "no listener speaks PROXY protocol: serve needs --listen ADDR:PORT,proxy")}
    lines = {'kidoban_attachment_state{attachment="%s",kind="%s",state="%s",reason="%s"}' % w for w in want}
    until(lambda: {k for k in g.kidoban.metrics() if k.startswith("kidoban_attachment_state{")} == lines, "all are shown")
    for kind in more:
        g.kidoban("network", "attachment", "delete", "--name", "m-" + kind, "--yes")


def test_a_listener_whose_port_was_taken_comes_when_it_is_free(yard):
    g, inner = yard, Inner(yard.ns + "-t")
    inner.make()
    g.lab.namespaces.append(inner.ns)
    with inside(inner.ns):
        squatter = socket.create_server(("0.0.0.0", 443))
    g.attach("t", g.network("vnet-t", ("apps", "10.7.0.0/24")), "netns", "--netns", inner.ns)
    until(lambda: g.state("t") == ("Failed", f"cannot listen in {inner.ns}: Address already in use"), "it fails")
    squatter.close()
    until(lambda: g.state("t") == ("Listening", ""), "it listens")
    Client(g.kidoban, g.registry, inner, "10.7.0.1").until_known()
    g.kidoban("network", "attachment", "delete", "--name", "t", "--yes")


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
