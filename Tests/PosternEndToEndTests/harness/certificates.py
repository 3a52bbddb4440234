"""A certificate authority of a test's own, and certificates by it."""
from __future__ import annotations

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Writes `ca.pem`, and for the servers that it certifies a certificate and a key, into `folder`."""

    def __init__(self, folder, name="postern-tests"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._builder(self.name, self.key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(self.key, hashes.SHA256())
        self.ca = folder / (name + "-ca.pem")
        self.ca.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject, public, days=1):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public)
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=7))
            .not_valid_after(now + datetime.timedelta(days=days))
        )

    def server(self, names=("localhost",), addresses=("127.0.0.1",), file="server", days=1):
        """(certificate file, key file) for these names and addresses; with negative `days` it expired that long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (list(names) + list(addresses))[0])])
        others = [x509.DNSName(each) for each in names] + [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
        made = self._builder(subject, key.public_key(), days).add_extension(
            x509.SubjectAlternativeName(others), critical=False).sign(self.key, hashes.SHA256())
        certificate, private = self.folder / (file + ".pem"), self.folder / (file + ".key")
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return certificate, private
