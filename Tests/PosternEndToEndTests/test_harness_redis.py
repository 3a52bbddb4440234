"""The Redis servers, the servers that are none, and the introspection server, against themselves."""
import base64
import json
import ssl
import threading
import urllib.request

import pytest

from harness import introspection
from harness.certificates import Authority
from harness.garbage import polite, says
from harness.load import Load, Quick, spread
from harness.net import wait_until
from harness.resp import Redis, RedisError, command, revoke
from harness.upstream import RecordingUpstream


def test_redis_keeps_its_port_and_its_data(redis_server):
    server = redis_server(appendonly="yes", password="pw")
    server.do("SET", "a", "b")
    with server.connect(database=3) as client:
        client.do("SET", "c", "d")
    server.restart()
    with server.connect() as client:
        assert client.dump() == {b"a": b"b"}
    server.restart(keep=False)
    assert server.do("GET", "a") is None
    with pytest.raises(RedisError):
        Redis(server.port).do("PING")


def test_every_type_is_dumped(redis):
    with redis.connect() as client:
        for parts in (("SET", "s", "one"), ("RPUSH", "l", "two"), ("SADD", "e", "three"), ("HSET", "h", "four", "five"),
                      ("ZADD", "z", 1, "six"), ("XADD", "x", "*", "seven", "eight")):
            client.do(*parts)
        text = b"".join(client.dump().values())
    for word in (b"one", b"two", b"three", b"four", b"five", b"six", b"seven", b"eight"):
        assert word in text, word


def test_a_frozen_redis_takes_connections_and_says_nothing(redis_server):
    server = redis_server()
    client = server.connect()
    server.freeze()
    with pytest.raises(OSError):
        Redis(server.port, timeout=0.2).do("PING")
    server.thaw()
    assert client.do("PING") == "PONG"


def test_redis_by_tls(redis_server, tmp_path):
    authority = Authority(tmp_path)
    server = redis_server(authority=authority)
    assert Redis(server.port, context=ssl.create_default_context(cafile=str(authority.ca))).do("PING") == "PONG"
    other = ssl.create_default_context(cafile=str(Authority(tmp_path, "other").ca))
    with pytest.raises(ssl.SSLError):
        Redis(server.port, context=other)
    assert server.do("PING") == "PONG", "the plain port"


def test_a_revocation_is_kept_and_published(redis):
    with redis.connect() as listener, redis.connect() as client:
        listener.do("SUBSCRIBE", "postern:revocations")
        revoke(client, {"jti": "a"})
        assert listener._reply() == [b"message", b"postern:revocations", b'{"jti":"a"}']
        revoke(client, {"jti": "b"}, publish=False)
        assert client.do("ZCARD", "postern:revocations") == 2


def test_garbage(garbage_server):
    server = garbage_server(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(AssertionError):
        Redis(server.port).do("PING")
    server = garbage_server(polite(b":7\r\n"))
    client = Redis(server.port, password="x", database=2)
    assert [client.do("PING"), client.do("GET", b"*1\r\n$4\r\nPING\r\n")] == ["PONG", 7]
    for part in (command("GET", "abc")[:9], command("GET", "abc")[9:]):
        client.sock.sendall(part)
    assert client._reply() == 7
    with pytest.raises(OSError):
        Redis(garbage_server(polite(None)).port).do("GET", "a")
    with pytest.raises(OSError):
        Redis(garbage_server().port, timeout=0.2).do("PING")


def post(server, token, **fields):
    body = ("token=" + token).encode()
    request = urllib.request.Request(server.url, body, dict({"Content-Type": "application/x-www-form-urlencoded"}, **fields))
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def test_introspection_server_answers_by_token_and_counts(issuer):
    issuer.add("good")
    assert post(issuer, "good")["sub"] == "user-7"
    assert post(issuer, "good")["active"] is True
    assert post(issuer, "other") == {"active": False}
    assert (issuer.count(), issuer.count("good"), issuer.distinct()) == (3, 2, 2)
    assert issuer.requests[0].form() == {"token": "good"}
    issuer.stop()
    with pytest.raises(OSError):
        post(issuer, "good")
    issuer.start()
    assert post(issuer, "good")["active"] is True


def test_introspection_server_in_the_other_dialect(introspection_server):
    server = introspection_server("hecate")
    server.add("good", introspection.hecate(user_id="u"))
    request = urllib.request.Request(server.url, b'{"token": "good"}', {
        "Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(b"a%20b:c+d").decode()})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer) == {"valid": True, "user_id": "u", "username": "ada", "is_admin": False,
                                     "roles": ["trader"], "permissions": ["trade:read", "account:read"]}
    assert server.requests[0].basic() == ("a b", "c d")


@pytest.mark.parametrize("then", ["close", "cut"])
def test_introspection_server_breaks_off(issuer, then):
    issuer.override = introspection.Answer({}, then=then)
    with pytest.raises(Exception):
        post(issuer, "x")
    assert issuer.count() == 1


def test_introspection_server_holds_many_answers(issuer):
    issuer.gate.clear()
    threads = [threading.Thread(target=post, args=(issuer, "t")) for _ in range(50)]
    for each in threads:
        each.start()
    wait_until(lambda: issuer.in_flight == 50, 5)
    issuer.gate.set()
    for each in threads:
        each.join(5)
    wait_until(lambda: issuer.in_flight == 0, 5)
    assert issuer.most_in_flight == 50


def test_load_counts_and_sees_failures():
    with RecordingUpstream() as server:
        with Quick(server.port) as client:
            assert [client.get("t") for _ in range(3)] == [200] * 3
        assert spread([server.port], ["a", "b", "c"] * 20) == [200] * 60
        assert len(server.requests) == 63
        with Load([server.port], lambda number: "t%d" % number) as load:
            wait_until(lambda: load.answered > 20)
            load.only(200)
            server.stop()
            wait_until(lambda: len(load.errors) == 2)
        with pytest.raises(AssertionError):
            load.only(200)
