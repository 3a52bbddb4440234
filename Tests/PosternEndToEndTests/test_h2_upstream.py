"""HTTP/2 to the service: what it is sent, how connections are shared, and how requests outlive the end of one."""
import socket
import threading
import time

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from harness import config as configs
from harness.certificates import Authority
from harness.h2service import H2Service, echo
from harness.load import Quick
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.tls import server_context

PSEUDO = [":method", ":scheme", ":path", ":authority"]


@pytest.fixture
def service():
    """Makes services; they are stopped, and must have no complaint, at the end."""
    made = []

    def maker(script=echo, **options):
        made.append(H2Service(script, **options))
        return made[-1]

    yield maker
    for each in made:
        each.stop()


def behind(server, **changes):
    entry = {"url": server.url, "protocol": "h2"}
    entry.update(changes.pop("upstream", {}))
    return configs.config(entry, **changes)


def test_what_the_service_is_sent(start, service):
    server = service()
    proxy = start(behind(server))
    answer = proxy.call(
        "POST", "/auth?a=b%20c", "X-Mixed-Case: Kept As Is", "Cookie: a=1; b=2", "Connection: close, X-Hop", "X-Hop: 1",
        "TE: gzip", "Keep-Alive: timeout=5", "Proxy-Connection: x", "X-User-Id: root", "Upgrade: h2c",
        "HTTP2-Settings: AAAA", token=configs.token(sub="u-7"), body=b"hello")
    assert answer.json() == {"method": "POST", "path": "/auth?a=b%20c", "length": 5}
    request = server.requests[0]
    names = [name for name, _ in request.fields]
    assert names[:4] == PSEUDO and not [each for each in names[4:] if each.startswith(":")]
    assert request.header(":scheme") == "http" and request.header(":authority") == "mt5.test"
    assert request.header("x-mixed-case") == "Kept As Is" and request.header("cookie") == "a=1; b=2"
    assert request.header("x-user-id") == "u-7" and request.header("te") == "trailers"
    assert request.header("content-length") == "5" and request.header("x-forwarded-host") == "mt5.test"
    for gone in ("host", "connection", "x-hop", "keep-alive", "proxy-connection", "upgrade", "http2-settings",
                 "transfer-encoding", "authorization"):
        assert request.all(gone) == [], gone
    assert names == [each.lower() for each in names]


def test_requests_share_one_connection(start, service):
    gate = threading.Barrier(17)

    def script(stream):
        gate.wait(10)
        echo(stream)

    server = service(script)
    proxy = start(behind(server))
    clients = [Quick(proxy.port) for _ in range(16)]
    token = configs.token()
    for each in clients:
        each.send(token)
    gate.wait(10)
    assert [each.receive() for each in clients] == [200] * 16
    assert len(server.connections) == 1 and server.connections[0].most == 16
    assert proxy.metrics().value("postern_connections", side="upstream") == 1
    for each in clients:
        each.close()


def test_the_service_says_how_many_streams_a_connection_has(start, service):
    gate = threading.Barrier(7)

    def script(stream):
        gate.wait(10)
        echo(stream)

    server = service(script, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 2})
    proxy = start(behind(server))
    clients = [Quick(proxy.port) for _ in range(6)]
    for each in clients:
        each.send(configs.token())
    gate.wait(10)
    assert [each.receive() for each in clients] == [200] * 6
    assert [each.most for each in server.connections if each.streams] == [2, 2, 2]
    for each in clients:
        each.close()


def test_connections_counts_requests_and_the_queue_holds(start, service):
    go = threading.Event()

    def script(stream):
        assert go.wait(10)
        echo(stream)

    server = service(script)
    proxy = start(behind(server, upstream={"connections": 2, "queue": 1}, timeouts={"connect": "5s"}))
    clients = [Quick(proxy.port) for _ in range(3)]
    for each in clients[:2]:
        each.send(configs.token())
    wait_until(lambda: len(server.requests) == 2, 5, "two requests")
    clients[2].send(configs.token())
    wait_until(lambda: proxy.metrics().value("postern_pool_waiting") == 1, 5, "one to wait")
    check_problem(proxy.call("GET", "/auth", token=configs.token()), "overloaded")
    assert len(server.requests) == 2
    go.set()
    assert [each.receive() for each in clients] == [200] * 3
    for each in clients:
        each.close()


