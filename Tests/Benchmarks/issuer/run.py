"""The order of a run: round by round, an issuer for each algorithm, and the bare signature beside it."""
from __future__ import annotations

import os
import pathlib
import shutil
import signal
import sys
import tempfile

from endtoend import load, machine
from endtoend.figures import Unusable
from endtoend.options import whole

from . import report, signatures
from .server import Server

ROOT = pathlib.Path(__file__).resolve().parents[3]
RESULTS = ROOT / ".build-bench" / "results.md"
SCRIPT = pathlib.Path(__file__).with_name("raw.lua")
CONNECTIONS = 16


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


class Options:
    """BENCH_ROUNDS (3), BENCH_SECONDS (5), as in the other sections."""

    def __init__(self, environment):
        self.rounds = whole(environment, "BENCH_ROUNDS", 3, 99)
        self.seconds = whole(environment, "BENCH_SECONDS", 5, 600)
        self.warm_up = max(1, self.seconds // 5)


def program():
    """The binary to measure: POSTERN_BIN names its folder."""
    folder = pathlib.Path(os.environ.get("POSTERN_BIN") or ROOT / ".build" / "release")
    found = (folder if folder.is_absolute() else ROOT / folder) / "postern-issuer"
    if not found.exists():
        raise Unusable("there is no postern-issuer in %s: build it first, or name the folder in POSTERN_BIN" % found.parent)
    return found


def main():
    """Measures, prints the section, and adds it to what the other sections found, or makes it all that there is."""
    # SIGTERM ends the run as Ctrl-C does: by unwinding, which ends every child.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for each in ("wrk", "openssl"):
        if not shutil.which(each):
            raise Unusable("%s is not installed" % each)
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder:
        text = Benchmark(program(), pathlib.Path(folder), Options(os.environ), machine.Cores()).run()
    add = os.environ.get("BENCH_ADD") == "1" and RESULTS.exists()
    RESULTS.parent.mkdir(exist_ok=True)
    with open(RESULTS, "a" if add else "w", encoding="utf-8") as file:
        file.write(("\n" if add else "") + text)
    print(text, end="")
    say("written to %s" % RESULTS.relative_to(ROOT))


class Benchmark:
    """One run of everything."""

    def __init__(self, program, folder, options, cores):
        self.program = program
        self.folder = folder
        self.options = options
        self.cores = cores
        self.results = report.Results()

    def run(self):
        """The section."""
        os.sched_setaffinity(0, self.cores.load)
        for number in range(self.options.rounds):
            turn = number % len(report.ALGORITHMS)
            for algorithm in report.ALGORITHMS[turn:] + report.ALGORITHMS[:turn]:
                say("issuer, round %d of %d: %s" % (number + 1, self.options.rounds, algorithm))
                self._round(number, algorithm)
        return report.section(self.results, self._notes())

    def _round(self, number, algorithm):
        self.results.add("openssl " + algorithm, signatures.measured(algorithm, self.cores.proxy))
        with Server(self.program, self.folder / ("%s-%d" % (algorithm, number)), self.cores.proxy, algorithm) as server:
            self.results.add("token " + algorithm, self._cost(server, "token"))
            if algorithm == "RS256":
                for name in report.INTROSPECTIONS:
                    self.results.add(name, self._cost(server, name))

    def _cost(self, server, name):
        """Microseconds of the issuer's processor time for each request of that kind."""
        file = self.folder / "request"
        file.write_bytes(server.requests[name])
        self._load(server, file, self.options.warm_up)
        before = sum(server.child.cpu())
        done = self._load(server, file, self.options.seconds)
        return (sum(server.child.cpu()) - before) / done.requests

    def _load(self, server, file, seconds):
        command = ["wrk", "-t1", "-c%d" % CONNECTIONS, "-d%ds" % seconds, "--latency", "--timeout", "10s", "-s", SCRIPT, server.url,
                   "--", file]
        with load.Started("postern-issuer", machine.pinned(self.cores.load, command), seconds) as wrk:
            return wrk.result()

    def _notes(self):
        return [
            "%d round%s of windows of %d s after a warm-up, %d connections; the issuer on core %d, wrk on core %d. Figures are "
            "medians of the rounds." % (self.options.rounds, "s" if self.options.rounds > 1 else "", self.options.seconds,
                                        CONNECTIONS, self.cores.proxy[0], self.cores.load[0]),
            "CPU is user and system time of the issuer's process: HTTP, the secret, the client's row in SQLite, the rate, the "
            "claims, the signature, the audit line and row. Any answer that is not 2xx ends the run.",
            "`openssl speed` signs with the same algorithm on the same core, right before; it is the machine's libcrypto, which "
            "the issuer uses as well.",
            "Introspections verify the token's signature and read its holder from the store each time.",
        ]
