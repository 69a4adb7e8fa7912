"""An accountant's month, lived through at a terminal of 80 columns: her own workbook, no option typed, nothing twice.

Check, a wrong count, run, what was wrong corrected in the corrections workbook, run again, the poll of the next day,
and the client who rings.
"""

from __future__ import annotations

import os
import pty
import re
import select
import time
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from tests.e2e.conftest import make_cufe
from tests.support.books import rows_of
from tests.support.warm import LONGEST_S

NAME = "Facturas por anular 2026.xlsx"
HEADINGS = [
    *("No.", "Fecha", "Cliente", "RUC cliente", "Factura", "Subtotal", "ITBMS", "Total"),
    *("No. CUFE", "Razón / Motivo", "Correo electrónico"),
]
CLIENTS = ("Hotel Bahía Azul", "Farmacia La Bendición", "Panadería San José", "Constructora Pacífico, S.A.")
REASONS = ("Error en el monto facturado", "Devolución total de la mercancía", "El cliente no reconoce la compra")
BY_ROW = {4: "905", 9: "905", 16: "906", 21: "951"}
"""What eDoc does: two are cancelled later, one is given back, one stays authorised; the others at once."""

TABLE, NEXT_DAY = 6, "2026-11-21T08:30:00-05:00"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
QUESTION = re.compile(r"(?:cancela\)|deshacer|reenviarla\)|Por qué): $")


def invoices(first: int, count: int, scenarios: dict[int, str]) -> list[list[object]]:
    rows: list[list[object]] = []
    for n in range(1, count + 1):
        number, subtotal = first + n - 1, round(100 + 37.35 * n, 2)
        mail = f"pagos{n}@cliente{n}.example.com" if n % 3 else None
        amounts = [subtotal, round(subtotal * 0.07, 2), round(subtotal * 1.07, 2)]
        cufe = make_cufe(number, scenarios.get(n, "000"))
        client = [CLIENTS[n % len(CLIENTS)], f"155600{n:03d}-2-2019", f"{number:010d}"]
        rows.append([n, date(2026, 11, 18), *client, *amounts, cufe, REASONS[n % len(REASONS)], mail])
    return rows


def tab(book: Workbook, month: str, rows: list[list[object]]) -> None:
    """A month as she keeps it: title rows, her headings, sums and a note below."""
    sheet = book.create_sheet(month)
    for row in (
        ["Ferretería El Istmo, S.A."],
        [f"Facturas por anular, {month}"],
        ["RUC 29-29-29"],
        [],
        HEADINGS,
        *rows,
    ):
        sheet.append(row)
    last = TABLE + len(rows) - 1
    sheet.append([None] * 4 + ["Total", *(f"=SUM({column}{TABLE}:{column}{last})" for column in "FGH")])
    sheet.append([])
    sheet.append(["Nota: revisado por Marta, falta la firma del gerente."])


@pytest.fixture
def month(place):
    """Three tabs; in that of November 30 invoices with five mistakes. ``place.codes``: the right codes by row."""
    rows = invoices(101, 30, BY_ROW)
    place.codes = {n: str(row[8]) for n, row in enumerate(rows, start=1)}
    rows[4][8] = wrong(place.codes[5])
    rows[7][8] = f"{place.codes[8][:20]} {place.codes[8][20:45]} {place.codes[8][45:]}"
    rows[10][9] = "Error"
    rows[17][1:] = rows[16][1:]
    rows[22][10] = "pagos23@cliente23"
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, own in (("Septiembre", invoices(501, 6, {})), ("Octubre", invoices(601, 5, {})), ("Noviembre", rows)):
        tab(book, name, own)
    book.save(place.folder / NAME)
    place.env |= {"ANULAR_COMPANY": "Ferretería El Istmo, S.A.", "ANULAR_POLL_FOR": "0"}
    return place


def wrong(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def typed(place, command: str, *replies: str, **more: str) -> tuple[int, str]:
    """The command as she types it, without quotes and options, and what she answers, question by question."""
    ours, theirs = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    process = place.start(*command.split(" "), **streams, TERM="xterm", COLUMNS="80", **more)
    os.close(theirs)
    shown, asked, left, end = b"", 0, list(replies), time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.05)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            shown += part
        words = plain(shown)
        if left and len(words) > asked and QUESTION.search(words):
            os.write(ours, left.pop(0).encode() + b"\n")
            asked = len(words)
        if process.poll() is not None and not select.select([ours], [], [], 0)[0]:
            break
    os.close(ours)
    assert not left, f"never asked for {left}:\n{plain(shown)}"
    return process.wait(LONGEST_S), plain(shown)


def plain(shown: bytes) -> str:
    return ESCAPES.sub("", shown.decode("utf-8", "replace"))


def joined(shown: str) -> str:
    return " ".join(shown.split())


