"""No secret in any log at any level: every flow at `--log-level trace`, good and bad, and then a search for every secret, token
and password that was issued or sent: in standard output and error, in the audit log, in the store, in Redis. Over both stores."""
import base64
import itertools
import json
import os
import secrets
import stat
import urllib.parse

import pytest

from harness import mint
from harness.answers import problem
from harness.issuer import assertion, basic, by_assertion
from harness.net import wait_until
from harness.raw import RawClient, bearer, head
from harness.tiers import digest

CLIENTS, USERS = "/api/v1/admin/service-clients", "/api/v1/admin/users"
GRANT = {"grant_type": "client_credentials"}


class Ledger:
    """Everything that must not be found again, by what it is."""

    def __init__(self):
        self.kept = {}

    def add(self, what, text):
        assert len(text) >= 8, what
        self.kept.setdefault(what, []).append(text)
        return text

    def new(self, what):
        """A secret of the tests' own, which nobody could guess."""
        return self.add(what, "wrong-" + secrets.token_hex(12))

    def token(self, what, text):
        """A JWT: besides the whole, each part that only its holder knows."""
        self.add(what + ", its signature", text.split(".")[-1])
        self.add(what + ", its payload", text.split(".")[1])
        return self.add(what, text)

    def found_in(self, data):
        """What was found there, in any of the forms in which it may have been written down."""
        return sorted({what for what, texts in self.kept.items() for text in texts if any(
            form in data for form in self.forms(text))})

    @staticmethod
    def forms(text):
        raw = text.encode()
        encoded = base64.b64encode(raw).rstrip(b"=")
        return {raw, raw.hex().encode(), raw.hex().upper().encode(), encoded, urllib.parse.quote(text).encode(),
                json.dumps(text)[1:-1].encode()}


def send_raw(server, method, target, *lines, body=b""):
    """A request that is no good, byte by byte; whatever comes back."""
    with RawClient(server.port) as client:
        client.send(head(method, target, *lines, "Content-Length: %d" % len(body)) + body)
        return client.response(method)


def clients_flow(issuer, ledger):
    """Registration, tokens by every way, new secrets, refusals."""
    key = mint.key("ES256")
    name = issuer.add_client("audited-client", scope_ids=["trade:read"], jwks=mint.jwks(key), rate_limit_per_minute=1000)
    secret = ledger.add("a client's secret", issuer.secrets[name])
    ledger.add("a client's secret in Basic", basic(name, secret).split()[-1].rstrip("="))
    token = ledger.token("a client's token", issuer.token(name))
    for path in ("/oauth/token", "/api/v1/auth/service-token"):
        ledger.token("a client's token", issuer.request_token(name, path=path).json()["access_token"])
    text = ledger.token("an assertion", assertion(key, name, issuer.url))
    for _ in range(2):
        issuer.call("POST", "/oauth/token", form=dict(GRANT, **by_assertion(text)))
    found = issuer.admin("POST", CLIENTS + "/%s/rotate-secret" % name, {"overlap_seconds": 60}, 200).json()
    ledger.add("a new secret", found["client_secret"])
    for _ in range(2):
        issuer.revoke(token, name)
    line = basic(name, ledger.new("a wrong secret in Basic"))
    ledger.add("a wrong secret in Basic", line.split()[-1].rstrip("="))
    issuer.call("POST", "/oauth/token", line, form=GRANT)
    for path in ("/oauth/token", "/api/v1/auth/service-token", "/oauth/introspect", "/oauth/revoke"):
        fields = {"client_id": name, "client_secret": ledger.new("a wrong secret"), "token": ledger.new("a token that is none")}
        issuer.call("POST", path, form=dict(GRANT, **fields))
        fields = {"client_id": name, "client_secret": ledger.new("a secret in JSON")}
        issuer.call("POST", path, json_body=fields)
    return name, found["client_secret"]


def users_flow(issuer, ledger):
    """Users, logins good and bad, refresh tokens used twice, service keys, both introspections."""
    user = issuer.add_user("audited-user", ledger.new("a password"), permissions=["trade:read"])
    issuer.login(dict(user, password=ledger.new("a wrong password")))
    issuer.login(dict(user, username=ledger.new("a password in the place of the name")))
    session = issuer.session(user)
    ledger.token("a user's token", session["access_token"])
    ledger.add("a refresh token", session["refresh_token"])
    body = {"refresh_token": session["refresh_token"]}
    second = issuer.call("POST", "/auth/refresh", json_body=body).json()
    ledger.token("a user's token", second["access_token"])
    ledger.add("a refresh token", second["refresh_token"])
    key = ledger.add("a service key", issuer.add_service_key("audited-key")["api_key"])
    for each in (session["access_token"], ledger.new("a token that is none"), second["refresh_token"]):
        issuer.hecate(key, each)
        issuer.introspect(each, bearer(key))
    issuer.call("POST", "/auth/introspect", token="hsk_" + ledger.new("a wrong key"), json_body={"token": second["access_token"]})
    problem(issuer.call("POST", "/auth/refresh", json_body=body), 401)
    issuer.call("POST", "/auth/refresh", json_body={"refresh_token": "hrt_" + ledger.new("a wrong refresh token")})
    issuer.change_user(user, password=ledger.new("a new password"))
    issuer.call("POST", "/auth/logout-all", token=second["access_token"])
    return key


