"""The issuers of a company are found in its settings and its ledger."""

from __future__ import annotations

from pipeline.certificates.issuers import issuers_of, without_record
from pipeline.domain.certificates import Certificate, State
from pipeline.settings.model import Settings
from tests.support.certificates import settings_with


def settings(folder, *issuers: str) -> Settings:
    ledger = f"sqlite:///{folder / 'anular.db'}"
    return settings_with(issuers=frozenset(issuers)).model_copy(update={"ledger": ledger})


def test_those_of_the_settings_are_there_before_any_batch(tmp_path):
    assert issuers_of(settings(tmp_path, "0155668001-2-2018", "8-1-1")) == ["155668001-2-2018", "8-1-1"]


def test_an_issuer_without_a_record_is_named(tmp_path):
    records = [Certificate(1, 1, "08-1-1", State.IN_PROCESS)]
    assert without_record(["155668001-2-2018", "8-1-1"], records) == ["155668001-2-2018"]
