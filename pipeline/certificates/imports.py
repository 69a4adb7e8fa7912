"""Import: the rows of a CSV become records and changes of records, all of them or none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.certificates.registry import FROM_TABLE, Registry
from pipeline.certificates.table import Mistake, Row, read_table
from pipeline.domain import certificates as rules
from pipeline.domain.certificates import AUTHORITY, MOVES, OPEN, Certificate, Event, State, end_of, start_of
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import WrongUsage
from pipeline.domain.ruc import bare
from pipeline.read.source import take
from pipeline.settings.model import limits

_CHANGED = {
    State.IN_PROCESS: Event.REQUESTED,
    State.ACCEPTED: Event.ACCEPTED,
    State.REJECTED: Event.REJECTED,
    State.EXPIRED: Event.ENDED,
}
_COLUMN = {
    "holder": "titular",
    "authority": "entidad",
    "requested_on": "fecha_solicitud",
    "mail": "correo",
    "observations": "observaciones",
    "valid_from": "desde",
    "valid_until": "hasta",
}


@dataclass
class Imported:
    """What an import did, or, with mistakes, did not do."""

    new: list[Certificate] = field(default_factory=list)
    changed: list[Certificate] = field(default_factory=list)
    #: rows that say what the records say already
    same: int = 0
    mistakes: list[Mistake] = field(default_factory=list)


class _NotAll(Exception):
    """Ends a transaction of which nothing is to stay."""


def import_file(registry: Registry, path: Path, now: datetime) -> Imported:
    """Imports a CSV, or returns every mistake in it. Raises ``InputRefused`` for what is no such table."""
    return import_table(registry, path.name, take(path, limits(registry.settings)).data, now)


def import_table(registry: Registry, name: str, data: bytes, now: datetime) -> Imported:
    """The same for the bytes of a file called ``name``."""
    rows, mistakes = read_table(data, name, limits(registry.settings), now.astimezone(PANAMA).date())
    done = Imported(mistakes=mistakes)
    try:
        with registry.writing() as connection:
            before = registry.read(connection)
            known = _by_key(before)
            for row in rows:
                try:
                    _take(row, known.get(row.key), done, registry, connection, now)
                except WrongUsage as wrong:
                    done.mistakes.append(Mistake(row.line, "estado", wrong.sentence))
            lines = {row.key: row.line for row in rows}
            for one in [*done.new, *done.changed]:
                if one.state in OPEN:
                    others = [other for other in registry.read(connection) if other.id != one.id]
                    try:
                        rules.check_request(one.ruc, others, now, registry.settings.cert_renew_months)
                    except WrongUsage as wrong:
                        done.mistakes.append(Mistake(lines.get(_key(one), 1), "estado", wrong.sentence))
            if done.mistakes:
                raise _NotAll
    except _NotAll:
        done.mistakes.sort(key=lambda one: one.line)
        return Imported(mistakes=done.mistakes)
    return done


def _by_key(records: Iterable[Certificate]) -> dict[tuple[str, str], Certificate]:
    return {_key(one): one for one in records}


def _key(one: Certificate) -> tuple[str, str]:
    """The same as ``Row.key``."""
    first = one.valid_from.astimezone(PANAMA).date() if one.valid_from is not None else None
    return bare(one.ruc), one.request.casefold() or str(one.requested_on or first or "")


def _take(
    row: Row, known: Certificate | None, done: Imported, registry: Registry, connection: Any, now: datetime
) -> None:
    """Adds, changes or passes over one row. Raises ``WrongUsage`` for what the rules do not allow."""
    if known is None:
        _check_dates(row, now)
        done.new.append(registry.add(connection, _record_of(row), Event.IMPORTED, now, row.state))
        return
    values = _differing(row, known)
    if not values and row.state in (known.state, rules.state_of(known, now)):
        done.same += 1
        return
    if row.state is State.COMPLETE:
        _check_dates(row, now)
    event = _event(row, known)
    state = rules.moved(rules.state_of(known, now), event)
    if event in (Event.EDITED, Event.ENDED):
        rules.check_editable(known, now)
    if event is Event.ENDED:
        rules.check_reason(row.observations)
        values["valid_until"] = min(values.get("valid_until", now), now)
    if event is Event.REQUESTED:
        values.setdefault("observations", "")
    why = row.observations if event in (Event.REJECTED, Event.ENDED) else ""
    values["source"] = FROM_TABLE
    done.changed.append(registry.write(connection, known, state, event, values, now, why=why))


def _event(row: Row, known: Certificate) -> Event:
    if row.state is State.COMPLETE:
        return Event.EDITED if known.state is State.COMPLETE else Event.READY
    if row.state is known.state and (known.state, _CHANGED[row.state]) not in MOVES:
        wrong = ", ".join(f"«{_COLUMN[name]}»" for name in _differing(row, known))
        raise WrongUsage(
            f"El certificado {known.id} está {known.state} con otros datos ({wrong}), y en ese estado no se corrigen.",
            code="certificado-estado",
        )
    return _CHANGED[row.state]


def _check_dates(row: Row, now: datetime) -> None:
    if row.since is None or row.until is None:
        return
    if row.state is State.COMPLETE:
        rules.check_validity(start_of(row.since), end_of(row.until), now)
    elif end_of(row.until) > now:
        raise WrongUsage(
            f"No puede estar {row.state}: vale hasta el {row.until:%d/%m/%Y}.",
            code="certificado-fechas",
            remedy="Revise el estado o la fecha «hasta».",
        )


def _differing(row: Row, known: Certificate) -> dict[str, Any]:
    """What a row says otherwise than the record. An empty cell says nothing; a date without a time, the day only."""
    told: dict[str, Any] = {}
    for name in ("holder", "authority", "mail", "observations", "requested_on"):
        if (value := getattr(row, name)) and value != getattr(known, name):
            told[name] = value
    for name, day, whole in (("valid_from", row.since, start_of), ("valid_until", row.until, end_of)):
        if day is not None and day != _day_of(getattr(known, name)):
            told[name] = whole(day)
    return told


def _day_of(moment: datetime | None) -> date | None:
    return moment.astimezone(PANAMA).date() if moment is not None else None


def _record_of(row: Row) -> Certificate:
    return Certificate(
        id=0,
        version=0,
        ruc=row.ruc,
        state=row.state,
        holder=row.holder,
        authority=row.authority or AUTHORITY,
        request=row.request,
        requested_on=row.requested_on,
        mail=row.mail,
        observations=row.observations,
        valid_from=start_of(row.since) if row.since is not None else None,
        valid_until=end_of(row.until) if row.until is not None else None,
        source=FROM_TABLE,
    )
