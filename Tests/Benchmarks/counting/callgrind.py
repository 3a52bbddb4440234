"""Runs programs under callgrind and reads what it wrote.

Counts are those of the program's own user-space code: the kernel is not in them. They repeat, where times do not.
"""
from __future__ import annotations

import collections
import os
import pathlib
import re
import shutil
import subprocess

# What a heap allocation ends in. A call from one of these to another is the same allocation, not a second one.
ALLOCATORS = ("malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign")

# How many callers of the allocator are told apart: enough to get past the runtime's own functions.
CALLERS = 14

# A function name in a profile: `(12) name` the first time, `(12)` from then on.
_NAME = re.compile(r"\((\d+)\)(?: (.*))?$")


class Missing(Exception):
    """A tool that is not installed."""


def command(out, *options):
    """The words that put a program under callgrind; `out` is the stem of the files it writes."""
    if shutil.which("valgrind") is None:
        raise Missing("valgrind is not installed: run 'deploy/local/setup.sh test'")
    callers = ["--separate-callers%d=%s" % (CALLERS, name) for name in ALLOCATORS]
    return ["valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file=%s" % out, "--dump-line=no",
            "--compress-pos=no", "--read-inline-info=no", *callers, *options]


def without_debug_info(program, folder):
    """A copy of a program that callgrind can read: it needs the symbols, and stumbles over Swift's debug information."""
    if shutil.which("strip") is None:
        raise Missing("strip is not installed: run 'deploy/local/setup.sh test'")
    copy = pathlib.Path(folder) / pathlib.Path(program).name
    subprocess.run(["strip", "--strip-debug", "-o", str(copy), str(program)], check=True, timeout=180)
    return copy


def environment(**extra):
    """An environment in which the same work takes the same instructions on every processor.

    The C library chooses functions by what the processor can do and the sizes of its caches: here it gets to choose
    those that every x86-64 has. Swift's hash seeds are fixed, and no setting of the caller gets in.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("POSTERN", "VALGRIND"))}
    env["SWIFT_DETERMINISTIC_HASHING"] = "1"
    env["GLIBC_TUNABLES"] = "glibc.cpu.hwcaps=-AVX512VL,-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-BMI1,-BMI2,-LZCNT,-MOVBE,-ERMS,-FSRM,-RTM"
    env["LC_ALL"] = "C.UTF-8"
    env.update(extra)
    return env


class Profile:
    """One dump of one thread, or several added up."""

    def __init__(self):
        self.total = 0
        # Instructions by function, without those of the functions it calls.
        self.own = collections.Counter()
        # Calls by function that was called.
        self.calls = collections.Counter()
        # Calls by caller and function that was called.
        self.edges = collections.Counter()
        # Instructions by caller and function that was called: of the call and of everything below it.
        self.costs = collections.Counter()
        # Heap allocations by chain of callers, the nearest first.
        self.allocations = collections.Counter()

    def minus(self, other):
        """What happened in this one and not in `other`."""
        result = Profile()
        result.total = self.total - other.total
        for name in ("own", "calls", "edges", "costs", "allocations"):
            difference = collections.Counter(getattr(self, name))
            difference.subtract(getattr(other, name))
            setattr(result, name, collections.Counter({key: n for key, n in difference.items() if n}))
        return result

    @property
    def allocation_count(self):
        return sum(self.allocations.values())

    def read(self, path):
        """Adds what a file holds."""
        with open(path, encoding="utf-8", errors="replace") as lines:
            _Reader(self).read(lines)
        return self


class _Reader:
    """The format is that of the valgrind manual, with one event, one position and no lines of source."""

    def __init__(self, profile):
        self.profile = profile
        self.names = {}

    def read(self, lines):
        function = called = None
        inclusive = False
        for line in lines:
            line = line.rstrip("\n")
            if line[:3] == "fn=":
                function = self.name(line[3:])
            elif line[:4] == "cfn=":
                called = self.name(line[4:])
            elif line[:6] == "calls=":
                self.add_calls(function, called, int(line[6:].split(" ", 1)[0]))
                # The next line is what the called function cost, and it counts that itself.
                inclusive = True
            elif line[:1].isdigit():
                cost = int(line.split(" ", 1)[1])
                if inclusive:
                    inclusive = False
                    self.profile.costs[_plain(function), _plain(called)] += cost
                    continue
                self.profile.own[_plain(function)] += cost
                self.profile.total += cost

    def name(self, text):
        number, name = _NAME.match(text).groups()
        if name is not None:
            self.names[number] = name
        return self.names[number]

    def add_calls(self, function, called, count):
        self.profile.calls[_plain(called)] += count
        self.profile.edges[_plain(function), _plain(called)] += count
        if _plain(called) in ALLOCATORS and _plain(function) not in ALLOCATORS:
            chain = [each for each in called.split("'")[1:] if not each.isdigit()]
            self.profile.allocations[(_plain(called), *chain)] += count


def _plain(name):
    """`malloc'caller'caller` is malloc: callgrind tells functions apart by their callers where it was asked to."""
    return name.split("'", 1)[0]
