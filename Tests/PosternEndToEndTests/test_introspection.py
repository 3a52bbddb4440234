"""Tokens that the issuer is asked about: what it is sent, what its answers mean, how long they hold."""
import signal
import threading
import time

import pytest

from harness import config as configs
from harness import introspection, mint
from harness.introspection import Answer, IntrospectionServer
from harness.load import spread
from harness.net import wait_until
from harness.problems import check_problem
from harness.process import Postern, run
from harness.raw import bearer, head
from harness.table import table
from harness.tiers import ask, digest, grown, introspections, lookups, opaque


def setup(upstream, server, more=None, **changes):
    """A configuration whose issuer `asked` is introspected at `server`."""
    return configs.config(upstream, issuers={"asked": configs.introspection(server, **changes)}, **(more or {}))


# What the issuer is sent

CREDENTIALS = table(
    ("bearer", {"bearer": "key-1"}),
    ("basic", {"basic": {"id": "a client", "secret": "s:e+c/r e%t"}}),
    ("form", {"form": {"id": "a client", "secret": "s&e=c+r e%t"}}),
)


@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_credentials_of_rfc7662(start, upstream, issuer, credentials):
    proxy = start(setup(upstream, issuer, credentials=credentials))
    token = issuer.add(opaque("tok.en~+/"))
    assert proxy.call("GET", "/auth", token=token).status == 200
    asked = issuer.requests[0]
    assert (asked.method, asked.path) == ("POST", issuer.path)
    assert asked.header("content-type").split(";")[0] == "application/x-www-form-urlencoded"
    assert "json" in asked.header("accept")
    form = asked.form()
    assert form.pop("token") == token
    assert form.pop("token_type_hint", "access_token") == "access_token"
    if "bearer" in credentials:
        assert asked.header("authorization") == "Bearer key-1" and form == {}
    elif "basic" in credentials:
        assert asked.basic() == ("a client", "s:e+c/r e%t") and form == {}
    else:
        assert asked.header("authorization") is None
        assert form == {"client_id": "a client", "client_secret": "s&e=c+r e%t"}
    secrets = ["key-1", "s:e+c/r e%t", "s&e=c+r e%t", token]
    said = proxy.output() + proxy.get_admin("/policy").body.decode() + proxy.get_admin("/metrics").body.decode()
    assert [each for each in secrets if each in said] == []


def test_the_hecate_dialect(start, upstream, introspection_server):
    server = introspection_server("hecate")
    proxy = start(setup(upstream, server, admin="is_admin"))
    token = server.add(opaque(), introspection.hecate(user_id="u-1", username="grace", roles=["a", "b"]))
    assert proxy.call("GET", "/auth", token=token).status == 200
    asked = server.requests[0]
    assert asked.header("content-type").split(";")[0] == "application/json"
    assert asked.header("authorization") == "Bearer " + introspection.KEY
    assert asked.body.replace(b" ", b"") == b'{"token":"%s"}' % token.encode()
    seen = upstream.requests[-1]
    assert (seen.header("x-user-id"), seen.header("x-user-name"), seen.header("x-user-roles")) == ("u-1", "grace", "a,b")
    assert seen.header("x-user-scopes") == "trade:read account:read"
    assert seen.header("x-auth-issuer") == "asked"
    assert seen.header("x-user-admin") == "false"
    assert seen.header("authorization") is None
    assert proxy.call("GET", "/api/v1/trades", token=token).status == 200
    check_problem(proxy.call("GET", "/api/v1/account/balance", token=token), "insufficient_scope")
    admin = server.add(opaque(), introspection.hecate(is_admin=True, permissions=[]))
    assert proxy.call("GET", "/api/v1/account/balance", token=admin).status == 200
    truthy = server.add(opaque(), introspection.hecate(is_admin="true", permissions=[]))
    check_problem(proxy.call("GET", "/api/v1/account/balance", token=truthy), "insufficient_scope")
    check_problem(proxy.call("GET", "/auth", token=opaque("unknown")), "invalid_token")


