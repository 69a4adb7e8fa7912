"""Job of the queue, in a process of its own: the same steps as ``run`` after its approval, judged by the ledger alone.

``python -m pipeline.queue.job_process PROFILE BATCH``; without a batch it asks about everything open. It ends early,
and lets go of its credential, when its standard input closes: its worker is gone, or asks for it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from pipeline.domain.batch_notes import BY_FOLDER
from pipeline.domain.errors import AnularError, Interrupted, SendingStopped, StorageTrouble
from pipeline.domain.records import BatchInfo
from pipeline.notify import has_recipients, send
from pipeline.run import session
from pipeline.run.notification_texts import Digest, digest, notification
from pipeline.run.progress import Unseen
from pipeline.run.results import Written, exit_code, renew_corrected, write_results
from pipeline.run.session import Steps
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.internal_error import internal
from pipeline.runtime.shutdown import Stop, when_input_closes
from pipeline.settings.load import load_settings
from pipeline.settings.model import whose
from pipeline.wiring.companies import check_own
from pipeline.wiring.ledger import Memory, open_memory
from pipeline.wiring.rules import check_rules, make_clock, send_rules
from pipeline.wiring.sandbox import running_sandbox
from pipeline.wiring.telemetry import Observation

HANDOVER_S = 1.1
"""Whoever had the credential before may have sent until a moment ago, on another machine: with a second in between, no
second sees the requests of both (reliability.md P9)."""


def main() -> None:
    """One JSON line on standard output, a list of sentences, says what went wrong; the exit code says how it ended."""
    profile, batch = sys.argv[1], sys.argv[2]
    trouble: AnularError | None = None
    unwritten: list[str] = []
    seen = Observation()
    try:
        trouble, unwritten = carry(profile, batch, seen)
    except AnularError as error:
        trouble = error
    except Exception as error:
        trouble = internal(error)
    told = [whose(profile, "").complete_error(trouble).sentence] if trouble is not None else []
    code, seen.error = (trouble.exit_code, trouble.code) if trouble is not None else (0, "")
    warnings = seen.end(code)
    sys.stdout.write(json.dumps([*told, *unwritten, *warnings]) + "\n")
    sys.stdout.flush()
    sys.exit(code)


def carry(profile: str, batch: str, seen: Observation) -> tuple[AnularError | None, list[str]]:
    """Carries out one job: what ended it early, if anything did, and what a person should be warned of.

    Notifies of what was sent, except of a batch that came by the drop folder: its passes notify of that one.
    Raises ``AnularError``.
    """
    settings = load_settings(profile)
    clock = make_clock(settings)
    bus = seen.bus(settings, "worker")
    if batch:
        check_rules(settings)  # before anything is made ready
    with open_memory(settings, bus=bus) as memory:
        infos = _chosen(memory, batch)
        ids = [info.id for info in infos]
        if batch:
            for info in infos:
                check_own(memory.views, info)
                memory.store.reopen(info.id, clock.now())
        trouble: AnularError | None = None
        if any(memory.views.unsent(one) for one in ids if batch) or memory.views.followed(ids):

            async def work(steps: Steps, stop: Stop) -> None:
                _end_with_worker(stop)
                steps.limiter.pause(HANDOVER_S)
                progress = Unseen()
                if batch:
                    await session.send(infos, steps, memory, stop, progress)
                crashpoint("job-sent")
                sent = session.Sent(infos, settings.out) if batch else None
                await session.follow(ids, steps, memory, stop, progress, sent=sent)

            async def ask(steps: Steps, stop: Stop) -> None:
                _end_with_worker(stop)
                await session.follow(ids, steps, memory, stop, Unseen())

            with running_sandbox(settings) as base:
                sending = send_rules(settings, memory.anew, memory.sent) if batch else None
                trouble = session.carry_out(memory, clock, base, work, sending)
                if isinstance(trouble, SendingStopped):
                    # The job is done: put back into the queue it would find nothing to send until a person lets it go
                    # on, who hands it in again.
                    trouble = session.carry_out(memory, clock, base, ask)
        notified = has_recipients(settings) and bool(batch) and trouble is None
        unwritten, news = list[str](), list[Digest]()
        for info in infos:
            words, written = _write(info, memory, settings.out)
            unwritten += [words] if words else []
            if notified and written is not None and not any(BY_FOLDER in note for note in info.notes):
                news.append(digest(written, exit_code(written.lines)))
            del written
        crashpoint("job-written")
    if news:
        unwritten += send(settings, notification(news), bus)
    return trouble, unwritten


def _chosen(memory: Memory, batch: str) -> list[BatchInfo]:
    names = [batch] if batch else sorted({row.batch for row in memory.views.followed()})
    return [info for one in names if (info := memory.views.batch(one)) is not None]


def _write(info: BatchInfo, memory: Memory, folder: Path | None) -> tuple[str, Written | None]:
    """The results workbook, where the batch's file came from; or why there is none. That this machine has no such
    folder, or may not write there, is no reason to do the job again: the ledger has everything, and ``report`` writes
    it anywhere."""
    try:
        written = write_results(info, memory.views, folder)
    except StorageTrouble as trouble:
        if trouble.code != "resultados-no-guardados":
            raise
        return trouble.sentence, None
    return " ".join(left.sentence for left in renew_corrected([written.batch], memory.views, folder)), written


def _end_with_worker(stop: Stop) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        with suppress(RuntimeError):  # the loop is closed: the job has ended by itself
            loop.call_soon_threadsafe(stop.stop_for, Interrupted())

    when_input_closes(end)


if __name__ == "__main__":
    main()
