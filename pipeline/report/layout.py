"""Which program lays a workbook out: a mark that changes with everything that its bytes depend on.

Two programs with the same mark write the same workbook from the same events, so a difference between the two is a
change; with another mark it may be another layout.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import openpyxl

from pipeline.domain.errors import Bug

LAYOUT_PROPERTY = "anular_libro"
"""Document property of a results workbook: the mark of the program that laid it out."""

_PARTS = ("domain/*.py", "report/**/*.py", "ledger/snapshot.py", "ledger/replay.py")


@cache
def layout() -> str:
    """``libro-`` and a digest of the modules that print, and the version of the library below them."""
    root = Path(__file__).parents[1]
    files = sorted({path for part in _PARTS for path in root.glob(part)})
    if not files:
        raise Bug("the program has no source beside it")
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"libro-{digest.hexdigest()[:16]} openpyxl-{openpyxl.__version__}"
