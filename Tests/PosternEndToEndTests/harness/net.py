"""Ports and bounded waiting."""
from __future__ import annotations

import os
import random
import socket
import time

_random = random.Random(os.getpid() * 7919 + time.time_ns())
_given = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing holds now, below the range the kernel uses for outgoing connections."""
    for _ in range(500):
        port = _random.randrange(18000, 32000)
        if port in _given:
            continue
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        finally:
            probe.close()
        _given.add(port)
        return port
    raise RuntimeError("no free port")


def wait_until(condition, timeout: float = 5.0, what: str = "the condition", interval: float = 0.01):
    """Polls `condition` until it is true and returns its value; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("timed out after %.1f s waiting for %s" % (timeout, what))
        time.sleep(interval)


def blackhole():
    """A listening socket whose backlog is full, so that further connects hang. Returns (port, closer)."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    fillers = []
    for _ in range(8):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(server.getsockname())
        fillers.append(filler)

    def close():
        for each in fillers:
            each.close()
        server.close()

    return server.getsockname()[1], close
