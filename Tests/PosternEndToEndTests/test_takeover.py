"""A process takes the place of another at the same addresses, while clients without retries go on."""
import os
import signal
import socket
import time

import pytest
import yaml

from harness import config as configs
from harness.certificates import Authority
from harness.load import Load
from harness.net import free_port, wait_until
from harness.process import run
from harness.proxyprotocol import text
from harness.raw import RawClient, bearer, head
from harness.tls import TLSClient, client_context
from harness.websocket import WebSocketUpstream, dial

TAKEOVERS = int(os.environ.get("POSTERN_TAKEOVERS", "20"))


def successor(start, proxy, config=None, **options):
    """A process in the place of `proxy`, which it has told so; that one may still drain."""
    after = start(config or proxy.config, arguments=("run", "--take-over", str(proxy.pid)), **options)
    wait_until(lambda: "taking over" in after.output(), 15, "the successor to say that it takes over")
    return after


def lines(proxy, message):
    return [line for line in proxy.lines() if line.get("message") == message]


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("loops", [[2], [1], [1, 3, 2]], ids=["2", "1", "changing"])
def test_takeovers_under_load_fail_no_request(start, upstream, tmp_path, loops):
    authority = Authority(tmp_path)
    plain, unix, secured = free_port(), str(tmp_path / "in.sock"), free_port()
    tls = dict(zip(("certificate", "key"), map(str, authority.server())))
    config = configs.config(upstream, timeouts={"drain": "5s"}, listen=[
        "127.0.0.1:%d" % plain, "unix:" + unix, {"address": "127.0.0.1:%d" % secured, "tls": tls}])
    proxy = start(dict(config, event_loops=loops[0]))
    config = dict(proxy.config)
    token = configs.token(lifetime=3600)
    count = TAKEOVERS if len(loops) == 1 and loops[0] == 2 else 6
    with Load([plain, unix], lambda _: token, threads=8, pause=0.0005, fresh=True) as load, \
            Load([secured], lambda _: token, threads=2, pause=0.002, fresh=True, context=client_context(authority)) as over_tls:
        for number in range(1, count + 1):
            before, served = proxy, load.answered
            proxy = successor(start, before, dict(config, event_loops=loops[number % len(loops)]))
            assert before.wait(15) == 0
            wait_until(lambda: lines(proxy, "took over"), 5, "the successor to know that it is alone")
            wait_until(lambda: load.answered > served + 50 or load.errors, 10, "requests to be served")
            assert not load.errors and not over_tls.errors, (number, load.errors[:3], over_tls.errors[:3])
            assert [line["connections_broken"] for line in lines(before, "drained")] == ["0"]
    load.only(200)
    over_tls.only(200)
    print("%d take-overs: %d requests on %d connections, %d over TLS on %d; the slowest took %.0f ms; none failed" % (
        count, load.answered, load.connections, over_tls.answered, over_tls.connections, load.slowest * 1000))


def test_a_second_process_that_is_not_told_to_does_not_share_the_port(start, upstream, tmp_path):
    proxy = start(configs.config(upstream))
    config = dict(proxy.config, admin="127.0.0.1:%d" % free_port())
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(config))
    done = run("postern", "run", "--config", tmp_path / "other.yaml")
    assert done.returncode == 1
    assert "127.0.0.1:%d is in use by another process" % proxy.port in done.stderr
    assert proxy.call("GET", "/health").status == 200


@pytest.mark.parametrize("other, reason", [
    ("0", "is no other process"), ("999999999", "there is no process 999999999 to take over"),
    ("own", "is no postern that runs"), ("word", "is invalid for"),
])
def test_only_a_postern_is_taken_over(start, upstream, tmp_path, other, reason):
    proxy = start(configs.config(upstream))
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(proxy.config))
    done = run("postern", "run", "--config", tmp_path / "other.yaml", "--take-over",
               str(os.getpid()) if other == "own" else other)
    assert done.returncode in (1, 64) and reason in done.stderr, done.stderr
    assert proxy.call("GET", "/health").status == 200


def test_one_that_does_not_become_ready_leaves_the_old_one_alone(start, upstream, tmp_path, key_server):
    proxy = start(configs.config(upstream))
    server = key_server(configs.RSA)
    server.stop()
    issuer = configs.issuer(keys={"url": server.url + "/jwks"})
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(dict(proxy.config, issuers={"main": issuer})))
    done = run("postern", "run", "--config", tmp_path / "other.yaml", "--take-over", str(proxy.pid))
    assert done.returncode == 1
    assert "not ready to take over process %d" % proxy.pid in done.stderr and '"keys"' in done.stderr, done.stderr
    assert not lines(proxy, "draining")
    for _ in range(20):
        assert proxy.call("GET", "/auth", token=configs.token()).status == 200


def test_a_file_with_errors_leaves_the_old_one_alone(start, upstream, tmp_path):
    proxy = start(configs.config(upstream))
    (tmp_path / "other.yaml").write_text("version: 1\n")
    done = run("postern", "run", "--config", tmp_path / "other.yaml", "--take-over", str(proxy.pid))
    assert done.returncode == 78
    assert proxy.call("GET", "/health").status == 200


