#!/usr/bin/env python3
"""Mints Tests/Fixtures/tokens.json: tokens, keys and what must become of each.

An implementation that has nothing in common with Postern's: joserfc makes the well-formed tokens, `cryptography` signs
the odd ones over bytes put together here. The file is checked in and the tests read only it; run this again (it needs
`pip install joserfc cryptography`) to make all keys and signatures anew.

Each case: a sentence, the token, which key set, and the expectation: "valid", "unknown_key:KID", or the code of a
TokenProblem. `now`, `algorithms`, `audiences`, `types` and `leeway` differ from the defaults only where given.
"""

import base64
import hashlib
import hmac
import json
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

NOW = 1_800_000_000
ISSUER = "https://issuer.example"
CLAIMS = {
    "iss": ISSUER, "aud": "mt5-api", "sub": "mt5-api-service", "exp": NOW + 3600, "iat": NOW - 60, "jti": "id-1",
    "client_id": "mt5-api-service", "scopes": ["trade:read", "account:read"], "is_trusted": True,
}
SECRET = hashlib.sha512(b"a shared secret of this fixture").digest()

RSA = {name: rsa.generate_private_key(65537, bits) for name, bits in
       [("rsa-1", 2048), ("rsa-2", 2048), ("rsa-rs256", 2048), ("rsa-3072", 3072), ("rsa-weak", 1024),
        ("rsa-2047", 2047), ("rsa-enc", 2048), ("rsa-ops", 2048), ("rsa-foreign", 2048)]}
EC = {"ec-256": ec.generate_private_key(ec.SECP256R1()), "ec-384": ec.generate_private_key(ec.SECP384R1()),
      "ec-521": ec.generate_private_key(ec.SECP521R1()), "ec-k1": ec.generate_private_key(ec.SECP256K1())}
ED = {"ed-1": ed25519.Ed25519PrivateKey.generate()}
KEYS = {**RSA, **EC, **ED}
ORDER = {"ES256": int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dump(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(name, **extra):
    key = KEYS[name].public_key()
    if name in RSA:
        numbers = key.public_numbers()
        members = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    elif name in ED:
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        members = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    else:
        numbers = key.public_numbers()
        size = {"ec-256": 32, "ec-384": 48, "ec-521": 66, "ec-k1": 32}[name]
        curve = {"ec-256": "P-256", "ec-384": "P-384", "ec-521": "P-521", "ec-k1": "secp256k1"}[name]
        members = {"kty": "EC", "crv": curve, "x": b64(numbers.x.to_bytes(size, "big")),
                   "y": b64(numbers.y.to_bytes(size, "big"))}
    return {k: v for k, v in {**members, "kid": name, **extra}.items() if v is not None}


def pem(name):
    return KEYS[name].public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def digest(alg):
    return {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[alg[2:]]()


def sign(alg, key, message, salt=None):
    if alg.startswith("HS"):
        return hmac.new(key, message, {"256": "sha256", "384": "sha384", "512": "sha512"}[alg[2:]]).digest()
    if alg.startswith("RS"):
        return key.sign(message, padding.PKCS1v15(), digest(alg))
    if alg.startswith("PS"):
        length = digest(alg).digest_size if salt is None else salt
        return key.sign(message, padding.PSS(padding.MGF1(digest(alg)), length), digest(alg))
    if alg == "EdDSA":
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest(alg))))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def raw(header, claims, alg="RS256", key=None, **options):
    """A token of any header and payload bytes, signed by `alg` whatever the header says."""
    message = (b64(dump(header)) + "." + b64(dump(claims))).encode()
    return message.decode() + "." + b64(sign(alg, KEYS["rsa-1"] if key is None else key, message, **options))


