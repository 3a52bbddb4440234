"""Requests of HTTP/2 that are malformed (RFC 9113 section 8.1.1): by what the upstream received, which is nothing."""
import pytest
import hyperframe.frame as frames

from harness.http2 import Code, Raw, fields
from harness.net import wait_until
from harness.table import table


@pytest.fixture
def client(proxy, upstream):
    with Raw(proxy.port) as made:
        yield made


def goes_on(client, upstream, stream):
    """A good request on the same connection is served, and is all that the upstream ever saw."""
    client.send(client.headers(stream, fields(path="/health?sentinel")))
    assert client.status(stream) == 200
    assert [each.target for each in upstream.requests] == ["/health?sentinel"], upstream.requests
    upstream.requests[0].check()
    for connection in upstream.open_connections():
        assert connection.buffer == b"", connection.buffer


def get(*more, **changes):
    return fields(more=more, **changes)


MALFORMED = {
    "line ends in a value": get(("x-a", "1\r\nX-User-Id: root")),
    "a request in a value": get(("x-a", "1\r\n\r\nGET /internal/x HTTP/1.1\r\nHost: a\r\n\r\n")),
    "a line feed in a value": get(("x-a", "1\nx-user-id: root")),
    "a carriage return in a value": get(("x-a", "1\rx")),
    "a NUL in a value": get(("x-a", "1\0")),
    "whitespace before a value": get(("x-a", " 1")),
    "whitespace behind a value": get(("x-a", "1 ")),
    "octets that are no UTF-8": get(("x-a", b"\xff\xfe")),
    "line ends in a name": get(("x-a: 1\r\nx-user-id", "root")),
    "an upper-case name": get(("X-A", "1")),
    "a space in a name": get(("x a", "1")),
    "a colon in a name": get(("x:a", "1")),
    "line ends in a cookie": get(("cookie", "a=1\r\nx-user-id: root")),
    "connection": get(("connection", "x-request-id")),
    "keep-alive": get(("keep-alive", "timeout=5")),
    "proxy-connection": get(("proxy-connection", "keep-alive")),
    "transfer-encoding": get(("transfer-encoding", "chunked")),
    "upgrade": get(("upgrade", "websocket")),
    "te": get(("te", "gzip")),
    "an unknown pseudo-header field": get() + [(":user", "root")],
    "a response's": get() + [(":status", "200")],
    "a pseudo-header field behind others": get(("x", "y")) + [(":path", "/")],
    "a repeated path": get() + [(":path", "/internal/x")],
    "no method": get()[1:],
    "no scheme": get(scheme=None),
    "no path": get(path=None),
    "an empty path": get(path=""),
    "a path with line ends": get(path="/health HTTP/1.1\r\nX-User-Id: root\r\nx: "),
    "a path with a space": get(path="/health HTTP/1.1"),
    "an absolute path": get(path="http://other/health"),
    "a relative path": get(path="health"),
    "a method with line ends": get(method="GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"),
    "an empty method": get(method=""),
    "another scheme": get(scheme="ftp"),
    "an authority with line ends": get(authority="a\r\nX-User-Id: root"),
    "an empty authority": get(authority=""),
    "another host": get(("host", "other")),
    "two hosts": get(("host", "localhost"), ("host", "localhost")),
    "content that is promised and not there": get(("content-length", "5")),
    "a content-length that is none": get(("content-length", "0x0")),
    "a protocol without CONNECT": get() + [(":protocol", "websocket")],
    "CONNECT with a path": fields("CONNECT"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_head(proxy, client, upstream, case):
    before = proxy.metrics().value("postern_http2_malformed_requests_total")
    headers = sorted(MALFORMED[case], key=lambda field: 0) if "behind" in case else MALFORMED[case]
    pseudo = [each for each in headers if str(each[0]).startswith(":")]
    if "behind" not in case:
        headers = pseudo + [each for each in headers if each not in pseudo]
    client.send(client.headers(1, headers))
    assert client.reset(1) == Code.PROTOCOL_ERROR
    assert proxy.metrics().value("postern_http2_malformed_requests_total") == before + 1
    goes_on(client, upstream, 3)


@pytest.mark.parametrize("content, end", [(b"abcd", False), (b"abcd", True), (b"ab", True), (b"", True)])
def test_other_content_than_promised(client, upstream, content, end):
    held = []

    def script(exchange):
        held.append((exchange.connection, exchange.connection.received))
        exchange.until_peer_closes()

    upstream.script(script)
    client.send(client.headers(1, get(("content-length", "3"), method="POST", path="/public/x"), end=False))
    request = upstream.wait(1)
    wait_until(lambda: held, 5, "the script")
    client.send(frames.DataFrame(1, content, flags=["END_STREAM"] if end else []))
    assert client.reset(1) == Code.PROTOCOL_ERROR
    wait_until(lambda: hasattr(request, "peer_closed"), 5, "the upstream to be left")
    connection, before = held[0]
    assert connection.received == before, "some of it went on"
    client.send(client.headers(3, fields()))
    assert client.status(3) == 200


@pytest.mark.parametrize("trailers, end", [
    ([(":path", "/x")], True), ([("X-A", "1")], True), ([("x-a", "1\r\n\r\nGET /internal/x HTTP/1.1\r\n\r\n")], True),
    ([("connection", "x")], True), ([("x-a", "1")], False),
])
def test_malformed_trailers(client, upstream, trailers, end):
    client.send(client.headers(1, get(method="POST", path="/public/x"), end=False), frames.DataFrame(1, b"abc"))
    upstream.wait(1)
    client.send(client.headers(1, trailers, end=end))
    assert client.reset(1) == Code.PROTOCOL_ERROR
    wait_until(lambda: not upstream.open_connections() or upstream.requests[0].complete is False, 5, "the upstream to be left")
    assert upstream.requests[0].trailers == [] and not upstream.requests[0].complete
    client.send(client.headers(3, fields()))
    assert client.status(3) == 200


@pytest.mark.parametrize("trailer", [("content-length", "3"), ("host", "a"), ("authorization", "Bearer x"), ("x-user-id", "root"),
                                     ("cookie", "a=1")])
def test_trailers_that_no_request_may_have(client, upstream, trailer):
    client.send(client.headers(1, get(method="POST", path="/public/x"), end=False), frames.DataFrame(1, b"abc"))
    upstream.wait(1)
    client.send(client.headers(1, [trailer]))
    assert client.status(1) == 400
    assert upstream.requests[0].trailers == [] and not upstream.requests[0].complete


# --- Limits

def test_more_streams_than_allowed(client, upstream):
    upstream.default = lambda exchange: exchange.until_peer_closes()
    client.send(*[client.headers(1 + 2 * i, get(path="/public/x")) for i in range(101)])
    assert client.reset(201) == Code.REFUSED_STREAM


def test_a_head_beyond_all_limits(client):
    client.send(client.headers(1, get(("x", "y" * 16000)), complete=False))
    for _ in range(60):
        if not client.send(frames.ContinuationFrame(1, client.block([("x", "y" * 16000)]))):
            break
    assert client.goaway() is not None or client.closed


def test_continuations_without_end(proxy, client):
    client.send(client.headers(1, get(), complete=False))
    for _ in range(10_000):
        if not client.send(frames.ContinuationFrame(1, b"")):
            break
    client.goaway()
    assert client.closed and proxy.alive()


@pytest.mark.parametrize("flood", ["ping", "settings", "empty data", "reset", "priority"])
def test_floods_end_the_connection(proxy, client, upstream, flood):
    what = {
        "ping": lambda i: frames.PingFrame(0, b"12345678"), "settings": lambda i: frames.SettingsFrame(0),
        "priority": lambda i: frames.PriorityFrame(1, depends_on=0),
        "empty data": lambda i: client.headers(1, get(method="POST", path="/public/x"), end=False) if i == 0 else
        frames.DataFrame(1, b""),
        "reset": lambda i: client.headers(1 + 2 * i, get(path="/public/x")).serialize()
        + frames.RstStreamFrame(1 + 2 * i, 8).serialize(),
    }[flood]
    for i in range(3000):
        if not client.send(what(i)):
            break
    assert client.goaway() in (Code.ENHANCE_YOUR_CALM, None)
    assert client.closed and proxy.alive()
    assert proxy.call("GET", "/health").status == 200


def test_a_head_that_never_ends(start, upstream):
    from harness import config as configs

    proxy = start(configs.config(upstream, timeouts={"head": "300ms"}))
    with Raw(proxy.port) as client:
        client.send(client.headers(1, get(), complete=False))
        assert client.goaway() == Code.NO_ERROR and client.closed
    with Raw(proxy.port, settings=False) as silent:
        silent.goaway()
        assert silent.closed


def test_a_large_head_at_once(proxy, upstream):
    """Behind the greeting, before the settings are answered: limits.head holds already."""
    with Raw(proxy.port, settings=False) as client:
        client.send(frames.SettingsFrame(0), *large_head(client, get(("x", "y" * 12_000), ("z", "y" * 12_000))))
        assert client.status(1) == 200
        assert len(upstream.requests[0].header("z")) == 12_000


def large_head(client, headers):
    """HEADERS and CONTINUATION frames of 16,000 bytes at most."""
    block = client.block(headers)
    parts = [block[i:i + 16_000] for i in range(0, len(block), 16_000)]
    yield frames.HeadersFrame(1, parts[0], flags=["END_STREAM"] + (["END_HEADERS"] if len(parts) == 1 else [])).serialize()
    for part in parts[1:]:
        yield frames.ContinuationFrame(1, part, flags=["END_HEADERS"] if part is parts[-1] else []).serialize()
