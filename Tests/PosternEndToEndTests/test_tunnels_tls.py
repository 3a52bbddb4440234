"""Tunnels with TLS on both sides, and how their ends look there: close_notify says that all was said, nothing else does."""
import signal
import ssl
import time

import pytest

from harness import config as configs
from harness.certificates import Authority
from harness.net import free_port, wait_until
from harness.raw import bearer, head
from harness.tls import HalfClosingClient, TLSClient, TLSUpstream, client_context, server_context
from harness.websocket import FIELDS, WebSocketUpstream, dial, frame, receive, tunnel
from test_tunnel_ends import TCP, TCP_SWITCHED, ended, until_closed

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def secured(start, authority):
    """Starts a postern with TLS towards clients and towards `url`."""

    def starter(url, **changes):
        files = dict(zip(("certificate", "key"), map(str, authority.server())))
        return start(configs.config({"url": url, "tls": {"ca": str(authority.ca)}}, listen=[
            {"address": "127.0.0.1:%d" % free_port(), "tls": files}], **changes))

    return starter


@pytest.fixture
def service(authority):
    with WebSocketUpstream(ssl=server_context(authority.server(file="service"))) as server:
        yield server


@pytest.fixture
def raw_service(authority):
    with TLSUpstream(server_context(authority.server(file="service"))) as server:
        yield server


def until_gone(client):
    """Reads to the end; what came."""
    while client._fill():
        pass
    data, client.buffer = client.buffer, b""
    return data


# wss on both sides

