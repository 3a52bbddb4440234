"""HTTP/2 from clients: each stream is a request like any other, by what the upstream received and the client got."""
import json
import signal
import subprocess
import threading

import hyperframe.frame as frames
import pytest

from harness import config as configs
from harness import scripts
from harness.certificates import Authority
from harness.http2 import PREFACE, Client, Code, Raw, fields
from harness.net import free_port, wait_until
from harness.proxyprotocol import text as proxy_header
from harness.raw import RawClient
from harness.tls import TLSClient, client_context

MIB = 1 << 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def settings(authority):
    identity = authority.server()
    return {
        "listen": ["127.0.0.1:%d" % free_port(),
                   {"address": "127.0.0.1:%d" % free_port(),
                    "tls": {"certificate": str(identity[0]), "key": str(identity[1])}}],
        "more_routes": {"ANY /limited": {"body": "1KiB", "roles": ["nobody"]}, "ANY /short": "public"},
    }


@pytest.fixture
def client(proxy):
    with Client(proxy.port) as made:
        yield made


def secure(proxy):
    return int(proxy.config["listen"][1]["address"].rpartition(":")[2])


def bearer(**claims):
    return ("authorization", "Bearer " + configs.token(**claims))


def curl(*arguments):
    done = subprocess.run(["curl", "-sS", "--max-time", "10", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- Real clients

def test_curl_with_prior_knowledge(proxy, upstream):
    out = curl("--http2-prior-knowledge", "-H", "Authorization: Bearer " + configs.token(sub="u-2"), "-H", "X-User-Id: root",
               "-w", "\n%{http_version} %{http_code}", "http://127.0.0.1:%d/auth" % proxy.port)
    body, _, said = out.rpartition("\n")
    assert said == "2 200"
    seen = {name.lower(): value for name, value in json.loads(body)["headers"]}
    assert seen["x-user-id"] == "u-2" and "authorization" not in seen
    assert seen["host"] == "127.0.0.1:%d" % proxy.port and seen["x-forwarded-proto"] == "http"
    upstream.requests[0].check()


def test_curl_over_tls(proxy, upstream, authority):
    out = curl("--http2", "--cacert", str(authority.ca), "--resolve", "localhost:%d:127.0.0.1" % secure(proxy), "-d", "x=1",
               "-H", "Authorization: Bearer " + configs.token(), "-H", "X-Forwarded-Proto: gopher",
               "-w", "\n%{http_version} %{http_code}", "https://localhost:%d/auth" % secure(proxy))
    assert out.rpartition("\n")[2] == "2 200"
    request = upstream.requests[0].check()
    assert request.body == b"x=1" and request.all("x-forwarded-proto") == ["https"]


def test_a_client_of_http_1_gets_it(proxy, upstream, authority):
    out = curl("--http1.1", "--cacert", str(authority.ca), "--resolve", "localhost:%d:127.0.0.1" % secure(proxy),
               "-w", "\n%{http_version}", "https://localhost:%d/health" % secure(proxy))
    assert out.endswith("\n1.1")
    # And one that knows nothing of ALPN.
    with TLSClient(secure(proxy), client_context(authority)) as plain:
        plain.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert plain.response().status == 200


def test_the_preface_over_tls_needs_alpn(proxy, authority):
    with TLSClient(secure(proxy), client_context(authority)) as plain:
        plain.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert plain.response().status == 505


def test_h2load(proxy, upstream):
    upstream.default = scripts.answer(body=b"x" * 100)
    done = subprocess.run(["h2load", "-n", "2000", "-c", "4", "-m", "16", "http://127.0.0.1:%d/health" % proxy.port],
                          capture_output=True, text=True, timeout=60)
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("cut", range(1, 24))
def test_the_preface_in_two_pieces(proxy, upstream, cut):
    with RawClient(proxy.port) as client:
        client.sock.sendall(PREFACE[:cut])
        # Whoever answers this has read what came before on the same event loop.
        proxy.metrics()
        client.sock.sendall(PREFACE[cut:] + bytes.fromhex("000000040000000000"))
        assert client.sock.recv(9)[3] == 4, "settings come first"


def test_behind_a_proxy_header(start, upstream):
    proxy = start(configs.config(upstream, listen=["127.0.0.1:%d" % free_port(),
                                                   {"address": "127.0.0.1:%d" % free_port(), "proxy_protocol": True}],
                                 trusted_proxies=["127.0.0.1/32"]))
    port = int(proxy.config["listen"][1]["address"].rpartition(":")[2])
    with Client(port, before=proxy_header("203.0.113.9")) as client:
        assert client.call().status == 200
    assert upstream.requests[-1].all("x-forwarded-for") == ["203.0.113.9"]


# --- A request like any other

def test_identity_log_and_metrics(proxy, client, upstream):
    before = proxy.metrics().value("postern_requests_total", route="ANY /public/{rest...}", method="GET", status="200") or 0
    spoofed = [("x-user-id", "root"), ("x_user_roles", "admin"), ("x-request-id", "h2-1"), bearer(sub="u-7")]
    assert client.call(path="/auth", more=spoofed).status == 200
    assert client.call(path="/public/x?token=1").status == 200
    request = upstream.requests[0].check()
    assert request.all("x-user-id") == ["u-7"] and request.all("x_user_roles") == [] and request.all("authorization") == []
    assert request.all("connection") == [] and request.all("te") == []
    line = proxy.access("h2-1")
    assert line["user"] == "u-7" and line["spoofed"] is True and line["status"] == 200 and line["path"] == "/auth"
    assert line["client"] == "127.0.0.1" and line["bytes_out"] > 0
    wait_until(lambda: proxy.metrics().value("postern_requests_total", route="ANY /public/{rest...}", method="GET",
                                             status="200") == before + 1, 5, "the request to be counted")


@pytest.mark.parametrize("path, more, status, code", [
    ("/auth", [], 401, "missing_token"), ("/auth", [("authorization", "Bearer x")], 401, "invalid_token"),
    ("/internal/x", [], 403, "route_denied"), ("/nowhere", [], 403, "route_not_declared"),
    ("/a//b", [], 400, "ambiguous_path"), ("/public/%2e%2e/x", [], 400, "ambiguous_path"),
    ("/auth", [("authorization", "Bearer a"), ("authorization", "Bearer b")], 400, "invalid_request"),
    ("/health", [("expect", "nonsense")], 417, "expectation_failed"),
    ("/health", [("x-%d" % i, "y") for i in range(120)], 431, "request_header_fields_too_large"),
    ("/health", [("x", "y" * 40_000)], 431, "request_header_fields_too_large"),
    ("/" + "x" * 9000, [], 414, "uri_too_long"),
])
def test_refusals(proxy, client, upstream, path, more, status, code):
    # The client's settings come before the list's limit counts.
    assert client.call().status == 200
    answer = client.call(path=path, more=more)
    assert answer.status == status and json.loads(answer.body)["code"] == code
    assert answer.header("content-type") == "application/problem+json" and answer.ended and answer.reset is None
    assert answer.header("connection") is None
    assert client.call().status == 200, "the connection goes on"
    assert [each.target for each in upstream.requests] == ["/health", "/health"]


def test_connect_is_not_implemented(client, upstream):
    answer = client.answer(client.open([(":method", "CONNECT"), (":authority", "localhost:80")]))
    assert answer.status == 501
    assert client.call().status == 200 and len(upstream.requests) == 1


def test_methods_and_statuses(client, upstream):
    upstream.script(scripts.answer(body=b"hello"), scripts.answer(204, b"", length=False),
                    scripts.answer(304, b"", ["ETag: x"], length=False), scripts.answer(500, b"oh"))
    head = client.call("HEAD")
    assert head.status == 200 and head.header("content-length") == "5" and head.body == b"" and head.ended
    assert client.call().status == 204
    assert client.call().status == 304
    assert client.call().body == b"oh"
    assert [each.method for each in upstream.requests] == ["HEAD", "GET", "GET", "GET"]


def test_fields_of_the_response(client, upstream):
    upstream.script(scripts.answer(body=b"x", fields=["Set-Cookie: a=1", "Set-Cookie: b=2", "X-Mixed-Case: Kept", "Keep-Alive: timeout=5",
                                                      "Connection: X-Hop", "X-Hop: 1", "Proxy-Connection: close"]))
    answer = client.call()
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert answer.header("x-mixed-case") == "Kept"
    assert not {"connection", "keep-alive", "x-hop", "proxy-connection", "transfer-encoding"} & {n for n, _ in answer.headers}


def test_large_heads_of_responses(client, upstream):
    upstream.script(scripts.answer(body=b"x", fields=["X-Large: " + "a1-" * 5000]),
                    scripts.answer(body=b"x", fields=["X-Large: " + "a" * 17_000]),
                    scripts.answer(body=b"x", fields=["X-Large: " + "{" * 5_000]))
    assert [len(client.call().header("x-large")) for _ in range(3)] == [15_000, 17_000, 5_000]
    assert client.call().status == 200


def test_cookie_crumbs_are_one_line(client, upstream):
    client.call(more=[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")])
    assert upstream.requests[0].check().all("cookie") == ["a=1; b=2"]


# --- Content

@pytest.mark.parametrize("length", [True, False])
def test_content_both_ways(client, upstream, length):
    data = bytes(range(256)) * 12_000

    def mirror(exchange):
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(exchange.request.body))
        exchange.send(exchange.request.body + b"\r\n0\r\n\r\n")

    upstream.script(mirror)
    more = [("content-length", str(len(data)))] if length else []
    stream = client.open(fields("POST", "/public/x", more=more), end=False)
    client.send(stream, data, end=True)
    answer = client.answer(stream)
    assert answer.body == data and answer.ended
    request = upstream.requests[0].check()
    assert request.body == data and request.all("content-length") == ([str(len(data))] if length else [])


def test_trailers_both_ways(client, upstream):
    def script(exchange):
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n")

    upstream.script(script)
    stream = client.open(fields("POST", "/public/x"), end=False)
    client.send(stream, b"abc")
    client.trailers(stream, [("x-digest", "d")])
    answer = client.answer(stream)
    assert answer.body == b"ok" and answer.trailers == [("x-sum", "7")]
    request = upstream.requests[0].check()
    assert request.body == b"abc" and request.trailers == [("x-digest", "d")]


def test_interim_answers_and_expectation(client, upstream):
    def script(exchange):
        exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    upstream.script(script)
    stream = client.open(fields("POST", "/public/x", more=[("expect", "100-continue"), ("content-length", "3")]), end=False)
    answer = client.answers[stream]
    client.until(lambda: len(answer.interim) == 2)
    assert [dict(each)[":status"] for each in answer.interim] == ["100", "103"]
    client.send(stream, b"abc", end=True)
    assert client.answer(stream).body == b"ok"
    assert upstream.requests[0].body == b"abc" and upstream.requests[0].all("expect") == []


def test_both_sides_talk_at_once(client, upstream):
    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            size = int(exchange.connection._line(), 16)
            while len(exchange.connection.buffer) < size + 2:
                exchange.connection.fill()
            data, exchange.connection.buffer = exchange.connection.buffer[:size], exchange.connection.buffer[size + 2:]
            exchange.send(b"%x\r\n%s\r\n" % (size, data[::-1]))
        exchange.read_body()
        exchange.send(b"0\r\ngrpc-status: 0\r\n\r\n")

    upstream.script(script)
    stream = client.open(fields("POST", "/public/x"), end=False)
    answer = client.answers[stream]
    for i, word in enumerate((b"one", b"two", b"three")):
        client.send(stream, word)
        want = b"".join((b"one", b"two", b"three")[: i + 1])
        client.until(lambda: len(answer.body) >= len(want))
        assert answer.body.endswith(word[::-1])
    client.send(stream, b"", end=True)
    client.answer(stream)
    assert answer.trailers == [("grpc-status", "0")]


def test_an_answer_that_does_not_wait_for_the_content(client, upstream):
    stream = client.open(fields("POST", "/auth"), end=False)
    answer = client.answers[stream]
    client.until(lambda: answer.reset is not None)
    assert answer.status == 401 and answer.ended and answer.reset == Code.NO_ERROR
    assert client.call().status == 200, "the connection goes on"
    assert len(upstream.requests) == 1


def test_streams_do_not_wait_for_each_other(client, upstream):
    held = threading.Event()
    upstream.script(scripts.after(held, scripts.answer(body=b"slow")))
    slow = client.open(fields(path="/public/slow"))
    upstream.wait(1)
    assert [client.call(path="/public/%d" % i).status for i in range(5)] == [200] * 5
    held.set()
    assert client.answer(slow).body == b"slow"


def test_a_stream_that_is_not_read_holds_up_no_other(client, upstream):
    def endless(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while exchange.send(b"x" * 65536):
            pass

    upstream.script(endless)
    client.h2.acknowledge_received_data = lambda *_: None
    stream = client.open(fields(path="/public/endless"))
    client.until(lambda: len(client.answers[stream].body) == 65535)
    client.h2.increment_flow_control_window(1 << 20)
    client.flush()
    assert client.call().status == 200
    client.h2.reset_stream(stream, Code.CANCEL)
    client.flush()
    assert client.call().status == 200


def test_a_body_that_breaks_off_is_not_taken_for_whole(client, upstream):
    upstream.script(scripts.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", then="close"))
    answer = client.call()
    assert answer.status == 200 and not answer.ended and answer.reset == Code.INTERNAL_ERROR
    upstream.script(scripts.raw(b"garbage\r\n\r\n", then="close"))
    assert client.call().status == 502


def test_a_client_that_cancels_spares_the_service(client, upstream):
    gone = threading.Event()

    def script(exchange):
        exchange.until_peer_closes()
        gone.set()

    upstream.script(script)
    stream = client.open(fields(path="/public/x"))
    upstream.wait(1)
    client.h2.reset_stream(stream, Code.CANCEL)
    client.flush()
    assert gone.wait(5)
    assert client.call().status == 200


def test_a_client_that_does_not_take_its_response(start, upstream):
    """A window that stays shut is a peer that does not read: `timeouts.body_idle`."""
    proxy = start(configs.config(upstream, timeouts={"body_idle": "400ms"}))
    for size in (40_000, 10 * MIB):
        with Client(proxy.port) as client:
            client.h2.acknowledge_received_data = lambda *_: None
            client.h2.update_settings({4: 10_000})
            client.flush()
            client.until(lambda: client.h2.local_settings.initial_window_size == 10_000)
            upstream.script(scripts.answer(body=b"x" * size))
            answer = client.call(path="/public/x")
            assert answer.status == 200 and len(answer.body) == 10_000 and answer.reset is not None
            assert client.call().status == 200


def test_content_that_does_not_come(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"body_idle": "400ms"}))
    with Client(proxy.port) as client:
        stream = client.open(fields("POST", "/public/x"), end=False)
        client.until(lambda: client.answers[stream].reset is not None)
        assert client.answers[stream].status == 408 and client.answers[stream].reset == Code.NO_ERROR
        assert client.call().status == 200


@pytest.mark.parametrize("behind", [b"", b"\xff" * 40], ids=["nothing", "garbage"])
def test_a_client_that_is_gone_at_once_spares_the_service(start, upstream, behind):
    """All that it ever sends comes in one read, and what is behind its request ends the connection in that read."""
    upstream.default = lambda exchange: exchange.until_peer_closes()
    proxy = start(configs.config(upstream))
    for i in range(30):
        with Raw(proxy.port, settings=False, preface=False) as client:
            client.send(PREFACE, frames.SettingsFrame(0),
                        client.headers(1, fields(path="/public/x", more=[("x-request-id", "gone-%03d" % i)])), behind)
    wait_until(lambda: proxy.metrics().value("postern_connections", side="upstream") == 0, 5, "the service to be left")
    assert [proxy.access("gone-%03d" % i)["status"] for i in range(30)] == [499] * 30
    assert proxy.metrics().value("postern_pool_waiting") == 0


# --- The connection

def test_drain_serves_what_was_asked(start, upstream):
    held = threading.Event()
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    with Raw(proxy.port) as client:
        upstream.script(scripts.after(held, scripts.answer(body=b"late")))
        client.send(client.headers(1, fields(path="/public/slow")))
        upstream.wait(1)
        proxy.signal(signal.SIGTERM)
        client.until(frames.GoAwayFrame)
        assert client.goaways() == [((1 << 31) - 1, Code.NO_ERROR)]
        held.set()
        assert client.ended(1) == b"late"
        client.until_closed()
        assert client.goaways()[-1] == (1, Code.NO_ERROR)
    assert proxy.wait(5) == 0


def test_requests_that_cross_the_goaway_are_served(start, upstream):
    """A client that has not heard yet has done nothing wrong: what it asks is answered, until it has said that it has heard."""
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    with Raw(proxy.port, pongs=False) as client:
        client.until(frames.SettingsFrame)
        proxy.signal(signal.SIGTERM)
        ping = client.until(frames.PingFrame)
        assert ping.opaque_data == b"goodbye!"
        for stream in (1, 3):
            client.send(client.headers(stream, fields(path="/public/crossing")))
            client.ended(stream)
            assert client.status(stream) == 200
        client.send(frames.PingFrame(0, ping.opaque_data, flags=["ACK"]))
        client.until_closed()
        assert client.goaways() == [((1 << 31) - 1, Code.NO_ERROR), (3, Code.NO_ERROR)]
    assert proxy.wait(5) == 0


def test_what_comes_after_the_last_stream_is_not_served(start, upstream):
    held = threading.Event()
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    with Raw(proxy.port) as client:
        upstream.script(scripts.after(held, scripts.answer(body=b"late")))
        client.send(client.headers(1, fields(path="/public/slow")))
        upstream.wait(1)
        proxy.signal(signal.SIGTERM)
        while len(client.goaways()) < 2:
            assert client.step()
        assert client.goaways()[1] == (1, Code.NO_ERROR)
        client.send(client.headers(3, fields(path="/public/late")))
        held.set()
        assert client.ended(1) == b"late"
        client.until_closed()
    assert [each.target for each in upstream.requests] == ["/public/slow"]
    assert proxy.wait(5) == 0


def test_drain_under_load_drops_nothing(start, upstream):
    """Connections that always have eight requests open, until they are told to stop."""
    upstream.default = scripts.answer(body=b"x" * 2000)
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}, event_loops=2))
    opened, answered, under_way = [], [], threading.Barrier(5, timeout=10)

    def load():
        with Raw(proxy.port) as client:
            number, mine = 1, 0
            for _ in range(8):
                client.send(client.headers(number, fields(path="/public/%d" % number)))
                number += 2
            while client.step():
                frame = client.frames.pop()
                if isinstance(frame, frames.GoAwayFrame):
                    client.frames.append(frame)
                if isinstance(frame, frames.DataFrame) and frame.data:
                    client.send(frames.WindowUpdateFrame(0, window_increment=len(frame.data)))
                if "END_STREAM" in frame.flags:
                    mine += 1
                    if mine == 100:
                        under_way.wait()
                    if not client.goaways():
                        client.send(client.headers(number, fields(path="/public/%d" % number)))
                        number += 2
            opened.append((number - 1) // 2)
            answered.append(mine)

    threads = [threading.Thread(target=load, daemon=True) for _ in range(4)]
    for each in threads:
        each.start()
    under_way.wait()
    proxy.signal(signal.SIGTERM)
    for each in threads:
        each.join(15)
    assert proxy.wait(5) == 0
    assert len(opened) == 4 and opened == answered
    upstream.default = scripts.echo


def test_a_reload_holds_for_the_next_stream(start, upstream):
    proxy = start(configs.config(upstream))
    with Client(proxy.port) as client:
        assert client.call(path="/public/x").status == 200
        proxy.write(dict(proxy.config, routes=dict(proxy.config["routes"], **{"ANY /public/{rest...}": "deny"})))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: client.call(path="/public/x").status == 403, 5, "the new policy")


