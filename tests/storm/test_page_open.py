"""The page is open while the sender dies at every point between an approval and its end: after each kill, and after the
restart, the page says what is true; each document is asked to be cancelled at most once, by the journal of eDoc.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from pipeline.domain.lifecycle import State
from pipeline.web.conf import MOST_SESSIONS
from tests.storm.scene import Scene, _environment
from tests.storm.test_approval_crash import KILLED, OF_CARRYING, ROWS, as_
from tests.storm.test_sender import SLOW, office, serving, turn
from tests.storm.workers import QUICK, until, work_once, working
from tests.support import ledgers, visitor
from tests.support.visitor import Looked, Serving, Visitor, looking

__all__ = ["office"]

AFTER = timedelta(minutes=5)
"""Ahead of the page's clock, which ran since it was opened."""
WAYS_OF_A_SERVER = ["approval-begun", "approval-taken-in", "approval-handed-in"]


@contextmanager
def page_of(office: Scene) -> Iterator[Serving]:
    spec = office.spec("web", env={"ANULAR_RATE": "1000"})
    with visitor.serving(office.folder, {**_environment(), **spec["env"]}) as page:
        yield page


def data(office: Scene, *command: str) -> Any:
    """What a command answers with ``--json``."""
    told = as_(office, "eva", *command, "--json", later=AFTER)
    assert told["code"] == 0, told["words"]
    return json.JSONDecoder().raw_decode(told["words"][told["words"].index("[") :])[0]


def approved_on(page: Serving, office: Scene, rows: list[str]) -> tuple[Visitor, Visitor]:
    """A file that ana handed in and luis approved, both on the page."""
    made = turn(office)  # no page makes a ledger: the sender does
    assert made["code"] == 0, made["words"]
    office.write(rows)
    ana, luis = page.visitor("ana"), page.visitor("luis")
    number = ana.hand_in(office.file)
    ana.submit(number)
    luis.approve(number, len(rows))
    return ana, luis


def says_what_is_true(who: Visitor, office: Scene) -> None:
    """Proposal, batch, rows, start page and stream of the page say what the commands say of office and ledger."""
    batches = data(office, "status")
    proposals = {one["id"]: one for one in data(office, "proposals")}
    start = who.text("/")
    shown = who.text("/propuestas/1")
    assert proposals.get(1, {"word": "Terminada"})["word"] in shown
    for one in batches:
        name, outcomes = one["batch"], one["outcomes"]
        assert name in start
        page = who.get(f"/lotes/{name}").text
        counts = {
            word: int(number) for word, number in re.findall(r'data-count="([^"]+)">(\d+)<', page) if number != "0"
        }
        assert counts == outcomes
        rows = re.findall(r'<span class="state \w*">([^<]+)</span>', who.get(f"/lotes/{name}/filas").text)
        assert {word: rows.count(word) for word in rows} == outcomes
        (told,) = who.progress(name) or [{"counts": outcomes}]
        assert told["counts"] == outcomes
    if not batches:
        assert "/lotes/2" not in who.get("/").text


def finished(office: Scene) -> bool:
    return data(office, "proposals") == []


def held_up(seen: Looked) -> bool:
    """Whether somebody who looked all the time was ever told anything but a page; 503 says that it is being
    recovered."""
    return not set(seen.statuses) <= {200, 503} or not seen.statuses[200]


@pytest.mark.postgres
def test_a_server_that_was_started_again_in_between_is_not_noticed(office: Scene):
    """The pages keep ledger and office open; whoever comes after their sessions ended is given new ones."""
    with page_of(office) as page:
        ana, _ = approved_on(page, office, ROWS)
        for _ in range(2):
            assert [ana.get(path).status_code for path in ("/", "/buscar?q=x", "/cuenta")] == [200] * 3
            ledgers.end_sessions(office.url)


@pytest.mark.postgres
def test_pages_that_are_open_on_a_sending_keep_no_session_of_the_server(office: Scene):
    """More of them than the pages have sessions, and others go on reading."""
    with page_of(office) as page, ExitStack() as streams:
        ana, luis = approved_on(page, office, ROWS)
        assert turn(office, later=AFTER)["code"] == 0  # handed in: no worker is there
        (batch,) = data(office, "status")
        for _ in range(MOST_SESSIONS + 2):
            streams.enter_context(ana.following(batch["batch"]))
        assert luis.get("/").status_code == 200
        held = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        assert ledgers.lines(office.url, held) == [{"n": 0}]


