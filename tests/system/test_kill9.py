"""kill -9 of the serving process, again and again, while images are being pushed.

The helper lives, keeps the listening sockets and starts another server: nobody is refused a connection, every push
that was acknowledged is complete, and none that was not is half visible."""

import errno
import hashlib
import http.client
import os
import socket
import threading

from lab import until
from lab.images import small_image
from lab.network import REGISTRY_ADDRESS, inside

KILLS = int(os.environ.get("KIDOBAN_KILLS", "50"))
PUSHERS = 4
LOST = (OSError, http.client.HTTPException)
SCOPE = "repository:app:pull,push"


class Pusher(threading.Thread):
    """Pushes one image after the other until told to stop; remembers what was acknowledged and what was not."""

    def __init__(self, place, number, stop):
        super().__init__(daemon=True)
        self.place, self.number, self.stop = place, number, stop
        self.acknowledged, self.unsure, self.blobs, self.wrong = {}, {}, {}, []

    def run(self):
        serial = 0
        while not self.stop.is_set():
            serial += 1
            tag = f"t{self.number}-{serial}"
            image = small_image(tag, size=64 * 1024)
            try:
                done = self.push(tag, image)
            except LOST:
                done = False
            (self.acknowledged if done else self.unsure)[tag] = image

    def push(self, tag, image):
        connection = self.place.registry.connect(self.place.a, SCOPE)
        try:
            for digest, data in image.blobs.items():
                a = connection.push_blob("app", digest, data)
                if a.status == 201:
                    self.blobs[digest] = data
                elif a.status != 503:
                    self.wrong.append(a)
                    return False
            a = connection.put_manifest("app", tag, image.manifest)
            if a.status not in (201, 503):
                self.wrong.append(a)
            return a.status == 201
        finally:
            connection.close()


class Knocker(threading.Thread):
    """Opens TCP connections all the time; a refused one means that nobody was listening."""

    def __init__(self, place, stop):
        super().__init__(daemon=True)
        self.place, self.stop, self.refused, self.accepted = place, stop, 0, 0

    def run(self):
        with inside(self.place.a.ns):
            while not self.stop.wait(0.005):
                with socket.socket() as s:
                    code = s.connect_ex((REGISTRY_ADDRESS, 443))
                self.refused += code == errno.ECONNREFUSED
                self.accepted += code == 0


def test_acknowledged_pushes_survive_every_kill_and_no_partial_one_is_visible(place):
    place.rules(subnets="a")
    stop = threading.Event()
    pushers = [Pusher(place, i, stop) for i in range(PUSHERS)]
    knocker = Knocker(place, stop)
    for thread in (*pushers, knocker):
        thread.start()

    def pushed():
        return sum(len(p.acknowledged) for p in pushers)

    try:
        for _ in range(KILLS):
            before = pushed()
            until(lambda: pushed() > before, "a push after the last start", 90)
            place.kidoban.kill_server()
        before = pushed()
        until(lambda: pushed() > before, "a push after the last kill", 90)
    finally:
        stop.set()
        for thread in (*pushers, knocker):
            thread.join(120)

    assert knocker.refused == 0 and knocker.accepted > 0
    assert [w for p in pushers for w in p.wrong] == []
    check(place, pushers)


def check(place, pushers):
    connection = place.registry.connect(place.a, SCOPE)
    complete = {t: i for p in pushers for t, i in p.acknowledged.items()}
    unsure = {t: i for p in pushers for t, i in p.unsure.items()}
    assert len(complete) >= KILLS
    for tag, image in complete.items():
        assert_complete(connection, tag, image)
    for tag, image in unsure.items():
        if connection.manifest("app", tag).status == 200:
            assert_complete(connection, tag, image)
        for digest, data in image.blobs.items():
            a = connection.get(f"/v2/app/blobs/{digest}")
            assert a.status == 404 or a.body == data
    for digest, data in ((d, b) for p in pushers for d, b in p.blobs.items()):
        assert connection.get(f"/v2/app/blobs/{digest}").body == data
    tags = connection.get("/v2/app/tags/list").json["tags"]
    assert set(complete) <= set(tags) <= set(complete) | set(unsure)


def assert_complete(connection, tag, image):
    a = connection.manifest("app", tag)
    assert a.status == 200 and a.body == image.manifest, tag
    assert a.headers["Docker-Content-Digest"] == image.digest
    for digest in image.blobs:
        blob = connection.get(f"/v2/app/blobs/{digest}")
        assert blob.status == 200, (tag, digest, blob)
        assert "sha256:" + hashlib.sha256(blob.body).hexdigest() == digest
