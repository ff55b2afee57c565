"""This file makes certificates for tests: an authority of our own, and servers that it vouches for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Who signs. `file` is what its clients must be given."""

    folder: Path
    name: str = "Tests of pangate"

    @property
    def file(self) -> Path:
        """Its own certificate, PEM."""
        return self.folder / f"{self.name}.pem"

    def server(self, name: str, *hosts: str, days: int = 2) -> tuple[Path, Path]:
        """A server's certificate for some hosts (with less than no days one that has run out), and its key; readable by any account."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = serialization.load_pem_private_key((self.folder / f"{self.name}.key").read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        made = _begun(name, self.name, key, days).add_extension(names, critical=False)
        return _kept(self.folder, name, made.sign(signer, hashes.SHA256()), key)


def authority(folder: Path, name: str = "Tests of pangate") -> Authority:
    """A new one, its files in that folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    allowed = x509.BasicConstraints(ca=True, path_length=0)
    made = _begun(name, name, key, 2).add_extension(allowed, critical=True)
    _kept(folder, name, made.sign(key, hashes.SHA256()), key)
    return Authority(folder, name)


def _begun(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder().subject_name(_named(subject)).issuer_name(_named(issuer))
    begun = begun.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return begun.not_valid_before(now - 9 * DAY).not_valid_after(now + days * DAY)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _kept(folder: Path, name: str, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    own = (folder / f"{name}.pem", folder / f"{name}.key")
    own[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    own[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return own
