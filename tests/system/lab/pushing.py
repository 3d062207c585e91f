"""Images pushed without pause, with a record of which were acknowledged, for tests that break the server meanwhile."""

import hashlib
import http.client
import threading

from .http import Refused
from .images import small_image

LOST = (OSError, http.client.HTTPException)
SCOPE = "repository:app:pull,push"


class Pusher(threading.Thread):
    """Pushes one image after the other until told to stop; remembers what was acknowledged and what was not."""

    def __init__(self, connect, number, stop):
        super().__init__(daemon=True)
        self.connect, self.number, self.stop = connect, number, stop
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
            except Refused as e:
                done = self.refused(e.answer)
            (self.acknowledged if done else self.unsure)[tag] = image

    def push(self, tag, image):
        connection = self.connect()
        try:
            for digest, data in image.blobs.items():
                a = connection.push_blob("app", digest, data)
                if a.status == 201:
                    self.blobs[digest] = data
                else:
                    return self.refused(a)
            a = connection.put_manifest("app", tag, image.manifest)
            return a.status == 201 or self.refused(a)
        finally:
            connection.close()

    def refused(self, answer):
        """Only 503 is an answer that a server may give because it is beginning or ending."""
        if answer.status != 503:
            self.wrong.append(answer)
        return False


def acknowledged(pushers):
    return sum(len(p.acknowledged) for p in pushers)


def check(connection, pushers):
    """Everything acknowledged is there and right; everything else is whole or not there."""
    complete = {t: i for p in pushers for t, i in p.acknowledged.items()}
    unsure = {t: i for p in pushers for t, i in p.unsure.items()}
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
    tags = connection.names("/v2/app/tags/list", "tags")
    assert set(complete) <= set(tags) <= set(complete) | set(unsure)


def assert_complete(connection, tag, image):
    a = connection.manifest("app", tag)
    assert a.status == 200 and a.body == image.manifest, tag
    assert a.headers["Docker-Content-Digest"] == image.digest
    for digest in image.blobs:
        blob = connection.get(f"/v2/app/blobs/{digest}")
        assert blob.status == 200, (tag, digest, blob)
        assert "sha256:" + hashlib.sha256(blob.body).hexdigest() == digest
