"""Unzip for a file that may be hostile: exactly the members of a pack, each within its limits, nothing on the disk.

The same limits as for an input workbook (``read/guard.py``): what is really read counts, not what a header promises.
Members are unpacked again on each pass, so that a large pack is never unpacked in memory.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from pipeline.evidence.format import MEMBERS, MEMBERS_OF_BEFORE, OTHERS, WORKBOOK, Sum
from pipeline.read.guard import RATIO, RATIO_ABOVE
from pipeline.read.limits import MEGABYTE, Limits

LIMITS = Limits(size=200 * MEGABYTE, unpacked=1024 * MEGABYTE, members=len(MEMBERS))
"""A batch of 100,000 rows with ten events each stays below a third of this."""

BLOCK = 256 * 1024
DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)
"""Errors of the library for a file that is not a complete container."""

_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class PackFault:
    """A difference."""

    code: str
    #: in Spanish
    words: str
    #: where it shows; "" for the container
    member: str = ""
    #: its event; ``row`` its row, where there is one
    seq: int | None = None
    row: str | None = None


@dataclass
class Box:
    """The readable members, with their sums."""

    container: zipfile.ZipFile | None = None
    sums: dict[str, Sum] = field(default_factory=dict)

    def open(self, name: str) -> IO[bytes]:
        """A member, from its start."""
        assert self.container is not None
        assert name in self.sums, "what was not within its bounds is not read"
        return self.container.open(name)

    def content(self, name: str) -> bytes:
        """All of a small member."""
        with self.open(name) as stream:
            return stream.read()

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member, one at a time."""
        with self.open(name) as stream, io.BufferedReader(stream, BLOCK) as lines:  # type: ignore[type-var]
            yield from lines


@contextmanager
def open_box(stream: IO[bytes], limits: Limits = LIMITS) -> Iterator[tuple[Box, list[PackFault]]]:
    """The readable members, and the faults of the others or of the container."""
    try:
        container = zipfile.ZipFile(stream)
    except DAMAGE:
        yield Box(), [_NO_PACK]
        return
    with container:
        try:
            members = container.infolist()
            fault = _wrong_members(members) or _commented(container, members)
            found = (Box(), [fault]) if fault else _read(container, members, limits)
        except DAMAGE:
            found = Box(), [_NO_PACK]
        yield found


_NO_PACK = PackFault("container", "no es un paquete de evidencia, o está dañado o incompleto.")


def _wrong_members(members: list[zipfile.ZipInfo]) -> PackFault | None:
    names = [member.orig_filename for member in members]
    wanted = MEMBERS if OTHERS in names else MEMBERS_OF_BEFORE
    for name in wanted:
        if name not in names:
            return PackFault("missing", f"falta «{name}» en el paquete.", name)
    if len(names) != len(wanted):
        return PackFault("unexpected", "el paquete contiene archivos que no le corresponden.")
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.flag_bits & 0x1 or member.compress_type not in _PLAIN:
            return PackFault("unexpected", "usa un cifrado o una compresión que el paquete nunca usa.", member.filename)
        if member.header_offset < end:
            return PackFault("unexpected", "sus partes se superponen.", member.filename)
        end = member.header_offset + 30 + len(member.orig_filename) + member.compress_size
    return None


def _commented(container: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> PackFault | None:
    """The fault of a comment in the container, which programs show to the user; a pack never has one."""
    if container.comment or any(member.comment for member in members):
        return PackFault("unexpected", "el paquete lleva un comentario que anular no escribe.")
    return None


def _read(container: zipfile.ZipFile, members: list[zipfile.ZipInfo], limits: Limits) -> tuple[Box, list[PackFault]]:
    """Reads every member once: its limits, its checksum, its sum."""
    box, faults = Box(container), list[PackFault]()
    left = limits.unpacked
    for member in members:
        name, digest, size = member.filename, hashlib.sha256(), 0
        # A workbook is itself a zip and has its own guard; texts never compress as much as a bomb does.
        most = left if name == WORKBOOK else min(left, max(RATIO_ABOVE, RATIO * max(1, member.compress_size)))
        try:
            with container.open(member) as stream:
                while block := stream.read(BLOCK):
                    size += len(block)
                    if size > most:
                        return Box(), [PackFault("bomb", "se desempaca a un tamaño anormal.", name)]
                    digest.update(block)
        except DAMAGE:
            faults.append(PackFault("damaged", "está dañado: no coincide con su suma de control.", name))
            continue
        left -= size
        box.sums[name] = Sum(size, digest.hexdigest())
    return box, faults
