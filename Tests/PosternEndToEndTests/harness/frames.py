"""An HTTP/2 client of literal frames (RFC 9113): it sends whatever it is told, and reads strictly what comes back."""
from __future__ import annotations

import re
import socket
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 0x1, 0x1, 0x4, 0x8, 0x20
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR = range(7)
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(7, 12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)
ENABLE_CONNECT_PROTOCOL = 8
NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+\Z")
VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\x20\t\x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\Z")
CONNECTION_FIELDS = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}


class ProtocolError(AssertionError):
    """What came back is no well-formed HTTP/2."""


def frame(kind, flags=0, stream=0, payload=b""):
    """The bytes of a frame."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value, prefix, first=0):
    """An integer of HPACK (RFC 7541 section 5.1) with that many bits in its first byte."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    value -= most
    out = [first | most]
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def literal(fields):
    """A header block of literal fields that nobody keeps (RFC 7541 section 6.2.2): any bytes, and no state."""
    out = b""
    for name, value in fields:
        name, value = _bytes(name), _bytes(value)
        out += b"\x00" + integer(len(name), 7) + name + integer(len(value), 7) + value
    return out


def request(method="GET", path="/health", *fields, scheme="http", authority="mt5.test"):
    """The fields of a request."""
    return [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)] + list(fields)


def bearer(token):
    return ("authorization", "Bearer " + token)


class Stream:
    """What came back on one stream."""

    def __init__(self):
        self.status = None
        self.headers = []
        self.trailers = None
        self.interim = []
        self.blocks = []
        self.body = b""
        self.ended = False
        self.ended_with_head = False
        self.reset = None

    @property
    def over(self):
        return self.ended or self.reset is not None

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, "%s came %d times: %r" % (name, len(values), values)
        return values[0] if values else None

    def __repr__(self):
        return "<Stream status=%r reset=%r ended=%r %r %r>" % (
            self.status, self.reset, self.ended, self.headers, self.body[:300])


