"""The states of a certificate and the rules C1 to C8."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.domain import certificates as rules
from pipeline.domain.certificates import Certificate, Event, State
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import WrongUsage

NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 29)
RUC, OTHER = "155668001-2-2018", "8-PE-3824-523"
FREE = frozenset({date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 10)})


def record(state: State = State.IN_PROCESS, **changes) -> Certificate:
    return replace(Certificate(1, 1, RUC, state, requested_on=date(2026, 11, 18)), **changes)


def complete(since: datetime = NOW - timedelta(days=30), until: datetime = NOW + timedelta(days=335), **changes):
    return record(State.COMPLETE, **{"valid_from": since, "valid_until": until, **changes})


# ------------------------------------------------------------------------------------------------------------- states


def test_a_request_that_was_accepted_and_is_ready_is_complete():
    state = None
    for event in (Event.REQUESTED, Event.ACCEPTED, Event.READY):
        state = rules.moved(state, event)
    assert state is State.COMPLETE


def test_nothing_leaves_an_end_state():
    for event in Event:
        with pytest.raises(WrongUsage) as refused:
            rules.moved(State.EXPIRED, event)
        assert refused.value.code == "certificado-estado"
        assert "haga una nueva solicitud" in refused.value.sentence


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (None, Event.READY),
        (State.IN_PROCESS, Event.REQUESTED),
        (State.REJECTED, Event.ACCEPTED),
        (State.REJECTED, Event.READY),
        (State.COMPLETE, Event.REJECTED),
        (State.REJECTED, Event.EDITED),
    ],
)
def test_a_move_that_the_table_does_not_have_is_refused_with_what_can_be_done(state, event):
    with pytest.raises(WrongUsage) as refused:
        rules.moved(state, event)
    assert refused.value.remedy


def test_what_is_complete_has_ended_when_its_end_has_passed_before_anybody_wrote_it():
    one = complete(until=NOW)
    assert rules.state_of(one, NOW - timedelta(seconds=1)) is State.COMPLETE
    assert rules.state_of(one, NOW) is State.EXPIRED


def test_it_is_active_from_its_first_moment_and_not_at_its_last():
    one = complete(since=NOW, until=NOW + timedelta(days=1))
    assert not rules.is_active(one, NOW - timedelta(seconds=1))
    assert rules.is_active(one, NOW)
    assert not rules.is_active(one, NOW + timedelta(days=1))


# ----------------------------------------------------------------------------------------------------------------- C1


def test_c1_weekends_and_free_days_are_no_working_days():
    assert rules.due_on(date(2026, 10, 28), FREE) == date(2026, 11, 12)


def test_c1_without_free_days_eight_working_days_are_a_week_and_three_days():
    assert rules.due_on(date(2026, 11, 16), ()) == date(2026, 11, 26)


def test_c1_the_day_is_told_as_people_write_it():
    assert rules.review_words(date(2026, 11, 12)) == "Consulte el estado a más tardar el 12/11/2026"


# -------------------------------------------------------------------------------------------------------- C2, C3, C4


@pytest.mark.parametrize("words", ["", "   ", "no"])
def test_c2_a_rejection_without_observations_is_refused(words):
    with pytest.raises(WrongUsage) as refused:
        rules.check_rejection(words)
    assert refused.value.code == "certificado-observaciones"


def test_c2_a_rejection_that_says_what_to_correct_is_taken():
    rules.check_rejection("Falta la cédula del representante legal.")


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (None, NOW, "Faltan las fechas"),
        (NOW, None, "Faltan las fechas"),
        (NOW, NOW, "antes de comenzar"),
        (NOW - timedelta(days=9), NOW, "ya venció el 29/11/2026"),
    ],
)
def test_c3_dates_that_are_missing_turned_around_or_past_are_refused(since, until, words):
    with pytest.raises(WrongUsage, match=words):
        rules.check_validity(since, until, NOW)


def test_c3_a_certificate_may_begin_tomorrow():
    rules.check_validity(NOW + timedelta(days=1), NOW + timedelta(days=2), NOW)


def test_c3_a_ruc_in_the_certificate_is_the_issuers_or_a_person_confirms_it():
    rules.check_subject(RUC, [], confirmed=False)
    rules.check_subject(RUC, [f"00{RUC}"], confirmed=False)
    rules.check_subject(RUC, [OTHER], confirmed=True)
    with pytest.raises(WrongUsage, match=OTHER):
        rules.check_subject(RUC, [OTHER], confirmed=False)


def test_c4_a_certificate_is_edited_only_while_it_is_active():
    rules.check_editable(complete(), NOW)
    with pytest.raises(WrongUsage, match="venció el"):
        rules.check_editable(complete(until=NOW - timedelta(days=1)), NOW)
    with pytest.raises(WrongUsage, match="vale desde el"):
        rules.check_editable(complete(since=NOW + timedelta(days=1)), NOW)


def test_c4_who_ends_a_certificate_says_why():
    rules.check_reason("Revocado: se perdió la llave")
    with pytest.raises(WrongUsage, match="motivo"):
        rules.check_reason(" ")


# ------------------------------------------------------------------------------------------------------------- C5, C6


def test_c5_a_new_request_opens_eleven_months_after_the_start():
    since = datetime(2026, 1, 31, 9, 0, tzinfo=PANAMA)
    assert rules.renewal_from(since) == datetime(2026, 12, 31, 9, 0, tzinfo=PANAMA)


def test_c5_a_month_that_is_shorter_opens_on_its_last_day():
    assert rules.renewal_from(datetime(2026, 3, 31, tzinfo=PANAMA)).date() == date(2027, 2, 28)


def test_c5_before_that_day_the_request_leads_to_the_certificate_that_is_valid():
    one = complete(since=datetime(2026, 1, 15, tzinfo=PANAMA), until=datetime(2027, 1, 15, tzinfo=PANAMA))
    opens = datetime(2026, 12, 15, tzinfo=PANAMA)
    with pytest.raises(WrongUsage) as refused:
        rules.check_request(RUC, [one], opens - timedelta(seconds=1))
    assert refused.value.code == "certificado-vigente"
    assert "vigente hasta el 15/01/2027" in refused.value.sentence
    assert "«anular certs show 1»" in refused.value.sentence
    rules.check_request(RUC, [one], opens)


def test_c6_with_a_request_open_a_second_one_leads_to_the_first():
    for state in rules.OPEN:
        with pytest.raises(WrongUsage) as refused:
            rules.check_request(f" 0{RUC}", [record(state)], NOW)
        assert refused.value.code == "certificado-en-curso"
        assert "«anular certs show 1»" in refused.value.sentence


def test_c6_another_issuers_request_and_a_rejected_one_are_in_nobodys_way():
    rules.check_request(RUC, [record(ruc=OTHER), record(State.REJECTED)], NOW)


def test_of_several_the_one_that_ends_last_counts():
    early, late = complete(id=1), complete(id=2, until=NOW + timedelta(days=700))
    ended, asked = complete(id=3, until=NOW - timedelta(days=1)), record(id=4)
    assert rules.the_one([early, late, ended, asked], NOW) == late
    assert rules.the_one([ended, asked], NOW) == ended
    assert rules.the_one([record(id=4), record(State.REJECTED, id=3)], NOW) == record(id=4)
    assert rules.the_one([], NOW) is None


# ----------------------------------------------------------------------------------------------------------------- C7


def due(day: date) -> date:
    return rules.due_on(day, ())


@pytest.mark.parametrize(
    ("left", "told"), [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (1, 7), (0, 0), (-3, 0)]
)
def test_c7_the_nearest_reminder_that_has_come_is_due_also_when_its_day_was_missed(left, told):
    end = rules.end_of(TODAY + timedelta(days=left))
    found = rules.reminders([complete(until=end)], NOW, due)
    assert [one.key for one in found] == ([] if told is None else [f"certificado:1:{end.date()}:{told}"])


def test_c7_the_days_are_counted_in_panama():
    evening = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)  # still the 29th in Panama
    end = rules.end_of(date(2027, 1, 29))
    assert rules.reminders([complete(until=end)], evening, due) == []
    assert rules.reminders([complete(until=end)], evening + timedelta(hours=4), due) != []


def test_c7_only_the_one_that_ends_last_is_told_of():
    soon = complete(id=1, until=NOW + timedelta(days=5))
    assert rules.reminders([soon, complete(id=2)], NOW, due) == []


def test_c7_a_request_is_told_of_the_day_after_its_own_and_only_while_it_waits_for_an_answer():
    one = record(requested_on=date(2026, 11, 17))  # to be looked after on the 27th
    last = datetime(2026, 11, 28, 4, 59, tzinfo=UTC)
    assert rules.reminders([one], last, due) == []
    (found,) = rules.reminders([one], last + timedelta(minutes=1), due)
    assert (found.kind, found.day) == ("solicitud", date(2026, 11, 27))
    assert rules.reminders([replace(one, state=State.ACCEPTED)], NOW, due) == []


def test_c7_a_request_that_is_overdue_is_told_beside_the_end():
    asked = record(id=2, requested_on=date(2026, 11, 16))
    found = rules.reminders([complete(until=NOW + timedelta(days=5)), asked], NOW, due)
    assert [(one.kind, one.certificate.id) for one in found] == [("fin", 1), ("solicitud", 2)]
    assert found[1].day == date(2026, 11, 26)


# ----------------------------------------------------------------------------------------------------------------- C8

UNTIL = NOW + timedelta(hours=2)


def told(records, issuers=(RUC,)) -> list[str]:
    return [one.code for one in rules.findings(issuers, records, NOW, UNTIL)]


def test_c8_a_company_that_never_registered_a_certificate_hears_nothing():
    assert told([]) == []


def test_c8_an_issuer_without_a_record_is_a_note_and_never_blocked():
    (found,) = rules.findings([OTHER], [complete()], NOW, UNTIL)
    assert (found.code, found.blocks) == ("certificado-sin-registro", False)


def test_c8_a_valid_certificate_says_nothing():
    assert told([complete()]) == []


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (record(), "certificado-incompleto"),
        (record(State.REJECTED), "certificado-incompleto"),
        (complete(until=NOW), "certificado-vencido"),
        (complete(until=NOW + timedelta(hours=1)), "certificado-por-vencer"),
        (complete(since=NOW + timedelta(minutes=1)), "certificado-incompleto"),
        (record(State.EXPIRED, valid_from=NOW - timedelta(9), valid_until=NOW - timedelta(1)), "certificado-vencido"),
    ],
)
def test_c8_what_cannot_be_used_until_the_batch_ends_is_found(one, code):
    (found,) = rules.findings([RUC], [one], NOW, UNTIL)
    assert (found.code, found.blocks, found.issuer) == (code, True, RUC)


def test_c8_a_renewal_that_begins_tomorrow_is_no_trouble_while_the_old_one_is_valid():
    old, new = complete(id=1), complete(id=2, since=NOW + timedelta(days=1), until=NOW + timedelta(days=700))
    assert told([old, new]) == []


# --------------------------------------------------------------------------------------------------------------- days


@pytest.mark.parametrize("text", ["12/11/2026", " 12/11/2026 ", "12-11-2026", "2026-11-12"])
def test_a_day_is_read_as_people_and_programs_write_it(text):
    assert rules.day_in(text) == date(2026, 11, 12)


@pytest.mark.parametrize(
    "text",
    ["", "31/02/2026", "12/11/26", "11/2026", "2026/11/12", "mañana", "１２/11/2026", "31/12/9999", "0001-01-01"],
)
def test_what_is_no_day_is_none(text):
    assert rules.day_in(text) is None


def test_a_typed_day_is_whole_in_panama():
    day = date(2026, 11, 12)
    assert rules.start_of(day).isoformat() == "2026-11-12T00:00:00-05:00"
    assert rules.last_day(rules.end_of(day)) == day
    assert rules.last_day(rules.start_of(day)) == day - timedelta(days=1)
