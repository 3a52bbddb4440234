"""Load over HTTP/2 by h2load: run, read, and refused if anything but answers of 2xx came back."""
from __future__ import annotations

import re
import subprocess

from .figures import Unusable
from .machine import pinned

CONNECTIONS, STREAMS = 4, 16


class Load:
    """What one run of h2load did."""

    def __init__(self, requests, rate, failures):
        self.requests = requests
        self.rate = rate
        self.failures = failures


def parse(text):
    """The report of h2load. Raises ValueError if it is none."""
    rate = re.search(r"^finished in [\d.]+\w+, ([\d.]+) req/s", text, re.M)
    done = re.search(r"^requests: .*?(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$", text, re.M)
    codes = re.search(r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$", text, re.M)
    if not rate or not done or not codes:
        raise ValueError("not a report of h2load: %r" % text[-500:])
    failures = []
    if int(done.group(1)) == 0:
        failures.append("no request was answered")
    if done.group(1) != codes.group(1):
        failures.append("%s of %s answers were 2xx" % (codes.group(1), done.group(1)))
    failed = sum(int(done.group(each)) for each in (3, 4, 5))
    if failed:
        failures.append("%d requests failed" % failed)
    return Load(int(done.group(1)), float(rate.group(1)), failures)


def run(name, url, token, cores, seconds, environment, fields=(), body=None):
    """One run of h2load, `CONNECTIONS` connections of `STREAMS` streams, against the system `name`. With `body`, a file,
    requests are POST."""
    command = ["h2load", "-t1", "-c%d" % CONNECTIONS, "-m%d" % STREAMS, "-D%d" % seconds,
               "-H", "authorization: Bearer " + token]
    for each in fields:
        command += ["-H", each]
    if body is not None:
        command += ["-d", body]
    try:
        done = subprocess.run(pinned(cores, command + [url]), stdin=subprocess.DEVNULL, capture_output=True,
                              encoding="utf-8", errors="replace", timeout=seconds + 60, env=environment)
    except subprocess.TimeoutExpired:
        raise Unusable("%s: h2load does not end" % name)
    try:
        load = parse(done.stdout)
    except ValueError as error:
        raise Unusable("%s: %s %s" % (name, error, done.stderr[-300:]))
    if load.failures:
        raise Unusable("%s: %s" % (name, ", ".join(load.failures)))
    return load
