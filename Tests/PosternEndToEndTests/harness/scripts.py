"""Scripts for RecordingUpstream: each takes an Exchange and answers it, well or badly."""
from __future__ import annotations

import time

from .upstream import echo  # noqa: F401  (part of this vocabulary)


def answer(status=200, body=b"ok", fields=(), reason="OK", length=True, read=True):
    """A whole answer. With length=False there is no Content-Length (204, 304, until close)."""

    def script(exchange):
        if read:
            exchange.read_body()
        lines = ["HTTP/1.1 %d %s" % (status, reason)] + list(fields)
        if length:
            lines.append("Content-Length: %d" % len(body))
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        exchange.send(data if exchange.request.method == "HEAD" else data + body)

    return script


def raw(data, then="keep", read=True, pause=0.0):
    """Literal bytes, then `close`, `reset`, `silent` or `keep` (the connection goes on)."""
    if isinstance(data, str):
        data = data.encode("latin-1")

    def script(exchange):
        if read:
            exchange.read_body()
        if data:
            exchange.send(data)
        if pause:
            time.sleep(pause)
        if then in ("close", "reset"):
            exchange.close(reset=then == "reset")
        elif then == "silent":
            exchange.until_peer_closes()

    return script


def pieces(parts, pause=0.0, then="keep", read=True):
    """Literal bytes in several segments."""

    def script(exchange):
        if read:
            exchange.read_body()
        for part in parts:
            exchange.send(part)
            time.sleep(pause)
        if then == "close":
            exchange.close()

    return script


silent = raw(b"", then="silent", read=False)
close_before_response = raw(b"", then="close")
reset_before_response = raw(b"", then="reset")
close_at_head = raw(b"", then="close", read=False)


def echo_once(exchange):
    """`echo` on a connection that is closed then: the next request comes on a new one."""
    exchange.read_body()
    body = b'{"target": "%s"}' % exchange.request.target.encode("latin-1")
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    exchange.send(head if exchange.request.method == "HEAD" else head + body)
    exchange.close()


def after(event, script):
    """`script`, once the threading.Event is set (bounded)."""

    def held(exchange):
        event.wait(15)
        script(exchange)

    return held


def download(total, chunked=False, block=1 << 18):
    """A body of `total` bytes, never held in memory as a whole."""

    def script(exchange):
        exchange.read_body()
        framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % total
        exchange.send("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n%s\r\n\r\n" % framing)
        data, left = b"\xa5" * block, total
        while left:
            part = data[: min(left, block)]
            if not exchange.send(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part):
                return
            left -= len(part)
            exchange.request.sent = total - left
        if chunked:
            exchange.send(b"0\r\n\r\n")

    return script


def sink(exchange):
    """Reads a body of any length, counting it only."""
    exchange.read_body(store=False)
    body = str(exchange.request.body_length).encode()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