def proper(alg, name, claims=CLAIMS, **header):
    """A token made by joserfc."""
    kinds = [(RSA, RSAKey), (EC, ECKey), (ED, OKPKey)]
    key = next((kind.import_key(KEYS[name].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        for group, kind in kinds if name in group), None) or OctKey.import_key(SECRET)
    head = {k: v for k, v in {"alg": alg, "typ": "at+jwt", "kid": name, **header}.items() if v is not None}
    return jws.serialize_compact(head, dump(claims), key, algorithms=[alg])


HEAD = {"alg": "RS256", "kid": "rsa-1", "typ": "at+jwt"}
CASES = []


def case(name, token, expect, keys="main", **options):
    CASES.append({"name": name, "token": token, "expect": expect, "keys": keys, **options})


def with_claims(**changes):
    merged = {**CLAIMS, **changes}
    return {k: v for k, v in merged.items() if v is not ...}


def claim(name, changes, expect, **options):
    case(name, raw(HEAD, with_claims(**changes)), expect, **options)


def header(name, changes, expect, **options):
    head = {k: v for k, v in {**HEAD, **changes}.items() if v is not ...}
    case(name, raw(head, CLAIMS), expect, **options)


# Every algorithm, by joserfc.
ALL = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]:
    case(f"{alg} with an RSA key of 2048 bits is valid", proper(alg, "rsa-1"), "valid", algorithms=[alg])
case("RS256 with an RSA key of 3072 bits is valid", proper("RS256", "rsa-3072"), "valid")
for alg, name in [("ES256", "ec-256"), ("ES384", "ec-384"), ("ES512", "ec-521"), ("EdDSA", "ed-1")]:
    case(f"{alg} is valid", proper(alg, name), "valid", algorithms=[alg])
    case(f"{alg} without kid is valid", proper(alg, name, kid=None), "valid", algorithms=[alg])
    case(f"{alg} with a PEM key is valid", proper(alg, name), "valid", keys="pem", algorithms=[alg])
for alg in ["HS256", "HS384", "HS512"]:
    case(f"{alg} with a secret is valid", proper(alg, "shared"), "valid", keys="secret", algorithms=[alg])
    case(f"{alg} with a secret but not in the list is refused", proper(alg, "shared"), "algorithm_not_allowed",
         keys="secret")
case("RS256 verified with the key of a certificate is valid", proper("RS256", "rsa-1"), "valid", keys="certificate")
case("any kid fits a PEM key", proper("RS256", "rsa-1", kid="whatever"), "valid", keys="pem")
case("a token without kid is tried against the keys that fit", proper("RS256", "rsa-2", kid=None), "valid")

# The algorithm is the issuer's choice.
for name in ["none", "None", "NONE", "nOnE", ""]:
    unsigned = b64(dump({**HEAD, "alg": name})) + "." + b64(dump(CLAIMS)) + "."
    case(f"alg {name!r} without a signature is refused", unsigned, "algorithm_not_allowed", algorithms=ALL)
header("alg none over a good signature is refused", {"alg": "none"}, "algorithm_not_allowed")
header("alg in lower case is refused", {"alg": "rs256"}, "algorithm_not_allowed")
header("no alg is refused", {"alg": ...}, "malformed")
header("an alg that is no string is refused", {"alg": ["RS256"]}, "malformed")
header("an algorithm of another kind is refused", {"alg": "RSA-OAEP"}, "algorithm_not_allowed")
header("ES256K is refused", {"alg": "ES256K"}, "algorithm_not_allowed")
case("RS384 is not in the default list", proper("RS384", "rsa-1"), "algorithm_not_allowed")
case("an empty signature is refused", proper("RS256", "rsa-1").rsplit(".", 1)[0] + ".", "bad_signature")

# Algorithm confusion: the public key, in any writing, as an HMAC secret.
spki = RSA["rsa-1"].public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
for form, secret in [("PEM", pem("rsa-1").encode()), ("PEM without its last line end", pem("rsa-1").strip().encode()),
                     ("DER", spki), ("JWK", dump(jwk("rsa-1"))), ("modulus", base64.urlsafe_b64decode(jwk("rsa-1")["n"] + "=="))]:
    forged = raw({**HEAD, "alg": "HS256"}, CLAIMS, "HS256", secret)
    case(f"HS256 under the public key as {form} is refused", forged, "algorithm_not_allowed")
    case(f"HS256 under the public key as {form} is refused even where HS256 is listed", forged, "no_fitting_key",
         algorithms=["HS256", "RS256"])
    case(f"HS256 under the public key as {form} is refused with a PEM key", forged, "no_fitting_key", keys="pem",
         algorithms=["HS256", "RS256"])
