"""The sender as a service: whose turn it is, how often, and how it ends; the turns themselves are doubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from pipeline.approvals import sender, service
from pipeline.approvals.orders import Orders, Wish
from pipeline.approvals.service import RETRY_S, Company, Service
from pipeline.approvals.work import is_alive
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.domain.orders import Kind, OrderState
from pipeline.office import outbox, tables
from pipeline.runtime.shutdown import Ending
from tests.support.desk import Desk, FixedClock

pytestmark = pytest.mark.sqlite  # a double takes the turns; the office is on a server in test_orders.py too


class Ticking(FixedClock):
    """A clock that only ``wait`` moves."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Double:
    """A turn: ends when it is told to."""

    company: Company
    code: int | None = None
    said: Sequence[str] = ()
    asked: int = 0

    def ended(self) -> tuple[int, Sequence[str]] | None:
        return None if self.code is None else (self.code, self.said)

    def ask_to_end(self) -> None:
        self.asked += 1
        self.code = self.code or 0


@dataclass
class Bench:
    """The service with all that it waits for; ``open`` says of which companies a ledger has rows to ask about."""

    desk: Desk
    clock: Ticking = field(default_factory=Ticking)
    turns: list[Double] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    ending: Ending = field(default_factory=Ending)
    open: bool = False

    def __post_init__(self) -> None:
        self.desk.patch.setattr(sender, "has_open", lambda *_: self.open)

    def company(self, profile: str = "", mark: str = "a") -> Company:
        settings = self.desk.settings.model_copy(update={"profile": profile, "company": profile})
        return Company(settings, mark)

    def serve(self, *companies: Company) -> None:
        self.service = Service(
            companies or [self.company()], self.clock, self.start, self.said.append, self.wait, self.ending
        )

    def start(self, company: Company) -> Double:
        self.turns.append(Double(company))
        return self.turns[-1]

    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds

    def look(self, seconds: float = 0.5) -> int:
        """One look after ``seconds``; how many turns were begun by it."""
        before = len(self.turns)
        self.clock.seconds += seconds
        self.service._look()
        return len(self.turns) - before


@pytest.fixture
def bench(desk: Desk) -> Bench:
    return Bench(desk)


def order(desk: Desk, proposal: int = 1) -> None:
    desk.store.orders.add(Wish(Kind.STOP, "eva", "porque sí", proposal=proposal), desk.clock.now())


def test_without_work_no_turn_is_taken(bench: Bench):
    bench.serve()
    assert [bench.look() for _ in range(5)] == [0] * 5


def test_what_is_approved_has_its_turn_at_the_next_look(bench: Bench):
    bench.serve()
    bench.look()
    bench.desk.approved()
    assert bench.look() == 1
    assert bench.look() == 0, "one at a time"


def test_what_could_not_be_done_is_tried_again_every_fifteen_seconds(bench: Bench):
    bench.serve()
    bench.desk.approved()
    bench.look()
    bench.turns[0].code = 0
    assert bench.look() == 0
    assert bench.look(RETRY_S - 2) == 0
    assert bench.look(2) == 1


def test_something_new_does_not_wait_for_that(bench: Bench):
    bench.serve()
    bench.desk.approved()
    bench.look()
    bench.turns[0].code = 0
    bench.look()
    order(bench.desk)
    assert bench.look() == 1


def test_what_came_while_a_turn_was_taken_has_the_next_one_at_once(bench: Bench):
    bench.serve()
    bench.desk.approved()
    bench.look()
    order(bench.desk)
    bench.turns[0].code = 0
    assert bench.look() == 1


def test_a_turn_that_died_is_taken_again(bench: Bench):
    bench.serve()
    order(bench.desk)
    bench.look()
    (waiting,) = bench.desk.store.orders.open()
    bench.desk.store.orders.take(waiting, OrderState.DONE, bench.desk.clock.now())
    bench.turns[0].code = -9
    bench.look()
    assert bench.said == ["El turno terminó con el código -9."]
    assert bench.look(RETRY_S) == 1


def test_two_companies_of_one_credential_take_turns_and_others_go_beside(bench: Bench):
    companies = [bench.company("uno"), bench.company("dos"), bench.company("tres", mark="b")]
    for one in companies:
        Orders(bench.desk.office, one.settings.profile, "sandbox").add(
            Wish(Kind.STOP, "eva", "x", proposal=1), bench.desk.clock.now()
        )
    bench.serve(*companies)
    assert bench.look() == 2
    assert [turn.company.settings.profile for turn in bench.turns] == ["uno", "tres"]
    bench.turns[0].code = 0
    bench.look()
    assert [turn.company.settings.profile for turn in bench.turns] == ["uno", "tres", "dos"]


