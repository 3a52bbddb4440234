"""Cross-origin requests: preflights denied, forwarded or answered, and the CORS lines of every answer."""
import signal

import pytest

from harness import config as configs
from harness import scripts
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table

APP = "https://app.test"
ORIGIN = "Origin: " + APP
ASKS = "Access-Control-Request-Method: "
EXPOSED = "WWW-Authenticate, X-Request-Id, Retry-After"
VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
SPOOFED = ["X-User-Id: root", "x_auth_issuer: evil"]


def preflight(proxy, target, method="GET", *fields, origin=APP):
    return proxy.call("OPTIONS", target, "Origin: " + origin, ASKS + method, *fields)


def cors_lines(answer):
    return sorted((name.lower(), value) for name, value in answer.headers
                  if name.lower().startswith("access-control-") or name.lower() == "vary")


def answering(start, upstream, **changes):
    rules = {"origins": [APP, "http://localhost:3000"]}
    rules.update(changes)
    return start(configs.config(upstream, cors=rules, more_routes={"DELETE /closed": "deny", "GET /closed": "public"}))


def only(upstream, *targets):
    """The upstream has these and nothing else."""
    assert ["%s %s" % (each.method, each.target) for each in upstream.requests] == list(targets)


# deny

def test_a_preflight_is_a_request_like_any_other_where_cors_is_not_configured(proxy, only_sentinel):
    check_problem(preflight(proxy, "/auth"), "method_not_allowed")
    check_problem(preflight(proxy, "/nowhere"), "route_not_declared")
    check_problem(preflight(proxy, "/internal/x"), "route_denied")
    assert cors_lines(proxy.call("GET", "/auth", ORIGIN)) == []
    only_sentinel()


# forward

@pytest.fixture
def forwarding(start, upstream):
    return start(configs.config(upstream, cors={"preflight": "forward"}, forward_token=True,
                                more_routes={"DELETE /closed": "deny", "GET /closed": "public", "OPTIONS /shut": "deny",
                                             "GET /shut": "public"}))


def test_a_forwarded_preflight_has_no_token_and_no_identity(forwarding, upstream):
    upstream.default = scripts.answer(204, b"", ["Access-Control-Allow-Origin: https://theirs"], "No Content", length=False)
    answer = preflight(forwarding, "/api/v1/trades?x=1", "POST", bearer(configs.token(scope="trade:open")), *SPOOFED)
    assert answer.status == 204
    assert cors_lines(answer) == [("access-control-allow-origin", "https://theirs")]
    only(upstream, "OPTIONS /api/v1/trades?x=1")
    seen = upstream.requests[0].check()
    assert seen.header("origin") == APP and seen.header("access-control-request-method") == "POST"
    assert not [name for name in seen.names() if name.startswith(("x-user", "x_auth", "x-auth", "x-client"))]
    assert "authorization" not in seen.names()
    line = forwarding.access(seen.header("x-request-id"))
    assert (line["decision"], line["route"], line["spoofed"]) == ("permit", "POST /api/v1/trades", True)


FORWARDED_NOWHERE = table(
    ("the request would meet a deny", "/closed", "DELETE", "route_denied"),
    ("OPTIONS itself is denied", "/shut", "GET", "route_denied"),
    ("a catch-all denies", "/internal/x", "GET", "route_denied"),
    ("the method is not declared", "/auth", "PATCH", "method_not_allowed"),
    ("the path is not declared", "/nowhere", "GET", "route_not_declared"),
    ("the path is ambiguous", "/public/..%2fauth", "GET", "ambiguous_path"),
)


@pytest.mark.parametrize("target, method, code", FORWARDED_NOWHERE)
def test_a_preflight_is_not_forwarded_where(forwarding, upstream, target, method, code):
    check_problem(preflight(forwarding, target, method), code)
    only(upstream)


def test_an_undeclared_path_is_forwarded_where_default_lets_requests_through(start, upstream):
    proxy = start(configs.config(upstream, cors={"preflight": "forward"}, default="authenticated"))
    assert preflight(proxy, "/nowhere").status == 200
    check_problem(proxy.call("GET", "/nowhere", ORIGIN), "missing_token")
    only(upstream, "OPTIONS /nowhere")


# What is no preflight

NO_PREFLIGHT = table(
    ("GET with an origin", "GET", [ORIGIN]),
    ("GET that asks for a method", "GET", [ORIGIN, ASKS + "GET"]),
    ("HEAD", "HEAD", [ORIGIN, ASKS + "GET"]),
    ("OPTIONS without a method", "OPTIONS", [ORIGIN]),
    ("OPTIONS without an origin", "OPTIONS", [ASKS + "GET"]),
    ("two origins", "OPTIONS", [ORIGIN, ORIGIN, ASKS + "GET"]),
    ("two methods", "OPTIONS", [ORIGIN, ASKS + "GET", ASKS + "PUT"]),
    ("a method that is no token", "OPTIONS", [ORIGIN, ASKS + "GET, PUT"]),
    ("a body", "OPTIONS", [ORIGIN, ASKS + "GET", "Content-Length: 2"]),
    ("a chunked body", "OPTIONS", [ORIGIN, ASKS + "GET", "Transfer-Encoding: chunked"]),
    ("an upgrade", "OPTIONS", [ORIGIN, ASKS + "GET", "Connection: upgrade", "Upgrade: websocket"]),
)


