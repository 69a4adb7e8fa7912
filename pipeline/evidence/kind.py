"""Kind of a file that is to be checked, so that only what checks that kind is loaded."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from enum import Enum
from pathlib import Path

from pipeline.domain.errors import WrongUsage
from pipeline.evidence.unzip import DAMAGE
from pipeline.read.worksheets import WORKBOOK as WORKBOOK_PART


class Kind(Enum):
    """Kind of a file to be checked, by its first bytes and its contents; by its name if it is damaged."""

    PACK = "pack"
    BOOK = "book"
    #: a ledger, or an unknown file
    OTHER = "other"


def kind_of(path: Path) -> Kind:
    """Kind of the file at ``path``. Raises ``WrongUsage`` for a folder, device or pipe, which could block for ever."""
    try:
        if not path.exists():
            return Kind.OTHER
        if not path.is_file():
            raise WrongUsage(
                f"«{path.name or path}» no es un archivo: es una carpeta, un dispositivo o una tubería.",
                code="verify-special",
                remedy="Indique un lote, la ruta de un historial de envíos, un paquete de evidencia o un libro de "
                "resultados.",
            )
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"
        with suppress(*DAMAGE), zipfile.ZipFile(path) as container:
            if WORKBOOK_PART in container.namelist():
                return Kind.BOOK
    except OSError:
        return Kind.OTHER
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        return Kind.BOOK
    return Kind.PACK if suffix == ".zip" or zipped else Kind.OTHER
