"""A small registry client over one connection that stays open, for what real clients do not show."""

import base64
import collections
import contextlib
import functools
import http.client
import json
import socket
import ssl
import time
import urllib.parse

from .network import REGISTRY_ADDRESS, inside
from .wait import until

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Refused(AssertionError):
    """Another answer than the one that was needed to go on."""

    def __init__(self, what, answer):
        super().__init__(f"{what}: {answer}")
        self.answer = answer


@functools.lru_cache(maxsize=8)
def tls_context(ca):
    """Reading an authority costs more than a handshake with it."""
    context = ssl.create_default_context(cadata=ca)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connection:
    """One connection from a space to a server, TLS with `ca` and plain without. Never reconnects by itself: a lost
    connection is an error. `first` is sent before TLS; `source` (an address) and `receive` (bytes of the receive
    buffer) are for who must be peculiar."""

    def __init__(self, space, ca, name, port=443, address=REGISTRY_ADDRESS, first=b"", source=None, receive=0):
        self.name, self.port = name, port
        self.authority = name if port == 443 else f"{name}:{port}"
        with inside(space.ns):
            plain = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        plain.settimeout(60)
        if receive:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        if source:
            plain.bind((source, 0))
        plain.connect((address, port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.sendall(first)
        self.sock = tls_context(ca).wrap_socket(plain, server_hostname=name) if ca else plain
        self.http = http.client.HTTPConnection(name, port)
        self.http.auto_open = False
        self.http.sock = self.sock
        self.token = None

    def request(self, method, target, body=None, headers=None, token=...):
        """One request on this connection, with the token got by sign_in() unless told another."""
        token = self.token if token is ... else token
        h = {"Host": self.authority, **({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        self.http.request(method, target, body=body, headers=h)
        return Answer(self.http.getresponse())

    def get(self, target, **kw):
        return self.request("GET", target, **kw)

    def sign_in(self, user, password, *scopes):
        """Get a token over this connection and use it from now on."""
        query = urllib.parse.urlencode([("service", self.authority), *(("scope", s) for s in scopes)])
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        a = self.request("GET", f"/oauth2/token?{query}", headers={"Authorization": f"Basic {basic}"}, token=None)
        if a.status != 200:
            raise Refused("no token", a)
        self.token = a.json.get("access_token") or a.json["token"]
        return self.token

    def local(self, location):
        """A Location header as a target for this connection."""
        parts = urllib.parse.urlsplit(location)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def names(self, target, member):
        """A whole list, page by page as its Link fields lead."""
        found = []
        while target:
            a = self.get(target)
            found += a.json[member] or []
            link = a.headers.get("Link")
            target = self.local(link[1:link.index(">")]) if link else None
        return found

    def start_upload(self, repository):
        a = self.request("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"})
        if a.status != 202:
            raise Refused("no upload", a)
        return self.local(a.headers["Location"])

    def finish_upload(self, target, digest, data=b""):
        mark = "&" if "?" in target else "?"
        return self.request("PUT", f"{target}{mark}digest={urllib.parse.quote(digest)}", body=data,
                            headers={"Content-Type": "application/octet-stream", "Content-Length": str(len(data))})

    def push_blob(self, repository, digest, data):
        return self.finish_upload(self.start_upload(repository), digest, data)

    def put_manifest(self, repository, reference, manifest, media_type=MANIFEST):
        return self.request("PUT", f"/v2/{repository}/manifests/{reference}", body=manifest,
                            headers={"Content-Type": media_type})

    def push(self, repository, tag, image):
        """Push a whole image; returns the last answer, or the first that is no 201."""
        for digest, data in image.blobs.items():
            a = self.push_blob(repository, digest, data)
            if a.status != 201:
                return a
        return self.put_manifest(repository, tag, image.manifest)

    def manifest(self, repository, reference):
        return self.get(f"/v2/{repository}/manifests/{reference}", headers={"Accept": MANIFEST})

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.close()


class Idle:
    """Connections that do nothing. The server ends one after two minutes of that: on a machine that takes so long for a test
    they ask once more in between."""

    def __init__(self, connect, count):
        self.asked = collections.deque()  # who asked longest ago, and when, is first
        for i in range(count):
            self._ask(connect(i))
            self.keep()

    def _ask(self, connection):
        status = connection.get("/v2/").status
        self.asked.append((time.monotonic(), connection))
        return status

    def keep(self):
        """To be called often."""
        while time.monotonic() - self.asked[0][0] > 60:
            self._ask(self.asked.popleft()[1])

    def ask_all(self):
        """The statuses that they get."""
        return {self._ask(self.asked.popleft()[1]) for _ in range(len(self.asked))}

    def close(self):
        for _, c in self.asked:
            c.close()


UPLOAD_PATIENCE = 10  # seconds that a request waits for another that works on the same upload


def in_turn(ask):
    """The answer to a request for an upload that another may still work on: a 409 is believed where it came too early,
    and asked again where the server did wait, on a machine that is slow."""
    for _ in range(6):
        began = time.monotonic()
        a = ask()
        if a.status != 409 or time.monotonic() - began < UPLOAD_PATIENCE:
            break
    return a


class Control:
    """The control plane as a program sees it: REST with the administrator's token."""

    def __init__(self, space, admin, address="127.0.0.1"):
        self.space, self.admin, self.address = space, admin, address
        self.url = urllib.parse.urlsplit(admin["controlUrl"])
        self.token = None

    def connect(self):
        return Connection(self.space, self.admin["ca"], self.url.hostname, self.url.port or 443, self.address)

    def sign_in(self, connection=None):
        own = connection or self.connect()
        form = {"grant_type": "client_credentials", "client_id": self.admin["clientId"],
                "client_secret": self.admin["clientSecret"],
                "scope": self.admin["controlUrl"].rstrip("/") + "/.default"}
        a = own.request("POST", "/adfs/oauth2/token", body=urllib.parse.urlencode(form),
                        headers={"Content-Type": "application/x-www-form-urlencoded"})
        if connection is None:
            own.close()
        if a.status != 200:
            raise AssertionError(f"no token for the control plane: {a}")
        self.token = a.json["access_token"]
        return self.token

    def request(self, method, target, body=None, connection=None):
        """One request with the administrator's token; a dict is sent as JSON. What goes on after the answer is waited
        for, as every client does; the answer is the first one."""
        own = connection or self.connect()
        token = self.token or self.sign_in(own)
        data = json.dumps(body).encode() if body is not None else (b"" if method == "POST" else None)
        mark = "&" if "?" in target else "?"
        a = own.request(method, f"{target}{mark}api-version=2023-07-01", body=data, token=token,
                        headers={"Content-Type": "application/json"} if data else None)
        if method != "GET" and a.status < 300:
            self.wait(a, own, token)
        if connection is None:
            own.close()
        return a

    def wait(self, answer, connection, token):
        """Until the operation that `answer` began, if it did, has ended."""
        link = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location")

        def ended():
            a = connection.get(connection.local(link), token=token)
            if a.status >= 400 or (a.body and a.json.get("status") in ("Failed", "Canceled")):
                raise Refused("the operation failed", a)
            return a.status != 202 and not (a.body and a.json.get("status") == "InProgress")

        if link:
            until(ended, "the operation has ended", timeout=300)
