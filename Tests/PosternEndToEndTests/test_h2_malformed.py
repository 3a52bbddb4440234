"""HTTP/2 requests and frames that RFC 9113 calls malformed, by raw frames: what the client is told, that the connection's other
streams and everybody else are unharmed, and that the service never hears of any of it."""
import struct

import pytest

from harness import config as configs
from harness import scripts
from harness.frames import (
    ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENABLE_PUSH, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR,
    GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, MAX_FRAME_SIZE, NO_ERROR, PADDED, PING, PREFACE, PRIORITY, PRIORITY_FLAG,
    PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, FrameClient, bearer, frame, integer,
    literal, request)
from harness.net import wait_until
from harness.problems import check_problem

GOOD = request()


def without(name):
    return [each for each in GOOD if each[0] != name]


def changed(name, *values):
    """A good request with these values of a pseudo-header in its place."""
    return [(n, each) for n, v in GOOD for each in (values if n == name else (v,))]


# RFC 9113 sections 8.2 and 8.3: malformed requests.
MALFORMED = {
    "upper case": GOOD + [("X-Test", "a")],
    "upper case in the middle": GOOD + [("x-tEst", "a")],
    "a colon in a name": GOOD + [("x:y", "a")],
    "a space in a name": GOOD + [("x y", "a")],
    "a name that ends in a space": GOOD + [("x-a ", "a")],
    "a tab in a name": GOOD + [("x\ty", "a")],
    "DEL in a name": GOOD + [("x\x7fy", "a")],
    "a byte over 0x7f in a name": GOOD + [("x\xe9y", "a")],
    "a separator in a name": GOOD + [("x(y", "a")],
    "a value that begins with a space": GOOD + [("x-a", " a")],
    "a value that ends in a space": GOOD + [("x-a", "a ")],
    "a value that begins with a tab": GOOD + [("x-a", "\ta")],
    "a value that ends in a tab": GOOD + [("x-a", "a\t")],
    "a control character in a value": GOOD + [("x-a", "a\x01b")],
    "DEL in a value": GOOD + [("x-a", "a\x7fb")],
    "connection": GOOD + [("connection", "close")],
    "connection: te": GOOD + [("connection", "te")],
    "keep-alive": GOOD + [("keep-alive", "timeout=5")],
    "proxy-connection": GOOD + [("proxy-connection", "keep-alive")],
    "transfer-encoding": GOOD + [("transfer-encoding", "chunked")],
    "transfer-encoding: identity": GOOD + [("transfer-encoding", "identity")],
    "upgrade": GOOD + [("upgrade", "websocket")],
    "te: gzip": GOOD + [("te", "gzip")],
    "te: trailers, gzip": GOOD + [("te", "trailers, gzip")],
    "no :method": without(":method"),
    "no :scheme": without(":scheme"),
    "no :path": without(":path"),
    "nothing at all": [],
    "no pseudo-header": [("x-a", "b")],
    "two :method": changed(":method", "GET", "GET"),
    "two :scheme": changed(":scheme", "http", "http"),
    "two :path": changed(":path", "/health", "/health"),
    "two :path, other": changed(":path", "/health", "/internal/x"),
    "two :authority": changed(":authority", "mt5.test", "mt5.test"),
    "two :authority, other": changed(":authority", "mt5.test", "evil.test"),
    "an unknown pseudo-header": GOOD + [(":user", "root")],
    ":status in a request": GOOD + [(":status", "200")],
    "a pseudo-header after a field": GOOD[:3] + [("x-a", "b")] + GOOD[3:],
    ":protocol without CONNECT": GOOD + [(":protocol", "websocket")],
    "an empty :path": changed(":path", ""),
    "a :path without a slash": changed(":path", "health"),
    "an empty :method": changed(":method", ""),
    "an empty :scheme": changed(":scheme", ""),
    "an empty :authority and no host": changed(":authority", ""),
    "user information in :authority": changed(":authority", "root:x@mt5.test"),
    "a path in :authority": changed(":authority", "mt5.test/x"),
    "a list in :authority": changed(":authority", "mt5.test, evil.test"),
    "a host that says another than :authority": GOOD + [("host", "evil.test")],
    "two hosts": GOOD + [("host", "mt5.test"), ("host", "mt5.test")],
    "* for another method than OPTIONS": changed(":path", "*"),
    "an absolute :path": changed(":path", "http://mt5.test/health"),
    "an absolute :path of another host": changed(":path", "http://evil.test/health"),
    "CONNECT with a path": [(":method", "CONNECT"), (":path", "/health"), (":scheme", "http"), (":authority", "mt5.test:80")],
    "a content-length that is no number": GOOD + [("content-length", "x")],
    "a signed content-length": GOOD + [("content-length", "+0")],
    "two content-lengths": GOOD + [("content-length", "0"), ("content-length", "0")],
    "two content-lengths, other": GOOD + [("content-length", "0"), ("content-length", "1")],
    "a content-length that is a list": GOOD + [("content-length", "0, 0")],
    "a content-length without a body": GOOD + [("content-length", "5")],
}


