"""The whole document, from everything that a run found."""
from __future__ import annotations

import datetime
import time

from . import machine, notes, protocols, report
from .figures import Series
from .verdicts import verdict_table

SCALING_NOTE = (
    "wrk, the service and Postern share the usable cores here, in both rows: with two cores the second loop takes its "
    "time from the load generator, so requests/s cannot double. CPU per request, and an even spread, are what to look "
    "at.")


def document(benchmark):
    """Markdown."""
    stage, results = benchmark.stage, benchmark.results
    minutes = (time.monotonic() - benchmark.begun) / 60
    parts = [
        "# Postern beside its peers: one run on one machine",
        "%s, took %.0f min. %s." % (
            datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), minutes,
            notes.versions_line(machine.versions(stage.programs["postern"], stage.programs["envoy"]))),
        verdict_table(results, benchmark.idle, Series(benchmark.verifications), benchmark.turns),
        report.small_requests(results),
        report.other_loads(results, benchmark.idle),
    ]
    if benchmark.turns:
        parts.append(report.in_turn(benchmark.turns))
    if results.names(*protocols.TITLES):
        parts.append(report.other_protocols(results))
    if benchmark.calls:
        parts.append(report.system_calls(benchmark.calls))
    if benchmark.scaling:
        parts += [report.scaling(benchmark.scaling), SCALING_NOTE]
    parts += ["## Notes", notes.notes(benchmark)]
    return "\n\n".join(parts) + "\n"
