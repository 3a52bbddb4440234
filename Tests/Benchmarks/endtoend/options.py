"""What the environment may change."""
from __future__ import annotations

from .figures import Unusable
from .systems import BY_NAME, SYSTEMS


class Options:
    """BENCH_ROUNDS (3), BENCH_SECONDS (5) of each measured window, BENCH_TURNS (15; 0: none, see turns.py), BENCH_ONLY (names,
    separated by commas)."""

    def __init__(self, environment):
        self.rounds = whole(environment, "BENCH_ROUNDS", 3, 99)
        self.seconds = whole(environment, "BENCH_SECONDS", 5, 600)
        self.turns = 0 if environment.get("BENCH_TURNS") == "0" else whole(environment, "BENCH_TURNS", 15, 999)
        wanted = [each.strip() for each in environment.get("BENCH_ONLY", "").split(",") if each.strip()]
        unknown = [each for each in wanted if each not in BY_NAME]
        if unknown:
            raise Unusable("BENCH_ONLY names %s; there are: %s" % (
                ", ".join(unknown), ", ".join(each.name for each in SYSTEMS)))
        self.only = wanted
        self.systems = [each for each in SYSTEMS if not wanted or each.name in wanted]
        # A warm-up is a fifth of the window: enough for pools, caches and buffers to reach their size.
        self.warm_up = max(1, self.seconds // 5)
        # With one connection and with bodies there is less to average over: those windows are shorter.
        self.short = max(1, self.seconds // 2)


def whole(environment, name, default, most):
    """A whole number between 1 and `most`."""
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Unusable("%s is %r: it must be a whole number from 1 to %d" % (name, text, most))
    return int(text)
