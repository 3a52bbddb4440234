"""A new file is swapped in whole, or refused whole; no connection is closed for it."""
import os
import signal
import threading

import pytest
import yaml

from harness import config as configs
from harness import mint, scripts
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.raw import bearer, head


def reloads(proxy):
    return {labels["result"]: value for labels, value in proxy.metrics().series("postern_reloads_total")}


def total(proxy):
    return sum(reloads(proxy).values())


def changed(proxy, **changes):
    config = dict(proxy.config)
    config.update(changes)
    return config


def closed_health(proxy):
    return changed(proxy, routes=dict(proxy.config["routes"], **{"GET /health": "deny", "GET /new": "public"}))


@pytest.mark.parametrize("how", ["signal", "write", "rename", "symlink"])
def test_a_good_file_is_swapped_in(start, upstream, how):
    if how == "symlink":
        # As Kubernetes does: proxy.yaml -> ..data/proxy.yaml, ..data -> a folder, and the link ..data is replaced.
        proxy = start(configs.config(upstream), mounted=True)
        mounted = proxy.folder
    else:
        proxy = start(configs.config(upstream))
    with proxy.client(timeout=15) as kept:
        assert kept.send(head("GET", "/health")).response().status == 200
        if how == "symlink":
            (mounted / "v2").mkdir()
            (mounted / "v2" / "proxy.yaml").write_text(yaml.safe_dump(closed_health(proxy)))
            os.symlink("v2", str(mounted / "..next"))
            os.rename(str(mounted / "..next"), str(mounted / "..data"))
        elif how == "rename":
            fresh = proxy.folder / "fresh.yaml"
            current = proxy.file.read_text()
            proxy.write(closed_health(proxy))
            proxy.file.rename(fresh)
            proxy.file.write_text(current)
            os.rename(str(fresh), str(proxy.file))
        else:
            proxy.write(closed_health(proxy))
            if how == "signal":
                proxy.signal(signal.SIGHUP)
        wait_until(lambda: proxy.call("GET", "/health").status == 403, 10, "the new file to count")
        check_problem(kept.send(head("GET", "/health")).response(), "route_denied")
        assert kept.send(head("GET", "/new")).response().status == 200, "the connection outlives the reload"
    assert total(proxy) >= 1


BAD = [
    ("not YAML", "version: 1\n  upstream: [\n"),
    ("an unknown key", None),
    ("an empty file", ""),
]


@pytest.mark.parametrize("kind, text", BAD, ids=[kind for kind, _ in BAD])
def test_a_bad_file_is_refused_and_the_old_one_stays(start, upstream, kind, text):
    proxy = start(configs.config(upstream))
    before = reloads(proxy)
    proxy.write(changed(proxy, routez={}, limitz={}) if text is None else text)
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: total(proxy) > sum(before.values()), 5, "the refused reload to be counted")
    assert proxy.call("GET", "/health").status == 200
    assert proxy.get_admin("/readyz").status == 200
    if text is None:
        wait_until(lambda: "routez" in proxy.output() and "limitz" in proxy.output(), 3, "all errors in the log")
    refused = {result for result, value in reloads(proxy).items() if value > before.get(result, 0)}
    proxy.write(closed_health(proxy))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: proxy.call("GET", "/health").status == 403, 5, "the mended file to count")
    after = {result for result, value in reloads(proxy).items() if value > before.get(result, 0)}
    assert len(after) > len(refused), "good and bad reloads are counted apart: %r" % reloads(proxy)


def test_a_file_that_goes_away_changes_nothing(start, upstream):
    proxy = start(configs.config(upstream))
    proxy.file.unlink()
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: total(proxy) >= 1, 5)
    assert proxy.call("GET", "/health").status == 200


def test_a_request_in_flight_ends_under_the_policy_it_began_with(start, upstream):
    gate = threading.Event()
    upstream.script(scripts.after(gate, scripts.answer(200, b"old")))
    proxy = start(configs.config(upstream))
    with proxy.client(timeout=15) as client:
        client.send(head("GET", "/health"))
        upstream.wait(1)
        proxy.write(closed_health(proxy))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: proxy.call("GET", "/health").status == 403, 5)
        gate.set()
        assert client.response().body == b"old"


def test_tokens_cached_under_an_issuer_that_goes_are_refused(start, upstream):
    proxy = start(configs.config(upstream))
    token = configs.token()
    assert proxy.call("GET", "/auth", token=token).status == 200
    other = mint.key("ES256")
    proxy.write(changed(proxy, issuers={"main": configs.issuer(other)}))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: proxy.call("GET", "/auth", token=other.token()).status == 200, 5)
    check_problem(proxy.call("GET", "/auth", token=token), "invalid_token")


