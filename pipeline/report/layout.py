"""Layout mark of a workbook: identifies the program version; changes with everything that the bytes depend on.

Two programs with the same mark write the same workbook from the same events, so a difference is a change. With
another mark it may only be another layout.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import openpyxl

from pipeline.domain.errors import Bug

LAYOUT_PROPERTY = "anular_libro"
"""Document property of a results workbook: the layout mark of the program that wrote it."""

_PARTS = ("domain/*.py", "report/**/*.py", "ledger/snapshot.py", "ledger/replay.py")


@cache
def layout() -> str:
    """``libro-`` and a digest of the modules that print and of the version of their library."""
    root = Path(__file__).parents[1]
    files = sorted({path for part in _PARTS for path in root.glob(part)})
    if not files:
        raise Bug("the program has no source beside it")
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"libro-{digest.hexdigest()[:16]} openpyxl-{openpyxl.__version__}"
