"""Bodies of a gibibyte stream through in bounded memory (release builds only)."""
import hashlib
import random
import threading

import pytest

from harness import config as configs
from harness import scripts
from harness.net import wait_until
from harness.process import is_release
from harness.raw import head

GIB = 1 << 30
GROWTH = 4 * 1024  # KiB


@pytest.fixture(scope="module")
def settings():
    return {"timeouts": {"drain": "1s", "response": "60s"}}


@pytest.fixture(scope="module", autouse=True)
def settled(proxy):
    """The memory of start-up is given back first: growth must not hide in it. What serving needs then comes back with
    the small bodies of `warm`, so that what is measured is what a large body costs."""
    if is_release():
        wait_until(lambda: proxy.rss() <= 15 * 1024, 5, "the memory of start-up to be given back")
        print("idle: %d KiB resident, %d KiB of it data" % (proxy.rss(), data(proxy)))


def data(proxy):
    """KiB of memory that is no file: what buffers would show in."""
    with open("/proc/%d/status" % proxy.process.pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


class Watch:
    """The largest resident size of a process while the block runs, over what it was at its start."""

    def __init__(self, proxy):
        self.proxy, self.stop = proxy, threading.Event()

    def __enter__(self):
        self.first = self.peak = self.proxy.rss()
        self.first_data = data(self.proxy)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        while not self.stop.wait(0.02):
            self.peak = max(self.peak, self.proxy.rss())

    def __exit__(self, *_):
        self.peak = max(self.peak, self.proxy.rss())
        self.stop.set()
        self.thread.join()

    @property
    def growth(self):
        return self.peak - self.first


def warm(proxy, upstream):
    upstream.script(scripts.sink, scripts.download(1 << 20))
    assert proxy.call("POST", "/public/warm", body=b"x" * (1 << 20)).status == 200
    assert len(proxy.call("GET", "/public/warm").body) == 1 << 20
    upstream.requests.clear()


def upload(client, total, chunked, block=1 << 18):
    data = b"\x5a" * block
    for _ in range(total // block):
        client.send(b"%x\r\n%s\r\n" % (block, data) if chunked else data)
    if chunked:
        client.send(b"0\r\n\r\n")


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_gibibyte_down(proxy, upstream, chunked):
    warm(proxy, upstream)
    upstream.script(scripts.download(GIB, chunked=chunked))
    with proxy.client(timeout=30) as client, Watch(proxy) as watch:
        client.send(head("GET", "/public/down"))
        status, fields, _ = client.head()
        assert status == 200
        if chunked:
            client._chunked(store=False)
        else:
            client.exactly(GIB, store=False)
    assert upstream.requests[0].sent == GIB
    print("1 GiB: resident memory grew by %d KiB from %d KiB; data by %d KiB from %d KiB" % (
        watch.growth, watch.first, data(proxy) - watch.first_data, watch.first_data))
    assert watch.growth < GROWTH, "grew by %d KiB" % watch.growth


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_gibibyte_up(proxy, upstream, chunked):
    warm(proxy, upstream)
    upstream.script(scripts.sink)
    framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % GIB
    with proxy.client(timeout=30) as client, Watch(proxy) as watch:
        client.send(head("POST", "/public/up", framing))
        upload(client, GIB, chunked)
        assert client.response().body == str(GIB).encode()
    assert upstream.requests[0].body_length == GIB
    print("1 GiB: resident memory grew by %d KiB from %d KiB; data by %d KiB from %d KiB" % (
        watch.growth, watch.first, data(proxy) - watch.first_data, watch.first_data))
    assert watch.growth < GROWTH, "grew by %d KiB" % watch.growth


@pytest.mark.release
@pytest.mark.timeout(60)
def test_slow_readers_and_writers_cost_little(proxy, upstream):
    warm(proxy, upstream)
    upstream.default = scripts.download(64 << 20)
    clients = []
    with Watch(proxy) as watch:
        for _ in range(20):
            clients.append(proxy.client())
            clients[-1].send(head("GET", "/public/stalled"))
        upstream.wait(20)
        for client in clients:
            client.exactly(100000, store=False)
    for client in clients:
        client.close()
    assert watch.growth < 20 * 1024, "20 stalled downloads cost %d KiB" % watch.growth


def test_every_byte_arrives_in_order(proxy, upstream):
    data = bytes(random.Random(7).randrange(256) for _ in range(1 << 20)) * 3 + b"end"

    def mirror(exchange):
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(exchange.request.body))
        exchange.send(exchange.request.body)

    upstream.script(mirror, mirror)
    for chunked in (False, True):
        framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % len(data)
        with proxy.client() as client:
            client.send(head("POST", "/auth", framing, "Authorization: Bearer " + configs.token()))
            if chunked:
                at, size = 0, 1
                while at < len(data):
                    part = data[at : at + size]
                    client.send(b"%x\r\n%s\r\n" % (len(part), part))
                    at, size = at + len(part), size * 3 % 70001 + 1
                client.send(b"0\r\n\r\n")
            else:
                client.send(data)
            answer = client.response()
        assert hashlib.sha256(answer.body).hexdigest() == hashlib.sha256(data).hexdigest()
