"""A network's namespace deleted and made again under the same name, at once, while its clients and others ask."""

import contextlib
import http.client
import json
import threading
import time

import pytest

from lab import run, until
from lab.http import Connection
from lab.images import small_image
from lab.network import REGISTRY_ADDRESS, ip

LOST = (OSError, http.client.HTTPException)
ADDRESS, PREFIX = "10.7.0.4", "10.7.0.0/24"
TIMES = [pytest.param(5, id="5"), pytest.param(100, id="100", marks=pytest.mark.long)]


class Gateway:
    """A namespace that is a network's gateway and its own client."""

    def __init__(self, ns):
        self.ns = ns

    def make(self):
        ip("netns", "add", self.ns)
        lines = ("link set lo up", f"addr add {REGISTRY_ADDRESS}/32 dev lo", f"addr add {ADDRESS}/24 dev lo")
        run(["ip", "-n", self.ns, "-batch", "-"], stdin="\n".join(lines) + "\n").ok()

    def delete_but_keep(self, name):
        """The name goes; what is in the namespace lives on, under another name."""
        kept = f"/run/netns/{name}"
        run(["touch", kept]).ok()
        run(["mount", "--bind", f"/run/netns/{self.ns}", kept]).ok()
        ip("netns", "del", self.ns)
        return Gateway(name)


def opened(place, gateway):
    return Connection(gateway, place.kidoban.ca, place.registry.login_server, source=ADDRESS)


def told(answer):
    """What the server takes a client for: (status, origin). Whoever seems public is let in."""
    return answer.status, json.loads(answer.body)["errors"][0]["detail"]["origin"] if answer.status == 403 else None


def ask(place, gateway):
    with contextlib.closing(opened(place, gateway)) as c:
        return told(c.get("/v2/"))


class Load:
    """Clients of the place that comes and goes, each time on a new connection, and one of another network on an open
    one, who must not notice anything."""

    def __init__(self, place, gateway):
        self.place, self.gateway, self.stop = place, gateway, threading.Event()
        self.seen, self.others, self.failed = {}, 0, None
        self.neighbour = place.registry.connect(place.b, "repository:app:pull,push")
        self.threads = [threading.Thread(target=t, daemon=True) for t in (self.come, self.come, self.pull)]

    def come(self):
        while not self.stop.is_set():
            with contextlib.suppress(*LOST):
                got = ask(self.place, self.gateway)
                self.seen[got] = self.seen.get(got, 0) + 1

    def pull(self):
        try:
            while not self.stop.is_set():
                assert self.neighbour.manifest("app", "v1").status == 200
                self.others += 1
        except (AssertionError, *LOST) as e:
            self.failed = e

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join(60)
        self.neighbour.close()


@pytest.fixture
def gateway(place):
    """A namespace that is attached, and clients of which are known but let in by no rule."""
    k, g = place.kidoban, Gateway(place.lab.prefix + "-again")
    place.rules("Allow")
    c = place.registry.connect(place.b, "repository:app:pull,push")
    assert c.push("app", "v1", small_image("app")).status == 201
    c.close()
    place.rules("Deny", subnets="b", addresses=["0.0.0.0/0"])
    g.make()
    place.lab.namespaces.append(g.ns)
    vnet = k.network("vnet-again", "10.7.0.0/16", (("default", PREFIX),))
    k("network", "attachment", "create", "--name", "again", "--kind", "netns", "--netns", g.ns, "--vnet", vnet["id"])
    until(lambda: known(place, g), "its clients are known")
    yield g
    k("network", "attachment", "delete", "--name", "again", "--yes")


def known(place, gateway):
    with contextlib.suppress(*LOST):
        return ask(place, gateway) == (403, "subnet")
    return False


def assert_lost(connection):
    """Nothing is answered any more."""
    with pytest.raises(LOST):
        connection.get("/v2/")
    connection.close()


@pytest.mark.parametrize("times", TIMES)
def test_a_namespace_made_again_at_once_is_known_and_the_old_one_is_not_believed(place, gateway, times):
    took = []
    with Load(place, gateway) as load:
        for i in range(times):
            old = opened(place, gateway)
            assert told(old.get("/v2/")) == (403, "subnet")
            kept = gateway.delete_but_keep(f"{place.lab.prefix}-old{i}")
            place.lab.namespaces.append(kept.ns)
            gateway.make()
            began = time.monotonic()
            until(lambda: known(place, gateway), "the new one's clients are known", every=0.005)
            took.append(time.monotonic() - began)
            assert_lost(old)
            with pytest.raises(LOST):
                ask(place, kept)
            ip("netns", "del", kept.ns)
            place.lab.namespaces.remove(kept.ns)
    took.sort()
    print(f"{times} times: known after {took[len(took) // 2] * 1e3:.0f} ms, at most {took[-1] * 1e3:.0f} ms; "
          f"answers meanwhile {load.seen}, a neighbour's {load.others}")
    assert took[-1] < 1.0, took
    assert set(load.seen) <= {(403, "subnet"), (403, "unidentified")}, load.seen
    assert load.failed is None and load.others > times, load.failed
