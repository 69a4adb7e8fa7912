"""What the commands show of a batch."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.cli.render import status_facts
from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.records import BatchInfo

INFO = {"id": "b", "file": "a.xlsx", "sha256": "0" * 64, "env": "lab", "sheet": None, "rows": 1, "headings": ()}
NOON = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def test_status_says_who_prepared_and_who_approved_with_the_digest_below() -> None:
    by = ApprovedBy("terminal", "lgomez", "aperez", "3f9c" * 16)
    facts = status_facts(BatchInfo(**{**INFO, "created": NOON, "approved_by": str(by)}))
    start = facts.index(("Quién", "Preparó: aperez · Aprobó: lgomez"))
    assert facts[start + 1] == ("Huella de lo aprobado", "3f9c" * 16)


def test_status_of_a_batch_that_one_person_loaded_says_nothing_more() -> None:
    facts = status_facts(BatchInfo(**{**INFO, "created": NOON, "approved_by": "aperez"}))
    assert [label for label, _ in facts] == ["Archivo", "Ambiente", "Recibido", "Facturas"]
