"""Orders about a row: asked for on a page, carried out by the sender, refused with a sentence, never done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from pipeline import decide
from pipeline.approvals import asking, row_orders
from pipeline.approvals.orders import Order, Orders
from pipeline.domain.errors import Bug, NotApproved, StorageTrouble, WrongUsage
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.orders import LATER, MOVES, Kind, OrderState, check_step
from pipeline.domain.proposals import ProposalState
from pipeline.domain.records import BatchInfo, Finding, Source
from pipeline.ledger.decisions import RowStatus, standing
from pipeline.office import tables
from tests.support.desk import Desk, make_cufe

WHY = "el cliente la necesita"
D, A, F, R = OrderState.DOING, OrderState.ASKED, OrderState.DONE, OrderState.REFUSED


@pytest.fixture
def batch(desk: Desk) -> BatchInfo:
    """A batch that ana prepared and luis approved, of three rows: cancelled, a person's, held."""
    one = desk.approved([1, 2, 3])
    desk.stops_after = 2
    desk.findings = {make_cufe(2): Finding(Source.CANCELLATION, Event.SUPPORT, estado=4, http=200)}
    done = desk.carry(one)
    assert done.info is not None
    desk.posts.clear()
    return done.info


def row(desk: Desk, info: BatchInfo, line: int) -> RowStatus:
    with desk.memory() as memory:
        return standing(memory.database, info, line)


def asked(desk: Desk, info: BatchInfo, kind: Kind, line: int, who: str = "eva", **more: Any) -> Order:
    with desk.memory() as memory:
        fresh, seen = memory.views.batch(info.id), standing(memory.database, info, line)
    assert fresh is not None
    said = {"why": WHY, "confirm": decide.confirmation(seen.cufe), "two": desk.two, "address": "10.0.0.7", **more}
    return asking.ask_about_row(desk.store.orders, kind, fresh, seen, desk.clock.now(), who=who, **said)


def test_a_row_is_withdrawn_as_the_command_does_it(desk: Desk, batch: BatchInfo):
    asked(desk, batch, Kind.WITHDRAW, 4)
    (order,) = desk.orders()

    assert (order.state, order.answer) == (F, "Retirada: no se enviará")
    assert row(desk, batch, 4).state is State.WITHDRAWN
    with desk.memory() as memory:
        (told,) = [line for line in memory.views.log(batch) if line.event is Event.WITHDRAWN]
    assert (told.who, told.note) == ("web: eva", f"Retirada antes de enviarla [withdrawn]. Motivo: {WHY}")
    desk.verified()


def test_a_row_is_resolved_by_another_person_than_prepared_it(desk: Desk, batch: BatchInfo):
    asked(desk, batch, Kind.RESOLVE, 3, decision=decide.Decision.CANCELLED)
    (order,) = desk.orders()
    assert (order.state, order.answer) == (F, "Decisión guardada")
    assert row(desk, batch, 3).state is State.CLOSED_BY_PERSON
    with desk.memory() as memory:
        (told,) = [line for line in memory.views.log(batch) if line.event is Event.RESOLVED]
    assert (told.who, told.note) == ("web: eva", f"Quedó anulada [cancelled]. Motivo: {WHY}")


def test_who_prepared_the_batch_does_not_resolve_its_rows_where_two_are_asked_for(desk: Desk, batch: BatchInfo):
    with pytest.raises(NotApproved) as refused:
        asked(desk, batch, Kind.RESOLVE, 3, who="ana", decision=decide.Decision.CANCELLED)
    assert refused.value.code == "approval-own-batch"
    asked(desk, batch, Kind.RESOLVE, 3, who="ana", two=False, decision=decide.Decision.CANCELLED)
    (order,) = desk.orders()
    assert order.state is R, "the sender asks again, by its own setting"
    assert row(desk, batch, 3).state is State.NEEDS_SUPPORT


