"""File type, from the first bytes and never from the name; a name that contradicts them is refused."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from pipeline.domain.problems import refused

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_LABELLED = "DRMEncrypted".encode("utf-16-le")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|meta|style|div|\?xml|[A-Za-z][A-Za-z0-9]*[\s>:])", re.I)
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "un PDF"),
    (b"{\\rtf", "un documento RTF"),
    (b"\x1f\x8b", "un archivo comprimido gzip"),
    (b"7z\xbc\xaf\x27\x1c", "un archivo comprimido 7z"),
    (b"Rar!", "un archivo comprimido RAR"),
    (b"\x89PNG", "una imagen"),
    (b"\xff\xd8\xff", "una imagen"),
    (b"GIF8", "una imagen"),
    (b"SQLite format 3\x00", "una base de datos"),
)
_TEXT_NAMES = frozenset({".csv", ".txt", ".tsv", ".tab"})
_BOOK_NAMES = frozenset({".xlsx"})


_LOCK = "~$"


def is_lock(path: Path) -> bool:
    """Whether this is the lock file that Excel creates next to an open workbook."""
    return path.name.startswith(_LOCK)


def refuse_lock(path: Path) -> None:
    """Raises ``InputRefused`` for such a file, which names the workbook."""
    if is_lock(path):
        raise refused("archivo-bloqueo", name=path.name, book=path.name.removeprefix(_LOCK))


class Content(Enum):
    """The two kinds of content that can be read."""

    TEXT = "texto CSV"
    WORKBOOK = "un libro de Excel"


def kind_of(path: Path, data: bytes) -> Content:
    """The type of ``data``. Raises ``InputRefused`` for any other type, and when the extension contradicts it."""
    name, extension = path.name, path.suffix.lower()
    refuse_lock(path)
    for signature, what in _OTHERS:
        if data.startswith(signature):
            raise refused("tipo-otro", name=name, what=what)
    if data.startswith(_OLE):
        if _LABELLED in data:
            raise refused("tipo-etiqueta", name=name)
        if _ENCRYPTED in data:
            raise refused("tipo-protegido", name=name)
        raise refused("tipo-otro", name=name, what="un archivo antiguo de Office (.xls o similar)")
    if _MARKUP.match(data[:512].removeprefix(b"\xef\xbb\xbf")):
        raise refused("tipo-otro", name=name, what="una página web o un XML")
    content = Content.WORKBOOK if data.startswith(_ZIP) else Content.TEXT
    if extension == ".xlsm":
        raise refused("tipo-macros", name=name)
    if extension not in _TEXT_NAMES | _BOOK_NAMES:
        raise refused("tipo-desconocido", name=name)
    if (content is Content.WORKBOOK) != (extension in _BOOK_NAMES):
        raise refused("tipo-extension", name=name, what=content.value, extension=extension)
    return content
