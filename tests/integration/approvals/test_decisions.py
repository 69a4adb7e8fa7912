"""What people decide about a proposal: each refusal has its own code and sentence, and changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from pipeline.approvals.decisions import Consent, reason, submit
from pipeline.approvals.decisions import approve as approve_proposal
from pipeline.approvals.store import Proposals
from pipeline.domain.errors import InputRefused, NotApproved, StorageTrouble, WrongUsage
from pipeline.domain.proposals import ProposalState
from pipeline.office import tables
from pipeline.office.place import place_of
from tests.support.desk import Desk


def refused(call, *given, **more) -> NotApproved:
    with pytest.raises(NotApproved) as caught:
        call(*given, **more)
    assert caught.value.exit_code == 7
    assert caught.value.sentence
    return caught.value


def test_a_proposal_keeps_what_is_approved_and_the_bytes_of_its_file(desk: Desk):
    file = desk.file([1, 2])
    one = desk.propose(file)
    assert (one.state, one.to_send, one.rows) == (ProposalState.WAITING, 2, 2)
    assert (one.people.prepared_by, one.people.submitted_by, one.people.approved_by) == ("ana", "ana", "")
    assert desk.store.file(one.id) == file.read_bytes()
    assert len(desk.store.hashes(one.id)) == 2
    assert one.expires == one.changed + timedelta(hours=72)


def test_a_file_of_more_than_one_piece_comes_back_whole(desk: Desk):
    file = desk.file(range(1, 12_000))
    assert file.stat().st_size > tables.CHUNK
    one = desk.propose(file)
    assert desk.store.file(one.id) == file.read_bytes()
    assert len(desk.office.read(select(tables.upload_chunk.c.n))) == 2


def test_each_step_has_one_event_that_says_who_from_where_and_why(desk: Desk):
    one = desk.decline(desk.propose(desk.file([1])))
    told = [(event.version, event.event, event.who, event.before, event.after, event.why, event.address)
            for event in desk.store.events(one.id)]  # fmt: skip
    assert told == [
        (1, "uploaded", "ana", "", "CHECKING", "", "terminal"),
        (2, "checked", "ana", "CHECKING", "DRAFT", "", "terminal"),
        (3, "submitted", "ana", "DRAFT", "WAITING", "", "terminal"),
        (4, "declined", "luis", "WAITING", "DECLINED", "no es correcto", "terminal"),
    ]


def test_an_event_cannot_be_changed(desk: Desk):
    desk.propose(desk.file([1]))
    change = update(tables.proposal_event).values(who="otra")
    with pytest.raises((DBAPIError, StorageTrouble)), desk.office.write() as connection:
        connection.execute(change)
    assert {event.who for event in desk.store.events(1)} == {"ana"}


def test_the_same_bytes_lead_to_the_open_proposal(desk: Desk):
    file = desk.file([1])
    one = desk.propose(file)
    assert desk.propose(file, who="eva").id == one.id
    desk.decline(one)
    assert desk.propose(file, who="eva").id != one.id


def test_the_same_bytes_that_are_a_batch_say_which(desk: Desk):
    file = desk.file([1])
    info = desk.run(file)
    with pytest.raises(InputRefused, match=info.id) as caught:
        desk.propose(file)
    assert caught.value.code == "proposal-known"
    assert desk.store.open() == []


def test_a_file_of_which_nothing_can_be_sent_is_no_proposal(desk: Desk):
    desk.run(desk.file([1, 2], name="otro.csv"))
    assert refused(desk.propose, desk.file([1])).code == "approval-nothing"


@pytest.mark.parametrize("who", ["ana", "eva"])
def test_nobody_approves_what_they_prepared_or_submitted(desk: Desk, who):
    one = desk.propose(desk.file([1]))
    with desk.office.write() as connection:
        connection.execute(update(tables.proposal).values(submitted_by="eva"))
    error = refused(desk.approve, desk.store.get(one.id), who=who)
    assert error.code == "approval-own"
    assert who in error.message
    assert desk.store.get(one.id).state is ProposalState.WAITING


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"count": 2}, "approval-count"),
        ({"count": None}, "approval-count"),
        ({"digest": "0000-0000-0000-0000"}, "approval-digest"),
        ({"digest": "f" * 64}, "approval-digest"),
        ({"hidden": 3}, "approval-hidden"),
        ({"version": 2}, "approval-changed"),
    ],
)
def test_an_approval_that_does_not_fit_changes_nothing_and_says_why(desk: Desk, said, code):
    one = desk.propose(desk.file([1, 2, 3]))
    before = desk.store.events(one.id)
    assert refused(desk.approve, one, **said).code == code
    assert (desk.store.get(one.id), desk.store.events(one.id)) == (one, before)


def test_the_digest_may_be_named_short_or_whole(desk: Desk):
    one = desk.propose(desk.file([1]))
    assert desk.approve(one, digest=one.digest[:16].upper()).state is ProposalState.APPROVED
    other = desk.propose(desk.file([2]))
    assert desk.approve(other, digest=other.digest).state is ProposalState.APPROVED


def test_each_of_several_issuers_is_confirmed(desk: Desk):
    file = desk.file([1])
    other = desk.file([2], name="otro.csv", issuer="29-29-28")
    lines = other.read_text().splitlines()[1:]
    file.write_text(file.read_text() + "\n".join(lines) + "\n")
    one = desk.propose(file)
    issuers = one.content["issuers"]
    assert len(issuers) == 2
    assert refused(desk.approve, one).code == "approval-issuers"
    assert refused(desk.approve, one, issuers=issuers[:1]).code == "approval-issuers"
    assert desk.approve(one, issuers=issuers).state is ProposalState.APPROVED


def test_what_is_approved_is_not_approved_again_and_what_is_declined_not_at_all(desk: Desk):
    one = desk.approved([1])
    assert refused(desk.approve, one, who="eva").code == "approval-state"
    other = desk.decline(desk.propose(desk.file([2])))
    assert refused(desk.approve, other).code == "approval-state"
    assert "no es correcto" in refused(desk.approve, other).message


def test_of_two_who_approve_at_once_one_wins_and_the_other_is_told(desk: Desk):
    one = desk.propose(desk.file([1]))
    office = place_of(desk.settings.office).open(desk.clock.now())
    second = Proposals(office, "", "sandbox", hours=72)

    def approve(who: str, store: Proposals) -> str:
        try:
            return approve_proposal(
                store, one, Consent(1), desk.clock.now(), desk.settings, who=who, two=True
            ).people.approved_by
        except NotApproved as error:
            return error.code

    with ThreadPoolExecutor(2) as both:
        said = list(both.map(approve, ["luis", "eva"], [desk.store, second]))
    office.close()
    assert "approval-changed" in said
    assert desk.store.get(one.id).people.approved_by in said
    assert [event.event for event in desk.store.events(one.id)].count("approved") == 1


def test_nobody_approves_too_late(desk: Desk):
    one = desk.propose(desk.file([1]))
    desk.later(hours=72)
    assert refused(desk.approve, one).code == "approval-expired"
    assert desk.store.get(one.id).state is ProposalState.EXPIRED
    assert desk.store.get(one.id).why == "nadie la aprobó a tiempo"


def test_a_clock_that_went_back_approves_nothing(desk: Desk):
    one = desk.propose(desk.file([1]))
    desk.later(minutes=-6)
    assert refused(desk.approve, one).code == "approval-clock"
    desk.later(minutes=2)
    assert desk.approve(one).changed >= one.changed, "clocks of one office differ by a little"


def test_the_preparer_takes_back_and_another_declines(desk: Desk):
    assert desk.decline(desk.propose(desk.file([1])), who="ana").state is ProposalState.DISCARDED
    assert desk.decline(desk.propose(desk.file([2])), who="luis").state is ProposalState.DECLINED


def test_an_approved_one_is_ended_by_a_person_with_a_reason(desk: Desk):
    one = desk.approved([1])
    assert desk.decline(one, who="eva").state is ProposalState.ENDED
    assert refused(desk.carry, one).code == "approval-missing"
    assert desk.posts == {}


def test_a_reason_is_a_sentence(desk: Desk):
    for text in ("", "no", "x" * 501, "malo\x1b[2J"):
        with pytest.raises(WrongUsage):
            reason(text)


def test_another_company_has_no_such_proposal(desk: Desk):
    one = desk.propose(desk.file([1]))
    theirs = Proposals(desk.office, "otra", "sandbox", hours=72)
    assert theirs.open() == []
    assert refused(theirs.get, one.id).code == refused(desk.store.get, 99).code == "approval-unknown"
    production = Proposals(desk.office, "", "production", hours=72)
    assert production.open() == []


def test_a_draft_that_a_kill_left_behind_is_submitted_by_the_same_command(desk: Desk):
    draft = desk.draft(desk.file([1]))
    kept, _ = desk.store.add(draft, desk.clock.now(), who="ana")
    assert kept.state is ProposalState.DRAFT
    again = desk.propose(desk.file([1]))
    assert (again.id, again.state) == (kept.id, ProposalState.WAITING)


def test_another_person_does_not_submit_somebodys_draft(desk: Desk):
    draft = desk.draft(desk.file([1]))
    kept, _ = desk.store.add(draft, desk.clock.now(), who="ana")
    assert desk.propose(desk.file([1]), who="luis").state is ProposalState.DRAFT
    assert refused(submit, desk.store, kept, desk.clock.now(), who="luis").code == "approval-not-yours"


def test_a_draft_is_forgotten_after_thirty_days(desk: Desk):
    kept, _ = desk.store.add(desk.draft(desk.file([1])), desk.clock.now(), who="ana")
    desk.later(days=29)
    assert desk.store.sweep(desk.clock.now()) == []
    desk.later(days=1)
    (ended,) = desk.store.sweep(desk.clock.now())
    assert (ended.id, ended.state) == (kept.id, ProposalState.DISCARDED)
    assert ended.why == "nadie pidió su aprobación en 30 días"
