"""HTTP/2 to a service that is wrong: what is no response is never passed on, what breaks off is never taken for whole."""
import socket
import threading

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from websockets.exceptions import InvalidStatus

from harness import config as configs
from harness.certificates import Authority
from harness.h2service import H2Service, echo
from harness.load import Quick
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import Truncated, bearer, head
from harness.tls import TLSUpstream, server_context
from harness.websocket import dial, frame
from test_h2_upstream import behind, service

__all__ = ["service"]
OK = (":status", "200")


def reasons(proxy):
    return [line["reason"] for line in proxy.lines() if line.get("message") == "upstream is unavailable"]


# What is no response.

HEADS = {
    "an upper-case name": [OK, ("X-Upper", "a")],
    "a line break in a value": [OK, ("x-a", "b\r\nset-cookie: stolen=1")],
    "a bare LF in a value": [OK, ("x-a", "b\nc")],
    "NUL in a value": [OK, ("x-a", "b\0c")],
    "a line break in a name": [OK, ("x-a: b\r\nx-c", "d")],
    "a name with a blank": [OK, ("x a", "b")],
    "a blank at the end of a value": [OK, ("x-a", "b ")],
    "connection": [OK, ("connection", "close")],
    "transfer-encoding": [OK, ("transfer-encoding", "chunked")],
    "keep-alive": [OK, ("keep-alive", "timeout=5")],
    "upgrade": [OK, ("upgrade", "h2c")],
    "no status": [("x-a", "b")],
    "nothing": [],
    "status twice": [OK, OK],
    "status at the end": [("x-a", "b"), OK],
    "another pseudo-header": [OK, (":path", "/")],
    "status 101": [(":status", "101")],
    "status 99": [(":status", "099")],
    "status of words": [(":status", "2OO")],
    "status with a line break": [(":status", "200\r\nx: y")],
    "length of two values": [OK, ("content-length", "1"), ("content-length", "1")],
    "length with a sign": [OK, ("content-length", "+1")],
    "length without content": [OK, ("content-length", "7")],
}


@pytest.mark.parametrize("fields", HEADS.values(), ids=HEADS.keys())
def test_a_head_that_is_none_is_never_passed_on(start, service, fields):
    server = service()
    proxy = start(behind(server))
    with proxy.client() as client:
        assert client.send(head("GET", "/health")).response().status == 200
        server.script = lambda stream: stream.send_raw_fields(fields, end=True)
        answer = client.send(head("GET", "/health")).response()
        check_problem(answer, "upstream_invalid_response")
        assert b"stolen" not in answer.raw
        server.script = echo
        assert client.send(head("GET", "/health")).response().status == 200
    assert len(server.connections) == 1, "the other streams of the connection are not to blame"


FRAMES = {
    "content before a head": lambda s: s.connection.send_frame(0, 1, s.number, b"abc"),
    "an interim response that ends": lambda s: s.send_raw_fields([(":status", "103")], end=True),
    "less content than was said": lambda s: (s.send_raw_fields([OK, ("content-length", "7")]),
                                             s.connection.send_frame(0, 1, s.number, b"abc")),
    "more content than was said": lambda s: (s.send_raw_fields([OK, ("content-length", "2")]),
                                             s.connection.send_frame(0, 1, s.number, b"abc")),
    "content that ends in fields with a pseudo-header": lambda s: (s.send_raw_fields([OK]),
                                                                   s.connection.send_frame(0, 0, s.number, b"abc"),
                                                                   s.send_raw_fields([OK], end=True)),
    "fields after content that do not end": lambda s: (s.send_raw_fields([OK]), s.connection.send_frame(0, 0, s.number, b"abc"),
                                                       s.send_raw_fields([("x-a", "b")])),
    "a trailer with a line break": lambda s: (s.send_raw_fields([OK]), s.connection.send_frame(0, 0, s.number, b"abc"),
                                              s.send_raw_fields([("x-a", "b\r\nx-c: d")], end=True)),
    "a trailer that frames": lambda s: (s.send_raw_fields([OK]), s.connection.send_frame(0, 0, s.number, b"abc"),
                                        s.send_raw_fields([("content-length", "3")], end=True)),
    "a reset inside the content": lambda s: (s.send_raw_fields([OK]), s.connection.send_frame(0, 0, s.number, b"abc"),
                                             s.rst(ErrorCodes.INTERNAL_ERROR)),
    "a reset without an error inside the content": lambda s: (s.send_raw_fields([OK, ("content-length", "9")]),
                                                              s.connection.send_frame(0, 0, s.number, b"abc"),
                                                              s.rst(ErrorCodes.NO_ERROR)),
    "the end of the connection inside the content": lambda s: (s.send_raw_fields([OK]),
                                                               s.connection.send_frame(0, 0, s.number, b"abc"),
                                                               s.connection.close()),
    "GOAWAY and the end of the connection": lambda s: (s.send_raw_fields([OK]), s.connection.send_frame(0, 0, s.number, b"abc"),
                                                       s.connection.goaway(s.number), s.connection.close()),
}


