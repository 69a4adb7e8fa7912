"""Proposals against a model in plain Python, on a real office database and a real ledger (approvals.md 1).

Whatever people and the program do, in any order: nothing leaves that two different people did not agree to where two
are asked for, nothing leaves twice, and no end is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pipeline.approvals.store import Proposal
from pipeline.domain.approval_digest import payload_hash
from pipeline.domain.errors import AnularError, NotApproved
from pipeline.domain.proposals import DUE, ENDS, MOVES, ProposalState, Step
from tests.support.desk import REASON, Desk, make_cufe, settings_of
from tests.support.long import long

SHORT = settings(
    max_examples=10,
    stateful_step_count=30,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LONG = settings(
    settings.get_profile("random"),
    max_examples=100,
    stateful_step_count=60,
    suppress_health_check=list(HealthCheck),
)
PEOPLE = st.sampled_from(["ana", "eva", "luis"])
FILES = st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True).map(sorted)


@dataclass
class Agreed:
    """What the model knows of one proposal."""

    codes: frozenset[str]
    prepared: str
    submitted: str
    approved: str = ""
    ended: ProposalState | None = None
    steps: list[str] = field(default_factory=list)


class OfficeMachine(RuleBasedStateMachine):
    """Every rule is one command of a person or of the program; a refusal is an answer too, and changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = TemporaryDirectory(prefix="anular-", dir=memory if memory.is_dir() else None)
        place = Path(self.folder.name)
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("XDG_STATE_HOME", str(place / "state"))
        self.desk = Desk(place, settings_of(place, f"sqlite:///{place / 'ledger' / 'registro.db'}"), self.patch)
        self.known: dict[int, Agreed] = {}

    def teardown(self) -> None:
        self.desk.verified()
        self.desk.close()
        self.patch.undo()
        self.folder.cleanup()

    def _open(self, data: st.DataObject, *states: ProposalState) -> Proposal | None:
        found = [one for number in self.known if (one := self.desk.store.get(number)).state in states]
        return data.draw(st.sampled_from(found)) if found else None

    # ------------------------------------------------------------------------------------------- people

    @rule(numbers=FILES, who=PEOPLE)
    def propose(self, numbers: list[int], who: str) -> None:
        try:
            one = self.desk.propose(self.desk.file(numbers), who=who)
        except AnularError as error:
            self._expected(error, "approval-nothing", "proposal-known")
            return
        self.known.setdefault(one.id, Agreed(self._sendable(one, numbers), who, who))

    @rule(numbers=FILES, who=PEOPLE)
    def the_folder_holds_and_somebody_asks(self, numbers: list[int], who: str) -> None:
        try:
            info = self.desk.run(self.desk.file(numbers), held=True)
            one = self.desk.propose_batch(info, who=who)
        except AnularError as error:
            self._expected(error, "approval-nothing", "ledger-taken")
            return
        self.known.setdefault(one.id, Agreed(self._sendable(one, numbers), who, who))

    def _expected(self, error: AnularError, *codes: str) -> None:
        if error.code not in codes:
            raise error

    def _sendable(self, one: Proposal, numbers: list[int]) -> frozenset[str]:
        kept = set(self.desk.store.hashes(one.id))
        codes = frozenset(cufe for n in numbers if payload_hash(cufe := make_cufe(n), REASON, None) in kept)
        assert len(codes) == one.to_send
        return codes

    @rule(data=st.data(), who=PEOPLE, right=st.booleans())
    def approve(self, data: st.DataObject, who: str, right: bool) -> None:
        one = self._open(data, *ProposalState)
        if one is None:
            return
        agreed = self.known[one.id]
        own = self.desk.two and who in (agreed.prepared, agreed.submitted)
        may = one.state is ProposalState.WAITING and not own and right
        try:
            self.desk.approve(one, who=who, **({} if right else {"count": one.to_send + 1}))
        except NotApproved as error:
            if may:
                self._expected(error, "approval-expired")
            return
        assert may
        agreed.approved = who

    @rule(data=st.data(), who=PEOPLE)
    def decline(self, data: st.DataObject, who: str) -> None:
        one = self._open(data, *ProposalState)
        if one is None:
            return
        try:
            if one.state is ProposalState.STOPPED:
                self.desk.give_up(one, who=who)
            else:
                self.desk.decline(one, who=who)
        except NotApproved:
            return
        assert self.desk.store.get(one.id).state in ENDS

    @rule(two=st.booleans())
    def the_office_changes_its_rule(self, two: bool) -> None:
        self.desk.two = two

    # ------------------------------------------------------------------------------------------- the program

    @rule(data=st.data(), stops=st.one_of(st.none(), st.integers(0, 2)), who=PEOPLE)
    def carry_one(self, data: st.DataObject, stops: int | None, who: str) -> None:
        one = self._open(data, *ProposalState)
        if one is None:
            return
        self._sending(stops, lambda: self.desk.carry(one, who=who))

    @rule(stops=st.one_of(st.none(), st.integers(0, 2)))
    def the_sender_goes_round(self, stops: int | None) -> None:
        self._sending(stops, self.desk.sweep)

    def _sending(self, stops: int | None, work: Callable[[], object]) -> None:
        before = Counter(self.desk.posts)
        self.desk.stops_after = stops
        try:
            work()
        except NotApproved:
            assert self.desk.posts == before
        self.desk.stops_after = None
        for code in self.desk.posts - before:
            owners = [one for one in self.known.values() if code in one.codes and one.approved]
            assert owners, "somebody approved it"
            if self.desk.two:
                assert any(one.approved not in (one.prepared, one.submitted) for one in owners)

    @rule(hours=st.sampled_from([1, 30, 73]))
    def time_passes(self, hours: int) -> None:
        self.desk.later(hours=hours)

    @precondition(lambda self: self.known)
    @rule()
    def the_clock_is_set_back_and_right_again(self) -> None:
        before = Counter(self.desk.posts)
        self.desk.later(hours=-2)
        self.desk.sweep()
        self.desk.later(hours=2)
        newest = max(self.desk.store.get(number).changed for number in self.known)
        if newest > self.desk.clock.now():
            return
        assert set(self.desk.posts) >= set(before)

    # ------------------------------------------------------------------------------------------- always

    @invariant()
    def nothing_left_twice_or_without_approval(self) -> None:
        assert all(count == 1 for count in self.desk.posts.values()), self.desk.posts
        agreed = frozenset().union(*(one.codes for one in self.known.values() if one.approved))
        assert set(self.desk.posts) <= agreed

    @invariant()
    def no_end_is_left_and_every_step_is_in_the_table(self) -> None:
        for number, agreed in self.known.items():
            one = self.desk.store.get(number)
            assert agreed.ended in (None, one.state)
            if one.state in ENDS:
                agreed.ended = one.state
            if one.state in DUE:
                assert agreed.approved

    def check_events(self) -> None:
        for number in self.known:
            events = self.desk.store.events(number)
            assert [event.version for event in events] == list(range(1, len(events) + 1))
            for event in events[1:]:
                target = MOVES[ProposalState(event.before), Step(event.event)]
                assert target.value == event.after


class CheckedMachine(OfficeMachine):
    """The same, and at its end every event is one of the table."""

    def teardown(self) -> None:
        self.check_events()
        super().teardown()


@pytest.mark.parametrize("how", [SHORT, *long(LONG)], ids=["short", "long"])
def test_whatever_people_do_nothing_leaves_that_two_did_not_agree_to(how: settings) -> None:
    run_state_machine_as_test(CheckedMachine, settings=how)
