"""Between approval and sending: at most what was approved, once, and each refusal with its own sentence."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import update

from pipeline.approvals import carry
from pipeline.approvals.carry import text_of
from pipeline.approvals.store import Proposal
from pipeline.domain.approval_digest import Content, joined
from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.errors import NotApproved
from pipeline.domain.lifecycle import HELD_ON_ARRIVAL
from pipeline.domain.proposals import ProposalState
from pipeline.office import tables
from tests.support.desk import Desk, make_cufe


def codes(*numbers: int) -> dict[str, int]:
    return {make_cufe(number): 1 for number in numbers}


def test_what_one_prepared_and_another_approved_is_sent_once(desk: Desk):
    one = desk.approved([1, 2, 3])
    done = desk.carry(one)

    assert (done.trouble, done.dropped, done.proposal.state) == (None, (), ProposalState.ENDED)
    assert desk.posts == codes(1, 2, 3)
    desk.verified()


def test_the_ledger_says_who_approved_who_prepared_and_exactly_what(desk: Desk):
    one = desk.approved()
    done = desk.carry(one)

    assert done.info is not None
    assert done.info.approved_by == text_of(one) == f"terminal: luis aprobó; ana preparó; huella {one.digest}"
    assert ApprovedBy.read(done.info.approved_by) == ApprovedBy("terminal", "luis", "ana", one.digest)


def test_done_again_nothing_is_sent_again(desk: Desk):
    one = desk.approved()
    desk.carry(one)
    with pytest.raises(NotApproved) as refused:
        desk.carry(one)
    assert refused.value.code == "approval-missing"
    assert desk.sweep() == []
    assert desk.posts == codes(1, 2, 3)


def test_what_nobody_approved_is_not_sent(desk: Desk):
    one = desk.propose(desk.file([1]))
    with pytest.raises(NotApproved, match="«Por aprobar»") as refused:
        desk.carry(one)
    assert (refused.value.code, refused.value.exit_code) == ("approval-missing", 7)
    assert desk.posts == {}


def test_what_one_person_approved_alone_is_not_sent_where_two_are_asked_for_by_then(desk: Desk):
    desk.two = False
    one = desk.approve(desk.propose(desk.file([1])), who="ana")
    desk.two = True
    with pytest.raises(NotApproved) as refused:
        desk.carry(one)
    assert refused.value.code == "approval-alone"
    assert [done.trouble.code for done in desk.sweep() if done.trouble] == ["approval-alone"]
    assert desk.posts == {}
    desk.two = False
    done = desk.carry(one)
    assert done.info is not None
    assert (done.info.approved_by or "").startswith("terminal: ana aprobó; ana preparó; huella ")


# --- what changed meanwhile


def test_the_file_in_the_folder_may_change_and_the_stored_one_is_sent(desk: Desk):
    file = desk.file([1, 2])
    one = desk.approve(desk.propose(file))
    desk.file([7, 8, 9])
    desk.carry(one)
    assert desk.posts == codes(1, 2)


def test_stored_bytes_that_changed_are_not_sent(desk: Desk):
    desk.approved()
    with desk.office.write() as connection:
        connection.execute(update(tables.upload_chunk).values(data=b"CUFE,Motivo\n"))
    done = desk.sweep()
    assert done[0].trouble is not None
    assert done[0].trouble.code == "proposal-damaged"
    assert desk.posts == {}


def test_an_approved_content_that_was_edited_is_not_sent(desk: Desk):
    one = desk.approved()
    edited = json.dumps({**one.content, "to_send": 9}, sort_keys=True, separators=(",", ":"))
    with desk.office.write() as connection:
        connection.execute(update(tables.proposal).values(canonical=edited))
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.EXPIRED
    assert "ya no corresponde a su huella" in done.proposal.why
    assert desk.posts == {}


def test_hashes_that_were_edited_are_no_approval(desk: Desk):
    one = desk.approved([1])
    with desk.office.write() as connection:
        connection.execute(update(tables.proposal_hashes).values(hashes=b"\0" * 32))
    assert desk.carry(one).proposal.state is ProposalState.EXPIRED
    assert desk.posts == {}


def test_the_same_file_taken_in_by_a_run_meanwhile_ends_the_proposal(desk: Desk):
    file = desk.file([1, 2])
    one = desk.approve(desk.propose(file))
    info = desk.run(file)
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.EXPIRED
    assert info.id in done.proposal.why
    assert desk.posts == {}


def test_rows_that_another_batch_took_meanwhile_are_listed_and_not_sent(desk: Desk):
    one = desk.approved([1, 2, 3])
    info = desk.run(desk.file([2], name="otro.csv"))
    desk.settled(info)
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.ENDED
    assert done.dropped == ("1 factura de las aprobadas ya no se envían: se repiten en otro lote, o ya no cumplen",)
    assert desk.posts == codes(1, 2, 3)


def test_when_all_of_it_is_elsewhere_by_then_it_ends_and_no_batch_is_made(desk: Desk):
    one = desk.approved([1])
    desk.settled(desk.run(desk.file([1, 9], name="otro.csv")))
    done = desk.carry(one)
    assert (done.info, done.proposal.state) == (None, ProposalState.ENDED)
    assert desk.posts == codes(1, 9)


def test_rows_that_became_late_meanwhile_are_listed_and_not_sent(desk: Desk):
    desk.clock.moment = desk.clock.moment.replace(month=11, day=25, hour=10)
    one = desk.approve(desk.propose(desk.file([1, 2], day="20261118")))
    desk.later(hours=71)  # 182 hours from the 18th end on the 25th
    done = desk.carry(one)
    assert (done.info, done.proposal.state) == (None, ProposalState.ENDED)
    assert "2 facturas de las aprobadas pasaron el plazo legal" in done.proposal.why
    assert "nota de crédito" in done.proposal.why
    assert desk.posts == {}


def test_rows_that_were_late_when_they_were_approved_are_sent(desk: Desk):
    desk.later(days=30)
    one = desk.approved([1])
    assert one.content["late"] == 1
    desk.carry(one)
    assert desk.posts == codes(1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deadline_hours": 200}, "el plazo legal configurado ya no es el mismo"),
        ({"company": "Otra S.A."}, "el nombre de la empresa ya no es el mismo"),
        ({"notify_email": "a@empresa.com"}, "3 facturas no están entre las aprobadas"),
    ],
)
def test_settings_that_changed_end_it(desk: Desk, change, words):
    one = desk.approved()
    desk.settings = desk.settings.model_copy(update=change)
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.EXPIRED
    assert words in done.proposal.why
    assert desk.posts == {}


def test_issuers_that_are_not_allowed_any_more_are_not_sent(desk: Desk):
    one = desk.approved()
    desk.settings = desk.settings.model_copy(update={"issuers": frozenset({"155-1-1"})})
    done = desk.carry(one)
    assert (done.info, done.proposal.state) == (None, ProposalState.ENDED)
    assert desk.posts == {}


@pytest.mark.sqlite
def test_another_ledger_in_the_same_place_ends_it(desk: Desk, tmp_path):
    one = desk.approved()
    desk.settings = desk.settings.model_copy(update={"ledger": f"sqlite:///{tmp_path / 'otro' / 'registro.db'}"})
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.EXPIRED
    assert "el historial de envíos ya no es el mismo" in done.proposal.why
    assert desk.posts == {}


# --- time


def test_an_approval_that_nobody_began_in_time_has_lapsed(desk: Desk):
    one = desk.approved()
    desk.later(hours=72)
    with pytest.raises(NotApproved):
        desk.carry(one)
    assert desk.store.get(one.id).state is ProposalState.EXPIRED
    assert desk.posts == {}


def test_an_approval_does_not_lapse_once_it_was_begun(desk: Desk):
    one = desk.approved()
    desk.stops_after = 1
    desk.carry(one)
    desk.later(hours=100)
    desk.carry(one)
    assert desk.posts == codes(1, 2, 3)


def test_a_clock_that_went_back_sends_nothing(desk: Desk):
    one = desk.approved()
    desk.later(hours=-1)
    with pytest.raises(NotApproved) as refused:
        desk.carry(one)
    assert refused.value.code == "approval-clock"
    assert desk.posts == {}
    desk.later(hours=1)
    desk.carry(one)
    assert desk.posts == codes(1, 2, 3)


# --- stopped, continued, ended


def test_a_stop_holds_the_rest_in_the_ledger_and_whoever_continues_releases_it(desk: Desk):
    one = desk.approved([1, 2, 3])
    desk.stops_after = 1
    done = desk.carry(one)
    assert done.trouble is not None
    assert done.proposal.state is ProposalState.STOPPED
    assert desk.counts(done.proposal.batch) == {"ANULADA": 1, "RETENIDA": 2}
    assert desk.sweep() == [], "it waits for a person"

    done = desk.carry(one, who="eva")

    assert done.proposal.state is ProposalState.ENDED
    assert desk.posts == codes(1, 2, 3)
    assert [event.who for event in desk.store.events(one.id) if event.event == "continued"] == ["eva"]
    desk.verified()


def test_a_stopped_one_that_is_ended_takes_back_what_was_not_sent(desk: Desk):
    one = desk.approved([1, 2, 3])
    desk.stops_after = 1
    done = desk.carry(one)
    ended = desk.give_up(done.proposal)
    assert ended.state is ProposalState.ENDED
    assert desk.counts(done.proposal.batch) == {"ANULADA": 1, "RETIRADA": 2}
    assert desk.posts == codes(1)
    again = desk.approved([2, 3], name="otra vez.csv")
    desk.carry(again)
    assert desk.posts == codes(1, 2, 3)


# --- what the drop folder held


def test_a_batch_that_the_folder_held_is_released_by_an_approval(desk: Desk):
    info = desk.run(desk.file([1, 2]), held=True)
    one = desk.approve(desk.propose_batch(info))
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.ENDED
    assert desk.posts == codes(1, 2)
    with desk.memory() as memory:
        told = [line.who for line in memory.views.log(info) if line.event.value == "approved"]
    assert told == [text_of(one)] * 2
    desk.verified()


def test_rows_of_it_that_a_person_withdrew_meanwhile_are_not_sent(desk: Desk):
    from pipeline import decide
    from pipeline.ledger.decisions import standing

    info = desk.run(desk.file([1, 2]), held=True)
    one = desk.approve(desk.propose_batch(info))
    with desk.memory() as memory:
        row = standing(memory.database, info, 2)
        decide.withdraw(memory.store, row, who="ana", why="no hace falta", now=desk.clock.now())
    desk.carry(one)
    assert desk.posts == codes(2)


def test_what_another_person_released_before_is_not_approved_again(desk: Desk):
    info = desk.run(desk.file([1]), held=True)
    one = desk.approve(desk.propose_batch(info))
    with desk.memory() as memory:
        memory.store.approve(memory.views.waiting(info.id, HELD_ON_ARRIVAL), desk.clock.now(), who="otra")
    done = desk.carry(one)
    assert (done.info, done.proposal.state) == (None, ProposalState.ENDED)


def test_two_files_that_share_rows_are_sent_once(desk: Desk):
    one, other = desk.approved([1, 2, 3]), desk.approved([2, 3, 4], name="otro.csv")
    desk.carry(one)
    desk.carry(other)
    assert desk.posts == codes(1, 2, 3, 4)


def test_a_row_of_its_batch_that_nobody_approved_keeps_all_of_it_back(desk: Desk):
    """Whatever made it ready: nothing leaves of a batch in which a row is ready that nobody approved."""
    info = desk.run(desk.file([1, 2, 3]), held=True)
    with desk.memory() as memory:
        first = memory.views.waiting(info.id, HELD_ON_ARRIVAL)[:1]
        memory.store.approve(first, desk.clock.now(), who="otra")
    one = desk.approve(desk.propose_batch(info))
    assert one.to_send == 2
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.STOPPED
    assert "hay facturas por enviar que no están entre las aprobadas" in done.proposal.why
    assert desk.counts(info.id) == {"RETENIDA": 3}
    assert desk.posts == {}


@pytest.mark.parametrize("change", [{"approved_by": "luis"}, {"submitted_by": "eva", "prepared_by": "eva"}])
def test_people_that_are_not_those_of_the_events_are_no_approval(desk: Desk, change):
    desk.two = False
    one = desk.approve(desk.propose(desk.file([1])), who="ana")
    desk.two = True
    with desk.office.write() as connection:
        connection.execute(update(tables.proposal).values(**change))
    done = desk.carry(desk.store.get(one.id))
    assert done.proposal.state is ProposalState.EXPIRED
    assert "no es lo que dicen sus eventos" in done.proposal.why
    assert desk.posts == {}


def test_a_digest_that_was_edited_with_all_that_belongs_to_it_is_no_approval(desk: Desk):
    one = desk.approved([1, 2, 3])
    kept = desk.store.hashes(one.id)
    said = {name: value for name, value in one.content.items() if name not in ("format", "payloads", "to_send")}
    days = {name: date.fromisoformat(said[name]) for name in ("first_issue", "last_issue")}
    other = Content(**{**said, **days, "issuers": tuple(said["issuers"]), "payloads": (*kept, kept[0])})
    values = {"canonical": other.canonical, "digest": other.digest, "to_send": 4}
    with desk.office.write() as connection:
        connection.execute(update(tables.proposal).values(values))
        connection.execute(update(tables.proposal_hashes).values(hashes=joined(other.payloads)))
    assert desk.carry(one).proposal.state is ProposalState.EXPIRED
    assert desk.posts == {}


# --- killed in the middle


class Killed(BaseException):
    """The program ended here."""


def killed_at(desk: Desk, point: str, one: Proposal) -> None:
    def die(name: str) -> None:
        if name == point:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carry, "crashpoint", die)
        with pytest.raises(Killed):
            desk.carry(one)


def test_begun_and_killed_before_midnight_it_is_taken_in_under_the_name_that_was_given(desk: Desk):
    one = desk.approved()
    killed_at(desk, "approval-begun", one)
    named = desk.store.get(one.id).batch
    desk.later(hours=20)
    done = desk.carry(one)
    assert done.info is not None
    assert (done.info.id, done.proposal.batch) == (named, named)
    assert desk.posts == codes(1, 2, 3)
    desk.verified()


def test_begun_and_killed_and_then_somebody_else_took_all_of_it(desk: Desk):
    one = desk.approved([1, 2])
    killed_at(desk, "approval-begun", one)
    assert desk.store.get(one.id).state is ProposalState.SENDING
    desk.settled(desk.run(desk.file([1, 2, 9], name="otro.csv")))
    done = desk.carry(one)
    assert (done.info, done.proposal.state) == (None, ProposalState.ENDED)
    assert desk.posts == codes(1, 2, 9)


def test_begun_and_killed_and_then_a_setting_changed(desk: Desk):
    one = desk.approved([1])
    killed_at(desk, "approval-begun", one)
    desk.settings = desk.settings.model_copy(update={"deadline_hours": 24})
    assert desk.carry(one).proposal.state is ProposalState.EXPIRED
    assert desk.posts == {}


@pytest.mark.parametrize(
    ("point", "state"),
    [("approval-begun", ProposalState.EXPIRED), ("approval-taken-in", ProposalState.STOPPED)],
)
def test_begun_and_killed_before_the_first_row_left_it_lapses_too(desk: Desk, point, state):
    one = desk.approved([1])
    killed_at(desk, point, one)
    desk.later(hours=73)
    done = desk.carry(one)
    assert done.proposal.state is state
    assert "a tiempo" in done.proposal.why
    assert desk.posts == {}


@pytest.mark.parametrize("by_the_sender", [False, pytest.param(True, marks=pytest.mark.sqlite)])  # on a server: workers
def test_taken_in_and_killed_it_is_gone_on_with(desk: Desk, by_the_sender: bool):
    one = desk.approved([1, 2])
    killed_at(desk, "approval-taken-in", one)
    (done,) = desk.sweep() if by_the_sender else [desk.carry(one)]
    assert done.proposal.state is ProposalState.ENDED
    assert desk.posts == codes(1, 2)


def test_what_is_only_followed_sends_nothing(desk: Desk):
    """A row that somebody else's decision made ready is not sent under an approval that was used."""
    one = desk.approved([1])
    killed_at(desk, "approval-session-ended", one)
    with desk.office.write() as connection:
        connection.execute(update(tables.proposal).values(state="FOLLOWING"))
    info = desk.run(desk.file([5], name="otro.csv"))
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.ENDED
    assert desk.counts(info.id) == {"NO ENVIADA": 1}
    assert desk.posts == codes(1)


@pytest.mark.sqlite
def test_the_sender_puts_on_hold_what_another_run_keeps_busy_and_sends_it_later(desk: Desk):
    desk.approved([1])
    with desk.memory():
        (waits,) = desk.sweep()
    assert (waits.proposal.state, desk.posts) == (ProposalState.ON_HOLD, {})
    (done,) = desk.sweep()
    assert (done.proposal.state, desk.posts) == (ProposalState.ENDED, codes(1))
