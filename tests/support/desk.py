"""An office of some people with an office database, a ledger and files: the real use cases of proposals, one command
after the other, each with a ledger that it opens itself. Only the sending is a double: ``posts`` counts what would have
left, after the intent of each row was written to the ledger as always.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.approvals import carry, decisions, prepare, sender, stopping
from pipeline.approvals.carry import Carried
from pipeline.approvals.decisions import Consent
from pipeline.approvals.held_batch import draft_of_batch
from pipeline.approvals.orders import Order
from pipeline.approvals.store import Draft, Proposal, Proposals
from pipeline.domain.cufe import check_digit
from pipeline.domain.errors import AnularError, StoppedEarly
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.orders import Kind
from pipeline.domain.records import BatchInfo, Finding, Source
from pipeline.ledger.ledger_events import id_of
from pipeline.ledger.moves import Move
from pipeline.ledger.storage.location import location_of
from pipeline.ledger.verify import examine
from pipeline.office.place import place_of
from pipeline.read.source import take
from pipeline.run import session
from pipeline.run.intake import take_in
from pipeline.run.plan import hold, make_plan
from pipeline.run.progress import Unseen
from pipeline.runtime.clock import Clock
from pipeline.settings.model import Env, Settings, limits
from pipeline.wiring.ledger import Memory, open_ledger_views, open_memory
from pipeline.wiring.rules import check_rules
from tests.support import reading

NOW = datetime.fromisoformat("2026-11-20T10:00:00-05:00")
REASON = "Factura emitida con el monto equivocado"


def make_cufe(number: int, day: str = "20261118", issuer: str = "29-29-29") -> str:
    text = f"FE012{issuer.rjust(20, '0')}-56000{number % 10}{day}{number:010d}001012{number % 1000000:06d}000"
    return text + check_digit(text)


class FixedClock(Clock):
    """A clock that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        super().__init__()
        self.moment = now

    def now(self) -> datetime:
        return self.moment


