"""What must hold, held against what was measured."""
from __future__ import annotations

from .figures import difference, number, quotient, spread
from .table import table
from .turns import added, ratios

MISS_ALLOWANCE = 15.0
# Two rows that run the same instructions differ by this much on a machine that is not quiet.
SAME = 1.05
IDLE_MIB = 15.0
CONNECTION_KIB = 8.0


class Verdict:
    """One demand: `value` must not be over `bound`. `rounds` holds the value round by round, where it was taken so."""

    def __init__(self, demand, value, bound, unit, rounds=None, digits=2):
        self.demand = demand
        self.value = value
        self.bound = bound
        self.unit = unit
        self.rounds = rounds
        self.digits = digits

    def word(self):
        """met, missed, or not measured; and whether the rounds disagree."""
        if self.value is None or self.bound is None:
            return "not measured"
        met = self.value <= self.bound
        word = "met" if met else "**missed**"
        if self.rounds and (self.rounds.low <= self.bound) != (self.rounds.high <= self.bound):
            word += ", not in every round" if met else ", in some rounds met"
        return word

    def cells(self):
        """The row of the table."""
        def said(value):
            return "–" if value is None else (number(value, self.digits) + " " + self.unit).strip()

        return [self.demand, said(self.value), spread(self.rounds, self.digits) if self.rounds else "–",
                "≤ " + said(self.bound), self.word()]


def ratio(results, demand, figure, name, base, bound):
    """A demand on the quotient of two systems' figures of the same run."""
    rounds = results.series(name, figure).combined(results.series(base, figure), quotient)
    return Verdict(demand, quotient(results.median(name, figure), results.median(base, figure)), bound, "×", rounds)


def in_turn(series, demand, bound, unit="×", digits=2):
    """A demand on what was measured in turn: the median of all turns, and how far the middle half of them spreads."""
    return Verdict(demand, series.median, bound, unit, series.middle, digits)


def compared(results, turns, demand, figure, name, base, bound):
    """A demand on a quotient: in turn where that was done, otherwise from the rounds."""
    series = ratios(turns, figure, name, base) if turns else None
    return in_turn(series, demand, bound) if series else ratio(results, demand, figure, name, base, bound)


def added_latency(results, turns):
    """What the median of one connection grows by, against what the bare relay adds."""
    demand = "1 connection: p50 added ≤ that of HAProxy in TCP mode"
    own, relay = (added(turns, each) if turns else None for each in ("postern", "haproxy-tcp"))
    if own and relay:
        # The bound is what it is in the same turn, so the difference of the two is held against nothing at all.
        excess = own.combined(relay, difference)
        return in_turn(excess, demand + ": the difference (added: %s and %s)" % (
            number(own.median), number(relay.median)), 0.0, "µs", 1)
    direct, relay, own = (results.median(each, "one_p50") for each in ("direct", "haproxy-tcp", "postern"))
    rounds = results.series("postern", "one_p50").combined(results.series("direct", "one_p50"), difference)
    return Verdict(demand, difference(own, direct),
                   difference(relay, direct), "µs", rounds, 1)


def miss(results, verifications):
    """What a token costs that is not in the cache, against one verification in libcrypto alone."""
    hit, new = results.series("postern", "cpu"), results.series("postern-miss", "cpu")
    bound = None if verifications.median is None else verifications.median + MISS_ALLOWANCE
    return Verdict("cache miss − cache hit ≤ one libcrypto verification (%s µs) + 15 µs" % number(verifications.median),
                   difference(new.median, hit.median), bound, "µs", new.combined(hit, difference), 1)


def verdicts(results, idle, verifications, turns=None):
    """Every demand, in the order of the issue that set them. `turns` holds what was measured in turn, if that was done."""
    idle_rss = results.series("postern", "rss_idle").combined(
        results.series("postern", "rss_idle"), lambda value, _: value / 1024)
    return [
        compared(results, turns, "CPU per request ≤ HAProxy in HTTP mode, which checks nothing", "cpu", "postern",
                 "haproxy-http", 1.0),
        compared(results, turns, "CPU per request ≤ 1.25 × HAProxy in TCP mode", "cpu", "postern", "haproxy-tcp", 1.25),
        compared(results, turns, "access log on ≤ 1.3 × without", "cpu", "postern-log", "postern", 1.3),
        added_latency(results, turns),
        compared(results, turns, "1 MiB bodies: CPU per MiB ≤ HAProxy in HTTP mode", "body1m", "postern", "haproxy-http", 1.0),
        ratio(results, "the same, were its kernel splicing on (not asked for; see peers/haproxy-splice.cfg)", "body1m",
              "postern", "haproxy-splice", 1.0),
        miss(results, verifications),
        compared(results, turns, "introspected token, kept locally: the same CPU per request as a JWT (± 5 %)", "cpu",
              "postern-introspect-local", "postern", SAME),
        compared(results, turns, "TLS, HTTP/1.1: CPU per request ≤ Envoy", "tls_cpu", "postern-tls", "envoy-tls", 1.0),
        compared(results, turns, "the same ≤ HAProxy, which checks nothing", "tls_cpu", "postern-tls", "haproxy-tls", 1.0),
        compared(results, turns, "TLS, HTTP/2: CPU per request ≤ Envoy", "h2_cpu", "postern-h2", "envoy-h2", 1.0),
        compared(results, turns, "the same ≤ HAProxy, which checks nothing", "h2_cpu", "postern-h2", "haproxy-h2", 1.0),
        compared(results, turns, "new TLS connections: CPU each ≤ HAProxy", "handshake_cpu", "postern-handshake",
              "haproxy-handshake", 1.0),
        compared(results, turns, "WebSocket echo: CPU per message ≤ Envoy", "websocket_cpu", "postern-websocket",
              "envoy-websocket", 1.0),
        compared(results, turns, "gRPC unary: CPU per call ≤ Envoy", "grpc_cpu", "postern-grpc", "envoy-grpc", 1.0),
        Verdict("idle RSS", idle_rss.median, IDLE_MIB, "MiB", idle_rss, 1),
        Verdict("RSS per idle keep-alive connection", idle.get("postern"), CONNECTION_KIB, "KiB", None, 1),
    ]


def verdict_table(results, idle, verifications, turns=None):
    """The demands as Markdown."""
    return table(["what it must show", "measured", "by round, or the middle half of the turns", "bound", ""],
                 [each.cells() for each in verdicts(results, idle, verifications, turns)])
