"""Workbooks: values with their true positions, and everything that is refused (reliability.md 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import InputRefused
from pipeline.read.limits import Limits
from pipeline.read.sheet import Sheet
from tests.support.reading import read_sheet

Refusal = Callable[..., InputRefused]
Values = Callable[[Sheet], dict[int, list[Any]]]
Make = Callable[..., Path]
Xml = Callable[..., str]

REASON = "Error en el monto facturado"


def test_types_positions_and_headings_are_those_of_the_sheet(excel: Make, code: Xml, values: Values) -> None:
    day, moment = date(2026, 11, 18), datetime(2026, 11, 18, 10, 30, 15)  # noqa: DTZ001
    path = excel(
        [
            ["Anulaciones de noviembre"],
            [],
            ["Nº", "CUFE", "Motivo de anulación", "Fecha", "Hora", "Monto", "Pagada", "Código", "Tiempo"],
            [1, code(1), REASON, day, moment, 12.5, True, "0012", timedelta(hours=30, minutes=5)],
            [],
            [2, code(2), REASON, day, time(8, 30), 7.0, False, "NA", None],
        ]
    )
    sheet = read_sheet(path)
    assert (sheet.name, sheet.sheet, sheet.header_line, sheet.blank_rows) == ("lote.xlsx", "Hoja1", 3, 1)
    assert sheet.headings[:3] == ("Nº", "CUFE", "Motivo de anulación")
    assert sheet.roles == {"cufe": 1, "reason": 2}
    assert values(sheet) == {
        4: [1, code(1), REASON, day, moment, 12.5, True, "0012", "30:05:00"],
        6: [2, code(2), REASON, day, time(8, 30), 7, False, "NA", None],
    }
    assert isinstance(values(sheet)[6][5], int)
    assert sheet.address(6, "reason") == "Hoja1!C6"
    assert sheet.text["cufe"].tolist() == [code(1), code(2)]
    assert any("título" in note for note in sheet.notes)


def test_a_table_that_begins_in_another_column_keeps_its_addresses(excel: Make, code: Xml) -> None:
    sheet = read_sheet(excel([[None, None, "CUFE", "Motivo"], [None, None, code(), REASON]]))
    assert (sheet.roles, sheet.address(2, "cufe")) == ({"cufe": 2, "reason": 3}, "Hoja1!C2")


def test_row_gaps_keep_their_row_numbers(book: Make, sheet_xml: Xml, rows_xml: Xml, code: Xml) -> None:
    rows = [rows_xml(4, "CUFE", "Motivo"), rows_xml(7, code(1), REASON), rows_xml(40, code(2), REASON)]
    sheet = read_sheet(book(sheet_xml(*rows)))
    assert (sheet.header_line, sheet.cells.index.tolist(), sheet.blank_rows) == (4, [7, 40], 34)


@pytest.mark.parametrize("dimension", ["A1:C2", "A1:XFD1048576"])
def test_a_lying_dimension_changes_nothing(dimension: str, book: Make, sheet_xml: Xml, good_rows: list[str]) -> None:
    sheet = read_sheet(book(sheet_xml(*good_rows, before=f'<dimension ref="{dimension}"/>')))
    assert len(sheet.cells) == 2


def test_other_dialects_are_read_alike(book: Make, sheet_xml: Xml, good_rows: list[str], values: Values) -> None:
    plain = sheet_xml(*good_rows)
    expected = values(read_sheet(book(plain)))
    strict = plain.replace(
        "schemas.openxmlformats.org/spreadsheetml/2006/main", "purl.oclc.org/ooxml/spreadsheetml/main"
    )
    prefixed = plain.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace('xmlns="', 'xmlns:x="')
    swapped = plain.replace('<c r="A2" t="inlineStr">', '<c t="inlineStr" r="A2">')
    single = plain.replace('<row r="2">', "<row r='2'>")
    without = plain.replace('<c r="B2" ', "<c ").replace('<row r="3">', "<row>")
    comment = plain.replace("<sheetData>", "<sheetData><!-- una nota -->")
    for variant in (strict, prefixed, swapped, single, without, comment):
        assert values(read_sheet(book(variant))) == expected


def test_shared_and_rich_strings_are_read_and_a_missing_one_is_damage(
    book: Make, sheet_xml: Xml, good_rows: list[str], values: Values, refusal: Refusal
) -> None:
    shared = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<si><r><t xml:space="preserve">Error en </t></r><r><t>el monto &amp; fecha</t></r></si></sst>'
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId9" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    )
    more = {"xl/sharedStrings.xml": shared, "xl/_rels/workbook.xml.rels": relations}
    data = '<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c><c r="B2" t="s"><v>0</v></c></row>'
    assert values(read_sheet(book(sheet_xml(good_rows[0], data), more=more))) == {
        2: ["x", "Error en el monto & fecha", None]
    }
    missing = data.replace("<v>0</v>", "<v>7</v>")
    assert refusal(book(sheet_xml(good_rows[0], missing), more=more)).code == "xlsx-danado"


# --- cells of role columns that are no plain text


def test_what_is_no_text_in_a_role_column_is_noted_with_its_place(excel: Make, code: Xml) -> None:
    path = excel(
        [
            ["CUFE", "Motivo", "Correo", "Total"],
            [123456789, REASON, "a@x.pa", "=1+1"],
            [date(2026, 1, 1), REASON, None, "=1+1"],
            [True, REASON, None, 3],
            ["#N/A", REASON, None, 3],
            ['="FE"&"01"', REASON, '=B1&"@x.pa"', 3],
            [code(), 77, None, 3],
        ]
    )
    assert read_sheet(path).oddities == {
        (2, 0): "number",
        (3, 0): "date",
        (4, 0): "boolean",
        (5, 0): "error",
        (6, 0): "formula-without-value",
        (6, 2): "formula-without-value",
        (7, 1): "number",
    }


@pytest.mark.parametrize("comment", ["", "<!-- por el camino lento -->"])
def test_a_formula_with_a_value_and_an_error_are_noted_too(
    comment: str, book: Make, sheet_xml: Xml, good_rows: list[str], values: Values
) -> None:
    formula = (
        '<row r="4"><c r="A4" t="str"><f>"FE"&amp;1</f><v>FE1</v></c>'
        '<c r="B4" t="e"><f>X1</f><v>#REF!</v></c><c r="C4" t="e"><v>#N/A</v></c></row>'
    )
    sheet = read_sheet(book(sheet_xml(*good_rows, comment, formula)))
    assert sheet.oddities == {(4, 0): "formula", (4, 1): "error", (4, 2): "error"}
    assert values(sheet)[4] == ["FE1", "#REF!", "#N/A"]


def test_a_row_of_nothing_but_errors_or_open_formulas_is_a_row(
    book: Make, sheet_xml: Xml, good_rows: list[str]
) -> None:
    rows = [
        '<row r="4"><c r="A4" t="e"><v>#N/A</v></c></row>',
        '<row r="5"><c r="B5"><f>X1</f><v></v></c></row>',
        '<row r="6"><c r="A6" t="str"><f>IF(X1,X1,"")</f><v></v></c></row>',
        '<row r="7"><c r="D7"><f>SUM(D2:D3)</f></c></row>',
        '<row r="9"><c r="A9"><f>X2</f></c></row>',
        '<row r="10"><c r="D10"><f>SUM(D2:D3)</f></c></row>',
    ]
    for comment in ("", "<!-- por el camino lento -->"):
        sheet = read_sheet(book(sheet_xml(*good_rows, comment, *rows)))
        assert (sheet.cells.index.tolist(), sheet.blank_rows) == ([2, 3, 4, 5, 9], 3)
        assert sheet.oddities == {(4, 0): "error", (5, 1): "formula-without-value", (9, 0): "formula-without-value"}


# --- which sheet


def test_the_one_visible_sheet_with_the_header_is_taken(
    book: Make, sheet_xml: Xml, rows_xml: Xml, good_rows: list[str]
) -> None:
    path = book(sheet_xml(rows_xml(1, "Portada")), sheet_xml(*good_rows), names=["Portada", "Datos"])
    assert read_sheet(path).sheet == "Datos"


def test_several_sheets_with_the_header_need_a_name(
    book: Make, sheet_xml: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    path = book(sheet_xml(*good_rows), sheet_xml(*good_rows), names=["Enero", "Febrero"])
    error = refusal(path)
    assert (error.code, "«Enero», «Febrero»" in error.message) == ("xlsx-varias-hojas", True)
    assert read_sheet(path, sheet="febrero").sheet == "Febrero"
    assert refusal(path, sheet="Marzo").code == "xlsx-hoja"


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_not_read_but_noted(
    state: str, book: Make, sheet_xml: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    path = book(sheet_xml(*good_rows), sheet_xml(*good_rows), names=["A", "B"], states={"B": f' state="{state}"'})
    sheet = read_sheet(path)
    assert sheet.sheet == "A"
    assert any("hojas ocultas" in note and "«B»" in note for note in sheet.notes)
    assert refusal(path, sheet="B").code == "xlsx-hoja-oculta"
    assert read_sheet(path, sheet="B", include_hidden=True).sheet == "B"
    assert refusal(book(sheet_xml(*good_rows), states={"Hoja1": f' state="{state}"'})).code == "xlsx-sin-hojas"


def test_a_results_workbook_is_read_back_without_the_added_columns(
    book: Make, sheet_xml: Xml, rows_xml: Xml, code: Xml, good_rows: list[str], values: Values
) -> None:
    results = [
        rows_xml(1, "Factura", "CUFE", "Motivo", "fila_origen", "cufe_enviado", "resultado", "regla", "observaciones"),
        rows_xml(2, "F-1", code(1), REASON, "Hoja1, fila 5", code(1), "ANULADA", "A01", "nada"),
        rows_xml(3, "F-2", code(2), REASON, "Hoja1, fila 6", "", "RECHAZADA", "A12", "algo"),
    ]
    names = ["Resumen", "Resultados", "Pendientes de acción"]
    path = book(sheet_xml(rows_xml(1, "Resumen")), sheet_xml(*results), sheet_xml(*results), names=names)
    sheet = read_sheet(path)
    assert (sheet.sheet, sheet.headings, sheet.roles) == (
        "Resultados",
        ("Factura", "CUFE", "Motivo"),
        {"cufe": 1, "reason": 2},
    )
    assert sheet.earlier == {2: "ANULADA", 3: "RECHAZADA"}
    assert values(sheet) == {2: ["F-1", code(1), REASON], 3: ["F-2", code(2), REASON]}


# --- hidden, merged, far, disordered


@pytest.mark.parametrize("attribute", [' hidden="1"', ' hidden="true"', ' ht="0" customHeight="1"', " hidden='1'"])
def test_hidden_rows_with_data_stop_the_file(
    attribute: str, book: Make, sheet_xml: Xml, rows_xml: Xml, code: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    path = book(sheet_xml(*good_rows, rows_xml(4, code(3), REASON, attributes=attribute)))
    error = refusal(path)
    assert (error.code, "fila 4" in error.message) == ("xlsx-ocultas", True)
    assert len(read_sheet(path, include_hidden=True).cells) == 3
    assert len(read_sheet(book(sheet_xml(*good_rows, rows_xml(4, attributes=attribute)))).cells) == 2


def test_a_hidden_column_with_data_stops_the_file(
    book: Make, sheet_xml: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    def hidden(first: int, last: int) -> str:
        return sheet_xml(*good_rows, before=f'<cols><col min="{first}" max="{last}" hidden="1"/></cols>')

    error = refusal(book(hidden(3, 3)))
    assert (error.code, "columna C" in error.message) == ("xlsx-ocultas", True)
    assert len(read_sheet(book(hidden(3, 3)), include_hidden=True).cells) == 2
    assert len(read_sheet(book(hidden(8, 16384))).cells) == 2


def test_merged_cells_among_the_data_stop_the_file(excel: Make, code: Xml, refusal: Refusal) -> None:
    rows = [["Anulaciones", None, None], ["CUFE", "Motivo", "Nota"], *([code(n), REASON, "x"] for n in (1, 2, 3))]
    error = refusal(excel(rows, lambda sheet: sheet.merge_cells("B3:B5")))
    assert (error.code, "B3:B5" in error.message) == ("xlsx-combinadas", True)
    assert len(read_sheet(excel(rows, lambda sheet: sheet.merge_cells("A1:C1"))).cells) == 3
    assert len(read_sheet(excel(rows, lambda sheet: sheet.merge_cells("C3:C4"))).cells) == 3


@pytest.mark.parametrize("address", ["XFD1048576", "A1048576", "XFD4", "CX4", "A101001"])
@pytest.mark.parametrize("comment", ["", "<!-- por el camino lento -->"])
def test_a_far_cell_is_refused_before_the_reader_sees_it(
    address: str, comment: str, book: Make, sheet_xml: Xml, cell_xml: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    number = "".join(filter(str.isdigit, address))
    rows = [*good_rows, comment, f'<row r="{number}">{cell_xml(address, "x")}</row>']
    error = refusal(book(sheet_xml(*rows)))
    assert (error.code, f"Hoja1!{address}" in error.message) == ("xlsx-lejos", True)


def test_a_far_cell_that_is_only_formatted_is_no_matter(book: Make, sheet_xml: Xml, good_rows: list[str]) -> None:
    sheet = read_sheet(book(sheet_xml(*good_rows, '<row r="1048576"><c r="XFD1048576" s="0"/></row>')))
    assert sheet.cells.shape == (2, 3)


@pytest.mark.parametrize("comment", ["", "<!-- por el camino lento -->"])
def test_rows_and_cells_out_of_order_or_twice_are_refused(
    comment: str, book: Make, sheet_xml: Xml, rows_xml: Xml, cell_xml: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    again = rows_xml(3, "otra", "vez")
    twice = f'<row r="4">{cell_xml("A4", "a")}{cell_xml("A4", "b")}</row>'
    back = f'<row r="4">{cell_xml("B4", "a")}{cell_xml("A4", "b")}</row>'
    elsewhere = f'<row r="4">{cell_xml("A9", "a")}</row>'
    for odd in (again, twice, back, elsewhere):
        assert refusal(book(sheet_xml(*good_rows, comment, odd))).code == "xlsx-desorden"


# --- header, rows, limits


def test_header_trouble_is_told(excel: Make, code: Xml, refusal: Refusal) -> None:
    data = [code(), REASON]
    assert refusal(excel([["Factura", "Nota"], ["F-1", REASON]])).code == "sin-encabezado"
    error = refusal(excel([["Factura", "Nota"], data]))
    assert (error.code, "columna A" in error.message, "«Factura», «Nota»" in error.message) == (
        "encabezado-ajeno",
        True,
        True,
    )
    error = refusal(excel([["CUFE", "Nota"], data]))
    assert (error.code, "«CUFE», «Nota»" in error.message, "columna Motivo" in error.message) == (
        "falta-columna",
        True,
        True,
    )
    assert refusal(excel([["CUFE", "Motivo", "Razón"], data])).code == "columnas-repetidas"
    assert refusal(excel([["CUFE", "Motivo"], data, ["cufe", "motivo"]])).code == "dos-encabezados"
    assert refusal(excel([["CUFE", "Motivo"]])).code == "sin-filas"
    assert refusal(excel([[]])).code == "sin-filas"
    assert refusal(excel([*[["título"]] * 10, ["CUFE", "Motivo"], data])).code == "encabezado-abajo"


def test_limits_are_told_with_their_number(excel: Make, code: Xml, refusal: Refusal) -> None:
    rows = [["CUFE", "Motivo", "Nota"], *([code(n), REASON, "x"] for n in range(1, 6))]
    assert refusal(excel(rows), limits=Limits(rows=4)).code == "demasiadas-filas"
    assert refusal(excel(rows), limits=Limits(columns=2)).code == "demasiadas-columnas"
    assert refusal(excel(rows), limits=Limits(unpacked=2000)).code == "xlsx-desempacado"
    assert refusal(excel(rows), limits=Limits(size=2000)).code == "archivo-grande"
    assert len(read_sheet(excel(rows), limits=Limits(rows=5, columns=3)).cells) == 5


cells = st.one_of(
    st.none(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.booleans(),
    st.integers(-(10**9), 10**9).filter(lambda n: n % 100).map(lambda n: n / 100),
    st.text(
        st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff_="),
        min_size=1,
        max_size=20,
    ).filter(lambda text: not text.startswith("#")),
    st.dates(date(1950, 1, 1), date(2050, 1, 1)),
)


@given(
    st.lists(st.one_of(st.none(), st.lists(cells, min_size=2, max_size=2)), max_size=8),
    st.integers(0, 4),
    st.integers(0, 3),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_read_back_at_its_place(
    excel: Make, code: Xml, values: Values, data: list[list[Any] | None], above: int, left: int
) -> None:
    """Any values in the own columns, with title rows above, blank rows between and blank columns before."""
    indent: list[Any] = [None] * left
    rows: list[list[Any]] = [[] for _ in range(above)]
    rows.append([*indent, "CUFE", "Motivo", "Uno", "Dos"])
    expected: dict[int, list[Any]] = {}
    for number, mine in enumerate([["a", "b"], *data], start=1):
        if mine is None:
            rows.append([])
            continue
        rows.append([*indent, code(number), REASON, *mine])
        expected[above + 1 + number] = rows[-1]
    sheet = read_sheet(excel(rows))
    assert (sheet.header_line, sheet.roles) == (above + 1, {"cufe": left, "reason": left + 1})
    assert values(sheet) == expected
    assert all(
        type(a) is type(b) for line in expected for a, b in zip(values(sheet)[line], expected[line], strict=True)
    )
