"""Real Redis servers as child processes: alone, under a sentinel, as a cluster. Ended by their own process ids."""
from __future__ import annotations

import shutil
import signal
import subprocess

import pytest

from .net import free_port, wait_until
from .resp import Redis, RedisError

SLOTS = 16384


def program():
    """The path of redis-server."""
    found = shutil.which("redis-server") or shutil.which("redis-server", path="/usr/bin:/usr/local/bin")
    if not found:
        pytest.fail("redis-server is not installed; deploy/local/setup.sh test installs it", pytrace=False)
    return found


class RedisServer:
    """One redis-server. `options` are lines of redis.conf by name; its port and folder stay through every restart.

    With `authority` it speaks TLS on `port`, and plain text on `plain_port` for the tests' own looks. With `monitors`,
    which are lines of a sentinel's configuration, it is a sentinel.
    """

    def __init__(self, folder, password=None, authority=None, monitors=None, ready=True, **options):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.plain_port = free_port() if authority else self.port
        self.password = password
        self.sentinel = monitors is not None
        self.process = None
        self.stopped = False  # by SIGSTOP
        self.options = {
            "bind": "127.0.0.1", "port": self.plain_port, "dir": str(folder), "daemonize": "no", "save": '""',
            "appendonly": "no", "loglevel": "notice", "protected-mode": "no", "enable-debug-command": "yes",
        }
        if self.sentinel:
            for name in ("save", "appendonly", "enable-debug-command"):
                del self.options[name]
            self.options["sentinel"] = monitors
        if password:
            self.options["requirepass"] = password
        if authority:
            certificate, key = authority.server(file="redis-%d" % self.port)
            self.options.update({
                "tls-port": self.port, "tls-cert-file": certificate, "tls-key-file": key,
                "tls-ca-cert-file": authority.ca, "tls-auth-clients": "no",
            })
        self.options.update({name.replace("_", "-"): value for name, value in options.items()})
        self.file = folder / "redis.conf"
        self.log = folder / "redis.log"
        self._write()
        self.start(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _write(self):
        lines = []
        for name, value in self.options.items():
            for each in value if isinstance(value, (list, tuple)) else [value]:
                lines.append("%s %s" % (name, each))
        self.file.write_text("\n".join(lines) + "\n")

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return "redis://%s127.0.0.1:%d/0" % (":%s@" % self.password if self.password else "", self.port)

    def start(self, ready=True):
        """Starts it, with what its folder holds, and waits until it answers."""
        arguments = [program(), str(self.file)] + (["--sentinel"] if self.sentinel else [])
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if ready:
            try:
                wait_until(self._answers, 10, "redis-server to answer")
            except AssertionError as error:
                self.kill()
                raise AssertionError("%s\n%s" % (error, self.said()))

    def said(self):
        return self.log.read_text("utf-8", "replace")[-2000:]

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("redis-server ended with %d" % self.process.returncode)
        try:
            with self.connect(timeout=1.0) as redis:
                return redis.do("PING") == "PONG"
        except (OSError, RedisError):
            return False

    def connect(self, database=0, timeout=5.0):
        """A connection of the tests' own, without TLS."""
        return Redis(self.plain_port, self.password, database=database, timeout=timeout)

    def do(self, *parts):
        """One command on a connection of its own."""
        with self.connect() as redis:
            return redis.do(*parts)

    def stop(self):
        """An orderly end: connections are closed, an append-only file is written."""
        if self.process.poll() is None:
            self.thaw()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """A crash."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self.stopped = False

    def restart(self, keep=True):
        """Stops and starts it. keep=False: without its data."""
        self.stop()
        if not keep:
            for each in self.folder.iterdir():
                if each.name.startswith(("dump", "appendonly")):
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
        self.start()

    def freeze(self):
        """SIGSTOP: the kernel goes on taking connections and bytes, nobody answers. Returns when it stands still."""
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True
        wait_until(lambda: self._state() == "T", 2, "redis-server to stand still")

    def thaw(self):
        """SIGCONT."""
        if self.stopped:
            self.process.send_signal(signal.SIGCONT)
            self.stopped = False

    def _state(self):
        with open("/proc/%d/stat" % self.pid, encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]


def stop_all(servers):
    for each in reversed(servers):
        each.stop()


class SentinelSetup:
    """A master, its replica, and a sentinel that promotes the replica within some seconds of the master's end."""

    name = "main"

    def __init__(self, folder):
        self.servers = []
        try:
            self.master = self._add(RedisServer(folder / "master"))
            self.replica = self._add(RedisServer(
                folder / "replica", replicaof="127.0.0.1 %d" % self.master.port, repl_diskless_sync_delay=0))
            self.sentinel = self._add(RedisServer(folder / "sentinel", monitors=[
                "monitor %s 127.0.0.1 %d 1" % (self.name, self.master.port),
                "down-after-milliseconds %s 500" % self.name,
                "failover-timeout %s 3000" % self.name,
            ]))
            wait_until(self._whole, 20, "the replica to follow, and the sentinel to know it")
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        stop_all(self.servers)

    def _add(self, server):
        self.servers.append(server)
        return server

    def _whole(self):
        with self.replica.connect() as redis:
            if redis.info("replication", "master_link_status") != "up":
                return False
        fields = self.sentinel.do("SENTINEL", "MASTER", self.name)
        found = dict(zip(fields[::2], fields[1::2]))
        return found[b"num-slaves"] == b"1" and found[b"flags"] == b"master"

    @property
    def url(self):
        return "redis+sentinel://127.0.0.1:%d/%s" % (self.sentinel.port, self.name)

    def master_port(self):
        """Which port the sentinel names as the master's."""
        return int(self.sentinel.do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)[1])

    def await_promotion(self):
        """Returns when the replica is the master, by the sentinel's word and by its own."""

        def promoted():
            return self.master_port() == self.replica.port and self.replica.do("ROLE")[0] == b"master"

        wait_until(promoted, 20, "the replica to be promoted")


