"""Redis as it is run: with a password, users, databases and TLS, under a sentinel, and as a cluster."""
import json

import pytest

from harness import config as configs
from harness.certificates import Authority
from harness.load import Load
from harness.net import free_port, wait_until
from harness.process import environment
from harness.redis import ClusterSetup, SentinelSetup
from harness.resp import RedisError, revoke
from harness.table import table
from harness.tiers import ask, await_event, await_redis, await_sharing, digest, entry_key, opaque


def setup(upstream, server, url, **changes):
    issuers = {"asked": configs.introspection(server, revocation="redis")}
    return configs.config(upstream, issuers=issuers, redis=configs.redis(url, **changes))


@pytest.fixture
def pair(start, upstream, issuer):
    """Starts two posterns with the same Redis."""

    def starter(url, env=None, **changes):
        made = [start(setup(upstream, issuer, url, **changes), env=env) for _ in range(2)]
        for each in made:
            await_redis(each)
        return made

    return starter


def revokes(proxies, issuer, publish):
    """Publishes the revocation of a token that is in use, and waits until it holds everywhere."""
    token = issuer.add(opaque("revoked"))
    assert [proxy.call("GET", "/auth", token=token).status for proxy in proxies] == [200] * len(proxies)
    publish({"token": digest(token)})
    for proxy in proxies:
        wait_until(lambda proxy=proxy: proxy.call("GET", "/auth", token=token).status == 401, 3, "the revocation")


# AUTH, SELECT

ACCESS = table(
    ("a password", {"password": "secret-pass-1"}, "redis://:secret-pass-1@127.0.0.1:%d"),
    ("a password of odd characters", {"password": "p@ss/wo:rd"}, "redis://:p%%40ss%%2Fwo%%3Ard@127.0.0.1:%d"),
    ("a user", {"user": ["postern on >secret-pass-2 ~postern:* &postern:* +@all"]}, "redis://postern:secret-pass-2@127.0.0.1:%d"),
    ("a user by host name", {"user": ["postern on >secret-pass-3 ~* &* +@all"]}, "redis://postern:secret-pass-3@localhost:%d"),
)


@pytest.mark.parametrize("options, url", ACCESS)
def test_auth(pair, issuer, redis_server, options, url):
    server = redis_server(**options)
    proxies = pair(url % server.port)
    await_sharing(*proxies, issuer)
    with server.connect() as client:
        revokes(proxies, issuer, lambda member: revoke(client, member))
    for proxy in proxies:
        said = proxy.output() + proxy.get_admin("/policy").body.decode()
        assert "secret-pass" not in said and "p@ss" not in said and "p%40ss" not in said


def test_a_password_from_the_environment(pair, issuer, redis_server):
    server = redis_server(password="from-the-environment")
    proxies = pair("redis://:${REDIS_PASSWORD}@127.0.0.1:%d/0" % server.port,
                   env=environment(REDIS_PASSWORD="from-the-environment"))
    await_sharing(*proxies, issuer)


# (sentence, URL, the password that would make it right, or None)
WRONG = table(
    ("a wrong password", "redis://:wrong-secret@127.0.0.1:%d", "wrong-secret"),
    ("no password", "redis://127.0.0.1:%d", ""),
    ("an unknown user", "redis://nobody:right-secret@127.0.0.1:%d", None),
)


@pytest.mark.parametrize("url, password", WRONG)
def test_refused_credentials_are_said_and_fail_no_request(start, upstream, issuer, redis_server, url, password):
    server = redis_server(password="right-secret")
    proxy = start(setup(upstream, issuer, url % server.port))
    token = issuer.add(opaque())
    assert [ask(proxy, token), ask(proxy, token)] == [(200, "issuer"), (200, "l1")]
    assert proxy.metrics().value("postern_redis_up") == 0
    await_event(proxy, "redis")
    assert "wrong-secret" not in proxy.output() and "right-secret" not in proxy.output()
    if password is not None:
        server.do("CONFIG", "SET", "requirepass", password)
        server.password = password or None
        await_redis(proxy)


