"""Protocol of the reading process: an order in; a Table or a refusal out, as lines of text that the parent checks.

Plain text and JSON, not pickle: the process that writes this has just handled a file of unknown origin, so its answer
may become nothing but plain values here. One line per column: as few lines as possible, and neither side holds the
answer twice. The last line has the row count, so that half an answer is invalid.

::

    {"table": {…, "lines": [[2, 119], [130, 1]]}}     everything but the rows, and their lines: first, how many
    =FE01…\x1fFE01…                  a column of texts; -…: the same, an empty text is a blank cell
    ["FE01…", null, 3.5, …]         any other column; {"date": "2026-11-20"} for a type that JSON lacks
    {"end": {"rows": 120, …}}       how many rows there were, and what was odd
    {"refused": {"code": …}}        instead of all that
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any, cast

from pipeline.domain.columns import origin_in
from pipeline.domain.errors import Choice, InputRefused
from pipeline.domain.problems import KINDS
from pipeline.domain.records import Cell
from pipeline.read.header import Header
from pipeline.read.hidden import Hidden
from pipeline.read.limits import Limits
from pipeline.read.table import Table

WORDS_LIMIT = 100_000
"""Most characters in a heading, or in one sentence of a refusal or a note."""

_BETWEEN = "\x1f"
"""Separator of the texts of a column: no program writes it into a cell, and XML cannot contain it."""

_PLAIN = frozenset({str, int, float, bool, type(None), datetime, date, time})
_ODDITIES = frozenset({"number", "date", "boolean", "error", "formula", "formula-without-value"})
_TIMES: tuple[type[datetime | date | time], ...] = (datetime, date, time)  # datetime first: it is a subclass of date
_NAMED: dict[str, type[datetime | date | time]] = {kind.__name__: kind for kind in _TIMES}


class Nonsense(Exception):
    """An invalid or incomplete answer of the reading process."""


def encode(table: Table) -> Iterator[bytes]:
    """Encodes ``table`` as lines."""
    to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_tagged).encode

    def line(value: object) -> bytes:
        return to_json(value).encode("utf-8", "surrogatepass") + b"\n"

    yield line({"table": {"header": asdict(table.header), "sheet": table.sheet, "lines": _runs(table.lines)}})
    for column in table.columns:
        yield _as_texts(column) or line(column)
    yield line({"end": {"rows": len(table.lines), **_around(table)}})


def _as_texts(column: list[Cell]) -> bytes:
    """Encodes a column of texts, or of texts and blank cells; empty for any other column."""
    kinds = set(map(type, column))
    if not kinds <= {str, type(None)} or (len(kinds) == 2 and "" in column):
        return b""
    texts = column if kinds == {str} else [value or "" for value in column]
    said = _BETWEEN.join(cast(list[str], texts))
    if said.count(_BETWEEN) != len(column) - 1 or "\n" in said or "\r" in said:
        return b""
    return (b"=" if kinds == {str} else b"-") + said.encode("utf-8", "surrogatepass") + b"\n"


def _runs(lines: Sequence[int]) -> list[list[int]]:
    """``lines`` (ascending) as start and length of each run without a gap."""
    runs: list[list[int]] = []
    starts = [place for place in range(1, len(lines)) if lines[place] != lines[place - 1] + 1]
    for start, end in pairwise([0, *starts, len(lines)]):
        runs.append([lines[start], end - start])
    return runs


def _around(table: Table) -> dict[str, object]:
    """The facts about a table that follow its rows."""
    return {
        "blank": table.blank_rows,
        "notes": table.notes,
        "oddities": [[line, place, kind] for (line, place), kind in table.oddities.items()],
        "hidden": asdict(table.hidden),
        "struck": table.struck,
        "said_no": [[line, place, text] for (line, place), text in table.said_no.items()],
        "doubts": table.doubts,
        "distant": table.distant,
        "views": table.views,
        "origin": table.origin,
    }


def encode_refusal(refusal: InputRefused) -> bytes:
    """Encodes ``refusal`` as a line."""
    words: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    words |= {"where": refusal.where, "remedy": refusal.remedy, "choices": [asdict(one) for one in refusal.choices]}
    words |= {"headings": refusal.headings}
    return json.dumps({"refused": words}).encode() + b"\n"


def decode(lines: Iterable[bytes], limits: Limits) -> Table:
    """Decodes ``lines`` to a table. Raises the ``InputRefused`` that they encode, and ``Nonsense`` for anything else.

    Every value is checked again: types, counts and positions are within ``limits`` and fit the header.
    """
    source = iter(lines)
    try:
        head = _object(next(source, b""))
        if refusal := head.get("refused"):
            raise _refusal(refusal)
        header = _header(head["table"]["header"])
        sheet = _text_or_none(head["table"]["sheet"])
        numbers = _numbers(head["table"]["lines"], header, limits)
        columns = [_column(next(source, b""), len(numbers)) for _ in range(header.width)]
        end = _object(next(source, b""))["end"]
        if next(source, None) is not None or end["rows"] != len(numbers):
            raise Nonsense
        return Table(
            header,
            numbers,
            columns,
            sheet,
            _count(end["blank"]),
            tuple(_text(note) for note in end["notes"]),
            _oddities(end["oddities"], header, numbers),
            _hidden(end["hidden"], numbers),
            origin_in(_text(end["origin"])),
            tuple(_places(end["struck"], header, numbers)),
            _said_no(end["said_no"], header, numbers),
            tuple(map(_text, end["doubts"])),
            _some_of(end["distant"], numbers),
            tuple(map(_text, end["views"])),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise Nonsense from error


def _numbers(runs: list[Any], header: Header, limits: Limits) -> list[int]:
    """The lines of the rows: below the header, ascending, at least one and at most the limit."""
    last, count = header.line, 0
    for first, length in runs:
        if _count(first) <= last or _count(length) < 1:
            raise Nonsense
        last, count = first + length - 1, count + length
    if not 0 < count <= limits.rows:
        raise Nonsense
    return [line for first, length in runs for line in range(first, first + length)]


def _column(line: bytes, rows: int) -> list[Cell]:
    said = _whole(line)
    values: Any
    if said.startswith(("=", "-")):
        values = _shared(said[1:-1].split(_BETWEEN))
        if said.startswith("-"):
            values = [text or None for text in values]
    elif type(values := _DECODE(said)) is not list or not _PLAIN.issuperset(map(type, values)):
        raise Nonsense
    if len(values) != rows:
        raise Nonsense
    found: list[Cell] = values
    return found


def _shared(texts: list[str]) -> list[str]:
    """``texts`` with equal ones stored once, where that pays: most reasons are equal."""
    different = set(texts)
    if len(different) > len(texts) // 2:
        return texts
    return list(map(dict(zip(different, different, strict=True)).__getitem__, texts))


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(_whole(line))
    if not isinstance(value, dict):
        raise Nonsense
    return value


def _whole(line: bytes) -> str:
    """The text of ``line``; raises when it was cut off."""
    if not line.endswith(b"\n"):
        raise Nonsense
    return line.decode("utf-8", "surrogatepass")


def _tagged(value: object) -> dict[str, str]:
    for kind in _TIMES:
        if isinstance(value, kind):
            return {kind.__name__: value.isoformat()}
    raise TypeError(f"no plain value: {type(value).__name__}")


def _untagged(value: dict[str, Any]) -> datetime | date | time:
    ((name, text),) = value.items()
    return _NAMED[name].fromisoformat(text)


def _no_number(word: str) -> float:
    raise ValueError(word)  # NaN and similar: never a cell value


_DECODE = json.JSONDecoder(object_hook=_untagged, parse_constant=_no_number).decode


def _header(said: dict[str, Any]) -> Header:
    headings, kept = tuple(map(_text, said["headings"])), tuple(map(_count, said["kept"]))
    roles = {_text(role): _count(place) for role, place in said["roles"].items()}
    optional = [None if said[name] is None else _count(said[name]) for name in ("outcome", "reasons", "remarks")]
    outcome, reasons, remarks = optional
    header = Header(_count(said["line"]), headings, kept, roles, outcome, _count(said["width"]), reasons, remarks)
    inside = all(column < header.width for column in (*kept, *(column or 0 for column in optional)))
    if not inside or len(kept) != len(headings) or not all(place < len(kept) for place in roles.values()):
        raise Nonsense
    return header


def _oddities(said: list[Any], header: Header, numbers: list[int]) -> dict[tuple[int, int], str]:
    found = {(_count(line), _count(place)): _text(kind) for line, place, kind in said}
    _places(list(found), header, numbers)
    if not _ODDITIES.issuperset(found.values()):
        raise Nonsense
    return found


def _hidden(said: dict[str, Any], numbers: list[int]) -> Hidden:
    rows, columns = _some_of(said["rows"], numbers), tuple(map(_text, said["columns"]))
    cells = tuple((_count(line), _text(letters)) for line, letters in said["cells"])
    _some_of([line for line, _ in cells], numbers)
    return Hidden(rows, columns, cells)


def _some_of(said: list[Any], numbers: list[int]) -> tuple[int, ...]:
    """Some of the lines of the rows."""
    lines = tuple(map(_count, said))
    if not set(lines).issubset(numbers):
        raise Nonsense
    return lines


def _places(said: list[Any], header: Header, numbers: list[int]) -> list[tuple[int, int]]:
    """Role cells, by line and index among the kept columns."""
    found = [(_count(line), _count(place)) for line, place in said]
    _some_of([line for line, _ in found], numbers)
    if not set(header.roles.values()).issuperset(place for _, place in found):
        raise Nonsense
    return found


def _said_no(said: list[Any], header: Header, numbers: list[int]) -> dict[tuple[int, int], str]:
    cells = _places([(line, place) for line, place, _ in said], header, numbers)
    return dict(zip(cells, [_text(text) for *_, text in said], strict=True))


def _refusal(said: dict[str, Any]) -> InputRefused:
    code, message, where, remedy = (_text(said[name]) for name in ("code", "message", "where", "remedy"))
    if code not in KINDS or KINDS[code].scope != "archivo":
        raise Nonsense
    choices = [
        Choice(
            _text(one["words"]),
            _text(one["sheet"]),
            _text(one["columns"]),
            include_hidden=one["include_hidden"] is True,
            of_this_file=one["of_this_file"] is True,
        )
        for one in said["choices"]
    ]
    headings = [(_text(letters), _text(heading)) for letters, heading in said["headings"]]
    return InputRefused(message, code=code, where=where, remedy=remedy).offering(choices, headings)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise Nonsense
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > WORDS_LIMIT:
        raise Nonsense
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


OUT_OF_MEMORY = 65
"""Exit code: the allowed memory was not enough."""
NOTHING_TO_DO = 66
"""Exit code: the process did not receive all of its input, because its parent is gone."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to read."""

    #: process id of the parent
    parent: int
    #: bytes of the file, which follow
    size: int
    #: file name
    name: str
    sheet: str | None
    include_hidden: bool
    limits: Limits
    #: the sheet to take when there is nobody to ask
    prefer: str = ""
    #: which column is which (``cufe=H,motivo=I``)
    columns: str = ""

    def line(self) -> bytes:
        """The order as one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Order:
        """Parses ``line``. Raises ``ValueError`` for an incomplete order."""
        values = json.loads(line)
        return cls(**{**values, "limits": Limits(**values["limits"])})
