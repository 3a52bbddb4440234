"""Who gets through, in which order it is decided, and what the refused are told."""
import pytest

from harness import config as configs
from harness import mint
from harness.net import free_port
from harness.problems import check_problem, parse_challenge
from harness.raw import bearer, head
from harness.table import table

OTHER = mint.Key("ES256", "other-1")
ALL = "trade:read account:read trade:open trade:close account:balance market:data admin:system"


@pytest.fixture(scope="module")
def settings():
    return {
        "issuers": {
            "main": configs.issuer(admin="is_admin"),
            "other": configs.issuer(OTHER, issuer="https://other.test"),
        },
        "more_routes": {
            "GET /any": {"any_scope": ["a", "b"]},
            "GET /roles": {"roles": ["admin", "trader"]},
            "GET /claims": {"claims": {"tier": ["gold", "silver"], "/org/id": 7}},
            "GET /group": {"claims": {"groups": "ops"}},
            "GET /issuers": {"issuers": ["other"]},
            "GET /all": {"scopes": ["s1", "s2"], "any_scope": ["a", "b"], "roles": "r", "claims": {"c": "v"}},
            "GET /number": {"claims": {"level": 3}},
            "GET /own/{who}": {"claims": {"sub": "{who}"}},
            "GET /member/{group}": {"claims": {"groups": "{group}"}},
        },
    }


PERMITTED = table(
    ("public without a token", "GET", "/health", None),
    ("optional without a token", "GET", "/optional", None),
    ("optional with a token", "GET", "/optional", {}),
    ("authenticated with a token without scopes", "GET", "/auth", {"scope": None}),
    ("all scopes", "GET", "/api/v1/trades", {}),
    ("all scopes in another order and more", "GET", "/api/v1/trades", {"scope": "x account:read trade:read y"}),
    ("scopes as an array", "GET", "/api/v1/trades", {"scope": None, "scopes": ["trade:read", "account:read"]}),
    ("scopes as scp", "GET", "/api/v1/trades", {"scope": None, "scp": ["trade:read", "account:read"]}),
    ("one of any_scope", "GET", "/any", {"scope": "b"}),
    ("one of the roles", "GET", "/roles", {"roles": ["x", "trader"]}),
    ("a claim of the list and a pointer", "GET", "/claims", {"tier": "silver", "org": {"id": 7}}),
    ("an array claim that contains the value", "GET", "/group", {"groups": ["dev", "ops"]}),
    ("a claim that is the value", "GET", "/group", {"groups": "ops"}),
    ("a trusted client", "GET", "/api/v1/admin/stats", {"scope": "admin:system", "is_trusted": True}),
    ("the caller's own path", "GET", "/own/user-7", {}),
    ("the caller's own path, escaped", "GET", "/own/user%2D7", {}),
    ("the caller's own path in UTF-8", "GET", "/own/%C3%A4", {"sub": "\u00e4"}),
    ("a group of the caller in the path", "GET", "/member/ops", {"groups": ["dev", "ops"]}),
    ("an admin without anything", "GET", "/all", {"scope": None, "roles": None, "is_admin": True}),
    ("everything at once", "GET", "/all", {"scope": "s1 s2 b", "roles": ["r"], "c": "v"}),
    ("a number claim", "GET", "/number", {"level": 3}),
    ("HEAD counts as GET", "HEAD", "/api/v1/trades", {}),
)


@pytest.mark.parametrize("method, target, changes", PERMITTED)
def test_permitted(proxy, upstream, method, target, changes):
    token = None if changes is None else configs.token(**changes)
    assert proxy.call(method, target, token=token).status == 200
    assert [(each.method, each.target) for each in upstream.requests] == [(method, target)]
    upstream.requests[0].check()


