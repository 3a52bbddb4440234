"""HTTP/1.1 as it flows: keep-alive, pipelining, Expect, HTTP/1.0, chunks, trailers, interim and early answers."""
import threading
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import Truncated, bearer, head
from harness.table import table


@pytest.fixture(scope="module")
def settings():
    return {"timeouts": {"drain": "1s", "response": "5s"}}


def test_keep_alive_serves_many_requests(proxy, upstream):
    with proxy.client() as client:
        for number in range(50):
            assert client.send(head("GET", "/public/%d" % number)).response().status == 200
    assert [each.target for each in upstream.requests] == ["/public/%d" % n for n in range(50)]
    assert len({each.connection for each in upstream.requests}) <= 2, "the upstream connection is not reused"


@pytest.mark.parametrize("pieces", ["whole", "drip"])
def test_pipelined_requests_are_answered_in_order(proxy, upstream, pieces):
    data = b"".join(head("GET", "/public/%d" % n) for n in range(12))
    data += head("POST", "/public/12", "Content-Length: 3") + b"abc"
    data += head("POST", "/public/13", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n"
    data += head("GET", "/public/14")
    with proxy.client() as client:
        if pieces == "whole":
            client.send(data)
        else:
            threading.Thread(target=lambda: [client.send(data[i : i + 1]) for i in range(len(data))], daemon=True).start()
        targets = [client.response().json()["target"] for _ in range(15)]
    assert targets == ["/public/%d" % n for n in range(15)]
    assert [each.body for each in upstream.requests[12:14]] == [b"abc", b"abc"]


def test_pipelined_answers_of_both_kinds_keep_their_order(proxy, upstream):
    upstream.script(scripts.pieces([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 1\r\n\r\n", b"a"], pause=0.05))
    with proxy.client() as client:
        client.send(head("GET", "/public/slow") + head("GET", "/auth") + head("GET", "/internal/x") + head("GET", "/health"))
        assert client.response().body == b"a"
        check_problem(client.response(), "missing_token")
        check_problem(client.response(), "route_denied")
        assert client.response().json()["target"] == "/health"


def test_a_malformed_pipelined_request_waits_for_the_answers_before_it(proxy, upstream):
    upstream.script(scripts.pieces([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", b"a"], pause=0.05))
    with proxy.client() as client:
        client.send(head("GET", "/public/slow") + b"GET /x HTTP/1.1\r\nHost : a\r\n\r\n" + head("GET", "/public/after"))
        assert client.response().body == b"a"
        check_problem(client.response(), "bad_request")
        assert client.closed()
    assert [each.target for each in upstream.requests] == ["/public/slow"]


def test_pipelining_is_bounded(start, new_upstream):
    gate, upstream = threading.Event(), new_upstream()
    proxy = start(configs.config(upstream))
    upstream.script(scripts.after(gate, scripts.answer(200, b"first")))
    with proxy.client(timeout=10) as client:
        client.sock.setblocking(False)
        data, sent = head("GET", "/public/x", "X-Fill: " + "f" * 4000) * 64, 0
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline and sent < 256 << 20:
            try:
                sent += client.sock.send(data)
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 64 << 20, "a client may queue %d bytes of requests" % sent
        gate.set()


SPLIT_REQUESTS = table(
    ("a GET", head("GET", "/public/s", "X-A: b"), b""),
    ("a POST with a length", head("POST", "/public/s", "Content-Length: 5") + b"abcde", b"abcde"),
    ("a POST in chunks with trailers",
     head("POST", "/public/s", "Transfer-Encoding: chunked") + b"2;x=\"y\"\r\nab\r\n3\r\ncde\r\n0\r\nX-T: 1\r\n\r\n", b"abcde"),
    ("a CRLF before the request line", b"\r\n" + head("GET", "/public/s"), b""),
)


@pytest.mark.parametrize("data, body", SPLIT_REQUESTS)
def test_a_request_is_the_same_however_it_is_cut(proxy, upstream, data, body):
    for at in range(1, len(data)):
        with proxy.client() as client:
            assert client.split(data, at, pause=0.001).response().status == 200, at
    with proxy.client() as client:
        for i in range(len(data)):
            client.send(data[i : i + 1])
        assert client.response().status == 200
    assert len(upstream.requests) == len(data)
    assert {each.body for each in upstream.requests} == {body}
    assert len({tuple(n for n, _ in each.headers) for each in upstream.requests}) == 1


SPLIT_RESPONSES = table(
    ("a length", b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nabcde", b"abcde"),
    ("chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nX-T: 1\r\n\r\n", b"abcde"),
    ("an interim answer", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", b"a"),
)


@pytest.mark.parametrize("data, body", SPLIT_RESPONSES)
def test_a_response_is_the_same_however_it_is_cut(proxy, upstream, data, body):
    with proxy.client() as client:
        for at in range(1, len(data)):
            upstream.script(scripts.pieces([data[:at], data[at:]], pause=0.001))
            assert client.send(head("GET", "/public/r")).response().body == body, at
        upstream.script(scripts.pieces([data[i : i + 1] for i in range(len(data))]))
        assert client.send(head("GET", "/public/r")).response().body == body


def test_expect_is_answered_after_the_permit_only(proxy, upstream):
    with proxy.client() as client:
        client.send(head("POST", "/auth", "Expect: 100-continue", "Content-Length: 3"))
        answer = client.response()
        check_problem(answer, "missing_token")
        assert answer.interim == []
    with proxy.client() as client:
        client.send(head("POST", "/auth", bearer(configs.token()), "expect: 100-Continue", "Content-Length: 3"))
        status, fields, _ = client.head()
        assert status == 100, "no permission to send the body"
        answer = client.send(b"abc").response()
        assert answer.status == 200
    assert [each.body for each in upstream.requests] == [b"abc"]


def test_expect_with_the_body_sent_at_once(proxy, upstream):
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Expect: 100-continue", "Content-Length: 3") + b"abc")
        assert client.response().status == 200
        assert client.send(head("GET", "/health")).response().status == 200
    assert upstream.requests[0].body == b"abc"


def test_an_expectation_of_http_1_0_is_ignored(proxy, upstream):
    with proxy.client() as client:
        client.send(head("POST", "/public/x", "Expect: 100-continue", "Content-Length: 3", version="HTTP/1.0") + b"abc")
        answer = client.response()
        assert (answer.status, answer.interim) == (200, [])


def test_http_1_0_closes_by_default(proxy, upstream):
    with proxy.client() as client:
        client.send(head("GET", "/health", version="HTTP/1.0"))
        assert client.response().status == 200
        assert client.closed()
    upstream.requests[0].check()


def test_http_1_0_never_gets_chunks(proxy, upstream):
    upstream.script(scripts.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
    with proxy.client() as client:
        client.send(head("GET", "/health", version="HTTP/1.0"))
        answer = client.response()
        assert answer.all("transfer-encoding") == []
        assert answer.body == b"abc"
        assert client.closed()


def test_http_1_0_never_gets_interim_answers(proxy, upstream):
    upstream.script(scripts.raw(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"))
    answer = _once(proxy, head("GET", "/health", version="HTTP/1.0"))
    assert (answer.status, answer.interim, answer.body) == (200, [], b"a")


def _once(proxy, data, method="GET"):
    with proxy.client() as client:
        return client.send(data).response(method)


def test_connection_close_of_the_client_is_kept_to(proxy, upstream):
    with proxy.client() as client:
        answer = client.send(head("GET", "/health", "Connection: close")).response()
        assert answer.header("connection").lower() == "close"
        assert client.closed()


def test_trailers_pass_both_ways(proxy, upstream):
    upstream.script(scripts.raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\nX-Sum: 9\r\n\r\n"))
    answer = _once(proxy, head("POST", "/public/t", "Transfer-Encoding: chunked", "TE: trailers") + b"1\r\na\r\n0\r\nX-Digest: 7\r\n\r\n")
    assert answer.trailers == [("X-Sum", "9")]
    assert upstream.requests[0].trailers == [("X-Digest", "7")]


def test_interim_answers_pass(proxy, upstream):
    upstream.script(scripts.raw(
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"))
    answer = _once(proxy, head("GET", "/health"))
    assert answer.status == 200
    assert [status for status, _ in answer.interim] == [102, 103]
    assert dict(answer.interim[1][1])["Link"] == "</a>"
    assert "X" not in dict(answer.interim[1][1])


WITHOUT_BODY = table(
    ("HEAD with a length", "HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", 200, "1234"),
    ("HEAD with chunked", "HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, None),
    ("204", "GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, None),
    ("304 with a length", "GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"x\"\r\n\r\n", 304, "99"),
    ("304 without", "GET", b"HTTP/1.1 304 Not Modified\r\n\r\n", 304, None),
    ("200 of length zero", "GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "0"),
)


@pytest.mark.parametrize("method, wire, status, length", WITHOUT_BODY)
def test_answers_without_a_body_leave_the_connection_usable(proxy, upstream, method, wire, status, length):
    upstream.script(scripts.raw(wire), scripts.answer(200, b"next"))
    with proxy.client() as client:
        answer = client.send(head(method, "/health")).response(method)
        assert (answer.status, answer.body) == (status, b"")
        if length is not None:
            assert answer.header("content-length") == length
        assert client.send(head("GET", "/health")).response().body == b"next"


def test_a_body_until_close_arrives_whole_and_marked(proxy, upstream):
    upstream.script(scripts.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end", then="close"))
    with proxy.client() as client:
        answer = client.send(head("GET", "/health")).response()
        assert answer.body == b"until the end"


def test_http_1_0_answer_of_the_upstream(proxy, upstream):
    upstream.script(scripts.raw(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", then="close"))
    answer = _once(proxy, head("GET", "/health"))
    assert (answer.status, answer.body) in ((200, b"ok"), (502, answer.body))


def test_an_early_answer_arrives_and_the_rest_of_the_body_is_no_request(proxy, upstream):
    upstream.script(scripts.answer(413, b"too much", read=False))
    total = 4 << 20
    with proxy.client() as client:
        client.send(head("POST", "/public/up", "Content-Length: %d" % total) + b"x" * 1000)
        answer = client.response()
        assert (answer.status, answer.body) == (413, b"too much")
        client.send(b"GET /public/smuggled HTTP/1.1\r\nHost: mt5.test\r\n\r\n" * 10)
    assert proxy.call("GET", "/health").status == 200
    assert [each.target for each in upstream.requests if each.target != "/health"] == ["/public/up"]


def test_a_client_that_leaves_ends_the_upstream_request(proxy, upstream):
    upstream.script(scripts.silent)
    client = proxy.client()
    client.send(head("GET", "/health"))
    request = upstream.wait(1)
    client.abort()
    wait_until(lambda: hasattr(request, "peer_closed"), 3, "the upstream connection to be closed")


def test_a_client_that_leaves_in_its_body_never_completes_it(proxy, upstream):
    client = proxy.client()
    client.send(head("POST", "/public/x", "Content-Length: 100") + b"half")
    request = upstream.wait(1)
    client.close()
    wait_until(lambda: upstream.connections[request.connection].closed, 3, "the upstream connection to be closed")
    assert not request.complete


def test_backpressure_on_a_client_that_does_not_read(proxy, upstream):
    upstream.script(scripts.download(256 << 20))
    with proxy.client() as client:
        client.send(head("GET", "/public/big"))
        request = upstream.wait(1)
        last, same = -1, 0
        deadline = time.monotonic() + 8
        while same < 10 and time.monotonic() < deadline:
            now = getattr(request, "sent", 0)
            last, same = now, (same + 1 if now == last else 0)
            time.sleep(0.03)
        assert same >= 10 and last < 64 << 20, "%d bytes were taken for a client that reads nothing" % last


def test_backpressure_on_an_upstream_that_does_not_read(proxy, upstream):
    gate = threading.Event()
    upstream.script(scripts.after(gate, scripts.close_at_head))
    with proxy.client(timeout=2) as client:
        client.send(head("POST", "/public/big", "Content-Length: %d" % (256 << 20)))
        client.sock.setblocking(False)
        sent, block, quiet = 0, b"x" * (1 << 18), 0
        while quiet < 20 and sent < 128 << 20:
            try:
                sent += client.sock.send(block)
                quiet = 0
            except BlockingIOError:
                quiet += 1
                time.sleep(0.02)
        assert sent < 64 << 20, "%d bytes were taken for an upstream that reads nothing" % sent
        gate.set()


def test_a_truncated_answer_closes_the_connection(proxy, upstream):
    for wire in (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
        upstream.script(scripts.raw(wire, then="close"))
        with proxy.client() as client:
            client.send(head("GET", "/public/x"))
            with pytest.raises(Truncated) as caught:
                client.response()
            assert caught.value.partial in (b"", b"abc")
