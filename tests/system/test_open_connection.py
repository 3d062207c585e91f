"""What is in force on a connection that was open before the change."""

import contextlib
import http.client
import ssl

import pytest

from lab import until
from lab.images import digest_of, small_image
from lab.server import ENDPOINT

SCOPE = "repository:app:pull,push"
CLOSED = (ConnectionError, http.client.HTTPException, ssl.SSLError)


@pytest.fixture
def opened(place):
    """An open connection from network a, allowed by a rule for its subnet, with an image to ask for."""
    ensure(place)
    place.rules(subnets="a")
    c = place.registry.connect(place.a, SCOPE)
    assert c.push("app", "v1", small_image("app")).status == 201
    assert c.manifest("app", "v1").status == 200
    yield c
    c.close()


def ensure(place):
    """What an earlier test took away is there again."""
    k = place.kidoban
    k("network", "vnet", "subnet", "create", "-g", "lab", "--vnet-name", "vnet-a", "-n", "default",
      "--address-prefixes", "10.0.0.0/24", "--service-endpoints", ENDPOINT)
    if "at-a" not in {a["name"] for a in k("network", "attachment", "list")}:
        k.attach("at-a", place.networks["a"], place.vnets["a"])


def subnet(place, verb, *options):
    return place.kidoban("network", "vnet", "subnet", verb, "-g", "lab", "--vnet-name", "vnet-a", "-n", "default",
                         *options)


def assert_next_is_refused(connection, reason="default-action"):
    a = connection.manifest("app", "v1")
    assert a.status == 403, a
    error = a.json["errors"][0]
    assert error["code"] == "DENIED"
    assert error["message"].startswith("client with IP '10.0.0.4' is not allowed access.")
    assert error["detail"]["reason"] == reason


def test_the_next_request_is_refused_when_the_rule_was_removed(place, opened):
    place.registry.forbid_subnet(place.subnets["a"])
    assert_next_is_refused(opened)


def test_the_next_request_is_refused_when_the_service_endpoint_was_taken_away(place, opened):
    subnet(place, "update", "--remove", "serviceEndpoints")
    assert_next_is_refused(opened)
    subnet(place, "update", "--service-endpoints", ENDPOINT)
    assert opened.manifest("app", "v1").status == 200


def test_the_next_request_is_refused_when_the_subnet_was_deleted_and_made_again(place, opened):
    subnet(place, "delete")
    assert_next_is_refused(opened)
    ensure(place)
    assert_next_is_refused(opened)
    place.registry.forbid_subnet(place.subnets["a"])
    place.registry.allow_subnet(place.subnets["a"])
    assert opened.manifest("app", "v1").status == 200


def test_the_next_request_is_refused_when_the_attachment_was_deleted(place, opened):
    place.kidoban("network", "attachment", "delete", "--name", "at-a")
    try:
        assert opened.manifest("app", "v1").status == 403
    except CLOSED:
        pass
    with pytest.raises((ConnectionError, TimeoutError, *CLOSED)):
        place.registry.connect(place.a).get("/v2/")


def test_connections_do_not_move_with_their_attachment(place, opened):
    """Asked as soon as the reply is there, on connections of every loop: whoever is let in would have been taken for a
    client of the attachment's new place."""
    control = place.kidoban.control()
    wire = control.connect()
    control.sign_in(wire)
    target = "/providers/Kidoban.Network/attachments/at-a"
    there = control.request("GET", target, None, wire).json["properties"]
    elsewhere = {**there, "netns": {"name": place.networks["a"].ns + "-elsewhere"}}
    for _ in range(5):
        connections = [place.registry.connect(place.a, SCOPE) for _ in range(8)]
        assert control.request("PUT", target, {"properties": elsewhere}, wire).status == 200
        for c in connections:
            with contextlib.suppress(*CLOSED):
                assert_next_is_refused(c)
            c.close()
        assert control.request("PUT", target, {"properties": there}, wire).status == 200
        until(lambda: control.request("GET", target, None, wire).json["properties"]["state"] == "Listening",
              "the attachment is back")
    wire.close()


def test_a_renewed_password_ends_the_tokens_it_gave(place, opened):
    name = place.kidoban("acr", "credential", "show", "-n", "myreg")["passwords"][0]["name"]
    renewed = place.kidoban("acr", "credential", "renew", "-n", "myreg", "--password-name", name)
    assert opened.manifest("app", "v1").status == 401
    place.registry.password = renewed["passwords"][0]["value"]
    opened.sign_in(place.registry.user, place.registry.password, SCOPE)
    assert opened.manifest("app", "v1").status == 200


def begin(connection, method, target, length, content_type):
    """Send a request's head and nothing of its body."""
    connection.http.putrequest(method, target, skip_host=True)
    for field in (("Host", connection.authority), ("Authorization", f"Bearer {connection.token}"),
                  ("Content-Type", content_type), ("Content-Length", str(length))):
        connection.http.putheader(*field)
    connection.http.endheaders()


def finish(connection, data):
    """Send the rest; the answer's status, or None where the server has closed the connection."""
    try:
        connection.sock.sendall(data)
        return connection.http.getresponse().status
    except CLOSED:
        return None


def change(place, what):
    if what == "rule":
        place.registry.forbid_subnet(place.subnets["a"])
    else:
        subnet(place, "delete")


@pytest.mark.parametrize("what", ["rule", "subnet"])
def test_a_blob_admitted_before_the_change_does_not_commit_after_its_reply(place, opened, what):
    data = f"a blob that is late because of the {what}".encode() * 100
    target = opened.start_upload("app")
    mark = "&" if "?" in target else "?"
    begin(opened, "PUT", f"{target}{mark}digest={digest_of(data)}", len(data), "application/octet-stream")
    opened.sock.sendall(data[:1000])
    change(place, what)
    assert finish(opened, data[1000:]) in (403, None)
    place.rules(default="Allow")
    late = place.registry.connect(place.public, SCOPE)
    assert late.request("HEAD", f"/v2/app/blobs/{digest_of(data)}").status == 404


@pytest.mark.parametrize("what", ["rule", "subnet"])
def test_a_manifest_admitted_before_the_change_does_not_commit_after_its_reply(place, opened, what):
    image = small_image("late " + what)
    for digest, data in image.blobs.items():
        assert opened.push_blob("app", digest, data).status == 201
    begin(opened, "PUT", f"/v2/app/manifests/late-{what}", len(image.manifest),
          "application/vnd.oci.image.manifest.v1+json")
    opened.sock.sendall(image.manifest[:100])
    change(place, what)
    assert finish(opened, image.manifest[100:]) in (403, None)
    place.rules(default="Allow")
    late = place.registry.connect(place.public, SCOPE)
    assert late.manifest("app", f"late-{what}").status == 404
