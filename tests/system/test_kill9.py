"""kill -9 of the serving process, again and again, while images are being pushed.

The helper lives, keeps the listening sockets and starts another server: nobody is refused a connection, every push
that was acknowledged is complete, and none that was not is half visible."""

import errno
import os
import socket
import threading
import time

import pytest

from lab import until
from lab.network import REGISTRY_ADDRESS, inside
from lab.pushing import SCOPE, Pusher, acknowledged, check

SHORT = int(os.environ.get("KIDOBAN_KILLS", "15"))
PUSHERS = 4


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


@pytest.mark.parametrize("kills", [SHORT, pytest.param(50, marks=pytest.mark.long)])
def test_acknowledged_pushes_survive_every_kill_and_no_partial_one_is_visible(place, kills):
    place.rules(subnets="a")
    stop = threading.Event()
    pushers = [Pusher(lambda: place.registry.connect(place.a, SCOPE), i, stop) for i in range(PUSHERS)]
    knocker = Knocker(place, stop)
    for thread in (*pushers, knocker):
        thread.start()

    try:
        for _ in range(kills):
            before = acknowledged(pushers)
            until(lambda: acknowledged(pushers) > before, "a push after the last start", 90)
            # One that had served for less than a second would be waited for longer and longer.
            served = time.monotonic()
            until(lambda: time.monotonic() - served > 1.1, "a server that is not new")
            place.kidoban.kill_server()
        before = acknowledged(pushers)
        until(lambda: acknowledged(pushers) > before, "a push after the last kill", 90)
    finally:
        stop.set()
        for thread in (*pushers, knocker):
            thread.join(120)

    assert knocker.refused == 0 and knocker.accepted > 0
    assert [w for p in pushers for w in p.wrong] == []
    assert acknowledged(pushers) >= kills
    check(place.registry.connect(place.a, SCOPE), pushers)
