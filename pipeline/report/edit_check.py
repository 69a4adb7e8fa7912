"""Edit check: whether a workbook of ours is unchanged, so that a person's work is never overwritten.

The seal is a SHA-256 over names, sizes and checksums of the worksheets, kept as a document property. Any program that
saves the workbook again rewrites its worksheets, so the seal no longer matches. It protects work; it proves nothing.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

SEAL_PROPERTY = "anular_sello"

_PROPERTIES = "docProps/custom.xml"
_LARGEST = 64 * 1024


def seal_of(archive: ZipFile) -> str:
    """The seal of the worksheets in ``archive``, from its directory."""
    sheets = sorted(
        (member.filename, member.file_size, member.CRC)
        for member in archive.infolist()
        if member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml")
    )
    return hashlib.sha256(repr(sheets).encode()).hexdigest()


def untouched(path: Path, origin: str = "") -> bool:
    """Whether ``path`` is a workbook of this program that was not saved since, and names ``origin`` (where given) as
    its batch. False if in doubt."""
    try:
        with ZipFile(path) as archive:
            member = archive.getinfo(_PROPERTIES)
            if member.file_size > _LARGEST:
                return False
            told = archive.read(member)
            return all(f">{value}<".encode() in told for value in (seal_of(archive), origin) if value)
    except (OSError, BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, zlib.error, EOFError):
        return False
