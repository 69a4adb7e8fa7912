"""A resend: one row, asked about once more right before it leaves, sent at most once per authorisation (2.5.4)."""

from __future__ import annotations

import httpx
import pytest

from pipeline import decide
from pipeline.domain.errors import Bug, ServiceUnclear, WrongUsage
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Finding, Source
from pipeline.ledger.decisions import standing
from pipeline.ledger.verify import examine
from pipeline.report.lines import outcome_of

SIGNED = {"who": "Ana", "why": "Visto en el portal: no consta."}
MISSING = Finding(Source.QUERY, Event.NOT_FOUND, http=200, estado=18)


@pytest.fixture
def lost(scene, say):
    """One row whose answer was an HTTP 500: nobody knows."""
    s = scene(1)
    s.on_post[1] = [say(None, 500), say("2")]
    s.run(s.sending())
    assert s.states == [State.UNKNOWN]
    return s


def at(s):
    return standing(s.book.database, s.info, 5)


def authorise(s, finding=MISSING):
    return decide.authorise(s.book.store, at(s), finding, now=s.book.now, **SIGNED)


def test_the_authorisation_is_in_the_ledger_before_anything_leaves_and_says_who_why_and_what_was_seen(lost):
    attempt = authorise(lost)

    (ready,) = lost.book.views.ready(lost.info.id)
    assert (ready.attempt, ready.number, ready.possible_duplicate, ready.preflight) == (attempt, 2, True, 18)
    decision, retry = list(lost.book.views.log(lost.info))[-2:]
    assert (decision.event, decision.who, decision.estado) == (Event.RESEND, "Ana", 18)
    assert decision.note.startswith("Reenvío autorizado [resend]; consulta previa: 18, ")
    assert (retry.event, retry.target) == (Event.RETRY, State.READY)
    assert len(lost.posts) == 1


def test_a_row_that_is_still_missing_as_the_person_saw_it_is_sent_once(lost, say):
    authorise(lost)
    lost.on_query[1] = [say(18)]
    lost.run(lost.sending())
    lost.run(lost.sending())

    assert (lost.states, len(lost.posts)) == ([State.CANCELLED], 2)
    (line,) = lost.book.views.lines(lost.info)
    assert (line.attempts, line.decided_by) == (2, "Ana")
    assert examine(lost.book.database).good


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ((11,), State.ALREADY_CANCELLED),
        ((5,), State.REVIEW),
        ((20,), State.REVIEW),
        ((6,), State.REVIEW),
        ((99,), State.REVIEW),
    ],
)
def test_what_has_changed_since_the_person_looked_is_not_sent(lost, say, reply, state):
    authorise(lost)
    lost.on_query[1] = [say(*reply)]
    lost.run(lost.sending())

    assert (lost.states, len(lost.posts)) == ([state], 1)


def test_a_row_found_alive_may_go(lost, say):
    authorise(lost)
    lost.on_query[1] = [say(2)]
    lost.run(lost.sending())

    assert (lost.states, len(lost.posts)) == ([State.CANCELLED], 2)


def test_without_an_answer_that_the_person_did_not_agree_to_nothing_is_sent_and_the_row_stays_ready(lost, say):
    authorise(lost)
    lost.on_query[1] = [say(None, 500)]
    lost.run(lost.sending())

    assert (lost.states, len(lost.posts)) == ([State.READY], 1)
    assert isinstance(lost.stop_reason, ServiceUnclear)


def test_a_person_may_agree_to_no_answer(lost, say):
    authorise(lost, Finding(Source.QUERY, Event.UNCLEAR, note="read-timeout"))
    lost.on_query[1] = [say(None, 500)]
    lost.run(lost.sending())

    assert (lost.states, len(lost.posts)) == ([State.CANCELLED], 2)


def test_a_resend_without_an_answer_is_unknown_again_and_needs_another_decision(lost, say):
    lost.on_post[1] = [say(None, 500)]
    authorise(lost)
    lost.on_query[1] = [say(18)]
    lost.run(lost.sending())
    lost.run(lost.sending())

    assert (lost.states, len(lost.posts)) == ([State.UNKNOWN], 2)


