"""What ends a tunnel from the proxy's side: the token's expiry, its revocation, silence, and the end of the process."""
import signal
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed

from harness import config as configs
from harness.net import wait_until
from harness.raw import bearer, head
from harness.resp import revoke
from harness.tiers import await_redis
from harness.websocket import FIELDS, WebSocketUpstream, dial, frame, receive, tunnel

TCP = ["Connection: Upgrade", "Upgrade: tcp"]
TCP_SWITCHED = b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


@pytest.fixture
def service():
    with WebSocketUpstream() as server:
        yield server


def ended(proxy, end, protocol="websocket"):
    return proxy.metrics().value("postern_tunnels_ended_total", protocol=protocol, end=end)


def short(seconds):
    return configs.token(exp=time.time() + seconds)


def until_closed(client):
    """The close that a client gets, once it has echoed what went before."""
    with pytest.raises(ConnectionClosed):
        while True:
            client.recv(timeout=8)
    return client.close_code, client.close_reason


def test_a_websocket_is_closed_when_its_token_expires(start, service):
    proxy = start(configs.config(service))
    exp = time.time() + 1.5
    with dial(proxy, token=configs.token(exp=exp), fields={"X-Request-Id": "late"}) as client:
        client.send("hello")
        assert client.recv(timeout=5) == "hello"
        assert until_closed(client) == (1008, "token expired")
        assert 0 <= time.time() - exp < 1
    wait_until(lambda: service.closes == [(1008, "token expired")], 5, "the service to be told")
    assert ended(proxy, "expired") == 1
    assert proxy.access("late")["tunnel_end"] == "expired"


def test_it_goes_on_where_the_file_says_so(start, service):
    proxy = start(configs.config(service, tunnel_at_expiry="keep"))
    exp = time.time() + 1
    with dial(proxy, token=configs.token(exp=exp)) as client:
        wait_until(lambda: time.time() > exp + 0.5, 5)
        client.send("still")
        assert client.recv(timeout=5) == "still"


def test_a_close_is_never_put_into_a_frame(start, upstream):
    """The service is in the middle of a frame at expiry: its rest comes first, the client's own bytes do not pass on."""
    proxy = start(configs.config(upstream))
    exp = time.time() + 1
    got = []

    def serve(sock, early):
        whole = frame(b"abcdefgh")
        sock.sendall(whole[:5])
        wait_until(lambda: time.time() > exp + 0.5, 5)
        sock.sendall(whole[5:] + frame(b"never"))
        sock.settimeout(5)
        got.append(receive(sock, 1000))

    upstream.script(tunnel(serve))
    with proxy.client(timeout=8) as client:
        client.send(head("GET", "/auth", *FIELDS, bearer(configs.token(exp=exp))))
        client.head()
        assert client.exactly(5) == frame(b"abcdefgh")[:5]
        wait_until(lambda: time.time() > exp + 0.2, 5)
        client.send(frame(b"too late", masked=True))
        assert client.exactly(5) == frame(b"abcdefgh")[5:]
        assert client.exactly(17) == frame(b"\x03\xf0token expired", opcode=8)
        assert client.closed()
    wait_until(lambda: got, 8, "the service's end")
    assert got[0][:2] == b"\x88\x8f" and len(got[0]) == 21, "a masked close and nothing else: %r" % got[0]


def test_a_frame_that_does_not_end_is_cut_off(start, upstream):
    proxy = start(configs.config(upstream))
    exp = time.time() + 1
    upstream.script(tunnel(lambda sock, early: (sock.sendall(frame(b"abcdefgh")[:5]), receive(sock, 1))))
    with proxy.client(timeout=12) as client:
        client.send(head("GET", "/auth", *FIELDS, bearer(configs.token(exp=exp))))
        client.head()
        client.exactly(5)
        with pytest.raises(ConnectionResetError):
            client.sock.recv(1)
        assert 4 < time.time() - exp < 8
    assert ended(proxy, "expired") == 1


def test_what_is_no_websocket_is_just_closed(start, upstream):
    proxy = start(configs.config(upstream, more_routes={"GET /exec": {"upgrade": "tcp"}}))
    upstream.script(lambda exchange: (exchange.send(TCP_SWITCHED), exchange.until_peer_closes()))
    with proxy.client(timeout=8) as client:
        client.send(head("GET", "/exec", *TCP, bearer(short(1))))
        client.head()
        assert client.closed(timeout=8)
    wait_until(lambda: upstream.connections[-1].closed and ended(proxy, "expired", "other") == 1, 5)


