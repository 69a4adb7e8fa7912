"""Before a run: what is said of the certificates of its issuers, and when nothing is sent."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.certificates.check import (
    blocking,
    certificate_findings,
    check_before_run,
    ends_at,
    in_note,
    note_of,
    refuse_blocked,
)
from pipeline.certificates.registry import Dates, Registry
from pipeline.domain.certificates import Certificate, State
from pipeline.domain.errors import InputRefused, StorageTrouble
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.office.place import place_of
from pipeline.settings.model import Settings
from tests.support.certificates import settings_with

NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)
RUC, OTHER = "155668001-2-2018", "8-123-456"


def settings(folder, **more) -> Settings:
    office = f"sqlite:///{folder / 'o' / 'oficina.db'}"
    return settings_with(sandbox_now=NOW, **more).model_copy(update={"office": office})


@pytest.fixture
def given(tmp_path):
    """Settings whose office has a certificate of RUC that ends in an hour."""
    found = settings(tmp_path)
    office = place_of(found.office).open(NOW)
    asked = Certificate(0, 0, RUC, State.IN_PROCESS)
    Registry(office, found, "ana").register(asked, Dates(NOW - timedelta(9), NOW + timedelta(hours=1)), NOW)
    office.close()
    return found


def test_a_batch_that_ends_in_time_brings_nothing(given):
    assert check_before_run(given, [RUC], 100, NOW) == []


def test_a_batch_that_goes_on_past_the_end_is_told_of(given):
    (found,) = check_before_run(given, [RUC], 18_001, NOW)
    assert found.code == "certificado-por-vencer"
    assert "vence el 29/11/2026 11:00" in found.words


def test_the_end_of_a_batch_follows_from_the_rate(given):
    assert ends_at(NOW, 18_000, 5.0) == NOW + timedelta(hours=1)


def test_an_issuer_without_a_record_is_a_note_that_blocks_nothing(given):
    found = check_before_run(given, [OTHER], 1, NOW)
    strict = given.model_copy(update={"cert_policy": "block"})
    assert [one.code for one in found] == ["certificado-sin-registro"]
    refuse_blocked(strict, found, "lote.xlsx")
    assert (
        in_note(["otra", f"Llegó. {note_of(found)}"]) == "El emisor 8-123-456 no tiene un certificado registrado aquí."
    )


def test_block_refuses_with_exit_code_3_and_the_words_of_what_is_wrong(given):
    found = check_before_run(given, [RUC], 18_001, NOW)
    refuse_blocked(given, found, "lote.xlsx")
    strict = given.model_copy(update={"cert_policy": "block"})
    assert blocking(strict, found) == found
    with pytest.raises(InputRefused) as refused:
        refuse_blocked(strict, found, "lote.xlsx")
    assert (refused.value.exit_code, refused.value.code) == (3, "certificado-vencido")
    assert "Emisor 155668001-2-2018: su certificado vence" in refused.value.sentence


def test_off_looks_at_nothing(given):
    off = given.model_copy(update={"cert_policy": "off"})
    assert check_before_run(off, [RUC], 18_001, NOW) == []
    office = place_of(given.office).open(NOW)
    assert certificate_findings(office, off, [RUC], NOW, NOW + timedelta(days=99)) == []
    office.close()


def test_where_nothing_is_sent_nothing_is_asked(given):
    assert check_before_run(given, [RUC], 0, NOW + timedelta(days=9)) == []


def test_a_company_without_any_record_hears_nothing_though_another_has_some(given):
    other = given.model_copy(update={"profile": "otra"})
    assert check_before_run(other, [RUC], 1, NOW) == []


def test_a_database_that_cannot_be_read_is_told_and_only_block_stops_for_it(given):
    path = sqlite_path(given.office)
    path.write_bytes(b"no es una base de datos" * 100)
    (found,) = check_before_run(given, [RUC], 1, NOW)
    assert found.words.startswith("No se pudo revisar los certificados: ")
    with pytest.raises(StorageTrouble):
        check_before_run(given.model_copy(update={"cert_policy": "block"}), [RUC], 1, NOW)


def test_without_an_office_database_none_is_made(tmp_path):
    assert check_before_run(settings(tmp_path), [RUC], 1, NOW) == []
    assert list(tmp_path.iterdir()) == []


def test_without_an_office_database_none_of_its_libraries_is_loaded(tmp_path):
    script = f"""
import sys
from datetime import datetime, UTC
from pipeline.settings.model import Settings
import pipeline.wiring.ledger, pipeline.wiring.rules
before = set(sys.modules)
from pipeline.certificates.check import check_before_run
settings = Settings().model_copy(update={{"office": "sqlite:///{tmp_path / "o.db"}"}})
assert check_before_run(settings, ["{RUC}"], 1, datetime.now(UTC)) == []
new = {{name for name in set(sys.modules) - before}}
assert {{name.partition(".")[0] for name in new}} <= {{"pipeline", "encodings"}}, new
assert not [name for name in new if name.startswith(("pipeline.office", "pipeline.certificates.registry"))], new
assert not {{"cryptography", "holidays"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
