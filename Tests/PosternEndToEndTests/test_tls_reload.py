"""Certificates and keys that change while the proxy runs: new connections get the new ones, old connections stay."""
import os
import shutil
import signal
import ssl
import threading

import pytest

from harness import config as configs
from harness.certificates import Authority
from harness.net import free_port, wait_until
from harness.raw import head
from harness.tls import TLSClient, TLSUpstream, client_context, server_context


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def mounted(authority, tmp_path):
    return Mounted(authority, tmp_path / "mounted")


class Mounted:
    """A certificate and its key as Kubernetes mounts a secret: tls.crt and tls.key are links into `..data`, a link to the
    folder of the current version."""

    def __init__(self, authority, folder):
        self.authority, self.folder, self.number = authority, folder, 0
        folder.mkdir()
        for name in ("tls.crt", "tls.key"):
            os.symlink("..data/" + name, str(folder / name))
        self.replace()

    def replace(self, names=("localhost",), addresses=("127.0.0.1",)):
        """Another certificate and key, both at once."""
        self.number += 1
        version = self.folder / ("..%d" % self.number)
        version.mkdir()
        for made, name in zip(self.authority.server(names, addresses, "version-%d" % self.number), ("tls.crt", "tls.key")):
            shutil.copy(str(made), str(version / name))
        os.symlink(version.name, str(self.folder / "..next"))
        os.rename(str(self.folder / "..next"), str(self.folder / "..data"))

    @property
    def files(self):
        return {"certificate": str(self.folder / "tls.crt"), "key": str(self.folder / "tls.key")}

    def serial(self):
        """The serial number of the certificate that is there now."""
        return ssl._ssl._test_decode_cert(str(self.folder / "tls.crt"))["serialNumber"]


def start_with(start, upstream, files, **changes):
    address = "127.0.0.1:%d" % free_port()
    return start(configs.config(upstream, listen=[{"address": address, "tls": files}], **changes))


def shown(proxy, authority):
    """The serial number of the certificate that a new connection is shown."""
    with TLSClient(proxy.port, client_context(authority)) as client:
        return client.sock.getpeercert()["serialNumber"]


def reloads(proxy, result):
    return proxy.metrics().value("postern_reloads_total", result=result)


def test_swaps_under_load_fail_no_handshake(start, upstream, mounted, authority):
    proxy = start_with(start, upstream, mounted.files, event_loops=2)
    context = client_context(authority)
    stop, errors, handshakes = threading.Event(), [], []

    def connect():
        while not stop.is_set():
            try:
                with TLSClient(proxy.port, context, timeout=10) as client:
                    assert client.send(head("GET", "/health")).response().status == 200
                    handshakes.append(client.sock.getpeercert()["serialNumber"])
            except (OSError, AssertionError) as error:
                errors.append(error)
                return

    threads = [threading.Thread(target=connect) for _ in range(3)]
    with TLSClient(proxy.port, context, timeout=10) as kept:
        assert kept.send(head("GET", "/health?kept")).response().status == 200
        for each in threads:
            each.start()
        serials = [mounted.serial()]
        for _ in range(4):
            mounted.replace()
            serials.append(mounted.serial())
            wait_until(lambda: errors or handshakes[-1:] == serials[-1:], 10, "the new certificate to be shown")
            assert kept.send(head("GET", "/health?kept")).response().status == 200, "old connections stay"
        stop.set()
        for each in threads:
            each.join(20)
    assert not errors, errors[:3]
    assert set(handshakes) == set(serials)
    assert len(handshakes) > 100
    assert proxy.metrics().value("postern_tls_handshakes_total", result="failure") == 0


