"""Random histories of an office with three people, proposals, approvals, orders, turns of the sender, kills and a clock
that is set about; on a server with workers.

Whatever comes in whatever order: nothing is sent without two different people, nothing twice, no end is left again, no
order stays open, and what the ledger says of an approval is what the office's events say. Judged by eDoc's journal and
by both databases.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.approvals.orders import Orders, Wish
from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.lifecycle import State
from pipeline.domain.orders import OPEN, Kind, OrderState
from pipeline.domain.proposals import ENDS, ProposalState
from pipeline.office.place import place_of
from tests.storm.scene import NOW, UNSENT, Scene, make_cufe
from tests.storm.test_approval_crash import OF_A_STOP, OF_CARRYING, OF_PROPOSING, QUIET
from tests.storm.workers import QUICK
from tests.support import ledgers
from tests.support.long import long

KILLED = -9
PEOPLE = ("ana", "luis", "eva")
OPEN_ORDERS = {state.value for state in OPEN}
WAITS_FOR_A_PERSON = {ProposalState.DRAFT, ProposalState.WAITING, ProposalState.STOPPED}
STEPS = (
    *["propose"] * 4,
    *["approve"] * 7,
    *["carry"] * 3,
    *["turn"] * 4,
    *["order"] * 3,
    *["stop"] * 3,
    *["withdraw"] * 2,
    *["folder"] * 2,
    "reject",
    "run",
    "clock",
)
ORDERS = {
    Kind.STOP: ["SENDING"],
    Kind.CONTINUE: ["STOPPED"],
    Kind.END: ["STOPPED", "APPROVED", "ON_HOLD"],
}
"""What a person may ask for on the page, and of a proposal in which state it would make sense."""
OF_ORDERS = ["order-doing-after-commit", "order-decided", "order-done-before-commit", "order-done-after-commit"]
OF_SENDING = [*OF_CARRYING, "approval-released", "claim-after", "post-after", "sent-after-insert", "outcome-after"]
OF_APPROVING = [f"proposal-{step}-{when}-commit" for step in ("approved", "submitted") for when in ("before", "after")]
FIXED = (7, 21, 11, 20)
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
        self.done: Counter[str] = Counter()
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
            self.anular(who, "approve", number, "--confirm", max(count, 1), crash=self.crash(OF_APPROVING))
        elif what == "carry":
            env = {"ANULAR_DEADLINE_HOURS": "200"} if self.chance.random() < 0.1 else {}
            self.anular(who, "run", "--approved", number, crash=self.crash(OF_SENDING), env=env)
        elif what == "turn":
            self.turn(self.crash([*OF_SENDING, *OF_A_STOP, *OF_ORDERS]))
        elif what == "order":
            self.order(who)
        elif what == "withdraw":
            self.withdraw(who)
        elif what == "stop":
            self.stop(who, number)
        elif what == "reject":
            self.anular(who, "reject", number, "--reason", "no es correcto", crash=self.crash(OF_APPROVING))
        elif what == "run":
            ended = self.anular(who, "run", self.chance.choice(self.files), "--yes")
            assert ended["code"] in (5, 7), f"nobody approved it: {ended['words']}"
        elif what == "folder":
            self.drop(who)
        else:
            self.later += timedelta(hours=self.chance.choice((1, 5, 10, 30, 80)))

    def pick(self, what: str) -> int:
        """The number of a proposal: mostly one with which this can be done, at times any."""
        fitting = {
            "approve": ["WAITING"],
            "stop": ["APPROVED", "ON_HOLD"],
            "carry": ["APPROVED", "ON_HOLD", "SENDING", "STOPPED", "FOLLOWING"],
        }
        states = self.states()
        some = [number for number, state in states.items() if state in fitting.get(what, ())]
        return self.chance.choice(some if some and self.chance.random() < 0.8 else [*states] or [1])

    def turn(self, crash: str = "") -> None:
        """The sender's turn for the company; on a server the workers' too, who leave nothing that waits."""
        works = self.chance.random() < 0.7
        self.anular("servicio", "turn", crash=crash, rigs=[["turn"]])
        if ledgers.on_a_server() and works:
            self.anular("servicio", "worker", "--once", env=QUICK)

    def order(self, who: str) -> None:
        """Somebody asks on the page that a proposal be stopped, continued or ended, as they see it now."""
        kind = self.chance.choice([*ORDERS])
        found = self.lines("id, state, version, batch", "proposal")
        fitting = [one for one in found if one["state"] in ORDERS[kind]]
        if one := self.one_of(fitting if self.chance.random() < 0.8 else found):
            self.ask_about(one, kind, who)

    def stop(self, who: str, number: int) -> None:
        """The sending of a proposal is cut off early, and before anybody goes on somebody asks that it be stopped."""
        early = self.chance.choice(("approval-taken-in", "claim-after", "post-after"))
        self.anular("servicio", "run", "--approved", number, crash=early, env={"ANULAR_CONCURRENCY": "1"})
        (found,) = [one for one in self.lines("id, state, version, batch", "proposal") if one["id"] == number] or [{}]
        if found.get("state") == "SENDING":
            self.ask_about(found, Kind.STOP, who)

    def ask_about(self, found: dict[str, Any], kind: Kind, who: str) -> None:
        seen = {"version": found["version"]}
        self.ask(Wish(kind, who, "falta revisar", proposal=found["id"], batch=found["batch"] or "", data=seen))

    def withdraw(self, who: str) -> None:
        """Somebody asks on the page that a row not be sent, as they see it now."""
        if "attempt" not in self.scene.tables():
            return
        rows = "attempt a JOIN row r ON r.batch = a.batch AND r.pos = a.pos"
        query = f"SELECT a.id, a.batch, a.state, r.line FROM {rows} ORDER BY a.id"
        found = ledgers.lines(self.scene.url, query)
        unsent = [one for one in found if State(one["state"]) in UNSENT]
        if one := self.one_of(unsent if self.chance.random() < 0.9 else found):
            seen = {"attempt": one["id"], "state": one["state"]}
            self.ask(Wish(Kind.WITHDRAW, who, "no era esa", batch=one["batch"], line=one["line"], data=seen))

    def one_of(self, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        return self.chance.choice(found) if found else None

    def ask(self, wish: Wish) -> None:
        place = place_of(self.office)
        with closing(place.open(NOW + self.later)) as base:
            Orders(base, "", "sandbox").add(wish, NOW + self.later)

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

    def anular(self, who: str, *arguments: object, crash: str = "", rigs: Sequence[list[str]] = (), **more: Any) -> Any:
        back = timedelta(days=2) if self.chance.random() < 0.05 else timedelta(0)
        rig = [["person", who], *rigs]
        ended = self.scene.anular(*arguments, crash=crash, rig=rig, later=self.later - back, **more)
        assert "error interno" not in ended["words"], ended["words"]
        assert ended["code"] in (KILLED, 0, 1, 2, 3, 4, 5, 7), ended["words"]
        self.kills += ended["code"] == KILLED
        return ended

    def finish(self) -> None:
        """The days go on, nobody kills anything, and what was approved and ordered is carried out: by the sender and,
        on a server, its workers, or by whoever is there."""
        for _ in range(4):
            self.scene.service.advance(60)
            self.turn()
            for number, state in self.states().items():
                if ProposalState(state) not in ENDS | WAITS_FOR_A_PERSON:
                    self.anular("eva", "run", "--approved", number)
            if not self.left():
                return

    def left(self) -> list[dict[str, Any]]:
        """Proposals that neither ended nor wait for a person, and orders that were neither done nor refused."""
        waits = {state.value for state in ENDS | WAITS_FOR_A_PERSON}
        proposals = [one for one in self.lines("id, state, why", "proposal") if one["state"] not in waits]
        asked = [one for one in self.lines("id, kind, state, answer", "decision_order") if one["state"] in OPEN_ORDERS]
        return proposals + asked

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
        assert self.left() == []
        orders = self.lines("id, kind, state", "decision_order")
        self.done = Counter(one["kind"] for one in orders if one["state"] == OrderState.DONE.value)
        self.sent = len(self.scene.service.posts(set(self.scene.cufes)))
        if "batch" not in self.scene.tables():
            assert not self.sent
            return
        self.scene.check_ledger()
        self.check_rows()
        digests = {line["digest"]: line for line in self.lines("id, digest, approved_by, prepared_by", "proposal")}
        for line in ledgers.lines(self.scene.url, "SELECT approved_by FROM batch WHERE approved_by <> ''"):
            said = ApprovedBy.read(line["approved_by"])
            assert said is not None, line
            assert said.approver != said.preparer
            assert digests[said.digest]["approved_by"] == said.approver

    def check_rows(self) -> None:
        """What left was claimed in some batch, and what is said to be cancelled was taken by eDoc."""
        cufes = set(self.scene.cufes)
        posts, taken = self.scene.service.posts(cufes), self.scene.service.taken(cufes)
        found = ledgers.lines(self.scene.url, "SELECT cufe, state FROM attempt")
        sent = {line["cufe"] for line in found if State(line["state"]) not in UNSENT}
        assert set(posts) <= sent, "it left, and every attempt says that it did not"
        assert {line["cufe"] for line in found if State(line["state"]) is State.CANCELLED} <= taken


@pytest.mark.parametrize("seed", [*FIXED[:1], *long(*FIXED[1:])])
def test_an_office_sends_what_two_people_said_and_nothing_else(scene: Scene, seed: int) -> None:
    history = History(scene, seed)
    history.live(16)

    assert history.sent, "something has to be sent for this to mean anything"
    assert history.kills
    assert history.done, "an order has to be carried out"


HISTORIES = int(os.environ.get("HISTORIES") or (5 if ledgers.on_a_server() else 20))
"""How many `make test-all` lives through, in files and on a server; `make histories` names more, on either."""


@pytest.mark.long
@pytest.mark.parametrize("number", range(HISTORIES))
def test_histories_of_every_length_send_what_two_people_said(scene: Scene, seed: int, number: int) -> None:
    History(scene, seed + number).live(random.Random(seed + number).randint(8, 25))
