"""The ledger against a model in plain Python: whatever is done to both, in any order, they agree (reliability.md 2).

A dozen lives of the ledger that are the same at every run, and where it is long two hundred others of 60 steps; these
look for the shortest life that fails (up to five minutes).
"""

# ruff: noqa: T201 - the figures are part of the result

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from pipeline.domain.errors import Bug, StorageTrouble
from pipeline.domain.lifecycle import FOLLOWED, GIVEN_BACK, LIVE_NEVER, MOVES, RETRIED, Event, State
from pipeline.domain.outcomes import outcome
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import BatchInfo, CheckedRow, Correction, Finding, Leader, Position, Source, Verdict
from pipeline.ledger import tables
from pipeline.ledger.moves import Move
from pipeline.ledger.storage.location import Database, open_ledger
from pipeline.ledger.store import Store
from pipeline.ledger.verify import examine
from pipeline.ledger.views import Views
from tests.support.long import long

SHORT = settings(
    max_examples=12,
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
ENV = "sandbox"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
VERDICT_STATE = {
    Verdict.ACCEPTED: State.READY,
    Verdict.HELD: State.HELD,
    Verdict.REJECTED: State.REJECTED_INPUT,
    Verdict.DUPLICATE: State.DUPLICATE,
    Verdict.CONFLICT: State.CONFLICT,
}
REASONS = ("Error en el monto facturado", "Cliente devolvió la mercancía")
CUFES = st.integers(1, 7).map(lambda n: f"FE{n:064d}")
CORRECTIONS = Correction("Otro motivo, más claro", None), Correction(REASONS[1], "a@empresa.com")
BY_PERSON = frozenset({Event.APPROVED, Event.STOPPED, Event.WITHDRAWN, Event.RESOLVED, Event.RESEND})
ANY, ALL = frozenset(State), frozenset(Event)
hit: Counter[tuple[State, Event]] = Counter()


@dataclass
class Attempt:
    """The model's attempt; its id is its place in the list, from 1."""

    cufe: str
    batch: str
    pos: int
    n: int
    state: State = State.READY
    version: int = 1
    alive: bool = False  # the last state that was answered is a query's 2
    again: bool = False  # it follows a resend that a person authorised
    texts: tuple[str, str | None] | None = None  # what that resend sends instead of the texts of its row

    @property
    def live(self) -> bool:
        return self.state not in LIVE_NEVER


@dataclass
class Model:
    """What the ledger should hold."""

    batches: dict[str, list[Verdict]] = field(default_factory=dict)  # what validation said of each row
    attempts: list[Attempt] = field(default_factory=list)
    events: int = 0

    def live(self, cufe: str) -> Attempt | None:
        return next((a for a in self.attempts if a.cufe == cufe and a.live), None)

    def newest(self, batch: str, pos: int) -> Attempt | None:
        return next((a for a in reversed(self.attempts) if (a.batch, a.pos) == (batch, pos)), None)

    def add(self, before: Attempt) -> None:
        again = before.again or before.state is State.CLOSED_RESEND
        fresh = Attempt(before.cufe, before.batch, before.pos, before.n + 1, again=again, texts=before.texts)
        self.attempts.append(fresh)
        self.events += 1

    def counts(self, batch: str) -> dict[str, int]:
        words: Counter[str] = Counter()
        for pos, verdict in enumerate(self.batches[batch], 1):
            found = self.newest(batch, pos)
            state = VERDICT_STATE[verdict] if found is None else found.state
            alive, again = (found.alive, found.again) if found is not None else (False, False)
            words[outcome(state, alive=alive, again=again).value] += 1
        return dict(words)


@cache
def empty_ledger() -> Path:
    """A ledger with its tables, made once and copied for each life."""
    folder = Path(mkdtemp(prefix="anular-empty-"))
    open_ledger(f"sqlite:///{folder / 'registro.db'}").close()
    return folder / "registro.db"


class LedgerMachine(RuleBasedStateMachine):
    """Every rule does one thing to the ledger and the same to the model, or expects both to refuse it."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = TemporaryDirectory(prefix="anular-", dir=memory if memory.is_dir() else None)
        shutil.copy(empty_ledger(), self.folder.name)
        self.url = f"sqlite:///{Path(self.folder.name) / 'registro.db'}"
        self.model = Model()
        self.zombies: list[Store] = []

    @initialize()
    def start(self) -> None:
        self._open()
        rows = [self._checked(n, f"FE{n:064d}", REASONS[0], held=n == 1, wrong=False) for n in range(1, 7)]
        self.store.intake(self._info("lote-0", len(rows)), rows)
        self._taken("lote-0", rows)

    def _open(self) -> None:
        self.database: Database = open_ledger(self.url)
        self.views = Views(self.database, ENV)
        self.store = Store(self.database, ENV)
        self.store.begin_run(NOW)

    def teardown(self) -> None:
        for name in self.model.batches:
            self._check(name)
        found = examine(self.database)
        self.database.close()
        self.folder.cleanup()
        assert found.good, found.faults
        assert found.events == self.model.events

    # ------------------------------------------------------------------------------------------- files

    @rule(
        rows=st.lists(st.tuples(CUFES, st.sampled_from(REASONS), st.booleans(), st.booleans()), min_size=1, max_size=5)
    )
    def take_a_file(self, rows: list[tuple[str, str, bool, bool]]) -> None:
        """With the rulings of validation: what the ledger or the file has already is a duplicate or a conflict."""
        name = f"lote-{len(self.model.batches)}"
        seen = self.views.seen([cufe for cufe, *_ in rows])
        assert set(seen) == {cufe for cufe, *_ in rows if self.model.live(cufe)}
        checked: list[CheckedRow] = []
        first: dict[str, CheckedRow] = {}
        for pos, (cufe, reason, held, wrong) in enumerate(rows, 1):
            row = self._checked(pos, cufe, reason, held=held, wrong=wrong and held)
            if row.verdict is not Verdict.REJECTED:
                if cufe in seen:
                    known = seen[cufe]
                    same = known.payload_sha256 == payload_sha256(cufe, reason, None)
                    leader = Leader(known.batch, known.pos, known.position)
                    row = self._repeated(row, leader, same=same)
                elif cufe in first:
                    leader = Leader(None, first[cufe].pos, first[cufe].position)
                    row = self._repeated(row, leader, same=first[cufe].reason == reason)
                else:
                    first[cufe] = row
            checked.append(row)
        self.store.intake(self._info(name, len(checked)), checked)
        self._taken(name, checked)

    @rule(cufe=CUFES, reason=st.sampled_from(REASONS))
    def take_a_live_code_blindly(self, cufe: str, reason: str) -> None:
        """Without the rulings the tables themselves refuse a second live attempt, and the whole file with it."""
        name = f"lote-{len(self.model.batches)}"
        other = self._checked(2, f"FE{99:064d}", reason, held=False, wrong=True)
        rows = [other, self._checked(1, cufe, reason, held=False, wrong=False)]
        if self.model.live(cufe):
            with self._refused(StorageTrouble):
                self.store.intake(self._info(name, 2), rows)
        else:
            self.store.intake(self._info(name, 2), rows)
            self._taken(name, sorted(rows, key=lambda row: row.pos))

    @rule(data=st.data())
    def take_the_same_file_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.batches)))
        info = self._info(name, 1)
        known = self.views.find(info.sha256, None)
        assert known is not None
        assert known.id == name
        again = replace(info, id=f"{name}-otra-vez")
        with self._refused(StorageTrouble):
            self.store.intake(again, [self._checked(1, f"FE{98:064d}", REASONS[0], held=False, wrong=False)])

    def _checked(self, pos: int, cufe: str, reason: str, *, held: bool, wrong: bool) -> CheckedRow:
        verdict = Verdict.REJECTED if wrong else Verdict.HELD if held else Verdict.ACCEPTED
        return CheckedRow(pos, Position(None, pos + 1), (cufe, reason), verdict, cufe, reason)

    def _repeated(self, row: CheckedRow, leader: Leader, *, same: bool) -> CheckedRow:
        return (
            replace(row, verdict=Verdict.DUPLICATE, leader=leader) if same else replace(row, verdict=Verdict.CONFLICT)
        )

    def _info(self, name: str, rows: int) -> BatchInfo:
        sha = f"{int(name.rpartition('-')[2]):064d}"
        return BatchInfo(name, f"{name}.csv", sha, ENV, None, rows, ("CUFE", "Motivo"), NOW, folder="/r")

    def _taken(self, name: str, rows: list[CheckedRow]) -> None:
        self.model.batches[name] = [row.verdict for row in rows]
        for row in rows:
            if row.verdict in (Verdict.ACCEPTED, Verdict.HELD):
                self.model.attempts.append(Attempt(row.cufe or "", name, row.pos, 1, VERDICT_STATE[row.verdict]))
        self.model.events += len(rows)

    # ------------------------------------------------------------------------------------------- moves

    def _wish(self, number: int, event: Event, *, retry: bool = False) -> Move:
        found = self.model.attempts[number - 1]
        who, note = ("ana", "porque sí") if event in BY_PERSON else (None, "")
        return Move(
            number,
            found.version,
            found.batch,
            found.pos,
            found.state,
            event,
            NOW,
            _finding(found.state, event),
            note=note,
            who=who,
            retry=retry,
        )

    def _made(self, wish: Move) -> None:
        found = self.model.attempts[wish.attempt - 1]
        hit[found.state, wish.event] += 1
        if wish.finding is not None and wish.finding.estado is not None and wish.target is not State.READY:
            found.alive = wish.finding.source is Source.QUERY and wish.finding.estado == 2
        found.state, found.version = wish.target, found.version + 1
        self.model.events += 1

    def _draw(self, data: st.DataObject, states: frozenset[State] = ANY, events: frozenset[Event] = ALL) -> Move | None:
        """A legal move out of ``states`` by ``events``; None when no attempt has any."""
        movable = [
            n
            for n, found in enumerate(self.model.attempts, 1)
            if found.state in states and events & set(_events_of(found.state))
        ]
        if not movable:
            return None
        number = data.draw(st.sampled_from(movable))
        state = self.model.attempts[number - 1].state
        event = data.draw(st.sampled_from([event for event in _events_of(state) if event in events]))
        target = MOVES[state, event]
        retry = event is Event.RESEND or (target in RETRIED and data.draw(st.booleans()))
        wish = self._wish(number, event, retry=retry)
        if event is Event.RESEND and state in GIVEN_BACK and data.draw(st.booleans()):
            said = data.draw(st.sampled_from(((Event.ALIVE, 2), (Event.CORRECT, 6), (Event.RETURNED, 15))))
            finding = Finding(Source.QUERY, said[0], http=200, estado=said[1])
            wish = replace(wish, finding=finding, correction=data.draw(st.sampled_from(CORRECTIONS)))
        return wish

    def _move(self, wishes: list[Move]) -> None:
        """Different attempts in one transaction, as the writer groups them."""
        unique = list({wish.attempt: wish for wish in wishes}.values())
        moved = self.store.apply(unique)
        for wish, result in zip(unique, moved, strict=True):
            self._made(wish)
            assert (result.state, result.version) == (wish.target, self.model.attempts[wish.attempt - 1].version)
        for wish, result in zip(unique, moved, strict=True):
            if wish.retry:
                hit[wish.target, Event.RETRY] += 1
                before = self.model.attempts[wish.attempt - 1]
                if wish.correction is not None:
                    before = replace(before, texts=(wish.correction.reason, wish.correction.email))
                self.model.add(before)
                assert result.next_attempt == len(self.model.attempts)

    def _some(self, data: st.DataObject, states: frozenset[State], events: frozenset[Event] = ALL) -> None:
        drawn = (self._draw(data, states, events) for _ in range(data.draw(st.integers(1, 4))))
        self._move([wish for wish in drawn if wish is not None])

    @rule(data=st.data())
    def claim_some(self, data: st.DataObject) -> None:
        self._some(data, frozenset({State.READY}), frozenset({Event.CLAIMED}))

    @rule(data=st.data())
    def answer_some(self, data: st.DataObject) -> None:
        self._some(data, frozenset({State.SENDING}))

    @rule(data=st.data())
    def ask_for_some(self, data: st.DataObject) -> None:
        self._some(data, FOLLOWED | {State.RETURNED})

    @rule(data=st.data())
    def decide_some(self, data: st.DataObject) -> None:
        self._some(data, ANY, BY_PERSON)

    @rule(data=st.data())
    def move_any(self, data: st.DataObject) -> None:
        self._some(data, ANY)

    @rule(data=st.data())
    def wish_the_impossible(self, data: st.DataObject) -> None:
        """Behind a good move of another attempt: the whole group is taken back."""
        number = data.draw(st.integers(1, len(self.model.attempts)))
        state = self.model.attempts[number - 1].state
        wish = self._wish(number, data.draw(st.sampled_from(_events_of(state) or [Event.RESOLVED])))
        other = data.draw(st.sampled_from([source for source in State if source is not state and _events_of(source)]))
        illegal = data.draw(st.sampled_from([event for event in Event if (state, event) not in MOVES]))
        good = self._draw(data)
        before = [] if good is None or good.attempt == number else [good]
        for wrong in (
            replace(wish, version=wish.version - 1),
            replace(wish, version=wish.version + 1),
            replace(wish, source=other, event=data.draw(st.sampled_from(_events_of(other)))),
            replace(wish, event=illegal),
            replace(wish, correction=CORRECTIONS[0]),  # without an answer that proves anything
            replace(wish, attempt=len(self.model.attempts) + 7, source=State.REVIEW, event=Event.RESOLVED),
        ):
            with self._refused(Bug):
                self.store.apply([*before, wrong])

    @rule()
    def recover(self) -> None:
        sending = [n for n, found in enumerate(self.model.attempts, 1) if found.state is State.SENDING]
        assert self.store.recover(NOW) == len(sending)
        for number in sending:
            self._made(self._wish(number, Event.RECOVERED))

    @rule(data=st.data())
    def reopen_a_batch(self, data: st.DataObject) -> None:
        self._reopen(data.draw(st.sampled_from(sorted(self.model.batches))))

    @rule(data=st.data())
    def take_elsewhere_what_was_not_sent(self, data: st.DataObject) -> None:
        """A code that was proven unsent may come in another file, and then no longer belongs to the first."""
        free = [a for a in self.model.attempts if a.state in RETRIED and self.model.live(a.cufe) is None]
        if not free:
            return
        found = data.draw(st.sampled_from(free))
        name = f"lote-{len(self.model.batches)}"
        rows = [self._checked(1, found.cufe, REASONS[0], held=data.draw(st.booleans()), wrong=False)]
        self.store.intake(self._info(name, 1), rows)
        self._taken(name, rows)
        self._reopen(found.batch)

    def _reopen(self, name: str) -> None:
        """What was proven unsent gets another attempt, unless its code lives elsewhere by now."""
        again = [
            found
            for found in self.model.attempts
            if found.batch == name
            and found.state in RETRIED
            and self.model.newest(name, found.pos) is found
            and self.model.live(found.cufe) is None
        ]
        assert self.store.reopen(name, NOW) == len(again)
        for found in again:
            hit[found.state, Event.RETRY] += 1
            self.model.add(found)

    # -------------------------------------------------------------------------------- runs and crashes

    @rule()
    def another_run_begins(self) -> None:
        self.zombies.append(self.store)
        self.store = Store(self.database, ENV)
        self.store.begin_run(NOW)

    @precondition(lambda self: self.zombies)
    @rule(data=st.data())
    def an_older_run_still_tries(self, data: st.DataObject) -> None:
        wish = self._draw(data)
        if wish is not None:
            with self._refused(Bug):
                data.draw(st.sampled_from(self.zombies)).apply([wish])

    @rule()
    def crash_between_two_commits(self) -> None:
        self.database.close()
        self.zombies.clear()
        self._open()

    @rule(data=st.data())
    def crash_within_a_commit(self, data: st.DataObject) -> None:
        """After the compare-and-set and before its event: neither of them happened."""
        wish = self._draw(data)
        if wish is None:
            return
        with pytest.MonkeyPatch.context() as patch, self._refused(KeyboardInterrupt):
            patch.setattr(self.store, "_append", _cut_off)
            self.store.apply([wish])
        self.crash_between_two_commits()

    @contextmanager
    def _refused(self, kind: type[BaseException]) -> Iterator[None]:
        before = self._all()
        with pytest.raises(kind):
            yield
        assert self._all() == before, "what was refused left something behind"

    # -------------------------------------------------------------------------------- what is always true

    def _all(self) -> tuple[Any, ...]:
        tables_of_ours = (tables.batch, tables.row, tables.attempt)
        count = self.database.read(select(func.count()).select_from(tables.event))[0][0]
        return (*(self.database.read(select(table)) for table in tables_of_ours), count)

    @invariant()
    def attempts_and_events_are_those_of_the_model(self) -> None:
        lines = self.database.read(select(tables.attempt).order_by(tables.attempt.c.id))
        assert [(x.id, x.cufe, x.batch, x.pos, x.n, x.state, x.v, x.reason, x.email) for x in lines] == [
            (number, a.cufe, a.batch, a.pos, a.n, a.state.value, a.version, *(a.texts or (None, None)))
            for number, a in enumerate(self.model.attempts, 1)
        ]
        assert self.database.read(select(func.count()).select_from(tables.event))[0][0] == self.model.events
        live = Counter(a.cufe for a in self.model.attempts if a.live)
        assert max(live.values(), default=0) <= 1, "two live attempts of one code"

    @rule(data=st.data())
    def look_at_a_batch(self, data: st.DataObject) -> None:
        self._check(data.draw(st.sampled_from(sorted(self.model.batches))))

    def _check(self, name: str) -> None:
        """Every row is shown once and counted, and what may be sent is what is ready."""
        counts = self.views.counts(name)
        assert counts == self.model.counts(name)
        assert sum(counts.values()) == len(self.model.batches[name])
        wanted = {n for n, a in enumerate(self.model.attempts, 1) if a.batch == name and a.state is State.READY}
        ready = self.views.ready(name)
        assert {row.attempt for row in ready} == wanted
        for row in ready:
            texts = self.model.attempts[row.attempt - 1].texts
            assert row.corrected == (texts is not None)
            assert texts is None or (row.reason, row.email) == texts


def _cut_off(*_: object) -> None:
    raise KeyboardInterrupt


def _events_of(state: State) -> list[Event]:
    """The events by which an attempt can leave ``state``; a further attempt is a row of its own."""
    return [event for source, event in MOVES if source is state and event is not Event.RETRY]


def _finding(state: State, event: Event) -> Finding | None:
    if event in BY_PERSON or event in (Event.CLAIMED, Event.RECOVERED, Event.OUT_OF_TIME, Event.STALE):
        return None
    source = Source.CANCELLATION if state is State.SENDING else Source.QUERY
    estado = {Event.ALIVE: 2, Event.IN_PROGRESS: 5, Event.NOT_FOUND: 18}.get(event)
    return Finding(source, event, http=200, estado=estado)


@pytest.mark.parametrize("size", [SHORT, *long(LONG)], ids=["short", "long"])
def test_the_ledger_and_the_model_agree_whatever_is_done(size: settings) -> None:
    run_state_machine_as_test(LedgerMachine, settings=size)
    shutil.rmtree(empty_ledger().parent)
    empty_ledger.cache_clear()
    possible = {key for key in MOVES if key[0] is not State.RECEIVED}
    never = sorted(f"{state.value} by {event.value}" for state, event in possible - set(hit))
    print(f"\n{len(possible) - len(never)} of {len(possible)} moves were made; never: {', '.join(never) or '-'}")
    assert hit[State.READY, Event.CLAIMED], "a machine that never sends shows nothing"
