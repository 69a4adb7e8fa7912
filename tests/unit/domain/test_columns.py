"""Headings are recognised without regard to case, accents, spaces and underscores (interface.md 4)."""

from __future__ import annotations

import pytest

from pipeline.domain.columns import RESULT_COLUMNS, RESULT_MARKS, result_column_of, role_of
from schemas.columns import RESULT_COLUMNS as PRINTED


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        *((text, "cufe") for text in ("cufe", " CUFE ", "Código Único", "CUFE_a_anular", "Codigo CUFE", "CUFE:")),
        *((text, "reason") for text in ("Motivo", "MOTIVO ANULACIÓN", "motivo_de_anulacion", "Razón", "Justificación")),
        *((text, "reason") for text in ("motivoAnulacion", "Motivo\u00a0Anulación", "Motivo\nde anulación")),
        *((text, "email") for text in ("Correo", "correoNotificacion", "E-mail", "email", "Correo notificación")),
        *((text, None) for text in ("", "Motivos", "Factura", "CUFE 2", "Correo del cliente", "razón social")),
    ],
)
def test_a_heading_is_recognised(heading: str, role: str | None) -> None:
    assert role_of(heading) == role


def test_no_result_column_is_mistaken_for_an_input_column() -> None:
    assert [role_of(name) for name in RESULT_COLUMNS] == [None] * 18
    assert [result_column_of(name.upper()) for name in RESULT_COLUMNS] == list(RESULT_COLUMNS)
    assert set(RESULT_COLUMNS) > RESULT_MARKS
    assert PRINTED is RESULT_COLUMNS
