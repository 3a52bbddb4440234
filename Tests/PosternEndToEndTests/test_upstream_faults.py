"""Every way in which an upstream can misbehave has one documented answer; none hangs, none reaches the client."""
import threading
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.net import blackhole, free_port, wait_until
from harness.problems import check_problem
from harness.raw import ProtocolError, Truncated, head
from harness.scripts import raw
from harness.table import table


@pytest.fixture(scope="module")
def settings():
    return {
        "timeouts": {"drain": "1s", "response": "400ms", "connect": "300ms", "body_idle": "300ms"},
        "limits": {"head": "8KiB", "headers": 50},
        "more_routes": {
            "GET /quick": {"scopes": "trade:read", "timeout": "100ms"},
            "GET /patient": {"scopes": "trade:read", "timeout": "3s"},
        },
    }


@pytest.fixture
def upstream(module_upstream):
    """An upstream that takes one request a connection, so that each fault meets a new one and no retry rule."""
    module_upstream.clear()
    module_upstream.default = scripts.echo_once
    module_upstream.requests = []
    yield module_upstream
    module_upstream.clear()


def ok(*lines, body=b"ok", length=True):
    fields = list(lines) + (["Content-Length: %d" % len(body)] if length else [])
    return "\r\n".join(["HTTP/1.1 200 OK"] + fields).encode("latin-1") + b"\r\n\r\n" + body


