from __future__ import annotations

import gc
import hashlib
import io
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
import python_calamine

from pipeline.domain.columns import FIRST_COLUMNS, LAST_COLUMNS
from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, Cell, EventLine, ResultLine
from pipeline.read.header import is_header
from pipeline.report.model import Report
from pipeline.report.sheets.log import write_log
from pipeline.report.summary import summarise
from pipeline.report.verify import MEMBERS
from pipeline.report.workbook import write_workbook
from pipeline.report.xlsx_writer import Book

Batch = tuple[BatchInfo, list[ResultLine], list[EventLine]]
SHEETS = ["Resumen", "Resultados", "Pendientes de acción", "Estados eDoc", "Bitácora"]


def written(report: Report) -> bytes:
    stream = io.BytesIO()
    write_workbook(report, stream)
    return stream.getvalue()


def opened(report: Report) -> Any:
    return openpyxl.load_workbook(io.BytesIO(written(report)))


def all_cells(book: Any) -> Iterator[Any]:
    for sheet in book:
        for row in sheet.iter_rows():
            yield from row


def with_cells(batch: Batch, *cells: Cell) -> Report:
    """The batch reduced to one row that holds ``cells``."""
    info, lines, _ = batch
    line = replace(lines[0], cells=cells)
    headings = tuple(f"columna {number}" for number in range(len(cells)))
    return summarise(replace(info, rows=1, headings=headings, counts={}), [line], ())


def test_the_five_sheets_are_there_in_their_order(batch: Batch) -> None:
    assert opened(summarise(*batch)).sheetnames == SHEETS


def test_the_same_report_gives_the_same_bytes(batch: Batch) -> None:
    first, second = written(summarise(*batch)), written(summarise(*batch))
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()


def test_no_time_but_the_batchs_stands_in_the_file(batch: Batch) -> None:
    info, lines, events = batch
    with ZipFile(io.BytesIO(written(summarise(info, lines, events)))) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", core)) == {"2026-11-20T15:07:13Z"}


def test_it_consists_of_nothing_but_the_allowed_parts(batch: Batch) -> None:
    with ZipFile(io.BytesIO(written(summarise(*batch)))) as archive:
        assert set(archive.namelist()) == MEMBERS - {"xl/worksheets/sheet6.xml"}


def test_every_input_row_comes_back_unchanged_between_our_columns(batch: Batch) -> None:
    info, lines, events = batch
    rows = list(opened(summarise(info, lines, events))["Resultados"].iter_rows(values_only=True))
    place = 3 + len(info.headings)
    assert rows[0] == (*FIRST_COLUMNS.values(), *info.headings, *LAST_COLUMNS.values())
    assert len(rows) == len(lines) + 1
    for row, line in zip(rows[1:], lines, strict=True):
        given = [value.date() if isinstance(value, datetime) else value for value in row[3:place]]
        assert given == list(line.cells)
    assert [row[place] for row in rows[1:]] == [str(line.position) for line in lines]


def test_the_code_sent_stands_there_only_where_no_cell_holds_exactly_that(batch: Batch) -> None:
    info, lines, events = batch
    dirty = replace(lines[1], cells=(*lines[1].cells[:2], f" {lines[1].sent_cufe} ", *lines[1].cells[3:]))
    sheet = opened(summarise(info, [lines[0], dirty, *lines[2:]], events))["Resultados"]
    place = 3 + len(info.headings) + 2
    assert [sheet.cell(row, place).value for row in (2, 3, 4)] == [None, lines[1].sent_cufe, None]


def test_times_are_dates_in_panama_to_the_second(batch: Batch) -> None:
    info, lines, events = batch
    sheet = opened(summarise(info, lines, events))["Resultados"]
    columns = {cell.value: cell.column for cell in sheet[1]}

    def at(heading: str, pos: int) -> Any:
        return sheet.cell(pos + 1, columns[heading]).value

    assert at("Enviada", 7) == datetime(2026, 11, 20, 10, 0, 1)  # noqa: DTZ001 -- a cell has no zone
    assert at("Autorizada", 1) == datetime(2026, 11, 20, 10, 0, 4)  # noqa: DTZ001
    assert at("Consultada", 102) == datetime(2026, 11, 20, 10, 6, 42)  # noqa: DTZ001
    assert at("Vence", 1) is None  # cancelled
    issued = datetime(2026, 11, 17)  # noqa: DTZ001 -- row 102 is pending
    assert at("Vence", 102) == issued + timedelta(hours=182)
    assert sheet.cell(103, columns["Vence"]).number_format == "dd/mm/yyyy hh:mm"


