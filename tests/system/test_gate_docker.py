"""Real docker daemons in two virtual networks with the same addresses, and one on the public internet."""

import pytest

from lab import Dockerd

TAG = "hello-world:v1"


@pytest.fixture(scope="module")
def daemons(place):
    """A daemon for each host, none signed in; and the image, pushed while everybody was let in."""
    started = {n: Dockerd(h) for n, h in (("a", place.a), ("b", place.b), ("public", place.public))}
    for d in started.values():
        d.wait()
    place.rules(default="Allow")
    sign_in(place, started["a"])
    image = started["a"].make_image(name(place))
    started["a"]("push", image).ok()
    started["a"].forget(image)
    started["a"]("logout", place.registry.login_server).ok()
    return started


@pytest.fixture(autouse=True)
def only_network_a_is_allowed(place, daemons):
    place.rules(default="Deny", subnets="a")


def name(place):
    return f"{place.registry.login_server}/{TAG}"


def sign_in(place, daemon):
    return daemon.login(place.registry.login_server, place.registry.user, place.registry.password).ok()


def pull(place, daemon):
    """Pull the image as if it had never been here."""
    r = daemon("pull", name(place))
    if r.code == 0:
        daemon.forget(name(place))
    return r


def assert_refused(result, address):
    assert result.code == 1, result.text
    assert f"denied: client with IP '{address}' is not allowed access." in result.text


def test_the_allowed_host_signs_in_pulls_and_runs_the_image(place, daemons):
    assert "Login Succeeded" in sign_in(place, daemons["a"]).text
    daemons["a"]("pull", name(place)).ok()
    assert "Hello from the lab" in daemons["a"]("run", "--rm", "--network", "host", name(place)).ok().out
    daemons["a"].forget(name(place))


def test_the_allowed_host_pushes(place, daemons):
    sign_in(place, daemons["a"])
    other = daemons["a"].make_image(f"{place.registry.login_server}/pushed:v2", salt="v2")
    daemons["a"]("push", other).ok()
    daemons["a"].forget(other)
    daemons["a"]("pull", other).ok()


@pytest.mark.parametrize("who", ["b", "public"])
def test_another_host_is_refused_at_login_before_any_password_is_asked(place, daemons, who):
    server = place.registry.login_server
    for password in (place.registry.password, "wrong"):
        r = daemons[who].login(server, place.registry.user, password)
        assert r.code == 1
        assert r.err.strip().splitlines()[-1] == (
            f"Error response from daemon: login attempt to https://{server}/v2/ failed with status: 403 Forbidden")


@pytest.mark.parametrize("who,address", [("b", "10.0.0.4"), ("public", "198.51.100.7")])
def test_another_host_is_refused_at_pull_and_push_and_reads_its_own_address(place, daemons, who, address):
    assert_refused(pull(place, daemons[who]), address)
    image = daemons[who].make_image(f"{place.registry.login_server}/refused:v1")
    assert_refused(daemons[who]("push", image), address)


def test_a_rule_for_the_other_subnet_serves_the_very_next_pull_there_until_it_is_removed(place, daemons):
    r = place.registry
    with_open_connection = r.connect(place.b)
    with_open_connection.token = r.connect(place.a, "repository:hello-world:pull").token
    assert with_open_connection.manifest("hello-world", "v1").status == 403

    r.allow_subnet(place.subnets["b"])
    assert with_open_connection.manifest("hello-world", "v1").status == 200
    sign_in(place, daemons["b"])
    pull(place, daemons["b"]).ok()
    assert with_open_connection.manifest("hello-world", "v1").status == 200

    r.forbid_subnet(place.subnets["b"])
    assert with_open_connection.manifest("hello-world", "v1").status == 403
    assert_refused(pull(place, daemons["b"]), "10.0.0.4")
    assert pull(place, daemons["a"]).code == 0


def test_an_ip_rule_lets_the_public_host_in_and_no_host_of_a_virtual_network(place, daemons):
    place.registry("network-rule", "add", "--ip-address", "198.51.100.0/24")
    sign_in(place, daemons["public"])
    pull(place, daemons["public"]).ok()
    place.registry("network-rule", "remove", "--ip-address", "198.51.100.0/24")
    assert_refused(pull(place, daemons["public"]), "198.51.100.7")

    place.registry("network-rule", "add", "--ip-address", "10.0.0.4")
    assert_refused(pull(place, daemons["b"]), "10.0.0.4")


def test_the_default_action_allow_lets_everybody_in(place, daemons):
    place.registry("update", "--default-action", "Allow")
    for d in daemons.values():
        sign_in(place, d)
        pull(place, d).ok()


def test_disabled_public_network_access_shuts_even_the_allowed_subnet_out(place, daemons):
    place.registry("update", "--public-network-enabled", "false")
    try:
        assert_refused(pull(place, daemons["a"]), "10.0.0.4")
    finally:
        place.registry("update", "--public-network-enabled", "true")


def test_every_refusal_is_counted_and_can_be_read(place, daemons):
    counter = 'kidoban_gate_denied_by_registry_total{registry="myreg",origin="subnet",reason="default-action"}'
    before = place.kidoban.metrics().get(counter, 0)
    pull(place, daemons["b"])
    assert place.kidoban.metrics()[counter] > before
    last = place.registry("denials")[-1]
    assert (last["ip"], last["origin"], last["reason"]) == ("10.0.0.4", "subnet", "default-action")


def test_the_gate_explains_what_it_would_decide(place):
    r = place.registry
    yes = r("check-network-access", "--subnet", place.subnets["a"])
    no = r("check-network-access", "--ip-address", "198.51.100.7")
    assert (yes["decision"], yes["reason"]) == ("Allow", "virtual-network-rule")
    assert (no["decision"], no["reason"]) == ("Deny", "default-action")
