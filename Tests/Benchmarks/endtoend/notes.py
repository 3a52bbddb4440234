"""What a reader of the tables has to know."""
from __future__ import annotations

from .encryption import AGREED
from .figures import Series, number
from .systems import BY_NAME
from .turns import SECONDS

LOUD = 0.05


def versions_line(versions):
    """One line of names and versions."""
    return ", ".join("%s %s" % each for each in versions)


def notes(benchmark):
    """The list under the tables."""
    stage, options, results = benchmark.stage, benchmark.options, benchmark.results
    lines = [
        "%d round%s, each with every system once, in turn; figures are medians of the rounds. Each window lasts %d s "
        "(one connection and bodies: %d s) after a warm-up. %s" % (
            options.rounds, "s" if options.rounds > 1 else "", options.seconds, options.short, stage.cores.described()),
        benchmark.turns and "In turn: these run at the same time, all idle but the one that is loaded, for %d s each; every turn "
        "begins with another and every second one goes backwards. A ratio is taken within each turn, and the median of the "
        "turns is what the demands are held against: a phase in which the machine is slow falls on both." % SECONDS,
        "CPU is user and system time of the proxy's processes from /proc/PID/stat over the window, divided by the "
        "requests that wrk counted; RSS is summed over a proxy's processes (nginx: two, which share pages).",
        "Before it is measured every system has to answer a call; those that check tokens also have to refuse a call "
        "without a token and one without the scopes, and to tell the service who called. An answer that is not 2xx "
        "ends the run.",
        "All requests carry the same RS256 token of %d bytes, but for the rows that say otherwise. Those are driven by "
        "a script, which makes wrk slower. Envoy keeps verified tokens too (its `jwt_cache_config`). No peer counts "
        "metrics or writes a log; Postern counts its metrics in every row." % len(stage.tokens.one),
        "One connection: a direct call stays on the core of wrk and the service, a call through a proxy wakes the other "
        "core up and back; every proxy pays that alike.",
        "Other protocols: every client offers %s alone, and each system is held to that before it is measured; all show the "
        "same P-256 certificate, none resumes a session, and the service behind TLS and HTTP/2 is the same nginx over "
        "HTTP/1.1. Messages of a WebSocket go one at a time on each connection, the next when the one before is back; "
        "behind gRPC is nghttpd over HTTP/2 without TLS, a file as the message and grpc-status as a trailer. Envoy and "
        "Postern check the token of every request, of a WebSocket once." % ", ".join(AGREED),
        "The access log goes to a file %s." % (
            "in memory (tmpfs)" if str(stage.log_folder).startswith("/dev/shm") else "in the temporary folder"),
        "Idle connections: %d, opened one after another to a fresh process, one answer each. In TCP mode each has a "
        "connection to the service as well." % benchmark.idle_connections,
    ]
    missed = results.median("postern-10k", "missed")
    if missed is not None:
        lines.append("10,000 tokens in a row, each asked for once in a while: %s %% of the look-ups missed Postern's "
                     "cache." % number(100 * missed))
    window = results.median("postern-miss", "seconds")
    if window is not None and window < options.seconds - 1:
        lines.append("Every token new: the window was %s s, so that no token came twice." % number(window))
    if any(name.startswith("postern-introspect") for name in results.rounds):
        lines.append(
            "Introspected: the same tokens, but an issuer is asked about them (a location of the service's nginx), and "
            "results are sealed in a Redis on the core of wrk and the service. Every token from Redis: another Postern "
            "process put the results there, the measured one sees each token once. Every token asked for: a look into "
            "Redis, its lock, the call and the write, once for each request. Postern's counters are held against the "
            "requests.")
    lines.append(noise(results))
    lines += ["%s was left out: %s." % (BY_NAME[name].title, reason) for name, reason in benchmark.skipped]
    lines += benchmark.remarks
    return "\n".join("- " + each for each in lines if each)


def noise(results):
    """How much of the proxies' core others took, machines under the same roof included: figures of a loud run are too
    high, and not by the same for each."""
    shares = Series(each.get("others") for name in results.rounds for each in results.rounds[name])
    if not shares:
        return None
    loud = sum(1 for each in shares.known if each > LOUD)
    text = "Other processes and other machines took %s %% of the proxies' core in the median window, %s %% in the worst." % (
        number(100 * shares.median), number(100 * shares.high))
    if loud:
        text += " **In %d of %d windows it was over %d %%: repeat the run on a quiet machine.**" % (
            loud, len(shares.known), 100 * LOUD)
    return text
