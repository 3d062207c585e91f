"""A hostile client of the control plane, and a careless user at the command line."""

import itertools
import json
import os
import re

import pytest

from lab import run
from lab.raw import Raw
from lab.server import BINARY

API = "api-version=2023-07-01"
PREMIUM = {"location": "local", "sku": {"name": "Premium"}, "properties": {"adminUserEnabled": True}}


@pytest.fixture(scope="module")
def places(kidoban, control, group):
    """A resource of each type, by its id."""
    vnet = kidoban.network("victim")
    rid = f"{group}/providers/Microsoft.ContainerRegistry/registries/victim"
    body = {**PREMIUM, "properties": {"adminUserEnabled": True, "networkRuleSet": {
        "defaultAction": "Deny", "ipRules": [{"value": "192.0.2.0/24"}],
        "virtualNetworkRules": [{"id": vnet["subnets"][0]["id"]}]}}}
    assert control.request("PUT", rid, body).status == 201
    attachment = "/providers/Kidoban.Network/attachments/victim"
    assert control.request("PUT", attachment, {"properties": {
        "kind": "netns", "netns": {"name": "nowhere"}, "virtualNetwork": {"id": vnet["id"]}}}).status == 201
    return {"group": group, "registry": rid, "vnet": vnet["id"], "subnet": vnet["subnets"][0]["id"], "attachment": attachment,
            **inside_networks(kidoban, control, group)}


def inside_networks(kidoban, control, group):
    """An interface, and what it uses."""
    subnet = kidoban.network("used")["subnets"][0]["id"]
    network = f"{group}/providers/Microsoft.Network"
    ids = {"nsg": f"{network}/networkSecurityGroups/victim", "asg": f"{network}/applicationSecurityGroups/victim",
           "public-ip": f"{network}/publicIPAddresses/victim", "nic": f"{network}/networkInterfaces/victim"}
    rule = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 100, "sourcePortRange": "*",
            "destinationPortRanges": ["80", "443-444"], "sourceApplicationSecurityGroups": [{"id": ids["asg"]}],
            "destinationAddressPrefix": "10.0.0.0/8"}
    configuration = {"subnet": {"id": subnet}, "publicIPAddress": {"id": ids["public-ip"]},
                     "applicationSecurityGroups": [{"id": ids["asg"]}]}
    bodies = {"asg": {}, "nsg": {"securityRules": [{"name": "r", "properties": rule}]},
              "public-ip": {"dnsSettings": {"domainNameLabel": "victim"}},
              "nic": {"networkSecurityGroup": {"id": ids["nsg"]}, "dnsSettings": {"dnsServers": ["10.0.0.1"]},
                      "ipConfigurations": [{"name": "c", "properties": configuration}]}}
    for kind, properties in bodies.items():
        assert control.request("PUT", ids[kind], {"location": "local", "properties": properties}).status == 201
    return ids


def without_etags(body):
    """What lasts of a body: every write moves etags, and who changed it last; an attachment's helper may not have looked
    yet."""
    if isinstance(body, dict):
        return {k: without_etags(v) for k, v in body.items() if k not in ("etag", "systemData", "stateReason")}
    return [without_etags(v) for v in body] if isinstance(body, list) else body


@pytest.fixture
def connection(control):
    c = control.connect()
    c.token = control.token
    yield c
    c.close()


def send(connection, method, target, body=None, **headers):
    """Bytes as they are, with the administrator's token."""
    fields = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return connection.request(method, target, body=body, headers=fields)


def error(answer, *statuses):
    """ARM's form: a code of one word and a sentence."""
    assert answer.status in statuses, answer
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8", answer
    e = answer.json["error"]
    assert set(e) <= {"code", "message", "details", "target"} and re.fullmatch("[A-Za-z]+", e["code"]), e
    assert len(e["message"].split()) > 1, e
    return e["code"]


def shown(control, places):
    found = {}
    for kind, rid in places.items():
        a = control.request("GET", rid)
        assert a.status == 200, a
        found[kind] = (a.headers.get("ETag"), a.json)
        found[kind][1].get("properties", {}).pop("stateReason", None)
    return found


# --- hosts and paths ----------------------------------------------------------------------------------------------

