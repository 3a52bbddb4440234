#!/usr/bin/env python3
"""What a request costs the real proxy, counted under callgrind."""
from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from counting import callgrind  # noqa: E402
import proxy  # noqa: E402
import report  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="who calls the allocator, per request")
    parser.add_argument("--profile", action="store_true",
                        help="where the instructions of a request with a cached token go")
    return parser.parse_args()


def main():
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="postern-budgets-") as folder:
        program = proxy.without_debug_info(pathlib.Path(folder))
        for scenario in proxy.SCENARIOS[:1] if asked.profile else proxy.SCENARIOS:
            profile = proxy.measure(program, scenario)
            print("%-32s %10.1f instructions %8.3f allocations %4d of strings" % (
                scenario.name, profile.total / proxy.REQUESTS, profile.allocation_count / proxy.REQUESTS,
                proxy.string_allocations(profile)), flush=True)
            if asked.verbose:
                report.print_allocations(scenario.name, profile, proxy.REQUESTS)
            if asked.profile:
                report.print_functions(scenario.name, profile, proxy.REQUESTS)
                report.print_runtime_callers(profile, proxy.REQUESTS)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except callgrind.Missing as missing:
        sys.exit("error: %s" % missing)
