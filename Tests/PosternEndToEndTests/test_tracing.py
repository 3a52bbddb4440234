"""OpenTelemetry: the spans of a request as a collector gets them, and the trace context that the service gets."""
import secrets

import pytest

from harness import config as configs
from harness import scripts
from harness.collector import Collector
from harness.http2 import Client
from harness.net import wait_until
from harness.process import run
from harness.raw import head
from harness.tiers import opaque
from harness.websocket import WebSocketUpstream, dial

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def collector():
    with Collector() as server:
        yield server


@pytest.fixture(scope="module")
def settings(collector):
    return {"tracing": {"endpoint": collector.url, "limit": 100000, "headers": {"X-Key": "key-1"}}}


def name(label):
    return "%s-%s" % (label, secrets.token_hex(4))


def traceparent(request):
    """(trace, span, flags) of what the service got."""
    version, trace, span, flags = request.header("traceparent").split("-")
    assert version == "00"
    return trace, span, flags


def test_request_with_a_token_has_three_spans(proxy, upstream, collector):
    request = name("three")
    token = configs.token(jti=name("jti"))
    assert proxy.call("GET", "/api/v1/market/EURUSD?secret=query", "X-Request-Id: " + request, "X-User-Id: root",
                      token=configs.token(scope="market:data")).status == 200
    spans = collector.of(request)
    assert {kind: len(group) for kind, group in spans.items()} == {"server": 1, "internal": 1, "client": 1}
    server, verification, client = spans["server"][0], spans["internal"][0], spans["client"][0]
    assert server.parent == "" and verification.parent == server.id and client.parent == server.id
    assert server.name == "GET /api/v1/market/{symbol}" and not server.is_error
    expected = {
        "http.request.method": "GET", "http.route": "/api/v1/market/{symbol}", "url.scheme": "http",
        "url.path": "/api/v1/market/EURUSD", "http.response.status_code": 200, "server.address": "mt5.test",
        "network.protocol.version": "1.1", "client.address": "127.0.0.1", "postern.decision": "permit",
        "postern.issuer": "main", "postern.token_source": "jwt", "postern.request_id": request, "postern.spoofed": True,
    }
    assert server.attributes == expected
    assert verification.name == "verify token"
    assert verification.attributes == {"postern.issuer": "main", "postern.token_source": "jwt"}
    assert client.name == "GET" and not client.is_error
    assert client.attributes == {
        "http.request.method": "GET", "server.address": "127.0.0.1", "server.port": upstream.port,
        "url.full": upstream.url + "/api/v1/market/EURUSD", "network.protocol.version": "1.1",
        "http.response.status_code": 200,
    }
    assert traceparent(upstream.requests[-1]) == (server.trace, client.id, "01")
    assert proxy.access(request)["trace_id"] == server.trace
    assert server.resource["service.name"] == "mt5-api"
    assert server.resource["telemetry.sdk.language"] == "swift" and server.resource["service.instance.id"]
    # Nothing of the token, and nothing of the query, in anything that was sent.
    headers, message, _ = collector.requests[-1]
    assert headers["X-Key"] == "key-1" and headers["Content-Type"] == "application/x-protobuf"
    assert set(collector.paths) == {"/v1/traces"}
    sent = b"".join(each.SerializeToString() for _, each, _ in collector.requests)
    assert b"secret=query" not in sent and b"eyJ" not in sent and b"key-1" not in sent and token.encode() not in sent


def test_cached_token_is_not_verified_again(proxy, upstream, collector):
    token = configs.token()
    assert proxy.call("GET", "/auth", token=token).status == 200
    request = name("cached")
    assert proxy.call("GET", "/auth", "X-Request-Id: " + request, token=token).status == 200
    spans = collector.of(request)
    assert set(spans) == {"server", "client"}
    assert spans["server"][0]["postern.token_source"] == "l1"


