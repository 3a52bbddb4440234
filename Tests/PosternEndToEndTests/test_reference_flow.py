"""The whole of `make run`: postern-issuer in dev mode, the trading demo, and Postern with the repository's proxy.yaml."""
import base64
import json
import re
import subprocess
import time
import urllib.parse

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from harness.net import free_port
from harness.problems import check_problem
from harness.process import ROOT, Child, Postern, environment, run, until_healthy
from harness.raw import RawClient, head
from harness.table import table

CLIENTS = {"mt5-api-service": "dev-secret-of-the-mt5-api-service", "trading-dashboard": "dev-secret-of-the-trading-dashboard"}
SECRETS = {"POSTERN_ISSUER_DEV_SECRET_" + name.upper().replace("-", "_"): secret for name, secret in CLIENTS.items()}
SCOPES = {
    "mt5-api-service": "trade:open trade:close trade:modify account:read account:balance market:data service:mt5",
    "trading-dashboard": "read:profile write:profile trade:read trade:open account:read market:data",
}


class Stack:
    """The three programs on ports of their own."""

    def __init__(self, folder, kind="mt5", issuer_arguments=()):
        self.issuer_port, self.service_port = free_port(), free_port()
        self.issuer_url = "http://127.0.0.1:%d" % self.issuer_port
        self.children = []
        issuer = Child(folder, "postern-issuer", [
            "run", "--dev", "--listen", "127.0.0.1:%d" % self.issuer_port, "--issuer", self.issuer_url,
            "--audience", "mt5-api", "--store", "sqlite:%s" % (folder / "issuer.sqlite"), *issuer_arguments], environment(**SECRETS))
        self.children.append(issuer)
        until_healthy(self.issuer_port, issuer)
        service = Child(folder, "trading-demo", [kind, "--port", self.service_port])
        self.children.append(service)
        until_healthy(self.service_port, service)
        self.proxy = Postern(self._folder(folder), self._configuration())
        self.children.append(self.proxy)

    @staticmethod
    def _folder(parent):
        (parent / "proxy").mkdir()
        return parent / "proxy"

    def _configuration(self):
        """The repository's proxy.yaml, defaults put in, on ports that are free here."""
        text = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", (ROOT / "proxy.yaml").read_text())
        ports = {8000: self.issuer_port, 8001: self.service_port, 8080: free_port(), 9901: free_port()}
        for documented, port in ports.items():
            text = re.sub(r":%d\b" % documented, ":%d" % port, text)
        return re.sub(r"\b0\.0\.0\.0:", "127.0.0.1:", text)

    def token(self, client="trading-dashboard", **fields):
        answer = self.issue("/api/v1/auth/service-token", dict({"client_id": client, "client_secret": CLIENTS[client]}, **fields))
        assert answer.status == 200, answer
        return answer.json()["access_token"]

    def issue(self, path, fields, *headers, as_json=False):
        body = (json.dumps(fields) if as_json else urllib.parse.urlencode(fields)).encode()
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        with RawClient(self.issuer_port) as client:
            client.send(head("POST", path, "Content-Type: " + kind, "Content-Length: %d" % len(body), *headers) + body)
            return client.response()

    def stop(self):
        for child in reversed(self.children):
            child.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    made = Stack(tmp_path_factory.mktemp("reference"))
    yield made
    made.stop()
    assert [child.process.returncode for child in made.children] == [0, 0, 0]


ALLOWED = table(
    ("health without a token", None, "GET", "/health"),
    ("the dashboard reads trades", "trading-dashboard", "GET", "/api/v1/trades"),
    ("the dashboard reads an account", "trading-dashboard", "GET", "/api/v1/account"),
    ("the dashboard reads the market", "trading-dashboard", "GET", "/api/v1/market/EURUSD"),
    ("the service reads a balance", "mt5-api-service", "GET", "/api/v1/account/balance"),
)


@pytest.mark.parametrize("client, method, path", ALLOWED)
def test_allowed(stack, client, method, path):
    token = stack.token(client) if client else None
    answer = stack.proxy.call(method, path, token=token)
    assert answer.status in (200, 201, 202, 204), answer


