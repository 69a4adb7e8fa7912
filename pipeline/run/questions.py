"""Questions about a file that only a person can answer; without a terminal each is a refusal (eyes.md 1).

Each has an option of ``anular run`` that answers it, which the refusal names.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import refused
from pipeline.read.sheet import Sheet, which_lines


def far_rows(sheets: Sequence[Sheet]) -> tuple[int, InputRefused] | None:
    """How many rows stand below a long stretch of empty ones, in all files, and the refusal; None when none does."""
    far = [sheet for sheet in sheets if sheet.distant]
    if not far:
        return None
    count = sum(len(sheet.distant) for sheet in far)
    which = "; ".join(f"{sheet.name}: {which_lines(sheet.distant)}" for sheet in far)
    what = "1 fila" if count == 1 else f"{count} filas"
    return count, refused("fila-lejana", where=far[0].sheet or "", what=what, which=which, count=count)


def views(sheets: Sequence[Sheet]) -> InputRefused | None:
    """The refusal of files with a view that leaves rows out; None when no file has one."""
    filtering = [sheet for sheet in sheets if sheet.views]
    if not filtering:
        return None
    names = ", ".join(f"«{name}»" for sheet in filtering for name in sheet.views)
    return refused("vista-filtra", where=filtering[0].sheet or "", names=names)
