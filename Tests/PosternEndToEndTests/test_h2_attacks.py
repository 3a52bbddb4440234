"""Floods and slow clients: the process lives, its memory stays where it was, and others are served meanwhile.

ATTACK_SECONDS (2) says how long each attack lasts. From 30 on, the three of them that are named in LONG are also held to what
others wait: their p99 at most doubles. That says something on a quiet machine alone, so it is no part of an ordinary run."""
import contextlib
import os
import select
import statistics
import struct
import threading
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.attack import BLOCK, FLOODS, SLOW, Attack
from harness.frames import (
    CONTINUATION, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, PROTOCOL_ERROR,
    REFUSED_STREAM, WINDOW_UPDATE, FrameClient, frame, literal, request)
from harness.load import Quick
from harness.net import wait_until

SECONDS = float(os.environ.get("ATTACK_SECONDS", "2"))
LONG = ("slow heads", "slow headers of a stream", "rapid reset", "continuations")
TOKEN = configs.token()
MIB = 1024
# What is asked for and not taken is held up, but not before a little of each has come.
GROWTH = {"windows of nothing": 40}
PACE = 0.01
LOOK = 0.02


class Bystanders(threading.Thread):
    """Two honest clients, one of HTTP/1.1 and one of HTTP/2, that ask a hundred times a second until they are told to end."""

    def __init__(self, proxy):
        super().__init__()
        self.proxy, self.times, self.wrong, self.stop = proxy, [], [], threading.Event()
        self.start()

    def run(self):
        try:
            with Quick(self.proxy.port) as first, FrameClient(self.proxy.port, timeout=10) as second:
                while not self.stop.wait(PACE):
                    status, seconds = first.timed(TOKEN)
                    self.times.append(seconds)
                    begun = time.perf_counter()
                    found = second.get("/health")
                    self.times.append(time.perf_counter() - begun)
                    if (status, found.status) != (200, 200):
                        self.wrong.append((status, found))
        except Exception as error:
            self.wrong.append(repr(error))

    def result(self):
        """(p50, p99) in milliseconds."""
        self.stop.set()
        self.join(20)
        assert not self.wrong, self.wrong[:3]
        assert len(self.times) > 10, "hardly anybody was served"
        cuts = statistics.quantiles(self.times, n=100)
        return cuts[49] * 1e3, cuts[98] * 1e3


def usual(proxy, seconds):
    """What the honest ones wait while nobody attacks. The memory is looked at as it is later: that takes time, too."""
    crowd = Bystanders(proxy)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        proxy.rss()
        time.sleep(LOOK)
    return crowd.result()


def _large_or_small(exchange):
    (scripts.download(4 << 20) if exchange.request.target == "/public/large" else scripts.echo)(exchange)


@contextlib.contextmanager
def apart(long):
    """Leaves a core to the attacker, for whom it is: attackers bring their own processors, and the time that theirs take of the
    proxy's says nothing of the proxy. Neither does it get a core more while nobody attacks. Without `long`, None: all cores
    are everybody's."""
    cores = os.sched_getaffinity(0)
    if not long or len(cores) < 2:
        yield None
        return
    of_attacker = max(cores)

    def keep_to(some):
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), some)

    keep_to(cores - {of_attacker})
    try:
        yield of_attacker
    finally:
        keep_to(cores)


@pytest.mark.release
@pytest.mark.timeout(60 + 3 * SECONDS)
@pytest.mark.parametrize("kind", list(FLOODS) + SLOW)
def test_others_are_served_and_memory_stays(start, upstream, kind):
    with apart(kind in LONG and SECONDS >= 30) as core:
        _others_are_served(start, upstream, kind, core)


def _others_are_served(start, upstream, kind, core):
    upstream.default = _large_or_small
    long = kind in LONG and SECONDS >= 30
    seconds = SECONDS if kind in LONG else min(SECONDS, 5)
    proxy = start(configs.config(upstream, timeouts={"head": "5s"}, log={"access": "off"}))
    quiet = usual(proxy, seconds if long else 0.5)
    before = highest = proxy.rss()
    crowd = Bystanders(proxy)
    with Attack(kind, proxy.port, seconds, core) as attack:
        while attack.running():
            highest = max(highest, proxy.rss())
            time.sleep(LOOK)
        did = attack.result()
    loud = crowd.result()
    grown = (highest - before) / MIB
    print("%s, %.0f s: p50 %.2f → %.2f ms, p99 %.2f → %.2f ms, RSS +%.1f MiB, %r" % (
        kind, seconds, quiet[0], loud[0], quiet[1], loud[1], grown, did))
    assert did["dialled"] > 0 and did["bytes"] > 0
    assert proxy.alive() and grown < GROWTH.get(kind, 20), "RSS grew by %.1f MiB" % grown
    assert proxy.call("GET", "/health").status == 200
    assert proxy.get_admin("/healthz").status == 200
    if long:
        assert loud[1] <= 2 * quiet[1], "p99 went from %.2f to %.2f ms" % (quiet[1], loud[1])


# What one attacker is told.

