"""Resend of one row that a person authorised: the question before it, and the one sending."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pipeline.domain.errors import AnularError, ServiceRefused
from pipeline.domain.records import BatchInfo, Finding
from pipeline.run import session
from pipeline.run.progress import Progress
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Stop, first
from pipeline.submit.submit import SendRules
from pipeline.wiring.ledger import Memory


def ask_before(cufe: str, memory: Memory, clock: Clock, base: str) -> tuple[Finding | None, AnularError | None]:
    """Answer of eDoc to a query of ``cufe`` now; the reason when no query could be sent."""
    said: list[Finding] = []

    async def work(steps: session.Steps, stop: Stop) -> None:
        asking = asyncio.ensure_future(steps.client.query(cufe))
        if await first(asking, stop.wait()) == 0:
            said.append(asking.result())

    trouble = session.carry_out(memory, clock, base, work)
    if trouble is None and said and said[0].stop is not None:
        trouble = ServiceRefused(said[0].stop)
    return (said[0] if said else None), trouble


def send_one(
    attempt: int,
    pos: int,
    info: BatchInfo,
    memory: Memory,
    clock: Clock,
    base: str,
    progress: Progress,
    rules: SendRules,
    *,
    folder: Path | None = None,
) -> AnularError | None:
    """Sends this one attempt of a row and follows the row; returns what ended it early."""

    async def work(steps: session.Steps, stop: Stop) -> None:
        rows = [one for one in memory.views.ready(info.id) if one.attempt == attempt]
        await session.send_rows(rows, steps, memory.store, stop, lambda _word: None)
        sent = session.Sent([info], folder)
        await session.follow([info.id], steps, memory, stop, progress, only=pos, sent=sent)

    return session.carry_out(memory, clock, base, work, rules)
