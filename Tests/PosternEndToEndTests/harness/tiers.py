"""Where an answer about a token came from, by Postern's own word: log lines and counters."""
from __future__ import annotations

import hashlib
import itertools
import uuid

from .net import wait_until

_numbers = itertools.count(1)


def opaque(label="opaque"):
    """A token that is no JWT and was never seen before."""
    return "%s-%s" % (label, uuid.uuid4().hex)


def digest(token):
    """SHA-256 of a token in hex: in the key of its Redis entry, and in a revocation."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def entry_key(token, prefix="postern:"):
    """The Redis key of a token's entry."""
    return (prefix + digest(token)).encode("ascii")


def ask(proxy, token, target="/auth", timeout=5.0):
    """(status, token_source) of one request."""
    name = "tier-%d" % next(_numbers)
    answer = proxy.call("GET", target, "X-Request-Id: " + name, token=token, timeout=timeout)
    return answer.status, proxy.access(name).get("token_source")


def lookups(proxy, tier):
    """{result: count} of one tier of the token cache."""
    return {labels["result"]: value for labels, value in proxy.metrics().series("postern_token_cache_total")
            if labels["tier"] == tier}


def introspections(proxy, issuer=None):
    """{result: count} of the calls to one issuer, or to all."""
    found = {}
    for labels, value in proxy.metrics().series("postern_introspections_total"):
        assert set(labels) == {"issuer", "result"}, labels
        if issuer in (None, labels["issuer"]):
            found[labels["result"]] = found.get(labels["result"], 0) + value
    return found


def grown(before, after):
    """What of two such counts grew, and by how much."""
    changes = {name: after[name] - before.get(name, 0) for name in after}
    return {name: change for name, change in changes.items() if change}


def await_redis(proxy, up=True, timeout=8.0):
    """Returns when Postern calls Redis up (or down)."""
    wait_until(lambda: proxy.metrics().value("postern_redis_up") == (1 if up else 0), timeout,
               "postern_redis_up to be %d" % up)


def await_entry(redis, token, timeout=3.0):
    """The token's entry in a RedisServer, once it is there: it may be written behind the answer."""
    return wait_until(lambda: redis.do("GET", entry_key(token)), timeout, "the entry of a token")


def await_sharing(first, second, issuer, timeout=8.0):
    """Returns when a result of one process serves the other. Each try is a token of its own."""

    def shared():
        token = issuer.add(opaque("shared"))
        if ask(first, token) != (200, "issuer"):
            return False
        # The second process may look before the first has written; it keeps what the issuer then tells it.
        return ask(second, token) == (200, "redis")

    wait_until(shared, timeout, "results to be shared")


def events(proxy):
    """The log lines that are no access lines."""
    text = proxy.out.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    return [line for line in whole.splitlines() if line and '"duration_ms"' not in line]


def await_event(proxy, *words, after=0, timeout=3.0):
    """Waits for a log line, not an access line, behind the first `after`, that holds one of `words` (any case)."""

    def found():
        return [line for line in events(proxy)[after:] if any(word.lower() in line.lower() for word in words)]

    return wait_until(found, timeout, "a log line about %s; there were %s" % ("/".join(words), events(proxy)[-5:]))
