"""The corrections workbook as an accountant uses it: written, corrected, loaded; nothing twice, nothing lost."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.support.books import rows_of

REASON = "Factura emitida con el monto equivocado"


def wrong(code):
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def mixed(place, cufe):
    """One good row, three wrong ones."""
    return place.file(
        [
            [1, "a", cufe(1), REASON, 1],
            [2, "b", wrong(cufe(2)), REASON, 2],
            [3, "c", cufe(3), "corto", 3],
            [4, "d", cufe(4)[:-1], REASON, 4],
        ]
    )


def correct(path, name="corregido.xlsx", **cells):
    """As somebody corrects it in a spreadsheet and saves it under another name."""
    book = load_workbook(path)
    for address, value in cells.items():
        book["Corregir"][address] = value
    book.save(Path(path).with_name(name))
    return Path(path).with_name(name)


def test_check_writes_what_has_to_be_corrected_and_says_where(place, cufe):
    done = place.anular("check", mixed(place, cufe), "--json")
    path = done.data[0]["corrections"]

    assert Path(path).name == "lote__corregir.xlsx"
    assert "Para corregir (3 facturas): " in done.err
    assert [row[1] for row in load_workbook(path)["Corregir"].iter_rows(min_row=2, values_only=True)] == [2, 3, 4]


def test_check_of_a_good_file_writes_none(place):
    done = place.anular("check", place.batch(["000"]), "--json")

    assert done.data[0]["corrections"] is None
    assert "Para corregir" not in done.words
    assert [path.name for path in (place.folder / "out").iterdir()] == ["lote__revision.xlsx"]


def test_rejected_corrected_and_loaded_each_row_is_sent_once(place, cufe):
    first = place.anular("run", mixed(place, cufe), "--yes", "--json").data[0]
    fixed = correct(first["corrections"], D2=cufe(2), E3=REASON)
    second = place.anular("run", fixed, "--yes", "--json").data[0]
    again = place.anular("run", fixed, place.folder / "lote.xlsx", "--yes", "--json")

    assert first["outcomes"] == {"ANULADA": 1, "RECHAZADA": 3}
    assert second["outcomes"] == {"ANULADA": 2, "RECHAZADA": 1}
    assert place.posts() == {cufe(n): 1 for n in (1, 2, 3)}
    assert [batch["outcomes"] for batch in again.data] == [second["outcomes"], first["outcomes"]]
    rows = load_workbook(second["workbook"])["Resultados"].iter_rows(values_only=True)
    head, *rest = rows
    place = head.index("fila_origen")
    assert head[:3] == ("Resultado", "Qué hacer", "Vence")
    assert [row[place] for row in rest] == ["Hoja1, fila 3", "Hoja1, fila 4", "Hoja1, fila 5"]


def test_loaded_untouched_nothing_is_sent(place, cufe):
    first = place.anular("run", mixed(place, cufe), "--yes", "--json").data[0]
    posts = place.posts()
    done = place.anular("run", first["corrections"], "--yes", "--json")

    assert done.data[0]["outcomes"] == {"RECHAZADA": 3}
    assert place.posts() == posts


def test_a_report_does_not_write_over_what_somebody_corrected(place, cufe):
    first = place.anular("run", mixed(place, cufe), "--yes", "--json").data[0]
    path = correct(first["corrections"], Path(first["corrections"]).name, D2=cufe(2))
    before = path.read_bytes()
    done = place.anular("report", first["batch"], "--json")

    assert done.data["corrections"] == str(path)
    assert path.read_bytes() == before


def corrected_batch(place, cufe):
    """The first batch, and the one that came from its corrections workbook."""
    first = place.anular("run", mixed(place, cufe), "--yes", "--json").data[0]
    fixed = correct(first["corrections"], D2=cufe(2))
    return first, place.anular("run", fixed, "--yes", "--json"), fixed


def facts(path):
    rows = load_workbook(path)["Resumen"].iter_rows(values_only=True)
    return {row[1]: row[4] for row in rows if row[1] and row[4]}


def overview(path):
    return [row[1] for row in load_workbook(path)["Resumen"].iter_rows(values_only=True)]


@pytest.mark.long
def test_the_two_batches_know_of_each_other(place, cufe):
    first, done, _ = corrected_batch(place, cufe)
    second = done.data[0]
    listed = {one["batch"]: one for one in place.anular("status", "--json").data}
    words = place.anular("status").words
    again = place.anular("report", first["batch"], "--json").data

    assert (second["corrects"], second["corrected_in"]) == (first["batch"], [])
    assert (first["corrects"], again["corrected_in"]) == (None, [second["batch"]])
    assert listed[first["batch"]]["corrected_in"] == [second["batch"]]
    assert listed[second["batch"]]["corrects"] == first["batch"]
    assert re.search(rf"Corrige el lote +{first['batch']}", done.err)
    assert re.search(rf"Corregido en el lote +{second['batch']}", words)
    assert facts(second["workbook"])["Corrige el lote"] == first["batch"]
    assert facts(again["workbook"])["Corregido en el lote"] == second["batch"]
    assert place.anular("verify").code == 0


@pytest.mark.long
def test_the_first_batch_counts_what_became_of_its_rows_in_the_correction(place, cufe):
    """Without a command about the first batch: its workbook is written again when the correction ends."""
    first, done, _ = corrected_batch(place, cufe)
    second = done.data[0]
    rows = rows_of(first["workbook"])
    assert [row["resultado"] for row in rows] == ["ANULADA", "RECHAZADA", "RECHAZADA", "RECHAZADA"]
    assert f"Corregida en el lote {second['batch']} (Corregir, fila 2): ANULADA." in rows[1]["observaciones"]
    assert [row["regla"] for row in rows] == ["A01", "A27", "A28", "A28"]
    told = f"1 de 4 facturas quedó anulada; 1 más en la corrección {second['batch']}; 2 por hacer."
    assert told in overview(first["workbook"])
    again = place.anular("report", first["batch"], "--json").data
    listed = {one["batch"]: one for one in place.anular("status", "--json").data}
    assert (again["needs_person"], again["exit_code"]) == (2, 1)
    assert (listed[first["batch"]]["needs_person"], listed[first["batch"]]["outcomes"]) == (2, again["outcomes"])

    rest = correct(second["corrections"], "resto.xlsx", E2=REASON, D3=cufe(4))
    third = place.anular("run", rest, "--yes", "--json").data[0]
    assert third["outcomes"] == {"ANULADA": 2}
    again = place.anular("report", first["batch"], "--evidence", "--json")
    listed = {one["batch"]: one for one in place.anular("status", "--json").data}
    assert (again.code, again.data["needs_person"], again.data["corrections"]) == (0, 0, None)
    assert [(one["needs_person"], one["exit_code"]) for one in listed.values()] == [(0, 0)] * 3
    (pack,) = (place.folder / "out").glob(f"*{first['batch']}__evidencia.zip")
    assert place.anular("verify", pack).code == 0
    assert place.anular("verify").code == 0
    assert place.posts() == {cufe(n): 1 for n in (1, 2, 3, 4)}


@pytest.mark.long
def test_the_corrections_of_check_become_those_of_the_batch_and_there_is_one_workbook(place, cufe):
    file = mixed(place, cufe)
    checked = place.anular("check", file, "--json").data[0]["corrections"]
    fixed = correct(checked, D2=cufe(2))
    first = place.anular("run", file, "--yes", "--json").data[0]
    assert [path.name for path in (place.folder / "out").glob("*corregir.xlsx")] == [Path(first["corrections"]).name]

    second = place.anular("run", fixed, "--yes", "--json").data[0]
    assert second["corrects"] == first["batch"]
    assert place.anular("report", first["batch"], "--json").data["needs_person"] == 2


def test_corrections_of_check_whose_file_was_never_taken_in_correct_no_batch(place, cufe):
    fixed = correct(place.anular("check", mixed(place, cufe), "--json").data[0]["corrections"], D2=cufe(2))

    assert place.anular("run", fixed, "--yes", "--json").data[0]["corrects"] is None


def test_a_workbook_of_check_that_was_saved_since_stays(place, cufe):
    file = mixed(place, cufe)
    checked = Path(place.anular("check", file, "--json").data[0]["corrections"])
    correct(checked, checked.name, D2=cufe(2))
    place.anular("run", file, "--yes")

    assert checked.exists()


@pytest.mark.long
def test_a_batch_that_this_ledger_does_not_know_is_shown_as_such(place, cufe):
    first, _, fixed = corrected_batch(place, cufe)
    other = {"ANULAR_LEDGER": f"sqlite:///{place.folder / 'otro' / 'registro.db'}"}
    copy = Path(fixed).with_name("en otro equipo.xlsx")
    copy.write_bytes(fixed.read_bytes())
    done = place.anular("run", copy, "--yes", "--json", "--no-poll", **other)

    assert done.code in (0, 1)
    assert done.data[0]["corrects"] == first["batch"]
    assert facts(done.data[0]["workbook"])["Corrige el lote"] == f"{first['batch']} (no consta en este historial)"


def test_a_row_that_was_sent_is_not_sent_again_by_any_correction(place, cufe):
    """Somebody adds to the corrections what the first batch cancelled already, and loads it under two names."""
    first = place.anular("run", mixed(place, cufe), "--yes", "--json").data[0]
    fixed = correct(first["corrections"], D2=cufe(2), B5=9, D5=cufe(1), E5=REASON)
    twice = correct(fixed, "otra vez.xlsx", F2=99)
    done = place.anular("run", fixed, twice, "--yes", "--json")

    assert place.posts() == {cufe(1): 1, cufe(2): 1}
    assert [batch["outcomes"] for batch in done.data] == [
        {"ANULADA": 1, "RECHAZADA": 2, "DUPLICADA": 1},
        {"RECHAZADA": 2, "DUPLICADA": 2},
    ]


# --- what was given back (6, 15): a sheet of its own, and one question per row

NEW = "Monto equivocado: se facturó dos veces el flete"


def given_back(place, cufe):
    """A batch with a row of state 6, one of state 15 and a wrong one; its codes, and the corrections workbook."""
    codes = [cufe(1), cufe(2, "906"), cufe(3, "915"), wrong(cufe(4))]
    file = place.file([[n, "a", code, REASON, n] for n, code in enumerate(codes, start=1)])
    first = place.anular("run", file, "--yes", "--no-poll", "--json").data[0]
    return first["batch"], codes, Path(first["corrections"])


def returned(path, name, **cells):
    book = load_workbook(path)
    for address, value in cells.items():
        book["Devueltas"][address] = value
    book.save(path.with_name(name))
    return path.with_name(name)


def test_what_was_given_back_stands_on_a_sheet_of_its_own_with_what_edoc_said(place, cufe):
    _, codes, path = given_back(place, cufe)
    head, *rows = load_workbook(path)["Devueltas"].iter_rows(values_only=True)

    assert head == ("fila_origen", "CUFE", "Motivo", "Correo", "Respuesta de eDoc")
    assert [row[:4] for row in rows] == [
        ("Hoja1, fila 3", codes[1], REASON, None),
        ("Hoja1, fila 4", codes[2], REASON, None),
    ]
    assert str(rows[0][4]).startswith("6: Devuelto por la DGI")
    assert load_workbook(path)["Devueltas"].page_setup.fitToWidth in (None, 1)  # the row and its reason on one page
    assert [row[0] for row in load_workbook(path)["Corregir"].iter_rows(min_row=2, values_only=True)] == [
        "Hoja1, fila 5"
    ]


def test_without_a_terminal_the_commands_are_named_and_nothing_of_it_is_sent(place, cufe):
    batch, _, path = given_back(place, cufe)
    posts = place.posts()
    fixed = returned(path, "corregido.xlsx", C2=NEW, D2="contabilidad@empresa.com")
    for command in (("check", fixed), ("run", fixed, "--yes")):
        done = place.anular(*command, "--json")
        assert "1 fila devuelta viene corregida. No se reenvían con el lote" in " ".join(done.err.split())
        assert f"resend {batch} --row 3 --by" in " ".join(done.err.split())
        assert (done.code, place.posts()) == (1, posts)
    assert [one["batch"] for one in place.anular("status", "--json").data if one["corrects"]] != [batch]


def test_a_workbook_of_rows_that_were_given_back_alone_becomes_no_batch(place, cufe):
    file = place.file([[1, "a", cufe(1, "906"), REASON, 1]])
    first = place.anular("run", file, "--yes", "--no-poll", "--json").data[0]
    path = Path(first["corrections"])
    assert load_workbook(path).sheetnames == ["Devueltas", "Instrucciones"]

    untouched = place.anular("run", path, "--yes", "--json")
    assert (untouched.code, untouched.data, "ninguna fila corregida" in untouched.err) == (0, [], True)
    fixed = returned(path, "corregido.xlsx", C2=NEW)
    done = place.anular("run", fixed, "--yes", "--json")
    assert (done.code, done.data, "viene corregida" in done.err) == (1, [], True)
    assert place.anular("check", fixed, "--json").data == [{"file": str(fixed), "returned": 1}]
    assert len(place.anular("status", "--json").data) == 1
    assert place.posts() == {cufe(1, "906"): 1}


@pytest.mark.long
@pytest.mark.parametrize("how", ["cells emptied", "rows deleted"])
def test_with_corregir_emptied_what_was_given_back_is_read(place, cufe, how):
    """Somebody does not want the wrong rows cancelled any more, and corrects one that was given back."""
    batch, _, path = given_back(place, cufe)
    posts = place.posts()
    book = load_workbook(path)
    if how == "rows deleted":
        book["Corregir"].delete_rows(2, 9)
    else:
        for cell in book["Corregir"][2]:
            cell.value = None
    book["Devueltas"]["C2"] = NEW
    book.save(path.with_name("corregido.xlsx"))
    done = place.anular("run", path.with_name("corregido.xlsx"), "--yes", "--json")

    assert (done.code, done.data) == (1, []), done.words
    assert f"resend {batch} --row 3 --by" in " ".join(done.err.split())
    assert place.posts() == posts


def test_a_workbook_in_which_nothing_is_left_is_refused(place, cufe):
    _, _, path = given_back(place, cufe)
    book = load_workbook(path)
    for name in ("Corregir", "Devueltas"):
        book[name].delete_rows(2, 9)
    book.save(path.with_name("corregido.xlsx"))
    done = place.anular("run", path.with_name("corregido.xlsx"), "--yes", "--json")

    assert (done.code, done.data[0]["refused"]["code"]) == (3, "sin-filas"), done.words


def test_the_corrections_workbook_is_counted_the_same_wherever_it_is_named(place, cufe):
    codes = [cufe(1), cufe(2, "906"), cufe(3, "915"), wrong(cufe(4))]
    file = place.file([[n, "a", code, REASON, n] for n, code in enumerate(codes, start=1)])
    done = place.anular("run", file, "--yes", "--no-poll", "--json")
    book = load_workbook(done.data[0]["corrections"])
    summary = load_workbook(done.data[0]["workbook"])["Resumen"]

    def texts(sheet):
        return [cell for row in sheet.values for cell in row if isinstance(cell, str)]

    name = Path(done.data[0]["corrections"]).name
    assert "Para corregir (1 factura y 2 devueltas): " in done.err
    assert f"{name}, con 1 factura y 2 devueltas" in texts(summary)
    assert "1 factura y 2 devueltas, de 4 filas del archivo" in texts(book["Instrucciones"])
    assert [book[sheet].max_row - 1 for sheet in ("Corregir", "Devueltas")] == [1, 2]


@pytest.mark.long
def test_the_terminal_says_what_became_of_rejected_rows_in_their_correction(place, cufe):
    first = place.anular("run", mixed(place, cufe), "--yes", "--json").data[0]
    fixed = correct(first["corrections"], D2=cufe(2), E3=REASON)
    second = place.anular("run", fixed, "--yes", "--json").data[0]
    told = f"2 de ellas tienen su resultado en la corrección {second['batch']}: ANULADA 2"

    for command in (("status", first["batch"]), ("run", place.folder / "lote.xlsx", "--yes")):
        done = place.anular(*command)
        assert told in " ".join(done.words.split()), done.words
    found = " ".join(place.anular("find", first["batch"]).words.split())
    assert "1 requiere su revisión" in found
    assert f"2 con su resultado en otro lote, el de su corrección: «anular find {second['batch']}»" in found


def test_at_a_terminal_each_row_is_a_question_of_its_own(place, cufe):
    """The first is signed and sent again; the second is left by an empty name."""
    batch, codes, path = given_back(place, cufe)
    fixed = returned(path, "corregido.xlsx", C2=NEW, C3=NEW)
    answers = ["Ana Ruiz", "La DGI pidió detallar el motivo", codes[1][-8:], ""]
    _, words = typing(place, answers, "run", fixed, "--no-poll")

    assert "Devuelta 2 de 2" in words
    assert [place.posts()[code] for code in codes[:3]] == [1, 2, 1]
    rows = {row["CUFE"]: row for row in rows_of(place.results(batch))}
    assert rows[codes[1]]["resultado"] == "ANULADA"
    assert f"Se reenvió con otro motivo: «{NEW}»" in rows[codes[1]]["observaciones"]
    assert rows[codes[2]]["resultado"] == "DEVUELTA"


def test_another_code_beside_the_place_asks_for_nothing(place, cufe):
    _, _, path = given_back(place, cufe)
    fixed = returned(path, "corregido.xlsx", B2=cufe(9), C2=NEW)
    done = place.anular("check", fixed, "--json")

    assert "ninguna fila corregida" in done.err


def typing(place, answers, *arguments):
    """The command at a terminal at which somebody types ``answers``, a line each; its code and what it showed."""
    master, slave = os.openpty()
    process = place.start(*arguments, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    os.write(master, "".join(f"{answer}\n" for answer in answers).encode())
    shown = b""
    with suppress(OSError):
        while block := os.read(master, 65536):
            shown += block
    os.close(master)
    return process.wait(60), shown.decode("utf-8", "replace")


def test_a_review_workbook_that_is_sent_sends_each_row_once_and_none_that_was_sent(place, cufe):
    file = mixed(place, cufe)
    review = place.anular("check", file, "--json").data[0]["workbook"]
    words = [row["resultado"] for row in rows_of(Path(review))]
    assert words == ["LISTA PARA ENVIAR", *["RECHAZADA"] * 3]

    first = place.anular("run", review, "--yes", "--json").data[0]
    assert first["outcomes"] == {"ANULADA": 1, "RECHAZADA": 3}
    (own,) = {tuple(row) for row in rows_of(Path(first["workbook"]))[:1]}
    assert "LISTA PARA ENVIAR" not in [row["resultado"] for row in rows_of(Path(first["workbook"]))]
    assert own[3:8] == tuple(cell.value for cell in load_workbook(file).worksheets[0][1])[:5]

    second = place.anular("run", file, review, "--yes", "--json")
    assert [batch["outcomes"] for batch in second.data] == [{"DUPLICADA": 1, "RECHAZADA": 3}, first["outcomes"]]
    assert place.posts() == {cufe(1): 1}
