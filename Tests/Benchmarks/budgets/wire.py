"""A client and a service that never have more than one message under way, so that each read of the proxy brings one
whole message, and the same work is done for every request."""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time

ISSUER = "https://issuer.test"
AUDIENCE = "mt5-api"
SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
PATIENCE = 60.0

BODY = json.dumps({"balance": 10250.5, "equity": 10301.25, "margin": 512.0, "currency": "EUR", "open": 3}).encode()
HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: demo\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Cache-Control: no-store\r\nContent-Length: %d\r\n\r\n"
)


def token():
    """A good HS256 token of a usual size (about 900 bytes), valid for a day."""
    signed = signing_input("HS256")
    return complete(signed, hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())


def complete(signed, signature):
    """The token of what was signed and its signature."""
    return (signed + b"." + _base64url(signature)).decode()


def signing_input(algorithm, number=0):
    """Header and claims of a good token; another number is another token, of the same length."""
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": [AUDIENCE], "sub": "5f2b7a52-6a3f-4a4e-9a57-0d5b8c2f9e11", "client_id": "trading-dashboard",
        "username": "ada.lovelace", "email": "ada.lovelace@example.test", "is_trusted": False, "roles": ["trader", "analyst"],
        "scope": "trade:read trade:open trade:close account:read account:balance market:data notification:send",
        "tenant": "9f4c1e7e-1df6-4c11-8f0e-1a2b3c4d5e6f", "session": "c0a8012e-7a55-4a53-8d3b-b1a1f6a5d3c2",
        "iat": now - 5, "nbf": now - 5, "exp": now + 86400, "jti": "0f8fad5b-d9cb-469f-a165-%012x" % (0x70867728950e + number),
    }
    header = {"alg": algorithm, "typ": "at+jwt", "kid": "2026-01-signing-key"}
    return b".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def request(target, bearer):
    """The head of a GET as an API client sends it: eight fields with the token, seven without."""
    lines = [
        "GET %s HTTP/1.1" % target, "Host: mt5.test", "User-Agent: trading-dashboard/4.2 (linux; x86_64)",
        "Accept: application/json", "Accept-Encoding: gzip, deflate", "Accept-Language: en-GB,en;q=0.8",
        "X-Client-Version: 4.2.0", "Cache-Control: no-cache",
    ]
    if bearer is not None:
        lines.append("Authorization: Bearer " + bearer)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def free_ports(count):
    """Ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Service:
    """Answers every request head with `body`, in one write, on as many connections as are opened."""

    def __init__(self, body=BODY):
        self.body = body
        self.response = HEAD % len(body) + body
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        received = b""
        try:
            while True:
                data = connection.recv(65536)
                if not data:
                    return
                received += data
                if received.endswith(b"\r\n\r\n"):
                    received = b""
                    connection.sendall(self.response)
        except OSError:
            return

    def close(self):
        """Ends the listener and every connection."""
        for each in [self.listener, *self.connections]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()


class Client:
    """One keep-alive connection that sends the next request when the whole answer to the last one is there."""

    def __init__(self, port, body=BODY):
        self.body = body
        self.connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.connection.settimeout(PATIENCE)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, head, times):
        """Sends `head` so many times; anything but 200 and the service's body is an error."""
        for _ in range(times):
            self.connection.sendall(head)
            received = b""
            while not received.endswith(self.body):
                data = self.connection.recv(65536)
                if not data:
                    raise ConnectionError("the proxy closed the connection after %r" % received)
                received += data
            if not received.startswith(b"HTTP/1.1 200 "):
                raise ConnectionError("the proxy answered %r" % received.split(b"\r\n", 1)[0])

    def close(self):
        self.connection.close()
