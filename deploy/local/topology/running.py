"""The processes of a run: started in their order, each when what it waits for is healthy; stopped in the opposite one."""
from __future__ import annotations

import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from . import description, programs
from .description import ROOT
from .places import Places, programs_folder

# The caller's environment, for compose.yaml: everybody is on loopback here, and a test has no minute to wait.
VARIABLES = {"ALLOWED_IPS": "127.0.0.0/8", "NOTIFY_EVERY": "1"}


class Failure(Exception):
    """Something did not start, or ended by itself; the text says which, with the last lines of what it wrote."""


class Topology:
    """A whole deployment, in a folder of its own that goes with it. Use it as a context manager, or call `stop`."""

    def __init__(self, scale=None, profiles=(), say=lambda text: None, variables=None):
        self.say = say
        self.services = description.read(dict(VARIABLES, **(variables or {})), profiles, scale)
        # PostgreSQL runs as another user, who has to get through.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-topology-"))
        self.folder.chmod(0o711)
        self.processes = {}
        self.left_out = {}
        self.places = Places(self.services, self.folder, programs_folder())
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # MARK: - Looking

    def url(self, name, port):
        """http://ADDRESS:PORT of a service, by any of its names."""
        return "http://%s:%d" % (self.places.names[name], port)

    def sidecars(self):
        """The names of all Posterns."""
        return [name for name, each in self.services.items() if each.environment.get("POSTERN_CONFIG")]

    def secret(self, client):
        """The secret that setting up left for a client or a person."""
        return (self.folder / "volumes" / "clients" / client / "secret").read_text().strip()

    def policy(self, name):
        """The file that a Postern watches."""
        return pathlib.Path(programs.environment(self.services[name], self.places)["POSTERN_CONFIG"])

    def said(self, name):
        """What a service wrote to standard output and standard error."""
        return (self.folder / "logs" / (name + ".log")).read_text("utf-8", "replace")

    def running(self, name):
        return self.processes[name].poll() is None

    # MARK: - Starting

    def _start(self):
        subprocess.run([str(ROOT / "deploy/compose/secrets.sh"), str(self.folder / "secrets")], check=True)
        (self.folder / "logs").mkdir()
        for service in description.in_order(self.services):
            lacking = programs.missing(service)
            if lacking:
                self.left_out[service.name] = lacking
                self.say("left out: %s, because there is no %s here" % (service.name, lacking))
                continue
            self._await_dependencies(service)
            self.start(service.name)
        for name, process in self.processes.items():
            if self.services[name].check and process.poll() is None:
                self.await_healthy(name)

    def start(self, name):
        """Starts one service, for the first time or again."""
        service = self.services[name]
        if name not in self.processes:
            self.places.prepare(service)
        words, environment = programs.command(service, self.places), programs.environment(service, self.places)
        with open(self.folder / "logs" / (name + ".log"), "ab") as log:
            self.processes[name] = subprocess.Popen(
                words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=str(self.folder),
                start_new_session=True)
        self.say("%-24s %s" % (name, self.places.address(service)))

    def _await_dependencies(self, service):
        for name, wanted in service.after.items():
            if name in self.left_out:
                continue
            if wanted["condition"] == "service_healthy":
                self.await_healthy(name)
            elif wanted["condition"] == "service_completed_successfully":
                self._await(lambda: self.processes[name].poll() is not None, name, "to end")
                if self.processes[name].returncode != 0:
                    raise Failure("%s ended with %d\n%s" % (name, self.processes[name].returncode, self.said(name)[-3000:]))

    def await_healthy(self, name):
        """Returns when its own health check says so."""
        service = self.services[name]
        words, environment = programs.check(service, self.places), programs.environment(service, self.places)

        def healthy():
            if not self.running(name):
                raise Failure("%s ended with %d\n%s" % (name, self.processes[name].returncode, self.said(name)[-3000:]))
            return subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=10, check=False).returncode == 0

        self._await(healthy, name, "to be healthy")

    def _await(self, condition, name, what, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Failure("%s was to come %s in %d s\n%s" % (name, what, seconds, self.said(name)[-3000:]))
            time.sleep(0.02)

    # MARK: - Stopping

    def end(self, name, seconds=40):
        """SIGTERM, then an exit code. PostgreSQL would wait for its clients: it has another signal for that."""
        process, postgres = self.processes[name], programs.repository(self.services[name]) == "postgres"
        if process.poll() is None:
            process.send_signal(signal.SIGINT if postgres else signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
            raise Failure("%s did not end in %d s: killed\n%s" % (name, seconds, self.said(name)[-3000:]))

    def stop(self):
        """Everything, the last one started first, and all files. Returns the exit codes."""
        codes, failures = {}, []
        for name in reversed(list(self.processes)):
            try:
                codes[name] = self.end(name)
            except Failure as failure:
                failures.append(str(failure))
        self.processes = {}
        self.places.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if failures:
            raise Failure("\n".join(failures))
        return codes
