"""Clients and libraries that know nothing of postern-issuer, run unchanged: Authlib, requests-oauthlib, PyJWT, joserfc, curl."""
import base64
import json
import subprocess
import urllib.parse

import jwt as pyjwt
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt as jose_jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jwt import JWTClaimsRegistry
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidScopeError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session as RequestsOAuth2Session

from harness import mint
from harness.issuer import AUDIENCE, IssuerServer, claims
from harness.stores import SQLiteFile

SCOPES = ["trade:read", "account:read"]
ALGORITHMS = ["RS256", "ES256", "EdDSA"]


@pytest.fixture(scope="module", params=ALGORITHMS)
def issuer(request, tmp_path_factory):
    """An issuer for each algorithm of its tokens."""
    folder = tmp_path_factory.mktemp("issuer")
    made = IssuerServer(folder, SQLiteFile(folder), "--algorithm", request.param)
    made.algorithm = request.param
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(issuer):
    return issuer.add_client(scope_ids=SCOPES, rate_limit_per_minute=1000)


@pytest.fixture
def plain_http(monkeypatch):
    """Both libraries refuse http unless told that this is a test."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def metadata(issuer):
    return issuer.call("GET", "/.well-known/oauth-authorization-server").json()


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_by_secret(issuer, client, plain_http, method):
    found = metadata(issuer)
    assert method in found["token_endpoint_auth_methods_supported"]
    with OAuth2Session(client, issuer.secrets[client], scope=" ".join(SCOPES), token_endpoint_auth_method=method,
                       revocation_endpoint_auth_method=method) as session:
        token = session.fetch_token(found["token_endpoint"], grant_type="client_credentials")
        assert token["token_type"] == "Bearer" and token["expires_in"] == 3600 and token["scope"] == " ".join(SCOPES)
        answer = session.introspect_token(found["introspection_endpoint"], token=token["access_token"]).json()
        assert answer["active"] is True and answer["client_id"] == client
        answer = session.revoke_token(found["revocation_endpoint"], token=token["access_token"])
        assert answer.status_code == 200
        answer = session.introspect_token(found["introspection_endpoint"], token=token["access_token"]).json()
        assert answer == {"active": False}


@pytest.mark.parametrize("algorithm, kind", [("RS256", RSAKey), ("ES256", ECKey), ("EdDSA", OKPKey)])
def test_authlib_by_private_key(issuer, plain_http, algorithm, kind):
    found = metadata(issuer)
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert algorithm in found["token_endpoint_auth_signing_alg_values_supported"]
    key = mint.key(algorithm)
    # With a second key in the set: Authlib names none in the header.
    name = issuer.add_client(scope_ids=SCOPES, jwks=mint.jwks(mint.key(algorithm, algorithm + "-other"), key))
    method = PrivateKeyJWT(found["token_endpoint"], alg=algorithm)
    with OAuth2Session(name, kind.import_key(key.private_pem()), token_endpoint_auth_method=method,
                       revocation_endpoint_auth_method=method) as session:
        for _ in range(2):
            token = session.fetch_token(found["token_endpoint"], grant_type="client_credentials")
            assert claims(token["access_token"])["sub"] == name
        assert session.introspect_token(found["introspection_endpoint"], token=token["access_token"]).json()["active"] is True
        assert session.revoke_token(found["revocation_endpoint"], token=token["access_token"]).status_code == 200


def test_authlib_learns_why_not(issuer, client, plain_http):
    found = metadata(issuer)
    for secret, scope, error in (("wrong", None, "invalid_client"), (issuer.secrets[client], "admin:clients", "invalid_scope")):
        with OAuth2Session(client, secret, scope=scope) as session:
            with pytest.raises(OAuthError) as raised:
                session.fetch_token(found["token_endpoint"], grant_type="client_credentials")
            assert raised.value.error == error


def test_requests_oauthlib(issuer, client, plain_http):
    url, secret = metadata(issuer)["token_endpoint"], issuer.secrets[client]
    with RequestsOAuth2Session(client=BackendApplicationClient(client_id=client, scope=SCOPES)) as session:
        token = session.fetch_token(url, auth=HTTPBasicAuth(client, secret))
        assert token["token_type"] == "Bearer" and token["scope"] == SCOPES
    with RequestsOAuth2Session(client=BackendApplicationClient(client_id=client)) as session:
        token = session.fetch_token(url, client_id=client, client_secret=secret, include_client_id=True)
        assert claims(token["access_token"])["client_id"] == client
        with pytest.raises(InvalidClientError):
            session.fetch_token(url, auth=HTTPBasicAuth(client, "wrong"))
    with RequestsOAuth2Session(client=BackendApplicationClient(client_id=client, scope=["no:such"])) as session:
        with pytest.raises(InvalidScopeError):
            session.fetch_token(url, auth=HTTPBasicAuth(client, secret))


def test_a_secret_that_needs_encoding_is_none_of_ours(issuer):
    """Basic is form-encoded by some clients and not by others: a secret must be the same either way."""
    for _ in range(20):
        secret = issuer.secrets[issuer.add_client()]
        assert urllib.parse.quote_plus(secret) == secret


def test_pyjwt_by_the_key_set(issuer, client):
    keys = pyjwt.PyJWKClient(metadata(issuer)["jwks_uri"], cache_keys=True)
    for _ in range(2):
        token = issuer.token(client)
        key = keys.get_signing_key_from_jwt(token)
        payload = pyjwt.decode(token, key, algorithms=[issuer.algorithm], audience=AUDIENCE, issuer=issuer.url,
                               options={"require": ["exp", "iat", "iss", "sub", "aud", "jti"]})
        assert payload["scopes"] == SCOPES
        header = pyjwt.get_unverified_header(token)
        assert (header["alg"], header["typ"]) == (issuer.algorithm, "at+jwt")
    with pytest.raises(pyjwt.InvalidSignatureError):
        pyjwt.decode(token[:-20] + "A" * 20, key, algorithms=[issuer.algorithm], audience=AUDIENCE)


def test_joserfc_by_the_key_set(issuer, client):
    keys = KeySet.import_key_set({"keys": issuer.keys()})
    assert all(not each.is_private for each in keys.keys)
    token = jose_jwt.decode(issuer.token(client), keys, algorithms=[issuer.algorithm])
    JWTClaimsRegistry(iss={"essential": True, "value": issuer.url}, aud={"essential": True, "value": AUDIENCE},
                      exp={"essential": True}).validate(token.claims)
    # The names of the keys are their thumbprints (RFC 7638), so that no two issuers share one by accident.
    assert [each.thumbprint() for each in keys.keys] == [each["kid"] for each in issuer.keys()]


# Authlib's validator takes no EdDSA, whoever signs with it.
@pytest.mark.parametrize("issuer", ["RS256", "ES256"], indirect=True)
def test_authlib_takes_the_tokens_as_rfc_9068_ones(issuer, client):
    class Validator(JWTBearerTokenValidator):
        def get_jwks(self):
            return KeySet.import_key_set({"keys": issuer.keys()})

    validator = Validator(issuer=issuer.url, resource_server=AUDIENCE)
    token = validator.authenticate_token(issuer.token(client))
    validator.validate_token(token, ["trade:read"], None)
    user = issuer.add_user(permissions=["trade:read"], roles=["trader"])
    token = validator.authenticate_token(issuer.session(user)["access_token"])
    validator.validate_token(token, ["trade:read"], None, roles=["trader"])


def test_the_key_set_may_be_kept(issuer):
    answer = issuer.call("GET", "/.well-known/jwks.json")
    assert "max-age=300" in answer.header("cache-control")
    assert "application/jwk-set+json" in answer.header("content-type")
    for each in issuer.keys():
        assert each["use"] == "sig" and each["alg"] in ALGORITHMS and "d" not in each
        assert {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}[each["kty"]] <= set(each)
        if each["kty"] == "RSA":
            assert len(base64.urlsafe_b64decode(each["n"] + "==")) == 256


def test_metadata_says_what_is_there(issuer):
    found = metadata(issuer)
    assert found["issuer"] == issuer.url
    for name in ("token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint"):
        assert found[name].startswith(issuer.url + "/")
    for name in ("token", "revocation", "introspection"):
        assert set(found[name + "_endpoint_auth_methods_supported"]) >= {
            "client_secret_basic", "client_secret_post", "private_key_jwt"}
    assert found == issuer.call("GET", "/.well-known/openid-configuration").json()


def curl(*words):
    """What curl prints, for a command that has to succeed."""
    done = subprocess.run(["curl", "-sS", "--fail-with-body", "--max-time", "10", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=15)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_everything_by_curl(issuer):
    """From the administrator's secret to a revoked token, by the lines that a person would type."""
    url, kind = issuer.url, "Content-Type: application/json"
    admin = json.loads(curl(url + "/api/v1/auth/service-token", "-d", "client_id=admin", "-d",
                            "client_secret=" + issuer.secrets["admin"]))["access_token"]
    bearer = "Authorization: Bearer " + admin
    made = json.loads(curl(url + "/api/v1/admin/service-clients", "-H", bearer, "--json",
                           '{"client_id": "by-curl", "scope_ids": ["trade:read"]}'))
    token = json.loads(curl(url + "/oauth/token", "-u", "by-curl:" + made["client_secret"], "-d",
                            "grant_type=client_credentials"))["access_token"]
    key = json.loads(curl(url + "/auth/service-keys", "-H", bearer, "-H", kind, "-d", '{"name": "by-curl"}'))["api_key"]
    curl(url + "/api/v1/admin/users", "-H", bearer, "-H", kind, "-d", json.dumps({
        "username": "curl", "password": "typed by hand", "email_verified": True, "permissions": ["trade:read"]}))
    session = json.loads(curl(url + "/auth/login", "--json", '{"username": "curl", "password": "typed by hand"}'))

    def introspect(token):
        return json.loads(curl(url + "/oauth/introspect", "-H", "Authorization: Bearer " + key, "-d", "token=" + token))

    assert introspect(token)["active"] is True
    hecate = json.loads(curl(url + "/auth/introspect", "-H", "Authorization: Bearer " + key, "--json",
                             json.dumps({"token": session["access_token"]})))
    assert hecate["valid"] is True and hecate["permissions"] == ["trade:read"]
    curl(url + "/oauth/revoke", "-u", "by-curl:" + made["client_secret"], "-d", "token=" + token)
    assert introspect(token) == {"active": False}
    curl("-X", "POST", url + "/auth/logout-all", "-H", "Authorization: Bearer " + session["access_token"])
    assert introspect(session["access_token"]) == {"active": False}
    curl("-X", "DELETE", url + "/api/v1/admin/service-clients/by-curl", "-H", bearer)
