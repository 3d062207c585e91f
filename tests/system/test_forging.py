"""Attempts to forge an origin, or to get round the gate: one catalogue.

Who tries, at which listener, what is sent, and what must come back. Each attempt is shown from both sides: who is shut
out stays shut out, and is counted and logged as who he is; the same without the lie, from where it is true, is let in.

    GATE        the gate's answer, with the origin that the sender really has: byte for byte the same whatever was asked
    "public A"  the gate's answer to another origin: the one that a trusted proxy or forwarder told, or that is nobody's
    400         a head whose framing is in doubt (before the gate), and the end
    CLOSED(c)   not one byte that a server says, and counter c has counted it
    404         the one answer to a Host that is no registry's
"""

import contextlib
import json
import ssl
import struct

import pytest

from lab import until
from lab.attempt import (ASK, GATE, NO_HEADER, NO_TLS, NOT_TRUSTED, assert_gate, assert_logged, assert_shut_out,
                         attempt, request, status, true_origin)
from lab.border import BALANCER, FENCED, FORWARDER, FRIEND, FRIEND6, OPEN, PUBLIC, Border
from lab.network import REGISTRY_ADDRESS, ip
from lab.proxied import LOCAL, SIGNATURE, header, summed, tlv
from lab.server import TOP
from lab.tokens import TOKEN_USER, basic, forgeries, form, identity, published_keys, refresh_token

@pytest.fixture(scope="module")
def border(lab):
    b = Border(lab)
    yield b
    b.kidoban.stop()


def ids(rows):
    return [str(r[0]) for r in rows]


# --- PROXY protocol where nobody is believed -------------------------------------------------------------------------

AWS_A = tlv(0xEA, b"\x01vpce-a")
NOWHERE = [  # who, at which listener, and what comes back to every header
    ("public", "main", NO_TLS),
    ("public", "plain", 400),
    ("public", "six", 400),
    ("public", "proxy", NOT_TRUSTED),
    ("public", "proxy tls", NOT_TRUSTED),
    ("forwarder", "proxy", NOT_TRUSTED),  # trusted for another thing
    ("forwarder", "plain", 400),
    ("balancer", "main", NO_TLS),         # trusted at another listener
    ("balancer", "plain", 400),
    ("other", "main", NO_TLS),            # the listener of a device
    ("other", "plain", 400),
    ("other", "proxy", NOT_TRUSTED),
    ("tenant", "main", NO_TLS),           # the listener of a namespace, from the trusted proxy's address
]
HEADERS = [
    ("version 2, of a friend", header(source=FRIEND)),
    ("version 2, of an allowed network", header(AWS_A, "10.0.0.4")),
    ("version 2, of IPv6", header(source=FRIEND6)),
    ("version 2, with a checksum", summed(FRIEND)),
    ("version 2, with a wrong checksum", summed(FRIEND, wrong=1)),
    ("LOCAL", header(command=LOCAL)),
    ("LOCAL without addresses", SIGNATURE + b"\x20\0\0\0"),
    ("two of version 2", header(source=FRIEND) * 2),
    ("truncated", header(source=FRIEND)[:20]),
    ("oversized", SIGNATURE + b"\x21\x11\xff\xff" + bytes(65535)),
    ("version 1", f"PROXY TCP4 {FRIEND} {REGISTRY_ADDRESS} 50000 443\r\n".encode()),
    ("version 1, UNKNOWN", b"PROXY UNKNOWN\r\n"),
]


@pytest.mark.parametrize("name,sent", HEADERS, ids=ids(HEADERS))
@pytest.mark.parametrize("host,door,back", NOWHERE, ids=[f"{h} at {d}" for h, d, _ in NOWHERE])
def test_a_proxy_header_where_nobody_is_believed(border, host, door, back, name, sent):
    attempt(border, host, door, sent + (b"" if name == "truncated" else ASK), back)
    own = {"proxy": "plain", "proxy tls": "main"}.get(door, door)
    assert_shut_out(border, host, own)
    assert status(border, "friend", own, ASK) == 401


# --- PROXY protocol from a proxy that is believed, but not for that ---------------------------------------------------


def short(n):
    """The first bytes of a good header."""
    return header(AWS_A, "10.0.0.4")[:n]


def bare(version_command, family, rest):
    return SIGNATURE + struct.pack(">BBH", version_command, family, len(rest)) + rest


