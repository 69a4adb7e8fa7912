"""A person is offered the columns that may be meant, with letter, heading and an example; nothing is chosen for her."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.csv_file import read_csv
from pipeline.read.given import given_columns
from pipeline.read.limits import Limits
from pipeline.read.protocol import Nonsense, decode, encode_refusal

Code = Callable[..., str]
REASON = "Factura emitida por error"


def refused(content: str, columns: str = "") -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        read_csv(content.encode(), Limits(), given_columns(columns))
    return caught.value


def test_a_missing_reason_is_asked_for_with_what_resembles_it_first(code: Code) -> None:
    refusal = refused(f"Cliente;CUFE;Motivo del caso\nACME;{code(1)};{REASON}\n")
    assert refusal.code == "falta-columna"
    assert [(one.words, one.columns) for one in refusal.choices] == [
        (f"Motivo ← C «Motivo del caso» (por ejemplo «{REASON}»)", "motivo=C"),
        ("Motivo ← A «Cliente» (por ejemplo «ACME»)", "motivo=A"),
    ]
    assert refusal.headings == (("A", "Cliente"), ("B", "CUFE"), ("C", "Motivo del caso"))


def test_numbers_and_dates_are_not_offered_as_the_reason_but_what_has_no_value_yet_is(code: Code) -> None:
    content = f"Fecha;CUFE;Total;Detalle;Cliente\n2026-11-18;{code(1)};106.96;;ACME\n18/11/2026;{code(2)};5;;ACME\n"
    assert [one.columns for one in refused(content).choices] == ["motivo=D", "motivo=E"]


def test_where_no_column_has_words_all_are_offered(code: Code) -> None:
    assert [one.columns for one in refused(f"Fecha;CUFE;Total\n2026-11-18;{code(1)};5\n").choices] == [
        "motivo=A",
        "motivo=C",
    ]


def test_for_a_missing_code_only_columns_with_codes_are_offered(code: Code) -> None:
    refusal = refused(f"Motivo;Documento;Cliente\n{REASON};{code(1)};ACME\n")
    assert [one.columns for one in refusal.choices] == ["cufe=B"]


def test_of_two_columns_for_one_role_each_is_offered(code: Code) -> None:
    content = f"CUFE;Motivo;Razón\n{code(1)};{REASON};otra cosa\n"
    refusal = refused(content)
    assert (refusal.code, [one.columns for one in refusal.choices]) == ("columnas-repetidas", ["motivo=B", "motivo=C"])
    chosen = read_csv(content.encode(), Limits(), given_columns(refusal.choices[1].columns))
    assert chosen.header.roles == {"cufe": 0, "reason": 2}


def test_headings_that_are_all_unknown_are_found_above_the_codes(code: Code) -> None:
    content = f"Lista de mayo\nNúmero;Código;Causa\n1;{code(1)};{REASON}\n2;{code(2)};{REASON}\n"
    refusal = refused(content)
    assert (refusal.code, "columna B" in refusal.message) == ("encabezado-ajeno", True)
    assert [one.columns for one in refusal.choices] == ["cufe=B,motivo=C"]
    table = read_csv(content.encode(), Limits(), given_columns("cufe=B,motivo=C"))
    assert (table.header.line, table.header.roles, table.lines) == (2, {"cufe": 1, "reason": 2}, [3, 4])


def test_a_row_with_a_broken_code_is_not_taken_for_the_heading(code: Code) -> None:
    content = f"Lista;de mayo\nNúmero;Código;Causa\n1;abc;{REASON}\n2;{code(2)};{REASON}\n"
    table = read_csv(content.encode(), Limits(), given_columns("cufe=B,motivo=C"))
    assert (table.header.line, table.lines) == (2, [3, 4])
    assert [one.columns for one in refused(content).choices] == ["cufe=B,motivo=C"]


@pytest.mark.parametrize("said", ["cufe=Código,motivo=Causa", "motivo=Causa,cufe=B", "motivo=c,cufe=código"])
def test_headings_may_be_said_as_they_stand(said: str, code: Code) -> None:
    content = f"Lista\n\nNúmero;Código;Causa\n1;{code(1)};{REASON}\n"
    assert read_csv(content.encode(), Limits(), given_columns(said)).header.roles == {"cufe": 1, "reason": 2}


def test_one_column_may_be_said_when_the_other_is_known(code: Code) -> None:
    content = f"CUFE;Causa\n{code(1)};{REASON}\n"
    assert read_csv(content.encode(), Limits(), given_columns("motivo=B")).header.roles == {"cufe": 0, "reason": 1}
    content = f"Código;Motivo\n{code(1)};{REASON}\n"
    assert read_csv(content.encode(), Limits(), given_columns("cufe=A")).header.roles == {"cufe": 0, "reason": 1}


def test_a_reason_that_reads_like_names_may_be_another_column(code: Code) -> None:
    content = f"CUFE;Razón;Detalle\n{code(1)};Muebles del Istmo, S.A.;{REASON}\n"
    refusal = refused(content)
    assert refusal.code == "motivo-o-nombre"
    assert [(one.columns, one.of_this_file) for one in refusal.choices] == [
        ("cufe=A,motivo=B", True),
        ("motivo=C", False),
    ]
    assert [one.words[:3] for one in refusal.choices] == ["Sí:", "No:"]
    assert read_csv(content.encode(), Limits(), given_columns("motivo=C")).header.roles == {"cufe": 0, "reason": 2}


def test_choices_and_headings_come_through_the_reading_process_whole(code: Code) -> None:
    refusal = refused(f"CUFE;Razón;Detalle\n{code(1)};Muebles del Istmo, S.A.;{REASON}\n")
    with pytest.raises(InputRefused) as caught:
        decode([encode_refusal(refusal)], Limits())
    assert caught.value.choices == refusal.choices
    assert caught.value.headings == refusal.headings
    broken = encode_refusal(refusal).replace(b'["A", "CUFE"]', b'["A", 7]')
    with pytest.raises(Nonsense):
        decode([broken], Limits())
