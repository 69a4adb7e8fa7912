"""CSV reader: delimiter from the header, true line numbers, no guessing (interface.md 4).

The csv module in strict mode parses, not pandas: a quoted field may span lines, and only a reader that counts its
lines knows where each row is. What the module accepts wrongly is checked here: quotes in the middle of a field, long
and short rows, a quote that swallowed rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.domain.columns import role_of
from pipeline.domain.cufe import LENGTH as CUFE_LENGTH
from pipeline.domain.errors import InputRefused
from pipeline.domain.fields import REASON_LEAST, canonical_email, canonical_reason, email_mistake
from pipeline.domain.pasted import is_invoice, unpaste
from pipeline.domain.problems import refused
from pipeline.domain.records import Cell
from pipeline.domain.visible import thousands
from pipeline.read.beside import refuse_beside, refuse_names
from pipeline.read.given import NONE_GIVEN, Given
from pipeline.read.header import HEADER_WITHIN, Header, find_header, is_header, is_second_line, title_note
from pipeline.read.limits import Limits
from pipeline.read.table import FAR, Table
from pipeline.read.text import decode

DELIMITERS = (",", ";", "\t", "|")
FIELD_LIMIT = 64 * 1024

_SEP_LINE = re.compile(r"sep=([,;\t|])?(?:\r\n|\r|\n|$)", re.IGNORECASE)
_ONE_CODE = re.compile(r"FE[0-9A-Z-]{64}", re.IGNORECASE)
_BEGINS_CODE = re.compile(r"(?:f|fe[0-9a-z-]*)\Z", re.IGNORECASE)
_CUFE_LIKE = re.compile(r"FE[0-9]{2}[12][0-9A-Z-]{20,}", re.IGNORECASE)


@dataclass(slots=True)
class _Lines:
    """Iterator over the physical lines of ``source``."""

    source: Iterator[str]
    #: lines taken so far
    taken: int = 0
    #: text taken since the last record began
    raw: str = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.source)
        self.taken += 1
        self.raw += line
        return line


def read_csv(data: bytes, limits: Limits, given: Given = NONE_GIVEN) -> Table:
    """The table in ``data``. Raises ``InputRefused`` with the line, for any error in its structure."""
    text = decode(data)
    content, skipped, forced = without_sep_line(text.content)
    if not content.strip():
        raise refused("sin-encabezado" if skipped else "sin-filas")
    delimiter = forced or _delimiter(content, given)
    try:
        header, above = _header(content, delimiter, skipped, given)
    except InputRefused:
        text.refuse_foreign(enumerate(content.splitlines()[:HEADER_WITHIN], skipped + 1))
        raise
    table = _rows(content, delimiter, skipped, header, len(above) + 1, limits, text.notes)
    for place in header.roles.values():
        text.refuse_foreign(zip(table.lines, map(str, table.columns[header.kept[place]]), strict=True))
    refuse_beside(header, above, table.lines, table.columns, None)
    if "reason" not in given:
        refuse_names(header, table.columns, None)
    return table


def without_sep_line(content: str) -> tuple[str, int, str | None]:
    """Removes Excel's first line ``sep=;``: the rest, the number of lines removed, the delimiter of that line."""
    match = _SEP_LINE.match(content)
    if match is None:
        return content, 0, None
    if match[1] is None:
        raise refused("csv-separador", where="línea 1")
    return content[match.end() :], 1, match[1]


def _delimiter(content: str, given: Given) -> str:
    """The one delimiter for which one of the first ten rows is the header."""
    fits = [delimiter for delimiter in DELIMITERS if _first_header_line(content, delimiter, given) is not None]
    if len(fits) > 1:
        raise refused("csv-separador", where=f"línea {_first_header_line(content, fits[0], given)}")
    if fits:
        return fits[0]
    # No delimiter gives a header: the one that splits most gives the best message about what is missing.
    head = content[:FIELD_LIMIT]
    return max(DELIMITERS, key=head.count)


def _first_header_line(content: str, delimiter: str, given: Given) -> int | None:
    lines = io.StringIO(content, newline="")
    for number, line in zip(range(1, HEADER_WITHIN + 1), lines, strict=False):
        if len(line) > FIELD_LIMIT:
            return None
        try:
            fields = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            continue
        if is_header(fields, given):
            return number
    return None


def _header(content: str, delimiter: str, skipped: int, given: Given) -> tuple[Header, list[tuple[int, list[str]]]]:
    """The header and the records above it, each with its line."""
    first: list[tuple[int, list[str]]] = []
    for line, fields in records(content, delimiter, skipped):
        if line > HEADER_WITHIN + bool(given):
            break
        first.append((line, fields))
    header = find_header(first, below=_below(content, skipped), given=given)
    return header, [record for record in first if record[0] < header.line]