def test_cached_identity_lines_do_not_outlive_their_configuration(start, upstream):
    proxy = start(configs.config(upstream))
    token = configs.token()
    assert proxy.call("GET", "/auth", token=token).status == 200
    proxy.write(changed(proxy, identity={"X-Caller": "user"}))
    proxy.signal(signal.SIGHUP)

    def swapped():
        assert proxy.call("GET", "/auth", bearer(token), "X-Caller: root").status == 200
        return upstream.requests[-1].all("x-caller") == ["user-7"]

    wait_until(swapped, 5)
    assert upstream.requests[-1].all("x-user-id") == []


def test_a_reloaded_route_does_not_keep_its_old_rule(start, upstream):
    proxy = start(configs.config(upstream))
    token = configs.token()
    assert proxy.call("GET", "/api/v1/trades", token=token).status == 200
    proxy.write(changed(proxy, routes=dict(proxy.config["routes"], **{"GET /api/v1/trades": {"scopes": "never:granted"}})))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: proxy.call("GET", "/api/v1/trades", token=token).status == 403, 5)


def test_an_upstream_may_change(start, upstream, new_upstream):
    other = new_upstream()
    proxy = start(configs.config(upstream))
    with proxy.client(timeout=10) as client:
        assert client.send(head("GET", "/health")).response().status == 200
        proxy.write(changed(proxy, upstream=other.url))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: proxy.call("GET", "/health").status == 200 and other.requests, 5)
        assert client.send(head("GET", "/health?kept")).response().status == 200
    assert other.requests[-1].target == "/health?kept"


def test_secret_files_are_read_again(start, upstream, tmp_path):
    old, new = (mint.Key("HS256", None, secret=b"%s-secret-of-thirty-two-characters!" % each) for each in (b"old", b"new"))
    path = tmp_path / "secret"
    path.write_bytes(old.private)
    proxy = start(configs.config(upstream, issuers={"main": configs.issuer(
        algorithms=["HS256"], keys={"secret": {"file": str(path)}})}))
    assert proxy.call("GET", "/auth", token=old.token()).status == 200
    path.write_bytes(new.private)
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: proxy.call("GET", "/auth", token=new.token()).status == 200, 5)
    assert proxy.call("GET", "/auth", token=old.token()).status == 401


def test_a_changed_listen_address_is_said_to_need_a_restart(start, upstream):
    proxy = start(configs.config(upstream))
    fresh = free_port()
    proxy.write(dict(closed_health(proxy), listen="127.0.0.1:%d" % fresh))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: "restart" in proxy.output(), 5, "the log to speak of a restart")
    assert proxy.alive()
    assert proxy.get_admin("/healthz").status == 200
    with proxy.client() as client:
        assert client.send(head("GET", "/public/x")).response().status == 200


def test_many_reloads_under_load_lose_nothing(start, upstream):
    proxy = start(configs.config(upstream, event_loops=2))
    stop, failures, served = threading.Event(), [], [0]

    def load():
        with proxy.client(timeout=10) as client:
            token = configs.token()
            while not stop.is_set():
                answer = client.send(head("GET", "/auth", bearer(token))).response()
                served[0] += 1
                if answer.status != 200:
                    failures.append(answer)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for each in threads:
        each.start()
    for number in range(15):
        before = total(proxy)
        proxy.write(changed(proxy, realm="realm-%d" % number))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: total(proxy) > before, 5, "reload %d" % number)
    stop.set()
    for each in threads:
        each.join(10)
    assert not failures and served[0] > 100


def test_a_head_that_waits_for_keys_meets_a_policy_without_its_route(start, upstream, key_server):
    keys = key_server(configs.RSA)
    keys.delay = 2.0
    issuer = configs.issuer(keys={"url": keys.url + "/jwks", "timeout": "5s"})
    more = {"GET /last/{name}": {"scopes": "trade:read"}}
    proxy = start(configs.config(upstream, issuers={"main": issuer}, more_routes=more), ready=False)
    with proxy.client() as client:
        client.send(head("GET", "/last/" + "a" * 400, bearer(configs.token())))
        wait_until(lambda: keys.requests, 3)
        proxy.write(changed(proxy, routes={"GET /health": "public"}, limits={"target": "256B"}))
        wait_until(lambda: reloads(proxy)["applied"] == 1, 3)
        check_problem(client.response(), "uri_too_long")
    assert proxy.call("GET", "/health").status == 200