case("an oct key of a key set is not used", raw({**HEAD, "alg": "HS256", "kid": "shared"}, CLAIMS, "HS256", SECRET),
     "unknown_key:shared", algorithms=["HS256", "RS256"])
case("a secret verifies no RS256", proper("RS256", "rsa-1"), "no_fitting_key", keys="secret")
case("HS256 with another secret is refused", raw({**HEAD, "alg": "HS256"}, CLAIMS, "HS256", SECRET[::-1]),
     "bad_signature", keys="secret", algorithms=["HS256"])
case("HS256 under an empty secret is refused", raw({**HEAD, "alg": "HS256"}, CLAIMS, "HS256", b""), "bad_signature",
     keys="secret", algorithms=["HS256"])
case("an HS256 code cut to 16 octets is refused",
     (lambda t: t.rsplit(".", 1)[0] + "." + b64(base64.urlsafe_b64decode(t.rsplit(".", 1)[1] + "==")[:16]))(
         proper("HS256", "shared")), "bad_signature", keys="secret", algorithms=["HS256"])

# Right for the key's type, curve, alg and use.
case("RS256 that names an EC key is refused", raw({**HEAD, "kid": "ec-256"}, CLAIMS), "no_fitting_key")
case("ES256 that names an RSA key is refused",
     raw({**HEAD, "alg": "ES256"}, CLAIMS, "ES256", EC["ec-256"]), "no_fitting_key")
case("ES256 with a P-384 key is refused",
     raw({**HEAD, "alg": "ES256", "kid": "ec-384"}, CLAIMS, "ES256", EC["ec-384"]), "no_fitting_key")
case("EdDSA that names an EC key is refused",
     raw({**HEAD, "alg": "EdDSA", "kid": "ec-256"}, CLAIMS, "EdDSA", ED["ed-1"]), "no_fitting_key")
case("PS256 with a key whose alg is RS256 is refused", proper("PS256", "rsa-rs256"), "no_fitting_key")
case("RS256 with a key whose alg is RS256 is valid", proper("RS256", "rsa-rs256"), "valid")
case("a PS256 signature under alg RS256 is refused", raw(HEAD, CLAIMS, "PS256"), "bad_signature")
case("an RS256 signature under alg PS256 is refused", raw({**HEAD, "alg": "PS256"}, CLAIMS, "RS256"), "bad_signature")
case("RS512 under alg RS256 is refused", raw(HEAD, CLAIMS, "RS512"), "bad_signature")
for salt in (0, 20, 31, 33, 222):
    case(f"PS256 with a salt of {salt} octets is refused", raw({**HEAD, "alg": "PS256"}, CLAIMS, "PS256", salt=salt),
         "bad_signature")
case("a key with use enc is not used", proper("RS256", "rsa-enc"), "unknown_key:rsa-enc")
case("a key with key_ops of encryption is not used", proper("RS256", "rsa-ops"), "unknown_key:rsa-ops")
case("an RSA key of 1024 bits is not used", raw({**HEAD, "kid": "rsa-weak"}, CLAIMS, key=RSA["rsa-weak"]),
     "unknown_key:rsa-weak")
case("an RSA key of 2047 bits is not used", raw({**HEAD, "kid": "rsa-2047"}, CLAIMS, key=RSA["rsa-2047"]),
     "unknown_key:rsa-2047")
case("a key that was published with its private half is not used",
     raw({**HEAD, "kid": "rsa-private"}, CLAIMS, key=RSA["rsa-foreign"]), "unknown_key:rsa-private")

