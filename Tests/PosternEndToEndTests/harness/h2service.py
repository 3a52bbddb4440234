"""A service that speaks HTTP/2 by hyper-h2, with a script for each stream and control over single frames."""
from __future__ import annotations

import json
import os
import socket
import struct
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (ConnectionTerminated, DataReceived, RequestReceived, SettingsAcknowledged, StreamEnded, StreamReset,
                       TrailersReceived, WindowUpdated)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Stream:
    """One request: what came of it, and words for the answer. The script of the service runs in a thread of its own."""

    def __init__(self, connection, number, fields):
        self.connection, self.number, self.fields = connection, number, fields
        self.body, self.trailers = b"", []
        self.received = 0
        self.ended = threading.Event()
        self.reset = None
        self.arrived = threading.Condition(connection.lock)

    def all(self, name):
        return [value for each, value in self.fields if each == name]

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, "the service saw %s %d times: %r" % (name, len(values), values)
        return values[0] if values else None

    @property
    def method(self):
        return self.header(":method")

    @property
    def path(self):
        return self.header(":path")

    def wait_for_end(self, timeout=10):
        assert self.ended.wait(timeout), "stream %d did not end" % self.number

    def read(self, timeout=10):
        """The next content, at least one byte; empty at the end."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.body or self.ended.is_set() or self.reset is not None, timeout)
            data, self.body = self.body, b""
            return data

    def respond(self, status=200, *fields, body=b"", trailers=None, end=True):
        """An answer; with `end` false nothing ends it yet."""
        head = [(":status", str(status))] + list(fields)
        with_body = bool(body) or trailers is not None or not end
        self.send_fields(head, end=not with_body)
        if body:
            self.send(body, end=end and trailers is None)
        if trailers is not None:
            self.send_fields(trailers, end=True)
        elif end and with_body and not body:
            self.send(b"", end=True)

    def send_fields(self, fields, end=False):
        with self.connection.lock:
            self.connection.h2.send_headers(self.number, fields, end_stream=end)
            self.connection.flush()

    def send(self, data, end=False):
        """Content, as far and as fast as windows allow."""
        while True:
            with self.arrived:
                def room():
                    return self.reset is not None or self.connection.closed or self.connection.window(self.number) > 0
                if data:
                    self.arrived.wait_for(room, 20)
                if self.reset is not None or self.connection.closed:
                    return False
                count = min(len(data), self.connection.window(self.number), self.connection.h2.max_outbound_frame_size)
                part, data = data[:count], data[count:]
                self.connection.h2.send_data(self.number, part, end_stream=end and not data)
                self.connection.flush()
            if not data:
                return True

    def rst(self, code):
        with self.connection.lock:
            self.connection.h2.reset_stream(self.number, code)
            self.connection.flush()

    def send_raw_fields(self, fields, end=False):
        """A HEADERS frame with fields that no library would send: literals, never indexed."""
        block = b""
        for name, value in fields:
            block += b"\x10"
            for text in (name, value):
                text = text.encode("latin-1") if isinstance(text, str) else text
                block += _integer(len(text), 7) + text
        self.connection.send_frame(1, 4 | (1 if end else 0), self.number, block)


def _integer(value, bits):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([value])
    result, value = bytearray([limit]), value - limit
    while value >= 128:
        result.append(value % 128 + 128)
        value //= 128
    return bytes(result + bytes([value]))


class Connection:
    """One connection of the service. `streams` holds every request that came on it, `most` how many were open at once."""

    def __init__(self, service, sock):
        self.service, self.sock = service, sock
        self.lock = threading.RLock()
        self.streams, self.open, self.most = {}, set(), 0
        self.terminated = None
        self.closed = False
        self.ignoring = False
        self.h2 = H2Connection(H2Configuration(
            client_side=False, header_encoding="utf-8", validate_inbound_headers=True, validate_outbound_headers=False,
            normalize_outbound_headers=False))

    def window(self, number):
        try:
            return self.h2.local_flow_control_window(number)
        except ProtocolError:
            return 0

    def flush(self):
        with self.lock:
            data = self.h2.data_to_send()
            try:
                self.sock.sendall(data)
            except OSError:
                self.closed = True

    def send_frame(self, kind, flags, number, payload):
        with self.lock:
            self.flush()
            try:
                self.sock.sendall(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", number) + payload)
            except OSError:
                self.closed = True

    def goaway(self, last=None, code=0):
        """GOAWAY, once; requests after `last` (by default those not here yet) are left unread then, as a service that is
        going does."""
        with self.lock:
            if self.ignoring:
                return
            self.ignoring = True
            self.last = last = max(self.streams) if last is None else last
            self.send_frame(7, 0, 0, struct.pack(">II", last, code))

    def close(self, reset=False):
        self.closed = True
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def serve(self):
        with self.lock:
            self.h2.local_settings = Settings(
                client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: 100} | self.service.settings)
            self.h2.initiate_connection()
            self.flush()
        while not self.closed:
            try:
                data = self.sock.recv(1 << 16)
            except OSError:
                break
            if not data:
                break
            with self.lock:
                self._received(data)
        with self.lock:
            self.closed = True
            for stream in self.streams.values():
                if not stream.ended.is_set() and stream.reset is None:
                    stream.reset = "closed"
                stream.arrived.notify_all()
        self.sock.close()

    def _received(self, data):
        try:
            events = self.h2.receive_data(data)
        except ProtocolError as error:
            self.service.errors.append(error)
            self.flush()
            return self.close()
        for event in events:
            self._handle(event)
        self.flush()

    def _handle(self, event):
        if isinstance(event, ConnectionTerminated):
            self.terminated = event.error_code
            return
        if isinstance(event, RequestReceived):
            if self.ignoring and event.stream_id > self.last:
                return
            stream = Stream(self, event.stream_id, event.headers)
            self.streams[event.stream_id] = stream
            self.open.add(event.stream_id)
            self.most = max(self.most, len(self.open))
            self.service.requests.append(stream)
            threading.Thread(target=self._run, args=(stream,), daemon=True).start()
            return
        number = getattr(event, "stream_id", None)
        stream = self.streams.get(number)
        if isinstance(event, (WindowUpdated, SettingsAcknowledged)):
            for each in self.streams.values():
                each.arrived.notify_all()
        if stream is None:
            return
        if isinstance(event, DataReceived):
            stream.received += len(event.data)
            stream.body += event.data if self.service.stores else b""
            if self.service.reads:
                self.h2.acknowledge_received_data(event.flow_controlled_length, number)
        elif isinstance(event, TrailersReceived):
            stream.trailers = event.headers
        elif isinstance(event, StreamEnded):
            stream.ended.set()
        elif isinstance(event, StreamReset):
            stream.reset = ErrorCodes(event.error_code)
            self.open.discard(number)
        stream.arrived.notify_all()

    def _run(self, stream):
        try:
            self.service.script(stream)
        except (ProtocolError, OSError):
            pass
        except AssertionError as error:
            self.service.errors.append(error)
        finally:
            with self.lock:
                self.open.discard(stream.number)


def echo(stream):
    """What came, as JSON."""
    stream.wait_for_end()
    body = json.dumps({"method": stream.method, "path": stream.path, "length": stream.received}).encode()
    stream.respond(200, ("content-type", "application/json"), ("content-length", str(len(body))), body=body)


class H2Service:
    """Listens on `host`, or at `path`; behind TLS with `context`. `settings` by code."""

    def __init__(self, script=echo, context=None, path=None, settings=None, port=0, name="localhost",
                 host="127.0.0.1"):
        self.script, self.context, self.settings = script, context, settings or {}
        self.connections, self.requests, self.errors = [], [], []
        self.reads = self.stores = True
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.url = "unix:%s" % path
        else:
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((host, port))
            self.port = self.listener.getsockname()[1]
            self.url = "%s://%s:%d" % ("https" if context else "http", name if context else host, self.port)
        self.path = path
        if context:
            context.set_alpn_protocols(["h2"])
        self.listener.listen(128)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=True)
        except OSError:
            return sock.close()
        connection = Connection(self, sock)
        self.connections.append(connection)
        connection.serve()

    @property
    def open_connections(self):
        return [each for each in self.connections if not each.closed]

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        if self.path:
            os.unlink(self.path)
        for each in list(self.connections):
            each.close()
        assert not self.errors, self.errors
