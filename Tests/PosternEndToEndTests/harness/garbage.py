"""Servers that are no Redis: they answer nonsense, too much, or nothing."""
from __future__ import annotations

import socket
import threading

OK = b"+OK\r\n"


class GarbageServer:
    """Listens on 127.0.0.1 (`port`, or a free one). `session` makes, for each connection, a function that is given the
    pieces of bytes as they come and returns the bytes to send, or None to close; `greeting` is sent at once."""

    def __init__(self, session=None, greeting=b"", port=0):
        self.session = session or says(b"")
        self.greeting = greeting
        self.received = 0
        self.connections = 0
        self.stopping = False
        self.open = []
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", port))
        self.sock.listen(256)
        self.port = self.sock.getsockname()[1]
        self.url = "redis://127.0.0.1:%d" % self.port
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        for each in list(self.open):
            close(each)

    def _accept(self):
        while not self.stopping:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        answer = self.session()
        try:
            if self.greeting:
                sock.sendall(self.greeting)
            while True:
                data = sock.recv(65536)
                if not data:
                    break
                self.received += len(data)
                reply = answer(data)
                if reply is None:
                    break
                sock.sendall(reply)
        except OSError:
            pass
        close(sock)


def close(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def says(reply):
    """A session that answers every piece of bytes with `reply` (None: closes)."""
    return lambda: lambda data: reply


def polite(reply):
    """A session that greets as Redis does (AUTH, SELECT, CLIENT and PING are answered well) and then answers every other
    command with `reply`, or closes if it is None."""

    def session():
        buffer = b""

        def answer(data):
            nonlocal buffer
            buffer += data
            found, buffer = commands(buffer)
            out = b""
            for name in [each[0].upper() for each in found]:
                if name == b"PING":
                    out += b"+PONG\r\n"
                elif name in (b"AUTH", b"SELECT", b"CLIENT"):
                    out += OK
                elif reply is None:
                    return None
                else:
                    out += reply
            return out

        return answer

    return session


def commands(data):
    """(the whole commands at the beginning of `data`, the bytes after them)"""
    found, at = [], 0
    while True:
        parts, place = [], at
        line, place = line_at(data, place)
        if line is None:
            return found, data[at:]
        for _ in range(int(line[1:])):
            line, place = line_at(data, place)
            end = None if line is None else place + int(line[1:])
            if end is None or len(data) < end + 2:
                return found, data[at:]
            parts.append(data[place:end])
            place = end + 2
        found.append(parts)
        at = place


def line_at(data, place):
    end = data.find(b"\r\n", place)
    return (None, place) if end < 0 else (data[place:end], end + 2)