CALMED = ["rapid reset", "resets that the server makes", "continuations", "empty continuations", "settings", "empty settings",
          "pings", "empty data", "malformed requests", "streams over the limit",
          "window updates"]


@pytest.mark.parametrize("kind", CALMED)
def test_a_flood_ends_its_own_connection(proxy, upstream, kind):
    """With ENHANCE_YOUR_CALM where there is time to say so. A million frames are never all read."""
    with FrameClient(proxy.port) as bystander, \
            FrameClient(proxy.port, preface=False, polite=False, timeout=10) as client:
        sent = 0
        for data in FLOODS[kind]():
            if not client.send(data):
                break
            sent += len(data)
            assert sent < 64 << 20, "it takes this for ever"
            client._fill(0.001)
            if client.closed or client.goaway:
                break
        assert client.ends() in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR, INTERNAL_ERROR, None)
        assert bystander.get("/health").status == 200
    assert proxy.call("GET", "/health").status == 200


@pytest.mark.parametrize("kind", ["rapid reset", "continuations", "empty settings"])
def test_nothing_is_read_after_the_end(proxy, upstream, kind):
    """Who goes on is held up by what he has sent already, and costs others nothing."""
    with FrameClient(proxy.port, preface=False, polite=False, timeout=10) as client:
        for data in FLOODS[kind]():
            if not client.send(data) or client.goaway:
                break
            client._fill(0.001)
        client.ends()
        client.sock.setblocking(False)
        sent = 0
        # What the systems on both sides keep for a connection is a few MiB.
        while sent < 64 << 20 and select.select([], [client.sock], [], 0.3)[1]:
            try:
                sent += client.sock.send(b"x" * 65536)
            except BlockingIOError:
                continue
        assert sent < 32 << 20, "all of it is taken"
    if kind == "rapid reset":
        # The end of what the client sends cannot come through: its time ends it.
        wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 8)


def test_header_lists_have_the_limit_of_heads(start, upstream):
    """3-behaviour: 431. The connection goes on."""
    proxy = start(configs.config(upstream, limits={"head": "8KiB", "headers": 50}))
    with FrameClient(proxy.port) as client:
        for fields in ([("x-a", "b" * 8200)], [("x-%d" % each, "b") for each in range(60)],
                       [("x-%d" % each, "b" * 200) for each in range(45)]):
            found = client.answer(client.open(request("GET", "/public/long", *fields)))
            assert found.reset is not None or found.status == 431, found
            assert client.get("/health?good").status == 200
        assert client.get("/health?good", ("x-a", "b" * 7000)).status == 200
    # A request of the flood before this test may come late.
    assert {each.target for each in upstream.requests} - {"/health"} == {"/health?good"}


def test_a_header_list_without_measure(proxy, upstream):
    """A megabyte, in frames of the usual size."""
    block = literal(request("GET", "/health") + [("x-%d" % each, "b" * 1000) for each in range(1000)])
    parts = [block[at : at + 16000] for at in range(0, len(block), 16000)]
    with FrameClient(proxy.port) as client:
        client.send(frame(HEADERS, END_STREAM, 1, parts[0]) + b"".join(
            frame(CONTINUATION, END_HEADERS if each is parts[-1] else 0, 1, each) for each in parts[1:]))
        client.until(lambda: client.closed or client.goaway or client.stream(1).over)
        assert client.stream(1).status in (None, 431)
    assert proxy.call("GET", "/health").status == 200
    assert [each.target for each in upstream.requests] == ["/health"]


def test_more_streams_than_were_allowed(proxy, module_upstream):
    """Those beyond SETTINGS_MAX_CONCURRENT_STREAMS are refused; the others are served."""
    module_upstream.requests = []
    module_upstream.default = scripts.answer(body=b"ok")
    with FrameClient(proxy.port, timeout=10) as client:
        client.until(lambda: client.settings, what="SETTINGS")
        most = client.settings[3]
        assert 0 < most <= 1000
        numbers = [client.open(request("POST", "/public/x"), end=False) for _ in range(most + 20)]
        client.until(lambda: sum(client.stream(each).reset is not None for each in numbers) >= 20)
        assert [client.stream(each).reset for each in numbers] == [None] * most + [REFUSED_STREAM] * 20
        for each in numbers[:most]:
            client.data(each, b"x", end=True)
        for each in numbers[:most]:
            assert client.answer(each).status == 200
        # As many as before: a stream that was refused takes no place.
        assert client.get("/public/x").status == 200
    assert len(module_upstream.requests) == most + 1


def test_a_client_that_has_not_read_its_limit(proxy, module_upstream):
    """It sends what it has, behind its preface; what is over the limit was not looked at, and is sent again."""
    module_upstream.requests = []
    module_upstream.default = scripts.answer(body=b"ok")
    with FrameClient(proxy.port, timeout=10) as client:
        block = literal(request("POST", "/public/x"))
        numbers = list(range(1, 301, 2))
        client.next = 301
        client.send(b"".join(frame(HEADERS, END_HEADERS, each, block) for each in numbers))
        client.until(lambda: sum(client.stream(each).reset is not None for each in numbers) >= 50)
        assert [client.stream(each).reset for each in numbers] == [None] * 100 + [REFUSED_STREAM] * 50
        # Content of theirs that is still on its way does no harm, either.
        client.data(numbers[-1], b"late", end=True)
        for each in numbers[:100]:
            client.data(each, b"x", end=True)
            assert client.answer(each).status == 200
        again = [client.open(request("POST", "/public/x")) for _ in range(50)]
        assert [client.answer(each).status for each in again] == [200] * 50
        assert client.goaway is None
    assert len(module_upstream.requests) == 150