def test_a_resend_that_was_cut_off_before_it_left_goes_on_without_a_second_authorisation(lost):
    first = authorise(lost)
    found = at(lost)

    assert decide.interrupted_resend(found)
    decide.check_resendable(found)
    assert decide.authorise(lost.book.store, found, MISSING, now=lost.book.now, **SIGNED) == first


def test_two_people_cannot_both_authorise_one_resend(lost):
    found = at(lost)
    authorise(lost)

    with pytest.raises(Bug):
        decide.authorise(lost.book.store, found, MISSING, now=lost.book.now, **SIGNED)

    assert len(lost.book.views.ready(lost.info.id)) == 1


@pytest.mark.parametrize("refused", [httpx.ConnectError("no"), (None, 401)])
def test_a_resend_that_could_not_leave_keeps_its_code_as_the_first_request_may_have_arrived(lost, say, refused):
    authorise(lost)
    lost.on_post[1] = [say(*refused) if isinstance(refused, tuple) else refused] * 9
    lost.on_query[1] = [say(18)]
    lost.run(lost.sending())

    (line,) = lost.book.views.lines(lost.info)
    assert (line.state, outcome_of(line)) == (State.REVIEW, Outcome.UNKNOWN)
    assert line.cufe in lost.book.views.seen([line.cufe or ""]), "no other file may send it"
    lost.book.store.reopen(lost.info.id, lost.book.now)
    assert lost.book.views.ready(lost.info.id) == []
    authorise(lost)
    lost.on_post[1] = [say("2")]
    lost.run(lost.sending())
    assert lost.states == [State.CANCELLED]
    assert examine(lost.book.database).good


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (Event.UNCLEAR, Event.CANCELLED, State.CANCELLED),
        (Event.IN_PROGRESS, Event.ALREADY, State.ALREADY_CANCELLED),
        (Event.PERSON, Event.CANCELLED, State.ALREADY_CANCELLED),
        (Event.NOT_FOUND, Event.CANCELLED, State.ALREADY_CANCELLED),
        (Event.SUPPORT, Event.CANCELLED, State.ALREADY_CANCELLED),
        (Event.CORRECT, Event.ALREADY, State.ALREADY_CANCELLED),
        (Event.RETURNED, Event.CANCELLED, State.ALREADY_CANCELLED),
    ],
)
def test_what_the_query_proves_cancelled_is_closed_with_that_evidence(book, row, before, event, after):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], before)
    finding = Finding(Source.QUERY, event, http=200, estado=11, body=b'{"estadoEdoc":11}')

    decide.found_cancelled(book.store, standing(book.database, info, 5), finding, book.now)

    (line,) = book.views.lines(info)
    assert (line.state, line.estado, line.source) == (after, 11, Source.QUERY)
    assert examine(book.database).good


@pytest.mark.parametrize("event", [Event.CANCELLED, Event.ALREADY, Event.NOTHING_LEFT, None])
def test_what_is_cancelled_or_was_never_sent_cannot_be_resent(book, row, event):
    info = book.take([row(1)])
    if event is not None:
        book.send(book.views.ready(info.id)[0], event)

    with pytest.raises(WrongUsage, match="no se puede reenviar"):
        decide.check_resendable(standing(book.database, info, 5))


@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        (Event.CANCELLED, decide.Before.CANCELLED),
        (Event.ALREADY, decide.Before.CANCELLED),
        (Event.IN_PROGRESS, decide.Before.IN_FLIGHT),
        (Event.ALIVE, decide.Before.ALIVE),
        *((event, decide.Before.DOUBT) for event in (Event.NOT_FOUND, Event.UNCLEAR, Event.SUPPORT, Event.RETURNED)),
    ],
)
def test_the_answer_before_a_resend_means_one_of_four_things(event, meaning):
    assert decide.read_before(Finding(Source.QUERY, event), State.UNKNOWN) is meaning


@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        (Event.CANCELLED, decide.Before.CANCELLED),
        (Event.ALIVE, decide.Before.ALIVE),
        *(
            (event, decide.Before.IN_FLIGHT)
            for event in (Event.IN_PROGRESS, Event.NOT_FOUND, Event.UNCLEAR, Event.SUPPORT, Event.RETURNED)
        ),
    ],
)
def test_a_row_that_edoc_had_in_progress_is_resent_only_when_edoc_says_that_it_is_alive(event, meaning):
    assert decide.read_before(Finding(Source.QUERY, event), State.PENDING) is meaning
