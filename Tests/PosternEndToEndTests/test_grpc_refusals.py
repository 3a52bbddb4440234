"""What a gRPC call gets that Postern refuses: a trailers-only answer, here as gRPC-Web sends it over HTTP/1.1."""
import re
import urllib.parse

import pytest

from harness import config as configs
from harness import scripts
from harness.config import RSA
from harness.net import free_port
from harness.problems import CHALLENGED, STATUS_OF, check_problem
from harness.raw import bearer, head

TYPES = ["application/grpc", "application/grpc+proto", "application/grpc-web", "application/grpc-web+proto",
         "application/grpc-web-text"]
FRAME = b"\0\0\0\0\5hello"
# "HTTP to gRPC Status Code Mapping" and "Status codes and their use in gRPC" of the gRPC documents.
OF_HTTP = {400: 13, 401: 16, 403: 7, 405: 12, 408: 4, 413: 8, 431: 8, 501: 12, 502: 14, 503: 14, 504: 14}


def call(target="/auth", *fields, kind="application/grpc-web+proto", token=None, method="POST"):
    """The bytes of a call."""
    fields = list(fields) + ["Content-Type: " + kind, "Content-Length: %d" % len(FRAME)]
    if token:
        fields.append(bearer(token))
    return head(method, target, *fields) + FRAME


def check_refusal(answer, code, kind="application/grpc-web+proto"):
    """Fails unless `answer` is the documented one for `code`; the message."""
    assert answer.status == 200, answer
    assert answer.header("content-type") == kind
    assert answer.header("content-length") == "0" and answer.body == b""
    assert answer.header("grpc-status") == str(OF_HTTP[STATUS_OF[code]])
    assert answer.header("cache-control") == "no-store"
    assert re.match(r"[A-Za-z0-9._-]{1,128}\Z", answer.header("x-request-id"))
    assert (answer.header("www-authenticate") is not None) == (code in CHALLENGED)
    message = answer.header("grpc-message")
    assert re.match(r"(?:[\x20-\x24\x26-\x7e]|%[0-9A-F]{2})+\Z", message), message
    return urllib.parse.unquote(message)


@pytest.fixture(scope="module")
def settings():
    return {"more_routes": {"GET|POST /small": {"scopes": "trade:read", "body": "4B"},
                            "POST /slow": {"scopes": "trade:read", "timeout": "200ms"}}}


EARLY = {
    "missing_token": ("/auth", None), "invalid_token": ("/auth", RSA.token(exp=1)),
    "insufficient_scope": ("/api/v1/trades", RSA.token(scope="x")), "route_denied": ("/internal/a", None),
    "route_not_declared": ("/none", None), "method_not_allowed": ("/health", None), "ambiguous_path": ("/a%2Fb", None),
    "content_too_large": ("/small", RSA.token()),
}


@pytest.mark.parametrize("code", EARLY)
def test_a_refusal_has_a_status_of_grpc(proxy, upstream, code):
    """And what it says is what the problem document would have said."""
    target, token = EARLY[code]
    with proxy.client() as client:
        plain = client.send(call(target, kind="application/octet-stream", token=token)).response()
    detail = check_problem(plain, code)["detail"]
    for kind in TYPES:
        with proxy.client() as client:
            answer = client.send(call(target, kind=kind, token=token)).response()
            assert check_refusal(answer, code, kind) == detail
            assert answer.header("www-authenticate") == plain.header("www-authenticate")
            assert (answer.header("connection") == "close") == (plain.header("connection") == "close")
    assert not upstream.requests


def test_the_type_is_read_in_any_case_and_with_parameters(proxy):
    for kind in ("Application/GRPC-Web+Proto", "application/grpc-web+proto; charset=utf-8", "application/grpc-web+proto;x"):
        with proxy.client() as client:
            check_refusal(client.send(call(kind=kind)).response(), "missing_token")
    for kind in ("application/grpcx", "application/json", "text/plain; application/grpc", "application/grpc/x"):
        with proxy.client() as client:
            check_problem(client.send(call(kind=kind)).response(), "missing_token")


