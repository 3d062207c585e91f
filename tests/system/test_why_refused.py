"""The documented way from "it says 403" to the cause, gone for each cause: doc/network-rules.md."""

import contextlib
import http.server
import json
import os
import ssl
import threading

import pytest

from lab import Process, pki, until
from lab.server import BINARY, ENDPOINT


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
        return [x for x in place.kidoban.process.events() if x["event"] == "request" and x["path"] == path]

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


@contextlib.contextmanager
def followed(place, *options):
    """`acr denials --follow`, while it runs; yields what tells the whole lines so far."""
    k = place.kidoban
    out = place.lab.path("follow", f"{len(place.lab.processes)}.log")
    p = Process(["nsenter", f"--net=/run/netns/{k.space.ns}", BINARY, "acr", "denials", "-n", "myreg", "--follow",
                 "--data", k.data, *options], out, env=k.space.env)
    place.lab.processes.append(p)
    try:
        yield lambda: p.output().split("\n")[:-1]
        assert p.running()
    finally:
        p.kill()


def test_the_log_is_followed_as_it_grows_and_over_a_restart_of_the_server(place):
    def known(lines):
        seen = [json.loads(x) for x in lines if x.startswith("{")]
        return [(x["origin"], x["ip"], x["attachment"]) for x in seen[-2:]]

    def asked():
        for host in (place.b, place.public):
            with contextlib.closing(place.registry.connect(host)) as c:
                assert c.get("/v2/").status == 403

    both = [("subnet", "10.0.0.4", "at-b"), ("public", "198.51.100.7", None)]
    with followed(place) as lines, followed(place, "-o", "tsv") as values:
        for _ in range(2):
            before = len(lines())
            asked()
            until(lambda n=before: len(lines()) >= n + 2 and known(lines()) == both, "both refusals")
            until(lambda: values() and "\t198.51.100.7\tpublic\tNone\tNone\tdefault-action\tTrue" in values()[-1],
                  "both as values")
            place.kidoban.kill_server()


class Forgetful(http.server.BaseHTTPRequestHandler):
    """A control plane that believes each token for two requests."""

    given, asked = 0, 0

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Forgetful.given, Forgetful.asked = Forgetful.given + 1, 0
        self.answer(200, {"access_token": f"token-{Forgetful.given}", "token_type": "bearer"})

    def do_GET(self):
        Forgetful.asked += 1
        if Forgetful.asked > 2 or self.headers["Authorization"] != f"Bearer token-{Forgetful.given}":
            self.answer(401, {"error": {"code": "InvalidAuthenticationToken", "message": "The token has expired."}})
        else:
            self.answer(200, {"since": "now", "value": []})

    def log_message(self, *_):
        pass


def test_whoever_follows_for_longer_than_a_token_takes_another(lab):
    ca, pem = pki.make(os.path.dirname(lab.path("forgetful", "x")), ["localhost"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        credentials = lab.path("forgetful", "admin.json")
        with open(credentials, "w", encoding="utf-8") as f:
            json.dump({"controlUrl": f"https://localhost:{server.server_port}", "clientId": "c", "clientSecret": "s",
                       "subscriptionId": "0", "ca": ca}, f)
        p = Process([BINARY, "acr", "denials", "-n", "r", "-g", "g", "-s", "11111111-1111-1111-1111-111111111111",
                     "--follow", "--credentials", credentials], lab.path("forgetful", "follow.log"),
                    env=lab.internet.env)
        lab.processes.append(p)
        p.wait_for(lambda: Forgetful.given >= 3, "a third token")
        p.kill()
    finally:
        server.shutdown()
        server.server_close()


def test_what_a_proposal_would_change_is_in_the_table_too_and_nothing_is_no_proposal(place):
    ask = ("acr", "check-network-access", "-n", "myreg", "-g", "lab", "--ip-address", "198.51.100.7", "--proposed")
    rules = '{"networkRuleSet":{"ipRules":[{"value":"198.51.100.0/24"}]}}'
    rows = [x.split() for x in place.kidoban.command(*ask, rules, output="table").ok().out.splitlines()]
    assert rows[0] == ["Rules", "Origin", "Decision", "Reason", "Rule", "ReportOnly"]
    assert rows[2:] == [["in", "force", "public", "Deny", "default-action", "None", "False"],
                        ["proposed", "public", "Allow", "ip-rule", "198.51.100.0/24", "False"]]
    for nothing in ("{}", "[]", '{"defaultAction":"Allow"}'):
        r = place.kidoban.command(*ask, nothing)
        assert r.code == 1 and "proposed must be an object with networkRuleSet" in r.err, r.text


def test_an_attachment_that_does_not_listen_says_why(place):
    place.kidoban("network", "attachment", "create", "--name", "lost", "--kind", "netns", "--netns", "no-such-place",
                  "--vnet", place.vnets["a"]["id"])
    found = ("Waiting", "there is no network namespace no-such-place now")

    def shown():
        a = place.kidoban("network", "attachment", "show", "--name", "lost")
        return a["state"], a["stateReason"]

    until(lambda: shown() == found, "the helper has looked")
    line = ('kidoban_attachment_state{attachment="lost",kind="netns",state="Waiting",'
            'reason="there is no network namespace no-such-place now"}')
    until(lambda: unwell(place) == [line], "it is the only one that is not well")
    table = place.kidoban.command("network", "attachment", "list", output="table").ok().out
    assert "lost  netns  no-such-place" in table and "Waiting" in table, table


def unwell(place):
    return [k for k in place.kidoban.metrics() if k.startswith("kidoban_attachment_state") and "Listening" not in k]
