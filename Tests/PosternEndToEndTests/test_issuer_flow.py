"""The whole reference deployment with its true counterpart: postern-issuer set up for real use, over both stores, both
reference clients registered by its API, Postern in front of the trading demo, and Redis between them."""
import re

import pytest
import yaml

from harness.answers import problem
from harness.net import free_port, wait_until
from harness.problems import check_problem
from harness.process import ROOT, Child, until_healthy
from harness.tiers import await_redis

LOOPBACK = "127.0.0.0/8"
CLIENTS = [
    {"client_id": "mt5-api-service", "name": "MT5 API", "client_type": "confidential", "is_trusted": True,
     "access_token_lifetime": 3600, "rate_limit_per_minute": 300, "rate_limit_per_hour": 10000,
     "allowed_ips": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16," + LOOPBACK,
     "scope_ids": ["trade:open", "trade:close", "trade:modify", "account:read", "account:balance", "market:data", "service:mt5"]},
    {"client_id": "trading-dashboard", "name": "Trading dashboard", "client_type": "confidential", "is_trusted": False,
     "access_token_lifetime": 1800, "rate_limit_per_minute": 120, "rate_limit_per_hour": 5000,
     "scope_ids": ["read:profile", "write:profile", "trade:read", "trade:open", "account:read", "market:data"]},
]
REDIS = {"timeout": "200ms", "seal": "0123456789abcdef0123456789abcdef"}
TRADES, BALANCE, MARKET = "/api/v1/trades", "/api/v1/account/balance", "/api/v1/market/EURUSD"
# How long Postern keeps an introspection, in seconds.
KEPT = 2


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The trading demo; its port."""
    port = free_port()
    child = Child(tmp_path_factory.mktemp("service"), "trading-demo", ["mt5", "--port", port])
    until_healthy(port, child)
    yield port
    child.stop()


@pytest.fixture
def issuer(start_issuer, issuer_store, redis):
    made = start_issuer(issuer_store, redis=redis)
    made.await_redis()
    return made


def documented(issuer, service, redis, **issuers):
    """The repository's proxy.yaml with ports that are free here, revocations from Redis, and these issuers instead."""
    text = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", (ROOT / "proxy.yaml").read_text())
    config = yaml.safe_load(text.replace("http://127.0.0.1:8000", issuer.url).replace(":8001", ":%d" % service))
    config.update(listen="127.0.0.1:%d" % free_port(), admin="127.0.0.1:%d" % free_port(), redis=dict(REDIS, url=redis.url))
    config["issuers"] = issuers or config["issuers"]
    for each in config["issuers"].values():
        each["revocation"] = "redis"
    return config


def refused(proxy, code, method, path, token):
    return check_problem(proxy.call(method, path, token=token), code, realm="mt5-api")


def test_service_clients_by_signature(issuer, service, redis, start):
    for fields in CLIENTS:
        answer = issuer.admin("POST", "/api/v1/admin/service-clients", fields, 201).json()
        issuer.secrets[fields["client_id"]] = answer["client_secret"]
    proxy = start(documented(issuer, service, redis))
    await_redis(proxy)

    machine = issuer.token("mt5-api-service")
    person = issuer.request_token("trading-dashboard", path="/api/v1/auth/service-token").json()["access_token"]
    for method, path, token in (("GET", BALANCE, machine), ("GET", MARKET, machine), ("GET", TRADES, person)):
        assert proxy.call(method, path, token=token).status == 200, (method, path)
    refused(proxy, "insufficient_scope", "GET", TRADES, machine)
    refused(proxy, "insufficient_scope", "GET", BALANCE, person)
    refused(proxy, "insufficient_scope", "GET", "/api/v1/admin/stats", machine)
    caller = str(proxy.call("GET", TRADES, token=person).json()["caller"])
    assert "trading-dashboard" in caller and "trade:read" in caller

    # A token is revoked, and no other.
    other = issuer.token("trading-dashboard")
    assert proxy.call("GET", TRADES, token=other).status == 200
    issuer.revoke(person, "trading-dashboard")
    wait_until(lambda: proxy.call("GET", TRADES, token=person).status == 401, 2, "the revocation to arrive")
    refused(proxy, "invalid_token", "GET", TRADES, person)
    assert proxy.call("GET", TRADES, token=other).status == 200

    # A client is switched off: its tokens are over, and come not back with it.
    issuer.change_client("trading-dashboard", is_active=False)
    wait_until(lambda: proxy.call("GET", TRADES, token=other).status == 401, 2, "the revocation to arrive")
    assert issuer.request_token("trading-dashboard").status == 401
    issuer.change_client("trading-dashboard", is_active=True)
    refused(proxy, "invalid_token", "GET", TRADES, other)
    assert proxy.call("GET", TRADES, token=issuer.token("trading-dashboard")).status == 200
    # A client is removed, and the other one goes on through it all.
    issuer.admin("DELETE", "/api/v1/admin/service-clients/trading-dashboard", status=204)
    assert proxy.call("GET", BALANCE, token=machine).status == 200


