"""Hundreds of reloads of configurations that have little in common, under load: nothing fails, nothing is left behind.

POSTERN_RELOADS says how many (150; a thousand take about a minute and a half)."""
import copy
import itertools
import os
import shutil
import signal

import pytest
import yaml

from harness import config as configs
from harness import mint
from harness.certificates import Authority
from harness.load import Load
from harness.net import free_port, wait_until
from harness.process import is_release
from harness.tiers import opaque
from harness.tls import client_context

RELOADS = int(os.environ.get("POSTERN_RELOADS", "150"))


class Mount:
    """A folder as Kubernetes mounts it: every file is a link through `..data`, which is swapped."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0

    def swap(self, files):
        """`files`: {name: bytes}."""
        self.number += 1
        version = self.folder / ("..version-%d" % self.number)
        version.mkdir()
        for name, content in files.items():
            (version / name).write_bytes(content)
            if not (self.folder / name).is_symlink():
                os.symlink("..data/" + name, str(self.folder / name))
        os.symlink(version.name, str(self.folder / "..next"))
        os.rename(str(self.folder / "..next"), str(self.folder / "..data"))
        old = self.folder / ("..version-%d" % (self.number - 1))
        if old.exists():
            shutil.rmtree(old)


def variants(base, upstreams, redis, key_server, issuer):
    """Configurations for one set of addresses and two kinds of tokens, which differ in everything else."""
    def changed(**changes):
        return dict(copy.deepcopy(base), **changes)

    routes = base["routes"]
    many = {"GET /catalogue/%d/{item}/part" % n: {"scopes": "trade:read", "timeout": "%ds" % (n % 50 + 1)} for n in range(300)}
    introspected = configs.introspection(issuer, cache="1s", negative_cache="1s", timeout="10s")
    by_url = configs.issuer(mint.key("ES256"), issuer="https://other.test", keys={"url": key_server.url + "/jwks", "refresh": "1s"})
    secret = configs.issuer(issuer="https://third.test", algorithms=["HS256"], keys={"secret": "s" * 64})
    hearing = {"main": configs.issuer(revocation="redis"), "opaque": dict(introspected, revocation="redis")}
    return [
        base,
        changed(routes=dict(routes, **many), limits={"head": "16KiB", "headers": 50, "connections": 500}),
        changed(upstream=upstreams[1].url, timeouts={"drain": "2s", "idle": "30s", "upstream_idle": "1s", "response": "20s"}),
        changed(issuers=dict(base["issuers"], opaque=introspected, other=by_url)),
        changed(redis=configs.redis(redis), issuers=hearing),
        changed(identity={"X-Caller": "user", "X-Kind": "issuer"}, forward_token=True,
                issuers=dict(base["issuers"], third=secret, opaque=introspected)),
        changed(upstream={"url": upstreams[0].url, "connections": 32, "queue": 512}, trusted_proxies=["127.0.0.0/8"],
                cors={"preflight": "answer", "origins": ["https://app.test"]}),
        changed(redis=configs.redis(redis, key_prefix="other:"), realm="elsewhere", tunnel_at_expiry="keep"),
    ]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_different_reloads_under_load(start, upstream, new_upstream, redis, key_server, issuer, tmp_path):
    authority, folder = Authority(tmp_path), tmp_path / "mounted"
    folder.mkdir()
    mount = Mount(folder)
    pairs = []
    for number in range(3):
        certificate, key = authority.server(file="server-%d" % number)
        pairs.append({"tls.crt": certificate.read_bytes(), "tls.key": key.read_bytes()})
    secured = free_port()
    listen = ["127.0.0.1:%d" % free_port(), {"address": "127.0.0.1:%d" % secured, "tls": {
        "certificate": str(folder / "tls.crt"), "key": str(folder / "tls.key")}}]
    issuers = {"main": configs.issuer(), "opaque": configs.introspection(issuer, timeout="10s")}
    base = configs.config(upstream, listen=listen, event_loops=2, log={"access": "off"}, issuers=issuers)
    mount.swap(pairs[0])
    proxy = start(base)
    base = dict(proxy.config)
    files = variants(base, [upstream, new_upstream()], redis, key_server(configs.RSA, mint.key("ES256")), issuer)
    configuration = Mount(proxy.folder)
    proxy.file.unlink()

    jwt = [configs.token(lifetime=3600, jti="reload-%d" % n) for n in range(50)]
    names = [opaque("reload") for _ in range(50)]
    for name in names:
        issuer.add(name)

    def applied():
        return proxy.metrics().value("postern_reloads_total", result="applied")

    def reload(number):
        before = applied()
        configuration.swap({"proxy.yaml": yaml.safe_dump(files[number % len(files)], sort_keys=False).encode()})
        mount.swap(pairs[number % len(pairs)])
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: applied() > before, 10, "reload %d" % number, interval=0.002)

    def figures():
        return proxy.rss(), len(os.listdir("/proc/%d/fd" % proxy.pid)), len(os.listdir("/proc/%d/task" % proxy.pid))

    idle = figures()
    whichever = itertools.cycle(range(50))
    with Load([proxy.port], lambda n: jwt[n % 50], threads=4, pause=0.001, fresh=True) as load, \
            Load([proxy.port], lambda _: names[next(whichever)], threads=2, pause=0.002) as introspected, \
            Load([secured], lambda n: jwt[n % 50], threads=2, pause=0.002, fresh=True, context=client_context(authority)) as over_tls:
        loads = (load, introspected, over_tls)
        warm = max(RELOADS // 5, 40)
        peak = 0
        # The highest of many: the allocator gives back a third of it now and then.
        early = late = 0
        for number in range(1, warm + RELOADS + 1):
            reload(number)
            if number <= warm:
                early = max(early, proxy.rss())
                before = figures()
            else:
                late = max(late, proxy.rss())
            if number % 10 == 0:
                peak = max(peak, proxy.metrics().value("postern_snapshots"))
                assert not any(each.errors for each in loads), (number, [each.errors[:3] for each in loads])
        after = figures()
    for each in loads:
        each.only(200)
    assert over_tls.connections > RELOADS // 10
    metrics = proxy.metrics()
    assert metrics.value("postern_reloads_total", result="refused") == 0
    assert metrics.value("postern_tls_handshakes_total", result="failure") == 0
    wait_until(lambda: proxy.metrics().value("postern_snapshots") == 1, 15, "old policies to be freed")
    # Issuers that went answer what they were asked before they end; a Redis that came has connections.
    wait_until(lambda: figures()[1] <= idle[1] + 20, 30, "descriptors to be closed")
    print("%d reloads, %d requests (%d introspected, %d over TLS on %d connections), none failed; at most %d policies in memory; "
          "at most %d → %d KiB of RSS, descriptors %d → %d under load and %d → %d idle, threads %d → %d" % (
              RELOADS, sum(each.answered for each in loads), introspected.answered, over_tls.answered, over_tls.connections,
              peak, early, late, before[1], after[1],
              idle[1], figures()[1], before[2], after[2]))
    assert peak <= 10
    assert after[2] <= before[2] + 4
    if is_release():
        assert late - early < 4096 + RELOADS * 4, "KiB more than in the first %d reloads: %d" % (warm, late - early)


def test_idle_connections_do_not_keep_old_policies(start, upstream):
    proxy = start(configs.config(upstream, event_loops=2))
    clients = [proxy.client() for _ in range(8)]
    try:
        for number, client in enumerate(clients):
            proxy.write(dict(proxy.config, realm="realm-%d" % number))
            proxy.signal(signal.SIGHUP)
            wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="applied") > number, 5)
            assert client.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200
        wait_until(lambda: proxy.metrics().value("postern_snapshots") <= 1, 5, "one policy in memory")
        for client in clients:
            assert client.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200
    finally:
        for client in clients:
            client.close()


def test_a_request_in_flight_keeps_the_policy_that_it_began_with_and_no_longer(start, upstream):
    proxy = start(configs.config(upstream))
    with proxy.client() as client:
        client.send(b"POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        upstream.wait(1)
        proxy.write(dict(proxy.config, realm="another"))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="applied") == 1, 5)
        assert proxy.metrics().value("postern_snapshots") == 2
        client.send(b"cd")
        assert client.response().status == 200
        wait_until(lambda: proxy.metrics().value("postern_snapshots") == 1, 5)


def test_an_issuer_that_went_does_not_disturb_the_end(start, upstream, issuer):
    """Questions to it would still be answered for a while; the process may end before that is over."""
    issuers = {"main": configs.issuer(), "opaque": configs.introspection(issuer, timeout="10s")}
    proxy = start(configs.config(upstream, issuers=issuers))
    assert proxy.call("GET", "/auth", token=issuer.add(opaque())).status == 200
    proxy.write(dict(proxy.config, issuers={"main": configs.issuer()}))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="applied") == 1, 5)
    proxy.signal(signal.SIGTERM)
    assert proxy.wait(5) == 0
