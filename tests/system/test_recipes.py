"""The recipes for bridges, marks and VLANs, typed as they stand into the network of a server."""

import os
import re

import pytest

from lab import Kidoban, run, until
from lab.http import Connection
from lab.network import Host, Network, ip
from lab.recipes import blocks
from lab.server import BINARY


class Machine(Network):
    """A machine with a server on it, and a root's terminal."""

    def __init__(self, lab, name):
        super().__init__(lab, name, [])
        self.kidoban = Kidoban(lab, name + "-server", space=self, options=["--listen", "[::]:443"]).start()
        self.commands = os.path.join(self.dir, "bin")
        os.makedirs(self.commands)
        os.symlink(BINARY, os.path.join(self.commands, "kidoban"))

    def type(self, text):
        env = {**self.env, "PATH": f"{self.commands}:{self.env['PATH']}", "KIDOBAN_DATA": self.kidoban.data}
        return run(["nsenter", f"--net=/run/netns/{self.ns}", "sh", "-euc", text], env=env)

    def follow(self, recipe):
        for block in blocks(recipe, "sh"):
            self.type(block).ok()
        until(lambda: {a["state"] for a in self.kidoban("network", "attachment", "list")} == {"Listening"},
              "every attachment listens")

    def host(self, name, bridge, address, six=None):
        h = Host(self, address, bridge, 24, "10.0.0.1", name, six)
        self.hosts.append(h)
        return h

    def ask(self, host, registry, address="10.0.0.1"):
        """(status, origin, address) of a first request."""
        c = Connection(host, self.kidoban.ca, f"{registry}.azurecr.test", 443, address)
        try:
            a = c.get("/v2/")
        finally:
            c.close()
        detail = a.json["errors"][0]["detail"] if a.status == 403 else {}
        return a.status, detail.get("origin"), detail.get("ip")


@pytest.fixture
def machine(lab, request):
    m = Machine(lab, re.sub(r"\W", "", request.node.name)[5:12])
    yield m
    m.kidoban.stop()


def test_bridges_with_the_same_prefix(machine):
    machine.follow("bridges.md")
    states = {a["name"]: a["state"] for a in machine.kidoban("network", "attachment", "list")}
    assert set(states) == {"blue", "red"}
    blue = machine.host("blue", "br-blue", "10.0.0.4", ("fd00::4", "fd00::1"))
    red = machine.host("red", "br-red", "10.0.0.4", ("fd00::4", "fd00::1"))
    for to, ours in (("10.0.0.1", "10.0.0.4"), ("fd00::1", "fd00::4")):
        assert machine.ask(blue, "bridged", to) == (401, None, None)
        assert machine.ask(red, "bridged", to) == (403, "subnet", ours)


def test_marks_tell_ports_apart_and_anti_spoofing_stops_what_the_recipe_says(machine):
    machine.follow("nftables-marks.md")
    blue = machine.host("blue", "br0", "10.0.0.4")
    red = machine.host("red", "br0", "10.0.0.5")
    assert machine.ask(blue, "marked") == (401, None, None)
    assert machine.ask(red, "marked") == (403, "subnet", "10.0.0.5")

    # red's machine claims blue's address; blue's own is away, so that nobody contradicts it
    ip("link", "set", "eth0", "down", ns=blue.ns)
    ip("addr", "flush", "dev", "eth0", ns=red.ns)
    ip("addr", "add", "10.0.0.4/24", "dev", "eth0", ns=red.ns)
    knock = ["curl", "-sk", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", "https://10.0.0.1/v2/"]
    assert red.run(knock).out == "000"

    marks_alone = re.sub(r"^.*drop\n", "", next(b for b in blocks("nftables-marks.md", "sh") if "table bridge" in b),
                         flags=re.M)
    machine.type("nft delete table bridge kidoban\n" + marks_alone).ok()
    assert machine.ask(red, "marked") == (403, "subnet", "10.0.0.4")

    # a mark that no attachment has is nobody's; its own mark does not leave the machine
    machine.type("nft delete table bridge kidoban\n" + marks_alone.replace("0x105", "0x106")).ok()
    assert machine.ask(red, "marked") == (403, "unidentified", "10.0.0.4")
    machine.type("nft delete table bridge kidoban").ok()
    red.run(["nft", "-f", "-"], stdin="table inet own { chain out { type filter hook output priority 0; "
                                      "meta mark set 0x104; }; }").ok()
    assert machine.ask(red, "marked") == (403, "public", "10.0.0.4")


def test_vlan_interfaces(machine):
    ip("link", "add", "eth0", "type", "veth", "peer", "name", "far", ns=machine.ns)
    ip("link", "set", "eth0", "up", ns=machine.ns)
    kernel = run(["ip", "-n", machine.ns, "link", "add", "link", "eth0", "name", "try", "type", "vlan", "id", "7"])
    if kernel.code != 0:
        pytest.skip("this kernel has no 8021q")
    ip("link", "del", "try", ns=machine.ns)
    machine.follow("vlan.md")
    states = {a["name"] for a in machine.kidoban("network", "attachment", "list")}
    assert states == {"vlan10", "vlan20"}
