"""One attempt to get past a gate, and what must hold afterwards: what came back, what was counted and logged."""

import itertools

from .border import BALANCER, FENCED, FORWARDER, PUBLIC, PUBLICS
from .wait import until

GATE = "the gate's answer"
# Who the senders are: the address, and the origin.
TRUE = {"public": (PUBLIC, "public"), "other": ("10.0.1.4", "subnet"), "tenant": (BALANCER, "subnet"),
        "forwarder": (FORWARDER, "public"), "balancer": (BALANCER, "public")}
TRUE_SIX = {"public": ("2001:db8:1::4", "public"), "other": ("fd00:0:0:1::4", "subnet")}
_publics = itertools.cycle(PUBLICS)


class CLOSED(str):
    """The counter that counts why."""


NOT_TRUSTED = CLOSED("kidoban_proxy_peers_refused_total")
NO_HEADER = CLOSED("kidoban_proxy_errors_total")
NO_TLS = CLOSED("kidoban_tls_handshake_failures_total")


def request(target="/v2/", *fields, method="GET", host=FENCED, version="HTTP/1.1"):
    lines = [f"{method} {target} {version}", *([f"Host: {host}"] if host is not None else []), *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


ASK = request()


def true_origin(host, door="plain"):
    address, kind = (TRUE_SIX if door == "six" else TRUE)[host]
    return f"{kind} {address}"


def assert_gate(answer, origin, head_only=False):
    """The gate's answer to this origin, which depends on nothing else, and nothing beside it."""
    kind, address = origin.split()
    assert answer is not None and answer.status == 403, answer
    assert set(answer.fields) <= {"date", "content-type", "content-length", "connection", "server"}, answer
    assert answer.field("Content-Type") == "application/json"
    body = ('{"errors":[{"code":"DENIED","message":"client with IP \'%s\' is not allowed access. Ask the registry\'s '
            'administrator for a network rule to grant access.","detail":{"origin":"%s","ip":"%s","reason":'
            '"default-action"}}]}\n' % (address, kind, address)).encode()
    assert (answer.body, int(answer.field("Content-Length"))) == (b"" if head_only else body, len(body))


def assert_logged(border, origin, again):
    """The log of denials has this origin and no other; past its ration of a second it is asked again."""
    seen = []

    def logged():
        seen.extend(border.denials())
        if not seen:
            again()
        return seen

    until(logged, "the denial in the log", every=0.1)
    assert set(seen) == {origin}


def assert_back(connection, back, origin, head_only=False):
    """What came back on a connection on which everything has been sent."""
    with connection as c:
        if isinstance(back, CLOSED):
            assert c.half_close().closed() or (back is NO_TLS and c.rest[:1] == b"\x15"), c.rest
        elif isinstance(back, int):
            a = c.half_close().answer()
            assert a.status == back and "www-authenticate" not in a.fields, a
            assert c.closed() or back == 404, c.rest
        else:
            assert_gate(c.answer(head_only), origin if back is GATE else back, head_only)


def counted(border, before):
    now = border.counters()
    return [why for why in (NOT_TRUSTED, NO_HEADER, NO_TLS) if now[why] > before[why]]


def attempt(border, host, door, sent, back, origin=None, **how):
    """An attempt by bytes alone, with all that must hold afterwards. The log of denials has ten lines a second for one
    address, so who is public has many."""
    if host == "public" and door == "plain" and not origin:
        how["source"] = next(_publics)
        origin = f"public {how['source']}"
    origin, counters = origin or true_origin(host, door), border.counters()
    border.denials()

    def once():
        assert_back(border.naked(host, door, **how).send(sent), back, origin)

    once()
    if isinstance(back, CLOSED):
        assert until(lambda: counted(border, counters), "a counter says why") == [back]
    if isinstance(back, (CLOSED, int)):
        assert border.denials() == []  # it came to no gate
    else:
        assert border.refused(counters) < border.refused()
        assert_logged(border, origin if back is GATE else back, once)


def assert_shut_out(border, host, door):
    """Nothing of what was tried stays: the next honest request is refused for what the sender is, and counted."""
    before = border.refused()
    with border.knock(host, door) as c:
        assert_gate(c.send(ASK).answer(), true_origin(host, door))
    assert border.refused() == before + 1


def status(border, host, door, sent, head_only=False, **how):
    """The status that somebody gets who may come in."""
    with border.knock(host, door, **how) as c:
        return c.send(sent).answer(head_only).status
