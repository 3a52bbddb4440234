"""A real PostgreSQL server from the distribution's packages, private to a test run: its own folder, port and password."""
from __future__ import annotations

import glob
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile

import pytest

from .net import free_port, wait_until

USER = "postern"
# Nothing here outlives a run, so a server that is not itself the subject need not wait for the disk.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def program(name):
    """The path of a program of the server package: the newest version that is installed."""
    found = shutil.which(name)
    for each in sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name), key=lambda path: int(path.split("/")[4])):
        found = each
    if not found:
        pytest.fail("PostgreSQL is not installed; deploy/local/setup.sh test installs it", pytrace=False)
    return found


def as_server(*command):
    """The command line that runs `command` as a user whom the server accepts: it refuses to be root's. setpriv replaces
    itself, so that the process id is the server's own."""
    words = [str(each) for each in command]
    if os.geteuid() == 0:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] + words
    return words


class PostgresServer:
    """One server, for the length of a `with` block. `durable`: what it acknowledged is on the disk."""

    def __init__(self, durable=False):
        # Not below pytest's folders, which only their owner may enter.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-postgres-"))
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.port = free_port()
        self.password = secrets.token_urlsafe(18)
        self.options = {} if durable else dict(QUICK)
        self.process = None
        self.made = 0
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        try:
            self._initialize()
            self.start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _initialize(self):
        file = self.folder / "password"
        file.write_text(self.password)
        if os.geteuid() == 0:
            shutil.chown(file, "postgres", "postgres")
        done = subprocess.run(
            as_server(program("initdb"), "-D", self.data, "-U", USER, "--pwfile", file, "-A", "scram-sha-256", "-E", "UTF8",
                      "--locale=C", "--no-sync"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=60, cwd=str(self.folder))
        assert done.returncode == 0, done.stdout[-2000:]
        file.unlink()

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        """Starts it, recovering from a crash if need be, and waits until it answers."""
        settings = dict(self.options, listen_addresses="127.0.0.1", port=self.port, unix_socket_directories=self.folder,
                        shared_buffers="32MB", max_connections=60)
        words = [program("postgres"), "-D", self.data]
        for name, value in settings.items():
            words += ["-c", "%s=%s" % (name, value)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(as_server(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=str(self.folder))
        wait_until(self._answers, 20, "PostgreSQL to answer")

    def said(self):
        return self.log.read_text("utf-8", "replace")[-2000:]

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("PostgreSQL ended with %d\n%s" % (self.process.returncode, self.said()))
        return self._psql("postgres", "SELECT 1").returncode == 0

    def _psql(self, database, sql):
        return subprocess.run(
            [program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
             "-U", USER, "-d", database, "-c", sql],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=30,
            env=dict(os.environ, PGPASSWORD=self.password))

    def query(self, database, sql):
        """The rows of one statement, columns separated by bars."""
        done = self._psql(database, sql)
        assert done.returncode == 0, done.stdout
        return done.stdout.splitlines()

    def url(self, database):
        return "postgres://%s:%s@127.0.0.1:%d/%s" % (USER, self.password, self.port, database)

    def database(self):
        """A new, empty database; its name."""
        self.made += 1
        name = "issuer_%d" % self.made
        self.query("postgres", "CREATE DATABASE " + name)
        return name

    def dump(self, database):
        """Everything that a database holds, as SQL."""
        done = subprocess.run(
            [program("pg_dump"), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, database], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=30, env=dict(os.environ, PGPASSWORD=self.password))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill(self):
        """A crash: the postmaster and every process below it, by their ids, without a word."""
        if self.process.poll() is not None:
            return
        below = self._children()
        for pid in [self.pid] + below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(5)
        # They are not ours to wait for; the next start needs them gone.
        wait_until(lambda: not [pid for pid in below if os.path.exists("/proc/%d" % pid)], 5, "the backends to be gone")

    def _children(self):
        with open("/proc/%d/task/%d/children" % (self.pid, self.pid), encoding="ascii") as file:
            return [int(each) for each in file.read().split()]

    def halt(self):
        """A fast, orderly stop: connections are cut, what was acknowledged is written."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def stop(self):
        """The end of it, files included: nobody needs them written."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
