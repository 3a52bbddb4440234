"""`trusted_proxies`: whose X-Forwarded-* are believed, by what the upstream received and what the access log says."""
import itertools
import signal

import pytest
import yaml

from harness import config as configs
from harness.net import free_port, wait_until
from harness.process import run
from harness.raw import RawClient, head
from harness.table import table

TRUSTED = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def settings():
    return {"trusted_proxies": TRUSTED}


def ask(proxy, upstream, *fields, source="127.0.0.1", target="/public/x", status=200):
    """The request that the upstream received (None: none) for one with these lines, and the client of its access log line."""
    name = "trusted-%d" % next(NUMBERS)
    before = len(upstream.requests)
    with RawClient(proxy.port, source=source) as client:
        answer = client.send(head("GET", target, "X-Request-Id: " + name, *fields)).response()
    assert answer.status == status
    seen = upstream.requests[before:]
    return seen[0].check() if seen else None, proxy.access(name)["client"]


CLIENTS = table(
    ("nothing", [], "127.0.0.1", "127.0.0.1"),
    ("one address", ["X-Forwarded-For: 203.0.113.9"], "203.0.113.9", "203.0.113.9, 127.0.0.1"),
    ("a forged one before it", ["X-Forwarded-For: 6.6.6.6, 203.0.113.9"], "203.0.113.9", "6.6.6.6, 203.0.113.9, 127.0.0.1"),
    ("two proxies", ["X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.1"], "203.0.113.9",
     "6.6.6.6, 203.0.113.9, 10.0.0.1, 127.0.0.1"),
    ("two lines", ["X-Forwarded-For: 6.6.6.6, 203.0.113.9", "x-forwarded-for: 10.0.0.1"], "203.0.113.9",
     "6.6.6.6, 203.0.113.9, 10.0.0.1, 127.0.0.1"),
    ("only trusted ones", ["X-Forwarded-For: 10.0.0.2, 10.0.0.1"], "10.0.0.2", "10.0.0.2, 10.0.0.1, 127.0.0.1"),
    ("IPv6 with a port", ["X-Forwarded-For: [2001:db8::1]:443"], "2001:db8::1", "[2001:db8::1]:443, 127.0.0.1"),
    ("IPv4 with a port", ["X-Forwarded-For: 203.0.113.9:4711"], "203.0.113.9", "203.0.113.9:4711, 127.0.0.1"),
    ("unknown", ["X-Forwarded-For: 6.6.6.6, unknown"], "127.0.0.1", "6.6.6.6, unknown, 127.0.0.1"),
    ("an obfuscated name", ["X-Forwarded-For: 6.6.6.6, _x, 10.0.0.1"], "10.0.0.1", "6.6.6.6, _x, 10.0.0.1, 127.0.0.1"),
    ("an empty entry", ["X-Forwarded-For: 6.6.6.6,, 10.0.0.1"], "10.0.0.1", "6.6.6.6,, 10.0.0.1, 127.0.0.1"),
    ("text for the log", ['X-Forwarded-For: 6.6.6.6","x":"y'], "127.0.0.1", '6.6.6.6","x":"y, 127.0.0.1'),
    ("spelled with underscores", ["X_Forwarded_For: 6.6.6.6", "X-Forwarded_For: 6.6.6.6"], "127.0.0.1", "127.0.0.1"),
    ("Forwarded", ["Forwarded: for=6.6.6.6;proto=https"], "127.0.0.1", "127.0.0.1"),
    ("named by Connection", ["X-Forwarded-For: 203.0.113.9", "Connection: x-forwarded-for"], "203.0.113.9",
     "203.0.113.9, 127.0.0.1"),
    ("a long list", ["X-Forwarded-For: " + "6.6.6.6, " * 2000 + "203.0.113.9"], "203.0.113.9",
     "6.6.6.6, " * 2000 + "203.0.113.9, 127.0.0.1"),
)


