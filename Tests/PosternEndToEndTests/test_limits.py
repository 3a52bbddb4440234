"""Limits of size and number: what is just within passes, what is over gets its status and reaches nobody."""
import threading

import pytest

from harness import config as configs
from harness import scripts
from harness.http2 import Code, Raw, fields
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table


@pytest.fixture(scope="module")
def settings():
    return {
        "limits": {"head": "4KiB", "target": "1KiB", "headers": 20, "body": "64KiB"},
        "more_routes": {
            "POST /small": {"scopes": "trade:read", "body": "10B"},
            "POST /large": {"scopes": "trade:read", "body": "1MiB"},
        },
    }


OVER = table(
    ("one header over the head's size", head("GET", "/health", "X: " + "a" * 4100), "request_header_fields_too_large"),
    ("many headers over the head's size", head("GET", "/health", *["X-%d: %s" % (n, "a" * 300) for n in range(15)]),
     "request_header_fields_too_large"),
    ("a head without end", b"GET /health HTTP/1.1\r\nHost: mt5.test\r\nX: " + b"a" * 20000, "request_header_fields_too_large"),
    ("a name without end", b"GET /health HTTP/1.1\r\n" + b"a" * 20000, "request_header_fields_too_large"),
    ("too many headers", head("GET", "/health", *["X: a"] * 30), "request_header_fields_too_large"),
    ("a target over its size", head("GET", "/public/" + "a" * 1020), "uri_too_long"),
    ("a query over the target's size", head("GET", "/health?" + "a" * 1020), "uri_too_long"),
    ("a request line without end", b"GET /" + b"a" * 20000, "uri_too_long"),
)


@pytest.mark.parametrize("how", ["whole", "drip"])
@pytest.mark.parametrize("wire, code", OVER)
def test_head_over_a_limit(proxy, only_sentinel, wire, code, how):
    with proxy.client() as client:
        client.send(wire) if how == "whole" else client.drip(wire)
        check_problem(client.response(), code)
        assert client.closed()
    only_sentinel()


def test_head_within_the_limits(proxy, upstream):
    assert proxy.call("GET", "/public/" + "a" * 1000).status == 200
    assert proxy.call("GET", "/health", *["X: a"] * 18).status == 200
    assert proxy.call("GET", "/health", "X: " + "a" * 3500).status == 200
    assert len(upstream.requests) == 3


def test_declared_body_over_the_limit_is_413_at_once(proxy, only_sentinel):
    for length in (65537, 1 << 40, 9223372036854775807):
        with proxy.client() as client:
            client.send(head("POST", "/public/x", "Content-Length: %d" % length))
            check_problem(client.response(), "content_too_large")
    only_sentinel()


def test_declared_body_over_the_limit_is_refused_before_100_continue(proxy, only_sentinel):
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Content-Length: 65537", "Expect: 100-continue"))
        answer = client.response()
        check_problem(answer, "content_too_large")
        assert answer.interim == []
    only_sentinel()


def test_body_at_the_limit_passes(proxy, upstream):
    assert proxy.call("POST", "/public/x", body=b"a" * 65536).status == 200
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Transfer-Encoding: chunked"))
        client.send(b"10000\r\n" + b"a" * 65536 + b"\r\n0\r\n\r\n")
        assert client.response().status == 200
    assert [each.body_length for each in upstream.requests] == [65536, 65536]


