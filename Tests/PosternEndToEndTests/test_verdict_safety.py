"""Verdicts that must not outlive what ended them: an issuer's no, a reload, a revocation, an outage of the revocations."""
import signal
import time

from harness import config as configs
from harness import introspection, mint
from harness.introspection import Answer, inactive
from harness.net import wait_until
from harness.problems import check_problem
from harness.resp import revoke
from harness.tiers import await_redis, digest, opaque

NAME = "postern:revocations"


def status(proxy, token):
    return proxy.call("GET", "/auth", token=token).status


def test_a_no_of_the_issuer_ends_what_was_kept_for_outages(start, upstream, issuer):
    proxy = start(configs.config(upstream, issuers={"asked": configs.introspection(
        issuer, cache="1s", negative_cache="0s", stale_if_error="1h")}))
    token = issuer.add(opaque())
    assert status(proxy, token) == 200
    issuer.answers[token] = inactive()
    wait_until(lambda: status(proxy, token) == 401, 5, "the issuer to be asked again")
    issuer.stop()
    assert status(proxy, token) != 200, "the last word of the issuer was no"


def test_a_no_of_the_issuer_ends_what_redis_keeps_for_outages(start, upstream, issuer, redis):
    settings = configs.config(upstream, redis=configs.redis(redis), issuers={"asked": configs.introspection(
        issuer, cache="1s", negative_cache="0s", stale_if_error="1h")})
    first, second = start(settings), start(settings)
    for each in (first, second):
        await_redis(each)
    token = issuer.add(opaque())
    assert status(first, token) == 200
    issuer.answers[token] = inactive()
    wait_until(lambda: status(first, token) == 401, 5, "the issuer to be asked again")
    issuer.stop()
    assert status(second, token) != 200, "the last word of the issuer was no"


def test_an_issuer_that_said_no_does_not_serve_because_another_is_out(start, upstream, introspection_server):
    one, other = introspection_server(), introspection_server()
    proxy = start(configs.config(upstream, issuers={
        "one": configs.introspection(one, cache="1s", negative_cache="0s", stale_if_error="1h"),
        "other": configs.introspection(other)}))
    token = one.add(opaque())
    assert status(proxy, token) == 200
    one.answers[token] = inactive()
    other.override = Answer(status=500, body=b"{}")
    asked = one.count(token)
    wait_until(lambda: status(proxy, token) != 200 or one.count(token) > asked, 5, "the issuer to be asked again")
    assert status(proxy, token) == 502


def test_answers_about_bad_tokens_do_not_close_the_issuer_for_good_ones(start, upstream, issuer):
    proxy = start(configs.config(upstream, issuers={"asked": configs.introspection(issuer)}))
    issuer.default = Answer(status=400, body=b'{"error": "invalid_token"}')
    for _ in range(10):
        assert status(proxy, opaque("garbage")) in (401, 502)
    good = issuer.add(opaque())
    assert status(proxy, good) == 200, "strangers with invented tokens shut everybody else out"


