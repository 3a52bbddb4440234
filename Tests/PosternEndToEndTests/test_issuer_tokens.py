"""The token endpoints: every way to authenticate, scopes, addresses, rates, replay, and two processes on one store."""
import time

import pytest

from harness import mint
from harness.answers import oauth_error, problem
from harness.issuer import AUDIENCE, assertion, basic, by_assertion, claims, jose, request
from harness.net import wait_until
from harness.postgres import PostgresServer
from harness.process import Child
from harness.raw import RawClient
from harness.stores import PostgresDatabase, SQLiteFile
from harness.table import table

TOKEN, SERVICE = "/oauth/token", "/api/v1/auth/service-token"
GRANT = {"grant_type": "client_credentials"}
PROXIES = ("--trusted-proxies", "127.0.0.2/32,10.1.0.0/16,::1/128")
ISSUER_ARGUMENTS = PROXIES


@pytest.fixture(scope="module")
def client(server):
    return server.add_client(scope_ids=["trade:read", "account:read"], rate_limit_per_minute=100000)


def test_both_endpoints_give_the_same_kind_of_token(server, client):
    for path in (TOKEN, SERVICE):
        answer = server.request_token(client, path=path)
        assert answer.status == 200 and answer.header("cache-control") == "no-store", answer
        found = answer.json()
        assert set(found) == {"access_token", "token_type", "expires_in", "scope"}
        assert (found["token_type"], found["expires_in"], found["scope"]) == ("Bearer", 3600, "trade:read account:read")
        header, payload = jose(found["access_token"]), claims(found["access_token"])
        assert set(header) == {"alg", "typ", "kid"} and header["typ"] == "at+jwt"
        assert header["kid"] in [each["kid"] for each in server.keys()]
        assert set(payload) == {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "scopes", "is_trusted"}
        assert (payload["iss"], payload["sub"], payload["aud"], payload["client_id"]) == (server.url, client, AUDIENCE, client)
        assert payload["scopes"] == payload["scope"].split() == found["scope"].split()
        assert payload["exp"] - payload["iat"] == 3600 and abs(payload["iat"] - time.time()) < 30


def test_every_way_to_authenticate(server, client):
    secret = server.secrets[client]
    named = {"client_id": client, "client_secret": secret}
    for answer in (
        server.call("POST", TOKEN, basic(client, secret), form=GRANT),
        server.call("POST", TOKEN, form=dict(GRANT, **named)),
        server.call("POST", SERVICE, form=named),
        server.call("POST", SERVICE, json_body=named),
    ):
        assert answer.status == 200, answer


SCOPES = table(
    ("none asked for", None, "trade:read account:read"),
    ("an empty one", "", "trade:read account:read"),
    ("one of them", "account:read", "account:read"),
    ("both, the other way round", "account:read trade:read", None),
)


@pytest.mark.parametrize("asked, given", SCOPES)
def test_scopes(server, client, asked, given):
    fields = {} if asked is None else {"scope": asked}
    for path in (TOKEN, SERVICE):
        found = server.request_token(client, path=path, **fields).json()["scope"]
        assert found == given or (given is None and sorted(found.split()) == ["account:read", "trade:read"])


REFUSED = table(
    ("a wrong secret", {"client_secret": "wrong"}, 401, "invalid_client"),
    ("an unknown client", {"client_id": "nobody"}, 401, "invalid_client"),
    ("a scope that it does not have", {"scope": "trade:read trade:open"}, 400, "invalid_scope"),
    ("a scope that is none", {"scope": "trade\"read"}, 400, "invalid_scope"),
)


@pytest.mark.parametrize("changes, status, error", REFUSED)
def test_refusals(server, client, changes, status, error):
    fields = dict(GRANT, client_id=client, client_secret=server.secrets[client])
    fields.update(changes)
    fields = {name: value for name, value in fields.items() if value is not None}
    oauth_error(server.call("POST", TOKEN, form=fields), status, error)
    fields.pop("grant_type")
    oauth_error(server.call("POST", SERVICE, form=fields), status, error)
    oauth_error(server.call("POST", SERVICE, json_body=fields), status, error)


def test_without_credentials(server, client):
    """RFC 6749 section 5.2: at the token endpoint no client authentication was included; where the secret is a parameter like
    any other, a parameter is missing."""
    for fields in ({}, {"client_id": client}, {"client_id": client, "client_secret": ""}):
        oauth_error(server.call("POST", TOKEN, form=dict(GRANT, **fields)), 401, "invalid_client")
        oauth_error(server.call("POST", SERVICE, form=fields), 400, "invalid_request")
        oauth_error(server.call("POST", SERVICE, json_body=fields), 400, "invalid_request")


