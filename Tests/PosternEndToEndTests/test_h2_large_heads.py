"""Field sections, and content, that are larger than a frame: pieces of a size that nobody refuses, whole at the other side."""
import struct

import pytest
from h2.settings import SettingCodes

from harness import scripts
from harness.frames import MAX_FRAME_SIZE, SETTINGS, FrameClient, frame
from harness.http2 import Client
from test_h2_upstream import behind, service
from test_http2 import curl

__all__ = ["service"]

FRAME = 16_384
# A letter that has eight bits in a header block as well: one more of it is one byte more.
LETTER = "X"
LARGE = 40 * 1024


@pytest.fixture(scope="module")
def settings():
    return {"limits": {"head": "64KiB"}}


def exact(size, measure):
    """A value with which the header block that `measure(value)` finds has `size` bytes."""
    value = LETTER * size
    for _ in range(3):
        found = measure(value)
        if found == size:
            return value
        value = LETTER * (len(value) + size - found)
    raise AssertionError("no value makes %d bytes" % size)


@pytest.mark.parametrize("allowed", [None, 1 << 20], ids=["usual frames", "larger frames allowed"])
def test_heads_of_responses(proxy, upstream, allowed):
    upstream.default = lambda exchange: scripts.answer(body=b"x", fields=["X-Large: " + value])(exchange)
    with FrameClient(proxy.port, settings=[(MAX_FRAME_SIZE, allowed)] if allowed else []) as client:
        def measure(text):
            nonlocal value
            value = text
            return client.get("/health").blocks[0]

        value = LETTER
        for size in (FRAME, FRAME + 1, 2 * FRAME, LARGE):
            found = exact(size, measure)
            answer = client.get("/health")
            assert answer.header("x-large") == found and answer.body == b"x"
        value = LETTER
        assert client.get("/health").header("x-large") == LETTER, "the tables of fields are in step"


def test_a_head_that_is_all(proxy, upstream):
    """HEADERS ends the stream, CONTINUATION comes after it."""
    upstream.default = scripts.answer(204, length=False, fields=["X-Large: " + LETTER * LARGE])
    with FrameClient(proxy.port) as client:
        found = client.get("/health")
        assert found.status == 204 and found.ended_with_head and len(found.header("x-large")) == LARGE
        refused = client.get("/auth")
        assert refused.status == 401


def test_trailers_of_responses(proxy, upstream):
    upstream.default = scripts.raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Large: %s\r\n\r\n" % (b"{" * 20_000))
    with Client(proxy.port) as client:
        answer = client.call()
        assert answer.body == b"x" and answer.trailers == [("x-large", "{" * 20_000)] and answer.ended


def test_a_frame_size_that_changes(proxy, upstream):
    upstream.default = scripts.answer(body=b"x" * 100_000, fields=["X-Large: " + LETTER * LARGE])
    with FrameClient(proxy.port, settings=[(MAX_FRAME_SIZE, (1 << 24) - 1)]) as client:
        for size in (FRAME, 20_000):
            client.frame(SETTINGS, 0, 0, struct.pack(">HI", MAX_FRAME_SIZE, size))
            for _ in range(2):
                found = client.get("/health")
                assert len(found.header("x-large")) == LARGE and len(found.body) == 100_000
        # In two parts.
        both = frame(SETTINGS, 0, 0, struct.pack(">HI", MAX_FRAME_SIZE, FRAME))
        client.send(both[:11])
        client.send(both[11:])
        assert len(client.get("/health").header("x-large")) == LARGE


def test_real_clients_take_them(proxy, upstream):
    upstream.default = scripts.answer(body=b"x", fields=["X-Large: " + LETTER * 17_000, "X-More: " + "{" * 17_000])
    lines = curl("--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "http://127.0.0.1:%d/health" % proxy.port).split("\n")
    assert "x-large: " + LETTER * 17_000 in lines and "x-more: " + "{" * 17_000 in lines


@pytest.mark.parametrize("allowed", [None, 1 << 20], ids=["usual frames", "larger frames allowed"])
def test_requests_to_the_service(start, service, allowed):
    """hyper-h2 checks the frames of what it is sent."""
    server = service(settings={SettingCodes.MAX_FRAME_SIZE: allowed} if allowed else {})
    proxy = start(behind(server, limits={"head": "64KiB"}))
    for size in (FRAME - 200, FRAME, FRAME + 1, LARGE):
        assert proxy.call("GET", "/health", "X-Large: " + LETTER * size).status == 200
        assert server.requests[-1].header("x-large") == LETTER * size
    assert proxy.call("POST", "/public/x", "X-Large: " + LETTER * LARGE, body=b"y" * 200_000).json()["length"] == 200_000
    assert len(server.connections) == 1


def test_trailers_both_ways(start, service):
    """Large content and large trailers, there and back."""
    def script(stream):
        stream.wait_for_end()
        stream.respond(200, ("x-large", stream.header("x-large")), body=stream.body,
                       trailers=[("x-trailer", dict(stream.trailers)["x-trailer"])])

    server = service(script)
    proxy = start(behind(server, limits={"head": "64KiB"}))
    with Client(proxy.port) as client:
        stream = client.open([(":method", "POST"), (":scheme", "http"), (":path", "/public/x"), (":authority", "mt5.test"),
                              ("x-large", "a")], end=False)
        client.send(stream, b"z" * 100_000)
        client.trailers(stream, [("x-trailer", "{" * 12_000)])
        answer = client.answer(stream)
        assert answer.ended and answer.body == b"z" * 100_000 and answer.trailers == [("x-trailer", "{" * 12_000)]
