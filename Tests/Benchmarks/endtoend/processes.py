"""Child processes: started on their cores, watched, and ended by their own process ids."""
from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import time

from .figures import Unusable
from .machine import TICK, pinned


def free_port():
    """A port that nothing listens on. Another process could take it before the child does; then the child does not
    come up, and the run says so."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def descendants(pid):
    """`pid` and every process below it that is alive."""
    found = [pid]
    for each in found:
        try:
            for task in os.listdir("/proc/%d/task" % each):
                with open("/proc/%d/task/%s/children" % (each, task), encoding="ascii") as file:
                    found.extend(int(child) for child in file.read().split())
        except OSError:
            continue
    return found


def cpu_of(stat):
    """(user, system) microseconds in a line of /proc/PID/stat. The name in brackets may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) * TICK, int(fields[12]) * TICK


class Child:
    """A process and the workers it starts."""

    def __init__(self, name, command, folder, cores, stdout=None):
        self.name = name
        self.errors = folder / (name + ".err")
        self.output = stdout or folder / (name + ".out")
        with open(self.errors, "wb") as errors, open(self.output, "wb") as output:
            try:
                self.process = subprocess.Popen(pinned(cores, command), stdin=subprocess.DEVNULL, stdout=output,
                                                stderr=errors, cwd=str(folder))
            except OSError as error:
                raise Unusable("%s cannot be started: %s" % (name, error))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def said(self):
        """The end of what it printed, for messages."""
        text = ""
        for each in (self.errors, self.output):
            with open(each, "rb") as file:
                file.seek(max(0, os.path.getsize(each) - 2000))
                text += file.read().decode("utf-8", "replace")
        return text[-2000:].strip()

    def await_port(self, port, seconds=15.0):
        """Returns when something accepts connections on `port`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.alive():
                raise Unusable("%s ended with %d at its start: %s" % (self.name, self.process.returncode, self.said()))
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Unusable("%s does not listen on its port after %d s: %s" % (self.name, seconds, self.said()))

    def cpu(self):
        """(user, system) microseconds that it and its workers have used so far."""
        user = system = 0.0
        for pid in descendants(self.pid):
            try:
                times = cpu_of(pathlib.Path("/proc/%d/stat" % pid).read_text("utf-8", "replace"))
            except OSError:
                continue
            user, system = user + times[0], system + times[1]
        return user, system

    def rss(self):
        """Resident KiB of it and its workers together; pages that they share are counted for each."""
        total = 0
        for pid in descendants(self.pid):
            try:
                total += int(pathlib.Path("/proc/%d/statm" % pid).read_text("ascii").split()[1])
            except OSError:
                continue
        return total * (os.sysconf("SC_PAGE_SIZE") // 1024)

    def stop(self, seconds=5.0):
        """SIGTERM; after `seconds`, SIGKILL to each of its processes."""
        if not self.alive():
            return
        below = descendants(self.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in reversed(below):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(5)
