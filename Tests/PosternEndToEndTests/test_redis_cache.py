"""Introspection results that processes share through Redis: asked for once, sealed, and trusted only if they open."""
import base64
import signal
import statistics
import time

import pytest

from harness import config as configs
from harness import introspection
from harness.load import Quick, spread
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table
from harness.tiers import ask, await_entry, await_event, await_redis, digest, entry_key, grown, introspections, lookups, opaque


def setup(upstream, server, redis, more=None, seal=configs.SEAL, key_prefix=None, name="asked", **changes):
    """A configuration whose issuer is introspected at `server` and shared through `redis`."""
    return configs.config(upstream, issuers={name: configs.introspection(server, **changes)},
                          redis=configs.redis(redis, seal=seal, key_prefix=key_prefix), **(more or {}))


@pytest.fixture
def pods(start, upstream, issuer, redis):
    """Starts `count` posterns that share the module's Redis, and waits until each calls it up."""

    def starter(count=2, **changes):
        made = [start(setup(upstream, issuer, redis, **changes)) for _ in range(count)]
        for each in made:
            await_redis(each)
        return made

    return starter


# Sharing

def test_a_result_is_shared_and_says_where_it_came_from(pods, issuer, redis):
    first, second = pods()
    token = issuer.add(opaque(), introspection.claims(jti="j-1"))
    assert [ask(first, token), ask(first, token)] == [(200, "issuer"), (200, "l1")]
    await_entry(redis, token)
    before = lookups(second, "redis")
    assert [ask(second, token), ask(second, token)] == [(200, "redis"), (200, "l1")]
    assert grown(before, lookups(second, "redis")) == {"hit": 1}
    assert issuer.count() == 1 and introspections(second) in ({}, dict.fromkeys(introspections(second), 0))
    second.call("GET", "/auth", "X-Request-Id: shared", token=token)
    line = second.access("shared")
    assert (line["issuer"], line["user"], line["client_id"], line["jti"]) == ("asked", "user-7", "trading-dashboard", "j-1")


def test_identity_and_rules_are_the_same_from_redis(pods, issuer, redis, upstream):
    first, second = pods()
    token = issuer.add(opaque(), introspection.claims(sub="u-9", username="Ä b", scope="market:data", roles=["x", "y"]))
    seen = []
    for proxy in (first, second):
        assert proxy.call("GET", "/api/v1/market/EURUSD", token=token).status == 200
        seen.append({name.lower(): value for name, value in upstream.requests[-1].headers if name.lower().startswith("x-")
                     and name.lower() not in ("x-request-id", "x-forwarded-for")})
        check_problem(proxy.call("GET", "/api/v1/trades", token=token), "insufficient_scope")
        await_entry(redis, token)
    assert seen[0] == seen[1] and seen[0]["x-user-id"] == "u-9", seen
    assert issuer.count() == 1


def test_a_refusal_is_shared(pods, issuer, redis):
    first, second = pods(negative_cache="30s")
    token = opaque()
    check_problem(first.call("GET", "/auth", token=token), "invalid_token")
    await_entry(redis, token)
    check_problem(second.call("GET", "/auth", token=token), "invalid_token")
    assert issuer.count() == 1


def test_a_failure_is_not_shared(pods, issuer, redis):
    first, second = pods()
    token = issuer.add(opaque())
    issuer.override = introspection.Answer(status=500)
    check_problem(first.call("GET", "/auth", token=token), "issuer_unavailable")
    issuer.override = None
    assert second.call("GET", "/auth", token=token).status == 200
    assert issuer.count() == 2


def test_a_jwt_that_is_verified_locally_is_not_in_redis(start, upstream, redis, issuer):
    config = setup(upstream, issuer, redis)
    config["issuers"]["main"] = configs.issuer()
    proxy = start(config)
    await_redis(proxy)
    assert ask(proxy, configs.token()) == (200, "jwt")
    assert redis.do("DBSIZE") == 0


