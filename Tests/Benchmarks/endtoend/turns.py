"""Systems that run at the same time and are loaded in turn, for about a second each, again and again.

A machine that is shared with others has slow and fast phases of some seconds. Rounds that measure one system for half a
minute and then start the next compare phases as much as systems; a ratio of two windows that lie a second apart does not,
and the median of many such ratios is steady where the figures themselves are not.
"""
from __future__ import annotations

import contextlib

from . import load, protocols
from .figures import Unusable, difference, quotient
from .measure import BODIES, MIB, looked_up
from .report import Results
from .systems import BY_NAME, TARGET

SECONDS = 1
# Which systems are compared under a load. Direct calls have no process whose time could be told.
GROUPS = {
    "small": ("haproxy-tcp", "haproxy-http", "nginx", "postern", "postern-log", "postern-introspect-local"),
    "one": ("direct", "haproxy-tcp", "postern"),
    "body": ("haproxy-http", "postern"),
    **{load: tuple("%s-%s" % (each, load) for each in ("haproxy", "envoy", "postern")) for load in protocols.TITLES},
}


def order(names, turn):
    """Each turn begins with another system, and every second one goes backwards, so that what drifts within a turn is
    spread over all."""
    start = turn % len(names)
    found = names[start:] + names[:start]
    return found[::-1] if turn % 2 else found


def groups(names):
    """{load: systems of `names` in the order of the table}: loads under which Postern is compared with something."""
    found = {load: [each for each in BY_NAME if each in names and each in group] for load, group in GROUPS.items()}
    return {load: each for load, each in found.items()
            if len(each) > 1 and any(BY_NAME[name].is_postern for name in each)}


class Turns:
    """Loads the systems of `names` in turn. `results` holds what each window measured, a round for each turn."""

    def __init__(self, stage, options, names):
        self.stage = stage
        self.count = options.turns
        self.groups = groups(names)
        self.results = Results()

    def run(self, say):
        """Every turn, after one that is not kept: pools, caches and buffers reach their size in it."""
        names = [each for each in BY_NAME if any(each in group for group in self.groups.values())]
        with contextlib.ExitStack() as stack:
            running = {each: stack.enter_context(self.stage.start(BY_NAME[each])) for each in names}
            kept = [each for each in running.values() if each.system.is_postern and "small" in each.system.loads]
            before = [each.metrics() for each in kept]
            for turn in range(-1, self.count):
                if turn >= 0 and turn % 5 == 0:
                    say("in turn, %d of %d" % (turn + 1, self.count))
                figures = self._turn(running, max(0, turn))
                if turn >= 0:
                    for name, each in figures.items():
                        self.results.add(name, each)
            for each, start in zip(kept, before):
                self._prove(each.name, start, each.metrics())

    def _turn(self, running, turn):
        figures = {each: {} for each in running}
        for group, names in self.groups.items():
            for name in order(names, turn):
                figures[name].update(self._window(running[name], group))
        return figures

    def _window(self, running, group):
        if group in protocols.TITLES:
            cpu, done = self._spent(running, protocols.run_of(group, self.stage, running))
            return {group + "_cpu": cpu / done, group + "_rate": done / SECONDS}
        path = BODIES["body1m"] if group == "body" else TARGET
        connections, url = {"small": 64, "one": 1, "body": 16}[group], running.url(path)
        cpu, done = self._spent(running, lambda seconds: load.run(
            running.name, url, self.stage.tokens.one, self.stage.cores.load, seconds, connections))
        if group == "one":
            return {"one_p50": done.p50}
        if group == "body":
            return {"body1m": cpu / (done.bytes_read / MIB)}
        return {"cpu": cpu / done.requests, "rate": done.rate}

    @staticmethod
    def _spent(running, run):
        """(microseconds of CPU, what `run` says it did)"""
        if running.child is None:
            return 0.0, run(SECONDS)
        start = sum(running.child.cpu())
        done = run(SECONDS)
        if not done:
            raise Unusable("%s served nothing" % running.name)
        return sum(running.child.cpu()) - start, done

    @staticmethod
    def _prove(name, before, after):
        """Every request but the first of the token was served from the cache, as the row says."""
        hits, misses = (looked_up(after, each) - looked_up(before, each) for each in ("hit", "miss"))
        if misses > 0.001 * hits:
            raise Unusable("%s: %d of the lookups hit the token cache and %d did not" % (name, hits, misses))


def ratios(results, figure, name, base):
    """The quotient of two systems' figures, turn by turn."""
    return results.series(name, figure).combined(results.series(base, figure), quotient)


def added(results, name):
    """What a system adds to the median of one connection, turn by turn, in microseconds."""
    return results.series(name, "one_p50").combined(results.series("direct", "one_p50"), difference)
