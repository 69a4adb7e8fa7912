"""Queue bridge of the drop folder (``watch --queue``): hands batches to workers. Each file waits in ``processing/``
until they have finished its batch; a later pass puts it away with its results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnularError, StoppedEarly
from pipeline.domain.records import BatchInfo
from pipeline.domain.visible import one_line
from pipeline.ledger.views import Views
from pipeline.queue import enqueue, jobs
from pipeline.queue.app import Connect, Connections, check_server, connected
from pipeline.queue.profiles import post_of
from pipeline.settings.model import Settings
from pipeline.watch.claim import Claim, wait_for
from pipeline.watch.note import Fate, Handled
from pipeline.wiring.many import Ledgers
from pipeline.wiring.views import open_views

PENDING_CODE = 4
"""Exit code as in ``run --queue``: what was handed in has no outcome yet (interface.md 2)."""


@dataclass
class Sorted:
    """Files of earlier passes."""

    #: may continue now
    free: list[Claim] = field(default_factory=list)
    #: for workers
    waiting: list[Handled] = field(default_factory=list)
    #: problems to report
    troubles: list[AnularError] = field(default_factory=list)


@contextmanager
def bridges(ledgers: Ledgers) -> Iterator[Callable[[Settings], QueueBridge]]:
    """Makes the bridges of the companies of one pass, which share their connections."""
    with Connections() as connections:
        yield lambda settings: QueueBridge(settings, ledgers, connections.connected)


class QueueBridge:
    """Hands batches of one company to its queue. Raises ``WrongUsage`` when its ledger is a file."""

    def __init__(self, settings: Settings, ledgers: Ledgers | None = None, connect: Connect = connected) -> None:
        check_server(settings.ledger)
        self._settings, self._ledgers, self._connect = settings, ledgers, connect

    def sort(self, begun: Sequence[Claim], now: datetime) -> Sorted:
        """Which files of earlier passes still wait. Read only: a pass every minute leaves no trace in the ledger.

        Raises ``StorageTrouble``, ``WrongUsage``.
        """
        names = {one.id: one.batch for one in begun}
        found = Sorted()
        infos: dict[str, BatchInfo] = {}
        there = open_views(self._settings, mine=True, ledgers=self._ledgers) if any(names.values()) else nullcontext()
        with there as views:
            if views is not None:
                infos = views.heads(sorted({name for name in names.values() if name}))
            busy = self.in_work(list(infos.values()), views) if views is not None else set()
        late: list[tuple[datetime, BatchInfo, Claim]] = []
        for one in begun:
            info = infos.get(names[one.id])
            if info is None or info.id not in busy:
                found.free.append(one)
                continue
            found.waiting.append(self._queued(one, info, news=False))
            since = max(info.created, one.taken)
            if since < now - timedelta(hours=self._settings.old_hours):
                late.append((since, info, one))
        if late:
            found.troubles.append(_forgotten(late))
        return found

    def in_turn(self) -> AbstractContextManager[None]:
        """Lock: only one process at a time checks a file of this credential against the policy. Raises
        ``StorageTrouble``."""
        return jobs.in_turn(self._settings.ledger, post_of(self._settings), self._connect)

    def give(self, info: BatchInfo, views: Views, *, first: bool) -> None:
        """Creates a job for what is still to be sent, unless there is one. With ``first``, when this file brings the
        batch, also for rows that were proven not sent without workers, which try again. Raises ``StorageTrouble``."""
        unsent = first and views.unsent(info.id) > 0 and not views.of_another(info.id)
        if unsent or views.on_the_way(info.id):
            enqueue.give_job(info, self._settings, again=False, connect=self._connect)

    def in_work(self, infos: Sequence[BatchInfo], views: Views) -> set[str]:
        """Which of these batches workers still have to finish. Raises ``StorageTrouble``."""
        return enqueue.in_work(infos, views, self._settings, self._connect)

    def leave(self, one: Claim, info: BatchInfo) -> Handled:
        """Lets the file wait for its batch. Raises ``StorageTrouble``."""
        news = one.batch != info.id
        wait_for(one, info.id)
        return self._queued(one, info, news=news)

    def _queued(self, one: Claim, info: BatchInfo, *, news: bool) -> Handled:
        name = one_line(one.original)
        return Handled(
            Fate.QUEUED,
            one.original,
            PENDING_CODE,
            self._settings.profile,
            batch=info.id,
            sha256=info.sha256,
            env=info.env,
            answer={"file": name, "batch": info.id, "queued": True, "rows": info.rows},
            news=news,
            company=self._settings.company,
            here=self._settings.here,
        )


def _forgotten(late: Sequence[tuple[datetime, BatchInfo, Claim]]) -> StoppedEarly:
    since, info, one = min(late, key=lambda found: (found[0], found[1].id))
    day = f"{since.astimezone(PANAMA):%d/%m/%Y %H:%M}"
    others = f" Archivos en el mismo caso: {len(late)}." if len(late) > 1 else ""
    return StoppedEarly(
        f"El lote {info.id} espera en la cola de trabajo desde el {day} y ningún trabajador lo ha terminado.{others}",
        code="queue-waiting",
        where=one_line(one.original),
        remedy=f"Vea {order('status', '--workers')}, e inicie {order('worker')} en el equipo que tiene esa credencial.",
    )
