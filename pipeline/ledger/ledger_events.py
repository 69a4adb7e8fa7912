"""Ledger events: appends to the chain, and the events about the ledger as a whole.

Such an event, a *deed*, records a person's statement about the ledger itself: that it was moved to this machine, or
that the one before it is lost. It has no batch and no row (``batch`` "", ``pos`` 0); the chain holds it like every
other event, so it cannot be added, changed or removed unnoticed (reliability.md P15).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import codec, tables
from pipeline.ledger.chain import GENESIS, link
from pipeline.ledger.storage.database import Database

LEDGER = "LEDGER"
"""Value of both states in a deed: no row moves."""


PACKED = "packed"
"""The event of an evidence pack: the SHA-256 of its members is its body. It belongs to a batch but to none of its rows,
is never shown, and is not part of the batch's seal."""


SUPPORT_CASE = "support-case"
"""The event of a support case that a person had written: its rows are the message, the SHA-256 of its text and table
the body. Like ``PACKED`` it belongs to a batch and to none of its rows."""


CREDENTIAL = "credential"
"""The event of a batch that schema 0009 or older took in: its message is the mark of the credential, found in the
attempts when the ledger was brought up to date, or ``SEVERAL``. It belongs to none of the batch's rows."""

SEVERAL = "varias"
"""The message of that event where the attempts do not all have the same mark: then the batch has none."""


class Deed(StrEnum):
    """A person's statement about the whole ledger. The value is what the ledger stores."""

    ADOPTED = "adopted"  # it was moved to this machine
    ANEW = (
        "started-anew"  # what it knew, or the one before it, is lost: every document is asked about before it is sent
    )
    MOVED = "moved"  # it goes on in another place, under another id: the body
    SITED = "sited"  # it was first used on this server, in this database: the body


def append(connection: Connection, run: int, events: list[dict[str, Any]]) -> None:
    """Adds ``events`` to the chain, in order, within the transaction of ``connection``; fills in seq, prev and hash."""
    event = tables.event
    last = connection.execute(select(event.c.seq, event.c.hash).order_by(event.c.seq.desc()).limit(1)).first()
    seq, prev = (last.seq, last.hash) if last else (0, GENESIS)
    for values in events:
        seq += 1
        values.update(seq=seq, run=run, prev=prev)
        values["hash"] = prev = link(prev, values)
    if events:
        connection.execute(insert(event), events)


def append_deed(connection: Connection, deed: dict[str, Any]) -> None:
    """Adds ``deed`` under the number of the newest run (0 in a ledger that had none)."""
    run = connection.execute(select(func.max(tables.run.c.id))).scalar() or 0
    append(connection, run, [deed])


def adopted(owner: Mapping[str, str]) -> dict[str, Any]:
    """The deed for a line of the table ``owner``: the machine's name and mark, who, when and why."""
    return _deed(
        Deed.ADOPTED,
        owner["since_utc"],
        who=owner["who"],
        note=owner["why"],
        message=owner["name"],
        body=owner["host"].encode("ascii"),
    )


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Place to which a ledger was moved."""

    #: as text for a person
    place: str
    #: its id there
    ident: str
    #: mark of the machine that moved it; with ``machine``, its name, "" in a ledger from before they were recorded
    host: str = ""
    machine: str = ""


def moved(
    now: datetime, *, who: str, place: str, ident: str, before: str = "", host: str = "", machine: str = ""
) -> dict[str, Any]:
    """The deed that the ledger ``before`` (an id) goes on at ``place`` under the id ``ident``, and that ``machine``
    (its mark: ``host``) moved it; both ledgers record it."""
    body = " ".join((ident, before, host)).rstrip().encode("ascii")
    note = f"anular ledger copy; equipo {machine}" if machine else "anular ledger copy"
    return _deed(Deed.MOVED, codec.to_text(now), who=who, note=note, message=place, body=body)


def moved_to(database: Database) -> Whereabouts | None:
    """Place to which this ledger was moved; None when it was not, or when it is itself the result of a move."""
    event = tables.event
    query = select(event.c.message, event.c.body, event.c.note)
    query = query.where(event.c.batch == "", event.c.event == Deed.MOVED.value)
    found = database.read(query.order_by(event.c.seq.desc()).limit(1))
    if not found:
        return None
    ident, _, host = _marks(found[0].body)
    if ident == id_of(database):
        return None
    return Whereabouts(found[0].message or "", ident, host, found[0].note.partition("; equipo ")[2])


def id_of(database: Database) -> str:
    """The id of this ledger."""
    return str(database.read(select(tables.ledger.c.id))[0].id)


@dataclass(frozen=True, slots=True)
class Word:
    """A person's statement that a ledger is lost, or was restored from an older copy."""

    #: of its event
    hash: bytes
    at: datetime
    #: on which server and database; "" for a file
    server: str


