"""Pending actions of a batch: what people have to do about its rows, grouped as in the sheet «Pendientes de acción».

For a large batch it is made by a reader child and kept like a download, for the state that the batch had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.domain.records import BatchInfo
from pipeline.ledger.views import Views
from pipeline.report.summary import summarise

FILE = "pendientes.json"
AT_ONCE = 1_000
"""Rows of a batch whose actions are found without a child."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Rows that need the same thing."""

    #: of the action, such as ``A17``
    rule: str
    title: str
    words: str
    #: whether a person has to act
    person: bool
    #: the first legal limit of these rows, ISO; empty where none is known
    due: str
    #: their positions, first legal limit first
    places: tuple[int, ...]

    @property
    def limit(self) -> datetime | None:
        """The first legal limit as a time."""
        return datetime.fromisoformat(self.due) if self.due else None


@dataclass(frozen=True, slots=True)
class Summary:
    """A batch in a sentence, and what is to be done about it."""

    headline: str
    pending: tuple[Pending, ...]


def summary_of(views: Views, info: BatchInfo) -> Summary:
    """Summary of a batch as the results workbook has it."""
    whole = views.whole(info)
    report = summarise(whole.info, whole.lines, ())
    places = {group.action: group.indexes for group in report.groups}
    found = []
    for todo in report.todo:
        indexes = places.get(todo.action, ())
        due = todo.due.isoformat() if todo.due is not None else ""
        action = todo.action
        at = tuple(whole.lines[index].pos for index in indexes)
        found.append(Pending(action.rule, action.title, action.words, action.person, due, at))
    return Summary(report.headline, tuple(found))


def write_summary(views: Views, info: BatchInfo, folder: Path) -> None:
    """Writes the summary into ``folder``."""
    (folder / FILE).write_text(json.dumps(asdict(summary_of(views, info))), "utf-8")


def read_summary(file: Path) -> Summary:
    """The summary that was written into ``file``."""
    found: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
    pending = tuple(Pending(**{**one, "places": tuple(one["places"])}) for one in found["pending"])
    return Summary(str(found["headline"]), pending)
