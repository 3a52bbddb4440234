"""kill -9 while clients are registered and tokens revoked: what was acknowledged is there, in the store and in Redis, and the
store opens clean. Over both stores; PostgreSQL itself is killed as well."""
import random
import shutil
import threading

import pytest

from harness.answers import problem
from harness.issuer import Connection, basic, claims
from harness.net import wait_until
from harness.postgres import PostgresServer
from harness.stores import PostgresDatabase, SQLiteFile
from test_issuer_clients_api import pages

CLIENTS = "/api/v1/admin/service-clients"
SET = "postern:revocations"
# Registrations and revocations together.
CHANGES = 1000
WORKERS = 4
# Where in the sequence of acknowledged changes it is killed: anywhere, but the same in every run.
POINTS = sorted(random.Random(7009).sample(range(20, CHANGES - 50), 6))
REGISTER, REVOKE = "register", "revoke"


class Changes:
    """Threads that register clients and revoke tokens in turn, through every crash, until enough were acknowledged."""

    def __init__(self, issuer, revoker):
        self.issuer = issuer
        self.revoker = revoker
        self.token = issuer.admin_token()
        self.secrets = {}  # of the clients whose registration was acknowledged
        self.revoked = []  # the tokens whose revocation was acknowledged
        self.refused = []  # answers that were neither
        self.numbers = iter(range(10 ** 6))
        self.lock = threading.Lock()
        self.up = threading.Event()
        self.up.set()
        self.threads = [threading.Thread(target=self._work) for _ in range(WORKERS)]

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_):
        self.up.set()
        for each in self.threads:
            each.join(30)
        assert not any(each.is_alive() for each in self.threads)

    @property
    def acknowledged(self):
        return len(self.secrets) + len(self.revoked)

    def _work(self):
        connection = Connection(self.issuer.port)
        while self.acknowledged < CHANGES:
            with self.lock:
                number = next(self.numbers)
            try:
                (self._register if number % 2 else self._revoke)(connection, number)
            except (OSError, AssertionError):
                # The connection broke: nothing was acknowledged.
                connection.close()
                if not self.up.wait(30):
                    return

    def _register(self, connection, number):
        name = "kill-%06d" % number
        answer = connection.call("POST", CLIENTS, token=self.token, json_body={"client_id": name})
        if answer.status == 201:
            with self.lock:
                self.secrets[name] = answer.json()["client_secret"]
        else:
            self.refused.append(answer)

    def _revoke(self, connection, _):
        line = basic(self.revoker, self.issuer.secrets[self.revoker])
        answer = connection.call("POST", "/oauth/token", line, form={"grant_type": "client_credentials"})
        if answer.status != 200:
            self.refused.append(answer)
            return
        token = answer.json()["access_token"]
        answer = connection.call("POST", "/oauth/revoke", line, form={"token": token})
        if answer.status == 200:
            with self.lock:
                self.revoked.append(token)
        else:
            self.refused.append(answer)

    def crash(self, point, *what):
        """Kills these (things with `kill` and `start`) at that point of the sequence, and starts them again in reverse."""
        wait_until(lambda: self.acknowledged >= point, 60, "change %d; there are %d" % (point, self.acknowledged))
        self.up.clear()
        for each in what:
            each.kill()
        self.between()
        for each in reversed(what):
            each.start()
        self.up.set()

    def between(self):
        """What is looked at while everything is dead."""


class FileChanges(Changes):
    """The file is looked at as the crash left it: a copy, because whoever opens it repairs it."""

    def between(self):
        folder = self.issuer.folder / "copy"
        folder.mkdir()
        for each in self.issuer.store.path.parent.glob("issuer.sqlite*"):
            shutil.copy(each, folder)
        SQLiteFile(folder).check()
        shutil.rmtree(folder)


def members(redis):
    return set(redis.do("ZRANGE", SET, 0, -1))


def verify(issuer, changes, redis):
    """Everything that was acknowledged is there, and what was not is either there or not."""
    listed = {each["client_id"] for each in pages(issuer, CLIENTS, 500)}
    assert set(changes.secrets) - listed == set(), "registrations were lost"
    for name in random.Random(1).sample(sorted(changes.secrets), 20):
        assert issuer.request_token(name, changes.secrets[name]).status == 200, name
        problem(issuer.admin("POST", CLIENTS, {"client_id": name}), 409, "already_exists")
    wanted = {('{"jti":"%s"}' % claims(each)["jti"]).encode() for each in changes.revoked}
    wait_until(lambda: wanted <= members(redis), 15, "the revocations to be in Redis")
    line = basic("admin", issuer.secrets["admin"])
    with Connection(issuer.port) as connection:
        for token in changes.revoked:
            answer = connection.call("POST", "/oauth/introspect", line, form={"token": token})
            assert answer.json() == {"active": False}, "a revocation was lost"
    issuer.stop()
    issuer.store.check()


def prepared(issuer):
    """A client whose tokens may be had by the hundred."""
    return issuer.add_client(rate_limit_per_minute=1000000, rate_limit_per_hour=100000000)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_sqlite(tmp_path, start_issuer, redis_server):
    redis = redis_server()
    issuer = start_issuer(SQLiteFile(tmp_path), redis=redis)
    issuer.await_redis()
    with FileChanges(issuer, prepared(issuer)) as changes:
        for point in POINTS[:-1]:
            changes.crash(point, issuer)
        # Once more, when Redis has been away for a while and comes back empty behind the issuer.
        redis.kill()
        changes.crash(POINTS[-1], issuer)
        redis.start()
    assert changes.acknowledged >= CHANGES
    assert not changes.refused, changes.refused[:3]
    verify(issuer, changes, redis)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_postgresql(start_issuer, redis_server):
    redis = redis_server()
    with PostgresServer(durable=True) as server:
        issuer = start_issuer(PostgresDatabase(server), redis=redis)
        issuer.await_redis()
        with Changes(issuer, prepared(issuer)) as changes:
            for point in POINTS[:3]:
                changes.crash(point, issuer)
            # The server alone: the issuer lives through it, and refuses what it cannot keep.
            changes.crash(POINTS[3], server)
            changes.crash(POINTS[4], issuer, server)
            assert server.log.read_text("utf-8", "replace").count("was not properly shut down") == 2, "PostgreSQL was not killed"
            assert server.query("postgres", "SHOW fsync") == ["on"]
            redis.kill()
            changes.crash(POINTS[5], issuer)
            redis.start()
        assert changes.acknowledged >= CHANGES
        assert all(500 <= each.status < 600 for each in changes.refused), changes.refused[:3]
        verify(issuer, changes, redis)
