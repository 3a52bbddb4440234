"""RS256 tokens of one issuer, minted before anything is measured and kept for the next run."""
from __future__ import annotations

import base64
import concurrent.futures
import json
import os
import time

ISSUER = "https://issuer.bench"
AUDIENCE = "bench"
SCOPES = "trade:read account:read trade:open"
DAY = 86400
CHUNK = 2000


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def payload(number, issued, scopes=SCOPES):
    """The claims of token `number`: each has an id and a subject of its own, and all are equally long."""
    return {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user-%08d" % number, "client_id": "trading-dashboard",
        "username": "ada-%08d" % number, "scope": scopes, "roles": ["trader"], "is_trusted": False,
        "iat": issued, "exp": issued + 400 * DAY, "jti": "%032x" % number,
    }


def mint(pem, issued, first, count, scopes=SCOPES):
    """`count` tokens from number `first` on."""
    # Here and not above: the unit tests of the pure parts run without the package.
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    key = serialization.load_pem_private_key(pem, None)
    head = b64(json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": "bench"}, separators=(",", ":")).encode())
    made = []
    for number in range(first, first + count):
        claims = json.dumps(payload(number, issued, scopes), separators=(",", ":"))
        signing = head + "." + b64(claims.encode())
        made.append(signing + "." + b64(key.sign(signing.encode(), padding.PKCS1v15(), hashes.SHA256())))
    return made


class Tokens:
    """The issuer's key set and its tokens, one to a line, in the folder `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "tokens.txt"
        self.jwks = folder / "jwks.json"
        self.pem = folder / "key.pem"
        self.about = folder / "about.json"
        self.issued = self.count = 0
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(self, wanted, say):
        """Makes sure that there are `wanted` tokens, minting what is missing on every core."""
        if not self._usable():
            self._new_key()
        if self.count < wanted:
            begun = time.monotonic()
            say("minting %d RS256 tokens, kept for later runs" % (wanted - self.count))
            self._append(wanted)
            say("minted in %.0f s" % (time.monotonic() - begun))
        with open(self.file, encoding="ascii") as file:
            self.one = file.readline().rstrip("\n")
        self.weak = mint(self.pem.read_bytes(), self.issued, 0, 1, "market:data")[0]

    def _usable(self):
        """Whether an earlier run left tokens that are valid for another day."""
        try:
            about = json.loads(self.about.read_text("ascii"))
            self.issued, self.count = about["issued"], about["count"]
            whole = self.file.stat().st_size == self.count * (about["length"] + 1)
        except (OSError, ValueError, KeyError):
            return False
        return whole and self.issued + 398 * DAY > time.time()

    def _new_key(self):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        numbers = key.public_key().public_numbers()
        members = {name: b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
                   for name, value in (("n", numbers.n), ("e", numbers.e))}
        self.jwks.write_text(json.dumps({"keys": [dict(members, kty="RSA", kid="bench", alg="RS256", use="sig")]}))
        self.file.write_text("")
        self.issued, self.count = int(time.time()) - 60, 0

    def _append(self, wanted):
        pem = self.pem.read_bytes()
        starts = range(self.count, wanted, CHUNK)
        with concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool, open(self.file, "a") as file:
            jobs = [pool.submit(mint, pem, self.issued, first, min(CHUNK, wanted - first)) for first in starts]
            length = 0
            for job in jobs:
                made = job.result()
                length = len(made[0])
                file.write("\n".join(made) + "\n")
        self.count = wanted
        self.about.write_text(json.dumps({"issued": self.issued, "count": wanted, "length": length}))
