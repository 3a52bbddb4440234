"""Which part of the processor time goes where, the kernel included: samples by perf while wrk loads the proxy, pinned as in
the benchmark. Times, not counts: on another machine, or in another minute, they are others.

    deploy/local/setup.sh profile
    PYTHONPATH=Tests/Benchmarks .build-bench/venv/bin/python -B -m profile.kernel

The virtual environment is that of `make bench`; POSTERN_BIN names the folder of the program."""
from __future__ import annotations

import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from endtoend import load, machine, run
from endtoend.figures import Unusable
from endtoend.measure import BODIES
from endtoend.systems import BY_NAME, Stage
from endtoend.tokens import Tokens

from . import samples

SECONDS = 5
ROUNDS = 3
# A system call has a row if it takes so much in one of the cases.
WORTH_A_ROW = 0.01
# New tokens for a warm-up and for the time of a recording, at more than the proxy can do.
FRESH = 175_000
# What a column is called, which system of the benchmark it is, over how many connections, and the path if it is another.
CASES = (
    ("cached token", "postern", 64, None),
    ("access log on", "postern-log", 64, None),
    ("new token each time", "postern-miss", 64, None),
    ("1 MiB bodies", "postern", 16, BODIES["body1m"]),
    ("one connection", "postern", 1, None),
)


def record(stage, system, connections, path):
    """The shares of one case."""
    with stage.start(BY_NAME[system]) as running:
        url = running.url(path) if path else running.url()
        cores, tokens = stage.cores.load, None
        fresh = BY_NAME[system].tokens == "fresh"
        if fresh:
            tokens = (stage.tokens.file, 1, FRESH - 1, "once")
        warm_up = load.run(system, url, stage.tokens.one, cores, 1, connections, tokens)
        if fresh:
            # wrk asks its script for one request more per connection than are answered, and once for nothing.
            first = warm_up.requests + 200
            tokens = (stage.tokens.file, first, FRESH - first, "once")
        with load.started(system, url, stage.tokens.one, cores, SECONDS + 1, connections, tokens) as wrk:
            text = _perf(running.child.pid, stage.folder / "perf.data")
            wrk.result()
    return samples.shares(text)


def _perf(pid, file):
    """What perf says of SECONDS of a process."""
    words = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-g", "-p", str(pid), "-o", str(file),
             "--", "sleep", str(SECONDS)]
    recorded = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, encoding="utf-8")
    if recorded.returncode != 0:
        raise Unusable("perf cannot record here: " + recorded.stdout[-300:].strip())
    return subprocess.run(["perf", "script", "-i", str(file), "-F", "ip,sym,dso"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True, timeout=300, encoding="utf-8", errors="replace").stdout


def rows(found):
    """[(title of a row, [share in each case])] of [Counter of shares, summed over the rounds]."""
    calls = {name for each in found for name in each if name.startswith(samples.KERNEL) and name != samples.REST}
    shown = sorted((name for name in calls if max(each[name] for each in found) >= WORTH_A_ROW),
                   key=lambda name: -found[0][name])
    kernel = [sum(share for name, share in each.items() if name.startswith(samples.KERNEL)) for each in found]
    return [
        *((name, [each[name] for each in found]) for name in (*samples.USER, *shown)),
        (samples.KERNEL + "other system calls", [sum(each[name] for name in calls - set(shown)) for each in found]),
        (samples.REST, [each[samples.REST] for each in found]),
        ("**all of the kernel**", kernel),
        (samples.SOFTIRQ, [each[samples.SOFTIRQ] for each in found]),
    ]


def table(titles, found):
    """The lines of a Markdown table."""
    lines = ["| % of the proxy's processor time | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(titles)]
    for name, shares in rows(found):
        lines.append("| %s | %s |" % (name, " | ".join("%.1f" % (100 * share) for share in shares)))
    return lines


def main():
    """Prints the table."""
    for program in ("perf", "nginx", "wrk"):
        if shutil.which(program) is None and shutil.which(program, path="/usr/sbin") is None:
            raise Unusable("%s is not installed: run 'deploy/local/setup.sh profile'" % program)
    tokens = Tokens(run.KEPT / "tokens")
    tokens.prepare(FRESH, run.say)
    with tempfile.TemporaryDirectory(prefix="postern-profile-") as name:
        # The workers of nginx are another user when it is started by root.
        os.chmod(name, 0o755)
        folder = pathlib.Path(name)
        stage = Stage(folder, folder, machine.Cores(), tokens, run.postern_program(), None)
        found = [collections.Counter() for _ in CASES]
        with stage.start_service(stage.cores.load):
            for number in range(ROUNDS):
                for counter, (title, *case) in zip(found, CASES):
                    run.say("round %d of %d: %s" % (number + 1, ROUNDS, title))
                    for name, share in record(stage, *case).items():
                        counter[name] += share / ROUNDS
    print("\n".join(table([case[0] for case in CASES], found)))


if __name__ == "__main__":
    try:
        main()
    except Unusable as error:
        sys.exit("error: %s" % error)
