"""Many requests, quickly: connections that stay open, and threads that send until they are told to end."""
from __future__ import annotations

import re
import socket
import threading
import time

from .raw import bearer, head

LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)\r\n")


class Quick:
    """One keep-alive connection for requests whose answers have a Content-Length. No second opinion, no parsing beyond
    that: for counting and timing. `port` may be the path of a unix socket; with `context` it is over TLS."""

    def __init__(self, port, timeout=10.0, context=None):
        self.port = port
        self.timeout = timeout
        self.context = context
        self.sock = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def send(self, token, target="/auth"):
        """Sends a request, and connects before that if need be."""
        if self.sock is None:
            self._connect()
        self.sock.sendall(head("GET", target, bearer(token)))

    def receive(self):
        """The status of the answer."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        end = data.index(b"\r\n\r\n") + 4
        length = int(LENGTH.search(data[:end]).group(1))
        while len(data) < end + length:
            data += self._more()
        if b"\r\nConnection: close" in data[:end]:
            self.close()
        return int(data[9:12])

    def get(self, token, target="/auth"):
        """The status of one request."""
        self.send(token, target)
        return self.receive()

    def timed(self, token, target="/auth"):
        """(status, seconds) of one request."""
        begun = time.perf_counter()
        status = self.get(token, target)
        return status, time.perf_counter() - begun

    def _connect(self):
        if isinstance(self.port, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self.port)
        else:
            self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context is not None:
            self.sock = self.context.wrap_socket(self.sock, server_hostname="localhost")

    def _more(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise AssertionError("the connection was closed instead of an answer")
        return data


def spread(ports, tokens, connections=4, target="/auth"):
    """Sends each of `tokens` once, in order, over `connections` connections for each port, the ports in turn; the
    statuses in the same order. Every connection has a thread."""
    statuses, position, lock = [None] * len(tokens), iter(range(len(tokens))), threading.Lock()
    errors = []

    def work(port):
        try:
            with Quick(port) as client:
                while True:
                    with lock:
                        number = next(position, None)
                    if number is None:
                        return
                    statuses[number] = client.get(tokens[number], target)
        except (OSError, AssertionError) as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(port,)) for port in ports for _ in range(connections)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not errors, errors[:3]
    return statuses


class Load:
    """Threads that go on asking until the `with` block ends; each request carries what `token(number)` says, the number
    counting over all threads. `statuses` counts answers; `slowest` is in seconds. Nothing is ever asked again: any broken
    or refused connection is an error. Every second thread is `fresh` if that is set: each request on a connection of its
    own."""

    def __init__(self, ports, token, threads=2, pause=0.002, fresh=False, context=None, target="/auth"):
        self.ports = list(ports)
        self.token = token
        self.pause = pause
        self.fresh = fresh
        self.context = context
        self.target = target
        self.connections = 0
        self.statuses = {}
        self.slowest = 0.0
        self.errors = []
        self.number = 0
        self.lock = threading.Lock()
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(self.ports[n // 2 % len(self.ports)] if fresh else
                                                                  self.ports[n % len(self.ports)], fresh and n % 2 == 1))
                        for n in range(threads)]

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for each in self.threads:
            each.join(30)

    @property
    def answered(self):
        return sum(self.statuses.values())

    def only(self, *statuses):
        """Fails unless every answer so far had one of these statuses and no connection broke."""
        assert not self.errors, self.errors[:3]
        assert self.statuses and set(self.statuses) <= set(statuses), self.statuses

    def _work(self, port, fresh):
        try:
            with Quick(port, context=self.context) as client:
                while not self.end.wait(self.pause):
                    with self.lock:
                        number, self.number = self.number, self.number + 1
                        self.connections += client.sock is None
                    status, seconds = client.timed(self.token(number), self.target)
                    if fresh:
                        client.close()
                    with self.lock:
                        self.statuses[status] = self.statuses.get(status, 0) + 1
                        self.slowest = max(self.slowest, seconds)
        except (OSError, AssertionError) as error:
            self.errors.append(error)