@pytest.fixture
def client(proxy):
    with FrameClient(proxy.port) as made:
        yield made


def check_malformed(found):
    """A stream error of type PROTOCOL_ERROR; an answer of 400 before it is allowed (RFC 9113 section 8.1.1)."""
    if found.status is not None:
        assert found.status == 400, found
        assert found.header("content-type") == "application/problem+json"
    else:
        assert found.reset == PROTOCOL_ERROR, found


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_head(proxy, upstream, client, name):
    """Ends its stream and no other: one that was open before goes on, and one that comes after is served."""
    before = client.open(request("POST", "/public/before"), end=False)
    upstream.wait(1)
    check_malformed(client.answer(client.open(MALFORMED[name])))
    client.data(before, b"x", end=True)
    assert client.answer(before).status == 200
    assert client.get("/health?after").status == 200
    assert client.goaway is None
    assert proxy.call("GET", "/health?other").status == 200
    assert [each.check().target for each in upstream.requests] == ["/public/before", "/health?after", "/health?other"]
    assert upstream.requests[0].body == b"x"


def post(*fields):
    return request("POST", "/public/x", *fields)


BODIES = {
    "more than the content-length": ([("content-length", "4")], [b"hello"], None),
    "more, in two parts": ([("content-length", "4")], [b"hell", b"o"], None),
    "less than the content-length": ([("content-length", "6")], [b"hello"], None),
    "nothing of the content-length": ([("content-length", "6")], [b""], None),
    "less, then trailers": ([("content-length", "6")], [b"hello"], [("x-a", "b")]),
    "a body and content-length 0": ([("content-length", "0")], [b"hello"], None),
    "a pseudo-header in the trailers": ([], [b"hello"], [(":path", "/internal/x")]),
    ":status in the trailers": ([], [b"hello"], [(":status", "200")]),
    "upper case in the trailers": ([], [b"hello"], [("X-A", "b")]),
    "a line end in the trailers": ([], [b"hello"], [("x-a", "b\r\nx-user-id: root")]),
    "connection in the trailers": ([], [b"hello"], [("connection", "close")]),
    "content-length in the trailers": ([], [b"hello"], [("content-length", "5")]),
    "identity in the trailers": ([], [b"hello"], [("x-user-id", "root")]),
    "authorization in the trailers": ([], [b"hello"], [("authorization", "Bearer x")]),
}


WHOLE_BEFORE = {"more, in two parts": b"hell", "a body and content-length 0": b""}


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body(proxy, module_upstream, name):
    """The service may have seen the head by then, but never a request that looks whole; where the length says that it is whole
    before the rest comes, it may be answered, and the rest goes nowhere."""
    module_upstream.requests = []
    fields, parts, trailers = BODIES[name]
    with FrameClient(proxy.port) as client:
        number = client.open(post(*fields), end=False)
        for part in parts[:-1]:
            client.data(number, part)
        client.data(number, parts[-1], end=trailers is None)
        if trailers is not None:
            client.frame(HEADERS, END_HEADERS | END_STREAM, number, literal(trailers))
        found = client.answer(number)
        # The answer ends before the reset that follows it comes, if it does: what came in the meantime may have ended the stream.
        early = found.status == 200 and found.ended and found.reset in (None, NO_ERROR) and name in WHOLE_BEFORE
        if not early:
            check_malformed(found)
        assert client.get("/health").status == 200
        client.ping()
    for each in module_upstream.requests:
        if each.target == "/public/x":
            assert each.trailers == []
            # Whether the answer was on its way when the rest came is a matter of moments.
            assert early or name in WHOLE_BEFORE or not each.complete, (each, each.body)
            assert not each.complete or each.body == WHOLE_BEFORE[name], (each, each.body)
    # Each connection of the service has a thread of its own: which request is noted last says nothing.
    assert [each.check().target for each in module_upstream.requests if each.target != "/public/x"] == ["/health"]
    assert all(each.buffer == b"" for each in module_upstream.open_connections())


