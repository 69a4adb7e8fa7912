"""Sender: goes over the orders and proposals in which something is to be done and does it, one after the other.

Called again and again, by a person's command or by a process of its own; what was done before is known from the ledger
and not done again. On a SQLite ledger it sends itself; on a server it hands in to the queue, and workers send.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.approvals import carry, stopping
from pipeline.approvals.carry import Carried
from pipeline.approvals.orders import Order
from pipeline.approvals.resend import carry_resend
from pipeline.approvals.row_orders import OF_THE_MACHINE, RowOrders, write_books
from pipeline.approvals.store import FILE, PROGRAM, RESEND, Proposal, Proposals
from pipeline.domain.batch_notes import queued_by, was_queued
from pipeline.domain.errors import AnotherRun, AnularError, NotApproved, WrongUsage
from pipeline.domain.orders import LATER, OF_PROPOSALS, Kind, OrderState
from pipeline.domain.proposals import DUE, ProposalState, Step, asks_two
from pipeline.ledger.storage.location import location_of
from pipeline.run import session
from pipeline.run.progress import Progress, Unseen
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.internal_error import internal
from pipeline.settings.model import Settings
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.wiring.ledger import Memory, open_memory
from pipeline.wiring.sandbox import running_sandbox
from pipeline.wiring.views import open_views

StopWhen = Callable[[], AnularError | None]
"""Why the sender is to end now; None while it may go on."""


def carry_all(
    store: Proposals,
    settings: Settings,
    clock: Clock,
    *,
    two: bool | None = None,
    progress: Progress | None = None,
    bus: EventBus = SILENT,
    follows: bool = True,
    stop_when: StopWhen | None = None,
) -> list[Carried]:
    """Every proposal that is approved, on hold, being sent or followed, carried as far as it goes now.

    What another run keeps busy waits (``En espera``); what may not be sent is passed over. Never raises for one of
    them: its trouble stands in its ``Carried``. Without ``follows`` nobody waits for answers here. None is begun once
    ``stop_when`` says why not. ``two`` people are asked for; None: by the setting, and where each came from.
    """
    store.sweep(clock.now())
    done = []
    for one in store.open():
        if stop_when is not None and stop_when() is not None:
            break
        if one.state in DUE:
            asked = two if two is not None else asks_two(settings.approval, store.way(one))
            done.append(
                carry_one(
                    one,
                    store,
                    settings,
                    clock,
                    progress or Unseen(),
                    bus,
                    two=asked,
                    follows=follows,
                    stop_when=stop_when,
                )
            )
    return done


def carry_one(
    proposal: Proposal,
    store: Proposals,
    settings: Settings,
    clock: Clock,
    progress: Progress,
    bus: EventBus,
    *,
    two: bool,
    follows: bool = True,
    stop_when: StopWhen | None = None,
) -> Carried:
    """The same for one of them."""
    queue = location_of(settings.ledger).shared and proposal.source != RESEND
    try:
        carry.check_proven(proposal, two=two)
        carry.check_time(proposal, store, clock.now())
        with open_memory(settings, files=store.given(proposal), bus=bus, hands_in=queue) as memory:
            if queue:
                return hand_in(proposal, store, memory, clock, who=PROGRAM)
            memory = replace(memory, stop_when=stop_when)
            with running_sandbox(settings) as base:
                done = send_here(proposal, store, memory, clock, base, progress, who=PROGRAM, two=two, follows=follows)
            if done.info is not None and done.proposal.state is not proposal.state:
                write_books(done.info, memory)
            return done
    except AnotherRun as busy:
        return Carried(wait(proposal, store, clock.now()), None, busy)
    except AnularError as trouble:
        return Carried(store.get(proposal.id), None, trouble)


def send_here(
    proposal: Proposal,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    base: str,
    progress: Progress,
    *,
    who: str,
    two: bool,
    follows: bool = True,
) -> Carried:
    """Carries a file, a held batch or the resend of a row out in this process. Raises ``NotApproved``."""
    if proposal.source == RESEND:
        return carry_resend(proposal, store, memory, clock, base, progress, two=two)
    return carry.carry_out(proposal, store, memory, clock, base, progress, who=who, two=two, follows=follows)


def wait(proposal: Proposal, store: Proposals, now: datetime) -> Proposal:
    """``proposal`` on hold, where another run keeps the ledger or the credential busy before it was begun."""
    if proposal.state is not ProposalState.APPROVED:
        return proposal
    try:
        return store.take(proposal, Step.BUSY, now, why="otra ejecución está usando el historial de envíos")
    except NotApproved:  # somebody was quicker
        return store.get(proposal.id)


def with_workers(proposal: Proposal, settings: Settings) -> bool:
    """Whether its batch was handed in to the queue before, so that workers have it."""
    if not proposal.batch or not location_of(settings.ledger).shared:
        return False
    with open_views(settings) as views:
        info = views.batch(proposal.batch) if views is not None else None
    return info is not None and was_queued(info)


def hand_in(proposal: Proposal, store: Proposals, memory: Memory, clock: Clock, *, who: str) -> Carried:
    """Brings an approved proposal into the ledger and its batch into the queue; notices when workers have sent all of
    it, when they are done with it (every row is final, or the time of a run is up), or that it was stopped. Raises
    ``NotApproved``, ``StorageTrouble``."""
    from pipeline.queue import enqueue

    proposal = store.get(proposal.id)
    if proposal.state is ProposalState.FOLLOWING:
        info = memory.views.batch(proposal.batch)
        if info is not None and enqueue.in_work([info], memory.views, memory.settings):
            return Carried(proposal, info)
        return Carried(store.take(proposal, Step.FOLLOWED, clock.now()), info)
    note = carry.certificates_note(proposal, memory, clock)
    if proposal.source == FILE and proposal.state is not ProposalState.STOPPED:  # of a batch that will be made
        note = f"{queued_by(carry.text_of(proposal))} {note}".rstrip()
    begun = carry.begin(proposal, store, memory, clock, who=who, note=note)
    if begun.info is None:
        return begun
    if memory.views.all_on_the_way([begun.info.id]):
        enqueue.give_job(begun.info, memory.settings, again=True)
        crashpoint("approval-handed-in")
        return begun
    stopped_rows = memory.views.stopped(begun.info.id)
    if enqueue.in_work([begun.info], memory.views, memory.settings):
        if stopped_rows or memory.views.unsent(begun.info.id):
            return begun
        return replace(begun, proposal=store.take(begun.proposal, Step.ALL_SENT, clock.now()))
    if stopped_rows:  # by a stop that was killed halfway, or another one of the office
        stopped = stopping.hold(
            begun.proposal, begun.info, store, memory, clock, who=PROGRAM, note="stop", why=stopping.UNSENT
        )
        return replace(begun, proposal=stopped)
    sent = store.take(begun.proposal, Step.ALL_SENT, clock.now())
    return replace(begun, proposal=store.take(sent, Step.FOLLOWED, clock.now()))


# --- orders


def carry_orders(
    store: Proposals,
    settings: Settings,
    clock: Clock,
    *,
    two: bool,
    bus: EventBus = SILENT,
    stop_when: StopWhen | None = None,
) -> list[Order]:
    """Every open order but those for evidence packs, done, refused with a sentence, or waiting with one: stops first,
    the others as they came. Never raises for one of them."""
    rows = RowOrders(store, settings, clock, two)

    def do(order: Order) -> Order:
        if order.wish.kind in OF_PROPOSALS:
            return _of_a_proposal(order, store, settings, clock, bus, two=two)
        return rows.carry(order, stop_when)

    done, found = [], [one for one in store.orders.open() if one.wish.kind is not Kind.EVIDENCE]
    for one in sorted(found, key=lambda order: (order.wish.kind is not Kind.STOP, order.id)):
        if stop_when is not None and stop_when() is not None:
            break
        done.append(_waiting_where_in_trouble(one, store, do))
    return done


def carry_pack(order: Order, store: Proposals, settings: Settings, clock: Clock) -> Order:
    """An open order for an evidence pack, done, refused or waiting with a sentence. Never raises for it.

    It comes after all that stops and sends, one at a time: a large one takes long, and whatever goes wrong with it
    keeps nothing else from being done.
    """
    from pipeline.approvals.packs import carry_evidence  # loads what writes workbooks and checks packs

    def do(order: Order) -> Order:
        try:
            return carry_evidence(order, store, settings, clock)
        except AnularError as trouble:
            if not isinstance(trouble, NotApproved | WrongUsage) or trouble.code in OF_THE_MACHINE:
                raise
            why = trouble.sentence
        except Exception as error:  # a fault of the program: the same next time
            why = internal(error).sentence
        return store.orders.take(store.orders.get(order.id), OrderState.REFUSED, clock.now(), why)

    return _waiting_where_in_trouble(order, store, do)


def _waiting_where_in_trouble(order: Order, store: Proposals, do: Callable[[Order], Order]) -> Order:
    try:
        return do(order)
    except AnotherRun:
        return store.orders.wait(store.orders.get(order.id), LATER)
    except AnularError as trouble:
        return store.orders.wait(store.orders.get(order.id), trouble.sentence)


def _of_a_proposal(
    order: Order, store: Proposals, settings: Settings, clock: Clock, bus: EventBus, *, two: bool
) -> Order:
    do = {Kind.STOP: _stop, Kind.CONTINUE: _continue, Kind.END: _end}[order.wish.kind]
    try:
        answer = do(order, store, settings, clock, bus, two)
    except (NotApproved, WrongUsage) as refusal:
        return store.orders.take(store.orders.get(order.id), OrderState.REFUSED, clock.now(), refusal.sentence)
    fresh = store.orders.get(order.id)
    if fresh.state is OrderState.DONE:
        return fresh
    return store.orders.take(fresh, OrderState.DONE, clock.now(), answer)


def _stop(order: Order, store: Proposals, settings: Settings, clock: Clock, bus: EventBus, _two: bool) -> str:
    """Stops what no process sends in this moment, or what workers send. Raises ``AnotherRun`` while another one of this
    machine sends it: that one looks at the orders itself."""
    wish, proposal = order.wish, _proposal(order, store)
    if proposal.state is ProposalState.STOPPED:
        return "Ya estaba detenida"
    if proposal.state is not ProposalState.SENDING:
        raise NotApproved(
            f"La propuesta {proposal.id} está «{proposal.word}»: no hay nada que detener.", code="approval-state"
        )
    queue = location_of(settings.ledger).shared
    with open_memory(settings, sends=False, bus=bus, hands_in=queue) as memory:
        info = memory.views.batch(proposal.batch) if proposal.batch else None
        if info is None:  # it was begun, and killed before it was taken in
            store.take(proposal, Step.CHANGED, clock.now(), why=f"se pidió detenerla antes de enviar: {wish.why}")
            return "Se detuvo antes de enviar ninguna factura"
        if not stopping.may_leave(info.id, memory.views):  # it waits for answers, and for no person
            raise NotApproved(
                f"La propuesta {proposal.id} ya no tenía ninguna factura sin enviar: no hay nada que detener.",
                code="approval-state",
            )
        stopping.hold(
            proposal,
            info,
            store,
            memory,
            clock,
            who=wish.who,
            note=wish.why,
            why=wish.why,
            address=wish.address or wish.way,
        )
        return stopping.held_words(info, memory)


def _continue(order: Order, store: Proposals, settings: Settings, clock: Clock, bus: EventBus, two: bool) -> str:
    """Lets a stopped proposal go on: what was held is released. The sending is the next thing that the sender does."""
    wish, proposal = order.wish, _proposal(order, store)
    since = proposal.version - int(wish.data["version"])
    continued = order.state is OrderState.DOING and since == 1 and proposal.state is ProposalState.SENDING
    if order.state is OrderState.DOING and since and not continued:  # done before a kill, and gone on since
        return "Continúa"
    if not continued:
        _check_seen(order, proposal)
    carry.check_proven(proposal, two=two)
    carry.check_time(proposal, store, clock.now())
    queue = location_of(settings.ledger).shared
    with open_memory(settings, sends=False, bus=bus, hands_in=queue) as memory:
        if order.state is OrderState.ASKED:
            store.orders.take(order, OrderState.DOING, clock.now())
        begun = carry.begin(
            proposal, store, memory, clock, who=wish.who, address=wish.address or wish.way, resumed=continued
        )
    if begun.proposal.state is not ProposalState.SENDING:
        return f"No queda nada por enviar: está «{begun.proposal.word}»"
    return " ".join(["Continúa", *(f"({words})" for words in begun.dropped)])


def _end(order: Order, store: Proposals, settings: Settings, clock: Clock, bus: EventBus, _two: bool) -> str:
    """Ends a stopped proposal: what was held is taken back."""
    wish, proposal = order.wish, _proposal(order, store)
    if order.state is OrderState.DOING and proposal.version != wish.data["version"]:
        return "Terminada"
    _check_seen(order, proposal)
    with open_memory(settings, sends=False, bus=bus) as memory:
        if order.state is OrderState.ASKED:
            store.orders.take(order, OrderState.DOING, clock.now())
        address = wish.address or wish.way
        stopping.give_up(proposal, store, memory, clock, who=wish.who, why=wish.why, address=address)
        info = memory.views.batch(proposal.batch)
        told = write_books(info, memory) if info is not None else ""
    return f"Terminada: lo que no se envió quedó RETIRADA{told}"


def _proposal(order: Order, store: Proposals) -> Proposal:
    assert order.wish.proposal is not None, "an order about a proposal names it"
    return store.get(order.wish.proposal)


def _check_seen(order: Order, proposal: Proposal) -> None:
    if proposal.state is ProposalState.STOPPED and proposal.version == order.wish.data["version"]:
        return
    raise NotApproved(
        f"La propuesta {proposal.id} cambió desde que usted la abrió: está «{proposal.word}». No se cambió nada.",
        code="approval-changed",
    )


# --- what is open


def has_open(settings: Settings, now: datetime) -> bool:
    """Whether rows of this company wait for an answer and were not asked about for ``ANULAR_QUEUE_POLL`` seconds, or
    were left being sent by a run that ended; or it has no ledger yet, which the next turn makes, because no page does.
    On a server workers look after such rows."""
    location = location_of(settings.ledger)
    if location.shared:
        return not location.exists()
    with open_views(settings, mine=True) as views:
        if views is None:
            return True
        return views.unasked_since(now - timedelta(seconds=settings.queue_poll)) or bool(views.cut_off())


def make_ledger(settings: Settings) -> None:
    """Makes the ledger on a server where there is none yet: no page does, and no worker. Raises like
    ``open_memory``."""
    if not location_of(settings.ledger).exists():
        with open_memory(settings, sends=False):
            pass


def ask_open(
    store: Proposals,
    settings: Settings,
    clock: Clock,
    progress: Progress,
    bus: EventBus,
    stop_when: StopWhen | None = None,
) -> AnularError | None:
    """Queries every open row of this company until it is final or the time of a run is up, and ends the proposals whose
    answers were waited for; returns what ended it early. Raises ``AnotherRun``, and like ``open_memory``."""
    waiting = [one for one in store.open() if one.state is ProposalState.FOLLOWING]
    with open_memory(settings, bus=bus) as memory:
        rows = memory.views.followed()
        infos = [info for name in sorted({row.batch for row in rows}) if (info := memory.views.batch(name)) is not None]
        trouble = None
        if infos:
            asking = replace(memory, stop_when=stop_when)
            with running_sandbox(settings) as base:
                work = session.follow_all(infos, asking, progress)
                trouble = session.carry_out(asking, clock, base, work)
            for info in infos:
                write_books(info, memory)
        for one in waiting if trouble is None else ():
            store.take(one, Step.FOLLOWED, clock.now())
    return trouble