@pytest.mark.parametrize("size", [1000, 70000], ids=["small chunks", "one chunk"])
def test_chunked_body_over_the_limit_never_completes(proxy, upstream, size):
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Transfer-Encoding: chunked"))
        for _ in range(70000 // size + 1):
            client.send(b"%x\r\n%s\r\n" % (size, b"a" * size))
        client.send(b"0\r\n\r\n")
        check_problem(client.response(), "content_too_large")
        assert client.closed()
    assert proxy.call("GET", "/health").status == 200
    assert not [each for each in upstream.requests if each.target == "/public/x" and each.complete]


def test_body_limit_of_a_route(proxy, upstream):
    token = configs.token()
    check_problem(proxy.call("POST", "/small", token=token, body=b"a" * 11), "content_too_large")
    assert proxy.call("POST", "/small", token=token, body=b"a" * 10).status == 200
    assert proxy.call("POST", "/large", token=token, body=b"a" * 100000).status == 200
    assert [each.body_length for each in upstream.requests] == [10, 100000]


def test_who_may_not_is_told_so_before_the_size_of_the_body(proxy, only_sentinel):
    with proxy.client() as client:
        client.send(head("POST", "/small", "Content-Length: 11"))
        check_problem(client.response(), "missing_token")
    only_sentinel()


def test_connections_over_the_limit_are_503(start, upstream):
    proxy = start(configs.config(upstream, limits={"connections": 3}))
    held = [proxy.client() for _ in range(3)]
    for client in held:
        assert client.send(head("GET", "/health")).response().status == 200
    with proxy.client() as extra:
        extra.send(head("GET", "/health"))
        check_problem(extra.response(), "overloaded")
        assert extra.closed()
    for client in held:
        assert client.send(head("GET", "/health")).response().status == 200, "an admitted connection suffers"
    assert len(upstream.requests) == 6
    held.pop().close()

    def admitted():
        return proxy.call("GET", "/health").status == 200

    wait_until(admitted, 3, "a freed place to be given out")
    assert proxy.get_admin("/healthz").status == 200
    for client in held:
        client.close()


def test_a_connection_over_the_limit_is_told_in_its_own_language(start, upstream):
    proxy = start(configs.config(upstream, limits={"connections": 1}))
    with proxy.client() as held:
        assert held.send(head("GET", "/health")).response().status == 200
        with Raw(proxy.port) as client:
            client.send(client.headers(1, fields()))
            assert client.goaway() == Code.ENHANCE_YOUR_CALM and client.goaways() == [(0, Code.ENHANCE_YOUR_CALM)]
        with proxy.client() as client:
            for byte in b"PRI":
                client.send(bytes([byte]))
            assert client.sock.recv(9) == b"\0\0\0\4\0\0\0\0\0"
        with proxy.client() as client:
            client.send(b"P")
            client.send(head("POST", "/health", "Content-Length: 0")[1:])
            check_problem(client.response(), "overloaded")
        with proxy.client() as silent:
            check_problem(silent.response(), "overloaded")
    assert len(upstream.requests) == 1


def test_pool_queue_is_bounded(start, upstream):
    gate = threading.Event()
    upstream.default = scripts.after(gate, scripts.answer(200, b"late"))
    proxy = start(configs.config({"url": upstream.url, "connections": 1, "queue": 2}, timeouts={"connect": "5s"}))
    clients = [proxy.client().send(head("GET", "/public/0"))]
    upstream.wait(1)
    # Of the requests that follow, two find a place in the queue and the rest is refused at once; which ones is not
    # for the client to say.
    clients += [proxy.client().send(head("GET", "/public/%d" % number)) for number in range(1, 6)]
    refused = []
    for client in clients[1:]:
        client.sock.settimeout(0.4)
        try:
            refused.append(client.response())
        except OSError:
            client.sock.settimeout(5)
    assert len(refused) == 3, refused
    for answer in refused:
        check_problem(answer, "overloaded")
    gate.set()
    served = [each for each in clients if each.sock.gettimeout() == 5]
    assert len(served) == 3
    for client in served:
        assert client.response().body == b"late"
    assert len(upstream.requests) == 3
    assert len({each.connection for each in upstream.requests}) == 1
    for client in clients:
        client.close()


def test_a_wait_for_a_connection_is_bounded_by_the_connect_timeout(start, upstream):
    gate = threading.Event()
    upstream.script(scripts.after(gate, scripts.answer(200, b"late")))
    proxy = start(configs.config({"url": upstream.url, "connections": 1, "queue": 10}, timeouts={"connect": "300ms"}))
    with proxy.client() as first, proxy.client() as second:
        first.send(head("GET", "/public/first"))
        upstream.wait(1)
        second.send(head("GET", "/public/second"))
        check_problem(second.response(), "overloaded")
        gate.set()
        assert first.response().body == b"late"
    assert [each.target for each in upstream.requests] == ["/public/first"]


def test_the_pool_never_opens_more_than_its_connections(start, upstream):
    upstream.default = scripts.pieces([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 2\r\n\r\nok"], pause=0.02)
    proxy = start(configs.config({"url": upstream.url, "connections": 2, "queue": 100}, timeouts={"connect": "5s"}))
    clients = [proxy.client() for _ in range(12)]
    for client in clients:
        client.send(head("GET", "/auth", bearer(configs.token())))
    for client in clients:
        assert client.response().body == b"ok"
        client.close()
    assert len(upstream.requests) == 12
    assert len({each.connection for each in upstream.requests}) == 2
