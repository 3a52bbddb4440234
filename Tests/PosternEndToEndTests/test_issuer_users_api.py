"""Users: the admin API, login, refresh tokens that are good once, logging out everywhere. Over both stores."""
import datetime
import itertools

import pytest

from harness.answers import TIME, UUID, bad_fields, problem
from harness.issuer import basic, claims, without_identity
from harness.table import table
from test_issuer_clients_api import pages

USERS = "/api/v1/admin/users"
MEMBERS = {"user_id", "username", "email", "email_verified", "is_active", "is_admin", "roles", "permissions", "expires_on",
           "created_at", "updated_at"}
# Failed logins are throttled by address as well: tests that fail on purpose come from addresses of their own.
ISSUER_ARGUMENTS = ("--trusted-proxies", "127.0.0.0/8")
_addresses = itertools.count(1)


def elsewhere():
    """A header line by which the trusted proxy names an address that was never used."""
    number = next(_addresses)
    return "X-Forwarded-For: 198.18.%d.%d" % (number >> 8, number & 255)


def in_seconds(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def key(server):
    """A service key of the module's issuer."""
    return server.add_service_key()["api_key"]


def refused(server, user, **fields):
    """Fails unless that login is refused like any other."""
    members = problem(server.login(user, elsewhere(), **fields), 401, "invalid_credentials")
    return members


def refresh(server, token):
    return server.call("POST", "/auth/refresh", elsewhere(), json_body={"refresh_token": token})


def test_a_user_is_created_read_changed_and_removed(server, key):
    body = {"username": "Grace.Hopper", "password": "correct horse battery", "email": "grace@navy.test", "email_verified": True,
            "is_admin": True, "roles": ["trader", "auditor"], "permissions": ["trade:read", "trade:open"],
            "expires_on": "2099-12-31T00:00:00Z"}
    answer = server.admin("POST", USERS, body, 201)
    made = answer.json()
    assert set(made) == MEMBERS
    assert UUID.match(made["user_id"]) and TIME.match(made["created_at"]) and made["created_at"] == made["updated_at"]
    assert answer.header("location").endswith(USERS + "/" + made["user_id"])
    expected = dict(body, username="grace.hopper", is_active=True)
    del expected["password"]
    assert {name: made[name] for name in expected} == expected
    path = USERS + "/" + made["user_id"]
    assert server.admin("GET", path, status=200).json() == made

    user = dict(made, password=body["password"])
    session = server.session(user)
    assert server.hecate(key, session["access_token"]) == {
        "valid": True, "user_id": made["user_id"], "username": "grace.hopper", "is_admin": True,
        "roles": ["trader", "auditor"], "permissions": ["trade:read", "trade:open"]}

    changed = server.admin("PATCH", path, {"roles": [], "expires_on": None, "email": "g@navy.test"}, 200).json()
    assert changed == dict(made, roles=[], expires_on=None, email="g@navy.test", updated_at=changed["updated_at"])

    answer = server.admin("DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    problem(server.admin("GET", path), 404)
    problem(server.admin("PATCH", path, {"roles": []}), 404)
    problem(server.admin("DELETE", path), 404)
    assert server.hecate(key, session["access_token"]) == {"valid": False}
    refused(server, user)
    # The name may be given anew; the id never.
    again = server.admin("POST", USERS, body, 201).json()
    assert again["user_id"] != made["user_id"]
    assert server.hecate(key, session["access_token"]) == {"valid": False}


def test_defaults(server):
    made = server.admin("POST", USERS, {"username": "plain", "password": "12345678"}, 201).json()
    assert {name: made[name] for name in ("email_verified", "is_active", "is_admin", "roles", "permissions", "expires_on")} == {
        "email_verified": False, "is_active": True, "is_admin": False, "roles": [], "permissions": [], "expires_on": None}


def test_names_are_one_whatever_their_case(server):
    user = server.add_user()
    problem(server.admin("POST", USERS, {"username": user["username"].upper(), "password": "12345678"}), 409, "already_exists")
    assert server.login(dict(user, username=user["username"].upper())).status == 200


WRONG = table(
    ("an empty name", {"username": ""}, {"username"}),
    ("a name with a space", {"username": "a b"}, {"username"}),
    ("a name that is too long", {"username": "a" * 65}, {"username"}),
    ("a password that is too short", {"password": "1234567"}, {"password"}),
    ("a password that is too long", {"password": "x" * 257}, {"password"}),
    ("a password that is a number", {"password": 12345678}, {"password"}),
    ("flags as text", {"is_active": "true", "is_admin": 0, "email_verified": []}, {"is_active", "is_admin", "email_verified"}),
    ("a permission with a space", {"permissions": ["a b"]}, {"permissions"}),
    ("permissions as text", {"permissions": "trade:read"}, {"permissions"}),
    ("roles with a number", {"roles": ["a", 1]}, {"roles"}),
    ("a role twice", {"roles": ["a", "a"]}, {"roles"}),
    ("a day that is none", {"expires_on": "2025-02-30T00:00:00Z"}, {"expires_on"}),
    ("a day as a number", {"expires_on": 1760000000}, {"expires_on"}),
    ("a hash instead of a password", {"password_hash": "x"}, {"password_hash"}),
    ("an id of one's own", {"user_id": "7"}, {"user_id"}),
    ("everything at once", {"password": "", "is_active": 1, "roles": {}, "expires_on": "soon", "nonsense": 1},
     {"password", "is_active", "roles", "expires_on", "nonsense"}),
)


@pytest.mark.parametrize("fields, named", WRONG)
def test_every_bad_field_is_named(server, fields, named):
    body = dict({"username": "never", "password": "good enough"}, **fields)
    assert bad_fields(server.admin("POST", USERS, body)) == named


def test_missing_fields_are_named(server):
    assert bad_fields(server.admin("POST", USERS, {})) == {"username", "password"}


def test_the_list_goes_through_all_of_them(server):
    made = {server.add_user()["user_id"] for _ in range(3)}
    for limit in (1, 500):
        items = pages(server, USERS, limit)
        found = [each["user_id"] for each in items]
        assert found == sorted(found) and len(set(found)) == len(found)
        assert made <= set(found) and all(set(each) == MEMBERS for each in items)


def test_what_a_login_gives(server):
    user = server.add_user(permissions=["trade:read", "account:read"], roles=["trader"])
    answer = server.login(user)
    assert answer.status == 200 and answer.header("cache-control") == "no-store", answer
    found = answer.json()
    assert set(found) == {"access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in", "scope"}
    assert (found["token_type"], found["expires_in"], found["refresh_expires_in"]) == ("Bearer", 900, 86400)
    assert found["scope"].split() == ["trade:read", "account:read"]
    assert found["refresh_token"].startswith("hrt_") and len(found["refresh_token"]) == 47
    payload = claims(found["access_token"])
    assert payload["sub"] == user["user_id"] and payload["username"] == user["username"]
    assert (payload["is_admin"], payload["roles"], payload["permissions"]) == (False, ["trader"], ["trade:read", "account:read"])
    assert payload["scope"] == found["scope"] and payload["exp"] - payload["iat"] == 900


def test_a_login_through_a_client(server):
    client, user = server.add_client(access_token_lifetime=120, refresh_token_lifetime=600), server.add_user()
    fields = {"client_id": client, "client_secret": server.secrets[client]}
    found = server.session(user, **fields)
    assert (found["expires_in"], found["refresh_expires_in"]) == (120, 600)
    assert claims(found["access_token"])["client_id"] == client
    answer = server.login(user, elsewhere(), client_id=client, client_secret="wrong")
    assert answer.status == 401, answer


WITHOUT = table(
    ("an inactive account", {"is_active": False}),
    ("an account that is over", {"expires_on": "2020-01-01T00:00:00Z"}),
    ("an e-mail address that is not verified", {"email_verified": False}),
)


@pytest.mark.parametrize("fields", WITHOUT)
def test_who_may_not_log_in_learns_not_why(server, fields):
    user = server.add_user(**fields)
    right, wrong = server.login(user, elsewhere()), server.login(dict(user, password="wrong" * 3), elsewhere())
    problem(right, 401, "invalid_credentials")
    assert without_identity(right) == without_identity(wrong)


@pytest.mark.parametrize("fields", WITHOUT)
def test_a_fault_ends_tokens_that_are_out(server, key, fields):
    user = server.add_user(permissions=["a"])
    session = server.session(user)
    assert server.hecate(key, session["access_token"])["valid"] is True
    server.change_user(user, **fields)
    assert server.hecate(key, session["access_token"]) == {"valid": False}
    assert server.introspect(session["access_token"], "Authorization: Bearer " + key) == {"active": False}
    assert refresh(server, session["refresh_token"]).status == 401


def test_an_account_that_ends_soon_ends_its_tokens(server):
    user = server.add_user(expires_on=in_seconds(120))
    found = server.session(user)
    assert 0 < found["expires_in"] <= 120, found
    assert claims(found["access_token"])["exp"] == claims(found["access_token"])["iat"] + found["expires_in"]


def test_a_refresh_token_is_good_once(server, key):
    user = server.add_user(permissions=["a"])
    first = server.session(user)
    answer = refresh(server, first["refresh_token"])
    assert answer.status == 200 and answer.header("cache-control") == "no-store", answer
    second = answer.json()
    assert set(second) == set(first) and second["refresh_token"] != first["refresh_token"]
    assert claims(second["access_token"])["jti"] != claims(first["access_token"])["jti"]
    third = refresh(server, second["refresh_token"]).json()
    other = server.session(user)
    for each in (first, second, third, other):
        assert server.hecate(key, each["access_token"])["valid"] is True
    # Two have the second one: whoever is the thief, the family ends.
    problem(refresh(server, second["refresh_token"]), 401, "invalid_grant")
    problem(refresh(server, third["refresh_token"]), 401, "invalid_grant")
    for each in (first, second, third):
        assert server.hecate(key, each["access_token"]) == {"valid": False}
    assert server.hecate(key, other["access_token"])["valid"] is True, "another login of the same user ended as well"
    assert refresh(server, other["refresh_token"]).status == 200


def test_refresh_tokens_that_are_none(server):
    for token in ("hrt_" + "A" * 43, "x", server.session(server.add_user())["access_token"]):
        problem(refresh(server, token), 401, "invalid_grant")
    assert bad_fields(server.call("POST", "/auth/refresh", json_body={})) == {"refresh_token"}


def test_a_refresh_shows_what_has_changed(server):
    user = server.add_user(permissions=["a"])
    session = server.session(user)
    server.change_user(user, permissions=["a", "b"], roles=["new"])
    later = refresh(server, session["refresh_token"]).json()
    assert later["scope"] == "a b"
    assert claims(later["access_token"])["roles"] == ["new"]


def test_a_revoked_refresh_token_ends_its_session(server, key):
    client, user = server.add_client(), server.add_user()
    found = server.session(user, client_id=client, client_secret=server.secrets[client])
    stranger = server.add_client()
    server.call("POST", "/oauth/revoke", basic(stranger, server.secrets[stranger]), form={"token": found["refresh_token"]})
    assert server.hecate(key, found["access_token"])["valid"] is True, "a stranger revoked it"
    server.revoke(found["refresh_token"], client)
    assert server.hecate(key, found["access_token"]) == {"valid": False}
    problem(refresh(server, found["refresh_token"]), 401, "invalid_grant")


def logout(server, token, body=None):
    return server.call("POST", "/auth/logout-all", token=token, json_body=body)


def test_logging_out_everywhere(server, key):
    user, other = server.add_user(permissions=["a"]), server.add_user()
    sessions = [server.session(user) for _ in range(3)]
    others = server.session(other)
    answer = logout(server, sessions[0]["access_token"])
    assert (answer.status, answer.body) == (204, b"")
    for each in sessions:
        assert server.hecate(key, each["access_token"]) == {"valid": False}
        problem(refresh(server, each["refresh_token"]), 401, "invalid_grant")
    assert server.hecate(key, others["access_token"])["valid"] is True
    problem(logout(server, sessions[0]["access_token"]), 401, "invalid_token")
    # A login right behind it, within the same second, gives a token that holds.
    assert server.hecate(key, server.session(user)["access_token"])["valid"] is True


def test_an_administrator_logs_others_out(server, key):
    boss, user = server.add_user(is_admin=True), server.add_user()
    session = server.session(user)
    problem(logout(server, session["access_token"], {"user_id": boss["user_id"]}), 403)
    answer = logout(server, server.session(boss)["access_token"], {"user_id": user["user_id"]})
    assert answer.status == 204, answer
    assert server.hecate(key, session["access_token"]) == {"valid": False}
    problem(logout(server, server.session(boss)["access_token"], {"user_id": "2b6f0cc9-04a1-4b6a-9b2c-3b1f6a1c1d11"}), 404)


def test_an_administrator_who_is_a_user_administers(server):
    boss = server.add_user(is_admin=True)
    token = server.session(boss)["access_token"]
    for path in (USERS, "/api/v1/admin/service-clients", "/auth/service-keys"):
        assert server.call("GET", path, token=token).status == 200
    server.change_user(boss, is_admin=False)
    problem(server.call("GET", USERS, token=token), 403)


def test_who_changes_his_password_is_logged_out(server, key):
    user = server.add_user()
    session = server.session(user)
    server.change_user(user, password="another password")
    assert server.hecate(key, session["access_token"]) == {"valid": False}
    problem(refresh(server, session["refresh_token"]), 401, "invalid_grant")
    refused(server, user)
    assert server.hecate(key, server.session(dict(user, password="another password"))["access_token"])["valid"] is True


@pytest.mark.parametrize("known", [True, False], ids=["a-user", "nobody"])
def test_guessing_is_throttled(server, known):
    """Ten failures for a name from an address in a quarter of an hour, whether the name exists or not."""
    user = server.add_user() if known else {"username": "nobody-of-that-name", "password": ""}
    wrong, address = dict(user, password="not the password"), elsewhere()
    for _ in range(10):
        problem(server.login(wrong, address), 401, "invalid_credentials")
    for each in (wrong, user):
        answer = server.login(each, address)
        problem(answer, 429)
        assert 0 < int(answer.header("retry-after")) <= 900
    # Nobody locks another out of his account, and neighbours at the same address go on.
    if known:
        assert server.login(user, elsewhere()).status == 200
    assert server.login(server.add_user(), address).status == 200


def test_logins_that_are_no_good(server):
    assert bad_fields(server.call("POST", "/auth/login", json_body={})) == {"username", "password"}
    assert bad_fields(server.call("POST", "/auth/login", json_body={"username": 1, "password": [], "x": 0})) == {
        "username", "password", "x"}
    problem(server.call("POST", "/auth/login", form={"username": "a", "password": "b"}), 415)


def test_the_audit_log_tells_who_did_it(server):
    user = server.add_user()
    who = "user:" + user["user_id"]
    session = server.session(user)
    refused(server, dict(user, password="wrong" * 3))
    refresh(server, session["refresh_token"])
    server.change_user(user, roles=["x"])
    logout(server, session["access_token"])
    server.admin("DELETE", USERS + "/" + user["user_id"], status=204)
    for action in ("user.create", "user.change", "user.delete"):
        assert server.await_audit(action, target=who)["actor"] == "client:admin"
    for action in ("user.refresh", "user.logout_all"):
        assert server.await_audit(action, actor=who)["allowed"] is True
    assert server.await_audit("user.login", actor=who, allowed=True)
    assert server.await_audit("user.login", allowed=False)["reason"]
