"""What operators see: probes, metrics, the effective policy."""
import re

import pytest

from harness import config as configs
from harness import mint
from harness.net import free_port, wait_until
from harness.raw import RawClient, head

NAMES = [
    "postern_requests_total", "postern_decisions_total", "postern_token_cache_total", "postern_spoofed_headers_total",
    "postern_reloads_total", "postern_connections", "postern_log_lines_dropped_total",
    "postern_tunnels", "postern_tunnels_ended_total",
]
HISTOGRAMS = ["postern_request_duration_seconds", "postern_upstream_duration_seconds"]
SECRET = "a-shared-secret-that-must-not-show-up"


@pytest.fixture(scope="module")
def settings():
    return {
        "issuers": {
            "main": configs.issuer(),
            "hmac": configs.issuer(issuer="https://hmac.test", algorithms=["HS256"], keys={"secret": SECRET}),
        }
    }


def test_healthz(proxy):
    assert proxy.get_admin("/healthz").status == 200
    assert proxy.get_admin("/healthz", "HEAD").status == 200


def test_readyz_is_json(proxy):
    answer = proxy.get_admin("/readyz")
    assert answer.status == 200
    assert answer.header("content-type").startswith("application/json")
    assert isinstance(answer.json(), dict)


def test_unknown_admin_path_is_404(proxy):
    for path in ("/index.html", "/nothing", "/metricsx", "/../policy"):
        assert proxy.get_admin(path).status in (400, 404)


def test_admin_paths_are_read_only(proxy):
    for path in ("/healthz", "/metrics", "/policy"):
        assert proxy.get_admin(path, "DELETE").status in (404, 405)


def test_admin_survives_rubbish(proxy):
    for garbage in (b"\0" * 100, b"GET / HTTP/9\r\n\r\n", b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 50000):
        with RawClient(proxy.admin) as client:
            client.send(garbage)
    assert proxy.get_admin("/healthz").status == 200


def test_admin_paths_are_not_on_the_public_listener(proxy):
    for path in ("/healthz", "/readyz", "/metrics", "/policy"):
        assert proxy.call("GET", path).status == 403


def test_metrics_are_prometheus_text(proxy, upstream):
    proxy.call("GET", "/health")
    proxy.call("GET", "/auth", token=configs.token())
    answer = proxy.get_admin("/metrics")
    assert answer.status == 200
    assert answer.header("content-type").startswith("text/plain")
    metrics = proxy.metrics()
    for name in NAMES:
        assert name in metrics.names(), name
        assert metrics.types[name] == ("gauge" if name in ("postern_connections", "postern_tunnels") else "counter"), name
    for name in HISTOGRAMS:
        assert metrics.types[name] == "histogram"
        metrics.check_histogram(name)


def test_key_metrics_of_fetched_keys(start, upstream, key_server):
    server = key_server(mint.key("ES256"))
    proxy = start(configs.config(upstream, issuers={"remote": configs.issuer(
        algorithms=["ES256"], keys={"url": server.url + "/jwks"})}))
    wait_until(lambda: proxy.metrics().value("postern_key_refreshes_total", issuer="remote") == 1, 2, "the count of a fetch")
    metrics = proxy.metrics()
    assert metrics.series("postern_key_age_seconds")[0][0]["issuer"] == "remote"
    assert 0 <= metrics.value("postern_key_age_seconds") < 30


def test_requests_are_counted_by_route_method_and_status(proxy, upstream):
    def count(**labels):
        return proxy.metrics().value("postern_requests_total", **labels)

    before = [count(), count(status="200"), count(status="401")]
    for _ in range(3):
        proxy.call("GET", "/api/v1/market/EURUSD", token=configs.token(scope="market:data"))
    proxy.call("GET", "/api/v1/market/EURUSD")
    assert [count(), count(status="200"), count(status="401")] == [before[0] + 4, before[1] + 3, before[2] + 1]
    routes = {labels["route"] for labels, _ in proxy.metrics().series("postern_requests_total")}
    assert any("/api/v1/market/{symbol}" in each for each in routes), routes


