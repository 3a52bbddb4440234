"""Honest tokens of every algorithm, minted by two implementations, and what of their claims counts."""
import json
import re
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, OctKey, RSAKey

from harness import config as configs
from harness import mint
from harness.problems import check_problem, parse_challenge
from harness.raw import bearer, head
from harness.table import table

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
KEYS = [mint.key(alg) for alg in ALGORITHMS]
SECRET = mint.key("HS256", "hs256-e2e")
JOSE = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": OKPKey}


@pytest.fixture(scope="module")
def settings():
    return {
        "issuers": {
            "main": configs.issuer(*KEYS),
            "hmac": configs.issuer(
                issuer="https://hmac.test", algorithms=["HS256", "HS384", "HS512"],
                keys={"secret": SECRET.private.decode()},
            ),
            "anyone": configs.issuer(issuer="https://anyone.test", audiences="any"),
            "multi": configs.issuer(issuer="https://multi.test", audiences=["one", "two"], leeway="2s"),
        }
    }


def ask(proxy, token):
    return proxy.call("GET", "/auth", token=token)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_algorithm_by_cryptography(proxy, upstream, alg):
    assert ask(proxy, mint.key(alg).token()).status == 200
    assert upstream.requests[0].header("x-user-id") == "user-7"


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_algorithm_by_joserfc(proxy, upstream, alg):
    key = mint.key(alg)
    private = JOSE[alg[:2]].import_key(key.private_pem())
    token = jwt.encode({"alg": alg, "kid": key.kid}, mint.claims(), private, algorithms=[alg])
    assert ask(proxy, token).status == 200


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_hmac_with_a_secret(proxy, upstream, alg):
    payload = mint.claims(iss="https://hmac.test")
    ours = mint.forge({"alg": alg, "typ": "JWT"}, payload, lambda data: SECRET.sign(data, alg))
    theirs = jwt.encode({"alg": alg}, payload, OctKey.import_key(SECRET.private), algorithms=[alg])
    assert ask(proxy, ours).status == 200
    assert ask(proxy, theirs).status == 200


def far(**changes):
    return lambda: configs.token(**changes)


NOW = time.time


GOOD = table(
    ("aud as a list that contains ours", lambda: configs.token(aud=["x", "mt5-api"])),
    ("no typ", lambda: configs.token(header={"typ": None})),
    ("typ JWT", lambda: configs.token(header={"typ": "JWT"})),
    ("typ in another case", lambda: configs.token(header={"typ": "AT+JWT"})),
    ("typ with application", lambda: configs.token(header={"typ": "application/at+jwt"})),
    ("no kid with keys that fit", lambda: configs.token(header={"kid": None})),
    ("no iat", lambda: configs.token(iat=None)),
    ("no sub", lambda: configs.token(sub=None)),
    ("no jti", lambda: configs.token(jti=None)),
    ("a fractional exp", lambda: configs.token(exp=NOW() + 100.5)),
    ("a fractional iat and nbf", lambda: configs.token(iat=NOW() - 1.25, nbf=NOW() - 1.75)),
    ("exp in exponent form", lambda: mint.forge(
        configs.RSA.header(),
        json.dumps(mint.claims()).replace('"exp": ', '"exp": 0.4e11, "old": '), configs.RSA.sign)),
    ("exp in the past within the leeway", lambda: configs.token(exp=NOW() - 10)),
    ("nbf in the future within the leeway", lambda: configs.token(nbf=NOW() + 10)),
    ("iat in the future within the leeway", lambda: configs.token(iat=NOW() + 10)),
    ("exp of a far future", lambda: configs.token(exp=253402300799)),
    ("unknown claims of all kinds", lambda: configs.token(x={"deep": [1, None, True, "\u00e4"]})),
    ("an escape in the claims", lambda: mint.forge(
        configs.RSA.header(), json.dumps(mint.claims()).replace("mt5-api", "mt5\\u002dapi"), configs.RSA.sign)),
    ("whitespace in the JSON", lambda: mint.forge(
        json.dumps(configs.RSA.header(), indent=2), json.dumps(mint.claims(), indent=2), configs.RSA.sign)),
    ("an unknown header member", lambda: configs.token(header={"x-made-up": 1})),
    ("an empty scope", lambda: configs.token(scope="")),
    ("an issuer that takes any audience", lambda: configs.RSA.token(iss="https://anyone.test", aud="whatever")),
    ("an issuer that takes any audience and a token without", lambda: configs.RSA.token(iss="https://anyone.test", aud=None)),
    ("the second of two audiences", lambda: configs.RSA.token(iss="https://multi.test", aud="two")),
)


@pytest.mark.parametrize("make", GOOD)
def test_accepted(proxy, upstream, make):
    answer = ask(proxy, make())
    assert answer.status == 200, answer
    assert len(upstream.requests) == 1


DESCRIBED = table(
    ("an expired token", lambda: configs.token(exp=NOW() - 100), "expired"),
    ("a token not yet valid", lambda: configs.token(nbf=NOW() + 1000), "not yet|not valid before|yet"),
    ("a token for somebody else", lambda: configs.token(aud="other"), "audience"),
    ("a token of an unknown issuer", lambda: configs.token(iss="https://evil.test"), "issuer"),
    ("a token with a bad signature", lambda: configs.token()[:-8] + "AAAAAAAA", "signature"),
)


@pytest.mark.parametrize("make, kind", DESCRIBED)
def test_the_description_names_the_kind(proxy, only_sentinel, make, kind):
    token = make()
    answer = ask(proxy, token)
    body = check_problem(answer, "invalid_token")
    description = parse_challenge(answer.header("www-authenticate"))["error_description"]
    assert re.search(kind, description), description
    assert "user-7" not in answer.body.decode() and "evil.test" not in answer.body.decode(), body
    only_sentinel()


def test_expiry_is_checked_again_on_every_cached_use(proxy, upstream):
    token = configs.RSA.token(iss="https://multi.test", aud="one", exp=time.time() - 2 + 0.8)
    assert ask(proxy, token).status == 200
    assert ask(proxy, token).status == 200
    deadline = time.monotonic() + 5
    while ask(proxy, token).status == 200:
        assert time.monotonic() < deadline, "an expired token still passes from the cache"
        time.sleep(0.05)
    check_problem(ask(proxy, token), "invalid_token")


def test_a_cached_token_still_meets_each_route_rule(proxy, upstream):
    token = configs.token(scope="trade:read account:read")
    for _ in range(2):
        assert proxy.call("GET", "/api/v1/trades", token=token).status == 200
        check_problem(proxy.call("POST", "/api/v1/trades", token=token, body=b"{}"), "insufficient_scope")
    assert len(upstream.requests) == 2


def test_a_token_that_shares_all_but_one_byte_with_a_cached_one_is_verified(proxy, upstream):
    token = configs.token()
    assert ask(proxy, token).status == 200
    for at in (5, len(token) // 2, len(token) - 40, len(token) - 2):
        swap = "A" if token[at] != "A" else "B"
        if token[at] == ".":
            continue
        check_problem(ask(proxy, token[:at] + swap + token[at + 1 :]), "invalid_token")
    assert ask(proxy, token).status == 200
    assert len(upstream.requests) == 2


def test_more_tokens_than_any_cache_holds_all_stay_right(proxy, upstream):
    key = mint.key("EdDSA")
    with proxy.client() as client:
        for number in range(600):
            client.send(head("GET", "/auth", bearer(key.token(sub="u%d" % number))))
            assert client.response().status == 200
    assert [each.header("x-user-id") for each in upstream.requests] == ["u%d" % n for n in range(600)]
