"""Revocations: published once, effective on every process, for cached and new tokens of both kinds."""
import json
import threading
import time

import pytest

from harness import config as configs
from harness import introspection, mint
from harness.load import Load, Quick
from harness.net import wait_until
from harness.problems import check_problem
from harness.resp import revoke
from harness.table import table
from harness.tiers import await_entry, await_event, await_redis, digest, opaque

NAME = "postern:revocations"


def setup(upstream, server, redis, revocation="redis", **changes):
    """The issuer `main` of JWTs and the introspected issuer `asked`, both with revocation."""
    return configs.config(upstream, issuers={
        "main": configs.issuer(revocation=revocation),
        "asked": configs.introspection(server, revocation=revocation, cache="1h"),
    }, redis=configs.redis(redis), **changes)


def count(proxy):
    return proxy.metrics().value("postern_revocations")


@pytest.fixture
def pods(start, upstream, issuer, redis):
    """Starts posterns that share the module's Redis; they subscribe before they are handed out."""

    def starter(number=2, **changes):
        made = [start(setup(upstream, issuer, redis, **changes)) for _ in range(number)]
        for each in made:
            await_redis(each)
        wait_until(lambda: dict(zip(*[iter(redis.do("PUBSUB", "NUMSUB", NAME))] * 2))[NAME.encode()] >= number, 5,
                   "all to subscribe")
        return made

    return starter


def until_refused(proxies, token, timeout=2.0):
    for proxy in proxies:
        wait_until(lambda proxy=proxy: proxy.call("GET", "/auth", token=token).status == 401, timeout, "the revocation to hold")
        answer = check_problem(proxy.call("GET", "/auth", token=token), "invalid_token")
        assert answer["status"] == 401


def all_let_in(proxies, *tokens):
    for proxy in proxies:
        for token in tokens:
            assert proxy.call("GET", "/auth", token=token).status == 200


IAT = int(time.time()) - 60
# What identifies the tokens of one row, as claims; the revocation that meets them, given the token; claims it spares.
KINDS = table(
    ("by jti", {"jti": "the-jti"}, lambda token: {"jti": "the-jti"}, {"jti": "another-jti"}),
    ("by subject", {"sub": "gone", "iat": IAT}, lambda token: {"sub": "gone", "before": IAT + 1}, {"sub": "stays", "iat": IAT}),
    ("by subject, an older token", {"sub": "gone", "iat": IAT - 1}, lambda token: {"sub": "gone", "before": IAT},
     {"sub": "gone", "iat": IAT}),
    ("by subject, a fraction older", {"sub": "gone", "iat": IAT + 0.25}, lambda token: {"sub": "gone", "before": IAT + 0.5},
     {"sub": "gone", "iat": IAT + 0.75}),
    ("by subject, a token without iat", {"sub": "gone", "iat": None}, lambda token: {"sub": "gone", "before": IAT},
     {"sub": "gone", "iat": IAT + 1}),
    ("by client", {"client_id": "gone", "iat": IAT - 1}, lambda token: {"client": "gone", "before": IAT},
     {"client_id": "gone", "iat": IAT + 1}),
    ("by the token's hash", {"sub": "gone"}, lambda token: {"token": digest(token)}, {"sub": "gone", "scope": "other"}),
    ("with members that nobody knows", {"jti": "the-jti"}, lambda token: {"jti": "the-jti", "why": "lost", "by": [1]},
     {"jti": "another-jti"}),
)


def minted(kind, issuer, changes):
    """A token with these claims: signed, or known to the introspection server."""
    if kind == "jwt":
        return configs.token(**changes)
    return issuer.add(opaque(), introspection.claims(**dict({"iat": IAT}, **changes)))


@pytest.mark.parametrize("kind", ["jwt", "introspected"])
@pytest.mark.parametrize("claims, revocation, spared", KINDS)
def test_a_revocation_holds_for_cached_and_new_tokens(pods, issuer, redis, kind, claims, revocation, spared):
    first, second = pods()
    cached, other = minted(kind, issuer, claims), minted(kind, issuer, spared)
    all_let_in((first, second), cached, other)
    asked = issuer.count(cached)
    member = revocation(cached)
    with redis.connect() as client:
        revoke(client, member)
    until_refused((first, second), cached)
    all_let_in((first, second), other)
    if "token" not in member:
        fresh = minted(kind, issuer, claims)
        for proxy in (first, second):
            check_problem(proxy.call("GET", "/auth", token=fresh), "invalid_token")
    assert [count(each) for each in (first, second)] == [1, 1]
    assert issuer.count(cached) <= asked + 2, "a revoked token is not asked about for every request"