OURS = ["arm.azurecr.test", "ARM.azurecr.TEST.", "arm.azurecr.test:1", "localhost", "LocalHost.:8443", "127.0.0.1", "127.0.0.1:9"]
NOT_OURS = ["evil.example", "victim.azurecr.test", "arm.azurecr.test.evil.example", "xarm.azurecr.test", "azurecr.test",
            "arm.azurecr.tes", "arm", "localhost.evil.example", "localhostx", "127.0.0.2", "0.0.0.0", "127.1", "2130706433",
            "0x7f.0.0.1", "127.0.0.1.nip.io", "203.0.113.10", "[::1]", "[::]", "", "arm.azurecr.test-", "_"]


@pytest.mark.parametrize("host", OURS + NOT_OURS)
def test_only_the_control_planes_own_names_are_answered(kidoban, control, places, host):
    """A page of another site, whose name points here, gets nothing: neither secrets nor that they exist."""
    with Raw(kidoban.space, 8443, ca=kidoban.ca, name="localhost", address="127.0.0.1") as r:
        for target in ("/subscriptions", "/adfs/.well-known/openid-configuration", f"{places['registry']}?x", "/nothing"):
            a = r.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {control.token}\r\n\r\n".encode()).answer()
            if host in NOT_OURS:
                assert a.status == 404 and b"no server of that name" in a.body and b"victim" not in a.body
            else:
                assert a.status == (404 if target == "/nothing" else 200), a