@dataclass
class Desk:
    """The office; ``posts`` is what would have left, by code."""

    folder: Path
    settings: Settings
    patch: pytest.MonkeyPatch
    clock: FixedClock = field(default_factory=FixedClock)
    two: bool = True
    posts: Counter[str] = field(default_factory=Counter)
    #: after how many rows the next sending stops; None: never
    stops_after: int | None = None
    #: what eDoc answers to some codes; to the others that they are cancelled
    findings: dict[str, Finding] = field(default_factory=dict)
    #: called after each row that leaves, with how many did in this sending
    after_row: Callable[[int], object] = lambda _count: None
    #: why the sender is to end, while it is asked to
    ends: AnularError | None = None

    def __post_init__(self) -> None:
        self.office = place_of(self.settings.office).open(self.clock.now())
        self.store = Proposals(self.office, self.settings.profile, str(self.settings.env), hours=72)
        self.patched()

    def patched(self) -> None:
        """The double of the sending in its place."""
        self.patch.setattr(session, "carry_out", self._send)
        self.patch.setattr(session, "send_and_follow", lambda batches, *_, **__: list(batches))
        self.patch.setattr(session, "follow_all", lambda *_, **__: [])
        self.patch.setattr(sender, "running_sandbox", _no_sandbox)
        self.patch.setattr(prepare, "read_sheet", reading.read_sheet)

    def close(self) -> None:
        self.office.close()

    # --- files and ledger

    def file(self, numbers: Sequence[int], name: str = "lote.csv", reason: str = REASON, **more: str) -> Path:
        path = self.folder / name
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(["CUFE", "Motivo"])
            writer.writerows([make_cufe(number, **more), reason] for number in numbers)
        return path

    @contextmanager
    def memory(self) -> Iterator[Memory]:
        with open_memory(self.settings) as memory:
            yield memory

    def run(self, file: Path, who: str = "nadie", *, held: bool = False) -> BatchInfo:
        """Takes a file in without any approval, as a run of another office would; ``held``: as the drop folder does."""
        with self.memory() as memory:
            sheet = reading.read_sheet(file)
            plan = make_plan(sheet, memory.views, check_rules(self.settings), self.clock.now(), release=False)
            if held and plan.known is not None:
                return plan.known
            plan = hold(plan, "porque sí") if held else plan
            return take_in(plan, memory, who="" if held else who, folder=self.folder)

    def settled(self, info: BatchInfo) -> None:
        """Sends what is ready in a batch, without any approval."""
        with self.memory() as memory:
            self._rows(memory, info)

    def counts(self, batch: str) -> dict[str, int]:
        with self.memory() as memory:
            return memory.views.counts(batch)

    def verified(self) -> None:
        with self.memory() as memory:
            assert examine(memory.database).faults == []

    # --- what people do

    def propose(self, file: Path, who: str = "ana", **options: Any) -> Proposal:
        draft = self.draft(file, **options)
        return decisions.propose(self.store, draft, self.clock.now(), who=who)[0]

    def draft(self, file: Path, **options: Any) -> Draft:
        found = reading.read_sheet(file)
        given = {"accept_formulas": False, "allow_bad_check_digit": False, "columns": "", "include_hidden": False}
        with open_ledger_views(self.settings) as (views, database):
            draft, _ = prepare.draft_of_file(
                found,
                take(file, limits(self.settings)),
                self.settings,
                views,
                id_of(database),
                self.clock.now(),
                {**given, **options},
                lambda plan: {"facts": [["Por enviar", str(plan.to_send)]], "problems": []},
                self.folder,
            )
        return draft

    def propose_batch(self, info: BatchInfo, who: str = "ana") -> Proposal:
        with open_ledger_views(self.settings) as (views, database):
            draft = draft_of_batch(info, views, self.settings, id_of(database), self.clock.now(), {})
        return decisions.propose(self.store, draft, self.clock.now(), who=who)[0]

    def approve(self, proposal: Proposal, who: str = "luis", **more: Any) -> Proposal:
        said = {"count": proposal.to_send, "version": None, **more}
        now = self.clock.now()
        return decisions.approve(self.store, proposal, Consent(**said), now, self.settings, who=who, two=self.two)

    def decline(self, proposal: Proposal, who: str = "luis") -> Proposal:
        now = self.clock.now()
        return decisions.decline(self.store, proposal, now, who=who, why="no es correcto", two=self.two)

    def give_up(self, proposal: Proposal, who: str = "luis") -> Proposal:
        with self.memory() as memory:
            return stopping.give_up(proposal, self.store, memory, self.clock, who=who, why="ya no hace falta")

    def carry(self, proposal: Proposal, who: str = "luis") -> Carried:
        """``run --approved``."""
        self.store.sweep(self.clock.now())
        proposal = self.store.get(proposal.id)
        carry.check_proven(proposal, two=self.two)
        carry.check_time(proposal, self.store, self.clock.now())
        with self.memory() as memory:
            return carry.carry_out(proposal, self.store, memory, self.clock, "", Unseen(), who=who, two=self.two)

    def sweep(self) -> list[Carried]:
        """What the sender does each time about proposals."""
        return sender.carry_all(self.store, self.settings, self.clock, two=self.two, stop_when=lambda: self.ends)

    def send(self, proposal: Proposal) -> None:
        """What sends an approved one: the sender; on a server, where workers send, what stands for one."""
        if location_of(self.settings.ledger).shared:
            self.carry(self.store.get(proposal.id))
        else:
            self.sweep()

    def orders(self) -> list[Order]:
        """And about orders, packs last."""
        done = sender.carry_orders(self.store, self.settings, self.clock, two=self.two)
        packs = self.store.orders.open(Kind.EVIDENCE)
        return done + [sender.carry_pack(one, self.store, self.settings, self.clock) for one in packs]

    def approved(self, numbers: Sequence[int] = (1, 2, 3), **more: Any) -> Proposal:
        """A file of these invoices, prepared by ana and approved by luis."""
        return self.approve(self.propose(self.file(numbers, **more)))

    def later(self, **more: float) -> None:
        self.clock.moment += timedelta(**more)

    # --- the double of the sending

    def _send(self, memory: Memory, _clock: Clock, _base: str, batches: Any, *_: Any) -> AnularError | None:
        for info in batches:
            if not self._rows(memory, info):
                why = memory.stop_when() if memory.stop_when is not None else None
                return why or StoppedEarly("Se detuvo.", code="test-stop")
        return None

    def _rows(self, memory: Memory, info: BatchInfo) -> bool:
        """Sends the ready rows as the program does: the intent durable first. False when it was stopped early."""
        for number, row in enumerate(memory.views.ready(info.id)):
            if self.stops_after is not None and number >= self.stops_after:
                self.stops_after = None
                return False
            claim = Move.of(row, State.READY, Event.CLAIMED, self.clock.now(), cufe=row.cufe)
            moved = memory.store.apply([claim])[0]
            self.posts[row.cufe] += 1
            finding = self.findings.get(row.cufe, Finding(Source.CANCELLATION, Event.CANCELLED, http=200))
            done = Move(row.attempt, moved.version, row.batch, row.pos, State.SENDING, finding.event,
                        self.clock.now(), finding)  # fmt: skip
            memory.store.apply([done])
            self.after_row(number + 1)
            if memory.stop_when is not None and memory.stop_when() is not None:
                return False
        return True


@contextmanager
def _no_sandbox(_settings: Settings) -> Iterator[str]:
    yield ""


def settings_of(folder: Path, url: str, **more: Any) -> Settings:
    """Settings of a sandbox with its ledger at ``url`` and its office beside it, or on the same server."""
    office = url if url.startswith("postgres") else f"sqlite:///{folder / 'office' / 'anular-office.db'}"
    bare: dict[str, Any] = {}
    values = {"env": Env.SANDBOX, "ledger": url, "office": office, "approval": "two", "out": folder / "out", **more}
    return Settings(**bare).model_copy(update=values)
