"""What a person sees in the workbook is what is sent: crossed out rows, comments, far rows, views (eyes.md 1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font

from tests.corpus.dressed import dressed, looking, row, view
from tests.e2e.test_approval import on_a_terminal
from tests.e2e.test_watch import Drop

REASON = "Factura emitida con el monto equivocado"


@pytest.fixture
def file(place):
    """Three good rows, the second of them crossed out in its code."""
    return changed(place.batch(["000"] * 3), lambda sheet: setattr(sheet["C3"], "font", Font(strike=True)))


def changed(path, change, sheet="Hoja1"):
    book = load_workbook(path)
    change(book[sheet])
    book.save(path)
    return path


def crossed_out(path, sheet="Resultados"):
    """Which rows of a workbook of ours are struck through in all cells that are the person's own."""
    rows = load_workbook(path)[sheet].iter_rows(min_row=2, min_col=4, max_col=8)
    return [all(cell.font.strike for cell in cells if cell.value is not None) for cells in rows]


def test_a_struck_row_is_not_sent_and_stays_struck_in_the_results(place, file):
    done = place.anular("run", file, "--yes", "--json")

    assert (done.code, done.data[0]["outcomes"]) == (1, {"ANULADA": 2, "RECHAZADA": 1})
    assert sum(place.posts().values()) == 2
    assert crossed_out(done.data[0]["workbook"]) == [False, True, False]
    (said,) = [row["observaciones"] for row in place.rows() if row["resultado"] == "RECHAZADA"]
    assert "[fila-tachada]" in said
    assert (done.data[0]["corrections"], done.data[0]["needs_person"]) == (None, 0)


def test_it_is_struck_in_the_preview_too(place, file):
    done = place.anular("check", file, "--json")

    assert (done.code, [one["code"] for one in done.data[0]["problems"]]) == (1, ["fila-tachada"])
    assert crossed_out(done.data[0]["workbook"]) == [False, True, False]
    assert done.data[0]["corrections"] is None


def test_when_the_results_come_back_it_is_rejected_again_until_somebody_takes_the_strike_away(place, file):
    first = place.anular("run", file, "--yes", "--json").data[0]
    again = Path(first["workbook"]).rename(place.folder / "otra vez.xlsx")
    second = place.anular("run", again, "--yes", "--json").data[0]
    assert second["outcomes"] == {"RECHAZADA": 1, "DUPLICADA": 2}
    assert sum(place.posts().values()) == 2

    plain = changed(again, lambda sheet: [setattr(cell, "font", Font()) for cell in sheet[3]], "Resultados")
    third = place.anular("run", plain.rename(place.folder / "sin tachar.xlsx"), "--yes", "--json").data[0]
    assert third["outcomes"] == {"ANULADA": 1, "DUPLICADA": 2}
    assert max(place.posts().values()) == 1


def test_a_comment_that_says_no_is_heeded_also_when_the_results_come_back(place):
    path = place.batch(["000"] * 2)
    changed(path, lambda sheet: setattr(sheet["D2"], "comment", Comment("NO ANULAR, ya se pagó", "Ana")))
    first = place.anular("run", path, "--yes", "--json").data[0]
    assert (first["outcomes"], first["corrections"]) == ({"ANULADA": 1, "RECHAZADA": 1}, None)

    again = Path(first["workbook"]).rename(place.folder / "otra vez.xlsx")
    assert place.anular("run", again, "--yes", "--json").data[0]["outcomes"] == {"DUPLICADA": 1, "RECHAZADA": 1}
    assert sum(place.posts().values()) == 1


def test_our_own_comments_in_a_corrections_workbook_are_none(place, cufe):
    path = place.file([[1, "a", cufe(1), "corto", 1]])
    fixes = place.anular("run", path, "--yes", "--json").data[0]["corrections"]
    book = load_workbook(fixes)
    assert book["Corregir"]["E2"].comment is not None
    book["Corregir"]["E2"] = REASON
    book.save(place.folder / "corregido.xlsx")
    done = place.anular("check", place.folder / "corregido.xlsx", "--json")
    assert (done.code, "comentario" in done.words) == (0, False)


