"""What a reload meets that the file itself does not show: a request under way, a certificate that is mended later, the
system's authorities gone."""
import os
import shutil
import signal
import subprocess

import pytest

from harness import config as configs
from harness.certificates import Authority
from harness.introspection import claims, inactive
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.tiers import opaque
from harness.tls import TLSClient, TLSUpstream, client_context, server_context


def reloads(proxy, result):
    return proxy.metrics().value("postern_reloads_total", result=result)


def test_what_was_found_out_for_a_preflight_is_not_taken_for_the_next_request(start, upstream, issuer):
    """An OPTIONS request waits for its token's issuer; a reload makes it a preflight that is answered without."""
    good, bad = opaque(), opaque()
    issuer.add(good, claims(sub="root"), delay=1.0)
    issuer.answers[bad] = inactive()
    config = configs.config(upstream, issuers={"main": configs.introspection(issuer, timeout="5s")},
                            more_routes={"OPTIONS /auth": "authenticated"})
    proxy = start(config)
    with proxy.client(timeout=10) as client:
        client.send(head("OPTIONS", "/auth", "Origin: https://app.test", "Access-Control-Request-Method: GET", bearer(good)))
        wait_until(lambda: issuer.count(good) == 1, 5)
        proxy.write(dict(proxy.config, cors={"preflight": "answer", "origins": ["https://app.test"]},
                         routes=configs.config(upstream)["routes"]))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: reloads(proxy, "applied") == 1, 5)
        answer = client.response("OPTIONS")
        assert answer.status == 204 and answer.header("access-control-allow-origin") == "https://app.test"
        check_problem(client.send(head("GET", "/auth", bearer(bad))).response(), "invalid_token")
    assert issuer.count(bad) == 1, "the next token was asked for itself"
    assert upstream.requests == []


def test_a_file_that_a_refused_configuration_names_is_watched(start, upstream, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.server(file="new")
    own = dict(zip(("certificate", "key"), map(str, authority.server(file="own"))))
    missing = tmp_path / "missing.pem"
    address = "127.0.0.1:%d" % free_port()
    proxy = start(configs.config(upstream, listen=[{"address": address, "tls": own}]))

    def shown():
        with TLSClient(proxy.port, client_context(authority)) as client:
            return client.sock.getpeercert()["serialNumber"]

    old = shown()
    proxy.write(dict(proxy.config, listen=[{"address": address, "tls": {"certificate": str(missing), "key": str(key)}}]))
    wait_until(lambda: reloads(proxy, "refused") == 1, 5)
    missing.write_bytes(b"garbage")
    wait_until(lambda: reloads(proxy, "refused") == 2, 5, "another try with what came into being")
    assert shown() == old
    shutil.copy(str(certificate), str(missing))
    wait_until(lambda: reloads(proxy, "applied") == 1, 5, "another try with the mended file")
    wait_until(lambda: shown() != old, 5)
    assert reloads(proxy, "refused") == 2, "nothing is tried again without a change"


def test_tls_that_comes_or_goes_is_said_and_the_listener_stays_as_it_is(start, upstream, tmp_path):
    tls = dict(zip(("certificate", "key"), map(str, Authority(tmp_path).server())))
    plain = "127.0.0.1:%d" % free_port()
    proxy = start(configs.config(upstream, listen=[plain]))
    proxy.write(dict(proxy.config, listen=[{"address": plain, "tls": tls}]))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: reloads(proxy, "applied") == 1, 5)
    said = wait_until(lambda: [line for line in proxy.lines() if "restart" in line.get("message", "")], 3)
    assert [(line["level"], line["key"]) for line in said] == [("warning", "listen")]
    assert proxy.call("GET", "/health").status == 200, "in plain text, as before"


def test_the_systems_authorities_may_be_gone_at_a_reload(start, upstream, tmp_path):
    """An upstream that is verified by them stays as it was: the reload is refused, the process goes on."""
    system = "/etc/ssl/certs"
    may_mount = subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0
    if os.geteuid() != 0 or not may_mount or not os.path.isfile(system + "/ca-certificates.crt"):
        pytest.skip("needs root, a mount namespace and Debian's ca-certificates")
    authority, folder = Authority(tmp_path), tmp_path / "certs"
    folder.mkdir()
    bundle = folder / "ca-certificates.crt"
    bundle.write_bytes(authority.ca.read_bytes())
    mount = 'mount --bind "$0" "$1" && shift && exec "$@"'
    with TLSUpstream(server_context(authority.server())) as server:
        proxy = start(configs.config(server.url), prefix=["unshare", "-m", "sh", "-c", mount, str(folder), system])
        assert proxy.call("GET", "/health").status == 200
        bundle.unlink()
        proxy.write(dict(proxy.config, upstream={"url": server.url, "connections": 7}))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: reloads(proxy, "refused") >= 1, 5)
        wait_until(lambda: "the authorities of the system cannot be loaded" in proxy.output(), 3)
        assert proxy.call("GET", "/health").status == 200
        bundle.write_bytes(authority.ca.read_bytes())
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: reloads(proxy, "applied") >= 1, 5)
        assert proxy.call("GET", "/health").status == 200