@pytest.mark.release
def test_a_client_that_gives_no_window(start, new_upstream):
    """What it asked for is not kept for it: the service is held up, and the streams end when their time is over."""
    upstream = new_upstream()
    upstream.default = scripts.download(4 << 20)
    proxy = start(configs.config(upstream, timeouts={"body_idle": "2s", "idle": "2s"}))
    with FrameClient(proxy.port, settings=[(INITIAL_WINDOW_SIZE, 0)], polite=False, timeout=15) as client:
        before = proxy.rss()
        numbers = [client.open(request("GET", "/public/large")) for _ in range(50)]
        wait_until(lambda: len(upstream.requests) == 50, 5)
        time.sleep(0.5)
        assert proxy.rss() - before < 20 * MIB, "200 MiB were asked for"
        client.until(lambda: client.closed or client.goaway or all(client.stream(each).over for each in numbers))
        assert not any(client.stream(each).body for each in numbers)
    wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 5)
    assert proxy.call("GET", "/health").status == 200


@pytest.mark.release
@pytest.mark.parametrize("length", [16_000, 100])
def test_frames_that_never_end_where_a_packet_does(proxy, upstream, length):
    """What is read is not kept behind what is not: 64 MiB of frames, each packet of which ends in the middle of one."""
    with FrameClient(proxy.port, timeout=10) as client:
        assert client.get("/health").status == 200
        client.settle()
        one = frame(0x42, 0, 0, b"x" * length)
        client.send(one[:5])
        before = highest = proxy.rss()
        packet = one[5:] + one * max(0, 60_000 // len(one) - 1) + one[:5]
        for number in range((64 << 20) // len(packet)):
            if not client.send(packet):
                break
            if number % 20 == 0:
                highest = max(highest, proxy.rss())
            # Time for the packet to be read alone.
            client._fill(0.001)
            assert client.goaway is None and not client.closed
        assert max(highest, proxy.rss()) - before < 10 * MIB


@pytest.mark.parametrize("sent", [
    frame(HEADERS, END_STREAM, 1, BLOCK[:10]), frame(HEADERS, END_STREAM, 1, BLOCK), b"\0\0\x05",
    frame(HEADERS, END_STREAM | END_HEADERS, 1, literal([(":method", "GET")]))[:20]],
    ids=["a part of a block", "a block without its end", "a part of a frame", "a part of HEADERS"])
def test_a_head_that_does_not_come_has_the_time_of_a_head(start, upstream, sent):
    proxy = start(configs.config(upstream, timeouts={"head": "500ms", "idle": "1s"}))
    with FrameClient(proxy.port, timeout=10) as client:
        client.settle()
        client.send(sent)
        begun = time.monotonic()
        client.ends()
        # A part of a frame's header is no head yet: it has the time of an idle connection, and of its farewell.
        assert 0.3 < time.monotonic() - begun < 9
    wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 3)
    assert not upstream.requests


def test_a_connection_whose_only_stream_was_refused_is_idle(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"idle": "300ms"}))
    with FrameClient(proxy.port, timeout=5) as client:
        malformed = client.answer(client.open(request("GET", "/health", ("X-Upper", "a"))))
        assert malformed.reset == PROTOCOL_ERROR
        client.ends()
        assert client.goaway[1] == 0


def test_drips_do_not_buy_time(start, upstream):
    """A frame now and then, and never a whole head."""
    proxy = start(configs.config(upstream, timeouts={"head": "600ms", "idle": "2s"}))
    with FrameClient(proxy.port, timeout=5) as client:
        client.settle()
        client.frame(HEADERS, END_STREAM, 1, BLOCK[:10])
        begun = time.monotonic()
        while not client.closed and not client.goaway:
            client.frame(CONTINUATION, 0, 1, BLOCK[10:11])
            client._fill(0.05)
            assert time.monotonic() - begun < 5, "it is waited for without end"
    assert not upstream.requests


def test_an_idle_connection_ends(start, upstream):
    proxy = start(configs.config(upstream, timeouts={"idle": "300ms"}))
    with FrameClient(proxy.port, timeout=5) as client:
        assert client.get("/health").status == 200
        client.ends()
        assert client.goaway and client.goaway[1] == 0, "NO_ERROR: nobody did anything wrong"
    with FrameClient(proxy.port, polite=False, timeout=5) as client:
        begun = time.monotonic()
        # Frames that ask for nothing are no sign of life.
        while not client.closed and not client.goaway:
            client.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1))
            client._fill(0.05)
            assert time.monotonic() - begun < 5, "it is kept without end"