def test_a_token_inside_its_leeway_has_the_leeway(start, service):
    proxy = start(configs.config(service, issuers={"main": configs.issuer(leeway="3s")}))
    exp = time.time() - 1
    with dial(proxy, token=configs.token(exp=exp)) as client:
        client.send("x")
        assert client.recv(timeout=5) == "x"
        assert until_closed(client)[0] == 1008
        assert 2.5 < time.time() - exp < 4.5


def test_revocation_closes_within_the_bound(start, service, redis):
    config = configs.config(service, issuers={"main": configs.issuer(revocation="redis")}, redis=configs.redis(redis))
    proxy = start(config)
    await_redis(proxy)
    wait_until(lambda: proxy.metrics().value("postern_revocation_subscription_up") == 1, 5)
    with dial(proxy, token=configs.token(jti="spared")) as spared, dial(proxy, token=configs.token(jti="gone")) as client:
        moment = revoke(redis, {"jti": "gone"})
        assert until_closed(client) == (1008, "token revoked")
        taken = time.monotonic() - moment
        spared.send("x")
        assert spared.recv(timeout=5) == "x"
    assert taken < 0.5, "%.0f ms" % (taken * 1000)
    assert ended(proxy, "revoked") == 1
    wait_until(lambda: (1008, "token revoked") in service.closes, 5)


def test_a_token_revoked_while_the_service_decides_gets_no_tunnel(start, upstream, redis):
    config = configs.config(upstream, issuers={"main": configs.issuer(revocation="redis")}, redis=configs.redis(redis))
    proxy = start(config)
    await_redis(proxy)
    wait_until(lambda: proxy.metrics().value("postern_revocation_subscription_up") == 1, 5)

    def decide(exchange):
        revoke(redis, {"jti": "late"})
        wait_until(lambda: proxy.metrics().value("postern_revocations") == 1, 5)
        tunnel(lambda sock, early: receive(sock, 1000))(exchange)

    upstream.script(decide)
    with proxy.client(timeout=8) as client:
        client.send(head("GET", "/auth", *FIELDS, bearer(configs.token(jti="late"))))
        client.head()
        assert client.exactly(17) == frame(b"\x03\xf0token revoked", opcode=8)
        assert client.closed()
    wait_until(lambda: ended(proxy, "revoked") == 1, 5)


def test_silence_ends_it_and_every_byte_puts_that_off(start, service):
    proxy = start(configs.config(service, timeouts={"tunnel_idle": "600ms", "idle": "300ms", "body_idle": "300ms", "response": "300ms"}))
    with dial(proxy, "/public/ws") as client:
        for _ in range(4):
            time.sleep(0.3)
            client.send("x")
            assert client.recv(timeout=5) == "x"
        begin = time.monotonic()
        assert until_closed(client) == (1001, "idle for too long")
        assert 0.4 < time.monotonic() - begin < 2
    assert ended(proxy, "idle") == 1


def test_sigterm_tells_websockets_and_ends_in_time(start, service):
    proxy = start(configs.config(service, timeouts={"drain": "5s"}))
    with dial(proxy, token=configs.token()) as client:
        client.send("x")
        assert client.recv(timeout=5) == "x"
        begin = time.monotonic()
        proxy.signal(signal.SIGTERM)
        assert until_closed(client) == (1001, "shutting down")
        assert proxy.wait(5) == 0
        assert time.monotonic() - begin < 3
    wait_until(lambda: service.closes == [(1001, "shutting down")], 5)


def test_sigterm_lets_other_tunnels_go_on_until_drain_is_over(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"drain": "1500ms"}, more_routes={"GET /exec": {"upgrade": "tcp"}}))

    def serve(exchange):
        exchange.send(TCP_SWITCHED)
        while True:
            part = exchange.connection.sock.recv(100)
            if not part:
                break
            exchange.connection.sock.sendall(part)
        exchange.close()

    upstream.script(serve)
    with proxy.client(timeout=5) as client:
        client.send(head("GET", "/exec", *TCP, "X-Request-Id: drained", bearer(configs.token())))
        client.head()
        begin = time.monotonic()
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: proxy.metrics().value("postern_draining") == 1, 3)
        client.send(b"ping")
        assert client.exactly(4) == b"ping"
        with pytest.raises((ConnectionResetError, socket.timeout)):
            assert client.sock.recv(1)
        assert 1 < time.monotonic() - begin < 4
    assert proxy.wait(5) == 0
    assert proxy.access("drained")["tunnel_end"] == "drained"
