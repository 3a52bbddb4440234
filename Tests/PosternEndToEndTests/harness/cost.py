"""Whether two kinds of requests cost a process the same: its processor time, block by block, the kinds taking turns."""
from __future__ import annotations

import random
import statistics
import time

# Both have to be true for a difference to count: it is more than this share of the cost …
SHARE = 0.05
# … and labels given at random to the blocks of each round give one as large less often than this.
CHANCE = 0.001
SHUFFLES = 4000


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
    """How often a difference as large comes about when the two blocks of a round change places at random."""
    coin, observed, count = random.Random(seed), abs(difference(pairs)), 0
    for _ in range(SHUFFLES):
        count += abs(difference([pair if coin.random() < 0.5 else pair[::-1] for pair in pairs])) >= observed
    return (count + 1) / (SHUFFLES + 1)


def check_equal(pairs):
    """Fails if the two kinds cost different amounts, by more than noise: see SHARE and CHANCE. That happens by accident less
    than once in a thousand runs, and only on a machine so loud that medians move by a twentieth."""
    share = difference(pairs)
    if abs(share) > SHARE:
        found = chance(pairs)
        assert found > CHANCE, "the second kind costs %+.1f %% (%.1f µs against %.1f µs); by chance: %.5f" % (
            100 * share, *(1e6 * statistics.median(each) for each in reversed(list(zip(*pairs)))), found)