def test_the_connection_goes_on_and_the_next_request_is_no_call(proxy, upstream):
    with proxy.client() as client:
        check_refusal(client.send(call()).response(), "missing_token")
        check_problem(client.send(head("GET", "/auth")).response(), "missing_token")
        client.send(call() + head("GET", "/auth") + call())
        check_refusal(client.response(), "missing_token")
        check_problem(client.response(), "missing_token")
        check_refusal(client.response(), "missing_token")
        assert client.send(call(token=configs.token())).response().status == 200
    assert upstream.requests[0].body == FRAME


def test_the_service_s_own_refusals_pass_unchanged(proxy, upstream):
    upstream.script(scripts.raw(
        "HTTP/1.1 401 No\r\nContent-Type: application/grpc\r\nX-Own: yes\r\nContent-Length: 2\r\n\r\nno"))
    with proxy.client() as client:
        answer = client.send(call(token=configs.token())).response()
    assert (answer.status, answer.body, answer.header("x-own")) == (401, b"no", "yes")
    assert answer.header("grpc-status") is None


def test_logs_and_metrics_keep_the_refusal_s_own_status(start, upstream):
    proxy = start(configs.config(upstream))
    with proxy.client() as client:
        client.send(call("/api/v1/trades", "X-Request-Id: refused-call", token=configs.token()))
        check_refusal(client.response(), "insufficient_scope")
    line = proxy.access("refused-call")
    assert (line["status"], line["code"], line["decision"]) == (403, "insufficient_scope", "refuse")
    metrics = proxy.metrics()
    assert metrics.value("postern_requests_total", status="403") == 1
    assert metrics.value("postern_requests_total", status="200") == 0
    assert metrics.value("postern_decisions_total", code="insufficient_scope") == 1


# Refusals after the head is gone.

def test_a_service_that_is_down(start):
    proxy = start(configs.config("http://127.0.0.1:%d" % free_port()))
    with proxy.client() as client:
        check_refusal(client.send(call(token=configs.token())).response(), "upstream_unavailable")


def test_a_service_that_says_nothing_or_rubbish(proxy, upstream):
    upstream.script(scripts.silent, scripts.raw("rubbish\r\n\r\n"), scripts.raw("", then="close"))
    with proxy.client() as client:
        check_refusal(client.send(call("/slow", token=configs.token())).response(), "upstream_timeout")
        check_refusal(client.send(call(token=configs.token())).response(), "upstream_invalid_response")
        check_refusal(client.send(call(token=configs.token())).response(), "upstream_unavailable")


def test_a_body_that_grows_too_large(proxy, upstream):
    with proxy.client() as client:
        client.send(head("POST", "/small", bearer(configs.token()), "Content-Type: application/grpc",
                         "Transfer-Encoding: chunked"))
        upstream.wait(1)
        client.send(b"5\r\nhello\r\n0\r\n\r\n")
        check_refusal(client.response(), "content_too_large", "application/grpc")


def test_a_body_that_does_not_come(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"body_idle": "200ms"}))
    with proxy.client() as client:
        client.send(call(token=configs.token())[:-1])
        check_refusal(client.response(), "request_timeout")


def test_a_page_may_read_why_it_was_refused(start, upstream):
    proxy = start(configs.config(upstream, cors={"origins": ["https://app.test"]}))
    exposed = []
    for origin in ("https://app.test", "https://evil.test"):
        with proxy.client() as client:
            answer = client.send(call("/auth", "Origin: " + origin)).response()
        check_refusal(answer, "missing_token")
        exposed.append(", ".join(answer.all("access-control-expose-headers")).lower().split(", "))
    assert {"grpc-status", "grpc-message", "www-authenticate"} <= set(exposed[0])
    assert exposed[1] == [""]


def test_explain_shows_it(proxy):
    from harness.process import run
    done = run("postern", "explain", "POST", "/auth", "--config", proxy.file, "--header", "Content-Type: application/grpc")
    assert done.returncode == 1
    assert "Denied: 401 missing_token" in done.stdout and "    grpc-status: 16\n" in done.stdout
