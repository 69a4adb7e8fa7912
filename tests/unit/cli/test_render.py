"""What the commands show of a batch."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.cli.render import status_facts
from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.records import BatchInfo

NOON = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def facts_of(approved_by: str) -> list[tuple[str, str]]:
    return status_facts(BatchInfo("b", "a.xlsx", "0" * 64, "lab", None, 1, (), NOON, approved_by))


def test_status_says_who_prepared_and_who_approved_with_the_digest_below() -> None:
    by = ApprovedBy("terminal", "lgomez", "aperez", "3f9c" * 16)
    facts = facts_of(str(by))
    start = facts.index(("Quién", "Preparó: aperez · Aprobó: lgomez"))
    assert facts[start + 1] == ("Huella de lo aprobado", "3f9c" * 16)


def test_status_of_a_batch_that_one_person_loaded_says_nothing_more() -> None:
    facts = facts_of("aperez")
    assert [label for label, _ in facts] == ["Archivo", "Ambiente", "Recibido", "Facturas"]