def _below(content: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """The lines after those where the header may be, split by each delimiter: for the message that says where it is."""
    for number, line in enumerate(io.StringIO(content, newline=""), start=1 + skipped):
        if number > HEADER_WITHIN and len(line) <= FIELD_LIMIT:
            for delimiter in DELIMITERS:
                yield number, [field.strip().strip('"') for field in line.split(delimiter)]


def _rows(
    content: str,
    delimiter: str,
    skipped: int,
    header: Header,
    first_data: int,
    limits: Limits,
    notes: tuple[str, ...],
) -> Table:
    width = header.width
    if width > limits.columns:
        raise refused("demasiadas-columnas", where=f"línea {header.line}", limit=limits.columns)
    lines: list[int] = []
    rows: list[list[Cell]] = []
    blank = empty = 0
    far: int | None = None
    filled: list[int] = []
    for ordinal, (line, fields) in enumerate(records(content, delimiter, skipped)):
        if ordinal < first_data:
            continue
        if not any(field.strip() for field in fields):
            blank += 1
            empty += 1
            continue
        if line == header.line + 1 and is_second_line(header, fields):
            raise refused("encabezado-doble", where=f"línea {header.line}", which=f"{header.line} y {line}")
        if empty > FAR and far is None:
            far = len(rows)
        empty = 0
        if len(fields) != width:
            last = not _ended(content) and line == skipped + _count_lines(content)
            fields = _as_wide(fields, header, line, last=last)
            filled.append(line)
        if len(rows) >= limits.rows:
            raise refused("demasiadas-filas", limit=thousands(limits.rows))
        lines.append(line)
        rows.append([*fields])
    if not rows:
        raise refused("sin-filas")
    notes = (*notes, *title_note(header, skipped), *_filled_note(filled))
    if not _ended(content) and _looks_cut(header, str(rows[-1][-1])):
        cut = f"La última línea ({lines[-1]}) está cortada: posible archivo incompleto. Revise si faltan filas."
        notes = (*notes, cut)
    columns = list(map(list, zip(*rows, strict=True)))
    return Table(header, lines, columns, None, blank, notes, distant=() if far is None else tuple(lines[far:]))


def _as_wide(fields: list[str], header: Header, line: int, *, last: bool) -> list[str]:
    """``fields`` of a line with too many or too few of them, made as many as the header has (eyes.md 1).

    Extra fields may only be blank; missing ones may only be cells that are never sent, unless the line is not an
    invoice. ``last``: the file ends within this line. Raises ``InputRefused``.
    """
    width = header.width
    if len(fields) > width and not any(field.strip() for field in fields[width:]):
        return fields[:width]
    wide = [*fields, *[""] * (width - len(fields))]
    cufe, reason = (header.kept[header.roles[role]] for role in ("cufe", "reason"))
    if len(fields) < width and last and (max(cufe, reason) < len(fields) or _BEGINS_CODE.match(fields[-1].strip())):
        raise refused("csv-incompleto", where=f"línea {line}")
    if len(fields) < width and (max(cufe, reason) < len(fields) or not is_invoice(wide[cufe], wide[reason])):
        return wide
    raise refused("csv-incompleto" if last else "csv-columnas", where=f"línea {line}", count=len(fields), wanted=width)


def _filled_note(lines: list[int]) -> tuple[str, ...]:
    """One note about all lines that were made as wide as the header."""
    if not lines:
        return ()
    which = f"la línea {lines[0]}" if len(lines) == 1 else f"{len(lines)} líneas, la primera es la {lines[0]}"
    return (f"Líneas con menos o más campos que el encabezado, sin que falte ni sobre ningún dato: {which}.",)


def _ended(content: str) -> bool:
    return content.endswith(("\n", "\r"))


def _count_lines(content: str) -> int:
    return sum(1 for _ in io.StringIO(content, newline=""))


def _looks_cut(header: Header, last: str) -> bool:
    """Whether ``last``, the last field of an unended file, is only the start of what its column should hold."""
    role = role_of(header.headings[-1]) if header.kept and header.kept[-1] == header.width - 1 else None
    if role == "cufe":
        return 0 < len(unpaste(last).text) < CUFE_LENGTH
    if role == "reason":
        return 0 < len(canonical_reason(last)) < REASON_LEAST
    return role == "email" and email_mistake(canonical_email(last)) is not None


def records(content: str, delimiter: str, skipped: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The records, each with its first physical line. Raises ``InputRefused`` for broken quotes."""
    lines = _Lines(io.StringIO(content, newline=""))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    correct = _grammar(delimiter)
    while True:
        start = lines.taken + skipped + 1
        lines.raw = ""
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(error, start, lines.raw) from error
        if len(lines.raw) > FIELD_LIMIT and any(len(field) > FIELD_LIMIT for field in fields):
            raise refused("csv-campo-enorme", where=f"línea {start}")
        if '"' in lines.raw:
            _check_quotes(lines, fields, start, correct)
        yield start, fields


def _check_quotes(lines: _Lines, fields: list[str], start: int, correct: re.Pattern[str]) -> None:
    if not correct.fullmatch(lines.raw.rstrip("\r\n")):
        raise refused("csv-comilla-suelta", where=f"línea {start}")
    for field in fields:
        broken = "\n" in field or "\r" in field
        if broken and _CUFE_LIKE.search(field) and not _ONE_CODE.fullmatch("".join(field.split())):
            raise refused("csv-comilla-traga", where=f"línea {start}")


def _grammar(delimiter: str) -> re.Pattern[str]:
    """A record by RFC 4180: each field quoted as a whole, or without any quote."""
    mark = re.escape(delimiter)
    field = rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{mark}\r\n]*+)'
    return re.compile(rf"{field}(?:{mark}{field})*+")


def _broken(error: csv.Error, start: int, raw: str) -> Exception:
    words = str(error)
    if "field larger" in words:
        return refused("csv-campo-enorme", where=f"línea {start}")
    if "unexpected end" in words:
        # An unclosed quote swallows the rest: the line where it was opened is the first of the record.
        return refused("csv-comilla-abierta", where=f"línea {start}")
    return refused("csv-comilla-suelta", where=f"línea {start + max(0, raw.count(chr(10)) - 1)}")