def test_files_that_are_written_one_after_the_other(start, upstream, authority, tmp_path):
    files = dict(zip(("certificate", "key"), map(str, authority.server(file="own"))))
    proxy = start_with(start, upstream, files)
    old = shown(proxy, authority)
    certificate, key = authority.server(file="new")
    shutil.copy(str(certificate), files["certificate"])
    wait_until(lambda: reloads(proxy, "refused") == 1, 5, "the certificate without its key to be refused")
    wait_until(lambda: "is not the key of the first certificate" in proxy.output(), 3)
    assert shown(proxy, authority) == old, "the old pair stays"
    shutil.copy(str(key), files["key"])
    wait_until(lambda: shown(proxy, authority) != old, 5, "the new pair to be shown")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\ngarbage\n-----END PRIVATE KEY-----\n"])
def test_a_bad_key_is_refused_and_the_old_one_stays(start, upstream, authority, content):
    files = dict(zip(("certificate", "key"), map(str, authority.server(file="own"))))
    proxy = start_with(start, upstream, files)
    old = shown(proxy, authority)
    with open(files["key"], "wb") as key:
        key.write(content)
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: reloads(proxy, "refused") >= 1, 5, "the bad key to be refused")
    wait_until(lambda: "holds no usable PEM private key" in proxy.output(), 3)
    assert shown(proxy, authority) == old
    authority.server(file="own")
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: shown(proxy, authority) != old, 5, "the mended pair to be shown")


def test_a_reload_without_a_change_keeps_sessions(start, upstream, mounted, authority):
    proxy = start_with(start, upstream, mounted.files)
    context = client_context(authority, version=ssl.TLSVersion.TLSv1_2)
    with TLSClient(proxy.port, context) as client:
        assert client.send(head("GET", "/health")).response().status == 200
        session = client.sock.session
        client.sock.unwrap()
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: reloads(proxy, "applied") == 1, 5)
    with TLSClient(proxy.port, context, session=session) as client:
        assert client.sock.session_reused


def test_authorities_of_clients_change(start, upstream, authority, tmp_path):
    trusted = tmp_path / "trusted.pem"
    first, second = Authority(tmp_path, "first"), Authority(tmp_path, "second")
    files = dict(zip(("certificate", "key"), map(str, authority.server(file="own"))), client_ca=str(trusted))
    trusted.write_bytes(first.ca.read_bytes())
    proxy = start_with(start, upstream, files)

    def passes(whose):
        context = client_context(authority, whose.server(["client"], [], whose.ca.stem + "-client"))
        try:
            with TLSClient(proxy.port, context) as client:
                return client.send(head("GET", "/health")).response().status == 200
        except (OSError, AssertionError):
            return False

    assert passes(first) and not passes(second)
    trusted.write_bytes(second.ca.read_bytes())
    wait_until(lambda: passes(second), 5, "the new authority to be trusted")
    assert not passes(first)


def test_what_a_service_is_verified_by_changes(start, authority, tmp_path):
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(Authority(tmp_path, "stranger").ca.read_bytes())
    with TLSUpstream(server_context(authority.server(), authority)) as server:
        own = authority.server(["one"], [], "own")
        tls = {"ca": str(trusted), "certificate": str(own[0]), "key": str(own[1])}
        proxy = start(configs.config({"url": server.url, "tls": tls}))
        assert proxy.call("GET", "/health").status == 502
        trusted.write_bytes(authority.ca.read_bytes())
        wait_until(lambda: proxy.call("GET", "/health").status == 200, 5, "the new authority to be trusted")
        assert server.certificates[-1]["subject"][0][0][1] == "one"
        authority.server(["two"], [], "own")
        wait_until(lambda: proxy.call("GET", "/health").status == 200 and server.certificates[-1]["subject"][0][0][1] == "two",
                   5, "the new certificate to be shown")


def test_tls_that_comes_or_goes_needs_a_restart(start, upstream, mounted, authority):
    proxy = start_with(start, upstream, mounted.files)
    proxy.write(dict(proxy.config, listen=[proxy.config["listen"][0]["address"]]))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: "restart" in proxy.output(), 5, "the log to speak of a restart")
    assert shown(proxy, authority), "the listener goes on with TLS"