def test_no_more_than_a_few_at_once(bench: Bench):
    companies = [bench.company(str(number), mark=str(number)) for number in range(9)]
    bench.open = True
    bench.serve(*companies)
    assert bench.look() == service.AT_ONCE


def test_rows_that_nobody_asked_about_for_long_have_a_turn(bench: Bench):
    bench.serve()
    assert bench.look() == 0
    bench.open = True
    assert bench.look() == 0, "the ledger is looked into now and then only"
    assert bench.look(service.NOTICE_S) == 1


def test_a_message_that_no_channel_took_is_not_tried_every_moment(bench: Bench):
    with bench.desk.office.write() as connection:
        outbox.put(connection, "x", {}, profile="", now=bench.desk.clock.now())
    bench.serve()
    assert bench.look() == 1
    bench.turns[0].code = 0
    bench.look()
    assert bench.look(RETRY_S) == 0
    assert bench.look(bench.desk.settings.queue_poll) == 1


@pytest.mark.parametrize(("url", "after"), [("sqlite:////x.db", "poll"), ("postgresql+psycopg://u@h/x", "look")])
def test_what_workers_do_is_looked_at_soon_and_what_the_sender_asks_itself_at_its_time(
    bench: Bench, url: str, after: str
):
    """A sent batch whose answers are to come: on a server workers ask, and the sender looks whether they are done."""
    number = bench.desk.approved().id
    with bench.desk.office.write() as connection:
        connection.execute(update(tables.proposal).where(tables.proposal.c.id == number).values(state="FOLLOWING"))
    company = bench.company()
    bench.serve(Company(company.settings.model_copy(update={"ledger": url}), company.mark))
    assert bench.look() == 1
    bench.turns[0].code = 0
    bench.look()
    assert bench.look(RETRY_S) == (1 if after == "look" else 0)
    assert bench.look(bench.desk.settings.queue_poll) == (0 if after == "look" else 1)


def test_certificates_are_looked_after_once_a_day(bench: Bench):
    from pipeline.certificates.registry import Registry
    from pipeline.domain.certificates import Certificate, State

    asked = Certificate(0, 0, "155596713-2-2015", State.IN_PROCESS)
    Registry(bench.desk.office, bench.desk.settings, "ana").request(asked, bench.clock.now())
    bench.serve()
    assert bench.look() == 1
    bench.turns[0].code = 0
    assert [bench.look(600) for _ in range(3)] == [0, 0, 0]
    bench.clock.moment += timedelta(days=1)
    assert bench.look() == 1


def test_the_same_trouble_is_said_once(bench: Bench):
    bench.serve()
    bench.desk.approved()
    for _ in range(3):
        bench.look(RETRY_S)
        bench.turns[-1].code, bench.turns[-1].said = 0, ["Propuesta 1: no se pudo."]
        bench.look()
    assert bench.said == ["Propuesta 1: no se pudo."]


def test_an_office_that_cannot_be_read_is_said_once_and_tried_again(bench: Bench, monkeypatch):
    bench.serve()
    bench.desk.approved()

    def refuses(*_: Any) -> Any:
        raise StorageTrouble("No se pudo leer.")

    with monkeypatch.context() as here:
        here.setattr(service, "work_of", refuses)
        assert [bench.look(), bench.look()] == [0, 0]
    assert bench.said == ["✗ No se pudo leer."]
    assert bench.look() == 1


def test_asked_to_end_it_ends_its_turns_first(bench: Bench):
    bench.desk.approved()
    bench.serve()

    def wait(seconds: float) -> None:
        bench.ending.asked = True

    bench.service._wait = wait
    bench.service.serve()
    (turn,) = bench.turns
    assert turn.asked == 1


def test_it_gives_a_sign_of_life(bench: Bench):
    now = bench.clock.now()
    assert not is_alive(bench.desk.office, now)
    bench.serve()
    bench.look()
    assert is_alive(bench.desk.office, now + timedelta(seconds=59))
    assert not is_alive(bench.desk.office, now + timedelta(seconds=61))


def test_a_company_without_credentials_is_left_out_and_said(monkeypatch, tmp_path):
    monkeypatch.setenv("ANULAR_ENV", "prod")
    monkeypatch.setenv("ANULAR_LEDGER", f"sqlite:///{tmp_path / 'x.db'}")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    left_out: list[str] = []
    with pytest.raises(WrongUsage) as refused:
        service.companies("", "", lambda trouble: left_out.append(trouble.code))
    assert refused.value.code == "sender-without-credentials"
    assert left_out
