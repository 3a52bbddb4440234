"""A small HTTP client: single requests, connections that stay open, and a fixed number of requests."""
from __future__ import annotations

import re
import selectors
import socket
import ssl

from .figures import Unusable


def head(path, token=None):
    """The bytes of a GET request."""
    lines = ["GET %s HTTP/1.1" % path, "Host: 127.0.0.1"]
    if token is not None:
        lines.append("Authorization: Bearer " + token)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def length_of(data):
    """How long the answer at the beginning of `data` is, or None if its head is not there yet."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    found = re.search(rb"\r\ncontent-length: *(\d+)", data[:end + 2], re.I)
    if found is None:
        raise Unusable("an answer without Content-Length: %r" % data[:200])
    return end + 4 + int(found.group(1))


class Connection:
    """One keep-alive connection, one request at a time; over TLS, whatever the certificate, if asked."""

    def __init__(self, port, timeout=10.0, tls=False):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def read(self):
        """Takes what has come; True if that completes the answer, which is then (`status`, `body`)."""
        more = self.sock.recv(1 << 16)
        if not more:
            raise Unusable("the connection was closed in an answer: %r" % self.data[:200])
        self.data += more
        length = length_of(self.data)
        if length is None or len(self.data) < length:
            return False
        self.status = int(self.data[9:12])
        self.body = self.data[:length].partition(b"\r\n\r\n")[2]
        self.data = self.data[length:]
        return True

    def ask(self, request):
        """(status, body) of one request."""
        self.sock.sendall(request)
        while not self.read():
            pass
        return self.status, self.body


def ask(port, path, token=None, tls=False):
    """(status, body) of one request on a connection of its own."""
    with Connection(port, tls=tls) as connection:
        return connection.ask(head(path, token))


def idle_connections(name, port, count, token, path):
    """`count` connections, each of which has had one answer of 200 and now waits."""
    connections = []
    try:
        for _ in range(count):
            connections.append(Connection(port))
            status, _ = connections[-1].ask(head(path, token))
            if status != 200:
                raise Unusable("%s answered %d on connection %d" % (name, status, len(connections)))
    except OSError as error:
        close_all(connections)
        raise Unusable("%s: connection %d: %s" % (name, len(connections), error))
    except BaseException:
        close_all(connections)
        raise
    return connections


def close_all(connections):
    for each in connections:
        each.close()


def exactly(name, connections, requests, token, path):
    """Sends `requests` requests over open connections, the next on each as soon as its answer is there."""
    request = head(path, token)
    sent = done = 0
    with selectors.DefaultSelector() as selector:
        for each in connections[:requests]:
            selector.register(each.sock, selectors.EVENT_READ, each)
            each.sock.sendall(request)
            sent += 1
        while done < requests:
            ready = selector.select(10)
            if not ready:
                raise Unusable("%s left a request without an answer for 10 s" % name)
            for entry, _ in ready:
                if not entry.data.read():
                    continue
                if entry.data.status != 200:
                    raise Unusable("%s answered %d" % (name, entry.data.status))
                done += 1
                if sent < requests:
                    entry.data.sock.sendall(request)
                    sent += 1
