"""Every way to know a network, with real docker daemons and podman, over IPv4 and IPv6: who gets in, what the others
read, what the server says of them; and what it gains a tenant to have the address of a proxy that is trusted.

    kind      netns, device, mark, range, proxy: each has a place of its own, with all of these
    position  allowed    a host of the subnet that a rule lets in
              other      another subnet of the same network; its host has the address of a trusted proxy and forwarder
              elsewhere  another network, the same address (but not with `range`, which knows nothing but addresses)
              public     the internet
"""

import contextlib
import ssl

import pytest

from lab import Dockerd, Lab, run, until
from lab.clients import Clients
from lab.gateway import Gateway, Sites
from lab.http import Connection
from lab.network import Host, ip, wait_for_port
from lab.proxied import header
from lab.recipes import haproxy

POSITIONS = {"allowed": None, "other": "subnet", "elsewhere": "subnet", "public": "public"}
OTHER, OTHER6, FRONT, FRONT6 = "10.0.1.4", "fd00:0:0:1::4", "198.51.100.50", "2001:db8:1::50"
TRUSTING = ["--listen", "0.0.0.0:8444,proxy", "--listen", "[::]:8444,proxy"]
for trusted in (OTHER, OTHER6, FRONT, "127.0.0.1"):
    TRUSTING += ["--trusted-proxy", trusted, "--trusted-forwarder", trusted]
MARKS = """table bridge marks {
  chain from_machines {
    type filter hook prerouting priority 0; policy accept;
    iifname { %s, %s } meta mark set 0x104
    iifname "%s" meta mark set 0x105
  }
}
"""


def by_device(lab):
    g = Gateway(lab, "dev", options=TRUSTING)
    g.attach("a", g.vnet, "device", "--device", "brA")
    g.attach("b", g.vnet_b, "device", "--device", "brB")
    return g


def by_mark(lab):
    """Both bridges have the same addresses here too: the mark that tells them apart also picks the way back."""
    g = Gateway(lab, "mark", options=TRUSTING)
    g.attach("a", g.vnet, "mark", "--mark", "0x104/0xfff")
    g.attach("b", g.vnet_b, "mark", "--mark", "0x105/0xfff")
    assert g.state("a") == (
        "Failed", "the sysctl net.ipv4.tcp_fwmark_accept of the server's network is not 1")
    g.sysctl("net.ipv4.tcp_fwmark_accept=1")
    nft = MARKS % (g.allowed.port, g.other.port, g.elsewhere.port)
    run(["nsenter", f"--net=/run/netns/{g.ns}", "nft", "-f", "-"], stdin=nft).ok()
    for family, prefix in (("-4", "10.0.0.0/24"), ("-6", "fd00::/64")):
        for mark, bridge in (("0x104", "brA"), ("0x105", "brB")):
            ip(family, "rule", "add", "fwmark", mark, "lookup", mark, ns=g.ns)
            ip(family, "route", "add", prefix, "dev", bridge, "table", mark, ns=g.ns)
    return g


def by_range(lab):
    """Addresses alone: the other network has its own."""
    g = Gateway(lab, "range", elsewhere=("10.9.0", "fd09::"), options=TRUSTING)
    g.attach("a", g.vnet, "range", "--range", "10.0.0.0/16", "--range", "fd00::/48")
    g.attach("b", g.vnet_b, "range", "--range", "10.9.0.0/16", "--range", "fd09::/48")
    return g


def by_netns(lab):
    """Each network has a namespace of its own."""
    s = Sites(lab, "netns", TRUSTING)
    s.attach("a", s.vnet, "netns", "--netns", s.a.ns)
    s.attach("b", s.vnet_b, "netns", "--netns", s.b.ns)
    return s


def by_proxy(lab):
    """HAProxy listens in the networks' namespaces, as its recipe says, and tells which one it was. Another one is before
    the public listener: clients know no address of the server itself."""
    s = Sites(lab, "proxy", TRUSTING)
    s.attach("a", s.vnet, "proxy", "--proxy", "127.0.0.1", "--tlv", f"0x30={s.a.ns}")
    s.attach("b", s.vnet_b, "proxy", "--proxy", "127.0.0.1", "--tlv", f"0x30={s.b.ns}")
    inner = haproxy(s.internet, "networks.cfg", [("namespace blue", f"namespace {s.a.ns}"),
                                                 ("namespace green", f"namespace {s.b.ns}")])
    front = Host(s.internet, FRONT, "brP", 24, "198.51.100.1", "front", (FRONT6, "2001:db8:1::1"))
    outer = haproxy(front, "front.cfg", [])
    s.public.name_is(FRONT, s.registry.login_server)
    s.public.name_is(FRONT6, s.registry6.login_server)
    for space, process in ((s.a, inner), (s.b, inner), (front, outer)):
        wait_for_port(space, 443, process)
    return s