@pytest.mark.parametrize("cors", [{"preflight": "forward"}, {"origins": "*"}], ids=["forward", "answer"])
@pytest.mark.parametrize("method, fields", NO_PREFLIGHT)
def test_an_origin_lets_nothing_through(start, upstream, cors, method, fields):
    proxy = start(configs.config(upstream, cors=cors, more_routes={"GET|OPTIONS /guarded": "authenticated"}))
    body = b"{}" if "Content-Length: 2" in fields else b"0\r\n\r\n" if "Transfer-Encoding: chunked" in fields else b""
    with proxy.client() as client:
        client.send(head(method, "/guarded", *fields) + body)
        check_problem(client.response(method), "missing_token", method)
    only(upstream)


def test_options_that_is_no_preflight_goes_its_way(start, upstream):
    proxy = answering(start, upstream)
    answer = proxy.call("OPTIONS", "/public/x", ORIGIN)
    assert answer.status == 200
    assert ("access-control-allow-origin", APP) in cors_lines(answer)
    only(upstream, "OPTIONS /public/x")


# answer

def test_an_answered_preflight_byte_for_byte(start, upstream):
    proxy = answering(start, upstream)
    answer = preflight(proxy, "/auth", "PUT", "Access-Control-Request-Headers: authorization,x-own", "X-Request-Id: r-1", *SPOOFED)
    assert answer.status == 204 and answer.body == b""
    assert answer.headers == [
        ("Access-Control-Allow-Origin", APP),
        ("Access-Control-Allow-Methods", "DELETE, GET, HEAD, POST, PUT"),
        ("Access-Control-Allow-Headers", "authorization,x-own"),
        ("Access-Control-Max-Age", "600"),
        ("Vary", VARY),
        ("Cache-Control", "no-store"),
        ("X-Request-Id", "r-1"),
    ]
    line = proxy.access("r-1")
    assert (line["decision"], line["code"], line["status"], line["spoofed"]) == ("answer", "preflight", 204, True)
    counted = proxy.metrics().series("postern_decisions_total")
    assert [value for labels, value in counted if labels["code"] == "preflight"] == [1]
    only(upstream)


def test_a_configured_answer(start, upstream):
    proxy = answering(start, upstream, methods=["GET"], headers=["Authorization"], max_age="0s", credentials=True)
    assert cors_lines(preflight(proxy, "/auth", "PUT", "Access-Control-Request-Headers: x-own")) == [
        ("access-control-allow-credentials", "true"), ("access-control-allow-headers", "Authorization"),
        ("access-control-allow-methods", "GET"), ("access-control-allow-origin", APP), ("access-control-max-age", "0"),
        ("vary", VARY)]
    only(upstream)


OTHERS = table(
    ("another host", "https://other.test"), ("another scheme", "http://app.test"), ("another port", "https://app.test:8443"),
    ("a longer host", "https://app.test.evil"), ("a subdomain", "https://a.app.test"), ("in capitals", "https://APP.test"),
    ("null", "null"), ("a star", "*"), ("with a path", "https://app.test/"), ("a list", "https://app.test,https://app.test"),
)


@pytest.mark.parametrize("origin", OTHERS)
def test_another_origin_gets_an_answer_that_allows_nothing(start, upstream, origin):
    proxy = answering(start, upstream, credentials=True)
    upstream.default = scripts.answer(fields=["Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true"])
    answer = preflight(proxy, "/auth", origin=origin)
    assert answer.status == 204
    assert cors_lines(answer) == [("vary", VARY)]
    assert proxy.access(answer.header("x-request-id"))["code"] == "preflight_denied"
    assert cors_lines(proxy.call("GET", "/auth", "Origin: " + origin)) == [("vary", "Origin")]
    assert cors_lines(proxy.call("GET", "/health", "Origin: " + origin)) == [("vary", "Origin")]
    only(upstream, "GET /health")


def test_answers_go_on_one_connection_in_their_order(start, upstream):
    proxy = answering(start, upstream)
    asked = head("OPTIONS", "/auth", ORIGIN, ASKS + "GET")
    with proxy.client() as client:
        client.send(asked + head("GET", "/health", ORIGIN) + asked + head("GET", "/auth") + asked)
        answers = [client.response(method) for method in ("OPTIONS", "GET", "OPTIONS", "GET", "OPTIONS")]
        assert [each.status for each in answers] == [204, 200, 204, 401, 204]
        assert "Access-Control-Allow-Origin" in dict(answers[1].headers)
        assert cors_lines(answers[3]) == [("vary", "Origin")], "the origin of another request of the connection"
        client.send(head("OPTIONS", "/auth", ORIGIN, ASKS + "GET", "Connection: close"))
        last = client.response("OPTIONS")
        assert (last.status, last.header("connection")) == (204, "close")
        assert client.closed()
    only(upstream, "GET /health")


