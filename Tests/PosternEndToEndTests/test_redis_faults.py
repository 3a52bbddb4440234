"""Redis stopped, restarted, frozen, or no Redis at all, under load: no request fails for it, and it comes back by itself."""
import time

import pytest

from harness import config as configs
from harness.garbage import OK, polite, says
from harness.load import Load, Quick
from harness.net import blackhole, free_port, wait_until
from harness.problems import check_problem
from harness.table import table
from harness.tiers import ask, await_entry, await_event, await_redis, await_sharing, events, opaque

TIMEOUT = 0.4


def setup(upstream, server, redis, more=None, **changes):
    changes.setdefault("timeout", "5s")
    return configs.config(upstream, issuers={"asked": configs.introspection(server, **changes)},
                          redis=configs.redis(redis, timeout="%dms" % (TIMEOUT * 1000)), **(more or {}))


class Mixed:
    """What the load carries: now a token that was seen before, now one that was never seen."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.kept = [issuer.add(opaque("kept")) for _ in range(20)]

    def __call__(self, number):
        return self.issuer.add(opaque("fresh")) if number % 2 else self.kept[number // 2 % 20]


def more(load, count=200, timeout=15):
    """Waits until `count` further answers have come."""
    goal = load.answered + count
    wait_until(lambda: load.answered >= goal or load.errors, timeout, "%d answers" % count)


@pytest.fixture
def pair(start, upstream, issuer):
    """Starts two posterns that share a Redis."""

    def starter(redis, **changes):
        made = [start(setup(upstream, issuer, redis, **changes)) for _ in range(2)]
        for each in made:
            await_redis(each)
        return made

    return starter


def test_redis_stopped_and_restarted_under_load(pair, issuer, redis_server):
    server = redis_server()
    first, second = pair(server)
    with Load([first.port, second.port], Mixed(issuer)) as load:
        more(load)
        server.stop()
        for each in (first, second):
            await_redis(each, up=False)
        more(load)
        server.start()
        for each in (first, second):
            await_redis(each)
        more(load)
        load.only(200)
    assert load.slowest < TIMEOUT + 1.0
    await_sharing(first, second, issuer)


def test_redis_that_crashes_and_returns_at_once(pair, issuer, redis_server):
    server = redis_server()
    first, second = pair(server)
    with Load([first.port, second.port], Mixed(issuer)) as load:
        for _ in range(5):
            server.kill()
            server.start()
            more(load, 40)
        load.only(200)
    await_sharing(first, second, issuer)


def test_a_frozen_redis_costs_its_timeout_once(pair, issuer, redis_server):
    server = redis_server()
    first, second = pair(server)
    server.freeze()
    times = []
    with Quick(first.port) as client:
        for _ in range(40):
            status, seconds = client.timed(issuer.add(opaque()))
            assert status == 200
            times.append(seconds)
        slow = [seconds for seconds in times if seconds > 0.75 * TIMEOUT]
        assert len(slow) <= 1, "%d of 40 requests waited for Redis: %s" % (len(slow), slow)
        assert max(times) < TIMEOUT + 0.5, times
        await_redis(first, up=False)
        # The background probes of a Redis that stays frozen cost no request anything either.
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            status, seconds = client.timed(issuer.add(opaque()))
            assert status == 200 and seconds < 0.75 * TIMEOUT, seconds
        server.thaw()
        for each in (first, second):
            await_redis(each)
        await_sharing(first, second, issuer)


def test_a_frozen_redis_under_load_fails_nothing(pair, issuer, redis_server):
    server = redis_server()
    first, second = pair(server, more={"event_loops": 2})
    with Load([first.port, second.port], Mixed(issuer), threads=4) as load:
        more(load)
        server.freeze()
        more(load)
        server.thaw()
        for each in (first, second):
            await_redis(each)
        more(load)
        load.only(200)
    assert load.slowest < TIMEOUT + 1.0


def test_a_redis_that_freezes_between_requests_is_noticed_before_the_next(pair, issuer, redis_server):
    server = redis_server()
    first, _ = pair(server)
    server.freeze()
    await_redis(first, up=False, timeout=5)
    with Quick(first.port) as client:
        status, seconds = client.timed(issuer.add(opaque()))
    assert status == 200 and seconds < 0.75 * TIMEOUT, "an idle connection is watched"
    server.thaw()


def test_redis_that_was_never_there(start, upstream, issuer, redis_server):
    server = redis_server()
    server.stop()
    proxy = start(setup(upstream, issuer, server))
    assert proxy.metrics().value("postern_redis_up") == 0
    token = issuer.add(opaque())
    assert [ask(proxy, token), ask(proxy, token)] == [(200, "issuer"), (200, "l1")]
    check_problem(proxy.call("GET", "/auth", token=opaque()), "invalid_token")
    assert proxy.get_admin("/readyz").status == 200, "Redis is no condition of readiness"
    await_event(proxy, "redis")
    server.start()
    await_redis(proxy)


def test_a_redis_whose_host_drops_everything(start, upstream, issuer):
    port, close = blackhole()
    try:
        proxy = start(setup(upstream, issuer, "redis://127.0.0.1:%d" % port))
        with Quick(proxy.port) as client:
            times = [client.timed(issuer.add(opaque())) for _ in range(10)]
        assert {status for status, _ in times} == {200}
        assert sorted(seconds for _, seconds in times)[-2] < 0.75 * TIMEOUT
    finally:
        close()


# Answers of something that is no Redis: (sentence, session, greeting)
GARBAGE = table(
    ("nothing", says(b""), b""),
    ("a close", says(None), b""),
    ("HTTP", says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), b""),
    ("a banner of another protocol", says(b""), b"220 mail ESMTP\r\n"),
    ("random bytes", says(bytes(range(256)) * 40), b""),
    ("an error to everything", says(b"-ERR unknown command\r\n"), b""),
    ("that it is loading", says(b"-LOADING Redis is loading the dataset in memory\r\n"), b""),
    ("a length without end", says(b"$99999999999999999999\r\n"), b""),
    ("a length of 4 GiB", says(b"$4294967296\r\nabc"), b""),
    ("a negative length", says(b"$-7\r\n"), b""),
    ("an array of a billion", says(b"*1000000000\r\n"), b""),
    ("arrays in arrays", says(b"*1\r\n" * 5000), b""),
    ("an endless line", says(b"+" + b"a" * 200_000), b""),
    ("RESP3", says(b"%1\r\n+a\r\n:1\r\n"), b""),
    ("well greeted, then a number", polite(b":7\r\n"), b""),
    ("well greeted, then a status", polite(OK), b""),
    ("well greeted, then an array", polite(b"*2\r\n$1\r\na\r\n*0\r\n"), b""),
    ("well greeted, then an error", polite(b"-ERR broken\r\n"), b""),
    ("well greeted, then out of memory", polite(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"), b""),
    ("well greeted, then rubbish in a string", polite(b"$5\r\nhello\r\n"), b""),
    ("well greeted, then 3 MiB", polite(b"$3145728\r\n" + b"x" * 3145728 + b"\r\n"), b""),
    ("well greeted, then two answers to each command", polite(b"$1\r\na\r\n$1\r\nb\r\n"), b""),
    ("well greeted, then nothing", polite(b""), b""),
    ("well greeted, then a close", polite(None), b""),
    ("well greeted, then MOVED", polite(b"-MOVED 1 127.0.0.1:1\r\n"), b""),
)


@pytest.mark.parametrize("session, greeting", GARBAGE)
def test_a_redis_that_answers_garbage_fails_no_request(start, upstream, issuer, garbage_server, session, greeting):
    server = garbage_server(session, greeting)
    proxy = start(setup(upstream, issuer, server))
    memory = proxy.rss()
    kept = issuer.add(opaque())
    with Quick(proxy.port) as client:
        times = []
        for _ in range(20):
            assert client.get(kept) == 200
            status, seconds = client.timed(issuer.add(opaque()))
            assert status == 200
            times.append(seconds)
        assert client.get(opaque()) == 401
    assert server.connections > 0, "nobody came"
    assert max(times) < 2 * TIMEOUT + 1.0, times
    assert proxy.rss() - memory < 48 << 10
    assert {each.header("x-user-id") for each in upstream.requests} == {"user-7"}


def test_garbage_under_load_and_the_real_one_after_it(pair, issuer, redis_server, garbage_server):
    server = redis_server()
    first, second = pair(server)
    with Load([first.port, second.port], Mixed(issuer)) as load:
        more(load, 50)
        for session in (says(b"\x00\xffnonsense\r\n"), polite(b":1\r\n"), polite(b"*-5\r\n"), says(b"")):
            server.stop()
            fake = garbage_server(session, port=server.port)
            wait_until(lambda fake=fake: fake.connections >= 2, 8, "both to try the port again")
            more(load, 50)
            fake.stop()
            server.start()
            for each in (first, second):
                await_redis(each)
        load.only(200)
    await_sharing(first, second, issuer)


def test_a_redis_that_refuses_to_write_is_read_all_the_same(pair, issuer, redis_server):
    server = redis_server()
    first, second = pair(server)
    token = issuer.add(opaque())
    assert first.call("GET", "/auth", token=token).status == 200
    await_entry(server, token)
    server.do("CONFIG", "SET", "maxmemory", "1")
    assert ask(second, token) == (200, "redis")
    assert ask(second, issuer.add(opaque())) == (200, "issuer")


def test_a_fault_is_said_once_and_not_for_every_request(pair, issuer, redis_server):
    server = redis_server()
    first, _ = pair(server)
    server.stop()
    await_redis(first, up=False)
    await_event(first, "redis")
    lines = len(events(first))
    with Quick(first.port) as client:
        for _ in range(200):
            assert client.get(issuer.add(opaque())) == 200
    assert len(events(first)) - lines < 20, events(first)[lines : lines + 3]


def test_issuer_and_redis_both_away(pair, issuer, redis_server):
    server = redis_server()
    first, _ = pair(server, timeout="500ms")
    kept = issuer.add(opaque())
    assert first.call("GET", "/auth", token=kept).status == 200
    server.freeze()
    issuer.stop()
    begun = time.monotonic()
    check_problem(first.call("GET", "/auth", token=opaque()), "issuer_unavailable")
    assert time.monotonic() - begun < TIMEOUT + 0.5 + 1.0
    assert ask(first, kept) == (200, "l1")
    server.thaw()
    issuer.start()
    fresh = issuer.add(opaque())
    wait_until(lambda: first.call("GET", "/auth", token=fresh).status == 200, 10, "both to be used again")


def test_an_issuer_that_is_away_does_not_touch_what_redis_has(pair, issuer, redis_server):
    server = redis_server()
    first, second = pair(server, timeout="2s")
    tokens = [issuer.add(opaque()) for _ in range(5)]
    for token in tokens:
        assert first.call("GET", "/auth", token=token).status == 200
        await_entry(server, token)
    issuer.stop()
    for token in tokens:
        assert ask(second, token) == (200, "redis")
    check_problem(second.call("GET", "/auth", token=opaque()), "issuer_unavailable")


def test_a_wrong_port_is_not_a_reason_to_stop(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, "redis://127.0.0.1:%d" % free_port()))
    with Load([proxy.port], Mixed(issuer)) as load:
        more(load)
        load.only(200)
    assert load.slowest < TIMEOUT + 1.0
