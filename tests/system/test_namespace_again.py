"""A network's namespace deleted and made again under the same name, at once, while its clients and others ask.

They have two ways to the server: the registry's address in the namespace itself, and a cable out of it to the server's own
network, by which they reach its main listeners. The cable's end there is a device of the same network, or else who comes
by it would rightly be public."""

import threading

import pytest

from lab import run, until
from lab.churn import LOST, Client, Load, report, until_lost
from lab.gateway import PLAIN_PORT
from lab.images import small_image
from lab.network import REGISTRY_ADDRESS, ip

ADDRESS, PREFIX, SERVER = "10.7.0.4", "10.7.0.0/24", "198.51.100.1"
# Another port for the main listeners, which no attachment's own listener has.
SERVE_OPTIONS = ["--listen", f"0.0.0.0:{PLAIN_PORT}"]
TIMES = [pytest.param(5, id="5"), pytest.param(100, id="100", marks=pytest.mark.long)]


class Gateway:
    """A namespace that is a network's gateway and its own client."""

    def __init__(self, ns, outside):
        self.ns, self.outside = ns, outside

    def make(self):
        ip("netns", "add", self.ns)
        inner = (f"addr add {REGISTRY_ADDRESS}/32 dev lo", f"addr add {ADDRESS}/32 dev lo", "link set lo up",
                 "link set eth0 up", "route add 10.7.0.1/32 dev eth0", f"route add {SERVER}/32 via 10.7.0.1")
        outer = (f"link add cable type veth peer name eth0 netns {self.ns}", "addr add 10.7.0.1/24 dev cable",
                 "link set cable up")
        for ns, lines in ((self.outside, outer), (self.ns, inner)):
            run(["ip", "-n", ns, "-batch", "-"], stdin="\n".join(lines) + "\n").ok()

    def delete_but_keep(self, name):
        """The name goes, and the cable; what else is in the namespace lives on, under another name."""
        kept = f"/run/netns/{name}"
        run(["touch", kept]).ok()
        run(["mount", "--bind", f"/run/netns/{self.ns}", kept]).ok()
        ip("netns", "del", self.ns)
        ip("link", "del", "cable", ns=self.outside)
        return Gateway(name, self.outside)


class Neighbour:
    """One of another network, on an open connection, who must not notice anything."""

    def __init__(self, place):
        self.pulls, self.failed, self.stop = 0, None, threading.Event()
        self.connection = place.registry.connect(place.b, "repository:app:pull,push")
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        try:
            while not self.stop.is_set():
                assert self.connection.manifest("app", "v1").status == 200
                self.pulls += 1
        except (AssertionError, *LOST) as e:
            self.failed = e

    def goes_on(self):
        before = self.pulls
        until(lambda: self.failed or self.pulls > before, "the neighbour gets what it asks for")
        assert self.failed is None, self.failed

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.connection.close()


@pytest.fixture
def gateway(place):
    """A namespace that is attached, and clients of which are known but let in by no rule."""
    k, g = place.kidoban, Gateway(place.lab.prefix + "-again", place.lab.internet.ns)
    place.rules("Allow")
    c = place.registry.connect(place.b, "repository:app:pull,push")
    assert c.push("app", "v1", small_image("app")).status == 201
    c.close()
    place.rules("Deny", subnets="b", addresses=["0.0.0.0/0"])
    g.make()
    place.lab.namespaces.append(g.ns)
    vnet = k.network("vnet-again", "10.7.0.0/16", (("default", PREFIX),))
    k("network", "attachment", "create", "--name", "again", "--kind", "netns", "--netns", g.ns, "--vnet", vnet["id"])
    k("network", "attachment", "create", "--name", "cable", "--kind", "device", "--device", "cable", "--vnet", vnet["id"])
    yield g
    for name in ("again", "cable"):
        k("network", "attachment", "delete", "--name", name, "--yes")
    ip("netns", "del", g.ns)
    place.lab.namespaces.remove(g.ns)


@pytest.mark.parametrize("times", TIMES)
def test_a_namespace_made_again_at_once_is_known_and_the_old_one_is_not_believed(place, gateway, times):
    took, lost = [], []
    ways = [Client(place.kidoban, place.registry, gateway, *where, source=ADDRESS)
            for where in ((REGISTRY_ADDRESS, 443), (SERVER, 443), (SERVER, PLAIN_PORT))]
    for c in ways:
        c.until_known()
    with Load(*ways) as load, Neighbour(place) as neighbour:
        for i in range(times):
            old = ways[0].connect()
            kept = gateway.delete_but_keep(f"{place.lab.prefix}-old{i}")
            place.lab.namespaces.append(kept.ns)
            gateway.make()
            took.append(ways[0].until_known())
            lost.append(until_lost(old))
            for c in ways[1:]:
                c.until_known()
            with pytest.raises(LOST):
                Client(place.kidoban, place.registry, kept, REGISTRY_ADDRESS, source=ADDRESS).ask()
            ip("netns", "del", kept.ns)
            place.lab.namespaces.remove(kept.ns)
            load.meets_the_next()
            neighbour.goes_on()
    load.assert_nobody_seemed_public()
    report("a namespace made again", took, lost)
