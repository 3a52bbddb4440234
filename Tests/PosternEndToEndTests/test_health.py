"""Active health checks: what the service is asked, what its answers lead to, and that it is asked once for all event loops."""
import os
import threading
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.certificates import Authority
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import head
from harness.tls import TLSUpstream, server_context

CHECK = "/hz?deep=1"
DOWN = "upstream is unhealthy: requests are refused"
AGAIN = "upstream is healthy again"


class Service:
    """What stands behind an upstream: answers its health check as it is told to, and everything else well."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.status = 200
        upstream.default = self.answer

    def answer(self, exchange):
        if exchange.request.target != CHECK:
            return scripts.echo(exchange)
        if self.status is None:
            return scripts.silent(exchange)
        exchange.send("HTTP/1.1 %d Whatever\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody" % self.status)
        exchange.close()

    @property
    def checks(self):
        return [each for each in self.upstream.requests if each.target == CHECK]

    @property
    def others(self):
        return [each.target for each in self.upstream.requests if each.target != CHECK]


@pytest.fixture
def service(upstream):
    return Service(upstream)


def checked(upstream, **health):
    entry = dict({"path": CHECK, "interval": "50ms", "failures": 2}, **health)
    return {"url": getattr(upstream, "url", upstream), "health": entry}


def healthy(proxy, **labels):
    return proxy.metrics().value("postern_upstream_healthy", **labels)


def becomes(proxy, value, timeout=5, **labels):
    wait_until(lambda: healthy(proxy, **labels) == value, timeout, "postern_upstream_healthy to be %d" % value)


def said(proxy, message):
    return [line for line in proxy.lines() if line.get("message") == message]


def test_a_check_is_posterns_own_request_and_has_nothing_else_in_it(start, upstream, service):
    proxy = start(configs.config(checked(upstream)))
    wait_until(lambda: len(service.checks) >= 2, 5)
    version = proxy.metrics().series("postern_build_info")[0][0]["version"]
    expected = "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: postern-health/%s\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    for each in service.checks:
        assert each.check().raw_head.decode() == expected % (CHECK, upstream.port, version)
    assert len({each.connection for each in service.checks}) == len(service.checks), "each on a connection of its own"
    assert proxy.metrics().value("postern_connections", side="upstream") == 0, "checks take no place in the pool"
    assert proxy.metrics().value("postern_requests_total") == 0, "and are no requests"


def test_the_first_check_is_made_at_once_and_the_process_is_ready_when_it_is_answered(start, upstream, service):
    gate = threading.Event()
    upstream.script(scripts.after(gate, service.answer))
    proxy = start(configs.config(checked(upstream, interval="1h")), ready=False)
    wait_until(lambda: service.checks, 5)
    ready = proxy.get_admin("/readyz")
    assert ready.status == 503
    assert ready.json()["missing"] == [{"part": "upstream", "upstream": upstream.url}]
    assert proxy.call("GET", "/public/x").status == 200, "a service that nothing is known of gets requests"
    gate.set()
    proxy.await_state(200)
    assert healthy(proxy, upstream=upstream.url) == 1
    assert len(service.checks) == 1


def test_the_service_is_asked_once_for_all_event_loops(start, upstream, service):
    start(configs.config(checked(upstream, interval="100ms"), event_loops=4))
    wait_until(lambda: service.checks, 5)
    began = time.monotonic()
    wait_until(lambda: len(service.checks) >= 7, 10)
    assert time.monotonic() - began >= 0.45, "six more checks, a tenth of a second after each other"


@pytest.mark.parametrize("event_loops", [1, 3])
@pytest.mark.parametrize("status", [503, 404, None], ids=["503", "404", "silent"])
def test_a_service_that_is_down_gets_no_requests_until_it_is_well(start, upstream, service, status, event_loops):
    proxy = start(configs.config(checked(upstream), event_loops=event_loops, timeouts={"connect": "3s"}))
    clients = [proxy.client() for _ in range(6)]
    for client in clients:
        assert client.send(head("GET", "/public/before")).response().status == 200
    service.status = status
    becomes(proxy, 0)
    upstream.requests.clear()
    for client in clients:
        answer = client.send(head("GET", "/public/down")).response()
        check_problem(answer, "upstream_unavailable")
        assert "health checks" in answer.json()["detail"]
    check_problem(proxy.call("POST", "/public/down", body=b"abc"), "upstream_unavailable", "POST")
    assert service.others == [], "the service is spared"
    ready = proxy.get_admin("/readyz")
    assert ready.status == 503 and ready.json()["missing"] == [{"part": "upstream", "upstream": upstream.url}]
    assert proxy.get_admin("/healthz").status == 200
    service.status = 204
    becomes(proxy, 1)
    for client in clients:
        assert client.send(head("GET", "/public/after")).response().status == 200
        client.close()
    assert set(service.others) == {"/public/after"}
    proxy.await_state(200)
    (down,), (again,) = said(proxy, DOWN), said(proxy, AGAIN)
    assert down["level"] == "error" and down["upstream"] == upstream.url and down["path"] == CHECK
    assert down["reason"] == ("no answer in time" if status is None else "status %d" % status)
    assert again["level"] == "info" and again["upstream"] == upstream.url
    metrics = proxy.metrics()
    assert metrics.value("postern_upstream_health_checks_total", result="failure") >= 2
    assert metrics.value("postern_upstream_health_checks_total", result="success") >= 2
    assert metrics.value("postern_decisions_total", code="upstream_unavailable") == 7


def test_fewer_failures_than_configured_lead_to_nothing(start, upstream, service):
    proxy = start(configs.config(checked(upstream, failures=1000)))
    service.status = 500
    before = len(service.checks)
    wait_until(lambda: len(service.checks) >= before + 4, 5)
    assert proxy.call("GET", "/public/x").status == 200
    assert healthy(proxy) == 1 and not said(proxy, DOWN)


def test_a_request_in_flight_is_not_disturbed(start, upstream, service):
    gate = threading.Event()
    proxy = start(configs.config(checked(upstream)))
    with proxy.client() as client:
        slow = scripts.after(gate, scripts.answer(200, b"late"))
        inner = service.answer
        upstream.default = lambda exchange: slow(exchange) if exchange.request.target == "/public/slow" else inner(exchange)
        client.send(head("GET", "/public/slow"))
        wait_until(lambda: "/public/slow" in service.others, 5)
        service.status = 500
        becomes(proxy, 0)
        gate.set()
        assert client.response().body == b"late"


def test_a_route_s_own_service_has_its_own_verdict(start, upstream, service, new_upstream):
    other = Service(new_upstream())
    other.status = 500
    routes = {"GET /other": {"scopes": "trade:read", "upstream": checked(other.upstream)}}
    proxy = start(configs.config(checked(upstream), more_routes=routes))
    wait_until(lambda: [line["upstream"] for line in said(proxy, DOWN)] == [other.upstream.url], 5, "it to be down")
    assert healthy(proxy, upstream=other.upstream.url) == 0
    becomes(proxy, 1, upstream=upstream.url)
    check_problem(proxy.call("GET", "/other", token=configs.token()), "upstream_unavailable")
    assert other.others == []
    assert proxy.call("GET", "/public/x").status == 200
    assert proxy.get_admin("/readyz").status == 200, "the others are served"
    check_problem(proxy.call("GET", "/other"), "missing_token")


def test_a_reload_brings_health_and_takes_it_away(start, upstream, service):
    proxy = start(configs.config(upstream))
    service.status = 500

    def reloads(upstream_entry):
        before = proxy.metrics().value("postern_reloads_total", result="applied")
        proxy.write(dict(proxy.config, upstream=upstream_entry))
        wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="applied") > before, 10)

    assert proxy.call("GET", "/public/x").status == 200
    assert "postern_upstream_healthy" not in proxy.metrics().names()
    reloads(checked(upstream))
    becomes(proxy, 0)
    check_problem(proxy.call("GET", "/public/x"), "upstream_unavailable")
    # Other settings, the same service: what is known of it stays known.
    reloads(checked(upstream, failures=1000))
    check_problem(proxy.call("GET", "/public/x"), "upstream_unavailable")
    reloads(upstream.url)
    assert proxy.call("GET", "/public/x").status == 200
    assert proxy.get_admin("/readyz").status == 200
    assert "postern_upstream_healthy" not in proxy.metrics().names()
    checks = len(service.checks)
    time.sleep(0.3)
    assert len(service.checks) <= checks + 1, "nobody asks any more, but for a check that was on its way"


def test_a_unix_socket_that_goes_and_comes_back(start, new_upstream, tmp_path):
    path = str(tmp_path / "service.sock")
    first = Service(new_upstream(path))
    proxy = start(configs.config(checked("unix:" + path)))
    assert proxy.call("GET", "/public/x").status == 200
    assert first.checks[0].header("host") == "localhost"
    first.upstream.stop()
    os.unlink(path)
    becomes(proxy, 0)
    assert said(proxy, DOWN)[0]["reason"] == "there is no such socket"
    check_problem(proxy.call("GET", "/public/x"), "upstream_unavailable")
    second = Service(new_upstream(path))
    becomes(proxy, 1)
    assert proxy.call("GET", "/public/x").status == 200
    assert second.others == ["/public/x"]


def test_over_tls_the_service_is_held_to_the_same_certificate(start, tmp_path):
    authority = Authority(tmp_path)
    upstream = TLSUpstream(server_context(authority.server()))
    try:
        service = Service(upstream)
        good = dict(checked(upstream), tls={"ca": str(authority.ca)})
        proxy = start(configs.config(good))
        becomes(proxy, 1)
        assert service.checks[0].check()
        bad = dict(checked(upstream), tls={"ca": str(authority.ca), "server_name": "another.test"})
        upstream.requests.clear()
        proxy = start(configs.config(bad), ready=False)
        wait_until(lambda: said(proxy, DOWN), 5)
        assert "certificate is for another name" in said(proxy, DOWN)[0]["reason"]
        check_problem(proxy.call("GET", "/public/x"), "upstream_unavailable")
        assert service.others == []
    finally:
        upstream.stop()
