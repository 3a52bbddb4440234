"""Clients that are slow or silent: each has a bound, and each bound its answer."""
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import RawClient, Truncated, head


@pytest.fixture(scope="module")
def settings():
    return {"timeouts": {"head": "300ms", "idle": "500ms", "body_idle": "300ms", "drain": "1s"}}


def elapsed(since):
    return time.monotonic() - since


@pytest.mark.parametrize("start_of_head", [b"G", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: mt5.te"])
def test_a_head_that_stops_is_408(proxy, only_sentinel, start_of_head):
    with proxy.client() as client:
        began = time.monotonic()
        client.send(start_of_head)
        check_problem(client.response(), "request_timeout")
        assert 0.2 < elapsed(began) < 1.5
        assert client.closed()
    only_sentinel()


def test_a_head_that_trickles_is_408_too(proxy, only_sentinel):
    with proxy.client() as client:
        began = time.monotonic()
        for byte in head("GET", "/health", "X: " + "a" * 200):
            if client.sock.fileno() < 0 or elapsed(began) > 3:
                break
            client.send(bytes([byte]))
            client.sock.settimeout(0.04)
            try:
                if client._fill():
                    break
            except OSError:
                pass
        client.sock.settimeout(5)
        check_problem(client.response(), "request_timeout")
        assert elapsed(began) < 1.5, "each byte gained more time"
    only_sentinel()


def test_a_second_head_that_stops_is_408(proxy, upstream):
    with proxy.client() as client:
        assert client.send(head("GET", "/health")).response().status == 200
        client.send(b"GET /hea")
        check_problem(client.response(), "request_timeout")
        assert client.closed()
    assert len(upstream.requests) == 1


def test_a_head_that_stops_after_a_head_request_has_an_answer_with_a_body(proxy, upstream):
    with proxy.client() as client:
        assert client.send(head("HEAD", "/health")).response("HEAD").status == 200
        client.send(b"GET /hea")
        check_problem(client.response(), "request_timeout")
        assert client.closed()
    assert len(upstream.requests) == 1


def test_an_idle_connection_is_closed_without_a_word(proxy, upstream):
    with proxy.client() as client:
        assert client.send(head("GET", "/health")).response().status == 200
        began = time.monotonic()
        assert client.closed(timeout=3)
        assert 0.3 < elapsed(began) < 2


def test_a_connection_that_never_speaks_is_closed(proxy):
    with RawClient(proxy.port, timeout=3) as client:
        began = time.monotonic()
        while client._fill():
            pass
        assert elapsed(began) < 2.5
        assert not client.buffer or client.buffer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("field, start_of_body", [("Content-Length: 100", b"abc"), ("Transfer-Encoding: chunked", b"3\r\nabc\r\n")],
                         ids=["length", "chunked"])
def test_a_body_that_stops_is_408_and_never_whole(proxy, upstream, field, start_of_body):
    with proxy.client() as client:
        began = time.monotonic()
        client.send(head("POST", "/public/x", field) + start_of_body)
        check_problem(client.response(), "request_timeout")
        assert 0.2 < elapsed(began) < 2
        assert client.closed()
    request = upstream.requests[0]
    wait_until(lambda: upstream.connections[request.connection].closed, 2)
    assert not request.complete


def test_a_slow_but_steady_body_passes(proxy, upstream):
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Content-Length: 10"))
        for _ in range(10):
            time.sleep(0.08)
            client.send(b"a")
        assert client.response().status == 200
    assert upstream.requests[0].body == b"a" * 10


def test_a_slow_but_steady_response_passes(proxy, upstream):
    upstream.script(scripts.pieces([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"] + [b"a"] * 10, pause=0.08))
    assert proxy.call("GET", "/public/x").body == b"a" * 10


def test_a_client_that_stops_reading_is_let_go(proxy, upstream):
    upstream.script(scripts.download(64 << 20))
    with proxy.client() as client:
        client.send(head("GET", "/public/x"))
        request = upstream.wait(1)
        wait_until(lambda: upstream.connections[request.connection].closed or
                   getattr(request, "sent", 0) >= 64 << 20, 5, "the stalled download to be given up")
        assert getattr(request, "sent", 0) < 64 << 20
        with pytest.raises((Truncated, OSError)):
            client.response(store=False)


def test_the_response_timeout_counts_from_the_request_not_the_connection(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"response": "300ms", "idle": "5s"}))
    with proxy.client() as client:
        for _ in range(3):
            assert client.send(head("GET", "/health")).response().status == 200
            time.sleep(0.2)
        upstream.script(scripts.silent)
        began = time.monotonic()
        check_problem(client.send(head("GET", "/health")).response(), "upstream_timeout")
        assert 0.25 < elapsed(began) < 1.5


def test_an_early_answer_that_moves_is_not_cut_for_a_body_that_stops(proxy, upstream):
    def early(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(0.1)
            exchange.send(b"x")

    upstream.script(early)
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Content-Length: 10"))
        assert client.response().body == b"x" * 10
        assert client.closed()