@pytest.mark.parametrize("text", ["mañana", "2026-11-20", "99999-01-01T00:00:00"])
def test_an_answer_that_is_no_time_stays_what_edoc_said(text: str, batch: Batch) -> None:
    info, lines, _ = batch
    line = replace(lines[0], authorised_at=text)
    book = opened(summarise(replace(info, rows=1, counts={}), [line], ()))
    assert text in [cell.value for cell in book["Resultados"][2]]


def test_every_kind_of_cell_comes_back_as_what_it_was(batch: Batch) -> None:
    cells: tuple[Cell, ...] = (
        "0012",
        7,
        -2.5,
        True,
        date(2026, 11, 20),
        datetime(2026, 11, 20, 10, 0, 3),  # noqa: DTZ001 -- a cell has no zone
        time(8, 30),
        None,
        12345678901234567890,
        " con espacios  ",
        "dos\nlíneas",
    )
    book = opened(with_cells(batch, *cells))
    (row,) = book["Resultados"].iter_rows(min_row=2, min_col=4, max_col=3 + len(cells))
    values = [cell.value for cell in row]
    assert values[:4] == ["0012", 7, -2.5, True]
    assert values[4:7] == [datetime(2026, 11, 20), datetime(2026, 11, 20, 10, 0, 3), time(8, 30)]  # noqa: DTZ001
    assert values[7:] == [None, "12345678901234567890", " con espacios  ", "dos\nlíneas"]
    assert [row[i].number_format for i in (2, 4)] == ["#,##0.00", "dd/mm/yyyy"]


def test_dates_that_a_workbook_cannot_hold_are_written_out(batch: Batch) -> None:
    zone = timezone(timedelta(hours=-5))
    report = with_cells(batch, date(1850, 1, 2), datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone))
    (row,) = opened(report)["Resultados"].iter_rows(min_row=2, min_col=4, max_col=5, values_only=True)
    assert row == ("1850-01-02", "2025-12-31 19:00:00-05:00")


LONG = "x" * 40_000
MARK = "… [recortado: eran 40000 caracteres]"
HOSTILE = (
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@x",
    "_x0041_",
    "\ud800",
    "\x00",
    "\x1b[31mrojo\x1b[0m",
    "\u202exslx",
    LONG,
    '</t></is></c><c r="A1"><f>1+1</f></c>',
    '<c t="e">&amp;',
    "a\rb",
)


SHOWN = {
    "\ud800": "⟨U+D800⟩",
    "\x00": "␀",
    "\x1b[31mrojo\x1b[0m": "␛[31mrojo␛[0m",
    "\u202exslx": "⟨U+202E⟩xslx",
    LONG: "x" * (32_767 - len(MARK)) + MARK,
}
"""How the workbook shows those that it may not hold as they are; the others come back literally."""


def test_hostile_text_is_inert_and_visible_in_every_sheet(batch: Batch) -> None:
    info, lines, events = batch
    for text in HOSTILE:
        line = replace(lines[105], cells=(text,), message=text, note=text, decided_by=text, dgi=text, pos=1)
        event = replace(events[0], message=text, note=text, who=text, cufe=text)
        one = replace(info, rows=1, headings=(text,), file=text, approved_by=text, notes=(text,), issuers=(text,))
        book = opened(summarise(one, [line], [event]))
        cells = list(all_cells(book))
        assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d"}  # no formula, no error value
        assert not [cell for cell in cells if cell.hyperlink]
        shown = book["Resultados"]["D2"].value
        assert shown == SHOWN.get(text, text)


def test_an_independent_reader_sees_the_same_text(batch: Batch) -> None:
    texts = ["_x0041_", "=1+1", " a\r\nb ", "x & <y>", "ñandú 😀"]
    stream = io.BytesIO(written(with_cells(batch, *texts)))
    sheet = python_calamine.load_workbook(stream).get_sheet_by_name("Resultados")
    assert sheet.to_python()[1][3 : 3 + len(texts)] == texts


def test_text_that_looks_like_a_formula_stays_text_when_somebody_edits_it(batch: Batch) -> None:
    sheet = opened(with_cells(batch, "=1+1", "uno"))["Resultados"]
    assert [sheet["D2"].quotePrefix, sheet["E2"].quotePrefix] == [True, False]


