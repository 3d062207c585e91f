"""The documented way from "it says 403" to the cause, gone for each cause: doc/network-rules.md."""

import contextlib
import json

import pytest

from lab import until
from lab.server import ENDPOINT


@pytest.fixture(autouse=True)
def only_network_a_is_allowed(place):
    place.rules(subnets="a")


def refused(place, host):
    """What the refusal itself says, and what the access log says of the same request."""
    path = f"/v2/why-{len(place.kidoban.process.output())}/manifests/v1"
    with contextlib.closing(place.registry.connect(host)) as c:
        a = c.get(path)
    error = a.json["errors"][0]
    assert (a.status, error["code"]) == (403, "DENIED")

    def logged():
        lines = [json.loads(x) for x in place.kidoban.process.output().splitlines() if path in x and x.startswith("{")]
        return [x for x in lines if x["event"] == "request"]

    entry = until(logged, "the request in the access log")[0]
    assert (entry["decision"], entry["origin"], entry["reason"], entry["ip"]) == (
        "Deny", error["detail"]["origin"], error["detail"]["reason"], error["detail"]["ip"])
    last = place.registry("denials")[-1]
    assert (last["origin"], last["reason"], last["ip"]) == (entry["origin"], entry["reason"], entry["ip"])
    counter = 'kidoban_gate_denied_by_registry_total{registry="myreg",origin="%s",reason="%s"}'
    assert place.kidoban.metrics()[counter % (entry["origin"], entry["reason"])] >= 1
    return error["detail"], entry


def test_a_subnet_that_is_not_the_rule_s_is_named_in_the_log(place):
    detail, entry = refused(place, place.b)
    assert (detail["origin"], detail["ip"]) == ("subnet", "10.0.0.4")
    assert (entry["subnet"], entry["attachment"]) == (place.subnets["b"], "at-b")
    asked = place.registry("check-network-access", "--subnet", place.subnets["b"], "--proposed", json.dumps(
        {"networkRuleSet": {"defaultAction": "Deny", "virtualNetworkRules": [{"id": place.subnets["b"]}]}}))
    assert (asked["decision"], asked["reason"], asked["proposed"]["decision"]) == ("Deny", "default-action", "Allow")


def test_a_subnet_without_the_service_endpoint_is_nobody_s_and_its_attachment_is_in_the_log(place):
    subnet = ("network", "vnet", "subnet", "update", "-g", "lab", "--vnet-name", "vnet-a", "-n", "default")
    place.kidoban(*subnet, "--remove", "serviceEndpoints")
    detail, entry = refused(place, place.a)
    assert detail["origin"] == "unidentified" and entry["attachment"] == "at-a" and "subnet" not in entry
    place.kidoban(*subnet, "--service-endpoints", ENDPOINT)


def test_a_client_that_came_another_way_is_public_with_the_address_that_it_came_from(place):
    detail, entry = refused(place, place.public)
    assert (detail["origin"], detail["ip"]) == ("public", "198.51.100.7") and "attachment" not in entry
    assert place.registry("check-network-access", "--ip-address", detail["ip"])["decision"] == "Deny"


def test_an_attachment_that_does_not_listen_says_why(place):
    place.kidoban("network", "attachment", "create", "--name", "lost", "--kind", "netns", "--netns", "no-such-place",
                  "--vnet", place.vnets["a"]["id"])
    shown = place.kidoban("network", "attachment", "show", "--name", "lost")
    assert (shown["state"], shown["stateReason"]) == ("Waiting", "there is no network namespace no-such-place now")
    line = ('kidoban_attachment_state{attachment="lost",kind="netns",state="Waiting",'
            'reason="there is no network namespace no-such-place now"}')
    until(lambda: unwell(place) == [line], "it is the only one that is not well")


def unwell(place):
    return [k for k in place.kidoban.metrics() if k.startswith("kidoban_attachment_state") and "Listening" not in k]