def start_anew(
    database: Database, now: datetime, *, who: str, why: str, server: str = "", lost: Iterable[str] = ()
) -> None:
    """Records that a person goes on although the ledger before this one is lost; ``why`` says what was found of it,
    ``server`` on which it goes on, ``lost`` are the ids of lost ledgers that it replaces."""
    with database.write() as connection:
        body = json.dumps({"site": server, "lost": sorted(lost)}).encode("ascii")
        append_deed(connection, _deed(Deed.ANEW, codec.to_text(now), who=who, note=why, body=body))


def newest_word(database: Database) -> Word | None:
    """The last such statement; None for a complete ledger, and for one by an old version that did not record where."""
    event = tables.event
    query = select(event.c.utc, event.c.hash, event.c.body).where(event.c.batch == "", event.c.event == Deed.ANEW.value)
    found = database.read(query.order_by(event.c.seq.desc()).limit(1))
    if not found or found[0].body is None:
        return None
    return Word(bytes(found[0].hash), codec.to_time(found[0].utc), _statement(found[0].body)[0])


def sited(database: Database) -> str | None:
    """The server and database of the ledger; None when not yet recorded, as after a move to it."""
    event = tables.event
    kinds = [Deed.SITED.value, Deed.ANEW.value, Deed.MOVED.value]
    query = select(event.c.event, event.c.body).where(event.c.batch == "", event.c.event.in_(kinds))
    found = database.read(query.order_by(event.c.seq.desc()).limit(1))
    if not found or found[0].event == Deed.MOVED.value:
        return None
    if found[0].event == Deed.ANEW.value:
        return _statement(found[0].body)[0] or None
    return bytes(found[0].body).decode("ascii", "replace")


def settle_down(database: Database, now: datetime, *, who: str) -> None:
    """Records the current server and database of the ledger."""
    body = database.server.encode("ascii")
    with database.write() as connection:
        append_deed(connection, _deed(Deed.SITED, codec.to_text(now), who=who, note="primer uso aquí", body=body))


def started_anew(database: Database) -> datetime | None:
    """When a person last made that statement; None for a complete ledger."""
    event = tables.event
    query = select(event.c.utc).where(event.c.batch == "", event.c.event == Deed.ANEW.value)
    found = database.read(query.order_by(event.c.seq.desc()).limit(1))
    return codec.to_time(found[0].utc) if found else None


def continued(database: Database) -> list[str]:
    """Ids of the ledgers that this one continues: it was moved from them, or replaces lost ones."""
    event = tables.event
    query = select(event.c.event, event.c.body).where(
        event.c.batch == "", event.c.event.in_([Deed.ANEW.value, Deed.MOVED.value])
    )
    found: set[str] = set()
    for line in database.read(query.order_by(event.c.seq)):
        found |= set(_marks(line.body)[:2]) if line.event == Deed.MOVED.value else set(_statement(line.body)[1])
    return sorted(found - {"", id_of(database)})


def _marks(body: bytes | None) -> tuple[str, str, str]:
    """The data of a move: the new id, the old one, the machine; earlier versions did not record the last two."""
    ident, before, host, *_ = [*bytes(body or b"").decode("ascii", "replace").split(" "), "", ""]
    return ident, before, host


def _statement(body: bytes | None) -> tuple[str, list[str]]:
    """The data of a statement: where, and which ledgers are lost; nothing for earlier versions."""
    try:
        values = json.loads(bytes(body or b"{}"))
        return str(values.get("site", "")), [str(one) for one in values.get("lost", ())]
    except (ValueError, AttributeError, TypeError):
        return "", []


def is_a_deed(line: Any) -> bool:
    """Whether an event of the ledger is a deed of the kinds above."""
    return (
        line.event in list(Deed)
        and (line.batch, line.pos, line.attempt, line.from_, line.to_) == ("", 0, None, LEDGER, LEDGER)
        and bool(line.who)
    )


def is_packed(line: Any) -> bool:
    """Whether an event records an evidence pack: it belongs to a batch and to none of its rows."""
    return (
        line.event == PACKED
        and (line.pos, line.attempt, line.from_, line.to_) == (0, None, LEDGER, LEDGER)
        and bool(line.batch and line.who and line.body)
    )


def is_support_case(line: Any) -> bool:
    """Whether an event records a support case: it belongs to a batch and to none of its rows."""
    return (
        line.event == SUPPORT_CASE
        and (line.pos, line.attempt, line.from_, line.to_) == (0, None, LEDGER, LEDGER)
        and bool(line.batch and line.who and line.body and line.message)
    )


