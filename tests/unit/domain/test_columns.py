"""Headings are recognised without regard to case, accents, spaces and underscores (interface.md 4)."""

from __future__ import annotations

import pytest

from pipeline.domain.columns import RESULT_COLUMNS, RESULT_MARKS, result_column_of, role_of, seems
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
        *((text, None) for text in ("", "Motivos", "Factura", "CUFE 2", "Correo de cobros", "razón social")),
    ],
)
def test_a_heading_is_recognised(heading: str, role: str | None) -> None:
    assert role_of(heading) == role


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        *((text, "cufe") for text in ("CUFE del documento", "Lista de CUFE", "CUFE_ORIGINAL")),
        *((text, "reason") for text in ("Motivos", "Motivo del cliente", "Razón del cambio")),
        *((text, "email") for text in ("Correo de cobros", "Mail", "Otro e-mail")),
        *((text, None) for text in ("CUFE", "Motivo", "Razón social", "Total de CUFE", "CUFE: 3", "cufe_enviado", "")),
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