ADDRESSES, LINK_A = header()[16:], tlv(0xEE, b"\x01\x07\0\0\0")
BELIEVED = [  # what the trusted proxy sends, and what comes back
    ("no header", b"", NO_HEADER),
    ("TLS at once", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), NO_HEADER),
    ("version 1", f"PROXY TCP4 {FRIEND} 203.0.113.10 1 443\r\n".encode(), NO_HEADER),
    ("version 1 before version 2", b"PROXY UNKNOWN\r\n" + header(source=FRIEND), NO_HEADER),
    ("version 1 after version 2", header(source=PUBLIC) + f"PROXY TCP4 {FRIEND} 203.0.113.10 1 443\r\n".encode(), 400),
    ("two headers", header(source=PUBLIC) + header(source=FRIEND), NO_HEADER),
    ("LOCAL, then another", header(command=LOCAL) + header(source=FRIEND), NO_HEADER),
    ("another, then LOCAL", header(source=FRIEND) + header(command=LOCAL), NO_HEADER),
    ("an empty line before it", b"\r\n" + header(source=FRIEND), NO_HEADER),
    *[(f"truncated after {n} bytes", short(n), NO_HEADER) for n in (1, 11, 12, 15, 16, 27, 28, 30, 37)],
    ("longer than it may be", bare(0x21, 0x11, ADDRESSES + tlv(4, bytes(5000))), NO_HEADER),
    ("65,535 bytes announced", SIGNATURE + b"\x21\x11\xff\xff", NO_HEADER),
    ("shorter than its addresses", bare(0x21, 0x11, ADDRESSES[:11]), NO_HEADER),
    ("IPv6 with addresses of IPv4", bare(0x21, 0x21, ADDRESSES), NO_HEADER),
    ("version 3", header(source=FRIEND, command=0x31), NO_HEADER),
    ("an unknown command", header(source=FRIEND, command=0x22), NO_HEADER),
    ("datagrams", header(source=FRIEND, family=0x12), NO_HEADER),
    ("a Unix socket", bare(0x21, 0x31, bytes(216)), NO_HEADER),
    ("no family", bare(0x21, 0x00, b""), NO_HEADER),
    ("a wrong checksum", summed(FRIEND, wrong=1 << 31), NO_HEADER),
    ("a checksum of another header", summed(PUBLIC).replace(b"\xc63d\x04", b"\xc63d\x07"), NO_HEADER),
    ("two checksums", bare(0x21, 0x11, ADDRESSES + tlv(3, bytes(4)) * 2), NO_HEADER),
    ("a checksum of three bytes", header(tlv(3, bytes(3)), FRIEND), NO_HEADER),
    ("a TLV past the end", header(b"\xea\0\x20\x01vpce-a"), NO_HEADER),
    ("half a TLV", header(b"\xea\0"), NO_HEADER),
    ("an endpoint id twice", header(AWS_A * 2), NO_HEADER),
    ("an endpoint id twice, with a lie", header(tlv(0xEA, b"\x01vpce-b") + AWS_A), NO_HEADER),
    ("an empty endpoint id", header(tlv(0xEA, b"\x01")), NO_HEADER),
    ("an endpoint id without a subtype", header(tlv(0xEA, b"")), NO_HEADER),
    ("a LINKID of three bytes", header(tlv(0xEE, b"\x01\x07\0\0")), NO_HEADER),
    ("a LINKID of five bytes", header(tlv(0xEE, b"\x01\x07\0\0\0\0")), NO_HEADER),
    ("a connection id of four bytes", header(tlv(0xE0, struct.pack(">I", 7))), NO_HEADER),
    ("a connection id of nine bytes", header(tlv(0xE0, b"\0" + struct.pack(">Q", 7))), NO_HEADER),
    ("an empty namespace", header(tlv(0x30, b"")), NO_HEADER),
    ("more values than there can be", header(b"".join(tlv(0xE1, bytes([i]) + b"x") for i in range(1, 6))), NO_HEADER),
    ("the endpoint of another proxy", header(tlv(0xEA, b"\x01vpce-else")), "unidentified 10.0.0.4"),
    ("an endpoint that nobody has", header(tlv(0xEA, b"\x01vpce-nobody")), "unidentified 10.0.0.4"),
    ("an endpoint in capitals", header(tlv(0xEA, b"\x01VPCE-A")), "unidentified 10.0.0.4"),
    ("a beginning of an endpoint's id", header(tlv(0xEA, b"\x01vpce-")), "unidentified 10.0.0.4"),
    ("an endpoint with NUL", header(tlv(0xEA, b"\x01vpce-a\0")), "unidentified 10.0.0.4"),
    ("an endpoint with a blank", header(tlv(0xEA, b"\x01vpce-a ")), "unidentified 10.0.0.4"),
    ("an endpoint of 300 bytes", header(tlv(0xEA, b"\x01" + b"vpce-a" * 50)), "unidentified 10.0.0.4"),
    ("an endpoint under another subtype", header(tlv(0xEA, b"\x02vpce-a")), "unidentified 10.0.0.4"),
    ("an endpoint under another cloud's type", header(tlv(0xE1, b"\x01vpce-a")), "unidentified 10.0.0.4"),
    ("a LINKID of the wrong end", header(tlv(0xEE, b"\x01" + struct.pack(">I", 7))), "unidentified 10.0.0.4"),
    ("a connection id of the wrong end", header(tlv(0xE0, struct.pack("<Q", 7))), "unidentified 10.0.0.4"),
    ("a namespace that is nobody's", header(tlv(0x30, b"green")), "unidentified 10.0.0.4"),
    ("values of two attachments", header(AWS_A + tlv(0x30, b"green"), FRIEND), f"unidentified {FRIEND}"),
    ("values of two networks", header(tlv(0xEA, b"\x01vpce-b") + LINK_A), "unidentified 10.0.0.4"),
    ("an allowed network, another subnet", header(AWS_A, "10.0.1.4"), "subnet 10.0.1.4"),
    ("an allowed network, outside its subnets", header(AWS_A, "192.0.2.9"), "unidentified 192.0.2.9"),
    ("an allowed network, a friend's address", header(AWS_A, FRIEND), f"unidentified {FRIEND}"),
    ("an unknown type", header(tlv(0xE5, b"\x01vpce-a")), "public 10.0.0.4"),
    ("the name of another server", header(tlv(0x02, OPEN.encode()), PUBLIC), f"public {PUBLIC}"),
    ("a client's certificate", header(tlv(0x20, b"\x07" + bytes(4) + tlv(0x22, b"admin")), PUBLIC), f"public {PUBLIC}"),
    ("LOCAL with an endpoint", header(AWS_A, command=LOCAL), f"public {BALANCER}"),
    ("LOCAL with a friend's address", header(source=FRIEND, command=LOCAL), f"public {BALANCER}"),
    ("an allowed subnet's address alone", header(source="10.0.0.4"), "public 10.0.0.4"),
    ("the same, mapped to IPv6", header(source="::ffff:10.0.0.4"), "public 10.0.0.4"),
    ("a friend's address as NAT64 makes it", header(source=f"64:ff9b::{FRIEND}"), "public 64:ff9b::c633:6407"),
    ("a friend's address as 6to4 makes it", header(source="2002:c633:6407::"), "public 2002:c633:6407::"),
    ("a friend's address, compatible", header(source=f"::{FRIEND}"), "public ::c633:6407"),
    ("a friend's address, translated", header(source=f"::ffff:0:{FRIEND}"), "public ::ffff:0:c633:6407"),
    ("a link-local address", header(source="fe80::7"), "public fe80::7"),
    ("a loopback address", header(source="127.0.0.1"), "public 127.0.0.1"),
    ("no address", header(source="0.0.0.0"), "public 0.0.0.0"),
]


@pytest.mark.parametrize("name,sent,back", BELIEVED, ids=ids(BELIEVED))
def test_a_proxy_that_is_believed_is_not_believed_in_that(border, name, sent, back):
    attempt(border, "balancer", "proxy", sent + (b"" if back is NO_HEADER and "two" not in name else ASK), back)
    assert_shut_out(border, "balancer", "plain")
    good = header(AWS_A, "10.0.0.4")
    assert status(border, "balancer", "proxy", ASK, first=good) == 401


