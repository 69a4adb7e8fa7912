"""Reminders: in the words of section C7, each told once, whoever looks and however many."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller

from pipeline.certificates.registry import Dates, Registry
from pipeline.certificates.reminders import remind
from pipeline.domain.certificates import Certificate, State
from pipeline.office import outbox
from pipeline.office.place import place_of
from pipeline.settings.model import Settings
from tests.support import ledgers
from tests.support.certificates import Box, free_port, settings_with

NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)
RUC = "155668001-2-2018"
ASKED = Certificate(0, 0, RUC, State.IN_PROCESS, "EMPRESA, S.A.", request="S-1", requested_on=date(2026, 11, 12))


def mailing(port: int) -> Settings:
    return settings_with(
        mail_host="127.0.0.1", mail_port=port, mail_security="none", mail_from="a@e.com", mail_to=frozenset({"b@e.com"})
    )


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def server(box):
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def registry(office, server):
    return Registry(office, mailing(server.port), "ana")


def complete(registry: Registry, days: float) -> Certificate:
    dates = Dates(NOW - timedelta(days=300), NOW + timedelta(days=days))
    return registry.register(ASKED, dates, NOW)


def test_a_reminder_says_who_what_and_when_and_what_to_do(registry, box):
    complete(registry, 20)
    done = remind(registry, NOW)
    assert done.sent == ["El certificado digital de 155668001-2-2018 vence el 19/12/2026"]
    ((subject, text),) = box.mails
    assert subject == done.sent[0]
    assert "del emisor 155668001-2-2018 (EMPRESA, S.A.) vence el 19/12/2026." in text
    assert "La nueva solicitud se abre el 02/01/2027." in text
    assert "«anular certs show 1»" in text


def test_each_is_told_once_and_the_next_when_its_day_comes(registry, box):
    complete(registry, 60)
    for day in range(63):
        remind(registry, NOW + timedelta(days=day))
    assert [subject.partition(" vence")[0] for subject in box.subjects[:3]] == [
        "El certificado digital de 155668001-2-2018"
    ] * 3
    assert len(box.mails) == 4  # 60, 30, 7 days before, and the day itself
    assert registry.all()[0].state is State.EXPIRED


def test_a_request_without_an_answer_is_told_after_its_eighth_working_day(registry, box):
    registry.request(ASKED, NOW)
    assert remind(registry, datetime(2026, 11, 24, 20, tzinfo=UTC)).due == []
    remind(registry, datetime(2026, 11, 25, 20, tzinfo=UTC))
    ((subject, text),) = box.mails
    assert subject == "Consulte la solicitud de certificado digital de 155668001-2-2018"
    assert "Consulte el estado a más tardar el 24/11/2026: esa fecha ya pasó." in text


def test_a_rejection_that_waits_is_sent_with_its_own_subject(registry, box):
    one = registry.request(ASKED, NOW)
    registry.reject(one.id, "Falta la cédula", NOW)
    remind(registry, NOW)
    remind(registry, NOW)
    ((subject, text),) = box.mails
    assert subject == "Rechazo solicitud de certificado digital"
    assert "Observaciones: Falta la cédula" in text


def test_what_could_not_be_sent_is_sent_at_the_next_look(office, box):
    port = free_port()
    registry = Registry(office, mailing(port), "ana")
    complete(registry, 20)
    assert "No se pudo avisar por el correo" in remind(registry, NOW).warnings[0]
    late = Controller(box, hostname="127.0.0.1", port=port)
    late.start()
    try:
        assert len(remind(registry, NOW).sent) == 1
        assert remind(registry, NOW).sent == []
    finally:
        late.stop()
    assert len(box.mails) == 1


def test_without_recipients_nothing_is_put_aside_for_a_later_day(office):
    registry = Registry(office, settings_with(), "ana")
    complete(registry, 20)
    done = remind(registry, NOW)
    assert (len(done.due), done.sent) == (1, [])
    assert outbox.waiting(office, "") == []


def test_another_company_does_not_send_these(registry, office, box):
    complete(registry, 20)
    other = Registry(office, registry.settings.model_copy(update={"profile": "otra"}), "luis")
    assert remind(other, NOW).due == []
    assert box.mails == []


def look(url: str, port: int, gate) -> None:
    office = place_of(url).open(NOW)
    gate.wait(60)
    remind(Registry(office, mailing(port), "ana"), NOW)
    office.close()


def test_four_processes_at_once_tell_each_thing_once(tmp_path, server, box):
    with ledgers.fresh(tmp_path, tables=False) as url:
        office = place_of(url).open(NOW)
        registry = Registry(office, mailing(server.port), "ana")
        for number in range(5):
            ruc = replace(ASKED, ruc=f"{number + 1}-123-456")
            registry.register(ruc, Dates(NOW - timedelta(days=300), NOW + timedelta(days=7)), NOW)
        context = multiprocessing.get_context("spawn")
        gate = context.Barrier(4)
        processes = [context.Process(target=look, args=(url, server.port, gate)) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
            assert process.exitcode == 0
        assert outbox.waiting(office, "") == []
        office.close()
    assert len(box.mails) == 5
    assert len(set(box.subjects)) == 5
