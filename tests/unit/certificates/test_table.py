"""The CSV of certificates: tolerant in form, and each mistake with its line and column."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.certificates.table import COLUMNS, Row, read_table
from pipeline.domain.certificates import State
from pipeline.domain.errors import InputRefused
from pipeline.read.limits import Limits

TODAY = date(2026, 11, 29)
HEAD = ",".join(COLUMNS)
GOOD = "155668001-2-2018,EMPRESA,,S-1,15/01/2026,Completado,20/01/2026,20/01/2027,ana@empresa.com,"


def read(text: str | bytes, limits: Limits = Limits()):  # noqa: B008 - frozen
    return read_table(text.encode() if isinstance(text, str) else text, "lista.csv", limits, TODAY)


def mistakes(*lines: str) -> list[str]:
    return [one.sentence for one in read("\n".join([HEAD, *lines]))[1]]


def test_a_line_becomes_a_row_with_its_days():
    rows, wrong = read(f"{HEAD}\n{GOOD}\n")
    assert wrong == []
    assert rows == [
        Row(
            2, "155668001-2-2018", State.COMPLETE, "EMPRESA", "", "S-1", date(2026, 1, 15), date(2026, 1, 20),
            date(2027, 1, 20), "ana@empresa.com", "",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n{GOOD}".replace(",", ";"),
        f"{HEAD}\n{GOOD}".replace(",", "\t"),
        f"\ufeff{HEAD}\r\n\r\n{GOOD}\r\n\r\n",
        f"sep=;\n{HEAD};\n{GOOD};".replace(",", ";"),
        f"{HEAD}\n{GOOD}".replace("15/01/2026", "2026-01-15"),
        f"{HEAD.upper().replace('_', ' ')}\n{GOOD.replace('Completado', 'COMPLETADO')}",
        f"{HEAD}\n{GOOD}".replace("EMPRESA", '"EMPRESA"'),
    ],
)
def test_separators_dates_case_and_blank_lines_do_not_matter(text):
    rows, wrong = read(text)
    assert (len(rows), wrong) == (1, [])
    assert rows[0].requested_on == date(2026, 1, 15)


def test_accents_of_windows_are_read():
    rows, _ = read(f"{HEAD}\n{GOOD}".replace("EMPRESA", "PEÑA").encode("cp1252"))
    assert rows[0].holder == "PEÑA"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace("155668001-2-2018", "1556"), "Línea 2, columna «ruc»: «1556» no tiene la forma de un RUC."),
        (GOOD.replace("155668001-2-2018", ""), "Línea 2, columna «ruc»: falta el RUC."),
        (GOOD.replace("Completado", "Listo"), "Línea 2, columna «estado»: debe ser uno de"),
        (GOOD.replace("15/01/2026", "31/02/2026"), "Línea 2, columna «fecha_solicitud»: «31/02/2026» no es una fecha"),
        (GOOD.replace("15/01/2026", "30/11/2026"), "Línea 2, columna «fecha_solicitud»: es una fecha que todavía"),
        (GOOD.replace("20/01/2027", ""), "Línea 2, columna «hasta»: falta"),
        (GOOD.replace("20/01/2027", "19/01/2026"), "Línea 2, columna «hasta»: es anterior a «desde»."),
        (GOOD.replace("Completado", "En trámite"), "Línea 2, columna «desde»: sobra"),
        (GOOD.replace("ana@", "ana"), "Línea 2, columna «correo»: «anaempresa.com» no es una dirección"),
        (f"{GOOD},de más", "Línea 2: tiene 11 datos y hay 10 columnas."),
        ("155668001-2-2018,,,,,En trámite,,,,", "Línea 2, columna «fecha_solicitud»: falta"),
        ("155668001-2-2018,,,,15/01/2026,Rechazado,,,,", "Línea 2, columna «observaciones»: faltan"),
        (GOOD.replace("EMPRESA", "x" * 201), "Línea 2, columna «titular»: tiene 201 caracteres; admite 200."),
    ],
)
def test_each_mistake_is_told_with_its_line_and_column(line, said):
    assert any(one.startswith(said) for one in mistakes(line)), mistakes(line)


def test_all_mistakes_are_told_at_once():
    assert len(mistakes(GOOD.replace("155668001-2-2018", "x").replace("Completado", "y"), "8-1-1,,,,,Listo,,,,")) == 3


def test_the_same_request_twice_is_a_mistake_of_the_second_line():
    assert mistakes(GOOD, f"0{GOOD}".replace("S-1", "s-1")) == [
        "Línea 3, columna «ruc»: repite la solicitud de la línea 2."
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "sin-filas"),
        ("ruc,titular\n8-1-1,x", "certificados-columnas"),
        ("ruc,estado,clave\n8-1-1,x,y", "certificados-columnas"),
        ("ruc,estado,RUC\n8-1-1,x,y", "certificados-columnas"),
        (HEAD, "sin-filas"),
        (f'{HEAD}\n"8-1-1', "csv-comilla-abierta"),
        (b"\xff\xfe\x00", "csv-utf16-danado"),
    ],
)
def test_what_is_no_such_table_is_refused_with_the_files_name(text, code):
    with pytest.raises(InputRefused) as refused:
        read(text)
    assert refused.value.code in (code, "certificados-columnas")
    assert "lista.csv" in refused.value.sentence


def test_a_file_with_too_many_lines_is_refused():
    with pytest.raises(InputRefused) as refused:
        read("\n".join([HEAD, GOOD, GOOD.replace("S-1", "S-2")]), Limits(rows=1))
    assert refused.value.code == "demasiadas-filas"


def test_a_cell_that_would_act_on_a_terminal_is_shown():
    rows, _ = read(f"{HEAD}\n{GOOD}".replace("EMPRESA", "E\x1b[31m"))
    assert rows[0].holder == "E␛[31m"
