"""Where keys come from, how they are kept fresh, and what happens when they cannot be had."""
import json
import threading
import time

import pytest

from harness import config as configs
from harness import mint
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.process import environment
from harness.table import table

FIRST, SECOND, THIRD = mint.key("ES256", "first"), mint.key("ES256", "second"), mint.key("ES256", "third")


def keyed(upstream, keys, **changes):
    entry = configs.issuer(algorithms=["ES256", "RS256", "EdDSA"], keys=keys)
    entry.update(changes)
    return configs.config(upstream, issuers={"main": entry})


def ask(proxy, key, timeout=5.0, **claims):
    return proxy.call("GET", "/auth", token=key.token(**claims), timeout=timeout)


def test_keys_by_url_are_there_before_readiness(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "60s"}))
    for _ in range(20):
        assert ask(proxy, FIRST).status == 200
    assert server.fetches() == 1, "requests fetch keys"


def test_keys_are_refreshed_in_the_background(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s"}))
    assert ask(proxy, FIRST).status == 200
    server.keys = [SECOND]
    seen = server.fetches()
    wait_until(lambda: server.fetches() > seen, 4, "a background refresh")
    wait_until(lambda: ask(proxy, SECOND).status == 200, 3, "the new key to be used")
    wait_until(lambda: ask(proxy, FIRST).status == 401, 3, "the withdrawn key to be refused")
    assert proxy.metrics().value("postern_key_refreshes_total", issuer="main") >= 2


def test_a_key_that_is_withdrawn_ends_cached_tokens_too(start, upstream, key_server):
    server = key_server(FIRST, SECOND)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s"}))
    token = FIRST.token()
    assert proxy.call("GET", "/auth", token=token).status == 200
    server.keys = [SECOND]
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 401, 5, "a cached token of a withdrawn key")


def test_unknown_kid_waits_for_one_shared_refetch(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "5m", "timeout": "2s"}))
    server.keys, server.delay = [FIRST, SECOND], 0.3
    answers = []

    def one():
        answers.append(ask(proxy, SECOND).status)

    threads = [threading.Thread(target=one) for _ in range(15)]
    for each in threads:
        each.start()
    assert ask(proxy, FIRST).status == 200, "a known key waits for nobody"
    for each in threads:
        each.join(10)
    assert answers == [200] * 15
    assert server.fetches() == 2, "fifteen waiters, one refetch"


def test_unknown_kid_refetches_at_most_once_in_ten_seconds(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "5m"}))
    check_problem(ask(proxy, SECOND), "invalid_token")
    assert server.fetches() == 2
    server.keys, server.delay = [FIRST, SECOND], 1.0
    began = time.monotonic()
    for number in range(10):
        check_problem(ask(proxy, mint.Key("ES256", "made-up-%d" % number)), "invalid_token")
    check_problem(ask(proxy, SECOND), "invalid_token")
    assert time.monotonic() - began < 1.0, "a refetch that is not allowed yet must not be waited for"
    assert server.fetches() == 2
    assert ask(proxy, FIRST).status == 200


def test_unknown_kid_wait_is_bounded_by_the_keys_timeout(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "5m", "timeout": "300ms"}))
    server.delay = 5
    began = time.monotonic()
    assert ask(proxy, SECOND).status in (401, 502)
    assert time.monotonic() - began < 1.5
    assert ask(proxy, FIRST).status == 200


