"""Who the caller is comes from the token alone: nothing a client sends can set, hide or remove it."""
import pytest

from harness import config as configs
from harness import mint
from harness.net import wait_until
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table

RESERVED = ("x-user-", "x-client-trusted", "x-client-id", "x-auth-")


@pytest.fixture(scope="module")
def settings():
    return {"issuers": {"main": configs.issuer(admin="is_admin")}, "limits": {"identity": "1KiB"}}


def identity(request):
    """The identity headers that the upstream saw, under names in lower case with `_` read as `-`."""
    found = {}
    for name, value in request.headers:
        plain = name.lower().replace("_", "-")
        if plain.startswith(RESERVED):
            assert plain not in found, "%s twice: %r" % (plain, request.headers)
            found[plain] = value
    return found


SPOOFS = table(
    ("the usual spelling", "X-User-Id: root"),
    ("lower case", "x-user-id: root"),
    ("capitals", "X-USER-ID: root"),
    ("underscores", "X_User_Id: root"),
    ("lower case underscores", "x_user_id: root"),
    ("a mix of both", "X_USER-ID: root"),
    ("the other mix", "x-user_id: root"),
    ("no space after the colon", "X-User-Id:root"),
    ("an empty value", "X-User-Id:"),
    ("the name", "X-User-Name: root"),
    ("the roles", "X-User-Roles: admin"),
    ("the scopes", "X-User-Scopes: everything"),
    ("the admin flag", "X-User-Admin: true"),
    ("the client", "X-Client-Id: root"),
    ("the trust", "X-Client-Trusted: true"),
    ("the trust in underscores", "X_Client_Trusted: true"),
    ("the issuer", "X-Auth-Issuer: root"),
    ("another X-User header", "X-User-Email: root@x"),
    ("another X-User header in underscores", "x_user_anything: root"),
    ("another X-Auth header", "X-Auth-Request-User: root"),
    ("another X-Auth header in underscores", "X_AUTH_REQUEST_USER: root"),
)
PATHS = [("/health", False), ("/optional", False), ("/optional", True), ("/auth", True)]


@pytest.mark.parametrize("target, known", PATHS, ids=["public", "anonymous", "optional", "authenticated"])
@pytest.mark.parametrize("field", SPOOFS)
def test_spoofed_header_never_arrives(proxy, upstream, field, target, known):
    fields = [field] + ([bearer(configs.token())] if known else []) + ["X-Kept: 1", field]
    assert proxy.call("GET", target, *fields).status == 200
    request = upstream.requests[0].check()
    assert request.header("x-kept") == "1"
    assert "root" not in request.raw_head.decode("latin-1")
    if known:
        assert identity(request)["x-user-id"] == "user-7"
    else:
        assert identity(request) == {}


NAMED = table(
    ("one inserted header", "Connection: x-user-id"),
    ("one in capitals among others", "Connection: keep-alive, X-USER-ID"),
    ("one in underscores", "Connection: x_user_id"),
    ("all of them", "Connection: x-user-id, x-user-scopes, x-client-id, x-auth-issuer, x-user-roles"),
    ("forwarding headers", "Connection: x-forwarded-for, x-request-id, traceparent"),
    ("two Connection headers", "Connection: close\r\nConnection: x-user-id"),
    ("Authorization", "Connection: authorization"),
)


@pytest.mark.parametrize("field", NAMED)
def test_connection_cannot_remove_an_inserted_header(proxy, upstream, field):
    answer = proxy.call("POST", "/auth", field, token=configs.token(), body=b"abc")
    assert answer.status == 200
    request = upstream.requests[0].check()
    seen = identity(request)
    assert seen["x-user-id"] == "user-7" and seen["x-auth-issuer"] == "main"
    assert seen["x-user-scopes"] == "trade:read account:read"
    assert request.header("host") == "mt5.test"
    assert request.header("x-forwarded-for") and request.header("x-request-id")
    assert request.body == b"abc"