def test_a_resend_becomes_a_proposal_that_another_person_approves(desk: Desk, batch: BatchInfo):
    asked(desk, batch, Kind.RESEND, 3)
    (order,) = desk.orders()

    assert order.state is F
    assert order.wish.proposal is not None
    one = desk.store.get(order.wish.proposal)
    assert (one.state, one.source, one.people.prepared_by) == (ProposalState.WAITING, "reenvio", "eva")
    assert order.answer == f"Propuesta {one.id}: el reenvío lo aprueba otra persona"
    with pytest.raises(NotApproved) as refused:
        desk.approve(one, who="eva")
    assert refused.value.code == "approval-own"
    assert desk.posts == {}


def test_where_one_person_is_enough_the_resend_is_approved_with_it(desk: Desk, batch: BatchInfo):
    desk.two = False
    asked(desk, batch, Kind.RESEND, 3)
    (order,) = desk.orders()
    assert order.wish.proposal is not None
    one = desk.store.get(order.wish.proposal)
    assert (one.state, one.people.approved_by, one.way) == (ProposalState.APPROVED, "eva", "web")


def test_edoc_is_asked_and_its_answer_is_what_the_page_shows(desk: Desk, batch: BatchInfo, monkeypatch):
    _answers(monkeypatch, Finding(Source.QUERY, Event.ALIVE, estado=2, http=200))
    asked(desk, batch, Kind.ASK, 3, why="", confirm="")
    (order,) = desk.orders()
    assert order.state is F
    assert order.answer.startswith("eDoc responde: 2, ")
    assert (order.found["estado"], order.found["before"]) == (2, "alive")
    assert row(desk, batch, 3).state is State.NEEDS_SUPPORT


def test_that_edoc_has_it_cancelled_is_recorded_with_its_evidence(desk: Desk, batch: BatchInfo, monkeypatch):
    _answers(monkeypatch, Finding(Source.QUERY, Event.CANCELLED, estado=11, http=200))
    asked(desk, batch, Kind.ASK, 3, why="", confirm="")
    desk.orders()
    assert row(desk, batch, 3).state is State.ALREADY_CANCELLED
    desk.verified()


def test_no_answer_of_edoc_is_no_refusal_the_order_waits(desk: Desk, batch: BatchInfo, monkeypatch):
    monkeypatch.setattr(row_orders, "ask_before", lambda *_: (None, StorageTrouble("El disco está lleno.")))
    asked(desk, batch, Kind.ASK, 3, why="", confirm="")
    (order,) = desk.orders()
    assert order.state is D
    assert "El disco está lleno." in order.answer
    _answers(monkeypatch, Finding(Source.QUERY, Event.ALIVE, estado=2, http=200))
    (order,) = desk.orders()
    assert order.state is F


def _answers(patch: pytest.MonkeyPatch, finding: Finding) -> None:
    patch.setattr(row_orders, "ask_before", lambda *_: (finding, None))
    patch.setattr(row_orders, "running_sandbox", desk_sandbox)


def desk_sandbox(_settings: object):
    from contextlib import nullcontext

    return nullcontext("")


def test_what_changed_since_the_person_saw_it_is_left_alone(desk: Desk, batch: BatchInfo):
    asked(desk, batch, Kind.RESOLVE, 3, decision=decide.Decision.CANCELLED)
    with desk.memory() as memory:
        seen = standing(memory.database, batch, 3)
        decide.resolve(
            memory.store, seen, decide.Decision.NOT_CANCELLED, who="terminal: otro", why=WHY, now=desk.clock.now()
        )
    (order,) = desk.orders()
    assert order.state is R
    assert "No hay nada que decidir" in order.answer


def test_a_row_whose_answer_came_meanwhile_is_not_resolved_as_it_was_seen(desk: Desk, batch: BatchInfo):
    asked(desk, batch, Kind.RESEND, 3)
    with desk.memory() as memory:
        seen = standing(memory.database, batch, 3)
        answer = Finding(Source.QUERY, Event.ALIVE, estado=2, http=200)
        decide.authorise(memory.store, seen, answer, who="luis", why=WHY, now=desk.clock.now())
    (order,) = desk.orders()
    assert order.state is R
    assert "Otra persona ya decidió esta fila" in order.answer


@pytest.mark.sqlite
def test_while_a_run_has_the_ledger_a_decision_waits(desk: Desk, batch: BatchInfo):
    asked(desk, batch, Kind.WITHDRAW, 4)
    with desk.memory():
        (order,) = desk.orders()
    assert (order.state, order.answer) == (A, LATER)
    (order,) = desk.orders()
    assert order.state is F


