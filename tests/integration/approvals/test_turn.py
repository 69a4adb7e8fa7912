"""Turn of the sender: what comes first, and what keeps nothing else from being done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.approvals import asking, sender
from pipeline.approvals.turn import Turn
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.orders import Kind, OrderState
from pipeline.domain.proposals import ProposalState
from pipeline.runtime.shutdown import Ending
from tests.support.desk import Desk

WHY = "monto equivocado"


def turn(desk: Desk) -> Turn:
    made = Turn(desk.office, desk.settings, desk.clock, Ending())
    made.take()
    return made


def test_packs_come_after_what_is_sent_and_a_stop_comes_before_the_next_pack(desk: Desk, monkeypatch):
    two = [desk.carry(desk.approved(numbers)).info for numbers in ([1, 2], [3, 4])]
    desk.stops_after = 1
    stopped = desk.carry(desk.approved([5, 6])).proposal
    desk.stops_after = None
    for info in two:
        assert info is not None
        asking.ask_for_evidence(desk.store.orders, info.id, desk.clock.now(), who="eva", address="")
    sent, happened = desk.approved([7, 8]), list[str]()

    def pack(order: Any, *_: Any) -> Any:
        happened.append(f"pack, {desk.store.get(sent.id).state.value}")
        if len(happened) == 1:
            now = desk.clock.now()
            asking.ask_about_proposal(
                desk.store.orders, Kind.END, desk.store.get(stopped.id), now, who="luis", why=WHY, address=""
            )
        return desk.store.orders.take(order, OrderState.REFUSED, desk.clock.now(), "no")

    carried = sender.carry_orders

    def orders(*given: Any, **more: Any) -> Any:
        done = carried(*given, **more)
        happened.extend(one.wish.kind.value for one in done)
        return done

    monkeypatch.setattr(sender, "carry_pack", pack)
    monkeypatch.setattr(sender, "carry_orders", orders)
    turn(desk)
    assert [one.partition(",")[0] for one in happened] == ["pack", Kind.END.value, "pack"]
    assert happened[0] != f"pack, {ProposalState.APPROVED.value}", "what was approved is sent first"
    assert desk.store.orders.open() == []


def test_a_pack_that_cannot_be_made_is_tried_once_in_a_turn_and_keeps_nothing_from_being_sent(
    desk: Desk, tmp_path: Path
):
    (tmp_path / "archivo").touch()
    info = desk.carry(desk.approved([1, 2])).info
    assert info is not None
    desk.settings = desk.settings.model_copy(update={"web_folder": tmp_path / "archivo" / "web"})
    asking.ask_for_evidence(desk.store.orders, info.id, desk.clock.now(), who="eva", address="")
    sent = desk.approved([3, 4])
    said = turn(desk).said
    assert desk.store.get(sent.id).state is not ProposalState.APPROVED
    assert [one for one in said if "paquete de evidencia" in one]
    (order,) = desk.store.orders.open()
    assert order.state is OrderState.DOING


@pytest.mark.postgres
def test_a_server_that_does_not_answer_keeps_no_message_from_being_delivered(desk: Desk, monkeypatch):
    def away(*_: Any) -> None:
        raise StorageTrouble("El servidor no responde.", code="pg-unreachable")

    delivered = list[bool]()
    monkeypatch.setattr(sender, "make_ledger", away)
    monkeypatch.setattr(Turn, "_deliver", lambda _self: delivered.append(True))
    assert turn(desk).said == ["El servidor no responde."]
    assert delivered == [True]
