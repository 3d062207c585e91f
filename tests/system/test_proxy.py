"""Load balancers and reverse proxies in front: the recipes as written, the bytes that clouds send, and those who lie."""

import http.client
import os
import re

import pytest

from lab import Dockerd, Kidoban, Lab, pki
from lab.http import Answer, Connection
from lab.network import REGISTRY_ADDRESS, inside, wait_for_port
from lab.recipes import blocks, haproxy

FRONT, CLOUD = "198.51.100.50", "198.51.100.60"
DENIED = "client with IP '{}' is not allowed access."


class Place:
    """Networks a and b with the same addresses behind one HAProxy; a public front; a cloud's load balancer."""

    def __init__(self, lab):
        self.lab = lab
        self.networks = {n: lab.network(n, "10.0.0.0/24", "10.0.1.0/24") for n in "ab"}
        self.kidoban = k = Kidoban(lab, options=[
            "--listen", "127.0.0.1:8444,proxy", "--listen", f"{REGISTRY_ADDRESS}:8444,proxy",
            "--listen", f"{REGISTRY_ADDRESS}:8080,plain", "--trusted-proxy", "127.0.0.1", "--trusted-proxy", FRONT,
            "--trusted-proxy", CLOUD, "--trusted-forwarder", FRONT]).start()
        k.group()
        subnets = (("default", "10.0.0.0/24"), ("other", "10.0.1.0/24"))
        self.vnets = {n: k.network(f"vnet-{n}", subnets=subnets) for n in "ab"}
        for n in "ab":
            self.attach(n, n, "127.0.0.1", f"0x30={self.networks[n].ns}")
        self.registry = k.registry("myreg")
        self.registry("update", "--default-action", "Deny")
        self.front, self.cloud = lab.public_host(FRONT), lab.public_host(CLOUD)
        self.public, self.stranger = lab.public_host("198.51.100.7"), lab.public_host("198.51.100.8")

    def attach(self, name, network, peer, tlv, *options):
        return self.kidoban("network", "attachment", "create", "--name", name, "--kind", "proxy", "--proxy", peer,
                            "--tlv", tlv, "--vnet", self.vnets[network]["id"], *options)

    def subnet(self, network, name="default"):
        return next(s["id"] for s in self.vnets[network]["subnets"] if s["name"] == name)

    def ask(self, space, first=b"", port=443, address=REGISTRY_ADDRESS, headers=None):
        """What GET /v2/ gets: the status, and the address that it was refused with."""
        c = Connection(space, self.kidoban.ca, self.registry.login_server, port, address, first)
        try:
            return seen(c.get("/v2/", headers={"Host": self.registry.login_server, **(headers or {})}))
        finally:
            c.close()

    def ask_plain(self, space, headers):
        with inside(space.ns):
            c = http.client.HTTPConnection(REGISTRY_ADDRESS, 8080, timeout=30)
            c.connect()
        c.putrequest("GET", "/v2/", skip_host=True)
        for name, value in [("Host", self.registry.login_server), *headers]:
            c.putheader(name, value)
        c.endheaders()
        answer = Answer(c.getresponse())
        c.close()
        return answer


def seen(answer):
    if answer.status != 403:
        return answer.status, None
    detail = answer.json["errors"][0]["detail"]
    assert answer.json["errors"][0]["message"].startswith(DENIED.format(detail["ip"]))
    return 403, f"{detail['origin']} {detail['ip']}"


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@pytest.fixture(scope="module")
def place(lab):
    p = Place(lab)
    p.registry.allow_subnet(p.subnet("a"))
    yield p
    p.kidoban.stop()


@pytest.fixture(scope="module")
def networks(place):
    """HAProxy inside both networks, as its recipe says."""
    a, b = place.networks["a"], place.networks["b"]
    p = haproxy(place.lab.internet, "networks.cfg", [("namespace blue", f"namespace {a.ns}"),
                                                     ("namespace green", f"namespace {b.ns}")])
    for n in (a, b):
        wait_for_port(n, 443, p)
    return {"a": a.host("10.0.0.4")}


def test_a_namespace_without_an_attachment_is_unidentified(place, networks):
    k = place.kidoban
    try:
        k("network", "attachment", "delete", "--name", "a", "--yes")
        assert place.ask(networks["a"]) == (403, "unidentified 10.0.0.4")
    finally:
        place.attach("a", "a", "127.0.0.1", f"0x30={place.networks['a'].ns}")
    assert place.ask(networks["a"]) == (401, None)


