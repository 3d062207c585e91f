"""Two thousand idle connections and a hundred slow uploads while others pull."""

import os
import resource

import pytest

from lab.http import Idle
from lab.images import digest_of, small_image

IDLE, SLOW, PULLS = 2000, 100, 300
PIECES, PIECE = 16, 16384
BAR = 32 * 1024  # bytes of private memory for one idle TLS connection
SCOPE = "repository:app:pull,push"


@pytest.fixture(scope="module", autouse=True)
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = 3 * IDLE if hard == resource.RLIM_INFINITY else min(hard, 3 * IDLE)
    assert want >= IDLE + SLOW + 200, f"the limit of open files, {hard}, is too low for this test"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))


def private_memory(pid):
    """Bytes that belong to this process alone and to no file."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("Anonymous:"))


def test_nobody_is_refused_beside_idle_connections_and_slow_uploads(place, record_property):
    place.rules(default="Allow")
    registry = place.registry
    puller = registry.connect(place.a, SCOPE)
    image = small_image("pulled", 100_000)
    assert puller.push("app", "v1", image).status == 201
    pid = place.kidoban.server_pid()
    token = puller.token

    before = private_memory(pid)
    idle = Idle(lambda _: registry.connect(place.a), IDLE)
    assert idle.ask_all() == {401}
    assert puller.manifest("app", "v1").status == 200
    each = (private_memory(pid) - before) / IDLE
    record_property("bytes_per_idle_connection", each)
    print(f"{each:.0f} bytes of private memory for each idle TLS connection")

    slow = [registry.connect(place.b) for _ in range(SLOW)]
    data = [bytes([i]) * (PIECES * PIECE) for i in range(SLOW)]
    targets = []
    for c, d in zip(slow, data):
        c.token = token
        targets.append(c.start_upload("app"))
        begin_patch(c, targets[-1], len(d))
    for piece in range(PIECES):
        for c, d in zip(slow, data):
            c.sock.sendall(d[piece * PIECE:(piece + 1) * PIECE])
        for _ in range(PULLS // PIECES):
            pull(puller, image)
            idle.keep()
    for c, d in zip(slow, data):
        a = c.http.getresponse()
        a.read()
        assert a.status == 202
        assert c.finish_upload(c.local(a.headers["Location"]), digest_of(d)).status == 201

    assert idle.ask_all() == {401}, "an idle connection was lost"
    for c in (idle, *slow):
        c.close()
    if "SAN_OPTIONS" not in "".join(os.environ):
        assert each <= BAR


def begin_patch(c, target, length):
    c.http.putrequest("PATCH", target, skip_host=True)
    for field in (("Host", c.authority), ("Authorization", f"Bearer {c.token}"),
                  ("Content-Type", "application/octet-stream"), ("Content-Length", str(length)),
                  ("Content-Range", f"0-{length - 1}")):
        c.http.putheader(*field)
    c.http.endheaders()


def pull(c, image):
    a = c.manifest("app", "v1")
    assert a.status == 200 and a.body == image.manifest
    for digest, data in image.blobs.items():
        blob = c.get(f"/v2/app/blobs/{digest}")
        assert blob.status == 200 and blob.body == data
