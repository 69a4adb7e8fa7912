"""Random histories of an office with three people, proposals, approvals, kills and a clock that is set about.

Whatever comes in whatever order: nothing is sent without two different people, nothing twice, no end is left again, and
what the ledger says of an approval is what the office's events say. Judged by eDoc's journal and by both databases.
"""

from __future__ import annotations

import hashlib
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.proposals import ENDS, ProposalState
from tests.storm.scene import Scene, make_cufe
from tests.storm.test_approval_crash import OF_CARRYING, OF_PROPOSING, QUIET
from tests.support import ledgers
from tests.support.long import long

KILLED = -9
PEOPLE = ("ana", "luis", "eva")
WAITS_FOR_A_PERSON = {ProposalState.DRAFT, ProposalState.WAITING, ProposalState.STOPPED}
STEPS = (*["propose"] * 4, *["approve"] * 7, *["carry"] * 5, "reject", "run", *["folder"] * 2, "clock")
CRASHES = [
    *(point for point in OF_PROPOSING if point != "office-in-place"),
    *OF_CARRYING,
    *(f"proposal-{step}-{when}-commit" for step in ("approved", "submitted") for when in ("before", "after")),
    *("approval-released", "approval-continued", "claim-after", "sent-after-insert", "outcome-after"),
]
FIXED = (1, 2, 4, 7)
"""Short histories that `make test` lives through; longer and other ones are `long`."""