def test_grants_that_are_not_served(server, client):
    lines = basic(client, server.secrets[client])
    for grant in ("password", "authorization_code", "refresh_token", "x"):
        oauth_error(server.call("POST", TOKEN, lines, form={"grant_type": grant}), 400, "unsupported_grant_type")
    oauth_error(server.call("POST", TOKEN, lines, form={}), 400, "invalid_request")


def test_two_ways_to_authenticate_are_too_many(server, client):
    secret = server.secrets[client]
    fields = dict(GRANT, client_id=client, client_secret=secret)
    oauth_error(server.call("POST", TOKEN, basic(client, secret), form=fields), 400, "invalid_request")


# private_key_jwt (RFC 7523).

@pytest.fixture(scope="module")
def signer(server):
    """(client, its keys by algorithm)."""
    keys = {alg: mint.key(alg) for alg in ("RS256", "ES256", "EdDSA")}
    name = server.add_client(scope_ids=["trade:read"], jwks=mint.jwks(*keys.values()), rate_limit_per_minute=100000)
    return name, keys


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_assertions_of_every_algorithm(server, signer, algorithm):
    name, keys = signer
    for audience in (server.url, server.url + TOKEN):
        answer = server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(assertion(keys[algorithm], name, audience))))
        assert answer.status == 200, answer
        assert claims(answer.json()["access_token"])["sub"] == name
    text = assertion(keys[algorithm], name, [server.url + TOKEN])
    assert server.call("POST", TOKEN, form=dict(GRANT, client_id=name, **by_assertion(text))).status == 200


def now(change):
    return int(time.time()) + change


BAD_ASSERTIONS = table(
    ("of another issuer", lambda key, name, url: assertion(key, name, url, iss="another")),
    ("about another client", lambda key, name, url: assertion(key, name, url, sub="admin")),
    ("of another client", lambda key, name, url: assertion(key, "admin", url)),
    ("of a client that is not there", lambda key, name, url: assertion(key, "nobody", url)),
    ("for somebody else", lambda key, name, url: assertion(key, name, "https://another.test")),
    ("for nobody", lambda key, name, url: assertion(key, name, url, aud=None)),
    ("without an end", lambda key, name, url: assertion(key, name, url, exp=None)),
    ("that is over", lambda key, name, url: assertion(key, name, url, exp=now(-120))),
    ("that goes on too long", lambda key, name, url: assertion(key, name, url, exp=now(7200))),
    ("that has not begun", lambda key, name, url: assertion(key, name, url, nbf=now(200))),
    ("without a jti", lambda key, name, url: assertion(key, name, url, jti=None)),
    ("by another key", lambda key, name, url: assertion(mint.key("ES256", "es256-other"), name, url)),
    ("by another key of the same name", lambda key, name, url: assertion(mint.Key("ES256", key.kid), name, url)),
    ("with a secret", lambda key, name, url: assertion(mint.Key("HS256", key.kid), name, url)),
    ("unsigned", lambda key, name, url: mint.forge({"alg": "none"}, {"iss": name, "sub": name, "aud": url, "exp": now(60), "jti": "1"})),
    ("that is rubbish", lambda key, name, url: "rubbish"),
    ("that is empty", lambda key, name, url: ""),
)


@pytest.mark.parametrize("make", BAD_ASSERTIONS)
def test_assertions_that_are_no_good(server, signer, make):
    name, keys = signer
    answer = server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(make(keys["ES256"], name, server.url))))
    oauth_error(answer, 401, "invalid_client")


def test_an_assertion_of_another_type_or_client(server, signer):
    name, keys = signer
    fields = dict(GRANT, **by_assertion(assertion(keys["ES256"], name, server.url)))
    assert server.call("POST", TOKEN, form=dict(fields, client_assertion_type="x")).status in (400, 401)
    assert server.call("POST", TOKEN, form=dict(fields, client_id="admin")).status in (400, 401)
    # Neither used it up: nobody knows whose it was.
    assert server.call("POST", TOKEN, form=fields).status == 200


def test_an_assertion_is_good_once(server, signer):
    name, keys = signer
    text = assertion(keys["ES256"], name, server.url, jti="once")
    assert server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(text))).status == 200
    oauth_error(server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(text))), 401, "invalid_client")
    again = assertion(keys["RS256"], name, server.url, jti="once")
    oauth_error(server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(again))), 401, "invalid_client")
    server.restart()
    oauth_error(server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(text))), 401, "invalid_client")