def test_what_is_served_for_one_class_is_not_reachable_through_another(kidoban, connection):
    for target in ("/v2/", "/oauth2/token", "/metrics", "/healthz", "/readyz"):
        error(connection.get(target), 404)
    with Raw(kidoban.space, 9464, address="127.0.0.1") as r:
        for target in ("/subscriptions", "/adfs/oauth2/token", "/v2/", "/oauth2/token"):
            assert r.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).answer().status == 404
        assert r.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").answer().status == 200
        assert r.send(b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n").answer().status == 404
        a = r.send(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").answer()
        assert a.status == 405 and a.field("Allow") == "GET, HEAD"


def odd_paths(group):
    rid = f"{group}/providers/Microsoft.ContainerRegistry/registries"
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks"
    return [
        "/", "//", "/subscriptions/x/resourceGroups", "/subscriptions/00000000-0000-0000-0000-000000000000",
        f"{group}/../lab", f"{group}/%2e%2e", f"{group}%2flab", f"{group}%00", f"{group}%zz", f"{group}\\x", f"{group}#x",
        f"{group}?$skiptoken=%zz", f"{rid}?$skiptoken=!", f"{rid}?$filter=x", f"{rid}?a=b&$skiptoken=a&$skiptoken=b",
        f"{rid}/%ff%fe", f"{rid}/..%2f..%2fx", f"{rid}/a%2fb", f"{rid}/" + "a" * 5000, f"{rid}/a/b/c/d", f"{rid}/%41%0a",
        f"{rid}/victim/nothing", f"{rid}/victim/listCredentials/x", f"{vnet}/victim/subnets/%2f", f"{vnet}/victim/subnets/x/y",
        f"{group}/providers/Microsoft.Nothing/things/x", f"{group}/providers/", f"{group}/providers/a",
        "/providers/Kidoban.Network/attachments/%2e", "/providers/x", "/adfs", "/" + "a/" * 200,
        "/" + "a" * 9000,
    ]


@pytest.mark.parametrize("number", range(len(odd_paths(""))))
def test_odd_paths_are_errors_of_arm_and_change_nothing(control, places, connection, number):
    path, before = odd_paths(places["group"])[number], shown(control, places)
    for method, body in (("GET", None), ("PUT", b"{}"), ("PATCH", b"{}"), ("POST", b"{}"), ("DELETE", None), ("BREW", None)):
        a = connection.request(method, path, body=body)
        if a.status == 204 and method == "DELETE":
            continue  # deleting what is not there
        error(a, 400, 404, 405, 414)
    assert shown(control, places) == before


def test_nobody_without_a_token_learns_what_there_is(places, connection):
    answers = {connection.request(method, target, body=b"{}", token=None).body
               for method, target in itertools.product(("GET", "PUT", "PATCH", "DELETE"),
                                                       (places["registry"], places["registry"] + "x", places["vnet"]))}
    assert len(answers) == 1 and json.loads(answers.pop())["error"]["code"] == "AuthenticationFailed"


# --- bodies -------------------------------------------------------------------------------------------------------

NO_JSON = {
    "none": None, "empty": b"", "blanks": b"  \r\n ", "a list": b"[]", "a text": b'"x"', "a number": b"1", "null": b"null",
    "open": b"{", "twice": b"{}{}", "words": b"hello", "form": b"a=b&c=d", "xml": b"<a/>", "single quotes": b"{'a':1}",
    "a comma too many": b'{"a":1,}', "the same member twice": b'{"location":"a","location":"b"}', "comment": b"/*x*/{}",
    "not utf-8": b'{"location":"\xff"}', "a surrogate": b'{"location":"\\ud800"}', "NUL": b'{"location":"\\u0000"}',
    "UTF-16": '{"location":"local"}'.encode("utf-16"), "infinity": b'{"location":Infinity}', "huge number": b'{"a":1e999}',
    "deep": b'{"a":' * 3000 + b"1" + b"}" * 3000, "deep lists": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "many": b'{"a":[' + b"0," * 200_000 + b"0]}",
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_object_is_refused_and_changes_nothing(control, places, connection, body):
    before = shown(control, places)
    for rid in places.values():
        error(send(connection, "PUT", rid, body), 400)
        if not rid.endswith("/subnets/default"):
            error(send(connection, "PATCH", rid, body), 400)
    if body:
        for action in ("regenerateCredential", "checkNetworkAccess", "addNetworkRule", "removeNetworkRule"):
            error(send(connection, "POST", f"{places['registry']}/{action}", body), 400)
    assert shown(control, places) == before


WRONG = [None, True, 7, -1, 1.5, 2**63 - 1, "", "x", "x" * 70_000, "\u202e\u0007", [], [None], [[]], [7], ["x"], {}, {"id": 7}, {"x": {}}]


def places_of(value, path=()):
    """Every member and element of a body."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places_of(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield (*path, i)
            yield from places_of(inner, (*path, i))


def with_value(body, path, value):
    body = json.loads(json.dumps(body))
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return body


@pytest.mark.parametrize("kind", ["group", "registry", "vnet", "subnet", "attachment", "asg", "nsg", "public-ip", "nic"])
def test_a_wrong_value_anywhere_is_an_error_of_arm_or_means_nothing(control, places, connection, kind):
    """The whole body sent back with one thing wrong: refused and unchanged, or accepted; never an error of the server."""
    rid, whole = places[kind], control.request("GET", places[kind]).json
    accepted = set()
    for path in places_of(whole):
        for value in WRONG:
            a = send(connection, "PUT", rid, json.dumps(with_value(whole, path, value)).encode())
            if a.status in (200, 201):
                if value in ("x", 7):
                    accepted.add(path[-1])
                continue
            error(a, 400, 403, 404, 409)
    if kind == "nic":
        accepted.discard("kind")  # that one is only shown
    assert not accepted & {"trustedService", "interfaces", "kind", "policies", "encryption", "value", "addressPrefixes",
                           "defaultAction", "publicNetworkAccess", "networkRuleSet", "virtualNetworkRules", "ipRules"}
    assert control.request("PUT", rid, whole).status in (200, 201)  # it waits: nothing is in transition any more
    after = control.request("GET", rid).json
    assert without_etags(after) == without_etags(whole)


# --- conditions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field,value,status", [
    ("If-Match", "{etag}", 200), ("If-Match", "*", 200), ("If-Match", 'W/"x", {etag}', 200), ("If-Match", 'W/"x"', 412),
    ("If-Match", "", 412), ("If-Match", "{etag}x", 412), ("If-Match", "**", 412), ("If-Match", "\xff", 412),
    ("If-None-Match", "*", 412), ("If-None-Match", "{etag}", 412), ("If-None-Match", 'W/"x"', 200)])
def test_conditions_hold_or_nothing_is_changed(control, places, connection, field, value, status):
    rid = places["registry"]
    before = control.request("GET", rid)
    value = value.format(etag=before.headers["ETag"])
    for method, body in (("PATCH", {"tags": {}}), ("PUT", before.json)):
        a = connection.request(method, rid, body=json.dumps(body).encode(), headers={field: value.encode("latin-1")})
        assert a.status == (201 if status == 200 and method == "PUT" else status), a
        control.wait(a, connection, control.token)  # an operation's end moves the etag, too
        if status == 412:
            assert error(a, 412) == "PreconditionFailed"
            assert control.request("GET", rid).headers["ETag"] == before.headers["ETag"]
            error(connection.request("DELETE", rid, headers={field: value.encode("latin-1")}), 412)
        elif field == "If-Match":
            break  # its etag has moved on


def test_what_is_not_there_matches_nothing(control, places, connection):
    rid = places["registry"] + "new"
    body = json.dumps(PREMIUM).encode()
    for value in ("*", 'W/"x"'):
        error(connection.request("PUT", rid, body=body, headers={"If-Match": value}), 412)
    assert control.request("GET", rid).status == 404


# --- the command line ---------------------------------------------------------------------------------------------

# What is typed, the exit code, and what the message must name.
CARELESS = [
    ("acr", 2, "acr network-rule add"),
    ("network vnet", 2, "network vnet subnet create"),
    ("acr creat", 2, "kidoban acr create"),
    ("nonsense", 2, "kidoban --help"),
    ("acr show victim", 2, "victim"),
    ("acr show", 2, "--name"),
    ("acr show --name", 2, "--name"),
    ("acr show -n victim --colour red", 2, "--colour"),
    ("acr delete --name --yes", 2, "--name"),
    ("acr show -n nobody", 3, "nobody"),
    ("acr show -n victim -g nowhere", 3, "kidoban group list"),
    ("acr create -n fresh1 -g lab", 2, "--sku"),
    ("acr create -n fresh1 -g lab --sku Gold", 1, "Basic, Standard, Premium"),
    ("acr create -n x -g lab --sku Basic", 1, "between 5 and 50"),
    ("acr create -n under_score -g lab --sku Basic", 1, "alpha numeric"),
    ("acr create -n fresh1 -g lab --sku Basic --default-action Deny", 1, "Premium"),
    ("acr create -n fresh1 -g lab --sku Premium --default-action Maybe", 1, "Allow"),
    ("acr create -n fresh1 -g nowhere --sku Basic", 3, "kidoban group create"),
    ("acr update -n victim --admin-enabled perhaps", 1, "neither true nor false"),
    ("acr update -n victim --sku Basic", 1, "1 IP rule"),
    ("acr delete -n victim", 1, "--yes"),
    ("acr network-rule add -n victim", 1, "--ip-address"),
    ("acr network-rule add -n victim --ip-address 300.1.1.1", 1, "is not an IP address"),
    ("acr network-rule add -n victim --ip-address 10.0.0.1/8", 1, "host bits"),
    ("acr network-rule add -n victim --ip-address fe80::1%eth0", 1, "zone id"),
    ("acr network-rule add -n victim --subnet default", 1, "--vnet-name"),
    ("acr network-rule add -n victim --subnet none --vnet-name victim", 1, "none"),
    ("acr network-rule add -n victim --subnet /subscriptions/x", 1, "not the id of a subnet"),
    ("acr credential renew -n victim", 2, "--password-name"),
    ("acr credential renew -n victim --password-name third", 1, "password2"),
    ("acr check-network-access -n victim", 1, "--ip-address"),
    ("acr check-network-access -n victim --ip-address 1.1.1.1 --proposed {", 1, "--proposed"),
    ("network vnet create -n v -g lab --address-prefixes nonsense", 1, "nonsense"),
    ("network vnet subnet create -g lab --vnet-name victim -n s --address-prefixes 192.168.0.0/24", 1, "outside"),
    ("network vnet subnet create -g lab --vnet-name nowhere -n s --address-prefixes 10.0.1.0/24", 3, "nowhere"),
    ("network attachment create -n a", 2, "--kind"),
    ("network attachment create -n a --kind netns --vnet victim --netns x", 1, "-g"),
    ("network attachment show -n nowhere", 3, "nowhere"),
    ("group create -n bad/name", 1, "name"),
    ("group show -n nowhere", 3, "nowhere"),
    ("ad sp create", 2, "kidoban ad sp create-for-rbac"),
    ("acr network-rule ad -n victim", 2, "kidoban acr network-rule add"),
    ("nonsense of all kinds", 2, "kidoban --help"),
    ("group list --control https://127.0.0.1:1", 1, "Is the server running?"),
    ("group list --control https://127.0.0.1:9464", 1, "--control"),
    ("group list --control http://127.0.0.1:8443", 1, "https://"),
    ("group list --control https://no-such-host.invalid", 1, "--control"),
    ("group list --credentials /nonexistent", 1, "--data DIR"),
    ("group list --credentials /etc/passwd", 1, "/etc/passwd"),
]


@pytest.mark.parametrize("typed,code,named", CARELESS, ids=[typed for typed, _, _ in CARELESS])
def test_a_careless_command_changes_nothing_and_says_what_to_do(kidoban, control, places, typed, code, named):
    before = shown(control, places)
    r = kidoban.command(*typed.split())
    assert (r.code, r.out) == (code, ""), r.text
    assert r.err.startswith("ERROR: ") and named in r.err, r.err
    assert shown(control, places) == before


def test_an_unknown_format_is_refused_before_anything_is_done(kidoban, control, places):
    before = shown(control, places)
    r = kidoban.command("acr", "update", "-n", "victim", "--tags", "a=b", output="yaml")
    assert (r.code, r.out) == (2, "") and "json, table, tsv or none" in r.err, r.text
    assert shown(control, places) == before


@pytest.mark.parametrize("member,value,named", [
    ("clientSecret", "wrong", "kidoban admin reset"), ("clientId", "nobody", "admin.json"), ("clientSecret", None, "admin.json"),
    ("ca", "", "admin.json"), ("ca", "nonsense", "admin.json"), ("controlUrl", None, "admin.json"),
    ("subscriptionId", "nothing", "nothing"), ("controlUrl", "https://127.0.0.1:2", "Is the server running?")])
def test_credentials_that_do_not_fit_say_what_to_do(kidoban, lab, member, value, named):
    path = lab.path("credentials", "copy.json")
    changed = {k: v for k, v in {**kidoban.admin, member: value}.items() if v is not None}
    with open(path, "w", encoding="utf-8") as f:
        json.dump(changed, f)
    r = kidoban.command("group", "list", "--credentials", path)
    assert r.code in (1, 3) and named in r.err, r.text


def test_somebody_elses_data_folder_says_what_to_do(kidoban):
    os.chmod(kidoban.dir, 0o755)
    r = run(["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", BINARY, "group", "list", "--data", kidoban.data])
    assert r.code == 1 and "Permission denied" in r.err and "--credentials FILE" in r.err, r.text


# What a server is started with, the exit code, what the message must name. None of them makes anything.
CARELESS_SERVERS = [
    (["--colour", "red"], 2, "kidoban serve --help"),
    (["red"], 2, "red"),
    (["--listen", "443"], 2, "ADDR:PORT"),
    (["--listen", "0.0.0.0:99999"], 2, "not a port"),
    (["--listen", "0.0.0.0:21001,quick"], 2, "plain"),
    (["--log-level", "loud"], 2, "debug, info, warn or error"),
    (["--suffix", "-bad-"], 2, "DNS suffix"),
    (["--trusted-proxy", "10.0.0.1/8"], 2, "host bits"),
    (["--login-port", "https"], 2, "not a port"),
    (["--tls-cert", "/etc/passwd"], 2, "--tls-key"),
    (["--user", "no-such-user"], 1, "no-such-user"),
    (["--data", "/etc/passwd"], 1, "/etc/passwd"),
    (["--data", "/nonexistent/a/b"], 1, "/nonexistent/a/b"),
]


@pytest.mark.parametrize("options,code,named", CARELESS_SERVERS, ids=[" ".join(o) for o, _, _ in CARELESS_SERVERS])
def test_a_server_that_cannot_start_says_why(lab, options, code, named):
    data = os.path.join(lab.dir, "careless")
    r = run([BINARY, "serve", "--data", data, "--user", "nobody", *options])
    assert r.code == code and named in r.err and "ERROR: " in r.err, r.text
    assert not os.path.exists(data)
