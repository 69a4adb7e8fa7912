"""The sender: killed anywhere the next one goes on, asked to end it loses nothing, and a stop is obeyed at once.

Judged by the journal of eDoc: at most one request for each document.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.approvals.orders import Order, Orders, Wish
from pipeline.domain.lifecycle import State
from pipeline.domain.orders import Kind, OrderState
from pipeline.office.place import place_of
from tests.storm.scene import NOW, Scene
from tests.storm.test_approval_crash import ALWAYS, KILLED, OF_CARRYING, QUIET, ROWS, approved, as_, state
from tests.storm.workers import Running, children, is_empty, jobs, until, working, working_on
from tests.support import ledgers
from tests.support.long import long

SLOW = {"ANULAR_RATE": "2", "ANULAR_CONCURRENCY": "1"}
ALL = [*(point for point in OF_CARRYING if point in ALWAYS), "proposal-followed-after-commit"]


@pytest.fixture
def office(scene: Scene) -> Scene:
    """Two people are asked for."""
    url = f"sqlite:///{scene.folder / 'office' / 'anular-office.db'}"
    scene.env = {"ANULAR_APPROVAL": "two", "ANULAR_OFFICE": scene.url if ledgers.on_a_server() else url}
    return scene


def turn(office: Scene, crash: str = "", **more: Any) -> dict[str, Any]:
    """What the sender does for a company when something is to be done, in a process of its own."""
    ended = office.anular("turn", crash=crash, rig=[["turn"]], **more)
    assert "error interno" not in ended["words"].casefold(), ended["words"]
    return ended


@pytest.mark.sqlite
@pytest.mark.parametrize("point", [*ALL[:3], *long(*ALL[3:], *sorted(set(OF_CARRYING) - set(ALL)))])
def test_killed_anywhere_the_next_turn_goes_on_and_nothing_leaves_twice(office: Scene, point: str):
    approved(office)
    ended = turn(office, crash=point)
    assert ended["code"] == KILLED, f"{point} was not passed: {ended['words']}"

    for _ in range(3):
        office.service.advance(5)
        if state(office) == []:
            break
        assert turn(office)["code"] == 0

    assert state(office) == []
    office.check_promises()
    states, posts = office.states(), office.service.posts(set(office.cufes))
    assert all(states[cufe] is State.UNKNOWN for cufe in set(office.cufes) - set(posts))
    assert len(posts) == len(ROWS) or point.startswith(("claim", "post"))


def test_what_nobody_approved_is_not_sent_by_a_turn(office: Scene):
    office.write(ROWS)
    as_(office, "ana", "propose", office.file)
    assert turn(office)["code"] == 0
    assert not office.service.posts(set(office.cufes))
    assert state(office) == ["WAITING"]


# --- the whole service


@contextmanager
def serving(office: Scene, **env: str) -> Iterator[Running]:
    with working_on(None, office, command=("web", "--only", "sender"), **env) as running:
        yield running


def slowly_approved(office: Scene, rows: int = 25) -> None:
    office.write(["000"] * rows)
    assert as_(office, "ana", "propose", office.file)["code"] == 0
    assert as_(office, "luis", "approve", 1, "--confirm", rows)["code"] == 0


def sent(office: Scene) -> int:
    return len(office.service.posts(set(office.cufes)))


@pytest.mark.long
@pytest.mark.sqlite
def test_asked_to_end_in_the_middle_it_ends_and_the_next_one_goes_on_without_a_person(office: Scene):
    slowly_approved(office)
    with serving(office, **SLOW) as first:
        until(lambda: sent(office) >= 3, "some have left")
        assert first.ask_to_stop() == 130, first.words
    assert 0 < sent(office) < 25
    assert state(office) == ["SENDING"], "nobody stopped it"
    with serving(office) as second:
        until(lambda: state(office) == [], "it has ended")
        second.ask_to_stop()
    office.check_promises()
    assert sent(office) == 25


@pytest.mark.long
@pytest.mark.sqlite
def test_the_plug_is_pulled_from_sender_and_turn_and_the_next_one_goes_on(office: Scene):
    slowly_approved(office)
    with serving(office, **SLOW) as first:
        until(lambda: sent(office) >= 3, "some have left")
        first.kill(with_job=True)
    with serving(office) as second:
        until(lambda: state(office) == [], "it has ended")
        second.ask_to_stop()
    office.check_promises()
    assert max(office.service.posts(set(office.cufes)).values()) == 1


@pytest.mark.long
@pytest.mark.sqlite
def test_a_turn_whose_sender_is_gone_ends_by_itself(office: Scene):
    slowly_approved(office)
    with serving(office, **SLOW) as first:
        until(lambda: sent(office) >= 1, "one has left")
        (child,) = children(first.process.pid)
        first.kill(with_job=False)
        until(lambda: not _there(child), "the turn has ended")
    assert sent(office) < 25
    assert state(office) == ["SENDING"]
    turn(office)
    office.check_promises()
    assert sent(office) == 25


def _there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as told:  # noqa: PTH123
        return told.read().rsplit(")", 1)[1].split()[0] != "Z"


# --- a person's stop


def order(office: Scene, kind: Kind, who: str = "eva") -> Order:
    """An order as a page puts it into the office database."""
    base = place_of(office.env["ANULAR_OFFICE"]).open(NOW)
    try:
        url = office.env["ANULAR_OFFICE"]
        name = "anular_office.proposal" if ledgers.on_a_server() else "proposal"
        (line,) = ledgers.lines(url, f"SELECT version, batch FROM {name} WHERE id = 1")
        wish = Wish(
            kind, who, "falta revisar", proposal=1, batch=line["batch"] or "", data={"version": line["version"]}
        )
        return Orders(base, "", "sandbox").add(wish, NOW)[0]
    finally:
        base.close()


def answer(office: Scene, number: int) -> Order:
    base = place_of(office.env["ANULAR_OFFICE"]).open(NOW)
    try:
        return Orders(base, "", "sandbox").get(number)
    finally:
        base.close()


def held(office: Scene) -> int:
    return sum(one is State.HELD for one in office.states().values())


@pytest.mark.long
@pytest.mark.sqlite
def test_a_stop_while_the_sender_sends_holds_the_rest_and_continuing_sends_each_once(office: Scene):
    slowly_approved(office)
    with serving(office, **SLOW) as running:
        until(lambda: sent(office) >= 2, "some have left")
        asked = order(office, Kind.STOP)
        until(lambda: state(office) == ["STOPPED"], "it is stopped")
        before = sent(office)
        assert before < 25
        assert held(office) == 25 - before
        assert answer(office, asked.id).state is OrderState.DONE
        order(office, Kind.CONTINUE, "luis")
        until(lambda: sent(office) > before, "it goes on")
        running.ask_to_stop()
    for _ in range(2):
        turn(office)
    assert state(office) == []
    office.check_promises()
    assert sent(office) == 25


@pytest.mark.long
@pytest.mark.sqlite
def test_a_stop_that_comes_when_all_has_left_stops_nothing_and_nobody_has_to_continue(office: Scene):
    approved(office)
    assert turn(office, crash="proposal-all-sent-before-commit")["code"] == KILLED
    asked = order(office, Kind.STOP)
    office.service.advance(5)
    turn(office)
    assert answer(office, asked.id).state is OrderState.REFUSED
    assert "ninguna factura sin enviar" in answer(office, asked.id).answer
    assert state(office) == []
    office.check_promises()


def test_a_stop_before_the_rows_of_the_drop_folder_were_released_lets_nothing_leave(office: Scene):
    inbox = office.folder / "carpeta" / "inbox"
    inbox.mkdir(parents=True)
    office.write(["000"] * 4, name="carpeta/inbox/lote.csv")
    as_(office, "servicio", "watch", inbox.parent, "--once", env=QUIET)
    (batch,) = [line["id"] for line in ledgers.lines(office.url, "SELECT id FROM batch")]
    as_(office, "ana", "propose", "--batch", batch)
    as_(office, "luis", "approve", 1, "--confirm", 4)
    assert turn(office, crash="approval-begun")["code"] == KILLED
    asked = order(office, Kind.STOP)
    for _ in range(2):
        turn(office)
    assert answer(office, asked.id).state is OrderState.DONE
    assert state(office) == ["STOPPED"]
    assert held(office) == 4
    assert sent(office) == 0


@pytest.mark.postgres
def test_a_batch_that_workers_have_is_stopped_and_no_worker_goes_on_until_it_is_continued(office: Scene):
    slowly_approved(office)
    assert turn(office)["code"] == 0
    assert jobs(office) == ["todo"]
    with working(office, **SLOW) as worker:
        until(lambda: sent(office) >= 2, "some have left")
        asked = order(office, Kind.STOP)
        assert turn(office)["code"] == 0
        assert answer(office, asked.id).state is OrderState.DONE
        assert state(office) == ["STOPPED"]
        until(lambda: is_empty(office), "the job has ended and is not put back")
        before = sent(office)
        assert before < 25
        assert held(office) == 25 - before
        assert "internal" not in worker.words
        assert "Se interrumpe" not in worker.words, worker.words

        order(office, Kind.CONTINUE, "luis")
        turn(office)
        until(lambda: sent(office) == 25, "it goes on")
        until(lambda: is_empty(office), "the job has ended")
        worker.ask_to_stop()
    turn(office)
    assert state(office) == []
    office.check_promises()
    stops = ledgers.lines(office.url, "SELECT DISTINCT who FROM event WHERE event = 'stopped'")
    assert [line["who"] for line in stops] == ["web: eva"]


@pytest.mark.postgres
def test_a_stop_before_a_worker_has_it_lets_nothing_leave(office: Scene):
    slowly_approved(office, rows=4)
    turn(office)
    order(office, Kind.STOP)
    turn(office)
    with working(office, "--once") as worker:
        assert worker.process.wait(timeout=180) == 0
    assert sent(office) == 0
    assert held(office) == 4
    order(office, Kind.END, "luis")
    turn(office)
    assert state(office) == []
    assert sent(office) == 0
    assert set(office.states().values()) == {State.WITHDRAWN}


@pytest.mark.postgres
@pytest.mark.parametrize("point", ["approval-rows-held", *long("stop-before-commit", "approval-continued")])
def test_killed_while_it_stops_or_continues_the_next_turn_finishes(office: Scene, point: str):
    slowly_approved(office, rows=4)
    turn(office)
    order(office, Kind.STOP)
    stops = point != "approval-continued"
    assert (turn(office, crash=point)["code"] == KILLED) == stops
    turn(office)
    assert state(office) == ["STOPPED"]
    order(office, Kind.CONTINUE)
    if not stops:
        assert turn(office, crash=point)["code"] == KILLED
        turn(office)
    else:
        turn(office)
    assert held(office) == 0
    with working(office, "--once") as worker:
        worker.process.wait(timeout=180)
    turn(office)
    assert state(office) == []
    office.check_promises()
    assert sent(office) == 4
