"""Mints the tokens of tokens.json for proxy.yaml, with Python's cryptography: an implementation that is not ours.

Needed only to change the set: python3 mint.py (it makes new keys: es256.pem and tokens.json are rewritten together).
Times are fixed; the tests judge the tokens at NOW.
"""
import base64, hashlib, hmac, json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

NOW = 1_800_000_000
SECRET = b"0123456789abcdef0123456789abcdef"
CLAIMS = {
    "sub": "u1", "client_id": "trading-dashboard", "scope": "trade:read account:read", "is_trusted": False,
    "aud": "mt5-api", "iat": NOW - 60, "exp": NOW + 1740, "jti": "t-1",
}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(header, claims, sign):
    signed = b64(json.dumps(header).encode()) + b"." + b64(json.dumps(claims).encode())
    return (signed + b"." + b64(sign(signed))).decode()


def hs256(**changes):
    header = {"alg": "HS256", "typ": "at+jwt"}
    claims = {"iss": "https://secret.test", **CLAIMS, **changes}
    return token(header, claims, lambda signed: hmac.new(SECRET, signed, hashlib.sha256).digest())


def es256(key, kid="k1", issuer="https://pem.test"):
    def sign(signed):
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return token({"alg": "ES256", "kid": kid}, {"iss": issuer, **CLAIMS}, sign)


key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
numbers = key.public_key().public_numbers()
jwk = {"kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256",
       "x": b64(numbers.x.to_bytes(32, "big")).decode(), "y": b64(numbers.y.to_bytes(32, "big")).decode()}
with open("es256.pem", "wb") as file:
    file.write(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
with open("tokens.json", "w") as file:
    json.dump({
        "good": hs256(),
        "pem": es256(key),
        "remote": es256(key, issuer="https://remote.test"),
        "unknown-kid": es256(key, kid="k9", issuer="https://remote.test"),
        "forged": es256(other),
        "expired": hs256(exp=NOW - 3600),
        "early": hs256(nbf=NOW + 600),
        "future": hs256(iat=NOW + 600),
        "audience": hs256(aud=["billing", "reports"]),
        "issuer": hs256(iss="https://evil.test"),
        "unsigned": token({"alg": "none"}, {"iss": "https://secret.test", **CLAIMS}, lambda _: b""),
        "id-token": token({"alg": "HS256", "typ": "logout+jwt"}, {"iss": "https://secret.test", **CLAIMS},
                          lambda signed: hmac.new(SECRET, signed, hashlib.sha256).digest()),
        "control": hs256(sub="u1\u001b[2J"),
        "odd": hs256(sub="u\u202e1"),
        "jwks": json.dumps({"keys": [jwk]}),
    }, file, indent=1)
    file.write("\n")
