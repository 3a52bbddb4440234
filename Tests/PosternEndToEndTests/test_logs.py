"""One JSON line a request, with the documented fields, and never a secret, a token or a query string."""
import json
import os
import re
import time

import pytest

from harness import config as configs
from harness import mint
from harness import scripts
from harness.net import wait_until
from harness.raw import bearer, head

FIELDS = {
    "time", "request_id", "trace_id", "client", "method", "path", "route", "decision", "code", "issuer", "user",
    "client_id", "jti", "token_source", "status", "bytes_in", "bytes_out", "duration_ms", "upstream_ms", "spoofed",
}


def test_line_of_a_permitted_request(proxy, upstream):
    token = configs.token(jti="the-jti")
    proxy.call("POST", "/auth?secret=1", "X-Request-Id: log-ok", token=token, body=b"12345")
    line = proxy.access("log-ok")
    assert FIELDS - {"code", "spoofed"} <= set(line), FIELDS - set(line)
    assert set(line) - {"level", "message", "kind", "service"} <= FIELDS, set(line) - FIELDS
    assert line["method"] == "POST"
    assert line["path"] == "/auth"
    assert "/auth" in line["route"]
    assert line["status"] == 200
    assert (line["issuer"], line["user"], line["client_id"], line["jti"]) == ("main", "user-7", "trading-dashboard", "the-jti")
    assert line["token_source"] in ("jwt", "l1")
    assert line["client"].startswith("127.0.0.1")
    assert line["bytes_in"] >= 5 and line["bytes_out"] > 0
    assert isinstance(line["duration_ms"], (int, float)) and line["duration_ms"] >= line["upstream_ms"] >= 0
    assert re.match(r"[0-9a-f]{32}\Z", line["trace_id"])
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", line["time"])
    proxy.call("GET", "/auth", "X-Request-Id: log-again", token=token)
    assert proxy.access("log-again")["token_source"] == "l1"


def test_line_of_a_refused_request(proxy, upstream):
    proxy.call("GET", "/api/v1/account/balance", "X-Request-Id: log-403", token=configs.token())
    line = proxy.access("log-403")
    assert (line["status"], line["code"], line["user"]) == (403, "insufficient_scope", "user-7")
    assert line["decision"]
    proxy.call("GET", "/nowhere", "X-Request-Id: log-404")
    assert proxy.access("log-404")["code"] == "route_not_declared"


def test_every_line_of_stdout_is_json(proxy, upstream):
    proxy.call("GET", "/health")
    for line in proxy.lines():
        assert isinstance(line, dict)


INJECTED = ["/public/%22%7D%7B", "/public/\"}{\"level\":\"x", "/public/%E2%80%A8"]


@pytest.mark.parametrize("target", INJECTED)
def test_a_path_cannot_forge_a_line(proxy, upstream, target):
    request_id = "forge-%d" % INJECTED.index(target)
    proxy.call("GET", target, "X-Request-Id: " + request_id)
    assert proxy.access(request_id)["path"]