@pytest.mark.parametrize("name", ["host", "content-length", "transfer-encoding", "Content-Length, x-user-id"])
def test_connection_cannot_remove_framing_or_host(proxy, upstream, name):
    """Refused, or forwarded with all of it in place: never forwarded without."""
    answer = proxy.call("POST", "/auth", "Connection: " + name, token=configs.token(), body=b"abc")
    if answer.status == 200:
        request = upstream.requests[0].check()
        assert request.header("host") == "mt5.test" and request.body == b"abc"
        assert identity(request)["x-user-id"] == "user-7"
    else:
        check_problem(answer, "bad_request")
        assert upstream.requests == []


def test_spoofed_trailers_never_arrive(proxy, upstream):
    for name in ("X-User-Id", "x_user_id", "X-Auth-Anything"):
        with proxy.client() as client:
            client.send(head("POST", "/public/t", "Transfer-Encoding: chunked", "Trailer: " + name))
            client.send("1\r\na\r\n0\r\n%s: root\r\n\r\n" % name)
            check_problem(client.response(), "bad_request")
    # A head may still be on its way to the upstream: the connection it came on ends, and then it is all there.
    assert proxy.call("GET", "/health?sentinel").status == 200
    for request in upstream.requests:
        if request.target != "/health?sentinel":
            wait_until(lambda: upstream.connections[request.connection].closed, 3)
            assert not request.complete and request.trailers == []


def test_spoofed_header_of_a_refused_upgrade_reaches_nobody(proxy, only_sentinel):
    answer = proxy.call("GET", "/public/ws", "Connection: Upgrade, x-user-id", "Upgrade: websocket", "X-User-Id: root")
    check_problem(answer, "bad_request")
    only_sentinel()


def test_default_set(proxy, upstream):
    token = configs.token(is_trusted=True, is_admin=True)
    assert proxy.call("GET", "/auth", token=token).status == 200
    assert identity(upstream.requests[0]) == {
        "x-user-id": "user-7", "x-user-name": "ada", "x-user-roles": "trader",
        "x-user-scopes": "trade:read account:read", "x-user-admin": "true", "x-client-id": "trading-dashboard",
        "x-client-trusted": "true", "x-auth-issuer": "main",
    }


def test_inserted_names_are_spelled_as_configured(proxy, upstream):
    proxy.call("GET", "/auth", token=configs.token())
    names = [name for name, _ in upstream.requests[0].headers]
    assert "X-User-Id" in names and "X-Auth-Issuer" in names


VALUES = table(
    ("a missing claim inserts nothing", {"sub": None}, "x-user-id", None),
    ("a null claim inserts nothing", {"username": ...}, "x-user-name", None),
    ("an empty claim inserts nothing", {"username": ""}, "x-user-name", None),
    ("an empty list inserts nothing", {"roles": []}, "x-user-roles", None),
    ("scopes are joined by a space", {"scope": None, "scopes": ["a", "b:c"]}, "x-user-scopes", "a b:c"),
    ("roles are joined by a comma", {"roles": ["a", "b"]}, "x-user-roles", "a,b"),
    ("a comma inside a role is encoded", {"roles": ["a,b", "c"]}, "x-user-roles", "a%2Cb,c"),
    ("a space inside a scope of a list is encoded", {"scope": None, "scopes": ["a b", "c"]}, "x-user-scopes", "a%20b c"),
    ("a percent is encoded", {"sub": "100%"}, "x-user-id", "100%25"),
    ("a percent that looks like an escape is encoded", {"sub": "a%0d%0aX"}, "x-user-id", "a%250d%250aX"),
    ("non-ASCII is encoded as UTF-8", {"sub": "J\u00e4ger\u20ac"}, "x-user-id", "J%C3%A4ger%E2%82%AC"),
    ("an emoji is encoded as UTF-8", {"username": "\U0001f511"}, "x-user-name", "%F0%9F%94%91"),
    ("a comma in a single value stays", {"username": "Lovelace, Ada"}, "x-user-name", "Lovelace, Ada"),
    ("a colon stays", {"sub": "a:b"}, "x-user-id", "a:b"),
    ("a false flag", {"is_trusted": False}, "x-client-trusted", "false"),
    ("an admin flag that is false", {"is_admin": False}, "x-user-admin", "false"),
    ("azp stands in for client_id", {"client_id": None, "azp": "app"}, "x-client-id", "app"),
    ("client_id comes before azp", {"azp": "app"}, "x-client-id", "trading-dashboard"),
    ("preferred_username stands in", {"username": None, "preferred_username": "pu"}, "x-user-name", "pu"),
)