class FrameClient:
    """One connection. `polite` ones answer SETTINGS and PING and open windows for what they have read; `context` makes it TLS
    with ALPN h2. `timeout` bounds every wait."""

    def __init__(self, port, context=None, settings=(), preface=True, polite=True, timeout=5.0, name="localhost"):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock, server_hostname=name)
            assert self.sock.selected_alpn_protocol() == "h2"
        self.timeout = timeout
        self.polite = polite
        self.decoder = hpack.Decoder()
        self.buffer = b""
        self.streams = {}
        self.settings = {}
        self.acknowledged = 0
        self.pongs = []
        self.windows = {}
        self.goaway = None
        self.closed = False
        self.next = 1
        self._block = None
        if preface:
            self.send(PREFACE + frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *each) for each in settings)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    # Sending. A peer that is gone is no failure of the sender: what it said decides.

    def send(self, data):
        """Whether the bytes could be sent."""
        try:
            self.sock.settimeout(self.timeout)
            self.sock.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError):
            return False

    def frame(self, kind, flags=0, stream=0, payload=b""):
        return self.send(frame(kind, flags, stream, payload))

    def open(self, fields, end=True, block=None):
        """Sends HEADERS on a new stream; its number."""
        number, self.next = self.next, self.next + 2
        self.frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), number, literal(fields) if block is None else block)
        return number

    def data(self, number, payload=b"", end=False):
        return self.frame(DATA, END_STREAM if end else 0, number, payload)

    def reset(self, number, code=CANCEL):
        return self.frame(RST_STREAM, 0, number, struct.pack(">I", code))

    def window(self, number, more):
        return self.frame(WINDOW_UPDATE, 0, number, struct.pack(">I", more))

    # Reading

    def stream(self, number):
        return self.streams.setdefault(number, Stream())

    def until(self, condition, timeout=None, what="the answer"):
        """Reads until `condition` holds; fails when the connection ends or the time is over before."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not condition():
            if self.closed:
                raise AssertionError("the connection ended before %s: GOAWAY %r" % (what, self.goaway))
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError("no %s in time; %r" % (what, self.streams))
            self._fill(left)

    def answer(self, number, timeout=None):
        """The stream, when it is over."""
        self.until(lambda: self.stream(number).over, timeout, "the end of stream %d" % number)
        return self.stream(number)

    def get(self, path="/health", *fields, **options):
        """One request and its answer, which must be whole."""
        found = self.answer(self.open(request("GET", path, *fields, **options)))
        assert found.reset is None, found
        return found

    def ping(self):
        """Whether the peer answers a PING: everything sent before was read by then."""
        token = struct.pack(">d", time.monotonic())
        self.frame(PING, 0, 0, token)
        self.until(lambda: token in self.pongs, what="PING's answer")

    def settle(self):
        """Exchanges SETTINGS, and from then on sends nothing but what it is told: nothing comes between two parts of a frame."""
        self.until(lambda: self.settings and self.acknowledged, what="SETTINGS")
        self.polite = False

    def ends(self, timeout=None):
        """Reads to the end of the connection; the code of its GOAWAY, None if it said none."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not self.closed:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError("the connection goes on: GOAWAY %r, %r" % (self.goaway, self.streams))
            self._fill(left)
        return self.goaway[1] if self.goaway else None

    def _fill(self, seconds):
        self.sock.settimeout(max(0.001, seconds))
        try:
            data = self.sock.recv(1 << 18)
        except (TimeoutError, socket.timeout):
            return
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return
        self.buffer += data
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            kind, flags = self.buffer[3], self.buffer[4]
            number = int.from_bytes(self.buffer[5:9], "big") & 0x7FFFFFFF
            payload, self.buffer = self.buffer[9 : 9 + length], self.buffer[9 + length :]
            if length > 16384:
                raise ProtocolError("a frame of %d bytes" % length)
            self._take(kind, flags, number, payload)

    def _take(self, kind, flags, number, payload):
        if self._block is not None and (kind != CONTINUATION or number != self._block[0]):
            raise ProtocolError("frame %d inside a header block" % kind)
        if kind == HEADERS:
            if flags & PADDED:
                payload = payload[1 : len(payload) - payload[0]]
            if flags & PRIORITY_FLAG:
                payload = payload[5:]
            self._block = [number, flags & END_STREAM, payload]
            self._headers(flags)
        elif kind == CONTINUATION:
            self._block[2] += payload
            self._headers(flags)
        elif kind == DATA:
            self._data(flags, number, payload)
        elif kind == RST_STREAM:
            self.stream(number).reset = int.from_bytes(payload, "big")
        elif kind == SETTINGS and flags & ACK:
            self.acknowledged += 1
        elif kind == SETTINGS:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at : at + 6])
                self.settings[name] = value
            if self.polite:
                self.frame(SETTINGS, ACK)
        elif kind == PING:
            if flags & ACK:
                self.pongs.append(payload)
            elif self.polite:
                self.frame(PING, ACK, 0, payload)
        elif kind == WINDOW_UPDATE:
            self.windows[number] = self.windows.get(number, 0) + int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            last, code = struct.unpack(">II", payload[:8])
            self.goaway = (last & 0x7FFFFFFF, code, payload[8:])
        elif kind == PUSH_PROMISE:
            raise ProtocolError("PUSH_PROMISE")

    def _data(self, flags, number, payload):
        found = self.stream(number)
        if found.over or found.status is None:
            raise ProtocolError("DATA before a head or after the end: %r" % found)
        whole = len(payload)
        if flags & PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        found.body += payload
        found.ended = bool(flags & END_STREAM)
        if self.polite and whole:
            self.window(0, whole)
            if not found.ended:
                self.window(number, whole)

    def _headers(self, flags):
        if not flags & END_HEADERS:
            return
        number, end, block = self._block
        self._block = None
        fields = self.decoder.decode(block, raw=True)
        for name, value in fields:
            plain = name[1:] if name.startswith(b":") else name
            if not NAME.match(plain) or not VALUE.match(value):
                raise ProtocolError("not a field: %r: %r" % (name, value))
            if name.decode() in CONNECTION_FIELDS:
                raise ProtocolError("a connection's own field: %r" % name)
        fields = [(name.decode(), value.decode("latin-1")) for name, value in fields]
        found = self.stream(number)
        found.blocks.append(len(block))
        if found.over:
            raise ProtocolError("HEADERS after the end of stream %d: %r" % (number, found))
        pseudo = [each for each in fields if each[0].startswith(":")]
        if found.status is not None:
            if pseudo or not end:
                raise ProtocolError("not a trailer section: %r" % fields)
            found.trailers = fields
        else:
            if [name for name, _ in pseudo] != [":status"] or fields[0] != pseudo[0]:
                raise ProtocolError("not a response's pseudo-headers: %r" % fields)
            status = int(pseudo[0][1])
            if status < 200:
                found.interim.append((status, fields[1:]))
                if end:
                    raise ProtocolError("an interim response ends the stream")
                return
            found.status, found.headers = status, fields[1:]
            found.ended_with_head = bool(end)
        found.ended = found.ended or bool(end)
