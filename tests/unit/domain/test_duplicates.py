"""One CUFE, several rows: duplicates, conflicts, and what has no trace in the ledger."""

from __future__ import annotations

import pytest

from pipeline.domain.duplicates import Basis, Entry, believed, rule
from pipeline.domain.lifecycle import State
from pipeline.domain.outcomes import READY_WORD, Outcome
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import Leader, Position, Seen, Verdict

CODE = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"


def entry(pos: int, reason: str = "Error en el monto", email: str | None = None, earlier: str = "") -> Entry:
    return Entry(pos, Position("Hoja1", pos + 1), CODE, reason, email, earlier)


def known(reason: str = "Error en el monto", email: str | None = None) -> dict[str, Seen]:
    sha = payload_sha256(CODE, reason, email)
    return {CODE: Seen(CODE, "L-1", 4, Position("Datos", 9), sha, State.CANCELLED)}


def test_a_row_alone_is_accepted() -> None:
    assert [one.verdict for one in rule([entry(1)], {})] == [Verdict.ACCEPTED]


def test_the_first_of_equal_rows_leads_and_the_others_mirror_it() -> None:
    first, *others = rule([entry(1), entry(3), entry(4)], {})
    assert first.verdict is Verdict.ACCEPTED
    assert [(one.verdict, one.leader) for one in others] == [
        (Verdict.DUPLICATE, Leader(None, 1, Position("Hoja1", 2)))
    ] * 2


@pytest.mark.parametrize("other", [entry(2, reason="Otro motivo cualquiera"), entry(2, email="a@x.pa")])
def test_contradicting_rows_are_all_conflicts(other: Entry) -> None:
    rulings = rule([entry(1), other, entry(3)], {})
    assert [(one.verdict, one.basis) for one in rulings] == [(Verdict.CONFLICT, Basis.FILE)] * 3


def test_what_the_ledger_holds_with_the_same_payload_is_a_duplicate_of_it() -> None:
    rulings = rule([entry(1), entry(2)], known())
    assert [(one.verdict, one.leader) for one in rulings] == [
        (Verdict.DUPLICATE, Leader("L-1", 4, Position("Datos", 9)))
    ] * 2


def test_what_the_ledger_holds_with_another_payload_is_a_conflict_with_it() -> None:
    (ruling,) = rule([entry(1)], known(email="b@x.pa"))
    assert (ruling.verdict, ruling.basis) == (Verdict.CONFLICT, Basis.LEDGER)


NOT_A_TRACE = {Outcome.REJECTED, Outcome.NOT_SENT, Outcome.NOT_APPLICABLE}
ASIDE = {Outcome.CONFLICT, Outcome.WITHDRAWN}


def test_a_row_that_a_review_calls_ready_may_be_taken_in() -> None:
    assert rule([entry(1, earlier=READY_WORD)], {})[0].verdict is Verdict.ACCEPTED
    assert rule([entry(1, earlier=READY_WORD)], known())[0].verdict is Verdict.DUPLICATE


@pytest.mark.parametrize("word", [one.value for one in Outcome if one not in NOT_A_TRACE | ASIDE])
def test_an_earlier_outcome_that_the_ledger_does_not_know_waits_for_a_person(word: str) -> None:
    (ruling,) = rule([entry(1, earlier=word)], {})
    assert (ruling.verdict, ruling.basis, ruling.word) == (Verdict.HELD, Basis.NO_TRACE, word)
    (ruling,) = rule([entry(1, earlier=word)], known())
    assert ruling.verdict is Verdict.DUPLICATE


@pytest.mark.parametrize("word", [*sorted(one.value for one in ASIDE), "conflicto", " Retirada "])
def test_a_row_that_was_set_aside_before_waits_for_a_person(word: str) -> None:
    """Its CUFE may be in another batch, or somebody took it back: nobody decided to send it now."""
    (ruling,) = rule([entry(1, earlier=word)], {})
    assert (ruling.verdict, ruling.basis) == (Verdict.HELD, Basis.SET_ASIDE)
    assert rule([entry(1, earlier=word)], known())[0].verdict is Verdict.DUPLICATE


def test_in_the_ledger_that_made_the_workbook_only_words_about_sending_and_taking_back_are_heeded() -> None:
    words = {n: one.value for n, one in enumerate(Outcome)} | {90: "ya lo corregí", 91: " resultado  desconocido "}
    kept = believed(words, known=True)
    assert {words[n] for n in words.keys() - kept.keys()} == {Outcome.CONFLICT.value, "ya lo corregí"}
    assert believed(words, known=False) == words


@pytest.mark.parametrize("word", ["", *sorted(one.value for one in NOT_A_TRACE), "rechazada", " NO  ENVIADA "])
def test_an_earlier_outcome_that_sent_nothing_is_taken_again(word: str) -> None:
    assert rule([entry(1, earlier=word)], {})[0].verdict is Verdict.ACCEPTED


def test_a_duplicate_beside_its_leader_follows_the_leader() -> None:
    rejected = rule([entry(1, earlier="RECHAZADA"), entry(2, earlier="DUPLICADA")], {})
    assert [one.verdict for one in rejected] == [Verdict.ACCEPTED, Verdict.DUPLICATE]
    for pair in ([entry(1, earlier="ANULADA"), entry(2, earlier="DUPLICADA")], [entry(1), entry(2, earlier="ANULADA")]):
        assert [one.verdict for one in rule(pair, {})] == [Verdict.HELD, Verdict.DUPLICATE]


def test_an_unknown_earlier_word_is_no_proof_that_nothing_was_sent() -> None:
    assert rule([entry(1, earlier="Enviado por mí")], {})[0].verdict is Verdict.HELD
