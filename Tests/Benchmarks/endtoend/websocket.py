"""WebSocket (RFC 6455): a service that echoes, and a client that sends the next message as soon as the one before is back.

As a program, `python3 websocket.py PORT` is the service."""
from __future__ import annotations

import base64
import hashlib
import re
import selectors
import socket
import sys
import time

CONNECTIONS = 64
MESSAGE = b"m" * 100
# A mask of zeros is one like any other, and leaves the message as it is.
SENT = bytes([0x82, 0x80 | len(MESSAGE)]) + b"\0\0\0\0" + MESSAGE
ECHOED = bytes([0x82, len(MESSAGE)]) + MESSAGE
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


def accept(key):
    """What answers a Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def switched(head):
    """The service's answer to a request head."""
    key = re.search(rb"\r\nsec-websocket-key: *(\S+)\r\n", head, re.I)
    return (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept(key.group(1)))


def request(token=None):
    """The client's request head."""
    lines = [b"GET /ws HTTP/1.1", b"Host: localhost", b"Connection: Upgrade", b"Upgrade: websocket",
             b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + KEY]
    if token is not None:
        lines.append(b"Authorization: Bearer " + token.encode("ascii"))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def serve(port):
    """Echoes for ever."""
    with selectors.DefaultSelector() as selector, socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        selector.register(listener, selectors.EVENT_READ, None)
        while True:
            for entry, _ in selector.select():
                if entry.data is None:
                    sock, _ = listener.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(sock, selectors.EVENT_READ, {"data": b"", "open": False})
                elif not _serve_some(entry.fileobj, entry.data):
                    selector.unregister(entry.fileobj)
                    entry.fileobj.close()


def _serve_some(sock, state):
    """Takes what came and answers it; False at the end."""
    try:
        more = sock.recv(1 << 16)
    except OSError:
        return False
    state["data"] += more
    if not state["open"] and b"\r\n\r\n" in state["data"]:
        head, _, state["data"] = state["data"].partition(b"\r\n\r\n")
        state["open"] = True
        sock.sendall(switched(head + b"\r\n"))
    while state["open"] and len(state["data"]) >= len(SENT):
        if state["data"][:len(SENT)] != SENT:
            return False
        state["data"] = state["data"][len(SENT):]
        sock.sendall(ECHOED)
    return bool(more)


class Client:
    """One connection. `status` is the answer to its request; 101 is what it should be."""

    def __init__(self, port, token=None):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(request(token))
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.sock.recv(1 << 16)
            if not more:
                break
            head += more
        self.status = int(head[9:12] or 0)
        if self.status == 101 and accept(KEY) not in head:
            self.status = 0
        self.left = len(ECHOED)

    def close(self):
        self.sock.close()


def status(port, token=None):
    """What one request for a WebSocket is answered with."""
    client = Client(port, token)
    client.close()
    return client.status


class Talk:
    """`CONNECTIONS` open connections; a context manager."""

    def __init__(self, port, token):
        self.clients = []
        try:
            for _ in range(CONNECTIONS):
                self.clients.append(Client(port, token))
                if self.clients[-1].status != 101:
                    raise OSError("a WebSocket was answered with %d" % self.clients[-1].status)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.clients:
            each.close()

    def run(self, seconds):
        """How many messages came back in so many seconds. None is under way at the end."""
        done, end = 0, time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for each in self.clients:
                selector.register(each.sock, selectors.EVENT_READ, each)
                each.sock.sendall(SENT)
            waiting = len(self.clients)
            while waiting:
                ready = selector.select(10)
                if not ready:
                    raise OSError("a message did not come back in 10 s")
                goes_on = time.monotonic() < end
                for entry, _ in ready:
                    client = entry.data
                    more = len(client.sock.recv(1 << 16))
                    client.left -= more
                    if not more or client.left < 0:
                        raise OSError("what came back is not what was sent")
                    if client.left:
                        continue
                    done += 1
                    client.left = len(ECHOED)
                    if goes_on:
                        client.sock.sendall(SENT)
                    else:
                        waiting -= 1
        return done


if __name__ == "__main__":
    serve(int(sys.argv[1]))