def test_trace_of_the_caller_goes_on(proxy, upstream, collector):
    request = name("parent")
    trace = secrets.token_hex(16)
    proxy.call("GET", "/health", "X-Request-Id: " + request, "traceparent: 00-%s-b7ad6b7169203331-01" % trace,
               "tracestate: a=b", "TraceState: c=d")
    spans = collector.of(request)
    server, client = spans["server"][0], spans["client"][0]
    assert (server.trace, server.parent, server.state) == (trace, "b7ad6b7169203331", "a=b,c=d")
    assert server["http.route"] == "/health" and "postern.issuer" not in server.attributes
    assert traceparent(upstream.requests[-1]) == (trace, client.id, "01")
    assert upstream.requests[-1].all("tracestate") == ["a=b", "c=d"]
    assert proxy.access(request)["trace_id"] == trace


def test_future_version_is_read_and_answered_in_ours(proxy, upstream, collector):
    request = name("future")
    trace = secrets.token_hex(16)
    proxy.call("GET", "/health", "X-Request-Id: " + request, "traceparent: cc-%s-b7ad6b7169203331-03-more" % trace)
    client = collector.of(request)["client"][0]
    assert traceparent(upstream.requests[-1]) == (trace, client.id, "01")


INVALID = [
    PARENT.upper(), "ff" + PARENT[2:], PARENT + "-x", "00-%s-b7ad6b7169203331-01" % ("0" * 32),
    "00-%s-%s-01" % (TRACE, "0" * 16), PARENT[:-1], "",
]


def test_invalid_parent_begins_a_trace(proxy, upstream, collector):
    requests = [name("invalid") for _ in INVALID]
    for request, value in zip(requests, INVALID):
        proxy.call("GET", "/health", "X-Request-Id: " + request, "traceparent: " + value, "tracestate: a=b")
    for request, sent in zip(requests, upstream.requests):
        spans = collector.of(request)
        assert spans["server"][0].parent == "" and spans["server"][0].trace != TRACE
        assert traceparent(sent)[:2] == (spans["server"][0].trace, spans["client"][0].id)
        assert sent.all("tracestate") == []


def test_malformed_state_does_not_go_on(proxy, upstream, collector):
    request = name("state")
    proxy.call("GET", "/health", "X-Request-Id: " + request, "traceparent: " + PARENT, "tracestate: A=b")
    server = wait_until(lambda: [s for s in collector.spans if s.get("postern.request_id") == request], 5)[0]
    assert (server.trace, server.state) == (TRACE, "")
    assert upstream.requests[-1].all("tracestate") == []


def test_parent_that_is_not_recorded_is_followed(proxy, upstream, collector):
    request = name("unsampled")
    parent = "00-%s-b7ad6b7169203331-00" % secrets.token_hex(16)
    proxy.call("GET", "/health", "X-Request-Id: " + request, "traceparent: " + parent, "tracestate: a=b")
    assert upstream.requests[-1].header("traceparent") == parent and upstream.requests[-1].header("tracestate") == "a=b"
    after = name("after")
    proxy.call("GET", "/health", "X-Request-Id: " + after)
    collector.of(after)
    assert not [each for each in collector.spans if each.get("postern.request_id") == request]


def test_refusals(proxy, upstream, collector):
    forbidden, undeclared, expired = name("forbidden"), name("undeclared"), name("expired")
    scopes = "/api/v1/account/balance"
    assert proxy.call("GET", scopes, "X-Request-Id: " + forbidden, token=configs.token()).status == 403
    proxy.call("BREW", "/nowhere?x", "X-Request-Id: " + undeclared, host="[::1]:81")
    assert proxy.call("GET", "/auth", "X-Request-Id: " + expired, token=configs.token(exp=1)).status == 401
    spans = collector.of(forbidden)
    server = spans["server"][0]
    assert set(spans) == {"server", "internal"} and not server.is_error
    assert (server["http.response.status_code"], server["postern.code"], server["postern.decision"]) == (
        403, "insufficient_scope", "refuse")
    assert server["postern.issuer"] == "main" and server.get("error.type") is None
    server = collector.of(undeclared)["server"][0]
    assert (server.name, server["http.request.method"], server["http.request.method_original"]) == ("_OTHER", "_OTHER", "BREW")
    assert (server["server.address"], server["server.port"], server["url.path"]) == ("::1", 81, "/nowhere")
    assert server.get("http.route") is None and server["postern.code"] == "route_not_declared"
    spans = collector.of(expired)
    assert spans["internal"][0]["postern.code"] == "invalid_token" and not spans["internal"][0].is_error


