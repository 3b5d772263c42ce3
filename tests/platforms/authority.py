"""A certificate authority of one's own, and a server of this machine that it has signed for."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """The file with the authority's certificate, and what a server at 127.0.0.1 speaks TLS with."""

    certificate: Path
    server: ssl.SSLContext


def make(folder: Path) -> Authority:
    """An authority whose files are in `folder`."""
    folder.mkdir()
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = _name("Bank Root CA")
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    key_id = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
    issued = _certificate(name, name, root.public_key())
    issued = issued.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    issued = issued.add_extension(usage, critical=True).add_extension(key_id, critical=False)
    served = _certificate(_name("gitlab.bank.example"), name, leaf.public_key())
    served = served.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
    )
    served = served.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False
    )
    files = {name: folder / name for name in ("ca.pem", "server.pem", "server.key")}
    files["ca.pem"].write_bytes(issued.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files["server.pem"].write_bytes(served.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files["server.key"].write_bytes(
        leaf.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["server.pem"], files["server.key"])
    return Authority(files["ca.pem"], context)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    made = made.serial_number(x509.random_serial_number())
    return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
