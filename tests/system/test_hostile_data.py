"""A hostile client of the data plane: what section by section of the wire a registry must not give away or lose."""

import concurrent.futures
import contextlib
import json
import os
import select
import socket
import subprocess
import time

import pytest

from lab import until
from lab.images import MANIFEST, digest_of
from lab.raw import Raw

PLAIN = 21080
SERVE_OPTIONS = ["--listen", f"0.0.0.0:{PLAIN},plain"]  # garbage needs no TLS to be garbage


@pytest.fixture(scope="module")
def fenced(kidoban):
    """A registry that lets nobody in."""
    return kidoban.registry("fenced", "lab", "--default-action", "Deny")


@pytest.fixture(scope="module")
def opened(kidoban):
    """A registry that lets everybody in."""
    return kidoban.registry("openreg")


@pytest.fixture(scope="module")
def client(lab):
    return lab.public_host("198.51.100.66")


@pytest.fixture
def raw(client):
    with Raw(client, PLAIN) as r:
        yield r


def head(method="GET", target="/v2/", host="fenced.azurecr.test", version="HTTP/1.1", *fields):
    lines = [f"{method} {target} {version}", *([f"Host: {host}"] if host is not None else []), *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# --- the gate -------------------------------------------------------------------------------------------------------


def assert_denied(answer, head_only=False):
    assert answer is not None and answer.status == 403, answer
    assert answer.field("Content-Type") == "application/json"
    assert set(answer.fields) <= {"date", "content-type", "content-length", "connection", "server"}, answer
    if head_only:
        assert answer.body == b"" and int(answer.field("Content-Length")) > 100
        return
    error, = json.loads(answer.body)["errors"]
    assert error["code"] == "DENIED"
    assert error["message"].startswith("client with IP '198.51.100.66' is not allowed access.")
    assert error["detail"] == {"origin": "public", "ip": "198.51.100.66", "reason": "default-action"}


def test_pipelined_requests_are_all_denied(fenced, raw):
    raw.send(head(target="/v2/x") * 500 + head("HEAD", "/", "fenced.azurecr.test", "HTTP/1.1", "Connection: close"))
    for _ in range(500):
        assert_denied(raw.answer())
    assert_denied(raw.answer(head_only=True), head_only=True)
    assert raw.closed()


# --- framing in doubt ---------------------------------------------------------------------------------------------

OPEN = "openreg.azurecr.test"
SMUGGLED = head(target="/smuggled", host=OPEN)


def post(*fields):
    return head("POST", "/oauth2/token", OPEN, "HTTP/1.1", *fields)


UNCERTAIN = {
    "length and chunks": post("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks and length": post("Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n",
    "two lengths": post("Content-Length: 0", "Content-Length: 5"),
    "two equal lengths": post("Content-Length: 5", "Content-Length: 5") + b"hello",
    "a list of lengths": post("Content-Length: 5, 5") + b"hello",
    "a signed length": post("Content-Length: +5") + b"hello",
    "a negative length": post("Content-Length: -1"),
    "a hexadecimal length": post("Content-Length: 0x5") + b"hello",
    "a blank in the length": post("Content-Length: 1 0"),
    "an empty length": post("Content-Length:"),
    "a length past 63 bits": post("Content-Length: 9223372036854775808"),
    "a length past 64 bits": post("Content-Length: 18446744073709551621") + b"hello",
    "two codings": post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "gzip, chunked": post("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "identity": post("Transfer-Encoding: identity"),
    "xchunked": post("Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "chunked in quotes": post('Transfer-Encoding: "chunked"') + b"0\r\n\r\n",
    "chunked with a parameter": post("Transfer-Encoding: chunked;x=y") + b"0\r\n\r\n",
    "a coding in 1.0": head("POST", "/oauth2/token", OPEN, "HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a vertical tab in the coding": post("Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "a blank before the colon": post("Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "a blank before the length's colon": post("Content-Length : 5") + b"hello",
    "a folded field": post("X: a", " Transfer-Encoding: chunked"),
    "a folded coding": post("Transfer-Encoding:", "\tchunked") + b"0\r\n\r\n",
    "a fold after the request line": head("GET", "/v2/", None, "HTTP/1.1", " Host: openreg.azurecr.test"),
    "bare LF": b"GET /v2/ HTTP/1.1\nHost: openreg.azurecr.test\n\n",
    "a bare LF in fields": b"GET /v2/ HTTP/1.1\r\nHost: openreg.azurecr.test\nX: y\r\n\r\n",
    "a bare CR": b"GET /v2/ HTTP/1.1\r\nHost: openreg.azurecr.test\rX: y\r\n\r\n",
    "NUL in a field": head("GET", "/v2/", OPEN, "HTTP/1.1", "X: a\x00b"),
    "two hosts": head("GET", "/v2/", OPEN, "HTTP/1.1", "Host: fenced.azurecr.test"),
    "two equal hosts": head("GET", "/v2/", OPEN, "HTTP/1.1", f"Host: {OPEN}"),
    "a list of hosts": head(host=f"{OPEN}, fenced.azurecr.test"),
    "no host": head(host=None),
    "a path in the host": head(host=f"{OPEN}/v2/"),
    "a user in the host": head(host=f"fenced.azurecr.test@{OPEN}"),
    "a blank in the host": head(host=f"{OPEN} x"),
    "a percent in the host": head(host="open%2eazurecr.test"),
    "two dots at the host's end": head(host=f"{OPEN}.."),
    "a port that is none": head(host=f"{OPEN}:https"),
    "a port too high": head(host=f"{OPEN}:65536"),
    "two ports": head(host=f"{OPEN}:443:443"),
    "a user in the authority": head(target="http://x@fenced.azurecr.test/v2/", host=OPEN),
    "an empty authority": head(target="http:///v2/", host=OPEN),
    "an open bracket": head(host="[::1"),
    "not utf-8 in the host": head(host="\xffopenreg.azurecr.test"),
    "a field without a colon": head("GET", "/v2/", OPEN, "HTTP/1.1", "nonsense"),
    "a field without a name": head("GET", "/v2/", OPEN, "HTTP/1.1", ": x"),
    "0.9": b"GET /v2/\r\n\r\n",
    "no version's number": head(version="HTTP/1", host=OPEN),
    "lower case version": head(version="http/1.1", host=OPEN),
    "a long version": head(version="HTTP/1.10", host=OPEN),
    "a tab in the request line": b"GET\t/v2/\tHTTP/1.1\r\nHost: openreg.azurecr.test\r\n\r\n",
    "two empty lines before": b"\r\n\r\n" + head(host=OPEN),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS on a plain port": bytes.fromhex("16030100 75010000 71030300".replace(" ", "")) + b"\x00" * 60 + b"\r\n",
    "an SSH greeting": b"SSH-2.0-OpenSSH_9.2\r\n",
    "PROXY protocol v1": b"PROXY TCP4 10.0.0.4 203.0.113.10 1 443\r\n" + head(host=OPEN),
    "PROXY protocol v2": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + b"\x0a\x00\x00\x04" * 3 + head(host=OPEN),
}


@pytest.mark.parametrize("request_bytes", UNCERTAIN.values(), ids=UNCERTAIN)
def test_a_head_in_doubt_is_refused_and_nothing_after_it_is_read(opened, raw, request_bytes):
    a = raw.send(request_bytes + SMUGGLED * 2).half_close().answer()
    assert a.status == 400 and a.field("Connection") == "close", a
    assert raw.closed(), raw.rest


TOO_LARGE = {
    "a field of 40 KiB": head("GET", "/v2/", OPEN, "HTTP/1.1", "X: " + "y" * 40960),
    "a target of 40 KiB": head(target="/" + "y" * 40960, host=OPEN),
    "a request line without an end": b"G" * 100_000,
    "101 fields": head("GET", "/v2/", OPEN, "HTTP/1.1", *["X: y"] * 100),
    "many small fields": head("GET", "/v2/", OPEN, "HTTP/1.1", *["X: y"] * 20_000),
}


@pytest.mark.parametrize("request_bytes", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_head_past_its_limits_is_refused(opened, raw, request_bytes):
    a = raw.send(request_bytes + SMUGGLED).half_close().answer()
    assert a.status == 431 and a.field("Connection") == "close", a
    assert raw.closed()


CHUNKED = "Transfer-Encoding: chunked"
FORM = b"grant_type=password&username=x&password=y"
BAD_CHUNKS = {
    "no size": b"\r\n",
    "not hexadecimal": b"g\r\n",
    "a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a blank before": b" 5\r\nhello\r\n0\r\n\r\n",
    "a blank after": b"5 \r\nhello\r\n0\r\n\r\n",
    "bare LF": b"5\nhello\n0\n\n",
    "LF after the size": b"5\nhello\r\n0\r\n\r\n",
    "LF after the data": b"5\r\nhello\n0\r\n\r\n",
    "longer than its size": b"5\r\nhello!\r\n0\r\n\r\n",
    "past 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "zeros without an end": b"0" * 1000 + b"5\r\nhello\r\n",
    "an extension with LF": b"5;x=\ny\r\nhello\r\n0\r\n\r\n",
    "an endless extension": b"5;" + b"x" * 100_000,
    "a trailer without a name": b"0\r\n: x\r\n\r\n",
    "a folded trailer": b"0\r\nX: y\r\n z\r\n\r\n",
    "endless trailers": b"0\r\n" + b"X: y\r\n" * 20_000,
}


@pytest.mark.parametrize("body", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_chunks_in_doubt_are_refused_and_nothing_after_them_is_read(opened, raw, body):
    a = raw.send(post(CHUNKED) + body + SMUGGLED * 2).half_close().answer()
    assert a.status == 400 and a.field("Connection") == "close", a
    assert raw.closed(), raw.rest


GOOD_CHUNKS = {
    "one": b"%x\r\n%s\r\n0\r\n\r\n" % (len(FORM), FORM),
    "byte by byte": b"".join(b"1\r\n%c\r\n" % c for c in FORM) + b"0\r\n\r\n",
    "extensions": b"%X;name=value;flag\r\n%s\r\n0;last\r\n\r\n" % (len(FORM), FORM),
    "trailers": b"%x\r\n%s\r\n0\r\nContent-Length: 7\r\nHost: fenced.azurecr.test\r\n\r\n" % (len(FORM), FORM),
    "leading zeros": b"000000%x\r\n%s\r\n000\r\n\r\n" % (len(FORM), FORM),
}


@pytest.mark.parametrize("body", GOOD_CHUNKS.values(), ids=GOOD_CHUNKS)
def test_what_follows_a_chunked_body_is_the_next_request(opened, raw, body):
    raw.send(post(CHUNKED, "Content-Type: application/x-www-form-urlencoded") + body + SMUGGLED)
    assert raw.answer().status == 401
    assert raw.answer().status == 404


# --- resources ----------------------------------------------------------------------------------------------------

MIB = 1 << 20


class Server:
    """What the serving process holds, as the kernel counts it."""

    def __init__(self, kidoban):
        self.pid, self.staging = kidoban.server_pid(), os.path.join(kidoban.data, "staging")

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def reading(self, digest):
        """How often this blob is open."""
        found = 0
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found += os.readlink(f"/proc/{self.pid}/fd/{fd}").endswith("/" + digest.split(":")[1])
        return found

    def staged(self):
        return set(os.listdir(self.staging))

    def memory(self):
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("Anonymous:"))


def modest(grown, most):
    """A sanitizer keeps what was freed."""
    return grown < most or "SAN_OPTIONS" in "".join(os.environ)


@pytest.fixture(scope="module")
def server(kidoban):
    return Server(kidoban)


@pytest.fixture
def user(opened, client):
    c = opened.connect(client, "repository:app:pull,push,delete")
    yield c
    c.close()


@pytest.fixture
def many(client):
    """A maker of connections that are all closed in the end."""
    with contextlib.ExitStack() as stack:
        yield lambda n, **kw: [stack.enter_context(Raw(client, **{"port": PLAIN, **kw})) for _ in range(n)]


def bearer(connection):
    return f"Authorization: Bearer {connection.token}"


def test_bodies_that_are_announced_and_not_sent_keep_nobody_out(user, many):
    """Sixty clients announce the largest manifest that there can be, and sixty more the largest form."""
    for r in many(60):
        r.send(head("PUT", "/v2/app/manifests/x", OPEN, "HTTP/1.1", "Content-Length: 4194304", bearer(user)))
    for r in many(60):
        r.send(head("POST", "/oauth2/token", OPEN, "HTTP/1.1", "Content-Length: 65536"))
    a, b = many(2)
    assert a.send(post("Content-Length: 19") + b"grant_type=password").answer().status == 401
    assert b.send(head("PUT", "/v2/app/manifests/x", OPEN, "HTTP/1.1", "Content-Length: 2", bearer(user),
                       f"Content-Type: {MANIFEST}") + b"{}").answer().status == 400


def test_who_has_shown_nothing_yet_sends_a_form_and_no_more(opened, raw):
    a = raw.send(post("Content-Length: 65537")).answer()
    assert a.status == 413 and json.loads(a.body)["errors"][0]["code"] == "SIZE_INVALID"


def test_large_manifests_at_once_stay_within_the_budget(server, user, many):
    """Four MiB of JSON that a parser would make a thousand MiB of."""
    start = b'{"schemaVersion":2,"x":['
    body = start + b'{"a":{}},' * ((4 * MIB - len(start) - 10) // 9) + b"0]}"
    request = head("PUT", "/v2/app/manifests/x", OPEN, "HTTP/1.1", f"Content-Length: {len(body)}", bearer(user),
                   f"Content-Type: {MANIFEST}") + body
    before, peak = server.memory(), []

    def push(r):
        r.send(request)
        peak.append(server.memory())
        return r.answer().status

    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        statuses = set(pool.map(push, many(100, timeout=60)))
    assert statuses <= {400, 503} and 400 in statuses
    assert modest(max(peak) - before, 128 * MIB)


def test_uploads_that_break_off_leave_nothing(server, user, many):
    """A whole blob by one POST has no id that anybody could go on with."""
    files, staged = server.files(), server.staged()
    target = f"/v2/app/blobs/uploads/?digest={digest_of(b'x' * 300_000)}"
    for i, r in enumerate(many(100)):
        framing, data = (("Content-Length: 300000", b"x" * 150_000), ("Transfer-Encoding: chunked",
                         b"10000\r\n" + b"x" * 50_000))[i % 2]
        r.send(head("POST", target, OPEN, "HTTP/1.1", framing, "Expect: 100-continue", bearer(user)))
        assert r.answer().status == 100  # from here on there is an upload
        r.send(data).close()
    until(lambda: server.staged() <= staged, "no staging file is left")
    until(lambda: server.files() <= files, "no descriptor is left")


def test_wrong_bytes_by_one_post_leave_nothing(server, user):
    staged = server.staged()
    a = user.request("POST", f"/v2/app/blobs/uploads/?digest={digest_of(b'right')}", body=b"wrong")
    assert a.status == 400
    assert server.staged() <= staged


def test_readers_that_never_read_cost_their_own_buffer(kidoban, server, user, many):
    data = os.urandom(8 * MIB)
    assert user.push_blob("app", digest_of(data), data).status == 201
    before = server.memory()
    for r in many(50, port=443, ca=kidoban.ca, name=OPEN):
        r.send(head("GET", f"/v2/app/blobs/{digest_of(data)}", OPEN, "HTTP/1.1", bearer(user)))
    until(lambda: server.reading(digest_of(data)) == 50, "all have the blob open")
    assert user.get("/v2/").status == 200
    assert modest(server.memory() - before, 50 * MIB)


def test_requests_whose_answers_nobody_reads_are_not_read(server, user, many):
    before, flood = server.memory(), head(host=OPEN) * 2000
    for r in many(20):
        r.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            for _ in range(1000):
                r.sock.sendall(flood)
    assert user.get("/v2/").status == 200
    assert modest(server.memory() - before, 20 * MIB)


def test_heads_that_come_byte_by_byte_are_given_up_together(server, user, many):
    """Ten seconds for a head, however busily it drips."""
    files = server.files()
    slow = many(200)
    start = time.monotonic()
    for r in slow:
        r.send(b"GET /v2/ HTTP/1.1\r\nHost: ")

    def all_have_an_answer():
        for r in slow:
            r.send(b"a")
        assert user.get("/v2/").status == 200
        return len(select.select(slow, [], [], 0)[0]) == len(slow)

    until(all_have_an_answer, "they are given up though more comes all the time", 60, every=1)
    for r in slow:
        a = r.answer()
        assert a.status == 408 and a.field("Connection") == "close"
        r.close()
    assert time.monotonic() - start > 9
    until(lambda: server.files() <= files, "their connections are closed")


def test_bytes_that_are_no_tls_get_an_alert_or_the_end(server, client, user):
    files = server.files()
    for data in (head(host=OPEN), b"\x16\x03\x01\xff\xff" + b"x" * 1000, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
                 b"\x80\x2e\x01\x00\x02" + b"\x00" * 50, b"\x00" * 1000, b"\x16"):
        with Raw(client) as r:
            r.send(data).half_close()
            assert r.closed() or r.rest[0] == 0x15, r.rest
    until(lambda: server.files() <= files, "their connections are closed")
    assert user.get("/v2/").status == 200


@pytest.mark.parametrize("version,spoken", [("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_only_tls_of_today_and_no_renegotiation(opened, client, version, spoken):
    argv = ["openssl", "s_client", version, "-connect", "203.0.113.10:443", "-servername", OPEN]
    log = client.lab.path(client.name, f"s_client{version}")
    last = {"-tls1_2": "no renegotiation", "-tls1_3": "BEGIN CERTIFICATE"}.get(version)

    def said(word):
        with open(log, encoding="utf-8", errors="replace") as f:
            return word in f.read()

    with open(log, "wb") as out, subprocess.Popen(client.argv(argv), bufsize=0, stdin=subprocess.PIPE, stdout=out,
                                                  stderr=out) as p:
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            p.stdin.write(b"R\n")
        until(lambda: p.poll() is not None or (last and said(last)), "all has been said")
    assert said("BEGIN CERTIFICATE") == spoken and (not last or said(last))


def test_a_client_that_has_said_all_still_gets_its_answer(kidoban, opened, client):
    with Raw(client, 443, ca=kidoban.ca, name=OPEN) as r:
        r.send(head(host=OPEN))
        socket.socket.shutdown(r.sock, socket.SHUT_WR)
        assert r.answer().status == 401
    with Raw(client, PLAIN) as r:
        assert r.send(head(host=OPEN)).half_close().answer().status == 401
    with Raw(client, PLAIN) as r: # and one that stops in the middle gets none
        assert r.send(post("Content-Length: 100") + b"x").half_close().closed()


@pytest.fixture
def few_files(kidoban):
    """The server, started anew where it may have 512 files open."""
    kidoban.stop()
    kidoban.start("prlimit", "--nofile=512:512")
    yield kidoban
    kidoban.stop()
    kidoban.start()


def test_the_operator_comes_in_though_clients_hold_all_connections_that_they_can(few_files, opened, many):
    held = many(500)
    answers = [r.send(head(host=OPEN)).answer() for r in held]
    over = [r for r, a in zip(held, answers) if not a or a.status == 503]
    assert 50 < len(over) < 450
    told = [a for a in answers if a and a.status == 503]
    assert told  # so many at a time; the rest are closed at once
    assert {(a.field("Retry-After"), a.field("Connection")) for a in told} == {("1", "close")}
    assert {json.loads(a.body)["errors"][0]["code"] for a in told} == {"UNAVAILABLE"}
    few_files("acr", "update", "-n", "openreg", "-g", "lab", "--default-action", "Deny")
    assert_denied(next(r for r in held if r not in over).send(head(host=OPEN)).answer())
    few_files("acr", "update", "-n", "openreg", "-g", "lab", "--default-action", "Allow")