def test_a_request_that_waits_too_long_is_told_so(start, service):
    go = threading.Event()

    def script(stream):
        assert go.wait(10)
        echo(stream)

    server = service(script)
    proxy = start(behind(server, upstream={"connections": 1}, timeouts={"connect": "300ms"}))
    with Quick(proxy.port) as first:
        first.send(configs.token())
        wait_until(lambda: server.requests, 5, "a request")
        check_problem(proxy.call("GET", "/auth", token=configs.token()), "overloaded")
        go.set()
        assert first.receive() == 200


def test_heads_interim_responses_and_trailers(start, service):
    def script(stream):
        stream.wait_for_end()
        stream.send_fields([(":status", "103"), ("link", "</a.css>")])
        stream.respond(200, ("x-a", "b"), body=b"content", trailers=[("x-sum", "9"), ("x-got", dict(stream.trailers).get("x-in", ""))])

    server = service(script)
    proxy = start(behind(server))
    with proxy.client() as client:
        client.send(head("POST", "/auth", bearer(configs.token()), "Transfer-Encoding: chunked")
                    + b"3\r\nabc\r\n0\r\nX-In: seven\r\n\r\n")
        answer = client.response()
    assert answer.status == 200 and answer.body == b"content" and answer.header("x-a") == "b"
    assert answer.trailers == [("x-sum", "9"), ("x-got", "seven")]
    assert [status for status, _ in answer.interim] == [103]
    assert server.requests[0].body == b"abc" and server.requests[0].trailers == [("x-in", "seven")]
    assert server.requests[0].all("content-length") == []


@pytest.mark.parametrize("status, method, fields", [
    (200, "HEAD", [("content-length", "1234")]), (204, "GET", []), (304, "GET", [("content-length", "77"), ("etag", "x")])])
def test_answers_without_content(start, service, status, method, fields):
    server = service(lambda stream: stream.respond(status, *fields))
    proxy = start(behind(server))
    with proxy.client() as client:
        for _ in range(2):
            answer = client.send(head(method, "/health")).response(method)
            assert answer.status == status and answer.body == b""
            assert answer.header("content-length") == dict(fields).get("content-length")
    assert len(server.connections) == 1


def test_a_response_flows_while_the_request_still_comes(start, service):
    def script(stream):
        stream.respond(200, end=False)
        while True:
            data = stream.read()
            if not data:
                break
            stream.send(data.upper())
        stream.send_fields([("x-end", "1")], end=True)

    server = service(script)
    proxy = start(behind(server))
    with proxy.client() as client:
        client.send(head("POST", "/auth", bearer(configs.token()), "Transfer-Encoding: chunked"))
        status, fields, _ = client.head()
        assert status == 200
        for word in (b"one", b"two", b"three"):
            client.send(b"%x\r\n%s\r\n" % (len(word), word))
            assert client._line("size") == b"%x" % len(word)
            assert client.exactly(len(word) + 2) == word.upper() + b"\r\n"
        client.send(b"0\r\n\r\n")
        assert client._line("size") == b"0" and client._line("trailer") == b"x-end: 1"


def test_large_bodies_both_ways(start, service):
    size = 20 << 20

    def script(stream):
        stream.wait_for_end(30)
        stream.respond(200, ("content-length", str(size)), body=b"x" * size)

    server = service(script)
    server.stores = False
    proxy = start(behind(server))
    with proxy.client(30) as client:
        client.send(head("POST", "/auth", bearer(configs.token()), "Content-Length: %d" % size))
        for _ in range(20):
            client.send(b"y" * (1 << 20))
        answer = client.response(store=False)
    assert answer.status == 200 and server.requests[0].received == size


def test_an_upload_waits_for_the_window_and_memory_stays_small(start, service):
    server = service()
    server.reads = server.stores = False
    proxy = start(behind(server, timeouts={"body_idle": "20s"}, limits={"body": "unlimited"}))
    before = proxy.rss()
    with proxy.client(10) as client:
        client.send(head("POST", "/auth", bearer(configs.token()), "Content-Length: %d" % (200 << 20)))
        client.sock.setblocking(False)
        sent, quiet = 0, time.monotonic()
        while time.monotonic() - quiet < 0.5 and sent < 100 << 20:
            try:
                sent += client.sock.send(b"z" * (1 << 16))
                quiet = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 20 << 20, "what the service does not take is not read"
        assert server.requests[0].received <= 65_535
        assert proxy.rss() - before < 20 << 10


def test_a_client_that_does_not_read_holds_up_its_stream_alone(start, service):
    def script(stream):
        stream.wait_for_end()
        if stream.path == "/auth?big":
            stream.respond(200, ("content-length", str(100 << 20)), body=b"x" * (100 << 20))
        else:
            echo(stream)

    server = service(script)
    proxy = start(behind(server, timeouts={"body_idle": "30s"}))
    before = proxy.rss()
    with proxy.client(10) as slow, Quick(proxy.port) as other:
        slow.send(head("GET", "/auth?big", bearer(configs.token())))
        slow.head()
        for _ in range(50):
            assert other.get(configs.token()) == 200
        assert proxy.rss() - before < 20 << 10
    assert len(server.connections) == 1


