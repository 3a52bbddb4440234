"""The operations of the core, counted: Tests/Benchmarks/micro has the program that does them."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import tempfile

from . import callgrind

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "Tests/Benchmarks/micro"
SCRATCH = ROOT / ".build-bench/micro"
# An operation is done FEW times and MANY times: the difference is without what happens once.
FEW, MANY = 1_000, 3_000
# Signatures take long under callgrind, and each is like the one before.
FEW_SIGNATURES, MANY_SIGNATURES = 10, 30
# Seconds for one run, and for building.
PATIENCE = 300.0
BUILD_PATIENCE = 1800.0


@dataclasses.dataclass(frozen=True)
class Operation:
    """What `postern-micro --list` lists."""

    name: str
    about: str

    @property
    def is_signature(self):
        return self.name.startswith(("check-", "verify-"))


@dataclasses.dataclass(frozen=True)
class Count:
    """What an operation takes, each time."""

    instructions: float
    allocations: float


def build():
    """Builds the program as the product is built. Returns its path."""
    words = ["swift", "build", "--package-path", str(PACKAGE), "--scratch-path", str(SCRATCH), "-c", "release",
             "--static-swift-stdlib"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BUILD_PATIENCE,
                          encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError("%s does not build:\n%s" % (PACKAGE, done.stdout[-4000:]))
    return SCRATCH / "release/postern-micro"


def operations(program):
    """All operations, in the order of the program."""
    listed = subprocess.run([str(program), "--list"], stdout=subprocess.PIPE, check=True, timeout=60, encoding="utf-8")
    return [Operation(*line.split("\t")) for line in listed.stdout.splitlines()]


def count(program, operation):
    """Instructions and allocations of one operation, by a program without debug information."""
    few, many = (FEW_SIGNATURES, MANY_SIGNATURES) if operation.is_signature else (FEW, MANY)
    difference = _profile(program, operation, many).minus(_profile(program, operation, few))
    times = many - few
    return Count(difference.total / times, difference.allocation_count / times)


def _profile(program, operation, times):
    with tempfile.TemporaryDirectory(prefix="postern-micro-") as folder:
        out = os.path.join(folder, "profile")
        done = subprocess.run(
            [*callgrind.command(out), str(program), operation.name, str(times)], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=PATIENCE, env=callgrind.environment(), encoding="utf-8")
        if done.returncode != 0:
            raise RuntimeError("%s failed: %s" % (operation.name, done.stdout[-2000:]))
        return callgrind.Profile().read(out)


def nanoseconds(program, operation):
    """Processor time of one operation: the least of five runs, as an indication."""
    times = 500 if operation.is_signature else 50_000
    answers = [subprocess.run([str(program), operation.name, str(times), "--time"], stdout=subprocess.PIPE, check=True,
                              timeout=PATIENCE, encoding="utf-8").stdout for _ in range(5)]
    return min(float(answer) for answer in answers)