TOLD = [  # what an honest proxy says of those who may come in
    ("a friend", header(source=FRIEND)),
    ("a friend, mapped to IPv6", header(source=f"::ffff:{FRIEND}")),
    ("a friend with IPv6", header(source=FRIEND6)),
    ("a friend, with a checksum", summed(FRIEND)),
    ("an endpoint", header(AWS_A)),
    ("a LINKID", header(LINK_A)),
    ("a connection id", header(tlv(0xE0, struct.pack(">Q", 7)))),
    ("a namespace", header(tlv(0x30, b"blue"))),
    ("an endpoint beside what says nothing", header(AWS_A + tlv(0x04, bytes(100)) + tlv(0xE5, b"x"))),
    ("as long as it may be", header(AWS_A + tlv(0x04, bytes(4096 - len(header(AWS_A)) - 3)))),
]


@pytest.mark.parametrize("name,sent", TOLD, ids=ids(TOLD))
@pytest.mark.parametrize("door", ["proxy", "proxy tls"])
def test_what_an_honest_proxy_says_is_believed(border, door, name, sent):
    assert status(border, "balancer", door, ASK, first=sent) == 401


# --- addresses in fields --------------------------------------------------------------------------------------------

NAMES = ["X-Forwarded-For", "x-forwarded-for", "X_Forwarded_For", "X-Forwarded", "Forwarded-For", "X-Real-IP",
         "X-Client-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP",
         "X-Original-Forwarded-For", "X-Azure-ClientIP", "X-Envoy-External-Address", "X-ProxyUser-IP", "X-Remote-Addr", "Via",
         "From"]
FIELDS = [
    *[(name, [f"{name}: {FRIEND}"]) for name in NAMES],
    ("Forwarded", [f"Forwarded: for={FRIEND};proto=https;host={OPEN};by={FORWARDER}"]),
    ("X-Forwarded-Host", [f"X-Forwarded-Host: {OPEN}", f"X-Host: {OPEN}", f"X-Original-Host: {OPEN}"]),
    ("X-Original-URL", ["X-Original-URL: /healthz", "X-Rewrite-URL: /healthz", "X-HTTP-Method-Override: OPTIONS"]),
    ("a list", [f"X-Forwarded-For: {FRIEND}, {FORWARDER}"]),
    ("twice", [f"X-Forwarded-For: {FRIEND}", f"X-Forwarded-For: {FRIEND}"]),
    ("all at once", [f"{name}: {FRIEND}" for name in NAMES]),
]
SPEAKERS = [  # who speaks for a friend, at which listener
    ("public", "plain", GATE),
    ("public", "main", GATE),
    ("public", "six", GATE),
    ("other", "plain", GATE),
    ("other", "main", GATE),
    ("tenant", "main", GATE),
    ("balancer", "plain", GATE),
]


@pytest.mark.parametrize("name,fields", FIELDS, ids=ids(FIELDS))
def test_a_field_is_not_believed_of_just_anybody(border, name, fields):
    sent = request("/v2/", *fields)
    for host, door, back in SPEAKERS:
        with contextlib.closing(border.knock(host, door)) as c:
            assert_gate(c.send(sent).answer(), true_origin(host, door))
    attempt(border, "public", "plain", sent, GATE)
    with border.knock("balancer", "proxy", first=header(source=PUBLIC)) as c:  # nor on what a trusted proxy hands on
        assert_gate(c.send(sent).answer(), true_origin("public"))
    assert status(border, "friend", "plain", request("/v2/", *[f.replace(FRIEND, PUBLIC) for f in fields])) == 401


NOBODY = f"unidentified {FORWARDER}"
VALUES = [  # what reaches the trusted forwarder's last line, and who that is
    ("one who is shut out", PUBLIC, f"public {PUBLIC}"),
    ("a friend on the far side", f"{FRIEND}, {PUBLIC}", f"public {PUBLIC}"),
    ("many friends on the far side", ", ".join([FRIEND] * 500 + [PUBLIC]), f"public {PUBLIC}"),
    ("a friend behind another forwarder", f"{FRIEND}, {PUBLIC}, {FORWARDER}", f"public {PUBLIC}"),
    ("an allowed subnet's address", "10.0.0.4", "public 10.0.0.4"),
    ("an allowed mark's address", "10.9.0.4", "public 10.9.0.4"),
    ("the forwarder itself", FORWARDER, f"public {FORWARDER}"),
    ("a friend, and nothing after the comma", f"{FRIEND},", NOBODY),
    ("nothing", "", NOBODY),
    ("a blank", f"{FRIEND}  {FRIEND}", NOBODY),
    ("a word", "unknown", NOBODY),
    ("a name", "localhost", NOBODY),
    ("quotes", f'"{FRIEND}"', NOBODY),
    ("a semicolon", f"{FRIEND};{PUBLIC}", NOBODY),
    ("Forwarded's form", f"for={FRIEND}", NOBODY),
    ("a zone id", "fe80::1%eth0", NOBODY),
    ("a zone id on IPv4", f"{FRIEND}%eth0", NOBODY),
    ("a zone id in brackets", "[fe80::1%25eth0]", NOBODY),
    ("octal", "0306.063.0144.07", NOBODY),
    ("leading zeros", "198.051.100.007", NOBODY),
    ("one number", "3325256711", NOBODY),
    ("three numbers", "198.51.25607", NOBODY),
    ("hexadecimal", "0xc6.0x33.0x64.0x7", NOBODY),
    ("five numbers", f"{FRIEND}.1", NOBODY),
    ("a prefix", f"{FRIEND}/32", NOBODY),
    ("a port that is none", f"{FRIEND}:x", NOBODY),
    ("a port too high", f"{FRIEND}:65536", NOBODY),
    ("an open bracket", f"[{FRIEND6}", NOBODY),
    ("brackets around IPv4", f"[{FRIEND}]", NOBODY),
    ("something behind the bracket", f"[{FRIEND6}]x", NOBODY),
    ("digits of another alphabet", "\xb9\xb2\xb3.1.1.1", NOBODY),
    ("NAT64", f"64:ff9b::{FRIEND}", "public 64:ff9b::c633:6407"),
    ("6to4", "2002:c633:6407::", "public 2002:c633:6407::"),
    ("an address that is compatible", f"::{FRIEND}", "public ::c633:6407"),
    ("a mapped one that is shut out", f"::ffff:{PUBLIC}", f"public {PUBLIC}"),
    ("link-local", "fe80::1", "public fe80::1"),
    ("loopback", "::1", "public ::1"),
]