class ClusterSetup:
    """Masters that share the slots evenly."""

    def __init__(self, folder, count=3):
        self.servers = []
        try:
            for number in range(count):
                # The bus has its port given: by default it is the client port + 10,000, which may be taken.
                self.servers.append(RedisServer(folder / ("node-%d" % number), cluster_enabled="yes", cluster_port=free_port(),
                                                cluster_node_timeout=1000, cluster_require_full_coverage="no"))
            self._join()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        stop_all(self.servers)

    def _join(self):
        for number, each in enumerate(self.servers):
            first, end = (SLOTS * index // len(self.servers) for index in (number, number + 1))
            each.do("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
            each.do("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for each in self.servers[1:]:
            self.servers[0].do("CLUSTER", "MEET", "127.0.0.1", each.port, each.options["cluster-port"])
        wait_until(lambda: all(self._agrees(each) for each in self.servers), 20, "the nodes to agree on the slots")

    def _agrees(self, server):
        with server.connect() as redis:
            ranges = redis.do("CLUSTER", "SLOTS")
            return len(ranges) == len(self.servers) and b"cluster_state:ok" in redis.do("CLUSTER", "INFO")

    @property
    def url(self):
        return "redis+cluster://" + ",".join("127.0.0.1:%d" % each.port for each in self.servers)

    def slot(self, key):
        return self.servers[0].do("CLUSTER", "KEYSLOT", key)

    def owner(self, key):
        """The server that the key's slot was given to at the beginning."""
        return self.servers[max(n for n in range(len(self.servers)) if SLOTS * n // len(self.servers) <= self.slot(key))]

    def identity(self, server):
        return server.do("CLUSTER", "MYID")

    def dump(self):
        """{key: content} of all nodes that are alive."""
        found = {}
        for each in self.servers:
            if each.process.poll() is None:
                with each.connect() as redis:
                    found.update(redis.dump())
        return found
