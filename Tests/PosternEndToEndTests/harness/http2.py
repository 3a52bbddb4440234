"""A client of HTTP/2 for the proxy: well-behaved by the h2 package, or frames as literal as a test wants them by hyperframe and
hpack, which check nothing."""
from __future__ import annotations

import socket
import ssl

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import hpack
import hyperframe.frame as frames

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
Code = h2.errors.ErrorCodes


def fields(method="GET", path="/health", scheme="http", authority="localhost", more=()):
    """The fields of a request; a pseudo-header field that is None is left out."""
    pseudo = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]
    return [(name, value) for name, value in pseudo if value is not None] + list(more)


class Answer:
    """What came on a stream."""

    def __init__(self):
        self.interim = []
        self.headers = []
        self.body = b""
        self.trailers = []
        self.ended = False
        self.reset = None

    @property
    def status(self):
        return int(dict(self.headers)[":status"])

    def header(self, name):
        values = [value for each, value in self.headers if each == name]
        assert len(values) <= 1, "%s came %d times" % (name, len(values))
        return values[0] if values else None

    def __repr__(self):
        return "<Answer %r %r ended=%s reset=%s>" % (self.headers, self.body[:300], self.ended, self.reset)


def connect(port, context=None, timeout=5.0, before=b""):
    """A socket to the proxy; over TLS, where `context` is given, with h2 agreed on."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(before)
    if context:
        context.set_alpn_protocols(["h2", "http/1.1"])
        sock = context.wrap_socket(sock, server_hostname="localhost")
        assert sock.selected_alpn_protocol() == "h2"
    return sock


class Client:
    """One connection by the h2 package. What it sends is not checked, so that refusals can be tested; what comes is."""

    def __init__(self, port, context=None, timeout=5.0, before=b""):
        self.sock = connect(port, context, timeout, before)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="latin-1"))
        self.h2.initiate_connection()
        self.answers = {}
        self.goaways = []
        self.pings = []
        self.closed = False
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def open(self, headers, end=True):
        """Begins a request; the number of its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers, end_stream=end)
        self.answers[stream] = Answer()
        self.flush()
        return stream

    def send(self, stream, data, end=False):
        """Sends content as far as the windows let it, waiting for them to open."""
        while data or end:
            part = data[: min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)]
            if not part and data:
                self.step()
                continue
            data = data[len(part):]
            self.h2.send_data(stream, part, end_stream=end and not data)
            self.flush()
            if not data:
                break

    def trailers(self, stream, headers):
        self.h2.send_headers(stream, headers, end_stream=True)
        self.flush()

    def step(self):
        """Reads once; False when the connection has ended."""
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.closed = True
            return False
        for event in self.h2.receive_data(data):
            self.take(event)
        self.flush_quietly()
        return True

    def flush_quietly(self):
        try:
            self.flush()
        except OSError:
            self.closed = True

    def take(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append(list(event.headers))
        elif isinstance(event, h2.events.ResponseReceived):
            answer.headers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = event.error_code
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((event.last_stream_id, event.error_code))
        elif isinstance(event, h2.events.PingReceived):
            self.pings.append(event.ping_data)

    def until(self, condition):
        """Reads until `condition()` or the end of the connection."""
        while not condition():
            if not self.step():
                break
        return self

    def answer(self, stream):
        """The whole answer of a stream."""
        answer = self.answers[stream]
        self.until(lambda: answer.ended or answer.reset is not None)
        return answer

    def call(self, *args, **kwargs):
        return self.answer(self.open(fields(*args, **kwargs)))


class Raw:
    """One connection of literal frames. `frames` are those that came; `pongs`: whether a PING is answered."""

    def __init__(self, port, context=None, timeout=5.0, settings=True, pongs=True, preface=True):
        self.pongs = pongs
        self.sock = connect(port, context, timeout)
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.buffer = b""
        self.frames = []
        self.closed = False
        if preface:
            self.sock.sendall(PREFACE)
        if settings:
            self.send(frames.SettingsFrame(0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *what):
        """Sends frames, or bytes. False once the proxy has closed."""
        try:
            self.sock.sendall(b"".join(each if isinstance(each, bytes) else each.serialize() for each in what))
            return True
        except OSError:
            return False

    def headers(self, stream, headers, end=True, complete=True):
        flags = (["END_STREAM"] if end else []) + (["END_HEADERS"] if complete else [])
        return frames.HeadersFrame(stream, self.block(headers), flags=flags)

    def block(self, headers):
        """Fields as literals that nobody keeps: exactly these bytes."""
        out = b""
        for name, value in headers:
            out += b"\x00" + self.literal(name) + self.literal(value)
        return out

    @staticmethod
    def literal(text):
        data = text if isinstance(text, bytes) else text.encode("latin-1")
        size = len(data)
        if size < 127:
            return bytes([size]) + data
        out, size = b"\x7f", size - 127
        while size >= 128:
            out, size = out + bytes([size % 128 + 128]), size // 128
        return out + bytes([size]) + data

    def step(self):
        """Reads at least one more frame; False at the end of the connection."""
        while True:
            if len(self.buffer) >= 9:
                frame, length = frames.Frame.parse_frame_header(memoryview(self.buffer[:9]))
                if len(self.buffer) >= 9 + length:
                    frame.parse_body(memoryview(self.buffer[9:9 + length]))
                    self.buffer = self.buffer[9 + length:]
                    if isinstance(frame, frames.HeadersFrame):
                        frame.fields = self.decoder.decode(frame.data)
                    self.frames.append(frame)
                    if self.pongs and isinstance(frame, frames.PingFrame) and "ACK" not in frame.flags:
                        self.send(frames.PingFrame(0, frame.opaque_data, flags=["ACK"]))
                    return True
            try:
                data = self.sock.recv(65536)
            except (ConnectionError, ssl.SSLError):
                data = b""
            if not data:
                self.closed = True
                return False
            self.buffer += data

    def until(self, kind, stream=None):
        """The first frame of a kind, on `stream` if one is named; None where the connection ended before."""
        seen = 0
        while True:
            for frame in self.frames[seen:]:
                if isinstance(frame, kind) and stream in (None, frame.stream_id):
                    return frame
            seen = len(self.frames)
            if not self.step():
                return None

    def reset(self, stream):
        """The error code that the stream was reset with."""
        frame = self.until((frames.RstStreamFrame, frames.GoAwayFrame), None)
        while isinstance(frame, frames.RstStreamFrame) and frame.stream_id != stream:
            self.frames.remove(frame)
            frame = self.until((frames.RstStreamFrame, frames.GoAwayFrame), None)
        assert isinstance(frame, frames.RstStreamFrame), frame
        return frame.error_code

    def goaway(self):
        """The error code of a GOAWAY, and that the connection closes behind it."""
        frame = self.until(frames.GoAwayFrame)
        self.until_closed()
        return frame.error_code if frame else None

    def goaways(self):
        """(last stream, error code) of each GOAWAY so far."""
        return [(each.last_stream_id, each.error_code) for each in self.frames if isinstance(each, frames.GoAwayFrame)]

    def ended(self, stream):
        """Reads until the stream has ended in good order; its content."""
        mine = []
        while not any("END_STREAM" in each.flags for each in mine):
            mine = [each for each in self.frames if each.stream_id == stream]
            assert not any(isinstance(each, frames.RstStreamFrame) for each in mine), mine
            if not any("END_STREAM" in each.flags for each in mine):
                assert self.step(), "the connection ended before stream %d: %r" % (stream, self.frames)
        return b"".join(each.data for each in mine if isinstance(each, frames.DataFrame))

    def until_closed(self):
        while self.step():
            pass

    def status(self, stream):
        frame = self.until(frames.HeadersFrame, stream)
        assert frame is not None, self.frames
        return int(dict(frame.fields)[":status"])