@pytest.mark.parametrize("fields, client, forwarded", CLIENTS)
def test_a_trusted_peer_is_believed_and_appended(proxy, upstream, fields, client, forwarded):
    request, logged = ask(proxy, upstream, *fields)
    assert request.all("x-forwarded-for") == [forwarded]
    assert logged == client
    assert request.all("forwarded") == [] and "_" not in "".join(name for name, _ in request.headers)


@pytest.mark.parametrize("fields", [row.values[0] for row in CLIENTS], ids=[row.id for row in CLIENTS])
def test_another_peer_is_not(proxy, upstream, fields):
    more = ["X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /evil"]
    request, logged = ask(proxy, upstream, *fields, *more, source="127.0.0.2")
    mine = [each for each in request.headers if "forwarded" in each[0].lower()]
    assert mine == [("X-Forwarded-For", "127.0.0.2"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "mt5.test")]
    assert logged == "127.0.0.2"
    assert b"6.6.6.6" not in request.raw_head and b"203.0.113.9" not in request.raw_head


ONE_VALUE = table(
    ("https", ["X-Forwarded-Proto: https"], "x-forwarded-proto", ["https"]),
    ("a list of schemes", ["X-Forwarded-Proto: https, http"], "x-forwarded-proto", ["http"]),
    ("two schemes", ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], "x-forwarded-proto", ["http"]),
    ("no scheme", ["X-Forwarded-Proto: 1://"], "x-forwarded-proto", ["http"]),
    ("a host", ["X-Forwarded-Host: app.example:8443"], "x-forwarded-host", ["app.example:8443"]),
    ("a list of hosts", ["X-Forwarded-Host: a, b"], "x-forwarded-host", ["mt5.test"]),
    ("two hosts", ["X-Forwarded-Host: a", "X-Forwarded-Host: b"], "x-forwarded-host", ["mt5.test"]),
    ("no host", ["X-Forwarded-Host: <script>"], "x-forwarded-host", ["mt5.test"]),
    ("a port", ["X-Forwarded-Port: 8443"], "x-forwarded-port", ["8443"]),
    ("no port", ["X-Forwarded-Port: https"], "x-forwarded-port", []),
    ("a prefix", ["X-Forwarded-Prefix: /api"], "x-forwarded-prefix", ["/api"]),
    ("another host as a prefix", ["X-Forwarded-Prefix: //evil.test"], "x-forwarded-prefix", []),
    ("a user", ["X-Forwarded-User: admin"], "x-forwarded-user", []),
    ("a certificate", ["X-Forwarded-Client-Cert: x"], "x-forwarded-client-cert", []),
)


@pytest.mark.parametrize("fields, name, values", ONE_VALUE)
def test_what_may_have_one_value_is_believed_if_it_is_well_formed(proxy, upstream, fields, name, values):
    request, _ = ask(proxy, upstream, *fields)
    assert request.all(name) == values
    assert request.all("x-forwarded-for") == ["127.0.0.1"]


def test_a_refused_request_is_logged_with_its_client(proxy, upstream):
    request, logged = ask(proxy, upstream, "X-Forwarded-For: 203.0.113.9", target="/auth", status=401)
    assert request is None
    assert logged == "203.0.113.9"


def test_each_request_of_a_connection_has_a_client_of_its_own(proxy, upstream):
    with RawClient(proxy.port) as client:
        for number, address in enumerate(["203.0.113.1", None, "203.0.113.2", "2001:db8::1"]):
            lines = ["X-Request-Id: turn-%d" % number] + (["X-Forwarded-For: " + address] if address else [])
            assert client.send(head("GET", "/public/x", *lines)).response().status == 200
            assert upstream.requests[-1].header("x-forwarded-for") == (address + ", " if address else "") + "127.0.0.1"
        # A head that cannot be read says nothing: the peer is what is known.
        client.send(b"GET / HTTP/1.1\r\nX-Forwarded-For : 203.0.113.3\r\n\r\n").response()
    clients = [proxy.access("turn-%d" % number)["client"] for number in range(4)]
    assert clients == ["203.0.113.1", "127.0.0.1", "203.0.113.2", "2001:db8::1"]
    wait_until(lambda: any(line.get("status") == 400 for line in proxy.lines()), 5, "the refused head's line")
    assert [line["client"] for line in proxy.lines() if line.get("status") == 400][-1] == "127.0.0.1"


