"""A server whose networks are known in every way at once, who is let in by each, and who pretends to be that."""

import contextlib
import http.client
import json
import re

from .gateway import Gateway
from .http import Answer
from .images import small_image
from .network import REGISTRY_ADDRESS, REGISTRY_ADDRESS6, Host, inside, ip
from .process import run
from .raw import Raw
from .server import ENDPOINT
from .wait import until

FRIEND, FRIEND6 = "198.51.100.7", "2001:db8:1::7"  # the addresses that an IP rule lets in
FORWARDER, BALANCER = "198.51.100.50", "198.51.100.60"  # trusted, each with the address after it
PUBLIC, PUBLICS = "198.51.100.4", [f"198.51.100.{100 + i}" for i in range(60)]  # one machine's
OPEN, FENCED = "openreg.azurecr.test", "myreg.azurecr.test"
DOORS = {"main": (443, True, REGISTRY_ADDRESS), "plain": (8080, False, REGISTRY_ADDRESS),
         "proxy": (8444, False, REGISTRY_ADDRESS), "proxy tls": (8445, True, REGISTRY_ADDRESS),
         "six": (8080, False, REGISTRY_ADDRESS6), "control": (8443, True, "127.0.0.1"),
         "metrics": (9464, False, "127.0.0.1")}
MARKS = """table bridge marks {
  chain from_machines { type filter hook prerouting priority 0; policy accept; iifname "%s" meta mark set 0x105; }
}
"""


