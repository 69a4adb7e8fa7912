"""The workbook is there right after sending: nobody has to stay for the authority's answer."""

from __future__ import annotations

import json
import signal
import time
from subprocess import DEVNULL

import pytest

from pipeline.report.publish import MOST_NAMES
from tests.e2e.test_watch import Drop
from tests.support.books import rows_of
from tests.support.warm import LONGEST_S

WAITING = {"ANULAR_POLL_FOR": "60", "ANULAR_POLL_EVERY": "0.2"}


def until(there, process):
    """Returns what ``there`` finds, as soon as it finds anything while ``process`` runs."""
    end = time.monotonic() + LONGEST_S
    while not (found := there()):
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < end, "it did not get that far"
        time.sleep(0.05)
    return found


def events(place):
    lines = (place.folder / "anular.log").read_text("utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]


def test_a_person_may_close_the_window_while_the_authority_is_waited_for(place):
    file = place.batch(["000", "950"])
    with (place.folder / "err").open("w+") as err:
        process = place.start("run", file, "--yes", stdout=DEVNULL, stderr=err, **WAITING)
        book = until(lambda: list((place.folder / "out").glob("*__resultados.xlsx")), process)[0]
        until(lambda: "puede cerrar" in (place.folder / "err").read_text("utf-8"), process)
        early = [row["resultado"] for row in rows_of(book)]
        process.send_signal(signal.SIGHUP)
        code = process.wait(LONGEST_S)

    said = " ".join((place.folder / "err").read_text("utf-8").split())
    assert "Esperando a la DGI por 1 factura, hasta 1 min; puede cerrar: el libro ya está escrito" in said
    assert early == ["ANULADA", "PENDIENTE"]
    assert code == 130
    assert [row["resultado"] for row in place.rows()] == early
    assert set(place.posts().values()) == {1}


@pytest.mark.long
def test_what_is_learnt_afterwards_stands_in_the_same_workbook(place):
    place.env["ANULAR_LOG"] = str(place.folder / "anular.log")
    done = place.anular("run", place.batch(["000", "905"]), "--yes", ANULAR_POLL_EVERY="0.2", ANULAR_POLL_FOR="30")

    assert done.code == 0, done.words
    assert [row["resultado"] for row in place.rows()] == ["ANULADA", "ANULADA"]
    told = events(place)
    assert told.count("workbook_written") == 2
    assert told.index("workbook_written") < told.index("queries_started")


def test_where_nothing_is_waited_for_the_workbook_is_written_once(place):
    place.env["ANULAR_LOG"] = str(place.folder / "anular.log")
    done = place.anular("run", place.batch(["000", "904"]), "--yes")

    assert done.code == 1, done.words
    assert events(place).count("workbook_written") == 1
    assert "puede cerrar" not in done.err


def test_a_workbook_that_cannot_be_written_early_stops_nothing_and_is_written_at_the_end(place):
    """A batch that is gone on with: something has taken each of its names, until the first question was asked."""
    file = place.batch(["000", "950"])
    place.anular("run", file, "--yes", "--only", "1", "--no-poll")
    book = place.results()
    taken = [book, *(book.with_stem(f"{book.stem} ({number})") for number in range(2, MOST_NAMES + 1))]
    book.unlink()
    for name in taken:
        name.mkdir()
    with (place.folder / "err").open("w+") as err:
        process = place.start("run", file, "--yes", stdout=DEVNULL, stderr=err, **WAITING)
        until(lambda: any(entry["route"] == "query" for entry in place.entries()), process)
        for name in taken:
            name.rmdir()
        process.send_signal(signal.SIGTERM)
        process.wait(LONGEST_S)
    said = (place.folder / "err").read_text("utf-8")

    assert "Aviso: " in said
    assert "Se intenta otra vez después de consultar." in said
    assert "puede cerrar" not in said
    assert [row["resultado"] for row in place.rows()] == ["ANULADA", "PENDIENTE"]


def test_the_drop_folder_has_the_workbook_while_it_waits_too(place):
    drop = Drop(place)
    drop.put(["000", "950"])
    process = place.start("watch", drop.root, "--once", stdout=DEVNULL, stderr=DEVNULL, **WAITING)
    done = drop.root / "done"
    book = until(lambda: done.is_dir() and list(done.rglob("*__resultados.xlsx")), process)[0]
    early = [row["resultado"] for row in rows_of(book)]
    process.send_signal(signal.SIGTERM)
    process.wait(LONGEST_S)

    assert early == ["ANULADA", "PENDIENTE"]


def test_a_workbook_that_cannot_be_replaced_gets_another_name_and_that_is_said(place):
    """As when it is open in Excel on Windows: here something of that name is in the way."""
    file = place.batch(["000"])
    place.anular("run", file, "--yes")
    book = place.results()
    book.unlink()
    book.mkdir()
    again = place.anular("run", file, "--yes")

    assert again.code == 0, again.words
    assert f"«{book.name}» no se pudo reemplazar" in again.out
    assert f"«{book.stem} (2).xlsx»" in again.out
