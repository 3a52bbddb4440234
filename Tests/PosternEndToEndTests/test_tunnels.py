"""Tunnels: WebSocket and what a route's `upgrade` names, with real clients and servers."""
import socket
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from harness import config as configs
from harness.net import wait_until
from harness.raw import bearer, head
from harness.websocket import FIELDS, SWITCHED, WebSocketUpstream, dial, frame, receive, tunnel

TCP = ["Connection: Upgrade", "Upgrade: tcp"]
TCP_SWITCHED = b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


@pytest.fixture
def service():
    with WebSocketUpstream() as server:
        yield server


def tunnels(proxy, protocol="websocket"):
    return proxy.metrics().value("postern_tunnels", protocol=protocol)


def ended(proxy, end, protocol="websocket"):
    return proxy.metrics().value("postern_tunnels_ended_total", protocol=protocol, end=end)


def test_messages_pass_both_ways_with_the_identity_of_the_token(start, service):
    proxy = start(configs.config(service))
    with dial(proxy, token=configs.token(sub="u-7"), fields={"X-User-Id": "root", "X-Request-Id": "ws-1"}) as client:
        for message in ("text", b"\x00\xff" * 100, "", "x" * 70_000, b"y" * 3_000_000):
            client.send(message)
            assert client.recv(timeout=5) == message
        client.ping().wait(5)
        assert tunnels(proxy) == 1
        sent = service.sockets[0].request.headers
        assert sent.get_all("X-User-Id") == ["u-7"] and "Authorization" not in sent
        assert sent.get_all("Upgrade") == ["websocket"] and sent.get_all("Connection") == ["Upgrade"]
        client.close(1000, "bye")
    wait_until(lambda: service.closes == [(1000, "bye")], 5, "the close to arrive")
    wait_until(lambda: tunnels(proxy) == 0 and ended(proxy, "closed") == 1, 5, "the tunnel to end")
    line = proxy.access("ws-1")
    assert line["status"] == 101 and line["tunnel_end"] == "closed" and line["user"] == "u-7" and line["spoofed"] is True
    assert line["bytes_in"] > 3_070_000 and line["bytes_out"] > 3_070_000 and line["duration_ms"] > 0
    assert proxy.metrics().value("postern_requests_total", status="101") == 1


def test_compression_is_the_ends_own_business(start):
    with WebSocketUpstream(compression="deflate") as service:
        proxy = start(configs.config(service))
        with dial(proxy, "/public/ws", compression="deflate") as client:
            client.send("a" * 100_000)
            assert client.recv(timeout=5) == "a" * 100_000
            assert client.protocol.extensions


def test_it_is_authorized_like_any_other_request(start, service):
    proxy = start(configs.config(service))
    for target, token, status in (("/auth", None, 401), ("/auth", "nonsense", 401), ("/internal/ws", configs.token(), 403),
                                  ("/api/v1/trades", configs.token(scope="x"), 403), ("/nowhere", configs.token(), 403)):
        with pytest.raises(InvalidStatus) as refusal:
            dial(proxy, target, token)
        assert refusal.value.response.status_code == status
    assert service.sockets == [] and tunnels(proxy) == 0


def test_an_ordinary_answer_goes_on_as_one(proxy, upstream):
    with proxy.client() as client:
        client.send(head("GET", "/public/ws", *FIELDS))
        answer = client.response()
        assert answer.status == 200 and answer.header("connection") == "close"
        assert client.closed()
    assert upstream.requests[0].header("upgrade") == "websocket"
    upstream.requests[0].check()


def test_early_bytes_of_both_sides_pass_in_order(proxy, upstream):
    got = []

    def serve(sock, early):
        got.append(early + receive(sock, 10 - len(early)))

    upstream.script(tunnel(serve, behind=frame(b"early")))
    with proxy.client() as client:
        client.send(head("GET", "/public/ws", *FIELDS) + b"0123456789")
        assert client.head()[0] == 101
        assert client.exactly(7) == frame(b"early")
    wait_until(lambda: got == [b"0123456789"], 5, "the client's bytes")


def test_each_side_may_end_before_the_other(start, upstream):
    proxy = start(configs.config(upstream, more_routes={"POST /exec": {"upgrade": ["tcp"]}}))

    def upload(exchange):
        exchange.read_body()
        exchange.send(TCP_SWITCHED)
        sock, data = exchange.connection.sock, exchange.connection.buffer
        while True:
            part = sock.recv(65536)
            if not part:
                break
            data += part
        sock.sendall(b"%s %d" % (exchange.request.body, len(data)))
        exchange.close()

    upstream.script(upload)
    with proxy.client() as client:
        client.send(head("POST", "/exec", *TCP, "Content-Length: 4", bearer(configs.token())) + b"body")
        client.head()
        assert tunnels(proxy, "other") == 1
        client.send(b"z" * 1_000_000)
        client.half_close()
        assert client.exactly(12) == b"body 1000000"
        assert client.closed()
    wait_until(lambda: ended(proxy, "closed", "other") == 1, 5, "the tunnel to end")
    assert upstream.requests[0].header("upgrade") == "tcp"


