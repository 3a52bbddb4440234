"""From HTTP/2 to HTTP/1.1: nothing that a stream can carry may become another line, another request or another caller at the
service. Judged by the bytes that the service received."""
import itertools

import pytest

from harness import config as configs
from harness import scripts
from harness.frames import (
    CONTINUATION, END_HEADERS, END_STREAM, HEADERS, FrameClient, bearer, frame, literal, request)

ENDS = ["\r\n", "\n", "\r", "\0", "\r\n\r\n"]
SMUGGLED = "GET /internal/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
TOKEN = configs.token()

PLACES = {
    "a value": lambda end: request("GET", "/auth", bearer(TOKEN), ("x-a", "b%sX-User-Id: root" % end)),
    "a value's end": lambda end: request("GET", "/auth", bearer(TOKEN), ("x-a", "b" + end)),
    "a value's beginning": lambda end: request("GET", "/auth", bearer(TOKEN), ("x-a", end + "X-User-Id: root")),
    "a whole request in a value": lambda end: request("GET", "/auth", bearer(TOKEN), ("x-a", "b%s%s" % (end, SMUGGLED))),
    "a name": lambda end: request("GET", "/auth", bearer(TOKEN), ("x-a: b%sx-user-id" % end, "root")),
    "a name's end": lambda end: request("GET", "/auth", bearer(TOKEN), ("x-a" + end, "b")),
    "a name's beginning": lambda end: request("GET", "/auth", bearer(TOKEN), (end + "x-a", "b")),
    "a colon and a line in a name": lambda end: request("GET", "/auth", bearer(TOKEN), ("transfer-encoding: chunked%sx" % end, "y")),
    "the path": lambda end: request("GET", "/auth HTTP/1.1%sX-User-Id: root%sX: y" % (end, end), bearer(TOKEN)),
    "the path's end": lambda end: request("GET", "/auth" + end, bearer(TOKEN)),
    "the query": lambda end: request("GET", "/auth?a HTTP/1.1%sX-User-Id: root" % end, bearer(TOKEN)),
    "the method": lambda end: request("GET /internal/x HTTP/1.1%sX: y%s%sGET" % (end, end, end), "/auth", bearer(TOKEN)),
    "the method's end": lambda end: request("GET" + end, "/auth", bearer(TOKEN)),
    "the authority": lambda end: request("GET", "/auth", bearer(TOKEN), authority="mt5.test%sX-User-Id: root" % end),
    "the host": lambda end: [(":method", "GET"), (":scheme", "http"), (":path", "/auth"), bearer(TOKEN),
                             ("host", "mt5.test%sX-User-Id: root" % end)],
    "the scheme": lambda end: request("GET", "/auth", bearer(TOKEN), scheme="http%sX-User-Id: root" % end),
    "the token": lambda end: request("GET", "/auth", bearer(TOKEN + end + "X-User-Id: root")),
    "a cookie": lambda end: request("GET", "/auth", bearer(TOKEN), ("cookie", "a=b"), ("cookie", "c=d%sX-User-Id: root" % end)),
    "the request id": lambda end: request("GET", "/auth", bearer(TOKEN), ("x-request-id", "a%sX-User-Id: root" % end)),
    "the content-length": lambda end: request("GET", "/auth", bearer(TOKEN), ("content-length", "0%sX-User-Id: root" % end)),
    "te": lambda end: request("GET", "/auth", bearer(TOKEN), ("te", "trailers%sX-User-Id: root" % end)),
}


@pytest.fixture(scope="module")
def settings():
    return {"more_routes": {"ANY /auth": "authenticated"}}


def refused(found):
    return found.status in (400, 431, 501) if found.reset is None or found.status else found.reset == 1


def check_nothing_came(upstream, client, proxy):
    """The service has seen no more than one good request behind the bad one, on this connection and on another."""
    assert client.get("/health?behind").status == 200
    assert proxy.call("GET", "/health?sentinel").status == 200
    assert [each.check().target for each in upstream.requests] == ["/health?behind", "/health?sentinel"]
    for each in upstream.requests:
        assert "x-user-id" not in each.names() and b"root" not in each.raw_head
    for connection in upstream.open_connections():
        assert connection.buffer == b"", connection.buffer


@pytest.mark.parametrize("place, end", itertools.product(PLACES, ENDS))
def test_a_line_end_is_refused_wherever_it_stands(proxy, upstream, place, end):
    with FrameClient(proxy.port) as client:
        found = client.answer(client.open(PLACES[place](end)))
        assert refused(found), found
        check_nothing_came(upstream, client, proxy)


@pytest.mark.parametrize("place", PLACES)
def test_and_so_is_one_that_comes_in_parts(proxy, upstream, place):
    """A block in five frames, of a byte the first ones."""
    with FrameClient(proxy.port) as client:
        block, number = literal(PLACES[place]("\r\n")), client.next
        client.next += 2
        end = block.index(b"\r\n")
        parts = [block[:1], block[1:end], block[end : end + 1], block[end + 1 : end + 2], block[end + 2 :]]
        client.send(frame(HEADERS, END_STREAM, number, parts[0]) + b"".join(
            frame(CONTINUATION, END_HEADERS if each is parts[-1] else 0, number, each) for each in parts[1:]))
        assert refused(client.answer(number))
        check_nothing_came(upstream, client, proxy)