KINDS = {"netns": by_netns, "device": by_device, "mark": by_mark, "range": by_range, "proxy": by_proxy}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def lab(kind):
    """One for each kind: what is done with ends before the next begins."""
    with Lab(memory=True) as made:
        yield made


@pytest.fixture(scope="module")
def place(lab, kind):
    """Networks a and b, and the internet."""
    made = KINDS[kind](lab)
    for name in "ab":
        until(lambda n=name: made.state(n) == ("Listening", ""), f"attachment {name} listens")
    yield made
    made.kidoban.stop()


@pytest.fixture(autouse=True)
def only_apps_is_allowed(place):
    place.rules(subnets=[place.subnet])


class Docker(Dockerd):
    """A daemon of its own in a host."""

    REFUSED_LOGIN = ("Error response from daemon: login attempt to https://{server}/v2/ failed with status: "
                     "403 Forbidden")
    REFUSED_PULL = "denied: client with IP '{address}' is not allowed access."

    def pull(self, name):
        return self("pull", name)


class Podman(Clients):
    REFUSED_LOGIN = REFUSED_PULL = ("pinging container registry {server}: invalid status code from registry "
                                    "403 (Forbidden)")

    def login(self, server, user, password):
        return self("podman", "login", "-u", user, "--password-stdin", server, stdin=password)

    def pull(self, name):
        return self("podman", "pull", name)


@pytest.fixture(scope="module")
def clients(place):
    """docker and podman in each host, and an image that was pushed while everybody was let in."""
    made = {p: {"docker": Docker(getattr(place, p)), "podman": Podman(getattr(place, p))} for p in POSITIONS}
    for both in made.values():
        both["docker"].wait()
    place.rules(default="Allow")
    d = made["allowed"]["docker"]
    for r in (place.registry, place.registry6):
        d.login(r.login_server, r.user, r.password).ok()
        d.make_image(image(r))
        d("push", image(r)).ok()
        d.forget(image(r))
        d("logout", r.login_server).ok()
    return made


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def registry(request, place):
    """The registry that hosts reach over one family of addresses, and which is theirs."""
    r = place.registry if request.param == 4 else place.registry6
    r.sees = (lambda h: h.address) if request.param == 4 else (lambda h: h.address6)
    return r


def image(registry):
    return f"{registry.login_server}/hello-world:v1"


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("client", ["docker", "podman"])
def test_who_gets_in_and_what_the_others_read(place, clients, registry, client, position):
    c, r = clients[position][client], registry
    login, pull = c.login(r.login_server, r.user, r.password), c.pull(image(r))
    if position == "allowed":
        assert "Login Succeeded" in login.ok().text
        pull.ok()
    else:
        told = {"server": r.login_server, "address": r.sees(getattr(place, position))}
        last = login.err.strip().splitlines()[-1]
        assert login.code != 0 and last.endswith(c.REFUSED_LOGIN.format(**told)), login.text
        assert pull.code != 0 and c.REFUSED_PULL.format(**told) in pull.err, pull.text


def test_the_allowed_daemon_runs_and_pushes(place, clients, registry):
    d, again = clients["allowed"]["docker"], f"{registry.login_server}/again:v1"
    d.login(registry.login_server, registry.user, registry.password).ok()
    assert "Hello from the lab" in d("run", "--rm", "--network", "host", image(registry)).ok().out
    d("tag", image(registry), again).ok()
    d("push", again).ok()


def ask(place, registry, host, first=b"", fields=None, port=443):
    """What a first request gets: (status, origin, address); or "closed"."""
    address = host.names[registry.login_server]
    try:
        with contextlib.closing(Connection(host, place.kidoban.ca, registry.login_server, port, address, first)) as c:
            a = c.get("/v2/", headers={"Host": registry.login_server, **(fields or {})})
    except (ConnectionError, ssl.SSLError):
        return "closed"
    if a.status != 403:
        return a.status, None, None
    error = a.json["errors"][0]
    assert error["message"].startswith(f"client with IP '{error['detail']['ip']}' is not allowed access.")
    return 403, error["detail"]["origin"], error["detail"]["ip"]


def refusal(place, registry, position):
    """The gate's answer to a host as it is."""
    return 403, POSITIONS[position], registry.sees(getattr(place, position))


def test_an_address_rule_is_for_public_clients_alone(place, registry):
    place.rules(addresses=["0.0.0.0/0", "::/0"])
    assert ask(place, registry, place.public) == (401, None, None)
    for position in ("allowed", "other", "elsewhere"):
        host = getattr(place, position)
        assert ask(place, registry, host) == (403, "subnet", registry.sees(host))