def introspecting(issuer, key):
    """Postern's issuer of the other kind: asked about each token."""
    return {
        "introspection": {"url": issuer.url + "/auth/introspect", "dialect": "hecate", "credentials": {"bearer": key},
                          "timeout": "2s", "cache": "%ds" % KEPT, "negative_cache": "1s"},
        "claims": {"scopes": "permissions", "user": "user_id", "name": "username", "roles": "roles"},
        "admin": "is_admin",
    }


def test_users_by_introspection(issuer, service, redis, start):
    key = issuer.add_service_key("mt5-api")
    user = issuer.add_user("ada", permissions=["trade:read", "account:read"], roles=["trader"])
    proxy = start(documented(issuer, service, redis, hecate=introspecting(issuer, key["api_key"])))
    await_redis(proxy)

    session = issuer.session(user)
    token = session["access_token"]
    answer = proxy.call("GET", TRADES, token=token)
    assert answer.status == 200 and user["user_id"] in str(answer.json()["caller"]), answer
    refused(proxy, "insufficient_scope", "GET", BALANCE, token)

    # A permission is given and another is taken: what is kept serves its time, and no longer.
    issuer.change_user(user, permissions=["account:balance"])
    wait_until(lambda: proxy.call("GET", BALANCE, token=token).status == 200, KEPT + 3, "the permission to take effect")
    refused(proxy, "insufficient_scope", "GET", TRADES, token)
    # An administrator passes every check.
    issuer.change_user(user, is_admin=True)
    wait_until(lambda: proxy.call("GET", TRADES, token=token).status == 200, KEPT + 3, "the flag to take effect")

    # Logging out everywhere counts at once, whatever is kept.
    second = issuer.session(user)["access_token"]
    assert [proxy.call("GET", TRADES, token=each).status for each in (token, second)] == [200, 200]
    assert issuer.call("POST", "/auth/logout-all", token=second).status == 204
    for each in (token, second):
        wait_until(lambda: proxy.call("GET", TRADES, token=each).status == 401, 1, "the log-out to arrive")
        refused(proxy, "invalid_token", "GET", TRADES, each)
    problem(issuer.call("POST", "/auth/refresh", json_body={"refresh_token": session["refresh_token"]}), 401, "invalid_grant")
    # He comes back.
    assert proxy.call("GET", TRADES, token=issuer.session(user)["access_token"]).status == 200

    # Without its key Postern can ask nobody, and says so.
    fresh = issuer.session(user)["access_token"]
    issuer.admin("DELETE", "/auth/service-keys/mt5-api", status=204)
    refused(proxy, "issuer_unavailable", "GET", TRADES, fresh)


def test_the_standard_introspection(issuer, service, redis, start):
    """RFC 7662 for clients' and users' tokens, with a client's credentials; a revocation is by the token's name."""
    client = issuer.add_client(scope_ids=["trade:read", "account:read"])
    proxy = start(documented(issuer, service, redis, standard={
        "issuer": issuer.url, "audiences": ["mt5-api"],
        "introspection": {"url": issuer.url + "/oauth/introspect", "timeout": "2s", "cache": "30s",
                          "credentials": {"basic": {"id": client, "secret": issuer.secrets[client]}}}}))
    await_redis(proxy)
    user = issuer.add_user(permissions=["trade:read", "account:read"])
    session = issuer.session(user, client_id=client, client_secret=issuer.secrets[client])
    tokens = [issuer.token(client), session["access_token"]]
    assert [proxy.call("GET", TRADES, token=each).status for each in tokens] == [200, 200]
    for each in tokens:
        issuer.revoke(each, client)
        wait_until(lambda: proxy.call("GET", TRADES, token=each).status == 401, 1, "the revocation to arrive")
    # Stolen refresh tokens: the second use ends the family, at every Postern.
    session = issuer.session(user)
    assert proxy.call("GET", TRADES, token=session["access_token"]).status == 200
    body = {"refresh_token": session["refresh_token"]}
    thief = issuer.call("POST", "/auth/refresh", json_body=body).json()["access_token"]
    assert proxy.call("GET", TRADES, token=thief).status == 200
    problem(issuer.call("POST", "/auth/refresh", json_body=body), 401, "invalid_grant")
    for each in (session["access_token"], thief):
        wait_until(lambda: proxy.call("GET", TRADES, token=each).status == 401, 1, "the end of the family to arrive")
    assert proxy.call("GET", TRADES, token=issuer.session(user)["access_token"]).status == 200