@pytest.mark.parametrize("name,value,back", VALUES, ids=ids(VALUES))
def test_a_forwarder_is_believed_in_what_it_can_know(border, name, value, back):
    attempt(border, "forwarder", "plain", request("/v2/", f"X-Forwarded-For: {value}"), back)
    assert status(border, "forwarder", "plain", request("/v2/", f"X-Forwarded-For: {FRIEND}")) == 401


@pytest.mark.parametrize("values", [
    [FRIEND], [f"{FRIEND}:4711"], [f"{PUBLIC}, {FRIEND}"], [PUBLIC, FRIEND], [f"unknown,{FRIEND} "], [FRIEND6],
    [f"[{FRIEND6}]"], [f"[{FRIEND6}]:1"], [f"::ffff:{FRIEND}"], [f"{PUBLIC}, {FRIEND}, {FORWARDER}:1, {FORWARDER}"]],
    ids=" | ".join)
def test_what_an_honest_forwarder_says_is_believed(border, values):
    assert status(border, "forwarder", "plain", request("/v2/", *[f"X-Forwarded-For: {v}" for v in values])) == 401


ROUND = [  # ways to lose the forwarder's own line, or to add one behind it; who is asked for is a friend
    ("it is named as hop by hop", ["Connection: close, X-Forwarded-For", f"X-Forwarded-For: {PUBLIC}"],
     f"public {PUBLIC}"),
    ("a second line before", [f"X-Forwarded-For: {FRIEND}", f"X-Forwarded-For: {PUBLIC}"], f"public {PUBLIC}"),
    ("a line of another spelling", [f"X_Forwarded_For: {FRIEND}", f"X-FORWARDED-FOR: {PUBLIC}",
                                    f"Forwarded: for={FRIEND}"], f"public {PUBLIC}"),
    ("a line with a blank before its colon", [f"X-Forwarded-For: {PUBLIC}", f"X-Forwarded-For : {FRIEND}"], 400),
    ("a line folded into the one before", [f"X-Forwarded-For: {PUBLIC},", f" {FRIEND}"], 400),
    ("a line after a bare LF", [f"X-Forwarded-For: {PUBLIC}\nX-Forwarded-For: {FRIEND}"], 400),
    ("a line after a bare CR", [f"X-Forwarded-For: {PUBLIC}\rX-Forwarded-For: {FRIEND}"], 400),
    ("a line after NUL", [f"X-Forwarded-For: {PUBLIC}\0, {FRIEND}"], 400),
]


@pytest.mark.parametrize("name,fields,back", ROUND, ids=ids(ROUND))
def test_there_is_no_way_round_a_forwarder_s_line(border, name, fields, back):
    attempt(border, "forwarder", "plain", request("/v2/", *fields), back, origin=true_origin("forwarder"))
    if back != 400:
        honest = [f.replace(PUBLIC, FRIEND) for f in fields]
        assert status(border, "forwarder", "plain", request("/v2/", *honest)) == 401


def test_a_line_in_the_trailer_is_nobody_s(border):
    sent = request("/v2/", f"X-Forwarded-For: {PUBLIC}", "Transfer-Encoding: chunked", method="POST")
    trailer = f"1\r\nx\r\n0\r\nX-Forwarded-For: {FRIEND}\r\nHost: {OPEN}\r\n\r\n".encode()
    attempt(border, "forwarder", "plain", sent + trailer, f"public {PUBLIC}")


def test_what_one_request_says_is_not_the_next_one_s(border):
    """A forwarder's connection serves many clients."""
    with border.knock("forwarder", "plain") as c:
        for _ in range(3):
            assert c.send(request("/v2/", f"X-Forwarded-For: {FRIEND}")).answer().status == 401
            assert_gate(c.send(ASK).answer(), true_origin("forwarder"))
            assert_gate(c.send(request("/v2/", f"X-Forwarded-For: {PUBLIC}")).answer(), true_origin("public"))


# --- what is asked for ------------------------------------------------------------------------------------------------

