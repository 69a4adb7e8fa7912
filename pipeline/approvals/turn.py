"""Turn of the sender for one company, in a process of its own: everything that is to be done for it now.

``python -m pipeline.approvals.turn PROFILE``, with one JSON line on standard output: what happened, as sentences. It
ends early when its standard input closes: the sender is gone, or asks for it. Then requests in flight are waited for
(25 seconds at most), and what was not sent stays as it is for the next turn.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipeline.approvals import messages, sender
from pipeline.approvals.carry import Carried
from pipeline.approvals.orders import Order
from pipeline.approvals.store import Proposals
from pipeline.certificates import registry, reminders
from pipeline.domain.errors import AnotherRun, AnularError, Interrupted
from pipeline.domain.orders import Kind
from pipeline.domain.proposals import DUE, ProposalState, asks_two
from pipeline.ledger.ownership import who_am_i
from pipeline.ledger.storage.location import location_of
from pipeline.notify import deliver, has_recipients
from pipeline.office.database import Office
from pipeline.run.progress import Unseen
from pipeline.runtime.clock import Clock
from pipeline.runtime.internal_error import internal
from pipeline.runtime.shutdown import Ending, listening, when_input_closes
from pipeline.settings.load import load_settings
from pipeline.settings.model import Settings, whose
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.wiring.office import opened_office
from pipeline.wiring.rules import make_clock
from pipeline.wiring.telemetry import Observation


@dataclass
class Turn:
    """One turn: the company, its office, and whether the sender is to end."""

    office: Office
    settings: Settings
    clock: Clock
    ending: Ending
    bus: EventBus = SILENT
    #: what happened, for a person
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = self.settings
        self.store = Proposals(
            self.office,
            settings.profile,
            str(settings.env),
            hours=settings.web_proposal_h,
            mails=has_recipients(settings),
        )
        self._shared = location_of(settings.ledger).shared
        self._tried: set[tuple[str, int, int]] = set()

    def take(self) -> None:
        """Does what is to be done: orders, proposals, what is open, messages; and again what came meanwhile."""
        while not self.ending.asked:
            if not self._left():
                if not self._ask_open():
                    break
                continue
            begun = self._open()
            packs = [one for one in self.store.orders.open(Kind.EVIDENCE) if not self._was_tried(one)]
            two = asks_two(self.settings.approval, "web")  # orders come from pages alone
            how: dict[str, Any] = {"bus": self.bus, "stop_when": self._asked}
            for order in sender.carry_orders(self.store, self.settings, self.clock, two=two, **how):
                self._tell_order(order)
            for done in sender.carry_all(self.store, self.settings, self.clock, follows=False, **how):
                self._tell(done)
            for order in packs[:1]:  # the next one after another look at what is to be stopped
                if not self.ending.asked:
                    self._tell_order(sender.carry_pack(order, self.store, self.settings, self.clock))
            begun -= {("order", one.id, one.version) for one in packs[1:]}
            # Not what came while this was done: it has its try next.
            self._tried |= {one for one in self._open() if one[:2] in {known[:2] for known in begun}}
        self._deliver()

    def _open(self) -> set[tuple[str, int, int]]:
        """What is to be done, by kind, number and version."""
        found = {("proposal", one.id, one.version) for one in self.store.open() if one.state in DUE}
        return found | {("order", one.id, one.version) for one in self.store.orders.open()}

    def _was_tried(self, order: Order) -> bool:
        return ("order", order.id, order.version) in self._tried

    def _left(self) -> bool:
        return bool(self._open() - self._tried)

    def _asked(self) -> AnularError | None:
        return Interrupted() if self.ending.asked else None

    def _ask_open(self) -> bool:
        """Queries what is open, until something else is to be done; whether there is. On a server workers query."""
        if self._shared:
            self._make_ledger()
            return False
        follows = any(one.state is ProposalState.FOLLOWING for one in self.store.open())
        try:
            if not (follows or sender.has_open(self.settings, self.clock.now())):
                return False

            def stop_when() -> AnularError | None:
                return Interrupted() if self.ending.asked or self._left() else None

            trouble = sender.ask_open(self.store, self.settings, self.clock, Unseen(), self.bus, stop_when)
        except AnotherRun:  # it asks
            return False
        if trouble is not None and not isinstance(trouble, Interrupted):
            self.said.append(trouble.sentence)
            return False
        return trouble is not None

    def _make_ledger(self) -> None:
        try:
            sender.make_ledger(self.settings)
        except AnularError as trouble:  # what was done is told, and messages go out, all the same
            self.said.append(trouble.sentence)

    def _deliver(self) -> None:
        """Messages about proposals, and what is due about certificates, each once."""
        if not has_recipients(self.settings):
            return
        now = self.clock.now()
        self.said += deliver(self.office, self.settings, messages.KEY, now, self.bus)[1]
        records = registry.Registry(self.office, self.settings, who_am_i())
        if records.all():
            self.said += reminders.remind(records, now, self.bus).warnings

    def _tell(self, done: Carried) -> None:
        one = done.proposal
        self.said.append(f"Propuesta {one.id}: {one.word}{f' ({one.why})' if one.why else ''}.")
        if done.trouble is not None and done.trouble.sentence not in one.why:
            self.said.append(f"Propuesta {one.id}: {done.trouble.sentence}")
        self.said += [f"Propuesta {one.id}: {words}." for words in done.dropped]
        error = done.trouble.code if done.trouble is not None else None
        self.bus.note("proposal_carried", proposal=one.id, state=one.state.value, error=error)

    def _tell_order(self, order: Order) -> None:
        self.said.append(f"Orden {order.id}: {order.word}. {order.answer}".rstrip())
        self.bus.note("order_carried", order=order.id, kind=order.wish.kind.value, state=order.state.value)


def take(profile: str, ledger: str, ending: Ending, seen: Observation) -> Sequence[str]:
    """One turn for a company; what happened, as sentences. Raises ``AnularError``."""
    settings = load_settings(profile, ledger)
    clock = make_clock(settings)
    with opened_office(settings) as office:
        turn = Turn(office, settings, clock, ending, seen.bus(settings, "web"))
        with _interruptible(ending):
            turn.take()
    return turn.said


@contextmanager
def _interruptible(ending: Ending) -> Iterator[None]:
    """A signal, or the end of standard input, asks for the end; a session in between is ended too."""

    def asked() -> None:
        ending.asked = True

    when_input_closes(asked)
    with listening(ending):
        yield


def main() -> None:
    """Takes one turn. Exit code 0, or that of what kept it from being taken."""
    profile, ledger = sys.argv[1], sys.argv[2]
    seen, code, said = Observation(), 0, list[str]()
    try:
        said = list(take(profile, ledger, Ending(), seen))
    except AnularError as trouble:
        code, seen.error = trouble.exit_code, trouble.code
        said = [whose(profile, ledger).complete_error(trouble).sentence]
    except Exception as error:
        bug = internal(error)
        code, seen.error, said = bug.exit_code, bug.code, [bug.sentence]
    said += seen.end(code)
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
