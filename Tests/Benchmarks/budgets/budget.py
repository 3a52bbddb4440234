"""The file of budgets: what things may cost. Counts, which repeat; never times."""
from __future__ import annotations

import json
import pathlib
import platform
import subprocess

FILE = pathlib.Path(__file__).resolve().parent / "budgets.json"

# How far instructions may be off their budget, as a part of it: another release of the C library takes a few more or less.
TOLERANCE = 0.03


class Budgets:
    """The budgets of this kind of processor: other instruction sets take other counts."""

    def __init__(self):
        self.machine = platform.machine()
        self.all = json.loads(FILE.read_text()) if FILE.exists() else {}
        self.entries = self.all.get(self.machine, {})

    def get(self, part, name):
        return self.entries.get(part, {}).get(name)

    def compiler(self):
        """The compiler that the counts were taken with."""
        return self.entries.get("compiler", "an unknown compiler")

    def write(self, parts):
        """Replaces the counts of this kind of processor."""
        self.all[self.machine] = {"compiler": this_compiler(), **parts}
        FILE.write_text(json.dumps(self.all, indent=2) + "\n")


def this_compiler():
    done = subprocess.run(["swift", "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True,
                          encoding="utf-8")
    return done.stdout.splitlines()[0].strip()


def verdict(counted, budget):
    """How a count stands to its budget: whether it is within, and a word on it."""
    if budget is None:
        return False, "no budget: run 'make budgets' and commit the file"
    over = []
    lower = False
    for key, limit in budget.items():
        slack = TOLERANCE * limit if key == "instructions" else 0
        if counted[key] > limit + slack:
            over.append("%s %s, budget %s" % (key, format(counted[key], ","), format(limit, ",")))
        elif counted[key] < limit - slack:
            lower = True
    if over:
        return False, "OVER: " + "; ".join(over)
    return True, "lower: update the budget" if lower else "ok"