LENGTH = "Content-Length: {}"
CHUNKED = "Transfer-Encoding: chunked"
ABSOLUTE = f"http://{FENCED}/v2/"
REQUESTS = [  # what a denied client sends, for which it gets the gate's answer; and what one gets who may come in
    ("the base", request(), 401),
    ("an image that is there", request("/v2/app/manifests/v1"), 401),
    ("an image that is not there", request("/v2/app/manifests/v2"), 401),
    ("a repository that is not there", request("/v2/nothing/manifests/v1"), 401),
    ("tags", request("/v2/app/tags/list"), 401),
    ("a blob's upload", request("/v2/app/blobs/uploads/", LENGTH.format(0), method="POST"), 401),
    ("catalog", request("/v2/_catalog"), 401),
    ("catalog of acr", request("/acr/v1/_catalog"), 401),
    ("an unknown path", request("/no/such/path"), 404),
    ("root", request("/"), 404),
    ("the token endpoint", request("/oauth2/token?service=x&scope=repository:app:pull"), 401),
    ("the token endpoint by post", request("/oauth2/token", LENGTH.format(19), "Content-Type: application/"
                                           "x-www-form-urlencoded", method="POST") + b"grant_type=password", 401),
    ("the exchange", request("/oauth2/exchange", LENGTH.format(0), method="POST"), 400),
    ("metrics", request("/metrics"), 404),
    ("health", request("/healthz"), 404),
    ("the control plane", request("/subscriptions?api-version=2022-12-01"), 404),
    ("the control plane's tokens", request("/adfs/oauth2/token", LENGTH.format(0), method="POST"), 404),
    ("brew", request(method="BREW"), 405),
    ("a method in lower case", request(method="get"), 405),
    ("a method of odd characters", request(method="G(E)T"), 400),
    ("a method of 5,000 bytes", request(method="A" * 5000), 405),
    ("trace", request("/", method="TRACE"), 404),
    ("connect", request(f"{OPEN}:443", method="CONNECT"), 404),
    ("connect to nonsense", request("/:::", method="CONNECT"), 400),
    ("options", request("*", method="OPTIONS"), 404),
    ("options of a path", request("/v2/", "Origin: https://x", "Access-Control-Request-Method: GET",
                                  method="OPTIONS"), 405),
    ("head", request(method="HEAD"), 401),
    ("head of an image", request("/v2/app/manifests/v1", method="HEAD"), 401),
    ("delete", request("/v2/app/manifests/v1", method="DELETE"), 401),
    ("asterisk", request("*"), 400),
    ("absolute", request(ABSOLUTE), 401),
    ("absolute, another's Host", request(ABSOLUTE, host=OPEN), 401),
    ("absolute, no registry's Host", request(ABSOLUTE, host="x"), 401),
    ("absolute, another scheme", request(f"gopher+x://{FENCED}/v2/", host=OPEN), 400),
    ("absolute, capitals, port and dot", request("HTTPS://MYREG.azurecr.test.:99/v2/", host="x"), 401),
    ("a path that looks absolute", request(f"/http://{OPEN}/v2/"), 404),
    ("no slash", request("v2/"), 400),
    ("a query alone", request("?x"), 400),
    ("a fragment", request("/v2/#f"), 400),
    ("an encoded slash", request("/v2%2f_catalog"), 404),
    ("everything encoded", request("/%76%32/%5f%63atalog"), 404),
    ("dots", request("/v2/../../healthz"), 400),
    ("dots into another registry", request(f"/v2/../../{OPEN}/v2/"), 400),
    ("encoded dots", request("/v2/%2e%2e/%2e%2e/healthz"), 400),
    ("dots with encoded slashes", request("/v2/..%2f..%2fhealthz"), 400),
    ("dots and a semicolon", request("/v2/..;/healthz"), 404),
    ("backslashes", request("\\v2\\..\\"), 400),
    ("bad percent", request("/v2/%zz"), 400),
    ("cut percent", request("/v2/%"), 400),
    ("NUL", request("/v2/%00"), 400),
    ("what is not UTF-8", request("/v2/%ff%fe/manifests/x"), 401),
    ("raw bytes in the target", request("/v2/\xff\xfe"), 400),
    ("double slashes", request("//v2//"), 404),
    ("a blank in the target", request("/v2/ _catalog"), 400),
    ("many blanks", request(" /v2/ "), 400),
    ("a target of 9,000 bytes", request("/" + "a" * 9000), 414),
    ("a target of 30,000 bytes", request("/" + "a" * 30000), 414),
    ("HTTP/1.0", request(version="HTTP/1.0"), 401),
    ("HTTP/1.0 without Host, absolute", request(ABSOLUTE, host=None, version="HTTP/1.0"), 401),
    ("HTTP/1.9", request(version="HTTP/1.9"), 401),
    ("HTTP/2.0", request(version="HTTP/2.0"), 505),
    ("HTTP/0.9, with its number", request(version="HTTP/0.9"), 505),
    ("HTTP/9.9", request(version="HTTP/9.9"), 505),
    ("mixed case", request(host="MyReG.AzureCR.test"), 401),
    ("a trailing dot", request(host=FENCED + "."), 401),
    ("a port", request(host=FENCED + ":8080"), 401),
    ("another port", request(host=FENCED + ":1"), 401),
    ("an empty port", request(host=FENCED + ":"), 401),
    ("dot and port", request(host="MYREG.azurecr.TEST.:65535"), 401),
    ("an expectation", request("/v2/app/manifests/v3", "Expect: 100-continue", LENGTH.format(4000000),
                               method="PUT"), 401),
    ("another expectation", request("/v2/", "Expect: wonders"), 401),
    ("garbage for chunks", request("/v2/app/blobs/uploads/", CHUNKED, method="POST") + b"zzz\r\nnonsense\r\n", 401),
    ("a body that never comes", request("/oauth2/token", LENGTH.format(100), method="PUT"), 405),
    ("a body past all limits", request("/v2/app/manifests/b", LENGTH.format(2**63 - 1), method="PUT"), 401),
    ("an upgrade to HTTP/2", request("/v2/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                                     "HTTP2-Settings: AAMAAABkAAQAAP__"), 401),
    ("an upgrade to websockets", request("/", "Connection: Upgrade", "Upgrade: websocket"), 404),
    ("an empty line before", b"\r\n" + request(), 401),
    ("99 fields", request("/v2/", *[f"X-{i}: y" for i in range(99)]), 401),
    ("range and conditions", request("/v2/app/blobs/x", "Range: bytes=0-", "If-None-Match: *", "If-Match: *"), 401),
    ("a condition on a write", request("/v2/app/manifests/x", "If-Match: *", LENGTH.format(0), method="PUT"), 401),
    ("a wrong password", request("/v2/", "Authorization: Basic c2h1dDp3cm9uZw=="), 401),
    ("a token that is none", request("/v2/", "Authorization: Bearer a.b.c"), 401),
    ("credentials that are none", request("/v2/", "Authorization: \x80\xff"), 401),
    ("another method by a field", request("/v2/", "X-HTTP-Method-Override: OPTIONS", "X-Method: HEAD"), 401),
    ("a cookie", request("/v2/", "Cookie: session=admin"), 401),
]


@pytest.mark.parametrize("name,sent,allowed", REQUESTS, ids=ids(REQUESTS))
def test_whatever_a_denied_client_sends_the_gate_answers(border, name, sent, allowed):
    head_only = sent.startswith(b"HEAD ")
    for host, door in (("public", "plain"), ("public", "main"), ("other", "plain"), ("tenant", "main")):
        with border.knock(host, door) as c:
            assert_gate(c.send(sent).answer(head_only), true_origin(host, door), head_only)
    if not head_only:
        attempt(border, "public", "plain", sent, GATE)
    assert status(border, "friend", "plain", sent, head_only) == allowed
    assert status(border, "allowed", "main", sent, head_only) == allowed


HOSTS = [  # names that are no registry's: one answer for all, whoever asks
    ("another name", request(host="nobody.azurecr.test")),
    ("a name below", request(host="x." + FENCED)),
    ("no suffix", request(host="myreg")),
    ("the control plane's", request("/subscriptions", host="arm.azurecr.test")),
    ("the registry's address", request(host=REGISTRY_ADDRESS)),
    ("the registry's address, mapped", request(host=f"[::ffff:{REGISTRY_ADDRESS}]")),
    ("an address in brackets", request(host="[::1]:443")),
    ("localhost", request(host="localhost")),
    ("empty", request(host="")),
    ("none, in HTTP/1.0", request(host=None, version="HTTP/1.0")),
    ("absolute", request("http://nobody.azurecr.test/v2/")),
    ("absolute, without the suffix", request("http://myreg/v2/")),
    ("a path that is there", request("/v2/app/manifests/v1", host="nobody.azurecr.test")),
    ("bad percent", request("/%", host="nobody.azurecr.test")),
    ("an odd method", request("*", method="BREW", host="nobody.azurecr.test")),
]


@pytest.mark.parametrize("name,sent", HOSTS, ids=ids(HOSTS))
def test_an_unknown_host_gets_one_answer(border, name, sent):
    answers = set()
    for host, door in (("public", "plain"), ("public", "main"), ("other", "plain"), ("tenant", "main"),
                       ("friend", "plain"), ("allowed", "main")):
        with border.knock(host, door) as c:
            a = c.send(sent).answer()
        assert a.status == 404 and "www-authenticate" not in a.fields, a
        answers.add(a.body)
    assert answers == {b'{"errors":[{"code":"NOT_FOUND","message":"no server of that name","detail":null}]}\n'}


def test_between_requests_that_are_let_in(border):
    """What one registry allows says nothing about another; not on one connection, and not in one packet."""
    with border.knock("public", "plain") as c:
        c.send((request(host=OPEN) + ASK + request(f"http://{OPEN}/v2/") + request(ABSOLUTE, host=OPEN)) * 20)
        for _ in range(20):
            assert c.answer().status == 401
            assert_gate(c.answer(), true_origin("public"))
            assert c.answer().status == 401
            assert_gate(c.answer(), true_origin("public"))


BESIDE = [  # what the listeners of the control plane and of the metrics have for somebody on the machine itself
    ("a registry's Host", request("/v2/app/manifests/v1"), 404),
    ("a registry's Host, the control plane's path", request("/subscriptions?api-version=2022-12-01"), 404),
    ("a registry in the target", request(f"http://{FENCED}/v2/", host="localhost"), 404),
    ("a registry's path", request("/v2/app/manifests/v1", host="localhost"), 404),
    ("a registry's tokens", request("/oauth2/token?service=myreg.azurecr.test", host="localhost"), 404),
    ("the uploads", request("/v2/app/blobs/uploads/", "Content-Length: 0", method="POST", host="localhost"), 404),
    ("a name that leads here (DNS rebinding)", request("/metrics", host="rebound.example"), 404),
    ("another address than its own", request("/metrics", host=REGISTRY_ADDRESS), 404),
    ("connect", request(f"{FENCED}:443", method="CONNECT", host="localhost"), 404),
]


@pytest.mark.parametrize("name,sent,back", BESIDE, ids=ids(BESIDE))
@pytest.mark.parametrize("door", ["control", "metrics"])
def test_listeners_of_another_class_are_no_way_round(border, tokens, door, name, sent, back):
    how = {"context": careless()} if door == "control" else {}
    for with_token in (sent, sent.replace(b"\r\n\r\n", f"\r\n{bearer(tokens.good)}\r\n\r\n".encode(), 1)):
        with border.knock("machine_itself", door, **how) as c:
            a = c.send(with_token).answer()
        assert a.status == back and "docker-distribution-api-version" not in a.fields, a
    known = {"control": ("/metadata/endpoints?api-version=2022-09-01", 200), "metrics": ("/metrics", 200)}[door]
    with border.knock("machine_itself", door, **how) as c:
        assert c.send(request(known[0], host="localhost")).answer().status == known[1]


@pytest.mark.parametrize("door,back", [("control", NO_TLS), ("metrics", 400)])
def test_nobody_is_believed_there_either(border, door, back):
    for _, sent in HEADERS:
        attempt(border, "machine_itself", door, sent + request("/metrics", host="localhost"), back, origin="nobody")


# --- TLS -------------------------------------------------------------------------------------------------------------


def careless(*protocols):
    """A client that believes every certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


SERVER_NAMES = [  # the name in the TLS handshake, and protocols; Host is fenced: the gate. Host is open: served
    ("another registry's", OPEN, ()),
    ("its own", FENCED, ()),
    ("its own in capitals", FENCED.upper(), ()),
    ("nobody's", "nobody.azurecr.test", ()),
    ("the control plane's", "arm.azurecr.test", ()),
    ("an address", REGISTRY_ADDRESS, ()),
    ("none", None, ()),
    ("another's, and HTTP/2", OPEN, ("h2", "http/1.1")),
    ("another's, and an unknown protocol", OPEN, ("x", "http/1.1")),
]


@pytest.mark.parametrize("name,sni,protocols", SERVER_NAMES, ids=ids(SERVER_NAMES))
@pytest.mark.parametrize("host,friend", [("public", "friend"), ("other", "allowed")])
def test_the_name_in_the_handshake_opens_nothing(border, host, friend, name, sni, protocols):
    how = {"name": sni, "context": careless(*protocols)}
    with border.knock(host, "main", **how) as c:
        assert_gate(c.send(ASK).answer(), true_origin(host))
        assert c.send(request(host=OPEN)).answer().status == 401
        assert_gate(c.send(request(ABSOLUTE, host=OPEN)).answer(), true_origin(host))
    assert status(border, friend, "main", ASK, **how) == 401


# --- tokens and passwords ---------------------------------------------------------------------------------------------


def bearer(token):
    return f"Authorization: Bearer {token}"


def carried(fields):
    return [f"{k}: {v}" for k, v in fields.items()]


def posted(target, **fields):
    body = form(**fields).encode()
    return request(target, LENGTH.format(len(body)), "Content-Type: application/x-www-form-urlencoded",
                   method="POST") + body


class Tokens:
    """Good credentials of the fenced registry, and everything that is none."""

    def __init__(self, border):
        k, at, r = border.kidoban, border.friend, border.registry
        with contextlib.closing(r.connect(at)) as c, contextlib.closing(border.open.connect(at)) as o:
            self.good = c.sign_in(r.user, r.password, "repository:app:pull")
            self.refresh = refresh_token(k, c)
            self.bad = {"of another registry": o.sign_in(border.open.user, border.open.password, "repository:app:pull"),
                        "that refreshes, of another registry": refresh_token(k, o)}
        self.arm = k.control().sign_in()
        self.bad.update({"of a deleted registry of the same name": border.old_token, "of the control plane": self.arm,
                         "for registries": identity(k), "that refreshes": self.refresh})
        self.bad.update({f"forged: {n}": t for n, t in forgeries(self.good, published_keys(k))})
        self.used = [  # every way in with a good one, and what it gets who may come in
            ("a token", request("/v2/", bearer(self.good)), 200),
            ("an image", request("/v2/app/manifests/v1", bearer(self.good)), 200),
            ("an image that is not there", request("/v2/app/manifests/v2", bearer(self.good)), 404),
            ("a repository of no token", request("/v2/nothing/manifests/v1", bearer(self.good)), 401),
            ("a blob", request(f"/v2/app/blobs/{next(iter(border.image.blobs))}", bearer(self.good)), 200),
            ("a password", request("/v2/", *carried(basic(r.user, r.password))), 200),
            ("a refresh token as a password", request("/v2/", *carried(basic(TOKEN_USER, self.refresh))), 200),
            ("a password for a token", request("/oauth2/token?scope=repository:app:pull",
                                               *carried(basic(r.user, r.password))), 200),
            ("a password by post", posted("/oauth2/token", grant_type="password", username=r.user,
                                          password=r.password), 200),
            ("a refresh token for a token", posted("/oauth2/token", grant_type="refresh_token",
                                                   refresh_token=self.refresh), 200),
            ("a token of the control plane for one", posted("/oauth2/exchange", grant_type="access_token",
                                                            access_token=self.arm), 200),
        ]


@pytest.fixture(scope="module")
def tokens(border):
    return Tokens(border)


def test_a_token_does_not_open_the_gate(border, tokens):
    """Not a good one in any use, and none of the others; from where they may come, the good ones are served."""
    assert len(tokens.bad) > 40
    for name, sent, allowed in tokens.used:
        for host, door in (("public", "plain"), ("other", "main"), ("tenant", "main")):
            with border.knock(host, door) as c:
                assert_gate(c.send(sent).answer(), true_origin(host, door))
        assert (name, status(border, "friend", "plain", sent)) == (name, allowed)
    with border.knock("public", "plain") as denied, border.knock("friend", "plain") as allowed:
        for name, token in tokens.bad.items():
            sent = request("/v2/app/manifests/v1", bearer(token))
            assert_gate(denied.send(sent).answer(), true_origin("public"))
            assert (name, allowed.send(sent).answer().status) == (name, 401)
        assert allowed.send(request("/v2/app/manifests/v1", bearer(tokens.good))).answer().status == 200
    attempt(border, "public", "plain", request("/v2/", bearer(tokens.good)), GATE)


# --- addresses and marks of others ------------------------------------------------------------------------------------

CLAIMS = [  # who has whose address too, by which bridge; at which listener; what is sent; and what comes back
    ("an allowed subnet's, from the internet", "public", "10.0.0.77", "brP", "plain", ASK, "public 10.0.0.77"),
    ("an allowed mark's network's, unmarked", "public", "10.9.0.77", "brP", "plain", ASK, "public 10.9.0.77"),
    ("an allowed subnet's of IPv6", "public", "fd00::77", "brP", "six", ASK, "public fd00::77"),
    ("a friend's as NAT64 makes it", "public", "64:ff9b::c633:6407", "brP", "six", ASK, "public 64:ff9b::c633:6407"),
    ("a friend's as 6to4 makes it", "public", "2002:c633:6407::1", "brP", "six", ASK, "public 2002:c633:6407::1"),
    ("a friend's, in a device's network", "other", FRIEND, "brA", "plain", ASK, f"unidentified {FRIEND}"),
    ("the same, at the device's listener", "other", FRIEND, "brA", "main", ASK, f"unidentified {FRIEND}"),
    ("a friend's of IPv6, in a device's network", "other", FRIEND6, "brA", "six", ASK, f"unidentified {FRIEND6}"),
    ("a friend's, in a mark's network", "elsewhere", FRIEND, "brB", "plain", ASK, f"unidentified {FRIEND}"),
    ("an allowed range's, in a device's network", "other", "10.8.0.77", "brA", "plain", ASK, "unidentified 10.8.0.77"),
    ("an allowed range's, in a mark's network", "elsewhere", "10.8.0.77", "brB", "plain", ASK,
     "unidentified 10.8.0.77"),
    ("an allowed mark's, in a device's network", "other", "10.9.0.77", "brA", "plain", ASK, "unidentified 10.9.0.77"),
    ("an allowed device's, in a mark's network", "elsewhere", "10.0.0.77", "brB", "plain", ASK,
     "unidentified 10.0.0.77"),
    ("an allowed device's, in a range's network", "ranged", "10.0.0.77", "brC", "plain", ASK, "public 10.0.0.77"),
    ("an attached range's, outside its subnets", "public", "10.8.9.9", "brP", "plain", ASK, "unidentified 10.8.9.9"),
    *[(f"the trusted proxy's, in the network of a {kind}: {name}", host, "198.51.100.61", bridge, "proxy", sent + ASK,
       "unidentified 198.51.100.61")
      for kind, host, bridge in (("device", "other", "brA"), ("mark", "elsewhere", "brB"))
      for name, sent in (("a friend's header", header(source=FRIEND)), ("an endpoint's", header(AWS_A)),
                         ("an allowed subnet's", header(source="10.0.0.4")), ("a range's", header(source="10.8.0.4")),
                         ("LOCAL", header(command=LOCAL)))],
    *[(f"the trusted forwarder's, in the network of a {kind}: {said}", host, "198.51.100.51", bridge, door,
       request("/v2/", f"X-Forwarded-For: {said}"), "unidentified 198.51.100.51")
      for kind, host, bridge, door in (("device", "other", "brA", "plain"), ("device", "other", "brA", "main"),
                                       ("mark", "elsewhere", "brB", "plain"))
      for said in (FRIEND, "10.0.0.4", "10.8.0.4", "10.9.0.4")],
]


@pytest.mark.parametrize("name,host,address,bridge,door,sent,back", CLAIMS,
                         ids=[f"{c[0]}, at {c[4]}" for c in CLAIMS])
def test_an_address_of_others_is_not_their_network(border, name, host, address, bridge, door, sent, back):
    with border.claims(getattr(border, host), address, bridge):
        how = {"source": address}
        if door == "main":
            with border.knock(host, door, **how) as c:
                assert_gate(c.send(sent).answer(), back)
        else:
            attempt(border, host, door, sent, back, origin=back, **how)
    for true in ("friend", "allowed", "elsewhere", "ranged"):
        assert status(border, true, "plain", ASK) == 401


TENANTS = [  # whose addresses the tenant's machine has in its own network, and what it says there
    (address, fields) for address in (FRIEND, FORWARDER, BALANCER)
    for fields in ([], [f"X-Forwarded-For: {FRIEND}"], [f"Forwarded: for={FRIEND}"])]


@pytest.mark.parametrize("address,fields", TENANTS)
def test_a_namespace_is_its_own_network_whatever_its_addresses(border, address, fields):
    def once():
        with border.knock("tenant", "main", source=address) as c:
            assert_gate(c.send(request("/v2/", *fields)).answer(), f"subnet {address}")

    border.denials()
    once()
    assert_logged(border, f"subnet {address}", once)
    assert status(border, "friend", "main", request("/v2/")) == 401


def link_local(space, device):
    found = ip("-6", "addr", "show", "dev", device, "scope", "link", ns=space.ns).split()
    return found[found.index("inet6") + 1].split("/")[0]


@pytest.mark.parametrize("host,bridge,origin", [("public", "brP", "public"), ("other", "brA", "unidentified"),
                                                ("allowed", "brA", "unidentified")])
def test_a_link_local_address_is_nobody_s_subnet(border, host, bridge, origin):
    """Every link may have the same, so no rule should name it; in an attached network it is outside every prefix."""
    space = getattr(border, host)
    until(lambda: "tentative" not in ip("-6", "addr", "show", "dev", "eth0", ns=space.ns), "the address is usable")
    back = f"{origin} {link_local(space, 'eth0')}"
    server = f"{link_local(border, bridge)}%eth0"
    attempt(border, host, "plain", ASK, back, origin=back, address=server)
    assert status(border, "friend", "six", ASK) == 401 and status(border, "allowed", "six", ASK) == 401


@pytest.mark.parametrize("value", [0x105, 0x104, 0xfff])
def test_a_client_s_own_mark_does_not_leave_its_machine(border, value):
    for host, door in (("public", "plain"), ("public", "main"), ("other", "plain")):
        with border.knock(host, door, mark=value) as c:
            assert_gate(c.send(ASK).answer(), true_origin(host, door))
    attempt(border, "public", "plain", ASK, GATE, mark=value)
    assert status(border, "elsewhere", "plain", ASK) == 401  # whom the host's firewall marks


# --- with and without anti-spoofing -----------------------------------------------------------------------------------

SPOOFED = [  # who takes whose address; what that gives where nothing filters
    ("a neighbour's of the allowed subnet, on a bridge", "other", "10.0.0.77", "brA", "10.0.1.4"),
    ("a range's, from the internet", "public", "10.8.0.77", "brP", PUBLIC),
    ("a friend's, on the friend's link", "public", "198.51.100.7", "brP", PUBLIC),
]


def anti_spoofing(port, own):
    """The lines of the recipe for one port, which count what they drop."""
    with open(f"{TOP}/doc/recipes/nftables-marks.md", encoding="utf-8") as f:
        lines = [line.strip() for line in f if 'iifname "p1"' in line and "drop" in line]
    assert len(lines) == 3
    rules = [line.replace('"p1"', f'"{port}"').replace("10.0.0.4", own).replace("drop", "counter drop")
             for line in lines]
    return ("table bridge spoof { chain ports { type filter hook prerouting priority 0; policy accept;\n" +
            "\n".join(rules) + "\n}\n}\n")


@pytest.mark.parametrize("name,host,address,bridge,own", SPOOFED, ids=ids(SPOOFED))
def test_spoofed_sources_where_the_network_filters_and_where_not(border, name, host, address, bridge, own):
    """What doc/network-rules.md says: as good as the network's filter. With it nothing arrives."""
    space, taken = getattr(border, host), address == FRIEND
    if taken:
        ip("link", "set", "eth0", "down", ns=border.friend.ns)
    try:
        with border.claims(space, address, bridge):
            if taken:  # neighbours remember who had it
                ip("neigh", "flush", "dev", bridge, ns=border.ns)
            assert status(border, host, "plain", ASK, source=address) == 401
            with border.filtered(anti_spoofing(space.port, own)) as dropped:
                before = dropped()
                with pytest.raises(TimeoutError):
                    border.knock(host, "plain", source=address, timeout=1)
                until(lambda: dropped() > before, "the filter drops it")
                with border.knock(host, "plain") as c:  # its own address passes
                    assert_gate(c.send(ASK).answer(), true_origin(host))
    finally:
        if taken:
            ip("link", "set", "eth0", "up", ns=border.friend.ns)
            ip("route", "replace", "default", "via", "198.51.100.1", ns=border.friend.ns)
            ip("-6", "addr", "replace", f"{FRIEND6}/64", "dev", "eth0", "nodad", ns=border.friend.ns)
            ip("-6", "route", "replace", "default", "via", "2001:db8:1::1", ns=border.friend.ns)


def test_an_interface_that_names_its_subnet_does_not_care_for_addresses(border):
    """The other remedy against neighbours: --interface-subnet."""
    other = border.vnet["id"] + "/subnets/other"
    border.attach("a", border.vnet, "device", "--device", "brA", "--interface-subnet", f"brA={other}")
    try:
        with border.claims(border.other, "10.0.0.77", "brA"):
            attempt(border, "other", "plain", ASK, "subnet 10.0.0.77", origin="subnet 10.0.0.77", source="10.0.0.77")
    finally:
        border.attach("a", border.vnet, "device", "--device", "brA")
        until(lambda: border.state("a") == ("Listening", ""), "the attachment listens as before")
    assert status(border, "allowed", "plain", ASK) == 401


# --- in the end -------------------------------------------------------------------------------------------------------


def logged(border, event):
    with open(border.kidoban.log, encoding="utf-8") as f:
        lines = [line for line in f if line.startswith('{"ts"') and line.endswith("}\n")]
    return [e for e in map(json.loads, lines) if e["event"] == event]


def test_nobody_was_logged_as_a_friend(border):
    """Every refusal in the server's log has an origin of its own: never the address or the subnet of those let in."""
    attempt(border, "public", "plain", ASK, GATE)
    attempt(border, "balancer", "proxy", b"\r\n", NO_HEADER)
    until(lambda: logged(border, "proxy.protocol_error"), "the log has come so far")
    denied = [e for e in logged(border, "request") if e.get("decision") == "Deny"]
    friends = {("public", a) for a in (FRIEND, FRIEND6)}
    assert denied
    assert not [e for e in denied if (e["origin"], e["ip"]) in friends or e.get("subnet", "").endswith("/subnets/apps")]
    assert {e["peer"] for e in logged(border, "proxy.protocol_error")} == {BALANCER}
