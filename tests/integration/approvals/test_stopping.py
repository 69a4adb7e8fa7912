"""A sending that a person stops: held in the ledger, gone on with by a person alone, whoever was sending it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.approvals import asking
from pipeline.approvals.orders import Wish
from pipeline.approvals.store import PROGRAM, Proposal
from pipeline.domain.errors import AnotherRun, Interrupted, NotApproved, WrongUsage
from pipeline.domain.lifecycle import Event
from pipeline.domain.orders import LATER, Kind, OrderState
from pipeline.domain.proposals import ProposalState
from pipeline.evidence.check import check_stream
from pipeline.ledger.verify import examine
from tests.support.desk import Desk, make_cufe

pytestmark = pytest.mark.sqlite  # of a server, whose workers send: tests/storm/test_approval_queue.py
WHY = "falta una factura del cliente"


def codes(*numbers: int) -> dict[str, int]:
    return {make_cufe(number): 1 for number in numbers}


def asked(desk: Desk, kind: Kind, proposal: Proposal, who: str = "eva") -> int:
    orders, now = desk.store.orders, desk.clock.now()
    return asking.ask_about_proposal(orders, kind, proposal, now, who=who, why=WHY, address="10.0.0.7").id


def begun(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Proposal:
    """An approved one whose sender was killed when it had taken the file in."""
    one = desk.approved([1, 2, 3])

    def dies(point: str) -> None:
        if point == "approval-taken-in":
            raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr("pipeline.approvals.carry.crashpoint", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.carry(one)
    return desk.store.get(one.id)


def test_a_stop_while_it_is_being_sent_lets_nothing_more_leave(desk: Desk):
    one = desk.approved([1, 2, 3])
    desk.after_row = lambda count: asked(desk, Kind.STOP, desk.store.get(one.id)) if count == 1 else None

    (done,) = desk.sweep()

    assert done.proposal.state is ProposalState.STOPPED
    assert desk.posts == codes(1)
    assert desk.counts(done.proposal.batch) == {"ANULADA": 1, "RETENIDA": 2}
    (order,) = desk.store.orders.of_proposal(one.id)
    assert (order.state, order.answer) == (OrderState.DONE, "Se detuvo: 2 quedaron RETENIDAS")


def test_where_two_people_stop_it_neither_may_say_that_only_they_did(desk: Desk):
    one = desk.approved([1, 2, 3, 4])

    def both(count: int) -> None:
        if count == 1:
            asked(desk, Kind.STOP, desk.store.get(one.id), "ana")
            asked(desk, Kind.STOP, desk.store.get(one.id), "luis")

    desk.after_row = both
    desk.sweep()
    desk.orders()
    stopped = desk.store.get(one.id)
    assert {order.state for order in desk.store.orders.of_proposal(one.id)} == {OrderState.DONE}
    assert asking.stopped_by(desk.store, stopped, "ana") == "luis"
    assert asking.stopped_by(desk.store, stopped, "luis") == "ana"

    asked(desk, Kind.CONTINUE, stopped, "luis")
    desk.after_row = lambda count: asked(desk, Kind.STOP, desk.store.get(one.id), "ana") if count == 1 else None
    desk.orders()
    desk.sweep()
    again = desk.store.get(one.id)
    assert again.state is ProposalState.STOPPED
    assert asking.stopped_by(desk.store, again, "ana") == "ana", "what luis stopped before went on"


def test_a_batch_that_was_stopped_and_went_on_has_its_evidence(desk: Desk, tmp_path: Path):
    desk.settings = desk.settings.model_copy(update={"web_folder": tmp_path / "web"})
    one = desk.approved([1, 2, 3])
    desk.after_row = lambda count: asked(desk, Kind.STOP, desk.store.get(one.id)) if count == 1 else None
    (stopped,) = desk.sweep()
    desk.after_row = lambda count: None
    asked(desk, Kind.CONTINUE, stopped.proposal)
    desk.orders()
    desk.sweep()
    assert desk.posts == codes(1, 2, 3)

    orders, now = desk.store.orders, desk.clock.now()
    asking.ask_for_evidence(orders, stopped.proposal.batch, now, who="luis", address="")
    (order,) = desk.orders()
    assert (order.state, order.answer) == (OrderState.DONE, "Paquete de evidencia listo")
    (pack,) = (tmp_path / "web").rglob("*__evidencia.zip")
    with pack.open("rb") as stream:
        assert check_stream(stream).faults == []


def test_the_ledger_and_the_office_say_who_stopped_it_and_why(desk: Desk):
    one = desk.approved([1, 2, 3])
    desk.after_row = lambda count: asked(desk, Kind.STOP, desk.store.get(one.id)) if count == 1 else None
    (done,) = desk.sweep()

    with desk.memory() as memory:
        assert done.info is not None
        told = [line for line in memory.views.log(done.info) if line.event is Event.STOPPED]
        assert {(line.who, line.note) for line in told} == {("web: eva", f"envío detenido: {WHY}")}
        assert examine(memory.database).faults == []
    assert (done.proposal.why, asking.stopped_by(desk.store, done.proposal)) == (WHY, "eva")
    assert [one.address for one in desk.store.events(one.id) if one.event == "stopped"] == ["10.0.0.7"]


def test_what_nobody_sends_in_this_moment_is_stopped_before_anything_leaves(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)

    (order,) = desk.orders()

    assert (order.state, order.answer) == (OrderState.DONE, "Se detuvo: 3 quedaron RETENIDAS")
    assert desk.sweep() == [], "it waits for a person"
    assert desk.posts == {}
    assert desk.counts(one.batch) == {"RETENIDA": 3}


def test_a_run_that_begins_with_a_stop_asked_for_sends_nothing(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.STOPPED
    assert desk.posts == {}


def test_while_another_process_sends_it_the_order_is_that_ones(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)
    with desk.memory():
        (order,) = desk.orders()
    assert (order.state, order.answer) == (OrderState.ASKED, LATER)
    assert desk.store.get(one.id).state is ProposalState.SENDING


def test_begun_and_not_taken_in_it_ends_and_nothing_is_made(desk: Desk, monkeypatch):
    one = desk.approved([1])
    monkeypatch.setattr("pipeline.approvals.carry.crashpoint", _dies_at("approval-begun"))
    with pytest.raises(KeyboardInterrupt):
        desk.carry(one)
    monkeypatch.undo()
    desk.patched()
    asked(desk, Kind.STOP, desk.store.get(one.id))
    (order,) = desk.orders()
    assert order.state is OrderState.DONE
    assert desk.store.get(one.id).state is ProposalState.EXPIRED
    assert desk.sweep() == []
    assert desk.posts == {}


def _dies_at(wanted: str):
    def dies(point: str) -> None:
        if point == wanted:
            raise KeyboardInterrupt

    return dies


def test_killed_between_ledger_and_office_the_next_turn_finds_it_stopped(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)
    monkeypatch.setattr("pipeline.approvals.stopping.crashpoint", _dies_at("approval-rows-held"))
    with pytest.raises(KeyboardInterrupt):
        desk.orders()
    monkeypatch.undo()
    desk.patched()
    (order,) = desk.orders()
    assert order.state is OrderState.DONE
    assert desk.store.get(one.id).state is ProposalState.STOPPED
    assert desk.posts == {}


@pytest.mark.parametrize("kind", [Kind.CONTINUE, Kind.END])
def test_what_a_person_stopped_a_person_continues_or_ends(desk: Desk, monkeypatch, kind: Kind):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)
    desk.orders()
    asked(desk, kind, desk.store.get(one.id), who="luis")

    (order,) = desk.orders()
    desk.sweep()

    assert order.state is OrderState.DONE
    assert desk.store.get(one.id).state is ProposalState.ENDED
    if kind is Kind.CONTINUE:
        assert desk.posts == codes(1, 2, 3)
        assert [event.who for event in desk.store.events(one.id) if event.event == "continued"] == ["luis"]
    else:
        assert desk.posts == {}
        assert desk.counts(one.batch) == {"RETIRADA": 3}
    desk.verified()


def test_killed_after_a_person_continued_it_the_next_turn_goes_on_without_another_word(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)
    desk.orders()
    asked(desk, Kind.CONTINUE, desk.store.get(one.id), who="luis")
    monkeypatch.setattr("pipeline.approvals.carry.crashpoint", _dies_at("approval-continued"))
    with pytest.raises(KeyboardInterrupt):
        desk.orders()
    monkeypatch.undo()
    desk.patched()
    assert desk.counts(one.batch) == {"RETENIDA": 3}

    (order,) = desk.orders()
    desk.sweep()

    assert order.state is OrderState.DONE
    assert desk.store.get(one.id).state is ProposalState.ENDED
    assert desk.posts == codes(1, 2, 3)
    assert [event.who for event in desk.store.events(one.id) if event.event == "continued"] == ["luis"]


def test_what_was_stopped_again_is_not_released_by_the_order_before(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)
    desk.orders()
    asked(desk, Kind.CONTINUE, desk.store.get(one.id), who="luis")
    monkeypatch.setattr("pipeline.approvals.carry.crashpoint", _dies_at("approval-continued"))
    with pytest.raises(KeyboardInterrupt):
        desk.orders()
    monkeypatch.undo()
    desk.patched()
    asked(desk, Kind.STOP, desk.store.get(one.id))

    desk.orders()
    desk.sweep()

    assert desk.store.get(one.id).state is ProposalState.STOPPED
    assert desk.posts == {}


def test_who_saw_it_before_somebody_else_took_a_step_is_refused(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    asked(desk, Kind.STOP, one)
    desk.orders()
    asked(desk, Kind.CONTINUE, desk.store.get(one.id))
    desk.give_up(desk.store.get(one.id))
    (order,) = desk.orders()
    assert order.state is OrderState.REFUSED
    assert "cambió desde que usted la abrió: está «Terminada»" in order.answer
    assert desk.posts == {}


def test_a_stop_that_was_asked_for_twice_is_one_and_each_persons_is_kept(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    assert asked(desk, Kind.STOP, one) == asked(desk, Kind.STOP, one) != asked(desk, Kind.STOP, one, who="luis")


def test_what_is_not_being_sent_cannot_be_stopped(desk: Desk):
    one = desk.approved([1])
    with pytest.raises(NotApproved) as refused:
        asked(desk, Kind.STOP, one)
    assert refused.value.code == "approval-state"
    with pytest.raises(WrongUsage):
        asking.ask_about_proposal(desk.store.orders, Kind.STOP, one, desk.clock.now(), who="eva", why="no", address="")


def test_a_stop_that_came_too_late_says_so(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    number = asked(desk, Kind.STOP, one)
    order = desk.store.orders.get(number)
    desk.store.orders.take(order, OrderState.REFUSED, desk.clock.now(), "de prueba")
    desk.sweep()
    late = Wish(Kind.STOP, "eva", WHY, proposal=one.id, batch=one.batch, data={"version": one.version})
    desk.store.orders.add(late, desk.clock.now())
    (order,) = desk.orders()
    assert order.state is OrderState.REFUSED
    assert "no hay nada que detener" in order.answer


def test_a_program_that_is_asked_to_end_stops_nothing_and_its_next_start_goes_on(desk: Desk):
    desk.approved([1, 2, 3])
    desk.after_row = lambda count: setattr(desk, "ends", Interrupted()) if count == 1 else None
    (done,) = desk.sweep()
    assert done.proposal.state is ProposalState.SENDING
    assert desk.posts == codes(1)
    desk.ends, desk.after_row = None, lambda _count: None
    (done,) = desk.sweep()
    assert done.proposal.state is ProposalState.ENDED
    assert desk.posts == codes(1, 2, 3)


def test_one_that_stopped_by_itself_was_stopped_by_nobody(desk: Desk):
    one = desk.approved([1, 2, 3])
    desk.stops_after = 1
    done = desk.carry(one)
    assert asking.stopped_by(desk.store, done.proposal) == PROGRAM


def test_an_order_that_another_process_finishes_is_not_done_twice(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    order = desk.store.orders.get(asked(desk, Kind.STOP, one))
    desk.store.orders.take(order, OrderState.DONE, desk.clock.now())
    with pytest.raises(NotApproved) as refused:
        desk.store.orders.take(order, OrderState.DOING, desk.clock.now())
    assert refused.value.code == "order-changed"


def test_a_stop_needs_no_ledger_to_be_asked_for(desk: Desk, monkeypatch):
    one = begun(desk, monkeypatch)
    with desk.memory():
        assert asked(desk, Kind.STOP, one)
        with pytest.raises(AnotherRun), desk.memory():
            pass