@pytest.mark.parametrize("changes, name, value", VALUES)
def test_inserted_value(proxy, upstream, changes, name, value):
    payload = mint.claims(**{k: v for k, v in changes.items() if v is not ...})
    payload.update({k: None for k, v in changes.items() if v is ...})
    token = mint.forge(configs.RSA.header(), payload, configs.RSA.sign)
    assert proxy.call("GET", "/auth", token=token).status == 200
    found = identity(upstream.requests[0].check()).get(name)
    assert found == value or (found and value and found.lower() == value.lower() and "%" in value), found


def test_an_identity_over_the_limit_is_403_and_counted(proxy, only_sentinel):
    before = proxy.metrics().value("postern_decisions_total", code="identity_too_large")
    answer = proxy.call("GET", "/auth", token=configs.token(roles=["role-%d" % n for n in range(300)]))
    check_problem(answer, "identity_too_large")
    only_sentinel()
    assert proxy.metrics().value("postern_decisions_total", code="identity_too_large") == before + 1


def test_spoofed_requests_are_counted_and_flagged(proxy, upstream):
    before = proxy.metrics().value("postern_spoofed_headers_total")
    proxy.call("GET", "/health", "X-User-Id: root", "x_user_id: root", "X-Request-Id: spoof-1")
    proxy.call("GET", "/health", "X-Request-Id: honest-1")
    assert proxy.access("spoof-1")["spoofed"] is True
    assert not proxy.access("honest-1").get("spoofed")
    assert proxy.metrics().value("postern_spoofed_headers_total") == before + 1, "each request counts once"


def test_configured_set_replaces_the_inserted_one_and_strips_both(start, upstream):
    identity_set = {"X-Caller": "user", "X-Org": "/org/name", "X-Dotted": "https://x.test/role", "X-Issuer": "issuer",
                    "X-Flags": "flags"}
    proxy = start(configs.config(upstream, identity=identity_set))
    token = configs.token(**{"org": {"name": "acme"}, "https://x.test/role": "boss", "flags": ["a", "b,c"]})
    spoofs = ["X-Caller: root", "x_caller: root", "X_ORG: root", "X-User-Id: root", "X-Client-Id: root",
              "X-Client-Trusted: root", "X-Auth-Issuer: root", "Connection: x-caller"]
    for target, known in (("/auth", True), ("/health", False)):
        fields = spoofs + ([bearer(token)] if known else [])
        assert proxy.call("GET", target, *fields).status == 200
    known, anonymous = upstream.requests
    assert known.header("x-caller") == "user-7"
    assert known.header("x-org") == "acme"
    assert known.header("x-dotted") == "boss"
    assert known.header("x-issuer") == "main"
    assert known.header("x-flags") == "a,b%2Cc"
    for request in (known, anonymous):
        assert "root" not in request.raw_head.decode("latin-1")
        assert identity(request) == {}
    assert not set(anonymous.names()) & {"x-caller", "x-org", "x-dotted", "x-issuer", "x-flags"}


def test_claims_of_ones_own_mapping(start, upstream):
    mapping = {"scopes": "perms", "roles": "/realm_access/roles", "user": ["uid", "sub"], "name": "nick", "client": "app"}
    proxy = start(configs.config(upstream, issuers={"main": configs.issuer(claims=mapping)}))
    token = configs.token(perms=["trade:read", "account:read"], scope=None, realm_access={"roles": ["r1", "r2"]}, nick="n")
    assert proxy.call("GET", "/api/v1/trades", token=token).status == 200
    seen = identity(upstream.requests[0])
    assert (seen["x-user-roles"], seen["x-user-name"], seen["x-user-id"]) == ("r1,r2", "n", "user-7")
    assert "x-client-id" not in seen


def test_no_admin_header_without_an_admin_claim_configured(start, upstream):
    proxy = start(configs.config(upstream))
    assert proxy.call("GET", "/auth", token=configs.token(is_admin=True)).status == 200
    assert "x-user-admin" not in identity(upstream.requests[0])
