"""TLS towards clients: versions, certificates of clients, limits, and how connections end."""
import json
import signal
import ssl
import subprocess
import time

import pytest

from harness import config as configs
from harness import scripts
from harness.certificates import Authority
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.raw import RawClient, bearer, head
from harness.tls import HalfClosingClient, TLSClient, client_context

MIB = 1 << 20
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def identity(authority):
    return authority.server()


def listener(identity, **tls):
    return {"address": "127.0.0.1:%d" % free_port(),
            "tls": dict({"certificate": str(identity[0]), "key": str(identity[1])}, **tls)}


@pytest.fixture(scope="module")
def settings(identity):
    return {"listen": [listener(identity), "127.0.0.1:%d" % free_port()]}


@pytest.fixture
def connect(proxy, authority):
    """Opens a TLS connection to the module's proxy."""
    made = []

    def opener(version=None, **options):
        made.append(TLSClient(proxy.port, client_context(authority, version=version), **options))
        return made[-1]

    yield opener
    for each in made:
        each.close()


@pytest.mark.parametrize("http", ["1.1", "2"])
@pytest.mark.parametrize("version", VERSIONS)
def test_curl(proxy, upstream, authority, version, http):
    done = subprocess.run(
        ["curl", "-sS", "--http" + http, "--tlsv" + version, "--tls-max", version, "--cacert", str(authority.ca), "-d", "x=1",
         "-H", bearer(configs.token()), "-H", "X-Forwarded-Proto: gopher", "-w", "\n%{http_version} %{ssl_verify_result}",
         "https://localhost:%d/auth" % proxy.port, "--resolve", "localhost:%d:127.0.0.1" % proxy.port],
        capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    body, facts = done.stdout.rsplit("\n", 1)
    assert facts == http + " 0"
    assert json.loads(body)["length"] == 3
    request = upstream.requests[0].check()
    assert request.all("x-forwarded-proto") == ["https"]
    assert request.header("x-user-id") == "user-7"


@pytest.mark.parametrize("offered, chosen", [(["http/1.1"], "http/1.1"), (["http/1.0"], None), (None, None),
                                             (["http/1.1", "h2"], "h2")])
@pytest.mark.parametrize("version", VERSIONS)
def test_versions_and_protocol(proxy, upstream, authority, version, offered, chosen):
    context = client_context(authority, version=VERSIONS[version])
    if offered:
        context.set_alpn_protocols(offered)
    with TLSClient(proxy.port, context) as client:
        assert client.sock.version() == "TLSv" + version
        assert client.sock.selected_alpn_protocol() == chosen
        if chosen == "h2":
            return
        assert client.send(head("GET", "/health")).response().status == 200


def test_tls_1_1_is_refused(proxy, authority):
    context = client_context(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION|protocol version"):
        TLSClient(proxy.port, context)


def test_the_plain_listener_is_untouched(proxy, upstream):
    with RawClient(int(proxy.config["listen"][1].rpartition(":")[2])) as client:
        assert client.send(head("GET", "/health")).response().status == 200
    assert upstream.requests[0].all("x-forwarded-proto") == ["http"]


def test_keep_alive_and_pipelining(connect, upstream):
    client = connect()
    token = bearer(configs.token())
    for number in range(50):
        assert client.send(head("GET", "/auth?%d" % number, token)).response().status == 200
    client.send(b"".join(head("GET", "/auth?p%d" % number, token) for number in range(20)))
    answers = [client.response().json()["target"] for _ in range(20)]
    assert answers == ["/auth?p%d" % number for number in range(20)]
    assert len({each.connection for each in upstream.requests}) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("chunked", [False, True])
def test_large_bodies(connect, upstream, version, chunked):
    client = connect(VERSIONS[version], timeout=20)
    token = bearer(configs.token())
    body = bytes(range(256)) * (8 * MIB // 256)
    if chunked:
        parts = [body[at:at + 100_000] for at in range(0, len(body), 100_000)]
        wire = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in parts) + b"0\r\n\r\n"
        client.send(head("POST", "/auth", token, "Transfer-Encoding: chunked") + wire)
    else:
        client.send(head("POST", "/auth", token, "Content-Length: %d" % len(body)) + body)
    assert client.response().json()["length"] == len(body)
    assert upstream.requests[-1].body == body
    upstream.script(scripts.download(8 * MIB, chunked=chunked))
    answer = client.send(head("GET", "/auth", token)).response()
    assert answer.body == b"\xa5" * (8 * MIB)


def test_a_slow_reader_holds_the_service_up(connect, upstream):
    upstream.script(scripts.download(64 * MIB))
    client = connect(timeout=20)
    client.send(head("GET", "/health"))
    request = upstream.wait(1)
    sent = 0
    # What is sent stops growing well before the end: nobody keeps what the client does not take.
    for _ in range(100):
        time.sleep(0.05)
        before, sent = sent, getattr(request, "sent", 0)
        if sent and sent == before:
            break
    assert 0 < sent < 32 * MIB
    assert len(client.response().body) == 64 * MIB


# How connections end

def test_the_last_answer_ends_with_close_notify(connect, upstream):
    client = connect()
    assert client.send(head("GET", "/health", "Connection: close")).response().status == 200
    assert client.closed() and client.ended_well


def test_a_refusal_that_closes_is_read_to_its_end(connect, upstream):
    client = connect()
    client.send(b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + b"x" * 200_000)
    check_problem(client.response(), "bad_request")
    assert client.closed() and client.ended_well
    assert not upstream.requests


def test_an_idle_connection_ends_with_close_notify(start, upstream, authority, identity):
    proxy = start(configs.config(upstream, listen=[listener(identity)], timeouts={"idle": "200ms"}))
    with TLSClient(proxy.port, client_context(authority)) as client:
        assert client.send(head("GET", "/health")).response().status == 200
        assert client.closed() and client.ended_well


@pytest.mark.parametrize("fields, broken", [((), False), ((), True)])
def test_a_body_until_close_is_whole_or_visibly_broken(connect, upstream, fields, broken):
    upstream.script(scripts.raw("HTTP/1.1 200 OK\r\n%s\r\n\r\n%s" % (
        ("Content-Length: 10", "part") if broken else ("X-A: b", "whole")), then="close"))
    client = connect()
    client.send(head("GET", "/health", version="HTTP/1.0"))
    if broken:
        # A length is passed on, and so a client of HTTP/1.0 sees what is missing; TLS must not say that all is well.
        with pytest.raises(AssertionError):
            client.response()
        assert not client.ended_well
    else:
        assert client.response().body == b"whole"
        assert client.ended_well


def test_a_broken_chunked_body_does_not_end_well_for_http_1_0(connect, upstream):
    upstream.script(scripts.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", then="close"))
    client = connect()
    client.send(head("GET", "/health", version="HTTP/1.0"))
    while client._fill():
        pass
    assert client.buffer.endswith(b"part")
    assert client.reset or client.ragged, "an end that looks like the body's own"


@pytest.mark.parametrize("how", ["close_notify", "end of the socket"])
def test_a_client_that_says_goodbye_has_given_up(proxy, upstream, authority, how):
    """As without TLS: the service is spared the rest of its work."""
    upstream.script(scripts.silent)
    with HalfClosingClient(proxy.port, client_context(authority)) as client:
        client.send(head("GET", "/health"))
        request = upstream.wait(1)
        client.say_goodbye() if how == "close_notify" else client.half_close()
        wait_until(lambda: hasattr(request, "peer_closed"), 3, "the service to be left alone")
        assert client.closed(3)
    wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 3)


# Certificates of clients

def people(authority, folder):
    stranger = Authority(folder, "stranger")
    return {
        "none": None, "good": authority.server(["client"], [], "client"),
        "another authority": stranger.server(["client"], [], "stranger"),
        "expired": authority.server(["client"], [], "expired", days=-1),
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("authentication", ["require", None, "request"])
def test_certificates_of_clients(start, upstream, authority, identity, tmp_path, version, authentication):
    tls = {"client_ca": str(authority.ca)}
    if authentication:
        tls["client_auth"] = authentication
    proxy = start(configs.config(upstream, listen=[listener(identity, **tls)]))
    passed = {"good", "none"} if authentication == "request" else {"good"}
    for name, shown in people(authority, tmp_path).items():
        before = len(upstream.requests)
        context = client_context(authority, shown, VERSIONS[version])
        if name in passed:
            with TLSClient(proxy.port, context) as client:
                assert client.send(head("GET", "/health")).response().status == 200, name
            continue
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            with TLSClient(proxy.port, context) as client:
                client.send(head("GET", "/health")).response()
        assert len(upstream.requests) == before, name
    failed = {labels["result"]: value for labels, value in proxy.metrics().series("postern_tls_handshakes_total")}
    assert failed == {"success": len(passed), "failure": 4 - len(passed)}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_is_resumed_with_its_certificate(start, upstream, authority, identity, tmp_path, version):
    proxy = start(configs.config(upstream, listen=[listener(identity, client_ca=str(authority.ca))]))
    context = client_context(authority, authority.server(["client"], [], "client"), VERSIONS[version])
    session = None
    for _ in range(3):
        with TLSClient(proxy.port, context, session=session) as client:
            assert client.send(head("GET", "/health")).response().status == 200
            session = client.sock.session
            client.sock.unwrap()


# Limits

@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], ids=["nothing", "a part of a hello"])
def test_a_handshake_that_hangs_has_the_time_of_a_head(start, upstream, identity, sent):
    proxy = start(configs.config(upstream, listen=[listener(identity)], timeouts={"head": "400ms"}))
    with RawClient(proxy.port) as client:
        begun = time.monotonic()
        client.send(sent)
        assert client.closed(5)
        assert 0.3 < time.monotonic() - begun < 3
    wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 3)


