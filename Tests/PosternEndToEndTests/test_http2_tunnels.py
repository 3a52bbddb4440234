"""Tunnels over HTTP/2 (RFC 8441): the same as on a connection of their own."""
import base64
import signal
import time

import hyperframe.frame as frames
import pytest

from harness import config as configs
from harness import scripts
from harness.http2 import Client, Code, Raw
from harness.net import wait_until
from harness.websocket import SWITCHED, WebSocketUpstream, frame, receive

TCP_SWITCHED = b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


@pytest.fixture
def service():
    with WebSocketUpstream() as server:
        yield server


def connect(path="/public/ws", protocol="websocket", more=()):
    return [(":method", "CONNECT"), (":protocol", protocol), (":scheme", "http"), (":authority", "mt5.test"), (":path", path),
            ("sec-websocket-version", "13")] + list(more)


def opened(client, headers):
    """The stream of a tunnel that was accepted."""
    client.until(lambda: client.h2.remote_settings.enable_connect_protocol)
    stream = client.open(headers, end=False)
    client.until(lambda: client.answers[stream].headers or client.answers[stream].reset is not None)
    return stream, client.answers[stream]


def bearer(**claims):
    return ("authorization", "Bearer " + configs.token(**claims))


def test_a_websocket(start, service):
    proxy = start(configs.config(service))
    with Client(proxy.port) as client:
        stream, answer = opened(client, connect("/auth", more=[bearer(sub="u-7"), ("x-user-id", "root"), ("x-request-id", "ws-h2")]))
        assert answer.status == 200 and answer.header("sec-websocket-accept") is None and answer.header("upgrade") is None
        for size in (0, 5, 125):
            client.send(stream, frame(b"x" * size, masked=True))
        client.until(lambda: len(answer.body) >= 2 + 7 + 127)
        assert answer.body == frame(b"") + frame(b"x" * 5) + frame(b"x" * 125)
        assert proxy.metrics().value("postern_tunnels", protocol="websocket") == 1
        sent = service.sockets[0].request.headers
        assert sent.get_all("X-User-Id") == ["u-7"] and "Authorization" not in sent and sent.get_all("Host") == ["mt5.test"]
        assert len(base64.b64decode(sent["Sec-WebSocket-Key"])) == 16
        client.send(stream, frame(b"\x03\xe8bye", opcode=8, masked=True), end=True)
        client.until(lambda: answer.ended or answer.reset is not None)
        assert answer.reset is None and answer.body.endswith(frame(b"\x03\xe8bye", opcode=8))
    wait_until(lambda: service.closes == [(1000, "bye")], 5, "the close to arrive")
    line = proxy.access("ws-h2")
    assert line["status"] == 101 and line["tunnel_end"] == "closed" and line["user"] == "u-7"


def test_it_is_authorized_like_any_other_request(start, service):
    proxy = start(configs.config(service))
    with Client(proxy.port) as client:
        for path, more, status in (("/auth", [], 401), ("/internal/ws", [bearer()], 403), ("/nowhere", [], 403),
                                   ("/public/ws", [("sec-websocket-version", "14")], 400)):
            stream, answer = opened(client, connect(path, more=more))
            client.answer(stream)
            assert answer.status == status, path
    assert service.sockets == []


@pytest.mark.parametrize("expiry", ["expiry", "idle"])
def test_it_ends_with_its_token_or_its_silence(start, service, expiry):
    proxy = start(configs.config(service, timeouts={"tunnel_idle": "1s" if expiry == "idle" else "1h"},
                                 issuers={"main": configs.issuer(leeway="0s")}))
    with Client(proxy.port) as client:
        stream, answer = opened(client, connect("/auth", more=[bearer(exp=int(time.time()) + (2 if expiry == "expiry" else 600))]))
        client.until(lambda: answer.ended or answer.reset is not None)
        code = 1008 if expiry == "expiry" else 1001
        assert answer.body[:4] == bytes([0x88, len(answer.body) - 2]) + code.to_bytes(2, "big") and answer.ended
        assert not client.closed, "the connection goes on"


def test_another_protocol_where_the_route_names_it(start, upstream):
    def serve(sock, early):
        sock.sendall(receive(sock, 4)[::-1])
        while sock.recv(100):
            pass
        sock.sendall(b"end")

    def script(exchange):
        exchange.send(TCP_SWITCHED)
        serve(exchange.connection.sock, b"")
        exchange.close()

    proxy = start(configs.config(upstream, more_routes={"GET /raw": {"upgrade": ["tcp"]}}))
    upstream.script(script)
    with Client(proxy.port) as client:
        stream, answer = opened(client, connect("/raw", "tcp", [bearer()]))
        assert answer.status == 200
        client.send(stream, b"abcd")
        client.until(lambda: answer.body == b"dcba")
        client.send(stream, b"", end=True)
        client.until(lambda: answer.ended)
        assert answer.body == b"dcbaend" and answer.reset is None
        assert upstream.requests[0].all("upgrade") == ["tcp"]
        # Another name than the route's.
        stream, answer = opened(client, connect("/raw", "udp", [bearer()]))
        assert client.answer(stream).status == 501
        assert len(upstream.requests) == 1


def test_a_yes_that_is_none(proxy, upstream):
    """A 200 from the service is no 101, but would be one to the client."""
    upstream.script(scripts.answer(200, b"no tunnel"), scripts.answer(404, b"none"),
                    scripts.raw(SWITCHED.encode(), then="silent"))
    with Client(proxy.port) as client:
        for status in (502, 404):
            stream, answer = opened(client, connect())
            assert client.answer(stream).status == status
        # An answer to another key.
        stream, answer = opened(client, connect())
        client.until(lambda: answer.ended or answer.reset is not None)
        assert answer.status == 502 and answer.reset == Code.INTERNAL_ERROR
        assert client.call().status == 200
    wait_until(lambda: proxy.metrics().value("postern_tunnels", protocol="websocket") == 0, 5, "no tunnel")


def test_drain_says_goodbye(start, service):
    proxy = start(configs.config(service, timeouts={"drain": "10s"}))
    with Raw(proxy.port) as client:
        client.until(frames.SettingsFrame)
        client.send(client.headers(1, connect(), end=False))
        assert client.status(1) == 200
        proxy.signal(signal.SIGTERM)
        assert client.ended(1)[2:4] == (1001).to_bytes(2, "big")
        client.until_closed()
    assert proxy.wait(8) == 0
