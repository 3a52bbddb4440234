"""Start and end: readiness, drain, signals, busy ports, exit codes."""
import os
import signal
import socket
import threading
import time

import pytest
import yaml

from harness import config as configs
from harness import scripts
from harness.frames import FrameClient, request
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.process import run
from harness.raw import RawClient, head


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_idle_end_is_quick_and_clean(start, upstream, number):
    proxy = start(configs.config(upstream, timeouts={"drain": "20s"}))
    with proxy.client() as idle:
        assert idle.send(head("GET", "/health")).response().status == 200
        proxy.signal(number)
        assert idle.closed(timeout=5), "an idle connection is let go"
        assert proxy.wait(5) == 0


def test_requests_in_flight_finish(start, upstream):
    gate = threading.Event()
    upstream.script(scripts.after(gate, scripts.answer(200, b"finished")))
    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    with proxy.client() as client:
        client.send(head("GET", "/health"))
        upstream.wait(1)
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: proxy.get_admin("/readyz").status == 503, 5, "/readyz to turn 503")
        assert proxy.get_admin("/healthz").status == 200
        wait_until(lambda: refused(proxy.port), 5, "the listener to close")
        assert proxy.alive()
        gate.set()
        answer = client.response()
        assert answer.body == b"finished"
        assert answer.header("connection").lower() == "close"
        assert client.closed()
    assert proxy.wait(5) == 0


def test_an_upload_and_a_download_in_flight_finish(start, upstream):
    gate = threading.Event()

    def download(exchange):
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        gate.wait(10)
        exchange.send(b"def")

    proxy = start(configs.config(upstream, timeouts={"drain": "10s"}))
    with proxy.client() as up, proxy.client() as down:
        up.send(head("POST", "/public/up", "Content-Length: 6") + b"abc")
        upstream.wait(1)
        upstream.script(download)
        down.send(head("GET", "/public/down"))
        upstream.wait(2)
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: refused(proxy.port), 5)
        up.send(b"def")
        assert up.response().status == 200
        gate.set()
        assert down.response().body == b"abcdef"
    assert proxy.wait(5) == 0
    assert upstream.requests[0].body == b"abcdef"


def test_drain_is_bounded(start, upstream):
    upstream.script(scripts.silent)
    proxy = start(configs.config(upstream, timeouts={"drain": "500ms", "response": "30s"}))
    with proxy.client() as client:
        client.send(head("GET", "/health"))
        upstream.wait(1)
        began = time.monotonic()
        proxy.signal(signal.SIGTERM)
        assert proxy.wait(5) == 0
        assert 0.3 < time.monotonic() - began < 3


@pytest.mark.parametrize("protocol", ["1.1", "2"])
def test_what_waits_at_the_end_is_told_to_come_again(start, upstream, protocol):
    """The service has not seen it; what it has seen is broken off, for nobody knows what came of it."""
    upstream.script(scripts.silent)
    proxy = start(configs.config({"url": upstream.url, "connections": 1}, event_loops=1,
                                 timeouts={"drain": "300ms", "connect": "20s", "response": "30s"}))
    with proxy.client() as first, proxy.client() as second, FrameClient(proxy.port) as third:
        first.send(head("GET", "/health"))
        upstream.wait(1)
        if protocol == "1.1":
            second.send(head("POST", "/public/x", "Content-Length: 2"))
        else:
            number = third.open(request("GET", "/public/x"))
        wait_until(lambda: proxy.metrics().value("postern_pool_waiting") == 1, 5)
        proxy.signal(signal.SIGTERM)
        answer = second.response() if protocol == "1.1" else third.answer(number)
        check_problem(answer, "draining", "POST" if protocol == "1.1" else "GET")
        assert answer.header("retry-after") == "1"
        assert first.closed()
        assert proxy.wait(5) == 0
    assert [each.target for each in upstream.requests] == ["/health"]


def test_a_second_signal_ends_at_once(start, upstream):
    upstream.script(scripts.silent)
    proxy = start(configs.config(upstream, timeouts={"drain": "30s", "response": "30s"}))
    with proxy.client() as client:
        client.send(head("GET", "/health"))
        upstream.wait(1)
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: refused(proxy.port), 5)
        began = time.monotonic()
        proxy.signal(signal.SIGTERM)
        proxy.wait(3)
        assert time.monotonic() - began < 2


def test_accepting_goes_on_for_the_drain_delay(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"drain": "5s", "drain_delay": "700ms"}))
    proxy.signal(signal.SIGTERM)
    wait_until(lambda: proxy.get_admin("/readyz").status == 503, 3)
    assert proxy.call("GET", "/health").status == 200, "a late request is served while the delay runs"
    wait_until(lambda: not proxy.alive(), 5)
    assert proxy.wait(1) == 0


