"""A client of literal bytes, and a strict reader of HTTP/1.1 responses."""
from __future__ import annotations

import json
import re
import select
import socket
import time

import h11

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9])(?: ([\t\x20-\x7e]*))?\Z")
FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*\Z", re.S)


class ProtocolError(AssertionError):
    """What came back is not a well-formed HTTP/1.1 response."""


class Truncated(AssertionError):
    """The connection ended inside a response; `partial` holds what of the body was read."""

    def __init__(self, message, partial=b""):
        super().__init__(message)
        self.partial = partial


class Response:
    """One final response, with the interim ones before it."""

    def __init__(self, status, headers, body, trailers, interim, raw):
        self.status = status
        self.headers = headers
        self.body = body
        self.trailers = trailers
        self.interim = interim
        self.raw = raw

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, "%s came %d times" % (name, len(values))
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "<Response %d %r %r>" % (self.status, self.headers, self.body[:300])


def parse_fields(lines):
    """Header lines (without CRLF) to a list of (name, value) strings; anything irregular is a ProtocolError."""
    fields = []
    for line in lines:
        match = FIELD.match(line)
        if not match or b"\r" in line or b"\n" in line or b"\0" in line:
            raise ProtocolError("not a header line: %r" % line)
        fields.append((match.group(1).decode("ascii"), match.group(2).decode("latin-1")))
    return fields


class RawClient:
    """One connection, from the address `source` if one is given. `timeout` bounds every single read, so that a test fails
    instead of hanging."""

    def __init__(self, port=None, timeout=5.0, host="127.0.0.1", path=None, source=None):
        if path is not None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(path)
        else:
            self.sock = socket.create_connection((host, port), timeout=timeout, source_address=(source, 0) if source else None)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.eof = False
        self.reset = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def abort(self):
        """Ends the connection by a reset: unlike an orderly close, this cannot be a client that still reads."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    # Sending. A peer that has already answered and closed is no failure of the sender: the answer decides.

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("latin-1")
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.reset = True
        return self

    def drip(self, data):
        """One byte per segment, until everything is sent or the peer has begun to answer."""
        for i in range(len(data)):
            if select.select([self.sock], [], [], 0)[0]:
                break
            self.send(data[i : i + 1])
        return self

    def split(self, data, at, pause=0.002):
        self.send(data[:at])
        time.sleep(pause)
        return self.send(data[at:])

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    # Receiving.

    def _fill(self):
        if self.eof:
            return False
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            self.reset = True
            data = b""
        if not data:
            self.eof = True
            return False
        self.buffer += data
        return True

    def _line(self, what):
        while b"\n" not in self.buffer:
            if len(self.buffer) > 1 << 17:
                raise ProtocolError("endless %s" % what)
            if not self._fill():
                raise Truncated("the connection ended in the %s: %r" % (what, self.buffer[:200]))
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise ProtocolError("line not ended by CRLF in the %s: %r" % (what, line))
        return line[:-1]

    def head(self):
        """(status, fields, raw head bytes) of the next response head."""
        line = self._line("status line")
        match = STATUS_LINE.match(line)
        if not match:
            raise ProtocolError("not a status line: %r" % line)
        raw, lines = [line], []
        while True:
            line = self._line("response head")
            raw.append(line)
            if not line:
                break
            lines.append(line)
        return int(match.group(1)), parse_fields(lines), b"\r\n".join(raw) + b"\r\n"

    def exactly(self, count, store=True):
        """Reads `count` bytes of a body; with store=False they are only counted."""
        parts, got = [], 0
        while got < count:
            if not self.buffer and not self._fill():
                raise Truncated("the body ended after %d of %d bytes" % (got, count), b"".join(parts))
            take = self.buffer[: count - got]
            self.buffer = self.buffer[len(take) :]
            got += len(take)
            if store:
                parts.append(take)
        return b"".join(parts)

    def _chunked(self, store):
        parts = []
        while True:
            line = self._line("chunk size")
            size = line.split(b";")[0]
            if not re.match(rb"[0-9a-fA-F]{1,16}\Z", size):
                raise ProtocolError("not a chunk size: %r" % line)
            size = int(size, 16)
            if size == 0:
                break
            try:
                parts.append(self.exactly(size, store))
            except Truncated as error:
                raise Truncated(str(error), b"".join(parts) + error.partial)
            if self.exactly(2) != b"\r\n":
                raise ProtocolError("a chunk does not end in CRLF")
        trailers = []
        while True:
            line = self._line("trailers")
            if not line:
                return b"".join(parts), parse_fields(trailers)
            trailers.append(line)

    def response(self, method="GET", store=True):
        """The next final response. Checks framing by its own rules and, where the bytes are kept, by h11 as well."""
        interim = []
        while True:
            status, fields, raw = self.head()
            if status >= 200 or status == 101:
                break
            interim.append((status, fields))
        names = [n.lower() for n, _ in fields]
        lengths = [v for n, v in fields if n.lower() == "content-length"]
        coding = [v for n, v in fields if n.lower() == "transfer-encoding"]
        if len(lengths) > 1 or (lengths and coding) or len(coding) > 1:
            raise ProtocolError("conflicting framing: %r" % fields)
        if lengths and not re.match(r"(0|[1-9][0-9]*)\Z", lengths[0]):
            raise ProtocolError("bad Content-Length %r" % lengths[0])
        for single in ("date", "x-request-id", "content-type", "location"):
            if names.count(single) > 1:
                raise ProtocolError("%s came %d times" % (single, names.count(single)))
        body, trailers, wire = b"", [], None
        if method == "HEAD" or status in (101, 204, 304) or (method == "CONNECT" and status < 300):
            wire = b""
        elif coding:
            if coding[0].lower() != "chunked":
                raise ProtocolError("transfer coding %r" % coding[0])
            body, trailers = self._chunked(store)
        elif lengths:
            body = self.exactly(int(lengths[0]), store)
            wire = body
        else:
            while self._fill():
                pass
            body, self.buffer = self.buffer, b""
        if wire is not None and store and status != 101:
            self._second_opinion(raw + wire, method, bool(lengths))
        return Response(status, fields, body, trailers, interim, raw)

    @staticmethod
    def _second_opinion(raw, method, framed):
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        parser.send(h11.EndOfMessage())
        parser.receive_data(raw)
        event = parser.next_event()
        assert isinstance(event, h11.Response), event

    def closed(self, timeout=None):
        """True if the peer closes now, having sent nothing more."""
        if timeout is not None:
            self.sock.settimeout(timeout)
        try:
            while self._fill():
                pass
        except socket.timeout:
            return False
        assert not self.buffer, "bytes after the last response: %r" % self.buffer[:300]
        return True

    def still_open(self, wait=0.05):
        """True if the peer neither closes nor sends anything for `wait` seconds."""
        before = self.sock.gettimeout()
        self.sock.settimeout(wait)
        try:
            got = self._fill()
        except socket.timeout:
            return not self.buffer
        finally:
            self.sock.settimeout(before)
        return bool(got) and not self.buffer


def head(method, target, *fields, host="mt5.test", version="HTTP/1.1"):
    """The bytes of a request head. `fields` are literal "Name: value" lines."""
    lines = ["%s %s %s" % (method, target, version)]
    if host is not None:
        lines.append("Host: %s" % host)
    lines.extend(fields)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def bearer(token):
    return "Authorization: Bearer %s" % token