def corrected(place) -> str:
    """The corrections workbook as she leaves it: three rows corrected, and the reason of the one given back."""
    (path,) = (place.folder / "out").glob("*__2026*__corregir.xlsx")
    book = load_workbook(path)
    sheet, back = book["Corregir"], book["Devueltas"]
    assert (sheet.print_title_cols, back.print_title_cols) == ("$A:$A", "$A:$A")  # on every page: which row it is
    heads = {cell.value: cell.column for cell in sheet[1]}
    for line, heading, value in (
        (2, "No. CUFE", place.codes[5]),
        (3, "Razón / Motivo", "Error en el monto facturado al cliente"),
        (4, "Correo electrónico", "pagos23@cliente23.example.com"),
    ):
        cell = sheet.cell(line, heads[heading] or 0)
        assert cell.comment is not None
        assert cell.fill.fill_type == "solid", f"{heading} is not coloured"
        cell.value = value
    assert [row[0].value for row in back.iter_rows(min_row=2)] == ["Noviembre, fila 21"]
    back["C2"] = "Factura emitida por duplicado al mismo cliente"
    book.save(path)
    return str(path.relative_to(place.folder))


@pytest.mark.long
def test_a_month_without_one_option(month):
    code, shown = typed(month, f"check {NAME}", "1", "3")
    assert code == 1, shown
    assert "CUFE ← I · Motivo ← J" in joined(shown)  # «Razón / Motivo»: no question
    assert "3. Solo la hoja «Noviembre» (CUFE en ella: 30)" in shown
    for words in ("Facturas 30", "Por enviar 26", "Rechazadas 3", "Duplicadas 1", "CUFE reparados 1"):
        assert words in joined(shown)
    assert "2 que no son facturas: Noviembre, fila 36 «Total»" in joined(shown)
    assert month.posts() == {}

    code, shown = typed(month, f"run {NAME}", "1", "3", "27")
    assert (code, "escriba 26 cuando lo pregunte" in joined(shown), month.posts()) == (130, True, {}), shown

    code, shown = typed(month, f"run {NAME}", "1", "3", "26")
    assert code == 4, shown
    assert max(map(len, shown.splitlines())) <= 80, shown
    sent = {month.codes[n]: 1 for n in month.codes if n not in (5, 11, 18, 23)}
    assert month.posts() == sent
    assert [int(row["estado_edoc"] or 0) for row in month.rows() if row["resultado"] == "DEVUELTA"] == [6]

    code, shown = typed(month, f"run {corrected(month)}", "1", "3", "Marta Pérez", "La DGI pidió otro motivo", "no")
    assert code == 130, shown  # what was given back: she thinks better of it
    assert "Hoja Corregir" in joined(shown)
    assert "no se leyeron" not in joined(shown)
    assert "--by" not in shown  # she is asked: no command to complete
    assert month.posts() == {**sent, **{month.codes[n]: 1 for n in (5, 11, 23)}}

    code, shown = typed(month, "poll", ANULAR_SANDBOX_NOW=NEXT_DAY, ANULAR_POLL_FOR="1")
    assert (code, "24 ANULADA 1 SIGUE AUTORIZADA 1 DEVUELTA" in joined(shown)) == (4, True), shown
    first, second = books(month)
    found = {row["No."]: row for row in rows_of(first) if row["Total"]}
    assert [found[n]["resultado"] for n in (4, 9, 16, 21)] == ["ANULADA", "ANULADA", "DEVUELTA", "SIGUE AUTORIZADA"]
    assert [found[n]["accion_recomendada"] for n in (5, 11, 23)] == ["Nada"] * 3
    sheet = load_workbook(first)["Resultados"]
    assert sheet.column_dimensions["D"].width < 15  # «No.», not as wide as the note in it, nor the note as high
    assert (str(sheet.cell(33, 4).value)[:4], sheet.row_dimensions[33].height) == (
        "Nota",
        sheet.row_dimensions[32].height,
    )
    summary = [cell for row in load_workbook(first)["Resumen"].values for cell in row if isinstance(cell, str)]
    assert any(text.startswith("24 de 30 facturas quedaron anuladas; 3 más en la corrección") for text in summary)
    assert [row["resultado"] for row in rows_of(second)] == ["ANULADA"] * 3
    assert set(month.posts().values()) == {1}

    code, shown = typed(month, "find 0000000109", ANULAR_SANDBOX_NOW=NEXT_DAY)
    assert (code, "Resultado ANULADA" in joined(shown)) == (0, True), shown
    assert "Autorizada 20/11/2026 10:" in joined(shown)
    code, shown = typed(month, f"find {NAME}", ANULAR_SANDBOX_NOW=NEXT_DAY)
    assert "1 requiere su revisión" in joined(shown), shown
    assert "3 con su resultado en otro lote, el de su corrección" in joined(shown)


def books(place):
    """The results of the first batch, and of its correction."""
    found = sorted((place.folder / "out").glob("*__resultados.xlsx"), key=lambda path: len(path.name))
    assert len(found) == 2
    return found


def test_what_was_given_back_goes_again_with_its_new_reason_when_she_confirms_it(month):
    assert typed(month, f"run {NAME}", "1", "3", "26")[0] == 4
    ends = month.codes[16][-8:]
    code, shown = typed(month, f"run {corrected(month)}", "1", "3", "Marta Pérez", "La DGI pidió otro motivo", ends)

    assert code == 4, shown
    assert {code: times for code, times in month.posts().items() if times != 1} == {month.codes[16]: 2}
    (row,) = [row for row in rows_of(books(month)[0]) if row["No."] == 16]
    assert row["resultado"] == "ANULADA"
    assert "Factura emitida por duplicado al mismo cliente" in row["observaciones"]