def test_a_trade_is_opened_by_one_client_and_closed_by_the_other(stack):
    body = json.dumps({"symbol": "EURUSD", "volume": 0.1, "side": "buy"}).encode()
    opened = stack.proxy.call("POST", "/api/v1/trades", "Content-Type: application/json", token=stack.token(), body=body)
    assert opened.status == 201, opened
    path = "/api/v1/trades/%d" % opened.json()["trade_id"]
    check_problem(stack.proxy.call("DELETE", path, token=stack.token()), "insufficient_scope", realm="mt5-api")
    closed = stack.proxy.call("DELETE", path, token=stack.token("mt5-api-service"))
    assert closed.status in (200, 204), closed


REFUSED = table(
    ("trades without a token", None, "GET", "/api/v1/trades", "missing_token"),
    ("the service reads trades", "mt5-api-service", "GET", "/api/v1/trades", "insufficient_scope"),
    ("the dashboard closes a trade", "trading-dashboard", "DELETE", "/api/v1/trades/700001", "insufficient_scope"),
    ("the dashboard reads a balance", "trading-dashboard", "GET", "/api/v1/account/balance", "insufficient_scope"),
    ("the dashboard reads admin statistics", "trading-dashboard", "GET", "/api/v1/admin/stats", "insufficient_scope"),
    ("the service reads admin statistics", "mt5-api-service", "GET", "/api/v1/admin/stats", "insufficient_scope"),
    ("an undeclared path", "mt5-api-service", "GET", "/api/v2/trades", "route_not_declared"),
    ("a wrong method", "mt5-api-service", "PATCH", "/api/v1/trades", "method_not_allowed"),
    ("an odd path", "mt5-api-service", "GET", "/api//v1/./trades", "ambiguous_path"),
)


@pytest.mark.parametrize("client, method, path, code", REFUSED)
def test_refused(stack, client, method, path, code):
    token = stack.token(client) if client else None
    answer = stack.proxy.call(method, path, token=token)
    check_problem(answer, code, realm="mt5-api")


def test_the_service_sees_the_caller_and_no_forged_one(stack):
    answer = stack.proxy.call("GET", "/api/v1/trades", "X-User-Id: forged", "x_client_id: forged", token=stack.token())
    caller = json.dumps(answer.json()["caller"])
    assert "trading-dashboard" in caller and "trade:read" in caller
    assert "forged" not in answer.body.decode()


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_token_answer(stack, client):
    answer = stack.issue("/api/v1/auth/service-token", {"client_id": client, "client_secret": CLIENTS[client]})
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == {"mt5-api-service": 3600, "trading-dashboard": 1800}[client]
    assert set(body["scope"].split()) == set(SCOPES[client].split())
    assert answer.header("cache-control") == "no-store"
    parts = body["access_token"].split(".")
    header, payload = (json.loads(base64.urlsafe_b64decode(each + "==")) for each in parts[:2])
    assert header["typ"] == "at+jwt" and header["kid"] and header["alg"] == "RS256"
    assert set(payload) >= {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "scopes", "is_trusted"}
    assert payload["is_trusted"] is (client == "mt5-api-service")
    assert payload["exp"] - payload["iat"] == body["expires_in"] and abs(payload["iat"] - time.time()) < 30


def test_another_implementation_verifies_the_issuers_tokens(stack):
    with RawClient(stack.issuer_port) as client:
        keys = KeySet.import_key_set(client.send(head("GET", "/.well-known/jwks.json")).response().json())
    assert jwt.decode(stack.token(), keys).claims["iss"] == stack.issuer_url
    assert all(not each.is_private for each in keys.keys), "a private key in the key set"


def test_the_issuer_prints_the_secrets_of_the_reference_clients(tmp_path):
    port = free_port()
    address = "127.0.0.1:%d" % port
    issuer = Child(tmp_path, "postern-issuer", [
        "run", "--dev", "--listen", address, "--issuer", "http://" + address, "--audience", "mt5-api",
        "--store", "sqlite:%s" % (tmp_path / "issuer.sqlite")])
    try:
        until_healthy(port, issuer)
        for name in CLIENTS:
            line = [each for each in issuer.output().splitlines() if name in each][0]
            secret = re.search(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])", line).group(0)
            body = urllib.parse.urlencode({"client_id": name, "client_secret": secret}).encode()
            with RawClient(port) as client:
                client.send(head("POST", "/api/v1/auth/service-token", "Content-Type: application/x-www-form-urlencoded",
                                 "Content-Length: %d" % len(body)) + body)
                assert client.response().status == 200
    finally:
        issuer.stop()