def test_the_subject_is_also_the_mapped_user(start, upstream, redis, introspection_server):
    server = introspection_server("hecate")
    proxy = start(configs.config(upstream, redis=configs.redis(redis), issuers={
        "asked": configs.introspection(server, revocation="redis", cache="1h")}))
    await_redis(proxy)
    token, other = server.add(opaque(), introspection.hecate(user_id="gone")), server.add(opaque())
    all_let_in([proxy], token, other)
    with redis.connect() as client:
        revoke(client, {"sub": "gone", "before": int(time.time())})
    until_refused([proxy], token)
    all_let_in([proxy], other)


def test_a_later_moment_takes_the_place_of_an_earlier_one(pods, redis):
    first, = pods(1)
    tokens = [configs.token(sub="gone", iat=IAT + offset) for offset in (0, 20, 40)]
    with redis.connect() as client:
        revoke(client, {"sub": "gone", "before": IAT + 30})
        revoke(client, {"sub": "gone", "before": IAT + 10})
    until_refused([first], tokens[0])
    until_refused([first], tokens[1])
    all_let_in([first], tokens[2])
    assert count(first) == 1


def test_what_was_revoked_before_the_start_is_loaded(pods, issuer, redis):
    token, mine = configs.token(jti="early"), issuer.add(opaque())
    with redis.connect() as client:
        client.pipeline([("ZADD", NAME, int(time.time()) + 3600, json.dumps({"jti": "other-%d" % n})) for n in range(2000)])
        revoke(client, {"jti": "early"}, publish=False)
        revoke(client, {"token": digest(mine)}, publish=False)
        revoke(client, {"jti": "forgotten"}, lifetime=-310, publish=False)
    first, = pods(1)
    wait_until(lambda: count(first) >= 2002, 3, "the set to be loaded")
    for each in (token, mine):
        check_problem(first.call("GET", "/auth", token=each), "invalid_token")
    all_let_in([first], configs.token(jti="forgotten"), configs.token())


def test_entries_are_forgotten_when_they_may_be(pods, redis):
    with redis.connect() as client:
        # Revocations hold five minutes beyond their time: a token may, by its issuer's leeway.
        revoke(client, {"jti": "short"}, lifetime=-298, publish=False)
        revoke(client, {"jti": "long"}, publish=False)
    first, = pods(1)
    wait_until(lambda: count(first) == 1, 15, "the short entry to be forgotten")
    until_refused([first], configs.token(jti="long"))


MALFORMED = ["", "x", "{", "[]", "null", "7", '"jti"', "{}", '{"jti": 7}', '{"jti": null}', '{"sub": "user-7"}',
             '{"sub": "user-7", "before": "now"}', '{"sub": "user-7", "before": null}', '{"before": 99999999999}',
             '{"token": "short"}', '{"token": "%s"}' % ("g" * 64), '{"client": ["trading-dashboard"], "before": 1e99}',
             '{"sub": "user-7", "before": 1e999}', '{"jti": "a", "jti": "b"}', "{\"jti\": \"\ud800\"}".encode("utf-8", "surrogatepass"),
             "[" * 10_000, '{"jti": "%s"}' % ("x" * 100_000)]


def test_malformed_revocations_are_ignored_and_said(pods, issuer, redis):
    first, second = pods()
    token, jwt = issuer.add(opaque()), configs.token()
    all_let_in((first, second), token, jwt)
    with redis.connect() as client:
        for each in MALFORMED:
            revoke(client, each)
        revoke(client, {"jti": "after-them"})
    until_refused((first, second), configs.token(jti="after-them"))
    all_let_in((first, second), token, jwt)
    await_event(first, "revocation")
    third, = pods(1)
    until_refused([third], configs.token(jti="after-them"))
    all_let_in([third], token, jwt)


def test_only_issuers_that_want_it_honour_revocations(start, upstream, issuer, redis):
    other = mint.key("ES256")
    proxy = start(configs.config(upstream, redis=configs.redis(redis), issuers={
        "main": configs.issuer(revocation="redis"), "deaf": configs.issuer(other, issuer="https://deaf.test"),
        "asked": configs.introspection(issuer)}))
    await_redis(proxy)
    heard, deaf, asked = configs.token(jti="j"), other.token(iss="https://deaf.test", jti="j"), issuer.add(opaque())
    all_let_in([proxy], heard, deaf, asked)
    with redis.connect() as client:
        revoke(client, {"jti": "j"})
        revoke(client, {"token": digest(asked)})
    until_refused([proxy], heard)
    all_let_in([proxy], deaf, asked)


