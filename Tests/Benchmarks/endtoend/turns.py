"""Systems that run at the same time and are loaded in turn, for about a second each, again and again.

A machine that is shared with others has slow and fast phases of some seconds. Rounds that measure one system for half a
minute and then start the next compare phases as much as systems; a ratio of two windows that lie a second apart does not,
and the median of many such ratios is steady where the figures themselves are not.
"""
from __future__ import annotations

import contextlib

from . import load
from .measure import BODIES, MIB, looked_up
from .figures import Unusable, difference, quotient
from .report import Results
from .systems import BY_NAME

SECONDS = 1
# What takes part in each load; direct calls have no process whose time could be told.
SMALL = ("haproxy-tcp", "haproxy-http", "nginx", "postern", "postern-log")
ONE = ("direct", "haproxy-tcp", "postern")
BODY = ("haproxy-http", "postern")
WANTED = frozenset(SMALL + ONE + BODY)


def order(names, turn):
    """Each turn begins with another system, and every second one goes backwards, so that what drifts within a turn is
    spread over all."""
    start = turn % len(names)
    found = names[start:] + names[:start]
    return found[::-1] if turn % 2 else found


class Turns:
    """Loads the systems of `names` in turn. `results` holds what each window measured, a round for each turn."""

    def __init__(self, stage, names):
        self.stage = stage
        self.names = [each for each in BY_NAME if each in names and each in WANTED]
        self.results = Results()

    @property
    def worth_it(self):
        """Whether there is anything to compare."""
        return "postern" in self.names and "haproxy-tcp" in self.names

    def run(self, count, say):
        """`count` turns, after one that is not kept: pools, caches and buffers reach their size in it."""
        with contextlib.ExitStack() as stack:
            running = {each: stack.enter_context(self.stage.start(BY_NAME[each])) for each in self.names}
            before = running["postern"].metrics()
            for turn in range(-1, count):
                if turn >= 0 and turn % 5 == 0:
                    say("in turn, %d of %d" % (turn + 1, count))
                figures = self._turn(running, max(0, turn))
                if turn >= 0:
                    for name, each in figures.items():
                        self.results.add(name, each)
            self._prove(before, running["postern"].metrics())

    def _turn(self, running, turn):
        figures = {each: {} for each in self.names}
        for name in order([each for each in self.names if each in SMALL], turn):
            cpu, done = self._window(running[name])
            figures[name].update(cpu=cpu / done.requests, rate=done.rate)
        for name in order([each for each in self.names if each in ONE], turn):
            figures[name]["one_p50"] = self._window(running[name], 1)[1].p50
        for name in order([each for each in self.names if each in BODY], turn):
            cpu, done = self._window(running[name], 16, BODIES["body1m"])
            figures[name]["body1m"] = cpu / (done.bytes_read / MIB)
        return figures

    def _window(self, running, connections=64, path=None):
        """(microseconds of CPU, what wrk reports); direct calls cost nothing that is counted here."""
        arguments = (running.name, running.url(path) if path else running.url(), self.stage.tokens.one,
                     self.stage.cores.load, SECONDS, connections)
        if running.child is None:
            return 0.0, load.run(*arguments)
        start = sum(running.child.cpu())
        done = load.run(*arguments)
        return sum(running.child.cpu()) - start, done

    @staticmethod
    def _prove(before, after):
        """Every request but the first of the token was served from the cache, as the row says."""
        hits, misses = (looked_up(after, each) - looked_up(before, each) for each in ("hit", "miss"))
        if misses > 0.001 * hits:
            raise Unusable("postern: %d of the lookups hit the token cache and %d did not" % (hits, misses))


def ratios(results, figure, name, base):
    """The quotient of two systems' figures, turn by turn."""
    return results.series(name, figure).combined(results.series(base, figure), quotient)


def added(results, name):
    """What a system adds to the median of one connection, turn by turn, in microseconds."""
    return results.series(name, "one_p50").combined(results.series("direct", "one_p50"), difference)
