"""Charges what helpers cost to the stages that call them.

A function with a stage answers for its own instructions. Those of a helper (memcpy, an array that grows, swift_retain) are
divided among its callers, and theirs again if they are helpers too, until a function with a stage is reached. The share of
a caller is what its calls of the helper cost, of what all calls cost.

A profile has no more than pairs of caller and called in it. So a helper's helper is charged to all callers of the helper
alike; and the functions of the runtime that always take about as long (reference counting, exclusivity checks) are divided
by the number of calls, because what a release costs depends on whether it is the last one.
"""
from __future__ import annotations

import collections

UNASSIGNED = "not assigned"
# A chain of helpers is never so long; a circle of helpers has given away all but a trifle by then.
ROUNDS = 60
TRIFLE = 1e-6


class Assignment:
    """`profile` has `own`, `calls`, `edges` and `costs`; `stage` and `aspect` give those of a function, or None."""

    def __init__(self, profile, stage, aspect):
        self.stages = {name: stage(name) for name in functions(profile)}
        self.aspects = {name: aspect(name) for name in self.stages}
        self.callers = collections.defaultdict(list)
        for (caller, called), count in profile.edges.items():
            if caller != called and count > 0:
                self.callers[called].append((caller, count, max(0, profile.costs[caller, called])))
        self.own = {name: cost for name, cost in profile.own.items() if cost > 0}
        self._shares = self._settle()

    def totals(self):
        """{stage: Counter of "all" and of each aspect}; what no stage calls is under UNASSIGNED."""
        result = collections.defaultdict(collections.Counter)
        for name, cost in self.own.items():
            if self.stages[name] is not None:
                shares = {self.stages[name]: 1.0}
            else:
                shares = self._of_callers(name, self._shares, self.aspects[name] is not None)
            shares = dict(shares)
            shares[UNASSIGNED] = 1.0 - sum(shares.values())
            for stage, share in shares.items():
                result[stage]["all"] += cost * share
                if self.aspects[name] is not None:
                    result[stage][self.aspects[name]] += cost * share
        return result

    def unassigned(self):
        """Instructions that no stage answers for, by function."""
        left = collections.Counter()
        for name, cost in self.own.items():
            if self.stages[name] is None:
                shares = self._of_callers(name, self._shares, self.aspects[name] is not None)
                left[name] = cost * (1.0 - sum(shares.values()))
        return left

    def _settle(self):
        """{helper: {stage: share}}: how what it calls is divided, found by going round until nothing changes."""
        helpers = [name for name, stage in self.stages.items() if stage is None]
        shares = {name: {} for name in helpers}
        for _ in range(ROUNDS):
            change = 0.0
            for name in helpers:
                new = self._of_callers(name, shares, False)
                change = max(change, abs(sum(new.values()) - sum(shares[name].values())),
                             *(abs(new[stage] - shares[name].get(stage, 0.0)) for stage in new), 0.0)
                shares[name] = new
            if change < TRIFLE:
                break
        return shares

    def _of_callers(self, name, shares, by_calls):
        """{stage: share} of a helper, from those of its callers."""
        callers = self.callers.get(name, ())
        weights = [count if by_calls else cost for _, count, cost in callers]
        if sum(weights) == 0:
            weights = [count for _, count, _ in callers]
        whole = sum(weights)
        result = collections.defaultdict(float)
        for (caller, _, _), weight in zip(callers, weights):
            if self.stages[caller] is not None:
                result[self.stages[caller]] += weight / whole
            else:
                for stage, share in shares[caller].items():
                    result[stage] += share * weight / whole
        return result


def functions(profile):
    """The names of all functions in a profile."""
    return {*profile.own, *(name for pair in profile.edges for name in pair)}