# ECDSA signatures are exactly r and s.
ES = {**HEAD, "alg": "ES256", "kid": "ec-256"}
stem = b64(dump(ES)) + "." + b64(dump(CLAIMS))
good = sign("ES256", EC["ec-256"], stem.encode())
r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")
n = ORDER["ES256"]
for name, signature in [
    ("in DER", encode_dss_signature(r, s)), ("of r alone", good[:32]), ("with an octet too few", good[:-1]),
    ("with an octet too many", good + b"\0"), ("with a zero in front of both halves", b"\0" + good[:32] + b"\0" + good[32:]),
    ("of zeros", bytes(64)), ("with r = 0", bytes(32) + good[32:]), ("with s = 0", good[:32] + bytes(32)),
    ("with r = n", n.to_bytes(32, "big") + good[32:]), ("with s = n", good[:32] + n.to_bytes(32, "big")),
    ("with both = n", n.to_bytes(32, "big") * 2), ("with r = s = 1", (1).to_bytes(32, "big") * 2),
    ("of 0xFF", b"\xff" * 64), ("with r and s exchanged", good[32:] + good[:32]),
]:
    case(f"an ES256 signature {name} is refused", stem + "." + b64(signature), "bad_signature")
ED_HEAD = {**HEAD, "alg": "EdDSA", "kid": "ed-1"}
ed_stem = b64(dump(ED_HEAD)) + "." + b64(dump(CLAIMS))
ed_good = sign("EdDSA", ED["ed-1"], ed_stem.encode())
L = 2**252 + 27742317777372353535851937790883648493
ed_s = int.from_bytes(ed_good[32:], "little")
for name, signature in [("with s + L", ed_good[:32] + (ed_s + L).to_bytes(32, "little")), ("of zeros", bytes(64)),
                        ("with an octet too many", ed_good + b"\0"), ("with an octet too few", ed_good[:-1])]:
    case(f"an EdDSA signature {name} is refused", ed_stem + "." + b64(signature), "bad_signature")
rs_stem = b64(dump(HEAD)) + "." + b64(dump(CLAIMS))
rs_good = sign("RS256", RSA["rsa-1"], rs_stem.encode())
modulus = RSA["rsa-1"].public_key().public_numbers().n
plus = int.from_bytes(rs_good, "big") + modulus
for name, signature in [("with a zero in front", b"\0" + rs_good), ("with a zero behind", rs_good + b"\0"),
                        ("of zeros", bytes(256)), ("of one octet", b"\1"), ("cut by one octet", rs_good[:-1])] + (
                            [("plus the modulus", plus.to_bytes(256, "big"))] if plus < 2**2048 else []):
    case(f"an RS256 signature {name} is refused", rs_stem + "." + b64(signature), "bad_signature")

# Keys and extensions that the token brings along.
foreign = RSA["rsa-foreign"]
foreign_jwk = {"kty": "RSA", "n": number(foreign.public_key().public_numbers().n), "e": "AQAB"}
for member, value in [("jku", "https://attacker.example/jwks.json"), ("x5u", "https://attacker.example/cert.pem"),
                      ("jwk", foreign_jwk), ("x5c", ["MIIB"]), ("x5t", "abc"), ("cty", "JWT")]:
    case(f"a {member} of the token brings no key", raw({**HEAD, member: value}, CLAIMS, key=foreign), "bad_signature")
    case(f"a {member} beside a good signature is not looked at", raw({**HEAD, member: value}, CLAIMS), "valid")
case("a jwk of the token with an unknown kid brings no key",
     raw({**HEAD, "kid": "mine", "jwk": {**foreign_jwk, "kid": "mine"}}, CLAIMS, key=foreign), "unknown_key:mine")
case("a jwk of the token without kid brings no key",
     raw({"alg": "RS256", "jwk": foreign_jwk}, CLAIMS, key=foreign), "bad_signature")
for name, changes in [("crit", {"crit": ["exp"]}), ("an empty crit", {"crit": []}), ("b64 false", {"b64": False}),
                      ("b64 true", {"b64": True}), ("b64 in crit", {"b64": False, "crit": ["b64"]}),
                      ("zip", {"zip": "DEF"}), ("crit null", {"crit": None}), ("http in crit", {"crit": ["http://x"], "http://x": 1})]:
    header(f"{name} in the header is refused", changes, "unsupported_header")