def far(place):
    """One row that stands where nobody looks."""
    path = place.batch(["000"] * 2)
    return changed(path, lambda sheet: sheet.move_range("A3:E3", rows=40))


def viewed(place, cufe):
    path = place.folder / "vista.xlsx"
    rows = [row(n, looking(f"A{n}", cufe(n)), looking(f"B{n}", REASON)) for n in (2, 3)]
    path.write_bytes(
        dressed(row(1, looking("A1", "CUFE"), looking("B1", "Motivo")), *rows, beside=[view("Vista de Ana")])
    )
    return path


def test_far_rows_need_their_number_where_nobody_can_be_asked(place):
    file = far(place)
    refused = place.anular("run", file, "--yes", "--json")
    assert (refused.code, refused.data[0]["refused"]["code"]) == (3, "fila-lejana")
    assert "--far-rows 1" in " ".join(refused.err.split())
    assert place.anular("run", file, "--yes", "--far-rows", 2).code == 3
    assert place.posts() == {}
    assert place.anular("run", file, "--yes", "--far-rows", 1, "--json").data[0]["outcomes"] == {"ANULADA": 2}


def test_a_view_that_filters_needs_its_option_where_nobody_can_be_asked(place, cufe):
    file = viewed(place, cufe)
    refused = place.anular("run", file, "--yes", "--json")
    assert (refused.code, refused.data[0]["refused"]["code"]) == (3, "vista-filtra")
    assert "--ignore-views" in " ".join(refused.err.split())
    assert place.posts() == {}
    assert place.anular("run", file, "--yes", "--ignore-views", "--json").data[0]["outcomes"] == {"ANULADA": 2}


@pytest.mark.parametrize(("reply", "sent"), [("1\n2", 2), ("no", 0)])
def test_on_a_terminal_the_person_is_asked(place, reply, sent):
    ended, shown = on_a_terminal(place, ["run", far(place)], reply)

    assert "Escriba 1 para incluirlas" in " ".join(shown.split())
    assert sum(place.posts().values()) == sent
    assert ended == (0 if sent else 130)


def test_in_the_drop_folder_far_rows_are_refused_and_what_has_to_be_looked_at_is_held(place, cufe):
    drop = Drop(place)
    inbox = drop.root / "inbox"
    drop.put(["000"], "bueno.xlsx", first=21)
    far(place).rename(inbox / "lejana.xlsx")
    viewed(place, cufe).rename(inbox / "vista.xlsx")
    commented = place.batch(["000"], "nota.xlsx", first=31)
    changed(commented, lambda sheet: setattr(sheet["C2"], "comment", Comment("¿revisar?", "Ana"))).rename(
        inbox / "nota.xlsx"
    )
    done = drop.go()
    by_name = {Path(one["file"]).name: one for one in done.data}

    assert by_name["lejana.xlsx"]["refused"]["code"] == "fila-lejana"
    assert [by_name[name]["fate"] for name in ("vista.xlsx", "nota.xlsx", "bueno.xlsx")] == ["held", "held", "done"]
    assert "1 celda tiene un comentario: C2 «¿revisar?» [archivo-por-revisar]" in drop.note("nota.txt")
    assert sum(place.posts().values()) == 1


def test_the_lock_file_of_excel_is_passed_over_and_the_good_file_goes_on(place):
    file = place.batch(["000"])
    lock = place.folder / "~$lote.xlsx"
    lock.write_bytes(b"\x03Ana" + b" " * 160)
    done = place.anular("run", lock, file, "--yes", "--json")

    assert [one["outcomes"] for one in done.data] == [{"ANULADA": 1}]
    assert "Se pasa por alto «~$lote.xlsx»" in done.words
    alone = place.anular("check", lock)
    assert (alone.code, "use «lote.xlsx»" in " ".join(alone.err.split())) == (3, True)