def test_identity_of_an_rfc7662_answer(start, upstream, issuer):
    proxy = start(setup(upstream, issuer))
    token = issuer.add(opaque(), introspection.claims(sub="u-2", username="joan", scope="market:data x", client_id="desk"))
    assert proxy.call("GET", "/api/v1/market/EURUSD", "X-User-Id: root", token=token).status == 200
    seen = upstream.requests[-1]
    got = {name: seen.header(name) for name in ("x-user-id", "x-user-name", "x-user-scopes", "x-client-id", "x-auth-issuer")}
    assert got == {"x-user-id": "u-2", "x-user-name": "joan", "x-user-scopes": "market:data x", "x-client-id": "desk",
                   "x-auth-issuer": "asked"}
    check_problem(proxy.call("GET", "/api/v1/account/balance", token=token), "insufficient_scope")


def test_public_routes_and_bad_credentials_ask_nobody(start, upstream, issuer):
    proxy = start(setup(upstream, issuer))
    assert proxy.call("GET", "/health", token=opaque()).status == 200
    check_problem(proxy.call("GET", "/auth"), "missing_token")
    check_problem(proxy.call("GET", "/internal/x", token=opaque()), "route_denied")
    check_problem(proxy.call("GET", "/auth", token="a" * 9000), "invalid_request")
    assert issuer.count() == 0


# What an answer means: (sentence, members beside `active`, the code or None)

def ahead(seconds):
    """A moment counted from when the test runs, not from when the table is made."""
    return lambda: int(time.time()) + seconds


MEMBERS = table(
    ("everything in order", {}, None),
    ("no exp", {"exp": None}, None),
    ("an exp that is past", {"exp": ahead(-300)}, "invalid_token"),
    ("an exp within the leeway", {"exp": ahead(-5)}, None),
    ("an nbf to come", {"nbf": ahead(3600)}, "invalid_token"),
    ("an nbf within the leeway", {"nbf": ahead(10)}, None),
    ("an iat to come", {"iat": ahead(3600)}, "invalid_token"),
    ("the issuer", {"iss": mint.ISSUER}, None),
    ("another issuer", {"iss": "https://evil.test"}, "invalid_token"),
    ("no aud", {"aud": None}, "invalid_token"),
    ("another aud", {"aud": "other-api"}, "invalid_token"),
    ("aud in a list", {"aud": ["other-api", mint.AUDIENCE]}, None),
    ("token type Bearer", {"token_type": "bearer"}, None),
    ("token type access_token", {"token_type": "access_token"}, None),
    ("no token type", {"token_type": None}, None),
    ("a refresh token", {"token_type": "refresh_token"}, "invalid_token"),
    ("a token type that binds", {"token_type": "DPoP"}, "invalid_token"),
    ("a binding to the sender", {"cnf": {"jkt": "x"}}, "invalid_token"),
    ("a user with control characters", {"sub": "a\nX-User-Admin: true"}, "invalid_token"),
)


@pytest.fixture(scope="module")
def strict(module_upstream, tmp_path_factory):
    """A postern whose introspection issuer has a name and audiences, and its server."""
    with IntrospectionServer() as server:
        child = Postern(tmp_path_factory.mktemp("strict"), setup(
            module_upstream, server, issuer=mint.ISSUER, audiences=[mint.AUDIENCE], leeway="30s", cache="30s"))
        yield child, server
        child.stop()


def introspected_jwt():
    """A JWT of the strict issuer, whose signature nobody can check."""
    return mint.forge({"alg": "RS256", "typ": "at+jwt", "kid": "nobody-has-it"}, mint.claims(), lambda data: b"x" * 256)


@pytest.mark.parametrize("changes, code", MEMBERS)
def test_an_answer_is_held_to_the_rules_of_a_jwt(strict, upstream, changes, code):
    proxy, server = strict
    changes = {name: value() if callable(value) else value for name, value in changes.items()}
    token = server.add(introspected_jwt(), introspection.claims(**dict({"aud": mint.AUDIENCE}, **changes)))
    answer = proxy.call("GET", "/auth", token=token)
    if code:
        check_problem(answer, code)
        assert upstream.requests == []
    else:
        assert answer.status == 200
    assert server.count(token) == 1


