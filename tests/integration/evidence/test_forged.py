"""Forged packs and edited ledgers made by a generator are all found, genuine ones of every kind pass (eyes.md 4)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Leader, Position, Source, Verdict, Waiting
from pipeline.evidence.check import check, check_file
from pipeline.ledger import verify
from pipeline.ledger.moves import Move
from pipeline.ledger.storage.driver import sqlite3
from tests.integration.evidence.conftest import answer
from tests.integration.evidence.forge import NOT_COVERED, edit, forgery, sql
from tests.support import ledgers
from tests.support.long import long


def forged(case, unzipped, seed: int, number: int) -> list[str]:
    """What of so many forged packs was called good."""
    dice, parts = random.Random(seed), unzipped(case.pack())
    assert check_file(case.pack()).faults == []
    made = [forgery(dice, parts) for _ in range(number)]
    return [what for what, data in made if check(data).good]


def edited(case, seed: int, number: int) -> list[str]:
    """What of so many edits of the ledger was called good."""
    dice, missed, url = random.Random(seed), [], case.book.url
    made = 0
    while made < number:
        what, there, back = edit(dice, url)
        try:
            ledgers.change(url, there)
        except (sqlite3.IntegrityError, IntegrityError):  # the ledger's own rules do not let it happen
            continue
        made += 1
        if verify.examine(case.book.database).good:
            missed.append(what)
        ledgers.change(url, back)
    assert verify.examine(case.book.database).faults == []
    return missed


KINDS = ("NULL", "7", "7.5", "'x'", "'[7]'", "x'ff00'", "-9223372036854775808")


def mistyped(case, table: str, kinds: Sequence[str]) -> list[str]:
    """Which values of another kind in a column of ``table`` were called good, or ended the check."""
    missed, url = [], case.book.url
    lines = ledgers.lines(url, f"SELECT rowid AS place, * FROM {table}")
    for column in [name for name in lines[0] if name != "place"]:
        filled = [one for one in lines if one[column] is not None][:1]
        empty = [one for one in lines if one[column] is None][:1]
        for line, value in itertools.product(filled + empty, kinds):
            if (table, column) in [*NOT_COVERED, ("event", "seq"), ("attempt", "id")] or sql(line[column]) == value:
                continue
            there = f"UPDATE {table} SET {column}={value} WHERE rowid={line['place']}"
            back = f"UPDATE {table} SET {column}={sql(line[column])} WHERE rowid={line['place']}"
            try:
                ledgers.change(url, there)
            except sqlite3.IntegrityError:
                continue
            try:
                good = verify.examine(case.book.database).good
            except Exception as error:
                missed.append(f"{there}: {error!r}")
            else:
                missed += [there] if good else []
            ledgers.change(url, back)
    assert verify.examine(case.book.database).faults == []
    return missed


def test_a_few_forged_packs_are_found(case, unzipped):
    assert forged(case, unzipped, 13, 8) == []


@pytest.mark.parametrize(("seed", "number"), [(13, 10), (968909512, 17)])
def test_a_few_edited_ledgers_are_found(case, seed, number):
    assert edited(case, seed, number) == []


@pytest.mark.sqlite  # a server does not let a column hold another kind of value
@pytest.mark.parametrize("table", ["batch", "row", "attempt", "event"])
@pytest.mark.parametrize("kinds", [["x'ff00'"], *long([*KINDS])])
def test_a_value_of_another_kind_in_any_column_is_found(case, table, kinds):
    assert mistyped(case, table, kinds) == []


@pytest.mark.sqlite
@pytest.mark.parametrize("value", ["'x'", "7", "x'ff00'"])
def test_the_hash_before_the_newest_events_is_of_another_kind(case, value, monkeypatch):
    monkeypatch.setattr(verify, "WHOLE", 10)
    verify.look_over(case.book.database)
    (last,) = ledgers.lines(case.book.url, "SELECT max(seq) AS seq FROM event")
    ledgers.change(case.book.url, f"UPDATE event SET hash={value} WHERE seq={last['seq'] - 10}")

    with pytest.raises(StorageTrouble, match="fue alterado"):
        verify.look_over(case.book.database)


@pytest.mark.long
def test_a_hundred_forged_packs_are_found(case, unzipped, seed):
    assert forged(case, unzipped, seed, 100) == []


@pytest.mark.long
def test_forty_edited_ledgers_are_found(case, seed):
    assert edited(case, seed, 40) == []


# --- genuine ones

ENDS: dict[Event, dict[str, Any]] = {
    Event.CANCELLED: {"estado": 2, "dgi": "0600", "message": "Evento registrado", "authorised_at": "2026-11-20"},
    Event.ALREADY: {"estado": 11},
    Event.IN_PROGRESS: {"estado": 5},
    Event.SUPPORT: {"estado": 4, "message": "Error de procesamiento"},
    Event.CORRECT: {"estado": 6, "dgi": "1601"},
    Event.RETURNED: {"estado": 15},
    Event.NOT_FOUND: {"estado": 18},
    Event.UNCLEAR: {"http": 500},
}


def live(case_book, row, dice: random.Random, number: int):
    """A batch of some rows, each with an outcome by chance: held and approved, resent, decided, withdrawn, followed."""
    first = 1_000 * number
    rows = [row(first + n) for n in range(1, dice.randint(2, 8))]
    rows += [row(first + 20, Verdict.HELD)] if dice.random() < 0.6 else []
    rows += [row(first + 21, Verdict.REJECTED, cufe=None)] if dice.random() < 0.4 else []
    same = Leader(None, 1, Position("Hoja1", 5))
    rows += [row(first + 22, Verdict.DUPLICATE, leader=same, cufe=rows[0].cufe)] if dice.random() < 0.4 else []
    other = Leader("20261120-antes", 1, Position("Hoja1", 74))
    rows += [row(first + 23, Verdict.DUPLICATE, leader=other, cufe=row(70).cufe)] if dice.random() < 0.4 else []
    info = case_book.take([replace(one, pos=pos) for pos, one in enumerate(rows, 1)], f"g{number}", chr(0x100 + number))
    return info


def grow(book, info, dice: random.Random) -> None:
    """Something happens to each row that may be sent."""
    if dice.random() < 0.7 and (held := _held(book, info)):
        book.store.approve(held, book.now, who="jefa de área")
    for one in book.views.ready(info.id):
        if dice.random() < 0.15:
            continue
        if dice.random() < 0.1:
            wish = Move(one.attempt, one.version, info.id, one.pos, State.READY, Event.WITHDRAWN, book.now, note="no")
            book.store.apply([replace(wish, who="ana")])
            continue
        kind = dice.choice(list(ENDS))
        sent = book.send(one, kind, answer(kind, **ENDS[kind]))
        if sent.state in (State.PENDING, State.UNKNOWN):
            query = answer(Event.ALIVE, Source.QUERY, estado=2)
            sent = book.move(
                one.attempt, sent.version, one.pos, sent.state, Event.ALIVE, query, batch=info.id, due=book.now
            )
        if sent.state in (State.UNKNOWN, State.NEEDS_SUPPORT, State.NOT_FOUND) and dice.random() < 0.6:
            event = dice.choice([Event.RESOLVED, Event.RESEND])
            found = Finding(Source.QUERY, event, http=200, estado=18, body=b"{}") if event is Event.RESEND else None
            wish = Move(one.attempt, sent.version, info.id, one.pos, sent.state, event, book.now, found, "sí", "ana")
            book.store.apply([replace(wish, retry=event is Event.RESEND)])


def _held(book, info) -> list[Waiting]:
    lines = ledgers.lines(book.url, f"SELECT id, v, pos FROM attempt WHERE batch='{info.id}' AND state='HELD'")
    return [Waiting(line["id"], line["v"], info.id, line["pos"]) for line in lines]


def genuine(case, row, seed: int, number: int) -> list[str]:
    """What of so many genuine packs, each twice in the life of its batch, was not called good."""
    dice, refused = random.Random(seed), []
    for one in range(1, number + 1):
        info = replace(live(case.book, row, dice, one))
        mine = replace(case, info=info)
        for _ in range(2):
            grow(case.book, info, dice)
            found = check_file(mine.pack())
            refused += [f"{info.id}: {fault}" for fault in found.faults]
            refused += [f"{info.id}: {words}" for words in found.not_covered]
    refused += [str(fault) for fault in verify.examine(case.book.database).faults]
    return refused


def test_a_few_genuine_packs_pass(case, row):
    assert genuine(case, row, 5, 2) == []


@pytest.mark.long
def test_twenty_genuine_packs_pass(case, row, seed):
    assert genuine(case, row, seed, 20) == []
