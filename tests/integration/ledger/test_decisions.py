"""Where a row stands for the person who decides, and what the ledger keeps of the decision."""

from __future__ import annotations

import pytest

from pipeline import decide
from pipeline.domain.errors import Bug, WrongUsage
from pipeline.domain.lifecycle import MOVES, Event, State
from pipeline.domain.outcomes import PREFLIGHT
from pipeline.domain.records import Finding, Source, Verdict
from pipeline.ledger.decisions import named_row, standing
from pipeline.ledger.moves import Move
from pipeline.ledger.verify import examine
from pipeline.report.lines import outcome_of

PERSON_MAY = sorted({state for state, event in MOVES if event is Event.RESOLVED}, key=str)
LEADS_TO = {
    State.UNKNOWN: Event.UNCLEAR,
    State.PENDING: Event.IN_PROGRESS,
    State.NEEDS_SUPPORT: Event.SUPPORT,
    State.NEEDS_CORRECTION: Event.CORRECT,
    State.RETURNED: Event.RETURNED,
    State.NOT_FOUND: Event.NOT_FOUND,
    State.REVIEW: Event.PERSON,
}


@pytest.mark.parametrize("state", PERSON_MAY)
def test_a_person_may_close_what_the_machine_cannot_decide(book, row, state):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], LEADS_TO[state])
    found = standing(book.database, info, 5)
    decide.check_resolvable(found)

    decide.resolve(book.store, found, decide.Decision.NOT_CANCELLED, who="Ana", why="Visto en el portal.", now=book.now)

    (line,) = book.views.lines(info)
    assert (found.state, line.state) == (state, State.CLOSED_BY_PERSON)
    assert (line.decided_by, line.decided_why) == (
        "Ana",
        "No quedó anulada [not-cancelled]. Motivo: Visto en el portal",
    )
    last = list(book.views.log(info))[-1]
    assert (last.event, last.who) == (Event.RESOLVED, "Ana")
    assert examine(book.database).good


@pytest.mark.parametrize("event", [Event.CANCELLED, Event.ALREADY, Event.NOTHING_LEFT, None])
def test_what_is_final_or_was_not_sent_is_nothing_to_decide(book, row, event):
    info = book.take([row(1)])
    if event is not None:
        book.send(book.views.ready(info.id)[0], event)

    with pytest.raises(WrongUsage, match="No hay nada que decidir"):
        decide.check_resolvable(standing(book.database, info, 5))


def test_a_row_that_moved_meanwhile_is_not_closed(book, row):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], Event.UNCLEAR)
    found = standing(book.database, info, 5)
    book.move(found.attempt, found.version, found.pos, State.UNKNOWN, Event.CANCELLED)

    with pytest.raises(Bug):
        decide.resolve(book.store, found, decide.Decision.NOT_CANCELLED, who="Ana", why="motivo", now=book.now)

    assert book.views.lines(info)[0].state is State.CANCELLED


@pytest.mark.parametrize(
    ("verdict", "words"),
    [(Verdict.REJECTED, "sus datos se rechazaron"), (Verdict.DUPLICATE, "decida sobre la fila que repite")],
)
def test_a_row_that_was_never_to_be_sent_has_nothing_to_decide(book, row, verdict, words):
    info = book.take([row(1, verdict)])

    with pytest.raises(WrongUsage, match=words):
        standing(book.database, info, 5)


def test_a_row_is_found_by_the_number_that_the_results_show(book, row):
    info = book.take([row(1), row(2)])

    assert [standing(book.database, info, number).pos for number in (5, 6)] == [1, 2]
    with pytest.raises(WrongUsage, match="no tiene la fila 1"):
        standing(book.database, info, 1)


@pytest.mark.parametrize("text", ["6", "fila 6", "Hoja1, fila 6", "«hoja1, fila 6»"])
def test_a_row_is_found_as_the_results_show_it(book, row, text):
    info = book.take([row(1), row(2)])

    assert named_row(book.database, info, text).pos == 2


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("fila 99", "no-row", "Las más cercanas: Hoja1, fila 7; Hoja1, fila 8; Hoja1, fila 9 "),
        ("fila 1", "no-row", "Las más cercanas: Hoja1, fila 5; Hoja1, fila 6; Hoja1, fila 7 "),
        ("Octubre, fila 6", "row-sheet", "se leyó de la hoja «Hoja1»; no hay filas de «Octubre»"),
        ("6, 7", "row-label", "no nombra una sola fila"),
    ],
)
def test_a_row_that_is_not_there_is_refused_with_those_that_are_near(book, row, text, code, words):
    info = book.take([row(n) for n in range(1, 6)])

    with pytest.raises(WrongUsage, match=words) as refused:
        named_row(book.database, info, text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("anulada", decide.Decision.CANCELLED),
        ("ANULADA ", decide.Decision.CANCELLED),
        ("cancelled", decide.Decision.CANCELLED),
        ("no-anulada", decide.Decision.NOT_CANCELLED),
        ("no anulada", decide.Decision.NOT_CANCELLED),
        ("not-cancelled", decide.Decision.NOT_CANCELLED),
    ],
)
def test_a_decision_is_named_in_spanish_or_by_its_code(text, decision):
    assert decide.decision_named(text) is decision


@pytest.mark.parametrize("text", ["", "si", "no", "anuladas", "noanulada"])
def test_any_other_word_is_no_decision(text):
    with pytest.raises(WrongUsage, match="anulada o no-anulada"):
        decide.decision_named(text)


@pytest.mark.parametrize(
    ("who", "why"), [("", "un motivo"), ("A", "un motivo"), ("Ana", "ok"), ("Ana\x07", "un motivo"), ("Ana", "x" * 501)]
)
def test_a_decision_is_signed_with_a_name_and_a_reason(who, why):
    with pytest.raises(WrongUsage):
        decide.signed(who, why)


def test_a_signature_is_kept_without_needless_spaces():
    assert decide.signed(" Ana  Pérez ", "caso\n4471 ") == ("Ana Pérez", "caso 4471")


@pytest.mark.parametrize("estado", [2, 18])
@pytest.mark.parametrize("event", [Event.UNCLEAR, Event.IN_PROGRESS])
def test_the_screen_says_the_word_that_the_workbook_says(book, row, event, estado):
    """A query's 2 is a row that is still alive, whoever shows it."""
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], event)
    (tracked,) = book.views.followed()
    told = Event.ALIVE if estado == 2 else Event.NOT_FOUND
    found = Finding(Source.QUERY, told, http=200, estado=estado)
    book.move(tracked.attempt, tracked.version, tracked.pos, tracked.state, told, found)

    (line,) = book.views.lines(info)
    word = standing(book.database, info, 5).outcome
    assert word is outcome_of(line)
    assert (word.value == "SIGUE AUTORIZADA") == (estado == 2)


def test_a_row_that_a_query_before_the_sending_held_back_is_shown_as_held_on_the_screen_too(book, row):
    info = book.take([row(1)])
    (ready,) = book.views.ready(info.id)
    found = Finding(Source.QUERY, Event.IN_PROGRESS, http=200, estado=5)
    wish = Move(ready.attempt, ready.version, info.id, 1, State.READY, Event.IN_PROGRESS, book.now, found, PREFLIGHT)
    book.store.apply([wish])

    (line,) = book.views.lines(info)
    assert standing(book.database, info, 5).outcome is outcome_of(line)
    assert outcome_of(line).value == "RETENIDA"