def test_a_pipelined_request_behind_the_last_answer_is_not_half_served(start, upstream):
    gate = threading.Event()
    upstream.script(scripts.after(gate, scripts.answer(200, b"first")))
    proxy = start(configs.config(upstream, timeouts={"drain": "5s"}))
    with proxy.client() as client:
        client.send(head("GET", "/public/first"))
        upstream.wait(1)
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: refused(proxy.port), 5)
        client.send(head("GET", "/public/second"))
        gate.set()
        first = client.response()
        assert first.body == b"first"
        if first.header("connection") != "close":
            second = client.response()
            assert second.status in (200, 503)
            if second.status == 503:
                check_problem(second, "draining")
        assert client.closed()
    assert proxy.wait(5) == 0


@pytest.mark.parametrize("which", ["listen", "admin"])
def test_a_busy_port_is_one_clear_sentence(tmp_path, which):
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.listen(1)
    port = holder.getsockname()[1]
    config = configs.config("http://127.0.0.1:1", listen="127.0.0.1:%d" % free_port(), admin="127.0.0.1:%d" % free_port())
    config[which] = "127.0.0.1:%d" % port

    (tmp_path / "proxy.yaml").write_text(yaml.safe_dump(config))
    done = run("postern", "run", "--config", tmp_path / "proxy.yaml")
    holder.close()
    assert done.returncode not in (0, 64, 78)
    text = done.stdout + done.stderr
    said = [line for line in text.splitlines() if str(port) in line and ("in use" in line or "busy" in line)]
    assert len(said) == 1, text
    assert "NIO" not in text and "errno" not in text and "Fatal error" not in text, text


def test_a_second_postern_with_the_same_file_does_not_steal_requests(start, upstream, tmp_path):
    proxy = start(configs.config(upstream))
    done = run("postern", "run", "--config", proxy.file)
    assert done.returncode != 0
    assert proxy.call("GET", "/health").status == 200


def test_all_loops_listen(start, upstream):
    proxy = start(configs.config(upstream, event_loops=2))
    for _ in range(40):
        assert proxy.call("GET", "/auth", token=configs.token()).status == 200


def test_event_loops_auto_and_a_list_of_listeners(start, upstream, tmp_path):
    ports = [free_port(), free_port()]
    config = configs.config(upstream, event_loops="auto", listen=[
        "127.0.0.1:%d" % ports[0], {"address": "127.0.0.1:%d" % ports[1]}, "unix:" + str(tmp_path / "in.sock")])
    proxy = start(config)

    for client in (RawClient(ports[0]), RawClient(ports[1]), RawClient(path=str(tmp_path / "in.sock"))):
        with client:
            assert client.send(head("GET", "/health")).response().status == 200
    proxy.stop()
    assert proxy.process.returncode == 0


def test_run_is_the_default_command(start, upstream):
    proxy = start(configs.config(upstream), arguments=())
    assert proxy.call("GET", "/health").status == 200


def test_it_starts_within_a_second(start, upstream):
    began = time.monotonic()
    start(configs.config(upstream))
    assert time.monotonic() - began < 3


@pytest.mark.release
def test_idle_memory(start, upstream):
    proxy = start(configs.config(upstream))
    for _ in range(5):
        assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    # Idle after start: code that ran until then is given back a moment later. Requests after that bring it back again.
    wait_until(lambda: proxy.rss() <= 15 * 1024, 5, "15 MiB resident or less")
    print("idle: %d KiB resident" % proxy.rss())


@pytest.mark.release
def test_idle_memory_at_start_with_all_loops(start, upstream):
    proxy = start(configs.config(upstream, event_loops="auto"))
    # Idle after start: code that ran until then is given back a moment later. Requests after that bring it back again.
    wait_until(lambda: proxy.rss() <= 15 * 1024, 5, "15 MiB resident or less")
    print("idle: %d KiB resident" % proxy.rss())


@pytest.mark.release
def test_idle_memory_with_keys_by_url(start, upstream, key_server):
    server = key_server(configs.RSA)
    issuer = configs.issuer(keys={"url": server.url + "/jwks", "refresh": "5m"})
    proxy = start(configs.config(upstream, event_loops="auto", issuers={"main": issuer}))
    assert server.fetches() == 1
    wait_until(lambda: proxy.rss() <= 15 * 1024, 5, "15 MiB resident or less")
    print("idle, keys by URL: %d KiB resident" % proxy.rss())
    for _ in range(5):
        assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    print("the same after five requests: %d KiB" % proxy.rss())
    proxy.metrics()
    print("the same after a scrape of the metrics: %d KiB" % proxy.rss())
    # A process that has been quiet for half a minute gives back the code that it served with.
    wait_until(lambda: proxy.rss() <= 15 * 1024, 45, "15 MiB resident or less, some time after it served")
    print("the same when it was left alone: %d KiB" % proxy.rss())


def test_event_loops_are_as_many_as_the_processors_that_the_process_may_use(start, upstream):
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        proxy = start(configs.config(upstream, event_loops="auto"))
    finally:
        os.sched_setaffinity(0, before)
    listening = [line for line in proxy.lines() if line.get("message") == "listening"]
    assert [line["event_loops"] for line in listening] == ["1"]


def test_a_signal_in_the_first_moment_of_readiness_is_a_drain(start, upstream):
    for _ in range(20):
        proxy = start(configs.config(upstream))
        proxy.signal(signal.SIGTERM)
        assert proxy.wait(5) == 0
