"""Certificate file: its dates, serial number, fingerprint and RUC, read in memory. The one file that knows
``cryptography``.

Of a ``.p12`` the private key passes through memory, because the format holds it beside the certificate. Nothing of it,
of the PIN or of the file is returned, kept or part of a message; core dumps are off before the first byte is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.errors import InputRefused
from pipeline.domain.ruc import rucs_in
from pipeline.domain.visible import one_line
from pipeline.runtime.core_dumps import no_core_dump

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name
    from pydantic import SecretStr

MOST_BYTES = 100 * 1024
WITH_KEY = (".p12", ".pfx")
ALONE = (".cer", ".crt", ".pem", ".der")
_LONGEST = 200
_PEM = b"-----BEGIN"


@dataclass(frozen=True, slots=True)
class Told:
    """What a certificate says of itself."""

    #: common name of the subject, else its organization
    holder: str
    #: organization of the issuer, else its common name
    authority: str
    #: aware
    valid_from: datetime
    #: aware
    valid_until: datetime
    #: hexadecimal
    serial: str
    #: SHA-256 of the whole certificate, hexadecimal
    fingerprint: str
    #: everything in the subject that has the shape of a RUC
    rucs: tuple[str, ...]


def read_certificate(path: Path, pin: Callable[[], SecretStr]) -> Told:
    """What the certificate in a file says. ``pin`` is asked for a ``.p12`` or ``.pfx`` only.

    Raises ``InputRefused``: no such file, too large, empty, damaged, wrong PIN, no certificate in it.
    """
    no_core_dump()
    _check_kind(path)
    return _told_of(path, _content(path), pin)


def certificate_in(name: str, data: bytes, pin: Callable[[], SecretStr]) -> Told:
    """The same for a file that came by a page and never lies on a disk. Raises ``InputRefused``."""
    no_core_dump()
    path = Path(name)
    _check_kind(path)
    _check_size(path, data)
    return _told_of(path, data, pin)


def _check_kind(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix not in (*WITH_KEY, *ALONE):
        raise InputRefused(
            f"No es un archivo de certificado: su nombre debe terminar en {', '.join((*WITH_KEY, *ALONE))}.",
            code="certificado-tipo",
            where=one_line(path.name),
        )


def _told_of(path: Path, data: bytes, pin: Callable[[], SecretStr]) -> Told:
    found = _with_key(path, data, pin()) if path.suffix.lower() in WITH_KEY else _alone(path, data)
    try:
        return _told(found)
    except Exception:  # whatever the library says of a certificate that it cannot read: it may quote it
        raise _damaged(path) from None


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would keep us waiting
            raise OSError
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError:
        raise InputRefused(
            "No se puede leer el archivo del certificado.",
            code="certificado-ilegible",
            where=one_line(path.name),
            remedy="Revise el nombre, la carpeta y sus permisos.",
        ) from None
    _check_size(path, data)
    return data


def _check_size(path: Path, data: bytes) -> None:
    if not data:
        raise InputRefused(
            "El archivo del certificado está vacío.",
            code="certificado-vacio",
            where=one_line(path.name),
            remedy="Cópielo o descárguelo otra vez.",
        )
    if len(data) > MOST_BYTES:
        raise InputRefused(
            f"El archivo pesa más de {MOST_BYTES // 1024} kB: no es un certificado.",
            code="certificado-grande",
            where=one_line(path.name),
            remedy="Revise que sea el archivo correcto.",
        )


def _with_key(path: Path, data: bytes, pin: SecretStr) -> Certificate:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    given = pin.get_secret_value().encode()
    try:
        opened = pkcs12.load_pkcs12(data, given or None)
    except UnsupportedAlgorithm:
        raise InputRefused(
            "El archivo usa un cifrado que este programa no abre.",
            code="certificado-cifrado",
            where=one_line(path.name),
            remedy="Expórtelo solo como certificado, sin la llave (.cer), y use ese archivo.",
        ) from None
    except Exception as error:
        if "password" in str(error).lower():
            raise InputRefused(
                "El PIN no es el de este archivo, o el archivo está dañado.",
                code="certificado-pin",
                where=one_line(path.name),
                remedy="Vuelva a intentarlo; si el PIN es correcto, descargue el archivo otra vez.",
            ) from None
        raise _damaged(path) from None
    if opened.cert is not None:
        return opened.cert.certificate
    return _holder_of(path, [one.certificate for one in opened.additional_certs])


def _alone(path: Path, data: bytes) -> Certificate:
    from cryptography import x509

    is_text = data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_PEM)
    if is_text and b"-----BEGIN CERTIFICATE-----" not in data:
        return _holder_of(path, [])
    try:
        found = x509.load_pem_x509_certificates(data) if is_text else [x509.load_der_x509_certificate(data)]
    except Exception:
        raise _damaged(path) from None
    return _holder_of(path, found)


def _holder_of(path: Path, found: list[Certificate]) -> Certificate:
    """The first that is not an authority's own; of one alone it does not matter."""
    if not found:
        raise InputRefused(
            "El archivo no trae ningún certificado.",
            code="certificado-ninguno",
            where=one_line(path.name),
            remedy="Revise que sea el archivo del certificado y no otro.",
        )
    return next((one for one in found if not _is_authority(one)), found[0])


def _is_authority(one: Certificate) -> bool:
    from cryptography import x509

    try:
        return one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except Exception:  # without the extension, or with one that cannot be read
        return False


def _told(one: Certificate) -> Told:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import NameOID

    return Told(
        holder=_first(one.subject, NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME),
        authority=_first(one.issuer, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME),
        valid_from=one.not_valid_before_utc,
        valid_until=one.not_valid_after_utc,
        serial=f"{one.serial_number:x}",
        fingerprint=one.fingerprint(SHA256()).hex(),
        rucs=tuple(dict.fromkeys(ruc for part in one.subject for ruc in rucs_in(str(part.value)))),
    )


def _first(name: Name, *kinds: object) -> str:
    for kind in kinds:
        for part in name:
            if part.oid == kind and (text := one_line(str(part.value))):
                return text[:_LONGEST]
    return ""


def _damaged(path: Path) -> InputRefused:
    return InputRefused(
        "El archivo del certificado está dañado o no es lo que dice su nombre.",
        code="certificado-danado",
        where=one_line(path.name),
        remedy="Descárguelo otra vez de donde lo emitieron.",
    )