def test_resultados_is_ready_to_work_with(batch: Batch) -> None:
    info, lines, events = batch
    sheet = opened(summarise(info, lines, events))["Resultados"]
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref == f"A1:Y{len(lines) + 1}"
    assert (sheet.print_title_rows, sheet.print_title_cols) == ("$1:$1", "$A:$E")  # to the customer
    assert (sheet.page_setup.orientation, sheet.sheet_properties.pageSetUpPr.fitToPage) == ("landscape", True)
    code = sheet["F2"]
    assert (code.font.name, sheet.column_dimensions["F"].width > 60) == ("Consolas", True)
    levels = {letters: dimension.outlineLevel for letters, dimension in sheet.column_dimensions.items()}
    assert {letters for letters, level in levels.items() if level} <= set("LMNOPQRSTUVWXY")
    assert levels["L"] == 1
    assert not any(dimension.hidden for dimension in sheet.column_dimensions.values())
    fills = {sheet.cell(row, 1).value: sheet.cell(row, 1).fill.fgColor.rgb for row in range(2, 122)}
    assert len(set(fills.values())) == 5  # one colour per meaning
    assert fills["ANULADA"] == fills["YA ANULADA"] != fills["PENDIENTE"] != fills["RECHAZADA"]


def test_the_legend_is_printed_on_one_page(batch: Batch) -> None:
    info, lines, events = batch
    setup = opened(summarise(info, lines, events))["Estados eDoc"].page_setup
    assert (setup.orientation, setup.fitToWidth, setup.fitToHeight) == ("portrait", 1, 1)


def test_the_summary_says_environment_totals_controls_and_file(batch: Batch) -> None:
    info, lines, events = batch
    sheet = opened(summarise(replace(info, env="production"), lines, events))["Resumen"]
    rows = [[value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)]
    assert ["PRODUCCIÓN: anulaciones con efecto legal, no se pueden deshacer"] in rows
    assert ["100 de 120 facturas quedaron anuladas; 4 en espera de respuesta; 11 por hacer."] in rows
    assert ["ANULADA", 99, 0.825, 184882.5] in rows
    assert ["Suma de los totales por resultado", 120, "✔ cuadra"] in rows
    assert ["Código de verificación del archivo (SHA-256)", info.sha256] in rows
    assert len(sheet._charts) == 1


def test_only_rows_that_need_a_person_are_pending(batch: Batch) -> None:
    sheet = opened(summarise(*batch))["Pendientes de acción"]
    head, *rest = sheet.iter_rows(values_only=True)
    assert head[:5] == ("Hecho", "Vence", "Cliente", "Monto", "Resultado")
    rows = [row for row in rest if row[0] == "☐"]
    assert all(row[head.index("CUFE")].startswith("FE01") for row in rows)  # there even when it was not sent
    words = {row[4] for row in rows}
    assert "RECHAZADA" in words
    assert not words & {"ANULADA", "YA ANULADA", "PENDIENTE", "DUPLICADA", "RETIRADA", "RESUELTA"}


def test_a_batch_with_nothing_to_do_says_so(batch: Batch) -> None:
    info, lines, events = batch
    book = opened(summarise(replace(info, rows=1), lines[:1], events[:1]))
    assert book["Pendientes de acción"]["A2"].value == "Ninguna fila requiere su revisión."
    assert any(cell.value == "Nada: no queda ninguna tarea." for cell in all_cells(book))
    assert any(cell.value == "Completo: 1 factura, todo anulado." for cell in all_cells(book))


def test_an_empty_batch_is_a_workbook_as_well(batch: Batch) -> None:
    book = opened(summarise(replace(batch[0], rows=0), [], ()))
    assert book["Resultados"].max_row == 1
    assert book["Bitácora"]["A2"].value == "Sin eventos."


def test_the_log_has_a_line_per_event_and_counts_what_does_not_fit(batch: Batch) -> None:
    report = summarise(*batch)
    assert opened(report)["Bitácora"].max_row == 121
    stream = io.BytesIO()
    with Book(stream, title="x", stamp=datetime(2026, 11, 20, tzinfo=UTC)) as book:
        sheet = book.sheet("Bitácora")
        write_log(book, sheet, book.palette, report, limit=100)
    short = openpyxl.load_workbook(stream)["Bitácora"]
    assert short.max_row == 102
    assert short["A102"].value == "No caben 20 eventos más; están completos en el historial de envíos."


