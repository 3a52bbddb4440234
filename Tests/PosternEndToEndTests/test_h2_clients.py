"""HTTP/2 by clients that people use: curl, nghttp, h2load, Python's ssl for what ALPN settles."""
import json
import re
import shutil
import subprocess

import pytest

from harness import config as configs
from harness import scripts
from harness.certificates import Authority
from harness.frames import FrameClient, bearer, request
from harness.net import free_port
from harness.problems import check_problem
from harness.raw import head
from harness.tls import TLSClient, client_context

MIB = 1 << 20


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason="no %s here" % program)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def settings(authority):
    certificate, key = authority.server()
    tls = {"certificate": str(certificate), "key": str(key)}
    return {"listen": ["127.0.0.1:%d" % free_port(), {"address": "127.0.0.1:%d" % free_port(), "tls": tls}]}


def secure(proxy):
    return int(proxy.config["listen"][1]["address"].rpartition(":")[2])


@pytest.fixture(params=["h2c", "h2"])
def curl(request, proxy, authority):
    """Runs curl by HTTP/2, in cleartext by prior knowledge or over TLS; (head, body)."""

    def runner(path, *arguments):
        if request.param == "h2c":
            where = ["--http2-prior-knowledge", "http://127.0.0.1:%d%s" % (proxy.port, path)]
        else:
            where = ["--http2", "--cacert", str(authority.ca), "https://localhost:%d%s" % (secure(proxy), path)]
        done = subprocess.run(["curl", "-sS", "-D", "-", *arguments, *where], capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr
        top, _, body = done.stdout.partition(b"\r\n\r\n")
        assert top.startswith(b"HTTP/2 "), top
        return top.decode(), body

    return runner


def authorization():
    return "-H", "Authorization: Bearer " + configs.token()


def test_curl_gets_and_posts(curl, upstream):
    top, body = curl("/auth?a=b", *authorization(), "-H", "X-User-Id: root", "-b", "a=b; c=d")
    assert top.startswith("HTTP/2 200") and json.loads(body)["target"] == "/auth?a=b"
    seen = upstream.requests[0].check()
    assert seen.header("x-user-id") == "user-7" and seen.header("cookie") == "a=b; c=d"
    assert seen.header("host").startswith(("127.0.0.1:", "localhost:"))
    assert seen.header("x-forwarded-proto") == ("https" if "localhost" in seen.header("host") else "http")
    top, body = curl("/auth", *authorization(), "-d", "x" * 1000)
    assert json.loads(body)["length"] == 1000
    assert upstream.requests[1].body == b"x" * 1000


def test_curl_head(curl, upstream):
    top, _ = curl("/health", "-I")
    assert top.startswith("HTTP/2 200")
    assert upstream.requests[0].method == "HEAD"


def test_curl_large_bodies(curl, upstream, tmp_path):
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * (16 * MIB // 256))
    _, body = curl("/auth", *authorization(), "-X", "POST", "--data-binary", "@%s" % file)
    assert json.loads(body)["length"] == 16 * MIB
    assert upstream.requests[0].body == file.read_bytes()
    _, body = curl("/auth", *authorization(), "-X", "POST", "-H", "Content-Length:", "--data-binary", "@%s" % file)
    assert json.loads(body)["length"] == 16 * MIB
    upstream.script(scripts.download(16 * MIB), scripts.download(16 * MIB, chunked=True))
    for _ in range(2):
        assert curl("/health")[1] == b"\xa5" * (16 * MIB)


def test_curl_is_refused(curl, upstream):
    top, body = curl("/auth")
    assert top.startswith("HTTP/2 401") and json.loads(body)["code"] == "missing_token"
    names = [each.partition(":")[0] for each in top.split("\r\n")[1:]]
    assert {"www-authenticate", "cache-control", "x-request-id", "content-type", "content-length"} <= set(names)
    assert all(each == each.lower() for each in names) and "connection" not in names
    assert not upstream.requests


def test_a_refusal_does_not_wait_for_the_body(proxy, upstream):
    """It is whole, and then the client is told that nothing of its body will be read (RFC 9113 section 8.1)."""
    with FrameClient(proxy.port) as client:
        number = client.open(request("POST", "/auth"), end=False)
        for _ in range(4):
            client.data(number, b"x" * 16000)
        found = client.stream(number)
        client.until(lambda: found.reset is not None)
        assert found.ended and found.reset == 0
        check_problem(found, "missing_token")
        assert client.get("/health").status == 200
    assert [each.target for each in upstream.requests] == ["/health"]


def test_the_service_s_own_answer_passes(curl, upstream):
    upstream.script(scripts.raw(
        "HTTP/1.1 418 Teapot\r\nX-Mixed-Case: Yes\r\nConnection: x-gone, keep-alive\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\n"
        "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n\r\n"))
    top, body = curl("/health")
    lines = top.split("\r\n")
    assert lines[0].startswith("HTTP/2 418") and body == b"short"
    assert [each for each in lines if each.startswith("set-cookie")] == ["set-cookie: a=b", "set-cookie: c=d"]
    assert "x-mixed-case: Yes" in lines
    for name in ("connection", "keep-alive", "transfer-encoding", "x-gone"):
        assert not any(each.startswith(name + ":") for each in lines), lines


def test_h2c_by_upgrade_goes_on_as_http_1_1(proxy, upstream):
    done = subprocess.run(["curl", "-sS", "--http2", "-w", "\n%{http_version}", "http://127.0.0.1:%d/health" % proxy.port],
                          capture_output=True, text=True, timeout=20)
    assert done.stdout.endswith("\n1.1")
    assert not {"upgrade", "http2-settings"} & set(upstream.requests[0].check().names())


@pytest.mark.parametrize("offered, chosen", [
    (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None), (["spdy/3"], None)])
def test_what_alpn_settles(proxy, upstream, authority, offered, chosen):
    context = client_context(authority)
    if offered:
        context.set_alpn_protocols(offered)
    if chosen == "h2":
        with FrameClient(secure(proxy), context) as client:
            assert client.get("/health").status == 200
        return
    with TLSClient(secure(proxy), context) as client:
        assert client.sock.selected_alpn_protocol() == chosen
        assert client.send(head("GET", "/health")).response().status == 200


def test_both_versions_on_one_port(proxy, upstream):
    with FrameClient(proxy.port) as second, proxy.client() as first:
        for _ in range(3):
            assert second.get("/health").status == 200
            assert first.send(head("GET", "/health")).response().status == 200
    assert len(upstream.requests) == 6


def test_problem_documents_over_h2(proxy, upstream):
    with FrameClient(proxy.port) as client:
        for path, code in (("/auth", "missing_token"), ("/internal/x", "route_denied"), ("/a%2Fb", "ambiguous_path")):
            check_problem(client.get(path), code)
        check_problem(client.answer(client.open(request("POST", "/health"))), "method_not_allowed")
        check_problem(client.answer(client.open(request("HEAD", "/none"))), "route_not_declared", "HEAD")
        assert client.get("/auth", bearer(configs.token())).status == 200
        assert client.goaway is None


def test_trailers_of_the_service_pass(proxy, upstream):
    upstream.script(scripts.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"))
    with FrameClient(proxy.port) as client:
        found = client.get("/health")
    assert found.body == b"ok" and found.trailers == [("x-sum", "7")]


def test_trailers_of_the_client_pass(proxy, upstream):
    from harness.frames import END_HEADERS, END_STREAM, HEADERS, literal
    with FrameClient(proxy.port) as client:
        number = client.open(request("POST", "/public/x"), end=False)
        client.data(number, b"hello")
        client.frame(HEADERS, END_HEADERS | END_STREAM, number, literal([("x-sum", "7")]))
        assert client.answer(number).status == 200
    assert upstream.requests[0].body == b"hello"
    assert [(name.lower(), value) for name, value in upstream.requests[0].trailers] == [("x-sum", "7")]


def test_interim_answers_pass(proxy, upstream):
    upstream.script(scripts.raw("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    with FrameClient(proxy.port) as client:
        found = client.get("/health")
    assert (found.status, found.body) == (200, b"ok")
    assert [status for status, _ in found.interim] == [103] and ("link", "</a>") in found.interim[0][1]


def test_a_response_that_breaks_off_does_not_look_whole(proxy, upstream):
    upstream.script(scripts.raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart", then="close"),
                    scripts.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", then="close"))
    with FrameClient(proxy.port) as client:
        for _ in range(2):
            found = client.answer(client.open(request("GET", "/health")))
            assert not found.ended and found.reset not in (None, 0), found
        assert client.get("/health").status == 200


def test_a_cancelled_request_ends_at_the_service(proxy, upstream):
    from harness.net import wait_until
    upstream.script(scripts.silent)
    with FrameClient(proxy.port) as client:
        number = client.open(request("GET", "/health"))
        seen = upstream.wait(1)
        client.reset(number)
        wait_until(lambda: hasattr(seen, "peer_closed"), 10, "the service to be left alone")
        assert client.get("/health").status == 200


def test_the_access_log_of_a_stream(proxy, upstream):
    with FrameClient(proxy.port) as client:
        client.get("/auth?secret=1", bearer(configs.token()), ("x-request-id", "stream-1"))
    line = proxy.access("stream-1")
    assert (line["status"], line["method"], line["path"], line["user"]) == (200, "GET", "/auth", "user-7")
    assert "secret" not in proxy.output()


@needs("nghttp")
def test_nghttp(proxy, upstream):
    urls = ["http://127.0.0.1:%d/health?%d" % (proxy.port, number) for number in range(20)]
    done = subprocess.run(["nghttp", "-v", "-H", ":authority: mt5.test", *urls], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"recv \(stream_id=\d+\) :status: 200", done.stdout)) == 20
    assert "GOAWAY frame" not in done.stdout.replace("send GOAWAY", "")
    assert sorted(each.target for each in upstream.requests) == sorted("/health?%d" % number for number in range(20))


@needs("h2load")
@pytest.mark.parametrize("tls", [False, True])
def test_h2load(start, upstream, authority, tls):
    certificate, key = authority.server()
    listen = {"address": "127.0.0.1:%d" % free_port()}
    if tls:
        listen["tls"] = {"certificate": str(certificate), "key": str(key)}
    proxy = start(configs.config(upstream, listen=listen, event_loops=2))
    done = subprocess.run(
        ["h2load", "-n3000", "-c10", "-m32", "-t1", "-H", "authorization: Bearer " + configs.token(),
         "%s://127.0.0.1:%d/auth" % ("https" if tls else "http", proxy.port)], capture_output=True, text=True, timeout=60)
    assert "3000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout
    assert "status codes: 3000 2xx" in done.stdout
    metrics = proxy.metrics()
    assert metrics.value("postern_requests_total", status="200") == 3000
    assert len(upstream.requests) == 3000