def test_haproxy_that_passes_through_hands_on_public_addresses(place):
    p = haproxy(place.front, "front.cfg", [("203.0.113.10", REGISTRY_ADDRESS)])
    wait_for_port(place.front, 443, p)
    place.registry("network-rule", "add", "--ip-address", "198.51.100.7")
    try:
        assert place.ask(place.public, address=FRONT) == (401, None)
        assert place.ask(place.stranger, address=FRONT) == (403, "public 198.51.100.8")
    finally:
        place.registry("network-rule", "remove", "--ip-address", "198.51.100.7")
        p.stop()


@pytest.fixture(scope="module")
def certificate(place):
    """A certificate for the registry, for those who end TLS."""
    ca, pem = pki.make(place.lab.path("pki", "x")[:-2], [place.registry.login_server])
    for host in (place.public, place.stranger):
        host.name_is(FRONT, place.registry.login_server)
        host.trusts(ca, place.registry.login_server)
    return pem


def tls_haproxy(place, pem):
    return haproxy(place.front, "tls.cfg", [("203.0.113.10", REGISTRY_ADDRESS), ("/etc/haproxy/registry.pem", pem)])


def nginx(place, pem):
    config, = blocks("nginx.md", "nginx", [("203.0.113.10", REGISTRY_ADDRESS), ("/etc/nginx/registry.pem", pem)])
    folder = place.lab.path("nginx", "x")[:-2]
    path = os.path.join(folder, "registry.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    return place.front.start("nginx", ["nginx", "-c", path, "-p", folder, "-g", f"daemon off; pid {folder}/pid;"])


@pytest.mark.parametrize("front", [tls_haproxy, nginx])
def test_a_proxy_that_ends_tls_hands_on_address_and_scheme(place, certificate, front):
    p = front(place, certificate)
    wait_for_port(place.front, 443, p)
    server = place.registry.login_server
    place.registry("network-rule", "add", "--ip-address", "198.51.100.7")
    try:
        r = place.public.run(["curl", "-sSi", f"https://{server}/v2/"]).ok().out
        assert f'realm="https://{server}/oauth2/token"' in r
        r = place.stranger.run(["curl", "-sS", f"https://{server}/v2/", "-H", "X-Forwarded-For: 198.51.100.7"]).ok().out
        assert DENIED.format("198.51.100.8") in r
        d = Dockerd(place.public).wait() if front is tls_haproxy else None
        if d:
            assert "Login Succeeded" in d.login(server, place.registry.user, place.registry.password).ok().text
            image = d.make_image(f"{server}/ended:v1")
            d("push", image).ok()
    finally:
        place.registry("network-rule", "remove", "--ip-address", "198.51.100.7")
        p.stop()


CLOUDS = {"aws": "0xEA=vpce-08d2bf15fac5001c9", "azure": "0xEE=452984833", "google": "0xE0=18446744073709551600",
          "alibaba": "0xE1=ep-2"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_header_of_a_cloud_s_load_balancer_tells_the_network(place, cloud):
    sent = bytes.fromhex(blocks("cloud-load-balancers.md", f"hex {cloud}")[0])
    other = sent.replace(bytes([10, 0, 0, 4]), bytes([10, 0, 1, 4]))
    assert place.ask(place.cloud, sent, 8444) == (403, "unidentified 10.0.0.4")
    place.attach(cloud, "a", CLOUD, CLOUDS[cloud])
    assert place.ask(place.cloud, sent, 8444) == (401, None)
    assert place.ask(place.cloud, other, 8444) == (403, "subnet 10.0.1.4")
    assert place.ask(place.front, sent, 8444) == (403, "unidentified 10.0.0.4")  # another proxy
    place.attach(cloud, "b", CLOUD, CLOUDS[cloud])
    assert place.ask(place.cloud, sent, 8444) == (403, "subnet 10.0.0.4")
    place.attach(cloud, "a", CLOUD, CLOUDS[cloud], "--subnet", place.subnet("a"))
    assert place.ask(place.cloud, other, 8444) == (401, None)
    endpoint = re.sub("/Microsoft.Network/.*", "/Microsoft.Network/privateEndpoints/pe", place.subnet("a"))
    place.attach(cloud, "a", CLOUD, CLOUDS[cloud], "--private-endpoint", endpoint)
    assert place.ask(place.cloud, sent, 8444) == (403, "private-endpoint 10.0.0.4")


def test_the_scheme_is_the_forwarder_s_and_nobody_else_s(place):
    place.registry("network-rule", "add", "--ip-address", "198.51.100.0/24")
    try:
        for space, scheme in ((place.front, "https"), (place.public, "http")):
            a = place.ask_plain(space, [("X-Forwarded-Proto", "https")])
            assert a.headers["WWW-Authenticate"].startswith(f'Bearer realm="{scheme}://{place.registry.login_server}/')
    finally:
        place.registry("network-rule", "remove", "--ip-address", "198.51.100.0/24")