DENIED = table(
    ("a missing scope", "/api/v1/trades", {"scope": "trade:read"}, "insufficient_scope",
     {"scopes": ["account:read", "trade:read"]}),
    ("no scopes at all", "/api/v1/trades", {"scope": None}, "insufficient_scope",
     {"scopes": ["account:read", "trade:read"]}),
    ("a scope that only begins alike", "/api/v1/trades", {"scope": "trade:read account:readx"}, "insufficient_scope",
     {"scopes": ["account:read", "trade:read"]}),
    ("a scope in another case", "/api/v1/trades", {"scope": "Trade:read account:read"}, "insufficient_scope",
     {"scopes": ["account:read", "trade:read"]}),
    ("none of any_scope", "/any", {"scope": "c"}, "insufficient_scope", {"any_scope": ["a", "b"]}),
    ("none of the roles", "/roles", {"roles": ["x"]}, "access_denied", {"roles": ["admin", "trader"]}),
    ("roles that hold a role as a part", "/roles", {"roles": ["traders"]}, "access_denied",
     {"roles": ["admin", "trader"]}),
    ("a claim of another value", "/claims", {"tier": "iron", "org": {"id": 7}}, "access_denied",
     {"claims": ["/org/id", "tier"]}),
    ("a claim that is absent", "/claims", {"tier": "gold"}, "access_denied", {"claims": ["/org/id", "tier"]}),
    ("a number claim given as text", "/number", {"level": "3"}, "access_denied", {"claims": ["level"]}),
    ("a boolean claim given as text", "/api/v1/admin/stats", {"scope": "admin:system", "is_trusted": "true"},
     "access_denied", {"scopes": ["admin:system"], "claims": ["is_trusted"]}),
    ("a boolean claim given as 1", "/api/v1/admin/stats", {"scope": "admin:system", "is_trusted": 1},
     "access_denied", {"scopes": ["admin:system"], "claims": ["is_trusted"]}),
    ("another user's path", "/own/user-8", {}, "access_denied", {"claims": ["sub"]}),
    ("another user's path in another case", "/own/User-7", {}, "access_denied", {"claims": ["sub"]}),
    ("a group that the caller is not in", "/member/root", {"groups": ["ops"]}, "access_denied", {"claims": ["groups"]}),
    ("another issuer", "/issuers", {}, "access_denied", None),
    ("an admin by another issuer's route", "/issuers", {"is_admin": True}, "access_denied", None),
    ("an admin claim that is the text true", "/all", {"scope": None, "is_admin": "true"}, "insufficient_scope",
     {"scopes": ["s1", "s2"], "any_scope": ["a", "b"], "roles": ["r"], "claims": ["c"]}),
    ("an admin claim that is 1", "/all", {"scope": None, "is_admin": 1}, "insufficient_scope",
     {"scopes": ["s1", "s2"], "any_scope": ["a", "b"], "roles": ["r"], "claims": ["c"]}),
)


@pytest.mark.parametrize("target, changes, code, required", DENIED)
def test_denied_says_what_the_route_needs(proxy, only_sentinel, target, changes, code, required):
    answer = proxy.call("GET", target, token=configs.token(**changes))
    body = check_problem(answer, code)
    if required is not None:
        found = dict(body["required"])
        if "claims" in found:
            found["claims"] = sorted(found["claims"])
        assert {k: sorted(v) for k, v in found.items()} == {k: sorted(v) for k, v in required.items()}
        assert found.get("scopes") == required.get("scopes"), "scopes come sorted"
    if code == "insufficient_scope" and "scopes" in (required or {}):
        scope = parse_challenge(answer.header("www-authenticate"))["scope"].split(" ")
        assert set(required["scopes"]) <= set(scope)
    only_sentinel()


def test_the_other_issuer_passes_its_route(proxy, upstream):
    token = OTHER.token(iss="https://other.test")
    assert proxy.call("GET", "/issuers", token=token).status == 200
    assert upstream.requests[0].header("x-auth-issuer") == "other"


ORDER = table(
    ("an ambiguous path before a denied route", "GET", "/internal/../x", None, "ambiguous_path"),
    ("an undeclared path before a missing token", "GET", "/nowhere", None, "route_not_declared"),
    ("an undeclared path with a good token", "GET", "/nowhere", "good", "route_not_declared"),
    ("a wrong method before a missing token", "PATCH", "/auth", None, "method_not_allowed"),
    ("a wrong method before a bad token", "PATCH", "/auth", "bad", "method_not_allowed"),
    ("a denied route before a missing token", "GET", "/internal/x", None, "route_denied"),
    ("a denied route before two tokens", "GET", "/internal/x", "two", "route_denied"),
    ("a denied route with a good token", "GET", "/internal/x", "good", "route_denied"),
    ("an ambiguous path before two tokens", "GET", "/auth/..", "two", "ambiguous_path"),
    ("two tokens before the verification of either", "GET", "/auth", "two", "invalid_request"),
    ("a bad token before missing scopes", "GET", "/api/v1/account/balance", "bad", "invalid_token"),
    ("a missing token on a scoped route", "GET", "/api/v1/trades", None, "missing_token"),
    ("a bad token on an optional route", "GET", "/optional", "bad", "invalid_token"),
    ("two tokens on an optional route", "GET", "/optional", "two", "invalid_request"),
)