def test_a_handshake_counts_as_a_connection(start, upstream, authority, identity):
    proxy = start(configs.config(upstream, listen=[listener(identity)], limits={"connections": 1}))
    with RawClient(proxy.port) as hanging:
        wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 1, 3)
        with TLSClient(proxy.port, client_context(authority)) as second:
            check_problem(second.response(), "overloaded")
            assert second.closed() and second.ended_well
        assert hanging.still_open()
    wait_until(lambda: proxy.metrics().value("postern_connections", side="downstream") == 0, 3)
    with TLSClient(proxy.port, client_context(authority)) as client:
        assert client.send(head("GET", "/health")).response().status == 200


def test_plain_text_gets_no_answer(proxy, upstream):
    with RawClient(proxy.port) as client:
        client.send(head("GET", "/health"))
        while client._fill():
            pass
        assert b"HTTP/" not in client.buffer
    assert not upstream.requests


# Drain

def test_drain_ends_connections_well(start, upstream, authority, identity):
    proxy = start(configs.config(upstream, listen=[listener(identity)], timeouts={"drain": "5s"}))
    context = client_context(authority)
    with TLSClient(proxy.port, context) as idle, TLSClient(proxy.port, context) as busy, RawClient(proxy.port) as hanging:
        assert idle.send(head("GET", "/health")).response().status == 200
        upstream.script(scripts.raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate", pause=0.0))
        busy.send(head("GET", "/health"))
        upstream.wait(2)
        assert busy.response().body == b"late"
        begun = time.monotonic()
        proxy.signal(signal.SIGTERM)
        assert idle.closed() and idle.ended_well
        assert busy.closed() and busy.ended_well
        assert hanging.closed(3)
        assert proxy.wait(5) == 0
        assert time.monotonic() - begun < 4, "a handshake that hangs does not hold up the end"


def test_a_body_that_the_end_cuts_off_does_not_look_whole(start, upstream, authority, identity):
    proxy = start(configs.config(upstream, listen=[listener(identity)], timeouts={"drain": "200ms"}))

    def begins(exchange):
        exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")
        exchange.until_peer_closes()

    upstream.script(begins)
    with TLSClient(proxy.port, client_context(authority)) as client:
        client.send(head("GET", "/health", version="HTTP/1.0"))
        while not client.buffer.endswith(b"part"):
            assert client._fill()
        proxy.signal(signal.SIGTERM)
        while client._fill():
            pass
        assert client.reset or client.ragged
    assert proxy.wait(5) == 0


def test_the_policy_names_files_and_shows_no_key(proxy, identity):
    policy = proxy.get_admin("/policy").body.decode()
    assert json.loads(policy)["listen"][0]["tls"] == {"certificate": str(identity[0]), "key": str(identity[1])}
    assert "PRIVATE" not in policy
    assert "PRIVATE" not in proxy.output()
