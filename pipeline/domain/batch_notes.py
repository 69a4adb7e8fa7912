"""Notes that a batch is taken in with and that are read again: how it came, and who sends it."""

from __future__ import annotations

from pipeline.domain.records import BatchInfo

QUEUED = "Entregado a la cola de trabajo"
"""Begins a note of a batch that a person or the drop folder approved for workers to send: one of these that lost its
job gets another. A batch of ``run`` alone never does: its person may have sent only a part on purpose."""
BY_FOLDER = "Llegó por la carpeta vigilada"
"""In the note of a batch that the drop folder took in: its passes notify of it."""


def queued_by(who: str) -> str:
    """Note of a batch that ``who`` approved for workers to send."""
    return f"{QUEUED} por {who}."


def was_queued(info: BatchInfo) -> bool:
    """Whether workers send the batch: then all of it that is not sent yet will be."""
    return any(note.startswith(QUEUED) for note in info.notes)
