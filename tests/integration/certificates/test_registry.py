"""The records of one company: each change is judged, written once and kept in the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from pipeline.certificates.registry import CLOCK, REJECTED_SUBJECT, Dates, Registry
from pipeline.domain.certificates import Certificate, State
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.office import outbox
from pipeline.office.tables import certificate_event
from tests.support.certificates import settings_with

NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
RUC = "155668001-2-2018"
ASKED = Certificate(0, 0, RUC, State.IN_PROCESS, request="S-1", requested_on=date(2026, 11, 18), mail="a@e.com")
DATES = Dates(NOW - timedelta(days=1), NOW + timedelta(days=365), "1a2b", "f" * 64, (RUC,))


def refused(act, *given, code: str) -> None:
    with pytest.raises(WrongUsage) as error:
        act(*given)
    assert error.value.code == code


def test_a_request_is_kept_and_followed_to_its_certificate(registry):
    one = registry.request(ASKED, NOW)
    registry.accept(one.id, NOW)
    registry.complete(one.id, DATES, LATER)
    (kept,) = registry.all()
    assert kept == replace(
        ASKED,
        id=one.id,
        version=3,
        state=State.COMPLETE,
        valid_from=DATES.valid_from,
        valid_until=DATES.valid_until,
        serial="1a2b",
        fingerprint="f" * 64,
        source="archivo",
    )
    assert [(line.event, line.before, line.after, line.who) for line in registry.log(one.id)] == [
        ("solicitada", "", "En trámite", "ana"),
        ("aceptada", "En trámite", "Aceptado", "ana"),
        ("lista", "Aceptado", "Completado", "ana"),
    ]


def test_a_rejection_says_what_to_correct_and_the_same_request_is_sent_again(registry):
    one = registry.request(ASKED, NOW)
    refused(registry.reject, one.id, "", NOW, code="certificado-observaciones")
    registry.reject(one.id, "Falta la cédula", NOW)
    again = registry.request_again(one.id, date(2026, 11, 29), LATER)
    assert (again.state, again.requested_on, again.observations) == (State.IN_PROCESS, date(2026, 11, 29), "")
    assert registry.log(one.id)[1].why == "Falta la cédula"


def test_a_rejection_is_mailed_in_the_same_transaction_where_there_is_whom_to_tell(office):
    given = settings_with(mail_host="127.0.0.1", mail_to=frozenset({"b@e.com"}))
    registry = Registry(office, given, "ana")
    one = registry.request(ASKED, NOW)
    registry.reject(one.id, "Falta la cédula", NOW)
    (message,) = outbox.waiting(office, "", "certificado:")
    assert message.notification["subject"] == REJECTED_SUBJECT == "Rechazo solicitud de certificado digital"
    assert "Observaciones: Falta la cédula" in message.notification["lines"]


def test_without_anybody_to_tell_nothing_waits_to_be_sent(registry, office):
    one = registry.request(ASKED, NOW)
    registry.reject(one.id, "Falta la cédula", NOW)
    assert outbox.waiting(office, "") == []


def test_a_second_request_leads_to_the_first(registry):
    registry.request(ASKED, NOW)
    refused(registry.request, replace(ASKED, ruc=f"0{RUC}", request="S-2"), NOW, code="certificado-en-curso")


def test_a_certificate_that_there_is_already_is_registered_at_once(registry):
    one = registry.register(ASKED, DATES, NOW)
    assert (one.state, one.version) == (State.COMPLETE, 2)
    refused(registry.request, replace(ASKED, request="S-2"), NOW, code="certificado-vigente")


def test_a_certificate_of_another_ruc_is_confirmed_in_words(registry):
    other = replace(DATES, rucs=("8-1-1",))
    refused(registry.register, ASKED, other, NOW, code="certificado-ruc")
    assert registry.all() == []
    registry.register(ASKED, replace(other, confirmed=True), NOW)


def test_an_edit_keeps_the_old_values_in_the_log(registry):
    one = registry.register(ASKED, DATES, NOW)
    registry.edit(one.id, {"holder": "EMPRESA, S.A."}, LATER)
    registry.edit(one.id, {}, LATER, Dates(None, NOW + timedelta(days=200)))
    edits = [line.data for line in registry.log(one.id)[2:]]
    assert edits[0] == {"holder": ["", "EMPRESA, S.A."]}
    assert edits[1]["valid_until"] == ["2027-11-29T15:00:00.000000Z", "2027-06-17T15:00:00.000000Z"]


@pytest.mark.parametrize("accepted", [False, True])
def test_a_request_under_way_is_corrected_and_what_was_typed_before_stays_in_the_log(registry, accepted):
    one = registry.request(ASKED, NOW)
    if accepted:
        one = registry.accept(one.id, NOW)
    done = registry.edit(one.id, {"request": "S-7", "requested_on": date(2026, 11, 17)}, LATER, version=one.version)
    assert (done.state, done.request, done.requested_on) == (one.state, "S-7", date(2026, 11, 17))
    assert registry.log(one.id)[-1].data == {"request": ["S-1", "S-7"], "requested_on": ["2026-11-18", "2026-11-17"]}
    refused(registry.edit, one.id, {"mail": "no"}, LATER, code="certificado-correo")
    refused(registry.edit, one.id, {}, LATER, DATES, code="certificado-opcion")
    refused(registry.edit, one.id, {"mail": "b@e.com"}, LATER, None, one.version, code="certificado-cambio")


def test_the_ruc_of_a_request_is_corrected_unless_another_one_is_in_the_way(registry):
    one = registry.request(replace(ASKED, ruc="8-123-456"), NOW)
    other = registry.request(ASKED, NOW)
    refused(registry.edit, one.id, {"ruc": RUC}, LATER, code="certificado-en-curso")
    registry.reject(other.id, "Falta la cédula", NOW)
    assert registry.edit(one.id, {"ruc": RUC}, LATER).ruc == RUC


def test_a_rejected_request_and_the_issuer_of_a_certificate_are_not_corrected(registry):
    one = registry.request(ASKED, NOW)
    registry.reject(one.id, "Falta la cédula", NOW)
    refused(registry.edit, one.id, {"request": "S-7"}, LATER, code="certificado-estado")
    again = registry.request_again(one.id, date(2026, 11, 18), NOW)
    registry.complete(again.id, DATES, NOW)
    refused(registry.edit, one.id, {"ruc": "8-123-456"}, LATER, code="certificado-opcion")
    refused(registry.edit, one.id, {"requested_on": date(2026, 11, 1)}, LATER, code="certificado-opcion")


def test_what_has_run_out_cannot_be_edited_whether_or_not_that_was_written(registry):
    one = registry.register(ASKED, DATES, NOW)
    after = NOW + timedelta(days=365)
    refused(registry.edit, one.id, {"holder": "x"}, after, code="certificado-estado")
    assert [found.id for found in registry.sweep(after)] == [one.id]
    assert registry.sweep(after) == []
    assert registry.all()[0].state is State.EXPIRED
    last = registry.log(one.id)[-1]
    assert (last.who, last.why) == (CLOCK, "Venció el 29/11/2027: haga una nueva solicitud")
    refused(registry.edit, one.id, {"holder": "x"}, after, code="certificado-estado")


def test_a_certificate_that_was_revoked_ends_at_once_and_a_new_request_opens(registry):
    one = registry.register(ASKED, DATES, NOW)
    refused(registry.end, one.id, "", LATER, code="certificado-motivo")
    ended = registry.end(one.id, "Se perdió la llave", LATER)
    assert (ended.state, ended.valid_until) == (State.EXPIRED, LATER)
    registry.request(replace(ASKED, request="S-2"), LATER)


def test_who_saw_an_older_version_changes_nothing(registry):
    one = registry.request(ASKED, NOW)
    registry.accept(one.id, NOW, 1)
    refused(registry.reject, one.id, "Falta la cédula", NOW, 1, code="certificado-cambio")
    assert registry.all()[0].state is State.ACCEPTED


@pytest.mark.parametrize(
    "settings",
    [settings_with().model_copy(update={"profile": "otra"}), settings_with(env="lab")],
    ids=["profile", "environment"],
)
def test_another_company_sees_nothing_and_can_change_nothing(registry, office, settings):
    one = registry.request(ASKED, NOW)
    other = Registry(office, settings, "luis")
    assert other.all() == []
    refused(other.one, one.id, code="certificado-no-esta")
    refused(other.log, one.id, code="certificado-no-esta")
    refused(other.accept, one.id, NOW, code="certificado-no-esta")
    other.request(ASKED, NOW)


def test_the_log_cannot_be_rewritten(registry, office):
    registry.request(ASKED, NOW)
    for statement in (update(certificate_event).values(who="otro"), delete(certificate_event)):
        with pytest.raises(StorageTrouble), office.write() as connection:
            connection.execute(statement)
    assert registry.log(registry.all()[0].id)[0].who == "ana"
