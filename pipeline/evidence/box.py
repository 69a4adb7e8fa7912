"""Opening a zip that may be hostile, in memory only: exactly the members of a pack, each within its bounds.

The same bounds as for an input workbook (``read/guard.py``): what is really read counts, never what a header promises.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

from pipeline.evidence.members import MEMBERS, WORKBOOK
from pipeline.read.guard import RATIO, RATIO_ABOVE
from pipeline.read.limits import MEGABYTE, Limits

LIMITS = Limits(size=200 * MEGABYTE, unpacked=1024 * MEGABYTE, members=len(MEMBERS))
"""A batch of 100,000 rows with ten events each stays below a third of this."""

_BLOCK = 256 * 1024
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class Fault:
    """What differs: the member it shows in ("" for the container), the event or row where there is one, in Spanish."""

    code: str
    words: str
    member: str = ""
    seq: int | None = None
    row: str | None = None


def open_box(data: bytes, limits: Limits = LIMITS) -> tuple[dict[str, bytes], list[Fault]]:
    """The members that could be read, and what was wrong with the others or with the container."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as box:
            members = box.infolist()
            if fault := _wrong_members(members):
                return {}, [fault]
            return _read(box, members, limits)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        return {}, [Fault("container", "no es un paquete de evidencia, o está dañado o incompleto.")]


def _wrong_members(members: list[zipfile.ZipInfo]) -> Fault | None:
    names = [member.orig_filename for member in members]
    for name in MEMBERS:
        if name not in names:
            return Fault("missing", f"falta «{name}» en el paquete.", name)
    if len(names) != len(MEMBERS):
        return Fault("unexpected", "el paquete contiene archivos que no le corresponden.")
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.flag_bits & 0x1 or member.compress_type not in _PLAIN:
            return Fault("unexpected", "usa un cifrado o una compresión que el paquete nunca usa.", member.filename)
        if member.header_offset < end:
            return Fault("unexpected", "sus partes se superponen.", member.filename)
        end = member.header_offset + 30 + len(member.orig_filename) + member.compress_size
    return None


def _read(box: zipfile.ZipFile, members: list[zipfile.ZipInfo], limits: Limits) -> tuple[dict[str, bytes], list[Fault]]:
    found: dict[str, bytes] = {}
    faults: list[Fault] = []
    left = limits.unpacked
    for member in members:
        name, blocks, size = member.filename, list[bytes](), 0
        # A workbook is a zip itself and has its own guard; texts never pack as tightly as a bomb does.
        most = left if name == WORKBOOK else min(left, max(RATIO_ABOVE, RATIO * max(1, member.compress_size)))
        try:
            with box.open(member) as stream:
                while block := stream.read(_BLOCK):
                    size += len(block)
                    if size > most:
                        return {}, [Fault("bomb", "se desempaca a un tamaño anormal.", name)]
                    blocks.append(block)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
            faults.append(Fault("damaged", "está dañado: no coincide con su suma de control.", name))
            continue
        left -= size
        found[name] = b"".join(blocks)
    return found, faults