def test_malformed_requests_do_not_break_the_log(proxy, upstream):
    for wire in (b"\x00\xff\xfe garbage\r\n\r\n", b"GET /\xff\"\\ HTTP/1.1\r\nHost: a\r\n\r\n", b"G\"ET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        with proxy.client() as client:
            client.send(wire)
            client.half_close()
            while client._fill():
                pass
    proxy.call("GET", "/health", "X-Request-Id: after-garbage")
    proxy.access("after-garbage")
    proxy.lines()


@pytest.mark.parametrize("level", ["trace", "debug", "info"])
def test_no_output_at_any_level_holds_a_token_or_a_query(start, upstream, key_server, level):
    server = key_server(mint.key("ES256"))
    secret = "hmac-secret-that-nobody-must-ever-see-1"
    config = configs.config(upstream, log={"level": level}, issuers={
        "main": configs.issuer(),
        "remote": configs.issuer(issuer="https://remote.test", algorithms=["ES256"], keys={
            "url": server.url + "/jwks", "headers": {"X-Api-Key": "key-of-the-issuer-fetch"}}),
        "hmac": configs.issuer(issuer="https://hmac.test", algorithms=["HS256"], keys={"secret": secret}),
    })
    try:
        proxy = start(config)
    except AssertionError:
        assert level == "trace", "the level %s must exist" % level
        return
    good, expired, forged = configs.token(), configs.token(exp=1), mint.Key("ES256", "evil").token(iss="https://remote.test")
    tokens = [good, expired, forged, "not-a-jwt-but-a-secret-nonetheless"]
    for token in tokens:
        proxy.call("GET", "/auth?access_tok=query-secret-1", token=token)
        proxy.call("GET", "/auth?access_token=" + token)
        proxy.call("GET", "/auth?access_token=" + token, token=token)
        proxy.call("GET", "/auth", bearer(token), bearer(token))
        proxy.call("GET", "/auth?x#" + token, bearer(token))
        proxy.call("GET", "/auth", "Authorization: Bearer " + token + " x")
        proxy.call("GET", "/auth", "Authorization : Bearer " + token)
        proxy.call("GET", "/auth", "Authorization: Basic cGFzc3dvcmQtb2YtdXNlcg==")
        proxy.call("GET", "/public/x", "Cookie: session=cookie-secret-1", bearer(token))
    proxy.call("GET", "/health?q=query-secret-2", "X-Request-Id: leak-end")
    proxy.access("leak-end")
    text = proxy.output() + proxy.get_admin("/metrics").body.decode() + proxy.get_admin("/policy").body.decode()
    for needle in [each.split(".")[-1] for each in tokens] + [good.split(".")[1], "query-secret", "cookie-secret", secret,
                                                              "key-of-the-issuer-fetch", "cGFzc3dvcmQ", "access_tok"]:
        assert needle not in text, "leaked at level %s: %s" % (level, needle[:12])


MODES = [("all", {"health", "auth"}), ("denied", {"auth"}), ("off", set())]


@pytest.mark.parametrize("mode, logged", MODES, ids=[m for m, _ in MODES])
def test_access_modes(start, upstream, mode, logged):
    proxy = start(configs.config(upstream, log={"access": mode}))
    for name in ("health", "auth"):
        proxy.call("GET", "/" + name, "X-Request-Id: mode-" + name)
    if logged:
        for name in logged:
            proxy.access("mode-" + name)
    proxy.stop()
    text = proxy.out.read_text()
    assert {name for name in ("health", "auth") if '"mode-%s"' % name in text.replace(": ", ":")} == logged


def test_requests_that_end_badly_are_logged_once(proxy, upstream):
    upstream.script(scripts.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", then="close"))
    with proxy.client() as client:
        client.send(head("GET", "/public/cut", "X-Request-Id: log-cut"))
        while client._fill():
            pass
    proxy.access("log-cut")
    upstream.script(scripts.silent)
    client = proxy.client()
    client.send(head("GET", "/public/left", "X-Request-Id: log-left"))
    upstream.wait(2)
    client.abort()
    proxy.access("log-left")


def test_a_sink_that_does_not_read_never_blocks_and_lines_are_counted(start, upstream):
    reader, writer = os.pipe()
    proxy = start(configs.config(upstream, timeouts={"idle": "10s"}), stdout=writer)
    os.close(writer)
    try:
        with proxy.client() as client:
            path = "/public/" + "p" * 500
            deadline = time.monotonic() + 20
            while proxy.metrics().value("postern_log_lines_dropped_total") == 0:
                assert time.monotonic() < deadline, "nothing is dropped although nobody reads"
                for _ in range(400):
                    assert client.send(head("GET", path)).response().status == 200
        dropped = proxy.metrics().value("postern_log_lines_dropped_total")
        assert dropped > 0
        assert proxy.get_admin("/healthz").status == 200

        os.set_blocking(reader, False)

        def drain():
            parts = []
            while True:
                try:
                    parts.append(os.read(reader, 1 << 20))
                except BlockingIOError:
                    return b"".join(parts)

        text = b""
        wait_until(lambda: not drain(), 10, "the pipe to run dry", interval=0.1)
        proxy.call("GET", "/health", "X-Request-Id: after-the-jam")

        def found():
            nonlocal text
            text += drain()
            return b"after-the-jam" in text

        wait_until(found, 5, "logging to go on")
        for line in text.splitlines()[1:]:
            json.loads(line)
    finally:
        os.close(reader)