def test_stale_keys_serve_while_the_server_fails(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s", "max_stale": "1h"}))
    server.status = 500
    seen = server.fetches()
    wait_until(lambda: server.fetches() > seen, 4)
    assert ask(proxy, FIRST).status == 200
    assert proxy.get_admin("/readyz").status == 200
    failed = [labels for labels, value in proxy.metrics().series("postern_key_refreshes_total") if value]
    assert len({each["result"] for each in failed}) >= 2, "a failed refresh is told apart"
    assert proxy.metrics().value("postern_key_age_seconds", issuer="main") > 0


def test_keys_past_max_stale_count_as_absent(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s", "max_stale": "2s"}))
    assert ask(proxy, FIRST).status == 200
    server.status = 503
    proxy.await_state(503, timeout=10)
    check_problem(ask(proxy, FIRST), "issuer_unavailable")
    assert b"main" in proxy.get_admin("/readyz").body
    assert proxy.call("GET", "/health").status == 200


BAD_BODIES = table(
    ("no JSON", b"<html>"),
    ("an empty body", b""),
    ("no keys member", b"{}"),
    ("an empty key set", b'{"keys": []}'),
    ("keys of unknown kinds alone", b'{"keys": [{"kty": "XYZ", "kid": "a"}]}'),
    ("over 1 MiB", b'{"keys": [' + b" " * (1100 * 1024) + b"]}"),
)


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_bad_key_set_is_never_taken_for_keys(start, upstream, key_server, body):
    server = key_server(FIRST)
    server.body = body
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s"}), ready=False)
    server.served.wait(5)
    check_problem(ask(proxy, FIRST), "issuer_unavailable")
    answer = proxy.get_admin("/readyz")
    assert answer.status == 503 and b"main" in answer.body
    assert isinstance(answer.json(), dict)
    server.body = None
    proxy.await_state(200, timeout=8)
    assert ask(proxy, FIRST).status == 200


@pytest.mark.parametrize("body", [b"<html>", b'{"keys": []}'], ids=["no JSON", "empty"])
def test_a_bad_refresh_keeps_the_old_keys(start, upstream, key_server, body):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s"}))
    server.body = body
    seen = server.fetches()
    wait_until(lambda: server.fetches() > seen, 4)
    assert ask(proxy, FIRST).status == 200


def test_without_keys_from_the_start_it_is_502_and_not_ready(start, upstream):
    url = "http://127.0.0.1:%d/jwks" % free_port()
    proxy = start(keyed(upstream, {"url": url, "timeout": "500ms"}), ready=False)
    began = time.monotonic()
    check_problem(ask(proxy, FIRST), "issuer_unavailable")
    assert time.monotonic() - began < 2
    answer = proxy.get_admin("/readyz")
    assert answer.status == 503 and b"main" in answer.body
    assert answer.header("content-type").startswith("application/json")
    assert proxy.get_admin("/healthz").status == 200
    assert proxy.call("GET", "/health").status == 200, "a public route needs no keys"
    check_problem(proxy.call("GET", "/auth"), "missing_token")
    assert upstream.requests[-1].target == "/health"


def test_keys_that_arrive_late_make_it_ready(start, upstream, key_server):
    server = key_server(FIRST)
    server.status = 503
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s"}), ready=False)
    server.served.wait(5)
    assert proxy.get_admin("/readyz").status == 503
    server.status = 200
    proxy.await_state(200, timeout=8)
    assert ask(proxy, FIRST).status == 200


def test_failures_back_off(start, upstream, key_server):
    server = key_server(FIRST)
    server.status = 500
    start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s"}), ready=False)
    wait_until(lambda: server.fetches() >= 2, 6)
    gap = server.requests[1][0] - server.requests[0][0]
    assert gap > 0.4, "the first retry came after %.2f s" % gap


def test_one_issuer_without_keys_does_not_touch_the_other(start, upstream, key_server):
    server = key_server(FIRST)
    config = keyed(upstream, {"url": server.url + "/jwks"})
    config["issuers"]["dead"] = configs.issuer(
        issuer="https://dead.test", keys={"url": "http://127.0.0.1:%d/jwks" % free_port(), "timeout": "300ms"})
    proxy = start(config, ready=False)
    wait_until(lambda: ask(proxy, FIRST).status == 200, 5)
    check_problem(ask(proxy, configs.RSA, iss="https://dead.test"), "issuer_unavailable")
    check_problem(ask(proxy, configs.RSA, iss="https://unknown.test"), "invalid_token")
    body = proxy.get_admin("/readyz").body
    assert b"dead" in body


def test_discovery_finds_the_key_set(start, upstream, key_server):
    server = key_server(FIRST)
    proxy = start(keyed(upstream, {"discover": True}, issuer=server.url))
    assert ask(proxy, FIRST, iss=server.url).status == 200
    assert [each[1] for each in server.requests if each[1].startswith("/.well-known/")]


def test_discovery_refuses_the_metadata_of_another_issuer(start, upstream, key_server):
    server = key_server(FIRST)
    server.issuer = "https://evil.test"
    proxy = start(keyed(upstream, {"discover": True}, issuer=server.url), ready=False)
    server.served.wait(5)
    check_problem(ask(proxy, FIRST, iss=server.url), "issuer_unavailable")
    assert server.fetches("/jwks") == 0


def test_headers_for_the_fetch(start, upstream, key_server):
    server = key_server(FIRST)
    start(keyed(upstream, {"url": server.url + "/jwks", "headers": {"X-Api-Key": "for-the-issuer"}}))
    sent = {name.lower(): value for name, value in server.requests[0][2].items()}
    assert sent["x-api-key"] == "for-the-issuer"


def test_key_set_file(start, upstream, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(mint.jwks(FIRST, SECOND)))
    proxy = start(keyed(upstream, {"file": str(path)}))
    assert [ask(proxy, each).status for each in (FIRST, SECOND, THIRD)] == [200, 200, 401]


@pytest.mark.parametrize("key", [mint.key("RS256"), mint.key("ES256"), mint.key("EdDSA")], ids=["RSA", "EC", "Ed25519"])
def test_pem_file_fits_any_kid(start, upstream, tmp_path, key):
    path = tmp_path / "public.pem"
    path.write_bytes(key.pem())
    proxy = start(keyed(upstream, {"file": str(path)}))
    for kid in (None, "anything", key.kid):
        assert proxy.call("GET", "/auth", token=key.token(header={"kid": kid})).status == 200
    other = mint.Key(key.alg, key.kid)
    check_problem(ask(proxy, other), "invalid_token")


@pytest.mark.parametrize("shape", ["set", "single", "without kid"])
def test_inline_keys(start, upstream, shape):
    inline = {"set": mint.jwks(FIRST), "single": FIRST.jwk(), "without kid": FIRST.jwk(kid=None)}[shape]
    proxy = start(keyed(upstream, {"inline": inline}))
    assert ask(proxy, FIRST).status == 200
    check_problem(ask(proxy, SECOND), "invalid_token")


def test_secret_by_environment_and_by_file(start, upstream, tmp_path):
    secret = mint.Key("HS256", None, secret=b"a-shared-secret-of-40-characters-exactly")
    path = tmp_path / "secret"
    path.write_bytes(secret.private)
    for value, env in (("${JWT_SECRET}", {"JWT_SECRET": secret.private.decode()}), ({"file": str(path)}, {})):
        config = configs.config(upstream, issuers={"main": configs.issuer(algorithms=["HS256"], keys={"secret": value})})

        proxy = start(config, env=environment(**env))
        assert ask(proxy, secret).status == 200
        other = mint.Key("HS256", None, secret=b"another-secret-of-40-characters-exactly!")
        check_problem(ask(proxy, other), "invalid_token")
        assert secret.private.decode() not in proxy.output() + proxy.get_admin("/policy").body.decode()


def test_cache_control_lengthens_the_refresh(start, upstream, key_server):
    server = key_server(FIRST)
    server.fields = {"Cache-Control": "public, max-age=300"}
    proxy = start(keyed(upstream, {"url": server.url + "/jwks", "refresh": "1s"}))
    time.sleep(2.5)  # the refresh that must not come would come within this time
    assert server.fetches() == 1
    assert ask(proxy, FIRST).status == 200
