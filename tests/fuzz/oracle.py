"""Independent readers: what a file holds according to somebody who shares no code with ``pipeline.read``.

CSV is parsed here by the letter of RFC 4180; workbooks by openpyxl in full mode. ``same_csv`` and ``same_workbook``
raise ``AssertionError`` when the program saw other rows: one dropped, merged, shifted, or with another text.
"""

from __future__ import annotations

import codecs
import io
import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from pipeline.read.table import Table

Places = dict[tuple[int, int], Any]
"""Values by (1-based row, 0-based column); blanks are left out."""

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SEP_LINE = re.compile(r"sep=[,;\t|](?:\r\n|\r|\n|$)", re.IGNORECASE)
_ERRORS = re.compile(r"#[A-Z0-9/_]+[?!]?")


class NoOracle(Exception):
    """The independent reader cannot read the file at all, so it has no opinion."""


# ------------------------------------------------------------------------------------------------------- CSV


def rfc4180(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records of ``text`` with the 1-based line on which each begins. A lone CR ends a line as well."""
    line = start = 1
    fields: list[str] = []
    field, place, quoted, was_quoted = "", 0, False, False
    while place < len(text):
        char = text[place]
        ends = 2 if text.startswith("\r\n", place) else 1 if char in "\r\n" else 0
        line += bool(ends)
        if quoted:
            if char == '"' and text.startswith('""', place):
                field += '"'
                place += 2
                continue
            quoted = char != '"'
            field += text[place : place + max(1, ends)] if quoted else ""
        elif char == '"' and not field and not was_quoted:
            quoted = was_quoted = True
        elif char == delimiter:
            fields.append(field)
            field, was_quoted = "", False
        elif ends:
            yield start, [*fields, field]
            fields, field, was_quoted, start = [], "", False, line
        else:
            field += char
        place += max(1, ends)
    if fields or field or was_quoted:
        yield start, [*fields, field]


def text_of(data: bytes) -> str:
    """The text as a person's editor shows it: by its mark, else UTF-8, else Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def same_csv(data: bytes, table: Table) -> None:
    """With one of the delimiters the records below the header are exactly those of ``table``."""
    text = text_of(data)
    skipped = _SEP_LINE.match(text)
    seen = [_csv_rows(text[skipped.end() if skipped else 0 :], d, bool(skipped), table) for d in ",;\t|"]
    assert list(zip(table.lines, table.rows, strict=True)) in seen


def _csv_rows(text: str, delimiter: str, skipped: bool, table: Table) -> list[tuple[int, list[str]]]:
    """Lines of fewer fields are filled and blank ones beyond the last heading dropped, as ``csv_file.py`` says."""
    records = [(line + skipped, _as_wide(fields, table)) for line, fields in rfc4180(text, delimiter)]
    return [(line, fields) for line, fields in records if line > table.header.line and any(f.strip() for f in fields)]


def _as_wide(fields: list[str], table: Table) -> list[str]:
    width = table.header.width
    beyond = [] if not any(field.strip() for field in fields[width:]) else fields[width:]
    return [*fields[:width], *[""] * (width - len(fields)), *beyond]


# ------------------------------------------------------------------------------------------------- workbooks


def seen_by_openpyxl(data: bytes, sheet: str) -> Places:
    """The cells of ``sheet`` with something in them. Raises ``NoOracle``."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            page = openpyxl.load_workbook(io.BytesIO(data), data_only=True)[sheet]
            cells = {(c.row, c.column - 1): c.value for line in page.iter_rows() for c in line if c.value is not None}
        except Exception as error:  # whatever it is: openpyxl is not under test
            raise NoOracle from error
    return {place: value for place, value in cells.items() if value != ""}


def same_workbook(data: bytes, table: Table, *, strict: bool = False) -> None:
    """Below the header, openpyxl sees the same values at the same places. ``strict`` compares spaces and kinds too.

    Raises ``NoOracle`` when openpyxl cannot read it.
    """
    assert table.sheet is not None
    seen = seen_by_openpyxl(data, table.sheet)
    if not seen:
        raise NoOracle  # strict OOXML: openpyxl looks for other namespaces
    theirs = {p: v for p, v in seen.items() if p[0] > table.header.line}
    ours = {
        (line, column): value
        for line, row in zip(table.lines, table.rows, strict=True)
        for column, value in enumerate(row)
        if value is not None and value != ""
    }
    lost = {place for place in theirs.keys() - ours.keys() if not _blank(theirs[place])}
    assert not lost, f"not seen by us: {[(p, theirs[p]) for p in sorted(lost)[:5]]}"
    more = {place for place in ours.keys() - theirs.keys() if not _blank(ours[place])}
    assert not more, f"seen by us alone: {[(p, ours[p]) for p in sorted(more)[:5]]}"
    for place in ours.keys() & theirs.keys():
        assert _alike(ours[place], theirs[place], strict), f"{place}: {ours[place]!r}, openpyxl {theirs[place]!r}"


def _blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _alike(ours: Any, theirs: Any, strict: bool) -> bool:
    if isinstance(ours, str) and isinstance(theirs, str):
        # Excel and our reader decode _x0041_, openpyxl does not, or only the underscore of it.
        read = theirs, _ESCAPE.sub(lambda found: chr(int(found[1], 16)), theirs)
        return ours in read if strict else "".join(ours.split()) in ["".join(text.split()) for text in read]
    if isinstance(ours, date | time | str) or isinstance(theirs, date | time | timedelta | str):
        return not strict or _moment(ours) == _moment(theirs)
    return float(ours) == float(theirs) and (not strict or isinstance(ours, bool) == isinstance(theirs, bool))


def _moment(value: Any) -> Any:
    return datetime(value.year, value.month, value.day) if type(value) is date else value  # noqa: DTZ001
