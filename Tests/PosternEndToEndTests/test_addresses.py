"""An upstream whose name has several addresses, or moves: as services do in containers, and `localhost` on a host with IPv4
and IPv6."""
import os
import shlex
import socket
import subprocess
import threading
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.h2service import H2Service, echo
from harness.net import wait_until
from harness.process import binary
from harness.upstream import RecordingUpstream

NAME = "twofold.test"
FIRST, SECOND, THIRD = "127.0.0.1", "127.0.0.2", "127.0.0.3"


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Makes postern see a hosts file of the test's own, in a mount namespace. Called with addresses, it makes NAME stand for
    these from now on, at first for FIRST and SECOND."""
    hosts = tmp_path / "hosts"

    def stand_for(*addresses):
        # In place: what is mounted is this file and not its name.
        with open(str(hosts), "r+" if hosts.exists() else "w") as file:
            file.write("127.0.0.1 localhost\n" + "".join("%s %s\n" % (each, NAME) for each in addresses))
            file.truncate()

    stand_for(FIRST, SECOND)
    mount = "mount --bind %s /etc/hosts" % shlex.quote(str(hosts))
    for flags in ("-m", "-rm"):
        seen = subprocess.run(
            ["unshare", flags, "sh", "-c", mount + " && getent ahostsv4 " + NAME], capture_output=True, text=True
        )
        if seen.returncode == 0 and seen.stdout.startswith("127.0.0.1"):
            break
    else:
        pytest.skip("no mount namespace can be had here")
    folder = tmp_path / "bin"
    folder.mkdir()
    wrapper = folder / "postern"
    inner = "%s && exec %s \"$@\"" % (mount, shlex.quote(binary("postern")))
    wrapper.write_text("#!/bin/sh\nexec unshare %s sh -c %s sh \"$@\"\n" % (flags, shlex.quote(inner)))
    os.chmod(str(wrapper), 0o755)
    monkeypatch.setenv("POSTERN_BIN", str(folder))
    return stand_for


@pytest.fixture
def services():
    """Makes services at several addresses of this host, all at one port."""
    made = []

    def maker(*hosts, default=None):
        for _ in range(20):
            first = RecordingUpstream(host=hosts[0])
            made.append(first)
            try:
                rest = [RecordingUpstream(host=each, port=first.port) for each in hosts[1:]]
            except OSError:
                continue
            made.extend(rest)
            for each in [first] + rest:
                each.default = default or each.default
            return [first] + rest
        raise AssertionError("no port is free at all of %r" % (hosts,))

    yield maker
    for each in made:
        each.stop()


def through_name(port):
    return "http://%s:%d" % (NAME, port)


def test_an_address_that_refuses_is_no_end_while_another_answers(start, names):
    with RecordingUpstream(host=SECOND) as upstream:
        proxy = start(configs.config(through_name(upstream.port)))
        for _ in range(3):
            assert proxy.call("GET", "/health").status == 200
        assert len(upstream.connections) == 1, "a connection that works is kept and used again"
        assert proxy.metrics().value("postern_connections", side="upstream") == 1
        assert proxy.metrics().value("postern_upstream_connect_failures_total") == 0


def test_connections_are_spread_over_the_addresses(start, names, services):
    names(FIRST, SECOND, THIRD)
    all_three = services(FIRST, SECOND, THIRD, default=scripts.echo_once)
    proxy = start(configs.config(through_name(all_three[0].port)))
    for _ in range(9):
        assert proxy.call("GET", "/health").status == 200
    assert [len(each.requests) for each in all_three] == [3, 3, 3]


def test_an_address_that_is_silent_costs_its_time_once(start, names, services):
    (well,) = services(SECOND, default=scripts.echo_once)
    silent = socket.socket()
    silent.bind((FIRST, well.port))
    silent.listen(0)
    fillers = [socket.socket() for _ in range(8)]
    for each in fillers:
        each.setblocking(False)
        each.connect_ex(silent.getsockname())
    try:
        proxy = start(configs.config(through_name(well.port)))
        slow = 0
        for _ in range(8):
            began = time.monotonic()
            assert proxy.call("GET", "/health").status == 200
            slow += time.monotonic() - began > 0.2
        assert slow == 1, "it was tried %d times before the other" % slow
        assert proxy.metrics().value("postern_upstream_connect_failures_total") == 0
    finally:
        for each in fillers + [silent]:
            each.close()


def test_all_addresses_refuse(start, names):
    # A port that is somebody's refuses connections, and nobody else gets it, until somebody listens.
    with socket.socket() as held:
        held.bind((FIRST, 0))
        port = held.getsockname()[1]
        proxy = start(configs.config(through_name(port)))
        assert proxy.call("GET", "/health").status == 502
        back = RecordingUpstream(host=SECOND, port=port)
        try:
            assert proxy.call("GET", "/health").status == 200, "what refused a moment ago is tried all the same"
        finally:
            back.stop()


def test_a_service_that_moves_is_followed_under_load(start, names, services):
    names(FIRST)
    before, after = services(FIRST, SECOND)
    proxy = start(configs.config(through_name(before.port), timeouts={"upstream_idle": "1s"}))
    with proxy.client() as client:
        def served():
            assert client.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").response().status == 200
            return after.requests

        served()
        assert len(before.requests) == 1
        names(SECOND)
        moved = time.monotonic()
        # The connection to the old address is never idle for long, and the old instance keeps it: only the name says no.
        wait_until(served, 5, "a request at the new address", interval=0.05)
        assert time.monotonic() - moved < 1.5, "no longer than upstream_idle"
        old = len(before.requests)
        for _ in range(5):
            served()
        assert len(before.requests) == old
    wait_until(lambda: not before.open_connections(), 3, "connections to the old address to be closed")


def test_a_request_in_flight_at_an_old_address_is_finished_there(start, names, services):
    names(FIRST)
    slow = scripts.pieces([b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"] + [b"x"] * 40, pause=0.05)
    before, after = services(FIRST, SECOND)
    before.default = slow
    proxy = start(configs.config(through_name(before.port), timeouts={"upstream_idle": "1s"}))
    with proxy.client() as client:
        client.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        before.wait(1)
        names(SECOND)
        assert client.response().body == b"x" * 40
        wait_until(lambda: not before.open_connections(), 3, "the connection to be closed when its exchange is over")
        assert client.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").response().status == 200
    assert (len(before.requests), len(after.requests)) == (1, 1)


def test_a_service_of_http2_that_moves_is_followed(start, names):
    """What is under way on the connection to its old address ends there; what comes is sent to the new one."""
    names(FIRST)
    go = threading.Event()

    def slowly(stream):
        if stream.path == "/public/slow":
            assert go.wait(10)
        echo(stream)

    with H2Service(slowly, host=FIRST) as before, H2Service(host=SECOND, port=before.port) as after:
        proxy = start(configs.config({"url": through_name(before.port), "protocol": "h2"}, event_loops=1,
                                     timeouts={"upstream_idle": "1s"}))
        with proxy.client() as slow:
            slow.send(b"GET /public/slow HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: before.requests, 5, "the request")
            names(SECOND)

            def served():
                assert proxy.call("GET", "/health").status == 200
                return after.requests

            wait_until(served, 5, "a request at the new address", interval=0.05)
            old = len(before.requests)
            for _ in range(5):
                assert served()
            assert len(before.requests) == old and not before.connections[0].closed
            go.set()
            assert slow.response().json()["path"] == "/public/slow"
            wait_until(lambda: before.connections[0].closed, 3, "the connection to the old address to be closed")
        assert len(before.connections) == len(after.connections) == 1
        assert not before.errors and not after.errors


def test_a_name_that_cannot_be_looked_up_any_more_keeps_its_addresses(start, names, services):
    names(FIRST)
    (service,) = services(FIRST, default=scripts.echo_once)
    proxy = start(configs.config(through_name(service.port), timeouts={"upstream_idle": "1s", "connect": "4s"}))
    assert proxy.call("GET", "/health").status == 200
    names()
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert proxy.call("GET", "/health", timeout=10).status == 200
        time.sleep(0.1)


def test_health_checks_of_a_name_follow_it(start, names, services):
    names(FIRST)
    before, after = services(FIRST, SECOND)
    health = {"path": "/hz", "interval": "50ms", "failures": 1}
    proxy = start(configs.config({"url": through_name(before.port), "health": health}))
    assert before.requests[0].header("host") == "%s:%d" % (NAME, before.port)
    names(SECOND)
    wait_until(lambda: after.requests, 5, "a check at the new address")
    before.stop()
    count = len(after.requests)
    wait_until(lambda: len(after.requests) > count + 2, 5)
    # A check that takes longer than an interval of 50 ms counts as failed, until the next one.
    wait_until(lambda: proxy.metrics().value("postern_upstream_healthy") == 1, 5, "the service to be healthy")
