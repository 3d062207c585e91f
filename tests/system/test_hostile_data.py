"""A hostile client of the data plane: what section by section of the wire a registry must not give away or lose."""

import json

import pytest

from lab import Kidoban
from lab.raw import Raw

PLAIN = 21080


@pytest.fixture(scope="module")
def kidoban(lab):
    """A server that listens plain, too: garbage needs no TLS to be garbage."""
    k = Kidoban(lab, options=["--listen", f"0.0.0.0:{PLAIN},plain"]).start()
    k.group()
    yield k
    k.stop()


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


# --- nothing before the gate --------------------------------------------------------------------------------------

BASIC = "Authorization: Basic c2h1dDp3cm9uZw=="
DENIED = {
    "the base": head(),
    "unknown path": head(target="/no/such/path"),
    "root": head(target="/"),
    "catalog": head(target="/v2/_catalog"),
    "manifest": head(target="/v2/a/manifests/latest"),
    "token": head(target="/oauth2/token?service=x&scope=repository:a:pull"),
    "token with a password": head("GET", "/oauth2/token", "fenced.azurecr.test", "HTTP/1.1", BASIC),
    "token by post": head("POST", "/oauth2/token", "fenced.azurecr.test", "HTTP/1.1", "Content-Length: 19",
                          "Content-Type: application/x-www-form-urlencoded") + b"grant_type=password",
    "exchange": head("POST", "/oauth2/exchange", "fenced.azurecr.test", "HTTP/1.1", "Content-Length: 0"),
    "metrics": head(target="/metrics"),
    "arm": head(target="/subscriptions"),
    "other methods": head("BREW", "/v2/"),
    "lower case method": head("get", "/v2/"),
    "method of odd characters": head("G(E)T", "/v2/"),
    "a long method": head("A" * 5000, "/v2/"),
    "trace": head("TRACE", "/"),
    "connect": head("CONNECT", "openreg.azurecr.test:443"),
    "connect to nonsense": head("CONNECT", "/:::"),
    "options": head("OPTIONS", "*"),
    "asterisk": head("GET", "*"),
    "absolute": head(target="http://fenced.azurecr.test/v2/"),
    "absolute wins over host": head(target="http://fenced.azurecr.test/v2/", host="openreg.azurecr.test"),
    "absolute with another scheme": head(target="gopher+x://fenced.azurecr.test/v2/", host="openreg.azurecr.test"),
    "absolute with a port and a dot": head(target="HTTPS://FENCED.azurecr.test.:99/v2/", host="x"),
    "host is not overridden by a lookalike": head(target="/http://openreg.azurecr.test/v2/"),
    "no slash": head(target="v2/"),
    "query alone": head(target="?x"),
    "fragment": head(target="/v2/#f"),
    "encoded slash": head(target="/v2%2f_catalog"),
    "encoded everything": head(target="/%76%32/%5f%63atalog"),
    "dots": head(target="/v2/../../etc/passwd"),
    "encoded dots": head(target="/v2/%2e%2e/%2e%2e/etc/passwd"),
    "backslashes": head(target="\\v2\\..\\"),
    "bad percent": head(target="/v2/%zz"),
    "cut percent": head(target="/v2/%"),
    "nul": head(target="/v2/%00"),
    "not utf-8": head(target="/v2/%ff%fe/manifests/x"),
    "raw bytes in the target": head(target="/v2/\xff\xfe"),
    "double slashes": head(target="//v2//"),
    "a blank in the target": head(target="/v2/ _catalog"),
    "many blanks": head(target=" /v2/ "),
    "a target of 9000 bytes": head(target="/" + "a" * 9000),
    "a target of 30000 bytes": head(target="/" + "a" * 30000),
    "1.0": head(version="HTTP/1.0"),
    "1.0 without host, absolute": head(target="http://fenced.azurecr.test/", host=None, version="HTTP/1.0"),
    "1.9": head(version="HTTP/1.9"),
    "2.0": head(version="HTTP/2.0"),
    "0.9": head(version="HTTP/0.9"),
    "9.9": head(version="HTTP/9.9"),
    "mixed case": head(host="FeNcEd.AzureCR.test"),
    "trailing dot": head(host="fenced.azurecr.test."),
    "port": head(host="fenced.azurecr.test:21080"),
    "another port": head(host="fenced.azurecr.test:1"),
    "empty port": head(host="fenced.azurecr.test:"),
    "dot and port": head(host="FENCED.azurecr.TEST.:65535"),
    "expect": head("PUT", "/v2/a/manifests/b", "fenced.azurecr.test", "HTTP/1.1", "Expect: 100-continue",
                   "Content-Length: 4000000"),
    "another expectation": head("GET", "/v2/", "fenced.azurecr.test", "HTTP/1.1", "Expect: wonders"),
    "garbage for chunks": head("POST", "/v2/a/blobs/uploads/", "fenced.azurecr.test", "HTTP/1.1",
                               "Transfer-Encoding: chunked") + b"zzz\r\nnonsense\r\n",
    "a body that never comes": head("POST", "/oauth2/token", "fenced.azurecr.test", "HTTP/1.1", "Content-Length: 100"),
    "a body past all limits": head("PUT", "/v2/a/manifests/b", "fenced.azurecr.test", "HTTP/1.1",
                                   "Content-Length: 9223372036854775807"),
    "upgrade": head("GET", "/v2/", "fenced.azurecr.test", "HTTP/1.1", "Connection: Upgrade, HTTP2-Settings",
                    "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    "websocket": head("GET", "/", "fenced.azurecr.test", "HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"),
    "forwarded": head("GET", "/v2/", "fenced.azurecr.test", "HTTP/1.1", "X-Forwarded-For: 127.0.0.1",
                      "X-Forwarded-Host: openreg.azurecr.test", "Forwarded: for=127.0.0.1;host=openreg.azurecr.test",
                      "X-Real-IP: 10.0.0.4", "X-Original-URL: /v2/", "X-HTTP-Method-Override: GET"),
    "a bearer token": head("GET", "/v2/", "fenced.azurecr.test", "HTTP/1.1", "Authorization: Bearer a.b.c"),
    "malformed authorization": head("GET", "/v2/", "fenced.azurecr.test", "HTTP/1.1", "Authorization: \x80\xff"),
    "99 fields": head("GET", "/v2/", "fenced.azurecr.test", "HTTP/1.1", *[f"X-{i}: y" for i in range(99)]),
    "an empty line before": b"\r\n" + head(),
    "range and conditions": head("GET", "/v2/a/blobs/x", "fenced.azurecr.test", "HTTP/1.1", "Range: bytes=0-",
                                 "If-None-Match: *", "If-Match: *"),
    "if-match": head("PUT", "/v2/a/manifests/x", "fenced.azurecr.test", "HTTP/1.1", "If-Match: *", "Content-Length: 0"),
}


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


@pytest.mark.parametrize("request_bytes", DENIED.values(), ids=DENIED)
def test_whatever_a_denied_client_sends_the_gate_answers(fenced, opened, raw, request_bytes):
    raw.send(request_bytes)
    assert_denied(raw.answer())


def test_one_denial_is_like_any_other(fenced, client):
    bodies = set()
    for request_bytes in DENIED.values():
        with Raw(client, PLAIN) as r:
            bodies.add(r.send(request_bytes).answer().body)
    assert len(bodies) == 1


def test_a_denied_head_has_the_status_and_the_length(fenced, raw):
    length = len(raw.send(head()).answer().body)
    for target in ("/v2/", "/v2/a/manifests/b", "/nothing", "*", "%"):
        a = raw.send(head("HEAD", target)).answer(head_only=True)
        assert_denied(a, head_only=True)
        assert int(a.field("Content-Length")) == length


def test_pipelined_requests_are_all_denied(fenced, raw):
    raw.send(head(target="/v2/x") * 500 + head("HEAD", "/", "fenced.azurecr.test", "HTTP/1.1", "Connection: close"))
    for _ in range(500):
        assert_denied(raw.answer())
    assert_denied(raw.answer(head_only=True), head_only=True)
    assert raw.closed()


def test_one_connection_asks_two_registries(fenced, opened, raw):
    """The gate is asked on every request: what one registry allows says nothing about another."""
    raw.send((head(host="openreg.azurecr.test") + head()) * 3)
    for _ in range(3):
        assert raw.answer().status == 401
        assert_denied(raw.answer())


NO_REGISTRY = {
    "another name": head(host="nobody.azurecr.test"),
    "a name below": head(host="x.fenced.azurecr.test"),
    "no suffix": head(host="fenced"),
    "the control plane's": head(host="arm.azurecr.test"),
    "an address": head(host="203.0.113.10"),
    "an address in brackets": head(host="[::1]:443"),
    "localhost": head(host="localhost"),
    "empty": head(host=""),
    "none in 1.0": head(host=None, version="HTTP/1.0"),
    "absolute": head(target="http://nobody.azurecr.test/v2/"),
    "a path that exists": head(target="/v2/_catalog", host="nobody.azurecr.test"),
    "bad percent": head(target="/%", host="nobody.azurecr.test"),
    "odd method": head("BREW", "*", host="nobody.azurecr.test"),
}


@pytest.mark.parametrize("request_bytes", NO_REGISTRY.values(), ids=NO_REGISTRY)
def test_an_unknown_host_gets_one_fixed_answer(fenced, raw, request_bytes):
    a = raw.send(request_bytes).answer()
    assert (a.status, a.body) == (404, b'{"errors":[{"code":"NOT_FOUND","message":"no server of that name",'
                                       b'"detail":null}]}\n')
    assert "www-authenticate" not in a.fields


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
