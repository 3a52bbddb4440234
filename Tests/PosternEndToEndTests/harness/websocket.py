"""WebSockets: a real server and client (the `websockets` library), and raw bytes for what a library would not send."""
from __future__ import annotations

import threading

from websockets.sync.client import connect
from websockets.sync.server import serve

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
FIELDS = ["Connection: Upgrade", "Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13"]
SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%s\r\n\r\n" % ACCEPT


def echo(socket):
    for message in socket:
        socket.send(message)


class WebSocketUpstream:
    """A service that speaks WebSocket; `handler` gets each connection, `sockets` keeps them."""

    def __init__(self, handler=echo, **options):
        self.sockets = []
        self.closes = []

        def handle(socket):
            self.sockets.append(socket)
            try:
                handler(socket)
            finally:
                try:
                    for _ in socket:
                        pass
                except Exception:  # the way it closed is what counts
                    pass
                self.closes.append((socket.close_code, socket.close_reason))

        self.server = serve(handle, "127.0.0.1", 0, compression=options.pop("compression", None),
                            max_size=None, **options)
        self.port = self.server.socket.getsockname()[1]
        self.url = "%s://127.0.0.1:%d" % ("https" if options.get("ssl") else "http", self.port)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def dial(proxy, target="/auth", token=None, **options):
    """A client's WebSocket through the proxy; with `ssl`, a context, over TLS."""
    fields = {"Authorization": "Bearer " + token} if token else {}
    fields.update(options.pop("fields", {}))
    options.setdefault("compression", None)
    address = "wss://localhost:%d%s" if options.get("ssl") else "ws://127.0.0.1:%d%s"
    return connect(address % (proxy.port, target), additional_headers=fields, open_timeout=5,
                   close_timeout=5, ping_interval=None, proxy=None, max_size=None, **options)


def frame(payload=b"", opcode=2, masked=False):
    """One whole frame of up to 125 bytes."""
    key = b"\x01\x02\x03\x04" if masked else b""
    data = bytes(b ^ key[i % 4] for i, b in enumerate(payload)) if masked else payload
    return bytes([0x80 | opcode, len(payload) | (0x80 if masked else 0)]) + key + data


def receive(sock, count):
    """Exactly so many bytes of a socket, or what there is before it ends."""
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            break
        data += part
    return data


def tunnel(serve_bytes, behind=b""):
    """A script for RecordingUpstream: switches at once, with bytes right behind the head, then `serve_bytes(sock, early)`
    has the connection."""

    def script(exchange):
        exchange.send(SWITCHED.encode() + behind)
        early, exchange.connection.buffer = exchange.connection.buffer, b""
        try:
            serve_bytes(exchange.connection.sock, early)
        finally:
            exchange.close()

    return script
