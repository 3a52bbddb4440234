"""POST /oauth/revoke of postern-issuer alone, with a real Redis: what a proxy would find in the set and on the channel."""
import base64
import json
import signal
import time
import urllib.parse

import pytest

from harness.net import free_port, wait_until
from harness.process import Child, environment, until_healthy
from harness.raw import RawClient, head
from harness.redis import ClusterSetup, SentinelSetup
from test_reference_flow import CLIENTS, SECRETS

CLIENT = "trading-dashboard"
NAME = "postern:revocations"
LEEWAY = 300


class Issuer:
    """postern-issuer in development mode; its port and its store stay through every restart."""

    def __init__(self, folder, *arguments, **variables):
        self.folder, self.arguments, self.variables = folder, arguments, variables
        self.port = free_port()
        self.child = None
        self.start()

    def start(self):
        self.child = Child(self.folder, "postern-issuer", [
            "run", "--dev", "--listen", "127.0.0.1:%d" % self.port, "--store", "sqlite:%s" % (self.folder / "issuer.sqlite"),
            *self.arguments], environment(**SECRETS, **self.variables))
        until_healthy(self.port, self.child)

    def stop(self):
        self.child.stop()

    def kill(self):
        """A crash."""
        self.child.process.send_signal(signal.SIGKILL)
        self.child.process.wait(5)

    def said(self):
        return self.child.out.read_text() + self.child.err.read_text()

    def post(self, path, **fields):
        fields = dict({"client_id": CLIENT, "client_secret": CLIENTS[CLIENT]}, **fields)
        body = urllib.parse.urlencode(fields).encode()
        with RawClient(self.port) as client:
            client.send(head("POST", path, "Content-Type: application/x-www-form-urlencoded", "Content-Length: %d" % len(body)) + body)
            return client.response()

    def token(self):
        return self.post("/oauth/token", grant_type="client_credentials").json()["access_token"]

    def revoke(self, token=None):
        """Revokes a token, a new one by default; the member that stands for it."""
        token = token or self.token()
        answer = self.post("/oauth/revoke", token=token)
        assert answer.status == 200, answer
        assert answer.body == b""
        return member(token)


