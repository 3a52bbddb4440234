"""Postern on one core and on two: what a request costs, and how its loops share the connections."""
from __future__ import annotations

import os
import pathlib
import re
import time

from . import load
from .systems import BY_NAME

CONNECTIONS = 64


def sockets_on(port, pid):
    """The inodes of the established sockets whose local port is `port`."""
    inodes = set()
    for line in pathlib.Path("/proc/%d/net/tcp" % pid).read_text("ascii").splitlines()[1:]:
        fields = line.split()
        if fields[3] == "01" and int(fields[1].rpartition(":")[2], 16) == port:
            inodes.add(fields[9])
    return inodes


def connections_per_loop(pid, port):
    """How many of the connections to `port` each epoll instance of the process watches, most first. An event loop has
    one instance; those that watch none of these connections are not listed."""
    inodes = sockets_on(port, pid)
    accepted, instances = set(), []
    for descriptor in os.listdir("/proc/%d/fd" % pid):
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, descriptor))
        except OSError:
            continue
        if target == "anon_inode:[eventpoll]":
            instances.append(descriptor)
        elif target.startswith("socket:[") and target[8:-1] in inodes:
            accepted.add(int(descriptor))
    counts = []
    for each in instances:
        watched = pathlib.Path("/proc/%d/fdinfo/%s" % (pid, each)).read_text("ascii")
        counts.append(len(accepted & {int(number) for number in re.findall(r"^tfd:\s*(\d+)", watched, re.M)}))
    return sorted((each for each in counts if each), reverse=True)


def of(stage, cores, load_cores, options):
    """One measurement of Postern on these cores: the same figures as in the main table, and the connections of each
    loop, read in the middle of the window."""
    system = BY_NAME["postern"]
    token = stage.tokens.one
    with stage.start(system, cores) as running:
        load.run(system.name, running.url(), token, load_cores, options.warm_up, CONNECTIONS)
        start = running.child.cpu()
        with load.started(system.name, running.url(), token, load_cores, options.seconds, CONNECTIONS) as wrk:
            time.sleep(options.seconds / 2)
            loops = connections_per_loop(running.child.pid, running.port)
            done = wrk.result()
        end = running.child.cpu()
    return {"cpu": (sum(end) - sum(start)) / done.requests, "rate": done.rate, "p50": done.p50, "p99": done.p99,
            "loops": loops}
