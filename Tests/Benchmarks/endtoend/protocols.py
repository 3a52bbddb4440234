"""Loads other than small answers over plain HTTP/1.1: TLS, new TLS connections, HTTP/2, WebSocket, gRPC."""
from __future__ import annotations

import time

from . import h2load, load, machine, websocket
from .figures import Unusable

# {load: what its rows are called}; for each, a system has the figures LOAD_cpu and LOAD_rate.
TITLES = {
    "tls": "TLS, HTTP/1.1, 64 connections",
    "handshake": "TLS, a connection for each request",
    "h2": "TLS, HTTP/2, %d connections of %d streams" % (h2load.CONNECTIONS, h2load.STREAMS),
    "websocket": "WebSocket echo, %d connections, %d bytes" % (websocket.CONNECTIONS, len(websocket.MESSAGE)),
    "grpc": "gRPC unary, %d connections of %d streams" % (h2load.CONNECTIONS, h2load.STREAMS),
}
CALL = "/test.Calls/Unary"
GRPC_FIELDS = ("content-type: application/grpc", "te: trailers")


def figures(stage, options, running):
    """The figures of every load that the system is measured under: microseconds of CPU for each request (or connection, or
    message), and how many of them a second."""
    found = {}
    for name in TITLES:
        if name in running.system.loads:
            found.update(_window(stage, options, running, name, run_of(name, stage, running)))
    return found


def run_of(name, stage, running):
    """A function that puts the load `name` on the system for so many seconds, and says how many requests it were."""
    return _RUNS[name](stage, running)


def _window(stage, options, running, name, run):
    """Warmed up, then measured. `run(seconds)` is how many requests it were."""
    run(options.warm_up)
    core = stage.cores.proxy[0]
    start, busy, begun = running.child.cpu(), machine.busy(core), time.monotonic()
    requests = run(options.seconds)
    elapsed, end, busy = time.monotonic() - begun, running.child.cpu(), machine.busy(core) - busy
    if not requests:
        raise Unusable("%s served nothing" % running.name)
    used = sum(end) - sum(start)
    found = {name + "_cpu": used / requests, name + "_rate": requests / elapsed}
    if stage.cores.pinned:
        found["others"] = min(1.0, max(0.0, busy - used) / (elapsed * 1e6))
    return found


def _wrk(*fields):
    """wrk over TLS."""
    def make(stage, running):
        return lambda seconds: load.run(
            running.name, running.url(), stage.tokens.one, stage.cores.load, seconds, 64, None, fields,
            stage.encryption.environment).requests
    return make


def _h2load(stage, running):
    return lambda seconds: h2load.run(
        running.name, running.url(), stage.tokens.one, stage.cores.load, seconds, stage.encryption.environment).requests


def _grpc(stage, running):
    return lambda seconds: h2load.run(
        running.name, running.url(CALL), stage.tokens.one, stage.cores.load, seconds, stage.encryption.environment,
        GRPC_FIELDS, stage.message).requests


def _websocket(stage, running):
    def run(seconds):
        try:
            with websocket.Talk(running.port, stage.tokens.one) as talk:
                return talk.run(seconds)
        except OSError as error:
            raise Unusable("%s: %s" % (running.name, error))
    return run


_RUNS = {"tls": _wrk(), "handshake": _wrk("Connection: close"), "h2": _h2load, "websocket": _websocket, "grpc": _grpc}
