"""The certificates of a proposal's issuers: seen by who approves, noted with the batch, blocking if so asked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from pipeline.approvals.store import Proposal
from pipeline.certificates.check import in_note
from pipeline.certificates.registry import Dates, Registry
from pipeline.domain.certificates import Certificate, State
from pipeline.domain.errors import NotApproved
from pipeline.domain.lifecycle import Event
from pipeline.domain.proposals import ProposalState
from pipeline.office import tables
from tests.support.desk import Desk

RUC = "29-29-29"


def certificate_until(desk: Desk, days: float) -> None:
    """Registers a certificate of the issuer of every file here, which ends so many days from now."""
    now = desk.clock.now()
    asked = Certificate(0, 0, RUC, State.IN_PROCESS)
    Registry(desk.office, desk.settings, "ana").register(asked, Dates(now - timedelta(9), now + timedelta(days)), now)


def seen(desk: Desk, proposal: Proposal) -> list[str]:
    """What its approval says of certificates."""
    event = tables.proposal_event.c
    found = desk.office.read(select(event.data).where(event.proposal == proposal.id, event.event == "approved"))
    return list(json.loads(found[0].data)["certificates"])


def test_nobody_who_registered_none_hears_of_them(desk: Desk):
    one = desk.approved([1])
    done = desk.carry(one)
    assert seen(desk, one) == []
    assert done.info is not None
    assert in_note(done.info.notes) == ""


def test_one_that_has_ended_is_part_of_what_is_approved_and_of_the_notes_of_the_batch(desk: Desk):
    certificate_until(desk, 1)
    desk.later(days=2)
    one = desk.approved([1])
    done = desk.carry(one)
    assert "venció" in seen(desk, one)[0]
    assert done.info is not None
    assert "venció" in in_note(done.info.notes)
    assert sum(desk.posts.values()) == 1


def test_where_it_blocks_nobody_approves(desk: Desk):
    certificate_until(desk, 1)
    desk.later(days=2)
    desk.settings = desk.settings.model_copy(update={"cert_policy": "block"})
    one = desk.propose(desk.file([1]))
    with pytest.raises(NotApproved) as refused:
        desk.approve(one)
    assert (refused.value.code, refused.value.exit_code) == ("approval-certificate", 7)
    assert desk.store.get(one.id).state is ProposalState.WAITING


def test_one_that_ends_after_the_approval_keeps_what_is_not_begun_and_a_new_one_lets_it_go(desk: Desk):
    certificate_until(desk, 1)
    desk.settings = desk.settings.model_copy(update={"cert_policy": "block"})
    one = desk.approved([1])
    desk.later(days=2)
    with pytest.raises(NotApproved, match="certificado digital"):
        desk.carry(one)
    assert [done.trouble.code for done in desk.sweep() if done.trouble] == ["approval-certificate"]
    assert not desk.posts

    certificate_until(desk, 300)
    assert desk.carry(one).proposal.state is ProposalState.ENDED
    assert sum(desk.posts.values()) == 1


def test_a_sending_that_stopped_goes_on_only_with_a_certificate_that_counts(desk: Desk):
    certificate_until(desk, 1)
    desk.settings = desk.settings.model_copy(update={"cert_policy": "block"})
    one = desk.approved([1, 2])
    desk.stops_after = 1
    assert desk.carry(one).proposal.state is ProposalState.STOPPED
    desk.later(days=2)
    with pytest.raises(NotApproved, match="certificado digital"):
        desk.carry(one)
    assert sum(desk.posts.values()) == 1


def test_of_a_batch_that_the_folder_held_the_release_says_it_in_the_ledger(desk: Desk):
    certificate_until(desk, 1)
    info = desk.run(desk.file([1, 2]), held=True)
    desk.later(days=2)
    one = desk.approve(desk.propose_batch(info))
    done = desk.carry(one)
    assert done.proposal.state is ProposalState.ENDED
    with desk.memory() as memory:
        notes = [line.note for line in memory.views.log(info) if line.event is Event.APPROVED]
    assert len(notes) == 2
    assert all("venció" in in_note([note]) for note in notes)
    desk.verified()
