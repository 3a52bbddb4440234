"""Heads and bodies that two servers could read differently are refused, and nothing of them reaches the upstream."""
import pytest

from harness.problems import check_problem
from harness.raw import RawClient, head
from harness.table import table

SMUGGLED = b"GET /public/smuggled HTTP/1.1\r\nHost: mt5.test\r\n\r\n"


def get(*lines, line="GET /public/x HTTP/1.1", host="Host: mt5.test"):
    """A head of literal lines."""
    parts = [line] + ([host] if host else []) + list(lines)
    return "\r\n".join(parts).encode("latin-1") + b"\r\n\r\n"


BAD_HEADS = table(
    ("a bare LF ends the lines", b"GET /public/x HTTP/1.1\nHost: mt5.test\n\n"),
    ("a bare LF ends one header line", b"GET /public/x HTTP/1.1\r\nHost: mt5.test\nX: y\r\n\r\n"),
    ("a bare LF ends the head", b"GET /public/x HTTP/1.1\r\nHost: mt5.test\r\n\n"),
    ("a bare CR ends the request line", b"GET /public/x HTTP/1.1\rHost: mt5.test\r\n\r\n"),
    ("a bare CR in a value", get("X: a\rb")),
    ("a bare CR before CRLF", get("X: a\r")),
    ("NUL in a value", get("X: a\0b")),
    ("NUL in a name", get("X\0Y: a")),
    ("NUL in the target", get(line="GET /public/\0x HTTP/1.1")),
    ("a control character in a value", get("X: a\x01b")),
    ("a vertical tab before a value", get("X:\x0bchunked")),
    ("DEL in a value", get("X: a\x7fb")),
    ("a space before the colon", get("X : a")),
    ("a tab before the colon", get("X\t: a")),
    ("a space before the colon of Content-Length", get("Content-Length : 5")),
    ("an obs-fold line", get("X: a", " b")),
    ("an obs-fold line with a tab", get("X: a", "\tb")),
    ("whitespace before the first header", b"GET /public/x HTTP/1.1\r\n Host: mt5.test\r\n\r\n"),
    ("an empty name", get(": a")),
    ("a line without a colon", get("X")),
    ("a space inside a name", get("X Y: a")),
    ("a delimiter in a name", get("X(Y): a")),
    ("an @ in a name", get("X@Y: a")),
    ("a byte over 0x7F in a name", get("X\xe4: a")),
    ("no Host", get(host=None)),
    ("two equal Hosts", get("Host: mt5.test")),
    ("two different Hosts", get("Host: other.test")),
    ("a space in Host", get(host="Host: a b")),
    ("a slash in Host", get(host="Host: a/b")),
    ("a list in Host", get(host="Host: a, b")),
    ("a URL in Host", get(host="Host: http://a")),
    ("user info in Host", get(host="Host: u@a")),
    ("a port that is no number in Host", get(host="Host: a:b")),
    ("an open bracket in Host", get(host="Host: [::1")),
    ("a query in Host", get(host="Host: a?b")),
    ("an absolute target that disagrees with Host", get(line="GET http://other.test/public/x HTTP/1.1")),
    ("an absolute target whose port disagrees with Host", get(line="GET http://mt5.test:81/public/x HTTP/1.1")),
    ("an absolute target with user info", get(line="GET http://u@mt5.test/public/x HTTP/1.1")),
    ("an absolute target of another scheme", get(line="GET ftp://mt5.test/public/x HTTP/1.1")),
    ("HTTP/1.0 without Host", get(line="GET /public/x HTTP/1.0", host=None)),
    ("HTTP/1.0 with Transfer-Encoding",
     get("Transfer-Encoding: chunked", line="POST /public/x HTTP/1.0") + b"0\r\n\r\n"),
    ("Content-Length twice, equal", get("Content-Length: 1", "Content-Length: 1") + b"a"),
    ("Content-Length twice, different", get("Content-Length: 1", "Content-Length: 2") + b"ab"),
    ("Content-Length as a list of equals", get("Content-Length: 1, 1") + b"a"),
    ("Content-Length as a list", get("Content-Length: 1,2") + b"a"),
    ("Content-Length with a plus", get("Content-Length: +1") + b"a"),
    ("Content-Length with a minus", get("Content-Length: -1")),
    ("Content-Length with a leading zero", get("Content-Length: 01") + b"a"),
    ("Content-Length of two zeros", get("Content-Length: 00")),
    ("Content-Length in hexadecimal", get("Content-Length: 0x1") + b"a"),
    ("Content-Length with an inner space", get("Content-Length: 1 1") + b"a"),
    ("Content-Length with a fraction", get("Content-Length: 1.0") + b"a"),
    ("Content-Length with an underscore", get("Content-Length: 1_0") + b"a"),
    ("an empty Content-Length", get("Content-Length:")),
    ("Content-Length over 64 bits", get("Content-Length: 18446744073709551617") + b"a"),
    ("Content-Length over 63 bits", get("Content-Length: 9223372036854775808") + b"a"),
    ("Content-Length with Transfer-Encoding", get("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    ("Transfer-Encoding with Content-Length", get("Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n"),
    ("two CRLF before the request line", b"\r\n\r\n" + get()),
    ("a bare LF before the request line", b"\n" + get()),
    ("a space before the request line", get(line=" GET /public/x HTTP/1.1")),
    ("two spaces after the method", get(line="GET  /public/x HTTP/1.1")),
    ("two spaces before the version", get(line="GET /public/x  HTTP/1.1")),
    ("a space after the version", get(line="GET /public/x HTTP/1.1 ")),
    ("tabs in the request line", get(line="GET\t/public/x\tHTTP/1.1")),
    ("a space inside the target", get(line="GET /public/x y HTTP/1.1")),
    ("no version", get(line="GET /public/x")),
    ("a lower-case protocol name", get(line="GET /public/x http/1.1")),
    ("another protocol name", get(line="GET /public/x HTTQ/1.1")),
    ("a version of three digits", get(line="GET /public/x HTTP/1.10")),
    ("a version without a dot", get(line="GET /public/x HTTP/11")),
    ("a method that is no token", get(line="G@T /public/x HTTP/1.1")),
    ("no method", get(line="/public/x HTTP/1.1")),
    ("an authority as the target of GET", get(line="GET mt5.test:80 HTTP/1.1")),
    ("a relative target", get(line="GET public/x HTTP/1.1")),
    ("OPTIONS with an asterisk", get(line="OPTIONS * HTTP/1.1")),
    ("GET with an asterisk", get(line="GET * HTTP/1.1")),
    ("a byte over 0x7E in the query", get(line="GET /public/x?\xe4 HTTP/1.1")),
    ("a control character in the query", get(line="GET /public/x?\x01 HTTP/1.1")),
)


@pytest.mark.parametrize("how", ["whole", "drip"])
@pytest.mark.parametrize("wire", BAD_HEADS)
def test_malformed_head_is_400_and_closes(proxy, only_sentinel, wire, how):
    with proxy.client() as client:
        client.send(wire + SMUGGLED) if how == "whole" else client.drip(wire)
        check_problem(client.response(), "bad_request")
        assert client.closed(), "the connection stays open after a malformed head"
    only_sentinel()


OTHER_HEADS = table(
    ("a transfer coding besides chunked", get("Transfer-Encoding: gzip"), "not_implemented"),
    ("a transfer coding before chunked", get("Transfer-Encoding: gzip, chunked"), "not_implemented"),
    ("a transfer coding after chunked", get("Transfer-Encoding: chunked, gzip"), "not_implemented"),
    ("chunked twice in one line", get("Transfer-Encoding: chunked, chunked"), "not_implemented"),
    ("chunked in two lines", get("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "not_implemented"),
    ("identity", get("Transfer-Encoding: identity"), "not_implemented"),
    ("identity beside chunked", get("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), "not_implemented"),
    ("a coding that only ends in chunked", get("Transfer-Encoding: xchunked"), "not_implemented"),
    ("chunked with a parameter", get("Transfer-Encoding: chunked;q=1"), "not_implemented"),
    ("chunked in quotes", get('Transfer-Encoding: "chunked"'), "not_implemented"),
    ("CONNECT", get(line="CONNECT mt5.test:443 HTTP/1.1"), "not_implemented"),
    ("HTTP/1.2", get(line="GET /public/x HTTP/1.2"), "http_version_not_supported"),
    ("HTTP/2.0", get(line="GET /public/x HTTP/2.0"), "http_version_not_supported"),
    ("HTTP/0.9", get(line="GET /public/x HTTP/0.9"), "http_version_not_supported"),
    ("HTTP/3.0", get(line="GET /public/x HTTP/3.0"), "http_version_not_supported"),
    ("an unknown expectation", get("Expect: 200-ok"), "expectation_failed"),
    ("an unknown expectation beside 100-continue", get("Expect: 100-continue, x"), "expectation_failed"),
)


@pytest.mark.parametrize("how", ["whole", "drip"])
@pytest.mark.parametrize("wire, code", OTHER_HEADS)
def test_unsupported_head_is_refused_and_closes(proxy, only_sentinel, wire, code, how):
    method = wire.split(b" ")[0].decode()
    with proxy.client() as client:
        client.send(wire + SMUGGLED) if how == "whole" else client.drip(wire)
        check_problem(client.response("GET" if method == "CONNECT" else method), code)
        assert client.closed()
    only_sentinel()


BAD_CHUNKS = table(
    ("a size that is no hexadecimal", b"x\r\nabc\r\n0\r\n\r\n"),
    ("a size with a sign", b"+3\r\nabc\r\n0\r\n\r\n"),
    ("a negative size", b"-3\r\nabc\r\n0\r\n\r\n"),
    ("a size with 0x", b"0x3\r\nabc\r\n0\r\n\r\n"),
    ("a size with an underscore", b"0_3\r\nabc\r\n0\r\n\r\n"),
    ("an empty size", b"\r\nabc\r\n0\r\n\r\n"),
    ("an empty size with an extension", b";a=b\r\nabc\r\n0\r\n\r\n"),
    ("a space before the size", b" 3\r\nabc\r\n0\r\n\r\n"),
    ("a space after the size", b"3 \r\nabc\r\n0\r\n\r\n"),
    ("a size of 64 bits and one", b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    ("a size of 64 bits", b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    ("a size of 63 bits and one", b"8000000000000000\r\nabc\r\n0\r\n\r\n"),
    ("a bare LF after the size", b"3\nabc\r\n0\r\n\r\n"),
    ("a bare CR after the size", b"3\rabc\r\n0\r\n\r\n"),
    ("an extension over 256 bytes", b"3;" + b"a" * 300 + b"\r\nabc\r\n0\r\n\r\n"),
    ("a bare LF in an extension", b"3;a\nb\r\nabc\r\n0\r\n\r\n"),
    ("a bare CR in an extension", b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
    ("NUL in an extension", b"3;a\0b\r\nabc\r\n0\r\n\r\n"),
    ("a chunk longer than its size", b"3\r\nabcd\r\n0\r\n\r\n"),
    ("a chunk that ends in LF alone", b"3\r\nabc\n0\r\n\r\n"),
    ("a chunk that ends in CR and another byte", b"3\r\nabc\rX0\r\n\r\n"),
    ("a bare LF after the last chunk", b"3\r\nabc\r\n0\n\r\n"),
    ("a bare LF ends the trailers", b"3\r\nabc\r\n0\r\n\n"),
    ("Content-Length as a trailer", b"3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n"),
    ("Transfer-Encoding as a trailer", b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("Host as a trailer", b"3\r\nabc\r\n0\r\nHost: other.test\r\n\r\n"),
    ("Connection as a trailer", b"3\r\nabc\r\n0\r\nConnection: x\r\n\r\n"),
    ("Authorization as a trailer", b"3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n\r\n"),
    ("an identity header as a trailer", b"3\r\nabc\r\n0\r\nX-User-Id: root\r\n\r\n"),
    ("an identity header in underscores as a trailer", b"3\r\nabc\r\n0\r\nx_user_id: root\r\n\r\n"),
    ("another X-User header as a trailer", b"3\r\nabc\r\n0\r\nX-User-Anything: root\r\n\r\n"),
    ("a trailer without a colon", b"3\r\nabc\r\n0\r\nX\r\n\r\n"),
    ("a trailer with a space before the colon", b"3\r\nabc\r\n0\r\nX : y\r\n\r\n"),
    ("a folded trailer", b"3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n"),
    ("NUL in a trailer", b"3\r\nabc\r\n0\r\nX: \0\r\n\r\n"),
)


@pytest.mark.parametrize("how", ["whole", "drip"])
@pytest.mark.parametrize("body", BAD_CHUNKS)
def test_malformed_chunked_body_never_completes_at_the_upstream(proxy, upstream, body, how):
    before = len(upstream.connections)
    with proxy.client() as client:
        start = head("POST", "/public/x", "Transfer-Encoding: chunked")
        client.send(start + body + SMUGGLED) if how == "whole" else client.send(start).drip(body)
        check_problem(client.response(), "bad_request")
        assert client.closed()
    assert proxy.call("GET", "/health?sentinel").status == 200
    refused = [each for each in upstream.requests if each.target != "/health?sentinel"]
    assert len(refused) <= 1, refused
    assert not [each for each in refused if each.complete], "a malformed body arrived as a whole one"
    assert all(not n.lower().replace("_", "-").startswith("x-user") for each in refused for n, _ in each.trailers)
    assert len(upstream.requests) == len(refused) + 1 and upstream.requests[-1].target == "/health?sentinel"
    assert upstream.requests[-1].connection not in [each.connection for each in refused], before


def test_chunk_extension_within_the_limit_is_dropped_or_passed_but_never_body(proxy, upstream):
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Transfer-Encoding: chunked") + b"3;a=" + b"b" * 200 + b"\r\nabc\r\n0\r\n\r\n")
        assert client.response().status == 200
    assert upstream.requests[0].body == b"abc"


def test_http2_preface_behind_a_request_is_refused(proxy, upstream):
    """A connection is of one protocol from its first byte."""
    with proxy.client() as client:
        client.send(head("GET", "/health?first") + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        assert client.response().status == 200
        assert client.response().status == 505
        assert client.closed()
    assert [each.target for each in upstream.requests] == ["/health?first"]


@pytest.mark.parametrize(
    "garbage",
    table(
        ("a TLS client hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64))),
        ("random bytes", bytes((i * 167 + 13) & 0xFF for i in range(500)) + b"\r\n\r\n"),
        ("an SSH banner", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    ),
)
def test_bytes_that_are_no_http_close_the_connection(proxy, only_sentinel, garbage):
    with proxy.client() as client:
        client.send(garbage).half_close()
        answer = b""
        while True:
            part = client.sock.recv(65536)
            if not part:
                break
            answer += part
    assert not answer or answer.startswith(b"HTTP/1.1 400 "), answer[:100]
    only_sentinel()


def test_a_half_head_followed_by_a_close_reaches_nobody(proxy, only_sentinel):
    client = RawClient(proxy.port)
    client.send(b"GET /public/x HTTP/1.1\r\nHost: mt5.te")
    client.close()
    only_sentinel()
