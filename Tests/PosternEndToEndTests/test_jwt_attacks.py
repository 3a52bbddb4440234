"""Forged, altered and misused tokens: each is 401 `invalid_token`, brings no key, fetches nothing, reaches nobody."""
import json
import time

import pytest

from harness import config as configs
from harness import mint
from harness.keyserver import KeyServer
from harness.mint import b64, claims, forge
from harness.problems import check_problem
from harness.table import table

RSA, ES, ES384, ES512, ED = (mint.key(each) for each in ("RS256", "ES256", "ES384", "ES512", "EdDSA"))
EVIL = mint.Key("RS256", "rs256-1")
EVIL_ES = mint.Key("ES256", "es256-1")
SIGN_ONLY = mint.Key("ES256", "for-encryption")
PINNED = mint.Key("RS256", "pinned-ps")
HMAC = mint.Key("HS256", "secret-1", secret=b"a-secret-of-thirty-two-characters!!")


@pytest.fixture(scope="module")
def evil_server():
    with KeyServer(EVIL) as server:
        yield server


@pytest.fixture(scope="module")
def settings():
    keys = {"keys": [RSA.jwk(), ES.jwk(), ES384.jwk(), ES512.jwk(), ED.jwk(), SIGN_ONLY.jwk(use="enc"),
                     PINNED.jwk(alg="PS256")]}
    return {
        "issuers": {
            "main": configs.issuer(algorithms=["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"], keys={"inline": keys}),
            "narrow": configs.issuer(issuer="https://narrow.test", algorithms=["ES256"], keys={"inline": keys}),
            "hmac": configs.issuer(issuer="https://hmac.test", algorithms=["HS256"], keys={"secret": HMAC.private.decode()}),
        }
    }


def hs(secret, alg="HS256", payload=None, **header):
    key = mint.Key(alg, None, secret=secret)
    return forge(dict({"alg": alg, "typ": "JWT"}, **header), payload or claims(), key.sign)


def unsigned(alg, **header):
    return forge(dict({"alg": alg, "typ": "JWT", "kid": "rs256-1"}, **header), claims())


def doubled(text, member, value):
    """JSON text with a second member of that name at the end."""
    return text[:-1] + ',"%s":%s}' % (member, json.dumps(value))


def parts(token):
    return token.split(".")


def with_header(**changes):
    return RSA.token(header=changes)