header("enc in the header is refused", {"enc": "A256GCM"}, "encrypted")
case("a JWE is refused", ".".join([b64(dump({"alg": "dir", "enc": "A256GCM"})), "", b64(b"iv"), b64(b"text"), b64(b"tag")]),
     "encrypted")
case("a jku as kid is only a name", raw({**HEAD, "kid": "https://attacker.example/jwks.json"}, CLAIMS, key=foreign),
     "unknown_key:https://attacker.example/jwks.json")

# kid only selects.
for kid in ["unknown", "../../../../dev/null", "' OR 1=1 --", "RSA-1", "rsa-1 ", ""]:
    header(f"kid {kid!r} is unknown", {"kid": kid}, f"unknown_key:{kid}")
header("a kid that is a number is refused", {"kid": 1}, "malformed")
header("a kid that is null is refused", {"kid": None}, "malformed")
header("a kid of another key is refused", {"kid": "rsa-2"}, "bad_signature")
header("a token without kid is valid", {"kid": ...}, "valid")
case("a token without kid by a foreign key is refused", raw({"alg": "RS256"}, CLAIMS, key=foreign), "bad_signature")
case("no keys at all is no fault of the token", proper("RS256", "rsa-1"), "issuer_unavailable", keys="empty")

# typ.
for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT", "application/jwt"]:
    header(f"typ {typ} is an access token", {"typ": typ}, "valid")
header("an absent typ counts as JWT", {"typ": ...}, "valid")
header("an absent typ is refused where only at+jwt is accepted", {"typ": ...}, "wrong_type", types=["at+jwt"])
for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "id+jwt", "", "application/", "application/application/jwt", "jwt "]:
    header(f"typ {typ!r} is another kind of token", {"typ": typ}, "wrong_type")
header("a typ that is no string is refused", {"typ": 1}, "malformed")
header("a typ that is null is refused", {"typ": None}, "malformed")

# The form: three parts of canonical base64url, JSON without ambiguity.
token = proper("RS256", "rsa-1")
h, p, g = token.split(".")
for name, text in [
    ("with padding", f"{h}=.{p}.{g}"), ("with a padded signature", token + "=="), ("with a space behind", token + " "),
    ("with a line end", token + "\n"), ("with a space inside", f"{h}. {p}.{g}"), ("with a fourth part", token + "."),
    ("with two parts", f"{h}.{p}"), ("with one part", h), ("of nothing", ""), ("of two dots", ".."), ("of one dot", "."),
    ("without a header", f".{p}.{g}"), ("without a payload", f"{h}..{g}"), ("with six parts", "a.b.c.d.e.f"),
    ("in plain base64", f"{h}.{p}.{g[:-2]}+/"), ("with a NUL", token + "\0"), ("with the flattened JSON form",
     json.dumps({"protected": h, "payload": p, "signature": g})), ("with a part of impossible length", f"{h}.{p}.{g}AAA"),
]:
    case(f"a token {name} is malformed", text, "malformed")
alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
case("a signature with unused bits set is malformed", token[:-1] + alphabet[alphabet.index(token[-1]) | 1], "malformed")


def header_bytes(name, text, expect, **options):
    case(name, raw(text, CLAIMS), expect, **options)


KID = b'"kid":"rsa-1"'
header_bytes("a header with alg twice is malformed", b'{"alg":"none","alg":"RS256",' + KID + b"}", "malformed")
header_bytes("a header with alg twice, once escaped, is malformed", b'{"\\u0061lg":"none","alg":"RS256",' + KID + b"}",
             "malformed")