def test_a_database_is_selected(pair, issuer, redis_server):
    server = redis_server()
    proxies = pair("redis://127.0.0.1:%d/3" % server.port)
    await_sharing(*proxies, issuer)
    with server.connect() as zero, server.connect(database=3) as three:
        assert zero.do("DBSIZE") == 0 and three.do("DBSIZE") > 0
        revokes(proxies, issuer, lambda member: revoke(three, member))
    server.restart()
    for each in proxies:
        await_redis(each)
    await_sharing(*proxies, issuer)
    assert server.do("DBSIZE") == 0


# TLS

def test_tls(pair, issuer, redis_server, tmp_path):
    authority = Authority(tmp_path)
    server = redis_server(authority=authority, password="behind-tls")
    for host in ("127.0.0.1", "localhost"):
        proxies = pair("rediss://:behind-tls@%s:%d" % (host, server.port), ca=str(authority.ca))
        await_sharing(*proxies, issuer)
        with server.connect() as client:
            revokes(proxies, issuer, lambda member, client=client: revoke(client, member))


UNTRUSTED = table(
    ("an authority that is not trusted", lambda folder: (Authority(folder, "stranger"), Authority(folder), "127.0.0.1")),
    ("another name", lambda folder: (None, Authority(folder), "127.0.0.2")),
)


@pytest.mark.parametrize("make", UNTRUSTED)
def test_a_redis_that_cannot_prove_itself_gets_nothing(start, upstream, issuer, redis_server, tmp_path, make):
    trusted, authority, host = make(tmp_path)
    server = redis_server(authority=authority, password="never-sent", bind="127.0.0.1 127.0.0.2")
    proxy = start(setup(upstream, issuer, "rediss://:never-sent@%s:%d" % (host, server.port), ca=str((trusted or authority).ca)))
    await_event(proxy, "redis")
    assert ask(proxy, issuer.add(opaque())) == (200, "issuer")
    assert proxy.metrics().value("postern_redis_up") == 0
    assert server.do("DBSIZE") == 0


def test_tls_asked_of_a_plain_redis_is_no_connection(start, upstream, issuer, redis_server, tmp_path):
    server = redis_server()
    proxy = start(setup(upstream, issuer, "rediss://127.0.0.1:%d" % server.port, ca=str(Authority(tmp_path).ca)))
    await_event(proxy, "redis")
    assert ask(proxy, issuer.add(opaque())) == (200, "issuer")
    assert server.do("DBSIZE") == 0


# Sentinel

@pytest.fixture(scope="module")
def sentinel(tmp_path_factory):
    with SentinelSetup(tmp_path_factory.mktemp("sentinel")) as made:
        yield made


def test_the_second_sentinel_is_asked_when_the_first_is_away(pair, issuer, sentinel):
    proxies = pair("redis+sentinel://127.0.0.1:%d,127.0.0.1:%d/main/2" % (free_port(), sentinel.sentinel.port))
    await_sharing(*proxies, issuer)
    with sentinel.master.connect(database=2) as client:
        assert client.do("DBSIZE") > 0


def test_a_sentinel_promotes_and_postern_follows(pair, issuer, sentinel):
    proxies = pair(sentinel.url)
    await_sharing(*proxies, issuer)
    assert sentinel.master.do("DBSIZE") > 0
    with sentinel.master.connect() as client:
        revokes(proxies, issuer, lambda member: revoke(client, member))
        wait_until(lambda: sentinel.replica.do("ZCARD", "postern:revocations") == 1, 5, "the replica to have it")
    with Load([each.port for each in proxies], lambda number: issuer.add(opaque())) as load:
        wait_until(lambda: load.answered > 50, 10)
        sentinel.master.kill()
        sentinel.await_promotion()
        for each in proxies:
            await_redis(each, timeout=15)
        load.only(200)
    await_sharing(*proxies, issuer)
    with sentinel.replica.connect() as client:
        revokes(proxies, issuer, lambda member: revoke(client, member))
    # The old master comes back as a replica; nobody writes to it by mistake.
    sentinel.master.start()
    wait_until(lambda: sentinel.master.do("ROLE")[0] == b"slave", 15, "the old master to follow")
    await_sharing(*proxies, issuer)


# Cluster

