"""CSV: the delimiter by the header, true line numbers, and nothing guessed (reliability.md 4)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import InputRefused
from pipeline.read.table import Table

Read = Callable[..., Table]
Refusal = Callable[..., InputRefused]
Code = Callable[..., str]

REASON = "Error en el monto"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_delimiter_and_line_end_is_read_alike(
    delimiter: str, end: str, last: bool, table: Read, code: Code
) -> None:
    lines = [["Factura", "CUFE", "Motivo"], ["1", code(1), REASON], ["0012", code(2), "NA"]]
    found = table(end.join(delimiter.join(line) for line in lines) + (end if last else ""))
    assert (found.lines, found.rows) == ([2, 3], [["1", code(1), REASON], ["0012", code(2), "NA"]])
    assert found.header.roles == {"cufe": 1, "reason": 2}


def test_mixed_line_ends_are_read_and_counted(table: Read, code: Code) -> None:
    found = table(f"CUFE,Motivo\r\n{code(1)},a\n{code(2)},b\r{code(3)},c\r\n")
    assert found.lines == [2, 3, 4]


def test_the_header_decides_even_when_the_data_hold_other_delimiters(table: Read, code: Code) -> None:
    found = table(f"CUFE;Motivo\n{code(1)};uno, dos, tres, cuatro\n")
    assert found.rows == [[code(1), "uno, dos, tres, cuatro"]]


def test_a_header_that_fits_two_delimiters_is_refused(refusal: Refusal) -> None:
    error = refusal("CUFE;a,CUFE,Motivo,b;Motivo\nx,y\n")
    assert (error.code, error.where) == ("csv-separador", "línea 1")


def test_the_separator_line_of_excel_is_obeyed_and_counted(table: Read, code: Code, refusal: Refusal) -> None:
    found = table(f"sep=;\r\nCUFE;Motivo\r\n{code(1)};a,b\r\n")
    assert (found.header.line, found.lines, found.rows) == (2, [3], [[code(1), "a,b"]])
    assert refusal("sep=\nCUFE;Motivo\n").code == "csv-separador"
    assert refusal(f"sep=,\nCUFE;Motivo\n{code(1)};a\n").code == "sin-encabezado"


def test_title_rows_above_the_header_are_passed_over(table: Read, code: Code) -> None:
    found = table(f'Anulaciones\n\n"Mes: ""noviembre"""\nCUFE,Motivo\n{code(1)},a\n')
    assert (found.header.line, found.lines) == (4, [5])


def test_blank_lines_are_counted_and_keep_the_numbers_true(table: Read, code: Code) -> None:
    found = table(f"CUFE,Motivo\n\n{code(1)},a\n , \n,\n{code(2)},b\n\n")
    assert (found.lines, found.blank_rows) == ([3, 6], 4)


def test_a_field_of_several_lines_keeps_the_numbers_true(table: Read, code: Code) -> None:
    found = table(f'CUFE,Motivo\n{code(1)},"uno\ndos\r\ntres"\n{code(2)},"di ""sí"""\n')
    assert (found.lines, found.rows[0][1], found.rows[1][1]) == ([2, 5], "uno\ndos\r\ntres", 'di "sí"')


@pytest.mark.parametrize(
    ("body", "expected", "where"),
    [
        ('{0},a\n{1},"b\n{2},c\n', "csv-comilla-abierta", "línea 3"),
        ('"{0},a\n{1},b"\n', "csv-comilla-traga", "línea 2"),
        ('{0},"a\n{1},b"\n{2},c\n', "csv-comilla-traga", "línea 2"),
        ('{0},a"b\n', "csv-comilla-suelta", "línea 2"),
        ('{0},"a"b\n', "csv-comilla-suelta", "línea 2"),
        ('{0},a\n{1}, "b"\n', "csv-comilla-suelta", "línea 3"),
        ("{0},a\n{1},b,c\n", "csv-columnas", "línea 3"),
        ("{0},a\n{1}\n", "csv-columnas", "línea 3"),
        ("{0},a,x\n{1},b,y\n", "csv-columnas", "línea 2"),
        ("{0},a\n{1},b\x00c\n", "csv-nul", "línea 3"),
    ],
)
def test_a_broken_line_is_refused_by_its_number(
    body: str, expected: str, where: str, refusal: Refusal, code: Code
) -> None:
    error = refusal("CUFE,Motivo\n" + body.format(code(1), code(2), code(3)))
    assert (error.code, error.where) == (expected, where)