header_bytes("a header with kid twice is malformed", b'{"alg":"RS256","kid":"rsa-2",' + KID + b"}", "malformed")
header_bytes("an escaped member name is the same name", b'{"\\u0061lg":"RS256",' + KID + b"}", "valid")
header_bytes("an escaped crit is a crit", b'{"alg":"RS256","\\u0063rit":[],' + KID + b"}", "unsupported_header")
header_bytes("white space in the header is fine", b' {"alg" : "RS256",\r\n\t' + KID + b"} ", "valid")
header_bytes("bytes after the header's object are malformed", b'{"alg":"RS256",' + KID + b"}x", "malformed")
header_bytes("two objects as header are malformed", b'{"alg":"RS256",' + KID + b"}{}", "malformed")
header_bytes("a header that is an array is malformed", b'["RS256"]', "malformed")
header_bytes("a header with a comma too many is malformed", b'{"alg":"RS256",' + KID + b",}", "malformed")
header_bytes("a header with a byte order mark is malformed", b'\xef\xbb\xbf{"alg":"RS256",' + KID + b"}", "malformed")
header_bytes("a header in UTF-16 is malformed", '{"alg":"RS256"}'.encode("utf-16"), "malformed")
header_bytes("a header with invalid UTF-8 is malformed", b'{"alg":"RS256","x":"\xc0\xae",' + KID + b"}", "malformed")
header_bytes("a header with single quotes is malformed", b"{'alg':'RS256'}", "malformed")
for size, expect in [(2048, "valid"), (2049, "malformed")]:
    filler = size - len(b'{"alg":"RS256","x":"",' + KID + b"}")
    header_bytes(f"a header of {size} octets is {expect}", b'{"alg":"RS256","x":"' + b"a" * filler + b'",' + KID + b"}",
                 expect)


def claim_bytes(name, text, expect, **options):
    case(name, raw(HEAD, text), expect, **options)


BODY = dump(CLAIMS)[:-1]
claim_bytes("claims with exp twice are malformed", BODY + b',"exp":9999999999}', "malformed")
claim_bytes("claims with sub twice, once escaped, are malformed", BODY + b',"\\u0073ub":"admin"}', "malformed")
claim_bytes("claims with a member twice deep inside are malformed", BODY + b',"a":[{"b":{"c":1,"c":2}}]}', "malformed")
claim_bytes("claims with a lone surrogate are malformed", BODY + b',"a":"\\ud800"}', "malformed")
claim_bytes("claims with a surrogate pair are fine", BODY + b',"a":"\\ud83d\\ude00"}', "valid")
claim_bytes("claims with NaN are malformed", BODY + b',"a":NaN}', "malformed")
claim_bytes("claims with Infinity are malformed", BODY + b',"a":Infinity}', "malformed")
claim_bytes("claims with a number beyond a double are malformed", BODY + b',"a":1e400}', "malformed")
claim_bytes("claims with a leading zero are malformed", BODY + b',"a":01}', "malformed")
claim_bytes("claims with a comment are malformed", BODY + b',/**/"a":1}', "malformed")
claim_bytes("claims with a raw control character are malformed", BODY + b',"a":"\x01"}', "malformed")
claim_bytes("claims that are an array are malformed", b"[" + dump(CLAIMS) + b"]", "malformed")
claim_bytes("claims that are a string are malformed", b'"claims"', "malformed")
claim_bytes("claims nested 31 deep are fine", BODY + b',"a":' + b"[" * 31 + b"]" * 31 + b"}", "valid")
claim_bytes("claims nested 32 deep are malformed", BODY + b',"a":' + b"[" * 32 + b"]" * 32 + b"}", "malformed")
claim_bytes("claims nested 2000 deep are malformed", BODY + b',"a":' + b"[" * 2000 + b"]" * 2000 + b"}", "malformed")
claim_bytes("an object of a thousand members is fine",
            BODY + b"," + b",".join(b'"m%d":0' % i for i in range(1000)) + b"}", "valid")
claim_bytes("an object of a thousand members and one of them again is malformed",
            BODY + b"," + b",".join(b'"m%d":0' % i for i in range(1000)) + b',"m0":1}', "malformed")

