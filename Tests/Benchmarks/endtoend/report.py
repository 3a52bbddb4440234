"""The document: what was measured, as Markdown."""
from __future__ import annotations

from . import protocols
from .figures import Series, number, quotient, spread
from .measure import SETTLE
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

    def names(self, *loads):
        """The systems that were measured under one of these loads, in the order of the table."""
        return [each.name for each in SYSTEMS if self.has(each.name) and each.loads.intersection(loads)]


def small_requests(results):
    """The main table: small answers, 64 connections."""
    base = results.median("haproxy-tcp", "cpu")
    rows = []
    for name in results.names("small"):
        def cell(figure, digits=1, scale=1.0, name=name):
            value = results.median(name, figure)
            return number(None if value is None else value / scale, digits)

        rows.append([
            BY_NAME[name].title, cell("cpu"), cell("user"), cell("system"), spread(results.series(name, "cpu")),
            number(quotient(results.median(name, "cpu"), base), 2), cell("rate", 0), cell("p50", 2, 1e3),
            cell("p99", 2, 1e3), cell("rss_idle", 1, 1024), cell("rss_load", 1, 1024), cell("rss_after", 1, 1024),
        ])
    heads = ["small answers, 64 connections", "CPU µs per request", "user", "system", "least–most", "× HAProxy TCP",
             "requests/s", "p50 ms", "p99 ms", "RSS idle MiB", "under load", "%.0f s after" % SETTLE]
    return table(heads, rows)


def other_loads(results, idle):
    """One connection, bodies, idle connections."""
    direct = results.median("direct", "one_p50")
    rows = []
    for name in results.names("one", "bodies", "idle"):
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


def in_turn(turns):
    """What was measured in turn: medians over the turns, and in brackets the middle half of them."""
    def cell(name, figure, digits):
        series = turns.series(name, figure)
        return "%s (%s)" % (number(series.median, digits), spread(series.middle, digits)) if series else "–"

    times = "in turn, %d times" % max(map(len, turns.rounds.values()))
    rows = [[BY_NAME[name].title, cell(name, "cpu", 1), cell(name, "rate", 0), cell(name, "one_p50", 1), cell(name, "body1m", 0)]
            for name in turns.names("small", "one")]
    heads = [times, "CPU µs per request", "requests/s", "1 connection: p50 µs", "1 MiB bodies: CPU µs per MiB"]
    parts = [table(heads, rows)] if rows else []
    rows = [[title, BY_NAME[name].title, cell(name, load + "_cpu", 1), cell(name, load + "_rate", 0)]
            for load, title in protocols.TITLES.items() for name in turns.names(load)]
    if rows:
        parts.append(table([times, "", "CPU µs each", "a second"], rows))
    return "\n\n".join(parts)


def other_protocols(results):
    """TLS, HTTP/2, WebSocket, gRPC: a row for each load and system."""
    rows = []
    for load, title in protocols.TITLES.items():
        for name in results.names(load):
            cpu = results.series(name, load + "_cpu")
            peers = [quotient(cpu.median, results.median("%s-%s" % (peer, load), load + "_cpu")) for peer in ("haproxy", "envoy")]
            rows.append([title, BY_NAME[name].title, number(cpu.median), spread(cpu), number(quotient(1e6, cpu.median), 0)]
                        + [number(each, 2) for each in peers] + [number(results.median(name, load + "_rate"), 0)])
    heads = ["other protocols", "", "CPU µs each", "least–most", "each CPU second", "× HAProxy", "× Envoy", "a second"]
    return table(heads, rows)


def system_calls(counted):
    """System calls per request, by name: `counted` is {system: {connections: {name: calls}}}."""
    parts = []
    for connections in sorted({each for calls in counted.values() for each in calls}, reverse=True):
        columns = [name for name in counted if connections in counted[name]]
        calls = {name: counted[name][connections] for name in columns}
        seen = {each for by_name in calls.values() for each, value in by_name.items() if value >= 0.005}
        ordered = sorted(seen, key=lambda each: (-max(by_name.get(each, 0) for by_name in calls.values()), each))
        rows = [["`%s`" % each] + [number(calls[name].get(each, 0), 2) for name in columns] for each in ordered]
        rows.append(["all"] + [number(sum(calls[name].values()), 2) for name in columns])
        plural = "s" if connections > 1 else ""
        parts.append(table(["system calls per request, %d connection%s" % (connections, plural)]
                           + [BY_NAME[name].title for name in columns], rows))
    return "\n\n".join(parts)


def scaling(rounds):
    """Postern with one loop and with two: `rounds` is {loops: [figures of each round]}."""
    rows = []
    one = Series(each["rate"] for each in rounds[1])
    for loops in sorted(rounds):
        def series(figure, loops=loops):
            return Series(each[figure] for each in rounds[loops])

        spreads = ["/".join(map(str, each["loops"])) for each in rounds[loops]]
        rows.append([
            "Postern, %d event loop%s" % (loops, "s" if loops > 1 else ""), number(series("cpu").median),
            spread(series("cpu")), number(series("rate").median, 0),
            number(quotient(series("rate").median, one.median), 2), number(series("p50").median / 1e3, 2),
            number(series("p99").median / 1e3, 2), ", ".join(spreads),
        ])
    return table(["scaling, 64 connections", "CPU µs per request", "least–most", "requests/s", "× 1 loop", "p50 ms", "p99 ms",
                  "connections per loop, by round"], rows)
