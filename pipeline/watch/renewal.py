"""Note renewal: rewrites the note of a held file when a person has approved its batch and it went on."""

from __future__ import annotations

import glob
from contextlib import suppress
from itertools import chain
from pathlib import Path, PurePath

from pipeline.domain.approved_by import people
from pipeline.domain.errors import InputRefused
from pipeline.domain.records import BatchInfo
from pipeline.read.source import take
from pipeline.report.model import local
from pipeline.run.notification_texts import limits_of
from pipeline.run.results import Written, todo, totals
from pipeline.settings.model import Settings, limits
from pipeline.watch.claim import note_of, write_whole
from pipeline.watch.note import HEADS, HELD_MIDWAY, Fate, Handled, text

_LARGEST = 64 * 1024


def renew(written: Written, code: int, settings: Settings, given: Path | None = None) -> None:
    """Rewrites the note of a batch's file if the note says that this batch, now approved, is held.

    The file is the one that was ``given``, or is in the folder that the ledger has for the batch's results; its content
    is the batch's. A note that cannot be written changes nothing: the workbook says the same.
    """
    batch, name = written.batch, PurePath(written.batch.file)
    if not batch.approvals:
        return
    named = f"{glob.escape(name.stem)}*{glob.escape(name.suffix)}"  # if a name was taken, the file got a number
    with suppress(OSError, InputRefused):
        for file in chain([given] if given is not None else [], Path(batch.folder).glob(named)):
            if _is_held(note_of(file), batch) and take(file, limits(settings)).sha256 == batch.sha256:
                write_whole(note_of(file), _again(file, written, code, settings).encode("utf-8", "replace"), batch.id)


def _is_held(note: Path, batch: BatchInfo) -> bool:
    if not note.is_file() or note.is_symlink() or note.stat().st_size > _LARGEST:
        return False
    told = note.read_text("utf-8", "replace")
    return told.startswith((HEADS[Fate.HELD], HELD_MIDWAY)) and f"lote: {batch.id}\n" in told


def _again(file: Path, written: Written, code: int, settings: Settings) -> str:
    told = [f"{people(one.who) or 'sin nombre'}, {local(one.at, seconds=False)}" for one in written.batch.approvals]
    done = Handled(
        Fate.DONE,
        file.name,
        code,
        settings.profile,
        why=f"Estaba retenido y lo aprobó {'; '.join(told)}.",
        batch=written.batch.id,
        sha256=written.batch.sha256,
        env=written.batch.env,
        totals=totals(written.lines),
        todo=todo(written.report),
        limits=limits_of(written.lines, written.batch.deadline_hours),
        workbook=written.workbook,
        corrections=written.corrections,
        company=settings.company,
        here=settings.here,
    )
    return text(done, file)
