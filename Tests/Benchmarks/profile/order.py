#!/usr/bin/env python3
"""Prints the functions that requests run through, those that cost most first, by their names in the program: what
deploy/local/order.txt has, so that the linker puts them side by side. `order.py > deploy/local/order.txt` after the hot path
has changed much; a name that is not there any more costs nothing, one that is new only its place. Takes the program from
.build/release, or from the folder that POSTERN_BIN names."""
from __future__ import annotations

import collections
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "budgets")]

from counting import callgrind  # noqa: E402
import proxy  # noqa: E402
import kinds  # noqa: E402

WANTED = ("hit", "public", "log")
# Instructions a request: what costs less does not come with every hundredth of them. With many connections that is more than with the one
# that is measured here.
LEAST = 0.02


def symbols(program):
    """{name as callgrind prints it: name as the linker knows it} of a program's functions."""
    def listed(*options):
        done = subprocess.run(["nm", *options, str(program)], capture_output=True, text=True, check=True, timeout=120)
        return [line.split(" ", 2)[2] for line in done.stdout.splitlines() if line.count(" ") >= 2]

    mangled = listed()
    return {**dict(zip(listed("-C"), mangled)), **{name: name for name in mangled}}


def names(profiles, known):
    """The functions of `profiles` (pairs with the number of requests) that the program itself has, the dearest first."""
    costs = collections.Counter()
    for profile, requests in profiles:
        for name, cost in profile.own.items():
            if name in known and cost / requests >= LEAST:
                costs[known[name]] += cost / requests
    return [name for name, _ in costs.most_common()]


def main():
    """Prints the list."""
    with tempfile.TemporaryDirectory(prefix="postern-order-") as folder:
        program = callgrind.without_debug_info(proxy.binary(), folder)
        found = [(kinds.measure(program, kinds.KINDS[each], folder)[0], kinds.KINDS[each].requests) for each in WANTED]
        print("\n".join(names(found, symbols(program))))


if __name__ == "__main__":
    try:
        main()
    except callgrind.Missing as error:
        sys.exit("error: %s" % error)
