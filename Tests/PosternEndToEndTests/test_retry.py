"""A request is sent again at most once, only on a stale reused connection, and only where that is safe."""
import signal
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table


@pytest.fixture(scope="module")
def settings():
    return {"timeouts": {"drain": "1s", "response": "2s"}}


def warm(proxy, upstream):
    """Leaves exactly one idle, used connection in the pool; its number."""
    upstream.drop()
    wait_until(lambda: not upstream.open_connections(), 2)
    assert proxy.call("GET", "/public/warm").status == 200
    number = upstream.requests[-1].connection
    upstream.requests.clear()
    return number


STALE = [scripts.close_at_head, scripts.raw(b"", then="reset", read=False)]


@pytest.mark.parametrize("stale", STALE, ids=["closed", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_idempotent_request_is_sent_again_once(proxy, upstream, method, stale):
    used = warm(proxy, upstream)
    upstream.script(stale)
    assert proxy.call(method, "/public/again").status == 200
    assert [each.method for each in upstream.requests] == [method, method]
    first, second = upstream.requests
    assert first.connection == used and second.connection != used
    assert first.raw_head == second.raw_head
    second.check()


def test_it_is_not_sent_a_third_time(proxy, upstream):
    warm(proxy, upstream)
    upstream.script(scripts.close_at_head, scripts.close_at_head, scripts.close_at_head)
    check_problem(proxy.call("GET", "/public/again"), "upstream_unavailable")
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_other_methods_are_never_sent_again_once_written(proxy, upstream, method):
    warm(proxy, upstream)
    upstream.script(scripts.close_at_head)
    check_problem(proxy.call(method, "/public/once", body=b"abc"), "upstream_unavailable", method)
    assert len(upstream.requests) == 1
    warm(proxy, upstream)
    upstream.script(scripts.close_at_head)
    check_problem(proxy.call(method, "/public/once"), "upstream_unavailable", method)
    assert len(upstream.requests) == 1


def test_a_new_connection_that_fails_is_not_tried_again(proxy, upstream):
    upstream.drop()
    wait_until(lambda: not upstream.open_connections(), 2)
    upstream.script(scripts.close_at_head)
    check_problem(proxy.call("GET", "/public/new"), "upstream_unavailable")
    assert len(upstream.requests) == 1


BEGUN = table(
    ("one byte of a response", b"H"),
    ("a status line", b"HTTP/1.1 200 OK\r\n"),
    ("an interim answer", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
)


@pytest.mark.parametrize("wire", BEGUN)
def test_nothing_is_sent_again_after_a_byte_of_response(proxy, upstream, wire):
    warm(proxy, upstream)
    upstream.script(scripts.raw(wire, then="close"))
    answer = proxy.call("GET", "/public/begun")
    assert answer.status == 502
    assert len(upstream.requests) == 1


def test_a_connection_closed_while_idle_is_not_used(proxy, upstream):
    used = warm(proxy, upstream)
    upstream.connections[used].close()
    time.sleep(0.05)  # for the FIN to arrive; the rule holds for a POST only if it has been seen
    answer = proxy.call("POST", "/public/fresh", body=b"abc")
    assert answer.status == 200
    assert [(each.method, each.body) for each in upstream.requests] == [("POST", b"abc")]


def stopped(child):
    with open("/proc/%d/stat" % child.pid) as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


UNWRITTEN = table(
    ("a body", "POST", b"abc"), ("no body", "POST", None), ("a body of some segments", "PATCH", b"x" * 5000),
    ("a method that may be repeated", "GET", None),
)


@pytest.mark.parametrize("method, body", UNWRITTEN)
def test_a_request_of_which_nothing_was_written_goes_to_a_new_connection(start, upstream, method, body):
    proxy = start(configs.config(upstream, timeouts={"upstream_idle": "60s"}))
    with proxy.client() as client:
        assert client.send(head("GET", "/public/warm")).response().status == 200
        used = upstream.connections[upstream.requests[-1].connection]
        upstream.requests.clear()
        # The process sleeps while the request comes and the upstream closes: it learns of both in one turn, in this order,
        # and has written nothing when it hears that the connection is gone.
        proxy.signal(signal.SIGSTOP)
        try:
            wait_until(lambda: stopped(proxy), 5, "the process to sleep")
            length = [] if body is None else ["Content-Length: %d" % len(body)]
            client.send(head(method, "/public/once", *length) + (body or b""))
            used.close()
        finally:
            proxy.signal(signal.SIGCONT)
        answer = client.response(method)
    assert answer.status == 200, answer
    (request,) = upstream.requests
    assert (request.method, request.body) == (method, body or b"")
    assert request.check().connection != used.number


def test_with_no_attempts_a_request_goes_out_once(start, upstream):
    proxy = start(configs.config({"url": upstream.url, "retry": {"attempts": 0}}))
    assert proxy.call("GET", "/public/warm").status == 200
    upstream.requests.clear()
    upstream.script(scripts.close_at_head)
    check_problem(proxy.call("GET", "/public/once"), "upstream_unavailable")
    assert len(upstream.requests) == 1


def test_the_second_sending_is_stripped_and_filled_like_the_first(proxy, upstream):
    warm(proxy, upstream)
    upstream.script(scripts.close_at_head)
    fields = [bearer(configs.token()), "x_user_id: root", "Connection: x-user-id", "X-User-Scopes: all"]
    assert proxy.call("GET", "/auth", *fields).status == 200
    assert len(upstream.requests) == 2
    for request in upstream.requests:
        assert request.check().header("x-user-id") == "user-7"
        assert "root" not in request.raw_head.decode("latin-1")
        assert request.header("x-user-scopes") == "trade:read account:read"


def test_a_timeout_is_not_tried_again(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"response": "200ms"}))
    assert proxy.call("GET", "/public/warm").status == 200
    upstream.script(scripts.silent)
    check_problem(proxy.call("GET", "/public/slow"), "upstream_timeout")
    assert len(upstream.requests) == 2


def test_connection_close_of_the_upstream_is_kept_to(proxy, upstream):
    warm(proxy, upstream)
    upstream.script(scripts.answer(200, b"bye", ["Connection: close"]))
    with proxy.client() as client:
        answer = client.send(head("GET", "/public/1")).response()
        assert answer.body == b"bye"
        assert (answer.header("connection") or "keep-alive").lower() != "close", "the upstream's hop is not the client's"
        assert client.send(head("GET", "/public/2")).response().status == 200
    assert upstream.requests[0].connection != upstream.requests[1].connection


def test_idle_connections_are_dropped_before_the_upstream_would(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"upstream_idle": "250ms"}))
    assert proxy.call("GET", "/public/x").status == 200
    connection = upstream.connections[upstream.requests[0].connection]
    began = time.monotonic()
    wait_until(lambda: connection.closed, 3, "the idle upstream connection to be dropped")
    assert 0.1 < time.monotonic() - began < 1.5


def test_keep_alive_timeout_of_the_upstream_is_heeded(start, upstream):
    upstream.script(scripts.answer(200, b"ok", ["Keep-Alive: timeout=1, max=100"]))
    proxy = start(configs.config(upstream, timeouts={"upstream_idle": "30s"}))
    assert proxy.call("GET", "/public/x").status == 200
    connection = upstream.connections[upstream.requests[0].connection]
    began = time.monotonic()
    wait_until(lambda: connection.closed, 3, "the idle upstream connection to be dropped")
    assert time.monotonic() - began <= 1.1, "dropped after the upstream's own timeout"