def test_identity_is_stripped_from_trusted_peers_too(proxy, upstream):
    request, _ = ask(proxy, upstream, "X-Forwarded-For: 203.0.113.9", "X-User-Id: admin", "X_Auth_Issuer: evil")
    assert request.all("x-user-id") == [] and b"admin" not in request.raw_head and b"evil" not in request.raw_head


def test_a_reload_counts_for_connections_that_are_open(start, upstream):
    config = configs.config(upstream)
    proxy = start(config)
    with RawClient(proxy.port) as client:
        def forwarded():
            client.send(head("GET", "/public/x", "X-Forwarded-For: 203.0.113.9", "X-Request-Id: r")).response()
            return upstream.requests[-1].header("x-forwarded-for")

        assert forwarded() == "127.0.0.1"
        running = yaml.safe_load(proxy.file.read_text())
        proxy.file.write_text(yaml.safe_dump(dict(running, trusted_proxies=["127.0.0.0/8"])))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: forwarded() == "203.0.113.9, 127.0.0.1", 5, "the proxies to be trusted")
        proxy.file.write_text(yaml.safe_dump(running))
        proxy.signal(signal.SIGHUP)
        wait_until(lambda: forwarded() == "127.0.0.1", 5, "nobody to be trusted")


def test_a_listener_of_both_families_knows_ipv4_peers(start, upstream):
    config = configs.config(upstream, listen="[::]:%d" % free_port(), trusted_proxies=["127.0.0.1/32"])
    try:
        proxy = start(config)
    except AssertionError as error:
        if "is not an address of this machine" in str(error) or "Address family" in str(error):
            pytest.skip("there is no IPv6 here")
        raise
    with RawClient(proxy.port) as client:
        client.send(head("GET", "/public/x", "X-Forwarded-For: 203.0.113.9", "X-Request-Id: both-1")).response()
        assert upstream.requests[-1].check().header("x-forwarded-for") == "203.0.113.9, 127.0.0.1"
        client.send(head("GET", "/public/x", "X-Request-Id: both-2")).response()
        assert upstream.requests[-1].check().header("x-forwarded-for") == "127.0.0.1"
    assert [proxy.access("both-%d" % number)["client"] for number in (1, 2)] == ["203.0.113.9", "127.0.0.1"]


def test_explain_says_whose_word_counts(proxy):
    said = run("postern", "explain", "GET", "/public/x", "--config", proxy.file).stdout
    assert "trusted_proxies" in said and "X-Forwarded-For: (the client's address)" in said, said


@pytest.mark.parametrize("trusted, forwarded", [(["unix"], ["203.0.113.9"]), (["0.0.0.0/0", "::/0"], [])])
def test_a_unix_socket_is_trusted_if_that_is_said(start, upstream, tmp_path, trusted, forwarded):
    path = str(tmp_path / "s")
    proxy = start(configs.config(upstream, listen=["127.0.0.1:%d" % free_port(), "unix:" + path], trusted_proxies=trusted))
    with RawClient(path=path) as client:
        client.send(head("GET", "/public/x", "X-Forwarded-For: 6.6.6.6, 203.0.113.9", "X-Request-Id: socket")).response()
    seen = upstream.requests[-1].check().all("x-forwarded-for")
    assert seen == (["6.6.6.6, 203.0.113.9"] if forwarded else [])
    assert proxy.access("socket")["client"] == (forwarded[0] if forwarded else "")
