"""Rule changes in a row, beside many idle connections and many attachments: each is in force when its reply comes."""

import resource
import time

import pytest

from lab import Kidoban, run, until
from lab.http import Connection, Idle
from lab.images import small_image
from lab.network import REGISTRY_ADDRESS
from lab.server import ENDPOINT

SCOPE = "repository:app:pull,push"
ADDRESS = "10.0.0.4"  # of every client, in networks that have the same addresses
PROBES = 8
SIZES = [pytest.param((500, 20, 100), id="short"),
         pytest.param((5000, 200, 1000), id="whole", marks=pytest.mark.long)]


class Gateway:
    """A network's gateway that is its own and only client: a namespace with two addresses."""

    def __init__(self, lab, name):
        self.ns = f"{lab.prefix}-g{name}"


def make_gateways(lab, count, salt):
    """Many namespaces by few programs."""
    made = [Gateway(lab, f"{salt}-{i}") for i in range(count)]
    run(["ip", "-batch", "-"], stdin="".join(f"netns add {g.ns}\n" for g in made)).ok()
    lab.namespaces += [g.ns for g in made]
    inner = f"link set lo up\naddr add {REGISTRY_ADDRESS}/32 dev lo\naddr add {ADDRESS}/32 dev lo\n"
    for g in made:
        run(["ip", "-n", g.ns, "-batch", "-"], stdin=inner).ok()
    return made


def put(control, connection, target, properties, **more):
    a = control.request("PUT", target, {"properties": properties, **more}, connection)
    assert a.status in (200, 201), a
    return a.json


def attach_all(control, connection, gateways, group):
    """A virtual network and an attachment for each; the subnets' ids."""
    subnets = []
    for i, g in enumerate(gateways):
        vnet = put(control, connection, f"{group}/providers/Microsoft.Network/virtualNetworks/v{i}",
                   {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                    "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24",
                                                             "serviceEndpoints": [{"service": ENDPOINT}]}}]},
                   location="local")
        put(control, connection, f"/providers/Kidoban.Network/attachments/at{i}",
            {"kind": "netns", "netns": {"name": g.ns}, "virtualNetwork": {"id": vnet["id"]}})
        subnets.append(vnet["id"] + "/subnets/s")
    return subnets


def all_listen(control, connection):
    a = control.request("GET", "/providers/Kidoban.Network/attachments", None, connection)
    return {v["properties"]["state"] for v in a.json["value"]} == {"Listening"}


def raise_limit(files):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= files, f"the limit of open files, {hard}, is too low for this test"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files), hard))


def distribution(seconds):
    """Milliseconds: median, p90, p99, longest."""
    s = sorted(seconds)
    return [round(s[min(len(s) - 1, int(len(s) * q))] * 1e3, 2) for q in (0.5, 0.9, 0.99, 1)]


def probes_of(registry, gateways, ca):
    """Open connections that have a token and something to ask for."""
    probes = []
    for g in gateways:
        c = Connection(g, ca, registry.login_server, source=ADDRESS)
        c.sign_in(registry.user, registry.password, SCOPE)
        probes.append(c)
    assert probes[0].push("app", "v1", small_image("app")).status == 201
    return probes


def change_and_probe(ask, subnet, probe, allow):
    """Add or remove the rule of a probe's subnet; how long the reply took. The probe then sees the change."""
    began = time.monotonic()
    ask("POST", "addNetworkRule" if allow else "removeNetworkRule", {"id": subnet, **({"action": "Allow"} if allow else {})})
    took = time.monotonic() - began
    a = probe.manifest("app", "v1")
    assert a.status == (200 if allow else 403), a
    return took


@pytest.mark.parametrize("size", SIZES)
def test_each_of_many_changes_is_in_force_at_its_reply(lab, size, record_property):
    n_idle, n_attachments, n_changes = size
    raise_limit(2 * n_idle + 10 * n_attachments + 1000)
    k = Kidoban(lab, name=f"k{n_idle}").start()
    k.group()
    registry, control = k.registry("myreg"), k.control()
    connection = control.connect()
    control.sign_in(connection)

    def ask(method, action, body):
        a = control.request(method, registry.id + (f"/{action}" if action else ""), body, connection)
        assert a.status == 200, a

    began = time.monotonic()
    gateways = make_gateways(lab, n_attachments, n_idle)
    subnets = attach_all(control, connection, gateways, registry.id.split("/providers/")[0])
    until(lambda: all_listen(control, connection), "all attachments listen", 120)
    print(f"{n_attachments} networks and attachments in {time.monotonic() - began:.1f} s")

    began = time.monotonic()
    probes = probes_of(registry, gateways[:PROBES], k.ca)
    idle = Idle(lambda i: Connection(gateways[i % n_attachments], k.ca, registry.login_server, source=ADDRESS), n_idle)
    print(f"{n_idle} idle TLS connections in {time.monotonic() - began:.1f} s")
    ask("PATCH", "", {"properties": {"networkRuleSet": {"defaultAction": "Deny"}}})

    took = []
    for i in range(n_changes):
        probe = i // 2 % PROBES
        took.append(change_and_probe(ask, subnets[probe], probes[probe], allow=i % 2 == 0))
        idle.keep()
    p50, p90, p99, longest = distribution(took)
    print(f"{n_changes} changes beside {n_idle} idle connections and {n_attachments} attachments, from request to reply: "
          f"p50 {p50} ms, p90 {p90} ms, p99 {p99} ms, longest {longest} ms")
    record_property("change_ms", [p50, p90, p99, longest])

    assert idle.ask_all() == {403}, "not one of the idle connections was lost"
    for c in (idle, *probes):
        c.close()
    connection.close()
    k.stop()
