"""The service behind Postern: a raw-socket server that keeps every byte it was sent and answers by a script."""
from __future__ import annotations

import json
import socket
import threading
import time

import h11

from .net import wait_until


class Request:
    """One request as it arrived. `raw_head` is kept as it came; the rest is a lenient reading of it."""

    def __init__(self, raw_head, connection, index):
        self.raw_head = raw_head
        self.connection = connection
        self.index = index
        lines = raw_head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.method, _, rest = self.line.partition(" ")
        self.target, _, self.version = rest.rpartition(" ")
        self.headers = []
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                self.headers.append((name, value.strip(" \t")))
        self.body = b""
        self.body_length = 0
        self.trailers = []
        self.complete = False
        self.raw_body = b""

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, "the upstream saw %s %d times: %r" % (name, len(values), values)
        return values[0] if values else None

    def names(self):
        return [n.lower() for n, _ in self.headers]

    def check(self):
        """Fails unless the head is one well-formed HTTP/1.1 request by h11's reading, with one framing at most."""
        parser = h11.Connection(h11.SERVER)
        parser.receive_data(self.raw_head)
        event = parser.next_event()
        assert isinstance(event, h11.Request), event
        assert event.http_version == b"1.1", event
        names = self.names()
        framing = names.count("content-length") + names.count("transfer-encoding")
        assert framing <= 1, "two framings: %r" % self.headers
        assert names.count("host") == 1, self.headers
        return self

    def __repr__(self):
        return "<Request %s %r>" % (self.line, self.headers)


class Exchange:
    """What a script works with: the request, the socket, and reading of the rest of the request."""

    def __init__(self, server, connection, request):
        self.server = server
        self.connection = connection
        self.request = request

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("latin-1")
        try:
            self.connection.sock.sendall(data)
            return True
        except OSError:
            return False

    def close(self, reset=False):
        self.connection.close(reset)

    def read_body(self, store=True):
        self.connection.read_body(self.request, store)
        return self.request.body

    def until_peer_closes(self, bound=20.0):
        """Stays silent until the other side closes (or the test ends)."""
        self.connection.sock.settimeout(0.05)
        deadline = time.monotonic() + bound
        while not self.server.stopping and time.monotonic() < deadline:
            try:
                data = self.connection.sock.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                break
            if not data:
                self.request.peer_closed = time.monotonic()
                break
            self.connection.received += len(data)
        self.close()


class Connection:
    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.buffer = b""
        self.received = 0
        self.closed = False
        self.requests = 0

    def close(self, reset=False):
        if self.closed:
            return
        self.closed = True
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except OSError:
            return False
        self.received += len(data)
        self.buffer += data
        return bool(data)

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return None
        raw, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return raw + b"\r\n\r\n"

    def _take(self, count, request, store):
        left = count
        while left:
            if not self.buffer and not self.fill():
                return False
            part = self.buffer[:left]
            self.buffer = self.buffer[len(part) :]
            left -= len(part)
            request.body_length += len(part)
            if store:
                request.body += part
        return True

    def _line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                return None
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def read_body(self, request, store=True):
        if request.complete:
            return
        if "chunked" in ",".join(request.all("transfer-encoding")).lower():
            while True:
                line = self._line()
                if line is None:
                    return
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    break
                if not self._take(size, request, store) or self._line() is None:
                    return
            while True:
                line = self._line()
                if line is None:
                    return
                if not line:
                    break
                name, _, value = line.decode("latin-1").partition(":")
                request.trailers.append((name, value.strip()))
            request.complete = True
        else:
            lengths = request.all("content-length")
            request.complete = self._take(int(lengths[0]) if lengths else 0, request, store)


def echo(exchange):
    """The default script: reads the body and answers 200 with what arrived, as JSON."""
    exchange.read_body()
    request = exchange.request
    body = json.dumps(
        {"method": request.method, "target": request.target, "headers": request.headers, "length": request.body_length}
    ).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    exchange.send(head.encode() + (b"" if request.method == "HEAD" else body))


class RecordingUpstream:
    """Listens on `host` (at `port`, or any) or on a Unix socket. Scripts given to `script` are used once each, in order, then `default`."""

    connection_class = Connection

    def __init__(self, path=None, host="127.0.0.1", port=0):
        self.sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        if path:
            self.sock.bind(path)
        else:
            # A service that comes back takes the port that its last connections may still hold.
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((host, port))
        self.sock.listen(256)
        self.path = path
        self.port = None if path else self.sock.getsockname()[1]
        self.url = "unix:" + path if path else "http://%s:%d" % (host, self.port)
        self.lock = threading.Lock()
        self.scripts = []
        self.default = echo
        self.requests = []
        self.connections = []
        self.stopping = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping = True
        self.sock.close()
        self.drop()

    def drop(self, reset=False):
        """Closes every open connection."""
        for each in list(self.connections):
            each.close(reset)

    def script(self, *scripts):
        with self.lock:
            self.scripts.extend(scripts)

    def clear(self):
        with self.lock:
            self.scripts = []
            self.default = echo

    def received(self):
        """Bytes received so far on all connections."""
        return sum(each.received for each in self.connections)

    def wait(self, count, timeout=5.0):
        """Waits until `count` request heads in all have arrived; the last of them."""
        wait_until(lambda: len(self.requests) >= count, timeout, "request %d at the upstream" % count)
        return self.requests[count - 1]

    def open_connections(self):
        return [each for each in self.connections if not each.closed]

    def _accept(self):
        while not self.stopping:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            if not self.path:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self.connection_class(sock, len(self.connections))
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        while not connection.closed:
            raw = connection.read_head()
            if raw is None:
                break
            request = Request(raw, connection.number, connection.requests)
            connection.requests += 1
            with self.lock:
                script = self.scripts.pop(0) if self.scripts else self.default
                self.requests.append(request)
            try:
                script(Exchange(self, connection, request))
            except (OSError, ValueError):
                break
        connection.close()
