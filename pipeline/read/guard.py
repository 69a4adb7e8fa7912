"""Workbook guard: checks a hostile workbook before any spreadsheet library sees a byte of it.

A legal workbook of 4.6 kB with cells A1 and XFD1048576 makes the reader allocate until the process dies, and no
``except`` helps against that. So the container is unpacked here, with limits on what is *really* read and not on
what headers promise; every XML part is checked; and the reader gets a new container (``Parts.repacked``) made of
exactly the checked streams, so that two zip readers cannot disagree (reliability.md 4, rows 66-76).
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Set
from dataclasses import dataclass, field

from pipeline.domain.problems import refused
from pipeline.read.container import Stream, packed_again, stored, unpacked
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.read.strings import refuse_odd_strings

RATIO = 100
RATIO_ABOVE = MEGABYTE
_DIRECTORY_ENTRY = b"PK\x01\x02"
_EMBEDDED = 20

_FORBIDDEN_XML = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_OTHER_ENCODING = re.compile(
    rb"""\A[^>]{0,200}?encoding\s*=\s*["'](?!utf-8["']|us-ascii["']|ascii["'])""", re.IGNORECASE
)
_MEDIA = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".svg", ".bin", ".wdp", ".odttf")
_UNIQUE_COUNT = re.compile(rb"""uniqueCount\s*=\s*["']([^"']*)""")
_OUTSIDE = re.compile(rb"""/(externalLink|connections)["']""")
_TYPES = "[Content_Types].xml"
_WORKBOOK_TYPE = re.compile(
    rb"application/vnd\.openxmlformats-officedocument\.spreadsheetml\.(?:sheet|template)\.main\+xml"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a workbook, unpacked and checked. Media are left out."""

    #: content by part name
    by_name: dict[str, bytes]
    #: the streams they came from; a part without one was made by this program
    streams: dict[str, Stream] = field(default_factory=dict, compare=False, repr=False)

    def without(self, names: Set[str]) -> Parts:
        """All parts except ``names``."""
        return Parts({name: part for name, part in self.by_name.items() if name not in names}, self.streams)

    def repacked(self) -> io.BytesIO:
        """A new container with these parts and nothing else, for the reader."""
        return packed_again({name: self.streams.get(name) or stored(part) for name, part in self.by_name.items()})


def open_workbook(data: bytes, name: str, limits: Limits) -> Parts:
    """The checked parts of the workbook in ``data``. Raises ``InputRefused`` for anything that is not a plain one."""
    # zipfile makes an object for each directory entry before they can be counted. Workbooks inside the workbook have
    # entries too: hence many times the allowed number.
    if data.count(_DIRECTORY_ENTRY) > _EMBEDDED * limits.members:
        raise _too_many(limits)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            members = container.infolist()
            _check_names(members, name, limits)
            _check_overlap(members)
            parts = _unpack(data, container, members, limits)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise refused("xlsx-danado") from error
    except (NotImplementedError, RuntimeError) as error:  # an unusual compression; an encrypted member
        raise refused("xlsx-sospechoso", why="usa una compresión o un cifrado poco comunes") from error
    for part, content in parts.by_name.items():
        _check_xml(part, content)
    return parts


def _check_names(members: list[zipfile.ZipInfo], name: str, limits: Limits) -> None:
    if len(members) > limits.members:
        raise _too_many(limits)
    seen: set[str] = set()
    for member in members:
        path = member.orig_filename.replace("\\", "/")
        if not path or "\x00" in path or path.startswith("/") or ".." in path.split("/") or ":" in path:
            raise _suspicious("contiene un nombre interno que sale de su carpeta")
        if path.casefold() in seen:
            raise _suspicious("contiene dos partes con el mismo nombre")
        seen.add(path.casefold())
        if member.flag_bits & 0x1:
            raise refused("tipo-protegido", name=name)
    if any("\\" in member.orig_filename for member in members):  # programs differ in whether they see those parts
        raise refused("xlsx-nombres")
    _check_type(seen, name)


def _check_type(seen: set[str], name: str) -> None:
    """Refuses other files that are zips too, and workbooks with macros or external data."""
    if "encryptedpackage" in seen:
        raise refused("tipo-protegido", name=name)
    if any("vbaproject" in part or part.endswith("macrosheets") or "/macrosheets/" in part for part in seen):
        raise refused("tipo-macros", name=name)
    if "xl/workbook.bin" in seen:
        raise refused("tipo-otro", name=name, what="un libro binario de Excel (.xlsb)")
    if "mimetype" in seen and "content.xml" in seen:
        raise refused("tipo-otro", name=name, what="un documento de LibreOffice (.ods o similar)")
    if "word/document.xml" in seen:
        raise refused("tipo-otro", name=name, what="un documento de Word")
    if "ppt/presentation.xml" in seen:
        raise refused("tipo-otro", name=name, what="una presentación")
    if "xl/workbook.xml" not in seen or _TYPES.casefold() not in seen:
        raise refused("tipo-otro", name=name, what="un archivo comprimido (zip)")
    if "xl/connections.xml" in seen:
        raise refused("xlsx-consulta")
    if any(part.startswith("xl/externallinks/") for part in seen):
        raise refused("xlsx-externo")


def _check_overlap(members: list[zipfile.ZipInfo]) -> None:
    """Refuses members that share bytes: that is how a small file unpacks to a huge one."""
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise _suspicious("sus partes se superponen")
        end = member.header_offset + 30 + len(member.orig_filename.encode("utf-8")) + member.compress_size


def _unpack(data: bytes, container: zipfile.ZipFile, members: list[zipfile.ZipInfo], limits: Limits) -> Parts:
    """All parts but media. The sizes in their headers must be within the limits, and then match to the byte."""
    if sum(member.file_size for member in members) > limits.unpacked:
        raise refused("xlsx-desempacado", limit=f"{limits.unpacked / MEGABYTE:g}")
    parts = Parts({})
    for member in members:
        if member.is_dir() or member.filename.lower().endswith(_MEDIA):
            continue
        _check_ratio(member.file_size, member.compress_size)
        parts.by_name[member.filename], parts.streams[member.filename] = unpacked(data, container, member)
    return parts


def _check_ratio(size: int, packed: int) -> None:
    if size > RATIO_ABOVE and size > RATIO * max(1, packed):
        raise _suspicious("está comprimido de forma anormal")


def _check_xml(part: str, content: bytes) -> None:
    """Allows only UTF-8 without DOCTYPE or ENTITY: later steps search for tags in the bytes."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in content or _OTHER_ENCODING.match(content[:256]):
        raise _suspicious("una de sus partes no está en UTF-8")
    if b"!" in content and b"<!" in content and _FORBIDDEN_XML.search(content):  # one sign is found ten times as fast
        raise _suspicious("define entidades XML")
    # The reader allocates as many strings as the part promises: four billion end the process.
    for promised in _UNIQUE_COUNT.findall(content) if b"uniqueCount" in content else ():
        if not promised.isdigit() or len(promised) > 12 or int(promised) > len(content):
            raise _suspicious("promete más textos de los que contiene")
    if part.endswith(".rels") and (outside := _OUTSIDE.search(content)):
        raise refused("xlsx-externo" if outside[1] == b"externalLink" else "xlsx-consulta")
    refuse_odd_strings(content)
    if part == _TYPES:
        if b"macroEnabled" in content:
            raise refused("tipo-macros", name="El libro")
        if not _WORKBOOK_TYPE.search(content):
            raise refused("xlsx-danado")


def _too_many(limits: Limits) -> Exception:
    return _suspicious(f"contiene más de {limits.members} partes")


def _suspicious(why: str) -> Exception:
    return refused("xlsx-sospechoso", why=why)


def resolve(base: str, target: str) -> str:
    """The part name that a relationship of ``base`` points to."""
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), target))
