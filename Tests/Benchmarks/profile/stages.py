#!/usr/bin/env python3
"""Where the instructions of a request go, by stage: the program's own code (the kernel is not in it), counted by callgrind
on the thread of the event loop. `stages.py` prints all tables, `stages.py hit miss` these. Takes the program from
.build/release, or from the folder that POSTERN_BIN names."""
from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "budgets")]

from counting import callgrind  # noqa: E402
import proxy  # noqa: E402
import assign  # noqa: E402
import kinds  # noqa: E402
import naming  # noqa: E402

# What the sum of all rows may be off what callgrind counted, and what may be in the last row, as parts of the whole.
TOLERANCE = 0.01
LEFT = 0.03


def rows(profile):
    """[(stage, its Counter)] in the order of the stages, without empty ones."""
    readable = naming.demangled(assign.functions(profile))
    found = assign.Assignment(profile, lambda name: naming.stage(readable[name]), naming.aspect).totals()
    order = [stage for stage, _ in naming.STAGES] + [assign.UNASSIGNED]
    return [(stage, found[stage]) for stage in order if found[stage]["all"] > 0.5 or stage == assign.UNASSIGNED]


def table(profile, requests):
    """The lines of a Markdown table."""
    found = rows(profile)
    columns = ("all", naming.COUNTING, naming.EXCLUSIVITY)
    whole = {column: sum(each[column] for _, each in found) for column in columns}
    if abs(whole["all"] - profile.total) > TOLERANCE * profile.total:
        raise RuntimeError("the rows sum up to %d of %d instructions" % (whole["all"], profile.total))
    lines = ["| stage | instructions | % | of which reference counting | of which exclusivity checks |",
             "| --- | ---: | ---: | ---: | ---: |"]
    for stage, each in [*found, ("**all**", whole)]:
        counts = [format(round(each[column] / requests), ",") for column in columns]
        lines.append("| %s | %s | %.1f | %s | %s |" % (stage, counts[0], 100 * each["all"] / profile.total, *counts[1:]))
    if found[-1][1]["all"] > LEFT * profile.total:
        lines.append("\nMore than %d %% is not assigned: naming.py lacks a stage." % (100 * LEFT))
    return lines


def main(wanted):
    """Prints the tables asked for."""
    unknown = set(wanted) - set(kinds.KINDS)
    if unknown:
        sys.exit("error: no such kind: %s; there are %s" % (", ".join(sorted(unknown)), ", ".join(kinds.KINDS)))
    if shutil.which("swift") is None:
        raise callgrind.Missing("swift is not installed: names of functions cannot be read")
    with tempfile.TemporaryDirectory(prefix="postern-profile-") as folder:
        program = callgrind.without_debug_info(proxy.binary(), folder)
        for kind in [kinds.KINDS[name] for name in wanted or kinds.KINDS]:
            profile, others = kinds.measure(program, kind, folder)
            lines = ["### %s" % kind.title, "", *table(profile, kind.requests), ""]
            if kind.scenario.access != "off":
                lines += ["Besides, %d in the thread that writes the log's lines out.\n" % round(others / kind.requests)]
            print("\n".join(lines), flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (callgrind.Missing, RuntimeError) as error:
        sys.exit("error: %s" % error)
