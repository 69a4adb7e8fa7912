"""Checks around the one table of a sheet: a second heading, codes outside the table, lines that say no (eyes.md 1).

A row is sent only if a person who opens the file sees it as an ordinary row of one table. Anything else is refused
with its place, never skipped silently: it may be what was meant, or may say that the rest is not. Whole columns are
searched at once; single rows only where something was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from pipeline.domain.columns import key_of, role_of, seems
from pipeline.domain.errors import Choice
from pipeline.domain.pasted import has_shape, is_invoice, shows_code
from pipeline.domain.problems import refused, shorten
from pipeline.domain.records import Cell, Position, column_letters
from pipeline.read.header import Header
from pipeline.read.offered import Titles, offered

_HEADING_MOST = 60
# Each known heading contains one of these; ``nico``: «único», however its accent is written.
_PIECES = ("cufe", "nico", "motivo", "raz", "justific", "correo", "mail")
_SHAPE_LEAST = 25
_NO = re.compile(
    r"\bno\b(?!\s*[.º°#])|\bsin anular\b|\bya anulad|"
    r"\b(?:conserv|manten|exclu|descart|omit|ignor|vigente|pendiente)",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r"\b(?:s\.?\s?a\.?(?:\s?s\.?)?|inc\.?|corp\.?|ltda\.?|l\.?l\.?c\.?|s\.?\s?de\s?r\.?\s?l\.?|c[ií]a\.?)\s*$",
    re.IGNORECASE,
)
# Typical words of a reason for a cancellation.
_WHY = re.compile(
    r"anul|error|err[oó]ne|duplic|devol|devuel|factur|correg|correc|equivoc|incorrec|cambi|cancel|client|monto|precio|"
    r"\bno\b|doble|pedido|venta|compra|producto|mercanc|pag[oóa]|digit|dato|emiti|repet",
    re.IGNORECASE,
)
_NAMED = 5
_SHOWN = 40
_EXAMPLES = 5

Rows = Iterable[tuple[int, Sequence[Cell]]]


def refuse_beside(
    header: Header, above: Rows, lines: Sequence[int], columns: Sequence[Sequence[Cell]], sheet: str | None
) -> None:
    """Raises ``InputRefused`` when the rows of a table (``columns``, at ``lines``), or those ``above`` its ``header``,
    hold more than that table."""
    _refuse_second_heading(header, lines, columns, sheet)
    idle = _idle(header, columns)
    _refuse_codes(header, above, lines, columns, idle, sheet)
    _refuse_no(lines, [columns[place] for place in header.kept], idle, sheet)


def refuse_names(header: Header, columns: Sequence[Sequence[Cell]], sheet: str | None) -> None:
    """Raises ``InputRefused`` when the column «Razón» contains names: the heading may mean «razón social»."""
    place = header.roles["reason"]
    if key_of(header.headings[place]) != "razon":
        return
    column, code = header.kept[place], header.kept[header.roles["cufe"]]
    values = {value.strip() for value in columns[column] if isinstance(value, str) and value.strip()}
    names = sum(_COMPANY.search(value) is not None for value in values)
    if not values or (not names and any(map(_WHY.search, values))):
        return
    example, letters = shorten(min(values), _SHOWN), column_letters(column)
    said = f"cufe={column_letters(code)},motivo={letters}"
    words = {"heading": header.headings[place].strip(), "column": letters, "example": example, "option": said}
    where = str(Position(sheet, header.line))
    yes = Choice(
        f"Sí: la columna {letters} («{example}») es el motivo de la anulación", columns=said, of_this_file=True
    )
    below = [[_text(column[at]) for column in columns] for at in range(min(_EXAMPLES, len(columns[code])))]
    titles = Titles(header.headings, header.kept, below)
    refusal = offered(refused("motivo-o-nombre", where=where, **words), "reason", titles.free(header.roles), titles, {})
    others = [replace(one, words=f"No: {one.words}") for one in refusal.choices]
    raise refusal.offering([yes, *others], refusal.headings)


def codes_in(rows: Iterable[Sequence[Cell]]) -> int:
    """How many cells of ``rows`` contain a text shaped like a CUFE."""
    return sum(1 for row in rows for value in row if _has_code(value))


def _has_code(value: Cell) -> bool:
    return isinstance(value, str) and len(value) >= _SHAPE_LEAST and has_shape(value)


def _refuse_second_heading(
    header: Header, lines: Sequence[int], columns: Sequence[Sequence[Cell]], sheet: str | None
) -> None:
    found: dict[int, dict[int, str]] = {}
    cufe, reason = (header.kept[header.roles[role]] for role in ("cufe", "reason"))
    ours = (cufe, reason)
    for place, column in ((place, columns[place]) for place in header.kept):
        texts = _headings(_no_codes(column) if place == cufe else column, alike=place in ours)
        for at in [at for at, value in enumerate(column) if value in texts] if texts else ():
            found.setdefault(at, {})[place] = texts[str(column[at])]
    for at in sorted(found):
        if _is_heading(at, found[at], header, columns):
            place = next(iter(found[at]))
            cell = Position(sheet, lines[at]).cell(place)
            text = shorten(str(columns[place][at]).strip(), _SHOWN)
            both = f"{header.line} y {lines[at]} ({cell}: «{text}»)"
            raise refused("dos-encabezados", where=sheet or "", lines=both)


def _no_codes(column: Sequence[Cell]) -> list[Cell]:
    return [value for value in column if not isinstance(value, str) or not value.startswith("FE")]


def _headings(column: Sequence[Cell], *, alike: bool) -> dict[str, str]:
    """The distinct texts of ``column`` that are a heading, or (``alike``) resemble one, each with its role."""
    texts = set(column)
    try:
        all_of_them = "\n".join(cast(set[str], texts)).lower()
    except TypeError:  # there are numbers or dates
        texts = {value for value in texts if isinstance(value, str)}
        all_of_them = "\n".join(cast(set[str], texts)).lower()
    pieces = [piece for piece in _PIECES if piece in all_of_them]
    short = [text for text in texts if isinstance(text, str) and len(text) <= _HEADING_MOST] if pieces else []
    found: dict[str, str] = {}
    for text in short:
        lower = text.lower()
        if (
            any(piece in lower for piece in pieces)
            and (role := role_of(text) or (seems(text) if alike else None)) is not None
        ):
            found[text] = role
    return found


def _is_heading(at: int, roles: dict[int, str], header: Header, columns: Sequence[Sequence[Cell]]) -> bool:
    """Whether row ``at``, with headings in some columns, is a heading; a data row may contain the word «correo»."""
    cufe = header.kept[header.roles["cufe"]]
    if not shows_code(_text(columns[cufe][at])):
        named = set(roles.values())
        return "cufe" in named or len(named) > 1 or header.kept[header.roles["reason"]] in roles
    for place, role in roles.items():  # in a data row: only with codes of its own below
        if role == "cufe" and place != cufe and any(map(_has_code, columns[place][at + 1 :])):
            return True
    return False


def _idle(header: Header, columns: Sequence[Sequence[Cell]]) -> list[int]:
    """Indexes of the rows that are not an invoice: nothing like a code, and no reason."""
    codes, reasons = (columns[header.kept[header.roles[role]]] for role in ("cufe", "reason"))
    bare = [at for at, value in enumerate(codes) if not isinstance(value, str) or not value.startswith("FE")]
    return [at for at in bare if not is_invoice(_text(codes[at]), _text(reasons[at]))]


def _text(value: Cell) -> str:
    return "" if value is None else str(value)


def _refuse_codes(
    header: Header,
    above: Rows,
    lines: Sequence[int],
    columns: Sequence[Sequence[Cell]],
    idle: Sequence[int],
    sheet: str | None,
) -> None:
    """Refuses codes above the heading, in columns without one, and in rows that have none in the code column."""
    headed = {place for place, heading in zip(header.kept, header.headings, strict=True) if heading.strip()}
    right = [place for place in header.kept if place not in headed]  # not those that an earlier run added

    def places() -> Iterator[str]:
        for line, values in above:
            for place, value in enumerate(values):
                if line < header.line and _has_code(value):
                    yield Position(sheet, line).cell(place)
        for at in idle:
            for place, column in enumerate(columns):
                if place in headed and _has_code(column[at]):
                    yield Position(sheet, lines[at]).cell(place)
        for place in right:
            for line, value in zip(lines, columns[place], strict=True):
                if _has_code(value):
                    yield Position(sheet, line).cell(place)

    found = list(places())
    if found:
        more = f" y {len(found) - _NAMED} más" if len(found) > _NAMED else ""
        raise refused("cufe-fuera", where=sheet or "", places=", ".join(found[:_NAMED]) + more)


def _refuse_no(lines: Sequence[int], columns: Sequence[Sequence[Cell]], idle: Sequence[int], sheet: str | None) -> None:
    """Refuses a line between the invoices that says no: it is not known which of them it is about."""
    last = max(set(range(len(lines))).difference(idle), default=-1) if idle else -1
    for at in idle:
        if at > last:
            break
        words = " ".join(" ".join(_text(column[at]) for column in columns).split())
        if _NO.search(words):
            where = Position(sheet, lines[at])
            raise refused("linea-dice-no", where=str(where), words=shorten(words, 2 * _SHOWN))