def test_service_that_fails(proxy, upstream, collector):
    request = name("broken")
    upstream.script(*[lambda exchange: exchange.close()] * 2)
    assert proxy.call("GET", "/health", "X-Request-Id: " + request).status == 502
    spans = collector.of(request)
    server, client = spans["server"][0], spans["client"][0]
    assert server.is_error and server["error.type"] == "upstream_unavailable" and server["http.response.status_code"] == 502
    assert client.is_error and client["error.type"] == "upstream_unavailable" and client.get("http.response.status_code") is None
    request = name("404")
    upstream.clear()
    upstream.script(lambda exchange: exchange.send("HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n"))
    assert proxy.call("GET", "/health", "X-Request-Id: " + request).status == 404
    spans = collector.of(request)
    assert not spans["server"][0].is_error and spans["client"][0].is_error
    assert spans["client"][0]["error.type"] == "404"


def test_request_that_is_sent_again_has_one_span_to_the_service(proxy, upstream, collector):
    upstream.drop()
    wait_until(lambda: not upstream.open_connections(), 2)
    proxy.call("GET", "/health")
    upstream.script(scripts.close_at_head)
    request = name("again")
    assert proxy.call("GET", "/health", "X-Request-Id: " + request).status == 200
    spans = collector.of(request)
    assert len(spans["client"]) == 1 and spans["client"][0]["http.request.resend_count"] == 1
    first, second = upstream.requests[-2:]
    assert first.header("traceparent") == second.header("traceparent") == "00-%s-%s-01" % (
        spans["server"][0].trace, spans["client"][0].id)


def test_streams_of_http2(proxy, upstream, collector):
    request, call = name("h2"), name("grpc")
    with Client(proxy.port) as client:
        assert client.call(more=[("x-request-id", request)]).status == 200
        sent = upstream.requests[-1]
        more = [("x-request-id", call), ("content-type", "application/grpc"), ("te", "trailers")]
        client.call("POST", "/public/Method", more=more)
    spans = collector.of(request)
    assert spans["server"][0]["network.protocol.version"] == "2"
    assert traceparent(sent)[:2] == (spans["server"][0].trace, spans["client"][0].id)
    server = collector.of(call)["server"][0]
    assert (server["rpc.system"], server["rpc.service"], server["rpc.method"]) == ("grpc", "public", "Method")


def test_span_of_a_tunnel_ends_with_it(start, collector):
    with WebSocketUpstream() as service:
        proxy = start(configs.config(service, tracing={"endpoint": collector.url + "/v1/traces", "service_name": "own"}))
        request = name("ws")
        with dial(proxy, token=configs.token(), fields={"X-Request-Id": request}) as client:
            client.send("x")
            assert client.recv(timeout=5) == "x"
            assert not [each for each in collector.spans if each.get("postern.request_id") == request]
            client.close(1000, "bye")
        spans = collector.of(request)
        server = spans["server"][0]
        assert (server["http.response.status_code"], server["postern.tunnel_end"]) == (101, "closed")
        assert server.resource["service.name"] == "own"
        sent = service.sockets[0].request.headers["traceparent"]
        assert sent == "00-%s-%s-01" % (server.trace, spans["client"][0].id)


