"""Our own workbooks as input again, with the ledger that made them and with another (interface.md 4, decision 0031)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipeline.domain.columns import FIRST_COLUMNS, LAST_COLUMNS
from pipeline.domain.eligibility import Rules
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Finding, Leader, Position, Problem, Source, Verdict
from pipeline.run.plan import make_plan
from pipeline.run.results import write_results
from tests.support.books import names_of
from tests.support.reading import read_sheet

ADDED = (*FIRST_COLUMNS, *LAST_COLUMNS)
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
REASON = "Error en el monto facturado"
SENT = {
    "ANULADA": Event.CANCELLED,
    "YA ANULADA": Event.ALREADY,
    "PENDIENTE": Event.IN_PROGRESS,
    "RESULTADO DESCONOCIDO": Event.UNCLEAR,
    "SIGUE AUTORIZADA": Event.IN_PROGRESS,  # and then a query's 2
    "DEVUELTA": Event.CORRECT,
    "ERROR eDoc": Event.SUPPORT,
    "NO ENCONTRADA": Event.NOT_FOUND,
    "NO ENVIADA, con prueba": Event.NOTHING_LEFT,
    "RESUELTA": Event.UNCLEAR,  # and then a person
}
ROWS = (
    *(*SENT, "NO ENVIADA", "RETIRADA", "RETENIDA", "RECHAZADA"),
    *("CONFLICTO", "CONFLICTO, otra versión", "NO APLICA", "DUPLICADA"),
)
D, H, A, R, C = Verdict.DUPLICATE, Verdict.HELD, Verdict.ACCEPTED, Verdict.REJECTED, Verdict.CONFLICT
N = Verdict.NOT_APPLICABLE
EXPECTED = {
    "ANULADA": (D, H),
    "YA ANULADA": (D, H),
    "PENDIENTE": (D, H),
    "RESULTADO DESCONOCIDO": (D, H),
    "SIGUE AUTORIZADA": (D, H),
    "DEVUELTA": (D, H),
    "ERROR eDoc": (D, H),
    "NO ENCONTRADA": (D, H),
    "NO ENVIADA, con prueba": (A, A),
    "RESUELTA": (D, H),
    "NO ENVIADA": (D, A),
    "RETIRADA": (H, H),
    "RETENIDA": (D, H),
    "RECHAZADA": (R, R),
    "CONFLICTO": (C, C),
    "CONFLICTO, otra versión": (C, C),
    "NO APLICA": (N, N),
    "DUPLICADA": (D, D),
}
"""With the same ledger, and with another one."""


@dataclass
class Past:
    """A batch with every outcome, its results workbook, and the ledger that made it."""

    views: Any
    batch: str
    path: Path
    codes: dict[str, str]

    def verdicts(self, *, same: bool) -> dict[str, Verdict]:
        plan = make_plan(read_sheet(self.path), self.views if same else None, Rules(), NOW)
        assert plan.checked is not None
        return dict(zip(ROWS, (row.verdict for row in plan.checked.rows), strict=False))

    def change(self, row: str, **cells: object) -> None:
        """Types into the cells of ``row``, by column; the words of the others stay."""
        book: Any = load_workbook(self.path)
        sheet = book["Resultados"]
        columns = {name: place for place, name in enumerate(names_of([cell.value for cell in sheet[1]]), start=1)}
        for heading, value in cells.items():
            sheet.cell(ROWS.index(row) + 2, columns[heading]).value = value
        book.save(self.path)

    def remove(self, row: str) -> None:
        """Removes the last row, which has to be ``row``."""
        book: Any = load_workbook(self.path)
        book["Resultados"].delete_rows(ROWS.index(row) + 2)
        book.save(self.path)


@pytest.fixture
def past(book, row, make_code, tmp_path) -> Past:
    codes = {word: make_code(n) for n, word in enumerate(ROWS, start=1)}
    codes["CONFLICTO, otra versión"], codes["DUPLICADA"] = codes["CONFLICTO"], codes["ANULADA"]
    short = Problem("motivo-corto", "Hoja1!B15", "Motivo", "corto", "El motivo es demasiado corto.")
    two = Problem("conflicto-archivo", "Hoja1!A16", "CUFE", "FE…", "El mismo CUFE aparece con otro motivo.")
    special: dict[str, dict[str, Any]] = {
        "RETENIDA": {"verdict": H},
        "RECHAZADA": {"verdict": R, "reason": "corto", "problems": (short,)},
        "CONFLICTO": {"verdict": C, "problems": (two,)},
        "CONFLICTO, otra versión": {"verdict": C, "reason": REASON + ", otra vez", "problems": (two,)},
        "NO APLICA": {"verdict": N, "cufe": None, "reason": None, "cells": ("Total", None)},
        "DUPLICADA": {"verdict": D, "leader": Leader(None, 1, Position("Hoja1", 5))},
    }
    rows = []
    for pos, word in enumerate(ROWS, start=1):
        more = {"cufe": codes[word], "reason": REASON, "email": None, "deadline": None, **special.get(word, {})}
        rows.append(row(pos, **{"cells": (codes[word], more["reason"]), **more}))
    info = book.take(rows)
    ready = {one.pos: one for one in book.views.ready(info.id)}
    for word, event in SENT.items():
        one = ready[ROWS.index(word) + 1]
        moved = book.send(one, event)
        if word == "SIGUE AUTORIZADA":
            alive = Finding(Source.QUERY, Event.ALIVE, http=200, estado=2)
            book.move(one.attempt, moved.version, one.pos, State.PENDING, Event.ALIVE, alive)
        if word == "RESUELTA":
            book.move(one.attempt, moved.version, one.pos, State.UNKNOWN, Event.RESOLVED)
    taken_back = ready[ROWS.index("RETIRADA") + 1]
    book.move(taken_back.attempt, taken_back.version, taken_back.pos, State.READY, Event.WITHDRAWN)
    written = write_results(book.views.batch(info.id), book.views, tmp_path / "out")
    return Past(book.views, info.id, written.workbook, codes)


def test_every_word_of_a_result_is_in_this_table(past: Past) -> None:
    words = [name.split(",")[0] for name in ROWS]
    assert set(words) == {word.value for word in Outcome}
    shown = read_sheet(past.path).earlier.values()
    assert list(shown) == words


@pytest.mark.parametrize("same", [True, False], ids=["the same ledger", "another ledger"])
def test_a_results_workbook_comes_back_as_the_table_says(same: bool, past: Past) -> None:
    assert past.verdicts(same=same) == {word: pair[not same] for word, pair in EXPECTED.items()}


@pytest.mark.parametrize("same", [True, False])
def test_a_rejected_row_that_was_corrected_in_the_results_workbook_is_a_new_row(same: bool, past: Past) -> None:
    past.change("RECHAZADA", Motivo=REASON)
    assert past.verdicts(same=same)["RECHAZADA"] is Verdict.ACCEPTED


def test_what_is_typed_in_the_added_columns_changes_nothing(past: Past) -> None:
    past.change("RECHAZADA", Motivo=REASON, **dict.fromkeys(ADDED, "ya lo corregí"))
    past.change("ANULADA", **dict.fromkeys(ADDED, "RECHAZADA"))
    past.change("PENDIENTE", **dict.fromkeys(ADDED))
    found = past.verdicts(same=True)
    assert found.pop("RECHAZADA") is Verdict.ACCEPTED
    assert found == {word: pair[0] for word, pair in EXPECTED.items() if word != "RECHAZADA"}
    assert past.verdicts(same=False)["RECHAZADA"] is Verdict.HELD  # nobody can tell what that word stands for


@pytest.mark.parametrize(("same", "verdict"), [(True, A), (False, H)])
def test_of_a_conflict_the_version_that_was_left_is_taken_where_the_ledger_knows_why(
    same: bool, verdict: Verdict, past: Past
) -> None:
    past.remove("CONFLICTO, otra versión")
    assert past.verdicts(same=same)["CONFLICTO"] is verdict


def test_a_claim_that_the_ledger_lacks_is_heeded_although_it_holds_the_batch(past: Past) -> None:
    """As after an old copy of the ledger was put back: the workbook knows of a sending that the ledger forgot."""
    past.change("NO ENVIADA, con prueba", resultado="ANULADA")
    assert past.verdicts(same=True)["NO ENVIADA, con prueba"] is Verdict.HELD


def test_a_results_workbook_names_its_batch_and_is_no_correction_of_it(past: Past) -> None:
    sheet = read_sheet(past.path)
    assert (sheet.results_of, sheet.corrects) == (past.batch, "")