# Claims.
claim("no iss is refused", {"iss": ...}, "unknown_issuer")
for iss in [ISSUER + "/", ISSUER.upper(), "", ISSUER + " ", "https://issuer.example.attacker.example", "http://issuer.example"]:
    claim(f"iss {iss!r} is refused", {"iss": iss}, "unknown_issuer")
claim("an iss that is an array is refused", {"iss": [ISSUER]}, "unknown_issuer")
claim("an iss that is null is refused", {"iss": None}, "unknown_issuer")
claim("no aud is refused", {"aud": ...}, "wrong_audience")
claim("a null aud is refused", {"aud": None}, "wrong_audience")
claim("another aud is refused", {"aud": "account-api"}, "wrong_audience")
claim("an aud that only begins alike is refused", {"aud": "mt5-api-2"}, "wrong_audience")
claim("an aud in another case is refused", {"aud": "MT5-API"}, "wrong_audience")
claim("an aud of several words is one audience", {"aud": "account-api mt5-api"}, "wrong_audience")
claim("one aud of an array is enough", {"aud": ["account-api", "mt5-api"]}, "valid")
claim("an array of other audiences is refused", {"aud": ["account-api"]}, "wrong_audience")
claim("an empty array of audiences is refused", {"aud": []}, "wrong_audience")
claim("an array with something else than strings is malformed", {"aud": ["mt5-api", 1]}, "malformed_claim")
claim("an aud that is an object is malformed", {"aud": {"mt5-api": True}}, "malformed_claim")
claim("an aud that is a number is malformed", {"aud": 1}, "malformed_claim")
claim("no aud is fine where any is accepted", {"aud": ...}, "valid", audiences=None)
claim("another aud is fine where any is accepted", {"aud": "account-api"}, "valid", audiences=None)
claim("no exp is refused", {"exp": ...}, "missing_expiry")
claim("a null exp is refused", {"exp": None}, "missing_expiry")
for value in [str(NOW + 3600), True, [NOW + 3600], {"$date": NOW}]:
    claim(f"an exp {value!r} is malformed", {"exp": value}, "malformed_claim")
    claim(f"an nbf {value!r} is malformed", {"nbf": value}, "malformed_claim")
    claim(f"an iat {value!r} is malformed", {"iat": value}, "malformed_claim")
for value in [1e300, -1e300, 10**15, 253402300800, 9223372036854775807, 18446744073709551616, -9223372036854775809]:
    claim(f"an exp of {value} is malformed", {"exp": value}, "malformed_claim")
    claim(f"an iat of {value} is malformed", {"iat": value}, "malformed_claim")
claim("an exp in milliseconds is malformed", {"exp": (NOW + 3600) * 1000}, "malformed_claim")
claim("an exp in the year 9999 is fine", {"exp": 253402300799}, "valid")
claim("a negative exp is over", {"exp": -1}, "expired")
claim("an exp of zero is over", {"exp": 0}, "expired")
claim("a negative nbf and iat are in the past", {"nbf": -1, "iat": -1}, "valid")
claim_bytes("an exp with a fraction and an exponent is fine", BODY.replace(b'"exp":1800003600', b'"exp":1.8000036e9') + b"}", "valid")
T = NOW + 3600
for leeway, at, expect in [(0, T - 1, "valid"), (0, T - 0.001, "valid"), (0, T, "expired"), (0, T + 1, "expired"),
                           (30, T, "valid"), (30, T + 29.999, "valid"), (30, T + 30, "expired"), (30, T + 31, "expired")]:
    claim(f"exp {T}, leeway {leeway}, at {at}: {expect}", {}, expect, now=at, leeway=leeway)
claim("an exp with a fraction counts to the fraction", {"exp": T + 0.5}, "valid", now=T + 0.25, leeway=0)
claim("an exp with a fraction is over at the fraction", {"exp": T + 0.5}, "expired", now=T + 0.5, leeway=0)
for leeway, at, expect in [(0, NOW - 1, "not_yet_valid"), (0, NOW, "valid"), (30, NOW - 30, "valid"),
                           (30, NOW - 30.5, "not_yet_valid"), (30, NOW - 31, "not_yet_valid")]:
    claim(f"nbf {NOW}, leeway {leeway}, at {at}: {expect}", {"nbf": NOW, "iat": ...}, expect, now=at, leeway=leeway)