def test_introspection_is_a_span_and_tells_the_issuer(start, upstream, collector, issuer):
    proxy = start(configs.config(upstream, issuers={"asked": configs.introspection(issuer)}, tracing={"endpoint": collector.url}))
    request = name("asked")
    token = issuer.add(opaque())
    assert proxy.call("GET", "/auth", "X-Request-Id: " + request, token=token).status == 200
    spans = collector.of(request)
    server, verification = spans["server"][0], spans["internal"][0]
    asked = [each for each in spans["client"] if each.get("postern.result")][0]
    forwarded = [each for each in spans["client"] if each is not asked][0]
    assert (asked.parent, verification.parent, forwarded.parent) == (verification.id, server.id, server.id)
    assert asked.attributes == {
        "http.request.method": "POST", "url.full": issuer.url, "server.address": "127.0.0.1", "server.port": issuer.port,
        "postern.issuer": "asked", "postern.result": "active", "http.response.status_code": 200,
    }
    assert verification["postern.token_source"] == "issuer"
    assert issuer.requests[0].header("traceparent") == "00-%s-%s-01" % (server.trace, asked.id)
    # The head is read again with the answer: the trace that it goes on in is the same.
    assert traceparent(upstream.requests[-1])[:2] == (server.trace, forwarded.id)
    assert proxy.access(request)["trace_id"] == server.trace
    issuer.stop()
    request = name("down")
    assert proxy.call("GET", "/auth", "X-Request-Id: " + request, token=opaque()).status == 502
    spans = collector.of(request)
    assert spans["internal"][0].is_error and spans["internal"][0]["error.type"] == "issuer_unavailable"
    assert spans["client"][0].is_error and spans["client"][0]["error.type"] == "unreachable"


# Sampling

def test_share_and_callers_that_are_not_believed(start, upstream, collector):
    tracing = {"endpoint": collector.url, "sample": 0, "parents": "ignore"}
    proxy = start(configs.config(upstream, tracing=tracing))
    request = name("ignored")
    proxy.call("GET", "/health", "X-Request-Id: " + request, "traceparent: " + PARENT, "tracestate: a=b")
    trace, span, flags = traceparent(upstream.requests[-1])
    # The service hears of this decision, or it would record what somebody outside wants.
    assert trace == TRACE and span != "b7ad6b7169203331" and flags == "00"
    assert upstream.requests[-1].header("tracestate") == "a=b"
    proxy.call("GET", "/health", "X-Request-Id: " + request)
    assert traceparent(upstream.requests[-1])[2] == "00"
    assert proxy.metrics().value("postern_spans_total") == 0
    # Changed by a reload, without a restart.
    proxy.write(dict(proxy.config, tracing=dict(tracing, sample=1)))
    wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="applied") == 1, 5, "the reload")
    request = name("reloaded")
    proxy.call("GET", "/health", "X-Request-Id: " + request)
    collector.of(request)
    proxy.write({key: value for key, value in proxy.config.items() if key != "tracing"})
    wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="applied") == 2, 5, "the reload")
    proxy.call("GET", "/health", "traceparent: " + PARENT)
    assert upstream.requests[-1].header("traceparent") == PARENT
    assert proxy.metrics().value("postern_spans_total", result="exported") == 2


def test_limit_bounds_what_callers_can_have_recorded(start, upstream, collector):
    proxy = start(configs.config(upstream, tracing={"endpoint": collector.url, "limit": 1}))
    flags = []
    with proxy.client() as client:
        for _ in range(20):
            client.send(head("GET", "/health", "traceparent: " + PARENT)).response()
            flags.append(traceparent(upstream.requests[-1])[2])
    assert flags[0] == "01" and flags.count("01") <= 3 and flags.count("00") >= 17


# Without it

def test_nothing_of_it_where_it_is_not_configured(start, upstream):
    proxy = start(configs.config(upstream))
    proxy.call("GET", "/health", "traceparent: " + PARENT)
    assert upstream.requests[-1].header("traceparent") == PARENT
    assert "postern_spans" not in proxy.metrics().text


def test_check_and_policy(start, upstream, collector, tmp_path):
    tracing = {"endpoint": "http://collector.example:4317/?key=hunter2", "headers": {"Authorization": "hunter2"}}
    file = tmp_path / "proxy.yaml"
    proxy = start(configs.config(upstream, tracing=tracing))
    file.write_text(proxy.file.read_text())
    done = run("postern", "check", file)
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    assert "tracing.endpoint" in text and "4318" in text and "secrets, go over http" in text and "hunter2" not in text
    policy = proxy.get_admin("/policy").body.decode()
    assert "hunter2" not in policy and '"sample": 1' in policy and "collector.example" in policy
