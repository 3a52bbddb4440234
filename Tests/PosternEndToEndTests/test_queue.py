"""Requests that wait for a connection to the service: in order, no longer than they may, and counted."""
import os
import threading

from harness import config as configs
from harness import scripts
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import head


def waiting(proxy, count):
    wait_until(lambda: proxy.metrics().value("postern_pool_waiting") == count, 5, "%d requests to wait" % count)


def held(upstream):
    """Makes the upstream keep its first answer until the event is set."""
    gate = threading.Event()
    upstream.script(scripts.after(gate, scripts.answer(200, b"first")))
    return gate


def test_first_come_first_served(start, upstream):
    gate = held(upstream)
    proxy = start(configs.config({"url": upstream.url, "connections": 1, "queue": 10}, timeouts={"connect": "10s"}))
    clients = [proxy.client().send(head("GET", "/public/0"))]
    upstream.wait(1)
    for number in range(1, 7):
        clients.append(proxy.client().send(head("GET", "/public/%d" % number)))
        waiting(proxy, number)
    # One that gives up leaves its place to those behind it.
    clients[3].close()
    waiting(proxy, 5)
    gate.set()
    for number in (1, 2, 4, 5, 6):
        assert clients[number].response().json()["target"] == "/public/%d" % number
    assert [each.target for each in upstream.requests] == ["/public/%d" % each for each in (0, 1, 2, 4, 5, 6)]
    assert len({each.connection for each in upstream.requests}) == 1
    metrics = proxy.metrics()
    assert metrics.value("postern_pool_waiting") == 0
    assert metrics.value("postern_pool_queued_total") == 6
    for client in clients:
        client.close()


def test_a_place_is_free_again_when_its_time_is_over(start, upstream):
    gate = held(upstream)
    proxy = start(configs.config({"url": upstream.url, "connections": 1, "queue": 1}, timeouts={"connect": "300ms"}))
    with proxy.client() as first, proxy.client() as second, proxy.client() as third, proxy.client() as fourth:
        first.send(head("GET", "/public/0"))
        upstream.wait(1)
        second.send(head("GET", "/public/1"))
        waiting(proxy, 1)
        check_problem(third.send(head("GET", "/public/2")).response(), "overloaded")
        check_problem(second.response(), "overloaded")
        waiting(proxy, 0)
        fourth.send(head("GET", "/public/3"))
        waiting(proxy, 1)
        gate.set()
        assert first.response().body == b"first"
        assert fourth.response().json()["target"] == "/public/3"
    assert [each.target for each in upstream.requests] == ["/public/0", "/public/3"]


def test_a_refused_client_may_go_on_with_its_connection(start, upstream):
    gate = held(upstream)
    proxy = start(configs.config({"url": upstream.url, "connections": 1, "queue": 0}))
    with proxy.client() as first, proxy.client() as second:
        first.send(head("GET", "/public/0"))
        upstream.wait(1)
        answer = second.send(head("GET", "/public/1")).response()
        check_problem(answer, "overloaded")
        assert int(answer.header("retry-after")) > 0 and answer.header("connection") is None
        gate.set()
        assert first.response().body == b"first"
        assert second.send(head("GET", "/public/2")).response().status == 200
    assert proxy.metrics().value("postern_decisions_total", code="overloaded") == 1


def test_a_socket_that_is_replaced_is_found_at_the_next_request(start, new_upstream, tmp_path):
    path = str(tmp_path / "service.sock")
    first = new_upstream(path)
    proxy = start(configs.config("unix:" + path))
    with proxy.client() as client:
        for number in range(3):
            assert client.send(head("GET", "/public/%d" % number)).response().status == 200
        assert len(first.connections) == 1
        # The service restarts: its connections end, and its socket is another one.
        os.unlink(path)
        second = new_upstream(path)
        first.stop()
        for number in range(3, 6):
            assert client.send(head("GET", "/public/%d" % number)).response().status == 200
        assert [each.target for each in second.requests] == ["/public/%d" % each for each in (3, 4, 5)]
        second.stop()
        os.unlink(path)
        check_problem(client.send(head("GET", "/public/gone")).response(), "upstream_unavailable")
        third = new_upstream(path)
        assert client.send(head("POST", "/public/back", "Content-Length: 3") + b"abc").response().status == 200
        assert [(each.method, each.body) for each in third.requests] == [("POST", b"abc")]