def test_a_revoked_token_is_said_to_be_invalid_and_logged_so(pods, redis, upstream):
    first, = pods(1)
    token = configs.token(jti="to-be-logged")
    all_let_in([first], token)
    with redis.connect() as client:
        revoke(client, {"jti": "to-be-logged"})
    until_refused([first], token)
    upstream.requests = []
    answer = first.call("GET", "/auth", "X-Request-Id: revoked-1", token=token)
    assert "revoked" in answer.header("www-authenticate")
    assert first.access("revoked-1")["code"] == "invalid_token"
    assert upstream.requests == []


def test_prefixes_keep_revocations_apart(start, upstream, redis):
    proxy = start(configs.config(upstream, redis=configs.redis(redis, key_prefix="mine:"), issuers={
        "main": configs.issuer(revocation="redis")}))
    await_redis(proxy)
    token, other = configs.token(jti="a"), configs.token(jti="b")
    all_let_in([proxy], token, other)
    with redis.connect() as client:
        revoke(client, {"jti": "b"})
        revoke(client, {"jti": "a"}, prefix="mine:")
    until_refused([proxy], token)
    all_let_in([proxy], other)


def test_a_shared_result_of_a_revoked_token_is_refused(pods, issuer, redis):
    """The entry in Redis is older than the revocation; a process that never saw the token takes it from there."""
    first, = pods(1)
    token = issuer.add(opaque(), introspection.claims(jti="in-redis"))
    all_let_in([first], token)
    await_entry(redis, token)
    with redis.connect() as client:
        revoke(client, {"jti": "in-redis"})
    until_refused([first], token)
    second, = pods(1)
    check_problem(second.call("GET", "/auth", token=token), "invalid_token")


# Redis comes and goes

def test_the_last_known_set_holds_while_redis_is_away(start, upstream, issuer, redis_server):
    server = redis_server(appendonly="yes")
    proxy = start(setup(upstream, issuer, server))
    await_redis(proxy)
    revoked, good = configs.token(jti="before-the-end"), configs.token()
    all_let_in([proxy], revoked, good)
    with server.connect() as client:
        revoke(client, {"jti": "before-the-end"})
    until_refused([proxy], revoked)
    server.stop()
    await_redis(proxy, up=False)
    await_event(proxy, "revocation", "subscri")
    check_problem(proxy.call("GET", "/auth", token=revoked), "invalid_token")
    check_problem(proxy.call("GET", "/auth", token=configs.token(jti="before-the-end")), "invalid_token")
    all_let_in([proxy], good, configs.token())
    assert count(proxy) == 1


def test_nothing_published_while_redis_was_away_is_missed(start, upstream, issuer, redis_server):
    server = redis_server(appendonly="yes", appendfsync="always")
    proxies = [start(setup(upstream, issuer, server)) for _ in range(2)]
    for each in proxies:
        await_redis(each)
    for turn in range(3):
        tokens = [configs.token(jti="turn-%d" % turn), issuer.add(opaque(), introspection.claims(jti="turn-%d" % turn))]
        all_let_in(proxies, *tokens)
        server.kill() if turn % 2 else server.stop()
        server.start()
        with server.connect() as client:
            # Nobody may be listening yet: what is published now reaches those who load the set afterwards.
            revoke(client, {"jti": "turn-%d" % turn}, publish=turn != 1)
        for token in tokens:
            until_refused(proxies, token, timeout=8)
    assert [count(each) for each in proxies] == [3, 3]


def test_nothing_published_while_redis_is_frozen_is_missed(start, upstream, issuer, redis_server):
    server = redis_server()
    proxy = start(setup(upstream, issuer, server))
    await_redis(proxy)
    token = configs.token(jti="in-the-frost")
    all_let_in([proxy], token)
    server.freeze()
    await_redis(proxy, up=False)
    all_let_in([proxy], token)
    server.thaw()
    with server.connect() as client:
        revoke(client, {"jti": "in-the-frost"})
    until_refused([proxy], token, timeout=8)


def test_revocations_during_restarts_under_load(start, upstream, issuer, redis_server):
    server = redis_server(appendonly="yes", appendfsync="always")
    proxies = [start(setup(upstream, issuer, server)) for _ in range(2)]
    for each in proxies:
        await_redis(each)
    good = [configs.token() for _ in range(10)]
    doomed = [configs.token(jti="doomed-%d" % number) for number in range(60)]
    all_let_in(proxies, *doomed)
    with Load([each.port for each in proxies], lambda number: good[number % 10]) as load:
        left = iter(range(60))
        for _ in range(3):
            with server.connect() as client:
                for number in [next(left) for _ in range(20)]:
                    revoke(client, {"jti": "doomed-%d" % number})
            server.kill()
            server.start()
        for token in doomed:
            until_refused(proxies, token, timeout=8)
        load.only(200)


