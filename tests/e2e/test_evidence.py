"""`anular report --evidence` and `anular verify PACK.zip`: what an accountant hands over and an auditor checks."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.support.books import rows_of


@pytest.fixture
def done(place):
    """A place whose batch of four rows has ended, and its pack."""
    assert place.anular("run", place.batch(["000", "911", "906", "941"]), "--yes").code == 1
    (batch,) = place.anular("status", "--json").data
    answer = place.anular("report", batch["batch"], "--evidence", "--json")
    place.batch_id, place.pack, place.workbook = batch["batch"], answer.data["evidence"], answer.data["workbook"]
    return place


def test_a_pack_is_checked_where_there_is_no_ledger_and_no_setting(done, tmp_path):
    answer = done.anular("verify", done.pack, "--json", ANULAR_LEDGER=f"sqlite:///{tmp_path / 'nada' / 'r.db'}")

    assert (answer.code, answer.data["good"], answer.data["batch"], answer.data["rows"]) == (0, True, done.batch_id, 4)
    assert sum(answer.data["outcomes"].values()) == 4
    assert "Paquete íntegro" in answer.err
    assert not (tmp_path / "nada").exists()


def test_verify_of_the_batch_tells_the_same_seal_and_what_was_found_of_it(done):
    pack = done.anular("verify", done.pack, "--json").data
    ledger = done.anular("verify", done.batch_id[:9], "--json")

    assert ledger.data["batch"]["seal"] == pack["seal"]["hash"]
    assert (ledger.data["batch"]["batch"], ledger.data["batch"]["events"]) == (done.batch_id, pack["events"])
    assert f"Lote {done.batch_id}: {pack['events']} eventos; sello del lote" in ledger.err


def test_a_changed_pack_ends_with_5_and_says_where(done, tmp_path):
    other = tmp_path / "otro.zip"
    with zipfile.ZipFile(done.pack) as source, zipfile.ZipFile(other, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            made.writestr(
                name, content.replace(b'"to_":"CANCELLED"', b'"to_":"NOT_FOUND"') if name[0] == "s" else content
            )

    answer = done.anular("verify", other, "--json")

    assert answer.code == 5
    assert {fault["code"] for fault in answer.data["faults"]} >= {"sha256", "chain"}
    assert "sucesos.jsonl: el evento" in answer.err


def test_verify_tells_the_seal_of_the_newest_pack_and_the_same_state_has_one(done):
    pack = done.anular("verify", done.pack, "--json").data
    assert done.anular("report", done.batch_id, "--evidence").code == 1
    ledger = done.anular("verify", done.batch_id, "--json").data

    assert ledger["batch"]["pack"] == {"seq": pack["pack_seal"]["seq"], "hash": pack["pack_seal"]["hash"]}
    assert pack["pack_seal"]["seq"] == pack["seal"]["seq"] + 1
    assert pack["not_covered"] == []


def resaved(source: str, target: Path, change: Callable[[Any], object] = lambda _: None) -> Path:
    """The workbook as another program saves it."""
    book = load_workbook(source)
    change(book)
    book.save(target)
    return target


def test_a_workbook_is_compared_with_what_the_ledger_writes(done, tmp_path):
    path = Path(done.workbook)
    again = resaved(str(path), tmp_path / "guardado.xlsx")
    edited = resaved(str(path), tmp_path / "otro.xlsx", lambda book: book["Resumen"].cell(4, 2, "4 de 4 anuladas"))
    more = resaved(str(path), tmp_path / "hoja.xlsx", lambda book: book.create_sheet("Otra"))

    same = done.anular("verify", path, "--json")
    assert (same.code, same.data["same_bytes"], "byte por byte" in same.err) == (0, True, True)
    assert "celda por celda" in done.anular("verify", again).out
    changed = done.anular("verify", edited)
    assert changed.code == 5
    assert "✗ Hoja «Resumen», celda B4: dice «4 de 4 anuladas»" in changed.out
    assert done.anular("verify", more).code == 5
    assert "alterado" not in changed.words


def test_a_workbook_of_before_is_the_one_of_then(done, tmp_path):
    path = Path(done.workbook)
    before = tmp_path / "antes.xlsx"
    before.write_bytes(path.read_bytes())
    (row,) = [row for row in rows_of(path) if row["resultado"] == "DEVUELTA"]
    number, code = row["fila_origen"].rpartition(" ")[2], row["CUFE"][-8:]
    words = ["--as", "not-cancelled", "--by", "ana", "--reason", "se verificó en el portal", "--confirm", code]
    assert done.anular("resolve", done.batch_id, "--row", number, *words).code in (0, 1)
    assert path.read_bytes() != before.read_bytes()

    answer = done.anular("verify", before, "--json")
    assert (answer.code, answer.data["newest"], answer.data["differences"]) == (0, False, []), answer.words
    assert "Es el de entonces" in answer.err


def test_a_workbook_without_its_ledger_asks_for_the_pack(done, tmp_path):
    path = Path(done.workbook)
    for name in ("nada.db", "otro.db"):
        answer = done.anular("verify", path, ANULAR_LEDGER=f"sqlite:///{tmp_path / name}")
        assert answer.code == 2
        assert "es un libro, no un paquete" in answer.err
        assert "pida el paquete de evidencia" in answer.err
        assert "alterado" not in answer.words


def test_what_is_no_file_is_one_sentence_and_holds_nobody_up(done, tmp_path):
    os.mkfifo(tmp_path / "tubo")
    for path in (tmp_path / "tubo", tmp_path, Path("/dev/zero")):
        answer = done.anular("verify", path)
        assert answer.code == 2
        assert "no es un archivo" in answer.err
    assert done.anular("verify", ANULAR_LEDGER=f"sqlite:///{tmp_path / 'tubo'}").code == 2


@pytest.mark.long
def test_no_pack_is_made_while_a_run_writes(done, end_group):
    slow = done.batch(["000"] * 30, "lento.xlsx", first=100)
    running = done.start("run", slow, "--yes", ANULAR_RATE="2")
    try:
        done.wait_for_posts(6)
        refused = done.anular("report", done.batch_id, "--evidence")
    finally:
        end_group(running)

    assert (refused.code, "Otra ejecución" in refused.err) == (6, True)
