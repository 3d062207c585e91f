"""Networks that go and come again: clients who ask all the while, and how long it takes until a server knows."""

import contextlib
import http.client
import socket
import threading
import time

from .http import Answer, Connection, tls_context
from .network import inside
from .wait import until

LOST = (OSError, http.client.HTTPException)
KNOWN, NOBODY = (403, "subnet"), (403, "unidentified")


class Client:
    """Someone who asks a registry from one place at one address. No rule lets its network in, and one lets in everybody
    who is public: whoever is taken for that gets past the gate."""

    def __init__(self, kidoban, registry, space, address, port=443, source=None):
        self.kidoban, self.name, self.space = kidoban, registry.login_server, space
        self.address, self.port, self.source = address, port, source

    def ask(self):
        """One request on a new connection: (status, what the server takes the client for). A knock that the network lost
        while something was away would be repeated by the kernel after a second, one whose answer was lost never: both
        are given up early."""
        with inside(self.space.ns):
            plain = socket.create_connection((self.address, self.port), timeout=0.2,
                                             source_address=(self.source, 0) if self.source else None)
        plain.settimeout(1.5)
        with plain, tls_context(self.kidoban.ca).wrap_socket(plain, server_hostname=self.name) as s:
            h = http.client.HTTPConnection(self.name)
            h.sock = s
            h.request("GET", "/v2/", headers={"Host": self.name})
            return taken_for(Answer(h.getresponse()))

    def is_known(self):
        """Whether it is known; meanwhile it may be nobody, and must not be anything else."""
        with contextlib.suppress(*LOST):
            got = self.ask()
            assert got in (KNOWN, NOBODY), got
            return got == KNOWN
        return False

    def until_known(self):
        """How long that took."""
        began = time.monotonic()
        until(self.is_known, "its clients are known", every=0.002)
        return time.monotonic() - began

    def connect(self):
        """A connection that stays, and is known."""
        c = Connection(self.space, self.kidoban.ca, self.name, self.port, self.address, source=self.source)
        assert taken_for(c.get("/v2/")) == KNOWN
        return c


def taken_for(answer):
    return answer.status, answer.json["errors"][0]["detail"]["origin"] if answer.status == 403 else None


def until_lost(connection):
    """The connection belonged to what is gone: soon no answer comes on it any more. How long that took."""
    def lost():
        try:
            connection.get("/v2/")
        except LOST:
            return True
        return False

    began = time.monotonic()
    connection.sock.settimeout(10)
    until(lost, "the old connection is lost", every=0.002)
    connection.close()
    return time.monotonic() - began


class Load:
    """A thread for each client, which asks again and again and remembers every answer, and which of the network's versions
    was there when it began to ask."""

    def __init__(self, *clients):
        self.seen, self.version, self.stop = set(), 0, threading.Event()
        self.answered = [-1] * len(clients)
        self.threads = [threading.Thread(target=self.work, args=(i, c), daemon=True) for i, c in enumerate(clients)]

    def work(self, i, client):
        while not self.stop.is_set():
            version = self.version
            with contextlib.suppress(*LOST):
                self.seen.add(client.ask())
                self.answered[i] = version

    def meets_the_next(self):
        """Until each of them has got an answer of what is there now."""
        self.version += 1
        until(lambda: set(self.answered) == {self.version}, "each client of the load gets an answer", 60)

    def assert_nobody_seemed_public(self):
        assert self.seen <= {KNOWN, NOBODY}, self.seen

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join()


def report(what, took, lost):
    """The figures. That all are below a second is asserted where they are many and little else runs."""
    took, lost, n = sorted(took), sorted(lost), len(took)
    print(f"{what} {n} times: known after {took[n // 2] * 1e3:.0f} ms, at most {took[-1] * 1e3:.0f} ms; connections of "
          f"the old one lost after {lost[n // 2] * 1e3:.0f} ms, at most {lost[-1] * 1e3:.0f} ms")
    if n >= 100:
        assert took[-1] < 1.0 and lost[-1] < 1.0
