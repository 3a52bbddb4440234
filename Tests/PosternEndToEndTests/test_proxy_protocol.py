"""`proxy_protocol`: whom a connection is from is said in a header before anything else; by what the upstream received."""
import itertools
import shutil
import signal
import subprocess

import pytest

from harness import config as configs
from harness.haproxy import Relay
from harness.net import free_port, wait_until
from harness.process import run
from harness.proxyprotocol import binary, text
from harness.raw import RawClient, head
from harness.table import table

NUMBERS = itertools.count()
CLOSED = "connection closed: no PROXY header"


def listeners():
    """The first is a plain one, for readiness and for comparison."""
    return ["127.0.0.1:%d" % free_port(), {"address": "127.0.0.1:%d" % free_port(), "proxy_protocol": True}]


@pytest.fixture(scope="module")
def settings():
    return {"listen": listeners(), "trusted_proxies": ["127.0.0.1/32", "10.0.0.0/8"]}


def port(proxy):
    return int(proxy.config["listen"][1]["address"].rpartition(":")[2])


def connect(proxy, source="127.0.0.1"):
    return RawClient(port(proxy), source=source)


def named(*fields):
    name = "header-%d" % next(NUMBERS)
    return name, head("GET", "/public/x", "X-Request-Id: " + name, *fields)


def results(proxy, result):
    return proxy.metrics().value("postern_proxy_headers_total", result=result)