class Border(Gateway):
    """Let in by myreg, which is fenced: subnet apps of network a (device brA; hosts allowed, and other of another
    subnet), of network b (mark 0x105, which the host's firewall gives to what comes by the port of elsewhere), of
    network c (range 10.8.0.0/16; host ranged), and the address of friend. Nobody else: public, and tenant, a machine of
    a network of its own (netns) that has the addresses of forwarder, balancer and friend."""

    def __init__(self, lab):
        options = [("--listen", "0.0.0.0:8080,plain"), ("--listen", "[::]:8080,plain"),
                   ("--listen", "0.0.0.0:8444,plain,proxy"), ("--listen", "0.0.0.0:8445,proxy"),
                   ("--trusted-proxy", BALANCER + "/31"), ("--trusted-forwarder", FORWARDER + "/31")]
        super().__init__(lab, "border", ("10.9.0", "fd09::"), sum(options, ()))
        self.sysctl("net.ipv4.tcp_fwmark_accept=1")
        self.machine_itself = self
        self.bridge("brC", "10.8.0.1/24")
        self.ranged = self.more("10.8.0.4", "brC", "10.8.0.1", "ranged")
        self.friend = self.more(FRIEND, "brP", "198.51.100.1", "friend", (FRIEND6, "2001:db8:1::1"))
        self.forwarder = self.more(FORWARDER, "brP", "198.51.100.1", "forwarder")
        self.balancer = self.more(BALANCER, "brP", "198.51.100.1", "balancer")
        run(["nsenter", f"--net=/run/netns/{self.ns}", "nft", "-f", "-"], stdin=MARKS % self.elsewhere.port).ok()
        for address in PUBLICS:
            ip("addr", "add", f"{address}/24", "dev", "eth0", ns=self.public.ns)
        self.tell_networks()
        self.tell_tenant(lab)
        self.open = self.kidoban.registry("openreg")
        self.make_again()
        for name in "ab":
            until(lambda n=name: self.state(n) == ("Listening", ""), f"attachment {name} listens")
        self.rules(subnets=[self.subnet, self.vnet_b["id"] + "/subnets/apps", self.vnet_c["id"] + "/subnets/apps"],
                   addresses=[FRIEND, FRIEND6])
        self.fill()
        self.control_line, self.serial = self.kidoban.control().connect(), 0
        self.control = self.kidoban.control()

    def more(self, address, bridge, gateway, name, six=None):
        host = Host(self, address, bridge, 24, gateway, name, six)
        self.hosts.append(host)
        return host

    def tell_networks(self):
        self.vnet_c = self.network("vnet-c", ("apps", "10.8.0.0/24"))
        self.attach("a", self.vnet, "device", "--device", "brA")
        self.attach("b", self.vnet_b, "mark", "--mark", "0x105/0xfff")
        self.attach("c", self.vnet_c, "range", "--range", "10.8.0.0/16")
        self.attach("vpce-a", self.vnet, "proxy", "--proxy", BALANCER, "--tlv", "0xEA=vpce-a")
        self.attach("vpce-b", self.vnet_b, "proxy", "--proxy", BALANCER, "--tlv", "0xEA=vpce-b")
        self.attach("link-a", self.vnet, "proxy", "--proxy", BALANCER, "--tlv", "0xEE=7")
        self.attach("psc-a", self.vnet, "proxy", "--proxy", BALANCER, "--tlv", "0xE0=7")
        self.attach("space-a", self.vnet, "proxy", "--proxy", BALANCER, "--tlv", "0x30=blue")
        self.attach("vpce-else", self.vnet, "proxy", "--proxy", "192.0.2.1", "--tlv", "0xEA=vpce-else")

    def tell_tenant(self, lab):
        k, inner = self.kidoban, lab.network("tenant", "198.51.100.0/24")
        k("network", "vnet", "create", "-g", "lab", "-n", "vnet-t", "--address-prefixes", "198.51.100.0/24")
        k("network", "vnet", "subnet", "create", "-g", "lab", "--vnet-name", "vnet-t", "-n", "default",
          "--address-prefixes", "198.51.100.0/24", "--service-endpoints", ENDPOINT)
        k.attach("t", inner, k("network", "vnet", "show", "-g", "lab", "-n", "vnet-t"))
        self.tenant = inner.host(BALANCER)
        for address in (FORWARDER, FRIEND):
            ip("addr", "add", f"{address}/32", "dev", "eth0", ns=self.tenant.ns)

    def make_again(self):
        """The fenced registry is one that took another's name; keep a token of the other."""
        with contextlib.closing(self.registry.connect(self.friend)) as c:
            self.old_token = c.sign_in(self.registry.user, self.registry.password, "repository:app:pull")
        self.registry("delete", "--yes")
        self.registry = self.kidoban.registry("myreg")

    def fill(self):
        """The fenced registry has an image, which a friend put there."""
        self.image = small_image("fenced")
        with contextlib.closing(self.registry.connect(self.friend, "repository:app:pull,push")) as c:
            assert c.push("app", "v1", self.image).status == 201

    @contextlib.contextmanager
    def claims(self, host, address, bridge):
        """A host has one more address, and the server's answers to it find the way by that host's bridge."""
        own = ("-6", f"{address}/128") if ":" in address else ("-4", f"{address}/32")
        ip(own[0], "addr", "add", own[1], "dev", "eth0", *(["nodad"] if ":" in address else []), ns=host.ns)
        ip(own[0], "route", "add", own[1], "dev", bridge, ns=self.ns)
        try:
            yield
        finally:
            ip(own[0], "route", "del", own[1], "dev", bridge, ns=self.ns)
            ip(own[0], "addr", "del", own[1], "dev", "eth0", ns=host.ns)

    @contextlib.contextmanager
    def filtered(self, text):
        """The host's firewall has one more table, named spoof; yields what tells how many packets it has dropped."""
        nft = ["nsenter", f"--net=/run/netns/{self.ns}", "nft"]
        run([*nft, "-f", "-"], stdin=text).ok()
        try:
            listed = [*nft, "list", "table", "bridge", "spoof"]
            yield lambda: sum(map(int, re.findall(r"packets (\d+)", run(listed).ok().out)))
        finally:
            run([*nft, "delete", "table", "bridge", "spoof"]).ok()

    def knock(self, host, door, name=FENCED, **how):
        """An open connection by one of the doors; how: as for Raw."""
        port, tls, address = DOORS[door]
        return Raw(getattr(self, host), port, self.kidoban.ca if tls else None, name,
                   **{"address": address, "timeout": 60, **how})

    def naked(self, host, door, **how):
        """The same without TLS, whatever the door expects."""
        return Raw(getattr(self, host), DOORS[door][0], **{"address": DOORS[door][2], "timeout": 60, **how})

    def counters(self):
        with inside(self.ns):
            c = http.client.HTTPConnection("127.0.0.1", 9464, timeout=60)
            c.connect()
        c.request("GET", "/metrics")
        text = Answer(c.getresponse()).body.decode()
        c.close()
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}

    def refused(self, counters=None):
        return (counters or self.counters())["kidoban_gate_denied_total"]

    def denials(self):
        """What the registry's log of denials has had since the last look: a list of "origin address"."""
        a = self.control.request("GET", f"{self.registry.id}/denials?after={self.serial}", connection=self.control_line)
        new = json.loads(a.body)["value"]
        self.serial = max([self.serial, *(d["serial"] for d in new)])
        assert all(d["refused"] and d["reason"] == "default-action" for d in new), new
        return [f"{d['origin']} {d['ip']}" for d in new]
