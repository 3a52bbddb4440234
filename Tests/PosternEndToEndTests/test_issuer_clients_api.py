"""The admin API of service clients: field names, statuses, defaults, limits of every field, lists, and what a change does
to the client's tokens. Over both stores."""
import pytest

from harness import mint
from harness.answers import SECRET, TIME, bad_fields, oauth_error, problem
from harness.issuer import basic, claims
from harness.net import wait_until
from harness.raw import RawClient, bearer, head
from harness.table import table

CLIENTS = "/api/v1/admin/service-clients"
DEFAULTS = {
    "description": "", "client_type": "confidential", "is_active": True, "is_trusted": False, "access_token_lifetime": 3600,
    "refresh_token_lifetime": 86400, "rate_limit_per_minute": 60, "rate_limit_per_hour": 1000, "allowed_ips": "",
    "scope_ids": [], "jwks": None,
}
MEMBERS = set(DEFAULTS) | {"client_id", "name", "contact_email", "created_at", "updated_at"}
REFERENCE = {
    "client_id": "mt5-api-service", "name": "MT5 API Service", "description": "The MT5 API", "client_type": "confidential",
    "is_active": True, "is_trusted": True, "access_token_lifetime": 3600, "refresh_token_lifetime": 86400,
    "rate_limit_per_minute": 300, "rate_limit_per_hour": 10000, "contact_email": "mt5@trading.test",
    "allowed_ips": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8",
    "scope_ids": ["trade:open", "trade:close", "trade:modify", "account:read", "account:balance", "market:data", "service:mt5"],
}