def test_a_verdict_of_an_older_configuration_is_for_nobody(start, upstream, issuer):
    other = mint.key("ES256")
    proxy = start(configs.config(upstream, event_loops=2, issuers={"asked": configs.introspection(issuer, cache="1h")}))
    token = mint.key("RS256", "stranger").token(iss="https://late.test", sub="of-the-asked")
    issuer.add(token)
    issuer.gate.clear()
    with proxy.client(timeout=10) as client:
        client.send(b"GET /auth HTTP/1.1\r\nHost: mt5.test\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode())
        wait_until(lambda: issuer.count(token) == 1, 3, "the question")
        proxy.write(dict(proxy.config, issuers={
            "late": configs.issuer(other, issuer="https://late.test"), "asked": configs.introspection(issuer, cache="1h")}))
        proxy.signal(signal.SIGHUP)
        fine = other.token(iss="https://late.test")
        wait_until(lambda: status(proxy, fine) == 200, 5, "the new file to count")
        issuer.gate.set()
        assert client.response().status == 401
    assert {status(proxy, token) for _ in range(16)} == {401}, "its issuer is another now"


def test_a_revocation_counts_on_every_loop_from_the_start(start, upstream, redis):
    with redis.connect() as client:
        revoke(client, {"jti": "early"}, publish=False)
    token = configs.token(jti="early")
    proxy = start(configs.config(upstream, redis=configs.redis(redis), event_loops=64, issuers={
        "main": configs.issuer(revocation="redis")}))
    await_redis(proxy)
    wait_until(lambda: "revocations are loaded" in proxy.output(), 5, "the set to be loaded")
    answers = [status(proxy, token) for _ in range(256)]
    assert set(answers) == {401}, "%d of 256 let in" % answers.count(200)


def test_patience_is_not_renewed_by_a_subscription_without_a_load(start, upstream, redis):
    proxy = start(configs.config(upstream, redis=configs.redis(redis), issuers={
        "main": configs.issuer(revocation="required")}))
    token = configs.token()
    wait_until(lambda: status(proxy, token) == 200, 5, "the set to be loaded")
    redis.do("SET", NAME, "no set")
    began = time.monotonic()
    killed = began - 10
    while time.monotonic() < began + 20:
        if time.monotonic() > killed + 2:
            killed = time.monotonic()
            redis.do("CLIENT", "KILL", "TYPE", "pubsub")
        if status(proxy, token) == 502:
            break
        time.sleep(0.1)
    assert time.monotonic() < began + 8, "the set was out of date for %.0f s" % (time.monotonic() - began)


def test_a_revoked_token_does_not_come_back_in_the_leeway(start, upstream, redis):
    token = configs.token(jti="short", exp=int(time.time()) + 4)
    with redis.connect() as client:
        revoke(client, {"jti": "short"}, lifetime=4, publish=False)
    proxy = start(configs.config(upstream, redis=configs.redis(redis), issuers={
        "main": configs.issuer(revocation="redis", leeway="60s")}))
    wait_until(lambda: status(proxy, token) == 401, 3, "the revocation to hold")
    # Longer than the pause between two looks for what may be forgotten.
    until = time.monotonic() + 18
    while time.monotonic() < until:
        assert status(proxy, token) == 401, "revoked, expired, and let in"
        time.sleep(0.1)


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def twin(token):
    """The same token with the other valid signature: of (r, s) and (r, n - s) each verifies."""
    rest, _, signature = token.rpartition(".")
    raw = mint.unb64(signature)
    return rest + "." + mint.b64(raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big"))


def test_a_token_revoked_by_its_hash_does_not_live_on_as_its_twin(start, upstream, redis):
    key = mint.key("ES256")
    proxy = start(configs.config(upstream, redis=configs.redis(redis), issuers={
        "main": configs.issuer(key, revocation="redis")}))
    wait_until(lambda: "revocations are loaded" in proxy.output(), 5, "the set to be loaded")
    token = key.token()
    assert status(proxy, token) == 200
    with redis.connect() as client:
        revoke(client, {"token": digest(token)})
    wait_until(lambda: status(proxy, token) == 401, 3, "the revocation to hold")
    assert status(proxy, twin(token)) == 401


def test_a_reload_that_changes_redis_does_not_send_callers_away(start, upstream, redis):
    settings = configs.config(upstream, redis=configs.redis(redis), issuers={"main": configs.issuer(revocation="required")})
    proxy = start(settings)
    token = configs.token()
    wait_until(lambda: status(proxy, token) == 200, 5, "the set to be loaded")
    proxy.write(dict(settings, redis=configs.redis(redis, seal=["another-seal-of-the-tests-0123456789", configs.SEAL])))
    with proxy.client(timeout=10) as client:
        request = b"GET /auth HTTP/1.1\r\nHost: mt5.test\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode()
        proxy.signal(signal.SIGHUP)
        seen, until = [], time.monotonic() + 2
        while time.monotonic() < until:
            seen.append(client.send(request).response().status)
    assert set(seen) == {200}, {each: seen.count(each) for each in seen}


def test_why_the_set_cannot_be_loaded_is_said(start, upstream, redis):
    redis.do("SET", NAME, "no set")
    proxy = start(configs.config(upstream, redis=configs.redis(redis), issuers={
        "main": configs.issuer(revocation="required")}), ready=False)
    wait_until(lambda: "WRONGTYPE" in proxy.output(), 5, "the log to say why")


class ByCaller(introspection.IntrospectionServer):
    """Says yes to one caller only (RFC 7662 section 2.2: the answer may depend on who asks)."""

    def _answer(self, sock, asked):
        self.override = None if asked.header("authorization") == "Bearer first" else inactive()
        return super()._answer(sock, asked)


def test_what_the_issuer_told_another_service_is_not_for_this_one(start, upstream, redis):
    with ByCaller() as server:
        server.default = introspection.Answer(introspection.claims())
        first, second = (start(configs.config(upstream, redis=configs.redis(redis), issuers={
            "asked": configs.introspection(server, credentials={"bearer": name})})) for name in ("first", "second"))
        for each in (first, second):
            await_redis(each)
        token = server.add(opaque())
        assert status(first, token) == 200
        check_problem(second.call("GET", "/auth", token=token), "invalid_token")
