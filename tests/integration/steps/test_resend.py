"""A resend: one row, asked about once more right before it leaves, sent at most once per authorisation (2.5.4)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from pipeline import decide
from pipeline.domain.errors import Bug, ServiceUnclear, WrongUsage
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Correction, Finding, Source
from pipeline.ledger.decisions import standing
from pipeline.ledger.verify import examine
from pipeline.report.lines import outcome_of, row_of

SIGNED: dict[str, Any] = {"who": "Ana", "why": "Visto en el portal: no consta."}
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


# --- other texts than before: only of what was given back

NEW = Correction("Factura emitida con el monto equivocado", "contabilidad@empresa.com")
GIVEN_BACK = Finding(Source.QUERY, Event.CORRECT, http=200, estado=6)


@pytest.fixture(params=[6, 15])
def given_back(request, scene, say):
    """One row that the authority (6) or eDoc before it (15) gave back; its query says the same."""
    s = scene(1)
    s.on_post[1], s.on_query[1] = [say(request.param), say("2")], [say(request.param)]
    s.run(s.sending())
    s.said = s.heard[-1][1]
    return s


def corrected(s, finding=None, correction=NEW):
    seen = finding or Finding(Source.QUERY, s.said.event, http=200, estado=s.said.estado)
    return decide.authorise(s.book.store, at(s), seen, now=s.book.now, correction=correction, **SIGNED)


def bodies(s):
    return [json.loads(one.content) for one in s.provider.requests if one.method == "POST" and b"cufe" in one.content]


def test_what_was_given_back_is_sent_again_with_the_corrected_texts_after_a_query_and_only_once(given_back):
    s = given_back
    corrected(s)
    asked = len(s.queries)
    s.run(s.sending())
    s.run(s.sending())

    first, second = bodies(s)
    assert first["motivoAnulacion"] == "Error en el monto facturado"
    assert (second["motivoAnulacion"], second["correoNotificacion"]) == (NEW.reason, NEW.email)
    assert (s.states, len(s.posts), len(s.queries)) == ([State.CANCELLED], 2, asked + 1)


def test_both_texts_stand_in_the_ledger_and_in_the_results(given_back):
    s = given_back
    corrected(s)
    s.run(s.sending())

    (line,) = s.book.views.lines(s.info)
    assert (line.reason, line.email, line.correction) == ("Error en el monto facturado", None, NEW)
    remarks = str(row_of(line).added.observaciones)
    assert f"Se reenvió con otro motivo: «{NEW.reason}» (antes «Error en el monto facturado»)." in remarks
    assert "Se reenvió con otro correo: «contabilidad@empresa.com» (antes ninguno)." in remarks
    (told,) = [one for one in s.book.views.log(s.info) if one.event is Event.RESEND]
    assert f"Se reenvía con el motivo «{NEW.reason}»; correo: «{NEW.email}»." in told.note
    assert examine(s.book.database).good


def test_a_corrected_resend_that_was_cut_off_goes_on_with_the_corrected_texts(given_back):
    s = given_back
    corrected(s)
    s.book.store.begin_run(s.book.now)  # another process, another day

    found = at(s)
    assert (found.reason, found.email) == (NEW.reason, NEW.email)
    assert decide.correction_of(found, None, None) is None
    assert decide.correction_of(found, NEW.reason, NEW.email) is None
    with pytest.raises(WrongUsage, match="ya se autorizó"):
        decide.correction_of(found, "Otro motivo, todavía más claro", None)
    s.run(s.sending())
    assert bodies(s)[-1]["motivoAnulacion"] == NEW.reason


def test_what_was_corrected_once_stays_corrected_in_every_further_try(given_back, say):
    s = given_back
    s.on_post[1] = [httpx.ConnectError("no"), say(None, 500), say("2")]
    corrected(s)
    s.run(s.sending())
    assert s.states == [State.UNKNOWN]
    authorise(s, Finding(Source.QUERY, Event.ALIVE, http=200, estado=2))
    s.on_query[1] = [say(2)]
    s.run(s.sending())

    assert [one["motivoAnulacion"] for one in bodies(s)][-2:] == [NEW.reason, NEW.reason]
    assert (s.states, at(s).reason) == ([State.CANCELLED], NEW.reason)
    assert examine(s.book.database).good


@pytest.mark.parametrize("reply", [(11,), (5,), (20,), (99,), (18,), (4,)])
def test_a_corrected_resend_leaves_only_on_the_same_plain_answer_once_more_or_alive(given_back, say, reply):
    s = given_back
    corrected(s)
    s.on_query[1] = [say(*reply)]
    s.run(s.sending())

    assert len(s.posts) == 1


def test_a_refusal_that_repeats_the_state_is_not_the_answer_that_a_corrected_resend_was_agreed_on(given_back, say):
    s = given_back
    corrected(s, Finding(Source.QUERY, Event.ALIVE, http=200, estado=2))
    s.on_query[1] = [say(2, 400)]
    s.run(s.sending())

    assert (s.states, len(s.posts)) == ([State.REVIEW], 1)


@pytest.mark.parametrize(
    "finding",
    [
        MISSING,
        Finding(Source.QUERY, Event.UNCLEAR, note="read-timeout"),
        Finding(Source.QUERY, Event.UNCLEAR, http=200, estado=6),
        Finding(Source.QUERY, Event.CORRECT, http=200, dgi="1601"),
        Finding(Source.QUERY, Event.CORRECT, http=200, estado=5, dgi="0100"),
        Finding(Source.QUERY, Event.SUPPORT, http=200, estado=4),
    ],
    ids=["18", "nothing", "unclear-6", "code-alone", "in-transit", "4"],
)
def test_other_texts_need_the_proof_that_the_first_request_was_not_accepted(given_back, finding):
    with pytest.raises(WrongUsage, match="no confirma que la anulación se devolvió"):
        decide.check_not_accepted(at(given_back), finding)
    with pytest.raises(Bug):  # and the ledger does not take it, whoever asks
        corrected(given_back, finding)
    assert given_back.book.views.ready(given_back.info.id) == []


@pytest.mark.parametrize("finding", [GIVEN_BACK, Finding(Source.QUERY, Event.ALIVE, http=200, estado=2)])
def test_a_document_given_back_or_alive_may_carry_other_texts(given_back, finding):
    decide.check_not_accepted(at(given_back), finding)


def test_a_row_of_unknown_outcome_is_never_sent_with_other_texts(lost):
    with pytest.raises(WrongUsage, match="Solo se corrige"):
        decide.correction_of(at(lost), "Factura emitida con el monto equivocado", None)
    with pytest.raises(Bug):
        corrected(lost, Finding(Source.QUERY, Event.ALIVE, http=200, estado=2))


@pytest.mark.parametrize(
    ("reason", "email", "code"),
    [
        ("corto", None, "motivo-corto"),
        ("", None, "motivo-vacio"),
        ("x" * 1001, None, "motivo-largo"),
        ("Un motivo con \x07 en medio del texto", None, "motivo-control"),
        (None, "nadie", "correo-invalido"),
        (None, "a@b.com, c@d.com", "correo-varios"),
        (None, f"{'a' * 100}@empresa.com", "correo-largo"),
        ("Error en el  monto facturado ", None, "nothing-corrected"),
        (None, " ", "nothing-corrected"),
    ],
)
def test_corrected_texts_are_held_to_the_rules_of_the_input(given_back, reason, email, code):
    with pytest.raises(WrongUsage) as caught:
        decide.correction_of(at(given_back), reason, email)
    assert caught.value.code == code


def test_what_is_not_corrected_stays_and_blanks_are_collapsed_as_in_a_file(given_back):
    found = at(given_back)

    assert decide.correction_of(found, None, None) is None
    assert decide.correction_of(found, "Otro  motivo,\u200b más claro ", None) == Correction(
        "Otro motivo, más claro", None
    )
    told = decide.correction_of(found, None, " contabilidad@empresa.com ")
    assert told == Correction("Error en el monto facturado", "contabilidad@empresa.com")
    assert decide.correction_facts(found, told) == [
        ("Correo de antes", "ninguno"),
        ("Correo nuevo", "contabilidad@empresa.com"),
    ]
    assert [
        name for name, _ in decide.correction_facts(found, Correction("Anulaci\ufffdn por error de monto", None))
    ] == [
        "Motivo nuevo",
        "Aviso",
    ]
