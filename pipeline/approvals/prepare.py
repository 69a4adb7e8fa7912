"""Preparation: a file becomes the draft of a proposal."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.approvals import content as contents
from pipeline.approvals.store import FILE, Draft
from pipeline.domain.approved_by import people
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import refused
from pipeline.domain.records import BatchInfo, column_letters
from pipeline.domain.visible import one_line
from pipeline.ledger.views import Views
from pipeline.read.given import said_columns, said_note
from pipeline.read.sheet import Sheet, read_sheet
from pipeline.read.source import Source
from pipeline.run.plan import Plan, make_plan
from pipeline.run.returned import is_returned
from pipeline.settings.model import Settings, limits
from pipeline.wiring.rules import check_rules

Shown = Callable[[Plan], Mapping[str, Any]]
"""What is kept of a plan for who approves it: lines of text."""


def draft_of_file(
    found: Sheet,
    source: Source,
    settings: Settings,
    views: Views,
    ledger: str,
    now: datetime,
    options: Mapping[str, Any],
    shown: Shown,
    folder: Path,
    *,
    read_with: Mapping[str, Any] | None = None,
) -> tuple[Draft, Plan]:
    """Draft of a file that was just read as ``found``, from the bytes that are kept and the options that are kept.

    They are read once more, as they will be when it is sent, so that the same table is what is approved and what is
    sent; unless ``found`` was read from these very bytes ``read_with`` the same options. Raises ``InputRefused``: it
    changed meanwhile, was taken in before, holds what was given back, or cannot be read again in the same way.
    """
    if source.sha256 != found.sha256:
        raise refused("archivo-cambio", name=found.name)
    known = views.find(found.sha256, found.sheet)
    if known is not None:
        raise already_taken(known)
    if is_returned(found):
        raise _given_back(found)
    sheet, kept = (found, options) if read_with == options else _again(found, source, settings, options)
    rules = check_rules(
        settings,
        allow_bad_check_digit=bool(options.get("allow_bad_check_digit")),
        accept_formulas=bool(options.get("accept_formulas")),
    )
    plan = make_plan(sheet, views, rules, now)
    content = contents.of_plan(plan, settings, ledger, kept)
    seen = {**shown(plan), "folder": str(folder)}
    return Draft(content, FILE, found.name, source.data, seen), plan


def already_taken(info: BatchInfo) -> InputRefused:
    """Refusal of bytes that are a batch of this ledger already."""
    day = f"{info.created.astimezone(PANAMA):%d/%m/%Y %H:%M}"
    whom = f" ({one_line(people(info.approved_by))})" if info.approved_by else ""
    return InputRefused(
        f"Este archivo ya se procesó el {day}{whom}: es el lote {info.id}.",
        code="proposal-known",
        where=one_line(info.file),
        remedy="Para corregir algo, cargue un archivo nuevo.",
    )


def _given_back(found: Sheet) -> InputRefused:
    """Refusal of the sheet of what eDoc gave back: each of its rows is a resend, and no part of a batch."""
    return InputRefused(
        f"La hoja «{found.sheet}» trae las filas que eDoc o la DGI devolvió en el lote {found.corrects}: no es un lote "
        "nuevo. No se envió nada.",
        code="proposal-returned",
        where=one_line(found.name),
        remedy="Cada fila se reenvía por separado (con el comando run, que pregunta por cada una), desde su lote.",
    )


def read_stored(data: bytes, name: str, sheet: str | None, options: Mapping[str, Any], settings: Settings) -> Sheet:
    """``data`` as a table, by the options that a proposal keeps, with the notes that ``run`` has of it. Raises
    ``InputRefused``."""
    columns = str(options.get("columns", ""))
    with tempfile.TemporaryDirectory(prefix="anular-") as folder:
        path = Path(folder) / (Path(name).name or "archivo")
        path.write_bytes(data)
        found = read_sheet(
            path,
            sheet=sheet,
            limits=limits(settings),
            include_hidden=bool(options.get("include_hidden")),
            prefer=settings.sheet,
            columns=columns,
        )
    return replace(found, notes=(*found.notes, said_note(columns))) if columns.strip() else found


def _again(
    found: Sheet, source: Source, settings: Settings, options: Mapping[str, Any]
) -> tuple[Sheet, Mapping[str, Any]]:
    """The same table from the stored bytes, and the options by which it is found: those that were given, else with
    each column named. Raises ``InputRefused`` when neither gives what the person saw."""
    named = said_columns({role: column_letters(found.columns[at]) for role, at in found.roles.items()})
    for kept in (dict(options), {**options, "columns": named}):
        try:
            sheet = read_stored(source.data, found.name, found.sheet, kept, settings)
        except InputRefused:
            continue
        if contents.same_table(sheet, found):
            return replace(sheet, path=found.path), kept
    raise InputRefused(
        "El archivo no se vuelve a leer igual, así que no se puede guardar para aprobarlo.",
        code="proposal-unstable",
        where=found.name,
        remedy="Indique la hoja y las columnas con --sheet y --columns.",
    )
