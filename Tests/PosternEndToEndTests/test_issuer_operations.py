"""postern-issuer in operation: probes, metrics, the audit log's file, and a stop that loses nothing."""
import json
import signal
import threading

import pytest

from harness.issuer import Connection, basic, claims, request
from harness.metrics import Metrics
from harness.net import free_port, wait_until
from harness.process import Child, environment, run
from harness.raw import RawClient
from harness.stores import SQLiteFile

SET = "postern:revocations"


@pytest.fixture
def issuer(start_issuer, tmp_path):
    return start_issuer(SQLiteFile(tmp_path))


def metrics(issuer):
    answer = issuer.get_admin("/metrics")
    assert answer.status == 200 and answer.header("content-type").startswith("text/plain"), answer
    return Metrics(answer.body.decode())


def test_probes(issuer):
    for path in ("/livez", "/readyz"):
        assert issuer.get_admin(path).status == 200
    assert issuer.get_admin("/nothing").status == 404
    answer = issuer.call("GET", "/health")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    # The public listener has none of it, and the admin listener nothing else.
    for path in ("/metrics", "/livez", "/readyz"):
        assert issuer.call("GET", path).status == 404
    with Connection(issuer.admin_port) as connection:
        assert connection.call("POST", "/oauth/token", form={"grant_type": "client_credentials"}).status in (404, 405)


def test_without_an_admin_listener_there_is_none(tmp_path, start_issuer):
    issuer = start_issuer(SQLiteFile(tmp_path), start=False)
    child = Child(issuer.folder, "postern-issuer", ["run", "--listen", "127.0.0.1:%d" % issuer.port, "--issuer", issuer.url,
                                                    "--audience", "a", *issuer.keeping])
    try:
        wait_until(lambda: "listening on" in child.output(), 10, "the issuer to listen")
        with pytest.raises(OSError):
            RawClient(issuer.admin_port)
    finally:
        child.stop()


def changed(before, after):
    """{(name, labels): growth} of the series that grew."""
    def series(found):
        return {(name, tuple(sorted(labels.items()))): value for name, labels, value in found.samples}

    old, new = series(before), series(after)
    return {key: value - old.get(key, 0) for key, value in new.items() if value > old.get(key, 0)}


def counted(issuer, work, *words):
    """Fails unless a counter whose name and labels hold all these words grew by exactly one, that is by `work`."""
    before = metrics(issuer)
    work()
    grown = changed(before, metrics(issuer))
    found = [key for key, growth in grown.items() if growth == 1 and all(word in str(key) for word in words)]
    assert found, "nothing about %s grew by one: %s" % (words, sorted(map(str, grown)))
    return found


def test_metrics_count_what_is_given_and_refused(issuer):
    issuer.admin_token()
    name = issuer.add_client()
    counted(issuer, lambda: issuer.token(name), "token")
    counted(issuer, lambda: issuer.request_token(name, "wrong"), "invalid_client")
    key = issuer.add_service_key()["api_key"]
    user = issuer.add_user()
    counted(issuer, lambda: issuer.login(user), "login")
    token = issuer.session(user)["access_token"]
    counted(issuer, lambda: issuer.hecate(key, token), "introspect")
    counted(issuer, lambda: issuer.revoke(issuer.token(name), name), "revo")


def test_metrics_name_nobody(issuer):
    """Labels come from closed sets: no path that was asked for, no client, no user, no token."""
    name, user = issuer.add_client("a-very-special-client"), issuer.add_user("a-very-special-user")
    token, _ = issuer.token(name), issuer.session(user)
    for path in ("/a-very-special-path", "/api/v1/admin/users/" + user["user_id"], "/auth/service-keys/a-very-special-key"):
        issuer.call("GET", path, token=issuer.admin_token())
        issuer.call("DELETE", path, token=token)
    found = metrics(issuer)
    assert "very-special" not in found.text and user["user_id"] not in found.text and token not in found.text
    assert all(each.startswith(("postern_issuer_", "process_")) for each in found.names()), found.names()
    for each, kind in found.types.items():
        if kind == "histogram":
            found.check_histogram(each)
        if kind == "counter":
            assert each.endswith("_total"), each


def test_readiness_needs_the_store_only(start_issuer, tmp_path, redis_server):
    """Redis away: tokens are given and revocations kept, so the issuer is ready, and the metrics say what is missing."""
    redis = redis_server()
    issuer = start_issuer(SQLiteFile(tmp_path), redis=redis)
    issuer.await_redis()
    name = issuer.add_client()
    before = metrics(issuer)
    redis.kill()
    token = issuer.token(name)
    issuer.revoke(token, name)
    assert issuer.get_admin("/readyz").status == 200
    wait_until(lambda: [key for key, growth in changed(before, metrics(issuer)).items() if "unpublished" in str(key)
                        or "waiting" in str(key) or "pending" in str(key)]
               or any("redis" in each and value == 0 for each, _, value in metrics(issuer).samples), 5,
               "the metrics to say that Redis is away")
    redis.start()
    wait_until(lambda: redis.do("ZCARD", SET) == 1, 10, "the revocation to be published")


