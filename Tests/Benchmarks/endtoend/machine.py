"""What the benchmark runs on: the cores it may use, and the versions of everything that takes part."""
from __future__ import annotations

import os
import platform
import re
import subprocess

# Microseconds of one tick of the kernel's accounting.
TICK = 1e6 / os.sysconf("SC_CLK_TCK")


class Cores:
    """Which core does what: the proxy has one to itself, the load generator and the service share another."""

    def __init__(self, usable=None):
        self.usable = sorted(usable if usable is not None else os.sched_getaffinity(0))
        self.pinned = len(self.usable) > 1
        self.proxy = self.usable[:1]
        self.load = self.usable[1:2] if self.pinned else self.usable[:1]
        # Two loops: with a third core the load generator need not share with one of them.
        self.two = [self.usable[0], self.usable[2 if len(self.usable) > 2 else 1]] if self.pinned else None

    def described(self):
        """One sentence for the document."""
        if not self.pinned:
            return ("**Warning: one usable core.** Nothing is pinned; proxy, load generator and service share it, so "
                    "requests/s and latencies mean little.")
        return "Proxies on core %d, wrk and the service on core %d, of %d usable." % (
            self.proxy[0], self.load[0], len(self.usable))


def pinned(cores, command):
    """`command`, to be run on these cores. taskset replaces itself, so the process id is the command's own."""
    return ["taskset", "-c", ",".join(map(str, cores))] + [str(each) for each in command]


def busy(core):
    """Microseconds for which the core was not idle so far, the time that a hypervisor gave to others included."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = re.search(r"^cpu%d ([\d ]+)$" % core, file.read(), re.M).group(1).split()
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) * TICK


def cpu_model():
    """The processor's name, as the kernel has it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.M)
    except OSError:
        found = None
    return found.group(1) if found else platform.machine()


def first_line(command, pattern=r"(.+)"):
    """What `pattern` captures of what `command` prints, or None. Some print their version to standard error, and some
    end with 1 after printing it."""
    try:
        done = subprocess.run([str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", errors="replace", timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(pattern, done.stdout)
    return found.group(1).strip() if found else None


def versions(postern, envoy):
    """[(name, version)] of everything that takes part; missing programs are left out."""
    asked = [
        ("Postern", [postern, "--version"], r"(.+)"),
        ("HAProxy", ["haproxy", "-v"], r"version (\S+)"),
        ("nginx", ["nginx", "-v"], r"nginx/(\S+)"),
        ("Redis", ["redis-server", "--version"], r"v=(\S+)"),
        ("Envoy", [envoy, "--version"] if envoy else None, r"version: \w+/([\d.]+\S*?)/"),
        ("wrk", ["wrk", "-v"], r"wrk (\S+)"),
        ("nghttp2", ["h2load", "--version"], r"nghttp2/(\S+)"),
        ("OpenSSL", ["openssl", "version"], r"OpenSSL (\S+)"),
        ("strace", ["strace", "-V"], r"version (\S+)"),
        ("Python", ["python3", "--version"], r"Python (\S+)"),
    ]
    found = [("Linux", platform.release()), ("CPU", cpu_model())]
    for name, command, pattern in asked:
        version = first_line(command, pattern) if command else None
        if version:
            found.append((name, version))
    return found


def openssl_verification(cores):
    """(microseconds of one RSA-2048 verification in libcrypto, on the proxies' core), or None if it cannot be had."""
    try:
        done = subprocess.run(pinned(cores, ["openssl", "speed", "-seconds", "2", "rsa2048"]),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_speed(done.stdout)


def parse_speed(text):
    """Microseconds per verification, from the table of `openssl speed rsa2048`, whose columns are named above it and
    differ from version to version."""
    rate = re.search(r"^rsa\s+2048 bits\s+(.+)$", text, re.M)
    names = re.search(r"^\s+(sign\s+verify.*)$", text, re.M)
    if not rate or not names:
        return None
    columns = dict(zip(names.group(1).split(), rate.group(1).split()))
    try:
        return 1e6 / float(columns["verify/s"])
    except (KeyError, ValueError, ZeroDivisionError):
        return None
