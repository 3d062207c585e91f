"""Downloads and uploads under way when their origin loses access. What leaves the server is counted on the wire, after
the control plane's reply has left."""

import array
import fcntl
import hashlib
import http.client
import os
import ssl
import termios
import threading
import time
import urllib.parse

import pytest

from conftest import Place
from lab import Kidoban, Lab, until
from lab.capture import FIN, RST, Capture
from lab.images import digest_of
from lab.server import ENDPOINT

SCOPE = "repository:app:pull,push"
BAR = 128 * 1024
MIB = 1 << 20
LARGE, SMALL, TAIL = 256 * MIB, 4 * MIB, 224 * 1024
LITTLE = 8192  # bytes of receive buffer, for those who shall stall soon
LOST = (OSError, http.client.HTTPException)


@pytest.fixture(scope="module", params=["tls", "plain"])
def wire(request):
    return request.param


@pytest.fixture(scope="module")
def lab(wire):
    with Lab() as made:
        made.wire = wire
        yield made


@pytest.fixture(scope="module")
def kidoban(lab, wire):
    k = Kidoban(lab, listen="0.0.0.0:443" + (",plain" if wire == "plain" else "")).start()
    k.group()
    yield k
    k.stop()


@pytest.fixture(scope="module")
def place(lab, kidoban):
    """The usual two networks and a public host, with blobs to read; the control plane's connection is open."""
    p = Place(lab, kidoban)
    p.control = kidoban.control()
    p.control_connection = p.control.connect()
    p.control.sign_in(p.control_connection)
    p.rules("Allow")
    c = p.registry.connect(p.public, SCOPE)
    c.sock.settimeout(300)  # a slow disk may need that for the large one
    p.blobs = {}
    for size in (LARGE, SMALL, TAIL):
        data = hashlib.shake_256(str(size).encode()).digest(MIB) * max(1, size // MIB)
        data = data[:size]
        p.blobs[size] = digest_of(data)
        assert c.push_blob("app", p.blobs[size], data).status == 201
    c.close()
    yield p
    p.control_connection.close()


# --- the ways to lose access -----------------------------------------------------------------------------------------

def ask(place, method, target, body=None):
    a = place.control.request(method, target, body, place.control_connection)
    assert a.status in (200, 201, 202, 204), a


def remove_rule(place):
    ask(place, "POST", f"{place.registry.id}/removeNetworkRule", {"id": place.subnets["a"]})


def remove_endpoint(place):
    ask(place, "PUT", place.subnets["a"], {"properties": {"addressPrefix": "10.0.0.0/24", "serviceEndpoints": []}})


def deny_by_default(place):
    ask(place, "PATCH", place.registry.id, {"properties": {"networkRuleSet": {"defaultAction": "Deny"}}})


def delete_attachment(place):
    ask(place, "DELETE", "/providers/Kidoban.Network/attachments/at-a")


WAYS = {f.__name__: f for f in (remove_rule, remove_endpoint, deny_by_default, delete_attachment)}


@pytest.fixture(params=WAYS)
def way(request, place):
    """A way to lose access, and who loses it; b has access all the time."""
    return give_access(place, WAYS[request.param])


def give_access(place, change):
    """To whoever will lose it by this change."""
    k = place.kidoban
    k("network", "vnet", "subnet", "create", "-g", "lab", "--vnet-name", "vnet-a", "-n", "default",
      "--address-prefixes", "10.0.0.0/24", "--service-endpoints", ENDPOINT)
    if "at-a" not in {a["name"] for a in k("network", "attachment", "list")}:
        k.attach("at-a", place.networks["a"], place.vnets["a"])
    place.rules("Allow" if change is deny_by_default else "Deny", subnets="ab")
    return change, place.public if change is deny_by_default else place.a


# --- readers ---------------------------------------------------------------------------------------------------------

def get(connection, digest, fields=""):
    """Ask for a blob; the head of the answer is read, nothing of its body."""
    connection.sock.sendall((f"GET /v2/app/blobs/{digest} HTTP/1.1\r\nHost: {connection.authority}\r\n"
                             f"Authorization: Bearer {connection.token}\r\n{fields}\r\n").encode())
    head = read_head(connection)
    assert head.startswith(b"HTTP/1.1 200 "), head


def read_head(connection):
    """The head of an answer and not a byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        one = connection.sock.recv(1)
        assert one, head
        head += one
    return head


class Reader(threading.Thread):
    """Reads a body to its end, or to the connection's. It keeps some of it back until it is told to finish, so that
    the download is under way until then however fast it goes."""

    def __init__(self, connection, size, keep_back):
        super().__init__(daemon=True)
        self.connection, self.size, self.keep_back = connection, size, keep_back
        self.got, self.end, self.hash, self.finish = 0, None, hashlib.sha256(), threading.Event()

    def run(self):
        buffer = memoryview(bytearray(MIB))
        while self.got < self.size:
            if self.size - self.got <= self.keep_back:
                self.finish.wait()
            try:
                n = self.connection.sock.recv_into(buffer)
            except (ConnectionResetError, ssl.SSLError):
                n = 0  # Python's TLS calls a reset an end: the wire knows better
            if n == 0:
                self.end = "torn"
                return
            self.got += n
            if self.size == SMALL:
                self.hash.update(buffer[:n])
        self.end = "complete"

    def ended(self):
        self.finish.set()
        self.join(60)
        assert not self.is_alive(), "the reader waits for more"
        return self.end


def waiting(connection):
    """Bytes in the kernel that the client has not read."""
    n = array.array("i", [0])
    fcntl.ioctl(connection.sock.fileno(), termios.FIONREAD, n)
    return n[0]


def until_stalled(connection):
    """Until the receive buffer is full: as much is in it as the last times."""
    seen = []

    def full():
        seen.append(waiting(connection))
        return seen[-1] > 0 and len(seen) > 5 and len(set(seen[-5:])) == 1

    until(full, "the reader's buffer is full")


def begin(place, who, how):
    """A download under way: as fast as can be, stalled in its middle, or stalled near its end."""
    size = TAIL if how == "tail" else LARGE
    c = place.registry.connect(who, SCOPE, **({} if how == "fast" else {"receive": LITTLE}))
    get(c, place.blobs[size])
    reader = Reader(c, size, size // 4 if how == "fast" else size)
    reader.start()
    if how == "fast":
        until(lambda: reader.got > 8 * MIB or reader.end, "the reader is at it")
    else:
        until_stalled(c)
    return reader


class Watch:
    """Everything sent to one host, and to the control plane's client, while a change is made."""

    def __init__(self, place, who):
        port = urllib.parse.urlsplit(place.kidoban.admin["controlUrl"]).port or 443
        self.place, self.own = place, place.control_connection.sock.getsockname()[1]
        self.data, self.control = Capture(who.network, "br0", 443), Capture(place.lab.internet, "lo", port)

    def change(self, change):
        self.asked = time.time_ns()
        change(self.place)

    def account(self, port):
        """The time of the change's reply, in ms from its request; the bytes that left for the client with this port
        before and after it; and the time of the reset that was the last to leave, None if it was something else."""
        replied = min(p.at for p in self.control.packets() if p.port == self.own and p.size > 0 and p.at > self.asked)
        mine = [p for p in self.data.packets() if p.port == port and p.at > self.asked]
        last = mine[-1] if mine and not any(p.flags & FIN for p in mine) else None
        return ((replied - self.asked) / 1e6, sum(p.size for p in mine if p.at <= replied),
                sum(p.size for p in mine if p.at > replied),
                (last.at - self.asked) / 1e6 if last and last.flags & RST else None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.data.close()
        self.control.close()


@pytest.mark.parametrize("how", ["fast", "stalled", "tail"])
def test_a_download_is_cut(place, wire, way, how, record_property):
    change, who = way
    other = place.registry.connect(place.b, SCOPE, receive=LITTLE)
    get(other, place.blobs[SMALL])
    untouched = Reader(other, SMALL, SMALL)
    untouched.start()
    reader = begin(place, who, how)
    with Watch(place, who) as watch:
        watch.change(change)
        end = reader.ended()
        replied, before, after, reset = watch.account(reader.connection.sock.getsockname()[1])
    print(f"{wire} {how} {change.__name__}: reset after {reset} ms, reply after {replied} ms; sent before it {before} "
          f"bytes, after it {after}")
    record_property("bytes_after_the_reply", after)
    assert end == "torn" and reader.got < reader.size
    assert reset is not None and after <= BAR
    assert untouched.ended() == "complete" and f"sha256:{untouched.hash.hexdigest()}" == place.blobs[SMALL]
    other.close()


# --- uploads -----------------------------------------------------------------------------------------------------------

PIECE = b"p" * 100_000


def send_head(connection, method, target, length):
    """The head of an upload's request, and until the server takes the body; None: its length is not told, it comes in
    chunks."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    connection.sock.sendall((f"{method} {target} HTTP/1.1\r\nHost: {connection.authority}\r\n"
                             f"Authorization: Bearer {connection.token}\r\n"
                             "Content-Type: application/octet-stream\r\nExpect: 100-continue\r\n"
                             f"{framing}\r\n\r\n").encode())
    assert read_head(connection) == b"HTTP/1.1 100 Continue\r\n\r\n"


def upload(connection, method, target, digest, framing):
    """An upload under way: what has been sent has reached the server, and more is to come."""
    if method == "PUT":
        target += ("&" if "?" in target else "?") + "digest=" + urllib.parse.quote(digest)
    send_head(connection, method, target, None if framing == "chunked" else 2 * len(PIECE))
    chunk = f"{len(PIECE):x}\r\n".encode() + PIECE + b"\r\n" if framing == "chunked" else PIECE
    connection.sock.sendall(chunk)
    until(lambda: unacknowledged(connection) == 0, "the server has got the piece")
    return chunk + (b"0\r\n\r\n" if framing == "chunked" else b"")


def unacknowledged(connection):
    n = array.array("i", [0])
    fcntl.ioctl(connection.sock.fileno(), termios.TIOCOUTQ, n)
    return n[0]


def answer_of(connection):
    """The answer that comes although the body never does, and whether the connection ends well after it."""
    response = http.client.HTTPResponse(connection.sock)
    response.begin()
    body = response.read()
    return response, body


@pytest.mark.parametrize("framing", ["whole", "chunked"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_upload_is_refused_in_its_middle(place, way, method, framing):
    change, who = way
    data = PIECE + PIECE
    c = place.registry.connect(who, SCOPE)
    target = c.start_upload("app")
    upload(c, method, target, digest_of(data), framing)
    change(place)
    response, body = answer_of(c)
    assert response.status == 403 and b'"DENIED"' in body, body
    assert_nothing_came(place, target, data)
    c.close()


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_client_that_goes_on_sending_still_gets_the_refusal(place, way, method):
    """It reads only when all is sent: the server must not throw its answer away by closing too hard. It waits for two
    seconds: a machine that took longer to come so far begins again."""
    change, who = way
    data = PIECE + PIECE

    def once():
        c = place.registry.connect(who, SCOPE)
        target = c.start_upload("app")
        rest = upload(c, method, target, digest_of(data), "whole")
        began = time.monotonic()
        change(place)
        try:
            c.sock.sendall(rest)
            response, body = answer_of(c)
            assert c.sock.recv(1) == b"", "the connection ends, and not in a reset"
        except LOST:
            assert time.monotonic() - began > 2, "the answer was lost"
            give_access(place, change)
            return False
        finally:
            c.close()
        assert response.status == 403 and b'"DENIED"' in body, body
        assert_nothing_came(place, target, data)
        return True

    until(once, "the client sends all within two seconds", 120)


def assert_nothing_came(place, target, data):
    """Seen by b, who has access all the time."""
    b = place.registry.connect(place.b, SCOPE)
    assert b.request("HEAD", f"/v2/app/blobs/{digest_of(data)}").status == 404
    a = b.get(target)
    assert a.status == 204 and a.headers["Range"] == "0-0", (a, a.headers)
    whole = b"nothing of it stayed"
    assert b.finish_upload(target, digest_of(whole), whole).status == 201
    b.close()


# --- what waits ------------------------------------------------------------------------------------------------------

def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_end_of_a_connection_whose_reader_has_stalled_costs_nothing(place):
    """All is written but not taken by the kernel: the server waits for that, and does nothing else."""
    place.rules("Allow")
    c = place.registry.connect(place.public, SCOPE, receive=LITTLE)
    get(c, place.blobs[TAIL], "Connection: close\r\n")
    until_stalled(c)
    pid, began = place.kidoban.server_pid(), time.monotonic()
    before = cpu_seconds(pid)
    until(lambda: time.monotonic() - began > 1.0, "a second of the server's time")
    assert cpu_seconds(pid) - before < 0.3
    reader = Reader(c, TAIL, 0)
    reader.run()
    assert reader.end == "complete"
    c.close()