INVALID = "upstream_invalid_response"
GONE = "upstream_unavailable"
FAULTS = table(
    ("closes before a response", scripts.close_before_response, [GONE]),
    ("resets before a response", scripts.reset_before_response, [GONE]),
    ("closes inside the status line", raw(b"HTTP/1.1 2", "close"), [GONE, INVALID]),
    ("closes inside the head", raw(b"HTTP/1.1 200 OK\r\nContent-Le", "close"), [GONE, INVALID]),
    ("closes after an interim answer", raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", "close"), [GONE, INVALID]),
    ("sends garbage", raw(b"\x00\x01\x02garbage\r\n\r\n", "close"), [INVALID]),
    ("sends a page without a head", raw(b"<html>hello</html>\r\n\r\n", "close"), [INVALID]),
    ("greets like a mail server", raw(b"220 mail ESMTP\r\n\r\n", "close"), [INVALID]),
    ("answers in HTTP/2.0", raw(b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("answers in HTTP/1.2", raw(b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("answers with another protocol name", raw(b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("has no number as status", raw(b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("has a status of two digits", raw(b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("has a status of four digits", raw(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("has a status under 100", raw(b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("has no space before the reason", raw(b"HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("has a control character in the reason", raw(b"HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n"), [INVALID]),
    ("ends lines with LF", raw(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"), [INVALID]),
    ("has a bare CR in a value", raw(ok("X: a\rb")), [INVALID]),
    ("has NUL in a value", raw(ok("X: a\0b")), [INVALID]),
    ("has a control character in a value", raw(ok("X: a\x02b")), [INVALID]),
    ("folds a line", raw(ok("X: a", " b")), [INVALID]),
    ("has a space before the colon", raw(ok("X : a")), [INVALID]),
    ("has an empty name", raw(ok(": a")), [INVALID]),
    ("has a space in a name", raw(ok("X Y: a")), [INVALID]),
    ("has a line without a colon", raw(ok("X")), [INVALID]),
    ("sends a length and chunks", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), [INVALID]),
    ("repeats the length", raw(ok("Content-Length: 2")), [INVALID]),
    ("sends two lengths", raw(ok("Content-Length: 3")), [INVALID]),
    ("sends a list of lengths", raw(ok("Content-Length: 2, 2", length=False)), [INVALID]),
    ("sends a length with a sign", raw(ok("Content-Length: +2", length=False)), [INVALID]),
    ("sends a negative length", raw(ok("Content-Length: -2", length=False)), [INVALID]),
    ("sends an overflowing length", raw(ok("Content-Length: 99999999999999999999", length=False)), [INVALID]),
    ("sends an unknown coding", raw(ok("Transfer-Encoding: gzip", length=False), "close"), [INVALID]),
    ("sends two codings", raw(ok("Transfer-Encoding: gzip, chunked", length=False), "close"), [INVALID]),
    ("sends chunked twice", raw(ok("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", length=False), "close"), [INVALID]),
    ("switches protocols unasked", raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), [INVALID]),
    ("sends a head without end", raw(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 100000, "close"), [INVALID]),
    ("sends headers without number", raw(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 5000 + b"\r\n", "close"), [INVALID]),
    ("sends a malformed interim answer", raw(b"HTTP/1.1 103 Early\r\nX : y\r\n\r\n" + ok()), [INVALID]),
    ("is silent", scripts.silent, ["upstream_timeout"]),
    ("is silent inside the head", raw(b"HTTP/1.1 200 OK\r\nX: ", "silent"), ["upstream_timeout"]),
    ("is silent after an interim answer", raw(b"HTTP/1.1 103 Early\r\n\r\n", "silent"), ["upstream_timeout"]),
    ("sends a head byte by byte for ever",
     scripts.pieces([b"HTTP/1.1 200 OK\r\nX: "] + [b"a"] * 200, pause=0.02), ["upstream_timeout"]),
)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("script, codes", FAULTS)
def test_fault_before_the_head_has_its_answer(proxy, upstream, script, codes, method):
    upstream.script(script)
    began = time.monotonic()
    answer = proxy.call(method, "/public/x", body=b"abc" if method == "POST" else None)
    took = time.monotonic() - began
    problems = []
    for code in codes:
        try:
            check_problem(answer, code, method)
            break
        except AssertionError as error:
            problems.append(str(error))
    else:
        raise AssertionError(problems[0])
    assert took < 2.5, "it took %.1f s" % took
    assert "upstream_timeout" not in codes or took >= 0.35
    posts = [each for each in upstream.requests if each.method == "POST"]
    assert len(posts) <= 1, "a POST was sent again"
    after = proxy.call("GET", "/public/after")
    assert after.status == 200 and after.json()["target"] == "/public/after"


CUT = table(
    ("closes inside a body with a length", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "close")),
    ("resets inside a body with a length", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "reset", pause=0.05)),
    ("closes inside chunks", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "close")),
    ("closes between chunks", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close")),
    ("closes before the end of the trailers", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", "close")),
    ("sends a chunk size that is no number", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n")),
    ("sends a chunk size that overflows", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc")),
    ("ends a chunk badly", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n")),
    ("ends a chunk size with LF", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n")),
    ("is silent inside a body", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "silent")),
    ("is silent between chunks", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "silent")),
)


@pytest.mark.parametrize("script", CUT)
def test_a_response_that_breaks_in_its_body_closes_the_client(proxy, upstream, script):
    upstream.script(script)
    began = time.monotonic()
    with proxy.client() as client:
        client.send(head("GET", "/public/cut"))
        try:
            answer = client.response()
        except Truncated as error:
            assert error.partial in (b"", b"abc")
            assert client.eof
        else:
            check_problem(answer, INVALID)  # the fault came with the head: then it is a refusal, never a whole body
    assert time.monotonic() - began < 3
    assert proxy.call("GET", "/public/after").json()["target"] == "/public/after"


STRAY = table(
    ("more body than the length", ok(body=b"ok")[:-2] + b"okHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"),
    ("a second response at once", ok() + ok(body=b"forged")),
    ("a second head only", ok() + b"HTTP/1.1 200 OK\r\n"),
    ("rubbish behind", ok() + b"rubbish"),
    ("a body with 204", b"HTTP/1.1 204 No Content\r\n\r\nforged"),
    ("a body with 204 and a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nforged"),
    ("a body with 304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nforged"),
    ("a response after the last chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ok(body=b"forged")),
)


@pytest.mark.parametrize("wire", STRAY)
def test_bytes_behind_a_response_never_become_the_next_one(proxy, upstream, wire):
    upstream.script(raw(wire))
    with proxy.client() as client:
        try:
            first = client.send(head("GET", "/public/first")).response()
            assert b"forged" not in first.body
        except Truncated:
            pass
        if client.eof or not client.still_open():
            client.close()
        for number in range(3):
            answer = proxy.call("GET", "/public/next%d" % number)
            assert answer.json()["target"] == "/public/next%d" % number
    first, second = upstream.requests[0], upstream.requests[1]
    assert second.connection != first.connection, "a connection with stray bytes was used again"


def test_a_head_answer_with_a_body_never_poisons_the_next(proxy, upstream):
    upstream.script(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"))
    with proxy.client() as client:
        assert client.send(head("HEAD", "/public/x")).response("HEAD").status == 200
    assert proxy.call("GET", "/public/next").json()["target"] == "/public/next"


def test_bytes_on_an_idle_connection_retire_it(proxy, upstream):
    upstream.script(scripts.echo)
    assert proxy.call("GET", "/public/warm").status == 200
    warm = upstream.connections[upstream.requests[0].connection]
    warm.sock.sendall(ok(body=b"forged"))
    wait_until(lambda: warm.closed, 3, "the connection with unasked bytes to be closed")
    answer = proxy.call("GET", "/public/next")
    assert answer.json()["target"] == "/public/next"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_follows_a_response_is_not_the_answer_of_a_request_not_yet_sent(start, upstream, method):
    # The response fills the first read to its last byte, so that the rest comes while the next request is being given
    # this connection. Nothing of that request has left the proxy, so that it goes to the next connection whatever it is.
    first = b"HTTP/1.1 200 OK\r\nContent-Length: 2007\r\n\r\n" + b"a" * 2007
    assert len(first) == 2048
    gate = threading.Event()
    upstream.script(scripts.after(gate, raw(first + ok(body=b"forged"))))
    proxy = start(configs.config({"url": upstream.url, "connections": 1, "queue": 10}))
    with proxy.client() as one, proxy.client() as other:
        one.send(head("GET", "/public/first"))
        upstream.wait(1)
        other.send(head(method, "/public/second", "Content-Length: 0"))
        wait_until(lambda: proxy.metrics().value("postern_pool_waiting") == 1, 3)
        gate.set()
        assert one.response().body == b"a" * 2007
        answer = other.response()
        assert b"forged" not in answer.body
        assert answer.status == 200


def test_refused_connection_is_502_at_once(start):
    proxy = start(configs.config("http://127.0.0.1:%d" % free_port()))
    began = time.monotonic()
    check_problem(proxy.call("GET", "/health"), GONE)
    assert time.monotonic() - began < 1


def test_a_unix_socket_that_is_missing_is_502(start, tmp_path):
    proxy = start(configs.config("unix:" + str(tmp_path / "nobody.sock")))
    check_problem(proxy.call("GET", "/health"), GONE)


def test_a_host_that_does_not_resolve_is_502(start):
    proxy = start(configs.config("http://does-not-exist.invalid:80", timeouts={"connect": "1s"}))
    check_problem(proxy.call("GET", "/health", timeout=10), GONE)


def test_a_connect_that_hangs_ends_after_its_timeout(start):
    port, close = blackhole()
    try:
        proxy = start(configs.config("http://127.0.0.1:%d" % port, timeouts={"connect": "300ms"}))
        began = time.monotonic()
        check_problem(proxy.call("GET", "/health"), GONE)
        assert 0.25 <= time.monotonic() - began < 2
    finally:
        close()


def test_the_timeout_of_a_route_replaces_the_general_one(proxy, upstream):
    slow = scripts.pieces([b"", ok()], pause=0.6)
    token = configs.token()
    upstream.script(scripts.silent)
    began = time.monotonic()
    check_problem(proxy.call("GET", "/quick", token=token), "upstream_timeout")
    assert 0.08 <= time.monotonic() - began < 0.38
    upstream.script(slow)
    assert proxy.call("GET", "/patient", token=token).status == 200


def test_an_interim_answer_without_end_is_no_hang(proxy, upstream):
    upstream.script(scripts.pieces([b"HTTP/1.1 102 Processing\r\n\r\n"] * 100, pause=0.03))
    began = time.monotonic()
    with proxy.client() as client:
        client.send(head("GET", "/public/x"))
        try:
            assert client.response().status in (502, 504)
        except (Truncated, ProtocolError):
            pass
    assert time.monotonic() - began < 2.5
