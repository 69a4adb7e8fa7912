"""A support case in the chain, on either kind of database: kept, verified, and found when it was changed."""

from __future__ import annotations

import pytest

from pipeline.ledger.ledger_events import add_support_case, support_cases
from pipeline.ledger.verify import examine
from tests.support import ledgers


@pytest.fixture
def asked(lived):
    add_support_case(lived.database, "20261120-lote", lived.now, who="Ana", rows="fila 5", digest=b"\1" * 32)
    return lived


def test_it_is_kept_with_who_when_and_which_rows(asked):
    (case,) = support_cases(asked.database, "20261120-lote")

    assert (case.who, case.at, case.rows) == ("Ana", asked.now, "fila 5")
    assert support_cases(asked.database, "otro") == []
    assert examine(asked.database).faults == []


@pytest.mark.parametrize("change", ["who='Eva'", "message='fila 6'", "body=x'00'", "pos=1", "event='otro'"])
def test_a_changed_one_is_found(asked, change):
    ledgers.change(asked.url, f"UPDATE event SET {change} WHERE event='support-case'")

    assert not examine(asked.database).good


def test_an_evidence_pack_before_it_keeps_its_seal(asked):
    assert examine(asked.database).batches["20261120-lote"].packed == 0
