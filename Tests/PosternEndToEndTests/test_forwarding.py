"""What of a request's head goes on, what does not, and what is added (3-behaviour, "To the upstream")."""
import re

import pytest

from harness import config as configs
from harness import scripts
from harness.raw import bearer, head
from harness.table import table

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")


def forwarded(proxy, upstream, *fields, method="GET", target="/public/x", body=None, host="mt5.test"):
    assert proxy.call(method, target, *fields, body=body, host=host).status == 200
    return upstream.requests[-1].check()


HOP_BY_HOP = table(
    ("Connection", "Connection: keep-alive", "connection"),
    ("what Connection names", "Connection: X-Hop\r\nX-Hop: 1", "x-hop"),
    ("what a second Connection names", "Connection: close\r\nConnection: x-hop2\r\nX-Hop2: 1", "x-hop2"),
    ("Keep-Alive", "Keep-Alive: timeout=5", "keep-alive"),
    ("Proxy-Connection", "Proxy-Connection: keep-alive", "proxy-connection"),
    ("Proxy-Authorization", "Proxy-Authorization: Basic eA==", "proxy-authorization"),
    ("TE", "TE: trailers\r\nConnection: te", "te"),
    ("Upgrade of h2c", "Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "upgrade"),
    ("HTTP2-Settings", "Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
     "http2-settings"),
    ("Authorization on a public route", "Authorization: Bearer x", "authorization"),
)


@pytest.mark.parametrize("fields, name", HOP_BY_HOP)
def test_removed(proxy, upstream, fields, name):
    request = forwarded(proxy, upstream, fields, "X-After: 1")
    values = [v for v in request.all(name) if name != "connection" or v.lower() != "keep-alive"]
    assert values == [], request.headers
    assert request.header("x-after") == "1"


def test_order_and_spelling_of_the_rest_are_kept(proxy, upstream):
    fields = ["X-b: 2", "x-A: 1", "ACCEPT: */*", "Cookie: a=b; c=d", "X-b: 3", "User-Agent:  u  ", "X-Empty:", "accept: b"]
    request = forwarded(proxy, upstream, *fields)
    mine = [each for each in request.headers if each[0].lower() in ("x-b", "x-a", "accept", "cookie", "user-agent", "x-empty")]
    assert mine == [("X-b", "2"), ("x-A", "1"), ("ACCEPT", "*/*"), ("Cookie", "a=b; c=d"), ("X-b", "3"),
                    ("User-Agent", "u"), ("X-Empty", ""), ("accept", "b")]


@pytest.mark.parametrize("host", ["mt5.test", "MT5.test:8080", "127.0.0.1:1", "[::1]:80", "[::1]", "under_score.test"])
def test_host_is_unchanged(proxy, upstream, host):
    assert forwarded(proxy, upstream, host=host).header("host") == host


def test_bytes_over_0x7f_in_a_value_are_kept(proxy, upstream):
    assert forwarded(proxy, upstream, "X-Name: J\xe4ger\tx").header("x-name") == "J\xe4ger\tx"


def test_forwarded_headers_are_replaced_without_trusted_proxies(proxy, upstream):
    request = forwarded(
        proxy, upstream, "X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 7.7.7.7", "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.test", "Forwarded: for=6.6.6.6;proto=https", "X-Forwarded-Port: 1", "X_Forwarded_For: 8.8.8.8",
    )
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert request.header("x-forwarded-proto") == "http"
    assert request.header("x-forwarded-host") == "mt5.test"
    assert request.all("forwarded") == []
    assert "6.6.6.6" not in request.raw_head.decode("latin-1")
    assert "evil.test" not in request.raw_head.decode("latin-1")


KEPT_IDS = ["a", "0", "abc.DEF_123-x", "x" * 128]
REPLACED_IDS = ["x" * 129, "a b", "a/b", "a,b", "", "<script>", "\xe4", "a:b"]


@pytest.mark.parametrize("value", KEPT_IDS)
def test_request_id_is_kept(proxy, upstream, value):
    answer = proxy.call("GET", "/public/x", "X-Request-Id: " + value)
    assert upstream.requests[-1].header("x-request-id") == value
    assert answer.status == 200


@pytest.mark.parametrize("value", REPLACED_IDS)
def test_request_id_of_another_form_is_replaced(proxy, upstream, value):
    seen = forwarded(proxy, upstream, "X-Request-Id: " + value).header("x-request-id")
    assert REQUEST_ID.match(seen) and seen != value


def test_two_request_ids_become_one(proxy, upstream):
    assert REQUEST_ID.match(forwarded(proxy, upstream, "X-Request-Id: a", "X-Request-Id: b").header("x-request-id"))


def test_request_ids_are_made_and_unique(proxy, upstream):
    made = [forwarded(proxy, upstream).header("x-request-id") for _ in range(50)]
    assert len(set(made)) == 50 and all(REQUEST_ID.match(each) for each in made)


GOOD_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACES = table(
    ("none", None),
    ("an all-zero trace id", "00-" + "0" * 32 + "-00f067aa0ba902b7-01"),
    ("an all-zero parent id", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01"),
    ("capitals", GOOD_TRACE.upper()),
    ("version ff", "ff" + GOOD_TRACE[2:]),
    ("a part missing", GOOD_TRACE[:-3]),
    ("something behind", GOOD_TRACE + "-00"),
    ("rubbish", "hello"),
    ("two headers", GOOD_TRACE + "\r\ntraceparent: " + GOOD_TRACE.replace("4b", "5b")),
)


@pytest.mark.parametrize("value", TRACES)
def test_invalid_traceparent_is_started_anew(proxy, upstream, value):
    seen = forwarded(proxy, upstream, *(["traceparent: " + value] if value else [])).header("traceparent")
    assert TRACEPARENT.match(seen), seen
    assert value is None or seen not in value


def test_valid_traceparent_keeps_its_trace_and_its_state(proxy, upstream):
    request = forwarded(proxy, upstream, "traceparent: " + GOOD_TRACE, "tracestate: a=b,c=d")
    seen = request.header("traceparent")
    assert TRACEPARENT.match(seen)
    assert seen == GOOD_TRACE
    assert request.header("tracestate") == "a=b,c=d"


def test_the_trace_is_in_the_log(proxy, upstream):
    forwarded(proxy, upstream, "traceparent: " + GOOD_TRACE, "X-Request-Id: traced-1")
    assert proxy.access("traced-1")["trace_id"] == GOOD_TRACE[3:35]


FRAMING = table(
    ("a length", ["Content-Length: 3"], b"abc", b"abc"),
    ("a length of zero", ["Content-Length: 0"], b"", b""),
    ("chunks", ["Transfer-Encoding: chunked"], b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
    ("chunked in another case", ["Transfer-Encoding: CHUNKED"], b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    ("a size in capitals", ["Transfer-Encoding: chunked"], b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ("no body", [], b"", b""),
)


@pytest.mark.parametrize("fields, wire, body", FRAMING)
def test_body_framing_is_one_and_the_body_whole(proxy, upstream, fields, wire, body):
    with proxy.client() as client:
        client.send(head("POST", "/public/x", *fields) + wire)
        assert client.response().status == 200
    request = upstream.requests[0].check()
    assert request.complete and request.body == body
    if not fields:
        assert "transfer-encoding" not in request.names()


def test_response_head_loses_only_what_is_hop_by_hop(proxy, upstream):
    upstream.script(scripts.answer(201, b"made", [
        "X-b: 2", "Set-Cookie: a=1", "set-cookie: b=2", "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=9",
        "Proxy-Authenticate: x", "WWW-Authenticate: Basic realm=\"u\"", "X-User-Id: from-upstream", "Server: demo",
        "X-Bytes: \xe4"], reason="Made It"))
    answer = proxy.call("GET", "/public/x")
    assert (answer.status, answer.body) == (201, b"made")
    assert answer.all("set-cookie") == ["a=1", "b=2"]
    assert answer.header("x-hop") is None and answer.header("keep-alive") in (None, ) and answer.all("proxy-connection") == []
    assert answer.header("www-authenticate") == 'Basic realm="u"'
    assert answer.header("server") == "demo"
    assert answer.header("x-bytes") == "\xe4"
    assert [n for n, _ in answer.headers if n in ("X-b", "Set-Cookie", "set-cookie")] == ["X-b", "Set-Cookie", "set-cookie"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 500, 502, 503, 504, 301, 206, 599])
def test_an_answer_of_the_upstream_passes_unchanged(proxy, upstream, status):
    upstream.script(scripts.answer(status, b'{"own":true}', ["Content-Type: application/json", "X-Own: 1"], reason="Own"))
    answer = proxy.call("GET", "/auth", token=configs.token())
    assert (answer.status, answer.body, answer.header("x-own")) == (status, b'{"own":true}', "1")
    assert answer.header("content-type") == "application/json"
    assert b" Own\r\n" in answer.raw.split(b"\r\n")[0] + b"\r\n"


def test_unix_socket_upstream(start, new_upstream, tmp_path):
    path = str(tmp_path / "up.sock")
    server = new_upstream(path)
    proxy = start(configs.config("unix:" + path))
    for _ in range(2):
        assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    assert server.requests[0].check().header("x-user-id") == "user-7"


def test_host_name_upstream_and_path_are_kept(start, upstream):
    proxy = start(configs.config("http://localhost:%d" % upstream.port))
    assert proxy.call("GET", "/public/a?b=c").status == 200
    assert upstream.requests[0].target == "/public/a?b=c"


def test_inserted_lines_survive_every_split(proxy, upstream):
    data = head("GET", "/auth", bearer(configs.token()), "x_user_id: root", "Connection: x-user-id")
    for at in list(range(1, 60)) + list(range(60, len(data), 37)):
        with proxy.client() as client:
            assert client.split(data, at, pause=0.001).response().status == 200
    assert {each.header("x-user-id") for each in upstream.requests} == {"user-7"}
    assert len({tuple(n for n in each.names()) for each in upstream.requests}) == 1
