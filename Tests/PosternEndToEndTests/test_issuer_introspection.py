"""Service keys, and both forms of introspection, asked about every kind of token. Over both stores."""
import pytest

from harness import mint
from harness.answers import TIME, UUID, bad_fields, oauth_error, problem
from harness.issuer import assertion, basic, by_assertion, claims, without_identity
from harness.table import table

KEYS = "/auth/service-keys"


@pytest.fixture(scope="module")
def key(server):
    return server.add_service_key()["api_key"]


def test_a_service_key_is_created_listed_and_revoked(server):
    answer = server.admin("POST", KEYS, {"name": "mt5-api", "description": "The MT5 API's Postern"}, 201)
    assert answer.header("cache-control") == "no-store"
    made = answer.json()
    assert set(made) == {"uuid", "name", "description", "key_prefix", "is_active", "created_at", "api_key"}
    api_key = made.pop("api_key")
    assert api_key.startswith("hsk_") and len(api_key) == 47 and made["key_prefix"] == api_key[:12]
    assert UUID.match(made["uuid"]) and TIME.match(made["created_at"]) and made["is_active"] is True
    problem(server.admin("POST", KEYS, {"name": "mt5-api"}), 409, "already_exists")

    def listed():
        answer = server.admin("GET", KEYS, status=200)
        assert api_key.encode() not in answer.body
        return [each for each in answer.json() if each["uuid"] == made["uuid"]]

    assert listed() == [dict(made, revoked_at=None)]
    assert server.hecate(api_key, "rubbish") == {"valid": False}
    assert server.admin("DELETE", KEYS + "/mt5-api").status == 204
    problem(server.call("POST", "/auth/introspect", token=api_key, json_body={"token": "rubbish"}), 401)
    problem(server.admin("DELETE", KEYS + "/mt5-api"), 404)
    found = listed()[0]
    assert found["is_active"] is False and TIME.match(found["revoked_at"])
    # The name is free again; the old key stays refused.
    again = server.admin("POST", KEYS, {"name": "mt5-api"}, 201).json()
    assert server.hecate(again["api_key"], "rubbish") == {"valid": False}
    problem(server.call("POST", "/auth/introspect", token=api_key, json_body={"token": "rubbish"}), 401)


WRONG = table(
    ("no name", {}, {"name"}),
    ("an empty name", {"name": ""}, {"name"}),
    ("a name with a slash", {"name": "a/b"}, {"name"}),
    ("a name that is too long", {"name": "a" * 65}, {"name"}),
    ("everything at once", {"name": 1, "description": 2, "api_key": "hsk_x"}, {"name", "description", "api_key"}),
)


@pytest.mark.parametrize("fields, named", WRONG)
def test_every_bad_field_is_named(server, fields, named):
    assert bad_fields(server.admin("POST", KEYS, fields)) == named


def test_questions_that_are_no_good(server, key):
    assert bad_fields(server.call("POST", "/auth/introspect", token=key, json_body={})) == {"token"}
    assert bad_fields(server.call("POST", "/auth/introspect", token=key, json_body={"token": 7})) == {"token"}
    problem(server.call("POST", "/auth/introspect", token=key, form={"token": "x"}), 415)
    oauth_error(server.call("POST", "/oauth/introspect", "Authorization: Bearer " + key, form={}), 400, "invalid_request")


@pytest.mark.parametrize("token", [None, "", "hsk_", "hsk_" + "A" * 43, "rubbish"])
def test_keys_that_are_none_are_answered_alike(server, token):
    lines = [] if token is None else ["Authorization: Bearer " + token]
    answer = server.call("POST", "/auth/introspect", *lines, json_body={"token": "x"})
    problem(answer, 401)
    assert answer.header("www-authenticate").startswith("Bearer ")
    if token and token.startswith("hsk_"):
        revoked = server.add_service_key()
        server.admin("DELETE", KEYS + "/" + revoked["name"], status=204)
        other = server.call("POST", "/auth/introspect", token=revoked["api_key"], json_body={"token": "x"})
        assert without_identity(answer) == without_identity(other)


def test_a_client_token_has_no_user(server, key):
    token = server.token(server.add_client(scope_ids=["trade:read"]))
    assert server.hecate(key, token) == {"valid": False}


def test_a_client_token_in_the_standard_form(server, key):
    name = server.add_client(scope_ids=["trade:read", "account:read"], is_trusted=True)
    token = server.token(name, scope="trade:read")
    found = server.introspect(token, "Authorization: Bearer " + key)
    payload = claims(token)
    expected = {member: payload[member] for member in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "scopes",
                                                      "is_trusted")}
    assert found == dict(expected, active=True, token_type="Bearer")
    assert found["scope"] == "trade:read"


def test_a_user_token_in_the_standard_form(server, key):
    user = server.add_user(permissions=["trade:read"], roles=["trader"])
    session = server.session(user)
    found = server.introspect(session["access_token"], "Authorization: Bearer " + key)
    assert found["active"] is True and found["sub"] == user["user_id"] and found["username"] == user["username"]
    assert (found["is_admin"], found["roles"], found["permissions"]) == (False, ["trader"], ["trade:read"])
    server.change_user(user, permissions=["trade:open"], roles=[], is_admin=True)
    for _ in range(2):
        found = server.introspect(session["access_token"], "Authorization: Bearer " + key)
        assert (found["is_admin"], found["roles"], found["permissions"]) == (True, [], ["trade:open"])
        assert server.hecate(key, session["access_token"]) == {
            "valid": True, "user_id": user["user_id"], "username": user["username"], "is_admin": True, "roles": [],
            "permissions": ["trade:open"]}


