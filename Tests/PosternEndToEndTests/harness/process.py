"""The real binaries as child processes: started, watched for readiness, ended by their own process id."""
from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
import yaml

from .metrics import Metrics
from .net import free_port, wait_until
from .raw import RawClient, bearer, head

ROOT = pathlib.Path(__file__).resolve().parents[3]
CRASH_SIGNALS = {-signal.SIGILL, -signal.SIGTRAP, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE}


def binary_folder():
    """The folder of the binaries: POSTERN_BIN, else the repository's release build, else its debug build."""
    given = os.environ.get("POSTERN_BIN")
    if given:
        folder = pathlib.Path(given)
        return folder if folder.is_absolute() else (ROOT / folder)
    for kind in ("release", "debug"):
        folder = ROOT / ".build" / kind
        if (folder / "postern").exists():
            return folder
    return None


def binary(name):
    folder = binary_folder()
    if folder is None or not (folder / name).exists():
        pytest.fail("no %s binary: build first, or name the folder in POSTERN_BIN" % name, pytrace=False)
    return str(folder / name)


def is_release():
    folder = binary_folder()
    return folder is not None and "release" in str(folder.resolve())


def environment(**extra):
    """This environment without anything that would configure the binaries by accident."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("POSTERN") and k.lower() != "http_proxy"}
    env.update(extra)
    return env


def run(name, *arguments, timeout=20, cwd=None, env=None, input=None):
    """Runs a binary to its end and returns the CompletedProcess (text)."""
    done = subprocess.run(
        [binary(name)] + [str(each) for each in arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd=cwd, env=env or environment(),
        input=input, encoding="utf-8",
    )
    assert done.returncode not in CRASH_SIGNALS, "%s crashed: %s" % (name, done.stderr[-2000:])
    return done


class Child:
    """A running binary; its output goes to files, never to a pipe that could fill."""

    def __init__(self, folder, name, arguments, env=None, stdout=None, prefix=()):
        """`prefix`: a command that replaces itself by the binary, such as `env`."""
        self.name = name
        number = len(list(folder.glob(name + "-*.out")))
        self.out = folder / ("%s-%d.out" % (name, number))
        self.err = folder / ("%s-%d.err" % (name, number))
        self._files = [open(self.out, "wb"), open(self.err, "wb")]
        self.process = subprocess.Popen(
            list(prefix) + [binary(name)] + [str(each) for each in arguments],
            stdin=subprocess.DEVNULL, stdout=stdout if stdout is not None else self._files[0], stderr=self._files[1],
            env=env or environment(), cwd=str(folder),
        )

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def output(self):
        return self.out.read_text("utf-8", "replace") + self.err.read_text("utf-8", "replace")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=10.0):
        """The exit code; fails if the process goes on."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s still runs after %.1f s\n%s" % (self.name, timeout, self.output()[-3000:]))

    def stop(self, timeout=8.0):
        """SIGTERM, after `timeout` SIGKILL. A crash, or an end that has to be forced, fails the test."""
        forced = False
        if self.alive():
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                forced = True
                self.process.kill()
                self.process.wait(5)
        for each in self._files:
            each.close()
        tail = self.output()[-3000:]
        assert self.process.returncode not in CRASH_SIGNALS, "%s crashed (%d)\n%s" % (self.name, self.process.returncode, tail)
        assert not forced, "%s did not end within %.1f s of SIGTERM\n%s" % (self.name, timeout, tail)

    def rss(self):
        """Resident memory in KiB."""
        text = pathlib.Path("/proc/%d/status" % self.pid).read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1))


def until_healthy(port, child, path="/health"):
    """Waits until the child answers `path` with 200."""

    def healthy():
        assert child.alive(), child.output()
        try:
            with RawClient(port, 2) as client:
                return client.send(head("GET", path)).response().status == 200
        except OSError:
            return False

    wait_until(healthy, 15, child.name + " to be healthy")


class Postern(Child):
    """A running postern with the given configuration (a mapping, or the text of a proxy.yaml)."""

    def __init__(self, folder, config, env=None, arguments=("run",), ready=True, stdout=None,
                 mounted=False, prefix=()):
        self.folder = folder
        self.file = folder / "proxy.yaml"
        if mounted:
            # As in a Kubernetes volume: proxy.yaml -> ..data/proxy.yaml, and ..data -> the folder of this version.
            (folder / "v1").mkdir()
            os.symlink("v1", str(folder / "..data"))
            os.symlink("..data/proxy.yaml", str(self.file))
        if isinstance(config, dict):
            config = dict(config)
            config.setdefault("listen", "127.0.0.1:%d" % free_port())
            config.setdefault("admin", "127.0.0.1:%d" % free_port())
            self.config = config
            self.write(config)
        else:
            self.file.write_text(config)
            self.config = yaml.safe_load(config)
        self.port = _port(self.config["listen"])
        self.admin = _port(self.config["admin"])
        super().__init__(folder, "postern", list(arguments) + ["--config", str(self.file)], env, stdout, prefix)
        try:
            self.await_state(200 if ready else None)
        except BaseException:
            self.process.kill()
            self.process.wait(5)
            raise

    def write(self, config):
        """Writes the configuration file in place."""
        self.file.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))

    def await_state(self, ready, timeout=10.0):
        """Waits for /readyz to answer `ready` (None: for any answer)."""

        def reached():
            if not self.alive():
                raise AssertionError("postern ended with %d\n%s" % (self.process.returncode, self.output()[-3000:]))
            try:
                status = self.get_admin("/readyz").status
            except OSError:
                return False
            return ready is None or status == ready

        try:
            wait_until(reached, timeout, "/readyz to be %s" % (ready or "answered"))
        except AssertionError as error:
            raise AssertionError("%s\n%s" % (error, self.output()[-3000:]))

    def client(self, timeout=5.0):
        return RawClient(self.port, timeout)

    def get_admin(self, path, method="GET", port=None):
        with RawClient(port or self.admin) as client:
            return client.send(head(method, path, "Connection: close")).response(method)

    def metrics(self):
        return Metrics(self.get_admin("/metrics").body.decode())

    def call(self, method, target, *fields, token=None, body=None, host="mt5.test", timeout=5.0):
        """One request on a connection of its own."""
        fields = list(fields)
        if token is not None:
            fields.append(bearer(token))
        if body is not None:
            fields.append("Content-Length: %d" % len(body))
        with self.client(timeout) as client:
            client.send(head(method, target, *fields, host=host) + (body or b""))
            return client.response(method)

    def lines(self):
        """Every whole line of stdout, as JSON."""
        text = self.out.read_text("utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.strip()]

    def access(self, request_id, timeout=3.0):
        """The access log line of one request."""

        def find():
            text = self.out.read_text("utf-8")
            text = text[: text.rfind("\n") + 1]
            found = [json.loads(each) for each in text.splitlines() if request_id in each]
            return [each for each in found if "duration_ms" in each]

        found = wait_until(find, timeout, "an access log line of " + request_id)
        assert len(found) == 1, found
        return found[0]


def _port(address):
    if isinstance(address, list):
        address = address[0]
    if isinstance(address, dict):
        address = address["address"]
    return int(address.rpartition(":")[2])
