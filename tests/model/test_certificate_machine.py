"""The certificates of an office against a model in plain Python: whatever is done to both, in any order, they agree.

What it shows: no path leaves an end state, at most one request of an issuer is open, of several certificates the one
that ends last counts, and the events of each record tell its whole way.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pipeline.certificates.registry import Dates, Registry
from pipeline.domain.certificates import OPEN, Certificate, State, is_active, renewal_from, state_of, the_one
from pipeline.domain.errors import WrongUsage
from pipeline.office.place import place_of
from tests.support.certificates import settings_with
from tests.support.long import long

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
ISSUERS = ("155668001-2-2018", "8-123-456")
WORDS = "Falta la cédula"


@dataclass
class Kept:
    """The model's record."""

    ruc: str
    state: State
    since: datetime | None = None
    until: datetime | None = None
    steps: list[str] = field(default_factory=list)

    def now(self, now: datetime) -> State:
        ran_out = self.state is State.COMPLETE and self.until is not None and self.until <= now
        return State.EXPIRED if ran_out else self.state

    def active(self, now: datetime) -> bool:
        return self.now(now) is State.COMPLETE and self.since is not None and self.since <= now


class Certificates(RuleBasedStateMachine):
    """Two issuers of one company, and a clock that goes on by days and months."""

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        folder = self.stack.enter_context(TemporaryDirectory(dir="/var/tmp" if Path("/var/tmp").is_dir() else None))
        office = place_of(f"sqlite:///{Path(folder) / 'o.db'}").open(START)
        self.stack.callback(office.close)
        self.registry = Registry(office, settings_with(), "ana")
        self.now = START
        self.model: list[Kept] = []
        self.ended: dict[int, Certificate] = {}

    def teardown(self) -> None:
        self.stack.close()

    # --- steps

    @rule(days=st.sampled_from([0, 1, 30, 200, 400]))
    def time_goes_on(self, days: int) -> None:
        self.now += timedelta(days=days, minutes=1)

    @rule()
    def the_ends_are_written(self) -> None:
        swept = {one.id for one in self.registry.sweep(self.now)}
        due = {
            n for n, one in enumerate(self.model, 1) if one.state is State.COMPLETE and one.now(self.now) != one.state
        }
        assert swept == due
        for number in due:
            self.model[number - 1].state = State.EXPIRED
            self.model[number - 1].steps.append("vencida")

    @rule(issuer=st.sampled_from(ISSUERS), ready=st.booleans(), days=st.sampled_from([30, 365, 730]))
    def a_request(self, issuer: str, ready: bool, days: int) -> None:
        one = Certificate(0, 0, issuer, State.IN_PROCESS, requested_on=date(2026, 1, 5))
        dates = Dates(self.now, self.now + timedelta(days=days))
        allowed = not self._in_the_way(issuer)

        def act() -> None:
            if ready:
                self.registry.register(one, dates, self.now)
            else:
                self.registry.request(one, self.now)

        if self._tried(act, allowed):
            kept = Kept(issuer, State.IN_PROCESS, steps=["solicitada"])
            if ready:
                kept.state, kept.since, kept.until = State.COMPLETE, dates.valid_from, dates.valid_until
                kept.steps.append("lista")
            self.model.append(kept)

    @rule(pick=st.integers(0, 9))
    def accepted(self, pick: int) -> None:
        if (one := self._picked(pick)) is not None:
            number, kept = one
            if self._tried(lambda: self.registry.accept(number, self.now), kept.now(self.now) is State.IN_PROCESS):
                self._moved(kept, State.ACCEPTED, "aceptada")

    @rule(pick=st.integers(0, 9))
    def rejected(self, pick: int) -> None:
        if (one := self._picked(pick)) is not None:
            number, kept = one
            if self._tried(lambda: self.registry.reject(number, WORDS, self.now), kept.now(self.now) in OPEN):
                self._moved(kept, State.REJECTED, "rechazada")

    @rule(pick=st.integers(0, 9))
    def sent_again(self, pick: int) -> None:
        if (one := self._picked(pick)) is not None:
            number, kept = one
            allowed = kept.now(self.now) is State.REJECTED and not self._in_the_way(kept.ruc)
            if self._tried(lambda: self.registry.request_again(number, date(2026, 1, 5), self.now), allowed):
                self._moved(kept, State.IN_PROCESS, "solicitada")

    @rule(pick=st.integers(0, 9), begins=st.sampled_from([-30, 0, 30]), days=st.sampled_from([-1, 0, 30, 400]))
    def ready(self, pick: int, begins: int, days: int) -> None:
        if (one := self._picked(pick)) is not None:
            number, kept = one
            since, until = self.now + timedelta(days=begins), self.now + timedelta(days=days)
            allowed = kept.now(self.now) in OPEN and since < until and until > self.now
            if self._tried(lambda: self.registry.complete(number, Dates(since, until), self.now), allowed):
                self._moved(kept, State.COMPLETE, "lista")
                kept.since, kept.until = since, until

    @rule(pick=st.integers(0, 9), days=st.sampled_from([-1, 30, 400]))
    def edited(self, pick: int, days: int) -> None:
        if (one := self._picked(pick)) is not None:
            number, kept = one
            until = self.now + timedelta(days=days)
            allowed = kept.active(self.now) and until > self.now
            if self._tried(lambda: self.registry.edit(number, {}, self.now, Dates(None, until)), allowed):
                self._moved(kept, State.COMPLETE, "editada")
                kept.until = until

    @rule(pick=st.integers(0, 9), request=st.sampled_from(["S-1", "S-2"]))
    def corrected(self, pick: int, request: str) -> None:
        if (one := self._picked(pick)) is not None:
            number, kept = one
            allowed = kept.now(self.now) in OPEN or kept.active(self.now)
            if self._tried(lambda: self.registry.edit(number, {"request": request}, self.now), allowed):
                self._moved(kept, kept.state, "editada")

    @rule(pick=st.integers(0, 9))
    def revoked(self, pick: int) -> None:
        if (one := self._picked(pick)) is not None:
            number, kept = one
            if self._tried(lambda: self.registry.end(number, "Revocado", self.now), kept.active(self.now)):
                self._moved(kept, State.EXPIRED, "terminada")
                kept.until = self.now

    # --- what always holds

    @invariant()
    def both_say_the_same(self) -> None:
        found = self.registry.all()
        assert [(one.ruc, one.state, one.valid_from, one.valid_until) for one in found] == [
            (one.ruc, one.state, one.since, one.until) for one in self.model
        ]
        assert [one.version for one in found] == [len(one.steps) for one in self.model]

    @invariant()
    def the_events_tell_the_whole_way(self) -> None:
        for number, kept in enumerate(self.model, 1):
            log = self.registry.log(number)
            assert [line.event for line in log] == kept.steps
            assert [line.before for line in log[1:]] == [line.after for line in log[:-1]]
            assert log[-1].after == kept.state

    @invariant()
    def nothing_leaves_an_end_state(self) -> None:
        for one in self.registry.all():
            if one.state is State.EXPIRED:
                assert self.ended.setdefault(one.id, one) == one
        assert set(self.ended) <= {one.id for one in self.registry.all() if one.state is State.EXPIRED}

    @invariant()
    def an_issuer_has_one_request_open_at_most(self) -> None:
        for issuer in ISSUERS:
            assert sum(one.ruc == issuer and one.state in OPEN for one in self.registry.all()) <= 1

    @invariant()
    def the_one_that_ends_last_counts(self) -> None:
        for issuer in ISSUERS:
            mine = [one for one in self.registry.all() if one.ruc == issuer]
            ends = [
                one.valid_until
                for one in mine
                if state_of(one, self.now) is State.COMPLETE and one.valid_until is not None
            ]
            counts = the_one(mine, self.now)
            if ends:
                assert counts is not None
                assert counts.valid_until == max(ends)

    # --- helpers

    def _tried(self, act, allowed: bool) -> bool:
        """Does it; whether it was done is what the model says."""
        if allowed:
            act()
            return True
        with pytest.raises(WrongUsage):
            act()
        return False

    def _picked(self, pick: int) -> tuple[int, Kept] | None:
        return (pick % len(self.model) + 1, self.model[pick % len(self.model)]) if self.model else None

    def _in_the_way(self, issuer: str) -> bool:
        mine = [one for one in self.model if one.ruc == issuer]
        young = [one for one in mine if one.active(self.now) and one.since and self.now < renewal_from(one.since)]
        return bool(young) or any(one.state in OPEN for one in mine)

    @staticmethod
    def _moved(kept: Kept, state: State, step: str) -> None:
        kept.state = state
        kept.steps.append(step)


SHORT = settings(
    max_examples=15,
    stateful_step_count=30,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LONG = settings(
    settings.get_profile("random"),
    max_examples=200,
    stateful_step_count=60,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("how", ["short", *long("long")])
def test_the_records_and_the_model_agree(how):
    run_state_machine_as_test(Certificates, settings=SHORT if how == "short" else LONG)


def test_active_is_the_same_in_the_model_and_in_the_rules():
    one = Certificate(1, 1, ISSUERS[0], State.COMPLETE, valid_from=START, valid_until=START + timedelta(days=1))
    kept = Kept(one.ruc, one.state, one.valid_from, one.valid_until)
    for hours in (-1, 0, 23, 24):
        at = START + timedelta(hours=hours)
        assert kept.active(at) == is_active(one, at)
