"""People are told how a run ended that nobody may have seen; a person at the terminal is not."""

from __future__ import annotations

import json

import pytest

from tests.e2e.test_approval import on_a_terminal
from tests.e2e.test_observed import metrics
from tests.e2e.test_seen import REASON, changed
from tests.e2e.test_watch import Drop
from tests.storm.test_nightly import told as told


@pytest.fixture
def heard(place, told):
    place.env |= {"ANULAR_WEBHOOK_URL": told.url, "ANULAR_COMPANY": "Comercial Norte, S.A.", "ANULAR_POLL_FOR": "1"}
    return told.got


def test_a_run_without_a_terminal_is_told_with_company_deadline_and_workbook(place, heard):
    done = place.anular("run", place.batch(["000", "000", "950", "906"]), "--yes")
    (said,) = heard

    assert done.code == 4, done.words
    assert said["subject"] == "[Comercial Norte, S.A.] 2 anuladas, 1 devuelta, 1 pendiente"
    assert "  - el 25/11/2026 a las 14:00: 1 devuelta" in said["lines"]
    assert f"Libro de resultados: {place.results()}" in said["lines"]
    assert said["data"][0]["outcomes"] == {"ANULADA": 2, "PENDIENTE": 1, "DEVUELTA": 1}
    assert said["data"][0]["due"] == [{"at": "2026-11-25T14:00:00-05:00", "outcomes": {"DEVUELTA": 1}}]
    assert not [cufe for cufe in place.posts() if cufe in json.dumps(said)]


def test_a_row_that_was_cancelled_in_its_correction_is_not_told_as_one_to_correct(place, heard):
    file = changed(place.batch(["000", "000"]), lambda sheet: setattr(sheet["D3"], "value", "corto"), "Hoja1")
    first = place.anular("run", file, "--yes", "--json").data[0]
    fixed = changed(first["corrections"], lambda sheet: setattr(sheet["E2"], "value", REASON), "Corregir")
    place.anular("run", fixed, "--yes")
    place.anular("run", file, "--yes")

    assert [one["subject"].partition("] ")[2] for one in heard] == [
        "1 anulada, 1 por corregir",
        "1 anulada",
        "1 anulada",
    ]


def test_a_person_at_the_terminal_who_saw_it_end_is_not_told(place, heard):
    code, shown = on_a_terminal(place, ["run", place.batch(["000"])], "1")

    assert code == 0, shown
    assert heard == []


@pytest.mark.long
def test_a_poll_is_told_only_where_an_outcome_changed(place, heard):
    place.anular("run", place.batch(["905", "950"]), "--yes", "--no-poll")
    heard.clear()

    changed = place.anular("poll", ANULAR_POLL_FOR="8", ANULAR_POLL_EVERY="0.3")
    assert changed.code == 4, changed.words
    assert [one["subject"] for one in heard] == ["[Comercial Norte, S.A.] 1 anulada, 1 pendiente"]
    assert place.anular("poll").code == 4
    assert len(heard) == 1


def test_a_file_that_is_refused_is_told_as_well(place, heard):
    (place.folder / "lote.csv").write_text("esto,no\nes,un lote\n")
    done = place.anular("run", place.folder / "lote.csv", "--yes")

    assert done.code == 3
    assert [one["subject"] for one in heard] == ["[Comercial Norte, S.A.] archivo rechazado, no se envió nada"]
    assert "lote.csv" in heard[0]["lines"][0]


def test_wrong_usage_is_told_to_whoever_typed_it_alone(place, heard):
    assert place.anular("run", place.batch(["000"])).code == 2
    assert heard == []


def test_what_a_person_decides_is_not_told(place, heard):
    place.anular("run", place.batch(["905"]), "--yes", "--no-poll")
    (batch,) = [one["batch"] for one in place.anular("status", "--json").data]
    code = next(iter(place.posts()))
    heard.clear()
    who = ("--by", "Ana Pérez", "--reason", "El portal la muestra", "--confirm", code[-8:])
    assert place.anular("resolve", batch, "--row", "2", "--as", "cancelled", *who).code == 0

    assert heard == []


def test_a_held_batch_says_until_when_in_note_mail_and_metrics_and_ends_with_7(place, heard):
    place.env["ANULAR_METRICS"] = str(place.folder / "anular.prom")
    drop = Drop(place)
    drop.put(["000", "000"])
    done = drop.go(ANULAR_WATCH_MAX_ROWS="1")
    note = " ".join(drop.note("lote.txt").split())

    assert done.code == done.data[0]["exit_code"] == 7
    assert "la primera factura retenida vence el 25/11/2026 a las 14:00" in note
    assert heard[0]["subject"] == "[Comercial Norte, S.A.] 2 retenidas (vence el 25/11/2026 a las 14:00)"
    found = metrics(place)
    assert found["anular_rows", "RETENIDA"] == 2
    assert found["anular_held_limit_timestamp_seconds",] == 1795633200
    assert found["anular_last_run_exit_code", "watch"] == 7


def test_when_it_was_released_nothing_is_held_any_more(place, heard):
    place.env["ANULAR_METRICS"] = str(place.folder / "anular.prom")
    drop = Drop(place)
    drop.put(["000", "000"])
    batch = drop.go(ANULAR_WATCH_MAX_ROWS="1").data[0]["batch"]
    done = place.anular("release", batch, "--yes")

    assert done.code == 0, done.words
    assert heard[-1]["subject"] == "[Comercial Norte, S.A.] 2 anuladas"
    assert metrics(place)["anular_held_limit_timestamp_seconds",] == 0
    assert "Vence" not in drop.note("lote.txt")