def test_the_service_may_end_first(proxy, upstream):
    got = []
    upstream.script(tunnel(lambda sock, early: (sock.sendall(b"last"), sock.shutdown(socket.SHUT_WR), got.append(receive(sock, 5)))))
    with proxy.client() as client:
        client.send(head("GET", "/public/ws", *FIELDS))
        client.head()
        assert client.exactly(4) == b"last"
        assert client.sock.recv(1) == b""
        client.send(b"after")
    wait_until(lambda: got == [b"after"], 5, "what came after the service's end")


def test_tunnels_take_no_place_in_the_pool(start, upstream):
    proxy = start(configs.config({"url": upstream.url, "connections": 1, "queue": 0}))
    ready = threading.Event()
    upstream.script(tunnel(lambda sock, early: ready.wait(10)), tunnel(lambda sock, early: ready.wait(10)))
    clients = [proxy.client() for _ in range(2)]
    for client in clients:
        client.send(head("GET", "/public/ws", *FIELDS))
        client.head()
    assert proxy.call("GET", "/health").status == 200
    assert tunnels(proxy) == 2 and proxy.metrics().value("postern_connections", side="downstream") >= 2
    ready.set()
    for client in clients:
        client.close()
    wait_until(lambda: tunnels(proxy) == 0, 5, "the tunnels to end")
    assert len({request.connection for request in upstream.requests}) == 3


def test_they_count_for_the_limit_of_connections(start, upstream):
    proxy = start(configs.config(upstream, limits={"connections": 1}))
    upstream.script(tunnel(lambda sock, early: receive(sock, 1)))
    with proxy.client() as client:
        client.send(head("GET", "/public/ws", *FIELDS))
        client.head()
        assert proxy.call("GET", "/health").status == 503


@pytest.mark.parametrize("slow", ["client", "service"])
def test_a_slow_reader_bounds_what_is_kept(start, upstream, slow):
    proxy = start(configs.config(upstream))
    size, block, done = 64 << 20, b"\x5a" * (1 << 18), threading.Event()
    sent = [0]

    def pump(sock):
        sock.settimeout(20)
        while sent[0] < size and not done.is_set():
            sock.sendall(block)
            sent[0] += len(block)

    def stalled():
        before = sent[0]
        time.sleep(0.3)
        return before and sent[0] == before

    def read_all(sock, early=b""):
        left = size - len(early)
        while left:
            left -= len(sock.recv(min(left, 1 << 18)))
        done.set()

    gate = threading.Event()
    if slow == "client":
        upstream.script(tunnel(lambda sock, early: (pump(sock), done.wait(20))))
    else:
        upstream.script(tunnel(lambda sock, early: (gate.wait(20), read_all(sock, early))))
    with proxy.client(timeout=20) as client:
        client.send(head("GET", "/public/ws", *FIELDS))
        client.head()
        before = proxy.rss()
        if slow == "service":
            threading.Thread(target=pump, args=(client.sock,), daemon=True).start()
        wait_until(stalled, 10, "the sender to be held up")
        assert sent[0] < size and proxy.rss() - before < 16 * 1024, "KiB kept for a slow %s" % slow
        gate.set()
        if slow == "client":
            read_all(client.sock, client.buffer)
        assert done.wait(20)


def test_a_break_of_one_side_is_one_of_the_other(start, upstream):
    proxy = start(configs.config(upstream))
    upstream.script(lambda exchange: (exchange.send(SWITCHED), receive(exchange.connection.sock, 2), exchange.close(reset=True)))
    with proxy.client() as client:
        client.send(head("GET", "/public/ws", *FIELDS))
        client.head()
        client.send(b"go")
        with pytest.raises(ConnectionResetError):
            client.sock.recv(1)
    upstream.script(lambda exchange: (exchange.send(SWITCHED), exchange.until_peer_closes()))
    client = proxy.client()
    client.send(head("GET", "/public/ws", *FIELDS))
    client.head()
    client.abort()
    wait_until(lambda: upstream.connections[-1].closed, 5, "the service to see it")
    wait_until(lambda: ended(proxy, "broken") == 2 and tunnels(proxy) == 0, 5, "both to be counted")


def test_an_open_tunnel_outlives_a_reload(start, service):
    """What it says holds for the next one."""
    proxy = start(configs.config(service))
    config = proxy.config
    with dial(proxy, token=configs.token()) as client:
        proxy.write(dict(config, timeouts=dict(config["timeouts"], tunnel_idle="300ms"), routes={"GET /other": "public"}))
        proxy.signal(1)
        wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="applied") >= 1, 5)
        client.send("still here")
        assert client.recv(timeout=5) == "still here"
        with dial(proxy, "/other") as short:
            with pytest.raises(ConnectionClosed):
                short.recv(timeout=5)
            assert short.close_code == 1001
        client.send("and here")
        assert client.recv(timeout=5) == "and here"