def test_the_service_learns_that_a_client_has_gone(start, service):
    server = service(lambda stream: stream.ended.wait(1))
    proxy = start(behind(server))
    with Quick(proxy.port) as other:
        with proxy.client() as client:
            client.send(head("GET", "/auth", bearer(configs.token())))
            wait_until(lambda: server.requests, 5, "the request")
        stream = server.requests[0]
        wait_until(lambda: stream.reset is not None, 5, "a reset")
        assert stream.reset == ErrorCodes.CANCEL
        server.script = echo
        assert other.get(configs.token()) == 200
    assert len(server.connections) == 1


def test_an_idle_connection_says_goodbye(start, service):
    server = service()
    proxy = start(behind(server, timeouts={"upstream_idle": "300ms"}))
    for _ in range(2):
        proxy.call("GET", "/health")
        wait_until(lambda: not server.open_connections, 5, "the connection to close")
        assert server.connections[-1].terminated == ErrorCodes.NO_ERROR
    assert len(server.connections) == 2


def test_a_unix_socket(start, service, tmp_path):
    server = service(path=tmp_path / "service.sock")
    proxy = start(behind(server))
    assert proxy.call("GET", "/health").json()["path"] == "/health"


def test_a_route_with_its_own_service(start, service, new_upstream):
    server, other = service(), new_upstream()
    routes = {"GET /own": {"issuers": ["main"], "upstream": {"url": server.url, "protocol": "h2"}}}
    proxy = start(configs.config(other, more_routes=routes))
    assert proxy.call("GET", "/own", token=configs.token()).json()["path"] == "/own"
    assert proxy.call("GET", "/health").status == 200
    assert len(server.requests) == 1 and len(other.requests) == 1


# Requests that outlive a connection.


def test_goaway_under_load_fails_no_request(start, service):
    """Every 20th request makes its connection say GOAWAY; those that were on their way by then are left unread."""
    lock, count = threading.Lock(), [0]

    def script(stream):
        with lock:
            count[0] += 1
            leaves = count[0] % 20 == 0
        stream.wait_for_end()
        if leaves:
            stream.connection.goaway()
        echo(stream)

    server = service(script)
    proxy = start(behind(server))
    statuses, errors, token = [], [], configs.token()

    def work(body):
        try:
            with Quick(proxy.port) as client:
                for _ in range(150):
                    client.send(token)
                    statuses.append(client.receive())
                    if body:
                        client.sock.sendall(head("POST", "/auth", bearer(token), "Content-Length: 3") + b"abc")
                        statuses.append(client.receive())
        except (OSError, AssertionError) as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number % 2 == 0,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not errors, errors
    assert len(statuses) == 4 * 150 + 4 * 300 and set(statuses) == {200}
    assert len(server.connections) > 20
    wait_until(lambda: len(server.open_connections) <= 1, 5, "the old connections to close")


def test_a_goodbye_in_two_steps(start, service):
    """As RFC 9113 section 6.8 advises: first that there will be an end, then which stream is the last."""
    go = threading.Event()

    def script(stream):
        if stream.path != "/auth?slow":
            return echo(stream)
        stream.connection.send_frame(7, 0, 0, b"\x7f\xff\xff\xff" + bytes(4))
        assert go.wait(10)
        stream.connection.goaway()
        echo(stream)

    server = service(script)
    proxy = start(behind(server))
    with Quick(proxy.port) as slow, Quick(proxy.port) as other:
        slow.send(configs.token(), "/auth?slow")
        wait_until(lambda: server.requests, 5, "the request")
        wait_until(lambda: other.get(configs.token()) == 200 and len(server.connections) == 2, 5, "a new connection")
        go.set()
        assert slow.receive() == 200
    wait_until(lambda: len(server.open_connections) == 1, 5, "the old connection to close")
    assert proxy.metrics().value("postern_upstream_retries_total") == 0


@pytest.mark.parametrize("fields, body", [
    (["Content-Length: 3"], b"abc"), (["Transfer-Encoding: chunked"], b"3\r\nabc\r\n0\r\n\r\n")])
