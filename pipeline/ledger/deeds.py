"""Appending to the chain of events, and the events that concern the ledger as a whole and no row of a batch.

Such a *deed* is a person's word about the ledger itself: that it was moved to this machine, or that the one before it
is lost. It has no batch and no row (``batch`` "", ``pos`` 0); the chain holds it like every other event, so nobody can
add, change or remove one unseen (reliability.md P15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from pipeline.ledger import codec, tables
from pipeline.ledger.chain import GENESIS, link
from pipeline.ledger.database import Database

LEDGER = "LEDGER"
"""What stands for the state before and after a deed: no row moves."""


class Deed(StrEnum):
    """What a person said about the whole ledger. The value is the word in the ledger."""

    ADOPTED = "adopted"  # it was moved to this machine
    ANEW = "started-anew"  # the one before it is lost: every document is asked about before it is sent
    MOVED = "moved"  # it goes on in another place, under another id: the body


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
    """The deed that belongs to a line of the table ``owner``: the machine's name and mark, who, when and why."""
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
    """Where a ledger went: the place in words, and the id that it has there."""

    place: str
    ident: str


def moved(now: datetime, *, who: str, place: str, ident: str) -> dict[str, Any]:
    """The deed that a ledger goes on at ``place`` under the id ``ident``; it stands in both."""
    body = ident.encode("ascii")
    return _deed(Deed.MOVED, codec.to_text(now), who=who, note="anular ledger copy", message=place, body=body)


def moved_to(database: Database) -> Whereabouts | None:
    """Where this ledger went; None for one that did not, or that is what came of a move."""
    event = tables.event
    query = select(event.c.message, event.c.body).where(event.c.batch == "", event.c.event == Deed.MOVED.value)
    found = database.read(query.order_by(event.c.seq.desc()).limit(1))
    ident = str(database.read(select(tables.ledger.c.id))[0].id)
    if not found or bytes(found[0].body).decode("ascii", "replace") == ident:
        return None
    return Whereabouts(found[0].message or "", bytes(found[0].body).decode("ascii", "replace"))


def start_anew(database: Database, now: datetime, *, who: str, why: str) -> None:
    """A person goes on although the memory before this one is lost; ``why`` says what was found of it."""
    with database.write() as connection:
        append_deed(connection, _deed(Deed.ANEW, codec.to_text(now), who=who, note=why))


def started_anew(database: Database) -> datetime | None:
    """When a person last said so; None for a ledger that remembers everything."""
    event = tables.event
    query = select(event.c.utc).where(event.c.batch == "", event.c.event == Deed.ANEW.value)
    found = database.read(query.order_by(event.c.seq.desc()).limit(1))
    return codec.to_time(found[0].utc) if found else None


def is_a_deed(line: Any) -> bool:
    """Whether an event of the ledger is a deed of the kinds above."""
    return (
        line.event in list(Deed)
        and (line.batch, line.pos, line.attempt, line.from_, line.to_) == ("", 0, None, LEDGER, LEDGER)
        and bool(line.who)
    )


def owners_told(database: Database) -> bool:
    """Whether every adoption in the table ``owner`` is in the chain and the other way round.

    The first line is the machine that made the ledger: nobody decided that, so it has no event.
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
    kind: Deed, utc: str, *, who: str, note: str, message: str | None = None, body: bytes | None = None
) -> dict[str, Any]:
    return {
        "batch": "",
        "pos": 0,
        "attempt": None,
        "from_": LEDGER,
        "to_": LEDGER,
        "event": kind.value,
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
