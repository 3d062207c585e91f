"""Requests that wait for another to end that works on the same upload, and what may happen to them meanwhile."""

import concurrent.futures
import http.client
import select
import socket
import struct
import time

import pytest

from lab import until
from lab.http import UPLOAD_PATIENCE, Answer, in_turn
from lab.images import digest_of

KEEPER, OTHER = "198.51.100.9", "198.51.100.10"
SCOPE = "repository:app:pull,push"
DATA = bytes(range(250)) * 400


@pytest.fixture(scope="module")
def registry(kidoban):
    return kidoban.registry("waiting")


@pytest.fixture(scope="module")
def hosts(lab):
    return {address: lab.public_host(address) for address in (KEEPER, OTHER)}


@pytest.fixture
def connect(registry, hosts):
    """connect(address): a connection that may push, signed in by the first."""
    made = []

    def connect(address=OTHER):
        made.append(registry.connect(hosts[address], *([] if made else [SCOPE])))
        made[-1].token = made[0].token
        return made[-1]
    yield connect
    for c in made:
        c.close()


def send(c, method, target, body=b"", more=(), size=None):
    fields = [f"Host: {c.authority}", f"Authorization: Bearer {c.token}", *more]
    if body:
        fields.append(f"Content-Length: {size or len(body)}")
    c.sock.sendall("\r\n".join([f"{method} {target} HTTP/1.1", *fields, "\r\n"]).encode() + body)


def answer(c, method="PATCH"):
    response = http.client.HTTPResponse(c.sock, method=method)
    response.begin()
    return Answer(response)


def keep(c, target):
    """Has the upload, and sends the first part of DATA; the rest is for later."""
    c.sock.sendall((f"PATCH {target} HTTP/1.1\r\nHost: {c.authority}\r\nAuthorization: Bearer {c.token}\r\n"
                    f"Content-Length: {len(DATA)}\r\nExpect: 100-continue\r\n\r\n").encode())
    assert c.sock.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n"
    c.sock.sendall(DATA[:60_000])


def go_on(c):
    c.sock.sendall(DATA[60_000:])
    a = answer(c)
    assert (a.status, a.headers["Range"]) == (202, f"0-{len(DATA) - 1}"), a


def under_way(kidoban, n, begin):
    """begin() sends n requests: returns once the server has them. To ask how many there were is one as well."""
    counts = [kidoban.metrics()["kidoban_requests_total"]]
    begin()

    def are():
        counts.append(kidoban.metrics()["kidoban_requests_total"])
        return counts[-1] - counts[0] - (len(counts) - 1) >= n

    until(are, "the server has the requests")


def reset(c):
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def test_many_who_wait_and_go_leave_nothing_in_the_upload(kidoban, connect):
    keeper, again, many = connect(KEEPER), connect(), [connect() for _ in range(40)]
    target = keeper.start_upload("app")
    keep(keeper, target)

    def begin():
        for c in many:
            send(c, "PATCH", target, b"half of it", size=20)

    under_way(kidoban, len(many), begin)
    for i, c in enumerate(many):
        c.close() if i % 2 else reset(c)
    go_on(keeper)
    a = in_turn(lambda: again.request("PATCH", target, body=b"the end"))
    assert (a.status, a.headers["Range"]) == (202, f"0-{len(DATA) + 6}"), a
    a = in_turn(lambda: again.finish_upload(target, digest_of(DATA + b"the end")))
    assert a.status == 201, a


def test_what_was_sent_behind_a_request_that_waits_is_answered_after_it(kidoban, connect):
    def attempt():
        keeper, other = connect(KEEPER), connect()
        target = keeper.start_upload("app")
        keep(keeper, target)

        def begin():
            send(other, "PATCH", target, b"mine")
            send(other, "GET", target)
            send(other, "GET", "/v2/")

        under_way(kidoban, 1, begin)
        keeper.close()
        first, second, third = answer(other), answer(other, "GET"), answer(other, "GET")
        assert (second.status, third.status) == (204, 200), (second, third)
        if first.status == 202:
            assert first.headers["Range"] == second.headers["Range"] == "0-3", (first, second)
        return first

    assert in_turn(attempt).status == 202


def test_who_waits_goes_on_when_the_other_ends_and_not_when_patience_does(kidoban, connect):
    """Somebody else began to wait before, for what nobody gives free, and still does."""
    def attempt():
        keepers, others = [connect(KEEPER) for _ in range(2)], [connect() for _ in range(2)]
        targets = [k.start_upload("app") for k in keepers]
        for k, o, target in zip(keepers, others, targets):
            keep(k, target)
            assert o.get("/v2/").status == 200  # and has read what TLS says after its beginning
            under_way(kidoban, 1, lambda o=o, target=target: send(o, "PATCH", target, b"mine"))
        keepers[1].close()
        second = answer(others[1])
        first_waits = not select.select([others[0].sock], [], [], 0)[0]
        keepers[0].close()
        first = answer(others[0])
        return first_waits and {first.status, second.status} == {202}

    assert any(attempt() for _ in range(6))  # a machine that stood still for too long has another try


@pytest.mark.parametrize("step", ["append", "finish", "cancel"])
def test_who_waits_is_judged_when_its_turn_comes(kidoban, registry, connect, step):
    control = kidoban.control()

    def allow(*addresses):
        rules = {"defaultAction": "Deny", "ipRules": [{"value": a, "action": "Allow"} for a in addresses]}
        a = control.request("PATCH", registry.id, {"properties": {"networkRuleSet": rules}})
        assert a.status == 200, a

    def attempt():
        allow(KEEPER, OTHER)
        keeper, other = connect(KEEPER), connect()
        target = keeper.start_upload("app")
        keep(keeper, target)
        begin = {"append": lambda: send(other, "PATCH", target, b"mine"),
                 "finish": lambda: send(other, "PUT", f"{target}?digest={digest_of(DATA)}", more=["Content-Length: 0"]),
                 "cancel": lambda: send(other, "DELETE", target)}[step]
        under_way(kidoban, 1, begin)
        allow(KEEPER)
        go_on(keeper)
        a = answer(other)
        if step != "finish":  # who would finish it has taken it
            b = in_turn(lambda: keeper.finish_upload(target, digest_of(DATA)))
            assert b.status == 201, b
        return a

    a = in_turn(attempt)
    assert (a.status, a.json["errors"][0]["code"]) == (403, "DENIED"), a
    a = control.request("PATCH", registry.id, {"properties": {"networkRuleSet": {"defaultAction": "Allow"}}})
    assert a.status == 200, a


def test_a_server_that_ends_lets_those_who_wait_have_their_turn(kidoban, connect):
    keeper, others = connect(KEEPER), [connect() for _ in range(3)]
    target = keeper.start_upload("app")
    keep(keeper, target)
    began = time.monotonic()
    under_way(kidoban, len(others), lambda: [send(c, "PATCH", target, b"mine") for c in others])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(kidoban.stop)
        kidoban.process.wait_for(lambda: "server.draining" in kidoban.process.output(), "the server ends")
        keeper.close()
        answers = [answer(c) for c in others]
        stopped.result()
    in_time = time.monotonic() - began < UPLOAD_PATIENCE
    assert {a.status for a in answers} <= ({202} if in_time else {202, 409}), answers
    if in_time:
        assert {a.headers["Range"] for a in answers} == {"0-3", "0-7", "0-11"}
    kidoban.start()
