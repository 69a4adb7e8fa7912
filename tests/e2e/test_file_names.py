"""A name with blanks that was not quoted, and what Excel leaves beside an open book (interface.md 2)."""

from __future__ import annotations

from tests.e2e.test_approval import on_a_terminal


def test_a_name_in_parts_is_recognised_and_the_right_command_is_told(place):
    place.batch(["000"], "lote de mayo.xlsx")
    done = place.anular("check", "lote", "de", "mayo.xlsx", "--json")
    assert (done.code, done.data[0]["refused"]["code"]) == (3, "archivo-con-espacios")
    assert "«anular check 'lote de mayo.xlsx'»" in done.words

    sent = place.anular("run", "lote", "de", "mayo.xlsx", "--yes")
    assert (sent.code, place.posts()) == (3, {})
    assert "«anular run 'lote de mayo.xlsx'»" in sent.words


def test_on_a_terminal_it_is_asked_and_only_a_yes_goes_on(place):
    place.batch(["000"], "lote de mayo.xlsx")
    place.batch(["000"], "otro.xlsx", first=2)
    names = ["otro.xlsx", "lote", "de", "mayo.xlsx"]
    code, shown = on_a_terminal(place, ["check", *names], "1")
    assert (code, "1. Sí, es «lote de mayo.xlsx»" in shown, shown.count("Por enviar")) == (0, True, 2), shown
    code, shown = on_a_terminal(place, ["check", *names], "")
    told = " ".join(shown.split())
    assert (code, "«anular check otro.xlsx 'lote de mayo.xlsx'»" in told) == (3, True), shown


def test_names_that_are_all_there_are_never_joined(place):
    for number, name in enumerate(["lote", "de", "mayo.xlsx", "lote de mayo.xlsx"], start=1):
        place.batch(["000"], "hecho.xlsx", first=number).rename(place.folder / name)
    refused = place.anular("check", "lote", "de", "mayo.xlsx")
    assert ("archivo-con-espacios" in refused.words, "tipo-desconocido" in refused.words) == (False, True)
    assert "archivo-no-existe" in place.anular("check", "junio.xlsx", "julio.xlsx").words


def test_excel_s_temporary_file_is_passed_over_and_alone_says_which_book_to_use(place):
    file = place.batch(["000"])
    lock = place.folder / "~$lote.xlsx"
    lock.write_bytes(b"\x03Ana" + b" " * 161)
    done = place.anular("check", lock, file)
    assert done.code == 0
    assert "Se pasa por alto «~$lote.xlsx»: es el archivo temporal que Excel pone mientras el libro" in done.words

    lock.chmod(0)  # as on Windows, where only Excel may open it
    alone = place.anular("check", lock)
    assert alone.code == 3
    assert "es el archivo temporal que Excel pone mientras el libro está abierto." in alone.words
    assert "use «lote.xlsx»" in alone.words


def test_of_several_sheets_one_is_chosen_by_its_number(place):
    from openpyxl import load_workbook

    path = place.batch(["000"])
    book = load_workbook(path)
    copy = book.copy_worksheet(book["Hoja1"])
    copy.title = "Octubre"
    book.save(path)
    code, shown = on_a_terminal(place, ["check", path], "2")
    assert (code, "1. Solo la hoja «Hoja1»" in shown, "2. Solo la hoja «Octubre»" in shown) == (0, True, True), shown
    assert "xlsx-varias-hojas" in place.anular("check", path).words
    assert place.anular("check", path, ANULAR_SHEET="last").code == 0


def test_what_is_hidden_is_asked_about_and_its_count_before_anything_is_sent(place):
    from openpyxl import load_workbook

    path = place.batch(["000", "000"])
    book = load_workbook(path)
    book["Hoja1"].row_dimensions[3].hidden = True
    book.save(path)
    code, shown = on_a_terminal(place, ["check", path], "1")
    assert (code, "1. Incluir también lo oculto" in shown, "fila 3" in shown) == (0, True, True), shown
    assert on_a_terminal(place, ["check", path], "")[0] == 3
    code, shown = on_a_terminal(place, ["run", path], "1\nno\nsi")
    assert (code, "Escriba 1 para incluir también eso" in shown, place.posts()) == (130, True, {}), shown
    code, shown = on_a_terminal(place, ["run", path], "1\n1\n2")
    assert (code, sum(place.posts().values())) == (0, 2), shown