def test_keys_that_are_taken_away_are_gone_at_once(server):
    key = mint.key("EdDSA")
    name = server.add_client(jwks=mint.jwks(key))
    assert server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(assertion(key, name, server.url)))).status == 200
    server.change_client(name, jwks=None)
    oauth_error(server.call("POST", TOKEN, form=dict(GRANT, **by_assertion(assertion(key, name, server.url)))), 401, "invalid_client")


# Addresses. The connection comes from 127.0.0.1, or from 127.0.0.2, which is a trusted proxy.

def ask(server, name, source="127.0.0.1", forwarded=()):
    """The status of a token request from that address with these X-Forwarded-For lines."""
    lines = ["X-Forwarded-For: " + each for each in forwarded]
    with RawClient(server.port, source=source) as raw:
        raw.send(request("POST", TOKEN, *lines, form=dict(GRANT, client_id=name, client_secret=server.secrets[name])))
        answer = raw.response("POST")
    if answer.status != 200:
        oauth_error(answer, 403, "access_denied")
    return answer.status


ADDRESSES = table(
    ("from everywhere", "", "127.0.0.1", [], 200),
    ("from here", "127.0.0.1/32", "127.0.0.1", [], 200),
    ("from here, by a whole block", "10.0.0.0/8, 127.0.0.0/8", "127.0.0.1", [], 200),
    ("from elsewhere only", "10.0.0.0/8,2001:db8::/32", "127.0.0.1", [], 403),
    ("a header that nobody trusts lets nobody in", "10.0.0.0/8", "127.0.0.1", ["10.0.0.1"], 403),
    ("a header that nobody trusts shuts nobody out", "127.0.0.1/32", "127.0.0.1", ["192.0.2.1"], 200),
    ("behind a proxy", "192.0.2.0/24", "127.0.0.2", ["192.0.2.7"], 200),
    ("behind a proxy, from elsewhere", "192.0.2.0/24", "127.0.0.2", ["198.51.100.7"], 403),
    ("behind a proxy, IPv6", "2001:db8::/32", "127.0.0.2", ["2001:db8::7"], 200),
    ("behind a proxy, IPv6, from elsewhere", "2001:db8::/32", "127.0.0.2", ["2001:db9::7"], 403),
    ("a forged one in front is not read", "192.0.2.0/24", "127.0.0.2", ["192.0.2.7, 198.51.100.7"], 403),
    ("the last that is no proxy counts", "192.0.2.0/24", "127.0.0.2", ["198.51.100.7, 192.0.2.7, 10.1.2.3"], 200),
    ("several lines are one list", "192.0.2.0/24", "127.0.0.2", ["198.51.100.7", "192.0.2.7", "10.1.2.3"], 200),
    ("several lines, forged in front", "192.0.2.0/24", "127.0.0.2", ["192.0.2.7", "198.51.100.7"], 403),
)


@pytest.mark.parametrize("allowed, source, forwarded, status", ADDRESSES)
def test_addresses(server, allowed, source, forwarded, status):
    name = server.add_client(allowed_ips=allowed)
    assert ask(server, name, source, forwarded) == status


def test_garbled_addresses_are_never_the_ones_before_them(server):
    """What a trusted proxy garbled says nothing of the caller, least of all the address in front of it."""
    name = server.add_client(allowed_ips="192.0.2.0/24")
    for text in ("192.0.2.7, rubbish", "192.0.2.7, unknown", "192.0.2.7, 999.1.1.1", "192.0.2.7 198.51.100.7"):
        assert ask(server, name, "127.0.0.2", [text]) == 403, text


def test_a_connection_by_ipv6(start_issuer, tmp_path):
    issuer = start_issuer(SQLiteFile(tmp_path))
    names = {block: issuer.add_client(allowed_ips=block) for block in ("::1/128", "127.0.0.0/8", "2001:db8::/32")}
    issuer.stop()
    child = Child(issuer.folder, "postern-issuer", ["run", "--listen", "[::1]:%d" % issuer.port, "--issuer", issuer.url,
                                                    "--audience", AUDIENCE, *issuer.keeping])
    try:
        wait_until(lambda: "listening on" in child.output(), 10, "the issuer to listen")
        found = {}
        for block, name in names.items():
            with RawClient(issuer.port, host="::1") as raw:
                raw.send(request("POST", TOKEN, form=dict(GRANT, client_id=name, client_secret=issuer.secrets[name])))
                found[block] = raw.response("POST").status
        assert found == {"::1/128": 200, "127.0.0.0/8": 403, "2001:db8::/32": 403}
    finally:
        child.stop()


def test_the_address_is_checked_after_the_secret(server):
    """Who has no secret learns nothing of a client, not even where it may be used."""
    name = server.add_client(allowed_ips="10.0.0.0/8")
    oauth_error(server.request_token(name, "wrong"), 401, "invalid_client")
    oauth_error(server.request_token(name), 403, "access_denied")