def test_trailers_without_end_stream(proxy, module_upstream):
    module_upstream.requests = []
    with FrameClient(proxy.port) as client:
        number = client.open(post(), end=False)
        client.data(number, b"hello")
        client.frame(HEADERS, END_HEADERS, number, literal([("x-a", "b")]))
        client.until(lambda: client.stream(number).over or client.goaway or client.closed)
        if client.stream(number).over:
            check_malformed(client.stream(number))
        else:
            assert client.goaway is None or client.goaway[1] == PROTOCOL_ERROR
    assert proxy.call("GET", "/health").status == 200
    assert all(not each.complete for each in module_upstream.requests if each.target == "/public/x")


def test_good_ones_are_let_through(proxy, upstream):
    """What is unusual, and well-formed."""
    token = configs.token()
    with FrameClient(proxy.port) as client:
        for fields in ([("te", "trailers")], [("host", "mt5.test")], [("x-empty", "")], [("x-a", "a\tb c")], [("x-a", "é".encode())],
                       [("cookie", "a=b"), ("cookie", "c=d")], [("content-length", "0")], [bearer(token)],
                       [("x-many-%d" % number, "a") for number in range(60)]):
            found = client.answer(client.open(request("GET", "/public/good", *fields)))
            assert (found.status, found.reset) == (200, None), (fields, found)
        number = client.open(request("POST", "/public/good", ("content-length", "5")), end=False)
        client.frame(DATA, PADDED, number, b"\x04" + b"hel" + b"\0" * 4)
        client.data(number, b"")
        client.frame(DATA, PADDED | END_STREAM, number, b"\x00" + b"lo")
        assert client.answer(number).status == 200
    wait_until(lambda: upstream.requests[-1].target == "/public/good", 3)
    assert upstream.requests[-1].body == b"hello"
    cookies = [each.header("cookie") for each in upstream.requests if each.all("cookie")]
    assert cookies == ["a=b; c=d"], "RFC 9113 section 8.2.3"
    for each in upstream.requests:
        assert each.check().header("host") == "mt5.test"


def test_values_are_passed_byte_for_byte_or_not_at_all(proxy, upstream):
    """Bytes over 0x7e that are UTF-8 pass; others are refused over HTTP/2, where no client sends them, and never repaired."""
    with FrameClient(proxy.port) as client:
        assert client.get("/health", ("x-a", "größe €".encode())).status == 200
        check_malformed(client.answer(client.open(GOOD + [("x-a", b"gr\xf6\xdfe")])))
        assert client.get("/health").status == 200
    assert [each.header("x-a") for each in upstream.requests] == ["größe €".encode().decode("latin-1"), None]


def test_a_request_without_authority_has_a_host(proxy, upstream):
    with FrameClient(proxy.port) as client:
        number = client.open(without(":authority") + [("host", "mt5.test")])
        assert client.answer(number).status == 200
    assert upstream.requests[0].check().header("host") == "mt5.test"


def test_connect_is_not_served(proxy, client, only_sentinel):
    found = client.answer(client.open([(":method", "CONNECT"), (":authority", "mt5.test:80")]))
    if found.reset is None:
        check_problem(found, "not_implemented")
    only_sentinel()


# Sections 4 to 6: frames that end the connection.

