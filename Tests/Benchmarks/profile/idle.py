#!/usr/bin/env python3
"""What an idle keep-alive connection holds: the heap blocks that are there after 400 connections had one answer each, less
those that were
there after 200, by who allocated them (valgrind's memcheck lists every block with its stack); and resident memory by
mapping, of the program alone. Takes the program from .build/release, or from the folder that POSTERN_BIN names."""
from __future__ import annotations

import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "budgets")]

from counting import callgrind  # noqa: E402
import proxy  # noqa: E402
import wire  # noqa: E402
import blocks  # noqa: E402
import naming  # noqa: E402

FEW, MANY = 200, 400
# Connections between two looks at resident memory, which grows by whole pages.
SEEN = 1000
SITES = 15
# Functions of ours and of NIO that are shown for a block, the nearest first.
FRAMES = 2


class UnderMemcheck(proxy.Measured):
    """Postern, every heap block of which is known with the stack that asked for it."""

    def command(self):
        return ["valgrind", "--quiet", "--tool=memcheck", "--undef-value-errors=no", "--leak-check=no", "--num-callers=40"]

    def blocks(self):
        """{stack: Blocks} of all that is allocated now."""
        time.sleep(1)
        asked = subprocess.run(["vgdb", "--pid=%d" % self.process.pid, "--wait=30", "leak_check", "full", "reachable", "any",
                                "unlimited"], timeout=proxy.PATIENCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               encoding="utf-8", errors="replace")
        found = blocks.parse(asked.stdout)
        if not found:
            raise RuntimeError("memcheck lists no blocks: " + asked.stdout[-1000:])
        return found


class Alone(proxy.Measured):
    """Postern, and nothing else."""

    def command(self):
        return []

    def resident(self):
        """KiB of resident memory by kind of mapping."""
        time.sleep(1)
        return blocks.resident((pathlib.Path("/proc") / str(self.process.pid) / "smaps").read_text("utf-8", "replace"))


def during(measured, look, numbers):
    """What `look` sees with so many idle connections, for each of `numbers`."""
    # Half a second after its start the proxy gives back the memory of code that it does not need any more.
    time.sleep(1.5)
    head = wire.request(proxy.SCENARIOS[0].target, wire.token())
    seen, waiting = [], []
    try:
        for number in numbers:
            while len(waiting) < number:
                waiting.append(wire.Client(measured.port))
                waiting[-1].call(head, 1)
            seen.append(look())
        return seen
    finally:
        for each in waiting:
            each.close()
        measured.close()


def site(stack):
    """The functions that a reader can do something with, without the containers of the Swift library."""
    frames = [naming.declaration(each).partition("(")[0].partition(" ->")[0] for each in stack]
    frames = [re.sub(r"<.*>", "", each) for each in frames]
    known = [each for each in frames if naming.stage(each) is not None]
    distinct = list(dict.fromkeys(known))
    return tuple(distinct[:FRAMES]) or tuple(frames[1:1 + FRAMES])


def print_heap(program):
    """The blocks of one connection, by who asked for them."""
    measured = UnderMemcheck(program, proxy.SCENARIOS[0])
    few, many = during(measured, measured.blocks, (FEW, MANY))
    growth = blocks.growth(few, many)
    readable = naming.demangled({frame for stack in growth for frame in stack})
    sites = blocks.by_site(growth, lambda stack: site([readable[frame] for frame in stack]))
    count = MANY - FEW
    print("| bytes | blocks | asked for by |\n| ---: | ---: | --- |")
    ordered = sorted(sites.items(), key=lambda item: -item[1].size)
    shown, rest = ordered[:SITES], ordered[SITES:]
    for names, each in shown:
        print("| %s | %.2f | %s |" % (format(round(each.size / count), ","), each.number / count,
                                      " ← ".join("`%s`" % name for name in names)))
    for title, part in (("everything else", [each for _, each in rest]), ("**all**", list(sites.values()))):
        print("| %s | %.2f | %s |" % (format(round(sum(each.size for each in part) / count), ","),
                                      sum(each.number for each in part) / count, title))
    print("\nWith what malloc takes for them: %s bytes." % format(
        round(sum(each.taken for each in growth.values()) / count), ","))


def print_resident(program):
    """Resident memory of one connection, of the program alone."""
    measured = Alone(program, proxy.SCENARIOS[0])
    numbers = (0, FEW, FEW + SEEN)
    seen = during(measured, measured.resident, numbers)
    kinds = list(seen[0])
    print("\n| connections |%s\n| ---: |%s" % ("".join(" KiB of %s |" % kind for kind in kinds), " ---: |" * len(kinds)))
    for number, each in zip(numbers, seen):
        print("| %s | %s |" % (format(number, ","), " | ".join(format(each[kind], ",") for kind in kinds)))
    print("| each of the last %s | %s |" % (format(SEEN, ","), " | ".join(
        "%.2f" % ((seen[2][kind] - seen[1][kind]) / SEEN) for kind in kinds)))


def main():
    """Prints both."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for needed in ("swift", "valgrind"):
        if shutil.which(needed) is None:
            raise callgrind.Missing("%s is not installed" % needed)
    with tempfile.TemporaryDirectory(prefix="postern-profile-") as folder:
        program = callgrind.without_debug_info(proxy.binary(), folder)
        print_heap(program)
        print_resident(program)


if __name__ == "__main__":
    try:
        main()
    except (callgrind.Missing, RuntimeError) as error:
        sys.exit("error: %s" % error)
