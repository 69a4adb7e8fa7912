"""Orders about one row, carried out: by the same use cases as the commands, with the same events in the ledger.

A row that changed since the person saw it is left alone. Each may be begun again after a kill: what was done is known
from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline import decide
from pipeline.approvals import decisions
from pipeline.approvals.asking import check_another, correction_in
from pipeline.approvals.decisions import Consent
from pipeline.approvals.orders import Order
from pipeline.approvals.resend import draft_of_resend
from pipeline.approvals.store import Proposals
from pipeline.domain.errors import NotApproved, StoppedEarly, StorageTrouble, WrongUsage
from pipeline.domain.lifecycle import MOVES
from pipeline.domain.orders import Kind, OrderState
from pipeline.domain.records import BatchInfo, Finding
from pipeline.ledger.decisions import RowStatus, decided, standing
from pipeline.ledger.ledger_events import id_of
from pipeline.run.resend import ask_before
from pipeline.run.results import renew_corrected, write_results
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.settings.model import Settings
from pipeline.wiring.companies import check_own
from pipeline.wiring.ledger import Memory, open_ledger_views, open_memory
from pipeline.wiring.rules import check_rules
from pipeline.wiring.sandbox import running_sandbox


@dataclass(frozen=True, slots=True)
class RowOrders:
    """What carries them out: the company's office and settings. ``two`` people are asked for, or one is enough."""

    store: Proposals
    settings: Settings
    clock: Clock
    two: bool

    def carry(self, order: Order, stop_when: Any = None) -> Order:
        """``order`` after it was done or refused. Raises ``AnularError`` for what keeps it from being tried now."""
        try:
            if order.wish.kind is Kind.RESEND:
                return self._request(order)
            asks = order.wish.kind is Kind.ASK
            with open_memory(self.settings, sends=asks) as memory:
                memory = replace(memory, stop_when=stop_when)
                return self._ask(order, memory) if asks else self._decide(order, memory)
        except (WrongUsage, NotApproved) as refusal:
            if refusal.code in OF_THE_MACHINE:
                raise
            return self._step(self.store.orders.get(order.id), OrderState.REFUSED, refusal.sentence)

    def _step(self, order: Order, state: OrderState, answer: str = "", found: Mapping[str, Any] | None = None) -> Order:
        return self.store.orders.take(order, state, self.clock.now(), answer, found)

    def _begun(self, order: Order) -> Order:
        return self._step(order, OrderState.DOING) if order.state is OrderState.ASKED else order

    # --- without eDoc

    def _decide(self, order: Order, memory: Memory) -> Order:
        """A row withdrawn or resolved, unless it changed since, or a killed process did that already."""
        wish = order.wish
        info, row = _found(order, memory)
        done = decided(memory.database, info.id).get(row.pos)
        if order.state is OrderState.DOING and done is not None and done[0] == order.signature:
            return self._step(order, OrderState.DONE, _DONE[wish.kind])
        if wish.kind is Kind.WITHDRAW:
            decide.check_withdrawable(row)
        else:
            decide.check_resolvable(row)
            check_another(info, wish.who, two=self.two)
        _check_same(order, row)
        order = self._begun(order)
        now, who = self.clock.now(), order.signature
        if wish.kind is Kind.WITHDRAW:
            decide.withdraw(memory.store, row, who=who, why=wish.why, now=now)
        else:
            chosen = decide.Decision(wish.data["decision"])
            decide.resolve(memory.store, row, chosen, who=who, why=wish.why, now=now)
        crashpoint("order-decided")
        told = write_books(info, memory)
        return self._step(order, OrderState.DONE, f"{_DONE[wish.kind]}{told}")

    # --- a request for another person

    def _request(self, order: Order) -> Order:
        """The request to send a row again becomes a proposal; where one person is enough, it is approved at once."""
        wish, now = order.wish, self.clock.now()
        address = wish.address or wish.way
        with open_ledger_views(self.settings) as (views, database):
            info = views.batch(wish.batch)
            if info is None:
                raise _gone(order)
            check_own(views, info)
            row = standing(database, info, int(wish.line or 0))
            decide.check_resendable(row)
            _check_same(order, row)
            decide.check_allowed(row, check_rules(self.settings), now)
            correction = correction_in(wish.data)
            draft = draft_of_resend(info, row, correction, wish.why, self.settings, id_of(database), now)
        order = self._begun(order)
        proposal, _ = decisions.propose(self.store, draft, now, who=wish.who, address=address)
        crashpoint("order-proposed")
        answer = f"Propuesta {proposal.id}: el reenvío lo aprueba otra persona"
        if not self.two:
            consent = Consent(count=1, version=proposal.version)
            proposal = decisions.approve(
                self.store, proposal, consent, now, self.settings, who=wish.who, two=False, address=address
            )
            answer = f"Propuesta {proposal.id}: se consulta eDoc y se reenvía"
        return self.store.orders.take(order, OrderState.DONE, now, answer, {}, proposal=proposal.id)

    # --- a question to eDoc

    def _ask(self, order: Order, memory: Memory) -> Order:
        """What eDoc says of a row now. That it is cancelled is recorded with its evidence; nothing is sent."""
        info, row = _found(order, memory)
        order = self._begun(order)
        with running_sandbox(self.settings) as base:
            finding, trouble = ask_before(row.cufe, memory, self.clock, base)
        if finding is None or trouble is not None:
            raise trouble or StoppedEarly()
        before, now = decide.read_before(finding, row.state), self.clock.now()
        told = ""
        if before is decide.Before.CANCELLED and (row.state, finding.event) in MOVES:
            decide.found_cancelled(memory.store, row, finding, now)
            told = write_books(info, memory)
        answer = f"eDoc responde: {decide.answer_words(finding)}"
        return self._step(order, OrderState.DONE, f"{answer}{told}", _answered(finding, before))


