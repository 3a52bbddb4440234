"""What people read: tables of where allocations come from, and of where instructions go."""
from __future__ import annotations

import collections

from counting import names

# Frames of our own code and of libraries that are shown for an allocation.
FRAMES = 4


def print_allocations(title, profile, operations):
    """Who calls the allocator, per operation."""
    print("\n%s: %.3f allocations each" % (title, profile.allocation_count / operations))
    grouped = collections.Counter()
    for chain, count in profile.allocations.items():
        grouped[(chain[0], names.own_frames(chain)[:FRAMES])] += count
    readable = names.demangle({frame for _, frames in grouped for frame in frames})
    for (allocator, frames), count in grouped.most_common(30):
        print("  %8.3f  %s" % (count / operations, allocator))
        for frame in frames:
            print("            < %s" % readable[frame])


def print_functions(title, profile, operations, limit=60):
    """The functions that take the most instructions themselves, per operation."""
    print("\n%s: %d instructions each" % (title, round(profile.total / operations)))
    top = profile.own.most_common(limit)
    readable = names.demangle([name for name, _ in top])
    print("  %10s %6s %9s  %s" % ("own instr.", "%", "calls", "function"))
    for name, cost in top:
        print("  %10.1f %6.2f %9.2f  %s" % (
            cost / operations, 100 * cost / profile.total, profile.calls[name] / operations, readable[name]))
    rest = profile.total - sum(cost for _, cost in top)
    print("  %10.1f %6.2f %9s  everything else" % (rest / operations, 100 * rest / profile.total, ""))


# Reference counting and the checks of the runtime: what they cost is decided where they are called.
RUNTIME = ("swift_beginAccess", "swift_endAccess", "swift_retain", "swift_release", "swift_bridgeObjectRetain",
           "swift_bridgeObjectRelease", "swift_isUniquelyReferenced_nonNull_native", "swift_dynamicCastClass", "swift_once")


def print_runtime_callers(profile, operations, limit=15):
    """Who calls the functions of the Swift runtime that cost the most, per operation."""
    for function in sorted(RUNTIME, key=lambda name: -profile.calls[name]):
        callers = collections.Counter({by: count for (by, name), count in profile.edges.items() if name == function})
        if not callers:
            continue
        print("\n%s: %.1f calls each" % (function, profile.calls[function] / operations))
        readable = names.demangle(callers)
        for name, count in callers.most_common(limit):
            print("  %8.2f  %s" % (count / operations, readable[name]))