@pytest.mark.parametrize("path", [
    "/auth /internal/x", "/auth\t", " /auth", "/auth#x", "//auth", "/a%2Futh", "/auth/../internal/x", "/auth;x", "/\xe9",
    "/auth%00", "\\auth", "/auth\x7f"])
def test_a_path_that_servers_read_differently(proxy, upstream, path):
    with FrameClient(proxy.port) as client:
        assert refused(client.answer(client.open(request("GET", path, bearer(TOKEN)))))
        check_nothing_came(upstream, client, proxy)


@pytest.mark.parametrize("name", ["x-user-id", "x_user_id", "x-user_scopes", "x-auth-issuer", "x-client-trusted"])
def test_identity_is_the_proxy_s_word(proxy, upstream, name):
    with FrameClient(proxy.port) as client:
        assert client.get("/auth", bearer(TOKEN), (name, "root"), ("x-own", "kept")).status == 200
        assert client.get("/public/a", (name, "root")).status == 200
    first, second = upstream.requests
    assert first.check().header("x-user-id") == "user-7" and first.header("x-own") == "kept"
    for each in upstream.requests:
        assert b"root" not in each.raw_head
    assert "authorization" not in first.names() and "x-user-id" not in second.check().names()


@pytest.mark.parametrize("body", [
    SMUGGLED.encode(), b"0\r\n\r\n" + SMUGGLED.encode(), b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED.encode(), b"\r\n\r\n", b"0"])
@pytest.mark.parametrize("length", [True, False])
def test_a_body_stays_a_body(proxy, upstream, body, length):
    with FrameClient(proxy.port) as client:
        fields = [("content-length", str(len(body)))] if length else []
        number = client.open(request("POST", "/public/x", *fields), end=False)
        for at in range(len(body)):
            client.data(number, body[at : at + 1])
        client.data(number, b"", end=True)
        assert client.answer(number).status == 200
        assert client.get("/health?behind").status == 200
    assert [each.check().target for each in upstream.requests] == ["/public/x", "/health?behind"]
    assert upstream.requests[0].body == body


def test_a_method_is_passed_as_it_is_or_refused(proxy, upstream):
    with FrameClient(proxy.port) as client:
        for method in ("PROPFIND", "get", "X!#$%&'*+-.^_`|~1"):
            assert client.answer(client.open(request(method, "/public/x"))).status == 200
        for method in ("GE T", "GET:", "\xe9", "(", "A" * 100):
            assert refused(client.answer(client.open(request(method, "/public/x")))), method
    assert [each.check().method for each in upstream.requests] == ["PROPFIND", "get", "X!#$%&'*+-.^_`|~1"]


def test_two_streams_do_not_mix(proxy, upstream):
    """Heads and bodies of many streams in turn, byte by byte."""
    bodies = [bytes([65 + number]) * 40 for number in range(8)]
    with FrameClient(proxy.port) as client:
        numbers = [client.open(request("POST", "/public/%d" % each), end=False) for each in range(8)]
        for at in range(40):
            for number, body in zip(numbers, bodies):
                client.data(number, body[at : at + 1], end=at == 39)
        for each in numbers:
            assert client.answer(each).status == 200
    assert {each.target: each.body for each in upstream.requests} == {"/public/%d" % n: bodies[n] for n in range(8)}


def test_values_of_responses_are_passed_byte_for_byte(proxy, upstream):
    """obs-text (RFC 9110 section 5.5) that is no UTF-8 as well: browsers read such names of files."""
    latin, utf8 = "attachment; filename=gr\xf6\xdfe.pdf", "gr\xf6\xdfe \u20ac".encode().decode("latin-1")
    fields = ["Content-Disposition: " + latin, "X-Text: " + utf8, "X-Long: " + "\xe9" * 20_000, "X-Last: a"]
    with FrameClient(proxy.port) as client:
        for _ in range(2):
            upstream.script(scripts.answer(body=b"x", fields=fields))
            found = client.get("/health")
            assert found.header("content-disposition") == latin and found.header("x-text") == utf8
            assert found.header("x-long") == "\xe9" * 20_000 and found.header("x-last") == "a" and found.body == b"x"
        upstream.script(scripts.answer(204, length=False, fields=fields))
        found = client.get("/health")
        assert found.ended_with_head and found.header("content-disposition") == latin
        upstream.script(scripts.raw(b"HTTP/1.1 103 Hint\r\nX-A: \xe9\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    b"1\r\nx\r\n0\r\nX-T: \xe9\r\n\r\n"))
        found = client.get("/health")
        assert found.interim == [(103, [("x-a", "\xe9")])] and found.all("x-a") == []
        assert found.body == b"x" and found.trailers == [("x-t", "\xe9")] and found.ended
        upstream.script(scripts.answer(body=b"x", fields=["X-Last: a"]))
        assert client.get("/health").all("content-disposition") == []