NETWORKS = {"other": ("a", "vnet-a/subnets/other"), "elsewhere": ("b", "vnet-b/subnets/apps"), "public": (None, None)}


def logged(place, registry, answer):
    """Ask from everywhere, and read what the log of denials has of that: {address: (refused, origin, attachment,
    subnet)}. It has ten lines in a second of one host. Who was left out asks again, later."""
    before = max([0, *(d["serial"] for d in registry("denials"))])

    def all_of_them():
        for position in POSITIONS:
            assert ask(place, registry, getattr(place, position)) == answer(position)
        new = {d["ip"]: (d["refused"], d["origin"], d["attachment"], d["subnet"] and d["subnet"].split("Networks/")[1])
               for d in registry("denials") if d["serial"] > before}
        return new if len(new) == len(NETWORKS) else None

    return until(all_of_them, "all of them in the log", every=0.3)


def expected_log(place, registry, refused):
    return {registry.sees(getattr(place, p)): (refused, POSITIONS[p], *NETWORKS[p]) for p in NETWORKS}


def test_the_log_of_denials_tells_them_apart(place, registry):
    seen = logged(place, registry, lambda p: refusal(place, registry, p) if POSITIONS[p] else (401, None, None))
    assert seen == expected_log(place, registry, True)


def test_report_only_lets_everybody_in_and_says_whom_it_would_refuse(place, registry):
    registry("update", "--enforcement", "ReportOnly")
    try:
        assert logged(place, registry, lambda p: (401, None, None)) == expected_log(place, registry, False)
    finally:
        registry("update", "--enforcement", "Enforced")


FRIEND = "198.51.100.77"
LIES = [  # what the host with the trusted address says: before anything else, in the request; at which port
    ("X-Forwarded-For", b"", {"X-Forwarded-For": FRIEND}, 443),
    ("a PROXY header", header(source=FRIEND), {}, 443),
    ("a PROXY header where they are heard", header(source=FRIEND), {}, 8444),
]


@pytest.mark.parametrize("first,fields,port", [x[1:] for x in LIES], ids=[x[0] for x in LIES])
def test_a_trusted_proxy_s_address_gains_a_tenant_nothing(place, kind, registry, first, fields, port):
    place.rules(addresses=["0.0.0.0/0", "::/0"])  # whoever is taken for public gets past the gate
    got = ask(place, registry, place.other, first, fields, port)
    if kind == "range" and (fields or port == 8444):
        assert got[0] == 401  # who has the address is the proxy: the documents say so
    else:
        assert got in ("closed", (403, "subnet", registry.sees(place.other)),
                       (403, "unidentified", registry.sees(place.other)))


def test_the_same_of_a_proxy_that_stands_nowhere_is_believed(place, registry):
    place.rules(addresses=[FRIEND])
    space, sent = place.kidoban.space, header(source=FRIEND)
    c = Connection(space, place.kidoban.ca, registry.login_server, 8444, "127.0.0.1", sent)
    with contextlib.closing(c):
        assert c.get("/v2/", headers={"Host": registry.login_server}).status == 401


def test_what_is_claimed_already_cannot_be_claimed_again(place, kind):
    k = place.kidoban
    claim = {"netns": lambda: ["--netns", place.a.ns], "device": lambda: ["--device", "brA"],
             "mark": lambda: ["--mark", "0x1104/0xffff"], "range": lambda: ["--range", "10.0.3.0/24"],
             "proxy": lambda: ["--proxy", "127.0.0.1", "--tlv", f"0x30={place.a.ns}"]}[kind]()
    r = k.command("network", "attachment", "create", "--name", "c", "--kind", kind, "--vnet",
                  place.vnet_b["id"], *claim)
    assert r.code != 0 and "attachment a" in r.text, r.text
    assert [a["name"] for a in k("network", "attachment", "list")] == ["a", "b"]


def test_the_table_of_attachments_tells_by_what_each_is_known(place, kind):
    known_by = {"netns": lambda: place.a.ns, "device": lambda: "brA", "mark": lambda: "0x104/0xfff",
                "range": lambda: "10.0.0.0/16, fd00::/48", "proxy": lambda: f"0x30={place.a.ns} of 127.0.0.1"}[kind]()
    table = place.kidoban.command("network", "attachment", "list", output="table").ok().out.splitlines()
    assert table[0].split() == ["Name", "Kind", "Evidence", "VirtualNetwork", "State", "StateReason"]
    first = " ".join(table[2].split())
    assert first == f"a {kind} {known_by} vnet-a Listening"
