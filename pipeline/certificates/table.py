"""CSV of certificates: every record of an office at once, each mistake with its line and column."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from pipeline.domain.certificates import LEAST_WORDS, LONGEST, LONGEST_WORDS, State, day_in
from pipeline.domain.columns import key_of
from pipeline.domain.errors import InputRefused
from pipeline.domain.fields import canonical_email, email_mistake
from pipeline.domain.problems import refused, shorten
from pipeline.domain.ruc import bare, has_known_shape
from pipeline.domain.visible import one_line, thousands
from pipeline.read.csv_file import DELIMITERS, FIELD_LIMIT, records, without_sep_line
from pipeline.read.limits import Limits
from pipeline.read.text import decode

COLUMNS = (
    *("ruc", "titular", "entidad", "solicitud", "fecha_solicitud", "estado", "desde", "hasta", "correo"),
    "observaciones",
)
NEEDED = ("ruc", "estado")
_LONGEST = {"observaciones": LONGEST_WORDS}
_STATES = {key_of(state.value): state for state in State}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, as far as it can be judged alone. An empty cell says nothing."""

    line: int
    ruc: str
    state: State
    holder: str
    authority: str
    request: str
    requested_on: date | None
    since: date | None
    until: date | None
    mail: str
    observations: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two lines the same request: the issuer with its number, else its day, else its first day."""
        return bare(self.ruc), self.request.casefold() or str(self.requested_on or self.since or "")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in one cell, or, with an empty column, in one line."""

    line: int
    column: str
    words: str

    @property
    def sentence(self) -> str:
        where = f"Línea {self.line}, columna «{self.column}»" if self.column else f"Línea {self.line}"
        return f"{where}: {self.words}"


def read_table(data: bytes, name: str, limits: Limits, today: date) -> tuple[list[Row], list[Mistake]]:
    """Rows of the table in ``data`` and everything that is wrong with them.

    Raises ``InputRefused`` when it is no such table: its encoding, its quotes, its headings.
    """
    try:
        content, skipped, forced = without_sep_line(decode(data).content)
        delimiter = forced or _delimiter(content)
        every = iter(records(content, delimiter, skipped))
        line, headings = next(((line, cells) for line, cells in every if any(map(str.strip, cells))), (1, []))
        places = _places(headings, line)
        rows: list[Row] = []
        mistakes: list[Mistake] = []
        first: dict[tuple[str, str], int] = {}
        for line, cells in every:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) + len(mistakes) >= limits.rows:
                raise refused("demasiadas-filas", limit=thousands(limits.rows))
            if len(cells) > len(headings) and any(cell.strip() for cell in cells[len(headings) :]):
                mistakes.append(Mistake(line, "", f"tiene {len(cells)} datos y hay {len(headings)} columnas."))
                continue
            found = _row(line, cells, places, today)
            if isinstance(found, list):
                mistakes += found
            elif (before := first.setdefault(found.key, line)) != line:
                mistakes.append(Mistake(line, "ruc", f"repite la solicitud de la línea {before}."))
            else:
                rows.append(found)
    except InputRefused as error:
        where = ", ".join(part for part in (one_line(name), error.where) if part)
        raise InputRefused(error.message, code=error.code, where=where, remedy=error.remedy) from None
    if not rows and not mistakes:
        raise refused("sin-filas", where=one_line(name))
    return rows, mistakes


def _delimiter(content: str) -> str:
    """The delimiter that splits the first line into most of the known headings."""
    head = next((line for line in content.splitlines() if line.strip()), "")

    def known(delimiter: str) -> int:
        return sum(key_of(cell) in _KEYS for cell in next(csv.reader([head[:FIELD_LIMIT]], delimiter=delimiter), []))

    return max(DELIMITERS, key=known)


_KEYS = {key_of(name): name for name in COLUMNS}


