"""Every way to know a network, with real docker daemons and podman, over IPv4 and IPv6: who gets in, and what the others
read."""

import contextlib
import os
import re

import pytest

from lab import Dockerd, run, until
from lab.clients import Clients
from lab.gateway import Gateway, Sites
from lab.http import Connection
from lab.network import REGISTRY_ADDRESS, REGISTRY_ADDRESS6, ip, wait_for_port
from lab.server import TOP

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


def by_netns(lab):
    """Each network has a namespace of its own."""
    s = Sites(lab, "netns")
    s.attach("a", s.vnet, "netns", "--netns", s.a.ns)
    s.attach("b", s.vnet_b, "netns", "--netns", s.b.ns)
    return s


def by_proxy(lab):
    """HAProxy listens in the networks' namespaces, as its recipe says, and tells which one it was."""
    s = Sites(lab, "proxy", ["--listen", "127.0.0.1:8444,proxy", "--trusted-proxy", "127.0.0.1"])
    s.attach("a", s.vnet, "proxy", "--proxy", "127.0.0.1", "--tlv", f"0x30={s.a.ns}")
    s.attach("b", s.vnet_b, "proxy", "--proxy", "127.0.0.1", "--tlv", f"0x30={s.b.ns}")
    with open(os.path.join(TOP, "doc", "recipes", "haproxy.md"), encoding="utf-8") as f:
        config = re.search(r"^```haproxy\n(# networks\.cfg\n.*?)^```", f.read(), re.M | re.S)[1]
    path = lab.path("networks.cfg")
    for written, network in (("blue", s.a), ("green", s.b)):
        config = config.replace(f"namespace {written}", f"namespace {network.ns}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    p = s.internet.start("haproxy", ["haproxy", "-db", "-f", path])
    for network in (s.a, s.b):
        wait_for_port(network, 443, p)
    return s


@pytest.fixture(scope="module", params=[by_netns, by_device, by_mark, by_range, by_proxy],
                ids=["netns", "device", "mark", "range", "proxy"])
def place(request, lab):
    """Networks a and b that are known by one kind of evidence."""
    made = request.param(lab)
    for name in "ab":
        until(lambda n=name: made.state(n) == ("Listening", ""), f"attachment {name} listens")
    yield made
    made.kidoban.stop()


@pytest.fixture(autouse=True)
def only_apps_is_allowed(place):
    place.rules(subnets=[place.subnet])


@pytest.fixture(scope="module")
def daemons(place):
    """A docker daemon in each host, and an image that was pushed while everybody was let in."""
    started = {h: Dockerd(h) for h in place.hosts}
    for d in started.values():
        d.wait()
    place.rules(default="Allow")
    d = started[place.allowed]
    for r in (place.registry, place.registry6):
        d.login(r.login_server, r.user, r.password).ok()
        d.make_image(image(r))
        d("push", image(r)).ok()
        d.forget(image(r))
        d("logout", r.login_server).ok()
    return started


@pytest.fixture(scope="module")
def podmen(place, daemons):
    """podman in each host."""
    return {h: Clients(h) for h in place.hosts}


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def registry(request, place):
    """The registry that clients reach over one family, its address, and how it sees a host."""
    r = place.registry if request.param == 4 else place.registry6
    r.address = REGISTRY_ADDRESS if request.param == 4 else REGISTRY_ADDRESS6
    r.seen = (lambda h: h.address) if request.param == 4 else (lambda h: h.address6)
    return r


def image(registry):
    return f"{registry.login_server}/hello-world:v1"


def denied(place):
    """Another subnet of the same network, the allowed address in another network, the public internet."""
    return place.other, place.elsewhere, place.public


def ask(place, host, address):
    """The status of a first request from a host, and why it was refused."""
    c = Connection(host, place.kidoban.ca, place.registry.login_server, 443, address)
    with contextlib.closing(c):
        return told(c.get("/v2/"))


def told(answer):
    if answer.status != 403:
        return answer.status, None, None
    error = answer.json["errors"][0]
    assert error["message"].startswith(f"client with IP '{error['detail']['ip']}' is not allowed access.")
    return 403, error["detail"]["origin"], error["detail"]["ip"]


def test_only_the_allowed_subnet_gets_past_the_gate(place, registry):
    assert ask(place, place.allowed, registry.address) == (401, None, None)
    for host, origin in zip(denied(place), ("subnet", "subnet", "public")):
        assert ask(place, host, registry.address) == (403, origin, registry.seen(host))


def test_an_address_rule_is_for_public_clients_alone(place, registry):
    place.rules(addresses=["0.0.0.0/0", "::/0"])
    assert ask(place, place.public, registry.address)[0] == 401
    for host in (place.allowed, place.other, place.elsewhere):
        assert ask(place, host, registry.address)[:2] == (403, "subnet")


def test_docker_signs_in_pulls_and_runs_where_it_may_and_reads_why_where_not(place, daemons, registry):
    r, server, allowed = registry, registry.login_server, daemons[place.allowed]
    assert "Login Succeeded" in allowed.login(server, r.user, r.password).ok().text
    allowed("pull", image(r)).ok()
    assert "Hello from the lab" in allowed("run", "--rm", "--network", "host", image(r)).ok().out
    allowed.forget(image(r))
    for host in denied(place):
        login = daemons[host].login(server, r.user, r.password)
        assert (login.code, login.err.strip().splitlines()[-1]) == (
            1, f"Error response from daemon: login attempt to https://{server}/v2/ failed with status: 403 Forbidden")
        pull = daemons[host]("pull", image(r))
        assert pull.code == 1 and f"denied: client with IP '{r.seen(host)}' is not allowed access." in pull.text


def test_podman_signs_in_and_pulls_where_it_may_and_is_refused_where_not(place, podmen, registry):
    r, server, allowed = registry, registry.login_server, podmen[place.allowed]
    login = ("podman", "login", "-u", r.user, "--password-stdin", server)
    allowed(*login, stdin=r.password).ok()
    allowed("podman", "pull", image(r)).ok()
    for host in denied(place):
        for result in (podmen[host](*login, stdin=r.password), podmen[host]("podman", "pull", image(r))):
            assert result.code != 0 and "403 (Forbidden)" in result.text, result.text


def test_what_is_claimed_already_cannot_be_claimed_again(place):
    k, own = place.kidoban, place.kidoban("network", "attachment", "show", "--name", "a")
    claim = {"netns": lambda: ["--netns", place.a.ns], "device": lambda: ["--device", "brA"],
             "mark": lambda: ["--mark", "0x1104/0xffff"], "range": lambda: ["--range", "10.0.3.0/24"],
             "proxy": lambda: ["--proxy", "127.0.0.1", "--tlv", f"0x30={place.a.ns}"]}[own["kind"]]()
    r = k.command("network", "attachment", "create", "--name", "c", "--kind", own["kind"], "--vnet",
                  place.vnet_b["id"], *claim)
    assert r.code != 0 and "attachment a" in r.text, r.text
    assert [a["name"] for a in k("network", "attachment", "list")] == ["a", "b"]