class Sink(io.BytesIO):
    """Forgets what is written but for its length, as a file on disk does. Every 64 KiB the collector comes by."""

    _collected = 0

    def write(self, data: Any) -> int:
        self.seek(self.tell() + len(data))
        if self.tell() - self._collected >= 65_536:
            self._collected = self.tell()
            gc.collect()
        return len(data)


@contextmanager
def steady_collector() -> Iterator[None]:
    """The collector comes by when it is called and at no other time, and only for what is new."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@pytest.mark.long
def test_a_batch_four_times_as_large_takes_no_more_memory(make_batch: Callable[..., Batch]) -> None:
    peaks = []
    for rows in (200, 800, 3_200):  # the first fills the caches
        report = summarise(*make_batch(rows=rows))
        with steady_collector():
            tracemalloc.start()
            write_workbook(report, Sink())
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[2] - peaks[1] < 200_000


@pytest.mark.parametrize("env", ["production", "lab", "sandbox"])
def test_each_environment_looks_different(env: str, batch: Batch) -> None:
    info, lines, events = batch
    banner = opened(summarise(replace(info, env=env), lines, events))["Resumen"]["B2"]
    assert banner.fill.fgColor.rgb == ("008C1D18" if env == "production" else "00FFE3A3")
    assert ("PRUEBAS" in banner.value) == (env != "production")


# ------------------------------------------------------------------------------------- what the accountant gets


def late_batch(batch: Batch, **cells: Any) -> Report:
    """The batch with its returned row past the legal limit."""
    info, lines, events = batch
    (place,) = [at for at, line in enumerate(lines) if line.state is State.NEEDS_CORRECTION]
    late = replace(lines[place], deadline=Deadline(Window.LATE, -5.0), **cells)
    return summarise(info, [*lines[:place], late, *lines[place + 1 :]], events)


def test_late_invoices_stand_ready_to_copy_for_their_credit_notes(batch: Batch) -> None:
    book = opened(late_batch(batch))
    assert book.sheetnames == [*SHEETS[:3], "Notas de crédito", *SHEETS[3:]]
    _, head, row = book["Notas de crédito"].iter_rows(values_only=True)
    told = dict(zip(head, row, strict=True))
    (line,) = [line for line in batch[1] if line.state is State.NEEDS_CORRECTION]
    assert told == {
        "CUFE de la factura": line.cufe,
        "RUC del emisor": "29-29-29",
        "DV": "56",
        "N.º de documento": f"{line.pos:010d}",
        "Punto": "001",
        "Tipo de documento": "factura de operación interna",
        "Fecha de emisión": datetime.combine(line.cells[4], time()),  # type: ignore[arg-type]
        "Monto": line.cells[3],
        "Cliente": line.cells[1],
        "Fila": str(line.position),
    }


def test_a_credit_note_says_what_is_known_of_an_invoice_with_short_cells(batch: Batch) -> None:
    _, head, row = opened(late_batch(batch, cells=("7",)))["Notas de crédito"].iter_rows(values_only=True)
    told = dict(zip(head, row, strict=True))
    assert (told["Monto"], told["Cliente"], told["RUC del emisor"]) == (None, None, "29-29-29")


def test_neither_the_tasks_nor_the_credit_notes_can_be_read_as_a_file_to_send(batch: Batch) -> None:
    """They name codes; the headings that a file needs are only on «Resultados»."""
    for headings in (batch[0].headings, ("CUFE", "Motivo", "Nota")):
        info, lines, events = batch
        book = opened(summarise(replace(info, headings=headings), lines, events))
        for sheet in book:
            found = any(is_header([str(value) for value in row]) for row in sheet.iter_rows(values_only=True))
            assert found is (sheet.title == "Resultados")


def test_where_no_column_is_known_all_of_them_stand_beside_the_task_but_code_and_reason(batch: Batch) -> None:
    info, lines, events = batch
    headings = ("Uno", "Dos", "CUFE", "Tres", "Cuatro", "Motivo", "Correo", "Nota")
    sheet = opened(summarise(replace(info, headings=headings), lines, events))["Pendientes de acción"]
    head = [cell.value for cell in sheet[1]]
    assert head[:9] == ["Hecho", "Vence", "Uno", "Dos", "Tres", "Cuatro", "Correo", "Nota", "Resultado"]


def test_on_paper_the_row_number_says_which_invoice_where_no_column_near_does(batch: Batch) -> None:
    info, lines, events = batch
    headings = ("Uno", "Dos", "CUFE", "Tres", "Cuatro", "Motivo", "Correo", "Nota")
    sheet = opened(summarise(replace(info, headings=headings), lines, events))["Resultados"]
    assert (sheet.print_title_cols, sheet.print_options.headings) == ("$A:$C", True)
    known = opened(summarise(info, lines, events))["Resultados"]
    assert (known.print_title_cols, bool(known.print_options.headings)) == ("$A:$E", False)


def test_an_invoice_number_in_the_first_column_stays_on_the_screen(batch: Batch) -> None:
    info, lines, events = batch
    headings = ("No. factura", *info.headings[1:])
    assert opened(summarise(replace(info, headings=headings), lines, events))["Resultados"].freeze_panes == "E2"


def test_sums_stand_by_outcome_and_in_all_and_what_has_none_is_said(batch: Batch) -> None:
    info, lines, events = batch
    lines = [replace(lines[0], cells=(*lines[0].cells[:3], "por definir", *lines[0].cells[4:])), *lines[1:]]
    sheet = opened(summarise(info, lines, events))["Resumen"]
    rows = [[value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)]
    assert ["Resultado", "Filas", "%", "Suma de «Monto»"] in rows
    total = sum(round(37.35 * pos, 2) for pos in range(2, 121))
    assert ["Total", 120, round(total, 2)] in rows
    assert ["1 factura sin un monto que se pueda leer: no está en la suma."] in rows


def test_without_a_column_of_amounts_there_are_no_sums(batch: Batch) -> None:
    info, lines, events = batch
    headings = (*info.headings[:3], "Saldo", *info.headings[4:])
    sheet = opened(summarise(replace(info, headings=headings), lines, events))["Resumen"]
    rows = [[value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)]
    assert ["Resultado", "Filas", "%"] in rows
    assert ["ANULADA", 99, 0.825] in rows


def test_the_company_stands_at_the_top_when_the_batch_names_it(batch: Batch) -> None:
    info, lines, events = batch
    sheet = opened(summarise(replace(info, notes=("Empresa: Ñandú, S.A.",)), lines, events))["Resumen"]
    assert [cell.value for cell in sheet[1] if cell.value] == ["Resultados de la anulación", "Ñandú, S.A."]


def test_a_line_that_is_no_invoice_counts_apart_and_its_total_in_no_sum(batch: Batch) -> None:
    info, lines, _ = batch
    lines = [*lines[:2], replace(lines[2], state=State.NOT_APPLICABLE, cufe=None, sent_cufe=None, estado=None)]
    sheet = opened(summarise(replace(info, rows=3), lines, ()))["Resumen"]
    rows = [[value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)]
    assert ["Completo: 2 facturas, todo anulado."] in rows
    assert ["De ellas, facturas", 2, "✔ cuadra"] in rows
    assert ["De ellas, renglones que no son facturas", 1, "✔ cuadra"] in rows
    assert ["Total", 3, 112.05] in rows
    assert ["NO APLICA", 1, 1 / 3] in rows


def test_an_event_is_told_in_words_with_its_codes_in_the_last_column(batch: Batch) -> None:
    info, lines, events = batch
    event = replace(events[0], note="Consta en el portal. Motivo: pedido.", who="ana")
    sheet = opened(summarise(info, lines, [event, replace(events[0], note="read-timeout")]))["Bitácora"]
    head, first, second = sheet.iter_rows(values_only=True)
    assert head == (
        *("N.º", "Hora (Panamá)", "Fila", "CUFE", "Evento", "Antes", "Después", "Qué se dijo", "Quién"),
        "Código técnico",
    )
    assert first[1] == datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 -- a cell has no zone
    assert first[4:9] == (
        *("Anulación confirmada", "Enviándose", "Anulada"),
        "Evento registrado\nConsta en el portal. Motivo: pedido.",
        "ana",
    )
    assert first[9] == "cancelled · SENDING → CANCELLED · estado 2 · HTTP 200"
    assert second[7:] == (
        "Evento registrado",
        None,
        "cancelled · SENDING → CANCELLED · estado 2 · HTTP 200 · read-timeout",
    )