def test_a_refused_stream_is_sent_again_with_its_body(start, service, fields, body):
    def script(stream):
        stream.wait_for_end()
        if len(server.requests) == 1:
            return stream.rst(ErrorCodes.REFUSED_STREAM)
        echo(stream)

    server = service(script)
    proxy = start(behind(server))
    with proxy.client() as client:
        client.send(head("POST", "/auth", bearer(configs.token()), *fields) + body)
        assert client.response().json()["length"] == 3
    assert len(server.requests) == 2 and len(server.connections) == 1
    assert proxy.metrics().value("postern_upstream_retries_total") == 1


def test_a_refused_request_that_still_comes_goes_on_on_the_next_stream(start, service):
    def script(stream):
        if len(server.requests) == 1:
            stream.read()
            return stream.rst(ErrorCodes.REFUSED_STREAM)
        echo(stream)

    server = service(script)
    proxy = start(behind(server))
    with proxy.client() as client:
        client.send(head("POST", "/auth", bearer(configs.token()), "Content-Length: 6") + b"abc")
        wait_until(lambda: len(server.requests) == 2, 5, "the second stream")
        client.send(b"def")
        assert client.response().json()["length"] == 6
    assert server.requests[1].body == b"abcdef"


def test_endless_refusals_and_those_without_retries_are_an_answer(start, service):
    def refuse(stream):
        stream.wait_for_end()
        stream.rst(ErrorCodes.REFUSED_STREAM)

    server = service(refuse)
    proxy = start(behind(server))
    check_problem(proxy.call("GET", "/auth", token=configs.token()), "upstream_unavailable")
    assert len(server.requests) == 4
    proxy = start(behind(server, upstream={"retry": {"attempts": 0}}))
    check_problem(proxy.call("GET", "/auth", token=configs.token()), "upstream_unavailable")
    assert len(server.requests) == 5


def test_a_stream_that_the_service_gives_up_is_not_sent_again(start, service):
    def script(stream):
        stream.wait_for_end()
        stream.rst(ErrorCodes.INTERNAL_ERROR)

    server = service(echo)
    proxy = start(behind(server))
    assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    server.script = script
    check_problem(proxy.call("GET", "/auth", token=configs.token()), "upstream_unavailable")
    assert len(server.requests) == 2 and len(server.connections) == 1


@pytest.mark.parametrize("method, again", [("GET", True), ("POST", False)])
def test_a_used_connection_that_dies_without_a_word(start, service, method, again):
    def die(stream):
        stream.wait_for_end()
        server.script = echo
        stream.connection.close()

    server = service(echo)
    proxy = start(behind(server))
    assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    server.script = die
    answer = proxy.call(method, "/auth", token=configs.token())
    if again:
        assert answer.status == 200
    else:
        check_problem(answer, "upstream_unavailable")
    assert len(server.requests) == (3 if again else 2)


def test_a_change_of_protocol_to_an_http2_service_takes_effect_at_reload(start, service, new_upstream):
    old, server = new_upstream(), service()
    proxy = start(configs.config(old))
    assert proxy.call("GET", "/health").status == 200
    proxy.write(dict(proxy.config, upstream={"url": server.url, "protocol": "h2"}))
    wait_until(lambda: proxy.call("GET", "/health").status == 200 and server.requests, 5, "the new service")
    proxy.write(dict(proxy.config, upstream=old.url))
    wait_until(lambda: not server.open_connections, 5, "the connection to the service that is not asked any more to close")


@pytest.mark.parametrize("protocol", ["h2", "auto"])
def test_health_checks_speak_what_requests_do(start, service, tmp_path, protocol):
    authority = Authority(tmp_path)
    down = threading.Event()

    def script(stream):
        if stream.path != "/hz":
            return echo(stream)
        stream.respond(503 if down.is_set() else 200, body=b"checked")

    server = service(script, context=server_context(authority.server()) if protocol == "auto" else None)
    tls = {"tls": {"ca": str(authority.ca)}} if protocol == "auto" else {}
    health = {"health": {"path": "/hz", "interval": "50ms", "failures": 2}}
    proxy = start(configs.config(dict({"url": server.url, "protocol": protocol}, **tls, **health)))
    assert proxy.call("GET", "/health").status == 200
    check = [each for each in server.requests if each.path == "/hz"][0]
    assert check.method == "GET" and check.all("connection") == [] and check.header("user-agent").startswith("postern-health/")
    down.set()
    wait_until(lambda: proxy.metrics().value("postern_upstream_healthy") == 0, 5, "the service to be down")
    check_problem(proxy.call("GET", "/health"), "upstream_unavailable")
    down.clear()
    wait_until(lambda: proxy.call("GET", "/health").status == 200, 5, "the service to be well again")