@pytest.mark.release
def test_one_token_at_four_processes_at_once_is_one_introspection(pods, issuer, redis, upstream):
    proxies = pods(4, timeout="5s", more={"event_loops": 2})
    token = issuer.add(opaque())
    issuer.gate.clear()
    clients = [proxy.client(timeout=10) for proxy in proxies for _ in range(25)]
    for each in clients:
        each.send(head("GET", "/auth", bearer(token)))
    wait_until(lambda: issuer.count() == 1, 3)
    # Every process has looked into Redis and found nothing, so those that did not ask wait for the one that did.
    wait_until(lambda: all(sum(lookups(each, "redis").values()) > 0 for each in proxies), 3, "all to look into Redis")
    issuer.gate.set()
    assert [each.response().status for each in clients] == [200] * 100
    for each in clients:
        each.close()
    assert issuer.count() == 1


@pytest.mark.release
def test_ten_thousand_requests_of_a_thousand_tokens_are_a_thousand_introspections(pods, issuer, upstream):
    proxies = pods(4)
    tokens = [issuer.add(opaque()) for _ in range(1000)]
    # The ten requests of a token come together, on 16 connections to 4 processes.
    statuses = spread([each.port for each in proxies], [token for token in tokens for _ in range(10)])
    assert len(statuses) == 10_000 and set(statuses) == {200}
    assert (issuer.count(), issuer.distinct()) == (1000, 1000)


def test_waiting_for_another_process_is_bounded(pods, issuer):
    """The process that has the lock dies: the others do not wait for it beyond `timeout`."""
    first, second = pods(timeout="1s")
    token = issuer.add(opaque())
    issuer.gate.clear()
    with first.client(timeout=10) as client:
        client.send(head("GET", "/auth", bearer(token)))
        wait_until(lambda: issuer.count() == 1, 3)
        first.signal(signal.SIGSTOP)
        try:
            issuer.gate.set()
            begun = time.monotonic()
            status = second.call("GET", "/auth", token=token).status
            assert status in (200, 502) and time.monotonic() - begun < 2.5
            wait_until(lambda: second.call("GET", "/auth", token=token).status == 200, 5, "the lock to end by itself")
        finally:
            first.signal(signal.SIGCONT)
        assert client.response().status in (200, 502)


@pytest.mark.release
def test_a_redis_hit_adds_under_a_millisecond(pods, issuer, redis):
    first, second = pods()
    tokens = [issuer.add(opaque()) for _ in range(300)]
    assert set(spread([first.port], tokens)) == {200}
    keys = [entry_key(token) for token in tokens]
    wait_until(lambda: redis.do("EXISTS", *keys) == 300, 3, "all entries to be written")
    asked = issuer.count()
    from_redis, local = [], []
    with Quick(second.port) as client:
        for token in tokens:
            for times in (from_redis, local):
                status, seconds = client.timed(token)
                assert status == 200
                times.append(seconds)
    assert issuer.count() == asked
    assert lookups(second, "redis")["hit"] == 300
    added = (statistics.median(from_redis) - statistics.median(local)) * 1e3
    print("a Redis hit adds %.3f ms to a local hit's %.3f ms at the median" % (added, statistics.median(local) * 1e3))
    assert added < 1.0, "a Redis hit adds %.3f ms at the median" % added


# Age

def test_an_entry_keeps_its_age(pods, issuer, redis):
    first, second = pods(cache="2s")
    token = issuer.add(opaque())
    assert first.call("GET", "/auth", token=token).status == 200
    fetched = time.monotonic()
    issuer.answers[token] = introspection.inactive()
    with redis.connect() as client:
        await_entry(redis, token)
        assert 0 < client.do("PTTL", entry_key(token)) <= 2000
    time.sleep(1.2)  # the age that must not be forgotten
    assert second.call("GET", "/auth", token=token).status == 200
    wait_until(lambda: second.call("GET", "/auth", token=token).status == 401, 3, "the refusal")
    assert time.monotonic() - fetched < 3.0, "the second process began to count anew"


def test_an_entry_ends_with_its_token(pods, issuer, redis):
    first, _ = pods(cache="1h", leeway="0s")
    token = issuer.add(opaque(), introspection.claims(exp=int(time.time()) + 60))
    assert first.call("GET", "/auth", token=token).status == 200
    await_entry(redis, token)
    assert 0 < redis.do("PTTL", entry_key(token)) <= 61_000


# Sealing

