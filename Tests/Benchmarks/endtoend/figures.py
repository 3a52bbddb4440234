"""Arithmetic of the benchmark: medians, ranges, and figures for people."""
from __future__ import annotations

import statistics


class Unusable(Exception):
    """The run cannot go on, or its figures would say nothing; the message names the system and the reason."""


class Series:
    """One figure of one system, measured once per round. A round that could not measure it holds None."""

    def __init__(self, values):
        self.values = list(values)
        self.known = [each for each in self.values if each is not None]

    def __bool__(self):
        return bool(self.known)

    @property
    def median(self):
        return statistics.median(self.known) if self.known else None

    @property
    def low(self):
        return min(self.known) if self.known else None

    @property
    def high(self):
        return max(self.known) if self.known else None

    @property
    def middle(self):
        """The series without its lowest and its highest quarter: what a spread of many turns is said by."""
        ordered, cut = sorted(self.known), len(self.known) // 4
        return Series(ordered[cut:len(ordered) - cut])

    def combined(self, other, function):
        """A series of `function` over the two figures of each round that has both."""
        pairs = zip(self.values, other.values)
        return Series(None if a is None or b is None else function(a, b) for a, b in pairs)


def number(value, digits=1):
    """1234.5 → "1,234.5"; None → an en dash."""
    return "–" if value is None else "{:,.{}f}".format(value, digits)


def spread(series, digits=1):
    """ "12.1–13.4": what the rounds measured, least and most."""
    if not series:
        return "–"
    return "%s–%s" % (number(series.low, digits), number(series.high, digits))


def quotient(a, b):
    """a / b, or None if one is unknown or b is nothing."""
    return None if a is None or not b else a / b


def difference(a, b):
    """a − b, or None if one is unknown."""
    return None if a is None or b is None else a - b
