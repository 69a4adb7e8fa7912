"""Which moves of the life cycle the tests really made (reliability.md 5, G18): ``python -m tests.model.transitions``.

Runs the ledger against its model, the simulation, the steps and the fault matrix (or the tests that are named), counts
every event that a ledger of this process wrote, prints the table of ``MOVES`` and fails when a move of it was never
made. ``test_every_move.py`` makes each move on purpose; its column is apart from those that meet them by living.
A pytest plug-in as well: ``-p tests.model.transitions``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.lifecycle import MOVES, Event, State
from pipeline.ledger.store import Store

ROOT = Path(__file__).parents[2]
COLUMNS = {
    "each move": "tests/model/test_every_move.py",
    "model": "tests/model/test_ledger_machine.py",
    "simulation": "tests/model/test_simulation.py",
    "steps": "tests/integration/steps",
    "matrix": "tests/faults",
}
Made = Counter[tuple[str, State, Event]]


class Recorder:
    """Counts the events by the column that the running test belongs to. Kept in memory until the end."""

    def __init__(self) -> None:
        self.made: Made = Counter()
        self.column = ""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        where = item.path.relative_to(ROOT).as_posix()
        self.column = next((name for name, place in COLUMNS.items() if where.startswith(place)), "")
        yield

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if missing(self.made) and session.exitstatus == 0:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("moves of the life cycle")
        for line in table(self.made):
            terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    recorder = Recorder()
    config.pluginmanager.register(recorder, "transitions")
    append = Store._append

    def counting(self: Store, connection: Any, events: list[dict[str, Any]]) -> None:
        append(self, connection, events)
        recorder.made.update((recorder.column, State(e["from_"]), Event(e["event"])) for e in events)

    Store._append = counting  # type: ignore[method-assign]


def missing(made: Made) -> list[tuple[State, Event]]:
    """The moves of the table that nobody made."""
    hit = {(state, event) for _, state, event in made}
    return [move for move in MOVES if move not in hit]


def table(made: Made) -> list[str]:
    """A line for each move, with how often it was made by which tests; then the sum."""
    lines = [f"{'from':<18}{'event':<14}{'to':<18}" + "".join(f"{name:>12}" for name in COLUMNS)]
    for (state, event), target in MOVES.items():
        counts = [made[name, state, event] for name in COLUMNS]
        mark = "" if any(counts) else "   NOT HIT"
        numbers = "".join(f"{count:>12,}" for count in counts)
        lines.append(f"{state.value:<18}{event.value:<14}{target.value:<18}{numbers}{mark}")
    for name in COLUMNS:
        hit = {(state, event) for column, state, event in made if column == name}
        lines.append(f"{name}: {len(hit & set(MOVES))} of {len(MOVES)} moves hit")
    living = {(state, event) for column, state, event in made if column not in ("", "each move")}
    lines.append(f"by living (all but the first column): {len(living & set(MOVES))} of {len(MOVES)} moves hit")
    lines.append(f"{len(MOVES) - len(missing(made))} of {len(MOVES)} moves hit")
    return lines


if __name__ == "__main__":
    asked = sys.argv[1:] or [str(ROOT / place) for place in COLUMNS.values()]
    sys.exit(pytest.main(["-q", "-p", "tests.model.transitions", *asked]))
