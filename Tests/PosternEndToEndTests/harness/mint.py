"""Signing keys and tokens, from the cryptography package; nothing here is shared with Postern.

`Key.token` makes honest tokens; `forge` puts any header, payload and signature together for the attacks.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://issuer.test"
AUDIENCE = "mt5-api"
CURVES = {"ES256": (ec.SECP256R1, "P-256", 32), "ES384": (ec.SECP384R1, "P-384", 48), "ES512": (ec.SECP521R1, "P-521", 66)}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def integer(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def claims(**changes):
    """A good payload, valid for an hour; a change to None takes the member out."""
    now = int(time.time())
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-7",
        "client_id": "trading-dashboard",
        "username": "ada",
        "scope": "trade:read account:read",
        "roles": ["trader"],
        "is_trusted": False,
        "iat": now - 5,
        "exp": now + 3600,
        "jti": str(uuid.uuid4()),
    }
    payload.update(changes)
    return {name: value for name, value in payload.items() if value is not None}


def forge(header, payload, sign=lambda data: b""):
    """Any three parts: dicts become JSON, bytes and str are taken as they are."""

    def text(part):
        return part if isinstance(part, (str, bytes)) else json.dumps(part, separators=(",", ":"))

    signing = "%s.%s" % (b64(text(header)), b64(text(payload)))
    return "%s.%s" % (signing, b64(sign(signing.encode("ascii"))))


class Key:
    """A private key (or secret) for one `alg`."""

    def __init__(self, alg, kid=None, bits=2048, secret=None):
        self.alg = alg
        self.kid = kid
        if alg[:2] in ("RS", "PS"):
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        elif alg[:2] == "ES":
            self.private = ec.generate_private_key(CURVES[alg][0]())
        elif alg == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = secret or b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

    def sign(self, data, alg=None):
        """The JWS signature. `alg` uses the same key with another algorithm of its kind."""
        alg = alg or self.alg
        if alg == "EdDSA":
            return self.private.sign(data)
        digest = HASHES[alg[2:]]()
        if alg[:2] == "RS":
            return self.private.sign(data, padding.PKCS1v15(), digest)
        if alg[:2] == "PS":
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        if alg[:2] == "ES":
            size = (self.private.curve.key_size + 7) // 8
            r, s = decode_dss_signature(self.sign_der(data, alg))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        return hmac.new(self.private, data, getattr(hashlib, "sha" + alg[2:])).digest()

    def sign_der(self, data, alg=None):
        return self.private.sign(data, ec.ECDSA(HASHES[(alg or self.alg)[2:]]()))

    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def jwk(self, **changes):
        if self.alg[:2] in ("RS", "PS"):
            numbers = self.private.public_key().public_numbers()
            key = {"kty": "RSA", "n": integer(numbers.n), "e": integer(numbers.e)}
        elif self.alg[:2] == "ES":
            numbers, (_, curve, size) = self.private.public_key().public_numbers(), CURVES[self.alg]
            key = {"kty": "EC", "crv": curve, "x": integer(numbers.x, size), "y": integer(numbers.y, size)}
        elif self.alg == "EdDSA":
            raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            key = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        else:
            key = {"kty": "oct", "k": b64(self.private)}
        key.update({"kid": self.kid, "alg": self.alg, "use": "sig"})
        key.update(changes)
        return {name: value for name, value in key.items() if value is not None}

    def private_pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def header(self, **changes):
        fields = {"alg": self.alg, "typ": "at+jwt", "kid": self.kid}
        fields.update(changes)
        return {name: value for name, value in fields.items() if value is not None}

    def token(self, header=None, **changes):
        """An honest token: `claims(**changes)` under this key; `header` changes header members."""
        return forge(self.header(**(header or {})), claims(**changes), self.sign)


_made = {}


def key(alg, kid=None, bits=2048):
    """A key made once per run: RSA generation is what costs time here."""
    kid = kid or alg.lower() + "-1"
    if (alg, kid, bits) not in _made:
        _made[alg, kid, bits] = Key(alg, kid, bits)
    return _made[alg, kid, bits]


def jwks(*keys):
    return {"keys": [each.jwk() for each in keys]}


def at_hash(token):
    """What identifies a token in a failure message without printing it."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]
