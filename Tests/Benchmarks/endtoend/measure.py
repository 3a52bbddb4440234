"""One system in one round: started, left alone, warmed up, loaded, left alone again; every figure of it."""
from __future__ import annotations

import threading
import time

from . import load, machine, protocols
from .figures import Unusable

MANY = 10_000
# So many new tokens per second of load are kept ready; a faster proxy is measured for a shorter time.
FRESH_RATE = 25_000
FRESH_MOST = 300_000
# The same for tokens that are in Redis before the measured process first sees them: putting them there takes time.
SHARED_RATE = 15_000
SHARED_MOST = 180_000
# So many tokens at a time are put there: wrk holds the requests of one slice in memory.
SLICE = 5_000
SETTLE = 2.0
BODIES = {"body64k": "/bodies/64k", "body1m": "/bodies/1m"}
MIB = 1 << 20


def fresh_tokens(options):
    """How many tokens a round of `every token new` takes: used from the first on, in every round, because every round
    has a process of its own, which saw none of them."""
    return min(FRESH_MOST, FRESH_RATE * (options.warm_up + options.seconds))


def shared_tokens(options):
    """How many tokens a round of `every token from Redis` takes."""
    return min(SHARED_MOST, SHARED_RATE * (options.warm_up + options.seconds))


def tokens_of(system, options):
    """How many tokens of the file a system's requests carry."""
    return {"one": 1, "many": MANY, "fresh": fresh_tokens(options), "shared": shared_tokens(options)}[system.tokens]


class Highest:
    """The most memory that a child had resident while the `with` block ran."""

    def __init__(self, child):
        self.child = child
        self.value = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        if self.child is not None:
            self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        if self.child is not None:
            self._thread.join()

    def _watch(self):
        while not self._end.wait(0.25):
            self.value = max(self.value or 0, self.child.rss())


