"""What an operator does with a running server: end it, renew its certificates, watch it, lose its secret."""

import hashlib
import os
import signal
import socket
import ssl

import pytest

from lab import Kidoban, until
from lab.http import Connection
from lab.network import REGISTRY_ADDRESS, inside
from lab.process import run
from lab.server import BINARY

SCOPE = "repository:app:pull,push"
BIG = 24 * 1024 * 1024  # more than the sockets between two processes hold


@pytest.fixture(scope="module")
def operated(lab):
    k = Kidoban(lab, "operated", space=lab.internet).start()
    k.group()
    yield k
    k.stop()


@pytest.fixture(scope="module")
def registry(operated, lab):
    r = operated.registry("operated")
    r.known_by(lab.internet)
    return r


def push(connection, data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    a = connection.push_blob("app", digest, data)
    assert a.status == 201
    return digest


def certificate(space, name):
    """The serial number of the certificate that a new connection is shown."""
    context = ssl._create_unverified_context()
    with inside(space.ns):
        plain = socket.create_connection((REGISTRY_ADDRESS, 443), timeout=60)
    with context.wrap_socket(plain, server_hostname=name) as s:
        return s.getpeercert(binary_form=True)


def curl(space, *args):
    return run(["nsenter", f"--net=/run/netns/{space.ns}", "curl", "-sS", "--noproxy", "*", *args])


def test_metrics_and_health_answer_on_their_own_listener_only(operated, registry, lab):
    assert curl(lab.internet, "http://127.0.0.1:9464/healthz").out == "ok\n"
    assert "ready, generation" in curl(lab.internet, "http://127.0.0.1:9464/readyz").out
    shown = curl(lab.internet, "http://127.0.0.1:9464/metrics").out
    assert "# TYPE kidoban_requests_total counter" in shown
    connection = registry.connect(lab.internet, SCOPE)
    for path in ("/metrics", "/healthz", "/readyz"):
        assert connection.get(path).status == 404
    assert curl(lab.internet, "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:9464/v2/").out == "404"
    refused = curl(lab.internet, "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: rebound.example",
                   "http://127.0.0.1:9464/metrics")
    assert refused.out in ("403", "404", "421")


def test_the_access_log_has_the_origin_and_the_decision_of_each_request(operated, registry, lab):
    registry.connect(lab.internet).get("/v2/")

    def logged():
        return [x for x in operated.process.events() if x.get("event") == "request" and x.get("path") == "/v2/" and x.get("registry") == "operated"]

    entry = until(logged, "an entry of the access log")[-1]
    assert entry["status"] == 401 and entry["origin"] == "public" and entry["decision"] == "Allow"
    assert entry["reason"] == "default-action" and entry["ip"] and entry["generation"] > 0


def test_a_hangup_changes_the_certificate_of_new_connections_and_keeps_the_open_ones(operated, registry, lab):
    opened = registry.connect(lab.internet, SCOPE)
    before = certificate(lab.internet, registry.login_server)
    tls = os.path.join(operated.data, "tls")
    os.unlink(os.path.join(tls, "server.crt"))
    operated.process.send(signal.SIGHUP)
    until(lambda: certificate(lab.internet, registry.login_server) != before, "another certificate")
    assert opened.get("/v2/").status == 200
    assert registry.connect(lab.internet, SCOPE).get("/v2/").status == 200


def test_a_download_under_way_is_finished_before_the_server_ends(lab):
    k = Kidoban(lab, "ending", space=lab.network("e"))
    k.start()
    k.group()
    c = k.registry("ending")
    first = Connection(k.space, k.ca, c.login_server, 443, "127.0.0.1")
    first.sign_in(c.user, c.password, SCOPE)
    data = os.urandom(BIG)
    digest = push(first, data)
    first.http.request("GET", f"/v2/app/blobs/{digest}",
                       headers={"Host": first.authority, "Authorization": f"Bearer {first.token}"})
    response = first.http.getresponse()
    begun = response.read(1024)
    k.process.send(signal.SIGTERM)
    until(lambda: "server.draining" in k.process.output(), "the server begins to drain")
    assert begun + response.read() == data
    k.stop()


def test_the_control_plane_is_used_by_another_of_its_names(operated):
    assert [g["name"] for g in operated("group", "list", "--control", "https://localhost:8443")] == ["lab"]


def test_a_client_that_says_nothing_does_not_keep_the_server_from_ending(lab):
    k = Kidoban(lab, "silent", space=lab.network("s")).start()
    with inside(k.space.ns):
        silent = socket.create_connection(("127.0.0.1", 443))
    k.stop()
    silent.close()


def test_a_lost_secret_is_replaced_while_the_server_is_stopped(lab):
    k = Kidoban(lab, "forgetful", space=lab.network("f")).start()
    k.group()
    old = k.admin["clientSecret"]
    refused = run([BINARY, "admin", "reset", "--data", k.data])
    assert refused.code == 1 and "in use by another kidoban" in refused.text
    k.stop()
    k.maintain("admin", "reset").ok()
    assert k.admin["clientSecret"] != old
    k.start()
    assert [g["name"] for g in k("group", "list")] == ["lab"]
    k.stop()


def test_maintenance_by_root_leaves_files_that_the_servers_user_can_read(lab):
    k = Kidoban(lab, "rooted", space=lab.network("o")).start()
    k.stop()
    owner = os.stat(k.data).st_uid
    for command in (["admin", "reset"], ["ca", "renew", "--suffix", k.suffix]):
        run([BINARY, *command, "--data", k.data]).ok()
    for folder, _, files in os.walk(k.data):
        assert {os.stat(os.path.join(folder, f)).st_uid for f in files} <= {owner}
    k.start()
    k.group()
    k.stop()


def test_another_suffix_is_refused_until_the_certificates_are_renewed(lab):
    space = lab.network("r")
    k = Kidoban(lab, "renamed", space=space).start()
    k.stop()
    k.suffix = "other.test"
    with pytest.raises(AssertionError):
        k.start()
    assert "kidoban ca renew" in k.process.output()
    k.maintain("ca", "renew").ok()
    k.start()
    k.group()
    assert k.registry("renamed").login_server == "renamed.other.test"
    k.stop()
