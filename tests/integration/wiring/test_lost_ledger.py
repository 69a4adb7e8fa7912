"""What earlier sendings left behind is noticed when the ledger that knew them is gone (reliability.md 2.4, D3)."""

from __future__ import annotations

import shutil
import zipfile
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger.ledger_events import started_anew
from pipeline.ledger.reserve_journal import put_away
from pipeline.ledger.storage.location import location_of, open_ledger
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.read.limits import Limits
from pipeline.report.publish import publish
from pipeline.report.summary import summarise
from pipeline.settings.model import Env, Settings
from pipeline.wiring import lost_ledger
from pipeline.wiring.ledger import open_memory
from pipeline.wiring.lost_ledger import Input

BATCH = "20261120-0123abcd"


@pytest.fixture
def published(book, row, tmp_path):
    """The results of a batch beside its input, and the input."""
    file = tmp_path / "lote [nov].xlsx"
    file.write_bytes(b"content")
    info = book.take([row(1)], name="0123abcd")
    lines = book.views.lines(info)
    path = publish(summarise(info, lines, book.views.log(info)), tmp_path, file.stem)
    return path, Input(file, info.sha256, tmp_path)


def found(one: Input, known=lambda _: False, **more: Any) -> list[str]:
    return lost_ledger.of_inputs([one], more.pop("env", "sandbox"), known, Limits(), **more)


def test_results_of_the_same_content_that_name_an_unknown_batch_are_a_trace(published):
    path, one = published

    (trace,) = found(one)
    assert f"«{path.name}»" in trace


def test_results_of_a_known_batch_of_other_content_or_of_another_environment_are_none(published):
    path, one = published

    assert found(one, known=lambda batch: batch == BATCH) == []
    assert found(Input(one.path, "f" * 64, one.out)) == []
    assert found(one, env="lab") == []
    path.rename(path.with_name(path.name.replace(BATCH, "20261120-ffffffff")))
    assert found(one) == [], "renamed: its own words say another batch"


def test_results_in_the_folder_of_results_count_too(published, tmp_path):
    path, one = published
    out = tmp_path / "resultados"
    out.mkdir()
    shutil.move(path, out / path.name.replace(".xlsx", " (2).xlsx"))

    assert len(found(Input(one.path, one.sha256, out))) == 1
    assert found(one) == []


def test_what_a_person_accepted_as_lost_is_no_trace_any_more_but_a_later_batch_is(published):
    _, one = published

    assert found(one, anew=date(2026, 11, 20)) == []
    assert len(found(one, anew=date(2026, 11, 19))) == 1


def _rewritten(path, part: str, change) -> None:
    """The workbook with one part of its container changed, or without it."""
    with zipfile.ZipFile(path) as before:
        parts = {name: before.read(name) for name in before.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w") as after:
        for name, content in parts.items():
            after.writestr(name, content)


def test_a_workbook_is_known_by_its_document_properties_whatever_its_labels_say(published):
    path, one = published
    _rewritten(
        path, "xl/worksheets/sheet1.xml", lambda sheet: sheet.replace("Código de verificación".encode(), b"Otra cosa")
    )

    assert len(found(one)) == 1
    assert found(Input(one.path, "f" * 64, one.out)) == []


def test_a_workbook_of_an_earlier_version_is_known_by_its_labels(published):
    path, one = published
    _rewritten(path, "docProps/custom.xml", lambda properties: properties.replace(b"anular_sha256", b"otra"))

    assert len(found(one)) == 1
    assert found(one, env="lab") == []


@pytest.mark.parametrize("content", [b"", b"no es un libro", b"PK\x03\x04 roto"])
def test_a_broken_workbook_is_no_trace(published, content):
    path, one = published
    path.write_bytes(content)

    assert found(one) == []


@pytest.mark.parametrize("name", [".reserve.jsonl", ".reserve-000003.jsonl", "-journal"])
def test_what_lies_beside_a_missing_ledger_is_a_trace(tmp_path, name):
    ledger, notes = tmp_path / "registro.db", tmp_path / "state"
    assert lost_ledger.of_missing(location_of(f"sqlite:///{ledger}"), notes) == []
    (tmp_path / f"registro.db{name}").write_bytes(b"")

    assert lost_ledger.of_missing(location_of(f"sqlite:///{ledger}"), notes) == [f"a su lado está «registro.db{name}»"]


def test_reserve_journals_of_two_ledgers_with_the_same_run_numbers_are_both_kept(tmp_path):
    journal = tmp_path / "registro.db.reserve.jsonl"
    for content in (b"one", b"two", b"three"):
        journal.write_bytes(content)
        put_away(journal, 1)

    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"one", b"three", b"two"]


@pytest.fixture
def configured(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def make(env: Env = Env.LAB) -> Settings:
        url = f"sqlite:///{tmp_path / 'a' / 'registro.db'}"
        values = {"env": env, "ledger": url, "user": "usuario", "password": SecretStr("clave")}
        bare: dict[str, Any] = {}
        return Settings(**bare).model_copy(update=values)

    return make


def test_a_refused_start_makes_nothing_so_that_the_true_ledger_can_come_back(configured):
    with open_memory(configured()):
        pass
    path = sqlite_path(configured().ledger)
    path.rename(path.with_name("guardado"))

    with pytest.raises(StorageTrouble) as refused, open_memory(configured()):
        pass
    assert (refused.value.code, path.exists()) == ("ledger-lost", False)

    path.with_name("guardado").rename(path)
    with open_memory(configured()) as memory:
        assert memory.anew is None


def test_a_person_may_go_on_and_the_new_ledger_remembers_it(configured):
    with open_memory(configured()):
        pass
    sqlite_path(configured().ledger).unlink()

    with open_memory(configured(), new_ledger=True) as memory:
        assert memory.anew is not None
    with open_memory(configured()) as memory:
        assert memory.anew is not None, "a killed run that is repeated goes on asking"


def test_a_start_that_dies_right_after_the_new_ledger_was_made_has_said_it_already(configured, monkeypatch):
    path = sqlite_path(configured().ledger)
    path.parent.mkdir(mode=0o700)
    (path.parent / f"{path.name}.reserve-000001.jsonl").write_bytes(b"")
    monkeypatch.setattr("pipeline.wiring.ledger.look_over", _die)

    with pytest.raises(KeyboardInterrupt), open_memory(configured(), new_ledger=True):
        pass

    database = open_ledger(configured().ledger)
    assert started_anew(database) is not None
    database.close()


def _die(*_: object, **_more: object) -> None:
    raise KeyboardInterrupt


def test_in_the_sandbox_a_deleted_ledger_is_normal_and_leaves_no_note(configured, tmp_path):
    for _ in range(2):
        with open_memory(configured(Env.SANDBOX)):
            pass
        sqlite_path(configured().ledger).unlink()

    assert not [*(tmp_path / "state").rglob("*.json")]