def test_the_audit_log_is_a_file_that_may_be_moved_away(start_issuer, tmp_path):
    """As logrotate does it: the file is renamed, SIGHUP makes a new one."""
    log, old = tmp_path / "audit.log", tmp_path / "audit.log.1"
    issuer = start_issuer(SQLiteFile(tmp_path), "--audit-log", str(log))
    first = issuer.add_client()
    wait_until(lambda: first in log.read_text(), 5, "the first line")
    assert "client.create" not in issuer.said(), "it is on standard output as well"
    log.rename(old)
    issuer.child.signal(signal.SIGHUP)
    wait_until(log.exists, 5, "the new file")
    second = issuer.add_client()
    wait_until(lambda: second in log.read_text(), 5, "the second line")
    lines = [json.loads(line) for line in old.read_text().splitlines() + log.read_text().splitlines()]
    for line in lines:
        assert {"time", "action", "allowed"} <= set(line) <= {
            "time", "action", "allowed", "actor", "target", "reason", "address", "request_id"}
    assert [each["target"] for each in lines if each["action"] == "client.create"][-2:] == [
        "client:" + first, "client:" + second]
    assert second not in old.read_text()


class Requests(threading.Thread):
    """Goes on asking over one connection after the other until nobody listens; every answer is kept."""

    def __init__(self, port, make):
        super().__init__()
        self.port, self.make = port, make
        self.statuses, self.lost, self.stopping = [], [], threading.Event()

    def run(self):
        while True:
            try:
                client = RawClient(self.port, 10)
            except OSError:
                return
            with client:
                client.send(self.make())
                try:
                    self.statuses.append(client.response("POST").status)
                except (OSError, AssertionError) as error:
                    # The kernel took the connection, the issuer never did: that is no request that it was given.
                    if not (self.stopping.is_set() and client.buffer == b"" and (client.reset or client.eof)):
                        self.lost.append(error)
                    return


def half(data):
    """(head and half of the body, the rest) of a request."""
    at = data.index(b"\r\n\r\n") + 4
    at += (len(data) - at) // 2
    return data[:at], data[at:]


def test_a_stop_loses_no_request(start_issuer, tmp_path, redis_server):
    """Requests that are on their way are answered, and what they changed is in Redis when the process has ended."""
    redis = redis_server()
    issuer = start_issuer(SQLiteFile(tmp_path), redis=redis)
    issuer.await_redis()
    name = issuer.add_client(rate_limit_per_minute=1000000, rate_limit_per_hour=1000000)
    line = basic(name, issuer.secrets[name])
    tokens = [issuer.token(name) for _ in range(8)]
    threads = [Requests(issuer.port, lambda: request("POST", "/oauth/token", line, form={"grant_type": "client_credentials"}))
               for _ in range(4)]
    for each in threads:
        each.start()
    # Revocations that have been begun, and whose other half comes after the signal.
    begun = []
    for token in tokens:
        first, rest = half(request("POST", "/oauth/revoke", line, form={"token": token}))
        begun.append((RawClient(issuer.port, 10).send(first), rest))
    wait_until(lambda: all(len(each.statuses) >= 5 for each in threads), 10, "the load")
    for each in threads:
        each.stopping.set()
    issuer.child.signal(signal.SIGTERM)
    wait_until(lambda: not [each for each in threads if each.is_alive()], 10, "the listener to be closed")
    for client, rest in begun:
        with client:
            client.send(rest)
            assert client.response("POST").status == 200
            assert client.closed(5), "the connection goes on"
    assert issuer.child.wait(10) == 0
    assert not [each.lost for each in threads if each.lost]
    assert {status for each in threads for status in each.statuses} == {200}
    wanted = {('{"jti":"%s"}' % claims(each)["jti"]).encode() for each in tokens}
    assert set(redis.do("ZRANGE", SET, 0, -1)) == wanted, "the last revocations were not published"
    audit = [each["action"] for each in issuer.audit()]
    assert audit.count("token.revoke") == len(tokens)
    assert audit.count("token.issue") == len(tokens) + 1 + sum(len(each.statuses) for each in threads)


def test_a_request_that_never_ends_does_not_hold_up_the_stop(issuer):
    """Whoever opened a request and says no more: the stop waits for him, but not for ever."""
    with RawClient(issuer.port, 30) as client:
        first, _ = half(request("POST", "/oauth/token", form={"grant_type": "client_credentials"}))
        client.send(first)
        assert issuer.call("GET", "/health").status == 200
        issuer.child.signal(signal.SIGTERM)
        assert issuer.child.wait(20) == 0


def test_a_second_one_on_the_same_port_says_so(issuer):
    done = Child(issuer.folder, "postern-issuer", ["run", "--listen", "127.0.0.1:%d" % issuer.port, "--issuer", issuer.url,
                                                   "--audience", "a", *issuer.keeping], environment())
    assert done.wait(10) not in (0, 78)
    assert "another process already listens there" in done.output()
    done.stop()


WRONG = [
    ["--admin-listen", "nowhere"], ["--key-age", "soon"], ["--audit-retention", "-1d"], ["--trusted-proxies", "10.0.0.0/33"],
    ["--store", "mysql://x"], ["--algorithm", "HS256"], ["--redis", "http://x"],
]


@pytest.mark.parametrize("words", WRONG, ids=lambda words: words[0][2:])
def test_options_that_are_no_good_are_named(tmp_path, words):
    options = {"--listen": "127.0.0.1:%d" % free_port(), "--issuer": "http://i.test", "--audience": "a",
               "--store": "sqlite:%s" % (tmp_path / "x.sqlite")}
    options.update({words[0]: words[1]})
    done = run("postern-issuer", "run", *["%s=%s" % each for each in options.items()])
    assert done.returncode == 78 and words[0] in done.stderr, done.stderr
    assert not list(tmp_path.iterdir()), "a store was made"