FORGED = table(
    ("alg none without a signature", lambda: unsigned("none")),
    ("alg None", lambda: unsigned("None")),
    ("alg NONE", lambda: unsigned("NONE")),
    ("alg nOnE", lambda: unsigned("nOnE")),
    ("alg none with a signature", lambda: forge({"alg": "none", "kid": "rs256-1"}, claims(), RSA.sign)),
    ("alg none and two parts", lambda: unsigned("none").rstrip(".")),
    ("an empty alg", lambda: forge({"alg": "", "kid": "rs256-1"}, claims(), RSA.sign)),
    ("no alg", lambda: forge({"typ": "JWT", "kid": "rs256-1"}, claims(), RSA.sign)),
    ("alg null", lambda: forge({"alg": None, "kid": "rs256-1"}, claims(), RSA.sign)),
    ("alg as a list", lambda: forge({"alg": ["RS256"], "kid": "rs256-1"}, claims(), RSA.sign)),
    ("alg in lower case", lambda: forge({"alg": "rs256", "kid": "rs256-1"}, claims(), RSA.sign)),
    ("alg with a space", lambda: forge({"alg": "RS256 ", "kid": "rs256-1"}, claims(), RSA.sign)),
    ("HS256 under the RSA key as PEM", lambda: hs(RSA.pem(), kid="rs256-1")),
    ("HS256 under the RSA key as PEM without its last line end", lambda: hs(RSA.pem().rstrip(), kid="rs256-1")),
    ("HS256 under the modulus", lambda: hs(mint.unb64(RSA.jwk()["n"]), kid="rs256-1")),
    ("HS256 under the JWK as text", lambda: hs(json.dumps(RSA.jwk()).encode(), kid="rs256-1")),
    ("HS256 under the Ed25519 key", lambda: hs(mint.unb64(ED.jwk()["x"]), kid="eddsa-1")),
    ("HS256 under an empty key", lambda: hs(b"", kid="rs256-1")),
    ("HS256 under NUL bytes", lambda: hs(b"\0" * 32)),
    ("RS256 with the key that is pinned to PS256",
     lambda: forge({"alg": "RS256", "kid": "pinned-ps"}, claims(), PINNED.sign)),
    ("PS256 with the key that is pinned to RS256",
     lambda: forge({"alg": "PS256", "kid": "rs256-1"}, claims(), lambda d: RSA.sign(d, "PS256"))),
    ("RS512, not in the allowlist", lambda: forge({"alg": "RS512", "kid": "rs256-1"}, claims(), lambda d: RSA.sign(d, "RS512"))),
    ("RS256 for an issuer that takes ES256 only", lambda: RSA.token(iss="https://narrow.test")),
    ("RS256 for an issuer with a secret", lambda: RSA.token(iss="https://hmac.test")),
    ("HS512 for an issuer that takes HS256", lambda: hs(HMAC.private, "HS512", claims(iss="https://hmac.test"))),
    ("HS256 under another secret", lambda: hs(b"another-secret-of-thirty-two-chars!", payload=claims(iss="https://hmac.test"))),
    ("HS256 with the MAC cut short", lambda: hs(HMAC.private, payload=claims(iss="https://hmac.test"))[:-22]),
    ("ES256 named, a P-384 key", lambda: forge({"alg": "ES256", "kid": "es384-1"}, claims(), lambda d: ES384.sign(d, "ES256"))),
    ("ES384 named, a P-256 key", lambda: forge({"alg": "ES384", "kid": "es256-1"}, claims(), lambda d: ES.sign(d, "ES384"))),
    ("EdDSA named, an RSA key", lambda: forge({"alg": "EdDSA", "kid": "rs256-1"}, claims(), ED.sign)),
    ("a key whose use is enc", lambda: SIGN_ONLY.token()),
    ("another RSA key under the known kid", lambda: EVIL.token()),
    ("another EC key under the known kid", lambda: EVIL_ES.token()),
    ("an unknown kid", lambda: with_header(kid="unknown")),
    ("an empty kid", lambda: with_header(kid="")),
    ("a kid in another case", lambda: with_header(kid="RS256-1")),
    ("a kid with NUL and more", lambda: with_header(kid="rs256-1\0x")),
    ("a kid that is a path", lambda: with_header(kid="../../../../../../dev/null")),
    ("a kid that is SQL", lambda: with_header(kid="x' UNION SELECT 'a' --")),
    ("a kid that is a number", lambda: with_header(kid=1)),
    ("a kid that is an object", lambda: with_header(kid={"a": 1})),
    ("a kid of /dev/null with an empty HMAC key", lambda: hs(b"", kid="/dev/null")),
    ("ECDSA signed in DER", lambda: forge(ES.header(), claims(), ES.sign_der)),
    ("ECDSA of zeros", lambda: forge(ES.header(), claims(), lambda d: b"\0" * 64)),
    ("ECDSA with r and s of one", lambda: forge(ES.header(), claims(), lambda d: (b"\0" * 31 + b"\1") * 2)),
    ("ECDSA with an extra byte", lambda: forge(ES.header(), claims(), lambda d: ES.sign(d) + b"\0")),
    ("ECDSA short of a byte", lambda: forge(ES.header(), claims(), lambda d: ES.sign(d)[:-1])),
    ("ECDSA with r and s swapped", lambda: forge(ES.header(), claims(), lambda d: ES.sign(d)[32:] + ES.sign(d)[:32])),
    ("ES512 padded to another size", lambda: forge(ES512.header(), claims(), lambda d: b"\0" + ES512.sign(d) + b"\0")),
    ("Ed25519 of zeros", lambda: forge(ED.header(), claims(), lambda d: b"\0" * 64)),
    ("Ed25519 with an extra byte", lambda: forge(ED.header(), claims(), lambda d: ED.sign(d) + b"\0")),
    ("Ed25519 with s plus the group order", lambda: forge(ED.header(), claims(), malleable)),
    ("RSA with a byte less", lambda: forge(RSA.header(), claims(), lambda d: RSA.sign(d)[:-1])),
    ("RSA with a zero in front", lambda: forge(RSA.header(), claims(), lambda d: b"\0" + RSA.sign(d))),
    ("an empty signature", lambda: forge(RSA.header(), claims())),
    ("the signature of another token", lambda: ".".join(parts(RSA.token())[:2] + parts(RSA.token(sub="x"))[2:])),
    ("the claims of another token", lambda: ".".join([parts(RSA.token())[0], parts(RSA.token(sub="root"))[1], parts(RSA.token())[2]])),
    ("the header of another token", lambda: ".".join([b64('{"alg":"RS256","kid":"rs256-1"}')] + parts(RSA.token())[1:])),
)