def _places(headings: list[str], line: int) -> dict[str, int]:
    """Where each column is. Raises ``InputRefused`` for one that is missing, there twice, or not known."""
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        name = _KEYS.get(key_of(heading))
        if name is None and not heading.strip():
            continue
        if name is None or name in places:
            what = "repetida" if name else "que no se conoce"
            raise InputRefused(
                f"Hay una columna {what}: «{shorten(one_line(heading), 60)}».",
                code="certificados-columnas",
                where=f"línea {line}",
                remedy=f"Las columnas son: {', '.join(COLUMNS)}.",
            )
        places[name] = place
    if missing := [name for name in NEEDED if name not in places]:
        raise InputRefused(
            f"Falta la columna {' y la columna '.join(missing)}.",
            code="certificados-columnas",
            where=f"línea {line}",
            remedy=f"Las columnas son: {', '.join(COLUMNS)}.",
        )
    return places


def _row(line: int, cells: list[str], places: dict[str, int], today: date) -> Row | list[Mistake]:
    mistakes: list[Mistake] = []
    told = {name: one_line(cells[at]) if at < len(cells) else "" for name, at in places.items()}

    def wrong(column: str, words: str) -> None:
        mistakes.append(Mistake(line, column, words))

    for column, text in told.items():
        if len(text) > (most := _LONGEST.get(column, LONGEST)):
            wrong(column, f"tiene {len(text)} caracteres; admite {most}.")

    ruc = told.get("ruc", "")
    if not has_known_shape(bare(ruc)):
        wrong("ruc", f"«{shorten(ruc, 40)}» no tiene la forma de un RUC." if ruc else "falta el RUC.")
    state = _STATES.get(key_of(told.get("estado", "")))
    if state is None:
        wrong("estado", f"debe ser uno de: {', '.join(one.value for one in State)}.")
    requested_on, since, until = (_day(column, told, wrong) for column in ("fecha_solicitud", "desde", "hasta"))
    if requested_on is not None and requested_on > today:
        wrong("fecha_solicitud", "es una fecha que todavía no llega.")
    mail = canonical_email(told.get("correo", ""))
    if mail and email_mistake(mail) is not None:
        wrong("correo", f"«{shorten(mail, 60)}» no es una dirección de correo.")
    if state is not None:
        _check_state(state, told, requested_on, since, until, wrong)
    if mistakes or state is None:
        return mistakes
    return Row(
        line=line,
        ruc=ruc,
        state=state,
        holder=told.get("titular", ""),
        authority=told.get("entidad", ""),
        request=told.get("solicitud", ""),
        requested_on=requested_on,
        since=since,
        until=until,
        mail=mail,
        observations=told.get("observaciones", ""),
    )


def _day(column: str, told: dict[str, str], wrong: Callable[[str, str], None]) -> date | None:
    text = told.get(column, "")
    if text and day_in(text) is None:
        wrong(column, f"«{shorten(text, 40)}» no es una fecha; escríbala como día/mes/año (12/11/2026).")
    return day_in(text)


def _check_state(
    state: State,
    told: dict[str, str],
    requested_on: date | None,
    since: date | None,
    until: date | None,
    wrong: Callable[[str, str], None],
) -> None:
    """What a state needs, by the rules C1 to C3; what depends on today is judged where the records are known."""
    if state in (State.COMPLETE, State.EXPIRED):
        for column, day in (("desde", since), ("hasta", until)):
            if day is None and not told.get(column):
                wrong(column, f"falta: un certificado {state} tiene fecha de inicio y de fin.")
        if since is not None and until is not None and until < since:
            wrong("hasta", "es anterior a «desde».")
        return
    for column in ("desde", "hasta"):
        if told.get(column):
            wrong(column, f"sobra: una solicitud en estado {state} todavía no tiene fechas de vigencia.")
    if requested_on is None and not told.get("fecha_solicitud"):
        wrong("fecha_solicitud", "falta: de ella se cuentan los días hábiles para consultar el estado.")
    if state is State.REJECTED and len(told.get("observaciones", "")) < LEAST_WORDS:
        wrong("observaciones", "faltan: un rechazo dice qué se debe corregir.")
