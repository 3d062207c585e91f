"""What no client library sends: bytes as they are, and the answers as they come."""

import contextlib
import socket
import ssl

from .http import tls_context
from .network import REGISTRY_ADDRESS, inside


class RawAnswer:
    """A response as it was on the wire; `text` shows it in failures."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = (lines[0].split(" ", 2) + ["", ""])[:3]
        self.status, self.body = int(status), body
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields.setdefault(name.strip().lower(), []).append(value.strip())

    def field(self, name):
        return ", ".join(self.fields.get(name.lower(), [])) or None

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:300]!r}>"


SO_MARK = 36


class Raw:
    """One connection from a space, plain or TLS (with `ca`), that sends bytes and reads answers one by one. `source`
    (an address) and `mark` are for who claims to be another; `first` is sent before TLS."""

    def __init__(self, space, port=443, ca=None, name=None, address=REGISTRY_ADDRESS, timeout=60, source=None, mark=0,
                 first=b"", context=None):
        with inside(space.ns):
            found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
            self.sock = socket.socket(found[0])
        self.sock.settimeout(timeout)
        if mark:
            self.sock.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect(found[4])
        self.sock.sendall(first)
        if ca or context:
            context = context or tls_context(ca)
            self.sock = context.wrap_socket(self.sock, server_hostname=name, suppress_ragged_eofs=True)
        self.rest = b""

    def send(self, data):
        """The server may have closed already: what it said before that counts."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.sock.sendall(data)
        return self

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        self.rest += data
        return bool(data)

    def answer(self, head_only=False):
        """The next answer; None if the server closes before it."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                assert not self.rest, f"a torn answer: {self.rest[:300]!r}"
                return None
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        a = RawAnswer(head, b"")
        if a.status == 100:
            return a
        length = 0 if head_only or a.status in (204, 304) else int(a.field("Content-Length") or 0)
        assert head_only or not a.field("Transfer-Encoding"), a
        while len(self.rest) < length:
            assert self._more(), f"a torn body: {a}"
        a.body, self.rest = self.rest[:length], self.rest[length:]
        return a

    def closed(self):
        """Nothing but the end follows."""
        while self._more():
            pass
        return self.rest == b""

    def half_close(self):
        with contextlib.suppress(OSError):  # the server has closed already
            self.sock.shutdown(socket.SHUT_WR)
        return self

    def fileno(self):
        return self.sock.fileno()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()