def test_an_answer_holds_for_its_time_and_no_longer(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1s"))
    token = issuer.add(opaque())
    begun = time.monotonic()
    assert [ask(proxy, token) for _ in range(3)] == [(200, "issuer"), (200, "l1"), (200, "l1")]
    issuer.answers[token] = introspection.inactive()
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 401, 5, "the answer to be asked for again")
    assert time.monotonic() - begun > 0.9
    assert issuer.count(token) == 2


def test_an_answer_is_never_kept_beyond_the_tokens_own_end(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1h", leeway="0s"))
    token = issuer.add(opaque(), introspection.claims(exp=int(time.time()) + 2))
    assert proxy.call("GET", "/auth", token=token).status == 200
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 401, 5, "the token's end")
    assert time.time() >= issuer.answers[token].members["exp"]


def test_a_refusal_is_kept_for_its_own_time(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, negative_cache="1s"))
    token = opaque()
    begun = time.monotonic()
    for _ in range(10):
        check_problem(proxy.call("GET", "/auth", token=token), "invalid_token")
    assert issuer.count(token) == 1 or time.monotonic() - begun > 0.9
    issuer.add(token)
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 200, 5, "the token to be asked for again")
    assert issuer.count(token) <= 3


def test_without_a_negative_cache_each_refusal_is_asked_for(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, negative_cache="0s"))
    token = opaque()
    for _ in range(5):
        check_problem(proxy.call("GET", "/auth", token=token), "invalid_token")
    issuer.add(token)
    assert proxy.call("GET", "/auth", token=token).status == 200
    assert issuer.count(token) == 6


@pytest.mark.release
def test_random_tokens_do_not_drive_good_ones_out(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, cache="1h", negative_cache="1h"))
    good = [issuer.add(opaque()) for _ in range(20)]
    assert spread([proxy.port], good) == [200] * 20
    size, memory = proxy.metrics().value("postern_token_cache_entries"), proxy.rss()
    statuses = spread([proxy.port], [opaque("random") for _ in range(9000)], connections=6)
    assert set(statuses) == {401}
    asked = issuer.count()
    assert [ask(proxy, token) for token in good] == [(200, "l1")] * 20
    assert issuer.count() == asked
    assert proxy.metrics().value("postern_token_cache_entries") <= size + 4096, "the table of refusals is small"
    assert proxy.rss() - memory < 32 << 10, "%d KiB for 9,000 refusals" % (proxy.rss() - memory)


def test_one_token_asked_by_many_at_once_is_one_introspection(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, more={"event_loops": 2}, timeout="5s"))
    token = issuer.add(opaque())
    issuer.gate.clear()
    clients = [proxy.client() for _ in range(40)]
    for each in clients:
        each.send(head("GET", "/auth", bearer(token)))
    wait_until(lambda: issuer.count() == 1, 3)
    assert upstream.requests == []
    issuer.gate.set()
    assert [each.response().status for each in clients] == [200] * 40
    for each in clients:
        each.close()
    assert issuer.count() == 1


# Which issuer

@pytest.fixture
def several(start, upstream, introspection_server):
    """(proxy, the server of a JWT issuer that is asked, and of two issuers for any other token)"""
    named, first, second = (introspection_server() for _ in range(3))
    proxy = start(configs.config(upstream, issuers={
        "main": configs.issuer(),
        "named": configs.introspection(named, issuer="https://named.test"),
        "first": configs.introspection(first),
        "second": configs.introspection(second),
    }))
    return proxy, named, first, second


def counts(servers):
    return [each.count() for each in servers]


def test_a_jwt_of_a_local_issuer_is_asked_about_nowhere(several, upstream):
    proxy, *servers = several
    assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    assert upstream.requests[-1].header("x-auth-issuer") == "main"
    for bad in (configs.token(exp=1), mint.Key("RS256", "rs256-1").token(), configs.token(aud="other")):
        for server in servers:
            server.add(bad)
        check_problem(proxy.call("GET", "/auth", token=bad), "invalid_token")
    assert counts(servers) == [0, 0, 0]