def test_metadata_names_the_endpoints(stack):
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        with RawClient(stack.issuer_port) as client:
            body = client.send(head("GET", path)).response().json()
        assert body["issuer"] == stack.issuer_url
        assert body["jwks_uri"] == stack.issuer_url + "/.well-known/jwks.json"
        assert body["token_endpoint"] == stack.issuer_url + "/oauth/token"


def basic(client, secret):
    return "Authorization: Basic " + base64.b64encode(("%s:%s" % (client, secret)).encode()).decode()


def test_standard_token_endpoint(stack):
    name, secret = "trading-dashboard", CLIENTS["trading-dashboard"]
    for answer in (
        stack.issue("/oauth/token", {"grant_type": "client_credentials"}, basic(name, secret)),
        stack.issue("/oauth/token", {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}),
    ):
        assert answer.status == 200, answer
        assert stack.proxy.call("GET", "/api/v1/trades", token=answer.json()["access_token"]).status == 200


def test_fewer_scopes_by_request(stack):
    token = stack.token(scope="trade:read")
    check_problem(stack.proxy.call("GET", "/api/v1/trades", token=token), "insufficient_scope", realm="mt5-api")


ISSUER_REFUSALS = table(
    ("a wrong secret", {"client_secret": "wrong"}, 401, "invalid_client"),
    ("an unknown client", {"client_id": "nobody"}, 401, "invalid_client"),
    ("a scope the client does not have", {"scope": "admin:system"}, 400, "invalid_scope"),
    ("a scope that does not exist", {"scope": "trade:read nothing:here"}, 400, "invalid_scope"),
)


@pytest.mark.parametrize("changes, status, error", ISSUER_REFUSALS)
def test_the_issuer_refuses(stack, changes, status, error):
    fields = dict({"client_id": "trading-dashboard", "client_secret": CLIENTS["trading-dashboard"]}, **changes)
    for as_json in (False, True):
        answer = stack.issue("/api/v1/auth/service-token", fields, as_json=as_json)
        assert (answer.status, answer.json()["error"]) == (status, error)


def test_a_wrong_grant_type(stack):
    answer = stack.issue("/oauth/token", {"grant_type": "password"}, basic("trading-dashboard", CLIENTS["trading-dashboard"]))
    assert (answer.status, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_valid_callers_keep_working_while_the_issuer_is_down(tmp_path):
    stack = Stack(tmp_path)
    try:
        used, fresh = stack.token(), stack.token()
        assert stack.proxy.call("GET", "/api/v1/trades", token=used).status == 200
        stack.children[0].stop()
        for token in (used, fresh):
            assert stack.proxy.call("GET", "/api/v1/trades", token=token).status == 200
    finally:
        stack.stop()


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_other_signing_algorithms(tmp_path, algorithm):
    stack = Stack(tmp_path, issuer_arguments=["--algorithm", algorithm])
    try:
        assert stack.proxy.call("GET", "/api/v1/trades", token=stack.token()).status == 200
    finally:
        stack.stop()


def test_the_commands_by_curl(stack):
    url = "http://127.0.0.1:%d" % stack.proxy.port
    token = json.loads(subprocess.run(
        ["curl", "-s", stack.issuer_url + "/api/v1/auth/service-token", "-d", "client_id=trading-dashboard",
         "-d", "client_secret=" + CLIENTS["trading-dashboard"]], stdout=subprocess.PIPE, timeout=10, check=True).stdout)["access_token"]
    done = subprocess.run(["curl", "-s", "-H", "Authorization: Bearer " + token, url + "/api/v1/trades"],
                          stdout=subprocess.PIPE, timeout=10, check=True)
    assert "trading-dashboard" in done.stdout.decode()
    done = subprocess.run(["curl", "-s", "-i", "-X", "DELETE", "-H", "Authorization: Bearer " + token, url + "/api/v1/trades/700001"],
                          stdout=subprocess.PIPE, timeout=10, check=True)
    assert done.stdout.startswith(b"HTTP/1.1 403") and b"trade:close" in done.stdout


def test_the_demo_contains_no_authentication(stack):
    with RawClient(stack.service_port) as client:
        assert client.send(head("GET", "/api/v1/trades")).response().status == 200


@pytest.mark.parametrize("kind", ["account", "notification"])
def test_the_other_services_start(tmp_path, kind):
    port = free_port()
    child = Child(tmp_path, "trading-demo", [kind, "--port", port])
    try:
        until_healthy(port, child)
    finally:
        child.stop()


def test_the_repositorys_file_is_a_screenful_and_good():
    done = run("postern", "check", ROOT / "proxy.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