@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with ClusterSetup(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def token_of(cluster, server, issuer):
    """An active token whose entry belongs to `server`."""
    while True:
        token = issuer.add(opaque())
        if cluster.owner(entry_key(token)) is server:
            return token


def test_a_cluster_is_used_whole(pair, issuer, cluster):
    proxies = pair(cluster.url)
    for server in cluster.servers:
        token = token_of(cluster, server, issuer)
        assert ask(proxies[0], token) == (200, "issuer")
        wait_until(lambda server=server, token=token: server.do("EXISTS", entry_key(token)), 3, "the entry at its node")
        assert ask(proxies[1], token) == (200, "redis")
    for server in cluster.servers:
        revokes(proxies, issuer, lambda member, server=server: publish(cluster, server, member))


def publish(cluster, server, member):
    """The set is kept by the owner of its slot; a message may be published at any node."""
    with cluster.owner("postern:revocations").connect() as client:
        revoke(client, member, publish=False)
    server.do("PUBLISH", "postern:revocations", json.dumps(member))


def test_one_seed_is_enough(pair, issuer, cluster):
    proxies = pair("redis+cluster://127.0.0.1:%d" % cluster.servers[2].port)
    token = token_of(cluster, cluster.servers[0], issuer)
    assert ask(proxies[0], token) == (200, "issuer")
    wait_until(lambda: cluster.servers[0].do("EXISTS", entry_key(token)), 3)
    assert ask(proxies[1], token) == (200, "redis")


def test_a_slot_that_moves_is_followed(pair, issuer, cluster):
    source, target = cluster.servers[0], cluster.servers[1]
    proxies = pair(cluster.url)
    token = token_of(cluster, source, issuer)
    key = entry_key(token)
    slot = cluster.slot(key)
    assert ask(proxies[0], issuer.add(opaque()))[0] == 200
    target.do("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.identity(source))
    source.do("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.identity(target))
    try:
        # ASK: the source does not have the key and says where it would be.
        assert ask(proxies[0], token) == (200, "issuer")
        assert wait_until(lambda: exists(target, key, asking=True), 3, "the entry at the importing node")
        assert ask(proxies[1], token) == (200, "redis")
        # MOVED: from now on the slot is the other node's.
        for server in (target, source, cluster.servers[2]):
            server.do("CLUSTER", "SETSLOT", slot, "NODE", cluster.identity(target))
        other = token_in(slot, cluster, issuer)
        for each in proxies:
            assert each.call("GET", "/auth", token=other).status == 200
        wait_until(lambda: exists(target, entry_key(other)), 3, "the entry at its new node")
    finally:
        for server in (source, target, cluster.servers[2]):
            with server.connect() as client:
                try:
                    client.do("FLUSHALL")
                    client.do("CLUSTER", "SETSLOT", slot, "NODE", cluster.identity(source))
                except RedisError:
                    pass


def exists(server, key, asking=False):
    with server.connect() as client:
        return client.pipeline(([("ASKING",)] if asking else []) + [("EXISTS", key)])[-1]


def token_in(slot, cluster, issuer):
    """An active token whose entry is in this very slot."""
    with cluster.servers[0].connect() as client:
        while True:
            tokens = [opaque() for _ in range(2000)]
            slots = client.pipeline([("CLUSTER", "KEYSLOT", entry_key(token)) for token in tokens])
            if slot in slots:
                return issuer.add(tokens[slots.index(slot)])


def test_a_node_that_is_away_costs_its_share_only(pair, issuer, cluster):
    proxies = pair(cluster.url)
    away, there = cluster.servers[1], cluster.servers[2]
    with Load([each.port for each in proxies], lambda number: issuer.add(opaque())) as load:
        wait_until(lambda: load.answered > 50, 10)
        away.kill()
        try:
            wait_until(lambda: load.answered > 300, 20)
            load.only(200)
            token = token_of(cluster, there, issuer)
            assert ask(proxies[0], token) == (200, "issuer")
            wait_until(lambda: there.do("EXISTS", entry_key(token)), 3)
            assert ask(proxies[1], token) == (200, "redis")
        finally:
            away.start()
        wait_until(lambda: b"cluster_state:ok" in away.do("CLUSTER", "INFO"), 15, "the node's return")
        load.only(200)

    def used():
        fresh = token_of(cluster, away, issuer)
        ask(proxies[0], fresh)
        return ask(proxies[1], fresh) == (200, "redis")

    wait_until(used, 10, "the node to be used again")