def test_the_reference_client_is_registered_read_changed_and_removed(server):
    answer = server.admin("POST", CLIENTS, REFERENCE, 201)
    assert answer.header("cache-control") == "no-store"
    path = answer.header("location")
    path = path[len(server.url):] if path.startswith(server.url) else path
    assert path == CLIENTS + "/mt5-api-service"
    made = answer.json()
    secret = made.pop("client_secret")
    assert SECRET.match(secret)
    assert set(made) == MEMBERS
    assert TIME.match(made["created_at"]) and made["created_at"] == made["updated_at"]
    allowed = made.pop("allowed_ips")
    assert [each.strip() for each in allowed.split(",")] == REFERENCE["allowed_ips"].split(",")
    assert {name: made[name] for name in REFERENCE if name != "allowed_ips"} == {
        name: value for name, value in REFERENCE.items() if name != "allowed_ips"}
    assert server.admin("GET", path, status=200).json() == dict(made, allowed_ips=allowed)

    token = server.request_token("mt5-api-service", secret).json()
    assert token["expires_in"] == 3600 and token["scope"].split() == REFERENCE["scope_ids"]
    assert claims(token["access_token"])["is_trusted"] is True

    changed = server.admin("PATCH", path, {"access_token_lifetime": 120, "scope_ids": ["market:data"]}, 200).json()
    assert changed == dict(made, allowed_ips=allowed, access_token_lifetime=120, scope_ids=["market:data"],
                           updated_at=changed["updated_at"])
    token = server.request_token("mt5-api-service", secret).json()
    assert (token["expires_in"], token["scope"]) == (120, "market:data")

    answer = server.admin("DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    problem(server.admin("GET", path), 404)
    problem(server.admin("DELETE", path), 404)
    oauth_error(server.request_token("mt5-api-service", secret), 401, "invalid_client")


def test_defaults(server):
    made = server.admin("POST", CLIENTS, {"client_id": "plain"}, 201).json()
    assert {name: made[name] for name in DEFAULTS} == DEFAULTS
    assert made["name"] == "plain" and made["contact_email"] in ("", None)


def test_a_second_one_of_the_name_is_a_conflict(server):
    name = server.add_client()
    problem(server.admin("POST", CLIENTS, {"client_id": name}), 409, "already_exists")
    assert server.request_token(name).status == 200, "the first one's secret changed"


WRONG = table(
    ("an empty client_id", {"client_id": ""}, {"client_id"}),
    ("a client_id with a space", {"client_id": "a b"}, {"client_id"}),
    ("a client_id that is too long", {"client_id": "a" * 129}, {"client_id"}),
    ("a client_id that is a number", {"client_id": 7}, {"client_id"}),
    ("the issuer's own client_id", {"client_id": "postern-issuer"}, {"client_id"}),
    ("a client_id like a user's id", {"client_id": "2b6f0cc9-04a1-4b6a-9b2c-3b1f6a1c1d11"}, {"client_id"}),
    ("a public client", {"client_type": "public"}, {"client_type"}),
    ("a lifetime that is too short", {"access_token_lifetime": 59}, {"access_token_lifetime"}),
    ("a lifetime that is too long", {"access_token_lifetime": 86401}, {"access_token_lifetime"}),
    ("a lifetime with a fraction", {"access_token_lifetime": 60.5}, {"access_token_lifetime"}),
    ("a lifetime as text", {"refresh_token_lifetime": "3600"}, {"refresh_token_lifetime"}),
    ("a refresh lifetime that is too long", {"refresh_token_lifetime": 31536001}, {"refresh_token_lifetime"}),
    ("no requests a minute", {"rate_limit_per_minute": 0}, {"rate_limit_per_minute"}),
    ("too many requests an hour", {"rate_limit_per_hour": 100000001}, {"rate_limit_per_hour"}),
    ("a huge number", {"rate_limit_per_hour": 10 ** 30}, {"rate_limit_per_hour"}),
    ("flags as text", {"is_active": "yes", "is_trusted": 1}, {"is_active", "is_trusted"}),
    ("a block that is none", {"allowed_ips": "10.0.0.0/8,here"}, {"allowed_ips"}),
    ("a prefix that is too long", {"allowed_ips": "10.0.0.0/33"}, {"allowed_ips"}),
    ("an IPv6 prefix that is too long", {"allowed_ips": "2001:db8::/129"}, {"allowed_ips"}),
    ("blocks as an array", {"allowed_ips": ["10.0.0.0/8"]}, {"allowed_ips"}),
    ("scopes as text", {"scope_ids": "trade:read"}, {"scope_ids"}),
    ("a scope with a space", {"scope_ids": ["trade read"]}, {"scope_ids"}),
    ("a scope with a quote", {"scope_ids": ["trade\"read"]}, {"scope_ids"}),
    ("a scope twice", {"scope_ids": ["trade:read", "trade:read"]}, {"scope_ids"}),
    ("keys that are no set", {"jwks": {"kty": "OKP"}}, {"jwks"}),
    ("keys as text", {"jwks": "{}"}, {"jwks"}),
    ("a control character", {"name": "a\u0007b"}, {"name"}),
    ("a misspelled field", {"scopes": ["trade:read"]}, {"scopes"}),
    ("a secret of one's own", {"client_secret": "x" * 32}, {"client_secret"}),
    ("everything at once", {
        "client_type": "public", "access_token_lifetime": 1, "rate_limit_per_minute": -1, "allowed_ips": "x",
        "scope_ids": [1], "is_active": "no", "nonsense": {}},
     {"client_type", "access_token_lifetime", "rate_limit_per_minute", "allowed_ips", "scope_ids", "is_active", "nonsense"}),
)


@pytest.mark.parametrize("fields, named", WRONG)
def test_every_bad_field_is_named(server, fields, named):
    assert bad_fields(server.admin("POST", CLIENTS, dict({"client_id": "never"}, **fields))) == named
    problem(server.admin("GET", CLIENTS + "/never"), 404)


@pytest.mark.parametrize("fields, named", [each for each in WRONG if "client_id" not in each.values[0]])
def test_a_change_with_bad_fields_changes_nothing(server, fields, named):
    before = server.admin("GET", CLIENTS + "/admin", status=200).json()
    assert bad_fields(server.admin("PATCH", CLIENTS + "/admin", dict({"description": "changed"}, **fields))) == named
    assert server.admin("GET", CLIENTS + "/admin", status=200).json() == before


def test_a_client_keeps_its_id(server):
    name = server.add_client()
    assert bad_fields(server.admin("PATCH", CLIENTS + "/" + name, {"client_id": "another"})) == {"client_id"}


def test_without_a_client_id(server):
    assert bad_fields(server.admin("POST", CLIENTS, {})) == {"client_id"}


def test_private_keys_are_refused_and_not_shown(server):
    key = mint.key("ES256")
    private = dict(key.jwk(), d=mint.b64(bytes(31) + b"\1"))
    answer = server.admin("POST", CLIENTS, {"client_id": "leaky", "jwks": {"keys": [private]}})
    assert bad_fields(answer) == {"jwks"}
    assert private["d"].encode() not in answer.body


def test_keys_come_back_as_they_are(server):
    keys = mint.jwks(mint.key("ES256"), mint.key("RS256"), mint.key("EdDSA"))
    name = server.add_client(jwks=keys)
    path = CLIENTS + "/" + name
    assert server.admin("GET", path, status=200).json()["jwks"] == keys
    assert server.admin("PATCH", path, {"jwks": None}, 200).json()["jwks"] is None


def test_boundaries_are_inside(server):
    for low, high in (("access_token_lifetime", (60, 86400)), ("refresh_token_lifetime", (60, 31536000)),
                      ("rate_limit_per_minute", (1, 1000000)), ("rate_limit_per_hour", (1, 100000000))):
        for value in high:
            assert server.admin("GET", CLIENTS + "/" + server.add_client(**{low: value}), status=200).json()[low] == value
    server.add_client("A.b_c-9" + "z" * 121)
    for empty in (None, ""):
        name = server.add_client(allowed_ips=empty)
        assert server.admin("GET", CLIENTS + "/" + name, status=200).json()["allowed_ips"] == ""


def pages(server, path, limit):
    """Every item of a list, page by page."""
    items, after = [], None
    while True:
        page = server.admin("GET", "%s?limit=%d%s" % (path, limit, "&after=" + after if after else ""), status=200).json()
        assert set(page) == {"items", "next"} and len(page["items"]) <= limit
        items += page["items"]
        after = page["next"]
        if after is None:
            return items
        assert len(page["items"]) == limit


def test_the_list_goes_through_all_of_them(server):
    names = {server.add_client() for _ in range(5)}
    for limit in (1, 3, 500):
        items = pages(server, CLIENTS, limit)
        found = [each["client_id"] for each in items]
        assert found == sorted(found, key=str.encode) and len(found) == len(set(found))
        assert names | {"admin"} <= set(found)
        assert all(set(each) == MEMBERS for each in items)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=-1"])
def test_a_wrong_limit(server, query):
    answer = server.admin("GET", CLIENTS + "?" + query)
    assert answer.status in (400, 422), answer
    problem(answer, answer.status)


GATES = table(
    ("no token", None, 401, "missing_token"),
    ("rubbish", "rubbish", 401, "invalid_token"),
    ("a forged token", mint.key("RS256").token(iss="x"), 401, "invalid_token"),
)
ADMINISTERED = [
    ("GET", CLIENTS), ("POST", CLIENTS), ("GET", CLIENTS + "/admin"), ("PATCH", CLIENTS + "/admin"),
    ("DELETE", CLIENTS + "/admin"), ("POST", CLIENTS + "/admin/rotate-secret"), ("POST", "/auth/service-keys"),
    ("GET", "/auth/service-keys"), ("DELETE", "/auth/service-keys/x"), ("GET", "/api/v1/admin/users"),
    ("POST", "/api/v1/admin/users"), ("GET", "/api/v1/admin/users/x"), ("PATCH", "/api/v1/admin/users/x"),
    ("DELETE", "/api/v1/admin/users/x"),
]


@pytest.mark.parametrize("token, status, code", GATES)
@pytest.mark.parametrize("method, path", ADMINISTERED)
def test_nobody_administers_without_a_good_token(server, method, path, token, status, code):
    body = {} if method in ("POST", "PATCH") else None
    answer = server.call(method, path, token=token, json_body=body)
    problem(answer, status, code)
    assert answer.header("www-authenticate").startswith("Bearer "), answer


@pytest.mark.parametrize("method, path", ADMINISTERED)
def test_a_token_without_the_scope_is_not_enough(server, method, path):
    if "plain-scopes" not in server.secrets:
        server.add_client("plain-scopes", scope_ids=["trade:read"], rate_limit_per_minute=1000)
    body = {} if method in ("POST", "PATCH") else None
    answer = server.call(method, path, token=server.token("plain-scopes"), json_body=body)
    problem(answer, 403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer.header("www-authenticate")


def test_each_scope_opens_its_own_half(server):
    clients, users = server.add_client(scope_ids=["admin:clients"]), server.add_client(scope_ids=["admin:users"])
    for name, open_path, closed in ((clients, CLIENTS, "/api/v1/admin/users"), (users, "/api/v1/admin/users", CLIENTS)):
        token = server.token(name)
        assert server.call("GET", open_path, token=token).status == 200
        problem(server.call("GET", closed, token=token), 403, "insufficient_scope")


def test_a_scope_that_is_taken_away_is_gone_at_once(server):
    name = server.add_client(scope_ids=["admin:clients"])
    token = server.token(name)
    server.change_client(name, scope_ids=[])
    problem(server.call("GET", CLIENTS, token=token), 403, "insufficient_scope")


SHAPES = table(
    ("no JSON", b"{", "Content-Type: application/json", 400),
    ("an array", b"[]", "Content-Type: application/json", 400),
    ("a member twice", b'{"client_id":"a","client_id":"b"}', "Content-Type: application/json", 400),
    ("no UTF-8", b'{"client_id":"\xff"}', "Content-Type: application/json", 400),
    ("a form", b"client_id=a", "Content-Type: application/x-www-form-urlencoded", 415),
    ("no type", b'{"client_id":"a"}', None, 415),
    ("too long", b'{"client_id":"' + b"a" * 70000 + b'"}', "Content-Type: application/json", 413),
)


@pytest.mark.parametrize("body, kind, status", SHAPES)
def test_bodies_that_are_no_good(server, body, kind, status):
    lines = [kind] if kind else []
    lines.append("Content-Length: %d" % len(body))
    with RawClient(server.port) as client:
        client.send(head("POST", CLIENTS, bearer(server.admin_token()), *lines) + body)
        problem(client.response("POST"), status)


def test_other_paths_and_methods(server):
    problem(server.admin("GET", "/api/v1/admin/nothing"), 404)
    for method, path, allowed in (("PUT", CLIENTS, {"GET", "POST"}), ("POST", CLIENTS + "/admin", {"GET", "PATCH", "DELETE"}),
                                  ("GET", "/auth/introspect", {"POST"}), ("DELETE", "/auth/login", {"POST"})):
        answer = server.admin(method, path)
        problem(answer, 405)
        assert set(answer.header("allow").split(", ")) - {"HEAD"} == allowed


def test_an_inactive_client_gets_no_token_and_loses_those_it_has(server):
    name, other = server.add_client(), server.add_client()
    token, others = server.token(name), server.token(other)
    server.change_client(name, is_active=False)
    oauth_error(server.request_token(name), 401, "invalid_client")
    lines = basic("admin", server.secrets["admin"])
    assert server.introspect(token, lines) == {"active": False}
    assert server.introspect(others, lines)["active"] is True
    server.change_client(name, is_active=True)
    assert server.introspect(token, lines) == {"active": False}, "a token came back to life"
    assert server.introspect(server.token(name), lines)["active"] is True


def test_a_removed_client_and_another_of_the_same_name(server):
    name = server.add_client()
    token, secret = server.token(name), server.secrets[name]
    server.admin("DELETE", CLIENTS + "/" + name, status=204)
    lines = basic("admin", server.secrets["admin"])
    assert server.introspect(token, lines) == {"active": False}
    server.add_client(name)
    oauth_error(server.request_token(name, secret), 401, "invalid_client")
    assert server.introspect(token, lines) == {"active": False}, "its namesake's token came back to life"
    assert server.introspect(server.token(name), lines)["active"] is True


def test_a_new_secret_replaces_the_old_one_at_once(server):
    name = server.add_client()
    old = server.secrets[name]
    answer = server.admin("POST", CLIENTS + "/%s/rotate-secret" % name, status=200)
    assert answer.header("cache-control") == "no-store"
    found = answer.json()
    assert set(found) == {"client_id", "client_secret", "old_secret_valid_until"}
    assert found["client_id"] == name and found["old_secret_valid_until"] is None
    oauth_error(server.request_token(name, old), 401, "invalid_client")
    assert server.request_token(name, found["client_secret"]).status == 200


def test_a_new_secret_beside_the_old_one(server):
    name = server.add_client(rate_limit_per_minute=1000)
    path = CLIENTS + "/%s/rotate-secret" % name
    old = server.secrets[name]
    found = server.admin("POST", path, {"overlap_seconds": 2}, 200).json()
    assert TIME.match(found["old_secret_valid_until"])
    assert [server.request_token(name, each).status for each in (old, found["client_secret"])] == [200, 200]
    wait_until(lambda: server.request_token(name, old).status == 401, 6, "the old secret's time to be over", interval=0.1)
    assert server.request_token(name, found["client_secret"]).status == 200


def test_how_long_an_old_secret_may_go_on(server):
    path = CLIENTS + "/%s/rotate-secret" % server.add_client()
    for wrong in (-1, 604801, "1", 1.5):
        assert bad_fields(server.admin("POST", path, {"overlap_seconds": wrong})) == {"overlap_seconds"}
    assert bad_fields(server.admin("POST", path, {"overlap": 1})) == {"overlap"}
    problem(server.admin("POST", CLIENTS + "/nobody/rotate-secret"), 404)
    server.admin("POST", path, {"overlap_seconds": 604800}, 200)


def test_the_audit_log_tells_who_did_it(server):
    name = server.add_client(description="audited")
    server.change_client(name, description="changed")
    server.admin("POST", CLIENTS + "/%s/rotate-secret" % name, status=200)
    server.admin("DELETE", CLIENTS + "/" + name, status=204)
    for action in ("client.create", "client.change", "client.rotate_secret", "client.delete"):
        line = server.await_audit(action, target="client:" + name)
        assert (line["actor"], line["allowed"], line["address"]) == ("client:admin", True, "127.0.0.1"), line
        assert line["request_id"] and line["time"].endswith("Z")