@pytest.mark.long
@pytest.mark.sqlite
@pytest.mark.parametrize("point", OF_CARRYING)
def test_killed_anywhere_with_the_page_open_it_says_what_is_true(office: Scene, point: str):
    with page_of(office) as page:
        ana, luis = approved_on(page, office, ROWS)
        with looking(luis, "/", "/propuestas/1") as seen:
            ended = turn(office, crash=point, later=AFTER)
            assert ended["code"] == KILLED, f"{point} was not passed: {ended['words']}"
            says_what_is_true(ana, office)
            for _ in range(3):
                office.service.advance(5)
                if finished(office):
                    break
                assert turn(office, later=AFTER)["code"] == 0
        assert finished(office)
        says_what_is_true(ana, office)
        assert not held_up(seen), seen.statuses
    judged(office, point)


@pytest.mark.postgres
@pytest.mark.parametrize("point", WAYS_OF_A_SERVER)
def test_killed_while_it_hands_in_with_the_page_open_it_says_what_is_true(office: Scene, point: str):
    with page_of(office) as page:
        ana, luis = approved_on(page, office, ROWS)
        with looking(luis, "/", "/propuestas/1") as seen:
            assert turn(office, crash=point, later=AFTER)["code"] == KILLED
            says_what_is_true(ana, office)
            assert turn(office, later=AFTER)["code"] == 0
            work_once(office)
            office.service.advance(5)
            work_once(office)
            turn(office, later=AFTER)
            says_what_is_true(ana, office)
        assert not held_up(seen), seen.statuses
    judged(office, point)


@pytest.mark.postgres
@pytest.mark.parametrize("point", ["claim-after:2", "post-before:3", "post-after:3"])
def test_a_worker_is_killed_with_the_page_open_and_it_says_what_is_true(office: Scene, point: str):
    with page_of(office) as page:
        ana, luis = approved_on(page, office, ROWS)
        assert turn(office, later=AFTER)["code"] == 0
        with looking(luis, "/", "/propuestas/1") as seen:
            with working(office, "--once", **QUICK, ANULAR_TEST_CRASH=point) as worker:
                until(lambda: office.service.posts(set(office.cufes)) or worker.process.poll() is not None, "it works")
                worker.process.wait(timeout=180)
            says_what_is_true(ana, office)
            work_once(office)
            turn(office, later=AFTER)
            says_what_is_true(ana, office)
        assert not held_up(seen), seen.statuses
    judged(office, point)


@pytest.mark.long
@pytest.mark.sqlite
def test_the_plug_is_pulled_from_a_sender_and_who_follows_the_batch_sees_its_end(office: Scene):
    with page_of(office) as page:
        ana, luis = approved_on(page, office, ["000"] * 25)
        later = {"ANULAR_SANDBOX_NOW": office.spec("x", later=AFTER)["env"]["ANULAR_SANDBOX_NOW"]}
        with serving(office, **SLOW, **later) as first:
            until(lambda: len(office.service.posts(set(office.cufes))) >= 3, "some have left")
            (one,) = data(office, "status")
            assert ana.progress(one["batch"]), "it is told while it is sent"
            first.kill(with_job=True)
        says_what_is_true(ana, office)
        with serving(office, **later) as second:
            told = luis.progress(one["batch"], all_of_it=True)
            until(lambda: finished(office), "it has ended")
            second.ask_to_stop()
        says_what_is_true(ana, office)
        assert told[-1]["counts"] == data(office, "status")[0]["outcomes"]
    judged(office, "post")


def judged(office: Scene, point: str) -> None:
    """By the journal of eDoc: nothing twice, nothing lost but what a kill left unknown."""
    office.check_promises()
    states, posts = office.states(), office.service.posts(set(office.cufes))
    assert max(posts.values()) == 1
    assert all(states[cufe] is State.UNKNOWN for cufe in set(office.cufes) - set(posts))
    assert len(posts) == len(office.cufes) or point.startswith(("claim", "post"))