def test_an_order_is_whole_or_not_there(desk: Desk, batch: BatchInfo, monkeypatch):
    def dies(name: str) -> None:
        if name == "order-before-commit":
            raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr("pipeline.approvals.orders.crashpoint", dies)
        with pytest.raises(KeyboardInterrupt):
            asked(desk, batch, Kind.WITHDRAW, 4)
    assert desk.store.orders.open() == []


@pytest.mark.parametrize("point", ["order-doing-after-commit", "order-decided", "order-done-before-commit"])
def test_killed_on_the_way_it_is_decided_once(desk: Desk, batch: BatchInfo, monkeypatch, point: str):
    asked(desk, batch, Kind.WITHDRAW, 4)

    def dies(name: str) -> None:
        if name == point:
            raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr("pipeline.approvals.orders.crashpoint", dies)
        here.setattr("pipeline.approvals.row_orders.crashpoint", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.orders()
    (order,) = desk.orders()
    assert order.state is F
    with desk.memory() as memory:
        assert [line.who for line in memory.views.log(batch) if line.event is Event.WITHDRAWN] == ["web: eva"]


def test_a_resend_that_is_asked_for_twice_by_a_kill_is_one_proposal(desk: Desk, batch: BatchInfo, monkeypatch):
    asked(desk, batch, Kind.RESEND, 3)

    def dies(name: str) -> None:
        if name == "order-proposed":
            raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr("pipeline.approvals.row_orders.crashpoint", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.orders()
    (order,) = desk.orders()
    assert order.state is F
    assert len([one for one in desk.store.open() if one.source == "reenvio"]) == 1


@pytest.mark.parametrize(
    ("kind", "line", "more"),
    [
        (Kind.WITHDRAW, 2, {}),
        (Kind.RESOLVE, 2, {"decision": decide.Decision.CANCELLED}),
        (Kind.RESEND, 2, {}),
        (Kind.WITHDRAW, 4, {"confirm": "00000000"}),
        (Kind.WITHDRAW, 4, {"why": "no"}),
    ],
)
def test_what_cannot_be_done_is_refused_when_it_is_asked_for(desk: Desk, batch: BatchInfo, kind, line, more):
    with pytest.raises(WrongUsage):
        asked(desk, batch, kind, line, **more)
    assert desk.store.orders.open() == []


def test_the_same_order_twice_is_one_and_another_company_has_none_of_it(desk: Desk, batch: BatchInfo):
    first = asked(desk, batch, Kind.WITHDRAW, 4)
    assert asked(desk, batch, Kind.WITHDRAW, 4, who="luis").id == first.id
    other = Orders(desk.office, "otra", "sandbox")
    assert (other.open(), other.of_row(batch.id, 4)) == ([], [])
    with pytest.raises(NotApproved):
        other.get(first.id)


def test_its_events_say_who_asked_what_and_what_came_of_it_and_cannot_be_changed(desk: Desk, batch: BatchInfo):
    order = asked(desk, batch, Kind.WITHDRAW, 4)
    desk.orders()
    told = [(one.who, one.address, one.before, one.after) for one in desk.store.orders.events(order.id)]
    assert told == [
        ("eva", "10.0.0.7", "", "asked"),
        ("anular", "", "asked", "doing"),
        ("anular", "", "doing", "done"),
    ]
    assert desk.store.orders.events(order.id)[0].data["kind"] == "withdraw"
    with pytest.raises(StorageTrouble) as refused, desk.office.write() as connection:
        connection.execute(tables.decision_order_event.update().values(who="otra"))
    assert isinstance(refused.value.__cause__, DBAPIError)


def test_what_is_done_or_refused_does_not_change():
    assert {before for before, _ in MOVES} == {A, D}
    for before in (F, R):
        for after in OrderState:
            with pytest.raises(Bug):
                check_step(before, after)


def test_two_people_who_decide_differently_about_a_row_are_not_taken_for_one(desk: Desk, batch: BatchInfo):
    first = asked(desk, batch, Kind.RESOLVE, 3, decision=decide.Decision.CANCELLED)
    assert asked(desk, batch, Kind.RESOLVE, 3, decision=decide.Decision.CANCELLED).id == first.id, "pressed twice"
    assert asked(desk, batch, Kind.RESOLVE, 3, who="luis", decision=decide.Decision.CANCELLED).id == first.id
    for who, decision in (("luis", decide.Decision.NOT_CANCELLED), ("eva", decide.Decision.NOT_CANCELLED)):
        with pytest.raises(NotApproved) as refused:
            asked(desk, batch, Kind.RESOLVE, 3, who=who, decision=decision)
        assert refused.value.code == "order-other"
    (order,) = desk.orders()
    assert (order.id, order.state) == (first.id, F)
    assert row(desk, batch, 3).state is State.CLOSED_BY_PERSON


# --- evidence


def packs(desk: Desk) -> int:
    from sqlalchemy import func, select

    from pipeline.ledger import tables as ledger
    from pipeline.ledger.ledger_events import PACKED

    with desk.memory() as memory:
        query = select(func.count()).where(ledger.event.c.event == PACKED)
        return int(memory.database.read(query)[0][0])


def test_an_evidence_pack_is_an_event_of_who_asked_and_recorded_once(desk: Desk, batch: BatchInfo, tmp_path: Path):
    desk.settings = desk.settings.model_copy(update={"web_folder": tmp_path / "web"})
    for who in ("eva", "luis"):
        asking.ask_for_evidence(desk.store.orders, batch.id, desk.clock.now(), who=who, address="10.0.0.7")
    (order,) = desk.orders()
    assert (order.state, order.wish.who, order.answer) == (F, "eva", "Paquete de evidencia listo")
    assert packs(desk) == 1
    (first,) = (tmp_path / "web").rglob("*__evidencia.zip")
    made = first.read_bytes()

    asking.ask_for_evidence(desk.store.orders, batch.id, desk.clock.now(), who="luis", address="10.0.0.7")
    (order,) = desk.store.orders.open()
    desk.store.orders.take(order, D, desk.clock.now())  # a sender was killed in the middle of it
    (again,) = desk.orders()
    assert again.state is F
    assert packs(desk) == 1
    assert first.read_bytes() == made
    desk.verified()


def test_where_a_pack_cannot_be_kept_its_order_waits_and_says_why(desk: Desk, batch: BatchInfo, tmp_path: Path):
    (tmp_path / "archivo").touch()
    good = desk.settings
    desk.settings = good.model_copy(update={"web_folder": tmp_path / "archivo" / "web"})
    asking.ask_for_evidence(desk.store.orders, batch.id, desk.clock.now(), who="eva", address="")
    (order,) = desk.orders()
    assert order.state is D
    assert "No se pudo guardar el paquete de evidencia" in order.answer
    assert str(tmp_path / "archivo" / "web") in order.answer

    desk.settings = good.model_copy(update={"web_folder": tmp_path / "web"})
    (order,) = desk.orders()
    assert order.state is F


@pytest.mark.parametrize("error", [Bug("otra cosa"), MemoryError(), StopIteration()])
def test_a_fault_of_the_program_ends_the_order_for_a_pack_and_nothing_else(
    desk: Desk, batch: BatchInfo, monkeypatch, error: Exception
):
    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr("pipeline.approvals.packs.write_results", broken)
    asking.ask_for_evidence(desk.store.orders, batch.id, desk.clock.now(), who="eva", address="")
    (order,) = desk.orders()
    assert order.state is R
    assert "Error interno de anular" in order.answer


def test_evidence_of_a_batch_that_is_not_there_is_refused(desk: Desk, batch: BatchInfo):
    asking.ask_for_evidence(desk.store.orders, "20261120-00000000", desk.clock.now(), who="eva", address="")
    (order,) = desk.orders()
    assert order.state is R
    assert "no está en este historial de envíos" in order.answer


def test_who_asks_for_evidence_has_a_name(desk: Desk, batch: BatchInfo):
    with pytest.raises(NotApproved):
        asking.ask_for_evidence(desk.store.orders, batch.id, desk.clock.now(), who="", address="")