def test_a_jwt_whose_issuer_is_asked_goes_to_that_one_alone(several, upstream):
    proxy, named, first, second = several
    token = configs.token(iss="https://named.test")
    for server in (named, first, second):
        server.add(token)
    assert proxy.call("GET", "/auth", token=token).status == 200
    assert upstream.requests[-1].header("x-auth-issuer") == "named"
    dead = configs.token(iss="https://named.test")
    first.add(dead)
    check_problem(proxy.call("GET", "/auth", token=dead), "invalid_token")
    assert counts((named, first, second)) == [2, 0, 0]


OTHERS = table(
    ("an opaque token", opaque),
    ("a jwt of an issuer that nobody named", lambda: configs.token(iss="https://unknown.test")),
    ("a jwt without an issuer", lambda: configs.token(iss=None)),
    ("three parts that are no jwt", lambda: "a.b." + opaque()),
)


@pytest.mark.parametrize("make", OTHERS)
def test_any_other_token_goes_to_the_nameless_in_order(several, upstream, make):
    proxy, named, first, second = several
    one, two, three = make(), make(), make()
    first.add(one)
    second.add(one)
    second.add(two)
    assert proxy.call("GET", "/auth", token=one).status == 200
    assert upstream.requests[-1].header("x-auth-issuer") == "first"
    assert counts((named, first, second)) == [0, 1, 0]
    assert proxy.call("GET", "/auth", token=two).status == 200
    assert upstream.requests[-1].header("x-auth-issuer") == "second"
    check_problem(proxy.call("GET", "/auth", token=three), "invalid_token")
    assert counts((named, first, second)) == [0, 3, 2]
    for token in (one, two):
        assert ask(proxy, token) == (200, "l1")
    check_problem(proxy.call("GET", "/auth", token=three), "invalid_token")
    assert counts((named, first, second)) == [0, 3, 2], "all of it is kept"


def test_a_refusal_is_none_while_an_issuer_could_not_be_asked(several, upstream):
    proxy, _, first, second = several
    first.override = Answer(status=500)
    token = opaque()
    check_problem(proxy.call("GET", "/auth", token=token), "issuer_unavailable")
    assert second.count(token) == 1
    second.add(token)
    assert proxy.call("GET", "/auth", token=token).status == 200
    assert upstream.requests[-1].header("x-auth-issuer") == "second"


def test_without_an_introspection_issuer_an_opaque_token_is_refused(start, upstream):
    proxy = start(configs.config(upstream))
    check_problem(proxy.call("GET", "/auth", token=opaque()), "invalid_token")


def test_a_named_issuer_takes_no_opaque_token(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, issuer="https://named.test"))
    check_problem(proxy.call("GET", "/auth", token=issuer.add(opaque())), "invalid_token")
    assert issuer.count() == 0


def test_a_route_may_ask_for_one_issuer(start, upstream, issuer):
    config = setup(upstream, issuer, more={"more_routes": {"GET /only": {"issuers": ["main"]}}})
    config["issuers"]["main"] = configs.issuer()
    proxy = start(config)
    assert proxy.call("GET", "/only", token=configs.token()).status == 200
    check_problem(proxy.call("GET", "/only", token=issuer.add(opaque())), "access_denied")


# What operators see