# Rates.

def spend(*servers, client, most=40):
    """How many tokens a client gets from these servers in turn before one says 429; that answer."""
    for count in range(most):
        answer = servers[count % len(servers)].request_token(client, servers[0].secrets[client])
        if answer.status != 200:
            return count, answer
    return most, None


def slowed(answer, most):
    oauth_error(answer, 429, "slow_down")
    assert 0 < int(answer.header("retry-after")) <= most, answer


@pytest.mark.parametrize("fields, most", table(
    ("by the minute", {"rate_limit_per_minute": 7}, 60), ("by the hour", {"rate_limit_per_hour": 7}, 3600)))
def test_rates(server, fields, most):
    name, other = server.add_client(**fields), server.add_client()
    count, answer = spend(server, client=name)
    assert count == 7
    slowed(answer, most)
    slowed(server.request_token(name, path=SERVICE), most)
    assert server.request_token(other).status == 200
    # Nobody spends another's rate without its secret.
    fresh = server.add_client(**fields)
    for _ in range(10):
        oauth_error(server.request_token(fresh, "wrong"), 401, "invalid_client")
    assert server.request_token(fresh).status == 200
    # A limit that is raised counts at once.
    server.change_client(name, rate_limit_per_minute=1000, rate_limit_per_hour=1000)
    assert server.request_token(name).status == 200


# Two processes on one PostgreSQL.

@pytest.fixture
def replicas(postgres, start_issuer, redis):
    first = start_issuer(PostgresDatabase(postgres), redis=redis)
    second = start_issuer(first.store, redis=redis, of=first)
    first.await_redis()
    second.await_redis()
    return first, second


def test_replicas_are_one_issuer(replicas, redis):
    first, second = replicas
    assert first.keys() == second.keys()
    # Rates are counted together, in Redis.
    name = first.add_client(rate_limit_per_minute=9)
    count, answer = spend(first, second, client=name)
    assert count == 9
    slowed(answer, 60)
    for each in replicas:
        slowed(each.request_token(name, first.secrets[name]), 60)
    # An assertion is good once, whoever sees it first.
    key = mint.key("ES256")
    name = first.add_client(jwks=mint.jwks(key))
    fields = dict(GRANT, **by_assertion(assertion(key, name, first.url)))
    assert first.call("POST", TOKEN, form=fields).status == 200
    oauth_error(second.call("POST", TOKEN, form=fields), 401, "invalid_client")
    # What one gives the other revokes, and both know.
    key = second.add_service_key()["api_key"]
    user = first.add_user()
    session = second.session(user)
    assert first.hecate(key, session["access_token"])["valid"] is True
    assert first.call("POST", "/auth/logout-all", token=session["access_token"]).status == 204
    assert second.hecate(key, session["access_token"]) == {"valid": False}
    problem(second.call("POST", "/auth/refresh", json_body={"refresh_token": session["refresh_token"]}), 401, "invalid_grant")
    # A refresh token that was used at one is used at the other.
    session = first.session(user)
    body = {"refresh_token": session["refresh_token"]}
    assert second.call("POST", "/auth/refresh", json_body=body).status == 200
    problem(first.call("POST", "/auth/refresh", json_body=body), 401, "invalid_grant")


def test_rates_go_on_in_process_while_redis_is_away(tmp_path, start_issuer, redis_server):
    server = redis_server()
    issuer = start_issuer(SQLiteFile(tmp_path), redis=server)
    issuer.await_redis()
    name = issuer.add_client(rate_limit_per_minute=5)
    server.kill()
    count, answer = spend(issuer, client=name)
    assert count == 5
    slowed(answer, 60)


def test_a_store_that_is_away_is_said_and_comes_back(start_issuer):
    """Requests that need the store are refused while it is away, nothing hangs, and nothing has to be started anew."""
    with PostgresServer() as server:
        issuer = start_issuer(PostgresDatabase(server))
        name = issuer.add_client()
        assert issuer.request_token(name).status == 200
        server.halt()
        answer = issuer.request_token(name)
        assert 500 <= answer.status < 600, answer
        assert issuer.call("GET", "/health").status == 503
        assert issuer.get_admin("/readyz").status == 503
        assert issuer.get_admin("/livez").status == 200
        assert issuer.call("GET", "/.well-known/jwks.json").status == 200
        server.start()
        wait_until(lambda: issuer.request_token(name).status == 200, 10, "the issuer to have its store again")
        wait_until(lambda: issuer.get_admin("/readyz").status == 200, 5, "the issuer to be ready")
