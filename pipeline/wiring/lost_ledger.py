"""Traces of a lost ledger: what earlier sendings left outside of it, so that no new one takes its place unnoticed.

A ledger that is missing, emptied, exchanged or restored has forgotten what was sent, and would send it again
(reliability.md 2.4, last row). Traces of it: the note in the user's state folder (``ledger/watermark.py``), the files
that lie beside a ledger, and a results workbook of this very input that names a batch which the ledger does not know.
Each trace is a short Spanish phrase for the person; nothing is changed here.
"""

from __future__ import annotations

import glob
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.domain.errors import InputRefused, StorageTrouble
from pipeline.ledger import watermark
from pipeline.ledger.reserve_journal import reserve_path
from pipeline.ledger.storage.location import Location
from pipeline.ledger.storage.sqlite import journal_of
from pipeline.ledger.storage.wal import log_of
from pipeline.read.limits import Limits
from pipeline.read.origin import written_for
from pipeline.read.source import take
from pipeline.read.xlsx_file import sheet_values
from pipeline.report.labels import FACT_BATCH, FACT_ENV, FACT_HASH, FACT_HASH_BEFORE, SUMMARY
from pipeline.report.names import results_pattern, room

MOST_BOOKS = 20
"""Workbooks of unknown batches that are opened for one input, newest name first."""


@dataclass(frozen=True, slots=True)
class Input:
    """File that is to be sent: its path, the SHA-256 of its content, the folder of its results."""

    path: Path
    sha256: str
    out: Path


def of_missing(location: Location, notes: Path) -> list[str]:
    """Traces of a ledger that is missing from its place. ``notes`` is the folder of the watermarks."""
    found = []
    if watermark.missed(notes, location.key):
        found.append("este equipo ya usó un historial de envíos en ese lugar")
    if location.shared:  # a database has nothing beside it
        return found
    ledger = Path(location.place)
    pending = reserve_path(ledger)
    read = ledger.parent.glob(f"{glob.escape(pending.stem)}-*.jsonl")
    for path in sorted({pending, *read, journal_of(ledger), log_of(ledger)}):
        if path.exists():
            found.append(f"a su lado está «{path.name}»")
    return found


def of_inputs(
    inputs: Iterable[Input], env: str, known: Callable[[str], bool], limits: Limits, anew: date | None = None
) -> list[str]:
    """Results workbooks of the same content and environment whose batch is not ``known``.

    ``anew`` is the day on which a person last declared the memory lost: batches up to that day were part of it.
    """
    found = []
    for one in inputs:
        for path, batch in _books(one):
            if is_lost(batch, known, anew) and _is_of(path, batch, one, env, limits):
                found.append(f"«{path.name}» es el resultado de este mismo archivo y su lote no consta en el historial")
    return found


def is_lost(batch: str, known: Callable[[str], bool], anew: date | None) -> bool:
    """Whether a batch named outside the ledger belongs to another one; ``anew`` as in ``of_inputs``."""
    return not known(batch) and (anew is None or _day(batch) > anew)


def refusal(location: Location, found: list[str], profile: str = "") -> StorageTrouble:
    """Error for a lost ledger, with the two ways out: the true ledger, or a person's declaration that it is lost."""
    whose = f" --profile {shlex.quote(profile)}" if profile else ""
    word = f"«anular run ARCHIVO --new-ledger{whose}»"
    if location.exists():
        word = f"«anular adopt --restored{whose} --by QUIÉN --reason MOTIVO», una vez para todos los equipos,"
    return StorageTrouble(
        f"El historial de envíos no es el que guarda lo ya enviado: {'; '.join(found)}. No se envió nada.",
        code="ledger-lost",
        where=location.place,
        remedy="Si el verdadero existe, indíquelo en ANULAR_LEDGER o póngalo otra vez en su lugar. Si se "
        f"perdió, o este es un respaldo restaurado o una réplica ascendida: {word} sigue y consulta en eDoc cada "
        "documento antes de anularlo.",
    )


def _books(one: Input) -> Iterator[tuple[Path, str]]:
    """Workbooks named like results of this input, in its folder and in that of the results, each with its batch."""
    names = {}
    for folder in {one.path.parent, one.out}:
        pattern, batch_in = results_pattern(one.path.stem, room(folder))
        names.update({path: batch_in(path.name) for path in folder.glob(pattern)})
    told = sorted(names.items(), key=lambda found: found[0].name, reverse=True)[:200]
    yield from [(path, batch) for path, batch in told if batch][:MOST_BOOKS]


def _is_of(path: Path, batch: str, one: Input, env: str, limits: Limits) -> bool:
    """Whether a workbook is a result of this input: by its document properties, or, in one of an earlier version, which
    has none, by the labels of its ``Resumen``. One that cannot be read, or was renamed, is no trace."""
    try:
        data = take(path, limits).data
        found = written_for(data, path.name, limits) or _in_labels(data, path.name, limits)
    except InputRefused:
        return False
    return found == (one.sha256, batch, env)


def _in_labels(data: bytes, name: str, limits: Limits) -> tuple[str | None, str | None, str | None]:
    facts = dict(_pairs(sheet_values(data, name, limits, SUMMARY)))
    return facts.get(FACT_HASH, facts.get(FACT_HASH_BEFORE)), facts.get(FACT_BATCH), facts.get(FACT_ENV)


def _pairs(rows: Iterable[list[object]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        values = [str(value) for value in row if value not in (None, "")]
        if len(values) == 2:
            yield values[0], values[1]


def _day(batch: str) -> date:
    """The Panamanian day in a batch's id; the far future where there is none."""
    try:
        return date(int(batch[:4]), int(batch[4:6]), int(batch[6:8]))
    except ValueError:
        return date.max
