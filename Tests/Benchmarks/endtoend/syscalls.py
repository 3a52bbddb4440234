"""System calls per request, counted by strace over a fixed number of requests."""
from __future__ import annotations

import pathlib
import re
import shutil
import signal
import subprocess
import time

from . import client
from .figures import Unusable
from .processes import descendants
from .systems import TARGET

# (connections, requests): busy, where one wake-up serves many requests, and quiet, where each needs its own.
LOADS = [(64, 20_000), (1, 2_000)]
COUNTED = ("haproxy-tcp", "haproxy-http", "nginx", "postern")


def why_not():
    """Why no system call can be counted here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    try:
        done = subprocess.run(["strace", "-c", "true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else "strace may not trace here: " + done.stdout.strip().splitlines()[-1]


def parse(text):
    """{name: calls} of the table that `strace -c` prints."""
    calls = {}
    for line in text.splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found.group(2) != "total":
            calls[found.group(2)] = int(found.group(1))
    return calls


class Trace:
    """strace on a running system, from the moment the block begins until it ends; then `calls`."""

    def __init__(self, name, pid, folder):
        self.name = name
        self.pids = descendants(pid)
        self.summary = folder / (name + ".strace")
        self.said = folder / (name + ".strace.err")
        self.calls = {}

    def __enter__(self):
        command = ["strace", "-f", "-c", "-o", str(self.summary)]
        for pid in self.pids:
            command += ["-p", str(pid)]
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + 10
        while self._text().count("attached") < len(self.pids):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self._end()
                raise Unusable("%s cannot be traced: %s" % (self.name, self._text()[-300:].strip()))
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self._end()
        if self.summary.exists():
            self.calls = parse(self.summary.read_text("utf-8", "replace"))

    def _text(self):
        return pathlib.Path(self.said).read_text("utf-8", "replace")

    def _end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def of(stage, system):
    """{connections: {name: calls per request}}"""
    found = {}
    with stage.start(system) as running:
        for connections, requests in LOADS:
            opened = client.idle_connections(system.name, running.port, connections, stage.tokens.one, TARGET)
            try:
                # The connections behind the proxy are opened before the counting begins, as those before it are.
                client.exactly(system.name, opened, 4 * connections, stage.tokens.one, TARGET)
                with Trace(system.name, running.child.pid, stage.folder) as trace:
                    client.exactly(system.name, opened, requests, stage.tokens.one, TARGET)
                if not trace.calls:
                    raise Unusable("%s: strace counted nothing: %s" % (system.name, trace.said.read_text("utf-8", "replace")))
            finally:
                client.close_all(opened)
            found[connections] = {name: calls / requests for name, calls in trace.calls.items()}
    return found