for leeway, at, expect in [(0, NOW - 1, "issued_in_the_future"), (0, NOW, "valid"), (30, NOW - 30, "valid"),
                           (30, NOW - 30.5, "issued_in_the_future")]:
    claim(f"iat {NOW}, leeway {leeway}, at {at}: {expect}", {"iat": NOW}, expect, now=at, leeway=leeway)
claim("no iat is fine", {"iat": ...}, "valid")
claim("a null nbf and iat count as absent", {"nbf": None, "iat": None}, "valid")
claim("a token bound to a DPoP key is refused", {"cnf": {"jkt": "abc"}}, "sender_constrained")
claim("a token bound to a certificate is refused", {"cnf": {"x5t#S256": "abc"}}, "sender_constrained")
claim("a cnf of any kind is refused", {"cnf": None}, "sender_constrained")
claim("a cnf inside another claim is data", {"act": {"cnf": {}}}, "valid")
for name in ["sub", "client_id", "username", "jti"]:
    for value in [{"a": 1}, ["a"], True]:
        claim(f"{name} {value!r} is malformed", {name: value}, "malformed_claim")
for name in ["scopes", "roles"]:
    for value in [{"a": 1}, ["a", 1], True, 7, ["a", None], [["a"]]]:
        claim(f"{name} {value!r} is malformed", {name: value}, "malformed_claim")

# What the signature is for.
case("claims exchanged under a good signature are refused", f"{h}.{b64(dump(with_claims(sub='admin')))}.{g}", "bad_signature")
case("a header exchanged under a good signature is refused", f"{b64(dump({**HEAD, 'x': 1}))}.{p}.{g}", "bad_signature")
case("expired and badly signed is badly signed", raw(HEAD, with_claims(exp=1), key=foreign), "bad_signature")


def certificate():
    import datetime
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    key = RSA["rsa-1"]
    start = datetime.datetime(2020, 1, 1)
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=30))
            .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())


foreign_private = foreign.private_numbers()
MAIN = [
    jwk("rsa-1", use="sig"), jwk("rsa-2", key_ops=["verify"]), jwk("rsa-rs256", alg="RS256"), jwk("rsa-3072"),
    jwk("rsa-weak"), jwk("rsa-2047"), jwk("rsa-enc", use="enc"), jwk("rsa-ops", key_ops=["encrypt"]),
    {**foreign_jwk, "kid": "rsa-private", "d": number(foreign_private.d)},
    jwk("ec-256"), jwk("ec-384", alg="ES384"), jwk("ec-521"), jwk("ec-k1"), jwk("ed-1"),
    {"kty": "oct", "kid": "shared", "k": b64(SECRET)}, {"kty": "AKP", "kid": "future", "alg": "ML-DSA-44", "pub": "AA"},
    {"kty": "EC", "crv": "P-256", "kid": "not-a-point", "x": b64(b"\1" * 32), "y": b64(b"\2" * 32)},
]
fixture = {
    "now": NOW, "issuer": ISSUER,
    "keys": {
        "main": {"jwks": {"keys": MAIN}}, "empty": {"jwks": {"keys": []}},
        "pem": {"pem": "".join(f"# {name}\n" + pem(name) for name in ["rsa-1", "ec-256", "ec-384", "ec-521", "ed-1"])},
        "certificate": {"pem": certificate()}, "secret": {"secret": SECRET.hex()},
    },
    "weak": {"pem": pem("rsa-weak")}, "secp256k1": {"pem": pem("ec-k1")},
    "cases": CASES,
}
if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("tokens.json")
    path.write_text(json.dumps(fixture, indent=1, ensure_ascii=True) + "\n")
    print(len(CASES), "cases", path.stat().st_size, "bytes")
