"""The real proxy under callgrind: what one request costs on its event loop."""
from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
import time

from counting import callgrind, names

import wire

ROOT = pathlib.Path(__file__).resolve().parents[3]
WARM_UP = 200
FEW = 200
MANY = 600
# The requests that a profile is about: what happens once, and around a dump, is taken off.
REQUESTS = MANY - FEW
# Seconds that starting and dumping may take: the program is large, and runs some fifty times slower than it would.
PATIENCE = 180.0


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One kind of request."""

    name: str
    target: str
    with_token: bool
    access: str


SCENARIOS = (
    Scenario("cached token, access log off", "/api/v1/account/balance", True, "off"),
    Scenario("cached token, access log on", "/api/v1/account/balance", True, "all"),
    Scenario("public route, access log off", "/health", False, "off"),
)


def binary():
    """The program to measure: of the folder that POSTERN_BIN names, else of the release build."""
    folder = pathlib.Path(os.environ.get("POSTERN_BIN") or ".build/release")
    path = (folder if folder.is_absolute() else ROOT / folder) / "postern"
    if not path.exists():
        raise callgrind.Missing("there is no %s: build the release first" % path)
    return path


def configuration(scenario, ports, service):
    """A proxy.yaml; JSON is YAML. The deadlines are long, because everything takes long under callgrind."""
    long = "300s"
    return {
        "version": 1,
        "listen": "127.0.0.1:%d" % ports[0],
        "admin": "127.0.0.1:%d" % ports[1],
        "upstream": "http://127.0.0.1:%d" % service.port,
        "issuers": {"main": {
            "issuer": wire.ISSUER, "audiences": [wire.AUDIENCE], "algorithms": ["HS256"], "keys": {"secret": wire.SECRET},
        }},
        "routes": {
            "GET /health": "public",
            "GET /api/v1/trades": {"scopes": ["trade:read", "account:read"]},
            "POST /api/v1/trades": {"scopes": "trade:open"},
            "DELETE /api/v1/trades/{trade_id}": {"scopes": "trade:close"},
            "GET /api/v1/account": {"scopes": "account:read"},
            "GET /api/v1/account/balance": {"scopes": ["account:read", "account:balance"]},
            "GET /api/v1/market/{symbol}": {"scopes": "market:data"},
        },
        "timeouts": {name: long for name in ("head", "idle", "body_idle", "response", "upstream_idle")},
        "log": {"access": scenario.access},
        "service": "mt5-api",
        "event_loops": 1,
    }


class Measured:
    """Postern, running under callgrind until `close`."""

    def __init__(self, program, scenario, body=wire.BODY, issuer=()):
        """`issuer` are settings of the issuer that differ from those in `configuration`."""
        self.service = wire.Service(body)
        self.folder = tempfile.TemporaryDirectory(prefix="postern-budgets-")
        self.path = pathlib.Path(self.folder.name)
        self.dumps = 0
        ports = wire.free_ports(2)
        self.port = ports[0]
        file = self.path / "proxy.yaml"
        settings = configuration(scenario, ports, self.service)
        settings["issuers"]["main"].update(issuer)
        file.write_text(json.dumps(settings))
        words = self.command()
        self.log = open(self.path / "log", "wb")
        self.process = subprocess.Popen(
            [*words, str(program), "run", "--config", str(file)], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT, env=callgrind.environment(), cwd=self.path)
        try:
            self._await("listening")
            self.client = wire.Client(self.port, body)
        except BaseException:
            self.close()
            raise

    def command(self):
        """The words that put the proxy under the tool."""
        return callgrind.command(self.path / "profile", "--separate-threads=yes")

    def _await(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.output():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("postern did not come up:\n" + self.output()[-2000:])
            time.sleep(0.1)

    def output(self):
        return (self.path / "log").read_text("utf-8", "replace")

    def dump(self):
        """Has callgrind write down what happened since the last dump.

        - Returns: the profiles of the threads, that of the event loop first.
        """
        # What follows an answer (its record, the next deadline) is over a moment later.
        time.sleep(0.3)
        asked = subprocess.run(["vgdb", "--pid=%d" % self.process.pid, "--wait=30", "dump"], timeout=PATIENCE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        if asked.returncode != 0:
            raise RuntimeError("callgrind could not be asked for a profile: " + asked.stdout[-1000:])
        self.dumps += 1
        found = [callgrind.Profile().read(file) for file in sorted(self.path.glob("profile.%d-*" % self.dumps))]
        if not found:
            raise RuntimeError("callgrind wrote no profile: " + ", ".join(each.name for each in self.path.iterdir()))
        return sorted(found, key=_handling, reverse=True)

    def close(self):
        """Ends the processes, and removes what they wrote."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
        if hasattr(self, "client"):
            self.client.close()
        self.service.close()
        self.log.close()
        self.folder.cleanup()


def _handling(profile):
    """Instructions in the handler of requests: only the thread of an event loop has any."""
    return sum(cost for name, cost in profile.own.items() if "17DownstreamHandlerC" in name)


def string_allocations(profile):
    """Allocations for the storage of a String."""
    return sum(count for chain, count in profile.allocations.items() if names.makes_string(chain))


def steady_allocations(profile):
    """Allocations that every request makes. What happens now and then, by time or by batches (a deadline, a batch of log
    lines), is not in it: how often that falls on a request depends on the speed of the machine."""
    return sum(round(count / REQUESTS) for count in profile.allocations.values())


def measure(program, scenario):
    """The profile of REQUESTS requests on the event loop. What other threads do (writing log lines, looking whether the
    file changed) depends on the time, and is not in it."""
    head = wire.request(scenario.target, wire.token() if scenario.with_token else None)
    measured = Measured(program, scenario)
    try:
        measured.client.call(head, WARM_UP)
        # Reading the configuration makes strings: if none is seen, it is because the runtime's names have changed.
        if sum(string_allocations(profile) for profile in measured.dump()) == 0:
            raise RuntimeError("no string allocation is seen in the start of the proxy: the names to look for are wrong")
        measured.client.call(head, FEW)
        few = measured.dump()[0]
        if _handling(few) == 0:
            raise RuntimeError("no thread is seen to handle requests: the name of the handler is another")
        measured.client.call(head, MANY)
        return measured.dump()[0].minus(few)
    finally:
        measured.close()
