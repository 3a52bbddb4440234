#!/usr/bin/env python3
"""Counts what the operations of the core take, and prints a Markdown table. `run.py NAME…` counts these alone."""
from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from counting import callgrind, micro  # noqa: E402

# The lines of `openssl speed -mr`: the kind of key, which of our operations it is beside, and where the rate of
# verifications stands.
OPENSSL = (("+F2:", "rs256", 4), ("+F4:", "es256", 4), ("+F6:", "eddsa", 5))


def openssl_speed():
    """Nanoseconds of one verification by `openssl speed`, by algorithm; empty where there is no openssl."""
    try:
        done = subprocess.run(["openssl", "speed", "-mr", "-seconds", "2", "rsa2048", "ecdsap256", "ed25519"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, encoding="utf-8")
    except FileNotFoundError:
        return {}
    found = {}
    for line in done.stdout.splitlines():
        for prefix, name, column in OPENSSL:
            if line.startswith(prefix):
                found[name] = 1e9 / float(line.split(":")[column])
    return found


def version(*words):
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, encoding="utf-8")
    except FileNotFoundError:
        return "%s is not installed" % words[0]
    return done.stdout.splitlines()[0].strip()


def print_table(program, chosen):
    """One line an operation, as soon as it is counted."""
    speed = openssl_speed()
    print("| operation | instructions | allocations | ns CPU | `openssl speed` ns |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for operation in chosen:
        count = micro.count(program, operation)
        beside = speed.get(operation.name.partition("-")[2]) if operation.is_signature else None
        print("| %s | %s | %s | %s | %s |" % (
            operation.about, format(round(count.instructions), ","), format(count.allocations, ".4g"),
            format(round(micro.nanoseconds(program, operation)), ","),
            "" if beside is None else format(round(beside), ",")), flush=True)


def main(names):
    """Builds, then counts what was asked for."""
    with tempfile.TemporaryDirectory(prefix="postern-micro-") as folder:
        measure(callgrind.without_debug_info(micro.build(), folder), names)


def measure(program, names):
    operations = micro.operations(program)
    unknown = set(names) - {each.name for each in operations}
    if unknown:
        sys.exit("error: no such operation: %s; there are %s" % (
            ", ".join(sorted(unknown)), ", ".join(each.name for each in operations)))
    print("Instructions and allocations are counted by callgrind and are the same in every run; times are of this machine "
          "and this moment.\n")
    for words in (("valgrind", "--version"), ("openssl", "version"), ("swift", "--version")):
        print("- " + version(*words))
    print()
    print_table(program, [each for each in operations if not names or each.name in names])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (callgrind.Missing, RuntimeError) as error:
        sys.exit("error: %s" % error)