@pytest.mark.parametrize("size", [70_000, 200_000])
def test_an_enormous_field_is_refused(size: int, refusal: Refusal, code: Code) -> None:
    for field in ("x" * size, '"' + "x" * size + '"'):
        error = refusal(f"CUFE,Motivo\n{code(1)},{field}\n")
        assert (error.code, error.where) == ("csv-campo-enorme", "línea 2")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("\ufeff", "sin-filas"),
        ("\n\n\n", "sin-filas"),
        ("CUFE,Motivo\n", "sin-filas"),
        ("CUFE,Motivo\n,\n", "sin-filas"),
        ("a,b\n1,2\n", "sin-encabezado"),
        ("CUFE,Nota\nx,y\n", "falta-columna"),
        ("CUFE,CUFE,Motivo\nx,y,z\n", "columnas-repetidas"),
        ("CUFE,Motivo\nx,y\nCUFE,Motivo\n", "dos-encabezados"),
        ("t\n" * 10 + "CUFE,Motivo\nx,y\n", "encabezado-abajo"),
    ],
)
def test_header_trouble_is_told(content: str, code: str, refusal: Refusal) -> None:
    assert refusal(content).code == code


def test_a_last_line_that_stops_short_is_an_incomplete_file(refusal: Refusal, code: Code) -> None:
    error = refusal(f"sep=,\nCUFE,Motivo\n{code(1)},a\n{code(2)}")
    assert (error.code, error.where) == ("csv-incompleto", "línea 4")
    assert refusal(f"CUFE,Motivo\n{code(1)},a\n{code(2)}\n").code == "csv-columnas"


@pytest.mark.parametrize(
    ("header", "whole", "cut"),
    [
        ("Motivo,CUFE", f"{REASON},{{}}", 30),
        ("CUFE,Motivo", f"{{}},{REASON}", 5),
        ("CUFE,Motivo,Correo", f"{{}},{REASON},ana@empresa.pa", 4),
    ],
)
def test_an_unended_file_whose_last_field_is_only_a_beginning_is_said_to_be_perhaps_incomplete(
    header: str, whole: str, cut: int, table: Read, code: Code
) -> None:
    text = f"{header}\n{whole.format(code(1))}\n{whole.format(code(2))}"
    assert table(text).notes == ()
    notes = table(text[:-cut]).notes
    assert ["posible archivo incompleto" in note and "línea (3)" in note for note in notes] == [True]
    assert table(text[:-cut] + "\n").notes == ()


def test_a_code_that_a_line_break_splits_is_one_cell_and_no_swallowed_row(
    table: Read, refusal: Refusal, code: Code
) -> None:
    broken = f"{code(1)[:33]}\n{code(1)[33:]}"
    found = table(f'CUFE,Motivo\n"{broken}",a\n"{code(2)}\n",b\n')
    assert (found.lines, found.rows) == ([2, 4], [[broken, "a"], [f"{code(2)}\n", "b"]])
    assert refusal(f'CUFE,Motivo\n"{code(1)}\n{code(2)}",a\n').code == "csv-comilla-traga"


def test_the_row_and_column_limits_are_exact(table: Read, refusal: Refusal, code: Code) -> None:
    text = "CUFE,Motivo,x\n" + "".join(f"{code(n)},a,b\n" for n in range(1, 5))
    assert len(table(text, rows=4, columns=3).rows) == 4
    assert refusal(text, rows=3).code == "demasiadas-filas"
    assert refusal(text, columns=2).code == "demasiadas-columnas"


def test_a_results_csv_gives_its_columns_and_earlier_outcomes_back(table: Read, code: Code) -> None:
    found = table(f"CUFE,fila_origen,cufe_enviado,resultado,regla,Motivo\n{code(1)},línea 2,x,ANULADA,A01,a\n")
    assert (found.header.kept, found.header.headings, found.header.outcome) == ((0, 5), ("CUFE", "Motivo"), 3)
    assert found.header.roles == {"cufe": 0, "reason": 1}


def test_an_own_column_called_resultado_is_kept(table: Read, code: Code) -> None:
    found = table(f"CUFE,Motivo,Resultado\n{code(1)},a,b\n")
    assert (found.header.headings, found.header.outcome) == (("CUFE", "Motivo", "Resultado"), None)


fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@given(
    st.lists(st.one_of(st.none(), st.tuples(fields, fields)), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_wrote_is_read_back_at_its_line(
    table: Read,
    code: Code,
    data: list[tuple[str, str] | None],
    delimiter: str,
    end: str,
    quoted: bool,
    encoding: str,
) -> None:
    """Any fields, with line ends, quotes and delimiters in them, and blank lines between."""
    target = io.StringIO(newline="")
    # Left to itself the module writes a lone CR without quotes, which no reader can tell from a line end.
    quoted = quoted or any("\r" in field for pair in data if pair for field in pair)
    writer = csv.writer(
        target, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerow(["CUFE", "Motivo", "Uno"])
    lines, rows = [], []
    for number, pair in enumerate([("a", "b"), *data], start=1):
        line = physical_lines(target.getvalue()) + 1
        if pair is None:
            target.write(end)
            continue
        lines.append(line)
        rows.append([code(number), *pair])
        writer.writerow(rows[-1])
    found = table(target.getvalue().encode(encoding))
    assert (found.lines, found.rows) == (lines, rows)


def physical_lines(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