@pytest.mark.parametrize("version", VERSIONS)
def test_messages_of_every_size_both_ways(secured, service, authority, version):
    proxy = secured(service.url)
    with dial(proxy, "/auth", configs.token(), ssl=client_context(authority, version=version)) as client:
        for size in (0, 1, 125, 126, 65_535, 65_536, 3_000_000):
            message = bytes(n % 251 for n in range(min(size, 1000))) * (size // 1000 + 1)
            client.send(message[:size])
            assert client.recv(timeout=20) == message[:size]
        client.close(4001, "enough")
    wait_until(lambda: service.closes == [(4001, "enough")], 5)
    wait_until(lambda: ended(proxy, "closed") == 1, 5)


def test_a_service_that_closes_is_heard(secured, authority):
    with WebSocketUpstream(lambda socket: socket.close(4002, "no more"),
                           ssl=server_context(authority.server(file="service"))) as service:
        proxy = secured(service.url)
        with dial(proxy, "/public/ws", ssl=client_context(authority)) as client:
            assert until_closed(client) == (4002, "no more")
        wait_until(lambda: ended(proxy, "closed") == 1, 5)


def test_expiry_and_sigterm_say_so(secured, service, authority):
    proxy = secured(service.url, timeouts={"drain": "5s"})
    exp = time.time() + 1.5
    context = client_context(authority)
    with dial(proxy, "/auth", configs.token(exp=exp), ssl=context) as short, \
            dial(proxy, "/auth", configs.token(), ssl=context) as long:
        assert until_closed(short) == (1008, "token expired")
        assert time.time() >= exp
        long.send("x")
        assert long.recv(timeout=5) == "x"
        proxy.signal(signal.SIGTERM)
        assert until_closed(long) == (1001, "shutting down")
    assert proxy.wait(5) == 0
    wait_until(lambda: sorted(service.closes) == [(1001, "shutting down"), (1008, "token expired")], 5)


# Ends

def test_a_tunnel_that_is_cut_off_is_reset_on_both_sides(secured, raw_service, authority):
    """The service is in the middle of a frame when the token expires, and stays there."""
    proxy = secured(raw_service.url)
    exp = time.time() + 1
    raw_service.script(tunnel(lambda sock, early: (sock.sendall(frame(b"abcdefgh")[:5]), ends.append(how_it_ends(sock)))))
    ends = []
    with HalfClosingClient(proxy.port, client_context(authority), timeout=12) as client:
        client.send(head("GET", "/auth", *FIELDS, bearer(configs.token(exp=exp))))
        client.head()
        client.exactly(5)
        assert until_gone(client) == b""
        assert client.reset and client.ragged, "no close_notify before the reset"
    wait_until(lambda: ends, 5)
    assert ends == ["broken"]
    assert ended(proxy, "expired") == 1


def how_it_ends(sock):
    """Whether the other side's end is one that it has announced. What it sends before is thrown away."""
    sock.settimeout(10)
    sock.suppress_ragged_eofs = False
    try:
        while sock.recv(1000):
            pass
        return "well"
    except (ConnectionResetError, ssl.SSLEOFError):
        return "broken"


def tcp(proxy, authority, kind=TLSClient):
    client = kind(proxy.port, client_context(authority), timeout=8)
    client.send(head("GET", "/exec", *TCP, bearer(configs.token())))
    client.head()
    return client


EXEC = {"more_routes": {"GET /exec": {"upgrade": "tcp"}}}


def test_another_protocol_ends_well_only_if_the_service_says_so(secured, raw_service, authority):
    proxy = secured(raw_service.url, **EXEC)

    def finish(exchange):
        exchange.send(TCP_SWITCHED + b"all")
        exchange.close()

    def crash(exchange):
        exchange.send(TCP_SWITCHED + b"half")
        exchange.connection.polite = False
        exchange.close()

    raw_service.script(finish, crash)
    with tcp(proxy, authority, HalfClosingClient) as client:
        assert client.exactly(3) == b"all"
        assert until_gone(client) == b"" and client.eof
        client.say_goodbye()
    wait_until(lambda: ended(proxy, "closed", "other") == 1, 5)
    with tcp(proxy, authority) as client:
        client.exactly(4)
        assert until_gone(client) == b""
        assert not client.ended_well, "what may not be whole does not look whole"
    wait_until(lambda: ended(proxy, "broken", "other") == 1, 5)


def test_another_protocol_ends_well_only_if_the_client_says_so(secured, raw_service, authority):
    proxy = secured(raw_service.url, **EXEC)
    ends = []

    def serve(exchange):
        exchange.send(TCP_SWITCHED)
        ends.append(how_it_ends(exchange.connection.sock))
        exchange.close()

    raw_service.script(serve, serve)
    with tcp(proxy, authority, HalfClosingClient) as client:
        client.send(b"all").say_goodbye()
        wait_until(lambda: ends, 5)
    with tcp(proxy, authority) as client:
        client.send(b"half")
    wait_until(lambda: len(ends) == 2, 5)
    assert ends == ["well", "broken"]
    wait_until(lambda: ended(proxy, "broken", "other") == 1, 5)


def test_a_websocket_that_crashes_breaks_the_other_side(secured, raw_service, authority):
    proxy = secured(raw_service.url)

    def crash(sock, early):
        sock.sendall(frame(b"abcdefgh")[:5])

    def script(exchange):
        exchange.connection.polite = False
        tunnel(crash)(exchange)

    raw_service.script(script)
    with TLSClient(proxy.port, client_context(authority), timeout=8) as client:
        client.send(head("GET", "/auth", *FIELDS, bearer(configs.token())))
        client.head()
        client.exactly(5)
        until_gone(client)
        assert not client.ended_well
    wait_until(lambda: ended(proxy, "broken") == 1, 5)


# What is cut off at the end of the process

@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "tls"])
def test_a_response_that_overtakes_its_request_does_not_look_whole_at_the_end(start, upstream, authority, over_tls, version):
    """All of the response that there is so far has come, and ends with the connection; the request's body has not."""
    files = dict(zip(("certificate", "key"), map(str, authority.server())))
    address = "127.0.0.1:%d" % free_port()
    proxy = start(configs.config(upstream, timeouts={"drain": "400ms"},
                                 listen=[{"address": address, "tls": files} if over_tls else address]))

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nso far")
        exchange.until_peer_closes()

    upstream.script(answer)
    with (TLSClient(proxy.port, client_context(authority), timeout=8) if over_tls else proxy.client(8)) as client:
        client.send(head("POST", "/public/x", "Content-Length: 100", version=version) + b"part")
        assert client.head()[0] == 200
        proxy.signal(signal.SIGTERM)
        rest = until_gone(client)
        assert b"so far" in rest
        if version == "HTTP/1.0":
            # Only the end of the connection would say that it is whole.
            assert client.reset or (over_tls and client.ragged)
        else:
            assert not rest.endswith(b"0\r\n\r\n")
        assert not over_tls or not client.ended_well
    assert proxy.wait(5) == 0


def test_a_whole_response_that_overtakes_its_request_is_cut_off_at_the_end(start, upstream, authority):
    """The response is there, the request's body is not: over TLS no close_notify says that both came to their end."""
    files = dict(zip(("certificate", "key"), map(str, authority.server())))
    proxy = start(configs.config(upstream, timeouts={"drain": "400ms"}, listen=[
        {"address": "127.0.0.1:%d" % free_port(), "tls": files}]))

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        exchange.until_peer_closes()

    upstream.script(answer)
    with TLSClient(proxy.port, client_context(authority), timeout=8) as client:
        client.send(head("POST", "/public/x", "Content-Length: 100") + b"part")
        assert client.head()[0] == 200 and client.exactly(4) == b"half"
        proxy.signal(signal.SIGTERM)
        assert until_gone(client) == b""
        assert not client.ended_well
    assert proxy.wait(5) == 0
