"""The document: what was measured, as Markdown."""
from __future__ import annotations

from .figures import Series, number, quotient, spread
from .systems import BY_NAME, SYSTEMS
from .table import table


class Results:
    """Every figure of every system and round."""

    def __init__(self):
        self.rounds = {}

    def add(self, name, figures):
        self.rounds.setdefault(name, []).append(figures)

    def has(self, name):
        return bool(self.rounds.get(name))

    def series(self, name, figure):
        """The figure of the system, round by round."""
        return Series(each.get(figure) for each in self.rounds.get(name, []))

    def median(self, name, figure):
        return self.series(name, figure).median

    def names(self):
        """The systems that were measured, in the order of the table."""
        return [each.name for each in SYSTEMS if self.has(each.name)]


def small_requests(results):
    """The main table: small answers, 64 connections."""
    base = results.median("haproxy-tcp", "cpu")
    rows = []
    for name in results.names():
        def cell(figure, digits=1, scale=1.0, name=name):
            value = results.median(name, figure)
            return number(None if value is None else value / scale, digits)

        rows.append([
            BY_NAME[name].title, cell("cpu"), cell("user"), cell("system"), spread(results.series(name, "cpu")),
            number(quotient(results.median(name, "cpu"), base), 2), cell("rate", 0), cell("p50", 2, 1e3),
            cell("p99", 2, 1e3), cell("rss_idle", 1, 1024), cell("rss_load", 1, 1024), cell("rss_after", 1, 1024),
        ])
    heads = ["small answers, 64 connections", "CPU µs per request", "user", "system", "least–most", "× HAProxy TCP",
             "requests/s", "p50 ms", "p99 ms", "RSS idle MiB", "under load", "%d s after" % 2]
    return table(heads, rows)


def other_loads(results, idle):
    """One connection, bodies, idle connections."""
    direct = results.median("direct", "one_p50")
    rows = []
    for name in results.names():
        if not BY_NAME[name].whole:
            continue
        p50 = results.median(name, "one_p50")
        added = None if p50 is None or direct is None or name == "direct" else p50 - direct
        rows.append([
            BY_NAME[name].title, number(p50), number(added), number(results.median(name, "one_cpu")),
            number(results.median(name, "body64k"), 0), number(results.median(name, "body1m"), 0),
            number(idle.get(name), 1),
        ])
    heads = ["other loads", "1 connection: p50 µs", "added µs", "CPU µs per request", "64 KiB bodies: CPU µs per MiB",
             "1 MiB bodies: CPU µs per MiB", "KiB RSS per idle connection"]
    return table(heads, rows)
