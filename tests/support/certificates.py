"""Certificates made on the spot: no key or certificate of anybody is in the tree."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from pipeline.settings.model import Settings

RUC = "155668001-2-2018"
SINCE, UNTIL = datetime(2026, 1, 15, 12, 0, tzinfo=UTC), datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
PIN = "pin-Ñ-7319-secreto"


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def p12(self, pin: str = PIN) -> bytes:
        how = serialization.BestAvailableEncryption(pin.encode()) if pin else serialization.NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"firma", self.key, self.certificate, None, how)

    def key_alone(self, pin: str = PIN) -> bytes:
        how = serialization.BestAvailableEncryption(pin.encode())
        return pkcs12.serialize_key_and_certificates(b"firma", self.key, None, None, how)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)

    def secrets(self) -> list[bytes]:
        """Every form in which the key could lie about: its number, raw and as text, and its usual encodings."""
        number = self.key.private_numbers().private_value
        pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        der = self.key.private_bytes(serialization.Encoding.DER, pkcs8, plain)
        body = b"".join(self.key_pem.splitlines()[1:-1])[8:56]
        return [number.to_bytes(32, "big"), f"{number:x}".encode(), str(number).encode(), der, body]


def made(
    ruc: str = RUC,
    *,
    since: datetime = SINCE,
    until: datetime = UNTIL,
    name: str = "[F] EMPRESA, S.A.",
    ca: bool = False,
) -> Made:
    """A new certificate, signed by itself, with this RUC in its subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if ruc:
        subject.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, f"RUC {ruc} DV 62"))
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Firma Electrónica de Panamá")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(0x1A2B3C)
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return Made(key, builder.sign(key, hashes.SHA256()))


def found_in(folder: Path, secrets: list[bytes]) -> list[Path]:
    """Files below ``folder`` in which one of the secrets stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(secret in path.read_bytes() for secret in secrets)]


def settings_with(**values: Any) -> Settings:
    """Settings without a file or variables."""
    return Settings(**values)


class Box:
    """Keeps what a mail server was given."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        #: of each, to whom
        self.to: list[list[str]] = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the name that aiosmtpd calls
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body()
        self.to.append(list(envelope.rcpt_tos))
        self.mails.append((mail["subject"], body.get_content() if body is not None else ""))
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.mails]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