# Actual requests

def refusal_lines(credentials=False):
    return ([("access-control-allow-credentials", "true")] if credentials else []) + [
        ("access-control-allow-origin", APP), ("access-control-expose-headers", EXPOSED), ("vary", "Origin")]


def test_every_refusal_can_be_read_by_the_page(start, upstream):
    proxy = start(configs.config(
        upstream, cors={"origins": [APP], "credentials": True}, limits={"body": "1KiB"}, timeouts={"response": "300ms"},
        more_routes={"GET /gone": {"issuers": ["main"], "upstream": "http://127.0.0.1:%d" % free_port()}}))
    upstream.default = scripts.raw("", "silent")
    token = configs.token()
    cases = [
        ("missing_token", "GET", "/auth", None, None), ("invalid_token", "GET", "/auth", "e30.e30.x", None),
        ("insufficient_scope", "GET", "/api/v1/admin/stats", token, None), ("route_denied", "GET", "/internal/x", None, None),
        ("route_not_declared", "GET", "/nowhere", None, None), ("method_not_allowed", "PUT", "/health", None, None),
        ("ambiguous_path", "GET", "/a//b", None, None), ("content_too_large", "POST", "/auth", token, b"x" * 1025),
        ("upstream_unavailable", "GET", "/gone", token, None), ("upstream_timeout", "GET", "/auth", token, None),
    ]
    for code, method, target, known, body in cases:
        answer = proxy.call(method, target, ORIGIN, token=known, body=body)
        check_problem(answer, code)
        assert cors_lines(answer) == refusal_lines(credentials=True), code
        assert cors_lines(proxy.call(method, target, token=known, body=body)) == [("vary", "Origin")], code


def test_a_head_that_cannot_be_read_has_no_origin(start, upstream):
    proxy = answering(start, upstream)
    with proxy.client() as client:
        client.send(head("GET", "/health", ORIGIN) + head("GET", "/x", ORIGIN, "X-A : b"))
        assert client.response().status == 200
        bad = client.response()
        check_problem(bad, "bad_request")
        assert cors_lines(bad) == [("vary", "Origin")]


def test_the_services_own_lines_are_replaced(start, upstream):
    proxy = answering(start, upstream, expose=["X-Total"])
    upstream.default = scripts.answer(fields=[
        "Access-Control-Allow-Origin: https://evil.test", "access-control-allow-credentials: true", "Vary: Accept-Encoding",
        "Access-Control-Expose-Headers: X-Secret", "X-Total: 7"])
    answer = proxy.call("GET", "/health", ORIGIN)
    assert cors_lines(answer) == [
        ("access-control-allow-origin", APP), ("access-control-expose-headers", EXPOSED + ", X-Total"),
        ("vary", "Accept-Encoding"), ("vary", "Origin")]
    assert answer.header("x-total") == "7"
    for fields in ([], ["Origin: https://evil.test"]):
        assert cors_lines(proxy.call("GET", "/health", *fields)) == [("vary", "Accept-Encoding"), ("vary", "Origin")]
    upstream.default = scripts.answer(fields=["Vary: Accept, origin"])
    assert ("vary", "Accept, origin") in cors_lines(proxy.call("GET", "/health", ORIGIN))
    assert len(proxy.call("GET", "/health", ORIGIN).all("vary")) == 1


def test_with_a_star_every_answer_says_so(start, upstream):
    proxy = start(configs.config(upstream, cors={"origins": "*"}))
    lines = [("access-control-allow-origin", "*"), ("access-control-expose-headers", EXPOSED)]
    for fields in ([], [ORIGIN], ["Origin: null"]):
        assert cors_lines(proxy.call("GET", "/health", *fields)) == lines
        assert cors_lines(proxy.call("GET", "/auth", *fields)) == lines
    assert ("access-control-allow-origin", "*") in cors_lines(preflight(proxy, "/auth"))


def test_null_is_an_origin_only_where_it_is_written(start, upstream):
    proxy = start(configs.config(upstream, cors={"origins": ["null"]}))
    assert ("access-control-allow-origin", "null") in cors_lines(preflight(proxy, "/auth", origin="null"))
    assert cors_lines(preflight(proxy, "/auth")) == [("vary", VARY)]


# Operation

def test_a_reload_changes_the_origins(start, upstream):
    proxy = answering(start, upstream)
    with proxy.client() as kept:
        asked = head("OPTIONS", "/auth", ORIGIN, ASKS + "GET")
        assert kept.send(asked).response("OPTIONS").header("access-control-allow-origin") == APP
        proxy.write(dict(proxy.config, cors={"origins": ["https://new.test"]}))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: not preflight(proxy, "/auth").header("access-control-allow-origin"), 10, "the new origins")
        assert kept.send(asked).response("OPTIONS").header("access-control-allow-origin") is None
        proxy.write({name: value for name, value in proxy.config.items() if name != "cors"})
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: preflight(proxy, "/auth").status == 405, 10, "the file without cors")
        check_problem(kept.send(asked).response("OPTIONS"), "method_not_allowed")
    only(upstream)