def test_decisions_are_counted_by_code(proxy, upstream):
    def count(code):
        return proxy.metrics().value("postern_decisions_total", code=code)

    codes = {"missing_token": ("/auth", None), "invalid_token": ("/auth", "a.b.c"), "route_denied": ("/internal/x", None),
             "route_not_declared": ("/nowhere", None), "insufficient_scope": ("/api/v1/account/balance", configs.token()),
             "ambiguous_path": ("/public//x", None)}
    before = {code: count(code) for code in codes}
    for code, (target, token) in codes.items():
        proxy.call("GET", target, token=token)
        assert count(code) == before[code] + 1, code


def test_token_cache_is_counted(proxy, upstream):
    def counts():
        return {(l["tier"], l["result"]): v for l, v in proxy.metrics().series("postern_token_cache_total")}

    token = configs.token()
    before = counts()
    for _ in range(5):
        assert proxy.call("GET", "/auth", token=token).status == 200
    after = counts()
    grown = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    assert sorted(grown.values()) == [1, 4], grown


def test_labels_come_from_closed_sets(proxy, upstream):
    proxy.call("GET", "/public/x")
    before = len(proxy.metrics().samples)
    paths = ["/public/raw-path-%d" % n for n in range(30)] + ["/nowhere/raw-path-%d" % n for n in range(30)]
    for path in paths:
        proxy.call("GET", path)
    for method in ("BREW", "X-ODD", "get", "PROPFIND", "M" * 20):
        proxy.call(method, "/public/x")
    for kid in range(10):
        proxy.call("GET", "/auth", token=configs.token(header={"kid": "raw-kid-%d" % kid}, iss="https://raw-iss%d" % kid))
    metrics = proxy.metrics()
    for raw in ("raw-path", "raw-kid", "raw-iss", "BREW", "X-ODD", "M" * 20):
        assert raw not in metrics.text, raw
    assert len(metrics.samples) < before + 120, "series grow with what clients send"
    for labels, _ in metrics.series("postern_requests_total"):
        assert set(labels) == {"route", "method", "status"}
        assert re.match(r"[0-9]{3}\Z|[1-5]xx\Z", labels["status"])
    for labels, _ in metrics.series("postern_decisions_total"):
        assert set(labels) == {"route", "code"}


def test_connections_are_gauged_by_side(proxy, upstream):
    def total():
        return sum(value for _, value in proxy.metrics().series("postern_connections"))

    sides = {labels["side"] for labels, _ in proxy.metrics().series("postern_connections")}
    assert len(sides) == 2, sides
    before = total()
    held = [proxy.client() for _ in range(7)]
    for client in held:
        assert client.send(head("GET", "/health")).response().status == 200
    wait_until(lambda: total() >= before + 7, 3)
    for client in held:
        client.close()
    wait_until(lambda: total() <= before + 2, 3, "closed connections to be counted out")


def test_policy_shows_the_routes_and_no_secret(proxy):
    answer = proxy.get_admin("/policy")
    assert answer.status == 200
    text = answer.body.decode()
    for part in ("/api/v1/trades", "trade:read", "/internal/", "/health"):
        assert part in text
    assert SECRET not in text


def test_policy_is_json(proxy):
    answer = proxy.get_admin("/policy")
    assert answer.header("content-type").startswith("application/json")
    answer.json()


def test_status_listener_offers_three_paths_alone(start, upstream):
    status = free_port()
    config = configs.config(upstream)
    admin = free_port()
    config["admin"] = {"address": "127.0.0.1:%d" % admin, "status": "127.0.0.1:%d" % status}
    proxy = start(config)
    for path in ("/healthz", "/readyz", "/metrics"):
        assert proxy.get_admin(path, port=status).status == 200
    for path in ("/policy", "/", "/status.json", "/explain", "/reload"):
        assert proxy.get_admin(path, port=status).status == 404
    assert proxy.get_admin("/policy").status == 200