SIZED = (FRAME_SIZE_ERROR,)
CONNECTION_ERRORS = {
    "DATA on stream 0": (frame(DATA, 0, 0, b"x"), ()),
    "DATA on an idle stream": (frame(DATA, 0, 5, b"x"), (STREAM_CLOSED,)),
    "HEADERS on stream 0": (frame(HEADERS, END_HEADERS | END_STREAM, 0, literal(GOOD)), ()),
    "HEADERS on a stream of the server": (frame(HEADERS, END_HEADERS | END_STREAM, 2, literal(GOOD)), ()),
    "padding longer than the frame": (frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b"\xff" + literal(GOOD)), ()),
    "DATA inside a header block": (frame(HEADERS, END_STREAM, 1, literal(GOOD)) + frame(DATA, 0, 1, b"x"), ()),
    "PING inside a header block": (frame(HEADERS, END_STREAM, 1, literal(GOOD)) + frame(PING, 0, 0, b"x" * 8), ()),
    "another stream's CONTINUATION": (
        frame(HEADERS, END_STREAM, 1, literal(GOOD)) + frame(CONTINUATION, END_HEADERS, 3, b""), ()),
    "CONTINUATION without HEADERS": (frame(CONTINUATION, END_HEADERS, 1, literal(GOOD)), ()),
    "a reference to nothing in the table": (
        frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD) + b"\xff\x80\x01"), (COMPRESSION_ERROR,)),
    "index 0": (frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD) + b"\x80"), (COMPRESSION_ERROR,)),
    "an integer without an end": (
        frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD) + b"\xff" + b"\xff" * 20), (COMPRESSION_ERROR,)),
    "a literal longer than the block": (
        frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD) + b"\x00\x7f\xff\x7fabc"), (COMPRESSION_ERROR,)),
    "a Huffman string of padding": (
        frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD) + b"\x00\x01a\x84\xff\xff\xff\xff"), (COMPRESSION_ERROR,)),
    "a table larger than was allowed": (
        frame(HEADERS, END_HEADERS | END_STREAM, 1, integer(1 << 20, 5, 0x20) + literal(GOOD)), (COMPRESSION_ERROR,)),
    # Malformed, and no more than a stream error need be made of it; here it is no header block at all.
    "a field without a name": (
        frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD + [("", "a")])), (COMPRESSION_ERROR,)),
    "SETTINGS on a stream": (frame(SETTINGS, 0, 1), ()),
    "SETTINGS of an odd length": (frame(SETTINGS, 0, 0, b"abcde"), SIZED),
    "an acknowledgement that says something": (frame(SETTINGS, ACK, 0, b"\0\3\0\0\0\1"), SIZED),
    "ENABLE_PUSH 2": (frame(SETTINGS, 0, 0, struct.pack(">HI", ENABLE_PUSH, 2)), ()),
    "a window over 2^31-1": (frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 1 << 31)), (FLOW_CONTROL_ERROR,)),
    "MAX_FRAME_SIZE too small": (frame(SETTINGS, 0, 0, struct.pack(">HI", MAX_FRAME_SIZE, 16383)), ()),
    "MAX_FRAME_SIZE too large": (frame(SETTINGS, 0, 0, struct.pack(">HI", MAX_FRAME_SIZE, 1 << 24)), ()),
    "PING on a stream": (frame(PING, 0, 1, b"x" * 8), ()),
    "PING of seven bytes": (frame(PING, 0, 0, b"x" * 7), SIZED),
    "GOAWAY on a stream": (frame(GOAWAY, 0, 1, b"\0" * 8), ()),
    "RST_STREAM on stream 0": (frame(RST_STREAM, 0, 0, b"\0\0\0\x08"), ()),
    "RST_STREAM on an idle stream": (frame(RST_STREAM, 0, 7, b"\0\0\0\x08"), ()),
    "RST_STREAM of three bytes": (frame(RST_STREAM, 0, 1, b"\0\0\0"), SIZED),
    "WINDOW_UPDATE by 0": (frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\0"), ()),
    "WINDOW_UPDATE of three bytes": (frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), SIZED),
    "WINDOW_UPDATE on an idle stream": (frame(WINDOW_UPDATE, 0, 9, b"\0\0\0\1"), ()),
    "a window that overflows": (frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 2, (FLOW_CONTROL_ERROR,)),
    "PUSH_PROMISE by a client": (frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + literal(GOOD)), ()),
    "a frame over MAX_FRAME_SIZE": (frame(DATA, 0, 1, b"x" * 16385), SIZED),
    "HEADERS over MAX_FRAME_SIZE": (
        frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD + [("x-a", "b" * 16400)])), SIZED),
}


@pytest.mark.parametrize("name", CONNECTION_ERRORS)
def test_a_connection_error(proxy, upstream, name):
    """GOAWAY with the code that fits, or a general one (RFC 9113 section 5.4), and the end. Nobody else notices."""
    sent, codes = CONNECTION_ERRORS[name]
    with FrameClient(proxy.port) as bystander, FrameClient(proxy.port, timeout=3) as client:
        client.send(sent)
        assert client.ends() in (PROTOCOL_ERROR, INTERNAL_ERROR, None) + codes
        assert bystander.get("/health").status == 200
    assert proxy.call("GET", "/health").status == 200
    assert {each.target for each in upstream.requests} == {"/health"}