def credentials(server, name, kind, key=None):
    """(header lines, form fields) by which a client authenticates."""
    if kind == "basic":
        return [basic(name, server.secrets[name])], {}
    if kind == "post":
        return [], {"client_id": name, "client_secret": server.secrets[name]}
    return [], by_assertion(assertion(key, name, server.url))


@pytest.mark.parametrize("kind", ["basic", "post", "private_key_jwt"])
def test_clients_introspect_and_revoke_by_every_kind_of_credentials(server, kind):
    key = mint.key("ES256")
    name = server.add_client(jwks=mint.jwks(key))
    token = server.token(name)
    lines, fields = credentials(server, name, kind, key)
    assert server.introspect(token, *lines, **fields)["active"] is True
    lines, fields = credentials(server, name, kind, key)
    answer = server.call("POST", "/oauth/revoke", *lines, form=dict(fields, token=token))
    assert (answer.status, answer.body) == (200, b"")
    lines, fields = credentials(server, name, kind, key)
    assert server.introspect(token, *lines, **fields) == {"active": False}


def tampered(token):
    """The token with another payload under the same signature."""
    header, _, signature = token.split(".")
    return "%s.%s.%s" % (header, mint.b64('{"sub":"x","exp":9999999999}'), signature)


def test_tokens_that_are_worth_nothing(server, key):
    user = server.add_user()
    session = server.session(user)
    token = session["access_token"]
    unsigned = mint.forge({"alg": "none", "typ": "at+jwt"}, claims(token))
    stranger = mint.key("RS256").token(**dict(claims(token), exp=claims(token)["exp"]))
    for bad in ("rubbish", "a.b.c", token + "x", token[:-10], tampered(token), unsigned, stranger, key, "x" * 16000):
        assert server.hecate(key, bad) == {"valid": False}
        assert server.introspect(bad, "Authorization: Bearer " + key) == {"active": False}
    # A refresh token is no access token.
    assert server.hecate(key, session["refresh_token"]) == {"valid": False}


def test_a_refresh_token_in_the_standard_form(server, key):
    """For whom it was issued to, and for services; for any other client there is no such token."""
    mine, other = server.add_client(), server.add_client()
    user = server.add_user()
    token = server.session(user, client_id=mine, client_secret=server.secrets[mine])["refresh_token"]
    for line in (basic(mine, server.secrets[mine]), "Authorization: Bearer " + key):
        found = server.introspect(token, line)
        assert set(found) == {"active", "sub", "client_id", "exp", "iat", "token_type"}, found
        assert (found["active"], found["sub"], found["client_id"], found["token_type"]) == (
            True, user["user_id"], mine, "refresh_token")
        assert found["exp"] - found["iat"] == 86400
    assert server.introspect(token, basic(other, server.secrets[other])) == {"active": False}
    assert server.call("POST", "/auth/refresh", json_body={"refresh_token": token}).status == 200
    assert server.introspect(token, basic(mine, server.secrets[mine])) == {"active": False}, "a token that was used"


def test_nobody_introspects_or_revokes_without_authentication(server):
    token = server.token("admin")
    for lines in ([], [basic("admin", "wrong")], ["Authorization: Bearer hsk_" + "A" * 43], ["Authorization: Bearer " + token]):
        for path in ("/oauth/introspect", "/oauth/revoke"):
            oauth_error(server.call("POST", path, *lines, form={"token": token}), 401, "invalid_client")
    assert server.introspect(token, basic("admin", server.secrets["admin"]))["active"] is True


def test_who_may_revoke_what(server, key):
    """A client what was issued to it or through it; an administrator's client and a service key a user's."""
    mine, other = server.add_client(), server.add_client()
    fields = {"client_id": mine, "client_secret": server.secrets[mine]}
    user = server.add_user()

    def active(token):
        return server.introspect(token, basic("admin", server.secrets["admin"]))["active"]

    for line, expected in ((basic(other, server.secrets[other]), True), (basic(mine, server.secrets[mine]), False),
                           (basic("admin", server.secrets["admin"]), False), ("Authorization: Bearer " + key, False)):
        token = server.session(user, **fields)["access_token"]
        server.call("POST", "/oauth/revoke", line, form={"token": token})
        assert active(token) is expected, line.split()[1]


def test_a_revoked_token_stays_revoked_over_a_restart(server, key):
    name = server.add_client()
    token = server.token(name)
    server.revoke(token, name)
    server.restart()
    assert server.introspect(token, "Authorization: Bearer " + key) == {"active": False}
    assert server.introspect(server.token(name), "Authorization: Bearer " + key)["active"] is True


def test_refused_introspection_is_audited_and_granted_is_not(server, key):
    user = server.add_user()
    token = server.session(user)["access_token"]
    before = [line for line in server.audit() if line["action"] == "token.introspect" and line["allowed"]]
    server.hecate(key, token)
    server.call("POST", "/auth/introspect", token="hsk_" + "B" * 43, json_body={"token": token})
    server.await_audit("token.introspect", allowed=False)
    assert [line for line in server.audit() if line["action"] == "token.introspect" and line["allowed"]] == before
