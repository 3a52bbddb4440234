"""Upgrades that are refused, dropped or misused: no byte of them is ever a request, for nobody."""
import pytest

from harness import config as configs
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table
from harness.websocket import FIELDS, KEY, SWITCHED

SMUGGLED = head("GET", "/internal/secret", "X-Smuggled: 1")
VERSION = "Sec-WebSocket-Version: 13"
ASKS = ["Connection: Upgrade", "Upgrade: websocket"]

REFUSED = table(
    ("a websocket without a token", "GET", "/auth", FIELDS, "missing_token"),
    ("a websocket on a closed route", "GET", "/internal/ws", FIELDS, "route_denied"),
    ("a websocket by POST", "POST", "/public/ws", FIELDS, "bad_request"),
    ("a websocket with a body", "GET", "/public/ws", FIELDS + ["Content-Length: %d" % len(SMUGGLED)], "bad_request"),
    ("a websocket with a chunked body", "GET", "/public/ws", FIELDS + ["Transfer-Encoding: chunked"], "bad_request"),
    ("a websocket without a key", "GET", "/public/ws", ASKS + [VERSION], "bad_request"),
    ("a websocket with two keys", "GET", "/public/ws", FIELDS + [KEY], "bad_request"),
    ("a websocket with a short key", "GET", "/public/ws", ASKS + [VERSION, "Sec-WebSocket-Key: AAAA"], "bad_request"),
    ("a websocket without a version", "GET", "/public/ws", ASKS + [KEY], "bad_request"),
    ("CONNECT to an authority", "CONNECT", "mt5.test:443", [], "not_implemented"),
)


@pytest.mark.parametrize("method, target, fields, code", REFUSED)
def test_refused_and_what_follows_is_no_request(proxy, only_sentinel, method, target, fields, code):
    with proxy.client() as client:
        client.send(head(method, target, *fields) + SMUGGLED + head("GET", "/health", "X-Smuggled: 2"))
        check_problem(client.response(), code)
        assert client.closed()
    only_sentinel()


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
])
def test_bytes_behind_an_upgrade_that_the_service_declines_are_no_request(proxy, upstream, answer):
    upstream.script(lambda exchange: exchange.send(answer))
    with proxy.client() as client:
        client.send(head("GET", "/public/ws", *FIELDS) + SMUGGLED + head("GET", "/health", "X-Smuggled: 2"))
        response = client.response()
        assert response.status in (200, 204, 426) and response.header("connection") == "close"
        assert client.closed()
    assert len(upstream.requests) == 1
    assert proxy.call("GET", "/health").status == 200
    assert upstream.requests[1].connection != upstream.requests[0].connection, "a connection that was asked to switch is used again"


def test_what_a_service_sends_behind_its_refusal_is_no_answer(proxy, upstream):
    upstream.script(lambda exchange: exchange.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"))
    with proxy.client() as client:
        client.send(head("GET", "/public/ws", *FIELDS))
        assert client.response().body == b"ok"
        assert client.closed()
    for _ in range(3):
        assert b"poison" not in proxy.call("GET", "/health").body


BAD_101 = table(
    ("one that nobody asked for", [], SWITCHED),
    ("one without Upgrade", FIELDS, "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\n\r\n"),
    ("one without Connection", FIELDS, "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n"),
    ("one for another protocol", FIELDS, "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    ("one for two protocols", FIELDS, "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n"),
    ("one with a length", FIELDS, SWITCHED[:-2] + "Content-Length: 5\r\n\r\nhello"),
    ("one of HTTP/1.0", FIELDS, SWITCHED.replace("HTTP/1.1", "HTTP/1.0")),
    ("one for h2c that was dropped", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"],
     "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
)


@pytest.mark.parametrize("fields, answer", BAD_101)
def test_a_101_that_is_none_is_an_invalid_response(proxy, upstream, fields, answer):
    upstream.script(lambda exchange: (exchange.send(answer), exchange.until_peer_closes()))
    check_problem(proxy.call("GET", "/public/ws", *fields), "upstream_invalid_response")
    assert proxy.metrics().value("postern_tunnels", protocol="websocket") == 0


def test_a_101_before_the_whole_request_is_an_invalid_response(start, upstream):
    proxy = start(configs.config(upstream, more_routes={"POST /exec": {"upgrade": "tcp"}}))
    upstream.script(lambda exchange: (
        exchange.send("HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"), exchange.until_peer_closes()))
    with proxy.client() as client:
        client.send(head("POST", "/exec", "Connection: Upgrade", "Upgrade: tcp", "Content-Length: 10", bearer(configs.token())) + b"part")
        check_problem(client.response(), "upstream_invalid_response")
        assert client.closed()


DROPPED = table(
    ("a protocol that no route names", ["Connection: Upgrade", "Upgrade: tcp"]),
    ("a websocket that Connection does not name", ["Upgrade: websocket", KEY, VERSION]),
    ("a websocket with a version", ["Connection: Upgrade", "Upgrade: websocket/13", KEY, VERSION]),
    ("the upgrade of RFC 7540", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]),
    ("without its settings", ["Connection: Upgrade", "Upgrade: h2c"]),
    ("in capitals", ["Connection: UPGRADE, HTTP2-SETTINGS", "Upgrade: H2C", "http2-settings: AAMAAABkAAQAAP__"]),
    ("settings alone", ["Connection: HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"]),
    ("settings that Connection does not name", ["HTTP2-Settings: AAMAAABkAAQAAP__"]),
)


@pytest.mark.parametrize("fields", DROPPED)
def test_dropped_and_the_request_goes_on(proxy, upstream, fields):
    for target, token in (("/public/x", []), ("/auth", [bearer(configs.token())])):
        answer = proxy.call("GET", target, *(fields + token))
        assert answer.status == 200
    for request in upstream.requests:
        request.check()
        assert "upgrade" not in request.names() and "http2-settings" not in request.names()
        assert "h2c" not in request.raw_head.decode("latin-1").lower()
        assert [v for v in request.all("connection") if v.lower() != "keep-alive"] == []


def test_h2c_beside_a_websocket_is_taken_out(proxy, upstream):
    proxy.call("GET", "/public/ws", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c, websocket", KEY, VERSION,
               "HTTP2-Settings: AA")
    request = upstream.requests[0].check()
    assert request.header("upgrade") == "websocket" and request.header("connection") == "Upgrade"
    assert "http2-settings" not in request.names()


def test_h2c_on_a_guarded_route_is_guarded(proxy, only_sentinel):
    check_problem(proxy.call("GET", "/auth", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                             "HTTP2-Settings: AAMAAABkAAQAAP__"), "missing_token")
    only_sentinel()