def test_the_admin_address_answers_for_the_successor(start, upstream):
    status = free_port()
    config = configs.config(upstream, timeouts={"drain": "10s"}, more_routes={"GET /slow": "public"},
                            admin={"address": "127.0.0.1:%d" % free_port(), "status": "127.0.0.1:%d" % status})
    proxy = start(config)
    with RawClient(status) as checker, proxy.client() as slow:
        assert checker.send(head("GET", "/readyz")).response().status == 200
        slow.send(head("POST", "/public/slow", "Content-Length: 4") + b"ab")
        after = successor(start, proxy, dict(proxy.config, service="after"))
        wait_until(lambda: lines(proxy, "draining"), 3)
        # The old process still has its request; nobody who asks about the address is sent away for it.
        assert checker.send(head("GET", "/readyz")).response().status == 200
        for _ in range(50):
            assert after.get_admin("/readyz", port=status).status == 200
        wait_until(lambda: '"after"' in after.get_admin("/policy").body.decode(), 3)
        for _ in range(20):
            assert after.metrics().value("postern_draining") == 0
        assert proxy.alive()
        slow.send(b"cd")
        assert slow.response().status == 200
    assert proxy.wait(5) == 0
    assert after.call("GET", "/health").status == 200


def test_what_a_client_began_at_the_old_process_ends_there(start, upstream, tmp_path):
    authority = Authority(tmp_path)
    tls = dict(zip(("certificate", "key"), map(str, authority.server())))
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}, listen=[
        "127.0.0.1:%d" % free_port(), {"address": "127.0.0.1:%d" % free_port(), "tls": tls}]))
    port = int(proxy.config["listen"][1]["address"].rpartition(":")[2])
    with proxy.client() as half, TLSClient(port, client_context(authority)) as secure:
        half.send(b"GET /health HTTP/1.1\r\nHost: a.test\r\n")
        secure.send(head("POST", "/public/x", "Content-Length: 4") + b"ab")
        upstream.wait(1)
        successor(start, proxy)
        wait_until(lambda: lines(proxy, "draining"), 3)
        secure.send(b"cd")
        assert secure.response().header("connection") == "close"
        assert secure.closed() and secure.ended_well, "TLS says that it is all"
        half.send(b"\r\n")
        answer = half.response()
        assert answer.status == 200 and answer.header("connection") == "close"
    assert proxy.wait(5) == 0


def test_websockets_are_told_to_close_and_the_next_is_the_successors(start):
    with WebSocketUpstream() as service:
        proxy = start(configs.config(service, timeouts={"drain": "5s"}))
        with dial(proxy, "/public/ws") as client:
            client.send("x")
            assert client.recv(timeout=5) == "x"
            after = successor(start, proxy)
            with pytest.raises(Exception):
                client.recv(timeout=5)
            assert (client.close_code, client.close_reason) == (1001, "shutting down")
        assert proxy.wait(5) == 0
        with dial(after, "/public/ws") as client:
            client.send("y")
            assert client.recv(timeout=5) == "y"


def test_a_unix_socket_is_never_without_its_file(start, upstream, tmp_path):
    path = str(tmp_path / "in.sock")
    proxy = start(configs.config(upstream, listen=["127.0.0.1:%d" % free_port(), "unix:" + path]))
    inode = os.stat(path).st_ino
    after = successor(start, proxy)
    assert os.stat(path).st_ino != inode
    assert proxy.wait(5) == 0
    with RawClient(path=path) as client:
        assert client.send(head("GET", "/health")).response().status == 200
    assert sorted(os.listdir(str(tmp_path)))[0] == "in.sock"
    assert not os.path.exists(path + "~")
    after.stop()
    assert not os.path.exists(path), "the last one takes the file along"


def test_an_idle_connection_is_served_once_more_while_draining(start, upstream):
    """A client that has just had an answer may have sent its next request before it can know of the end."""
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    with proxy.client() as idle, proxy.client() as silent:
        for client in (idle, silent):
            assert client.send(head("GET", "/health")).response().header("connection") is None
        begun = time.monotonic()
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: not listens(proxy.port), 5)
        answer = idle.send(head("GET", "/auth", bearer(configs.token()))).response()
        assert answer.status == 200 and answer.header("connection") == "close"
        assert idle.closed(5) and silent.closed(5)
    assert proxy.wait(5) == 0
    assert time.monotonic() - begun < 4


def test_a_connection_that_has_said_nothing_yet_is_served_while_draining(start, upstream, tmp_path):
    """It was accepted: its PROXY header, its handshake or its first request may be on its way."""
    authority = Authority(tmp_path)
    tls = dict(zip(("certificate", "key"), map(str, authority.server())))
    ports = [free_port() for _ in range(3)]
    addresses = ["127.0.0.1:%d" % port for port in ports]
    proxy = start(configs.config(upstream, trusted_proxies=["127.0.0.1/32"], timeouts={"drain": "10s"}, listen=[
        addresses[0], {"address": addresses[1], "proxy_protocol": True}, {"address": addresses[2], "tls": tls}]))
    plain, behind, secure, silent = [RawClient(port) for port in (*ports, ports[1])]
    wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") >= 2, 3)
    begun = time.monotonic()
    proxy.signal(signal.SIGTERM)
    wait_until(lambda: not any(listens(port) for port in ports), 5)
    secure.sock = client_context(authority).wrap_socket(secure.sock, server_hostname="localhost")
    behind.send(text("203.0.113.9"))
    for client in (plain, behind, secure):
        answer = client.send(head("GET", "/health")).response()
        assert answer.status == 200 and answer.header("connection") == "close"
        assert client.closed(5)
    assert silent.closed(5)
    assert proxy.wait(5) == 0
    assert time.monotonic() - begun < 5
    assert upstream.requests[1].all("x-forwarded-for") == ["203.0.113.9"]
    assert proxy.lines()[-1]["connections_broken"] == "0"


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def test_sigterm_after_being_taken_over_does_not_end_at_once(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    with proxy.client() as client:
        client.send(head("POST", "/public/slow", "Content-Length: 4") + b"ab")
        upstream.wait(1)
        successor(start, proxy)
        wait_until(lambda: lines(proxy, "draining"), 3)
        proxy.signal(signal.SIGTERM)
        client.send(b"cd")
        assert client.response().status == 200
    assert proxy.wait(5) == 0