_DONE = {Kind.WITHDRAW: "Retirada: no se enviará", Kind.RESOLVE: "Decisión guardada"}
OF_THE_MACHINE = frozenset({"credentials-missing"})
"""Refusals that are not about the order: it waits until somebody puts that right."""


def write_books(info: BatchInfo, memory: Memory) -> str:
    """Writes the results workbook of ``info`` again; a note where that cannot be done now, since the ledger has all."""
    try:
        written = write_results(info, memory.views, memory.settings.out)
        renew_corrected([written.batch], memory.views, memory.settings.out)
    except StorageTrouble as trouble:
        if trouble.code != "resultados-no-guardados":
            raise
        return f". {trouble.sentence}"
    return ""


def _found(order: Order, memory: Memory) -> tuple[BatchInfo, RowStatus]:
    info = memory.views.batch(order.wish.batch)
    if info is None:
        raise _gone(order)
    check_own(memory.views, info)
    return info, standing(memory.database, info, int(order.wish.line or 0))


def _gone(order: Order) -> WrongUsage:
    return WrongUsage(f"El lote {order.wish.batch} no está en este historial de envíos.", code="no-batch")


def _check_same(order: Order, row: RowStatus) -> None:
    """Raises ``NotApproved`` when the row is not as the person saw it. One that only waits may have been held since."""
    seen = order.wish.data
    if row.attempt == seen["attempt"] and (row.state.value == seen["state"] or order.wish.kind is Kind.WITHDRAW):
        return
    raise NotApproved(
        f"Otra persona ya decidió esta fila, o cambió desde que usted la abrió: está «{row.outcome.value}». "
        "No se cambió nada.",
        code="order-changed-row",
    )


def _answered(finding: Finding, before: decide.Before) -> dict[str, Any]:
    """What eDoc said, for a machine."""
    return {
        "estado": finding.estado,
        "http": finding.http,
        "event": finding.event.value,
        "before": before.value,
        "words": decide.answer_words(finding),
    }
