"""Load by wrk: started, read, and refused if anything but answers of 2xx came back."""
from __future__ import annotations

import pathlib
import re
import subprocess

from .figures import Unusable
from .machine import pinned

SCRIPT = pathlib.Path(__file__).with_name("tokens.lua")
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}
SIZES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


class Load:
    """What one run of wrk did."""

    def __init__(self, requests, seconds, bytes_read, rate, p50, p99, failures):
        self.requests = requests
        self.seconds = seconds
        self.bytes_read = bytes_read
        self.rate = rate
        self.p50 = p50
        self.p99 = p99
        self.failures = failures


def duration(text):
    """ "1.27ms" → microseconds."""
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()
    return float(number) * UNITS[unit]


def size(text):
    """ "1.02GB" → bytes."""
    number, unit = re.fullmatch(r"([\d.]+)([A-Z]+)", text).groups()
    return float(number) * SIZES[unit]


def parse(text):
    """The report that `wrk --latency` prints. Raises ValueError if it is none."""
    total = re.search(r"^\s*(\d+) requests in ([\d.]+[a-z]+), ([\d.]+[A-Z]+) read$", text, re.M)
    rate = re.search(r"^Requests/sec:\s+([\d.]+)$", text, re.M)
    percentiles = dict(re.findall(r"^\s+(50|99)%\s+(\S+)$", text, re.M))
    if not total or not rate or set(percentiles) != {"50", "99"}:
        raise ValueError("not a report of wrk --latency: %r" % text[-500:])
    failures = []
    refused = re.search(r"^\s*Non-2xx or 3xx responses: (\d+)$", text, re.M)
    if refused:
        failures.append("%s answers that are not 2xx" % refused.group(1))
    errors = re.search(r"^\s*Socket errors: (.+)$", text, re.M)
    if errors:
        failures.append("socket errors (%s)" % errors.group(1))
    if total.group(1) == "0":
        failures.append("no request was answered")
    return Load(
        int(total.group(1)), duration(total.group(2)) / 1e6, size(total.group(3)), float(rate.group(1)),
        duration(percentiles["50"]), duration(percentiles["99"]), failures)


class Started:
    """A run of wrk that has begun; a context manager that never leaves wrk behind."""

    def __init__(self, name, command, seconds, environment=None):
        self.name = name
        self.seconds = seconds
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                                        env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)

    def result(self):
        """What wrk reports at its end. Anything but answers of 2xx is an error."""
        try:
            output, errors = self.process.communicate(timeout=self.seconds + 60)
        except subprocess.TimeoutExpired:
            raise Unusable("%s: wrk does not end" % self.name)
        if self.process.returncode != 0:
            raise Unusable("%s: wrk ended with %d: %s" % (
                self.name, self.process.returncode, (errors or output)[-300:].strip()))
        try:
            load = parse(output)
        except ValueError as error:
            raise Unusable("%s: %s" % (self.name, error))
        if load.failures:
            raise Unusable("%s: %s" % (self.name, ", ".join(load.failures)))
        return load


def started(name, url, token, cores, seconds, connections=64, tokens=None, fields=(), environment=None):
    """Starts wrk, one thread, against the system `name`. `tokens` is (file, first line, lines, "cycle" or "once") for
    requests that differ; otherwise each carries `token`, and these further header lines."""
    command = ["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--latency", "--timeout", "10s"]
    if tokens is None:
        for each in ("Authorization: Bearer " + token,) + tuple(fields):
            command += ["-H", each]
        command.append(url)
    else:
        file, first, lines, mode = tokens
        command += ["-s", SCRIPT, url, "--", file, len(token), first, lines, mode]
    return Started(name, pinned(cores, command), seconds, environment)


def run(*arguments):
    """One run of wrk from its start to its end; see `started`."""
    with started(*arguments) as wrk:
        return wrk.result()
