"""An issuer that is stopped, slow, wrong or hostile: cached callers go on, others get 502 in time, nobody is let in."""
import os
import selectors
import socket
import time

import pytest

from harness import config as configs
from harness import introspection
from harness.introspection import Answer, claims
from harness.load import Load, Quick, spread
from harness.net import blackhole, free_port, wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table
from harness.tiers import ask, await_event, events, grown, introspections, opaque

# How long the issuer is away in the test of memory; the least that shows a leak per request is some seconds.
OUTAGE = float(os.environ.get("POSTERN_OUTAGE", "60"))


def setup(upstream, server, more=None, **changes):
    return configs.config(upstream, issuers={"asked": configs.introspection(server, **changes)}, **(more or {}))


def active(**changes):
    """The text of a good answer; `changes` to its members."""
    return introspection.Answer(claims(**changes)).bytes("rfc7662")


# What is no answer: (sentence, the answer)
NO_ANSWER = table(
    ("500", Answer(status=500)),
    ("503 with an active body", Answer(claims(), status=503)),
    ("404", Answer(status=404, body=b"{}")),
    ("403", Answer(status=403, body=b"{}")),
    ("204", Answer(status=204, body=b"")),
    ("201 with an active body", Answer(claims(), status=201)),
    ("a redirect to itself", Answer(status=302, body=b"", fields=["Location: /introspect"])),
    ("no JSON", Answer(body=b"<html>ok</html>")),
    ("an empty body", Answer(body=b"")),
    ("JSON with bytes behind it", Answer(body=active() + b" x")),
    ("JSON that is not UTF-8", Answer(body=b'{"active": true, "sub": "\xff"}')),
    ("an array", Answer(body=b"[" + active() + b"]")),
    ("the bare word", Answer(body=b"true")),
    ("no active", Answer(body=b'{"sub": "user-7"}')),
    ("active as text", Answer(body=b'{"active": "true", "sub": "user-7"}')),
    ("active as a number", Answer(body=b'{"active": 1, "sub": "user-7"}')),
    ("active twice", Answer(body=b'{"active": false, "active": true, "sub": "user-7"}')),
    ("a member twice", Answer(body=active()[:-1] + b', "sub": "root"}')),
    ("the other dialect", Answer(body=b'{"valid": true, "user_id": "user-7"}')),
    ("over 1 MiB", Answer(body=active() + b" " * (1100 * 1024))),
    ("over 1 MiB in one member", Answer(claims(padding="x" * (1100 * 1024)))),
    ("nested without end", Answer(body=b'{"active": true, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
    ("another content type", Answer(claims(), kind="text/html")),
    ("a close without an answer", Answer(claims(), then="close")),
    ("a body that is cut short", Answer(claims(), then="cut")),
    ("silence", Answer(claims(), then="silent")),
)


@pytest.mark.parametrize("answer", NO_ANSWER)
def test_what_is_no_answer_is_502_and_never_a_verdict(start, upstream, issuer, answer):
    proxy = start(setup(upstream, issuer, timeout="500ms"))
    kept, fresh = issuer.add(opaque("kept")), issuer.add(opaque("fresh"))
    assert ask(proxy, kept) == (200, "issuer")
    issuer.override = answer
    begun = time.monotonic()
    check_problem(proxy.call("GET", "/auth", token=fresh), "issuer_unavailable")
    assert time.monotonic() - begun < 0.5 + 1.0
    assert ask(proxy, kept) == (200, "l1"), "cached callers go on"
    issuer.override = None
    wait_until(lambda: proxy.call("GET", "/auth", token=fresh).status == 200, 5, "a failure to be forgotten")
    assert len(upstream.requests) == 3


def test_a_refused_credential_is_502_and_said_loudly(start, upstream, issuer):
    proxy = start(setup(upstream, issuer))
    before = len(events(proxy))
    issuer.override = Answer(status=401, body=b"{}", fields=['WWW-Authenticate: Bearer error="invalid_token"'])
    check_problem(proxy.call("GET", "/auth", token=opaque()), "issuer_unavailable")
    lines = await_event(proxy, "credential", after=before)
    assert any('"error"' in line or '"critical"' in line for line in lines), lines
    assert all("asked" in line for line in lines)
    assert introspection.KEY not in proxy.output()


ABSENT = table(
    ("a port where nobody listens", lambda: (free_port(), lambda: None)),
    ("a host that does not accept", blackhole),
)


@pytest.mark.parametrize("make", ABSENT)
def test_an_issuer_that_cannot_be_reached_is_502_within_its_timeout(start, upstream, make):
    port, close = make()
    try:
        proxy = start(setup(upstream, "http://127.0.0.1:%d/introspect" % port, timeout="400ms"), ready=False)
        for _ in range(3):
            begun = time.monotonic()
            check_problem(proxy.call("GET", "/auth", token=opaque()), "issuer_unavailable")
            assert time.monotonic() - begun < 0.4 + 1.0
        check_problem(proxy.call("GET", "/auth"), "missing_token")
        assert proxy.call("GET", "/health").status == 200
        assert upstream.requests[-1].target == "/health"
    finally:
        close()


def test_timeout_is_of_the_whole_call(start, upstream, issuer):
    """A server that goes on sending, slowly, is as late as one that is silent."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    proxy = start(setup(upstream, "http://127.0.0.1:%d/introspect" % port, timeout="600ms"), ready=False)
    with proxy.client(timeout=10) as client:
        client.send(head("GET", "/auth", bearer(opaque())))
        begun = time.monotonic()
        sock, _ = listener.accept()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        try:
            while time.monotonic() - begun < 8:
                sock.sendall(b" ")
                if not client.still_open(0.1):
                    break
        except OSError:
            pass
        check_problem(client.response(), "issuer_unavailable")
        assert time.monotonic() - begun < 0.6 + 1.5
        sock.close()
    listener.close()


def test_stale_results_serve_while_the_issuer_is_away(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1s", stale_if_error="3s", timeout="500ms"))
    token, fresh = issuer.add(opaque()), issuer.add(opaque())
    assert proxy.call("GET", "/auth", token=token).status == 200
    fetched = time.monotonic()
    issuer.stop()
    time.sleep(1.3)  # past `cache`: this is what the test is about
    while time.monotonic() < fetched + 3.0:
        assert proxy.call("GET", "/auth", token=token).status == 200, time.monotonic() - fetched
        check_problem(proxy.call("GET", "/auth", token=fresh), "issuer_unavailable")
        time.sleep(0.1)
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 502, 4, "staleness to end")
    assert time.monotonic() - fetched > 3.5


def test_a_stale_result_gives_way_to_a_refusal(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1s", stale_if_error="1h"))
    token = issuer.add(opaque())
    assert proxy.call("GET", "/auth", token=token).status == 200
    issuer.answers[token] = introspection.inactive()
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 401, 3, "the refusal")
    issuer.stop()
    wait_until(lambda: proxy.call("GET", "/auth", token=opaque()).status == 502, 3)
    assert proxy.call("GET", "/auth", token=token).status == 401, "a refused token does not come back"


def test_a_stale_result_never_outlives_its_token(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1s", stale_if_error="1h", leeway="0s", timeout="300ms"))
    token = issuer.add(opaque(), claims(exp=int(time.time()) + 3))
    assert proxy.call("GET", "/auth", token=token).status == 200
    issuer.stop()
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status != 200, 6, "the token's end")
    assert time.time() >= issuer.answers[token].members["exp"]
    assert proxy.call("GET", "/auth", token=token).status in (401, 502)


def test_without_stale_if_error_a_result_ends_with_its_cache(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1s", timeout="300ms"))
    token = issuer.add(opaque())
    assert proxy.call("GET", "/auth", token=token).status == 200
    issuer.stop()
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 502, 3, "the end of the cached result")


def test_the_circuit_opens_and_closes_by_itself(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, timeout="1s"))
    kept = issuer.add(opaque())
    assert proxy.call("GET", "/auth", token=kept).status == 200
    issuer.override = Answer(status=500)
    seen = issuer.count()
    with Quick(proxy.port) as client:
        assert {client.get(opaque()) for _ in range(200)} == {502}
        assert issuer.count() - seen < 100, "%d calls: the circuit does not open" % (issuer.count() - seen)
        quick = sorted(client.timed(opaque())[1] for _ in range(21))[10]
        assert quick < 0.1, "an open circuit answers at once"
    assert ask(proxy, kept) == (200, "l1")
    issuer.override = None
    fresh = issuer.add(opaque())
    wait_until(lambda: proxy.call("GET", "/auth", token=fresh).status == 200, 10, "the circuit to close")


def test_a_silent_issuer_costs_its_timeout_a_few_times_and_then_nothing(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, timeout="300ms"))
    issuer.gate.clear()
    with Quick(proxy.port) as client:
        slow = 0
        for _ in range(60):
            status, seconds = client.timed(opaque())
            assert status == 502 and seconds < 1.3
            slow += seconds > 0.2
            if slow > 30:
                break
    assert slow <= 30, "every request waits for an issuer that does not answer"
    issuer.gate.set()
    fresh = issuer.add(opaque())
    wait_until(lambda: proxy.call("GET", "/auth", token=fresh).status == 200, 10, "the circuit to close")


def test_one_issuers_circuit_is_not_anothers(start, upstream, introspection_server):
    bad, good = introspection_server(), introspection_server()
    proxy = start(configs.config(upstream, issuers={
        "main": configs.issuer(), "bad": configs.introspection(bad, issuer="https://bad.test"), "good": configs.introspection(good)}))
    bad.override = Answer(status=500)
    for _ in range(30):
        check_problem(proxy.call("GET", "/auth", token=configs.token(iss="https://bad.test")), "issuer_unavailable")
    assert proxy.call("GET", "/auth", token=good.add(opaque())).status == 200
    assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    assert sum(introspections(proxy, "good").values()) == 1


def test_an_issuer_that_is_restarted_is_used_again(start, upstream, issuer):
    proxy = start(setup(upstream, issuer))
    assert proxy.call("GET", "/auth", token=issuer.add(opaque())).status == 200
    issuer.stop()
    issuer.start()
    token = issuer.add(opaque())
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 200, 5, "a new connection")


class Crowd:
    """`count` connections to Postern, each of which has sent one request with a token of its own."""

    def __init__(self, port, tokens):
        self.statuses = {}
        self.selector = selectors.DefaultSelector()
        for token in tokens:
            sock = socket.create_connection(("127.0.0.1", port), timeout=10)
            sock.sendall(head("GET", "/auth", bearer(token)))
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)

    def poll(self, seconds=0.0):
        """Takes the answers that are there; each comes in one piece here."""
        for entry, _ in self.selector.select(seconds):
            data = entry.fileobj.recv(1 << 16)
            status = int(data[9:12]) if data else 0
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.selector.unregister(entry.fileobj)
            entry.fileobj.close()

    @property
    def answered(self):
        return sum(self.statuses.values())

    def close(self):
        for entry in list(self.selector.get_map().values()):
            entry.fileobj.close()
        self.selector.close()


def test_calls_in_flight_are_bounded_and_the_rest_refused_at_once(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, timeout="15s", more={"limits": {"connections": 4000}}))
    tokens = [issuer.add(opaque()) for _ in range(1500)]
    issuer.gate.clear()
    before = introspections(proxy)
    crowd = Crowd(proxy.port, tokens)
    try:
        def settled():
            crowd.poll()
            return issuer.in_flight and crowd.answered + issuer.in_flight == len(tokens)

        wait_until(settled, 10, "each to be refused or to be asked for")
        refused = crowd.answered
        assert crowd.statuses == {502: refused} and 0 < issuer.in_flight < 1500
        assert refused in grown(before, introspections(proxy)).values(), "refused calls are counted apart"
        assert proxy.call("GET", "/health").status == 200
        issuer.gate.set()
        wait_until(lambda: crowd.poll() or crowd.answered == len(tokens), 10, "the others to be answered")
        assert crowd.statuses == {502: refused, 200: len(tokens) - refused}
    finally:
        crowd.close()
    fresh = issuer.add(opaque())
    wait_until(lambda: proxy.call("GET", "/auth", token=fresh).status == 200, 5, "calls after the crowd")


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.timeout(OUTAGE + 60)
def test_memory_stays_bounded_during_an_outage_under_load(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1h", timeout="1s", more={"event_loops": 2, "log": {"access": "off"}}))
    kept = [issuer.add(opaque("kept")) for _ in range(50)]

    def token(number):
        return kept[number // 2 % 50] if number % 2 else "never-seen-%032d" % number

    # Each connection of the load may end on another loop, and each loop keeps what it saw.
    assert set(spread([proxy.port], kept * 8, connections=8)) == {200}
    with Load([proxy.port], token, threads=4, pause=0.0005) as load:
        wait_until(lambda: load.answered > 1000, 20)
        issuer.stop()
        settled, begun = None, time.monotonic()
        while time.monotonic() - begun < OUTAGE:
            time.sleep(0.5)
            upstream.requests.clear()
            if settled is None and time.monotonic() - begun > OUTAGE / 6:
                settled = proxy.rss()
        more = proxy.rss() - settled
    load.only(200, 401, 502)
    assert abs(load.statuses[200] - load.answered / 2) <= 4, "cached callers go on: %s" % load.statuses
    assert load.answered > 50 * OUTAGE, "too little load to say anything: %d requests" % load.answered
    assert more < 16 << 10, "%d KiB more in %.0f s of outage, %d requests" % (more, OUTAGE, load.answered)
    issuer.start()
    fresh = issuer.add(opaque())
    wait_until(lambda: proxy.call("GET", "/auth", token=fresh).status == 200, 15, "the issuer's return")
