"""Clients that do not take their answers: what is kept for them is bounded, and nothing waits for them for ever."""
import signal
import socket
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.net import wait_until
from harness.raw import head

SIZE = 3_000_000


def narrow(port):
    """A client whose kernel takes little in advance."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(5)
    sock.connect(("127.0.0.1", port))
    return sock


def until_answered(proxy, sock):
    """Reads slowly until the proxy has all of the answer from the service and a part of it still waits to be sent."""
    got = 0
    while proxy.metrics().value("postern_request_duration_seconds_count") < 1:
        got += len(sock.recv(16384))
    assert got < SIZE
    return got


def draining_or_ended(proxy):
    """Whether SIGTERM took effect. A kernel with large buffers may have taken all that still waited: then the process has ended already."""
    try:
        return proxy.metrics().value("postern_draining") == 1
    except OSError:
        return True


def test_refusals_that_nobody_reads_hold_up_the_next_request(start, upstream):
    proxy = start(configs.config(upstream))
    flood = head("GET", "/auth", host="a") * 1000
    before = proxy.rss()
    with proxy.client() as client:
        client.sock.settimeout(1)
        with pytest.raises(socket.timeout):
            for _ in range(1000):
                client.sock.sendall(flood)
    assert proxy.metrics().value("postern_decisions_total", code="missing_token") < 50_000
    assert proxy.rss() - before < 16 * 1024, "KiB kept for a client that reads nothing"


def test_many_pipelined_refusals_are_all_answered(start, upstream):
    proxy = start(configs.config(upstream))
    with proxy.client() as client:
        for _ in range(20):
            client.send(head("GET", "/auth", host="a") * 200)
        client.send(head("GET", "/health"))
        time.sleep(0.3)
        for _ in range(4000):
            assert client.response(store=False).status == 401
        assert client.response().status == 200


def test_drain_waits_for_an_answer_that_is_still_being_sent(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    upstream.script(scripts.download(SIZE))
    sock = narrow(proxy.port)
    with sock:
        sock.sendall(head("GET", "/health"))
        data = until_answered(proxy, sock)
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: draining_or_ended(proxy), 3)
        while True:
            part = sock.recv(1 << 16)
            if not part:
                break
            data += len(part)
    assert data > SIZE, "%d of %d bytes" % (data, SIZE)
    assert proxy.wait(5) == 0


def test_the_end_of_an_answer_that_nobody_reads_is_not_waited_for_for_ever(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"body_idle": "500ms"}))
    upstream.script(scripts.download(SIZE))
    sock = narrow(proxy.port)
    with sock:
        sock.sendall(head("GET", "/health", "Connection: close"))
        until_answered(proxy, sock)
        wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 5)