MARKS = {"sub": "sub-mark-4711", "username": "name-mark-4711", "client_id": "client-mark-4711", "scope": "scope-mark-4711",
         "jti": "jti-mark-4711", "email": "mail-mark-4711@x.test", "roles": ["role-mark-4711"]}


def encodings(text):
    """How a text might stand in Redis without being sealed."""
    data = text.encode()
    yield data
    yield data.hex().encode()
    for offset in range(3):
        # Base64 of a text inside another depends on where it begins; the middle does not.
        plain = base64.b64encode(b"\0" * offset + data)[4:-4]
        yield plain
        yield plain.replace(b"+", b"-").replace(b"/", b"_")


def test_reading_all_of_redis_shows_no_token_no_claim_no_user(pods, issuer, redis):
    first, second = pods(more={"event_loops": 2}, timeout="2s")
    tokens = [issuer.add(opaque("token-mark-%d" % number), introspection.claims(**MARKS)) for number in range(20)]
    jwt = issuer.add(configs.token(iss="https://unknown.test", sub="sub-mark-4711"), introspection.claims(**MARKS))
    refused = [opaque("refused-mark") for _ in range(5)]
    seen = {}
    issuer.default = introspection.inactive(delay=0.05)
    for token in tokens + [jwt] + refused:
        first.call("GET", "/auth", token=token)
        with redis.connect() as client:
            seen.update(client.dump())
        second.call("GET", "/auth", token=token)
    with redis.connect() as client:
        seen.update(client.dump())
    assert {entry_key(token) for token in tokens} <= set(seen)
    everything = b"\n".join(key + b"\n" + value for key, value in seen.items())
    secrets = [each for each in tokens + refused] + jwt.split(".") + [introspection.KEY, configs.SEAL, *MARKS, "sub-mark-4711",
                                                                      "name-mark-4711", "role-mark-4711", "active", "asked"]
    for secret in secrets:
        for form in encodings(secret) if len(secret) > 8 else [secret.encode()]:
            assert form.lower() not in everything.lower(), "readable in Redis: %s as %r" % (secret[:12], form[:20])
    for key in seen:
        assert key.startswith(b"postern:"), key


def test_entries_of_one_answer_differ(pods, issuer, redis):
    """Equal plaintexts must not show as equal: the seal has a nonce."""
    first, _ = pods()
    tokens = [issuer.add(opaque()) for _ in range(4)]
    for token in tokens:
        assert first.call("GET", "/auth", token=token).status == 200
    values = [await_entry(redis, token) for token in tokens]
    assert len({value[-16:] for value in values}) == 4 and len({value[5:17] for value in values}) == 4


def flip(at):
    def change(value):
        changed = bytearray(value)
        changed[at] ^= 1
        return bytes(changed)

    return change


