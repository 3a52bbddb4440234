"""The systems that are compared: how each is configured and started. The configurations stand in peers/."""
from __future__ import annotations

import pathlib
import re
import shutil

from . import client, variants
from .encryption import Encryption
from .figures import Unusable
from .processes import Child, free_port
from .redis import Redis
from .tokens import AUDIENCE, ISSUER

TEMPLATES = pathlib.Path(__file__).with_name("peers")
TARGET = "/api/v1/trades"


SMALL = frozenset({"small"})
BODIES = frozenset({"bodies"})
# Small answers over 64 connections and over one, large bodies, connections that wait.
EVERY = frozenset({"small", "one", "bodies", "idle"})


class System:
    """One row of the tables."""

    def __init__(self, name, title, template=None, program=None, tokens="one", access="off", loads=EVERY,
                 variant="plain", needs=()):
        self.name = name
        self.title = title
        self.template = template
        self.program = program
        self.tokens = tokens  # one | many | fresh | shared: what the requests carry
        self.access = access
        self.loads = loads
        self.variant = variant  # plain | tls | websocket | grpc: what is spoken
        self.needs = needs  # programs besides its own

    @property
    def authenticates(self):
        return self.program in ("envoy", "postern")

    @property
    def asks_issuer(self):
        """Whether tokens are introspected, with a Redis between the processes."""
        return self.template == "postern-introspect.yaml"

    @property
    def is_postern(self):
        return self.program == "postern"


SYSTEMS = [
    System("direct", "direct, no proxy", loads=frozenset({"small", "one"})),
    System("haproxy-tcp", "HAProxy, TCP mode", "haproxy-tcp.cfg", "haproxy"),
    System("haproxy-http", "HAProxy, HTTP mode", "haproxy-http.cfg", "haproxy"),
    System("haproxy-splice", "HAProxy, HTTP mode, kernel splicing", "haproxy-splice.cfg", "haproxy", loads=BODIES),
    System("nginx", "nginx, proxy_pass", "nginx.conf", "nginx"),
    System("envoy", "Envoy, jwt_authn (cached) + RBAC", "envoy.yaml", "envoy"),
    System("postern", "**Postern**, 1 token", "postern.yaml", "postern"),
    System("postern-10k", "**Postern**, 10,000 tokens", "postern.yaml", "postern", "many", loads=SMALL),
    System("postern-miss", "**Postern**, every token new", "postern.yaml", "postern", "fresh", loads=SMALL),
    System("postern-log", "**Postern**, 1 token, access log on", "postern.yaml", "postern", "one", "all", SMALL),
    System("postern-introspect-local", "**Postern**, introspected, kept locally", "postern-introspect.yaml", "postern",
           loads=SMALL),
    System("postern-introspect-redis", "**Postern**, introspected, every token from Redis", "postern-introspect.yaml",
           "postern", "shared", loads=SMALL),
    System("postern-introspect-issuer", "**Postern**, introspected, every token asked for", "postern-introspect.yaml",
           "postern", "fresh", loads=SMALL),
] + [
    # The same work over other protocols; one row a load, so that each can be asked for alone.
    System("%s-%s" % (program, load), title, template, program, loads=frozenset({load}), variant=variant, needs=needs)
    for load, variant, needs, programs in (
        ("tls", "tls", (), ("haproxy", "envoy", "postern")), ("handshake", "tls", (), ("haproxy", "envoy", "postern")),
        ("h2", "tls", ("h2load",), ("haproxy", "envoy", "postern")),
        ("websocket", "websocket", (), ("haproxy", "envoy", "postern")),
        ("grpc", "grpc", ("h2load", "nghttp", "nghttpd"), ("envoy", "postern")))
    for program, title, template in (
        ("haproxy", "HAProxy, HTTP mode", "haproxy-http.cfg"), ("envoy", "Envoy, jwt_authn (cached) + RBAC", "envoy.yaml"),
        ("postern", "**Postern**", "postern.yaml"))
    if program in programs
]
BY_NAME = {each.name: each for each in SYSTEMS}


def fill(template, values):
    """The template with every @NAME@ replaced."""
    text = (TEMPLATES / template).read_text("utf-8")
    return re.sub(r"@([A-Z]+)@", lambda found: str(values[found.group(1)]), text)


