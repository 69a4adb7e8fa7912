"""A ledger in a temporary folder, and rows to put into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import BatchInfo, Cancellation, CheckedRow, Finding, Leader, Position, Source, Verdict
from pipeline.ledger.moves import Move, Moved
from pipeline.ledger.storage import sqlite
from pipeline.ledger.storage.location import Database, open_ledger
from pipeline.ledger.store import Store
from pipeline.ledger.views import Views

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ENV = "sandbox"


@dataclass
class Book:
    """An open ledger with its two sides, and the short ways of these tests."""

    url: str
    database: Database
    store: Store
    views: Views
    now: datetime = NOW

    def take(self, rows: list[CheckedRow], name: str = "lote", sha: str = "a") -> BatchInfo:
        info = BatchInfo(
            id=f"20261120-{name}",
            file=f"{name}.xlsx",
            sha256=sha * 64,
            env=ENV,
            sheet="Hoja1",
            rows=len(rows),
            headings=("CUFE", "Motivo"),
            created=self.now,
            approved_by="ana",
            issuers=("1-1-1",),
            notes=("una nota",),
            folder="/resultados",
        )
        self.store.intake(info, rows)
        return info

    def claim(self, row: Cancellation) -> Moved:
        return self.move(row.attempt, row.version, row.pos, State.READY, Event.CLAIMED, batch=row.batch)

    def move(
        self,
        attempt: int,
        version: int,
        pos: int,
        source: State,
        event: Event,
        finding: Finding | None = None,
        *,
        batch: str = "20261120-lote",
        retry: bool = False,
        after: timedelta = timedelta(0),
        due: datetime | None = None,
        miss: bool = False,
    ) -> Moved:
        wish = Move(
            attempt, version, batch, pos, source, event, self.now + after, finding, next_due=due, miss=miss, retry=retry
        )
        return self.store.apply([wish])[0]

    def send(self, row: Cancellation, event: Event, finding: Finding | None = None, *, retry: bool = False) -> Moved:
        """Claims ``row`` and records ``event`` as its outcome."""
        claimed = self.claim(row)
        found = finding or Finding(Source.CANCELLATION, event, http=200)
        return self.move(
            row.attempt, claimed.version, row.pos, State.SENDING, event, found, batch=row.batch, retry=retry
        )


@pytest.fixture
def book(ledger_url: str):
    url = ledger_url
    database = open_ledger(url)
    store = Store(database, ENV)
    store.begin_run(NOW)
    yield Book(url, database, store, Views(database, ENV))
    database.close()


@pytest.fixture
def without_wal(monkeypatch):
    """Ledgers that are opened from now on stay in DELETE, as with an older SQLite."""
    monkeypatch.setattr(sqlite, "has_wal", lambda: False)


@pytest.fixture
def row():
    """Makes a checked row: accepted unless told otherwise, with a CUFE of its own."""

    def make(pos: int, verdict: Verdict = Verdict.ACCEPTED, **more) -> CheckedRow:
        values = {
            "pos": pos,
            "position": Position("Hoja1", pos + 4),
            "cells": (f"FE{pos:064d}", "Error en el monto facturado", 12.5, NOW.date(), None, True),
            "verdict": verdict,
            "cufe": f"FE{pos:064d}",
            "reason": "Error en el monto facturado",
            "deadline": Deadline(Window.IN_TIME, 100.0 - pos),
        }
        return CheckedRow(**{**values, **more})

    return make


@pytest.fixture
def leader():
    return Leader