TAMPERED = table(
    ("the first byte changed", flip(0)),
    ("the second byte changed", flip(1)),
    ("a nonce byte changed", flip(8)),
    ("a byte in the middle changed", lambda value: flip(len(value) // 2)(value)),
    ("the last byte changed", flip(-1)),
    ("the last byte gone", lambda value: value[:-1]),
    ("a byte more", lambda value: value + b"\0"),
    ("cut to a few bytes", lambda value: value[:4]),
    ("nothing at all", lambda value: b""),
    ("plain JSON", lambda value: b'{"active": true, "sub": "root"}'),
    ("twice", lambda value: value + value),
    ("over 1 MiB", lambda value: value + b"x" * (1100 * 1024)),
)


def refused_by(proxy, redis, token, value):
    """Puts `value` under the token's key and asks `proxy`, which never saw the token: it must count the entry apart from
    hits and misses, and log it. Returns (status, token_source)."""
    redis.do("SET", entry_key(token), value)
    before = lookups(proxy, "redis")
    answer, source = ask(proxy, token)
    changes = grown(before, lookups(proxy, "redis"))
    assert "hit" not in changes and set(changes) - {"miss"}, "not counted as what it is: %s" % changes
    said = await_event(proxy, "entry", "seal")
    assert not any(token in line or digest(token) in line for line in said)
    return answer, source


@pytest.mark.parametrize("change", TAMPERED)
def test_a_tampered_entry_is_ignored_counted_and_logged(pods, issuer, redis, change):
    first, second = pods()
    token = issuer.add(opaque())
    assert first.call("GET", "/auth", token=token).status == 200
    changed = change(await_entry(redis, token))
    issuer.answers[token] = introspection.inactive()
    assert refused_by(second, redis, token, changed)[0] == 401
    assert issuer.count(token) == 2


def test_an_entry_of_another_type_is_ignored(pods, issuer, redis):
    first, second = pods()
    token = issuer.add(opaque())
    redis.do("RPUSH", entry_key(token), "x")
    for proxy in (first, second):
        assert proxy.call("GET", "/auth", token=token).status == 200
        await_redis(proxy)


def test_a_swapped_entry_is_ignored(pods, issuer, redis):
    first, second = pods()
    mine, theirs = issuer.add(opaque()), issuer.add(opaque(), introspection.claims(sub="root"))
    for token in (mine, theirs):
        assert first.call("GET", "/auth", token=token).status == 200
    stolen = await_entry(redis, theirs)
    assert refused_by(second, redis, mine, stolen) == (200, "issuer")
    refused = opaque()
    assert refused_by(second, redis, refused, stolen)[0] == 401


def test_a_replayed_entry_is_ignored(pods, issuer, redis):
    first, second = pods(cache="1s")
    token = issuer.add(opaque())
    assert first.call("GET", "/auth", token=token).status == 200
    old = await_entry(redis, token)
    issuer.answers[token] = introspection.inactive()
    wait_until(lambda: redis.do("GET", entry_key(token)) is None, 3, "the entry to end")
    assert refused_by(second, redis, token, old)[0] == 401


def test_an_entry_of_another_issuer_is_ignored(start, upstream, issuer, introspection_server, redis):
    """The same token, seal and Redis, but it was another issuer that called the token good."""
    other = introspection_server()
    proxies = [start(setup(upstream, issuer, redis)), start(setup(upstream, other, redis, name="other"))]
    for each in proxies:
        await_redis(each)
    token = issuer.add(opaque())
    assert proxies[0].call("GET", "/auth", token=token).status == 200
    assert refused_by(proxies[1], redis, token, await_entry(redis, token))[0] == 401
    assert other.count(token) == 1


def test_an_entry_under_another_seal_is_ignored(start, upstream, issuer, redis):
    mine = start(setup(upstream, issuer, redis))
    foreign = start(setup(upstream, issuer, redis, seal="another-seal-of-32-bytes-or-more-0"))
    for each in (mine, foreign):
        await_redis(each)
    token = issuer.add(opaque())
    assert foreign.call("GET", "/auth", token=token).status == 200
    assert refused_by(mine, redis, token, await_entry(redis, token)) == (200, "issuer")


def test_seals_rotate_without_losing_entries(start, upstream, issuer, redis):
    old, new = "old-seal-of-32-bytes-or-more-0123", "new-seal-of-32-bytes-or-more-0123"
    before, between, after = (start(setup(upstream, issuer, redis, seal=each)) for each in (old, [new, old], new))
    for each in (before, between, after):
        await_redis(each)
    token = issuer.add(opaque())
    assert ask(before, token) == (200, "issuer")
    sealed = await_entry(redis, token)
    assert ask(between, token) == (200, "redis")
    assert refused_by(after, redis, token, sealed) == (200, "issuer")
    second = issuer.add(opaque())
    assert ask(between, second) == (200, "issuer")
    await_entry(redis, second)
    assert ask(after, second) == (200, "redis"), "the first seal is the one that seals"


def test_prefixes_keep_fleets_apart(start, upstream, issuer, redis):
    first, second = (start(setup(upstream, issuer, redis, key_prefix=each)) for each in ("one:", "two:"))
    for each in (first, second):
        await_redis(each)
    token = issuer.add(opaque())
    for each in (first, second):
        assert ask(each, token) == (200, "issuer")
    for prefix in ("one:", "two:"):
        wait_until(lambda prefix=prefix: redis.do("GET", entry_key(token, prefix)), 3)
    assert {each.split(b":")[0] for each in redis.connect().keys()} == {b"one", b"two"}
