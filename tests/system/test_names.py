"""The recipes of doc/names.md: how a client finds <registry>.<suffix>."""

import os
import re

import pytest

from lab import Kidoban
from lab.network import REGISTRY_ADDRESS, wait_for_port
from lab.server import TOP

DOCUMENT = os.path.join(TOP, "doc", "names.md")


def recipe(title):
    """The lines of the code block that follows a heading of doc/names.md."""
    with open(DOCUMENT, encoding="utf-8") as f:
        text = f.read()
    return re.search(rf"^## {re.escape(title)}\n.*?^```[a-z]*\n(.*?)^```", text, re.M | re.S).group(1)


@pytest.fixture(scope="module")
def host(place):
    """A public host that trusts the registry, but does not know its name."""
    place.rules(default="Allow")
    h = place.lab.public_host("198.51.100.20")
    h.trusts(place.kidoban.ca, place.registry.login_server)
    return h


def asks(host, server):
    """What skopeo, which resolves names as glibc does, says about a repository that does not exist."""
    return host.run(["skopeo", "list-tags", f"docker://{server}/nothing"]).text


def reached(text):
    return "authentication required" in text or "unauthorized" in text


def test_the_name_is_unknown_without_a_recipe(place, host):
    assert "no such host" in asks(host, place.registry.login_server) or "lookup" in asks(
        host, place.registry.login_server)


def test_a_line_in_etc_hosts(place, host):
    line = recipe("/etc/hosts").replace("203.0.113.10", REGISTRY_ADDRESS)
    line = line.replace("myregistry.azurecr.localhost", place.registry.login_server)
    host.write_etc("hosts", "127.0.0.1 localhost\n" + line)
    try:
        assert reached(asks(host, place.registry.login_server))
    finally:
        host.write_etc("hosts", "127.0.0.1 localhost\n")


def test_one_line_for_dnsmasq_names_every_registry(place, host):
    line = recipe("dnsmasq").replace("azurecr.localhost", "azurecr.test").strip()
    host.write_etc("dnsmasq-lab.conf", line.replace("203.0.113.10", REGISTRY_ADDRESS) + "\n")
    host.write_etc("resolv.conf", "nameserver 127.0.0.1\n")
    server = host.start("dnsmasq", ["dnsmasq", "--keep-in-foreground", "--user=root", "--pid-file=",
                                    "--no-resolv", "--no-hosts", "--conf-file=/etc/dnsmasq-lab.conf"])
    try:
        wait_for_port(host, 53, server)
        assert reached(asks(host, place.registry.login_server))
        assert REGISTRY_ADDRESS in host.run(["getent", "hosts", "another.azurecr.test"]).ok().out
    finally:
        server.stop()
        host.write_etc("resolv.conf", "")


def test_libnss_myhostname_names_registries_of_this_machine(lab):
    """On the server's own machine, with the default suffix: another server, in a space of its own."""
    assert "libnss-myhostname" in recipe("libnss-myhostname")
    machine = lab.network("machine", "192.0.2.0/24")
    own = Kidoban(lab, "own", space=machine, suffix="azurecr.localhost").start()
    own.group()
    registry = own.registry("nearby")
    machine.trusts(own.ca, registry.login_server)
    machine.write_etc("nsswitch.conf", "hosts: files\n")
    assert not reached(asks(machine, registry.login_server))
    machine.write_etc("nsswitch.conf", "hosts: files myhostname\n")
    assert reached(asks(machine, registry.login_server))
