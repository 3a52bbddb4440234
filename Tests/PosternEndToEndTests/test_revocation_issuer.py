"""postern-issuer's own endpoint for it: a token that is revoked there (RFC 7009) is refused by every Postern."""
import base64

import pytest
import yaml

from harness.net import wait_until
from harness.problems import check_problem
from harness.process import Postern
from harness.tiers import await_redis
from test_reference_flow import CLIENTS, Stack

CLIENT = "trading-dashboard"


class RevokingStack(Stack):
    """The reference stack with a Redis between the issuer and Postern."""

    def __init__(self, folder, redis):
        self.redis = redis
        super().__init__(folder, issuer_arguments=("--redis", redis.url))

    def _configuration(self):
        config = yaml.safe_load(super()._configuration())
        for each in config["issuers"].values():
            each["revocation"] = "redis"
        config["redis"] = {"url": self.redis.url, "timeout": "200ms", "seal": "0123456789abcdef0123456789abcdef"}
        return config


@pytest.fixture(scope="module")
def stack(tmp_path_factory, module_redis):
    made = RevokingStack(tmp_path_factory.mktemp("revoking"), module_redis)
    await_redis(made.proxy)
    yield made
    made.stop()


def basic(client=CLIENT, secret=None):
    text = "%s:%s" % (client, CLIENTS[client] if secret is None else secret)
    return "Authorization: Basic " + base64.b64encode(text.encode()).decode()


def test_a_revoked_token_is_refused_and_others_are_not(stack, tmp_path):
    token, other = stack.token(CLIENT), stack.token(CLIENT)
    for each in (token, other):
        assert stack.proxy.call("GET", "/api/v1/trades", token=each).status == 200
    answer = stack.issue("/oauth/revoke", {"token": token}, basic())
    assert answer.status == 200, answer
    wait_until(lambda: stack.proxy.call("GET", "/api/v1/trades", token=token).status == 401, 2, "the revocation")
    realm = stack.proxy.config.get("realm", stack.proxy.config["service"])
    check_problem(stack.proxy.call("GET", "/api/v1/trades", token=token), "invalid_token", realm=realm)
    assert stack.proxy.call("GET", "/api/v1/trades", token=other).status == 200
    later = Postern(tmp_path, stack._configuration())
    try:
        await_redis(later)
        wait_until(lambda: later.metrics().value("postern_revocations") >= 1, 3, "the set to be loaded")
        assert later.call("GET", "/api/v1/trades", token=token).status == 401
        assert later.call("GET", "/api/v1/trades", token=other).status == 200
    finally:
        later.stop()


def test_the_entry_is_kept_as_long_as_the_token(stack):
    before = stack.redis.do("ZCARD", "postern:revocations")
    token = stack.token(CLIENT)
    assert stack.issue("/oauth/revoke", {"token": token}, basic()).status == 200
    assert stack.redis.do("ZCARD", "postern:revocations") == before + 1
    assert stack.redis.do("ZCOUNT", "postern:revocations", "-inf", "+inf") == before + 1
    with stack.redis.connect() as client:
        assert token.encode() not in client.content(b"postern:revocations"), "the set names tokens, it does not hold them"


def test_rubbish_is_answered_with_200_and_revokes_nothing(stack):
    """RFC 7009 2.2: an invalid token is no error."""
    before = stack.redis.do("ZCARD", "postern:revocations")
    for token in ("rubbish", "a.b.c"):
        assert stack.issue("/oauth/revoke", {"token": token}, basic()).status == 200
    assert stack.redis.do("ZCARD", "postern:revocations") == before


def test_nobody_revokes_without_authentication(stack):
    token = stack.token(CLIENT)
    for fields in ([], [basic(secret="wrong")]):
        answer = stack.issue("/oauth/revoke", {"token": token}, *fields)
        assert answer.status == 401 and answer.json()["error"] == "invalid_client"
    assert stack.issue("/oauth/revoke", {}, basic()).status == 400
    assert stack.proxy.call("GET", "/api/v1/trades", token=token).status == 200


def test_a_client_cannot_revoke_the_token_of_another(stack):
    """RFC 7009 2.1: the token was issued to the client making the revocation request."""
    token = stack.token("mt5-api-service")
    stack.issue("/oauth/revoke", {"token": token}, basic())
    assert stack.proxy.call("GET", "/api/v1/market/EURUSD", token=token).status == 200
