"""Credentials as they are carried, and what can be made of good tokens without the key that signed them."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse

from .wait import until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOKEN_USER = "00000000-0000-0000-0000-000000000000"
REGISTRIES = "https://containerregistry.azure.net"


def encode(data):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts(token):
    head, claims, signature = token.split(".")
    return json.loads(decode(head)), json.loads(decode(claims)), decode(signature)


def signed(head, claims, key):
    text = f"{encode(head)}.{encode(claims)}"
    return f"{text}.{encode(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def form(**fields):
    return urllib.parse.urlencode(fields)


class Guesses:
    """Wrong secrets for one account from one address, by whatever door: there are ten, and one more for each six seconds
    that this takes."""

    def __init__(self):
        self.began, self.heard = time.monotonic(), 0

    def until_shut_out(self, ask):
        """Ask, which gets a status, until nobody listens any more; that answer's status is 429."""
        for _ in range(200):
            status = ask()
            if status == 429:
                return
            assert status == 401, status
            self.heard += 1
        raise AssertionError("200 guesses, and no end")

    def also_shuts_out(self, guess, good):
        """While guesses are not heard, a good secret is not either."""
        until(lambda: self.until_shut_out(guess) or good() == 429, "the good secret is refused", every=0)

    def assert_no_more_were_heard(self):
        assert 10 <= self.heard <= 11 + (time.monotonic() - self.began) / 6


def published_keys(kidoban):
    """The keys that whoever checks identity tokens may fetch."""
    c = kidoban.control().connect()
    answer = c.get("/adfs/discovery/keys", token=None)
    c.close()
    return answer.json["keys"]


def identity(kidoban, resource=REGISTRIES):
    control = kidoban.control()
    c = control.connect()
    a = c.request("POST", "/adfs/oauth2/token", headers=FORM, token=None,
                  body=form(grant_type="client_credentials", client_id=control.admin["clientId"],
                            client_secret=control.admin["clientSecret"], scope=resource + "/.default"))
    c.close()
    assert a.status == 200, a
    return a.json["access_token"]


def refresh_token(kidoban, connection):
    a = connection.request("POST", "/oauth2/exchange", headers=FORM, token=None,
                           body=form(grant_type="access_token", service=connection.authority,
                                     access_token=identity(kidoban, REGISTRIES)))
    assert a.status == 200, a
    return a.json["refresh_token"]


def forgeries(token, keys):
    """What can be made of a good token without the key that signed it; keys: the published ones."""
    head, claims, signature = parts(token)
    h, c, s = token.split(".")
    more = {**claims, "access": [{"type": "repository", "name": "app", "actions": ["pull", "push", "delete"]}]}
    public = [k[name].encode() for k in keys for name in ("x", "kid")] + [json.dumps(k).encode() for k in keys]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    yield "claims of another", f"{h}.{encode(more)}.{s}"
    yield "a later end", f"{h}.{encode({**claims, 'exp': claims['exp'] + 86400})}.{s}"
    for alg in ("none", "None", "NONE", "", None, "HS384", "HS512", "RS256", "PS256", "EdDSA", "dir"):
        yield f"alg {alg}", f"{encode({**head, 'alg': alg})}.{c}.{s}"
    yield "alg none, no signature", f"{encode({**head, 'alg': 'none'})}.{c}."
    yield "no alg", f"{encode({k: v for k, v in head.items() if k != 'alg'})}.{c}.{s}"
    for i, key in enumerate(public):
        for kid in (head.get("kid"), keys[0]["kid"]):
            yield f"HS256 with public thing {i}", signed({**head, "alg": "HS256", "kid": kid}, claims, key)
    for key in (b"", b"\0", b"secret", b"kidoban", b"\0" * 32):
        yield f"HS256 with {key}", signed({**head, "alg": "HS256"}, claims, key)
    yield "its own key", signed({**head, "jwk": {"kty": "oct", "k": encode(b"k" * 32)}}, claims, b"k" * 32)
    yield "a key from elsewhere", signed({**head, "jku": "http://198.51.100.66/k"}, claims, b"k" * 32)
    yield "kid as a path", signed({**head, "kid": "../../../../dev/null"}, claims, b"")
    yield "kid as a list", signed({**head, "kid": [head.get("kid")]}, claims, b"")
    yield "another typ", f"{encode({**head, 'typ': 'JWT'})}.{c}.{s}"
    yield "crit", f"{encode({**head, 'crit': ['x'], 'x': 1})}.{c}.{s}"
    yield "no signature", f"{h}.{c}."
    yield "two parts", f"{h}.{c}"
    yield "four parts", f"{token}.{s}"
    yield "a cut signature", f"{h}.{c}.{encode(signature[:-1])}"
    yield "a longer signature", f"{h}.{c}.{encode(signature + b'x')}"
    yield "zeros", f"{h}.{c}.{encode(bytes(len(signature)))}"
    yield "padding", token + "="
    yield "standard base64", f"{h}.{c}.{base64.b64encode(signature).decode()}"
    if len(signature) % 3:
        yield "spare bits", token[:-1] + last[last.index(token[-1]) ^ 1]
    yield "empty", ".."
    yield "one dot", "."
    yield "lists", ".".join(encode([]) for _ in range(3))
    yield "deep", f"{encode(b'[' * 5000)}.{c}.{s}"
    yield "long", f"{h}.{'A' * 20_000}.{s}"
    yield "NUL in the head", f"{encode(json.dumps(head).encode() + bytes(1))}.{c}.{s}"
    yield "alg twice", f"{encode(b'{' + json.dumps(head).encode()[1:-1] + b', ' + json.dumps(head).encode()[1:])}.{c}.{s}"
