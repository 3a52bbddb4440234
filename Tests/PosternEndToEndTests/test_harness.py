"""The harness against itself: a tool that cannot fail proves nothing."""
import json
import threading
import urllib.request

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, OctKey, RSAKey

from harness import mint, scripts
from harness.keyserver import KeyServer
from harness.metrics import Metrics
from harness.net import blackhole, free_port, wait_until
from harness.problems import check_body, parse_challenge
from harness.raw import ProtocolError, RawClient, Truncated, head
from harness.upstream import RecordingUpstream


@pytest.fixture
def server():
    with RecordingUpstream() as made:
        yield made


def ask(server, data, method="GET", **arguments):
    with RawClient(server.port) as client:
        return client.send(data).response(method, **arguments)


def test_upstream_keeps_the_bytes_of_a_request(server):
    sent = head("POST", "/a?b", "X-Odd:  two", "Content-Length: 3")
    answer = ask(server, sent + b"abc")
    assert answer.status == 200
    request = server.requests[0]
    assert request.raw_head == sent
    assert (request.method, request.target, request.body, request.complete) == ("POST", "/a?b", b"abc", True)
    assert request.header("x-odd") == "two"
    request.check()


def test_upstream_reads_chunks_and_trailers(server):
    ask(server, head("POST", "/", "Transfer-Encoding: chunked") + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n")
    assert server.requests[0].body == b"abcde"
    assert server.requests[0].trailers == [("X-T", "1")]


@pytest.mark.parametrize("how", ["drip", "split"])
def test_client_sends_in_pieces(server, how):
    data = head("GET", "/pieces")
    with RawClient(server.port) as client:
        client.drip(data) if how == "drip" else client.split(data, 7)
        assert client.response().status == 200
    assert len(server.requests) == 1


def test_scripts_are_used_in_order_then_the_default(server):
    server.script(scripts.answer(201, b"one"), scripts.answer(202, b"two"))
    with RawClient(server.port) as client:
        assert [client.send(head("GET", "/")).response().status for _ in range(3)] == [201, 202, 200]
    assert [each.index for each in server.requests] == [0, 1, 2]


@pytest.mark.parametrize(
    "wire, error",
    [
        (b"HTTP/2.0 200 OK\r\n\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\nX: y\n\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Truncated),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Truncated),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", ProtocolError),
        (b"HTTP/1.1 200", Truncated),
    ],
)
def test_reader_refuses_what_is_not_http(server, wire, error):
    server.script(scripts.raw(wire, then="close"))
    with pytest.raises(error):
        ask(server, head("GET", "/"))


def test_reader_keeps_interim_answers_apart(server):
    server.script(scripts.raw(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    answer = ask(server, head("GET", "/"))
    assert (answer.status, answer.interim) == (200, [(103, [("Link", "x")])])


def test_reader_sees_stray_bytes_and_a_close(server):
    server.script(scripts.raw(b"HTTP/1.1 204 No Content\r\n\r\nextra", then="close"))
    with RawClient(server.port) as client:
        assert client.send(head("GET", "/")).response().status == 204
        with pytest.raises(AssertionError):
            client.closed()


def test_silent_upstream_notices_when_the_peer_goes(server):
    server.script(scripts.silent)
    with RawClient(server.port) as client:
        client.send(head("GET", "/"))
        request = server.wait(1)
        assert client.still_open()
    wait_until(lambda: hasattr(request, "peer_closed"), 2)


def test_large_download_is_counted_not_kept(server):
    server.script(scripts.download(5 << 20, chunked=True))
    assert ask(server, head("GET", "/"), store=False).body == b""
    server.script(scripts.download(3 << 20))
    assert len(ask(server, head("GET", "/")).body) == 3 << 20


def test_held_answer_comes_after_its_event(server):
    event = threading.Event()
    server.script(scripts.after(event, scripts.answer(200)))
    with RawClient(server.port) as client:
        client.send(head("GET", "/"))
        assert client.still_open()
        event.set()
        assert client.response().status == 200


def test_unix_socket_upstream(tmp_path):
    path = str(tmp_path / "s")
    with RecordingUpstream(path):
        with RawClient(path=path) as client:
            assert client.send(head("GET", "/")).response().status == 200


def test_blackhole_does_not_accept():
    port, close = blackhole()
    with pytest.raises(OSError):
        RawClient(port, timeout=0.2)
    close()
    assert free_port() != free_port()


JOSE = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": OKPKey, "HS": OctKey}


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512", "EdDSA", "HS256"])
def test_minted_tokens_verify_by_another_implementation(alg):
    key = mint.key(alg)
    public = JOSE[alg[:2]].import_key(key.jwk())
    decoded = jwt.decode(key.token(), public, algorithms=[alg])
    assert decoded.claims["iss"] == mint.ISSUER
    broken = key.token()
    broken = broken[:-6] + ("AAAAAA" if broken[-6:] != "AAAAAA" else "BBBBBB")
    with pytest.raises(Exception):
        jwt.decode(broken, public, algorithms=[alg])


def test_key_server_counts_and_changes():
    with KeyServer(mint.key("ES256")) as server:
        keys = json.load(urllib.request.urlopen(server.url + "/jwks"))
        assert keys["keys"][0]["kty"] == "EC"
        server.status = 503
        with pytest.raises(Exception):
            urllib.request.urlopen(server.url + "/jwks")
        assert server.fetches() == 2


def test_metrics_reader_is_strict():
    good = '# TYPE a counter\na{x="y",z="q\\"r"} 3\na{x="z"} 4\n'
    assert Metrics(good).value("a", x="y") == 3
    for bad in ("a{x=y} 1\n", "a 1", 'a{x="1"} 1\na{x="1"} 2\n', "a b\n"):
        with pytest.raises((AssertionError, ValueError)):
            Metrics(bad)


def test_histogram_check():
    good = 'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n'
    Metrics(good).check_histogram("h")
    with pytest.raises(AssertionError):
        Metrics(good.replace("h_count 2", "h_count 3")).check_histogram("h")


def test_challenge_reader():
    assert parse_challenge('Bearer realm="a", error="b c"') == {"realm": "a", "error": "b c"}
    for bad in ("Bearer", "Basic realm=\"a\"", 'Bearer realm="a", realm="b"', "Bearer realm=a", None):
        with pytest.raises(AssertionError):
            parse_challenge(bad)


def test_problem_reader():
    body = {"type": "urn:postern:problem:route_denied", "title": "t", "status": 403, "code": "route_denied",
            "detail": "This route is closed to everybody.", "request_id": "1"}
    check_body(json.dumps(body).encode(), "route_denied", "1")
    for change in ({"status": 400}, {"type": "x"}, {"detail": ""}, {"stack": "x"}, {"request_id": "2"}):
        with pytest.raises(AssertionError):
            check_body(json.dumps(dict(body, **change)).encode(), "route_denied", "1")