GOOD = table(
    ("version 1, IPv4", text("203.0.113.9"), "203.0.113.9"),
    ("version 1, IPv6", text("2001:DB8:0:0::1"), "2001:db8::1"),
    ("version 1, unknown", b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    ("version 2, IPv4", binary("203.0.113.9"), "203.0.113.9"),
    ("version 2, IPv6", binary("2001:db8::1"), "2001:db8::1"),
    ("version 2, IPv4 in IPv6", binary("::ffff:203.0.113.9"), "203.0.113.9"),
    ("version 2, with extensions", binary("203.0.113.9", tlvs=b"\x02\0\x04host\x20\0\x05\1\0\0\0\0"), "203.0.113.9"),
    ("version 2, local", binary(command=0), "127.0.0.1"),
    ("version 2, no family", binary(), "127.0.0.1"),
    ("version 2, a unix socket", binary(family=0x31, addresses=b"/" * 216), ""),
)


@pytest.mark.parametrize("header, address", GOOD)
def test_the_address_that_the_header_names_is_the_client(proxy, upstream, header, address):
    before = results(proxy, "accepted")
    with connect(proxy) as client:
        for _ in range(2):
            name, request = named()
            assert client.send(header + request).response().status == 200
            header = b""
            assert upstream.requests[-1].check().all("x-forwarded-for") == ([address] if address else [])
            assert proxy.access(name)["client"] == address
    assert results(proxy, "accepted") == before + 1


@pytest.mark.parametrize("header", [text("203.0.113.9"), binary("203.0.113.9")], ids=["1", "2"])
def test_a_header_may_come_in_any_pieces(proxy, upstream, header):
    _, request = named()
    with connect(proxy) as client:
        assert client.drip(header + request).response().status == 200
        assert upstream.requests[-1].check().header("x-forwarded-for") == "203.0.113.9"
    for cut in (1, len(header) - 1, len(header), len(header) + 1):
        with connect(proxy) as client:
            assert client.split(header + named()[1], cut).response().status == 200
            assert upstream.requests[-1].check().header("x-forwarded-for") == "203.0.113.9"


def test_what_the_named_client_says_of_others_is_believed_only_if_it_is_trusted(proxy, upstream):
    with connect(proxy) as client:
        client.send(text("203.0.113.9") + named("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https")[1]).response()
    seen = upstream.requests[-1].check()
    assert (seen.header("x-forwarded-for"), seen.header("x-forwarded-proto")) == ("203.0.113.9", "http")
    with connect(proxy) as client:
        name, request = named("X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https")
        client.send(text("10.1.2.3") + request).response()
    seen = upstream.requests[-1].check()
    assert (seen.header("x-forwarded-for"), seen.header("x-forwarded-proto")) == ("198.51.100.7, 10.1.2.3", "https")
    assert proxy.access(name)["client"] == "198.51.100.7"


BAD = table(
    ("none", b""),
    ("one of another version", b"PROXY2 TCP4 1.1.1.1 2.2.2.2 1 2\r\n"),
    ("small letters", b"proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n"),
    ("no address", b"PROXY TCP4 evil 2.2.2.2 1 2\r\n"),
    ("a bare line feed", b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n"),
    ("UDP", binary("203.0.113.9", family=0x12)),
    ("an unknown command", binary("203.0.113.9", command=2)),
    ("one too short for its addresses", binary("203.0.113.9", family=0x21)),
    ("one that is too long", binary("203.0.113.9", tlvs=b"\0" * 5000)),
    ("an endless line", b"PROXY UNKNOWN " + b"x" * 500),
    ("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
)


@pytest.mark.parametrize("header", BAD)
def test_without_a_good_header_a_connection_is_closed_without_an_answer(proxy, upstream, header):
    before = results(proxy, "malformed")
    with connect(proxy) as client:
        assert client.send(header + named()[1]).closed(), "still open"
    assert upstream.requests == []
    assert results(proxy, "malformed") == before + 1


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", binary(), binary(command=0)], ids=["1", "2", "2-local"])
def test_a_client_that_the_header_does_not_name_is_not_believed_as_the_proxy_is(proxy, upstream, header):
    with connect(proxy) as client:
        name, request = named("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.test")
        client.send(header + request).response()
    seen = upstream.requests[-1].check()
    assert seen.all("x-forwarded-for") == ["127.0.0.1"] and seen.all("x-forwarded-proto") == ["http"]
    assert seen.all("x-forwarded-host") != ["a.test"]
    assert proxy.access(name)["client"] == "127.0.0.1"


def test_a_second_header_is_no_request(proxy, upstream):
    with connect(proxy) as client:
        assert client.send(text("203.0.113.9") + text("198.51.100.1") + named()[1]).response().status == 400
    assert upstream.requests == []


def test_a_header_of_somebody_else_is_not_read(proxy, upstream):
    before = results(proxy, "untrusted")
    with connect(proxy, "127.0.0.2") as client:
        assert client.send(text("10.0.0.1") + named()[1]).closed(), "still open"
    assert upstream.requests == []
    assert results(proxy, "untrusted") == before + 1


def test_closed_connections_are_logged(start, upstream):
    proxy = start(configs.config(upstream, listen=listeners(), trusted_proxies=["127.0.0.1/32"]))
    with connect(proxy, "127.0.0.2") as client:
        assert client.closed()
    lines = wait_until(lambda: [each for each in proxy.lines() if each.get("message") == CLOSED], 5, "the log line")
    assert (lines[0]["peer"], lines[0]["reason"]) == ("127.0.0.2", "the peer is not in trusted_proxies")


def test_on_a_plain_listener_a_header_is_no_request(proxy, upstream):
    with RawClient(proxy.port) as client:
        assert client.send(text("203.0.113.9") + named()[1]).response().status == 400
    assert upstream.requests == []


def test_a_header_has_the_time_of_a_head(start, upstream):
    proxy = start(configs.config(upstream, listen=listeners(), trusted_proxies=["127.0.0.1/32"], timeouts={"head": "300ms"}))
    with connect(proxy) as silent, connect(proxy) as slow:
        slow.send(text("203.0.113.9")[:20])
        assert silent.closed() and slow.closed()
    assert results(proxy, "timeout") == 2


def test_connections_without_a_header_leave_nothing_behind(start, upstream):
    changes = {"listen": listeners(), "trusted_proxies": ["127.0.0.1/32"], "limits": {"connections": 3}}
    proxy = start(configs.config(upstream, **changes))
    for _ in range(10):
        with connect(proxy) as client:
            assert client.send(b"GET /").closed()
    for number in range(10):
        connect(proxy).close()
        wait_until(lambda: results(proxy, "closed") == number + 1, 5, "the closed connection to be counted")
    for _ in range(10):
        with connect(proxy) as client:
            assert client.send(text("203.0.113.9") + named("Connection: close")[1]).response().status == 200
            assert client.closed()
    assert proxy.metrics().value("postern_connections_refused_total") == 0
    assert not [each for each in proxy.lines() if each.get("reason", "").startswith("no PROXY header came")]


def test_a_drain_does_not_wait_for_headers(start, upstream):
    config = configs.config(upstream, listen=listeners(), trusted_proxies=["127.0.0.1/32"], timeouts={"drain": "20s"})
    proxy = start(config)
    with connect(proxy) as silent:
        proxy.signal(signal.SIGTERM)
        assert silent.closed()
        assert proxy.wait(5) == 0


@pytest.mark.parametrize("option", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c"])
def test_haproxy_in_front(proxy, upstream, tmp_path, option):
    with Relay(tmp_path, port(proxy), option) as relay, RawClient(relay.port, source="127.0.0.3") as client:
        for _ in range(2):
            name, request = named("X-Forwarded-For: 6.6.6.6")
            assert client.send(request).response().status == 200
            assert upstream.requests[-1].check().header("x-forwarded-for") == "127.0.0.3"
            assert proxy.access(name)["client"] == "127.0.0.3"


def test_haproxy_asks_whether_somebody_is_there(proxy, upstream, tmp_path):
    before = results(proxy, "malformed")
    accepted = results(proxy, "accepted")
    with Relay(tmp_path, port(proxy), "send-proxy-v2 check check-send-proxy inter 50ms"):
        wait_until(lambda: results(proxy, "accepted") >= accepted + 2, 5, "checks to be accepted")
    assert results(proxy, "malformed") == before


def test_curl_in_front(proxy, upstream):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(
        ["curl", "-sS", "--haproxy-protocol", "http://127.0.0.1:%d/public/curl" % port(proxy)],
        capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert upstream.requests[-1].check().header("x-forwarded-for") == "127.0.0.1"


WRONG = table(
    ("without trusted proxies", "127.0.0.1:8080", "[]", "name the networks that the load balancer connects from"),
    ("with trusted sockets alone", "127.0.0.1:8080", "[unix]", "name the networks"),
    ("on a socket that is not trusted", "unix:/s", "[10.0.0.0/8]", "add unix to trusted_proxies"),
)


@pytest.mark.parametrize("address, trusted, fix", WRONG)
def test_a_listener_that_nobody_may_send_a_header_to_is_refused(tmp_path, address, trusted, fix):
    file = tmp_path / "proxy.yaml"
    file.write_text(
        'listen:\n  - {address: "%s", proxy_protocol: true}\nupstream: http://127.0.0.1:8001\ndefault: public\n'
        "trusted_proxies: %s\n" % (address, trusted))
    done = run("postern", "check", file)
    said = done.stdout + done.stderr
    assert done.returncode == 78, said
    assert "proxy.yaml:2:" in said and "listen[0].proxy_protocol" in said and fix in said, said
