"""Networks with both families of addresses, and a server that knows where their machines stand.

A Gateway is one namespace with all bridges and the server itself: networks are told apart by device, by a firewall's mark
or by their addresses. In Sites each network has a namespace of its own, and the server is in the public one.
"""

from .network import REGISTRY_ADDRESS, REGISTRY_ADDRESS6, Host, Network, ip
from .process import run
from .server import ENDPOINT, Kidoban

PLAIN_PORT = 5443  # another port, which no attachment's own listener has


class Site(Network):
    """A namespace with bridges and machines of both families, and the registry's addresses."""

    def __init__(self, lab, name):
        super().__init__(lab, name, [])
        self.sysctl("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        ip("addr", "add", f"{REGISTRY_ADDRESS6}/128", "dev", "lo", "nodad", ns=self.ns)

    def sysctl(self, *settings):
        run(["nsenter", f"--net=/run/netns/{self.ns}", "sysctl", "-qw", *settings]).ok()

    def bridge(self, name, *addresses):
        ip("link", "add", name, "type", "bridge", ns=self.ns)
        self.configure(name, *addresses)

    def configure(self, name, *addresses):
        ip("link", "set", name, "up", ns=self.ns)
        for a in addresses:
            ip("addr", "add", a, "dev", name, *(["nodad"] if ":" in a else []), ns=self.ns)

    def bridge_a(self):
        """Two subnets, with a machine each: allowed (of apps) and other."""
        self.bridge("brA", "10.0.0.1/24", "10.0.1.1/24", "fd00::1/64", "fd00:0:0:1::1/64")
        return self.machine("allowed", "brA", "10.0.0", "fd00::"), self.machine("other", "brA", "10.0.1", "fd00:0:0:1::")

    def bridge_b(self, four="10.0.0", six="fd00::"):
        """Another network, with bridge A's addresses unless told, and a machine."""
        self.bridge("brB", f"{four}.1/24", f"{six}1/64")
        return self.machine("elsewhere", "brB", four, six)

    def bridge_public(self):
        self.bridge("brP", "198.51.100.1/24", "2001:db8:1::1/64")
        return self.machine("public", "brP", "198.51.100", "2001:db8:1::")

    def machine(self, name, bridge, four, six):
        """A host whose address ends in 4, in both families."""
        host = Host(self, f"{four}.4", bridge, 24, f"{four}.1", name, (f"{six}4", f"{six}1"))
        self.hosts.append(host)
        return host


class Served:
    """Networks a and b and two registries, of which the machines know one address each."""

    def serve(self, space, name, options, elsewhere=("10.0.0", "fd00::")):
        """Run a server in a space. The machines are there already: allowed, other, elsewhere, public."""
        self.hosts = [self.allowed, self.other, self.elsewhere, self.public]
        self.kidoban = Kidoban(space.lab, name, space=space, options=["--listen", "[::]:443", *options]).start()
        self.kidoban.group()
        four, six = elsewhere
        self.vnet = self.network("vnet-a", ("apps", "10.0.0.0/24", "fd00::/64"),
                                 ("other", "10.0.1.0/24", "fd00:0:0:1::/64"))
        self.vnet_b = self.network("vnet-b", ("apps", f"{four}.0/24", f"{six}/64"))
        self.subnet = self.vnet["id"] + "/subnets/apps"
        self.registry = self.kidoban.registry("myreg").known_by(*self.hosts)
        self.registry6 = self.kidoban.registry("myreg6").known_by(*self.hosts)
        for h in self.hosts:
            h.name_is(REGISTRY_ADDRESS6, self.registry6.login_server)

    def network(self, name, *subnets):
        k = self.kidoban
        k("network", "vnet", "create", "-g", "lab", "-n", name, "--address-prefixes", "10.0.0.0/8", "fc00::/7")
        for subnet, *prefixes in subnets:
            k("network", "vnet", "subnet", "create", "-g", "lab", "--vnet-name", name, "-n", subnet,
              "--address-prefixes", *prefixes, "--service-endpoints", ENDPOINT)
        return k("network", "vnet", "show", "-g", "lab", "-n", name)

    def attach(self, name, vnet, kind, *options):
        return self.kidoban("network", "attachment", "create", "--name", name, "--kind", kind, "--vnet", vnet["id"],
                            *options)

    def state(self, name):
        a = self.kidoban("network", "attachment", "show", "--name", name)
        return a["state"], a["stateReason"]

    def rules(self, default="Deny", subnets=(), addresses=()):
        """Replace both registries' whole rule sets."""
        body = {"properties": {"networkRuleSet": {
            "defaultAction": default,
            "virtualNetworkRules": [{"id": s, "action": "Allow"} for s in subnets],
            "ipRules": [{"value": a, "action": "Allow"} for a in addresses]}}}
        for r in (self.registry, self.registry6):
            a = self.kidoban.control().request("PATCH", r.id, body)
            assert a.status == 200, a


class Gateway(Site, Served):
    """Bridges brA (subnets apps and other), brB (another network) and brP (public), a server, and a host in each. What brB
    uses is brA's addresses again, unless told."""

    def __init__(self, lab, name, elsewhere=("10.0.0", "fd00::"), options=()):
        super().__init__(lab, name)
        self.allowed, self.other = self.bridge_a()
        self.elsewhere = self.bridge_b(*elsewhere)
        self.public = self.bridge_public()
        self.serve(self, name + "-server", ["--listen", f"0.0.0.0:{PLAIN_PORT}", *options], elsewhere)


class Sites(Served):
    """A namespace for each network, a and b, with the same addresses; and the public one, in which the server is."""

    def __init__(self, lab, name, options=()):
        self.a, self.b, self.internet = (Site(lab, f"{name}-{n}") for n in ("a", "b", "public"))
        self.allowed, self.other = self.a.bridge_a()
        self.elsewhere, self.public = self.b.bridge_b(), self.internet.bridge_public()
        self.serve(self.internet, name + "-server", list(options))
