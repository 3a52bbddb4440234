"""The certificate that every proxy shows, and the one cipher that every client of this benchmark offers."""
from __future__ import annotations

import datetime
import os
import re
import subprocess

from .figures import Unusable

# OpenSSL reads this in every program that is started with it: so it is the client that settles the version, the cipher and
# the key exchange, and it settles them alike for libraries that could not be told alike themselves.
CLIENT = """openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256
Groups = X25519
"""
AGREED = ("TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519")


class Encryption:
    """Files in `folder`: `tls.pem`, `tls.key`, both in one (`tls.both`), and OpenSSL's configuration for clients."""

    def __init__(self, folder):
        self.certificate, self.key, self.both = (folder / ("tls." + each) for each in ("pem", "key", "both"))
        self._certify()
        file = folder / "openssl.cnf"
        file.write_text(CLIENT, encoding="ascii")
        self.environment = dict(os.environ, OPENSSL_CONF=str(file))

    def _certify(self):
        # Here, so that the parts of the benchmark that only compute need no package.
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.timezone.utc)
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=7))
                .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
                .sign(private, hashes.SHA256())).public_bytes(serialization.Encoding.PEM)
        key = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for file, data in ((self.certificate, made), (self.key, key), (self.both, made + key)):
            file.write_bytes(data)

    def prove(self, name, port, protocol):
        """That a client and the system agree on what they all agree on, and on `protocol` by ALPN."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-servername", "localhost", "-alpn", protocol],
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", timeout=20,
            env=self.environment)
        found = agreed(done.stdout)
        if found != AGREED + (protocol,):
            raise Unusable("%s agrees on %r: %s" % (name, found, done.stderr[-300:]))


def agreed(text):
    """(version, cipher, key exchange, protocol) in what `openssl s_client` prints; None for what it does not say."""
    session = re.search(r"^New, (\S+), Cipher is (\S+)$", text, re.M)
    exchange = re.search(r"^Server Temp Key: (\w+)", text, re.M)
    protocol = re.search(r"^ALPN protocol: (\S+)$", text, re.M)
    return (session and session.group(1), session and session.group(2), exchange and exchange.group(1),
            protocol and protocol.group(1))
