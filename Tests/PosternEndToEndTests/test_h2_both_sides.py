"""HTTP/2 on both sides of the proxy, and real servers of HTTP/2 behind it."""
import shutil
import subprocess
import threading

import pytest
from h2.errors import ErrorCodes

from harness import config as configs
from harness.h2service import H2Service, echo
from harness.http2 import Client, fields
from harness.load import Load
from harness.net import free_port, wait_until
from harness.raw import RawClient
from test_h2_upstream import behind, service

__all__ = ["service"]


def bearer(**claims):
    return ("authorization", "Bearer " + configs.token(**claims))


def test_many_streams_each_with_its_own_answer(start, service):
    server = service()
    proxy = start(behind(server))
    with Client(proxy.port) as client:
        streams = {client.open(fields(path="/auth?%d" % n, more=[bearer()])): n for n in range(100)}
        for stream, number in streams.items():
            assert b'"/auth?%d"' % number in client.answer(stream).body
    assert len(server.connections) == 1 and len(server.requests) == 100


def test_a_stream_of_messages_both_ways_with_trailers(start, service):
    def script(stream):
        stream.respond(200, ("content-type", "application/grpc"), end=False)
        while True:
            data = stream.read()
            if not data:
                break
            stream.send(data[::-1])
        stream.send_fields([("grpc-status", "0"), ("grpc-message", "fine")], end=True)

    server = service(script)
    proxy = start(behind(server))
    with Client(proxy.port) as client:
        stream = client.open(fields("POST", "/auth", more=[bearer(), ("content-type", "application/grpc"), ("te", "trailers")]),
                             end=False)
        answer = client.answers[stream]
        received = b""
        for word in (b"one", b"two", b"x" * 10_000):
            client.send(stream, word)
            received += word[::-1]
            client.until(lambda: len(answer.body) >= len(received))
            assert answer.body == received and not answer.ended
        client.send(stream, b"", end=True)
        client.until(lambda: answer.ended)
        assert answer.trailers == [("grpc-status", "0"), ("grpc-message", "fine")]
        assert dict(server.requests[0].fields)["te"] == "trailers"


def test_an_answer_of_trailers_alone(start, service):
    server = service(lambda stream: stream.respond(200, ("content-type", "application/grpc"), ("grpc-status", "5")))
    proxy = start(behind(server))
    with Client(proxy.port) as client:
        answer = client.call("POST", "/auth", more=[bearer()])
        assert answer.status == 200 and answer.header("grpc-status") == "5" and answer.ended and answer.body == b""


def test_what_breaks_off_is_a_reset(start, service):
    def script(stream):
        stream.respond(200, body=b"abc", end=False)
        stream.rst(ErrorCodes.INTERNAL_ERROR)

    server = service(script)
    proxy = start(behind(server))
    with Client(proxy.port) as client:
        stream = client.open(fields(path="/auth", more=[bearer()]))
        answer = client.answers[stream]
        client.until(lambda: answer.reset is not None or answer.ended)
        assert answer.reset is not None and not answer.ended
        server.script = echo
        assert client.call(path="/auth", more=[bearer()]).status == 200


def test_a_stream_that_the_client_resets_is_reset_at_the_service(start, service):
    server = service(lambda stream: stream.ended.wait(1))
    proxy = start(behind(server))
    with Client(proxy.port) as client:
        stream = client.open(fields(path="/auth", more=[bearer()]))
        client.flush()
        wait_until(lambda: server.requests, 5, "the request")
        client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        client.flush()
        wait_until(lambda: server.requests[0].reset is not None, 5, "a reset")
        assert server.requests[0].reset == ErrorCodes.CANCEL


# Real servers.


NGINX = """
daemon off; master_process off; pid %(folder)s/pid; error_log %(folder)s/error.log;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s; keepalive_requests 20;
  server {
    listen 127.0.0.1:%(port)d http2;
    location / { return 200 "nginx"; }
  }
}
"""


@pytest.fixture
def nginx(tmp_path):
    """A server that says GOAWAY after every twentieth request of a connection. Yields its URL."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("no nginx here")
    port = free_port()
    file = tmp_path / "nginx.conf"
    file.write_text(NGINX % {"folder": tmp_path, "port": port})
    child = subprocess.Popen([program, "-c", str(file), "-e", str(tmp_path / "error.log")], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), 5, "nginx to listen")
        yield "http://127.0.0.1:%d" % port
    finally:
        child.terminate()
        child.wait(5)


def _answers(port):
    try:
        RawClient(port, 1).close()
        return True
    except OSError:
        return False


def test_nginx_that_ends_connections_all_the_time(start, nginx):
    proxy = start(configs.config({"url": nginx, "protocol": "h2"}))
    token = configs.token()
    with Load([proxy.port], lambda number: token, threads=16, pause=0) as load:
        wait_until(lambda: load.answered >= 4000 or load.errors, 40, "the load")
    load.only(200)


def test_nghttpd(start, tmp_path):
    program = shutil.which("nghttpd")
    if program is None:
        pytest.skip("no nghttpd here")
    (tmp_path / "auth").write_bytes(b"x" * 300_000)
    port = free_port()
    child = subprocess.Popen([program, "--no-tls", "-d", str(tmp_path), "--trailer", "x-end: 1", str(port)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), 5, "nghttpd to listen")
        proxy = start(configs.config({"url": "http://127.0.0.1:%d" % port, "protocol": "h2"}))
        for _ in range(20):
            answer = proxy.call("GET", "/auth", token=configs.token())
            assert answer.status == 200 and len(answer.body) == 300_000
    finally:
        child.terminate()
        child.wait(5)