@pytest.mark.parametrize("frames", FRAMES.values(), ids=FRAMES.keys())
def test_what_breaks_off_is_never_taken_for_whole(start, service, frames):
    server = service()
    proxy = start(behind(server))
    server.script = frames
    with proxy.client() as client:
        client.send(head("POST", "/auth", bearer(configs.token()), "Content-Length: 0"))
        try:
            answer = client.response()
        except Truncated:
            assert client.eof
        else:
            assert answer.status == 502, answer
    server.script = echo
    assert proxy.call("GET", "/health").status == 200


# A service that is wrong about its connection.

def test_a_list_of_fields_beyond_its_limit(start, service):
    server = service()
    proxy = start(behind(server))
    server.script = lambda stream: stream.respond(200, *[("x-%d" % n, "v" * 1000) for n in range(100)])
    check_problem(proxy.call("GET", "/health"), "upstream_invalid_response")
    server.script = lambda stream: stream.respond(200, *[("x-%d" % n, "v" * 1000) for n in range(400)])
    assert proxy.call("GET", "/health").status == 502
    server.script = echo
    assert proxy.call("GET", "/health").status == 200
    assert proxy.alive()


FLOODS = {
    "PING": lambda c: c.sock.sendall(b"\0\0\x08\x06\0\0\0\0\0" + b"12345678"),
    "SETTINGS": lambda c: c.sock.sendall(b"\0\0\0\x04\0\0\0\0\0"),
    "empty DATA": lambda c: c.sock.sendall(b"\0\0\0\0\0\0\0\0\x01"),
    "CONTINUATION": lambda c: c.sock.sendall(b"\0\0\x05\x09\0\0\0\0\x01" + b"\0\x01a\x01b"),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_frames_ends_the_connection(start, service, kind):
    server = service()
    proxy = start(behind(server, timeouts={"response": "20s"}))
    before = proxy.rss()
    ended = threading.Event()

    def flood(stream):
        connection = stream.connection
        with connection.lock:
            if kind == "CONTINUATION":
                connection.send_frame(1, 0, stream.number, b"\x88")
            elif kind == "empty DATA":
                stream.send_raw_fields([OK])
        try:
            for _ in range(200_000):
                FLOODS[kind](connection)
        except OSError:
            ended.set()

    server.script = flood
    with proxy.client(10) as client:
        client.send(head("GET", "/health"))
        assert ended.wait(10), "the proxy takes everything"
    server.script = echo
    assert proxy.call("GET", "/health").status == 200
    assert proxy.rss() - before < 20 << 10


def test_a_service_that_does_not_speak_http2(start, new_upstream):
    upstream = new_upstream()
    proxy = start(configs.config({"url": upstream.url, "protocol": "h2"}))
    for _ in range(3):
        check_problem(proxy.call("GET", "/health"), "upstream_unavailable")
    wait_until(lambda: reasons(proxy), 3, "a reason in the log")
    assert len(reasons(proxy)) == 1 and "HTTP/2" in reasons(proxy)[0]


def test_a_service_that_says_nothing(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = "http://127.0.0.1:%d" % silent.getsockname()[1]
        proxy = start(configs.config({"url": url, "protocol": "h2"}, timeouts={"connect": "300ms"}))
        check_problem(proxy.call("GET", "/health"), "upstream_unavailable")
        wait_until(lambda: reasons(proxy), 3, "a reason in the log")
        assert reasons(proxy) == ["no HTTP/2 settings in time"]


@pytest.mark.parametrize("ends", ["GOAWAY", "close"])
@pytest.mark.parametrize("limit", [0, 100])
def test_a_service_that_ends_every_connection_at_once(start, ends, limit):
    """The request is told; connections are not made for nobody for ever."""
    server = EndingService(ends, limit)
    try:
        proxy = start(configs.config({"url": server.url, "protocol": "h2"}, timeouts={"connect": "1s"}))
        assert proxy.call("GET", "/health").status == 502
        before = server.count
        assert before < 50
        assert proxy.call("GET", "/health").status == 502
        assert server.count - before < 50
        wait_until(lambda: proxy.metrics().value("postern_connections", side="upstream") == 0, 5, "connections to end")
        count = server.count
        server.more.clear()
        assert not server.more.wait(0.3), "connections for nobody: %d after %d" % (server.count, count)
    finally:
        server.stop()


class EndingService:
    """Sends its settings, and then GOAWAY, or closes."""

    def __init__(self, ends, limit):
        self.ends, self.limit, self.count = ends, limit, 0
        self.more = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            self.more.set()
            threading.Thread(target=self._end, args=(sock,), daemon=True).start()

    def _end(self, sock):
        with sock:
            try:
                sock.sendall(b"\0\0\x06\x04\0\0\0\0\0\0\x03" + self.limit.to_bytes(4, "big"))
                if self.ends == "GOAWAY":
                    sock.sendall(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))
                    while sock.recv(1 << 16):
                        pass
            except OSError:
                pass

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def test_a_service_that_is_not_there(start):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = "http://127.0.0.1:%d" % gone.getsockname()[1]
    proxy = start(configs.config({"url": url, "protocol": "h2"}))
    for _ in range(3):
        check_problem(proxy.call("GET", "/health"), "upstream_unavailable")
    wait_until(lambda: reasons(proxy), 3, "a reason in the log")
    assert reasons(proxy) == ["connection refused"]


def test_a_field_that_http2_cannot_carry_unchanged(start, service):
    server = service()
    proxy = start(behind(server))
    check_problem(proxy.call("GET", "/health", "X-Name: caf\xe9"), "bad_request")
    assert server.requests == []
    assert proxy.call("GET", "/health", "X-Name: caf\xc3\xa9").status == 200
    assert server.requests[0].header("x-name") == "caf\u00e9"


# TLS: ALPN decides.


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def over_tls(url, authority, protocol):
    return configs.config({"url": url, "protocol": protocol, "tls": {"ca": str(authority.ca)}})


@pytest.mark.parametrize("protocol", ["h2", "auto"])
def test_http2_over_tls(start, service, authority, protocol):
    server = service(context=server_context(authority.server()))
    proxy = start(over_tls(server.url, authority, protocol))
    with Quick(proxy.port) as client:
        for _ in range(20):
            assert client.get(configs.token()) == 200
    assert len(server.connections) == 1
    assert server.requests[0].header(":scheme") == "https"


def test_auto_with_a_service_of_http1(start, authority):
    context = server_context(authority.server())
    context.set_alpn_protocols(["http/1.1"])
    server = TLSUpstream(context, name="localhost")
    try:
        proxy = start(over_tls(server.url, authority, "auto"))
        clients = [Quick(proxy.port) for _ in range(8)]
        for _ in range(5):
            for each in clients:
                each.send(configs.token())
            assert [each.receive() for each in clients] == [200] * 8
        for each in clients:
            each.close()
        assert len(server.requests) == 40 and server.requests[0].check().version == "HTTP/1.1"
    finally:
        server.stop()


def test_auto_follows_a_service_that_changes(start, authority):
    """The same address speaks HTTP/1.1, then HTTP/2, then HTTP/1.1 again."""
    first = H2Service(context=server_context(authority.server()))
    port = first.port
    proxy = start(over_tls(first.url, authority, "auto"))
    assert proxy.call("GET", "/health").json()["path"] == "/health"
    first.stop()
    second = OneHTTP1(port, server_context(authority.server()))
    try:
        wait_until(lambda: proxy.call("GET", "/health").status == 200 and second.served, 5, "HTTP/1.1")
    finally:
        second.stop()
    third = H2Service(context=server_context(authority.server()), port=port)
    try:
        wait_until(lambda: proxy.call("GET", "/health").status == 200 and third.requests, 5, "HTTP/2")
    finally:
        third.stop()


class OneHTTP1:
    """A service of HTTP/1.1 alone, at a given port; a connection for each request."""

    def __init__(self, port, context):
        context.set_alpn_protocols(["http/1.1"])
        self.context, self.served = context, 0
        self.listener = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
                with self.context.wrap_socket(sock, server_side=True) as connection:
                    if b"\r\n\r\n" in connection.recv(1 << 16):
                        self.served += 1
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


@pytest.mark.parametrize("alpn", [["http/1.1"], None])
def test_h2_with_a_service_that_does_not_offer_it(start, authority, alpn):
    context = server_context(authority.server())
    if alpn:
        context.set_alpn_protocols(alpn)
    server = TLSUpstream(context, name="localhost")
    try:
        proxy = start(over_tls(server.url, authority, "h2"))
        for _ in range(3):
            check_problem(proxy.call("GET", "/health"), "upstream_unavailable")
        wait_until(lambda: reasons(proxy), 3, "a reason in the log")
        assert len(reasons(proxy)) == 1 and "HTTP/2" in reasons(proxy)[0]
        assert server.requests == []
    finally:
        server.stop()


# WebSockets (RFC 8441).


def test_a_websocket_over_http2(start, service):
    def script(stream):
        if stream.method != "CONNECT":
            return echo(stream)
        stream.respond(200, ("sec-websocket-protocol", "chat"), end=False)
        while True:
            data = stream.read()
            if not data:
                return stream.send(b"", end=True)
            stream.send(unmasked(data))

    server = service(script, settings={SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
    proxy = start(behind(server))
    with dial(proxy, token=configs.token(sub="u-7"), subprotocols=["chat"]) as client:
        for message in ("one", "two", "three" * 20):
            client.send(message)
            assert client.recv(timeout=5) == message
        assert client.subprotocol == "chat"
        assert proxy.metrics().value("postern_tunnels", protocol="websocket") == 1
        assert proxy.call("GET", "/health").status == 200
    request = server.requests[0]
    assert request.header(":protocol") == "websocket" and request.header(":path") == "/auth"
    assert request.header("x-user-id") == "u-7" and request.header("sec-websocket-version") == "13"
    assert request.all("sec-websocket-key") == [] and request.all("connection") == [] and request.all("te") == []
    wait_until(lambda: proxy.metrics().value("postern_tunnels", protocol="websocket") == 0, 5, "the tunnel to end")
    assert len(server.connections) == 1


def unmasked(data):
    """The server's frames for a client's small ones."""
    result = b""
    while data:
        count = data[1] & 0x7F
        opcode, key, payload, data = data[0] & 0x0F, data[2:6], data[6 : 6 + count], data[6 + count :]
        result += frame(bytes(b ^ key[i % 4] for i, b in enumerate(payload)), opcode=opcode)
    return result


def test_a_service_that_takes_no_websockets_over_http2(start, service):
    server = service()
    proxy = start(behind(server))
    with pytest.raises(InvalidStatus) as refused:
        dial(proxy, token=configs.token())
    assert refused.value.response.status_code == 501
    assert b"RFC 8441" in refused.value.response.body
    assert server.requests == []
    assert proxy.call("GET", "/health").status == 200


def test_a_websocket_that_the_service_refuses(start, service):
    server = service(lambda stream: stream.respond(403, body=b"no"), settings={SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
    proxy = start(behind(server))
    with pytest.raises(InvalidStatus) as refused:
        dial(proxy, token=configs.token())
    assert refused.value.response.status_code == 403
