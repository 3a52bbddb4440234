"""Whether two kinds of requests cost a process the same: its processor time, block by block, the kinds taking turns."""
from __future__ import annotations

import math
import random
import statistics
import time

# All have to be true for a difference to count: it is more than this share of the cost …
SHARE = 0.05
# … rounds whose blocks change places at random are as lopsided less often than this …
CHANCE = 0.01
SHUFFLES = 4000
# … and that so many times in a row.
TIMES = 2


def cpu_clock(pid):
    """Seconds of processor time that a process and all its threads have used, to the nanosecond: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def measure(pid, kinds, rounds, seed=1):
    """[(cost of the first kind, of the second)] for each round: `kinds` are two functions that do a block of requests and
    return how many; within a round their order is random. Costs are seconds of processor time for each request."""
    order, found = random.Random(seed), []
    for each in kinds:
        each()
    for _ in range(rounds):
        costs = [0.0, 0.0]
        for kind in order.sample((0, 1), 2):
            begun = cpu_clock(pid)
            count = kinds[kind]()
            costs[kind] = (cpu_clock(pid) - begun) / count
        found.append(tuple(costs))
    return found


def difference(pairs):
    """The difference of the medians, as a share of the first one's."""
    first, second = (statistics.median(each) for each in zip(*pairs))
    return (second - first) / first


def chance(pairs, seed=1):
    """How often rounds are as lopsided when their two blocks change places at random: Wilcoxon's signed ranks, which ask of
    every round which of the two cost more, and by how much compared with the other rounds. One loud round weighs little."""
    shifts = sorted((math.log(second / first) for first, second in pairs), key=abs)
    ranks = range(1, len(shifts) + 1)
    observed = abs(sum(math.copysign(rank, shift) for rank, shift in zip(ranks, shifts)))
    coin, count = random.Random(seed), 0
    for _ in range(SHUFFLES):
        count += abs(sum(rank if coin.random() < 0.5 else -rank for rank in ranks)) >= observed
    return (count + 1) / (SHUFFLES + 1)


def check_equal(pid, kinds, rounds):
    """Fails if the two kinds cost different amounts, by more than noise. Of two that cost the same, that is said less than once
    in ten thousand runs, and only on a machine so loud that medians move by a twentieth."""
    for seed in range(1, TIMES + 1):
        pairs = measure(pid, kinds, rounds, seed)
        share, found = difference(pairs), chance(pairs)
        if abs(share) <= SHARE or found > CHANCE:
            return
    first, second = (1e6 * statistics.median(each) for each in zip(*pairs))
    raise AssertionError("the second kind costs %+.1f %% (%.1f µs against %.1f µs); by chance: %.5f" % (
        100 * share, second, first, found))