def malleable(data):
    """The same Ed25519 signature with S + L, which RFC 8032 forbids to accept."""
    signature = ED.sign(data)
    order = 2**252 + 27742317777372353535851937790883648493
    return signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")


CLAIMS = table(
    ("no exp", lambda: RSA.token(exp=None)),
    ("exp in the past beyond the leeway", lambda: RSA.token(exp=int(time.time()) - 60)),
    ("exp as text", lambda: RSA.token(exp=str(int(time.time()) + 60))),
    ("exp null", lambda: forge(RSA.header(), dict(claims(), exp=None), RSA.sign)),
    ("exp true", lambda: RSA.token(exp=True)),
    ("exp as a list", lambda: RSA.token(exp=[9999999999])),
    ("exp negative", lambda: RSA.token(exp=-1)),
    ("exp zero", lambda: RSA.token(exp=0)),
    ("exp beyond every number", lambda: forge(RSA.header(), json.dumps(claims()).replace('"exp": ', '"exp": 1e999, "o": '), RSA.sign)),
    ("exp NaN", lambda: forge(RSA.header(), json.dumps(dict(claims(), exp=float("nan"))), RSA.sign)),
    ("exp with a leading zero", lambda: forge(RSA.header(), json.dumps(claims()).replace('"exp": ', '"exp": 0'), RSA.sign)),
    ("exp with a plus", lambda: forge(RSA.header(), json.dumps(claims()).replace('"exp": ', '"exp": +'), RSA.sign)),
    ("exp in hexadecimal", lambda: forge(RSA.header(), json.dumps(claims()).replace('"exp": ', '"exp": 0xFFFFFFFF, "o": '), RSA.sign)),
    ("nbf in the future beyond the leeway", lambda: RSA.token(nbf=int(time.time()) + 60)),
    ("nbf as text", lambda: RSA.token(nbf="0")),
    ("iat in the future beyond the leeway", lambda: RSA.token(iat=int(time.time()) + 60)),
    ("iat as text", lambda: RSA.token(iat="now")),
    ("no iss", lambda: RSA.token(iss=None)),
    ("iss with a slash more", lambda: RSA.token(iss=mint.ISSUER + "/")),
    ("iss in another case", lambda: RSA.token(iss=mint.ISSUER.upper())),
    ("iss as a list", lambda: RSA.token(iss=[mint.ISSUER])),
    ("iss of another issuer of the file, signed by the first", lambda: RSA.token(iss="https://hmac.test")),
    ("no aud", lambda: RSA.token(aud=None)),
    ("an empty aud", lambda: RSA.token(aud="")),
    ("an empty list as aud", lambda: RSA.token(aud=[])),
    ("aud of somebody else", lambda: RSA.token(aud=["a", "b"])),
    ("aud that begins alike", lambda: RSA.token(aud="mt5-api-2")),
    ("aud in another case", lambda: RSA.token(aud="MT5-API")),
    ("aud as an object", lambda: RSA.token(aud={"mt5-api": True})),
    ("aud as a list that holds a number", lambda: RSA.token(aud=[1])),
    ("cnf with a key", lambda: RSA.token(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
    ("cnf with a certificate", lambda: RSA.token(cnf={"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"})),
    ("an empty cnf", lambda: RSA.token(cnf={})),
    ("claims that are a list", lambda: forge(RSA.header(), "[]", RSA.sign)),
    ("claims that are text", lambda: forge(RSA.header(), '"x"', RSA.sign)),
    ("empty claims", lambda: forge(RSA.header(), "", RSA.sign)),
    ("claims with something behind", lambda: forge(RSA.header(), json.dumps(claims()) + "x", RSA.sign)),
    ("claims with a comma too many", lambda: forge(RSA.header(), json.dumps(claims())[:-1] + ",}", RSA.sign)),
    ("claims with a comment", lambda: forge(RSA.header(), json.dumps(claims())[:-1] + "/*x*/}", RSA.sign)),
    ("claims in Latin-1", lambda: forge(RSA.header(), json.dumps(dict(claims(), n="\u00e4"), ensure_ascii=False).encode("latin-1"), RSA.sign)),
    ("claims with a lone surrogate", lambda: forge(RSA.header(), json.dumps(claims())[:-1] + ',"n":"\\ud800"}', RSA.sign)),
    ("claims with a raw control character", lambda: forge(RSA.header(), json.dumps(claims())[:-1] + ',"n":"\x01"}', RSA.sign)),
    ("claims with a byte order mark", lambda: forge(RSA.header(), b"\xef\xbb\xbf" + json.dumps(claims()).encode(), RSA.sign)),
    ("claims nested without end", lambda: forge(RSA.header(), json.dumps(claims())[:-1] + ',"n":' + "[" * 1500 + "]" * 1500 + "}", RSA.sign)),
    ("sub twice", lambda: forge(RSA.header(), doubled(json.dumps(claims()), "sub", "root"), RSA.sign)),
    ("sub twice, once escaped", lambda: forge(RSA.header(), doubled(json.dumps(claims()), "s\\u0075b", "root"), RSA.sign)),
    ("aud twice", lambda: forge(RSA.header(), doubled(json.dumps(claims(aud="x")), "aud", "mt5-api"), RSA.sign)),
    ("a nested member twice", lambda: forge(RSA.header(), json.dumps(claims())[:-1] + ',"n":{"a":1,"a":2}}', RSA.sign)),
    ("a scope with a control character", lambda: RSA.token(scope="trade:read\nX-User-Admin: true")),
    ("a user with CR and LF", lambda: RSA.token(sub="a\r\nX-User-Admin: true")),
    ("a user with NUL", lambda: RSA.token(sub="a\0b")),
    ("a user with DEL", lambda: RSA.token(sub="a\x7fb")),
    ("a role with LF", lambda: RSA.token(roles=["a", "b\nc"])),
)


HEADERS = table(
    ("crit", lambda: with_header(crit=["exp"])),
    ("crit with an extension", lambda: with_header(crit=["urn:x"], **{"urn:x": 1})),
    ("an empty crit", lambda: with_header(crit=[])),
    ("b64 false", lambda: with_header(b64=False, crit=["b64"])),
    ("b64 false without crit", lambda: with_header(b64=False)),
    ("b64 true", lambda: with_header(b64=True)),
    ("zip", lambda: with_header(zip="DEF")),
    ("alg twice", lambda: forge(doubled(json.dumps(RSA.header()), "alg", "none"), claims(), RSA.sign)),
    ("alg twice, equal", lambda: forge(doubled(json.dumps(RSA.header()), "alg", "RS256"), claims(), RSA.sign)),
    ("kid twice", lambda: forge(doubled(json.dumps(RSA.header()), "kid", "x"), claims(), RSA.sign)),
    ("an unknown member twice", lambda: forge(doubled(json.dumps(dict(RSA.header(), x=1)), "x", 1), claims(), RSA.sign)),
    ("typ of an ID token", lambda: with_header(typ="id+jwt")),
    ("typ of a DPoP proof", lambda: with_header(typ="dpop+jwt")),
    ("typ of a logout token", lambda: with_header(typ="logout+jwt")),
    ("typ of a security event", lambda: with_header(typ="secevent+jwt")),
    ("an empty typ", lambda: with_header(typ="")),
    ("typ as a number", lambda: with_header(typ=1)),
    ("a header over 2 KiB", lambda: with_header(x="a" * 2100)),
    ("a header that is a list", lambda: forge("[]", claims(), RSA.sign)),
    ("a header that is not JSON", lambda: forge("alg=RS256", claims(), RSA.sign)),
    ("an empty header", lambda: forge("", claims(), RSA.sign)),
    ("a header with something behind", lambda: forge(json.dumps(RSA.header()) + "{}", claims(), RSA.sign)),
    ("a JWE header in three parts", lambda: with_header(enc="A256GCM", alg="RSA-OAEP")),
)


SHAPES = table(
    ("one part", lambda: "abc"),
    ("two parts", lambda: ".".join(parts(RSA.token())[:2])),
    ("four parts", lambda: RSA.token() + ".x"),
    ("five parts, a JWE", lambda: "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d"),
    ("three empty parts", lambda: ".."),
    ("a dot at the end", lambda: RSA.token() + "."),
    ("a dot in front", lambda: "." + RSA.token()),
    ("padding", lambda: RSA.token() + "="),
    ("padding of two", lambda: RSA.token() + "=="),
    ("the alphabet of plain base64", lambda: plain_base64()),
    ("a length that no base64 has", lambda: parts(RSA.token())[0] + "." + parts(RSA.token())[1] + ".AAAAA"),
    ("spare bits set in the signature", lambda: spare_bits(ES.token())),
    ("a tilde", lambda: RSA.token()[:-1] + "~"),
    ("the JSON serialization", lambda: b64(json.dumps({"payload": "e30", "signatures": []}))),
)


def plain_base64():
    """A good token in whose signature `-` and `_` are written `+` and `/`."""
    for _ in range(50):
        token = RSA.token()
        signature = parts(token)[2]
        if "-" in signature or "_" in signature:
            return token[: -len(signature)] + signature.replace("-", "+").replace("_", "/")
    raise AssertionError("no such signature")


def spare_bits(token):
    """The same 64-byte signature with one of the unused bits of its last character set: 64 bytes are 86 characters,
    of whose last one only the upper two bits count."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]


def refused(proxy, token):
    answer = proxy.call("GET", "/auth", token=token)
    check_problem(answer, "invalid_token")
    assert "BEGIN" not in answer.body.decode() and "user-7" not in answer.body.decode()
    return answer


@pytest.mark.parametrize("make", FORGED + CLAIMS + HEADERS + SHAPES)
def test_refused(proxy, only_sentinel, make):
    refused(proxy, make())
    only_sentinel()


def test_the_tokens_around_the_attacks_are_good(proxy, upstream):
    for key in (RSA, ES, ES384, ES512, ED):
        assert proxy.call("GET", "/auth", token=key.token()).status == 200
    good = [PINNED.token(header={"alg": "PS256"}), RSA.token(cnf=None), RSA.token(scope="a b")]
    good[0] = forge({"alg": "PS256", "kid": "pinned-ps"}, claims(), lambda d: PINNED.sign(d, "PS256"))
    good.append(hs(HMAC.private, payload=claims(iss="https://hmac.test")))
    for token in good:
        assert proxy.call("GET", "/auth", token=token).status == 200
    assert len(upstream.requests) == 9


EMBEDDED = table(
    ("jwk with the attacker's key", lambda url: {"jwk": EVIL.jwk()}),
    ("jwk without a kid", lambda url: {"jwk": EVIL.jwk(kid=None), "kid": None}),
    ("jku", lambda url: {"jku": url + "/jwks"}),
    ("jku with an unknown kid", lambda url: {"jku": url + "/jwks", "kid": "evil"}),
    ("x5u", lambda url: {"x5u": url + "/cert.pem"}),
    ("x5c", lambda url: {"x5c": ["MIIB"]}),
    ("kid that is a URL", lambda url: {"kid": url + "/jwks"}),
    ("iss that is a URL of the attacker", lambda url: {"iss": url}),
)


@pytest.mark.parametrize("header", EMBEDDED)
def test_a_token_brings_no_key_and_fetches_nothing(proxy, only_sentinel, evil_server, header):
    changes = header(evil_server.url)
    payload = {"iss": changes.pop("iss")} if "iss" in changes else {}
    refused(proxy, EVIL.token(header=changes, **payload))
    only_sentinel()
    assert evil_server.requests == [], "the token made Postern fetch something"


def test_every_single_bit_of_the_signature_counts(proxy, only_sentinel):
    signing, _, signature = ED.token().rpartition(".")
    raw = mint.unb64(signature)
    for at in range(0, 512, 5):
        flipped = bytearray(raw)
        flipped[at // 8] ^= 1 << (at % 8)
        refused(proxy, signing + "." + b64(bytes(flipped)))
    only_sentinel()


def test_every_truncation_is_refused(proxy, only_sentinel):
    token = ED.token()
    for length in range(1, len(token), 11):
        refused(proxy, token[:length])
    only_sentinel()


@pytest.mark.parametrize("alg, bits", [("RS256", 1024), ("PS256", 1024), ("RS256", 1536)])
def test_a_short_rsa_key_is_never_used(start, upstream, alg, bits):
    weak, good = mint.Key(alg, "weak", bits=bits), mint.key("ES256")
    config = configs.config(upstream, issuers={"main": configs.issuer(weak, good)})
    try:
        proxy = start(config)
    except AssertionError:
        return  # refused at load, which is as good
    check_problem(proxy.call("GET", "/auth", token=weak.token()), "invalid_token")
    assert proxy.call("GET", "/auth", token=good.token()).status == 200


def test_hmac_is_never_a_default(start, upstream):
    secret = b"a-secret-of-thirty-two-characters!!"
    oct_key = {"kty": "oct", "k": b64(secret), "kid": "h"}
    config = configs.config(upstream, issuers={"main": configs.issuer(
        algorithms=None, keys={"inline": {"keys": [oct_key, RSA.jwk()]}})})
    try:
        proxy = start(config)
    except AssertionError:
        return  # refused at load
    refused(proxy, hs(secret, kid="h"))
    assert proxy.call("GET", "/auth", token=RSA.token()).status == 200