def claims(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def member(token):
    return json.dumps({"jti": claims(token)["jti"]}, separators=(",", ":")).encode()


class Listener:
    """A connection that has subscribed to the channel."""

    def __init__(self, server):
        self.redis = server.connect(timeout=10.0)
        assert self.redis.do("SUBSCRIBE", NAME)[:2] == [b"subscribe", NAME.encode()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.redis.close()

    def next(self, count=1):
        """The next messages, as they were published."""
        return [self.redis._reply()[2] for _ in range(count)]


def members(server):
    return set(server.do("ZRANGE", NAME, 0, -1))


@pytest.fixture
def started(tmp_path):
    """Starts issuers that are stopped, and must stop well, at the end."""
    made = []

    def starter(*arguments, **variables):
        folder = tmp_path / ("issuer-%d" % len(made))
        folder.mkdir()
        made.append(Issuer(folder, *arguments, **variables))
        return made[-1]

    yield starter
    for each in made:
        each.stop()
    assert [each.child.process.returncode for each in made] == [0] * len(made)


def connected(issuer, times=1):
    """Returns when the issuer has said that often that it has its Redis."""
    wait_until(lambda: issuer.said().count("Redis is connected") >= times, 5, "the issuer to have its Redis")


def test_a_revocation_is_in_the_set_and_on_the_channel(started, redis_server):
    server = redis_server()
    issuer = started("--redis", server.url)
    connected(issuer)
    with Listener(server) as listener:
        token, other = issuer.token(), issuer.token()
        found = issuer.revoke(token)
        assert found == member(token) != member(other)
        # Both are there already when the answer is.
        assert members(server) == {found}
        assert int(server.do("ZSCORE", NAME, found)) == claims(token)["exp"] + LEEWAY
        assert listener.next() == [found]
        # A second time is answered alike and says nothing new.
        issuer.revoke(token)
        assert [issuer.revoke(other)] == listener.next()
        assert members(server) == {found, member(other)}
    assert token not in issuer.said()


def test_options_by_environment_and_a_prefix_of_ones_own(started, redis_server):
    server = redis_server(password="a:secret/of@redis")
    issuer = started(POSTERN_ISSUER_REDIS="redis://127.0.0.1:%d" % server.port, POSTERN_ISSUER_REDIS_KEY_PREFIX="mine:",
                     POSTERN_ISSUER_REDIS_PASSWORD="a:secret/of@redis")
    connected(issuer)
    found = issuer.revoke()
    with server.connect() as redis:
        # Rates are counted there as well.
        assert b"mine:revocations" in redis.keys() and all(each.startswith(b"mine:") for each in redis.keys())
        assert redis.do("ZRANGE", "mine:revocations", 0, -1) == [found]
    assert "secret/of" not in issuer.said()
    assert "[redacted]@127.0.0.1:%d" % server.port in issuer.said()


def test_while_redis_is_away_revocations_are_acknowledged_and_published_later(started, redis_server):
    server = redis_server()
    issuer = started("--redis", server.url)
    connected(issuer)
    early = issuer.revoke()
    server.stop()
    wait_until(lambda: "Redis cannot be reached" in issuer.said(), 5, "the issuer to miss its Redis")
    begun = time.monotonic()
    late = [issuer.revoke() for _ in range(3)]
    assert time.monotonic() - begun < 2, "the answers waited for Redis"
    server.start()
    # It keeps nothing on disk: the early one is back as well.
    wait_until(lambda: members(server) == {early, *late}, 10, "the set to be whole")
    assert "published that had to wait" in issuer.said()


def test_a_frozen_redis_costs_its_timeout_once(started, redis_server):
    server = redis_server()
    issuer = started("--redis", server.url)
    connected(issuer)
    tokens = [issuer.token() for _ in range(4)]
    server.freeze()
    begun = time.monotonic()
    found = {issuer.revoke(each) for each in tokens}
    assert time.monotonic() - begun < 4, "every answer waited for Redis"
    server.thaw()
    wait_until(lambda: members(server) == found, 10, "the revocations to be published")


def test_what_was_acknowledged_survives_a_crash(started, redis_server):
    server = redis_server()
    server.stop()
    issuer = started("--redis", server.url)
    found = {issuer.revoke() for _ in range(3)}
    issuer.kill()
    server.start()
    with Listener(server) as listener:
        issuer.start()
        assert set(listener.next(3)) == found
    wait_until(lambda: members(server) == found, 5, "the set to be whole")


def test_a_redis_without_data_gets_it_back_at_the_start(started, redis_server):
    server = redis_server()
    issuer = started("--redis", server.url)
    connected(issuer)
    found = [issuer.revoke() for _ in range(3)]
    issuer.stop()
    server.do("FLUSHALL")
    with Listener(server) as listener:
        issuer.start()
        assert listener.next(3) == found
    assert members(server) == set(found)
    wait_until(lambda: "Redis had lost revocations" in issuer.said(), 5, "the issuer to say so")


def test_what_may_be_forgotten_leaves_the_set(started, redis_server):
    server = redis_server()
    now = int(time.time())
    server.do("ZADD", NAME, now - 1, "old", now + 600, "young")
    issuer = started("--redis", server.url)
    wait_until(lambda: members(server) == {b"young"}, 5, "the set to be swept")
    assert members(server) | {issuer.revoke()} == members(server)


def test_without_redis_it_says_that_nobody_learns_of_it(started):
    issuer = started()
    assert "without --redis no proxy learns of them" in issuer.said()
    issuer.revoke()
    assert "token revoked" in issuer.said()


def test_a_master_by_sentinel(started, tmp_path):
    with SentinelSetup(tmp_path / "redis") as setup:
        issuer = started("--redis", setup.url)
        connected(issuer)
        first = issuer.revoke()
        wait_until(lambda: members(setup.replica) == {first}, 5, "the replica to have it")
        setup.master.kill()
        second = issuer.revoke()
        setup.await_promotion()
        wait_until(lambda: members(setup.replica) == {first, second}, 20, "the new master to have both")


def test_a_cluster(started, tmp_path):
    with ClusterSetup(tmp_path / "redis") as setup:
        others = [each for each in setup.servers if each is not setup.owner(NAME)]
        with Listener(others[0]) as listener:
            issuer = started("--redis", "redis+cluster://127.0.0.1:%d" % others[1].port)
            connected(issuer)
            found = issuer.revoke()
            assert listener.next() == [found]
            assert members(setup.owner(NAME)) == {found}