class History:
    """An office that lives; ``codes`` are the codes of each file by its SHA-256."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene, self.chance = scene, random.Random(seed)
        self.office = scene.url if ledgers.on_a_server() else f"sqlite:///{scene.folder / 'office' / 'oficina.db'}"
        scene.env = {"ANULAR_APPROVAL": "two", "ANULAR_OFFICE": self.office, "ANULAR_WATCH_MAX_ROWS": "0"}
        self.codes: dict[str, set[str]] = {}
        self.files: list[Path] = []
        self.later = timedelta(0)
        self.kills = self.sent = 0
        self.ended: dict[int, str] = {}

    def live(self, steps: int) -> None:
        self.step("propose")
        for _ in range(steps):
            self.step(self.chance.choice(STEPS))
            self.judge()
        self.finish()
        self.judge()
        self.check_end()

    # --- what happens

    def step(self, what: str) -> None:
        who, number = self.chance.choice(PEOPLE), self.pick(what)
        if what == "propose":
            again = self.files and self.chance.random() < 0.2
            file = self.chance.choice(self.files) if again else self.file(f"lote{len(self.files)}.csv")
            self.anular(who, "propose", file, crash=self.crash(OF_PROPOSING[:1] + OF_PROPOSING[2:]))
        elif what == "approve":
            others = [name for name in PEOPLE if name not in self.preparers(number)]
            who = self.chance.choice(others) if others and self.chance.random() < 0.7 else who
            count = self.to_send(number) + (self.chance.random() < 0.1)
            self.anular(who, "approve", number, "--confirm", max(count, 1), crash=self.crash(CRASHES))
        elif what == "carry":
            env = {"ANULAR_DEADLINE_HOURS": "200"} if self.chance.random() < 0.1 else {}
            self.anular(who, "run", "--approved", number, crash=self.crash(CRASHES), env=env)
        elif what == "reject":
            self.anular(who, "reject", number, "--reason", "no es correcto", crash=self.crash(CRASHES))
        elif what == "run":
            ended = self.anular(who, "run", self.chance.choice(self.files), "--yes")
            assert ended["code"] in (5, 7), f"nobody approved it: {ended['words']}"
        elif what == "folder":
            self.drop(who)
        else:
            self.later += timedelta(hours=self.chance.choice((1, 5, 10, 30, 80)))

    def pick(self, what: str) -> int:
        """The number of a proposal: mostly one with which this can be done, at times any."""
        fitting = {"approve": ["WAITING"], "carry": ["APPROVED", "ON_HOLD", "SENDING", "STOPPED", "FOLLOWING"]}
        states = self.states()
        some = [number for number, state in states.items() if state in fitting.get(what, ())]
        return self.chance.choice(some if some and self.chance.random() < 0.8 else [*states] or [1])

    def drop(self, who: str) -> None:
        """A file comes into the drop folder, is held, and somebody asks for its approval."""
        inbox = self.scene.folder / "carpeta" / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        self.file(f"carpeta/inbox/c{len(self.codes)}.csv", kept=False)
        self.anular("servicio", "watch", self.scene.folder / "carpeta", "--once", env=QUIET)
        for line in ledgers.lines(self.scene.url, "SELECT id FROM batch WHERE approved_by = ''"):
            self.anular(who, "propose", "--batch", line["id"])

    def file(self, name: str, *, kept: bool = True) -> Path:
        """A file of new codes, and at times one of an earlier file."""
        fresh = [make_cufe(next(self.scene.numbers)) for _ in range(self.chance.randint(1, 4))]
        known = sorted(self.scene.cufes)
        if known and self.chance.random() < 0.3:
            fresh.append(self.chance.choice(known))
        path = self.scene.write([], name, cufes=fresh)
        self.codes[hashlib.sha256(path.read_bytes()).hexdigest()] = set(fresh)
        self.scene.cufes += [code for code in fresh if code not in self.scene.cufes]
        if kept:
            self.files.append(path)
        return path

    def crash(self, points: list[str]) -> str:
        return self.chance.choice(points) if self.chance.random() < 0.4 else ""

    def anular(self, who: str, *arguments: object, crash: str = "", **more: Any) -> dict[str, Any]:
        back = timedelta(days=2) if self.chance.random() < 0.05 else timedelta(0)
        ended = self.scene.anular(*arguments, crash=crash, rig=[["person", who]], later=self.later - back, **more)
        assert "error interno" not in ended["words"], ended["words"]
        assert ended["code"] in (KILLED, 0, 1, 2, 3, 4, 5, 7), ended["words"]
        self.kills += ended["code"] == KILLED
        return ended

    def finish(self) -> None:
        """The days go on, nobody kills anything, and what was approved is carried out by whoever is there."""
        for _ in range(3):
            self.scene.service.advance(60)
            for number in self.numbers():
                if ProposalState(self.states()[number]) not in ENDS | WAITS_FOR_A_PERSON:
                    self.scene.anular("run", "--approved", number, rig=[["person", "eva"]], later=self.later)

    # --- what is there

    def lines(self, what: str, table: str) -> list[dict[str, Any]]:
        """Lines of the office database; none while it has no tables, because a kill came first."""
        space = "anular_office." if ledgers.on_a_server() else ""
        if ledgers.on_a_server():
            found = ledgers.lines(self.office, "SELECT to_regclass('anular_office.proposal')::text AS name")
            there = found[0]["name"] is not None
        else:
            there = "proposal" in ledgers.tables(self.office)
        return ledgers.lines(self.office, f"SELECT {what} FROM {space}{table} ORDER BY id") if there else []

    def numbers(self) -> list[int]:
        return [line["id"] for line in self.lines("id", "proposal")]

    def states(self) -> dict[int, str]:
        return {line["id"]: line["state"] for line in self.lines("id, state", "proposal")}

    def preparers(self, number: int) -> set[str]:
        found = self.lines("id, prepared_by, submitted_by", "proposal")
        return {name for one in found if one["id"] == number for name in (one["prepared_by"], one["submitted_by"])}

    def to_send(self, number: int) -> int:
        return next((one["to_send"] for one in self.lines("id, to_send", "proposal") if one["id"] == number), 1)

    # --- what has to be true

    def judge(self) -> None:
        posts = self.scene.service.posts(set(self.scene.cufes))
        assert max(posts.values(), default=0) <= 1, "sent twice"
        proposals = {one["id"]: one for one in self.lines("id, state, sha256, prepared_by, submitted_by", "proposal")}
        events = self.lines("id, proposal, event, who", "proposal_event")
        approved: set[str] = set()
        for event in events:
            one = proposals[event["proposal"]]
            if event["event"] == "approved":
                assert event["who"] not in (one["prepared_by"], one["submitted_by"]), "approved alone"
                approved |= self.codes[one["sha256"]]
        assert set(posts) <= approved, "sent without an approval"
        for number, one in proposals.items():
            assert self.ended.get(number, one["state"]) == one["state"], "an end was left again"
            if ProposalState(one["state"]) in ENDS:
                self.ended[number] = one["state"]

    def check_end(self) -> None:
        states = self.states()
        open_still = {number: word for number, word in states.items() if ProposalState(word) not in ENDS}
        assert {ProposalState(word) for word in open_still.values()} <= WAITS_FOR_A_PERSON, open_still
        self.sent = len(self.scene.service.posts(set(self.scene.cufes)))
        if "batch" not in self.scene.tables():
            assert not self.sent
            return
        self.scene.check_ledger()
        digests = {line["digest"]: line for line in self.lines("id, digest, approved_by, prepared_by", "proposal")}
        for line in ledgers.lines(self.scene.url, "SELECT approved_by FROM batch WHERE approved_by <> ''"):
            said = ApprovedBy.read(line["approved_by"])
            assert said is not None, line
            assert said.approver != said.preparer
            assert digests[said.digest]["approved_by"] == said.approver


@pytest.mark.parametrize("seed", [*FIXED[:2], *long(*FIXED[2:])])
def test_an_office_sends_what_two_people_said_and_nothing_else(scene: Scene, seed: int) -> None:
    history = History(scene, seed)
    history.live(16)

    assert history.sent, "something has to be sent for this to mean anything"
    assert history.kills


HISTORIES = int(os.environ.get("HISTORIES", "20"))
"""How many `make test-all` lives through; `make histories` names more, on either kind of database."""


@pytest.mark.long
@pytest.mark.parametrize("number", range(HISTORIES))
def test_histories_of_every_length_send_what_two_people_said(scene: Scene, seed: int, number: int) -> None:
    History(scene, seed + number).live(random.Random(seed + number).randint(8, 25))
