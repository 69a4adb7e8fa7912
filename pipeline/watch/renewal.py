"""The note beside a file that was held, written again when a person has approved its batch and it went on."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pipeline import answers
from pipeline.report.lines import panama
from pipeline.run import Written
from pipeline.watch.claim import note_of
from pipeline.watch.note import HEADS, HELD_MIDWAY, Fate, Handled, text

_LARGEST = 64 * 1024


def renew(file: Path, written: Written, code: int, profile: str) -> Path | None:
    """Writes the note beside ``file`` again if it says that this very batch is held; its path, or None.

    A note that cannot be written changes nothing: the workbook beside it says the same.
    """
    note = note_of(file)
    with suppress(OSError):
        if not note.is_file() or note.is_symlink() or note.stat().st_size > _LARGEST or not written.batch.approvals:
            return None
        before = note.read_text("utf-8", "replace")
        if not before.startswith((HEADS[Fate.HELD], HELD_MIDWAY)) or f"lote: {written.batch.id}\n" not in before:
            return None
        told = [f"{one.who or 'sin nombre'}, {panama(one.at)}" for one in written.batch.approvals]
        done = Handled(
            Fate.DONE,
            file.name,
            code,
            profile,
            why=f"Estaba retenido y lo aprobó {'; '.join(told)}.",
            batch=written.batch.id,
            sha256=written.batch.sha256,
            env=written.batch.env,
            totals=answers.totals(written.lines),
            todo=answers.todo(written.report),
            workbook=written.workbook,
            corrections=written.corrections,
        )
        fresh = note.with_name(f".{note.name}.nuevo")
        handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            os.write(handle, text(done, file).encode("utf-8", "replace"))
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(note)
        return note
    return None