def test_counters_and_log_lines_of_each_source(start, upstream, issuer):
    config = setup(upstream, issuer)
    config["issuers"]["main"] = configs.issuer()
    proxy = start(config)
    before, asked = lookups(proxy, "l1"), introspections(proxy, "asked")
    token, jwt = issuer.add(opaque(), introspection.claims(jti="j-1")), configs.token()
    assert [ask(proxy, token), ask(proxy, token), ask(proxy, jwt), ask(proxy, jwt)] == [
        (200, "issuer"), (200, "l1"), (200, "jwt"), (200, "l1")]
    assert grown(before, lookups(proxy, "l1")) == {"hit": 2, "miss": 2}
    active = grown(asked, introspections(proxy, "asked"))
    assert list(active.values()) == [1], active
    assert ask(proxy, opaque())[0] == 401
    refused = grown(asked, introspections(proxy, "asked"))
    assert sorted(refused.values()) == [1, 1], "a refusal has a result of its own: %s" % refused
    issuer.override = Answer(status=500)
    assert ask(proxy, opaque())[0] == 502
    assert sorted(grown(asked, introspections(proxy, "asked")).values()) == [1, 1, 1]
    proxy.call("GET", "/auth", "X-Request-Id: introspected", token=token)
    line = proxy.access("introspected")
    assert (line["issuer"], line["user"], line["client_id"], line["jti"]) == ("asked", "user-7", "trading-dashboard", "j-1")
    assert proxy.metrics().types["postern_introspections_total"] == "counter"


def test_explain_asks_the_issuer_and_says_so(tmp_path, start, upstream, issuer):
    proxy = start(setup(upstream, issuer))
    good, bad = issuer.add(opaque()), opaque()
    done = run("postern", "explain", "GET", "/auth", "--token", good, "--config", proxy.file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "introspect" in done.stdout and "asked" in done.stdout
    refused = run("postern", "explain", "GET", "/auth", "--token", bad, "--config", proxy.file)
    assert refused.returncode == 1 and "invalid_token" in refused.stdout
    assert (issuer.count(good), issuer.count(bad)) == (1, 1)
    issuer.stop()
    down = run("postern", "explain", "GET", "/auth", "--token", good, "--config", proxy.file)
    assert down.returncode == 1 and "issuer_unavailable" in down.stdout
    for each in (done, refused, down):
        for secret in (good, bad, introspection.KEY):
            assert secret not in each.stdout + each.stderr


def test_a_reload_that_changes_the_issuer_starts_afresh(start, upstream, issuer, introspection_server):
    other = introspection_server()
    proxy = start(setup(upstream, issuer))
    token = issuer.add(opaque())
    assert proxy.call("GET", "/auth", token=token).status == 200
    proxy.write(dict(proxy.config, issuers={"asked": configs.introspection(other)}))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: proxy.call("GET", "/auth", token=token).status == 401, 5, "the other issuer to be asked")
    assert other.count(token) == 1


def test_no_output_holds_a_token_or_its_digest(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, more={"log": {"level": "debug"}}))
    tokens = [issuer.add(opaque("secret-token")), opaque("unknown-token")]
    for token in tokens:
        proxy.call("GET", "/auth", token=token)
    issuer.override = Answer(status=500, body=b"secret-body-of-the-issuer")
    tokens.append(opaque("failed-token"))
    check_problem(proxy.call("GET", "/auth", token=tokens[-1]), "issuer_unavailable")
    ask(proxy, tokens[0])
    text = proxy.output() + proxy.get_admin("/metrics").body.decode() + proxy.get_admin("/policy").body.decode()
    for each in tokens + [digest(token) for token in tokens] + [introspection.KEY, "secret-body-of-the-issuer"]:
        assert each not in text


@pytest.mark.release
def test_a_thousand_tokens_are_a_thousand_introspections(start, upstream, issuer):
    proxy = start(setup(upstream, issuer, more={"event_loops": 2}))
    tokens = [issuer.add(opaque()) for _ in range(1000)]
    assert set(spread([proxy.port], tokens * 3, connections=8)) == {200}
    assert (issuer.count(), issuer.distinct()) == (1000, 1000)


def test_waiters_of_a_slow_issuer_do_not_hold_up_others(start, upstream, issuer):
    config = setup(upstream, issuer, timeout="5s")
    config["issuers"]["main"] = configs.issuer()
    proxy = start(config)
    issuer.gate.clear()
    slow = opaque()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(proxy.call("GET", "/auth", token=slow).status))
    thread.start()
    wait_until(lambda: issuer.count(slow) == 1, 3)
    assert proxy.call("GET", "/auth", token=configs.token()).status == 200
    assert proxy.call("GET", "/health").status == 200
    issuer.add(slow)
    issuer.gate.set()
    thread.join(5)
    assert answers == [200]
