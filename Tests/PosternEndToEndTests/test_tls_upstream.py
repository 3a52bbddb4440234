"""TLS towards the service: who is trusted, under which name, with which certificate of the proxy, and what breaks."""
import socket
import ssl
import threading
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.certificates import Authority
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.tls import TLSClient, TLSUpstream, client_context, ragged_end, server_context

MIB = 1 << 20


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def service():
    """Starts services behind https."""
    made = []

    def starter(context, **options):
        made.append(TLSUpstream(context, **options))
        return made[-1]

    yield starter
    for each in made:
        each.stop()


def behind(service, authority, **tls):
    entry = {"url": service.url, "tls": dict({"ca": str(authority.ca)}, **tls)}
    return configs.config(entry)


def reasons(proxy):
    """Why the service was said to be unavailable, so far."""
    return [line["reason"] for line in proxy.lines() if line.get("message") == "upstream is unavailable"]


def refused(proxy, expected, requests=5):
    """The service cannot be had: every request is told, the log once, with the reason."""
    for _ in range(requests):
        check_problem(proxy.call("GET", "/health"), "upstream_unavailable")
    wait_until(lambda: reasons(proxy), 3, "a reason in the log")
    assert len(reasons(proxy)) == 1, reasons(proxy)
    assert expected in reasons(proxy)[0], reasons(proxy)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_service_behind_https(start, service, authority, name, version):
    context = server_context(authority.server())
    context.minimum_version = context.maximum_version = version
    server = service(context, name=name)
    proxy = start(behind(server, authority))
    token = bearer(configs.token())
    with proxy.client() as client:
        for number in range(20):
            answer = client.send(head("POST", "/auth?%d" % number, token, "Content-Length: 3") + b"abc").response()
            assert answer.json()["length"] == 3
    assert len(server.requests) == 20
    assert len(server.connections) == 1, "the connection is used again"
    request = server.requests[-1].check()
    assert request.header("host") == "mt5.test"
    assert request.all("x-forwarded-proto") == ["http"]
    assert request.header("x-user-id") == "user-7"


def test_large_bodies_with_tls_on_both_sides(start, service, authority):
    server = service(server_context(authority.server()))
    own = authority.server(file="own")
    config = behind(server, authority)
    config["listen"] = [{"address": "127.0.0.1:%d" % free_port(), "tls": {"certificate": str(own[0]), "key": str(own[1])}}]
    proxy = start(config)
    body = bytes(range(256)) * (8 * MIB // 256)
    token = bearer(configs.token())
    with TLSClient(proxy.port, client_context(authority), timeout=20) as client:
        for chunked in (False, True):
            client.send(head("POST", "/auth", token, "Content-Length: %d" % len(body)) + body)
            assert client.response().json()["length"] == len(body)
            assert server.requests[-1].body == body
            server.script(scripts.download(8 * MIB, chunked=chunked))
            assert client.send(head("GET", "/auth", token)).response().body == b"\xa5" * (8 * MIB)
    assert server.requests[0].all("x-forwarded-proto") == ["https"]


# Who is trusted

def test_a_service_of_another_authority(start, service, authority, tmp_path):
    server = service(server_context(Authority(tmp_path, "stranger").server(file="stranger")))
    refused(start(behind(server, authority)), "not by a trusted authority")
    assert not server.requests


def test_the_systems_authorities_are_trusted_where_none_is_named(start, service, authority):
    server = service(server_context(authority.server()))
    refused(start(configs.config(server.url)), "not by a trusted authority")
    assert not server.requests


def test_an_expired_certificate(start, service, authority):
    server = service(server_context(authority.server(days=-1)))
    refused(start(behind(server, authority)), "has expired")
    assert not server.requests


@pytest.mark.parametrize("url, names, addresses", [
    ("127.0.0.1", ["localhost"], ["127.0.0.2"]), ("127.0.0.1", ["127.0.0.1.test"], []), ("localhost", ["other.test"], []),
    ("localhost", ["other.test"], ["127.0.0.1"]),
], ids=["another address", "no address", "another name", "the right address under another name"])
def test_a_certificate_for_another_name(start, service, authority, url, names, addresses):
    server = service(server_context(authority.server(names, addresses)), name=url)
    refused(start(behind(server, authority)), "another name")
    assert not server.requests


def test_a_server_name_is_what_is_asked_for_and_checked(start, service, authority):
    context = server_context(authority.server(["service.test"], []))
    asked = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    server = service(context)
    proxy = start(behind(server, authority, server_name="service.test"))
    assert proxy.call("GET", "/health").status == 200
    assert asked == ["service.test"]


def test_a_service_in_plain_text(start):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)

        def answer():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(1 << 16)
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        refused(start(configs.config("https://127.0.0.1:%d" % server.getsockname()[1])), "TLS: WRONG_VERSION_NUMBER")
        server.shutdown(socket.SHUT_RDWR)


