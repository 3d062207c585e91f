"""Fixtures of the system and fault tests. Each test file has its own lab; nothing is shared between files."""

import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "system"))

from lab import Kidoban, Lab  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; run by make test-long")


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root: network namespaces"))


LIMIT_S = 20 * 60  # many times what the slowest test takes with ThreadSanitizer


def _too_long(*_):
    raise TimeoutError(f"the test has not ended in {LIMIT_S} s")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that waits for ever fails, and shows where it waits, instead of keeping all others from running."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, 0 if item.get_closest_marker("long") else LIMIT_S)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows the end of every log of its lab."""
    report = (yield).get_result()
    lab = item.funcargs.get("lab") if hasattr(item, "funcargs") else None
    if report.failed and lab is not None:
        for path, text in lab.logs():
            report.sections.append((path, text))


@pytest.fixture(scope="module")
def variant(request):
    """What a file's tests are run with, where that is more than one thing: the file says which, and each has its lab."""
    return getattr(request, "param", None)


@pytest.fixture(scope="module")
def lab(variant):
    with Lab() as made:
        yield made


@pytest.fixture(scope="module")
def kidoban(request, lab):
    """A running server in the lab's internet, with a resource group to put things in. It must end well, too.
    A file whose server has options of its own gives them in SERVE_OPTIONS."""
    k = Kidoban(lab, options=getattr(request.module, "SERVE_OPTIONS", ())).start()
    k.group()
    yield k
    k.stop()


@pytest.fixture(scope="module")
def control(kidoban):
    """The control plane, with the administrator signed in."""
    c = kidoban.control()
    c.sign_in()
    return c


@pytest.fixture(scope="module")
def group(kidoban):
    """The id of the resource group that is there."""
    return f"/subscriptions/{kidoban.admin['subscriptionId']}/resourceGroups/lab"


@pytest.fixture(scope="module")
def place(lab, kidoban):
    """Two virtual networks with the same addresses, both attached; a registry; and the hosts of each."""
    return Place(lab, kidoban)


class Place:
    """Networks a and b (10.0.0.0/24 both) with a host 10.0.0.4 each, a public host, and one registry."""

    def __init__(self, lab, kidoban):
        self.lab, self.kidoban = lab, kidoban
        self.networks = {n: lab.network(n) for n in "ab"}
        self.vnets = {n: kidoban.network(f"vnet-{n}") for n in "ab"}
        for n in "ab":
            kidoban.attach(f"at-{n}", self.networks[n], self.vnets[n])
        self.subnets = {n: self.vnets[n]["subnets"][0]["id"] for n in "ab"}
        self.registry = kidoban.registry("myreg")
        self.a, self.b = (self.networks[n].host("10.0.0.4") for n in "ab")
        self.public = lab.public_host("198.51.100.7")
        self.hosts = [self.a, self.b, self.public]
        self.registry.known_by(*self.hosts)

    def rules(self, default="Deny", subnets=(), addresses=()):
        """Replace the registry's whole rule set."""
        body = {"properties": {"networkRuleSet": {
            "defaultAction": default,
            "virtualNetworkRules": [{"id": self.subnets[s], "action": "Allow"} for s in subnets],
            "ipRules": [{"value": a, "action": "Allow"} for a in addresses]}}}
        a = self.kidoban.control().request("PATCH", self.registry.id, body)
        assert a.status == 200, a
