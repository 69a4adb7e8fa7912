"""The sheet ``Devueltas`` of a corrections workbook, brought back: a question per row, or the command for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.context import Talk
from pipeline.domain.columns import RETURNED_SHEET
from pipeline.domain.errors import AnularError
from pipeline.domain.outcomes import worst

if TYPE_CHECKING:
    from pipeline.read.sheet import Sheet
    from pipeline.run.returned import Wish
    from pipeline.settings.model import Settings


def returned_sheets(files: Sequence[Path], sheets: Sequence[Sheet], settings: Settings) -> Iterator[Sheet]:
    """That sheet of each of ``files`` which has one. Raises ``InputRefused``."""
    from pipeline.run.returned import is_returned, returned_beside
    from pipeline.settings.model import limits

    for file, found in zip(files, sheets, strict=True):
        if is_returned(found):
            yield found
        elif (
            found.sheet is not None and (beside := returned_beside(file, found.corrects, limits(settings))) is not None
        ):
            yield beside


def name_returned(sheets: Sequence[Sheet], settings: Settings, talk: Talk, *, asks: bool = False) -> list[Wish]:
    """Rows that were corrected there; prints the command for each, except where a person is asked about each."""
    from pipeline.run.returned import wishes
    from pipeline.wiring.views import open_views

    if not sheets:
        return []
    with open_views(settings) as views:
        found = [wish for sheet in sheets for wish in wishes(sheet, views)] if views is not None else []
    if not found:
        talk.err.print(f"En la hoja «{RETURNED_SHEET}» no hay ninguna fila corregida por reenviar.", markup=False)
        return []
    many = "1 fila devuelta viene corregida" if len(found) == 1 else f"{len(found)} filas devueltas vienen corregidas"
    how = "run pregunta por cada una" if asks else "una persona decide cada una, con su nombre y su motivo:"
    talk.err.print(f"{many}. No se reenvían con el lote; {how}", markup=False)
    for wish in () if asks else found:
        talk.err.print(f"  {wish.command}", markup=False)
    return found


def ask_returned(
    context: typer.Context,
    sheets: Sequence[Sheet],
    settings: Settings,
    talk: Talk,
    profile: str,
    ledger: str,
    *,
    asks: bool,
) -> int:
    """One question per corrected row, each a ``resend`` of its own; without a terminal only the commands. The exit
    code."""
    from pipeline.cli import console
    from pipeline.cli.resend import resend_row

    found = name_returned(sheets, settings, talk, asks=asks)
    if not asks:
        return 1 if found else 0
    codes = []
    for number, wish in enumerate(found, start=1):
        talk.err.print(f"Devuelta {number} de {len(found)}: lote {wish.batch}, fila {wish.row}, CUFE {wish.cufe}")
        by = typer.prompt("Quién decide reenviarla (vacío: no reenviarla)", default="", show_default=False, err=True)
        if not by.strip():
            codes.append(1)
            continue
        why = typer.prompt("Por qué", default="", show_default=False, err=True)
        try:
            codes.append(
                resend_row(
                    *(context, wish.batch, str(wish.row), by, why),
                    new_reason=wish.reason,
                    new_email=wish.email,
                    profile=profile,
                    ledger=ledger,
                )
            )
        except AnularError as trouble:  # of this row: the next one is another question
            console.say_error(talk.err, trouble)
            codes.append(trouble.exit_code)
    return worst(codes)