# The proxy's own certificate

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_proxy_shows_its_certificate(start, service, authority, version):
    context = server_context(authority.server(), authority)
    context.minimum_version = context.maximum_version = version
    server = service(context)
    certificate, key = authority.server(["proxy.test"], [], "proxy")
    proxy = start(behind(server, authority, certificate=str(certificate), key=str(key)))
    assert proxy.call("GET", "/health").status == 200
    assert server.certificates[0]["subject"] == ((("commonName", "proxy.test"),),)


@pytest.mark.parametrize("version, reason", [
    (ssl.TLSVersion.TLSv1_2, "TLS: "), (ssl.TLSVersion.TLSv1_3, "CERTIFICATE_REQUIRED")])
def test_a_service_that_asks_for_a_certificate_gets_none(start, service, authority, version, reason):
    context = server_context(authority.server(), authority)
    context.minimum_version = context.maximum_version = version
    server = service(context)
    refused(start(behind(server, authority)), reason)
    assert not server.requests


# What breaks

def test_a_handshake_that_hangs_has_the_time_of_a_connect(start):
    with socket.socket() as accepts_only:
        accepts_only.bind(("127.0.0.1", 0))
        accepts_only.listen(16)
        url = "https://127.0.0.1:%d" % accepts_only.getsockname()[1]
        proxy = start(configs.config(url, timeouts={"connect": "300ms"}))
        begun = time.monotonic()
        check_problem(proxy.call("GET", "/health"), "upstream_unavailable")
        assert 0.2 < time.monotonic() - begun < 2
        wait_until(lambda: reasons(proxy) == ["no connection in time"], 3)


@pytest.mark.parametrize("ends", ["well", "raggedly"])
def test_a_body_until_close(start, service, authority, ends):
    server = service(server_context(authority.server()))
    proxy = start(behind(server, authority))

    def until_close(exchange):
        exchange.read_body()
        exchange.send("HTTP/1.1 200 OK\r\n\r\nall of it?")
        exchange.close() if ends == "well" else ragged_end(exchange)

    server.script(until_close)
    with proxy.client() as client:
        client.send(head("GET", "/health"))
        if ends == "well":
            assert client.response().body == b"all of it?"
        else:
            with pytest.raises(AssertionError):
                client.response()


@pytest.mark.parametrize("end", ["well", "raggedly"])
def test_a_connection_that_the_service_closed_is_replaced(start, service, authority, end):
    server = service(server_context(authority.server()))
    proxy = start(behind(server, authority))

    def answer_and_close(exchange):
        scripts.echo(exchange)
        exchange.close() if end == "well" else ragged_end(exchange)

    server.default = answer_and_close
    for number in range(5):
        assert proxy.call("GET", "/health?%d" % number).status == 200
    assert len(server.requests) == 5
    assert not reasons(proxy)


def test_the_log_says_when_the_service_is_back(start, service, authority, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    context = server_context(stranger.server(file="stranger"))
    server = service(context)
    proxy = start(behind(server, authority))
    refused(proxy, "not by a trusted authority")
    context.load_cert_chain(*map(str, authority.server()))
    assert proxy.call("GET", "/health").status == 200
    wait_until(lambda: [line for line in proxy.lines() if line.get("message") == "upstream is available"], 3)


def test_a_routes_own_service(start, upstream, service, authority):
    server = service(server_context(authority.server()))
    other = {"url": server.url, "tls": {"ca": str(authority.ca)}}
    proxy = start(configs.config(upstream, more_routes={"GET /other": {"upstream": other}}))
    assert proxy.call("GET", "/health").status == 200
    assert proxy.call("GET", "/other", token=configs.token()).status == 200
    assert [each.target for each in server.requests] == ["/other"]
    assert [each.target for each in upstream.requests] == ["/health"]