def is_credential(line: Any) -> bool:
    """Whether an event records the credential of a batch that an earlier version took in."""
    return (
        line.event == CREDENTIAL
        and (line.pos, line.attempt, line.from_, line.to_) == (0, None, LEDGER, LEDGER)
        and bool(line.batch and line.who and line.message)
    )


@dataclass(frozen=True, slots=True)
class SupportCase:
    """A support case that was written before."""

    seq: int
    at: datetime
    who: str
    #: its rows as text for a person
    rows: str


def add_support_case(database: Database, batch: str, now: datetime, *, who: str, rows: str, digest: bytes) -> int:
    """Records that ``who`` had a case about ``rows`` of ``batch`` written; returns the number of its event."""
    with database.write() as connection:
        values = {**_deed(SUPPORT_CASE, codec.to_text(now), who=who, note="", message=rows, body=digest)}
        values["batch"] = batch
        append_deed(connection, values)
        return int(values["seq"])


def support_cases(database: Database, batch: str) -> list[SupportCase]:
    """The support cases of ``batch``, oldest first."""
    event = tables.event.c
    query = select(event.seq, event.utc, event.who, event.message)
    query = query.where(event.batch == batch, event.event == SUPPORT_CASE).order_by(event.seq)
    return [
        SupportCase(line.seq, codec.to_time(line.utc), line.who or "", line.message or "")
        for line in database.read(query)
    ]


def bind_pack(database: Database, batch: str, last: int, now: datetime, *, who: str, sums: bytes, layout: str) -> int:
    """Adds the digests of an evidence pack's members (``sums``) to the chain and returns the number of that event; the
    same digests are recorded once. ``last`` is the newest event of the batch's rows in the pack.

    Raises ``StorageTrouble`` when the batch got newer events meanwhile.
    """
    with database.write() as connection:
        if connection.execute(_newest_of(batch)).scalar() != last:
            raise _pack_moved()
        before = connection.execute(_packs_of(batch)).first()
        if (known := _same_pack(before, last, sums, layout)) is not None:
            return known
        values = {**_deed(PACKED, codec.to_text(now), who=who, note="", message=layout, body=sums)}
        values["batch"] = batch
        append_deed(connection, values)
        return int(values["seq"])


def bound_pack(database: Database, batch: str, last: int, *, sums: bytes, layout: str) -> int:
    """Number of the event that ``bind_pack`` wrote for these digests; writes nothing. Raises ``StorageTrouble`` where
    there is none: the batch moved on, or its pack was never made."""
    before = database.read(_packs_of(batch))
    known = _same_pack(before[0] if before else None, last, sums, layout)
    if known is None:
        raise StorageTrouble(
            "El paquete de evidencia se hizo con otro estado del lote o con otra versión del programa, y aquí no sale "
            "igual.",
            code="evidence-other",
            remedy="Pídalo otra vez.",
        )
    return known


def _newest_of(batch: str) -> Any:
    event = tables.event.c
    return select(func.max(event.seq)).where(event.batch == batch, event.pos > 0)


def _packs_of(batch: str) -> Any:
    event = tables.event.c
    made = select(event.seq, event.body, event.message).where(event.batch == batch, event.event == PACKED)
    return made.order_by(event.seq.desc()).limit(1)


def _same_pack(before: Any, last: int, sums: bytes, layout: str) -> int | None:
    if before is None or before.seq <= last or (bytes(before.body), before.message) != (sums, layout):
        return None
    return int(before.seq)


def _pack_moved() -> StorageTrouble:
    return StorageTrouble(
        "El lote siguió mientras se escribía su paquete de evidencia.",
        code="evidence-moved",
        remedy="Repita el comando.",
    )


def owners_recorded(database: Database) -> bool:
    """Whether every adoption in the table ``owner`` is in the chain and the other way round.

    The first line is the machine that created the ledger: no person decided that, so it has no event.
    """
    event, owner = tables.event, tables.owner
    lines = database.read(select(owner).order_by(owner.c.id))
    told = database.read(
        select(event).where(event.c.batch == "", event.c.event == Deed.ADOPTED.value).order_by(event.c.seq)
    )
    decided = [line for number, line in enumerate(lines) if number or line.who]
    return [(e.utc, e.who, e.note, e.message, e.body) for e in told] == [
        (o.since_utc, o.who, o.why, o.name, o.host.encode("ascii", "replace")) for o in decided
    ]


def _deed(
    kind: str, utc: str, *, who: str, note: str, message: str | None = None, body: bytes | None = None
) -> dict[str, Any]:
    return {
        "batch": "",
        "pos": 0,
        "attempt": None,
        "from_": LEDGER,
        "to_": LEDGER,
        "event": str(kind),
        "utc": utc,
        "who": who,
        "http": None,
        "estado": None,
        "dgi": None,
        "message": message,
        "note": note,
        "body": body,
        "more": "",
    }
