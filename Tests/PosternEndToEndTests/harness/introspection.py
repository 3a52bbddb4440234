"""An issuer's introspection endpoint: programmable for each token, counting, for many connections at once."""
from __future__ import annotations

import base64
import json
import socket
import threading
import time
import urllib.parse

KEY = "hsk_service-key-of-the-tests"


def claims(**changes):
    """The members of a good RFC 7662 answer beside `active`; a change to None takes the member out."""
    members = {
        "sub": "user-7", "client_id": "trading-dashboard", "username": "ada", "scope": "trade:read account:read",
        "token_type": "Bearer", "exp": int(time.time()) + 3600,
    }
    members.update(changes)
    return {name: value for name, value in members.items() if value is not None}


def hecate(**changes):
    """The members of a good answer of the hecate dialect beside `valid`."""
    members = {"user_id": "user-7", "username": "ada", "is_admin": False, "roles": ["trader"],
               "permissions": ["trade:read", "account:read"]}
    members.update(changes)
    return {name: value for name, value in members.items() if value is not None}


class Answer:
    """What the server says of a token: `members` if it is active. `body` (bytes) replaces the whole answer's body;
    `then` is "keep", "close" (without any answer), "cut" (in the middle of the body), or "silent"."""

    def __init__(self, members=None, active=True, status=200, body=None, fields=(), kind="application/json", delay=0.0,
                 then="keep"):
        self.members = members
        self.active = active
        self.status = status
        self.body = body
        self.fields = list(fields)
        self.kind = kind
        self.delay = delay
        self.then = then

    def bytes(self, dialect):
        """The answer's body."""
        if self.body is not None:
            return self.body
        flag = "valid" if dialect == "hecate" else "active"
        members = dict(self.members or {}) if self.active else {}
        return json.dumps(dict({flag: self.active}, **members)).encode()


def inactive(**arguments):
    """The answer for a token that is not, or no longer, good."""
    return Answer(active=False, **arguments)


class Asked:
    """One request as it arrived."""

    def __init__(self, method, path, headers, body):
        self.time = time.monotonic()
        self.method = method
        self.path = path
        self.headers = headers  # [(name, value)]
        self.body = body
        self.token = self._token()

    def header(self, name):
        values = [v for n, v in self.headers if n.lower() == name.lower()]
        assert len(values) <= 1, "%s came %d times" % (name, len(values))
        return values[0] if values else None

    def form(self):
        """The form's fields, each of which must stand there once."""
        pairs = urllib.parse.parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        assert len(pairs) == len(dict(pairs)), pairs
        return dict(pairs)

    def basic(self):
        """(id, secret) of Basic credentials, as RFC 6749 2.3.1 has them encoded."""
        kind, _, text = self.header("authorization").partition(" ")
        assert kind == "Basic", kind
        name, _, secret = base64.b64decode(text, validate=True).decode("ascii").partition(":")
        return urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)

    def _token(self):
        try:
            if "json" in (self.header("content-type") or ""):
                return json.loads(self.body)["token"]
            return self.form()["token"]
        except (ValueError, KeyError, TypeError):
            return None


class IntrospectionServer:
    """Answers POSTs at `/introspect`. `answers` has what is said of each token, `default` what of all others; `override`,
    where set, is said whatever the token. While `gate` is cleared every answer waits."""

    path = "/introspect"

    def __init__(self, dialect="rfc7662"):
        self.dialect = dialect
        self.answers = {}
        self.default = inactive()
        self.override = None
        self.gate = threading.Event()
        self.gate.set()
        self.requests = []
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        self.connections = set()
        self.sock = None
        self.port = 0
        self.start()
        self.url = "http://127.0.0.1:%d%s" % (self.port, self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Listens, again on the same port after a `stop`."""
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", self.port))
        self.sock.listen(1024)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.sock,), daemon=True).start()

    def stop(self):
        """Refuses connections from now on, and closes those that are open."""
        self.gate.set()
        _close(self.sock)
        with self.lock:
            open_now = list(self.connections)
        for each in open_now:
            _close(each)

    def add(self, token, members=None, **arguments):
        """Makes `token` active, with these members (default: good ones of the dialect). Returns the token."""
        if members is None:
            members = hecate() if self.dialect == "hecate" else claims()
        self.answers[token] = Answer(members, **arguments)
        return token

    def count(self, token=None):
        """How many requests came, of this token or in all."""
        return len([1 for each in list(self.requests) if token is None or each.token == token])

    def distinct(self):
        """How many different tokens were asked for."""
        return len({each.token for each in list(self.requests)})

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            buffer = b""
            while True:
                asked, buffer = _read(sock, buffer)
                if asked is None or not self._answer(sock, asked):
                    break
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.connections.discard(sock)
            _close(sock)

    def _answer(self, sock, asked):
        """Sends what is due; False ends the connection."""
        with self.lock:
            self.requests.append(asked)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            self.gate.wait(30)
            answer = self.override or self.answers.get(asked.token, self.default)
            if answer.delay:
                time.sleep(answer.delay)
            if answer.then == "silent":
                while sock.recv(65536):
                    pass
                return False
            if answer.then == "close":
                return False
            if (asked.method, asked.path) != ("POST", self.path):
                answer = Answer(status=404, body=b"{}")
            head, body = _head(answer, answer.bytes(self.dialect)), answer.bytes(self.dialect)
            sock.sendall(head + (body[: len(body) // 2] if answer.then == "cut" else body))
            return answer.then == "keep"
        finally:
            with self.lock:
                self.in_flight -= 1


def _head(answer, body):
    lines = ["HTTP/1.1 %d X" % answer.status, "Content-Type: " + answer.kind, "Content-Length: %d" % len(body)]
    return ("\r\n".join(lines + answer.fields) + "\r\n\r\n").encode("latin-1")


def _read(sock, buffer):
    """(the next request or None, the bytes after it)"""
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(65536)
        if not data:
            return None, b""
        buffer += data
    head, buffer = buffer.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    fields = {name.lower(): value for name, value in headers}
    if "chunked" in fields.get("transfer-encoding", ""):
        raise ValueError("a token in chunks: its length is known")
    length = int(fields.get("content-length", "0"))
    while len(buffer) < length:
        data = sock.recv(65536)
        if not data:
            return None, b""
        buffer += data
    return Asked(method, path, headers, buffer[:length]), buffer[length:]


def _close(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()
