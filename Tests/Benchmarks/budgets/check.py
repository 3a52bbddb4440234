#!/usr/bin/env python3
"""Compares what the core's operations and the real proxy's requests cost with budgets.json: instructions and heap
allocations, counted by callgrind, the same in every run. Needs valgrind and a release build."""
from __future__ import annotations

import argparse
import concurrent.futures
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from counting import callgrind, micro  # noqa: E402
import budget  # noqa: E402
import proxy  # noqa: E402
import report  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the counts down as the new budgets")
    parser.add_argument("--verbose", action="store_true", help="who calls the allocator for a request; no comparison")
    parser.add_argument("--profile", action="store_true",
                        help="where the instructions of a request with a cached token go; no comparison")
    return parser.parse_args()


def count_core(folder):
    """The operations of the core by name, in their order."""
    program = callgrind.without_debug_info(micro.build(), folder)
    operations = micro.operations(program)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip((each.name for each in operations),
                          pool.map(lambda operation: micro.count(program, operation), operations)))
    result = {}
    for name, count in counts.items():
        if name.startswith("verify-"):
            continue
        if name.startswith("check-"):
            # What libcrypto does depends on its release and on the processor; the rest of the check is ours.
            alone = counts["verify-" + name.partition("-")[2]]
            name += " without libcrypto"
            count = micro.Count(count.instructions - alone.instructions, count.allocations - alone.allocations)
        allocations = round(count.allocations, 2)
        result[name] = {"instructions": round(count.instructions),
                        "allocations": int(allocations) if allocations.is_integer() else allocations}
    return result


def count_proxy(folder):
    """The kinds of requests by name."""
    program = callgrind.without_debug_info(proxy.binary(), folder)
    result = {}
    for scenario in proxy.SCENARIOS:
        profile = proxy.measure(program, scenario)
        result[scenario.name] = {
            "instructions": round(profile.total / proxy.REQUESTS),
            "allocations": proxy.steady_allocations(profile),
            "string_allocations": proxy.string_allocations(profile),
        }
    return result


def compare(counted):
    """Prints every count beside its budget. Returns how many are over."""
    budgets = budget.Budgets()
    failures = 0
    for part, entries in counted.items():
        print("%-32s %14s %12s" % (part, "instructions", "allocations"))
        for name, counts in entries.items():
            within, word = budget.verdict(counts, budgets.get(part, name))
            failures += not within
            print("  %-30s %14s %12s  %s" % (
                name, format(counts["instructions"], ","), counts["allocations"], word))
    if failures:
        print("error: %d over budget. The budgets were taken with %s, this is %s. 'check.py --verbose' says who allocates, "
              "'check.py --profile' where the instructions go." % (
                  failures, budgets.compiler(), budget.this_compiler()), file=sys.stderr)
    return failures


def explain(folder, verbose, profile):
    """Where allocations and instructions of requests come from."""
    program = callgrind.without_debug_info(proxy.binary(), folder)
    for scenario in proxy.SCENARIOS if verbose else proxy.SCENARIOS[:1]:
        measured = proxy.measure(program, scenario)
        if verbose:
            report.print_allocations(scenario.name, measured, proxy.REQUESTS)
        if profile and scenario is proxy.SCENARIOS[0]:
            report.print_functions(scenario.name, measured, proxy.REQUESTS)
            report.print_runtime_callers(measured, proxy.REQUESTS)


def main():
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="postern-budgets-") as folder:
        if asked.verbose or asked.profile:
            explain(folder, asked.verbose, asked.profile)
            return 0
        counted = {"proxy": count_proxy(folder), "core": count_core(folder)}
    strings = sum(counts["string_allocations"] for counts in counted["proxy"].values())
    if strings:
        print("error: requests allocate strings: run check.py --verbose", file=sys.stderr)
        return 1
    if asked.update:
        budget.Budgets().write(counted)
        print("wrote %s" % budget.FILE.name)
    elif not budget.Budgets().entries:
        print("There are no budgets for this kind of processor yet, so nothing is compared: 'make budgets' takes them.")
        return 0
    return 1 if compare(counted) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (callgrind.Missing, RuntimeError) as error:
        sys.exit("error: %s" % error)
