"""Upgrades: tunnels are not available yet, so a WebSocket is refused in words; h2c is ignored for ever."""
import pytest

from harness import config as configs
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
WEBSOCKET = ["Connection: Upgrade", "Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13"]

REFUSED = table(
    ("a websocket on a public route", "GET", "/public/ws", WEBSOCKET, False, "not_implemented"),
    ("a websocket with a good token", "GET", "/auth", WEBSOCKET, True, "not_implemented"),
    ("a websocket beside keep-alive", "GET", "/public/ws",
     ["Connection: keep-alive, upgrade", "Upgrade: WebSocket", KEY], False, "not_implemented"),
    ("CONNECT to an authority", "CONNECT", "mt5.test:443", [], False, "not_implemented"),
    ("CONNECT with a good token", "CONNECT", "mt5.test:443", [], True, "not_implemented"),
)


@pytest.mark.parametrize("method, target, fields, known, code", REFUSED)
def test_refused_and_reaches_nobody(proxy, only_sentinel, method, target, fields, known, code):
    fields = fields + ([bearer(configs.token())] if known else [])
    with proxy.client() as client:
        client.send(head(method, target, *fields))
        check_problem(client.response(), code)
    only_sentinel()


def test_a_websocket_that_may_not_pass_is_never_a_tunnel(proxy, only_sentinel):
    for target in ("/auth", "/internal/ws", "/nowhere"):
        answer = proxy.call("GET", target, *WEBSOCKET)
        assert answer.status in (401, 403, 501), answer
    only_sentinel()


H2C = table(
    ("the upgrade of RFC 7540", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]),
    ("without its settings", ["Connection: Upgrade", "Upgrade: h2c"]),
    ("in capitals", ["Connection: UPGRADE, HTTP2-SETTINGS", "Upgrade: H2C", "http2-settings: AAMAAABkAAQAAP__"]),
    ("settings alone", ["Connection: HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"]),
    ("settings that Connection does not name", ["HTTP2-Settings: AAMAAABkAAQAAP__"]),
)


@pytest.mark.parametrize("fields", H2C)
def test_h2c_is_dropped_and_the_request_goes_on(proxy, upstream, fields):
    for target, token in (("/public/x", []), ("/auth", [bearer(configs.token())])):
        answer = proxy.call("GET", target, *(fields + token))
        assert answer.status == 200
    for request in upstream.requests:
        request.check()
        assert "upgrade" not in request.names() and "http2-settings" not in request.names()
        assert "h2c" not in request.raw_head.decode("latin-1").lower()
        assert [v for v in request.all("connection") if v.lower() != "keep-alive"] == []


def test_h2c_on_a_guarded_route_is_guarded(proxy, only_sentinel):
    check_problem(proxy.call("GET", "/auth", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                             "HTTP2-Settings: AAMAAABkAAQAAP__"), "missing_token")
    only_sentinel()
