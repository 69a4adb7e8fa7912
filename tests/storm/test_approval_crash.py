"""Two people and a program that dies at every point between an approval and its end: at most what was approved, once.

Judged by the journal of eDoc. In every run the points between an approval and what is sent of it; where it is long all.
"""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.lifecycle import State
from pipeline.domain.proposals import Step
from tests.storm.scene import Scene
from tests.support import ledgers
from tests.support.long import long

ROOT = Path(__file__).parents[2]
KILLED = -9
ROWS = ["000", "000", "941", "000", "905", "000"]

OF_PROPOSING = ["office-before-commit", "office-in-place", "proposal-before-commit", "proposal-added"]
OF_STEPS = [f"proposal-{step}-{when}-commit" for step in ("submitted", "approved") for when in ("before", "after")]
OF_CARRYING = [
    "proposal-begun-before-commit",
    "proposal-begun-after-commit",
    "approval-begun",
    "intake-before-commit",
    "intake-after-commit",
    "approval-taken-in",
    "claim-after:2",
    "post-before:3",
    "post-after:3",
    "approval-session-ended",
    "proposal-all-sent-before-commit",
    "proposal-all-sent-after-commit",
    "proposal-followed-before-commit",
    "proposal-followed-after-commit",
]
OF_A_FILE = {"office-in-place"}  # on a server its tables come by one transaction
ALWAYS = {
    "proposal-added",
    "proposal-approved-after-commit",
    "proposal-begun-after-commit",
    "approval-begun",
    "intake-before-commit",
    "approval-taken-in",
    "post-after:3",
    "approval-session-ended",
    "proposal-all-sent-after-commit",
}


def cases(points: list[str]) -> list[Any]:
    marks = {point: [pytest.mark.sqlite] * (point in OF_A_FILE) for point in points}
    return [
        pytest.param(point, marks=[*marks[point], *([] if point in ALWAYS else [pytest.mark.long])]) for point in points
    ]


@pytest.fixture
def office(scene: Scene) -> Scene:
    """Two people are asked for; ``people`` says who types."""
    url = f"sqlite:///{scene.folder / 'office' / 'anular-office.db'}"
    scene.env = {"ANULAR_APPROVAL": "two", "ANULAR_OFFICE": scene.url if ledgers.on_a_server() else url}
    return scene


def as_(scene: Scene, who: str, *arguments: object, crash: str = "", **more: Any) -> dict[str, Any]:
    return scene.anular(*arguments, crash=crash, rig=[["person", who]], **more)


def state(scene: Scene) -> list[str]:
    told = as_(scene, "eva", "proposals", "--json")["words"]
    found, _ = json.JSONDecoder().raw_decode(told[told.index("[\n" if "[\n" in told else "[") :])
    return [one["state"] for one in found]


def approved(scene: Scene) -> None:
    scene.write(ROWS)
    assert as_(scene, "ana", "propose", scene.file)["code"] == 0
    assert as_(scene, "luis", "approve", 1, "--confirm", len(ROWS))["code"] == 0


def test_every_point_of_approvals_and_office_is_in_this_sweep():
    found: set[str] = set()
    for name in ("approvals", "office"):
        for path in set((ROOT / "pipeline" / name).rglob("*.py")) - {ROOT / "pipeline" / "office" / "copying.py"}:
            found.update(re.findall(r'crashpoint\("([^"]+)"\)', path.read_text("utf-8")))
    tried = {
        point.partition(":")[0] for point in (*OF_PROPOSING, *OF_CARRYING, *OF_A_STOP, *OF_THE_FOLDER, *OF_A_RESEND)
    }
    not_here = {"approval-handed-in"}  # on a server, by workers
    not_here |= {"upload-before-commit", "upload-checked-before-commit"}  # tests/integration/approvals/test_uploads.py
    not_here |= {"order-before-commit", "order-decided", "order-proposed"}  # tests/integration/approvals/test_orders.py
    assert found - tried - not_here == set()
    assert {step.value for step in Step} >= {"begun", "all-sent", "followed"}


@pytest.mark.parametrize("point", cases(OF_PROPOSING))
def test_a_proposal_is_whole_or_not_there(office: Scene, point: str):
    office.write(ROWS)
    ended = as_(office, "ana", "propose", office.file, crash=point)
    assert ended["code"] == KILLED, ended["words"]
    assert as_(office, "ana", "propose", office.file)["code"] == 0
    assert state(office) == ["WAITING"]
    assert not office.service.posts(set(office.cufes))


@pytest.mark.parametrize("point", cases(OF_STEPS))
def test_a_step_was_taken_or_was_not(office: Scene, point: str):
    office.write(ROWS)
    who, command = (
        ("ana", ["propose", office.file]) if "submitted" in point else ("luis", ["approve", 1, "--confirm", 6])
    )
    if who == "luis":
        as_(office, "ana", "propose", office.file)
    assert as_(office, who, *command, crash=point)["code"] == KILLED
    as_(office, "ana", "propose", office.file)
    as_(office, "luis", "approve", 1, "--confirm", 6)
    assert state(office) == ["APPROVED"]
    assert not office.service.posts(set(office.cufes)), "no approval sends anything"