def test_required_refuses_once_the_subscription_was_down_for_five_seconds(start, upstream, issuer, redis_server):
    server = redis_server()
    other = mint.key("ES256")
    config = setup(upstream, issuer, server, revocation="required")
    config["issuers"]["relaxed"] = configs.issuer(other, issuer="https://relaxed.test", revocation="redis")
    proxy = start(config)
    await_redis(proxy)
    jwt, asked, relaxed = configs.token(), issuer.add(opaque()), other.token(iss="https://relaxed.test")
    all_let_in([proxy], jwt, asked, relaxed)
    gone = time.monotonic()
    server.stop()
    await_redis(proxy, up=False)
    while time.monotonic() - gone < 4.0:
        all_let_in([proxy], jwt, asked, relaxed)
        assert proxy.get_admin("/readyz").status == 200
        time.sleep(0.2)
    wait_until(lambda: proxy.call("GET", "/auth", token=jwt).status == 502, 4, "the refusal")
    assert 4.9 < time.monotonic() - gone < 8
    for token in (jwt, asked, configs.token()):
        check_problem(proxy.call("GET", "/auth", token=token), "issuer_unavailable")
    all_let_in([proxy], relaxed)
    assert proxy.call("GET", "/health").status == 200
    check_problem(proxy.call("GET", "/auth"), "missing_token")
    answer = proxy.get_admin("/readyz")
    assert answer.status == 503 and b"revocation" in answer.body.lower(), answer
    server.start()
    wait_until(lambda: proxy.call("GET", "/auth", token=jwt).status == 200, 8, "the subscription's return")
    proxy.await_state(200, 3)
    all_let_in([proxy], asked, relaxed)


def test_required_without_redis_from_the_start(start, upstream, issuer, redis_server):
    server = redis_server()
    server.stop()
    proxy = start(setup(upstream, issuer, server, revocation="required"), ready=False)
    wait_until(lambda: proxy.call("GET", "/auth", token=configs.token()).status == 502, 8, "the refusal")
    assert proxy.get_admin("/readyz").status == 503
    server.start()
    wait_until(lambda: proxy.call("GET", "/auth", token=configs.token()).status == 200, 8, "Redis to be found")


# How soon

TRIALS = 200


class Watcher(threading.Thread):
    """Uses tokens without pause against one process and notes when each is refused first."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.client = Quick(port)
        self.token = None
        self.served = threading.Event()  # the present token was let in
        self.refused = threading.Event()
        self.at = 0.0
        self.odd = []
        self.end = False

    def use(self, token):
        self.token = None
        self.served.clear()
        self.refused.clear()
        self.token = token

    def run(self):
        while not self.end:
            token = self.token
            if token is None or self.refused.is_set():
                time.sleep(0.0005)
                continue
            status, now = self.client.get(token), time.monotonic()
            if token is not self.token:
                continue
            if status == 401 and self.served.is_set():
                self.at = now
                self.refused.set()
            elif status == 200:
                self.served.set()
            else:
                self.odd.append(status)
        self.client.close()


def trial(number, issuer):
    """(a token that is good, the revocation that ends it): kinds of token and of revocation in turn."""
    name, now = "trial-%d" % number, int(time.time())
    claims = {"jti": name, "sub": name, "client_id": name, "iat": now - 60}
    token = minted("jwt" if number % 2 else "introspected", issuer, claims)
    members = [{"jti": name}, {"sub": name, "before": now}, {"client": name, "before": now}, {"token": digest(token)}]
    return token, members[number // 2 % 4]


@pytest.mark.release
def test_a_revocation_is_effective_within_a_hundred_milliseconds(pods, issuer, redis):
    """200 trials on 2 processes, each of which uses the token without pause: from the publish to the first 401."""
    watchers = [Watcher(each.port) for each in pods(2, event_loops=2)]
    for each in watchers:
        each.start()
    delays = []
    with redis.connect() as client:
        for number in range(TRIALS):
            token, member = trial(number, issuer)
            for each in watchers:
                each.use(token)
            for each in watchers:
                assert each.served.wait(5), each.odd
            published = revoke(client, member)
            for each in watchers:
                assert each.refused.wait(5), "trial %d: not refused after 5 s (%s)" % (number, member)
                delays.append(each.at - published)
    for each in watchers:
        each.end = True
        each.join(5)
    delays.sort()
    median, p99 = (delays[int(len(delays) * share)] * 1e3 for share in (0.5, 0.99))
    print("revocation, %d trials on 2 processes: median %.1f ms, p99 %.1f ms" % (TRIALS, median, p99))
    assert not [odd for each in watchers for odd in each.odd]
    assert p99 <= 100, "p99 is %.1f ms, the median %.1f ms" % (p99, median)
