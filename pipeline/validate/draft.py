"""Drafts: the sheet as this step needs it, and a row while it is being checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import Deadline
from pipeline.domain.duplicates import Ruling
from pipeline.domain.records import Problem


class Sheet(Protocol):
    """Table that was read, as validation needs it; see ``pipeline/read/sheet.py``, which this step may not import."""

    @property
    def sheet(self) -> str | None: ...
    @property
    def roles(self) -> dict[str, int]: ...
    @property
    def cells(self) -> pd.DataFrame: ...
    @property
    def text(self) -> pd.DataFrame: ...
    @property
    def oddities(self) -> dict[tuple[int, int], str]: ...
    @property
    def earlier(self) -> dict[int, str]: ...
    @property
    def hidden_rows(self) -> tuple[int, ...]: ...
    @property
    def against(self) -> dict[int, tuple[Problem, ...]]: ...
    def address(self, line: int, role: str) -> str: ...
    def heading(self, role: str) -> str: ...


@dataclass(slots=True)
class Draft:
    """A row while it is being checked."""

    pos: int
    line: int
    received: str
    written: str  # the reason as it stands in the cell
    cufe: str
    reason: str
    email: str | None
    repairs: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    valid: Cufe | None = None
    due: Deadline | None = None
    ruling: Ruling | None = None
    idle: bool = False  # no invoice at all