@pytest.mark.parametrize("point", cases(OF_CARRYING))
def test_a_crash_while_it_is_carried_out_loses_nothing_and_repeats_nothing(office: Scene, point: str):
    approved(office)
    ended = as_(office, "ana", "run", "--approved", 1, crash=point)
    assert ended["code"] == KILLED, f"{point} was not passed: {ended['words']}"

    for _ in range(3):
        office.service.advance(5)
        if state(office) == []:
            break
        again = as_(office, "ana", "run", "--approved", 1)
        assert again["code"] in (0, 1, 4), again["words"]

    assert state(office) == []
    office.check_promises()
    states, posts = office.states(), office.service.posts(set(office.cufes))
    # A row whose intent was durable and whose request had not left is never sent again: its outcome is unknown.
    assert all(states[cufe] is State.UNKNOWN for cufe in set(office.cufes) - set(posts))
    assert len(posts) == len(ROWS) or point.startswith(("claim", "post"))
    assert as_(office, "ana", "run", "--approved", 1)["code"] == 7
    office.check_promises()


OF_A_STOP = ["approval-rows-held", "approval-continued", "approval-released", "approval-rows-withdrawn"]


@pytest.mark.long
@pytest.mark.parametrize("ends", ["run", *long("reject")])
@pytest.mark.parametrize("point", ["", *long(*OF_A_STOP)])
def test_what_was_stopped_goes_on_or_is_ended_by_a_person_and_no_kill_changes_that(
    office: Scene, point: str, ends: str
):
    approved_slowly(office)
    held = point if point == "approval-rows-held" else ""
    stop = as_(
        office, "ana", "run", "--approved", 1, crash=held, env={"ANULAR_RATE": "4"},
        signals=[[0.0, signal.SIGTERM]], after=4,
    )  # fmt: skip
    assert stop["code"] == (KILLED if held else 130), stop["words"]
    if held:
        assert as_(office, "ana", "run", "--approved", 1)["code"] in (4, 5, 7)
    assert state(office) == ["STOPPED"]
    before = len(office.service.posts(set(office.cufes)))
    assert 0 < before < len(office.cufes)
    more = [1] if ends == "run" else [1, "--reason", "ya no hace falta"]
    command = ["run", "--approved", *more] if ends == "run" else ["reject", *more]
    if point and not held:
        as_(office, "luis", *command, crash=point)
    for _ in range(3):
        if state(office) == []:
            break
        as_(office, "luis", *command)
    assert state(office) == []
    posts = office.service.posts(set(office.cufes))
    assert max(posts.values()) == 1
    if ends == "run":
        assert len(posts) == len(office.cufes)
    elif point not in ("approval-continued", "approval-released"):
        assert len(posts) == before
    office.check_ledger()


def approved_slowly(scene: Scene) -> None:
    scene.write(["000"] * 30)
    assert as_(scene, "ana", "propose", scene.file)["code"] == 0
    assert as_(scene, "luis", "approve", 1, "--confirm", 30)["code"] == 0


OF_THE_FOLDER = ["approval-begun", "approval-released"]


@pytest.mark.parametrize("point", ["approval-begun", *long("approval-released")])
def test_a_batch_of_the_drop_folder_is_released_once(office: Scene, point: str):
    inbox = office.folder / "carpeta" / "inbox"
    inbox.mkdir(parents=True)
    office.write(["000"] * 4, name="carpeta/inbox/lote.csv")
    assert as_(office, "servicio", "watch", office.folder / "carpeta", "--once", env=QUIET)["code"] == 7
    (batch,) = [line["id"] for line in ledgers.lines(office.url, "SELECT id FROM batch")]
    assert as_(office, "ana", "propose", "--batch", batch)["code"] == 0
    assert as_(office, "luis", "approve", 1, "--confirm", 4)["code"] == 0
    assert as_(office, "ana", "run", "--approved", 1, crash=point)["code"] == KILLED
    again = as_(office, "servicio", "watch", office.folder / "carpeta", "--once", env=QUIET)
    assert again["code"] in (0, 7), again["words"]
    assert as_(office, "ana", "run", "--approved", 1)["code"] == 0
    office.check_promises()
    assert len(office.service.posts(set(office.cufes))) == 4


QUIET = {"ANULAR_WATCH_QUIET": "0"}
OF_A_RESEND = ["approval-resend-begun", "approval-resend-authorised"]


@pytest.mark.parametrize(
    "point", [OF_A_RESEND[0], *long(OF_A_RESEND[1], "post-before", "post-after", "proposal-all-sent-before-commit")]
)
def test_a_resend_leaves_once(office: Scene, point: str):
    office.write(["915"])
    as_(office, "ana", "propose", office.file)
    as_(office, "luis", "approve", 1, "--confirm", 1)
    as_(office, "ana", "run", "--approved", 1)
    (batch,) = [line["id"] for line in ledgers.lines(office.url, "SELECT id FROM batch")]
    asked = as_(office, "ana", "resend", batch, "--row", 2, "--by", "Ana Pérez", "--reason", "Caso 4471")
    assert asked["code"] == 0, asked["words"]
    assert as_(office, "luis", "approve", 2, "--confirm", 1)["code"] == 0
    assert as_(office, "ana", "run", "--approved", 2, crash=point)["code"] == KILLED
    for _ in range(2):
        if state(office) == []:
            break
        as_(office, "ana", "run", "--approved", 2)
    assert state(office) == []
    assert office.service.posts(set(office.cufes)) == {office.cufes[0]: 1 if point == "post-before" else 2}
    office.check_ledger()
