"""`anular verify`: what an auditor runs, and what a run does by itself before it may write (P15, F55)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ledger.storage.driver import sqlite3


@pytest.fixture
def done(place):
    """A place whose batch of two rows was cancelled."""
    assert place.anular("run", place.batch(["000", "911"]), "--yes").code == 0
    place.ledger = place.folder / "ledger" / "registro.db"
    return place


def tamper(done, statement: str) -> None:
    with sqlite3.connect(done.ledger) as connection:
        for name in ("event_no_update", "event_no_delete"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for verb in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
                "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
            )
    connection.close()


def test_a_ledger_that_nobody_touched_ends_with_0_and_tells_its_seal(done):
    answer = done.anular("verify", "--json")

    assert (answer.code, answer.data["good"], answer.data["rows"], answer.data["faults"]) == (0, True, 2, [])
    assert answer.data["events"] == 6
    assert len(answer.data["head"]) == 64
    assert "Historial de envíos íntegro" in answer.err


@pytest.mark.parametrize("by", ["batch", "file", "url"])
def test_it_is_named_by_a_batch_a_file_or_an_address(done, by):
    (batch,) = done.anular("status", "--json").data
    targets = {"batch": batch["batch"], "file": done.ledger, "url": f"sqlite:///{done.ledger}"}
    more = {} if by == "batch" else {"ANULAR_LEDGER": "sqlite:////no/hay/otro.db"}

    assert done.anular("verify", targets[by], **more).code == 0


@pytest.mark.parametrize("target", ["no-hay-tal-lote", "sqlite:////no/hay.db"])
def test_what_does_not_exist_ends_with_2_and_is_not_made(done, target):
    assert done.anular("verify", target).code == 2
    assert not Path("/no").exists()


def test_an_edited_event_ends_with_5_and_is_named(done):
    tamper(done, "UPDATE event SET message='Anulado por otro' WHERE seq=4")
    answer = done.anular("verify", "--json")

    assert answer.code == 5
    assert [(fault["code"], fault["seq"]) for fault in answer.data["faults"]] == [("chain", 4)]
    assert "El evento 4 de la bitácora fue alterado." in answer.err


def test_a_run_refuses_a_broken_ledger_and_sends_nothing(done):
    before = sum(done.posts().values())
    tamper(done, "UPDATE attempt SET state='NOT_SENT' WHERE id=1")
    answer = done.anular("run", done.folder / "lote.xlsx", "--yes")

    assert answer.code == 5
    assert "no está íntegro" in answer.err
    assert sum(done.posts().values()) == before