def test_idle_connections_are_told_and_closed(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"idle": "300ms", "head": "300ms"}))
    with Raw(proxy.port) as client:
        client.send(client.headers(1, fields()))
        client.ended(1)
        client.until_closed()
        assert client.goaways() == [((1 << 31) - 1, Code.NO_ERROR), (1, Code.NO_ERROR)]


def test_connections_are_counted_not_streams(start, upstream):
    held = threading.Event()
    proxy = start(configs.config(upstream, limits={"connections": 2}))
    with Client(proxy.port) as client:
        upstream.script(*[scripts.after(held, scripts.answer()) for _ in range(20)])
        streams = [client.open(fields(path="/public/%d" % i)) for i in range(20)]
        upstream.wait(20)
        assert proxy.metrics().value("postern_connections", side="downstream") == 1
        held.set()
        assert [client.answer(each).status for each in streams] == [200] * 20
        with Client(proxy.port) as second:
            assert second.call().status == 200
    wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 5, "the connections to close")


def test_too_many_connections_over_tls(start, upstream, authority):
    identity = authority.server(file="other")
    proxy = start(configs.config(upstream, limits={"connections": 1}, listen=[
        "127.0.0.1:%d" % free_port(),
        {"address": "127.0.0.1:%d" % free_port(), "tls": {"certificate": str(identity[0]), "key": str(identity[1])}}]))
    with Client(secure(proxy), client_context(authority)) as client:
        assert client.call().status == 200
        with Raw(secure(proxy), client_context(authority)) as second:
            assert second.goaway() == Code.ENHANCE_YOUR_CALM and second.goaways()[0][0] == 0
        assert client.call().status == 200

    def admitted():
        with Client(secure(proxy), client_context(authority)) as third:
            return third.call().headers

    wait_until(admitted, 5, "a free place")


def test_a_certificate_that_changes_leaves_connections_alone(start, upstream, authority, tmp_path):
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"

    def put(identity):
        certificate.write_bytes(open(identity[0], "rb").read())
        key.write_bytes(open(identity[1], "rb").read())

    put(authority.server(file="other"))
    proxy = start(configs.config(upstream, listen=[
        "127.0.0.1:%d" % free_port(),
        {"address": "127.0.0.1:%d" % free_port(), "tls": {"certificate": str(certificate), "key": str(key)}}]))

    def shown(client):
        return client.sock.getpeercert()["serialNumber"]

    with Client(secure(proxy), client_context(authority)) as client:
        assert client.call().status == 200
        put(authority.server(file="other"))

        def changed():
            with Client(secure(proxy), client_context(authority)) as other:
                return other.call().status == 200 and shown(other) != shown(client)

        wait_until(changed, 10, "the new certificate")
        assert client.call().status == 200 and not client.goaways
