"""An approved proposal on a server: handed in to the queue, sent by workers, once, and followed to its end."""

from __future__ import annotations

import pytest

from tests.storm.scene import Scene
from tests.storm.test_approval_crash import KILLED, as_, state
from tests.storm.workers import jobs, work_once
from tests.support import ledgers

pytestmark = pytest.mark.postgres


@pytest.fixture
def office(scene: Scene) -> Scene:
    """Two people, their office on the server of the ledger; a file that one prepared and the other approved."""
    scene.env = {"ANULAR_APPROVAL": "two", "ANULAR_OFFICE": scene.url}
    scene.write(["000"] * 4)
    assert as_(scene, "ana", "propose", scene.file)["code"] == 0
    assert as_(scene, "luis", "approve", 1, "--confirm", 4)["code"] == 0
    return scene


def hand_in(office: Scene, crash: str = "") -> int:
    ended = as_(office, "ana", "run", "--approved", 1, "--queue", crash=crash)
    assert "error interno" not in ended["words"], ended["words"]
    return int(ended["code"])


def test_workers_send_what_was_approved_once_and_the_proposal_ends(office: Scene):
    assert hand_in(office) == 4
    assert not office.service.posts(set(office.cufes)), "who hands in sends nothing"
    assert state(office) == ["SENDING"]
    work_once(office)
    assert hand_in(office) in (0, 4, 7)
    office.check_promises()
    assert len(office.service.posts(set(office.cufes))) == 4
    assert state(office) == []
    (batch,) = ledgers.lines(office.url, "SELECT approved_by FROM batch")
    assert batch["approved_by"].startswith("terminal: luis aprobó; ana preparó; huella ")


def test_answers_that_are_still_to_come_when_the_time_is_up_keep_no_proposal_open(scene: Scene):
    """As on a machine of one's own: it ends, and its open rows are queried further (web.md 4)."""
    scene.env = {"ANULAR_APPROVAL": "two", "ANULAR_OFFICE": scene.url}
    scene.write(["000", "950"])  # the second one is on its way to the DGI for long
    assert as_(scene, "ana", "propose", scene.file)["code"] == 0
    assert as_(scene, "luis", "approve", 1, "--confirm", 2)["code"] == 0
    assert hand_in(scene) == 4
    work_once(scene)
    assert hand_in(scene) in (0, 4, 7)
    assert state(scene) == []
    states = [line["state"] for line in ledgers.lines(scene.url, "SELECT state FROM attempt ORDER BY id")]
    assert states == ["CANCELLED", "PENDING"]


def test_handed_in_twice_there_is_one_job(office: Scene):
    assert hand_in(office) == 4
    assert hand_in(office) == 4
    assert jobs(office) == ["todo"]
    work_once(office)
    office.check_promises()
    assert max(office.service.posts(set(office.cufes)).values()) == 1


@pytest.mark.parametrize("point", ["approval-begun", "approval-taken-in", "approval-handed-in"])
def test_killed_while_it_hands_in_the_same_command_finishes(office: Scene, point: str):
    assert hand_in(office, crash=point) == KILLED
    assert hand_in(office) == 4
    work_once(office)
    office.check_promises()
    assert len(office.service.posts(set(office.cufes))) == 4


def test_what_nobody_approved_is_not_handed_in(scene: Scene):
    scene.env = {"ANULAR_APPROVAL": "two", "ANULAR_OFFICE": scene.url}
    scene.write(["000"] * 2)
    assert as_(scene, "ana", "propose", scene.file)["code"] == 0
    assert as_(scene, "ana", "run", "--approved", 1, "--queue")["code"] == 7
    assert as_(scene, "ana", "run", scene.file, "--yes", "--queue")["code"] == 7
    work_once(scene)
    assert not scene.service.posts(set(scene.cufes))