class Stage:
    """Where the systems run: a folder, the cores, the programs, and the service behind them."""

    def __init__(self, folder, log_folder, cores, tokens, postern, envoy):
        self.folder = folder
        self.log_folder = log_folder
        self.cores = cores
        self.tokens = tokens
        self.programs = {"postern": postern, "envoy": envoy}
        for name in ("haproxy", "nginx"):
            self.programs[name] = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        for name in ("redis-server", "h2load", "nghttp", "nghttpd"):
            self.programs[name] = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        self.encryption = Encryption(folder)
        self.message = folder / "message"
        self.message.write_bytes(variants.MESSAGE)
        self.upstream = None
        self.redis = {}  # by system: what one round leaves in it may serve the next

    def missing(self, system):
        """Why `system` cannot run here, or None."""
        needed = [system.program] if system.program else []
        needed += ["redis-server"] if system.asks_issuer else []
        needed += system.needs
        absent = [each for each in needed if not self.programs[each]]
        return "%s is not installed" % absent[0] if absent else None

    def redis_of(self, system):
        """The system's Redis, started when it is first asked for."""
        if system.name not in self.redis:
            self.redis[system.name] = Redis(self.programs["redis-server"], system.name, self.folder, self.cores.load)
        return self.redis[system.name]

    def stop_redis(self):
        """Ends every Redis that was started."""
        while self.redis:
            self.redis.popitem()[1].stop()

    def start_service(self, cores):
        """The nginx that every proxy has behind it."""
        bodies = self.folder / "bodies"
        bodies.mkdir(exist_ok=True)
        for name, size in (("64k", 1 << 16), ("1m", 1 << 20)):
            (bodies / name).write_bytes(b"postern\n" * (size // 8))
        self.upstream = free_port()
        file = self.folder / "upstream.conf"
        file.write_text(fill("upstream.conf", {"FOLDER": self.folder, "PORT": self.upstream}))
        child = Child("upstream", [self.programs["nginx"], "-c", file], self.folder, cores)
        try:
            child.await_port(self.upstream)
        except BaseException:
            child.stop()
            raise
        return child

    def start(self, system, cores=None):
        """The system, running and proven to do its work."""
        return Running(system, self, cores or self.cores.proxy)


class Running:
    """One system while it runs; a context manager. `child` is None for direct calls."""

    def __init__(self, system, stage, cores):
        self.system = system
        self.tokens = stage.tokens
        self.child = self.admin = self.service = None
        if system.program is None:
            self.port = stage.upstream
            return
        self.port, self.admin = free_port(), free_port()
        redis = stage.redis_of(system) if system.asks_issuer else None
        if redis is not None and system.tokens != "shared":
            redis.empty()
        self.service, upstream = variants.service(system.variant, stage)
        try:
            self._start(stage, cores, upstream, redis)
            self._prove(stage)
        except BaseException:
            self.__exit__()
            raise

    def _start(self, stage, cores, upstream, redis):
        system = self.system
        file = stage.folder / (system.name + pathlib.Path(system.template).suffix)
        file.write_text(fill(system.template, {
            **variants.values(system.variant, self.port, upstream, stage.encryption),
            "FOLDER": stage.folder, "PORT": self.port, "UPSTREAM": upstream, "ADMIN": self.admin,
            "ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "JWKS": stage.tokens.jwks, "ACCESS": system.access,
            "LOOPS": len(cores), "REDIS": redis.port if redis else None,
        }))
        log = stage.log_folder / "access.log" if system.access != "off" else None
        self.child = Child(system.name, command(system, stage.programs[system.program], file), stage.folder, cores, log)
        self.child.await_port(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (self.child, self.service):
            if each is not None:
                each.stop()

    @property
    def name(self):
        return self.system.name

    def url(self, path=TARGET):
        return "http%s://127.0.0.1:%d%s" % ("s" if self.system.variant == "tls" else "", self.port, path)

    def _prove(self, stage):
        """One call must go through; where tokens are checked, a call without and one with too few scopes must not,
        and the service must learn who called."""
        if self.system.variant in ("websocket", "grpc"):
            return variants.prove(self, stage)
        if self.system.variant == "tls":
            stage.encryption.prove(self.name, self.port, "h2" if "h2" in self.system.loads else "http/1.1")
        self._expect(200, TARGET, self.tokens.one)
        if not self.system.authenticates:
            return
        self._expect(401, TARGET, None)
        if self.system.asks_issuer:
            # This issuer says the same of every token, so the route is what differs.
            self._expect(403, "/denied", self.tokens.one)
        else:
            self._expect(403, TARGET, self.tokens.weak)
        body = self._expect(200, "/whoami", self.tokens.one)
        if body != b"user-00000000":
            raise Unusable("%s told the service that the caller is %r" % (self.name, body))

    def _expect(self, status, path, token):
        got, body = client.ask(self.port, path, token, self.system.variant == "tls")
        if got != status:
            raise Unusable("%s answered %d where %d was due (%s): %r %s" % (
                self.name, got, status, path, body[:200], self.child.said()))
        return body

    def metrics(self):
        """Postern's own counters: {series as it stands in the text: value}."""
        _, body = client.ask(self.admin, "/metrics")
        lines = [each.rpartition(" ") for each in body.decode("utf-8").splitlines() if each and each[0] != "#"]
        return {name: float(value) for name, _, value in lines}


def command(system, program, file):
    """How the program is started in the foreground with one worker."""
    if system.program == "haproxy":
        return [program, "-db", "-f", file]
    if system.program == "nginx":
        return [program, "-c", file]
    if system.program == "envoy":
        return [program, "-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return [program, "run", "--config", file]