@pytest.mark.parametrize("method, target, kind, code", ORDER)
def test_order_of_decisions(proxy, only_sentinel, method, target, kind, code):
    fields = {None: [], "good": [bearer(configs.token(scope=ALL))], "bad": [bearer("a.b.c")],
              "two": [bearer(configs.token()), bearer(configs.token())]}[kind]
    check_problem(proxy.call(method, target, *fields), code, method)
    only_sentinel()


def test_a_public_route_looks_at_no_token(proxy, upstream):
    for fields in ([bearer("rubbish")], [bearer("a"), bearer("b")], ["Authorization: Basic x"]):
        assert proxy.call("GET", "/health", *fields).status == 200
    assert len(upstream.requests) == 3
    assert all(not each.all("authorization") for each in upstream.requests)


def test_head_gets_the_head_of_a_refusal_and_no_body(proxy, only_sentinel):
    for target, code in (("/auth", "missing_token"), ("/internal/x", "route_denied"), ("/no", "route_not_declared")):
        with proxy.client() as client:
            answer = client.send(head("HEAD", target)).response("HEAD")
            check_problem(answer, code, "HEAD")
            assert not client.buffer and client.still_open(), "a body came after the head of a HEAD answer"
    only_sentinel()


def test_a_refusal_keeps_the_connection_when_no_body_is_left(proxy, upstream):
    with proxy.client() as client:
        check_problem(client.send(head("GET", "/auth")).response(), "missing_token")
        check_problem(client.send(head("GET", "/internal/x")).response(), "route_denied")
        assert client.send(head("GET", "/health")).response().status == 200
    assert len(upstream.requests) == 1


def test_a_refused_body_is_never_taken_for_a_request(proxy, upstream):
    smuggled = head("GET", "/public/smuggled")
    with proxy.client() as client:
        client.send(head("POST", "/auth", "Content-Length: %d" % len(smuggled)) + smuggled)
        check_problem(client.response("POST"), "missing_token")
        client.send(head("GET", "/health", "Connection: close"))
        client.sock.settimeout(3)
        while client._fill():
            pass
        assert client.buffer.count(b"HTTP/1.1 ") <= 1, client.buffer
    assert [each.target for each in upstream.requests] in ([], ["/health"])


def test_the_request_id_of_the_client_is_in_the_refusal(proxy):
    body = check_problem(proxy.call("GET", "/auth", "X-Request-Id: abc.DEF_1-2"), "missing_token")
    assert body["request_id"] == "abc.DEF_1-2"


DEFAULTS = table(
    ("deny", "deny", "route_not_declared", "route_not_declared"),
    ("authenticated", "authenticated", "missing_token", 200),
    ("public", "public", 200, 200),
)


@pytest.mark.parametrize("value, anonymous, known", DEFAULTS)
def test_default_for_undeclared_paths(start, upstream, value, anonymous, known):
    proxy = start(configs.config(upstream, default=value))
    for token, expected in ((None, anonymous), (configs.token(), known)):
        answer = proxy.call("GET", "/nowhere", "X-User-Id: root", token=token)
        if expected == 200:
            assert answer.status == 200
            assert upstream.requests[-1].header("x-user-id") != "root"
        else:
            check_problem(answer, expected)
    check_problem(proxy.call("GET", "/internal/x", token=configs.token()), "route_denied")
    check_problem(proxy.call("PATCH", "/auth"), "method_not_allowed")
    assert len(upstream.requests) == [anonymous, known].count(200)


def test_a_route_may_have_an_upstream_of_its_own(start, upstream, new_upstream):
    other = new_upstream()
    proxy = start(configs.config(upstream, more_routes={"GET /other": {"scopes": "trade:read", "upstream": other.url}}))
    assert proxy.call("GET", "/other", token=configs.token()).status == 200
    assert (len(upstream.requests), len(other.requests)) == (0, 1)


def test_a_dead_upstream_of_one_route_is_502_for_that_route(start, upstream):
    dead = "http://127.0.0.1:%d" % free_port()
    proxy = start(configs.config(upstream, more_routes={"GET /dead": {"scopes": "trade:read", "upstream": dead}}))
    check_problem(proxy.call("GET", "/dead", token=configs.token()), "upstream_unavailable")
    assert proxy.call("GET", "/health").status == 200