def rubbish_flow(issuer, ledger, key):
    """Requests that are no good in every way, each with something in it that must not be written down."""
    admin = issuer.admin_token()
    for path in (CLIENTS, USERS, "/auth/login", "/auth/refresh", "/auth/introspect", "/api/v1/auth/service-token"):
        authorization = bearer(key if path == "/auth/introspect" else admin)
        for kind, shape in itertools.product(
                ("application/json", "text/plain", "application/x-www-form-urlencoded"),
                ('{"password": "%s', '{"password": "%s", "password": 1}', '["%s"]', "%s", '{"%s": 1}', '{"username": {"a": "%s"}}',
                 '{"client_id": "a b", "client_secret": "%s", "refresh_token": 1}', "client_secret=%s&client_secret=1")):
            body = (shape % ledger.new("a secret in a body that is none")).encode()
            send_raw(issuer, "POST", path, authorization, "Content-Type: " + kind, body=body)
    for path in ("/auth/login", "/oauth/token", CLIENTS, "/health", "/nothing/here"):
        target = "%s?access_token=%s&client_secret=x" % (path, ledger.new("a token in a query"))
        send_raw(issuer, "POST", target)
        send_raw(issuer, "GET", target)
    for scheme in ("Bearer %s", "Basic %s", "Basic  %s", "Digest %s", "%s", "Bearer hsk_%s", "Bearer a.%s.c"):
        line = "Authorization: " + scheme % ledger.new("a wrong header")
        for method, path in (("GET", CLIENTS), ("POST", "/oauth/token"), ("POST", "/oauth/introspect"), ("POST", "/auth/introspect"),
                             ("POST", "/auth/logout-all")):
            send_raw(issuer, method, path, line)
    private = dict(mint.key("ES256").jwk(), d=mint.b64(ledger.new("a private key").encode()))
    ledger.add("a private key", private["d"])
    issuer.admin("POST", CLIENTS, {"client_id": "leaky", "jwks": {"keys": [private]}}, 422)


def owner_only(path):
    return stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0


@pytest.mark.timeout(60)
def test_no_secret_is_written_down(start_issuer, issuer_store, redis_server, tmp_path):
    ledger = Ledger()
    password = ledger.new("the password of Redis")
    redis = redis_server(password=password)
    redis_url = "redis://127.0.0.1:%d" % redis.port
    log = tmp_path / "audit.log"
    issuer = start_issuer(issuer_store, "--log-level", "trace", "--audit-log", str(log), "--redis", redis_url,
                          variables={"POSTERN_ISSUER_REDIS_PASSWORD": password})
    ledger.add("the administrator's secret", issuer.secrets["admin"])
    ledger.token("the administrator's token", issuer.admin_token())
    ledger.add("the master key", issuer.key_file.read_text().strip())
    if issuer_store.kind == "postgres":
        ledger.add("the password of PostgreSQL", issuer_store.server.password)
    issuer.await_redis()
    name, secret = clients_flow(issuer, ledger)
    key = users_flow(issuer, ledger)
    rubbish_flow(issuer, ledger, key)
    # Its neighbours go away and come back, and it crashes: what it says of that names nobody's password.
    redis.kill()
    issuer.secrets[name] = secret
    issuer.revoke(ledger.token("a client's token", issuer.token(name)), name)
    redis.start()
    issuer.kill()
    issuer.start()
    issuer.admin("DELETE", USERS + "/" + issuer.add_user(password=ledger.new("a password"))["user_id"], status=204)
    wait_until(lambda: "user.delete" in log.read_text(), 5, "the last line of the audit log")
    issuer.stop()

    said = issuer.said().encode()
    assert b" trace " in said or b" debug " in said, "the log was not as talkative as it can be"
    assert name.encode() in said
    assert ledger.found_in(said) == []
    audit = log.read_bytes()
    assert b"client:" + name.encode() in audit and b"user.login" in audit
    assert ledger.found_in(audit) == []
    contents = issuer.store.contents()
    assert name.encode() in contents and b"client.create" in contents
    assert ledger.found_in(contents) == []
    # Neither is there what anybody could recognize a secret by: a hash without the pepper.
    assert not [what for what, texts in ledger.kept.items() for text in texts
                if digest(text).encode() in contents or bytes.fromhex(digest(text)) in contents]
    with redis.connect() as connection:
        assert ledger.found_in(repr(connection.dump()).encode()) == []
    assert owner_only(log) and owner_only(issuer.key_file)
    if issuer_store.kind == "sqlite":
        assert all(owner_only(each) for each in issuer_store.path.parent.glob("issuer.sqlite*"))


def test_the_search_finds_what_is_there():
    """The test of the test."""
    ledger = Ledger()
    text = ledger.new("a secret")
    for form in (text, text.encode().hex(), base64.b64encode(text.encode()).decode(), "x" + text + "y"):
        assert ledger.found_in(b"..." + form.encode() + b"...") == ["a secret"]
    assert ledger.found_in(text[:-1].encode()) == []
