"""Headings are recognised without regard to case, accents, spaces and underscores (interface.md 4)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.domain.columns import (
    FIRST_COLUMNS,
    LAST_COLUMNS,
    RESULT_COLUMNS,
    RESULT_MARKS,
    REVIEW_COLUMNS,
    added_columns,
    result_column_of,
    role_of,
    seems,
)
from schemas.columns import RESULT_COLUMNS as PRINTED


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        *((text, "cufe") for text in ("cufe", " CUFE ", "Código Único", "CUFE_a_anular", "Codigo CUFE", "CUFE:")),
        *((text, "reason") for text in ("Motivo", "MOTIVO ANULACIÓN", "motivo_de_anulacion", "Razón", "Justificación")),
        *((text, "reason") for text in ("motivoAnulacion", "Motivo\u00a0Anulación", "Motivo\nde anulación")),
        *((text, "email") for text in ("Correo", "correoNotificacion", "E-mail", "email", "Correo notificación")),
        *((text, "cufe") for text in ("No. CUFE", "Número CUFE", "CUFE de la factura", "CUFE factura")),
        *((text, "reason") for text in ("Motivo de la anulación", "Razón de anulación")),
        *((text, "email") for text in ("Correo electrónico", "Correo del cliente", "E-mail del cliente")),
        *((text, "reason") for text in ("Razón / Motivo", "MOTIVO o justificación", "Motivo y razón", "Razón/Motivo")),
        *((text, "email") for text in ("Correo / E-mail",)),
        *((text, None) for text in ("CUFE / Motivo", "Motivo / Cliente", "Razón social / Razón", "Motivo y")),
        *((text, None) for text in ("", "Motivos", "Factura", "CUFE 2", "Correo de cobros", "razón social")),
    ],
)
def test_a_heading_is_recognised(heading: str, role: str | None) -> None:
    assert role_of(heading) == role


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        *((text, "cufe") for text in ("CUFE del documento", "Lista de CUFE", "CUFE_ORIGINAL")),
        *((text, "reason") for text in ("Motivos", "Motivo del cliente", "Razón del cambio", "Motivo / Cliente")),
        *((text, "email") for text in ("Correo de cobros", "Mail", "Otro e-mail")),
        *(
            (text, None)
            for text in (
                "CUFE",
                "Motivo",
                "Razón / Motivo",
                "Razón social",
                "Total de CUFE",
                "CUFE: 3",
                "cufe_enviado",
                "",
            )
        ),
        *((text, None) for text in ("Favor anular todos los CUFE de arriba", "correo@empresa.com", "Cliente")),
    ],
)
def test_a_heading_that_looks_like_ours_and_is_none_is_known(heading: str, role: str | None) -> None:
    assert seems(heading) == role


def test_no_result_column_is_mistaken_for_an_input_column() -> None:
    assert [role_of(name) for name in RESULT_COLUMNS] == [None] * 19
    assert [result_column_of(name.upper()) for name in RESULT_COLUMNS] == list(RESULT_COLUMNS)
    assert set(RESULT_COLUMNS) > RESULT_MARKS
    assert PRINTED is RESULT_COLUMNS


OWN = ("Fila", "Vence", "Descripción", "CUFE", "Motivo", "Resultado")
PRINTED_NOW = (*FIRST_COLUMNS.values(), *OWN, *LAST_COLUMNS.values())
REVIEWED = (*FIRST_COLUMNS.values(), *OWN, *(LAST_COLUMNS[name] for name in REVIEW_COLUMNS))
NAMED_BEFORE = tuple(name for name in RESULT_COLUMNS if name != "vence")


def kept(headings: Sequence[str]) -> list[str]:
    ours = set(added_columns(headings).values())
    return [heading for place, heading in enumerate(headings) if place not in ours]


@pytest.mark.parametrize(
    "headings",
    [
        PRINTED_NOW,
        REVIEWED,
        (*OWN, *NAMED_BEFORE),  # a workbook or CSV of an earlier version
        (*OWN, *RESULT_COLUMNS),  # a CSV
    ],
)
def test_our_columns_are_told_from_the_persons_own_of_the_same_headings(headings: tuple[str, ...]) -> None:
    assert kept(headings) == list(OWN)
    place = added_columns(headings)["resultado"]
    assert place == (0 if headings in (PRINTED_NOW, REVIEWED) else len(OWN) + RESULT_COLUMNS.index("resultado"))


def test_every_column_of_ours_has_its_place() -> None:
    assert set(added_columns(PRINTED_NOW)) == {*FIRST_COLUMNS, *LAST_COLUMNS}
    assert set(added_columns(REVIEWED)) == {*FIRST_COLUMNS, *REVIEW_COLUMNS}
    assert set(added_columns((*OWN, *RESULT_COLUMNS))) == set(RESULT_COLUMNS)
    assert {*FIRST_COLUMNS, *LAST_COLUMNS} == set(RESULT_COLUMNS) - {"plazo", "horas_restantes"}


def test_the_place_column_of_a_corrections_workbook_is_the_persons_in_its_results() -> None:
    headings = (*FIRST_COLUMNS.values(), "fila_origen", "CUFE", "Motivo", *LAST_COLUMNS.values())
    assert kept(headings) == ["fila_origen", "CUFE", "Motivo"]
    assert kept(("fila_origen", "CUFE", "Motivo", *RESULT_COLUMNS)) == ["fila_origen", "CUFE", "Motivo"]


def test_columns_that_a_person_added_or_moved_do_not_hide_ours() -> None:
    assert kept((*PRINTED_NOW, "Descripción", "Nota")) == [*OWN, "Descripción", "Nota"]
    assert kept((*REVIEWED, "Descripción", "Consultas")) == [*OWN, "Descripción", "Consultas"]
    moved = ("CUFE", "Motivo", "Qué hacer", "Resultado", "Vence", *LAST_COLUMNS.values())
    assert kept(moved) == ["CUFE", "Motivo", "Vence"]  # which may be the person's


@pytest.mark.parametrize("missing", ["Resultado", "Qué hacer", "Fila", "CUFE enviado"])
def test_without_one_of_its_marks_a_table_is_the_persons_own(missing: str) -> None:
    headings = [*FIRST_COLUMNS.values(), "CUFE", "Motivo", *LAST_COLUMNS.values()]
    headings.remove(missing)
    assert added_columns(headings) == {}


@pytest.mark.parametrize("missing", ["Observaciones", "Regla"])
def test_a_review_without_its_last_columns_is_still_ours(missing: str) -> None:
    headings = [heading for heading in REVIEWED if heading != missing]
    assert kept(headings) == list(OWN)
    assert added_columns(headings)["resultado"] == 0
