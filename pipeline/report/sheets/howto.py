"""``Instrucciones``: the origin of a corrections workbook and how to use it, on one page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.report.corrections import Corrections
from pipeline.report.labels import count
from pipeline.report.sheets.page import Page, Span, fit_height, set_up
from pipeline.report.styles import (
    ACCENT,
    MUTED,
    PLAIN,
    SECTION,
    WRAPPED,
    Look,
    Palette,
    banner_look,
    title_look,
)
from pipeline.report.xlsx_writer import Book

WIDTHS = (5, 26, 90)
_HASH = "Código de verificación"
STEPS = (
    "En la hoja «Corregir», arregle las celdas de color. La razón está en el comentario de la celda y, completa, en la "
    "columna «corregir».",
    "Si el mismo CUFE está en varias filas con otro motivo o correo, deje una sola y elimine las demás.",
    "Una fila que no se deba anular se elimina entera (no basta con ocultarla ni con filtrarla).",
    "No cambie los títulos. «fila_origen» dice qué fila era en el archivo original y vuelve en los resultados; lo que "
    "se escriba en «corregir» no se lee.",
    "Guarde el libro como .xlsx y cárguelo como el archivo de antes, con la misma empresa: con el comando check para "
    "revisarlo, con run para enviarlo.",
    "Aquí están solo las filas por corregir. Las demás son del archivo original: con él se envían, o ya se enviaron; "
    "ninguna se envía dos veces.",
)
RETURNED_STEPS = (
    "En la hoja «Devueltas» están las filas que la DGI o eDoc devolvió. Corrija allí el motivo o el correo según "
    "«Respuesta de eDoc»; no cambie el CUFE.",
    "Cargue el libro con el comando run: cada fila devuelta que usted corrigió se pregunta por separado y se consulta "
    "antes en eDoc. Nunca se reenvían varias a la vez. Las que no corrija quedan como están.",
)


def write_howto(book: Book, sheet: Any, palette: Palette, fixes: Corrections) -> None:
    """Prints ``Instrucciones``."""
    set_up(sheet, fixes, WIDTHS, one_page=True)
    page = Page(book, sheet, palette)
    title = title_look(16)
    warning = banner_look(11, binding=fixes.banner.binding)
    page.line(Span(3, fixes.title, title), height=32)
    page.line(Span(3, fixes.banner.words, warning), height=22)
    page.line(Span(3, "Cómo corregir", SECTION), height=34)
    number = Look(bold=True, color=ACCENT, across="center", line=True)
    steps = (*(STEPS if fixes.lines else ()), *(RETURNED_STEPS if fixes.returned else ()))
    for step, words in enumerate(steps, start=1):
        page.line(Span(1, step, number), Span(2, words, WRAPPED), height=fit_height([(words, 108)]) or 18.0)
    page.line(Span(3, "De dónde son estas filas", SECTION), height=34)
    label = replace(PLAIN, color=MUTED)
    for name, value in _facts(fixes):
        mono = name == _HASH
        page.line(Span(2, name, label), Span(1, value, replace(WRAPPED, mono=mono, size=9 if mono else 10)), height=18)
    page.end()


def _facts(fixes: Corrections) -> list[tuple[str, str]]:
    batch = fixes.batch
    facts = [
        ("Archivo", batch.file),
        (_HASH, batch.sha256),
        ("Hoja", batch.sheet or ""),
        ("Lote", "ninguno: es una revisión previa" if fixes.preview else batch.id),
        ("Por corregir", f"{fixes.holds}, de {count(batch.rows, 'fila', 'filas')} del archivo"),
    ]
    return [(name, value) for name, value in facts if value]