@pytest.mark.parametrize("sent", [
    b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n", PREFACE[:-1] + b"x", PREFACE + b"GET / HTTP/1.1\r\n\r\n",
    PREFACE + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(GOOD)), PREFACE + frame(PING, 0, 0, b"x" * 8),
    PREFACE + frame(SETTINGS, ACK), b"PRI /health HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ids=["another end", "no end", "another last byte", "HTTP/1.1 behind it", "HEADERS first", "PING first",
         "an acknowledgement first", "another target"])
def test_a_bad_preface(start, upstream, sent):
    """Section 3.4: the connection ends, and no request is read from it. One that stays incomplete has the time of a head."""
    proxy = start(configs.config(upstream, timeouts={"head": "500ms"}))
    with FrameClient(proxy.port, preface=False, timeout=4) as client:
        client.send(sent)
        data = b""
        client.sock.settimeout(4)
        try:
            while more := client.sock.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        assert b" 200 " not in data
    assert proxy.call("GET", "/health").status == 200
    assert [each.target for each in upstream.requests] == ["/health"]


def test_streams_are_numbered_upwards(proxy, upstream):
    """Section 5.1.1: a number below one that was used is a connection error."""
    with FrameClient(proxy.port) as client:
        client.next = 9
        assert client.get("/health").status == 200
        client.next = 3
        client.open(GOOD)
        assert client.ends() in (PROTOCOL_ERROR, STREAM_CLOSED, INTERNAL_ERROR, None)
    assert len(upstream.requests) == 1


def test_data_after_the_end_of_a_stream(proxy, upstream):
    with FrameClient(proxy.port) as client:
        number = client.open(GOOD)
        client.answer(number)
        client.data(number, b"late")
        other = client.open(request("GET", "/health?2"))
        client.until(lambda: client.stream(other).over or client.closed or client.goaway)
        # A stream error or a connection error of type STREAM_CLOSED (section 5.1), or ignored shortly after.
        assert client.stream(other).status == 200 or client.goaway[1] in (STREAM_CLOSED, PROTOCOL_ERROR)
    assert all(each.body == b"" for each in upstream.requests)


def test_more_data_than_the_window_takes(proxy, module_upstream):
    """Section 6.9.1."""
    module_upstream.requests = []
    module_upstream.script(scripts.silent)
    with FrameClient(proxy.port, timeout=10) as client:
        number = client.open(post(), end=False)
        for _ in range(256 << 20 >> 14):
            if not client.data(number, b"x" * 16384):
                break
        client.until(lambda: client.goaway or client.closed or client.stream(number).over)
        if client.goaway:
            assert client.goaway[1] in (FLOW_CONTROL_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR)
        elif client.stream(number).over:
            assert client.stream(number).reset == FLOW_CONTROL_ERROR
    assert proxy.call("GET", "/health").status == 200


def test_unknown_frames_and_settings_are_ignored(proxy, upstream):
    """Sections 4.1, 5.5 and 6.5.2."""
    with FrameClient(proxy.port, settings=[(0x99, 7), (0xFFFF, 0)]) as client:
        client.frame(0x42, 0xFF, 0, b"whatever")
        client.frame(0x42, 0xFF, 1, b"whatever")
        client.frame(PRIORITY, 0, 11, struct.pack(">IB", 3, 5))
        assert client.get("/health").status == 200
        client.frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 5))
        number, client.next = client.next, client.next + 2
        client.frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, number, struct.pack(">IB", 0, 15) + literal(GOOD))
        assert client.answer(number).status == 200
        # A block in many parts, some of them empty.
        block, number = literal(GOOD), client.next
        client.next += 2
        client.send(frame(HEADERS, END_STREAM, number, block[:1]) + frame(CONTINUATION, 0, number)
                    + frame(CONTINUATION, 0, number, block[1:20]) + frame(CONTINUATION, END_HEADERS, number, block[20:]))
        assert client.answer(number).status == 200
    assert len(upstream.requests) == 3


def test_a_stream_that_depends_on_itself(proxy, upstream):
    """RFC 9113 section 5.3.2 lets priority be ignored; before, this was a stream error."""
    with FrameClient(proxy.port) as client:
        client.frame(PRIORITY, 0, 1, struct.pack(">IB", 1, 5))
        for number in range(3, 203, 2):
            client.frame(PRIORITY, 0, number, struct.pack(">IB", number + 2, 255))
        client.next = 301
        try:
            assert client.get("/health").status == 200
        except AssertionError:
            assert client.goaway is None or client.goaway[1] in (PROTOCOL_ERROR, INTERNAL_ERROR)
    assert proxy.call("GET", "/health").status == 200