class Measurement:
    """Measures one system once. `figures` maps names to numbers: times in microseconds, memory in KiB."""

    def __init__(self, stage, options):
        self.stage = stage
        self.options = options

    def of(self, system):
        """Every figure of one round of `system`."""
        if system.tokens == "shared":
            self._share(system)
        with self.stage.start(system) as running:
            figures = self._whole(running)
        if figures.get("dropped"):
            raise Unusable("%s dropped %d log lines" % (system.name, figures["dropped"]))
        return figures

    def _whole(self, running):
        figures = {}
        child, loads = running.child, running.system.loads
        if child is not None and "small" in loads:
            time.sleep(SETTLE)
            figures["rss_idle"] = child.rss()
        if "small" in loads:
            figures.update(self._window(running))
            if child is not None:
                time.sleep(SETTLE)
                figures["rss_after"] = child.rss()
        if "one" in loads:
            figures.update(self._one_connection(running))
        if "bodies" in loads:
            figures.update(self._bodies(running))
        figures.update(protocols.figures(self.stage, self.options, running))
        return figures

    def _window(self, running):
        """64 connections for the whole window."""
        seconds, tokens = self._warm_up(running)
        before = running.metrics() if running.system.is_postern else None
        start = running.child.cpu() if running.child is not None else None
        core = self.stage.cores.proxy[0]
        busy, begun = machine.busy(core), time.monotonic()
        with Highest(running.child) as highest:
            done = self._run(running, seconds, tokens=tokens)
        elapsed = (time.monotonic() - begun) * 1e6
        busy = machine.busy(core) - busy
        figures = {"rate": done.rate, "p50": done.p50, "p99": done.p99,
                   "seconds": done.seconds, "rss_load": highest.value}
        if start is not None:
            end = running.child.cpu()
            figures["user"] = (end[0] - start[0]) / done.requests
            figures["system"] = (end[1] - start[1]) / done.requests
            figures["cpu"] = figures["user"] + figures["system"]
        if self.stage.cores.pinned:
            own = figures.get("cpu", 0) * done.requests
            figures["others"] = min(1.0, max(0.0, busy - own) / elapsed)
        if before is not None:
            figures.update(self._cache(running, before, done))
        return figures

    def _share(self, system):
        """Puts every token into the system's Redis, by a process that is not the measured one. What an earlier round put
        there still serves."""
        redis, whole = self.stage.redis_of(system), shared_tokens(self.options)
        if redis.size() >= whole:
            return
        with self.stage.start(system) as running:
            for first in range(0, whole, SLICE):
                for _ in range(20):
                    self._run(running, 1, tokens=(self.stage.tokens.file, first, min(SLICE, whole - first), "cycle"))
                    if redis.size() >= min(first + SLICE, whole):
                        break
                else:
                    raise Unusable("%s: Redis holds %d results after %d tokens" % (system.name, redis.size(), first + SLICE))

    def _warm_up(self, running):
        """(seconds to measure, tokens to measure with)"""
        options, tokens = self.options, self.stage.tokens
        if running.system.tokens == "many":
            many = (tokens.file, 0, MANY, "cycle")
            for _ in range(20):
                self._run(running, options.warm_up, tokens=many)
                if looked_up(running.metrics(), "miss") >= MANY:
                    return options.seconds, many
            raise Unusable("%s has not seen %d tokens after 20 runs" % (running.name, MANY))
        if running.system.tokens in ("fresh", "shared"):
            whole = tokens_of(running.system, options)
            done = self._run(running, options.warm_up, tokens=(tokens.file, 1, whole - 1, "once"))
            # wrk asks its script for one request more per connection than are answered, and once for nothing.
            first = done.requests + 200
            seconds = min(options.seconds, int((whole - first) / (done.rate * 1.3)))
            if seconds < 1:
                raise Unusable("%s takes new tokens faster than they are kept ready" % running.name)
            return seconds, (tokens.file, first, whole - first, "once")
        self._run(running, options.warm_up)
        return options.seconds, None

    def _cache(self, running, before, done):
        """What Postern's counters say of the window: that the cache was hit, or missed, as the row's name has it. How
        many of the 10,000 tokens it holds is Postern's own affair, and a figure."""
        after = running.metrics()
        hits, misses = (looked_up(after, each) - looked_up(before, each) for each in ("hit", "miss"))
        unwanted = {"one": misses, "many": 0, "fresh": hits, "shared": hits}[running.system.tokens]
        if unwanted > 0.001 * done.requests:
            raise Unusable("%s: %d of the lookups hit the token cache and %d did not" % (running.name, hits, misses))
        if running.system.asks_issuer:
            self._tiers(running, before, after, done)
        return {"missed": misses / max(1, hits + misses),
                "dropped": after.get("postern_log_lines_dropped_total", 0)}

    def _tiers(self, running, before, after, done):
        """That the tokens came from where the row's name says."""
        found = looked_up(after, "hit", "redis") - looked_up(before, "hit", "redis")
        asked = introspected(after) - introspected(before)
        wanted = {"one": (0, 0), "shared": (done.requests, 0), "fresh": (0, done.requests)}[running.system.tokens]
        for value, due in zip((found, asked), wanted):
            if abs(value - due) > 0.005 * done.requests + 100:
                raise Unusable("%s: %d of %d tokens were found in Redis and %d were asked for" % (
                    running.name, found, done.requests, asked))

    def _one_connection(self, running):
        """What one client that waits for each answer sees."""
        start = running.child.cpu() if running.child is not None else None
        done = self._run(running, self.options.short, 1)
        figures = {"one_p50": done.p50}
        if start is not None:
            end = running.child.cpu()
            figures["one_cpu"] = (sum(end) - sum(start)) / done.requests
        return figures

    def _bodies(self, running):
        """CPU per MiB that came out of the proxy, 16 connections."""
        figures = {}
        for name, path in BODIES.items():
            self._run(running, 1, 16, path)
            start = running.child.cpu()
            done = self._run(running, self.options.short, 16, path)
            end = running.child.cpu()
            figures[name] = (sum(end) - sum(start)) / (done.bytes_read / MIB)
        return figures

    def _run(self, running, seconds, connections=64, path=None, tokens=None):
        url = running.url(path) if path else running.url()
        return load.run(running.name, url, self.stage.tokens.one, self.stage.cores.load, seconds, connections, tokens)


def looked_up(metrics, result, tier="l1"):
    """How many lookups in a tier of Postern's token cache ended so."""
    return sum(value for name, value in metrics.items() if name.startswith("postern_token_cache_total{")
               and 'tier="%s"' % tier in name and 'result="%s"' % result in name)


def introspected(metrics):
    """How many times Postern asked an issuer about a token."""
    return sum(value for name, value in metrics.items() if name.startswith("postern_introspections_total{"))
