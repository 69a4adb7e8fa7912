"""``read_sheet`` without a process per file, for tests of what is read; that both say the same is tested elsewhere.

Starting a process takes about 0.15 s, which a test of a hundred small files cannot afford.
``tests/integration/read/test_process.py`` compares this way in with the program's own.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from pipeline.read.limits import Limits
from pipeline.read.parse import parse
from pipeline.read.sheet import DEFAULT_LIMITS, Sheet, sheet_of
from pipeline.read.source import Source, take
from pipeline.read.table import Table


class Here(contextlib.nullcontext["Here"]):
    """In the place of ``pipeline.read.process.Reader``: the same, without a process."""

    def __init__(self) -> None:
        super().__init__(self)

    def read(self, source: Source, limits: Limits, **wishes: Any) -> Table:
        return parse(source.data, source.path.name, limits, **wishes)


def read_sheet(
    path: Path,
    *,
    sheet: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    include_hidden: bool = False,
    prefer: str = "",
    columns: str = "",
) -> Sheet:
    """What ``pipeline.read.sheet.read_sheet`` does, parsing in this very process."""
    source = take(path, limits)
    more = {"prefer": prefer, "columns": columns}
    return sheet_of(source, parse(source.data, path.name, limits, sheet=sheet, include_hidden=include_hidden, **more))
