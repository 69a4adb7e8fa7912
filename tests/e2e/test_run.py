"""``anular run``: a spreadsheet in, a results workbook out; nothing twice, nothing lost (interface.md 2, P1, P3)."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.support.long import long
from tests.support.warm import LONGEST_S

SAMPLES = Path(__file__).parents[2] / "sample_data"
SHEETS = ["Resumen", "Resultados", "Pendientes de acción", "Estados eDoc", "Bitácora"]


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_monthly_sample_ends_with_every_outcome_and_at_most_one_unproven_post_per_code(place):
    done = place.anular("run", SAMPLES / "lote_mensual.xlsx", "--yes", "--json", ANULAR_RATE="40")
    answer = done.data[0]
    found = Counter(row["resultado"] for row in place.rows())

    assert done.code == answer["exit_code"] == 4
    assert sum(answer["outcomes"].values()) == answer["rows"] == sum(found.values())
    assert answer["outcomes"] == dict(found)
    assert {
        "ANULADA", "YA ANULADA", "PENDIENTE", "RECHAZADA", "DUPLICADA", "CONFLICTO", "DEVUELTA", "ERROR eDoc",
        "NO ENCONTRADA", "SIGUE AUTORIZADA", "RESULTADO DESCONOCIDO",
    } <= set(found)  # fmt: skip
    refused = Counter(e["cufe"] for e in place.entries() if e["route"] == "cancel" and e["status"] in (401, 429))
    assert all(count == 1 + refused[code] for code, count in place.posts().items())


def test_the_same_file_again_posts_nothing_and_gives_the_same_bytes(place):
    place.env["ANULAR_POLL_FOR"] = "0.5"
    file = place.batch(["000", "902", "906", "950", "000"])
    place.anular("run", file, "--yes")
    before, posts = sha(place.results()), place.posts()
    again = place.anular("run", file, "--yes")

    assert place.posts() == posts
    assert sha(place.results()) == before
    assert "no se repite ningún envío" in again.words


def test_the_same_rows_under_another_name_post_nothing(place):
    place.anular("run", place.batch(["000", "905"]), "--yes")
    posts = place.posts()
    copy = shutil.copy(place.folder / "lote.xlsx", place.folder / "copia.xlsx")
    place.anular("run", copy, "--yes")
    other = place.file([["1", "x", code, "Factura emitida con el monto equivocado", 1] for code in posts], "otra.xlsx")
    done = place.anular("run", other, "--yes", "--json")

    assert place.posts() == posts
    assert done.data[0]["outcomes"] == {"DUPLICADA": 2}


def test_the_workbook_has_its_five_sheets_and_every_row_once_in_order(place):
    place.anular("run", place.batch(["000", "904", "918", "000"]), "--yes")
    book = load_workbook(place.results(), read_only=True)

    assert book.sheetnames == SHEETS
    assert [row["No."] for row in place.rows()] == [1, 2, 3, 4]
    assert [row["resultado"] for row in place.rows()] == ["ANULADA", "ERROR eDoc", "NO ENCONTRADA", "ANULADA"]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3, 4))])
def test_killed_in_the_middle_and_run_again_nothing_is_posted_twice_and_no_row_is_missing(place, seed, end_group):
    dice = random.Random(seed)
    scenarios = [dice.choice(["000"] * 8 + ["905", "931", "970", "974"]) for _ in range(60)]
    file = place.batch(["000", *scenarios])
    killed = 0
    for _ in range(3):
        process = place.start("run", file, "--yes", ANULAR_RATE="60")
        # At each kill up to 8 rows are claimed and may never leave: they are unknown then, and not posted. A run whose
        # first answer nobody understands ends by itself before it gets there, as it may.
        wanted = sum(place.posts().values()) + dice.randint(1, 11)
        place.wait_for_posts(wanted, unless=lambda process=process: process.poll() is not None)
        killed += process.poll() is None
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        end_group(process)
    assert killed
    for _ in range(4):
        done = place.anular("run", file, "--yes", "--json")
        if done.code != 5:  # a first answer that nobody understands ends a run, as it may: the same command again
            break

    assert max(place.posts().values()) == 1
    assert len(place.rows()) == 61
    assert sum(done.data[0]["outcomes"].values()) == 61
    assert set(done.data[0]["outcomes"]) <= {"ANULADA", "RESULTADO DESCONOCIDO"}


@pytest.mark.parametrize("number", [signal.SIGTERM, *long(signal.SIGINT, signal.SIGHUP)])
def test_asked_to_stop_it_records_what_is_in_flight_writes_the_workbook_and_ends_with_130(place, number):
    file = place.batch(["000"] * 80)
    process = place.start("run", file, "--yes", ANULAR_RATE="20")
    place.wait_for_posts(8)
    process.send_signal(number)
    out, err = process.communicate(timeout=LONGEST_S)

    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    found = Counter(row["resultado"] for row in place.rows())
    assert found["ANULADA"] == sum(place.posts().values())
    assert found["NO ENVIADA"] == 80 - found["ANULADA"]

    again = place.anular("run", file, "--yes")
    assert again.code == 0
    assert set(place.posts().values()) == {1}
    assert len(place.posts()) == 80


def test_a_second_run_on_the_same_ledger_is_told_to_wait(place, end_group):
    file = place.batch(["000"] * 60)
    first = place.start("run", file, "--yes", ANULAR_RATE="10")
    place.wait_for_posts(1)
    second = place.anular("run", place.batch(["000"], "otro.xlsx", first=90), "--yes")
    end_group(first)

    assert second.code == 6
    assert "Otra ejecución" in second.words


def test_only_sends_the_first_rows_and_again_no_more(place):
    file = place.batch(["000"] * 5)
    first = place.anular("run", file, "--yes", "--only", 2, "--json")
    place.anular("run", file, "--yes", "--only", 2)

    assert first.data[0]["outcomes"] == {"ANULADA": 2, "NO ENVIADA": 3}
    assert first.code == 1
    assert len(place.posts()) == 2

    place.anular("run", file, "--yes")
    assert set(place.posts().values()) == {1}
    assert len(place.posts()) == 5


@pytest.mark.long
def test_without_polling_pending_rows_stay_for_poll(place):
    file = place.batch(["000", "905"])
    sent = place.anular("run", file, "--yes", "--no-poll", "--json")
    time.sleep(2.2)  # the sandbox settles a document two real seconds after it was received
    polled = place.anular("poll", "--json")

    assert (sent.code, sent.data[0]["pending"]) == (4, 1)
    assert (polled.code, polled.data[0]["outcomes"]) == (0, {"ANULADA": 2})
    assert set(place.posts().values()) == {1}


def test_polling_with_nothing_pending_says_so(place):
    done = place.anular("poll")

    assert done.code == 0
    assert "No hay facturas pendientes" in done.words


def test_without_a_terminal_and_without_yes_it_refuses(place):
    done = place.anular("run", place.batch(["000"]))

    assert done.code == 2
    assert "--yes" in done.words
    assert place.posts() == {}


def test_several_files_share_one_run_and_see_each_other(place, cufe):
    one = place.batch(["000", "000"], "uno.xlsx")
    two = place.batch(["000", "000"], "dos.xlsx", first=2)
    done = place.anular("run", one, two, "--yes", "--json")

    assert [batch["outcomes"] for batch in done.data] == [{"ANULADA": 2}, {"ANULADA": 1, "DUPLICADA": 1}]
    assert place.posts() == {cufe(n): 1 for n in (1, 2, 3)}


def test_one_refused_file_among_several_stops_all_of_them(place):
    bad = place.folder / "mal.xlsx"
    bad.write_bytes(b"")
    done = place.anular("run", place.batch(["000"]), bad, "--yes", "--json")

    assert done.code == 3
    assert done.data[0]["refused"]["code"]
    assert place.posts() == {}
    assert not (place.folder / "out").exists()


def test_refused_credentials_end_with_5_and_nothing_sent(place):
    refused = {"ANULAR_USER": "sandbox", "ANULAR_PASSWORD": "otra-cosa-secreta"}
    done = place.anular("run", place.batch(["000"] * 3), "--yes", **refused)

    assert done.code == 5
    assert place.posts() == {}
    assert "otra-cosa-secreta" not in done.words
    assert {row["resultado"] for row in place.rows()} == {"NO ENVIADA"}


@pytest.mark.parametrize("scenario", ["943", "944", "947"])
def test_a_wrong_address_or_missing_rights_end_with_5_after_one_post(place, scenario):
    done = place.anular("run", place.batch([scenario, *["000"] * 9]), "--yes")

    assert done.code == 5
    assert sum(place.posts().values()) == 1


def test_no_secret_stands_in_any_file_that_is_left_behind(place):
    place.anular("run", place.batch(["000", "905", "941", "980"]), "--yes")
    for path in place.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"c2FuZGJveDpzYW5kYm94" not in content, path  # base64 of user:password
            assert b"Bearer " not in content, path


def test_the_report_can_be_written_again_from_the_ledger_alone(place):
    place.anular("run", place.batch(["000", "906"]), "--yes")
    path = place.results()
    before = sha(path)
    path.unlink()
    done = place.anular("report", "20261120", "--csv", "--jsonl", "--json")

    assert sha(path) == before
    assert (done.code, done.data["outcomes"]) == (1, {"ANULADA": 1, "DEVUELTA": 1})
    assert len(path.with_suffix(".csv").read_text("utf-8-sig").splitlines()) == 3
    assert len(path.with_suffix(".jsonl").read_text("utf-8").splitlines()) == 2


def test_status_lists_the_batches_even_while_nothing_was_ever_done(place):
    nothing = place.anular("status", "--json")
    place.anular("run", place.batch(["000", "906"]), "--yes")
    listed = place.anular("status", "--json")

    assert nothing.data == []
    assert listed.data[0]["outcomes"] == {"ANULADA": 1, "DEVUELTA": 1}
    assert "ANULADA" in place.anular("status").words


def test_status_shows_the_newest_batches_and_says_how_many_more_there_are(place):
    for number, name in enumerate(("uno.xlsx", "dos.xlsx", "tres.xlsx"), start=1):
        place.anular("run", place.batch(["000"], name, first=number), "--yes")

    one = place.anular("status", "--last", "1")

    assert [name in one.words for name in ("uno.xlsx", "dos.xlsx", "tres.xlsx")] == [False, False, True]
    assert "… y 2 lotes anteriores: véalos con «anular status --last 0»" in one.words
    assert len(place.anular("status", "--last", "2", "--json").data) == 2
    assert len(place.anular("status", "--json").data) == 3
    everything = place.anular("status", "--last", "0")
    assert "anteriores" not in everything.words
    assert "uno.xlsx" in everything.words
    assert place.anular("status", "20261120", "--last", "1").code == 2
    assert place.anular("status", "--workers", "--last", "1").code == 2


def test_the_results_workbook_is_itself_valid_input(place):
    place.anular("run", place.batch(["000", "906", "000"]), "--yes")
    posts = place.posts()
    done = place.anular("run", place.results(), "--yes", "--json")

    assert place.posts() == posts
    assert done.data[0]["outcomes"] == {"DUPLICADA": 3}


def test_the_results_of_another_ledger_are_not_believed_and_not_sent(place):
    place.anular("run", place.batch(["000", "906"]), "--yes")
    posts = place.posts()
    moved = shutil.copy(place.results(), place.folder / "devuelto.xlsx")
    other = f"sqlite:///{place.folder / 'otro' / 'registro.db'}"
    done = place.anular("run", moved, "--yes", "--json", ANULAR_LEDGER=other)

    assert done.data[0]["outcomes"] == {"RETENIDA": 2}
    assert place.posts() == posts
